//! A peer that sends whatever comes to its mind, in and around a dialog: nothing panics, nothing is
//! kept, every session ends once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use std::time::Instant;

use net::{Net, sdp};
use proptest::prelude::*;
use sip_types::{HeaderName, Message, Method, Request, Response, StatusCode};
use sip_ua::{
    EarlyDialogId, Event, Refer, ReferralId, Reliable, SessionId, SessionTimer, UaError, UserAgent,
};

const ALICE: usize = 0;
const PEER: usize = 1;

const METHODS: [&str; 12] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "UPDATE",
    "PRACK",
    "INFO",
    "REFER",
    "NOTIFY",
    "MESSAGE",
    "OPTIONS",
    "SUBSCRIBE",
];

/// Header rows that mean something somewhere, right or wrong.
const ROWS: [(&str, &str); 34] = [
    ("Event", "refer"),
    ("Event", "refer;id=2"),
    ("Event", "talk"),
    ("Event", "hold"),
    ("Subscription-State", "active;expires=4294967295"),
    ("Subscription-State", "terminated;reason=noresource"),
    ("Subscription-State", "pending"),
    ("Refer-To", "<sip:x@192.0.2.9>"),
    ("Refer-To", "<sip:x@192.0.2.9?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>"),
    ("Refer-To", "nonsense"),
    ("Refer-Sub", "false"),
    ("RAck", "1 1 INVITE"),
    ("RAck", "2 1 INVITE"),
    ("RSeq", "1"),
    ("RSeq", "2"),
    ("RSeq", "4294967295"),
    ("Require", "100rel"),
    ("Require", "timer"),
    ("Require", "magic"),
    ("Supported", "100rel, timer, replaces"),
    ("Allow", "INVITE, UPDATE"),
    ("Allow", "INVITE"),
    ("Session-Expires", "90;refresher=uac"),
    ("Session-Expires", "90;refresher=uas"),
    ("Session-Expires", "0"),
    ("Session-Expires", "4294967295;refresher=uas"),
    ("Min-SE", "120"),
    ("Min-SE", "4294967295"),
    ("Retry-After", "1"),
    ("Replaces", "x;to-tag=1;from-tag=2"),
    ("Contact", "<sip:other@192.0.2.2>"),
    ("Contact", "*"),
    ("Record-Route", "<sip:192.0.2.2;lr>"),
    ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\""),
];

const BODIES: [(&str, &str); 5] = [
    ("application/sdp", "v=0 x"),
    ("message/sipfrag", "SIP/2.0 180 Ringing"),
    ("message/sipfrag", "SIP/2.0 200 OK"),
    ("application/dtmf-relay", "Signal=5"),
    ("text/plain", "x"),
];

#[derive(Clone, Debug)]
enum Step {
    Dial(bool),
    /// Answers the latest request of this index: status, tag, rows, body.
    Respond(usize, u16, u8, Vec<usize>, Option<usize>),
    /// Sends a request: method, CSeq, which dialog, rows, body.
    Request(usize, u32, usize, Vec<usize>, Option<usize>),
    Command(u8),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let rows = || prop::collection::vec(0..ROWS.len(), 0..4);
    let body = || prop::option::of(0..BODIES.len());
    let status = prop::sample::select(vec![
        100, 180, 183, 199, 200, 202, 302, 401, 408, 421, 422, 481, 486, 487, 491, 500, 503, 603,
    ]);
    prop_oneof![
        1 => any::<bool>().prop_map(Step::Dial),
        6 => (0..4usize, status, 0..4u8, rows(), body())
            .prop_map(|(at, code, tag, rows, body)| Step::Respond(at, code, tag, rows, body)),
        6 => (0..METHODS.len(), 0..20u32, 0..6usize, rows(), body())
            .prop_map(|(method, seq, at, rows, body)| Step::Request(method, seq, at, rows, body)),
        4 => (0..16u8).prop_map(Step::Command),
        2 => (0..60_000u64).prop_map(Step::Wait),
    ]
}

fn received(net: &Net) -> Vec<Request> {
    let log = net.log.iter().rev().filter(|entry| entry.from == "alice");
    let requests = log.filter_map(|entry| match &entry.message {
        Message::Request(request) => Some(request.clone()),
        Message::Response(_) => None,
    });
    requests.collect()
}

/// From and To as Alice has them from her side, of a dialog that is or might be.
fn dialogs(net: &Net) -> Vec<(String, String, String)> {
    let mut all: Vec<_> = net
        .log
        .iter()
        .rev()
        .filter(|entry| entry.from == "alice")
        .filter_map(|entry| {
            let headers = entry.message.headers();
            let (from, to) = (headers.from().ok()?.to_string(), headers.to().ok()?.to_string());
            let call_id = headers.call_id().ok()?;
            Some(match &entry.message {
                Message::Request(_) => (call_id, from, to),
                Message::Response(_) => (call_id, to, from),
            })
        })
        .collect();
    all.dedup();
    all
}

fn sessions(net: &Net) -> Vec<SessionId> {
    let mut all: Vec<SessionId> = (1..200).map(SessionId).collect();
    let history = &net.nodes[ALICE].history;
    all.retain(|id| {
        !history.iter().any(|e| matches!(e, Event::Ended { session, .. } if session == id))
    });
    all
}

