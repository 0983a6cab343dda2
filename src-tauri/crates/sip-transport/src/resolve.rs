//! From a URI to addresses (RFC 3263, the part without NAPTR and SRV).

use sip_types::Transport as Protocol;
use thiserror::Error;

/// Why a URI leads nowhere. Cloneable, so that it can travel to the user agent as data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// The URI has no host, or is no SIP URI.
    #[error("{0} has no host to send to")]
    NoHost(String),
    /// There is no such name.
    #[error("the name {0} does not exist")]
    UnknownName(String),
    /// The name service did not answer.
    #[error("the name {name} could not be looked up: {reason}")]
    NameService {
        /// The name.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// No network interface leads there.
    #[error("there is no route to {0}")]
    NoRoute(String),
    /// The transport is one we do not speak.
    #[error("{0} is not supported")]
    Unsupported(Protocol),
}
