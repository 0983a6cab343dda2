//! One INVITE session, from the first message to the last (RFC 3261 sections 13 to 15).
//!
//! A session is in one phase at a time, and each phase is a state machine in a file of its own:
//! `outgoing` and `incoming` until the call is answered, `established` while it lasts (with
//! `reoffer` for changes and `acceptance` for our own 2xx), `closing` for what is still under way
//! after it is over for its owner.

mod acceptance;
mod closing;
mod early;
mod early_change;
mod established;
mod incoming;
mod inside;
mod outgoing;
mod peer;
mod refer;
mod referral;
mod reliable;
mod reoffer;
mod takeover;
pub(crate) mod timer;

use std::time::Instant;

use sip_core::{ClientKey, Failure, Route, ServerKey, Source};
use sip_types::{NameAddr, Request, Response, StatusCode, Uri};

use crate::{
    AccountId, Body, EndCause, Event, QueryId, ResolveError, SessionId,
    dialog::{Dialog, DialogId},
    message,
    shared::{Cx, Owner},
};

pub(crate) use incoming::Invitation;
pub(crate) use takeover::TakenOver;

use closing::Closing;
use early_change::EarlyChange;
use established::Established;
use incoming::Incoming;
use outgoing::Outgoing;
use peer::Peer;
use refer::Referring;
use referral::Referral;
use timer::Timer;

/// One call leg.
pub(crate) struct Session {
    pub id: SessionId,
    pub account: AccountId,
    phase: Phase,
    ended: bool,
    /// We placed the call (section 14.1 makes a difference).
    placed: bool,
    /// The peer must not know who we are.
    private: bool,
    /// P-Asserted-Identity in our responses.
    asserted: Option<NameAddr>,
    /// Reason header of the BYE to come.
    reason: Option<String>,
    peer: Peer,
    timer: Option<Timer>,
    /// Our description in force, for a refresh by re-INVITE.
    local_body: Option<Body>,
    /// The peer's description in force.
    remote_body: Option<Body>,
    /// The session that ends when this one is answered.
    replaces: Option<SessionId>,
    /// The transfer we asked the peer for.
    referring: Option<Referring>,
    /// Transfers the peer asks us for.
    referrals: Vec<Referral>,
    /// An offer of the peer's before the answer.
    early_change: Option<EarlyChange>,
}

enum Phase {
    Outgoing(Box<Outgoing>),
    Incoming(Box<Incoming>),
    Established(Box<Established>),
    Closing(Box<Closing>),
    Gone,
}

impl Session {
    fn with_phase(id: SessionId, account: AccountId, phase: Phase) -> Self {
        let placed = matches!(phase, Phase::Outgoing(_));
        Self {
            id,
            account,
            phase,
            ended: false,
            placed,
            private: false,
            asserted: None,
            reason: None,
            peer: Peer::default(),
            timer: None,
            local_body: None,
            remote_body: None,
            replaces: None,
            referring: None,
            referrals: Vec::new(),
            early_change: None,
        }
    }

