//! Requests of the peer inside a session's dialog (RFC 3261 section 12.2.2): checked, answered,
//! or handed to the phase they concern.

use sip_core::{ServerKey, Source};
use sip_types::{HeaderName, Method, Request, StatusCode};

use super::{Phase, Session};
use crate::{
    EndCause, Event, RemoteAction, description, dtmf, identity, message, refusal, shared::Cx,
};

impl Session {
    pub(super) fn inside(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        mut request: Request,
        source: &Source,
    ) {
        if !self.advance(cx, &request, source) {
            return self.out_of_order(cx, key, &request);
        }
        if cx.shared.config.pass_through.contains(&request.method) && !self.ended {
            let (session, request) = (self.id, Box::new(request));
            return cx.shared.event(Event::InDialog { session, key, request });
        }
        if let Some(response) = refusal::extension(cx.shared, &request, Some(&cx.account.config)) {
            return cx.shared.layer.respond(cx.now, &key, response);
        }
        if matches!(request.method, Method::Invite | Method::Update | Method::Prack) {
            let accept = &cx.shared.config.accept;
            description::unwrap(&mut request.headers, &mut request.body, accept);
            self.identified(cx, &request, source);
        }
        match request.method {
            Method::Bye => self.bye(cx, key, &request),
            Method::Invite => self.invite_inside(cx, key, request, source),
            Method::Prack => self.prack_received(cx, key, request, source),
            Method::Update => self.update_inside(cx, key, request, source),
            Method::Info => self.info_received(cx, key, &request),
            Method::Refer => self.refer_inside(cx, key, request, source),
            Method::Notify => self.notify_inside(cx, key, &request),
            _ => {
                let response = refusal::plain(cx.shared, &request);
                cx.shared.layer.respond(cx.now, &key, response);
            }
        }
    }

    /// Tells who is at the other end, where the server says so.
    fn identified(&self, cx: &mut Cx<'_>, request: &Request, source: &Source) {
        let remote = identity::caller(&request.headers, cx.account.is_server(source));
        if remote.asserted && request.method != Method::Prack && !self.ended {
            cx.shared.event(Event::Identified { session: self.id, remote });
        }
    }

    /// 500 to a request that a later one has overtaken (section 12.2.2). It has done nothing and may come again at
    /// once, as a new one: by that word a subscription lives on (RFC 6665 section 4.2.2).
    fn out_of_order(&self, cx: &mut Cx<'_>, key: ServerKey, request: &Request) {
        let tag = cx.shared.random.token(10);
        let mut response = message::response(request, StatusCode::SERVER_INTERNAL_ERROR, &tag);
        response.headers.set(HeaderName::RetryAfter, "0");
        tracing::debug!(session = %self.id, "{} has been overtaken", request.method);
        cx.shared.layer.respond(cx.now, &key, response);
    }

    /// Checks the CSeq and, on a server, follows the peer to where it sends from.
    fn advance(&mut self, cx: &Cx<'_>, request: &Request, source: &Source) -> bool {
        let symmetric = cx.shared.config.symmetric;
        let flow = match &mut self.phase {
            Phase::Incoming(incoming) => &mut incoming.flow,
            Phase::Established(established) => &mut established.flow,
            Phase::Closing(closing) => closing.flow_mut(),
            Phase::Outgoing(_) | Phase::Gone => return true,
        };
        let seq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        if !flow.dialog.advance_remote(seq) {
            return false;
        }
        if symmetric {
            flow.pin(message::route_back(source));
        }
        true
    }

    fn bye(&mut self, cx: &mut Cx<'_>, key: ServerKey, request: &Request) {
        if matches!(self.phase, Phase::Outgoing(_) | Phase::Gone) {
            let status = StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST;
            return self.answer(cx, key, request, status);
        }
        self.answer(cx, key, request, StatusCode::OK);
        let cause = EndCause::remote(&request.headers, "the other side hung up");
        if self.is_incoming() {
            return self.conclude(cx, StatusCode::REQUEST_TERMINATED, &[], cause);
        }
        if let Phase::Established(established) = &mut self.phase {
            established.wind_up_reoffer(cx);
            established.acceptance = None;
        }
        self.end(cx, cause);
        self.finish(cx, "BYE");
    }

