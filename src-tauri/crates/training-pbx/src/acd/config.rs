//! How queues and agents are set up. Values only; read from the company file and the control port.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{AgentId, AgentState, Priority, QueueId};
use super::schedule::Schedule;

/// What kind of queue it is: decides what it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The least.
    Basic,
    /// More.
    Standard,
    /// Everything: priorities, promote, codes, night service.
    #[default]
    Premium,
}

/// Whom a call is offered to, of those who could take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// In the order of the list, from after the last one on.
    Circular,
    /// In the order of the list, from the top.
    Regular,
    /// All at once.
    Simultaneous,
    /// Who has been idle longest.
    #[default]
    Uniform,
    /// By chance, in proportion to the weights.
    Weighted,
}

/// What is done with a call that cannot stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// It stays.
    #[default]
    Leave,
    /// Busy tone.
    Busy,
    /// It goes to this number.
    Transfer(String),
    /// It rings on until the caller hangs up.
    Ring,
}

/// An announcement to those who wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Its name among the stored ones.
    pub clip: String,
    /// How long it is, milliseconds.
    pub length_ms: u64,
}

/// What a caller hears first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    /// The message.
    pub message: Announcement,
    /// Nobody is rung before it is over.
    #[serde(default)]
    pub mandatory: bool,
}

/// What a caller hears again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comfort {
    /// The messages, in turn.
    pub messages: Vec<Announcement>,
    /// Seconds between them, 10 to 600.
    pub every_s: u64,
}

/// The expected wait is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitMessage {
    /// Seconds between two times, 10 to 600.
    pub every_s: u64,
    /// The minutes that a call takes when none has been measured.
    pub usual_call_minutes: u32,
    /// The longest wait that is announced, minutes.
    pub longest_minutes: u32,
}

/// Seconds after which a call gets the next higher priority; never if left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PromoteAfter {
    /// From 1 to 0.
    pub high: Option<u64>,
    /// From 2 to 1.
    pub medium: Option<u64>,
    /// From 3 to 2.
    pub low: Option<u64>,
}

/// Thresholds of one measure, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Threshold {
    /// From here on yellow.
    #[serde(default)]
    pub yellow: Option<u32>,
    /// From here on red.
    #[serde(default)]
    pub red: Option<u32>,
}

/// Thresholds of a queue's measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueThresholds {
    /// Seconds.
    pub average_handling_time: Threshold,
    /// Seconds.
    pub expected_wait: Threshold,
    /// Seconds.
    pub average_speed_of_answer: Threshold,
    /// Seconds.
    pub longest_wait: Threshold,
    /// Calls.
    pub calls: Threshold,
}

/// What an agent does after a call of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostCall {
    /// [`AgentState::Available`], [`AgentState::Unavailable`] or [`AgentState::WrapUp`].
    pub state: AgentState,
    /// The code, for [`AgentState::Unavailable`].
    #[serde(default)]
    pub code: Option<String>,
    /// How long a wrap-up lasts, seconds; until the agent ends it if left out.
    #[serde(default)]
    pub wrap_up_s: Option<u64>,
    /// In which state a wrap-up ends by itself: available, or unavailable.
    #[serde(default = "available")]
    pub then: AgentState,
}

fn available() -> AgentState {
    AgentState::Available
}

impl Default for PostCall {
    fn default() -> Self {
        Self { state: AgentState::WrapUp, code: None, wrap_up_s: Some(20), then: available() }
    }
}

/// Whether night service is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Night {
    /// Never.
    Off,
    /// Now, by hand.
    On,
    /// Outside the business hours.
    #[default]
    Automatic,
}

/// Night service of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NightService {
    /// When it is on.
    pub mode: Night,
    /// The business hours; always open if left out.
    pub business_hours: Option<Schedule>,
    /// What is done with calls.
    pub action: Treatment,
}

/// Holiday service of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HolidayService {
    /// Holidays, as days since 1970-01-01.
    pub days: Vec<i64>,
    /// What is done with calls.
    pub action: Treatment,
}

/// Forced forwarding of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ForcedForwarding {
    /// Whether it is on.
    pub active: bool,
    /// Where to.
    pub to: String,
}

/// Who decided on a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The enterprise.
    #[default]
    Enterprise,
    /// The group.
    Group,
    /// The queue.
    Queue,
}

