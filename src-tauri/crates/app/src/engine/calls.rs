//! Calls: what the domain wants is done on the wire, what the wire tells is told to the domain.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use call_control::{Action, Call, CallId, Direction, End, Input, Output, Party, Signal};
use media::Tone;
use sip_types::{NameAddr, StatusCode, Uri};
use sip_ua::{Body, EndCause, EndedBy, Event, Incoming, OutgoingCall, Role, SessionId, UaError};
use tracing::{debug, warn};

use super::desk::Desk;
use super::line::{Line, Media, media_direction, peer_of};
use crate::cause;
use crate::code::Code;
use crate::view::HistoryEntry;

/// How long a call that is over stays visible.
const SHOWN: Duration = Duration::from_secs(5);
/// Calls remembered.
const HISTORY: usize = 500;

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
    fn code(&self) -> Code {
        match self {
            StepError::Gone => Code::Internal,
            StepError::NoRoute => Code::ConnectionFailed,
            StepError::Media(error) => cause::of_media_error(error),
            StepError::Description(_) => Code::NoCommonCodec,
            StepError::Session(UaError::BadTarget) => Code::BadTarget,
            StepError::Session(_) => Code::Internal,
        }
    }

    fn status(&self) -> u16 {
        match self {
            StepError::Description(error) => error.status(),
            StepError::Media(media::EngineError::PortTaken { .. }) => 503,
            _ => 500,
        }
    }
}

impl Desk {
    // --- what the domain wants ---

    pub(super) fn call_output(&mut self, now: Instant, output: Output) {
        match output {
            Output::Action(id, action) => self.act(now, id, action),
            Output::Changed(call) => self.call_changed(now, &call),
            Output::Sound(_) => self.apply_sound(),
        }
    }

