//! Once warm, neither taking a packet nor pulling a block allocates: both run on the sound thread.

use std::time::{Duration, Instant};

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use rtp::{
    BLOCK_SAMPLES, DecodeError, FrameDecoder, JitterBuffer, JitterConfig, RtpHeader, RtpPacket,
};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// A codec whose payload is 20 ms of 8 kHz sound, one byte per sample.
struct Bytes;

impl FrameDecoder for Bytes {
    fn sample_rate(&self) -> u32 {
        8_000
    }

    fn clock_rate(&self) -> u32 {
        8_000
    }

    fn frame_samples(&self, payload: &[u8]) -> Option<usize> {
        Some(payload.len())
    }

    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        for (sample, byte) in out.iter_mut().zip(payload) {
            *sample = f32::from(*byte) / 256.0;
        }
        Ok(payload.len())
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
fn pulling_and_inserting_do_not_allocate() {
    let start = Instant::now();
    let mut buffer = JitterBuffer::new(JitterConfig::default());
    buffer.set_decoder(8, Bytes);
    let payload = [40_u8; 160];
    let mut block = [0.0; BLOCK_SAMPLES];
    // Loss, reordering and jitter, so that every way through is taken; the first half warms up.
    let mut step = |buffer: &mut JitterBuffer<Bytes>, n: u32| {
        let now = start + Duration::from_millis(20) * n;
        let number = if n % 5 == 3 { n - 1 } else { n };
        let header = RtpHeader {
            payload_type: 8,
            sequence: u16::try_from(number % 65_536).unwrap_or_default(),
            timestamp: number * 160,
            ..RtpHeader::default()
        };
        if !n.is_multiple_of(7) {
            buffer.insert(now, &RtpPacket { header, payload: &payload });
        }
        buffer.pull(now, &mut block);
        buffer.pull(now + Duration::from_millis(10), &mut block);
    };
    (0..3_000).for_each(|n| step(&mut buffer, n));
    assert_no_alloc(|| (3_000..6_000).for_each(|n| step(&mut buffer, n)));
    assert!(buffer.stats().concealed_samples > 0);
}
