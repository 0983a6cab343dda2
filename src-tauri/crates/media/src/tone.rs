//! Tones of our own making: call progress for the user, and ringing.

mod plan;

use std::f32::consts::TAU;
use std::path::PathBuf;

use audio::{AudioError, BLOCK, SAMPLE_RATE, WavSource, read_wav};

pub use plan::TonePlan;

/// Call progress tones (ITU-T E.180), made here as the networks of a country play them ([`TonePlan`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Silence.
    #[default]
    None,
    /// It rings there.
    Ringback,
    /// The other side talks already, or refuses.
    Busy,
    /// No way through.
    Congestion,
    /// Somebody else rings, over a running call.
    CallWaiting,
}

/// What plays on the devices that ring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RingTone {
    /// The built-in two-tone bell.
    #[default]
    Bell,
    /// A softer built-in chime, for internal calls.
    Chime,
    /// A short built-in beep pair, for a door phone or intercom.
    Door,
    /// Three short built-in trills, for callers of a queue.
    Trill,
    /// A WAV file, repeated.
    File(PathBuf),
}

/// Loudness of call progress tones: well under speech.
const PROGRESS_PEAK: f32 = 0.12;
/// Call waiting must not drown the talker.
const WAITING_PEAK: f32 = 0.05;
/// Samples over which a burst swells and dies: 5 ms.
const EDGE: u32 = SAMPLE_RATE / 200;
/// Samples over which ringing grows to full loudness: 3 s.
const FADE_IN: u32 = SAMPLE_RATE * 3;

const fn ms(ms: u32) -> u32 {
    SAMPLE_RATE / 1000 * ms
}

impl Tone {
    fn peak(self) -> f32 {
        if self == Self::CallWaiting { WAITING_PEAK } else { PROGRESS_PEAK }
    }
}

/// Plays call progress tones.
#[derive(Debug, Default)]
pub(crate) struct TonePlayer {
    plan: TonePlan,
    tone: Tone,
    /// Samples since the tone began.
    at: u64,
}

impl TonePlayer {
    pub(crate) fn set(&mut self, tone: Tone) {
        if tone != self.tone {
            *self = Self { plan: self.plan, tone, at: 0 };
        }
    }

    pub(crate) fn set_plan(&mut self, plan: TonePlan) {
        self.plan = plan;
    }

    pub(crate) const fn tone(&self) -> Tone {
        self.tone
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.tone == Tone::None
    }

    /// Adds 10 ms of the tone to what is played.
    pub(crate) fn mix(&mut self, block: &mut [f32; BLOCK]) {
        let Some(cadence) = self.plan.cadence(self.tone) else { return };
        #[expect(clippy::cast_precision_loss, reason = "one or two")]
        let peak = self.tone.peak() / cadence.hz.len() as f32;
        for sample in block {
            let gain = steps_envelope(cadence.steps, self.at);
            let sound: f32 = cadence.hz.iter().map(|hz| sine(*hz, self.at)).sum();
            *sample += peak * gain * sound;
            self.at += 1;
        }
    }
}

/// The same as [`envelope`], of milliseconds.
fn steps_envelope(steps: &[(u32, u32)], at: u64) -> f32 {
    let period: u64 = steps.iter().map(|(on, off)| u64::from(ms(on + off))).sum();
    let mut rest = u32::try_from(at % period.max(1)).unwrap_or(0);
    for (on, off) in steps.iter().map(|(on, off)| (ms(*on), ms(*off))) {
        if rest < on + off {
            return envelope(&[(on, off)], u64::from(rest));
        }
        rest -= on + off;
    }
    0.0
}

/// How loud the tone is `at` samples after its beginning, 0 to 1.
fn envelope(cadence: &[(u32, u32)], at: u64) -> f32 {
    let period: u64 = cadence.iter().map(|(on, off)| u64::from(on + off)).sum();
    if period == 0 {
        return 0.0;
    }
    let mut rest = u32::try_from(at % period).unwrap_or(0);
    for (on, off) in cadence {
        if rest < *on {
            let edge = rest.min(on - rest).min(EDGE);
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            return edge as f32 / EDGE as f32;
        }
        if rest < on + off {
            return 0.0;
        }
        rest -= on + off;
    }
    0.0
}

