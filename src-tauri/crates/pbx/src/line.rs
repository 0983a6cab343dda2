//! One watched line: what its documents tell, made into a lamp.

use std::time::Instant;

use crate::{
    CallState, Instance, InstanceState, Lamp, LineState, Presence, SourceId,
    calls::{Applied, Calls},
};

/// Instances of one line that are kept.
const MAX_INSTANCES: usize = 32;

/// One watched line.
#[derive(Debug)]
pub(crate) struct Line {
    pub source: SourceId,
    instances: Vec<(Box<str>, InstanceState, Calls)>,
    /// What presence told last.
    presence: Option<Presence>,
    /// The exchange refuses to tell.
    pub refused: bool,
    /// Since when a document is missing.
    gap_since: Option<Instant>,
    /// Waits in the queue of changed lines.
    pub queued: bool,
    /// What the owner knows.
    pub shown: Lamp,
    /// Seen in the full list being read.
    pub seen: bool,
}

impl Line {
    pub(crate) fn new(source: SourceId, stale_since: Option<Instant>) -> Self {
        Self {
            source,
            instances: Vec::new(),
            presence: None,
            refused: false,
            gap_since: None,
            queued: false,
            shown: Lamp { stale_since, ..Lamp::default() },
            seen: true,
        }
    }

    /// The lamp as it should be. `source_stale`: since when the source is not to be trusted.
    pub(crate) fn lamp(&self, source_stale: Option<Instant>) -> Lamp {
        let stale_since = [self.gap_since, source_stale].into_iter().flatten().min();
        let presence = self.presence.clone();
        let told = presence.as_ref().map(Presence::state);
        let state = told.unwrap_or_else(|| self.resting_state());
        let mut lamp = Lamp { state, stale_since, presence, ..Lamp::default() };
        let active =
            self.instances.iter().filter(|(_, state, _)| *state != InstanceState::Terminated);
        for call in active.flat_map(|(_, _, calls)| calls.iter()) {
            lamp.calls = lamp.calls.saturating_add(1);
            let state = match call.state {
                CallState::Ringing => LineState::Ringing,
                CallState::Busy => LineState::Busy,
                CallState::Held => LineState::Held,
                CallState::Over => continue,
            };
            // Of equal calls the one whose other side is known tells more.
            if state > lamp.state || (state == lamp.state && lamp.peer.is_none()) {
                lamp.state = state;
                lamp.peer.clone_from(&call.peer);
                lamp.incoming = call.incoming;
            }
        }
        if self.refused {
            return Lamp { state: LineState::Unreachable, ..Lamp::default() };
        }
        lamp
    }

    /// What it shows without calls.
    fn resting_state(&self) -> LineState {
        let mut state = LineState::Unknown;
        for (_, instance, calls) in &self.instances {
            let one = match instance {
                InstanceState::Terminated => LineState::Unreachable,
                _ if calls.is_known() => LineState::Idle,
                _ => LineState::Unknown,
            };
            state = state.max(one);
        }
        state
    }

    /// The subscription starts anew: its next documents are full.
    pub(crate) fn restart(&mut self) {
        self.gap_since = None;
        self.instances.iter_mut().for_each(|(_, _, calls)| calls.restart());
    }

    /// Whether a document is missing.
    pub(crate) fn has_gap(&self) -> bool {
        self.gap_since.is_some()
    }

    /// The instance that goes on under another name. Asterisk 22 gives each notification a new one (RFC 4662
    /// section 5.5 wants the same for all of a subscription's life); the count of the documents goes on.
    fn renamed(&self, instance: &Instance) -> Option<usize> {
        let document = instance.document.as_ref()?;
        self.instances.iter().position(|(_, _, calls)| calls.goes_on_with(document))
    }

    /// Takes in what one instance tells.
    pub(crate) fn apply(&mut self, instance: Instance) -> Applied {
        let known = self.instances.iter().position(|(id, ..)| **id == *instance.id);
        let at = match known.or_else(|| self.renamed(&instance)) {
            Some(at) => at,
            None if self.instances.len() < MAX_INSTANCES => {
                let id = instance.id.clone().into_boxed_str();
                self.instances.push((id, instance.state, Calls::default()));
                self.instances.len() - 1
            }
            None => return Applied::Gap,
        };
        let Some((id, state, calls)) = self.instances.get_mut(at) else { return Applied::Gap };
        if known.is_none() {
            *id = instance.id.into_boxed_str();
        }
        *state = instance.state;
        self.presence = match (instance.state, instance.presence) {
            (InstanceState::Terminated, _) => None,
            (_, told) => told.or_else(|| self.presence.take()),
        };
        match (instance.state, instance.document) {
            (InstanceState::Broken, _) => {
                calls.gap = true;
                Applied::Gap
            }
            (_, Some(document)) => calls.apply(document),
            (_, None) => Applied::InStep,
        }
    }

    /// Keeps only these instances: a full list has named all.
    pub(crate) fn retain(&mut self, named: &[Instance]) {
        self.instances.retain(|(id, ..)| named.iter().any(|instance| *instance.id == **id));
    }

    /// Draws the conclusions once all is taken in. Forgets ended instances where others tell: they
    /// come and go with the calls.
    pub(crate) fn settle(&mut self, now: Instant) {
        let alive = |state: InstanceState| state != InstanceState::Terminated;
        if self.instances.iter().any(|(_, state, _)| alive(*state)) {
            self.instances.retain(|(_, state, _)| alive(*state));
        }
        let gap = self.instances.iter().any(|(_, state, calls)| alive(*state) && calls.gap);
        self.gap_since = gap.then(|| self.gap_since.unwrap_or(now));
    }
}
