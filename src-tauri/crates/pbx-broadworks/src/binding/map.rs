//! From BroadWorks' words to those of `pbx::centre`. Pure functions.

use pbx::centre::{
    AgentState, AgentStatus, CallRecording, Code, DirectoryEntry, EntryEnd, EntryState,
    ExchangeCall, ExchangeCallState, LogEntry, LogKind, Measure, Measures, Membership, Party,
    Priority, QueueChange, QueueEntry, QueueId, QueuePolicy, QueuedCallId, Recording,
    RecordingState, Severity, UserId, WrapUp,
};

use crate::wire::{
    self, AgentSettings, AgentStateInfo, AgentStateWord, Call, CallEventKind, CallState,
    CodeDetail, CommonEntry, JoinInfo, LogList, Monitored, PersonEntry, Personality, PolicyEvent,
    QueueDetails, QueueEvent, QueueEventKind, QueueFigures, QueuedCall, RemoteParty, number_of,
};

pub(super) fn agent_state(word: &AgentStateWord) -> Option<AgentState> {
    Some(match word {
        AgentStateWord::SignIn => AgentState::SigningIn,
        AgentStateWord::Available => AgentState::Available,
        AgentStateWord::Unavailable => AgentState::Unavailable,
        AgentStateWord::WrapUp => AgentState::WrapUp,
        AgentStateWord::SignOut => AgentState::SignedOut,
        AgentStateWord::Other(_) => return None,
    })
}

pub(super) fn agent_word(state: AgentState) -> AgentStateWord {
    match state {
        AgentState::SigningIn => AgentStateWord::SignIn,
        AgentState::Available => AgentStateWord::Available,
        AgentState::Unavailable => AgentStateWord::Unavailable,
        AgentState::WrapUp => AgentStateWord::WrapUp,
        AgentState::SignedOut => AgentStateWord::SignOut,
    }
}

/// `wrap_up`: after how many seconds the queue ends a wrap-up by itself.
pub(super) fn agent_status(
    info: &AgentStateInfo,
    wrap_up: impl Fn(&QueueId) -> Option<u32>,
) -> Option<AgentStatus> {
    let state = agent_state(&info.state)?;
    let ends = || {
        let queue = info.wrap_up_queue.clone().map(QueueId);
        let seconds = queue.as_ref().and_then(wrap_up);
        let until =
            info.since.zip(seconds).map(|(since, seconds)| since + u64::from(seconds) * 1000);
        WrapUp { queue, call: info.wrap_up_call.clone(), until }
    };
    Some(AgentStatus {
        state,
        code: info.unavailable_code.clone().filter(|_| state == AgentState::Unavailable),
        since: info.since,
        wrap_up: (state == AgentState::WrapUp).then(ends),
        signed_in_at: info.signed_in_at,
    })
}

/// What the settings tell of an agent: less than an event does.
pub(super) fn settings_status(settings: &AgentSettings) -> Option<AgentStatus> {
    let state = agent_state(settings.state.as_ref()?)?;
    let code = settings.unavailable_code.clone().filter(|_| state == AgentState::Unavailable);
    Some(AgentStatus { state, code, ..AgentStatus::default() })
}

/// An event does not say whether the agent may leave: `known` does.
pub(super) fn membership(join: &JoinInfo, known: &[Membership]) -> Membership {
    let before = known.iter().find(|one| one.queue.0.eq_ignore_ascii_case(&join.queue));
    Membership {
        queue: before.map_or_else(|| QueueId(join.queue.clone()), |one| one.queue.clone()),
        joined: join.joined,
        may_leave: before.is_none_or(|one| one.may_leave),
        skill: join.skill.or_else(|| before.and_then(|one| one.skill)),
    }
}

pub(super) fn settings_membership(queue: &QueueDetails) -> Membership {
    Membership {
        queue: QueueId(queue.id.clone()),
        joined: queue.available,
        may_leave: queue.may_leave,
        skill: queue.skill,
    }
}

pub(super) fn code(code: &CodeDetail) -> Code {
    Code {
        code: code.code.clone(),
        description: code.description.clone(),
        is_default: code.is_default,
    }
}

pub(super) fn party(remote: &RemoteParty) -> Party {
    if remote.private {
        return Party::default();
    }
    let address = remote.address.as_deref().or(remote.user_number.as_deref());
    Party {
        name: remote.name.clone().unwrap_or_default(),
        number: address.map(number_of).unwrap_or_default().to_owned(),
    }
}

