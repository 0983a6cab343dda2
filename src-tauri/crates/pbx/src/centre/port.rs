//! What goes between the model and a binding.

use super::model::{
    AgentStatus, Cause, Code, DirectoryEntry, EntryEnd, ExchangeCall, LogEntry, Measures,
    Membership, NightOverride, Party, PersonalNumber, Priority, QueueEntry, QueueId, QueuePolicy,
    QueuedCallId, UserId, VoiceMessage,
};
use super::service::{Fact, GreetingKind, HuntGroup, Recorded, Service, ServiceKind};

/// How the view of the exchange stands. Calls may go on while it is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// No binding is set up.
    #[default]
    Absent,
    /// Signs in, or reads the state again.
    Connecting,
    /// Everything told is so.
    Live,
    /// Reads at intervals, because the exchange gives no events: up to half a minute old.
    Polling,
    /// The connection is gone; tried again by itself. What is shown may be wrong.
    Lost,
    /// User name or password were refused; not tried again until they change.
    Refused,
    /// The same user is signed in with the same program elsewhere; not tried again by itself.
    Elsewhere,
}

/// Why the view of the exchange is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkFault {
    /// User name or password were refused.
    Credentials,
    /// The exchange knows the user and lets him do nothing: locked, expired, not subscribed to.
    Forbidden,
    /// Its name leads nowhere.
    Name,
    /// Nobody listens there, or the network says no.
    Unreachable,
    /// It did not prove who it is.
    Untrusted,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Broken,
    /// It has too much to do.
    Overloaded,
    /// What answers is no such exchange, or speaks so that it cannot be understood.
    Answer,
}

/// What the user is to a queue or to the centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Takes calls.
    Agent,
    /// Watches over agents.
    Supervisor,
}

/// Something the account may do. What is not told as present is not offered; `Input::Capabilities` names
/// the licence where one is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
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
    /// Take the call of another own phone.
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
    /// The messages of the user's voicemail.
    VoiceMessages,
    /// Numbers that the user keeps at the exchange.
    PersonalNumbers,
    /// A service of the user.
    Service(ServiceKind),
}

/// What happened to one caller of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueChange {
    /// He is in the queue as told now: new, offered, bounced, moved or updated. `position` counts from 1;
    /// `None`: where he was, the end for a new one.
    Entry {
        /// As he stands now.
        entry: QueueEntry,
        /// Where.
        position: Option<u32>,
    },
    /// He has left.
    Left {
        /// The call.
        call: QueuedCallId,
        /// How.
        end: EntryEnd,
        /// When.
        at: Option<u64>,
    },
}

