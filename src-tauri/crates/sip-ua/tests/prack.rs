//! Reliable provisional responses (RFC 3262), and several telephones that ring at once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::setup::{ALICE, BOB, count, invited, part, reply_as, within};
use net::{Net, sdp};
use sip_types::{HeaderName, Method, Request, Response, StatusCode};
use sip_ua::{AccountConfig, EndedBy, Event, Reliable, Role, SessionId, UaError};

fn pair(seed: u8, alice: Reliable, bob: Reliable) -> Net {
    let mut net = Net::new(seed);
    net.add_agent("alice", |config: &mut AccountConfig| config.reliable = alice);
    net.add_agent("bob", |config: &mut AccountConfig| config.reliable = bob);
    net
}

fn rings(net: &mut Net, body: Option<sip_ua::Body>) -> (SessionId, SessionId) {
    let out = net.dial(ALICE, BOB, body);
    net.run(100);
    (out, net.incoming(BOB))
}

#[test]
fn early_media_is_told_reliably() {
    let mut net = pair(1, Reliable::Supported, Reliable::Supported);
    let (out, inc) = rings(&mut net, Some(sdp("offer")));
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.act(BOB, |ua, now| ua.progress(now, inc, Some(sdp("early")))).unwrap();
    net.run(200);
    let body = net.expect(ALICE, |event| match event {
        Event::Provisional { body, .. } => body.clone(),
        _ => None,
    });
    assert_eq!(body, sdp("early"));
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("early")))).unwrap();
    net.run(200);
    let (role, body) = net.expect(ALICE, |event| match event {
        Event::Answered { role, body, .. } => Some((*role, body.clone())),
        _ => None,
    });
    assert_eq!((role, body), (Role::Answer, Some(sdp("early"))));
    insta::assert_snapshot!(net.ladder());
    part(&mut net, out);
}

#[test]
fn a_lost_prack_has_the_response_repeated() {
    let mut net = pair(2, Reliable::Supported, Reliable::Supported);
    let mut pracks = 0;
    net.filter = Some(Box::new(move |_, message| {
        let prack = net::is_request(message, &Method::Prack);
        pracks += u32::from(prack);
        prack && pracks <= 2
    }));
    let (out, inc) = rings(&mut net, Some(sdp("offer")));
    net.act(BOB, |ua, now| ua.progress(now, inc, Some(sdp("early")))).unwrap();
    net.run(50);
    // The answer waits for the PRACK: the description in the 183 may have been lost.
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("early")))).unwrap();
    let twice = net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("early"))));
    assert_eq!(twice, Err(UaError::WrongState));
    net.run(5000);
    net.expect(ALICE, |event| matches!(event, Event::Answered { .. }).then_some(()));
    let heard = net.nodes[ALICE].history.iter();
    let heard = heard.filter(|event| matches!(event, Event::Provisional { .. })).count();
    assert_eq!(heard, 1, "a repetition is no news");
    insta::assert_snapshot!(net.ladder());
    part(&mut net, out);
}