/// A sine of whole hertz, `at` samples from its beginning, without growing phase error.
fn sine(hz: f32, at: u64) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "below 48,000")]
    let within = (at % u64::from(SAMPLE_RATE)) as f32;
    #[expect(clippy::cast_precision_loss, reason = "48,000")]
    let phase = (hz * within / SAMPLE_RATE as f32).fract();
    (TAU * phase).sin()
}

/// A ring being played.
pub(crate) struct Ringing {
    voice: Voice,
    at: u64,
}

enum Voice {
    Bell,
    Chime,
    Door,
    Trill,
    File(WavSource),
}

impl Ringing {
    /// Makes a ring ready; reads its file, so not for the DSP thread.
    pub(crate) fn new(tone: &RingTone) -> Result<Self, AudioError> {
        let voice = match tone {
            RingTone::Bell => Voice::Bell,
            RingTone::Chime => Voice::Chime,
            RingTone::Door => Voice::Door,
            RingTone::Trill => Voice::Trill,
            RingTone::File(path) => Voice::File(WavSource::new(read_wav(path)?, true)),
        };
        Ok(Self { voice, at: 0 })
    }

    /// The next 10 ms.
    pub(crate) fn fill(&mut self, block: &mut [f32; BLOCK]) {
        for sample in block {
            let at = self.at;
            #[expect(clippy::cast_precision_loss, reason = "at most three seconds of samples")]
            let fade = at.min(u64::from(FADE_IN)) as f32 / FADE_IN as f32;
            *sample = (0.15 + 0.85 * fade) * self.voice.sample(at);
            self.at += 1;
        }
    }
}

