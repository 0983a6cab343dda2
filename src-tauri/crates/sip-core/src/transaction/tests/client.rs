//! Client transactions.

use sip_types::{Message, Method, Transport};

use super::{Ladder, Limits};

#[test]
fn an_invite_nobody_answers() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Invite);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> INVITE
      500 ms -> INVITE
     1500 ms -> INVITE
     3500 ms -> INVITE
     7500 ms -> INVITE
    15500 ms -> INVITE
    31500 ms -> INVITE
    32000 ms ** client-1 failed: no answer in time
    ");
}

#[test]
fn an_invite_nobody_answers_on_a_stream() {
    let mut ladder = Ladder::new(Transport::Tcp);
    ladder.request(Method::Invite);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> INVITE
    32000 ms ** client-1 failed: no answer in time
    ");
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
    insta::assert_snapshot!(ladder.finish(), @"
         0 ms -> INVITE
       500 ms -> INVITE
       600 ms <- 100 INVITE ()
       600 ms ** 100 for client-1
       600 ms <- 180 INVITE (b)
       600 ms ** 180 for client-1
    240600 ms <- 486 INVITE (b)
    240600 ms -> ACK
    240600 ms ** 486 for client-1
    241100 ms <- 486 INVITE (b)
    241100 ms -> ACK
    272600 ms ** client-1 terminated
    ");
}

#[test]
fn a_refusal_on_a_stream_ends_at_once() {
    let mut ladder = Ladder::new(Transport::Tcp);
    ladder.request(Method::Invite);
    ladder.answer(0, 603, "b");
    insta::assert_snapshot!(ladder.finish(), @"
    0 ms -> INVITE
    0 ms <- 603 INVITE (b)
    0 ms -> ACK
    0 ms ** 603 for client-1
    0 ms ** client-1 terminated
    ");
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
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> INVITE
      100 ms <- 180 INVITE (b)
      100 ms ** 180 for client-1
      100 ms <- 200 INVITE (b)
      100 ms ** 200 for client-1
      600 ms <- 200 INVITE (b)
      600 ms ** 200 for client-1
      600 ms <- 200 INVITE (c)
      600 ms ** 200 for client-1
      600 ms <- 486 INVITE (d)
      600 ms <- 180 INVITE (d)
    32100 ms ** client-1 terminated
    32600 ms <- 200 INVITE (b)
    32600 ms ** stray 200
    ");
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
    insta::assert_snapshot!(text.replace('\r', ""), @"
    ACK sip:bob@example.com SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKc4ffxbji8ym7qevs;rport
    Route: <sip:p1.example.com;lr>
    Route: <sip:p2.example.com;lr>
    Max-Forwards: 70
    From: <sip:alice@example.com>;tag=al
    To: <sip:bob@example.com>;tag=b
    Call-ID: call-1
    CSeq: 7 ACK
    Content-Length: 0
    ");
}

#[test]
fn a_request_nobody_answers() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Register);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> REGISTER
      500 ms -> REGISTER
     1500 ms -> REGISTER
     3500 ms -> REGISTER
     7500 ms -> REGISTER
    11500 ms -> REGISTER
    15500 ms -> REGISTER
    19500 ms -> REGISTER
    23500 ms -> REGISTER
    27500 ms -> REGISTER
    31500 ms -> REGISTER
    32000 ms ** client-1 failed: no answer in time
    ");
}

#[test]
fn a_request_somebody_works_on_but_never_finishes() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Options);
    ladder.pass(700);
    ladder.answer(0, 100, "");
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> OPTIONS
      500 ms -> OPTIONS
      700 ms <- 100 OPTIONS ()
      700 ms ** 100 for client-1
     1500 ms -> OPTIONS
     5500 ms -> OPTIONS
     9500 ms -> OPTIONS
    13500 ms -> OPTIONS
    17500 ms -> OPTIONS
    21500 ms -> OPTIONS
    25500 ms -> OPTIONS
    29500 ms -> OPTIONS
    32000 ms ** client-1 failed: no answer in time
    ");
}

#[test]
fn a_request_answered_twice() {
    let mut ladder = Ladder::new(Transport::Udp);
    ladder.request(Method::Bye);
    ladder.pass(600);
    ladder.answer(0, 200, "b");
    ladder.pass(10);
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"
       0 ms -> BYE
     500 ms -> BYE
     600 ms <- 200 BYE (b)
     600 ms ** 200 for client-1
     610 ms <- 200 BYE (b)
    5600 ms ** client-1 terminated
    ");
}

