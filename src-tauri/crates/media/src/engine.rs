//! The engine's handle: commands in, figures out. Nothing here touches sound.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use audio::{AudioSpec, DeviceChoice};
use media_transport::{Agreement, Carrier, LocalCertificate, Plan};
use rtp::NtpTime;
use sdp::{Candidate, Fingerprint, Negotiated};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use trust::Anchors;

use crate::dsp::{Command, Dsp, Shared};
use crate::keeper::{Gather, Order};
use crate::microphone::Trial;
use crate::net::{Network, PortPool, Sockets};
use crate::processing::Processing;
use crate::recorder::{Recording, Tap};
use crate::stream::{Opening, Seeds, Setup};
use crate::tone::Ringing;
use crate::{Alert, DeviceGaps, EngineError, Events, RingTone, StreamStats, Tone, TonePlan};

/// Events that may wait to be read.
const EVENTS: usize = 1_024;
/// Seconds from 1900 (NTP) to 1970 (Unix).
const NTP_OFFSET: u64 = 2_208_988_800;

/// Names one media stream of an engine; never used again after it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// How to start an [`Engine`].
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Sound path.
    pub audio: AudioSpec,
    /// Address that RTP sockets bind to; unspecified (`0.0.0.0`, `::`) binds every address of the
    /// family of the stream's own address, so that a changed address does not end a call.
    pub bind: IpAddr,
    /// Ports for RTP (even) and RTCP (the odd one above).
    pub rtp_ports: RangeInclusive<u16>,
}

/// The media engine. Every method may be called from any thread and returns at once. Dropping it
/// closes all streams, devices and files.
pub struct Engine {
    ports: Arc<PortPool>,
    streams: Mutex<HashMap<StreamId, Entry>>,
    next: AtomicU64,
    shared: Arc<Shared>,
    /// What this run shows in handshakes; `None` when the system gives no randomness.
    certificate: Option<LocalCertificate>,
    /// `None` with [`AudioSpec::None`].
    running: Option<Running>,
}

struct Running {
    commands: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
    network: Network,
}

/// What the handle knows of a stream.
struct Entry {
    rtp_port: u16,
    published: Arc<Mutex<StreamStats>>,
    tasks: Vec<AbortHandle>,
    orders: Option<UnboundedSender<Order>>,
    takes_keys: bool,
    /// Held here only when there is no DSP thread to hold them.
    _sockets: Option<Sockets>,
}

impl Engine {
    /// Starts the threads and makes the sound path ready; it is switched on when first needed.
    ///
    /// With [`AudioSpec::None`] nothing sounds and nothing is sent: streams only hold their ports.
    /// With [`AudioSpec::System`] and no device at all the engine runs on a timer and sends
    /// silence, and [`MediaEvent::NoAudioDevice`](crate::MediaEvent::NoAudioDevice) says so.
    ///
    /// # Errors
    /// When a WAV file cannot be used or the system gives no thread.
    pub fn start(config: EngineConfig) -> Result<(Self, Events), EngineError> {
        let EngineConfig { audio, bind, rtp_ports } = config;
        let (event_sender, events) = tokio::sync::mpsc::channel(EVENTS);
        let shared = Arc::new(Shared::default());
        let running = match audio {
            AudioSpec::None => None,
            spec => Some(Running::start(&spec, event_sender, Arc::clone(&shared))?),
        };
        let engine = Self {
            ports: PortPool::new(rtp_ports, bind),
            streams: Mutex::default(),
            next: AtomicU64::new(1),
            shared,
            certificate: LocalCertificate::generate()
                .inspect_err(|error| tracing::warn!(%error, "no certificate"))
                .ok(),
            running,
        };
        Ok((engine, events))
    }

