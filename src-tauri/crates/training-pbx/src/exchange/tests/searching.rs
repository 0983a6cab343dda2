//! Sequential ring, automatic callback, and a call that is taken with another own phone.

use super::*;
use crate::desk::{ForwardWhen, Forwarding, Sequence};

/// 102 is looked for at 103 and then at 104.
fn looking(sequence: Sequence) -> (World, [usize; 4]) {
    let mut world = World::new();
    let phones = ["101", "102", "103", "104"].map(|user| world.automatic(user));
    let now = world.now;
    world.exchange.change_desk(now, |desk| {
        desk.change_rules("102", |rules| rules.sequence = sequence);
    });
    (world, phones)
}

fn places() -> Vec<(String, u32)> {
    vec![("103".to_owned(), 2), ("104".to_owned(), 3)]
}

#[test]
fn places_ring_one_after_the_other() {
    let sequence = Sequence { own_rings: Some(2), past_busy: true, places: places() };
    let (mut world, [desk, joris, samira, bas]) = looking(sequence);
    let caller = world.dial(desk, "102");
    assert!(world.incoming(joris).is_some() && world.incoming(samira).is_none());
    world.pass(Duration::from_secs(11));
    assert!(world.incoming(samira).is_some() && world.incoming(bas).is_none());
    let diverted = world.incoming(samira).unwrap();
    let diversion = diverted.headers.get(&HeaderName::Diversion).unwrap();
    assert!(diversion.contains("102") && diversion.contains("follow-me"), "{diversion}");
    world.pass(Duration::from_secs(11));
    world.lift(bas);
    assert!(world.talk(desk, bas));
    world.phones[desk].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
}

#[test]
fn after_the_last_place_the_calls_of_the_line_go_where_they_would_have() {
    let sequence = Sequence { own_rings: None, past_busy: true, places: places() };
    let (mut world, [desk, joris, ..]) = looking(sequence);
    let caller = world.dial(desk, "102");
    assert!(world.incoming(joris).is_none(), "it is passed over");
    world.pass(Duration::from_secs(26));
    assert!(world.answered(desk, caller).is_some(), "voicemail has answered");
    world.phones[desk].ua.hangup(world.now, caller).unwrap();
    world.settle();
    let now = world.now;
    world.exchange.change_desk(now, |desk| {
        let wish = Forwarding { active: true, to: Some("601".to_owned()), rings: Some(2) };
        desk.set_forwarding("102", ForwardWhen::NoAnswer, wish);
    });
    let caller = world.dial(desk, "102");
    world.pass(Duration::from_secs(26));
    assert_eq!(world.played(), Some(&[Step::Music][..]));
    world.phones[desk].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
}

#[test]
fn a_busy_line_is_looked_for_only_if_it_says_so() {
    for past_busy in [true, false] {
        let sequence = Sequence { own_rings: Some(3), past_busy, places: places() };
        let (mut world, [desk, joris, samira, _]) = looking(sequence);
        let caller = world.dial(desk, "102");
        let ringing = world.incoming(joris).unwrap().session;
        world.phones[joris].ua.reject(world.now, ringing, StatusCode::BUSY_HERE).unwrap();
        world.settle();
        assert_eq!(world.incoming(samira).is_some(), past_busy);
        if past_busy {
            world.phones[desk].ua.hangup(world.now, caller).unwrap();
        } else {
            assert_eq!(world.status_of(desk, caller), Some(486));
        }
        world.assert_nothing_left();
    }
}

#[test]
fn a_call_is_taken_with_another_own_phone() {
    let mut world = World::new();
    let [desk, first, second] = ["101", "102", "102"].map(|user| world.automatic(user));
    let nothing = world.dial(second, "*11");
    assert_eq!(world.status_of(second, nothing), Some(404));
    let call = world.dial(first, "101");
    world.lift(desk);
    assert!(world.talk(desk, first));
    // By its code.
    world.dial(second, "*11");
    assert!(world.talk(desk, second));
    assert!(world.ended(first, call).is_some());
    // And back, by the web services: all other own phones ring, and whoever lifts has it.
    let now = world.now;
    world.exchange.click(now, "102", Goal::Pull).unwrap();
    world.settle();
    assert!(world.incoming(second).is_none(), "it has the call");
    world.lift(first);
    assert!(world.talk(desk, first));
    let left = world.incoming(desk).unwrap().session;
    world.phones[desk].ua.hangup(world.now, left).unwrap();
    world.assert_nothing_left();
}

#[test]
fn who_found_a_line_busy_is_rung_when_it_is_free() {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    let free = world.exchange.ring_back(world.now, "101", "102");
    assert_eq!(free, Err(VerbError::WrongState));
    assert_eq!(world.exchange.ring_back(world.now, "101", "999"), Err(VerbError::NothingThere));
    let talk = world.dial(joris, "103");
    world.lift(samira);
    world.exchange.ring_back(world.now, "101", "102").unwrap();
    world.settle();
    assert!(world.incoming(desk).is_none());
    world.phones[joris].ua.hangup(world.now, talk).unwrap();
    world.settle();
    let back = world.incoming(desk).unwrap();
    assert!(back.answer_after.is_none(), "whoever lifts wants to");
    world.lift(desk);
    world.lift(joris);
    assert!(world.talk(desk, joris));
    world.phones[desk].ua.hangup(world.now, back.session).unwrap();
    world.settle();
    world.assert_nothing_left();
    // It was done once.
    let calls = world.exchange.clicks.len();
    assert_eq!((calls, world.exchange.ring_backs.len()), (0, 0));
}

#[test]
fn a_call_is_traced_by_a_code_and_by_the_web() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let early = world.dial(desk, "*57");
    assert!(world.answered(desk, early).is_none(), "nobody has called yet");
    let call = world.dial(joris, "101");
    world.phones[joris].ua.hangup(world.now, call).unwrap();
    world.settle();
    let traced = world.dial(desk, "*57");
    assert!(world.answered(desk, traced).is_some());
    let report = ("101".to_owned(), "102".to_owned());
    assert_eq!(world.exchange.status().traced, std::slice::from_ref(&report));
    world.phones[desk].ua.hangup(world.now, traced).unwrap();
    world.settle();
    world.exchange.click(world.now, "101", Goal::Dial("*57".into())).unwrap();
    world.settle();
    world.lift(desk);
    assert_eq!(world.exchange.status().traced, [report.clone(), report]);
    let own = world.incoming(desk).unwrap().session;
    world.phones[desk].ua.hangup(world.now, own).unwrap();
    world.assert_nothing_left();
}
