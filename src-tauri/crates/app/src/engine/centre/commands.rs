//! Commands for exchanges. What can be refused here is refused at once; what the exchange decides is answered
//! when it has.

use std::time::{Duration, Instant};

use pbx::centre::{
    Agent, AgentState, Answer as Told, CalledBack, Capability, QueueId, QueuedCallId, Refusal,
    Request, RequestId, Service, ServiceKind, Supervision, Threshold, Thresholds, UserId,
};

use super::super::Reply;
use super::super::accounts::unknown_account;
use super::super::commands::unknown_call;
use super::super::desk::Desk;
use super::super::remote::Then;
use super::words::{
    error_reply, measure_of, night_override, priority_of, service_of, wished_state,
};
use super::{Running, greeting, kept, services};
use crate::code::Code;
use crate::config::{ThresholdSettings, Unknown};
use crate::control::{
    Answer, CentreCommand, DriftAction, ErrorReply, ExchangeCallCreated, QueuePosition,
    SuperviseHow,
};
use crate::view::centre::AgentWish;
use crate::view::queue::{QueueView, ThresholdView};
use crate::view::service::NightChoice;

/// Longest extension of a wrap-up, seconds.
const EXTENSION: u32 = 3600;
/// Most thresholds of one queue: as many as there are figures.
const THRESHOLDS: usize = 13;

/// A command whose answer is the outcome of a request, and what follows before it is answered.
pub(super) type Waiting = (Reply, Then);

/// The answer that the outcome of a request is.
pub(in super::super) fn outcome(result: Result<&Told, &Refusal>) -> Result<Answer, ErrorReply> {
    match result {
        Ok(Told::Accepted) => Ok(Answer::done()),
        Ok(Told::Position(position)) => {
            // Some exchanges count from nought.
            let position = Some((*position).max(1));
            Ok(Answer::Position(QueuePosition { position }))
        }
        Ok(Told::Call(call) | Told::Parked(call)) => {
            Ok(Answer::ExchangeCall(ExchangeCallCreated { exchange_call: Some(call.clone()) }))
        }
        Ok(Told::Recorded(recorded)) => Ok(Answer::Greeting(greeting::shown(recorded))),
        Ok(Told::Messages(all)) => Ok(Answer::Messages(all.iter().map(kept::message).collect())),
        Ok(Told::PersonalNumbers(all)) => {
            Ok(Answer::PersonalNumbers(all.iter().map(kept::number).collect()))
        }
        Err(refusal) => Err(error_reply(refusal)),
    }
}

/// What came of a command: done, or the exchange has been asked.
pub(super) enum Step {
    Done(Answer),
    Asked(RequestId),
}

pub(super) type Asked = Result<Step, ErrorReply>;

impl Desk {
    /// Obeys a command for an exchange.
    pub(in super::super) fn ask_centre(
        &mut self,
        now: Instant,
        command: CentreCommand,
        reply: Reply,
    ) {
        if let CentreCommand::GuestSignIn { .. } | CentreCommand::GuestSignOut { .. } = command {
            return self.ask_guest(now, command, reply);
        }
        match self.step_centre(now, command) {
            Ok((_, Step::Done(answer))) => reply(Ok(answer)),
            Ok((account, Step::Asked(id))) => match self.centres.running.get_mut(&account) {
                Some(running) => {
                    running.wait_for(id, reply, Then::Tell);
                }
                None => reply(Err(no_exchange())),
            },
            Err(refusal) => reply(Err(refusal)),
        }
    }

