//! The words of the call centre: agents, queues, waiting callers, and what is told about them. Values only.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::pbx::CallNumber;

/// An agent: the extension of the line, as in [`crate::Account::extension`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentId(pub String);

/// A queue: its number, as it is dialled inside the company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QueueId(pub String);

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for AgentId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&str> for QueueId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// What an agent does; the same for all of the agent's queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Is signing in: lasts a moment.
    SignIn,
    /// Takes calls.
    Available,
    /// Takes none; a code may tell why.
    Unavailable,
    /// Finishes what the last call brought.
    WrapUp,
    /// Is not there.
    SignOut,
}

impl AgentState {
    /// Whether the agent counts as staffing the queues it has joined.
    pub const fn is_signed_in(self) -> bool {
        !matches!(self, Self::SignOut)
    }
}

/// Priority of a waiting call; the first is served first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 0.
    #[default]
    Highest,
    /// 1.
    High,
    /// 2.
    Medium,
    /// 3.
    Low,
}

impl Priority {
    /// All, the first first.
    pub const ALL: [Self; 4] = [Self::Highest, Self::High, Self::Medium, Self::Low];

    /// The next higher one.
    pub const fn higher(self) -> Option<Self> {
        match self {
            Self::Highest => None,
            Self::High => Some(Self::Highest),
            Self::Medium => Some(Self::High),
            Self::Low => Some(Self::Medium),
        }
    }
}

/// How bad a measured value is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Below both thresholds, or there are none.
    #[default]
    Normal,
    /// At or above the first.
    Yellow,
    /// At or above the second.
    Red,
}

/// A value with its severity now and before the last change of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure<T> {
    /// The value.
    pub value: T,
    /// How bad it is.
    pub severity: Severity,
    /// How bad it was when last told.
    pub previous: Severity,
    /// The threshold that the value has reached, in the unit of the value: seconds, or calls.
    pub threshold: Option<u32>,
}

/// Who waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// Name shown.
    pub name: Option<String>,
    /// Number; empty if it is withheld.
    pub number: String,
    /// The number is not to be shown.
    pub withheld: bool,
    /// The line of the company that calls, if it is one.
    pub line: Option<String>,
}

/// Who sent the call on before, latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirection {
    /// The number.
    pub number: String,
    /// Name shown.
    pub name: Option<String>,
    /// Why, in the words of RFC 5806: `unconditional`, `no-answer`, `unknown`.
    pub reason: String,
}

/// A call in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEntry {
    /// The call.
    pub call: CallNumber,
    /// The queue.
    pub queue: QueueId,
    /// Who waits.
    pub caller: Caller,
    /// When the call entered.
    pub added_at: Instant,
    /// When it left; set in the event that tells so.
    pub removed_at: Option<Instant>,
    /// Its priority.
    pub priority: Priority,
    /// Since when it has this priority.
    pub in_priority_since: Instant,
    /// The entrance message, which must be heard to its end, plays.
    pub mandatory_entrance: bool,
    /// Any entrance message plays.
    pub entrance_playing: bool,
    /// Somebody did not take it.
    pub bounced: bool,
    /// Somebody moved it.
    pub reordered: bool,
    /// How long the caller had waited in queues before this one.
    pub waited_before: Duration,
    /// Who is rung for it; several with the simultaneous policy.
    pub offered_to: Vec<AgentId>,
    /// Who answered; set in the event that tells so and while the call is with an agent.
    pub answered_by: Option<AgentId>,
}