#[test]
fn a_caller_that_acknowledges_nothing_is_given_up() {
    let mut net = pair(3, Reliable::Supported, Reliable::Supported);
    net.filter = Some(Box::new(|_, message| net::is_request(message, &Method::Prack)));
    let (_, inc) = rings(&mut net, Some(sdp("offer")));
    net.act(BOB, |ua, now| ua.progress(now, inc, Some(sdp("early")))).unwrap();
    net.run(33_000);
    assert_eq!(net.ended(BOB).by, EndedBy::Network);
    assert_eq!(net.ended(ALICE).status, Some(StatusCode::SERVER_TIMEOUT));
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn every_response_is_reliable_where_that_is_required() {
    let mut net = pair(4, Reliable::Required, Reliable::Supported);
    let (out, inc) = rings(&mut net, Some(sdp("offer")));
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.act(BOB, |ua, now| ua.progress(now, inc, None)).unwrap();
    net.run(200);
    assert_eq!(count(&net, &Method::Prack), 2);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(200);
    net.expect(ALICE, |event| matches!(event, Event::Answered { body: Some(_), .. }).then_some(()));
    part(&mut net, out);
    for (alice, bob, status) in [
        (Reliable::Required, Reliable::Off, StatusCode::BAD_EXTENSION),
        (Reliable::Off, Reliable::Required, StatusCode::EXTENSION_REQUIRED),
    ] {
        let mut net = pair(5, alice, bob);
        net.dial(ALICE, BOB, Some(sdp("offer")));
        net.run(200);
        assert_eq!(net.ended(ALICE).status, Some(status));
        net.run(70_000);
        net.assert_quiet();
    }
    let mut net = pair(6, Reliable::Supported, Reliable::Off);
    let (out, inc) = rings(&mut net, Some(sdp("offer")));
    net.act(BOB, |ua, now| ua.progress(now, inc, Some(sdp("early")))).unwrap();
    net.run(200);
    assert_eq!(count(&net, &Method::Prack), 0);
    part(&mut net, out);
}

#[test]
fn offer_and_answer_may_be_exchanged_before_the_call_is_answered() {
    let mut net = pair(7, Reliable::Supported, Reliable::Supported);
    let (out, inc) = rings(&mut net, None);
    net.act(BOB, |ua, now| ua.progress(now, inc, Some(sdp("bob's offer")))).unwrap();
    net.run(1000);
    let (early, body) = net.expect(ALICE, |event| match event {
        Event::EarlyOffer { early_dialog, body, .. } => Some((*early_dialog, body.clone())),
        _ => None,
    });
    assert_eq!(body, sdp("bob's offer"));
    let answer = sdp("alice's answer");
    net.act(ALICE, |ua, now| ua.answer_early(now, out, early, answer.clone())).unwrap();
    net.run(200);
    let heard = net.expect(BOB, |event| match event {
        Event::EarlyAnswered { body, .. } => Some(body.clone()),
        _ => None,
    });
    assert_eq!(heard, answer);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("bob's offer")))).unwrap();
    net.run(200);
    let role = net.expect(ALICE, |event| match event {
        Event::Answered { role, .. } => Some(*role),
        _ => None,
    });
    assert_eq!(role, Role::Answer, "nothing is owed");
    net.expect(BOB, |event| matches!(event, Event::Confirmed { body: None, .. }).then_some(()));
    insta::assert_snapshot!(net.ladder());
    part(&mut net, out);
}

#[test]
fn a_call_hung_up_between_response_and_prack_ends_cleanly() {
    for by in [ALICE, BOB] {
        let mut net = pair(8, Reliable::Supported, Reliable::Supported);
        let (out, inc) = rings(&mut net, Some(sdp("offer")));
        net.act(BOB, |ua, now| ua.progress(now, inc, Some(sdp("early")))).unwrap();
        net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("early")))).unwrap();
        net.run(5);
        let session = if by == ALICE { out } else { inc };
        net.act(by, |ua, now| ua.hangup(now, session)).unwrap();
        net.run(70_000);
        net.ended(ALICE);
        net.ended(BOB);
        net.assert_quiet();
    }
}

// --- against a fork ---

fn reliably(request: &Request, tag: &str, rseq: u32) -> Response {
    reply_as(request, 183, tag)
        .header(HeaderName::Require, "100rel")
        .header(HeaderName::RSeq, rseq.to_string())
        .with_body("application/sdp", format!("v=0 {tag}"))
}

fn pracks(net: &mut Net) -> Vec<(String, String)> {
    net.run(100);
    let requests = net.requests(BOB);
    let pracks: Vec<_> =
        requests.into_iter().filter(|request| request.method == Method::Prack).collect();
    for prack in &pracks {
        net.send_response(BOB, ALICE, Response::to_request(prack, StatusCode::OK));
    }
    let of = |prack: &Request| {
        let tag = prack.headers.to().unwrap().tag().unwrap().to_owned();
        (tag, prack.headers.get(&HeaderName::RAck).unwrap().into_owned())
    };
    pracks.iter().map(of).collect()
}

