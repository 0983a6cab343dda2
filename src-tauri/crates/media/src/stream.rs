//! One media stream: from microphone blocks to packets and from packets to speaker blocks.
//!
//! Inputs: datagrams (stamped when they arrived), 10 ms blocks of the microphone, what was
//! negotiated, keys and paths that were found, the user's mute, hold and keys, and the time. Outputs: datagrams on the stream's
//! sockets, 10 ms blocks for the speaker, events, figures. Lives on the DSP thread; is told the
//! time, never asks.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audio::{BLOCK, SAMPLE_RATE};
use rtp::{
    Digit, EventReceiver, EventSender, Inserted, JitterBuffer, JitterConfig, LossPattern,
    LossShares, NtpTime, Pulled, VoipMetrics,
};
use sdp::{CodecKind, Negotiated};

use crate::codec::{CodecError, Decoder, Encoder};
use crate::diagnosis::{Evidence, Surroundings};
use crate::dsp::add;
use crate::guard::Guard;
use crate::keeper::Signal;
use crate::limiter::Limiter;
use crate::net::{Listening, Packet, Sockets};
use crate::pauses::{Pauses, Worth};
use crate::quality::{LossThere, LossWindow, Ways, look_ahead};
use crate::recorder::{Sign, Tap};
use crate::sender_rate::{SenderRate, WayThere};
use crate::{EngineError, MediaEvent, StreamId, StreamStats, TrafficStats};

/// A direction without packets for this long has ceased.
const QUIET: Duration = Duration::from_secs(1);
/// Sound that does not come for this long is missing.
const MISSING: Duration = Duration::from_secs(2);
/// What a comma among the keys waits.
const COMMA: Duration = Duration::from_secs(2);
/// Keys that may wait.
const KEYS: usize = 256;
/// The longest packet, in blocks.
const MAX_PACKET_BLOCKS: usize = 6;
/// Where a peer is that has not been found yet.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// What was negotiated, with its codecs and ciphers made ready off the DSP thread.
pub(crate) struct Setup {
    pub(crate) agreed: Negotiated,
    pub(crate) encoder: Encoder,
    pub(crate) decoders: Vec<(u8, Decoder)>,
    pub(crate) guard: Option<Box<Guard>>,
}

impl Setup {
    pub(crate) fn new(agreed: Negotiated) -> Result<Box<Self>, EngineError> {
        let mut encoder = Encoder::new(agreed.codec.kind)?;
        encoder.set_pauses(agreed.codec.wants_dtx());
        if let Some(bits) = agreed.codec.max_bitrate() {
            encoder.set_max_bitrate(bits);
        }
        let decoders = agreed
            .receive
            .iter()
            .map(|codec| Ok((codec.payload_type, Decoder::new(codec.kind)?)))
            .collect::<Result<_, EngineError>>()?;
        let guard = agreed.srtp.as_ref().map(Guard::new).transpose()?;
        Ok(Box::new(Self { agreed, encoder, decoders, guard }))
    }
}

/// Random beginnings of a stream (RFC 3550, 8; RFC 7022), drawn off the DSP thread.
pub(crate) struct Seeds {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) report: u64,
    pub(crate) cname: String,
    pub(crate) wall_clock: NtpTime,
}

/// How a stream begins.
pub(crate) struct Opening {
    pub(crate) id: StreamId,
    pub(crate) sockets: Sockets,
    pub(crate) listening: Listening,
    pub(crate) seeds: Seeds,
    pub(crate) published: Arc<Mutex<StreamStats>>,
}