impl Voice {
    fn sample(&mut self, at: u64) -> f32 {
        match self {
            Self::Bell => {
                // A clapper between two bells, 20 strokes a second.
                let high = (at / u64::from(ms(25))).is_multiple_of(2);
                let hz = if high { 1_050.0 } else { 840.0 };
                let overtone = 0.3 * sine(hz * 2.0, at);
                0.25 * envelope(&[(ms(1000), ms(2000))], at) * (sine(hz, at) + overtone)
            }
            Self::Chime => {
                let cadence = [(ms(400), ms(100)), (ms(800), ms(2700))];
                let period = u64::from(ms(4000));
                let hz = if at % period < u64::from(ms(500)) { 659.0 } else { 523.0 };
                0.25 * envelope(&cadence, at) * sine(hz, at)
            }
            Self::Door => {
                let cadence = [(ms(150), ms(100)), (ms(150), ms(1600))];
                0.3 * envelope(&cadence, at) * sine(1_200.0, at)
            }
            Self::Trill => {
                let burst = (ms(300), ms(120));
                let cadence = [burst, burst, (ms(300), ms(1860))];
                let high = (at / u64::from(ms(50))).is_multiple_of(2);
                0.25 * envelope(&cadence, at) * sine(if high { 988.0 } else { 740.0 }, at)
            }
            Self::File(source) => source.next_sample(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(tone: Tone, length: usize) -> Vec<f32> {
        let mut player = TonePlayer::default();
        player.set(tone);
        let mut out = Vec::new();
        for _ in 0..length * 100 {
            let mut block = [0.0; BLOCK];
            player.mix(&mut block);
            out.extend_from_slice(&block);
        }
        out
    }

    /// Lengths in milliseconds of sound and silence, alternating from sound.
    fn cadence(samples: &[f32]) -> Vec<usize> {
        let loud: Vec<bool> =
            samples.chunks(BLOCK).map(|b| b.iter().any(|s| s.abs() > 0.02)).collect();
        loud.chunk_by(|a, b| a == b).map(|run| run.len() * 10).collect()
    }

    #[test]
    fn tones_have_their_cadence() {
        assert_eq!(cadence(&seconds(Tone::Ringback, 10)), [1000, 4000, 1000, 4000]);
        assert_eq!(cadence(&seconds(Tone::Busy, 2)), [500, 500, 500, 500]);
        assert_eq!(cadence(&seconds(Tone::Congestion, 1)), [250, 250, 250, 250]);
        assert_eq!(cadence(&seconds(Tone::CallWaiting, 10)), [500, 9500]);
        assert!(seconds(Tone::None, 1).iter().all(|s| *s == 0.0));
    }

    #[test]
    fn another_country_has_other_tones() {
        let of = |country: &str, tone: Tone, length: usize| {
            let mut player = TonePlayer::default();
            player.set_plan(TonePlan::of(country));
            player.set(tone);
            let mut out = Vec::new();
            for _ in 0..length * 100 {
                let mut block = [0.0; BLOCK];
                player.mix(&mut block);
                out.extend_from_slice(&block);
            }
            out
        };
        assert_eq!(cadence(&of("GB", Tone::Ringback, 3)), [400, 200, 400, 2_000]);
        assert_eq!(cadence(&of("US", Tone::Ringback, 6)), [2_000, 4_000]);
        assert_eq!(cadence(&of("FR", Tone::Busy, 1)), [500, 500]);
        // Two frequencies beat, and are together no louder than one.
        let loudest = of("US", Tone::Ringback, 2).iter().fold(0.0_f32, |a, s| a.max(s.abs()));
        assert!(loudest > 0.1 && loudest <= PROGRESS_PEAK + 1e-4, "{loudest}");
    }

    #[test]
    fn the_pitch_is_425_hertz() {
        let samples = seconds(Tone::Busy, 1);
        let crossings =
            samples[1_000..23_000].windows(2).filter(|w| w[0] <= 0.0 && w[1] > 0.0).count();
        let hz = crossings as f32 * 48_000.0 / 22_000.0;
        assert!((hz - 425.0).abs() < 3.0, "{hz}");
    }

    #[test]
    fn bursts_begin_and_end_without_a_click() {
        for tone in [Tone::Ringback, Tone::Busy, Tone::CallWaiting] {
            let samples = seconds(tone, 10);
            let step = samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
            assert!(step < 0.01, "{tone:?}: {step}");
        }
    }

    #[test]
    fn ringing_grows_and_stays_within_bounds() {
        for tone in [RingTone::Bell, RingTone::Chime, RingTone::Door, RingTone::Trill] {
            let mut ringing = Ringing::new(&tone).unwrap();
            let peaks: Vec<f32> = (0..800)
                .map(|_| {
                    let mut block = [0.0; BLOCK];
                    ringing.fill(&mut block);
                    block.iter().fold(0.0, |a, s| s.abs().max(a))
                })
                .collect();
            let early = peaks[..50].iter().copied().fold(0.0, f32::max);
            let late = peaks[300..].iter().copied().fold(0.0, f32::max);
            assert!(early > 0.01 && early < late / 2.0, "{tone:?}: {early} {late}");
            assert!(late < 0.5);
        }
    }

    #[test]
    fn every_source_rings_to_a_rhythm_of_its_own() {
        let rhythm = |tone: &RingTone| {
            let mut ringing = Ringing::new(tone).unwrap();
            let mut sound = Vec::new();
            for _ in 0..300 {
                let mut block = [0.0; BLOCK];
                ringing.fill(&mut block);
                sound.extend_from_slice(&block);
            }
            cadence(&sound)
        };
        let all = [RingTone::Bell, RingTone::Chime, RingTone::Door, RingTone::Trill];
        for (n, tone) in all.iter().enumerate() {
            for other in all.iter().skip(n + 1) {
                assert_ne!(rhythm(tone), rhythm(other), "{tone:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_missing_ring_file_is_an_error() {
        assert!(Ringing::new(&RingTone::File("no-such.wav".into())).is_err());
    }
}
