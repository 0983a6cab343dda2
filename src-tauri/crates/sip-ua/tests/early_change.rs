//! Offers before the call is answered: UPDATE (RFC 3311 section 5.2) and PRACK (RFC 3262 section 5).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::setup::{ALICE, BOB, inside, invited, one, reply};
use net::{Net, sdp};
use sip_types::{HeaderName, Method, Request, Response, StatusCode};
use sip_ua::{Body, EarlyDialogId, Event, Role, SessionId, UaError};

/// Bob's INVITE, with a description if given.
fn called(seed: u8, body: Option<&str>) -> (Net, SessionId) {
    called_with(seed, body, "Supported")
}

/// The same where Bob has reliable responses (`Supported`) or wants no others (`Require`).
fn called_with(seed: u8, body: Option<&str>, reliably: &str) -> (Net, SessionId) {
    let mut net = Net::scripted(seed);
    let body = body.map(|body| format!("v=0 {body}")).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let id = invited(&mut net, &format!("{reliably}: 100rel\r\n{kind}"), &body);
    (net, id)
}

/// Alice's reliable 183 with a description.
fn early(net: &mut Net, id: SessionId, body: &str) -> Response {
    net.act(ALICE, |ua, now| ua.progress(now, id, Some(sdp(body)))).unwrap();
    net.run(20);
    net.responses(BOB).pop().unwrap()
}

/// A request of Bob's in the dialog of that response, with a description if given.
fn within(of: &Response, method: &Method, seq: u32, body: Option<&str>) -> Request {
    let request = net::setup::within(of, method, seq);
    match body {
        Some(body) => request.with_body("application/sdp", format!("v=0 {body}")),
        None => request,
    }
}

/// The answer to Bob's latest request of that method.
fn answer_to(net: &mut Net, method: &Method) -> Response {
    net.run(50);
    let mut all = net.responses(BOB);
    all.retain(|response| response.headers.cseq().unwrap().method == *method);
    all.pop().unwrap_or_else(|| panic!("no answer to {method}"))
}

fn answer_after(net: &mut Net, milliseconds: u64, method: &Method) -> Response {
    net.run(milliseconds);
    answer_to(net, method)
}

fn ask(net: &mut Net, request: Request) -> Response {
    let method = request.method.clone();
    net.send_request(BOB, ALICE, request);
    answer_to(net, &method)
}

fn reoffered(net: &mut Net) -> (Option<EarlyDialogId>, Method, Body) {
    let (early_dialog, by, body) = net::setup::reoffered(net, ALICE);
    (early_dialog, by, body.unwrap())
}

fn is_unanswered(net: &mut Net) -> bool {
    net.run(50);
    net.responses(BOB).iter().all(|response| response.status.is_provisional())
}

#[test]
fn an_update_before_the_answer_is_answered() {
    let (mut net, id) = called(1, Some("offer"));
    let progress = early(&mut net, id, "early");
    assert_eq!(ask(&mut net, within(&progress, &Method::Prack, 2, None)).status, StatusCode::OK);
    net.send_request(BOB, ALICE, within(&progress, &Method::Update, 3, Some("new offer")));
    net.run(50);
    assert_eq!(reoffered(&mut net), (None, Method::Update, sdp("new offer")));
    // One at a time; and the answer to the call waits for it.
    let second = ask(&mut net, within(&progress, &Method::Update, 4, Some("another")));
    assert_eq!(second.status, StatusCode::SERVER_INTERNAL_ERROR);
    assert!(second.headers.retry_after().unwrap().is_some());
    net.act(ALICE, |ua, now| ua.accept(now, id, Some(sdp("early")))).unwrap();
    assert!(is_unanswered(&mut net));
    net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("new answer")))).unwrap();
    net.run(50);
    let answers = net.responses(BOB);
    let of = |method: &Method| {
        let mut found =
            answers.iter().filter(|r| r.headers.cseq().unwrap().method == *method).cloned();
        found.next().unwrap()
    };
    let (update, invite) = (of(&Method::Update), of(&Method::Invite));
    assert_eq!((update.status, update.body.as_slice()), (StatusCode::OK, &b"v=0 new answer"[..]));
    assert_eq!((invite.status, invite.body.len()), (StatusCode::OK, 0), "agreed already");
    let again = net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("x"))));
    assert_eq!(again, Err(UaError::WrongState));
}

