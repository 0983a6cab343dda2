//! Opening one device stream: choosing the device, its format and its buffer.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{
    BufferSize, Error, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize, SupportedStreamConfigRange,
};
use rtrb::RingBuffer;

use crate::callback::{CaptureSide, PlaybackSide, Pulse};
use crate::defaults;
use crate::ports::{CaptureLine, PlaybackLine};
use crate::{AudioError, DeviceId, DeviceKind, SAMPLE_RATE};

/// How long a device's buffers are. A device holds two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    /// 5 ms: what is played is heard 10 ms earlier, but a callback may be no more than 5 ms late.
    Short,
    /// 10 ms.
    Usual,
}

impl Period {
    const fn per_second(self) -> u32 {
        match self {
            Self::Short => 200,
            Self::Usual => 100,
        }
    }
}

/// How long a sound server may take to make a stream.
const OPEN_TIMEOUT: Duration = Duration::from_secs(2);

/// The time, in callbacks too: read from memory that the kernel shares, not by a system call.
#[expect(clippy::disallowed_methods, reason = "a device callback is where time comes from")]
fn clock() -> Instant {
    Instant::now()
}

/// A running device stream. Dropping it stops and closes the device.
pub(crate) struct DeviceStream {
    _stream: cpal::Stream,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) id: Option<DeviceId>,
    pub(crate) name: String,
}

/// The device that `wanted` names, or the system's default where it is absent or `None`.
pub(crate) fn find(
    host: &cpal::Host,
    kind: DeviceKind,
    wanted: Option<&DeviceId>,
) -> Result<cpal::Device, AudioError> {
    let chosen = wanted
        .and_then(|id| cpal::DeviceId::from_str(&id.0).ok())
        .and_then(|id| host.device_by_id(&id));
    let fallback = || match kind {
        DeviceKind::Input => defaults::microphone(host),
        DeviceKind::Output | DeviceKind::Alerts => defaults::speaker(host),
        DeviceKind::Ringer => defaults::ringer(host),
    };
    chosen
        .or_else(fallback)
        .ok_or_else(|| AudioError::NoDevice { kind, wanted: wanted.map(ToString::to_string) })
}

pub(crate) fn id_of(device: &cpal::Device) -> Option<DeviceId> {
    device.id().ok().map(|id| DeviceId(id.to_string()))
}

pub(crate) fn name_of(device: &cpal::Device) -> String {
    device.description().map_or_else(|_| device.to_string(), |d| d.name().to_owned())
}

/// Starts capturing; the line goes to [`Capture`](crate::Capture). Its buffers are short: a block of 10 ms is complete when it
/// should be, wherever the device's buffers begin, and a callback that is late loses nothing.
pub(crate) fn open_input(device: &cpal::Device) -> Result<(DeviceStream, CaptureLine), AudioError> {
    let name = name_of(device);
    let ranges = device.supported_input_configs().map_err(|e| in_words(&name, &e))?;
    let format = Format::choose(ranges, &name, Period::Short)?;
    let pulse = Arc::new(Pulse::new(clock()));
    let mut attempt = |buffer: BufferSize| {
        let (tx, ring) = RingBuffer::new(format.rate as usize / 2);
        let side = CaptureSide::new(tx, format.channels, Arc::clone(&pulse));
        let config = format.config(buffer);
        build_input(device, config, format.sample, side, &pulse).map(|stream| (stream, ring))
    };
    let (stream, ring) =
        with_fixed_buffer(&format, &mut attempt).map_err(|e| in_words(&name, &e))?;
    stream.play().map_err(|e| in_words(&name, &e))?;
    let id = id_of(device);
    let line = CaptureLine { ring, rate: format.rate, pulse: Some(Arc::clone(&pulse)) };
    Ok((DeviceStream { _stream: stream, pulse, id, name }, line))
}

/// Starts playing; the line goes to [`Playback`](crate::Playback).
pub(crate) fn open_output(
    device: &cpal::Device,
    period: Period,
) -> Result<(DeviceStream, PlaybackLine), AudioError> {
    let name = name_of(device);
    let ranges = device.supported_output_configs().map_err(|e| in_words(&name, &e))?;
    let format = Format::choose(ranges, &name, period)?;
    let pulse = Arc::new(Pulse::new(clock()).holding(format.period, format.rate));
    let mut attempt = |buffer: BufferSize| {
        let (ring, rx) = RingBuffer::new(format.rate as usize * 2 / 5);
        let side = PlaybackSide::new(rx, format.channels, Arc::clone(&pulse));
        let config = format.config(buffer);
        build_output(device, config, format.sample, side, &pulse).map(|stream| (stream, ring))
    };
    let (stream, ring) =
        with_fixed_buffer(&format, &mut attempt).map_err(|e| in_words(&name, &e))?;
    stream.play().map_err(|e| in_words(&name, &e))?;
    let id = id_of(device);
    let line = PlaybackLine { ring, rate: format.rate, pulse: Some(Arc::clone(&pulse)) };
    Ok((DeviceStream { _stream: stream, pulse, id, name }, line))
}

