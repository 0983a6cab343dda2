//! The core of the call centre: owns queues and agents, and moves calls between them.
//!
//! Inputs: from the exchange [`Input`]; from people [`Request`] (`requests`); from time `handle_timeout`. A call is in one
//! place at a time: it waits in a queue, talks with an agent, gets a treatment after it has left, or is gone.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use sip_core::Random;

use super::agent::{Agent, Change};
use super::config::{CallCentre, Code, QueueConfig, Treatment, UnavailableCodes};
use super::measures::Raw;
use super::model::{
    AgentCounts, AgentId, AgentState, AgentView, JoinInfo, Monitoring, Priority, QueueEntry,
    QueueId,
};
use super::news::{
    AcdEvent, Arrival, Command, Input, Left, News, Output, Policed, QueueNews, TurnedAway,
};
use super::queue::{Queue, waited};
use super::schedule::Calendar;
use super::view::{AcdView, QueueView};
use super::waiting::Waiting;
use crate::pbx::CallNumber;

/// A call that an agent has.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    pub(super) agent: AgentId,
    pub(super) entry: QueueEntry,
    pub(super) since: Instant,
}

/// The call centre.
#[derive(Debug)]
pub struct Acd {
    pub(super) queues: BTreeMap<QueueId, Queue>,
    pub(super) agents: BTreeMap<AgentId, Agent>,
    /// In which queue a call waits.
    pub(super) waiting: BTreeMap<CallNumber, QueueId>,
    pub(super) talking: BTreeMap<CallNumber, Conversation>,
    /// Calls that ring on after they have left.
    treated: BTreeMap<CallNumber, (Left, QueueEntry)>,
    pub(super) unavailable_codes: UnavailableCodes,
    pub(super) dispositions: Vec<Code>,
    pub(super) calendar: Calendar,
    pub(super) random: Random,
    outputs: VecDeque<Output>,
    /// When something came in last.
    now: Instant,
}

impl Acd {
    /// A call centre without calls. `calendar` is for business hours and holidays.
    pub fn new(now: Instant, centre: CallCentre, calendar: Calendar, random: Random) -> Self {
        let agents = centre.all_agents();
        let queue = |config: QueueConfig| (config.id.clone(), Queue::new(now, config, &calendar));
        Self {
            agents: agents.into_iter().map(|(id, agent)| (id, Agent::new(now, agent))).collect(),
            queues: centre.queues.into_iter().map(queue).collect(),
            waiting: BTreeMap::new(),
            talking: BTreeMap::new(),
            treated: BTreeMap::new(),
            unavailable_codes: centre.unavailable_codes,
            dispositions: centre.dispositions,
            calendar,
            random,
            outputs: VecDeque::new(),
            now,
        }
    }

