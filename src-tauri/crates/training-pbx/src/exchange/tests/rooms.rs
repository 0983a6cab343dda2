//! Calls whose sound goes through the exchange: how phones come into a room, and how they leave it.

use super::*;
use crate::desk::RecordingMode;
use crate::exchange::recording::RecordingVerb;
use crate::exchange::supervision::{Manner, Wish};
use crate::exchange::{Goal, UserCall};
use crate::mixer::{Face, HeardBy, Plan};
use crate::recorder::Record;
use crate::sip_look::SipLook;

/// Two phones that talk; the second's line records when its user wants it.
fn talking() -> (World, [usize; 3], [SessionId; 2]) {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    let caller = world.dial(samira, "102");
    let called = world.lift(joris);
    world.exchange.change_desk(world.now, |desk| {
        desk.change_rules("102", |rules| rules.recording = RecordingMode::OnDemand);
    });
    (world, [desk, joris, samira], [called, caller])
}

impl World {
    fn own_call(&self, user: &str) -> UserCall {
        self.exchange.user_calls().into_iter().find(|call| call.user == user).unwrap()
    }

    /// The latest plan of any room; an empty one once it is gone.
    fn mixed(&self) -> Option<Plan> {
        self.media.iter().rev().find_map(|command| match command {
            MediaCommand::Mix(_, plan) => Some(plan.as_deref().cloned().unwrap_or_default()),
            _ => None,
        })
    }

    fn records(&self) -> Vec<&Record> {
        let all = self.media.iter();
        all.filter_map(|command| match command {
            MediaCommand::Record(_, record) => Some(record),
            _ => None,
        })
        .collect()
    }

    /// Whether a phone sends to a port of the exchange.
    fn is_with_us(&self, phone: usize) -> bool {
        self.phones[phone].hears().is_some_and(|port| port > 40_000)
    }
}

#[test]
fn two_phones_come_into_a_room_and_are_recorded_when_both_are_there() {
    let (mut world, [_, joris, samira], _) = talking();
    assert!(world.talk(joris, samira));
    let call = world.own_call("102");
    world.exchange.record(world.now, &call, RecordingVerb::Record).unwrap();
    assert!(world.records().is_empty(), "nobody is there yet");
    world.settle();
    assert!(world.is_with_us(joris) && world.is_with_us(samira));
    let plan = world.mixed().unwrap();
    let open = |plan: &Plan| plan.members.iter().all(|m| m.heard_by == HeardBy::All && !m.deaf);
    assert_eq!((plan.members.len(), open(&plan), plan.is_conference), (2, true, false));
    assert!(matches!(world.records()[..], [Record::Start(..)]));
    let failed = world.exchange.record(world.now, &call, RecordingVerb::Pause);
    assert!(failed.is_err(), "it has not begun");
    let Place::Call(number) = call.place else { panic!("{call:?}") };
    let what = RecordingNews::Started;
    world.exchange.handle_input(world.now, Input::Recording { call: number, what });
    world.exchange.record(world.now, &call, RecordingVerb::Pause).unwrap();
    world.settle();
    assert!(matches!(world.records()[..], [Record::Start(..), Record::Pause]));
}

#[test]
fn hold_in_a_room_stays_between_the_phone_and_the_exchange() {
    let (mut world, [_, joris, samira], [called, _]) = talking();
    let call = world.own_call("102");
    world.exchange.record(world.now, &call, RecordingVerb::Record).unwrap();
    world.settle();
    let before = world.phones[samira].events.len();
    let hold = OFFER.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    world.phones[joris].ua.reoffer(world.now, called, Body::sdp(hold)).unwrap();
    world.settle();
    assert_eq!(world.own_call("102").stage, CallStage::Held);
    assert_eq!(world.own_call("103").stage, CallStage::RemoteHeld);
    assert_eq!(world.phones[samira].events.len(), before, "the other is asked nothing");
}

#[test]
fn who_is_transferred_out_of_a_room_talks_directly_again() {
    let (mut world, [desk, joris, samira], [called, caller]) = talking();
    let call = world.own_call("102");
    world.exchange.record(world.now, &call, RecordingVerb::Record).unwrap();
    world.settle();
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    world.lift(desk);
    world.settle();
    assert!(world.talk(desk, samira), "{:?}", world.phones[desk].hears());
    assert!(world.ended(joris, called).is_some());
    assert!(matches!(world.records().last(), Some(Record::Stop)));
    assert_eq!(world.mixed(), Some(Plan::default()));
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
}

