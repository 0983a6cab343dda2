//! The four codecs behind one shape: 48 kHz mono `f32` in, payloads out; payloads in, sound out.

mod g711;
mod g722;

use audio_codec::Decoder as _;
use rtp::{DecodeError, FrameDecoder};
use sdp::CodecKind;

use crate::resample::{Decimator, Interpolator};

/// Opus bit rate where nothing is lost, bits per second: PESQ-WB 4.2 for speech, against 3.9 at 32 kbit/s. From 64 kbit/s
/// on Opus no longer codes speech as speech, and it falls to 3.6.
const OPUS_BITRATE: u32 = 48_000;
/// The same where redundancy is sent along: as much as G.711. Speech keeps its part then, and the copies are worth more.
const OPUS_BITRATE_UNDER_LOSS: u32 = 64_000;
/// Effort of the Opus encoder, 0 to 10: about 190 µs per 20 ms.
const OPUS_COMPLEXITY: i32 = 9;
/// Largest Opus payload asked for: far above 64 kbit/s, far below a datagram.
const OPUS_MAX_PAYLOAD: usize = 1_000;
/// Loss beyond which Opus is told no more: its redundancy is at its most useful then.
const OPUS_WORST_LOSS: u8 = 30;
/// Bytes of an Opus packet in a pause of speech that need not be sent, at most.
const OPUS_NOTHING: usize = 2;
/// Samples of 10 ms at 48 kHz.
const TEN_MS: usize = 480;
/// The longest frame any codec may have, in milliseconds.
const LONGEST_MS: usize = 120;

/// Why a codec cannot do something.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The library refused to make, set up or run the codec.
    #[error("{codec}: {reason}")]
    Library {
        /// Which codec.
        codec: CodecKind,
        /// What it said.
        reason: String,
    },
    /// The payload is no frame of this codec.
    #[error("undecodable {0} payload")]
    Payload(CodecKind),
    /// The block handed in is not a whole number of 10 ms up to 120 ms (Opus: 10, 20, 40 or 60).
    #[error("a block of {0} samples cannot be one packet")]
    Block(usize),
}

/// Turns 48 kHz mono sound into payloads. One per stream and direction; it remembers.
pub struct Encoder {
    kind: CodecKind,
    engine: EncoderEngine,
    decimator: Option<Decimator>,
    narrow: Vec<f32>,
    pcm: Vec<i16>,
    expected_loss: u8,
    /// What the peer takes, bits per second.
    max_bitrate: u32,
    /// What the network has room for, bits per second.
    room: u32,
    /// Pauses of speech are not sent.
    pauses: bool,
}

enum EncoderEngine {
    Opus(opus::Encoder),
    G722(Box<g722::Encoder>),
    Pcma,
    Pcmu,
}

impl Encoder {
    /// An encoder; Opus at 48 kbit/s for speech, never pausing.
    ///
    /// # Errors
    /// [`CodecError::Library`] when libopus refuses.
    pub fn new(kind: CodecKind) -> Result<Self, CodecError> {
        let engine = match kind {
            CodecKind::Opus => EncoderEngine::Opus(opus_encoder().map_err(library(kind))?),
            CodecKind::G722 => EncoderEngine::G722(Box::new(g722::Encoder::new())),
            CodecKind::Pcma => EncoderEngine::Pcma,
            CodecKind::Pcmu => EncoderEngine::Pcmu,
        };
        Ok(Self {
            kind,
            engine,
            decimator: Decimator::new(kind.sample_rate()),
            narrow: Vec::with_capacity(TEN_MS * 12),
            pcm: Vec::with_capacity(TEN_MS * 12),
            expected_loss: 0,
            max_bitrate: u32::MAX,
            room: u32::MAX,
            pauses: false,
        })
    }

    /// Which codec.
    #[must_use]
    pub fn kind(&self) -> CodecKind {
        self.kind
    }

    /// Encodes one packet's worth of 48 kHz mono sound (a multiple of 480 samples up to 120 ms; for Opus 10,
    /// 20, 40 or 60 ms) and appends the payload to `out`; nothing in a pause of speech that is not sent.
    ///
    /// # Errors
    /// [`CodecError::Block`] for any other length; [`CodecError::Library`] when libopus fails.
    pub fn encode(&mut self, pcm: &[f32], out: &mut Vec<u8>) -> Result<(), CodecError> {
        if pcm.is_empty() || !pcm.len().is_multiple_of(TEN_MS) || pcm.len() > 12 * TEN_MS {
            return Err(CodecError::Block(pcm.len()));
        }
        let kind = self.kind;
        if let EncoderEngine::Opus(encoder) = &mut self.engine {
            if !matches!(pcm.len() / TEN_MS, 1 | 2 | 4 | 6) {
                return Err(CodecError::Block(pcm.len()));
            }
            let start = out.len();
            out.resize(start + OPUS_MAX_PAYLOAD, 0);
            let room = out.get_mut(start..).unwrap_or_default();
            let made = encoder.encode_float(pcm, room).map_err(library(kind));
            let length = made.as_ref().copied().unwrap_or(0);
            // One that says only that there is nothing need not be sent (`opus_encode` says so of two bytes and less).
            let says_nothing = self.pauses && length <= OPUS_NOTHING;
            out.truncate(start + if says_nothing { 0 } else { length });
            return made.map(|_| ());
        }
        self.narrow.clear();
        if let Some(decimator) = &mut self.decimator {
            decimator.process(pcm, &mut self.narrow);
        }
        self.pcm.clear();
        self.pcm.extend(self.narrow.iter().map(|s| to_i16(*s)));
        match &mut self.engine {
            EncoderEngine::Pcma => out.extend(self.pcm.iter().map(|s| g711::a_law(*s))),
            EncoderEngine::Pcmu => out.extend(self.pcm.iter().map(|s| g711::mu_law(*s))),
            EncoderEngine::G722(encoder) => encoder.encode(&self.pcm, out),
            EncoderEngine::Opus(_) => {}
        }
        Ok(())
    }

