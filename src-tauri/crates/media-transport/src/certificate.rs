//! The certificate that this run of the program shows. Nobody vouches for it: its fingerprint goes with the description.

use std::fmt;
use std::sync::Arc;

use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::crypto::Certificate;
use sdp::{Fingerprint, HashFunction};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::SetupError;

/// A key and a certificate of its own, made anew for every run.
#[derive(Clone)]
pub struct LocalCertificate {
    pub(crate) certificate: Certificate,
    pub(crate) provider: Arc<dyn RTCCryptoProvider>,
    fingerprint: Fingerprint,
}

impl LocalCertificate {
    /// Makes one: ECDSA on P-256, which every peer must have (RFC 8827, 6.5).
    ///
    /// # Errors
    /// [`SetupError`] when the system gives no randomness or the ciphers are missing.
    pub fn generate() -> Result<Self, SetupError> {
        let refused = |error: &dyn fmt::Display| SetupError(error.to_string());
        let provider = rtc_crypto::default_provider().map_err(|error| refused(&error))?;
        let names = vec!["webrtc.invalid".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto())
            .map_err(|error| refused(&error))?;
        let fingerprint = certificate
            .certificate
            .first()
            .and_then(|der| hash(HashFunction::Sha256, der.as_ref()))
            .ok_or_else(|| SetupError("no certificate".to_owned()))?;
        Ok(Self { certificate, provider, fingerprint })
    }

    /// What goes with the description.
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl fmt::Debug for LocalCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalCertificate({})", self.fingerprint)
    }
}

/// Whether a certificate is one of those that the peer's description names.
pub(crate) fn is_named(fingerprints: &[Fingerprint], certificate: &[u8]) -> bool {
    fingerprints.iter().any(|named| hash(named.function(), certificate).as_ref() == Some(named))
}

fn hash(function: HashFunction, bytes: &[u8]) -> Option<Fingerprint> {
    let digest = match function {
        HashFunction::Sha256 => Sha256::digest(bytes).to_vec(),
        HashFunction::Sha384 => Sha384::digest(bytes).to_vec(),
        HashFunction::Sha512 => Sha512::digest(bytes).to_vec(),
    };
    Fingerprint::new(function, digest)
}
