//! Calls between two user agents on a virtual wire: the common ladders, and the races one by one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, sdp};
use sip_types::{Message, Method, StatusCode};
use sip_ua::{EndedBy, Event, Role, SessionId};

const ALICE: usize = 0;
const BOB: usize = 1;

/// Alice calls Bob and Bob answers.
fn connected(net: &mut Net) -> (SessionId, SessionId) {
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(100);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(1000);
    net.events(ALICE);
    net.events(BOB);
    (out, inc)
}

fn bye_all(net: &mut Net) {
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_call_is_answered_and_ended() {
    let mut net = Net::pair(1);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(500);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(1000);
    let answer = net.expect(ALICE, |event| match event {
        Event::Answered { body, role: Role::Answer, .. } => body.clone(),
        _ => None,
    });
    assert_eq!(answer, sdp("answer"));
    net.expect(BOB, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(1000);
    assert_eq!(net.ended(ALICE).by, EndedBy::Local);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    insta::assert_snapshot!("answered_and_ended", net.ladder());
    insta::assert_snapshot!("answered_and_ended_whole", net.transcript());
    bye_all(&mut net);
}

#[test]
fn a_call_without_an_offer_is_answered_in_the_ack() {
    let mut net = Net::pair(2);
    let out = net.dial(ALICE, BOB, None);
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("bob's offer")))).unwrap();
    net.run(200);
    net.expect(ALICE, |event| {
        matches!(event, Event::Answered { role: Role::Offer, .. }).then_some(())
    });
    net.act(ALICE, |ua, now| ua.provide_answer(now, out, sdp("alice's answer"))).unwrap();
    net.run(200);
    let body = net.expect(BOB, |event| match event {
        Event::Confirmed { body, .. } => body.clone(),
        _ => None,
    });
    assert_eq!(body, sdp("alice's answer"));
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    insta::assert_snapshot!(net.ladder());
    bye_all(&mut net);
}

#[test]
fn a_call_is_refused_in_words() {
    let mut net = Net::pair(3);
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.reject(now, inc, StatusCode::BUSY_HERE)).unwrap();
    net.run(100);
    let cause = net.ended(ALICE);
    assert_eq!((cause.by, cause.status), (EndedBy::Remote, Some(StatusCode::BUSY_HERE)));
    assert_eq!(net.ended(BOB).by, EndedBy::Local);
    bye_all(&mut net);
}

#[test]
fn a_redirection_names_the_new_target() {
    let mut net = Net::pair(4);
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    let elsewhere = sip_types::NameAddr::new(net::uri("sip:carol@192.0.2.9"));
    net.act(BOB, |ua, now| ua.redirect(now, inc, vec![elsewhere])).unwrap();
    net.run(100);
    assert_eq!(net.ended(ALICE).redirect, [net::uri("sip:carol@192.0.2.9")]);
    bye_all(&mut net);
}

#[test]
fn hanging_up_before_the_answer_cancels() {
    let mut net = Net::pair(5);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(100);
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(1000);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    insta::assert_snapshot!(net.ladder());
    bye_all(&mut net);
}

#[test]
fn a_cancel_waits_for_a_provisional_answer() {
    let mut net = Net::pair(6);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(5);
    assert!(net.log.iter().all(|entry| !net::is_request(&entry.message, &Method::Cancel)));
    net.run(1000);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    bye_all(&mut net);
}

#[test]
fn a_caller_who_left_unheard_does_not_ring_for_ever() {
    let mut net = Net::pair(6);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(100);
    net.filter = Some(Box::new(|_, message| net::is_request(message, &Method::Cancel)));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(170_000);
    assert!(!net.history_has(BOB, |event| matches!(event, Event::Ended { .. })));
    net.run(20_000);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    net.filter = None;
    bye_all(&mut net);
}