#[test]
fn an_update_before_the_first_answer_has_to_come_again() {
    let (mut net, id) = called(2, Some("offer"));
    net.act(ALICE, |ua, now| ua.ring(now, id)).unwrap();
    net.run(50);
    let ringing = net.responses(BOB).pop().unwrap();
    let answer = ask(&mut net, within(&ringing, &Method::Update, 2, Some("impatient")));
    assert_eq!(answer.status, StatusCode::SERVER_INTERNAL_ERROR);
    assert!(answer.headers.retry_after().unwrap().unwrap().seconds <= 10);
    // Whoever offers anew has our answer, though its PRACK may come later.
    let progress = early(&mut net, id, "early");
    net.send_request(BOB, ALICE, within(&progress, &Method::Update, 3, Some("new offer")));
    net.run(20);
    assert_eq!(reoffered(&mut net).2, sdp("new offer"));
    // Ours is open: it is glare.
    let (mut net, id) = called(3, None);
    let progress = early(&mut net, id, "our offer");
    let answer = ask(&mut net, within(&progress, &Method::Update, 2, Some("theirs")));
    assert_eq!(answer.status, StatusCode::REQUEST_PENDING);
    let prack = within(&progress, &Method::Prack, 3, Some("their answer"));
    assert_eq!(ask(&mut net, prack).status, StatusCode::OK);
    net.send_request(BOB, ALICE, within(&progress, &Method::Update, 4, Some("theirs")));
    net.run(20);
    assert_eq!(reoffered(&mut net).2, sdp("theirs"));
}

#[test]
fn an_offer_in_a_prack_is_answered() {
    for refuse in [false, true] {
        let (mut net, id) = called(4, Some("offer"));
        let progress = early(&mut net, id, "early");
        net.send_request(BOB, ALICE, within(&progress, &Method::Prack, 2, Some("more")));
        net.run(50);
        assert_eq!(reoffered(&mut net), (None, Method::Prack, sdp("more")));
        assert!(is_unanswered(&mut net));
        let expected: (StatusCode, &[u8]) = if refuse {
            let status = StatusCode::NOT_ACCEPTABLE_HERE;
            net.act(ALICE, |ua, now| ua.reject_reoffer(now, id, status)).unwrap();
            (status, b"")
        } else {
            net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("agreed")))).unwrap();
            (StatusCode::OK, b"v=0 agreed")
        };
        let answer = answer_to(&mut net, &Method::Prack);
        assert_eq!((answer.status, answer.body.as_slice()), expected);
        net.act(ALICE, |ua, now| ua.accept(now, id, Some(sdp("early")))).unwrap();
        let answer = answer_to(&mut net, &Method::Invite);
        let repeated: &[u8] = if refuse { b"v=0 early" } else { b"" };
        assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, repeated));
    }
    // Nothing to change yet.
    let (mut net, id) = called(5, Some("offer"));
    net.nodes[ALICE].events.clear();
    net.act(ALICE, |ua, now| ua.progress(now, id, Some(sdp("early")))).unwrap();
    net.run(20);
    let progress = net.responses(BOB).pop().unwrap();
    net.send_request(BOB, ALICE, within(&progress, &Method::Update, 2, Some("one")));
    net.run(20);
    let prack = within(&progress, &Method::Prack, 3, Some("two at once"));
    assert_eq!(ask(&mut net, prack).status, StatusCode::NOT_ACCEPTABLE_HERE);
}

#[test]
fn an_early_offer_that_nobody_answers_is_refused_in_time() {
    let (mut net, id) = called(6, Some("offer"));
    let progress = early(&mut net, id, "early");
    net.send_request(BOB, ALICE, within(&progress, &Method::Prack, 2, Some("more")));
    net.run(50);
    net.act(ALICE, |ua, now| ua.accept(now, id, Some(sdp("early")))).unwrap();
    net.run(25_000);
    net.expect(ALICE, |event| matches!(event, Event::ReofferCancelled { .. }).then_some(()));
    let answers = net.responses(BOB);
    let status = |method: &Method| {
        let of = answers.iter().find(|r| r.headers.cseq().unwrap().method == *method);
        of.map(|response| response.status)
    };
    assert_eq!(status(&Method::Prack), Some(StatusCode::SERVER_TIMEOUT));
    assert_eq!(status(&Method::Invite), Some(StatusCode::OK), "the answer has waited for it");
}

