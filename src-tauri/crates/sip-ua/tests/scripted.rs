//! One user agent against a scripted peer that does what real ones should not, and what proxies do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::setup::{ALICE, BOB as PEER, one, reply_as};
use net::{Net, sdp};
use secrecy::SecretString;
use sip_core::digest::Credentials;
use sip_types::{HeaderName, Method, NameAddr, Request, Response, StatusCode};
use sip_ua::{EndedBy, Event, SessionId};

fn setting(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.add_agent("alice", |config| {
        config.credentials = Some(Credentials {
            username: "alice".to_owned(),
            password: SecretString::from("secret".to_owned()),
        });
    });
    net.add_script("bob");
    net
}

/// The same with the peer as the account's server, which gets its challenges answered.
fn behind_peer(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.add_agent("alice", |config| {
        config.registrar = net::uri("sip:192.0.2.2");
        config.credentials = Some(Credentials {
            username: "alice".to_owned(),
            password: SecretString::from("secret".to_owned()),
        });
    });
    net.add_script("bob");
    net
}

/// A request of the peer inside the dialog that `answer` founded on `invite`.
fn inside(invite: &Request, answer: &Response, method: &Method, seq: u32) -> Request {
    let uri = invite.headers.contact().unwrap().unwrap().uri;
    Request::new(method.clone(), uri)
        .header(HeaderName::Via, format!("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{method}{seq}"))
        .header(HeaderName::From, answer.headers.to().unwrap().to_string())
        .header(HeaderName::To, answer.headers.from().unwrap().to_string())
        .header(HeaderName::CallId, answer.headers.call_id().unwrap())
        .header(HeaderName::CSeq, format!("{seq} {method}"))
        .header(HeaderName::Contact, "<sip:bob@192.0.2.2>")
}

