//! Transfers on the wire: REFER and its reports, both ways (RFC 3515, RFC 3891, RFC 4488).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::Net;
use net::setup::{ALICE, BOB, connected, count, inside, one, part, reply, talking};
use sip_core::Target;
use sip_types::{HeaderName, Message, Method, Request, Response, StatusCode, Transport};
use sip_ua::{EndedBy, Event, Input, Refer, ReferProgress, ReferRequest, SessionId, UaError};

const CAROL: usize = 2;

fn progress(net: &mut Net, node: usize) -> Vec<ReferProgress> {
    let told = net.events(node).into_iter().filter_map(|event| match event {
        Event::ReferProgress { progress, .. } => Some(progress),
        _ => None,
    });
    told.collect()
}

fn requested(net: &mut Net, node: usize) -> ReferRequest {
    net.expect(node, |event| match event {
        Event::ReferRequested(request) => Some((**request).clone()),
        _ => None,
    })
}

fn carol() -> Refer {
    Refer::new(net::uri("sip:carol@192.0.2.3"))
}

const SUBSCRIBED: ReferProgress = ReferProgress::Accepted { subscribed: true };
const TRYING: ReferProgress = ReferProgress::Provisional(StatusCode::TRYING);
const RINGING: ReferProgress = ReferProgress::Provisional(StatusCode::RINGING);

#[test]
fn a_transfer_is_reported_to_its_end() {
    let mut net = Net::pair(1);
    let (out, inc) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(100);
    let request = requested(&mut net, BOB);
    assert_eq!((request.session, request.to.as_str()), (Some(inc), "sip:carol@192.0.2.3"));
    assert_eq!(request.referred_by.unwrap().uri.as_str(), "sip:alice@192.0.2.1");
    let id = request.id;
    let again = net.act(ALICE, |ua, now| ua.refer(now, out, carol()));
    assert_eq!(again, Err(UaError::WrongState), "one at a time");
    net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
    net.run(100);
    for status in [StatusCode::RINGING, StatusCode::OK] {
        net.act(BOB, |ua, now| ua.report_referral(now, id, status)).unwrap();
        net.run(100);
    }
    let told = progress(&mut net, ALICE);
    assert_eq!(told, [SUBSCRIBED, TRYING, RINGING, ReferProgress::Succeeded(StatusCode::OK)]);
    let late = net.act(BOB, |ua, now| ua.report_referral(now, id, StatusCode::OK));
    assert_eq!(late, Err(UaError::UnknownReferral));
    insta::assert_snapshot!(net.ladder());
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).expect("the next may follow");
    part(&mut net, out);
}

#[test]
fn a_failed_call_and_a_refused_wish_are_told_apart() {
    let mut net = Net::pair(2);
    let (out, _) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(100);
    let id = requested(&mut net, BOB).id;
    net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
    net.act(BOB, |ua, now| ua.report_referral(now, id, StatusCode::BUSY_HERE)).unwrap();
    net.run(200);
    let failed = ReferProgress::Failed(Some(StatusCode::BUSY_HERE));
    assert_eq!(progress(&mut net, ALICE), [SUBSCRIBED, TRYING, failed]);
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(100);
    let id = requested(&mut net, BOB).id;
    net.act(BOB, |ua, now| ua.reject_referral(now, id, StatusCode::FORBIDDEN)).unwrap();
    net.run(100);
    assert_eq!(progress(&mut net, ALICE), [ReferProgress::Refused(StatusCode::FORBIDDEN)]);
    // Nobody decides.
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(30_000);
    let id = requested(&mut net, BOB).id;
    assert_eq!(progress(&mut net, ALICE), [ReferProgress::Refused(StatusCode::DECLINE)]);
    let late = net.act(BOB, |ua, now| ua.accept_referral(now, id));
    assert_eq!(late, Err(UaError::UnknownReferral));
    assert!(!net.history_has(ALICE, |event| matches!(event, Event::Ended { .. })));
    part(&mut net, out);
}

