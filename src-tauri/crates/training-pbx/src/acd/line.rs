//! Who waits, in which order. Bounced calls stand first, then the priorities, each in the order they came.
//!
//! Inputs: from the queue `insert`, `bounce`, `reorder`, `promote`, `remove`.

use super::model::Priority;
use super::news::Refusal;
use super::waiting::Waiting;
use crate::pbx::CallNumber;

/// The waiting calls of one queue.
#[derive(Debug, Default)]
pub(crate) struct Line {
    entries: Vec<Waiting>,
}

impl Line {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.entries.iter()
    }

    pub(crate) fn get(&self, call: CallNumber) -> Option<&Waiting> {
        self.entries.iter().find(|waiting| waiting.entry.call == call)
    }

    pub(crate) fn get_mut(&mut self, call: CallNumber) -> Option<&mut Waiting> {
        self.entries.iter_mut().find(|waiting| waiting.entry.call == call)
    }

    /// From 1; 0 for a call that does not wait here.
    pub(crate) fn position(&self, call: CallNumber) -> usize {
        self.place(call).map_or(0, |place| place + 1)
    }

    fn place(&self, call: CallNumber) -> Option<usize> {
        self.entries.iter().position(|waiting| waiting.entry.call == call)
    }

    fn bounced(&self) -> usize {
        self.entries.iter().take_while(|waiting| waiting.entry.bounced).count()
    }

    /// A call enters behind all of its priority, or in front of all that have not bounced; its position.
    pub(crate) fn insert(&mut self, waiting: Waiting, to_front: bool) -> usize {
        let call = waiting.entry.call;
        let place = if to_front { self.bounced() } else { self.place_for(&waiting) };
        self.entries.insert(place.min(self.entries.len()), waiting);
        self.position(call)
    }

    fn place_for(&self, waiting: &Waiting) -> usize {
        let own = rank(waiting);
        if waiting.entry.bounced {
            // Who has waited longest stands first among those.
            let first = |other: &Waiting| {
                rank(other) == own && other.entry.added_at <= waiting.entry.added_at
            };
            return self.entries.iter().take_while(|other| first(other)).count();
        }
        self.entries.iter().take_while(|other| rank(other) <= own).count()
    }

    pub(crate) fn remove(&mut self, call: CallNumber) -> Option<Waiting> {
        let place = self.place(call)?;
        Some(self.entries.remove(place))
    }

    /// Nobody took the call: it goes to the head. Its position.
    pub(crate) fn bounce(&mut self, call: CallNumber) -> usize {
        if let Some(mut waiting) = self.remove(call) {
            waiting.entry.bounced = true;
            self.insert(waiting, false);
        }
        self.position(call)
    }

    /// Moves a call within priority 0; its position.
    ///
    /// # Errors
    /// [`Refusal::CannotMove`] for a call of another priority, a bounced one, or one in its entrance message.
    pub(crate) fn reorder(&mut self, call: CallNumber, index: usize) -> Result<usize, Refusal> {
        let entry = self.get(call).map(|waiting| &waiting.entry);
        let entry = entry.ok_or(Refusal::NotWaiting(call))?;
        if entry.priority != Priority::Highest || entry.bounced || entry.mandatory_entrance {
            return Err(Refusal::CannotMove);
        }
        let movable = |waiting: &&Waiting| {
            waiting.entry.priority == Priority::Highest && !waiting.entry.bounced
        };
        let first = self.bounced();
        let last = first + self.entries.iter().filter(movable).count().saturating_sub(1);
        if let Some(mut waiting) = self.remove(call) {
            waiting.entry.reordered = true;
            let place = index.clamp(first, last).min(self.entries.len());
            self.entries.insert(place, waiting);
        }
        Ok(self.position(call))
    }

    /// Gives a call a higher priority: it stands behind all that have it. Its position.
    ///
    /// # Errors
    /// [`Refusal::NotHigher`].
    pub(crate) fn promote(
        &mut self,
        now: std::time::Instant,
        call: CallNumber,
        priority: Priority,
    ) -> Result<usize, Refusal> {
        let entry = self.get(call).map(|waiting| &waiting.entry);
        let entry = entry.ok_or(Refusal::NotWaiting(call))?;
        if priority >= entry.priority {
            return Err(Refusal::NotHigher);
        }
        if let Some(mut waiting) = self.remove(call) {
            waiting.entry.priority = priority;
            waiting.entry.in_priority_since = now;
            self.insert(waiting, false);
        }
        Ok(self.position(call))
    }
}

