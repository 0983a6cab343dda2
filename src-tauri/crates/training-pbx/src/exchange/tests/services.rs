//! Park, pickup, voicemail, do not disturb, forwarding, Replaces, life.

use super::*;
use crate::desk::LineState;
use crate::mailboxes::Mailbox;

impl World {
    /// Whom the exchange vouches for in its answer to a phone that called.
    fn vouched(&self, phone: usize, session: SessionId) -> Option<String> {
        self.phones[phone].events.iter().find_map(|event| match event {
            Event::Answered { session: answered, remote, .. } if *answered == session => {
                remote.uri.user().filter(|_| remote.asserted)
            }
            _ => None,
        })
    }
}

fn talking() -> (World, [usize; 3], SessionId, SessionId) {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    let caller = world.dial(samira, "102");
    let called = world.lift(joris);
    (world, [desk, joris, samira], called, caller)
}

#[test]
fn a_call_is_parked_by_transfer_and_retrieved_by_another() {
    let (mut world, [desk, joris, samira], called, caller) = talking();
    world.refer(joris, called, &format!("<sip:*68@{PBX}>"));
    assert!(world.ended(joris, called).is_some());
    assert_eq!(world.played(), Some(&[Step::Music][..]));
    assert_eq!(world.phones[samira].hears(), Some(world.ports));
    let nothing = world.dial(desk, "*88103");
    assert_eq!(world.status_of(desk, nothing), Some(404));
    let fetched = world.dial(desk, "*88102");
    assert!(world.talk(desk, samira));
    assert_eq!(world.vouched(desk, fetched).as_deref(), Some("103"));
    assert!(world.ended(samira, caller).is_none());
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
}

#[test]
fn a_held_call_is_parked_by_dialling_and_rings_back_when_nobody_comes() {
    let (mut world, [_, joris, samira], called, caller) = talking();
    let nothing = world.dial(joris, "*68");
    assert_eq!(world.status_of(joris, nothing), Some(404));
    let hold = OFFER.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    world.phones[joris].ua.reoffer(world.now, called, Body::sdp(hold)).unwrap();
    world.settle();
    let code = world.dial(joris, "*68");
    assert!(world.answered(joris, code).is_some());
    assert!(world.ended(joris, called).is_some() && world.ended(samira, caller).is_none());
    world.pass(Duration::from_secs(46));
    let back = world.incoming(joris).unwrap();
    assert!(back.headers.get(&HeaderName::AlertInfo).is_some());
    world.lift(joris);
    assert!(world.talk(joris, samira));
}

#[test]
fn a_caller_waits_in_the_queue_until_an_agent_answers() {
    let (mut world, [desk, joris, samira], called, caller) = talking();
    world.refer(joris, called, &format!("<sip:195@{PBX}>"));
    assert_eq!(world.phones[joris].reports(), [100, 200]);
    let second = world.dial(desk, "195");
    assert!(world.answered(desk, second).is_some());
    assert_eq!(world.played(), Some(&[Step::Music][..]));
    world.pass(Duration::from_secs(20));
    assert!(world.ended(samira, caller).is_none() && world.ended(desk, second).is_none());
    let agent = world.automatic("104");
    world.pass(Duration::from_secs(4));
    let incoming = world.incoming(agent).unwrap();
    assert!(incoming.headers.get(&HeaderName::Diversion).unwrap().contains("195"));
    world.lift(agent);
    let served = [samira, desk].into_iter().find(|phone| world.talk(agent, *phone));
    assert!(served.is_some());
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.phones[desk].ua.hangup(world.now, second).unwrap();
    world.assert_nothing_left();
}

