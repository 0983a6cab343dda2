//! The user agent: the door through which everything goes in and out, and the routing of
//! transaction events to the state machines that own them.

use std::{collections::VecDeque, time::Instant};

use sip_core::{ClientKey, Random, Route, ServerKey};
use sip_types::{HeaderName, Method, NameAddr, Request, Response, StatusCode};

use crate::{
    AccountConfig, AccountId, Body, Config, Counters, Input, LocalIdentity, OutgoingCall, Output,
    SessionId, UaError,
};

/// A SIP user agent without I/O.
///
/// Give it messages and answers with [`handle_input`](Self::handle_input), the time with
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says so, and
/// drain [`poll_output`](Self::poll_output) after every call.
pub struct UserAgent {
    outputs: VecDeque<Output>,
}

#[allow(unused_variables, clippy::needless_pass_by_value, clippy::unused_self)]
impl UserAgent {
    /// A user agent without accounts.
    #[must_use]
    pub fn new(config: Config, random: Random) -> Self {
        Self { outputs: VecDeque::new() }
    }

    /// Takes in what the outside has to tell.
    pub fn handle_input(&mut self, now: Instant, input: Input) {}

    /// Lets everything happen that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {}

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    // --- accounts ---

    /// Adds an account; with `register` set it begins to register at once.
    pub fn add_account(&mut self, now: Instant, config: AccountConfig) -> AccountId {
        AccountId(0)
    }

    /// Removes an account: its sessions are ended, its registration is taken back.
    pub fn remove_account(&mut self, now: Instant, account: AccountId) -> Result<(), UaError> {
        Ok(())
    }

    /// Registers now, whatever the state: after a refusal, after the network changed.
    pub fn register(&mut self, now: Instant, account: AccountId) -> Result<(), UaError> {
        Ok(())
    }

    /// Takes the registration back.
    pub fn unregister(&mut self, now: Instant, account: AccountId) -> Result<(), UaError> {
        Ok(())
    }

    // --- sessions ---

    /// Places a call.
    pub fn invite(
        &mut self,
        now: Instant,
        account: AccountId,
        call: OutgoingCall,
    ) -> Result<SessionId, UaError> {
        Err(UaError::UnknownAccount)
    }

    /// 180 Ringing.
    pub fn ring(&mut self, now: Instant, session: SessionId) -> Result<(), UaError> {
        Ok(())
    }

    /// 183 Session Progress, with a description for early media if given.
    pub fn progress(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Answers with 200. The body is the answer to the caller's offer, or our offer if the INVITE
    /// had none (the answer then comes with [`crate::Event::Confirmed`]).
    pub fn accept(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Refuses an incoming call with a final status from 400 up.
    pub fn reject(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// [`reject`](Self::reject) with headers besides (a challenge, a Retry-After, a Reason).
    pub fn reject_with(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
        headers: Vec<(HeaderName, String)>,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Sends an incoming call elsewhere with 302.
    pub fn redirect(
        &mut self,
        now: Instant,
        session: SessionId,
        contacts: Vec<NameAddr>,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Ends a session as its state demands: CANCEL, BYE or 486. `Ended` follows at once.
    pub fn hangup(&mut self, now: Instant, session: SessionId) -> Result<(), UaError> {
        Ok(())
    }

    /// [`hangup`](Self::hangup) with a Reason header (RFC 3326) in the CANCEL or BYE, e.g.
    /// `SIP;cause=200;text="Call completed elsewhere"`.
    pub fn hangup_with(
        &mut self,
        now: Instant,
        session: SessionId,
        reason: &str,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Changes an answered session by a new offer (re-INVITE). Sent when no other INVITE is in the
    /// way; glare is retried inside. [`UaError::WrongState`] while an earlier one is unfinished.
    pub fn reoffer(&mut self, now: Instant, session: SessionId, body: Body) -> Result<(), UaError> {
        Ok(())
    }

    /// Asks the peer for an offer (re-INVITE without a body). The offer comes with
    /// [`crate::Event::ReofferAnswered`] and [`crate::Role::Offer`].
    pub fn request_offer(&mut self, now: Instant, session: SessionId) -> Result<(), UaError> {
        Ok(())
    }

    /// Accepts the peer's re-INVITE with an answer (or our offer, if it had none).
    pub fn answer_reoffer(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Refuses the peer's re-INVITE; the session goes on as it was.
    pub fn reject_reoffer(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Answers an offer that came in a 2xx ([`crate::Role::Offer`]); it travels in the ACK.
    pub fn provide_answer(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Body,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Sends an INFO (DTMF where the peer has no telephone-event).
    pub fn info(&mut self, now: Instant, session: SessionId, body: Body) -> Result<(), UaError> {
        Ok(())
    }

    /// Presents an incoming session's local party in our responses from here on
    /// (P-Asserted-Identity in 180, 183 and 200).
    pub fn set_identity(
        &mut self,
        session: SessionId,
        asserted: Option<NameAddr>,
    ) -> Result<(), UaError> {
        Ok(())
    }

    /// Sends any request inside an answered session's dialog (NOTIFY, MESSAGE …). Its end comes as
    /// [`crate::Event::SessionRequestDone`]. Not for INVITE, ACK, BYE, CANCEL.
    pub fn send_in_session(
        &mut self,
        now: Instant,
        session: SessionId,
        method: Method,
        headers: Vec<(HeaderName, String)>,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        Ok(())
    }

    // --- outside of sessions ---

    /// Sends a request that belongs to no session. The caller fills in every header but Via.
    /// Responses come as [`crate::Event::OutOfDialogResponse`].
    pub fn send_request(&mut self, now: Instant, request: Request, route: &Route) -> ClientKey {
        let _ = LocalIdentity { display: None, uri: request.uri, asserted: None };
        loop {}
    }

    /// Answers a request handed up as [`crate::Event::OutOfDialog`] or [`crate::Event::InDialog`].
    pub fn respond(&mut self, now: Instant, key: &ServerKey, response: Response) {}

    // --- for whoever watches ---

    /// Figures since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters::default()
    }

    /// Sessions that still hold anything: also those that have Ended and wait for the end of their
    /// BYE or CANCEL.
    #[must_use]
    pub fn session_count(&self) -> usize {
        0
    }
}
