//! WAV files: any common one as a source of 48 kHz mono, 48 kHz mono 16 bit as a sink.

use std::fs::File;
use std::io::{BufWriter, Cursor, Read};
use std::path::Path;
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::{AudioError, Resampler, SAMPLE_RATE};

/// What is written.
const SINK: WavSpec = WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};
/// Blocks between two completions of the header, so that a killed program leaves a good file.
const FLUSH_EVERY: u32 = 100;

/// Reads a whole WAV file (8 to 32 bit integer or 32 bit float, any rate and channels) as 48 kHz
/// mono, -1 to 1. A 48 kHz mono file comes out exactly as it is.
///
/// # Errors
/// [`AudioError::Wav`] when it cannot be opened or understood.
pub fn read_wav(path: &Path) -> Result<Vec<f32>, AudioError> {
    let fail = |e: hound::Error| AudioError::Wav { path: path.to_owned(), reason: e.to_string() };
    let reader = WavReader::open(path).map_err(fail)?;
    let spec = reader.spec();
    at_our_rate(mono(reader).map_err(fail)?, spec.sample_rate)
}

/// How long the sound in a WAV file lasts, by its header.
///
/// # Errors
/// [`AudioError::Unsupported`] when it is none that [`decode_wav`] reads.
pub fn wav_length(file: &[u8]) -> Result<Duration, AudioError> {
    let reader = WavReader::new(Cursor::new(file)).map_err(|e| not_readable(&e))?;
    let rate = f64::from(reader.spec().sample_rate.max(1));
    Ok(Duration::from_secs_f64(f64::from(reader.duration()) / rate))
}

/// What [`read_wav`] makes of a file, of one in memory.
///
/// # Errors
/// [`AudioError::Unsupported`] when it cannot be understood or ends too early.
pub fn decode_wav(file: &[u8]) -> Result<Vec<f32>, AudioError> {
    let reader = WavReader::new(Cursor::new(file)).map_err(|e| not_readable(&e))?;
    let spec = reader.spec();
    at_our_rate(mono(reader).map_err(|e| not_readable(&e))?, spec.sample_rate)
}

/// A WAV file of samples at [`SAMPLE_RATE`]: mono, 16 bit.
///
/// # Errors
/// [`AudioError::Unsupported`] when it would be longer than such files can be (4 GB).
pub fn encode_wav(samples: &[f32]) -> Result<Vec<u8>, AudioError> {
    let mut file = Cursor::new(Vec::with_capacity(44 + samples.len() * 2));
    let written = WavWriter::new(&mut file, SINK).and_then(|mut writer| {
        samples.iter().try_for_each(|sample| writer.write_sample(to_i16(*sample)))?;
        writer.finalize()
    });
    written.map_err(|e| not_readable(&e)).map(|()| file.into_inner())
}

fn not_readable(error: &hound::Error) -> AudioError {
    AudioError::Unsupported { name: "the WAV file".to_owned(), reason: error.to_string() }
}

/// All channels of a file as one, -1 to 1.
fn mono<R: Read>(mut reader: WavReader<R>) -> Result<Vec<f32>, hound::Error> {
    let spec = reader.spec();
    let samples = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect::<Result<Vec<_>, _>>(),
        SampleFormat::Int => {
            #[expect(clippy::cast_precision_loss, reason = "a power of two")]
            let scale = 1.0 / (1_i64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            #[expect(clippy::cast_precision_loss, reason = "24 bits of precision are kept")]
            let scaled = reader.samples::<i32>().map(|s| s.map(|s| s as f32 * scale)).collect();
            scaled
        }
    }?;
    Ok(mix_down(samples, usize::from(spec.channels.max(1))))
}

/// Sound of that rate at [`SAMPLE_RATE`].
fn at_our_rate(mono: Vec<f32>, rate: u32) -> Result<Vec<f32>, AudioError> {
    if rate == SAMPLE_RATE {
        return Ok(mono);
    }
    let mut resampler = Resampler::new(rate, SAMPLE_RATE)?;
    let mut out = Vec::new();
    resampler.push(&mono, &mut out);
    resampler.push(&vec![0.0; rate as usize / 50], &mut out);
    out.drain(..resampler.delay().min(out.len()));
    let wanted = mono.len() as u64 * u64::from(SAMPLE_RATE) / u64::from(rate);
    out.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
    Ok(out)
}

fn mix_down(samples: Vec<f32>, channels: usize) -> Vec<f32> {
    if channels == 1 {
        return samples;
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of channels")]
    let scale = 1.0 / channels as f32;
    samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() * scale).collect()
}

