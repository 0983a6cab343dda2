//! Judging sound by numbers: level, correlation, PESQ.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use media::codec::{Decoder, Encoder};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use sdp::CodecKind;

/// Rate at which signals are compared, Hz: what every codec carries.
pub const RATE: u32 = 8_000;

/// Mono samples, -1.0 to 1.0.
#[derive(Debug, Clone)]
pub struct Signal {
    /// Samples a second.
    pub rate: u32,
    /// The samples.
    pub samples: Vec<f32>,
}

impl Signal {
    /// Reads a WAV file; several channels become their mean.
    ///
    /// # Errors
    /// When it is no WAV file of 16-bit samples.
    pub fn read(path: &Path) -> Result<Self> {
        let mut reader =
            hound::WavReader::open(path).with_context(|| path.display().to_string())?;
        let spec = reader.spec();
        ensure!(spec.bits_per_sample == 16, "{} has {} bits", path.display(), spec.bits_per_sample);
        let samples: Vec<f32> = reader
            .samples::<i16>()
            .map_while(Result::ok)
            .map(|v| f32::from(v) / 32_768.0)
            .collect();
        let channels = usize::from(spec.channels.max(1));
        let mono = samples
            .chunks(channels)
            .map(|frame| frame.iter().sum::<f32>() / channels as f32)
            .collect();
        Ok(Self { rate: spec.sample_rate, samples: mono })
    }

    /// Writes it as 16-bit mono.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: self.rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec)?;
        for sample in &self.samples {
            writer.write_sample((sample * 32_767.0).clamp(-32_768.0, 32_767.0) as i16)?;
        }
        writer.finalize()?;
        Ok(())
    }

    /// The stretch from `start`, `length` seconds long, or what there is of it.
    #[must_use]
    pub fn cut(&self, start: f64, length: f64) -> Self {
        let from = ((start * f64::from(self.rate)) as usize).min(self.samples.len());
        let to = (from + (length * f64::from(self.rate)) as usize).min(self.samples.len());
        Self { rate: self.rate, samples: self.samples.get(from..to).unwrap_or_default().to_vec() }
    }

    /// The same, again and again, for programs that hang up when their file ends.
    #[must_use]
    pub fn repeated(&self, times: usize) -> Self {
        Self { rate: self.rate, samples: self.samples.repeat(times) }
    }

    /// Root mean square, 0.0 to 1.0.
    #[must_use]
    pub fn level(&self) -> f32 {
        let sum: f32 = self.samples.iter().map(|sample| sample * sample).sum();
        (sum / self.samples.len().max(1) as f32).sqrt()
    }

    /// Seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// The same at a lower rate that divides its own.
    ///
    /// # Errors
    /// When the rate does not divide.
    pub fn at(&self, rate: u32) -> Result<Self> {
        ensure!(
            rate > 0 && self.rate.is_multiple_of(rate),
            "{} Hz cannot become {rate} Hz",
            self.rate
        );
        let step = (self.rate / rate) as usize;
        if step == 1 {
            return Ok(self.clone());
        }
        let filter = low_pass(step);
        let half = filter.len() / 2;
        let samples = (0..self.samples.len() / step)
            .map(|index| {
                let middle = index * step;
                filter
                    .iter()
                    .enumerate()
                    .map(|(tap, weight)| {
                        let at = (middle + tap).checked_sub(half);
                        at.and_then(|at| self.samples.get(at)).map_or(0.0, |value| value * weight)
                    })
                    .sum()
            })
            .collect();
        Ok(Self { rate, samples })
    }
}

impl Signal {
    /// The same at a higher rate, a whole multiple of its own.
    ///
    /// # Errors
    /// When the rate is no multiple.
    pub fn raised_to(&self, rate: u32) -> Result<Self> {
        ensure!(rate.is_multiple_of(self.rate), "{} Hz cannot become {rate} Hz", self.rate);
        let step = (rate / self.rate) as usize;
        let filter = low_pass(step);
        let half = filter.len() / 2;
        let samples = (0..self.samples.len() * step)
            .map(|at| {
                // Only every step-th tap meets a sample; the others meet the zeros between them.
                let first = (half + step - at % step) % step;
                (first..filter.len())
                    .step_by(step)
                    .map(|tap| {
                        let source = (at + tap).checked_sub(half).map(|source| source / step);
                        let value = source.and_then(|source| self.samples.get(source)).copied();
                        value.unwrap_or(0.0) * filter.get(tap).copied().unwrap_or(0.0) * step as f32
                    })
                    .sum()
            })
            .collect();
        Ok(Self { rate, samples })
    }

