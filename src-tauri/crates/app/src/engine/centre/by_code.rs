//! An exchange that can only be dialled: codes do what is asked, and lamps (BLF hints) tell what is so.
//!
//! Inputs: requests of the model; what became of a dialled code; lamps; whether the telephone is registered; time.
//! A code is taken when the exchange answers its call. Where a lamp is set for something, the lamp is the
//! exchange's word on it; where there is none, the answered code is all that it ever says. One code is dialled at a
//! time, beside the user's own calls and without sound:
//!
//! ```text
//! idle -> dialling -> answered -> idle, when the exchange hangs up, or we do after a while
//!            |
//!            +-> refused -> idle
//! ```

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use pbx::centre::{
    AgentState, AgentStatus, Answer, Capability, Code, Forwarding, Input, LinkState, Membership,
    QueueId, Refusal, Request, RequestId, Role, Service, ServiceKind, UserId,
};
use sip_ua::SessionId;
use tracing::debug;

use super::super::codes::filled;
use crate::config::{AccountSettings, CodeSettings};

/// How long the exchange may take to answer a code.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);
/// How long it may speak afterwards.
const SPEAKS_FOR: Duration = Duration::from_secs(5);
/// Most requests that wait for their turn.
const MOST_JOBS: usize = 32;

/// The services that codes can set, with the codes that do.
const SERVICES: [ServiceKind; 4] = [
    ServiceKind::DoNotDisturb,
    ServiceKind::ForwardAlways,
    ServiceKind::ForwardBusy,
    ServiceKind::ForwardNoAnswer,
];

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Out {
    /// Dial this code.
    Dial(String),
    /// End its call.
    HangUp(SessionId),
    /// Tell the model.
    Tell(Box<Input>),
}

/// What a code changes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Effect {
    SignedIn(bool),
    /// Paused, for this reason; none: no longer.
    Paused(Option<String>),
    Joined(String, bool),
    Service(Service),
}

/// A request and the codes that are still to be dialled for it.
#[derive(Debug)]
struct Job {
    request: RequestId,
    steps: VecDeque<(String, Effect)>,
}

/// The call of a code.
#[derive(Debug)]
struct Dialling {
    /// For which request.
    request: RequestId,
    session: Option<SessionId>,
    answered: bool,
    until: Instant,
}

/// The exchange.
#[derive(Debug)]
pub(in super::super) struct ByCode {
    codes: CodeSettings,
    me: UserId,
    live: bool,
    signed_in: Option<bool>,
    paused: Option<bool>,
    reason: Option<String>,
    joined: BTreeMap<String, bool>,
    /// Whether a service is in force, and where forwarding leads as far as that was asked for here.
    services: BTreeMap<ServiceKind, (bool, String)>,
    jobs: VecDeque<Job>,
    dialling: Option<Dialling>,
    out: VecDeque<Out>,
}

impl ByCode {
    /// The exchange of an account, when its settings have codes for agents or services.
    pub(super) fn of(settings: &AccountSettings) -> Option<ByCode> {
        let codes = &settings.codes;
        if !settings.register || !(has_agents(codes) || SERVICES.iter().any(|&k| serves(codes, k)))
        {
            return None;
        }
        let mut by_code = ByCode {
            codes: codes.clone(),
            me: UserId(settings.aor.clone()),
            live: false,
            signed_in: None,
            paused: None,
            reason: None,
            joined: BTreeMap::new(),
            services: BTreeMap::new(),
            jobs: VecDeque::new(),
            dialling: None,
            out: VecDeque::new(),
        };
        by_code.begin(&settings.display_name);
        Some(by_code)
    }

    fn begin(&mut self, name: &str) {
        let codes = &self.codes;
        let present = [
            (Capability::Agent, has_agents(codes)),
            (Capability::JoinQueues, !codes.join.is_empty() && !codes.leave.is_empty()),
        ];
        let present = present.into_iter().filter(|(_, has)| *has).map(|(capability, _)| capability);
        let services = SERVICES.iter().filter(|&&kind| serves(codes, kind));
        let present = present.chain(services.map(|&kind| Capability::Service(kind))).collect();
        let queues = codes.queues.iter();
        let queues =
            queues.map(|queue| (QueueId(queue.clone()), queue.clone(), Role::Agent)).collect();
        let reasons = if codes.pause.contains("{reason}") { &codes.reasons[..] } else { &[] };
        let reasons = reasons.iter().map(|word| Code {
            code: word.clone(),
            description: word.clone(),
            is_default: false,
        });
        let reasons: Vec<Code> = reasons.collect();
        let forced = codes.pause.contains("{reason}");
        for input in [
            Input::Me { user: self.me.clone(), name: name.to_owned() },
            Input::Capabilities { present, missing: Vec::new() },
            Input::Queues(queues),
            Input::UnavailableCodes { codes: reasons, forced },
        ] {
            self.tell(input);
        }
    }

