//! Which socket or connection a message leaves by, and the table of open connections.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use sip_core::{Random, Target, Transmit};
use sip_types::{Host, Transport as Protocol};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;

use crate::binding::{Bindings, Output};
use crate::connection::{Connection, Order, Pulse};
use crate::datagram::Datagram;
use crate::failure::Failure;
use crate::identity::Identities;
use crate::tls::{self, HandshakeError};
use crate::undelivered::{Bounce, Bounces};
use crate::{FailureCause, Incoming, TransportConfig, Watch, websocket};

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
    identities: Mutex<Identities>,
    bindings: Mutex<Bindings>,
    bounces: Mutex<Bounces>,
    /// Rung when a binding may be due earlier than before.
    bell: Notify,
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
    standing: Arc<Standing>,
}

/// Which address of ours a connection stands on, and whether we have left it.
#[derive(Debug, Default)]
struct Standing {
    local: OnceLock<IpAddr>,
    left: AtomicBool,
}

/// What a new connection's task starts with.
struct Begun {
    target: Target,
    id: u64,
    orders: mpsc::Receiver<Order>,
    weak: mpsc::WeakSender<Order>,
    pulse: Arc<Pulse>,
    standing: Arc<Standing>,
}

impl Router {
    pub(crate) fn new(
        config: Arc<TransportConfig>,
        port: u16,
        udp: (Option<mpsc::Sender<Datagram>>, Option<mpsc::Sender<Datagram>>),
        incoming: mpsc::Sender<Incoming>,
        random: Random,
    ) -> Self {
        let (udp_v4, udp_v6) = udp;
        let identities = Mutex::new(Identities::new(config.anchors.clone()));
        let bindings = Mutex::new(Bindings::new(config.datagram_keep_alive, random));
        Self {
            config,
            port,
            udp_v4,
            udp_v6,
            incoming,
            table: Mutex::default(),
            identities,
            bindings,
            bounces: Mutex::default(),
            bell: Notify::new(),
        }
    }