    /// What the certificate of this run hashes to, for descriptions; `None`: keys cannot be had by
    /// handshake.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        self.certificate.as_ref().map(LocalCertificate::fingerprint)
    }

    /// Reserves an even RTP port and the RTCP port above it for a stream that is about to be
    /// offered or answered: `(stream, rtp_port, rtcp_port)`. `local_ip` is the address that will be
    /// advertised; its family decides IPv4 or IPv6.
    ///
    /// # Errors
    /// [`EngineError::PortTaken`] when the range is used up, [`EngineError::Socket`] when the
    /// system refuses.
    pub fn open(&self, local_ip: IpAddr) -> Result<(StreamId, u16, u16), EngineError> {
        let sockets = self.ports.take(local_ip)?;
        let port = sockets.rtp_port();
        let id = StreamId(self.next.fetch_add(1, Ordering::Relaxed));
        let published = Arc::new(Mutex::new(StreamStats::default()));
        let mut entry = Entry {
            rtp_port: port,
            published: Arc::clone(&published),
            tasks: Vec::new(),
            orders: None,
            takes_keys: false,
            _sockets: None,
        };
        if let Some(running) = &self.running {
            let (listening, orders) = sockets
                .listen(&running.network, self.certificate.clone())
                .map_err(|source| EngineError::Socket { addr: local_ip, source })?;
            entry.tasks.clone_from(&listening.tasks);
            entry.orders = Some(orders);
            let seeds = Seeds::draw();
            running.send(Command::Open(Box::new(Opening {
                id,
                sockets,
                listening,
                seeds,
                published,
            })));
        } else {
            entry._sockets = Some(sockets);
        }
        self.entries().insert(id, entry);
        Ok((id, port, port + 1))
    }

    /// Sets what offer and answer agreed on, for the first time or again: codec, peer, direction.
    /// What does not change (sequence numbers, jitter buffer, keys) goes on undisturbed. Keys by
    /// handshake and a path by checks are sought from now on; until they are there nothing goes.
    ///
    /// # Errors
    /// [`EngineError::UnknownStream`]; [`EngineError::Codec`] when a codec cannot be made; [`EngineError::Srtp`] when
    /// the keys cannot be used. Nothing is sent or taken in clear then.
    pub fn configure(&self, stream: StreamId, agreed: Negotiated) -> Result<(), EngineError> {
        let mut entries = self.entries();
        let entry = entries.get_mut(&stream).ok_or(EngineError::UnknownStream)?;
        entry.takes_keys = agreed.telephone_event.is_some();
        if let Ok(mut published) = entry.published.lock() {
            published.codec = Some(agreed.codec.kind);
            published.suite = agreed.srtp.as_ref().map(|keys| keys.send.suite());
        }
        if let Some(running) = &self.running {
            let agreement = Agreement {
                remote: agreed.remote,
                dtls: agreed.dtls.clone(),
                ice: agreed.ice.clone(),
            };
            running.send(Command::Configure(stream, Setup::new(agreed)?));
            // After the command, so that the stream knows what its keys are for.
            if let Some(orders) = &entry.orders {
                let _ = orders.send(Order::Agree(agreement));
            }
        }
        Ok(())
    }

    /// Finds the ways to a stream: opens sockets on other addresses, asks STUN servers, takes places on relays. Comes
    /// within a second and a half; to be asked before an offer or an answer. What is found begins with the stream's own
    /// port; nothing where there is no sound path. `anchors`: who may vouch for relays that are spoken to over TLS,
    /// besides the system's authorities.
    pub fn gather(
        &self,
        stream: StreamId,
        plan: Plan,
        anchors: &Anchors,
    ) -> impl Future<Output = Vec<Candidate>> + Send + use<> {
        let (answer, found) = tokio::sync::oneshot::channel();
        let secure = plan.relays.iter().any(|relay| relay.carrier == Carrier::Tls);
        let tls = secure.then(|| trust::host_name(anchors).ok().map(Arc::new)).flatten();
        if let Some(orders) = self.entries().get(&stream).and_then(|entry| entry.orders.as_ref()) {
            let _ = orders.send(Order::Gather(Box::new(Gather { plan, tls, answer })));
        }
        async move { found.await.unwrap_or_default() }
    }

    /// Records a stream from now on, or ends its recording. It ends with the stream too.
    ///
    /// # Errors
    /// [`EngineError::Recording`] when the file cannot be made; [`EngineError::UnknownStream`].
    pub fn record(&self, stream: StreamId, to: Option<&Recording>) -> Result<(), EngineError> {
        if !self.entries().contains_key(&stream) {
            return Err(EngineError::UnknownStream);
        }
        let tap = to.map(Tap::new).transpose()?;
        self.send(Command::Record(stream, tap));
        Ok(())
    }

    /// Leaves out of a stream's recording what is said now, or goes on with it.
    pub fn pause_recording(&self, stream: StreamId, paused: bool) {
        self.send(Command::RecordingPaused(stream, paused));
    }

    /// Sends silence instead of the microphone on this stream.
    pub fn set_muted(&self, stream: StreamId, muted: bool) {
        self.send(Command::Muted(stream, muted));
    }

    /// Neither plays nor feeds this stream (held by us). Whether packets go out at all is what was
    /// negotiated; a held stream that may send sends silence.
    pub fn set_held(&self, stream: StreamId, held: bool) {
        self.send(Command::Held(stream, held));
    }

    /// Joins streams in a conference mixed here: each hears the user and the other members. An
    /// empty list takes it apart.
    pub fn set_conference(&self, members: &[StreamId]) {
        self.send(Command::Conference(members.to_vec()));
    }

    /// Sends keys as telephone events (RFC 4733), one after the other; `,` waits two seconds.
    /// Returns `false`, and sends nothing, when the peer takes no telephone events.
    pub fn dtmf(&self, stream: StreamId, digits: &str) -> bool {
        let takes_keys = self.entries().get(&stream).is_some_and(|e| e.takes_keys);
        let possible = takes_keys && self.running.is_some();
        if possible {
            self.send(Command::Keys(stream, digits.to_owned()));
        }
        possible
    }

    /// Figures of a stream; `None` when it is closed.
    #[must_use]
    pub fn stats(&self, stream: StreamId) -> Option<StreamStats> {
        let published = Arc::clone(&self.entries().get(&stream)?.published);
        let stats = published.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(stats)
    }

    /// How often sound was missing or too much at the devices so far.
    #[must_use]
    pub fn gaps(&self) -> DeviceGaps {
        *self.shared.gaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a stream and frees its ports. Closing twice does nothing.
    pub fn close(&self, stream: StreamId) {
        let Some(entry) = self.entries().remove(&stream) else { return };
        self.ports.closing(entry.rtp_port);
        for task in &entry.tasks {
            task.abort();
        }
        self.send(Command::Close(stream));
    }

    /// Plays a call progress tone to the user, or stops it with [`Tone::None`].
    pub fn tone(&self, tone: Tone) {
        self.send(Command::Tone(tone));
    }

    /// Plays a short sound once, where alerts sound; softly while there is a conversation.
    pub fn alert(&self, alert: Alert) {
        self.send(Command::Alert(alert));
    }

    /// Plays call progress tones as that country's networks do from now on; at first the Dutch ones.
    pub fn set_tone_plan(&self, plan: TonePlan) {
        self.send(Command::TonePlan(plan));
    }

    /// Rings on the devices chosen for it, or stops ringing.
    ///
    /// # Errors
    /// [`EngineError::RingTone`] when the file cannot be used; the built-in bell rings instead.
    pub fn ring(&self, tone: Option<RingTone>) -> Result<(), EngineError> {
        let Some(tone) = tone else {
            self.send(Command::Ring(None));
            return Ok(());
        };
        let (ringing, result) = match Ringing::new(&tone) {
            Ok(ringing) => (Some(ringing), Ok(())),
            Err(error) => {
                (Ringing::new(&RingTone::Bell).ok(), Err(EngineError::RingTone(error.to_string())))
            }
        };
        self.send(Command::Ring(ringing.map(Box::new)));
        result
    }

    /// Uses other devices from now on, during calls too.
    pub fn set_devices(&self, choice: DeviceChoice) {
        self.send(Command::Devices(choice));
    }

    /// Cleans the microphone's sound so from now on, during calls too. At first nothing is done to it.
    pub fn set_processing(&self, wanted: Processing) {
        self.send(Command::Processing(wanted));
    }

    /// Takes down what the user says for some seconds and plays it to him
    /// ([`MediaEvent::MicrophoneTest`](crate::MediaEvent::MicrophoneTest)), or ends that. A call ends it too.
    pub fn test_microphone(&self, on: bool) {
        self.send(Command::Trial(on.then(Trial::room)));
    }

    /// Turns [`MediaEvent::Levels`](crate::MediaEvent::Levels) on or off. While on, the sound path
    /// stays on too, so that a settings page can show a microphone without a call.
    pub fn watch_levels(&self, on: bool) {
        self.shared.watching.store(on, Ordering::Relaxed);
        if !on {
            *self.shared.levels.lock().unwrap_or_else(PoisonError::into_inner) = (0.0, 0.0);
        }
    }

    /// The last measured loudness, microphone and speaker, RMS 0 to 1; zero while not watched.
    #[must_use]
    pub fn levels(&self) -> (f32, f32) {
        *self.shared.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Port pairs in use: one per stream, closing ones included until their sockets are gone.
    #[must_use]
    pub fn ports_in_use(&self) -> usize {
        self.ports.in_use()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<StreamId, Entry>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, command: Command) {
        if let Some(running) = &self.running {
            running.send(command);
        }
    }
}

impl Running {
    fn start(
        spec: &AudioSpec,
        events: tokio::sync::mpsc::Sender<crate::MediaEvent>,
        shared: Arc<Shared>,
    ) -> Result<Self, EngineError> {
        let audio = audio::open(spec)?;
        let network = Network::start()?;
        let (commands, inbox) = channel();
        let dsp = Dsp::new(audio, spec, inbox, events, shared);
        let thread = std::thread::Builder::new()
            .name("balie-dsp".to_owned())
            .spawn(move || dsp.run())
            .map_err(|e| EngineError::Thread(e.to_string()))?;
        Ok(Self { commands: Some(commands), thread: Some(thread), network })
    }

    fn send(&self, command: Command) {
        if self.commands.as_ref().is_none_or(|c| c.send(command).is_err()) {
            tracing::error!("the DSP thread has ended");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the DSP thread ended badly");
        }
    }
}

impl Seeds {
    #[expect(clippy::disallowed_methods, reason = "sender reports carry the time of day")]
    fn draw() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since_1970.as_secs().wrapping_add(NTP_OFFSET);
        let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
        Self {
            ssrc: rand::random(),
            // In the lower half, so that a receiver of SRTP that misses the first packets takes them for what they are
            // (RFC 4568, 6.4).
            sequence: rand::random::<u16>() >> 1,
            timestamp: rand::random(),
            report: rand::random(),
            cname: format!("{:016x}", rand::random::<u64>()),
            wall_clock: NtpTime((seconds << 32) | fraction),
        }
    }
}