/// What the exchange told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The view of the exchange changed.
    Link(LinkState),
    /// Why the view is not there, after the link's state was told. Holds until it is there again or another
    /// reason is told.
    LinkFault {
        /// Why.
        fault: LinkFault,
        /// In the words of the exchange or of the adapter, for support; may be empty.
        detail: String,
    },
    /// With [`LinkState::Lost`]: when the next try is made, milliseconds since the Unix epoch.
    RetryAt(u64),
    /// Who the user is at the exchange, and his name there.
    Me {
        /// The user.
        user: UserId,
        /// Name for people.
        name: String,
    },
    /// All that the account may do, and for what is missing the licence that would bring it, where known.
    Capabilities {
        /// Present.
        present: Vec<Capability>,
        /// Missing, with the name of the licence or service.
        missing: Vec<(Capability, String)>,
    },
    /// All queues that the user may see; others are gone.
    Queues(Vec<(QueueId, String, Role)>),
    /// An agent exists: name and number for people.
    AgentKnown {
        /// Who.
        agent: UserId,
        /// Name.
        name: String,
        /// Number.
        number: String,
    },
    /// State of an agent.
    AgentStatus {
        /// Who.
        agent: UserId,
        /// How he stands.
        status: AgentStatus,
    },
    /// An agent talks or not.
    AgentOnCall {
        /// Who.
        agent: UserId,
        /// On a call.
        on_call: bool,
    },
    /// Queues of an agent; `full`: all of them, else those that changed.
    Memberships {
        /// Who.
        agent: UserId,
        /// All of them.
        full: bool,
        /// The queues.
        memberships: Vec<Membership>,
    },
    /// All callers of a queue, next one first.
    QueueSnapshot {
        /// Which.
        queue: QueueId,
        /// Callers.
        entries: Vec<QueueEntry>,
    },
    /// One caller of a queue changed.
    QueueChange {
        /// Which queue.
        queue: QueueId,
        /// What happened.
        change: QueueChange,
    },
    /// Figures of a queue. What is `None` stays as it was.
    Measures {
        /// Which.
        queue: QueueId,
        /// Figures.
        measures: Measures,
    },
    /// Night, holiday and forwarding of a queue. What is `None` stays as it was.
    Policy {
        /// Which.
        queue: QueueId,
        /// Values.
        policy: QueuePolicy,
    },
    /// Reasons an unavailable agent can give.
    UnavailableCodes {
        /// The codes, in the exchange's order.
        codes: Vec<Code>,
        /// One must be given.
        forced: bool,
    },
    /// The codes that the exchange itself gives when it takes an agent out, each empty where it has none.
    AutomaticCodes {
        /// While do not disturb is on.
        do_not_disturb: String,
        /// While on a call that came through no queue.
        personal_call: String,
        /// After too many calls that were let ring.
        bounces: String,
    },
    /// Why the exchange changed an agent's state, where it tells; before or after the state itself.
    AgentCause {
        /// Who.
        agent: UserId,
        /// Why.
        cause: Cause,
    },
    /// Outcomes of calls of a queue.
    DispositionCodes {
        /// Which.
        queue: QueueId,
        /// The codes.
        codes: Vec<Code>,
        /// One must be given.
        forced: bool,
    },
    /// A call of the user got an outcome, here or elsewhere.
    Outcome {
        /// The exchange's own name of the call.
        call: String,
        /// The outcome.
        code: String,
    },
    /// A service as it is.
    Service(Service),
    /// A service the account does not have (any more).
    ServiceAbsent(ServiceKind),
    /// All hunt groups of the user.
    HuntGroups(Vec<HuntGroup>),
    /// All that the exchange tells and the user cannot change: schedules, blocks, names, menus.
    Facts(Vec<Fact>),
    /// Address of the list (RFC 4662) of the lines that the user watches.
    LineList(String),
    /// All calls of the user.
    Calls(Vec<ExchangeCall>),
    /// One call of the user changed; [`super::ExchangeCallState::Released`] ends it.
    Call(ExchangeCall),
    /// A call of another agent, as far as it is told: who calls back is seen by it.
    AgentCall {
        /// Who.
        agent: UserId,
        /// The call.
        call: ExchangeCall,
    },
    /// Who is parked at a line: the user's own, or one of his group.
    Parked {
        /// The line's owner.
        line: UserId,
        /// His name; empty when not known.
        name: String,
        /// The extension.
        number: String,
        /// Who; `None`: nobody any more.
        party: Option<Party>,
    },
    /// Lamp of the mailbox: new and old messages.
    Messages {
        /// New.
        new: u32,
        /// Old.
        old: u32,
    },
    /// Entries of the directory; `first`: another reading begins. They count once [`Input::DirectoryEnd`] says that they are
    /// everybody: half a directory that looks whole would be a lie.
    Directory {
        /// The first part.
        first: bool,
        /// Entries.
        entries: Vec<DirectoryEntry>,
        /// How many there are in all, where told.
        total: Option<u32>,
    },
    /// A reading of the directory has come to its end: all of it was told, or why not.
    DirectoryEnd(Result<(), Refusal>),
    /// The exchange's log of the user's calls, newest first.
    CallLog(Vec<LogEntry>),
    /// An [`super::Request`] was carried out or refused. The state itself is told by other inputs.
    Done {
        /// Which.
        request: RequestId,
        /// How it went.
        result: Result<Answer, Refusal>,
    },
}

/// Names a request until [`Input::Done`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What a request gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// Nothing but that it was taken.
    #[default]
    Accepted,
    /// A call began, by the exchange's own name.
    Call(String),
    /// A call was parked here.
    Parked(String),
    /// A caller now has this place, from 1.
    Position(u32),
    /// A recording.
    Recorded(Recorded),
    /// The messages of the voicemail, newest first.
    Messages(Vec<VoiceMessage>),
    /// Numbers that the user keeps at the exchange, by name.
    PersonalNumbers(Vec<PersonalNumber>),
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The exchange does not offer this to the account.
    NotAllowed,
    /// The agent is the last one of these queues and may not leave without saying so again.
    LastStaffed(Vec<QueueId>),
    /// What it is about does not exist (any more).
    Gone,
    /// A value is not acceptable.
    BadValue(String),
    /// Not now: overloaded or no connection.
    Unavailable,
    /// The exchange's own number and words.
    Exchange {
        /// Number, 0 when none.
        code: u32,
        /// Words, in the exchange's language.
        words: String,
    },
}

