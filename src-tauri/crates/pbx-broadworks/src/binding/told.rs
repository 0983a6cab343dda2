//! Events as inputs of the model. Keeps what events leave out: the names of queues, whether an agent may
//! leave them, and which calls make an agent busy. No state machine of its own: the model is one.

use std::collections::{BTreeSet, HashMap};

use pbx::centre::{ExchangeCallState, Input, Membership, QueueId, UserId};

use super::{map, service};
use crate::{
    session::{Package, Subject},
    wire::{AgentEvent, CallEvent, CallEventKind, CallSnapshot, EventData, ServiceEvent},
};

/// Calls of one agent that are remembered.
const CALLS: usize = 64;

/// What is to be read because an event does not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// Where a queue forwards to.
    Policy(QueueId),
    /// A call has ended, so the log has grown.
    CallLog,
}

#[derive(Debug, Default)]
pub(super) struct Teller {
    me: String,
    wrap_ups: HashMap<QueueId, u32>,
    memberships: HashMap<String, Vec<Membership>>,
    supervised: Vec<QueueId>,
    /// Lines at which calls are parked: name of the owner and extension.
    lines: HashMap<String, (String, String)>,
    busy: HashMap<String, BTreeSet<String>>,
}

impl Teller {
    pub(super) fn new(
        me: &str,
        wrap_ups: Vec<(QueueId, u32)>,
        own: Vec<Membership>,
        supervised: Vec<QueueId>,
        lines: HashMap<String, (String, String)>,
    ) -> Self {
        Self {
            me: me.to_owned(),
            wrap_ups: wrap_ups.into_iter().collect(),
            memberships: HashMap::from([(me.to_owned(), own)]),
            supervised,
            lines,
            busy: HashMap::new(),
        }
    }

    pub(super) fn supervises(&self, queue: &QueueId) -> bool {
        self.supervised.contains(queue)
    }

    /// What an event says, and what is to be read besides.
    pub(super) fn tell(
        &mut self,
        subject: &Subject,
        data: &EventData,
    ) -> (Vec<Input>, Option<Follow>) {
        let id = subject.target.id().to_owned();
        let queue = QueueId(id.clone());
        let one = |input: Input| (vec![input], None);
        match data {
            EventData::Calls { snapshot, .. } => (self.calls(&id, snapshot), None),
            EventData::Call(event) => self.call(&id, event),
            EventData::Queue { entries, .. } => {
                one(Input::QueueSnapshot { queue, entries: map::entries(entries) })
            }
            EventData::Queued(event) => match map::queue_change(event) {
                Some(change) => one(Input::QueueChange { queue, change }),
                None => (Vec::new(), None),
            },
            EventData::Agent(event) => (self.agent(&id, event), None),
            EventData::Figures(figures) => {
                one(Input::Measures { queue, measures: map::measures(figures) })
            }
            EventData::Policy(event) => {
                let may_change = self.supervises(&queue);
                let policy = map::policy(event, may_change);
                let follow =
                    (event.forced_forwarding == Some(true)).then(|| Follow::Policy(queue.clone()));
                (vec![Input::Policy { queue, policy }], follow)
            }
            EventData::Service(ServiceEvent::State(state)) => {
                (service::told(state).map(Input::Service).into_iter().collect(), None)
            }
            EventData::Service(ServiceEvent::Unassigned(path)) => {
                (service::kind(path).map(Input::ServiceAbsent).into_iter().collect(), None)
            }
            EventData::Mail(counts) => one(Input::Messages { new: counts.new, old: counts.old }),
            EventData::Parked(party) => {
                let (name, number) = self.lines.get(&id).cloned().unwrap_or_default();
                let party = party.as_ref().map(map::party);
                one(Input::Parked { line: UserId(id), name, number, party })
            }
            EventData::Conference(_)
            | EventData::Hook(_)
            | EventData::SubscriptionTerminated
            | EventData::Other(_) => (Vec::new(), None),
        }
    }

