//! The configuration form: one TOML for the headless program, the settings file and managed settings.
//!
//! Unknown keys are told as warnings, so that a newer file works with an older program; a key of the
//! wrong type or an impossible value is an error with its line.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

mod privacy;
mod recording;
mod screen_pop;
mod setup;
pub(crate) mod several;
mod sound;
mod turn;

pub use self::privacy::PrivacySettings;
pub use self::recording::{RecordingFormatName, RecordingSettings};
pub(crate) use self::screen_pop::Caller;
pub use self::screen_pop::{PopWhen, ScreenPopSettings};
pub use self::setup::SetupSettings;
pub use self::sound::{AudioSettings, HeadsetSettings, RingFile, RingSettings};
pub(crate) use self::turn::Turn;
use crate::view::SettingsView;
use crate::view::queue::MeasureName;
use crate::view::ring::RingSource;

/// Where sound comes from and goes to (`--audio`).
pub use audio::AudioSpec as Sound;

/// Everything a file can say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Accounts, in the order of the file.
    #[serde(rename = "account")]
    pub accounts: Vec<AccountSettings>,
    /// Addresses and ports.
    pub network: NetworkSettings,
    /// Where things are kept.
    pub paths: PathSettings,
    /// How long what is kept of people is kept.
    #[serde(skip_serializing_if = "PrivacySettings::is_usual")]
    pub privacy: PrivacySettings,
    /// Recordings on this machine.
    #[serde(skip_serializing_if = "RecordingSettings::is_usual")]
    pub recording: RecordingSettings,
    /// What is opened for a caller.
    #[serde(skip_serializing_if = "ScreenPopSettings::is_off")]
    pub screen_pop: ScreenPopSettings,
    /// Devices.
    pub audio: AudioSettings,
    /// Automatic set-up.
    #[serde(skip_serializing_if = "SetupSettings::is_usual")]
    pub setup: SetupSettings,
    /// The user's choices.
    pub ui: SettingsView,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

pub(crate) type Unknown = BTreeMap<String, toml::Value>;

