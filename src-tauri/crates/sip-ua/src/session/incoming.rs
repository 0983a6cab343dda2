//! An incoming call until it is answered or over (RFC 3261 section 13.3).
//!
//! Inputs from the owner: ring, progress, accept, refuse. From the peer: CANCEL, BYE. From the
//! clock: a provisional response to repeat, the INVITE's own expiry, whether the caller is still there.

use std::time::{Duration, Instant};

use sip_core::{ClientKey, ServerKey, Source};
use sip_types::{HeaderName, Method, NameAddr, Request, Response, StatusCode};

use super::{
    Peer, Phase, Session, TakenOver, acceptance::Acceptance, established::Established,
    reliable::Provisionals,
};
use crate::{
    Body, EndCause, Event, SessionId, UaError, alerting,
    dialog::{Dialog, NoDialog},
    flow::{Flow, Outcome, Purpose},
    identity,
    message::{self, body_of},
    shared::{Cx, Owner},
};

/// A proxy on the way forgets a call that nothing is heard of (section 13.3.1.1).
const REPEAT: Duration = Duration::from_secs(60);
/// A caller whose CANCEL was lost would ring for ever: after so long he is asked whether he is there, as long as a proxy
/// waits at least (Timer C, section 16.6).
const ASK: Duration = Duration::from_secs(180);

/// An INVITE that passed all checks.
pub(crate) struct Invitation {
    pub key: ServerKey,
    pub request: Request,
    pub source: Source,
}

pub(super) struct Incoming {
    pub(super) invitation: Invitation,
    pub flow: Flow,
    last: Option<Response>,
    repeat_at: Option<Instant>,
    expires_at: Option<Instant>,
    ask_at: Instant,
    pub provisionals: Provisionals,
}

impl Incoming {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.repeat_at, self.expires_at, Some(self.ask_at), self.provisionals.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Session {
    /// A call comes in; the owner is told.
    pub(crate) fn invited(
        cx: &mut Cx<'_>,
        id: SessionId,
        invitation: Invitation,
        taken: TakenOver,
    ) -> Result<Self, NoDialog> {
        let Invitation { key, request, source } = &invitation;
        let tag = cx.shared.random.token(10);
        let dialog = Dialog::from_request(request, &tag, 0)?;
        let back = message::route_back(source);
        let flow = Flow::new(dialog, Owner::Session(id), Some(back), cx.shared.config.symmetric);
        let headers = &request.headers;
        let trusted = cx.account.is_server(source);
        let called = headers.to().map_err(|_| NoDialog)?.uri;
        let mut peer = Peer::default();
        peer.learn(headers);
        let offer = body_of(headers, &request.body);
        let reliably = peer.hears_reliably(cx.account.config.reliable, false);
        cx.shared.servers.insert(*key, id);
        cx.shared.event(Event::Incoming(Box::new(crate::Incoming {
            session: id,
            account: cx.account.id,
            caller: identity::caller(headers, trusted),
            called,
            diverted_from: identity::diverted_from(headers),
            body: offer.clone(),
            offers_first: offer.is_none() && reliably,
            headers: headers.clone(),
            request_uri: request.uri.clone(),
            source: *source,
            trusted,
            replaces: taken.replaces,
            joins: taken.joins,
            ring: alerting::ring(headers),
            answer_after: alerting::answer_after(headers),
            answer_mode: alerting::answer_mode(headers),
        })));
        let expires = headers.expires().ok().flatten().map(u64::from).map(Duration::from_secs);
        let expires_at = expires.map(|wait| cx.now + wait);
        let incoming = Incoming {
            invitation,
            flow,
            last: None,
            repeat_at: None,
            expires_at,
            ask_at: cx.now + ASK,
            provisionals: Provisionals::default(),
        };
        let phase = Phase::Incoming(Box::new(incoming));
        let mut session = Self::with_phase(id, cx.account.id, phase);
        session.replaces = taken.replaces;
        session.peer = peer;
        session.remote_body = offer;
        tracing::debug!(session = %id, "nothing, INVITE -> incoming");
        Ok(session)
    }

