//! The functions that run inside device callbacks. They move samples between the device's buffer
//! and a ring, and nothing else: no allocation, no lock, no log, no system call (a test holds
//! them to it). Only the first of a device has its thread raised, before anything is heard.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cpal::{FromSample, Sample};
use rtrb::{Consumer, Producer};

use crate::priority::{Waiting, raise_callback};

/// Samples over which sound fades out when nothing more is there, and in when it returns: 2.5 ms.
const FADE: u32 = 120;

/// Callbacks after which a device runs. With one or two it fills its buffer; a sound server may then want nothing for a while.
pub(crate) const BEGUN: u64 = 3;

/// What a callback tells the rest of the program, without locks.
pub(crate) struct Pulse {
    /// Callbacks so far; the watchdog looks whether it moves.
    pub(crate) beats: AtomicU64,
    /// Times the playback ring ran dry.
    pub(crate) underruns: AtomicU32,
    /// Samples of the capture ring that found no room.
    pub(crate) overruns: AtomicU32,
    /// Frames of the last buffer that the device asked for or gave.
    period: AtomicU32,
    /// Times the device asked for sound later than what it held lasted.
    pub(crate) stalls: AtomicU32,
    /// What a device holds besides the last buffer it asked for, nanoseconds.
    reserve: u64,
    /// Frames in a second.
    rate: u32,
    /// Set by the error callback: the stream must be rebuilt.
    pub(crate) failed: AtomicBool,
    /// The thread of the callbacks, as long as it waits to be raised.
    pub(crate) raise: Mutex<Option<Waiting>>,
    /// What the times below count from.
    base: Instant,
    /// When the last callback was, nanoseconds after `base`.
    last: AtomicU64,
}

impl Pulse {
    /// Whether the device runs, and what is written now is going to be heard.
    pub(crate) fn has_begun(&self) -> bool {
        self.beats.load(Ordering::Acquire) >= BEGUN
    }

    pub(crate) fn new(base: Instant) -> Self {
        Self {
            beats: AtomicU64::new(0),
            underruns: AtomicU32::new(0),
            overruns: AtomicU32::new(0),
            period: AtomicU32::new(0),
            failed: AtomicBool::new(false),
            raise: Mutex::new(None),
            base,
            last: AtomicU64::new(0),
            stalls: AtomicU32::new(0),
            reserve: u64::MAX,
            rate: 1,
        }
    }

    /// Of a device that holds `frames` of `rate` a second besides the buffer it asks for: stalls are counted.
    pub(crate) fn holding(mut self, frames: u32, rate: u32) -> Self {
        self.rate = rate.max(1);
        self.reserve = u64::from(frames) * 1_000_000_000 / u64::from(self.rate);
        self
    }

    /// At the beginning of each callback. The first one's thread is raised; that is the one system call there is.
    pub(crate) fn begin(&self) {
        if self.beats.load(Ordering::Relaxed) == 0
            && let Some(waiting) = raise_callback()
            && let Ok(mut raise) = self.raise.try_lock()
        {
            *raise = Some(waiting);
        }
    }

    fn beat(&self, now: Instant, frames: usize) {
        let nanos = now.saturating_duration_since(self.base).as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        let before = self.last.swap(nanos, Ordering::Relaxed);
        let held = u64::from(self.period.load(Ordering::Relaxed)) * 1_000_000_000;
        let lasts = (held / u64::from(self.rate)).saturating_add(self.reserve);
        if self.has_begun() && nanos.saturating_sub(before) > lasts {
            self.stalls.fetch_add(1, Ordering::Relaxed);
        }
        self.period.store(u32::try_from(frames).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.beats.fetch_add(1, Ordering::Release);
    }

    /// Frames of the last buffer that the device asked for or gave; 0 before the first.
    pub(crate) fn period(&self) -> usize {
        self.period.load(Ordering::Relaxed) as usize
    }

    /// Frames the device has played, by the clock, of the last buffer it took: at most all of it.
    pub(crate) fn played(&self, now: Instant, rate: u32) -> usize {
        let last = self.base + Duration::from_nanos(self.last.load(Ordering::Relaxed));
        let since = now.saturating_duration_since(last).as_nanos();
        let frames = since.saturating_mul(u128::from(rate)) / 1_000_000_000;
        usize::try_from(frames).unwrap_or(usize::MAX).min(self.period())
    }
}

/// The device side of a capture ring.
pub(crate) struct CaptureSide {
    ring: Producer<f32>,
    channels: usize,
    pulse: Arc<Pulse>,
}

impl CaptureSide {
    pub(crate) fn new(ring: Producer<f32>, channels: u16, pulse: Arc<Pulse>) -> Self {
        Self { ring, channels: usize::from(channels.max(1)), pulse }
    }