    /// The same after one pass through a codec, offline: what a perfect network would deliver.
    ///
    /// # Errors
    /// When the codec refuses.
    pub fn through(&self, kind: CodecKind) -> Result<Self> {
        let wide = self.raised_to(48_000)?;
        let (mut encoder, mut decoder) = (Encoder::new(kind)?, Decoder::new(kind)?);
        let mut samples = Vec::with_capacity(wide.samples.len());
        for block in wide.samples.chunks_exact(960) {
            let mut payload = Vec::new();
            encoder.encode(block, &mut payload)?;
            decoder.decode_48k(&payload, &mut samples)?;
        }
        Self { rate: 48_000, samples }.at(self.rate)
    }
}

/// A windowed sinc for taking every `step`-th sample.
fn low_pass(step: usize) -> Vec<f32> {
    let half = (16 * step) as i32;
    let cut = 0.9 / step as f32;
    let taps: Vec<f32> = (-half..=half)
        .map(|at| {
            let x = at as f32;
            let phase = std::f32::consts::PI * x;
            let sinc = if at == 0 { cut } else { (phase * cut).sin() / phase };
            sinc * (0.5 + 0.5 * (phase / half as f32).cos())
        })
        .collect();
    let sum: f32 = taps.iter().sum();
    taps.into_iter().map(|tap| tap / sum).collect()
}

/// Of the energy of what is looked for: a stretch with less, 40 dB down, is not it.
const INAUDIBLE: f64 = 1e-4;

/// Where `part` best fits into `whole`, and how well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Seconds from the start of `whole`.
    pub at: f64,
    /// Normalised correlation there, -1.0 to 1.0.
    pub correlation: f32,
}

/// Finds `part` in `whole`; both at the same rate.
///
/// # Errors
/// When rates differ or `part` is longer than `whole`.
pub fn find(part: &Signal, whole: &Signal) -> Result<Fit> {
    Haystack::new(whole, part.samples.len()).find(part)
}

/// A signal that several parts are looked for in.
struct Haystack {
    rate: u32,
    count: usize,
    spectrum: Vec<Complex<f32>>,
    /// Energy of the first so many samples.
    energy: Vec<f64>,
    planner: FftPlanner<f32>,
}

impl Haystack {
    /// For parts of at most `longest` samples.
    fn new(whole: &Signal, longest: usize) -> Self {
        let count = whole.samples.len();
        let size = (longest + count).next_power_of_two();
        let mut planner = FftPlanner::new();
        let mut spectrum = padded(&whole.samples, size);
        planner.plan_fft_forward(size).process(&mut spectrum);
        let mut energy = vec![0.0_f64];
        for sample in &whole.samples {
            let last = energy.last().copied().unwrap_or_default();
            energy.push(last + f64::from(*sample) * f64::from(*sample));
        }
        Self { rate: whole.rate, count, spectrum, energy, planner }
    }

    fn find(&mut self, part: &Signal) -> Result<Fit> {
        ensure!(part.rate == self.rate, "rates differ: {} and {} Hz", part.rate, self.rate);
        let length = part.samples.len();
        ensure!(length > 0 && length <= self.count, "{length} samples do not fit");
        let own: f64 = part.samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
        let mut best = Fit { at: 0.0, correlation: -1.0 };
        for (lag, product) in self.products(part).iter().take(self.count - length + 1).enumerate() {
            let (start, end) = (self.energy.get(lag), self.energy.get(lag + length));
            let theirs = end.zip(start).map_or(0.0, |(end, start)| end - start);
            // Near silence the rounding of the transform is larger than what is looked for.
            let value = if theirs > own * INAUDIBLE {
                (f64::from(*product) / (own * theirs).sqrt()) as f32
            } else {
                0.0
            };
            if value > best.correlation {
                best = Fit { at: lag as f64 / f64::from(self.rate), correlation: value };
            }
        }
        Ok(best)
    }

    /// Sliding products of the part over the whole, by Fourier transform.
    fn products(&mut self, part: &Signal) -> Vec<f32> {
        let size = self.spectrum.len();
        let mut buffer = padded(&part.samples, size);
        self.planner.plan_fft_forward(size).process(&mut buffer);
        for (value, whole) in buffer.iter_mut().zip(&self.spectrum) {
            *value = whole * value.conj();
        }
        self.planner.plan_fft_inverse(size).process(&mut buffer);
        buffer.iter().map(|value| value.re / size as f32).collect()
    }
}

