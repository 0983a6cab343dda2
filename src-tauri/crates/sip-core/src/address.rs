//! Where messages go to and come from.

use std::fmt;
use std::net::SocketAddr;

use sip_types::Transport;

/// A peer's address and the transport used towards it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    /// The transport.
    pub transport: Transport,
    /// The peer's address and port.
    pub addr: SocketAddr,
}

/// A resolved target together with the address we are reached at from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// Where requests go.
    pub target: Target,
    /// The address to advertise in Via and Contact towards this target, with the listening port.
    pub local: SocketAddr,
}

/// Where a received message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    /// The transport it came over.
    pub transport: Transport,
    /// Our own address it arrived at, with the listening port: fit to be advertised to `remote`.
    pub local: SocketAddr,
    /// The address and port it was sent from.
    pub remote: SocketAddr,
}

/// One message ready for the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where it goes. For a stream transport this names a connection by its remote address:
    /// an open one is used, otherwise one is opened.
    pub target: Target,
    /// For a response on a stream transport whose connection is gone: the address to open a new
    /// connection to instead of `target` (RFC 3261 section 18.2.2). `None` for everything else.
    pub fallback: Option<SocketAddr>,
    /// The bytes of the message.
    pub payload: Vec<u8>,
}

impl Source {
    /// The way back: the address the message came from.
    pub fn back(&self) -> Target {
        Target { transport: self.transport, addr: self.remote }
    }
}

impl Transmit {
    /// A message for `target`, without a fallback.
    pub fn new(target: Target, payload: Vec<u8>) -> Self {
        Self { target, fallback: None, payload }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.addr)
    }
}

/// Prints the start line only: headers may hold credentials and must not reach a log.
impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.payload.split(|&byte| byte == b'\r' || byte == b'\n').next();
        f.debug_struct("Transmit")
            .field("target", &self.target)
            .field("fallback", &self.fallback)
            .field("start_line", &String::from_utf8_lossy(line.unwrap_or_default()))
            .field("bytes", &self.payload.len())
            .finish()
    }
}
