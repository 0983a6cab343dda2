//! What agents, supervisors and administrators ask for.

use std::time::Instant;

use super::centre::Acd;
use super::config::{Code, DispositionCodes, Kind, QueueConfig, Treatment};
use super::model::{AgentId, AgentState, Priority, QueueId};
use super::news::{Done, News, QueueNews, Refusal, Request};
use crate::pbx::CallNumber;

impl Acd {
    /// Does what somebody asks for.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn handle_request(&mut self, now: Instant, request: Request) -> Result<Done, Refusal> {
        let done = match request {
            Request::SetState { agent, state, code, validate } => {
                self.set_state(now, &agent, state, code, validate)
            }
            Request::Join { agent, queue, joined } => self.join(now, &agent, &queue, joined),
            Request::ExtendWrapUp { agent, by_s } => self.extend(now, &agent, by_s),
            Request::Disposition { agent, call, code } => self.dispose(now, &agent, call, code),
            Request::Reorder { call, index } => self.reorder(now, call, index),
            Request::Promote { call, priority } => {
                self.needs_premium(call)?;
                self.promote(now, call, priority)
            }
            Request::Transfer { call, to } => self.transfer(now, call, to),
            Request::Release { call } => {
                self.queue_of(call)?;
                self.leave(now, call, QueueNews::Released);
                Ok(Done::Done)
            }
            Request::Night { queue, mode, action } => {
                let config = self.config(&queue)?;
                check_treatment(action.as_ref())?;
                config.night.mode = mode;
                if let Some(action) = action {
                    config.night.action = action;
                }
                self.set_calendar(now, self.calendar);
                Ok(Done::Done)
            }
            Request::ForcedForwarding { queue, active, to } => {
                self.force_forwarding(now, queue, active, to)
            }
            Request::Configure { config } => self.configure(now, *config),
        }?;
        self.settle(now);
        Ok(done)
    }

    fn config(&mut self, id: &QueueId) -> Result<&mut QueueConfig, Refusal> {
        let queue = self.queues.get_mut(id).ok_or_else(|| Refusal::UnknownQueue(id.clone()))?;
        queue.measures.touch();
        Ok(&mut queue.config)
    }

    fn queue_of(&self, call: CallNumber) -> Result<QueueId, Refusal> {
        self.waiting.get(&call).cloned().ok_or(Refusal::NotWaiting(call))
    }

    fn needs_premium(&self, call: CallNumber) -> Result<(), Refusal> {
        let id = self.queue_of(call)?;
        match self.queues.get(&id).map(|queue| queue.config.kind) {
            Some(Kind::Premium) => Ok(()),
            _ => Err(Refusal::NotOffered(id)),
        }
    }

    fn set_state(
        &mut self,
        now: Instant,
        id: &AgentId,
        state: AgentState,
        code: Option<String>,
        validate: bool,
    ) -> Result<Done, Refusal> {
        let unknown = || Refusal::UnknownAgent(id.clone());
        let agent = self.agents.get(id).ok_or_else(unknown)?;
        let signed_in = agent.state().is_signed_in();
        if agent.owes().is_some()
            && matches!(state, AgentState::Available | AgentState::Unavailable)
        {
            return Err(Refusal::OutcomeNeeded(id.clone()));
        }
        let code = self.unavailable_code(state, code)?;
        if validate && signed_in && state == AgentState::SignOut {
            let queues = self.last_staffed_by(id);
            if !queues.is_empty() {
                return Err(Refusal::LastAgent { agent: id.clone(), queues });
            }
        }
        self.agents.get_mut(id).ok_or_else(unknown)?.wish(now, state, code);
        Ok(Done::Done)
    }

    fn unavailable_code(
        &self,
        state: AgentState,
        code: Option<String>,
    ) -> Result<Option<String>, Refusal> {
        let codes = &self.unavailable_codes;
        if state != AgentState::Unavailable || !codes.enabled {
            return Ok(None);
        }
        match code {
            Some(code) if known(&codes.codes, &code) => Ok(Some(code)),
            Some(code) => Err(Refusal::BadCode(Some(code))),
            None => match codes.default_code() {
                Some(code) => Ok(Some(code.to_owned())),
                None if codes.forced => Err(Refusal::BadCode(None)),
                None => Ok(None),
            },
        }
    }

    /// The queues that nobody would staff if this agent signed out.
    pub fn last_staffed_by(&self, id: &AgentId) -> Vec<QueueId> {
        let staffs = |agent: &AgentId| {
            self.agents.get(agent).is_some_and(|agent| agent.state().is_signed_in())
        };
        let alone = self.queues.values().filter(|queue| {
            let mut staff = queue.joined().filter(|agent| staffs(agent));
            staff.next() == Some(id) && staff.next().is_none()
        });
        alone.map(|queue| queue.id().clone()).collect()
    }

    fn join(
        &mut self,
        now: Instant,
        agent: &AgentId,
        id: &QueueId,
        joined: bool,
    ) -> Result<Done, Refusal> {
        if !self.agents.contains_key(agent) {
            return Err(Refusal::UnknownAgent(agent.clone()));
        }
        let config = self.config(id)?;
        let may_leave = config.allow_leave;
        let not_a_member = || Refusal::NotAMember(agent.clone(), id.clone());
        let member = config.members.iter_mut().find(|member| member.agent == *agent);
        let member = member.ok_or_else(not_a_member)?;
        if member.joined == joined {
            return Ok(Done::Done);
        }
        if !(joined || may_leave && member.may_leave) {
            return Err(Refusal::MayNotLeave(agent.clone(), id.clone()));
        }
        member.joined = joined;
        if let Some(join) = self.queues.get(id).and_then(|queue| queue.join_info(agent)) {
            self.tell(now, News::AgentJoin { agent: agent.clone(), join });
        }
        Ok(Done::Done)
    }

    fn extend(&mut self, now: Instant, id: &AgentId, by_s: u64) -> Result<Done, Refusal> {
        let agent = self.agents.get_mut(id).ok_or_else(|| Refusal::UnknownAgent(id.clone()))?;
        match agent.extend(now, by_s) {
            true => Ok(Done::Done),
            false => Err(Refusal::NotWrappingUp(id.clone())),
        }
    }

    fn dispose(
        &mut self,
        now: Instant,
        id: &AgentId,
        call: Option<CallNumber>,
        code: String,
    ) -> Result<Done, Refusal> {
        let agent = self.agents.get(id).ok_or_else(|| Refusal::UnknownAgent(id.clone()))?;
        let (last, queue) = agent.last_call.clone().ok_or_else(|| Refusal::NoCall(id.clone()))?;
        let (call, queue) = match call {
            None => (last, queue),
            Some(call) if call == last => (last, queue),
            Some(call) => match self.talking.get(&call).filter(|talk| talk.agent == *id) {
                Some(talk) => (call, talk.entry.queue.clone()),
                None => return Err(Refusal::NoCall(id.clone())),
            },
        };
        let codes = &self.config(&queue)?.dispositions;
        if !codes.enabled {
            return Err(Refusal::NotOffered(queue));
        }
        let DispositionCodes { with_organization, codes, .. } = codes;
        let (with_organization, own) = (*with_organization, known(codes, &code));
        if !(own || with_organization && known(&self.dispositions, &code)) {
            return Err(Refusal::BadCode(Some(code)));
        }
        self.tell(now, News::Disposition { agent: id.clone(), call, queue, code });
        if let Some(agent) = self.agents.get_mut(id) {
            agent.disposed(now, call);
        }
        Ok(Done::Done)
    }

    /// The outcomes that can be given to calls of a queue.
    pub fn outcomes(&self, id: &QueueId) -> Vec<&str> {
        let Some(queue) = self.queues.get(id) else { return Vec::new() };
        let DispositionCodes { enabled, with_organization, codes, .. } = &queue.config.dispositions;
        let shared = self.dispositions.iter().filter(|_| *with_organization);
        let active = codes.iter().chain(shared).filter(|code| *enabled && code.active);
        active.map(|code| code.code.as_str()).collect()
    }

    fn reorder(&mut self, now: Instant, call: CallNumber, index: usize) -> Result<Done, Refusal> {
        let id = self.queue_of(call)?;
        let queue = self.queues.get_mut(&id).ok_or(Refusal::NotWaiting(call))?;
        let position = queue.line.reorder(call, index)?;
        self.told_queue(now, call, QueueNews::Reordered { position });
        Ok(Done::Position(position))
    }

    pub(super) fn promote(
        &mut self,
        now: Instant,
        call: CallNumber,
        priority: Priority,
    ) -> Result<Done, Refusal> {
        let id = self.queue_of(call)?;
        let queue = self.queues.get_mut(&id).ok_or(Refusal::NotWaiting(call))?;
        let position = queue.line.promote(now, call, priority)?;
        self.told_queue(now, call, QueueNews::Promoted { position });
        Ok(Done::Position(position))
    }

    fn transfer(&mut self, now: Instant, call: CallNumber, to: String) -> Result<Done, Refusal> {
        self.queue_of(call)?;
        check_number(&to)?;
        self.leave(now, call, QueueNews::Transferred { to });
        Ok(Done::Done)
    }

    fn force_forwarding(
        &mut self,
        now: Instant,
        id: QueueId,
        active: bool,
        to: Option<String>,
    ) -> Result<Done, Refusal> {
        if let Some(to) = &to {
            check_number(to)?;
        }
        let forwarding = &mut self.config(&id)?.forced_forwarding;
        let to = to.unwrap_or_else(|| forwarding.to.clone());
        if active {
            check_number(&to)?;
        }
        let before = std::mem::replace(&mut forwarding.active, active);
        forwarding.to = to;
        if before != active {
            self.tell(now, News::ForcedForwarding { queue: id, active });
        }
        Ok(Done::Done)
    }

    fn configure(&mut self, now: Instant, mut config: QueueConfig) -> Result<Done, Refusal> {
        check_queue(&config)?;
        let id = config.id.clone();
        let own = self.config(&id)?;
        config.number.clone_from(&own.number);
        config.members = std::mem::take(&mut own.members);
        config.supervisors = std::mem::take(&mut own.supervisors);
        let forwarding = config.forced_forwarding.active;
        let changed = own.forced_forwarding.active != forwarding;
        *own = config;
        if changed {
            let queue = id.clone();
            self.tell(now, News::ForcedForwarding { queue, active: forwarding });
        }
        self.tell(now, News::Configured { queue: id });
        self.set_calendar(now, self.calendar);
        Ok(Done::Done)
    }
}

