//! An outgoing call until it is answered or over (RFC 3261 section 13.2, CANCEL section 9.1).
//!
//! Inputs from the owner: hang up. From the resolver: located, not located. From the transactions:
//! 1xx, 2xx, challenge, redirection, refusal, failure.

use std::time::{Duration, Instant};

use sip_core::{ClientKey, Failure, Route};
use sip_types::{HeaderName, Method, Request, Response, StatusCode, Uri};

use super::{Closing, Established, Phase, Session, early::Confirmed, early::Earlies, timer};
use crate::{
    EndCause, Event, OutgoingCall, QueryId, Reliable, ResolveError, Role, SessionId, UaError,
    authentication,
    dialog::{Dialog, DialogId},
    first_hop::{FirstHop, known_routes},
    flow::{Flow, Purpose},
    identity,
    message::{self, name_addr},
    shared::Cx,
};

/// After so long without a final answer it is asked whether there is still somebody: as long as a proxy waits at least
/// (Timer C, section 16.6).
const ASK: Duration = Duration::from_secs(180);
/// And every so often from then on.
const ASK_AGAIN: Duration = Duration::from_secs(60);

pub(super) struct Outgoing {
    /// The INVITE as sent last, without Via.
    request: Request,
    pub(super) seq: u32,
    /// Targets not tried yet.
    remaining: Vec<Route>,
    route: Option<Route>,
    pinned: bool,
    query: Option<QueryId>,
    /// The query is for the account's own server.
    own_hop: bool,
    key: Option<ClientKey>,
    /// The telephones that ring.
    pub(super) early: Earlies,
    tries: u8,
    /// We made the offer.
    pub(super) offered: bool,
    cancelled: Cancelled,
    /// When the callee is asked whether it is there.
    ask_at: Option<Instant>,
}

/// Whether the owner has given the call up, and what an answer then means that crosses the CANCEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelled {
    No,
    /// It is hung up.
    Whatever,
    /// It stands, as if there had been no CANCEL.
    UnlessAnswered,
}

impl Outgoing {
    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        match self.cancelled {
            Cancelled::No => self.ask_at,
            // What becomes of it is up to the transaction.
            Cancelled::Whatever | Cancelled::UnlessAnswered => None,
        }
    }

    /// Whether that is the early dialog with one of the telephones that ring.
    pub(super) fn is_named(&self, id: &DialogId) -> bool {
        self.early.is_named(id)
    }

    /// The name of the first early dialog.
    pub(super) fn first_name(&self) -> Option<DialogId> {
        self.early.first_name()
    }
}

impl Session {
    /// Places a call: the INVITE leaves at once if the way is known.
    pub(crate) fn dial(
        cx: &mut Cx<'_>,
        id: SessionId,
        call: &OutgoingCall,
    ) -> Result<Self, UaError> {
        let uri = call.target.clone().unwrap_or_else(|| call.to.clone());
        let hop = match call.route {
            // Sent straight there.
            Some(_) => None,
            None => Some(FirstHop::of(cx.account, &uri)),
        };
        if hop.as_ref().is_some_and(|hop| !hop.uri.is_sip()) {
            return Err(UaError::BadTarget);
        }
        let tag = cx.shared.random.token(10);
        let call_id = call.call_id.clone().unwrap_or_else(|| cx.shared.random.token(24));
        let seq = 1;
        let routes = hop.as_ref().map_or(&[][..], |hop| hop.routes.as_slice());
        let mut request = invite(cx, call, (uri, routes), (&tag, &call_id, seq));
        timer::ask(&mut request.headers, &cx.account.config, None, 0);
        if cx.account.config.reliable == Reliable::Required {
            message::require(&mut request.headers, "100rel");
        }
        let outgoing = Outgoing {
            request,
            seq,
            remaining: call.route.into_iter().collect(),
            route: None,
            pinned: call.route.is_some() || cx.shared.config.symmetric,
            query: None,
            own_hop: hop.as_ref().is_some_and(|hop| hop.own),
            key: None,
            early: Earlies::default(),
            tries: 0,
            offered: call.body.is_some(),
            cancelled: Cancelled::No,
            ask_at: None,
        };
        let phase = Phase::Outgoing(Box::new(outgoing));
        let mut session = Self::with_phase(id, cx.account.id, phase);
        session.local_body.clone_from(&call.body);
        session.private = call.withhold_identity;
        session.locate_callee(cx, hop);
        Ok(session)
    }

