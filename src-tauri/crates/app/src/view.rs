//! View models: everything a front end shows, already decided. A front end renders these and computes nothing.
//!
//! Times are milliseconds since the Unix epoch, so that a front end can count on by itself.

pub mod centre;
pub mod changes;
pub mod desktop;
pub mod headset;
pub mod kept;
pub mod media;
pub mod people;
pub mod quality;
pub mod queue;
pub mod recording;
pub mod ring;
pub mod safety;
pub mod service;
pub mod sources;
pub mod targets;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use self::centre::CentreView;
use self::changes::ViewChanges;
use self::desktop::{Hotkeys, NoticeSettings};
use self::headset::HeadsetView;
use self::media::MediaSettingsView;
use self::quality::{CallDelay, CallFigures, QualityCause};
use self::queue::{CallQueueView, QueueView};
use self::recording::{RecordingSettingsView, RecordingView};
use self::ring::{RingSource, RingView};
use self::safety::{GuardSettings, HelpView};
use self::sources::SourceView;
use self::targets::TargetKind;
use crate::code::Code;
use crate::control::TransportChoice;
use crate::event::TransferState;

/// One piece of news for the front ends.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Update {
    /// The whole visible state, sent on every change (grouped to at most 20 a second).
    View(Box<AppView>),
    /// What of the visible state changed, for a page that was told the whole before.
    Changed(Box<ViewChanges>),
    /// Sound levels for the meters, about 15 a second while a meter is wanted.
    Levels(Levels),
    /// The watched lines that changed since the last such news, at most 20 times a second. What is
    /// not in here stands as before; `line.list` tells all.
    Lines(Vec<LineView>),
    /// The exchange of one account changed; at most 20 times a second. `centre.get` tells all.
    Centre(Box<CentreView>),
    /// Queues that changed, each whole; at most 20 times a second. `queue.list` tells all.
    Queues(Vec<QueueView>),
    /// All sources of contacts, when one of them changed; at most 20 times a second.
    Sources(Vec<SourceView>),
}

/// A watched line: a colleague, a park slot, whatever the exchange shows a lamp for.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct LineView {
    /// Address of the line.
    pub uri: String,
    /// Account it is watched with.
    pub account: String,
    /// What the exchange's list calls it; empty when it does not.
    pub name: String,
    /// What the lamp shows.
    pub state: LineState,
    /// Who the line talks to or is called by, when told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub peer: Option<PeerView>,
    /// Who began that call, seen from the line, when told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub direction: Option<CallDirection>,
    /// What presence tells, where the line is watched by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub presence: Option<PresenceView>,
    /// He wants no calls, where that is told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub do_not_disturb: bool,
    /// All his calls go elsewhere, where that is told: to this number; empty: that is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub forwarded: Option<String>,
    /// What he is by his calendar, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub calendar: Option<CalendarView>,
    /// Since when this may be wrong, in seconds since the start; absent: it is right as far as can
    /// be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stale_since: Option<f64>,
    /// The same as a time: milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stale_since_ms: Option<u64>,
    /// Counts the changes of this line.
    pub version: u64,
    /// True when the line is watched no longer, by us or because it left its list.
    pub gone: bool,
}

/// What somebody is by his calendar: times, and never what an appointment is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct CalendarView {
    /// What he is now.
    pub kind: people::AvailabilityKind,
    /// Until when, milliseconds since the Unix epoch; null: as far as was looked.
    pub until_ms: Option<u64>,
    /// When he is free again, where he is not now; null: not as far as was looked.
    pub free_ms: Option<u64>,
}

/// What somebody's presence tells. The texts are written by others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
pub struct PresenceView {
    /// Whether he can be reached; null: that is not told.
    pub open: Option<bool>,
    /// What is said of him, at most 256 characters.
    pub note: Option<String>,
    /// What he does, in the words of RFC 4480: `on-the-phone`, `away`, `meeting` …
    pub activities: Vec<String>,
}

/// A device that is registered for an account's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RegisteredDevice {
    /// Where it is, as the registrar writes it.
    pub contact: String,
    /// Its name, or empty.
    pub name: String,
    /// True: this program.
    pub own: bool,
}

