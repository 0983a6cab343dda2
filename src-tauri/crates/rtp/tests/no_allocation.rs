//! Once warm, neither taking a packet nor pulling a block allocates, nor protecting and unprotecting what goes over
//! the wire: all run on the sound thread. Optimised builds do not ask.

#![cfg(debug_assertions)]

use std::time::{Duration, Instant};

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use rtp::{
    BLOCK_SAMPLES, DecodeError, FrameDecoder, JitterBuffer, JitterConfig, Protector, RtpHeader,
    RtpPacket, SrtpError, Unprotector,
};
use sdp::{CryptoSuite, MasterKey};

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

#[test]
fn protecting_and_unprotecting_do_not_allocate() {
    for suite in CryptoSuite::ALL {
        let secret = vec![9; suite.key_length() + suite.salt_length()];
        let key = MasterKey::new(suite, secret).unwrap();
        let mut sender = Protector::new(&key).unwrap();
        let mut receiver = Unprotector::new(&key).unwrap();
        let (mut wire, mut clear) = (Vec::with_capacity(2_048), Vec::with_capacity(2_048));
        let mut step = |n: u16| {
            let header =
                RtpHeader { payload_type: 8, sequence: n, ssrc: 5, ..RtpHeader::default() };
            RtpPacket { header, payload: &[n.to_be_bytes()[1]; 160] }.write(&mut wire);
            sender.protect_rtp(&mut wire).unwrap();
            assert_eq!(receiver.unprotect_rtp(&wire, &mut clear), Ok(()));
            assert_eq!(clear.get(12), n.to_be_bytes().get(1));
            // Neither do those that are refused.
            assert_eq!(receiver.unprotect_rtp(&wire, &mut clear), Err(SrtpError::Replayed));
            wire.clear();
            wire.extend_from_slice(&[0x80, 201, 0, 1, 0, 0, 0, 5]);
            sender.protect_rtcp(&mut wire).unwrap();
            assert_eq!(receiver.unprotect_rtcp(&wire, &mut clear), Ok(()));
            wire.iter_mut().for_each(|byte| *byte ^= 1);
            assert!(receiver.unprotect_rtcp(&wire, &mut clear).is_err());
            assert!(receiver.unprotect_rtp(&wire, &mut clear).is_err());
        };
        (0..10).for_each(&mut step);
        assert_no_alloc(|| (10..200).for_each(&mut step));
    }
}
