//! What a lamp shows, step by step.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use pbx::{
    Call, CallState, Input, Instance, InstanceState, Lamp, Lamps, LineDocument, LineId, LineState,
    ListDocument, Output, Peer, Policy, Presence, Resource, SourceId, Watch,
};

const ONE: SourceId = SourceId(1);

struct Desk {
    now: Instant,
    lamps: Lamps,
    outputs: Vec<Output>,
}

impl Desk {
    #[expect(clippy::disallowed_methods, reason = "the one base that virtual time counts from")]
    fn new(watch: Watch) -> Self {
        let mut desk =
            Self { now: Instant::now(), lamps: Lamps::new(Policy::default()), outputs: Vec::new() };
        desk.give(Input::Watch { source: ONE, watch });
        desk.up();
        desk
    }

    fn up(&mut self) {
        let expires = Duration::from_secs(600);
        self.give(Input::Up { source: ONE, expires, reliable: false });
    }

    fn give(&mut self, input: Input) {
        self.lamps.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        self.outputs.extend(std::iter::from_fn(|| self.lamps.poll_output()));
    }

    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.lamps.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.lamps.handle_timeout(at);
            self.drain();
        }
        self.now = end;
    }

    fn line(&mut self, version: u32, full: bool, calls: &[Call]) {
        let document = LineDocument { version, full, calls: calls.to_vec() };
        self.give(Input::Line { source: ONE, document });
    }

    fn list(&mut self, version: u32, full: bool, resources: Vec<Resource>) {
        self.give(Input::List { source: ONE, document: ListDocument { version, full, resources } });
    }

    fn lamp(&self, line: u32) -> &Lamp {
        self.lamps.lamp(LineId(line)).expect("a line")
    }

    fn asked(&mut self) -> usize {
        let asked = |output: &Output| matches!(output, Output::Refresh { .. });
        let count = self.outputs.iter().filter(|output| asked(output)).count();
        self.outputs.clear();
        count
    }
}

fn call(id: &str, state: CallState) -> Call {
    let peer = Some(Peer { uri: format!("sip:{id}@example.test"), name: None });
    Call { id: id.to_owned(), state, incoming: Some(true), peer }
}

fn resource(uri: &str, instances: &[(&str, InstanceState, Option<LineDocument>)]) -> Resource {
    let instances = instances.iter().map(|(id, state, document)| Instance {
        id: (*id).to_owned(),
        state: *state,
        document: document.clone(),
        presence: None,
    });
    Resource { uri: uri.to_owned(), name: None, instances: instances.collect() }
}

fn full(version: u32, calls: &[Call]) -> Option<LineDocument> {
    Some(LineDocument { version, full: true, calls: calls.to_vec() })
}

fn single() -> Desk {
    Desk::new(Watch::Line("sip:102@example.test".to_owned()))
}

#[test]
fn the_most_urgent_call_shows() {
    let mut desk = single();
    assert_eq!(desk.lamp(1).state, LineState::Unknown);
    assert!(desk.lamp(1).stale_since.is_some());
    desk.line(0, true, &[]);
    assert_eq!(*desk.lamp(1), Lamp { state: LineState::Idle, ..Lamp::default() });
    desk.line(1, false, &[call("a", CallState::Busy)]);
    desk.line(2, false, &[call("b", CallState::Ringing)]);
    assert_eq!((desk.lamp(1).state, desk.lamp(1).calls), (LineState::Ringing, 2));
    assert_eq!(desk.lamp(1).peer.as_ref().unwrap().uri, "sip:b@example.test");
    desk.line(3, false, &[call("b", CallState::Over), call("a", CallState::Held)]);
    assert_eq!((desk.lamp(1).state, desk.lamp(1).calls), (LineState::Held, 1));
    desk.line(4, true, &[]);
    assert_eq!(desk.lamp(1).state, LineState::Idle);
}

