//! The life of the company that nobody steers: simulated colleagues who talk with each other.
//!
//! Inputs: from the exchange `begin_talk` (two simulated parties were put together), `set_pace`; from time
//! `handle_timeout`, which is told who is free. No phone and no sound takes part; only the lamps show it.

use std::time::{Duration, Instant};

use sip_core::Random;

use crate::call::Who;
use crate::pbx::CallNumber;

/// Talks at once, however many are asked for.
const TALKS: usize = 2_000;

/// How busy the company is.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Pace {
    /// Talks that begin in a minute, of all colleagues together. 0: none.
    pub per_minute: f64,
    /// How long a talk lasts, seconds, from the answer on: from half to one and a half of it.
    #[serde(default = "usual_length")]
    pub talk_s: u64,
}

fn usual_length() -> u64 {
    45
}

impl Default for Pace {
    fn default() -> Self {
        Self { per_minute: 0.0, talk_s: usual_length() }
    }
}

/// One talk of two simulated parties.
#[derive(Debug)]
pub(crate) struct Talk {
    /// Number within this run.
    pub(crate) number: u64,
    pub(crate) caller: Who,
    pub(crate) called: Who,
    /// Until then it rings.
    pub(crate) answered_at: Instant,
    ends_at: Instant,
    /// Whether the answer has been seen to.
    pub(crate) answered: bool,
    /// The call of a queue that it is.
    pub(crate) conversation: Option<CallNumber>,
}

/// All talks, and when the next begins.
pub(crate) struct Life {
    random: Random,
    pace: Pace,
    talks: Vec<Talk>,
    /// Calls of queues whose talk is over.
    over: Vec<CallNumber>,
    last: u64,
    next: Option<Instant>,
}

impl Life {
    /// A quiet company.
    pub(crate) fn new(now: Instant, pace: Pace, random: Random) -> Self {
        let mut life =
            Self { random, pace, talks: Vec::new(), over: Vec::new(), last: 0, next: None };
        life.set_pace(now, pace);
        life
    }

    /// Sets how often colleagues call each other.
    pub(crate) fn set_pace(&mut self, now: Instant, pace: Pace) {
        self.pace = pace;
        self.next = self.next_call(now);
    }

    /// The talks there are.
    pub(crate) fn talks(&self) -> &[Talk] {
        &self.talks
    }

    /// Whether the line takes part in a talk.
    pub(crate) fn is_busy(&self, line: &str) -> bool {
        self.talks.iter().any(|talk| {
            [&talk.caller, &talk.called].iter().any(|who| who.extension.as_deref() == Some(line))
        })
    }

    /// Whether the line takes part in a talk that is no call of a queue.
    pub(crate) fn is_busy_otherwise(&self, line: &str) -> bool {
        let own = |who: &Who| who.extension.as_deref() == Some(line);
        let mut personal = self.talks.iter().filter(|talk| talk.conversation.is_none());
        personal.any(|talk| own(&talk.caller) || own(&talk.called))
    }

    /// The calls of queues whose talk is over since this was last asked.
    pub(crate) fn take_over(&mut self) -> Vec<CallNumber> {
        std::mem::take(&mut self.over)
    }

    /// Two who have been put together talk for a while; `conversation` is the call of a queue that it is.
    pub(crate) fn begin_talk(
        &mut self,
        now: Instant,
        caller: Who,
        called: Who,
        conversation: Option<CallNumber>,
    ) {
        self.begin(now, caller, called, Duration::ZERO);
        if let Some(talk) = self.talks.last_mut() {
            talk.conversation = conversation;
        }
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let ends = self
            .talks
            .iter()
            .map(|talk| if talk.answered { talk.ends_at } else { talk.answered_at });
        ends.chain(self.next).min()
    }

    /// Lets talks begin, be answered and end; `free` yields those who could call or be called. True if anything
    /// changed.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        free: impl FnOnce(&Self) -> Vec<Who>,
    ) -> bool {
        let before = self.talks.len();
        let over = self.talks.extract_if(.., |talk| talk.ends_at <= now);
        self.over.extend(over.filter_map(|talk| talk.conversation));
        let mut changed = self.talks.len() != before;
        for talk in self.talks.iter_mut().filter(|talk| !talk.answered && talk.answered_at <= now) {
            talk.answered = true;
            changed = true;
        }
        if self.next.is_some_and(|at| at <= now) {
            self.next = self.next_call(now);
            let mut free = free(self);
            if free.len() >= 2 && self.talks.len() < TALKS {
                let caller = self.pick(&mut free);
                let called = self.pick(&mut free);
                let rings = Duration::from_millis(self.random.between(1_500, 6_000));
                self.begin(now, caller, called, rings);
                changed = true;
            }
        }
        changed
    }

    /// Ends everything at once.
    pub(crate) fn forget(&mut self) {
        self.talks.clear();
    }

    fn begin(&mut self, now: Instant, caller: Who, called: Who, rings: Duration) {
        self.last += 1;
        let length = self.pace.talk_s.clamp(1, 3_600) * 1_000;
        let length = Duration::from_millis(self.random.between(length / 2, length * 3 / 2));
        let answered_at = now + rings;
        tracing::debug!(talk = self.last, "none, begins -> ringing");
        self.talks.push(Talk {
            number: self.last,
            caller,
            called,
            answered_at,
            ends_at: answered_at + length,
            answered: rings.is_zero(),
            conversation: None,
        });
    }

    fn pick(&mut self, free: &mut Vec<Who>) -> Who {
        let last = free.len().saturating_sub(1) as u64;
        let index = usize::try_from(self.random.between(0, last)).unwrap_or_default();
        free.swap_remove(index)
    }

    /// Some time around the mean distance, so that calls come in no rhythm.
    fn next_call(&mut self, now: Instant) -> Option<Instant> {
        if !self.pace.per_minute.is_finite() || self.pace.per_minute <= 0.0 {
            return None;
        }
        let mean = (60_000.0 / self.pace.per_minute.min(60_000.0)).max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1")]
        let mean = mean.min(3_600_000.0) as u64;
        Some(now + Duration::from_millis(self.random.between(mean / 2, mean * 3 / 2).max(1)))
    }
}
