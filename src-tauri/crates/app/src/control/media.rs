//! How the sound of an account travels, as the user sets it.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Password;

/// Encryption of an account and the ways its sound may take, as the user fills them in.
#[derive(Debug, Clone, Default, Deserialize, TS)]
pub struct MediaForm {
    /// Whether sound is encrypted.
    pub encryption: EncryptionChoice,
    /// How its keys are agreed.
    pub keying: KeyingChoice,
    /// Ask for little in pauses of speech and send little (RFC 3389; `usedtx` of RFC 7587).
    #[serde(default)]
    pub silence_suppression: bool,
    /// Find ways by checks (ICE, RFC 8445). False: the servers below stay as they are, unused.
    pub ice: bool,
    /// STUN server, `host` or `host:port`; may be empty.
    #[serde(default)]
    pub stun: String,
    /// The relay (TURN server) that is preferred, `turn:host`, `turn:host:port?transport=tcp` or `turns:host`. Empty: no relay at
    /// all, and its password is forgotten.
    #[serde(default)]
    pub turn: String,
    /// Name at the relays; needed where there is one.
    #[serde(default)]
    pub turn_user: String,
    /// Password there; empty keeps the one that is known.
    #[serde(default)]
    pub turn_password: Password,
}

impl MediaForm {
    /// The password at the relays, if one was typed and counts.
    pub(crate) fn typed_password(&self) -> Option<SecretString> {
        let typed = self.ice && !self.turn.trim().is_empty() && !self.turn_password.is_empty();
        typed.then(|| self.turn_password.secret().clone())
    }
}

/// Whether the sound of an account is encrypted (SRTP, RFC 3711).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EncryptionChoice {
    /// It is not.
    #[default]
    Off,
    /// Where the other side can do it too.
    WhenPossible,
    /// In every call: a call that cannot be encrypted is not made and not taken.
    Always,
}

/// How the keys of encrypted sound are agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeyingChoice {
    /// The exchange hands them over (SDES, RFC 4568).
    #[default]
    Sdes,
    /// The two ends of the sound agree on them (DTLS-SRTP, RFC 5764).
    Dtls,
    /// Either; the second way is offered first.
    Both,
}

/// A ring tone of the user's own.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct RingSound {
    /// What people call it.
    pub name: String,
    /// A WAV file (PCM, any rate), 0.3 to 30 seconds and at most 8 MB, as base64.
    pub wav: String,
}