/// A call in which BOB has passed ALICE's caller on.
fn passed_on(seed: u8) -> (Net, SessionId) {
    let mut net = Net::pair(seed);
    let (out, inc) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(100);
    let id = requested(&mut net, BOB).id;
    net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
    net.act(BOB, |ua, now| ua.report_referral(now, id, StatusCode::OK)).unwrap();
    net.run(100);
    assert_eq!(progress(&mut net, ALICE).last(), Some(&ReferProgress::Succeeded(StatusCode::OK)));
    net.act(ALICE, |ua, now| ua.hand_over(now, out)).unwrap();
    assert_eq!(net.ended(ALICE).by, EndedBy::Local, "told at once");
    (net, inc)
}

#[test]
fn a_call_that_was_passed_on_is_left_to_the_peer_for_a_moment() {
    let (mut net, _) = passed_on(41);
    net.run(400);
    assert_eq!(count(&net, &Method::Bye), 0);
    net.run(200);
    assert_eq!(count(&net, &Method::Bye), 1, "the peer has not ended it");
    assert_eq!(net.ended(BOB).by, EndedBy::Remote);
    net.run(70_000);
    assert_eq!(count(&net, &Method::Bye), 1);
    net.assert_quiet();
}

#[test]
fn a_peer_that_ends_what_it_passed_on_gets_no_second_goodbye() {
    let (mut net, inc) = passed_on(42);
    net.run(200);
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(70_000);
    assert_eq!(count(&net, &Method::Bye), 1);
    let again = net.events(ALICE).into_iter().any(|event| matches!(event, Event::Ended { .. }));
    assert!(!again, "told once");
    net.assert_quiet();
}

#[test]
fn an_account_that_goes_does_not_wait_for_the_peer() {
    let (mut net, _) = passed_on(43);
    net.run(100);
    let account = net.nodes[ALICE].account;
    net.act(ALICE, |ua, now| ua.remove_account(now, account)).unwrap();
    net.run(100);
    assert_eq!(count(&net, &Method::Bye), 1);
    net.run(70_000);
    assert_eq!(count(&net, &Method::Bye), 1);
    net.assert_quiet();
}

