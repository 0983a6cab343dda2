//! Callers of a queue: who comes, whom he rings at, how he leaves.
//!
//! The exchange says first that a caller left, and then, if so, who answered. So one that left while he rang
//! at somebody stays until that is told, or for a second.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pbx::centre::{
    EntryEnd, EntryState, Input as Told, Party, Priority, QueueChange, QueueEntry, QueueId,
    QueuedCallId, UserId,
};

use super::View;
use super::queue::{MOST_CALLERS, Queue};
use crate::{Config, Message};

/// How long the explanation of an end may take.
const EXPLAINED_WITHIN: Duration = Duration::from_secs(1);

/// A caller who left and whose end is not explained yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) until: Instant,
    /// What is told when no explanation comes.
    pub(crate) end: EntryEnd,
}

/// Where the user has sent a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// To a number.
    Elsewhere,
    /// Away.
    Off,
}

/// A caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) channel: String,
    pub(crate) party: Party,
    /// Milliseconds since the Unix epoch, by the exchange's clock.
    pub(crate) since: u64,
    pub(crate) priority: i64,
    pub(crate) offered: BTreeSet<String>,
    pub(crate) bounced: bool,
    pub(crate) reordered: bool,
    pub(crate) sent: Option<Sent>,
    /// Was answered, by whom; what comes next is that he leaves.
    pub(crate) answered: Option<String>,
    pub(crate) gone: Option<Gone>,
}

impl Caller {
    /// Reads a list's item or an event. `None` when it names no channel.
    pub(crate) fn read(message: &Message, since: u64) -> Option<Self> {
        Some(Self {
            id: message.get("Uniqueid")?.to_owned(),
            channel: message.get("Channel")?.to_owned(),
            party: Party {
                name: message.text("CallerIDName").to_owned(),
                number: message.text("CallerIDNum").to_owned(),
            },
            since,
            priority: 0,
            offered: BTreeSet::new(),
            bounced: false,
            reordered: false,
            sent: None,
            answered: None,
            gone: None,
        })
    }

    /// The caller for the model.
    pub(crate) fn entry(&self) -> QueueEntry {
        let mut rings = self.offered.iter();
        let state = match (rings.next(), rings.next()) {
            (None, _) => EntryState::Queued,
            (Some(one), None) => EntryState::Offered(Some(UserId(one.clone()))),
            (Some(_), Some(_)) => EntryState::Offered(None),
        };
        QueueEntry {
            call: QueuedCallId(self.id.clone()),
            caller: self.party.clone(),
            since: self.since,
            priority: Some(level_of(self.priority)),
            state,
            bounced: self.bounced,
            reordered: self.reordered,
            entrance: false,
        }
    }
}

/// The exchange has numbers, higher first, 0 for those who just call.
pub(crate) fn level_of(priority: i64) -> Priority {
    match priority {
        ..=0 => Priority::Low,
        1..=9 => Priority::Medium,
        10..=99 => Priority::High,
        100.. => Priority::Highest,
    }
}

/// The number that stands for a level.
pub(crate) fn number_of_level(level: Priority) -> i64 {
    match level {
        Priority::Low => 0,
        Priority::Medium => 1,
        Priority::High => 10,
        Priority::Highest => 100,
    }
}

impl View {
    /// A caller comes: `QueueCallerJoin`.
    pub(crate) fn caller_joins(&mut self, now: Instant, message: &Message) {
        let since = self.clock.at(now);
        let (Some(name), Some(caller)) = (message.get("Queue"), Caller::read(message, since))
        else {
            return;
        };
        self.end_unexplained_of(now, name, &caller.id);
        let Some(queue) = self.queues.get_mut(name) else { return };
        if queue.callers.len() >= MOST_CALLERS || find(queue, &caller.id).is_some() {
            return;
        }
        let position = message.number("Position").unwrap_or(u64::MAX);
        let at = place(queue, usize::try_from(position).unwrap_or(usize::MAX));
        let entry = caller.entry();
        queue.callers.insert(at, caller);
        self.tell_caller(name, entry, Some(at));
    }

