//! An outgoing call until it is answered or over (RFC 3261 section 13.2, CANCEL section 9.1).
//!
//! Inputs from the owner: hang up. From the resolver: located, not located. From the transactions:
//! 1xx, 2xx, challenge, redirection, refusal, failure.

use sip_core::{ClientKey, Failure, Route};
use sip_types::{HeaderName, Headers, Method, Request, Response, StatusCode, Uri};

use super::{Closing, Established, Phase, Session};
use crate::{
    EarlyDialogId, EndCause, Event, OutgoingCall, QueryId, ResolveError, Role, SessionId, UaError,
    authentication,
    dialog::{Dialog, DialogId},
    flow::Flow,
    identity,
    message::{self, name_addr},
    shared::Cx,
    target::serves,
};

pub(super) struct Outgoing {
    /// The INVITE as sent last, without Via.
    request: Request,
    call_id: String,
    tag: String,
    seq: u32,
    /// Targets not tried yet.
    remaining: Vec<Route>,
    route: Option<Route>,
    pinned: bool,
    query: Option<QueryId>,
    key: Option<ClientKey>,
    /// Remote tags that have shown up in provisional responses.
    early: Vec<(Option<String>, EarlyDialogId)>,
    tries: u8,
    /// We made the offer.
    offered: bool,
    cancelled: bool,
}

impl Outgoing {
    /// Whether that is the early dialog with one of the telephones that ring.
    pub(super) fn is_named(&self, id: &DialogId) -> bool {
        id.call_id == self.call_id
            && id.local_tag.as_deref() == Some(self.tag.as_str())
            && self.early.iter().any(|(tag, _)| *tag == id.remote_tag)
    }

    fn early_dialog(&self, headers: &Headers) -> Option<EarlyDialogId> {
        let to = headers.to().ok()?;
        self.early.iter().find(|(tag, _)| tag.as_deref() == to.tag()).map(|(_, id)| *id)
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
        let hop = next_hop(cx, call, &uri);
        if !hop.is_sip() {
            return Err(UaError::BadTarget);
        }
        let tag = cx.shared.random.token(10);
        let call_id = call.call_id.clone().unwrap_or_else(|| cx.shared.random.token(24));
        let seq = 1;
        let request = invite(cx, call, uri, (&tag, &call_id, seq));
        let outgoing = Outgoing {
            request,
            call_id,
            tag,
            seq,
            remaining: call.route.into_iter().collect(),
            route: None,
            pinned: call.route.is_some() || cx.shared.config.symmetric,
            query: None,
            key: None,
            early: Vec::new(),
            tries: 0,
            offered: call.body.is_some(),
            cancelled: false,
        };
        let phase = Phase::Outgoing(Box::new(outgoing));
        let mut session = Self::with_phase(id, cx.account.id, phase);
        session.locate_callee(cx, &hop);
        Ok(session)
    }

    fn locate_callee(&mut self, cx: &mut Cx<'_>, hop: &Uri) {
        let owner = self.owner();
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.remaining.is_empty() {
            outgoing.remaining = known_routes(cx, hop);
        }
        if outgoing.remaining.is_empty() {
            outgoing.query = Some(cx.shared.resolve(owner, hop.clone()));
        } else {
            self.try_next_target(cx, EndCause::network(None, "no route"));
        }
    }

