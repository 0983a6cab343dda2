//! What the socket tests share.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file uses a part; in a test a panic is the message"
)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sip_core::{Source, Target};
use sip_transport::{FailureCause, Incoming, Transport, TransportConfig};
use sip_types::{Message, Response, StatusCode, Transport as Protocol};
use tokio::sync::mpsc;

pub const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Long enough for the busiest machine; only a failing test waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

/// A transport and what comes out of it.
pub struct Peer {
    pub transport: Transport,
    pub incoming: mpsc::Receiver<Incoming>,
}

impl Peer {
    pub fn port(&self) -> u16 {
        self.transport.port()
    }
}

pub fn config() -> TransportConfig {
    TransportConfig { bind: LOCALHOST, ..TransportConfig::default() }
}

pub async fn bind(config: TransportConfig) -> Peer {
    let (transport, incoming) = Transport::bind(config).await.unwrap();
    Peer { transport, incoming }
}

pub async fn bound(ip: IpAddr) -> Peer {
    bind(TransportConfig { bind: ip, ..config() }).await
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it should have happened by now")
}

pub async fn next(peer: &mut Peer) -> Incoming {
    within(peer.incoming.recv()).await.expect("the transport is open")
}

pub async fn expect_message(peer: &mut Peer) -> (Source, Message) {
    match next(peer).await {
        Incoming::Message { source, message } => (source, message),
        other => panic!("{other:?}"),
    }
}

pub async fn expect_failed(peer: &mut Peer) -> (Target, String) {
    match next(peer).await {
        Incoming::Failed { target, reason, .. } => (target, reason),
        other => panic!("{other:?}"),
    }
}

pub async fn expect_cause(peer: &mut Peer) -> (Target, FailureCause) {
    match next(peer).await {
        Incoming::Failed { target, cause, .. } => (target, cause),
        other => panic!("{other:?}"),
    }
}

pub fn options(protocol: Protocol, from: SocketAddr, call_id: &str) -> Vec<u8> {
    format!(
        "OPTIONS sip:bob@example.com SIP/2.0\r\n\
         Via: SIP/2.0/{protocol} {from};branch=z9hG4bK{call_id}\r\n\
         From: <sip:a@example.com>;tag=1\r\n\
         To: <sip:bob@example.com>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

pub fn response_to(request: &Message) -> Vec<u8> {
    let Message::Request(request) = request else { panic!("{request:?}") };
    Response::to_request(request, StatusCode::OK).to_bytes()
}
