//! What becomes of the calls of every user, told in the events of the call packages.
//!
//! Inputs: from the exchange `observe` (all calls as they are now, and what they went through). Each call of a user is a
//! record: `Alerting`, `Active`, `Held`, `Remote Held`, `Detached`, `Released` (and gone). What the exchange shows is
//! compared with the records, and every difference is an event.

mod conference;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::clock::Clock;
use super::element::Element;
use super::names::Names;
use super::payload::call::{self, A, BSA, SA, shown};
use crate::call::Who;
use crate::exchange::{CallNews, CallStage, End, Place, RecordingState, UserCall};

/// Entries of a user's call log.
const LOG: usize = 200;

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It rings.
    Alerting,
    /// Both talk.
    Active,
    /// The user has put the other on hold.
    Held,
    /// The other has.
    RemoteHeld,
    /// It was sent on.
    Detached,
    /// It is over.
    Released,
}

impl State {
    /// As it stands in documents.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Alerting => "Alerting",
            Self::Active => "Active",
            Self::Held => "Held",
            Self::RemoteHeld => "Remote Held",
            Self::Detached => "Detached",
            Self::Released => "Released",
        }
    }

    const fn of(stage: CallStage) -> Self {
        match stage {
            CallStage::Clicked | CallStage::Alerting => Self::Alerting,
            CallStage::Active => Self::Active,
            CallStage::Held => Self::Held,
            CallStage::RemoteHeld => Self::RemoteHeld,
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Release {
    /// The SIP status that refused it.
    pub(crate) status: Option<u16>,
    /// `localRelease` or `remoteRelease`.
    pub(crate) party: Option<&'static str>,
}

/// One call of one user.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) call: UserCall,
    pub(crate) id: String,
    pub(crate) tracking: String,
    pub(crate) state: State,
    pub(crate) appearance: u32,
    pub(crate) started_ms: u64,
    pub(crate) answered_ms: Option<u64>,
    pub(crate) held_ms: Option<u64>,
    pub(crate) total_held_ms: u64,
    pub(crate) detached_ms: Option<u64>,
    pub(crate) released_ms: Option<u64>,
    pub(crate) release: Option<Release>,
    /// Where it was sent, why and when.
    pub(crate) redirect: Option<(Who, &'static str, u64)>,
    /// `acdCallInfo`, for calls of a queue.
    pub(crate) acd: Option<Element>,
    /// Some of it has been recorded.
    pub(crate) recorded: bool,
    /// What a client has noted on it, for both ends to see.
    pub(crate) info: Option<String>,
    /// The user hung up, or let it.
    left: bool,
    refused: Option<u16>,
}

impl Record {
    /// `Originator`, `Terminator`, or `Click-to-Dial` while the own phone rings.
    pub(crate) fn personality(&self) -> &'static str {
        match (self.call.stage, self.call.end) {
            (CallStage::Clicked, _) => "Click-to-Dial",
            (_, End::Caller) => "Originator",
            (_, End::Called) => "Terminator",
        }
    }

    /// Whether this is the record of that call.
    fn is(&self, call: &UserCall) -> bool {
        let place = self.call.place == call.place && self.call.end == call.end;
        self.call.user == call.user && (self.has_leg_of(call) || place)
    }

    /// Whether the same phone of the user is in that call.
    fn has_leg_of(&self, call: &UserCall) -> bool {
        self.call.legs.iter().any(|leg| call.legs.contains(leg))
    }

    /// Whether the phone is off the hook for it.
    fn lifts(&self) -> bool {
        let rings = self.state == State::Alerting && self.personality() != "Originator";
        !rings && !matches!(self.state, State::Released | State::Detached)
    }
}

/// An event for those who watch a user.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) user: String,
    pub(crate) packages: &'static [&'static str],
    pub(crate) data: Element,
}

/// Which list a call stands in afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logged {
    /// Made.
    Placed,
    /// Taken.
    Received,
    /// Not taken.
    Missed,
}

/// A call that is over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogEntry {
    pub(crate) id: String,
    pub(crate) kind: Logged,
    pub(crate) call_id: String,
    /// The conversation that it was part of.
    pub(crate) conversation: u64,
    pub(crate) remote: Who,
    pub(crate) diversions: Vec<(Who, &'static str)>,
    pub(crate) started_ms: u64,
    pub(crate) answered_ms: Option<u64>,
    pub(crate) released_ms: u64,
}

