//! Transfers in all their forms, and what the transferor is told.

use super::*;

/// Joris (102) is called by Samira (103) and both talk; the customer's or colleague's side is index 1.
fn talking() -> (World, [usize; 3], SessionId, SessionId) {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    let caller = world.dial(samira, "102");
    let called = world.lift(joris);
    assert!(world.talk(joris, samira));
    (world, [desk, joris, samira], called, caller)
}

#[test]
fn a_blind_transfer_rings_and_connects_and_the_transferor_hears_every_step() {
    let (mut world, [desk, joris, samira], called, caller) = talking();
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    assert_eq!(world.phones[joris].reports(), [100]);
    let incoming = world.incoming(desk).unwrap();
    assert_eq!(incoming.caller.display.as_deref(), Some("Samira Aziz"));
    assert!(incoming.headers.get(&HeaderName::ReferredBy).unwrap().contains("102"));
    world.phones[desk].ua.ring(world.now, incoming.session).unwrap();
    world.settle();
    assert_eq!(world.phones[joris].reports(), [100, 180]);
    assert!(world.ended(joris, called).is_none());
    let session = world.lift(desk);
    assert_eq!(world.phones[joris].reports(), [100, 180, 200]);
    assert_eq!(world.ended(joris, called).unwrap().by, EndedBy::Remote);
    assert!(world.ended(samira, caller).is_none());
    assert!(world.talk(desk, samira));
    assert_eq!(world.lamps("102"), []);
    assert_eq!(world.lamps("101"), [Stage::Confirmed]);
    world.phones[desk].ua.hangup(world.now, session).unwrap();
    world.settle();
    assert!(world.ended(samira, caller).is_some());
    world.assert_nothing_left();
}

#[test]
fn a_blind_transfer_that_fails_leaves_the_caller_with_the_transferor() {
    for (target, status, after) in
        [("603", 486, 0), ("999", 404, 0), ("605", 603, 2), ("604", 480, 31), ("104", 480, 0)]
    {
        let (mut world, [_, joris, samira], called, caller) = talking();
        world.refer(joris, called, &format!("<sip:{target}@{PBX}>"));
        world.pass(Duration::from_secs(after));
        assert_eq!(world.phones[joris].reports().last(), Some(&status), "{target}");
        assert!(world.ended(joris, called).is_none() && world.ended(samira, caller).is_none());
        assert!(world.talk(joris, samira));
        // And once more, now to somebody who answers.
        world.refer(joris, called, &format!("<sip:201@{PBX}>"));
        world.pass(Duration::from_secs(5));
        assert_eq!(world.phones[joris].reports().last(), Some(&200), "{target}");
        assert!(world.ended(joris, called).is_some() && world.ended(samira, caller).is_none());
    }
}

#[test]
fn a_target_that_does_not_answer_or_refuses_is_reported_as_it_is() {
    let (mut world, [desk, joris, samira], called, _) = talking();
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    let session = world.incoming(desk).unwrap().session;
    world.phones[desk].ua.reject(world.now, session, StatusCode::DECLINE).unwrap();
    world.settle();
    assert_eq!(world.phones[joris].reports(), [100, 603]);
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    world.pass(Duration::from_secs(31));
    assert_eq!(world.phones[joris].reports().last(), Some(&480));
    assert!(world.talk(joris, samira));
}

#[test]
fn a_transfer_to_a_person_lets_the_person_speak_to_the_caller() {
    let (mut world, [_, joris, samira], called, caller) = talking();
    world.refer(joris, called, &format!("<sip:201@{PBX}>"));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.phones[joris].reports(), [100, 180, 200]);
    assert!(matches!(world.played(), Some([Step::Pause(_), Step::Say(_), Step::Listen])));
    assert_eq!(world.phones[samira].hears(), Some(world.ports));
    assert_eq!(world.lamps("201"), [Stage::Confirmed]);
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
}

#[test]
fn a_caller_can_be_sent_outside_and_to_the_main_number() {
    for target in ["+31205550199", "0205550199", "100"] {
        let (mut world, [desk, joris, samira], called, caller) = talking();
        world.refer(joris, called, &format!("<sip:{target}@{PBX}>"));
        if target == "100" {
            world.lift(desk);
            assert!(world.talk(desk, samira));
        }
        world.pass(Duration::from_secs(7));
        assert_eq!(world.phones[joris].reports().last(), Some(&200), "{target}");
        assert!(world.ended(samira, caller).is_none());
    }
}