/// Buffers of the length wanted, else of 10 ms: a server's own default can be two seconds. Only where the device refuses both
/// its default is taken.
fn with_fixed_buffer<T>(
    format: &Format,
    attempt: &mut dyn FnMut(BufferSize) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut fixed = vec![format.period];
    let usual = format.rate / Period::Usual.per_second();
    fixed.extend((format.period < usual).then_some(usual));
    for frames in fixed {
        match attempt(BufferSize::Fixed(frames)) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnsupportedConfig
                        | ErrorKind::InvalidInput
                        | ErrorKind::BackendError
                ) =>
            {
                tracing::info!(%error, frames, "device refuses a fixed buffer");
            }
            result => return result,
        }
    }
    attempt(BufferSize::Default)
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Format {
    sample: SampleFormat,
    channels: u16,
    rate: u32,
    period: u32,
}

impl Format {
    /// The cheapest of what is offered: our rate before any other, float before integers, few channels.
    fn choose(
        offered: impl Iterator<Item = SupportedStreamConfigRange>,
        name: &str,
        period: Period,
    ) -> Result<Self, AudioError> {
        offered
            .filter_map(|range| Some((penalty(&range)?, range)))
            .min_by_key(|(penalty, _)| *penalty)
            .map(|(_, range)| Self::from_range(&range, period))
            .ok_or_else(|| AudioError::Unsupported {
                name: name.to_owned(),
                reason: "none of its sample formats is known".to_owned(),
            })
    }

    fn from_range(range: &SupportedStreamConfigRange, period: Period) -> Self {
        let rate = SAMPLE_RATE.clamp(range.min_sample_rate(), range.max_sample_rate());
        let wanted = rate / period.per_second();
        let period = match range.buffer_size() {
            SupportedBufferSize::Range { min, max } if min <= max => wanted.clamp(*min, *max),
            _ => wanted,
        };
        Self { sample: range.sample_format(), channels: range.channels(), rate, period }
    }

    fn config(&self, buffer_size: BufferSize) -> StreamConfig {
        StreamConfig { channels: self.channels, sample_rate: self.rate, buffer_size }
    }
}

fn penalty(range: &SupportedStreamConfigRange) -> Option<u32> {
    let sample = match range.sample_format() {
        SampleFormat::F32 => 0,
        SampleFormat::I16 => 1,
        SampleFormat::I32 => 2,
        SampleFormat::I24 => 3,
        SampleFormat::U8 => 50,
        _ => return None,
    };
    let rate = SAMPLE_RATE.clamp(range.min_sample_rate(), range.max_sample_rate());
    let rate = match rate {
        SAMPLE_RATE => 0,
        r if r > SAMPLE_RATE => 1_000,
        r => 2_000 + (SAMPLE_RATE - r) / 10,
    };
    Some(sample + rate + 10 * u32::from(range.channels().max(1) - 1))
}

fn build_input(
    device: &cpal::Device,
    config: StreamConfig,
    sample: SampleFormat,
    side: CaptureSide,
    pulse: &Arc<Pulse>,
) -> Result<cpal::Stream, Error> {
    fn build<T>(
        device: &cpal::Device,
        config: StreamConfig,
        mut side: CaptureSide,
        pulse: &Arc<Pulse>,
    ) -> Result<cpal::Stream, Error>
    where
        T: SizedSample,
        f32: FromSample<T>,
    {
        let beginning = Arc::clone(pulse);
        let data = move |data: &[T], _: &_| {
            beginning.begin();
            side.on_data(clock(), data);
        };
        device.build_input_stream(config, data, on_error(pulse), Some(OPEN_TIMEOUT))
    }
    match sample {
        SampleFormat::I16 => build::<i16>(device, config, side, pulse),
        SampleFormat::I32 => build::<i32>(device, config, side, pulse),
        SampleFormat::I24 => build::<cpal::I24>(device, config, side, pulse),
        SampleFormat::U8 => build::<u8>(device, config, side, pulse),
        _ => build::<f32>(device, config, side, pulse),
    }
}

fn build_output(
    device: &cpal::Device,
    config: StreamConfig,
    sample: SampleFormat,
    side: PlaybackSide,
    pulse: &Arc<Pulse>,
) -> Result<cpal::Stream, Error> {
    fn build<T>(
        device: &cpal::Device,
        config: StreamConfig,
        mut side: PlaybackSide,
        pulse: &Arc<Pulse>,
    ) -> Result<cpal::Stream, Error>
    where
        T: SizedSample + FromSample<f32>,
    {
        let beginning = Arc::clone(pulse);
        let data = move |data: &mut [T], _: &_| {
            beginning.begin();
            side.on_data(clock(), data);
        };
        device.build_output_stream(config, data, on_error(pulse), Some(OPEN_TIMEOUT))
    }
    match sample {
        SampleFormat::I16 => build::<i16>(device, config, side, pulse),
        SampleFormat::I32 => build::<i32>(device, config, side, pulse),
        SampleFormat::I24 => build::<cpal::I24>(device, config, side, pulse),
        SampleFormat::U8 => build::<u8>(device, config, side, pulse),
        _ => build::<f32>(device, config, side, pulse),
    }
}