#[test]
fn a_phone_that_refuses_to_come_keeps_its_call() {
    let (mut world, [_, joris, samira], _) = talking();
    world.phones[joris].automatic = false;
    let call = world.own_call("102");
    world.exchange.record(world.now, &call, RecordingVerb::Record).unwrap();
    world.settle();
    let reoffered = |event: &Event| match event {
        Event::Reoffered { session, .. } => Some(*session),
        _ => None,
    };
    let session = world.phones[joris].events.iter().rev().find_map(reoffered).unwrap();
    let refusal = StatusCode::NOT_ACCEPTABLE_HERE;
    world.phones[joris].automatic = true;
    world.phones[joris].ua.reject_reoffer(world.now, session, refusal).unwrap();
    world.pass(Duration::from_secs(2));
    assert!(world.talk(joris, samira), "{:?}", world.phones[samira].hears());
    assert!(matches!(world.records().last(), Some(Record::Stop)));
    assert_eq!(world.own_call("102").stage, CallStage::Active);
}

#[test]
fn a_supervisor_has_a_call_of_his_own_and_the_agent_none_more() {
    let (mut world, [desk, ..], _) = talking();
    let wish = |target: &str| Wish {
        target: target.to_owned(),
        manner: Manner::Listen,
        next: false,
        tone: true,
    };
    let nothing = world.exchange.click(world.now, "101", Goal::Supervise(wish("104")));
    assert!(nothing.is_err());
    world.exchange.click(world.now, "101", Goal::Supervise(wish("102"))).unwrap();
    world.settle();
    world.lift(desk);
    world.settle();
    assert!(world.is_with_us(desk));
    let plan = world.mixed().unwrap();
    assert_eq!(plan.members.len(), 4, "two phones, the supervisor, the tone");
    let tone = plan.members.iter().find(|member| member.voice.face == Face::Script).unwrap();
    assert!(matches!(&tone.heard_by, HeardBy::Only(persons) if persons.len() == 1));
    let of = |user: &str| {
        let calls = world.exchange.user_calls();
        calls.iter().filter(|call| call.user == user).count()
    };
    assert_eq!((of("101"), of("102"), of("103")), (1, 1, 1));
    assert_eq!(world.own_call("101").remote.extension.as_deref(), Some("102"));
    assert_eq!(world.lamps("102").len(), 1);
    let shown = world.exchange.user_conferences();
    assert_eq!(shown[0].kind, Some("Silently Monitored"));
    world.exchange.change_manner(world.now, "101", Manner::Coach).unwrap();
    world.settle();
    let speaks = |plan: &Plan| {
        let line = plan.members.iter().rfind(|member| member.voice.face == Face::Line).unwrap();
        line.heard_by.clone()
    };
    assert!(
        matches!(speaks(&world.mixed().unwrap()), HeardBy::Only(persons) if persons.len() == 1)
    );
    world.exchange.change_manner(world.now, "101", Manner::BargeIn).unwrap();
    world.settle();
    assert_eq!(speaks(&world.mixed().unwrap()), HeardBy::All);
    let call = world.own_call("102");
    let busy = StatusCode::BUSY_HERE;
    world.exchange.release_call(world.now, &call, busy).unwrap();
    world.settle();
    world.assert_nothing_left();
}

#[test]
fn phones_read_what_a_hosted_exchange_writes() {
    let mut world = World::new();
    let look = SipLook { broadworks: true, pad: 2_000, unsolicited: true, ..SipLook::default() };
    world.exchange.turn(world.now, crate::Knob::Look(look)).unwrap();
    let [joris, samira] = ["102", "103"].map(|user| world.automatic(user));
    let caller = world.dial(samira, "102");
    world.lift(joris);
    assert!(world.talk(joris, samira));
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.settle();
    world.exchange.turn(world.now, crate::Knob::Deposit { line: "103".into() }).unwrap();
    world.settle();
    let told = |event: &Event| match event {
        Event::OutOfDialog { request, .. } if request.method == Method::Notify => {
            Some(String::from_utf8_lossy(&request.body).into_owned())
        }
        _ => None,
    };
    let notices: Vec<String> = world.phones[samira].events.iter().filter_map(told).collect();
    assert!(notices.last().is_some_and(|body| body.contains("Voice-Message: 1/0")), "{notices:?}");
    let much = SipLook { pad: 40_000, ..SipLook::default() };
    assert!(world.exchange.turn(world.now, crate::Knob::Look(much)).is_err());
}