pub(super) fn priority(word: &str) -> Option<Priority> {
    // The number in front is the same in every language of the server.
    Some(match word.trim().chars().next()? {
        '0' => Priority::Highest,
        '1' => Priority::High,
        '2' => Priority::Medium,
        '3' => Priority::Low,
        _ => return None,
    })
}

pub(super) fn priority_word(priority: Priority) -> &'static str {
    match priority {
        Priority::Highest => "0-Highest",
        Priority::High => "1-High",
        Priority::Medium => "2-Medium",
        Priority::Low => "3-Low",
    }
}

fn entry(call: &QueuedCall, state: EntryState) -> QueueEntry {
    QueueEntry {
        call: QueuedCallId(call.id.clone()),
        caller: party(&call.remote),
        since: call.add_time.unwrap_or_default(),
        priority: call.priority.as_deref().and_then(priority),
        state,
        bounced: call.bounced,
        reordered: call.reordered,
        entrance: call.entrance,
    }
}

pub(super) fn entries(calls: &[QueuedCall]) -> Vec<QueueEntry> {
    calls.iter().map(|call| entry(call, waiting_state(call))).collect()
}

/// A snapshot does not say how an entry stands; one that names an agent rings there.
fn waiting_state(call: &QueuedCall) -> EntryState {
    match &call.answering_user {
        Some(agent) => EntryState::Offered(Some(UserId(agent.clone()))),
        None => EntryState::Queued,
    }
}

/// `None`: the caller never was in the queue.
pub(super) fn queue_change(event: &QueueEvent) -> Option<QueueChange> {
    let agent = event.entry.answering_user.clone().map(UserId);
    let left = |end| {
        let call = QueuedCallId(event.entry.id.clone());
        Some(QueueChange::Left { call, end, at: event.entry.remove_time })
    };
    let state = match event.kind {
        QueueEventKind::Answered => return left(EntryEnd::Answered(agent)),
        QueueEventKind::Abandoned => return left(EntryEnd::Abandoned),
        QueueEventKind::Released => return left(EntryEnd::Released),
        QueueEventKind::Transferred => return left(EntryEnd::Transferred),
        QueueEventKind::Overflowed => return left(EntryEnd::Overflowed),
        QueueEventKind::Stranded => return left(EntryEnd::Stranded),
        QueueEventKind::Escaped => return left(EntryEnd::Escaped),
        QueueEventKind::NeverQueued => return None,
        QueueEventKind::Offered => EntryState::Offered(agent),
        QueueEventKind::Whisper => EntryState::Whisper(agent),
        QueueEventKind::Bounced => EntryState::Queued,
        QueueEventKind::Added
        | QueueEventKind::Reordered
        | QueueEventKind::Promoted
        | QueueEventKind::Updated => waiting_state(&event.entry),
    };
    let mut entry = entry(&event.entry, state);
    entry.bounced |= event.kind == QueueEventKind::Bounced;
    entry.reordered |= event.kind == QueueEventKind::Reordered;
    Some(QueueChange::Entry { entry, position: event.position })
}

fn measure(monitored: &Monitored) -> Measure {
    let severity = monitored.severity.as_deref().map(|word| match word {
        word if word.eq_ignore_ascii_case("red") => Severity::Red,
        word if word.eq_ignore_ascii_case("yellow") => Severity::Yellow,
        _ => Severity::Normal,
    });
    Measure { value: monitored.value, severity }
}

pub(super) fn measures(figures: &QueueFigures) -> Measures {
    Measures {
        waiting: figures.waiting.as_ref().map(measure),
        longest_wait: figures.longest_wait.as_ref().map(measure),
        expected_wait: figures.expected_wait.as_ref().map(measure),
        average_answer: figures.average_answer.as_ref().map(measure),
        average_handling: figures.average_handling.as_ref().map(measure),
        agents_assigned: figures.assigned,
        agents_staffed: figures.staffed,
        agents_idle: figures.idle,
        agents_unavailable: figures.unavailable,
        ..Measures::default()
    }
}

/// The event tells that forwarding is on, not where to: that is read besides.
pub(super) fn policy(event: &PolicyEvent, may_change: bool) -> QueuePolicy {
    use pbx::centre::NightOverride;
    let forced = event.force_night.map(|forced| match forced {
        true => NightOverride::ForcedOn,
        false => NightOverride::Automatic,
    });
    let off = event.forced_forwarding == Some(false);
    QueuePolicy {
        night: event.night,
        night_override: forced,
        holiday: event.holiday,
        forced_forwarding: off.then(String::new),
        night_until: None,
        may_change,
    }
}

