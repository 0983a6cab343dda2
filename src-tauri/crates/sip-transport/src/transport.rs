//! The owner's handle on the sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use sip_core::{Random, Route, Target, Transmit};
use sip_types::{Host, Uri};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::ask::Asker;
use crate::bind::{self, Pair};
use crate::datagram::{self, Datagram};
use crate::resolve::{self, Resolver, SharedResolver};
use crate::router::{self, Router};
use crate::{BindError, Incoming, Peering, ResolveError, TransportConfig, Watch, listen};

/// Datagrams that may wait to be sent.
const DATAGRAM_QUEUE: usize = 1024;

/// Listening sockets, open connections and the resolver. Everything closes when this is dropped.
#[derive(Debug)]
pub struct Transport {
    bind: IpAddr,
    port: u16,
    families: Families,
    router: Arc<Router>,
    resolver: SharedResolver,
}

/// One way to where a URI leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The way.
    pub route: Route,
    /// The host whose address it is: what a SRV record named, or the URI's own.
    pub host: Host,
}

/// The address families there are sockets for.
#[derive(Debug, Clone, Copy)]
struct Families {
    v4: bool,
    v6: bool,
}

/// One UDP socket's two ends.
struct UdpEnds {
    socket: Arc<UdpSocket>,
    bound: SocketAddr,
    queue: mpsc::Receiver<Datagram>,
}

impl Transport {
    /// Opens the sockets. Must be called within a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`BindError::PortTaken`] when another program has the port; otherwise what the system says.
    #[expect(clippy::unused_async, reason = "shows that a runtime is needed")]
    pub async fn bind(
        config: TransportConfig,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), BindError> {
        let listeners = bind::open(config.bind, config.port)?;
        let (incoming, receiver) = mpsc::channel(config.incoming_queue.max(1));
        let (bind, port) = (config.bind, listeners.port);
        let families = Families { v4: listeners.v4.is_some(), v6: listeners.v6.is_some() };

        let (v4_udp, v4_tcp, v4_ends) =
            take_apart(listeners.v4, bind, Ipv4Addr::UNSPECIFIED.into(), port);
        let (v6_udp, v6_tcp, v6_ends) =
            take_apart(listeners.v6, bind, Ipv6Addr::UNSPECIFIED.into(), port);
        let mut random = Random::from_seed(seed());
        let asker = Asker::new(config.name_servers.clone());
        let resolver = Arc::new(Resolver::new(asker, random.fork()));
        let udp = (v4_udp, v6_udp);
        let router = Router::new(Arc::new(config), port, udp, incoming.clone(), random);
        let router = Arc::new(router);
        for UdpEnds { socket, bound, queue } in [v4_ends, v6_ends].into_iter().flatten() {
            let reader = Arc::clone(&router);
            router.spawn(datagram::read(Arc::clone(&socket), bound, reader, incoming.clone()));
            let writer = Arc::clone(&router);
            router.spawn(datagram::write(socket, queue, writer, incoming.clone()));
        }
        for listener in [v4_tcp, v6_tcp].into_iter().flatten() {
            router.spawn(listen::accept(listener, Arc::clone(&router)));
        }
        router.spawn(Arc::clone(&router).keep_datagrams_alive());
        tracing::info!("listening on {bind} port {port}");
        Ok((Self { bind, port, families, router, resolver }, receiver))
    }

    /// The port listened on, for UDP and TCP alike.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends without waiting. A failure comes as [`Incoming::Failed`].
    pub fn send(&self, transmit: Transmit) {
        self.router.send(transmit);
    }

