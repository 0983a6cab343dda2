//! Session descriptions and the offer/answer model (RFC 8866, RFC 3264), with the keys of encrypted sound (RFC 4568, RFC 5763) and
//! the ways between two ends (RFC 8839).
//!
//! Owns what two ends agree on about one audio stream: [`SessionDescription`] reads and writes the text (tolerant
//! of what carriers send, strict in what it writes), [`Negotiator`] holds the offer/answer state of one dialog and
//! yields a [`Negotiated`] stream, which is all that the media side needs. Audio only: every other media line is
//! kept in its place and refused with port 0. No clock, no I/O, no randomness.

mod codec;
mod crypto;
mod description;
mod dtls;
mod error;
mod ice;
mod local;
mod media;
mod negotiator;
mod stream;

pub use codec::{Codec, CodecKind};
pub use crypto::{
    CryptoAttribute, CryptoError, CryptoSuite, Keying, MasterKey, SrtpKeys, SrtpPolicy, redacted,
};
pub use description::SessionDescription;
pub use dtls::{DtlsParameters, DtlsRole, Fingerprint, HashFunction, Setup};
pub use error::{NegotiationError, ParseError};
pub use ice::{Candidate, CandidateKind, IceCredentials, IceParameters, LocalIce};
pub use media::{Direction, LocalMedia, Negotiated, TelephoneEvent};
pub use negotiator::{Negotiator, State};
