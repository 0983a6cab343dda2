//! Agents as they follow from their queues.
//!
//! The exchange knows members of queues, each with a pause of its own. An agent is signed out when he is in no
//! queue, unavailable when all of his queues have him paused, and finishes a call while one of his queues'
//! time for that runs. A pause in only some of the queues shows as not joined there.

use std::time::{Duration, Instant};

use pbx::centre::{AgentState, AgentStatus, Input as Told, Membership, QueueId, UserId, WrapUp};

use super::View;
use super::member::{Member, number_of};
use crate::Config;

/// An agent as told last.
#[derive(Debug)]
pub(crate) struct ToldAgent {
    name: String,
    status: AgentStatus,
    on_call: bool,
    memberships: Vec<Membership>,
    /// When the state changes by itself.
    pub(crate) ends: Option<Instant>,
}

impl View {
    /// An agent may have changed.
    pub(crate) fn touch(&mut self, interface: &str) {
        self.touched.insert(UserId(interface.to_owned()));
    }

    /// All agents may have changed: those in queues, those known before, and the user.
    pub(crate) fn touch_all(&mut self, config: &Config) {
        let members = self.queues.values().flat_map(|queue| queue.members.keys());
        let all: Vec<UserId> = members.map(|interface| UserId(interface.clone())).collect();
        self.touched.extend(all);
        self.touched.extend(self.agents.keys().cloned());
        self.touched.insert(config.own_id());
    }

    /// Tells what changed about those who were touched.
    pub(crate) fn tell_agents(&mut self, now: Instant, config: &Config) {
        for id in std::mem::take(&mut self.touched) {
            self.tell_agent(now, id, config);
        }
    }

    fn tell_agent(&mut self, now: Instant, id: UserId, config: &Config) {
        let mut new = self.agent(now, &id, config);
        let old = self.agents.get(&id);
        if let Some(old) = old
            && old.status.state == new.status.state
            && old.status.code == new.status.code
        {
            new.status.since = old.status.since;
        } else if old.is_some() {
            new.status.since = Some(self.clock.at(now));
        }
        let name_changed = old.is_none_or(|old| old.name != new.name);
        let status_changed = old.is_none_or(|old| old.status != new.status);
        let call_changed = old.is_none_or(|old| old.on_call != new.on_call);
        let queues_changed = old.is_none_or(|old| old.memberships != new.memberships);
        if name_changed {
            let (name, number) = (new.name.clone(), number_of(&id.0).to_owned());
            self.tell(Told::AgentKnown { agent: id.clone(), name, number });
        }
        if queues_changed {
            let memberships = new.memberships.clone();
            self.tell(Told::Memberships { agent: id.clone(), full: true, memberships });
        }
        if status_changed {
            let (shown, status) = (new.status.state, new.status.clone());
            tracing::debug!(agent = id.0, "{:?} -> {shown:?}", old_state(self.agents.get(&id)));
            self.tell(Told::AgentStatus { agent: id.clone(), status });
        }
        if call_changed {
            self.tell(Told::AgentOnCall { agent: id.clone(), on_call: new.on_call });
        }
        self.agents.insert(id, new);
    }

    fn agent(&self, now: Instant, id: &UserId, config: &Config) -> ToldAgent {
        let members: Vec<(&str, &Member)> = self.memberships(&id.0).collect();
        let all_paused = members.iter().all(|(_, member)| member.paused);
        let joined = |member: &Member| all_paused || !member.paused;
        let memberships = members.iter().map(|&(queue, member)| Membership {
            queue: QueueId(queue.to_owned()),
            joined: joined(member),
            may_leave: member.dynamic,
            skill: Some(member.penalty.saturating_add(1)),
        });
        let (status, ends) = self.status(now, &members, config);
        let name =
            members.iter().map(|(_, member)| member.name.as_str()).find(|name| !name.is_empty());
        let own = (id.0 == config.member()).then_some(config.name.as_str());
        ToldAgent {
            name: name.or(own).unwrap_or("").to_owned(),
            status,
            on_call: members.iter().any(|(_, member)| member.talks()),
            memberships: memberships.collect(),
            ends,
        }
    }