#[test]
fn a_caller_who_waits_goes_on_ringing_however_long() {
    let mut net = Net::pair(6);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(600_000);
    let asked = |entry: &net::ladder::Entry| net::is_request(&entry.message, &Method::Options);
    assert!(net.log.iter().filter(|entry| asked(entry)).count() >= 7);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(1_000);
    assert!(net.history_has(ALICE, |event| matches!(event, Event::Answered { .. })));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(40_000);
    bye_all(&mut net);
}

#[test]
fn a_callee_whose_refusal_was_lost_does_not_ring_for_ever() {
    let mut net = Net::pair(6);
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(100);
    net.filter = Some(Box::new(
        |_, message| matches!(message, Message::Response(response) if response.status == StatusCode::BUSY_HERE),
    ));
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(170_000);
    assert!(!net.history_has(ALICE, |event| matches!(event, Event::Ended { .. })));
    net.run(20_000);
    let cause = net.ended(ALICE);
    assert_eq!(cause.status, Some(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST));
    net.filter = None;
    net.run(40_000);
    bye_all(&mut net);
}

#[test]
fn a_callee_that_says_nothing_but_trying_is_given_up() {
    let mut net = Net::pair(6);
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(185_000);
    assert_eq!(net.ended(ALICE).by, EndedBy::Network);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    net.run(40_000);
    bye_all(&mut net);
}

#[test]
fn an_answer_that_crosses_the_cancel_is_taken_and_hung_up() {
    let mut net = Net::pair(7);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(100);
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(2000);
    assert_eq!(net.ended(ALICE).by, EndedBy::Local);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    insta::assert_snapshot!(net.ladder());
    bye_all(&mut net);
}

#[test]
fn an_answer_that_crosses_the_cancel_stands_where_the_call_was_given_up_unless_answered() {
    let mut net = Net::pair(7);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(100);
    net.act(ALICE, |ua, now| ua.give_up_unless_answered(now, out)).unwrap();
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(40_000);
    assert!(net.log.iter().any(|entry| net::is_request(&entry.message, &Method::Cancel)));
    assert!(net.log.iter().all(|entry| !net::is_request(&entry.message, &Method::Bye)));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(1_000);
    assert_eq!(net.ended(ALICE).by, EndedBy::Local);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    bye_all(&mut net);
}

#[test]
fn a_call_given_up_unless_answered_ends_when_the_peer_confirms_it() {
    let mut net = Net::pair(7);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(100);
    net.act(ALICE, |ua, now| ua.give_up_unless_answered(now, out)).unwrap();
    net.run(1_000);
    assert_eq!(net.ended(ALICE).status, Some(StatusCode::REQUEST_TERMINATED));
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    let again = net.act(ALICE, |ua, now| ua.give_up_unless_answered(now, out));
    assert!(again.is_err(), "there is nothing left to give up");
    bye_all(&mut net);
}

#[test]
fn an_answer_is_repeated_until_its_ack_comes() {
    let mut net = Net::pair(8);
    let mut lost = 0;
    net.filter = Some(Box::new(move |_, message| {
        let ack = net::is_request(message, &Method::Ack);
        lost += u32::from(ack);
        ack && lost <= 2
    }));
    let (out, _) = connected(&mut net);
    net.run(3000);
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(500);
    insta::assert_snapshot!(net.ladder());
    bye_all(&mut net);
}

#[test]
fn an_answer_that_is_never_acknowledged_ends_the_call() {
    let mut net = Net::pair(9);
    net.filter = Some(Box::new(|_, message| net::is_request(message, &Method::Ack)));
    connected(&mut net);
    net.run(40_000);
    let cause = net.ended(BOB);
    assert_eq!((cause.by, cause.status), (EndedBy::Network, Some(StatusCode::REQUEST_TIMEOUT)));
    assert_eq!(net.ended(ALICE).by, EndedBy::Remote);
    bye_all(&mut net);
}