    /// 180, 183 or any other provisional response.
    pub(crate) fn progress(
        &mut self,
        cx: &mut Cx<'_>,
        status: StatusCode,
        body: Option<&Body>,
    ) -> Result<(), UaError> {
        let asserted = self.asserted.clone();
        let reliably = self.goes_reliably(cx, body.is_some());
        let Phase::Incoming(incoming) = &mut self.phase else { return Err(UaError::WrongState) };
        if incoming.provisionals.is_accepted() {
            return Err(UaError::WrongState);
        }
        if reliably {
            incoming.repeat_at = Some(cx.now + REPEAT);
            self.provide(cx, status, body);
            return Ok(());
        }
        let mut response = incoming.response(cx, status, asserted.as_ref());
        message::response_body(&mut response, body);
        cx.shared.layer.respond(cx.now, &incoming.invitation.key, response.clone());
        incoming.last = Some(response);
        incoming.repeat_at = Some(cx.now + REPEAT);
        tracing::debug!(session = %self.id, "incoming, {status} -> incoming");
        Ok(())
    }

    /// 200 to the INVITE.
    pub(crate) fn accept(&mut self, cx: &mut Cx<'_>, body: Option<&Body>) -> Result<(), UaError> {
        let asserted = self.asserted.clone();
        let open = self.early_change.is_some();
        if let Phase::Incoming(incoming) = &mut self.phase
            && (incoming.provisionals.holds_answer() || open)
        {
            if incoming.provisionals.is_accepted() {
                return Err(UaError::WrongState);
            }
            incoming.provisionals.accept_later(body.cloned());
            return Ok(());
        }
        let incoming = match self.take_phase() {
            Phase::Incoming(incoming) => incoming,
            other => {
                self.phase = other;
                return Err(UaError::WrongState);
            }
        };
        let mut response = incoming.response(cx, StatusCode::OK, asserted.as_ref());
        // Our offer may have been answered before the call was; an answer may be said again.
        let bare = incoming.invitation.request.body.is_empty();
        let Provisionals { settled, changed, .. } = incoming.provisionals;
        let body = body.filter(|_| !(changed || bare && settled));
        message::response_body(&mut response, body);
        let Incoming { invitation, flow, .. } = *incoming;
        self.grant_timer(cx, &invitation.request, &mut response.headers);
        if body.is_some() {
            self.local_body = body.cloned();
        }
        let offers = invitation.request.body.is_empty() && body.is_some();
        let seq = invitation.request.headers.cseq().map_or(0, |cseq| cseq.number);
        let mut established = Established::new(flow);
        let mut acceptance = Acceptance::send(cx, invitation.key, response, seq, (true, offers));
        acceptance.settled_early = settled;
        established.acceptance = Some(acceptance);
        self.enter(Phase::Established(Box::new(established)), "accept");
        if let Some(old) = self.replaces.take() {
            cx.shared.replaced.push((old, self.id));
        }
        Ok(())
    }

    /// A final refusal.
    pub(crate) fn refuse(
        &mut self,
        cx: &mut Cx<'_>,
        status: StatusCode,
        headers: &[(HeaderName, String)],
    ) {
        self.conclude(cx, status, headers, EndCause::refused(status));
    }

    /// Sends the call elsewhere.
    pub(crate) fn redirect(&mut self, cx: &mut Cx<'_>, contacts: &[NameAddr]) {
        let header = |contact: &NameAddr| (HeaderName::Contact, contact.to_string());
        let headers: Vec<_> = contacts.iter().map(header).collect();
        self.refuse(cx, StatusCode::MOVED_TEMPORARILY, &headers);
    }

    pub(crate) fn is_incoming(&self) -> bool {
        matches!(self.phase, Phase::Incoming(_))
    }

