//! The DSP thread's ends of the sound path: blocks of 10 ms in and out, whatever the device's
//! rate, buffer size and clock.
//!
//! A device (or stand-in) is attached by sending it a new ring over a queue; when it goes away the
//! ring is replaced or taken off. Neither end ever waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer};

use crate::callback::Pulse;
use crate::resample::Resampler;
use crate::{BLOCK, SAMPLE_RATE};

/// Sound waiting in a capture ring beyond this is old and thrown away: 200 ms.
const CAPTURE_LIMIT: usize = 20 * BLOCK;

/// Sound below this is not missed: -80 dB of full scale.
const INAUDIBLE: f32 = 1e-4;

/// A ring freshly attached to a device.
pub(crate) struct CaptureLine {
    pub(crate) ring: Consumer<f32>,
    pub(crate) rate: u32,
    /// `None`: the other side is no device, may be late and must not lose a sample (files).
    pub(crate) pulse: Option<Arc<Pulse>>,
}

/// What the microphone hears, in blocks of 10 ms.
pub struct Capture {
    lines: Receiver<Option<CaptureLine>>,
    line: Option<CaptureLine>,
    resampler: Option<Resampler>,
    ready: Vec<f32>,
    scratch: Vec<f32>,
    dropped: u64,
}

impl Capture {
    pub(crate) fn new() -> (Sender<Option<CaptureLine>>, Self) {
        let (sender, lines) = channel();
        let ready = Vec::with_capacity(32 * BLOCK);
        let scratch = Vec::with_capacity(32 * BLOCK);
        (sender, Self { lines, line: None, resampler: None, ready, scratch, dropped: 0 })
    }

    /// Takes the next 10 ms if they are complete; never waits. What a device piled up beyond
    /// 200 ms (the reader was away) is dropped, oldest first.
    pub fn read(&mut self, block: &mut [f32; BLOCK]) -> bool {
        self.adopt();
        self.collect();
        let Some(head) = self.ready.get(..BLOCK) else { return false };
        block.copy_from_slice(head);
        self.ready.drain(..BLOCK);
        true
    }

    /// Whether a device or stand-in is attached, so that blocks may come.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.line.is_some()
    }

    /// How long sound was on its way from the device to the block last read: the buffer that the device fills before it
    /// hands it over, and what waits here. What the hardware and the sound server add is unknown and not in it. `None`
    /// while no device is attached or it has given nothing yet.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        let line = self.line.as_ref()?;
        let waiting = time_of(self.ready.len(), SAMPLE_RATE);
        match &line.pulse {
            None => Some(waiting),
            Some(pulse) => {
                let period = Some(pulse.period()).filter(|period| *period > 0)?;
                Some(time_of(period, line.rate) + waiting)
            }
        }
    }

    /// Samples thrown away because they were read too late, and those that found no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let pulse = self.line.as_ref().and_then(|line| line.pulse.as_ref());
        self.dropped + pulse.map_or(0, |pulse| pulse.overruns.load(Ordering::Relaxed).into())
    }

    fn adopt(&mut self) {
        while let Ok(line) = self.lines.try_recv() {
            self.ready.clear();
            self.resampler = line
                .as_ref()
                .filter(|l| l.rate != SAMPLE_RATE)
                .and_then(|l| Resampler::new(l.rate, SAMPLE_RATE).ok());
            self.line = line;
        }
    }

    fn collect(&mut self) {
        let Some(line) = &mut self.line else { return };
        let waiting = line.ring.slots();
        if let Ok(chunk) = line.ring.read_chunk(waiting) {
            let (first, second) = chunk.as_slices();
            if let Some(resampler) = &mut self.resampler {
                self.scratch.clear();
                self.scratch.extend_from_slice(first);
                self.scratch.extend_from_slice(second);
                resampler.push(&self.scratch, &mut self.ready);
            } else {
                self.ready.extend_from_slice(first);
                self.ready.extend_from_slice(second);
            }
            chunk.commit_all();
        }
        if line.pulse.is_some() && self.ready.len() > CAPTURE_LIMIT {
            let excess = self.ready.len() - BLOCK;
            self.dropped += excess as u64;
            self.ready.drain(..excess);
        }
    }
}

