//! One RTP end of a simulated party: what it says, what it hears. No sockets, no clock.
//!
//! Inputs: from the exchange `configure` and `play`; from the network `handle_packet` and `handle_report`; from time `tick`
//! and `report`, every 10 ms. In a room (`enter`, `leave`) `tick` is done in two halves, `speak` and `hear`, with the mix of
//! the room in between: what the phone says and what the endpoint plays are two voices then.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::codec::{CodecError, Decoder, Encoder};
use rtp::{
    EventReceiver, JitterBuffer, JitterConfig, NtpTime, Receiver, RtcpSession, Sender, SenderConfig,
};
use sdp::{CodecKind, Negotiated};

use crate::mixer::Block;
use crate::music;
use crate::speech::{BLOCK, Clip};

/// What a party does with its line, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Says something.
    Say(Clip),
    /// Keeps quiet for this many milliseconds.
    Pause(u32),
    /// The beep of an answering machine, 400 ms.
    Beep,
    /// Repeats a clip for ever, with a second between.
    Repeat(Clip),
    /// Music for ever.
    Music,
    /// Sends back what it hears, for ever.
    Echo,
    /// Keeps quiet for ever.
    Listen,
    /// Keeps quiet and remembers what it hears, three minutes at most.
    Record,
}

impl Step {
    /// How long it lasts, samples at 48 kHz; `None` is for ever.
    fn length(&self) -> Option<usize> {
        match self {
            Self::Say(clip) => Some(clip.len()),
            Self::Pause(ms) => Some(*ms as usize * 48),
            Self::Beep => Some(400 * 48),
            Self::Record => Some(LONGEST_RECORDING_S * 48_000),
            Self::Repeat(_) | Self::Music | Self::Echo | Self::Listen => None,
        }
    }
}

/// A recording ends after so many seconds.
const LONGEST_RECORDING_S: usize = 180;

/// Something that happened at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    /// All steps are done.
    Finished,
    /// The peer pressed a key.
    Digit(char),
}

/// The random values a stream starts with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamSeed {
    /// Synchronisation source.
    pub(crate) ssrc: u32,
    /// First sequence number.
    pub(crate) sequence: u16,
    /// First timestamp.
    pub(crate) timestamp: u32,
}

/// One RTP end.
pub(crate) struct Endpoint {
    seed: StreamSeed,
    stream: Option<Stream>,
    steps: VecDeque<Step>,
    /// Where in the first step, samples at 48 kHz.
    position: usize,
    finished: bool,
    /// What comes in is to be sent back, recorded or mixed.
    hearing: bool,
    /// In a room: what its script hears of it.
    room: Option<Box<Block>>,
    /// What was recorded, 16 kHz.
    recording: Vec<i16>,
    digits: EventReceiver,
    happened: VecDeque<Happened>,
}

/// What an agreement turned into.
struct Stream {
    agreed: Negotiated,
    encoder: Encoder,
    /// What was heard, for the echo.
    heard: JitterBuffer<Decoder>,
    sender: Sender,
    receiver: Receiver,
    /// RTCP, from the first report on.
    reports: Option<RtcpSession>,
    /// Sound that waits until it fills a packet.
    pending: Vec<f32>,
    payload: Vec<u8>,
}

impl Endpoint {
    /// An end that neither sends nor has anything to say.
    pub(crate) fn new(seed: StreamSeed) -> Self {
        Self {
            seed,
            stream: None,
            steps: VecDeque::new(),
            position: 0,
            // Who has nothing to do has not done everything.
            finished: true,
            hearing: false,
            room: None,
            recording: Vec::new(),
            digits: EventReceiver::default(),
            happened: VecDeque::new(),
        }
    }

    /// Takes over an agreement, first or later.
    pub(crate) fn configure(&mut self, agreed: &Negotiated) -> Result<(), CodecError> {
        let old = self.stream.take();
        self.stream = Some(Stream::new(self.seed, agreed.clone(), old)?);
        Ok(())
    }

    /// Sets what to do from now on.
    pub(crate) fn play(&mut self, steps: Vec<Step>) {
        self.steps = steps.into();
        self.position = 0;
        self.finished = false;
    }

    /// What was recorded since the last call, 16 kHz.
    pub(crate) fn take_recording(&mut self) -> Vec<i16> {
        std::mem::take(&mut self.recording)
    }

    /// What has happened since the last call.
    pub(crate) fn poll_happened(&mut self) -> Option<Happened> {
        self.happened.pop_front()
    }

    /// Takes one datagram; anything that is no packet of this stream is dropped.
    pub(crate) fn handle_packet(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let Some(stream) = &mut self.stream else { return };
        let Ok(received) = stream.receiver.handle_packet(now, from, datagram) else { return };
        let header = received.packet.header;
        let events = &stream.agreed.telephone_event_receive;
        if events.iter().any(|event| event.payload_type == header.payload_type) {
            if let Some(digit) = self.digits.handle_packet(&header, received.packet.payload) {
                self.happened.push_back(Happened::Digit(digit.as_char()));
            }
            return;
        }
        if self.hearing {
            stream.heard.insert(now, &received.packet);
        }
    }

