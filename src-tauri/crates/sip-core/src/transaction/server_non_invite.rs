//! The server transaction of every other request (RFC 3261 section 17.2.2, RFC 4320).
//!
//! Inputs from the network: the request again; a failed send.
//! Inputs from the TU: provisional and final answers.
//! Inputs from the clock: timer J (absorb retransmitted requests); 64*T1 without a final answer,
//! when the client has given up (its timer F) and an answer would do harm (RFC 4320 section 4.2).
//!
//! ```text
//! trying --100--> proceeding --final--> completed --J--> terminated
//!    |                |
//!    +----------------+-- 64*T1, 408 --> terminated
//! ```

use std::fmt;
use std::time::Instant;

use sip_types::StatusCode;

use super::action::ServerAction;
use super::{ServerFailure, ServerKey, TimerConfig};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// One request being answered.
#[derive(Debug)]
pub(super) struct ServerNonInvite {
    key: ServerKey,
    state: State,
    timers: TimerConfig,
    reliable: bool,
    too_late: Option<Instant>,
    j: Option<Instant>,
}

impl ServerNonInvite {
    pub(super) fn new(now: Instant, key: ServerKey, timers: TimerConfig, reliable: bool) -> Self {
        let too_late = Some(now + timers.give_up());
        Self { key, state: State::Trying, timers, reliable, too_late, j: None }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        [self.too_late, self.j].into_iter().flatten().min()
    }

    /// The request arrived again.
    pub(super) fn retransmitted(&self) -> Vec<ServerAction> {
        match self.state {
            State::Proceeding | State::Completed => vec![ServerAction::Send],
            State::Trying | State::Terminated => Vec::new(),
        }
    }

    /// The TU answers. Nothing to do means: not allowed in this state.
    pub(super) fn respond(&mut self, now: Instant, status: StatusCode) -> Vec<ServerAction> {
        if !matches!(self.state, State::Trying | State::Proceeding) {
            return Vec::new();
        }
        match status.code() {
            100 => {
                self.go(State::Proceeding, &100);
                vec![ServerAction::Send]
            }
            101..=199 => Vec::new(),
            408 => {
                self.go(State::Terminated, &"408, not sent");
                vec![ServerAction::Terminate]
            }
            code => {
                self.go(State::Completed, &code);
                self.too_late = None;
                let linger = self.timers.j(self.reliable);
                if linger.is_zero() {
                    self.go(State::Terminated, &"timer J");
                    return vec![ServerAction::Send, ServerAction::Terminate];
                }
                self.j = Some(now + linger);
                vec![ServerAction::Send]
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<ServerAction> {
        if self.next_timeout().is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.go(State::Terminated, if self.j.is_some() { &"timer J" } else { &"64*T1" });
        vec![ServerAction::Terminate]
    }

    /// The answer could not be sent.
    pub(super) fn transport_failed(&mut self, reason: &str) -> Vec<ServerAction> {
        if self.state != State::Completed {
            return Vec::new();
        }
        self.go(State::Terminated, &"transport failed");
        vec![ServerAction::Fail(ServerFailure::Transport(reason.to_owned()))]
    }

    fn go(&mut self, to: State, event: &dyn fmt::Display) {
        tracing::debug!("{} {:?}, {event} -> {to:?}", self.key, self.state);
        self.state = to;
    }
}
