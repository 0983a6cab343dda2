//! What the wire tells of calls is told to the domain.

use std::time::Instant;

use call_control::{CallId, Command, End, Input, Party, Signal};
use sip_types::{StatusCode, Uri};
use sip_ua::{Body, EndCause, EndedBy, Event, Incoming, RemoteAction, Role, SessionId};
use tracing::{debug, warn};

use super::calls::{StepError, status_or};
use super::descriptions::By;
use super::desk::Desk;
use super::encryption::Terms;
use super::line::{Line, peer_of};

/// Most names of a call's way that are kept.
const WORDS: usize = 20;

impl Desk {
    pub(super) fn ua_event(&mut self, now: Instant, event: Event) {
        if self.code_event(now, &event) {
            return;
        }
        match event {
            Event::Registration { account, state, retry_at } => {
                self.registration_event(now, account, state, retry_at);
            }
            Event::Incoming(incoming) => self.incoming(now, &incoming),
            Event::Provisional { session, status, body, .. } => {
                self.provisional(now, session, status, body);
            }
            Event::Answered { session, body, role, remote, .. } => {
                if let Some(id) = self.call_of(session) {
                    self.update_peer(id, &remote);
                    self.answered(now, id, session, body, role);
                }
            }
            Event::Identified { session, remote } => {
                if let Some(id) = self.call_of(session) {
                    self.passed_on(id, &remote);
                }
            }
            Event::EarlyAnswered { session, body } => self.early_answered(now, session, &body),
            Event::Confirmed { session, body } => self.confirmed(now, session, body),
            Event::Reoffered { session, body, .. } => self.reoffered(now, session, body),
            Event::ReofferAnswered { session, body, role } => {
                self.reoffer_answered(now, session, body, role);
            }
            Event::ReofferFailed { session, status, reason, overtaken } => {
                debug!(%session, ?status, reason, overtaken, "offer refused");
                self.reoffer_failed(now, session, overtaken);
            }
            Event::ReofferCancelled { session } => {
                if let Some(line) = self.line_of(session) {
                    line.negotiator.abandon();
                }
            }
            Event::ReferProgress { session, progress } => {
                self.refer_progress(now, session, progress);
            }
            Event::ReferRequested(request) => self.refer_requested(now, &request),
            Event::RemoteControl { session, action } => self.worked_from_afar(now, session, action),
            Event::AddressChanged { session } => self.address_changed(now, session),
            Event::Ended { session, cause } => self.ended(now, session, cause),
            Event::Info { session, body } => self.digits_by_info(now, session, &body),
            Event::Subscription { .. }
            | Event::Notified { .. }
            | Event::SubscriptionChangeDone { .. }
            | Event::Unsolicited { .. } => {
                self.subscription_event(now, event);
            }
            // Nothing that a telephone without these features would do.
            _ => {}
        }
    }

    /// The exchange works this telephone's keys for a program elsewhere.
    fn worked_from_afar(&mut self, now: Instant, session: SessionId, action: RemoteAction) {
        let Some(id) = self.call_of(session) else { return };
        let wish = match action {
            RemoteAction::Talk if self.calls.allows(id, &Command::Answer) => Command::Answer,
            RemoteAction::Talk => Command::Resume,
            RemoteAction::Hold => Command::Hold,
        };
        if let Err(refusal) = self.calls.handle_input(now, Input::Command(id, wish)) {
            debug!(call = id.0, %refusal, "the exchange asked for what the call does not allow");
        }
    }

