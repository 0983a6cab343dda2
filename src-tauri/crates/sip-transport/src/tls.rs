//! TLS towards servers: who is trusted, and whom a certificate vouches for (RFC 5922).
//!
//! The chain must lead to an authority of the platform, or to an anchor of ours. The certificate
//! must name the domain that was asked for, before any SRV record: in its subject alternative names
//! as a `sip:` URI or a DNS name, or as an address when an address was asked for. The common name
//! never counts. There is no way to switch any of this off.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, Error as TlsError, OtherError};
use sip_types::{Host, Uri};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trust::{Anchors, Judge, Shown};

/// Why TLS failed. Stable: each has a different remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsFailure {
    /// No authority we trust has signed the certificate: the company's own is missing among the
    /// extra anchors, or somebody is in between.
    UnknownIssuer,
    /// The certificate has run out, or this machine's clock is wrong.
    Expired,
    /// The certificate is not valid yet, or this machine's clock is wrong.
    NotYetValid,
    /// The certificate is somebody else's.
    WrongName,
    /// The certificate names the domain only through a wildcard, which SIP does not allow
    /// (RFC 5922 section 7.2).
    OnlyWildcard,
    /// The authority has revoked the certificate.
    Revoked,
    /// The certificate is damaged or not made for servers.
    BadCertificate,
    /// No version or cipher in common.
    NoCommonProtocol,
    /// What answers does not speak TLS.
    NotTls,
    /// The server refused us; it may want a certificate of ours.
    Refused,
    /// Anything else.
    Other,
}

/// One name a server must prove, with the anchors that count for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) host: Host,
    pub(crate) anchors: Anchors,
}

/// Why a handshake failed, and which names were not vouched for although others were.
#[derive(Debug)]
pub(crate) struct HandshakeError {
    pub(crate) error: io::Error,
    pub(crate) strangers: Vec<Host>,
}

/// What a server showed: its certificate and those it was signed with.
pub(crate) type Chain = Vec<CertificateDer<'static>>;

/// Opens TLS over `stream` and makes the server prove every one of `identities`; the first is
/// told to it (SNI). Gives back what the server showed besides.
pub(crate) async fn connect<S>(
    stream: S,
    identities: Vec<Identity>,
) -> Result<(TlsStream<S>, Chain), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let plain = |error: io::Error| HandshakeError { error, strangers: Vec::new() };
    let names = Arc::new(SipNames::new(identities));
    let name = names.first().map_err(|error| plain(io::Error::other(error)))?;
    let config = config(Arc::clone(&names)).map_err(|error| plain(io::Error::other(error)))?;
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(stream) => {
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let chain = chain.iter().cloned().map(CertificateDer::into_owned).collect();
            Ok((stream, chain))
        }
        Err(error) => Err(HandshakeError { error, strangers: names.strangers() }),
    }
}

/// Whether a server that showed `chain` would have been let in under a further name.
pub(crate) fn proves(chain: &Chain, identity: &Identity) -> bool {
    let Some((end_entity, intermediates)) = chain.split_first() else { return false };
    identity.judge(&Shown { end_entity, intermediates, ocsp: &[], now: UnixTime::now() }).is_ok()
}

/// Sessions are not resumed: each connection proves itself anew, to the names of that time.
fn config(names: Arc<SipNames>) -> Result<ClientConfig, TlsError> {
    let mut config = trust::client_config(names)?;
    config.resumption = Resumption::disabled();
    Ok(config)
}

impl Identity {
    /// Whether what was shown is trusted under this name, and names it.
    fn judge(&self, shown: &Shown<'_>) -> Result<(), TlsError> {
        shown.is_trusted(&self.anchors, || name_for_platform(shown.end_entity, &self.host))?;
        vouches(shown.end_entity, &self.host).map_err(TlsError::InvalidCertificate)
    }
}

/// Judges one server's certificate for one connection.
#[derive(Debug)]
struct SipNames {
    identities: Vec<Identity>,
    strangers: Mutex<Vec<Host>>,
}

impl SipNames {
    fn new(identities: Vec<Identity>) -> Self {
        Self { identities, strangers: Mutex::default() }
    }