fn decorate(headers: &mut sip_types::Headers, rows: &[usize]) {
    for row in rows {
        let (name, value) = ROWS[*row];
        headers.push(HeaderName::new(name), value);
    }
}

fn respond(net: &mut Net, at: usize, code: u16, tag: u8, rows: &[usize], body: Option<usize>) {
    let Some(request) = received(net).into_iter().filter(|r| r.method != Method::Ack).nth(at)
    else {
        return;
    };
    let mut response = Response::to_request(&request, StatusCode::new(code).unwrap());
    response.set_to_tag(&format!("t{tag}"));
    response.headers.push(HeaderName::Contact, format!("<sip:t{tag}@192.0.2.2>"));
    decorate(&mut response.headers, rows);
    if let Some((kind, text)) = body.map(|at| BODIES[at]) {
        response.set_body(kind, text);
    }
    net.send_response(PEER, ALICE, response);
}

fn request(net: &mut Net, serial: usize, step: (usize, u32, usize, &[usize], Option<usize>)) {
    let (method, seq, at, rows, body) = step;
    let all = dialogs(net);
    let new = || {
        let to = "<sip:alice@192.0.2.1>".to_owned();
        (format!("new-{serial}"), to, "<sip:peer@192.0.2.2>;tag=p".to_owned())
    };
    let (call_id, local, remote) = all.get(at).cloned().unwrap_or_else(new);
    let method: Method = METHODS[method].parse().unwrap();
    let mut request = Request::new(method.clone(), net::uri("sip:alice@192.0.2.1"))
        .header(HeaderName::Via, format!("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{serial}"))
        .header(HeaderName::From, remote)
        .header(HeaderName::To, local)
        .header(HeaderName::CallId, call_id)
        .header(HeaderName::CSeq, format!("{seq} {method}"))
        .header(HeaderName::MaxForwards, "70")
        .header(HeaderName::Contact, "<sip:peer@192.0.2.2>");
    decorate(&mut request.headers, rows);
    if let Some((kind, text)) = body.map(|at| BODIES[at]) {
        request.set_body(kind, text);
    }
    net.send_request(PEER, ALICE, request);
}

fn obey(ua: &mut UserAgent, now: Instant, id: SessionId, command: u8) -> Result<(), UaError> {
    let body = || Some(sdp("own"));
    match command {
        0 => ua.ring(now, id),
        1 => ua.progress(now, id, body()),
        2 => ua.accept(now, id, body()),
        3 => ua.reject(now, id, StatusCode::BUSY_HERE),
        4 => ua.reoffer(now, id, sdp("own")),
        5 => ua.request_offer(now, id),
        6 => ua.answer_reoffer(now, id, body()),
        7 => ua.provide_answer(now, id, sdp("own")),
        8 => ua.update(now, id, body()),
        9 => ua.update(now, id, None),
        10 => ua.refer(now, id, Refer::new(net::uri("sip:x@192.0.2.9"))),
        11 => ua.answer_early(now, id, EarlyDialogId(0), sdp("own")),
        12 => ua.accept_referral(now, ReferralId(id.0)),
        13 => ua.report_referral(now, ReferralId(id.0), StatusCode::OK),
        14 => ua.reject_reoffer(now, id, StatusCode::NOT_ACCEPTABLE_HERE),
        _ => ua.hangup(now, id),
    }
}

fn everybody(net: &mut Net, command: u8) {
    for id in sessions(net) {
        // Refused where the state does not allow it: that is part of the game.
        let _ = net.act(ALICE, |ua, now| obey(ua, now, id, command));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_a_peer_sends_breaks_a_session(
        steps in prop::collection::vec(step(), 1..60),
        seed in any::<u8>(),
        reliable in 0..3usize,
        timer in 0..4usize,
    ) {
        let mut net = Net::new(seed);
        net.add_agent("alice", |config| {
            config.reliable = [Reliable::Off, Reliable::Supported, Reliable::Required][reliable];
            config.session_timer = [
                SessionTimer::Off,
                SessionTimer::Supported,
                SessionTimer::Required,
                SessionTimer::Always,
            ][timer];
            config.session_expires = 90;
            config.remote_control = true;
            config.refer_outside = true;
        });
        net.add_script("peer");
        for (serial, step) in steps.iter().enumerate() {
            match step {
                Step::Dial(offer) => {
                    net.dial(ALICE, PEER, offer.then(|| sdp("offer")));
                }
                Step::Respond(at, code, tag, rows, body) => {
                    respond(&mut net, *at, *code, *tag, rows, *body);
                }
                Step::Request(method, seq, at, rows, body) => {
                    request(&mut net, serial, (*method, *seq, *at, rows, *body));
                }
                Step::Command(command) => everybody(&mut net, *command),
                Step::Wait(milliseconds) => net.run(*milliseconds),
            }
            net.run(30);
        }
        for _ in 0..3 {
            everybody(&mut net, 15);
            net.run(400_000);
        }
        net.assert_quiet();
    }
}
