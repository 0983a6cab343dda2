//! The call centre in the words of the control port. Times are told as seconds that have passed.

use std::time::Instant;

use serde_json::{Value, json};

use crate::acd::{AcdView, AgentView, Done, QueueEntry, QueueView};

/// What a request brought.
pub(super) fn done(done: Done) -> Value {
    match done {
        Done::Done => json!({}),
        Done::Position(position) => json!({ "position": position }),
    }
}

/// All agents.
pub(super) fn agents(view: &AcdView, now: Instant) -> Value {
    let agents: Vec<Value> = view.agents.iter().map(|one| agent(one, now)).collect();
    json!({ "agents": agents })
}

/// All queues.
pub(super) fn queues(view: &AcdView, now: Instant) -> Value {
    let queues: Vec<Value> = view.queues.iter().map(|one| queue(one, now)).collect();
    json!({ "queues": queues })
}

/// One agent.
pub(super) fn agent(agent: &AgentView, now: Instant) -> Value {
    let status = &agent.status;
    let queues: Vec<Value> = agent
        .queues
        .iter()
        .map(|join| json!({ "queue": join.queue, "joined": join.joined, "skill": join.skill }))
        .collect();
    json!({
        "agent": agent.agent,
        "state": status.state,
        "code": status.code,
        "for_s": seconds(status.since, now),
        "owes": status.owes,
        "wrap_up_left_s": status.wrap_up_ends.map(|ends| seconds(now, ends)),
        "queues": queues,
        "offered": agent.offered,
        "calls": agent.calls,
        "personal_calls": agent.personal_calls,
        "bounces": agent.bounces,
        "counts": agent.counts,
    })
}

/// One queue.
pub(super) fn queue(queue: &QueueView, now: Instant) -> Value {
    let monitoring = &queue.monitoring;
    let entries: Vec<Value> =
        queue.entries.iter().enumerate().map(|(index, one)| entry(index + 1, one, now)).collect();
    json!({
        "queue": queue.config.id,
        "name": queue.config.name,
        "policy": queue.config.policy,
        "entries": entries,
        "night": queue.night,
        "night_forced": queue.night_forced,
        "holiday": queue.holiday,
        "forwarded": queue.config.forced_forwarding.active,
        "assigned": monitoring.assigned,
        "staffed": monitoring.staffed,
        "idle": monitoring.idle,
        "unavailable": monitoring.unavailable,
        "longest_wait_s": monitoring.longest_wait.value,
        "expected_wait_s": monitoring.expected_wait.value,
        "average_speed_of_answer_s": monitoring.average_speed_of_answer.value,
        "average_handling_time_s": monitoring.average_handling_time.value,
        "counts": queue.counts,
        "config": queue.config,
    })
}

fn entry(position: usize, entry: &QueueEntry, now: Instant) -> Value {
    json!({
        "position": position,
        "call": entry.call,
        "name": entry.caller.name,
        "number": entry.caller.number,
        "waits_s": seconds(entry.added_at, now),
        "priority": entry.priority,
        "bounced": entry.bounced,
        "offered_to": entry.offered_to,
    })
}

fn seconds(from: Instant, to: Instant) -> u64 {
    to.saturating_duration_since(from).as_secs()
}
