//! Real sockets on the loopback interface. Nothing sleeps: each step waits for what it expects,
//! with a deadline.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use common::{
    LOCALHOST, Peer, bind, bound, expect_cause, expect_failed, expect_message, next, options,
    response_to, within,
};
use sip_core::{Target, Transmit};
use sip_transport::{BindError, FailureCause, Incoming, ResolveError, Transport, TransportConfig};
use sip_types::{Message, Transport as Protocol, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

async fn exchange(protocol: Protocol, ip: IpAddr) {
    let (mut caller, mut callee) = (bound(ip).await, bound(ip).await);
    let target = Target { transport: protocol, addr: SocketAddr::new(ip, callee.port()) };
    for round in 0..3 {
        let sent = options(protocol, SocketAddr::new(ip, caller.port()), &format!("r{round}"));
        caller.transport.send(Transmit::new(target, sent.clone()));
        let (source, request) = expect_message(&mut callee).await;
        assert_eq!(source.transport, protocol);
        assert_eq!(source.local, target.addr);
        assert_eq!(request.to_bytes(), sent);
        callee.transport.send(Transmit::new(source.back(), response_to(&request)));
        let (source, response) = expect_message(&mut caller).await;
        assert_eq!(source.remote, target.addr);
        assert!(matches!(response, Message::Response(_)));
    }
}

#[tokio::test]
async fn requests_and_answers_over_udp() {
    exchange(Protocol::Udp, LOCALHOST).await;
}

#[tokio::test]
async fn requests_and_answers_over_one_tcp_connection() {
    exchange(Protocol::Tcp, LOCALHOST).await;
}

#[tokio::test]
async fn requests_and_answers_over_ipv6() {
    if std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return;
    }
    exchange(Protocol::Udp, Ipv6Addr::LOCALHOST.into()).await;
    exchange(Protocol::Tcp, Ipv6Addr::LOCALHOST.into()).await;
}

#[tokio::test]
async fn an_unspecified_address_means_both_families() {
    if std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return;
    }
    for any in [IpAddr::from(Ipv4Addr::UNSPECIFIED), IpAddr::from(Ipv6Addr::UNSPECIFIED)] {
        let mut everywhere = bound(any).await;
        let mut peers = Vec::new();
        for ip in [LOCALHOST, IpAddr::from(Ipv6Addr::LOCALHOST)] {
            for protocol in [Protocol::Udp, Protocol::Tcp] {
                let peer = bound(ip).await;
                let addr = SocketAddr::new(ip, everywhere.port());
                let sent = options(protocol, SocketAddr::new(ip, peer.port()), "x");
                peer.transport.send(Transmit::new(Target { transport: protocol, addr }, sent));
                let (source, _) = expect_message(&mut everywhere).await;
                assert_eq!(source.remote.ip(), ip);
                assert_eq!(source.local, addr);
                peers.push(peer);
            }
        }
    }
}

#[tokio::test]
async fn a_taken_port_is_told_as_such() {
    let first = bound(LOCALHOST).await;
    let config = TransportConfig { bind: LOCALHOST, port: first.port(), ..Default::default() };
    let error = Transport::bind(config).await.err();
    assert!(
        matches!(error, Some(BindError::PortTaken { port, .. }) if port == first.port()),
        "{error:?}"
    );
    let udp_only = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let port = udp_only.local_addr().unwrap().port();
    let config = TransportConfig { bind: LOCALHOST, port, ..Default::default() };
    let error = Transport::bind(config).await.err();
    assert!(matches!(error, Some(BindError::PortTaken { .. })), "{error:?}");
    let foreign = "203.0.113.1".parse().unwrap();
    let config = TransportConfig { bind: foreign, ..Default::default() };
    let error = Transport::bind(config).await.err();
    assert!(matches!(error, Some(BindError::NotOurAddress(ip)) if ip == foreign), "{error:?}");
}