#[test]
fn a_ringing_call_is_picked_up_by_code_and_by_replaces() {
    for by_code in [true, false] {
        let mut world = World::new();
        let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
        let caller = world.dial(samira, "102");
        let ringing = world.incoming(joris).unwrap().session;
        world.phones[joris].ua.ring(world.now, ringing).unwrap();
        world.settle();
        let fetched = if by_code {
            world.dial(desk, "*97102")
        } else {
            let fork = *world.exchange.calls.values().next().unwrap().phones().last().unwrap();
            let name = world.exchange.ua.dialog_name(fork).unwrap();
            let (to, from) = (name.local_tag, name.remote_tag);
            let value = format!("{};to-tag={to};from-tag={from};early-only", name.call_id);
            let own = world.phones[desk].description();
            let uri = Uri::parse(&format!("sip:102@{PBX}")).unwrap();
            let mut call = OutgoingCall::new(uri, Some(own));
            call.headers.push((HeaderName::Replaces, value));
            world.call_with(desk, call)
        };
        assert!(world.ended(joris, ringing).unwrap().answered_elsewhere);
        assert!(world.talk(desk, samira), "{by_code}");
        // Both hear whom they have got, and not whose telephone rang.
        assert_eq!(world.vouched(desk, fetched).as_deref(), Some("103"), "{by_code}");
        assert_eq!(world.vouched(samira, caller).as_deref(), Some("101"), "{by_code}");
        world.phones[samira].ua.hangup(world.now, caller).unwrap();
        world.assert_nothing_left();
    }
}

#[test]
fn a_change_that_crosses_the_joining_of_a_pickup_loses_nobody() {
    let mut world = World::new();
    let desk = world.phone("101");
    let [joris, samira] = ["102", "103"].map(|user| world.automatic(user));
    let caller = world.dial(samira, "102");
    let ringing = world.incoming(joris).unwrap().session;
    world.phones[joris].ua.ring(world.now, ringing).unwrap();
    world.settle();
    let fetched = world.dial(desk, "*97102");
    // The exchange offers the caller's description, and the phone a hold, at one time.
    let pending = StatusCode::REQUEST_PENDING;
    world.phones[desk].ua.reject_reoffer(world.now, fetched, pending).unwrap();
    world.settle();
    let own = world.phones[desk].description();
    world.phones[desk].ua.reoffer(world.now, fetched, own).unwrap();
    world.phones[desk].automatic = true;
    world.settle();
    world.pass(Duration::from_secs(6));
    assert!(world.ended(samira, caller).is_none() && world.ended(desk, fetched).is_none());
    assert!(world.talk(desk, samira));
}

#[test]
fn who_withholds_his_number_is_nobody_to_whom_picks_him_up() {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    let to = Uri::parse(&format!("sip:102@{PBX}")).unwrap();
    let own = world.phones[samira].description();
    let hidden = OutgoingCall { withhold_identity: true, ..OutgoingCall::new(to, Some(own)) };
    world.call_with(samira, hidden);
    let ringing = world.incoming(joris).unwrap().session;
    world.phones[joris].ua.ring(world.now, ringing).unwrap();
    world.settle();
    let fetched = world.dial(desk, "*97102");
    assert!(world.talk(desk, samira));
    assert_eq!(world.vouched(desk, fetched).as_deref(), Some("anonymous"));
}

#[test]
fn a_customer_is_picked_up_and_tells_the_story() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    world.exchange.customer_call(world.now, &CustomerCall::to("102")).unwrap();
    world.settle();
    let ringing = world.incoming(joris).unwrap().session;
    world.phones[joris].ua.ring(world.now, ringing).unwrap();
    world.settle();
    world.dial(desk, "*97102");
    assert_eq!(world.phones[desk].hears(), Some(40_002));
    assert!(matches!(world.played(), Some([Step::Pause(_), Step::Say(_), ..])));
    assert!(world.ended(joris, ringing).unwrap().answered_elsewhere);
}

#[test]
fn an_invite_with_replaces_takes_the_place_of_a_talking_phone() {
    let (mut world, [desk, joris, samira], called, caller) = talking();
    let name = world.phones[joris].ua.dialog_name(called).unwrap();
    let value = format!("{};to-tag={};from-tag={}", name.call_id, name.remote_tag, name.local_tag);
    let with = |world: &mut World, value: String| {
        let own = world.phones[desk].description();
        let uri = Uri::parse(&format!("sip:102@{PBX}")).unwrap();
        let mut call = OutgoingCall::new(uri, Some(own));
        call.headers.push((HeaderName::Replaces, value));
        world.call_with(desk, call)
    };
    let early = with(&mut world, format!("{value};early-only"));
    assert_eq!(world.status_of(desk, early), Some(486));
    let unknown = with(&mut world, "x;to-tag=1;from-tag=2".to_owned());
    assert_eq!(world.status_of(desk, unknown), Some(481));
    with(&mut world, value);
    assert!(world.ended(joris, called).is_some() && world.ended(samira, caller).is_none());
    assert!(world.talk(desk, samira));
}

