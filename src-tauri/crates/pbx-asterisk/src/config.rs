//! What must be known of an exchange and of the user there.

use std::time::Duration;

use pbx::centre::{Code, UserId};
use secrecy::SecretString;

use crate::FeatureCodes;

/// How the user is proved to the exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Login {
    /// By challenge in the clear; over TLS, where nobody listens, by the secret itself.
    #[default]
    Automatic,
    /// By challenge (MD5): the secret does not cross the wire.
    Challenge,
    /// By the secret itself.
    Plain,
}

/// The user at the exchange.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the manager user (`manager.conf`).
    pub user: String,
    /// His secret.
    pub secret: SecretString,
    /// How he is proved.
    pub login: Login,
    /// The user's telephone: `PJSIP/101`. His own calls are those of its channels.
    pub interface: String,
    /// What the user is in queues, where that is not his telephone: `Local/101@from-queue/n`.
    pub member: Option<String>,
    /// Whose state counts for the queues when the user joins one, where that is not the interface itself.
    pub state_interface: Option<String>,
    /// Name told to queues on joining; may be empty.
    pub name: String,
    /// Queues that are shown; none: all.
    pub queues: Vec<String>,
    /// Queues that are joined when the user signs in and has not left any before.
    pub sign_in: Vec<String>,
    /// Part of the dial plan that numbers are dialled in: `from-internal` on FreePBX.
    pub context: String,
    /// Reasons for being unavailable; the exchange has no list of its own.
    pub reasons: Vec<Code>,
    /// Reason that stands for finishing the last call.
    pub wrap_up_reason: String,
    /// Time to finish a call, for queues whose own time the exchange does not tell.
    pub wrap_up: Duration,
    /// The user watches over the queues: may set others' states, move and take callers, listen in.
    pub supervisor: bool,
    /// Codes of the dial plan.
    pub codes: FeatureCodes,
}

impl Config {
    /// Settings for a telephone, everything else as usual.
    #[must_use]
    pub fn new(user: &str, secret: SecretString, interface: &str) -> Self {
        Self {
            user: user.to_owned(),
            secret,
            login: Login::Automatic,
            interface: interface.to_owned(),
            member: None,
            state_interface: None,
            name: String::new(),
            queues: Vec::new(),
            sign_in: Vec::new(),
            context: "from-internal".to_owned(),
            reasons: Vec::new(),
            wrap_up_reason: "Wrap-up".to_owned(),
            wrap_up: Duration::ZERO,
            supervisor: false,
            codes: FeatureCodes::freepbx(),
        }
    }

    /// What the user is in queues.
    #[must_use]
    pub fn member(&self) -> &str {
        self.member.as_deref().unwrap_or(&self.interface)
    }

    /// The user by the exchange's own name.
    #[must_use]
    pub fn own_id(&self) -> UserId {
        UserId(self.member().to_owned())
    }

    /// Whether a queue is shown.
    pub(crate) fn shows(&self, queue: &str) -> bool {
        self.queues.is_empty() || self.queues.iter().any(|own| own == queue)
    }
}