/// `None`: the call is in no state that is shown.
pub(super) fn call(call: &Call) -> Option<ExchangeCall> {
    let state = match &call.state {
        CallState::Alerting => ExchangeCallState::Alerting,
        CallState::Active => ExchangeCallState::Active,
        CallState::Held => ExchangeCallState::Held,
        CallState::RemoteHeld => ExchangeCallState::RemoteHeld,
        CallState::Detached => ExchangeCallState::Detached,
        CallState::Released | CallState::Idle => ExchangeCallState::Released,
        CallState::Other(_) => return None,
    };
    let acd = call.acd.as_ref().or(call.acd_outgoing.as_ref());
    Some(ExchangeCall {
        id: call.id.clone(),
        party: party(&call.remote),
        incoming: call.personality == Personality::Terminator,
        state,
        queue: acd.map(|acd| QueueId(acd.queue.clone())),
        waited: call.acd.as_ref().and_then(|acd| acd.wait_time),
        sip_call_id: call.network_call_id.clone(),
        // Not told (reference, section 4.4); that somebody listens is an event of its own.
        digits: None,
        monitored: false,
        recording: recording(call),
        since: call.answer_time.or(call.start_time),
    })
}

/// How a call is recorded. Where its state is left out, what may be done tells it (reference, section 4.3): some releases
/// name the state only while a recording runs.
fn recording(call: &Call) -> CallRecording {
    let may = call.recording_controls.as_deref().map(|words| {
        let verb = |word: &str| match word {
            "record" => Some(Recording::Start),
            "pause" => Some(Recording::Pause),
            "resume" => Some(Recording::Resume),
            "stop" => Some(Recording::Stop),
            _ => None,
        };
        words.split('-').filter_map(|word| verb(&word.to_ascii_lowercase())).collect::<Vec<_>>()
    });
    let can = |verb| may.as_ref().is_some_and(|may| may.contains(&verb));
    let state = match call.recording_state.as_deref() {
        // It is about to begin.
        Some("Pending") => Some(RecordingState::Off),
        Some("Started") => Some(RecordingState::On),
        Some("Paused") => Some(RecordingState::Paused),
        Some("Failed") => Some(RecordingState::Failed),
        _ if can(Recording::Start) => Some(RecordingState::Off),
        _ if can(Recording::Resume) => Some(RecordingState::Paused),
        _ if can(Recording::Pause) || can(Recording::Stop) => Some(RecordingState::On),
        _ => None,
    };
    CallRecording { state, may }
}

/// What news of a recording mean for a call that does not tell itself how its recording stands.
pub(super) fn recording_by_news(kind: CallEventKind, failed: bool) -> Option<RecordingState> {
    match kind {
        CallEventKind::RecordingStarted => Some(RecordingState::On),
        CallEventKind::RecordingPaused => Some(RecordingState::Paused),
        CallEventKind::RecordingStopped if failed => Some(RecordingState::Failed),
        CallEventKind::RecordingStopped => Some(RecordingState::Off),
        _ => None,
    }
}

pub(super) fn person(entry: &PersonEntry) -> DirectoryEntry {
    let is_virtual = entry.is_virtual();
    DirectoryEntry {
        user: Some(entry.user_id.clone()).filter(|id| !id.is_empty()).map(UserId),
        // The first name of what is no person only says what it is.
        first_name: if is_virtual { String::new() } else { entry.first_name.clone() },
        last_name: entry.last_name.clone(),
        number: entry.number.clone(),
        extension: entry.extension.clone(),
        mobile: entry.mobile.clone(),
        email: entry.email.clone(),
        department: entry.department.clone(),
        title: entry.title.clone(),
        is_virtual,
    }
}

pub(super) fn common(entry: &CommonEntry) -> DirectoryEntry {
    DirectoryEntry {
        last_name: entry.name.clone(),
        number: entry.number.clone(),
        ..DirectoryEntry::default()
    }
}

pub(super) fn contact(contact: &wire::Contact) -> DirectoryEntry {
    let mut entry = person(&contact.person);
    if entry.first_name.is_empty() && entry.last_name.is_empty() {
        entry.last_name.clone_from(&contact.name);
    }
    entry
}

/// Newest first.
pub(super) fn log(entries: &[wire::LogEntry]) -> Vec<LogEntry> {
    let mut log: Vec<LogEntry> = entries
        .iter()
        .map(|entry| LogEntry {
            id: entry.id.clone(),
            kind: match entry.list {
                LogList::Placed => LogKind::Placed,
                LogList::Received => LogKind::Received,
                LogList::Missed => LogKind::Missed,
            },
            party: Party { name: entry.name.clone(), number: entry.number.clone() },
            at: entry.at.unwrap_or_default(),
        })
        .collect();
    log.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    log
}
