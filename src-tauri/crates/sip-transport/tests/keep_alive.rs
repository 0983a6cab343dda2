//! Keep-alives and the watch over connections, on real sockets with short times.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod common;

use std::time::Duration;

use common::{LOCALHOST, bind, config, expect_failed, expect_message, options, within};
use sip_core::{Target, Transmit};
use sip_transport::{TransportConfig, Watch};
use sip_types::Transport as Protocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const SOON: Duration = Duration::from_millis(30);

/// A transport with a connection open to a peer that is played by hand.
async fn connected(config: TransportConfig) -> (common::Peer, TcpStream, Target) {
    let peer = bind(config).await;
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let target = Target { transport: Protocol::Tcp, addr: listener.local_addr().unwrap() };
    peer.transport.send(Transmit::new(target, b"x".to_vec()));
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    assert_eq!(within(stream.read_u8()).await.unwrap(), b'x');
    (peer, stream, target)
}

async fn expect_ping(stream: &mut TcpStream) {
    let mut ping = [0; 4];
    within(stream.read_exact(&mut ping)).await.unwrap();
    assert_eq!(&ping, b"\r\n\r\n");
}

#[tokio::test]
async fn a_peer_that_stops_answering_pings_has_failed() {
    let times = TransportConfig { ping_interval: SOON, pong_timeout: SOON * 4, ..config() };
    let (mut peer, mut stream, target) = connected(times).await;
    expect_ping(&mut stream).await;
    stream.write_all(b"\r\n").await.unwrap();
    expect_ping(&mut stream).await;
    let (failed, reason) = expect_failed(&mut peer).await;
    assert_eq!(failed, target);
    assert_eq!(reason, "a ping was not answered");
}

#[tokio::test]
async fn a_peer_that_never_answered_is_not_held_to_it() {
    let times = TransportConfig { ping_interval: SOON, pong_timeout: SOON, ..config() };
    let (mut peer, mut stream, _) = connected(times).await;
    for _ in 0..4 {
        expect_ping(&mut stream).await;
    }
    let message = options(Protocol::Tcp, stream.local_addr().unwrap(), "x");
    stream.write_all(&message).await.unwrap();
    expect_message(&mut peer).await;
}

#[tokio::test]
async fn a_supervised_peer_is() {
    let times = TransportConfig { ping_interval: SOON, pong_timeout: SOON, ..config() };
    let peer = bind(times).await;
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let target = Target { transport: Protocol::Tcp, addr: listener.local_addr().unwrap() };
    peer.transport.keep_alive(target, Watch::Watched);
    peer.transport.send(Transmit::new(target, b"x".to_vec()));
    let mut peer = peer;
    assert_eq!(expect_failed(&mut peer).await.0, target);
}

#[tokio::test]
async fn a_ping_is_answered() {
    let peer = bind(config()).await;
    let mut stream = TcpStream::connect((LOCALHOST, peer.port())).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"\r\n\r\n").await.unwrap();
        let mut pong = [0; 2];
        within(stream.read_exact(&mut pong)).await.unwrap();
        assert_eq!(&pong, b"\r\n");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let mut peer = bind(TransportConfig { idle_timeout: SOON, ..config() }).await;
    let mut stream = TcpStream::connect((LOCALHOST, peer.port())).await.unwrap();
    let (failed, reason) = expect_failed(&mut peer).await;
    assert_eq!(failed.addr, stream.local_addr().unwrap());
    assert_eq!(reason, "it was idle for too long");
    assert_eq!(within(stream.read(&mut [0; 1])).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_message_that_stays_half_is_not_waited_for() {
    let mut peer = bind(TransportConfig { message_timeout: SOON, ..config() }).await;
    let mut stream = TcpStream::connect((LOCALHOST, peer.port())).await.unwrap();
    stream.write_all(b"OPTIONS sip:a SIP/2.0\r\nVia: ").await.unwrap();
    let (_, reason) = expect_failed(&mut peer).await;
    assert_eq!(reason, "a message was begun and not completed");
}

#[tokio::test]
async fn named_udp_targets_get_keep_alives() {
    let peer = bind(TransportConfig { datagram_keep_alive: SOON, ..config() }).await;
    let socket = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let target = Target { transport: Protocol::Udp, addr: socket.local_addr().unwrap() };
    peer.transport.keep_alive(target, Watch::Unwatched);
    let mut buffer = [0; 16];
    for _ in 0..3 {
        let (len, from) = within(socket.recv_from(&mut buffer)).await.unwrap();
        assert_eq!(&buffer[..len], b"\r\n\r\n");
        assert_eq!(from.port(), peer.port());
    }
    peer.transport.let_go(target);
}

#[tokio::test]
async fn a_server_without_stun_is_asked_once_and_then_only_kept() {
    let peer = bind(TransportConfig { datagram_keep_alive: SOON, ..config() }).await;
    let socket = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let target = Target { transport: Protocol::Udp, addr: socket.local_addr().unwrap() };
    peer.transport.keep_alive(target, Watch::IfAnswered);
    let mut buffer = [0; 64];
    let mut questions = 0;
    let mut lines = 0;
    while lines < 3 {
        let (len, _) = within(socket.recv_from(&mut buffer)).await.unwrap();
        if &buffer[..len] == b"\r\n\r\n" {
            lines += 1;
        } else {
            assert_eq!((len, lines), (20, 0), "a binding request, and none later");
            questions += 1;
        }
    }
    assert_eq!(questions, 4);
    // Nothing was told: it has not failed.
    let mut peer = peer;
    assert!(peer.incoming.try_recv().is_err());
}