    fn step_centre(
        &mut self,
        now: Instant,
        command: CentreCommand,
    ) -> Result<(String, Step), ErrorReply> {
        let done = |answer| Ok((String::new(), Step::Done(answer)));
        match command {
            CentreCommand::Get {} => {
                let accounts = self.centres.running.iter();
                let views = accounts.filter_map(|(account, running)| {
                    let mut view = self.centre_view(now, account)?;
                    view.version = running.shown.version;
                    Some(view)
                });
                done(Answer::Centres(views.collect()))
            }
            CentreCommand::QueueList { queue, account } => {
                done(Answer::Queues(self.list_queues(now, queue.as_deref(), account.as_deref())?))
            }
            CentreCommand::QueueThresholds { queue, thresholds, account } => {
                self.choose_thresholds(now, &queue, &thresholds, account.as_deref())?;
                done(Answer::done())
            }
            CentreCommand::Escalate { call, emergency, to } => {
                self.escalate(now, call, emergency, to)
            }
            CentreCommand::CallRecord { call, action } => self.record_call(now, call, action),
            CentreCommand::DispositionSet { code, disposition, call: Some(call), account } => {
                self.dispose_call(now, &code, disposition, call, account.as_deref())
            }
            CentreCommand::QueueMove { queue, call, to, account } => {
                let to = self.move_target(to.as_deref(), account.as_deref())?;
                let account = self.exchange_account(account.as_deref())?;
                let running = self.running(&account)?;
                let step = running.move_caller(now, &queue, call, to)?;
                Ok((account, step))
            }
            CentreCommand::AbandonedDone { abandoned, done: settled, account } => {
                let at = self.clock.ms(now);
                let account = self.exchange_account(account.as_deref())?;
                let centre = &mut self.running(&account)?.centre;
                let by = centre.name().to_owned();
                let back = CalledBack { by, me: true, at, reached: true };
                match centre.settle_abandoned(abandoned, settled.unwrap_or(true).then_some(back)) {
                    true => done(Answer::done()),
                    false => Err(ErrorReply::new(Code::NotFound, "nobody is there to call back")),
                }
            }
            CentreCommand::ServiceGet { service, account } => {
                let account = self.exchange_account(account.as_deref())?;
                let running = self.centres.get(&account).ok_or_else(no_exchange)?;
                let mut views = self.service_views(&account, running);
                views.retain(|view| service.is_none_or(|wanted| wanted == view.service));
                done(Answer::Services(views))
            }
            other => {
                let named = account_of(&other);
                let account = self.exchange_account(named.as_deref())?;
                let step = self.running(&account)?.obey(now, other)?;
                Ok((account, step))
            }
        }
    }

    /// The account that is meant: the named one, or the first that has an exchange.
    fn exchange_account(&self, named: Option<&str>) -> Result<String, ErrorReply> {
        match named {
            Some(id) if self.centres.get(id).is_some() => Ok(id.to_owned()),
            Some(id) if self.account(id).is_none() => Err(unknown_account(id)),
            Some(_) => Err(no_exchange()),
            None => {
                let accounts = self.accounts.iter().map(|account| &account.settings.id);
                let mut accounts = accounts.filter(|id| self.centres.get(id).is_some());
                accounts.next().cloned().ok_or_else(no_exchange)
            }
        }
    }

    pub(super) fn running(&mut self, account: &str) -> Result<&mut Running, ErrorReply> {
        self.centres.running.get_mut(account).ok_or_else(no_exchange)
    }

    fn list_queues(
        &self,
        now: Instant,
        queue: Option<&str>,
        account: Option<&str>,
    ) -> Result<Vec<QueueView>, ErrorReply> {
        let accounts: Vec<String> = match account {
            Some(id) => vec![self.exchange_account(Some(id))?],
            None => self.centres.running.keys().cloned().collect(),
        };
        let mut views = Vec::new();
        for account in &accounts {
            let Some(running) = self.centres.get(account) else { continue };
            for state in running.centre.queues() {
                if queue.is_none_or(|wanted| is_queue(state, wanted))
                    && let Some(mut view) = self.queue_view(now, account, &state.queue.id)
                {
                    let shown = running.shown_queues.get(&state.queue.id);
                    view.version = shown.map_or(0, |shown| shown.version);
                    views.push(view);
                }
            }
        }
        match (views.is_empty(), queue) {
            (true, Some(queue)) => Err(unknown_queue(queue)),
            _ => Ok(views),
        }
    }

    /// The number that a caller is to be sent to; none: the user's own.
    fn move_target(
        &self,
        to: Option<&str>,
        account: Option<&str>,
    ) -> Result<Option<String>, ErrorReply> {
        let Some(to) = to else {
            return Ok(None);
        };
        let id = self.exchange_account(account)?;
        let account = self.account(&id).ok_or_else(|| unknown_account(&id))?;
        let uri = self.target(account, to)?;
        let number = uri.user().unwrap_or_else(|| uri.to_string());
        Ok(Some(number))
    }

