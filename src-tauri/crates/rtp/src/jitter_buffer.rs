//! From packets to an unbroken sequence of 10 ms blocks.

use std::time::{Duration, Instant};

use crate::packet::RtpPacket;

/// Samples of one block: 10 ms of mono sound at 48 kHz.
pub const BLOCK_SAMPLES: usize = 480;

/// A payload the decoder cannot use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("undecodable payload")]
pub struct DecodeError;

/// One codec's decoder, mono `f32` in -1.0 to 1.0. The jitter buffer calls it in playout order from one thread; no
/// method may allocate, lock or log once warm. All output lengths are in samples at [`Self::sample_rate`].
pub trait FrameDecoder {
    /// Rate of the decoded sound in Hz: 8000, 16000 or 48000.
    fn sample_rate(&self) -> u32;

    /// RTP clock rate in Hz (G.722: 8000).
    fn clock_rate(&self) -> u32;

    /// Length of the sound in a payload, without decoding it; `None` when the payload is malformed. At most 120 ms.
    fn frame_samples(&self, payload: &[u8]) -> Option<usize>;

    /// Decodes into the front of `out` (at least 120 ms long) and returns how many samples were written.
    ///
    /// # Errors
    /// [`DecodeError`]: the frame is then concealed as if it were lost.
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError>;

    /// Whether the codec can carry a copy of the frame before in each packet (Opus LBRR). Under loss the buffer then
    /// waits one packet longer, to have it.
    fn supports_fec(&self) -> bool {
        false
    }

    /// Decodes the copy of the frame *before* `payload` (Opus: `decode_fec = true`), filling all of `out`, which is
    /// as long as the missing frame. `payload` itself is decoded after that.
    ///
    /// # Errors
    /// [`DecodeError`] when the payload carries no copy; the buffer conceals.
    fn decode_fec(&mut self, payload: &[u8], out: &mut [f32]) -> Result<(), DecodeError> {
        let _ = (payload, out);
        Err(DecodeError)
    }

    /// The codec's own concealment: fills all of `out` (a multiple of 2.5 ms, at most 20 ms) with a continuation.
    /// False (the default) when it has none: the buffer then repeats the pitch itself.
    fn conceal(&mut self, out: &mut [f32]) -> bool {
        let _ = out;
        false
    }

    /// Whether the payload announces a pause in the packets (Opus DTX: two bytes or less).
    fn starts_pause(&self, payload: &[u8]) -> bool {
        let _ = payload;
        false
    }

    /// Forgets the stream: what comes next has nothing to do with what came before.
    fn reset(&mut self) {}
}

impl<D: FrameDecoder + ?Sized> FrameDecoder for Box<D> {
    fn sample_rate(&self) -> u32 {
        (**self).sample_rate()
    }
    fn clock_rate(&self) -> u32 {
        (**self).clock_rate()
    }
    fn frame_samples(&self, payload: &[u8]) -> Option<usize> {
        (**self).frame_samples(payload)
    }
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        (**self).decode(payload, out)
    }
    fn supports_fec(&self) -> bool {
        (**self).supports_fec()
    }
    fn decode_fec(&mut self, payload: &[u8], out: &mut [f32]) -> Result<(), DecodeError> {
        (**self).decode_fec(payload, out)
    }
    fn conceal(&mut self, out: &mut [f32]) -> bool {
        (**self).conceal(out)
    }
    fn starts_pause(&self, payload: &[u8]) -> bool {
        (**self).starts_pause(payload)
    }
    fn reset(&mut self) {
        (**self).reset();
    }
}

/// Bounds of the playout delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JitterConfig {
    /// The least delay aimed at.
    pub min_delay: Duration,
    /// The most delay aimed at; what is later is lost.
    pub max_delay: Duration,
    /// Payload type of comfort noise (RFC 3389), when negotiated.
    pub comfort_noise_pt: Option<u8>,
}

impl Default for JitterConfig {
    fn default() -> Self {
        Self {
            min_delay: Duration::ZERO,
            max_delay: Duration::from_millis(400),
            comfort_noise_pt: None,
        }
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Waits for its turn.
    Stored,
    /// Was there already.
    Duplicate,
    /// Came after its turn.
    Late,
    /// No decoder for its payload type, or malformed.
    Unusable,
}

/// What a block is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// Decoded sound, all of it.
    Speech,
    /// Made up at least in part: packets are missing.
    Concealed,
    /// Comfort noise in an announced pause.
    ComfortNoise,
    /// Silence: nothing has come yet, or nothing for a long time.
    Silence,
}

/// Counts since the start, and the present delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterStats {
    /// The delay aimed at, above the fastest packet.
    pub target: Duration,
    /// The delay of what is being played, above the fastest packet: `jitter_buffer_ms`.
    pub delay: Duration,
    /// Packets that wait.
    pub waiting: usize,
    /// Packets that came too late.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets dropped: no decoder, malformed, or no room.
    pub discarded: u64,
    /// Frames recovered from their successor.
    pub recovered: u64,
    /// Samples at 48 kHz made up by concealment.
    pub concealed_samples: u64,
    /// Samples at 48 kHz removed to catch up.
    pub removed_samples: u64,
    /// Samples at 48 kHz put in to fall back.
    pub inserted_samples: u64,
}

/// Turns packets, as they come, into one 10 ms block per pull.
#[derive(Debug)]
pub struct JitterBuffer<D> {
    config: JitterConfig,
    decoders: Vec<(u8, D)>,
    stats: JitterStats,
}

impl<D: FrameDecoder> JitterBuffer<D> {
    /// A buffer without decoders.
    pub fn new(config: JitterConfig) -> Self {
        Self { config, decoders: Vec::new(), stats: JitterStats::default() }
    }

    /// Sets the decoder of a payload type (replaces the one there).
    pub fn set_decoder(&mut self, payload_type: u8, decoder: D) {
        self.decoders.retain(|(pt, _)| *pt != payload_type);
        self.decoders.push((payload_type, decoder));
    }

    /// Takes out all decoders and everything that waits: a new agreement.
    pub fn clear(&mut self) {
        self.decoders.clear();
    }

    /// Takes a packet that arrived at `now`. A new source (SSRC) or codec needs no announcement.
    pub fn insert(&mut self, now: Instant, packet: &RtpPacket<'_>) -> Inserted {
        let _ = (now, packet, &self.config);
        Inserted::Unusable
    }

    /// Fills `out` with the next 10 ms at 48 kHz mono, whatever happened. To be called every 10 ms; `now` may jitter.
    pub fn pull(&mut self, now: Instant, out: &mut [f32; BLOCK_SAMPLES]) -> Pulled {
        let _ = now;
        out.fill(0.0);
        Pulled::Silence
    }

    /// Counts and the present delay.
    pub const fn stats(&self) -> JitterStats {
        self.stats
    }
}
