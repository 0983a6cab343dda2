//! The user's own services: forwarding, do not disturb, voicemail and the others of the exchange.

use super::schedule::Schedule;

/// A service by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKind {
    /// No calls at all.
    DoNotDisturb,
    /// Every call goes elsewhere.
    ForwardAlways,
    /// Calls go elsewhere while the user talks.
    ForwardBusy,
    /// Calls go elsewhere after some rings.
    ForwardNoAnswer,
    /// Calls go elsewhere while no phone is registered.
    ForwardNotReachable,
    /// A second call is told.
    CallWaiting,
    /// The number is withheld on every call.
    WithholdNumber,
    /// Callers that withhold their number are refused.
    RejectAnonymous,
    /// Other phones ring at the same time.
    SimultaneousRing,
    /// Other phones ring one after the other.
    SequentialRing,
    /// Calls are made and taken on another number.
    RemoteOffice,
    /// Voicemail.
    VoiceMail,
    /// Night mode of the user.
    Night,
    /// Sitting at somebody else's phone.
    Hoteling,
}

/// A service and its values, as the exchange told them or as the user wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// See [`ServiceKind::DoNotDisturb`].
    DoNotDisturb {
        /// On.
        active: bool,
    },
    /// One of the four kinds of forwarding.
    Forwarding {
        /// Which: [`ServiceKind::ForwardAlways`] and the three after it.
        kind: ServiceKind,
        /// Values.
        forwarding: Forwarding,
    },
    /// A service that is only on or off: call waiting, number withheld, anonymous callers refused.
    Switch {
        /// Which.
        kind: ServiceKind,
        /// On.
        active: bool,
    },
    /// See [`ServiceKind::SimultaneousRing`].
    SimultaneousRing {
        /// On.
        active: bool,
        /// Not while the user is on a call.
        not_while_busy: bool,
        /// Numbers, each with whether the one who answers must press a key first.
        numbers: Vec<(String, bool)>,
    },
    /// See [`ServiceKind::SequentialRing`].
    SequentialRing(SequentialRing),
    /// See [`ServiceKind::RemoteOffice`].
    RemoteOffice {
        /// On.
        active: bool,
        /// The number.
        number: String,
    },
    /// See [`ServiceKind::VoiceMail`].
    VoiceMail(VoiceMail),
    /// See [`ServiceKind::Night`].
    Night(NightService),
    /// See [`ServiceKind::Hoteling`].
    Hoteling {
        /// On.
        active: bool,
        /// Whose phone.
        host: String,
    },
}

/// Phones that ring one after the other. It is on where there are some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequentialRing {
    /// The user's own phone rings before them.
    pub own_first: bool,
    /// How often it rings then.
    pub own_rings: u32,
    /// They ring also when the own phone is busy.
    pub past_busy: bool,
    /// The phones, in order.
    pub places: Vec<RingPlace>,
}

/// One of the phones that ring one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RingPlace {
    /// Its number.
    pub number: String,
    /// How often it rings; `None`: as the exchange has it.
    pub rings: Option<u32>,
    /// Who answers must press a key first.
    pub confirm: bool,
}

/// Where calls go instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// On.
    pub active: bool,
    /// The number; empty when none is set.
    pub to: String,
    /// After how many rings, for no answer.
    pub rings: Option<u32>,
}

/// Voicemail of the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoiceMail {
    /// On.
    pub active: bool,
    /// Every call goes there.
    pub always: bool,
    /// Calls go there while the user talks.
    pub busy: bool,
    /// Calls that are not answered go there.
    pub no_answer: bool,
    /// After how many rings, where it can be set.
    pub rings: Option<u32>,
    /// Messages are mailed to this address; empty: not.
    pub email: String,
    /// A copy of each message is mailed to this address; empty: not; `None`: the exchange does not tell.
    pub copy: Option<String>,
    /// Messages are also kept in a mailbox that can be listened to: there is a lamp.
    pub has_mailbox: bool,
    /// What callers hear; `None`: not told.
    pub greetings: Option<Greetings>,
}

