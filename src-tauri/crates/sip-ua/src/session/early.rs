//! The early dialogs of an outgoing call: one for each telephone that rings (RFC 3261 section 12.1.2,
//! RFC 3262 section 4, RFC 6228).
//!
//! Inputs from the peers: reliable provisional responses, 199. From the owner: the answer to an early
//! offer. From the transactions: the end of a PRACK.

use sip_core::{ClientKey, Failure, Route};
use sip_types::{CSeq, HeaderName, Headers, Method, RAck, Request, Response, StatusCode};

use super::{Phase, Session};
use crate::{
    Body, EarlyDialogId, EndCause, Event, QueryId, Reliable, ResolveError, UaError,
    dialog::{Dialog, DialogId},
    flow::{Flow, Outcome, Purpose},
    message,
    shared::{Cx, Owner},
};

/// Telephones that may ring at once; what more of them say is not heard before they answer.
const MOST: usize = 32;

/// A telephone that rings.
pub(super) struct Early {
    pub id: EarlyDialogId,
    tag: String,
    pub flow: Flow,
    /// RSeq of its latest reliable response.
    rseq: Option<u32>,
    /// RSeq of its offer that the owner has not answered.
    offer: Option<u32>,
    /// Offer and answer are exchanged.
    pub settled: bool,
    /// Its answer, if that came reliably.
    answer: Option<Body>,
    /// What was agreed last, ours and its, if it has offered anew since.
    pub changed: Option<(Body, Option<Body>)>,
}

/// An early dialog that a 2xx has confirmed.
pub(super) struct Confirmed {
    pub flow: Flow,
    /// Offer and answer were exchanged before.
    pub settled: bool,
    /// Its answer, if that came reliably.
    pub answer: Option<Body>,
    /// What was agreed last, ours and its, if that was not the answer to the INVITE's offer.
    pub changed: Option<(Body, Option<Body>)>,
}

/// The early dialogs of one INVITE.
#[derive(Default)]
pub(super) struct Earlies(Vec<Early>);

impl Earlies {
    pub(super) fn is_named(&self, id: &DialogId) -> bool {
        self.0.iter().any(|early| early.flow.dialog.is_named(id))
    }

    /// The name of the first.
    pub(super) fn first_name(&self) -> Option<DialogId> {
        self.0.first().map(|early| early.flow.dialog.name())
    }

    /// The way to the first telephone.
    pub(super) fn first_flow(&mut self) -> Option<&mut Flow> {
        self.0.first_mut().map(|early| &mut early.flow)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The early dialog a response belongs to.
    pub(super) fn of(&self, headers: &Headers) -> Option<EarlyDialogId> {
        let to = headers.to().ok()?;
        self.0.iter().find(|early| Some(early.tag.as_str()) == to.tag()).map(|early| early.id)
    }

    pub(super) fn get_mut(&mut self, id: EarlyDialogId) -> Option<&mut Early> {
        self.0.iter_mut().find(|early| early.id == id)
    }

    /// The early dialog of that name.
    pub(super) fn named_mut(&mut self, id: &DialogId) -> Option<&mut Early> {
        self.0.iter_mut().find(|early| early.flow.dialog.is_named(id))
    }

    /// The early dialog a response belongs to, which begins with it if it is new.
    pub(super) fn meet(
        &mut self,
        response: &Response,
        request: &Request,
        owner: Owner,
        (route, pinned): (Option<Route>, bool),
    ) -> Option<EarlyDialogId> {
        if let Some(id) = self.of(&response.headers) {
            if let Some(early) = self.get_mut(id) {
                early.flow.dialog.refresh_target(&response.headers);
                early.flow.retarget();
            }
            return Some(id);
        }
        let tag = response.headers.to().ok()?.tag()?.to_owned();
        if self.0.len() >= MOST {
            return None;
        }
        let dialog = Dialog::from_response(response, &request.uri).ok()?;
        let id = EarlyDialogId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        let flow = Flow::new(dialog, owner, route, pinned);
        self.0.push(Early {
            id,
            tag,
            flow,
            rseq: None,
            offer: None,
            settled: false,
            answer: None,
            changed: None,
        });
        Some(id)
    }

    /// The early dialog that a 2xx confirms: its sequence numbers go on.
    pub(super) fn confirm(&mut self, response: &Response) -> Option<Confirmed> {
        let id = self.of(&response.headers)?;
        let at = self.0.iter().position(|early| early.id == id)?;
        let Early { flow, settled, answer, changed, .. } = self.0.swap_remove(at);
        Some(Confirmed { flow, settled, answer, changed })
    }
}

impl Session {
    /// Acknowledges a provisional response if it is a reliable one. `None`: it was heard before, or
    /// has overtaken another (RFC 3262 section 4). Else its description for the owner, unless that
    /// is an offer, of which the owner has been told.
    pub(super) fn heard(
        &mut self,
        cx: &mut Cx<'_>,
        id: Option<EarlyDialogId>,
        response: &Response,
    ) -> Option<Option<Body>> {
        let headers = &response.headers;
        let body = message::body_of(headers, &response.body);
        let reliable = headers.require().iter().any(|tag| tag == "100rel")
            && cx.account.config.reliable != Reliable::Off;
        let rseq = headers.rseq().ok().flatten().filter(|_| reliable);
        let (Some(rseq), Some(id)) = (rseq, id) else { return Some(body) };
        let session = self.id;
        let Phase::Outgoing(outgoing) = &mut self.phase else { return None };
        let offered = outgoing.offered;
        let Some(early) = outgoing.early.get_mut(id) else { return Some(body) };
        if early.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
            return None;
        }
        early.rseq = Some(rseq);
        if let Some(offer) = body.clone().filter(|_| !offered && !early.settled) {
            early.offer = Some(rseq);
            let event = Event::EarlyOffer { session, early_dialog: id, body: offer };
            cx.shared.event(event);
            return Some(None);
        }
        if offered && body.is_some() && !early.settled {
            early.settled = true;
            early.answer.clone_from(&body);
        }
        self.send_prack(cx, id, rseq, None);
        Some(body)
    }