    /// Finds the addresses a URI stands for (RFC 3263), in the order to try them, each with the
    /// local address to advertise towards it. Over TLS the servers found will have to prove that
    /// they are the URI's host. The future does not keep the transport open.
    ///
    /// # Errors
    /// When the name is unknown, the name service does not answer, no route leads there, or the
    /// transport is not one we have.
    pub fn resolve(
        &self,
        uri: &Uri,
    ) -> impl Future<Output = Result<Vec<Route>, ResolveError>> + Send + 'static {
        let located = self.locate(uri);
        async move { Ok(located.await?.into_iter().map(|located| located.route).collect()) }
    }

    /// [`resolve`](Self::resolve), with the host each address was found for.
    ///
    /// # Errors
    /// The same.
    pub fn locate(
        &self,
        uri: &Uri,
    ) -> impl Future<Output = Result<Vec<Located>, ResolveError>> + Send + 'static {
        let (uri, bind, port, families) = (uri.clone(), self.bind, self.port, self.families);
        let resolver = Arc::clone(&self.resolver);
        let router = Arc::downgrade(&self.router);
        async move {
            let (destination, found) = resolve::targets(&resolver, &uri).await?;
            let reachable = |ip: IpAddr| if ip.is_ipv4() { families.v4 } else { families.v6 };
            let mut located = Vec::new();
            for one in found {
                let ip = one.target.addr.ip();
                let local = reachable(ip).then(|| router::local_address(bind, ip)).flatten();
                if let Some(local) = local {
                    let route = Route { target: one.target, local: SocketAddr::new(local, port) };
                    located.push(Located { route, host: one.host });
                }
            }
            if located.is_empty() {
                return Err(ResolveError::NoRoute(uri.to_string()));
            }
            if let Some(router) = router.upgrade() {
                let identity = destination.identity;
                located.retain(|one| router.found_by(one.route.target, &identity));
                if located.is_empty() {
                    return Err(ResolveError::OtherIdentity(identity.to_string()));
                }
            }
            Ok(located)
        }
    }

    /// Says what is special about a domain's servers: own certificate authorities, the WebSocket
    /// path. `domain` is the host of the URIs that lead there. Counts for connections opened from
    /// now on.
    pub fn set_peering(&self, domain: &str, peering: Peering) {
        self.router.identities().set_peering(domain, peering);
    }

    /// To be called when the machine is on another network or a way leads elsewhere: what the last
    /// one's name service said no longer counts, and connections that stand on an address which
    /// leads to their peer no more are left without a word. The next message opens another one.
    pub fn network_changed(&self) {
        self.resolver.network_changed();
        self.router.network_changed();
    }

    /// The address of ours that is reached from `peer`: the one the system would send from.
    pub fn local_address(&self, peer: IpAddr) -> Option<IpAddr> {
        router::local_address(self.bind, peer)
    }

    /// Keeps a NAT binding or connection to `target` alive, until [`Self::let_go`]. A UDP target
    /// gets a CRLF CRLF every 25 seconds; when watched, a STUN binding request, whose answers tell
    /// our address ([`Incoming::Mapped`]) and whose silence fails the target within 6 seconds.
    /// A connection is pinged in any case when it is idle, and whoever has answered once must go on.
    pub fn keep_alive(&self, target: Target, watch: Watch) {
        self.router.keep_alive(target, watch);
    }

    /// Ends [`Self::keep_alive`].
    pub fn let_go(&self, target: Target) {
        self.router.let_go(target);
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.router.close();
    }
}

/// Splits one family's sockets into what the router, the listener and the UDP tasks own.
fn take_apart(
    pair: Option<Pair>,
    bind: IpAddr,
    any: IpAddr,
    port: u16,
) -> (Option<mpsc::Sender<Datagram>>, Option<tokio::net::TcpListener>, Option<UdpEnds>) {
    let Some(Pair { udp, tcp }) = pair else { return (None, None, None) };
    let (sender, queue) = mpsc::channel(DATAGRAM_QUEUE);
    let bound = SocketAddr::new(if bind.is_unspecified() { any } else { bind }, port);
    (Some(sender), Some(tcp), Some(UdpEnds { socket: Arc::new(udp), bound, queue }))
}

/// Every `RandomState` is keyed from the system's random source.
fn seed() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let mut seed = [0; 32];
    for (index, chunk) in seed.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&RandomState::new().hash_one(index).to_ne_bytes());
    }
    seed
}
