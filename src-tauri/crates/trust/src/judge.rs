//! Judging what a server shows: the chain here, the names by the rule of what is spoken.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme,
};

use crate::Anchors;
use crate::platform::{platform, provider};

/// What a server shows of itself.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its certificate.
    pub end_entity: &'a CertificateDer<'a>,
    /// Those that lead from there to an authority.
    pub intermediates: &'a [CertificateDer<'a>],
    /// What the authority says of it these days (OCSP); may be empty.
    pub ocsp: &'a [u8],
    /// Now.
    pub now: UnixTime,
}

impl Shown<'_> {
    /// Judges the chain: it must lead to one of `anchors` or, failing that, to an authority of the platform. The
    /// platform looks at a name besides, whatever the protocol's rule for names is: `name` gives one that it finds.
    ///
    /// # Errors
    /// Why not; [`CertificateError::UnknownIssuer`] when nobody we trust has signed it.
    pub fn is_trusted<'n>(
        &self,
        anchors: &Anchors,
        name: impl FnOnce() -> Result<ServerName<'n>, TlsError>,
    ) -> Result<(), TlsError> {
        let algorithms = provider().signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(self.end_entity)?;
        let store = anchors.store();
        let ours = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &store,
            self.intermediates,
            self.now,
            algorithms,
        );
        let unknown = TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
        match ours {
            Err(error) if error == unknown => {}
            outcome => return outcome,
        }
        let platform = platform().ok_or(unknown)?;
        let Shown { end_entity, intermediates, ocsp, now } = *self;
        platform.verify_server_cert(end_entity, intermediates, &name()?, ocsp, now).map(|_| ())
    }
}

/// Judges the certificates of servers, by the rule for names of what is spoken.
pub trait Judge: fmt::Debug + Send + Sync {
    /// Judges what was shown by a server that was called by the name `asked`. The signatures of the handshake are
    /// checked besides.
    ///
    /// # Errors
    /// Why not.
    fn judge(&self, shown: &Shown<'_>, asked: &ServerName<'_>) -> Result<(), TlsError>;
}

/// The certificate must name the host that was asked for, as a DNS name or an address (RFC 9525): the rule of https
/// (RFC 9110 section 4.3.4) and of all that have none of their own.
#[derive(Debug)]
struct HostName(Anchors);

impl Judge for HostName {
    fn judge(&self, shown: &Shown<'_>, asked: &ServerName<'_>) -> Result<(), TlsError> {
        shown.is_trusted(&self.0, || Ok(asked.clone()))?;
        verify_server_name(&ParsedCertificate::try_from(shown.end_entity)?, asked)
    }
}

/// TLS towards servers that must prove their host name.
///
/// # Errors
/// When the cryptography has no version of TLS in common with us.
pub fn host_name(anchors: &Anchors) -> Result<ClientConfig, TlsError> {
    client_config(Arc::new(HostName(anchors.clone())))
}

/// TLS towards servers that `judge` lets in.
///
/// # Errors
/// When the cryptography has no version of TLS in common with us.
pub fn client_config(judge: Arc<dyn Judge>) -> Result<ClientConfig, TlsError> {
    let verifier = Verifier { judge, provider: provider() };
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// A judge in the form that rustls asks.
#[derive(Debug)]
struct Verifier {
    judge: Arc<dyn Judge>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let shown = Shown { end_entity, intermediates, ocsp: ocsp_response, now };
        self.judge.judge(&shown, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{CertificateError, Error as TlsError};

    use super::{HostName, Judge as _, Shown};
    use crate::Anchors;

    struct Authority(CertifiedIssuer<'static, KeyPair>);

    impl Authority {
        fn new() -> Self {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
        }

        fn anchors(&self) -> Anchors {
            Anchors::from_pem(self.0.pem().as_bytes()).unwrap()
        }

        fn vouch(&self, params: &CertificateParams) -> CertificateDer<'static> {
            params.signed_by(&KeyPair::generate().unwrap(), &self.0).unwrap().der().clone()
        }
    }

    fn judged(
        anchors: &Anchors,
        certificate: &CertificateDer<'_>,
        asked: &str,
    ) -> Result<(), TlsError> {
        let shown =
            Shown { end_entity: certificate, intermediates: &[], ocsp: &[], now: UnixTime::now() };
        let Ok(asked) = ServerName::try_from(asked) else { panic!("{asked} is no name") };
        HostName(anchors.clone()).judge(&shown, &asked)
    }

    fn named(names: &[&str]) -> CertificateParams {
        CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
            .unwrap()
    }

    #[test]
    fn the_host_must_be_named_by_somebody_we_trust() {
        let (ours, stranger) = (Authority::new(), Authority::new());
        let certificate = ours.vouch(&named(&["pbx.example", "*.web.example", "192.0.2.7"]));
        for asked in ["pbx.example", "PBX.example", "a.web.example", "192.0.2.7"] {
            assert_eq!(judged(&ours.anchors(), &certificate, asked), Ok(()), "{asked}");
        }
        for asked in ["other.example", "web.example", "a.b.web.example", "192.0.2.8"] {
            let refused = judged(&ours.anchors(), &certificate, asked);
            assert!(
                matches!(
                    refused,
                    Err(TlsError::InvalidCertificate(
                        CertificateError::NotValidForName
                            | CertificateError::NotValidForNameContext { .. }
                    ))
                ),
                "{asked}: {refused:?}"
            );
        }
        for anchors in [stranger.anchors(), Anchors::default()] {
            let refused = judged(&anchors, &certificate, "pbx.example");
            assert!(matches!(refused, Err(TlsError::InvalidCertificate(_))), "{refused:?}");
        }
    }

    #[test]
    fn a_certificate_that_has_run_out_is_no_good() {
        let ours = Authority::new();
        let mut params = named(&["pbx.example"]);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        let refused = judged(&ours.anchors(), &ours.vouch(&params), "pbx.example");
        assert!(
            matches!(
                refused,
                Err(TlsError::InvalidCertificate(
                    CertificateError::Expired | CertificateError::ExpiredContext { .. }
                ))
            ),
            "{refused:?}"
        );
    }
}
