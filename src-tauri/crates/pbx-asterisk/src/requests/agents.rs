//! States of agents and their queues.

use pbx::centre::{AgentState, QueueId, Refusal, UserId};

use super::{Job, Planner, Step};
use crate::Action;
use crate::view::Member;

/// Longest reason: the exchange keeps no more (`app_queue`).
const LONGEST_REASON: usize = 79;

/// What the exchange says to one who joins where he is.
const THERE: &str = "already there";

/// What it says to one who leaves where he is not.
const NOT_THERE: &str = "not there";

/// How an agent begins in a queue.
#[derive(Clone, Copy)]
struct Start<'a> {
    /// Paused, for this reason.
    paused: Option<&'a str>,
}

impl Planner<'_> {
    pub(super) fn set_agent_state(
        &mut self,
        agent: Option<UserId>,
        state: AgentState,
        code: Option<&str>,
        validate: bool,
    ) -> Result<Job, Refusal> {
        let agent = self.agent(agent)?;
        let reason = code.unwrap_or_default();
        if reason.len() > LONGEST_REASON {
            return Err(Refusal::BadValue(reason.to_owned()));
        }
        let wrap_up = self.config.wrap_up_reason.clone();
        match state {
            AgentState::SignedOut => self.sign_out(&agent, validate),
            // There is no state in between: who is in a queue is signed in.
            AgentState::SigningIn if self.view.memberships(&agent.0).next().is_some() => {
                Ok(Job::of([]))
            }
            AgentState::SigningIn => self.sign_in(&agent, Start { paused: None }),
            AgentState::Available => self.available(&agent),
            AgentState::Unavailable => self.pause(&agent, reason),
            AgentState::WrapUp => self.pause(&agent, &wrap_up),
        }
    }

    fn sign_out(&mut self, agent: &UserId, validate: bool) -> Result<Job, Refusal> {
        if validate {
            let alone = self.view.last_in(&agent.0);
            if !alone.is_empty() {
                return Err(Refusal::LastStaffed(alone));
            }
        }
        let members: Vec<(String, Member)> = self
            .view
            .memberships(&agent.0)
            .map(|(queue, m)| (queue.to_owned(), m.clone()))
            .collect();
        if members.iter().any(|(_, member)| !member.dynamic) {
            // The settings of the exchange put him there; he can only pause.
            return Err(Refusal::NotAllowed);
        }
        let steps = members.iter().map(|(queue, _)| Step {
            action: Action::new("QueueRemove").with("Queue", queue).with("Interface", &agent.0),
            or: NOT_THERE,
        });
        let job = Job { steps: steps.collect(), ..Job::of([]) };
        if !members.is_empty() {
            self.left.insert(agent.clone(), members);
        }
        Ok(job)
    }

    fn available(&self, agent: &UserId) -> Result<Job, Refusal> {
        let pauses: Vec<bool> =
            self.view.memberships(&agent.0).map(|(_, member)| member.paused).collect();
        if pauses.is_empty() {
            return self.sign_in(agent, Start { paused: None });
        }
        if !pauses.contains(&true) && self.view.state_of(agent) == Some(AgentState::WrapUp) {
            // The queue's own time runs; no action ends it.
            return Err(Refusal::NotAllowed);
        }
        Ok(Job::of([Action::new("QueuePause").with("Interface", &agent.0).with("Paused", "false")]))
    }

    fn pause(&self, agent: &UserId, reason: &str) -> Result<Job, Refusal> {
        if self.view.memberships(&agent.0).next().is_none() {
            return self.sign_in(agent, Start { paused: Some(reason) });
        }
        let pause = Action::new("QueuePause").with("Interface", &agent.0).with("Paused", "true");
        Ok(Job::of([if reason.is_empty() { pause } else { pause.with("Reason", reason) }]))
    }

    /// Into the queues that were left last, else into those of the settings.
    fn sign_in(&self, agent: &UserId, start: Start<'_>) -> Result<Job, Refusal> {
        let own = *agent == self.config.own_id();
        let mut queues = self.left.get(agent).cloned().unwrap_or_default();
        if queues.is_empty() && own {
            let set = self.config.sign_in.iter();
            queues = set.map(|queue| (queue.clone(), self.fresh_member())).collect();
        }
        queues.retain(|(queue, _)| self.view.queues.contains_key(queue));
        if queues.is_empty() {
            return Err(Refusal::BadValue("no queue to sign in to".to_owned()));
        }
        let steps = queues.iter().map(|(queue, member)| add(queue, &agent.0, member, start));
        Ok(Job { steps: steps.collect(), ..Job::of([]) })
    }

    fn fresh_member(&self) -> Member {
        Member {
            name: self.config.name.clone(),
            state_interface: self.config.state_interface.clone().unwrap_or_default(),
            ..Member::default()
        }
    }

    pub(super) fn join(
        &mut self,
        agent: Option<UserId>,
        queue: &QueueId,
        joined: bool,
    ) -> Result<Job, Refusal> {
        let agent = self.agent(agent)?;
        let known = self.view.queues.get(&queue.0).ok_or(Refusal::Gone)?;
        let member = known.members.get(&agent.0);
        let step = match (joined, member) {
            (true, Some(member)) if member.paused => Step {
                action: Action::new("QueuePause")
                    .with("Interface", &agent.0)
                    .with("Paused", "false")
                    .with("Queue", &queue.0),
                or: "",
            },
            (true, Some(_)) | (false, None) => return Ok(Job::of([])),
            (false, Some(member)) if !member.dynamic => return Err(Refusal::NotAllowed),
            (false, Some(_)) => Step {
                action: Action::new("QueueRemove")
                    .with("Queue", &queue.0)
                    .with("Interface", &agent.0),
                or: NOT_THERE,
            },
            (true, None) => {
                let others: Vec<&Member> =
                    self.view.memberships(&agent.0).map(|(_, m)| m).collect();
                let paused = others.iter().all(|member| member.paused);
                // He stays as he is in his other queues.
                let reason = others.first().filter(|_| paused).map(|member| member.reason.as_str());
                let model = others.first().map_or_else(|| self.fresh_member(), |m| (*m).clone());
                add(&queue.0, &agent.0, &Member { penalty: 0, ..model }, Start { paused: reason })
            }
        };
        Ok(Job { steps: [step].into(), ..Job::of([]) })
    }
}

fn add(queue: &str, interface: &str, member: &Member, start: Start<'_>) -> Step {
    let mut action = Action::new("QueueAdd").with("Queue", queue).with("Interface", interface);
    if member.penalty > 0 {
        action = action.with("Penalty", &member.penalty.to_string());
    }
    action = action.with("Paused", if start.paused.is_some() { "true" } else { "false" });
    for (name, value) in [
        ("Reason", start.paused.unwrap_or_default()),
        ("MemberName", member.name.as_str()),
        ("StateInterface", member.state_interface.as_str()),
    ] {
        if !value.is_empty() {
            action = action.with(name, value);
        }
    }
    Step { action, or: THERE }
}