#[test]
fn a_gap_is_stale_until_a_full_document() {
    let mut desk = single();
    desk.line(0, true, &[]);
    desk.asked();
    desk.line(2, false, &[call("a", CallState::Busy)]);
    assert_eq!(desk.lamp(1).state, LineState::Busy, "the best that is known");
    assert!(desk.lamp(1).stale_since.is_some());
    desk.pass(0);
    assert_eq!(desk.asked(), 1);
    desk.line(3, false, &[call("a", CallState::Held)]);
    assert!(desk.lamp(1).stale_since.is_some(), "the gap is still there");
    desk.pass(7);
    assert_eq!(desk.asked(), 1, "asked again, and not for every document");
    desk.line(4, true, &[]);
    assert_eq!(*desk.lamp(1), Lamp { state: LineState::Idle, ..Lamp::default() });
    desk.line(3, false, &[call("a", CallState::Busy)]);
    assert_eq!(desk.lamp(1).state, LineState::Idle, "what is old changes nothing");
}

#[test]
fn a_subscription_that_breaks_makes_lamps_stale_and_begins_a_new_count() {
    let mut desk = single();
    desk.line(40, true, &[call("a", CallState::Busy)]);
    assert!(desk.lamp(1).stale_since.is_none());
    desk.give(Input::Down { source: ONE });
    assert_eq!(desk.lamp(1).state, LineState::Busy);
    assert_eq!(desk.lamp(1).stale_since, Some(desk.now));
    desk.up();
    assert!(desk.lamp(1).stale_since.is_some(), "standing is not yet knowing");
    desk.line(3, true, &[]);
    assert_eq!(*desk.lamp(1), Lamp { state: LineState::Idle, ..Lamp::default() });
    desk.give(Input::Refused { source: ONE });
    assert_eq!(desk.lamp(1).state, LineState::Unreachable);
}

#[test]
fn a_quiet_source_is_asked_and_then_doubted() {
    let mut desk = single();
    desk.line(0, true, &[]);
    desk.asked();
    desk.pass(40);
    assert!(desk.asked() >= 1);
    assert!(desk.lamp(1).stale_since.is_none());
    desk.pass(15);
    assert!(desk.asked() >= 1);
    assert!(desk.lamp(1).stale_since.is_some());
    desk.line(1, true, &[]);
    assert!(desk.lamp(1).stale_since.is_none());
}

#[test]
fn a_list_names_its_lines() {
    let mut desk = Desk::new(Watch::List);
    let active = InstanceState::Active;
    desk.list(
        0,
        true,
        vec![
            resource("sip:a", &[("1", active, full(0, &[]))]),
            // The same line twice, one entry for each of its calls.
            resource("sip:b", &[("1", active, full(0, &[call("x", CallState::Busy)]))]),
            resource("sip:b", &[("2", active, full(0, &[call("y", CallState::Ringing)]))]),
            resource("sip:c", &[]),
            resource("sip:d", &[("1", InstanceState::Terminated, None)]),
        ],
    );
    assert_eq!(desk.lamps.line_count(), 4);
    let states: Vec<LineState> = (1..=4).map(|line| desk.lamp(line).state).collect();
    let expected =
        [LineState::Idle, LineState::Ringing, LineState::Unknown, LineState::Unreachable];
    assert_eq!(states, expected);
    assert!((1..=4).all(|line| desk.lamp(line).stale_since.is_none()));
    let gone = ("2", InstanceState::Terminated, None);
    desk.list(1, false, vec![resource("sip:b", &[gone])]);
    assert_eq!(desk.lamp(2).state, LineState::Busy, "the other call is still there");
    desk.list(2, true, vec![resource("sip:a", &[("1", active, full(3, &[]))])]);
    assert_eq!(desk.lamps.line_count(), 1);
    let vanished = |output: &&Output| matches!(output, Output::Vanished { .. });
    assert_eq!(desk.outputs.iter().filter(vanished).count(), 3);
}

