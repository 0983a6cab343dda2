//! Requests of the owner waiting for their turn, and what is done when the server has too much to do
//! (reference, section 2, "rate limit"), without I/O.
//!
//! Inputs by source: the owner submits; the driver brings answers; the gate says how many may be under way;
//! the time. What a person waits for goes before what is read in the background. A request that changes
//! something is sent again only when the server has certainly not seen it.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use sip_core::Random;

use crate::{
    HttpAnswer, HttpFailure, HttpRequest, Origin, XsiError, backoff::Backoff, limits,
    session::RequestNumber,
};

/// Under way at a time.
const AT_ONCE: usize = 4;
/// Of the background at a time.
const BACKGROUND_AT_ONCE: usize = 2;
/// A person waits so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// The background waits so long.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(180);
/// A change waits so long for an overloaded server; then the person is told.
const BRIEF: Duration = Duration::from_secs(3);
/// Redirections, servers and repeats of one request.
const TRIES: u8 = 4;

/// Names a request towards the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Who waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A person.
    Interactive,
    /// Nobody in particular.
    Background,
}

/// What the queue wants done and tells.
#[derive(Clone, Debug, PartialEq)]
pub enum QueueOutput {
    /// Send this.
    Send {
        /// Which.
        request: RequestNumber,
        /// The server.
        origin: Origin,
        /// What is sent.
        http: HttpRequest,
        /// Asked instead of the request's own path: a redirection told so.
        target: Option<String>,
    },
    /// How a request went.
    Done {
        /// Which.
        ticket: Ticket,
        /// Its answer, of whatever status but 401 and overload.
        result: Result<HttpAnswer, XsiError>,
    },
}

#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    lane: Lane,
    http: HttpRequest,
    until: Instant,
    tries: u8,
    redirected: Option<(Origin, String)>,
}

/// See the module.
#[derive(Debug)]
pub struct RequestQueue {
    servers: Vec<Origin>,
    /// Which server is asked.
    server: usize,
    interactive: VecDeque<Entry>,
    background: VecDeque<Entry>,
    under_way: HashMap<RequestNumber, Entry>,
    outputs: VecDeque<QueueOutput>,
    /// The server wants no requests before.
    hold: Option<Instant>,
    /// Only one at a time, until one succeeds.
    cautious: bool,
    backoff: Backoff,
    random: Random,
    last: u64,
}

impl RequestQueue {
    /// A queue without servers: requests wait.
    pub fn new(random: Random) -> Self {
        Self {
            servers: Vec::new(),
            server: 0,
            interactive: VecDeque::new(),
            background: VecDeque::new(),
            under_way: HashMap::new(),
            outputs: VecDeque::new(),
            hold: None,
            cautious: false,
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
            random,
            last: 0,
        }
    }

    /// The servers are others.
    pub fn set_servers(&mut self, servers: Vec<Origin>) {
        self.servers = servers;
        self.server = 0;
        self.hold = None;
        self.cautious = false;
    }

    /// A request joins the queue.
    pub fn submit(&mut self, now: Instant, ticket: Ticket, lane: Lane, http: HttpRequest) {
        if self.interactive.len() + self.background.len() >= limits::REQUESTS {
            self.finish(ticket, Err(XsiError::Full));
            return;
        }
        let hold = self.hold.map(|hold| hold.saturating_duration_since(now));
        if let Some(hold) = hold.filter(|hold| !http.is_safe() && *hold > BRIEF) {
            self.finish(ticket, Err(XsiError::Overloaded { retry_after: Some(hold) }));
            return;
        }
        let patience = match lane {
            Lane::Interactive => PATIENCE,
            Lane::Background => BACKGROUND_PATIENCE,
        };
        let entry = Entry { ticket, lane, http, until: now + patience, tries: 0, redirected: None };
        match lane {
            Lane::Interactive => self.interactive.push_back(entry),
            Lane::Background => self.background.push_back(entry),
        }
    }

    /// Everything that waits fails for this reason; what is under way is let go.
    pub fn fail_all(&mut self, error: &XsiError) {
        let waiting = self.interactive.drain(..).chain(self.background.drain(..));
        let all: Vec<Ticket> = waiting
            .chain(self.under_way.drain().map(|(_, entry)| entry))
            .map(|entry| entry.ticket)
            .collect();
        for ticket in all {
            self.finish(ticket, Err(error.clone()));
        }
    }

    /// How many are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Whether something waits for its turn.
    pub fn is_waiting(&self) -> bool {
        !self.interactive.is_empty() || !self.background.is_empty()
    }

    /// Sends what may be sent: at most `permitted` under way.
    pub fn advance(&mut self, now: Instant, permitted: usize) {
        self.expire(now);
        if self.hold.is_some_and(|at| at > now) || self.servers.is_empty() {
            return;
        }
        self.hold = None;
        let most = permitted.min(if self.cautious { 1 } else { AT_ONCE });
        while self.under_way.len() < most {
            let background =
                self.under_way.values().filter(|one| one.lane == Lane::Background).count();
            let next = match self.interactive.pop_front() {
                Some(entry) => entry,
                None if background >= BACKGROUND_AT_ONCE => return,
                None => match self.background.pop_front() {
                    Some(entry) => entry,
                    None => return,
                },
            };
            self.launch(next);
        }
    }

