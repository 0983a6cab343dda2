//! An offer of the peer's that comes before the call is answered, when the first offer has its
//! answer already: in UPDATE (RFC 3311 section 5.2), or in the PRACK for the response that carried
//! the answer (RFC 3262 section 5). One at a time for each call, whichever telephone it is from.
//!
//! Inputs from the peer: UPDATE, PRACK. From the owner: the answer, a refusal. From the session: the
//! call is answered, which hands the offer on, or over. From the clock: the owner left it unanswered.

use std::time::Instant;

use sip_core::{ServerKey, Source};
use sip_types::{HeaderName, Method, Request, StatusCode};

use super::{Phase, Session};
use crate::{Body, EarlyDialogId, Event, UaError, dialog::DialogId, message, refusal, shared::Cx};

/// An offer the owner has not answered.
pub(super) struct EarlyChange {
    pub key: ServerKey,
    pub request: Request,
    pub source: Source,
    /// Which of the telephones that ring; `None`: the caller.
    pub early: Option<EarlyDialogId>,
    /// It cannot wait for a person.
    pub answer_by: Instant,
}

/// What an offer before the answer deserves.
enum Verdict {
    /// The owner decides.
    Ask,
    /// Ours has no answer yet: 491.
    Glare,
    /// An earlier one of the peer's has none yet: 500, it has to come again.
    Overlap,
}

impl Session {
    /// An UPDATE of the caller, whom we have not answered.
    pub(super) fn update_before_answer(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        let open = self.early_change.is_some();
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        if request.body.is_empty() {
            incoming.flow.dialog.refresh_target(&request.headers);
            incoming.flow.retarget();
            return self.accept_target(cx, key, &request, source);
        }
        let bare = incoming.invitation.request.body.is_empty();
        let provisionals = &incoming.provisionals;
        let verdict = match provisionals.described {
            _ if open => Verdict::Overlap,
            // Whoever offers anew has our answer, though its PRACK may still be under way.
            true if !bare || provisionals.settled => Verdict::Ask,
            true => Verdict::Glare,
            false => Verdict::Overlap,
        };
        self.judge_early_offer(cx, (key, request, source), None, &verdict);
    }

    /// An UPDATE of one of the telephones that ring for us.
    pub(super) fn early_update(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        let open = self.early_change.is_some();
        let named = DialogId::of_request(&request.headers);
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        let offered = outgoing.offered;
        let Some(early) = named.and_then(|id| outgoing.early.named_mut(&id)) else { return };
        let seq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        if !early.flow.dialog.advance_remote(seq) {
            return Self::answer_overlap(cx, key, &request);
        }
        if request.body.is_empty() {
            early.flow.dialog.refresh_target(&request.headers);
            early.flow.retarget();
            return self.accept_target(cx, key, &request, source);
        }
        let verdict = match early.settled {
            _ if open => Verdict::Overlap,
            true => Verdict::Ask,
            false if offered => Verdict::Glare,
            false => Verdict::Overlap,
        };
        let id = Some(early.id);
        self.judge_early_offer(cx, (key, request, source), id, &verdict);
    }

    /// The offer in a PRACK that has acknowledged our answer.
    pub(super) fn offer_in_prack(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        let settled = matches!(&self.phase, Phase::Incoming(i) if i.provisionals.settled);
        if !settled || self.early_change.is_some() {
            // It cannot come again: a PRACK is sent once for each response.
            return self.answer(cx, key, &request, StatusCode::NOT_ACCEPTABLE_HERE);
        }
        self.judge_early_offer(cx, (key, request, source), None, &Verdict::Ask);
    }

    /// A new Contact is taken.
    fn accept_target(&self, cx: &mut Cx<'_>, key: ServerKey, request: &Request, source: &Source) {
        let mut response = message::response(request, StatusCode::OK, "");
        message::set_contact_for(&mut response.headers, cx, source, self.private);
        cx.shared.layer.respond(cx.now, &key, response);
    }

