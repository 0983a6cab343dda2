//! What the user asks goes to the binding, and what became of it to the wish that it belongs to.

use std::time::{Duration, Instant};

use super::agent::WantedState;
use super::exchange::{Centre, Change, Output};
use super::model::{QueueId, UserId};
use super::port::{Answer, Refusal, Request, RequestId};
use super::queue::same_target;
use super::service::{Forwarding, Service, ServiceKind};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most requests at once.
const REQUESTS: usize = 200;

impl Centre {
    /// Asks the exchange. What became of it comes as [`Output::Done`], once.
    pub fn ask(&mut self, now: Instant, request: Request) -> RequestId {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        let request = self.about_me(request);
        let possible = self.link.is_up() || request == Request::Refresh;
        if !possible || self.asked.len() >= REQUESTS {
            self.outputs.push_back(Output::Done { id, result: Err(Refusal::Unavailable) });
            return id;
        }
        self.wish(now, id, &request);
        self.asked.insert(id, (request.clone(), now + PATIENCE));
        self.outputs.push_back(Output::Request { id, request });
        id
    }

    /// Every call of the user's own line goes to a number; empty: no longer.
    pub fn forward_line(&mut self, now: Instant, to: &str) -> RequestId {
        let kind = ServiceKind::ForwardAlways;
        let known = self.services.get(kind).and_then(|state| state.actual.as_ref());
        let before = match known {
            Some(Service::Forwarding { forwarding, .. }) => forwarding.clone(),
            _ => Forwarding::default(),
        };
        let forwarding = match to.is_empty() {
            true => Forwarding { active: false, ..before },
            false => Forwarding { active: true, to: to.to_owned(), ..before },
        };
        let so = self.line_target().unwrap_or_default();
        let id = self.ask(now, Request::SetService(Service::Forwarding { kind, forwarding }));
        if self.asked.contains_key(&id) {
            self.line_forwarding.ask(now, id, to.to_owned(), same_target(to, &so));
            self.changed(Change::General);
        }
        id
    }

    /// What is asked about the user himself is asked without his name.
    fn about_me(&self, request: Request) -> Request {
        let other = |agent: Option<UserId>| agent.filter(|agent| self.me.as_ref() != Some(agent));
        match request {
            Request::SetAgentState { agent, state, code, validate } => {
                Request::SetAgentState { agent: other(agent), state, code, validate }
            }
            Request::Join { agent, queue, joined } => {
                Request::Join { agent: other(agent), queue, joined }
            }
            request => request,
        }
    }

    fn wish(&mut self, now: Instant, id: RequestId, request: &Request) {
        match request {
            Request::SetAgentState { agent: None, state, code, .. } => {
                let wanted = WantedState { state: *state, code: code.clone() };
                let actual = self.status().cloned();
                self.own.ask(now, id, wanted, actual.as_ref());
                self.changed(Change::OwnAgent);
            }
            Request::SetAgentState { agent: Some(agent), .. } => {
                self.changed(Change::Agent(agent.clone()));
                self.queues_of_changed(agent);
            }
            Request::Join { agent: None, queue, joined } => {
                let agent = self.own_agent();
                let so = agent.and_then(|a| a.memberships.iter().find(|m| m.queue == *queue));
                let like = so.is_some_and(|so| so.joined == *joined);
                self.join_wish(queue).ask(now, id, *joined, like);
                self.changed(Change::OwnAgent);
            }
            Request::MoveToNumber { queue, call, .. }
            | Request::Reorder { queue, call, .. }
            | Request::Promote { queue, call, .. }
            | Request::ReleaseQueued { queue, call } => {
                if let Some(state) = self.queues.get_mut(queue) {
                    state.pending.insert(id, call.clone());
                }
                self.changed(Change::Queue(queue.clone()));
            }
            Request::SetNight { queue, night } => {
                if let Some(state) = self.queues.get_mut(queue) {
                    let like = state.queue.policy.night_override == Some(*night);
                    state.night.ask(now, id, *night, like);
                }
                self.changed(Change::General);
            }
            Request::SetForcedForwarding { queue, to } => {
                if let Some(state) = self.queues.get_mut(queue) {
                    let to = to.clone().unwrap_or_default();
                    let so = state.queue.policy.forced_forwarding.as_deref().unwrap_or_default();
                    let like = same_target(&to, so);
                    state.forwarding.ask(now, id, to, like);
                }
                self.changed(Change::General);
            }
            Request::SetService(service) => {
                self.services.ask(now, id, service.clone());
                self.changed(Change::Services);
                self.changed(Change::General);
            }
            Request::JoinHuntGroup { group, joined } => {
                if let Some(state) = self.hunt_groups.iter_mut().find(|g| g.group.id == *group) {
                    let like = state.group.joined == *joined;
                    state.wish.ask(now, id, *joined, like);
                }
                self.changed(Change::Services);
            }
            _ => {}
        }
    }

