//! The INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026 section 7.1).
//!
//! Inputs from the network: retransmitted INVITE, ACK; a failed send.
//! Inputs from the TU: provisional, success and refusal answers.
//! Inputs from the clock: 200 ms without an answer (100 Trying), timers G (retransmit the refusal),
//! H (no ACK), I (absorb retransmitted ACKs), L (end of the accepted state).
//!
//! ```text
//! proceeding --2xx--> accepted --L--> terminated
//!     |  3xx-6xx
//!     +--------> completed --ACK--> confirmed --I--> terminated
//!                    +-- H, failed send --> terminated
//! ```

use std::fmt;
use std::time::{Duration, Instant};

use sip_types::StatusCode;

use super::action::ServerAction;
use super::{ServerFailure, ServerKey, TimerConfig};

/// How long the TU may think before `100 Trying` is sent for it (section 17.2.1).
const TRYING_AFTER: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
    Terminated,
}

/// One INVITE being answered.
#[derive(Debug)]
pub(super) struct ServerInvite {
    key: ServerKey,
    state: State,
    timers: TimerConfig,
    reliable: bool,
    answered: bool,
    trying: Option<Instant>,
    /// Timer G and its present interval.
    g: Option<(Instant, Duration)>,
    h: Option<Instant>,
    i: Option<Instant>,
    l: Option<Instant>,
}

impl ServerInvite {
    pub(super) fn new(now: Instant, key: ServerKey, timers: TimerConfig, reliable: bool) -> Self {
        Self {
            key,
            state: State::Proceeding,
            timers,
            reliable,
            answered: false,
            trying: Some(now + TRYING_AFTER),
            g: None,
            h: None,
            i: None,
            l: None,
        }
    }

    /// Whether no final answer has been given.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Proceeding
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let g = self.g.map(|(at, _)| at);
        [self.trying, g, self.h, self.i, self.l].into_iter().flatten().min()
    }

    /// The INVITE arrived again.
    pub(super) fn retransmitted(&self) -> Vec<ServerAction> {
        match self.state {
            State::Proceeding if self.answered => vec![ServerAction::Send],
            State::Completed => vec![ServerAction::Send],
            _ => Vec::new(),
        }
    }

    pub(super) fn acknowledged(&mut self, now: Instant) -> Vec<ServerAction> {
        match self.state {
            State::Completed => {
                self.go(State::Confirmed, &"ACK");
                let linger = self.timers.linger(self.reliable);
                if linger.is_zero() {
                    self.go(State::Terminated, &"timer I");
                    return vec![ServerAction::Terminate];
                }
                self.i = Some(now + linger);
                Vec::new()
            }
            State::Accepted => vec![ServerAction::DeliverAck],
            _ => Vec::new(),
        }
    }

    /// The TU answers. Nothing to do means: not allowed in this state.
    pub(super) fn respond(&mut self, now: Instant, status: StatusCode) -> Vec<ServerAction> {
        match self.state {
            State::Proceeding if status.is_provisional() => {
                self.answered = true;
                self.trying = None;
                tracing::debug!(
                    "{} {:?}, {} -> {:?}",
                    self.key,
                    self.state,
                    status.code(),
                    self.state
                );
                vec![ServerAction::Send]
            }
            State::Proceeding if status.is_success() => {
                self.go(State::Accepted, &status.code());
                self.l = Some(now + self.timers.give_up());
                vec![ServerAction::Send]
            }
            State::Proceeding => {
                self.go(State::Completed, &status.code());
                self.g = (!self.reliable).then(|| (now + self.timers.t1, self.timers.t1));
                self.h = Some(now + self.timers.give_up());
                vec![ServerAction::Send]
            }
            State::Accepted if status.is_success() => vec![ServerAction::Send],
            _ => Vec::new(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<ServerAction> {
        let due = |timer: Option<Instant>| timer.is_some_and(|at| at <= now);
        if due(self.l) || due(self.i) {
            self.go(State::Terminated, if self.l.is_some() { &"timer L" } else { &"timer I" });
            return vec![ServerAction::Terminate];
        }
        if due(self.h) {
            self.go(State::Terminated, &"timer H");
            return vec![ServerAction::Fail(ServerFailure::NoAck)];
        }
        if due(self.trying) {
            self.trying = None;
            self.answered = true;
            tracing::debug!("{} Proceeding, 200 ms -> Proceeding", self.key);
            return vec![ServerAction::SendTrying];
        }
        match self.g {
            Some((at, interval)) if at <= now => {
                let next = self.timers.doubled(interval);
                self.g = Some((now + next, next));
                vec![ServerAction::Send]
            }
            _ => Vec::new(),
        }
    }

    /// An answer could not be sent. Only a refusal is this machine's to lose: a 2xx is sent again by
    /// the TU, and a provisional answer need not arrive.
    pub(super) fn transport_failed(&mut self, reason: &str) -> Vec<ServerAction> {
        if self.state != State::Completed {
            return Vec::new();
        }
        self.go(State::Terminated, &"transport failed");
        vec![ServerAction::Fail(ServerFailure::Transport(reason.to_owned()))]
    }

    /// Every way out of a state stops the timers of the state left.
    fn go(&mut self, to: State, event: &dyn fmt::Display) {
        tracing::debug!("{} {:?}, {event} -> {to:?}", self.key, self.state);
        self.trying = None;
        self.g = None;
        self.h = None;
        self.state = to;
    }
}
