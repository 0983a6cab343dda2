//! Descriptions that are one of several parts of a body (RFC 5621).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::setup::{
    ALICE, BOB, inside, invite, invited, one, reoffer_answered, reoffered, reply, talking, within,
};
use net::{Net, sdp};
use sip_types::{HeaderName, Method, Response, StatusCode};
use sip_ua::{Event, Incoming, Role, SessionId};

const KIND: &str = "multipart/mixed;boundary=b";
const OPTIONAL: &str = "Content-Disposition: signal;handling=optional\r\n";
const REQUIRED: &str = "";

/// Something of an exchange's own, and the description.
fn parts(handling: &str, description: &str) -> String {
    format!(
        "--b\r\nContent-Type: application/isup\r\n{handling}\r\n\x01\x00\r\n--b\r\n\
         Content-Type: application/sdp\r\n\r\nv=0 {description}\r\n--b--\r\n"
    )
}

fn called(net: &mut Net) -> Incoming {
    net.expect(ALICE, |event| match event {
        Event::Incoming(incoming) => Some((**incoming).clone()),
        _ => None,
    })
}

fn answered(net: &mut Net, id: SessionId, body: &str) -> Response {
    net.act(ALICE, |ua, now| ua.accept(now, id, Some(sdp(body)))).unwrap();
    net.run(50);
    net.responses(BOB).pop().unwrap()
}

#[test]
fn a_call_with_its_offer_among_parts_rings_and_is_answered() {
    let mut net = Net::scripted(1);
    let kind = format!("Content-Type: {KIND}\r\nContent-Disposition: x;handling=required\r\n");
    invite(&mut net, &kind, &parts(OPTIONAL, "offer"));
    let incoming = called(&mut net);
    assert_eq!(incoming.body, Some(sdp("offer")));
    assert_eq!(incoming.headers.get(&HeaderName::ContentType).unwrap(), "application/sdp");
    net.act(ALICE, |ua, now| ua.ring(now, incoming.session)).unwrap();
    let answer = answered(&mut net, incoming.session, "answer");
    assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &b"v=0 answer"[..]));
}