    /// The lamps that tell of it, as they are watched.
    pub(super) fn lamps(&self) -> Vec<String> {
        let codes = &self.codes;
        let queues = codes.queues.iter().filter_map(|queue| self.queue_lamp(queue));
        let others = [&codes.pause_lamp, &codes.dnd_lamp, &codes.forward_lamp];
        queues.chain(others.into_iter().filter(|lamp| !lamp.is_empty()).cloned()).collect()
    }

    /// Whether it can be seen that all calls are forwarded: without a lamp that is never known for sure.
    pub(super) fn sees_forwarding(&self) -> bool {
        !self.codes.forward_lamp.is_empty()
    }

    /// The next thing to do.
    pub(super) fn poll_output(&mut self) -> Option<Out> {
        self.out.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.dialling.as_ref().map(|dialling| dialling.until)
    }

    /// The telephone is registered, or no longer: codes can be dialled, or not.
    pub(super) fn registered(&mut self, registered: bool) {
        if std::mem::replace(&mut self.live, registered) != registered {
            let link = if registered { LinkState::Live } else { LinkState::Lost };
            self.tell(Input::Link(link));
        }
        if !registered {
            for job in std::mem::take(&mut self.jobs) {
                self.done(job.request, Err(Refusal::Unavailable));
            }
        }
    }

    // --- requests ---

    pub(super) fn request(&mut self, now: Instant, id: RequestId, request: Request) {
        if !self.live || self.jobs.len() >= MOST_JOBS {
            return self.done(id, Err(Refusal::Unavailable));
        }
        match self.plan(request) {
            Ok(steps) => {
                self.jobs.push_back(Job { request: id, steps: steps.into() });
                self.go_on(now);
            }
            Err(refusal) => self.done(id, Err(refusal)),
        }
    }

    fn plan(&self, request: Request) -> Result<Vec<(String, Effect)>, Refusal> {
        match request {
            Request::SetAgentState { agent: None, state, code, .. } => {
                self.plan_state(state, code.as_deref())
            }
            Request::Join { agent: None, queue, joined } => Ok(vec![self.join(&queue.0, joined)?]),
            Request::SetService(service) => Ok(vec![self.service(service)?]),
            Request::Refresh => Ok(Vec::new()),
            // What a lamp shows is told as it changes.
            Request::ReadService(ServiceKind::DoNotDisturb) if !self.codes.dnd_lamp.is_empty() => {
                Ok(Vec::new())
            }
            Request::ReadService(ServiceKind::ForwardAlways) if self.sees_forwarding() => {
                Ok(Vec::new())
            }
            _ => Err(Refusal::NotAllowed),
        }
    }

    fn plan_state(
        &self,
        state: AgentState,
        reason: Option<&str>,
    ) -> Result<Vec<(String, Effect)>, Refusal> {
        match state {
            AgentState::SignedOut => self.sign(false),
            AgentState::SigningIn => self.sign(true),
            AgentState::Available => {
                let mut steps =
                    if self.is_signed_in() == Some(true) { Vec::new() } else { self.sign(true)? };
                if self.paused == Some(true) || steps.is_empty() {
                    steps.push(self.pause(None)?);
                }
                Ok(steps)
            }
            AgentState::Unavailable => {
                let mut steps =
                    if self.is_signed_in() == Some(false) { self.sign(true)? } else { Vec::new() };
                steps.push(self.pause(Some(reason.unwrap_or_default()))?);
                Ok(steps)
            }
            AgentState::WrapUp => Err(Refusal::NotAllowed),
        }
    }