#[test]
fn a_call_that_ends_refuses_the_offer() {
    let (mut net, id) = called(7, Some("offer"));
    let progress = early(&mut net, id, "early");
    net.send_request(BOB, ALICE, within(&progress, &Method::Prack, 2, Some("more")));
    net.run(50);
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    assert_eq!(answer_to(&mut net, &Method::Prack).status, StatusCode::REQUEST_TERMINATED);
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn an_offer_in_a_prack_that_crosses_the_answer_is_answered() {
    let (mut net, id) = called_with(8, Some("offer"), "Require");
    let progress = early(&mut net, id, "early");
    assert_eq!(ask(&mut net, within(&progress, &Method::Prack, 2, None)).status, StatusCode::OK);
    net.act(ALICE, |ua, now| ua.ring(now, id)).unwrap();
    net.run(20);
    let ringing = net.responses(BOB).pop().unwrap();
    net.act(ALICE, |ua, now| ua.accept(now, id, Some(sdp("early")))).unwrap();
    net.send_request(BOB, ALICE, within(&ringing, &Method::Prack, 3, Some("more")));
    net.run(50);
    assert_eq!(reoffered(&mut net), (None, Method::Prack, sdp("more")));
    net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("agreed")))).unwrap();
    let answer = answer_to(&mut net, &Method::Prack);
    assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &b"v=0 agreed"[..]));
    // One without an offer is only too late.
    assert_eq!(ask(&mut net, within(&ringing, &Method::Prack, 4, None)).status, StatusCode::OK);
}

#[test]
fn an_update_that_crosses_the_answer_does_not_stand_for_its_ack() {
    let (mut net, id) = called(9, Some("offer"));
    let progress = early(&mut net, id, "early");
    assert_eq!(ask(&mut net, within(&progress, &Method::Prack, 2, None)).status, StatusCode::OK);
    net.act(ALICE, |ua, now| ua.accept(now, id, Some(sdp("early")))).unwrap();
    net.send_request(BOB, ALICE, within(&progress, &Method::Update, 3, Some("new offer")));
    net.run(50);
    assert_eq!(reoffered(&mut net).1, Method::Update);
    net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("new answer")))).unwrap();
    net.run(50);
    net.inbox_clear(BOB);
    // Bob may not have heard the answer: it is repeated.
    assert_eq!(answer_after(&mut net, 2000, &Method::Invite).status, StatusCode::OK);
    assert!(!net.history_has(ALICE, |event| matches!(event, Event::Confirmed { .. })));
    let mut ack = within(&progress, &Method::Ack, 1, None);
    ack.headers.set(HeaderName::Via, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKack");
    net.send_request(BOB, ALICE, ack);
    net.run(50);
    net.expect(ALICE, |event| matches!(event, Event::Confirmed { .. }).then_some(()));
}

#[test]
fn a_caller_who_wants_the_offer_first_gets_it_with_the_ringing() {
    let (mut net, id) = called_with(10, None, "Require");
    let first = |event: &Event| matches!(event, Event::Incoming(call) if call.offers_first);
    assert!(net.history_has(ALICE, first));
    net.act(ALICE, |ua, now| ua.ring_with(now, id, sdp("our offer"))).unwrap();
    net.run(20);
    let ringing = net.responses(BOB).pop().unwrap();
    assert_eq!(
        (ringing.status, ringing.body.as_slice()),
        (StatusCode::RINGING, &b"v=0 our offer"[..])
    );
    let prack = within(&ringing, &Method::Prack, 2, Some("their answer"));
    assert_eq!(ask(&mut net, prack).status, StatusCode::OK);
    let body = net.expect(ALICE, |event| match event {
        Event::EarlyAnswered { body, .. } => Some(body.clone()),
        _ => None,
    });
    assert_eq!(body, sdp("their answer"));
    net.act(ALICE, |ua, now| ua.accept(now, id, Some(sdp("our offer")))).unwrap();
    let answer = answer_to(&mut net, &Method::Invite);
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0), "all is agreed");
    // Who does not require it, or has an offer, rings without.
    for (body, reliably) in [(None, "Supported"), (Some("offer"), "Require")] {
        let (net, _) = called_with(11, body, reliably);
        assert!(!net.history_has(ALICE, first));
    }
}

// --- the other way: telephones that ring for us ---