    fn choose_thresholds(
        &mut self,
        now: Instant,
        queue: &str,
        thresholds: &[ThresholdView],
        account: Option<&str>,
    ) -> Result<(), ErrorReply> {
        if thresholds.len() > THRESHOLDS {
            return Err(ErrorReply::new(Code::BadValue, "more thresholds than figures"));
        }
        let account = self.exchange_account(account)?;
        let id = self.running(&account)?.queue(queue)?;
        let settings = self.settings.config.accounts.iter_mut();
        let running = self.accounts.iter_mut().map(|account| &mut account.settings);
        for settings in settings.chain(running).filter(|settings| settings.id == account) {
            settings.thresholds.retain(|known| known.queue != id.0);
            settings.thresholds.extend(thresholds.iter().map(|threshold| ThresholdSettings {
                queue: id.0.clone(),
                measure: threshold.measure,
                yellow: threshold.yellow,
                red: threshold.red,
                unknown: Unknown::new(),
            }));
        }
        self.keep_settings(now);
        self.apply_thresholds(now, &account);
        Ok(())
    }

    /// Gives the queues of an account the user's thresholds: those for the queue, else those for all.
    pub(super) fn apply_thresholds(&mut self, now: Instant, account: &str) {
        let Some(settings) =
            self.account(account).map(|account| account.settings.thresholds.clone())
        else {
            return;
        };
        let Some(running) = self.centres.running.get_mut(account) else { return };
        let queues: Vec<QueueId> =
            running.centre.queues().map(|state| state.queue.id.clone()).collect();
        for queue in queues {
            let own = settings.iter().any(|known| known.queue == queue.0);
            let meant = |known: &&ThresholdSettings| match own {
                true => known.queue == queue.0,
                false => known.queue.is_empty(),
            };
            let thresholds = settings.iter().filter(meant).map(|known| {
                let threshold = Threshold { yellow: known.yellow, red: known.red };
                (measure_of(known.measure), threshold)
            });
            running.centre.set_thresholds(now, &queue, Thresholds(thresholds.collect()));
        }
    }

    fn escalate(
        &mut self,
        now: Instant,
        call: u64,
        emergency: bool,
        to: Option<String>,
    ) -> Result<(String, Step), ErrorReply> {
        let id = call_control::CallId(call);
        let line = self.lines.get(&id).ok_or_else(|| unknown_call(call))?;
        let account = line.account.clone();
        let known = line.queue.as_ref().and_then(|queue| queue.exchange_call.clone());
        let running = self.running(&account)?;
        running.need(Capability::Escalate)?;
        let Some(call) = known else {
            return Err(ErrorReply::new(
                Code::WrongState,
                "the exchange does not tell of this call",
            ));
        };
        let request = Request::Escalate { call, emergency, to };
        Ok((account, Step::Asked(running.centre.ask(now, request))))
    }

    /// An outcome for a call that runs, or that has just ended.
    fn dispose_call(
        &mut self,
        now: Instant,
        code: &str,
        disposition: Option<u64>,
        call: u64,
        account: Option<&str>,
    ) -> Result<(String, Step), ErrorReply> {
        let line = self.lines.get(&call_control::CallId(call));
        let of_line = line.map(|line| line.account.clone());
        let queue = line.and_then(|line| line.queue.clone());
        let account = match &of_line {
            Some(account) => account.clone(),
            None => self.exchange_account(account)?,
        };
        // A call that is over stays visible for a while; its outcome is asked for already.
        let asks = |running: &Running| {
            let open = running.centre.questions().find(|q| q.local == Some(call));
            disposition.or(open.map(|question| question.id))
        };
        if let Some(question) = self.centres.get(&account).and_then(asks) {
            let running = self.running(&account)?;
            running.need(Capability::Disposition)?;
            return Ok((account, running.answer(now, question, code)?));
        }
        let queue = queue.ok_or_else(|| unknown_call(call))?;
        let running = self.running(&account)?;
        running.need(Capability::Disposition)?;
        let known = running
            .centre
            .queue(&queue.id)
            .is_some_and(|state| state.queue.dispositions.iter().any(|known| known.code == code));
        if !known {
            return Err(ErrorReply::new(Code::BadValue, format!("there is no outcome {code:?}")));
        }
        let last = queue.exchange_call.is_none();
        let request =
            Request::SetDisposition { call: queue.exchange_call, code: code.to_owned(), last };
        let id = running.centre.ask(now, request);
        if let Some(queue) =
            self.lines.get_mut(&call_control::CallId(call)).and_then(|line| line.queue.as_mut())
        {
            queue.disposition = Some(code.to_owned());
        }
        self.publisher.changed();
        Ok((account, Step::Asked(id)))
    }
}

