//! Opening the listening sockets: UDP and TCP on one port, one pair per address family.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};

use crate::undelivered;

/// How often a free port is asked for before giving up: it must be free for UDP and TCP, in both
/// families.
const ATTEMPTS: usize = 32;

/// Room for the bursts of a busy exchange.
const UDP_BUFFER: usize = 1024 * 1024;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

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

/// The sockets of one address family.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: TcpListener,
}

/// All listening sockets, on one port.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) v4: Option<Pair>,
    pub(crate) v6: Option<Pair>,
    pub(crate) port: u16,
}

/// Opens the sockets for `bind`; an unspecified address means both families.
pub(crate) fn open(bind: IpAddr, port: u16) -> Result<Listeners, BindError> {
    if port != 0 {
        return open_on(bind, port);
    }
    let mut outcome = open_on(bind, 0);
    for _ in 1..ATTEMPTS {
        if !matches!(outcome, Err(BindError::PortTaken { .. })) {
            break;
        }
        outcome = open_on(bind, 0);
    }
    outcome
}

fn open_on(bind: IpAddr, port: u16) -> Result<Listeners, BindError> {
    if !bind.is_unspecified() {
        let (pair, port) = open_pair(bind, port)?;
        return Ok(match bind {
            IpAddr::V4(_) => Listeners { v4: Some(pair), v6: None, port },
            IpAddr::V6(_) => Listeners { v4: None, v6: Some(pair), port },
        });
    }
    let v4 = optional(open_pair(Ipv4Addr::UNSPECIFIED.into(), port))?;
    let port = v4.as_ref().map_or(port, |(_, port)| *port);
    let v6 = optional(open_pair(Ipv6Addr::UNSPECIFIED.into(), port))?;
    let Some(port) = v4.as_ref().or(v6.as_ref()).map(|(_, port)| *port) else {
        return Err(BindError::NotOurAddress(bind));
    };
    Ok(Listeners { v4: v4.map(|(pair, _)| pair), v6: v6.map(|(pair, _)| pair), port })
}

/// A machine without one of the families still has the other.
fn optional(outcome: Result<(Pair, u16), BindError>) -> Result<Option<(Pair, u16)>, BindError> {
    match outcome {
        Ok(opened) => Ok(Some(opened)),
        Err(BindError::PortTaken { ip, port }) => Err(BindError::PortTaken { ip, port }),
        Err(error) => {
            tracing::info!("one address family is not available: {error}");
            Ok(None)
        }
    }
}

/// Opens TCP first: when the system chooses the port it is more often free for UDP than the
/// other way round.
fn open_pair(ip: IpAddr, port: u16) -> Result<(Pair, u16), BindError> {
    let tcp = socket(ip, Type::STREAM, Protocol::TCP)?;
    #[cfg(unix)]
    tcp.set_reuse_address(true)?;
    bind_socket(&tcp, ip, port)?;
    tcp.listen(BACKLOG)?;
    let tcp = TcpListener::from_std(tcp.into())?;
    let port = tcp.local_addr()?.port();

    let udp = socket(ip, Type::DGRAM, Protocol::UDP)?;
    if let Err(error) = udp.set_recv_buffer_size(UDP_BUFFER) {
        tracing::debug!("the UDP receive buffer keeps its size: {error}");
    }
    if let Err(error) = undelivered::tell(&udp, ip) {
        tracing::debug!("what does not arrive will not be told: {error}");
    }
    bind_socket(&udp, ip, port)?;
    Ok((Pair { udp: UdpSocket::from_std(udp.into())?, tcp }, port))
}

fn socket(ip: IpAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let domain = if ip.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, kind, Some(protocol))?;
    if ip.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bind_socket(socket: &Socket, ip: IpAddr, port: u16) -> Result<(), BindError> {
    socket.bind(&SocketAddr::new(ip, port).into()).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::PortTaken { ip, port },
        io::ErrorKind::AddrNotAvailable => BindError::NotOurAddress(ip),
        _ => BindError::System(error),
    })
}