    fn launch(&mut self, mut entry: Entry) {
        let Some(own) = self.servers.get(self.server).or_else(|| self.servers.first()) else {
            return;
        };
        self.last += 1;
        let request = RequestNumber(self.last);
        entry.tries += 1;
        let (origin, target) = match entry.redirected.clone() {
            Some((origin, target)) => (origin, Some(target)),
            None => (own.clone(), None),
        };
        self.outputs.push_back(QueueOutput::Send {
            request,
            origin,
            http: entry.http.clone(),
            target,
        });
        self.under_way.insert(request, entry);
    }

    /// How a request went. Refused credentials are the gate's business: it has failed everything before.
    pub fn answered(
        &mut self,
        now: Instant,
        request: RequestNumber,
        result: Result<HttpAnswer, HttpFailure>,
    ) {
        let Some(entry) = self.under_way.remove(&request) else { return };
        match result {
            Ok(answer) if answer.is_overload() => self.overloaded(now, entry, answer.retry_after),
            Ok(answer) => match self.redirection(&entry, &answer) {
                Some(redirected) => {
                    self.again(Entry { redirected: Some(redirected), ..entry });
                }
                None => {
                    self.cautious = false;
                    self.backoff.succeeded();
                    self.finish(entry.ticket, Ok(answer));
                }
            },
            Err(failure) => self.failed(now, entry, failure),
        }
    }

    fn redirection(&self, entry: &Entry, answer: &HttpAnswer) -> Option<(Origin, String)> {
        let moved = matches!(answer.status, 301 | 302 | 307 | 308) && entry.tries < TRIES;
        let from = match &entry.redirected {
            Some((origin, _)) => origin,
            None => self.servers.get(self.server)?,
        };
        moved.then(|| from.redirected(answer.location.as_deref()?)).flatten()
    }

    fn overloaded(&mut self, now: Instant, entry: Entry, asked: Option<Duration>) {
        let wait = self
            .backoff
            .wait(&mut self.random, asked.map(|asked| asked.min(Duration::from_secs(3600))));
        let hold = self.hold.map_or(now + wait, |hold| hold.max(now + wait));
        tracing::debug!("requests: the server is overloaded, none for {:?}", hold - now);
        self.hold = Some(hold);
        self.cautious = true;
        let in_time = entry.until > hold;
        // A change waits only while the person still expects it.
        if in_time && (entry.http.is_safe() || wait <= BRIEF) {
            self.again(entry);
        } else {
            self.finish(entry.ticket, Err(XsiError::Overloaded { retry_after: Some(wait) }));
        }
    }

    fn failed(&mut self, now: Instant, entry: Entry, failure: HttpFailure) {
        let others = self.servers.len() > 1;
        if failure.is_unsent() && others {
            self.server = (self.server + 1) % self.servers.len();
            tracing::debug!("requests: the next server is asked, since {failure}");
        }
        let repeatable = match failure {
            HttpFailure::Unreachable | HttpFailure::Tls(_) => {
                usize::from(entry.tries) < self.servers.len() && entry.tries < TRIES
            }
            HttpFailure::Timeout | HttpFailure::Broken => entry.http.is_safe() && entry.tries < 2,
            HttpFailure::TooLarge => false,
        };
        if repeatable && entry.until > now {
            self.again(Entry { redirected: None, ..entry });
        } else {
            self.finish(entry.ticket, Err(failure.into()));
        }
    }

    /// To the head of its lane.
    fn again(&mut self, entry: Entry) {
        match entry.lane {
            Lane::Interactive => self.interactive.push_front(entry),
            Lane::Background => self.background.push_front(entry),
        }
    }

    fn expire(&mut self, now: Instant) {
        let hold = self.hold;
        let mut late = Vec::new();
        for lane in [&mut self.interactive, &mut self.background] {
            lane.retain(|entry| {
                let in_time = entry.until > now;
                if !in_time {
                    late.push(entry.ticket);
                }
                in_time
            });
        }
        for ticket in late {
            let error = match hold {
                Some(at) => {
                    XsiError::Overloaded { retry_after: Some(at.saturating_duration_since(now)) }
                }
                None => XsiError::Expired,
            };
            self.finish(ticket, Err(error));
        }
    }

    fn finish(&mut self, ticket: Ticket, result: Result<HttpAnswer, XsiError>) {
        self.outputs.push_back(QueueOutput::Done { ticket, result });
    }

    /// What the queue wants done and tells, oldest first.
    pub fn poll_output(&mut self) -> Option<QueueOutput> {
        self.outputs.pop_front()
    }

    /// When [`Self::advance`] must be called because of the time.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.interactive.iter().chain(&self.background).map(|entry| entry.until);
        let hold = self.hold.filter(|_| self.is_waiting());
        waiting.chain(hold).min()
    }
}

#[cfg(test)]
mod tests;