/// One account. Empty text means "not set".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSettings {
    /// Stable id; `account-1`, … when left out.
    pub id: String,
    /// Name shown to the called.
    pub display_name: String,
    /// Address of record, `sip:101@example.nl`.
    pub aor: String,
    /// Where to register; the domain of the address of record when empty.
    pub registrar: String,
    /// First hop for every request; of several, each gets a flow of its own (RFC 5626) and the first
    /// that stands is used.
    pub outbound_proxy: Proxies,
    /// User name for authentication; the user part when empty.
    pub auth_user: String,
    /// Environment variable with the password.
    pub password_env: String,
    /// The password itself: for tests only, never written.
    #[serde(skip_serializing)]
    pub password: Secret,
    /// The password is in the keyring.
    pub keyring: bool,
    /// Register. False: direct calls to and from this address.
    pub register: bool,
    /// No telephone of its own: another one rings, and its calls are controlled over the exchange's web services.
    pub control_only: bool,
    /// The exchange may have this telephone answer, hold and resume (`NOTIFY` with `Event: talk` or `hold`, and calls that
    /// want to be answered by themselves): for a program elsewhere that controls it.
    pub remote_control: bool,
    /// Whose requests are answered; by default the registrar's, anybody's where `register` is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_from: Option<AcceptFrom>,
    /// Seconds a registration is asked for.
    pub expires: u32,
    /// Seconds of silence after which a server that registers us over UDP is asked whether it is
    /// there, 10 to 300; 0: never. Servers that answer keep-alives by STUN are not asked.
    pub ping: u32,
    /// RFC 4028 session timers.
    pub session_timer: SessionTimer,
    /// Seconds, RFC 4028.
    pub session_expires: u32,
    /// Seconds, RFC 4028.
    pub min_se: u32,
    /// Encrypted sound. It holds for both directions: what is `required` is neither called nor answered in clear,
    /// but for a call to an emergency number.
    pub srtp: Srtp,
    /// How its keys are agreed, as the exchange has it set for this telephone: Asterisk's `media_encryption`, for `webrtc=yes`
    /// this is `dtls` with `ice`. Nothing falls back to clear because of it.
    pub srtp_keying: SrtpKeying,
    /// Subscribe to message-summary.
    pub mwi: bool,
    /// Subscribe to what the registrar holds of the own address (RFC 3680): the other devices, and
    /// whether this one was taken away.
    pub reg_event: bool,
    /// Read and set do not disturb, forwarding and the agent's state over SIP (`as-feature-event`), as far as the exchange
    /// is not asked about them in another way.
    pub feature_events: FeatureEvents,
    /// Transfers without the implicit subscription (RFC 4488).
    pub norefersub: bool,
    /// How a caller is sent on unasked.
    pub blind_transfer: BlindTransfer,
    /// Use a globally routable address (RFC 5627) in calls when the registrar gives one.
    pub gruu: bool,
    /// Find the way of the sound by checks (ICE, RFC 8445), as web browsers and Asterisk's `webrtc=yes` do. Offered and
    /// taken; peers without it are talked to as ever.
    pub ice: bool,
    /// STUN server, `host` or `host:port`: tells what the world sees our address as, for `ice` with peers that cannot be
    /// reached otherwise. An exchange with a public address needs none.
    pub stun: String,
    /// Relay (TURN server), or a list of them, preferred first: `turn:host`, `turn:host:port?transport=tcp`, `turns:host`.
    /// For `ice` where nothing else comes through.
    pub turn: Proxies,
    /// Name at the relays.
    pub turn_user: String,
    /// Environment variable with the password there.
    pub turn_password_env: String,
    /// The password itself: for tests only, never written.
    #[serde(skip_serializing)]
    pub turn_password: Secret,
    /// The password is in the keyring.
    pub turn_keyring: bool,
    /// Codecs, preferred first: `opus`, `g722`, `pcma`, `pcmu`.
    pub codecs: Vec<CodecName>,
    /// Ask for little in pauses of speech and send little: comfort noise (RFC 3389) with G.711 and G.722, gaps with Opus. It
    /// saves data; where the pause is judged wrong the first sound after it is cut. Opus leaves gaps in any case where the
    /// peer asks for them.
    pub silence_suppression: bool,
    /// How digits are sent.
    pub dtmf: DtmfMode,
    /// Extra trust anchor.
    pub tls_ca_file: String,
    /// Feature codes of the exchange.
    pub codes: CodeSettings,
    /// Resource list (RFC 4662) of the lines that the user watches, BroadWorks' BLF list. Empty: the one that the
    /// exchange tells, where it does.
    pub blf_list: String,
    /// Calls that the company or the operator does not let out: explained before they are dialled.
    #[serde(rename = "block", skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockSettings>,
    /// Emergency numbers can be called with it, and whoever answers is the right one for this place.
    pub emergency: bool,
    /// BroadWorks web services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xsi: Option<XsiSettings>,
    /// Asterisk manager interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asterisk: Option<AsteriskSettings>,
    /// The user's thresholds of queues.
    #[serde(rename = "threshold", skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdSettings>,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

impl Default for AccountSettings {
    fn default() -> Self {
        AccountSettings {
            id: String::new(),
            display_name: String::new(),
            aor: String::new(),
            registrar: String::new(),
            outbound_proxy: Proxies::default(),
            auth_user: String::new(),
            password_env: String::new(),
            password: Secret::default(),
            keyring: false,
            register: true,
            control_only: false,
            remote_control: false,
            accept_from: None,
            expires: 300,
            ping: 30,
            session_timer: SessionTimer::Supported,
            session_expires: 1800,
            min_se: 90,
            srtp: Srtp::Off,
            srtp_keying: SrtpKeying::Sdes,
            mwi: true,
            reg_event: true,
            feature_events: FeatureEvents::Auto,
            norefersub: false,
            blind_transfer: BlindTransfer::Auto,
            gruu: false,
            ice: false,
            stun: String::new(),
            turn: Proxies::default(),
            turn_user: String::new(),
            turn_password_env: String::new(),
            turn_password: Secret::default(),
            turn_keyring: false,
            codecs: vec![CodecName::Opus, CodecName::G722, CodecName::Pcma, CodecName::Pcmu],
            silence_suppression: false,
            dtmf: DtmfMode::Rfc4733,
            tls_ca_file: String::new(),
            codes: CodeSettings::default(),
            blf_list: String::new(),
            blocks: Vec::new(),
            emergency: true,
            xsi: None,
            asterisk: None,
            thresholds: Vec::new(),
            unknown: Unknown::new(),
        }
    }
}