    /// By the code for that; without one by those of all queues.
    fn sign(&self, signed_in: bool) -> Result<Vec<(String, Effect)>, Refusal> {
        let code = if signed_in { &self.codes.sign_in } else { &self.codes.sign_out };
        if !code.is_empty() {
            return Ok(vec![(code.clone(), Effect::SignedIn(signed_in))]);
        }
        let known = |queue: &&String| self.joined.get(*queue) == Some(&signed_in);
        let others = self.codes.queues.iter().filter(|queue| !known(queue));
        let steps: Result<Vec<_>, Refusal> =
            others.map(|queue| self.join(queue, signed_in)).collect();
        match (&self.codes.queues[..], steps?) {
            ([], _) => Err(Refusal::NotAllowed),
            (_, steps) => Ok(steps),
        }
    }

    fn join(&self, queue: &str, joined: bool) -> Result<(String, Effect), Refusal> {
        if !self.codes.queues.iter().any(|known| known == queue) {
            return Err(Refusal::Gone);
        }
        let (on, off) = (self.codes.join.as_str(), self.codes.leave.as_str());
        let code = choose((on, off), joined, self.joined.get(queue).copied())?;
        let number = place(code, "queue", queue)?;
        Ok((number, Effect::Joined(queue.to_owned(), joined)))
    }

    fn pause(&self, reason: Option<&str>) -> Result<(String, Effect), Refusal> {
        let (on, off) = (self.codes.pause.as_str(), self.codes.resume.as_str());
        let code = choose((on, off), reason.is_some(), self.paused)?;
        let number = match reason {
            Some(reason) if code.contains("{reason}") => place(code, "reason", reason)?,
            _ => code.to_owned(),
        };
        let told = reason.map(|reason| match code.contains("{reason}") {
            true => reason.to_owned(),
            false => String::new(),
        });
        Ok((number, Effect::Paused(told)))
    }

    fn service(&self, service: Service) -> Result<(String, Effect), Refusal> {
        let (kind, active, to) = match &service {
            Service::DoNotDisturb { active } => (ServiceKind::DoNotDisturb, *active, ""),
            Service::Forwarding { kind, forwarding } => {
                (*kind, forwarding.active, forwarding.to.as_str())
            }
            _ => return Err(Refusal::NotAllowed),
        };
        let (on, off) = pair(&self.codes, kind).ok_or(Refusal::NotAllowed)?;
        let known = self.services.get(&kind).map(|(active, _)| *active);
        let code = choose((on, off), active, known)?;
        let number = match active && kind != ServiceKind::DoNotDisturb {
            true => place(code, "number", to)?,
            false => code.to_owned(),
        };
        Ok((number, Effect::Service(service)))
    }

    // --- calls of codes ---

    /// Dials the next code, or ends a request that needs none any more.
    fn go_on(&mut self, now: Instant) {
        while self.dialling.is_none() {
            let Some(job) = self.jobs.front() else { return };
            if let Some((number, _)) = job.steps.front() {
                debug!(number, "idle, a request -> dialling");
                self.out.push_back(Out::Dial(number.clone()));
                let until = now + ANSWERED_WITHIN;
                let request = job.request;
                self.dialling = Some(Dialling { request, session: None, answered: false, until });
            } else if let Some(job) = self.jobs.pop_front() {
                self.done(job.request, Ok(Answer::Accepted));
            }
        }
    }

    /// The call has this name.
    pub(super) fn dialled(&mut self, session: SessionId) {
        if let Some(dialling) = &mut self.dialling {
            dialling.session = Some(session);
        }
    }

    /// The call could not be made.
    pub(super) fn not_dialled(&mut self, now: Instant, why: &str) {
        debug!(why, "dialling -> idle");
        if let Some(dialling) = self.dialling.take() {
            self.refuse(dialling.request, Refusal::Unavailable);
        }
        self.go_on(now);
    }

    /// The exchange answered a call. False: it was none of these.
    pub(super) fn answered(&mut self, now: Instant, session: SessionId) -> bool {
        let Some(dialling) = self.dialling.as_mut().filter(|d| d.session == Some(session)) else {
            return false;
        };
        (dialling.answered, dialling.until) = (true, now + SPEAKS_FOR);
        debug!("dialling, answered -> answered");
        let request = dialling.request;
        let Some(job) = self.jobs.front_mut().filter(|job| job.request == request) else {
            return true;
        };
        let (effect, last) = (job.steps.pop_front(), job.steps.is_empty());
        if let Some((_, effect)) = effect {
            self.apply(effect);
        }
        if last {
            self.jobs.pop_front();
            self.done(request, Ok(Answer::Accepted));
        }
        true
    }