    pub(super) fn outgoing_resolved(
        &mut self,
        cx: &mut Cx<'_>,
        query: QueryId,
        result: Result<Vec<Route>, ResolveError>,
    ) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.query != Some(query) {
            return;
        }
        outgoing.query = None;
        let cause = match result {
            Ok(routes) => {
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
        if outgoing.remaining.is_empty() || outgoing.cancelled {
            return self.give_up(cx, cause, "no target left");
        }
        outgoing.route = Some(outgoing.remaining.remove(0));
        authentication::sign(cx, &mut outgoing.request);
        self.send_invite(cx);
    }

    fn send_invite(&mut self, cx: &mut Cx<'_>) {
        let owner = self.owner();
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        let Some(route) = outgoing.route else { return };
        message::set_contact(&mut outgoing.request.headers, cx, &route);
        let key = cx.shared.request(cx.now, outgoing.request.clone(), &route, owner);
        outgoing.key = Some(key);
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
            return; // the answer to our CANCEL, or to an INVITE given up for another target
        }
        let status = response.status;
        match status.code() {
            100 => {}
            101..=199 => self.provisional(cx, response),
            200..=299 => self.answered(cx, response),
            _ if outgoing.cancelled => self.give_up(cx, EndCause::response(response), "refused"),
            401 | 407 => self.challenged(cx, response),
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
            return;
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
        if tries <= authentication::TRIES
            && authentication::answer(cx, &mut outgoing.request, response, seq)
        {
            outgoing.early.clear();
            return self.send_invite(cx);
        }
        self.give_up(cx, EndCause::response(response), "challenge");
    }

    fn provisional(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let session = self.id;
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.cancelled {
            return;
        }
        let tag = response.headers.to().ok().and_then(|to| to.tag().map(str::to_owned));
        if tag.is_some() && outgoing.early_dialog(&response.headers).is_none() {
            let next = EarlyDialogId(u32::try_from(outgoing.early.len()).unwrap_or(u32::MAX));
            outgoing.early.push((tag, next));
        }
        let early_dialog = outgoing.early_dialog(&response.headers);
        cx.shared.event(Event::Provisional {
            session,
            early_dialog,
            status: response.status,
            body: message::body_of(&response.headers, &response.body),
        });
    }

    fn answered(&mut self, cx: &mut Cx<'_>, response: &Response) {
        authentication::accepted(cx, response);
        let Phase::Outgoing(outgoing) = self.take_phase() else { return };
        let Ok(dialog) = Dialog::from_response(response, &outgoing.request.uri) else {
            self.phase = Phase::Outgoing(outgoing);
            return self.give_up(cx, EndCause::network(None, "the answer is unreadable"), "2xx");
        };
        let session = self.id;
        let early_dialog = outgoing.early_dialog(&response.headers);
        let flow = Flow::new(dialog, self.owner(), outgoing.route, outgoing.pinned);
        let trusted =
            outgoing.route.is_some_and(|route| cx.account.is_server_at(route.target.addr));
        let mut established = Established::new(flow);
        if outgoing.cancelled {
            // The answer crossed our CANCEL: it has to be taken, and hung up (section 9.1).
            established.send_ack(cx, outgoing.seq, None);
            self.enter(Phase::Closing(Box::new(Closing::new(established))), "2xx after CANCEL");
            return self.send_bye(cx);
        }
        let role = if outgoing.offered { Role::Answer } else { Role::Offer };
        if role == Role::Answer {
            established.send_ack(cx, outgoing.seq, None);
        } else {
            established.owe_answer(cx, outgoing.seq);
        }
        self.enter(Phase::Established(Box::new(established)), "2xx");
        cx.shared.event(Event::Answered {
            session,
            early_dialog,
            body: message::body_of(&response.headers, &response.body),
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
        let reason = self.reason.take();
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        outgoing.cancelled = true;
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
    uri: Uri,
    (tag, call_id, seq): (&str, &str, u32),
) -> Request {
    let account = &*cx.account;
    let mut request = Request::new(Method::Invite, uri);
    let (from, identity_headers) = identity::originator(account, call, tag);
    let headers = &mut request.headers;
    if call.route.is_none() {
        for route in preloaded_routes(cx) {
            headers.push(HeaderName::Route, route.to_string());
        }
    }
    headers.push(HeaderName::MaxForwards, call.max_forwards.unwrap_or(70).to_string());
    headers.push(HeaderName::From, from.to_string());
    headers.push(HeaderName::To, name_addr(call.to_display.clone(), call.to.clone()).to_string());
    headers.push(HeaderName::CallId, call_id);
    headers.push(HeaderName::CSeq, format!("{seq} INVITE"));
    headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
    message::set_capabilities(headers, &cx.shared.config);
    message::set_accept(headers, &cx.shared.config);
    for (name, value) in identity_headers.into_iter().chain(call.headers.iter().cloned()) {
        headers.push(name, value);
    }
    message::request_body(&mut request, call.body.as_ref());
    request
}

/// Service-Route, else an outbound proxy that asks to be named.
fn preloaded_routes(cx: &Cx<'_>) -> Vec<sip_types::NameAddr> {
    let service = cx.account.registration.service_route();
    if !service.is_empty() {
        return service.to_vec();
    }
    let proxy = cx.account.config.outbound_proxy.as_ref().filter(|proxy| proxy.lr());
    proxy.map(|proxy| name_addr(None, proxy.clone())).into_iter().collect()
}

/// Where an INVITE goes first.
fn next_hop(cx: &Cx<'_>, call: &OutgoingCall, uri: &Uri) -> Uri {
    let config = &cx.account.config;
    let service = cx.account.registration.service_route().first().map(|route| route.uri.clone());
    if call.route.is_some() {
        return config.registrar.clone();
    }
    service
        .or_else(|| config.outbound_proxy.clone())
        .unwrap_or_else(|| if config.register { config.registrar.clone() } else { uri.clone() })
}

/// The account's own routes where they lead to `hop`, the one that holds the registration first.
fn known_routes(cx: &Cx<'_>, hop: &Uri) -> Vec<Route> {
    let Some(server) = cx.account.registration.server() else { return Vec::new() };
    if cx.account.server() != hop && !serves(&server, hop) {
        return Vec::new();
    }
    let others = cx.account.routes.iter().filter(|route| route.target != server.target);
    std::iter::once(server).chain(others.copied()).collect()
}
