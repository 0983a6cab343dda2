//! TLS towards the exchange. The chain must lead to an authority of the platform or to an anchor of ours, and
//! the certificate must name the host. There is no way to switch any of this off.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Largest file that is read.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Authorities that are trusted besides those of the platform: a company's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(Vec<CertificateDer<'static>>);

/// Why a file gives no anchors.
#[derive(Debug, Error)]
pub enum AnchorsError {
    /// The file is not there, may not be read, or is too large.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no certificate in it, or a damaged one.
    #[error("{path} holds no certificates that can be used")]
    Unusable {
        /// The file.
        path: PathBuf,
    },
}

impl Anchors {
    /// Reads all certificates of a PEM file. Blocks while reading.
    ///
    /// # Errors
    /// See [`AnchorsError`]. One damaged certificate makes the whole file fail.
    pub fn from_pem_file(path: &Path) -> Result<Self, AnchorsError> {
        let unreadable = |source| AnchorsError::Unreadable { path: path.to_owned(), source };
        let unusable = || AnchorsError::Unusable { path: path.to_owned() };
        if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST_FILE {
            return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let certificates = read.map_err(|_| unusable())?;
        let mut store = RootCertStore::empty();
        let usable = certificates.iter().all(|one| store.add(one.clone()).is_ok());
        if certificates.is_empty() || !usable {
            return Err(unusable());
        }
        Ok(Self(certificates))
    }
}

/// Opens TLS over a connection to `host`.
pub(crate) async fn connect(
    stream: TcpStream,
    host: &str,
    anchors: &Anchors,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "this is no name of a host"))?;
    let config = config(anchors).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn config(anchors: &Anchors) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(anchors.0.clone(), Arc::clone(&provider))?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