    /// Whether this is the call of a code.
    pub(super) fn is_at(&self, session: SessionId) -> bool {
        self.dialling.as_ref().is_some_and(|dialling| dialling.session == Some(session))
    }

    /// A call is over. False: it was none of these.
    pub(super) fn ended(
        &mut self,
        now: Instant,
        session: SessionId,
        (status, words): (Option<u16>, &str),
    ) -> bool {
        let Some(dialling) = self.dialling.take_if(|d| d.session == Some(session)) else {
            return false;
        };
        debug!(?status, "over -> idle");
        if !dialling.answered {
            let refusal = match status {
                None => Refusal::Unavailable,
                Some(404 | 484) => Refusal::NotAllowed,
                Some(code) => Refusal::Exchange { code: code.into(), words: words.to_owned() },
            };
            self.refuse(dialling.request, refusal);
        }
        self.go_on(now);
        true
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let Some(dialling) = self.dialling.take_if(|dialling| dialling.until <= now) else {
            return;
        };
        if let Some(session) = dialling.session {
            self.out.push_back(Out::HangUp(session));
        }
        if !dialling.answered {
            self.refuse(dialling.request, Refusal::Unavailable);
        }
        self.go_on(now);
    }

    /// The request whose code was dialled is not carried out; it may have been given up already.
    fn refuse(&mut self, request: RequestId, refusal: Refusal) {
        if self.jobs.front().is_some_and(|job| job.request == request) {
            self.jobs.pop_front();
            self.done(request, Err(refusal));
        }
    }

    fn done(&mut self, request: RequestId, result: Result<Answer, Refusal>) {
        self.tell(Input::Done { request, result });
    }

    // --- what is so ---

    /// A lamp shows that something is in force, or not. `lamp`: as it is watched.
    pub(super) fn lamp(&mut self, lamp: &str, on: bool) {
        let queue = self.codes.queues.iter();
        let queue = queue.filter(|queue| self.queue_lamp(queue).as_deref() == Some(lamp));
        let mut effects: Vec<Effect> = queue.map(|q| Effect::Joined(q.clone(), on)).collect();
        if lamp == self.codes.pause_lamp {
            let reason = self.reason.clone().unwrap_or_default();
            effects.push(Effect::Paused(on.then_some(reason)));
        }
        if lamp == self.codes.dnd_lamp {
            effects.push(Effect::Service(Service::DoNotDisturb { active: on }));
        }
        if lamp == self.codes.forward_lamp {
            let kind = ServiceKind::ForwardAlways;
            let to = self.services.get(&kind).map(|(_, to)| to.clone()).unwrap_or_default();
            let forwarding = Forwarding { active: on, to, rings: None };
            effects.push(Effect::Service(Service::Forwarding { kind, forwarding }));
        }
        for effect in effects {
            self.show(effect);
        }
    }

    fn queue_lamp(&self, queue: &str) -> Option<String> {
        let lamp = &self.codes.queue_lamp;
        (!lamp.is_empty()).then(|| lamp.replace("{queue}", queue))
    }

    /// The exchange has taken a code: that counts, unless a lamp tells of it.
    fn apply(&mut self, effect: Effect) {
        match &effect {
            Effect::Joined(..) if !self.codes.queue_lamp.is_empty() => {}
            Effect::Paused(reason) if !self.codes.pause_lamp.is_empty() => {
                self.reason.clone_from(reason);
            }
            Effect::Service(Service::DoNotDisturb { .. }) if !self.codes.dnd_lamp.is_empty() => {}
            Effect::Service(Service::Forwarding { kind, forwarding })
                if *kind == ServiceKind::ForwardAlways && self.sees_forwarding() =>
            {
                // The lamp does not show where to.
                let known = self.services.get(kind).is_some_and(|(active, _)| *active);
                self.services.insert(*kind, (known, forwarding.to.clone()));
                if known && forwarding.active {
                    self.show(effect);
                }
            }
            _ => self.show(effect),
        }
    }