#[test]
fn a_caller_leaves_a_message_and_the_owner_hears_it() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let call = world.dial(joris, "101");
    world.pass(Duration::from_secs(31));
    assert!(world.answered(joris, call).is_some());
    world.pass(Duration::from_secs(8));
    world.phones[joris].ua.hangup(world.now, call).unwrap();
    world.settle();
    assert_eq!(world.exchange.mailboxes.of("101"), Mailbox { new: 1, old: 0 });
    // Somebody who only hears the greeting leaves nothing.
    let call = world.dial(joris, "*55101");
    world.phones[joris].ua.hangup(world.now, call).unwrap();
    world.settle();
    let own = world.dial(desk, "606");
    assert!(world.answered(desk, own).is_some());
    assert_eq!(world.exchange.mailboxes.of("101"), Mailbox { new: 0, old: 1 });
}

#[test]
fn a_caller_is_transferred_to_the_transferors_voicemail() {
    let (mut world, [_, joris, samira], called, caller) = talking();
    world.refer(joris, called, &format!("<sip:606@{PBX}>"));
    assert_eq!(world.phones[joris].reports(), [100, 200]);
    world.pass(Duration::from_secs(8));
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.settle();
    assert_eq!(world.exchange.mailboxes.of("102").new, 1);
}

#[test]
fn do_not_disturb_and_forwarding_are_set_by_code() {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    world.dial(joris, "*78");
    let refused = world.dial(samira, "102");
    assert_eq!(world.status_of(samira, refused), Some(486));
    world.dial(joris, "*79");
    world.dial(joris, "*72101");
    let call = world.dial(samira, "102");
    let incoming = world.incoming(desk).unwrap();
    let diversion = incoming.headers.get(&HeaderName::Diversion).unwrap().into_owned();
    assert!(diversion.contains("102") && diversion.contains("reason=unconditional"), "{diversion}");
    assert!(world.incoming(joris).is_none());
    world.lift(desk);
    assert!(world.answered(samira, call).is_some());
    world.dial(desk, "*72102");
    let round = world.dial(samira, "101");
    assert_eq!(world.status_of(samira, round), Some(482));
    world.dial(joris, "*73");
    world.dial(samira, "102");
    assert!(world.incoming(joris).is_some());
}

#[test]
fn an_intercom_call_asks_the_phone_to_answer() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    world.dial(joris, "*50101");
    let headers = world.incoming(desk).unwrap().headers;
    assert!(headers.get(&HeaderName::CallInfo).unwrap().ends_with(";answer-after=0"));
}

#[test]
fn lines_show_what_is_forced_upon_them() {
    let mut world = World::new();
    let joris = world.automatic("102");
    world.exchange.desk.force("201", Some(LineState::Ringing));
    assert_eq!(world.lamps("201"), [Stage::Early]);
    let call = world.dial(joris, "201");
    assert_eq!(world.status_of(joris, call), Some(486));
    world.exchange.desk.force("201", Some(LineState::Unreachable));
    assert!(world.exchange.lines()["201"].unreachable);
    world.exchange.desk.force("201", None);
    assert_eq!(world.lamps("201"), []);
    assert!(world.exchange.lines()["101"].unreachable);
    assert!(!world.exchange.lines().contains_key("102"));
}

#[test]
fn colleagues_call_each_other_at_the_pace_that_is_set() {
    let mut world = World::new();
    world.exchange.life.set_pace(world.now, Pace { per_minute: 60.0, talk_s: 10 });
    let mut seen = 0;
    for _ in 0..60 {
        world.pass(Duration::from_secs(1));
        seen = seen.max(world.exchange.life.talks().len());
    }
    assert!((4..=30).contains(&seen), "{seen}");
    let busy: Vec<String> = world.exchange.lines().into_keys().collect();
    assert!(busy.len() > 6, "{busy:?}");
    world.exchange.life.set_pace(world.now, Pace::default());
    world.pass(Duration::from_secs(40));
    assert!(world.exchange.life.talks().is_empty());
    world.assert_nothing_left();
}
