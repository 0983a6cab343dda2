//! What the media engine refuses, in words.

use std::net::IpAddr;

/// Why the engine could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The sound path cannot be opened.
    #[error(transparent)]
    Audio(#[from] audio::AudioError),
    /// Every even port of the range (with the odd one above it) is in use.
    #[error("no free RTP port pair between {first} and {last} on {addr}")]
    PortTaken {
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
        /// Address that was tried.
        addr: IpAddr,
    },
    /// The address is not one of this computer's, or the system refuses sockets.
    #[error("no RTP socket on {addr}: {source}")]
    Socket {
        /// Address that was tried.
        addr: IpAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The stream was closed or never opened.
    #[error("there is no such media stream")]
    UnknownStream,
    /// A codec could not be made ready.
    #[error(transparent)]
    Codec(#[from] crate::codec::CodecError),
    /// The keys of encrypted sound cannot be used.
    #[error("encrypted sound: {0}")]
    Srtp(#[from] rtp::SrtpError),
    /// The system gives no thread.
    #[error("no thread for media: {0}")]
    Thread(String),
    /// A call cannot be recorded.
    #[error("recording: {0}")]
    Recording(String),
    /// A ring tone file cannot be used.
    #[error("ring tone: {0}")]
    RingTone(String),
}
