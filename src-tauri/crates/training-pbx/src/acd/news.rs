//! What comes into the call centre and what goes out of it: facts, requests, commands, events. Values only.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::{Night, QueueConfig, Treatment};
use super::model::{
    AgentId, AgentState, AgentStatus, Caller, JoinInfo, Monitoring, Priority, QueueEntry, QueueId,
    Redirection,
};
use crate::pbx::CallNumber;

/// A fact that the exchange tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A call comes for a queue.
    Entered(Box<Arrival>),
    /// The caller hung up: while waiting, or while with an agent.
    CallerGone {
        /// The call.
        call: CallNumber,
    },
    /// The caller pressed a key.
    Digit {
        /// The call.
        call: CallNumber,
        /// The key.
        digit: char,
    },
    /// An agent answered.
    Answered {
        /// The call.
        call: CallNumber,
        /// Who.
        agent: AgentId,
    },
    /// An agent's phone does not take the call: it is busy, declined, or cannot be reached.
    Refused {
        /// The call.
        call: CallNumber,
        /// Who.
        agent: AgentId,
    },
    /// The conversation with the agent is over, or the agent has left it by sending the caller on.
    Finished {
        /// The call.
        call: CallNumber,
    },
    /// An agent's line is in another state.
    Line {
        /// Who.
        agent: AgentId,
        /// Whether a phone is registered.
        reachable: bool,
        /// Calls that come from no queue.
        personal_calls: u32,
    },
    /// An agent's do-not-disturb.
    DoNotDisturb {
        /// Who.
        agent: AgentId,
        /// On or off.
        on: bool,
    },
}

/// A call that comes for a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The call.
    pub call: CallNumber,
    /// The queue.
    pub queue: QueueId,
    /// Who calls.
    pub caller: Caller,
    /// Its priority; the queue's if left out.
    pub priority: Option<Priority>,
    /// To the front of the queue.
    pub to_front: bool,
    /// Who sent it here, latest first.
    pub redirections: Vec<Redirection>,
    /// How long the caller has waited in other queues.
    pub waited_before: Duration,
}