impl AccountSettings {
    /// Whose requests are answered, with the default of `register` applied.
    pub fn accepts(&self) -> AcceptFrom {
        let default = if self.register { AcceptFrom::Registrar } else { AcceptFrom::Any };
        self.accept_from.unwrap_or(default)
    }

    /// Where the relays are; those that cannot be read are left out.
    pub(crate) fn relays(&self) -> Vec<Turn> {
        self.turn.all().filter_map(turn::read).collect()
    }

    /// Where the STUN server is; none when there is none or it cannot be read.
    pub(crate) fn stun_server(&self) -> Option<sip_types::Uri> {
        let server = self.stun.trim().trim_start_matches("stun:");
        let port = match server.rsplit_once(':') {
            Some((host, _)) if !host.contains(':') || host.ends_with(']') => "",
            _ => ":3478",
        };
        let plain = !server.is_empty() && !server.contains(['@', ';', '?', '/', ' ']);
        plain
            .then(|| format!("sip:{server}{port};transport=udp"))
            .and_then(|uri| sip_types::Uri::parse(&uri).ok())
    }
}

/// Calls that are not let out. Exchanges refuse them; few tell beforehand, so that an administrator says it here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockSettings {
    /// What people call it: "Betaalde nummers".
    pub name: String,
    /// How the numbers begin, in any notation.
    pub numbers: Vec<String>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }
    };
}

words!(
    /// Whose requests an account answers.
    AcceptFrom {
        /// The registrar and the targets it was located by.
        Registrar,
        /// Anybody.
        Any,
    }
);
words!(
    /// How a caller is sent on unasked.
    BlindTransfer {
        /// The caller's side is asked to call the new party (REFER). A caller whose new party declines comes
        /// back where the exchange gives him back.
        Refer,
        /// We ring the new party, with the caller on hold, and ask the caller's side to take our place once it
        /// answers.
        Supervised,
        /// REFER, unless the exchange is known to lose callers so: Asterisk.
        Auto,
    }
);
words!(
    /// Whether features are kept the same over SIP.
    FeatureEvents {
        /// Where the registrar names the package (Allow-Events).
        Auto,
        /// It is asked for in any case.
        On,
        /// Never.
        Off,
    }
);
words!(
    /// RFC 4028.
    SessionTimer {
        /// Not used.
        Off,
        /// Offered.
        Supported,
        /// Required of the other side.
        Required,
        /// Sent in every call.
        Always,
    }
);
words!(
    /// Encryption of sound.
    Srtp {
        /// Not offered.
        Off,
        /// Offered.
        Optional,
        /// Required.
        Required,
    }
);
words!(
    /// Key agreement for SRTP.
    SrtpKeying {
        /// In the descriptions (RFC 4568): secret where those go over TLS, and known to the exchange.
        Sdes,
        /// By a handshake in the media (RFC 5764): known to its two ends only.
        Dtls,
        /// Either: both are taken, and a handshake is offered first.
        Both,
    }
);
words!(
    /// A codec.
    CodecName {
        /// RFC 7587.
        Opus,
        /// Wide band.
        G722,
        /// G.711 A-law.
        Pcma,
        /// G.711 µ-law.
        Pcmu,
    }
);
words!(
    /// How digits travel.
    DtmfMode {
        /// In RTP.
        Rfc4733,
        /// SIP INFO.
        Info,
    }
);

