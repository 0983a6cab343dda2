//! The command set: one list of requests and replies for the window, the headless program and tests.
//!
//! A request is `{"id": 1, "cmd": "call.dial", "to": "102"}`; its reply `{"id": 1, "ok": {…}}` or
//! `{"id": 1, "error": {"code": "…", "message": "…"}}`. Reading is strict about what a command
//! needs and tolerant of members it does not know.

mod account;
mod centre;
mod desktop;
mod media;
mod password;
mod people;
mod report;
mod sources;
mod targets;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::account::{AccountForm, DiscoveredAccount, ExchangeForm, TransportChoice};
pub use self::centre::{CentreCommand, DriftAction, SoundText, SuperviseHow};
pub use self::desktop::DeskKey;
pub use self::media::{EncryptionChoice, KeyingChoice, MediaForm, RingSound};
pub use self::password::Password;
pub use self::people::{ImportFile, PeopleCommand, SubjectChoice};
pub use self::report::{CallStats, DelayStats, DirectionStats, TestKind, TestReport, TestStep};
pub use self::sources::{
    NewContact, NewNumber, SignInWay, SourceCommand, SourceEncryption, SourceForm, SourcePlace,
    SourceSettings,
};
pub use self::targets::TargetCommand;
use crate::code::Code;
use crate::config::RecordingFormatName;
use crate::view::centre::CentreView;
use crate::view::desktop::{Hotkeys, NoticeSettings};
use crate::view::kept::{MessageView, PersonalNumberView};
use crate::view::people::{
    AvailabilityView, CallBackView, ContactSourceView, ContactView, ErasedReport, ImportPreview,
    ImportReport, NoteView, NumberView, PrivacyReport, PrivacyView, ScreenPopView,
};
use crate::view::queue::QueueView;
use crate::view::ring::RingSource;
use crate::view::safety::GuardSettings;
use crate::view::service::{GreetingRecording, ServiceView};
use crate::view::sources::{SourceSignIn, SourceSignedIn, SourceTest, SourceView};
use crate::view::targets::TargetView;
use crate::view::{
    AppView, DemoView, HistoryEntry, Language, LineView, SearchHit, Theme, TransferEntry,
};

/// Version of the control interface, told in the `hello` event.
pub const PROTOCOL: u32 = 1;

/// A request as it is read from a line or from the window.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct Request {
    /// Anything the asker likes; given back in the reply.
    #[serde(default)]
    #[ts(type = "number | string | null")]
    pub id: serde_json::Value,
    /// What is asked for.
    #[serde(flatten)]
    pub command: Command,
}