/// What callers of the voicemail hear, and what they can do then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greetings {
    /// While the user talks.
    pub busy: Greeting,
    /// When nobody answers.
    pub no_answer: Greeting,
    /// After it the caller can leave no message.
    pub no_message: bool,
    /// With `no_message`: the number that he is sent to; empty: the call ends.
    pub then: String,
}

/// One greeting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// Which one is played.
    pub choice: GreetingChoice,
    /// What the user's own recording is called; empty: there is none.
    pub recording: String,
}

/// Which greeting is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GreetingChoice {
    /// The exchange's own.
    #[default]
    Standard,
    /// The user's recording.
    Own,
    /// One of three further recordings, from 1; only when nobody answers.
    Alternate(u8),
}

/// Which of the two greetings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GreetingKind {
    /// While the user talks.
    Busy,
    /// When nobody answers.
    NoAnswer,
}

/// A recording: its name and the bytes of its file. What was said in it does not belong into logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What it is called.
    pub name: String,
    /// A WAV file.
    pub wav: Vec<u8>,
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded").field("bytes", &self.wav.len()).finish_non_exhaustive()
    }
}

/// Night mode of the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NightService {
    /// `Some(true)`: night, `Some(false)`: day, `None`: as the company.
    pub mode: Option<bool>,
    /// Name of the schedule of business hours; empty when not told.
    pub schedule: String,
    /// Name of the schedule of holidays; empty when not told.
    pub holidays: String,
    /// Night is in force for him now, where told.
    pub active: Option<bool>,
    /// Until when, where told; milliseconds since the Unix epoch.
    pub until: Option<u64>,
    /// The user may change it.
    pub may_change: bool,
}

/// How a hunt group looks for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HuntPolicy {
    /// After the one who had the last call.
    Circular,
    /// From the top.
    Regular,
    /// All at once.
    Simultaneous,
    /// Who is idle longest.
    Uniform,
    /// By shares.
    Weighted,
}

/// A hunt group that the user belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HuntGroup {
    /// The exchange's own name.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Number; empty when not told.
    pub number: String,
    /// How it looks, where told.
    pub policy: Option<HuntPolicy>,
    /// Members' names in their order, where told.
    pub members: Vec<String>,
    /// Who is next in line, where told.
    pub next: Option<String>,
    /// Whether the user belongs to it is told; false: `joined` says nothing.
    pub told: bool,
    /// The user takes its calls.
    pub joined: bool,
    /// He may join and leave.
    pub may_leave: bool,
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    /// A schedule of business hours or holidays.
    Schedule,
    /// Calls that the company does not let out.
    OutgoingBlock,
    /// The name that is shown to the called.
    CompanyName,
    /// The number that is shown to the called.
    NumberPresentation,
    /// A menu that callers hear.
    Menu,
}

/// Something that the exchange tells and the user cannot change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// About what.
    pub kind: FactKind,
    /// Its name at the exchange.
    pub name: String,
    /// What it says, in the exchange's words.
    pub value: String,
    /// It holds for this user now, where that can be told. A schedule's is known by its times.
    pub in_force: Option<bool>,
    /// Until when, where told; milliseconds since the Unix epoch.
    pub until: Option<u64>,
    /// The times of a schedule, where told.
    pub schedule: Option<Schedule>,
}

impl Service {
    /// Which service it is.
    pub fn kind(&self) -> ServiceKind {
        match self {
            Service::DoNotDisturb { .. } => ServiceKind::DoNotDisturb,
            Service::Forwarding { kind, .. } | Service::Switch { kind, .. } => *kind,
            Service::SimultaneousRing { .. } => ServiceKind::SimultaneousRing,
            Service::SequentialRing(_) => ServiceKind::SequentialRing,
            Service::RemoteOffice { .. } => ServiceKind::RemoteOffice,
            Service::VoiceMail(_) => ServiceKind::VoiceMail,
            Service::Night(_) => ServiceKind::Night,
            Service::Hoteling { .. } => ServiceKind::Hoteling,
        }
    }
}