/// Feature codes, as they are dialled. `{slot}` and `{target}` stand for what the code is about. Empty: what the
/// exchange usually has. Asterisk: `700`, `{slot}`, `*8{target}` and no voicemail; all others, as BroadWorks has it:
/// `*68{slot}`, `*88{slot}`, `*97{target}`, `*55{target}`.
///
/// The codes of agents and services, and the lamps that tell what they did, have no usual form: what is empty is not
/// offered. They are for exchanges that have neither web services nor a manager interface.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeSettings {
    /// A call that is transferred there is parked.
    pub park: String,
    /// Takes a parked call back.
    pub retrieve: String,
    /// Takes a call that rings at somebody else.
    pub pickup: String,
    /// A call that is transferred there is answered by the voicemail of `{target}`.
    pub voicemail: String,
    /// Queues of the user, as they stand in codes: `{queue}`.
    pub queues: Vec<String>,
    /// Takes calls of a queue: `*45{queue}`.
    pub join: String,
    /// No longer. One code may do both where `queue_lamp` tells what it will do.
    pub leave: String,
    /// Signs the agent in; empty: that is to join all queues.
    pub sign_in: String,
    /// Signs the agent out; empty: that is to leave all queues.
    pub sign_out: String,
    /// No calls of queues for now; `{reason}` where the exchange wants one: `*46{reason}`.
    pub pause: String,
    /// Calls of queues again.
    pub resume: String,
    /// Reasons for that, as they stand in the code.
    pub reasons: Vec<String>,
    /// No calls at all.
    pub dnd_on: String,
    /// Calls again.
    pub dnd_off: String,
    /// Every call goes to `{number}`.
    pub forward_on: String,
    /// No longer.
    pub forward_off: String,
    /// Calls go to `{number}` while the user talks.
    pub forward_busy_on: String,
    /// No longer.
    pub forward_busy_off: String,
    /// Calls that are not answered go to `{number}`.
    pub forward_no_answer_on: String,
    /// No longer.
    pub forward_no_answer_off: String,
    /// Lamp (BLF hint) that is on while the user takes calls of `{queue}`.
    pub queue_lamp: String,
    /// Lamp that is on while the user is paused.
    pub pause_lamp: String,
    /// Lamp that is on while he wants no calls.
    pub dnd_lamp: String,
    /// Lamp that is on while every call is forwarded.
    pub forward_lamp: String,
    /// Lamp that is on while the colleague at `{target}` wants no calls: `*76{target}`.
    pub colleague_dnd_lamp: String,
    /// Lamp that is on while every call of the colleague at `{target}` is forwarded: `*740{target}`.
    pub colleague_forward_lamp: String,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// BroadWorks web services.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct XsiSettings {
    /// Base of Xsi-Actions.
    pub actions_url: String,
    /// Base of Xsi-Events.
    pub events_url: String,
    /// User.
    pub user: String,
    /// Environment variable with the password.
    pub password_env: String,
    /// The password itself, never written.
    #[serde(skip_serializing)]
    pub password: Secret,
    /// The password is in the keyring.
    pub keyring: bool,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// Asterisk manager interface. Empty text and lists mean "not set".
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AsteriskSettings {
    /// Host.
    pub host: String,
    /// TCP port; 0: the usual one, 5038, with TLS 5039.
    pub port: u16,
    /// TLS from the first byte. The account's extra trust anchors count here too.
    pub tls: bool,
    /// Extra trust anchors for this alone.
    pub tls_ca_file: String,
    /// Manager user (`manager.conf`).
    pub user: String,
    /// Environment variable with the password.
    pub password_env: String,
    /// The password itself, never written.
    #[serde(skip_serializing)]
    pub password: Secret,
    /// The password is in the keyring.
    pub keyring: bool,
    /// The user's telephone, `PJSIP/101`.
    pub interface: String,
    /// What the user is in queues, where that is not the telephone: `Local/101@from-queue/n`.
    pub member: String,
    /// Whose state counts for the queues, where that is not the interface.
    pub state_interface: String,
    /// Name told to queues; the account's display name when empty.
    pub name: String,
    /// Queues that are shown; none: all.
    pub queues: Vec<String>,
    /// Queues that are joined on signing in, when none was left before.
    pub sign_in: Vec<String>,
    /// Part of the dial plan that numbers are dialled in; `from-internal` when empty.
    pub context: String,
    /// Reasons for being unavailable; the exchange has no list of its own.
    pub reasons: Vec<String>,
    /// Reason that stands for finishing a call; `Wrap-up` when empty.
    pub wrap_up_reason: String,
    /// Seconds to finish a call, for queues whose own time the exchange does not tell.
    pub wrap_up: u32,
    /// The user watches over the queues: may set others' states, move and take callers, listen in.
    pub supervisor: bool,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// A threshold of a figure of a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdSettings {
    /// Queue by the exchange's own name; empty: all that have none of their own.
    #[serde(default)]
    pub queue: String,
    /// Figure.
    pub measure: MeasureName,
    /// From here on it is yellow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yellow: Option<u32>,
    /// From here on it is red.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red: Option<u32>,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// Addresses and ports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkSettings {
    /// Address to bind to.
    pub bind: IpAddr,
    /// Port for SIP; 0: any.
    pub sip_port: u16,
    /// First and last port for sound.
    pub rtp_ports: [u16; 2],
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        NetworkSettings {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            sip_port: 0,
            rtp_ports: [40000, 40999],
            unknown: Unknown::new(),
        }
    }
}

