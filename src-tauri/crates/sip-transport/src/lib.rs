//! Sockets for SIP: UDP and TCP over IPv4 and IPv6, name resolution.
//!
//! [`Transport`] owns the sockets and their tasks. What arrives comes out of one bounded channel,
//! so a peer that floods us fills its own socket buffer and not our memory. What is to be sent goes
//! in without blocking; a send that fails comes back as [`Incoming::Failed`].
//!
//! A stream connection is one task over any `AsyncRead + AsyncWrite` (see `connection`); UDP is one
//! task per socket (see `datagram`); the router (see `router`) picks between them. A further
//! transport is a further way to open a stream.

mod bind;
mod config;
mod connection;
mod datagram;
mod listen;
mod resolve;
mod router;
mod transport;

use sip_core::{Source, Target};
use sip_types::{Message, ParseError};

pub use bind::BindError;
pub use config::TransportConfig;
pub use resolve::ResolveError;
pub use transport::Transport;

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
    /// for it is lost. Told once per connection.
    Failed {
        /// The peer's address.
        target: Target,
        /// The system's words, for people.
        reason: String,
    },
}