#[test]
fn a_part_that_must_be_understood_and_is_not_refuses_the_call() {
    let broken = "--c\r\n\r\nv=0\r\n";
    let required = parts(REQUIRED, "offer");
    for (kind, body, status) in [
        (KIND, required.as_str(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (KIND, broken, StatusCode::BAD_REQUEST),
        ("multipart/mixed", required.as_str(), StatusCode::BAD_REQUEST),
    ] {
        let mut net = Net::scripted(2);
        invite(&mut net, &format!("Content-Type: {kind}\r\n"), body);
        let refusal = net.responses(BOB).pop().unwrap();
        assert_eq!(refusal.status, status, "{kind} {body}");
        let accept = refusal.headers.get(&HeaderName::Accept).unwrap_or_default();
        let told = accept.contains("application/sdp") && accept.contains("multipart/mixed");
        assert_eq!(told, status == StatusCode::UNSUPPORTED_MEDIA_TYPE, "{accept}");
        assert!(net.events(ALICE).is_empty());
    }
}

#[test]
fn what_may_be_passed_over_is_no_offer() {
    let lonely = "--b\r\nContent-Type: application/isup\r\nContent-Disposition: \
        signal;handling=optional\r\n\r\nx\r\n--b--\r\n";
    let plain = "Content-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n";
    for (headers, body) in [(format!("Content-Type: {KIND}\r\n"), lonely), (plain.into(), "hi")] {
        let mut net = Net::scripted(3);
        invite(&mut net, &headers, body);
        let incoming = called(&mut net);
        assert_eq!(incoming.body, None);
        let answer = answered(&mut net, incoming.session, "our offer");
        let to = answer.headers.to().unwrap().to_string();
        // The answer in the ACK is a part, too.
        let ack = format!(
            "ACK sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
             From: <sip:bob@192.0.2.2>;tag=b\r\nTo: {to}\r\nCall-ID: c\r\nCSeq: 1 ACK\r\n\
             Content-Type: {KIND}\r\n\r\n{}",
            parts(REQUIRED, "answer")
        );
        net.send(BOB, ALICE, ack.into_bytes());
        net.run(50);
        let body = net.expect(ALICE, |event| match event {
            Event::Confirmed { body, .. } => Some(body.clone()),
            _ => None,
        });
        assert_eq!(body, Some(sdp("answer")));
    }
}

#[test]
fn answers_among_parts_are_taken() {
    let mut net = Net::scripted(4);
    net.dial(ALICE, BOB, Some(sdp("offer")));
    let invite = one(&mut net, &Method::Invite);
    let early = reply(&invite, 183)
        .header(HeaderName::Require, "100rel")
        .header(HeaderName::RSeq, "1")
        .with_body(KIND, parts(OPTIONAL, "early"));
    net.send_response(BOB, ALICE, early);
    let prack = one(&mut net, &Method::Prack);
    net.send_response(BOB, ALICE, Response::to_request(&prack, StatusCode::OK));
    // A ringing without a description of the session is none.
    let ringing = reply(&invite, 180).with_body("application/isup", "x");
    net.send_response(BOB, ALICE, ringing);
    // Nobody can refuse an answer.
    let answer = reply(&invite, 200).with_body(KIND, parts(REQUIRED, "answer"));
    net.send_response(BOB, ALICE, answer);
    net.run(50);
    let bodies: Vec<_> = net
        .events(ALICE)
        .into_iter()
        .filter_map(|event| match event {
            Event::Provisional { body, .. } => Some(body),
            Event::Answered { body, role: Role::Answer, .. } => Some(body),
            _ => None,
        })
        .collect();
    assert_eq!(bodies, [Some(sdp("early")), None, Some(sdp("answer"))]);
}

#[test]
fn changes_among_parts_are_taken_both_ways() {
    let mut net = Net::scripted(5);
    let (id, invite) = talking(&mut net, &[]);
    for (seq, method) in [(1, Method::Update), (2, Method::Invite)] {
        let change = inside(&invite, &method, seq).with_body(KIND, parts(OPTIONAL, "change"));
        net.send_request(BOB, ALICE, change);
        net.run(50);
        assert_eq!(reoffered(&mut net, ALICE).2, Some(sdp("change")), "{method}");
        net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("changed")))).unwrap();
        net.run(50);
        let answer = net.responses(BOB).pop().unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &b"v=0 changed"[..]));
    }
    net.send_request(BOB, ALICE, inside(&invite, &Method::Ack, 2));
    for (seq, method) in [(3, Method::Update), (4, Method::Invite)] {
        let change = inside(&invite, &method, seq).with_body(KIND, parts(REQUIRED, "change"));
        net.send_request(BOB, ALICE, change);
        net.run(50);
        let refusal = net.responses(BOB).pop().unwrap();
        assert_eq!(refusal.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{method}");
    }
    net.events(ALICE);
    net.act(ALICE, |ua, now| ua.reoffer(now, id, sdp("ours"))).unwrap();
    let ours = one(&mut net, &Method::Invite);
    net.send_response(BOB, ALICE, reply(&ours, 200).with_body(KIND, parts(OPTIONAL, "theirs")));
    net.run(50);
    assert_eq!(reoffer_answered(&mut net, ALICE), Some(sdp("theirs")));
}

#[test]
fn an_offer_in_a_prack_may_be_one_of_several_parts() {
    for (handling, expected) in
        [(OPTIONAL, StatusCode::OK), (REQUIRED, StatusCode::UNSUPPORTED_MEDIA_TYPE)]
    {
        let mut net = Net::scripted(6);
        let headers = "Supported: 100rel\r\nContent-Type: application/sdp\r\n";
        let id = invited(&mut net, headers, "v=0 offer");
        net.act(ALICE, |ua, now| ua.progress(now, id, Some(sdp("early")))).unwrap();
        net.run(50);
        let progress = net.responses(BOB).pop().unwrap();
        let prack = within(&progress, &Method::Prack, 2).with_body(KIND, parts(handling, "more"));
        net.send_request(BOB, ALICE, prack);
        net.run(50);
        if expected == StatusCode::OK {
            assert_eq!(reoffered(&mut net, ALICE).2, Some(sdp("more")));
            net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("agreed")))).unwrap();
            net.run(50);
        }
        let answer = net.responses(BOB).pop().unwrap();
        assert_eq!(answer.status, expected);
        // Acknowledged it is in any case.
        net.act(ALICE, |ua, now| ua.accept(now, id, Some(sdp("early")))).unwrap();
        net.run(50);
        assert_eq!(net.responses(BOB).pop().unwrap().status, StatusCode::OK);
    }
}