    /// A caller gives up: `QueueCallerAbandon`; that he leaves is told after it.
    pub(crate) fn caller_abandons(&mut self, now: Instant, message: &Message) {
        self.end(now, message, EntryEnd::Abandoned);
    }

    /// A caller leaves: `QueueCallerLeave`.
    pub(crate) fn caller_leaves(&mut self, now: Instant, message: &Message) {
        let Some((name, at)) = self.find_caller(message) else { return };
        let Some(queue) = self.queues.get_mut(&name) else { return };
        let stranded = !queue.members.values().any(|m| !m.paused && !m.device.is_away());
        let Some(caller) = queue.callers.get_mut(at) else { return };
        let explained = match (caller.sent, caller.answered.take()) {
            (Some(sent), _) => Some(end_of(sent)),
            (None, Some(agent)) => Some(EntryEnd::Answered(Some(UserId(agent)))),
            (None, None) if !caller.offered.is_empty() => None,
            (None, None) if stranded => Some(EntryEnd::Stranded),
            (None, None) => Some(EntryEnd::Overflowed),
        };
        if let Some(end) = explained {
            self.end(now, message, end);
            return;
        }
        let mut rings = caller.offered.iter();
        let who = match (rings.next(), rings.next()) {
            (Some(one), None) => Some(UserId(one.clone())),
            _ => None,
        };
        caller.gone = Some(Gone { until: now + EXPLAINED_WITHIN, end: EntryEnd::Answered(who) });
        self.read_soon(now, &name);
    }

    /// An agent answers: `AgentConnect`.
    pub(crate) fn caller_answered(&mut self, now: Instant, message: &Message) {
        let Some((name, at)) = self.find_caller(message) else { return };
        let agent = message.get("Interface").map(str::to_owned);
        let caller = self.queues.get_mut(&name).and_then(|queue| queue.callers.get_mut(at));
        let Some(caller) = caller else { return };
        if caller.gone.is_some() {
            self.end(now, message, EntryEnd::Answered(agent.map(UserId)));
        } else {
            caller.answered = agent;
        }
    }

    /// A caller rings at an agent: `AgentCalled`.
    pub(crate) fn caller_offered(&mut self, message: &Message) {
        self.change_caller(message, |caller, interface| caller.offered.insert(interface));
    }

    /// An agent let it ring (`AgentRingNoAnswer`), or hung up before they spoke (`AgentDump`).
    pub(crate) fn caller_bounces(&mut self, message: &Message) {
        self.change_caller(message, |caller, interface| {
            caller.offered.remove(&interface);
            caller.answered = None;
            caller.bounced = true;
            true
        });
    }

    fn change_caller(
        &mut self,
        message: &Message,
        change: impl FnOnce(&mut Caller, String) -> bool,
    ) {
        let Some(interface) = message.get("Interface").map(str::to_owned) else { return };
        let Some((name, at)) = self.find_caller(message) else { return };
        let caller = self.queues.get_mut(&name).and_then(|queue| queue.callers.get_mut(at));
        if let Some(caller) = caller
            && change(caller, interface)
        {
            let entry = caller.entry();
            self.tell_caller(&name, entry, None);
        }
    }

    /// Ends what is not explained in time.
    pub(crate) fn end_unexplained(&mut self, now: Instant) {
        for (name, queue) in &mut self.queues {
            let over =
                |caller: &mut Caller| caller.gone.as_ref().is_some_and(|gone| gone.until <= now);
            for caller in queue.callers.extract_if(.., over) {
                let end = caller.gone.map_or(EntryEnd::Unseen, |gone| gone.end);
                let at = Some(self.clock.at(now));
                let change = QueueChange::Left { call: QueuedCallId(caller.id), end, at };
                self.out.push_back(Told::QueueChange { queue: QueueId(name.clone()), change });
            }
        }
    }

