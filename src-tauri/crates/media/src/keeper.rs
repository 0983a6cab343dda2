//! Drives the keys and the path of one stream: its [`Transport`] on the network thread.
//!
//! Datagrams that are no sound come from the stream's listener, agreements from the engine's handle; keys and paths go to
//! the stream on the DSP thread. When the stream is closed this task is aborted with its listeners.

use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use media_transport::{Agreement, Failure, Input, LocalCertificate, Output, Transport};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::sync::oneshot;

use crate::guard::Guard;

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
    /// Ask that server what it sees us as.
    Gather(SocketAddr, oneshot::Sender<Option<SocketAddr>>),
}

/// What a stream is told.
pub(crate) enum Signal {
    /// Sound is encrypted with these from now on.
    Keys(Box<Guard>),
    /// Sound goes there from now on.
    Path(SocketAddr),
    /// There are no keys, or there is no path.
    Failed(Failure),
}

/// The task of one stream.
pub(crate) struct Keeper {
    pub(crate) certificate: LocalCertificate,
    pub(crate) socket: UdpSocket,
    pub(crate) checks: Receiver<Check>,
    pub(crate) orders: UnboundedReceiver<Order>,
    pub(crate) signals: std::sync::mpsc::Sender<Signal>,
}

impl Keeper {
    pub(crate) async fn run(mut self) {
        let mut transport = Transport::new(self.certificate.clone());
        let mut asked: Option<oneshot::Sender<_>> = None;
        loop {
            let due = transport.poll_timeout();
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Agree(agreement)) => {
                        transport.handle_input(clock(), Input::Agree(agreement));
                    }
                    Some(Order::Gather(server, answer)) => {
                        asked = Some(answer);
                        transport.handle_input(clock(), Input::Gather(server));
                    }
                    None => return,
                },
                check = self.checks.recv() => match check {
                    Some(Check { from, data }) => {
                        transport.handle_input(clock(), Input::Datagram { from, data: &data });
                    }
                    None => return,
                },
                () = until(due) => transport.handle_timeout(clock()),
            }
            while let Some(output) = transport.poll_output() {
                if let Output::Seen(seen) = output {
                    // Whoever asked may have gone.
                    let _ = asked.take().map(|asked| asked.send(seen));
                } else if !self.act(output) {
                    return;
                }
            }
        }
    }

    /// False when the stream is gone.
    fn act(&self, output: Output) -> bool {
        let signal = match output {
            Output::Send { to, data } => {
                // What is not sent now is sent again by the protocols.
                if let Err(error) = self.socket.send_to(&data, to) {
                    tracing::debug!(%error, %to, "check or handshake not sent");
                }
                return true;
            }
            Output::Seen(_) => return true,
            Output::Path(to) => Signal::Path(to),
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