    fn send_prack(&mut self, cx: &mut Cx<'_>, id: EarlyDialogId, rseq: u32, body: Option<&Body>) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        let cseq = CSeq::new(outgoing.seq, Method::Invite);
        let Some(early) = outgoing.early.get_mut(id) else { return };
        let mut request = early.flow.dialog.request(Method::Prack);
        request.headers.push(HeaderName::RAck, RAck { rseq, cseq }.to_string());
        request.headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        message::request_body(&mut request, body);
        tracing::debug!(session = %self.id, "outgoing, {rseq} of {id} -> acknowledged");
        early.flow.send(cx, request, Purpose::Prack);
    }

    /// The owner's answer to an early offer travels in the PRACK.
    pub(crate) fn answer_early(
        &mut self,
        cx: &mut Cx<'_>,
        id: EarlyDialogId,
        body: &Body,
    ) -> Result<(), UaError> {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return Err(UaError::WrongState) };
        let early = outgoing.early.get_mut(id).ok_or(UaError::WrongState)?;
        let rseq = early.offer.take().ok_or(UaError::WrongState)?;
        early.settled = true;
        self.local_body = Some(body.clone());
        self.send_prack(cx, id, rseq, Some(body));
        Ok(())
    }

    /// A response to a request inside one of the early dialogs. A PRACK that is refused or lost
    /// changes nothing: the INVITE's own end tells.
    pub(super) fn early_response(&mut self, cx: &mut Cx<'_>, key: ClientKey, response: &Response) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        let alone = outgoing.early.0.len() == 1;
        let outcome = |early: &mut Early| early.flow.on_response(cx, key, response.clone());
        let outcome = outgoing.early.0.iter_mut().find_map(outcome);
        // Of several telephones another may still answer.
        if let Some(Outcome::Final(Purpose::Other, ..)) = outcome
            && alone
            && response.status == StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST
        {
            self.nobody_answers(cx, EndCause::response(response));
        }
    }

    pub(super) fn early_failure(&mut self, cx: &mut Cx<'_>, key: ClientKey, failure: &Failure) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        for early in &mut outgoing.early.0 {
            if early.flow.on_failure(cx, key, failure.clone()).is_some() {
                return;
            }
        }
    }

    pub(super) fn early_resolved(
        &mut self,
        cx: &mut Cx<'_>,
        query: QueryId,
        result: &Result<Vec<Route>, ResolveError>,
    ) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        for early in &mut outgoing.early.0 {
            early.flow.on_resolved(cx, query, result.clone());
        }
    }
}
