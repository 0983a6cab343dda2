//! UPDATE and session timers (RFC 3311, RFC 4028).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::setup::{
    ALICE, BOB, connected, count, inside, one, part, reoffer_answered, reoffered, reply, talking,
};
use net::{Net, sdp};
use sip_types::{HeaderName, Method, Refresher, SessionExpires, StatusCode};
use sip_ua::{AccountConfig, EndedBy, Event, SessionTimer, UaError};

#[test]
fn a_session_is_changed_by_update() {
    let mut net = Net::pair(1);
    let (out, inc) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.update(now, out, Some(sdp("change")))).unwrap();
    net.run(100);
    assert_eq!(reoffered(&mut net, BOB).1, Method::Update);
    net.act(BOB, |ua, now| ua.answer_reoffer(now, inc, Some(sdp("changed")))).unwrap();
    net.run(100);
    assert_eq!(reoffer_answered(&mut net, ALICE), Some(sdp("changed")));
    net.act(BOB, |ua, now| ua.update(now, inc, None)).unwrap();
    net.run(100);
    net.expect(BOB, |event| {
        let done = matches!(event, Event::SessionRequestDone { status: Some(StatusCode::OK), .. });
        done.then_some(())
    });
    assert!(net.events(ALICE).is_empty(), "nothing to be decided");
    insta::assert_snapshot!(net.ladder());
    part(&mut net, out);
}

#[test]
fn updates_that_meet_are_settled_by_waiting() {
    let mut net = Net::pair(2);
    let (out, inc) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.update(now, out, Some(sdp("alice's")))).unwrap();
    net.act(BOB, |ua, now| ua.update(now, inc, Some(sdp("bob's")))).unwrap();
    net.run(2100);
    assert_eq!(reoffered(&mut net, ALICE).1, Method::Update);
    net.act(ALICE, |ua, now| ua.answer_reoffer(now, out, Some(sdp("answer")))).unwrap();
    net.run(100);
    reoffer_answered(&mut net, BOB);
    insta::assert_snapshot!(net.ladder());
    part(&mut net, out);
}

#[test]
fn an_update_that_nobody_answers_is_refused_in_time() {
    let mut net = Net::pair(3);
    let (out, _) = connected(&mut net, BOB);
    net.act(ALICE, |ua, now| ua.update(now, out, Some(sdp("change")))).unwrap();
    net.run(30_000);
    let status = net.expect(ALICE, |event| match event {
        Event::ReofferFailed { status, .. } => *status,
        _ => None,
    });
    assert_eq!(status, StatusCode::SERVER_TIMEOUT);
    net.expect(BOB, |event| matches!(event, Event::ReofferCancelled { .. }).then_some(()));
    part(&mut net, out);
}

#[test]
fn an_overlapping_update_has_to_come_again() {
    let mut net = Net::scripted(4);
    let (_, invite) = talking(&mut net, &[]);
    let change = |seq| inside(&invite, &Method::Update, seq).with_body("application/sdp", "v=0 x");
    net.send_request(BOB, ALICE, change(1));
    net.run(100);
    assert_eq!(reoffered(&mut net, ALICE).1, Method::Update);
    net.send_request(BOB, ALICE, change(2));
    net.run(100);
    let response = net.responses(BOB).pop().unwrap();
    assert_eq!(response.status, StatusCode::SERVER_INTERNAL_ERROR);
    assert!(response.headers.retry_after().unwrap().unwrap().seconds <= 10);
}

#[test]
fn an_update_before_our_answer_has_to_come_again() {
    let mut net = Net::scripted(8);
    let id = net.dial(ALICE, BOB, None);
    let invite = one(&mut net, &Method::Invite);
    let offer = reply(&invite, 200).with_body("application/sdp", "v=0 theirs");
    net.send_response(BOB, ALICE, offer);
    net.run(50);
    let change = |seq| inside(&invite, &Method::Update, seq).with_body("application/sdp", "v=0 x");
    net.send_request(BOB, ALICE, change(1));
    net.run(50);
    let refused = net.responses(BOB).pop().unwrap();
    assert_eq!(refused.status, StatusCode::SERVER_INTERNAL_ERROR, "it is not glare");
    assert!(refused.headers.retry_after().unwrap().is_some());
    net.act(ALICE, |ua, now| ua.provide_answer(now, id, sdp("ours"))).unwrap();
    net.send_request(BOB, ALICE, change(2));
    net.run(50);
    assert_eq!(reoffered(&mut net, ALICE).1, Method::Update);
    // While that is open not even a sign of life may pass it.
    net.send_request(BOB, ALICE, inside(&invite, &Method::Update, 3));
    net.run(50);
    assert_eq!(net.responses(BOB).pop().unwrap().status, StatusCode::SERVER_INTERNAL_ERROR);
}

