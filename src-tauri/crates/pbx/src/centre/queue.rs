//! A queue: its callers in their order, its figures, its night and forwarding.
//!
//! Inputs: snapshots, which replace; changes, which keep the places without gaps; figures and policy, of
//! which what is not told stays; wishes about night and forwarding and their outcome; time. Everybody who
//! was in the queue leaves it once; only whom a list left out may be told of again, and is there again.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::entry;
use super::measures::Thresholds;
use super::model::{
    EntryEnd, Measures, NightOverride, Queue, QueueEntry, QueueId, QueuePolicy, QueuedCallId,
};
use super::port::{QueueChange, RequestId};
use super::wish::Wish;

/// Most callers of one queue.
const ENTRIES: usize = 2000;
/// Callers remembered of whom was said that they left, so that late news of them is recognised.
const LEFT: usize = 500;
/// How long night and forwarding may differ from what was asked for.
pub(super) const POLICY_LIMIT: Duration = Duration::from_secs(10);

/// Somebody who has left a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The queue.
    pub queue: QueueId,
    /// The caller as he stood last.
    pub entry: QueueEntry,
    /// How.
    pub end: EntryEnd,
    /// When, milliseconds since the Unix epoch.
    pub at: u64,
}

/// A queue and what is wanted of it.
#[derive(Clone, Debug)]
pub struct QueueState {
    /// As the exchange tells it.
    pub queue: Queue,
    /// The user takes calls of it, or could.
    pub own: bool,
    /// Wanted night.
    pub night: Wish<NightOverride>,
    /// Wanted forwarding; empty: none.
    pub forwarding: Wish<String>,
    /// The user's thresholds.
    pub thresholds: Thresholds,
    /// When the longest wait was judged last, milliseconds since the Unix epoch.
    pub(super) judged_at: u64,
    /// Commands about callers that are under way.
    pub(super) pending: BTreeMap<RequestId, QueuedCallId>,
    left: VecDeque<(QueuedCallId, u64)>,
}

impl QueueState {
    pub(super) fn new(id: QueueId) -> QueueState {
        QueueState {
            queue: Queue {
                id,
                name: String::new(),
                number: String::new(),
                entries: Vec::new(),
                known: false,
                measures: Measures::default(),
                policy: QueuePolicy::default(),
                dispositions: Vec::new(),
                disposition_forced: false,
                supervised: false,
            },
            own: false,
            night: Wish::new(POLICY_LIMIT, false),
            forwarding: Wish::new(POLICY_LIMIT, true),
            thresholds: Thresholds::default(),
            judged_at: 0,
            pending: BTreeMap::new(),
            left: VecDeque::new(),
        }
    }

    /// A command about this caller is under way.
    pub fn is_pending(&self, call: &QueuedCallId) -> bool {
        self.pending.values().any(|pending| pending == call)
    }

    /// Since when the one who waits longest waits.
    pub fn longest_since(&self) -> Option<u64> {
        self.queue.entries.iter().map(|entry| entry.since).min()
    }

    /// All callers. Those that are not in there have left while nobody looked. Nobody has said so of them, and a list
    /// that was sent again may be an old one: whoever is told of later is there.
    pub(super) fn snapshot(&mut self, told: Vec<QueueEntry>, now_ms: u64) -> Vec<Left> {
        let mut before = std::mem::take(&mut self.queue.entries);
        for told in told {
            if self.queue.entries.len() >= ENTRIES || self.place(&told.call).is_some() {
                continue;
            }
            let known = before.iter().position(|entry| entry.call == told.call);
            match known.map(|at| before.remove(at)) {
                Some(mut known) => {
                    entry::update(&mut known, told);
                    self.queue.entries.push(known);
                }
                None if self.has_left(&told) => {}
                None => self.queue.entries.push(told),
            }
        }
        self.queue.known = true;
        before.into_iter().map(|entry| self.gone(entry, EntryEnd::Unseen, now_ms)).collect()
    }

    /// One caller changed or left.
    pub(super) fn change(&mut self, change: QueueChange, now_ms: u64) -> Option<Left> {
        match change {
            QueueChange::Entry { entry, position } => {
                self.entry(entry, position);
                None
            }
            QueueChange::Left { call, end, at } => {
                let place = self.place(&call)?;
                let entry = self.queue.entries.remove(place);
                self.remember(&entry);
                Some(self.gone(entry, end, at.unwrap_or(now_ms)))
            }
        }
    }

