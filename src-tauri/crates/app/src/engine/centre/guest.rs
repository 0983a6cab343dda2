//! A guest at the account's telephone (hoteling): who has it, and signing one in and out over SIP
//! (`x-broadworks-hoteling`).
//!
//! Inputs: from the desk `sign`; from the user agent `notified`, `answered` and `not_sent` (what became of a wish); from time
//! `handle_timeout`. It lasts as long as its subscription. The guest's secret is held until he is signed in, and never sent:
//! the exchange asks with a nonce, once.
//!
//! ```text
//! idle -> following <-> asked -> proving -> following
//!                         |         |
//!                         +---------+--> following, and refused
//! ```

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use event_packages::{HotelingEvent, SetHoteling};
use secrecy::SecretString;
use sip_core::digest::nonce_response;
use sip_types::{StatusCode, Uri};
use tracing::debug;

/// The event package.
pub(super) const PACKAGE: &str = "x-broadworks-hoteling";
/// The type of its documents.
pub(super) const DOCUMENT: &str = "application/x-broadworks-hoteling+xml";
/// How long the exchange has for an answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Out {
    /// Subscribe.
    Subscribe,
    /// Send this wish, and say what came of it.
    Send(SetHoteling),
    /// The last `sign` has come to this.
    Done(Result<(), Failure>),
    /// Something that is shown has changed.
    Changed,
}

/// Why a guest was not signed in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Failure {
    /// Nothing can be asked at the moment, or nobody answered.
    Unavailable,
    /// Another wish is under way.
    Busy,
    /// The secret is not the guest's.
    WrongSecret,
    /// There cannot be such a guest here: he is unknown, or somebody else has the telephone.
    Refused,
    /// The exchange refused the wish, with this status.
    Status(u16),
}

/// Who has the telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Guest {
    /// Address, as the exchange writes it.
    pub(in super::super) address: String,
    /// Until when, if the exchange says so.
    pub(in super::super) until: Option<Instant>,
}

#[expect(clippy::large_enum_variant, reason = "one for each account")]
#[derive(Debug)]
enum State {
    Idle,
    Following,
    /// A wish was sent. The secret is there until it is asked for.
    Asked {
        guest: Option<Uri>,
        secret: Option<SecretString>,
        /// The exchange has taken it: what it tells from now on is the outcome.
        taken: bool,
        due: Instant,
    },
}

/// The telephone's guest.
#[derive(Debug)]
pub(in super::super) struct GuestSeat {
    state: State,
    guest: Option<Guest>,
    out: VecDeque<Out>,
}

impl GuestSeat {
    /// Nothing is known yet, and a subscription is wanted.
    pub(super) fn new() -> GuestSeat {
        let out = VecDeque::from([Out::Subscribe]);
        GuestSeat { state: State::Idle, guest: None, out }
    }

    /// The next thing to do.
    pub(super) fn poll_output(&mut self) -> Option<Out> {
        self.out.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Asked { due, .. } => Some(due),
            _ => None,
        }
    }

    /// The exchange's time for an answer may be up.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            self.over(Err(Failure::Unavailable), "no answer");
        }
    }

    /// Who has the telephone; `None`: its owner.
    pub(super) fn guest(&self) -> Option<&Guest> {
        self.guest.as_ref()
    }

    /// Whether a guest can be signed in here.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Whether a wish is under way.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.state, State::Asked { .. })
    }

    /// Signs a guest in, or with none the one out who is there.
    pub(super) fn sign(&mut self, now: Instant, guest: Option<(Uri, SecretString)>) {
        match self.state {
            State::Idle => return self.out.push_back(Out::Done(Err(Failure::Unavailable))),
            State::Asked { .. } => return self.out.push_back(Out::Done(Err(Failure::Busy))),
            State::Following => {}
        }
        let (guest, secret) = guest.unzip();
        let address = guest.as_ref().map(Uri::to_string);
        // A nonce that was told before may be used up: the exchange is asked for one.
        self.out.push_back(Out::Send(SetHoteling { guest: address, proof: None }));
        self.out.push_back(Out::Changed);
        let due = now + PATIENCE;
        self.enter(State::Asked { guest, secret, taken: false, due }, "wish");
    }

    /// The wish could not be sent.
    pub(super) fn not_sent(&mut self) {
        self.over(Err(Failure::Unavailable), "not sent");
    }

    /// The exchange has answered the wish; none: it has not, and will not.
    pub(super) fn answered(&mut self, status: Option<StatusCode>) {
        match (status, &mut self.state) {
            (Some(status), State::Asked { taken, .. }) if status.is_success() => *taken = true,
            (Some(status), State::Asked { .. }) => {
                self.over(Err(Failure::Status(status.code())), "refused");
            }
            (None, State::Asked { .. }) => self.over(Err(Failure::Unavailable), "no answer"),
            _ => {}
        }
    }

    /// A notification. One that cannot be read changes nothing.
    pub(super) fn notified(&mut self, now: Instant, body: &[u8]) {
        if body.is_empty() {
            return;
        }
        let event = match HotelingEvent::read(body) {
            Ok(event) => event,
            Err(error) => return debug!(%error, "which guest is there cannot be read"),
        };
        if matches!(self.state, State::Idle) {
            self.enter(State::Following, "notified");
        }
        let until = event.expires.map(|left| now + Duration::from_secs(left.into()));
        self.guest = event.guest.map(|address| Guest { address, until });
        self.out.push_back(Out::Changed);
        match event.nonce {
            Some(nonce) => self.challenged(nonce),
            None => self.told_outcome(),
        }
    }

    /// The exchange wants a proof.
    fn challenged(&mut self, nonce: String) {
        let State::Asked { guest, secret, taken, .. } = &mut self.state else { return };
        match secret.take() {
            Some(secret) => {
                *taken = false;
                let guest = guest.as_ref().map(Uri::to_string);
                let proof = Some(proof_of(nonce, &secret));
                self.out.push_back(Out::Send(SetHoteling { guest, proof }));
                debug!("asked, challenged -> proving");
            }
            // It was proved, and is asked for again.
            None => self.over(Err(Failure::WrongSecret), "challenged again"),
        }
    }

    fn told_outcome(&mut self) {
        let State::Asked { guest, taken, .. } = &self.state else { return };
        let there = self.guest.as_ref().and_then(|there| Uri::parse(&there.address).ok());
        let is_so = match (guest, &there) {
            (Some(wanted), Some(there)) => wanted.user() == there.user(),
            (None, None) => self.guest.is_none(),
            _ => false,
        };
        match (is_so, *taken) {
            (true, _) => self.over(Ok(()), "told"),
            (false, true) => self.over(Err(Failure::Refused), "told otherwise"),
            // It was on its way before the wish.
            (false, false) => {}
        }
    }

    fn over(&mut self, result: Result<(), Failure>, event: &str) {
        self.enter(State::Following, event);
        self.out.push_back(Out::Done(result));
        self.out.push_back(Out::Changed);
    }

    fn enter(&mut self, state: State, event: &str) {
        debug!("{}, {event} -> {}", name(&self.state), name(&state));
        self.state = state;
    }
}

fn proof_of(nonce: String, secret: &SecretString) -> (String, String) {
    let response = nonce_response(&nonce, secret);
    (nonce, response)
}

fn name(state: &State) -> &'static str {
    match state {
        State::Idle => "idle",
        State::Following => "following",
        State::Asked { .. } => "asked",
    }
}
