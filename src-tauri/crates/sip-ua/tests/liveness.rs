//! A server that falls silent while nothing is going on: noticed long before the next refresh.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use std::time::Duration;

use net::{Net, uri};
use sip_core::Target;
use sip_types::{HeaderName, Method, Request, Response, StatusCode, Transport};
use sip_ua::{Event, Input, RegistrationState};

const SERVER: usize = 0;
const PHONE: usize = 1;

fn setting(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.add_script("server");
    net.add_agent("phone", |config| {
        config.registrar = uri("sip:192.0.2.1");
        config.register = true;
        config.expires = 600;
        config.ping = Some(Duration::from_secs(30));
    });
    net.run(50);
    let register = net.requests(SERVER).pop().unwrap();
    grant(&mut net, &register);
    net
}

fn grant(net: &mut Net, request: &Request) {
    assert_eq!(request.method, Method::Register);
    let contact = request.headers.get(&HeaderName::Contact).unwrap().into_owned();
    let response = Response::to_request(request, StatusCode::OK)
        .header(HeaderName::Contact, format!("{contact};expires=600"));
    net.send_response(SERVER, PHONE, response);
    net.run(50);
}

fn methods(net: &mut Net) -> Vec<Method> {
    net.requests(SERVER).into_iter().map(|request| request.method).collect()
}

fn state(net: &Net) -> RegistrationState {
    let states = net.nodes[PHONE].history.iter().rev();
    let mut states = states.filter_map(|event| match event {
        Event::Registration { state, .. } => Some(state.clone()),
        _ => None,
    });
    states.next().unwrap()
}

fn is_registered(net: &Net) -> bool {
    matches!(state(net), RegistrationState::Registered { .. })
}

/// Waits for the next OPTIONS for at most so many seconds, answers it, and tells how long it took.
fn asked(net: &mut Net, seconds: u64, code: u16) -> u64 {
    for second in 1..=seconds {
        net.run(1000);
        // What has been given up meanwhile may still be repeated.
        let question = net.requests(SERVER).into_iter().rfind(|r| r.method == Method::Options);
        if let Some(request) = question {
            assert!(request.headers.to().unwrap().tag().is_none());
            let status = StatusCode::new(code).unwrap();
            net.send_response(SERVER, PHONE, Response::to_request(&request, status));
            net.run(50);
            return second;
        }
    }
    panic!("not asked in {seconds} s");
}

fn target() -> Target {
    Target { transport: Transport::Udp, addr: "192.0.2.1:5060".parse().unwrap() }
}

fn is_trouble(event: &Event) -> bool {
    matches!(event, Event::Registration { state: RegistrationState::Unreachable { .. }, .. })
}

/// The words of the first trouble within so many seconds, and how many it took.
fn trouble(net: &mut Net, seconds: u64) -> (String, u64) {
    for tenth in 0..seconds * 10 {
        net.run(100);
        let words = net.nodes[PHONE].history.iter().find_map(|event| match event {
            Event::Registration { state: RegistrationState::Unreachable { cause }, .. } => {
                Some(cause.clone())
            }
            _ => None,
        });
        if let Some(words) = words {
            return (words, tenth / 10);
        }
    }
    panic!("no trouble in {seconds} s");
}

/// The server is there: it grants whatever it is asked for, also what has been given up meanwhile.
fn heal(net: &mut Net) {
    net.inbox_clear(SERVER);
    for _ in 0..100 {
        net.run(100);
        for request in net.requests(SERVER).iter().filter(|r| r.method == Method::Register) {
            grant(net, request);
        }
        if is_registered(net) {
            return net.inbox_clear(SERVER);
        }
    }
    panic!("not registered again by itself");
}

#[test]
fn a_server_that_falls_silent_is_missed_and_found_again() {
    let mut net = setting(1);
    // Whatever it answers, it is there; and it is asked less and less often.
    assert!((30..=35).contains(&asked(&mut net, 40, 404)));
    assert!((44..=46).contains(&asked(&mut net, 50, 200)));
    assert!((59..=61).contains(&asked(&mut net, 70, 200)));
    assert!((59..=61).contains(&asked(&mut net, 70, 200)));
    assert!(is_registered(&net));
    // Now it is gone: nobody answers the next one.
    let (words, seconds) = trouble(&mut net, 100);
    assert_eq!(words, "the server does not answer");
    assert!((91..=93).contains(&seconds), "a minute of silence and a transaction: {seconds}");
    // It comes back, and nobody had to do anything.
    heal(&mut net);
    assert!((30..=35).contains(&asked(&mut net, 40, 200)), "watched as before");
}

#[test]
fn whatever_is_heard_spares_the_question() {
    let mut net = setting(2);
    for number in 0..10 {
        net.run(25_000);
        let text = format!(
            "OPTIONS sip:phone@192.0.2.2 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n\
             From: <sip:192.0.2.1>;tag=s\r\nTo: <sip:phone@192.0.2.2>\r\nCall-ID: {number}\r\n\
             CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        net.send(SERVER, PHONE, text.into_bytes());
        net.run(100);
    }
    assert!(methods(&mut net).is_empty());
    asked(&mut net, 40, 200);
}

#[test]
fn a_server_with_no_ear_for_the_question_is_left_in_peace() {
    let mut net = setting(3);
    // It leaves the question open, and is asked for the registration instead, which it gives.
    for tenth in 0.. {
        assert!(tenth < 800, "never asked for the registration");
        net.run(100);
        let asked = net.requests(SERVER).into_iter().rfind(|r| r.method == Method::Register);
        if let Some(request) = asked {
            grant(&mut net, &request);
            break;
        }
    }
    net.inbox_clear(SERVER);
    assert!(is_registered(&net));
    net.run(300_000);
    assert!(methods(&mut net).is_empty());
    assert!(!net.history_has(PHONE, is_trouble));
}

#[test]
fn one_that_was_never_asked_before_is_missed_as_well() {
    let mut net = setting(4);
    let (_, seconds) = trouble(&mut net, 80);
    assert!((62..=70).contains(&seconds), "{seconds}");
    heal(&mut net);
    asked(&mut net, 40, 200);
}

#[test]
fn stun_spares_the_question_and_is_believed() {
    let mut net = setting(5);
    let seen = |changed| Input::Mapped { target: target(), changed };
    net.act(PHONE, |ua, now| ua.handle_input(now, seen(false)));
    net.run(300_000);
    assert!(methods(&mut net).is_empty());
    // The NAT has given us another address: the registration leads nowhere.
    net.act(PHONE, |ua, now| ua.handle_input(now, seen(true)));
    net.run(50);
    let register = net.requests(SERVER).pop().expect("at once");
    grant(&mut net, &register);
    assert!(is_registered(&net));
    // It is silent: seen within seconds.
    let reason = "keep-alives are not answered".to_owned();
    let lost = Input::TransportFailed { target: target(), reason };
    net.act(PHONE, |ua, now| ua.handle_input(now, lost));
    assert!(trouble(&mut net, 10).1 < 5);
    heal(&mut net);
    asked(&mut net, 40, 200);
}
