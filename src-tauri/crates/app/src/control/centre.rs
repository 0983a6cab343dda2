//! Commands for the call centre and the services of the exchange.
//!
//! `account` may always be left out: the first account that has an exchange is meant.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Password;
use crate::view::centre::AgentWish;
use crate::view::queue::{PriorityName, ThresholdView};
use crate::view::recording::RecordDo;
use crate::view::service::{GreetingOf, NightChoice, ServiceName, ServiceValues};

/// Names of [`CentreCommand`].
pub(super) const NAMES: &[&str] = &[
    "centre.get",
    "centre.refresh",
    "queue.list",
    "queue.join",
    "queue.leave",
    "queue.move",
    "queue.reorder",
    "queue.promote",
    "queue.release",
    "queue.thresholds",
    "agent.state",
    "agent.wrap_up.extend",
    "agent.drift",
    "hunt_group.join",
    "hunt_group.leave",
    "disposition.set",
    "disposition.skip",
    "abandoned.done",
    "service.get",
    "service.set",
    "greeting.get",
    "greeting.set",
    "night.set",
    "emergency.forward",
    "supervise",
    "escalate",
    "call.pull",
    "call.ring_back",
    "call.return",
    "call.redial",
    "call.trace",
    "call.record",
    "message.list",
    "message.get",
    "message.mark",
    "message.delete",
    "personal_number.list",
    "personal_number.add",
    "personal_number.change",
    "personal_number.remove",
    "guest.sign_in",
    "guest.sign_out",
];

