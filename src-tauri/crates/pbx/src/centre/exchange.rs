//! The exchange of one account: what it told, what is wanted of it, and how far both agree.
//!
//! Inputs come from one binding; requests go to it. What changed is told once, however many inputs changed
//! it since it was last asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::abandoned::{Abandoned, AbandonedCaller, CalledBack};
use super::agent::OwnAgent;
use super::clock::Clock;
use super::directory::Directory;
use super::disposition::Questions;
use super::emergency::{Emergency, Main};
use super::link::Link;
use super::measures::{self, MeasureKind, Thresholds};
use super::model::{
    Agent, AgentState, AgentStatus, Cause, Code, ExchangeCall, ExchangeCallState, LogEntry,
    Measure, QueueId, UserId,
};
use super::parked::ParkedCall;
use super::port::{Answer, Capability, Refusal, Request, RequestId};
use super::queue::{Left, QueueState};
use super::service::{Fact, ServiceKind};
use super::services::{HuntGroupState, ServiceState, Services};
use super::wish::Wish;

/// How long the own call that came back to its queue explains that an agent was taken out.
const BOUNCE: Duration = Duration::from_secs(60);

/// Something that is to be shown anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The view of the exchange.
    Link,
    /// The own agent: state, queues, codes.
    OwnAgent,
    /// An agent.
    Agent(UserId),
    /// Which queues there are.
    Queues,
    /// A queue.
    Queue(QueueId),
    /// A service, a hunt group or a fact.
    Services,
    /// Everything else: name, capabilities, messages, lists.
    General,
    /// The calls of the user.
    Calls,
    /// The directory: all of it was told.
    Directory,
    /// The directory could not be read: [`Centre::directory_trouble`].
    DirectoryFailed,
    /// The list of the lines that the user watches is another one.
    LineList,
    /// The log of calls.
    CallLog,
}

/// What the model wants or tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The binding is to carry this out and to answer with [`super::Input::Done`].
    Request {
        /// Its name.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// A request of [`Centre::ask`] came to its end.
    Done {
        /// Its name.
        id: RequestId,
        /// How.
        result: Result<Answer, Refusal>,
    },
    /// Somebody left a queue.
    Left(Left),
    /// A call of the user is over, as the exchange tells.
    CallOver(ExchangeCall),
    /// This is to be shown anew.
    Changed(Change),
}

/// The exchange of one account.
#[derive(Debug)]
pub struct Centre {
    pub(super) clock: Clock,
    pub(super) link: Link,
    pub(super) me: Option<UserId>,
    pub(super) name: String,
    pub(super) present: BTreeSet<Capability>,
    pub(super) missing: BTreeMap<Capability, String>,
    pub(super) own: OwnAgent,
    pub(super) joins: BTreeMap<QueueId, Wish<bool>>,
    pub(super) agents: BTreeMap<UserId, Agent>,
    pub(super) queues: BTreeMap<QueueId, QueueState>,
    pub(super) reasons: Vec<Code>,
    pub(super) reason_forced: bool,
    pub(super) automatic: AutomaticCodes,
    pub(super) services: Services,
    pub(super) hunt_groups: Vec<HuntGroupState>,
    pub(super) facts: Vec<Fact>,
    pub(super) calls: BTreeMap<String, ExchangeCall>,
    pub(super) answered: BTreeSet<String>,
    pub(super) personal_call: bool,
    pub(super) bounced: Option<Instant>,
    pub(super) line_forwarding: Wish<String>,
    pub(super) messages: Option<(u32, u32)>,
    pub(super) parked: BTreeMap<UserId, ParkedCall>,
    pub(super) directory: Directory,
    pub(super) line_list: Option<String>,
    pub(super) log: Vec<LogEntry>,
    pub(super) abandoned: Abandoned,
    pub(super) questions: Questions,
    /// Requests under way, and until when an answer is waited for.
    pub(super) asked: BTreeMap<RequestId, (Request, Instant)>,
    pub(super) last_request: u64,
    pub(super) changes: BTreeSet<Change>,
    pub(super) outputs: VecDeque<Output>,
}

/// Codes that the exchange gives by itself; empty where it has none.
#[derive(Clone, Debug, Default)]
pub(super) struct AutomaticCodes {
    pub(super) do_not_disturb: String,
    pub(super) personal_call: String,
    pub(super) bounces: String,
}