    fn entry(&mut self, told: QueueEntry, position: Option<u32>) {
        let place = self.place(&told.call);
        let wanted = position.map(|position| position.saturating_sub(1) as usize);
        let (known, to) = match place {
            Some(place) => {
                let mut known = self.queue.entries.remove(place);
                entry::update(&mut known, told);
                (known, wanted.unwrap_or(place))
            }
            None if self.has_left(&told) || self.queue.entries.len() >= ENTRIES => return,
            None => (told, wanted.unwrap_or(self.queue.entries.len())),
        };
        let to = to.min(self.queue.entries.len());
        self.queue.entries.insert(to, known);
    }

    /// Everybody leaves, since the queue is seen no longer.
    pub(super) fn close(&mut self, now_ms: u64) -> Vec<Left> {
        let entries = std::mem::take(&mut self.queue.entries);
        entries.into_iter().map(|entry| self.gone(entry, EntryEnd::Unseen, now_ms)).collect()
    }

    fn gone(&self, entry: QueueEntry, end: EntryEnd, at: u64) -> Left {
        Left { queue: self.queue.id.clone(), entry, end, at }
    }

    fn place(&self, call: &QueuedCallId) -> Option<usize> {
        self.queue.entries.iter().position(|entry| entry.call == *call)
    }

    /// Late news of somebody who has left. Who comes back has begun to wait anew.
    fn has_left(&self, told: &QueueEntry) -> bool {
        self.left.iter().any(|(call, since)| *call == told.call && told.since <= *since)
    }

    fn remember(&mut self, entry: &QueueEntry) {
        self.left.retain(|(call, _)| *call != entry.call);
        self.left.push_back((entry.call.clone(), entry.since));
        if self.left.len() > LEFT {
            self.left.pop_front();
        }
    }

    /// Figures; what is not told stays.
    pub(super) fn measured(&mut self, told: &Measures) {
        let known = &mut self.queue.measures;
        let Measures {
            waiting,
            longest_wait,
            expected_wait,
            average_answer,
            average_handling,
            service_level,
            answered,
            abandoned,
            agents_assigned,
            agents_staffed,
            agents_idle,
            agents_unavailable,
        } = told;
        known.waiting = waiting.or(known.waiting);
        known.longest_wait = longest_wait.or(known.longest_wait);
        known.expected_wait = expected_wait.or(known.expected_wait);
        known.average_answer = average_answer.or(known.average_answer);
        known.average_handling = average_handling.or(known.average_handling);
        known.service_level = service_level.or(known.service_level);
        known.answered = answered.or(known.answered);
        known.abandoned = abandoned.or(known.abandoned);
        known.agents_assigned = agents_assigned.or(known.agents_assigned);
        known.agents_staffed = agents_staffed.or(known.agents_staffed);
        known.agents_idle = agents_idle.or(known.agents_idle);
        known.agents_unavailable = agents_unavailable.or(known.agents_unavailable);
    }

    /// Night, holiday and forwarding; what is not told stays.
    pub(super) fn policy_told(&mut self, now: Instant, told: QueuePolicy) {
        let known = &mut self.queue.policy;
        if let Some(night) = told.night {
            known.night = Some(night);
            // How long the night lasts is told with the night, or not known any more.
            known.night_until = told.night_until;
        }
        known.night_override = told.night_override.or(known.night_override);
        known.holiday = told.holiday.or(known.holiday);
        known.may_change = told.may_change || known.may_change;
        if let Some(so) = told.night_override {
            let like = self.night.wanted() == Some(&so);
            self.night.told(now, like);
        }
        if let Some(so) = told.forced_forwarding {
            let like = self.forwarding.wanted().is_some_and(|wanted| same_target(wanted, &so));
            known.forced_forwarding = Some(so);
            self.forwarding.told(now, like);
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        [self.night.due(), self.forwarding.due()].into_iter().flatten().min()
    }

    pub(super) fn on_time(&mut self, now: Instant) -> bool {
        let night = self.night.on_time(now);
        self.forwarding.on_time(now) || night
    }
}

/// Whether two places that calls go to are one; empty is nowhere.
pub(super) fn same_target(a: &str, b: &str) -> bool {
    a == b || contacts::same_number(bare(a), bare(b))
}

fn bare(target: &str) -> &str {
    let target = target.strip_prefix("tel:").or(target.strip_prefix("sip:")).unwrap_or(target);
    target.split(['@', ';']).next().unwrap_or(target)
}