    /// Lets 10 ms pass; `send` gets what is to be sent. While the peer holds the call nothing is sent and no step goes on.
    pub(crate) fn tick(&mut self, now: Instant, send: &mut impl FnMut(SocketAddr, &[u8])) {
        let Some(stream) = &mut self.stream else { return };
        if !stream.agreed.send {
            stream.pause();
            self.hearing = false;
            return;
        }
        let mut block = [0.0; BLOCK];
        self.next_block(now, &mut block);
        if let Some(stream) = &mut self.stream {
            stream.push(now, &block, send);
        }
    }

    /// Takes one RTCP datagram; what is none is dropped.
    pub(crate) fn handle_report(&mut self, now: Instant, datagram: &[u8]) {
        let Some(stream) = &mut self.stream else { return };
        if let Some(reports) = &mut stream.reports {
            let _ = reports.handle_packet(now, stream.sender.ssrc(), datagram);
        }
    }

    /// Sends a sender or receiver report when one is due (RFC 3550 section 6). `wall_clock` is the time of day.
    pub(crate) fn report(
        &mut self,
        now: Instant,
        wall_clock: NtpTime,
        send: &mut impl FnMut(SocketAddr, &[u8]),
    ) {
        let seed = self.seed;
        let Some(stream) = &mut self.stream else { return };
        let reports = stream.reports.get_or_insert_with(|| {
            let cname = format!("{:08x}{:04x}", seed.timestamp, seed.sequence);
            RtcpSession::new(now, wall_clock, &cname, u64::from(seed.ssrc))
        });
        let mut datagram = Vec::new();
        if reports.handle_timeout(now, &stream.sender, &mut stream.receiver, &mut datagram) {
            send(stream.agreed.remote_rtcp, &datagram);
        }
    }

    /// Says goodbye to the peer (RTCP BYE).
    pub(crate) fn goodbye(&mut self, now: Instant, send: &mut impl FnMut(SocketAddr, &[u8])) {
        let Some(stream) = &mut self.stream else { return };
        if let Some(reports) = &mut stream.reports {
            let mut datagram = Vec::new();
            reports.goodbye(now, &stream.sender, &mut stream.receiver, &mut datagram);
            send(stream.agreed.remote_rtcp, &datagram);
        }
    }

    /// Enters a room: what the phone says is heard there, and the phone hears the room.
    pub(crate) fn enter(&mut self) {
        self.room.get_or_insert_with(|| Box::new([0.0; BLOCK]));
        self.hearing = true;
    }

    /// Whether it is in a room.
    pub(crate) fn is_in_a_room(&self) -> bool {
        self.room.is_some()
    }

    /// Leaves the room: phone and script have each other again.
    pub(crate) fn leave(&mut self) {
        self.room = None;
        self.hearing = false;
    }

    /// The first half of 10 ms in a room: what the phone says.
    pub(crate) fn speak(&mut self, now: Instant) -> Block {
        let mut block = [0.0; BLOCK];
        if let Some(stream) = &mut self.stream
            && stream.agreed.receive_active
        {
            stream.heard.pull(now, &mut block);
        }
        block
    }

    /// Likewise what the script says; it waits while the phone is on hold, unless it is to go on.
    pub(crate) fn recite(&mut self, now: Instant, goes_on: bool) -> Block {
        let mut block = [0.0; BLOCK];
        let waits = self.stream.as_ref().is_none_or(|stream| !stream.agreed.send);
        if goes_on || !waits {
            self.next_block(now, &mut block);
        }
        block
    }

    /// The second half: what the phone and the script hear of the room.
    pub(crate) fn hear(
        &mut self,
        now: Instant,
        (line, script): (&Block, Block),
        send: &mut impl FnMut(SocketAddr, &[u8]),
    ) {
        if let Some(ear) = &mut self.room {
            **ear = script;
        }
        match &mut self.stream {
            Some(stream) if stream.agreed.send => stream.push(now, line, send),
            Some(stream) => stream.pause(),
            None => {}
        }
    }

    fn next_block(&mut self, now: Instant, block: &mut Block) {
        let Some(step) = self.steps.front() else { return self.finish() };
        let listens = matches!(step, Step::Echo | Step::Record);
        self.hearing = listens || self.room.is_some();
        let mut heard = [0.0; BLOCK];
        match (&self.room, &mut self.stream) {
            (Some(ear), _) => heard = **ear,
            (None, Some(stream)) if listens => {
                stream.heard.pull(now, &mut heard);
            }
            _ => {}
        }
        match step {
            Step::Say(clip) => clip.read(self.position, block),
            Step::Beep => beep(self.position, block),
            Step::Repeat(clip) => clip.read(self.position % (clip.len() + 48_000), block),
            Step::Music => {
                let music = music::on_hold();
                music.read(self.position % music.len().max(1), block);
            }
            Step::Echo => *block = heard,
            Step::Record => self.recording.extend(heard.chunks(3).map(sample)),
            Step::Pause(_) | Step::Listen => {}
        }
        let over = step.length().is_some_and(|length| self.position + BLOCK >= length);
        self.position += BLOCK;
        if over {
            self.steps.pop_front();
            self.position = 0;
        }
    }

