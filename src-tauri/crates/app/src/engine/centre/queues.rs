//! The view of a queue.

use std::time::Instant;

use pbx::centre::{
    Agent, AgentState, Capability, Centre, EntryState, Priority, QueueEntry, QueueId, QueueState,
};

use super::super::desk::Desk;
use super::own::queue_name;
use super::words::{
    code_views, entry_state, measure_name, night_choice, priority_name, severity_name, state_name,
    text_of,
};
use crate::view::queue::{
    AgentAction, AgentView, CallQueueView, EntryAction, MeasureView, QueueEntryView, QueueView,
    ThresholdView,
};

impl Desk {
    /// A queue as it is shown. The version is not set.
    pub(super) fn queue_view(
        &self,
        now: Instant,
        account: &str,
        id: &QueueId,
    ) -> Option<QueueView> {
        let running = self.centres.get(account)?;
        let centre = &running.centre;
        let state = centre.queue(id)?;
        let queue = &state.queue;
        let measures: Vec<MeasureView> = centre
            .figures(now, state)
            .into_iter()
            .map(|(kind, measure)| MeasureView {
                measure: measure_name(kind),
                value: measure.value,
                severity: severity_name(measure.severity.unwrap_or_default()),
            })
            .collect();
        let joined = centre.own_agent().and_then(|agent| {
            agent.memberships.iter().find(|m| m.queue == *id).map(|membership| membership.joined)
        });
        let forwarded_to = queue.policy.forced_forwarding.clone().filter(|to| !to.is_empty());
        Some(QueueView {
            account: account.to_owned(),
            queue: id.0.clone(),
            name: queue_name(centre, id),
            number: contacts::show(&queue.number),
            supervised: queue.supervised,
            joined,
            known: queue.known,
            entries: self.entry_views(centre, state),
            longest_since_ms: queue.known.then(|| state.longest_since()).flatten(),
            severity: measures.iter().map(|measure| measure.severity).max().unwrap_or_default(),
            measures,
            thresholds: thresholds_view(state),
            night: queue.policy.night,
            night_choice: queue.policy.night_override.map(night_choice),
            holiday: queue.policy.holiday,
            forwarded_to,
            agents: agent_views(account, centre, id),
            version: 0,
            stale_since_ms: centre.link().stale_since().map(|at| centre.ms(at)),
            gone: false,
        })
    }

    fn entry_views(&self, centre: &Centre, state: &QueueState) -> Vec<QueueEntryView> {
        let entries = state.queue.entries.iter().zip(1_u32..);
        let view = |(entry, position): (&QueueEntry, u32)| {
            let agent = match &entry.state {
                EntryState::Offered(Some(agent)) | EntryState::Whisper(Some(agent)) => {
                    Some(agent_name(centre.agent(agent), &agent.0))
                }
                _ => None,
            };
            QueueEntryView {
                call: entry.call.0.clone(),
                position,
                peer: self.peer_of_party(&entry.caller),
                since_ms: entry.since,
                priority: entry.priority.map(priority_name),
                state: entry_state(&entry.state),
                agent,
                bounced: entry.bounced,
                reordered: entry.reordered,
                entrance: entry.entrance,
                actions: entry_actions(centre, entry),
                pending: state.is_pending(&entry.call),
            }
        };
        entries.map(view).collect()
    }

    /// The queue that a call came through.
    pub(in super::super) fn call_queue_view(
        &self,
        line: &super::super::line::Line,
    ) -> Option<CallQueueView> {
        let queue = line.queue.as_ref()?;
        let running = self.centres.get(&line.account);
        let centre = running.map(|running| &running.centre);
        let state = centre.and_then(|centre| centre.queue(&queue.id));
        let can = |capability| centre.is_some_and(|centre| centre.can(capability));
        let codes = state.filter(|_| can(Capability::Disposition));
        Some(CallQueueView {
            queue: queue.id.0.clone(),
            name: queue.name.clone(),
            waited: queue.waited,
            priority: queue.priority.map(priority_name),
            digits: queue.digits.clone(),
            monitored: queue.monitored,
            may_escalate: queue.exchange_call.is_some() && can(Capability::Escalate),
            codes: codes.map(|state| code_views(&state.queue.dispositions)).unwrap_or_default(),
            disposition: queue.disposition.clone(),
        })
    }
}

