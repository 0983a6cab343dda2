//! Calls that take another's place or join it, calls that say how they want to ring and be
//! answered, and keys worked from afar (RFC 3891, RFC 3911, RFC 5373).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, sdp};
use sip_types::{HeaderName, Headers, Message, Method, Replaces, Request, Response, StatusCode};
use sip_ua::{
    AnswerMode, Config, Digit, EndedBy, Event, Incoming, OutgoingCall, Refer, RemoteAction,
    SessionId, UaError,
};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

fn three(seed: u8) -> Net {
    let mut net = Net::pair(seed);
    net.add_agent("carol", |_| {});
    net
}

fn connected(net: &mut Net, from: usize, to: usize) -> (SessionId, SessionId) {
    let out = net.dial(from, to, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(to);
    net.act(to, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(1000);
    net.events(from);
    net.events(to);
    (out, inc)
}

fn arrived(net: &mut Net, node: usize) -> Incoming {
    net.expect(node, |event| match event {
        Event::Incoming(incoming) => Some((**incoming).clone()),
        _ => None,
    })
}

fn call(net: &mut Net, from: usize, change: impl FnOnce(&mut OutgoingCall)) -> SessionId {
    let account = net.nodes[from].account;
    let mut call = OutgoingCall::new(net::uri("sip:alice@192.0.2.1"), Some(sdp("offer")));
    change(&mut call);
    net.act(from, |ua, now| ua.invite(now, account, call)).unwrap()
}

/// A session as its other end names it.
fn named(net: &Net, node: usize) -> Headers {
    let mut invites = net.log.iter().filter_map(|entry| match &entry.message {
        Message::Response(response) if entry.from == net.nodes[node].name => {
            let answered = response.status == StatusCode::OK
                && response.headers.cseq().unwrap().method == Method::Invite;
            answered.then(|| response.headers.clone())
        }
        _ => None,
    });
    invites.next_back().expect("an answered call")
}

#[test]
fn an_attended_transfer_ends_with_the_two_others_talking() {
    let mut net = three(60);
    let (first, bobs) = connected(&mut net, ALICE, BOB);
    let (second, carols) = connected(&mut net, ALICE, CAROL);
    let refer = Refer { replaces: Some(second), ..Refer::new(net::uri("sip:x@192.0.2.3")) };
    net.act(ALICE, |ua, now| ua.refer(now, first, refer)).unwrap();
    net.run(100);
    let wish = net.expect(BOB, |event| match event {
        Event::ReferRequested(request) => Some((**request).clone()),
        _ => None,
    });
    net.act(BOB, |ua, now| ua.accept_referral(now, wish.id)).unwrap();
    let moved = call(&mut net, BOB, |call| {
        call.to = wish.to.clone();
        call.replaces = wish.replaces.clone();
        call.referred_by = wish.referred_by.clone();
    });
    net.run(100);
    let incoming = arrived(&mut net, CAROL);
    assert_eq!(incoming.replaces, Some(carols));
    let referrer = incoming.headers.referred_by().unwrap().unwrap();
    assert_eq!(referrer.uri.as_str(), "sip:alice@192.0.2.1");
    let answer = Some(sdp("answer"));
    net.act(CAROL, |ua, now| ua.accept(now, incoming.session, answer)).unwrap();
    net.run(100);
    net.act(BOB, |ua, now| ua.report_referral(now, wish.id, StatusCode::OK)).unwrap();
    net.run(100);
    let cause = net.ended(CAROL);
    assert_eq!(cause.replaced_by, Some(incoming.session));
    assert_eq!(cause.by, EndedBy::Remote);
    // Alice sees the BYE of the replaced call, and the success.
    assert!(net.history_has(ALICE, |event| {
        matches!(event, Event::Ended { session, .. } if *session == second)
    }));
    assert!(net.history_has(ALICE, |event| {
        matches!(event, Event::ReferProgress { progress: sip_ua::ReferProgress::Succeeded(_), .. })
    }));
    net.act(ALICE, |ua, now| ua.hangup(now, first)).unwrap();
    net.act(BOB, |ua, now| ua.hangup(now, moved)).unwrap();
    let _ = bobs;
    net.run(250_000);
    net.assert_quiet();
}

#[test]
fn only_the_right_call_may_be_replaced() {
    let mut net = three(61);
    let (_, alices) = connected(&mut net, BOB, ALICE);
    let headers = named(&net, ALICE);
    let tag = |name: &HeaderName| headers.addresses(name).unwrap()[0].tag().unwrap().to_owned();
    let (to_tag, from_tag) = (tag(&HeaderName::To), tag(&HeaderName::From));
    let call_id = headers.call_id().unwrap();
    let right = Replaces { call_id, to_tag, from_tag, early_only: false };
    let swapped = Replaces {
        to_tag: right.from_tag.clone(),
        from_tag: right.to_tag.clone(),
        ..right.clone()
    };
    let other = Replaces { call_id: "other".to_owned(), ..right.clone() };
    let early = Replaces { early_only: true, ..right.clone() };
    for (replaces, code) in [(swapped, 481), (other, 481), (early, 486)] {
        call(&mut net, CAROL, |call| call.replaces = Some(replaces));
        net.run(200);
        assert_eq!(net.ended(CAROL).status.unwrap().code(), code);
        assert!(net.events(ALICE).is_empty(), "nothing rings");
    }
    // Hung up by Alice, and the BYE is lost: the dialog is still there, the call is not.
    net.filter = Some(Box::new(|_, message| net::is_request(message, &Method::Bye)));
    net.act(ALICE, |ua, now| ua.hangup(now, alices)).unwrap();
    net.run(100);
    net.events(ALICE);
    call(&mut net, CAROL, |call| call.replaces = Some(right));
    net.run(200);
    assert_eq!(net.ended(CAROL).status, Some(StatusCode::DECLINE));
    net.filter = None;
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_call_that_still_rings_at_the_other_end_may_be_replaced() {
    let mut net = three(62);
    let ringing = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let bobs = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, bobs)).unwrap();
    net.run(100);
    let headers = net.log.iter().rev().find_map(|entry| match &entry.message {
        Message::Response(response) if response.status == StatusCode::RINGING => {
            Some(response.headers.clone())
        }
        _ => None,
    });
    let headers = headers.unwrap();
    let replaces = Replaces {
        call_id: headers.call_id().unwrap(),
        to_tag: headers.from().unwrap().tag().unwrap().to_owned(),
        from_tag: headers.to().unwrap().tag().unwrap().to_owned(),
        early_only: true,
    };
    // A pickup: Carol answers for Bob.
    call(&mut net, CAROL, |call| call.replaces = Some(replaces));
    net.run(100);
    let incoming = arrived(&mut net, ALICE);
    assert_eq!(incoming.replaces, Some(ringing));
    net.act(ALICE, |ua, now| ua.accept(now, incoming.session, Some(sdp("answer")))).unwrap();
    net.run(500);
    assert_eq!(net.ended(ALICE).replaced_by, Some(incoming.session));
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    net.act(ALICE, |ua, now| ua.hangup(now, incoming.session)).unwrap();
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_call_joins_only_where_that_is_understood() {
    for understood in [true, false] {
        let mut net = Net::new(63);
        let mut settings = Config::default();
        if understood {
            settings.supported.push("join".to_owned());
        }
        net.add_agent_with("alice", settings, |_| {});
        net.add_agent("bob", |_| {});
        net.add_agent("carol", |_| {});
        let (_, alices) = connected(&mut net, BOB, ALICE);
        let headers = named(&net, ALICE);
        let join = Replaces {
            call_id: headers.call_id().unwrap(),
            to_tag: headers.to().unwrap().tag().unwrap().to_owned(),
            from_tag: headers.from().unwrap().tag().unwrap().to_owned(),
            early_only: false,
        };
        call(&mut net, CAROL, |call| call.join = Some(join));
        net.run(200);
        if understood {
            assert_eq!(arrived(&mut net, ALICE).joins, Some(alices));
        } else {
            assert_eq!(net.ended(CAROL).status, Some(StatusCode::BAD_EXTENSION));
        }
    }
}

#[test]
fn a_call_says_how_it_wants_to_ring_and_be_answered() {
    let mut net = Net::pair(64);
    call(&mut net, BOB, |call| {
        for (name, value) in [
            (HeaderName::AlertInfo, "<http://127.0.0.1/Bellcore-dr2>"),
            (HeaderName::CallInfo, "<sip:192.0.2.9>;answer-after=2"),
            (HeaderName::AnswerMode, "Auto;require"),
        ] {
            call.headers.push((name, value.to_owned()));
        }
    });
    net.run(100);
    let incoming = arrived(&mut net, ALICE);
    assert_eq!(incoming.ring.as_deref(), Some("Bellcore-dr2"));
    assert_eq!(incoming.answer_after, Some(2));
    assert_eq!(incoming.answer_mode, Some(AnswerMode { automatic: true, required: true }));
    assert!(!incoming.trusted, "anybody may say so here");
}

#[test]
fn keys_are_worked_from_afar_only_where_that_is_allowed() {
    for allowed in [true, false] {
        let mut net = Net::new(65);
        net.add_agent("alice", |config| config.remote_control = allowed);
        net.add_agent("bob", |_| {});
        let (alices, bobs) = connected(&mut net, ALICE, BOB);
        for (package, action) in [("talk", RemoteAction::Talk), ("hold", RemoteAction::Hold)] {
            let headers = vec![
                (HeaderName::Event, package.to_owned()),
                (HeaderName::SubscriptionState, "active".to_owned()),
            ];
            net.act(BOB, |ua, now| ua.send_in_session(now, bobs, Method::Notify, headers, None))
                .unwrap();
            net.run(200);
            let status = net.expect(BOB, |event| match event {
                Event::SessionRequestDone { status, .. } => *status,
                _ => None,
            });
            let told = net.events(ALICE).into_iter().find_map(|event| match event {
                Event::RemoteControl { session, action } => Some((session, action)),
                _ => None,
            });
            let expected = if allowed { StatusCode::OK } else { StatusCode::BAD_EVENT };
            assert_eq!(status, expected);
            assert_eq!(told, allowed.then_some((alices, action)));
        }
    }
}

#[test]
fn digits_are_sent_and_read_in_one_form() {
    let mut net = Net::pair(66);
    let (alices, _) = connected(&mut net, ALICE, BOB);
    let digit = Digit { signal: '#', duration: None };
    net.act(ALICE, |ua, now| ua.info(now, alices, digit.to_body())).unwrap();
    net.run(100);
    let body = net.expect(BOB, |event| match event {
        Event::Info { body, .. } => Some(body.clone()),
        _ => None,
    });
    assert_eq!(Digit::read(&body).unwrap().signal, '#');
}

fn outside(method: &str, call_id: &str, tags: (&str, &str)) -> Request {
    Request::new(method.parse().unwrap(), net::uri("sip:alice@192.0.2.1"))
        .header(HeaderName::Via, format!("SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK{method}"))
        .header(HeaderName::From, format!("<sip:bob@192.0.2.2>;tag={}", tags.0))
        .header(HeaderName::To, format!("<sip:alice@192.0.2.1>;tag={}", tags.1))
        .header(HeaderName::CallId, call_id.to_owned())
        .header(HeaderName::CSeq, format!("99 {method}"))
        .header(HeaderName::Contact, "<sip:mallory@192.0.2.3>")
        .header(HeaderName::Event, "talk")
        .header(HeaderName::SubscriptionState, "active")
        .header(HeaderName::ReferTo, "<sip:premium@192.0.2.3>")
        .header(HeaderName::MaxForwards, "70")
}

#[test]
fn a_stranger_who_knows_half_of_a_dialog_moves_nothing() {
    let mut net = Net::new(67);
    net.add_agent("alice", |config| config.remote_control = true);
    net.add_agent("bob", |_| {});
    net.add_script("mallory");
    let (alices, bobs) = connected(&mut net, ALICE, BOB);
    let headers = named(&net, BOB);
    let call_id = headers.call_id().unwrap();
    let alice = headers.from().unwrap().tag().unwrap().to_owned();
    let bob = headers.to().unwrap().tag().unwrap().to_owned();
    for method in ["BYE", "REFER", "NOTIFY", "UPDATE", "INVITE", "INFO", "PRACK", "CANCEL"] {
        for tags in [("x", alice.as_str()), (bob.as_str(), "x"), (alice.as_str(), bob.as_str())] {
            net.send_request(CAROL, ALICE, outside(method, &call_id, tags));
            net.run(100);
            let statuses: Vec<_> =
                net.responses(CAROL).iter().map(|response| response.status.code()).collect();
            assert!(
                statuses.iter().all(|status| [100, 481].contains(status)),
                "{method} {statuses:?}"
            );
            assert!(statuses.contains(&481), "{method} {statuses:?}");
            net.run(40_000);
            net.nodes[CAROL].inbox.clear();
        }
    }
    assert!(net.events(ALICE).is_empty());
    net.act(BOB, |ua, now| ua.reoffer(now, bobs, sdp("still here"))).unwrap();
    net.run(100);
    net.expect(ALICE, |event| matches!(event, Event::Reoffered { .. }).then_some(()));
    let unknown = net
        .act(ALICE, |ua, now| ua.reject_referral(now, sip_ua::ReferralId(77), StatusCode::DECLINE));
    assert_eq!(unknown, Err(UaError::UnknownReferral));
    net.act(ALICE, |ua, now| ua.hangup(now, alices)).unwrap();
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_text_message_is_refused_politely() {
    let mut net = Net::scripted(68);
    let mut message = outside("MESSAGE", "text", ("a", "b"));
    message.headers.set(HeaderName::To, "<sip:alice@192.0.2.1>");
    message.headers.set(HeaderName::Via, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKm");
    net.send_request(BOB, ALICE, message.with_body("text/plain", "hello"));
    net.run(100);
    let response: Response = net.responses(BOB).pop().unwrap();
    assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(!response.headers.allow().unwrap().contains(&Method::Message));
}