/// A playback ring freshly attached to a device.
pub(crate) struct PlaybackLine {
    pub(crate) ring: Producer<f32>,
    pub(crate) rate: u32,
    /// `None`: the other side runs on the capture clock and takes every sample (files, silence).
    pub(crate) pulse: Option<Arc<Pulse>>,
}

/// Figures of a playback end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlaybackStats {
    /// Times the device found nothing to play.
    pub underruns: u32,
    /// Sound waiting in the ring when last written to, in milliseconds.
    pub waiting_ms: f32,
    /// Present trim of the rate for clock drift, parts per million.
    pub trim_ppm: f32,
    /// How long the sound last written waits until the device plays it, smoothed over a second or so: what waits in the
    /// ring and the buffer that the device holds. What the hardware and the sound server add is unknown and not in it.
    /// `None` before the device has asked for any.
    pub latency: Option<Duration>,
}

/// What the speaker plays, in blocks of 10 ms.
pub struct Playback {
    lines: Receiver<Option<PlaybackLine>>,
    line: Option<PlaybackLine>,
    resampler: Option<Resampler>,
    level: LevelControl,
    /// The device of the line runs.
    begun: bool,
    scratch: Vec<f32>,
    stats: PlaybackStats,
}

impl Playback {
    pub(crate) fn new() -> (Sender<Option<PlaybackLine>>, Self) {
        let (sender, lines) = channel();
        let scratch = Vec::with_capacity(16 * BLOCK);
        let playback = Self {
            lines,
            line: None,
            resampler: None,
            level: LevelControl::new(SAMPLE_RATE),
            begun: false,
            scratch,
            stats: PlaybackStats::default(),
        };
        (sender, playback)
    }

    /// Queues 10 ms to be played. Never waits. Whether they are going to be heard: they are thrown away with no device
    /// attached, while it does not play yet, and where too much waits already.
    pub fn write(&mut self, now: Instant, block: &[f32; BLOCK]) -> bool {
        self.adopt();
        let Some(line) = &mut self.line else { return false };
        let Some(pulse) = &line.pulse else {
            let waiting = line.ring.buffer().capacity() - line.ring.slots();
            self.stats.latency = Some(time_of(waiting, line.rate));
            let _ = line.ring.push_partial_slice(block);
            return true;
        };
        if !pulse.has_begun() {
            // Not yet playing: what is queued now would only be late.
            return false;
        }
        if !self.begun {
            self.begun = true;
            // Of the silence to begin with the device has taken what it filled its buffer with.
            let waiting = line.ring.buffer().capacity() - line.ring.slots();
            let wanted = self.level.target() + signed(pulse.played(now, line.rate));
            lead(&mut line.ring, wanted - signed(waiting));
        }
        let waiting = line.ring.buffer().capacity() - line.ring.slots();
        let underruns = pulse.underruns.load(Ordering::Relaxed);
        // What the device took in its last buffer goes out little by little; so the measure does
        // not jump when its callbacks drift past our ticks.
        let played = pulse.played(now, line.rate);
        let until_played = time_of((waiting + pulse.period()).saturating_sub(played), line.rate);
        let latency =
            self.stats.latency.map_or(until_played, |before| before * 63 / 64 + until_played / 64);
        let silent = block.iter().all(|sample| sample.abs() < INAUDIBLE);
        let verdict = self.level.observe(signed(waiting) - signed(played), silent);
        self.stats = PlaybackStats {
            underruns,
            waiting_ms: samples_to_ms(waiting, line.rate),
            trim_ppm: self.level.ppm(),
            latency: Some(latency),
        };
        if verdict == Verdict::Skip {
            return false;
        }
        let Some(resampler) = &mut self.resampler else {
            let _ = line.ring.push_partial_slice(block);
            return true;
        };
        if let Verdict::Trim(ratio) = verdict {
            resampler.trim(ratio);
        }
        self.scratch.clear();
        resampler.push(block, &mut self.scratch);
        let _ = line.ring.push_partial_slice(&self.scratch);
        true
    }