/// A disposition code or an unavailable code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// One to ten characters.
    pub code: String,
    /// What it means.
    pub description: String,
    /// Whether it can be chosen.
    #[serde(default = "yes")]
    pub active: bool,
    /// Taken when nothing is chosen.
    #[serde(default)]
    pub default: bool,
    /// Whose it is.
    #[serde(default)]
    pub level: Level,
}

fn yes() -> bool {
    true
}

/// The enterprise's codes for [`AgentState::Unavailable`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UnavailableCodes {
    /// Whether codes are in use.
    pub enabled: bool,
    /// One must be given.
    pub forced: bool,
    /// The codes.
    pub codes: Vec<Code>,
    /// With do-not-disturb.
    pub on_do_not_disturb: Option<String>,
    /// With a personal call.
    pub on_personal_call: Option<String>,
    /// After too many bounces.
    pub on_bounces: Option<String>,
}

impl UnavailableCodes {
    /// The code that is taken when none is chosen.
    pub fn default_code(&self) -> Option<&str> {
        let code = self.codes.iter().find(|code| code.default && code.active)?;
        self.enabled.then_some(code.code.as_str())
    }
}

/// The disposition codes of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DispositionCodes {
    /// Whether codes are in use.
    pub enabled: bool,
    /// Whether those of the organisation belong to them.
    pub with_organization: bool,
    /// One must be given.
    pub forced: bool,
    /// The codes.
    pub codes: Vec<Code>,
}

/// An agent's place in a queue as it is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub agent: AgentId,
    /// Takes calls of this queue from the start.
    #[serde(default = "yes")]
    pub joined: bool,
    /// Level for skill-based routing, 1 (best) to 20.
    #[serde(default = "best")]
    pub skill: u8,
    /// Share for [`Policy::Weighted`], percent.
    #[serde(default)]
    pub weight: u8,
    /// May leave the queue.
    #[serde(default = "yes")]
    pub may_leave: bool,
}

fn best() -> u8 {
    1
}

impl Member {
    /// A joined agent.
    pub fn new(agent: impl Into<String>) -> Self {
        let agent = AgentId(agent.into());
        Self { agent, joined: true, skill: 1, weight: 0, may_leave: true }
    }
}

/// How a queue is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueConfig {
    /// Its number.
    pub id: QueueId,
    /// Its name.
    pub name: String,
    /// Its number outside, international form; empty if there is none.
    pub number: String,
    /// Its kind.
    pub kind: Kind,
    /// Whom a call is offered to.
    pub policy: Policy,
    /// Agents are tried by skill, the policy decides among equals.
    pub skill_based: bool,
    /// Its agents, in order.
    pub members: Vec<Member>,
    /// Who may watch it.
    pub supervisors: Vec<AgentId>,
    /// Most calls that wait, 0 to 525.
    pub length: u32,
    /// Priority of new calls.
    pub priority: Priority,
    /// When calls get the next higher priority by themselves.
    pub promote_after_s: PromoteAfter,
    /// What is done when the queue is full.
    pub overflow_size: Treatment,
    /// What is done when the wait is too long.
    pub overflow_time: Treatment,
    /// That wait, seconds.
    pub overflow_after_s: Option<u64>,
    /// What is done when the last agent has signed out.
    pub stranded: Treatment,
    /// What is done when all agents are unavailable.
    pub stranded_unavailable: Treatment,
    /// A call bounces after so many rings, 1 to 20; never if left out.
    pub bounce_rings: Option<u32>,
    /// Length of a ring with its pause, milliseconds.
    pub ring_ms: u64,
    /// A call bounces when its agent becomes unavailable.
    pub bounce_on_unavailable: bool,
    /// The digit that leaves the queue.
    pub escape_digit: Option<char>,
    /// Where it leads.
    pub escape_to: String,
    /// Agents may leave the queue.
    pub allow_leave: bool,
    /// Agents are offered a call while they have another.
    pub allow_call_waiting: bool,
    /// Agents in wrap-up are offered calls.
    pub allow_calls_in_wrap_up: bool,
    /// What an agent does after a call; stays as it is if left out.
    pub post_call: Option<PostCall>,
    /// What a caller hears first.
    pub entrance: Option<Entrance>,
    /// What a caller hears while waiting.
    pub comfort: Option<Comfort>,
    /// The expected wait is announced.
    pub wait_message: Option<WaitMessage>,
    /// Answered within so many seconds is in time.
    pub service_level_s: u64,
    /// Thresholds.
    pub thresholds: QueueThresholds,
    /// Night service.
    pub night: NightService,
    /// Holiday service.
    pub holiday: HolidayService,
    /// Forced forwarding.
    pub forced_forwarding: ForcedForwarding,
    /// Disposition codes.
    pub dispositions: DispositionCodes,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            id: QueueId(String::new()),
            name: String::new(),
            number: String::new(),
            kind: Kind::default(),
            policy: Policy::default(),
            skill_based: false,
            members: Vec::new(),
            supervisors: Vec::new(),
            length: 25,
            priority: Priority::default(),
            promote_after_s: PromoteAfter::default(),
            overflow_size: Treatment::Busy,
            overflow_time: Treatment::Leave,
            overflow_after_s: None,
            stranded: Treatment::Leave,
            stranded_unavailable: Treatment::Leave,
            bounce_rings: Some(3),
            ring_ms: 5_000,
            bounce_on_unavailable: true,
            escape_digit: None,
            escape_to: String::new(),
            allow_leave: true,
            allow_call_waiting: false,
            allow_calls_in_wrap_up: false,
            post_call: Some(PostCall::default()),
            entrance: None,
            comfort: None,
            wait_message: None,
            service_level_s: 20,
            thresholds: QueueThresholds::default(),
            night: NightService::default(),
            holiday: HolidayService::default(),
            forced_forwarding: ForcedForwarding::default(),
            dispositions: DispositionCodes::default(),
        }
    }
}

