//! One DTLS association: the handshake with one certificate, and the keys that come of it (RFC 5764, 4.2).
//!
//! Inputs: `begin` once there is a way to the peer, datagrams, the time. States: waiting for a first message, in the
//! handshake, done, refused. The crate below keeps what arrives out of order without a limit until the handshake is done,
//! so what is fed to it is counted here, and it is not fed with repetitions (see [`crate::flight`]); and it takes a flight
//! that was sent seven times in vain for the end, where a peer that is not there yet only needs another try.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile as Profile;
use rtc_dtls::state::State;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use sdp::{CryptoSuite, DtlsParameters, DtlsRole, MasterKey, SrtpKeys};

use crate::SetupError;
use crate::certificate::{LocalCertificate, is_named};
use crate::flight::{Arrived, News};

/// The crate below names peers by address; ours may change its address in the middle of a handshake.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1);
/// What is sent is sent again after this long without an answer: long for most ways, short to a person.
const FLIGHT: Duration = Duration::from_millis(500);
/// How often a peer may begin anew.
const MOST_BEGINNINGS: u32 = 8;
/// Datagrams that one handshake may take. A long one takes a dozen, and with losses a few times that.
const MOST_DATAGRAMS: u32 = 500;
/// Bytes of one datagram with room to spare for tunnels.
const MTU: usize = 1_200;
/// The label under which keys are drawn (RFC 5764, 4.2).
const LABEL: &str = "EXTRACTOR-dtls_srtp";

/// Suites with forward secrecy and a proof of their own. The last one is there for old peers.
const CIPHERS: [CipherSuiteId; 6] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_256_Cbc_Sha,
];

/// What media may be encrypted with, best first (RFC 5764, 4.1.2; RFC 7714, 14.2).
const PROFILES: [(Profile, CryptoSuite); 3] = [
    (Profile::Srtp_Aead_Aes_256_Gcm, CryptoSuite::AeadAes256Gcm),
    (Profile::Srtp_Aead_Aes_128_Gcm, CryptoSuite::AeadAes128Gcm),
    (Profile::Srtp_Aes128_Cm_Hmac_Sha1_80, CryptoSuite::AesCm128HmacSha1_80),
];

/// What became of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing to tell.
    None,
    /// The handshake is done.
    Keys(SrtpKeys),
    /// The peer has another certificate than its description names.
    WrongCertificate,
    /// The handshake is done, but there is nothing in common to encrypt media with.
    NoCommonCipher,
}

/// One association.
pub(crate) struct Association {
    agreed: DtlsParameters,
    config: Arc<HandshakeConfig>,
    endpoint: Endpoint,
    /// A client's first message was sent.
    begun: bool,
    done: bool,
    taken: u32,
    arrived: Arrived,
    /// How often the peer began.
    beginnings: u32,
}

