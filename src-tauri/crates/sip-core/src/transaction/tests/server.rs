//! Server transactions.

use sip_types::{HeaderName, Message, Method, Request, Transport};

use super::{Ladder, Limits, arriving, response};
use crate::transaction::Input;

/// The ACK to a refusal: the INVITE's branch, our To tag.
fn ack_to_refusal(invite: &Request) -> Request {
    let mut ack = arriving(Method::Ack, invite.headers.via_top().unwrap().branch().unwrap());
    ack.headers.set(HeaderName::To, "<sip:bob@example.com>;tag=us".to_owned());
    ack
}

#[test]
fn trying_is_sent_for_a_slow_user() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = arriving(Method::Invite, "z9hG4bK1");
    ladder.arrive(invite.clone());
    ladder.pass(150);
    ladder.arrive(invite.clone());
    ladder.pass(400);
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 180);
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 486);
    ladder.pass(600);
    ladder.arrive(invite.clone());
    ladder.arrive(ack_to_refusal(&invite));
    ladder.arrive(ack_to_refusal(&invite));
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 200);
    insta::assert_snapshot!(ladder.finish(), @"
       0 ms <- INVITE
       0 ms ** INVITE as server-1
     150 ms <- INVITE
     200 ms -> 100 INVITE
     550 ms <- INVITE
     550 ms -> 100 INVITE
     550 ms -> 180 INVITE
     550 ms <- INVITE
     550 ms -> 180 INVITE
     550 ms -> 486 INVITE
    1050 ms -> 486 INVITE
    1150 ms <- INVITE
    1150 ms -> 486 INVITE
    1150 ms <- ACK
    1150 ms <- ACK
    1150 ms <- INVITE
    6150 ms ** server-1 terminated
    ");
}

#[test]
fn a_quick_user_needs_no_trying() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = arriving(Method::Invite, "z9hG4bK1");
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 180);
    ladder.pass(60_000);
    ladder.respond(0, &invite, 200);
    ladder.arrive(invite.clone());
    ladder.pass(500);
    ladder.respond(0, &invite, 200);
    ladder.respond(0, &invite, 486);
    let mut ack = arriving(Method::Ack, "z9hG4bK2");
    ack.headers.set(HeaderName::To, "<sip:bob@example.com>;tag=us".to_owned());
    ladder.arrive(ack.clone());
    ladder.arrive(ack);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms <- INVITE
        0 ms ** INVITE as server-1
        0 ms -> 180 INVITE
    60000 ms -> 200 INVITE
    60000 ms <- INVITE
    60500 ms -> 200 INVITE
    60500 ms <- ACK
    60500 ms ** ACK
    60500 ms <- ACK
    60500 ms ** ACK
    92000 ms ** server-1 terminated
    ");
}

#[test]
fn a_refusal_nobody_acknowledges() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = arriving(Method::Invite, "z9hG4bK1");
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 603);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms <- INVITE
        0 ms ** INVITE as server-1
        0 ms -> 603 INVITE
      500 ms -> 603 INVITE
     1500 ms -> 603 INVITE
     3500 ms -> 603 INVITE
     7500 ms -> 603 INVITE
    11500 ms -> 603 INVITE
    15500 ms -> 603 INVITE
    19500 ms -> 603 INVITE
    23500 ms -> 603 INVITE
    27500 ms -> 603 INVITE
    31500 ms -> 603 INVITE
    32000 ms ** server-1 failed: NoAck
    ");
}

#[test]
fn a_refusal_on_a_stream() {
    let mut ladder = Ladder::new(Transport::Tcp);
    let invite = arriving(Method::Invite, "z9hG4bK1");
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 603);
    ladder.pass(5000);
    ladder.arrive(ack_to_refusal(&invite));
    insta::assert_snapshot!(ladder.finish(), @"
       0 ms <- INVITE
       0 ms ** INVITE as server-1
       0 ms -> 603 INVITE
    5000 ms <- ACK
    5000 ms ** server-1 terminated
    ");
}

#[test]
fn other_requests_are_answered_again_when_repeated() {
    let mut ladder = Ladder::new(Transport::Udp);
    let options = arriving(Method::Options, "z9hG4bK1");
    ladder.arrive(options.clone());
    ladder.pass(500);
    ladder.arrive(options.clone());
    ladder.respond(0, &options, 180);
    ladder.respond(0, &options, 200);
    ladder.respond(0, &options, 500);
    ladder.pass(500);
    ladder.arrive(options.clone());
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms <- OPTIONS
        0 ms ** OPTIONS as server-1
      500 ms <- OPTIONS
      500 ms -> 200 OPTIONS
     1000 ms <- OPTIONS
     1000 ms -> 200 OPTIONS
    32500 ms ** server-1 terminated
    ");
}