    /// The names of targets.
    pub(crate) fn identities(&self) -> MutexGuard<'_, Identities> {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes by which name a target was found; `false` when it may not be used for that name.
    pub(crate) fn found_by(&self, target: Target, name: &Host) -> bool {
        match target.transport {
            Protocol::Udp | Protocol::Tcp => true,
            Protocol::Tls | Protocol::Ws | Protocol::Wss => self.identities().note(target, name),
        }
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
            _ => self.send_stream(target, fallback, payload),
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
            let (target, id, standing) = (begun.target, begun.id, Arc::clone(&begun.standing));
            let ended = router.run(begun, stream, false).await;
            router.end(target, id, &standing, ended).await;
        });
    }

    pub(crate) fn keep_alive(&self, target: Target, watch: Watch) {
        let supervised = watch == Watch::Watched;
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
        drop(table);
        if target.transport == Protocol::Udp {
            self.bindings().keep(now(), target.addr, watch);
            self.bell.notify_one();
        }
    }

    pub(crate) fn let_go(&self, target: Target) {
        let mut table = self.table();
        table.kept.remove(&target);
        table.supervised.remove(&target);
        if let Some(entry) = table.connections.get(&target) {
            entry.pulse.supervise(false);
        }
        drop(table);
        if target.transport == Protocol::Udp {
            self.bindings().let_go(target.addr);
        }
    }

    /// Our addresses or ways have changed. A connection that does not stand on the address that
    /// leads to its peer now will hear of it late or never: it is left, and the next message opens
    /// another one. Its end is not told, since it would be taken for that of the new one.
    pub(crate) fn network_changed(&self) {
        let mut table = self.table();
        table.connections.retain(|target, entry| {
            let way = local_address(self.config.bind, target.addr.ip());
            let stays = way.is_some() && entry.standing.local.get().copied() == way;
            if !stays {
                entry.standing.left.store(true, Ordering::Relaxed);
                let _ = entry.orders.try_send(Order::Close("our address has changed"));
            }
            stays
        });
    }

    /// Sends keep-alives to every kept UDP target, for as long as the task lives.
    pub(crate) async fn keep_datagrams_alive(self: Arc<Self>) {
        loop {
            let (outputs, next) = {
                let mut bindings = self.bindings();
                (bindings.handle_timeout(now()), bindings.poll_timeout())
            };
            for output in outputs {
                match output {
                    Output::Send { to, payload } => self.send_datagram(to, payload),
                    Output::Lost(addr) => {
                        let target = Target { transport: Protocol::Udp, addr };
                        let reason = "keep-alives are not answered";
                        self.tell(target, Failure::new(FailureCause::Timeout, reason)).await;
                    }
                }
            }
            match next {
                Some(next) => tokio::select! {
                    () = tokio::time::sleep_until(next.into()) => {}
                    () = self.bell.notified() => {}
                },
                None => self.bell.notified().await,
            }
        }
    }

    /// Takes a STUN datagram.
    pub(crate) async fn take_stun(&self, from: SocketAddr, bytes: &[u8]) {
        let mapped = self.bindings().handle_input(from, bytes);
        if let Some(mapped) = mapped {
            let target = Target { transport: Protocol::Udp, addr: mapped.target };
            let (address, before) = (mapped.address, mapped.before);
            // Nobody to tell: the program is closing.
            let _ = self.incoming.send(Incoming::Mapped { target, address, before }).await;
        }
    }

    /// Something came from there by UDP.
    pub(crate) fn heard(&self, from: SocketAddr) {
        self.bounces().heard(from);
    }

    /// The network says that these did not arrive.
    pub(crate) async fn undelivered(&self, told: Vec<Bounce>) {
        for Bounce { to, error } in told {
            let certain = self.bounces().bounced(now(), to);
            tracing::debug!(certain, "UDP to {to} did not arrive: {error}");
            if certain {
                let target = Target { transport: Protocol::Udp, addr: to };
                self.tell(target, Failure::io("sending", &error)).await;
            }
        }
    }

    fn send_datagram(&self, to: SocketAddr, payload: Vec<u8>) {
        let queue = if to.is_ipv4() { &self.udp_v4 } else { &self.udp_v6 };
        let target = Target { transport: Protocol::Udp, addr: to };
        let Some(queue) = queue else {
            let reason = "this address family is not available";
            self.report(target, Failure::new(FailureCause::Unreachable, reason));
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
        let (id, standing) = (begun.id, Arc::clone(&begun.standing));
        let router = Arc::clone(self);
        self.spawn_connection(async move {
            let ended = match router.connect(target.addr).await {
                Ok(stream) => router.run(begun, stream, true).await,
                Err(error) => Failure::io("cannot connect", &error),
            };
            router.end(target, id, &standing, ended).await;
        });
    }

    /// Queues bytes on the open connection with `target`; gives them back if there is none.
    fn write(&self, target: Target, payload: Vec<u8>) -> Option<Vec<u8>> {
        let orders = self.table().connections.get(&target).map(|entry| entry.orders.clone());
        let Some(orders) = orders else { return Some(payload) };
        match orders.try_send(Order::Write(payload)) {
            Err(TrySendError::Closed(Order::Write(payload))) => Some(payload),
            Err(TrySendError::Full(_)) => {
                let reason = "the other side does not take what is sent";
                self.report(target, Failure::new(FailureCause::Timeout, reason));
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
        let standing = Arc::new(Standing::default());
        let entry = Entry {
            id,
            orders: sender,
            pulse: Arc::clone(&pulse),
            standing: Arc::clone(&standing),
        };
        table.connections.insert(target, entry);
        Begun { target, id, orders, weak, pulse, standing }
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

    async fn run(&self, begun: Begun, stream: TcpStream, opened_by_us: bool) -> Failure {
        let Begun { target, id, orders, weak, pulse, standing } = begun;
        let local = match stream.local_addr() {
            Ok(local) => {
                // Set once: a connection has one address.
                let _ = standing.local.set(local.ip().to_canonical());
                SocketAddr::new(local.ip(), self.port)
            }
            Err(error) => return Failure::io("connecting", &error),
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
        // Whatever the other side does, a handshake ends.
        let by = Instant::now() + self.config.handshake_timeout;
        match target.transport {
            Protocol::Udp | Protocol::Tcp => connection.run(stream, orders).await,
            Protocol::Tls => match timeout_at(by, self.secure(target, id, stream)).await {
                Ok(stream) => connection.run(stream, orders).await,
                Err(failure) => failure,
            },
            Protocol::Ws => {
                match timeout_at(by, self.open_websocket(target, false, stream)).await {
                    Ok(stream) => connection.run_websocket(stream, orders).await,
                    Err(failure) => failure,
                }
            }
            Protocol::Wss => {
                let opening = async {
                    let stream = self.secure(target, id, stream).await?;
                    self.open_websocket(target, true, stream).await
                };
                match timeout_at(by, opening).await {
                    Ok(stream) => connection.run_websocket(stream, orders).await,
                    Err(failure) => failure,
                }
            }
        }
    }

    /// Opens TLS, with the server proving all names its target is known by.
    async fn secure(
        &self,
        target: Target,
        id: u64,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let wanted = self.identities().of(target);
        match tls::connect(stream, wanted.clone()).await {
            Ok((stream, chain)) => {
                if self.identities().shown(target, id, chain, &wanted) {
                    return Ok(stream);
                }
                let failure = tls::TlsFailure::WrongName;
                let reason = format!("cannot connect: {failure}");
                Err(Failure::new(FailureCause::Tls(failure), reason))
            }
            Err(HandshakeError { error, strangers }) => {
                self.identities().forget(target, &strangers);
                Err(Failure::io("cannot connect", &error))
            }
        }
    }

    async fn open_websocket<S>(
        &self,
        target: Target,
        secure: bool,
        stream: S,
    ) -> Result<WebSocketStream<S>, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (name, path) = {
            let identities = self.identities();
            let name = identities.of(target).into_iter().next().map(|identity| identity.host);
            (name, identities.websocket_path(target))
        };
        let name = name.unwrap_or_else(|| target.addr.ip().into());
        let port = target.addr.port();
        let authority = if port == target.transport.default_port() {
            name.to_string()
        } else {
            format!("{name}:{port}")
        };
        let path = path.as_deref().unwrap_or(&self.config.websocket_path);
        websocket::open(stream, secure, &authority, path, self.config.framing).await
    }

    async fn end(&self, target: Target, id: u64, standing: &Standing, ended: Failure) {
        if standing.left.load(Ordering::Relaxed) {
            return self.identities().ended(target, id);
        }
        {
            let mut table = self.table();
            if table.connections.get(&target).is_some_and(|entry| entry.id == id) {
                table.connections.remove(&target);
            }
        }
        self.identities().ended(target, id);
        self.tell(target, ended).await;
    }

    async fn tell(&self, target: Target, failure: Failure) {
        let Failure { cause, reason } = failure;
        // Nobody to tell: the program is closing.
        let _ = self.incoming.send(Incoming::Failed { target, cause, reason }).await;
    }

    fn spawn_connection(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut table = self.table();
        table.reap();
        table.connection_tasks.spawn(task);
    }

    /// Tells the owner of a failure that happened in its own call, without making it wait.
    fn report(&self, target: Target, failure: Failure) {
        let incoming = self.incoming.clone();
        let Failure { cause, reason } = failure;
        self.spawn(async move {
            let _ = incoming.send(Incoming::Failed { target, cause, reason }).await;
        });
    }

    fn bindings(&self) -> MutexGuard<'_, Bindings> {
        self.bindings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bounces(&self) -> MutexGuard<'_, Bounces> {
        self.bounces.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The runtime's clock, by which it sleeps as well.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

async fn timeout_at<T>(
    by: Instant,
    opening: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let late = || Failure::new(FailureCause::Timeout, "cannot connect: no agreement in time");
    tokio::time::timeout_at(by, opening).await.unwrap_or_else(|_| Err(late()))
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(SYSTEM_KEEP_ALIVE))
}
