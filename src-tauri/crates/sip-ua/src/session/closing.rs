//! What is left of an answered session after it has ended for its owner: the BYE under way, our 2xx
//! that must be acknowledged before a BYE may be sent (RFC 3261 section 15), or a call that has been
//! passed on and is left to the peer for a moment.
//!
//! Inputs from the transactions: responses and failures. From the peer: ACK, repeated 2xx. From
//! the clock: our 2xx without ACK, the end of that moment. From the owner: a hang-up.

use std::time::{Duration, Instant};

use sip_core::{ClientKey, Failure, Route};
use sip_types::{HeaderName, Method, Request, Response};

use super::{Phase, Session, acceptance::Acceptance, established::Established};
use crate::{
    AccountId, QueryId, ResolveError, SessionId,
    dialog::Dialog,
    flow::{Flow, Outcome, Purpose},
    message,
    shared::{Cx, Owner},
};

/// How long a peer that has reported a transfer's success is left to end our part of the call. A
/// server that joins the two others as we hang up may take our BYE for the end of both (Asterisk 22
/// does, one time in some hundreds).
const HANDOVER: Duration = Duration::from_millis(500);

pub(super) struct Closing {
    rest: Established,
    /// Until then the BYE is left to the peer.
    left_until: Option<Instant>,
    /// The BYE, ours or the peer's, has been answered: only reports on transfers may follow.
    over: bool,
}

impl Closing {
    pub(super) fn new(rest: Established) -> Self {
        Self { rest, left_until: None, over: false }
    }

    /// The peer has passed the call on and will end its part here.
    pub(super) fn left(rest: Established, now: Instant) -> Self {
        Self { rest, left_until: Some(now + HANDOVER), over: false }
    }

    /// The call is over, its dialog is not.
    pub(super) fn ended(rest: Established) -> Self {
        Self { rest, left_until: None, over: true }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn into_rest(self) -> Established {
        self.rest
    }

    pub(super) fn flow_mut(&mut self) -> &mut Flow {
        &mut self.rest.flow
    }

    pub(super) fn dialog(&self) -> &Dialog {
        &self.rest.flow.dialog
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let acceptance = self.rest.acceptance.as_ref().filter(|_| !self.over);
        let acceptance = acceptance.map(Acceptance::poll_timeout);
        let all = [acceptance, self.left_until, self.rest.flow.poll_timeout()];
        all.into_iter().flatten().min()
    }

    pub(super) fn network_changed(&mut self, cx: &mut Cx<'_>) {
        self.rest.flow.network_changed(cx);
    }
}

impl Session {
    /// A call that was answered twice or too late: taken and hung up (section 13.2.2.4). Its owner
    /// never hears of it.
    pub(crate) fn stray(
        cx: &mut Cx<'_>,
        id: SessionId,
        account: AccountId,
        response: &Response,
    ) -> Option<Self> {
        let fallback = response.headers.to().ok()?.uri;
        let dialog = Dialog::from_response(response, &fallback).ok()?;
        let seq = dialog.local_seq;
        let flow = Flow::new(dialog, Owner::Session(id), None, false);
        let mut established = Established::new(flow);
        established.send_ack(cx, seq, None);
        let phase = Phase::Closing(Box::new(Closing::new(established)));
        let mut session = Self::with_phase(id, account, phase);
        session.ended = true;
        session.send_bye(cx);
        Some(session)
    }

    /// Sends the BYE unless something is still waited for.
    pub(super) fn bye_when_due(&mut self, cx: &mut Cx<'_>) {
        let Phase::Closing(closing) = &self.phase else { return };
        if closing.rest.acceptance.is_none() && closing.left_until.is_none() {
            self.send_bye(cx);
        }
    }

    fn send_bye(&mut self, cx: &mut Cx<'_>) {
        let reason = self.reason.take();
        let Phase::Closing(closing) = &mut self.phase else { return };
        let flow = &mut closing.rest.flow;
        let mut bye = flow.dialog.request(Method::Bye);
        bye.headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        if let Some(reason) = reason {
            bye.headers.push(HeaderName::Reason, reason);
        }
        flow.send(cx, bye, Purpose::Bye);
    }