#[test]
fn a_simulated_customer_is_transferred_to_a_phone_and_to_a_person() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    world.exchange.customer_call(world.now, &CustomerCall::to("101")).unwrap();
    world.settle();
    let call = world.lift(desk);
    world.refer(desk, call, &format!("<sip:102@{PBX}>"));
    let incoming = world.incoming(joris).unwrap();
    assert_eq!(incoming.caller.display.as_deref(), Some("Garage Jansen"));
    let session = world.lift(joris);
    assert!(world.ended(desk, call).is_some());
    assert_eq!(world.phones[joris].hears(), Some(40_002));
    world.refer(joris, session, &format!("<sip:201@{PBX}>"));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.phones[joris].reports(), [100, 180, 200]);
    assert!(world.ended(joris, session).is_some());
    assert_eq!(world.lamps("201"), [Stage::Confirmed]);
    world.assert_nothing_left();
    assert_eq!(world.lamps("201"), []);
}

#[test]
fn an_attended_transfer_joins_two_phones() {
    let (mut world, [desk, joris, samira], called, caller) = talking();
    let consult = world.dial(joris, "101");
    let answered = world.lift(desk);
    let target = world.replacing(joris, consult);
    world.refer(joris, called, &target);
    assert_eq!(world.phones[joris].reports(), [100, 200]);
    assert!(world.ended(joris, called).is_some() && world.ended(joris, consult).is_some());
    assert!(world.ended(samira, caller).is_none() && world.ended(desk, answered).is_none());
    assert!(world.talk(desk, samira));
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.settle();
    assert!(world.ended(desk, answered).is_some());
    world.assert_nothing_left();
}

#[test]
fn an_attended_transfer_while_the_consulted_phone_still_rings() {
    let (mut world, [desk, joris, samira], called, caller) = talking();
    let consult = world.dial(joris, "101");
    let ringing = world.incoming(desk).unwrap().session;
    world.phones[desk].ua.ring(world.now, ringing).unwrap();
    world.settle();
    let target = world.replacing(joris, consult);
    world.refer(joris, called, &target);
    assert_eq!(world.phones[joris].reports(), [100, 180]);
    world.lift(desk);
    assert_eq!(world.phones[joris].reports(), [100, 180, 200]);
    assert!(world.talk(desk, samira));
    assert!(world.ended(samira, caller).is_none());
}

#[test]
fn an_attended_transfer_to_a_person_and_of_a_customer() {
    let (mut world, [_, joris, samira], called, caller) = talking();
    let consult = world.dial(joris, "201");
    world.pass(Duration::from_secs(5));
    let target = world.replacing(joris, consult);
    world.refer(joris, called, &target);
    assert_eq!(world.phones[joris].reports(), [100, 200]);
    assert_eq!(world.phones[samira].hears(), Some(world.ports));
    assert!(world.ended(samira, caller).is_none());
    assert_eq!(world.lamps("103").len(), 1);

    let mut world = World::new();
    let desk = world.automatic("101");
    world.exchange.customer_call(world.now, &CustomerCall::to("101")).unwrap();
    world.settle();
    let call = world.lift(desk);
    let consult = world.dial(desk, "201");
    world.pass(Duration::from_secs(5));
    let target = world.replacing(desk, consult);
    world.refer(desk, call, &target);
    assert_eq!(world.phones[desk].reports(), [100, 200]);
    world.assert_nothing_left();
}

#[test]
fn a_replaces_for_no_dialog_or_somebody_elses_is_told_and_changes_nothing() {
    let (mut world, [desk, joris, samira], called, _) = talking();
    let wrong = format!("<sip:101@{PBX}?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>");
    world.refer(joris, called, &wrong);
    assert_eq!(world.phones[joris].reports(), [100, 481]);
    let other = world.dial(desk, "600");
    let target = world.replacing(desk, other);
    world.refer(joris, called, &target);
    assert_eq!(world.phones[joris].reports()[2..], [100, 403]);
    assert!(world.talk(joris, samira) && world.ended(desk, other).is_none());
}

