//! A call from its first message up to the answer: who may call, whom, forking, hunting, giving up.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use sdp::{Direction, Negotiator};
use sip_core::digest::Role as AuthRole;
use sip_types::{HeaderName, Method, Request, StatusCode, Uri};
use sip_ua::{Body, Incoming, LocalIdentity, OutgoingCall, Role, SessionId};

use super::{CALLS, Exchange, LONGEST_CALL, Output};
use crate::call::{Call, Caller, Local, Overflow, Party, State, Then};
use crate::company::{Behaviour, Person, Voice};
use crate::dial_plan::{Destination, Service, destination};
use crate::endpoint::{Step, StreamSeed};
use crate::media_task::{EndpointId, MediaCommand};
use crate::pbx::{CallNumber, CustomerCall, PbxError};
use crate::speech::Clip;

/// How long somebody who declines lets it ring.
const DECLINE_AFTER: Duration = Duration::from_millis(1500);
/// How long a customer waits for an answer, when the call does not say.
const PATIENCE_S: u64 = 25;
/// How long a customer stays on the line after the story, likewise.
const TALK_S: u64 = 30;
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

impl Exchange {
    /// Somebody of the demo's customers rings a user's phones.
    pub(crate) fn customer_call(
        &mut self,
        now: Instant,
        wish: &CustomerCall,
    ) -> Result<CallNumber, PbxError> {
        if self.calls.len() >= CALLS {
            return Err(PbxError::TooManyCalls);
        }
        let reachable = match destination(&self.company, &wish.to) {
            Destination::Account(user) => !self.registrar.bindings(&user).is_empty(),
            Destination::Hunt(members) => {
                members.iter().any(|member| !self.registrar.bindings(member).is_empty())
            }
            _ => return Err(PbxError::UnknownNumber(wish.to.clone())),
        };
        if !reachable {
            return Err(PbxError::NotRegistered(wish.to.clone()));
        }
        let (caller, voice, story) = self.customer(wish);
        let steps = story_steps(voice, story, wish.talk_s.unwrap_or(TALK_S));
        let number = self.next_call();
        let local = self.open_line(number, self.address, steps);
        let patience = Duration::from_secs(wish.patience_s.unwrap_or(PATIENCE_S).min(600));
        tracing::debug!(call = number.0, to = %wish.to, "none, customer calls -> opening");
        let mut call = new_call(Party::Local(local), caller, None);
        call.state = State::Opening { to: wish.to.clone() };
        call.patience = Some(now + patience);
        self.calls.insert(number, call);
        Ok(number)
    }