#[test]
fn a_refusal_with_retry_after_is_waited_for() {
    let mut net = Net::scripted(5);
    let (id, _) = talking(&mut net, &[]);
    net.act(ALICE, |ua, now| ua.reoffer(now, id, sdp("hold"))).unwrap();
    let invite = one(&mut net, &Method::Invite);
    let mut later = reply(&invite, 500);
    later.headers.push(HeaderName::RetryAfter, "7");
    net.send_response(BOB, ALICE, later);
    net.run(6900);
    assert!(net.requests(BOB).iter().all(|request| request.method == Method::Ack));
    net.run(200);
    let again = one(&mut net, &Method::Invite);
    assert_eq!(again.body, invite.body);
    assert!(!net.history_has(ALICE, |event| matches!(event, Event::ReofferFailed { .. })));
}

#[test]
fn an_update_moves_the_peer() {
    let mut net = Net::scripted(6);
    let (id, invite) = talking(&mut net, &[]);
    net.send_request(BOB, ALICE, inside(&invite, &Method::Update, 1));
    net.run(100);
    assert_eq!(net.responses(BOB).pop().unwrap().status, StatusCode::OK);
    net.act(ALICE, |ua, now| ua.hangup(now, id)).unwrap();
    assert_eq!(one(&mut net, &Method::Bye).uri.as_str(), "sip:moved@192.0.2.2");
}

#[test]
fn a_peer_without_update_is_not_asked() {
    let mut net = Net::scripted(7);
    let (id, _) = talking(&mut net, &[(HeaderName::Allow, "INVITE, ACK, BYE")]);
    let refused = net.act(ALICE, |ua, now| ua.update(now, id, None));
    assert_eq!(refused, Err(UaError::Unsupported));
}

// --- session timers ---

fn timed(
    seed: u8,
    alice: impl FnOnce(&mut AccountConfig),
    bob: impl FnOnce(&mut AccountConfig),
) -> Net {
    let mut net = Net::new(seed);
    net.add_agent("alice", |config| {
        config.session_expires = 120;
        alice(config);
    });
    net.add_agent("bob", bob);
    net
}

#[test]
fn a_session_is_refreshed_for_as_long_as_it_lasts() {
    let mut net = timed(10, |_| {}, |_| {});
    let (out, _) = connected(&mut net, BOB);
    net.run(600_000);
    assert_eq!(count(&net, &Method::Update), 10, "one in 60 s, from one side");
    assert!(net.events(ALICE).is_empty() && net.events(BOB).is_empty());
    part(&mut net, out);
}

