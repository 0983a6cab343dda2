//! Making up sound where there is none: the last pitch periods again, fading (after G.711 appendix I), and smooth
//! joins between any two pieces of sound.

use crate::fifo::weight;
use crate::time_stretch::{MAX_LAG, WINDOW, best_lag};

/// What is remembered of what was played: the longest lag and the window it is compared in.
const HISTORY: usize = MAX_LAG + WINDOW;
/// The length of a join: 5 ms.
const JOIN: usize = 240;
/// Repetition at full level: 10 ms.
const HOLD: usize = 480;
/// The fade after that: 60 ms.
const FADE: usize = 2_880;

/// Continues a sound after its end.
#[derive(Debug, Clone)]
pub(crate) struct Concealer {
    /// The end of what was played, oldest first.
    history: [f32; HISTORY],
    repetition: Option<Repetition>,
}

/// One pitch period being repeated.
#[derive(Debug, Clone)]
struct Repetition {
    period: [f32; MAX_LAG],
    lag: usize,
    produced: usize,
    /// The step between the end of the sound and the start of the period, which decays over a join.
    offset: f32,
}

impl Concealer {
    pub(crate) const fn new() -> Self {
        Self { history: [0.0; HISTORY], repetition: None }
    }

    /// Takes note of sound that goes out as it is; a repetition ends.
    pub(crate) fn remember(&mut self, samples: &[f32]) {
        self.repetition = None;
        self.append(samples);
    }

    /// Fills `out` with a continuation; successive calls go on with it.
    pub(crate) fn conceal(&mut self, out: &mut [f32]) {
        self.extend(out);
        self.append(out);
    }

    /// Cross-fades the first 5 ms of `samples` with the continuation of what was played.
    pub(crate) fn join(&mut self, samples: &mut [f32]) {
        let mut tail = [0.0; JOIN];
        let length = JOIN.min(samples.len());
        let Some(tail) = tail.get_mut(..length) else { return };
        self.extend(tail);
        for (index, (sample, before)) in samples.iter_mut().zip(tail.iter()).enumerate() {
            *sample = before + (*sample - before) * weight(index, length);
        }
    }

    /// Continues the sound without taking note of it.
    fn extend(&mut self, out: &mut [f32]) {
        let history = &self.history;
        let repetition = self.repetition.get_or_insert_with(|| Repetition::new(history));
        for sample in out {
            *sample = repetition.next();
        }
    }

    fn append(&mut self, samples: &[f32]) {
        let kept = samples.get(samples.len().saturating_sub(HISTORY)..).unwrap_or(samples);
        self.history.rotate_left(kept.len());
        let start = HISTORY - kept.len();
        if let Some(end) = self.history.get_mut(start..) {
            end.copy_from_slice(kept);
        }
    }
}

impl Repetition {
    fn new(history: &[f32; HISTORY]) -> Self {
        // The search looks forward; the past is therefore read backwards.
        let mut backwards = *history;
        backwards.reverse();
        let lag = best_lag(&backwards, MAX_LAG).map_or(MAX_LAG, |likeness| likeness.lag);
        let start = HISTORY - lag;
        let mut period = [0.0; MAX_LAG];
        let source = history.get(start..).unwrap_or_default();
        for (to, from) in period.iter_mut().zip(source) {
            *to = *from;
        }
        // The end of the period runs into what came before its start, so that it can be repeated without a step.
        let quarter = lag / 4;
        for index in 0..quarter {
            let before = history.get(start - quarter + index).copied().unwrap_or_default();
            if let Some(sample) = period.get_mut(lag - quarter + index) {
                *sample += (before - *sample) * weight(index, quarter);
            }
        }
        let last = history.last().copied().unwrap_or_default();
        let before_start = history.get(start.wrapping_sub(1)).copied().unwrap_or_default();
        Self { period, lag, produced: 0, offset: last - before_start }
    }

    fn next(&mut self) -> f32 {
        let sample = self.period.get(self.produced % self.lag).copied().unwrap_or_default();
        let settled = sample + self.offset * (1.0 - weight(self.produced.min(JOIN), JOIN)).max(0.0);
        let fade = 1.0 - weight(self.produced.saturating_sub(HOLD).min(FADE), FADE);
        // Never wraps: no gap lasts years.
        self.produced = self.produced.saturating_add(1);
        settled * fade.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(length: usize) -> Vec<f32> {
        let wave = |i: usize| {
            let phase = std::f32::consts::TAU * f32::from(u16::try_from(i % 337).unwrap()) / 337.0;
            0.4 * phase.sin() + 0.2 * (3.0 * phase).sin()
        };
        (0..length).map(wave).collect()
    }

    fn largest_step(samples: &[f32]) -> f32 {
        samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_voice_goes_on_and_fades() {
        let sound = voice(4_000);
        let mut concealer = Concealer::new();
        concealer.remember(&sound);
        let mut made_up = vec![0.0; 4_800];
        made_up.chunks_mut(480).for_each(|block| concealer.conceal(block));
        let mut all = sound;
        all.extend_from_slice(&made_up);
        assert!(largest_step(&all) < 0.03, "{}", largest_step(&all));
        let level = |range: &[f32]| crate::time_stretch::level(range);
        assert!(level(&made_up[..480]) > 0.25);
        assert!(level(&made_up[3_600..]) < 1e-3);
    }

    #[test]
    fn a_join_has_no_step() {
        let mut concealer = Concealer::new();
        concealer.remember(&voice(2_000));
        let mut next = vec![0.9; 480];
        concealer.join(&mut next);
        assert!((next[0] - voice(2_001)[2_000]).abs() < 0.02);
        assert!(largest_step(&next) < 0.03);
        assert!((next[400] - 0.9).abs() < 1e-6);
    }

    #[test]
    fn nothing_goes_on_as_nothing() {
        let mut out = [1.0; 480];
        Concealer::new().conceal(&mut out);
        assert!(out.iter().all(|sample| sample.abs() < 1e-6));
    }
}