fn thresholds_view(state: &QueueState) -> Vec<ThresholdView> {
    let thresholds = state.thresholds.0.iter();
    thresholds
        .map(|(kind, threshold)| ThresholdView {
            measure: measure_name(*kind),
            yellow: threshold.yellow,
            red: threshold.red,
        })
        .collect()
}

/// What the user may do with a caller. The exchange moves nobody who hears the entrance message, and gives
/// another place only to those of highest priority who did not come back.
pub(super) fn entry_actions(centre: &Centre, entry: &QueueEntry) -> Vec<EntryAction> {
    let may = centre.can(Capability::QueueControl) && centre.link().is_up();
    if !may || entry.state != EntryState::Queued {
        return Vec::new();
    }
    let highest = entry.priority.is_none_or(|priority| priority == Priority::Highest);
    let table = [
        (EntryAction::Take, !entry.entrance),
        (EntryAction::Move, !entry.entrance),
        (EntryAction::Reorder, highest && !entry.bounced && !entry.entrance),
        (EntryAction::Promote, !highest),
        (EntryAction::Release, true),
    ];
    table.into_iter().filter(|(_, may)| *may).map(|(action, _)| action).collect()
}

pub(super) fn agent_name(agent: Option<&Agent>, id: &str) -> String {
    let known = agent.map(|agent| match agent.name.is_empty() {
        true => agent.number.clone(),
        false => agent.name.clone(),
    });
    known.filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_owned())
}

/// The agents of a queue: those who talk, then free ones, then the others, each by name.
fn agent_views(account: &str, centre: &Centre, queue: &QueueId) -> Vec<AgentView> {
    let mut views: Vec<AgentView> = centre
        .agents()
        .filter_map(|agent| {
            let membership = agent.memberships.iter().find(|m| m.queue == *queue)?;
            Some(agent_view(account, centre, agent, membership))
        })
        .collect();
    let rank = |view: &AgentView| match (view.on_call, view.state) {
        (Some(true), _) => 0,
        (_, Some(crate::view::centre::AgentStateName::Available)) => 1,
        (_, Some(crate::view::centre::AgentStateName::SignedOut) | None) => 3,
        _ => 2,
    };
    views.sort_by_key(|view| (rank(view), contacts::fold(&view.name), view.agent.clone()));
    views
}

fn agent_view(
    account: &str,
    centre: &Centre,
    agent: &Agent,
    membership: &pbx::centre::Membership,
) -> AgentView {
    let status = agent.status.as_ref();
    let reason = status.and_then(|status| status.code.clone()).unwrap_or_default();
    let me = centre.me() == Some(&agent.id);
    AgentView {
        account: account.to_owned(),
        agent: agent.id.0.clone(),
        name: agent_name(Some(agent), &agent.id.0),
        number: contacts::show(&agent.number),
        state: status.map(|status| state_name(status.state)),
        reason_text: text_of(centre.reasons().0, &reason),
        reason,
        since_ms: status.and_then(|status| status.since),
        on_call: agent.on_call,
        joined: Some(membership.joined),
        skill: membership.skill,
        me,
        actions: agent_actions(centre, agent, me),
        pending: centre.is_agent_pending(&agent.id),
    }
}

fn agent_actions(centre: &Centre, agent: &Agent, me: bool) -> Vec<AgentAction> {
    if !centre.link().is_up() {
        return Vec::new();
    }
    let talks = agent.on_call != Some(false);
    let can = |capability| centre.can(capability);
    let state = agent.status.as_ref().map(|status| status.state);
    let signed_in = state.is_some_and(|state| state != AgentState::SignedOut);
    let table = [
        (
            AgentAction::SetState,
            if me { can(Capability::Agent) } else { can(Capability::Supervise) },
        ),
        (
            AgentAction::Join,
            if me { can(Capability::JoinQueues) } else { can(Capability::Supervise) },
        ),
        (AgentAction::Listen, !me && signed_in && talks && can(Capability::SilentMonitor)),
        (AgentAction::Coach, !me && signed_in && talks && can(Capability::Coach)),
        (AgentAction::BargeIn, !me && talks && can(Capability::BargeIn)),
        (AgentAction::Call, !me && !agent.number.is_empty()),
    ];
    table.into_iter().filter(|(_, may)| *may).map(|(action, _)| action).collect()
}
