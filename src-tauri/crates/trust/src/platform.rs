//! The platform's own authorities, and the cryptography that all certificates are checked with.

use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, ring};
use rustls_platform_verifier::Verifier;

pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

/// The platform's judgement; `None` when the platform has no authorities at all. Made once: reading them takes a
/// while.
pub(crate) fn platform() -> Option<&'static Verifier> {
    static PLATFORM: OnceLock<Option<Verifier>> = OnceLock::new();
    let make = || match Verifier::new(provider()) {
        Ok(verifier) => Some(verifier),
        Err(error) => {
            tracing::warn!("the platform's certificate authorities are not available: {error}");
            None
        }
    };
    PLATFORM.get_or_init(make).as_ref()
}
