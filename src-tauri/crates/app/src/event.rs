//! Events: what the headless program prints as it happens, one JSON line each.

use serde::Serialize;
use ts_rs::TS;

use crate::code::Code;
use crate::view::centre::{AgentBarView, LinkName};
use crate::view::queue::QueueView;
use crate::view::sources::{SourceState, SourceTrouble};
use crate::view::{
    AccountState, CallDirection, CallState, Encryption, LineView, PeerView, RegisteredDevice,
    TransferEntry,
};

/// An event and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct EventLine {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Seconds since the program started.
    pub t: f64,
}

/// A source of contacts changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceEvent {
    /// Source id.
    pub source: u64,
    /// What it is doing.
    pub state: SourceState,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trouble: Option<SourceTrouble>,
    /// Contacts that are here.
    pub contacts: u64,
    /// What a reading has brought that just ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub change: Option<SourceChange>,
}

/// What a reading of a source has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct SourceChange {
    /// Everything was read, and not only what had changed.
    pub full: bool,
    /// Records that were new or another.
    pub put: usize,
    /// Records that are no more.
    pub gone: usize,
    /// How long the server took, milliseconds.
    pub millis: u64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "event")]
pub enum Event {
    /// First line of all.
    #[serde(rename = "hello")]
    Hello {
        /// Version of the interface.
        protocol: u32,
        /// Version of the program.
        version: String,
    },
    /// An account changed.
    #[serde(rename = "account.state")]
    AccountState(AccountEvent),
    /// Other devices of an account came or went.
    #[serde(rename = "account.devices")]
    AccountDevices {
        /// Account id.
        account: String,
        /// All that are registered, this program first.
        devices: Vec<RegisteredDevice>,
    },
    /// A call changed.
    #[serde(rename = "call.state")]
    CallState(Box<CallEvent>),
    /// Sound began or stopped in one direction.
    #[serde(rename = "call.media")]
    CallMedia {
        /// Call id.
        call: u64,
        /// True while packets arrive.
        rx_active: bool,
        /// True while packets are sent.
        tx_active: bool,
    },
    /// The other side pressed a key.
    #[serde(rename = "call.dtmf")]
    CallDtmf {
        /// Call id.
        call: u64,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
    },
    /// A transfer went on.
    #[serde(rename = "call.transfer")]
    CallTransfer {
        /// Call id.
        call: u64,
        /// How far it is.
        state: TransferState,
        /// SIP status.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        status: Option<u16>,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        reason: Option<Code>,
    },
    /// One of the last transfers began, went on or ended: as the list of them has it now.
    #[serde(rename = "transfer.changed")]
    TransferChanged(Box<TransferEntry>),
    /// A call is parked.
    #[serde(rename = "call.parked")]
    CallParked {
        /// Call id.
        call: u64,
        /// Where, when that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        slot: Option<String>,
    },
    /// A watched line changed.
    #[serde(rename = "line.state")]
    LineState(Box<LineView>),
    /// A source of contacts begins to be read, or was.
    #[serde(rename = "source.state")]
    SourceState(SourceEvent),
    /// A headset or a busy light came, went, or cannot be used.
    #[serde(rename = "headset.state")]
    HeadsetState {
        /// Name of the headset in use.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        used: Option<String>,
        /// Name of the busy light in use.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        light: Option<String>,
        /// Why a headset cannot be used now.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        trouble: Option<Code>,
    },
    /// Messages are waiting, or no longer.
    #[serde(rename = "mwi")]
    Mwi {
        /// Account id.
        account: String,
        /// True: the lamp is on.
        waiting: bool,
        /// New messages.
        new: u32,
        /// Old messages.
        old: u32,
    },
    /// The view of an account's exchange (its call centre and services) came, went, or cannot come.
    #[serde(rename = "exchange.state")]
    ExchangeState(Box<ExchangeEvent>),
    /// A queue changed.
    #[serde(rename = "queue.changed")]
    QueueChanged(Box<QueueView>),
    /// The own agent changed.
    #[serde(rename = "agent.changed")]
    AgentChanged(Box<AgentEvent>),
    /// Something went wrong that no request asked for.
    #[serde(rename = "error")]
    Error {
        /// Stable word.
        code: Code,
        /// For people reading logs.
        message: String,
    },
}

/// How the view of an account's exchange stands.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct ExchangeEvent {
    /// Account id.
    pub account: String,
    /// State.
    pub state: LinkName,
    /// Why it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<Code>,
    /// What the exchange or the system said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
    /// When the next try is made, milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_at_ms: Option<u64>,
}

/// The own agent of an account.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct AgentEvent {
    /// Account id.
    pub account: String,
    /// How the view of the exchange stands.
    pub link: LinkName,
    /// The bar.
    #[serde(flatten)]
    pub agent: AgentBarView,
}

/// An account's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct AccountEvent {
    /// Account id.
    pub account: String,
    /// State.
    pub state: AccountState,
    /// Why, when it is not registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<Code>,
    /// What the server or system said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
    /// Seconds the registration is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires: Option<u32>,
    /// Contact address that was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub contact: Option<String>,
}

/// A call's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CallEvent {
    /// Call id.
    pub call: u64,
    /// Account id.
    pub account: String,
    /// Direction.
    pub direction: CallDirection,
    /// State.
    pub state: CallState,
    /// The other side.
    pub peer: PeerView,
    /// Who diverted the call to us.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub diverted_from: Option<String>,
    /// Number or menu the caller dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub via: Option<String>,
    /// SIP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<u16>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<Code>,
    /// The call that this one is a consultation for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub consult_of: Option<u64>,
    /// True while it is in a conference.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub conference: bool,
    /// The queue it came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub queue: Option<CallQueueEvent>,
    /// True while the sound is encrypted.
    pub secure: bool,
    /// How it is, with the keys taken into account.
    pub encryption: Encryption,
    /// Codec in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub codec: Option<String>,
}

/// The queue that a call came through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CallQueueEvent {
    /// Queue id.
    pub queue: String,
    /// Name.
    pub name: String,
    /// How long the caller waited, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub waited: Option<u32>,
    /// Digits that he entered on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub digits: Option<String>,
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Asked for.
    Trying,
    /// It rings there.
    Ringing,
    /// Taken.
    Done,
    /// The caller is ours again.
    Failed,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_have_the_documented_form() {
        let hello = Event::Hello { protocol: 1, version: "0.1.0".into() };
        assert_eq!(
            serde_json::to_value(EventLine { event: hello, t: 0.0 }).unwrap(),
            json!({"event": "hello", "protocol": 1, "version": "0.1.0", "t": 0.0})
        );
        let account = AccountEvent {
            account: "main".into(),
            state: AccountState::Registered,
            reason: None,
            detail: None,
            expires: Some(300),
            contact: None,
        };
        assert_eq!(
            serde_json::to_value(EventLine { event: Event::AccountState(account), t: 1.5 })
                .unwrap(),
            json!({"event": "account.state", "account": "main", "state": "registered", "expires": 300, "t": 1.5})
        );
    }
}