/// The error callback: may run on the audio thread, so it only raises a flag. Glitches and refused
/// priorities are not reasons to rebuild; if sound stops, the watchdog sees it.
fn on_error(pulse: &Arc<Pulse>) -> impl FnMut(Error) + Send + 'static {
    let pulse = Arc::clone(pulse);
    move |error| {
        if matches!(
            error.kind(),
            ErrorKind::DeviceNotAvailable
                | ErrorKind::StreamInvalidated
                | ErrorKind::HostUnavailable
                | ErrorKind::PermissionDenied
        ) {
            pulse.failed.store(true, Ordering::Relaxed);
        }
    }
}

/// What the sound system says, as an error people understand.
pub(crate) fn in_words(name: &str, error: &Error) -> AudioError {
    let name = name.to_owned();
    match error.kind() {
        ErrorKind::PermissionDenied => AudioError::Denied(name),
        ErrorKind::DeviceBusy => AudioError::Busy(name),
        ErrorKind::DeviceNotAvailable => AudioError::NotConnected(name),
        ErrorKind::HostUnavailable => AudioError::NoSoundSystem(error.to_string()),
        ErrorKind::UnsupportedConfig => AudioError::Unsupported { name, reason: error.to_string() },
        _ => AudioError::Failed { name, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(
        channels: u16,
        min: u32,
        max: u32,
        sample: SampleFormat,
    ) -> SupportedStreamConfigRange {
        let buffer = SupportedBufferSize::Range { min: 64, max: 4096 };
        SupportedStreamConfigRange::new(channels, min, max, buffer, sample)
    }

    #[test]
    fn takes_our_rate_then_floats_then_few_channels() {
        let offered = [
            range(2, 44_100, 44_100, SampleFormat::F32),
            range(8, 8_000, 192_000, SampleFormat::F32),
            range(2, 8_000, 192_000, SampleFormat::I16),
            range(2, 8_000, 192_000, SampleFormat::F32),
        ];
        let format = Format::choose(offered.into_iter(), "x", Period::Usual).unwrap();
        let wanted = Format { sample: SampleFormat::F32, channels: 2, rate: 48_000, period: 480 };
        assert_eq!(format, wanted);
    }

    #[test]
    fn asks_for_the_same_time_at_any_rate() {
        let asked = |rate, period| {
            let offered = [range(1, rate, rate, SampleFormat::I16)];
            let format = Format::choose(offered.into_iter(), "x", period).unwrap();
            (format.rate, format.period)
        };
        assert_eq!(asked(44_100, Period::Usual), (44_100, 441));
        assert_eq!(asked(48_000, Period::Short), (48_000, 240));
        assert_eq!(asked(8_000, Period::Short), (8_000, 64), "not less than the device allows");
    }

    #[test]
    fn a_device_that_refuses_short_buffers_gets_longer_ones_before_its_own() {
        let offered = [range(1, 48_000, 48_000, SampleFormat::F32)];
        let format = Format::choose(offered.into_iter(), "x", Period::Short).unwrap();
        let tried = |refused: ErrorKind, least: u32| {
            let mut tried = Vec::new();
            let result = with_fixed_buffer(&format, &mut |buffer| {
                tried.push(buffer);
                match buffer {
                    BufferSize::Fixed(frames) if frames < least => Err(Error::new(refused)),
                    _ => Ok(()),
                }
            });
            (tried, result.is_ok())
        };
        let [short, usual] = [BufferSize::Fixed(240), BufferSize::Fixed(480)];
        let unsupported = ErrorKind::UnsupportedConfig;
        assert_eq!(tried(unsupported, 1), (vec![short], true));
        assert_eq!(tried(unsupported, 300), (vec![short, usual], true));
        assert_eq!(tried(unsupported, 900), (vec![short, usual, BufferSize::Default], true));
        assert_eq!(tried(ErrorKind::DeviceBusy, 900), (vec![short], false));
    }

    #[test]
    fn a_device_without_a_known_format_is_refused_in_words() {
        let offered = [range(2, 48_000, 48_000, SampleFormat::DsdU8)];
        let error = Format::choose(offered.into_iter(), "Odd", Period::Usual).unwrap_err();
        assert!(error.to_string().starts_with("Odd offers no usable format"));
    }

    #[test]
    fn permission_and_absence_have_their_own_words() {
        let denied = in_words("Mic", &Error::new(ErrorKind::PermissionDenied));
        assert_eq!(denied, AudioError::Denied("Mic".to_owned()));
        let busy = in_words("Mic", &Error::new(ErrorKind::DeviceBusy));
        assert_eq!(busy.to_string(), "Mic is in use by another program");
    }
}
