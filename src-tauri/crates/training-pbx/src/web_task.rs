//! The listeners of the web services: two, as a client finds several hosts behind one service.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::driver::IncomingWeb;
use crate::xsi::Output;
use crate::xsi::http::{Chunk, Streams, WebAsk, serve};

/// Listeners; heart-beats and answers of a channel must come to the one it was opened at.
const HOSTS: usize = 2;
/// Requests that may wait.
const QUEUE: usize = 256;
/// How often, and how long apart, a port is tried after a restart.
const BINDS: usize = 250;
const BIND_AGAIN: Duration = Duration::from_millis(20);

/// The listeners and the open streams.
pub(crate) struct Web {
    addresses: Vec<SocketAddr>,
    asks: mpsc::Sender<WebAsk>,
    listeners: JoinSet<()>,
    pub(crate) streams: Streams,
}

impl Web {
    /// Opens the listeners: the first at `port` (0: any), the others at any.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) async fn open(listen: IpAddr, port: u16) -> std::io::Result<(Self, IncomingWeb)> {
        let (asks, incoming) = mpsc::channel(QUEUE);
        let (gone, gone_streams) = mpsc::unbounded_channel();
        let mut web = Self {
            addresses: Vec::new(),
            asks,
            listeners: JoinSet::new(),
            streams: Streams::new(gone),
        };
        for host in 0..HOSTS {
            let listener = TcpListener::bind((listen, if host == 0 { port } else { 0 })).await?;
            web.addresses.push(listener.local_addr()?);
            web.listeners.spawn(serve(listener, host, web.asks.clone()));
        }
        Ok((web, IncomingWeb { asks: incoming, gone: gone_streams }))
    }

    /// The listeners as clients reach them, `http://127.0.0.1:8080`.
    pub(crate) fn hosts(&self, advertised: IpAddr) -> Vec<String> {
        let url = |address: &SocketAddr| {
            format!("http://{}", SocketAddr::new(advertised, address.port()))
        };
        self.addresses.iter().map(url).collect()
    }

    /// Does what the core wants with a stream.
    pub(crate) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Chunk(stream, bytes) => self.streams.write(stream, Chunk::Data(bytes)),
            Output::End(stream) => self.streams.end(stream),
            Output::Cut(stream, how) => self.streams.write(stream, Chunk::Cut(how)),
        }
    }

    /// Drops all connections and closes the ports.
    pub(crate) fn close(&mut self) {
        self.streams.clear();
        self.listeners = JoinSet::new();
    }

    /// Opens the same ports again.
    pub(crate) async fn reopen(&mut self) {
        for (host, address) in self.addresses.iter().enumerate() {
            match bind(*address).await {
                Some(listener) => {
                    self.listeners.spawn(serve(listener, host, self.asks.clone()));
                }
                None => tracing::error!(%address, "the web port could not be opened again"),
            }
        }
    }
}

async fn bind(address: SocketAddr) -> Option<TcpListener> {
    for _ in 0..BINDS {
        match TcpListener::bind(address).await {
            Ok(listener) => return Some(listener),
            Err(error) => tracing::debug!(%error, "the web port is not free yet"),
        }
        tokio::time::sleep_until((now() + BIND_AGAIN).into()).await;
    }
    None
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
