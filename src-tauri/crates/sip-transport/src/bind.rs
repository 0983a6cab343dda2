//! Opening the listening sockets.

use std::io;
use std::net::IpAddr;

use thiserror::Error;

/// Why listening is impossible.
#[derive(Debug, Error)]
pub enum BindError {
    /// Another program listens on this port.
    #[error("port {port} on {ip} is already in use")]
    PortTaken {
        /// The address.
        ip: IpAddr,
        /// The port.
        port: u16,
    },
    /// The address is none of this machine's.
    #[error("{0} is not an address of this machine")]
    NotOurAddress(IpAddr),
    /// Anything else the system says.
    #[error("cannot listen: {0}")]
    System(#[from] io::Error),
}
