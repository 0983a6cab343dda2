//! The whole way to the speaker on a clock of its own, in virtual time: level control, resampler, ring and callback together.
//!
//! A minute each in the tests; an hour with `BALIE_DRIFT_SECONDS=3600` (`cargo xtask prove drift`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtrb::RingBuffer;

use super::{Playback, PlaybackLine};
use crate::callback::{PlaybackSide, Pulse};
use crate::{BLOCK, SAMPLE_RATE};

/// What is played: a tone that repeats within the block grid only after a long while.
const HZ: f64 = 437.0;
/// How loud.
const LOUD: f64 = 0.5;
/// How far from where the two before it point a sample may be, parts of the loudness: what the resampler does is 2.5 in a
/// million, a sample too few or too many 3.6 in a thousand at least.
const BENT: f64 = 1e-4;
/// Ticks of 10 ms in which level and rate find each other.
const SETTLED: u32 = 3_000;

/// A speaker with its own idea of time.
#[derive(Debug, Clone, Copy)]
struct Device {
    rate: u32,
    /// Frames it asks for at a time.
    period: u32,
    /// How much faster than told its clock is, parts per million.
    ppm: f64,
    /// How late each callback may be, in milliseconds.
    late_ms: f64,
}

/// What was heard of it.
#[derive(Debug)]
struct Run {
    underruns: u32,
    /// Blocks thrown away once settled.
    skipped: u32,
    /// Least and most sound between writing and playing once settled, in milliseconds.
    latency: (f64, f64),
    /// The furthest that a sample is from where the two before it point, parts of the loudness.
    bend: f64,
    /// The loudest sample.
    peak: f32,
    /// Rate that was found, parts per million.
    trim_ppm: f32,
}

/// How long the runs are, in seconds.
fn seconds() -> u32 {
    std::env::var("BALIE_DRIFT_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60)
}

/// The tone goes on where it was; a slip or a gap would bend it.
struct Ear {
    turn: f64,
    last: [f64; 2],
    heard: u64,
    bend: f64,
    peak: f32,
}

impl Ear {
    fn new(rate: u32) -> Self {
        let turn = 2.0 * (std::f64::consts::TAU * HZ / f64::from(rate)).cos();
        Self { turn, last: [0.0; 2], heard: 0, bend: 0.0, peak: 0.0 }
    }

    fn hear(&mut self, buffer: &[f32], settled: bool) {
        for sample in buffer {
            let [before, last] = self.last;
            let sample_here = f64::from(*sample);
            if settled && self.heard > 2 {
                self.bend = self.bend.max((sample_here - self.turn * last + before).abs() / LOUD);
                self.peak = self.peak.max(sample.abs());
            }
            self.last = [last, sample_here];
            self.heard += 1;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
fn run(device: Device, seconds: u32) -> Run {
    let start = Instant::now();
    let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
    let (lines, mut playback) = Playback::new();
    let (ring, rx) = RingBuffer::new(device.rate as usize);
    let pulse = Arc::new(Pulse::new(start));
    let mut speaker = PlaybackSide::new(rx, 1, Arc::clone(&pulse));
    lines.send(Some(PlaybackLine { ring, rate: device.rate, pulse: Some(pulse) })).unwrap();
    let mut ear = Ear::new(device.rate);
    let mut buffer = vec![0.0_f32; device.period as usize];
    let period = f64::from(device.period) / f64::from(device.rate) / (1.0 + device.ppm / 1e6);
    let (mut pulls, mut dice, mut late) = (0_u32, 7_u32, 0.0);
    let (mut skipped, mut latency, mut underruns) = (0, (f64::MAX, f64::MIN), 0);
    let mut phase = 0.0_f64;
    for tick in 0..seconds * 100 {
        let now = f64::from(tick) * 0.01;
        let settled = tick > SETTLED;
        loop {
            let pull = 0.003_7 + f64::from(pulls) * period + late;
            if pull > now {
                break;
            }
            speaker.on_data(at(pull), &mut buffer);
            ear.hear(&buffer, settled);
            pulls += 1;
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            late = f64::from(dice >> 16) / 65_536.0 * device.late_ms / 1e3;
        }
        let mut block = [0.0_f32; BLOCK];
        for sample in &mut block {
            #[expect(clippy::cast_possible_truncation, reason = "a sample")]
            let next = (phase.sin() * LOUD) as f32;
            *sample = next;
            phase = (phase + std::f64::consts::TAU * HZ / f64::from(SAMPLE_RATE))
                % std::f64::consts::TAU;
        }
        let taken = playback.write(at(now), &block);
        let stats = playback.stats();
        if !settled {
            underruns = stats.underruns;
        } else {
            skipped += u32::from(!taken);
            let ms = stats.latency.map_or(0.0, |latency| latency.as_secs_f64() * 1e3);
            latency = (latency.0.min(ms), latency.1.max(ms));
        }
    }
    let stats = playback.stats();
    Run {
        underruns: stats.underruns - underruns,
        skipped,
        latency,
        bend: ear.bend,
        peak: ear.peak,
        trim_ppm: stats.trim_ppm,
    }
}

fn holds(device: Device) {
    let run = run(device, seconds());
    println!("{device:?} for {} s: {run:?}", seconds());
    assert_eq!((run.underruns, run.skipped), (0, 0), "{device:?}: {run:?}");
    assert!(run.latency.1 - run.latency.0 < 5.0, "{device:?}: {run:?}");
    assert!(run.bend < BENT, "{device:?}: {run:?}");
    assert!((0.495..0.505).contains(&run.peak), "{device:?}: {run:?}");
    // What was found is how the clocks differ; a callback that may be late leaves some of it in the dark.
    assert!((f64::from(run.trim_ppm) - device.ppm).abs() < 60.0, "{device:?}: {run:?}");
}

#[test]
fn a_tone_stays_whole_on_clocks_that_drift_apart() {
    for ppm in [-200.0, 0.0, 200.0] {
        holds(Device { rate: SAMPLE_RATE, period: 480, ppm, late_ms: 0.0 });
    }
}

#[test]
fn it_stays_whole_at_another_rate_in_other_pieces_and_with_late_callbacks() {
    holds(Device { rate: 44_100, period: 441, ppm: 200.0, late_ms: 2.0 });
    holds(Device { rate: SAMPLE_RATE, period: 960, ppm: -200.0, late_ms: 2.0 });
    holds(Device { rate: SAMPLE_RATE, period: 128, ppm: 200.0, late_ms: 1.0 });
}

/// The judge itself: one sample left out is heard.
#[test]
fn a_slip_of_one_sample_would_be_heard() {
    let tone = |n: u32| {
        let turn = std::f64::consts::TAU * HZ / f64::from(SAMPLE_RATE);
        #[expect(clippy::cast_possible_truncation, reason = "a sample")]
        let sample = ((f64::from(n) * turn).sin() * LOUD) as f32;
        sample
    };
    for slip in 4_000..4_110 {
        let mut ear = Ear::new(SAMPLE_RATE);
        let sound: Vec<f32> = (0..9_600).filter(|n| *n != slip).map(tone).collect();
        ear.hear(&sound, true);
        assert!(ear.bend > 10.0 * BENT, "sample {slip}: {}", ear.bend);
    }
}