pub(crate) struct Stream {
    pub(crate) id: StreamId,
    sockets: Sockets,
    listening: Listening,
    published: Arc<Mutex<StreamStats>>,
    sender: rtp::Sender,
    receiver: rtp::Receiver,
    reports: rtp::RtcpSession,
    jitter: JitterBuffer<Decoder>,
    keys: Keys,
    keys_received: EventReceiver,
    line: Option<Line>,
    /// There when the sound is encrypted: nothing goes by it in either direction.
    guard: Option<Box<Guard>>,
    /// Those came of a handshake.
    by_handshake: bool,
    /// Where checks found the peer.
    path: Option<SocketAddr>,
    /// That way is a link, which the keeper sends over.
    linked: bool,
    pub(crate) muted: bool,
    pub(crate) held: bool,
    /// Member of the local conference: hears the microphone and the other members.
    pub(crate) conferenced: bool,
    /// What takes the call down.
    pub(crate) tap: Option<Box<Tap>>,
    /// What is heard in this turn, for that.
    heard: [f32; BLOCK],
    microphone_gain: f32,
    speaker_gain: f32,
    limiter: Limiter,
    last_sent: Option<Instant>,
    activity: (bool, bool),
    rejected: u64,
    unauthenticated: u64,
    concealed: u64,
    loss: LossWindow,
    loss_there: LossThere,
    /// How the peer's packets are lost, for our reports.
    pattern: LossPattern,
    around: Surroundings,
    datagram: Vec<u8>,
    /// What arrived, in clear.
    clear: Vec<u8>,
}

/// What exists once a stream is negotiated.
struct Line {
    agreed: Negotiated,
    encoder: Encoder,
    remote: SocketAddr,
    remote_rtcp: SocketAddr,
    rate: SenderRate,
    /// Which packets need not be sent, where comfort noise was agreed on.
    pauses: Pauses,
    /// Sound of the packet that is being filled, and how much it takes.
    frame: Vec<f32>,
    full: usize,
    payload: Vec<u8>,
}

impl Line {
    /// Encodes the sound of the packet that is full into `payload`, if it may be sent and is worth it.
    fn encode(&mut self, samples: usize, allowed: bool) -> Result<Worth, CodecError> {
        self.payload.clear();
        let Some(frame) = self.frame.get(..samples).filter(|_| allowed) else {
            self.pauses.interrupt();
            self.frame.clear();
            return Ok(Worth::Nothing);
        };
        let mut worth = match self.agreed.comfort_noise_pt {
            Some(_) => self.pauses.judge(frame),
            None => Worth::Sound,
        };
        let encoded = match worth {
            Worth::Sound => self.encoder.encode(frame, &mut self.payload),
            _ => Ok(()),
        };
        self.frame.clear();
        if worth == Worth::Sound && self.payload.is_empty() {
            // Opus pauses by itself.
            worth = Worth::Nothing;
        }
        encoded.map(|()| worth)
    }
}

impl Stream {
    pub(crate) fn new(now: Instant, opening: Opening) -> Self {
        let Opening { id, sockets, listening, seeds, published } = opening;
        let config = rtp::SenderConfig {
            ssrc: seeds.ssrc,
            first_sequence: seeds.sequence,
            first_timestamp: seeds.timestamp,
            payload_type: 0,
            clock_rate: 8_000,
        };
        Self {
            id,
            sockets,
            listening,
            published,
            sender: rtp::Sender::new(config),
            receiver: rtp::Receiver::new(None, &[]),
            reports: rtp::RtcpSession::new(now, seeds.wall_clock, &seeds.cname, seeds.report),
            jitter: JitterBuffer::new(JitterConfig::default()),
            keys: Keys::default(),
            keys_received: EventReceiver::default(),
            line: None,
            guard: None,
            by_handshake: false,
            path: None,
            linked: false,
            muted: false,
            held: false,
            conferenced: false,
            tap: None,
            heard: [0.0; BLOCK],
            microphone_gain: 0.0,
            speaker_gain: 0.0,
            limiter: Limiter::default(),
            last_sent: None,
            activity: (false, false),
            rejected: 0,
            unauthenticated: 0,
            concealed: 0,
            loss: LossWindow::default(),
            loss_there: LossThere::default(),
            pattern: LossPattern::default(),
            around: Surroundings::default(),
            datagram: Vec::with_capacity(2_048),
            clear: Vec::with_capacity(2_048),
        }
    }

    pub(crate) fn is_configured(&self) -> bool {
        self.line.is_some()
    }