impl Association {
    pub(crate) fn new(
        certificate: &LocalCertificate,
        agreed: DtlsParameters,
    ) -> Result<Self, SetupError> {
        let client = agreed.role == DtlsRole::Client;
        let named = agreed.fingerprints.clone();
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&certificate.provider))
            .with_certificates(vec![certificate.certificate.clone()])
            .with_cipher_suites(CIPHERS.to_vec())
            .with_srtp_protection_profiles(PROFILES.iter().map(|(profile, _)| *profile).collect())
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_extended_master_secret(ExtendedMasterSecretType::Request)
            // Nobody vouches for these certificates; what counts is the fingerprint, which is looked at here and once
            // more before any key is drawn.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(Arc::new(move |chain: &[Vec<u8>], _: &[_]| {
                let own = chain.first().is_some_and(|certificate| is_named(&named, certificate));
                own.then_some(()).ok_or(Error::ErrInvalidCertificate)
            })))
            .with_server_name("webrtc.invalid".to_owned())
            .with_flight_interval(FLIGHT)
            .with_mtu(MTU)
            .build(client, None)
            .map_err(|error| SetupError(error.to_string()))?;
        let config = Arc::new(config);
        let endpoint = endpoint(client, &config);
        Ok(Self {
            agreed,
            config,
            endpoint,
            begun: false,
            done: false,
            taken: 0,
            arrived: Arrived::default(),
            beginnings: 0,
        })
    }

    /// Whether another agreement is served by this association too (RFC 8842, 3.1).
    pub(crate) fn serves(&self, agreed: &DtlsParameters) -> bool {
        self.agreed == *agreed
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// There is a way to the peer: a client sends its first message.
    pub(crate) fn begin(&mut self, now: Instant) {
        if self.begun || self.agreed.role == DtlsRole::Server {
            return;
        }
        self.begun = true;
        if let Err(error) = self.endpoint.connect(now, PEER, Arc::clone(&self.config), None) {
            tracing::debug!(%error, "DTLS does not begin");
        }
    }

    /// Takes a datagram of the peer's.
    pub(crate) fn receive(&mut self, now: Instant, datagram: &[u8]) -> Step {
        if self.taken >= MOST_DATAGRAMS || (!self.begun && self.agreed.role == DtlsRole::Client) {
            return Step::None;
        }
        self.taken += 1;
        let server = self.agreed.role == DtlsRole::Server;
        match self.arrived.take(datagram) {
            News::Some => {}
            // When it is done, a repetition asks for our last flight.
            News::None if self.done => {}
            News::None => return Step::None,
            // In mid-call too: exchanges do so when they are offered a hold (RFC 6347, 4.2.8). The keys of before hold
            // until there are others.
            News::Another if server && self.beginnings < MOST_BEGINNINGS => {
                self.beginnings += 1;
                self.restart();
                self.arrived.take(datagram);
            }
            News::Another => return Step::None,
        }
        let events = match self.endpoint.read(now, PEER, None, BytesMut::from(datagram)) {
            Ok(events) => events,
            Err(error) if self.done => {
                tracing::debug!(%error, "DTLS after the handshake");
                return Step::None;
            }
            Err(Error::ErrInvalidCertificate) => return Step::WrongCertificate,
            Err(error) => {
                tracing::debug!(%error, "DTLS datagram refused");
                return Step::None;
            }
        };
        let complete = events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete));
        if !complete || self.done {
            return Step::None;
        }
        (self.done, self.beginnings) = (true, 0);
        // What comes later only asks for the last flight again.
        self.taken = MOST_DATAGRAMS / 2;
        let Some(state) = self.endpoint.get_connection_state(PEER) else { return Step::None };
        let shown = state.peer_certificates.first();
        if !shown.is_some_and(|shown| is_named(&self.agreed.fingerprints, shown)) {
            return Step::WrongCertificate;
        }
        keys(state, self.agreed.role).map_or(Step::NoCommonCipher, Step::Keys)
    }

    /// Sends again what was not answered. A client that was never answered begins anew.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.done || self.poll_timeout().is_none_or(|at| now < at) {
            return;
        }
        if let Err(error) = self.endpoint.handle_timeout(PEER, now) {
            tracing::debug!(%error, "DTLS begins anew");
            self.restart();
            self.begin(now);
        }
    }

    /// Forgets what was heard so far.
    pub(crate) fn restart(&mut self) {
        self.endpoint = endpoint(self.agreed.role == DtlsRole::Client, &self.config);
        (self.begun, self.done, self.taken) = (false, false, 0);
        self.arrived = Arrived::default();
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout(&PEER).filter(|_| !self.done)
    }

    pub(crate) fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.endpoint.poll_transmit().map(|message| message.message.to_vec())
    }
}

/// A peer without history; only a server answers who comes.
fn endpoint(client: bool, config: &Arc<HandshakeConfig>) -> Endpoint {
    let server = (!client).then(|| Arc::clone(config));
    Endpoint::new(PEER, TransportProtocol::UDP, server)
}

/// The keys of both sides (RFC 5764, 4.2): the client's, the server's, and their salts in the same order.
fn keys(state: &State, role: DtlsRole) -> Option<SrtpKeys> {
    let chosen = state.srtp_protection_profile();
    let (_, suite) = PROFILES.into_iter().find(|(profile, _)| *profile == chosen)?;
    let (key, salt) = (suite.key_length(), suite.salt_length());
    let drawn = state.export_keying_material(LABEL, &[], 2 * (key + salt)).ok()?;
    let bytes: &[u8] = drawn.as_ref();
    let part = |at: usize| {
        let secret =
            [bytes.get(at * key..(at + 1) * key)?, bytes.get(2 * key + at * salt..)?.get(..salt)?];
        MasterKey::new(suite, secret.concat())
    };
    let (client, server) = (part(0)?, part(1)?);
    Some(match role {
        DtlsRole::Client => SrtpKeys { send: client, receive: server },
        DtlsRole::Server => SrtpKeys { send: server, receive: client },
    })
}