    fn invite_inside(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        match &self.phase {
            Phase::Established(_) => {
                if let Some(response) = refusal::session(cx, &request) {
                    return cx.shared.layer.respond(cx.now, &key, response);
                }
                self.reoffer_received(cx, key, request, source);
            }
            Phase::Incoming(_) => Self::answer_overlap(cx, key, &request),
            Phase::Outgoing(_) => self.answer(cx, key, &request, StatusCode::REQUEST_PENDING),
            Phase::Closing(_) | Phase::Gone => {
                self.answer(cx, key, &request, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
            }
        }
    }

    fn update_inside(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
    ) {
        match &self.phase {
            Phase::Established(_) => {
                if let Some(response) = refusal::session(cx, &request) {
                    return cx.shared.layer.respond(cx.now, &key, response);
                }
                self.update_received(cx, key, request, source);
            }
            Phase::Outgoing(_) => self.early_update(cx, key, request, source),
            Phase::Incoming(_) => self.update_before_answer(cx, key, request, source),
            Phase::Closing(_) | Phase::Gone => {
                self.answer(cx, key, &request, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
            }
        }
    }

    fn refer_inside(&mut self, cx: &mut Cx<'_>, key: ServerKey, request: Request, source: &Source) {
        match &self.phase {
            Phase::Established(_) => {
                let session = self.id;
                self.refer_received(cx, key, request, source, Some(session));
            }
            // Nobody has answered yet: there is nothing to hand over.
            Phase::Outgoing(_) | Phase::Incoming(_) => {
                self.answer(cx, key, &request, StatusCode::FORBIDDEN);
            }
            Phase::Closing(_) | Phase::Gone => {
                self.answer(cx, key, &request, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
            }
        }
    }

    fn notify_inside(&mut self, cx: &mut Cx<'_>, key: ServerKey, request: &Request) {
        let package = request.headers.event().ok().flatten().map(|event| event.package);
        match package.as_deref() {
            None => self.answer(cx, key, request, StatusCode::BAD_EVENT),
            Some("refer") => self.refer_notified(cx, key, request),
            Some("talk") => self.controlled(cx, key, request, RemoteAction::Talk),
            Some("hold") => self.controlled(cx, key, request, RemoteAction::Hold),
            Some(_) => {
                let response = refusal::plain(cx.shared, request);
                cx.shared.layer.respond(cx.now, &key, response);
            }
        }
    }

    /// A NOTIFY that works the telephone's keys: only where the account lets it.
    fn controlled(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: &Request,
        action: RemoteAction,
    ) {
        if !cx.account.config.remote_control || self.ended {
            return self.answer(cx, key, request, StatusCode::BAD_EVENT);
        }
        self.answer(cx, key, request, StatusCode::OK);
        cx.shared.event(Event::RemoteControl { session: self.id, action });
    }

    fn info_received(&mut self, cx: &mut Cx<'_>, key: ServerKey, request: &Request) {
        let session = self.id;
        let Some(body) = message::body_of(&request.headers, &request.body) else {
            return self.answer(cx, key, request, StatusCode::OK);
        };
        if !dtmf::BODIES.contains(&message::media_type(&body.content_type).as_str()) {
            let mut response = message::response(request, StatusCode::UNSUPPORTED_MEDIA_TYPE, "");
            response.headers.set(HeaderName::Accept, dtmf::BODIES.join(", "));
            return cx.shared.layer.respond(cx.now, &key, response);
        }
        self.answer(cx, key, request, StatusCode::OK);
        if !self.ended {
            cx.shared.event(Event::Info { session, body });
        }
    }
}