impl NetworkSettings {
    /// Ports for sound.
    pub fn rtp_range(&self) -> RangeInclusive<u16> {
        self.rtp_ports[0]..=self.rtp_ports[1]
    }
}

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PathSettings {
    /// Database, flight recorder; the platform's place when empty.
    pub data_dir: PathBuf,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// The most proxies of one account.
const MOST_PROXIES: usize = 4;

/// One address, or a list of them in the order they are to be used. Empty text means "none".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies(Vec<String>);

impl Proxies {
    /// The first, empty when there is none.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(String::as_str)
    }

    /// The same with another first one; none at all when that is empty.
    pub fn with_first(&self, proxy: String) -> Proxies {
        if proxy.is_empty() {
            return Proxies::default();
        }
        Proxies(std::iter::once(proxy).chain(self.0.iter().skip(1).cloned()).collect())
    }
}

impl Serialize for Proxies {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        several::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Proxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Proxies, D::Error> {
        let list = several::deserialize(deserializer);
        list.map(Proxies).map_err(|_| D::Error::custom("this is an address or a list of them"))
    }
}

/// A secret in a file: compared in the clear, never printed.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret, or none when empty.
    pub fn get(&self) -> Option<SecretString> {
        (!self.0.expose_secret().is_empty()).then(|| self.0.clone())
    }
}

impl From<SecretString> for Secret {
    fn from(secret: SecretString) -> Secret {
        Secret(secret)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer)
            .map(|text| Secret(SecretString::from(text)))
            .map_err(|_| D::Error::custom("a password is a string"))
    }
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ConfigError {
    /// Line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong; quotes no secret.
    pub message: String,
}