impl Arrival {
    /// A plain call.
    pub fn new(call: CallNumber, queue: QueueId, caller: Caller) -> Self {
        Self {
            call,
            queue,
            caller,
            priority: None,
            to_front: false,
            redirections: Vec::new(),
            waited_before: Duration::ZERO,
        }
    }
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cmd")]
pub enum Request {
    /// Sets an agent's state.
    #[serde(rename = "agent.state")]
    SetState {
        /// Who.
        agent: AgentId,
        /// The state.
        state: AgentState,
        /// Why, for [`AgentState::Unavailable`].
        #[serde(default)]
        code: Option<String>,
        /// Refuse signing out where the agent is the last one.
        #[serde(default)]
        validate: bool,
    },
    /// Joins or leaves a queue.
    #[serde(rename = "agent.join")]
    Join {
        /// Who.
        agent: AgentId,
        /// The queue.
        queue: QueueId,
        /// Join or leave.
        joined: bool,
    },
    /// Lets a wrap-up last longer.
    #[serde(rename = "agent.extend")]
    ExtendWrapUp {
        /// Who.
        agent: AgentId,
        /// By so many seconds, at most an hour.
        by_s: u64,
    },
    /// Says what a call was about.
    #[serde(rename = "agent.disposition")]
    Disposition {
        /// Who.
        agent: AgentId,
        /// The call; the agent's last one if left out.
        #[serde(default)]
        call: Option<CallNumber>,
        /// The code.
        code: String,
    },
    /// Moves a waiting call within priority 0.
    #[serde(rename = "queue.reorder")]
    Reorder {
        /// The call.
        call: CallNumber,
        /// Where to; 0 is next.
        index: usize,
    },
    /// Gives a waiting call a higher priority.
    #[serde(rename = "queue.promote")]
    Promote {
        /// The call.
        call: CallNumber,
        /// The priority.
        priority: Priority,
    },
    /// Sends a waiting call elsewhere.
    #[serde(rename = "queue.transfer")]
    Transfer {
        /// The call.
        call: CallNumber,
        /// The number.
        to: String,
    },
    /// Ends a waiting call.
    #[serde(rename = "queue.release")]
    Release {
        /// The call.
        call: CallNumber,
    },
    /// Night service by hand, or not.
    #[serde(rename = "queue.night")]
    Night {
        /// The queue.
        queue: QueueId,
        /// On, off, automatic.
        mode: Night,
        /// What is done with calls; as it was if left out.
        #[serde(default)]
        action: Option<Treatment>,
    },
    /// Forced forwarding.
    #[serde(rename = "queue.forward")]
    ForcedForwarding {
        /// The queue.
        queue: QueueId,
        /// On or off.
        active: bool,
        /// Where to; as it was if left out.
        #[serde(default)]
        to: Option<String>,
    },
    /// Replaces the set-up of a queue, its number and members aside.
    #[serde(rename = "queue.configure")]
    Configure {
        /// The set-up; `id` names the queue.
        config: Box<QueueConfig>,
    },
}

/// What a request brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It is done.
    Done,
    /// The call's position is this now, from 1.
    Position(usize),
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such agent.
    #[error("there is no agent {0}")]
    UnknownAgent(AgentId),
    /// No such queue.
    #[error("there is no queue {0}")]
    UnknownQueue(QueueId),
    /// The agent does not belong to the queue.
    #[error("{0} is no agent of queue {1}")]
    NotAMember(AgentId, QueueId),
    /// The agent may not leave the queue.
    #[error("{0} may not leave queue {1}")]
    MayNotLeave(AgentId, QueueId),
    /// The call does not wait.
    #[error("call {} does not wait in a queue", .0.0)]
    NotWaiting(CallNumber),
    /// A state that cannot be asked for.
    #[error("this state cannot be asked for")]
    NoSuchState,
    /// A code is needed, or the given one does not exist.
    #[error("the code {0:?} cannot be used")]
    BadCode(Option<String>),
    /// The agent is the last one in these queues.
    #[error("{agent} is the last agent of {}", queues.iter().map(|q| q.0.as_str()).collect::<Vec<_>>().join(", "))]
    LastAgent {
        /// Who.
        agent: AgentId,
        /// Where.
        queues: Vec<QueueId>,
    },
    /// The agent is not wrapping up.
    #[error("{0} is not wrapping up")]
    NotWrappingUp(AgentId),
    /// The agent has yet to say what came of a call.
    #[error("{0} has to give the outcome of a call first")]
    OutcomeNeeded(AgentId),
    /// The agent had no call of a queue.
    #[error("{0} has had no such call")]
    NoCall(AgentId),
    /// Only calls of priority 0 that did not bounce and have heard the entrance message can be moved.
    #[error("this call cannot be moved")]
    CannotMove,
    /// Only upwards.
    #[error("a call can only be promoted to a higher priority")]
    NotHigher,
    /// The queue is of a kind that cannot do it.
    #[error("queue {0} cannot do this")]
    NotOffered(QueueId),
    /// A number that cannot be dialled.
    #[error("{0:?} is not a number that can be dialled")]
    BadNumber(String),
    /// A value out of its range.
    #[error("{0}")]
    BadValue(&'static str),
}

/// What the exchange is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ring an agent for a call.
    Offer {
        /// The call.
        call: CallNumber,
        /// Who.
        agent: AgentId,
        /// The queue it comes from.
        queue: QueueId,
    },
    /// Stop ringing an agent.
    Stop {
        /// The call.
        call: CallNumber,
        /// Who.
        agent: AgentId,
        /// Somebody else answered.
        elsewhere: bool,
    },
    /// The caller hears this from now on.
    Play {
        /// The call.
        call: CallNumber,
        /// What.
        sound: Sound,
    },
    /// The caller leaves the queue and goes to this number.
    SendTo {
        /// The call.
        call: CallNumber,
        /// The number.
        to: String,
        /// The queue it leaves.
        queue: QueueId,
        /// Why, in the words of RFC 5806.
        reason: &'static str,
    },
    /// The caller hears the busy tone, and that was it.
    Refuse {
        /// The call.
        call: CallNumber,
    },
    /// The caller hears ringing until hanging up.
    Ring {
        /// The call.
        call: CallNumber,
    },
    /// End the call.
    Release {
        /// The call.
        call: CallNumber,
    },
}

/// What somebody who waits hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    /// Music until something else comes.
    Music,
    /// A stored message; the call centre asks for the music again when it is over.
    Message(String),
    /// How long it is likely to take.
    Wait {
        /// Position in the queue, from 1.
        position: usize,
        /// Minutes.
        minutes: u32,
    },
}