    fn incoming(&mut self, now: Instant, incoming: &Incoming) {
        let session = incoming.session;
        let owner = self.accounts.iter().find(|account| account.ua == Some(incoming.account));
        let Some(settings) = owner.map(|account| account.settings.clone()) else {
            self.turn_away(now, session, StatusCode::NOT_FOUND);
            return;
        };
        if self.is_quitting() {
            self.turn_away(now, session, StatusCode::TEMPORARILY_UNAVAILABLE);
            return;
        }
        if let Some(old) = incoming.replaces {
            match self.call_of(old) {
                Some(id) => self.replaced(now, id, incoming),
                None => {
                    self.turn_away(now, session, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
                }
            }
            return;
        }
        let mut line = Line::new(&settings, self.random.u64());
        if let Some(offer) = &incoming.body {
            let Terms { policy, keying, .. } = line.terms;
            let offer = line.negotiator.receive_offer(&offer.bytes, &line.codecs, policy, keying);
            if let Err(error) = offer {
                warn!(%error, "a caller's offer cannot be taken");
                self.turn_away(
                    now,
                    session,
                    status_or(error.status(), StatusCode::NOT_ACCEPTABLE_HERE),
                );
                return;
            }
            line.offered = true;
        }
        line.offers_first = incoming.offers_first;
        line.alert.clone_from(&incoming.ring);
        line.session = Some(session);
        line.source = Some(incoming.source.remote.ip());
        line.secret = incoming.source.transport.secure();
        line.peer = self.recognised(peer_of(&incoming.caller));
        let own = Uri::parse(&settings.aor).ok().and_then(|aor| aor.user());
        line.via = incoming
            .called
            .user()
            .filter(|user| Some(user) != own.as_ref())
            .map(|user| contacts::show(&user));
        line.diverted_from = incoming.diverted_from.as_ref().map(|who| {
            let user = who.uri.user().unwrap_or_else(|| who.uri.to_string());
            who.display.clone().filter(|name| !name.is_empty()).unwrap_or(contacts::show(&user))
        });
        line.sip_call_id = incoming.headers.call_id().ok();
        line.sent_on_by = way_of(incoming, own.as_deref());
        let wants = incoming.answer_after.is_some();
        self.ring_here(now, line, wants, settings.remote_control);
    }

    /// A caller's line rings. `wants`: it asks to be answered by itself, which the exchange may ask for where it has
    /// `remote_control`.
    fn ring_here(&mut self, now: Instant, line: Line, wants: bool, remote_control: bool) {
        let account = line.account.clone();
        let id = self.calls.incoming(now);
        let gathers = line.ice;
        self.lines.insert(id, line);
        // Looked for while it rings, so that the answer need not wait.
        if gathers && self.open_media_towards_caller(id).is_ok() {
            self.gather(id, |_, _| {});
        }
        self.correlate(now, &account);
        if wants && (self.takes_own_leg(now, &account) || remote_control) {
            self.answer_by_itself(now, id);
        }
    }

    fn answer_by_itself(&mut self, now: Instant, id: CallId) {
        debug!(call = id.0, "ringing, asked for here -> answered");
        if let Err(refusal) = self.calls.handle_input(now, Input::Command(id, Command::Answer)) {
            debug!(call = id.0, %refusal, "it is left ringing");
        }
    }

    pub(super) fn turn_away(&mut self, now: Instant, session: SessionId, status: StatusCode) {
        if let Err(error) = self.ua.reject(now, session, status) {
            debug!(%error, "already gone");
        }
    }

    fn provisional(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
        body: Option<Body>,
    ) {
        let Some(id) = self.call_of(session) else { return };
        if status.code() == 180
            && let Some(line) = self.lines.get_mut(&id)
        {
            line.rang = true;
            self.tell(now, id, Signal::Ringing);
        }
        if let Some(body) = body {
            match self.take_answer(now, id, &body) {
                Ok(_) => self.tell(now, id, Signal::EarlyMedia),
                Err(error) => debug!(%error, "early media cannot be used"),
            }
        }
    }

    fn answered(
        &mut self,
        now: Instant,
        id: CallId,
        session: SessionId,
        body: Option<Body>,
        role: Role,
    ) {
        let agreed = match (body, role) {
            (Some(body), Role::Answer) => self.take_answer(now, id, &body),
            (Some(body), Role::Offer) => self.answer_late_offer(now, id, session, &body),
            (None, _) => {
                let early = self.lines.get(&id).and_then(|line| line.negotiator.current().cloned());
                early.map(|early| early.remote_held).ok_or(StepError::Gone)
            }
        };
        match agreed {
            Ok(held) => {
                self.tell(now, id, Signal::Answered);
                self.tell(now, id, Signal::HeldByPeer(held));
            }
            Err(error) => {
                warn!(call = id.0, %error, "the answer cannot be used");
                let hung_up = self.ua.hangup(now, session);
                debug!(?hung_up, "hung up");
                self.fail_call(now, id, error.code(), &error.to_string());
            }
        }
    }

    /// The caller has answered the offer that we rang with.
    fn early_answered(&mut self, now: Instant, session: SessionId, body: &Body) {
        let Some(id) = self.call_of(session) else { return };
        if let Err(error) = self.take_answer(now, id, body) {
            warn!(call = id.0, %error, "the caller's answer cannot be used");
            let status = status_or(error.status(), StatusCode::NOT_ACCEPTABLE_HERE);
            self.turn_away(now, session, status);
            self.fail_call(now, id, error.code(), &error.to_string());
        }
    }

    fn confirmed(&mut self, now: Instant, session: SessionId, body: Option<Body>) {
        let (Some(id), Some(body)) = (self.call_of(session), body) else { return };
        match self.take_answer(now, id, &body) {
            Ok(held) => self.tell(now, id, Signal::HeldByPeer(held)),
            Err(error) => {
                let hung_up = self.ua.hangup(now, session);
                debug!(?hung_up, "hung up");
                self.fail_call(now, id, error.code(), &error.to_string());
            }
        }
    }

    fn reoffered(&mut self, now: Instant, session: SessionId, body: Option<Body>) {
        let Some(id) = self.call_of(session) else { return };
        let result = match body {
            Some(body) => {
                self.answer_now(now, id, &body).map(|(answer, held)| (answer, Some(held)))
            }
            None => self.offer_on_request(id).map(|offer| (offer, None)),
        };
        let done = match result {
            Ok((description, held)) => {
                if let Some(held) = held {
                    self.peer_holds(now, id, held);
                }
                self.ua.answer_reoffer(now, session, Some(Body::sdp(description)))
            }
            Err(error) => {
                let status = status_or(error.status(), StatusCode::NOT_ACCEPTABLE_HERE);
                self.ua.reject_reoffer(now, session, status)
            }
        };
        if let Err(error) = done {
            debug!(%error, "the peer's offer is gone");
        }
        self.offer_again(now, id);
    }

    /// Offers what the peer's offer came before; what he asked us to offer has told him all of it.
    fn offer_again(&mut self, now: Instant, id: CallId) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        if !std::mem::take(&mut line.overtaken) {
            return;
        }
        if line.negotiator.state() == sdp::State::LocalOffer {
            self.tell(now, id, Signal::OfferAccepted);
        } else if self.try_offer(now, id, By::Invite).is_err() {
            self.tell(now, id, Signal::OfferRefused);
        }
    }