    pub(crate) fn configure(&mut self, setup: Setup) {
        let Setup { agreed, encoder, decoders, guard } = setup;
        self.configure_guard(&agreed, guard);
        self.sender.set_codec(agreed.codec.payload_type, agreed.codec.clock_rate);
        self.configure_receiver(&agreed, decoders);
        self.keys.configure(&agreed);
        self.reports.ask_for_metrics(agreed.voip_metrics);
        let old = self.line.as_ref().map(|line| (&line.agreed, line.remote));
        let remote = match (&agreed.ice, old) {
            (Some(_), _) => self.path.unwrap_or(NOWHERE),
            (None, Some((before, latched))) if before.remote == agreed.remote => latched,
            (None, _) => agreed.remote,
        };
        let remote_rtcp = agreed.remote_rtcp;
        match &mut self.line {
            Some(line) => {
                if line.agreed.codec != agreed.codec {
                    line.encoder = encoder;
                }
                let packets = |of: &Negotiated| (of.codec.kind, of.ptime_ms, of.max_ptime_ms);
                if packets(&line.agreed) != packets(&agreed) {
                    line.rate = SenderRate::new(&agreed);
                    line.frame.clear();
                }
                line.encoder.set_room(line.rate.room());
                (line.remote, line.remote_rtcp) = (remote, remote_rtcp);
                line.agreed = agreed;
            }
            None => {
                self.line = Some(Line {
                    rate: SenderRate::new(&agreed),
                    pauses: Pauses::new(),
                    full: BLOCK,
                    agreed,
                    encoder,
                    remote,
                    remote_rtcp,
                    frame: Vec::with_capacity(MAX_PACKET_BLOCKS * BLOCK),
                    payload: Vec::with_capacity(2_048),
                });
            }
        }
    }

    /// Keys of the description are there at once. Those of a handshake come later, and those of the handshake before
    /// hold until then.
    fn configure_guard(&mut self, agreed: &Negotiated, guard: Option<Box<Guard>>) {
        let before = self.guard.take();
        let by_handshake = agreed.dtls.is_some();
        self.guard = match (by_handshake, self.by_handshake) {
            (true, true) => before,
            (true, false) => None,
            (false, true) => guard,
            (false, false) => Guard::renewed(before, guard),
        };
        self.by_handshake = by_handshake;
        if agreed.ice.is_none() {
            (self.path, self.linked) = (None, false);
        }
    }

    /// Takes what became of keys and paths.
    fn take_signals(&mut self, events: &mut Vec<MediaEvent>) {
        while let Ok(signal) = self.listening.signals.try_recv() {
            match signal {
                Signal::Keys(guard) if self.by_handshake => {
                    self.guard = Guard::renewed(self.guard.take(), Some(guard));
                }
                Signal::Keys(_) => {}
                Signal::Path { to, linked } => self.take_path(to, linked),
                Signal::Failed(failure) => {
                    events.push(MediaEvent::Failed { stream: self.id, failure });
                }
            }
        }
    }

    fn take_path(&mut self, to: SocketAddr, linked: bool) {
        let Some(line) = self.line.as_mut().filter(|line| line.agreed.ice.is_some()) else {
            return;
        };
        tracing::debug!(stream = self.id.0, %to, linked, "checks found the peer here");
        (self.path, self.linked) = (Some(to), linked);
        line.remote = to;
        self.receiver.reconfigure(Some(to), &clock_rates(&line.agreed));
    }

    fn configure_receiver(&mut self, agreed: &Negotiated, decoders: Vec<(u8, Decoder)>) {
        let old = self.line.as_ref().map(|l| &l.agreed);
        let same_codecs = old.is_some_and(|o| {
            o.receive == agreed.receive
                && o.comfort_noise_pt == agreed.comfort_noise_pt
                && o.telephone_event_receive == agreed.telephone_event_receive
        });
        let same_way = old
            .is_some_and(|o| o.remote == agreed.remote && o.ice.is_some() == agreed.ice.is_some());
        if same_codecs && same_way {
            return;
        }
        let expected = match &agreed.ice {
            Some(_) => self.path,
            None => Some(agreed.remote).filter(|r| !r.ip().is_unspecified()),
        };
        self.receiver.reconfigure(expected, &clock_rates(agreed));
        if !same_codecs {
            self.jitter.clear();
            self.jitter.set_comfort_noise(noise_received(agreed));
            for (payload_type, decoder) in decoders {
                self.jitter.set_decoder(payload_type, decoder);
            }
        }
    }

