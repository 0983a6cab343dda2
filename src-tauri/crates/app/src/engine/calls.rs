//! Calls: what the domain wants is done on the wire.

use std::net::IpAddr;
use std::time::Instant;

use call_control::{Action, Call, CallId, End, Input, Output, Party, Signal};
use sip_types::{NameAddr, StatusCode, Uri};
use sip_ua::{Body, OutgoingCall, SessionId, UaError};
use tracing::{debug, warn};

use super::descriptions::By;
use super::desk::Desk;
use super::gather::Waits;
use super::line::Line;
use super::transfers::ReferTo;
use crate::cause;
use crate::code::Code;

/// Why a step of a call was not possible.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// The call has no session or stream (any more).
    #[error("the call is gone")]
    Gone,
    /// There is no way to the other side.
    #[error("no local address leads there")]
    NoRoute,
    #[error(transparent)]
    Media(#[from] media::EngineError),
    #[error(transparent)]
    Description(#[from] sdp::NegotiationError),
    #[error(transparent)]
    Session(#[from] UaError),
}

impl StepError {
    pub(super) fn code(&self) -> Code {
        match self {
            StepError::Gone => Code::Internal,
            StepError::NoRoute => Code::ConnectionFailed,
            StepError::Media(error) => cause::of_media_error(error),
            StepError::Description(
                sdp::NegotiationError::NotEncrypted | sdp::NegotiationError::SecureOnly,
            ) => Code::NoCommonEncryption,
            StepError::Description(_) => Code::NoCommonCodec,
            StepError::Session(UaError::BadTarget) => Code::BadTarget,
            StepError::Session(_) => Code::Internal,
        }
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            StepError::Description(error) => error.status(),
            StepError::Media(media::EngineError::PortTaken { .. }) => 503,
            _ => 500,
        }
    }
}

impl Desk {
    pub(super) fn call_output(&mut self, now: Instant, output: Output) {
        match output {
            Output::Action(id, action) => self.act(now, id, action),
            Output::Changed(call) => self.call_changed(now, &call),
            Output::Sound(_) | Output::Conference(_) => self.apply_sound(),
            Output::Transfer { call, plan, progress } => {
                self.transfer_news(now, call, &plan, progress);
            }
        }
    }

    fn act(&mut self, now: Instant, id: CallId, action: Action) {
        let done = match action {
            Action::Invite => self.begin_invite(now, id),
            Action::Ring => self.ring(now, id),
            Action::Progress => self.progress(now, id),
            Action::Accept => self.accept(now, id),
            Action::Reject(status) => self.with_session(id, |desk, session| {
                desk.ua.reject(now, session, status_or(status, StatusCode::BUSY_HERE))
            }),
            Action::Redirect(to) => self.redirect(now, id, &to),
            Action::Hangup => self.with_session(id, |desk, session| desk.ua.hangup(now, session)),
            Action::GiveUp => {
                self.with_session(id, |desk, session| desk.ua.give_up_unless_answered(now, session))
            }
            Action::HandOver => {
                self.with_session(id, |desk, session| desk.ua.hand_over(now, session))
            }
            Action::Offer { .. } => self.offer(now, id, By::Invite),
            Action::Update { .. } => self.offer(now, id, By::Update),
            Action::Mute(on) => {
                self.sounds.mute(self.stream(id), on);
                Ok(())
            }
            Action::Dtmf(digits) => self.send_digits(now, id, &digits),
            Action::Refer { to } => self.refer(now, id, &ReferTo::Target(to)),
            Action::ReferReplacing { other } => self.refer(now, id, &ReferTo::Instead(other)),
        };
        if let Err(error) = done {
            warn!(call = id.0, %error, "a step of a call failed");
        }
    }

    fn with_session(
        &mut self,
        id: CallId,
        ask: impl FnOnce(&mut Desk, SessionId) -> Result<(), UaError>,
    ) -> Result<(), StepError> {
        // A call without a session was given up before it left.
        match self.lines.get(&id).and_then(|line| line.session) {
            Some(session) => Ok(ask(self, session)?),
            None => Ok(()),
        }
    }

    /// Finds the address of ours that leads to the server, then invites.
    pub(super) fn begin_invite(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        let account = self.account(&line.account).ok_or(StepError::Gone)?;
        let known = account.server.and_then(|server| self.transport.local_address(server.ip()));
        if let Some(local) = known {
            let secret = account.is_secret();
            self.invite_from(now, id, local, secret);
            return Ok(());
        }
        let direct =
            !account.settings.register && account.settings.outbound_proxy.first().is_empty();
        let hop = match direct {
            true => line.dialled.as_ref().map(|dialled| dialled.uri.clone()),
            false => account.next_hop(),
        };
        let located = self.transport.resolve(&hop.ok_or(StepError::Gone)?);
        self.later(located, move |desk, now, routes| match routes {
            Ok(routes) => match routes.first() {
                Some(route) => {
                    let secret = route.target.transport.secure();
                    desk.invite_from(now, id, route.local.ip(), secret);
                }
                None => desk.fail_call(now, id, Code::DnsFailure, "no route"),
            },
            Err(error) => {
                let code = cause::of_resolve_error(&error);
                desk.fail_call(now, id, code, &error.to_string());
            }
        });
        Ok(())
    }

    /// `secret`: the way there is encrypted.
    fn invite_from(&mut self, now: Instant, id: CallId, local: IpAddr, secret: bool) {
        if let Some(line) = self.lines.get_mut(&id) {
            line.secret = secret;
        }
        if let Err(error) = self.try_invite(now, id, local) {
            self.fail_call(now, id, error.code(), &error.to_string());
        }
    }

    fn try_invite(&mut self, now: Instant, id: CallId, local: IpAddr) -> Result<(), StepError> {
        if !self.lines.contains_key(&id) {
            // Given up meanwhile.
            return Ok(());
        }
        self.open_media(id, local)?;
        let waits = self.gather(id, move |desk, now| {
            if let Err(error) = desk.send_invite(now, id) {
                desk.fail_call(now, id, error.code(), &error.to_string());
            }
        });
        if waits { Ok(()) } else { self.send_invite(now, id) }
    }

    fn send_invite(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        let offer = line.negotiator.offer(&media.local, sdp::Direction::SendRecv)?;
        let dialled = line.dialled.clone().ok_or(StepError::Gone)?;
        let account = line.account.clone();
        let ua = self.account(&account).and_then(|account| account.ua).ok_or(StepError::Gone)?;
        let call = OutgoingCall {
            withhold_identity: dialled.withhold,
            replaces: dialled.reference.replaces,
            referred_by: dialled.reference.referred_by,
            ..OutgoingCall::new(dialled.uri, Some(Body::sdp(offer)))
        };
        let session = self.ua.invite(now, ua, call)?;
        if let Some(line) = self.lines.get_mut(&id) {
            line.session = Some(session);
        }
        Ok(())
    }

    fn ring(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        if !self.lines.get(&id).is_some_and(|line| line.offers_first) {
            return self.with_session(id, |desk, session| desk.ua.ring(now, session));
        }
        let offer = match self.offer_in_answer(id, sdp::Direction::SendRecv) {
            Ok(offer) => offer,
            Err(error) => return self.refuse(now, id, &error),
        };
        if let Some(line) = self.lines.get_mut(&id) {
            line.answer = Some(offer.clone());
        }
        self.with_session(id, |desk, session| desk.ua.ring_with(now, session, Body::sdp(offer)))
    }

    /// Forgets an attempt to call, for another one: with another description, other sockets and other keys.
    pub(super) fn forget_attempt(&mut self, id: CallId) {
        let number = self.random.u64() >> 1;
        let Some(line) = self.lines.get_mut(&id) else { return };
        line.session = None;
        line.negotiator = sdp::Negotiator::new(number);
        line.rang = false;
        if let Some(media) = line.media.take() {
            self.sounds.engine.close(media.stream);
        }
    }

    /// A peer that refuses one way to encrypt may want another, as exchanges do that insist on encryption: it is asked
    /// once more as long as the account knows something else. True when that is under way.
    pub(super) fn insist_on_encryption(
        &mut self,
        now: Instant,
        id: CallId,
        status: Option<u16>,
    ) -> bool {
        let unanswered = self.calls.get(id).is_some_and(|call| call.answered().is_none());
        let Some(line) = self.lines.get_mut(&id) else { return false };
        let refused = line.dialled.is_some() && status.is_some_and(refuses_description);
        if !unanswered || !refused || !line.terms.refused() {
            return false;
        }
        debug!(call = id.0, terms = ?line.terms, "dialling, encryption refused -> dialling");
        self.forget_attempt(id);
        if let Err(error) = self.begin_invite(now, id) {
            self.fail_call(now, id, error.code(), &error.to_string());
        }
        true
    }

    pub(super) fn progress(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        if self.must_wait(id, Waits::Progress) {
            return Ok(());
        }
        let body = match self.answer_offer(now, id, sdp::Direction::SendRecv) {
            Ok(body) => body,
            Err(error) => return self.refuse(now, id, &error),
        };
        self.with_session(id, |desk, session| desk.ua.progress(now, session, body.map(Body::sdp)))
    }

    pub(super) fn accept(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        if self.must_wait(id, Waits::Accept) {
            return Ok(());
        }
        let both = sdp::Direction::SendRecv;
        let body = self.answer_offer(now, id, both).and_then(|answer| match answer {
            Some(answer) => Ok(answer),
            None => self.offer_in_answer(id, both),
        });
        match body {
            Ok(body) => self.with_session(id, |desk, session| {
                desk.ua.accept(now, session, Some(Body::sdp(body)))
            }),
            Err(error) => self.refuse(now, id, &error),
        }
    }

    /// A call that cannot be answered for a reason of ours is refused, and the user told.
    fn refuse(&mut self, now: Instant, id: CallId, error: &StepError) -> Result<(), StepError> {
        let status = error.status();
        self.with_session(id, |desk, session| {
            desk.ua.reject(now, session, status_or(status, StatusCode::NOT_ACCEPTABLE_HERE))
        })?;
        self.fail_call(now, id, error.code(), &error.to_string());
        Ok(())
    }

    fn redirect(&mut self, now: Instant, id: CallId, to: &str) -> Result<(), StepError> {
        let uri = Uri::parse(to).map_err(|_| StepError::Session(UaError::BadTarget))?;
        self.with_session(id, |desk, session| {
            desk.ua.redirect(now, session, vec![NameAddr::new(uri)])
        })
    }

    /// Ends a call that cannot be made for a reason of ours.
    pub(super) fn fail_call(&mut self, now: Instant, id: CallId, code: Code, text: &str) {
        if let Some(line) = self.lines.get_mut(&id) {
            line.trouble = Some(code);
        }
        let end = End { text: text.to_owned(), ..End::new(Party::Network, None) };
        self.tell(now, id, Signal::Ended(end));
    }

    pub(super) fn hang_up_all(&mut self, now: Instant) {
        for id in self.calls.iter().map(Call::id).collect::<Vec<_>>() {
            let command = Input::Command(id, call_control::Command::Hangup);
            if let Err(error) = self.calls.handle_input(now, command) {
                debug!(%error, "not hung up");
            }
        }
    }

    pub(super) fn tell(&mut self, now: Instant, id: CallId, signal: Signal) {
        if let Err(error) = self.calls.handle_input(now, Input::Signal(id, signal)) {
            debug!(%error, "signals are never refused");
        }
    }

    pub(super) fn call_of(&self, session: SessionId) -> Option<CallId> {
        let found = self.lines.iter().find(|(_, line)| line.session == Some(session));
        found.map(|(id, _)| *id)
    }

    pub(super) fn line_of(&mut self, session: SessionId) -> Option<&mut Line> {
        self.lines.values_mut().find(|line| line.session == Some(session))
    }

    pub(super) fn stream(&self, id: CallId) -> Option<media::StreamId> {
        self.lines.get(&id)?.media.as_ref().map(|media| media.stream)
    }
}

/// Whether a final status is about the description: 406, 415, 488, 606.
pub(super) fn refuses_description(status: u16) -> bool {
    matches!(status, 406 | 415 | 488 | 606)
}

pub(super) fn status_or(status: u16, fallback: StatusCode) -> StatusCode {
    StatusCode::new(status).unwrap_or(fallback)
}
