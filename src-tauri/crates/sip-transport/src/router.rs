//! Which socket or connection a message leaves by, and the table of open connections.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sip_core::{Target, Transmit};
use sip_types::Transport as Protocol;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinSet;

use crate::connection::{Connection, Ended, Order, Pulse};
use crate::datagram::Datagram;
use crate::{Incoming, TransportConfig};

const PING: &[u8] = b"\r\n\r\n";

/// How soon the system itself looks after a silent connection.
const SYSTEM_KEEP_ALIVE: Duration = Duration::from_secs(60);

/// The sending side of the sockets.
#[derive(Debug)]
pub(crate) struct Router {
    config: Arc<TransportConfig>,
    port: u16,
    udp_v4: Option<mpsc::Sender<Datagram>>,
    udp_v6: Option<mpsc::Sender<Datagram>>,
    incoming: mpsc::Sender<Incoming>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next_id: u64,
    connections: HashMap<Target, Entry>,
    /// Targets whose bindings the owner wants kept.
    kept: HashSet<Target>,
    /// Those among them whose connection must answer pings.
    supervised: HashSet<Target>,
    tasks: JoinSet<()>,
    /// One per connection, until its end has been told.
    connection_tasks: JoinSet<()>,
}

/// An open connection as seen from outside.
#[derive(Debug)]
struct Entry {
    id: u64,
    orders: mpsc::Sender<Order>,
    pulse: Arc<Pulse>,
}

/// What a new connection's task starts with.
struct Begun {
    target: Target,
    id: u64,
    orders: mpsc::Receiver<Order>,
    weak: mpsc::WeakSender<Order>,
    pulse: Arc<Pulse>,
}

impl Router {
    pub(crate) fn new(
        config: Arc<TransportConfig>,
        port: u16,
        udp: (Option<mpsc::Sender<Datagram>>, Option<mpsc::Sender<Datagram>>),
        incoming: mpsc::Sender<Incoming>,
    ) -> Self {
        let (udp_v4, udp_v6) = udp;
        Self { config, port, udp_v4, udp_v6, incoming, table: Mutex::default() }
    }

