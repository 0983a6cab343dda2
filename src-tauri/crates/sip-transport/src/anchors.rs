//! Certificate authorities that are trusted besides those of the platform.

use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use thiserror::Error;

/// Largest file that is read: the bundle of a whole platform has a quarter of a megabyte.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Certificates that may vouch for a server's: of a company's own authority, or the server's own
/// when it vouches for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchors(Vec<CertificateDer<'static>>);

/// Why a file gives no anchors.
#[derive(Debug, Error)]
pub enum AnchorError {
    /// The file is not there or may not be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file can be read, but there is no certificate in it.
    #[error("there is no certificate in {path}")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file begins like one with certificates, but one is damaged.
    #[error("a certificate in {path} cannot be used: {reason}")]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Anchors {
    /// Reads all certificates of a PEM file. Blocks while reading.
    ///
    /// # Errors
    /// See [`AnchorError`]. One damaged certificate makes the whole file fail: silently trusting
    /// less than was asked for would show only when a server cannot be reached.
    pub fn from_pem_file(path: &Path) -> Result<Self, AnchorError> {
        let unreadable = |source| AnchorError::Unreadable { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > LARGEST_FILE {
            let source = io::Error::new(io::ErrorKind::FileTooLarge, "it is too large");
            return Err(unreadable(source));
        }
        Self::from_pem(&std::fs::read(path).map_err(unreadable)?, path)
    }

    /// Reads the files in turn and takes their certificates together.
    ///
    /// # Errors
    /// The first file's that fails.
    pub fn from_pem_files<P: AsRef<Path>>(paths: &[P]) -> Result<Self, AnchorError> {
        let mut all = Self::default();
        for path in paths {
            all.add(&Self::from_pem_file(path.as_ref())?);
        }
        Ok(all)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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

    fn from_pem(bytes: &[u8], path: &Path) -> Result<Self, AnchorError> {
        let bad = |reason: String| AnchorError::BadCertificate { path: path.to_owned(), reason };
        let mut anchors = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(bytes) {
            match certificate {
                Ok(certificate) => {
                    let fits = RootCertStore::empty().add(certificate.clone());
                    fits.map_err(|error| bad(error.to_string()))?;
                    anchors.push(certificate);
                }
                Err(PemError::NoItemsFound) => break,
                Err(error) => return Err(bad(error.to_string())),
            }
        }
        if anchors.is_empty() {
            return Err(AnchorError::NoCertificate { path: path.to_owned() });
        }
        Ok(Self(anchors))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;

    use super::{AnchorError, Anchors};

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn read(content: &[u8]) -> Result<Anchors, AnchorError> {
        Anchors::from_pem_file(file(content).path())
    }

    fn certificate() -> String {
        rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem()
    }

    #[test]
    fn certificates_are_read_with_text_around_them() {
        let text = format!("Our authority\n{}and another\n{}", certificate(), certificate());
        let anchors = read(text.as_bytes()).unwrap();
        assert_eq!(anchors.store().len(), 2);
        assert!(!anchors.is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_apart() {
        let missing = Anchors::from_pem_file(Path::new("/nowhere/authority.pem"));
        assert!(matches!(missing, Err(AnchorError::Unreadable { .. })), "{missing:?}");
        let directory = Anchors::from_pem_file(&std::env::temp_dir());
        assert!(matches!(directory, Err(AnchorError::Unreadable { .. })), "{directory:?}");
        for empty in [&b""[..], b"hello", &[0xff; 3000]] {
            let outcome = read(empty);
            assert!(matches!(outcome, Err(AnchorError::NoCertificate { .. })), "{outcome:?}");
        }
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        assert!(matches!(read(key.as_bytes()), Err(AnchorError::NoCertificate { .. })));
        let cut: String = certificate().lines().take(4).map(|line| format!("{line}\n")).collect();
        assert!(matches!(read(cut.as_bytes()), Err(AnchorError::BadCertificate { .. })));
        let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let both = format!("{}{rubbish}", certificate());
        assert!(matches!(read(both.as_bytes()), Err(AnchorError::BadCertificate { .. })));
    }
}
