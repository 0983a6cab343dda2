//! RTP sockets: port pairs from the range, arrival stamped on a thread of their own, freed when
//! the last owner lets go.
//!
//! A datagram goes socket -> network thread (arrival time) -> bounded queue -> DSP thread. Sending
//! is done by the DSP thread itself on the same, non-blocking, socket. Checks and handshakes, which
//! share the RTP port, stay on the network thread.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use media_transport::{Kind, LocalCertificate};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::mpsc::{UnboundedSender, channel, unbounded_channel};
use tokio::task::AbortHandle;

use crate::EngineError;
use crate::keeper::{Check, Keeper, Order, Signal, WAITING};

/// Datagrams that may wait for the DSP thread: over a second of several streams' sound.
const QUEUE: usize = 256;
/// Longer datagrams are no sound of ours.
pub(crate) const LONGEST: usize = 2_048;
/// How long opening waits for ports that are just being closed.
const CLOSING: Duration = Duration::from_millis(300);
/// DSCP "expedited forwarding" in the traffic class byte.
const EXPEDITED: u32 = 46 << 2;

/// One datagram as it arrived.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) at: Instant,
    pub(crate) from: SocketAddr,
    /// Came in on the RTCP port.
    pub(crate) rtcp: bool,
    pub(crate) data: Box<[u8]>,
}

/// A stream's pair of sockets, for sending.
pub(crate) struct Sockets {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    /// After the sockets: the port is free when this goes.
    permit: Arc<Permit>,
}

impl Sockets {
    pub(crate) fn rtp_port(&self) -> u16 {
        self.permit.port
    }

    /// Starts receiving on the network thread; the datagrams come out of the queue given back.
    /// Without a certificate there are no handshakes and no checks.
    pub(crate) fn listen(
        &self,
        network: &Network,
        certificate: Option<LocalCertificate>,
    ) -> io::Result<(Listening, UnboundedSender<Order>)> {
        let (inlet, packets) = sync_channel(QUEUE);
        let (check_inlet, checks) = channel(WAITING);
        let (order_inlet, orders) = unbounded_channel();
        let (signal_inlet, signals) = std::sync::mpsc::channel();
        let (linked, sound) = channel(WAITING);
        let overflow = Arc::new(AtomicU64::new(0));
        let runtime = network.runtime()?;
        let _guard = runtime.enter();
        let mut tasks = Vec::with_capacity(2);
        for (socket, rtcp) in [(&self.rtp, false), (&self.rtcp, true)] {
            let socket = tokio::net::UdpSocket::from_std(socket.try_clone()?)?;
            let task = Listener {
                socket,
                rtcp,
                inlet: inlet.clone(),
                checks: check_inlet.clone(),
                overflow: Arc::clone(&overflow),
                _permit: Arc::clone(&self.permit),
            };
            tasks.push(runtime.spawn(task.run()).abort_handle());
        }
        if let Some(certificate) = certificate {
            let socket = self.rtp.try_clone()?;
            let keeper = Keeper {
                certificate,
                socket,
                checks,
                orders,
                linked: sound,
                inlet,
                signals: signal_inlet,
            };
            let permit = Arc::clone(&self.permit);
            // It ends by itself when its orders do, and has something to say then.
            runtime.spawn(async move {
                keeper.run().await;
                drop(permit);
            });
        }
        Ok((Listening { packets, signals, linked, tasks }, order_inlet))
    }
}

/// The receiving half of a stream's sockets.
pub(crate) struct Listening {
    pub(crate) packets: Receiver<Packet>,
    /// What became of keys and paths.
    pub(crate) signals: Receiver<Signal>,
    /// Where sound goes whose path is a link.
    pub(crate) linked: tokio::sync::mpsc::Sender<Vec<u8>>,
    pub(crate) tasks: Vec<AbortHandle>,
}

struct Listener {
    socket: tokio::net::UdpSocket,
    rtcp: bool,
    inlet: SyncSender<Packet>,
    checks: tokio::sync::mpsc::Sender<Check>,
    overflow: Arc<AtomicU64>,
    _permit: Arc<Permit>,
}

