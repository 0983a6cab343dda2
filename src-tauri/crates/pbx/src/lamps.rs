//! The lamps of all watched lines.
//!
//! Inputs from the owner: watch, unwatch. From the subscription: up, down, refused. From notifications: a
//! line, somebody's presence, a list, something unreadable. From the clock: a source is to be asked, a source has not been
//! confirmed for too long.
//!
//! Work per change does not grow with the number of lines: only a source that comes, goes or falls silent
//! touches all of its own.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::{Duration, Instant},
};

use crate::{
    Input, Instance, InstanceState, Lamp, LineDocument, LineId, ListDocument, Output, Policy,
    Presence, SourceId, Watch,
    calls::{Applied, judge},
    line::Line,
    source::Source,
};

/// Lines at one time; what lists name beyond it is passed over.
const MAX_LINES: usize = 20_000;

/// The lamps of all watched lines.
#[derive(Debug, Default)]
pub struct Lamps {
    policy: Policy,
    sources: HashMap<SourceId, Source>,
    lines: HashMap<LineId, Line>,
    /// When which source is due.
    times: BTreeSet<(Instant, SourceId)>,
    changed: VecDeque<LineId>,
    outputs: VecDeque<Output>,
    next_line: u32,
}

impl Lamps {
    /// No lamps.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Takes in what the outside has to tell.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Watch { source, watch } => self.watch(now, source, watch),
            Input::Unwatch { source } => self.unwatch(source),
            Input::Up { source, expires, reliable } => self.up(now, source, expires, reliable),
            Input::Down { source } => self.down(now, source),
            Input::Refused { source } => self.refused(now, source),
            Input::Line { source, document } => self.line_told(now, source, document),
            Input::Presence { source, presence } => self.presence_told(now, source, presence),
            Input::List { source, document } => self.list_told(now, source, document),
            Input::Unreadable { source } => self.missed(now, source),
        }
    }

    /// Lets everything happen that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.times.first() {
            if at > now {
                break;
            }
            let Some(source) = self.sources.get_mut(&id) else {
                self.times.pop_first();
                continue;
            };
            if source.take_asking(now, &self.policy) {
                self.outputs.push_back(Output::Refresh { source: id });
            }
            if source.take_doubt(now, &self.policy) {
                tracing::debug!(source = id.0, "trusted, not confirmed in time -> stale");
                self.touch_all(id);
            }
            self.plan(id);
        }
    }

    /// The next thing to do or to know, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        while let Some(id) = self.changed.pop_front() {
            let Some(line) = self.lines.get_mut(&id) else { continue };
            line.queued = false;
            let stale = self.sources.get(&line.source).and_then(|source| source.stale_since);
            let lamp = line.lamp(stale);
            if lamp != line.shown {
                line.shown = lamp.clone();
                return Some(Output::Changed { line: id, lamp });
            }
        }
        None
    }

    /// When [`Self::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.times.first().map(|(at, _)| *at)
    }

    /// A lamp as it was told last.
    #[must_use]
    pub fn lamp(&self, line: LineId) -> Option<&Lamp> {
        self.lines.get(&line).map(|line| &line.shown)
    }

    /// How many lines are watched.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    fn watch(&mut self, now: Instant, id: SourceId, watch: Watch) {
        self.unwatch(id);
        self.sources.insert(id, Source::new(now, id, watch == Watch::List));
        if let Watch::Line(uri) = watch {
            self.line_of(id, &uri, None);
        }
    }

    fn unwatch(&mut self, id: SourceId) {
        let Some(source) = self.sources.remove(&id) else { return };
        if let Some(due) = source.due {
            self.times.remove(&(due, id));
        }
        for line in source.lines.into_values() {
            self.vanish(line);
        }
    }

    fn vanish(&mut self, line: LineId) {
        if self.lines.remove(&line).is_some() {
            self.outputs.push_back(Output::Vanished { line });
        }
    }

    fn up(&mut self, now: Instant, id: SourceId, expires: Duration, reliable: bool) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        if !source.up {
            tracing::debug!(source = id.0, "down, up -> up");
        }
        source.up(now, &self.policy, expires, reliable);
        for line in source.lines.values() {
            if let Some(line) = self.lines.get_mut(line) {
                line.refused = false;
            }
        }
        self.plan(id);
    }

    fn down(&mut self, now: Instant, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        tracing::debug!(source = id.0, "up, down -> down");
        let stale = source.down(now);
        source.gapped_lines = 0;
        for line in source.lines.values() {
            if let Some(line) = self.lines.get_mut(line) {
                line.restart();
            }
        }
        if stale {
            self.touch_all(id);
        }
        self.plan(id);
    }

    fn refused(&mut self, now: Instant, id: SourceId) {
        self.down(now, id);
        let Some(source) = self.sources.get(&id) else { return };
        for line in source.lines.values() {
            if let Some(line) = self.lines.get_mut(line) {
                line.refused = true;
            }
        }
        self.touch_all(id);
    }

    fn line_told(&mut self, now: Instant, id: SourceId, document: LineDocument) {
        let Some(source) = self.sources.get(&id).filter(|source| !source.is_list) else { return };
        let Some(&line) = source.lines.values().next() else { return };
        let full = document.full;
        let state = InstanceState::Active;
        let document = Some(document);
        let instance = Instance { id: String::new(), state, document, presence: None };
        let applied = self.apply(now, line, vec![instance]);
        let Some(source) = self.sources.get_mut(&id) else { return };
        match applied {
            Applied::InStep if full || source.gapped_lines == 0 => self.confirm(now, id),
            Applied::InStep | Applied::Gap => self.ask(now, id),
            Applied::Old => {}
        }
    }

    fn presence_told(&mut self, now: Instant, id: SourceId, presence: Presence) {
        let Some(source) = self.sources.get(&id).filter(|source| !source.is_list) else { return };
        let Some(&line) = source.lines.values().next() else { return };
        let (state, presence) = (InstanceState::Active, Some(presence));
        let instance = Instance { id: String::new(), state, document: None, presence };
        self.apply(now, line, vec![instance]);
        self.confirm(now, id);
    }

    fn list_told(&mut self, now: Instant, id: SourceId, document: ListDocument) {
        let Some(source) = self.sources.get_mut(&id).filter(|source| source.is_list) else {
            return;
        };
        let applied = judge(source.version, document.version, document.full);
        if applied == Applied::Old {
            return;
        }
        source.version = Some(document.version);
        source.gap = !document.full && (source.gap || applied == Applied::Gap);
        let (gap, full) = (source.gap, document.full);
        if full {
            self.begin_full(id, &document);
        }
        for resource in document.resources {
            let Some(line) = self.line_of(id, &resource.uri, resource.name) else { continue };
            self.apply(now, line, resource.instances);
        }
        if full {
            self.end_full(id);
        }
        match gap {
            true => self.missed(now, id),
            false => self.confirm(now, id),
        }
        if self.sources.get(&id).is_some_and(|source| source.gapped_lines > 0) {
            self.ask(now, id);
        }
    }

    /// A full list names all lines and all their instances.
    fn begin_full(&mut self, id: SourceId, document: &ListDocument) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        for line in source.lines.values() {
            if let Some(line) = self.lines.get_mut(line) {
                line.seen = false;
            }
        }
        let mut named: HashMap<&str, Vec<Instance>> = HashMap::new();
        for resource in &document.resources {
            let names = resource.instances.iter().map(|instance| Instance {
                id: instance.id.clone(),
                state: instance.state,
                document: None,
                presence: None,
            });
            named.entry(&resource.uri).or_default().extend(names);
        }
        for (uri, line) in &source.lines {
            if let (Some(line), Some(named)) = (self.lines.get_mut(line), named.get(&**uri)) {
                line.retain(named);
            }
        }
    }

    fn end_full(&mut self, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        let lines = &self.lines;
        let unseen = |line: &LineId| lines.get(line).is_none_or(|line| !line.seen);
        let gone: Vec<LineId> = source.lines.values().copied().filter(unseen).collect();
        source.lines.retain(|_, line| !unseen(line));
        let gapped = gone.iter().filter(|line| lines.get(line).is_some_and(Line::has_gap)).count();
        source.gapped_lines -= gapped;
        gone.into_iter().for_each(|line| self.vanish(line));
    }

    /// A notification is missing, and nobody knows of which line.
    fn missed(&mut self, now: Instant, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        source.gap |= source.is_list;
        if source.doubt(now) {
            tracing::debug!(source = id.0, "trusted, gap -> stale");
            self.touch_all(id);
        }
        self.ask(now, id);
    }

    fn ask(&mut self, now: Instant, id: SourceId) {
        if let Some(source) = self.sources.get_mut(&id) {
            source.ask_soon(now);
        }
        self.plan(id);
    }

    fn confirm(&mut self, now: Instant, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id).filter(|source| source.up) else { return };
        if source.confirm(now, &self.policy) {
            tracing::debug!(source = id.0, "stale, confirmed -> trusted");
            self.touch_all(id);
        }
        self.plan(id);
    }

    /// Takes in what is told of a line; what came of the last.
    fn apply(&mut self, now: Instant, id: LineId, instances: Vec<Instance>) -> Applied {
        let Some(line) = self.lines.get_mut(&id) else { return Applied::Old };
        let before = line.has_gap();
        let mut applied = Applied::InStep;
        for instance in instances {
            applied = line.apply(instance);
        }
        line.settle(now);
        let after = line.has_gap();
        if let Some(source) = self.sources.get_mut(&line.source) {
            source.gapped_lines += usize::from(after);
            source.gapped_lines -= usize::from(before);
        }
        self.touch(id);
        applied
    }

    /// The source's line of that URI; a new one if there is room.
    fn line_of(&mut self, id: SourceId, uri: &str, name: Option<String>) -> Option<LineId> {
        let source = self.sources.get_mut(&id)?;
        if let Some(line) = source.lines.get(uri) {
            if let Some(line) = self.lines.get_mut(line) {
                line.seen = true;
            }
            return Some(*line);
        }
        if self.lines.len() >= MAX_LINES {
            return None;
        }
        self.next_line += 1;
        let line = LineId(self.next_line);
        source.lines.insert(uri.into(), line);
        self.lines.insert(line, Line::new(id, source.stale_since));
        let uri = uri.to_owned();
        self.outputs.push_back(Output::Appeared { line, source: id, uri, name });
        self.touch(line);
        Some(line)
    }

    fn touch(&mut self, id: LineId) {
        if let Some(line) = self.lines.get_mut(&id).filter(|line| !line.queued) {
            line.queued = true;
            self.changed.push_back(id);
        }
    }

    fn touch_all(&mut self, id: SourceId) {
        let lines = self.sources.get(&id).map(|source| source.lines.values().copied().collect());
        let lines: Vec<LineId> = lines.unwrap_or_default();
        lines.into_iter().for_each(|line| self.touch(line));
    }

    /// Puts the source's next time into the table.
    fn plan(&mut self, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        let due = source.next(&self.policy);
        if due != source.due {
            if let Some(old) = source.due {
                self.times.remove(&(old, id));
            }
            self.times.extend(due.map(|due| (due, id)));
            source.due = due;
        }
    }
}
