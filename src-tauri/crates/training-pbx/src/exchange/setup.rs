//! A call from its first message up to the answer: who may call, whom, forking, hunting, giving up.

use std::time::{Duration, Instant};

use sip_core::digest::Role as AuthRole;
use sip_types::{HeaderName, Method, Request, StatusCode, Uri};
use sip_ua::{Body, Incoming, LocalIdentity, OutgoingCall, Role, SessionId};

use super::script::{greeting, service_steps};
use super::{CALLS, CallNews, Exchange, LONGEST_CALL};
use crate::call::{Asking, Call, Overflow, Party, State, Then, Who};
use crate::company::{Behaviour, Person, Voice};
use crate::desk::ForwardWhen;
use crate::dial_plan::{Destination, Service, destination};
use crate::media_task::MediaCommand;
use crate::pbx::CallNumber;

/// How long somebody who declines lets it ring.
const DECLINE_AFTER: Duration = Duration::from_millis(1500);
/// Forwarded no further than this.
const DIVERSIONS: usize = 5;
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

impl Exchange {
    /// A phone calls.
    pub(super) fn incoming(&mut self, now: Instant, incoming: &Incoming) {
        let session = incoming.session;
        let mut invite = Request::new(Method::Invite, incoming.request_uri.clone());
        invite.headers = incoming.headers.clone();
        let user = match self.gate.check(now, AuthRole::Proxy, &invite) {
            Ok(user) => user,
            Err(refusal) => {
                let challenge = refusal.headers.get_all(&HeaderName::ProxyAuthenticate);
                let headers = challenge
                    .map(|value| (HeaderName::ProxyAuthenticate, value.into_owned()))
                    .collect();
                let _ = self.ua.reject_with(now, session, refusal.status, headers);
                return;
            }
        };
        if self.calls.len() >= CALLS {
            let _ = self.ua.reject(now, session, StatusCode::SERVICE_UNAVAILABLE);
            return;
        }
        let user = self.who_is_at(user);
        let withheld = incoming.caller.withheld || self.desk.rules(&user).hide_number;
        let caller = Who { withheld, ..self.who(&user) };
        let number = self.next_call();
        self.sessions.insert(session, number);
        let call = Call::new(Party::Phone(session), caller, incoming.body.clone());
        self.calls.insert(number, call);
        match incoming.headers.replaces() {
            Ok(None) => {
                let dialled = incoming.request_uri.user().unwrap_or_default();
                tracing::debug!(call = number.0, %user, %dialled, "none, INVITE -> setting up");
                self.go_to(now, number, &dialled);
            }
            Ok(Some(replaces)) => self.replace(now, number, session, &replaces),
            Err(_) => self.give_up(now, number, StatusCode::BAD_REQUEST),
        }
    }