    fn judge_early_offer(
        &mut self,
        cx: &mut Cx<'_>,
        (key, request, source): (ServerKey, Request, &Source),
        early: Option<EarlyDialogId>,
        verdict: &Verdict,
    ) {
        let session = self.id;
        if self.ended {
            return self.answer(cx, key, &request, StatusCode::REQUEST_TERMINATED);
        }
        match verdict {
            Verdict::Glare => return self.answer(cx, key, &request, StatusCode::REQUEST_PENDING),
            Verdict::Overlap => return Self::answer_overlap(cx, key, &request),
            Verdict::Ask => {}
        }
        if let Some(response) = refusal::content(cx.shared, &request) {
            return cx.shared.layer.respond(cx.now, &key, response);
        }
        self.peer.learn(&request.headers);
        let body = message::body_of(&request.headers, &request.body);
        let by = request.method.clone();
        tracing::debug!(%session, "no early offer, {by} -> open");
        let answer_by = cx.now + cx.shared.patience() * 3 / 4;
        self.early_change = Some(EarlyChange { key, request, source: *source, early, answer_by });
        cx.shared.event(Event::Reoffered { session, early_dialog: early, body, by });
    }

    /// The owner answers.
    pub(super) fn answer_early_change(
        &mut self,
        cx: &mut Cx<'_>,
        body: Option<&Body>,
    ) -> Result<(), UaError> {
        let answer = body.ok_or(UaError::WrongState)?;
        let change = self.early_change.take().ok_or(UaError::WrongState)?;
        let EarlyChange { key, request, source, early, .. } = change;
        let update = request.method == Method::Update;
        let mut response = message::response(&request, StatusCode::OK, "");
        let headers = &mut response.headers;
        if update {
            message::set_contact_for(headers, cx, &source, self.private);
            message::set_capabilities(headers, &cx.shared.config, Some(&cx.account.config));
        }
        headers.set(HeaderName::Server, cx.shared.config.user_agent.clone());
        message::response_body(&mut response, body);
        cx.shared.layer.respond(cx.now, &key, response);
        let offer = message::body_of(&request.headers, &request.body);
        let flow = match &mut self.phase {
            Phase::Incoming(incoming) => {
                incoming.provisionals.changed = true;
                self.local_body = Some(answer.clone());
                self.remote_body = offer;
                Some(&mut incoming.flow)
            }
            Phase::Outgoing(outgoing) => {
                let early = early.and_then(|id| outgoing.early.get_mut(id));
                early.map(|early| {
                    early.changed = Some((answer.clone(), offer));
                    &mut early.flow
                })
            }
            _ => None,
        };
        if let Some(flow) = flow.filter(|_| update) {
            flow.dialog.refresh_target(&request.headers);
            flow.retarget();
        }
        tracing::debug!(session = %self.id, "open, answer -> no early offer");
        self.accept_waiting(cx);
        Ok(())
    }

    /// The owner refuses; the session stays as it was agreed before.
    pub(super) fn reject_early_change(
        &mut self,
        cx: &mut Cx<'_>,
        status: StatusCode,
    ) -> Result<(), UaError> {
        if self.early_change.is_none() {
            return Err(UaError::WrongState);
        }
        self.drop_early_change(cx, status);
        self.accept_waiting(cx);
        Ok(())
    }

    /// Refuses an offer that is open.
    pub(super) fn drop_early_change(&mut self, cx: &mut Cx<'_>, status: StatusCode) {
        if let Some(EarlyChange { key, request, .. }) = self.early_change.take() {
            tracing::debug!(session = %self.id, "open, {status} -> no early offer");
            self.answer(cx, key, &request, status);
        }
    }

    /// The owner left it unanswered (RFC 3311 section 5.2).
    pub(super) fn early_change_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.early_change.as_ref().is_some_and(|change| change.answer_by <= cx.now) {
            self.drop_early_change(cx, StatusCode::SERVER_TIMEOUT);
            cx.shared.event(Event::ReofferCancelled { session: self.id });
            self.accept_waiting(cx);
        }
    }
}