impl Config {
    /// Reads a file's text.
    ///
    /// # Errors
    /// The line and what is wrong with it: no TOML, a wrong type, a word that is not one of the
    /// allowed ones, two accounts with one id, an account without a usable address, an empty port range.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let mut config: Config = toml::from_str(text).map_err(|error| ConfigError {
            line: error.span().map_or(0, |span| line_of(text, span.start)),
            message: error.message().to_owned(),
        })?;
        config.fill_in(text)?;
        Ok(config)
    }

    /// Keys that mean nothing to this version, as `account.colour`.
    pub fn unknown_keys(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut add = |place: &str, unknown: &Unknown| {
            found.extend(unknown.keys().map(|key| format!("{place}{key}")));
        };
        add("", &self.unknown);
        for account in &self.accounts {
            add("account.", &account.unknown);
            add("account.codes.", &account.codes.unknown);
            if let Some(xsi) = &account.xsi {
                add("account.xsi.", &xsi.unknown);
            }
            if let Some(asterisk) = &account.asterisk {
                add("account.asterisk.", &asterisk.unknown);
            }
            for threshold in &account.thresholds {
                add("account.threshold.", &threshold.unknown);
            }
        }
        add("network.", &self.network.unknown);
        add("paths.", &self.paths.unknown);
        add("privacy.", &self.privacy.unknown);
        add("screen_pop.", &self.screen_pop.unknown);
        add("audio.", &self.audio.unknown);
        add("audio.headset.", &self.audio.headset.unknown);
        add("audio.rings.", &self.audio.rings.unknown);
        for source in RingSource::ALL {
            let place = format!("audio.rings.{}.", source.as_str());
            add(&place, &self.audio.rings.of(source).unknown);
        }
        add("setup.", &self.setup.unknown);
        found
    }

    fn fill_in(&mut self, text: &str) -> Result<(), ConfigError> {
        let at = |needle: &str, message: String| ConfigError {
            line: text.lines().position(|line| line.contains(needle)).map_or(0, |index| index + 1),
            message,
        };
        let [first, last] = self.network.rtp_ports;
        if first == 0 || last < first.saturating_add(1) {
            return Err(at("rtp_ports", "rtp_ports holds no pair of ports".to_owned()));
        }
        self.screen_pop.check().map_err(|(key, message)| at(key, message))?;
        let mut seen = Vec::new();
        for (index, account) in self.accounts.iter_mut().enumerate() {
            if account.id.is_empty() {
                account.id = format!("account-{}", index + 1);
            }
            if seen.contains(&account.id) {
                return Err(at(&account.id, format!("two accounts have the id {:?}", account.id)));
            }
            seen.push(account.id.clone());
            account.check().map_err(|(key, message)| at(key, message))?;
        }
        Ok(())
    }
}