impl Running {
    /// The command is answered when the request has come to its end.
    pub(in super::super) fn wait_for(&mut self, id: RequestId, reply: Reply, then: Then) {
        self.waiting.insert(id, (reply, then));
    }

    fn obey(&mut self, now: Instant, command: CentreCommand) -> Asked {
        let request = match command {
            CentreCommand::Refresh { .. } => Request::Refresh,
            CentreCommand::QueueJoin { queue, agent, .. } => {
                return self.join(now, &queue, agent.as_deref(), true);
            }
            CentreCommand::QueueLeave { queue, agent, .. } => {
                return self.join(now, &queue, agent.as_deref(), false);
            }
            CentreCommand::QueueReorder { queue, call, position, .. } => {
                if position == 0 {
                    return Err(ErrorReply::new(Code::BadValue, "places count from 1"));
                }
                let (queue, call) = self.caller(&queue, call)?;
                Request::Reorder { queue, call, index: position - 1 }
            }
            CentreCommand::QueuePromote { queue, call, priority, .. } => {
                let (queue, call) = self.caller(&queue, call)?;
                Request::Promote { queue, call, priority: priority_of(priority) }
            }
            CentreCommand::QueueRelease { queue, call, .. } => {
                let (queue, call) = self.caller(&queue, call)?;
                Request::ReleaseQueued { queue, call }
            }
            CentreCommand::CallPull { .. }
            | CentreCommand::CallRingBack { .. }
            | CentreCommand::CallReturn { .. }
            | CentreCommand::CallRedial { .. }
            | CentreCommand::CallTrace { .. } => self.own_call(&command)?,
            CentreCommand::HuntGroupJoin { group, .. } => self.hunt_group(&group, true)?,
            CentreCommand::HuntGroupLeave { group, .. } => self.hunt_group(&group, false)?,
            CentreCommand::ServiceSet { service, values, .. } => {
                let kind = service_of(service);
                self.need(Capability::Service(kind))?;
                let actual = self.centre.service(kind).and_then(|state| state.actual.as_ref());
                Request::SetService(services::service_with(kind, actual, values)?)
            }
            CentreCommand::GreetingGet { greeting, .. } => {
                self.need(Capability::Service(ServiceKind::VoiceMail))?;
                Request::ReadGreeting(greeting::kind(greeting))
            }
            CentreCommand::GreetingSet { greeting, name, wav, .. } => {
                self.need(Capability::Service(ServiceKind::VoiceMail))?;
                let recorded = greeting::recorded(&name, wav.text())?;
                Request::SetGreeting { kind: greeting::kind(greeting), recorded }
            }
            CentreCommand::NightSet { night, queue, .. } => self.night(night, queue.as_deref())?,
            CentreCommand::Supervise { agent, how, .. } => self.supervise(&agent, how)?,
            CentreCommand::EmergencyForward { to, queue, .. } => {
                return self.forward(now, to, queue.as_deref());
            }
            other => return self.obey_agent(now, other),
        };
        Ok(Step::Asked(self.centre.ask(now, request)))
    }

    /// What the exchange does with calls of the user that are none of this program's.
    fn own_call(&self, command: &CentreCommand) -> Result<Request, ErrorReply> {
        let (capability, request) = match command {
            CentreCommand::CallRingBack { .. } => (Capability::RingBack, Request::RingBack),
            CentreCommand::CallReturn { .. } => (Capability::CallReturn, Request::ReturnCall),
            CentreCommand::CallRedial { .. } => (Capability::Redial, Request::Redial),
            CentreCommand::CallTrace { .. } => (Capability::CallTrace, Request::TraceCall),
            _ => (Capability::PullCall, Request::PullCall),
        };
        self.need(capability)?;
        Ok(request)
    }