    /// Sends at most this many bits a second on the average, where the peer said so (RFC 7587, `maxaveragebitrate`).
    /// Only Opus has a choice.
    pub fn set_max_bitrate(&mut self, bits: u32) {
        self.max_bitrate = bits;
        self.apply_bitrate();
    }

    /// Sends no more bits a second than the network has room for; `None`: as many as wanted. Only Opus has a choice.
    pub fn set_room(&mut self, bits: Option<u32>) {
        let room = bits.unwrap_or(u32::MAX);
        if room != self.room {
            self.room = room;
            self.apply_bitrate();
        }
    }

    fn apply_bitrate(&mut self) {
        let wanted = if self.expected_loss == 0 { OPUS_BITRATE } else { OPUS_BITRATE_UNDER_LOSS };
        let bits = i32::try_from(wanted.min(self.max_bitrate).min(self.room)).unwrap_or(i32::MAX);
        if let EncoderEngine::Opus(encoder) = &mut self.engine
            && let Err(error) = encoder.set_bitrate(opus::Bitrate::Bits(bits))
        {
            tracing::debug!(%error, bits, "opus takes no bit rate");
        }
    }

    /// Tells how many per cent of our packets the peer lost (from RTCP), so that Opus adds as much
    /// redundancy as helps, and sends more for it. Other codecs have none.
    pub fn set_expected_loss(&mut self, percent: u8) {
        let percent = percent.min(OPUS_WORST_LOSS);
        if percent == self.expected_loss {
            return;
        }
        self.expected_loss = percent;
        if let EncoderEngine::Opus(encoder) = &mut self.engine
            && let Err(error) = encoder.set_packet_loss_perc(i32::from(percent))
        {
            tracing::debug!(%error, percent, "opus takes no loss figure");
        }
        self.apply_bitrate();
    }

    /// Lets Opus send less, or nothing, in pauses of speech (DTX); off unless asked for.
    pub fn set_pauses(&mut self, on: bool) {
        self.pauses = on;
        if let EncoderEngine::Opus(encoder) = &mut self.engine
            && let Err(error) = encoder.set_dtx(on)
        {
            tracing::debug!(%error, "opus takes no DTX");
        }
    }
}

fn opus_encoder() -> Result<opus::Encoder, opus::Error> {
    // Not `Voip`: its high-pass filter turns the phase of low voices (0.885 of the waveform left, against 0.941), and
    // PESQ is the same. Speech coding, and with it redundancy, is asked for by the signal type.
    let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Audio)?;
    encoder.set_bitrate(opus::Bitrate::Bits(OPUS_BITRATE.cast_signed()))?;
    encoder.set_complexity(OPUS_COMPLEXITY)?;
    encoder.set_signal(opus::Signal::Voice)?;
    encoder.set_inband_fec(true)?;
    // Redundancy costs a quarter of a PESQ point where nothing is lost: none until RTCP tells of loss.
    encoder.set_packet_loss_perc(0)?;
    encoder.set_dtx(false)?;
    Ok(encoder)
}

fn library(codec: CodecKind) -> impl Fn(opus::Error) -> CodecError {
    move |error| CodecError::Library { codec, reason: error.to_string() }
}

fn to_i16(sample: f32) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
    let value = (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
    value
}

/// Turns payloads into sound: at the codec's own rate for a jitter buffer ([`FrameDecoder`]), or
/// at 48 kHz by [`Decoder::decode_48k`]. One per stream and direction; it remembers.
pub struct Decoder {
    kind: CodecKind,
    engine: DecoderEngine,
    pcm: Vec<i16>,
    native: Vec<f32>,
    interpolator: Option<Interpolator>,
}

enum DecoderEngine {
    Opus(opus::Decoder),
    G722(Box<g722::Decoder>),
    Pcma(audio_codec::pcma::PcmaDecoder),
    Pcmu(audio_codec::pcmu::PcmuDecoder),
}

impl Decoder {
    /// A decoder.
    ///
    /// # Errors
    /// [`CodecError::Library`] when libopus refuses.
    pub fn new(kind: CodecKind) -> Result<Self, CodecError> {
        Ok(Self {
            kind,
            engine: decoder_engine(kind)?,
            pcm: vec![0; kind.sample_rate() as usize * LONGEST_MS / 1000],
            native: vec![0.0; kind.sample_rate() as usize * LONGEST_MS / 1000],
            interpolator: Interpolator::new(kind.sample_rate()),
        })
    }