    fn act(&mut self, now: Instant, id: CallId, action: Action) {
        let done = match action {
            Action::Invite => self.begin_invite(now, id),
            Action::Ring => self.with_session(id, |desk, session| desk.ua.ring(now, session)),
            Action::Progress => self.progress(now, id),
            Action::Accept => self.accept(now, id),
            Action::Reject(status) => self.with_session(id, |desk, session| {
                desk.ua.reject(now, session, status_or(status, StatusCode::BUSY_HERE))
            }),
            Action::Redirect(to) => self.redirect(now, id, &to),
            Action::Hangup => self.with_session(id, |desk, session| desk.ua.hangup(now, session)),
            Action::Offer { .. } => self.offer(now, id),
            Action::Mute(on) => {
                self.sounds.mute(self.stream(id), on);
                Ok(())
            }
            Action::Dtmf(digits) => self.send_digits(now, id, &digits),
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
    fn begin_invite(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        let account = self.account(&line.account).ok_or(StepError::Gone)?;
        let known = account.server.and_then(|server| self.transport.local_address(server.ip()));
        if let Some(local) = known {
            self.invite_from(now, id, local);
            return Ok(());
        }
        let direct = !account.settings.register && account.settings.outbound_proxy.is_empty();
        let hop = match direct {
            true => line.dialled.as_ref().map(|dialled| dialled.uri.clone()),
            false => account.next_hop(),
        };
        let located = self.transport.resolve(&hop.ok_or(StepError::Gone)?);
        self.later(located, move |desk, now, routes| match routes {
            Ok(routes) => match routes.first() {
                Some(route) => desk.invite_from(now, id, route.local.ip()),
                None => desk.fail_call(now, id, Code::DnsFailure, "no route"),
            },
            Err(error) => {
                let code = cause::of_resolve_error(&error);
                desk.fail_call(now, id, code, &error.to_string());
            }
        });
        Ok(())
    }

    fn invite_from(&mut self, now: Instant, id: CallId, local: IpAddr) {
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
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        let offer = line.negotiator.offer(&media.local, sdp::Direction::SendRecv)?;
        let dialled = line.dialled.clone().ok_or(StepError::Gone)?;
        let account = line.account.clone();
        let ua = self.account(&account).and_then(|account| account.ua).ok_or(StepError::Gone)?;
        let call = OutgoingCall {
            withhold_identity: dialled.withhold,
            ..OutgoingCall::new(dialled.uri, Some(Body::sdp(offer)))
        };
        let session = self.ua.invite(now, ua, call)?;
        if let Some(line) = self.lines.get_mut(&id) {
            line.session = Some(session);
        }
        Ok(())
    }

    fn progress(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        let body = match self.answer_offer(now, id) {
            Ok(body) => body,
            Err(error) => return self.refuse(now, id, &error),
        };
        self.with_session(id, |desk, session| desk.ua.progress(now, session, body.map(Body::sdp)))
    }

    fn accept(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        let body = self.answer_offer(now, id).and_then(|answer| match answer {
            Some(answer) => Ok(answer),
            None => self.offer_in_answer(id),
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

    /// Our answer to the offer in the INVITE; none when it had no offer.
    fn answer_offer(&mut self, now: Instant, id: CallId) -> Result<Option<Vec<u8>>, StepError> {
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        if !line.offered {
            return Ok(line.answer.clone());
        }
        self.open_media_towards_caller(id)?;
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        let (answer, agreed) =
            line.negotiator.answer_pending(&media.local, sdp::Direction::SendRecv)?;
        line.offered = false;
        line.answer = Some(answer.clone());
        self.agree(now, id, agreed)?;
        Ok(Some(answer))
    }

    fn offer_in_answer(&mut self, id: CallId) -> Result<Vec<u8>, StepError> {
        self.open_media_towards_caller(id)?;
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        Ok(line.negotiator.offer(&media.local, sdp::Direction::SendRecv)?)
    }

    fn open_media_towards_caller(&mut self, id: CallId) -> Result<(), StepError> {
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        if line.media.is_some() {
            return Ok(());
        }
        let source = line.source.ok_or(StepError::NoRoute)?;
        let local = self.transport.local_address(source).ok_or(StepError::NoRoute)?;
        self.open_media(id, local)
    }

    fn redirect(&mut self, now: Instant, id: CallId, to: &str) -> Result<(), StepError> {
        let uri = Uri::parse(to).map_err(|_| StepError::Session(UaError::BadTarget))?;
        self.with_session(id, |desk, session| {
            desk.ua.redirect(now, session, vec![NameAddr::new(uri)])
        })
    }

    /// Offers what hold stands at now.
    fn offer(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        let sent = self.try_offer(now, id);
        if sent.is_err() {
            self.tell(now, id, Signal::OfferRefused);
        }
        sent
    }

    fn try_offer(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        let hold = self.calls.get(id).map(Call::hold).ok_or(StepError::Gone)?;
        let wanted = hold.offering.unwrap_or(hold.wanted);
        let direction = media_direction(call_control::HoldState { wanted, ..hold });
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let session = line.session.ok_or(StepError::Gone)?;
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        let offer = line.negotiator.offer(&media.local, direction)?;
        if let Err(error) = self.ua.reoffer(now, session, Body::sdp(offer)) {
            if let Some(line) = self.lines.get_mut(&id) {
                line.negotiator.abandon();
            }
            return Err(error.into());
        }
        Ok(())
    }

    // --- what the wire tells ---

    pub(super) fn ua_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Registration { account, state, retry_at } => {
                self.registration_event(now, account, state, retry_at);
            }
            Event::Incoming(incoming) => self.incoming(now, &incoming),
            Event::Provisional { session, status, body, .. } => {
                self.provisional(now, session, status, body);
            }
            Event::Answered { session, body, role, remote, .. } => {
                if let Some(id) = self.call_of(session) {
                    self.update_peer(id, &remote);
                    self.answered(now, id, session, body, role);
                }
            }
            Event::Confirmed { session, body } => self.confirmed(now, session, body),
            Event::Reoffered { session, body } => self.reoffered(now, session, body),
            Event::ReofferAnswered { session, body, role } => {
                self.reoffer_answered(now, session, body, role);
            }
            Event::ReofferFailed { session, status, reason } => {
                debug!(%session, ?status, reason, "offer refused");
                self.reoffer_failed(now, session, status);
            }
            Event::ReofferCancelled { session } => {
                if let Some(line) = self.line_of(session) {
                    line.negotiator.abandon();
                }
            }
            Event::Ended { session, cause } => self.ended(now, session, cause),
            Event::Info { session, body } => self.digits_by_info(now, session, &body),
            Event::InDialog { .. }
            | Event::SessionRequestDone { .. }
            | Event::OutOfDialog { .. }
            | Event::OutOfDialogResponse { .. }
            | Event::OutOfDialogFailed { .. } => {}
        }
    }

    fn incoming(&mut self, now: Instant, incoming: &Incoming) {
        let session = incoming.session;
        let owner = self.accounts.iter().find(|account| account.ua == Some(incoming.account));
        let Some(settings) = owner.map(|account| account.settings.clone()) else {
            self.turn_away(now, session, StatusCode::NOT_FOUND);
            return;
        };
        if self.is_quitting() {
            self.turn_away(now, session, StatusCode::TEMPORARILY_UNAVAILABLE);
            return;
        }
        let mut line = Line::new(&settings, self.random.u64());
        if let Some(offer) = &incoming.body {
            if let Err(error) = line.negotiator.receive_offer(&offer.bytes, &line.codecs) {
                warn!(%error, "a caller's offer cannot be taken");
                self.turn_away(
                    now,
                    session,
                    status_or(error.status(), StatusCode::NOT_ACCEPTABLE_HERE),
                );
                return;
            }
            line.offered = true;
        }
        line.session = Some(session);
        line.source = Some(incoming.source.remote.ip());
        line.peer = self.named(peer_of(&incoming.caller));
        let own = Uri::parse(&settings.aor).ok().and_then(|aor| aor.user());
        line.via = incoming
            .called
            .user()
            .filter(|user| Some(user) != own.as_ref())
            .map(|user| contacts::show(&user));
        line.diverted_from = incoming.diverted_from.as_ref().map(|who| {
            let user = who.uri.user().unwrap_or_else(|| who.uri.to_string());
            who.display.clone().filter(|name| !name.is_empty()).unwrap_or(contacts::show(&user))
        });
        let id = self.calls.incoming(now);
        self.lines.insert(id, line);
    }

    fn turn_away(&mut self, now: Instant, session: SessionId, status: StatusCode) {
        if let Err(error) = self.ua.reject(now, session, status) {
            debug!(%error, "already gone");
        }
    }

    fn provisional(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
        body: Option<Body>,
    ) {
        let Some(id) = self.call_of(session) else { return };
        if status.code() == 180
            && let Some(line) = self.lines.get_mut(&id)
        {
            line.rang = true;
            self.tell(now, id, Signal::Ringing);
        }
        if let Some(body) = body {
            match self.take_answer(now, id, &body) {
                Ok(_) => self.tell(now, id, Signal::EarlyMedia),
                Err(error) => debug!(%error, "early media cannot be used"),
            }
        }
    }

    fn answered(
        &mut self,
        now: Instant,
        id: CallId,
        session: SessionId,
        body: Option<Body>,
        role: Role,
    ) {
        let agreed = match (body, role) {
            (Some(body), Role::Answer) => self.take_answer(now, id, &body),
            (Some(body), Role::Offer) => self.answer_late_offer(now, id, session, &body),
            (None, _) => {
                let early = self.lines.get(&id).and_then(|line| line.negotiator.current().cloned());
                early.map(|early| early.remote_held).ok_or(StepError::Gone)
            }
        };
        match agreed {
            Ok(held) => {
                self.tell(now, id, Signal::Answered);
                self.tell(now, id, Signal::HeldByPeer(held));
            }
            Err(error) => {
                warn!(call = id.0, %error, "the answer cannot be used");
                let hung_up = self.ua.hangup(now, session);
                debug!(?hung_up, "hung up");
                self.fail_call(now, id, error.code(), &error.to_string());
            }
        }
    }

    fn answer_late_offer(
        &mut self,
        now: Instant,
        id: CallId,
        session: SessionId,
        body: &Body,
    ) -> Result<bool, StepError> {
        let (answer, held) = self.answer_now(now, id, body)?;
        self.ua.provide_answer(now, session, Body::sdp(answer))?;
        Ok(held)
    }

    fn confirmed(&mut self, now: Instant, session: SessionId, body: Option<Body>) {
        let (Some(id), Some(body)) = (self.call_of(session), body) else { return };
        match self.take_answer(now, id, &body) {
            Ok(held) => self.tell(now, id, Signal::HeldByPeer(held)),
            Err(error) => {
                let hung_up = self.ua.hangup(now, session);
                debug!(?hung_up, "hung up");
                self.fail_call(now, id, error.code(), &error.to_string());
            }
        }
    }

    fn reoffered(&mut self, now: Instant, session: SessionId, body: Option<Body>) {
        let Some(id) = self.call_of(session) else { return };
        let result = match body {
            Some(body) => {
                self.answer_now(now, id, &body).map(|(answer, held)| (answer, Some(held)))
            }
            None => self.offer_on_request(id).map(|offer| (offer, None)),
        };
        let done = match result {
            Ok((description, held)) => {
                if let Some(held) = held {
                    self.tell(now, id, Signal::HeldByPeer(held));
                }
                self.ua.answer_reoffer(now, session, Some(Body::sdp(description)))
            }
            Err(error) => {
                let status = status_or(error.status(), StatusCode::NOT_ACCEPTABLE_HERE);
                self.ua.reject_reoffer(now, session, status)
            }
        };
        if let Err(error) = done {
            debug!(%error, "the peer's offer is gone");
        }
    }

    /// Answers the peer's offer as hold stands: the answer, and whether the peer holds us.
    fn answer_now(
        &mut self,
        now: Instant,
        id: CallId,
        body: &Body,
    ) -> Result<(Vec<u8>, bool), StepError> {
        let hold = self.calls.get(id).map(Call::hold).unwrap_or_default();
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        if line.negotiator.state() == sdp::State::LocalOffer {
            // Ours has been overtaken; it is made anew when its failure is told.
            line.negotiator.abandon();
        }
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        let (answer, agreed) =
            line.negotiator.answer(&body.bytes, &media.local, media_direction(hold))?;
        let held = agreed.remote_held;
        self.agree(now, id, agreed)?;
        Ok((answer, held))
    }

    fn offer_on_request(&mut self, id: CallId) -> Result<Vec<u8>, StepError> {
        let hold = self.calls.get(id).map(Call::hold).unwrap_or_default();
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        line.negotiator.abandon();
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        Ok(line.negotiator.offer(&media.local, media_direction(hold))?)
    }

    fn reoffer_answered(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
        role: Role,
    ) {
        let Some(id) = self.call_of(session) else { return };
        let offering = self.calls.get(id).and_then(|call| call.hold().offering);
        let agreed = match (body, role) {
            (Some(body), Role::Answer) => self.take_answer(now, id, &body),
            (Some(body), Role::Offer) => self.answer_late_offer(now, id, session, &body),
            (None, _) => Err(StepError::Gone),
        };
        match agreed {
            Ok(held) => {
                // "inactive" in answer to our own hold says nothing about the peer's wishes.
                if offering == Some(false) {
                    self.tell(now, id, Signal::HeldByPeer(held));
                }
                self.tell(now, id, Signal::OfferAccepted);
            }
            Err(error) => {
                warn!(call = id.0, %error, "the answer to our offer cannot be used");
                self.tell(now, id, Signal::OfferRefused);
            }
        }
    }

    fn reoffer_failed(&mut self, now: Instant, session: SessionId, status: Option<StatusCode>) {
        let Some(id) = self.call_of(session) else { return };
        if let Some(line) = self.lines.get_mut(&id) {
            line.negotiator.abandon();
        }
        let overtaken = status.is_some_and(|status| status.code() == 491);
        if !overtaken || self.try_offer(now, id).is_err() {
            self.tell(now, id, Signal::OfferRefused);
        }
    }

    fn ended(&mut self, now: Instant, session: SessionId, cause: EndCause) {
        let Some(id) = self.call_of(session) else { return };
        let by = match cause.by {
            EndedBy::Local => Party::Local,
            EndedBy::Remote => Party::Remote,
            EndedBy::Network => Party::Network,
        };
        let talking = self.calls.get(id).is_some_and(|call| call.answered().is_some());
        if by == Party::Network && !talking {
            let trouble = self.trouble;
            if let Some(line) = self.lines.get_mut(&id) {
                line.trouble = line.trouble.or(trouble);
            }
        }
        let status = cause.status.map(StatusCode::code);
        let elsewhere = cause.answered_elsewhere;
        let end = End { by, status, text: cause.reason, elsewhere };
        self.tell(now, id, Signal::Ended(end));
    }

    // --- media ---

    fn open_media(&mut self, id: CallId, local: IpAddr) -> Result<(), StepError> {
        let (stream, rtp_port, rtcp_port) = self.sounds.engine.open(local)?;
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let local = line.local_media(local, rtp_port, rtcp_port);
        line.media = Some(Media { stream, local, agreed: None });
        Ok(())
    }

    /// Takes the peer's answer; whether the peer holds us.
    fn take_answer(&mut self, now: Instant, id: CallId, body: &Body) -> Result<bool, StepError> {
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let agreed = line.negotiator.receive_answer(&body.bytes)?;
        let held = agreed.remote_held;
        self.agree(now, id, agreed)?;
        Ok(held)
    }

    fn agree(
        &mut self,
        now: Instant,
        id: CallId,
        agreed: sdp::Negotiated,
    ) -> Result<(), StepError> {
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_mut().ok_or(StepError::Gone)?;
        media.agreed = Some(agreed.clone());
        let stream = media.stream;
        self.sounds.engine.configure(stream, agreed)?;
        if let Some(call) = self.calls.get(id) {
            self.sounds.engine.set_muted(stream, call.muted());
        }
        self.apply_sound();
        self.tell_call(now, id);
        Ok(())
    }

    // --- the end and the memory of it ---

    fn call_changed(&mut self, now: Instant, call: &Call) {
        self.publisher.changed();
        let Some(line) = self.lines.get_mut(&call.id()) else { return };
        let reason = call.end().and_then(|end| {
            let answered = call.answered().is_some();
            let known = line.trouble.filter(|_| end.by == Party::Network);
            known.or_else(|| cause::of_end(end, call.direction(), answered, line.rang))
        });
        let event = line.event(call, reason);
        if line.told.as_ref() != Some(&event) {
            line.told = Some(event.clone());
            self.event(now, crate::event::Event::CallState(Box::new(event)));
        }
        if call.end().is_some() {
            self.bury(now, call, reason);
        }
    }

    fn bury(&mut self, now: Instant, call: &Call, reason: Option<Code>) {
        let view = self.call_view(call, reason);
        let Some(line) = self.lines.remove(&call.id()) else { return };
        if let Some(media) = &line.media {
            self.sounds.engine.close(media.stream);
        }
        if call.direction() == Direction::Out && call.answered().is_none() {
            match reason {
                Some(Code::BusyHere | Code::Declined) => self.sounds.farewell(now, Tone::Busy),
                Some(Code::Cancelled | Code::NoAnswer) | None => {}
                Some(_) => self.sounds.farewell(now, Tone::Congestion),
            }
        }
        let talked = call.answered().map(|at| now.saturating_duration_since(at).as_secs());
        let outcome = cause::outcome_view(call.outcome());
        if outcome == crate::view::CallOutcome::Missed {
            self.missed += 1;
        }
        self.history.push_front(HistoryEntry {
            id: call.id().0,
            account: line.account,
            direction: super::line::direction_view(call.direction()),
            peer: line.peer,
            started_ms: self.clock.ms(call.started()),
            seconds: u32::try_from(talked.unwrap_or(0)).unwrap_or(u32::MAX),
            outcome,
            reason,
        });
        self.history.truncate(HISTORY);
        self.over.push_back((view, now + SHOWN));
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

    fn tell(&mut self, now: Instant, id: CallId, signal: Signal) {
        if let Err(error) = self.calls.handle_input(now, Input::Signal(id, signal)) {
            debug!(%error, "signals are never refused");
        }
    }

    /// Tells news of a call that is not news of its state (its codec).
    fn tell_call(&mut self, now: Instant, id: CallId) {
        self.publisher.changed();
        if let Some(call) = self.calls.get(id).cloned()
            && self.lines.get(&id).is_some_and(|line| line.told.is_some())
        {
            self.call_changed(now, &call);
        }
    }

    fn update_peer(&mut self, id: CallId, remote: &sip_ua::Identity) {
        let peer = peer_of(remote);
        if let Some(line) = self.lines.get_mut(&id)
            && remote.asserted
            && line.peer.name.is_empty()
        {
            line.peer.name = peer.name;
        }
    }

    pub(super) fn call_of(&self, session: SessionId) -> Option<CallId> {
        let found = self.lines.iter().find(|(_, line)| line.session == Some(session));
        found.map(|(id, _)| *id)
    }

    fn line_of(&mut self, session: SessionId) -> Option<&mut Line> {
        self.lines.values_mut().find(|line| line.session == Some(session))
    }

    pub(super) fn stream(&self, id: CallId) -> Option<media::StreamId> {
        self.lines.get(&id)?.media.as_ref().map(|media| media.stream)
    }
}

pub(super) fn status_or(status: u16, fallback: StatusCode) -> StatusCode {
    StatusCode::new(status).unwrap_or(fallback)
}
