//! One stream's way to its keys.
//!
//! Inputs: from the call's owner `Gather` (what does the world see us as) and `Agree` (an offer was answered, for the
//! first time or again); from the network
//! datagrams that are no sound; the time. What is agreed decides the states: checks look for a path or the path is as
//! described, a handshake waits for a path, runs, and is done. A later agreement goes on with what it does not change.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sdp::{DtlsParameters, IceParameters, SrtpKeys};

use crate::association::{Association, Step};
use crate::certificate::LocalCertificate;
use crate::gathering::Gathering;
use crate::paths::{Change, Paths};
use crate::{Kind, SetupError};

/// A call has no keys or no path after this long: it never will.
const PATIENCE: Duration = Duration::from_secs(30);
/// Datagrams that may arrive before the answer that explains them.
const EARLY: usize = 8;

/// What an offer and its answer say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Where the peer says it is.
    pub remote: SocketAddr,
    /// The handshake.
    pub dtls: Option<DtlsParameters>,
    /// The checks.
    pub ice: Option<IceParameters>,
}

/// What is fed in.
#[derive(Debug)]
pub enum Input<'a> {
    /// Ask that STUN server what it sees our address as, before an offer.
    Gather(SocketAddr),
    /// An offer was answered.
    Agree(Agreement),
    /// A datagram that is no sound arrived.
    Datagram {
        /// From where.
        from: SocketAddr,
        /// Its bytes.
        data: &'a [u8],
    },
}

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send that.
    Send {
        /// Where to.
        to: SocketAddr,
        /// What.
        data: Vec<u8>,
    },
    /// What the STUN server sees our address as; none: it does not answer. Comes within about a second.
    Seen(Option<SocketAddr>),
    /// Media goes there from now on, and comes from there.
    Path(SocketAddr),
    /// The keys of the stream from now on.
    Keys(SrtpKeys),
    /// There will be none.
    Failed(Failure),
}

/// Why a stream has no keys or no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The one at the other end has not the certificate that the description names.
    #[error("the certificate is not the one that the description names")]
    WrongCertificate,
    /// The handshake came to no end.
    #[error("no keys were agreed in time")]
    NoKeys,
    /// Nothing in common to encrypt with.
    #[error("no cipher in common")]
    NoCommonCipher,
    /// No check was answered, or none any more.
    #[error("no way to the other side works")]
    NoPath,
    /// The protocols did not begin.
    #[error("keys or checks could not begin")]
    Setup,
}

/// The state of one stream.
pub struct Transport {
    certificate: LocalCertificate,
    agreed: Option<Agreement>,
    gathering: Option<Gathering>,
    paths: Option<Paths>,
    association: Option<Association>,
    /// Where the handshake goes: the path, or before there is one where the peer's part of it came from.
    to: Option<SocketAddr>,
    /// That is a path.
    settled: bool,
    /// When what is under way must have come to an end.
    deadline: Option<Instant>,
    early: VecDeque<(SocketAddr, Vec<u8>)>,
    outputs: VecDeque<Output>,
}

impl Transport {
    /// A stream about which nothing is agreed yet.
    pub fn new(certificate: LocalCertificate) -> Self {
        Self {
            certificate,
            agreed: None,
            gathering: None,
            paths: None,
            association: None,
            to: None,
            settled: false,
            deadline: None,
            early: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes what happened.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Gather(server) => {
                self.gathering = Gathering::new(now, server);
                if self.gathering.is_none() {
                    self.outputs.push_back(Output::Seen(None));
                }
            }
            Input::Agree(agreed) => {
                if let Err(error) = self.agree(now, &agreed) {
                    tracing::warn!(%error, "a stream without keys");
                    self.fail(Failure::Setup);
                }
            }
            Input::Datagram { from, data } => self.receive(now, from, data),
        }
        self.drain(now);
    }