/// What the user asks of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Own state, or as a supervisor somebody else's.
    SetAgentState {
        /// Who; `None`: the user himself.
        agent: Option<UserId>,
        /// The state.
        state: super::AgentState,
        /// Reason.
        code: Option<String>,
        /// Refuse signing out when a queue would be without agents.
        validate: bool,
    },
    /// Join or leave a queue.
    Join {
        /// Who; `None`: the user himself.
        agent: Option<UserId>,
        /// Which.
        queue: QueueId,
        /// True: take calls of it.
        joined: bool,
    },
    /// Send a waiting caller elsewhere; to the own number: take him.
    MoveToNumber {
        /// The queue.
        queue: QueueId,
        /// The caller.
        call: QueuedCallId,
        /// Where to.
        number: String,
    },
    /// Give a waiting caller another place among those of highest priority, 0 next.
    Reorder {
        /// The queue.
        queue: QueueId,
        /// The caller.
        call: QueuedCallId,
        /// The place.
        index: u32,
    },
    /// Give a waiting caller a higher priority.
    Promote {
        /// The queue.
        queue: QueueId,
        /// The caller.
        call: QueuedCallId,
        /// The priority.
        priority: Priority,
    },
    /// End a waiting caller's call.
    ReleaseQueued {
        /// The queue.
        queue: QueueId,
        /// The caller.
        call: QueuedCallId,
    },
    /// Night of a queue.
    SetNight {
        /// The queue.
        queue: QueueId,
        /// How night is decided.
        night: NightOverride,
    },
    /// Every caller of a queue goes to a number; `None`: no longer.
    SetForcedForwarding {
        /// The queue.
        queue: QueueId,
        /// The number.
        to: Option<String>,
    },
    /// Outcome of a call; `None`: of the last one.
    SetDisposition {
        /// The exchange's own name of the call.
        call: Option<String>,
        /// The outcome.
        code: String,
        /// It is the last one: where the exchange has forgotten the call, that one is meant.
        last: bool,
    },
    /// Join or leave a hunt group.
    JoinHuntGroup {
        /// The exchange's own name.
        group: String,
        /// True: take its calls.
        joined: bool,
    },
    /// A service of the user.
    SetService(Service),
    /// The user's own recording of a greeting.
    ReadGreeting(GreetingKind),
    /// Gives the user's voicemail a recording of his own, which is played from now on.
    SetGreeting {
        /// Which.
        kind: GreetingKind,
        /// The recording.
        recorded: Recorded,
    },
    /// A call from the user's own phone, which rings first.
    Dial {
        /// Where to.
        number: String,
    },
    /// Something with a call of the user.
    Control {
        /// The exchange's own name of the call.
        call: String,
        /// What.
        verb: CallVerb,
    },
    /// One conference of these calls of the user.
    Conference {
        /// The exchange's own names.
        calls: Vec<String>,
    },
    /// Take the parked call of somebody (or the own one).
    Retrieve {
        /// Where it is parked.
        at: Option<String>,
    },
    /// Take a call that rings elsewhere: at a person, or in the own group.
    Pickup {
        /// At whom.
        at: Option<String>,
    },
    /// Take the call that the user has at another of his phones.
    PullCall,
    /// Ring the user when the line that he called last is free, and call it for him.
    RingBack,
    /// Call whoever called last, from the user's own phone, which rings first.
    ReturnCall,
    /// Call whom the user called last, likewise.
    Redial,
    /// Report where the last call that came in was from.
    TraceCall,
    /// Listen in, speak to the agent, or enter the call of somebody.
    Supervise {
        /// Whose call.
        agent: String,
        /// How.
        how: Supervision,
    },
    /// Ask a supervisor into the call, or hand it over in an emergency.
    Escalate {
        /// The exchange's own name of the call.
        call: String,
        /// An emergency.
        emergency: bool,
        /// Which supervisor; `None`: the first free one.
        to: Option<String>,
    },
    /// The messages of the voicemail.
    ReadMessages,
    /// What was said in a message.
    ReadMessage(String),
    /// Mark a message as heard, or as new.
    MarkMessage {
        /// The exchange's own name.
        message: String,
        /// Heard.
        heard: bool,
    },
    /// Delete a message.
    DeleteMessage(String),
    /// The numbers that the user keeps at the exchange.
    ReadPersonalNumbers,
    /// Keep one more.
    AddPersonalNumber(PersonalNumber),
    /// Keep one in another way.
    ChangePersonalNumber {
        /// Its name so far.
        was: String,
        /// As it is to be.
        number: PersonalNumber,
    },
    /// Keep one no longer.
    RemovePersonalNumber(String),
    /// Read a service of the user and tell it, changed or not.
    ReadService(ServiceKind),
    /// Read night, holiday and forwarding of a queue and tell them, changed or not.
    ReadPolicy(QueueId),
    /// Read the directory anew.
    ReadDirectory,
    /// Read the call log anew.
    ReadCallLog,
    /// Read everything anew.
    Refresh,
}

/// What can be done with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallVerb {
    /// Answer, or take back from hold.
    Talk,
    /// Hold.
    Hold,
    /// Take back and end all others.
    Reconnect,
    /// End.
    Release,
    /// Refuse while it rings; true: busy, false: not available.
    Decline(bool),
    /// Give away without asking.
    BlindTransfer(String),
    /// Give away to the party of another call of the user.
    ConsultTransfer(String),
    /// Give away as soon as it rings there.
    MuteTransfer(String),
    /// Give away to voicemail: whose, or the own.
    ToVoiceMail(Option<String>),
    /// Park at a number, or in the group.
    Park(Option<String>),
    /// Press keys.
    Dtmf(String),
    /// Recording: begin, pause, go on, stop.
    Record(Recording),
}

/// Recording in the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recording {
    /// Begin.
    Start,
    /// Pause.
    Pause,
    /// Go on.
    Resume,
    /// Stop.
    Stop,
}

/// How to be in on somebody's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Supervision {
    /// Hear both, be heard by none.
    Listen,
    /// Be heard by the agent.
    Coach,
    /// Be heard by both.
    BargeIn,
}

/// Somebody is named in words that fit a caller.
impl Party {
    /// Name, else number, else nothing.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.number } else { &self.name }
    }
}
