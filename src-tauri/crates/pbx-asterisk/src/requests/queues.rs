//! Callers of queues: to another place, to a number, away.
//!
//! The exchange sorts callers by a number, higher first, and equal ones by their coming. A place is reached by
//! numbers alone.

use pbx::centre::{Answer, Priority, QueueId, QueuedCallId, Refusal};

use super::{After, Ending, Job, Planner, dialable};
use crate::Action;
use crate::view::{Caller, Sent, number_of_level};

/// Most callers that are raised to make one of them stand where he should.
const MOST_RAISED: usize = 50;

impl Planner<'_> {
    /// Redirects a caller into the dial plan.
    pub(super) fn move_caller(
        &mut self,
        queue: &QueueId,
        call: &QueuedCallId,
        number: &str,
    ) -> Result<Job, Refusal> {
        self.watches()?;
        let caller = self.view.caller(queue, call).ok_or(Refusal::Gone)?;
        let redirect = Action::new("Redirect")
            .with("Channel", &caller.channel)
            .with("Context", &self.config.context)
            .with("Exten", dialable(number)?)
            .with("Priority", "1");
        self.view.mark_sent(queue, call, Some(Sent::Elsewhere));
        Ok(Job { after: After::Unsend(queue.clone(), call.clone()), ..Job::of([redirect]) })
    }

    /// Ends a caller's call; where only the queue may be spoken to, hands him back to the dial plan.
    pub(super) fn release_caller(
        &mut self,
        queue: &QueueId,
        call: &QueuedCallId,
    ) -> Result<Job, Refusal> {
        self.watches()?;
        let caller = self.view.caller(queue, call).ok_or(Refusal::Gone)?;
        let action = if self.commands.allow("Hangup") {
            Action::new("Hangup").with("Channel", &caller.channel).with("Cause", "16")
        } else {
            Action::new("QueueWithdrawCaller")
                .with("Queue", &queue.0)
                .with("Caller", &caller.channel)
        };
        self.view.mark_sent(queue, call, Some(Sent::Off));
        Ok(Job { after: After::Unsend(queue.clone(), call.clone()), ..Job::of([action]) })
    }

    pub(super) fn promote(
        &mut self,
        queue: &QueueId,
        call: &QueuedCallId,
        priority: Priority,
    ) -> Result<Job, Refusal> {
        self.watches()?;
        let caller = self.view.caller(queue, call).ok_or(Refusal::Gone)?;
        let action = change(queue, caller, number_of_level(priority));
        self.view.mark_moved(queue, call);
        Ok(Job { after: After::Read(queue.0.clone()), ..Job::of([action]) })
    }

    pub(super) fn reorder(
        &mut self,
        queue: &QueueId,
        call: &QueuedCallId,
        index: u32,
    ) -> Result<Job, Refusal> {
        self.watches()?;
        let caller = self.view.caller(queue, call).ok_or(Refusal::Gone)?;
        let all = self.view.queues.get(&queue.0).ok_or(Refusal::Gone)?;
        let others: Vec<&Caller> = all.waiting().filter(|other| other.id != call.0).collect();
        let index = usize::try_from(index).unwrap_or(usize::MAX).min(others.len());
        let changes =
            numbers_for(&others, index).ok_or_else(|| Refusal::BadValue(index.to_string()))?;
        let own = changes.own;
        let actions: Vec<Action> = changes
            .raised
            .iter()
            .filter_map(|&at| others.get(at))
            .map(|other| change(queue, other, own))
            .chain([change(queue, caller, own)])
            .collect();
        self.view.mark_moved(queue, call);
        let position = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let job = Job::of(actions).ending(Ending::Answer(Answer::Position(position)));
        Ok(Job { after: After::Read(queue.0.clone()), ..job })
    }

    fn watches(&self) -> Result<(), Refusal> {
        if self.config.supervisor { Ok(()) } else { Err(Refusal::NotAllowed) }
    }
}

/// Numbers that bring a caller to a place.
#[derive(Debug, PartialEq, Eq)]
struct Numbers {
    /// His own.
    own: i64,
    /// Which of the others get the same before, in order.
    raised: Vec<usize>,
}

/// A changed caller is put behind those with the same number, so those that must stay before him are raised
/// first where their number is lower. `None` when too many would have to be.
fn numbers_for(others: &[&Caller], index: usize) -> Option<Numbers> {
    let own = match others.get(index) {
        Some(next) => next.priority.saturating_add(1),
        None => others.last().map_or(0, |last| last.priority),
    };
    let before = others.iter().take(index).enumerate();
    let raised: Vec<usize> =
        before.filter(|(_, other)| other.priority < own).map(|(at, _)| at).collect();
    (raised.len() <= MOST_RAISED).then_some(Numbers { own, raised })
}

fn change(queue: &QueueId, caller: &Caller, number: i64) -> Action {
    Action::new("QueueChangePriorityCaller")
        .with("Queue", &queue.0)
        .with("Caller", &caller.channel)
        .with("Priority", &number.to_string())
        .with("Immediate", "yes")
}
