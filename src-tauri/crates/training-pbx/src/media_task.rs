//! The task that owns the media sockets and moves all endpoints on, every 10 ms.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rtp::NtpTime;
use sdp::Negotiated;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use crate::endpoint::{Endpoint, Happened, Step, StreamSeed};
use crate::letters::{self, Letter};

/// Datagrams read from one socket per turn, so that a flood cannot stop the others.
const READS: usize = 32;
const TURN: Duration = Duration::from_millis(10);

/// Number of an endpoint within this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EndpointId(pub(crate) u64);

/// The two sockets of an endpoint: RTP on an even port, RTCP on the next (RFC 3550 section 11).
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
}

/// What the media task is told.
#[derive(Debug)]
pub(crate) enum MediaCommand {
    /// A new endpoint on these sockets, which must not block.
    Open(EndpointId, Sockets, StreamSeed),
    /// What was agreed with the peer.
    Configure(EndpointId, Box<Negotiated>),
    /// What to do from now on.
    Play(EndpointId, Vec<Step>),
    /// What the endpoint has recorded is a letter.
    Keep(EndpointId, Box<Letter>),
    /// The end.
    Close(EndpointId),
}

/// Runs until `commands` closes. Letters go into the folder `letters`, if there is one. `happened` is told what the endpoints did; when it is full, the news is dropped.
pub(crate) async fn run(
    mut commands: mpsc::UnboundedReceiver<MediaCommand>,
    happened: mpsc::Sender<(EndpointId, Happened)>,
    letters: Option<PathBuf>,
) {
    let mut endpoints: BTreeMap<EndpointId, (Sockets, Endpoint)> = BTreeMap::new();
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
                obey(&mut endpoints, command, letters.as_deref());
            }
            None => {
                for (&id, (sockets, endpoint)) in &mut endpoints {
                    turn(sockets, endpoint);
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

fn obey(
    endpoints: &mut BTreeMap<EndpointId, (Sockets, Endpoint)>,
    command: MediaCommand,
    letters: Option<&Path>,
) {
    match command {
        MediaCommand::Open(id, sockets, seed) => {
            endpoints.insert(id, (sockets, Endpoint::new(seed)));
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
        MediaCommand::Keep(id, letter) => {
            let recording = endpoints.get_mut(&id).map(|(_, endpoint)| endpoint.take_recording());
            if let (Some(recording), Some(folder)) = (recording, letters) {
                let folder = folder.to_owned();
                // The disk may be slow; sound goes on.
                tokio::task::spawn_blocking(move || {
                    match letters::store(&folder, &letter, &recording) {
                        Ok(file) => tracing::info!(file = %file.display(), "voicemail stored"),
                        Err(error) => tracing::error!(%error, "voicemail cannot be stored"),
                    }
                });
            }
        }
        MediaCommand::Close(id) => {
            if let Some((sockets, mut endpoint)) = endpoints.remove(&id) {
                endpoint.goodbye(now(), &mut |to, report| {
                    let _ = sockets.rtcp.send_to(report, to);
                });
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the driver of the endpoints")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "reports carry the time of day")]
fn wall_clock() -> NtpTime {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    NtpTime::from_unix(since_1970.unwrap_or_default())
}

fn turn(sockets: &Sockets, endpoint: &mut Endpoint) {
    let now = now();
    read(&sockets.rtp, |from, datagram| endpoint.handle_packet(now, from, datagram));
    read(&sockets.rtcp, |_, datagram| endpoint.handle_report(now, datagram));
    endpoint.tick(now, &mut |to, packet| {
        // A full buffer or an unreachable peer loses the packet, as networks do.
        let _ = sockets.rtp.send_to(packet, to);
    });
    endpoint.report(now, wall_clock(), &mut |to, report| {
        let _ = sockets.rtcp.send_to(report, to);
    });
}

fn read(socket: &UdpSocket, mut take: impl FnMut(SocketAddr, &[u8])) {
    let mut datagram = [0; 2048];
    for _ in 0..READS {
        match socket.recv_from(&mut datagram) {
            Ok((length, from)) => take(from, datagram.get(..length).unwrap_or_default()),
            // An ICMP refusal of something sent earlier: the next datagram may be fine.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(_) => break,
        }
    }
}