/// All users' calls.
#[derive(Debug)]
pub(crate) struct Watch {
    names: Names,
    clock: Clock,
    records: BTreeMap<String, Vec<Record>>,
    hooks: BTreeMap<String, bool>,
    logs: BTreeMap<String, VecDeque<LogEntry>>,
    conferences: BTreeMap<String, conference::Conferred>,
    last: u64,
    shown: Vec<Shown>,
}

impl Watch {
    /// Nobody calls.
    pub(crate) fn new(names: Names, clock: Clock) -> Self {
        Self {
            names,
            clock,
            records: BTreeMap::new(),
            hooks: BTreeMap::new(),
            logs: BTreeMap::new(),
            conferences: BTreeMap::new(),
            last: 500,
            shown: Vec::new(),
        }
    }

    /// The calls of a user.
    pub(crate) fn of(&self, user: &str) -> Vec<&Record> {
        self.records.get(user).into_iter().flatten().collect()
    }

    /// One call of a user.
    pub(crate) fn get(&self, user: &str, id: &str) -> Option<&Record> {
        self.records.get(user)?.iter().find(|record| record.id == id)
    }

    /// The conversation that a call of a user is part of, or was while it lasted.
    pub(crate) fn conversation(&self, user: &str, id: &str) -> Option<u64> {
        let over = || self.log(user).find(|entry| entry.call_id == id);
        let goes_on = self.get(user, id).map(|record| record.call.conversation);
        goes_on.or_else(|| over().map(|entry| entry.conversation))
    }

    /// The other way round: which of a user's calls is, or was, his part in a conversation.
    pub(crate) fn part_in(&self, user: &str, conversation: u64) -> Option<&str> {
        let own = self.of(user).into_iter().find(|own| own.call.conversation == conversation);
        let over = || self.log(user).find(|entry| entry.conversation == conversation);
        own.map(|own| own.id.as_str()).or_else(|| over().map(|entry| entry.call_id.as_str()))
    }

    /// Whether a user's phone is off the hook.
    pub(crate) fn off_hook(&self, user: &str) -> bool {
        self.records.get(user).into_iter().flatten().any(Record::lifts)
    }

    /// The calls of a user that are over, latest first.
    pub(crate) fn log(&self, user: &str) -> impl Iterator<Item = &LogEntry> {
        self.logs.get(user).into_iter().flatten()
    }

    /// Forgets calls that are over: all of a kind, or one. How many.
    pub(crate) fn forget_log(
        &mut self,
        user: &str,
        kind: Option<Logged>,
        id: Option<&str>,
    ) -> usize {
        let Some(log) = self.logs.get_mut(user) else { return 0 };
        let before = log.len();
        log.retain(|entry| {
            let kept = kind.is_some_and(|kind| entry.kind != kind);
            kept || id.is_some_and(|id| entry.id != id)
        });
        before - log.len()
    }

    /// Whether there are events that have not been handed out.
    pub(crate) fn has_news(&self) -> bool {
        !self.shown.is_empty()
    }

    /// Notes something on a call, for both ends to see; told with the next events.
    pub(crate) fn set_info(&mut self, call: &UserCall, info: Option<&str>) {
        let ends = self.records.values_mut().flatten();
        let ends = ends.filter(|record| record.call.conversation == call.conversation);
        let mut changed = Vec::new();
        for record in ends.filter(|record| record.info.as_deref() != info) {
            record.info = info.map(str::to_owned);
            changed.push(record.clone());
        }
        for record in changed {
            self.show(SA, "CallClientSessionInfoUpdatedEvent", &record);
        }
    }