/// Everything that can be asked of an exchange.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "cmd")]
pub enum CentreCommand {
    /// Every account's exchange as it stands. Answered with a list of [`crate::view::centre::CentreView`].
    #[serde(rename = "centre.get")]
    Get {},
    /// Read everything anew; after `refused` or `elsewhere` also: try again.
    #[serde(rename = "centre.refresh")]
    Refresh {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Queues as they stand. Answered with a list of [`crate::view::queue::QueueView`].
    #[serde(rename = "queue.list")]
    QueueList {
        /// Only this one, by id, name or number.
        #[serde(default)]
        #[ts(optional)]
        queue: Option<String>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Take calls of a queue.
    #[serde(rename = "queue.join")]
    QueueJoin {
        /// Queue by id, name or number.
        queue: String,
        /// As a supervisor: which agent.
        #[serde(default)]
        #[ts(optional)]
        agent: Option<String>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Take calls of a queue no longer.
    #[serde(rename = "queue.leave")]
    QueueLeave {
        /// Queue by id, name or number.
        queue: String,
        /// As a supervisor: which agent.
        #[serde(default)]
        #[ts(optional)]
        agent: Option<String>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Send a waiting caller elsewhere, or take him.
    #[serde(rename = "queue.move")]
    QueueMove {
        /// Queue by id, name or number.
        queue: String,
        /// Id of the caller in the queue.
        call: String,
        /// Where to: number or name; the user himself when left out.
        #[serde(default)]
        #[ts(optional)]
        to: Option<String>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Give a waiting caller another place.
    #[serde(rename = "queue.reorder")]
    QueueReorder {
        /// Queue by id, name or number.
        queue: String,
        /// Id of the caller in the queue.
        call: String,
        /// The place, from 1.
        position: u32,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Give a waiting caller a higher priority.
    #[serde(rename = "queue.promote")]
    QueuePromote {
        /// Queue by id, name or number.
        queue: String,
        /// Id of the caller in the queue.
        call: String,
        /// The priority.
        priority: PriorityName,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// End a waiting caller's call.
    #[serde(rename = "queue.release")]
    QueueRelease {
        /// Queue by id, name or number.
        queue: String,
        /// Id of the caller in the queue.
        call: String,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// The user's thresholds of a queue, kept in the settings; an empty list: those of the exchange again.
    #[serde(rename = "queue.thresholds")]
    QueueThresholds {
        /// Queue by id, name or number.
        queue: String,
        /// All of them.
        thresholds: Vec<ThresholdView>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// The agent's state.
    #[serde(rename = "agent.state")]
    AgentState {
        /// What is wanted.
        state: AgentWish,
        /// Code of the reason, with `unavailable`.
        #[serde(default)]
        #[ts(optional)]
        reason: Option<String>,
        /// As a supervisor: which agent.
        #[serde(default)]
        #[ts(optional)]
        agent: Option<String>,
        /// Sign out though a queue will be without agents.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        force: bool,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Stay in wrap-up longer than the exchange would have it.
    #[serde(rename = "agent.wrap_up.extend")]
    WrapUpExtend {
        /// By so many seconds, 1 to 3600; 30 when left out.
        #[serde(default)]
        #[ts(optional)]
        seconds: Option<u32>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// What to do about a state that is not the wanted one.
    #[serde(rename = "agent.drift")]
    AgentDrift {
        /// What to do.
        action: DriftAction,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Take calls of a hunt group.
    #[serde(rename = "hunt_group.join")]
    HuntGroupJoin {
        /// Group by id, name or number.
        group: String,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Take calls of a hunt group no longer.
    #[serde(rename = "hunt_group.leave")]
    HuntGroupLeave {
        /// Group by id, name or number.
        group: String,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Give a call an outcome: one that is asked for, one that still runs, or else the last one.
    #[serde(rename = "disposition.set")]
    DispositionSet {
        /// The outcome.
        code: String,
        /// Id of what is asked for.
        #[serde(default)]
        #[ts(optional)]
        disposition: Option<u64>,
        /// Id of a call in this program.
        #[serde(default)]
        #[ts(optional)]
        call: Option<u64>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Give a call no outcome, where none is forced.
    #[serde(rename = "disposition.skip")]
    DispositionSkip {
        /// Id of what is asked for.
        disposition: u64,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// An abandoned caller need not be called back any more, or (false) must be after all.
    #[serde(rename = "abandoned.done")]
    AbandonedDone {
        /// Id of the list.
        abandoned: u64,
        /// True when left out.
        #[serde(default)]
        #[ts(optional)]
        done: Option<bool>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Services of the user. Answered with a list of [`crate::view::service::ServiceView`].
    #[serde(rename = "service.get")]
    ServiceGet {
        /// Only this one.
        #[serde(default)]
        #[ts(optional)]
        service: Option<ServiceName>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Change a service; what is left out stays.
    #[serde(rename = "service.set")]
    ServiceSet {
        /// Which.
        service: ServiceName,
        /// What changes.
        values: ServiceValues,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// The user's own recording of a greeting of his voicemail. Answered with
    /// [`crate::view::service::GreetingRecording`].
    #[serde(rename = "greeting.get")]
    GreetingGet {
        /// Which.
        greeting: GreetingOf,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Give the voicemail a recording of the user's own, which callers hear from then on.
    #[serde(rename = "greeting.set")]
    GreetingSet {
        /// Which.
        greeting: GreetingOf,
        /// What it is called, 1 to 80 characters.
        name: String,
        /// A WAV file, mono, 8 or 16 kHz, 16 bit or G.711, at most 2.5 MB, base64 (RFC 4648 section 4).
        wav: SoundText,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Switch night.
    #[serde(rename = "night.set")]
    NightSet {
        /// How it is decided.
        night: NightChoice,
        /// Of a queue, by id, name or number; of the company as it holds for the user when left out.
        #[serde(default)]
        #[ts(optional)]
        queue: Option<String>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Send every call of the main line or of a queue to a number, and read it back.
    #[serde(rename = "emergency.forward")]
    EmergencyForward {
        /// Where to; null or left out: no longer.
        #[serde(default)]
        #[ts(optional)]
        to: Option<String>,
        /// Of a queue, by id, name or number; of the user's own line when left out.
        #[serde(default)]
        #[ts(optional)]
        queue: Option<String>,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Be in on an agent's call.
    #[serde(rename = "supervise")]
    Supervise {
        /// Agent by id, name or number.
        agent: String,
        /// How.
        how: SuperviseHow,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Take the call that the user has at another of his telephones. This one is rung and answers by itself.
    #[serde(rename = "call.pull")]
    CallPull {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Have the exchange ring the user when the line that he called last is free, and call it for him.
    #[serde(rename = "call.ring_back")]
    CallRingBack {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Have the exchange call whoever called last, at any telephone of the user. This one is rung and answers by itself.
    #[serde(rename = "call.return")]
    CallReturn {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Have the exchange call whom the user called last, from any of his telephones; likewise.
    #[serde(rename = "call.redial")]
    CallRedial {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Have the exchange report where the last call came from (customer-originated trace). This telephone is rung and
    /// answers by itself, and hears what the exchange says of it.
    #[serde(rename = "call.trace")]
    CallTrace {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Record a call, or do something with that recording: at the exchange where that records, else on this machine where calls
    /// may be recorded here (`recording.set`). That it was asked is answered; how far the recording is stands with the call.
    #[serde(rename = "call.record")]
    CallRecord {
        /// Id of the call in this program.
        call: u64,
        /// What.
        #[serde(rename = "do")]
        action: RecordDo,
    },
    /// The messages in the voicemail, newest first. Answered with a list of [`crate::view::kept::MessageView`].
    #[serde(rename = "message.list")]
    MessageList {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// What was said in a message. Answered with a [`crate::view::service::GreetingRecording`].
    #[serde(rename = "message.get")]
    MessageGet {
        /// Which, as it was listed.
        message: String,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Mark a message as heard, or as new.
    #[serde(rename = "message.mark")]
    MessageMark {
        /// Which, as it was listed.
        message: String,
        /// Heard.
        heard: bool,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Delete a message for good.
    #[serde(rename = "message.delete")]
    MessageDelete {
        /// Which, as it was listed.
        message: String,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// The numbers that the user keeps at the exchange, by name. Answered with a list of
    /// [`crate::view::kept::PersonalNumberView`].
    #[serde(rename = "personal_number.list")]
    PersonalNumberList {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Keep a number at the exchange.
    #[serde(rename = "personal_number.add")]
    PersonalNumberAdd {
        /// Name, 1 to 30 characters, which no other has.
        name: String,
        /// Number.
        number: String,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Keep a number in another way.
    #[serde(rename = "personal_number.change")]
    PersonalNumberChange {
        /// Its name so far.
        was: String,
        /// Name, 1 to 30 characters, which no other has.
        name: String,
        /// Number.
        number: String,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Keep a number no longer.
    #[serde(rename = "personal_number.remove")]
    PersonalNumberRemove {
        /// Its name.
        name: String,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Give the telephone to a guest. Answered when the exchange has told what came of it: `auth_failed` when the secret is
    /// not the guest's, `forbidden` when there cannot be such a guest, `not_supported` where telephones take none.
    #[serde(rename = "guest.sign_in")]
    GuestSignIn {
        /// His number, address or name.
        guest: String,
        /// His password or PIN. It is not sent, only proved.
        secret: Password,
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Take the telephone back from its guest.
    #[serde(rename = "guest.sign_out")]
    GuestSignOut {
        /// Account id.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Ask a supervisor into a call.
    #[serde(rename = "escalate")]
    Escalate {
        /// Id of the call in this program.
        call: u64,
        /// An emergency.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        emergency: bool,
        /// Which supervisor; the first free one when left out.
        #[serde(default)]
        #[ts(optional)]
        to: Option<String>,
    },
}

/// A sound file as text. What was said in it does not belong into logs.
#[derive(Clone, Deserialize, TS)]
#[serde(transparent)]
pub struct SoundText(String);

impl SoundText {
    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SoundText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoundText").field("length", &self.0.len()).finish_non_exhaustive()
    }
}

/// What to do about a drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DriftAction {
    /// Ask the exchange again.
    Repeat,
    /// Want what is so.
    Accept,
}

/// How to be in on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SuperviseHow {
    /// Hear both, be heard by none.
    Listen,
    /// Be heard by the agent.
    Coach,
    /// Be heard by both.
    BargeIn,
}