    /// Takes every datagram that has arrived.
    pub(crate) fn receive(&mut self, now: Instant, events: &mut Vec<MediaEvent>) {
        self.take_signals(events);
        while let Ok(packet) = self.listening.packets.try_recv() {
            if self.lacks_keys() {
                // Sound that is faster than the end of the handshake.
                continue;
            }
            let report = packet.rtcp || rtp::is_rtcp(&packet.data);
            let mut clear = std::mem::take(&mut self.clear);
            let data = match &mut self.guard {
                None => Ok(&*packet.data),
                Some(guard) => {
                    guard.unprotect(report, &packet.data, &mut clear).map(|()| clear.as_slice())
                }
            };
            match data {
                Ok(data) if report => self.receive_report(&packet, data),
                Ok(data) => self.receive_sound(now, &packet, data, events),
                Err(error) => {
                    self.unauthenticated += 1;
                    tracing::trace!(stream = self.id.0, %error, "SRTP dropped");
                }
            }
            self.clear = clear;
        }
    }

    /// Keys are agreed on and not there yet: nothing goes by that, in either direction.
    fn lacks_keys(&self) -> bool {
        self.guard.is_none() && self.line.as_ref().is_some_and(|line| line.agreed.is_encrypted())
    }

    fn receive_report(&mut self, packet: &Packet, data: &[u8]) {
        match self.reports.handle_packet(packet.at, self.sender.ssrc(), data) {
            Ok(_) => {
                self.follow_report(packet.at);
                if let (Some(line), true) = (&mut self.line, packet.rtcp) {
                    line.remote_rtcp = packet.from;
                }
            }
            Err(error) => {
                self.rejected += 1;
                tracing::debug!(stream = self.id.0, %error, "RTCP dropped");
            }
        }
    }

    /// Redundancy goes by the loss that the peer reports. Packets get longer where it tells of too little room, and shorter
    /// again.
    fn follow_report(&mut self, at: Instant) {
        let sent = self.sender.stats().packets;
        let (Some(report), Some(line)) = (self.reports.remote_report(), &mut self.line) else {
            return;
        };
        let Some(loss) = self.loss_there.observe(at, &report, sent) else { return };
        line.encoder.set_expected_loss(self.loss_there.expected());
        let seconds = f64::from(report.jitter) / f64::from(line.agreed.codec.clock_rate.max(1));
        let jitter = Duration::from_secs_f64(seconds);
        line.rate.observe(at, WayThere { loss, jitter, round_trip: self.reports.round_trip() });
        line.encoder.set_room(line.rate.room());
    }

    fn receive_sound(
        &mut self,
        now: Instant,
        packet: &Packet,
        data: &[u8],
        events: &mut Vec<MediaEvent>,
    ) {
        let Some(line) = &mut self.line else { return };
        let received = match self.receiver.handle_packet(packet.at, packet.from, data) {
            Ok(received) => received,
            Err(error) => {
                self.rejected += 1;
                tracing::trace!(stream = self.id.0, %error, "RTP dropped");
                return;
            }
        };
        if let Some(remote) = received.relatched.filter(|_| line.agreed.ice.is_none()) {
            tracing::debug!(stream = self.id.0, %remote, "peer sends from here: replying there");
            line.remote = remote;
        }
        let header = received.packet.header;
        let is_key = line
            .agreed
            .telephone_event_receive
            .iter()
            .any(|t| t.payload_type == header.payload_type);
        if received.source_changed {
            self.pattern = LossPattern::default();
        }
        let mut used = true;
        if is_key {
            if let Some(digit) = self.keys_received.handle_packet(&header, received.packet.payload)
            {
                events.push(MediaEvent::Dtmf { stream: self.id, digit: digit.as_char() });
            }
        } else {
            // A packet cannot have arrived after the tick that reads it.
            used = self.jitter.insert(packet.at.min(now), &received.packet) != Inserted::Late;
        }
        self.pattern.observe(header.sequence, used);
    }

