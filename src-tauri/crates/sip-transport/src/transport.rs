//! The owner's handle on the sockets.

use std::net::IpAddr;

use sip_core::{Route, Target, Transmit};
use sip_types::Uri;
use tokio::sync::mpsc;

use crate::{BindError, Incoming, ResolveError, TransportConfig};

/// Listening sockets, open connections and the resolver. Everything closes when this is dropped.
#[derive(Debug)]
pub struct Transport {
    port: u16,
}

impl Transport {
    /// Opens the sockets. Must be called within a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`BindError::PortTaken`] when another program has the port; otherwise what the system says.
    #[expect(clippy::unused_async, reason = "binding may need to look things up")]
    pub async fn bind(
        config: TransportConfig,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), BindError> {
        let (_, incoming) = mpsc::channel(config.incoming_queue);
        Ok((Self { port: config.port }, incoming))
    }

    /// The port listened on, for UDP and TCP alike.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends without waiting. A failure comes as [`Incoming::Failed`].
    pub fn send(&self, transmit: Transmit) {
        let _ = transmit;
    }

    /// Finds the addresses a URI stands for, in the order to try them, each with the local address
    /// to advertise towards it.
    ///
    /// # Errors
    /// When the name is unknown, the name service does not answer, no route leads there, or the
    /// transport is not one we have.
    #[expect(clippy::unused_async, reason = "names are looked up")]
    pub async fn resolve(&self, uri: &Uri) -> Result<Vec<Route>, ResolveError> {
        let _ = uri;
        Ok(Vec::new())
    }

    /// The address of ours that is reached from `peer`: the one the system would send from.
    pub fn local_address(&self, peer: IpAddr) -> Option<IpAddr> {
        let _ = peer;
        None
    }

    /// Keeps a NAT binding or connection to `target` alive, until [`Self::let_go`]. A UDP target gets a
    /// CRLF CRLF every 25 seconds; a connection must answer its pings when `supervised`.
    pub fn keep_alive(&self, target: Target, supervised: bool) {
        let _ = (target, supervised);
    }

    /// Ends [`Self::keep_alive`].
    pub fn let_go(&self, target: Target) {
        let _ = target;
    }
}
