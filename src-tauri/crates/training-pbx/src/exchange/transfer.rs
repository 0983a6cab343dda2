//! Transfers: REFER from a phone inside a call, told to the end by NOTIFY (RFC 3515, RFC 5589).
//!
//! Inputs: from the transferor `referred`, his hanging up; from the call made for the transferee `take_over` (somebody
//! answered) and `transfer_failed`; from the user agent `reported`. While the new call is tried the transferee stays in
//! the old one, so a failure gives him back to the transferor by doing nothing; if the transferor has hung up
//! meanwhile, he is rung again.

use std::time::Instant;

use sip_core::ServerKey;
use sip_types::{HeaderName, Method, Replaces, Request, Response, StatusCode};
use sip_ua::{Body, Role, SessionId};

use super::{CallNews, Exchange};
use crate::call::{Asking, Call, Local, Party, State, Who};
use crate::pbx::CallNumber;

const SIPFRAG: &str = "message/sipfrag;version=2.0";

/// What a transferor is told, and how.
#[derive(Debug)]
pub(crate) struct Referral {
    /// The Event of the implicit subscription.
    event: String,
    /// False with `Refer-Sub: false` (RFC 4488).
    notify: bool,
    /// NOTIFYs without an answer.
    unanswered: u32,
    /// The last NOTIFY has been sent.
    over: bool,
    /// Hang up when the last NOTIFY is answered.
    leaving: bool,
}

/// What a REFER asks for.
struct Wish {
    target: String,
    replaces: Option<Replaces>,
    notify: bool,
}

impl Wish {
    fn read(request: &Request) -> Result<Self, StatusCode> {
        let refer_to = request.headers.refer_to().ok().flatten();
        let uri = refer_to.ok_or(StatusCode::BAD_REQUEST)?.uri;
        let method = uri.param("method").flatten();
        if method.is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
            return Err(StatusCode::NOT_ACCEPTABLE);
        }
        if !uri.is_sip() && uri.scheme() != "tel" {
            return Err(StatusCode::UNSUPPORTED_URI_SCHEME);
        }
        let found =
            uri.headers().into_iter().find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
        let replaces = match found {
            Some((_, value)) => Some(value.parse().map_err(|_| StatusCode::BAD_REQUEST)?),
            None => None,
        };
        let silent = request.headers.get(&HeaderName::ReferSub);
        let notify = !silent.is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
        let target = uri.user().unwrap_or_default();
        if target.is_empty() && replaces.is_none() {
            return Err(StatusCode::BAD_REQUEST);
        }
        Ok(Self { target, replaces, notify })
    }
}

impl Exchange {
    /// A phone wants the one it talks with to be called on.
    pub(super) fn referred(
        &mut self,
        now: Instant,
        session: SessionId,
        key: &ServerKey,
        request: &Request,
    ) {
        let number = self.may_refer(session);
        let wish = Wish::read(request);
        let (number, wish) = match (number, wish) {
            (Ok(number), Ok(wish)) => (number, wish),
            (Err(status), _) | (_, Err(status)) => {
                let response = Response::to_request(request, status);
                return self.ua.respond(now, key, response);
            }
        };
        let forced = self.knobs.transfer();
        if let Some(status) = forced.filter(|forced| forced.refuse).map(|forced| forced.status) {
            return self.ua.respond(now, key, Response::to_request(request, status));
        }
        self.accept_referral(now, session, key, request, &wish);
        self.report(now, session, StatusCode::TRYING);
        match (forced, wish.replaces) {
            (Some(forced), _) => self.report(now, session, forced.status),
            (None, Some(replaces)) => self.transfer_to_call(now, number, session, &replaces),
            (None, None) => self.transfer_to_number(now, number, session, (&wish.target, false)),
        }
    }

    /// The call whose party may be sent on, or why not.
    fn may_refer(&self, session: SessionId) -> Result<CallNumber, StatusCode> {
        let number = self.sessions.get(&session).copied();
        let number = number.ok_or(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST)?;
        match self.calls.get(&number) {
            Some(Call { state: State::Talking { .. }, transfer: None, .. }) => Ok(number),
            Some(_) => Err(StatusCode::REQUEST_PENDING),
            None => Err(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST),
        }
    }

