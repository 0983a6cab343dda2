//! The user's services at the exchange as a front end shows them: what is so, what was asked for, what was
//! read back.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::centre::RefusalView;

/// A service of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ServiceName {
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
    /// Voicemail.
    VoiceMail,
    /// Night mode of the user.
    Night,
    /// Other phones ring at the same time.
    SimultaneousRing,
    /// Other phones ring one after the other.
    SequentialRing,
    /// Calls are made and taken on another number.
    RemoteOffice,
    /// A second call is told.
    CallWaiting,
    /// The number is withheld on every call.
    WithholdNumber,
    /// Callers that withhold their number are refused.
    RejectAnonymous,
    /// Sitting at somebody else's phone.
    Hoteling,
}

/// A service and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct ServiceView {
    /// Which.
    pub service: ServiceName,
    /// As the exchange told it last; null: not yet.
    pub actual: Option<ServiceValues>,
    /// What was asked for, until the exchange says so, or for as long as it does not.
    pub wanted: Option<ServiceValues>,
    /// How both stand to each other.
    pub state: WishState,
    /// It may be changed.
    pub editable: bool,
    /// The exchange refused the last change.
    pub refused: Option<RefusalView>,
    /// When it was last told.
    pub told_ms: Option<u64>,
    /// It was switched on because of the user's own calendar, and will be switched off by it.
    pub by_calendar: bool,
}

/// How a wish stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WishState {
    /// Nothing is asked for; what is shown is as it was told.
    #[default]
    Told,
    /// Asked for; not taken yet.
    Pending,
    /// Taken; being read back.
    Reading,
    /// Asked for and read back: it is so.
    Verified,
    /// It is not as it was asked for.
    Drift,
    /// The exchange refused; nothing changed.
    Refused,
}

/// Values of a service. As a view, those that the service has; in `service.set`, those that are to change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ServiceValues {
    /// On or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub active: Option<bool>,
    /// Forwarding: where to; remote office: the number; hoteling: whose phone; voicemail: where callers are sent
    /// who can leave no message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to: Option<String>,
    /// After how many rings; sequential ring: how often the own phone rings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rings: Option<u32>,
    /// Simultaneous and sequential ring: the numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub numbers: Option<Vec<RingNumber>>,
    /// Simultaneous ring: not while the user is on a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub not_while_busy: Option<bool>,
    /// Sequential ring: the own phone rings before the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub own_first: Option<bool>,
    /// Sequential ring: the others ring also when the own phone is busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub past_busy: Option<bool>,
    /// Voicemail: every call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub always: Option<bool>,
    /// Voicemail: while the user talks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub busy: Option<bool>,
    /// Voicemail: calls that are not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub no_answer: Option<bool>,
    /// Voicemail: messages are mailed there; empty: not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub email: Option<String>,
    /// Voicemail: a copy of each message is mailed there; empty: not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub copy: Option<String>,
    /// Voicemail: what callers hear while the user talks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub greeting_busy: Option<GreetingName>,
    /// Voicemail: what callers hear when nobody answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub greeting_no_answer: Option<GreetingName>,
    /// Voicemail: what the user's own recording for `greeting_busy` is called; empty: there is none. Read only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub recording_busy: Option<String>,
    /// Voicemail: the same for `greeting_no_answer`. Read only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub recording_no_answer: Option<String>,
    /// Voicemail: callers hear the greeting and can leave no message; with `to` they are sent there after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub no_message: Option<bool>,
    /// Voicemail: there is a mailbox that can be listened to. Read only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub has_mailbox: Option<bool>,
    /// Night: how it is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub night: Option<NightChoice>,
    /// Night: name of the schedule of business hours. Read only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub schedule: Option<String>,
}

/// What callers of the voicemail hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GreetingName {
    /// The exchange's own greeting.
    Standard,
    /// The user's recording (`greeting.set`).
    Own,
    /// Further recordings, only when nobody answers.
    #[serde(rename = "alternate_1")]
    First,
    /// See [`GreetingName::First`].
    #[serde(rename = "alternate_2")]
    Second,
    /// See [`GreetingName::First`].
    #[serde(rename = "alternate_3")]
    Third,
}

/// Which greeting of the voicemail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GreetingOf {
    /// While the user talks.
    Busy,
    /// When nobody answers.
    NoAnswer,
}