/// What a lamp shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// No call.
    Idle,
    /// It is being called.
    Ringing,
    /// It calls or talks.
    Busy,
    /// All its calls are on hold.
    Held,
    /// The exchange does not know it or tells nothing of it.
    Unreachable,
    /// Nothing has been told yet.
    Unknown,
}

/// Loudness of the two directions, 0.0 (silence) to 1.0 (full scale), already shaped for a meter.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, TS)]
pub struct Levels {
    /// What the microphone hears.
    pub microphone: f32,
    /// What the loudspeaker plays.
    pub speaker: f32,
}

/// Everything the main window shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct AppView {
    /// Program version.
    pub version: String,
    /// True until an account exists: the front end shows the first-start set-up.
    pub needs_setup: bool,
    /// Accounts in the order of the settings.
    pub accounts: Vec<AccountView>,
    /// Calls that exist now: ringing ones first, then active, then held, each oldest first.
    pub calls: Vec<CallView>,
    /// Calls that are over, newest first, at most a hundred; older ones by `history.list`.
    pub history: Vec<HistoryEntry>,
    /// Missed calls that were not looked at yet.
    pub missed: u32,
    /// The last transfers, at most 20, newest first.
    pub transfers: Vec<TransferEntry>,
    /// Devices and sound.
    pub audio: AudioView,
    /// How calls are recorded on this machine.
    pub recording: RecordingSettingsView,
    /// The embedded demo exchange, while it runs.
    pub demo: Option<DemoView>,
    /// Colleagues that can be called, sorted by name.
    pub colleagues: Vec<ColleagueView>,
    /// Things the user must know, newest first.
    pub notices: Vec<Notice>,
    /// What was clicked, selected or copied, to be dialled by hand; until the window has taken it.
    pub prepared: Option<String>,
    /// Numbers that reach help.
    pub help: HelpView,
    /// The user's choices.
    pub settings: SettingsView,
}

/// Where an account stands with its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Not registered, and not meant to be.
    #[default]
    Unregistered,
    /// First registration or a renewed try is under way.
    Registering,
    /// Colleagues and customers can reach the user.
    Registered,
    /// The server refused; trying again needs the user.
    Failed,
    /// The server cannot be reached; tried again by itself.
    Unreachable,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct AccountView {
    /// Stable id from the settings.
    pub id: String,
    /// Name shown to people.
    pub display_name: String,
    /// Address of record.
    pub aor: String,
    /// Own number or extension for show.
    pub number: String,
    /// State.
    pub state: AccountState,
    /// Why, when it is not registered.
    pub reason: Option<Code>,
    /// What the server or system said, for support; never a secret.
    pub detail: Option<String>,
    /// Since when the state holds; through retries, since when the trouble lasts.
    pub since_ms: u64,
    /// When the next try is made, while trying.
    pub retry_at_ms: Option<u64>,
    /// True for the account on the embedded exchange.
    pub demo: bool,
    /// No telephone of its own: another one rings and is controlled here. `registered` says that it can be.
    pub control_only: bool,
    /// True while no password is known: the front end asks for it (`account.password`).
    pub password_needed: bool,
    /// Server as the account form shows it.
    pub server: String,
    /// User name for authentication when it differs from the user part, else empty.
    pub auth_user: String,
    /// Emergency numbers can be called with it.
    pub emergency: bool,
    /// Outbound proxy, or empty.
    pub outbound_proxy: String,
    /// Transport chosen.
    pub transport: TransportChoice,
    /// Its exchange as the account form shows it; null: there is none.
    pub exchange: Option<ExchangeSettingsView>,
    /// Encryption and the ways of its sound as the account form shows them.
    pub media: MediaSettingsView,
    /// The devices that are registered for this address, this program first; empty where the server does not tell.
    pub devices: Vec<RegisteredDevice>,
}

/// The exchange of an account as the account form shows it. Its password is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExchangeSettingsView {
    /// The web services of BroadWorks.
    Broadworks {
        /// Server, or the address of Xsi-Actions where that does not follow from it.
        server: String,
        /// User name there.
        user: String,
    },
    /// The manager interface of Asterisk.
    Asterisk {
        /// Host.
        host: String,
        /// TCP port; 0: the usual one.
        port: u16,
        /// TLS from the first byte.
        tls: bool,
        /// Manager user.
        user: String,
        /// The user's telephone there.
        interface: String,
    },
}

