//! Queues as a front end shows them: callers, figures, agents.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::PeerView;
use super::centre::AgentStateName;
use super::service::NightChoice;

/// A queue.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct QueueView {
    /// Account it is seen with.
    pub account: String,
    /// Id for commands.
    pub queue: String,
    /// Name for people; never empty.
    pub name: String,
    /// Number; empty when not told.
    pub number: String,
    /// The user supervises it.
    pub supervised: bool,
    /// The user takes its calls; null: he is no agent of it.
    pub joined: Option<bool>,
    /// The callers are told. False: only figures may be known, and `entries` says nothing.
    pub known: bool,
    /// Callers, next one first.
    pub entries: Vec<QueueEntryView>,
    /// Since when the one who waits longest waits.
    pub longest_since_ms: Option<u64>,
    /// Figures that are known, in the order in which they are shown.
    pub measures: Vec<MeasureView>,
    /// The worst of their severities.
    pub severity: SeverityName,
    /// Thresholds that the user has set for this queue.
    pub thresholds: Vec<ThresholdView>,
    /// Night is in force.
    pub night: Option<bool>,
    /// How night is decided.
    pub night_choice: Option<NightChoice>,
    /// A holiday is in force.
    pub holiday: Option<bool>,
    /// Every caller goes to this number; null: none does, or it is not told.
    pub forwarded_to: Option<String>,
    /// Agents as far as they are told: those who talk, then free ones, then the others, each by name.
    pub agents: Vec<AgentView>,
    /// Counts the changes.
    pub version: u64,
    /// Since when this may be wrong; null: it is right as far as can be known.
    pub stale_since_ms: Option<u64>,
    /// The queue is seen no longer.
    pub gone: bool,
}

/// A caller in a queue.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct QueueEntryView {
    /// Id for commands.
    pub call: String,
    /// Place, from 1.
    pub position: u32,
    /// Who waits.
    pub peer: PeerView,
    /// Since when.
    pub since_ms: u64,
    /// How soon the turn comes, where the exchange has priorities.
    pub priority: Option<PriorityName>,
    /// How it stands.
    pub state: EntryStateName,
    /// The agent at whom it rings, for people.
    pub agent: Option<String>,
    /// An agent let it ring and it came back.
    pub bounced: bool,
    /// Somebody moved it.
    pub reordered: bool,
    /// Hears the entrance message.
    pub entrance: bool,
    /// What the user may do with it.
    pub actions: Vec<EntryAction>,
    /// A command about it is under way.
    pub pending: bool,
}

/// How a caller in a queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EntryStateName {
    /// Waits.
    Queued,
    /// Rings at an agent.
    Offered,
    /// The agent hears which queue it is.
    Whisper,
}

/// How soon a caller's turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PriorityName {
    /// First of all.
    Highest,
    /// Before medium.
    High,
    /// Before low.
    Medium,
    /// Last.
    Low,
}

/// What can be done with a caller in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EntryAction {
    /// Take him (`queue.move` without a target).
    Take,
    /// Send him elsewhere (`queue.move`).
    Move,
    /// Give him another place (`queue.reorder`).
    Reorder,
    /// Give him a higher priority (`queue.promote`).
    Promote,
    /// End his call (`queue.release`).
    Release,
}

/// Which figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MeasureName {
    /// Callers that wait.
    Waiting,
    /// Wait of the one who waits longest, seconds; counts on by itself from `longest_since_ms`.
    LongestWait,
    /// Expected wait of the next caller, seconds.
    ExpectedWait,
    /// Average time until answer, seconds.
    AverageAnswer,
    /// Average length of a call and its wrap-up, seconds.
    AverageHandling,
    /// Callers answered within the target time, percent.
    ServiceLevel,
    /// Calls answered.
    Answered,
    /// Calls given up.
    Abandoned,
    /// Agents that belong to the queue.
    AgentsAssigned,
    /// Agents that are signed in and joined.
    AgentsStaffed,
    /// Of those, who wait for a call.
    AgentsIdle,
    /// Of those, who talk.
    AgentsBusy,
    /// Of those, who take no calls.
    AgentsUnavailable,
}

/// A figure and how bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct MeasureView {
    /// Which.
    pub measure: MeasureName,
    /// The figure.
    pub value: u32,
    /// How bad it is, by the user's thresholds where he has set some, else by the exchange's.
    pub severity: SeverityName,
}

/// How bad a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SeverityName {
    /// Good, or nobody judges.
    #[default]
    Normal,
    /// Over the yellow threshold.
    Yellow,
    /// Over the red threshold.
    Red,
}

/// Thresholds of a figure. Of service level and idle agents less is worse, of all others more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ThresholdView {
    /// Which figure.
    pub measure: MeasureName,
    /// From here on it is yellow; null: never.
    #[serde(default)]
    pub yellow: Option<u32>,
    /// From here on it is red; null: never.
    #[serde(default)]
    pub red: Option<u32>,
}

/// An agent of a queue.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct AgentView {
    /// Account he is seen with.
    pub account: String,
    /// Id for commands.
    pub agent: String,
    /// Name for people; never empty.
    pub name: String,
    /// Number; empty when not told.
    pub number: String,
    /// State as the exchange told it last; null: not yet.
    pub state: Option<AgentStateName>,
    /// Code of the reason; empty when none.
    pub reason: String,
    /// The reason in words; empty when none.
    pub reason_text: String,
    /// Since when.
    pub since_ms: Option<u64>,
    /// Talks, where known.
    pub on_call: Option<bool>,
    /// Takes calls of this queue while available; null: not told.
    pub joined: Option<bool>,
    /// Level of skill, 1 best.
    pub skill: Option<u32>,
    /// The user himself.
    pub me: bool,
    /// What the user may do.
    pub actions: Vec<AgentAction>,
    /// A command about him is under way.
    pub pending: bool,
}

/// What can be done about an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AgentAction {
    /// Change his state (`agent.state` with `agent`).
    SetState,
    /// Take him into or out of the queue (`queue.join`, `queue.leave` with `agent`).
    Join,
    /// Listen in (`supervise`).
    Listen,
    /// Speak to him alone (`supervise`).
    Coach,
    /// Enter his call (`supervise`).
    BargeIn,
    /// Call him.
    Call,
}

/// The queue that a call came through, shown until the call ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CallQueueView {
    /// Queue id; empty when only its name is known.
    pub queue: String,
    /// Name for people.
    pub name: String,
    /// How long the caller waited there, seconds, where known.
    pub waited: Option<u32>,
    /// How soon his turn was to come, where the exchange has priorities and told.
    pub priority: Option<PriorityName>,
    /// Digits that he entered on the way, where told.
    pub digits: Option<String>,
    /// A supervisor listens.
    pub monitored: bool,
    /// A supervisor can be asked in (`escalate`).
    pub may_escalate: bool,
    /// Outcomes that can be given already (`disposition.set` with `call`).
    pub codes: Vec<super::centre::CodeView>,
    /// What was given.
    pub disposition: Option<String>,
}