fn rings(request: &Request, tag: &str, rseq: u32) -> Response {
    let mut response = Response::to_request(request, StatusCode::SESSION_PROGRESS);
    response.set_to_tag(tag);
    response
        .header(HeaderName::Contact, format!("<sip:{tag}@192.0.2.2>"))
        .header(HeaderName::Require, "100rel")
        .header(HeaderName::RSeq, rseq.to_string())
        .with_body("application/sdp", format!("v=0 {tag}"))
}

fn update(invite: &Request, tag: &str, seq: u32) -> Request {
    let mut request = inside(invite, &Method::Update, seq);
    request.headers.set(HeaderName::From, format!("{};tag={tag}", invite.headers.to().unwrap()));
    request.headers.set(HeaderName::Via, format!("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{tag}{seq}"));
    request.with_body("application/sdp", format!("v=0 {tag} {seq}"))
}

/// Alice's call rings at a desk, which has answered her offer.
fn ringing(seed: u8) -> (Net, SessionId, Request) {
    let mut net = Net::scripted(seed);
    let id = net.dial(ALICE, BOB, Some(sdp("offer")));
    let invite = one(&mut net, &Method::Invite);
    net.send_response(BOB, ALICE, rings(&invite, "bob", 1));
    let prack = one(&mut net, &Method::Prack);
    net.send_response(BOB, ALICE, Response::to_request(&prack, StatusCode::OK));
    net.run(50);
    (net, id, invite)
}

#[test]
fn a_telephone_that_rings_may_offer_anew() {
    let (mut net, id, invite) = ringing(10);
    // A second telephone that has not answered our offer yet: ours is open towards it.
    let mut other = Response::to_request(&invite, StatusCode::RINGING);
    other.set_to_tag("mobile");
    net.send_response(BOB, ALICE, other);
    net.run(50);
    let glare = ask(&mut net, update(&invite, "mobile", 1));
    assert_eq!(glare.status, StatusCode::REQUEST_PENDING);
    net.send_request(BOB, ALICE, update(&invite, "bob", 1));
    net.run(50);
    assert_eq!(reoffered(&mut net), (Some(EarlyDialogId(0)), Method::Update, sdp("bob 1")));
    net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("agreed")))).unwrap();
    let answer = answer_to(&mut net, &Method::Update);
    assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &b"v=0 agreed"[..]));
    // The 2xx repeats what is no longer so.
    let answer = reply(&invite, 200).with_body("application/sdp", "v=0 bob");
    net.send_response(BOB, ALICE, answer);
    net.run(50);
    let (body, role) = net.expect(ALICE, |event| match event {
        Event::Answered { body, role, .. } => Some((body.clone(), *role)),
        _ => None,
    });
    assert_eq!((body, role), (None, Role::Answer));
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    let bye = one(&mut net, &Method::Bye);
    net.send_response(BOB, ALICE, reply(&bye, 200));
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn an_offer_outlives_the_answer_of_its_own_telephone_only() {
    for (answers, expected) in
        [("bob", StatusCode::OK), ("mobile", StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST)]
    {
        let (mut net, id, invite) = ringing(11);
        net.send_request(BOB, ALICE, update(&invite, "bob", 1));
        net.run(50);
        reoffered(&mut net);
        let mut answer = Response::to_request(&invite, StatusCode::OK)
            .header(HeaderName::Contact, "<sip:bob@192.0.2.2>")
            .with_body("application/sdp", "v=0 answer");
        answer.set_to_tag(answers);
        net.send_response(BOB, ALICE, answer);
        net.run(50);
        net.expect(ALICE, |event| matches!(event, Event::Answered { .. }).then_some(()));
        let done = net.act(ALICE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("agreed"))));
        assert_eq!(done.is_ok(), answers == "bob");
        assert_eq!(answer_to(&mut net, &Method::Update).status, expected);
    }
}

#[test]
fn giving_up_refuses_the_offer_of_a_telephone() {
    let (mut net, id, invite) = ringing(12);
    net.send_request(BOB, ALICE, update(&invite, "bob", 1));
    net.run(50);
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    assert_eq!(answer_to(&mut net, &Method::Update).status, StatusCode::REQUEST_TERMINATED);
    // And none is asked of the owner any more.
    let late = ask(&mut net, update(&invite, "bob", 2));
    assert_eq!(late.status, StatusCode::REQUEST_TERMINATED);
}
