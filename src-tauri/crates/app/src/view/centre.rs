//! The call centre of one account as a front end shows it: the agent's own bar, what is asked of the user,
//! what the account may do, how the view of the exchange stands.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::PeerView;
use super::service::{EmergencyView, FactView, HuntGroupView, NightView, ServiceName, ServiceView};
use crate::code::Code;

/// The exchange of one account: everything but its queues, which come by themselves as
/// [`super::queue::QueueView`]s.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct CentreView {
    /// Account id.
    pub account: String,
    /// Name of the account, for people.
    pub account_name: String,
    /// The user's own name at the exchange; empty until it is told.
    pub me: String,
    /// How the view of the exchange stands.
    pub link: LinkView,
    /// The own agent; null: the user is none.
    pub agent: Option<AgentBarView>,
    /// Ids of the queues in the order in which they are shown: own ones first, then supervised ones, each by
    /// name.
    pub queues: Vec<String>,
    /// What the account may do.
    pub capabilities: Vec<CapabilityName>,
    /// What it may not do for want of a licence, where the exchange names it.
    pub missing: Vec<MissingView>,
    /// The user's services in the order in which they are shown. Those that the account does not have are
    /// not in here, or in `missing`.
    pub services: Vec<ServiceView>,
    /// Hunt groups of the user.
    pub hunt_groups: Vec<HuntGroupView>,
    /// What can only be read: schedules, blocks, names, menus.
    pub facts: Vec<FactView>,
    /// Night of the company, of the user and of queues; the first one is the lamp.
    pub nights: Vec<NightView>,
    /// Emergency forwarding of the main line and of queues, where the account may do it.
    pub emergency: Vec<EmergencyView>,
    /// Callers that gave up, newest first; those that were called back go last.
    pub abandoned: Vec<AbandonedView>,
    /// Calls that are over and want an outcome, oldest first.
    pub dispositions: Vec<DispositionView>,
    /// Calls that are parked at the user's own line or at one of his group, longest first.
    pub parked: Vec<ParkedView>,
    /// The mailbox at the exchange; null: none is told.
    pub messages: Option<MessagesView>,
    /// The guest at this telephone; null: none can sign in at it.
    pub seat: Option<GuestSeatView>,
    /// What the user must know; front ends have words for them.
    pub warnings: Vec<CentreWarning>,
    /// Counts the changes.
    pub version: u64,
}

/// How the view of the exchange stands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct LinkView {
    /// State.
    pub state: LinkName,
    /// Since when.
    pub since_ms: u64,
    /// Why the view is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<Code>,
    /// What the exchange or the system said of it, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
    /// When the next try is made, while lost.
    pub retry_at_ms: Option<u64>,
    /// Since when what is shown may be wrong; null: it is right as far as can be known.
    pub stale_since_ms: Option<u64>,
}

/// How the view of the exchange stands, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LinkName {
    /// The account has none.
    #[default]
    Absent,
    /// Signs in, or reads the state again.
    Connecting,
    /// Everything shown is so.
    Live,
    /// Read at intervals: up to half a minute old.
    Polling,
    /// Lost; tried again by itself.
    Lost,
    /// User name or password were refused: `account.password` or the settings help.
    Refused,
    /// The same user is signed in elsewhere with the same program.
    Elsewhere,
}

/// Something the user must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CentreWarning {
    /// The view of the exchange is lost; calls may go on.
    LinkLost,
    /// The exchange refuses user name or password.
    LinkRefused,
    /// Signed in elsewhere.
    LinkElsewhere,
    /// The exchange gives no events: what is shown is up to half a minute old.
    Delayed,
    /// Agent state at the exchange is not the wanted one.
    AgentDrift,
    /// A service at the exchange is not as it was set.
    ServiceDrift,
    /// Emergency forwarding is not in force though it was asked for.
    EmergencyFailed,
    /// Emergency forwarding is in force.
    EmergencyActive,
    /// Night is not as it was set.
    NightDrift,
    /// A call wants an outcome and none may be left out.
    DispositionNeeded,
    /// Do not disturb is on while the agent is available: queues pass him by.
    DoNotDisturbAvailable,
    /// All calls are forwarded while the agent is available.
    ForwardedAvailable,
}

/// State of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AgentStateName {
    /// Gets no calls and is not counted.
    SignedOut,
    /// Between signing in and the state that follows.
    SigningIn,
    /// Gets calls.
    Available,
    /// At work but gets no calls.
    Unavailable,
    /// Finishes the last call.
    WrapUp,
}