    /// Whether a device or stand-in takes the sound.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.line.is_some()
    }

    /// Whether what is written now is going to be heard: the attached device has begun to ask for sound. A stand-in
    /// always does.
    pub fn plays(&mut self) -> bool {
        self.adopt();
        self.line
            .as_ref()
            .is_some_and(|line| line.pulse.as_ref().is_none_or(|pulse| pulse.has_begun()))
    }

    /// Figures since the present device was attached.
    #[must_use]
    pub fn stats(&self) -> PlaybackStats {
        self.stats
    }

    fn adopt(&mut self) {
        while let Ok(line) = self.lines.try_recv() {
            self.line = line;
            self.resampler = None;
            self.stats = PlaybackStats::default();
            let Some(line) = &mut self.line else { continue };
            self.level = LevelControl::new(line.rate);
            self.begun = false;
            if line.pulse.is_some() {
                self.resampler = Resampler::new(SAMPLE_RATE, line.rate).ok();
                lead(&mut line.ring, self.level.lead());
            }
        }
    }
}

/// Queues so much silence, as far as there is room.
fn lead(ring: &mut Producer<f32>, samples: i64) {
    for _ in 0..samples {
        if ring.push(0.0).is_err() {
            break;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "rings hold less than a second")]
fn samples_to_ms(samples: usize, rate: u32) -> f32 {
    samples as f32 * 1000.0 / rate as f32
}

/// How long so many samples last.
fn time_of(samples: usize, rate: u32) -> Duration {
    let nanos = samples as u64 * 1_000_000_000 / u64::from(rate.max(1));
    Duration::from_nanos(nanos)
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Steady,
    Trim(f64),
    Skip,
}

fn signed(samples: usize) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX)
}

/// Keeps as little sound waiting as the device's habits allow, although its clock is not the
/// microphone's: looks at the least reserve in each second and trims the rate by it. Reserve is
/// what waits in the ring less what the device has played of its last buffer; it is below zero
/// only when the sound was late. Wanted is what the deepest dip of the last minutes would have
/// needed, and a little more.
#[derive(Debug)]
struct LevelControl {
    rate: u32,
    /// How far reserve fell below what was wanted, samples; fades in minutes.
    dip: f64,
    least: i64,
    seen: u32,
    trim: f64,
    /// Blocks since the device was attached.
    age: u32,
    /// Blocks still to be skipped of what piled up at the start.
    skips: i64,
}

/// Blocks at the start in which too much is skipped at once instead of being worked off.
const SETTLING: u32 = 200;
/// Blocks per observation: one second.
const WINDOW: u32 = 100;
/// What is left of a dip a second later: half of it after 140 s.
const FADING: f64 = 0.995;
/// By so much a dip may be deeper than those before, ms: the machine may have stood still once, and every call later would pay.
const DEEPER_MS: i64 = 3;
/// Dips that a new device is taken to have, and what is wanted above the deepest; ms.
const FIRST_DIP: f64 = 3.5;
const MARGIN: f64 = 1.5;
/// The least and the most that is wanted, ms. Less than one short buffer of a device, and a machine that stands still for a
/// moment every few minutes is heard.
const WANTED: std::ops::RangeInclusive<f64> = 5.0..=40.0;

impl LevelControl {
    fn new(rate: u32) -> Self {
        let dip = FIRST_DIP * f64::from(rate) / 1000.0;
        Self { rate, dip, least: i64::MAX, seen: 0, trim: 1.0, age: 0, skips: 0 }
    }