    fn obey_agent(&mut self, now: Instant, command: CentreCommand) -> Asked {
        match command {
            CentreCommand::AgentState { state, reason, agent, force, .. } => {
                self.agent_state(now, state, reason, agent.as_deref(), force)
            }
            CentreCommand::WrapUpExtend { seconds, .. } => {
                self.need(Capability::Agent)?;
                let seconds = seconds.unwrap_or(30);
                if seconds == 0 || seconds > EXTENSION {
                    return Err(ErrorReply::new(Code::BadValue, "1 to 3600 seconds"));
                }
                match self.centre.extend_wrap_up(now, Duration::from_secs(u64::from(seconds))) {
                    true => Ok(Step::Done(Answer::done())),
                    false => Err(ErrorReply::new(Code::WrongState, "there is no wrap-up")),
                }
            }
            CentreCommand::AgentDrift { action: DriftAction::Accept, .. } => {
                self.centre.accept_drift();
                Ok(Step::Done(Answer::done()))
            }
            CentreCommand::AgentDrift { action: DriftAction::Repeat, .. } => {
                let asked = self.centre.repeat_wish(now);
                asked
                    .map(Step::Asked)
                    .ok_or_else(|| ErrorReply::new(Code::WrongState, "nothing was asked for"))
            }
            CentreCommand::DispositionSet { code, disposition, .. } => {
                self.need(Capability::Disposition)?;
                let open = self.centre.questions().next().map(|question| question.id);
                match disposition.or(open) {
                    Some(question) => self.answer(now, question, &code),
                    None => {
                        let request = Request::SetDisposition { call: None, code, last: true };
                        Ok(Step::Asked(self.centre.ask(now, request)))
                    }
                }
            }
            CentreCommand::DispositionSkip { disposition, .. } => {
                let open = self.centre.questions().any(|question| question.id == disposition);
                match (open, self.centre.skip_question(disposition)) {
                    (false, _) => Err(ErrorReply::new(Code::NotFound, "nothing is asked for")),
                    (true, true) => Ok(Step::Done(Answer::done())),
                    (true, false) => {
                        Err(ErrorReply::new(Code::ReasonNeeded, "an outcome must be given"))
                    }
                }
            }
            other => self.obey_kept(now, other),
        }
    }

    fn agent_state(
        &mut self,
        now: Instant,
        wish: AgentWish,
        reason: Option<String>,
        agent: Option<&str>,
        force: bool,
    ) -> Asked {
        let agent = agent.map(|agent| self.agent(agent)).transpose()?;
        let agent = agent.filter(|agent| self.centre.me() != Some(agent));
        self.need(if agent.is_some() { Capability::Supervise } else { Capability::Agent })?;
        if agent.is_none()
            && wish == AgentWish::Available
            && let Some(question) = self.centre.needed_outcome()
        {
            let caller = question.party.label();
            let text = format!("the outcome of the call with {caller:?} must be given first");
            return Err(ErrorReply::new(Code::OutcomeNeeded, text));
        }
        let code = match wish {
            AgentWish::Unavailable => self.reason(reason)?,
            _ => None,
        };
        let state = wished_state(wish);
        let validate = state == AgentState::SignedOut && !force;
        let request = Request::SetAgentState { agent, state, code, validate };
        Ok(Step::Asked(self.centre.ask(now, request)))
    }

    /// The reason that is sent: the given one if it exists, else the default where one is forced.
    fn reason(&self, given: Option<String>) -> Result<Option<String>, ErrorReply> {
        let (codes, forced) = self.centre.reasons();
        match given.filter(|given| !given.is_empty()) {
            Some(given) => match codes.is_empty() || codes.iter().any(|code| code.code == given) {
                true => Ok(Some(given)),
                false => {
                    Err(ErrorReply::new(Code::BadValue, format!("there is no reason {given:?}")))
                }
            },
            None => {
                let default =
                    codes.iter().find(|code| code.is_default).map(|code| code.code.clone());
                match (forced, default) {
                    (true, None) => {
                        Err(ErrorReply::new(Code::ReasonNeeded, "a reason must be given"))
                    }
                    (_, default) => Ok(default),
                }
            }
        }
    }

    fn join(&mut self, now: Instant, queue: &str, agent: Option<&str>, joined: bool) -> Asked {
        let queue = self.queue(queue)?;
        let agent = agent.map(|agent| self.agent(agent)).transpose()?;
        let agent = agent.filter(|agent| self.centre.me() != Some(agent));
        self.need(if agent.is_some() { Capability::Supervise } else { Capability::JoinQueues })?;
        let about = match &agent {
            Some(agent) => self.centre.agent(agent),
            None => self.centre.own_agent(),
        };
        let membership =
            about.and_then(|agent| agent.memberships.iter().find(|m| m.queue == queue));
        if agent.is_none() && !joined && membership.is_some_and(|m| !m.may_leave) {
            return Err(ErrorReply::new(Code::Forbidden, "this queue may not be left"));
        }
        Ok(Step::Asked(self.centre.ask(now, Request::Join { agent, queue, joined })))
    }

