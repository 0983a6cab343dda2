//! The transaction layer (RFC 3261 section 17, with RFC 6026, 3581 and 4320).
//!
//! Retransmissions, ACKs to refusals, CANCEL matching, `100 Trying`, merged requests and response
//! routing happen in here. The transaction user (TU) sees each request and each answer once, except
//! 2xx to INVITE: every one that arrives is handed up, and retransmitting one's own 2xx until the
//! ACK comes is the TU's task (RFC 6026). A request of more than 1300 bytes whose route says UDP
//! goes over TCP, and over UDP after all when that fails (section 18.1.1).

mod action;
mod client;
mod client_invite;
mod client_non_invite;
mod large;
mod layer;
mod matching;
mod server;
mod server_invite;
mod server_non_invite;
mod timers;
mod via;

use std::fmt;

use sip_types::{Message, ParseError, Request, Response};

pub use layer::TransactionLayer;
pub use timers::TimerConfig;

use crate::{Source, Target, Transmit};

/// Names a client transaction, also after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey(u64);

/// Names a server transaction, also after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerKey(u64);

/// How many transactions may be under way at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Client transactions. One more fails at once with [`Failure::TooMany`].
    pub client: usize,
    /// Server transactions. One more request is answered `503` without keeping anything.
    pub server: usize,
}

/// What the transport tells.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "moved once, straight to its reader")]
pub enum Input {
    /// A message arrived.
    Received {
        /// Where from.
        source: Source,
        /// The message as parsed.
        message: Message,
    },
    /// Bytes arrived that are no valid message. A request is answered with the status the error
    /// names, if enough of it was readable; everything else is dropped.
    Malformed {
        /// Where from.
        source: Source,
        /// What the parser said.
        error: ParseError,
    },
    /// Nothing can be sent to `target` (RFC 3261 section 17.1.4).
    TransportFailed {
        /// The address that failed.
        target: Target,
        /// What the system said, for people.
        reason: String,
    },
}

/// What the layer wants done.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once, straight to its reader")]
pub enum Output {
    /// Send this.
    Transmit(Transmit),
    /// Tell the TU.
    Event(Event),
}

/// What the transaction user is told.
#[derive(Debug)]
pub enum Event {
    /// A new request; answer it with [`TransactionLayer::respond`]. Its top Via carries `received`
    /// and `rport` as the source demands. Never ACK or CANCEL.
    Request {
        /// The transaction to answer in.
        key: ServerKey,
        /// The request.
        request: Request,
        /// Where it came from.
        source: Source,
    },
    /// The ACK to a 2xx: it belongs to no transaction and is given each time it arrives.
    Ack {
        /// The ACK.
        request: Request,
        /// Where it came from.
        source: Source,
    },
    /// The caller gave up an INVITE we have not answered finally. The CANCEL itself has been
    /// answered `200`; the TU now answers the INVITE `487`.
    Cancel {
        /// The INVITE's transaction.
        key: ServerKey,
        /// The CANCEL, for its Reason header.
        request: Request,
        /// Where it came from.
        source: Source,
    },
    /// An answer. After a final one only further 2xx to INVITE may follow, from other branches of
    /// a fork or retransmitted: each one is owed an ACK.
    Response {
        /// The transaction of the request.
        key: ClientKey,
        /// The answer.
        response: Response,
        /// Where it came from.
        source: Source,
    },
    /// An answer that belongs to no transaction (any more), such as a 2xx to INVITE that arrives
    /// more than 64*T1 after the first.
    StrayResponse {
        /// The answer.
        response: Response,
        /// Where it came from.
        source: Source,
    },
    /// A request got no final answer. Nothing more comes for this key.
    Failed {
        /// The transaction of the request.
        key: ClientKey,
        /// Why.
        failure: Failure,
    },
    /// An answer of ours may not have arrived. Nothing more comes for this key.
    ServerFailed {
        /// The transaction.
        key: ServerKey,
        /// Why.
        failure: ServerFailure,
    },
    /// A client transaction whose outcome was told before is gone.
    ClientTerminated {
        /// The transaction.
        key: ClientKey,
    },
    /// A server transaction is gone; answers to it go nowhere from now on.
    ServerTerminated {
        /// The transaction.
        key: ServerKey,
    },
}

/// Why a request got no final answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Timer B or F fired, or 64*T1 passed after a CANCEL: to be treated as a 408.
    Timeout,
    /// The transport could not send it: to be treated as a 503.
    Transport(String),
    /// A CANCEL that was held back for a provisional answer was overtaken by the INVITE's end.
    Overtaken,
    /// [`Limits::client`] is reached.
    TooMany,
}

/// Why an answer of ours may not have arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFailure {
    /// No ACK came for a refused INVITE (timer H).
    NoAck,
    /// The transport could not send it.
    Transport(String),
}

impl Default for Limits {
    fn default() -> Self {
        Self { client: 20_000, server: 20_000 }
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client-{}", self.0)
    }
}

impl fmt::Display for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server-{}", self.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("no answer in time"),
            Self::Transport(reason) => write!(f, "cannot be sent: {reason}"),
            Self::Overtaken => f.write_str("the call ended before it could be cancelled"),
            Self::TooMany => f.write_str("too many transactions under way"),
        }
    }
}

#[cfg(test)]
mod tests;