    fn ppm(&self) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "a few thousand at most")]
        let ppm = ((self.trim - 1.0) * 1e6) as f32;
        ppm
    }

    fn ms(&self, ms: i64) -> i64 {
        i64::from(self.rate) * ms / 1000
    }

    /// Wanted least reserve but for dips, samples.
    fn target(&self) -> i64 {
        let of_ms = f64::from(self.rate) / 1000.0;
        let wanted = (self.dip / of_ms + MARGIN).clamp(*WANTED.start(), *WANTED.end());
        #[expect(clippy::cast_possible_truncation, reason = "at most 40 ms")]
        let samples = (wanted * of_ms) as i64;
        samples
    }

    /// Silence to begin with: the wanted reserve and one buffer.
    fn lead(&self) -> i64 {
        self.target() + self.ms(10)
    }

    /// `silent`: nobody would miss what is to be written now.
    fn observe(&mut self, reserve: i64, silent: bool) -> Verdict {
        let target = self.target();
        self.age = self.age.saturating_add(1);
        // A device that has just been started takes much at once and then nothing for a while. Within a period reserve
        // says nothing, and one more is left to chance.
        let settles = self.age < SETTLING;
        let piled_up = settles && silent && reserve > target + self.ms(21);
        if self.skips > 0 || piled_up || reserve > target + self.ms(60) {
            self.skips = (self.skips - 1).max(0);
            self.least = i64::MAX;
            self.seen = 0;
            return Verdict::Skip;
        }
        self.least = self.least.min(reserve);
        self.seen += 1;
        if settles && self.seen >= 20 && self.least > target + self.ms(11) {
            // One cut and no more.
            self.skips = (self.least - target) / self.ms(10) - 1;
            self.least = i64::MAX;
            self.seen = 0;
            return Verdict::Skip;
        }
        if self.seen < WINDOW {
            return Verdict::Steady;
        }
        let error = self.least - target;
        self.seen = 0;
        self.least = i64::MAX;
        if self.age > SETTLING {
            let deeper = self.dip + exact(self.ms(DEEPER_MS));
            self.dip = (self.dip * FADING).max(exact(-error).min(deeper));
        }
        self.trim = self.wanted_trim(error);
        Verdict::Trim(self.trim)
    }

    /// Half of the error is worked off in a second, at most 0.5 %.
    fn wanted_trim(&self, error: i64) -> f64 {
        1.0 - (exact(error) / (2.0 * f64::from(self.rate))).clamp(-0.005, 0.005)
    }
}

fn exact(samples: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "rings hold less than a second")]
    let exact = samples as f64;
    exact
}