/// Who started a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// Somebody calls us.
    In,
    /// We call somebody.
    Out,
}

/// State of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Outgoing, nothing heard yet.
    Dialing,
    /// It rings, here (in) or there (out).
    Ringing,
    /// Outgoing, with sound before the answer.
    Early,
    /// In conversation.
    Active,
    /// We hold the other side.
    Held,
    /// The other side holds us.
    HeldByPeer,
    /// Being transferred.
    Transferring,
    /// Over.
    Ended,
}

/// What the user may do with a call now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CallAction {
    /// Answer.
    Answer,
    /// Decline.
    Reject,
    /// Hang up or stop dialling.
    Hangup,
    /// Put on hold.
    Hold,
    /// Take back from hold.
    Resume,
    /// Stop sending the microphone.
    Mute,
    /// Send the microphone again.
    Unmute,
    /// Send digits.
    Dtmf,
    /// Send the other side to somebody else.
    Transfer,
    /// Ask somebody else first, with the other side on hold.
    Consult,
    /// Connect the caller with the consulted party.
    CompleteTransfer,
    /// Take the caller back from a transfer or a consultation.
    CancelTransfer,
    /// Put it together with other calls that have this too.
    Conference,
    /// Park it.
    Park,
}

/// The other side of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct PeerView {
    /// Address as signalled.
    pub uri: String,
    /// Name, from the directory or as signalled.
    pub name: String,
    /// Number as people write it.
    pub number: String,
    /// What the number is of him, where a caller was sent there or he was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub target: Option<TargetKind>,
    /// Of a call: who is known to have the number, at most three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<KnownView>>")]
    pub known: Vec<KnownView>,
    /// How many more have it.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<u32>")]
    pub known_more: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Somebody whom a directory or a list of contacts has with a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct KnownView {
    /// Name.
    pub name: String,
    /// Company, or else department; empty when none is known.
    pub of: String,
}

/// How good a call sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum QualityLevel {
    /// Not measured yet.
    #[default]
    Unknown,
    /// MOS 4.0 and up.
    Good,
    /// MOS 3.1 and up.
    Fair,
    /// Below.
    Poor,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct CallView {
    /// Id for commands.
    pub id: u64,
    /// Account it runs on.
    pub account: String,
    /// Direction.
    pub direction: CallDirection,
    /// State.
    pub state: CallState,
    /// The other side.
    pub peer: PeerView,
    /// Somebody who is to be helped first: a favourite among the contacts.
    pub vip: bool,
    /// Number or menu the caller dialled, when told.
    pub via: Option<String>,
    /// Who diverted the call to us, when told.
    pub diverted_from: Option<String>,
    /// When it began.
    pub started_ms: u64,
    /// When it was answered.
    pub answered_ms: Option<u64>,
    /// Since when it is in its present state.
    pub since_ms: u64,
    /// True while our microphone is not sent.
    pub muted: bool,
    /// True while the sound is encrypted.
    pub secure: bool,
    /// How it is, with the keys taken into account.
    pub encryption: Encryption,
    /// Codec in use.
    pub codec: Option<String>,
    /// Quality so far, of the direction that sounds worse.
    pub quality: QualityLevel,
    /// Why it is poor, or the microphone is of no use; null while nothing is wrong. It comes when that has lasted some
    /// seconds, and goes so too.
    pub quality_cause: Option<QualityCause>,
    /// How long sound takes from mouth to ear.
    pub delay: CallDelay,
    /// The figures of the sound, for who wants to know.
    pub figures: CallFigures,
    /// True when no sound has arrived for seconds though both sides are in conversation.
    pub no_sound: bool,
    /// Why it ended, could not be made, or is as good as over.
    pub reason: Option<Code>,
    /// SIP status, for support.
    pub status: Option<u16>,
    /// The call that this one is a consultation for.
    pub consult_of: Option<u64>,
    /// True while it is in the conference that is mixed here.
    pub conference: bool,
    /// Its transfer: under way, done, or failed while the caller waits here again.
    pub transfer: Option<TransferView>,
    /// The queue it came through, until the call ends.
    pub queue: Option<CallQueueView>,
    /// Its recording, at the exchange where that records and tells of this call, else on this machine where calls may be
    /// recorded here; null: it cannot be recorded.
    pub recording: Option<RecordingView>,
    /// What can be done now.
    pub actions: Vec<CallAction>,
}