    /// Sends the call to a number.
    pub(super) fn go_to(&mut self, now: Instant, number: CallNumber, dialled: &str) {
        let called = self.who(dialled);
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.called = called.clone();
        if let Some(status) = self.knobs.answer_of(dialled) {
            return self.give_up(now, number, status);
        }
        if let Some(line) = called.extension.as_deref() {
            let line = line.to_owned();
            if self.goes_elsewhere(now, number, &line) {
                return;
            }
            if self.barred(now, number, &line) {
                return;
            }
        }
        match destination(&self.company, dialled) {
            Destination::Unknown => self.give_up(now, number, StatusCode::NOT_FOUND),
            Destination::Busy => self.give_up(now, number, StatusCode::BUSY_HERE),
            Destination::NoAnswer => {
                let then = Then::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE);
                self.simulate(now, number, self.ring_time, State::Simulated(then));
            }
            Destination::Declines => {
                let then = State::Simulated(Then::Refuse(StatusCode::DECLINE));
                self.simulate(now, number, DECLINE_AFTER, then);
            }
            Destination::Service(service) => self.lift(now, number, service_steps(service)),
            Destination::Person(person) => self.ring_person(now, number, &person),
            Destination::Account(user) => self.ring_phones(now, number, &user),
            Destination::Intercom(user) => self.intercom(now, number, &user),
            Destination::Outside(to) => {
                if !self.is_barred(now, number, &to) {
                    self.ring_outside(now, number);
                }
            }
            Destination::Attendant => self.attend(now, number),
            Destination::Queue(queue) => self.enqueue(now, number, queue),
            Destination::Hunt(group) => self.hunt(now, number, &group),
            feature => self.feature(now, number, feature),
        }
    }

    /// The called line forwards the call.
    pub(super) fn divert(&mut self, now: Instant, number: CallNumber, when: ForwardWhen, to: &str) {
        let Some(call) = self.calls.get(&number) else { return };
        let by = call.called.clone();
        self.divert_to(now, number, (by, when.reason()), to);
    }

    /// Somebody sends the call to another number before it has been answered.
    pub(super) fn divert_to(
        &mut self,
        now: Instant,
        number: CallNumber,
        (by, reason): (Who, &'static str),
        to: &str,
    ) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.diversions.len() >= DIVERSIONS {
            return self.give_up(now, number, StatusCode::LOOP_DETECTED);
        }
        tracing::debug!(call = number.0, "{}, {reason} -> setting up", call.state.name());
        call.diversions.insert(0, (by.clone(), reason));
        let caller = call.caller.clone();
        self.note(CallNews::Diverted { number, by, caller, to: self.who(to), reason });
        self.go_to(now, number, to);
    }

    pub(super) fn ring_person(&mut self, now: Instant, number: CallNumber, person: &Person) {
        let name = Some(person.extension.as_str());
        let in_call = self.calls.values().any(|call| call.person.as_deref() == name);
        if in_call || self.life.is_busy(&person.extension) {
            return self.refused_by_line(now, number, StatusCode::BUSY_HERE);
        }
        let unanswered = self.unanswered_goes(number).map(|(_, after)| after);
        let own = self.identity(&person.extension);
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.person = Some(person.extension.clone());
        let transferred = matches!(call.near, Party::Transferee(_)) && !call.clicked;
        let looked_for = call.hunt_ring.filter(|_| call.looked_for.is_some());
        if let Some(session) = call.near_phone() {
            let _ = self.ua.set_identity(session, Some(own));
        }
        let (after, then) = match person.behaviour {
            Behaviour::Answers => {
                let after = Duration::from_millis(self.random.between(1_000, 4_000));
                (after, Then::Answer(greeting(person)))
            }
            Behaviour::Busy => return self.refused_by_line(now, number, StatusCode::BUSY_HERE),
            Behaviour::Declines => (DECLINE_AFTER, Then::Refuse(StatusCode::DECLINE)),
            Behaviour::NoAnswer if unanswered.is_some() => {
                (unanswered.unwrap_or(self.ring_time), Then::Forward)
            }
            Behaviour::NoAnswer if looked_for.is_some() => (
                looked_for.unwrap_or(self.ring_time),
                Then::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE),
            ),
            Behaviour::NoAnswer if transferred => {
                (self.ring_time, Then::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE))
            }
            Behaviour::NoAnswer => (self.ring_time, Then::Voicemail),
        };
        self.simulate(now, number, after, State::Simulated(then));
    }

    /// Somebody outside answers after some seconds.
    fn ring_outside(&mut self, now: Instant, number: CallNumber) {
        let voice = if self.random.between(0, 1) == 0 { Voice::Woman } else { Voice::Man };
        let after = Duration::from_millis(self.random.between(2_000, 6_000));
        let then = Then::Answer(super::script::hello(voice));
        self.simulate(now, number, after, State::Simulated(then));
    }

    /// Rings a user's phones and asks them to answer by themselves.
    fn intercom(&mut self, now: Instant, number: CallNumber, user: &str) {
        let own = self.uri(user);
        let called = self.who(user);
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.called = called;
        call.extra = vec![
            (HeaderName::CallInfo, format!("<{own}>;answer-after=0")),
            (HeaderName::AlertInfo, format!("<{own}>;info=alert-autoanswer")),
        ];
        self.ring_phones(now, number, user);
    }

    /// Rings all phones of an account at once.
    pub(super) fn ring_phones(&mut self, now: Instant, number: CallNumber, user: &str) {
        if self.begin_sequence(now, number, user) {
            return;
        }
        if let Some(status) = self.far_refusal(user) {
            return self.refused_by_line(now, number, status);
        }
        if let Some(call) = self.calls.get(&number) {
            let caller = call.caller.extension.clone().or_else(|| call.caller.uri.user());
            self.traces.rang(user, &caller.unwrap_or_default());
        }
        let voicemail = self.desk.rules(user).voicemail_no_answer;
        let fresh = self.offer_of_transferee(number);
        let Some(call) = self.calls.get_mut(&number) else { return };
        if fresh.is_some() {
            call.offer = fresh;
        }
        let mut forks = self.invite_phones(now, number, user);
        forks.extend(self.ring_others(now, number, user));
        let far = self.far_telephone(user);
        let rings_far = far.is_some();
        let elsewhere = self.answers_elsewhere(number, user);
        if forks.is_empty() && elsewhere.is_none() && !rings_far {
            return self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        let unanswered = self.unanswered_goes(number).map(|(_, after)| after);
        let connected = self.identity(user);
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(
            call = number.0,
            phones = forks.len(),
            "{}, dialled -> ringing",
            call.state.name()
        );
        let direct = !call.hunting && (call.near_phone().is_some() || call.clicked);
        let direct = direct && voicemail;
        let usual = call.hunt_ring.filter(|_| call.hunting).unwrap_or(self.ring_time);
        let (overflow, after) = match (far, elsewhere) {
            (Some((to, Some(after))), _) => (Overflow::Remote(to), after),
            (_, Some((to, after))) => (Overflow::Elsewhere(to), after),
            _ if direct => (Overflow::Voicemail, unanswered.unwrap_or(usual)),
            _ => (Overflow::Unavailable, unanswered.unwrap_or(usual)),
        };
        if rings_far {
            call.person = Some(user.to_owned());
        }
        call.state = State::Ringing { forks, refusal: None, overflow };
        call.due = Some(now + after);
        if let Some(session) = call.near_phone() {
            let _ = self.ua.set_identity(session, Some(connected));
        }
        if rings_far {
            self.tell_ringing(now, number);
        }
    }

    /// Sends INVITEs to all phones of an account.
    pub(super) fn invite_phones(
        &mut self,
        now: Instant,
        number: CallNumber,
        user: &str,
    ) -> Vec<SessionId> {
        let Some(call) = self.calls.get(&number) else { return Vec::new() };
        let targets: Vec<OutgoingCall> = self
            .telephones(user)
            .iter()
            .map(|binding| OutgoingCall {
                target: Some(binding.contact.clone()),
                route: Some(binding.route()),
                ..self.leg(call, user)
            })
            .collect();
        let legs =
            targets.into_iter().filter_map(|leg| self.ua.invite(now, self.account, leg).ok());
        let forks: Vec<SessionId> = legs.collect();
        self.sessions.extend(forks.iter().map(|&fork| (fork, number)));
        forks
    }

    /// The leg to a phone of `user`, but for the phone's address.
    fn leg(&self, call: &Call, user: &str) -> OutgoingCall {
        let Who { display, uri, withheld, .. } = call.caller.clone();
        let asserted = (!withheld).then(|| call.caller.address());
        let mut leg = OutgoingCall::new(self.uri(user), call.offer.clone());
        leg.to_display = self.identity(user).display;
        leg.withhold_identity = withheld;
        leg.identity = Some(LocalIdentity { display, uri, asserted });
        for (who, reason) in &call.diversions {
            let value = format!("{};privacy=off;reason={reason};counter=1", who.address());
            leg.headers.push((HeaderName::Diversion, value));
        }
        if call.hunting && call.looked_for.is_none() && call.diversions.is_empty() {
            let main = self.main_number();
            leg.headers.push((HeaderName::Diversion, format!("<{main}>;reason=unconditional")));
        }
        if let Some((_, by)) = &call.by {
            leg.headers.push((HeaderName::ReferredBy, by.address().to_string()));
        }
        leg.headers.extend(call.extra.iter().cloned());
        leg
    }

    fn main_number(&self) -> Uri {
        self.uri(&self.company.main_number)
    }

    /// This destination will not do: the next of the hunt group, or the end with `status`.
    pub(super) fn give_up(&mut self, now: Instant, number: CallNumber, status: StatusCode) {
        if self.served_otherwise(now, number, status) {
            return;
        }
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.person = None;
        if self.next_place(now, number) {
            return;
        }
        let Some(call) = self.calls.get_mut(&number) else { return };
        if let Some(next) = call.hunt.pop_front() {
            return self.go_to(now, number, &next);
        }
        if matches!(call.near, Party::Transferee(_)) {
            return self.transfer_failed(now, number, status);
        }
        let refused = call.near_phone().filter(|_| !call.answered);
        let (caller, called) = (call.caller.clone(), call.called.clone());
        self.note(CallNews::Refused { number, status });
        if let Some(session) = refused {
            self.note(CallNews::Unanswered { number, caller, called });
            self.forget_session(session);
            let _ = self.ua.reject(now, session, status);
        }
        self.end(now, number, status.reason());
    }

    /// Time is up for a call's state, or for its caller.
    pub(super) fn call_due(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.patience.is_some_and(|at| at <= now) {
            return self.end(now, number, "the caller gave up");
        }
        if let Some(again) = call.again.take_if(|again| again.at <= now) {
            self.try_join(now, number, again);
        }
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.due.is_none_or(|at| at > now) {
            return;
        }
        call.due = None;
        match &mut call.state {
            State::Simulated(then) => {
                let refusal = Then::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE);
                match std::mem::replace(then, refusal) {
                    Then::Answer(steps) => self.lift(now, number, steps),
                    Then::Refuse(status) => self.give_up(now, number, status),
                    Then::Voicemail => self.lift_voicemail(now, number),
                    Then::Forward => match self.unanswered_goes(number) {
                        Some((to, _)) => self.divert(now, number, ForwardWhen::NoAnswer, &to),
                        None => self.lift_voicemail(now, number),
                    },
                }
            }
            State::Ringing { forks, overflow, .. } => {
                match overflow.clone() {
                    Overflow::Elsewhere(to) => return self.other_answers(now, number, &to),
                    Overflow::Remote(to) => return self.far_answers(now, number, &to),
                    _ => {}
                }
                let (forks, overflow) = (std::mem::take(forks), overflow.clone());
                self.cancel(now, &forks, None);
                if let Some((to, _)) = self.unanswered_goes(number) {
                    return self.divert(now, number, ForwardWhen::NoAnswer, &to);
                }
                match overflow {
                    Overflow::Voicemail => self.lift_voicemail(now, number),
                    Overflow::Unavailable | Overflow::Elsewhere(_) | Overflow::Remote(_) => {
                        self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
                    }
                }
            }
            _ if call.parked.is_some() => self.recall_parked(now, number),
            _ if call.attending.is_some() => self.attendant_due(now, number),
            _ => self.end(now, number, "lasted too long"),
        }
    }

    /// The called line's voicemail answers.
    pub(super) fn lift_voicemail(&mut self, now: Instant, number: CallNumber) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.mailbox = call.called.extension.clone();
            call.person = None;
        }
        self.lift(now, number, service_steps(Service::Voicemail));
    }

    pub(super) fn cancel(&mut self, now: Instant, forks: &[SessionId], reason: Option<&str>) {
        for &fork in forks {
            self.forget_session(fork);
            let _ = match reason {
                Some(reason) => self.ua.hangup_with(now, fork, reason),
                None => self.ua.hangup(now, fork),
            };
        }
    }

    /// Ends the ringing of phones that lost to another.
    pub(super) fn cancel_elsewhere(&mut self, now: Instant, forks: &[SessionId]) {
        self.cancel(now, forks, Some(ELSEWHERE));
    }

    /// The near side hears that it rings, once.
    pub(super) fn tell_ringing(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get_mut(&number).filter(|call| !call.rang) else { return };
        call.rang = true;
        if let Some(near) = call.near_phone().filter(|_| !call.answered) {
            let _ = self.ua.ring(now, near);
        } else if let Some((transferor, _)) = call.by {
            self.report(now, transferor, StatusCode::RINGING);
        }
    }

    /// A phone that is called rings, or has early media.
    pub(super) fn provisional(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
        body: Option<Body>,
    ) {
        let Some((number, call)) = self.call_of(session) else { return };
        let alone = matches!(&call.state, State::Ringing { forks, .. } if forks.len() == 1);
        let near = call.near_phone().filter(|_| alone && !call.hunting && !call.answered);
        match near {
            Some(near) if body.is_some() => {
                let _ = self.ua.progress(now, near, body);
            }
            _ if status == StatusCode::RINGING => self.tell_ringing(now, number),
            _ => {}
        }
    }

    /// A phone that is called has answered: the others are told.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
        role: Role,
    ) {
        let Some((number, call)) = self.call_of(session) else { return };
        let State::Ringing { forks, .. } = &mut call.state else { return };
        let others: Vec<SessionId> =
            std::mem::take(forks).into_iter().filter(|&fork| fork != session).collect();
        tracing::debug!(call = number.0, others = others.len(), "ringing, answered -> talking");
        call.state = State::Talking { far: Party::Phone(session), asking: Asking::Nothing };
        call.due = Some(now + LONGEST_CALL);
        call.patience = None;
        call.answered_at = Some(now);
        self.cancel_elsewhere(now, &others);
        self.member_answered(number, session);
        match self.calls.get_mut(&number) {
            Some(Call { near: Party::Phone(near), answered, .. }) => {
                *answered = true;
                let near = *near;
                if self.ua.accept(now, near, body).is_err() {
                    self.end(now, number, "the caller is gone");
                }
            }
            Some(Call { near: Party::Local(_), .. }) => {
                self.customer_connected(now, number, body, role);
            }
            Some(Call { near: Party::Transferee(_), .. }) => {
                self.transfer_answered(now, number, session, body, role);
            }
            None => {}
        }
    }

    /// A phone answers a simulated party's offer.
    pub(super) fn customer_connected(
        &mut self,
        now: Instant,
        number: CallNumber,
        body: Option<Body>,
        role: Role,
    ) {
        let local = self.calls.get_mut(&number).and_then(Call::local);
        let agreed = match (local, body, role) {
            (Some(local), Some(body), Role::Answer) => {
                local.negotiator.receive_answer(&body.bytes).ok().map(|a| (local.endpoint, a))
            }
            _ => None,
        };
        let Some((endpoint, agreed)) = agreed else {
            return self.end(now, number, "no usable answer");
        };
        self.media(MediaCommand::Configure(endpoint, Box::new(agreed)));
        self.begin_steps(number);
    }

    /// A phone that rings sends the call elsewhere (3xx, RFC 3261 section 21.3): its line's call goes there. False if that
    /// is not what happened.
    pub(super) fn redirected(&mut self, now: Instant, session: SessionId, to: &[Uri]) -> bool {
        let Some(to) = to.first().and_then(Uri::user) else { return false };
        let Some((number, call)) = self.call_of(session) else { return false };
        let State::Ringing { forks, .. } = &mut call.state else { return false };
        if !forks.contains(&session) {
            return false;
        }
        let others: Vec<SessionId> =
            std::mem::take(forks).into_iter().filter(|&fork| fork != session).collect();
        let by = call.called.clone();
        self.forget_session(session);
        self.cancel(now, &others, None);
        self.divert_to(now, number, (by, "deflection"), &to);
        true
    }

    /// A phone refused, could not be reached, or hung up.
    pub(super) fn ended(&mut self, now: Instant, session: SessionId, status: Option<StatusCode>) {
        self.referrals.remove(&session);
        let Some((number, call)) = self.call_of(session) else { return };
        let in_talk = matches!(call.state, State::Talking { .. } | State::Alone);
        if in_talk && self.left_by_transferor(now, number, session) {
            return;
        }
        let Some((number, call)) = self.call_of(session) else { return };
        if in_talk || call.near_phone() == Some(session) {
            self.note(CallNews::HungUp { session });
            self.forget_session(session);
            return self.end(now, number, "hung up");
        }
        let State::Ringing { forks, refusal, overflow } = &mut call.state else { return };
        forks.retain(|&fork| fork != session);
        let status = status.unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE);
        let told = more_telling(*refusal, status);
        *refusal = Some(told);
        let left = std::mem::take(forks);
        // Somebody elsewhere may still answer a call that the phones have refused.
        let elsewhere = matches!(overflow, Overflow::Elsewhere(_) | Overflow::Remote(_));
        let over = (left.is_empty() && !elsewhere) || status.is_global_failure();
        if let (false, State::Ringing { forks, .. }) = (over, &mut call.state) {
            *forks = left;
            self.forget_session(session);
            return;
        }
        self.forget_session(session);
        self.cancel(now, &left, None);
        self.refused_by_line(now, number, told);
    }

    pub(super) fn next_call(&mut self) -> CallNumber {
        self.last_call += 1;
        CallNumber(self.last_call)
    }
}

/// Of two refusals the one that says more about the called (RFC 3261 section 16.7 step 6): 6xx, then what a person did,
/// then what went wrong on the way, which the caller is told as 480.
fn more_telling(known: Option<StatusCode>, new: StatusCode) -> StatusCode {
    let rank = |status: StatusCode| match status.code() {
        600..=699 => 3,
        486 | 480 | 488 => 2,
        _ => 1,
    };
    let new = match new.code() {
        // Nor is an address that leads nowhere a refusal that could be passed on.
        300..=399 | 401 | 407 | 408 | 430 | 487 | 500..=599 => StatusCode::TEMPORARILY_UNAVAILABLE,
        _ => new,
    };
    known.filter(|&known| rank(known) >= rank(new)).unwrap_or(new)
}
