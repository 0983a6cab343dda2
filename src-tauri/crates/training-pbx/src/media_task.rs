//! The task that owns the media sockets and moves all endpoints on, every 10 ms.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rtp::NtpTime;
use sdp::Negotiated;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use crate::endpoint::{Endpoint, Happened, Step, StreamSeed};
use crate::letters::{self, Letter};
use crate::mixer::{Block, Face, Plan, RoomId, Voice};
use crate::pbx::CallNumber;
use crate::recorder::{RECORDINGS, Record, Recorded, Recorder, RecordingNews};

/// Datagrams read from one socket per turn, so that a flood cannot stop the others.
const READS: usize = 32;
const TURN: Duration = Duration::from_millis(10);
/// The same where nobody listens.
const SILENT_TURN: Duration = Duration::from_millis(250);

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
    /// Who hears whom in a room from now on; nobody is in it any more if there is no plan.
    Mix(RoomId, Option<Box<Plan>>),
    /// Something with the recording of a call.
    Record(CallNumber, Record),
    /// The end.
    Close(EndpointId),
}

/// What the exchange is told.
#[derive(Debug)]
pub(crate) enum MediaNews {
    /// An endpoint did something.
    Endpoint(EndpointId, Happened),
    /// Something became of a recording.
    Recording(Recorded),
    /// What somebody said to a voicemail.
    Message {
        line: String,
        /// Number of the message.
        message: u64,
        /// 16 kHz.
        sound: Arc<[i16]>,
    },
}

/// Where sound is stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folders {
    /// Messages on the voicemail, as mails; nowhere if left out.
    pub(crate) letters: Option<PathBuf>,
    /// Recordings of calls; none are made if left out.
    pub(crate) recordings: Option<PathBuf>,
}

/// Runs until `commands` closes. `news` is told what happens; when it is full, the news is dropped. `silent`: nobody
/// listens, so that no sound is made.
pub(crate) async fn run(
    mut commands: mpsc::UnboundedReceiver<MediaCommand>,
    news: mpsc::Sender<MediaNews>,
    folders: Folders,
    silent: bool,
) {
    let turn = if silent { SILENT_TURN } else { TURN };
    let mut media = Media {
        endpoints: BTreeMap::new(),
        rooms: BTreeMap::new(),
        recorders: BTreeMap::new(),
        news,
        folders,
    };
    let mut turns = turns(turn);
    loop {
        let command = tokio::select! {
            biased;
            command = commands.recv() => Some(command),
            _ = turns.tick(), if !media.endpoints.is_empty() => None,
        };
        match command {
            Some(None) => return,
            Some(Some(command)) => {
                if media.endpoints.is_empty() {
                    turns = self::turns(turn);
                }
                media.obey(command);
            }
            None if silent => media.pass(turn),
            None => media.turn(),
        }
    }
}

/// All sockets, rooms and recordings.
struct Media {
    endpoints: BTreeMap<EndpointId, (Sockets, Endpoint)>,
    rooms: BTreeMap<RoomId, Plan>,
    recorders: BTreeMap<CallNumber, (RoomId, Recorder)>,
    news: mpsc::Sender<MediaNews>,
    folders: Folders,
}

