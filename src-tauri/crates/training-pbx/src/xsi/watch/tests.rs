//! Calls as the exchange shows them, and the events that follow.

use std::time::Duration;

use sip_types::{Host, StatusCode, Uri};

use super::*;
use crate::company::Company;
use crate::pbx::CallNumber;

const EPOCH: u64 = 1_763_700_000_000;

struct World {
    now: Instant,
    watch: Watch,
}

fn who(extension: &str) -> Who {
    let host: Host = "127.0.0.1".parse::<std::net::IpAddr>().unwrap().into();
    let known = extension.len() == 3;
    Who {
        display: Some("Jan Smit".to_owned()),
        uri: Uri::sip(Some(extension), host, None),
        withheld: false,
        extension: known.then(|| extension.to_owned()),
    }
}

fn call(user: &str, end: End, stage: CallStage, remote: &str) -> UserCall {
    UserCall {
        user: user.to_owned(),
        place: Place::Call(CallNumber(7)),
        legs: Vec::new(),
        end,
        stage,
        remote: who(remote),
        diversions: Vec::new(),
        network_id: None,
        recording: None,
        conversation: 7,
    }
}

impl World {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        let now = Instant::now();
        let names = Names { company: Company::demo() };
        Self { now, watch: Watch::new(names, Clock::new(now, EPOCH)) }
    }

    /// What is shown when the calls are these, a second later.
    fn see(&mut self, calls: &[UserCall], news: Vec<CallNews>) -> Vec<Shown> {
        self.now += Duration::from_secs(1);
        self.watch.observe(self.now, calls.to_vec(), news, |_| None)
    }

    /// The types of the events about a user.
    fn kinds(&mut self, user: &str, calls: &[UserCall], news: Vec<CallNews>) -> Vec<&'static str> {
        let shown = self.see(calls, news);
        shown.iter().filter(|s| s.user == user).filter_map(|s| s.data.kind).collect()
    }
}

fn text(shown: &[Shown], name: &str) -> Option<String> {
    shown.iter().find_map(|shown| shown.data.find(name)).and_then(|found| found.text.clone())
}

#[test]
fn an_incoming_call_rings_is_answered_held_and_released() {
    let mut world = World::new();
    let at = |stage| [call("101", End::Called, stage, "+31201230001")];
    let rings = world.see(&at(CallStage::Alerting), vec![]);
    assert_eq!(rings.len(), 1);
    assert_eq!((rings[0].data.kind, rings[0].packages), (Some("CallReceivedEvent"), BSA));
    assert_eq!(text(&rings, "personality").as_deref(), Some("Terminator"));
    assert_eq!(text(&rings, "address").as_deref(), Some("tel:+31201230001"));
    assert_eq!(text(&rings, "startTime").as_deref(), Some("1763700001000"));
    assert!(!world.watch.off_hook("101"));
    let kinds = world.kinds("101", &at(CallStage::Active), vec![]);
    assert_eq!(kinds, ["CallAnsweredEvent", "HookStatusEvent"]);
    let held = world.see(&at(CallStage::Held), vec![]);
    assert_eq!((held[0].data.kind, held[0].packages), (Some("CallHeldEvent"), SA));
    assert_eq!(world.kinds("101", &at(CallStage::Active), vec![]), ["CallRetrievedEvent"]);
    let over = world.see(&[], vec![]);
    assert_eq!(over[0].data.kind, Some("CallReleasedEvent"));
    assert_eq!(text(&over, "state").as_deref(), Some("Released"));
    assert_eq!(text(&over, "totalHeldTime").as_deref(), Some("1000"));
    assert_eq!(text(&over, "releasingParty").as_deref(), Some("remoteRelease"));
    assert_eq!(text(&over[1..], "hookStatus").as_deref(), Some("On-Hook"));
    let log: Vec<Logged> = world.watch.log("101").map(|entry| entry.kind).collect();
    assert_eq!(log, [Logged::Received]);
}

