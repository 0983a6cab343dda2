//! What the control port and the handle can turn: everything that a hosted exchange does by itself, on demand.

use serde::{Deserialize, Serialize};

use crate::acd::Night;
use crate::desk::{Barred, ForwardWhen, LineState};
use crate::exchange::{AnswerStatus, TransferFail};
use crate::life::Pace;
use crate::notifier::NotifyLoss;
use crate::rush::Rush;
use crate::sip_look::SipLook;
use crate::xsi::knobs::XsiKnob;

/// One turn of a knob; as JSON the `cmd` names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cmd")]
pub enum Knob {
    /// Ends subscriptions.
    #[serde(rename = "subscriptions.drop")]
    DropSubscriptions {
        /// Of this user only.
        #[serde(default)]
        user: Option<String>,
        /// With a last NOTIFY that gives this reason; without a word if left out.
        #[serde(default)]
        reason: Option<DropReason>,
    },
    /// Sets what can be subscribed to.
    #[serde(rename = "packages.set")]
    Packages {
        /// Any of `dialog`, `message-summary`, `presence`, `reg`, `as-feature-event`, `call-info`.
        packages: Vec<String>,
    },
    /// Takes a user's phones away, as an administrator would.
    #[serde(rename = "registration.remove")]
    RemoveRegistration {
        /// The extension.
        user: String,
        /// What the phones are told of it.
        #[serde(default)]
        event: RemovalEvent,
    },
    /// Loses and reorders NOTIFYs of subscriptions, in percent, until set anew.
    #[serde(rename = "notify.loss")]
    NotifyLoss(NotifyLoss),
    /// Keeps NOTIFYs back, until set anew.
    #[serde(rename = "notify.delay")]
    NotifyDelay {
        /// Milliseconds, at most a minute.
        ms: u64,
    },
    /// Forces what a line shows, or no longer.
    #[serde(rename = "line.set")]
    Line {
        /// Its extension.
        line: String,
        /// The state; what the line really does if left out.
        #[serde(default)]
        state: Option<LineState>,
    },
    /// Sets do-not-disturb.
    #[serde(rename = "line.dnd")]
    DoNotDisturb {
        /// The extension.
        line: String,
        /// On or off.
        on: bool,
    },
    /// Sets where all of a line's calls are forwarded to.
    #[serde(rename = "line.forward")]
    Forward {
        /// The extension.
        line: String,
        /// The number; nowhere if left out.
        #[serde(default)]
        to: Option<String>,
    },
    /// Lets the next transfers fail.
    #[serde(rename = "transfer.fail")]
    TransferFail(TransferFail),
    /// Lets the next calls be refused.
    #[serde(rename = "answer.status")]
    AnswerStatus(AnswerStatus),
    /// Sets how often colleagues call each other.
    #[serde(rename = "life.set")]
    Life(Pace),
    /// Sets how many callers come from outside.
    #[serde(rename = "callers.set")]
    Callers(Rush),
    /// Sets a forwarding of any kind.
    #[serde(rename = "line.forwarding")]
    Forwarding {
        /// The extension.
        line: String,
        /// Which calls.
        when: ForwardWhen,
        /// On or off.
        active: bool,
        /// The number; as it was if left out.
        #[serde(default)]
        to: Option<String>,
        /// How often it rings before, 1 to 20.
        #[serde(default)]
        rings: Option<u32>,
    },
    /// Sets whether a line takes a call while it has another.
    #[serde(rename = "line.call_waiting")]
    CallWaiting {
        /// The extension.
        line: String,
        /// On or off.
        on: bool,
    },
    /// Sets how long a guest still has his host's telephones.
    #[serde(rename = "line.guest_ends")]
    GuestEnds {
        /// The guest's extension.
        line: String,
        /// Seconds from now.
        after_s: u64,
    },
    /// Sets what a line may not call.
    #[serde(rename = "line.bar")]
    Bar {
        /// The extension.
        line: String,
        /// What.
        barred: Barred,
    },
    /// Sets the company's night mode.
    #[serde(rename = "company.night")]
    CompanyNight {
        /// On, off, or by the business hours.
        mode: Night,
        /// Where calls go; as it was if left out.
        #[serde(default)]
        to: Option<String>,
    },
    /// Sets how SIP messages look.
    #[serde(rename = "sip.look")]
    Look(SipLook),
    /// Leaves a message.
    #[serde(rename = "voicemail.deposit")]
    Deposit {
        /// The extension.
        line: String,
    },
    /// Something with the web services; has names of its own.
    #[serde(skip)]
    Xsi(XsiKnob),
}

/// What a phone is told that was taken away (RFC 3680 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RemovalEvent {
    /// It may register again at once.
    #[default]
    Deactivated,
    /// It is not allowed any more.
    Rejected,
}

/// Why a subscription ends (RFC 6665 section 4.1.3), and what its watcher does then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DropReason {
    /// Subscribes again at once.
    Deactivated,
    /// Subscribes again later.
    Probation,
    /// Must not subscribe again by itself.
    Rejected,
    /// Subscribes again.
    Timeout,
    /// Subscribes again later.
    Giveup,
    /// There is nothing to watch.
    NoResource,
}

impl DropReason {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Probation => "probation",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Giveup => "giveup",
            Self::NoResource => "noresource",
        }
    }
}

/// The names of all turns.
pub(crate) const NAMES: [&str; 19] = [
    "sip.look",
    "callers.set",
    "line.forwarding",
    "line.call_waiting",
    "line.bar",
    "line.guest_ends",
    "company.night",
    "subscriptions.drop",
    "packages.set",
    "registration.remove",
    "notify.loss",
    "notify.delay",
    "line.set",
    "line.dnd",
    "line.forward",
    "transfer.fail",
    "answer.status",
    "life.set",
    "voicemail.deposit",
];