    fn status(
        &self,
        now: Instant,
        members: &[(&str, &Member)],
        config: &Config,
    ) -> (AgentStatus, Option<Instant>) {
        let signed_in = members.iter().map(|(_, member)| member.login).filter(|&at| at > 0).min();
        let status =
            AgentStatus { signed_in_at: signed_in.map(milliseconds), ..AgentStatus::default() };
        if members.is_empty() {
            return (status, None);
        }
        if members.iter().all(|(_, member)| member.paused)
            && let Some((_, last)) = members.iter().max_by_key(|(_, member)| member.last_pause)
        {
            return (paused_status(status, last, config), None);
        }
        let finishing = members.iter().filter(|(_, member)| !member.paused && !member.talks());
        let last = finishing.filter_map(|&(queue, member)| {
            let wrap_up = self.queues.get(queue)?.wrap_up_of(member, config);
            let from = milliseconds(member.last_call);
            let until = from.saturating_add(u64::try_from(wrap_up.as_millis()).ok()?);
            (member.last_call > 0 && until > self.clock.at(now)).then_some((until, from, queue))
        });
        if let Some((until, from, queue)) = last.max() {
            let wrap_up =
                WrapUp { queue: Some(QueueId(queue.to_owned())), call: None, until: Some(until) };
            let left = Duration::from_millis(until.saturating_sub(self.clock.at(now)));
            let status = AgentStatus {
                state: AgentState::WrapUp,
                since: Some(from),
                wrap_up: Some(wrap_up),
                ..status
            };
            return (status, Some(now + left));
        }
        let since =
            members.iter().map(|(_, m)| m.login.max(m.last_call)).filter(|&at| at > 0).max();
        let since = since.map(milliseconds);
        (AgentStatus { state: AgentState::Available, since, ..status }, None)
    }

    /// The queues that somebody is in.
    pub(crate) fn memberships<'a>(
        &'a self,
        interface: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Member)> {
        self.queues.iter().filter_map(move |(name, queue)| {
            queue.members.get(interface).map(|member| (name.as_str(), member))
        })
    }

    /// State of somebody as told last.
    pub(crate) fn state_of(&self, id: &UserId) -> Option<AgentState> {
        self.agents.get(id).map(|agent| agent.status.state)
    }

    /// Whether somebody is known.
    pub(crate) fn knows_agent(&self, id: &UserId) -> bool {
        self.agents.contains_key(id)
    }

    /// The queues that would have nobody without this agent.
    pub(crate) fn last_in(&self, interface: &str) -> Vec<QueueId> {
        let works = |member: &Member| !member.paused && !member.device.is_away();
        let alone = self.queues.iter().filter(|(_, queue)| {
            let others = queue.members.iter().filter(|(other, _)| other.as_str() != interface);
            queue.members.get(interface).is_some_and(|own| !own.paused)
                && !others.map(|(_, member)| member).any(works)
        });
        alone.map(|(name, _)| QueueId(name.clone())).collect()
    }
}

/// A pause with the reason that stands for finishing a call is that.
fn paused_status(status: AgentStatus, member: &Member, config: &Config) -> AgentStatus {
    let since = (member.last_pause > 0).then(|| milliseconds(member.last_pause));
    let reason = Some(member.reason.clone()).filter(|reason| !reason.is_empty());
    if reason.as_ref() == Some(&config.wrap_up_reason) {
        let wrap_up = Some(WrapUp::default());
        return AgentStatus { state: AgentState::WrapUp, since, wrap_up, ..status };
    }
    AgentStatus { state: AgentState::Unavailable, code: reason, since, ..status }
}

fn old_state(agent: Option<&ToldAgent>) -> Option<AgentState> {
    agent.map(|agent| agent.status.state)
}

fn milliseconds(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000)
}
