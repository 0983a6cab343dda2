//! The owner's handle on the sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use sip_core::{Route, Target, Transmit};
use sip_types::Uri;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::bind::{self, Pair};
use crate::datagram::{self, Datagram};
use crate::router::{self, Router};
use crate::{BindError, Incoming, ResolveError, TransportConfig, listen, resolve};

/// Datagrams that may wait to be sent.
const DATAGRAM_QUEUE: usize = 1024;

/// Listening sockets, open connections and the resolver. Everything closes when this is dropped.
#[derive(Debug)]
pub struct Transport {
    bind: IpAddr,
    port: u16,
    families: Families,
    router: Arc<Router>,
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
    #[expect(clippy::unused_async, reason = "shows that a runtime is needed; TLS will load files")]
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
        let router =
            Arc::new(Router::new(Arc::new(config), port, (v4_udp, v6_udp), incoming.clone()));
        for UdpEnds { socket, bound, queue } in [v4_ends, v6_ends].into_iter().flatten() {
            router.spawn(datagram::read(Arc::clone(&socket), bound, incoming.clone()));
            router.spawn(datagram::write(socket, queue, incoming.clone()));
        }
        for listener in [v4_tcp, v6_tcp].into_iter().flatten() {
            router.spawn(listen::accept(listener, Arc::clone(&router)));
        }
        router.spawn(Arc::clone(&router).keep_datagrams_alive());
        tracing::info!("listening on {bind} port {port}");
        Ok((Self { bind, port, families, router }, receiver))
    }

    /// The port listened on, for UDP and TCP alike.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends without waiting. A failure comes as [`Incoming::Failed`].
    pub fn send(&self, transmit: Transmit) {
        self.router.send(transmit);
    }

    /// Finds the addresses a URI stands for, in the order to try them, each with the local address
    /// to advertise towards it. The future holds nothing of this transport.
    ///
    /// # Errors
    /// When the name is unknown, the name service does not answer, no route leads there, or the
    /// transport is not one we have.
    pub fn resolve(
        &self,
        uri: &Uri,
    ) -> impl Future<Output = Result<Vec<Route>, ResolveError>> + Send + 'static {
        let (uri, bind, port, families) = (uri.clone(), self.bind, self.port, self.families);
        async move {
            let targets = resolve::targets(&uri).await?;
            let reachable = |ip: IpAddr| if ip.is_ipv4() { families.v4 } else { families.v6 };
            let route = |target: Target| {
                let ip = Some(target.addr.ip()).filter(|ip| reachable(*ip))?;
                let local = SocketAddr::new(router::local_address(bind, ip)?, port);
                Some(Route { target, local })
            };
            let routes: Vec<Route> = targets.into_iter().filter_map(route).collect();
            if routes.is_empty() { Err(ResolveError::NoRoute(uri.to_string())) } else { Ok(routes) }
        }
    }

    /// The address of ours that is reached from `peer`: the one the system would send from.
    pub fn local_address(&self, peer: IpAddr) -> Option<IpAddr> {
        router::local_address(self.bind, peer)
    }

    /// Keeps a NAT binding or connection to `target` alive, until [`Self::let_go`]. A UDP target
    /// gets a CRLF CRLF every 25 seconds. A connection is pinged in any case when it is idle; when
    /// `supervised` it fails even if the peer has never answered a ping, so say that only of peers
    /// known to (RFC 5626 `Flow-Timer` or `ob`, RFC 6223 `keep`).
    pub fn keep_alive(&self, target: Target, supervised: bool) {
        self.router.keep_alive(target, supervised);
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