impl Centre {
    /// Nothing told yet. `now_ms`: the present time, milliseconds since the Unix epoch.
    pub fn new(now: Instant, now_ms: u64) -> Centre {
        Centre {
            clock: Clock::new(now, now_ms),
            link: Link::new(now),
            me: None,
            name: String::new(),
            present: BTreeSet::new(),
            missing: BTreeMap::new(),
            own: OwnAgent::default(),
            joins: BTreeMap::new(),
            agents: BTreeMap::new(),
            queues: BTreeMap::new(),
            reasons: Vec::new(),
            reason_forced: false,
            automatic: AutomaticCodes::default(),
            services: Services::default(),
            hunt_groups: Vec::new(),
            facts: Vec::new(),
            calls: BTreeMap::new(),
            answered: BTreeSet::new(),
            personal_call: false,
            bounced: None,
            line_forwarding: Wish::new(super::services::LIMIT, true),
            messages: None,
            parked: BTreeMap::new(),
            directory: Directory::default(),
            line_list: None,
            log: Vec::new(),
            abandoned: Abandoned::default(),
            questions: Questions::default(),
            asked: BTreeMap::new(),
            last_request: 0,
            changes: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// The next thing to do or to show.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front().or_else(|| self.changes.pop_first().map(Output::Changed))
    }

    /// When [`Centre::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut due = vec![
            self.own.due(),
            self.hold_due(),
            self.services.due(),
            self.facts_due(),
            self.line_forwarding.due(),
            self.questions.due(),
            self.asked.values().map(|(_, until)| *until).min(),
            self.joins.values().filter_map(Wish::due).min(),
            self.hunt_groups.iter().filter_map(|group| group.wish.due()).min(),
        ];
        due.extend(self.queues.values().map(QueueState::due));
        due.extend(self.queues.values().map(|queue| self.threshold_due(queue)));
        due.into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let (changed, next) = self.own.on_time(now);
        if changed {
            self.changed(Change::OwnAgent);
        }
        if let Some(next) = next {
            let request = Request::SetAgentState {
                agent: None,
                state: next.state,
                code: next.code,
                validate: false,
            };
            self.ask(now, request);
        }
        let joins = self.joins.values_mut().filter_map(|join| join.on_time(now).then_some(()));
        if joins.count() > 0 {
            self.changed(Change::OwnAgent);
        }
        let groups = self.hunt_groups.iter_mut().filter_map(|g| g.wish.on_time(now).then_some(()));
        let groups = groups.count() > 0;
        let services = !self.services.on_time(now).is_empty();
        if self.line_forwarding.on_time(now) || services || groups {
            self.changed(Change::Services);
            self.changed(Change::General);
        }
        if self.questions.on_time(now) {
            self.changed(Change::General);
        }
        self.hold_wrap_up(now);
        self.facts_on_time(now);
        self.queues_on_time(now);
        self.give_up(now);
    }

    fn queues_on_time(&mut self, now: Instant) {
        let clock = self.clock;
        let due: Vec<QueueId> = self
            .queues
            .values()
            .filter(|queue| self.threshold_due(queue).is_some_and(|due| due <= now))
            .map(|queue| queue.queue.id.clone())
            .collect();
        for id in due {
            if let Some(queue) = self.queues.get_mut(&id) {
                queue.judged_at = clock.ms(now);
            }
            self.changed(Change::Queue(id));
        }
        let late: Vec<QueueId> = self
            .queues
            .values_mut()
            .filter_map(|queue| queue.on_time(now).then(|| queue.queue.id.clone()))
            .collect();
        for id in late {
            self.changed(Change::Queue(id));
            self.changed(Change::General);
        }
    }

    /// When the longest wait of a queue crosses one of the user's thresholds.
    fn threshold_due(&self, queue: &QueueState) -> Option<Instant> {
        let since = queue.queue.known.then(|| queue.longest_since()).flatten()?;
        let judged = queue.judged_at.saturating_sub(since) / 1000;
        let next = queue.thresholds.next_wait(judged)?;
        Some(self.clock.at(since.saturating_add(next.saturating_mul(1000))))
    }

    /// What was asked long ago will not be answered.
    fn give_up(&mut self, now: Instant) {
        let late: Vec<RequestId> =
            self.asked.iter().filter(|(_, (_, until))| *until <= now).map(|(id, _)| *id).collect();
        for id in late {
            self.request_done(now, id, Err(Refusal::Unavailable));
        }
    }

    pub(super) fn changed(&mut self, change: Change) {
        self.changes.insert(change);
    }

    /// Milliseconds since the Unix epoch.
    pub fn ms(&self, at: Instant) -> u64 {
        self.clock.ms(at)
    }

    /// What is behind the difference between the wanted and the actual state of the own agent.
    pub fn cause(&self, now: Instant) -> Option<Cause> {
        let code = self.status().and_then(|status| status.code.as_deref()).unwrap_or_default();
        let is = |automatic: &str| !automatic.is_empty() && automatic == code;
        let bounced = self.bounced.is_some_and(|at| now < at + BOUNCE);
        let table = [
            (is(&self.automatic.do_not_disturb), Cause::DoNotDisturb),
            (is(&self.automatic.personal_call), Cause::PersonalCall),
            (is(&self.automatic.bounces), Cause::Bounces),
            (self.services.is_active(ServiceKind::DoNotDisturb), Cause::DoNotDisturb),
            (self.services.is_active(ServiceKind::ForwardAlways), Cause::Forwarding),
            (self.has_personal_call(), Cause::PersonalCall),
            (bounced, Cause::Bounces),
        ];
        let found = table.into_iter().find(|(holds, _)| *holds).map(|(_, cause)| cause);
        self.own.told_cause().or(found)
    }

    /// Why queues give the user no calls though he wants them: the exchange took him out, or it will find his
    /// line taken. `None`: they do, or he wants none.
    pub fn no_calls_cause(&self, now: Instant) -> Option<Cause> {
        let status = self.status()?;
        let wants = self.own.wish().wanted().is_none_or(|wish| wish.state == AgentState::Available);
        match status.state {
            AgentState::Unavailable => {
                let code = status.code.as_deref().unwrap_or_default();
                let AutomaticCodes { do_not_disturb, personal_call, bounces } = &self.automatic;
                let automatic = !code.is_empty()
                    && [do_not_disturb, personal_call, bounces].iter().any(|one| *one == code);
                (automatic || wants || self.own.told_cause().is_some())
                    .then(|| self.cause(now))
                    .flatten()
            }
            AgentState::Available => {
                let table = [
                    (self.services.is_active(ServiceKind::DoNotDisturb), Cause::DoNotDisturb),
                    (self.services.is_active(ServiceKind::ForwardAlways), Cause::Forwarding),
                    (self.has_personal_call(), Cause::PersonalCall),
                ];
                table.into_iter().find(|(holds, _)| *holds).map(|(_, cause)| cause)
            }
            _ => None,
        }
    }

    /// The user talks, as the exchange tells; `None`: it tells no calls.
    pub fn talks(&self) -> Option<bool> {
        let told = self.can(Capability::CallControl);
        let talks = |call: &ExchangeCall| {
            matches!(
                call.state,
                ExchangeCallState::Active | ExchangeCallState::Held | ExchangeCallState::RemoteHeld
            )
        };
        told.then(|| self.calls.values().any(talks))
    }

    fn has_personal_call(&self) -> bool {
        let personal = |call: &ExchangeCall| {
            call.queue.is_none()
                && !matches!(call.state, ExchangeCallState::Released | ExchangeCallState::Detached)
        };
        self.personal_call || self.calls.values().any(personal)
    }

    /// A call of this program that came through no queue began or ended.
    pub fn set_personal_call(&mut self, on: bool) {
        if self.personal_call != on {
            self.personal_call = on;
            self.changed(Change::OwnAgent);
        }
    }

    // --- what is so ---

    /// How the view of the exchange stands.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The user at the exchange.
    pub fn me(&self) -> Option<&UserId> {
        self.me.as_ref()
    }

    /// His name there.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the account may do something.
    pub fn can(&self, capability: Capability) -> bool {
        self.present.contains(&capability)
    }

    /// All that the account may do.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> {
        self.present.iter().copied()
    }

    /// What it may not do, with the licence that would bring it.
    pub fn missing(&self) -> impl Iterator<Item = (Capability, &str)> {
        self.missing.iter().map(|(capability, licence)| (*capability, licence.as_str()))
    }

    /// The wishes of the own agent.
    pub fn own(&self) -> &OwnAgent {
        &self.own
    }

    /// The own agent as the exchange tells him.
    pub fn own_agent(&self) -> Option<&Agent> {
        self.agents.get(self.me.as_ref()?)
    }

    /// His state as the exchange told it last.
    pub fn status(&self) -> Option<&AgentStatus> {
        self.own_agent()?.status.as_ref()
    }

    /// What is wanted of his place in a queue.
    pub fn join(&self, queue: &QueueId) -> Option<&Wish<bool>> {
        self.joins.get(queue)
    }

    /// An agent.
    pub fn agent(&self, id: &UserId) -> Option<&Agent> {
        self.agents.get(id)
    }

    /// All agents that were told.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values()
    }

    /// A queue.
    pub fn queue(&self, id: &QueueId) -> Option<&QueueState> {
        self.queues.get(id)
    }

    /// All queues.
    pub fn queues(&self) -> impl Iterator<Item = &QueueState> {
        self.queues.values()
    }

    /// The figures of a queue with the severities that hold.
    pub fn figures(&self, now: Instant, queue: &QueueState) -> Vec<(MeasureKind, Measure)> {
        let now_ms = self.clock.ms(now);
        let wait = |since: u64| now_ms.saturating_sub(since) / 1000;
        let entries = &queue.queue.entries;
        let waits: Vec<u64> = entries.iter().map(|entry| wait(entry.since)).collect();
        let waits = queue.queue.known.then_some(waits.as_slice());
        measures::figures(&queue.queue.measures, waits, &queue.thresholds)
    }

    /// The user's thresholds of a queue.
    pub fn set_thresholds(&mut self, now: Instant, queue: &QueueId, thresholds: Thresholds) {
        let now_ms = self.clock.ms(now);
        if let Some(state) = self.queues.get_mut(queue)
            && state.thresholds != thresholds
        {
            state.thresholds = thresholds;
            state.judged_at = now_ms;
            self.changed(Change::Queue(queue.clone()));
        }
    }

    /// Reasons for being unavailable, and whether one must be given.
    pub fn reasons(&self) -> (&[Code], bool) {
        (&self.reasons, self.reason_forced)
    }

    /// A service.
    pub fn service(&self, kind: ServiceKind) -> Option<&ServiceState> {
        self.services.get(kind)
    }

    /// All services that were told or asked for.
    pub fn services(&self) -> impl Iterator<Item = (ServiceKind, &ServiceState)> {
        self.services.iter()
    }

    /// Hunt groups of the user.
    pub fn hunt_groups(&self) -> &[HuntGroupState] {
        &self.hunt_groups
    }

    /// Calls of the user as the exchange sees them.
    pub fn calls(&self) -> impl Iterator<Item = &ExchangeCall> {
        self.calls.values()
    }

    /// New and old messages.
    pub fn messages(&self) -> Option<(u32, u32)> {
        self.messages
    }

    /// Address of the list of the lines that the user watches, where it was told.
    pub fn line_list(&self) -> Option<&str> {
        self.line_list.as_deref()
    }

    /// The log of calls, newest first.
    pub fn call_log(&self) -> &[LogEntry] {
        &self.log
    }

    /// Callers who gave up; whom to call back first.
    pub fn abandoned(&self) -> Vec<&AbandonedCaller> {
        self.abandoned.list()
    }

    /// Emergency forwarding.
    pub fn emergency(&self, main: &Main) -> Emergency {
        let (wish, actual) = match main {
            Main::Line => (&self.line_forwarding, self.line_target()),
            Main::Queue(queue) => match self.queues.get(queue) {
                Some(state) => (&state.forwarding, state.queue.policy.forced_forwarding.clone()),
                None => return Emergency::default(),
            },
        };
        Emergency {
            wanted: wish.wanted().cloned(),
            actual,
            phase: wish.phase(),
            refused: wish.refused().map(|(refusal, _)| refusal.clone()),
        }
    }

    /// Where every call of the own line goes; empty: nowhere else.
    pub(super) fn line_target(&self) -> Option<String> {
        let state = self.services.get(ServiceKind::ForwardAlways)?;
        match state.actual.as_ref()? {
            super::Service::Forwarding { forwarding, .. } if forwarding.active => {
                Some(forwarding.to.clone())
            }
            _ => Some(String::new()),
        }
    }

    // --- lists of the user ---

    /// Somebody was called, or answered, by the user or somebody else.
    pub fn called(&mut self, number: &str, by: &CalledBack) {
        if self.abandoned.called(number, by) {
            self.changed(Change::General);
        }
    }

    /// The user says whether an abandoned caller need not be called any more. False: there is none.
    pub fn settle_abandoned(&mut self, id: u64, done: Option<CalledBack>) -> bool {
        let found = self.abandoned.settle(id, done);
        if found {
            self.changed(Change::General);
        }
        found
    }

    /// The agent's wrap-up is to last longer. False: he has none, or the exchange cannot be asked.
    pub fn extend_wrap_up(&mut self, now: Instant, by: Duration) -> bool {
        let up = self.link.is_up();
        let wraps_up = |status: &&AgentStatus| up && status.state == AgentState::WrapUp;
        let Some(status) = self.status().filter(wraps_up) else {
            return false;
        };
        let end = status.wrap_up.as_ref().and_then(|wrap_up| wrap_up.until);
        let end = self.own.extended_until().or(end.map(|ms| self.clock.at(ms)));
        let until = end.map_or(now, |end| end.max(now)) + by;
        let code = status.code.clone();
        self.ask(
            now,
            Request::SetAgentState {
                agent: None,
                state: AgentState::WrapUp,
                code,
                validate: false,
            },
        );
        self.own.extend(until);
        self.changed(Change::OwnAgent);
        true
    }

    /// The user wants the state that is so.
    pub fn accept_drift(&mut self) {
        let status = self.status().cloned();
        self.own.accept(status.as_ref());
        self.changed(Change::OwnAgent);
    }

    /// Asks again for the state that is wanted. `None`: nothing is.
    pub fn repeat_wish(&mut self, now: Instant) -> Option<RequestId> {
        let wanted = self.own.wish().wanted().cloned()?;
        let (state, code) = (wanted.state, wanted.code);
        Some(self.ask(now, Request::SetAgentState { agent: None, state, code, validate: false }))
    }
}