/// How the sound of a call is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Another telephone carries the call.
    Unknown,
    /// It is not.
    #[default]
    None,
    /// It is encrypted, but the keys crossed the network in clear, or the fingerprints that tell whose they are did:
    /// whoever saw the call being made, or could change how it was, can hear it.
    KeysExposed,
    /// It is encrypted with keys that the exchange hands over (SDES, RFC 4568), over TLS: every server that the call goes
    /// through can hear it, and nobody else.
    Exchange,
    /// It is encrypted with keys that only the two ends of the sound have (DTLS-SRTP, RFC 5764), and their fingerprints
    /// came over TLS. An exchange that carries the sound is such an end.
    Ends,
}

impl Encryption {
    /// Whether the sound is encrypted.
    #[must_use]
    pub fn is_on(self) -> bool {
        matches!(self, Encryption::KeysExposed | Encryption::Exchange | Encryption::Ends)
    }
}

/// The transfer of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct TransferView {
    /// How far it is. Failed: the caller waits here on hold.
    pub state: TransferState,
    /// To whom; empty after a consultation without a transfer.
    pub to: PeerView,
    /// Why it failed.
    pub reason: Option<Code>,
    /// SIP status, for support.
    pub status: Option<u16>,
}

/// How a caller was sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// Unasked.
    Cold,
    /// After talking with the new party.
    Warm,
    /// To the parking lot.
    Park,
}

/// What became of a caller who was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ParkState {
    /// As far as is known he waits there.
    Waiting,
    /// He was fetched from here.
    Retrieved,
    /// He is there no more: somebody else fetched him, he rang back, or he hung up.
    Gone,
}

/// One of the last transfers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct TransferEntry {
    /// Id for `transfer.call_back`.
    pub id: u64,
    /// The caller's call.
    pub call: u64,
    /// Account it ran on.
    pub account: String,
    /// When it began.
    pub at_ms: u64,
    /// Who was sent on.
    pub caller: PeerView,
    /// To whom.
    pub to: PeerView,
    /// How.
    pub kind: TransferKind,
    /// How far it is, or how it ended.
    pub state: TransferState,
    /// Why it failed.
    pub reason: Option<Code>,
    /// SIP status, for support.
    pub status: Option<u16>,
    /// The caller's call is over and he did not get through: he should be called back.
    pub lost: bool,
    /// What to call him back by; null when he withheld his number.
    pub call_back: Option<String>,
    /// Of one who was parked: whether he can still be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parked: Option<ParkState>,
}

/// How a past call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// There was a conversation.
    Answered,
    /// Incoming, nobody answered.
    Missed,
    /// Incoming, we declined.
    Declined,
    /// Outgoing, not answered or given up.
    NoAnswer,
    /// Outgoing, busy.
    Busy,
    /// Outgoing, failed.
    Failed,
    /// Outgoing, on another telephone; whether anybody answered is not known.
    Placed,
}

/// A call that is over.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct HistoryEntry {
    /// Id of the call; 2^50 and more for one of an earlier run.
    pub id: u64,
    /// Account it ran on.
    pub account: String,
    /// Direction.
    pub direction: CallDirection,
    /// The other side.
    pub peer: PeerView,
    /// When it began.
    pub started_ms: u64,
    /// How long the conversation was, seconds.
    pub seconds: u32,
    /// How it went.
    pub outcome: CallOutcome,
    /// Why, when it did not succeed.
    pub reason: Option<Code>,
    /// Of a missed call: there was a conversation with this number since.
    pub called_back: Option<CalledBack>,
    /// It is from the log of the exchange: it ran on another telephone, or while the program did not run. How long the
    /// conversation was is not known then.
    pub elsewhere: bool,
}

