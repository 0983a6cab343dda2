//! Who is offered which call, and what happens when it is not taken.
//!
//! Inputs: from the core `distribute` (something changed), `refused`, `not_taken` (rang for too long), `bounce_from` and
//! `withdraw_from` (an agent is in another state).

use std::time::{Duration, Instant};

use super::centre::Acd;
use super::config::Policy;
use super::model::{AgentId, AgentState, Priority, QueueId};
use super::news::{Command, QueueNews};
use super::policy::{Candidate, choose};
use super::queue::Queue;
use super::waiting::Waiting;
use crate::pbx::CallNumber;

/// A call that all free agents have let go by is not offered again before.
pub(crate) const PAUSE: Duration = Duration::from_secs(3);

/// What is to be offered next.
struct Next {
    call: CallNumber,
    queue: QueueId,
    rank: (bool, Priority, Instant),
}

impl Acd {
    /// Offers calls as long as somebody is free: first among the queues goes who bounced, has the higher priority, or
    /// has waited longer.
    pub(super) fn distribute(&mut self, now: Instant) {
        self.begin_rounds(now);
        loop {
            let next = self.queues.values().filter_map(|queue| self.next_of(now, queue));
            let Some(next) = next.min_by_key(|next| next.rank) else { return };
            if !self.offer(now, next.call, &next.queue) {
                return;
            }
        }
    }

    /// The first call of a queue that somebody is free for.
    fn next_of(&self, now: Instant, queue: &Queue) -> Option<Next> {
        if queue.line.len() == 0 {
            return None;
        }
        let free = self.free(now, queue);
        if free.is_empty() {
            return None;
        }
        let offerable = |waiting: &&Waiting| {
            let fresh = |candidate: &Candidate<'_>| !has_tried(waiting, candidate.id);
            waiting.can_be_offered(now) && free.iter().any(fresh)
        };
        let entry = &queue.line.iter().find(offerable)?.entry;
        let rank = (!entry.bounced, entry.priority, entry.added_at);
        Some(Next { call: entry.call, queue: entry.queue.clone(), rank })
    }

    /// The agents of a queue who could take a call now.
    fn free<'a>(&'a self, now: Instant, queue: &'a Queue) -> Vec<Candidate<'a>> {
        let config = &queue.config;
        let members = config.members.iter().enumerate().filter(|(_, member)| member.joined);
        let candidate = |(place, member): (usize, &'a super::config::Member)| {
            let agent = self.agents.get(&member.agent)?;
            let free = agent.is_free(now, config.allow_call_waiting, config.allow_calls_in_wrap_up);
            free.then_some(Candidate {
                id: member.agent.0.as_str(),
                place,
                skill: if config.skill_based { member.skill } else { 1 },
                weight: member.weight,
                idle_since: agent.idle_since,
            })
        };
        members.filter_map(candidate).collect()
    }

    fn offer(&mut self, now: Instant, call: CallNumber, id: &QueueId) -> bool {
        let mut random = self.random.fork();
        let Some(queue) = self.queues.get(id) else { return false };
        let Some(waiting) = queue.line.get(call) else { return false };
        let mut candidates = self.free(now, queue);
        candidates.retain(|candidate| !has_tried(waiting, candidate.id));
        let policy = queue.config.policy;
        let chosen = choose(policy, &candidates, queue.last, &mut random);
        let place = candidates
            .iter()
            .find(|candidate| chosen.first().map(String::as_str) == Some(candidate.id));
        let place = place.map(|candidate| candidate.place);
        let agents: Vec<AgentId> = chosen.into_iter().map(AgentId).collect();
        if agents.is_empty() {
            return false;
        }
        let Some(queue) = self.queues.get_mut(id) else { return false };
        if policy != Policy::Simultaneous {
            queue.last = place;
        }
        queue.measures.touch();
        if let Some(waiting) = queue.line.get_mut(call) {
            waiting.offer(now, agents.clone(), &queue.config);
        }
        for agent in agents {
            if let Some(agent) = self.agents.get_mut(&agent) {
                agent.offered(call);
            }
            self.command(Command::Offer { call, agent: agent.clone(), queue: id.clone() });
            self.told_queue(now, call, QueueNews::OfferedToAgent(agent));
        }
        true
    }

