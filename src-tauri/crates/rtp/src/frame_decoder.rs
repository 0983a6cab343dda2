//! What the jitter buffer asks of a codec.

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
