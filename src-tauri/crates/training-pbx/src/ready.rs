//! What a started PBX says about itself: the `ready` line of `balie-cli pbx`.

use serde::{Deserialize, Serialize};

use crate::company::Role;

/// Ports, accounts and numbers of a running PBX; serialises to the `ready` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename = "ready")]
pub struct Ready {
    /// UDP port of the SIP side.
    pub sip_udp: u16,
    /// TCP port of the SIP side.
    pub sip_tcp: u16,
    /// The web services, `http://host:port`.
    pub xsi: String,
    /// All hosts of the web services, the first first: a channel lives at the one it was opened at.
    pub xsi_hosts: Vec<String>,
    /// TCP port of the control interface.
    pub control: u16,
    /// Name of the company.
    pub company: String,
    /// Accounts a phone can register with.
    pub accounts: Vec<ReadyAccount>,
    /// Numbers with a function.
    pub numbers: Numbers,
}

/// What a phone needs to register.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ReadyAccount {
    /// Extension.
    pub extension: String,
    /// Name of the owner.
    pub name: String,
    /// Address of record, `sip:101@host:port`; host and port are those of the registrar.
    pub aor: String,
    /// The list of all other lines, to subscribe to (RFC 4662).
    pub blf: String,
    /// User name for digest authentication.
    pub auth_user: String,
    /// Password; made up anew for each seed, worth nothing outside this PBX.
    pub password: String,
    /// User id at the web services.
    pub xsi_user: String,
    /// Web password, likewise made up.
    pub xsi_password: String,
    /// Role of the owner.
    pub role: Role,
}

impl std::fmt::Debug for ReadyAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadyAccount")
            .field("extension", &self.extension)
            .field("aor", &self.aor)
            .finish_non_exhaustive()
    }
}

/// Numbers with a function.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Numbers {
    /// Says a few words, then sends back what it hears.
    pub echo: String,
    /// Plays music.
    pub music: String,
    /// Plays the long test speech in a loop.
    pub speech: String,
    /// 486 Busy Here at once.
    pub busy: String,
    /// Rings and never answers; 480 after the ring time.
    pub no_answer: String,
    /// Rings for a second, then 603 Decline.
    pub declines: String,
    /// Voicemail: greeting, beep, then listens.
    pub voicemail: String,
    /// The main number: the receptionist, then the others of the hunt group.
    pub main: String,
    /// The hunt group itself.
    pub hunt_group: String,
    /// The queue: music until one of its members answers. Empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub queue: String,
}

impl Numbers {
    /// All of them but the queue, which need not be there.
    pub(crate) fn all(&self) -> [&str; 9] {
        [
            &self.echo,
            &self.music,
            &self.speech,
            &self.busy,
            &self.no_answer,
            &self.declines,
            &self.voicemail,
            &self.main,
            &self.hunt_group,
        ]
    }
}
