//! From packets, as they come, to an unbroken sequence of 10 ms blocks at 48 kHz.
//!
//! Inputs: packets from the network (`insert`), time from the sound card's pull (`pull`). Everything is measured in
//! ticks of 1/48000 s on the stream's own time line (`media`). The playout is in one of these phases:
//!
//! - `Waiting`: nothing to play; the first packet waits until the delay aimed at has passed.
//! - `Playing`: packets are decoded as the sound is needed. What is needed and not there is recovered from its
//!   successor, or concealed. While the successor is not there either, concealment is a debt: if the packet comes
//!   after all, it is played and the delay has grown; if its successor comes, the debt counts towards the gap.
//! - `Pausing`: the sender has announced that it is silent; comfort noise until the next packet is due.
//!
//! The delay aimed at is the spread of the arrivals, plus, where the codec can repair a loss from the next packet and
//! there is loss, the length of that packet, plus what the block grid costs (at most the 10 ms of one block). The
//! sound is shortened or lengthened by whole pitch periods to get there.

mod filling;
mod rhythm;
mod steering;

use std::time::{Duration, Instant};

use crate::comfort_noise::ComfortNoise;
use crate::concealment::Concealer;
use crate::delay_estimator::{DelayEstimator, TICKS};
use crate::fifo::Fifo;
use crate::frame_decoder::FrameDecoder;
use crate::packet::{RtpHeader, RtpPacket};
use crate::packet_store::{PacketStore, Position, nearest};
use crate::time_stretch::level;
use crate::upsample::Upsampler;
use rhythm::Rhythm;

/// Samples of one block: 10 ms of mono sound at 48 kHz.
pub const BLOCK_SAMPLES: usize = 480;
/// The same in ticks.
const BLOCK: i64 = 480;
/// The longest frame: 120 ms at 48 kHz.
const LONGEST_FRAME: usize = 5_760;
/// A packet whose transit differs by more from the one before starts a new time line: 1.5 s.
const BREAK: i64 = TICKS * 3 / 2;
/// A gap longer than this is not made up: 1 s.
const LONGEST_GAP: i64 = TICKS;
/// After this long without packets the stream has stopped: 1 s.
const STARVED: i64 = TICKS;

/// Bounds of the playout delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JitterConfig {
    /// The least delay aimed at.
    pub min_delay: Duration,
    /// The most delay aimed at; what is later is lost.
    pub max_delay: Duration,
    /// Payload type of comfort noise (RFC 3389), when negotiated.
    pub comfort_noise_pt: Option<u8>,
}

impl Default for JitterConfig {
    fn default() -> Self {
        Self {
            min_delay: Duration::ZERO,
            max_delay: Duration::from_millis(400),
            comfort_noise_pt: None,
        }
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Waits for its turn.
    Stored,
    /// Was there already.
    Duplicate,
    /// Came after its turn.
    Late,
    /// No decoder for its payload type, or malformed.
    Unusable,
}

/// What a block is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// Decoded sound, all of it.
    Speech,
    /// Made up at least in part: packets are missing.
    Concealed,
    /// Comfort noise in an announced pause.
    ComfortNoise,
    /// Silence: nothing has come yet, or nothing for a long time.
    Silence,
}

/// Counts since the start, and the present delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterStats {
    /// The delay aimed at, above the fastest packet.
    pub target: Duration,
    /// The delay of what is being played, above the fastest packet: `jitter_buffer_ms`.
    pub delay: Duration,
    /// The sound in one packet of the peer's; zero before any was played.
    pub frame: Duration,
    /// Packets that wait.
    pub waiting: usize,
    /// Packets that came too late.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets dropped: no decoder, malformed, or no room.
    pub discarded: u64,
    /// Frames recovered from their successor.
    pub recovered: u64,
    /// Samples at 48 kHz made up by concealment.
    pub concealed_samples: u64,
    /// Samples at 48 kHz removed to catch up.
    pub removed_samples: u64,
    /// Samples at 48 kHz put in to fall back.
    pub inserted_samples: u64,
}

/// Where the playout is; see the head of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Playing,
    Pausing,
}