fn padded(samples: &[f32], size: usize) -> Vec<Complex<f32>> {
    let mut buffer: Vec<Complex<f32>> = samples.iter().map(|&re| Complex { re, im: 0.0 }).collect();
    buffer.resize(size, Complex::default());
    buffer
}

/// Mean correlation of stretches of `window` seconds of `sent` with what was `heard`, speechless stretches left out.
/// Short stretches forgive the small time warps of a playout buffer, as ears do.
///
/// # Errors
/// When the signals cannot be brought to a common rate or hold no speech.
pub fn likeness(sent: &Signal, heard: &Signal, window: f64) -> Result<f32> {
    let (sent, heard) = (sent.at(RATE)?, heard.at(RATE)?);
    let mut heard = Haystack::new(&heard, (window * f64::from(RATE)) as usize);
    let floor = sent.level() * 0.3;
    let mut values = Vec::new();
    let mut start = 0.0;
    while start + window <= sent.seconds() {
        let stretch = sent.cut(start, window);
        if stretch.level() > floor {
            values.push(heard.find(&stretch)?.correlation);
        }
        start += window;
    }
    ensure!(!values.is_empty(), "there is no speech in what was sent");
    Ok(values.iter().sum::<f32>() / values.len() as f32)
}

/// PESQ, wide band (ITU-T P.862.2), of two 16 kHz files: 1.0 (bad) to 4.64.
///
/// # Errors
/// When the judge is not installed or refuses the files.
pub fn pesq(reference: &Path, degraded: &Path) -> Result<f32> {
    const JUDGE: &str = "import sys, numpy, pesq\nfrom scipy.io import wavfile\n\
        rate, a = wavfile.read(sys.argv[1])\n_, b = wavfile.read(sys.argv[2])\n\
        print(pesq.pesq(rate, a, b, 'wb'))";
    let python = std::env::var_os("BALIE_LAB_PYTHON").context("the laboratory has no python")?;
    let output = Command::new(python).args(["-c", JUDGE]).arg(reference).arg(degraded).output()?;
    ensure!(output.status.success(), "PESQ: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().context("PESQ gave no number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Signal {
        let mut state = 1_u32;
        let samples = (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 16_777_216.0 - 0.5
            })
            .collect();
        Signal { rate: RATE, samples }
    }

    #[test]
    fn a_part_is_found_where_it_was_cut() {
        let whole = noise(16_000);
        let fit = find(&whole.cut(0.5, 0.25), &whole).unwrap();
        assert!((fit.at - 0.5).abs() < 1e-3, "found at {}", fit.at);
        assert!(fit.correlation > 0.999, "correlation {}", fit.correlation);
    }

    #[test]
    fn raising_and_lowering_the_rate_gives_the_same_signal_back() {
        let mut tone = noise(RATE as usize);
        for (at, sample) in tone.samples.iter_mut().enumerate() {
            // A rising tone fits itself at one place only.
            *sample = (at as f32 * at as f32 * 0.00005).sin() * 0.5;
        }
        let back = tone.raised_to(48_000).unwrap().at(RATE).unwrap();
        let fit = find(&tone.cut(0.2, 0.5), &back).unwrap();
        assert!(fit.correlation > 0.999 && (fit.at - 0.2).abs() < 0.002, "{fit:?}");
        assert!((back.level() / tone.level() - 1.0).abs() < 0.02, "the level stays");
    }

    #[test]
    fn next_to_silence_nothing_is_more_like_than_the_same() {
        // Loud for a second, then a second of next to nothing: there the transform's rounding is all that there is.
        let mut whole = noise(32_000);
        whole.samples.iter_mut().skip(16_000).for_each(|sample| *sample *= 1e-6);
        let fit = find(&noise(40_000).cut(2.1, 0.25), &whole).unwrap();
        assert!(fit.correlation < 0.2, "{fit:?}");
    }

    #[test]
    fn strangers_do_not_resemble_each_other() {
        let whole = noise(16_000);
        let mut other = noise(32_000);
        other.samples.drain(..16_000);
        let fit = find(&other.cut(0.0, 1.0), &whole).unwrap();
        assert!(fit.correlation < 0.2, "correlation {}", fit.correlation);
    }
}