#[test]
fn without_a_subscription_nothing_is_reported() {
    let (mut world, [desk, joris, samira], called, _) = talking();
    let silent = vec![(HeaderName::ReferSub, "false".to_owned())];
    world.refer_with(joris, called, &format!("<sip:101@{PBX}>"), silent);
    world.lift(desk);
    assert!(world.phones[joris].reports().is_empty());
    assert!(world.ended(joris, called).is_some());
    assert!(world.talk(desk, samira));
}

#[test]
fn a_transferor_who_hangs_up_first_is_rung_again_when_nobody_answers() {
    let (mut world, [_, joris, samira], called, caller) = talking();
    world.refer(joris, called, &format!("<sip:604@{PBX}>"));
    world.phones[joris].ua.hangup(world.now, called).unwrap();
    world.settle();
    assert!(world.ended(samira, caller).is_none());
    world.pass(Duration::from_secs(31));
    let back = world.incoming(joris).unwrap();
    assert_ne!(back.session, called);
    assert_eq!(back.caller.display.as_deref(), Some("Samira Aziz"));
    world.lift(joris);
    assert!(world.talk(joris, samira));
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.assert_nothing_left();
}

#[test]
fn a_caller_who_hangs_up_during_a_transfer_stops_it() {
    let (mut world, [desk, joris, samira], called, caller) = talking();
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    let ringing = world.incoming(desk).unwrap().session;
    world.phones[desk].ua.ring(world.now, ringing).unwrap();
    world.settle();
    world.phones[samira].ua.hangup(world.now, caller).unwrap();
    world.settle();
    assert!(world.ended(desk, ringing).is_some());
    assert_eq!(world.phones[joris].reports(), [100, 180, 487]);
    assert!(world.ended(joris, called).is_some());
    world.assert_nothing_left();
}

#[test]
fn a_hold_that_crosses_the_transfer_does_no_harm() {
    let (mut world, [desk, joris, samira], called, _) = talking();
    world.phones[samira].automatic = false;
    let hold = OFFER.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    world.phones[joris].ua.reoffer(world.now, called, Body::sdp(hold)).unwrap();
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    world.lift(desk);
    // Only now does Samira's phone answer the hold; what it is asked next it answers at once.
    world.phones[samira].automatic = true;
    let held = world.phones[samira].events.iter().find_map(|event| match event {
        Event::Reoffered { session, .. } => Some(*session),
        _ => None,
    });
    let own = world.phones[samira].description();
    world.phones[samira].ua.answer_reoffer(world.now, held.unwrap(), Some(own)).unwrap();
    world.pass(Duration::from_secs(3));
    assert!(world.talk(desk, samira));
}

#[test]
fn a_transfer_is_made_to_fail_as_often_as_asked() {
    let (mut world, [desk, joris, samira], called, _) = talking();
    let fail = |refuse| TransferFail { status: 503, count: 1, refuse };
    world.exchange.knobs.set_transfer(fail(false));
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    assert_eq!(world.phones[joris].reports(), [100, 503]);
    world.exchange.knobs.set_transfer(fail(true));
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    let refused = |event: &Event| {
        matches!(event, Event::SessionRequestDone { method: Method::Refer, status: Some(status), .. }
            if status.code() == 503)
    };
    assert!(world.phones[joris].events.iter().any(refused));
    assert!(world.incoming(desk).is_none() && world.talk(joris, samira));
    world.refer(joris, called, &format!("<sip:101@{PBX}>"));
    assert!(world.incoming(desk).is_some());
}

#[test]
fn a_refer_that_makes_no_sense_is_refused() {
    let (mut world, [_, joris, samira], called, _) = talking();
    for (refer_to, status) in [
        ("<mailto:a@b.example>", 416),
        ("<sip:101@h;method=BYE>", 406),
        ("<sip:h>", 400),
        ("<sip:101@h?Replaces=rubbish>", 400),
    ] {
        world.refer(joris, called, refer_to);
        let last = world.phones[joris].events.iter().rev().find_map(|event| match event {
            Event::SessionRequestDone { method: Method::Refer, status, .. } => *status,
            _ => None,
        });
        assert_eq!(last.map(StatusCode::code), Some(status), "{refer_to}");
    }
    assert!(world.phones[joris].reports().is_empty() && world.talk(joris, samira));
}
