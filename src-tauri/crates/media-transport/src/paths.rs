//! The ways between two ends: checks, the one that was chosen, and whether it still works (RFC 8445, RFC 7675).
//!
//! Inputs: checks of the peer's and its answers, the time. States: looking, found, lost. The agent below judges whose
//! part it is to choose before it looks at the proof of a check, and remembers every address that a check came from; so
//! only proven checks get to it, from a bounded number of addresses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_crypto::RTCCryptoProvider;
use rtc_ice::candidate::candidate_host::CandidateHostConfig;
use rtc_ice::candidate::candidate_peer_reflexive::CandidatePeerReflexiveConfig;
use rtc_ice::candidate::candidate_relay::CandidateRelayConfig;
use rtc_ice::candidate::candidate_server_reflexive::CandidateServerReflexiveConfig;
use rtc_ice::candidate::{Candidate as AgentCandidate, CandidateConfig};
use rtc_ice::mdns::MulticastDnsMode;
use rtc_ice::state::ConnectionState;
use rtc_ice::{Agent, AgentConfig, Event};
use rtc_shared::error::Error;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc_stun::attributes::ATTR_USERNAME;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{CLASS_REQUEST, Getter as _, Message};
use rtc_stun::textattrs::Username;
use sansio::Protocol as _;
use sdp::{Candidate, CandidateKind, IceParameters};

use crate::SetupError;
use crate::gathering::Base;

/// Checks are sent this far apart until a way is found.
const CHECK: Duration = Duration::from_millis(50);
/// Checks of one pair without an answer before it is given up: as long as a call takes to be accepted at the other side.
const MOST_CHECKS: u16 = 300;
/// The chosen way is checked this often (RFC 7675, 5.1).
const CONSENT: Duration = Duration::from_secs(5);
/// It is doubtful after this long without an answer, and lost after as long again and a little more: 30 seconds in all.
const DOUBTFUL: Duration = Duration::from_secs(12);
const LOST: Duration = Duration::from_secs(18);
/// How long addresses that a peer or a relay told wait for one of the host's own to work.
const REFLEXIVE_WAIT: Duration = Duration::from_millis(200);
const RELAY_WAIT: Duration = Duration::from_millis(1_000);
/// Addresses of the peer's, told and learnt.
const MOST_ADDRESSES: usize = 48;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Media goes there from now on, from that socket of ours.
    Chosen(Base, SocketAddr),
    /// No answer any more.
    Lost,
}

/// One session of checks; a restart makes another.
pub(crate) struct Paths {
    agreed: IceParameters,
    agent: Agent,
    provider: Arc<dyn RTCCryptoProvider>,
    /// Ours, as the agent knows them: addresses of this machine, and places on relays.
    locals: BTreeMap<SocketAddr, Base>,
}

impl Paths {
    pub(crate) fn new(
        now: Instant,
        provider: &Arc<dyn RTCCryptoProvider>,
        agreed: IceParameters,
        mut locals: BTreeMap<SocketAddr, Base>,
    ) -> Result<Self, SetupError> {
        let refused = |error: Error| SetupError(error.to_string());
        let host = |candidate: &&Candidate| candidate.kind == CandidateKind::Host;
        let own = agreed.local.candidates.iter().find(host).map(|host| host.address);
        let own = own.ok_or_else(|| SetupError("no address of ours".to_owned()))?;
        locals.insert(own, Base::Port);
        let config = AgentConfig {
            local_ufrag: agreed.local.credentials.ufrag().to_owned(),
            local_pwd: agreed.local.credentials.password().to_owned(),
            multicast_dns_mode: MulticastDnsMode::Disabled,
            disconnected_timeout: Some(DOUBTFUL),
            failed_timeout: Some(LOST),
            keepalive_interval: Some(CONSENT),
            check_interval: CHECK,
            max_binding_requests: Some(MOST_CHECKS),
            is_controlling: agreed.controlling,
            host_acceptance_min_wait: Some(Duration::ZERO),
            prflx_acceptance_min_wait: Some(REFLEXIVE_WAIT),
            srflx_acceptance_min_wait: Some(REFLEXIVE_WAIT),
            relay_acceptance_min_wait: Some(RELAY_WAIT),
            ..AgentConfig::default()
        };
        let mut agent = Agent::new(now, Arc::new(config), Arc::clone(provider)).map_err(refused)?;
        agent
            .set_remote_credentials(
                agreed.remote.ufrag().to_owned(),
                agreed.remote.password().to_owned(),
            )
            .map_err(refused)?;
        for candidate in &agreed.local.candidates {
            // Checks go from the address itself; what a server saw of it is for the peer. What is not there any more is
            // passed over.
            let own = matches!(candidate.kind, CandidateKind::Host | CandidateKind::Relay);
            if own && locals.contains_key(&candidate.address) {
                let candidate = Candidate { related: None, ..candidate.clone() };
                agent.add_local_candidate(told(&candidate).map_err(refused)?).map_err(refused)?;
            }
        }
        let mut paths = Self { agreed, agent, provider: Arc::clone(provider), locals };
        let candidates = paths.agreed.candidates.clone();
        paths.add(&candidates);
        Ok(paths)
    }

    /// Whether another agreement goes on with these checks; new candidates of the peer's are taken.
    pub(crate) fn continues(&mut self, agreed: &IceParameters) -> bool {
        if agreed.restarts(&self.agreed) {
            return false;
        }
        self.add(&agreed.candidates);
        self.agreed = agreed.clone();
        true
    }