/// A payload type's decoder and the way to 48 kHz.
#[derive(Debug)]
struct Line<D> {
    payload_type: u8,
    clock_rate: u32,
    decoder: D,
    upsampler: Upsampler,
}

/// The incoming stream's time line.
#[derive(Debug, Clone, Copy)]
struct Timeline {
    segment: u64,
    ssrc: u32,
    clock_rate: u32,
    /// The newest timestamp, unwrapped.
    timestamp: i64,
    transit: i64,
}

/// Turns packets, as they come, into one 10 ms block per pull.
#[derive(Debug)]
pub struct JitterBuffer<D> {
    config: JitterConfig,
    lines: Vec<Line<D>>,
    store: PacketStore,
    estimator: DelayEstimator,
    timeline: Option<Timeline>,
    phase: Phase,
    /// The time line being played.
    segment: u64,
    /// Media time of the end of the FIFO.
    next: i64,
    /// Transit of the fastest packet of the time line being played: held once packets of another one arrive.
    fastest: i64,
    /// The last packet played.
    last_sequence: Option<i64>,
    /// The decoder in use.
    current: Option<usize>,
    /// Length of the last frame.
    frame: i64,
    /// Concealed without knowing yet whether the packet is lost or late.
    debt: i64,
    fifo: Fifo,
    concealer: Concealer,
    noise: ComfortNoise,
    /// The end of the FIFO is made up, and what follows must be joined to it.
    broken: bool,
    /// Samples to play before the next stretch.
    rest: i64,
    /// How long the delay has been longer than it need be, less half a second for each time it was shortened.
    surplus: i64,
    /// How long the sound has been quiet.
    quiet_for: i64,
    /// Level of the loudest block of the last seconds.
    loudness: f32,
    began: Option<Instant>,
    rhythm: Rhythm,
    decoded: Vec<f32>,
    raised: Vec<f32>,
    pulled: Pulled,
    stats: JitterStats,
}

impl<D: FrameDecoder> JitterBuffer<D> {
    /// A buffer without decoders.
    pub fn new(config: JitterConfig) -> Self {
        Self {
            config,
            lines: Vec::new(),
            store: PacketStore::new(),
            estimator: DelayEstimator::new(),
            timeline: None,
            phase: Phase::Waiting,
            segment: 0,
            next: 0,
            fastest: 0,
            last_sequence: None,
            current: None,
            frame: 2 * BLOCK,
            debt: 0,
            fifo: Fifo::new(),
            concealer: Concealer::new(),
            noise: ComfortNoise::new(),
            broken: true,
            rest: 0,
            surplus: 0,
            quiet_for: 0,
            loudness: 0.0,
            began: None,
            rhythm: Rhythm::default(),
            decoded: vec![0.0; LONGEST_FRAME],
            raised: vec![0.0; LONGEST_FRAME],
            pulled: Pulled::Silence,
            stats: JitterStats::default(),
        }
    }

    /// Sets the decoder of a payload type (replaces the one there).
    pub fn set_decoder(&mut self, payload_type: u8, decoder: D) {
        let line = Line {
            payload_type,
            clock_rate: decoder.clock_rate().max(1),
            upsampler: Upsampler::new(decoder.sample_rate()),
            decoder,
        };
        match self.lines.iter_mut().find(|line| line.payload_type == payload_type) {
            Some(place) => *place = line,
            None => self.lines.push(line),
        }
    }

