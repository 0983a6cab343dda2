//! An answered session (RFC 3261 sections 13.2.2.4, 13.3.1.4, 14, 15).
//!
//! Inputs from the owner: hang up, the answer to an offer in a 2xx, requests to send. From the
//! transactions: responses and failures. From the peer: ACK, repeated 2xx. From the clock: our
//! 2xx without ACK, an answer owed for too long, the wait after glare.

use std::time::Instant;

use sip_core::{ClientKey, Failure, Route};
use sip_types::{HeaderName, Method, Request, Response, StatusCode};

use super::{Closing, Phase, Session, acceptance::Acceptance, reoffer::Reoffer};
use crate::{
    Body, EndCause, Event, QueryId, ResolveError, Role, UaError,
    flow::{Flow, Outcome, Purpose},
    message,
    shared::Cx,
};

/// A 2xx with an offer whose ACK waits for our answer.
#[derive(Debug)]
pub(super) struct Owed {
    seq: u32,
    deadline: Instant,
}

pub(super) struct Established {
    pub flow: Flow,
    /// Our 2xx that waits for its ACK.
    pub acceptance: Option<Acceptance>,
    /// The last ACK, for when its 2xx comes again.
    pub last_ack: Option<(u32, Request)>,
    pub owed: Option<Owed>,
    pub reoffer: Reoffer,
}

impl Established {
    pub(super) fn new(flow: Flow) -> Self {
        Self { flow, acceptance: None, last_ack: None, owed: None, reoffer: Reoffer::default() }
    }

    /// Acknowledges a 2xx to the INVITE with this CSeq.
    pub(super) fn send_ack(&mut self, cx: &mut Cx<'_>, seq: u32, body: Option<&Body>) {
        let mut ack = self.flow.dialog.ack(seq);
        ack.headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        message::request_body(&mut ack, body);
        self.flow.send_ack(cx, ack.clone());
        self.last_ack = Some((seq, ack));
    }

    /// The ACK for this CSeq must wait for our answer.
    pub(super) fn owe_answer(&mut self, cx: &Cx<'_>, seq: u32) {
        self.owed = Some(Owed { seq, deadline: cx.now + cx.shared.patience() });
    }

    /// A 2xx came again: so does its ACK. `false`: it is not for an ACK we have sent.
    pub(super) fn repeat_ack(&mut self, cx: &mut Cx<'_>, response: &Response) -> bool {
        let seq = response.headers.cseq().ok().map(|cseq| cseq.number);
        match &self.last_ack {
            Some((acked, ack)) if Some(*acked) == seq => {
                let ack = ack.clone();
                self.flow.send_ack(cx, ack);
                true
            }
            _ => false,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let acceptance = self.acceptance.as_ref().map(Acceptance::poll_timeout);
        let owed = self.owed.as_ref().map(|owed| owed.deadline);
        [acceptance, owed, self.reoffer.poll_timeout()].into_iter().flatten().min()
    }
}

impl Session {
    pub(super) fn established_response(
        &mut self,
        cx: &mut Cx<'_>,
        key: ClientKey,
        response: Response,
    ) {
        let repeated = response.status.is_success() && message::answers_invite(&response);
        let ours = self.is_answered_by(&response);
        let Phase::Established(established) = &mut self.phase else { return };
        match established.flow.on_response(cx, key, response.clone()) {
            Some(outcome) => self.established_outcome(cx, outcome),
            None if repeated && ours => {
                established.repeat_ack(cx, &response);
            }
            None if repeated => cx.shared.strays.push((cx.account.id, response)),
            None => {}
        }
    }

    pub(super) fn established_failure(
        &mut self,
        cx: &mut Cx<'_>,
        key: ClientKey,
        failure: Failure,
    ) {
        let Phase::Established(established) = &mut self.phase else { return };
        if let Some(outcome) = established.flow.on_failure(cx, key, failure) {
            self.established_outcome(cx, outcome);
        }
    }

    pub(super) fn established_resolved(
        &mut self,
        cx: &mut Cx<'_>,
        query: QueryId,
        result: Result<Vec<Route>, ResolveError>,
    ) {
        let Phase::Established(established) = &mut self.phase else { return };
        for outcome in established.flow.on_resolved(cx, query, result) {
            self.established_outcome(cx, outcome);
        }
    }

