//! The words of the model: agents, queues, their callers, people and calls as the exchange sees them.
//!
//! Times are milliseconds since the Unix epoch, by the exchange's clock unless said otherwise.

use super::port::Recording;

/// A user of the exchange by the exchange's own name: `jan@company.example`, `PJSIP/101`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub String);

/// A queue by the exchange's own name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub String);

/// A caller in a queue, by the exchange's own name for the call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueuedCallId(pub String);

/// How an agent stands, for all queues at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AgentState {
    /// Gets no calls and is not counted.
    #[default]
    SignedOut,
    /// Between signing in and the state that follows; short.
    SigningIn,
    /// Gets calls.
    Available,
    /// At work but gets no calls; mostly with a code that says why.
    Unavailable,
    /// Finishes the last call.
    WrapUp,
}

/// What took an agent out of the state that he wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Do not disturb is on.
    DoNotDisturb,
    /// All calls are forwarded.
    Forwarding,
    /// A call that came through no queue.
    PersonalCall,
    /// Too many calls were let ring.
    Bounces,
    /// A supervisor.
    Supervisor,
}

/// An agent's state and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentStatus {
    /// The state.
    pub state: AgentState,
    /// Code of the reason, with [`AgentState::Unavailable`].
    pub code: Option<String>,
    /// Since when.
    pub since: Option<u64>,
    /// The call that is finished off, with [`AgentState::WrapUp`].
    pub wrap_up: Option<WrapUp>,
    /// When the agent signed in.
    pub signed_in_at: Option<u64>,
}

/// The end of a queue's call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrapUp {
    /// The queue.
    pub queue: Option<QueueId>,
    /// The call, by the exchange's own name.
    pub call: Option<String>,
    /// When the exchange ends it by itself; `None`: not, or it does not tell.
    pub until: Option<u64>,
}

/// An agent in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The queue.
    pub queue: QueueId,
    /// Takes calls of it while available.
    pub joined: bool,
    /// May join and leave by himself.
    pub may_leave: bool,
    /// Level of skill, 1 best, where the exchange has it.
    pub skill: Option<u32>,
}

/// An agent as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Who.
    pub id: UserId,
    /// Name for people; empty when not told.
    pub name: String,
    /// Extension or number; empty when not told.
    pub number: String,
    /// State as the exchange told it last; `None`: not yet.
    pub status: Option<AgentStatus>,
    /// On a call now, where the exchange tells.
    pub on_call: Option<bool>,
    /// Queues.
    pub memberships: Vec<Membership>,
}

/// A reason or outcome that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// What is sent, at most 10 characters on BroadWorks.
    pub code: String,
    /// What people read; may be empty.
    pub description: String,
    /// Chosen when nothing is said.
    pub is_default: bool,
}

/// Somebody at the other side of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Name; empty when not told.
    pub name: String,
    /// Number or address as told, without `tel:`; empty when withheld.
    pub number: String,
}

/// How soon a caller's turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// First of all.
    Highest,
    /// Before medium.
    High,
    /// Before low.
    Medium,
    /// Last.
    Low,
}

/// How a caller in a queue stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EntryState {
    /// Waits.
    #[default]
    Queued,
    /// Rings at an agent; who, where told.
    Offered(Option<UserId>),
    /// The agent hears which queue it is.
    Whisper(Option<UserId>),
}

/// How a caller left a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryEnd {
    /// An agent answered; who, where told.
    Answered(Option<UserId>),
    /// The caller gave up.
    Abandoned,
    /// Somebody took him out of the queue to another place.
    Transferred,
    /// Sent on because the queue was too long or too slow.
    Overflowed,
    /// Sent on because no agent is signed in.
    Stranded,
    /// He pressed the key that leaves the queue.
    Escaped,
    /// Ended by the exchange.
    Released,
    /// Gone while nobody could see how.
    Unseen,
}

/// A caller in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// The call.
    pub call: QueuedCallId,
    /// Who waits.
    pub caller: Party,
    /// Since when.
    pub since: u64,
    /// Turn, where the exchange has priorities.
    pub priority: Option<Priority>,
    /// How it stands.
    pub state: EntryState,
    /// An agent let it ring and it came back.
    pub bounced: bool,
    /// Somebody moved it.
    pub reordered: bool,
    /// Hears the entrance message and cannot be moved yet.
    pub entrance: bool,
}

/// How bad a measure is, by the thresholds of the exchange or of the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good.
    #[default]
    Normal,
    /// Over the yellow threshold.
    Yellow,
    /// Over the red threshold.
    Red,
}

/// A figure and how bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// The figure; seconds for times.
    pub value: u32,
    /// Severity as the exchange judges it; `None`: it does not.
    pub severity: Option<Severity>,
}

/// Figures of a queue as the exchange counts them. `None`: not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// Callers that wait.
    pub waiting: Option<Measure>,
    /// Wait of the one who waits longest, seconds.
    pub longest_wait: Option<Measure>,
    /// Expected wait of the next caller, seconds.
    pub expected_wait: Option<Measure>,
    /// Average time until answer, seconds.
    pub average_answer: Option<Measure>,
    /// Average length of a call and its wrap-up, seconds.
    pub average_handling: Option<Measure>,
    /// Share of callers answered within the target time, percent.
    pub service_level: Option<Measure>,
    /// Calls answered in the exchange's period.
    pub answered: Option<u32>,
    /// Calls given up in the exchange's period.
    pub abandoned: Option<u32>,
    /// Agents that belong to the queue.
    pub agents_assigned: Option<u32>,
    /// Agents that are signed in and joined.
    pub agents_staffed: Option<u32>,
    /// Staffed agents that wait for a call.
    pub agents_idle: Option<u32>,
    /// Staffed agents that take no calls.
    pub agents_unavailable: Option<u32>,
}