    /// Runs a task until [`close`](Self::close).
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut table = self.table();
        table.reap();
        table.tasks.spawn(task);
    }

    /// Ends all tasks, and with them sockets and connections.
    pub(crate) fn close(&self) {
        let mut table = self.table();
        table.tasks.abort_all();
        table.connection_tasks.abort_all();
        table.connections.clear();
    }

    pub(crate) fn send(self: &Arc<Self>, transmit: Transmit) {
        let Transmit { target, fallback, payload } = transmit;
        match target.transport {
            Protocol::Udp => self.send_datagram(target.addr, payload),
            Protocol::Tcp => self.send_stream(target, fallback, payload),
            other => self.report(target, format!("{other} is not supported")),
        }
    }

    /// Takes a connection in, unless so many have ended without the owner taking notice that more
    /// would pile up.
    pub(crate) fn accepted(self: &Arc<Self>, target: Target, stream: TcpStream) {
        let mut table = self.table();
        table.reap();
        let tasks = table.connection_tasks.len();
        drop(table);
        if tasks > self.config.max_connections.saturating_mul(2) {
            tracing::warn!("{target} refused: too many connections are ending");
            return;
        }
        let begun = self.begin(target, None);
        let router = Arc::clone(self);
        self.spawn_connection(async move {
            let (target, id) = (begun.target, begun.id);
            let ended = router.run(begun, stream, false).await;
            router.end(target, id, ended).await;
        });
    }

    pub(crate) fn keep_alive(&self, target: Target, supervised: bool) {
        let mut table = self.table();
        table.kept.insert(target);
        if supervised {
            table.supervised.insert(target);
        } else {
            table.supervised.remove(&target);
        }
        if let Some(entry) = table.connections.get(&target) {
            entry.pulse.supervise(supervised);
        }
    }

    pub(crate) fn let_go(&self, target: Target) {
        let mut table = self.table();
        table.kept.remove(&target);
        table.supervised.remove(&target);
        if let Some(entry) = table.connections.get(&target) {
            entry.pulse.supervise(false);
        }
    }

    /// Sends a keep-alive to every kept UDP target, for as long as the task lives.
    pub(crate) async fn keep_datagrams_alive(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(self.config.datagram_keep_alive);
        loop {
            ticks.tick().await;
            let kept: Vec<Target> = self.table().kept.iter().copied().collect();
            for target in kept.into_iter().filter(|target| target.transport == Protocol::Udp) {
                self.send_datagram(target.addr, PING.to_vec());
            }
        }
    }

    fn send_datagram(&self, to: SocketAddr, payload: Vec<u8>) {
        let queue = if to.is_ipv4() { &self.udp_v4 } else { &self.udp_v6 };
        let target = Target { transport: Protocol::Udp, addr: to };
        let Some(queue) = queue else {
            self.report(target, "this address family is not available".to_owned());
            return;
        };
        if queue.try_send(Datagram { to, payload }).is_err() {
            tracing::warn!("UDP to {to}: dropped, too much is waiting to be sent");
        }
    }

    fn send_stream(
        self: &Arc<Self>,
        target: Target,
        fallback: Option<SocketAddr>,
        payload: Vec<u8>,
    ) {
        let Some(payload) = self.write(target, payload) else { return };
        let target = Target { addr: fallback.unwrap_or(target.addr), ..target };
        let Some(payload) = self.write(target, payload) else { return };
        let begun = self.begin(target, Some(payload));
        let id = begun.id;
        let router = Arc::clone(self);
        self.spawn_connection(async move {
            let ended = match router.connect(target.addr).await {
                Ok(stream) => router.run(begun, stream, true).await,
                Err(error) => Ended(format!("cannot connect: {error}")),
            };
            router.end(target, id, ended).await;
        });
    }

    /// Queues bytes on the open connection with `target`; gives them back if there is none.
    fn write(&self, target: Target, payload: Vec<u8>) -> Option<Vec<u8>> {
        let orders = self.table().connections.get(&target).map(|entry| entry.orders.clone());
        let Some(orders) = orders else { return Some(payload) };
        match orders.try_send(Order::Write(payload)) {
            Err(TrySendError::Closed(Order::Write(payload))) => Some(payload),
            Err(TrySendError::Full(_)) => {
                self.report(target, "the other side does not take what is sent".to_owned());
                None
            }
            _ => None,
        }
    }

    /// Enters a connection into the table, closing the one idle for longest if there are too many.
    fn begin(&self, target: Target, first: Option<Vec<u8>>) -> Begun {
        let (sender, orders) = mpsc::channel(self.config.connection_queue.max(1));
        if let Some(payload) = first {
            // A new queue has room for one.
            let _ = sender.try_send(Order::Write(payload));
        }
        let weak = sender.downgrade();
        let mut table = self.table();
        table.make_room(self.config.max_connections);
        let pulse = Arc::new(Pulse::new(table.supervised.contains(&target)));
        let id = table.next_id;
        table.next_id += 1;
        let entry = Entry { id, orders: sender, pulse: Arc::clone(&pulse) };
        table.connections.insert(target, entry);
        Begun { target, id, orders, weak, pulse }
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if !self.config.bind.is_unspecified() && self.config.bind.is_ipv4() == to.is_ipv4() {
            socket.bind(SocketAddr::new(self.config.bind, 0))?;
        }
        tokio::time::timeout(self.config.connect_timeout, socket.connect(to))
            .await
            .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")))
    }

    async fn run(&self, begun: Begun, stream: TcpStream, opened_by_us: bool) -> Ended {
        let Begun { target, orders, weak, pulse, .. } = begun;
        let local = match stream.local_addr() {
            Ok(local) => SocketAddr::new(local.ip(), self.port),
            Err(error) => return Ended(error.to_string()),
        };
        if let Err(error) = tune(&stream) {
            tracing::debug!("{target} keeps its socket options: {error}");
        }
        let connection = Connection {
            target,
            local,
            opened_by_us,
            pulse,
            config: Arc::clone(&self.config),
            incoming: self.incoming.clone(),
            orders: weak,
        };
        connection.run(stream, orders).await
    }

    async fn end(&self, target: Target, id: u64, ended: Ended) {
        {
            let mut table = self.table();
            if table.connections.get(&target).is_some_and(|entry| entry.id == id) {
                table.connections.remove(&target);
            }
        }
        let failed = Incoming::Failed { target, reason: ended.0 };
        // Nobody to tell: the program is closing.
        let _ = self.incoming.send(failed).await;
    }

    fn spawn_connection(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut table = self.table();
        table.reap();
        table.connection_tasks.spawn(task);
    }

    /// Tells the owner of a failure that happened in its own call, without making it wait.
    fn report(&self, target: Target, reason: String) {
        let incoming = self.incoming.clone();
        self.spawn(async move {
            let _ = incoming.send(Incoming::Failed { target, reason }).await;
        });
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Lets go of tasks that have ended.
    fn reap(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        while self.connection_tasks.try_join_next().is_some() {}
    }

    fn make_room(&mut self, most: usize) {
        while self.connections.len() >= most.max(1) {
            let idlest = self
                .connections
                .iter()
                .filter(|(target, _)| !self.kept.contains(target))
                .min_by_key(|(_, entry)| entry.pulse.last_activity())
                .map(|(target, _)| *target);
            let Some(entry) = idlest.and_then(|target| self.connections.remove(&target)) else {
                return;
            };
            let _ = entry.orders.try_send(Order::Close("there are too many connections"));
        }
    }
}

/// The address a socket towards `peer` would send from, when listening on `bind`.
pub(crate) fn local_address(bind: IpAddr, peer: IpAddr) -> Option<IpAddr> {
    if !bind.is_unspecified() {
        return (bind.is_ipv4() == peer.is_ipv4()).then_some(bind);
    }
    let any: SocketAddr = match peer {
        IpAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    // Connecting a UDP socket sends nothing; the system only chooses the way.
    socket.connect((peer, 5060)).ok()?;
    socket.local_addr().ok().map(|addr| addr.ip()).filter(|ip| !ip.is_unspecified())
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(SYSTEM_KEEP_ALIVE))
}
