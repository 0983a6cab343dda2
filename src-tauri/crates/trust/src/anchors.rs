//! Certificate authorities that are trusted besides those of the platform.

use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use thiserror::Error;

/// Largest file that is read: the bundle of a whole platform has a quarter of a megabyte.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Certificates that may vouch for a server's: of a company's own authority, or the server's own when it vouches for
/// itself. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(Vec<CertificateDer<'static>>);

/// Why a text gives no anchors.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PemFault {
    /// There is none in it.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// It begins like a text with certificates, but one is damaged; what is wrong with it.
    #[error("a certificate in it cannot be used: {0}")]
    BadCertificate(String),
}

/// Why a file gives no anchors.
#[derive(Debug, Error)]
pub enum AnchorError {
    /// The file is not there, may not be read, or is too large.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file can be read, but holds nothing of use.
    #[error("{path}: {fault}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with its text.
        fault: PemFault,
    },
}

impl Anchors {
    /// All certificates of a PEM text.
    ///
    /// # Errors
    /// See [`PemFault`]. One damaged certificate makes the whole text fail: silently trusting less than was asked
    /// for would show only when a server cannot be reached.
    pub fn from_pem(text: &[u8]) -> Result<Self, PemFault> {
        let mut anchors = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(text) {
            match certificate {
                Ok(certificate) => {
                    let fits = RootCertStore::empty().add(certificate.clone());
                    fits.map_err(|error| PemFault::BadCertificate(error.to_string()))?;
                    anchors.push(certificate);
                }
                Err(PemError::NoItemsFound) => break,
                Err(error) => return Err(PemFault::BadCertificate(error.to_string())),
            }
        }
        if anchors.is_empty() {
            return Err(PemFault::NoCertificate);
        }
        Ok(Self(anchors))
    }

    /// Reads all certificates of a PEM file. Blocks while reading.
    ///
    /// # Errors
    /// See [`AnchorError`].
    pub fn from_pem_file(path: &Path) -> Result<Self, AnchorError> {
        let unreadable = |source| AnchorError::Unreadable { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > LARGEST_FILE {
            let source = io::Error::new(io::ErrorKind::FileTooLarge, "it is too large");
            return Err(unreadable(source));
        }
        let text = std::fs::read(path).map_err(unreadable)?;
        Self::from_pem(&text)
            .map_err(|fault| AnchorError::Unusable { path: path.to_owned(), fault })
    }

    /// Takes those of `other` in.
    pub fn add(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// In the form rustls verifies with.
    pub(crate) fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(self.0.iter().cloned());
        store
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;

    use super::{AnchorError, Anchors, PemFault};

    fn certificate() -> String {
        rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem()
    }

    #[test]
    fn certificates_are_read_with_text_around_them() {
        let text = format!("Our authority\n{}and another\n{}", certificate(), certificate());
        let mut anchors = Anchors::from_pem(text.as_bytes()).unwrap();
        assert_eq!(anchors.store().len(), 2);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(certificate().as_bytes()).unwrap();
        anchors.add(&Anchors::from_pem_file(file.path()).unwrap());
        assert_eq!(anchors.store().len(), 3);
    }

    #[test]
    fn what_is_wrong_with_a_text_is_told_apart() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for empty in [&b""[..], b"hello", &[0xff; 3000], key.as_bytes()] {
            assert_eq!(Anchors::from_pem(empty), Err(PemFault::NoCertificate));
        }
        let cut: String = certificate().lines().take(4).map(|line| format!("{line}\n")).collect();
        let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in [cut, format!("{}{rubbish}", certificate())] {
            let outcome = Anchors::from_pem(bad.as_bytes());
            assert!(matches!(outcome, Err(PemFault::BadCertificate(_))), "{outcome:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_names_the_file() {
        for unreadable in [Path::new("/nowhere/authority.pem"), &std::env::temp_dir()] {
            let outcome = Anchors::from_pem_file(unreadable);
            assert!(matches!(outcome, Err(AnchorError::Unreadable { .. })), "{outcome:?}");
        }
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"hello").unwrap();
        let error = Anchors::from_pem_file(file.path()).unwrap_err();
        assert!(matches!(error, AnchorError::Unusable { fault: PemFault::NoCertificate, .. }));
        assert!(error.to_string().starts_with(&*file.path().to_string_lossy()), "{error}");
    }
}
