//! Sample-rate conversion for devices and files (rubato), with a ratio that can be trimmed to
//! follow a drifting clock.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable as _, Async, FixedAsync, Resampler as _, SincInterpolationParameters, WindowFunction,
};

use crate::AudioError;

/// Largest trim of the ratio, parts of one.
const MAX_TRIM: f64 = 1.02;

/// A streaming mono resampler. Takes any number of samples, gives what is complete; allocates
/// only when its buffers must grow. About 0.7 ms of delay at 48 kHz.
pub struct Resampler {
    inner: Async<f32>,
    ratio: f64,
    pending: Vec<f32>,
    chunk: usize,
    scratch: Vec<f32>,
}

impl Resampler {
    /// A resampler from one rate to another, in samples per second.
    ///
    /// # Errors
    /// [`AudioError::Unsupported`] for a rate of zero or one beyond reason.
    pub fn new(from: u32, to: u32) -> Result<Self, AudioError> {
        let bad = |reason: String| AudioError::Unsupported {
            name: format!("conversion from {from} to {to} Hz"),
            reason,
        };
        if !(1_000..=768_000).contains(&from) || !(1_000..=768_000).contains(&to) {
            return Err(bad("sample rate out of range".to_owned()));
        }
        let ratio = f64::from(to) / f64::from(from);
        let mut parameters = SincInterpolationParameters::new(64, WindowFunction::Blackman2);
        parameters.oversampling_factor = 256;
        let chunk = (from as usize / 400).max(16);
        let inner = Async::new_sinc(ratio, MAX_TRIM, &parameters, chunk, 1, FixedAsync::Input)
            .map_err(|e| bad(e.to_string()))?;
        let scratch = vec![0.0; inner.output_frames_max()];
        Ok(Self { inner, ratio, pending: Vec::with_capacity(chunk * 16), chunk, scratch })
    }

    /// Converts `input` and appends what is complete to `out`.
    pub fn push(&mut self, input: &[f32], out: &mut Vec<f32>) {
        self.pending.extend_from_slice(input);
        let mut used = 0;
        while let Some(chunk) = self.pending.get(used..used + self.chunk) {
            out.extend_from_slice(convert(&mut self.inner, chunk, &mut self.scratch));
            used += self.chunk;
        }
        self.pending.drain(..used);
    }

    /// Makes `trim` times as many samples as the plain ratio would (1.0 is none), within 2 %.
    pub fn trim(&mut self, trim: f64) {
        let trim = trim.clamp(1.0 / MAX_TRIM, MAX_TRIM);
        if let Err(error) = self.inner.set_resample_ratio(self.ratio * trim, true) {
            tracing::debug!(%error, trim, "resampling ratio refused");
        }
    }

    /// Samples of delay, at the output rate.
    #[must_use]
    pub fn delay(&self) -> usize {
        self.inner.output_delay()
    }
}

fn convert<'a>(inner: &mut Async<f32>, chunk: &[f32], scratch: &'a mut [f32]) -> &'a [f32] {
    let room = scratch.len();
    let Ok(input) = InterleavedSlice::new(chunk, 1, chunk.len()) else { return &[] };
    let Ok(mut output) = InterleavedSlice::new_mut(&mut *scratch, 1, room) else { return &[] };
    match inner.process_into_buffer(&input, &mut output, None) {
        Ok((_, made)) => scratch.get(..made).unwrap_or_default(),
        Err(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    #[expect(clippy::cast_precision_loss, reason = "test signal")]
    fn sine(rate: u32, hz: f32, samples: usize) -> Vec<f32> {
        (0..samples).map(|n| 0.5 * (TAU * hz * n as f32 / rate as f32).sin()).collect()
    }

    fn rms(samples: &[f32]) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "test signal")]
        let n = samples.len() as f32;
        (samples.iter().map(|s| s * s).sum::<f32>() / n).sqrt()
    }

    #[test]
    fn keeps_level_and_count_from_common_rates() {
        for from in [8_000, 16_000, 44_100, 48_000, 96_000] {
            let mut resampler = Resampler::new(from, 48_000).unwrap();
            let mut out = Vec::new();
            for block in sine(from, 1000.0, from as usize).chunks(441) {
                resampler.push(block, &mut out);
            }
            assert!(out.len().abs_diff(48_000) < 300, "{from}: {}", out.len());
            let level = rms(&out[2_000..46_000]);
            assert!((level - 0.353_55).abs() < 0.002, "{from}: {level}");
        }
    }

    #[test]
    fn trims_the_ratio() {
        let mut resampler = Resampler::new(48_000, 48_000).unwrap();
        resampler.trim(0.995);
        let mut out = Vec::new();
        resampler.push(&sine(48_000, 440.0, 480_000), &mut out);
        assert!(out.len().abs_diff(477_600) < 200, "{}", out.len());
    }

    #[test]
    fn refuses_nonsense_rates() {
        assert!(Resampler::new(0, 48_000).is_err());
        assert!(Resampler::new(48_000, 5_000_000).is_err());
    }
}
