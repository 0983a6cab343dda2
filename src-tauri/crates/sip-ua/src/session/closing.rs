//! What is left of an answered session after it has ended for its owner: the BYE under way, or
//! our 2xx that must be acknowledged before a BYE may be sent (RFC 3261 section 15).
//!
//! Inputs from the transactions: responses and failures. From the peer: ACK, repeated 2xx. From
//! the clock: our 2xx without ACK.

use std::time::Instant;

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

pub(super) struct Closing {
    rest: Established,
    /// The BYE, ours or the peer's, has been answered: only reports on transfers may follow.
    over: bool,
}

impl Closing {
    pub(super) fn new(rest: Established) -> Self {
        Self { rest, over: false }
    }

    /// The call is over, its dialog is not.
    pub(super) fn ended(rest: Established) -> Self {
        Self { rest, over: true }
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
        acceptance.into_iter().chain(self.rest.flow.poll_timeout()).min()
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

    pub(super) fn send_bye(&mut self, cx: &mut Cx<'_>) {
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
            self.send_bye(cx);
        }
    }

    pub(super) fn closing_timeout(&mut self, cx: &mut Cx<'_>) {
        let Phase::Closing(closing) = &mut self.phase else { return };
        if let Some(acceptance) = &mut closing.rest.acceptance
            && acceptance.handle_timeout(cx)
        {
            closing.rest.acceptance = None;
            return self.send_bye(cx);
        }
        if closing.rest.flow.handle_timeout(cx) {
            self.finish(cx, "no way for the BYE");
        }
    }
}