    /// Who calls: as asked for, or the next customer of the company.
    fn customer(&mut self, wish: &CustomerCall) -> (Caller, Voice, usize) {
        let index = self.last_customer;
        self.last_customer += 1;
        let count = self.company.customers.len().max(1);
        let next = self.company.customers.get(index % count).cloned();
        let named = wish.name.is_some() || wish.number.is_some();
        let usual = next.as_ref().filter(|_| !named);
        let number = wish.number.clone().or_else(|| usual.map(|c| c.number.clone()));
        let display = wish.name.clone().or_else(|| usual.map(|c| c.name.clone()));
        let withheld = number.is_none();
        let uri = self.uri(number.as_deref().unwrap_or("anonymous"));
        (
            Caller { display, uri, withheld },
            next.map(|c| c.voice).unwrap_or_default(),
            index % count,
        )
    }

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
        let own = self.identity(&user);
        let withheld = incoming.caller.withheld;
        let caller = Caller { display: own.display, uri: own.uri, withheld };
        let number = self.next_call();
        self.sessions.insert(session, number);
        let call = new_call(Party::Phone(session), caller, incoming.body.clone());
        self.calls.insert(number, call);
        let dialled = incoming.request_uri.user().unwrap_or_default();
        tracing::debug!(call = number.0, %user, %dialled, "none, INVITE -> setting up");
        self.go_to(now, number, &dialled);
    }

    /// Sends the call to a number.
    fn go_to(&mut self, now: Instant, number: CallNumber, dialled: &str) {
        match destination(&self.company, dialled) {
            Destination::Unknown => self.give_up(now, number, StatusCode::NOT_FOUND),
            Destination::Busy => self.give_up(now, number, StatusCode::BUSY_HERE),
            Destination::NoAnswer => {
                let then = Then::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE);
                self.simulate(now, number, self.ring_time, then);
            }
            Destination::Declines => {
                self.simulate(now, number, DECLINE_AFTER, Then::Refuse(StatusCode::DECLINE));
            }
            Destination::Service(service) => {
                self.lift(now, number, service_steps(service));
            }
            Destination::Person(person) => self.ring_person(now, number, &person),
            Destination::Account(user) => self.ring_phones(now, number, &user),
            Destination::Hunt(members) => {
                if let Some(call) = self.calls.get_mut(&number) {
                    call.hunt = members.into();
                    call.hunting = true;
                }
                self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
            }
        }
    }

    fn ring_person(&mut self, now: Instant, number: CallNumber, person: &Person) {
        let name = Some(person.extension.as_str());
        if self.calls.values().any(|call| call.person.as_deref() == name) {
            return self.give_up(now, number, StatusCode::BUSY_HERE);
        }
        let own = self.identity(&person.extension);
        if let Some(call) = self.calls.get_mut(&number) {
            call.person = Some(person.extension.clone());
            if let Some(session) = call.near_phone() {
                let _ = self.ua.set_identity(session, Some(own));
            }
        }
        let (after, then) = match person.behaviour {
            Behaviour::Answers => {
                let after = Duration::from_millis(self.random.between(1_000, 4_000));
                (after, Then::Answer(greeting(person)))
            }
            Behaviour::Busy => return self.give_up(now, number, StatusCode::BUSY_HERE),
            Behaviour::Declines => (DECLINE_AFTER, Then::Refuse(StatusCode::DECLINE)),
            Behaviour::NoAnswer => {
                (self.ring_time, Then::Answer(service_steps(Service::Voicemail)))
            }
        };
        self.simulate(now, number, after, then);
    }

    /// A simulated party rings for a while; a customer does not call simulated parties.
    fn simulate(&mut self, now: Instant, number: CallNumber, after: Duration, then: Then) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let Some(session) = call.near_phone() else {
            return self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
        };
        tracing::debug!(call = number.0, "{}, simulated party -> simulated", call.state.name());
        call.state = State::Simulated(then);
        call.due = Some(now + after);
        call.rang = true;
        let _ = self.ua.ring(now, session);
    }

    /// Rings all phones of an account at once.
    fn ring_phones(&mut self, now: Instant, number: CallNumber, user: &str) {
        let ring_time = Duration::from_secs(self.company.hunt.ring_s);
        let targets: Vec<OutgoingCall> = match self.calls.get(&number) {
            Some(call) => self
                .registrar
                .bindings(user)
                .iter()
                .map(|binding| OutgoingCall {
                    target: Some(binding.contact.clone()),
                    route: Some(binding.route()),
                    ..self.leg(call, user)
                })
                .collect(),
            None => return,
        };
        let legs =
            targets.into_iter().filter_map(|leg| self.ua.invite(now, self.account, leg).ok());
        let forks: Vec<SessionId> = legs.collect();
        if forks.is_empty() {
            return self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        self.sessions.extend(forks.iter().map(|&fork| (fork, number)));
        let connected = self.identity(user);
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(
            call = number.0,
            phones = forks.len(),
            "{}, dialled -> ringing",
            call.state.name()
        );
        let direct = !call.hunting && call.near_phone().is_some();
        let overflow = if direct { Overflow::Voicemail } else { Overflow::Unavailable };
        call.state = State::Ringing { forks, refusal: None, overflow };
        call.due = Some(now + if call.hunting { ring_time } else { self.ring_time });
        if let Some(session) = call.near_phone() {
            let _ = self.ua.set_identity(session, Some(connected));
        }
    }

    /// The leg to a phone of `user`, but for the phone's address.
    fn leg(&self, call: &Call, user: &str) -> OutgoingCall {
        let Caller { display, uri, withheld } = call.caller.clone();
        let asserted = (!withheld).then(|| call.caller.asserted());
        let mut leg = OutgoingCall::new(self.uri(user), call.offer.clone());
        leg.to_display = self.identity(user).display;
        leg.withhold_identity = withheld;
        leg.identity = Some(LocalIdentity { display, uri, asserted });
        if call.hunting {
            let main = self.main_number();
            leg.headers.push((HeaderName::Diversion, format!("<{main}>;reason=unconditional")));
        }
        leg
    }

    fn main_number(&self) -> Uri {
        self.uri(&self.company.main_number)
    }

    /// This destination will not do: the next of the hunt group, or the end with `status`.
    fn give_up(&mut self, now: Instant, number: CallNumber, status: StatusCode) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.person = None;
        if let Some(next) = call.hunt.pop_front() {
            return self.go_to(now, number, &next);
        }
        if let Some(session) = call.near_phone() {
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
        call.due = None;
        match &mut call.state {
            State::Simulated(then) => {
                let refusal = Then::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE);
                match std::mem::replace(then, refusal) {
                    Then::Answer(steps) => self.lift(now, number, steps),
                    Then::Refuse(status) => self.give_up(now, number, status),
                }
            }
            State::Ringing { forks, overflow, .. } => {
                let (forks, overflow) = (std::mem::take(forks), *overflow);
                self.cancel(now, &forks, None);
                match overflow {
                    Overflow::Voicemail => {
                        self.lift(now, number, service_steps(Service::Voicemail));
                    }
                    Overflow::Unavailable => {
                        self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
                    }
                }
            }
            State::Opening { .. } | State::Answering(_) | State::Talking { .. } => {
                self.end(now, number, "lasted too long");
            }
        }
    }

    fn cancel(&mut self, now: Instant, forks: &[SessionId], reason: Option<&str>) {
        for &fork in forks {
            self.forget_session(fork);
            let _ = match reason {
                Some(reason) => self.ua.hangup_with(now, fork, reason),
                None => self.ua.hangup(now, fork),
            };
        }
    }

    /// A simulated party lifts: first its line is opened.
    fn lift(&mut self, now: Instant, number: CallNumber, steps: Vec<Step>) {
        let Some(call) = self.calls.get(&number) else { return };
        if call.near_phone().is_none() {
            return self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        let local = self.open_line(number, self.address, steps);
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, "{}, lifts -> answering", call.state.name());
        call.state = State::Answering(local);
        call.due = Some(now + Duration::from_secs(5));
    }

    fn open_line(&mut self, number: CallNumber, address: IpAddr, steps: Vec<Step>) -> Box<Local> {
        self.last_endpoint += 1;
        let endpoint = EndpointId(self.last_endpoint);
        let [low, high, ..] = self.random.u32().to_be_bytes();
        let seed = StreamSeed {
            ssrc: self.random.u32(),
            sequence: u16::from_be_bytes([low, high]),
            timestamp: self.random.u32(),
        };
        self.endpoints.insert(endpoint, number);
        self.outputs.push_back(Output::OpenEndpoint(endpoint, seed));
        let negotiator = Negotiator::new(self.random.u64() >> 1);
        Box::new(Local { endpoint, negotiator, address, port: None, steps })
    }

    /// A simulated party's line is open, or cannot be.
    pub(super) fn endpoint_opened(
        &mut self,
        now: Instant,
        endpoint: EndpointId,
        port: Option<u16>,
    ) {
        let Some(&number) = self.endpoints.get(&endpoint) else {
            return self.media(MediaCommand::Close(endpoint));
        };
        let Some(call) = self.calls.get_mut(&number) else { return };
        if port.is_none() {
            tracing::warn!(call = number.0, "no media port is free");
            return self.give_up_for_good(now, number, StatusCode::SERVICE_UNAVAILABLE);
        }
        if let Some(local) = call.local() {
            local.port = port;
        }
        match &call.state {
            State::Opening { to } => {
                let to = to.clone();
                self.offer_and_ring(now, number, &to);
            }
            State::Answering(_) => self.answer_locally(now, number),
            _ => {}
        }
    }

    /// Refuses without trying the rest of a hunt group.
    fn give_up_for_good(&mut self, now: Instant, number: CallNumber, status: StatusCode) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.hunt = VecDeque::new();
        }
        self.give_up(now, number, status);
    }

    fn offer_and_ring(&mut self, now: Instant, number: CallNumber, to: &str) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let offer = call.local().and_then(|local| {
            let media = local.media()?;
            local.negotiator.offer(&media, Direction::SendRecv).ok()
        });
        call.offer = offer.map(Body::sdp);
        self.go_to(now, number, to);
    }

    fn answer_locally(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let Some(session) = call.near_phone() else { return };
        let offer = call.offer.take();
        let Some(local) = call.local() else { return };
        let Some(media) = local.media() else { return };
        let (body, agreed) = match offer {
            Some(offer) => match local.negotiator.answer(&offer.bytes, &media, Direction::SendRecv)
            {
                Ok((answer, agreed)) => (answer, Some(agreed)),
                Err(error) => {
                    tracing::info!(call = number.0, %error, "unusable offer");
                    let status = StatusCode::new(error.status());
                    let status = status.unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE);
                    return self.give_up_for_good(now, number, status);
                }
            },
            None => match local.negotiator.offer(&media, Direction::SendRecv) {
                Ok(offer) => (offer, None),
                Err(_) => {
                    return self.give_up_for_good(now, number, StatusCode::SERVER_INTERNAL_ERROR);
                }
            },
        };
        let endpoint = local.endpoint;
        let State::Answering(local) =
            std::mem::replace(&mut call.state, State::Opening { to: String::new() })
        else {
            return;
        };
        tracing::debug!(call = number.0, "answering, line open -> talking");
        call.state = State::Talking { far: Party::Local(local), asking: None };
        call.due = Some(now + LONGEST_CALL);
        let _ = self.ua.accept(now, session, Some(Body::sdp(body)));
        if let Some(agreed) = agreed {
            self.media(MediaCommand::Configure(endpoint, Box::new(agreed)));
            self.begin_steps(number);
        }
    }

    /// The simulated party begins with what it has to say, once.
    pub(super) fn begin_steps(&mut self, number: CallNumber) {
        let local = self.calls.get_mut(&number).and_then(Call::local);
        let Some((endpoint, steps)) =
            local.map(|local| (local.endpoint, std::mem::take(&mut local.steps)))
        else {
            return;
        };
        if !steps.is_empty() {
            self.media(MediaCommand::Play(endpoint, steps));
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
        let Some((_, call)) = self.call_of(session) else { return };
        let Some(near) = call.near_phone() else { return };
        let alone = matches!(&call.state, State::Ringing { forks, .. } if forks.len() == 1);
        let hunting = call.hunting;
        if body.is_some() && alone && !hunting {
            let _ = self.ua.progress(now, near, body);
        } else if status == StatusCode::RINGING && !call.rang {
            call.rang = true;
            let _ = self.ua.ring(now, near);
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
        call.state = State::Talking { far: Party::Phone(session), asking: None };
        call.due = Some(now + LONGEST_CALL);
        call.patience = None;
        let near = call.near_phone();
        self.cancel(now, &others, Some(ELSEWHERE));
        match near {
            Some(near) => {
                if self.ua.accept(now, near, body).is_err() {
                    self.end(now, number, "the caller is gone");
                }
            }
            None => self.customer_connected(now, number, body, role),
        }
    }

    fn customer_connected(
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

    /// A phone refused, could not be reached, or hung up.
    pub(super) fn ended(&mut self, now: Instant, session: SessionId, status: Option<StatusCode>) {
        let Some((number, call)) = self.call_of(session) else { return };
        let in_talk = matches!(call.state, State::Talking { .. });
        if in_talk || call.near_phone() == Some(session) {
            self.forget_session(session);
            return self.end(now, number, "hung up");
        }
        let State::Ringing { forks, refusal, .. } = &mut call.state else { return };
        forks.retain(|&fork| fork != session);
        let status = status.unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE);
        let told = more_telling(*refusal, status);
        *refusal = Some(told);
        let left = std::mem::take(forks);
        let over = left.is_empty() || status.is_global_failure();
        if let (false, State::Ringing { forks, .. }) = (over, &mut call.state) {
            *forks = left;
            self.forget_session(session);
            return;
        }
        self.forget_session(session);
        self.cancel(now, &left, None);
        self.give_up(now, number, told);
    }

    fn next_call(&mut self) -> CallNumber {
        self.last_call += 1;
        CallNumber(self.last_call)
    }
}

fn new_call(near: Party, caller: Caller, offer: Option<Body>) -> Call {
    Call {
        near,
        caller,
        offer,
        hunt: VecDeque::new(),
        hunting: false,
        person: None,
        rang: false,
        state: State::Opening { to: String::new() },
        due: None,
        patience: None,
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
        401 | 407 | 408 | 430 | 487 | 500..=599 => StatusCode::TEMPORARILY_UNAVAILABLE,
        _ => new,
    };
    known.filter(|&known| rank(known) >= rank(new)).unwrap_or(new)
}

fn greeting(person: &Person) -> Vec<Step> {
    let voice = match person.voice {
        Voice::Woman => "person-woman",
        Voice::Man => "person-man",
    };
    let own = Clip::stored(&format!("person-{}", person.extension));
    let words = own.or_else(|| Clip::stored(voice)).map(Step::Say);
    [Some(Step::Pause(300)), words, Some(Step::Listen)].into_iter().flatten().collect()
}

fn service_steps(service: Service) -> Vec<Step> {
    let say = |name: &str| Clip::stored(name).map(Step::Say);
    let steps = match service {
        Service::Echo => {
            [Some(Step::Pause(200)), say("echo-introduction"), Some(Step::Beep), Some(Step::Echo)]
        }
        Service::Music => [Some(Step::Music), None, None, None],
        Service::Speech => [Clip::stored("test-speech").map(Step::Repeat), None, None, None],
        Service::Voicemail => [
            Some(Step::Pause(300)),
            say("voicemail-greeting"),
            Some(Step::Beep),
            Some(Step::Listen),
        ],
    };
    steps.into_iter().flatten().collect()
}

fn story_steps(voice: Voice, story: usize, talk_s: u64) -> Vec<Step> {
    let goodbye = match voice {
        Voice::Woman => "goodbye-woman",
        Voice::Man => "goodbye-man",
    };
    let talk = u32::try_from(talk_s.min(7_000) * 1_000).unwrap_or(u32::MAX);
    let story = Clip::stored(&format!("customer-{}", story % 6 + 1)).map(Step::Say);
    let goodbye = Clip::stored(goodbye).map(Step::Say);
    let end = Some(Step::Pause(300));
    [Some(Step::Pause(1_200)), story, Some(Step::Pause(talk)), goodbye, end]
        .into_iter()
        .flatten()
        .collect()
}