    /// Takes out all decoders and everything that waits: a new agreement. What is learned of the network stays.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.store.clear();
        self.timeline = None;
        self.current = None;
        self.stop();
    }

    /// Sets the payload type of comfort noise (RFC 3389).
    pub const fn set_comfort_noise(&mut self, payload_type: Option<u8>) {
        self.config.comfort_noise_pt = payload_type;
    }

    /// Takes a packet that arrived at `now`. A new source (SSRC) or codec needs no announcement.
    pub fn insert(&mut self, now: Instant, packet: &RtpPacket<'_>) -> Inserted {
        let Some(place) = self.place(packet) else {
            self.stats.discarded += 1;
            return Inserted::Unusable;
        };
        let at = self.ticks(now);
        let place = self.put_on_timeline(at, &packet.header, place);
        if !self.store.note(place.sequence) {
            self.stats.duplicates += 1;
            return Inserted::Duplicate;
        }
        self.estimator.observe(at, place.media, place.sequence);
        if self.newest_is_played() {
            self.fastest = self.estimator.fastest();
        }
        let over = place.media + place.length.max(1) <= self.next;
        if over && self.phase != Phase::Waiting && place.segment == self.segment {
            self.stats.late += 1;
            return Inserted::Late;
        }
        if !self.store.put(place, packet.payload) {
            self.stats.discarded += 1;
        }
        Inserted::Stored
    }

    /// Fills `out` with the next 10 ms at 48 kHz mono, whatever happened. To be called every 10 ms; `now` may jitter.
    pub fn pull(&mut self, now: Instant, out: &mut [f32; BLOCK_SAMPLES]) -> Pulled {
        let told = self.ticks(now);
        let now = self.rhythm.pull(told);
        self.pulled = Pulled::Speech;
        // Each round brings sound, or moves on towards a packet that does; the bound is never met.
        for _ in 0..4 * crate::packet_store::PLACES {
            if self.fifo.len() >= BLOCK_SAMPLES {
                break;
            }
            self.produce(now);
        }
        if self.phase == Phase::Playing {
            self.steer(now);
        }
        self.fifo.pop(out);
        for sample in out.iter_mut() {
            *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        }
        self.rest = (self.rest - BLOCK).max(0);
        self.pulled
    }

    /// Counts and the present delay.
    pub fn stats(&self) -> JitterStats {
        let now = self.rhythm.clock();
        let delay = if self.phase == Phase::Playing { self.delay(now) } else { self.aim() };
        JitterStats {
            target: duration(self.aim()),
            delay: duration(delay),
            frame: duration(self.current.map_or(0, |_| self.frame)),
            waiting: self.store.len(),
            ..self.stats
        }
    }

    // ---- arrivals

    /// What the packet is, without its place in time.
    fn place(&self, packet: &RtpPacket<'_>) -> Option<Position> {
        let payload_type = packet.header.payload_type;
        if Some(payload_type) == self.config.comfort_noise_pt {
            return Some(Position::default());
        }
        let index = self.lines.iter().position(|line| line.payload_type == payload_type)?;
        let line = self.lines.get(index)?;
        let samples = line.decoder.frame_samples(packet.payload)?;
        let length = samples * line.upsampler.factor();
        let fits = (1..=LONGEST_FRAME).contains(&length);
        let length = i64::try_from(length).ok().filter(|_| fits)?;
        Some(Position { length, decoder: Some(index), ..Position::default() })
    }

    /// Gives the packet its place in time; another source, clock or epoch begins a new time line.
    fn put_on_timeline(&mut self, at: i64, header: &RtpHeader, mut place: Position) -> Position {
        let clock_rate = place
            .decoder
            .and_then(|index| self.lines.get(index))
            .map(|line| line.clock_rate)
            .or(self.timeline.map(|timeline| timeline.clock_rate))
            .unwrap_or(8_000);
        let timestamp = self.timeline.map_or_else(
            || i64::from(header.timestamp),
            |timeline| nearest(timeline.timestamp, header.timestamp, 32),
        );
        // A payload type decides its clock, so the product stays far below 2^63.
        let media = timestamp.wrapping_mul(TICKS) / i64::from(clock_rate);
        let transit = at.wrapping_sub(media);
        let same = self.timeline.is_some_and(|timeline| {
            timeline.ssrc == header.ssrc
                && timeline.clock_rate == clock_rate
                && transit.saturating_sub(timeline.transit).abs() < BREAK
        });
        let segment = match self.timeline {
            Some(timeline) if same => timeline.segment,
            _ => {
                self.store.forget();
                self.estimator.restart();
                self.timeline.map_or(1, |timeline| timeline.segment + 1)
            }
        };
        let newest =
            self.timeline.filter(|_| same).map_or(timestamp, |t| t.timestamp.max(timestamp));
        self.timeline =
            Some(Timeline { segment, ssrc: header.ssrc, clock_rate, timestamp: newest, transit });
        place.segment = segment;
        place.media = media;
        place.sequence = self.store.unwrap_sequence(header.sequence);
        place
    }

    // ---- playout

    /// Puts more sound into the FIFO, or moves on towards it.
    fn produce(&mut self, now: i64) {
        let Some((index, first)) = self.store.first() else {
            self.starve();
            return;
        };
        match self.phase {
            Phase::Waiting => self.begin(now, first),
            _ if first.segment != self.segment => self.change_timeline(now, first),
            Phase::Pausing => self.end_pause(now, index, first),
            Phase::Playing => self.go_on(now, index, first),
        }
    }

    /// Waits out the delay aimed at, in silence, then plays.
    fn begin(&mut self, now: i64, first: Position) {
        self.play_timeline(now, first);
        if self.too_early(now, first) {
            self.fill_silence();
            return;
        }
        self.next = first.media;
        self.last_sequence = None;
        self.debt = 0;
        self.enter(Phase::Playing, "first packet due");
    }

    /// The old source is played out; the new one's first packet waits for its time in noise.
    fn change_timeline(&mut self, now: i64, first: Position) {
        self.play_timeline(now, first);
        self.next = first.media;
        self.last_sequence = None;
        self.debt = 0;
        self.current = None;
        self.noise.reset();
        if self.too_early(now, first) {
            self.enter(Phase::Pausing, "another time line");
        } else {
            self.enter(Phase::Playing, "another time line");
        }
    }

    /// From now on the time line of `first` is played. One that has been overtaken by another already is measured no
    /// more: its first packet counts as due.
    fn play_timeline(&mut self, now: i64, first: Position) {
        self.segment = first.segment;
        self.fastest = if self.newest_is_played() {
            self.estimator.fastest()
        } else {
            now.wrapping_sub(first.media) - self.aim()
        };
    }

    /// Whether the packets that arrive belong to the time line being played.
    fn newest_is_played(&self) -> bool {
        self.timeline.is_some_and(|timeline| timeline.segment == self.segment)
    }

    /// Comfort noise until the first packet after the pause is due.
    fn end_pause(&mut self, now: i64, index: usize, first: Position) {
        if first.decoder.is_none() {
            self.take_noise(index, first);
        } else if first.media > self.next && self.too_early(now, first) {
            self.fill_pause();
        } else {
            self.next = self.next.max(first.media);
            self.debt = 0;
            self.enter(Phase::Playing, "packet due");
        }
    }

    /// The next packet, or what stands in for the one that is missing before it.
    fn go_on(&mut self, now: i64, index: usize, first: Position) {
        if first.media + first.length < self.next.saturating_add(1) && first.decoder.is_some() {
            self.store.release(index);
            self.stats.late += 1;
            return;
        }
        let gap = first.media - self.next;
        let follows = self.last_sequence.is_some_and(|last| first.sequence == last + 1);
        if gap <= 0 || first.decoder.is_none() && follows {
            if self.delay(now) > ticks_of(self.config.max_delay) + first.length {
                // Hopelessly behind: skip.
                self.next = first.media + first.length;
                self.broken = true;
                self.store.release(index);
                self.stats.late += 1;
                return;
            }
            self.take(index, first);
        } else if follows || gap > LONGEST_GAP {
            // A pause without announcement, or an outage: the packet is played at its time.
            self.debt = 0;
            if self.too_early(now, first) {
                self.enter(Phase::Pausing, "gap in the media time");
            } else {
                self.next = first.media;
            }
        } else {
            self.bridge(gap, index, first);
        }
    }

    /// Something is missing before `first`: the debt pays for it, its copy in `first`, or concealment.
    fn bridge(&mut self, gap: i64, index: usize, first: Position) {
        let paid = gap.min(self.debt);
        self.debt -= paid;
        self.next += paid;
        let gap = gap - paid;
        let repairs = first.decoder.and_then(|line| self.lines.get(line));
        let repairs = repairs.is_some_and(|line| line.decoder.supports_fec());
        if gap == 0 {
            return;
        }
        if repairs && gap <= first.length {
            if self.repair(gap, index, first) {
                return;
            }
            self.conceal(gap);
            self.next += gap;
            return;
        }
        let rest = if repairs { gap - first.length } else { gap };
        let length = rest.min(BLOCK);
        self.conceal(length);
        self.next += length;
    }

    /// Plays the copy of the missing frame, without its first part if that is covered already.
    fn repair(&mut self, gap: i64, index: usize, first: Position) -> bool {
        let Some(line) = first.decoder.and_then(|line| self.lines.get_mut(line)) else {
            return false;
        };
        if self.current != first.decoder {
            return false;
        }
        let factor = line.upsampler.factor();
        let samples = usize::try_from(first.length).unwrap_or_default() / factor;
        let Some(out) = self.decoded.get_mut(..samples) else { return false };
        if line.decoder.decode_fec(self.store.payload(index), out).is_err() {
            return false;
        }
        let count = line.upsampler.process(out, &mut self.raised);
        let skip = usize::try_from(first.length - gap).unwrap_or_default();
        self.broken |= skip > 0;
        self.append(skip, count);
        self.next += gap;
        self.stats.recovered += 1;
        true
    }

    /// Decodes the packet; what of it lies in the past is left out.
    fn take(&mut self, index: usize, first: Position) {
        let Some(current) = first.decoder else {
            self.take_noise(index, first);
            return;
        };
        self.store.release(index);
        let Some(line) = self.lines.get_mut(current) else { return };
        if self.current != Some(current) {
            line.decoder.reset();
            line.upsampler.reset();
            self.current = Some(current);
            self.broken = true;
        }
        let payload = self.store.payload(index);
        let pause = line.decoder.starts_pause(payload);
        let count = match line.decoder.decode(payload, &mut self.decoded) {
            Ok(count) => count,
            Err(_) => {
                self.stats.discarded += 1;
                self.conceal(first.length);
                self.next = first.media + first.length;
                self.last_sequence = Some(first.sequence);
                return;
            }
        };
        let decoded = self.decoded.get(..count).unwrap_or(&self.decoded);
        let count = line.upsampler.process(decoded, &mut self.raised);
        let skip = usize::try_from(self.next - first.media).unwrap_or_default();
        if skip > 0 {
            self.broken = true;
        }
        self.noise.observe(level(self.raised.get(..count).unwrap_or_default()));
        self.append(skip, count);
        self.frame = first.length;
        self.next = first.media + i64::try_from(count).unwrap_or(first.length);
        self.last_sequence = Some(first.sequence);
        self.debt = 0;
        if pause {
            self.enter(Phase::Pausing, "pause announced");
        }
    }

    /// A comfort noise packet: its level from now on.
    fn take_noise(&mut self, index: usize, first: Position) {
        self.noise.tell(self.store.payload(index));
        self.store.release(index);
        self.next = self.next.max(first.media);
        self.last_sequence = Some(first.sequence);
        if self.phase != Phase::Pausing {
            self.broken = true;
            self.enter(Phase::Pausing, "comfort noise");
        }
    }

    /// No packet waits.
    fn starve(&mut self) {
        match self.phase {
            Phase::Waiting => self.fill_silence(),
            Phase::Pausing => self.fill_pause(),
            Phase::Playing if self.debt > STARVED => self.stop(),
            Phase::Playing => {
                let missing = self.missing();
                self.debt += missing;
                self.conceal(missing);
            }
        }
    }

    fn stop(&mut self) {
        self.debt = 0;
        self.last_sequence = None;
        if self.phase != Phase::Waiting {
            self.enter(Phase::Waiting, "no packets");
        }
    }

    fn enter(&mut self, phase: Phase, event: &'static str) {
        tracing::debug!("{:?}, {event} -> {phase:?}", self.phase);
        self.phase = phase;
    }

    // ---- time

    /// Ticks since the first call.
    fn ticks(&mut self, now: Instant) -> i64 {
        let began = *self.began.get_or_insert(now);
        ticks_of(now.saturating_duration_since(began))
    }
}

fn ticks_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros().saturating_mul(48) / 1_000).unwrap_or(i64::MAX / 4)
}

fn duration(ticks: i64) -> Duration {
    Duration::from_micros(u64::try_from(ticks).unwrap_or_default() * 1_000 / 48)
}

#[cfg(test)]
mod tests;