fn known(codes: &[Code], code: &str) -> bool {
    codes.iter().any(|known| known.active && known.code == code)
}

/// A number that can be dialled.
pub(crate) fn check_number(number: &str) -> Result<(), Refusal> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let fits = !digits.is_empty()
        && digits.len() <= 32
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
    if fits { Ok(()) } else { Err(Refusal::BadNumber(number.to_owned())) }
}

fn check_treatment(treatment: Option<&Treatment>) -> Result<(), Refusal> {
    match treatment {
        Some(Treatment::Transfer(to)) => check_number(to),
        _ => Ok(()),
    }
}

/// A set-up whose values are in their ranges.
pub(crate) fn check_queue(config: &QueueConfig) -> Result<(), Refusal> {
    if config.length > 525 {
        return Err(Refusal::BadValue("a queue holds at most 525 calls"));
    }
    if config.bounce_rings.is_some_and(|rings| !(1..=20).contains(&rings)) {
        return Err(Refusal::BadValue("a call bounces after 1 to 20 rings"));
    }
    if !(1_000..=10_000).contains(&config.ring_ms) {
        return Err(Refusal::BadValue("a ring lasts 1000 to 10000 ms"));
    }
    let codes = config.dispositions.codes.iter();
    if codes.clone().any(|code| !(1..=10).contains(&code.code.chars().count())) {
        return Err(Refusal::BadValue("a code has 1 to 10 characters"));
    }
    let treatments = [
        &config.overflow_size,
        &config.overflow_time,
        &config.stranded,
        &config.stranded_unavailable,
        &config.night.action,
        &config.holiday.action,
    ];
    treatments.into_iter().try_for_each(|treatment| check_treatment(Some(treatment)))?;
    if config.forced_forwarding.active {
        check_number(&config.forced_forwarding.to)?;
    }
    match config.escape_digit {
        Some(_) => check_number(&config.escape_to),
        None => Ok(()),
    }
}
