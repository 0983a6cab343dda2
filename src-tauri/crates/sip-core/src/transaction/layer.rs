//! The layer as its user sees it: the ways in and out, above the client and server tables.

use std::collections::VecDeque;
use std::time::Instant;

use sip_types::{HeaderName, Message, ParseError, Rejection, Request, Response};

use super::client::Clients;
use super::server::{self, Servers};
use super::{ClientKey, Input, Limits, Output, ServerKey, TimerConfig, via};
use crate::{Random, Route, Source};

/// All transactions of one user agent.
///
/// Inputs from the network: [`Input`]. Inputs from the TU: the other methods. Inputs from the
/// clock: [`handle_timeout`](Self::handle_timeout).
#[derive(Debug)]
pub struct TransactionLayer {
    random: Random,
    clients: Clients,
    servers: Servers,
    outputs: VecDeque<Output>,
}

impl TransactionLayer {
    /// An empty layer with the default [`Limits`].
    pub fn new(timers: TimerConfig, random: Random) -> Self {
        Self::with_limits(timers, Limits::default(), random)
    }

    /// An empty layer.
    pub fn with_limits(timers: TimerConfig, limits: Limits, random: Random) -> Self {
        Self {
            random,
            clients: Clients::new(timers, limits.client),
            servers: Servers::new(timers, limits.server),
            outputs: VecDeque::new(),
        }
    }

    /// Takes what the transport told.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        let out = &mut self.outputs;
        match input {
            Input::Received { source, message: Message::Request(request) } => {
                self.servers.receive(now, source, request, &mut self.random, out);
            }
            Input::Received { source, message: Message::Response(response) } => {
                self.clients.receive(now, source, response, out);
            }
            Input::Malformed { source, error } => self.refuse_malformed(source, error),
            Input::TransportFailed { target, reason } => {
                self.clients.transport_failed(now, target, &reason, out);
                self.servers.transport_failed(target, &reason, out);
            }
        }
    }

    /// Lets every timer fire that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.clients.handle_timeout(now, &mut self.outputs);
        self.servers.handle_timeout(now, &mut self.outputs);
    }

    /// The next thing to do; call until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; `None` when no timer runs.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.clients.next_timeout(), self.servers.next_timeout()].into_iter().flatten().min()
    }

    /// Sends a request other than ACK and CANCEL in a new client transaction. The top Via (with
    /// branch and `rport`) is pushed here; the request must not bring one for this hop. One of more
    /// than 1300 bytes goes over TCP instead of UDP, as long as the server takes that.
    pub fn request(&mut self, now: Instant, request: Request, route: &Route) -> ClientKey {
        self.clients.request(now, request, route, &mut self.random, &mut self.outputs)
    }

    /// Sends the ACK to a 2xx: no transaction, no answer. Call it again for each retransmitted 2xx.
    pub fn send_ack(&mut self, now: Instant, ack: Request, route: &Route) {
        self.clients.send_ack(now, ack, route, &mut self.random, &mut self.outputs);
    }

    /// Cancels an INVITE (RFC 3261 section 9.1). The CANCEL leaves at once when a provisional
    /// answer has come, otherwise with the first one. Its own answer comes as an event for the
    /// returned key; a second call returns the same key. `None` when the INVITE has its final
    /// answer or is unknown: there is nothing to cancel, a confirmed dialog is ended with BYE.
    pub fn cancel(&mut self, now: Instant, invite: &ClientKey) -> Option<ClientKey> {
        self.cancel_with(now, invite, Vec::new())
    }

    /// [`cancel`](Self::cancel) with headers of the owner's besides: a Reason (RFC 3326) that tells
    /// the phone why it stops ringing.
    pub fn cancel_with(
        &mut self,
        now: Instant,
        invite: &ClientKey,
        headers: Vec<(HeaderName, String)>,
    ) -> Option<ClientKey> {
        self.clients.cancel(now, *invite, headers, &mut self.outputs)
    }

    /// Answers a request. A retransmitted 2xx to INVITE goes through here again, until the
    /// transaction has terminated (64*T1). An answer the state does not allow is dropped: a second
    /// final one, a 408 or a 101 to 199 to a non-INVITE (RFC 4320).
    #[expect(clippy::needless_pass_by_value, reason = "an answer is given away")]
    pub fn respond(&mut self, now: Instant, key: &ServerKey, response: Response) {
        self.servers.respond(now, *key, &response, &mut self.outputs);
    }

    /// How many client and server transactions are under way.
    pub fn under_way(&self) -> (usize, usize) {
        (self.clients.len(), self.servers.len())
    }

    /// How many of our requests still wait for their final answer. Less than the clients of
    /// [`under_way`](Self::under_way), which also linger to absorb repeated answers.
    pub fn unanswered(&self) -> usize {
        self.clients.open()
    }

    fn refuse_malformed(&mut self, source: Source, error: ParseError) {
        let Some(status) = error.status() else {
            tracing::debug!("dropped: {error}");
            return;
        };
        let Some(Message::Request(mut request)) = error.partial.map(|partial| *partial) else {
            return;
        };
        let Some(top) = via::complete(&mut request, &source) else { return };
        let path = via::return_path(&top, &source);
        let rejection = Rejection::new(status, error.reason);
        server::reject(&request, path, rejection, &mut self.random, &mut self.outputs);
    }
}
