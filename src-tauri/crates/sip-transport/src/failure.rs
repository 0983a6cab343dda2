//! Why nothing can be sent to a target, told apart.

use std::fmt;
use std::io;

use crate::tls::{self, TlsFailure};

/// Why a target failed. Stable: an owner may match on it; the words beside it are for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureCause {
    /// The other side runs no server there, or refuses us.
    Refused,
    /// It did not answer in time, or has stopped answering.
    Timeout,
    /// No way leads there.
    Unreachable,
    /// An open connection has ended.
    Closed,
    /// TLS could not be agreed on, or the server did not prove who it is. Never to be retried
    /// without TLS.
    Tls(TlsFailure),
    /// There is a server, but it offers no SIP over WebSocket (RFC 7118) at this path.
    WebSocket,
    /// What arrived makes no sense.
    Nonsense,
    /// Anything else; the words say what.
    Other,
}

/// A cause with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) cause: FailureCause,
    pub(crate) reason: String,
}

impl Failure {
    pub(crate) fn new(cause: FailureCause, reason: impl Into<String>) -> Self {
        Self { cause, reason: reason.into() }
    }

    /// What the system says about a socket, or what rustls wrapped into such an error.
    pub(crate) fn io(doing: &str, error: &io::Error) -> Self {
        if let Some(failure) = tls::failure_in(error) {
            return Self::new(FailureCause::Tls(failure), format!("{doing}: {failure}"));
        }
        let cause = match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::PermissionDenied => {
                FailureCause::Refused
            }
            io::ErrorKind::TimedOut => FailureCause::Timeout,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => FailureCause::Unreachable,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => FailureCause::Closed,
            _ => FailureCause::Other,
        };
        Self::new(cause, format!("{doing}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