/// What an agent can ask for with `agent.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AgentWish {
    /// Sign in.
    SignIn,
    /// Get calls.
    Available,
    /// Get no calls.
    Unavailable,
    /// Finish a call.
    WrapUp,
    /// Sign out.
    SignOut,
}

/// The agent's own bar.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct AgentBarView {
    /// State as the exchange told it last; null: not yet.
    pub state: Option<AgentStateName>,
    /// Code of the reason, empty when there is none.
    pub reason: String,
    /// The reason in the exchange's words, empty when there are none.
    pub reason_text: String,
    /// Since when.
    pub since_ms: Option<u64>,
    /// When the agent signed in.
    pub signed_in_at_ms: Option<u64>,
    /// On a call now, where known.
    pub on_call: Option<bool>,
    /// A supervisor listens to the present call.
    pub monitored: bool,
    /// Why queues give no calls though the agent wants them, whether the exchange has taken him out for it or
    /// passes him by; null: they do, or he wants none.
    pub cause: Option<DriftCause>,
    /// What can be asked for now.
    pub allowed: Vec<AgentWish>,
    /// Reasons for being unavailable, in the exchange's order.
    pub reasons: Vec<CodeView>,
    /// A reason must be given.
    pub reason_forced: bool,
    /// The end of a call that is being finished.
    pub wrap_up: Option<WrapUpView>,
    /// Id of the [`DispositionView`] that must be answered before the agent can be available; null: none must.
    pub needs_outcome: Option<u64>,
    /// Own queues by name.
    pub queues: Vec<JoinView>,
    /// What was asked for and is not confirmed yet.
    pub pending: Option<AgentWishView>,
    /// The exchange has the agent in another state than he wants.
    pub drift: Option<AgentDriftView>,
    /// The last thing that was asked for and refused; goes with the next wish.
    pub refused: Option<RefusalView>,
}

/// A wrap-up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct WrapUpView {
    /// The queue, for people; empty when not told.
    pub queue: String,
    /// When it ends by itself; null: it does not, or nobody tells.
    pub until_ms: Option<u64>,
    /// The user has extended it.
    pub extended: bool,
    /// It can be extended (`agent.wrap_up.extend`).
    pub may_extend: bool,
    /// It lasts until the outcome of the call is given.
    pub held: bool,
}

/// The own place in a queue.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct JoinView {
    /// Queue id.
    pub queue: String,
    /// Its name.
    pub name: String,
    /// The exchange gives calls of it.
    pub joined: bool,
    /// Joining and leaving is allowed.
    pub may_leave: bool,
    /// Level of skill, 1 best.
    pub skill: Option<u32>,
    /// What was asked for and is not confirmed yet.
    pub pending: Option<bool>,
    /// What was asked for and is not so after all; null when it is.
    pub drift: Option<bool>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct AgentWishView {
    /// State.
    pub state: AgentStateName,
    /// Code of the reason; empty when none.
    pub reason: String,
    /// When it was asked for.
    pub since_ms: u64,
}

/// The difference between what the agent wants and what is so.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct AgentDriftView {
    /// What the agent wants.
    pub wanted: AgentStateName,
    /// Reason that goes with it.
    pub wanted_reason: String,
    /// What the exchange says.
    pub actual: AgentStateName,
    /// Reason that goes with it.
    pub actual_reason: String,
    /// What is behind it.
    pub cause: DriftCause,
    /// Since when it lasts.
    pub since_ms: u64,
}

/// What keeps an agent from getting calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DriftCause {
    /// Do not disturb is on.
    Dnd,
    /// All calls are forwarded.
    Forwarding,
    /// A call that came through no queue.
    PersonalCall,
    /// Too many calls were let ring.
    Bounces,
    /// A supervisor.
    Supervisor,
    /// Not known.
    Unknown,
}

/// Why something that was asked for did not happen.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct RefusalView {
    /// Stable word.
    pub code: Code,
    /// What the exchange said, for support.
    pub detail: Option<String>,
    /// With `last_staffed`: names of the queues that would be without agents.
    pub queues: Vec<String>,
    /// When.
    pub at_ms: u64,
}

/// A reason or outcome that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CodeView {
    /// What is sent.
    pub code: String,
    /// What people read: the exchange's words, or the code itself.
    pub text: String,
    /// Chosen when nothing is said.
    pub is_default: bool,
}