    fn is_me(&self, id: &str) -> bool {
        self.me.eq_ignore_ascii_case(id)
    }

    fn calls(&mut self, id: &str, snapshot: &CallSnapshot) -> Vec<Input> {
        if self.is_me(id) {
            return vec![Input::Calls(snapshot.calls.iter().filter_map(map::call).collect())];
        }
        let calls: BTreeSet<String> =
            snapshot.calls.iter().map(|call| call.id.clone()).take(CALLS).collect();
        let on_call = !calls.is_empty();
        self.busy.insert(id.to_owned(), calls);
        vec![Input::AgentOnCall { agent: UserId(id.to_owned()), on_call }]
    }

    fn call(&mut self, id: &str, event: &CallEvent) -> (Vec<Input>, Option<Follow>) {
        let over = event.kind == CallEventKind::Released;
        if self.is_me(id) {
            let told = event.calls.iter().filter_map(map::call).map(|mut call| {
                if over {
                    call.state = ExchangeCallState::Released;
                }
                call.monitored |= event.kind == CallEventKind::Monitored;
                let news = map::recording_by_news(event.kind, event.failed);
                call.recording.state = news.or(call.recording.state);
                Input::Call(call)
            });
            return (told.collect(), over.then_some(Follow::CallLog));
        }
        let calls = self.busy.entry(id.to_owned()).or_default();
        let before = !calls.is_empty();
        for call in &event.calls {
            if over {
                calls.remove(&call.id);
            } else if calls.len() < CALLS {
                calls.insert(call.id.clone());
            }
        }
        let on_call = !calls.is_empty();
        let agent = UserId(id.to_owned());
        let told = event.calls.iter().filter_map(map::call).filter(|call| !call.incoming);
        let told = told.map(|call| Input::AgentCall { agent: agent.clone(), call });
        let busy = Input::AgentOnCall { agent: agent.clone(), on_call };
        ((before != on_call).then_some(busy).into_iter().chain(told).collect(), None)
    }

    fn agent(&mut self, id: &str, event: &AgentEvent) -> Vec<Input> {
        let agent = UserId(id.to_owned());
        let mut told = Vec::new();
        let status = |info| map::agent_status(info, |queue| self.wrap_ups.get(queue).copied());
        match event {
            AgentEvent::Snapshot { joins, state } => {
                if let Some(status) = state.as_ref().and_then(status) {
                    told.push(Input::AgentStatus { agent: agent.clone(), status });
                }
                if let Some(joins) = joins {
                    let known = self.memberships.entry(id.to_owned()).or_default();
                    let memberships: Vec<_> =
                        joins.iter().map(|join| map::membership(join, known)).collect();
                    known.clone_from(&memberships);
                    told.push(Input::Memberships { agent, full: true, memberships });
                }
            }
            AgentEvent::State(info) => {
                told.extend(status(info).map(|status| Input::AgentStatus { agent, status }));
            }
            AgentEvent::Join(Some(join)) => {
                let known = self.memberships.entry(id.to_owned()).or_default();
                let changed = map::membership(join, known);
                match known.iter_mut().find(|one| one.queue == changed.queue) {
                    Some(one) => *one = changed.clone(),
                    None => known.push(changed.clone()),
                }
                told.push(Input::Memberships { agent, full: false, memberships: vec![changed] });
            }
            AgentEvent::Disposition { code, call: Some(call) } if self.is_me(id) => {
                told.push(Input::Outcome { call: call.clone(), code: code.clone() });
            }
            AgentEvent::Join(None) | AgentEvent::Disposition { .. } => {}
        }
        told
    }
}

/// Whether reading something at intervals means that the view as a whole is old. Figures of others' calls do not,
/// they are simply not known; nor do the user's own services, which change a few times a day.
pub(super) fn counts(subject: &Subject) -> bool {
    matches!(
        subject.package,
        Package::StandardCall
            | Package::CallCenterAgent
            | Package::CallCenterQueue
            | Package::CallCenterMonitoring
    )
}