    fn first(&self) -> Result<ServerName<'static>, TlsError> {
        let first = self.identities.first().ok_or(TlsError::UnsupportedNameType)?;
        server_name(&first.host)
    }

    fn strangers(&self) -> Vec<Host> {
        std::mem::take(&mut *self.strangers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Judge for SipNames {
    /// Every identity must be vouched for: messages for all of them go over the connection.
    fn judge(&self, shown: &Shown<'_>, _asked: &ServerName<'_>) -> Result<(), TlsError> {
        if self.identities.is_empty() {
            return Err(TlsError::InvalidCertificate(CertificateError::NotValidForName));
        }
        let mut failed = Vec::new();
        let mut outcome = Ok(());
        for identity in &self.identities {
            if let Err(error) = identity.judge(shown) {
                failed.push(identity.host.clone());
                outcome = outcome.and(Err(error));
            }
        }
        if failed.len() < self.identities.len() {
            *self.strangers.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        }
        outcome
    }
}

/// The platform checks a name besides. When the certificate vouches by a `sip:` URI, that is one
/// of the DNS names it has as well; the identity itself is checked by [`vouches`].
fn name_for_platform(
    end_entity: &CertificateDer<'_>,
    host: &Host,
) -> Result<ServerName<'static>, TlsError> {
    let certificate = webpki::EndEntityCert::try_from(end_entity)
        .map_err(|_| TlsError::InvalidCertificate(CertificateError::BadEncoding))?;
    let own = server_name(host)?;
    if certificate.verify_is_valid_for_subject_name(&own).is_ok() {
        return Ok(own);
    }
    let other = certificate.valid_dns_names().find(|name| !name.starts_with('*'));
    let other = other.and_then(|name| ServerName::try_from(name.to_owned()).ok());
    Ok(other.unwrap_or(own))
}

fn server_name(host: &Host) -> Result<ServerName<'static>, TlsError> {
    match host {
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|_| TlsError::UnsupportedNameType)
        }
        Host::V4(ip) => Ok(ServerName::from(std::net::IpAddr::V4(*ip))),
        Host::V6(ip) => Ok(ServerName::from(std::net::IpAddr::V6(*ip))),
    }
}

/// Whether the certificate names `host` (RFC 5922 sections 7.1 and 7.2): whole names only, without
/// regard to case; of URIs those of the scheme `sip` that have no user part.
fn vouches(certificate: &CertificateDer<'_>, host: &Host) -> Result<(), CertificateError> {
    let certificate =
        webpki::EndEntityCert::try_from(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let Host::Name(name) = host else {
        let address = server_name(host).map_err(|_| CertificateError::NotValidForName)?;
        let valid = certificate.verify_is_valid_for_subject_name(&address);
        return valid.map_err(|_| CertificateError::NotValidForName);
    };
    let by_uri = certificate.valid_uri_names().any(|text| {
        Uri::parse(text).is_ok_and(|uri| {
            let named = matches!(uri.host(), Some(Host::Name(host)) if same(host, name));
            uri.scheme() == "sip" && uri.raw_user().is_none() && named
        })
    });
    if by_uri || certificate.valid_dns_names().any(|dns| same(dns, name)) {
        return Ok(());
    }
    let wildcard = ServerName::try_from(name.as_str())
        .is_ok_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok());
    if wildcard {
        return Err(CertificateError::Other(OtherError(Arc::new(OnlyWildcard))));
    }
    Err(CertificateError::NotValidForName)
}

fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('.').eq_ignore_ascii_case(b.trim_end_matches('.'))
}

/// The mark of [`TlsFailure::OnlyWildcard`] inside an error of rustls.
#[derive(Debug)]
struct OnlyWildcard;

impl fmt::Display for OnlyWildcard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only a wildcard of the certificate fits")
    }
}

impl StdError for OnlyWildcard {}

/// What rustls says inside an error of the stream, if it is rustls' doing.
pub(crate) fn failure_in(error: &io::Error) -> Option<TlsFailure> {
    let inner = error.get_ref()?.downcast_ref::<TlsError>()?;
    Some(match inner {
        TlsError::InvalidCertificate(error) => of_certificate(error),
        TlsError::PeerIncompatible(_) => TlsFailure::NoCommonProtocol,
        TlsError::InvalidMessage(_) | TlsError::PeerSentOversizedRecord => TlsFailure::NotTls,
        TlsError::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => TlsFailure::NoCommonProtocol,
        TlsError::AlertReceived(_) => TlsFailure::Refused,
        TlsError::NoCertificatesPresented => TlsFailure::BadCertificate,
        TlsError::UnsupportedNameType => TlsFailure::WrongName,
        _ => TlsFailure::Other,
    })
}

fn of_certificate(error: &CertificateError) -> TlsFailure {
    match error {
        CertificateError::UnknownIssuer => TlsFailure::UnknownIssuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFailure::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFailure::WrongName
        }
        CertificateError::Revoked => TlsFailure::Revoked,
        CertificateError::Other(other) if other.0.is::<OnlyWildcard>() => TlsFailure::OnlyWildcard,
        _ => TlsFailure::BadCertificate,
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownIssuer => "its certificate is signed by nobody we trust",
            Self::Expired => "its certificate has expired",
            Self::NotYetValid => "its certificate is not valid yet",
            Self::WrongName => "its certificate is for another name",
            Self::OnlyWildcard => "its certificate names it only by a wildcard, which SIP forbids",
            Self::Revoked => "its certificate has been revoked",
            Self::BadCertificate => "its certificate cannot be used",
            Self::NoCommonProtocol => "it speaks no TLS version or cipher that we do",
            Self::NotTls => "it does not speak TLS",
            Self::Refused => "it refused the TLS connection",
            Self::Other => "the TLS connection failed",
        })
    }
}
