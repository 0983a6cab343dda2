//! UDP: one task that reads and one that writes, per socket.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sip_core::{Source, Target};
use sip_types::{Message, Transport as Protocol};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::router::Router;
use crate::{Incoming, binding, router, undelivered};

/// The largest datagram there is.
const MAX_DATAGRAM: usize = 65_535;

/// How long to wait after the socket reports an error, so that a broken one costs no processor.
const AFTER_ERROR: Duration = Duration::from_millis(20);

/// How many errors of earlier datagrams are passed over before one is taken for this one's own.
const EARLIER_ERRORS: usize = 4;

/// One datagram to be sent.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) to: SocketAddr,
    pub(crate) payload: Vec<u8>,
}

/// Hands on what arrives, until the owner is gone. `bound` is what `socket` is bound to.
pub(crate) async fn read(
    socket: Arc<UdpSocket>,
    bound: SocketAddr,
    router: Arc<Router>,
    incoming: mpsc::Sender<Incoming>,
) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let (len, remote) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                // An earlier datagram could not be delivered. Windows does not say which.
                tracing::debug!("UDP receive: {error}");
                let bounces = undelivered::take(&*socket);
                if !bounces.is_empty() {
                    router.undelivered(bounces).await;
                    continue;
                }
                tokio::time::sleep_until(tokio::time::Instant::now() + AFTER_ERROR).await;
                continue;
            }
        };
        router.heard(remote);
        let bytes = buffer.get(..len).unwrap_or_default();
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            continue;
        }
        if binding::is_stun(bytes) {
            router.take_stun(remote, bytes).await;
            continue;
        }
        // A socket on all addresses does not tell which one was written to; the one the system
        // would answer from is as good.
        let ip = router::local_address(bound.ip(), remote.ip()).unwrap_or(bound.ip());
        let local = SocketAddr::new(ip, bound.port());
        let source = Source { transport: Protocol::Udp, local, remote };
        if incoming.send(received(source, bytes)).await.is_err() {
            return;
        }
    }
}

/// Sends what is queued, until the queue is closed.
pub(crate) async fn write(
    socket: Arc<UdpSocket>,
    mut queue: mpsc::Receiver<Datagram>,
    router: Arc<Router>,
    incoming: mpsc::Sender<Incoming>,
) {
    while let Some(datagram) = queue.recv().await {
        let Err(error) = send(&socket, &datagram, &router).await else { continue };
        let to = datagram.to;
        tracing::debug!("UDP to {to}: {error}");
        let target = Target { transport: Protocol::Udp, addr: to };
        let Failure { cause, reason } = Failure::io("sending", &error);
        let failed = Incoming::Failed { target, cause, reason };
        if incoming.send(failed).await.is_err() {
            return;
        }
    }
}

/// Sends a datagram. The system may give an error instead that is of an earlier one: this one is still to be sent.
async fn send(socket: &UdpSocket, datagram: &Datagram, router: &Router) -> io::Result<()> {
    let Datagram { to, payload } = datagram;
    let mut sent = socket.send_to(payload, to).await;
    for _ in 0..EARLIER_ERRORS {
        if sent.is_ok() {
            break;
        }
        router.undelivered(undelivered::take(socket)).await;
        sent = socket.send_to(payload, to).await;
    }
    sent.map(drop)
}

/// What the bytes of one message are.
pub(crate) fn received(source: Source, bytes: &[u8]) -> Incoming {
    match Message::parse(bytes) {
        Ok(message) => Incoming::Message { source, message },
        Err(error) => Incoming::Malformed { source, error },
    }
}