    fn established_outcome(&mut self, cx: &mut Cx<'_>, outcome: Outcome) {
        let session = self.id;
        match outcome {
            // The call is answered: what was acknowledged before no longer matters.
            Outcome::Continues | Outcome::Final(Purpose::Prack, ..) => {}
            Outcome::Final(Purpose::Refer, ..) | Outcome::Failed(Purpose::Refer, ..) => {
                self.refer_outcome(cx, outcome);
            }
            Outcome::Final(Purpose::Notify(id), ..) | Outcome::Failed(Purpose::Notify(id), ..) => {
                self.notify_outcome(cx, id, &outcome);
            }
            Outcome::Final(Purpose::Reinvite | Purpose::Update, request, response) => {
                self.reoffer_response(cx, &request, &response);
            }
            Outcome::Failed(Purpose::Reinvite | Purpose::Update, _, failure) => {
                self.reoffer_failure(cx, &failure);
            }
            Outcome::Final(Purpose::Overtaken, request, response) => {
                self.overtaken_response(cx, &request, &response);
            }
            Outcome::Final(purpose, request, response) => {
                let request_method = request.method.clone();
                if purpose == Purpose::Other {
                    let (method, status) = (request.method, Some(response.status));
                    cx.shared.event(Event::SessionRequestDone { session, method, status });
                }
                // RFC 5057 section 5.1: of a NOTIFY it says that nobody has subscribed, and no more.
                let notify = request_method == Method::Notify;
                if response.status == StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST && !notify {
                    self.leave(cx, EndCause::response(&response));
                }
            }
            Outcome::Failed(Purpose::Other, request, _) => {
                let method = request.method;
                cx.shared.event(Event::SessionRequestDone { session, method, status: None });
            }
            Outcome::Failed(..) => {}
        }
    }

    /// The owner's answer to an offer in a 2xx.
    pub(crate) fn provide_answer(&mut self, cx: &mut Cx<'_>, body: &Body) -> Result<(), UaError> {
        let Phase::Established(established) = &mut self.phase else {
            return Err(UaError::WrongState);
        };
        let Some(owed) = established.owed.take() else { return Err(UaError::WrongState) };
        established.send_ack(cx, owed.seq, Some(body));
        self.local_body = Some(body.clone());
        self.pump_reoffer(cx);
        Ok(())
    }

    pub(super) fn established_ack(&mut self, cx: &mut Cx<'_>, ack: &Request) {
        let session = self.id;
        let seq = ack.headers.cseq().ok().map(|cseq| cseq.number);
        let Phase::Established(established) = &mut self.phase else { return };
        let Some(acceptance) = established.acceptance.take_if(|a| Some(a.seq) == seq) else {
            return;
        };
        let body = message::body_of(&ack.headers, &ack.body);
        if acceptance.offers && body.is_some() {
            self.remote_body.clone_from(&body);
        }
        if acceptance.initial {
            let body = body.filter(|_| acceptance.offers);
            cx.shared.event(Event::Confirmed { session, body });
        } else if acceptance.offers {
            cx.shared.event(Event::ReofferAnswered { session, body, role: Role::Answer });
        }
        self.pump_reoffer(cx);
    }

    pub(super) fn established_timeout(&mut self, cx: &mut Cx<'_>) {
        let Phase::Established(established) = &mut self.phase else { return };
        if let Some(acceptance) = &mut established.acceptance
            && acceptance.handle_timeout(cx)
        {
            established.acceptance = None;
            let status = Some(StatusCode::REQUEST_TIMEOUT);
            return self.leave(cx, EndCause::network(status, "the answer was never acknowledged"));
        }
        if established.owed.as_ref().is_some_and(|owed| owed.deadline <= cx.now) {
            return self.leave(cx, EndCause::network(None, "an offer was left unanswered"));
        }
        self.reoffer_due(cx);
    }

    /// Sends a request of the owner's; while it rings, to the first telephone that does.
    pub(crate) fn send_request(
        &mut self,
        cx: &mut Cx<'_>,
        method: Method,
        headers: Vec<(HeaderName, String)>,
        body: Option<&Body>,
    ) -> Result<(), UaError> {
        let flow = match &mut self.phase {
            Phase::Established(established) => &mut established.flow,
            Phase::Outgoing(outgoing) => outgoing.early.first_flow().ok_or(UaError::WrongState)?,
            _ => return Err(UaError::WrongState),
        };
        let purpose = if method == Method::Info { Purpose::Info } else { Purpose::Other };
        let mut request = flow.dialog.request(method);
        request.headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        for (name, value) in headers {
            request.headers.push(name, value);
        }
        message::request_body(&mut request, body);
        flow.send(cx, request, purpose);
        Ok(())
    }

    /// Ends an answered session: everything under way is wound up, and BYE is sent as soon as it
    /// may be (section 15).
    pub(super) fn leave(&mut self, cx: &mut Cx<'_>, cause: EndCause) {
        self.wind_up(cx, cause, Closing::new);
        self.bye_when_due(cx);
    }

    /// The same for a call that the peer has passed on: the BYE is left to the peer for a moment.
    pub(super) fn hand_over(&mut self, cx: &mut Cx<'_>, cause: EndCause) {
        let now = cx.now;
        self.wind_up(cx, cause, |rest| Closing::left(rest, now));
    }

    fn wind_up(
        &mut self,
        cx: &mut Cx<'_>,
        cause: EndCause,
        closing: impl FnOnce(Established) -> Closing,
    ) {
        self.end(cx, cause);
        let Phase::Established(mut established) = self.take_phase() else { return };
        if let Some(owed) = established.owed.take() {
            established.send_ack(cx, owed.seq, None);
        }
        established.wind_up_reoffer(cx);
        // Only the first answer's ACK is waited for.
        established.acceptance.take_if(|acceptance| !acceptance.initial);
        self.enter(Phase::Closing(Box::new(closing(*established))), "leave");
    }
}