    /// The next 10 ms for the speaker; silence while held. `waits`: what has come stays where it is, for later.
    pub(crate) fn pull(&mut self, now: Instant, block: &mut [f32; BLOCK], waits: bool) {
        block.fill(0.0);
        if self.line.is_none() || waits {
            self.heard = *block;
            return;
        }
        if self.jitter.pull(now, block) == Pulled::Concealed {
            self.concealed += 1;
        }
        let wanted = if self.held { 0.0 } else { 1.0 };
        ramp(block, &mut self.speaker_gain, wanted);
        self.heard = *block;
    }

    pub(crate) fn pause_recording(&mut self, paused: bool) {
        if let Some(tap) = &mut self.tap {
            tap.paused = paused;
        }
    }

    /// The sign that this call is recorded, for everybody who is on the recording, where it sounds in this turn.
    pub(crate) fn sign(&self) -> Option<&Sign> {
        self.tap.as_ref().filter(|_| self.line.is_some() && !self.held)?.sign()
    }

    /// The recording goes on by a turn.
    pub(crate) fn turn_recording(&mut self) {
        if let Some(tap) = self.tap.as_mut().filter(|_| self.line.is_some()) {
            tap.turn();
        }
    }

    /// Takes 10 ms of the microphone, and of the others in a conference with the sign that one of them is recorded, and
    /// sends a packet when one is full. Muting silences the microphone only: the others are still heard.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        microphone: &[f32; BLOCK],
        others: Option<(&[f32; BLOCK], Option<&Sign>)>,
    ) {
        let Some(line) = &mut self.line else { return };
        let mut block = *microphone;
        let wanted = if self.muted || self.held { 0.0 } else { 1.0 };
        ramp(&mut block, &mut self.microphone_gain, wanted);
        let others = others.filter(|_| !self.held);
        if let Some((others, _)) = others {
            add(&mut block, others);
        }
        // One sign is enough at a time.
        let own = self.tap.as_ref().and_then(|tap| tap.sign());
        if let Some(sign) = own.or(others.and_then(|(_, sign)| sign)) {
            sign.mix(&mut block);
        }
        self.limiter.limit(&mut block);
        if let Some(tap) = &mut self.tap {
            tap.take(&block, &self.heard);
        }
        if line.frame.is_empty() {
            line.full = usize::from(line.rate.packet_ms() / 10) * BLOCK;
        }
        line.frame.extend_from_slice(&block);
        let full = line.full;
        self.keys.drive(now, self.sender.timestamp());
        if line.frame.len() >= full {
            self.send_frame(now, full);
        }
        while let Some(event) = self.keys.poll_output() {
            self.sender.event(&event, &mut self.datagram);
            self.transmit(now);
        }
    }

    fn send_frame(&mut self, now: Instant, samples: usize) {
        let Some(line) = &mut self.line else { return };
        let clock = u64::from(line.agreed.codec.clock_rate);
        let units = samples as u64 * clock / u64::from(SAMPLE_RATE);
        let units = u32::try_from(units).unwrap_or(0);
        let allowed = line.agreed.send && !self.keys.is_sounding();
        let worth = line.encode(samples, allowed).unwrap_or_else(|error| {
            tracing::warn!(stream = self.id.0, %error, "sound not encoded");
            Worth::Nothing
        });
        match (worth, line.agreed.comfort_noise_pt) {
            (Worth::Sound, _) => {
                self.sender.frame(now, &line.payload, units, &mut self.datagram);
            }
            (Worth::Noise(level), Some(noise)) => {
                self.sender.comfort_noise(noise, &[level], units, &mut self.datagram);
            }
            _ => return self.sender.skip(units),
        }
        self.transmit(now);
    }

    /// Sends what stands in `datagram` to where the peer is. A full or broken network costs the
    /// packet, nothing else.
    fn transmit(&mut self, now: Instant) {
        let Some(line) = &self.line else { return };
        if self.lacks_keys() || line.remote.ip().is_unspecified() || line.remote.port() == 0 {
            return;
        }
        if let Some(guard) = &mut self.guard
            && let Err(error) = guard.protect(false, &mut self.datagram)
        {
            tracing::warn!(stream = self.id.0, %error, "RTP not protected and not sent");
            return;
        }
        match self.send_to(&self.sockets.rtp, line.remote) {
            Ok(()) => self.last_sent = Some(now),
            Err(error) => tracing::trace!(stream = self.id.0, %error, "RTP not sent"),
        }
    }

    /// Sends what stands in `datagram` from that socket, or over the link that is the path.
    fn send_to(&self, socket: &UdpSocket, to: SocketAddr) -> io::Result<()> {
        if self.linked {
            let sent = self.listening.linked.try_send(self.datagram.clone());
            return sent.map_err(|_| io::ErrorKind::WouldBlock.into());
        }
        socket.send_to(&self.datagram, to).map(|_| ())
    }

    /// Reports, activity and, with the surroundings, figures; called every tick.
    pub(crate) fn keep(
        &mut self,
        now: Instant,
        around: Option<Surroundings>,
        events: &mut Vec<MediaEvent>,
    ) {
        if self.line.is_some() && self.reports.poll_timeout().is_some_and(|at| now >= at) {
            self.report(now);
        }
        let recent =
            |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) < QUIET);
        let (rx, tx) = (recent(self.receiver.last_received()), recent(self.last_sent));
        if self.activity != (rx, tx) {
            self.activity = (rx, tx);
            events.push(MediaEvent::Activity { stream: self.id, rx, tx });
        }
        if self.tap.as_mut().is_some_and(|tap| tap.has_failed()) {
            events.push(MediaEvent::RecordingFailed { stream: self.id });
        }
        let stats = self.receiver.stats();
        self.loss.observe(now, stats.packets, stats.lost, self.jitter.stats().late);
        if let Some(around) = around {
            self.around = around;
            self.publish(now);
        }
    }

    fn report(&mut self, now: Instant) {
        let metrics = self.reports.wants_metrics().then(|| self.metrics(now)).flatten();
        self.reports.set_metrics(metrics);
        let (sender, receiver) = (&self.sender, &mut self.receiver);
        if self.reports.handle_timeout(now, sender, receiver, &mut self.datagram) {
            self.transmit_report();
        }
    }

    fn transmit_report(&mut self) {
        let Some(line) = &self.line else { return };
        let (socket, to) = match line.agreed.rtcp_mux {
            true => (&self.sockets.rtp, line.remote),
            false => (&self.sockets.rtcp, line.remote_rtcp),
        };
        if self.lacks_keys() || to.ip().is_unspecified() || to.port() == 0 {
            return;
        }
        if let Some(guard) = &mut self.guard
            && let Err(error) = guard.protect(true, &mut self.datagram)
        {
            tracing::warn!(stream = self.id.0, %error, "RTCP not protected and not sent");
            return;
        }
        if let Err(error) = self.send_to(socket, to) {
            tracing::trace!(stream = self.id.0, %error, "RTCP not sent");
        }
    }

    /// Says goodbye and gives the last figures.
    pub(crate) fn close(mut self, now: Instant) {
        if self.line.is_some() {
            self.reports.goodbye(now, &self.sender, &mut self.receiver, &mut self.datagram);
            if !self.datagram.is_empty() {
                self.transmit_report();
            }
        }
        self.publish(now);
    }

    pub(crate) fn press(&mut self, digits: &str) {
        self.keys.press(digits);
    }

    fn publish(&mut self, now: Instant) {
        let stats = self.stats(now);
        // The reader holds the lock for a copy only; should it, the next figures come in 50 ms.
        if let Ok(mut published) = self.published.try_lock() {
            *published = stats;
        }
    }

    fn kind(&self) -> Option<CodecKind> {
        self.line.as_ref().map(|line| line.agreed.codec.kind)
    }

    /// What sound goes through, both ways.
    fn ways(&self, now: Instant) -> Ways {
        let jitter = self.jitter.stats();
        let codec = self.kind().map(look_ahead);
        let packets = |line: &Line| Duration::from_millis(line.rate.packet_ms().into());
        let received = Some(jitter.frame).filter(|frame| !frame.is_zero());
        Ways {
            capture: self.around.capture,
            playback: self.around.playback,
            sent: self.line.as_ref().map(packets).zip(codec).map(|(packet, codec)| packet + codec),
            received: received.zip(codec).map(|(packet, codec)| packet + codec),
            buffer: received.map(|_| jitter.delay),
            round_trip: self.reports.round_trip(),
            peer: self.reports.remote_metrics().filter(|_| self.loss_there.is_fresh(now)),
        }
    }

    /// What our reports tell of what arrives; `None` before anything is known.
    fn metrics(&self, now: Instant) -> Option<VoipMetrics> {
        let (kind, summary) = self.kind().zip(self.pattern.summary())?;
        let (ways, loss) = (self.ways(now), self.loss.share());
        let delay = ways.rx().total();
        let rating = crate::quality::rating(kind, loss, delay).filter(|_| delay.is_some());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let whole = |rating: f32| rating.round() as u8;
        Some(VoipMetrics {
            loss: LossShares::new(&summary, self.jitter.stats().frame),
            round_trip: None,
            end_system: ways.end_system(),
            rating: rating.map(whole),
            listening_mos: crate::quality::rating(kind, loss, None).map(rtp::quality::mos_of),
            conversation_mos: rating.map(rtp::quality::mos_of),
            buffer: ways.buffer,
            longest_buffer: Some(JitterConfig::default().max_delay),
        })
    }

    fn evidence(&self, now: Instant, ways: &Ways) -> Evidence {
        let report = self.reports.remote_report().filter(|_| self.loss_there.is_fresh(now));
        let clock = f64::from(self.kind().map_or(8_000, CodecKind::clock_rate));
        let expected = self.line.as_ref().is_some_and(|line| line.agreed.receive_active);
        let since = self.receiver.last_received();
        let quiet = since.filter(|at| now.saturating_duration_since(*at) >= MISSING);
        let speaks = !self.muted && !self.held;
        Evidence {
            lost_in: self.loss.share(),
            lost_out: self.loss_there.share(now),
            discarded_there: ways.peer.map(|peer| peer.loss.discarded),
            jitter_out: report.map(|r| Duration::from_secs_f64(f64::from(r.jitter) / clock)),
            round_trip: ways.round_trip,
            missing: quiet.filter(|_| expected).and_then(|at| self.reports.peer_sends_since(at)),
            machine_late: self.around.machine_late,
            microphone_silent: self.around.microphone_silent && speaks,
            microphone_clips: self.around.microphone_clips && speaks,
        }
    }

    fn stats(&self, now: Instant) -> StreamStats {
        let received = self.receiver.stats();
        let sent = self.sender.stats();
        let report = self.reports.remote_report();
        let kind = self.kind();
        let ways = self.ways(now);
        let (rx, tx) = (ways.rx(), ways.tx());
        let discarded = ways.peer.map_or(0.0, |peer| peer.loss.discarded);
        let unheard = self.loss_there.share(now).map(|lost| lost + discarded * (1.0 - lost));
        let clock = f64::from(kind.map_or(8_000, CodecKind::clock_rate));
        let lost = u64::try_from(received.lost).unwrap_or(0);
        let mos = |loss, delay| kind.and_then(|kind| crate::quality::mos(kind, loss, delay));
        StreamStats {
            codec: kind,
            rx: TrafficStats {
                packets: received.packets,
                bytes: received.bytes,
                lost: Some(lost),
                jitter_ms: (received.packets > 1).then(|| f64::from(received.jitter_us) / 1000.0),
                mos: mos(self.loss.share(), rx.rated()),
                delay: rx,
            },
            tx: TrafficStats {
                packets: sent.packets,
                bytes: sent.bytes,
                lost: report.map(|r| u64::try_from(r.total_lost).unwrap_or(0)),
                jitter_ms: report.map(|r| f64::from(r.jitter) * 1000.0 / clock),
                mos: mos(unheard, tx.rated()),
                delay: tx,
            },
            rtt_ms: ways.round_trip.map(|d| d.as_secs_f64() * 1000.0),
            jitter_buffer_ms: self.jitter.stats().delay.as_secs_f64() * 1000.0,
            remote: self.line.as_ref().map(|l| l.remote),
            suite: self.guard.as_ref().map(|guard| guard.suite()),
            unauthenticated: self.unauthenticated,
            rejected: self.rejected,
            concealed: self.concealed,
            packet_ms: self.line.as_ref().map_or(0, |line| line.rate.packet_ms()),
            evidence: self.evidence(now, &ways),
        }
    }
}