    /// To be called when [`Self::poll_timeout`] is due; earlier does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(paths) = &mut self.paths {
            paths.handle_timeout(now);
        }
        if let Some(association) = &mut self.association {
            association.handle_timeout(now);
        }
        self.drain(now);
        if self.deadline.is_some_and(|at| now >= at) {
            self.fail(if self.settled { Failure::NoKeys } else { Failure::NoPath });
        }
    }

    /// When the time must be told.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let paths = self.paths.as_mut().and_then(Paths::poll_timeout);
        let association = self.association.as_ref().and_then(Association::poll_timeout);
        let gathering = self.gathering.as_ref().map(Gathering::poll_timeout);
        [gathering, paths, association, self.deadline].into_iter().flatten().min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn agree(&mut self, now: Instant, agreed: &Agreement) -> Result<(), SetupError> {
        let before = self.agreed.replace(agreed.clone());
        let moved = before.as_ref().is_some_and(|before| before.remote != agreed.remote)
            && !agreed.remote.ip().is_unspecified();
        match &agreed.ice {
            Some(ice) => {
                let goes_on = self.paths.as_mut().is_some_and(|paths| paths.continues(ice));
                if !goes_on {
                    tracing::debug!(
                        candidates = ice.candidates.len(),
                        "agreed -> looking for a path"
                    );
                    self.paths = Some(Paths::new(now, &self.certificate.provider, ice.clone())?);
                    self.settled = false;
                    self.deadline = Some(now + PATIENCE);
                }
            }
            None => {
                self.paths = None;
                if !self.settled || moved {
                    self.settled = true;
                    self.to = Some(agreed.remote).filter(|to| !to.ip().is_unspecified());
                }
            }
        }
        let goes_on = |association: &Association, dtls: &DtlsParameters| {
            association.serves(dtls) && !(moved && agreed.ice.is_none())
        };
        match &agreed.dtls {
            None => self.association = None,
            Some(dtls) if self.association.as_ref().is_some_and(|a| goes_on(a, dtls)) => {}
            Some(dtls) => {
                tracing::debug!(role = ?dtls.role, "agreed -> handshake");
                self.association = Some(Association::new(&self.certificate, dtls.clone())?);
                self.deadline = Some(now + PATIENCE);
            }
        }
        self.begin(now);
        for (from, data) in std::mem::take(&mut self.early) {
            self.receive(now, from, &data);
        }
        Ok(())
    }

    /// Begins the handshake once there is a path.
    fn begin(&mut self, now: Instant) {
        if let Some(association) = self.association.as_mut().filter(|_| self.settled) {
            association.begin(now);
        }
        self.settle();
    }

    /// Nothing is waited for any more when there is a path, and keys where there are to be any.
    fn settle(&mut self) {
        if self.settled && self.association.as_ref().is_none_or(Association::is_done) {
            self.deadline = None;
        }
    }

    fn receive(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        if let Some(seen) = self.gathering.as_ref().and_then(|g| g.receive(from, data)) {
            self.gathering = None;
            self.outputs.push_back(Output::Seen(Some(seen)));
            return;
        }
        if self.agreed.is_none() {
            if self.early.len() < EARLY {
                self.early.push_back((from, data.to_vec()));
            }
            return;
        }
        match Kind::of(data) {
            Kind::Stun => {
                if let Some(paths) = &mut self.paths {
                    paths.receive(now, from, data);
                }
            }
            Kind::Dtls => {
                // With checks only those that were checked are listened to.
                if self.paths.as_mut().is_none_or(|paths| paths.carries(now, from)) {
                    self.handshake(now, from, data);
                }
            }
            Kind::Rtp | Kind::Other => {}
        }
    }

    fn handshake(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        let expected = self.is_expected(from);
        let Some(association) = self.association.as_mut() else { return };
        // Behind address translation the peer is elsewhere than it says; the certificate tells whether it is the peer.
        if !association.is_done() && (self.paths.is_none() || !self.settled) {
            self.to = Some(from);
        }
        let step = association.receive(now, data);
        match step {
            Step::None => {}
            Step::Keys(keys) => {
                tracing::debug!(suite = %keys.send.suite(), "handshake, finished -> keys");
                self.outputs.push_back(Output::Keys(keys));
                self.settle();
            }
            // A stranger who talks first must not end the call.
            Step::WrongCertificate if !expected => {
                tracing::debug!(%from, "handshake of a stranger");
                association.restart();
                self.to = self.agreed.as_ref().map(|agreed| agreed.remote);
                self.begin(now);
            }
            Step::WrongCertificate => self.fail(Failure::WrongCertificate),
            Step::NoCommonCipher => self.fail(Failure::NoCommonCipher),
        }
    }

    /// Whether the peer is known to be there.
    fn is_expected(&self, from: SocketAddr) -> bool {
        self.paths.is_some() || self.agreed.as_ref().is_some_and(|agreed| agreed.remote == from)
    }

    fn fail(&mut self, failure: Failure) {
        tracing::debug!(%failure, "-> failed");
        // What the peer is still to be told goes first.
        self.send_handshake();
        self.paths = None;
        // A call that moves finds another path, and its keys hold.
        if failure != Failure::NoPath
            || !self.association.as_ref().is_some_and(Association::is_done)
        {
            self.association = None;
        }
        self.deadline = None;
        self.outputs.push_back(Output::Failed(failure));
    }

    /// Collects what the protocols have to send and to tell.
    fn drain(&mut self, now: Instant) {
        while let Some((to, data)) = self.gathering.as_mut().and_then(|g| g.poll_output(now)) {
            self.outputs.push_back(Output::Send { to, data });
        }
        if self.gathering.as_ref().is_some_and(|gathering| gathering.is_over(now)) {
            self.gathering = None;
            self.outputs.push_back(Output::Seen(None));
        }
        while let Some(change) = self.paths.as_mut().and_then(Paths::poll_change) {
            match change {
                Change::Chosen(to) => {
                    tracing::debug!(%to, "looking, chosen -> found");
                    (self.to, self.settled) = (Some(to), true);
                    self.outputs.push_back(Output::Path(to));
                    self.begin(now);
                }
                Change::Lost => return self.fail(Failure::NoPath),
            }
        }
        while let Some((to, data)) = self.paths.as_mut().and_then(Paths::poll_output) {
            self.outputs.push_back(Output::Send { to, data });
        }
        self.send_handshake();
    }

    fn send_handshake(&mut self) {
        let Some(association) = &mut self.association else { return };
        while let Some(data) = association.poll_output() {
            if let Some(to) = self.to {
                self.outputs.push_back(Output::Send { to, data });
            }
        }
    }
}
