//! TLS towards the web services: the platform's judgement, or an anchor of ours. There is no way to switch
//! any of this off.

use std::sync::{Arc, OnceLock};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;

use super::TrustAnchors;

/// How servers are verified.
pub(super) fn config(anchors: &TrustAnchors) -> Result<ClientConfig, TlsError> {
    let own =
        WebPkiServerVerifier::builder_with_provider(anchors.store().into(), provider()).build();
    let verifier = WebVerifier { own: own.ok(), provider: provider() };
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

/// The platform's judgement; `None` when the platform has no authorities at all. Made once: reading them
/// takes a while.
fn platform() -> Option<&'static Verifier> {
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

/// First by our own anchors, if there are some; whom they do not know, the platform judges.
#[derive(Debug)]
struct WebVerifier {
    own: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for WebVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let unknown = TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
        if let Some(own) = &self.own {
            match own.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            {
                Err(error) if error == unknown => {}
                outcome => return outcome,
            }
        }
        let platform = platform().ok_or(unknown)?;
        platform.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
