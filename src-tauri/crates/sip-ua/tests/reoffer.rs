//! Changing a session that lasts: re-INVITE, glare, overlap, refusal.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::setup::{ALICE, BOB, connected, reoffer_answered, reoffered};
use net::{Net, sdp};
use sip_types::{Message, Method, StatusCode};
use sip_ua::{EndedBy, Event, Role, UaError};

#[test]
fn a_session_is_changed_by_either_side() {
    let mut net = Net::pair(20);
    let (out, inc) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("hold"))).unwrap();
    net.run(100);
    reoffered(&mut net, BOB);
    net.act(BOB, |ua, now| ua.answer_reoffer(now, inc, Some(sdp("held")))).unwrap();
    net.run(100);
    assert_eq!(reoffer_answered(&mut net, ALICE), Some(sdp("held")));
    net.act(BOB, |ua, now| ua.reoffer(now, inc, sdp("new"))).unwrap();
    net.run(100);
    reoffered(&mut net, ALICE);
    net.act(ALICE, |ua, now| ua.reject_reoffer(now, out, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    net.run(100);
    let status = net.expect(BOB, |event| match event {
        Event::ReofferFailed { status, .. } => *status,
        _ => None,
    });
    assert_eq!(status, StatusCode::NOT_ACCEPTABLE_HERE);
    insta::assert_snapshot!(net.ladder());
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn an_offer_is_asked_for() {
    let mut net = Net::pair(21);
    let (out, inc) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.request_offer(now, out)).unwrap();
    net.run(100);
    assert_eq!(reoffered(&mut net, BOB).2, None);
    net.act(BOB, |ua, now| ua.answer_reoffer(now, inc, Some(sdp("bob's offer")))).unwrap();
    net.run(100);
    net.expect(ALICE, |event| {
        matches!(event, Event::ReofferAnswered { role: Role::Offer, .. }).then_some(())
    });
    net.act(ALICE, |ua, now| ua.provide_answer(now, out, sdp("answer"))).unwrap();
    net.run(100);
    assert_eq!(reoffer_answered(&mut net, BOB), Some(sdp("answer")));
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn glare_is_settled_by_waiting() {
    let mut net = Net::pair(22);
    let (out, inc) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("alice's"))).unwrap();
    net.act(BOB, |ua, now| ua.reoffer(now, inc, sdp("bob's"))).unwrap();
    // Bob, who does not own the Call-ID, comes back within two seconds; Alice's has become stale.
    net.run(2100);
    let status = net.expect(ALICE, |event| match event {
        Event::ReofferFailed { status, overtaken: true, .. } => *status,
        _ => None,
    });
    assert_eq!(status, StatusCode::REQUEST_PENDING);
    reoffered(&mut net, ALICE);
    // While Bob's is unanswered ours has to wait.
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("alice's new"))).unwrap();
    net.act(ALICE, |ua, now| ua.answer_reoffer(now, out, Some(sdp("answer")))).unwrap();
    net.run(500);
    assert_eq!(reoffer_answered(&mut net, BOB), Some(sdp("answer")));
    reoffered(&mut net, BOB);
    net.act(BOB, |ua, now| ua.answer_reoffer(now, inc, Some(sdp("answer 2")))).unwrap();
    net.run(500);
    assert_eq!(reoffer_answered(&mut net, ALICE), Some(sdp("answer 2")));
    insta::assert_snapshot!(net.ladder());
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn the_wait_after_glare_keeps_to_its_bounds() {
    for seed in 0..20 {
        let mut net = Net::pair(seed);
        let (out, inc) = connected(&mut net, BOB);
        net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("alice's"))).unwrap();
        net.act(BOB, |ua, now| ua.reoffer(now, inc, sdp("bob's"))).unwrap();
        net.run(4100);
        let invites = net.log.iter().filter(|entry| {
            entry.from == "bob" && net::is_request(&entry.message, &Method::Invite)
        });
        let times: Vec<_> = invites.map(|entry| entry.at.as_millis()).collect();
        let wait = times[1] - times[0];
        assert!((0..=2100).contains(&wait), "{wait}");
    }
}

#[test]
fn one_change_at_a_time() {
    let mut net = Net::pair(23);
    let (out, _) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("one"))).unwrap();
    let second = net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("two")));
    assert_eq!(second, Err(UaError::WrongState));
}

#[test]
fn a_peer_that_has_forgotten_the_call_ends_it() {
    let mut net = Net::pair(24);
    let (out, inc) = connected(&mut net, BOB);
    // Bob hangs up, but Alice never hears of it.
    net.filter = Some(Box::new(|from, _| from == BOB));
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(40_000);
    net.filter = None;
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("still there?"))).unwrap();
    net.run(500);
    let cause = net.ended(ALICE);
    let expected = Some(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
    assert_eq!((cause.by, cause.status), (EndedBy::Remote, expected));
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_change_that_is_never_answered_ends_the_call() {
    let mut net = Net::pair(25);
    let (out, inc) = connected(&mut net, BOB);
    net.filter = Some(Box::new(|_, message| net::is_request(message, &Method::Invite)));
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("hello?"))).unwrap();
    net.run(33_000);
    assert_eq!(net.ended(ALICE).by, EndedBy::Network);
    net.run(1000);
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    let _ = inc;
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_change_under_way_does_not_keep_a_call_from_ending() {
    let mut net = Net::pair(26);
    let (out, _) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("hold"))).unwrap();
    net.run(300);
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(2000);
    insta::assert_snapshot!(net.ladder());
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_lost_ack_to_a_change_is_sent_again() {
    let mut net = Net::pair(27);
    let (out, inc) = connected(&mut net, BOB);
    let mut acks = 0;
    net.filter = Some(Box::new(move |_, message| {
        let ack = matches!(message, Message::Request(r) if r.method == Method::Ack);
        acks += u32::from(ack);
        ack && acks <= 2
    }));
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("hold"))).unwrap();
    net.run(100);
    net.act(BOB, |ua, now| ua.answer_reoffer(now, inc, Some(sdp("held")))).unwrap();
    net.run(10_000);
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    insta::assert_snapshot!(net.ladder());
    net.run(70_000);
    net.assert_quiet();
}
