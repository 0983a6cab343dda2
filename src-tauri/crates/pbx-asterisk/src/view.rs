//! The exchange as it was told: queues with callers and members, agents as they follow from that, and the
//! user's own calls.
//!
//! Inputs: items of lists (`QueueStatus`, `CoreShowChannels`, `ParkedCalls`), events, the clock. Output: what
//! the model is to be told. An event may be older than a list that came before it, so every event can be
//! taken in twice.

mod agents;
mod callers;
mod calls;
mod events;
mod member;
mod queue;
mod status;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use pbx::centre::{Input as Told, QueueId, Role, UserId};

use crate::Config;
use crate::clock::ExchangeClock;
use agents::ToldAgent;
pub(crate) use callers::{Caller, Sent, number_of_level};
pub(crate) use calls::{OwnCall, OwnCalls};
pub(crate) use member::Member;
pub(crate) use queue::Queue;
pub(crate) use status::StatusList;

/// Most queues at one time; what is told beyond is passed over.
const MOST_QUEUES: usize = 500;

/// How long after a change the figures of a queue are read again: they come in no event.
const FIGURES_AFTER: Duration = Duration::from_secs(1);

/// The exchange as known.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) calls: OwnCalls,
    pub(crate) clock: ExchangeClock,
    /// Parked calls: the place, and the device that parked.
    pub(crate) parked: BTreeMap<String, String>,
    agents: BTreeMap<UserId, ToldAgent>,
    /// Agents whose state may have changed since it was told.
    touched: BTreeSet<UserId>,
    told_queues: Vec<(QueueId, String, Role)>,
    out: VecDeque<Told>,
}

impl View {
    /// The next thing for the model.
    pub(crate) fn next_told(&mut self) -> Option<Told> {
        self.out.pop_front()
    }

    /// Everything is to be told again, as to a model that knows nothing.
    pub(crate) fn forget_told(&mut self) {
        self.agents.clear();
        self.told_queues.clear();
        for queue in self.queues.values_mut() {
            queue.told = None;
        }
    }

    /// Queues whose figures or callers are to be read again by now.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<String> {
        let due =
            self.queues.iter_mut().filter(|(_, queue)| queue.read_at.is_some_and(|at| at <= now));
        due.map(|(name, queue)| {
            queue.read_at = None;
            name.clone()
        })
        .collect()
    }

    /// Queues that were due by `now` are due later.
    pub(crate) fn postpone(&mut self, now: Instant, later: Instant) {
        for queue in self.queues.values_mut() {
            queue.read_at = queue.read_at.map(|at| if at <= now { later } else { at });
        }
    }

    /// A queue is to be read again soon.
    pub(crate) fn read_soon(&mut self, now: Instant, queue: &str) {
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.read_at.get_or_insert(now + FIGURES_AFTER);
        }
    }

    /// When something changes by itself: a wrap-up is over, a caller's end is not explained any more, figures
    /// are due.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let queues = self.queues.values().filter_map(Queue::next_timeout).min();
        let agents = self.agents.values().filter_map(|agent| agent.ends).min();
        [queues, agents].into_iter().flatten().min()
    }

    /// Lets happen what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, config: &Config) {
        let over = |agent: &ToldAgent| agent.ends.is_some_and(|at| at <= now);
        let due = self.agents.iter().filter(|(_, agent)| over(agent)).map(|(id, _)| id.clone());
        self.touched.extend(due.collect::<Vec<_>>());
        self.end_unexplained(now);
        self.tell_agents(now, config);
        self.tell_measures(now, config);
    }

    /// Time to finish a call of a queue, as the exchange's settings say.
    pub(crate) fn set_wrap_up(&mut self, queue: &str, wrap_up: Duration) {
        let Some(known) = self.queues.get_mut(queue) else { return };
        known.wrap_up = Some(wrap_up);
        self.touched.extend(known.members.keys().map(|interface| UserId(interface.clone())));
    }

    fn tell(&mut self, told: Told) {
        self.out.push_back(told);
    }

    /// Tells which queues there are, when that changed.
    fn tell_queues(&mut self, config: &Config) {
        let role = if config.supervisor { Role::Supervisor } else { Role::Agent };
        let queues: Vec<(QueueId, String, Role)> =
            self.queues.keys().map(|name| (QueueId(name.clone()), name.clone(), role)).collect();
        if queues != self.told_queues {
            self.told_queues.clone_from(&queues);
            self.tell(Told::Queues(queues));
        }
    }
}