    /// An agent's phone does not take the call.
    pub(super) fn refused(&mut self, now: Instant, call: CallNumber, agent: &AgentId) {
        let rung = self.agents.get(agent).is_some_and(|agent| agent.offered == Some(call));
        if rung {
            self.give_back(now, call, agent, true);
        }
    }

    /// It rang for too long at these agents.
    pub(super) fn not_taken(
        &mut self,
        now: Instant,
        call: CallNumber,
        agents: &[AgentId],
        counted: bool,
    ) {
        for agent in agents {
            self.command(Command::Stop { call, agent: agent.clone(), elsewhere: false });
            self.give_back(now, call, agent, counted);
        }
    }

    /// The call does not ring at the agent any more; when it rings nowhere it goes back to the head of its queue.
    fn give_back(&mut self, now: Instant, call: CallNumber, id: &AgentId, counted: bool) {
        if let Some(agent) = self.agents.get_mut(id) {
            match counted {
                true => agent.bounced(now, &self.unavailable_codes),
                false => agent.withdrawn(),
            }
        }
        let Some(queue) = self.waiting.get(&call).and_then(|queue| self.queues.get_mut(queue))
        else {
            return;
        };
        queue.measures.touch();
        let Some(waiting) = queue.line.get_mut(call) else { return };
        waiting.tried.insert(id.clone());
        if !waiting.withdraw(id) {
            return;
        }
        queue.counts.bounced += 1;
        let position = queue.line.bounce(call);
        self.told_queue(now, call, QueueNews::Bounced { agent: id.clone(), position });
    }

    /// Calls that all who are free have let go by are offered to them again after a while.
    fn begin_rounds(&mut self, now: Instant) {
        let mut again = Vec::new();
        for queue in self.queues.values() {
            let tried = queue.line.iter().filter(|waiting| !waiting.tried.is_empty());
            let tried: Vec<&Waiting> =
                tried.filter(|waiting| waiting.can_be_offered(now)).collect();
            if tried.is_empty() {
                continue;
            }
            let free = self.free(now, queue);
            let over = |waiting: &&&Waiting| {
                !free.is_empty() && free.iter().all(|candidate| has_tried(waiting, candidate.id))
            };
            let calls = tried.iter().filter(over).map(|waiting| waiting.entry.call);
            again.extend(calls.map(|call| (queue.id().clone(), call)));
        }
        for (id, call) in again {
            let queue = self.queues.get_mut(&id);
            if let Some(waiting) = queue.and_then(|queue| queue.line.get_mut(call)) {
                waiting.tried.clear();
                waiting.not_before = now + PAUSE;
            }
        }
    }

    /// An agent is in another state: a call that rings there goes back if it must.
    pub(super) fn bounce_from(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get(id) else { return };
        let Some(call) = agent.offered else { return };
        let queue = self.waiting.get(&call).and_then(|queue| self.queues.get(queue));
        let must = match agent.state() {
            AgentState::SignOut => true,
            AgentState::Unavailable => queue.is_none_or(|queue| queue.config.bounce_on_unavailable),
            _ => false,
        };
        if must {
            self.not_taken(now, call, std::slice::from_ref(id), false);
        }
    }

    /// Whatever else rings at the agent is given back.
    pub(super) fn withdraw_from(&mut self, now: Instant, id: &AgentId, but: Option<CallNumber>) {
        let offered = self.agents.get(id).and_then(|agent| agent.offered);
        if let Some(call) = offered.filter(|_| offered != but) {
            self.not_taken(now, call, std::slice::from_ref(id), false);
        }
    }
}

fn has_tried(waiting: &Waiting, id: &str) -> bool {
    waiting.tried.iter().any(|tried| tried.0 == id)
}