    fn accept_referral(
        &mut self,
        now: Instant,
        session: SessionId,
        key: &ServerKey,
        request: &Request,
        wish: &Wish,
    ) {
        let mut response = Response::to_request(request, StatusCode::ACCEPTED);
        response.headers.push(HeaderName::Contact, format!("<{}>", self.own_uri()));
        if !wish.notify {
            response.headers.push(HeaderName::ReferSub, "false");
        }
        self.ua.respond(now, key, response);
        let before = self.referrals.remove(&session);
        // From the second REFER of a dialog on the id tells them apart (RFC 3515 section 2.4.6).
        let event = match (&before, request.headers.cseq()) {
            (Some(_), Ok(cseq)) => format!("refer;id={}", cseq.number),
            _ => "refer".to_owned(),
        };
        let unanswered = before.map_or(0, |before| before.unanswered);
        let referral =
            Referral { event, notify: wish.notify, unanswered, over: false, leaving: false };
        self.referrals.insert(session, referral);
    }

    /// Tells the transferor how far it is.
    pub(super) fn report(&mut self, now: Instant, session: SessionId, status: StatusCode) {
        let contact = format!("<{}>", self.own_uri());
        let Some(referral) = self.referrals.get_mut(&session).filter(|referral| !referral.over)
        else {
            return;
        };
        tracing::debug!(%session, "referred, {status} -> {}", if status.is_final() { "over" } else { "referred" });
        referral.over = status.is_final();
        if !referral.notify {
            return;
        }
        let state =
            if status.is_final() { "terminated;reason=noresource" } else { "active;expires=180" };
        let headers = vec![
            (HeaderName::Contact, contact),
            (HeaderName::Event, referral.event.clone()),
            (HeaderName::SubscriptionState, state.to_owned()),
        ];
        let line = format!("SIP/2.0 {} {}\r\n", status.code(), status.reason());
        let body = Body { content_type: SIPFRAG.to_owned(), bytes: line.into_bytes() };
        if self.ua.send_in_session(now, session, Method::Notify, headers, Some(body)).is_ok() {
            referral.unanswered += 1;
        }
    }

    /// A NOTIFY of ours has been answered, or never will be.
    pub(super) fn reported(&mut self, now: Instant, session: SessionId) {
        let Some(referral) = self.referrals.get_mut(&session) else { return };
        referral.unanswered = referral.unanswered.saturating_sub(1);
        if referral.leaving && referral.unanswered == 0 {
            self.referrals.remove(&session);
            let _ = self.ua.hangup(now, session);
        }
    }

    /// The transferor's part is done: he hears so, and then his leg ends.
    fn release(&mut self, now: Instant, session: SessionId) {
        if self.sessions.remove(&session).is_none() {
            return;
        }
        self.report(now, session, StatusCode::OK);
        match self.referrals.get_mut(&session) {
            Some(referral) if referral.unanswered > 0 => referral.leaving = true,
            _ => {
                self.referrals.remove(&session);
                let _ = self.ua.hangup(now, session);
            }
        }
    }

    pub(super) fn transfer_to_number(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        (target, to_front): (&str, bool),
    ) {
        let second = self.next_call();
        let Some(first) = self.calls.get_mut(&number) else { return };
        first.transfer = Some(second);
        let mut call = Call::new(Party::Transferee(number), first.peer(session).clone(), None);
        call.by = Some((session, first.who(session).clone()));
        call.to_front = to_front;
        tracing::debug!(call = second.0, of = number.0, %target, "none, REFER -> setting up");
        self.calls.insert(second, call);
        self.go_to(now, second, target);
    }

    /// Attended: the two whom the transferor talks with are put together.
    fn transfer_to_call(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        replaces: &Replaces,
    ) {
        let unknown = StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST;
        let consulted = self.ua.replaced_session(replaces);
        let second = consulted.and_then(|consulted| self.sessions.get(&consulted).copied());
        let (Some(consulted), Some(second)) = (consulted, second.filter(|&s| s != number)) else {
            return self.report(now, session, unknown);
        };
        let line = |number: CallNumber, session: SessionId| {
            self.calls.get(&number).and_then(|call| call.who(session).extension.clone())
        };
        if line(number, session) != line(second, consulted) {
            return self.report(now, session, StatusCode::FORBIDDEN);
        }
        match self.calls.get(&second) {
            Some(Call { state: State::Talking { .. }, transfer: None, .. }) => {
                self.put_together(now, number, session, second, consulted);
            }
            Some(call) if call.near_phone() == Some(consulted) && call.transfer.is_none() => {
                self.hand_over_ringing(now, number, session, second, consulted);
            }
            _ => self.report(now, session, unknown),
        }
    }

