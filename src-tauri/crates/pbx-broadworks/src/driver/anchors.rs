//! Certificate authorities that are trusted besides those of the platform.

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Certificates that may vouch for a server's: of a company's own authority. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustAnchors(Vec<CertificateDer<'static>>);

/// Why a text gives no anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    /// There is none in it.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// One cannot be used.
    #[error("a certificate in it cannot be used")]
    BadCertificate,
}

impl TrustAnchors {
    /// All certificates of a PEM text.
    ///
    /// # Errors
    /// See [`AnchorError`]. One damaged certificate makes the whole text fail: silently trusting less than
    /// was asked for would show only when a server cannot be reached.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, AnchorError> {
        let mut anchors = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(bytes) {
            let certificate = certificate.map_err(|_| AnchorError::BadCertificate)?;
            let fits = RootCertStore::empty().add(certificate.clone());
            fits.map_err(|_| AnchorError::BadCertificate)?;
            anchors.push(certificate);
        }
        if anchors.is_empty() {
            return Err(AnchorError::NoCertificate);
        }
        Ok(Self(anchors))
    }

    /// From certificates that have been read elsewhere.
    pub fn from_certificates(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self(certificates)
    }

    /// In the form rustls verifies with.
    pub(super) fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(self.0.iter().cloned());
        store
    }
}

#[cfg(test)]
mod tests {
    use super::{AnchorError, TrustAnchors};

    #[test]
    fn certificates_are_read_and_what_is_none_is_refused() {
        let pem = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem();
        let two = format!("Ours\n{pem}\nand\n{pem}");
        assert_eq!(TrustAnchors::from_pem(two.as_bytes()).unwrap().store().len(), 2);
        assert_eq!(TrustAnchors::from_pem(b"hello"), Err(AnchorError::NoCertificate));
        let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(TrustAnchors::from_pem(rubbish.as_bytes()), Err(AnchorError::BadCertificate));
    }
}