    /// The caller gave up.
    pub(super) fn cancelled(&mut self, cx: &mut Cx<'_>, cancel: &Request) {
        let cause = EndCause::remote(&cancel.headers, "the caller hung up");
        self.conclude(cx, StatusCode::REQUEST_TERMINATED, &[], cause);
    }

    pub(super) fn incoming_timeout(&mut self, cx: &mut Cx<'_>) {
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        if incoming.expires_at.is_some_and(|at| at <= cx.now) {
            let cause = EndCause::network(None, "the call was not answered in time");
            return self.conclude(cx, StatusCode::REQUEST_TERMINATED, &[], cause);
        }
        if incoming.ask_at <= cx.now {
            incoming.ask_at = cx.now + REPEAT;
            incoming.ask(cx);
        }
        if incoming.repeat_at.is_some_and(|at| at <= cx.now) {
            incoming.repeat_at = Some(cx.now + REPEAT);
            match &incoming.last {
                Some(last) => {
                    cx.shared.layer.respond(cx.now, &incoming.invitation.key, last.clone());
                }
                None => self.provide_again(cx),
            }
        }
        self.provisional_timeout(cx);
    }

    /// Whoever knows nothing of the dialog (481) waits no more. Any other answer, and none, says nothing.
    pub(super) fn incoming_response(
        &mut self,
        cx: &mut Cx<'_>,
        key: ClientKey,
        response: Response,
    ) {
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        let outcome = incoming.flow.on_response(cx, key, response);
        if let Some(Outcome::Final(Purpose::Other, _, response)) = outcome
            && response.status == StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST
        {
            let cause = EndCause::remote(&response.headers, "the caller is gone");
            self.conclude(cx, StatusCode::REQUEST_TERMINATED, &[], cause);
        }
    }

    /// Answers the INVITE finally, and that is the end.
    pub(super) fn conclude(
        &mut self,
        cx: &mut Cx<'_>,
        status: StatusCode,
        headers: &[(HeaderName, String)],
        cause: EndCause,
    ) {
        let Phase::Incoming(incoming) = &self.phase else { return };
        let mut response = incoming.response(cx, status, None);
        if status.is_failure() {
            response.headers.remove(&HeaderName::Contact);
        }
        if headers.iter().any(|(name, _)| *name == HeaderName::Contact) {
            response.headers.remove(&HeaderName::Contact);
        }
        for (name, value) in headers {
            response.headers.push(name.clone(), value.clone());
        }
        if let Some(reason) = self.reason.take() {
            response.headers.push(HeaderName::Reason, reason);
        }
        cx.shared.layer.respond(cx.now, &incoming.invitation.key, response);
        self.end(cx, cause);
        self.enter(Phase::Gone, "final response");
    }
}

impl Incoming {
    /// Asks the caller whether he is there, in the early dialog. Before it rings there is none.
    fn ask(&mut self, cx: &mut Cx<'_>) {
        if self.repeat_at.is_none() || self.flow.find(Purpose::Other).is_some() {
            return;
        }
        let mut request = self.flow.dialog.request(Method::Options);
        request.headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        self.flow.send(cx, request, Purpose::Other);
    }

    /// A response to the INVITE within the dialog it founds.
    pub(super) fn response(
        &self,
        cx: &Cx<'_>,
        status: StatusCode,
        asserted: Option<&NameAddr>,
    ) -> Response {
        let tag = self.flow.dialog.local.tag().unwrap_or_default();
        let mut response = message::response(&self.invitation.request, status, tag);
        let headers = &mut response.headers;
        headers.copy_from(&self.invitation.request.headers, &HeaderName::RecordRoute);
        message::set_contact_for(headers, cx, &self.invitation.source, false);
        message::set_capabilities(headers, &cx.shared.config, Some(&cx.account.config));
        headers.set(HeaderName::Server, cx.shared.config.user_agent.clone());
        if let Some(asserted) = asserted {
            headers.set(HeaderName::PAssertedIdentity, asserted.to_string());
        }
        response
    }
}