    /// Takes in a fact. What does not fit, such as the answer of somebody who is not rung any more, changes nothing.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Entered(arrival) => self.enter(now, *arrival),
            Input::CallerGone { call } => self.caller_gone(now, call),
            Input::Digit { call, digit } => self.digit(now, call, digit),
            Input::Answered { call, agent } => self.answered(now, call, &agent),
            Input::Refused { call, agent } => self.refused(now, call, &agent),
            Input::Finished { call } => self.finish(now, call),
            Input::Line { agent, reachable, personal_calls } => {
                if let Some(agent) = self.agents.get_mut(&agent) {
                    agent.line(now, reachable, personal_calls, &self.unavailable_codes);
                }
            }
            Input::DoNotDisturb { agent, on } => {
                if let Some(agent) = self.agents.get_mut(&agent) {
                    agent.do_not_disturb(now, on, &self.unavailable_codes);
                }
            }
        }
        self.settle(now);
    }

    /// Lets everything happen that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        for agent in self.agents.values_mut() {
            agent.handle_timeout(now);
        }
        self.services_due(now);
        self.calls_due(now);
        self.settle(now);
        self.measures_due(now);
    }

    /// The next thing to do or to tell.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let now = self.now;
        let agents = self.agents.values().filter_map(|agent| agent.poll_timeout(now));
        let queues =
            self.queues.values().filter_map(|queue| queue.poll_timeout(now, &self.calendar));
        agents.chain(queues).min()
    }

    /// Sets the clock on the wall.
    pub fn set_calendar(&mut self, now: Instant, calendar: Calendar) {
        self.calendar = calendar;
        self.services_due(now);
        self.settle(now);
    }

    /// Whether this number is one of the queues.
    pub fn has_queue(&self, id: &QueueId) -> bool {
        self.queues.contains_key(id)
    }

    /// Whether this line is one of an agent.
    pub fn has_agent(&self, id: &AgentId) -> bool {
        self.agents.contains_key(id)
    }

    /// All calls are gone without a word, as after a power cut; agents and queues stay as they are.
    pub fn forget_calls(&mut self, now: Instant) {
        let calls: Vec<CallNumber> = self
            .waiting
            .keys()
            .chain(self.talking.keys())
            .chain(self.treated.keys())
            .copied()
            .collect();
        for call in calls {
            self.caller_gone(now, call);
        }
        for agent in self.agents.values_mut() {
            agent.line(now, false, 0, &self.unavailable_codes);
        }
        self.settle(now);
        self.outputs.retain(|output| matches!(output, Output::Event(_)));
    }

    pub(super) fn command(&mut self, command: Command) {
        self.outputs.push_back(Output::Command(command));
    }

    pub(super) fn tell(&mut self, now: Instant, news: News) {
        tracing::trace!(?news, "call centre");
        self.outputs.push_back(Output::Event(AcdEvent { at: now, news }));
    }

    fn tell_queue(&mut self, now: Instant, news: QueueNews, entry: QueueEntry) {
        tracing::debug!(call = entry.call.0, queue = %entry.queue, "{news:?}");
        self.tell(now, News::Queue(news, Box::new(entry)));
    }

    /// A call comes for a queue.
    fn enter(&mut self, now: Instant, arrival: Arrival) {
        let call = arrival.call;
        if self.knows(call) {
            return tracing::debug!(call = call.0, "comes twice");
        }
        let Some(queue) = self.queues.get_mut(&arrival.queue) else {
            tracing::warn!(queue = %arrival.queue, "there is no such queue");
            return self.command(Command::Refuse { call });
        };
        queue.counts.received += 1;
        queue.measures.touch();
        if let Some((why, treatment)) = queue.turns_away() {
            return self.turn_away(now, arrival, why, treatment);
        }
        let entry = QueueEntry {
            call,
            queue: arrival.queue.clone(),
            caller: arrival.caller,
            added_at: now,
            removed_at: None,
            priority: match arrival.to_front {
                true => Priority::Highest,
                false => arrival.priority.unwrap_or(queue.config.priority),
            },
            in_priority_since: now,
            mandatory_entrance: false,
            entrance_playing: false,
            bounced: false,
            reordered: false,
            waited_before: arrival.waited_before,
            offered_to: Vec::new(),
            answered_by: None,
        };
        if queue.is_full() {
            queue.counts.overflowed_size += 1;
            let treatment = match queue.config.overflow_size.clone() {
                Treatment::Leave => Treatment::Busy,
                treatment => treatment,
            };
            let news = QueueNews::Overflowed { time: false, treatment: treatment.clone() };
            self.tell_queue(now, news, QueueEntry { removed_at: Some(now), ..entry.clone() });
            return self.treat(entry, treatment, Left::OverflowSize);
        }
        let (waiting, sound) = Waiting::new(now, entry, &queue.config);
        let entry = waiting.entry.clone();
        let position = queue.line.insert(waiting, arrival.to_front);
        let length = u32::try_from(queue.line.len()).unwrap_or(u32::MAX);
        queue.counts.most_waiting = queue.counts.most_waiting.max(length);
        self.waiting.insert(call, arrival.queue);
        let redirections = arrival.redirections;
        self.tell_queue(now, QueueNews::Added { position, redirections }, entry);
        self.command(Command::Play { call, sound });
    }

    /// Whether a call waits, talks with an agent, or gets a treatment.
    pub fn knows(&self, call: CallNumber) -> bool {
        self.waiting.contains_key(&call)
            || self.talking.contains_key(&call)
            || self.treated.contains_key(&call)
    }

    /// Night, holiday or forced forwarding: the call never enters.
    fn turn_away(&mut self, now: Instant, arrival: Arrival, why: Policed, treatment: Treatment) {
        let Arrival { call, queue, caller, .. } = arrival;
        if let Some(queue) = self.queues.get_mut(&queue) {
            queue.counts.diverted += 1;
        }
        let left = match why {
            Policed::Night | Policed::Forwarded => Left::Night,
            Policed::Holiday => Left::Holiday,
        };
        let entry = QueueEntry {
            call,
            queue: queue.clone(),
            caller: caller.clone(),
            added_at: now,
            removed_at: Some(now),
            priority: Priority::default(),
            in_priority_since: now,
            mandatory_entrance: false,
            entrance_playing: false,
            bounced: false,
            reordered: false,
            waited_before: Duration::ZERO,
            offered_to: Vec::new(),
            answered_by: None,
        };
        let away = TurnedAway { call, queue, caller, why, treatment: treatment.clone() };
        self.tell(now, News::TurnedAway(Box::new(away)));
        self.treat(entry, treatment, left);
    }

    /// What is done with a call that is in no queue any more.
    fn treat(&mut self, entry: QueueEntry, treatment: Treatment, left: Left) {
        let call = entry.call;
        match treatment {
            Treatment::Transfer(to) => {
                let reason = match left {
                    Left::Night | Left::Holiday => "time-of-day",
                    _ => "unknown",
                };
                self.command(Command::SendTo { call, to, queue: entry.queue, reason });
            }
            Treatment::Ring => {
                self.treated.insert(call, (left, entry));
                self.command(Command::Ring { call });
            }
            Treatment::Busy | Treatment::Leave => self.command(Command::Refuse { call }),
        }
    }

    /// A call leaves its queue: nobody is rung for it any more. The entry as it was.
    pub(super) fn take_out(
        &mut self,
        now: Instant,
        call: CallNumber,
        answered_by: Option<&AgentId>,
    ) -> Option<QueueEntry> {
        let id = self.waiting.remove(&call)?;
        let queue = self.queues.get_mut(&id)?;
        let mut entry = queue.line.remove(call)?.entry;
        queue.measures.touch();
        let longest = waited(now, &entry).as_secs();
        queue.counts.longest_wait_s = queue.counts.longest_wait_s.max(longest);
        entry.removed_at = Some(now);
        for agent in std::mem::take(&mut entry.offered_to) {
            if answered_by == Some(&agent) {
                continue;
            }
            if let Some(agent) = self.agents.get_mut(&agent) {
                agent.withdrawn();
            }
            let elsewhere = answered_by.is_some();
            self.command(Command::Stop { call, agent, elsewhere });
        }
        Some(entry)
    }

    /// A call leaves its queue for something that is not an agent.
    pub(super) fn leave(&mut self, now: Instant, call: CallNumber, news: QueueNews) {
        let Some(entry) = self.take_out(now, call, None) else { return };
        if let Some(queue) = self.queues.get_mut(&entry.queue) {
            let counts = &mut queue.counts;
            *match news {
                QueueNews::Abandoned { .. } => &mut counts.abandoned,
                QueueNews::Transferred { .. } => &mut counts.transferred,
                QueueNews::Overflowed { .. } => &mut counts.overflowed_time,
                QueueNews::Stranded { .. } => &mut counts.stranded,
                QueueNews::Escaped { .. } => &mut counts.escaped,
                _ => &mut counts.released,
            } += 1;
        }
        let then = match &news {
            QueueNews::Overflowed { treatment, .. } => {
                Some((treatment.clone(), Left::OverflowTime))
            }
            QueueNews::Stranded { treatment, unavailable } => {
                let why = if *unavailable { Left::StrandedUnavailable } else { Left::Stranded };
                Some((treatment.clone(), why))
            }
            _ => None,
        };
        let sent_to = match &news {
            QueueNews::Transferred { to } | QueueNews::Escaped { to } => Some(to.clone()),
            _ => None,
        };
        let released = news == QueueNews::Released;
        self.tell_queue(now, news, entry.clone());
        if let Some((treatment, why)) = then {
            self.treat(entry, treatment, why);
        } else if let Some(to) = sent_to {
            let reason = "unknown";
            self.command(Command::SendTo { call, to, queue: entry.queue, reason });
        } else if released {
            self.command(Command::Release { call });
        }
    }

    fn caller_gone(&mut self, now: Instant, call: CallNumber) {
        if let Some((why, entry)) = self.treated.remove(&call) {
            self.tell(now, News::TreatmentCompleted { why, entry: Box::new(entry) });
        } else if self.talking.contains_key(&call) {
            self.finish(now, call);
        } else if let Some(entry) = self.entry(call) {
            let entrance_playing = entry.entrance_playing;
            self.leave(now, call, QueueNews::Abandoned { entrance_playing });
        }
    }

    fn entry(&self, call: CallNumber) -> Option<&QueueEntry> {
        let queue = self.queues.get(self.waiting.get(&call)?)?;
        queue.line.get(call).map(|waiting| &waiting.entry)
    }

    fn digit(&mut self, now: Instant, call: CallNumber, digit: char) {
        let Some(queue) = self.waiting.get(&call).and_then(|id| self.queues.get(id)) else {
            return;
        };
        if queue.config.escape_digit == Some(digit) && !queue.config.escape_to.is_empty() {
            let to = queue.config.escape_to.clone();
            self.leave(now, call, QueueNews::Escaped { to });
        }
    }

    /// Somebody has the call: an agent who was rung, or who took it from the queue.
    fn answered(&mut self, now: Instant, call: CallNumber, agent: &AgentId) {
        if !self.agents.contains_key(agent) {
            // Picked up by somebody who is no agent.
            if let Some(entry) = self.take_out(now, call, None) {
                if let Some(queue) = self.queues.get_mut(&entry.queue) {
                    queue.counts.transferred += 1;
                }
                self.tell_queue(now, QueueNews::Transferred { to: agent.0.clone() }, entry);
            }
            return;
        }
        let Some(mut entry) = self.take_out(now, call, Some(agent)) else { return };
        entry.answered_by = Some(agent.clone());
        let waited = waited(now, &entry).as_secs();
        if let Some(queue) = self.queues.get_mut(&entry.queue) {
            queue.measures.answered(waited);
            queue.counts.answered += 1;
            queue.counts.wait_s += waited;
            queue.counts.answered_in_time += u32::from(waited <= queue.config.service_level_s);
        }
        // Another call that rings there is given back.
        self.withdraw_from(now, agent, Some(call));
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.answered(now, call, entry.queue.clone());
        }
        self.tell_queue(now, QueueNews::AnsweredByAgent(agent.clone()), entry.clone());
        self.talking.insert(call, Conversation { agent: agent.clone(), entry, since: now });
    }

    /// The conversation with the agent is over.
    fn finish(&mut self, now: Instant, call: CallNumber) {
        let Some(Conversation { agent, entry, since }) = self.talking.remove(&call) else { return };
        let talked = now.saturating_duration_since(since);
        let outcomes = self.outcomes(&entry.queue).len();
        let queue = self.queues.get_mut(&entry.queue);
        // Nobody can give an outcome of which there is none.
        let is_forced = |queue: &Queue| queue.config.dispositions.forced && outcomes > 0;
        let forced = queue.as_deref().is_some_and(is_forced);
        let post = queue.and_then(|queue| {
            queue.measures.handled(talked.as_secs());
            queue.counts.handled += 1;
            queue.counts.talk_s += talked.as_secs();
            queue.config.post_call.clone()
        });
        if let Some(agent) = self.agents.get_mut(&agent) {
            let after = (post.as_ref(), forced);
            agent.finished(now, (call, entry.queue.clone()), talked, after);
        }
        self.tell(now, News::ConversationEnded { agent, entry: Box::new(entry), talked });
    }

    /// Tells what became of agents, and lets everything come to rest that follows from it.
    pub(super) fn settle(&mut self, now: Instant) {
        self.now = now;
        loop {
            let mut changed = false;
            let news = self.agents.iter_mut().filter(|(_, agent)| agent.has_changes());
            let news: Vec<(AgentId, Vec<Change>)> =
                news.map(|(id, agent)| (id.clone(), agent.take_changes())).collect();
            for (id, changes) in news {
                for change in changes {
                    changed = true;
                    self.agent_changed(now, &id, change);
                }
            }
            self.strand(now);
            self.distribute(now);
            if !changed {
                return;
            }
        }
    }

    fn agent_changed(&mut self, now: Instant, id: &AgentId, change: Change) {
        match change {
            Change::Status(status) => {
                self.bounce_from(now, id);
                let queues = self.queues.values_mut();
                let own = queues.filter(|queue| queue.has(id));
                own.for_each(|queue| queue.measures.touch());
                self.tell(now, News::AgentState { agent: id.clone(), status });
            }
            Change::Alert { on_call, since } => {
                self.tell(now, News::AgentAlert { agent: id.clone(), on_call, since });
            }
            Change::WrappedUp { queue, seconds } => {
                if let Some(queue) = self.queues.get_mut(&queue) {
                    queue.counts.wrap_up_s += seconds;
                    queue.measures.wrapped_up(seconds);
                }
            }
        }
    }

    /// Calls of queues that nobody staffs leave, if so configured.
    fn strand(&mut self, now: Instant) {
        let mut lost = Vec::new();
        for queue in self.queues.values().filter(|queue| queue.line.len() > 0) {
            let staff = || {
                let joined = queue.joined().filter_map(|id| self.agents.get(id));
                joined.map(Agent::state).filter(|state| state.is_signed_in())
            };
            let (unavailable, treatment) = if staff().next().is_none() {
                (false, &queue.config.stranded)
            } else if staff().all(|state| state == AgentState::Unavailable) {
                (true, &queue.config.stranded_unavailable)
            } else {
                continue;
            };
            if *treatment != Treatment::Leave {
                let calls = queue.line.iter().map(|waiting| waiting.entry.call);
                lost.extend(calls.map(|call| (call, unavailable, treatment.clone())));
            }
        }
        for (call, unavailable, treatment) in lost {
            self.leave(now, call, QueueNews::Stranded { unavailable, treatment });
        }
    }

    /// Messages, promotions, bounces and overflows that are due.
    fn calls_due(&mut self, now: Instant) {
        for (call, id) in self.waiting.clone() {
            let staffed = self.staffed(&id);
            let Some(queue) = self.queues.get_mut(&id) else { continue };
            let config = &queue.config;
            let Some(waiting) = queue.line.get(call) else { continue };
            if waiting.overflows_at(config).is_some_and(|at| at <= now) {
                let treatment = config.overflow_time.clone();
                self.leave(now, call, QueueNews::Overflowed { time: true, treatment });
                continue;
            }
            let late = waiting.ring_ends.is_some_and(|at| at <= now);
            let rung = waiting.entry.offered_to.clone();
            let promoted = waiting.promoted_at(config).filter(|(at, _)| *at <= now);
            let position = queue.line.position(call);
            let wait = queue.measures.expected_wait(position, staffed, queue.usual_call_s());
            let sound = match queue.line.get_mut(call) {
                Some(waiting) => waiting.sound_due(now, &queue.config, (position, wait)),
                None => None,
            };
            if let Some(sound) = sound {
                self.command(Command::Play { call, sound });
            }
            if let Some((_, priority)) = promoted {
                let _ = self.promote(now, call, priority);
            }
            if late {
                self.not_taken(now, call, &rung, true);
            }
        }
    }

    fn services_due(&mut self, now: Instant) {
        for id in self.queues.keys().cloned().collect::<Vec<_>>() {
            let Some(queue) = self.queues.get_mut(&id) else { continue };
            let after = queue.services_now(now, &self.calendar);
            let before = std::mem::replace(&mut queue.services, after);
            if (before.night, before.forced) != (after.night, after.forced) {
                let (active, forced) = (after.night, after.forced);
                self.tell(now, News::NightService { queue: id.clone(), active, forced });
            }
            if before.holiday != after.holiday {
                self.tell(now, News::HolidayService { queue: id, active: after.holiday });
            }
        }
    }

    fn measures_due(&mut self, now: Instant) {
        for id in self.queues.keys().cloned().collect::<Vec<_>>() {
            let Some(queue) = self.queues.get(&id) else { continue };
            let waits = queue.line.len() > 0;
            if queue.measures.poll_timeout(now, waits).is_none_or(|at| at > now) {
                continue;
            }
            let Some(monitoring) = self.monitoring(now, &id) else { continue };
            if let Some(queue) = self.queues.get_mut(&id) {
                queue.measures.tell(now, monitoring);
            }
            let monitoring = Box::new(monitoring);
            self.tell(now, News::Monitoring { queue: id, monitoring });
        }
    }

    pub(super) fn staffed(&self, id: &QueueId) -> u32 {
        let Some(queue) = self.queues.get(id) else { return 0 };
        let joined = queue.joined().filter_map(|agent| self.agents.get(agent));
        count(joined.filter(|agent| agent.state().is_signed_in()))
    }

    /// The measures of a queue.
    pub fn monitoring(&self, now: Instant, id: &QueueId) -> Option<Monitoring> {
        let queue = self.queues.get(id)?;
        let staff = || {
            let joined = queue.joined().filter_map(|agent| self.agents.get(agent));
            joined.filter(|agent| agent.state().is_signed_in())
        };
        let unavailable = |agent: &&Agent| agent.state() == AgentState::Unavailable;
        let raw = Raw {
            longest_wait: queue.longest_wait(now),
            calls: count(queue.line.iter()),
            assigned: count(queue.config.members.iter()),
            staffed: count(staff()),
            idle: count(staff().filter(|agent| agent.is_idle())),
            unavailable: count(staff().filter(unavailable)),
        };
        Some(queue.measures.now(raw, &queue.config.thresholds, queue.usual_call_s()))
    }

    /// Everything as it is.
    pub fn view(&self, now: Instant) -> AcdView {
        let queue = |queue: &Queue| QueueView {
            config: queue.config.clone(),
            entries: queue.line.iter().map(|waiting| waiting.entry.clone()).collect(),
            monitoring: self.monitoring(now, queue.id()).unwrap_or_default(),
            counts: queue.counts,
            night: queue.services.night,
            night_forced: queue.services.forced,
            holiday: queue.services.holiday,
        };
        let mut joins: BTreeMap<&AgentId, Vec<JoinInfo>> = BTreeMap::new();
        for queue in self.queues.values() {
            for member in &queue.config.members {
                joins.entry(&member.agent).or_default().push(queue.join_info_of(member));
            }
        }
        let agent = |agent: &Agent| {
            let queues = joins.remove(agent.id()).unwrap_or_default();
            agent_view(agent, queues)
        };
        AcdView {
            queues: self.queues.values().map(queue).collect(),
            agents: self.agents.values().map(agent).collect(),
            conversations: self.talking.values().map(|talk| talk.entry.clone()).collect(),
            unavailable_codes: self.unavailable_codes.clone(),
            dispositions: self.dispositions.clone(),
        }
    }

    /// The set-up of a queue.
    pub fn queue_config(&self, id: &QueueId) -> Option<&QueueConfig> {
        self.queues.get(id).map(|queue| &queue.config)
    }

    /// What an agent has done so far.
    pub fn counts_of(&self, id: &AgentId) -> Option<AgentCounts> {
        self.agents.get(id).map(|agent| agent.counts)
    }

    /// All calls that wait or that agents talk in.
    pub fn entries(&self) -> impl Iterator<Item = &QueueEntry> {
        let lines = self.queues.values().flat_map(|queue| queue.line.iter());
        let waiting = lines.map(|waiting| &waiting.entry);
        waiting.chain(self.talking.values().map(|talk| &talk.entry))
    }

    /// One agent.
    pub fn agent(&self, id: &AgentId) -> Option<AgentView> {
        let queues = || self.queues.values().filter_map(|queue| queue.join_info(id)).collect();
        self.agents.get(id).map(|agent| agent_view(agent, queues()))
    }

    /// Where a call waits, and as which one, from 1.
    pub fn place_of(&self, call: CallNumber) -> Option<(QueueId, usize)> {
        let id = self.waiting.get(&call)?;
        let queue = self.queues.get(id)?;
        Some((id.clone(), queue.line.position(call)))
    }

    /// The agent who has this call.
    pub fn agent_of(&self, call: CallNumber) -> Option<&AgentId> {
        self.talking.get(&call).map(|talk| &talk.agent)
    }

    pub(super) fn told_queue(&mut self, now: Instant, call: CallNumber, news: QueueNews) {
        if let Some(entry) = self.entry(call).cloned() {
            self.tell_queue(now, news, entry);
        }
    }

    /// Calls that ring on after they have left.
    #[cfg(test)]
    pub(super) fn is_treated(&self, call: CallNumber) -> bool {
        self.treated.contains_key(&call)
    }
}

fn agent_view(agent: &Agent, queues: Vec<JoinInfo>) -> AgentView {
    AgentView {
        agent: agent.id().clone(),
        status: agent.status(),
        queues,
        offered: agent.offered,
        calls: agent.calls.clone(),
        personal_calls: agent.personal_calls,
        bounces: agent.bounces,
        counts: agent.counts,
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