#[test]
fn a_timeout_is_never_said_to_other_requests() {
    let mut ladder = Ladder::new(Transport::Udp);
    let options = arriving(Method::Options, "z9hG4bK1");
    ladder.arrive(options.clone());
    ladder.respond(0, &options, 408);
    let forgotten = arriving(Method::Info, "z9hG4bK2");
    ladder.arrive(forgotten);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms <- OPTIONS
        0 ms ** OPTIONS as server-1
        0 ms ** server-1 terminated
        0 ms <- INFO
        0 ms ** INFO as server-2
    32000 ms ** server-2 terminated
    ");
}

#[test]
fn a_cancelled_call() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = arriving(Method::Invite, "z9hG4bK1");
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 180);
    ladder.pass(3000);
    ladder.arrive(arriving(Method::Cancel, "z9hG4bK1"));
    let Some(Message::Response(ok)) = ladder.sent.last() else { panic!() };
    assert_eq!(ok.headers.to().unwrap().tag(), Some("us"));
    ladder.arrive(arriving(Method::Cancel, "z9hG4bK1"));
    ladder.respond(0, &invite, 487);
    ladder.arrive(ack_to_refusal(&invite));
    insta::assert_snapshot!(ladder.finish(), @"
       0 ms <- INVITE
       0 ms ** INVITE as server-1
       0 ms -> 180 INVITE
    3000 ms <- CANCEL
    3000 ms -> 200 CANCEL
    3000 ms ** CANCEL of server-1
    3000 ms <- CANCEL
    3000 ms -> 200 CANCEL
    3000 ms -> 487 INVITE
    3000 ms <- ACK
    8000 ms ** server-1 terminated
    ");
}

#[test]
fn a_cancel_that_comes_too_late_or_for_nothing() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = arriving(Method::Invite, "z9hG4bK1");
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 200);
    ladder.arrive(arriving(Method::Cancel, "z9hG4bK1"));
    ladder.arrive(arriving(Method::Cancel, "z9hG4bKother"));
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms <- INVITE
        0 ms ** INVITE as server-1
        0 ms -> 200 INVITE
        0 ms <- CANCEL
        0 ms -> 200 CANCEL
        0 ms <- CANCEL
        0 ms -> 481 CANCEL
    32000 ms ** server-1 terminated
    ");
}

#[test]
fn a_request_that_comes_on_two_ways_is_taken_once() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = arriving(Method::Invite, "z9hG4bK1");
    ladder.arrive(invite.clone());
    let other = arriving(Method::Invite, "z9hG4bK2");
    ladder.arrive(other.clone());
    ladder.arrive(ack_to_refusal(&other));
    ladder.respond(0, &invite, 200);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms <- INVITE
        0 ms ** INVITE as server-1
        0 ms <- INVITE
        0 ms -> 482 INVITE
        0 ms <- ACK
        0 ms -> 200 INVITE
    32000 ms ** server-1 terminated
    ");
}

#[test]
fn a_challenged_request_may_come_again_with_its_number() {
    let mut ladder = Ladder::new(Transport::Udp);
    let register = arriving(Method::Register, "z9hG4bK1");
    ladder.arrive(register.clone());
    ladder.respond(0, &register, 401);
    let signed = arriving(Method::Register, "z9hG4bK2");
    ladder.arrive(signed.clone());
    ladder.respond(1, &signed, 200);
    assert_eq!(ladder.requests.len(), 2);
}

#[test]
fn a_client_of_the_old_standard() {
    let mut ladder = Ladder::new(Transport::Udp);
    let invite = arriving(Method::Invite, "1");
    ladder.arrive(invite.clone());
    ladder.respond(0, &invite, 486);
    ladder.arrive(invite.clone());
    let mut ack = ack_to_refusal(&invite);
    ladder.arrive(ack.clone());
    ack.headers.set(HeaderName::To, "<sip:bob@example.com>;tag=another".to_owned());
    ladder.arrive(ack);
    let mut next = arriving(Method::Invite, "1");
    next.headers.set(HeaderName::CSeq, "8 INVITE".to_owned());
    ladder.arrive(next.clone());
    ladder.respond(1, &next, 200);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms <- INVITE
        0 ms ** INVITE as server-1
        0 ms -> 486 INVITE
        0 ms <- INVITE
        0 ms -> 486 INVITE
        0 ms <- ACK
        0 ms <- ACK
        0 ms ** ACK
        0 ms <- INVITE
        0 ms ** INVITE as server-2
        0 ms -> 200 INVITE
     5000 ms ** server-1 terminated
    32000 ms ** server-2 terminated
    ");
}