/// Everything that can be asked for.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "cmd")]
pub enum Command {
    /// Register now.
    #[serde(rename = "account.register")]
    AccountRegister {
        /// Account id.
        account: String,
    },
    /// Unregister and stay so.
    #[serde(rename = "account.unregister")]
    AccountUnregister {
        /// Account id.
        account: String,
    },
    /// Try an account form out without keeping it. Answered with [`TestReport`].
    #[serde(rename = "account.test")]
    AccountTest {
        /// What was filled in.
        form: AccountForm,
    },
    /// Find the account that belongs to a user name and password of an exchange's web services. The password is tried
    /// once. Answered with [`DiscoveredAccount`], whose token goes into a form.
    #[serde(rename = "account.discover")]
    AccountDiscover {
        /// User name, `jan@company.example`.
        user: String,
        /// Password.
        password: Password,
        /// Server of the web services, `xsp.example.nl`; where the domain of the user name says when left out.
        #[serde(default)]
        #[ts(optional, as = "Option<String>")]
        server: String,
    },
    /// Keep an account and register it. Answered with [`AccountSaved`].
    #[serde(rename = "account.save")]
    AccountSave {
        /// What was filled in.
        form: AccountForm,
    },
    /// Forget an account and its password.
    #[serde(rename = "account.remove")]
    AccountRemove {
        /// Account id.
        account: String,
    },
    /// The password of an account, for this session and, where there is one, for the keyring.
    #[serde(rename = "account.password")]
    AccountPassword {
        /// Account id.
        account: String,
        /// The password.
        password: Password,
        /// It is the one of the account's exchange (web services, manager interface).
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        exchange: bool,
        /// It is the one of the account's relays (TURN).
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        relay: bool,
    },
    /// Call somebody. Answered with [`CallCreated`].
    #[serde(rename = "call.dial")]
    Dial {
        /// What was typed: number, name, address.
        to: String,
        /// Account to call from; the first usable one when left out.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
        /// Withhold the own number.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        withhold: bool,
        /// Refused with `asks_first` where the user's rules want to be asked about such a number; ask again without this
        /// when he has said yes.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        guarded: bool,
    },
    /// Answer a ringing call.
    #[serde(rename = "call.answer")]
    Answer {
        /// Call id.
        call: u64,
    },
    /// Tell the caller that it rings (180).
    #[serde(rename = "call.ring")]
    Ring {
        /// Call id.
        call: u64,
    },
    /// Answer 183 with a description, so that sound flows before the answer.
    #[serde(rename = "call.progress")]
    Progress {
        /// Call id.
        call: u64,
    },
    /// Decline a ringing call.
    #[serde(rename = "call.reject")]
    Reject {
        /// Call id.
        call: u64,
        /// SIP status, 486 when left out.
        #[serde(default)]
        #[ts(optional)]
        status: Option<u16>,
    },
    /// Send a ringing call elsewhere (302).
    #[serde(rename = "call.redirect")]
    Redirect {
        /// Call id.
        call: u64,
        /// Where to.
        to: String,
        /// Refused with `asks_first` where the user's rules want to be asked about such a number; ask again without this
        /// when he has said yes.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        guarded: bool,
    },
    /// Hang up, stop dialling or decline, as the state demands.
    #[serde(rename = "call.hangup")]
    Hangup {
        /// Call id.
        call: u64,
    },
    /// Put on hold.
    #[serde(rename = "call.hold")]
    Hold {
        /// Call id.
        call: u64,
    },
    /// Take back from hold; another active call is held first.
    #[serde(rename = "call.resume")]
    Resume {
        /// Call id.
        call: u64,
    },
    /// Stop or start sending the microphone.
    #[serde(rename = "call.mute")]
    Mute {
        /// Call id.
        call: u64,
        /// True: not sent.
        on: bool,
    },
    /// Send digits.
    #[serde(rename = "call.dtmf")]
    Dtmf {
        /// Call id.
        call: u64,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digits: String,
    },
    /// Refresh the call with the present description.
    #[serde(rename = "call.reinvite")]
    Reinvite {
        /// Call id.
        call: u64,
    },
    /// The same by UPDATE (RFC 3311) where the other side takes one.
    #[serde(rename = "call.update")]
    Update {
        /// Call id.
        call: u64,
    },
    /// Put calls together, mixed here: each hears the user and the others.
    #[serde(rename = "call.conference")]
    Conference {
        /// Call ids, two or more.
        calls: Vec<u64>,
    },
    /// Park a call: send it to the exchange's parking lot. Answered with [`Parked`].
    #[serde(rename = "call.park")]
    Park {
        /// Call id.
        call: u64,
        /// Where, for exchanges that let one choose; the own number or the exchange's choice when left
        /// out.
        #[serde(default)]
        #[ts(optional)]
        slot: Option<String>,
    },
    /// Take a parked call back. Answered with [`CallCreated`].
    #[serde(rename = "call.retrieve")]
    Retrieve {
        /// Where it is parked; the own number when left out, for exchanges that park there.
        #[serde(default)]
        #[ts(optional)]
        slot: Option<String>,
        /// Account to dial with; the first usable one when left out.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Take a call that rings at somebody else. Answered with [`CallCreated`].
    #[serde(rename = "call.pickup")]
    Pickup {
        /// At whom it rings: extension or address.
        target: String,
        /// Account to dial with; the first usable one when left out.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Send the other side to somebody else, unasked.
    #[serde(rename = "call.transfer.blind")]
    TransferBlind {
        /// Call id.
        call: u64,
        /// Where to: number, name, address.
        to: String,
        /// Refused with `asks_first` where the user's rules want to be asked about such a number; ask again without this
        /// when he has said yes.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        guarded: bool,
    },
    /// Ask somebody else first, with the other side on hold. Answered with [`ConsultCreated`].
    #[serde(rename = "call.transfer.consult")]
    TransferConsult {
        /// Call id.
        call: u64,
        /// Whom: number, name, address.
        to: String,
        /// Refused with `asks_first` where the user's rules want to be asked about such a number; ask again without this
        /// when he has said yes.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        guarded: bool,
    },
    /// Connect the caller with the consulted party; where that one has not answered, the caller
    /// hears it ring himself.
    #[serde(rename = "call.transfer.complete")]
    TransferComplete {
        /// Call id of the caller or of the consultation.
        call: u64,
    },
    /// Take the caller back from a transfer or a consultation, in whatever state.
    #[serde(rename = "call.transfer.cancel")]
    TransferCancel {
        /// Call id of the caller or of the consultation.
        call: u64,
    },
    /// The last transfers, newest first. Answered with a list of [`TransferEntry`].
    #[serde(rename = "transfer.list")]
    TransferList {},
    /// Call somebody back who was sent on. Answered with [`CallCreated`].
    #[serde(rename = "transfer.call_back")]
    TransferCallBack {
        /// Id of the transfer.
        transfer: u64,
    },
    /// What is measured of the call's sound. Answered with [`CallStats`].
    #[serde(rename = "call.stats")]
    Stats {
        /// Call id.
        call: u64,
    },
    /// Search people. Answered with a list of [`SearchHit`].
    #[serde(rename = "contacts.search")]
    ContactsSearch {
        /// What was typed.
        text: String,
        /// At most so many, 20 when left out.
        #[serde(default)]
        #[ts(optional)]
        limit: Option<u32>,
    },
    /// Who has this number? Answered with a list of [`SearchHit`].
    #[serde(rename = "contacts.lookup")]
    ContactsLookup {
        /// Number in any notation.
        number: String,
        /// At most so many, 20 when left out.
        #[serde(default)]
        #[ts(optional)]
        limit: Option<u32>,
    },
    /// Calls that are over, newest first. Answered with a list of [`HistoryEntry`].
    #[serde(rename = "history.list")]
    HistoryList {
        /// At most so many; all that are in memory (500) when left out, 100 when `before_ms` is given.
        #[serde(default)]
        #[ts(optional)]
        limit: Option<u32>,
        /// Only calls that began before this time, milliseconds since the Unix epoch, as far back as they are kept, and
        /// those of this run.
        #[serde(default)]
        #[ts(optional)]
        before_ms: Option<u64>,
        /// Only calls with this number, in any notation, as far back as they are kept.
        #[serde(default)]
        #[ts(optional)]
        number: Option<String>,
    },
    /// The missed calls were looked at.
    #[serde(rename = "history.seen")]
    HistorySeen {},
    /// Watch lines, each by its own subscription, or those that a list of the exchange names.
    #[serde(rename = "line.watch")]
    LineWatch {
        /// Addresses or extensions.
        #[serde(default)]
        #[ts(optional, as = "Option<Vec<String>>")]
        uris: Vec<String>,
        /// Address of a resource list (RFC 4662).
        #[serde(default)]
        #[ts(optional)]
        list: Option<String>,
        /// How: by calls (`dialog`, RFC 4235) or by presence (RFC 3856). Left out: by calls, and by
        /// presence where the exchange tells of no calls.
        #[serde(default)]
        #[ts(optional)]
        package: Option<WatchPackage>,
        /// Account to ask with; the first usable one when left out.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Watch lines or a list no longer.
    #[serde(rename = "line.unwatch")]
    LineUnwatch {
        /// As they were given to `line.watch`.
        #[serde(default)]
        #[ts(optional, as = "Option<Vec<String>>")]
        uris: Vec<String>,
        /// As it was given.
        #[serde(default)]
        #[ts(optional)]
        list: Option<String>,
        /// As it was given; left out: by any.
        #[serde(default)]
        #[ts(optional)]
        package: Option<WatchPackage>,
        /// As it was given.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Every watched line as it stands. Answered with a list of [`LineView`].
    #[serde(rename = "line.list")]
    LineList {},
    /// Addresses of this machine changed.
    #[serde(rename = "network.changed")]
    NetworkChanged {},
    /// The whole visible state. Answered with [`AppView`].
    #[serde(rename = "view.get")]
    ViewGet {},
    /// Change the user's choices; what is left out stays.
    #[serde(rename = "settings.set")]
    SettingsSet {
        /// Language.
        #[serde(default)]
        #[ts(optional)]
        language: Option<Language>,
        /// Theme.
        #[serde(default)]
        #[ts(optional)]
        theme: Option<Theme>,
        /// Keys that work everywhere; the window asks the desktop for them.
        #[serde(default)]
        #[ts(optional)]
        hotkeys: Option<Hotkeys>,
        /// What is asked about before it is dialled.
        #[serde(default)]
        #[ts(optional)]
        guard: Option<GuardSettings>,
        /// What the desktop's notifications tell.
        #[serde(default)]
        #[ts(optional)]
        notices: Option<NoticeSettings>,
    },
    /// Do to the call that is meant what a key outside the window asks for.
    #[serde(rename = "desk.key")]
    DeskKey {
        /// What the key asks for.
        key: DeskKey,
        /// Pressed anywhere, perhaps meant for another program: refused with `call_waiting` where answering would put a
        /// conversation on hold, unless it is pressed again within five seconds.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        guarded: bool,
    },
    /// Lay a number, a link or a name ready in the window, to be dialled there by hand.
    #[serde(rename = "desk.prepare")]
    DeskPrepare {
        /// What was clicked, selected or copied; at most 256 characters.
        text: String,
    },
    /// The window shows what was laid ready.
    #[serde(rename = "desk.prepared_taken")]
    DeskPreparedTaken {},
    /// Choose devices; null follows the system.
    #[serde(rename = "devices.set")]
    DevicesSet {
        /// Microphone.
        #[serde(default)]
        input: Option<String>,
        /// Loudspeaker or headset.
        #[serde(default)]
        output: Option<String>,
        /// Where it rings: a device, or several that ring at once.
        #[serde(default, deserialize_with = "crate::config::several::deserialize")]
        #[ts(type = "string | Array<string> | null")]
        ringer: Vec<String>,
        /// Where alerts sound (somebody else calls); null: where one talks.
        #[serde(default)]
        #[ts(optional = nullable)]
        alerts: Option<String>,
    },
    /// What is done to the microphone's sound; what is left out stays.
    #[serde(rename = "processing.set")]
    ProcessingSet {
        /// Take the other side's voice out.
        #[serde(default)]
        #[ts(optional)]
        echo_cancelling: Option<bool>,
        /// Make steady noise softer.
        #[serde(default)]
        #[ts(optional)]
        noise_suppression: Option<bool>,
        /// Even out how loud the user speaks.
        #[serde(default)]
        #[ts(optional)]
        gain_control: Option<bool>,
    },
    /// Whether a headset's keys and lamps are used, which one, and whether a busy light is; what is left out stays.
    #[serde(rename = "headset.set")]
    HeadsetSet {
        /// Use the keys and lamps.
        #[serde(default)]
        #[ts(optional)]
        on: Option<bool>,
        /// Id of the headset; empty: the first there is.
        #[serde(default)]
        #[ts(optional)]
        device: Option<String>,
        /// Use a busy light.
        #[serde(default)]
        #[ts(optional)]
        light: Option<bool>,
    },
    /// Whether and how calls are recorded on this machine; what is left out stays. `bad_value` when the folder or the announcement
    /// is not named by its whole path, the announcement is no WAV file that is there, or the days are not 1 to 3650. Where calls
    /// may be recorded no longer, recordings that are being made end.
    #[serde(rename = "recording.set")]
    RecordingSet {
        /// Calls may be recorded, each at the user's wish (`call.record`).
        #[serde(default)]
        #[ts(optional)]
        enabled: Option<bool>,
        /// How recordings are kept.
        #[serde(default)]
        #[ts(optional)]
        format: Option<RecordingFormatName>,
        /// Folder where they are kept; empty: the usual one.
        #[serde(default)]
        #[ts(optional)]
        folder: Option<String>,
        /// WAV file that the other side hears first; empty: a tone alone.
        #[serde(default)]
        #[ts(optional)]
        announcement: Option<String>,
        /// Days after which they are deleted.
        #[serde(default)]
        #[ts(optional)]
        keep_days: Option<u32>,
    },
    /// Ask for level updates, or no longer.
    #[serde(rename = "levels.watch")]
    LevelsWatch {
        /// True while a meter is visible.
        on: bool,
    },
    /// Take down what the user says for some seconds and play it to him, or end that; not during calls.
    #[serde(rename = "audio.test")]
    AudioTest {
        /// Begin, or end.
        on: bool,
    },
    /// What is heard where alerts sound; what is left out stays.
    #[serde(rename = "alerts.set")]
    AlertsSet {
        /// A queue that goes over one of its thresholds.
        #[serde(default)]
        #[ts(optional)]
        queues: Option<bool>,
        /// Severe notices.
        #[serde(default)]
        #[ts(optional)]
        notices: Option<bool>,
    },
    /// Another sound for calls that ring; without one the built-in sound.
    #[serde(rename = "ring.set")]
    RingSet {
        /// Which calls.
        source: RingSource,
        /// The user's own sound.
        #[serde(default)]
        #[ts(optional)]
        sound: Option<RingSound>,
    },
    /// Let it ring for some seconds, as calls from there do, or no longer; not during calls.
    #[serde(rename = "ring.try")]
    RingTry {
        /// Which calls; none: end it.
        #[serde(default)]
        #[ts(optional)]
        source: Option<RingSource>,
    },
    /// A notice was read.
    #[serde(rename = "notice.dismiss")]
    NoticeDismiss {
        /// Notice id.
        id: u64,
    },
    /// Start the embedded exchange and an account on it. Answered with [`DemoView`].
    #[serde(rename = "demo.start")]
    DemoStart {},
    /// Stop the embedded exchange; its account goes.
    #[serde(rename = "demo.stop")]
    DemoStop {},
    /// A simulated customer calls.
    #[serde(rename = "demo.customer")]
    DemoCustomer {
        /// Through the queue that the account takes calls of.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        queue: bool,
    },
    /// End in good order.
    #[serde(rename = "quit")]
    Quit {},
    /// Something of the exchange; [`Request::parse`] reads it by itself, so that every message says what is wrong.
    #[serde(skip_deserializing)]
    #[ts(untagged)]
    Centre(CentreCommand),
    /// Something about people; read in the same way.
    #[serde(skip_deserializing)]
    #[ts(untagged)]
    People(PeopleCommand),
    /// Something about sources of contacts; read in the same way.
    #[serde(skip_deserializing)]
    #[ts(untagged)]
    Sources(SourceCommand),
    /// Something about where callers can be sent; read in the same way.
    #[serde(skip_deserializing)]
    #[ts(untagged)]
    Target(TargetCommand),
}

/// Names of [`Command`], to tell a wrong argument from an unknown command.
const NAMES: &[&str] = &[
    "account.register",
    "account.unregister",
    "account.test",
    "account.discover",
    "account.save",
    "account.remove",
    "account.password",
    "call.dial",
    "call.answer",
    "call.ring",
    "call.progress",
    "call.reject",
    "call.redirect",
    "call.hangup",
    "call.hold",
    "call.resume",
    "call.mute",
    "call.dtmf",
    "call.reinvite",
    "call.update",
    "call.conference",
    "call.park",
    "call.retrieve",
    "call.pickup",
    "call.transfer.blind",
    "call.transfer.consult",
    "call.transfer.complete",
    "call.transfer.cancel",
    "transfer.list",
    "transfer.call_back",
    "call.stats",
    "contacts.search",
    "contacts.lookup",
    "history.list",
    "history.seen",
    "line.watch",
    "line.unwatch",
    "line.list",
    "network.changed",
    "view.get",
    "settings.set",
    "desk.key",
    "desk.prepare",
    "desk.prepared_taken",
    "devices.set",
    "processing.set",
    "headset.set",
    "recording.set",
    "levels.watch",
    "audio.test",
    "alerts.set",
    "ring.set",
    "ring.try",
    "notice.dismiss",
    "demo.start",
    "demo.stop",
    "demo.customer",
    "quit",
];

impl Request {
    /// Reads one line.
    ///
    /// # Errors
    /// A ready reply with the code `bad_request` (no JSON object, arguments missing or of the wrong
    /// type) or `unknown_command`.
    pub fn parse(line: &str) -> Result<Request, Reply> {
        let value: serde_json::Value = serde_json::from_str(line).map_err(|error| {
            let text = format!("not a JSON line: column {}", error.column());
            Reply::error(serde_json::Value::Null, ErrorReply::new(Code::BadRequest, text))
        })?;
        Request::from_value(value)
    }

    /// Reads a request that is JSON already. See [`Request::parse`].
    ///
    /// # Errors
    /// As [`Request::parse`].
    pub fn from_value(value: serde_json::Value) -> Result<Request, Reply> {
        let id = value.get("id").cloned().unwrap_or_default();
        let fail = |code, text: String| Reply::error(id.clone(), ErrorReply::new(code, text));
        let name = value.get("cmd").and_then(serde_json::Value::as_str).map(str::to_owned);
        let Some(name) = name else {
            return Err(fail(Code::BadRequest, "a request is an object with \"cmd\"".to_owned()));
        };
        let of_centre = centre::NAMES.contains(&name.as_str());
        let of_people = people::NAMES.contains(&name.as_str());
        let of_sources = sources::NAMES.contains(&name.as_str());
        let of_targets = targets::NAMES.contains(&name.as_str());
        let of_others = of_centre || of_people || of_sources || of_targets;
        if !of_others && !NAMES.contains(&name.as_str()) {
            return Err(fail(Code::UnknownCommand, format!("no command is called {name:?}")));
        }
        // The error text of serde may quote a value; it never names a secret, since a secret is any text.
        let read = match (of_centre, of_people) {
            (true, _) => CentreCommand::deserialize(value).map(Command::Centre),
            (_, true) => PeopleCommand::deserialize(value).map(Command::People),
            _ if of_sources => SourceCommand::deserialize(value).map(Command::Sources),
            _ if of_targets => TargetCommand::deserialize(value).map(Command::Target),
            _ => Command::deserialize(value),
        };
        match read {
            Ok(command) => Ok(Request { id, command }),
            Err(error) => Err(fail(Code::BadRequest, format!("{name}: {error}"))),
        }
    }
}

/// How a line is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WatchPackage {
    /// Its calls (RFC 4235).
    #[default]
    Dialog,
    /// Whether somebody is there, and what he does (RFC 3856).
    Presence,
}

/// What a successful command gives back.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(untagged)]
pub enum Answer {
    /// Done, nothing to tell.
    Done(Done),
    /// A call was made.
    Call(CallCreated),
    /// A consultation was begun.
    Consult(ConsultCreated),
    /// A call is on its way into the parking lot.
    Parked(Parked),
    /// Measurements.
    Stats(Box<CallStats>),
    /// People.
    Hits(Vec<SearchHit>),
    /// Past calls.
    History(Vec<HistoryEntry>),
    /// The last transfers.
    Transfers(Vec<TransferEntry>),
    /// The visible state.
    View(Box<AppView>),
    /// What a test of an account found.
    Test(TestReport),
    /// The account that was found.
    Discovered(Box<DiscoveredAccount>),
    /// The account that was kept.
    Account(AccountSaved),
    /// The embedded exchange.
    Demo(DemoView),
    /// Watched lines.
    Lines(Vec<LineView>),
    /// Exchanges.
    Centres(Vec<CentreView>),
    /// Queues.
    Queues(Vec<QueueView>),
    /// Services.
    Services(Vec<ServiceView>),
    /// The place that a caller has now.
    Position(QueuePosition),
    /// A call that the exchange makes.
    ExchangeCall(ExchangeCallCreated),
    /// A recording of the user's own, or of somebody who left a message.
    Greeting(GreetingRecording),
    /// Messages in the voicemail.
    Messages(Vec<MessageView>),
    /// Numbers that the user keeps at the exchange.
    PersonalNumbers(Vec<PersonalNumberView>),
    /// A contact.
    Contact(Box<ContactView>),
    /// Lists of contacts.
    Sources(Vec<ContactSourceView>),
    /// What a file looks like.
    ImportPreview(Box<ImportPreview>),
    /// What an import did.
    Imported(ImportReport),
    /// What would be dialled.
    Number(Box<NumberView>),
    /// A note.
    Note(NoteView),
    /// Notes.
    Notes(Vec<NoteView>),
    /// Who is to be called back.
    CallBacks(Vec<CallBackView>),
    /// Everything that is kept of somebody.
    Privacy(Box<PrivacyReport>),
    /// How much was erased.
    Erased(ErasedReport),
    /// When people are free.
    Availability(Vec<AvailabilityView>),
    /// How long things are kept.
    Kept(PrivacyView),
    /// What is opened for a caller.
    ScreenPop(Box<ScreenPopView>),
    /// Sources of contacts.
    ContactSources(Vec<SourceView>),
    /// A source of contacts.
    Source(Box<SourceView>),
    /// What trying a source out found.
    SourceTest(SourceTest),
    /// What a person needs to sign in.
    SourceSignIn(Box<SourceSignIn>),
    /// How a sign-in ended.
    SourceSignedIn(SourceSignedIn),
    /// Ways to reach somebody.
    Targets(Vec<TargetView>),
}

impl Answer {
    /// `{}`.
    pub fn done() -> Answer {
        Answer::Done(Done {})
    }
}

/// `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
pub struct Done {}

/// Answer to `call.dial`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct CallCreated {
    /// Id of the new call.
    pub call: u64,
}

/// Answer to `call.park`: how it goes is told as a transfer, and by `call.parked` when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Parked {
    /// Where it will be, when that is known; else only the exchange knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub slot: Option<String>,
}

/// Answer to `call.transfer.consult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct ConsultCreated {
    /// Id of the new call.
    pub call: u64,
    /// The same, in the word of the interface.
    pub consult: u64,
}

