//! Changing an answered session by re-INVITE or UPDATE, both ways (RFC 3261 section 14, RFC 3311),
//! and refreshing it the same way (RFC 4028 section 7.4).
//!
//! Inputs from the owner: a new offer, the answer to the peer's. From the session timer: refresh.
//! From the transactions: the outcome of ours. From the peer: re-INVITE, its CANCEL, UPDATE, a PRACK
//! that crossed our answer. From the clock: the wait after glare, an UPDATE of the peer's that the
//! owner leaves unanswered.

use std::time::{Duration, Instant};

use sip_core::{Failure, ServerKey, Source};
use sip_types::{HeaderName, Method, Request, Response, StatusCode};

use super::{EarlyChange, Phase, Session, acceptance::Acceptance, established::Established, timer};
use crate::{Body, EndCause, Event, Role, UaError, flow::Purpose, message, refusal, shared::Cx};

/// How often glare is tried again before the owner is told.
const GLARES: u8 = 8;

/// The longest Retry-After that a change waits for instead of failing.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How a change travels, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Invite,
    Update,
    /// An UPDATE without a body, or a re-INVITE with the description in force, for the session
    /// timer: the owner is not told of a success.
    Refresh,
}

#[derive(Debug)]
struct Offer {
    kind: Kind,
    /// `None` in an INVITE asks the peer for an offer.
    body: Option<Body>,
    glares: u8,
    /// The Min-SE of a 422.
    least: u32,
}

impl Offer {
    fn new(kind: Kind, body: Option<Body>) -> Self {
        Self { kind, body, glares: 0, least: 0 }
    }

    fn method(&self) -> Method {
        match self.kind {
            Kind::Update => Method::Update,
            Kind::Refresh if self.body.is_none() => Method::Update,
            Kind::Invite | Kind::Refresh => Method::Invite,
        }
    }
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
    /// The peer's re-INVITE, UPDATE or late PRACK that the owner has not answered yet.
    peer: Option<(ServerKey, Request, Source)>,
    /// When the peer's UPDATE must have its answer.
    answer_by: Option<Instant>,
}

impl Reoffer {
    /// The call has been answered while an offer of the peer's was open.
    pub(super) fn adopt(&mut self, change: EarlyChange) {
        self.peer = Some((change.key, change.request, change.source));
        self.answer_by = Some(change.answer_by);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let backoff = match &self.own {
            Own::Backoff { at, .. } => Some(*at),
            _ => None,
        };
        [backoff, self.answer_by].into_iter().flatten().min()
    }
}

impl Established {
    /// Whether an INVITE of the peer is not finished.
    fn peer_is_busy(&self) -> bool {
        self.reoffer.peer.is_some() || self.acceptance.is_some()
    }

    /// Our addresses have changed: an offer of ours speaks of the old one and is dropped.
    pub(super) fn network_changed(&mut self, cx: &mut Cx<'_>) {
        self.flow.network_changed(cx);
        self.reoffer.own = Own::Idle;
    }

    /// Whether an offer of ours has no answer yet (RFC 3261 section 14.2, RFC 3311 section 5.2).
    fn offer_is_open(&self) -> bool {
        let unfinished = self.acceptance.as_ref().is_some_and(|a| a.offers);
        let sent = match &self.reoffer.own {
            Own::Sent(offer) => offer.method() == Method::Invite || offer.body.is_some(),
            _ => false,
        };
        unfinished || sent || self.owed.is_some()
    }

    /// The session ends: refuses the peer's change and cancels ours.
    pub(super) fn wind_up_reoffer(&mut self, cx: &mut Cx<'_>) {
        self.reoffer.answer_by = None;
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
        self.change(cx, Offer::new(Kind::Invite, body))
    }

    /// The owner changes the session by UPDATE, or only tells our Contact.
    pub(crate) fn update(&mut self, cx: &mut Cx<'_>, body: Option<Body>) -> Result<(), UaError> {
        if !self.peer.update {
            return Err(UaError::Unsupported);
        }
        self.change(cx, Offer::new(Kind::Update, body))
    }

    /// The session timer wants a sign of life: UPDATE where the peer has it, else the description
    /// in force once more.
    pub(super) fn refresh(&mut self, cx: &mut Cx<'_>) {
        let body = self.local_body.clone().filter(|_| !self.peer.update);
        if !self.peer.update && body.is_none() {
            return;
        }
        if self.change(cx, Offer::new(Kind::Refresh, body)).is_err() {
            tracing::debug!(session = %self.id, "a change under way will refresh the session");
        }
    }