    fn reoffer_answered(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
        role: Role,
    ) {
        let Some(id) = self.call_of(session) else { return };
        let offering = self.calls.get(id).and_then(|call| call.hold().offering);
        let agreed = match (body, role) {
            (Some(body), Role::Answer) => self.take_answer(now, id, &body),
            (Some(body), Role::Offer) => self.answer_late_offer(now, id, session, &body),
            (None, _) => Err(StepError::Gone),
        };
        self.moved(id);
        match agreed {
            Ok(held) => {
                // "inactive" in answer to our own hold says nothing about the peer's wishes.
                if offering == Some(false) {
                    self.tell(now, id, Signal::HeldByPeer(held));
                }
                self.tell(now, id, Signal::OfferAccepted);
            }
            Err(error) => {
                warn!(call = id.0, %error, "the answer to our offer cannot be used");
                self.tell(now, id, Signal::OfferRefused);
            }
        }
    }

    fn reoffer_failed(&mut self, now: Instant, session: SessionId, overtaken: bool) {
        let Some(id) = self.call_of(session) else { return };
        if let Some(line) = self.lines.get_mut(&id) {
            line.negotiator.abandon();
        }
        if self.is_moving(id) {
            return self.move_failed(now, id);
        }
        match self.lines.get_mut(&id).filter(|_| overtaken) {
            // His is answered first.
            Some(line) => line.overtaken = true,
            None => self.tell(now, id, Signal::OfferRefused),
        }
    }

    fn ended(&mut self, now: Instant, session: SessionId, cause: EndCause) {
        let Some(id) = self.call_of(session) else { return };
        let by = match cause.by {
            EndedBy::Local => Party::Local,
            EndedBy::Remote => Party::Remote,
            EndedBy::Network => Party::Network,
        };
        let status = cause.status.map(StatusCode::code);
        if by == Party::Remote && self.insist_on_encryption(now, id, status) {
            return;
        }
        let talking = self.calls.get(id).is_some_and(|call| call.answered().is_some());
        if by == Party::Network && !talking {
            let trouble = self.trouble;
            if let Some(line) = self.lines.get_mut(&id) {
                line.trouble = line.trouble.or(trouble);
            }
        }
        let elsewhere = cause.answered_elsewhere;
        let end = End { by, status, text: cause.reason, elsewhere };
        self.tell(now, id, Signal::Ended(end));
    }

    /// The exchange vouches for who is at the other end now. The same number in another notation is nobody else.
    fn passed_on(&mut self, id: CallId, remote: &sip_ua::Identity) {
        let peer = self.recognised(peer_of(remote));
        let Some(line) = self.lines.get_mut(&id) else { return };
        let dialled = line.dialled.as_ref().and_then(|dialled| dialled.uri.user());
        let code = line.fetches && remote.uri.user() == dialled;
        let same = !line.fetches && contacts::same_number(&line.peer.number, &peer.number);
        if !code && !same {
            line.peer = peer;
            line.fetches = false;
        }
    }

    /// The exchange vouches for who has answered. In a call that was fetched that is whom we have got; else it gives a
    /// name to who has none.
    fn update_peer(&mut self, id: CallId, remote: &sip_ua::Identity) {
        if !remote.asserted {
            return;
        }
        let peer = self.recognised(peer_of(remote));
        let Some(line) = self.lines.get_mut(&id) else { return };
        let dialled = line.dialled.as_ref().and_then(|dialled| dialled.uri.user());
        // An exchange may vouch for its own code.
        if line.fetches && (dialled.is_none() || remote.uri.user() != dialled) {
            line.peer = peer;
            line.fetches = false;
        } else if line.peer.name.is_empty() && !line.fetches {
            line.peer.name = peer.name;
        }
    }
}

/// Numbers and names that an incoming call came by: who sent it on, newest first, then what was called.
fn way_of(incoming: &Incoming, own: Option<&str>) -> Vec<String> {
    let called = [&incoming.called, &incoming.request_uri].into_iter().filter_map(Uri::user);
    let told = incoming.headers.diversions().unwrap_or_default();
    let diverted = told.iter().chain(&incoming.diverted_from);
    let diverted =
        diverted.flat_map(|who| [who.uri.user(), who.display.clone()].into_iter().flatten());
    let words = diverted.chain(called.filter(|user| Some(user.as_str()) != own));
    words.filter(|word| !word.is_empty()).take(WORDS).collect()
}
