//! How the sound of an account travels, as the account form shows it.

use serde::Serialize;
use ts_rs::TS;

use crate::control::{EncryptionChoice, KeyingChoice};

/// Encryption of an account and the ways its sound may take. The password at the relay is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
pub struct MediaSettingsView {
    /// Whether sound is encrypted.
    pub encryption: EncryptionChoice,
    /// How its keys are agreed.
    pub keying: KeyingChoice,
    /// Little is asked for and sent in pauses of speech.
    pub silence_suppression: bool,
    /// Ways are found by checks (ICE, RFC 8445).
    pub ice: bool,
    /// STUN server, `host` or `host:port`; may be empty.
    pub stun: String,
    /// The relay (TURN server) that is preferred; may be empty.
    pub turn: String,
    /// Name at the relays; may be empty.
    pub turn_user: String,
    /// A password for the relays is known, or it is known where to find it.
    pub turn_password_known: bool,
}