#[test]
fn a_callee_who_hangs_up_at_once_waits_for_the_ack() {
    let mut net = Net::pair(10);
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(1000);
    insta::assert_snapshot!(net.ladder());
    bye_all(&mut net);
}

#[test]
fn a_lost_bye_is_sent_again() {
    let mut net = Net::pair(11);
    let (out, _) = connected(&mut net);
    let mut lost = 0;
    net.filter = Some(Box::new(move |_, message| {
        let bye = net::is_request(message, &Method::Bye);
        lost += u32::from(bye);
        bye && lost <= 2
    }));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(5000);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    bye_all(&mut net);
}

#[test]
fn a_bye_that_is_never_answered_leaves_nothing_behind() {
    let mut net = Net::pair(12);
    let (out, _) = connected(&mut net);
    net.filter = Some(Box::new(|_, message| net::is_request(message, &Method::Bye)));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(70_000);
    assert_eq!(net.nodes[ALICE].agent.as_ref().unwrap().session_count(), 0);
    assert_eq!(net.nodes[BOB].agent.as_ref().unwrap().session_count(), 1);
}

#[test]
fn both_may_hang_up_at_once() {
    let mut net = Net::pair(13);
    let (out, inc) = connected(&mut net);
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(1000);
    insta::assert_snapshot!(net.ladder());
    bye_all(&mut net);
}

#[test]
fn a_caller_who_is_not_answered_at_all_gives_up() {
    let mut net = Net::pair(14);
    net.loss = 100;
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(31_900);
    assert!(net.events(ALICE).is_empty());
    net.run(200);
    let cause = net.ended(ALICE);
    assert_eq!((cause.by, cause.status), (EndedBy::Network, Some(StatusCode::REQUEST_TIMEOUT)));
    bye_all(&mut net);
}

#[test]
fn ringing_has_no_limit() {
    let mut net = Net::pair(15);
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(20 * 60_000);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(1000);
    net.expect(ALICE, |event| matches!(event, Event::Answered { .. }).then_some(()));
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    bye_all(&mut net);
}

#[test]
fn digits_travel_by_info() {
    let mut net = Net::pair(16);
    let (out, _) = connected(&mut net);
    let body = sip_ua::Body {
        content_type: "application/dtmf-relay".to_owned(),
        bytes: b"Signal=5\r\nDuration=160\r\n".to_vec(),
    };
    net.act(ALICE, |ua, now| ua.info(now, out, body.clone())).unwrap();
    net.run(100);
    let heard = net.expect(BOB, |event| match event {
        Event::Info { body, .. } => Some(body.clone()),
        _ => None,
    });
    assert_eq!(heard, body);
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    bye_all(&mut net);
}

#[test]
fn a_withheld_number_stays_withheld() {
    let mut net = Net::pair(17);
    let account = net.nodes[ALICE].account;
    let mut call = sip_ua::OutgoingCall::new(net::uri("sip:bob@192.0.2.2"), Some(sdp("offer")));
    call.withhold_identity = true;
    net.act(ALICE, |ua, now| ua.invite(now, account, call)).unwrap();
    net.run(100);
    let caller = net.expect(BOB, |event| match event {
        Event::Incoming(incoming) => Some(incoming.caller.clone()),
        _ => None,
    });
    assert!(caller.withheld && !caller.asserted);
    assert_eq!(caller.uri.as_str(), "sip:anonymous@anonymous.invalid");
}

#[test]
fn an_unknown_user_is_not_found() {
    let mut net = Net::pair(18);
    let account = net.nodes[ALICE].account;
    let call = sip_ua::OutgoingCall::new(net::uri("sip:nobody@192.0.2.2"), Some(sdp("offer")));
    net.act(ALICE, |ua, now| ua.invite(now, account, call)).unwrap();
    net.run(100);
    assert_eq!(net.ended(ALICE).status, Some(StatusCode::NOT_FOUND));
    bye_all(&mut net);
}