#[test]
fn a_peer_that_vanished_ends_the_call_on_both_sides() {
    let mut net = timed(11, |_| {}, |_| {});
    connected(&mut net, BOB);
    net.loss = 100;
    net.run(120_000);
    for node in [ALICE, BOB] {
        let cause = net.ended(node);
        assert_eq!((cause.by, cause.status), (EndedBy::Network, Some(StatusCode::REQUEST_TIMEOUT)));
    }
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn without_timers_nothing_is_refreshed() {
    for both in [true, false] {
        let mut net = timed(
            12,
            |config| config.session_timer = SessionTimer::Off,
            |config| {
                if both {
                    config.session_timer = SessionTimer::Off;
                }
            },
        );
        let (out, _) = connected(&mut net, BOB);
        net.run(3_600_000);
        assert!(net.log.is_empty());
        part(&mut net, out);
    }
}

#[test]
fn too_short_a_session_is_lengthened() {
    let mut net = timed(13, |config| config.min_se = 60, |config| config.min_se = 300);
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(200);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(200);
    insta::assert_snapshot!(net.ladder());
    net.log.clear();
    net.run(610_000);
    assert_eq!(count(&net, &Method::Update), 4, "one in 150 s");
    part(&mut net, out);
}

#[test]
fn a_peer_without_timers_is_refused_where_they_are_required() {
    let mut net = timed(
        14,
        |config| config.session_timer = SessionTimer::Off,
        |config| config.session_timer = SessionTimer::Required,
    );
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(200);
    assert_eq!(net.ended(ALICE).status, Some(StatusCode::EXTENSION_REQUIRED));
    let mut net = timed(
        15,
        |config| config.session_timer = SessionTimer::Required,
        |config| config.session_timer = SessionTimer::Off,
    );
    net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(200);
    assert_eq!(net.ended(ALICE).status, Some(StatusCode::BAD_EXTENSION));
}

#[test]
fn a_caller_keeps_its_own_timer_where_that_is_wished() {
    let mut net = Net::new(16);
    net.add_agent("alice", |config| {
        config.session_expires = 100;
        config.session_timer = SessionTimer::Always;
    });
    net.add_script("bob");
    // Without UPDATE and without timers: the description in force is sent again.
    let (_, invite) = talking(&mut net, &[(HeaderName::Allow, "INVITE, ACK, BYE")]);
    net.run(50_000);
    let refresh = one(&mut net, &Method::Invite);
    assert_eq!(refresh.body, invite.body);
    net.send_response(BOB, ALICE, reply(&refresh, 200).with_body("application/sdp", "v=0 answer"));
    one(&mut net, &Method::Ack);
    assert!(net.events(ALICE).is_empty(), "the same answer is no news");
    net.run(50_000);
    let refresh = one(&mut net, &Method::Invite);
    net.send_response(BOB, ALICE, reply(&refresh, 200).with_body("application/sdp", "v=0 other"));
    one(&mut net, &Method::Ack);
    let body = net.expect(ALICE, |event| match event {
        Event::Refreshed { body, .. } => body.clone(),
        _ => None,
    });
    assert_eq!(body, sdp("other"));
    // Then it falls silent.
    net.run(120_000);
    assert_eq!(net.ended(ALICE).by, EndedBy::Network);
}

#[test]
fn both_roles_are_taken_as_agreed() {
    for (refresher, ours) in [("uac", true), ("uas", false)] {
        let mut net = Net::new(17);
        net.add_agent("alice", |_| {});
        net.add_script("bob");
        let expires = format!("90;refresher={refresher}");
        let extra = [
            (HeaderName::SessionExpires, expires.as_str()),
            (HeaderName::Require, "timer"),
            (HeaderName::Allow, "INVITE, UPDATE"),
        ];
        let (_, invite) = talking(&mut net, &extra);
        net.run(46_000);
        let requests = net.requests(BOB);
        assert_eq!(requests.iter().any(|r| r.method == Method::Update), ours);
        if ours {
            let asked = requests[0].headers.session_expires().unwrap().unwrap();
            let expected = SessionExpires { seconds: 90, refresher: Some(Refresher::Uac) };
            assert_eq!(asked, expected);
            continue;
        }
        let mut refresh = inside(&invite, &Method::Update, 1);
        refresh.headers.push(HeaderName::Supported, "timer");
        refresh.headers.push(HeaderName::SessionExpires, "90;refresher=uac");
        net.send_request(BOB, ALICE, refresh);
        net.run(100);
        let response = net.responses(BOB).pop().unwrap();
        let granted = response.headers.session_expires().unwrap().unwrap();
        assert_eq!(granted, SessionExpires { seconds: 90, refresher: Some(Refresher::Uac) });
        net.run(58_000);
        assert!(net.requests(BOB).is_empty());
        net.run(3000);
        // A third of the interval before its end, and no refresh has come.
        let bye = one(&mut net, &Method::Bye);
        assert_eq!(bye.headers.reasons().unwrap()[0].cause, Some(408));
        assert_eq!(net.ended(ALICE).by, EndedBy::Network);
    }
}
