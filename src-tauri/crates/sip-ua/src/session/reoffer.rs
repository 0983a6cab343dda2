//! Changing an answered session by re-INVITE, both ways (RFC 3261 section 14).
//!
//! Inputs from the owner: a new offer, the answer to the peer's. From the transactions: the
//! outcome of ours. From the peer: re-INVITE, its CANCEL. From the clock: the wait after glare.

use std::time::{Duration, Instant};

use sip_core::{Failure, ServerKey, Source};
use sip_types::{HeaderName, Method, Request, Response, StatusCode};

use super::{Phase, Session, acceptance::Acceptance, established::Established};
use crate::{Body, EndCause, Event, Role, UaError, flow::Purpose, message, shared::Cx};

/// How often glare is tried again before the owner is told.
const GLARES: u8 = 8;

#[derive(Debug)]
struct Offer {
    /// `None` asks the peer for an offer.
    body: Option<Body>,
    glares: u8,
}

#[derive(Debug, Default)]
enum Own {
    #[default]
    Idle,
    /// Waits until the peer's INVITE is out of the way.
    Waiting(Offer),
    /// Under way.
    Sent(Offer),
    /// Met the peer's (491); to be sent again.
    Backoff { offer: Offer, at: Instant },
}

/// The changes under way, ours and the peer's.
#[derive(Debug, Default)]
pub(super) struct Reoffer {
    own: Own,
    /// The peer's re-INVITE that the owner has not answered yet.
    peer: Option<(ServerKey, Request, Source)>,
}

impl Reoffer {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.own {
            Own::Backoff { at, .. } => Some(*at),
            _ => None,
        }
    }
}

impl Established {
    /// Whether an INVITE of the peer is not finished.
    fn peer_is_busy(&self) -> bool {
        self.reoffer.peer.is_some() || self.acceptance.is_some()
    }

    /// The session ends: refuses the peer's change and cancels ours.
    pub(super) fn wind_up_reoffer(&mut self, cx: &mut Cx<'_>) {
        if let Some((key, request, _)) = self.reoffer.peer.take() {
            let status = StatusCode::REQUEST_TERMINATED;
            let response = message::response(&request, status, "");
            cx.shared.layer.respond(cx.now, &key, response);
        }
        self.reoffer.own = Own::Idle;
        match self.flow.find(Purpose::Reinvite) {
            Some(Some(key)) => {
                cx.shared.layer.cancel(cx.now, &key);
            }
            Some(None) => self.flow.withdraw(Purpose::Reinvite),
            None => {}
        }
    }
}

impl Session {
    /// The owner offers a change, or asks for an offer.
    pub(crate) fn reoffer(&mut self, cx: &mut Cx<'_>, body: Option<Body>) -> Result<(), UaError> {
        let Phase::Established(established) = &mut self.phase else {
            return Err(UaError::WrongState);
        };
        if !matches!(established.reoffer.own, Own::Idle) || established.owed.is_some() {
            return Err(UaError::WrongState);
        }
        established.reoffer.own = Own::Waiting(Offer { body, glares: 0 });
        self.pump_reoffer(cx);
        Ok(())
    }