    pub(super) fn put_together(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        second: CallNumber,
        consulted: SessionId,
    ) {
        let Some((party, who)) = self.take_party(now, number, Some(session), second) else {
            return self.report(now, session, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
        };
        self.conversation_left(now, second);
        self.take_out(second);
        let Some(call) = self.calls.get_mut(&second) else { return };
        if let Asking::Relay(asking) = call.asking()
            && asking != consulted
        {
            let _ = self.ua.reject_reoffer(now, asking, StatusCode::REQUEST_PENDING);
        }
        let to = self.calls.get(&second).map(|call| call.peer(consulted).clone());
        for session in [session, consulted] {
            self.news.extend(to.clone().map(|to| CallNews::Transferred { session, to }));
        }
        let Some(call) = self.calls.get_mut(&second) else { return };
        if call.near_phone() == Some(consulted) {
            (call.near, call.caller) = (party, who);
        } else if let State::Talking { far, .. } = &mut call.state {
            *far = party;
            call.called = who;
        }
        call.set_asking(Asking::Nothing);
        call.again = None;
        call.held.clear();
        tracing::debug!(call = second.0, of = number.0, "talking, REFER with Replaces -> joining");
        self.sessions.remove(&consulted);
        let _ = self.ua.hangup(now, consulted);
        self.release(now, session);
        self.connect(now, second);
    }

    /// The consulted phone still rings: it now rings for the transferee.
    pub(super) fn hand_over_ringing(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        second: CallNumber,
        consulted: SessionId,
    ) {
        let Some(first) = self.calls.get_mut(&number) else { return };
        first.transfer = Some(second);
        let (peer, by) = (first.peer(session).clone(), first.who(session).clone());
        let Some(call) = self.calls.get_mut(&second) else { return };
        tracing::debug!(
            call = second.0,
            of = number.0,
            "{}, REFER -> for another",
            call.state.name()
        );
        call.near = Party::Transferee(number);
        call.caller = peer;
        call.by = Some((session, by));
        self.sessions.remove(&consulted);
        let _ = self.ua.reject(now, consulted, StatusCode::REQUEST_TERMINATED);
        if call.rang {
            self.report(now, session, StatusCode::RINGING);
        }
    }

    /// Takes the one who is with `session` out of a call, which is then no more.
    fn take_party(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: Option<SessionId>,
        into: CallNumber,
    ) -> Option<(Party, Who)> {
        self.take_out(number);
        let mut old = self.calls.remove(&number)?;
        self.conversation_over(now, &mut old);
        if let Asking::Relay(asking) = old.asking()
            && Some(asking) != session
        {
            let _ = self.ua.reject_reoffer(now, asking, StatusCode::REQUEST_PENDING);
        }
        if let (true, State::Talking { far: Party::Local(music), .. }) = (old.waits(), &old.state) {
            self.close(music.endpoint);
        }
        let (mut party, who) = old.into_peer(session)?;
        match &mut party {
            Party::Phone(phone) => {
                self.sessions.insert(*phone, into);
            }
            Party::Local(local) => {
                local.renew();
                self.endpoints.insert(local.endpoint, into);
            }
            Party::Transferee(_) => return None,
        }
        Some((party, who))
    }

    /// Somebody is there for the one who was transferred: he leaves the old call.
    pub(super) fn take_over(&mut self, now: Instant, number: CallNumber) {
        self.note_transfer(number);
        let Some(call) = self.calls.get(&number) else { return };
        let Party::Transferee(first) = call.near else { return };
        let by = call.by.as_ref().map(|(session, _)| *session);
        let Some((party, who)) = self.take_party(now, first, by, number) else {
            return self.end(now, number, "the transferee is gone");
        };
        if let Some(call) = self.calls.get_mut(&number) {
            tracing::debug!(call = number.0, of = first.0, "{}, takes over", call.state.name());
            (call.near, call.caller) = (party, who);
            call.answered = true;
        }
        self.agent_answered(now, number);
        if let Some(by) = by {
            self.release(now, by);
        }
    }

    /// A phone has answered the call made for a transferee.
    pub(super) fn transfer_answered(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        body: Option<Body>,
        role: Role,
    ) {
        let offered = self.transferee_line(number).is_some_and(|local| local.fresh.is_some());
        self.take_over(now, number);
        match (self.calls.get(&number).map(|call| &call.near), role) {
            (Some(&Party::Phone(near)), Role::Offer) => {
                self.join(now, number, Asking::Owed { owed: session, asked: near }, body);
            }
            (Some(Party::Local(_)), _) if offered => {
                self.customer_connected(now, number, body, role);
            }
            (Some(_), _) => self.connect(now, number),
            (None, _) => {}
        }
    }

    /// Nobody takes the one who was transferred.
    pub(super) fn transfer_failed(&mut self, now: Instant, number: CallNumber, status: StatusCode) {
        let Some(mut call) = self.calls.remove(&number) else { return };
        let Party::Transferee(first) = call.near else { return };
        tracing::debug!(call = number.0, of = first.0, "{}, {status} -> back", call.state.name());
        if let Some(local) = call.local() {
            let endpoint = local.endpoint;
            self.close(endpoint);
        }
        if let Some((session, _)) = &call.by {
            self.report(now, *session, status);
        }
        self.agent_refused(now, &mut call);
        self.note(CallNews::Refused { number: first, status });
        let Some(old) = self.calls.get_mut(&first) else { return };
        old.transfer = None;
        // Who waits in a queue may ring at others.
        let waits = old.queue.is_some();
        if let Some(local) = old.local().filter(|_| !waits) {
            local.fresh = None;
        }
        if old.parked.is_some() {
            return self.park_again(now, first);
        }
        if waits {
            return;
        }
        if old.attending.is_some() {
            return self.attend_again(now, first, None);
        }
        if old.sent_on {
            return self.end(now, first, "nobody is there");
        }
        if matches!(old.state, State::Alone) {
            match call.by.and_then(|(_, who)| who.extension) {
                Some(line) => self.recall(now, first, &line),
                None => self.end(now, first, "nobody takes the call back"),
            }
        }
    }

    /// The one who waits rings at the line that sent him away.
    pub(super) fn recall(&mut self, now: Instant, number: CallNumber, line: &str) {
        let second = self.next_call();
        let called = self.who(line);
        let Some(first) = self.calls.get_mut(&number) else { return };
        first.transfer = Some(second);
        let mut call = Call::new(Party::Transferee(number), first.caller.clone(), None);
        call.called = called;
        call.extra = vec![(HeaderName::AlertInfo, "<http://127.0.0.1/Bellcore-dr4>".to_owned())];
        tracing::debug!(call = second.0, of = number.0, %line, "none, recall -> setting up");
        self.calls.insert(second, call);
        self.ring_phones(now, second, line);
    }

    /// The transferor has hung up before the end: the other waits for what becomes of it. True if that is who left.
    pub(super) fn left_by_transferor(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
    ) -> bool {
        let second = self.calls.get(&number).and_then(|call| call.transfer);
        let by = second.and_then(|second| self.calls.get(&second)?.by.as_ref().map(|by| by.0));
        if by != Some(session) {
            return false;
        }
        self.sessions.remove(&session);
        self.take_out(number);
        self.conversation_left(now, number);
        let Some(call) = self.calls.get_mut(&number) else { return false };
        tracing::debug!(call = number.0, "{}, the transferor hung up -> alone", call.state.name());
        if let Asking::Relay(asking) = call.asking()
            && asking != session
        {
            let _ = self.ua.reject_reoffer(now, asking, StatusCode::REQUEST_PENDING);
        }
        let Some(call) = self.calls.get_mut(&number) else { return false };
        let calls = call.near_phone() == Some(session);
        if let (State::Talking { far, .. }, true) =
            (std::mem::replace(&mut call.state, State::Alone), calls)
        {
            call.near = far;
            call.caller = call.called.clone();
        }
        call.answered = true;
        call.again = None;
        call.held.clear();
        true
    }

    /// The line of the simulated party that a call is made for.
    pub(super) fn transferee_line(&mut self, number: CallNumber) -> Option<&mut Local> {
        let call = self.calls.get(&number)?;
        let Party::Transferee(first) = call.near else { return None };
        let by = call.by.as_ref().map(|(session, _)| *session);
        let old = self.calls.get_mut(&first)?;
        let calls = by.is_some() && old.near_phone() == by;
        match (&mut old.near, &mut old.state) {
            (_, State::Talking { far: Party::Local(local), .. }) if calls => Some(local),
            (Party::Local(local), _) if !calls => Some(local),
            _ => None,
        }
    }

    /// What a simulated transferee offers to the phones that are rung for him; phones make the offer otherwise.
    pub(super) fn offer_of_transferee(&mut self, number: CallNumber) -> Option<Body> {
        let id = self.session_id();
        self.transferee_line(number)?.offer_anew(id)
    }
}
