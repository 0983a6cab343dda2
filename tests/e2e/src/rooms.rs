//! Rooms that only reach the server: network namespaces with one wire each into the namespace where the servers are.
//! Nothing is passed on there, so that two rooms reach each other through a server or not at all.
//!
//! A room's namespace belongs to a sleeping process and goes with it; nothing is left behind.

use std::process::Command;

use anyhow::Result;

use crate::namespace::{Namespace, forget_link, ip};

/// One room.
pub struct Room {
    namespace: Namespace,
    number: u8,
}

impl Room {
    /// Builds the room with this number, 1 to 200, at its first address.
    ///
    /// # Errors
    /// When the system has no namespaces or we are not root in ours.
    pub fn build(number: u8) -> Result<Self> {
        let room = Self { namespace: Namespace::build()?, number };
        let id = room.namespace.id();
        ip(&format!("link add room{number} type veth peer name wire netns {id}"))?;
        ip(&format!("addr add 10.97.{number}.1/24 dev room{number}"))?;
        ip(&format!("link set room{number} up"))?;
        room.ip("link set wire up")?;
        room.takes_address(2)?;
        Ok(room)
    }

    /// Gives the room another address in place of the one it has.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn takes_address(&self, host: u8) -> Result<()> {
        let net = format!("10.97.{}", self.number);
        self.ip("addr flush dev wire")?;
        self.ip(&format!("addr add {net}.{host}/24 dev wire"))?;
        self.ip(&format!("route replace default via {net}.1 dev wire src {net}.{host}"))
    }

    /// Lets no datagram out to these ports.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn bars(&self, ports: &str) -> Result<()> {
        self.ip(&format!("rule add ipproto udp dport {ports} blackhole"))
    }

    /// A command that runs in the room.
    #[must_use]
    pub fn enter(&self, program: &str) -> Command {
        self.namespace.enter(program)
    }

    fn ip(&self, arguments: &str) -> Result<()> {
        self.namespace.ip(arguments)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        forget_link(&format!("room{}", self.number));
    }
}
