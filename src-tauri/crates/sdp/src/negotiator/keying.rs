//! Which keys come of an offer and an answer: in the descriptions (RFC 4568), by a handshake in the media (RFC 5763), or
//! none.
//!
//! Where both ways are open the handshake is taken: its keys are never shown to the servers between. What is in use
//! stays in use, so that hold and resume change nothing.

use crate::crypto::{CryptoAttribute, CryptoSuite, Keying, MasterKey, SrtpKeys, SrtpPolicy};
use crate::dtls::DtlsParameters;
use crate::error::NegotiationError;
use crate::media::{LocalMedia, Negotiated};
use crate::stream::{AudioStream, Profile};

/// How a stream is protected.
pub(super) enum Protection {
    Clear,
    /// With these keys; an answer of ours writes the line.
    Keys(CryptoAttribute, SrtpKeys),
    Handshake(DtlsParameters),
}

impl Protection {
    /// The parts of an agreement.
    pub(super) fn agreed(&self) -> (Option<SrtpKeys>, Option<DtlsParameters>) {
        match self {
            Self::Clear => (None, None),
            Self::Keys(_, keys) => (Some(keys.clone()), None),
            Self::Handshake(parameters) => (None, Some(parameters.clone())),
        }
    }
}

/// How a first offer of ours is carried.
pub(super) fn first_profile(local: &LocalMedia) -> &'static str {
    match local.srtp {
        // With keys on it where encryption is a wish only (RFC 8643).
        SrtpPolicy::Off | SrtpPolicy::Optional => "RTP/AVP",
        SrtpPolicy::Required if local.keying() == (Keying { sdes: false, dtls: true }) => {
            if local.feedback { "UDP/TLS/RTP/SAVPF" } else { "UDP/TLS/RTP/SAVP" }
        }
        SrtpPolicy::Required => "RTP/SAVP",
    }
}

/// Our keys as lines of an offer: first the one in use, so that hold and resume change nothing.
pub(super) fn offered_keys(
    local: &LocalMedia,
    current: Option<&Negotiated>,
) -> Vec<CryptoAttribute> {
    if local.srtp == SrtpPolicy::Off || current.is_some_and(|current| current.dtls.is_some()) {
        return Vec::new();
    }
    let used = current.and_then(|current| current.srtp.as_ref());
    let is_used = |key: &&MasterKey| used.is_some_and(|used| used.send == **key);
    let others = local
        .keys
        .iter()
        .filter(|key| !is_used(key) && CryptoSuite::OFFERED.contains(&key.suite()));
    let line = |(tag, key): (u32, &MasterKey)| CryptoAttribute {
        tag,
        name: key.suite().as_str().to_owned(),
        key: key.clone(),
    };
    (1..).zip(local.keys.iter().filter(is_used).chain(others)).map(line).collect()
}

/// Whether an offer of ours asks for a handshake.
pub(super) fn offers_handshake(local: &LocalMedia, current: Option<&Negotiated>) -> bool {
    local.srtp != SrtpPolicy::Off
        && local.dtls.is_some()
        && current.is_none_or(|current| current.srtp.is_none())
}

/// Whether an offered line can be protected in a way that is open.
pub(super) fn can_protect(stream: &AudioStream, srtp: SrtpPolicy, keying: Keying) -> bool {
    let handshake = || stream.dtls.as_ref().and_then(|dtls| dtls.answer(false, None)).is_some();
    srtp != SrtpPolicy::Off
        && ((keying.sdes && !stream.crypto.is_empty()) || (keying.dtls && handshake()))
}

/// What comes of the peer's offer.
pub(super) fn answered(
    stream: &AudioStream,
    local: &LocalMedia,
    current: Option<&Negotiated>,
) -> Result<Protection, NegotiationError> {
    let before = current.and_then(|current| current.dtls.as_ref());
    let open = local.srtp != SrtpPolicy::Off;
    let keys = || {
        let (theirs, ours) = stream.keys(&local.keys).filter(|_| open)?;
        let keys = SrtpKeys { send: ours.clone(), receive: theirs.key.clone() };
        // The offer's number and its spelling of the suite (RFC 4568, 5.1.2).
        Some(Protection::Keys(CryptoAttribute { key: ours.clone(), ..theirs.clone() }, keys))
    };
    let handshake = || {
        let theirs = stream.dtls.as_ref().filter(|_| open && local.dtls.is_some())?;
        theirs.answer(stream.ice.is_some(), before).map(Protection::Handshake)
    };
    let found = match current.is_some_and(|current| current.srtp.is_some()) {
        true => keys().or_else(handshake),
        false => handshake().or_else(keys),
    };
    match found {
        Some(protection) => Ok(protection),
        None if stream.profile == Profile::Secure => Err(NegotiationError::SecureOnly),
        None if local.srtp == SrtpPolicy::Required => Err(NegotiationError::NotEncrypted),
        None => Ok(Protection::Clear),
    }
}

/// What comes of an answer to our offer. The suite tells which of our lines was taken; a peer that numbers its line
/// otherwise is forgiven.
pub(super) fn accepted(
    crypto: &[CryptoAttribute],
    handshake: bool,
    srtp: SrtpPolicy,
    stream: &AudioStream,
) -> Result<Protection, NegotiationError> {
    if let Some(theirs) = stream.dtls.as_ref().filter(|_| handshake)
        && let Some(parameters) = theirs.accept()
    {
        return Ok(Protection::Handshake(parameters));
    }
    let ours: Vec<_> = crypto.iter().map(|line| line.key.clone()).collect();
    match stream.keys(&ours) {
        Some((theirs, ours)) => {
            let keys = SrtpKeys { send: ours.clone(), receive: theirs.key.clone() };
            Ok(Protection::Keys(theirs.clone(), keys))
        }
        None if stream.profile == Profile::Secure => {
            Err(NegotiationError::Mismatch("another transport protocol"))
        }
        None if srtp == SrtpPolicy::Required => Err(NegotiationError::NotEncrypted),
        None => Ok(Protection::Clear),
    }
}
