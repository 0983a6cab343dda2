//! One stream's way to its keys.
//!
//! Inputs: from the call's owner `Gather` (which ways are there to us), `Agree` (an offer was answered, for the first
//! time or again) and `Sound` where that does not go by the stream's own port; from the network datagrams that are no
//! sound, and all that comes over links; the time. What is agreed decides the states: checks look for a path or the path is as
//! described, a handshake waits for a path, runs, and is done. A later agreement goes on with what it does not change.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sdp::{Candidate, DtlsParameters, IceParameters, SrtpKeys};

use crate::association::{Association, Step};
use crate::certificate::LocalCertificate;
use crate::gathering::{Base, Gathering};
use crate::links::{Links, News};
use crate::paths::{Change, Paths};
use crate::{Kind, LinkId, Opening, Plan, SetupError};

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
    /// Find the ways to us, before an offer or an answer.
    Gather(Plan),
    /// An offer was answered.
    Agree(Agreement),
    /// A datagram that is no sound arrived on the stream's own port; or whatever arrived over a link, of a stream some
    /// bytes as they come.
    Datagram {
        /// None: the stream's own port.
        link: Option<LinkId>,
        /// From where.
        from: SocketAddr,
        /// Its bytes.
        data: &'a [u8],
    },
    /// A datagram of sound for the path, which is not the stream's own port.
    Sound(Vec<u8>),
    /// A link was opened.
    Opened {
        /// Which.
        link: LinkId,
        /// Where, on our side.
        own: SocketAddr,
    },
    /// A link could not be opened, or was closed by the other side.
    Closed(LinkId),
    /// The stream ends.
    Close,
}

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send that.
    Send {
        /// None: from the stream's own port.
        link: Option<LinkId>,
        /// Where to.
        to: SocketAddr,
        /// What.
        data: Vec<u8>,
    },
    /// The ways to us, the stream's own port first. Comes within a second and a half.
    Gathered(Vec<Candidate>),
    /// Open a link, and tell when it is open or cannot be.
    Open {
        /// Which.
        link: LinkId,
        /// To what.
        opening: Opening,
    },
    /// Close a link, when what was to be sent over it is sent.
    Close(LinkId),
    /// Media goes there from now on, and comes from there.
    Path {
        /// The peer.
        to: SocketAddr,
        /// It goes over a link: datagrams of sound are to be given in ([`Input::Sound`]).
        linked: bool,
    },
    /// A datagram of sound came over a link.
    Sound {
        /// The peer.
        from: SocketAddr,
        /// Its bytes.
        data: Vec<u8>,
    },
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
    links: Links,
    /// Where the handshake goes, and sound over links: the path, or before there is one where the peer's part of the
    /// handshake came from.
    to: Option<(Base, SocketAddr)>,
    /// That is a path.
    settled: bool,
    /// When what is under way must have come to an end.
    deadline: Option<Instant>,
    early: VecDeque<(Base, SocketAddr, Vec<u8>)>,
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
            links: Links::default(),
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
            Input::Gather(plan) => self.gather(now, plan),
            Input::Agree(agreed) => {
                if let Err(error) = self.agree(now, &agreed) {
                    tracing::warn!(%error, "a stream without keys");
                    self.fail(now, Failure::Setup);
                }
            }
            Input::Datagram { link: None, from, data } => self.receive(now, Base::Port, from, data),
            Input::Datagram { link: Some(link), from, data } => {
                if let Some(news) = self.links.receive(now, link, from, data) {
                    self.take_news(now, news);
                }
            }
            Input::Sound(data) => {
                if let Some((base, to)) = self.to.filter(|_| self.settled) {
                    self.send(now, base, to, data);
                }
            }
            Input::Opened { link, own } => {
                let provider = &self.certificate.provider;
                if let Some(news) = self.links.opened(now, link, own, provider) {
                    self.take_news(now, news);
                }
            }
            Input::Closed(link) => self.take_news(now, News::Gone(link)),
            Input::Close => self.links.close(now, |_| false, &mut self.outputs),
        }
        self.drain(now);
    }

    fn gather(&mut self, now: Instant, plan: Plan) {
        let Plan { here, others, stun, relays } = plan;
        // What a path goes over stays until there is another.
        let paths = self.paths.as_ref();
        let used = |base| paths.is_some_and(|paths| paths.uses(base));
        self.links.close(now, used, &mut self.outputs);
        let mut gathering = Gathering::new(now, here, stun);
        for ip in others {
            let (link, open) = self.links.open_socket(ip);
            gathering.waiting.push(link);
            self.outputs.push_back(open);
        }
        for (rank, server) in (0..).zip(relays) {
            let (link, open) = self.links.open_relay(server, rank);
            gathering.waiting.push(link);
            self.outputs.push_back(open);
        }
        self.gathering = Some(gathering);
    }

    fn take_news(&mut self, now: Instant, news: News) {
        let done = |gathering: &mut Gathering, link| gathering.waiting.retain(|one| *one != link);
        match (news, &mut self.gathering) {
            (News::Host(link, own), Some(gathering)) => {
                done(gathering, link);
                gathering.host(now, Base::Link(link), own);
            }
            (News::Relayed(link, relayed, mapped, rank), Some(gathering)) => {
                done(gathering, link);
                gathering.relay(relayed, mapped, rank);
            }
            (News::Host(..) | News::Relayed(..), None) => {}
            (News::Datagram(link, from, data), _) => {
                self.receive(now, Base::Link(link), from, &data);
            }
            (News::Gone(link), gathering) => {
                if let Some(gathering) = gathering {
                    done(gathering, link);
                }
                self.links.closed(link);
                self.outputs.push_back(Output::Close(link));
            }
        }
    }

    /// Sends from that socket of ours.
    fn send(&mut self, now: Instant, base: Base, to: SocketAddr, data: Vec<u8>) {
        let output = match base {
            Base::Port => Some(Output::Send { link: None, to, data }),
            Base::Link(link) => self.links.send(now, link, to, data),
        };
        self.outputs.extend(output);
    }

    /// To be called when [`Self::poll_timeout`] is due; earlier does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(paths) = &mut self.paths {
            paths.handle_timeout(now);
        }
        if let Some(association) = &mut self.association {
            association.handle_timeout(now);
        }
        self.links.handle_timeout(now);
        self.drain(now);
        if self.deadline.is_some_and(|at| now >= at) {
            self.fail(now, if self.settled { Failure::NoKeys } else { Failure::NoPath });
        }
    }

    /// When the time must be told.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let paths = self.paths.as_mut().and_then(Paths::poll_timeout);
        let association = self.association.as_ref().and_then(Association::poll_timeout);
        let gathering = self.gathering.as_ref().map(Gathering::poll_timeout);
        let links = self.links.poll_timeout();
        [gathering, paths, association, links, self.deadline].into_iter().flatten().min()
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
                    let (provider, locals) = (&self.certificate.provider, self.links.locals());
                    let paths = Paths::new(now, provider, ice.clone(), locals)?;
                    self.links.close(now, |base| paths.uses(base), &mut self.outputs);
                    self.paths = Some(paths);
                    self.settled = false;
                    self.deadline = Some(now + PATIENCE);
                }
            }
            None => {
                self.paths = None;
                self.links.close(now, |_| false, &mut self.outputs);
                if !self.settled || moved {
                    self.settled = true;
                    let to = Some(agreed.remote).filter(|to| !to.ip().is_unspecified());
                    self.to = to.map(|to| (Base::Port, to));
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
        for (base, from, data) in std::mem::take(&mut self.early) {
            self.receive(now, base, from, &data);
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

    fn receive(&mut self, now: Instant, base: Base, from: SocketAddr, data: &[u8]) {
        if self.gathering.as_mut().is_some_and(|asked| asked.receive(base, from, data)) {
            return;
        }
        if self.agreed.is_none() {
            if self.early.len() < EARLY {
                self.early.push_back((base, from, data.to_vec()));
            }
            return;
        }
        match Kind::of(data) {
            Kind::Stun => {
                if let Some(paths) = &mut self.paths {
                    paths.receive(now, base, from, data);
                }
            }
            Kind::Dtls => {
                // With checks only those that were checked are listened to.
                if self.carries(now, base, from) {
                    self.handshake(now, base, from, data);
                }
            }
            // The stream's own port takes its sound itself.
            Kind::Rtp if base != Base::Port && self.carries(now, base, from) => {
                self.outputs.push_back(Output::Sound { from, data: data.to_vec() });
            }
            Kind::Rtp | Kind::Other => {}
        }
    }

    fn carries(&mut self, now: Instant, base: Base, from: SocketAddr) -> bool {
        match &mut self.paths {
            Some(paths) => paths.carries(now, base, from),
            None => base == Base::Port,
        }
    }

    fn handshake(&mut self, now: Instant, base: Base, from: SocketAddr, data: &[u8]) {
        let expected = self.is_expected(from);
        let Some(association) = self.association.as_mut() else { return };
        // Behind address translation the peer is elsewhere than it says; the certificate tells whether it is the peer.
        if !association.is_done() && (self.paths.is_none() || !self.settled) {
            self.to = Some((base, from));
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
                self.to = self.agreed.as_ref().map(|agreed| (Base::Port, agreed.remote));
                self.begin(now);
            }
            Step::WrongCertificate => self.fail(now, Failure::WrongCertificate),
            Step::NoCommonCipher => self.fail(now, Failure::NoCommonCipher),
        }
    }

    /// Whether the peer is known to be there.
    fn is_expected(&self, from: SocketAddr) -> bool {
        self.paths.is_some() || self.agreed.as_ref().is_some_and(|agreed| agreed.remote == from)
    }

    fn fail(&mut self, now: Instant, failure: Failure) {
        tracing::debug!(%failure, "-> failed");
        // What the peer is still to be told goes first.
        self.send_handshake(now);
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
        loop {
            self.drain_paths(now);
            let Some(news) = self.links.poll(&mut self.outputs) else { break };
            self.take_news(now, news);
        }
        if let Some(found) = self.gathering.as_mut().and_then(|g| g.poll_result(now)) {
            let late = self.gathering.take().map(|gathering| gathering.waiting);
            let late = late.unwrap_or_default();
            let kept = |base| !late.iter().any(|link| base == Base::Link(*link));
            self.links.close(now, kept, &mut self.outputs);
            self.outputs.push_back(Output::Gathered(found));
        }
    }

    fn drain_paths(&mut self, now: Instant) {
        while let Some((base, to, data)) = self.gathering.as_mut().and_then(|g| g.poll_output(now))
        {
            self.send(now, base, to, data);
        }
        while let Some(change) = self.paths.as_mut().and_then(Paths::poll_change) {
            match change {
                Change::Chosen(base, to) => self.chosen(now, base, to),
                Change::Lost => return self.fail(now, Failure::NoPath),
            }
        }
        while let Some((base, to, data)) = self.paths.as_mut().and_then(Paths::poll_output) {
            self.send(now, base, to, data);
        }
        self.send_handshake(now);
    }

    fn chosen(&mut self, now: Instant, base: Base, to: SocketAddr) {
        tracing::debug!(%to, ?base, "looking, chosen -> found");
        (self.to, self.settled) = (Some((base, to)), true);
        if let Base::Link(link) = base {
            self.links.prefer(now, link, to);
        }
        self.outputs.push_back(Output::Path { to, linked: base != Base::Port });
        self.begin(now);
    }

    fn send_handshake(&mut self, now: Instant) {
        while let Some(data) = self.association.as_mut().and_then(Association::poll_output) {
            if let Some((base, to)) = self.to {
                self.send(now, base, to, data);
            }
        }
    }
}
