//! Which message, answer or failure belongs to which state machine, and what happens to those
//! that belong to none.

use std::time::Instant;

use sip_core::{Event as Happening, ServerKey, Source};
use sip_types::{Method, Replaces, Request, Response, StatusCode};

use crate::{
    AccountId, Event, Input, SessionId, UserAgent, description,
    dialog::DialogId,
    liveness, message, refusal,
    registration::{self, Registration},
    session::{Invitation, Session, TakenOver},
    shared::Owner,
    subscription::Subscription,
};

impl UserAgent {
    /// Hands an input to whom it concerns.
    pub(crate) fn take_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Received { source, message } => {
                self.heard(now, &source);
                let received = sip_core::Input::Received { source, message };
                self.shared.layer.handle_input(now, received);
            }
            Input::Malformed { source, error } => {
                self.shared.counters.malformed += 1;
                let malformed = sip_core::Input::Malformed { source, error };
                self.shared.layer.handle_input(now, malformed);
            }
            Input::TransportFailed { target, reason } => {
                let failed = sip_core::Input::TransportFailed { target, reason: reason.clone() };
                self.shared.layer.handle_input(now, failed);
                self.drain(now);
                for id in self.accounts.keys().copied().collect::<Vec<_>>() {
                    self.each_flow(now, id, |cx| {
                        liveness::failed(cx, &target);
                        registration::on_transport_failed(cx, &target, &reason);
                    });
                }
            }
            Input::Mapped { target, changed } => {
                for id in self.accounts.keys().copied().collect::<Vec<_>>() {
                    self.each_flow(now, id, |cx| {
                        liveness::watched(cx, &target);
                        if changed {
                            registration::moved(cx, &target);
                        }
                    });
                }
            }
            Input::Resolved { query, result } => match self.shared.queries.remove(&query) {
                Some(Owner::Registration(id, flow)) => {
                    self.with_flow(now, id, flow, |cx| {
                        registration::on_resolved(cx, query, result);
                    });
                }
                Some(Owner::Session(id)) => {
                    self.with_session(now, id, |session, cx| {
                        session.on_resolved(cx, query, result);
                    });
                }
                Some(Owner::Subscription(id)) => {
                    self.with_subscription(now, id, |subscription, cx| {
                        subscription.on_resolved(cx, query, result);
                    });
                }
                Some(Owner::Passed | Owner::Liveness(..)) | None => {}
            },
        }
    }

    fn heard(&mut self, now: Instant, source: &Source) {
        for account in self.accounts.values_mut() {
            let ping = account.config.ping;
            account.registration.liveness.heard(now, source, ping);
            for flow in &mut account.spare {
                flow.liveness.heard(now, source, ping);
            }
        }
    }

    /// Lets everything that has been set off come to rest.
    pub(crate) fn settle(&mut self, now: Instant) {
        loop {
            self.drain(now);
            let replaced = std::mem::take(&mut self.shared.replaced);
            let forks_left = self.forget_forks(now);
            let strays = std::mem::take(&mut self.shared.strays);
            if strays.is_empty() && replaced.is_empty() && !forks_left {
                break;
            }
            for (old, by) in replaced {
                self.with_session(now, old, |session, cx| session.replaced_by(cx, by));
            }
            for (account, response) in strays {
                self.end_stray(now, account, &response);
            }
        }
        self.sessions.retain(|_, session| !session.is_gone());
        self.forget_removed_accounts();
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.shared.layer.poll_output() {
            match output {
                sip_core::Output::Transmit(transmit) => self.shared.transmit(transmit),
                sip_core::Output::Event(happening) => self.route(now, happening),
            }
        }
    }

    fn route(&mut self, now: Instant, happening: Happening) {
        match happening {
            Happening::Request { key, request, source } => {
                self.on_request(now, key, request, source);
            }
            Happening::Ack { request, .. } => self.on_ack(now, request),
            Happening::Cancel { key, request, .. } => {
                if let Some(id) = self.shared.servers.get(&key).copied() {
                    self.with_session(now, id, |session, cx| session.on_cancel(cx, key, &request));
                }
            }
            Happening::Response { key, response, .. } => self.on_response(now, key, response),
            Happening::StrayResponse { response, .. } => self.on_stray_response(now, &response),
            Happening::Failed { key, failure } => self.on_failure(now, key, failure),
            Happening::ClientTerminated { key } => {
                self.shared.clients.remove(&key);
            }
            Happening::ServerFailed { key, .. } | Happening::ServerTerminated { key } => {
                self.shared.servers.remove(&key);
            }
        }
    }

    fn on_response(&mut self, now: Instant, key: sip_core::ClientKey, response: Response) {
        match self.shared.clients.get(&key).copied() {
            Some(Owner::Registration(id, flow)) => {
                let held = self.is_registered(id);
                self.with_flow(now, id, flow, |cx| registration::on_response(cx, key, &response));
                if !held && self.is_registered(id) {
                    self.each_subscription(now, Some(id), Subscription::registered_again);
                }
            }
            Some(Owner::Liveness(id, flow)) => {
                self.with_flow(now, id, flow, |cx| liveness::on_response(cx, key));
            }
            Some(Owner::Subscription(id)) => {
                self.with_subscription(now, id, |subscription, cx| {
                    subscription.on_response(cx, key, &response);
                });
            }
            Some(Owner::Session(id)) if self.sessions.contains_key(&id) => {
                let response = self.described(response);
                self.with_session(now, id, |session, cx| session.on_response(cx, key, response));
            }
            Some(Owner::Session(_)) => self.on_late_answer(response),
            Some(Owner::Passed) => {
                let response = Box::new(response);
                self.shared.event(Event::OutOfDialogResponse { key, response });
            }
            None => self.shared.counters.stray += 1,
        }
    }

    /// An answer that may describe the session, with nothing but that as its body.
    fn described(&self, mut response: Response) -> Response {
        let describes = |method| matches!(method, Method::Invite | Method::Update | Method::Prack);
        if response.headers.cseq().is_ok_and(|cseq| describes(cseq.method)) {
            let accept = &self.shared.config.accept;
            description::unwrap_answer(&mut response.headers, &mut response.body, accept);
        }
        response
    }

    /// A 2xx to the INVITE of a session that is gone: its sender still has to be acknowledged.
    fn on_late_answer(&mut self, response: Response) {
        let from = response.headers.from().ok().map(|from| from.uri);
        let ours = |account: &crate::account::Account| {
            from.as_ref().is_some_and(|from| from.equivalent(&account.config.aor))
        };
        let account = self.accounts.values().find(|account| ours(account));
        let account = account.or_else(|| self.accounts.values().next()).map(|account| account.id);
        if response.status.is_success()
            && message::answers_invite(&response)
            && let Some(account) = account
        {
            self.shared.strays.push((account, response));
        }
    }

    /// A response without a transaction: only a repeated 2xx of a dialog we are in is of use.
    /// Nothing else is, or strangers could make us send requests to third parties.
    fn on_stray_response(&mut self, now: Instant, response: &Response) {
        let id = DialogId::of_response(&response.headers);
        let found = id.and_then(|id| self.session_named(&id));
        match found.filter(|_| response.status.is_success() && message::answers_invite(response)) {
            Some(id) => {
                self.with_session(now, id, |session, cx| session.answered_again(cx, response));
            }
            None => self.shared.counters.stray += 1,
        }
    }

    fn on_failure(&mut self, now: Instant, key: sip_core::ClientKey, failure: sip_core::Failure) {
        match self.shared.clients.remove(&key) {
            Some(Owner::Registration(id, flow)) => {
                self.with_flow(now, id, flow, |cx| registration::on_failure(cx, key, &failure));
            }
            Some(Owner::Liveness(id, flow)) => {
                self.with_flow(now, id, flow, |cx| liveness::on_failure(cx, key));
            }
            Some(Owner::Session(id)) => {
                self.with_session(now, id, |session, cx| session.on_failure(cx, key, failure));
            }
            Some(Owner::Subscription(id)) => {
                self.with_subscription(now, id, |subscription, cx| {
                    subscription.on_failure(cx, key, &failure);
                });
            }
            Some(Owner::Passed) => {
                self.shared.event(Event::OutOfDialogFailed { key, failure });
            }
            None => {}
        }
    }

    fn on_ack(&mut self, now: Instant, mut ack: Request) {
        match self.session_for(&ack) {
            Some(id) => {
                let accept = &self.shared.config.accept;
                description::unwrap_answer(&mut ack.headers, &mut ack.body, accept);
                self.with_session(now, id, |session, cx| session.on_ack(cx, &ack));
            }
            None => self.shared.counters.stray += 1,
        }
    }

    fn on_request(&mut self, now: Instant, key: ServerKey, request: Request, source: Source) {
        let inside = request.headers.to().is_ok_and(|to| to.tag().is_some());
        let Some(key) = self.notify(now, key, &request) else { return };
        match self.session_for(&request).filter(|_| inside) {
            Some(id) => {
                self.with_session(now, id, |session, cx| {
                    session.on_request(cx, key, request, &source);
                });
            }
            None if self.passes_through(&request) => {
                let request = Box::new(request);
                self.shared.event(Event::OutOfDialog { key, request, source });
            }
            None if inside => {
                self.shared.counters.unknown_dialog += 1;
                self.refuse(now, key, &request, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
            }
            None => self.on_outside_request(now, key, request, source),
        }
    }

    /// A request that belongs to no dialog (section 8.2).
    fn on_outside_request(
        &mut self,
        now: Instant,
        key: ServerKey,
        request: Request,
        source: Source,
    ) {
        if !self.accounts.values().any(|account| !account.removed && account.accepts(&source)) {
            self.shared.counters.strangers += 1;
            return self.refuse(now, key, &request, StatusCode::FORBIDDEN);
        }
        if request.method == Method::Bye {
            self.shared.counters.unknown_dialog += 1;
            let status = StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST;
            return self.refuse(now, key, &request, status);
        }
        if request.method == Method::Refer {
            return self.on_outside_refer(now, key, &request, &source);
        }
        let Some(key) = self.unsolicited(now, key, &request, &source) else { return };
        if !matches!(request.method, Method::Invite | Method::Options) {
            let response = refusal::plain(&mut self.shared, &request);
            return self.shared.layer.respond(now, &key, response);
        }
        if !request.uri.is_sip() {
            return self.refuse(now, key, &request, StatusCode::UNSUPPORTED_URI_SCHEME);
        }
        let Some(account) = self.account_for(&request, &source) else {
            return self.refuse(now, key, &request, StatusCode::NOT_FOUND);
        };
        let settings = self.accounts.get(&account).map(|account| &account.config);
        let refused = refusal::extension(&mut self.shared, &request, settings);
        let refused = refused.or_else(|| refusal::content(&mut self.shared, &request));
        let invite = settings.filter(|_| request.method == Method::Invite);
        let refused = refused
            .or_else(|| refusal::unreliable(&mut self.shared, invite?, &request))
            .or_else(|| refusal::timers(&mut self.shared, invite?, &request, true));
        if let Some(response) = refused {
            return self.shared.layer.respond(now, &key, response);
        }
        if request.method == Method::Options {
            let response = refusal::plain(&mut self.shared, &request);
            return self.shared.layer.respond(now, &key, response);
        }
        let mut request = request;
        description::unwrap(&mut request.headers, &mut request.body, &self.shared.config.accept);
        self.on_invite(now, account, Invitation { key, request, source });
    }

    /// A wish for a call from nowhere: refused unless it names a call that its sender can know of
    /// only from one of the two ends (RFC 4538), or the account has it otherwise.
    fn on_outside_refer(
        &mut self,
        now: Instant,
        key: ServerKey,
        request: &Request,
        source: &Source,
    ) {
        let account = self.account_for(request, source);
        let Some(account) = account.and_then(|id| self.accounts.get(&id)) else {
            return self.refuse(now, key, request, StatusCode::NOT_FOUND);
        };
        let (account, open) = (account.id, account.config.refer_outside);
        let about = self.target_dialog(account, request);
        if !(open || about.is_some()) || self.sessions.len() >= self.shared.config.max_sessions {
            return self.refuse(now, key, request, StatusCode::FORBIDDEN);
        }
        let id = self.new_session_id();
        let parts = (key, request, source);
        let session =
            self.with_account(now, account, |cx| Session::referred_outside(cx, id, parts, about));
        match session {
            Some(Ok(session)) => {
                self.sessions.insert(id, session);
            }
            _ => self.refuse(now, key, request, StatusCode::BAD_REQUEST),
        }
    }

    /// The answered call of an account that a request's Target-Dialog names. The tags are those of
    /// its two ends; senders differ in whose they call local.
    fn target_dialog(&self, account: AccountId, request: &Request) -> Option<SessionId> {
        let named = request.headers.target_dialog().ok().flatten()?;
        let id = |local: &str, remote: &str| DialogId {
            call_id: named.call_id.clone(),
            local_tag: Some(local.to_owned()),
            remote_tag: Some(remote.to_owned()),
        };
        let (one, other) = (&named.local_tag, &named.remote_tag);
        let found = self.session_named(&id(one, other));
        let found = found.or_else(|| self.session_named(&id(other, one)));
        let session = found.and_then(|id| self.sessions.get(&id))?;
        (session.account == account && session.may_be_joined().is_ok()).then_some(session.id)
    }

    fn on_invite(&mut self, now: Instant, account: AccountId, invitation: Invitation) {
        let (key, request) = (invitation.key, invitation.request.clone());
        if self.sessions.len() >= self.shared.config.max_sessions {
            return self.refuse(now, key, &request, StatusCode::BUSY_HERE);
        }
        let taken = match self.taken_over(account, &request) {
            Ok(taken) => taken,
            Err(status) => return self.refuse(now, key, &request, status),
        };
        let id = self.new_session_id();
        match self.with_account(now, account, |cx| Session::invited(cx, id, invitation, taken)) {
            Some(Ok(session)) => {
                self.sessions.insert(id, session);
            }
            _ => self.refuse(now, key, &request, StatusCode::BAD_REQUEST),
        }
    }

    /// The session that a new call shall replace (RFC 3891 section 3) or join (RFC 3911 section 4).
    fn taken_over(&self, account: AccountId, request: &Request) -> Result<TakenOver, StatusCode> {
        let headers = &request.headers;
        let replaces = headers.replaces().map_err(|_| StatusCode::BAD_REQUEST)?;
        let joins = self.shared.config.supported.iter().any(|tag| tag.eq_ignore_ascii_case("join"));
        let join = match joins {
            true => headers.join().map_err(|_| StatusCode::BAD_REQUEST)?,
            // Unsupported, and not required or it had been refused: as if it were not there.
            false => None,
        };
        if replaces.is_some() && join.is_some() {
            return Err(StatusCode::BAD_REQUEST);
        }
        let find = |named: &Replaces| {
            let id = DialogId {
                call_id: named.call_id.clone(),
                local_tag: Some(named.to_tag.clone()),
                remote_tag: Some(named.from_tag.clone()),
            };
            let mut own = self.sessions.values().filter(|session| session.account == account);
            let found = own.find(|session| session.is_named(&id));
            found.ok_or(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST)
        };
        let mut taken = TakenOver::default();
        if let Some(named) = replaces {
            let session = find(&named)?;
            session.may_be_replaced(named.early_only)?;
            taken.replaces = Some(session.id);
        }
        if let Some(named) = join {
            let session = find(&named)?;
            session.may_be_joined()?;
            taken.joins = Some(session.id);
        }
        Ok(taken)
    }

    /// The account a request is for: by its Request-URI, then To, then where it comes from.
    pub(crate) fn account_for(&self, request: &Request, source: &Source) -> Option<AccountId> {
        let fits =
            self.accounts.values().map(|account| (account.fits(request, source), account.id));
        // The lowest id wins among equals.
        fits.filter(|(score, _)| *score > 0)
            .max_by_key(|(score, id)| (*score, std::cmp::Reverse(*id)))
            .map(|(_, id)| id)
    }

    fn is_registered(&self, id: AccountId) -> bool {
        self.accounts.get(&id).is_some_and(|account| account.registration.server().is_some())
    }

    fn session_for(&self, request: &Request) -> Option<SessionId> {
        self.session_named(&DialogId::of_request(&request.headers)?)
    }

    fn session_named(&self, id: &DialogId) -> Option<SessionId> {
        self.sessions.values().find(|session| session.is_named(id)).map(|session| session.id)
    }

    fn passes_through(&self, request: &Request) -> bool {
        !matches!(request.method, Method::Invite | Method::Ack | Method::Bye | Method::Cancel)
            && self.shared.config.pass_through.contains(&request.method)
    }

    fn refuse(&mut self, now: Instant, key: ServerKey, request: &Request, status: StatusCode) {
        let response = refusal::answer(&mut self.shared, request, status);
        self.shared.layer.respond(now, &key, response);
    }

    /// Takes a call that was answered by one telephone too many, and hangs up.
    fn end_stray(&mut self, now: Instant, account: AccountId, response: &Response) {
        let id = DialogId::of_response(&response.headers);
        if let Some(id) = id.and_then(|id| self.session_named(&id)) {
            self.with_session(now, id, |session, cx| session.answered_again(cx, response));
            return;
        }
        let id = self.new_session_id();
        let session =
            self.with_account(now, account, |cx| Session::stray(cx, id, account, response));
        if let Some(session) = session.flatten() {
            self.sessions.insert(id, session);
        }
    }

    fn forget_removed_accounts(&mut self) {
        let (sessions, subscriptions) = (&self.sessions, &self.subscriptions);
        self.accounts.retain(|id, account| {
            !account.removed
                || !account.flows().all(Registration::is_idle)
                || sessions.values().any(|session| session.account == *id)
                || subscriptions.values().any(|subscription| subscription.account == *id)
        });
    }
}