#[test]
fn branches_of_different_hosts_are_different() {
    let mut ladder = Ladder::new(Transport::Udp);
    let options = arriving(Method::Options, "z9hG4bK1");
    ladder.arrive(options.clone());
    ladder.respond(0, &options, 200);
    let mut other = arriving(Method::Options, "z9hG4bK1");
    let via = "SIP/2.0/UDP 192.0.2.77;rport;branch=z9hG4bK1";
    other.headers.set(HeaderName::Via, via.to_owned());
    other.headers.set(HeaderName::CallId, "call-2");
    ladder.arrive(other);
    assert_eq!(ladder.requests.len(), 2);
}

#[test]
fn answers_go_where_the_via_says() {
    let mut ladder = Ladder::new(Transport::Udp);
    let mut options = arriving(Method::Options, "z9hG4bK1");
    options.headers.set(
        HeaderName::Via,
        "SIP/2.0/UDP pc.example.com:5099;branch=z9hG4bK1, SIP/2.0/TCP far.example.com".to_owned(),
    );
    let source = ladder.source();
    let now = ladder.now();
    let message = Message::Request(options);
    ladder.layer.handle_input(now, Input::Received { source, message });
    let Some(crate::Output::Event(crate::Event::Request { key, request, .. })) =
        ladder.layer.poll_output()
    else {
        panic!()
    };
    let vias: Vec<String> =
        request.headers.vias().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        vias,
        [
            "SIP/2.0/UDP pc.example.com:5099;branch=z9hG4bK1;received=192.0.2.9",
            "SIP/2.0/TCP far.example.com"
        ]
    );
    ladder.layer.respond(now, &key, response(&request, 200, "us"));
    let Some(crate::Output::Transmit(transmit)) = ladder.layer.poll_output() else { panic!() };
    assert_eq!(transmit.target.to_string(), "UDP:192.0.2.9:5099");
}

#[test]
fn a_request_too_many_is_told_so() {
    let mut ladder = Ladder::with_limits(Transport::Udp, Limits { client: 1, server: 1 });
    let options = arriving(Method::Options, "z9hG4bK1");
    ladder.arrive(options.clone());
    let mut invite = arriving(Method::Invite, "z9hG4bK2");
    invite.headers.set(HeaderName::CallId, "call-2".to_owned());
    ladder.arrive(invite);
    ladder.respond(0, &options, 200);
    insta::assert_snapshot!(ladder.finish(), @"
        0 ms <- OPTIONS
        0 ms ** OPTIONS as server-1
        0 ms <- INVITE
        0 ms -> 503 INVITE
        0 ms -> 200 OPTIONS
    32000 ms ** server-1 terminated
    ");
}

#[test]
fn broken_requests_are_refused_and_kept_nowhere() {
    let mut ladder = Ladder::new(Transport::Udp);
    let mut request = arriving(Method::Options, "z9hG4bK1");
    request.headers.set(HeaderName::CSeq, "7 INVITE".to_owned());
    ladder.arrive(request.clone());
    request.method = Method::Ack;
    ladder.arrive(request.clone());
    request.headers.remove(&HeaderName::Via);
    ladder.arrive(request);
    let bytes = b"OPTIONS sip:a@b SIP/7.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKq\r\n\
        From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    let error = Message::parse(bytes).unwrap_err();
    let source = ladder.source();
    let now = ladder.now();
    ladder.layer.handle_input(now, Input::Malformed { source, error });
    ladder.pass(0);
    insta::assert_snapshot!(ladder.finish(), @"
    0 ms <- OPTIONS
    0 ms -> 400 INVITE
    0 ms <- ACK
    0 ms <- ACK
    0 ms -> 505 OPTIONS
    ");
}

#[test]
fn a_via_that_cannot_be_read_is_refused_to_where_it_came_from() {
    let mut ladder = Ladder::new(Transport::Udp);
    let mut request = arriving(Method::Options, "z9hG4bK1");
    request.headers.set(HeaderName::Via, "SIP/2.0/UDP 192.0.2.15;;,;,,".to_owned());
    ladder.arrive(request.clone());
    request.method = Method::Ack;
    request.headers.set(HeaderName::CSeq, "1 ACK".to_owned());
    ladder.arrive(request);
    ladder.pass(0);
    insta::assert_snapshot!(ladder.finish(), @"
    0 ms <- OPTIONS
    0 ms -> 400 OPTIONS
    0 ms <- ACK
    ");
}

#[test]
fn a_refusal_that_cannot_be_sent() {
    let mut ladder = Ladder::new(Transport::Tcp);
    let invite = arriving(Method::Invite, "z9hG4bK1");
    ladder.arrive(invite.clone());
    ladder.fail_transport();
    ladder.respond(0, &invite, 486);
    ladder.fail_transport();
    insta::assert_snapshot!(ladder.finish(), @r#"
    0 ms <- INVITE
    0 ms ** INVITE as server-1
    0 ms !! transport fails
    0 ms -> 486 INVITE
    0 ms !! transport fails
    0 ms ** server-1 failed: Transport("no route")
    "#);
}