    /// Takes one buffer of interleaved frames, mixed down to mono.
    pub(crate) fn on_data<T>(&mut self, now: Instant, data: &[T])
    where
        T: Sample,
        f32: FromSample<T>,
    {
        let frames = data.len() / self.channels;
        self.pulse.beat(now, frames);
        #[expect(clippy::cast_precision_loss, reason = "a handful of channels")]
        let scale = 1.0 / self.channels as f32;
        for frame in data.chunks_exact(self.channels) {
            let sum: f32 = frame.iter().map(|s| f32::from_sample(*s)).sum();
            if self.ring.push(sum * scale).is_err() {
                self.pulse.overruns.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The device side of a playback ring.
pub(crate) struct PlaybackSide {
    ring: Consumer<f32>,
    channels: usize,
    pulse: Arc<Pulse>,
    last: f32,
    /// 0 silent, [`FADE`] full.
    level: u32,
    dry: bool,
}

impl PlaybackSide {
    pub(crate) fn new(ring: Consumer<f32>, channels: u16, pulse: Arc<Pulse>) -> Self {
        let channels = usize::from(channels.max(1));
        Self { ring, channels, pulse, last: 0.0, level: 0, dry: true }
    }

    /// Fills one buffer of interleaved frames, the same sound on every channel.
    pub(crate) fn on_data<T>(&mut self, now: Instant, data: &mut [T])
    where
        T: Sample + FromSample<f32>,
    {
        self.pulse.beat(now, data.len() / self.channels);
        for frame in data.chunks_mut(self.channels) {
            let sample = T::from_sample(self.next());
            frame.fill(sample);
        }
    }

    fn next(&mut self) -> f32 {
        if let Ok(sample) = self.ring.pop() {
            self.last = sample;
            self.level = (self.level + 1).min(FADE);
            self.dry = false;
        } else {
            if !self.dry {
                self.dry = true;
                // Whoever writes waits for a device to run.
                if self.pulse.has_begun() {
                    self.pulse.underruns.fetch_add(1, Ordering::Relaxed);
                }
            }
            self.level = self.level.saturating_sub(1);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 120")]
        let gain = self.level as f32 / FADE as f32;
        self.last * gain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn now() -> Instant {
        Instant::now()
    }

    fn pulse() -> Arc<Pulse> {
        Arc::new(Pulse::new(now()))
    }

    #[test]
    fn mixes_channels_down_and_fills_all_of_them() {
        let (tx, mut rx) = RingBuffer::new(16);
        let mut side = CaptureSide::new(tx, 2, pulse());
        side.on_data(now(), &[0.5_f32, 0.1, -0.5, -0.1]);
        assert!((rx.pop().unwrap() - 0.3).abs() < 1e-6);
        assert!((rx.pop().unwrap() + 0.3).abs() < 1e-6);

        let (mut tx, rx) = RingBuffer::new(1024);
        for _ in 0..1000 {
            tx.push(0.25).unwrap();
        }
        let mut side = PlaybackSide::new(rx, 2, pulse());
        let mut out = [0.0_f32; 1000];
        side.on_data(now(), &mut out);
        assert_eq!(out[998], 0.25);
        assert_eq!(out[999], 0.25);
    }

    #[test]
    fn underrun_fades_out_is_counted_once_and_fades_in_again() {
        let (mut tx, rx) = RingBuffer::new(4096);
        let pulse = pulse();
        pulse.beats.store(BEGUN, Ordering::Relaxed);
        let mut side = PlaybackSide::new(rx, 1, Arc::clone(&pulse));
        for _ in 0..480 {
            tx.push(0.8).unwrap();
        }
        let mut out = [0.0_f32; 960];
        side.on_data(now(), &mut out);
        for _ in 0..480 {
            tx.push(0.8).unwrap();
        }
        let mut more = [0.0_f32; 480];
        side.on_data(now(), &mut more);
        assert_eq!(pulse.underruns.load(Ordering::Relaxed), 1);
        assert_eq!(out[900], 0.0);
        assert!((more[479] - 0.8).abs() < 1e-6);
        let all: Vec<f32> = out.iter().chain(&more).copied().collect();
        let step = all.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.02, "a click of {step}");
    }

    /// Every path of both callbacks, in every sample format that a stream is built with: the
    /// allocator ends the process if one of them allocates or frees.
    fn runs_without_the_allocator<T>()
    where
        T: Sample + FromSample<f32>,
        f32: FromSample<T>,
    {
        let (tx, rx) = RingBuffer::new(600);
        let mut capture = CaptureSide::new(tx, 2, pulse());
        let mut playback = PlaybackSide::new(rx, 2, pulse());
        let now = now();
        let given = vec![T::from_sample(0.3_f32); 960];
        let mut wanted = vec![T::from_sample(0.0_f32); 960];
        assert_no_alloc::assert_no_alloc(|| {
            // Filling, overrun, playing, underrun, recovery.
            capture.on_data(now, &given);
            capture.on_data(now, &given);
            playback.on_data(now, &mut wanted);
            playback.on_data(now, &mut wanted);
            playback.on_data(now, &mut wanted);
            capture.on_data(now, &given);
            playback.on_data(now, &mut wanted);
            capture.on_data::<T>(now, &[]);
            playback.on_data::<T>(now, &mut []);
        });
    }

    #[test]
    fn callbacks_never_touch_the_allocator() {
        runs_without_the_allocator::<f32>();
        runs_without_the_allocator::<i16>();
        runs_without_the_allocator::<i32>();
        runs_without_the_allocator::<cpal::I24>();
        runs_without_the_allocator::<u8>();
    }

    #[test]
    fn a_stall_is_a_callback_later_than_what_the_device_held_lasts() {
        let start = now();
        let pulse = Pulse::new(start).holding(240, 48_000);
        let mut at = start;
        let mut after = |us: u64, frames: usize| {
            at += Duration::from_micros(us);
            pulse.beat(at, frames);
            pulse.stalls.load(Ordering::Relaxed)
        };
        for _ in 0..BEGUN {
            assert_eq!(after(900_000, 240), 0, "what happens before a device runs is no stall");
        }
        // A little late, early, and in larger buffers.
        let calm = [(9_900, 480), (14_900, 960), (24_900, 240), (100, 240), (5_000, 240)];
        assert!(calm.into_iter().all(|(us, frames)| after(us, frames) == 0));
        assert_eq!(after(10_100, 240), 1);
        assert_eq!(after(5_000, 240), 1);
        let unknown = Pulse::new(start);
        (0..9).for_each(|n| unknown.beat(start + Duration::from_secs(n), 480));
        assert_eq!(unknown.stalls.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_full_capture_ring_loses_samples_and_says_so() {
        let (tx, _rx) = RingBuffer::new(4);
        let pulse = pulse();
        let mut side = CaptureSide::new(tx, 1, Arc::clone(&pulse));
        side.on_data(now(), &[0_i16; 10]);
        assert_eq!(pulse.overruns.load(Ordering::Relaxed), 6);
    }
}
