//! One queue: its set-up, who waits, its services and what is counted. The core moves calls in and out.
//!
//! Inputs: from the core everything; from time `services_due`.

use std::time::{Duration, Instant};

use super::config::{Member, Night, QueueConfig, Treatment};
use super::line::Line;
use super::measures::Measures;
use super::model::{AgentId, JoinInfo, QueueCounts, QueueEntry, QueueId};
use super::news::Policed;
use super::schedule::Calendar;
use super::waiting::Waiting;

/// Night and holiday service as last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Services {
    pub(crate) night: bool,
    pub(crate) forced: bool,
    pub(crate) holiday: bool,
}

/// One queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) config: QueueConfig,
    pub(crate) line: Line,
    pub(crate) counts: QueueCounts,
    pub(crate) measures: Measures,
    /// Place of the member who was rung last.
    pub(crate) last: Option<usize>,
    pub(crate) services: Services,
}

impl Queue {
    pub(crate) fn new(now: Instant, config: QueueConfig, calendar: &Calendar) -> Self {
        let mut queue = Self {
            config,
            line: Line::default(),
            counts: QueueCounts::default(),
            measures: Measures::new(),
            last: None,
            services: Services::default(),
        };
        queue.services = queue.services_now(now, calendar);
        queue
    }

    pub(crate) fn id(&self) -> &QueueId {
        &self.config.id
    }

    /// Who of the members takes its calls.
    pub(crate) fn joined(&self) -> impl Iterator<Item = &AgentId> {
        self.config.members.iter().filter(|member| member.joined).map(|member| &member.agent)
    }

    /// Whether an agent belongs to it.
    pub(crate) fn has(&self, agent: &AgentId) -> bool {
        self.config.members.iter().any(|member| member.agent == *agent)
    }

    /// An agent's place in it.
    pub(crate) fn join_info(&self, agent: &AgentId) -> Option<JoinInfo> {
        let member = self.config.members.iter().find(|member| member.agent == *agent)?;
        Some(self.join_info_of(member))
    }

    /// The place of one of its members.
    pub(crate) fn join_info_of(&self, member: &Member) -> JoinInfo {
        JoinInfo {
            queue: self.config.id.clone(),
            joined: member.joined,
            skill: self.config.skill_based.then_some(member.skill),
            may_leave: member.may_leave && self.config.allow_leave,
        }
    }

    /// Which services are on.
    pub(crate) fn services_now(&self, now: Instant, calendar: &Calendar) -> Services {
        let night = &self.config.night;
        let closed = || {
            let hours = night.business_hours.as_ref();
            hours.is_some_and(|hours| !hours.is_open(calendar.second_of_week(now)))
        };
        let on = match night.mode {
            Night::Off => false,
            Night::On => true,
            Night::Automatic => closed(),
        };
        Services {
            night: on,
            forced: night.mode == Night::On,
            holiday: self.config.holiday.days.contains(&calendar.day(now)),
        }
    }

    /// When a service may begin or end by itself.
    pub(crate) fn services_due(&self, now: Instant, calendar: &Calendar) -> Option<Instant> {
        let night = &self.config.night;
        let hours = night.business_hours.as_ref().filter(|_| night.mode == Night::Automatic);
        let night = hours.and_then(|hours| hours.next_change(calendar.second_of_week(now)));
        let holiday = (!self.config.holiday.days.is_empty()).then(|| calendar.until_midnight(now));
        [night, holiday].into_iter().flatten().min().map(|after| now + after)
    }

    /// Why a call that comes now is turned away, and what is done with it.
    pub(crate) fn turns_away(&self) -> Option<(Policed, Treatment)> {
        let config = &self.config;
        let acts = |treatment: &Treatment| *treatment != Treatment::Leave;
        if self.services.holiday && acts(&config.holiday.action) {
            Some((Policed::Holiday, config.holiday.action.clone()))
        } else if self.services.night && acts(&config.night.action) {
            Some((Policed::Night, config.night.action.clone()))
        } else if config.forced_forwarding.active {
            let to = config.forced_forwarding.to.clone();
            Some((Policed::Forwarded, Treatment::Transfer(to)))
        } else {
            None
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.line.len() >= usize::try_from(self.config.length).unwrap_or(usize::MAX)
    }

    /// How long a call takes when none has been measured.
    pub(crate) fn usual_call_s(&self) -> Option<u64> {
        let message = self.config.wait_message?;
        Some(u64::from(message.usual_call_minutes) * 60)
    }

    /// The longest wait of those who wait, seconds.
    pub(crate) fn longest_wait(&self, now: Instant) -> u64 {
        let since = self.line.iter().map(|waiting| waited(now, &waiting.entry).as_secs());
        since.max().unwrap_or(0)
    }

    /// When something is due for one of the waiting calls.
    pub(crate) fn poll_timeout(&self, now: Instant, calendar: &Calendar) -> Option<Instant> {
        let calls = self
            .line
            .iter()
            .filter_map(|waiting: &Waiting| waiting.poll_timeout(now, &self.config));
        let told = self.measures.poll_timeout(now, self.line.len() > 0);
        calls.chain(told).chain(self.services_due(now, calendar)).min()
    }
}

/// How long a call has waited in this queue.
pub(crate) fn waited(now: Instant, entry: &QueueEntry) -> Duration {
    now.saturating_duration_since(entry.added_at)
}