#[test]
fn a_request_answered_on_a_stream() {
    let mut ladder = Ladder::new(Transport::Tcp);
    ladder.request(Method::Bye);
    ladder.pass(600);
    ladder.answer(0, 200, "b");
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"
      0 ms -> BYE
    600 ms <- 200 BYE (b)
    600 ms ** 200 for client-1
    600 ms ** client-1 terminated
    600 ms <- 200 BYE (b)
    600 ms ** stray 200
    ");
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
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> INVITE
      500 ms -> INVITE
      600 ms <- 180 INVITE (b)
      600 ms ** 180 for client-1
      600 ms -> CANCEL
      620 ms <- 200 CANCEL (b)
      620 ms ** 200 for client-2
      620 ms <- 487 INVITE (b)
      620 ms -> ACK
      620 ms ** 487 for client-1
     5620 ms ** client-2 terminated
    32620 ms ** client-1 terminated
    ");
}

#[test]
fn a_cancel_is_the_twin_of_its_invite() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = ladder.request(Method::Invite);
    ladder.answer(0, 180, "b");
    ladder.cancel(invite);
    let Message::Request(cancel) = &ladder.sent[1] else { panic!() };
    let text = String::from_utf8(Message::Request(cancel.clone()).to_bytes()).unwrap();
    insta::assert_snapshot!(text.replace('\r', ""), @"
    CANCEL sip:bob@example.com SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKc4ffxbji8ym7qevs;rport
    Max-Forwards: 70
    From: <sip:alice@example.com>;tag=al
    To: <sip:bob@example.com>
    Call-ID: call-1
    CSeq: 7 CANCEL
    Content-Length: 0
    ");
}

#[test]
fn a_cancel_overtaken_by_the_answer() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = ladder.request(Method::Invite);
    ladder.cancel(invite);
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> INVITE
        0 ms <- 200 INVITE (b)
        0 ms ** 200 for client-1
        0 ms ** client-2 failed: the call ended before it could be cancelled
    32000 ms ** client-1 terminated
    ");
}

#[test]
fn a_cancel_held_back_when_nobody_answers() {
    let mut ladder = Ladder::new(Transport::Tcp);
    let invite = ladder.request(Method::Invite);
    ladder.cancel(invite);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> INVITE
    32000 ms ** client-2 failed: the call ended before it could be cancelled
    32000 ms ** client-1 failed: no answer in time
    ");
}

#[test]
fn a_cancelled_invite_that_never_ends() {
    let mut ladder = Ladder::new(Transport::Tcp);
    let invite = ladder.request(Method::Invite);
    ladder.answer(0, 180, "b");
    ladder.pass(1000);
    ladder.cancel(invite);
    ladder.answer(1, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> INVITE
        0 ms <- 180 INVITE (b)
        0 ms ** 180 for client-1
     1000 ms -> CANCEL
     1000 ms <- 200 CANCEL (b)
     1000 ms ** 200 for client-2
     1000 ms ** client-2 terminated
    33000 ms ** client-1 failed: no answer in time
    ");
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
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms -> INVITE
        0 ms -> OPTIONS
        0 ms -> INVITE
        0 ms <- 180 INVITE (b)
        0 ms ** 180 for client-3
        0 ms !! transport fails
        0 ms ** client-1 failed: cannot be sent: no route
        0 ms ** client-2 failed: cannot be sent: no route
        0 ms <- 200 INVITE (b)
        0 ms ** 200 for client-3
    32000 ms ** client-3 terminated
    ");
}

#[test]
fn one_transaction_too_many() {
    let mut ladder = Ladder::with_limits(Transport::Udp, Limits { client: 1, server: 1 });
    ladder.request(Method::Options);
    ladder.request(Method::Bye);
    ladder.answer(0, 200, "b");
    insta::assert_snapshot!(ladder.finish(), @"
       0 ms -> OPTIONS
       0 ms ** client-2 failed: too many transactions under way
       0 ms <- 200 OPTIONS (b)
       0 ms ** 200 for client-1
    5000 ms ** client-1 terminated
    ");
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
    insta::assert_snapshot!(ladder.finish(), @"
       0 ms -> OPTIONS
       0 ms ** stray 200
       0 ms <- 200 OPTIONS (b)
       0 ms ** 200 for client-1
    5000 ms ** client-1 terminated
    ");
}