    fn show(&mut self, effect: Effect) {
        match effect {
            Effect::SignedIn(signed_in) => {
                self.signed_in = Some(signed_in);
                // Who signs out is not paused when he comes again.
                if !signed_in && self.codes.pause_lamp.is_empty() {
                    (self.paused, self.reason) = (Some(false), None);
                }
            }
            Effect::Paused(reason) => {
                self.paused = Some(reason.is_some());
                self.reason = reason.filter(|reason| !reason.is_empty());
            }
            Effect::Joined(queue, joined) => {
                self.joined.insert(queue, joined);
                self.tell_memberships();
            }
            Effect::Service(service) => {
                let (kind, state) = match &service {
                    Service::Forwarding { kind, forwarding } => {
                        (*kind, (forwarding.active, forwarding.to.clone()))
                    }
                    Service::DoNotDisturb { active } => {
                        (ServiceKind::DoNotDisturb, (*active, String::new()))
                    }
                    _ => return,
                };
                self.services.insert(kind, state);
                return self.tell(Input::Service(service));
            }
        }
        self.tell_state();
    }

    /// Signed in by the code for that, or by being in a queue; none: nothing was told yet.
    fn is_signed_in(&self) -> Option<bool> {
        if !self.codes.sign_in.is_empty() {
            return self.signed_in;
        }
        (!self.joined.is_empty()).then(|| self.joined.values().any(|joined| *joined))
    }

    fn tell_state(&mut self) {
        let state = match (self.is_signed_in(), self.paused) {
            (Some(false), _) => AgentState::SignedOut,
            (_, Some(true)) => AgentState::Unavailable,
            (Some(true), _) => AgentState::Available,
            (None, _) => return,
        };
        let code = self.reason.clone().filter(|_| state == AgentState::Unavailable);
        let status = AgentStatus { state, code, ..AgentStatus::default() };
        self.tell(Input::AgentStatus { agent: self.me.clone(), status });
    }

    fn tell_memberships(&mut self) {
        let may_leave = !self.codes.leave.is_empty();
        let memberships = self.joined.iter().map(|(queue, joined)| Membership {
            queue: QueueId(queue.clone()),
            joined: *joined,
            may_leave,
            skill: None,
        });
        let memberships = memberships.collect();
        self.tell(Input::Memberships { agent: self.me.clone(), full: true, memberships });
    }

    fn tell(&mut self, input: Input) {
        self.out.push_back(Out::Tell(Box::new(input)));
    }
}

/// Whether an agent can be anything by these codes.
fn has_agents(codes: &CodeSettings) -> bool {
    let both = |on: &str, off: &str| !on.is_empty() && !off.is_empty();
    both(&codes.sign_in, &codes.sign_out)
        || both(&codes.pause, &codes.resume)
        || both(&codes.join, &codes.leave) && !codes.queues.is_empty()
}

fn serves(codes: &CodeSettings, kind: ServiceKind) -> bool {
    pair(codes, kind).is_some_and(|(on, off)| !on.is_empty() && !off.is_empty())
}

/// The codes that turn a service on and off.
fn pair(codes: &CodeSettings, kind: ServiceKind) -> Option<(&str, &str)> {
    let (on, off) = match kind {
        ServiceKind::DoNotDisturb => (&codes.dnd_on, &codes.dnd_off),
        ServiceKind::ForwardAlways => (&codes.forward_on, &codes.forward_off),
        ServiceKind::ForwardBusy => (&codes.forward_busy_on, &codes.forward_busy_off),
        ServiceKind::ForwardNoAnswer => (&codes.forward_no_answer_on, &codes.forward_no_answer_off),
        _ => return None,
    };
    Some((on.as_str(), off.as_str()))
}

/// The code for on or off. One that does both can be used only when it is known what it will do.
fn choose<'a>(
    (on, off): (&'a str, &'a str),
    wanted: bool,
    known: Option<bool>,
) -> Result<&'a str, Refusal> {
    let code = if wanted { on } else { off };
    if code.is_empty() {
        return Err(Refusal::NotAllowed);
    }
    if on == off && known != Some(!wanted) {
        let words = format!("{code} would turn over what is not known, or is so already");
        return Err(Refusal::BadValue(words));
    }
    Ok(code)
}

fn place(code: &str, name: &str, value: &str) -> Result<String, Refusal> {
    if code.contains(&format!("{{{name}}}")) && value.is_empty() {
        return Err(Refusal::BadValue(format!("which {name}?")));
    }
    filled(code, name, value).map_err(|error| Refusal::BadValue(error.message))
}