#[test]
fn an_instance_may_change_its_name() {
    let mut desk = Desk::new(Watch::List);
    let told = |name: &str, version, calls: &[Call]| {
        vec![resource("sip:a", &[(name, InstanceState::Active, full(version, calls))])]
    };
    desk.list(0, true, told("first", 0, &[]));
    desk.list(1, false, told("second", 1, &[call("x", CallState::Ringing)]));
    assert_eq!(desk.lamp(1).state, LineState::Ringing);
    desk.list(2, false, told("third", 2, &[call("x", CallState::Busy)]));
    assert_eq!((desk.lamp(1).state, desk.lamp(1).calls), (LineState::Busy, 1));
    for version in 3..200 {
        let calls = [call("x", CallState::Busy)];
        let calls = if version % 2 == 0 { &calls[..] } else { &[] };
        desk.list(version, false, told(&format!("name-{version}"), version, calls));
        let expected = if version % 2 == 0 { LineState::Busy } else { LineState::Idle };
        assert_eq!(desk.lamp(1).state, expected, "{version}");
    }
    // A stream that begins is another instance.
    desk.list(200, false, told("beside", 0, &[call("y", CallState::Ringing)]));
    desk.list(201, false, told("name-199", 200, &[call("x", CallState::Busy)]));
    assert_eq!(desk.lamp(1).calls, 2);
}

#[test]
fn a_list_with_a_gap_is_stale_as_a_whole() {
    let mut desk = Desk::new(Watch::List);
    let lines = |version| {
        let a = resource("sip:a", &[("1", InstanceState::Active, full(version, &[]))]);
        let b = resource("sip:b", &[("1", InstanceState::Active, full(version, &[]))]);
        vec![a, b]
    };
    desk.list(0, true, lines(0));
    desk.asked();
    desk.list(2, false, lines(2).split_off(1));
    assert!(desk.lamp(1).stale_since.is_some() && desk.lamp(2).stale_since.is_some());
    desk.pass(0);
    assert_eq!(desk.asked(), 1);
    desk.list(3, true, lines(3));
    assert!(desk.lamp(1).stale_since.is_none() && desk.lamp(2).stale_since.is_none());
    let broken = resource("sip:b", &[("1", InstanceState::Broken, None)]);
    desk.list(4, false, vec![broken]);
    assert!(desk.lamp(1).stale_since.is_none(), "only the line whose document is missing");
    assert!(desk.lamp(2).stale_since.is_some());
    desk.pass(0);
    assert_eq!(desk.asked(), 1);
    desk.list(5, true, lines(5));
    assert!(desk.lamp(2).stale_since.is_none());
}

#[test]
fn what_is_not_watched_is_passed_over() {
    let mut desk = single();
    let other = SourceId(9);
    let document = LineDocument { version: 0, full: true, calls: Vec::new() };
    desk.give(Input::Line { source: other, document });
    desk.give(Input::Up { source: other, expires: Duration::ZERO, reliable: true });
    desk.list(0, true, Vec::new());
    assert_eq!(desk.lamps.line_count(), 1);
    desk.give(Input::Unwatch { source: ONE });
    assert_eq!((desk.lamps.line_count(), desk.lamps.poll_timeout()), (0, None));
    assert_eq!(desk.outputs.pop(), Some(Output::Vanished { line: LineId(1) }));
}

#[test]
fn presence_is_a_lamp_too() {
    let mut desk = Desk::new(Watch::Line("sip:203@example.test".into()));
    let told = |open, busy, note: &str| Presence {
        open,
        busy,
        note: Some(note.to_owned()).filter(|note| !note.is_empty()),
        activities: Vec::new(),
        ..Presence::default()
    };
    let table = [
        (told(Some(true), false, "Back at two"), LineState::Idle),
        (told(Some(true), true, ""), LineState::Busy),
        (told(Some(false), true, ""), LineState::Unreachable),
        (told(None, true, ""), LineState::Busy),
        (told(None, false, ""), LineState::Unknown),
    ];
    for (presence, state) in table {
        desk.give(Input::Presence { source: ONE, presence: presence.clone() });
        let lamp = desk.outputs.iter().rev().find_map(|output| match output {
            Output::Changed { lamp, .. } => Some(lamp.clone()),
            _ => None,
        });
        let lamp = lamp.unwrap();
        assert_eq!((lamp.state, lamp.presence), (state, Some(presence)));
        assert_eq!(lamp.stale_since, None);
    }
    // Nobody confirms it: it may be wrong, and says so.
    desk.pass(60);
    let stale = desk.outputs.iter().rev().find_map(|output| match output {
        Output::Changed { lamp, .. } => Some(lamp.stale_since),
        _ => None,
    });
    assert!(stale.unwrap().is_some());
}