/// The payload types that may arrive, with their clocks.
fn clock_rates(agreed: &Negotiated) -> Vec<(u8, u32)> {
    let mut rates: Vec<(u8, u32)> =
        agreed.receive.iter().map(|c| (c.payload_type, c.clock_rate)).collect();
    rates.extend(agreed.telephone_event_receive.iter().map(|t| (t.payload_type, t.clock_rate)));
    rates.extend(noise_received(agreed).map(|pt| (pt, 8_000)));
    rates
}

/// The payload type of comfort noise that may arrive: some gateways send it unasked, by its static number (RFC 3551).
fn noise_received(agreed: &Negotiated) -> Option<u8> {
    let mut used = agreed.receive.iter().map(|codec| codec.payload_type);
    let free = agreed.codec.clock_rate == 8_000 && !used.any(|number| number == 13);
    agreed.comfort_noise_pt.or(free.then_some(13))
}

/// Multiplies by a gain that moves to `wanted` within the block, so that switching makes no click.
/// A steady gain of one leaves the sound untouched.
#[expect(clippy::float_cmp, reason = "0 and 1 are set, not computed")]
fn ramp(block: &mut [f32; BLOCK], gain: &mut f32, wanted: f32) {
    if *gain == wanted {
        if wanted == 0.0 {
            block.fill(0.0);
        }
        return;
    }
    let from = *gain;
    for (n, sample) in (0_u16..).zip(block.iter_mut()) {
        *sample *= from + (wanted - from) * f32::from(n) / 480.0;
    }
    *gain = wanted;
}