    fn change(&mut self, cx: &mut Cx<'_>, offer: Offer) -> Result<(), UaError> {
        let Phase::Established(established) = &mut self.phase else {
            return Err(UaError::WrongState);
        };
        // A refresh gives way: whatever the owner sends refreshes as well.
        let idle = match &established.reoffer.own {
            Own::Idle => true,
            Own::Waiting(own) | Own::Backoff { offer: own, .. } => own.kind == Kind::Refresh,
            Own::Sent(_) => false,
        };
        if !idle || established.owed.is_some() {
            return Err(UaError::WrongState);
        }
        established.reoffer.own = Own::Waiting(offer);
        self.pump_reoffer(cx);
        Ok(())
    }

    /// Sends the waiting offer if nothing is in its way.
    pub(super) fn pump_reoffer(&mut self, cx: &mut Cx<'_>) {
        let (session, asserted) = (self.id, self.asserted.clone());
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
        let method = offer.method();
        let purpose = if method == Method::Invite { Purpose::Reinvite } else { Purpose::Update };
        let mut request = established.flow.dialog.request(method);
        let headers = &mut request.headers;
        timer::ask(headers, &cx.account.config, self.timer.as_ref(), offer.least);
        headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        if let Some(asserted) = asserted {
            headers.push(HeaderName::PAssertedIdentity, asserted.to_string());
        }
        message::set_capabilities(headers, &cx.shared.config, Some(&cx.account.config));
        message::request_body(&mut request, offer.body.as_ref());
        established.reoffer.own = Own::Sent(offer);
        tracing::debug!(%session, "established, {} -> offering", request.method);
        established.flow.send(cx, request, purpose);
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
            200..=299 => self.reoffer_accepted(cx, request, response, offer),
            491 if offer.glares < GLARES => {
                let at = cx.now + glare_wait(cx, self.placed);
                let offer = Offer { glares: offer.glares + 1, ..offer };
                established.reoffer.own = Own::Backoff { offer, at };
            }
            481 => self.leave(cx, EndCause::response(response)),
            408 if !established.flow.has_moved() => self.leave(cx, EndCause::response(response)),
            422 | 500 if offer.glares < GLARES && again(cx, request, response).is_some() => {
                let (least, wait) = again(cx, request, response).unwrap_or_default();
                let offer = Offer { glares: offer.glares + 1, least, ..offer };
                established.reoffer.own = Own::Backoff { offer, at: cx.now + wait };
            }
            // The timer tries again until the session has expired.
            _ if offer.kind == Kind::Refresh => {}
            _ => {
                let reason = response.reason.clone();
                let status = Some(response.status);
                let overtaken = false;
                cx.shared.event(Event::ReofferFailed { session, status, reason, overtaken });
            }
        }
    }

    fn reoffer_accepted(
        &mut self,
        cx: &mut Cx<'_>,
        request: &Request,
        response: &Response,
        offer: Offer,
    ) {
        let session = self.id;
        self.peer.learn(&response.headers);
        self.take_timer(cx, response);
        let Phase::Established(established) = &mut self.phase else { return };
        established.flow.dialog.refresh_target(&response.headers);
        established.flow.retarget();
        established.flow.settled();
        let seq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let body = message::body_of(&response.headers, &response.body);
        let Offer { kind, body: offered, .. } = offer;
        let bare = offered.is_none();
        if let Some(offered) = offered {
            self.local_body = Some(offered);
        }
        let changed = body.is_some() && body != self.remote_body;
        if changed {
            self.remote_body.clone_from(&body);
        }
        if request.method == Method::Update && bare {
            if kind == Kind::Update {
                let (method, status) = (Method::Update, Some(response.status));
                cx.shared.event(Event::SessionRequestDone { session, method, status });
            }
            return;
        }
        if request.method == Method::Update {
            let role = Role::Answer;
            return cx.shared.event(Event::ReofferAnswered { session, body, role });
        }
        if kind == Kind::Refresh {
            established.send_ack(cx, seq, None);
            if changed {
                cx.shared.event(Event::Refreshed { session, body });
            }
            return;
        }
        let role = if bare {
            established.owe_answer(cx, seq);
            Role::Offer
        } else {
            established.send_ack(cx, seq, None);
            Role::Answer
        };
        cx.shared.event(Event::ReofferAnswered { session, body, role });
    }

    /// Our re-INVITE got no final response.
    pub(super) fn reoffer_failure(&mut self, cx: &mut Cx<'_>, failure: &Failure) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        let own = std::mem::take(&mut established.reoffer.own);
        let refresh = matches!(own, Own::Sent(offer) if offer.kind == Kind::Refresh);
        if *failure == Failure::Timeout && !established.flow.has_moved() {
            let status = Some(StatusCode::REQUEST_TIMEOUT);
            return self.leave(cx, EndCause::network(status, "the other side does not answer"));
        }
        if refresh {
            return;
        }
        let (status, reason, overtaken) = (None, failure.to_string(), false);
        cx.shared.event(Event::ReofferFailed { session, status, reason, overtaken });
    }

    /// A re-INVITE that left by a way that is gone was answered after all.
    pub(super) fn overtaken_response(
        &mut self,
        cx: &mut Cx<'_>,
        request: &Request,
        response: &Response,
    ) {
        let Phase::Established(established) = &mut self.phase else { return };
        if response.status == StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST {
            return self.leave(cx, EndCause::response(response));
        }
        let accepted = response.status.is_success() && request.method == Method::Invite;
        if let (true, Ok(cseq)) = (accepted, request.headers.cseq()) {
            established.send_ack(cx, cseq.number, None);
        }
    }

    /// The wait after glare is over, or the owner left an UPDATE unanswered.
    pub(super) fn reoffer_due(&mut self, cx: &mut Cx<'_>) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        if established.reoffer.answer_by.take_if(|at| *at <= cx.now).is_some()
            && let Some((key, request, _)) = established.reoffer.peer.take()
        {
            // RFC 3311 section 5.2: an UPDATE cannot wait for a person, nor can a PRACK.
            let response = message::response(&request, StatusCode::SERVER_TIMEOUT, "");
            cx.shared.layer.respond(cx.now, &key, response);
            cx.shared.event(Event::ReofferCancelled { session });
            return self.pump_reoffer(cx);
        }
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
        let Phase::Established(established) = &mut self.phase else { return };
        if established.reoffer.peer.is_some() {
            return Self::answer_overlap(cx, key, &request);
        }
        if established.offer_is_open() {
            return self.answer(cx, key, &request, StatusCode::REQUEST_PENDING);
        }
        self.confirm_by_change(cx);
        self.offered(cx, key, request, source);
    }

    /// The peer's UPDATE (RFC 3311 section 5.2).
    pub(super) fn update_received(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        let Phase::Established(established) = &mut self.phase else { return };
        let open = established.reoffer.peer.as_ref().map(|(_, request, _)| &request.method);
        if request.body.is_empty() && open != Some(&Method::Update) {
            self.peer.learn(&request.headers);
            return self.accept_update(cx, key, &request, source, None);
        }
        // Its own offer, in the 2xx to our INVITE or in an earlier request, has no answer of ours yet.
        if open.is_some() || established.owed.is_some() {
            return Self::answer_overlap(cx, key, &request);
        }
        if established.offer_is_open() {
            return self.answer(cx, key, &request, StatusCode::REQUEST_PENDING);
        }
        // Where UPDATE may come before the answer it does not show that the answer has been seen.
        if established.acceptance.as_ref().is_none_or(|acceptance| !acceptance.settled_early) {
            self.confirm_by_change(cx);
        }
        if let Phase::Established(established) = &mut self.phase {
            established.reoffer.answer_by = Some(cx.now + cx.shared.patience() * 3 / 4);
        }
        self.offered(cx, key, request, source);
    }

    /// A PRACK that crossed our 200 (RFC 3262 section 5: an offer in it has its answer in the 2xx).
    pub(super) fn late_prack(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        let Phase::Established(established) = &mut self.phase else { return };
        // What answers the offer in our response is of no use any more: the 200 has made it again.
        let answers = established.acceptance.as_ref().is_some_and(|a| a.initial && a.offers);
        if request.body.is_empty() || answers {
            return self.answer(cx, key, &request, StatusCode::OK);
        }
        if let Some(response) = refusal::content(cx.shared, &request) {
            return cx.shared.layer.respond(cx.now, &key, response);
        }
        if established.reoffer.peer.is_some() || established.offer_is_open() {
            // It cannot come again: a PRACK is sent once for each response.
            return self.answer(cx, key, &request, StatusCode::NOT_ACCEPTABLE_HERE);
        }
        established.reoffer.answer_by = Some(cx.now + cx.shared.patience() * 3 / 4);
        self.offered(cx, key, request, source);
    }

    /// Whoever changes the session has seen our answer: the ACK was lost.
    fn confirm_by_change(&mut self, cx: &mut Cx<'_>) {
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else { return };
        if established.acceptance.take().is_some_and(|acceptance| acceptance.initial) {
            cx.shared.event(Event::Confirmed { session, body: None });
        }
    }

    /// Hands the peer's change to the owner; ours that had to wait is stale by it.
    fn offered(&mut self, cx: &mut Cx<'_>, key: ServerKey, request: Request, source: &Source) {
        let session = self.id;
        self.peer.learn(&request.headers);
        let Phase::Established(established) = &mut self.phase else { return };
        let own = std::mem::take(&mut established.reoffer.own);
        let waited = match &own {
            Own::Waiting(offer) | Own::Backoff { offer, .. } => offer.kind != Kind::Refresh,
            Own::Idle | Own::Sent(_) => false,
        };
        if let Own::Sent(_) = own {
            // Without a body: a refresh, which goes on.
            established.reoffer.own = own;
        }
        if waited {
            let (status, reason) = (StatusCode::REQUEST_PENDING, "the other side was faster");
            let (status, reason) = (Some(status), reason.to_owned());
            let overtaken = true;
            cx.shared.event(Event::ReofferFailed { session, status, reason, overtaken });
        }
        let body = message::body_of(&request.headers, &request.body);
        let by = request.method.clone();
        cx.shared.servers.insert(key, session);
        tracing::debug!(%session, "established, {by} from the peer -> offered");
        established.reoffer.peer = Some((key, request, *source));
        cx.shared.event(Event::Reoffered { session, early_dialog: None, body, by });
    }

    /// 200 to a PRACK that has crossed our 200.
    fn accept_late_prack(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: &Request,
        body: Option<&Body>,
    ) {
        let mut response = message::response(request, StatusCode::OK, "");
        response.headers.set(HeaderName::Server, cx.shared.config.user_agent.clone());
        message::response_body(&mut response, body);
        cx.shared.layer.respond(cx.now, &key, response);
        self.pump_reoffer(cx);
    }

    /// 200 to an UPDATE.
    fn accept_update(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: &Request,
        source: &Source,
        body: Option<&Body>,
    ) {
        let Phase::Established(established) = &mut self.phase else { return };
        established.flow.dialog.refresh_target(&request.headers);
        established.flow.retarget();
        let response = self.change_response(cx, request, source, body);
        cx.shared.layer.respond(cx.now, &key, response);
        self.pump_reoffer(cx);
    }

    /// A 200 to a change of the peer's, with the session timer settled.
    fn change_response(
        &mut self,
        cx: &mut Cx<'_>,
        request: &Request,
        source: &Source,
        body: Option<&Body>,
    ) -> Response {
        let mut response = message::response(request, StatusCode::OK, "");
        let headers = &mut response.headers;
        message::set_contact_for(headers, cx, source, self.private);
        message::set_capabilities(headers, &cx.shared.config, Some(&cx.account.config));
        headers.set(HeaderName::Server, cx.shared.config.user_agent.clone());
        self.grant_timer(cx, request, headers);
        message::response_body(&mut response, body);
        response
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
            return self.answer_early_change(cx, body);
        };
        let Some((key, request, source)) = established.reoffer.peer.take() else {
            return Err(UaError::WrongState);
        };
        if request.method != Method::Prack {
            established.flow.dialog.refresh_target(&request.headers);
            established.flow.retarget();
        }
        established.reoffer.answer_by = None;
        let offer = message::body_of(&request.headers, &request.body);
        if offer.is_some() {
            self.remote_body = offer;
        }
        if body.is_some() {
            self.local_body = body.cloned();
        }
        match request.method {
            Method::Invite => {}
            Method::Prack => {
                self.accept_late_prack(cx, key, &request, body);
                return Ok(());
            }
            _ => {
                self.accept_update(cx, key, &request, &source, body);
                return Ok(());
            }
        }
        let response = self.change_response(cx, &request, &source, body);
        let Phase::Established(established) = &mut self.phase else {
            return Err(UaError::WrongState);
        };
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
            return self.reject_early_change(cx, status);
        };
        let Some((key, request, _)) = established.reoffer.peer.take() else {
            return Err(UaError::WrongState);
        };
        established.reoffer.answer_by = None;
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

/// Whether a refused change may be sent again: the Min-SE it must then have, and when.
fn again(cx: &Cx<'_>, request: &Request, response: &Response) -> Option<(u32, Duration)> {
    if let Some(least) = timer::wanted(response, request) {
        return Some((least, Duration::ZERO));
    }
    let wait = response.headers.retry_after().ok().flatten()?;
    let wait = Duration::from_secs(u64::from(wait.seconds)).max(cx.shared.config.timers.t1);
    (response.status == StatusCode::SERVER_INTERNAL_ERROR && wait <= LONGEST_WAIT)
        .then_some((0, wait))
}

/// 2.1 to 4 s for the side that owns the Call-ID, 0 to 2 s for the other, in steps of 10 ms.
fn glare_wait(cx: &mut Cx<'_>, owner: bool) -> Duration {
    let (low, high) = if owner { (210, 400) } else { (0, 200) };
    Duration::from_millis(cx.shared.random.between(low, high) * 10)
}