    fn move_caller(
        &mut self,
        now: Instant,
        queue: &str,
        call: String,
        to: Option<String>,
    ) -> Asked {
        let (queue, call) = self.caller(queue, call)?;
        let own = || self.centre.own_agent().map(|agent| agent.number.clone());
        let number = to.or_else(own).filter(|number| !number.is_empty());
        let number = number
            .ok_or_else(|| ErrorReply::new(Code::BadTarget, "the own number is not known"))?;
        Ok(Step::Asked(self.centre.ask(now, Request::MoveToNumber { queue, call, number })))
    }

    fn hunt_group(&self, group: &str, joined: bool) -> Result<Request, ErrorReply> {
        let groups = self.centre.hunt_groups();
        let is = |state: &&pbx::centre::HuntGroupState| {
            let known = &state.group;
            known.id == group || known.name == group || contacts::same_number(&known.number, group)
        };
        let found = groups.iter().find(is);
        let found = found
            .ok_or_else(|| ErrorReply::new(Code::UnknownQueue, format!("no group {group:?}")))?;
        if !found.group.may_leave {
            return Err(ErrorReply::new(Code::Forbidden, "this group may not be joined or left"));
        }
        Ok(Request::JoinHuntGroup { group: found.group.id.clone(), joined })
    }

    fn night(&self, night: NightChoice, queue: Option<&str>) -> Result<Request, ErrorReply> {
        let locked = || ErrorReply::new(Code::Forbidden, "night may only be seen here");
        let Some(queue) = queue else {
            self.need(Capability::Service(ServiceKind::Night))?;
            let actual =
                self.centre.service(ServiceKind::Night).and_then(|state| state.actual.as_ref());
            if matches!(actual, Some(Service::Night(night)) if !night.may_change) {
                return Err(locked());
            }
            return Ok(Request::SetService(services::night_with(actual, night)));
        };
        let queue = self.queue(queue)?;
        self.need(Capability::QueuePolicy)?;
        if self.centre.queue(&queue).is_some_and(|state| !state.queue.policy.may_change) {
            return Err(locked());
        }
        Ok(Request::SetNight { queue, night: night_override(night) })
    }

    fn forward(&mut self, now: Instant, to: Option<String>, queue: Option<&str>) -> Asked {
        let to = to.map(|to| to.trim().to_owned()).unwrap_or_default();
        let number: String = to.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if !to.is_empty() && contacts::NumberKey::of(&number).is_none() {
            return Err(ErrorReply::new(Code::BadTarget, "calls can be forwarded to a number"));
        }
        match queue {
            None => {
                self.need(Capability::Service(ServiceKind::ForwardAlways))?;
                if !self.reads_forwarding_back() {
                    let words = "the exchange does not tell whether calls are forwarded";
                    return Err(ErrorReply::new(Code::Forbidden, words));
                }
                Ok(Step::Asked(self.centre.forward_line(now, &number)))
            }
            Some(queue) => {
                let queue = self.queue(queue)?;
                self.need(Capability::QueuePolicy)?;
                let to = Some(number).filter(|number| !number.is_empty());
                Ok(Step::Asked(self.centre.ask(now, Request::SetForcedForwarding { queue, to })))
            }
        }
    }

    fn supervise(&self, agent: &str, how: SuperviseHow) -> Result<Request, ErrorReply> {
        let (how, capability) = match how {
            SuperviseHow::Listen => (Supervision::Listen, Capability::SilentMonitor),
            SuperviseHow::Coach => (Supervision::Coach, Capability::Coach),
            SuperviseHow::BargeIn => (Supervision::BargeIn, Capability::BargeIn),
        };
        self.need(capability)?;
        let agent = self.agent(agent)?;
        Ok(Request::Supervise { agent: agent.0, how })
    }

    fn answer(&mut self, now: Instant, question: u64, code: &str) -> Asked {
        let asked = self.centre.answer_question(now, question, code);
        asked.map(Step::Asked).ok_or_else(|| {
            ErrorReply::new(Code::BadValue, format!("nothing is asked for, or no outcome {code:?}"))
        })
    }