/// Keys waiting to be sent: digits and pauses.
#[derive(Default)]
struct Keys {
    sender: Option<EventSender>,
    numbering: Option<sdp::TelephoneEvent>,
    waiting: VecDeque<char>,
    pause_until: Option<Instant>,
}

impl Keys {
    fn configure(&mut self, agreed: &Negotiated) {
        if self.numbering == agreed.telephone_event {
            return;
        }
        self.numbering = agreed.telephone_event;
        self.sender =
            agreed.telephone_event.map(|t| EventSender::new(t.payload_type, t.clock_rate));
    }

    fn press(&mut self, digits: &str) {
        if self.sender.is_none() {
            return;
        }
        let room = KEYS.saturating_sub(self.waiting.len());
        self.waiting.extend(digits.chars().take(room));
    }

    fn is_sounding(&self) -> bool {
        self.sender.as_ref().is_some_and(EventSender::is_sounding)
    }

    fn poll_output(&mut self) -> Option<rtp::EventPacket> {
        self.sender.as_mut()?.poll_output()
    }

    fn drive(&mut self, now: Instant, timestamp: u32) {
        let Some(sender) = &mut self.sender else { return };
        if sender.is_idle() && self.pause_until.is_none_or(|until| now >= until) {
            self.pause_until = None;
            match self.waiting.pop_front() {
                Some(',') => self.pause_until = Some(now + COMMA),
                Some(key) => {
                    if let Some(digit) = Digit::from_char(key) {
                        sender.queue(digit);
                    }
                }
                None => {}
            }
        }
        if !sender.is_idle() {
            sender.handle_timeout(now, timestamp);
        }
    }
}