    /// The calls as they are now; the events that follow. `acd` writes `acdCallInfo` of those that come from a queue.
    pub(crate) fn observe(
        &mut self,
        now: Instant,
        calls: Vec<UserCall>,
        news: Vec<CallNews>,
        acd: impl Fn(&UserCall) -> Option<Element>,
    ) -> Vec<Shown> {
        let ms = self.clock.ms(now);
        let mut after = Vec::new();
        for news in news {
            self.hear(ms, news, &mut after);
        }
        let mut gone = std::mem::take(&mut self.records);
        for call in calls {
            let old = gone.get_mut(&call.user).and_then(|records| {
                // A phone that has taken over another's call goes on with the call that rang it; the other's is over.
                let by_leg = records.iter().position(|record| record.has_leg_of(&call));
                let at = by_leg.or_else(|| records.iter().position(|record| record.is(&call)))?;
                Some(records.remove(at))
            });
            let acd = acd(&call);
            let record = match old {
                Some(mut old) => {
                    old.acd = acd.or(old.acd);
                    self.changed(ms, old, call)
                }
                None => self.begun(ms, call, acd),
            };
            self.records.entry(record.call.user.clone()).or_default().push(record);
        }
        for record in gone.into_values().flatten() {
            self.over(ms, record);
        }
        for (number, kind, by) in after {
            self.tell_taken(number, kind, &by);
        }
        self.hook_changes();
        std::mem::take(&mut self.shown)
    }