#[test]
fn elements_of_a_call_come_in_the_order_of_the_interface() {
    let mut world = World::new();
    let mut first = call("101", End::Called, CallStage::Alerting, "+31201230001");
    first.network_id = Some("abc@1".to_owned());
    first.diversions = vec![(who("102"), "unconditional")];
    world.see(&[first.clone()], vec![]);
    first.stage = CallStage::Held;
    let shown = world.see(&[first], vec![]);
    let call = shown.iter().rev().find_map(|shown| shown.data.find("call"));
    let call = call.cloned().unwrap_or_default();
    let names: Vec<&str> = call.children.iter().map(|child| child.name).collect();
    let expected = [
        "callId",
        "extTrackingId",
        "networkCallId",
        "personality",
        "state",
        "remoteParty",
        "redirections",
        "endpoint",
        "appearance",
        "startTime",
        "answerTime",
        "heldTime",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_click_keeps_its_id_when_the_call_itself_begins() {
    let mut world = World::new();
    let mut clicked = call("101", End::Caller, CallStage::Clicked, "201");
    clicked.place = Place::Click(3);
    let first = world.see(&[clicked], vec![]);
    assert_eq!(first[0].data.kind, Some("CallOriginatingEvent"));
    assert_eq!(text(&first, "personality").as_deref(), Some("Click-to-Dial"));
    let id = text(&first, "callId");
    // The place is another, so only the leg tells that it is the same.
    let mut next = call("101", End::Caller, CallStage::Alerting, "201");
    next.place = Place::Click(3);
    let second = world.see(&[next], vec![]);
    assert_eq!(second[0].data.kind, Some("CallOriginatedEvent"));
    assert_eq!(
        (text(&second, "callId"), text(&second, "personality")),
        (id, Some("Originator".into()))
    );
}

#[test]
fn a_refused_call_says_why() {
    let mut world = World::new();
    let rings = [call("101", End::Caller, CallStage::Alerting, "201")];
    assert_eq!(world.kinds("101", &rings, vec![]), ["CallOriginatedEvent", "HookStatusEvent"]);
    let busy = CallNews::Refused { number: CallNumber(7), status: StatusCode::BUSY_HERE };
    let over = world.see(&[], vec![busy]);
    assert_eq!(text(&over, "internalReleaseCause").as_deref(), Some("Busy"));
    let log: Vec<Logged> = world.watch.log("101").map(|entry| entry.kind).collect();
    assert_eq!(log, [Logged::Placed]);
    assert_eq!(world.watch.forget_log("101", Some(Logged::Missed), None), 0);
    assert_eq!(world.watch.forget_log("101", None, None), 1);
}

#[test]
fn a_forwarded_call_is_shown_to_those_who_see_calls_before_services() {
    let mut world = World::new();
    let diverted = CallNews::Diverted {
        number: CallNumber(7),
        by: who("102"),
        caller: who("+31201230001"),
        to: who("103"),
        reason: "unconditional",
    };
    let shown =
        world.see(&[call("103", End::Called, CallStage::Alerting, "+31201230001")], vec![diverted]);
    let of: Vec<_> =
        shown.iter().filter(|s| s.user == "102").map(|s| (s.data.kind, s.packages)).collect();
    assert_eq!(
        of,
        [
            (Some("CallReceivedEvent"), A),
            (Some("CallRedirectedEvent"), A),
            (Some("CallReleasedEvent"), A)
        ]
    );
    assert!(world.watch.of("102").is_empty());
}

#[test]
fn somebody_else_at_the_other_end_is_a_transfer() {
    let mut world = World::new();
    let with = |remote: &str, stage| [call("101", End::Called, stage, remote)];
    world.see(&with("201", CallStage::Active), vec![]);
    assert_eq!(
        world.kinds("101", &with("202", CallStage::Active), vec![]),
        ["CallTransferredEvent"]
    );
    assert_eq!(
        world.kinds("101", &with("203", CallStage::Alerting), vec![]),
        ["CallTransferredEvent", "HookStatusEvent"]
    );
    assert_eq!(
        world.kinds("101", &with("203", CallStage::Active), vec![]),
        ["CallAnsweredEvent", "HookStatusEvent"]
    );
}

#[test]
fn the_caller_is_told_who_picked_up() {
    let mut world = World::new();
    let calls = |to: &str, stage| {
        [call("102", End::Caller, stage, to), call(to, End::Called, stage, "102")]
    };
    world.see(&calls("103", CallStage::Alerting), vec![]);
    let by = who("101");
    let news = CallNews::PickedUp { number: CallNumber(7), by };
    let shown = world.see(&calls("101", CallStage::Active), vec![news]);
    let kinds = |user: &str| -> Vec<_> {
        shown.iter().filter(|s| s.user == user).filter_map(|s| s.data.kind).collect()
    };
    assert!(kinds("102").contains(&"CallPickedUpEvent"), "{:?}", kinds("102"));
    assert!(kinds("103").contains(&"CallReleasedEvent"), "{:?}", kinds("103"));
    assert!(kinds("101").contains(&"CallAnsweredEvent"), "{:?}", kinds("101"));
}

#[test]
fn a_call_refused_before_anybody_saw_it_is_among_those_made() {
    let refused = || {
        let (number, status) = (CallNumber(7), StatusCode::BUSY_HERE);
        let unanswered = CallNews::Unanswered { number, caller: who("101"), called: who("102") };
        vec![CallNews::Refused { number, status }, unanswered]
    };
    let mut world = World::new();
    assert!(world.see(&[], refused()).is_empty());
    let made = |world: &World| {
        let all = world.watch.log("101");
        all.map(|entry| (entry.kind, Names::number(&entry.remote))).collect::<Vec<_>>()
    };
    let once = vec![(Logged::Placed, "102".to_owned())];
    assert_eq!(made(&world), once);
    // One that has rung is not written down twice.
    let mut world = World::new();
    world.see(&[call("101", End::Caller, CallStage::Alerting, "102")], vec![]);
    world.see(&[], refused());
    assert_eq!(made(&world), once);
}