/// The user's own recording of a greeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct GreetingRecording {
    /// What it is called.
    pub name: String,
    /// A WAV file, base64 (RFC 4648 section 4).
    pub wav: String,
}

/// A phone that rings too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct RingNumber {
    /// Number.
    pub number: String,
    /// Whoever answers there presses a key first.
    #[serde(default)]
    pub confirm: bool,
    /// Sequential ring: how often it rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rings: Option<u32>,
}

/// How night is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NightChoice {
    /// By schedule, or as the company has it.
    #[default]
    Automatic,
    /// Night.
    On,
    /// Day.
    Off,
}

/// Night of something.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct NightView {
    /// The queue; null: the company as it holds for the user.
    pub queue: Option<String>,
    /// Name of the queue, empty for the company.
    pub name: String,
    /// Night is in force now; null: the exchange does not tell.
    pub active: Option<bool>,
    /// How it is decided, as the exchange told; null: not told.
    pub choice: Option<NightChoice>,
    /// What was asked for, until it is so.
    pub wanted: Option<NightChoice>,
    /// How both stand to each other.
    pub state: WishState,
    /// Until when it stays so, where told.
    pub until_ms: Option<u64>,
    /// Name of the schedule, empty when not told.
    pub schedule: String,
    /// May be switched.
    pub may_change: bool,
    /// The exchange refused the last change.
    pub refused: Option<RefusalView>,
}

/// Emergency forwarding of the main line or of a queue.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct EmergencyView {
    /// The queue; null: the user's own line.
    pub queue: Option<String>,
    /// Name of the queue, empty for the line.
    pub name: String,
    /// How it stands. `verified` with `actual`: calls go there, as read back.
    pub state: WishState,
    /// Where calls are to go; null: nowhere else.
    pub wanted: Option<String>,
    /// Where calls go, as the exchange told last; null: nowhere else, or not told.
    pub actual: Option<String>,
    /// When it was asked for, or last read.
    pub since_ms: Option<u64>,
    /// Why it is not so.
    pub refused: Option<RefusalView>,
}

/// How a hunt group looks for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HuntPolicyName {
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

/// A hunt group of the user.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct HuntGroupView {
    /// Id for commands.
    pub group: String,
    /// Name for people.
    pub name: String,
    /// Number; empty when not told.
    pub number: String,
    /// How it looks.
    pub policy: Option<HuntPolicyName>,
    /// Members in their order.
    pub members: Vec<String>,
    /// Who is next in line.
    pub next: Option<String>,
    /// Whether the user belongs to it is told; false: `joined` says nothing.
    pub told: bool,
    /// The user takes its calls.
    pub joined: bool,
    /// He may join and leave.
    pub may_leave: bool,
    /// What was asked for, until it is so.
    pub wanted: Option<bool>,
    /// How both stand to each other.
    pub state: WishState,
}

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FactName {
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

/// Something that can only be read.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct FactView {
    /// About what.
    pub fact: FactName,
    /// Its name at the exchange.
    pub name: String,
    /// What it says, in the exchange's words.
    pub value: String,
    /// It holds for this user now; null: it cannot be told.
    pub in_force: Option<bool>,
    /// Until when, where told.
    pub until_ms: Option<u64>,
    /// A schedule of holidays; else, of a schedule, of business hours.
    pub holidays: bool,
    /// The times of a schedule.
    pub openings: Vec<OpeningView>,
}

/// A time in which a schedule holds, by the clock on the wall of the exchange's user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct OpeningView {
    /// Its name at the exchange; may be empty.
    pub name: String,
    /// The first day, `2026-01-31`.
    pub day: String,
    /// Minute of the day at which it begins.
    pub from: u32,
    /// How long it lasts, minutes.
    pub lasts: u32,
    /// How often it comes again.
    pub recurs: RecursName,
    /// Of `weekly`: the days of the week, 1 for Monday to 7.
    pub weekdays: Vec<u8>,
    /// Every so many days, weeks, months or years.
    pub every: u32,
}

/// How often an opening comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RecursName {
    /// Never.
    Once,
    /// By days.
    Daily,
    /// On days of the week.
    Weekly,
    /// On a day of the month.
    Monthly,
    /// On a day of the year.
    Yearly,
}