/// A sound read from a file, played from its start, once or for ever.
#[derive(Clone, Debug)]
pub struct WavSource {
    samples: Vec<f32>,
    at: usize,
    looped: bool,
}

impl WavSource {
    /// Over samples at [`SAMPLE_RATE`].
    #[must_use]
    pub fn new(samples: Vec<f32>, looped: bool) -> Self {
        Self { samples, at: 0, looped }
    }

    /// The next sample; silence after the end.
    pub fn next_sample(&mut self) -> f32 {
        if self.looped && self.at >= self.samples.len() {
            self.at = 0;
        }
        let sample = self.samples.get(self.at).copied().unwrap_or(0.0);
        self.at = self.at.saturating_add(1);
        sample
    }
}

/// Writes 48 kHz mono 16 bit. The header is made right every second and on drop.
pub(crate) struct WavSink {
    writer: Option<WavWriter<BufWriter<File>>>,
    since_flush: u32,
}

impl WavSink {
    pub(crate) fn create(path: &Path) -> Result<Self, AudioError> {
        let writer = WavWriter::create(path, SINK)
            .map_err(|e| AudioError::Wav { path: path.to_owned(), reason: e.to_string() })?;
        Ok(Self { writer: Some(writer), since_flush: 0 })
    }

    pub(crate) fn write(&mut self, samples: &[f32]) {
        let Some(writer) = &mut self.writer else { return };
        let written = samples.iter().try_for_each(|s| writer.write_sample(to_i16(*s)));
        self.since_flush += 1;
        let flushed = if self.since_flush >= FLUSH_EVERY {
            self.since_flush = 0;
            written.and_then(|()| writer.flush())
        } else {
            written
        };
        if let Err(error) = flushed {
            tracing::warn!(%error, "sound file can no longer be written");
            self.writer = None;
        }
    }
}

impl Drop for WavSink {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take()
            && let Err(error) = writer.finalize()
        {
            tracing::warn!(%error, "sound file not completed");
        }
    }
}

fn to_i16(sample: f32) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
    let value = (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_go_through_a_file_exactly() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        let samples: Vec<f32> = (-32_768..32_768).step_by(7).map(|n| n as f32 / 32_768.0).collect();
        let mut sink = WavSink::create(&path).unwrap();
        sink.write(&samples);
        drop(sink);
        assert_eq!(read_wav(&path).unwrap(), samples);
    }

    #[test]
    fn reads_stereo_of_another_rate() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        let spec = WavSpec {
            channels: 2,
            sample_rate: 8_000,
            bits_per_sample: 8,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        for _ in 0..8_000 {
            writer.write_sample(64_i8).unwrap();
            writer.write_sample(0_i8).unwrap();
        }
        writer.finalize().unwrap();
        let samples = read_wav(&path).unwrap();
        assert_eq!(samples.len(), 48_000);
        assert!((samples[24_000] - 0.25).abs() < 0.01);
    }

    #[test]
    fn a_source_ends_or_starts_again() {
        let mut once = WavSource::new(vec![1.0, 2.0], false);
        let mut looped = WavSource::new(vec![1.0, 2.0], true);
        let first: Vec<f32> = (0..4).map(|_| once.next_sample()).collect();
        let second: Vec<f32> = (0..4).map(|_| looped.next_sample()).collect();
        assert_eq!(first, [1.0, 2.0, 0.0, 0.0]);
        assert_eq!(second, [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn a_file_in_memory_is_read_as_one_on_disk_and_its_length_told_before() {
        let samples: Vec<f32> = (0..24_000).map(|n| (n as f32 * 0.03).sin() * 0.5).collect();
        let file = encode_wav(&samples).unwrap();
        assert_eq!(wav_length(&file).unwrap(), Duration::from_millis(500));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        std::fs::write(&path, &file).unwrap();
        assert_eq!(decode_wav(&file).unwrap(), read_wav(&path).unwrap());
        // Cut short, or no WAV file at all: an error, whatever the header says.
        assert!(decode_wav(&file[..10_000]).is_err());
        for end in [0, 3, 11, 43] {
            assert!(wav_length(&file[..end]).is_err() && decode_wav(&file[..end]).is_err());
        }
        assert!(decode_wav(b"OggS and so on, which is no WAV file at all").is_err());
    }

    #[test]
    fn a_missing_file_is_an_error_in_words() {
        let error = read_wav(Path::new("no-such.wav")).unwrap_err();
        assert!(error.to_string().contains("no-such.wav"));
    }
}
