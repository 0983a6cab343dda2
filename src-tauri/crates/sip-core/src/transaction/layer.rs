//! The table of transactions under way, and the ways in and out.

use std::collections::VecDeque;
use std::time::Instant;

use sip_types::{Request, Response};

use super::{ClientKey, Input, Limits, Output, ServerKey, TimerConfig};
use crate::{Random, Route};

/// All transactions of one user agent.
#[derive(Debug)]
pub struct TransactionLayer {
    timers: TimerConfig,
    limits: Limits,
    random: Random,
    outputs: VecDeque<Output>,
}

impl TransactionLayer {
    /// An empty layer with the default [`Limits`].
    pub fn new(timers: TimerConfig, random: Random) -> Self {
        Self::with_limits(timers, Limits::default(), random)
    }

    /// An empty layer.
    pub fn with_limits(timers: TimerConfig, limits: Limits, random: Random) -> Self {
        Self { timers, limits, random, outputs: VecDeque::new() }
    }

    /// Takes what the transport told.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        let _ = (now, input, &self.timers, &self.limits, &mut self.random);
    }

    /// Lets every timer fire that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// The next thing to do; call until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; `None` when no timer runs.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Sends a request other than ACK and CANCEL in a new client transaction. The top Via (with
    /// branch and `rport`) is pushed here; the request must not bring one for this hop.
    pub fn request(&mut self, now: Instant, request: Request, route: &Route) -> ClientKey {
        let _ = (now, request, route);
        ClientKey(0)
    }

    /// Sends the ACK to a 2xx: no transaction, no answer. Call it again for each retransmitted 2xx.
    pub fn send_ack(&mut self, now: Instant, ack: Request, route: &Route) {
        let _ = (now, ack, route);
    }

    /// Cancels an INVITE (RFC 3261 section 9.1). The CANCEL leaves at once when a provisional
    /// answer has come, otherwise with the first one. Its own answer comes as an event for the
    /// returned key; a second call returns the same key. `None` when the INVITE has its final
    /// answer or is unknown: there is nothing to cancel, a confirmed dialog is ended with BYE.
    pub fn cancel(&mut self, now: Instant, invite: &ClientKey) -> Option<ClientKey> {
        let _ = (now, invite);
        None
    }

    /// Answers a request. A retransmitted 2xx to INVITE goes through here again, until the
    /// transaction has terminated (64*T1). An answer the state does not allow is dropped: a second
    /// final one, a 408 or a 101 to 199 to a non-INVITE (RFC 4320).
    pub fn respond(&mut self, now: Instant, key: &ServerKey, response: Response) {
        let _ = (now, key, response);
    }

    /// How many client and server transactions are under way.
    pub fn len(&self) -> (usize, usize) {
        (0, 0)
    }
}