impl AccountSettings {
    /// Checks the addresses; the error names the key and what is wrong.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        let host = |uri: &str| {
            uri.split_once(':').is_some_and(|(s, rest)| {
                matches!(s, "sip" | "sips") && !rest.trim_start_matches('/').is_empty()
            })
        };
        if !host(&self.aor) {
            return Err(("aor", format!("account {:?} needs aor = \"sip:user@domain\"", self.id)));
        }
        let proxies = self.outbound_proxy.all().map(|proxy| ("outbound_proxy", proxy));
        let registrar = [("registrar", self.registrar.as_str())];
        for (key, uri) in proxies.clone().chain(registrar) {
            if !uri.is_empty() && !host(uri) {
                return Err((key, format!("{key} of account {:?} is no sip address", self.id)));
            }
        }
        if self.outbound_proxy.all().count() > MOST_PROXIES {
            return Err((
                "outbound_proxy",
                format!("account {:?} has more than {MOST_PROXIES} of outbound_proxy", self.id),
            ));
        }
        // An address is shown, logged and sent in clear.
        for (key, uri) in proxies.chain(registrar).chain([("aor", self.aor.as_str())]) {
            if sip_types::Uri::parse(uri).is_ok_and(|uri| uri.password().is_some()) {
                return Err((key, format!("{key} of account {:?} holds a password", self.id)));
            }
        }
        if self.ping != 0 && !(10..=300).contains(&self.ping) {
            return Err(("ping", format!("ping of account {:?} is not 0 or 10 to 300", self.id)));
        }
        if self.control_only && self.xsi.is_none() {
            return Err((
                "control_only",
                format!("account {:?} controls calls over account.xsi, which it lacks", self.id),
            ));
        }
        if !self.stun.is_empty() && self.stun_server().is_none() {
            return Err(("stun", format!("stun of account {:?} is no host and port", self.id)));
        }
        if self.turn.all().any(|server| turn::read(server).is_none()) {
            return Err(("turn", format!("turn of account {:?} is no relay", self.id)));
        }
        if self.codecs.is_empty() {
            return Err(("codecs", format!("account {:?} has no codec", self.id)));
        }
        Ok(())
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
[[account]]
id = "main"
display_name = "Reception"
aor = "sip:101@example.test"
registrar = "sip:127.0.0.1:5060;transport=udp"
outbound_proxy = ""
auth_user = "101"
password_env = "BALIE_PASSWORD"
register = true
accept_from = "registrar"
expires = 300
ping = 30
session_timer = "supported"
session_expires = 1800
min_se = 90
srtp = "off"
srtp_keying = "sdes"
mwi = true
reg_event = true
feature_events = "auto"
norefersub = false
blind_transfer = "auto"
ice = false
stun = ""
turn = ""
turn_user = ""
turn_password_env = ""
turn_keyring = false
codecs = ["opus", "g722", "pcma", "pcmu"]
dtmf = "rfc4733"
tls_ca_file = ""
[account.codes]
park = "700"
retrieve = "{slot}"
pickup = "*8{target}"
queues = ["400"]
join = "*45{queue}"
leave = "*46{queue}"
sign_in = ""
sign_out = ""
pause = "*47{reason}"
resume = "*48"
reasons = ["1", "2"]
dnd_on = "*78"
dnd_off = "*79"
forward_on = "*72{number}"
forward_off = "*73"
forward_busy_on = "*90{number}"
forward_busy_off = "*91"
forward_no_answer_on = "*52{number}"
forward_no_answer_off = "*53"
queue_lamp = "*45101*{queue}"
pause_lamp = "*47101"
dnd_lamp = "*78101"
forward_lamp = "*72101"
[account.xsi]
actions_url = "https://xsp.example.test/com.broadsoft.xsi-actions"
events_url = "https://xsp.example.test"
user = "reception@example.test"
password_env = "BALIE_XSI_PASSWORD"
[account.asterisk]
host = "127.0.0.1"
port = 5038
tls = false
tls_ca_file = ""
user = "balie"
password_env = "BALIE_AMI_PASSWORD"
interface = "PJSIP/101"
member = ""
state_interface = ""
name = "Anna"
queues = ["support", "sales"]
sign_in = ["support"]
context = "from-internal"
reasons = ["Lunch", "Meeting"]
wrap_up_reason = "Wrap-up"
wrap_up = 10
supervisor = false
[network]
bind = "0.0.0.0"
sip_port = 0
rtp_ports = [40000, 40999]
[paths]
data_dir = ""
"#;

    fn error(text: &str) -> ConfigError {
        Config::parse(text).expect_err("refused")
    }

    #[test]
    fn the_documented_form_is_read_whole() {
        let config = Config::parse(WHOLE).unwrap();
        assert!(config.unknown_keys().is_empty(), "{:?}", config.unknown_keys());
        let account = &config.accounts[0];
        assert_eq!(account.id, "main");
        assert_eq!(account.codecs.len(), 4);
        let asterisk = account.asterisk.as_ref().unwrap();
        assert_eq!(
            (asterisk.port, asterisk.sign_in.as_slice()),
            (5038, &["support".to_owned()][..])
        );
        assert_eq!(config.network.rtp_range(), 40000..=40999);
    }

    #[test]
    fn little_is_enough() {
        let config = Config::parse("[[account]]\naor = \"sip:a@b\"\nregister = false").unwrap();
        assert_eq!(config.accounts[0].id, "account-1");
        assert_eq!(config.accounts[0].accepts(), AcceptFrom::Any);
        assert!(Config::parse("").unwrap().accounts.is_empty());
    }

    #[test]
    fn a_stun_server_has_its_usual_port() {
        for (stun, wanted) in [
            ("", None),
            ("stun.example.org", Some("sip:stun.example.org:3478;transport=udp")),
            ("stun:stun.example.org", Some("sip:stun.example.org:3478;transport=udp")),
            ("192.0.2.1:3479", Some("sip:192.0.2.1:3479;transport=udp")),
            ("[2001:db8::1]", Some("sip:[2001:db8::1]:3478;transport=udp")),
            ("[2001:db8::1]:5", Some("sip:[2001:db8::1]:5;transport=udp")),
            ("a@b", None),
        ] {
            let settings = AccountSettings { stun: stun.to_owned(), ..AccountSettings::default() };
            let server = settings.stun_server().map(|uri| uri.to_string());
            assert_eq!(server.as_deref(), wanted, "{stun}");
        }
        assert_eq!(error("[[account]]\naor = \"sip:a@b\"\nstun = \"a b\"").line, 3);
    }

    #[test]
    fn unknown_keys_are_warned_of_by_name() {
        let text = "colour = 1\n[[account]]\naor = \"sip:a@b\"\nshape = 2\n[network]\nspeed = 3";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.unknown_keys(), ["colour", "account.shape", "network.speed"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(error("[[account]]\naor = \"sip:a@b\"\nexpires = \"long\"").line, 3);
        assert_eq!(error("[[account]]\naor = \"sip:a@b\"\ncodecs = [\"mp3\"]").line, 3);
        assert_eq!(error("[[account]]\naor = \"sip:a@b\"\nping = 5").line, 3);
        assert_eq!(error("[[account]]\n\naor = \"101\"").line, 3);
        assert_eq!(error("[[account]]\naor = \"sip:a@b\"\nsrtp_keying = \"zrtp\"").line, 3);
        for (key, uri) in [("aor", "sip:a:hunter2@b"), ("outbound_proxy", "sip:a:hunter2@b;lr")] {
            let uri = format!("[[account]]\nid = \"c\"\n{key} = \"{uri}\"\n");
            let aor = if key == "aor" { "" } else { "aor = \"sip:a@b\"\n" };
            let error = error(&(uri + aor));
            assert_eq!(error.line, 3, "{error}");
            assert!(error.message.contains("password") && !error.message.contains("hunter2"));
        }
        let list = "[[account]]\naor = \"sip:a@b\"\noutbound_proxy = [\"sip:c\", 4]";
        assert_eq!(error(list).line, 3);
        assert_eq!(error("[network]\nrtp_ports = [40000, 40000]").line, 2);
        assert_eq!(error("[network").line, 1);
        let two = "[[account]]\nid = \"a\"\naor = \"sip:a@b\"\n";
        assert!(error(&two.repeat(2)).message.contains("two accounts"));
    }

    #[test]
    fn a_password_is_neither_shown_nor_written() {
        let config =
            Config::parse("[[account]]\naor = \"sip:a@b\"\npassword = \"hunter2\"").unwrap();
        assert!(config.accounts[0].password.get().is_some());
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!toml::to_string(&config).unwrap().contains("hunter2"));
        let wrong = error("[[account]]\naor = \"sip:a@b\"\npassword = 4711");
        assert!(!wrong.message.contains("4711"), "{wrong}");
    }

    #[test]
    fn several_proxies_are_a_list() {
        let account = |line: &str| {
            let text = format!("[[account]]\naor = \"sip:a@b\"\noutbound_proxy = {line}\n");
            Config::parse(&text).map(|config| config.accounts[0].clone())
        };
        let two = account("[\"sip:one;lr\", \"sip:two;lr\"]").unwrap();
        assert_eq!(two.outbound_proxy.all().collect::<Vec<_>>(), ["sip:one;lr", "sip:two;lr"]);
        assert_eq!(two.outbound_proxy.first(), "sip:one;lr");
        let config = Config { accounts: vec![two.clone()], ..Config::default() };
        let again = Config::parse(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again.accounts[0].outbound_proxy, two.outbound_proxy);
        let other = two.outbound_proxy.with_first("sip:three".to_owned());
        assert_eq!(other.all().collect::<Vec<_>>(), ["sip:three", "sip:two;lr"]);
        assert_eq!(account("\"\"").unwrap().outbound_proxy, Proxies::default());
        assert!(account("[\"sip:a\", \"b\"]").unwrap_err().message.contains("no sip address"));
        assert!(account("[\"sip:a\", \"sip:b\", \"sip:c\", \"sip:d\", \"sip:e\"]").is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let config = Config::parse(WHOLE).unwrap();
        let again = Config::parse(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(config, again);
    }
}