/// Something that happened, for those who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcdEvent {
    /// When.
    pub at: Instant,
    /// What.
    pub news: News,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something with a call in a queue.
    Queue(QueueNews, Box<QueueEntry>),
    /// A call was turned away before it entered a queue.
    TurnedAway(Box<TurnedAway>),
    /// The treatment of a call that had left its queue is over.
    TreatmentCompleted {
        /// What the treatment was for.
        why: Left,
        /// The entry as it was.
        entry: Box<QueueEntry>,
    },
    /// An agent is in another state, or in the same with another severity.
    AgentState {
        /// Who.
        agent: AgentId,
        /// The state.
        status: Box<AgentStatus>,
    },
    /// An agent joined or left a queue, or has another skill level.
    AgentJoin {
        /// Who.
        agent: AgentId,
        /// Which queue.
        join: JoinInfo,
    },
    /// A code was added to a call.
    Disposition {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallNumber,
        /// The queue it came from.
        queue: QueueId,
        /// The code.
        code: String,
    },
    /// An agent has been on a call, or idle, for too long.
    AgentAlert {
        /// Who.
        agent: AgentId,
        /// On a call; idle otherwise.
        on_call: bool,
        /// Since when.
        since: Instant,
    },
    /// A call that an agent had answered is over for the agent.
    ConversationEnded {
        /// Who.
        agent: AgentId,
        /// The entry as it was answered.
        entry: Box<QueueEntry>,
        /// How long they talked.
        talked: Duration,
    },
    /// The measures of a queue.
    Monitoring {
        /// The queue.
        queue: QueueId,
        /// The measures.
        monitoring: Box<Monitoring>,
    },
    /// Night service began or ended, or was forced.
    NightService {
        /// The queue.
        queue: QueueId,
        /// On now.
        active: bool,
        /// By hand.
        forced: bool,
    },
    /// A holiday began or ended.
    HolidayService {
        /// The queue.
        queue: QueueId,
        /// On now.
        active: bool,
    },
    /// Forced forwarding began or ended.
    ForcedForwarding {
        /// The queue.
        queue: QueueId,
        /// On now.
        active: bool,
    },
    /// A queue was set up anew.
    Configured {
        /// The queue.
        queue: QueueId,
    },
}

/// What happened with a call in a queue. [`Self::is_end`]: it is not in the queue any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueNews {
    /// It entered, at this position.
    Added {
        /// From 1.
        position: usize,
        /// Who sent it here.
        redirections: Vec<Redirection>,
    },
    /// An agent is rung.
    OfferedToAgent(AgentId),
    /// An agent did not take it; it is at this position now.
    Bounced {
        /// Who.
        agent: AgentId,
        /// From 1.
        position: usize,
    },
    /// An agent has it.
    AnsweredByAgent(AgentId),
    /// The caller hung up.
    Abandoned {
        /// While the entrance message played.
        entrance_playing: bool,
    },
    /// Somebody ended it.
    Released,
    /// Somebody sent it elsewhere.
    Transferred {
        /// Where to.
        to: String,
    },
    /// It could not stay.
    Overflowed {
        /// The wait was too long; the queue was full otherwise.
        time: bool,
        /// What is done with it.
        treatment: Treatment,
    },
    /// Nobody is there.
    Stranded {
        /// All agents are unavailable; the last one signed out otherwise.
        unavailable: bool,
        /// What is done with it.
        treatment: Treatment,
    },
    /// The caller chose to leave.
    Escaped {
        /// Where to.
        to: String,
    },
    /// It was moved to this position.
    Reordered {
        /// From 1.
        position: usize,
    },
    /// It has a higher priority and this position.
    Promoted {
        /// From 1.
        position: usize,
    },
    /// Who waits is somebody else, or has another name.
    Updated,
}

impl QueueNews {
    /// Whether the call has left the queue by it.
    pub const fn is_end(&self) -> bool {
        match self {
            Self::AnsweredByAgent(_)
            | Self::Abandoned { .. }
            | Self::Released
            | Self::Transferred { .. }
            | Self::Overflowed { .. }
            | Self::Stranded { .. }
            | Self::Escaped { .. } => true,
            Self::Added { .. }
            | Self::OfferedToAgent(_)
            | Self::Bounced { .. }
            | Self::Reordered { .. }
            | Self::Promoted { .. }
            | Self::Updated => false,
        }
    }
}

/// Why a call has left a queue with a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Overflow by size.
    OverflowSize,
    /// Overflow by time.
    OverflowTime,
    /// The last agent signed out.
    Stranded,
    /// All agents are unavailable.
    StrandedUnavailable,
    /// Night service.
    Night,
    /// Holiday service.
    Holiday,
}

/// Why a call was turned away before it entered a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policed {
    /// Forced forwarding.
    Forwarded,
    /// Night service.
    Night,
    /// Holiday service.
    Holiday,
}

/// A call that was turned away before it entered a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedAway {
    /// The call.
    pub call: CallNumber,
    /// The queue.
    pub queue: QueueId,
    /// Who called.
    pub caller: Caller,
    /// Why.
    pub why: Policed,
    /// What is done with it.
    pub treatment: Treatment,
}

/// What comes out of the call centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// For the exchange.
    Command(Command),
    /// For those who watch.
    Event(AcdEvent),
}
