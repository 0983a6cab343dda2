//! Sockets for SIP: UDP, TCP, TLS and WebSocket over IPv4 and IPv6, and server location.
//!
//! [`Transport`] owns the sockets and their tasks. What arrives comes out of one bounded channel,
//! so a peer that floods us fills its own socket buffer and not our memory. What is to be sent goes
//! in without blocking; a send that fails comes back as [`Incoming::Failed`].
//!
//! A stream connection is one task over any `AsyncRead + AsyncWrite` (see `connection`); UDP is one
//! task per socket (see `datagram`); the router (see `router`) picks between them.
//!
//! Where a URI leads is worked out in `locate`, which asks nobody itself. Every name a target was
//! found by is remembered (see `identity`): over TLS the server must prove all of them (see `tls`).

mod ask;
mod bind;
mod binding;
mod config;
mod connection;
mod datagram;
mod failure;
mod identity;
mod listen;
mod locate;
mod resolve;
mod router;
mod tls;
mod transport;
mod undelivered;
mod websocket;

use std::net::SocketAddr;

use sip_core::{Source, Target};
use sip_types::{Message, ParseError};

pub use bind::BindError;
#[doc(hidden)]
pub use binding::read_binding_answer;
pub use config::TransportConfig;
pub use failure::FailureCause;
pub use identity::Peering;
pub use resolve::ResolveError;
pub use tls::TlsFailure;
pub use transport::{Located, Transport};
pub use trust::Anchors;

/// Whether a target that is kept alive must show that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// It need not.
    Unwatched,
    /// It must once it has answered a keep-alive: a UDP target is asked by STUN, and if it does not
    /// know that gets empty lines. A connection is watched so in any case.
    IfAnswered,
    /// It must from the first on, or has failed. Only for peers known to answer (RFC 5626
    /// `outbound` or `Flow-Timer`, RFC 6223 `keep`).
    Watched,
}

/// What the sockets tell their owner.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "moved once, straight to its reader")]
pub enum Incoming {
    /// A message arrived.
    Message {
        /// Where from.
        source: Source,
        /// The message.
        message: Message,
    },
    /// Something arrived that is no SIP message. Hand it on to the transaction layer: a request is
    /// answered as far as it was readable.
    Malformed {
        /// Where from.
        source: Source,
        /// What is wrong with it.
        error: ParseError,
    },
    /// Nothing can be sent to `target`, or the connection with it has ended. Whatever was queued
    /// for it is lost. Told once per connection; of a UDP target each time that the network says so
    /// (see `undelivered`).
    Failed {
        /// The peer's address.
        target: Target,
        /// Why, told apart.
        cause: FailureCause,
        /// The same in words, for people.
        reason: String,
    },
    /// A supervised UDP target sees us at another address than before (or at this one, the first
    /// time): behind a NAT this is where requests reach us. A change means that the registration
    /// there leads nowhere any more.
    Mapped {
        /// The peer's address.
        target: Target,
        /// The address and port it sees.
        address: SocketAddr,
        /// What it saw before; `None` the first time.
        before: Option<SocketAddr>,
    },
}
