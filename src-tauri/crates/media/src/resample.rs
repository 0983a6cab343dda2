//! Conversion between 48 kHz and the 8 and 16 kHz of the telephone codecs: linear-phase
//! polyphase filters (Kaiser window, 60 dB), flat to 3.45 and 7 kHz, with 3 and 1.9 ms of delay.

use std::collections::VecDeque;
use std::f64::consts::PI;

/// Kaiser window parameter for 60 dB of stop-band attenuation.
const BETA: f64 = 5.653;

/// From 48 kHz down to a codec's rate. Keeps its history between calls.
#[derive(Clone, Debug)]
pub struct Decimator {
    factor: usize,
    taps: Vec<f32>,
    history: Vec<f32>,
}

/// From a codec's rate up to 48 kHz. Keeps its history between calls.
#[derive(Clone, Debug)]
pub struct Interpolator {
    factor: usize,
    /// One filter per output phase, newest sample first.
    phases: Vec<Vec<f32>>,
    history: VecDeque<f32>,
}

impl Decimator {
    /// To 8000, 16 000 or 48 000 Hz (which passes samples on untouched); `None` for other rates.
    #[must_use]
    pub fn new(rate: u32) -> Option<Self> {
        let factor = factor(rate)?;
        let mut taps = prototype(factor, 1.0);
        taps.reverse();
        let history = vec![0.0; taps.len().saturating_sub(1)];
        Some(Self { factor, taps, history })
    }

    /// Converts `input` (a multiple of 6 samples) and appends the result to `out`.
    pub fn process(&mut self, input: &[f32], out: &mut Vec<f32>) {
        if self.factor == 1 {
            out.extend_from_slice(input);
            return;
        }
        self.history.extend_from_slice(input);
        let windows = self.history.windows(self.taps.len()).step_by(self.factor);
        out.extend(windows.take(input.len() / self.factor).map(|w| dot(w, &self.taps)));
        self.history.drain(..input.len());
    }
}

impl Interpolator {
    /// From 8000, 16 000 or 48 000 Hz (which passes samples on untouched); `None` for other rates.
    #[must_use]
    pub fn new(rate: u32) -> Option<Self> {
        let factor = factor(rate)?;
        #[expect(clippy::cast_precision_loss, reason = "1, 3 or 6")]
        let taps = prototype(factor, factor as f64);
        let length = taps.len() / factor;
        let phases: Vec<Vec<f32>> = (0..factor)
            .map(|phase| taps.iter().skip(phase).step_by(factor).copied().collect())
            .collect();
        Some(Self { factor, phases, history: std::iter::repeat_n(0.0, length).collect() })
    }

    /// Converts `input` and appends the result to `out`.
    pub fn process(&mut self, input: &[f32], out: &mut Vec<f32>) {
        if self.factor == 1 {
            out.extend_from_slice(input);
            return;
        }
        for sample in input {
            self.history.pop_back();
            self.history.push_front(*sample);
            let (newer, older) = self.history.as_slices();
            out.extend(self.phases.iter().map(|phase| {
                let (first, second) = phase.split_at(newer.len().min(phase.len()));
                dot(newer, first) + dot(older, second)
            }));
        }
    }
}

fn factor(rate: u32) -> Option<usize> {
    match rate {
        8_000 => Some(6),
        16_000 => Some(3),
        48_000 => Some(1),
        _ => None,
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Four sums side by side, so that the compiler may use vector instructions.
    let mut sums = [0.0_f32; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f32 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// The low-pass both directions share, at 48 kHz, with `gain` in its pass band.
#[expect(clippy::cast_possible_truncation, reason = "coefficients within -1 to 1")]
fn prototype(factor: usize, gain: f64) -> Vec<f32> {
    let (length, cutoff) = match factor {
        6 => (288, 3_750.0 / 48_000.0),
        3 => (180, 7_500.0 / 48_000.0),
        _ => return vec![1.0],
    };
    // An odd number of taps (the last is zero) makes the delay a whole number of samples.
    let centre = (length / 2) as f64;
    let mut taps: Vec<f64> = (0..length)
        .map(|n| {
            let x = n as f64 - centre;
            let sinc =
                if x == 0.0 { 2.0 * cutoff } else { (2.0 * PI * cutoff * x).sin() / (PI * x) };
            let edge = (1.0 - (x / centre).powi(2)).max(0.0).sqrt();
            sinc * bessel_i0(BETA * edge) / bessel_i0(BETA)
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|t| *t *= gain / sum);
    taps.into_iter().map(|t| t as f32).collect()
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "test signal")]
    fn sine(rate: u32, hz: f64, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|n| (0.5 * (2.0 * PI * hz * n as f64 / f64::from(rate)).sin()) as f32)
            .collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "test signal")]
    fn decibels(samples: &[f32]) -> f64 {
        let power: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
        10.0 * (power / samples.len() as f64 / 0.125).log10()
    }

    fn down(rate: u32, hz: f64) -> f64 {
        let mut out = Vec::new();
        Decimator::new(rate).unwrap().process(&sine(48_000, hz, 48_000), &mut out);
        assert_eq!(out.len(), rate as usize);
        decibels(&out[1_000..])
    }

    fn up(rate: u32, hz: f64) -> (f64, f64) {
        let mut out = Vec::new();
        let input = sine(rate, hz, rate as usize);
        Interpolator::new(rate).unwrap().process(&input, &mut out);
        assert_eq!(out.len(), 48_000);
        let delay = if rate == 8_000 { 144 } else { 90 };
        let wanted = sine(48_000, hz, 48_000);
        let error: Vec<f32> =
            out[2_000 + delay..].iter().zip(&wanted[2_000..]).map(|(a, b)| a - b).collect();
        (decibels(&out[2_000..]), decibels(&error))
    }

    #[test]
    fn the_speech_band_passes_both_ways_without_gain() {
        for (rate, top) in [(8_000, 3_400.0), (16_000, 7_000.0)] {
            for hz in [100.0, 300.0, 1_000.0, 2_000.0, 3_000.0, top] {
                assert!(down(rate, hz).abs() < 0.1, "{hz} Hz to {rate}: {} dB", down(rate, hz));
                let (level, error) = up(rate, hz);
                assert!(level.abs() < 0.1, "{hz} Hz from {rate}: {level} dB");
                assert!(error < -40.0, "{hz} Hz from {rate}: {error} dB off");
            }
        }
    }

    #[test]
    fn what_would_fold_back_is_gone() {
        for (rate, first) in [(8_000, 4_100.0), (16_000, 8_050.0)] {
            for hz in [first, first + 1_000.0, 12_000.0, 20_000.0] {
                assert!(down(rate, hz) < -50.0, "{hz} Hz to {rate}: {} dB", down(rate, hz));
            }
        }
    }

    #[test]
    fn blocks_join_without_a_seam() {
        let input = sine(48_000, 440.0, 9_600);
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        Decimator::new(8_000).unwrap().process(&input, &mut whole);
        let mut decimator = Decimator::new(8_000).unwrap();
        input.chunks(480).for_each(|block| decimator.process(block, &mut parts));
        assert_eq!(whole, parts);
    }

    #[test]
    fn other_rates_are_refused_and_48_khz_is_untouched() {
        assert!(Decimator::new(44_100).is_none());
        let mut out = Vec::new();
        Interpolator::new(48_000).unwrap().process(&[0.1, 0.2], &mut out);
        assert_eq!(out, [0.1, 0.2]);
    }
}
