//! One queue: its figures as the exchange counts them, its callers and members.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pbx::centre::{Measure, Measures};

use super::callers::Caller;
use super::member::Member;
use crate::{Config, Message};

/// Most members of one queue.
pub(crate) const MOST_MEMBERS: usize = 2_000;

/// Most callers of one queue.
pub(crate) const MOST_CALLERS: usize = 2_000;

/// Figures that come only when they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Average time until answer, seconds.
    hold_time: u32,
    /// Average length of a call, seconds.
    talk_time: u32,
    completed: u32,
    abandoned: u32,
    /// Percent of the answered calls that were answered in time.
    service_level: u32,
}

/// A queue as known.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) figures: Figures,
    /// Next one first. Those whose end is not explained yet stand among them.
    pub(crate) callers: Vec<Caller>,
    pub(crate) members: BTreeMap<String, Member>,
    /// As the settings of the exchange say; `None`: not told.
    pub(crate) wrap_up: Option<Duration>,
    /// When it is to be read again.
    pub(crate) read_at: Option<Instant>,
    pub(crate) told: Option<Measures>,
    /// The callers are others, or in another order, than told.
    pub(crate) callers_changed: bool,
}

impl Figures {
    /// Reads a `QueueParams`.
    pub(crate) fn read(message: &Message) -> Self {
        let count = |name| message.number(name).and_then(|n| n.try_into().ok()).unwrap_or(0);
        let level =
            message.get("ServicelevelPerf").and_then(|text| text.trim().parse::<f64>().ok());
        Self {
            hold_time: count("Holdtime"),
            talk_time: count("TalkTime"),
            completed: count("Completed"),
            abandoned: count("Abandoned"),
            service_level: percent(level.unwrap_or(0.0)),
        }
    }
}

impl Queue {
    /// Callers that still wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Caller> {
        self.callers.iter().filter(|caller| caller.gone.is_none())
    }

    /// Time to finish a call for a member.
    pub(crate) fn wrap_up_of(&self, member: &Member, config: &Config) -> Duration {
        if member.wrap_up.is_zero() {
            self.wrap_up.unwrap_or(config.wrap_up)
        } else {
            member.wrap_up
        }
    }

    /// When something is due.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let gone =
            self.callers.iter().filter_map(|caller| caller.gone.as_ref().map(|gone| gone.until));
        gone.chain(self.read_at).min()
    }

    /// The figures for the model; `at` is the exchange's time in milliseconds.
    pub(crate) fn measures(&self, at: u64, config: &Config) -> Measures {
        let plain = |value| Some(Measure { value, severity: None });
        let members = || self.members.values().filter(|member| !member.device.is_away());
        let oldest = self.waiting().map(|caller| caller.since).min();
        let wrap_up = self.wrap_up.unwrap_or(config.wrap_up).as_secs();
        let handling = u64::from(self.figures.talk_time).saturating_add(wrap_up);
        Measures {
            waiting: plain(count(self.waiting().count())),
            longest_wait: plain(oldest.map_or(0, |since| seconds(at.saturating_sub(since)))),
            // What the exchange itself announces to a new caller.
            expected_wait: plain(self.figures.hold_time),
            average_answer: plain(self.figures.hold_time),
            average_handling: plain(handling.try_into().unwrap_or(u32::MAX)),
            service_level: plain(self.figures.service_level),
            answered: Some(self.figures.completed),
            abandoned: Some(self.figures.abandoned),
            agents_assigned: Some(count(self.members.len())),
            agents_staffed: Some(count(members().count())),
            agents_idle: Some(count(members().filter(|m| m.device.is_free() && !m.paused).count())),
            agents_unavailable: Some(count(members().filter(|member| member.paused).count())),
        }
    }

    /// The figures, when they differ from those told last by more than the passing of time.
    pub(crate) fn changed_measures(&mut self, at: u64, config: &Config) -> Option<Measures> {
        let measures = self.measures(at, config);
        let timeless = Measures { longest_wait: None, ..measures };
        if self.told.as_ref() == Some(&timeless) {
            return None;
        }
        self.told = Some(timeless);
        Some(measures)
    }
}

fn count(number: usize) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

fn seconds(milliseconds: u64) -> u32 {
    (milliseconds / 1_000).try_into().unwrap_or(u32::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn percent(value: f64) -> u32 {
    value.round().clamp(0.0, 100.0) as u32
}
