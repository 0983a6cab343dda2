//! The task that owns the media sockets and moves all endpoints on, every 10 ms.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use sdp::Negotiated;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use crate::endpoint::{Endpoint, Happened, Step, StreamSeed};

/// Datagrams read from one socket per turn, so that a flood cannot stop the others.
const READS: usize = 32;
const TURN: Duration = Duration::from_millis(10);

/// Number of an endpoint within this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EndpointId(pub(crate) u64);

/// What the media task is told.
#[derive(Debug)]
pub(crate) enum MediaCommand {
    /// A new endpoint on this socket, which must not block.
    Open(EndpointId, UdpSocket, StreamSeed),
    /// What was agreed with the peer.
    Configure(EndpointId, Box<Negotiated>),
    /// What to do from now on.
    Play(EndpointId, Vec<Step>),
    /// The end.
    Close(EndpointId),
}

/// Runs until `commands` closes. `happened` is told what the endpoints did; when it is full, the news is dropped.
pub(crate) async fn run(
    mut commands: mpsc::UnboundedReceiver<MediaCommand>,
    happened: mpsc::Sender<(EndpointId, Happened)>,
) {
    let mut endpoints: BTreeMap<EndpointId, (UdpSocket, Endpoint)> = BTreeMap::new();
    let mut turns = turns();
    loop {
        let command = tokio::select! {
            biased;
            command = commands.recv() => Some(command),
            _ = turns.tick(), if !endpoints.is_empty() => None,
        };
        match command {
            Some(None) => return,
            Some(Some(command)) => {
                if endpoints.is_empty() {
                    turns = self::turns();
                }
                obey(&mut endpoints, command);
            }
            None => {
                for (&id, (socket, endpoint)) in &mut endpoints {
                    turn(socket, endpoint);
                    while let Some(what) = endpoint.poll_happened() {
                        let _ = happened.try_send((id, what));
                    }
                }
            }
        }
    }
}

fn turns() -> Interval {
    let mut turns = tokio::time::interval(TURN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Burst);
    turns
}

fn obey(endpoints: &mut BTreeMap<EndpointId, (UdpSocket, Endpoint)>, command: MediaCommand) {
    match command {
        MediaCommand::Open(id, socket, seed) => {
            endpoints.insert(id, (socket, Endpoint::new(seed)));
        }
        MediaCommand::Configure(id, agreed) => {
            if let Some((_, endpoint)) = endpoints.get_mut(&id)
                && let Err(error) = endpoint.configure(&agreed)
            {
                tracing::error!(%error, "codec of a simulated party");
            }
        }
        MediaCommand::Play(id, steps) => {
            if let Some((_, endpoint)) = endpoints.get_mut(&id) {
                endpoint.play(steps);
            }
        }
        MediaCommand::Close(id) => {
            endpoints.remove(&id);
        }
    }
}

fn turn(socket: &UdpSocket, endpoint: &mut Endpoint) {
    #[expect(clippy::disallowed_methods, reason = "the driver of the endpoints")]
    let now = Instant::now();
    let mut datagram = [0; 2048];
    for _ in 0..READS {
        match socket.recv_from(&mut datagram) {
            Ok((length, from)) => {
                endpoint.handle_packet(now, from, datagram.get(..length).unwrap_or_default());
            }
            // An ICMP refusal of something sent earlier: the next datagram may be fine.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(_) => break,
        }
    }
    endpoint.tick(now, &mut |to, packet| {
        // A full buffer or an unreachable peer loses the packet, as networks do.
        let _ = socket.send_to(packet, to);
    });
}
