//! Client transactions.

use sip_types::{Message, Method, Transport};

use super::{Ladder, Limits};

#[test]
fn an_invite_nobody_answers() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Invite);
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn an_invite_nobody_answers_on_a_stream() {
    let mut ladder = Ladder::new(Transport::Tcp);
    ladder.request(Method::Invite);
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn an_invite_that_rings_for_minutes_and_is_refused() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Invite);
    ladder.pass(600);
    ladder.answer(0, 100, "");
    ladder.answer(0, 180, "b");
    ladder.pass(240_000);
    ladder.answer(0, 486, "b");
    ladder.pass(500);
    ladder.answer(0, 486, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_refusal_on_a_stream_ends_at_once() {
    let mut ladder = Ladder::new(Transport::Tcp);
    ladder.request(Method::Invite);
    ladder.answer(0, 603, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn two_phones_of_a_fork_answer_and_one_repeats_itself() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Invite);
    ladder.pass(100);
    ladder.answer(0, 180, "b");
    ladder.answer(0, 200, "b");
    ladder.pass(500);
    ladder.answer(0, 200, "b");
    ladder.answer(0, 200, "c");
    ladder.answer(0, 486, "d");
    ladder.answer(0, 180, "d");
    ladder.pass(32_000);
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn the_ack_to_a_refusal_follows_the_invite() {
    let mut ladder = Ladder::new(Transport::Udp);
    let route = ladder.route();
    let mut invite = super::request(Method::Invite);
    invite.headers.push(sip_types::HeaderName::Route, "<sip:p1.example.com;lr>".to_owned());
    invite.headers.push(sip_types::HeaderName::Route, "<sip:p2.example.com;lr>".to_owned());
    let now = ladder.now();
    ladder.layer.request(now, invite, &route);
    ladder.pass(0);
    ladder.answer(0, 404, "b");
    let Message::Request(ack) = &ladder.sent[1] else { panic!() };
    let text = String::from_utf8(Message::Request(ack.clone()).to_bytes()).unwrap();
    insta::assert_snapshot!(text.replace('\r', ""), @"");
}

#[test]
fn a_request_nobody_answers() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Register);
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_request_somebody_works_on_but_never_finishes() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Options);
    ladder.pass(700);
    ladder.answer(0, 100, "");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_request_answered_twice() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Bye);
    ladder.pass(600);
    ladder.answer(0, 200, "b");
    ladder.pass(10);
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_request_answered_on_a_stream() {
    let mut ladder = Ladder::new(Transport::Tcp);
    ladder.request(Method::Bye);
    ladder.pass(600);
    ladder.answer(0, 200, "b");
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_cancel_waits_for_a_sign_of_life() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = ladder.request(Method::Invite);
    let cancel = ladder.cancel(invite);
    assert!(cancel.is_some());
    assert_eq!(ladder.cancel(invite), cancel);
    ladder.pass(600);
    ladder.answer(0, 180, "b");
    ladder.pass(20);
    ladder.answer(2, 200, "b");
    ladder.answer(0, 487, "b");
    assert_eq!(ladder.cancel(invite), None);
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_cancel_is_the_twin_of_its_invite() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = ladder.request(Method::Invite);
    ladder.answer(0, 180, "b");
    ladder.cancel(invite);
    let Message::Request(cancel) = &ladder.sent[1] else { panic!() };
    let text = String::from_utf8(Message::Request(cancel.clone()).to_bytes()).unwrap();
    insta::assert_snapshot!(text.replace('\r', ""), @"");
}

#[test]
fn a_cancel_overtaken_by_the_answer() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = ladder.request(Method::Invite);
    ladder.cancel(invite);
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_cancel_held_back_when_nobody_answers() {
    let mut ladder = Ladder::new(Transport::Tcp);
    let invite = ladder.request(Method::Invite);
    ladder.cancel(invite);
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_cancelled_invite_that_never_ends() {
    let mut ladder = Ladder::new(Transport::Tcp);
    let invite = ladder.request(Method::Invite);
    ladder.answer(0, 180, "b");
    ladder.pass(1000);
    ladder.cancel(invite);
    ladder.answer(1, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn a_failed_transport_ends_what_has_no_answer_yet() {
    let mut ladder = Ladder::new(Transport::Tcp);
    ladder.request(Method::Invite);
    ladder.request(Method::Options);
    ladder.request(Method::Invite);
    ladder.answer(2, 180, "b");
    ladder.fail_transport();
    ladder.answer(2, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn one_transaction_too_many() {
    let mut ladder = Ladder::with_limits(Transport::Udp, Limits { client: 1, server: 1 });
    ladder.request(Method::Options);
    ladder.request(Method::Bye);
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}

#[test]
fn answers_that_belong_to_nobody() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Options);
    let Message::Request(request) = ladder.sent[0].clone() else { panic!() };
    let mut astray = super::response(&request, 200, "b");
    astray.headers.push(sip_types::HeaderName::Via, "SIP/2.0/UDP h;branch=z9hG4bKx".to_owned());
    ladder.receive(Message::Response(astray));
    let mut foreign = super::response(&request, 200, "b");
    foreign.headers.set(sip_types::HeaderName::CSeq, "7 BYE".to_owned());
    ladder.receive(Message::Response(foreign));
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"");
}
