//! What is to be gathered for a description, and over what it goes besides the stream's own port.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use secrecy::{ExposeSecret as _, SecretString};

/// Another socket of a stream's than its own port, by number; a number is never used twice.
pub type LinkId = u16;

/// Name and password at a relay (RFC 8489, 9.2). The password is never printed and wiped when dropped.
#[derive(Clone)]
pub struct RelayLogin {
    /// The name.
    pub user: String,
    password: SecretString,
}

impl RelayLogin {
    /// Both as the operator gave them.
    pub const fn new(user: String, password: SecretString) -> Self {
        Self { user, password }
    }

    pub(crate) fn password(&self) -> &str {
        self.password.expose_secret()
    }
}

impl PartialEq for RelayLogin {
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user && self.password() == other.password()
    }
}

impl Eq for RelayLogin {}

impl fmt::Debug for RelayLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelayLogin({}, …)", self.user)
    }
}

/// Over what a relay is spoken to (RFC 8656, 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// Datagrams.
    Udp,
    /// A stream, where datagrams do not come through.
    Tcp,
    /// An encrypted stream, where only the web comes through.
    Tls,
}

/// A relay (TURN server).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayServer {
    /// Where it is.
    pub address: SocketAddr,
    /// Over what it is spoken to.
    pub carrier: Carrier,
    /// The name or address that it was asked for by: its certificate must have it.
    pub name: String,
    /// Who we are there.
    pub login: RelayLogin,
}

/// What a description is to tell besides the stream's own port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The stream's own port, as descriptions tell it.
    pub here: SocketAddr,
    /// Further addresses of this machine.
    pub others: Vec<IpAddr>,
    /// Servers that tell what the world sees us as.
    pub stun: Vec<SocketAddr>,
    /// Relays, preferred first.
    pub relays: Vec<RelayServer>,
}

/// What a link is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// A socket for datagrams on that address of ours.
    Socket(IpAddr),
    /// A way to that server.
    Relay {
        /// Where it is.
        address: SocketAddr,
        /// How it is spoken to.
        carrier: Carrier,
        /// What its certificate must name.
        name: String,
    },
}
