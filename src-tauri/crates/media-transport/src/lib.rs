//! Keys by DTLS and paths by ICE for one stream of sound: RFC 5764, RFC 8445, RFC 8656 and what shares a port with them
//! (RFC 7983).
//!
//! The protocols are those of the `webrtc` project's sans-IO crates (`rtc-dtls`, `rtc-ice`). What is here is their use for
//! one stream: which datagram is whose, when a handshake begins and over which path, whose certificate is believed, what
//! becomes of an agreement that changes in mid-call, and how much a stranger may make grow. Without sockets and without a
//! clock, though it stands among the adapters: the crates below want shared state that the lower layers do not have.
//!
//! Besides the stream's own port it has further sockets and ways to relays (TURN, RFC 8656), its links; whoever drives it
//! opens and closes them. Sound that goes over one of them comes through here too.
//!
//! [`Transport`] is fed with what was agreed and with datagrams, and gives datagrams, the path and the keys.

mod association;
mod certificate;
mod flight;
mod gathering;
mod links;
mod paths;
mod plan;
mod transport;
mod turn;

pub use certificate::LocalCertificate;
pub use plan::{Carrier, LinkId, Opening, Plan, RelayLogin, RelayServer};
pub use transport::{Agreement, Failure, Input, Output, Transport};

/// What a datagram on a media port is, by its first byte (RFC 7983, 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A check, or an answer to one.
    Stun,
    /// A handshake.
    Dtls,
    /// Sound or a report.
    Rtp,
    /// None of them; to be dropped.
    Other,
}

impl Kind {
    /// What that datagram is.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => Self::Stun,
            Some(20..=63) => Self::Dtls,
            Some(128..=191) => Self::Rtp,
            _ => Self::Other,
        }
    }
}

/// The protocols refuse to begin: no randomness, no cipher. Nothing of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("keys by DTLS cannot be had: {0}")]
pub struct SetupError(pub(crate) String);

#[cfg(test)]
mod relayed;
#[cfg(test)]
mod tests;