fn rank(waiting: &Waiting) -> (bool, Priority) {
    let entry = &waiting.entry;
    // All bounced calls are one class.
    (!entry.bounced, if entry.bounced { Priority::Highest } else { entry.priority })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::config::QueueConfig;
    use super::super::model::{Caller, QueueEntry, QueueId};
    use super::*;

    struct Queue {
        now: Instant,
        line: Line,
    }

    impl Queue {
        fn new(priorities: &[Priority]) -> Self {
            #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
            let now = Instant::now();
            let mut queue = Self { now, line: Line::default() };
            for (index, priority) in priorities.iter().enumerate() {
                queue.enter(u64::try_from(index).unwrap() + 1, *priority);
            }
            queue
        }

        fn enter(&mut self, call: u64, priority: Priority) -> usize {
            let added_at = self.now + Duration::from_secs(call);
            let entry = QueueEntry {
                call: CallNumber(call),
                queue: QueueId::from("195"),
                caller: Caller::default(),
                added_at,
                removed_at: None,
                priority,
                in_priority_since: added_at,
                mandatory_entrance: false,
                entrance_playing: false,
                bounced: false,
                reordered: false,
                waited_before: Duration::ZERO,
                offered_to: Vec::new(),
                answered_by: None,
            };
            let (waiting, _) = Waiting::new(added_at, entry, &QueueConfig::default());
            self.line.insert(waiting, false)
        }

        fn order(&self) -> Vec<u64> {
            self.line.iter().map(|waiting| waiting.entry.call.0).collect()
        }
    }

    use Priority::{High, Highest, Low, Medium};

    #[test]
    fn priorities_go_before_the_order_of_coming() {
        let queue = Queue::new(&[Low, Highest, High, Highest, Medium]);
        assert_eq!(queue.order(), [2, 4, 3, 5, 1]);
        assert_eq!(queue.line.position(CallNumber(3)), 3);
        assert_eq!(queue.line.position(CallNumber(9)), 0);
    }

    #[test]
    fn bounced_calls_go_to_the_head_in_the_order_of_coming() {
        let mut queue = Queue::new(&[Highest, Highest, Low, High]);
        assert_eq!(queue.line.bounce(CallNumber(3)), 1);
        assert_eq!(queue.line.bounce(CallNumber(2)), 1);
        assert_eq!(queue.order(), [2, 3, 1, 4]);
        assert_eq!(queue.enter(5, Highest), 4);
        // Not even the front of the queue is before a bounced call.
        let entry = QueueEntry {
            call: CallNumber(6),
            ..queue.line.get(CallNumber(5)).unwrap().entry.clone()
        };
        let (front, _) = Waiting::new(queue.now, entry, &QueueConfig::default());
        assert_eq!(queue.line.insert(front, true), 3);
    }

    #[test]
    fn only_calls_of_priority_0_are_moved_and_only_among_themselves() {
        let mut queue = Queue::new(&[Highest, Highest, Highest, High]);
        assert_eq!(queue.line.reorder(CallNumber(3), 0), Ok(1));
        assert_eq!(queue.order(), [3, 1, 2, 4]);
        assert_eq!(queue.line.reorder(CallNumber(3), 99), Ok(3));
        assert!(queue.line.get(CallNumber(3)).unwrap().entry.reordered);
        assert_eq!(queue.line.reorder(CallNumber(4), 0), Err(Refusal::CannotMove));
        queue.line.bounce(CallNumber(1));
        assert_eq!(queue.line.reorder(CallNumber(1), 0), Err(Refusal::CannotMove));
        // Nothing gets before a bounced call.
        assert_eq!(queue.line.reorder(CallNumber(3), 0), Ok(2));
        assert_eq!(queue.line.reorder(CallNumber(8), 0), Err(Refusal::NotWaiting(CallNumber(8))));
    }

    #[test]
    fn promoting_goes_upwards_only_and_to_the_end_of_the_priority() {
        let mut queue = Queue::new(&[Highest, Low, Medium, High]);
        let now = queue.now + Duration::from_secs(60);
        assert_eq!(queue.line.promote(now, CallNumber(2), High), Ok(3));
        assert_eq!(queue.order(), [1, 4, 2, 3]);
        let entry = &queue.line.get(CallNumber(2)).unwrap().entry;
        assert_eq!((entry.priority, entry.in_priority_since), (High, now));
        assert_eq!(queue.line.promote(now, CallNumber(2), High), Err(Refusal::NotHigher));
        assert_eq!(queue.line.promote(now, CallNumber(2), Low), Err(Refusal::NotHigher));
    }
}