#[cfg(test)]
mod drift;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::{BEGUN, CaptureSide, PlaybackSide};
    use rtrb::RingBuffer;

    #[test]
    fn blocks_come_out_whole_and_in_order() {
        let (lines, mut capture) = Capture::new();
        let (mut tx, ring) = RingBuffer::new(4096);
        lines.send(Some(CaptureLine { ring, rate: SAMPLE_RATE, pulse: None })).unwrap();
        let mut block = [0.0; BLOCK];
        assert!(!capture.read(&mut block));
        assert!(capture.is_attached());
        for n in 0..700_u16 {
            tx.push(f32::from(n)).unwrap();
        }
        assert!(capture.read(&mut block));
        assert_eq!((block[0], block[479]), (0.0, 479.0));
        assert!(!capture.read(&mut block));
    }

    #[test]
    fn old_sound_is_dropped_from_a_device_but_never_from_a_file() {
        for (patient, dropped) in [(false, 12_000 - 480), (true, 0)] {
            let (lines, mut capture) = Capture::new();
            let (mut tx, ring) = RingBuffer::new(16_384);
            let pulse = (!patient).then(|| Arc::new(Pulse::new(base())));
            lines.send(Some(CaptureLine { ring, rate: SAMPLE_RATE, pulse })).unwrap();
            for _ in 0..12_000 {
                tx.push(0.1).unwrap();
            }
            let mut block = [0.0; BLOCK];
            assert!(capture.read(&mut block));
            assert_eq!(capture.dropped(), dropped);
        }
    }

    /// A device that takes 480 frames every 10 ms of its own clock, `ppm` fast, for `seconds`:
    /// underruns, and least and most reserve in milliseconds after the first half minute.
    fn run_drift(ppm: f64, seconds: u32) -> (u32, f64, f64) {
        let mut level = LevelControl::new(SAMPLE_RATE);
        let mut waiting = level.lead() as f64;
        let (mut underruns, mut low, mut high) = (0, f64::MAX, f64::MIN);
        let period = 0.010 / (1.0 + ppm / 1e6);
        let mut next_pull = 0.0037;
        for tick in 0..seconds * 100 {
            let now = f64::from(tick) * 0.01;
            while next_pull <= now {
                if waiting < 480.0 {
                    underruns += 1;
                }
                waiting = (waiting - 480.0).max(0.0);
                next_pull += period;
            }
            let played = ((now - (next_pull - period)) * 48_000.0).clamp(0.0, 480.0);
            let reserve = waiting - played;
            level.observe(reserve as i64, false);
            waiting += 480.0 * level.trim;
            if tick > 3_000 {
                low = low.min(reserve / 48.0);
                high = high.max(reserve / 48.0);
            }
        }
        (underruns, low, high)
    }

    #[test]
    fn an_hour_of_drifting_clocks_neither_starves_nor_piles_up() {
        for ppm in [-200.0, -20.0, 0.0, 20.0, 200.0] {
            let (underruns, low, high) = run_drift(ppm, 3_600);
            assert_eq!(underruns, 0, "{ppm} ppm");
            assert!(low > 4.0 && high < 8.5, "{ppm} ppm: {low} to {high} ms in reserve");
        }
    }

    /// Seconds in which the least reserve is so many milliseconds below what is wanted.
    fn seconds(level: &mut LevelControl, count: u32, below_ms: i64) {
        for _ in 0..count {
            let least = level.target() - level.ms(below_ms);
            for _ in 0..WINDOW {
                level.observe(least, false);
            }
        }
    }

    #[test]
    fn dips_are_prepared_for_before_they_run_dry_and_forgotten_after_minutes() {
        let mut level = LevelControl::new(SAMPLE_RATE);
        seconds(&mut level, 3, 0);
        assert!(level.target() <= level.ms(5));
        // 4 of 5 ms were needed: nothing was heard of it, and the next may be a little deeper.
        seconds(&mut level, 1, 4);
        assert!(level.target() >= level.ms(5) + level.ms(1) / 2, "{}", level.target());
        seconds(&mut level, 60, 4);
        assert!(level.target() >= level.ms(5) + level.ms(1) / 2, "{}", level.target());
        seconds(&mut level, 300, 0);
        assert_eq!(level.target(), level.ms(5));
    }

    #[test]
    fn one_long_stop_of_the_machine_makes_nobody_late_for_minutes_and_many_do() {
        let mut level = LevelControl::new(SAMPLE_RATE);
        seconds(&mut level, 3, 0);
        seconds(&mut level, 1, 30);
        assert!(level.target() <= level.ms(8), "{}", level.target());
        seconds(&mut level, 20, 30);
        let wanted = level.target();
        assert!((level.ms(31)..=level.ms(32)).contains(&wanted), "{wanted}");
    }

    #[test]
    fn what_piled_up_is_skipped_at_once() {
        let mut level = LevelControl::new(SAMPLE_RATE);
        assert_eq!(level.observe(level.ms(100), false), Verdict::Skip);
        assert_eq!(level.observe(level.ms(10), false), Verdict::Steady);
    }

    /// A device that takes nothing for 50 ms after it was started: the blocks skipped of those written, each 10 ms, before
    /// the reserve is what it should be. From `speech` on they can be heard.
    fn skipped_at_the_start(speech: u32) -> Vec<u32> {
        let mut level = LevelControl::new(SAMPLE_RATE);
        let mut reserve = level.target() + level.ms(50);
        let mut skipped = Vec::new();
        for block in 0..150 {
            if level.observe(reserve, block < speech) == Verdict::Skip {
                reserve -= level.ms(10);
                skipped.push(block);
            }
        }
        assert!(reserve <= level.target() + level.ms(21), "{reserve}");
        skipped
    }

    #[test]
    fn what_a_starting_device_lets_pile_up_is_left_out_before_speech_or_in_one_cut() {
        assert_eq!(skipped_at_the_start(70), [0, 1, 2, 22, 23]);
        assert_eq!(skipped_at_the_start(0), [19, 20, 21, 22, 23]);
    }

    #[test]
    fn what_is_not_going_to_be_heard_is_told() {
        let now = base();
        let (lines, mut playback) = Playback::new();
        assert!(!playback.write(now, &[0.5; BLOCK]), "there is no device");
        let (ring, rx) = RingBuffer::new(19_200);
        let pulse = Arc::new(Pulse::new(now));
        let mut device = PlaybackSide::new(rx, 1, Arc::clone(&pulse));
        lines.send(Some(PlaybackLine { ring, rate: SAMPLE_RATE, pulse: Some(pulse) })).unwrap();
        assert!(!playback.write(now, &[0.5; BLOCK]), "it does not play yet");
        for _ in 0..BEGUN {
            device.on_data(now, &mut [0.0_f32; BLOCK]);
        }
        // It takes nothing more: what would wait for too long is left out.
        let taken = (0..100).filter(|_| playback.write(now, &[0.5; BLOCK])).count();
        assert!((3..12).contains(&taken), "{taken} of 100 blocks");
    }

    #[test]
    fn delay_of_a_device_is_its_buffer_and_what_waits_and_unknown_before_it_runs() {
        let (tx, ring) = RingBuffer::new(9_600);
        let pulse = Arc::new(Pulse::new(base()));
        let (lines, mut capture) = Capture::new();
        assert_eq!(capture.latency(), None);
        let line = CaptureLine { ring, rate: 44_100, pulse: Some(Arc::clone(&pulse)) };
        lines.send(Some(line)).unwrap();
        let mut block = [0.0; BLOCK];
        assert!(!capture.read(&mut block));
        assert_eq!(capture.latency(), None);
        let mut device = CaptureSide::new(tx, 1, pulse);
        device.on_data(base(), &[0.1_f32; 882]);
        assert!(capture.read(&mut block));
        let there = capture.latency().unwrap();
        assert!(
            (Duration::from_millis(27)..=Duration::from_millis(30)).contains(&there),
            "{there:?}"
        );

        let now = base();
        let pulse = Arc::new(Pulse::new(now));
        let (lines, mut playback) = Playback::new();
        let (ring, rx) = RingBuffer::new(19_200);
        let mut device = PlaybackSide::new(rx, 1, Arc::clone(&pulse));
        lines.send(Some(PlaybackLine { ring, rate: SAMPLE_RATE, pulse: Some(pulse) })).unwrap();
        playback.write(now, &[0.1; BLOCK]);
        assert_eq!(playback.stats().latency, None);
        // It fills its buffer, takes one more and plays 4 ms of that until we write; 5 ms are wanted beyond these.
        for _ in 0..BEGUN {
            device.on_data(now, &mut [0.0_f32; BLOCK]);
        }
        playback.write(now + Duration::from_millis(4), &[0.1; BLOCK]);
        assert_eq!(playback.stats().latency, Some(Duration::from_millis(5 + 4 + 10 - 4)));
    }

    #[test]
    fn sound_reaches_a_device_ring_at_the_devices_rate() {
        let (lines, mut playback) = Playback::new();
        let (ring, mut rx) = RingBuffer::new(19_200);
        let now = base();
        let pulse = Arc::new(Pulse::new(now));
        pulse.beats.store(BEGUN, Ordering::Release);
        let line = PlaybackLine { ring, rate: 44_100, pulse: Some(pulse) };
        lines.send(Some(line)).unwrap();
        let mut got = 0;
        for _ in 0..100 {
            playback.write(now, &[0.1; BLOCK]);
            let had = rx.slots();
            got += had;
            rx.read_chunk(had).unwrap().commit_all();
        }
        assert!(got.abs_diff(44_100 + 661) < 300, "{got}");
    }

    /// What is written once the speaker plays is all there, after the silence of its lead and nothing else.
    #[test]
    fn a_speaker_plays_once_its_buffer_is_filled_and_then_loses_nothing() {
        let now = base();
        let (lines, mut playback) = Playback::new();
        assert!(!playback.plays());
        let (ring, rx) = RingBuffer::new(19_200);
        let pulse = Arc::new(Pulse::new(now));
        let mut device = PlaybackSide::new(rx, 1, Arc::clone(&pulse));
        lines.send(Some(PlaybackLine { ring, rate: SAMPLE_RATE, pulse: Some(pulse) })).unwrap();
        let mut heard = vec![0.0_f32; BLOCK];
        for _ in 0..BEGUN {
            assert!(!playback.plays());
            assert!(!playback.write(now, &[0.5; BLOCK]));
            device.on_data(now, &mut heard);
        }
        assert!(playback.plays());
        for _ in 0..10 {
            playback.write(now, &[0.5; BLOCK]);
            let mut buffer = [0.0_f32; BLOCK];
            device.on_data(now, &mut buffer);
            heard.extend(buffer);
        }
        let before = heard.iter().position(|sample| sample.abs() > 0.4).unwrap();
        // What it took last, 5 ms that are kept waiting and what the resampler of the clock's drift holds.
        assert!(before <= BLOCK + BLOCK / 2 + 64, "{before} frames before the first sound");
        assert!(heard[before..].iter().all(|sample| sample.abs() > 0.4));
        lines.send(None).unwrap();
        assert!(!playback.plays());
    }

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn base() -> Instant {
        Instant::now()
    }
}