    /// The account may do this; if a licence is missing it is named.
    pub(super) fn need(&self, capability: Capability) -> Result<(), ErrorReply> {
        if self.centre.can(capability) {
            return Ok(());
        }
        let licence = self.centre.missing().find(|(missing, _)| *missing == capability);
        Err(match licence {
            Some((_, licence)) => {
                ErrorReply::new(Code::LicenceMissing, format!("the licence is missing: {licence}"))
            }
            None => ErrorReply::new(Code::Forbidden, "the exchange does not offer this"),
        })
    }

    /// A queue by id, name or number.
    fn queue(&self, text: &str) -> Result<QueueId, ErrorReply> {
        let found = self.centre.queues().find(|state| is_queue(state, text));
        found.map(|state| state.queue.id.clone()).ok_or_else(|| unknown_queue(text))
    }

    /// A caller who waits.
    fn caller(&self, queue: &str, call: String) -> Result<(QueueId, QueuedCallId), ErrorReply> {
        let queue = self.queue(queue)?;
        self.need(Capability::QueueControl)?;
        let call = QueuedCallId(call);
        let waits = self.centre.queue(&queue).is_some_and(|state| {
            !state.queue.known || state.queue.entries.iter().any(|entry| entry.call == call)
        });
        match waits {
            true => Ok((queue, call)),
            false => Err(ErrorReply::new(Code::UnknownQueue, "this caller does not wait there")),
        }
    }

    /// An agent by id, name or number.
    fn agent(&self, text: &str) -> Result<UserId, ErrorReply> {
        let is = |agent: &&Agent| {
            agent.id.0 == text || agent.name == text || contacts::same_number(&agent.number, text)
        };
        let found = self.centre.agents().find(is).map(|agent| agent.id.clone());
        found.ok_or_else(|| ErrorReply::new(Code::UnknownAgent, format!("no agent {text:?}")))
    }
}

fn is_queue(state: &pbx::centre::QueueState, text: &str) -> bool {
    let queue = &state.queue;
    queue.id.0 == text || queue.name == text || contacts::same_number(&queue.number, text)
}

fn unknown_queue(queue: &str) -> ErrorReply {
    ErrorReply::new(Code::UnknownQueue, format!("there is no queue {queue:?}"))
}

fn no_exchange() -> ErrorReply {
    ErrorReply::new(Code::NoExchange, "no account has an exchange")
}

/// The account that a command names.
fn account_of(command: &CentreCommand) -> Option<String> {
    match command {
        CentreCommand::Refresh { account }
        | CentreCommand::QueueJoin { account, .. }
        | CentreCommand::QueueLeave { account, .. }
        | CentreCommand::QueueReorder { account, .. }
        | CentreCommand::QueuePromote { account, .. }
        | CentreCommand::QueueRelease { account, .. }
        | CentreCommand::AgentState { account, .. }
        | CentreCommand::WrapUpExtend { account, .. }
        | CentreCommand::AgentDrift { account, .. }
        | CentreCommand::HuntGroupJoin { account, .. }
        | CentreCommand::HuntGroupLeave { account, .. }
        | CentreCommand::DispositionSet { account, .. }
        | CentreCommand::DispositionSkip { account, .. }
        | CentreCommand::ServiceSet { account, .. }
        | CentreCommand::GreetingGet { account, .. }
        | CentreCommand::GreetingSet { account, .. }
        | CentreCommand::NightSet { account, .. }
        | CentreCommand::EmergencyForward { account, .. }
        | CentreCommand::CallPull { account }
        | CentreCommand::CallRingBack { account }
        | CentreCommand::CallReturn { account }
        | CentreCommand::CallRedial { account }
        | CentreCommand::CallTrace { account }
        | CentreCommand::MessageList { account }
        | CentreCommand::MessageGet { account, .. }
        | CentreCommand::MessageMark { account, .. }
        | CentreCommand::MessageDelete { account, .. }
        | CentreCommand::PersonalNumberList { account }
        | CentreCommand::PersonalNumberAdd { account, .. }
        | CentreCommand::PersonalNumberChange { account, .. }
        | CentreCommand::PersonalNumberRemove { account, .. }
        | CentreCommand::Supervise { account, .. } => account.clone(),
        _ => None,
    }
}
