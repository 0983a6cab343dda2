//! Drives the keys and the path of one stream: its [`Transport`] on the network thread, with its links.
//!
//! Datagrams that are no sound come from the stream's listener, agreements from the engine's handle; keys and paths go to
//! the stream on the DSP thread, and so does sound that comes over links. When the stream is closed its listeners and the
//! handle go; then this task gives back what it has on relays, and ends.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use media_transport::{Agreement, Failure, Input, LocalCertificate, Output, Plan, Transport};
use sdp::Candidate;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio_rustls::rustls::ClientConfig;

use crate::guard::Guard;
use crate::net::Packet;
use crate::wires::{Arrival, Wires};

/// Datagrams that may wait for the task; a handshake has a few.
pub(crate) const WAITING: usize = 64;

/// A datagram that is no sound.
pub(crate) struct Check {
    pub(crate) from: SocketAddr,
    pub(crate) data: Box<[u8]>,
}

/// What the engine's handle wants.
pub(crate) enum Order {
    /// An offer was answered.
    Agree(Agreement),
    /// Find the ways to us.
    Gather(Box<Gather>),
}

/// What is to be found, by which trust, and who wants to know.
pub(crate) struct Gather {
    pub(crate) plan: Plan,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) answer: oneshot::Sender<Vec<Candidate>>,
}

/// What a stream is told.
pub(crate) enum Signal {
    /// Sound is encrypted with these from now on.
    Keys(Box<Guard>),
    /// Sound goes there from now on: from the stream's own port, or by the keeper over a link.
    Path { to: SocketAddr, linked: bool },
    /// There are no keys, or there is no path.
    Failed(Failure),
}

/// The task of one stream.
pub(crate) struct Keeper {
    pub(crate) certificate: LocalCertificate,
    pub(crate) socket: UdpSocket,
    pub(crate) checks: Receiver<Check>,
    pub(crate) orders: UnboundedReceiver<Order>,
    /// Sound of ours that goes over a link.
    pub(crate) linked: Receiver<Vec<u8>>,
    /// Sound of the peer's that came over one.
    pub(crate) inlet: SyncSender<Packet>,
    pub(crate) signals: std::sync::mpsc::Sender<Signal>,
}

impl Keeper {
    pub(crate) async fn run(mut self) {
        let mut transport = Transport::new(self.certificate.clone());
        let (mut wires, mut arrivals) = Wires::new();
        let mut asked: Option<oneshot::Sender<_>> = None;
        let mut tls = None;
        loop {
            let due = transport.poll_timeout();
            let mut at = None;
            // When the handle has gone, the stream is closed.
            let mut there = true;
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Agree(agreement)) => {
                        transport.handle_input(clock(), Input::Agree(agreement));
                    }
                    Some(Order::Gather(gather)) => {
                        let Gather { plan, tls: trust, answer } = *gather;
                        (asked, tls) = (Some(answer), trust);
                        transport.handle_input(clock(), Input::Gather(plan));
                    }
                    None => {
                        transport.handle_input(clock(), Input::Close);
                        there = false;
                    }
                },
                Some(Check { from, data }) = self.checks.recv() => {
                    let datagram = Input::Datagram { link: None, from, data: &data };
                    transport.handle_input(clock(), datagram);
                }
                Some(arrival) = arrivals.recv() => at = take(&mut transport, &arrival),
                Some(sound) = self.linked.recv() => {
                    transport.handle_input(clock(), Input::Sound(sound));
                }
                () = until(due) => transport.handle_timeout(clock()),
            }
            while let Some(output) = transport.poll_output() {
                match output {
                    // Whoever asked may have gone.
                    Output::Gathered(found) => {
                        let _ = asked.take().map(|asked| asked.send(found));
                    }
                    Output::Open { link, opening } => wires.open(link, opening, tls.clone()),
                    Output::Close(link) => wires.close(link),
                    Output::Send { link: Some(link), to, data } => wires.send(link, to, data),
                    output => there &= self.act(output, at),
                }
            }
            if !there {
                return;
            }
        }
    }

    /// False when the stream is gone.
    fn act(&self, output: Output, at: Option<Instant>) -> bool {
        let signal = match output {
            Output::Send { to, data, .. } => {
                // What is not sent now is sent again by the protocols.
                if let Err(error) = self.socket.send_to(&data, to) {
                    tracing::debug!(%error, %to, "check or handshake not sent");
                }
                return true;
            }
            Output::Sound { from, data } => {
                let at = at.unwrap_or_else(clock);
                let packet = Packet { at, from, rtcp: false, data: data.into() };
                if self.inlet.try_send(packet).is_err() {
                    tracing::debug!("the stream does not keep up");
                }
                return true;
            }
            Output::Gathered(_) | Output::Open { .. } | Output::Close(_) => return true,
            Output::Path { to, linked } => Signal::Path { to, linked },
            Output::Failed(failure) => Signal::Failed(failure),
            Output::Keys(keys) => match Guard::new(&keys) {
                Ok(guard) => Signal::Keys(guard),
                Err(error) => {
                    tracing::warn!(%error, "the keys of a handshake cannot be used");
                    Signal::Failed(Failure::Setup)
                }
            },
        };
        self.signals.send(signal).is_ok()
    }
}

/// Hands on what a link tells; when it came.
fn take(transport: &mut Transport, arrival: &Arrival) -> Option<Instant> {
    let (input, at) = match arrival {
        Arrival::Opened(link, own) => (Input::Opened { link: *link, own: *own }, None),
        Arrival::Closed(link) => (Input::Closed(*link), None),
        Arrival::Data { link, at, from, data } => {
            (Input::Datagram { link: Some(*link), from: *from, data }, Some(*at))
        }
    };
    transport.handle_input(clock(), input);
    at
}

#[expect(clippy::disallowed_methods, reason = "what drives the protocols tells them the time")]
fn clock() -> Instant {
    Instant::now()
}

async fn until(due: Option<Instant>) {
    match due {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