    fn owner(&self) -> Owner {
        Owner::Session(self.id)
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.phase, Phase::Gone)
    }

    /// Whether `Ended` has been told: commands are refused from then on.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn set_asserted(&mut self, asserted: Option<NameAddr>) {
        self.asserted = asserted;
    }

    fn dialog(&self) -> Option<&Dialog> {
        match &self.phase {
            Phase::Incoming(incoming) => Some(&incoming.flow.dialog),
            Phase::Established(established) => Some(&established.flow.dialog),
            Phase::Closing(closing) => Some(closing.dialog()),
            Phase::Outgoing(_) | Phase::Gone => None,
        }
    }

    /// The peer's Contact.
    pub(crate) fn remote_target(&self) -> Option<&Uri> {
        self.dialog().map(|dialog| &dialog.remote_target)
    }

    /// Whether that is this session's dialog, or one of its early ones.
    pub(crate) fn is_named(&self, id: &DialogId) -> bool {
        match &self.phase {
            Phase::Outgoing(outgoing) => outgoing.is_named(id),
            _ => self.dialog().is_some_and(|dialog| dialog.is_named(id)),
        }
    }

    /// The name of this session's dialog; of its first early one while it is being placed.
    pub(crate) fn dialog_name(&self) -> Option<DialogId> {
        if let Phase::Outgoing(outgoing) = &self.phase {
            return outgoing.first_name();
        }
        self.dialog().map(Dialog::name)
    }

    /// Whether a 2xx belongs to this session's dialog.
    fn is_answered_by(&self, response: &Response) -> bool {
        DialogId::of_response(&response.headers).is_some_and(|id| self.is_named(&id))
    }

    /// Our addresses have changed: what is under way goes another way, and the owner is told.
    pub(crate) fn network_changed(&mut self, cx: &mut Cx<'_>) {
        match &mut self.phase {
            Phase::Incoming(incoming) => {
                incoming.flow.network_changed(cx);
            }
            Phase::Established(established) => established.network_changed(cx),
            Phase::Closing(closing) => closing.network_changed(cx),
            Phase::Outgoing(_) | Phase::Gone => {}
        }
        if !self.ended {
            cx.shared.event(Event::AddressChanged { session: self.id });
        }
    }

    /// The network works: an offer nothing was heard of need not wait for its repetition.
    pub(crate) fn hurry_offer(&mut self, cx: &mut Cx<'_>) {
        if matches!(&self.phase, Phase::Established(e) if e.flow.is_unheard(cx)) {
            self.network_changed(cx);
        }
    }

    /// Tells the owner that it is over; only the first time.
    fn end(&mut self, cx: &mut Cx<'_>, cause: EndCause) {
        self.drop_early_change(cx, StatusCode::REQUEST_TERMINATED);
        if !self.ended {
            self.ended = true;
            cx.shared.event(Event::Ended { session: self.id, cause });
        }
    }

    /// The call is over, and so is its dialog unless reports on a transfer are still to come or to
    /// be sent: RFC 5057 section 3, a dialog lasts as long as its last usage.
    fn finish(&mut self, cx: &mut Cx<'_>, event: &str) {
        let rest = match self.take_phase() {
            Phase::Established(established) => *established,
            Phase::Closing(closing) => closing.into_rest(),
            _ => return self.enter(Phase::Gone, event),
        };
        if let Some(referring) = &mut self.referring {
            referring.bound(cx.now + cx.shared.patience());
        }
        self.enter(Phase::Closing(Box::new(Closing::ended(rest))), event);
        self.settle_closing(event);
    }

    /// Lets go of a dialog that nothing needs any more.
    fn settle_closing(&mut self, event: &str) {
        let Phase::Closing(closing) = &self.phase else { return };
        let waits = self.referring.as_ref().is_some_and(Referring::is_open);
        if closing.is_over() && !waits && self.referrals.is_empty() {
            self.enter(Phase::Gone, event);
        }
    }

    fn enter(&mut self, phase: Phase, event: &str) {
        tracing::debug!(session = %self.id, "{}, {event} -> {}", self.phase.name(), phase.name());
        self.phase = phase;
    }

    fn take_phase(&mut self) -> Phase {
        std::mem::replace(&mut self.phase, Phase::Gone)
    }

    /// The owner hangs up, whatever the state.
    pub(crate) fn hangup(&mut self, cx: &mut Cx<'_>, reason: Option<String>) {
        self.reason = reason;
        match &self.phase {
            Phase::Outgoing(_) => self.cancel(cx),
            Phase::Incoming(_) => self.refuse(cx, StatusCode::BUSY_HERE, &[]),
            Phase::Established(_) => self.leave(cx, EndCause::local()),
            Phase::Closing(_) => self.close_now(cx),
            Phase::Gone => {}
        }
    }

    /// The peer has passed the call on: an answered one is over here, its end is left to the peer for
    /// a moment.
    pub(crate) fn handed_over(&mut self, cx: &mut Cx<'_>) {
        match &self.phase {
            Phase::Established(_) => self.hand_over(cx, EndCause::local()),
            _ => self.hangup(cx, None),
        }
    }

    /// A response to one of our requests.
    pub(crate) fn on_response(&mut self, cx: &mut Cx<'_>, key: ClientKey, response: Response) {
        match &mut self.phase {
            Phase::Outgoing(_) => self.outgoing_response(cx, key, &response),
            Phase::Established(_) => self.established_response(cx, key, response),
            Phase::Closing(_) => self.closing_response(cx, key, response),
            Phase::Incoming(_) => self.incoming_response(cx, key, response),
            Phase::Gone => self.gone_response(cx, response),
        }
    }

    /// One of our requests got no final response.
    pub(crate) fn on_failure(&mut self, cx: &mut Cx<'_>, key: ClientKey, failure: Failure) {
        match &mut self.phase {
            Phase::Outgoing(_) => self.outgoing_failure(cx, key, &failure),
            Phase::Established(_) => self.established_failure(cx, key, failure),
            Phase::Closing(_) => self.closing_failure(cx, key, failure),
            Phase::Incoming(incoming) => {
                incoming.flow.on_failure(cx, key, failure);
            }
            Phase::Gone => {}
        }
    }

    /// The resolver's answer to a question of this session.
    pub(crate) fn on_resolved(
        &mut self,
        cx: &mut Cx<'_>,
        query: QueryId,
        result: Result<Vec<Route>, ResolveError>,
    ) {
        match &mut self.phase {
            Phase::Outgoing(_) => self.outgoing_resolved(cx, query, result),
            Phase::Established(_) => self.established_resolved(cx, query, result),
            Phase::Closing(_) => self.closing_resolved(cx, query, result),
            Phase::Incoming(incoming) => {
                incoming.flow.on_resolved(cx, query, result);
            }
            Phase::Gone => {}
        }
    }

    /// The caller gave up an INVITE of this session.
    pub(crate) fn on_cancel(&mut self, cx: &mut Cx<'_>, key: ServerKey, cancel: &Request) {
        match &mut self.phase {
            Phase::Incoming(_) => self.cancelled(cx, cancel),
            Phase::Established(_) => self.reoffer_cancelled(cx, key),
            _ => {}
        }
    }

    /// A request of the peer inside the dialog, other than ACK and CANCEL.
    pub(crate) fn on_request(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        self.inside(cx, key, request, source);
    }

    /// An ACK to a 2xx of ours.
    pub(crate) fn on_ack(&mut self, cx: &mut Cx<'_>, ack: &Request) {
        match &mut self.phase {
            Phase::Established(_) => self.established_ack(cx, ack),
            Phase::Closing(_) => self.closing_ack(cx, ack),
            _ => {}
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let refer = self.referring.as_ref().and_then(Referring::poll_timeout);
        let timer = self.timer_poll_timeout();
        let change = self.early_change.as_ref().map(|change| change.answer_by);
        let all = [self.phase_timeout(), refer, timer, self.referral_poll_timeout(), change];
        all.into_iter().flatten().min()
    }

    fn phase_timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Incoming(incoming) => incoming.poll_timeout(),
            Phase::Established(established) => established.poll_timeout(),
            Phase::Closing(closing) => closing.poll_timeout(),
            Phase::Outgoing(outgoing) => outgoing.poll_timeout(),
            Phase::Gone => None,
        }
    }

    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.refer_timeout(cx);
        self.referral_timeout(cx);
        self.timer_timeout(cx);
        self.early_change_timeout(cx);
        if self.phase_timeout().is_none_or(|at| at > cx.now) {
            return;
        }
        match &mut self.phase {
            Phase::Incoming(_) => self.incoming_timeout(cx),
            Phase::Established(_) => self.established_timeout(cx),
            Phase::Closing(_) => self.closing_timeout(cx),
            Phase::Outgoing(_) => self.outgoing_timeout(cx),
            Phase::Gone => {}
        }
    }

    /// Answers a request of the peer with no more than a status.
    fn answer(&self, cx: &mut Cx<'_>, key: ServerKey, request: &Request, status: StatusCode) {
        let response = message::response(request, status, &cx.shared.random.token(10));
        cx.shared.layer.respond(cx.now, &key, response);
    }

    /// A repeated 2xx after everything is over: its sender has lost our ACK and waits.
    fn gone_response(&mut self, cx: &mut Cx<'_>, response: Response) {
        if response.status.is_success() && message::answers_invite(&response) {
            cx.shared.strays.push((cx.account.id, response));
        }
    }
}

impl Phase {
    fn name(&self) -> &'static str {
        match self {
            Phase::Outgoing(_) => "outgoing",
            Phase::Incoming(_) => "incoming",
            Phase::Established(_) => "established",
            Phase::Closing(_) => "closing",
            Phase::Gone => "gone",
        }
    }
}