    /// Sends the waiting offer if nothing is in its way.
    pub(super) fn pump_reoffer(&mut self, cx: &mut Cx<'_>) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        if established.peer_is_busy() || established.owed.is_some() {
            return;
        }
        let offer = match std::mem::take(&mut established.reoffer.own) {
            Own::Waiting(offer) => offer,
            other => {
                established.reoffer.own = other;
                return;
            }
        };
        let mut request = established.flow.dialog.request(Method::Invite);
        let headers = &mut request.headers;
        headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        message::set_capabilities(headers, &cx.shared.config);
        message::request_body(&mut request, offer.body.as_ref());
        established.reoffer.own = Own::Sent(offer);
        tracing::debug!(%session, "established, re-INVITE -> offering");
        established.flow.send(cx, request, Purpose::Reinvite);
    }

    /// A final response to our re-INVITE.
    pub(super) fn reoffer_response(
        &mut self,
        cx: &mut Cx<'_>,
        request: &Request,
        response: &Response,
    ) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        let Own::Sent(offer) = std::mem::take(&mut established.reoffer.own) else { return };
        tracing::debug!(%session, "offering, {} -> established", response.status);
        match response.status.code() {
            200..=299 => self.reoffer_accepted(cx, request, response, &offer),
            491 if offer.glares < GLARES => {
                let at = cx.now + glare_wait(cx, self.placed);
                let offer = Offer { glares: offer.glares + 1, ..offer };
                established.reoffer.own = Own::Backoff { offer, at };
            }
            408 | 481 => self.leave(cx, EndCause::response(response)),
            _ => {
                let reason = response.reason.clone();
                let status = Some(response.status);
                cx.shared.event(Event::ReofferFailed { session, status, reason });
            }
        }
    }

    fn reoffer_accepted(
        &mut self,
        cx: &mut Cx<'_>,
        request: &Request,
        response: &Response,
        offer: &Offer,
    ) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        established.flow.dialog.refresh_target(&response.headers);
        established.flow.retarget();
        let seq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let role = if offer.body.is_some() {
            established.send_ack(cx, seq, None);
            Role::Answer
        } else {
            established.owe_answer(cx, seq);
            Role::Offer
        };
        let body = message::body_of(&response.headers, &response.body);
        cx.shared.event(Event::ReofferAnswered { session, body, role });
    }

    /// Our re-INVITE got no final response.
    pub(super) fn reoffer_failure(&mut self, cx: &mut Cx<'_>, failure: &Failure) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        established.reoffer.own = Own::Idle;
        if *failure == Failure::Timeout {
            let status = Some(StatusCode::REQUEST_TIMEOUT);
            return self.leave(cx, EndCause::network(status, "the other side does not answer"));
        }
        let reason = failure.to_string();
        cx.shared.event(Event::ReofferFailed { session, status: None, reason });
    }

    /// The wait after glare is over.
    pub(super) fn reoffer_due(&mut self, cx: &mut Cx<'_>) {
        let Phase::Established(established) = &mut self.phase else { return };
        match std::mem::take(&mut established.reoffer.own) {
            Own::Backoff { offer, at } if at <= cx.now => {
                established.reoffer.own = Own::Waiting(offer);
                self.pump_reoffer(cx);
            }
            other => established.reoffer.own = other,
        }
    }

    /// The peer's re-INVITE (section 14.2).
    pub(super) fn reoffer_received(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        if established.reoffer.peer.is_some() {
            return Self::answer_overlap(cx, key, &request);
        }
        let unfinished = established.acceptance.as_ref().is_some_and(|a| a.offers);
        let ours = matches!(established.reoffer.own, Own::Sent(_)) || established.owed.is_some();
        if unfinished || ours {
            return self.answer(cx, key, &request, StatusCode::REQUEST_PENDING);
        }
        if established.acceptance.take().is_some_and(|acceptance| acceptance.initial) {
            // Whoever changes the session has seen our answer: the ACK was lost.
            cx.shared.event(Event::Confirmed { session, body: None });
        }
        if !matches!(established.reoffer.own, Own::Idle) {
            established.reoffer.own = Own::Idle;
            let (status, reason) = (StatusCode::REQUEST_PENDING, "the other side was faster");
            let (status, reason) = (Some(status), reason.to_owned());
            cx.shared.event(Event::ReofferFailed { session, status, reason });
        }
        let body = message::body_of(&request.headers, &request.body);
        cx.shared.servers.insert(key, session);
        established.reoffer.peer = Some((key, request, *source));
        tracing::debug!(%session, "established, re-INVITE from the peer -> offered");
        cx.shared.event(Event::Reoffered { session, body });
    }

    /// Two INVITEs at once from one side: the later one has to come again.
    pub(super) fn answer_overlap(cx: &mut Cx<'_>, key: ServerKey, request: &Request) {
        let mut response = message::response(request, StatusCode::SERVER_INTERNAL_ERROR, "");
        let seconds = cx.shared.random.between(0, 10);
        response.headers.set(HeaderName::RetryAfter, seconds.to_string());
        cx.shared.layer.respond(cx.now, &key, response);
    }

    /// The owner accepts the peer's change.
    pub(crate) fn answer_reoffer(
        &mut self,
        cx: &mut Cx<'_>,
        body: Option<&Body>,
    ) -> Result<(), UaError> {
        let Phase::Established(established) = &mut self.phase else {
            return Err(UaError::WrongState);
        };
        let Some((key, request, source)) = established.reoffer.peer.take() else {
            return Err(UaError::WrongState);
        };
        established.flow.dialog.refresh_target(&request.headers);
        established.flow.retarget();
        let mut response = message::response(&request, StatusCode::OK, "");
        message::set_contact_for(&mut response.headers, cx, &source);
        message::set_capabilities(&mut response.headers, &cx.shared.config);
        response.headers.set(HeaderName::Server, cx.shared.config.user_agent.clone());
        message::response_body(&mut response, body);
        let seq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let offers = request.body.is_empty() && body.is_some();
        established.acceptance = Some(Acceptance::send(cx, key, response, seq, (false, offers)));
        Ok(())
    }

    /// The owner refuses the peer's change.
    pub(crate) fn reject_reoffer(
        &mut self,
        cx: &mut Cx<'_>,
        status: StatusCode,
    ) -> Result<(), UaError> {
        let Phase::Established(established) = &mut self.phase else {
            return Err(UaError::WrongState);
        };
        let Some((key, request, _)) = established.reoffer.peer.take() else {
            return Err(UaError::WrongState);
        };
        let response = message::response(&request, status, "");
        cx.shared.layer.respond(cx.now, &key, response);
        self.pump_reoffer(cx);
        Ok(())
    }

    /// The peer took its re-INVITE back.
    pub(super) fn reoffer_cancelled(&mut self, cx: &mut Cx<'_>, key: ServerKey) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        let Some((key, request, _)) = established.reoffer.peer.take_if(|(own, ..)| *own == key)
        else {
            return;
        };
        let response = message::response(&request, StatusCode::REQUEST_TERMINATED, "");
        cx.shared.layer.respond(cx.now, &key, response);
        cx.shared.event(Event::ReofferCancelled { session });
        self.pump_reoffer(cx);
    }
}

/// 2.1 to 4 s for the side that owns the Call-ID, 0 to 2 s for the other, in steps of 10 ms.
fn glare_wait(cx: &mut Cx<'_>, owner: bool) -> Duration {
    let (low, high) = if owner { (210, 400) } else { (0, 200) };
    Duration::from_millis(cx.shared.random.between(low, high) * 10)
}