    fn show(&mut self, packages: &'static [&'static str], kind: &'static str, record: &Record) {
        let data = call::event(kind, record, &self.names);
        self.shown.push(shown(&record.call.user, packages, data));
    }

    /// Notes what calls went through, for when they change or end.
    fn hear(&mut self, ms: u64, news: CallNews, after: &mut Vec<(Place, &'static str, Who)>) {
        match news {
            CallNews::HungUp { session } => {
                for record in self.records.values_mut().flatten() {
                    record.left |= record.call.legs.contains(&session);
                }
            }
            CallNews::Refused { number, status } => {
                for record in self.records.values_mut().flatten() {
                    if record.call.place == Place::Call(number) && record.state == State::Alerting {
                        record.refused = Some(status.code());
                    }
                }
            }
            CallNews::Unanswered { number, caller, called } => {
                self.at_once_over(ms, Place::Call(number), caller, called);
            }
            CallNews::Diverted { number, by, caller, to, reason } => {
                self.diverted(ms, Place::Call(number), (by, caller), (to, reason));
            }
            CallNews::Transferred { session, to } => {
                let fits = |record: &Record| record.call.legs.contains(&session);
                self.redirected(ms, fits, &to, "transfer");
            }
            CallNews::PickedUp { number, by } => {
                after.push((Place::Call(number), "CallPickedUpEvent", by));
            }
            CallNews::Retrieved { number, by } => {
                after.push((Place::Call(number), "CallParkRetrievedEvent", by));
            }
            CallNews::Supervised { place, user, kind } => {
                let own = self.records.get(&user).into_iter().flatten();
                let met = own.filter(|record| record.call.place == place).cloned();
                for record in met.collect::<Vec<_>>() {
                    self.show(SA, kind, &record);
                }
            }
        }
    }

    /// A line has sent a call on. If it never rang there, it is shown to those who see calls before services apply.
    fn diverted(
        &mut self,
        ms: u64,
        place: Place,
        (by, caller): (Who, Who),
        (to, reason): (Who, &'static str),
    ) {
        let Some(user) = by.extension else { return };
        let fits = |record: &Record| record.call.user == user && record.call.place == place;
        if self.redirected(ms, fits, &to, reason) {
            return;
        }
        let mut record = self.record(ms, never_seen(user, place, End::Called, caller));
        let event = call::event("CallReceivedEvent", &record, &self.names);
        self.shown.push(shown(&record.call.user, A, event));
        record.state = State::Detached;
        record.detached_ms = Some(ms);
        record.redirect = Some((to, reason, ms));
        let event = call::redirected(&record, &self.names);
        self.shown.push(shown(&record.call.user, A, event));
        record.state = State::Released;
        record.released_ms = Some(ms);
        let event = call::event("CallReleasedEvent", &record, &self.names);
        self.shown.push(shown(&record.call.user, A, event));
    }

    /// A call was refused before anybody could see it: its caller finds it among those he made.
    fn at_once_over(&mut self, ms: u64, place: Place, caller: Who, called: Who) {
        let Some(user) = caller.extension else { return };
        let mut own = self.records.get(&user).into_iter().flatten();
        // What has been seen is written down when it goes.
        if own.any(|record| record.call.place == place) {
            return;
        }
        let record = self.record(ms, never_seen(user, place, End::Caller, called));
        self.write_log(ms, &record);
    }

    /// The user sent the other on. False if there is no such call.
    fn redirected(
        &mut self,
        ms: u64,
        fits: impl Fn(&Record) -> bool,
        to: &Who,
        reason: &'static str,
    ) -> bool {
        let mut any = false;
        for record in self.records.values_mut().flatten().filter(|record| fits(record)) {
            any = true;
            record.state = State::Detached;
            record.detached_ms = Some(ms);
            record.redirect = Some((to.clone(), reason, ms));
            record.left = true;
            let event = call::redirected(record, &self.names);
            self.shown.push(shown(&record.call.user, A, event));
        }
        any
    }

    fn record(&mut self, ms: u64, call: UserCall) -> Record {
        self.last += 1;
        let taken = |n: &u32| {
            let own = self.records.get(&call.user).into_iter().flatten();
            own.map(|record| record.appearance).any(|appearance| appearance == *n)
        };
        let appearance = (1..100).find(|n| !taken(n)).unwrap_or(1);
        Record {
            id: format!("callhalf-{}:0", self.last),
            tracking: format!("{}:1", call.conversation),
            state: State::of(call.stage),
            appearance,
            started_ms: ms,
            answered_ms: None,
            held_ms: None,
            total_held_ms: 0,
            detached_ms: None,
            released_ms: None,
            release: None,
            redirect: None,
            acd: None,
            recorded: false,
            info: None,
            left: false,
            refused: None,
            call,
        }
    }

    fn begun(&mut self, ms: u64, call: UserCall, acd: Option<Element>) -> Record {
        let mut record = self.record(ms, call);
        record.acd = acd;
        let kind = match (record.call.stage, record.call.end) {
            (CallStage::Clicked, _) => "CallOriginatingEvent",
            (_, End::Caller) => "CallOriginatedEvent",
            (_, End::Called) => "CallReceivedEvent",
        };
        // A call that is met in the middle rang, as far as anybody can tell.
        let state = std::mem::replace(&mut record.state, State::Alerting);
        self.show(BSA, kind, &record);
        if state != State::Alerting {
            record.state = State::Active;
            record.answered_ms = Some(ms);
            self.show(BSA, "CallAnsweredEvent", &record);
        }
        if matches!(state, State::Held | State::RemoteHeld) {
            record.state = state;
            record.held_ms = Some(ms);
            self.show(SA, "CallHeldEvent", &record);
        }
        record
    }

    fn changed(&mut self, ms: u64, mut record: Record, call: UserCall) -> Record {
        let was = std::mem::replace(&mut record.call, call);
        let (old, new) = (record.state, State::of(record.call.stage));
        let clicked = was.stage == CallStage::Clicked && record.call.stage != CallStage::Clicked;
        let other = was.remote != record.call.remote;
        record.state = new;
        if clicked {
            record.state = State::Alerting;
            self.show(BSA, "CallOriginatedEvent", &record);
            record.state = new;
        }
        match (old, new) {
            (State::Alerting, State::Alerting)
                if !clicked && (other || was.network_id != record.call.network_id) =>
            {
                self.show(SA, "CallUpdatedEvent", &record);
            }
            (State::Alerting, State::Active | State::Held | State::RemoteHeld) => {
                record.answered_ms.get_or_insert(ms);
                record.state = State::Active;
                self.show(BSA, "CallAnsweredEvent", &record);
                record.state = new;
                self.hold_changed(ms, State::Active, &mut record);
            }
            // The one at the other end was sent on, and rings somebody else.
            (_, State::Alerting) if old != new => {
                self.show(SA, "CallTransferredEvent", &record);
            }
            _ if other && new != State::Alerting => {
                self.show(SA, "CallTransferredEvent", &record);
                self.hold_changed(ms, old, &mut record);
            }
            _ => self.hold_changed(ms, old, &mut record),
        }
        let state = |call: &UserCall| call.recording.and_then(|recording| recording.state);
        self.recording_changed(state(&was), state(&record.call), &mut record);
        record
    }

    /// The recording of a call is another than it was.
    fn recording_changed(
        &mut self,
        old: Option<RecordingState>,
        new: Option<RecordingState>,
        record: &mut Record,
    ) {
        use RecordingState::{Paused, Pending, Started, Stopped};
        if old == new {
            return;
        }
        let runs = matches!(old, Some(Pending | Started | Paused));
        if matches!(new, Some(Pending | Started | Paused)) && !runs {
            self.show(SA, "CallRecordingStartingEvent", record);
        }
        let kind = match (old, new) {
            (Some(Paused), Some(Started)) => "CallRecordingResumedEvent",
            (_, Some(Started)) => "CallRecordingStartedEvent",
            (_, Some(Paused)) => "CallRecordingPausedEvent",
            (_, Some(Stopped { failed })) => {
                let reason = if failed { "Failure" } else { "User Requested" };
                let data = call::event("CallRecordingStoppedEvent", record, &self.names);
                self.shown.push(shown(&record.call.user, SA, data.field("reason", reason)));
                return;
            }
            _ => return,
        };
        record.recorded |= matches!(new, Some(Started | Paused));
        self.show(SA, kind, record);
    }

    fn hold_changed(&mut self, ms: u64, old: State, record: &mut Record) {
        let is_held = |state: State| matches!(state, State::Held | State::RemoteHeld);
        match (is_held(old), is_held(record.state)) {
            (false, true) => {
                record.held_ms = Some(ms);
                self.show(SA, "CallHeldEvent", record);
            }
            (true, false) => {
                let since = record.held_ms.take().unwrap_or(ms);
                record.total_held_ms += ms.saturating_sub(since);
                self.show(SA, "CallRetrievedEvent", record);
            }
            (true, true) if old != record.state => self.show(SA, "CallUpdatedEvent", record),
            _ => {}
        }
    }

    fn over(&mut self, ms: u64, mut record: Record) {
        record.released_ms = Some(ms);
        record.state = State::Released;
        let party = if record.left { "localRelease" } else { "remoteRelease" };
        record.release = Some(Release { status: record.refused, party: Some(party) });
        self.show(BSA, "CallReleasedEvent", &record);
        self.write_log(ms, &record);
    }

    fn write_log(&mut self, ms: u64, record: &Record) {
        let kind = match (record.call.end, record.answered_ms) {
            (End::Caller, _) => Logged::Placed,
            (End::Called, Some(_)) => Logged::Received,
            (End::Called, None) => Logged::Missed,
        };
        if self.names.company.account(&record.call.user).is_none() {
            return;
        }
        let entry = LogEntry {
            id: format!("{}:{}", record.started_ms, record.id.trim_start_matches("callhalf-")),
            kind,
            call_id: record.id.clone(),
            conversation: record.call.conversation,
            remote: record.call.remote.clone(),
            diversions: record.call.diversions.clone(),
            started_ms: record.started_ms,
            answered_ms: record.answered_ms,
            released_ms: ms,
        };
        let log = self.logs.entry(record.call.user.clone()).or_default();
        log.push_front(entry);
        log.truncate(LOG);
    }

    /// The one who called is told who took his call.
    fn tell_taken(&mut self, place: Place, kind: &'static str, by: &Who) {
        let caller = self.records.values().flatten().find(|record| {
            record.call.place == place
                && record.call.end == End::Caller
                && record.call.remote == *by
        });
        if let Some(record) = caller.cloned() {
            self.show(SA, kind, &record);
        }
    }

    fn hook_changes(&mut self) {
        let mut users: Vec<String> = self.records.keys().cloned().collect();
        users.extend(self.hooks.keys().cloned());
        users.sort();
        users.dedup();
        for user in users {
            let off = self.off_hook(&user);
            let before =
                if off { self.hooks.insert(user.clone(), true) } else { self.hooks.remove(&user) };
            if before.unwrap_or(false) != off {
                self.shown.push(shown(&user, BSA, call::hook(off)));
            }
        }
    }
}

/// A user's call that was over, for him, before it could be observed.
fn never_seen(user: String, place: Place, end: End, remote: Who) -> UserCall {
    UserCall {
        user,
        place,
        legs: Vec::new(),
        end,
        stage: CallStage::Alerting,
        remote,
        diversions: Vec::new(),
        network_id: None,
        recording: None,
        conversation: match place {
            Place::Call(number) => number.0,
            _ => 0,
        },
    }
}

#[cfg(test)]
mod tests;