    pub(super) fn closing_response(&mut self, cx: &mut Cx<'_>, key: ClientKey, response: Response) {
        let invite = response.status.is_success() && message::answers_invite(&response);
        let ours = self.is_answered_by(&response);
        let Phase::Closing(closing) = &mut self.phase else { return };
        match closing.rest.flow.on_response(cx, key, response.clone()) {
            Some(Outcome::Final(Purpose::Reinvite | Purpose::Overtaken, request, response)) => {
                if let (true, Ok(cseq)) = (response.status.is_success(), request.headers.cseq()) {
                    closing.rest.send_ack(cx, cseq.number, None);
                }
            }
            Some(outcome) => self.closing_outcome(cx, outcome),
            None if invite && ours => {
                closing.rest.repeat_ack(cx, &response);
            }
            None if invite => cx.shared.strays.push((cx.account.id, response)),
            None => {}
        }
    }

    /// A 2xx to our INVITE that came without its transaction, or by way of another session.
    pub(crate) fn answered_again(&mut self, cx: &mut Cx<'_>, response: &Response) {
        match &mut self.phase {
            Phase::Established(established) => established.repeat_ack(cx, response),
            Phase::Closing(closing) => closing.rest.repeat_ack(cx, response),
            _ => false,
        };
    }

    pub(super) fn closing_failure(&mut self, cx: &mut Cx<'_>, key: ClientKey, failure: Failure) {
        let Phase::Closing(closing) = &mut self.phase else { return };
        if let Some(outcome) = closing.rest.flow.on_failure(cx, key, failure) {
            self.closing_outcome(cx, outcome);
        }
    }

    pub(super) fn closing_resolved(
        &mut self,
        cx: &mut Cx<'_>,
        query: QueryId,
        result: Result<Vec<Route>, ResolveError>,
    ) {
        let Phase::Closing(closing) = &mut self.phase else { return };
        for outcome in closing.rest.flow.on_resolved(cx, query, result) {
            self.closing_outcome(cx, outcome);
        }
    }

    /// The end of the BYE is the end of everything but reports on transfers.
    fn closing_outcome(&mut self, cx: &mut Cx<'_>, outcome: Outcome) {
        match outcome.purpose() {
            Some(Purpose::Bye) => self.finish(cx, "end of BYE"),
            Some(Purpose::Refer) => self.refer_outcome(cx, outcome),
            Some(Purpose::Notify(id)) => self.notify_outcome(cx, id, &outcome),
            _ => {}
        }
    }

    pub(super) fn closing_ack(&mut self, cx: &mut Cx<'_>, ack: &Request) {
        let seq = ack.headers.cseq().ok().map(|cseq| cseq.number);
        let Phase::Closing(closing) = &mut self.phase else { return };
        if closing.rest.acceptance.take_if(|a| Some(a.seq) == seq).is_some() {
            self.bye_when_due(cx);
        }
    }

    /// The owner waits no longer for the peer's BYE.
    pub(super) fn close_now(&mut self, cx: &mut Cx<'_>) {
        let Phase::Closing(closing) = &mut self.phase else { return };
        if closing.left_until.take().is_some() {
            self.bye_when_due(cx);
        }
    }

    pub(super) fn closing_timeout(&mut self, cx: &mut Cx<'_>) {
        let Phase::Closing(closing) = &mut self.phase else { return };
        if closing.left_until.is_some_and(|at| at <= cx.now) {
            return self.close_now(cx);
        }
        if let Some(acceptance) = &mut closing.rest.acceptance
            && acceptance.handle_timeout(cx)
        {
            closing.rest.acceptance = None;
            return self.bye_when_due(cx);
        }
        if closing.rest.flow.handle_timeout(cx) {
            self.finish(cx, "no way for the BYE");
        }
    }
}