#[test]
fn each_fork_counts_for_itself_and_none_is_skipped() {
    let mut net = Net::scripted(9);
    let id = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let invite = net.requests(BOB).remove(0);
    net.send_response(BOB, ALICE, reliably(&invite, "desk", 100));
    net.send_response(BOB, ALICE, reliably(&invite, "mobile", 7));
    let own = |tag: &str, rack: &str| (tag.to_owned(), rack.to_owned());
    assert_eq!(pracks(&mut net), [own("desk", "100 1 INVITE"), own("mobile", "7 1 INVITE")]);
    // Repeated, and one that has overtaken another: neither is acknowledged.
    net.send_response(BOB, ALICE, reliably(&invite, "desk", 100));
    net.send_response(BOB, ALICE, reliably(&invite, "desk", 102));
    assert_eq!(pracks(&mut net), []);
    net.send_response(BOB, ALICE, reliably(&invite, "desk", 101));
    assert_eq!(pracks(&mut net), [own("desk", "101 1 INVITE")]);
    let early = net.events(ALICE).into_iter().filter_map(|event| match event {
        Event::Provisional { early_dialog, .. } => early_dialog.map(|id| id.0),
        _ => None,
    });
    assert_eq!(early.collect::<Vec<_>>(), [0, 1, 0]);
    // The one that did not win is told off; the sequence numbers of the winner go on.
    net.send_response(BOB, ALICE, reply_as(&invite, 199, "mobile"));
    net.send_response(BOB, ALICE, reply_as(&invite, 200, "desk"));
    net.run(100);
    net.requests(BOB);
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    net.run(100);
    let bye = net.requests(BOB).remove(0);
    assert_eq!((bye.method.as_str(), bye.headers.cseq().unwrap().number), ("BYE", 4));
}

#[test]
fn a_thousand_telephones_that_ring_take_no_room() {
    let mut net = Net::scripted(10);
    let id = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let invite = net.requests(BOB).remove(0);
    for number in 0..1000 {
        net.send_response(BOB, ALICE, reliably(&invite, &format!("t{number}"), 1));
    }
    assert_eq!(pracks(&mut net).len(), 32);
    net.send_response(BOB, ALICE, reply_as(&invite, 200, "t999"));
    net.run(100);
    net.expect(ALICE, |event| matches!(event, Event::Answered { .. }).then_some(()));
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
}

#[test]
fn a_wrong_prack_acknowledges_nothing() {
    let mut net = Net::scripted(11);
    let id = invited(&mut net, "Require: 100rel\r\n", "");
    net.act(ALICE, |ua, now| ua.ring(now, id)).unwrap();
    net.run(100);
    let ringing = net.responses(BOB).pop().unwrap();
    let rseq = ringing.headers.rseq().unwrap().unwrap();
    for (seq, rack, code) in [
        (6, format!("{} 1 INVITE", rseq + 1), 481),
        (7, format!("{rseq} 4 INVITE"), 481),
        (8, format!("{rseq} 1 UPDATE"), 481),
        (9, "nonsense".to_owned(), 481),
        (10, format!("{rseq} 1 INVITE"), 200),
        (11, format!("{rseq} 1 INVITE"), 481),
    ] {
        let mut prack = within(&ringing, &Method::Prack, seq);
        prack.headers.set(HeaderName::RAck, rack.clone());
        net.send_request(BOB, ALICE, prack);
        net.run(50);
        let responses = net.responses(BOB);
        let answers =
            responses.iter().filter(|r| r.headers.cseq().unwrap().method == Method::Prack);
        let codes: Vec<_> = answers.map(|r| r.status.code()).collect();
        assert_eq!(codes, [code], "{rack}");
    }
}
