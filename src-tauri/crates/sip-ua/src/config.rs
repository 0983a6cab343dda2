//! What a user agent and its accounts are set up with.

use std::{collections::BTreeSet, time::Duration};

use sip_core::{TimerConfig, digest::Credentials};
use sip_types::{Method, Uri};

/// Settings of the whole user agent.
#[derive(Clone, Debug)]
pub struct Config {
    /// The `User-Agent` and `Server` header, e.g. `Balie/0.1.0`.
    pub user_agent: String,
    /// T1, T2 and T4 of RFC 3261 section 17.
    pub timers: TimerConfig,
    /// Methods that a server behind this user agent handles itself. Requests of these methods that
    /// belong to no session come up as [`crate::Event::OutOfDialog`]; those that arrive inside a
    /// session's dialog as [`crate::Event::InDialog`]. INVITE, ACK, BYE and CANCEL are never passed
    /// through.
    pub pass_through: BTreeSet<Method>,
    /// Send requests inside a dialog back to where the peer's messages come from (its TCP
    /// connection, its NAT binding) instead of to the address its Contact names. A server that
    /// talks to telephones wants this; a telephone does not.
    pub symmetric: bool,
    /// Incoming sessions beyond this number are refused with 486.
    pub max_sessions: usize,
    /// Content types understood as an offer or answer, alone or as a part of a `multipart` body; anything else that
    /// must be understood (RFC 5621) is 415.
    pub accept: Vec<String>,
    /// Whether a request is refused with 420 when it requires an extension. The list holds the
    /// option tags (RFC 3261 section 20.32) that are understood besides.
    pub supported: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_agent: concat!("Balie/", env!("CARGO_PKG_VERSION")).to_owned(),
            timers: TimerConfig::default(),
            pass_through: BTreeSet::new(),
            symmetric: false,
            max_sessions: 1000,
            accept: vec!["application/sdp".to_owned()],
            supported: Vec::new(),
        }
    }
}

/// Whose requests an account answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptFrom {
    /// Anybody's.
    Any,
    /// Only those that come from an address the registrar (or outbound proxy) was located at.
    /// Strangers are refused with 403, so that scanners do not make the telephone ring.
    Registrar,
}

/// One address of record and how it reaches its server.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// The address of record, `sip:101@example.test`.
    pub aor: Uri,
    /// The name shown to the people called.
    pub display_name: Option<String>,
    /// The registrar; its host is the Request-URI of REGISTER. With `register` it is also the next
    /// hop of every request outside a dialog, unless there is an outbound proxy or a Service-Route.
    pub registrar: Uri,
    /// The first hop of everything. With an `lr` parameter it also stands in a Route header
    /// (RFC 3261 section 8.1.2); without one, requests are only sent there.
    pub outbound_proxy: Option<Uri>,
    /// Further first hops: a flow of its own is registered over each (RFC 5626 section 4.2), and takes
    /// over when those before it are gone. Needs an instance id; the first three count.
    pub further_proxies: Vec<Uri>,
    /// Who answers digest challenges.
    pub credentials: Option<Credentials>,
    /// The realms these credentials are for; a challenge of any other stays unanswered. Empty: the
    /// first that accepts them, and whatever the registrar asks for.
    pub realms: Vec<String>,
    /// Seconds a registration is asked for.
    pub expires: u32,
    /// `+sip.instance` (RFC 5626 section 4.1), a `urn:uuid:…` without angle brackets. Empty: none.
    pub instance_id: String,
    /// Whether to ask for a globally routable address (RFC 5627) and to use it as our Contact in
    /// dialogs when the registrar gives one. Needs an instance id. Off unless wished: there are
    /// registrars that hand such addresses out in front of a proxy that cannot route to them.
    pub gruu: bool,
    /// After how long a silence a server that holds a registration over UDP is asked whether it is
    /// there (OPTIONS); up to a minute when it is. `None`: never. Not where STUN keep-alives are
    /// answered, which show the same.
    pub ping: Option<Duration>,
    /// Whether to register. Without, requests go straight to their Request-URI.
    pub register: bool,
    /// Whose requests are answered.
    pub accept_from: AcceptFrom,
    /// Takes INVITEs for any user that no other account claims (a server's account). Otherwise an
    /// unknown user is 404.
    pub catch_all: bool,
    /// Whether a REFER outside any dialog comes up as [`crate::Event::ReferRequested`]: a wish for a
    /// call from nowhere. Otherwise it is refused with 403.
    pub refer_outside: bool,
    /// Whether `NOTIFY` with `Event: talk` or `hold` inside a call works the telephone's keys
    /// ([`crate::Event::RemoteControl`]). Otherwise it is refused with 489.
    pub remote_control: bool,
    /// Reliable provisional responses (RFC 3262).
    pub reliable: Reliable,
    /// Session timers (RFC 4028).
    pub session_timer: SessionTimer,
    /// Seconds a session is asked to last without a refresh; at least `min_se`.
    pub session_expires: u32,
    /// The fewest seconds accepted; less is refused with 422. RFC 4028 asks for 90 or more.
    pub min_se: u32,
}

/// How an account uses reliable provisional responses (RFC 3262, `100rel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliable {
    /// Not at all: an INVITE that requires them is refused with 420.
    Off,
    /// Where the caller requires them, and for early media where it has them.
    Supported,
    /// Always: an INVITE whose sender has none is refused with 421, ours requires them.
    Required,
}

/// How an account uses session timers (RFC 4028), which end a call whose peer has vanished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionTimer {
    /// Not at all.
    Off,
    /// Where the peer has them too.
    Supported,
    /// A peer without them is refused (421), and may not answer (`Require: timer`).
    Required,
    /// Also where the peer has none: then we refresh by ourselves, and see by the answers that it
    /// is still there.
    Always,
}

impl AccountConfig {
    /// An account with the usual settings: registers for 300 s and answers its registrar only.
    #[must_use]
    pub fn new(aor: Uri, registrar: Uri) -> Self {
        Self {
            aor,
            display_name: None,
            registrar,
            outbound_proxy: None,
            further_proxies: Vec::new(),
            credentials: None,
            realms: Vec::new(),
            expires: 300,
            instance_id: String::new(),
            gruu: false,
            ping: None,
            register: true,
            accept_from: AcceptFrom::Registrar,
            catch_all: false,
            refer_outside: false,
            remote_control: false,
            reliable: Reliable::Supported,
            session_timer: SessionTimer::Supported,
            session_expires: 1800,
            min_se: 90,
        }
    }
}
