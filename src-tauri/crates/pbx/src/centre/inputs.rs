//! What the exchange tells goes where it belongs.

use std::collections::BTreeMap;
use std::time::Instant;

use super::abandoned::CalledBack;
use super::exchange::{AutomaticCodes, Centre, Change, Output};
use super::model::{
    Agent, AgentStatus, CallRecording, EntryEnd, EntryState, ExchangeCall, ExchangeCallState,
    LogKind, Membership, QueueId, UserId,
};
use super::port::{Capability, Input, QueueChange, Role};
use super::queue::{Left, QueueState, same_target};
use super::service::{HuntGroup, Service, ServiceKind};
use super::services::HuntGroupState;
use super::wish::Wish;

/// Most queues, agents and calls of one account, and most entries of its log.
const QUEUES: usize = 500;
const AGENTS: usize = 5000;
const CALLS: usize = 200;
const LOG: usize = 500;
/// Most codes, facts and groups that are kept.
const WORDS: usize = 500;

impl Centre {
    /// The exchange told something, or the binding answered a request.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Link(state) => {
                let stale = self.link.told(now, state);
                self.changed(Change::Link);
                if stale {
                    self.all_queues_changed();
                }
            }
            Input::LinkFault { fault, detail } => {
                self.link.fails(fault, detail);
                self.changed(Change::Link);
            }
            Input::RetryAt(at) => {
                self.link.retries(at);
                self.changed(Change::Link);
            }
            Input::Me { user, name } => self.me_told(user, name),
            Input::Capabilities { present, missing } => {
                self.present = present.into_iter().collect();
                self.missing = missing.into_iter().collect();
                self.missing.retain(|capability, _| !self.present.contains(capability));
                self.changed(Change::General);
                self.changed(Change::OwnAgent);
                self.changed(Change::Services);
                self.all_queues_changed();
            }
            Input::Done { request, result } => self.request_done(now, request, result),
            Input::Calls(calls) => self.calls_told(now, calls),
            Input::Call(call) => self.call_told(now, call),
            Input::Parked { line, name, number, party } => {
                self.parked_told(now, line, name, number, party);
            }
            Input::AgentCall { agent, call } => self.agent_call_told(now, &agent, &call),
            Input::Messages { new, old } => {
                self.messages = Some((new, old));
                self.changed(Change::General);
            }
            Input::Directory { first, entries, total } => {
                self.directory.part(first, entries, total);
            }
            Input::DirectoryEnd(outcome) => {
                let change = self.directory.end(outcome);
                self.changed(change);
            }
            Input::LineList(list) => {
                if self.line_list.as_ref() != Some(&list) {
                    self.line_list = Some(list);
                    self.changed(Change::LineList);
                }
            }
            Input::CallLog(log) => self.log_told(log),
            other => self.handle_agent_input(now, other),
        }
    }

    fn handle_agent_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::AgentKnown { agent, name, number } => {
                if let Some(known) = self.agent_entry(&agent) {
                    known.name = name;
                    known.number = number;
                    self.agent_changed(&agent);
                }
            }
            Input::AgentStatus { agent, status } => self.status_told(now, &agent, &status),
            Input::AgentOnCall { agent, on_call } => {
                if let Some(known) = self.agent_entry(&agent) {
                    known.on_call = Some(on_call);
                    self.agent_changed(&agent);
                }
            }
            Input::AgentCause { agent, cause } => {
                if self.me.as_ref() == Some(&agent) {
                    self.own.told_cause_of(cause);
                    self.changed(Change::OwnAgent);
                }
            }
            Input::Memberships { agent, full, memberships } => {
                self.memberships_told(now, &agent, full, memberships);
            }
            Input::UnavailableCodes { codes, forced } => {
                self.reasons = codes.into_iter().take(WORDS).collect();
                self.reason_forced = forced;
                self.changed(Change::OwnAgent);
            }
            Input::AutomaticCodes { do_not_disturb, personal_call, bounces } => {
                self.automatic = AutomaticCodes { do_not_disturb, personal_call, bounces };
                self.changed(Change::OwnAgent);
            }
            other => self.handle_queue_input(now, other),
        }
    }

    fn handle_queue_input(&mut self, now: Instant, input: Input) {
        let now_ms = self.clock.ms(now);
        match input {
            Input::Queues(queues) => self.queues_told(now_ms, queues),
            Input::QueueSnapshot { queue, entries } => {
                self.with_queue(queue, |state| state.snapshot(entries, now_ms));
            }
            Input::QueueChange { queue, change } => {
                self.note_bounce(now, &queue, &change);
                self.with_queue(queue, |state| state.change(change, now_ms).into_iter().collect());
            }
            Input::Measures { queue, measures } => self.with_queue(queue, |state| {
                state.measured(&measures);
                Vec::new()
            }),
            Input::Policy { queue, policy } => {
                self.with_queue(queue, |state| {
                    state.policy_told(now, policy);
                    Vec::new()
                });
                self.changed(Change::General);
            }
            Input::DispositionCodes { queue, codes, forced } => self.with_queue(queue, |state| {
                state.queue.dispositions = codes.into_iter().take(WORDS).collect();
                state.queue.disposition_forced = forced;
                Vec::new()
            }),
            other => self.handle_service_input(now, other),
        }
    }

    fn handle_service_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Outcome { call, .. } => return self.outcome_told(now, &call),
            Input::Service(service) => self.service_told(now, service),
            Input::ServiceAbsent(kind) => {
                self.present.remove(&Capability::Service(kind));
                self.services.absent(kind);
            }
            Input::HuntGroups(groups) => self.hunt_groups_told(now, groups),
            Input::Facts(facts) => self.facts_told(now, facts),
            // All others were dealt with before.
            _ => return,
        }
        self.changed(Change::Services);
    }

    // --- people ---

    fn me_told(&mut self, user: UserId, name: String) {
        self.name = name;
        if self.me.as_ref() != Some(&user) {
            // Wishes of one user are not those of another.
            self.own = super::agent::OwnAgent::default();
            self.joins.clear();
            // What was told of him before it was known who he is counts as well.
            let status = self.agents.get(&user).and_then(|agent| agent.status.clone());
            self.own.accept(status.as_ref());
            self.me = Some(user);
        }
        self.own_queues();
        self.changed(Change::General);
        self.changed(Change::OwnAgent);
    }

    fn agent_entry(&mut self, id: &UserId) -> Option<&mut Agent> {
        if !self.agents.contains_key(id) && self.agents.len() >= AGENTS {
            return None;
        }
        Some(self.agents.entry(id.clone()).or_insert_with(|| Agent {
            id: id.clone(),
            name: String::new(),
            number: String::new(),
            status: None,
            on_call: None,
            memberships: Vec::new(),
        }))
    }

    fn agent_changed(&mut self, id: &UserId) {
        if self.me.as_ref() == Some(id) {
            self.changed(Change::OwnAgent);
        }
        self.changed(Change::Agent(id.clone()));
        let queues = self.agents.get(id).map(|agent| agent.memberships.clone());
        for membership in queues.into_iter().flatten() {
            self.changed(Change::Queue(membership.queue));
        }
    }

    fn status_told(&mut self, now: Instant, id: &UserId, status: &AgentStatus) {
        let Some(agent) = self.agent_entry(id) else { return };
        let before = agent.status.replace(status.clone());
        if self.me.as_ref() == Some(id) {
            let explained = self.cause(now).is_some();
            let again = self.own.told(now, before.as_ref(), status, explained);
            if again {
                self.repeat_wish(now);
            }
            self.state_told_to_outcomes(now);
        }
        self.agent_changed(id);
    }

    /// Another agent called somebody who may have waited for that.
    fn agent_call_told(&mut self, now: Instant, id: &UserId, call: &ExchangeCall) {
        if call.incoming || call.party.number.is_empty() || self.me.as_ref() == Some(id) {
            return;
        }
        let reached = matches!(call.state, ExchangeCallState::Active | ExchangeCallState::Held);
        let label = |agent: &Agent| match agent.name.is_empty() {
            true => agent.number.clone(),
            false => agent.name.clone(),
        };
        let by = self.agents.get(id).map(label).filter(|by| !by.is_empty());
        let by = by.unwrap_or_else(|| id.0.clone());
        let at = self.clock.ms(now);
        self.called(&call.party.number, &CalledBack { by, me: false, at, reached });
    }

    fn memberships_told(
        &mut self,
        now: Instant,
        id: &UserId,
        full: bool,
        memberships: Vec<Membership>,
    ) {
        let mine = self.me.as_ref() == Some(id);
        let Some(agent) = self.agent_entry(id) else { return };
        let before: Vec<QueueId> = agent.memberships.iter().map(|m| m.queue.clone()).collect();
        if full {
            agent.memberships.clear();
        }
        for told in memberships.into_iter().take(QUEUES) {
            match agent.memberships.iter_mut().find(|known| known.queue == told.queue) {
                Some(known) => *known = told,
                None => agent.memberships.push(told),
            }
        }
        let memberships = agent.memberships.clone();
        for queue in before {
            self.changed(Change::Queue(queue));
        }
        if mine {
            for membership in &memberships {
                if let Some(wish) = self.joins.get_mut(&membership.queue) {
                    let like = wish.wanted() == Some(&membership.joined);
                    wish.told(now, like);
                }
            }
            self.joins.retain(|queue, _| memberships.iter().any(|m| m.queue == *queue));
            self.own_queues();
        }
        self.agent_changed(id);
    }

    /// The queues in which the own agent has a place are his.
    fn own_queues(&mut self) {
        let Some(agent) = self.me.as_ref().and_then(|me| self.agents.get(me)) else { return };
        for membership in &agent.memberships {
            if let Some(state) = self.queues.get_mut(&membership.queue) {
                state.own = true;
            }
        }
    }

    // --- queues ---

    fn queues_told(&mut self, now_ms: u64, told: Vec<(QueueId, String, Role)>) {
        let mut known: BTreeMap<QueueId, QueueState> = BTreeMap::new();
        for (id, name, role) in told {
            if !known.contains_key(&id) && known.len() >= QUEUES {
                continue;
            }
            let fresh = !known.contains_key(&id);
            let state = known.entry(id.clone()).or_insert_with(|| {
                self.queues.remove(&id).unwrap_or_else(|| QueueState::new(id.clone()))
            });
            if fresh {
                (state.own, state.queue.supervised) = (false, false);
            }
            if !name.is_empty() {
                state.queue.name = name;
            }
            match role {
                Role::Agent => state.own = true,
                Role::Supervisor => state.queue.supervised = true,
            }
            self.changes.insert(Change::Queue(id));
        }
        for (id, mut gone) in std::mem::replace(&mut self.queues, known) {
            self.outputs.extend(gone.close(now_ms).into_iter().map(Output::Left));
            self.changed(Change::Queue(id));
        }
        self.own_queues();
        self.changed(Change::Queues);
        self.changed(Change::OwnAgent);
    }

    fn with_queue(&mut self, id: QueueId, tell: impl FnOnce(&mut QueueState) -> Vec<Left>) {
        if !self.queues.contains_key(&id) {
            if self.queues.len() >= QUEUES {
                return;
            }
            self.queues.insert(id.clone(), QueueState::new(id.clone()));
            self.own_queues();
            self.changed(Change::Queues);
        }
        let Some(state) = self.queues.get_mut(&id) else { return };
        for left in tell(state) {
            self.caller_left(left);
        }
        self.changed(Change::Queue(id));
    }

    fn caller_left(&mut self, left: Left) {
        if self.abandoned.left(&left) {
            self.changed(Change::General);
        }
        if let (EntryEnd::Answered(by), Some(state)) = (&left.end, self.queues.get(&left.queue))
            && let Some(by) = by
            && self.me.as_ref() == Some(by)
            && state.own
        {
            self.bounced = None;
        }
        self.outputs.push_back(Output::Left(left));
    }

    /// A caller who rang at the user is in the queue again: the user let him ring.
    fn note_bounce(&mut self, now: Instant, queue: &QueueId, change: &QueueChange) {
        let QueueChange::Entry { entry, .. } = change else { return };
        let Some(state) = self.queues.get(queue) else { return };
        let Some(known) = state.queue.entries.iter().find(|known| known.call == entry.call) else {
            return;
        };
        let mine = matches!(&known.state, EntryState::Offered(Some(agent)) if self.me.as_ref() == Some(agent));
        if mine && entry.bounced && entry.state == EntryState::Queued {
            self.bounced = Some(now);
        }
    }

    fn all_queues_changed(&mut self) {
        let queues: Vec<QueueId> = self.queues.keys().cloned().collect();
        for queue in queues {
            self.changed(Change::Queue(queue));
        }
    }

    // --- services ---

    fn service_told(&mut self, now: Instant, service: Service) {
        let kind = service.kind();
        self.services.told(now, service);
        if kind == ServiceKind::ForwardAlways {
            let so = self.line_target().unwrap_or_default();
            let like = self.line_forwarding.wanted().is_some_and(|to| same_target(to, &so));
            self.line_forwarding.told(now, like);
            if like && so.is_empty() && !self.line_forwarding.is_open() {
                // It was ended, and that was all that was wanted.
                self.line_forwarding.drop_wish();
            }
        }
        if matches!(kind, ServiceKind::ForwardAlways | ServiceKind::DoNotDisturb) {
            self.changed(Change::OwnAgent);
        }
        if matches!(kind, ServiceKind::Night | ServiceKind::WithholdNumber) {
            self.judge_facts(now);
        }
        if matches!(kind, ServiceKind::ForwardAlways | ServiceKind::Night) {
            self.changed(Change::General);
        }
    }

    fn hunt_groups_told(&mut self, now: Instant, groups: Vec<HuntGroup>) {
        let mut before = std::mem::take(&mut self.hunt_groups);
        for group in groups.into_iter().take(WORDS) {
            let known = before.iter().position(|known| known.group.id == group.id);
            let mut state = match known.map(|at| before.remove(at)) {
                Some(known) => HuntGroupState { group, ..known },
                None => HuntGroupState::new(group),
            };
            let like = state.wish.wanted() == Some(&state.group.joined);
            state.wish.told(now, like);
            self.hunt_groups.push(state);
        }
    }

    // --- calls ---

    fn calls_told(&mut self, now: Instant, calls: Vec<ExchangeCall>) {
        let told: Vec<String> = calls.iter().map(|call| call.id.clone()).collect();
        let gone: Vec<ExchangeCall> =
            self.calls.values().filter(|call| !told.contains(&call.id)).cloned().collect();
        for call in gone {
            self.call_told(now, ExchangeCall { state: ExchangeCallState::Released, ..call });
        }
        for call in calls {
            self.call_told(now, call);
        }
    }

    fn call_told(&mut self, now: Instant, call: ExchangeCall) {
        self.changed(Change::Calls);
        self.changed(Change::OwnAgent);
        let known = self.calls.get(&call.id);
        // The queue that a call came through stays with it to its end.
        let call = ExchangeCall {
            queue: call.queue.or(known.and_then(|known| known.queue.clone())),
            waited: call.waited.or(known.and_then(|known| known.waited)),
            digits: call.digits.or(known.and_then(|known| known.digits.clone())),
            sip_call_id: call.sip_call_id.or(known.and_then(|known| known.sip_call_id.clone())),
            // That somebody listens is told when he begins, and not when he leaves.
            monitored: call.monitored || known.is_some_and(|known| known.monitored),
            // Not every news of a call tells how its recording stands.
            recording: CallRecording {
                state: call.recording.state.or(known.and_then(|known| known.recording.state)),
                may: call.recording.may,
            },
            ..call
        };
        let talks = matches!(
            call.state,
            ExchangeCallState::Active | ExchangeCallState::Held | ExchangeCallState::RemoteHeld
        );
        if talks && self.answered.len() < CALLS {
            self.answered.insert(call.id.clone());
        }
        if !call.incoming {
            let (by, at) = (self.name.clone(), call.since.unwrap_or(self.clock.ms(now)));
            self.called(&call.party.number, &CalledBack { by, me: true, at, reached: talks });
        }
        if call.state != ExchangeCallState::Released {
            if self.calls.len() < CALLS || self.calls.contains_key(&call.id) {
                self.calls.insert(call.id.clone(), call);
            }
            return;
        }
        let answered = self.answered.remove(&call.id);
        if self.calls.remove(&call.id).is_none() {
            return;
        }
        if let Some(queue) = call.queue.clone().filter(|_| answered) {
            self.call_over(now, Some(call.id.clone()), None, &queue, call.party.clone());
        }
        self.outputs.push_back(Output::CallOver(call));
    }

    fn log_told(&mut self, log: Vec<super::LogEntry>) {
        self.log = log.into_iter().take(LOG).collect();
        let placed = self.log.iter().filter(|entry| entry.kind == LogKind::Placed);
        // The log does not tell whether anybody answered.
        let placed: Vec<(String, u64)> =
            placed.map(|entry| (entry.party.number.clone(), entry.at)).collect();
        for (number, at) in placed {
            let by = self.name.clone();
            self.called(&number, &CalledBack { by, me: true, at, reached: false });
        }
        self.changed(Change::CallLog);
    }

    pub(super) fn join_wish(&mut self, queue: &QueueId) -> &mut Wish<bool> {
        let fresh = || Wish::new(super::agent::DRIFT_AFTER, false);
        self.joins.entry(queue.clone()).or_insert_with(fresh)
    }
}
