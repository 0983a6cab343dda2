//! What can be set about the sockets, with defaults that suit a phone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sip_core::framing::FramingLimits;

use crate::Anchors;

/// Settings of a [`Transport`](crate::Transport).
#[derive(Debug, Clone)]
pub struct TransportConfig {
    /// The address to listen on. An unspecified one (`0.0.0.0` or `[::]`) means all addresses of
    /// both families, as far as the system has them.
    pub bind: IpAddr,
    /// The port for UDP and TCP alike; 0 lets the system choose one.
    pub port: u16,
    /// How many received messages may wait for the owner before reading pauses.
    pub incoming_queue: usize,
    /// How many messages may wait to be written to one connection.
    pub connection_queue: usize,
    /// Most open connections. When one more comes, the one idle for longest is closed.
    pub max_connections: usize,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How long TLS and WebSocket together may take to agree after that.
    pub handshake_timeout: Duration,
    /// A connection over which nothing was received or written for this long is closed. Keep-alives
    /// count.
    pub idle_timeout: Duration,
    /// A connection on which the rest of a begun message stays out for this long is closed.
    pub message_timeout: Duration,
    /// A ping (CRLF CRLF) is written on a connection we opened when it was idle for this long.
    pub ping_interval: Duration,
    /// A ping not answered for this long means the connection has failed (RFC 5626 section 4.4.1),
    /// if the peer has answered one before or the owner named the target with
    /// [`Transport::keep_alive`](crate::Transport::keep_alive) as one that must.
    pub pong_timeout: Duration,
    /// How often a keep-alive datagram goes to UDP targets the owner named; a STUN one up to four
    /// seconds later (RFC 5626 section 4.4.2).
    pub datagram_keep_alive: Duration,
    /// Authorities that count for every server, besides the platform's.
    pub anchors: Anchors,
    /// Where WebSocket servers are asked for SIP, unless a
    /// [`Peering`](crate::Peering) says otherwise. Asterisk and Kamailio have `/ws`.
    pub websocket_path: String,
    /// The name servers to ask; empty for those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// What a peer may make one connection buffer.
    pub framing: FramingLimits,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 0,
            incoming_queue: 256,
            connection_queue: 256,
            max_connections: 1024,
            connect_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(15 * 60),
            message_timeout: Duration::from_secs(32),
            ping_interval: Duration::from_secs(100),
            pong_timeout: Duration::from_secs(10),
            datagram_keep_alive: Duration::from_secs(25),
            anchors: Anchors::default(),
            websocket_path: "/ws".to_owned(),
            name_servers: Vec::new(),
            framing: FramingLimits::default(),
        }
    }
}
