//! The stored speech, by name, and its conversion to the 48 kHz that codecs take.

use std::sync::{Arc, LazyLock};

use crate::wav;

/// Samples of 10 ms at 48 kHz.
pub(crate) const BLOCK: usize = 480;
/// Taps of each of the three phases of the interpolation filter.
const TAPS: usize = 16;

macro_rules! clips {
    ($($name:literal,)*) => {
        fn file(name: &str) -> Option<&'static [u8]> {
            match name {
                $($name => Some(include_bytes!(concat!("../../../../assets/speech/", $name, ".wav"))),)*
                _ => None,
            }
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$($name),*];
    };
}

clips! {
    "test-speech",
    "echo-introduction",
    "voicemail-greeting",
    "not-reachable",
    "unknown-number",
    "person-woman",
    "person-man",
    "person-201",
    "person-202",
    "person-203",
    "person-204",
    "person-205",
    "person-206",
    "person-207",
    "person-208",
    "person-209",
    "person-210",
    "person-211",
    "person-212",
    "person-213",
    "person-214",
    "person-215",
    "person-216",
    "person-217",
    "person-218",
    "person-221",
    "person-222",
    "person-223",
    "person-224",
    "person-225",
    "person-226",
    "person-227",
    "person-228",
    "person-229",
    "person-230",
    "person-231",
    "person-232",
    "person-233",
    "person-234",
    "person-235",
    "person-236",
    "person-241",
    "person-242",
    "person-243",
    "person-244",
    "person-251",
    "person-252",
    "customer-1",
    "customer-2",
    "customer-3",
    "customer-4",
    "customer-5",
    "customer-6",
    "goodbye-woman",
    "goodbye-man",
    "queue-welcome",
    "queue-patience",
    "queue-escape",
    "wait-1",
    "wait-2",
    "wait-3",
    "wait-4",
    "wait-5",
    "wait-6",
    "wait-7",
    "wait-8",
    "wait-9",
    "wait-10",
    "attendant-greeting",
    "attendant-name",
    "attendant-unknown",
    "night-greeting",
}

/// Sound at 16 kHz that is read out at 48 kHz.
#[derive(Clone, PartialEq)]
pub(crate) struct Clip {
    samples: Arc<[f32]>,
}

impl Clip {
    /// The stored clip of that name; `None` when there is none.
    pub(crate) fn stored(name: &str) -> Option<Self> {
        match wav::read(file(name)?) {
            Ok(samples) => Some(Self::new(samples)),
            Err(error) => {
                tracing::error!(name, %error, "stored speech");
                None
            }
        }
    }

    /// A clip of 16 kHz samples.
    pub(crate) fn new(samples: impl Into<Arc<[f32]>>) -> Self {
        Self { samples: samples.into() }
    }

    /// The sound as 16 bit samples at 16 kHz.
    #[expect(clippy::cast_possible_truncation, reason = "within 16 bit")]
    pub(crate) fn samples_16k(&self) -> Vec<i16> {
        self.samples.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32_767.0) as i16).collect()
    }

    /// Length in samples at 48 kHz.
    pub(crate) fn len(&self) -> usize {
        self.samples.len() * 3
    }

    /// Writes the sound from `position` (in samples at 48 kHz) on; silence after the end.
    pub(crate) fn read(&self, position: usize, out: &mut [f32]) {
        for (at, slot) in out.iter_mut().enumerate() {
            *slot = self.sample(position + at);
        }
    }

    /// One sample at 48 kHz: the phase of the filter that falls on it.
    fn sample(&self, position: usize) -> f32 {
        let Some(phase) = FILTER.get(position % 3) else { return 0.0 };
        let first = (position / 3 + 1).checked_sub(TAPS / 2);
        match first.and_then(|first| self.samples.get(first..first + TAPS)) {
            Some(window) => window.iter().zip(phase).map(|(sample, tap)| sample * tap).sum(),
            None => self.edge(position, phase),
        }
    }

    /// [`Self::sample`] where the filter reaches over an end.
    fn edge(&self, position: usize, phase: &[f32; TAPS]) -> f32 {
        let value = |tap: usize| {
            let at = (position / 3 + 1 + tap).checked_sub(TAPS / 2);
            at.and_then(|at| self.samples.get(at)).copied().unwrap_or(0.0)
        };
        phase.iter().enumerate().map(|(tap, weight)| value(tap) * weight).sum()
    }
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clip({} ms)", self.samples.len() / 16)
    }
}

/// Windowed sinc, one set of taps per output phase, each with a gain of one.
static FILTER: LazyLock<[[f32; TAPS]; 3]> = LazyLock::new(|| {
    let mut phases = [[0.0; TAPS]; 3];
    for (phase, taps) in phases.iter_mut().enumerate() {
        for (tap, weight) in taps.iter_mut().enumerate() {
            *weight = windowed_sinc(phase, tap);
        }
        let gain: f32 = taps.iter().sum();
        taps.iter_mut().for_each(|weight| *weight /= gain);
    }
    phases
});

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn windowed_sinc(phase: usize, tap: usize) -> f32 {
    use std::f32::consts::PI;
    let distance = (tap as f32 + 1.0 - TAPS as f32 / 2.0) - phase as f32 / 3.0;
    let window = 0.5 + 0.5 * (2.0 * PI * distance / (TAPS as f32 + 1.0)).cos();
    if distance.abs() < 1e-6 { 1.0 } else { (PI * distance).sin() / (PI * distance) * window }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::company::Company;

    #[test]
    fn every_clip_is_readable_and_not_silent() {
        for name in NAMES {
            let clip = Clip::stored(name).unwrap();
            let peak = clip.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            assert!(peak > 0.2 && clip.len() > 48_000, "{name}: peak {peak}, {}", clip.len());
        }
    }

    #[test]
    fn every_simulated_person_of_the_demo_has_words() {
        for person in Company::demo().simulated {
            assert!(file(&format!("person-{}", person.extension)).is_some(), "{person:?}");
        }
    }

    #[test]
    fn interpolation_keeps_a_tone_and_goes_through_the_samples() {
        let tone = |rate: f32, at: usize| (at as f32 * 1000.0 * std::f32::consts::TAU / rate).sin();
        let clip = Clip::new((0..1600).map(|at| tone(16_000.0, at)).collect::<Vec<_>>());
        let mut out = vec![0.0; 4800];
        clip.read(0, &mut out);
        for (at, sample) in out.iter().enumerate().take(4_700).skip(60) {
            assert!((sample - tone(48_000.0, at)).abs() < 0.01, "{at}");
        }
    }

    #[test]
    fn after_the_end_there_is_silence() {
        let clip = Clip::new(vec![0.5; 10]);
        let mut out = [1.0; BLOCK];
        clip.read(1000, &mut out);
        assert_eq!(out, [0.0; BLOCK]);
    }
}