    fn locate_callee(&mut self, cx: &mut Cx<'_>, hop: Option<FirstHop>) {
        let owner = self.owner();
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if let Some(hop) = hop {
            outgoing.remaining = known_routes(cx.account, &hop.uri);
            if outgoing.remaining.is_empty() {
                outgoing.query = Some(cx.shared.resolve(owner, hop.uri));
                return;
            }
        }
        self.try_next_target(cx, EndCause::network(None, "no route"));
    }

    pub(super) fn outgoing_resolved(
        &mut self,
        cx: &mut Cx<'_>,
        query: QueryId,
        result: Result<Vec<Route>, ResolveError>,
    ) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.query != Some(query) {
            return self.early_resolved(cx, query, &result);
        }
        outgoing.query = None;
        let cause = match result {
            Ok(routes) => {
                if outgoing.own_hop {
                    cx.account.learn(&routes);
                }
                outgoing.remaining = routes;
                "the address has no server".to_owned()
            }
            Err(error) => error.reason,
        };
        self.try_next_target(cx, EndCause::network(None, cause));
    }

    /// Sends the INVITE to the next target, or gives up with `cause`.
    fn try_next_target(&mut self, cx: &mut Cx<'_>, cause: EndCause) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.remaining.is_empty() || outgoing.cancelled != Cancelled::No {
            return self.give_up(cx, cause, "no target left");
        }
        outgoing.route = Some(outgoing.remaining.remove(0));
        self.sign_invite(cx);
        self.send_invite(cx);
    }

    fn sign_invite(&mut self, cx: &mut Cx<'_>) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if let Some(route) = outgoing.route {
            authentication::sign(cx, &mut outgoing.request, &route);
        }
    }

    fn send_invite(&mut self, cx: &mut Cx<'_>) {
        let (owner, private) = (self.owner(), self.private);
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        let Some(route) = outgoing.route else { return };
        message::set_contact(&mut outgoing.request.headers, cx, &route, private);
        let key = cx.shared.request(cx.now, outgoing.request.clone(), &route, owner);
        outgoing.key = Some(key);
        outgoing.ask_at = Some(cx.now + ASK);
    }

    /// Takes the next CSeq for an INVITE that is sent again (section 8.1.3.5).
    fn renumber(outgoing: &mut Outgoing) {
        outgoing.seq += 1;
        outgoing.request.headers.set(HeaderName::CSeq, format!("{} INVITE", outgoing.seq));
    }

    pub(super) fn outgoing_response(
        &mut self,
        cx: &mut Cx<'_>,
        key: ClientKey,
        response: &Response,
    ) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.key != Some(key) {
            // To a PRACK, to our CANCEL, or to an INVITE given up for another target.
            return self.early_response(cx, key, response);
        }
        let status = response.status;
        match status.code() {
            100 => {}
            101..=199 => self.provisional(cx, response),
            200..=299 => self.answered(cx, response),
            _ if outgoing.cancelled != Cancelled::No => {
                self.give_up(cx, EndCause::response(response), "refused");
            }
            401 | 407 => self.challenged(cx, response),
            422 => self.too_brief(cx, response),
            408 | 503 if !outgoing.remaining.is_empty() => {
                Self::renumber(outgoing);
                self.try_next_target(cx, EndCause::response(response));
            }
            _ => self.give_up(cx, EndCause::response(response), "refused"),
        }
    }

    pub(super) fn outgoing_failure(&mut self, cx: &mut Cx<'_>, key: ClientKey, failure: &Failure) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.key != Some(key) {
            return self.early_failure(cx, key, failure);
        }
        let status = match failure {
            Failure::Timeout => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::renumber(outgoing);
        self.try_next_target(cx, EndCause::network(Some(status), failure.to_string()));
    }

    fn challenged(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        outgoing.seq += 1;
        outgoing.tries += 1;
        let (seq, tries) = (outgoing.seq, outgoing.tries);
        let Some(route) = outgoing.route else { return };
        let answered = authentication::answer(cx, &mut outgoing.request, response, (seq, &route));
        let cause = match &answered {
            Ok(()) if tries <= authentication::TRIES => {
                outgoing.early.clear();
                self.drop_early_change(cx, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
                return self.send_invite(cx);
            }
            // The password is not refused: the server is in disorder.
            Err(error) if error.is_trouble() => {
                EndCause::network(Some(StatusCode::SERVICE_UNAVAILABLE), error.to_string())
            }
            _ => EndCause::response(response),
        };
        self.give_up(cx, cause, "challenge");
    }

    /// 422: once more with the interval the other side wants (RFC 4028 section 7.3).
    fn too_brief(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        outgoing.tries += 1;
        match timer::wanted(response, &outgoing.request) {
            Some(least) if outgoing.tries <= authentication::TRIES => {
                let headers = &mut outgoing.request.headers;
                timer::ask(headers, &cx.account.config, None, least);
                Self::renumber(outgoing);
                outgoing.early.clear();
                self.sign_invite(cx);
                self.drop_early_change(cx, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
                self.send_invite(cx);
            }
            _ => self.give_up(cx, EndCause::response(response), "refused"),
        }
    }

    /// A callee whose last word was lost would ring for ever: whoever has said nothing but 100 so long is given up, who
    /// rings is asked whether it still does.
    pub(super) fn outgoing_timeout(&mut self, cx: &mut Cx<'_>) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        outgoing.ask_at = Some(cx.now + ASK_AGAIN);
        match outgoing.early.first_flow() {
            Some(flow) if flow.find(Purpose::Other).is_some() => {}
            Some(flow) => {
                let mut request = flow.dialog.request(Method::Options);
                let name = cx.shared.config.user_agent.clone();
                request.headers.push(HeaderName::UserAgent, name);
                flow.send(cx, request, Purpose::Other);
            }
            None => self.nobody_answers(cx, EndCause::network(None, "no answer in time")),
        }
    }

    /// Nobody is there any more who could answer.
    pub(super) fn nobody_answers(&mut self, cx: &mut Cx<'_>, cause: EndCause) {
        self.end(cx, cause);
        self.send_cancel(cx, Cancelled::Whatever);
    }

    fn provisional(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let (session, owner) = (self.id, self.owner());
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.cancelled != Cancelled::No {
            return;
        }
        let way = (outgoing.route, outgoing.pinned);
        let early_dialog = outgoing.early.meet(response, &outgoing.request, owner, way);
        let Some(body) = self.heard(cx, early_dialog, response) else { return };
        cx.shared.event(Event::Provisional {
            session,
            early_dialog,
            status: response.status,
            body,
        });
    }

    fn answered(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let Phase::Outgoing(mut outgoing) = self.take_phase() else { return };
        authentication::accepted(cx, &outgoing.request, response);
        let Ok(dialog) = Dialog::from_response(response, &outgoing.request.uri) else {
            self.phase = Phase::Outgoing(outgoing);
            return self.give_up(cx, EndCause::network(None, "the answer is unreadable"), "2xx");
        };
        let session = self.id;
        let early_dialog = outgoing.early.of(&response.headers);
        let Confirmed { flow, settled, answer, changed } = match outgoing.early.confirm(response) {
            Some(mut early) => {
                early.flow.dialog.confirm(dialog);
                early.flow.retarget();
                early
            }
            None => {
                let flow = Flow::new(dialog, self.owner(), outgoing.route, outgoing.pinned);
                Confirmed { flow, settled: false, answer: None, changed: None }
            }
        };
        let trusted =
            outgoing.route.is_some_and(|route| cx.account.is_server_at(route.target.addr));
        let mut established = Established::new(flow);
        established.flow.private = self.private;
        if outgoing.cancelled == Cancelled::Whatever {
            // The answer crossed our CANCEL: it has to be taken, and hung up (section 9.1).
            established.send_ack(cx, outgoing.seq, None);
            self.enter(Phase::Closing(Box::new(Closing::new(established))), "2xx after CANCEL");
            return self.bye_when_due(cx);
        }
        let role = if outgoing.offered || settled { Role::Answer } else { Role::Offer };
        if role == Role::Answer {
            established.send_ack(cx, outgoing.seq, None);
        } else {
            established.owe_answer(cx, outgoing.seq);
        }
        match self.early_change.take_if(|change| change.early == early_dialog) {
            Some(change) => established.reoffer.adopt(change),
            None => self.drop_early_change(cx, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST),
        }
        self.enter(Phase::Established(Box::new(established)), "2xx");
        self.peer.learn(&response.headers);
        self.take_timer(cx, response);
        let body = match changed {
            // Whatever the 2xx repeats, it is older than what was agreed last.
            Some((local, remote)) => {
                (self.local_body, self.remote_body) = (Some(local), remote);
                None
            }
            // An answer that was acknowledged need not come again.
            None => {
                let body = message::body_of(&response.headers, &response.body).or(answer);
                self.remote_body.clone_from(&body);
                body
            }
        };
        cx.shared.event(Event::Answered {
            session,
            early_dialog,
            body,
            role,
            remote: identity::callee(&response.headers, trusted),
        });
    }

    fn give_up(&mut self, cx: &mut Cx<'_>, cause: EndCause, event: &str) {
        self.end(cx, cause);
        self.enter(Phase::Gone, event);
    }

    pub(super) fn cancel(&mut self, cx: &mut Cx<'_>) {
        self.end(cx, EndCause::local());
        self.send_cancel(cx, Cancelled::Whatever);
    }

    /// The owner gives the call up, but for an answer that crosses the CANCEL.
    pub(crate) fn give_up_unless_answered(&mut self, cx: &mut Cx<'_>) -> Result<(), UaError> {
        let Phase::Outgoing(outgoing) = &self.phase else { return Err(UaError::WrongState) };
        if outgoing.key.is_none() {
            self.end(cx, EndCause::local());
        }
        self.send_cancel(cx, Cancelled::UnlessAnswered);
        Ok(())
    }

    fn send_cancel(&mut self, cx: &mut Cx<'_>, cancelled: Cancelled) {
        let reason = self.reason.take();
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        outgoing.cancelled = cancelled;
        let Some(key) = outgoing.key else {
            return self.enter(Phase::Gone, "hang up before sending");
        };
        let owner = self.owner();
        let headers = reason.map(|reason| (HeaderName::Reason, reason)).into_iter().collect();
        if let Some(cancel) = cx.shared.layer.cancel_with(cx.now, &key, headers) {
            cx.shared.clients.insert(cancel, owner);
        }
    }
}

/// The INVITE of a new call (section 8.1.1, 13.2.1).
fn invite(
    cx: &Cx<'_>,
    call: &OutgoingCall,
    (uri, routes): (Uri, &[sip_types::NameAddr]),
    (tag, call_id, seq): (&str, &str, u32),
) -> Request {
    let account = &*cx.account;
    let mut request = Request::new(Method::Invite, uri);
    let (from, identity_headers) = identity::originator(account, call, tag);
    let headers = &mut request.headers;
    for route in routes {
        headers.push(HeaderName::Route, route.to_string());
    }
    headers.push(HeaderName::MaxForwards, call.max_forwards.unwrap_or(70).to_string());
    headers.push(HeaderName::From, from.to_string());
    headers.push(HeaderName::To, name_addr(call.to_display.clone(), call.to.clone()).to_string());
    headers.push(HeaderName::CallId, call_id);
    headers.push(HeaderName::CSeq, format!("{seq} INVITE"));
    headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
    message::set_capabilities(headers, &cx.shared.config, Some(&cx.account.config));
    message::set_accept(headers, &cx.shared.config);
    for (name, value) in identity_headers.into_iter().chain(call.headers.iter().cloned()) {
        headers.push(name, value);
    }
    for (name, value) in taken_over(call) {
        headers.push(name, value);
    }
    message::request_body(&mut request, call.body.as_ref());
    request
}

/// Replaces, Join and Referred-By (RFC 3891, RFC 3911, RFC 3892). A callee that cannot replace must
/// refuse instead of ringing (RFC 3891 section 4).
fn taken_over(call: &OutgoingCall) -> Vec<(HeaderName, String)> {
    let mut headers = Vec::new();
    let mut required = Vec::new();
    if let Some(replaces) = &call.replaces {
        headers.push((HeaderName::Replaces, replaces.to_string()));
        required.push("replaces");
    }
    if let Some(join) = &call.join {
        headers.push((HeaderName::Join, join.to_string()));
        required.push("join");
    }
    if !required.is_empty() {
        headers.push((HeaderName::Require, required.join(", ")));
    }
    if let Some(referrer) = &call.referred_by {
        headers.push((HeaderName::ReferredBy, referrer.to_string()));
    }
    headers
}
