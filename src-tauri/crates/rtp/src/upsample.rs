//! From a codec's rate to 48 kHz: a windowed-sinc filter, one branch per output phase.

/// Taps per branch; the filter delays by half of them: 2 ms at 8 kHz. With half as many the upper third of a telephone's band is dull.
const TAPS: usize = 32;
/// The most output samples per input sample.
const MAX_FACTOR: usize = 6;
/// The pass band, as a share of the input's band.
const CUTOFF: f64 = 0.92;

/// Raises the rate by a whole factor.
#[derive(Debug, Clone)]
pub(crate) struct Upsampler {
    factor: usize,
    branches: [[f32; TAPS]; MAX_FACTOR],
    /// The last inputs, oldest first.
    history: [f32; TAPS],
}

impl Upsampler {
    /// For a rate that divides 48 kHz by 1 to 6; others are played at 48 kHz as they are.
    pub(crate) fn new(rate: u32) -> Self {
        let factor = match 48_000_u32.checked_div(rate) {
            Some(factor @ 1..=6) if 48_000 % rate == 0 => factor as usize,
            _ => 1,
        };
        let mut branches = [[0.0; TAPS]; MAX_FACTOR];
        for (phase, branch) in branches.iter_mut().enumerate().take(factor) {
            *branch = design(phase, factor);
        }
        Self { factor, branches, history: [0.0; TAPS] }
    }

    /// Output samples per input sample.
    pub(crate) const fn factor(&self) -> usize {
        self.factor
    }

    /// Writes `input` at 48 kHz to `out` and returns how many samples that were; what has no room is left out.
    pub(crate) fn process(&mut self, input: &[f32], out: &mut [f32]) -> usize {
        if self.factor == 1 {
            out.iter_mut().zip(input).for_each(|(to, from)| *to = *from);
            return input.len().min(out.len());
        }
        let mut written = 0;
        for (sample, group) in input.iter().zip(out.chunks_exact_mut(self.factor)) {
            self.history.copy_within(1.., 0);
            if let Some(last) = self.history.last_mut() {
                *last = *sample;
            }
            for (to, branch) in group.iter_mut().zip(&self.branches) {
                *to = branch.iter().zip(&self.history).map(|(tap, x)| tap * x).sum();
            }
            written += self.factor;
        }
        written
    }

    pub(crate) const fn reset(&mut self) {
        self.history = [0.0; TAPS];
    }
}

/// The taps of one phase: a sinc under a Blackman window, with unit gain at 0 Hz.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small whole numbers; taps are stored as f32"
)]
fn design(phase: usize, factor: usize) -> [f32; TAPS] {
    let half = TAPS as f64 / 2.0;
    let mut taps = [0.0_f64; TAPS];
    for (index, tap) in taps.iter_mut().enumerate() {
        // Distance from the output instant to this input, in input samples: the newest input is `half` ahead.
        let x = index as f64 - (half - 1.0) - phase as f64 / factor as f64;
        let t = std::f64::consts::PI * x * CUTOFF;
        let sinc = if t.abs() < 1e-9 { 1.0 } else { t.sin() / t };
        let w = std::f64::consts::PI * x / half;
        *tap = sinc * (0.42 + 0.5 * w.cos() + 0.08 * (2.0 * w).cos()).max(0.0);
    }
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_shape() {
        for rate in [8_000_u16, 16_000] {
            let step = std::f32::consts::TAU * 1_000.0 / f32::from(rate);
            let input: Vec<_> = (0..rate / 10).map(|i| (f32::from(i) * step).sin()).collect();
            let mut upsampler = Upsampler::new(u32::from(rate));
            let mut out = vec![0.0; 4_800];
            assert_eq!(upsampler.process(&input, &mut out), 4_800);
            let delay = TAPS / 2 * upsampler.factor();
            let fine = std::f32::consts::TAU * 1_000.0 / 48_000.0;
            for (index, sample) in out.iter().enumerate().skip(960) {
                let expected = (f32::from(u16::try_from(index - delay).unwrap()) * fine).sin();
                assert!((sample - expected).abs() < 0.02, "{rate} {index}: {sample} {expected}");
            }
        }
    }

    #[test]
    fn odd_rates_pass_through() {
        let mut upsampler = Upsampler::new(44_100);
        let mut out = [0.0; 2];
        assert_eq!(upsampler.process(&[0.5; 3], &mut out), 2);
        assert_eq!(Upsampler::new(0).factor(), 1);
    }
}