/// A missed caller was spoken to after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CalledBack {
    /// When the conversation began.
    pub at_ms: u64,
    /// By whom, when that is known.
    pub by: Option<String>,
}

/// A device that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DeviceView {
    /// Stable id.
    pub id: String,
    /// Name the system gives it.
    pub name: String,
    /// True when the system uses it by default.
    pub is_default: bool,
}

/// How far a test of the microphone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MicrophoneTest {
    /// There is none.
    #[default]
    Off,
    /// The user speaks.
    Listening,
    /// He hears himself.
    Playing,
}

/// Devices and what is chosen. `None` as a choice means "follow the system".
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct AudioView {
    /// Microphones.
    pub inputs: Vec<DeviceView>,
    /// Loudspeakers.
    pub outputs: Vec<DeviceView>,
    /// Chosen microphone.
    pub input: Option<String>,
    /// Chosen loudspeaker or headset for talking.
    pub output: Option<String>,
    /// Chosen devices for ringing, all at once; none: the system's.
    pub ringers: Vec<String>,
    /// How many can be chosen.
    pub most_ringers: u32,
    /// Chosen device for alerts; `None`: where one talks.
    pub alerts: Option<String>,
    /// The other side's voice is taken out of the microphone's sound.
    pub echo_cancelling: bool,
    /// Steady noise is made softer.
    pub noise_suppression: bool,
    /// The level of the user's voice is evened out.
    pub gain_control: bool,
    /// A queue that goes over a threshold is heard.
    pub queue_alarms: bool,
    /// Severe notices are heard.
    pub notice_sounds: bool,
    /// How calls ring, by where they come from.
    pub rings: Vec<RingView>,
    /// The one that the user tries (`ring.try`).
    pub ring_tried: Option<RingSource>,
    /// How far a test of the microphone is (`audio.test`).
    pub test: MicrophoneTest,
    /// Keys and lamps of headsets.
    pub headset: HeadsetView,
    /// Trouble with sound, in a code.
    pub problem: Option<Code>,
}

/// The embedded exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DemoView {
    /// Company played.
    pub company: String,
    /// Numbers worth trying.
    pub numbers: Vec<DemoNumber>,
}

/// A number of the demo and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DemoNumber {
    /// Stable word: echo, music, speech, busy, no_answer, declines, voicemail, main.
    pub kind: String,
    /// Number to dial.
    pub number: String,
}

/// A colleague.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ColleagueView {
    /// Name.
    pub name: String,
    /// Extension.
    pub number: String,
    /// Department.
    pub department: String,
    /// Mobile number; empty when it is not known.
    pub mobile: String,
    /// Account by which he is called and his line watched.
    pub account: String,
    /// His lamp is there for whoever asks for it (`line.watch`); false: it comes by the list of the exchange, or not at all.
    pub watch: bool,
}

/// Kind of search result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HitKind {
    /// A colleague.
    Colleague,
    /// Somebody in a list of contacts.
    Contact,
    /// Somebody from the history.
    History,
    /// The text itself, dialled as a number or address.
    Dial,
}

/// One search result, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SearchHit {
    /// Kind.
    pub kind: HitKind,
    /// What to show first.
    pub name: String,
    /// Number or address to dial.
    pub target: String,
    /// Second line.
    pub detail: String,
    /// Of a contact: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub contact: Option<u64>,
    /// Of a colleague: the account by which he is called. Two companies at one desk may have the same extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<String>,
}

/// Something the user must know.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Notice {
    /// Id for dismissing.
    pub id: u64,
    /// What it is.
    pub code: Code,
    /// What the system said, for support; never a secret.
    pub detail: Option<String>,
    /// When.
    pub at_ms: u64,
    /// True for trouble that stops work.
    pub severe: bool,
}

/// Language of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// As the system says, Dutch when unknown.
    #[default]
    System,
    /// Dutch.
    Nl,
    /// English.
    En,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The user's choices.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SettingsView {
    /// Language.
    pub language: Language,
    /// Theme.
    pub theme: Theme,
    /// Keys that work everywhere.
    pub hotkeys: Hotkeys,
    /// What is asked about before it is dialled.
    pub guard: GuardSettings,
    /// What the desktop's notifications tell.
    pub notices: NoticeSettings,
}
