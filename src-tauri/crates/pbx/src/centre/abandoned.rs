//! Callers who gave up: a list of whom to call back.
//!
//! Inputs: callers who left queues; calls of the user and of his log; the user's word. Who tries several
//! times stands there once. Who is helped when he calls again need not be called back.

use std::collections::VecDeque;

use super::model::{EntryEnd, Party, QueueId};
use super::queue::{Left, same_target};

/// Most callers remembered.
const CALLERS: usize = 300;
/// How long they are remembered, milliseconds.
const AGE: u64 = 7 * 86_400_000;

/// A caller who gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbandonedCaller {
    /// Names it for commands.
    pub id: u64,
    /// The queue.
    pub queue: QueueId,
    /// Who.
    pub caller: Party,
    /// When he began to wait, the last time.
    pub since: u64,
    /// When he gave up, the last time.
    pub at: u64,
    /// How often.
    pub times: u32,
    /// Who called back.
    pub called_back: Option<CalledBack>,
}

/// Who called somebody back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledBack {
    /// Who, for people; empty: he was helped when he called again.
    pub by: String,
    /// The user himself.
    pub me: bool,
    /// When.
    pub at: u64,
    /// There was a conversation.
    pub reached: bool,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub(super) struct Abandoned {
    callers: VecDeque<AbandonedCaller>,
    last: u64,
}

impl Abandoned {
    /// Whom to call back first: the newest; then those who were called back.
    pub(super) fn list(&self) -> Vec<&AbandonedCaller> {
        let mut list: Vec<&AbandonedCaller> = self.callers.iter().collect();
        list.sort_by_key(|caller| (caller.called_back.is_some(), std::cmp::Reverse(caller.at)));
        list
    }

    /// Somebody left a queue. True when the list changed.
    pub(super) fn left(&mut self, left: &Left) -> bool {
        match &left.end {
            EntryEnd::Abandoned => {
                self.gave_up(left);
                true
            }
            EntryEnd::Answered(_) => {
                let helped =
                    CalledBack { by: String::new(), me: false, at: left.at, reached: true };
                self.called(&left.entry.caller.number, &helped)
            }
            _ => false,
        }
    }

    fn gave_up(&mut self, left: &Left) {
        let before = self.callers.iter().position(|known| {
            known.queue == left.queue && is_same(&known.caller, &left.entry.caller)
        });
        let before = before.and_then(|at| self.callers.remove(at));
        let (id, times) = match before {
            Some(before) if before.called_back.is_none() => (before.id, before.times),
            _ => {
                self.last += 1;
                (self.last, 0)
            }
        };
        self.callers.push_front(AbandonedCaller {
            id,
            queue: left.queue.clone(),
            caller: left.entry.caller.clone(),
            since: left.entry.since,
            at: left.at,
            times: times.saturating_add(1),
            called_back: None,
        });
        self.callers.truncate(CALLERS);
        let oldest = left.at.saturating_sub(AGE);
        self.callers.retain(|caller| caller.at >= oldest);
    }

    /// Somebody was called, or answered. True when the list changed. A call that reached him goes before
    /// one that only tried; a later one changes nothing.
    pub(super) fn called(&mut self, number: &str, by: &CalledBack) -> bool {
        let mut changed = false;
        for caller in &mut self.callers {
            let same = !number.is_empty() && same_target(&caller.caller.number, number);
            let better = match &caller.called_back {
                None => true,
                Some(known) => by.reached && !known.reached,
            };
            if same && better && by.at >= caller.at {
                caller.called_back = Some(by.clone());
                changed = true;
            }
        }
        changed
    }

    /// The user says that it is done, or not. False when there is no such caller.
    pub(super) fn settle(&mut self, id: u64, done: Option<CalledBack>) -> bool {
        let Some(caller) = self.callers.iter_mut().find(|caller| caller.id == id) else {
            return false;
        };
        caller.called_back = done;
        true
    }
}

fn is_same(a: &Party, b: &Party) -> bool {
    !a.number.is_empty() && same_target(&a.number, &b.number)
}

#[cfg(test)]
mod tests {
    use super::super::model::{EntryState, QueueEntry, QueuedCallId};
    use super::*;

    fn left(number: &str, at: u64, end: EntryEnd) -> Left {
        let caller = Party { name: String::new(), number: number.into() };
        let entry = QueueEntry {
            call: QueuedCallId(format!("{number}-{at}")),
            caller,
            since: at.saturating_sub(10),
            priority: None,
            state: EntryState::Queued,
            bounced: false,
            reordered: false,
            entrance: false,
        };
        Left { queue: QueueId("q".into()), entry, end, at }
    }

    fn me(at: u64, reached: bool) -> CalledBack {
        CalledBack { by: "Anna".into(), me: true, at, reached }
    }

    #[test]
    fn who_tries_again_stands_there_once() {
        let mut list = Abandoned::default();
        list.left(&left("0201234567", 100, EntryEnd::Abandoned));
        list.left(&left("+31201234567", 200, EntryEnd::Abandoned));
        list.left(&left("", 210, EntryEnd::Abandoned));
        list.left(&left("", 220, EntryEnd::Abandoned));
        let shown: Vec<_> = list.list().iter().map(|caller| (caller.at, caller.times)).collect();
        assert_eq!(shown, [(220, 1), (210, 1), (200, 2)], "the withheld ones cannot be told apart");
    }

    #[test]
    fn who_was_called_back_goes_last() {
        let mut list = Abandoned::default();
        list.left(&left("0201234567", 100, EntryEnd::Abandoned));
        list.left(&left("0209999999", 90, EntryEnd::Abandoned));
        assert!(!list.called("0201234567", &me(50, true)), "before he gave up");
        assert!(list.called("+31 20 123 4567", &me(150, false)));
        assert!(list.called("0201234567", &me(160, true)), "reached at last");
        assert!(!list.called("0201234567", &me(170, false)));
        let shown: Vec<_> = list.list().iter().map(|caller| caller.at).collect();
        assert_eq!(shown, [90, 100]);
        assert!(list.left(&left("0209999999", 300, EntryEnd::Answered(None))), "helped");
        assert!(list.list().iter().all(|caller| caller.called_back.is_some()));
        list.left(&left("0201234567", 400, EntryEnd::Abandoned));
        assert_eq!(list.list().first().map(|caller| (caller.at, caller.times)), Some((400, 1)));
    }
}