    /// Lets time pass without a sound: what is to be done takes as long as it would, and waits while the peer holds the call.
    pub(crate) fn pass(&mut self, time: Duration) {
        if self.stream.as_ref().is_none_or(|stream| !stream.agreed.send) {
            return;
        }
        let mut samples = usize::try_from(time.as_millis()).unwrap_or(0) * 48;
        while samples > 0 {
            let Some(step) = self.steps.front() else { return self.finish() };
            let Some(length) = step.length() else { return };
            let left = length.saturating_sub(self.position);
            if left > samples {
                self.position += samples;
                return;
            }
            samples -= left;
            self.steps.pop_front();
            self.position = 0;
        }
    }

    fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.happened.push_back(Happened::Finished);
        }
    }
}

impl Stream {
    fn new(seed: StreamSeed, agreed: Negotiated, old: Option<Self>) -> Result<Self, CodecError> {
        let mut heard = JitterBuffer::new(JitterConfig::default());
        for codec in &agreed.receive {
            heard.set_decoder(codec.payload_type, Decoder::new(codec.kind)?);
        }
        let events = &agreed.telephone_event_receive;
        let rates: Vec<(u8, u32)> = agreed
            .receive
            .iter()
            .map(|codec| (codec.payload_type, codec.clock_rate))
            .chain(events.iter().map(|event| (event.payload_type, event.clock_rate)))
            .collect();
        let (payload_type, clock_rate) = (agreed.codec.payload_type, agreed.codec.clock_rate);
        let mut reports = None;
        let (encoder, sender, receiver) = match old {
            Some(mut old) => {
                if old.encoder.kind() != agreed.codec.kind {
                    old.encoder = Encoder::new(agreed.codec.kind)?;
                }
                old.sender.set_codec(payload_type, clock_rate);
                old.receiver.reconfigure(Some(agreed.remote), &rates);
                // A new peer knows nothing of the reports before.
                reports = old.reports.filter(|_| old.agreed.remote_rtcp == agreed.remote_rtcp);
                (old.encoder, old.sender, old.receiver)
            }
            None => {
                let sender = Sender::new(SenderConfig {
                    ssrc: seed.ssrc,
                    first_sequence: seed.sequence,
                    first_timestamp: seed.timestamp,
                    payload_type,
                    clock_rate,
                });
                let receiver = Receiver::new(Some(agreed.remote), &rates);
                (Encoder::new(agreed.codec.kind)?, sender, receiver)
            }
        };
        let (pending, payload) = (Vec::new(), Vec::new());
        Ok(Self { agreed, encoder, heard, sender, receiver, reports, pending, payload })
    }

    fn pause(&mut self) {
        self.pending.clear();
        self.sender.skip(self.agreed.codec.clock_rate / 100);
    }

    fn push(&mut self, now: Instant, block: &[f32], send: &mut impl FnMut(SocketAddr, &[u8])) {
        self.pending.extend_from_slice(block);
        let ptime = packet_ms(self.agreed.codec.kind, self.agreed.ptime_ms);
        if self.pending.len() < ptime * 48 {
            return;
        }
        self.payload.clear();
        let encoded = self.encoder.encode(&self.pending, &mut self.payload);
        self.pending.clear();
        let duration = self.agreed.codec.clock_rate / 1000 * u32::try_from(ptime).unwrap_or(20);
        if encoded.is_err() {
            return self.sender.skip(duration);
        }
        let mut packet = Vec::new();
        self.sender.frame(now, &self.payload, duration, &mut packet);
        send(self.receiver.latched().unwrap_or(self.agreed.remote), &packet);
    }
}

/// Three samples at 48 kHz as one at 16 kHz.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "within 16 bit")]
pub(crate) fn sample(three: &[f32]) -> i16 {
    let mean = three.iter().sum::<f32>() / three.len().max(1) as f32;
    (mean.clamp(-1.0, 1.0) * 32_767.0) as i16
}

/// Milliseconds per packet: what was asked for where the codec has such frames, else 20.
fn packet_ms(kind: CodecKind, asked: u8) -> usize {
    match (kind, asked) {
        (CodecKind::Opus, 10 | 40 | 60) => usize::from(asked),
        (CodecKind::Opus, _) => 20,
        (_, 10..=60) => usize::from(asked / 10 * 10),
        _ => 20,
    }
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn beep(position: usize, block: &mut [f32]) {
    for (at, slot) in block.iter_mut().enumerate() {
        let seconds = (position + at) as f32 / 48_000.0;
        *slot = 0.3 * (std::f32::consts::TAU * 1_000.0 * seconds).sin();
    }
}

#[cfg(test)]
mod tests;
