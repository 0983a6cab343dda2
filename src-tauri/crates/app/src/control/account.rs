//! What is filled in, and found, of accounts.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{MediaForm, Password};
use crate::code::Code;

/// An account as the user fills it in.
#[derive(Debug, Clone, Default, Deserialize, TS)]
pub struct AccountForm {
    /// The account being changed; null for a new one.
    #[serde(default)]
    pub id: Option<String>,
    /// Name shown to the called; may be empty.
    #[serde(default)]
    pub display_name: String,
    /// User part or whole address (`101`, `101@example.nl`, `sip:101@example.nl`).
    pub user: String,
    /// Domain or server (`example.nl`, `10.0.0.1:5080`, `sip:example.nl;transport=tcp`); may be empty
    /// when `user` says it.
    #[serde(default)]
    pub server: String,
    /// User name for authentication when it differs from the user part; may be empty.
    #[serde(default)]
    pub auth_user: String,
    /// Password; empty keeps the one that is known.
    #[serde(default)]
    pub password: Password,
    /// How to talk to the server.
    #[serde(default)]
    pub transport: TransportChoice,
    /// Outbound proxy; may be empty.
    #[serde(default)]
    pub outbound_proxy: String,
    /// Token of `account.discover`: what was found is taken along, its passwords too.
    #[serde(default)]
    #[ts(optional)]
    pub discovered: Option<String>,
    /// No telephone of its own: another one rings and is controlled here. Left out: as it is.
    #[serde(default)]
    #[ts(optional)]
    pub control_only: Option<bool>,
    /// Its exchange, beside the telephone. Left out: as it is.
    #[serde(default)]
    #[ts(optional)]
    pub exchange: Option<ExchangeForm>,
    /// Encryption, and the ways of its sound. Left out: as they are.
    #[serde(default)]
    #[ts(optional)]
    pub media: Option<MediaForm>,
}

/// The exchange of an account as the user fills it in. An empty password keeps the one that is known.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExchangeForm {
    /// None: there is a telephone only.
    None,
    /// The web services of BroadWorks.
    Broadworks {
        /// Server (`xsp.example.nl`), or the address of Xsi-Actions where that is another one.
        server: String,
        /// User name there, `jan@company.example`.
        user: String,
        /// Password there.
        #[serde(default)]
        password: Password,
    },
    /// The manager interface of Asterisk.
    Asterisk {
        /// Host.
        host: String,
        /// TCP port; 0: the usual one.
        #[serde(default)]
        port: u16,
        /// TLS from the first byte.
        #[serde(default)]
        tls: bool,
        /// Manager user.
        user: String,
        /// Password there.
        #[serde(default)]
        password: Password,
        /// The user's telephone, `PJSIP/101`; made from the user part when empty.
        #[serde(default)]
        interface: String,
    },
}

impl ExchangeForm {
    /// The password, if one was typed.
    pub(crate) fn typed_password(&self) -> Option<SecretString> {
        match self {
            Self::None => None,
            Self::Broadworks { password, .. } | Self::Asterisk { password, .. } => {
                (!password.is_empty()).then(|| password.secret().clone())
            }
        }
    }
}

/// What `account.discover` found. Passwords stay in the program.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct DiscoveredAccount {
    /// `discovered` of an [`AccountForm`], for a quarter of an hour.
    pub token: String,
    /// Name of the user at the exchange.
    pub display_name: String,
    /// SIP address, without `sip:`; empty when none was found.
    pub user: String,
    /// Server; empty when none was found.
    pub server: String,
    /// User name for authentication; may be empty.
    pub auth_user: String,
    /// Outbound proxy; may be empty.
    pub outbound_proxy: String,
    /// How to talk to the server.
    pub transport: TransportChoice,
    /// The password of the telephone is known.
    pub has_password: bool,
    /// Number of the user; may be empty.
    pub number: String,
    /// Extension of the user; may be empty.
    pub extension: String,
    /// User name at the web services.
    pub exchange_user: String,
    /// Why there is no telephone in the form: it must be filled in by hand, or the account controls another one
    /// (`control_only`); null: it is complete.
    pub missing: Option<Code>,
    /// The same for support.
    pub detail: Option<String>,
}

/// Transport chosen in the account form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TransportChoice {
    /// As the name service says, UDP otherwise.
    #[default]
    Auto,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS: encrypted, and the server proves who it is.
    Tls,
    /// WebSocket over TLS (RFC 7118).
    Wss,
}