/// What an agent does, since when and how bad that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentStatus {
    /// The state.
    pub state: AgentState,
    /// When it began.
    pub since: Instant,
    /// Why, in state [`AgentState::Unavailable`].
    pub code: Option<String>,
    /// How bad it is that the state lasts so long; the value is the seconds it had lasted when that was found.
    pub severity: Measure<u64>,
    /// The call of the wrap-up.
    pub wrap_up_call: Option<CallNumber>,
    /// The queue of that call.
    pub wrap_up_queue: Option<QueueId>,
    /// When the wrap-up ends by itself.
    pub wrap_up_ends: Option<Instant>,
    /// The call whose outcome must be given before the wrap-up can end.
    pub owes: Option<CallNumber>,
    /// When the agent signed in.
    pub signed_in_at: Option<Instant>,
    /// How long the agent has been available since then, as far as it was over.
    pub total_available: Duration,
    /// How long a wrap-up took on average since then.
    pub average_wrap_up: Duration,
}

/// An agent's place in one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinInfo {
    /// The queue.
    pub queue: QueueId,
    /// Whether the agent takes its calls.
    pub joined: bool,
    /// 1 is the best; only with skill-based routing.
    pub skill: Option<u8>,
    /// Whether the agent may leave.
    pub may_leave: bool,
}

/// Everything about an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// Who.
    pub agent: AgentId,
    /// The state.
    pub status: AgentStatus,
    /// The agent's queues.
    pub queues: Vec<JoinInfo>,
    /// Call that rings at the agent.
    pub offered: Option<CallNumber>,
    /// Calls of queues that the agent talks with.
    pub calls: Vec<CallNumber>,
    /// Other calls of the line.
    pub personal_calls: u32,
    /// Bounces in a row.
    pub bounces: u32,
    /// What the agent did since it was first seen.
    pub counts: AgentCounts,
}

/// What an agent did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AgentCounts {
    /// Calls of queues answered.
    pub answered: u32,
    /// Calls not taken.
    pub bounced: u32,
    /// Seconds talked in calls that are over.
    pub talk_s: u64,
    /// Seconds of wrap-ups that are over.
    pub wrap_up_s: u64,
    /// Wrap-ups that are over.
    pub wrap_ups: u32,
    /// Seconds unavailable, as far as it is over.
    pub unavailable_s: u64,
}

/// What happened with a queue's calls since the queue was set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct QueueCounts {
    /// Calls that came for the queue, whatever became of them.
    pub received: u32,
    /// Answered by an agent.
    pub answered: u32,
    /// Answered within the service level.
    pub answered_in_time: u32,
    /// The caller hung up.
    pub abandoned: u32,
    /// Times somebody did not take a call.
    pub bounced: u32,
    /// Sent away since the queue was full.
    pub overflowed_size: u32,
    /// Sent away since the wait was too long.
    pub overflowed_time: u32,
    /// Sent away since nobody was there.
    pub stranded: u32,
    /// The caller chose to leave.
    pub escaped: u32,
    /// Sent elsewhere by somebody.
    pub transferred: u32,
    /// Ended by somebody.
    pub released: u32,
    /// Sent away by night or holiday service or forced forwarding.
    pub diverted: u32,
    /// Most calls that waited at once.
    pub most_waiting: u32,
    /// Longest wait of a call that is over, seconds.
    pub longest_wait_s: u64,
    /// Waits of answered calls together, seconds.
    pub wait_s: u64,
    /// Talks with agents together, seconds.
    pub talk_s: u64,
    /// Wrap-ups together, seconds.
    pub wrap_up_s: u64,
    /// Conversations that are over.
    pub handled: u32,
}

/// The measures of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Monitoring {
    /// Talk and wrap-up on average, seconds.
    pub average_handling_time: Measure<u64>,
    /// How long the next caller is likely to wait, seconds.
    pub expected_wait: Measure<u64>,
    /// Wait until the answer on average, seconds.
    pub average_speed_of_answer: Measure<u64>,
    /// How long the one who waits longest has waited, seconds.
    pub longest_wait: Measure<u64>,
    /// Calls in the queue.
    pub calls: Measure<u32>,
    /// Agents of the queue.
    pub assigned: u32,
    /// Of those signed in and joined.
    pub staffed: u32,
    /// Of those available and without a call.
    pub idle: u32,
    /// Of those unavailable.
    pub unavailable: u32,
}
