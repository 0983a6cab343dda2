//! A telephone's house with several ways out: a network namespace with a wire for each uplink into the namespace that
//! the program runs in, where the server is.
//!
//! The namespace belongs to a sleeping process and goes with it; nothing is left behind.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::SERVER;
pub use crate::namespace::ip;
use crate::namespace::{Namespace, forget_link};

/// One way out of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uplink {
    /// The usual one.
    Wifi,
    /// The backup.
    Mobile,
    /// A tunnel over either.
    Vpn,
}

impl Uplink {
    /// Its interface in the house.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wifi => "wifi",
            Self::Mobile => "mobile",
            Self::Vpn => "vpn",
        }
    }

    fn net(self) -> u8 {
        match self {
            Self::Wifi => 1,
            Self::Mobile => 2,
            Self::Vpn => 3,
        }
    }

    /// The router's address at its far end.
    #[must_use]
    pub fn router(self) -> String {
        format!("10.98.{}.1", self.net())
    }

    /// An address in its network.
    #[must_use]
    pub fn address(self, host: u8) -> String {
        format!("10.98.{}.{host}", self.net())
    }
}

/// The house.
pub struct House {
    namespace: Namespace,
}

impl House {
    /// Builds it; every uplink is laid and down. `names` becomes the house's resolv.conf.
    ///
    /// # Errors
    /// When the system has no namespaces or we are not root in ours.
    pub fn build(folder: &Path, names: &str) -> Result<Self> {
        let resolv = folder.join("resolv.conf");
        std::fs::write(&resolv, names)?;
        let house = Self { namespace: Namespace::with_names(resolv.as_os_str())? };
        for uplink in [Uplink::Wifi, Uplink::Mobile, Uplink::Vpn] {
            house.lay(uplink)?;
        }
        Ok(house)
    }

    fn lay(&self, uplink: Uplink) -> Result<()> {
        let (near, far) = (uplink.name(), format!("{}-far", uplink.name()));
        let id = self.namespace.id();
        ip(&format!("link add {far} type veth peer name {near} netns {id}"))?;
        ip(&format!("addr add {}/24 dev {far}", uplink.router()))?;
        ip(&format!("link set {far} up"))?;
        // Whatever the server sends into the house comes from its own address.
        let net = format!("10.98.{}.0/24", uplink.net());
        ip(&format!("route replace {net} dev {far} src {SERVER}"))
    }

    /// Runs `ip` in the house.
    ///
    /// # Errors
    /// When it fails.
    pub fn ip(&self, arguments: &str) -> Result<()> {
        self.namespace.ip(arguments)
    }

    /// A command that runs in the house.
    #[must_use]
    pub fn enter(&self, program: &str) -> Command {
        self.namespace.enter(program)
    }

    /// Brings an uplink up with this address; it becomes the way to everywhere.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn up(&self, uplink: Uplink, host: u8) -> Result<()> {
        let (name, address) = (uplink.name(), uplink.address(host));
        self.ip(&format!("link set {name} up"))?;
        self.ip(&format!("addr replace {address}/24 dev {name}"))?;
        self.ip(&format!("route replace default via {} dev {name} src {address}", uplink.router()))
    }

    /// Takes an uplink down, with its address and its routes.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn down(&self, uplink: Uplink) -> Result<()> {
        self.ip(&format!("addr flush dev {}", uplink.name()))?;
        self.ip(&format!("link set {} down", uplink.name()))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for uplink in [Uplink::Wifi, Uplink::Mobile, Uplink::Vpn] {
            forget_link(&format!("{}-far", uplink.name()));
        }
    }
}

/// How long an uplink is away in these tests.
pub const OUTAGE: Duration = Duration::from_secs(2);