/// A call that is over, or about to be, and wants an outcome.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct DispositionView {
    /// Id for `disposition.set` and `disposition.skip`.
    pub id: u64,
    /// Id of the call in this program, when it was one of its calls.
    pub call: Option<u64>,
    /// Queue it came through.
    pub queue: String,
    /// Name of the queue.
    pub queue_name: String,
    /// Who it was.
    pub peer: PeerView,
    /// When the call ended.
    pub ended_ms: u64,
    /// What can be chosen.
    pub codes: Vec<CodeView>,
    /// One must be chosen: `disposition.skip` is refused.
    pub forced: bool,
    /// What was chosen and is not confirmed yet.
    pub pending: Option<String>,
    /// The exchange refused the last choice.
    pub refused: Option<RefusalView>,
}

/// A caller that gave up.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct AbandonedView {
    /// Id for `abandoned.done`.
    pub id: u64,
    /// Queue.
    pub queue: String,
    /// Name of the queue.
    pub queue_name: String,
    /// Who; the number is empty when it was withheld, and then he cannot be called back.
    pub peer: PeerView,
    /// When he began to wait.
    pub since_ms: u64,
    /// When he gave up.
    pub at_ms: u64,
    /// How often he tried and gave up.
    pub times: u32,
    /// Who called back: a name, or `null` while nobody has.
    pub called_back: Option<CalledBackView>,
}

/// Who called an abandoned caller back.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct CalledBackView {
    /// Who, for people; empty: the caller was helped when he called again.
    pub by: String,
    /// It was the user himself.
    pub me: bool,
    /// When.
    pub at_ms: u64,
    /// There was a conversation. False: it was tried.
    pub reached: bool,
}

/// A call that is parked.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct ParkedView {
    /// Where it is fetched: `slot` of `call.retrieve`.
    pub slot: String,
    /// Whose line that is; empty when not known.
    pub name: String,
    /// The user's own line.
    pub own: bool,
    /// Who is parked.
    pub peer: PeerView,
    /// Since when, as far as was seen.
    pub since_ms: u64,
}

/// The mailbox at the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
pub struct MessagesView {
    /// New messages.
    pub new: u32,
    /// Old messages.
    pub old: u32,
}

/// A telephone that guests can sign in at (hoteling).
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct GuestSeatView {
    /// Who has it; null: its owner. Calls from here are the guest's, and his calls ring here.
    pub guest: Option<PeerView>,
    /// Until when he has it, if the exchange tells that.
    pub until_ms: Option<u64>,
    /// Somebody is being signed in or out.
    pub busy: bool,
}

/// Something an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CapabilityName {
    /// State and queues of the own agent.
    Agent,
    /// Join and leave single queues.
    JoinQueues,
    /// See the callers of queues.
    QueueView,
    /// Move and take callers of queues.
    QueueControl,
    /// Set other agents' states.
    Supervise,
    /// Listen to a call of an agent.
    SilentMonitor,
    /// Speak to an agent during a call.
    Coach,
    /// Enter somebody's call.
    BargeIn,
    /// Give a call an outcome.
    Disposition,
    /// Ask a supervisor in.
    Escalate,
    /// Night and forwarding of queues.
    QueuePolicy,
    /// Control of the user's calls on any phone.
    CallControl,
    /// Conference in the exchange.
    Conference,
    /// Park and retrieve.
    Park,
    /// Take over a ringing call.
    Pickup,
    /// Take the call of another own telephone.
    PullCall,
    /// Be rung when somebody who was busy is free.
    RingBack,
    /// Call back whoever called last.
    CallReturn,
    /// Call again whom the user called last.
    Redial,
    /// Have the last call that came in traced.
    CallTrace,
    /// Recording in the exchange.
    Recording,
    /// Directories.
    Directory,
    /// Call log of the exchange.
    CallLog,
    /// The messages of the voicemail.
    VoiceMessages,
    /// Numbers that the user keeps at the exchange.
    PersonalNumbers,
    /// A service of the user: see `service` of [`MissingView`], or the services themselves.
    Service,
}

/// Something that a licence would bring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct MissingView {
    /// What.
    pub capability: CapabilityName,
    /// Which service, with `service`.
    pub service: Option<ServiceName>,
    /// Name of the licence, as the exchange calls it.
    pub licence: String,
}
