//! The client transaction of every other request (RFC 3261 section 17.1.2).
//!
//! Inputs from the network: provisional and final answers; a failed send.
//! Inputs from the clock: timers E (retransmit), F (no answer), K (absorb retransmitted answers).
//!
//! ```text
//! trying --1xx--> proceeding --final--> completed --K--> terminated
//!    |                |
//!    +----------------+-- F, failed send --> terminated
//! ```

use std::fmt;
use std::time::{Duration, Instant};

use sip_types::StatusCode;

use super::action::ClientAction;
use super::{ClientKey, Failure, TimerConfig};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// One request under way.
#[derive(Debug)]
pub(super) struct ClientNonInvite {
    key: ClientKey,
    state: State,
    timers: TimerConfig,
    reliable: bool,
    /// Timer E and its present interval.
    e: Option<(Instant, Duration)>,
    f: Option<Instant>,
    k: Option<Instant>,
}

impl ClientNonInvite {
    /// Starts the transaction; the layer sends the request right after.
    pub(super) fn new(now: Instant, key: ClientKey, timers: TimerConfig, reliable: bool) -> Self {
        Self {
            key,
            state: State::Trying,
            timers,
            reliable,
            e: (!reliable).then(|| (now + timers.t1, timers.t1)),
            f: Some(now + timers.give_up()),
            k: None,
        }
    }

    /// Whether a final answer is still to come.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// Whether nothing at all has come back.
    pub(super) fn is_unanswered(&self) -> bool {
        self.state == State::Trying
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        [self.e.map(|(at, _)| at), self.f, self.k].into_iter().flatten().min()
    }

    pub(super) fn receive(&mut self, now: Instant, status: StatusCode) -> Vec<ClientAction> {
        match self.state {
            State::Trying | State::Proceeding if status.is_provisional() => {
                self.go(State::Proceeding, &status.code());
                vec![ClientAction::Deliver]
            }
            State::Trying | State::Proceeding => {
                self.go(State::Completed, &status.code());
                self.e = None;
                self.f = None;
                let linger = self.timers.linger(self.reliable);
                if linger.is_zero() {
                    self.go(State::Terminated, &"timer K");
                    return vec![ClientAction::Deliver, ClientAction::Terminate];
                }
                self.k = Some(now + linger);
                vec![ClientAction::Deliver]
            }
            State::Completed | State::Terminated => Vec::new(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<ClientAction> {
        if self.k.is_some_and(|at| at <= now) {
            self.go(State::Terminated, &"timer K");
            return vec![ClientAction::Terminate];
        }
        if self.f.is_some_and(|at| at <= now) {
            self.go(State::Terminated, &"timer F");
            return vec![ClientAction::Fail(Failure::Timeout)];
        }
        match self.e {
            Some((at, interval)) if at <= now => {
                let next = match self.state {
                    State::Proceeding => self.timers.t2,
                    _ => self.timers.doubled(interval),
                };
                self.e = Some((now + next, next));
                vec![ClientAction::Send]
            }
            _ => Vec::new(),
        }
    }

    /// The request could not be sent, or the connection its answer would use is gone.
    pub(super) fn transport_failed(&mut self, reason: &str) -> Vec<ClientAction> {
        if !matches!(self.state, State::Trying | State::Proceeding) {
            return Vec::new();
        }
        self.go(State::Terminated, &"transport failed");
        vec![ClientAction::Fail(Failure::Transport(reason.to_owned()))]
    }

    fn go(&mut self, to: State, event: &dyn fmt::Display) {
        tracing::debug!("{} {:?}, {event} -> {to:?}", self.key, self.state);
        self.state = to;
    }
}