    fn add(&mut self, candidates: &[Candidate]) {
        for candidate in candidates {
            if self.agent.get_remote_candidates().len() >= MOST_ADDRESSES {
                return;
            }
            let added =
                told(candidate).and_then(|candidate| self.agent.add_remote_candidate(candidate));
            if let Err(error) = added {
                tracing::debug!(%error, %candidate, "candidate left out");
            }
        }
    }

    /// Takes a STUN message.
    pub(crate) fn receive(&mut self, now: Instant, base: Base, from: SocketAddr, datagram: &[u8]) {
        let Some(transport) = self.transport(base, from) else { return };
        if !self.is_ours(from, datagram) {
            return;
        }
        let message = TaggedBytesMut { now, transport, message: BytesMut::from(datagram) };
        if let Err(error) = self.agent.handle_read(message) {
            tracing::debug!(%error, %from, "check refused");
        }
    }

    /// Whether a message may be the peer's: a request with the right name and proof, or an answer, which the agent
    /// holds against what it asked.
    fn is_ours(&self, from: SocketAddr, datagram: &[u8]) -> bool {
        let mut message = Message { raw: datagram.to_vec(), ..Message::default() };
        if message.decode().is_err() {
            return false;
        }
        if message.typ.class != CLASS_REQUEST {
            return self.knows(from);
        }
        let mut name = Username::new(ATTR_USERNAME, String::new());
        let (ours, theirs) = (&self.agreed.local.credentials, &self.agreed.remote);
        let named = name.get_from(&message).is_ok()
            && name.to_string() == format!("{}:{}", ours.ufrag(), theirs.ufrag());
        let proof = ours.password().as_bytes();
        named
            && MessageIntegrity::check(&mut message, proof, self.provider.crypto()).is_ok()
            && (self.knows(from) || self.agent.get_remote_candidates().len() < MOST_ADDRESSES)
    }

    fn knows(&self, from: SocketAddr) -> bool {
        self.agent.get_remote_candidates().iter().any(|candidate| candidate.addr() == from)
    }

    /// Whether what is no check may come from there; it shows that the way works.
    pub(crate) fn carries(&mut self, now: Instant, base: Base, from: SocketAddr) -> bool {
        let transport = self.transport(base, from);
        transport.is_some_and(|transport| self.agent.is_valid_non_stun_traffic(now, transport))
    }

    /// Whether checks go from there.
    pub(crate) fn uses(&self, base: Base) -> bool {
        self.locals.values().any(|own| *own == base)
    }

    /// None: that socket of ours takes no part.
    fn transport(&self, base: Base, from: SocketAddr) -> Option<TransportContext> {
        let (local_addr, _) = self.locals.iter().find(|(_, own)| **own == base)?;
        Some(TransportContext {
            local_addr: *local_addr,
            peer_addr: from,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        })
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| now >= at)
            && let Err(error) = self.agent.handle_timeout(now)
        {
            tracing::debug!(%error, "checks");
        }
    }

    pub(crate) fn poll_timeout(&mut self) -> Option<Instant> {
        self.agent.poll_timeout()
    }

    /// A message to send: from which socket of ours, where to, and what.
    pub(crate) fn poll_output(&mut self) -> Option<(Base, SocketAddr, Vec<u8>)> {
        let message = self.agent.poll_write()?;
        let TransportContext { local_addr, peer_addr, .. } = message.transport;
        Some((self.base(local_addr), peer_addr, message.message.to_vec()))
    }

    fn base(&self, local: SocketAddr) -> Base {
        self.locals.get(&local).copied().unwrap_or(Base::Port)
    }

    pub(crate) fn poll_change(&mut self) -> Option<Change> {
        while let Some(event) = self.agent.poll_event() {
            match event.event {
                Event::SelectedCandidatePairChange(local, remote) => {
                    return Some(Change::Chosen(self.base(local.addr()), remote.addr()));
                }
                Event::ConnectionStateChange(ConnectionState::Failed) => return Some(Change::Lost),
                Event::ConnectionStateChange(state) => tracing::debug!(%state, "checks"),
                _ => {}
            }
        }
        None
    }
}

/// A candidate in the agent's form.
fn told(candidate: &Candidate) -> Result<AgentCandidate, Error> {
    let Candidate { foundation, priority, address, kind, related, .. } = candidate;
    let base_config = CandidateConfig {
        network: "udp".to_owned(),
        address: address.ip().to_string(),
        port: address.port(),
        component: 1,
        priority: *priority,
        foundation: foundation.clone(),
        ..CandidateConfig::default()
    };
    let related = related.unwrap_or(*address);
    let (rel_addr, rel_port) = (related.ip().to_string(), related.port());
    match kind {
        CandidateKind::Host => {
            CandidateHostConfig { base_config, ..CandidateHostConfig::default() }
                .new_candidate_host()
        }
        CandidateKind::ServerReflexive => {
            CandidateServerReflexiveConfig { base_config, rel_addr, rel_port, url: None }
                .new_candidate_server_reflexive()
        }
        CandidateKind::PeerReflexive => {
            CandidatePeerReflexiveConfig { base_config, rel_addr, rel_port }
                .new_candidate_peer_reflexive()
        }
        CandidateKind::Relay => CandidateRelayConfig {
            base_config,
            rel_addr,
            rel_port,
            ..CandidateRelayConfig::default()
        }
        .new_candidate_relay(),
    }
}
