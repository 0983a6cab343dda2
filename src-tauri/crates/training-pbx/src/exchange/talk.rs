//! A call after its answer: hold and resume, late answers, the end.

use std::time::Instant;

use sdp::Direction;
use sip_types::{Method, Response, StatusCode};
use sip_ua::{Body, Event, Role, SessionId};

use super::Exchange;
use crate::call::{Asking, Call, Party, State};
use crate::endpoint::Happened;
use crate::media_task::{EndpointId, MediaCommand};
use crate::pbx::CallNumber;

impl Exchange {
    /// The caller's ACK came; with an answer in it when the offer was the other side's.
    pub(super) fn confirmed(&mut self, now: Instant, session: SessionId, body: Option<Body>) {
        if body.as_ref().is_some_and(|body| self.leg_confirmed(session, body)) {
            return;
        }
        let Some((number, call)) = self.call_of(session) else { return };
        let Some(body) = body else { return };
        match &call.state {
            State::Talking { far: Party::Phone(far), .. } => {
                let far = *far;
                let _ = self.ua.provide_answer(now, far, body);
            }
            State::Talking { far: Party::Local(_), .. } => {
                if self.take_answer(number, &body) {
                    self.begin_steps(number);
                } else {
                    self.end(now, number, "no usable answer");
                }
            }
            _ => {}
        }
    }

    /// A phone wants to change the session.
    pub(super) fn reoffered(&mut self, now: Instant, session: SessionId, body: Option<Body>) {
        if self.leg_reoffered(now, session, body.as_ref()) {
            return;
        }
        let Some((number, call)) = self.call_of(session) else { return };
        let Some(other) = call.other_phone(session) else {
            return self.reoffered_to_local(now, number, session, body);
        };
        if call.asking() != Asking::Nothing {
            let _ = self.ua.reject_reoffer(now, session, StatusCode::REQUEST_PENDING);
            return;
        }
        note_hold(call, session, body.as_ref());
        call.set_asking(Asking::Relay(session));
        let sent = match body {
            Some(offer) => self.ua.reoffer(now, other, offer),
            None => self.ua.request_offer(now, other),
        };
        if sent.is_err() {
            self.stop_asking(session);
            let _ = self.ua.reject_reoffer(now, session, StatusCode::REQUEST_PENDING);
        }
    }

    /// A phone answered what the other one asked, or the asking one closed an exchange it had left open.
    pub(super) fn reoffer_answered(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
        role: Role,
    ) {
        if self.leg_answered(now, session, body.as_ref()) {
            return;
        }
        let Some((number, _)) = self.call_of(session) else { return };
        if self.joined(now, number, session, body.as_ref(), role) {
            return;
        }
        let Some((number, call)) = self.call_of(session) else { return };
        let Some(other) = call.other_phone(session) else {
            if let Some(body) = body {
                self.take_answer(number, &body);
            }
            return;
        };
        let Asking::Relay(asking) = call.asking() else { return };
        if asking == session {
            self.stop_asking(session);
            if let Some(body) = body {
                let _ = self.ua.provide_answer(now, other, body);
            }
        } else {
            if role == Role::Answer {
                self.stop_asking(session);
            }
            let _ = self.ua.answer_reoffer(now, asking, body);
        }
    }