/// A request of the peer outside any dialog.
fn outside(method: &str, uri: &str, extra: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{method}\r\n\
         From: <sip:bob@192.0.2.2>;tag=b\r\nTo: <sip:alice@192.0.2.1>\r\nCall-ID: {method}\r\n\
         CSeq: 7 {method}\r\nContact: <sip:bob@192.0.2.2>\r\nMax-Forwards: 0\r\n{extra}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn status_of(net: &mut Net, payload: Vec<u8>) -> Response {
    net.send(PEER, ALICE, payload);
    net.run(300);
    net.responses(PEER).pop().expect("a response")
}

fn connected(net: &mut Net) -> (SessionId, Request, Response) {
    let id = net.dial(ALICE, PEER, Some(sdp("offer")));
    let invite = one(net, &Method::Invite);
    let answer = reply_as(&invite, 200, "bob").with_body("application/sdp", "v=0 answer");
    net.send_response(PEER, ALICE, answer.clone());
    one(net, &Method::Ack);
    net.events(ALICE);
    (id, invite, answer)
}

#[test]
fn a_fork_rings_twice_and_the_first_answer_wins() {
    let mut net = setting(30);
    let id = net.dial(ALICE, PEER, Some(sdp("offer")));
    let invite = one(&mut net, &Method::Invite);
    for (code, tag) in [(180, "desk"), (183, "mobile"), (180, "desk")] {
        net.send_response(PEER, ALICE, reply_as(&invite, code, tag));
    }
    net.run(100);
    let early: Vec<_> = net
        .events(ALICE)
        .into_iter()
        .filter_map(|event| match event {
            Event::Provisional { early_dialog, .. } => early_dialog,
            _ => None,
        })
        .collect();
    assert_eq!(early.iter().map(|e| e.0).collect::<Vec<_>>(), [0, 1, 0]);
    net.send_response(PEER, ALICE, reply_as(&invite, 200, "mobile"));
    net.run(100);
    let winner = net.expect(ALICE, |event| match event {
        Event::Answered { early_dialog, .. } => *early_dialog,
        _ => None,
    });
    assert_eq!(winner.0, 1);
    net.requests(PEER);
    // The desk telephone was faster than the CANCEL of the proxy.
    net.send_response(PEER, ALICE, reply_as(&invite, 200, "desk"));
    net.run(100);
    let requests = net.requests(PEER);
    let methods: Vec<_> = requests.iter().map(|r| r.method.clone()).collect();
    assert_eq!(methods, [Method::Ack, Method::Bye]);
    assert!(requests.iter().all(|r| r.headers.to().unwrap().tag() == Some("desk")));
    net.send_response(PEER, ALICE, Response::to_request(&requests[1], StatusCode::OK));
    net.run(100);
    assert!(net.events(ALICE).is_empty(), "the owner never hears of it");
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    let bye = one(&mut net, &Method::Bye);
    assert_eq!(bye.headers.to().unwrap().tag(), Some("mobile"));
    net.send_response(PEER, ALICE, Response::to_request(&bye, StatusCode::OK));
    insta::assert_snapshot!(net.ladder());
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_late_answer_after_giving_up_is_hung_up() {
    let mut net = setting(31);
    let id = net.dial(ALICE, PEER, Some(sdp("offer")));
    let invite = one(&mut net, &Method::Invite);
    net.send_response(PEER, ALICE, reply_as(&invite, 180, "bob"));
    net.run(100);
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    let cancel = one(&mut net, &Method::Cancel);
    net.send_response(PEER, ALICE, Response::to_request(&cancel, StatusCode::OK));
    net.send_response(PEER, ALICE, reply_as(&invite, 200, "bob"));
    let bye = one(&mut net, &Method::Bye);
    net.send_response(PEER, ALICE, Response::to_request(&bye, StatusCode::OK));
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn every_request_of_a_call_may_be_challenged() {
    let mut net = behind_peer(32);
    let id = net.dial(ALICE, PEER, Some(sdp("offer")));
    let challenge = |request: &Request, nonce: &str, stale: &str| {
        let value = format!(
            "Digest realm=\"r\", nonce=\"{nonce}\", algorithm=SHA-256, qop=\"auth\"{stale}"
        );
        reply_as(request, 407, "x").header(HeaderName::ProxyAuthenticate, value)
    };
    let invite = one(&mut net, &Method::Invite);
    net.send_response(PEER, ALICE, challenge(&invite, "n1", ""));
    net.run(100);
    let requests = net.requests(PEER);
    let signed = requests.iter().find(|r| r.method == Method::Invite).unwrap();
    assert!(signed.headers.contains(&HeaderName::ProxyAuthorization));
    assert_eq!(signed.headers.cseq().unwrap().number, 2);
    assert_eq!(signed.headers.call_id(), invite.headers.call_id());
    net.send_response(
        PEER,
        ALICE,
        reply_as(signed, 200, "bob").with_body("application/sdp", "v=0 a"),
    );
    one(&mut net, &Method::Ack);
    // The re-INVITE is signed in advance, but the nonce has grown stale.
    net.act(ALICE, |ua, now| ua.reoffer(now, id, sdp("hold"))).unwrap();
    let change = one(&mut net, &Method::Invite);
    assert!(change.headers.contains(&HeaderName::ProxyAuthorization));
    net.send_response(PEER, ALICE, challenge(&change, "n2", ", stale=true"));
    net.run(100);
    let requests = net.requests(PEER);
    let again = requests.iter().find(|r| r.method == Method::Invite).unwrap();
    assert!(again.headers.get(&HeaderName::ProxyAuthorization).unwrap().contains("n2"));
    assert_eq!(again.headers.cseq().unwrap().number, 4);
    net.send_response(
        PEER,
        ALICE,
        reply_as(again, 200, "bob").with_body("application/sdp", "v=0 b"),
    );
    one(&mut net, &Method::Ack);
    net.expect(ALICE, |event| matches!(event, Event::ReofferAnswered { .. }).then_some(()));
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    let bye = one(&mut net, &Method::Bye);
    net.send_response(PEER, ALICE, challenge(&bye, "n3", ", stale=true"));
    let bye = one(&mut net, &Method::Bye);
    net.send_response(PEER, ALICE, Response::to_request(&bye, StatusCode::OK));
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn refused_credentials_end_the_call() {
    let mut net = behind_peer(33);
    net.dial(ALICE, PEER, Some(sdp("offer")));
    for _ in 0..2 {
        let invite = one(&mut net, &Method::Invite);
        let value = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
        let refusal = reply_as(&invite, 401, "x").header(HeaderName::WwwAuthenticate, value);
        net.send_response(PEER, ALICE, refusal);
    }
    net.run(100);
    assert_eq!(net.ended(ALICE).status, Some(StatusCode::UNAUTHORIZED));
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn routes_are_recorded_and_strict_routers_obeyed() {
    for (route, uri, last) in [
        ("<sip:192.0.2.2;lr>", "sip:bob@198.51.100.1", "<sip:192.0.2.2;lr>"),
        ("<sip:192.0.2.2>", "sip:192.0.2.2", "<sip:bob@198.51.100.1>"),
    ] {
        let mut net = setting(34);
        let id = net.dial(ALICE, PEER, Some(sdp("offer")));
        let invite = one(&mut net, &Method::Invite);
        let mut answer = reply_as(&invite, 200, "bob").header(HeaderName::RecordRoute, route);
        answer.headers.set(HeaderName::Contact, "<sip:bob@198.51.100.1>");
        net.send_response(PEER, ALICE, answer);
        let ack = one(&mut net, &Method::Ack);
        net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
        let bye = one(&mut net, &Method::Bye);
        for request in [ack, bye] {
            assert_eq!(request.uri.as_str(), uri);
            assert_eq!(request.headers.get(&HeaderName::Route).unwrap(), last);
        }
    }
}

#[test]
fn the_target_follows_the_contact() {
    let mut net = setting(35);
    let (id, invite, answer) = connected(&mut net);
    let mut change =
        inside(&invite, &answer, &Method::Invite, 5).with_body("application/sdp", "v=0 x");
    change.headers.set(HeaderName::Contact, "<sip:moved@192.0.2.2>");
    net.send_request(PEER, ALICE, change);
    net.run(100);
    net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("y")))).unwrap();
    net.run(100);
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    assert_eq!(one(&mut net, &Method::Bye).uri.as_str(), "sip:moved@192.0.2.2");
}

#[test]
fn a_second_change_has_to_wait_for_the_first() {
    let mut net = setting(36);
    let (_, invite, answer) = connected(&mut net);
    for seq in [5, 6] {
        let change = inside(&invite, &answer, &Method::Invite, seq);
        net.send_request(PEER, ALICE, change.with_body("application/sdp", "v=0 x"));
    }
    net.run(100);
    let refused = net.responses(PEER).pop().unwrap();
    assert_eq!(refused.status, StatusCode::SERVER_INTERNAL_ERROR);
    assert!(refused.headers.retry_after().unwrap().unwrap().seconds <= 10);
    // A lower CSeq than the last is out of order.
    let late = inside(&invite, &answer, &Method::Info, 4);
    net.send_request(PEER, ALICE, late);
    net.run(100);
    let refused = net.responses(PEER).pop().unwrap();
    assert_eq!(refused.status, StatusCode::SERVER_INTERNAL_ERROR);
    // It may come again at once: it has done nothing.
    assert_eq!(refused.headers.retry_after().unwrap().unwrap().seconds, 0);
}

#[test]
fn a_forged_bye_does_not_end_the_call() {
    let mut net = setting(37);
    let (id, invite, answer) = connected(&mut net);
    let mut forged = inside(&invite, &answer, &Method::Bye, 9);
    forged.headers.set(HeaderName::From, "<sip:bob@192.0.2.2>;tag=guess");
    net.send_request(PEER, ALICE, forged);
    net.run(100);
    let expected = StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST;
    assert_eq!(net.responses(PEER).pop().unwrap().status, expected);
    assert!(net.events(ALICE).is_empty());
    let mut bye = inside(&invite, &answer, &Method::Bye, 10);
    bye.headers.push(HeaderName::Reason, "Q.850;cause=16;text=\"Terminated\"");
    net.send_request(PEER, ALICE, bye);
    net.run(100);
    let cause = net.ended(ALICE);
    assert_eq!(
        (cause.by, cause.q850, cause.reason.as_str()),
        (EndedBy::Remote, Some(16), "Terminated")
    );
    assert!(net.act(ALICE, |ua, now| ua.hangup(now, id)).is_err());
}

#[test]
fn requests_we_do_not_serve_are_refused_as_they_should_be() {
    let mut net = setting(38);
    let alice = "sip:alice@192.0.2.1";
    let options = status_of(&mut net, outside("OPTIONS", alice, "", ""));
    assert_eq!(options.status, StatusCode::OK);
    assert!(
        options.headers.contains(&HeaderName::Allow)
            && options.headers.contains(&HeaderName::Accept)
    );
    for (method, code) in [
        ("FOO", 405),
        ("MESSAGE", 405),
        ("REFER", 403),
        ("PUBLISH", 405),
        ("REGISTER", 405),
        ("SUBSCRIBE", 489),
        ("NOTIFY", 481),
        ("BYE", 481),
    ] {
        let response = status_of(&mut net, outside(method, alice, "Event: x\r\n", ""));
        assert_eq!(response.status.code(), code, "{method}");
        assert_eq!(response.headers.contains(&HeaderName::Allow), code == 405, "{method}");
        assert!(response.headers.to().unwrap().tag().is_some());
    }
    let sdp = "Content-Type: application/sdp\r\n";
    for (uri, extra, body, code) in [
        ("tel:+31201234567", sdp, "v=0", 416),
        ("sip:nobody@192.0.2.1", sdp, "v=0", 404),
        (alice, "Require: 100rel, magic\r\n", "", 420),
        (alice, "Content-Type: text/plain\r\n", "hello", 415),
        (alice, "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "v=0", 415),
        (alice, "Content-Type: application/sdp\r\nAccept: text/plain\r\n", "v=0", 406),
    ] {
        let invite = String::from_utf8(outside("INVITE", uri, extra, body)).unwrap();
        let invite = invite.replace("To: <sip:alice@192.0.2.1>", &format!("To: <{uri}>"));
        let response = status_of(&mut net, invite.into_bytes());
        assert_eq!(response.status.code(), code, "{uri} {extra}");
        let unsupported = response.headers.get(&HeaderName::Unsupported);
        assert_eq!(unsupported.is_some(), code == 420, "{unsupported:?}");
        net.run(70_000);
        net.inbox_clear(PEER);
    }
    assert!(net.events(ALICE).is_empty());
    net.assert_quiet();
}

#[test]
fn a_cancelled_call_says_where_it_was_answered() {
    let mut net = setting(39);
    net.send(PEER, ALICE, outside("INVITE", "sip:alice@192.0.2.1", "", ""));
    net.run(300);
    net.incoming(ALICE);
    let mut cancel = String::from_utf8(outside("INVITE", "sip:alice@192.0.2.1", "", "")).unwrap();
    cancel = cancel.replacen("INVITE sip", "CANCEL sip", 1).replace("7 INVITE", "7 CANCEL");
    let reason = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\nContent-Length";
    net.send(PEER, ALICE, cancel.replace("Content-Length", reason).into_bytes());
    net.run(100);
    let cause = net.ended(ALICE);
    assert!(cause.answered_elsewhere);
    assert_eq!((cause.by, cause.reason.as_str()), (EndedBy::Remote, "Call completed elsewhere"));
    assert!(net.responses(PEER).iter().any(|r| r.status == StatusCode::REQUEST_TERMINATED));
}

#[test]
fn asserted_and_diverted_identities_are_read() {
    let mut net = setting(40);
    let extra = "P-Asserted-Identity: \"Jansen, Piet\" <sip:+31201234567@pbx.example>\r\n\
        Diversion: \"Main\" <sip:100@pbx.example>;reason=no-answer, <sip:200@pbx.example>\r\n";
    net.send(PEER, ALICE, outside("INVITE", "sip:alice@192.0.2.1", extra, ""));
    net.run(100);
    let incoming = net.expect(ALICE, |event| match event {
        Event::Incoming(incoming) => Some(incoming.clone()),
        _ => None,
    });
    // Anybody may call here, and not everybody's word is taken.
    assert!(!incoming.caller.asserted);
    assert_eq!(incoming.caller.uri.as_str(), "sip:bob@192.0.2.2");
    let diverted: NameAddr = incoming.diverted_from.unwrap();
    assert_eq!(diverted.display.as_deref(), Some("Main"));
}

#[test]
fn a_response_nobody_asked_for_moves_nothing() {
    let mut net = setting(41);
    let text = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnone\r\n\
        From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:x@198.51.100.1>;tag=b\r\nCall-ID: none\r\n\
        CSeq: 1 INVITE\r\nContact: <sip:victim@198.51.100.1>\r\nContent-Length: 0\r\n\r\n";
    net.log.clear();
    net.send(PEER, ALICE, text.as_bytes().to_vec());
    net.run(1000);
    assert_eq!(net.log.len(), 1, "nothing was sent to the victim");
    assert_eq!(net.nodes[ALICE].agent.as_ref().unwrap().counters().stray, 1);
}

#[test]
fn a_bye_before_the_answer_ends_an_incoming_call() {
    let mut net = setting(42);
    net.send(PEER, ALICE, outside("INVITE", "sip:alice@192.0.2.1", "", ""));
    net.run(100);
    let id = net.incoming(ALICE);
    net.act(ALICE, |ua, now| ua.ring(now, id)).unwrap();
    net.run(100);
    let ringing = net.responses(PEER).pop().unwrap();
    let bye = Request::new(Method::Bye, net::uri("sip:alice@192.0.2.1"))
        .header(HeaderName::Via, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKbye")
        .header(HeaderName::From, ringing.headers.from().unwrap().to_string())
        .header(HeaderName::To, ringing.headers.to().unwrap().to_string())
        .header(HeaderName::CallId, "INVITE")
        .header(HeaderName::CSeq, "8 BYE");
    net.send_request(PEER, ALICE, bye);
    net.run(100);
    let codes: Vec<_> = net.responses(PEER).iter().map(|r| r.status.code()).collect();
    assert_eq!(codes, [200, 487]);
    assert_eq!(net.ended(ALICE).by, EndedBy::Remote);
}
