//! Owns the transports we speak and the looser set a Via may name.

use std::fmt;
use std::str::FromStr;

use crate::ValueError;

/// A transport Balie can send and receive on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS (RFC 7118).
    Wss,
}

impl Transport {
    /// Whether the transport itself delivers (everything but UDP), so that no request is retransmitted.
    pub fn reliable(self) -> bool {
        self != Self::Udp
    }

    /// Whether the hop is encrypted.
    pub fn secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// The port used when none is written (RFC 3261 section 19.1.2, RFC 7118 section 5.1).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// The name in capitals, as a Via has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Transport {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.parse::<rsip::Transport>() {
            Ok(rsip::Transport::Udp) => Ok(Self::Udp),
            Ok(rsip::Transport::Tcp) => Ok(Self::Tcp),
            Ok(rsip::Transport::Tls) => Ok(Self::Tls),
            Ok(rsip::Transport::Ws) => Ok(Self::Ws),
            Ok(rsip::Transport::Wss) => Ok(Self::Wss),
            Ok(rsip::Transport::Sctp | rsip::Transport::TlsSctp) | Err(_) => {
                Err(ValueError(format!("'{text}' is not a transport we speak")))
            }
        }
    }
}

/// The transport a Via names: one of ours, or any other token (SCTP, something new) kept as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ViaTransport {
    /// One we speak.
    Known(Transport),
    /// One we do not speak; a message that only passed over it is read all the same.
    Other(String),
}

impl ViaTransport {
    /// The transport, if it is one we speak.
    pub fn known(&self) -> Option<Transport> {
        match self {
            Self::Known(transport) => Some(*transport),
            Self::Other(_) => None,
        }
    }
}

impl From<Transport> for ViaTransport {
    fn from(transport: Transport) -> Self {
        Self::Known(transport)
    }
}

impl PartialEq<Transport> for ViaTransport {
    fn eq(&self, other: &Transport) -> bool {
        self.known() == Some(*other)
    }
}

impl fmt::Display for ViaTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(transport) => transport.fmt(f),
            Self::Other(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_in_any_case() {
        for transport in
            [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss]
        {
            assert_eq!(transport.to_string().parse::<Transport>().unwrap(), transport);
            assert_eq!(transport.as_str().to_lowercase().parse::<Transport>().unwrap(), transport);
        }
        assert!("SCTP".parse::<Transport>().is_err());
        assert!(!Transport::Udp.reliable() && Transport::Tls.reliable());
    }
}
