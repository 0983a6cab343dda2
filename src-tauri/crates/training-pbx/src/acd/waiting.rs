//! One waiting call: what it hears, and when something is due for it.
//!
//! Inputs: from the queue `offer`, `withdraw`; from time [`Waiting::sound_due`]. States: entrance message, music,
//! comfort or waiting-time message; being offered or not is told by `ring_ends` and the entry's `offered_to`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::config::{Comfort, QueueConfig, Treatment};
use super::model::{AgentId, Priority, QueueEntry};
use super::news::Sound;

/// A waiting call.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) entry: QueueEntry,
    /// Who did not take it in this round.
    pub(crate) tried: BTreeSet<AgentId>,
    /// Nobody is rung before.
    pub(crate) not_before: Instant,
    /// When it bounces.
    pub(crate) ring_ends: Option<Instant>,
    /// When the message that plays is over.
    message_ends: Option<Instant>,
    next_comfort: Option<Instant>,
    comforted: usize,
    next_wait: Option<Instant>,
}

impl Waiting {
    /// A call that has just entered, and what it hears.
    pub(crate) fn new(now: Instant, mut entry: QueueEntry, config: &QueueConfig) -> (Self, Sound) {
        let entrance = config.entrance.as_ref();
        entry.entrance_playing = entrance.is_some();
        entry.mandatory_entrance = entrance.is_some_and(|entrance| entrance.mandatory);
        let sound = match entrance {
            Some(entrance) => Sound::Message(entrance.message.clip.clone()),
            None => Sound::Music,
        };
        let length = entrance.map(|entrance| Duration::from_millis(entrance.message.length_ms));
        let ends = length.map(|length| now + length);
        let start = ends.unwrap_or(now);
        let comfort = config.comfort.as_ref().filter(|comfort| speaks(comfort));
        let waiting = Self {
            entry,
            tried: BTreeSet::new(),
            not_before: now,
            ring_ends: None,
            message_ends: ends,
            next_comfort: comfort.map(|comfort| start + seconds(comfort.every_s)),
            comforted: 0,
            next_wait: config.wait_message.map(|_| start),
        };
        (waiting, sound)
    }

    /// Whether agents may be rung for it.
    pub(crate) fn can_be_offered(&self, now: Instant) -> bool {
        self.entry.offered_to.is_empty() && !self.entry.mandatory_entrance && self.not_before <= now
    }

    /// Agents are rung.
    pub(crate) fn offer(&mut self, now: Instant, agents: Vec<AgentId>, config: &QueueConfig) {
        self.entry.offered_to = agents;
        let length =
            |rings: u32| Duration::from_millis(config.ring_ms.saturating_mul(rings.into()));
        self.ring_ends = config.bounce_rings.map(|rings| now + length(rings));
    }

    /// An agent is not rung any more. True if it was the last one.
    pub(crate) fn withdraw(&mut self, agent: &AgentId) -> bool {
        self.entry.offered_to.retain(|rung| rung != agent);
        let last = self.entry.offered_to.is_empty();
        if last {
            self.ring_ends = None;
        }
        last
    }

    /// What the caller hears from now on, if that changes. `wait` is the position and the expected wait in seconds.
    pub(crate) fn sound_due(
        &mut self,
        now: Instant,
        config: &QueueConfig,
        wait: (usize, u64),
    ) -> Option<Sound> {
        if let Some(ends) = self.message_ends {
            if ends > now {
                return None;
            }
            self.message_ends = None;
            self.entry.entrance_playing = false;
            self.entry.mandatory_entrance = false;
            return Some(self.next_message(now, config, wait).unwrap_or(Sound::Music));
        }
        self.next_message(now, config, wait)
    }

    fn next_message(
        &mut self,
        now: Instant,
        config: &QueueConfig,
        (position, wait_s): (usize, u64),
    ) -> Option<Sound> {
        if let (Some(at), Some(message)) = (self.next_wait, config.wait_message)
            && at <= now
        {
            self.next_wait = Some(now + seconds(message.every_s));
            let minutes = u32::try_from(wait_s.div_ceil(60)).unwrap_or(u32::MAX).max(1);
            if minutes <= message.longest_minutes {
                self.message_ends = Some(now + WAIT_MESSAGE);
                return Some(Sound::Wait { position, minutes });
            }
        }
        let comfort =
            config.comfort.as_ref().filter(|_| self.next_comfort.is_some_and(|at| at <= now))?;
        let count = comfort.messages.len();
        let message = comfort.messages.get(self.comforted.checked_rem(count)?)?;
        self.comforted = self.comforted.wrapping_add(1);
        let ends = now + Duration::from_millis(message.length_ms);
        self.message_ends = Some(ends);
        self.next_comfort = Some(ends + seconds(comfort.every_s));
        Some(Sound::Message(message.clip.clone()))
    }

    /// When the wait is too long.
    pub(crate) fn overflows_at(&self, config: &QueueConfig) -> Option<Instant> {
        let after = config.overflow_after_s.filter(|_| config.overflow_time != Treatment::Leave)?;
        Some(self.entry.added_at + Duration::from_secs(after))
    }

    /// When it gets a higher priority by itself, and which.
    pub(crate) fn promoted_at(&self, config: &QueueConfig) -> Option<(Instant, Priority)> {
        let higher = self.entry.priority.higher()?;
        let after = match self.entry.priority {
            Priority::Highest => None,
            Priority::High => config.promote_after_s.high,
            Priority::Medium => config.promote_after_s.medium,
            Priority::Low => config.promote_after_s.low,
        }?;
        Some((self.entry.in_priority_since + Duration::from_secs(after), higher))
    }

    /// When something is due.
    pub(crate) fn poll_timeout(&self, now: Instant, config: &QueueConfig) -> Option<Instant> {
        // What has been switched off meanwhile is not due any more.
        let comfort = self.next_comfort.filter(|_| config.comfort.as_ref().is_some_and(speaks));
        let wait = self.next_wait.filter(|_| config.wait_message.is_some());
        let messages = [comfort, wait].into_iter().flatten().min();
        let sound = self.message_ends.or(messages);
        let again = Some(self.not_before).filter(|&at| at > now);
        let promoted = self.promoted_at(config).map(|(at, _)| at);
        [sound, again, promoted, self.ring_ends, self.overflows_at(config)]
            .into_iter()
            .flatten()
            .min()
    }
}

/// How long telling the expected wait takes.
const WAIT_MESSAGE: Duration = Duration::from_secs(5);

fn speaks(comfort: &Comfort) -> bool {
    !comfort.messages.is_empty()
}

/// An interval of announcements within its limits.
fn seconds(asked: u64) -> Duration {
    Duration::from_secs(asked.clamp(10, 600))
}
