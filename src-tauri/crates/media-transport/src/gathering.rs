//! What a description may tell of ways to us: addresses of this machine, what STUN servers see them as (RFC 8489, 6.2.1),
//! and places on relays (RFC 8445, 5.1.1).
//!
//! Inputs: what is to be asked, answers, the time. What comes of it comes within a second and a half, because a caller
//! waits for it; what is not there by then is left out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Getter as _, Message, TransactionId};
use rtc_stun::xoraddr::XorMappedAddress;
use sdp::{Candidate, CandidateKind};

use crate::LinkId;

/// A request goes again after these times, and is given up after the last.
const WAITS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(300),
    Duration::from_millis(400),
];
/// What is waited for altogether.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// One of our sockets: the stream's own port, or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Base {
    Port,
    Link(LinkId),
}

/// One question to a STUN server.
pub(crate) struct Question {
    /// What it is asked from, and what that is to ourselves.
    pub(crate) base: Base,
    own: SocketAddr,
    rank: u16,
    server: SocketAddr,
    id: TransactionId,
    request: Vec<u8>,
    sent: usize,
    due: Instant,
}

impl Question {
    fn new(
        now: Instant,
        base: Base,
        own: SocketAddr,
        rank: u16,
        server: SocketAddr,
    ) -> Option<Self> {
        let id = TransactionId::new();
        let mut message = Message::new();
        message.build(&[Box::new(BINDING_REQUEST), Box::new(id)]).ok()?;
        Some(Self { base, own, rank, server, id, request: message.raw, sent: 0, due: now })
    }

    fn poll_output(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        let wait = WAITS.get(self.sent).filter(|_| now >= self.due)?;
        self.sent += 1;
        self.due = now + *wait;
        Some((self.server, self.request.clone()))
    }

    fn is_over(&self, now: Instant) -> bool {
        self.sent >= WAITS.len() && now >= self.due
    }

    /// Our address as the server sees it, if that is its answer.
    fn receive(&self, base: Base, from: SocketAddr, datagram: &[u8]) -> Option<SocketAddr> {
        if (base, from) != (self.base, self.server) {
            return None;
        }
        let mut message = Message { raw: datagram.to_vec(), ..Message::default() };
        let answered = message.decode().is_ok()
            && message.typ == BINDING_SUCCESS
            && message.transaction_id == self.id;
        let mut seen = XorMappedAddress::default();
        seen.get_from(&message).ok().filter(|()| answered)?;
        let seen = SocketAddr::new(seen.ip.to_canonical(), seen.port);
        (seen.port() != 0 && !seen.ip().is_unspecified()).then_some(seen)
    }
}

/// The gathering for one description.
pub(crate) struct Gathering {
    servers: Vec<SocketAddr>,
    questions: Vec<Question>,
    /// Links that are not open yet, or whose relay has not answered.
    pub(crate) waiting: Vec<LinkId>,
    deadline: Instant,
    hosts: u16,
    found: Vec<Candidate>,
}

impl Gathering {
    /// Asks at once what the stream's own port is seen as.
    pub(crate) fn new(now: Instant, here: SocketAddr, servers: Vec<SocketAddr>) -> Self {
        let mut gathering = Self {
            servers,
            questions: Vec::new(),
            waiting: Vec::new(),
            deadline: now + PATIENCE,
            hosts: 0,
            found: Vec::new(),
        };
        gathering.host(now, Base::Port, here);
        gathering
    }

    /// There is that address of ours.
    pub(crate) fn host(&mut self, now: Instant, base: Base, own: SocketAddr) {
        let rank = self.hosts;
        self.hosts += 1;
        self.found.push(Candidate::ranked(CandidateKind::Host, own, None, rank));
        let servers = self.servers.iter().filter(|server| server.is_ipv4() == own.is_ipv4());
        let questions = servers.filter_map(|server| Question::new(now, base, own, rank, *server));
        self.questions.extend(questions);
    }

    /// A relay has a place for us; `rank`: the how manieth it was to be asked.
    pub(crate) fn relay(&mut self, relayed: SocketAddr, mapped: SocketAddr, rank: u16) {
        let candidate = Candidate::ranked(CandidateKind::Relay, relayed, Some(mapped), rank);
        self.found.push(candidate);
    }

    /// A request to send now: from where, where to, and what.
    pub(crate) fn poll_output(&mut self, now: Instant) -> Option<(Base, SocketAddr, Vec<u8>)> {
        self.questions.iter_mut().find_map(|question| {
            let (to, data) = question.poll_output(now)?;
            Some((question.base, to, data))
        })
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        let due = self.questions.iter().map(|question| question.due).min();
        due.map_or(self.deadline, |due| due.min(self.deadline))
    }

    /// Whether that was an answer.
    pub(crate) fn receive(&mut self, base: Base, from: SocketAddr, datagram: &[u8]) -> bool {
        let seen = |question: &Question| question.receive(base, from, datagram);
        let answer = self.questions.iter().enumerate().find_map(|(n, q)| Some((n, seen(q)?)));
        let Some((number, seen)) = answer else { return false };
        let Question { own, rank, .. } = self.questions.swap_remove(number);
        if self.found.iter().all(|known| known.address != seen) {
            let kind = CandidateKind::ServerReflexive;
            self.found.push(Candidate::ranked(kind, seen, Some(own), rank));
        }
        true
    }

    /// What was found, when nothing more is waited for. The stream's own port is the first.
    pub(crate) fn poll_result(&mut self, now: Instant) -> Option<Vec<Candidate>> {
        self.questions.retain(|question| !question.is_over(now));
        let done = self.questions.is_empty() && self.waiting.is_empty();
        (done || now >= self.deadline).then(|| std::mem::take(&mut self.found))
    }
}