    pub(super) fn request_done(
        &mut self,
        now: Instant,
        id: RequestId,
        result: Result<Answer, Refusal>,
    ) {
        // Answered twice, or after it was given up.
        let Some((request, _)) = self.asked.remove(&id) else { return };
        let refusal = result.as_ref().err();
        match &request {
            Request::SetAgentState { agent: None, .. } => {
                let actual = self.status().cloned();
                self.own.done(now, id, refusal, actual.as_ref());
                self.changed(Change::OwnAgent);
            }
            Request::SetAgentState { agent: Some(agent), .. } => {
                self.changed(Change::Agent(agent.clone()));
                self.queues_of_changed(agent);
            }
            Request::Join { agent: None, queue, .. } => {
                self.join_wish(queue).done(now, id, refusal);
                self.changed(Change::OwnAgent);
            }
            Request::SetNight { queue, .. } | Request::SetForcedForwarding { queue, .. } => {
                self.policy_done(now, id, queue, refusal);
            }
            Request::SetService(_) => self.service_done(now, id, refusal),
            Request::JoinHuntGroup { .. } => {
                for group in &mut self.hunt_groups {
                    group.wish.done(now, id, refusal);
                }
                self.changed(Change::Services);
            }
            Request::SetDisposition { call, .. } => {
                let call = call.clone();
                self.outcome_done(now, id, call.as_deref(), refusal);
            }
            _ => self.entry_done(id),
        }
        self.outputs.push_back(Output::Done { id, result });
    }

    fn entry_done(&mut self, id: RequestId) {
        let mut changed = None;
        for state in self.queues.values_mut() {
            if state.pending.remove(&id).is_some() {
                changed = Some(state.queue.id.clone());
            }
        }
        if let Some(queue) = changed {
            self.changed(Change::Queue(queue));
        }
    }

    fn policy_done(
        &mut self,
        now: Instant,
        id: RequestId,
        queue: &QueueId,
        refusal: Option<&Refusal>,
    ) {
        self.changed(Change::General);
        self.changed(Change::Queue(queue.clone()));
        let Some(state) = self.queues.get_mut(queue) else { return };
        state.night.done(now, id, refusal);
        state.forwarding.done(now, id, refusal);
        if refusal.is_none() && (state.night.is_open() || state.forwarding.is_open()) {
            self.read(Request::ReadPolicy(queue.clone()), now);
        }
    }

    fn service_done(&mut self, now: Instant, id: RequestId, refusal: Option<&Refusal>) {
        self.changed(Change::Services);
        self.changed(Change::General);
        let line = self.line_forwarding.done(now, id, refusal) && self.line_forwarding.is_open();
        if let Some((kind, open)) = self.services.done(now, id, refusal)
            && (open || line && refusal.is_none())
        {
            self.read(Request::ReadService(kind), now);
        }
    }

    /// Reads back what was set.
    fn read(&mut self, request: Request, now: Instant) {
        self.ask(now, request);
    }

    fn queues_of_changed(&mut self, agent: &UserId) {
        let queues = self.agents.get(agent).map(|agent| agent.memberships.clone());
        for membership in queues.into_iter().flatten() {
            self.changed(Change::Queue(membership.queue));
        }
    }

    /// A command about this agent is under way.
    pub fn is_agent_pending(&self, agent: &UserId) -> bool {
        self.asked.values().any(|(request, _)| match request {
            Request::SetAgentState { agent: Some(about), .. }
            | Request::Join { agent: Some(about), .. } => about == agent,
            _ => false,
        })
    }
}
