//! What can be wrong with a description or an exchange, and the SIP status that tells the peer.

use crate::negotiator::State;

/// The bytes are not a session description, however kindly read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unreadable session description: {reason}")]
pub struct ParseError {
    /// What was wrong, for the log.
    pub reason: String,
}

/// Why an offer or an answer could not be made or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NegotiationError {
    /// The description cannot be read.
    #[error(transparent)]
    Malformed(#[from] ParseError),
    /// There is no audio stream in the description at all.
    #[error("the description offers no audio")]
    NoAudio,
    /// The two ends have no codec in common.
    #[error("no codec in common")]
    NoCommonCodec,
    /// Every audio line wants encryption, which this side does not have or not with these keys.
    #[error("only encrypted audio is offered")]
    SecureOnly,
    /// There is no audio line with keys that can be used, and this side does not talk in clear.
    #[error("the sound would not be encrypted")]
    NotEncrypted,
    /// The peer's answer refuses the audio stream (port 0).
    #[error("the peer refused the audio stream")]
    Refused,
    /// The media address is a host name or unreadable.
    #[error("unusable media address {0:?}")]
    UnusableAddress(String),
    /// The answer does not fit the offer, e.g. has another number of media lines.
    #[error("the answer does not match the offer: {0}")]
    Mismatch(&'static str),
    /// Not allowed while in that state, e.g. an offer while one is pending (glare).
    #[error("not possible in state {0:?}")]
    WrongState(State),
}

impl NegotiationError {
    /// The SIP status code that tells the peer about its offer: 400 unreadable, 491 glare, otherwise 488.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::WrongState(_) => 491,
            Self::NoAudio
            | Self::NoCommonCodec
            | Self::SecureOnly
            | Self::NotEncrypted
            | Self::Refused
            | Self::UnusableAddress(_)
            | Self::Mismatch(_) => 488,
        }
    }
}
