//! The INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026 section 7.2).
//!
//! Inputs from the network: provisional, success and refusal answers; a failed send.
//! Inputs from the clock: timers A (retransmit), B (no answer), D (absorb refusals), M (absorb 2xx),
//! and the wait for a final answer after a CANCEL (section 9.1).
//! Inputs from the TU: that a CANCEL was sent.
//!
//! ```text
//! calling --1xx--> proceeding --2xx--> accepted --M--> terminated
//!    |                 |  3xx-6xx
//!    |                 +--------> completed --D--> terminated
//!    +-- B, failed send --> terminated
//! ```

use std::fmt;
use std::time::{Duration, Instant};

use sip_types::StatusCode;

use super::action::ClientAction;
use super::{ClientKey, Failure, TimerConfig};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Accepted,
    Completed,
    Terminated,
}

/// One INVITE under way.
#[derive(Debug)]
pub(super) struct ClientInvite {
    key: ClientKey,
    state: State,
    timers: TimerConfig,
    reliable: bool,
    /// Timer A and its present interval.
    a: Option<(Instant, Duration)>,
    b: Option<Instant>,
    d: Option<Instant>,
    m: Option<Instant>,
    after_cancel: Option<Instant>,
}

impl ClientInvite {
    /// Starts the transaction; the layer sends the request right after.
    pub(super) fn new(now: Instant, key: ClientKey, timers: TimerConfig, reliable: bool) -> Self {
        Self {
            key,
            state: State::Calling,
            timers,
            reliable,
            a: (!reliable).then(|| (now + timers.t1, timers.t1)),
            b: Some(now + timers.give_up()),
            d: None,
            m: None,
            after_cancel: None,
        }
    }

    /// Whether a CANCEL may leave now: a provisional answer has come, a final one has not.
    pub(super) fn may_cancel(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Whether there is still something a CANCEL could end.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    /// Whether nothing at all has come back.
    pub(super) fn is_unanswered(&self) -> bool {
        self.state == State::Calling
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        [self.a.map(|(at, _)| at), self.b, self.d, self.m, self.after_cancel]
            .into_iter()
            .flatten()
            .min()
    }

    /// A CANCEL has left: a final answer must come within 64*T1.
    pub(super) fn cancelled(&mut self, now: Instant) {
        self.after_cancel = Some(now + self.timers.give_up());
    }

    pub(super) fn receive(&mut self, now: Instant, status: StatusCode) -> Vec<ClientAction> {
        match self.state {
            State::Calling | State::Proceeding if status.is_provisional() => {
                self.go(State::Proceeding, &status.code());
                vec![ClientAction::Deliver]
            }
            State::Calling | State::Proceeding if status.is_success() => {
                self.go(State::Accepted, &status.code());
                self.m = Some(now + self.timers.give_up());
                vec![ClientAction::Deliver]
            }
            State::Calling | State::Proceeding => self.refused(now, status),
            State::Accepted if status.is_success() => vec![ClientAction::Deliver],
            State::Completed if status.code() >= 300 => vec![ClientAction::Acknowledge],
            _ => Vec::new(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<ClientAction> {
        if due(self.m, now) || due(self.d, now) {
            self.go(State::Terminated, if self.m.is_some() { &"timer M" } else { &"timer D" });
            return vec![ClientAction::Terminate];
        }
        if due(self.b, now) || due(self.after_cancel, now) {
            self.go(State::Terminated, if due(self.b, now) { &"timer B" } else { &"cancel wait" });
            return vec![ClientAction::Fail(Failure::Timeout)];
        }
        match self.a {
            Some((at, interval)) if at <= now => {
                self.a = Some((now + interval * 2, interval * 2));
                vec![ClientAction::Send]
            }
            _ => Vec::new(),
        }
    }

    /// The request or an ACK could not be sent. While the peer is known to work on the INVITE
    /// nothing of ours is being sent, and its answer may come over a new connection.
    pub(super) fn transport_failed(&mut self, reason: &str) -> Vec<ClientAction> {
        match self.state {
            State::Calling => {
                self.go(State::Terminated, &"transport failed");
                vec![ClientAction::Fail(Failure::Transport(reason.to_owned()))]
            }
            State::Completed => {
                self.go(State::Terminated, &"transport failed");
                vec![ClientAction::Terminate]
            }
            _ => Vec::new(),
        }
    }

    fn refused(&mut self, now: Instant, status: StatusCode) -> Vec<ClientAction> {
        self.go(State::Completed, &status.code());
        let mut actions = vec![ClientAction::Acknowledge, ClientAction::Deliver];
        let linger = self.timers.d(self.reliable);
        if linger.is_zero() {
            self.go(State::Terminated, &"timer D");
            actions.push(ClientAction::Terminate);
        } else {
            self.d = Some(now + linger);
        }
        actions
    }

    /// Every way out of a state stops the timers of the state left.
    fn go(&mut self, to: State, event: &dyn fmt::Display) {
        tracing::debug!("{} {:?}, {event} -> {to:?}", self.key, self.state);
        self.a = None;
        self.b = None;
        if to != State::Proceeding {
            self.after_cancel = None;
        }
        self.state = to;
    }
}

fn due(timer: Option<Instant>, now: Instant) -> bool {
    timer.is_some_and(|at| at <= now)
}