    /// Which codec.
    #[must_use]
    pub fn kind(&self) -> CodecKind {
        self.kind
    }

    /// Decodes one payload, appends its 48 kHz mono sound to `out` and returns how many samples
    /// were added.
    ///
    /// # Errors
    /// [`CodecError::Payload`] when it cannot be decoded; nothing is added then.
    pub fn decode_48k(&mut self, payload: &[u8], out: &mut Vec<f32>) -> Result<usize, CodecError> {
        let mut native = std::mem::take(&mut self.native);
        let decoded = self.decode(payload, &mut native);
        let before = out.len();
        if let Ok(samples) = decoded
            && let Some(interpolator) = &mut self.interpolator
        {
            interpolator.process(native.get(..samples).unwrap_or_default(), out);
        }
        self.native = native;
        decoded.map(|_| out.len() - before).map_err(|_| CodecError::Payload(self.kind))
    }

    fn decode_pcm(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        let made = match &mut self.engine {
            DecoderEngine::G722(decoder) => {
                let pairs = self.pcm.chunks_exact_mut(2).zip(payload);
                pairs.for_each(|(pair, byte)| pair.copy_from_slice(&decoder.decode(*byte)));
                payload.len() * 2
            }
            DecoderEngine::Pcma(decoder) => {
                decoder.decode_into(payload, &mut self.pcm).map_err(|_| DecodeError)?
            }
            DecoderEngine::Pcmu(decoder) => {
                decoder.decode_into(payload, &mut self.pcm).map_err(|_| DecodeError)?
            }
            DecoderEngine::Opus(_) => return Err(DecodeError),
        };
        if made > out.len() {
            return Err(DecodeError);
        }
        for (to, from) in out.iter_mut().zip(self.pcm.iter().take(made)) {
            *to = f32::from(*from) / 32_768.0;
        }
        Ok(made)
    }
}

fn decoder_engine(kind: CodecKind) -> Result<DecoderEngine, CodecError> {
    Ok(match kind {
        CodecKind::Opus => DecoderEngine::Opus(
            opus::Decoder::new(48_000, opus::Channels::Mono).map_err(library(kind))?,
        ),
        CodecKind::G722 => DecoderEngine::G722(Box::new(g722::Decoder::new())),
        CodecKind::Pcma => DecoderEngine::Pcma(audio_codec::pcma::PcmaDecoder::new()),
        CodecKind::Pcmu => DecoderEngine::Pcmu(audio_codec::pcmu::PcmuDecoder::new()),
    })
}

impl FrameDecoder for Decoder {
    fn sample_rate(&self) -> u32 {
        self.kind.sample_rate()
    }

    fn clock_rate(&self) -> u32 {
        self.kind.clock_rate()
    }

    fn frame_samples(&self, payload: &[u8]) -> Option<usize> {
        let samples = match self.kind {
            CodecKind::Opus => opus::packet::get_nb_samples(payload, 48_000).ok()?,
            CodecKind::G722 => payload.len() * 2,
            CodecKind::Pcma | CodecKind::Pcmu => payload.len(),
        };
        let longest = self.kind.sample_rate() as usize * LONGEST_MS / 1000;
        (1..=longest).contains(&samples).then_some(samples)
    }

    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        self.frame_samples(payload).filter(|n| *n <= out.len()).ok_or(DecodeError)?;
        match &mut self.engine {
            DecoderEngine::Opus(decoder) => {
                decoder.decode_float(payload, out, false).map_err(|_| DecodeError)
            }
            _ => self.decode_pcm(payload, out),
        }
    }

    fn supports_fec(&self) -> bool {
        self.kind == CodecKind::Opus
    }

    fn decode_fec(&mut self, payload: &[u8], out: &mut [f32]) -> Result<(), DecodeError> {
        let DecoderEngine::Opus(decoder) = &mut self.engine else { return Err(DecodeError) };
        decoder.decode_float(payload, out, true).map(|_| ()).map_err(|_| DecodeError)
    }

    fn conceal(&mut self, out: &mut [f32]) -> bool {
        let DecoderEngine::Opus(decoder) = &mut self.engine else { return false };
        decoder.decode_float(&[], out, false).is_ok()
    }

    fn starts_pause(&self, payload: &[u8]) -> bool {
        self.kind == CodecKind::Opus && payload.len() <= 2
    }

    fn reset(&mut self) {
        match &mut self.engine {
            DecoderEngine::Opus(decoder) => {
                if let Err(error) = decoder.reset_state() {
                    tracing::debug!(%error, "opus decoder keeps its state");
                }
            }
            DecoderEngine::G722(decoder) => **decoder = g722::Decoder::new(),
            DecoderEngine::Pcma(_) | DecoderEngine::Pcmu(_) => {}
        }
        self.interpolator = Interpolator::new(self.kind.sample_rate());
    }
}

#[cfg(test)]
mod tests;
