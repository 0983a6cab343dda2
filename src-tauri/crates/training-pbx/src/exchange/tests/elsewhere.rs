//! Remote office and hoteling: calls ring where the called works, and a host's telephones are his guest's.

use super::*;
use crate::acd::AgentState;

/// 102 works at that number.
fn remote(world: &mut World, to: &str) {
    let (now, to) = (world.now, Some(to.to_owned()));
    world.exchange.change_desk(now, |desk| {
        desk.change_rules("102", |rules| rules.remote_office = to);
    });
    world.settle();
}

#[test]
fn a_remote_office_in_the_company_rings_instead_of_the_own_telephone() {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    remote(&mut world, "103");
    let caller = world.dial(desk, "102");
    assert!(world.incoming(joris).is_none(), "he is not there");
    world.lift(samira);
    assert!(world.talk(desk, samira));
    // It is his call, and his lamp.
    assert_eq!((world.lamps("102"), world.lamps("103")), (vec![Stage::Confirmed], vec![]));
    let of = |user: &str| world.exchange.user_calls().iter().filter(|c| c.user == user).count();
    assert_eq!((of("102"), of("103")), (1, 0));
    world.phones[desk].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
    // What he is asked to call he calls from there.
    world.exchange.click(world.now, "102", Goal::Dial("101".to_owned())).unwrap();
    world.settle();
    assert!(world.incoming(joris).is_none());
    assert!(world.incoming(samira).unwrap().answer_after.is_some());
    // Back at his own desk.
    let now = world.now;
    world.exchange.change_desk(now, |desk| {
        desk.change_rules("102", |rules| rules.remote_office = None);
    });
    world.dial(desk, "102");
    assert!(world.incoming(joris).is_some());
}

#[test]
fn a_remote_office_outside_is_answered_there_and_by_its_lines_rules() {
    let mut world = World::new();
    let desk = world.automatic("101");
    // No telephone of his is registered at all.
    let caller = world.dial(desk, "102");
    assert_eq!(world.status_of(desk, caller), Some(480));
    remote(&mut world, "+31612345678");
    let caller = world.dial(desk, "102");
    assert!(world.answered(desk, caller).is_none(), "it rings first");
    assert_eq!(world.lamps("102"), [Stage::Early]);
    world.pass(Duration::from_secs(6));
    assert!(world.answered(desk, caller).is_some());
    assert!(matches!(world.played(), Some([Step::Pause(_), ..])));
    world.phones[desk].ua.hangup(world.now, caller).unwrap();
    world.settle();
    // One that is always engaged is a busy line like any other.
    remote(&mut world, "603");
    let caller = world.dial(desk, "102");
    assert_eq!(world.status_of(desk, caller), Some(486));
    // One that never answers leaves it to the voicemail.
    remote(&mut world, "604");
    let caller = world.dial(desk, "102");
    world.pass(Duration::from_secs(31));
    assert!(world.answered(desk, caller).is_some());
    assert_eq!(world.exchange.calls.values().next().unwrap().mailbox.as_deref(), Some("102"));
    world.phones[desk].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
}

#[test]
fn an_agent_takes_calls_of_his_queue_at_home() {
    let mut world = World::new();
    let desk = world.automatic("101");
    let set = |world: &mut World, agent: &str, state| {
        let request = crate::acd::Request::SetState {
            agent: agent.into(),
            state,
            code: None,
            validate: false,
        };
        world.exchange.ask_centre(world.now, request).unwrap();
        world.settle();
    };
    set(&mut world, "104", AgentState::Available);
    set(&mut world, "105", AgentState::SignOut);
    let caller = world.dial(desk, "195");
    let waits = |world: &World| {
        let view = world.exchange.centre(world.now);
        view.queue(&"195".into()).unwrap().entries.len()
    };
    assert_eq!(waits(&world), 1, "nobody has a telephone");
    let now = world.now;
    world.exchange.change_desk(now, |desk| {
        desk.change_rules("104", |rules| rules.remote_office = Some("0612345678".to_owned()));
    });
    world.settle();
    world.pass(Duration::from_secs(10));
    let agent = world.exchange.acd.agent(&"104".into()).unwrap();
    assert_eq!((waits(&world), agent.calls.len()), (0, 1));
    assert!(world.ended(desk, caller).is_none());
    world.phones[desk].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
    assert_eq!(world.exchange.acd.agent(&"104".into()).unwrap().counts.answered, 1);
}

#[test]
fn a_guest_has_his_hosts_telephone_until_his_time_is_up() {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    let (now, hour) = (world.now, Duration::from_secs(3_600));
    world.exchange.be_guest(now, "102", Some(("103".to_owned(), Some(hour))));
    world.settle();
    let caller = world.dial(desk, "102");
    assert!(world.incoming(joris).is_none());
    world.lift(samira);
    assert!(world.talk(desk, samira));
    world.phones[desk].ua.hangup(world.now, caller).unwrap();
    world.settle();
    // Whoever is called from there sees the guest.
    let out = world.dial(samira, "101");
    let asserted = world.incoming(desk).unwrap().headers;
    let asserted = asserted.get(&HeaderName::PAssertedIdentity).unwrap().into_owned();
    assert!(asserted.contains("sip:102@"), "{asserted}");
    world.phones[samira].ua.hangup(world.now, out).unwrap();
    world.settle();
    // A minute before the hour he still is, afterwards he is not.
    assert_eq!(world.exchange.guest_of("103"), Some("102"));
    world.pass(hour - Duration::from_secs(60));
    assert_eq!(world.exchange.guest_of("103"), Some("102"));
    world.pass(Duration::from_secs(60));
    assert_eq!(world.exchange.guest_of("103"), None);
    world.dial(desk, "102");
    assert!(world.incoming(joris).is_some(), "his own again");
}

#[test]
fn the_end_of_a_guests_time_can_be_moved() {
    let mut world = World::new();
    let knob = |after_s| crate::Knob::GuestEnds { line: "102".into(), after_s };
    assert_eq!(world.exchange.turn(world.now, knob(5)).unwrap(), 0, "he is nobody's guest");
    world.exchange.be_guest(world.now, "102", Some(("103".to_owned(), None)));
    assert_eq!(
        world.exchange.poll_timeout().filter(|at| *at < world.now + Duration::from_secs(6)),
        None
    );
    assert_eq!(world.exchange.turn(world.now, knob(5)).unwrap(), 1);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.exchange.guest_of("103"), None);
}
