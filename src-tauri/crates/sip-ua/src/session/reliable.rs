//! Our provisional responses that the caller acknowledges with PRACK (RFC 3262 section 3).
//!
//! Inputs from the owner: a provisional response, the answer that must wait for its PRACK. From the
//! peer: PRACK. From the clock: the response once more, no PRACK in 64*T1.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use sip_core::{ServerKey, Source};
use sip_types::{HeaderName, Method, Request, Response, StatusCode};

use super::{Phase, Session};
use crate::{Body, EndCause, Event, message, refusal, shared::Cx};

/// Provisional responses that may wait for the PRACK of the one before; more are dropped, the
/// later ones tell the same.
const MOST: usize = 4;

/// A provisional response without its PRACK.
struct Unacknowledged {
    response: Response,
    rseq: u32,
    interval: Duration,
    next: Instant,
    deadline: Instant,
}

/// The reliable provisional responses of one incoming call.
#[derive(Default)]
pub(super) struct Provisionals {
    rseq: u32,
    sent: Option<Unacknowledged>,
    waiting: VecDeque<(StatusCode, Option<Body>)>,
    /// The owner has answered the call; the 200 waits for the PRACK.
    accepted: Option<Option<Body>>,
    last: Option<StatusCode>,
    /// Our offer or answer has gone out reliably.
    pub described: bool,
    /// Offer and answer are exchanged: the 200 carries none.
    pub settled: bool,
    /// The caller has offered anew since, and has its answer.
    pub changed: bool,
}

impl Provisionals {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.sent.as_ref().map(|sent| sent.next.min(sent.deadline))
    }

    /// Whether the 200 must wait: a description is on its way that may be lost (section 5).
    pub(super) fn holds_answer(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| !sent.response.body.is_empty())
            || self.waiting.iter().any(|(_, body)| body.is_some())
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.accepted.is_some()
    }

    /// The call is answered as soon as the PRACK is there.
    pub(super) fn accept_later(&mut self, body: Option<Body>) {
        self.accepted = Some(body);
    }
}

impl Session {
    /// Whether a provisional response goes reliably.
    pub(super) fn goes_reliably(&self, cx: &Cx<'_>, described: bool) -> bool {
        self.peer.hears_reliably(cx.account.config.reliable, described)
    }

    /// Sends a provisional response reliably, after those before it.
    pub(super) fn provide(&mut self, cx: &mut Cx<'_>, status: StatusCode, body: Option<&Body>) {
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        if incoming.provisionals.waiting.len() < MOST {
            incoming.provisionals.waiting.push_back((status, body.cloned()));
        }
        self.provide_next(cx);
    }

    /// The latest once more, as a new one: a proxy on the way forgets a call that nothing is heard of.
    pub(super) fn provide_again(&mut self, cx: &mut Cx<'_>) {
        let Phase::Incoming(incoming) = &self.phase else { return };
        if let Some(status) = incoming.provisionals.last {
            self.provide(cx, status, None);
        }
    }

    fn provide_next(&mut self, cx: &mut Cx<'_>) {
        let asserted = self.asserted.clone();
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        if incoming.provisionals.sent.is_some() {
            return;
        }
        let Some((status, body)) = incoming.provisionals.waiting.pop_front() else { return };
        let mut response = incoming.response(cx, status, asserted.as_ref());
        incoming.provisionals.last = Some(status);
        let provisionals = &mut incoming.provisionals;
        if provisionals.rseq == 0 {
            provisionals.rseq = u32::try_from(cx.shared.random.between(1, 1 << 30)).unwrap_or(1);
        }
        provisionals.rseq += 1;
        response.headers.set(HeaderName::RSeq, provisionals.rseq.to_string());
        message::require(&mut response.headers, "100rel");
        // One description is enough: a second would be another offer.
        let body = body.filter(|_| !provisionals.described);
        message::response_body(&mut response, body.as_ref());
        if body.is_some() {
            provisionals.described = true;
            self.local_body = body;
        }
        let interval = cx.shared.config.timers.t1;
        cx.shared.layer.respond(cx.now, &incoming.invitation.key, response.clone());
        incoming.provisionals.sent = Some(Unacknowledged {
            response,
            rseq: incoming.provisionals.rseq,
            interval,
            next: cx.now + interval,
            deadline: cx.now + cx.shared.patience(),
        });
        tracing::debug!(session = %self.id, "incoming, {status} -> waits for PRACK");
    }