#[tokio::test]
async fn a_port_is_free_again_after_the_transport_is_dropped() {
    let first = bound(LOCALHOST).await;
    let port = first.port();
    drop(first);
    within(async {
        loop {
            let config = TransportConfig { bind: LOCALHOST, port, ..Default::default() };
            if Transport::bind(config).await.is_ok() {
                break;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn rubbish_does_not_stop_the_ear() {
    let mut ear = bound(LOCALHOST).await;
    let mouth = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let to = SocketAddr::new(LOCALHOST, ear.port());
    for rubbish in [&b"\r\n\r\n"[..], b"\0\0", b"hello", &[0xff; 1400]] {
        mouth.send_to(rubbish, to).await.unwrap();
    }
    let good = options(Protocol::Udp, mouth.local_addr().unwrap(), "x");
    mouth.send_to(&good, to).await.unwrap();
    for _ in 0..2 {
        let incoming = next(&mut ear).await;
        assert!(matches!(incoming, Incoming::Malformed { .. }), "{incoming:?}");
    }
    expect_message(&mut ear).await;
}

#[tokio::test]
async fn a_stream_in_pieces_is_put_together() {
    let mut ear = bound(LOCALHOST).await;
    let mut mouth = TcpStream::connect((LOCALHOST, ear.port())).await.unwrap();
    let one = options(Protocol::Tcp, mouth.local_addr().unwrap(), "x");
    let two = [one.clone(), one].concat();
    let (head, tail) = two.split_at(two.len() / 2 + 7);
    mouth.write_all(head).await.unwrap();
    expect_message(&mut ear).await;
    mouth.write_all(tail).await.unwrap();
    let (source, _) = expect_message(&mut ear).await;
    assert_eq!(source.remote, mouth.local_addr().unwrap());
}

#[tokio::test]
async fn a_stream_that_makes_no_sense_is_closed() {
    let mut ear = bound(LOCALHOST).await;
    let mut mouth = TcpStream::connect((LOCALHOST, ear.port())).await.unwrap();
    mouth.write_all(b"OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n").await.unwrap();
    let (target, _) = expect_failed(&mut ear).await;
    assert_eq!(target.addr, mouth.local_addr().unwrap());
    assert_eq!(within(mouth.read(&mut [0; 8])).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn nobody_listening_is_a_failure() {
    let mut caller = bound(LOCALHOST).await;
    let closed = TcpListener::bind((LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let target = Target { transport: Protocol::Tcp, addr: closed };
    caller.transport.send(Transmit::new(target, b"x".to_vec()));
    match next(&mut caller).await {
        Incoming::Failed { target: failed, cause, reason } => {
            assert_eq!((failed, cause), (target, FailureCause::Refused));
            assert!(reason.starts_with("cannot connect"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

/// The system tells it, and not by the first datagram alone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn nobody_listening_to_datagrams_is_a_failure() {
    for ip in [LOCALHOST, IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let (mut caller, mut other) = (bound(ip).await, bound(ip).await);
        let gone = std::net::UdpSocket::bind((ip, 0)).unwrap();
        let target = Target { transport: Protocol::Udp, addr: gone.local_addr().unwrap() };
        drop(gone);
        let there = Target { addr: SocketAddr::new(ip, other.port()), ..target };
        let own = SocketAddr::new(ip, caller.port());
        for round in 0..5 {
            // What is sent to somebody else meanwhile arrives.
            caller.transport.send(Transmit::new(target, b"OPTIONS".to_vec()));
            let request = options(Protocol::Udp, own, &format!("c{round}"));
            caller.transport.send(Transmit::new(there, request));
            let (_, message) = expect_message(&mut other).await;
            other
                .transport
                .send(Transmit::new(Target { addr: own, ..target }, response_to(&message)));
        }
        let (mut failed, mut answered) = (0, 0);
        while answered < 5 || failed < 4 {
            match next(&mut caller).await {
                Incoming::Failed { target: to, cause, .. } => {
                    assert_eq!((to, cause), (target, FailureCause::Refused));
                    failed += 1;
                }
                Incoming::Message { .. } => answered += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((failed, answered), (4, 5));
    }
}

#[tokio::test]
async fn an_answer_finds_a_new_way_when_its_connection_is_gone() {
    let mut callee = bound(LOCALHOST).await;
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let sent_by = listener.local_addr().unwrap();
    let mut caller = TcpStream::connect((LOCALHOST, callee.port())).await.unwrap();
    caller.write_all(&options(Protocol::Tcp, sent_by, "x")).await.unwrap();
    let (source, request) = expect_message(&mut callee).await;
    drop(caller);
    assert_eq!(expect_failed(&mut callee).await.0, source.back());
    let payload = response_to(&request);
    let transmit = Transmit { target: source.back(), fallback: Some(sent_by), payload };
    callee.transport.send(transmit.clone());
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    let mut got = vec![0; transmit.payload.len()];
    within(stream.read_exact(&mut got)).await.unwrap();
    assert_eq!(got, transmit.payload);
}

#[tokio::test]
async fn the_end_of_a_connection_is_told_and_the_next_message_opens_another() {
    let mut caller = bound(LOCALHOST).await;
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let target = Target { transport: Protocol::Tcp, addr: listener.local_addr().unwrap() };
    for _ in 0..2 {
        caller.transport.send(Transmit::new(target, b"x".to_vec()));
        let (stream, _) = within(listener.accept()).await.unwrap();
        drop(stream);
        assert_eq!(expect_failed(&mut caller).await.0, target);
    }
}

#[tokio::test]
async fn the_connection_idle_for_longest_makes_room() {
    let mut ear = bind(TransportConfig { max_connections: 2, ..common::config() }).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect((LOCALHOST, ear.port())).await.unwrap();
        let sent = options(Protocol::Tcp, stream.local_addr().unwrap(), "x");
        stream.write_all(&sent).await.unwrap();
        loop {
            // The closing of the first may be told before the third one's message.
            match next(&mut ear).await {
                Incoming::Message { .. } => break,
                Incoming::Failed { target, .. } => {
                    let first: &TcpStream = streams.first().unwrap();
                    assert_eq!(target.addr, first.local_addr().unwrap());
                }
                other => panic!("{other:?}"),
            }
        }
        streams.push(stream);
    }
    let first = streams.first_mut().unwrap();
    assert_eq!(within(first.read(&mut [0; 8])).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_family_without_sockets_is_a_failure() {
    let mut caller = bound(LOCALHOST).await;
    let target = Target { transport: Protocol::Udp, addr: "[::1]:5060".parse().unwrap() };
    caller.transport.send(Transmit::new(target, b"x".to_vec()));
    assert_eq!(expect_cause(&mut caller).await, (target, FailureCause::Unreachable));
}

async fn resolve(peer: &Peer, uri: &str) -> Result<Vec<String>, ResolveError> {
    let routes = within(peer.transport.resolve(&Uri::parse(uri).unwrap())).await?;
    Ok(routes.iter().map(|route| format!("{} from {}", route.target, route.local)).collect())
}

#[tokio::test]
async fn addresses_need_no_name_service() {
    let peer = bound(Ipv4Addr::UNSPECIFIED.into()).await;
    let port = peer.port();
    let here = |target: &str| Ok(vec![format!("{target} from 127.0.0.1:{port}")]);
    assert_eq!(resolve(&peer, "sip:bob@127.0.0.1").await, here("UDP:127.0.0.1:5060"));
    assert_eq!(
        resolve(&peer, "sip:127.0.0.1:5080;transport=tcp").await,
        here("TCP:127.0.0.1:5080")
    );
    assert_eq!(
        resolve(&peer, "sip:bob@example.com;maddr=127.0.0.1").await,
        here("UDP:127.0.0.1:5060")
    );
    assert_eq!(resolve(&peer, "sips:bob@127.0.0.1").await, here("TLS:127.0.0.1:5061"));
    assert_eq!(resolve(&peer, "sip:bob@127.0.0.1;transport=ws").await, here("WS:127.0.0.1:80"));
    let sctp = Err(ResolveError::Unsupported("sctp".to_owned()));
    assert_eq!(resolve(&peer, "sip:bob@127.0.0.1;transport=sctp").await, sctp);
    let no_host = Err(ResolveError::NoHost("tel:+31201234567".to_owned()));
    assert_eq!(resolve(&peer, "tel:+31201234567").await, no_host);
}

#[tokio::test]
async fn names_come_from_the_hosts_file() {
    let peer = bound(LOCALHOST).await;
    let local = format!("127.0.0.1:{}", peer.port());
    let expected = Ok(vec![format!("UDP:127.0.0.1:5099 from {local}")]);
    assert_eq!(resolve(&peer, "sip:localhost:5099").await, expected);
}

#[tokio::test]
async fn a_family_without_sockets_is_no_route() {
    let peer = bound(LOCALHOST).await;
    let outcome = resolve(&peer, "sip:[::1]").await;
    assert_eq!(outcome, Err(ResolveError::NoRoute("sip:[::1]".to_owned())));
}