/// What stands between the clock and a queue's night.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NightOverride {
    /// By schedule.
    #[default]
    Automatic,
    /// Night, whatever the clock says.
    ForcedOn,
    /// Day, whatever the clock says.
    ForcedOff,
}

/// What a queue does with all its callers. `None`: not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueuePolicy {
    /// Night service is in force now.
    pub night: Option<bool>,
    /// Until when, where the exchange or its schedule tells.
    pub night_until: Option<u64>,
    /// How night is decided.
    pub night_override: Option<NightOverride>,
    /// A holiday is in force now.
    pub holiday: Option<bool>,
    /// Every caller goes to this number; empty: forwarding is off.
    pub forced_forwarding: Option<String>,
    /// The user may change these.
    pub may_change: bool,
}

/// A queue as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Which.
    pub id: QueueId,
    /// Name for people; empty when not told.
    pub name: String,
    /// Number of the queue; empty when not told.
    pub number: String,
    /// Callers, next one first. Empty while `known` is false.
    pub entries: Vec<QueueEntry>,
    /// The callers have been told; false: only counts may be known.
    pub known: bool,
    /// Figures.
    pub measures: Measures,
    /// Night, holiday, forwarding.
    pub policy: QueuePolicy,
    /// Outcomes that can be given to a call.
    pub dispositions: Vec<Code>,
    /// An outcome must be given.
    pub disposition_forced: bool,
    /// The user supervises it: may move and take its callers.
    pub supervised: bool,
}

/// One person, group or thing with a number in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The exchange's own name, where it is a user.
    pub user: Option<UserId>,
    /// First name.
    pub first_name: String,
    /// Last name, or the whole name where there is only one.
    pub last_name: String,
    /// Full number.
    pub number: String,
    /// Extension.
    pub extension: String,
    /// Mobile number.
    pub mobile: String,
    /// Mail address.
    pub email: String,
    /// Department.
    pub department: String,
    /// Title.
    pub title: String,
    /// Not a person: queue, hunt group, menu, voicemail of a group.
    pub is_virtual: bool,
}

/// What a call in the exchange's log was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// The user called.
    Placed,
    /// The user was called and answered.
    Received,
    /// The user was called and did not answer.
    Missed,
}

/// A message in the user's voicemail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceMessage {
    /// The exchange's own name.
    pub id: String,
    /// Who left it; empty when withheld.
    pub caller: Party,
    /// When, in milliseconds since the Unix epoch.
    pub at: Option<u64>,
    /// How long it is, in milliseconds.
    pub length_ms: Option<u64>,
    /// It was heard.
    pub heard: bool,
    /// The caller said that it is urgent.
    pub urgent: bool,
}

/// A number that the user keeps at the exchange. Its name tells it apart from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonalNumber {
    /// Name.
    pub name: String,
    /// Number.
    pub number: String,
}

/// One call in the exchange's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The exchange's own name.
    pub id: String,
    /// Kind.
    pub kind: LogKind,
    /// The other side.
    pub party: Party,
    /// When.
    pub at: u64,
}

/// How a call of the user stands at the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExchangeCallState {
    /// Rings at the user, or at the other side for a call the user made.
    Alerting,
    /// Talks.
    Active,
    /// The user holds it.
    Held,
    /// The other side holds it.
    RemoteHeld,
    /// Cannot be controlled any more.
    Detached,
    /// Over.
    Released,
}

/// A call of the user as the exchange sees it, on whichever phone it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeCall {
    /// The exchange's own name.
    pub id: String,
    /// The other side.
    pub party: Party,
    /// The other side called.
    pub incoming: bool,
    /// State.
    pub state: ExchangeCallState,
    /// The queue it came through.
    pub queue: Option<QueueId>,
    /// How long it waited there, seconds.
    pub waited: Option<u32>,
    /// SIP Call-ID, where the exchange tells it.
    pub sip_call_id: Option<String>,
    /// Digits that the caller entered on the way, where told.
    pub digits: Option<String>,
    /// A supervisor listens or has, where told.
    pub monitored: bool,
    /// How it is recorded at the exchange, as far as that was told.
    pub recording: CallRecording,
    /// When it began.
    pub since: Option<u64>,
}

/// How far the exchange's recording of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordingState {
    /// Nothing is recorded.
    Off,
    /// Is recorded.
    On,
    /// The recording waits: what is said now is not in it.
    Paused,
    /// The exchange could not record it, or no longer can.
    Failed,
}

/// What the exchange tells of the recording of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRecording {
    /// How far it is; `None`: not told.
    pub state: Option<RecordingState>,
    /// What the user may do with it now; `None`: not told.
    pub may: Option<Vec<Recording>>,
}

impl ExchangeCall {
    /// How far the recording of this call is. One that was never told of does not run.
    pub fn recording_state(&self) -> RecordingState {
        self.recording.state.unwrap_or(RecordingState::Off)
    }

    /// What the user may do with the recording now: as the exchange tells, else what follows from how far it is.
    pub fn may_record(&self) -> Vec<Recording> {
        let talks = matches!(
            self.state,
            ExchangeCallState::Active | ExchangeCallState::Held | ExchangeCallState::RemoteHeld
        );
        if !talks {
            return Vec::new();
        }
        self.recording.may.clone().unwrap_or_else(|| match self.recording_state() {
            RecordingState::Off | RecordingState::Failed => vec![Recording::Start],
            RecordingState::On => vec![Recording::Pause, Recording::Stop],
            RecordingState::Paused => vec![Recording::Resume, Recording::Stop],
        })
    }
}
