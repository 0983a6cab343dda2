//! The links of a stream: sockets on further addresses of this machine, and ways to relays over datagrams, TCP or TLS.
//!
//! Each has a task on the network thread that reads it and writes what is given to it; when nothing more will be given it
//! writes what is left and ends.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use media_transport::{Carrier, LinkId, Opening};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::net::{LONGEST, bind, unmap};

/// Datagrams that may wait for a link, or for the keeper: over a second of sound.
const QUEUE: usize = 256;

/// What a link tells.
pub(crate) enum Arrival {
    /// It is open, at that address of ours.
    Opened(LinkId, SocketAddr),
    /// It could not be opened, or is closed.
    Closed(LinkId),
    /// That came over it.
    Data { link: LinkId, at: Instant, from: SocketAddr, data: Vec<u8> },
}

/// A datagram, and where it goes.
type Outgoing = (SocketAddr, Vec<u8>);

/// The links that are open or opening.
pub(crate) struct Wires {
    outlets: HashMap<LinkId, Sender<Outgoing>>,
    arrivals: Sender<Arrival>,
}

impl Wires {
    /// None yet; what they tell comes out of the queue given back.
    pub(crate) fn new() -> (Self, Receiver<Arrival>) {
        let (arrivals, arrived) = channel(QUEUE);
        (Self { outlets: HashMap::new(), arrivals }, arrived)
    }

    /// Opens one. To be called on the network thread.
    pub(crate) fn open(&mut self, link: LinkId, opening: Opening, tls: Option<Arc<ClientConfig>>) {
        let (outlet, outgoing) = channel(QUEUE);
        self.outlets.insert(link, outlet);
        let arrivals = self.arrivals.clone();
        tokio::spawn(async move {
            let wire = Wire { link, arrivals: arrivals.clone(), outgoing };
            if let Err(error) = wire.run(opening, tls).await {
                tracing::debug!(link, %error, "a link ends");
            }
            // The keeper may have gone.
            let _ = arrivals.send(Arrival::Closed(link)).await;
        });
    }

    /// Sends over one. What is not sent now is sent again by the protocols, or was sound.
    pub(crate) fn send(&self, link: LinkId, to: SocketAddr, data: Vec<u8>) {
        if let Some(outlet) = self.outlets.get(&link)
            && outlet.try_send((to, data)).is_err()
        {
            tracing::trace!(link, "not sent");
        }
    }

    /// Closes one, when what was given to it is sent.
    pub(crate) fn close(&mut self, link: LinkId) {
        self.outlets.remove(&link);
    }
}

/// One link's task.
struct Wire {
    link: LinkId,
    arrivals: Sender<Arrival>,
    outgoing: Receiver<Outgoing>,
}

impl Wire {
    async fn run(self, opening: Opening, tls: Option<Arc<ClientConfig>>) -> io::Result<()> {
        match opening {
            Opening::Socket(ip) => self.datagrams(SocketAddr::new(ip, 0)).await,
            Opening::Relay { address, carrier: Carrier::Udp, .. } => {
                let any: IpAddr = match address {
                    SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                    SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
                };
                self.datagrams(SocketAddr::new(any, 0)).await
            }
            Opening::Relay { address, carrier: Carrier::Tcp, .. } => {
                let stream = connect(address).await?;
                let own = stream.local_addr()?;
                self.stream(stream, own, address).await
            }
            Opening::Relay { address, carrier: Carrier::Tls, name } => {
                let config = tls.ok_or_else(|| io::Error::other("no TLS"))?;
                let name = ServerName::try_from(name).map_err(io::Error::other)?;
                let stream = connect(address).await?;
                let own = stream.local_addr()?;
                let stream = TlsConnector::from(config).connect(name, stream).await?;
                self.stream(stream, own, address).await
            }
        }
    }

    async fn datagrams(mut self, on: SocketAddr) -> io::Result<()> {
        let socket = tokio::net::UdpSocket::from_std(bind(on)?)?;
        self.tell(Arrival::Opened(self.link, socket.local_addr()?)).await?;
        let mut buffer = [0_u8; LONGEST];
        loop {
            tokio::select! {
                received = socket.recv_from(&mut buffer) => match received {
                    Ok((length, from)) => {
                        let data = buffer.get(..length).unwrap_or_default();
                        if self.arrivals.try_send(self.data(unmap(from), data)).is_err() {
                            tracing::debug!(link = self.link, "the keeper does not keep up");
                        }
                    }
                    // About something that was sent; it says nothing of what may still arrive.
                    Err(error) => {
                        tracing::debug!(link = self.link, %error, "socket");
                        crate::net::pause().await;
                    }
                },
                outgoing = self.outgoing.recv() => match outgoing {
                    Some((to, data)) => {
                        if let Err(error) = socket.send_to(&data, to).await {
                            tracing::trace!(link = self.link, %error, "not sent");
                        }
                    }
                    None => return Ok(()),
                },
            }
        }
    }

    async fn stream(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        own: SocketAddr,
        server: SocketAddr,
    ) -> io::Result<()> {
        self.tell(Arrival::Opened(self.link, own)).await?;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut buffer = [0_u8; LONGEST];
        loop {
            tokio::select! {
                read = reader.read(&mut buffer) => match read? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    // Bytes of a stream must all come through: what does not fit waits there.
                    length => {
                        let arrival = self.data(server, buffer.get(..length).unwrap_or_default());
                        self.tell(arrival).await?;
                    }
                },
                outgoing = self.outgoing.recv() => match outgoing {
                    Some((_, data)) => {
                        writer.write_all(&data).await?;
                        writer.flush().await?;
                    }
                    None => return writer.shutdown().await,
                },
            }
        }
    }

    fn data(&self, from: SocketAddr, data: &[u8]) -> Arrival {
        #[expect(clippy::disallowed_methods, reason = "the arrival time of a datagram")]
        let at = Instant::now();
        Arrival::Data { link: self.link, at, from, data: data.to_vec() }
    }

    async fn tell(&self, arrival: Arrival) -> io::Result<()> {
        self.arrivals.send(arrival).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Sound does not wait for more of it.
    stream.set_nodelay(true)?;
    Ok(stream)
}
