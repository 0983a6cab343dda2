//! Requests too large for UDP (RFC 3261 section 18.1.1).

use std::time::{Duration, Instant};

use sip_types::{HeaderName, Message, Method, Request, Transport};

use super::{base, describe, request, response};
use crate::{
    Input, Output, Random, Route, Source, Target, TimerConfig, TransactionLayer, Transmit,
};

const SECOND: Duration = Duration::from_secs(1);

fn layer() -> (TransactionLayer, Instant) {
    (TransactionLayer::new(TimerConfig::default(), Random::from_seed([1; 32])), base())
}

fn route(transport: Transport) -> Route {
    Route {
        target: Target { transport, addr: "192.0.2.9:5060".parse().unwrap() },
        local: "192.0.2.1:5062".parse().unwrap(),
    }
}

/// A request that has `bytes` bytes with its Via over UDP.
fn sized(method: Method, bytes: usize) -> Request {
    let (mut layer, now) = layer();
    let mut padded = request(method);
    let padding = HeaderName::from("X-Padding");
    padded.headers.push(padding.clone(), "");
    layer.request(now, padded.clone(), &route(Transport::Udp));
    let without = sent(&mut layer).remove(0).payload.len();
    padded.headers.set(padding, "x".repeat(bytes - without));
    padded
}

fn sent(layer: &mut TransactionLayer) -> Vec<Transmit> {
    drain(layer).0
}

fn drain(layer: &mut TransactionLayer) -> (Vec<Transmit>, Vec<String>) {
    let (mut sent, mut told) = (Vec::new(), Vec::new());
    while let Some(output) = layer.poll_output() {
        match output {
            Output::Transmit(transmit) => sent.push(transmit),
            Output::Event(event) => told.push(describe(&event)),
        }
    }
    (sent, told)
}

/// The transport a message goes over, which its Via must name, and its branch.
fn way(transmit: &Transmit) -> (Transport, String) {
    let Ok(Message::Request(request)) = Message::parse(&transmit.payload) else {
        panic!("{transmit:?}")
    };
    let vias = request.headers.vias().unwrap();
    let [via] = vias.as_slice() else { panic!("{vias:?}") };
    assert!(via.transport == transmit.target.transport, "{via:?} towards {}", transmit.target);
    (transmit.target.transport, via.branch().unwrap().to_owned())
}

fn fail(layer: &mut TransactionLayer, now: Instant, transport: Transport) {
    let (target, reason) = (route(transport).target, "refused".to_owned());
    layer.handle_input(now, Input::TransportFailed { target, reason });
}

#[test]
fn thirteen_hundred_bytes_may_be_a_datagram_and_one_more_may_not() {
    for (bytes, transport) in [(1300, Transport::Udp), (1301, Transport::Tcp)] {
        let (mut layer, now) = layer();
        layer.request(now, sized(Method::Invite, bytes), &route(Transport::Udp));
        let sent = sent(&mut layer);
        assert_eq!(sent.len(), 1);
        assert_eq!(way(&sent[0]).0, transport);
        // Over TCP nothing is retransmitted.
        layer.handle_timeout(now + SECOND);
        assert_eq!(drain(&mut layer).0.is_empty(), transport == Transport::Tcp);
    }
}

#[test]
fn another_transport_is_left_alone() {
    let (mut layer, now) = layer();
    layer.request(now, sized(Method::Invite, 5000), &route(Transport::Tls));
    assert_eq!(way(&sent(&mut layer)[0]).0, Transport::Tls);
}

#[test]
fn what_tcp_does_not_take_goes_over_udp_in_the_same_transaction() {
    for method in [Method::Invite, Method::Register] {
        let (mut layer, now) = layer();
        let key = layer.request(now, sized(method.clone(), 2000), &route(Transport::Udp));
        let first = way(&sent(&mut layer)[0]);
        fail(&mut layer, now + SECOND, Transport::Tcp);
        let (again, told) = drain(&mut layer);
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(again.len(), 1);
        assert_eq!(way(&again[0]), (Transport::Udp, first.1));
        // It is retransmitted from then on, and answered as ever.
        layer.handle_timeout(now + 2 * SECOND);
        assert_eq!(drain(&mut layer).0.len(), 1);
        let Ok(Message::Request(request)) = Message::parse(&again[0].payload) else { panic!() };
        let source = Source {
            transport: Transport::Udp,
            local: "192.0.2.1:5062".parse().unwrap(),
            remote: "192.0.2.9:5060".parse().unwrap(),
        };
        let message = Message::Response(response(&request, 200, "b"));
        layer.handle_input(now + 2 * SECOND, Input::Received { source, message });
        assert_eq!(drain(&mut layer).1, [format!("200 for {key}")]);
    }
}

#[test]
fn when_udp_fails_too_it_is_told() {
    let (mut layer, now) = layer();
    layer.request(now, sized(Method::Register, 2000), &route(Transport::Udp));
    fail(&mut layer, now, Transport::Tcp);
    fail(&mut layer, now, Transport::Tcp);
    assert_eq!(drain(&mut layer).1, Vec::<String>::new());
    fail(&mut layer, now, Transport::Udp);
    assert_eq!(drain(&mut layer).1, ["client-1 failed: cannot be sent: refused"]);
}

#[test]
fn a_server_without_tcp_is_remembered_for_a_while() {
    let (mut layer, now) = layer();
    layer.request(now, sized(Method::Register, 2000), &route(Transport::Udp));
    fail(&mut layer, now, Transport::Tcp);
    drain(&mut layer);
    for (after, transport) in [(599, Transport::Udp), (600, Transport::Tcp)] {
        let now = now + after * SECOND;
        layer.request(now, sized(Method::Invite, 2000), &route(Transport::Udp));
        let sent = sent(&mut layer);
        assert_eq!(sent.last().map(|last| way(last).0), Some(transport));
    }
}

#[test]
fn a_connection_that_ends_later_is_no_refusal() {
    let (mut layer, now) = layer();
    layer.request(now, sized(Method::Invite, 2000), &route(Transport::Udp));
    let first = sent(&mut layer).remove(0);
    let Ok(Message::Request(request)) = Message::parse(&first.payload) else { panic!() };
    let source = Source {
        transport: Transport::Tcp,
        local: "192.0.2.1:5062".parse().unwrap(),
        remote: "192.0.2.9:5060".parse().unwrap(),
    };
    let message = Message::Response(response(&request, 180, "b"));
    layer.handle_input(now, Input::Received { source, message });
    fail(&mut layer, now, Transport::Tcp);
    let (sent_after, told) = drain(&mut layer);
    assert!(sent_after.is_empty(), "{told:?}");
    layer.request(now, sized(Method::Register, 2000), &route(Transport::Udp));
    assert_eq!(way(&sent(&mut layer)[0]).0, Transport::Tcp);
}

#[test]
fn a_large_ack_goes_over_tcp_and_learns_too() {
    let (mut layer, now) = layer();
    let ack = sized(Method::Ack, 2000);
    layer.send_ack(now, ack.clone(), &route(Transport::Udp));
    assert_eq!(way(&sent(&mut layer)[0]).0, Transport::Tcp);
    fail(&mut layer, now, Transport::Tcp);
    layer.send_ack(now, ack, &route(Transport::Udp));
    assert_eq!(way(&sent(&mut layer)[0]).0, Transport::Udp);
}