impl Listener {
    async fn run(self) {
        let mut buffer = [0_u8; LONGEST];
        loop {
            let (length, from) = match self.socket.recv_from(&mut buffer).await {
                Ok(received) => received,
                Err(error) => {
                    // An ICMP error about something we sent comes out here; it says nothing about
                    // what may still arrive.
                    tracing::debug!(%error, "RTP socket");
                    pause().await;
                    continue;
                }
            };
            #[expect(clippy::disallowed_methods, reason = "the arrival time of a datagram")]
            let at = Instant::now();
            let data: Box<[u8]> = buffer.get(..length).unwrap_or_default().into();
            let from = unmap(from);
            if matches!(Kind::of(&data), Kind::Stun | Kind::Dtls) {
                // Only the RTP port has keys and paths; what does not fit is sent again.
                if !self.rtcp && self.checks.try_send(Check { from, data }).is_err() {
                    self.overflow.fetch_add(1, Ordering::Relaxed);
                }
                continue;
            }
            match self.inlet.try_send(Packet { at, from, rtcp: self.rtcp, data }) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    self.overflow.fetch_add(1, Ordering::Relaxed);
                }
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a socket in error must not spin")]
pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// An IPv4 peer seen through an IPv6 socket is an IPv4 peer.
pub(crate) fn unmap(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// The thread that receives.
pub(crate) struct Network {
    runtime: Option<tokio::runtime::Runtime>,
}

impl Network {
    pub(crate) fn start() -> Result<Self, EngineError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("balie-rtp")
            .enable_all()
            .build()
            .map_err(|e| EngineError::Thread(e.to_string()))?;
        Ok(Self { runtime: Some(runtime) })
    }

    fn runtime(&self) -> io::Result<&tokio::runtime::Runtime> {
        self.runtime.as_ref().ok_or_else(|| io::Error::other("the network thread has ended"))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The ports of the range and who holds them.
pub(crate) struct PortPool {
    range: RangeInclusive<u16>,
    bind: IpAddr,
    state: Mutex<PoolState>,
    freed: Condvar,
}

#[derive(Default)]
struct PoolState {
    next: usize,
    used: BTreeSet<u16>,
    closing: BTreeSet<u16>,
}

/// One port pair in use; dropped by the last owner of its sockets.
struct Permit {
    pool: Arc<PortPool>,
    port: u16,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.used.remove(&self.port);
        state.closing.remove(&self.port);
        drop(state);
        self.pool.freed.notify_all();
    }
}

impl PortPool {
    pub(crate) fn new(range: RangeInclusive<u16>, bind: IpAddr) -> Arc<Self> {
        Arc::new(Self { range, bind, state: Mutex::default(), freed: Condvar::new() })
    }

    /// Ports in use, closing ones included.
    pub(crate) fn in_use(&self) -> usize {
        self.lock().used.len()
    }

    /// The sockets of this port will be dropped soon.
    pub(crate) fn closing(&self, port: u16) {
        let mut state = self.lock();
        if state.used.contains(&port) {
            state.closing.insert(port);
        }
    }

    /// A pair of sockets for a stream that will advertise `local`.
    pub(crate) fn take(self: &Arc<Self>, local: IpAddr) -> Result<Sockets, EngineError> {
        let addr = self.bind_address(local);
        if let Some(sockets) = self.try_take(addr)? {
            return Ok(sockets);
        }
        let state = self.lock();
        let waited = self.freed.wait_timeout_while(state, CLOSING, |s| !s.closing.is_empty());
        drop(waited);
        let (first, last) = (*self.range.start(), *self.range.end());
        self.try_take(addr)?.ok_or(EngineError::PortTaken { first, last, addr })
    }

    fn bind_address(&self, local: IpAddr) -> IpAddr {
        match (self.bind, local) {
            (IpAddr::V4(bind), IpAddr::V4(_)) => bind.into(),
            (IpAddr::V6(bind), IpAddr::V6(_)) => bind.into(),
            (bind, IpAddr::V4(_)) if bind.is_unspecified() => Ipv4Addr::UNSPECIFIED.into(),
            (bind, IpAddr::V6(_)) if bind.is_unspecified() => Ipv6Addr::UNSPECIFIED.into(),
            (_, local) => local,
        }
    }

    /// Goes round the range, so that a port just freed (for which packets may still be on their
    /// way) is the last to be used again.
    fn try_take(self: &Arc<Self>, addr: IpAddr) -> Result<Option<Sockets>, EngineError> {
        let pairs: Vec<u16> =
            self.range.clone().filter(|p| p % 2 == 0 && *p > 0 && *p < *self.range.end()).collect();
        for _ in 0..pairs.len() {
            let port = {
                let mut state = self.lock();
                let at = state.next % pairs.len();
                state.next = at + 1;
                let Some(port) = pairs.get(at).copied() else { continue };
                if !state.used.insert(port) {
                    continue;
                }
                port
            };
            let permit = Arc::new(Permit { pool: Arc::clone(self), port });
            match bind_pair(addr, port) {
                Ok((rtp, rtcp)) => return Ok(Some(Sockets { rtp, rtcp, permit })),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => return Err(EngineError::Socket { addr, source }),
            }
        }
        Ok(None)
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bind_pair(addr: IpAddr, port: u16) -> io::Result<(UdpSocket, UdpSocket)> {
    Ok((bind(SocketAddr::new(addr, port))?, bind(SocketAddr::new(addr, port + 1))?))
}

pub(crate) fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    let marked = if addr.is_ipv6() {
        socket.set_only_v6(true)?;
        mark_v6(&socket)
    } else {
        socket.set_tos_v4(EXPEDITED)
    };
    if let Err(error) = marked {
        tracing::debug!(%error, "packets go out unmarked");
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

#[cfg(unix)]
fn mark_v6(socket: &Socket) -> io::Result<()> {
    socket.set_tclass_v6(EXPEDITED)
}

#[cfg(not(unix))]
fn mark_v6(_socket: &Socket) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn hands_out_even_ports_with_the_odd_one_above() {
        let pool = PortPool::new(47_001..=47_020, LOCAL);
        let sockets = pool.take(LOCAL).unwrap();
        let (rtp, rtcp) = (sockets.rtp.local_addr().unwrap(), sockets.rtcp.local_addr().unwrap());
        assert_eq!(rtp.port() % 2, 0);
        assert_eq!(rtcp.port(), rtp.port() + 1);
        assert_eq!(rtp.port(), sockets.rtp_port());
    }

    #[test]
    fn says_so_when_the_range_is_used_up_and_recovers() {
        let pool = PortPool::new(47_030..=47_033, LOCAL);
        let (first, _second) = (pool.take(LOCAL).unwrap(), pool.take(LOCAL).unwrap());
        let error = pool.take(LOCAL).err().unwrap();
        assert!(matches!(error, EngineError::PortTaken { first: 47_030, last: 47_033, .. }));
        drop(first);
        assert!(pool.take(LOCAL).is_ok());
    }

    #[test]
    fn a_port_that_another_program_holds_is_passed_over() {
        let held = UdpSocket::bind("127.0.0.1:47041").unwrap();
        let pool = PortPool::new(47_040..=47_043, LOCAL);
        assert_eq!(pool.take(LOCAL).unwrap().rtp_port(), 47_042);
        drop(held);
    }

    #[test]
    fn an_address_that_is_not_ours_is_named() {
        let addr: IpAddr = "192.0.2.77".parse().unwrap();
        let error = PortPool::new(47_050..=47_060, addr).take(addr).err().unwrap();
        assert!(matches!(error, EngineError::Socket { .. }));
        assert!(error.to_string().contains("192.0.2.77"));
    }

    #[test]
    fn either_family_can_be_opened() {
        let pool = PortPool::new(47_070..=47_073, Ipv4Addr::UNSPECIFIED.into());
        let four = pool.take(LOCAL).unwrap();
        let six = pool.take(Ipv6Addr::LOCALHOST.into()).unwrap();
        assert!(four.rtp.local_addr().unwrap().is_ipv4());
        assert!(six.rtp.local_addr().unwrap().is_ipv6());
    }
}
