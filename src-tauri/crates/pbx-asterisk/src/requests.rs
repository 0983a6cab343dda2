//! What the user asks for, as actions of the exchange.
//!
//! A request becomes a [`Job`]: actions one after the other, and what is waited for after the last one. What
//! the exchange cannot do at all is refused here; the rest it judges itself.

mod agents;
mod calls;
mod queues;

use std::collections::{BTreeMap, VecDeque};

use pbx::centre::{Answer, QueueId, QueuedCallId, Refusal, Request, UserId};

use crate::capability::Commands;
use crate::view::{Member, View};
use crate::{Action, Config, Message, is_dialable};

/// One action of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// A refusal with these words is as good: what was asked for is so already.
    pub(crate) or: &'static str,
}

/// What ends a job after its last action was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing more.
    Answer(Answer),
    /// The telephone was rung: `OriginateResponse`.
    Originated,
    /// The channel was parked: `ParkedCall`.
    Parked(String),
}

/// What is done besides, when the job is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing.
    Nothing,
    /// The queue is read again: no event tells of the new order.
    Read(String),
    /// When it failed: the caller was not sent away.
    Unsend(QueueId, QueuedCallId),
}

/// A request on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) steps: VecDeque<Step>,
    pub(crate) ending: Ending,
    pub(crate) after: After,
}

impl Job {
    fn of(actions: impl IntoIterator<Item = Action>) -> Self {
        let steps = actions.into_iter().map(|action| Step { action, or: "" }).collect();
        Self { steps, ending: Ending::Answer(Answer::Accepted), after: After::Nothing }
    }

    fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }
}

/// What is remembered between requests: the queues that an agent left when he signed out.
pub(crate) type Left = BTreeMap<UserId, Vec<(String, Member)>>;

/// What a request is judged by.
pub(crate) struct Planner<'a> {
    pub(crate) view: &'a mut View,
    pub(crate) config: &'a Config,
    pub(crate) commands: &'a Commands,
    pub(crate) left: &'a mut Left,
}

impl Planner<'_> {
    /// The actions for a request. [`Request::Refresh`] is none of these: it is the session's.
    pub(crate) fn plan(&mut self, request: Request) -> Result<Job, Refusal> {
        let job = match request {
            Request::SetAgentState { agent, state, code, validate } => {
                self.set_agent_state(agent, state, code.as_deref(), validate)
            }
            Request::Join { agent, queue, joined } => self.join(agent, &queue, joined),
            Request::MoveToNumber { queue, call, number } => {
                self.move_caller(&queue, &call, &number)
            }
            Request::Reorder { queue, call, index } => self.reorder(&queue, &call, index),
            Request::Promote { queue, call, priority } => self.promote(&queue, &call, priority),
            Request::ReleaseQueued { queue, call } => self.release_caller(&queue, &call),
            Request::Dial { number } => self.dial(&number),
            Request::Control { call, verb } => self.control(&call, verb),
            Request::Retrieve { at } => self.retrieve(at.as_deref()),
            Request::Pickup { at } => self.pickup(at.as_deref()),
            Request::Supervise { agent, how } => self.supervise(&agent, how),
            _ => Err(Refusal::NotAllowed),
        }?;
        let refused = job.steps.iter().find(|step| !self.commands.allow(step.action.name()));
        if let Some(step) = refused {
            tracing::debug!("{} is not among the account's rights", step.action.name());
            if let After::Unsend(queue, call) = &job.after {
                self.view.mark_sent(queue, call, None);
            }
            return Err(Refusal::NotAllowed);
        }
        Ok(job)
    }

    /// The agent meant, when the user may speak for him.
    fn agent(&self, agent: Option<UserId>) -> Result<UserId, Refusal> {
        let own = self.config.own_id();
        match agent {
            None => Ok(own),
            Some(agent) if agent == own => Ok(own),
            Some(_) if !self.config.supervisor => Err(Refusal::NotAllowed),
            Some(agent) if self.view.knows_agent(&agent) => Ok(agent),
            Some(_) => Err(Refusal::Gone),
        }
    }
}

/// A number that can be dialled.
fn dialable(number: &str) -> Result<&str, Refusal> {
    if is_dialable(number) { Ok(number) } else { Err(Refusal::BadValue(number.to_owned())) }
}

/// What a refused action means.
pub(crate) fn refusal(message: &Message) -> Refusal {
    let words = message.get("Message").unwrap_or_default().to_owned();
    let small = words.to_ascii_lowercase();
    let has = |part: &str| small.contains(part);
    if has("permission denied") {
        return Refusal::NotAllowed;
    }
    let gone =
        ["no such", "not found", "not there", "does not exist", "doesn't exist", "no longer"];
    if gone.iter().any(|part| has(part)) {
        return Refusal::Gone;
    }
    Refusal::Exchange { code: 0, words }
}