/// Answer to `queue.reorder` and `queue.promote`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct QueuePosition {
    /// The caller's place, from 1; null when the exchange does not say.
    pub position: Option<u32>,
}

/// Answer to `supervise` and `escalate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ExchangeCallCreated {
    /// The exchange's own name of the call, which rings at the user's phone; null when it does not say.
    pub exchange_call: Option<String>,
}

/// Answer to `account.save`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct AccountSaved {
    /// Id of the account.
    pub account: String,
    /// True when there is no keyring: the password is kept for this session only.
    pub session_only: bool,
}

/// A reply line.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Reply {
    /// Id of the request.
    #[ts(type = "number | string | null")]
    pub id: serde_json::Value,
    /// What came of it.
    #[serde(flatten)]
    pub result: ReplyResult,
}

/// The two ways a request ends.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReplyResult {
    /// It was done, or is under way.
    Ok(Answer),
    /// It was refused.
    Error(ErrorReply),
}

impl Reply {
    /// A reply from what the program gave back.
    pub fn new(id: serde_json::Value, result: Result<Answer, ErrorReply>) -> Reply {
        let result = match result {
            Ok(answer) => ReplyResult::Ok(answer),
            Err(error) => ReplyResult::Error(error),
        };
        Reply { id, result }
    }

    /// A refusal.
    pub fn error(id: serde_json::Value, error: ErrorReply) -> Reply {
        Reply { id, result: ReplyResult::Error(error) }
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct ErrorReply {
    /// Stable word.
    pub code: Code,
    /// For people reading logs; front ends translate the code.
    pub message: String,
}

impl ErrorReply {
    /// A refusal in words.
    pub fn new(code: Code, message: impl Into<String>) -> ErrorReply {
        ErrorReply { code, message: message.into() }
    }
}

#[cfg(test)]
mod tests;