#[test]
fn a_call_that_nobody_answered_is_not_left_to_anybody() {
    let mut net = Net::pair(44);
    let out = net.dial(ALICE, BOB, Some(net::sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.ring(now, inc)).unwrap();
    net.run(100);
    net.act(ALICE, |ua, now| ua.hand_over(now, out)).unwrap();
    net.run(100);
    assert_eq!(count(&net, &Method::Cancel), 1);
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn the_result_may_come_after_the_goodbye() {
    for by in [ALICE, BOB] {
        let mut net = Net::pair(3);
        let (out, inc) = connected(&mut net, BOB);
        net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
        net.run(100);
        let id = requested(&mut net, BOB).id;
        net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
        net.run(100);
        let session = if by == ALICE { out } else { inc };
        net.act(by, |ua, now| ua.hangup(now, session)).unwrap();
        net.run(5000);
        net.act(BOB, |ua, now| ua.report_referral(now, id, StatusCode::OK)).unwrap();
        net.run(100);
        let told = progress(&mut net, ALICE);
        assert_eq!(told, [SUBSCRIBED, TRYING, ReferProgress::Succeeded(StatusCode::OK)]);
        if by == BOB {
            insta::assert_snapshot!(net.ladder());
        }
        net.run(70_000);
        net.assert_quiet();
    }
}

#[test]
fn a_goodbye_without_a_result_is_waited_out() {
    let mut net = Net::pair(4);
    let (out, inc) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(100);
    let id = requested(&mut net, BOB).id;
    net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
    net.run(100);
    net.filter = Some(Box::new(|_, message| net::is_request(message, &Method::Notify)));
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(31_000);
    assert_eq!(progress(&mut net, ALICE), [SUBSCRIBED, TRYING]);
    net.run(2000);
    assert_eq!(progress(&mut net, ALICE), [ReferProgress::Unknown]);
    net.run(250_000);
    net.assert_quiet();
}

#[test]
fn lost_reports_are_sent_again_in_order() {
    let mut net = Net::pair(5);
    let (out, _) = connected(&mut net, BOB);
    let mut seen = 0;
    net.filter = Some(Box::new(move |_, message| {
        let notify = net::is_request(message, &Method::Notify);
        seen += u32::from(notify);
        notify && seen <= 2
    }));
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(100);
    let id = requested(&mut net, BOB).id;
    net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
    net.run(100);
    for status in [StatusCode::RINGING, StatusCode::SESSION_PROGRESS, StatusCode::OK] {
        net.act(BOB, |ua, now| ua.report_referral(now, id, status)).unwrap();
        net.run(50);
    }
    net.run(10_000);
    // What is out of date by the time it can be sent is not sent.
    let told = progress(&mut net, ALICE);
    assert_eq!(told, [SUBSCRIBED, TRYING, ReferProgress::Succeeded(StatusCode::OK)]);
    insta::assert_snapshot!(net.ladder());
    part(&mut net, out);
}

#[test]
fn a_referee_that_falls_silent_is_told_once() {
    let mut net = Net::pair(6);
    let (out, _) = connected(&mut net, BOB);
    net.filter = Some(Box::new(|_, message| net::is_request(message, &Method::Notify)));
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(100);
    let id = requested(&mut net, BOB).id;
    net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
    net.run(40_000);
    assert_eq!(progress(&mut net, ALICE), [SUBSCRIBED, ReferProgress::Unknown]);
    // Bob has given up reporting; the call lives on at both ends.
    let gone = net.act(BOB, |ua, now| ua.report_referral(now, id, StatusCode::OK));
    assert_eq!(gone, Err(UaError::UnknownReferral));
    net.filter = None;
    net.run(1000);
    part(&mut net, out);
}

#[test]
fn a_subscription_that_runs_out_ends_without_a_result() {
    let mut net = Net::pair(7);
    let (out, _) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
    net.run(100);
    let id = requested(&mut net, BOB).id;
    net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
    net.run(179_000);
    assert_eq!(progress(&mut net, ALICE), [SUBSCRIBED, TRYING]);
    net.run(2000);
    assert_eq!(progress(&mut net, ALICE), [TRYING, ReferProgress::Unknown]);
    part(&mut net, out);
}

#[test]
fn no_reports_are_sent_where_none_are_wanted() {
    let mut net = Net::pair(8);
    let (out, _) = connected(&mut net, BOB);
    let refer = Refer { no_subscription: true, ..carol() };
    net.act(ALICE, |ua, now| ua.refer(now, out, refer)).unwrap();
    net.run(100);
    let id = requested(&mut net, BOB).id;
    net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
    net.run(100);
    assert_eq!(progress(&mut net, ALICE), [ReferProgress::Accepted { subscribed: false }]);
    assert!(!net.log.iter().any(|entry| net::is_request(&entry.message, &Method::Notify)));
    part(&mut net, out);
}

#[test]
fn an_attended_transfer_names_the_other_call() {
    let mut net = Net::pair(9);
    net.add_agent("carol", |_| {});
    let (first, _) = connected(&mut net, BOB);
    let (second, _) = connected(&mut net, CAROL);
    let refer = Refer { replaces: Some(second), ..carol() };
    net.act(ALICE, |ua, now| ua.refer(now, first, refer)).unwrap();
    net.run(100);
    let request = requested(&mut net, BOB);
    assert_eq!(request.to.as_str(), "sip:carol@192.0.2.3:5060");
    let replaces = request.replaces.unwrap();
    let invite = net.nodes[CAROL].history.iter().find_map(|event| match event {
        Event::Incoming(incoming) => Some(incoming.headers.clone()),
        _ => None,
    });
    let invite = invite.unwrap();
    assert_eq!(replaces.call_id, invite.call_id().unwrap());
    assert_eq!(Some(replaces.from_tag.as_str()), invite.from().unwrap().tag());
    let itself = Refer { replaces: Some(first), ..carol() };
    let refused = net.act(ALICE, |ua, now| ua.refer(now, first, itself));
    assert_eq!(refused, Err(UaError::WrongState));
    net.act(ALICE, |ua, now| ua.hangup(now, second)).unwrap();
    part(&mut net, first);
}

// --- against a peer that does as it likes ---

fn notify(invite: &Request, seq: u32, extra: &[(&str, &str)], body: &str) -> Request {
    let mut request = inside(invite, &Method::Notify, seq);
    for (name, value) in extra {
        request = request.header(HeaderName::new(name), (*value).to_owned());
    }
    request.with_body("message/sipfrag", body)
}

fn status(net: &mut Net) -> u16 {
    net.run(100);
    let responses = net.responses(BOB);
    responses.last().expect("a response").status.code()
}

const REFER: (&str, &str) = ("Event", "refer");
const ACTIVE: (&str, &str) = ("Subscription-State", "active;expires=60");
const OVER: (&str, &str) = ("Subscription-State", "terminated;reason=noresource");

#[test]
fn reports_may_overtake_the_answer() {
    let mut net = Net::scripted(10);
    let (id, invite) = talking(&mut net, &[]);
    net.act(ALICE, |ua, now| ua.refer(now, id, carol())).unwrap();
    let refer = one(&mut net, &Method::Refer);
    assert!(refer.headers.contains(&HeaderName::Contact));
    net.send_request(BOB, ALICE, notify(&invite, 1, &[REFER, ACTIVE], "SIP/2.0 100 Trying"));
    assert_eq!(status(&mut net), 200);
    net.send_request(BOB, ALICE, notify(&invite, 2, &[REFER, OVER], "SIP/2.0 200 OK"));
    assert_eq!(status(&mut net), 200);
    net.send_response(BOB, ALICE, reply(&refer, 202));
    net.run(100);
    let told = progress(&mut net, ALICE);
    assert_eq!(told, [SUBSCRIBED, TRYING, ReferProgress::Succeeded(StatusCode::OK)]);
    // A straggler is answered and means nothing.
    net.send_request(BOB, ALICE, notify(&invite, 3, &[REFER, OVER], "SIP/2.0 486 Busy"));
    assert_eq!(status(&mut net), 200);
    assert!(net.events(ALICE).is_empty());
}

#[test]
fn a_report_that_was_overtaken_comes_again() {
    let mut net = Net::scripted(15);
    let (id, invite) = talking(&mut net, &[]);
    net.send_request(BOB, ALICE, refer_in(&invite, 1, "<sip:carol@192.0.2.3>"));
    net.run(100);
    let referral = requested(&mut net, ALICE).id;
    net.act(ALICE, |ua, now| ua.accept_referral(now, referral)).unwrap();
    // The peer whose wish is done waits.
    net.act(ALICE, |ua, now| ua.reoffer(now, id, net::sdp("hold"))).unwrap();
    net.run(50);
    let sent = net.requests(BOB);
    let of = |method: &Method| sent.iter().find(|r| r.method == *method).unwrap().clone();
    let (first, change) = (of(&Method::Notify), of(&Method::Invite));
    let held = reply(&change, 200).with_body("application/sdp", "v=0 held");
    net.send_response(BOB, ALICE, held);
    net.send_response(BOB, ALICE, reply(&first, 500));
    let again = one(&mut net, &Method::Notify);
    assert_eq!(again.body, first.body);
    assert!(again.headers.cseq().unwrap().number > change.headers.cseq().unwrap().number);
    net.act(ALICE, |ua, now| ua.report_referral(now, referral, StatusCode::OK)).unwrap();
    net.send_response(BOB, ALICE, reply(&again, 200));
    let last = one(&mut net, &Method::Notify);
    assert_eq!(last.body, b"SIP/2.0 200 OK\r\n");
    // Nothing has overtaken this one: whoever refuses it does not want it.
    net.send_response(BOB, ALICE, reply(&last, 500));
    net.run(1000);
    assert!(net.requests(BOB).iter().all(|request| request.method != Method::Notify));
}

#[test]
fn reports_arrive_over_a_way_that_keeps_no_order() {
    let mut overtaken = 0;
    for seed in 0..40 {
        let mut net = Net::pair(seed);
        let (out, inc) = connected(&mut net, BOB);
        net.latency = (1, 80);
        net.act(ALICE, |ua, now| ua.refer(now, out, carol())).unwrap();
        net.run(200);
        let id = requested(&mut net, BOB).id;
        net.act(BOB, |ua, now| ua.accept_referral(now, id)).unwrap();
        net.act(BOB, |ua, now| ua.reoffer(now, inc, net::sdp("hold"))).unwrap();
        net.run(200);
        net.expect(ALICE, |event| matches!(event, Event::Reoffered { .. }).then_some(()));
        net.act(ALICE, |ua, now| ua.answer_reoffer(now, out, Some(net::sdp("held")))).unwrap();
        net.run(500);
        for status in [StatusCode::RINGING, StatusCode::OK] {
            net.act(BOB, |ua, now| ua.report_referral(now, id, status)).unwrap();
        }
        net.run(2000);
        let done = |event: &Event| {
            let Event::ReferProgress { progress, .. } = event else { return false };
            *progress == ReferProgress::Succeeded(StatusCode::OK)
        };
        assert!(net.history_has(ALICE, done), "seed {seed}\n{}", net.ladder());
        let refused = net.log.iter().any(|entry| {
            let Message::Response(response) = &entry.message else { return false };
            response.status == StatusCode::SERVER_INTERNAL_ERROR
        });
        overtaken += u32::from(refused);
        part(&mut net, out);
    }
    assert!(overtaken > 0, "no message has overtaken another");
}

#[test]
fn a_wish_that_cannot_be_delivered_is_told_at_once() {
    let mut net = Net::scripted(16);
    let (id, _) = talking(&mut net, &[]);
    net.act(ALICE, |ua, now| ua.refer(now, id, carol())).unwrap();
    net.run(20);
    let target = Target { transport: Transport::Udp, addr: net.nodes[BOB].addr };
    let failed = Input::TransportFailed { target, reason: "refused".to_owned() };
    net.act(ALICE, |ua, now| ua.handle_input(now, failed));
    let told = progress(&mut net, ALICE);
    assert_eq!(told, [ReferProgress::Refused(StatusCode::SERVICE_UNAVAILABLE)]);
}

#[test]
fn a_report_nobody_asked_for_has_no_effect() {
    let mut net = Net::scripted(11);
    let (id, invite) = talking(&mut net, &[]);
    let report = |seq, extra: &[_]| notify(&invite, seq, extra, "SIP/2.0 200 OK");
    net.send_request(BOB, ALICE, report(1, &[REFER, OVER]));
    assert_eq!(status(&mut net), 481, "no transfer is under way");
    net.act(ALICE, |ua, now| ua.refer(now, id, carol())).unwrap();
    let refer = one(&mut net, &Method::Refer);
    net.send_response(BOB, ALICE, reply(&refer, 202));
    net.run(100);
    let seq = refer.headers.cseq().unwrap().number;
    let (own, other) = (format!("refer;id={seq}"), format!("refer;id={}", seq + 7));
    net.send_request(BOB, ALICE, report(2, &[("Event", &other), OVER]));
    assert_eq!(status(&mut net), 481, "another subscription's");
    let mut forged = report(3, &[REFER, OVER]);
    let from = forged.headers.from().unwrap().with_tag("mallory").to_string();
    forged.headers.set(HeaderName::From, from);
    net.send_request(BOB, ALICE, forged);
    assert_eq!(status(&mut net), 481, "not the peer's dialog");
    assert_eq!(progress(&mut net, ALICE), [SUBSCRIBED]);
    net.send_request(BOB, ALICE, report(4, &[("Event", &own), OVER]));
    assert_eq!(status(&mut net), 200);
    assert_eq!(progress(&mut net, ALICE), [ReferProgress::Succeeded(StatusCode::OK)]);
}

#[test]
fn an_unreadable_report_is_no_result() {
    let mut net = Net::scripted(12);
    let (id, invite) = talking(&mut net, &[]);
    for (body, over, expected) in [
        ("garbage", OVER, ReferProgress::Unknown),
        ("", ("Subscription-State", "terminated;reason=rejected"), ReferProgress::Failed(None)),
    ] {
        net.act(ALICE, |ua, now| ua.refer(now, id, carol())).unwrap();
        let refer = one(&mut net, &Method::Refer);
        net.send_response(BOB, ALICE, reply(&refer, 202));
        net.run(100);
        let seq = refer.headers.cseq().unwrap().number;
        net.send_request(BOB, ALICE, notify(&invite, seq * 10, &[REFER, ACTIVE], body));
        assert_eq!(status(&mut net), 200);
        assert_eq!(progress(&mut net, ALICE), [SUBSCRIBED]);
        net.send_request(BOB, ALICE, notify(&invite, seq * 10 + 1, &[REFER, over], body));
        assert_eq!(status(&mut net), 200);
        assert_eq!(progress(&mut net, ALICE), [expected]);
    }
}

fn refer_in(invite: &Request, seq: u32, to: &str) -> Request {
    let mut request = notify(invite, seq, &[("Refer-To", to)], "");
    request.method = Method::Refer;
    request.headers.set(HeaderName::CSeq, format!("{seq} REFER"));
    request
}

#[test]
fn a_senseless_wish_is_refused_at_once() {
    let mut net = Net::scripted(13);
    let (id, invite) = talking(&mut net, &[]);
    for (seq, to, code) in [
        (1, "<http://example.com>", 416),
        (2, "<sip:carol@h;method=BYE>", 603),
        (3, "<sip:carol@h?Replaces=nonsense>", 400),
        (4, "<sip:carol", 400),
    ] {
        net.send_request(BOB, ALICE, refer_in(&invite, seq, to));
        assert_eq!(status(&mut net), code, "{to}");
    }
    assert!(net.events(ALICE).is_empty());
    for seq in 5..=9 {
        net.send_request(BOB, ALICE, refer_in(&invite, seq, "<sip:carol@h;x=1?Subject=hi>"));
    }
    assert_eq!(status(&mut net), 486, "the fifth at once");
    let request = requested(&mut net, ALICE);
    assert_eq!(request.to.as_str(), "sip:carol@h;x=1");
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
}

#[test]
fn a_wish_from_nowhere_is_refused_unless_the_account_takes_it() {
    for open in [false, true] {
        let mut net = Net::new(14);
        net.add_agent("alice", |config| config.refer_outside = open);
        net.add_script("bob");
        let text = "REFER sip:alice@192.0.2.1 SIP/2.0\r\n\
            Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\nFrom: <sip:bob@192.0.2.2>;tag=b\r\n\
            To: <sip:alice@192.0.2.1>\r\nCall-ID: x\r\nCSeq: 1 REFER\r\nMax-Forwards: 70\r\n\
            Contact: <sip:bob@192.0.2.2>\r\nRefer-To: <tel:+31201234567>\r\n\
            Content-Length: 0\r\n\r\n";
        net.send(BOB, ALICE, text.as_bytes().to_vec());
        if !open {
            assert_eq!(status(&mut net), 403);
            assert!(net.events(ALICE).is_empty());
            continue;
        }
        net.run(100);
        let request = requested(&mut net, ALICE);
        assert_eq!((request.session, request.to.scheme()), (None, "tel"));
        net.act(ALICE, |ua, now| ua.accept_referral(now, request.id)).unwrap();
        net.run(100);
        let inbox: Vec<_> = net.nodes[BOB].inbox.drain(..).collect();
        let Some(Message::Response(accepted)) = inbox.first() else { panic!("{inbox:?}") };
        assert_eq!(accepted.status, StatusCode::ACCEPTED);
        let Some(Message::Request(report)) = inbox.get(1) else { panic!("{inbox:?}") };
        assert_eq!(report.headers.from().unwrap().tag(), accepted.headers.to().unwrap().tag());
        net.send_response(BOB, ALICE, Response::to_request(report, StatusCode::OK));
        net.run(100);
        net.act(ALICE, |ua, now| ua.report_referral(now, request.id, StatusCode::OK)).unwrap();
        let report = one(&mut net, &Method::Notify);
        net.send_response(BOB, ALICE, Response::to_request(&report, StatusCode::OK));
        net.run(70_000);
        net.assert_quiet();
        assert!(!net.history_has(ALICE, |event| matches!(event, Event::Ended { .. })));
    }
}

#[test]
fn a_peer_that_forgot_the_call_refuses_and_ends_it() {
    let mut net = Net::scripted(15);
    let (id, _) = talking(&mut net, &[]);
    net.act(ALICE, |ua, now| ua.refer(now, id, carol())).unwrap();
    let refer = one(&mut net, &Method::Refer);
    net.send_response(BOB, ALICE, reply(&refer, 481));
    net.run(100);
    let expected = ReferProgress::Refused(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
    assert!(net.history_has(ALICE, |event| {
        matches!(event, Event::ReferProgress { progress, .. } if *progress == expected)
    }));
    assert_eq!(net.ended(ALICE).by, EndedBy::Remote);
}

#[test]
fn a_report_that_nobody_wants_costs_no_call() {
    let mut net = Net::scripted(16);
    let (id, invite) = talking(&mut net, &[]);
    net.send_request(BOB, ALICE, refer_in(&invite, 1, "<sip:carol@192.0.2.3>"));
    net.run(100);
    let wish = requested(&mut net, ALICE).id;
    net.act(ALICE, |ua, now| ua.accept_referral(now, wish)).unwrap();
    let report = one(&mut net, &Method::Notify);
    net.send_response(BOB, ALICE, reply(&report, 481));
    net.run(100);
    let late = net.act(ALICE, |ua, now| ua.report_referral(now, wish, StatusCode::OK));
    assert_eq!(late, Err(UaError::UnknownReferral));
    // Nor one of the owner's own.
    let event = vec![
        (HeaderName::Event, "talk".to_owned()),
        (HeaderName::SubscriptionState, "active".to_owned()),
    ];
    net.act(ALICE, |ua, now| ua.send_in_session(now, id, Method::Notify, event, None)).unwrap();
    let report = one(&mut net, &Method::Notify);
    net.send_response(BOB, ALICE, reply(&report, 481));
    net.run(60_000);
    assert!(net.requests(BOB).is_empty(), "nobody hangs up");
    assert!(!net.history_has(ALICE, |event| matches!(event, Event::Ended { .. })));
    // INFO is of the call itself.
    let body = sip_ua::Body { content_type: "text/plain".to_owned(), bytes: vec![b'1'] };
    net.act(ALICE, |ua, now| ua.info(now, id, body)).unwrap();
    let info = one(&mut net, &Method::Info);
    net.send_response(BOB, ALICE, reply(&info, 481));
    one(&mut net, &Method::Bye);
}

#[test]
fn a_peer_that_answers_nothing_is_told_in_the_transactions_time() {
    let mut net = Net::scripted(17);
    let (id, _) = talking(&mut net, &[]);
    net.act(ALICE, |ua, now| ua.refer(now, id, carol())).unwrap();
    net.run(31_500);
    assert_eq!(progress(&mut net, ALICE), []);
    net.run(1000);
    let refused = ReferProgress::Refused(StatusCode::REQUEST_TIMEOUT);
    assert_eq!(progress(&mut net, ALICE), [refused]);
    assert!(
        !net.history_has(ALICE, |event| matches!(event, Event::Ended { .. })),
        "whose call it is"
    );
    net.act(ALICE, |ua, now| ua.refer(now, id, carol())).expect("the next may follow");
}

#[test]
fn a_wish_about_a_call_needs_no_permission_of_its_own() {
    let mut net = Net::scripted(18);
    let (id, invite) = talking(&mut net, &[]);
    let (call_id, own) = (invite.headers.call_id().unwrap(), invite.headers.from().unwrap());
    let own = own.tag().unwrap().to_owned();
    let outside = |serial: u32, target: String| {
        let mut request = refer_in(&invite, serial, "<sip:carol@192.0.2.3>");
        request.headers.set(HeaderName::CallId, format!("outside {serial}").replace(' ', "-"));
        request.headers.set(HeaderName::To, "<sip:alice@192.0.2.1>");
        request.headers.push(HeaderName::TargetDialog, target);
        request
    };
    for (serial, target) in [
        (1, format!("{call_id};local-tag={own};remote-tag=bob")),
        (2, format!("{call_id};local-tag=bob;remote-tag={own}")),
    ] {
        net.send_request(BOB, ALICE, outside(serial, target));
        net.run(100);
        let wish = requested(&mut net, ALICE);
        assert_eq!(wish.session, Some(id), "it belongs to the call");
        net.act(ALICE, |ua, now| ua.reject_referral(now, wish.id, StatusCode::DECLINE)).unwrap();
        assert_eq!(status(&mut net), 603);
    }
    for (serial, target) in [
        (3, format!("{call_id};local-tag={own};remote-tag=mallory")),
        (4, format!("another;local-tag={own};remote-tag=bob")),
        (5, "nonsense".to_owned()),
    ] {
        net.send_request(BOB, ALICE, outside(serial, target));
        assert_eq!(status(&mut net), 403);
    }
}