    /// A caller who comes again has left before, whatever was the reason.
    fn end_unexplained_of(&mut self, now: Instant, name: &str, id: &str) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let Some(caller) = queue.callers.iter_mut().find(|caller| caller.id == id) else { return };
        if let Some(gone) = &mut caller.gone {
            gone.until = now;
            self.end_unexplained(now);
        }
    }

    /// Takes a caller out and tells how he left.
    fn end(&mut self, now: Instant, message: &Message, end: EntryEnd) {
        let Some((name, at)) = self.find_caller(message) else { return };
        let Some(queue) = self.queues.get_mut(&name) else { return };
        let caller = queue.callers.remove(at);
        // Taken out by the user, which the exchange calls giving up.
        let end = caller.sent.map_or(end, end_of);
        let at = Some(self.clock.at(now));
        let change = QueueChange::Left { call: QueuedCallId(caller.id), end, at };
        self.tell(Told::QueueChange { queue: QueueId(name.clone()), change });
        self.read_soon(now, &name);
    }

    fn find_caller(&self, message: &Message) -> Option<(String, usize)> {
        let (name, id) = (message.get("Queue")?, message.get("Uniqueid")?);
        Some((name.to_owned(), find(self.queues.get(name)?, id)?))
    }

    fn tell_caller(&mut self, queue: &str, entry: QueueEntry, at: Option<usize>) {
        let position = at.map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX));
        let change = QueueChange::Entry { entry, position };
        self.tell(Told::QueueChange { queue: QueueId(queue.to_owned()), change });
    }

    /// All callers of a queue, in order.
    pub(crate) fn tell_callers(&mut self, name: &str) {
        let Some(queue) = self.queues.get(name) else { return };
        let entries = queue.callers.iter().map(Caller::entry).collect();
        self.tell(Told::QueueSnapshot { queue: QueueId(name.to_owned()), entries });
    }

    /// Tells the figures of all queues that changed.
    pub(crate) fn tell_measures(&mut self, now: Instant, config: &Config) {
        let at = self.clock.at(now);
        for (name, queue) in &mut self.queues {
            if let Some(measures) = queue.changed_measures(at, config) {
                self.out.push_back(Told::Measures { queue: QueueId(name.clone()), measures });
            }
        }
    }

    /// The caller of this name and his queue.
    pub(crate) fn caller(&self, queue: &QueueId, call: &QueuedCallId) -> Option<&Caller> {
        let queue = self.queues.get(&queue.0)?;
        queue.waiting().find(|caller| caller.id == call.0)
    }

    /// Remembers that the user takes a caller out; `None`: not after all.
    pub(crate) fn mark_sent(&mut self, queue: &QueueId, call: &QueuedCallId, sent: Option<Sent>) {
        let Some(queue) = self.queues.get_mut(&queue.0) else { return };
        if let Some(at) = find(queue, &call.0)
            && let Some(caller) = queue.callers.get_mut(at)
        {
            caller.sent = sent;
        }
    }

    /// Remembers that the user moved a caller.
    pub(crate) fn mark_moved(&mut self, queue: &QueueId, call: &QueuedCallId) {
        let Some(queue) = self.queues.get_mut(&queue.0) else { return };
        if let Some(at) = find(queue, &call.0)
            && let Some(caller) = queue.callers.get_mut(at)
        {
            caller.reordered = true;
        }
    }
}

fn end_of(sent: Sent) -> EntryEnd {
    match sent {
        Sent::Elsewhere => EntryEnd::Transferred,
        Sent::Off => EntryEnd::Released,
    }
}

fn find(queue: &Queue, id: &str) -> Option<usize> {
    queue.callers.iter().position(|caller| caller.id == id)
}

/// Where the caller at a position, counted from 1 among those who wait, stands in the list.
fn place(queue: &Queue, position: usize) -> usize {
    let waiting = queue.callers.iter().enumerate().filter(|(_, caller)| caller.gone.is_none());
    waiting.map(|(at, _)| at).nth(position.saturating_sub(1)).unwrap_or(queue.callers.len())
}