    /// A phone refused what the other one asked.
    pub(super) fn reoffer_failed(
        &mut self,
        now: Instant,
        session: SessionId,
        status: Option<StatusCode>,
    ) {
        if self.leg_failed(now, session, status) {
            return;
        }
        let Some((number, _)) = self.call_of(session) else { return };
        if self.not_joined(now, number, status) {
            return;
        }
        let Some((_, call)) = self.call_of(session) else { return };
        if let Some(local) = call.local() {
            local.negotiator.abandon();
            return;
        }
        let Asking::Relay(asking) = call.asking() else { return };
        self.stop_asking(session);
        if asking != session {
            let status = status.unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE);
            let _ = self.ua.reject_reoffer(now, asking, status);
        }
    }

    /// What is left of the user agent's events.
    pub(super) fn other_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Info { session, body } => {
                if let Some(other) = self.call_of(session).and_then(|(_, c)| c.other_phone(session))
                {
                    let _ = self.ua.info(now, other, body);
                }
            }
            Event::EarlyOffer { session, early_dialog, body } => {
                // Nobody is there to hear it yet: the sides are joined after the answer.
                if let Some(answer) = self.quiet_answer(&body) {
                    let _ = self.ua.answer_early(now, session, early_dialog, answer);
                }
            }
            Event::SessionRequestDone { session, method: Method::Notify, .. } => {
                self.reported(now, session);
            }
            Event::InDialog { session, key, request } => {
                if request.method == Method::Refer {
                    self.referred(now, session, &key, &request);
                } else {
                    // A subscription of its own dialog is expected of those who watch.
                    let status = StatusCode::FORBIDDEN;
                    self.ua.respond(now, &key, Response::to_request(&request, status));
                }
            }
            other => tracing::trace!(event = ?std::mem::discriminant(&other), "not for a call"),
        }
    }

    /// A simulated party has news.
    pub(super) fn happened(&mut self, now: Instant, endpoint: EndpointId, what: Happened) {
        let Some(&number) = self.endpoints.get(&endpoint) else {
            if let Happened::Digit(digit) = what {
                self.leg_digit(now, endpoint, digit);
            }
            return;
        };
        match what {
            Happened::Finished => self.end(now, number, "the simulated party hung up"),
            Happened::Digit(digit) => self.digit(now, number, digit),
        }
    }

    /// A phone has pressed a key for a simulated party.
    fn digit(&mut self, now: Instant, number: CallNumber, digit: char) {
        tracing::debug!(call = number.0, %digit, "digit");
        let Some(call) = self.calls.get(&number) else { return };
        if call.queue.is_some() {
            self.acd.handle_input(now, crate::acd::Input::Digit { call: number, digit });
        } else if call.attending.is_some() {
            self.attendant_digit(now, number, digit);
        }
    }

    /// A phone's re-INVITE in a call with a simulated party: hold, resume, another address.
    fn reoffered_to_local(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        body: Option<Body>,
    ) {
        let local = self.calls.get_mut(&number).and_then(Call::local);
        let Some((media, local)) = local.and_then(|local| Some((local.media()?, local))) else {
            // Nobody has answered yet, so there is nobody to ask.
            let _ = self.ua.reject_reoffer(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
            return;
        };
        let endpoint = local.endpoint;
        let offer = body.clone();
        let outcome = match body {
            Some(offer) => local
                .negotiator
                .answer(&offer.bytes, &media, Direction::SendRecv)
                .map(|(answer, agreed)| (answer, Some(agreed))),
            None => local.negotiator.offer(&media, Direction::SendRecv).map(|offer| (offer, None)),
        };
        match outcome {
            Ok((body, agreed)) => {
                let _ = self.ua.answer_reoffer(now, session, Some(Body::sdp(body)));
                if let Some((_, call)) = self.call_of(session) {
                    note_hold(call, session, offer.as_ref());
                }
                if let Some(agreed) = agreed {
                    tracing::debug!(
                        call = number.0,
                        held = agreed.remote_held,
                        "talking, re-INVITE -> talking"
                    );
                    self.media(MediaCommand::Configure(endpoint, Box::new(agreed)));
                }
            }
            Err(error) => {
                let status = StatusCode::new(error.status());
                let status = status.unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE);
                let _ = self.ua.reject_reoffer(now, session, status);
            }
        }
    }

    /// A phone's answer to a simulated party's offer; false when it is of no use.
    pub(super) fn take_answer(&mut self, number: CallNumber, body: &Body) -> bool {
        let Some(local) = self.calls.get_mut(&number).and_then(Call::local) else { return false };
        let endpoint = local.endpoint;
        let Ok(agreed) = local.negotiator.receive_answer(&body.bytes) else { return false };
        self.media(MediaCommand::Configure(endpoint, Box::new(agreed)));
        true
    }

    fn stop_asking(&mut self, session: SessionId) {
        if let Some((_, call)) = self.call_of(session) {
            call.set_asking(Asking::Nothing);
        }
    }
}

/// Remembers which phone has put the call on hold, for the lamps.
pub(super) fn note_hold(call: &mut Call, session: SessionId, offer: Option<&Body>) {
    let Some(offer) = offer else { return };
    let text = String::from_utf8_lossy(&offer.bytes);
    let holds =
        |line: &str| matches!(line.trim_end(), "a=sendonly" | "a=inactive" | "c=IN IP4 0.0.0.0");
    call.held.retain(|held| *held != session);
    if text.lines().any(holds) {
        call.held.push(session);
    }
}