impl Media {
    fn obey(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Open(id, sockets, seed) => {
                self.endpoints.insert(id, (sockets, Endpoint::new(seed)));
                // It may have been given a place before it was there.
                self.seat();
            }
            MediaCommand::Configure(id, agreed) => {
                if let Some((_, endpoint)) = self.endpoints.get_mut(&id)
                    && let Err(error) = endpoint.configure(&agreed)
                {
                    tracing::error!(%error, "codec of a simulated party");
                }
            }
            MediaCommand::Play(id, steps) => {
                if let Some((_, endpoint)) = self.endpoints.get_mut(&id) {
                    endpoint.play(steps);
                }
            }
            MediaCommand::Keep(id, letter) => self.keep(id, letter),
            MediaCommand::Mix(room, plan) => {
                match plan {
                    Some(plan) => self.rooms.insert(room, *plan),
                    None => self.rooms.remove(&room),
                };
                self.seat();
            }
            MediaCommand::Record(call, record) => self.record(call, record),
            MediaCommand::Close(id) => {
                if let Some((sockets, mut endpoint)) = self.endpoints.remove(&id) {
                    endpoint.goodbye(now(), &mut |to, report| {
                        let _ = sockets.rtcp.send_to(report, to);
                    });
                }
            }
        }
    }

    fn keep(&mut self, id: EndpointId, letter: Box<Letter>) {
        let recording = self.endpoints.get_mut(&id).map(|(_, endpoint)| endpoint.take_recording());
        let recording: Option<Arc<[i16]>> = recording.map(Into::into);
        if let Some(sound) = recording.clone() {
            let (line, message) = (letter.line.clone(), letter.message);
            self.tell(MediaNews::Message { line, message, sound });
        }
        if let (Some(recording), Some(folder)) = (recording, self.folders.letters.clone()) {
            // The disk may be slow; sound goes on.
            tokio::task::spawn_blocking(move || {
                match letters::store(&folder, &letter, &recording) {
                    Ok(file) => tracing::info!(file = %file.display(), "voicemail stored"),
                    Err(error) => tracing::error!(%error, "voicemail cannot be stored"),
                }
            });
        }
    }

    fn record(&mut self, call: CallNumber, record: Record) {
        match record {
            Record::Start(room, title) => {
                let news = self.news.clone();
                let tell = move |what| {
                    let _ = news.blocking_send(MediaNews::Recording((call, what)));
                };
                let folder = self.folders.recordings.clone();
                match folder.filter(|_| self.recorders.len() < RECORDINGS) {
                    Some(folder) => {
                        let recorder = Recorder::open(folder, *title, tell);
                        self.recorders.insert(call, (room, recorder));
                    }
                    None => self.tell(MediaNews::Recording((call, RecordingNews::Failed))),
                }
            }
            Record::Stop => {
                self.recorders.remove(&call);
            }
            change => {
                if let Some((room, recorder)) = self.recorders.get_mut(&call) {
                    match change {
                        Record::Move(to) => *room = to,
                        Record::Pause => recorder.is_paused = true,
                        _ => recorder.is_paused = false,
                    }
                }
            }
        }
    }

    /// Lets every endpoint know whether it is in a room.
    fn seat(&mut self) {
        let seated: BTreeSet<EndpointId> = self.rooms.values().flat_map(Plan::endpoints).collect();
        for (id, (_, endpoint)) in &mut self.endpoints {
            match (seated.contains(id), endpoint.is_in_a_room()) {
                (true, false) => endpoint.enter(),
                (false, true) => endpoint.leave(),
                _ => {}
            }
        }
    }

    fn tell(&self, news: MediaNews) {
        let _ = self.news.try_send(news);
    }

    /// Time passes, and nobody listens.
    fn pass(&mut self, time: Duration) {
        for (&id, (_, endpoint)) in &mut self.endpoints {
            endpoint.pass(time);
            while let Some(what) = endpoint.poll_happened() {
                let _ = self.news.try_send(MediaNews::Endpoint(id, what));
            }
        }
    }

    /// 10 ms of everything.
    fn turn(&mut self) {
        let now = now();
        for (sockets, endpoint) in self.endpoints.values_mut() {
            read(&sockets.rtp, |from, datagram| endpoint.handle_packet(now, from, datagram));
            read(&sockets.rtcp, |_, datagram| endpoint.handle_report(now, datagram));
            if !endpoint.is_in_a_room() {
                endpoint.tick(now, &mut |to, packet| send(sockets, packet, to));
            }
        }
        for (id, plan) in &self.rooms {
            let sounds = sounds(now, plan, &mut self.endpoints);
            self.recorders
                .retain(|_, (room, recorder)| *room != *id || recorder.push(&plan.whole(&sounds)));
            for endpoint in plan.endpoints() {
                let of = |face| plan.mix(Voice { endpoint, face }, &sounds);
                let (line, script) = (of(Face::Line), of(Face::Script));
                if let Some((sockets, endpoint)) = self.endpoints.get_mut(&endpoint) {
                    endpoint.hear(now, (&line, script), &mut |to, packet| {
                        send(sockets, packet, to);
                    });
                }
            }
        }
        let wall_clock = wall_clock();
        for (&id, (sockets, endpoint)) in &mut self.endpoints {
            endpoint.report(now, wall_clock, &mut |to, report| {
                let _ = sockets.rtcp.send_to(report, to);
            });
            while let Some(what) = endpoint.poll_happened() {
                let _ = self.news.try_send(MediaNews::Endpoint(id, what));
            }
        }
    }
}

/// What everybody in a room says in 10 ms.
fn sounds(
    now: Instant,
    plan: &Plan,
    endpoints: &mut BTreeMap<EndpointId, (Sockets, Endpoint)>,
) -> BTreeMap<Voice, Block> {
    let mut sounds = BTreeMap::new();
    for voice in plan.members.iter().map(|member| member.voice) {
        let Some((_, endpoint)) = endpoints.get_mut(&voice.endpoint) else { continue };
        let sound = match voice.face {
            Face::Line => endpoint.speak(now),
            Face::Script => endpoint.recite(now, plan.is_conference),
        };
        sounds.insert(voice, sound);
    }
    sounds
}

fn send(sockets: &Sockets, packet: &[u8], to: SocketAddr) {
    // A full buffer or an unreachable peer loses the packet, as networks do.
    let _ = sockets.rtp.send_to(packet, to);
}

fn turns(every: Duration) -> Interval {
    let mut turns = tokio::time::interval(every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Burst);
    turns
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[expect(clippy::disallowed_methods, reason = "reports carry the time of day")]
fn wall_clock() -> NtpTime {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    NtpTime::from_unix(since_1970.unwrap_or_default())
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