    /// A PRACK of the caller's.
    pub(super) fn prack_received(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        let session = self.id;
        let rack = request.headers.rack().ok().flatten();
        let named = |incoming: &super::Incoming, sent: &Unacknowledged| {
            rack.as_ref().is_some_and(|rack| {
                rack.rseq == sent.rseq
                    && rack.cseq.method == Method::Invite
                    && incoming.invitation.request.headers.cseq().is_ok_and(|own| own == rack.cseq)
            })
        };
        let matches = match &self.phase {
            Phase::Incoming(incoming) => {
                incoming.provisionals.sent.as_ref().is_some_and(|sent| named(incoming, sent))
            }
            _ => false,
        };
        if !matches {
            // One that crossed our 200 acknowledges what no longer matters; but it may carry an offer.
            if matches!(self.phase, Phase::Established(_)) && rack.is_some() {
                return self.late_prack(cx, key, request, source);
            }
            let missing = StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST;
            return self.answer(cx, key, &request, missing);
        }
        let refused = refusal::content(cx.shared, &request);
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        let offered = incoming.invitation.request.body.is_empty();
        let Some(sent) = incoming.provisionals.sent.take() else { return };
        let body = message::body_of(&request.headers, &request.body);
        let described = !sent.response.body.is_empty();
        if described && (!offered || (body.is_some() && refused.is_none())) {
            incoming.provisionals.settled = true;
        }
        tracing::debug!(%session, "waits for PRACK, PRACK -> incoming");
        match (refused, offered && described, body) {
            // Acknowledged it is all the same.
            (Some(refusal), ..) => cx.shared.layer.respond(cx.now, &key, refusal),
            (None, true, Some(body)) => {
                self.answer(cx, key, &request, StatusCode::OK);
                self.remote_body = Some(body.clone());
                cx.shared.event(Event::EarlyAnswered { session, body });
            }
            (None, false, Some(_)) => self.offer_in_prack(cx, key, request, source),
            (None, _, None) => self.answer(cx, key, &request, StatusCode::OK),
        }
        self.provide_next(cx);
        self.accept_waiting(cx);
    }

    /// The answer that waited for a PRACK, or for our answer to the caller's further offer.
    pub(super) fn accept_waiting(&mut self, cx: &mut Cx<'_>) {
        let open = self.early_change.is_some();
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        if incoming.provisionals.holds_answer() || open {
            return;
        }
        if let Some(body) = incoming.provisionals.accepted.take() {
            let accepted = self.accept(cx, body.as_ref());
            tracing::debug!(session = %self.id, ?accepted, "the answer that waited for PRACK");
        }
    }

    /// The response once more, or the end of a caller that never acknowledges (section 3).
    pub(super) fn provisional_timeout(&mut self, cx: &mut Cx<'_>) {
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        let key = incoming.invitation.key;
        let Some(sent) = &mut incoming.provisionals.sent else { return };
        if sent.deadline <= cx.now {
            let cause = EndCause::network(None, "the caller acknowledges nothing");
            return self.conclude(cx, StatusCode::SERVER_TIMEOUT, &[], cause);
        }
        if sent.next <= cx.now {
            sent.interval *= 2;
            sent.next = cx.now + sent.interval;
            cx.shared.layer.respond(cx.now, &key, sent.response.clone());
        }
    }
}