/// How long an agent may do something before it is yellow or red, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentThresholds {
    /// Available without a call.
    pub idle: Threshold,
    /// On a call of a queue.
    pub on_call: Threshold,
    /// Unavailable.
    pub unavailable: Threshold,
    /// Wrapping up.
    pub wrap_up: Threshold,
}

/// How an agent is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentConfig {
    /// Who.
    pub id: AgentId,
    /// The state at the start.
    pub starts: AgentState,
    /// The state that signing in ends in: available or unavailable.
    pub after_sign_in: AgentState,
    /// A pause after each call, seconds, 1 to 25; none if left out.
    pub guard_s: Option<u64>,
    /// Do-not-disturb makes unavailable.
    pub unavailable_on_do_not_disturb: bool,
    /// A personal call makes unavailable until it is over.
    pub unavailable_on_personal_call: bool,
    /// So many bounces in a row make unavailable, 1 to 5; never if left out.
    pub bounce_limit: Option<u32>,
    /// Outgoing calls show the number of a queue.
    pub calls_as_queue: Option<QueueId>,
    /// Thresholds.
    pub thresholds: AgentThresholds,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            id: AgentId(String::new()),
            starts: AgentState::SignOut,
            after_sign_in: AgentState::Available,
            guard_s: None,
            unavailable_on_do_not_disturb: true,
            unavailable_on_personal_call: false,
            bounce_limit: None,
            calls_as_queue: None,
            thresholds: AgentThresholds::default(),
        }
    }
}

/// The whole call centre.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallCentre {
    /// Queues.
    #[serde(rename = "queue")]
    pub queues: Vec<QueueConfig>,
    /// Agents; those named in queues only are set up by default.
    #[serde(rename = "agent")]
    pub agents: Vec<AgentConfig>,
    /// Codes for unavailable agents.
    pub unavailable_codes: UnavailableCodes,
    /// Disposition codes of the organisation.
    pub dispositions: Vec<Code>,
}

impl CallCentre {
    /// The set-up of all agents, also of those that only a queue names.
    pub(crate) fn all_agents(&self) -> BTreeMap<AgentId, AgentConfig> {
        let named = self.queues.iter().flat_map(|queue| &queue.members);
        let mut agents: BTreeMap<AgentId, AgentConfig> = named
            .map(|member| {
                let id = member.agent.clone();
                (id.clone(), AgentConfig { id, ..AgentConfig::default() })
            })
            .collect();
        agents.extend(self.agents.iter().map(|agent| (agent.id.clone(), agent.clone())));
        agents
    }
}
