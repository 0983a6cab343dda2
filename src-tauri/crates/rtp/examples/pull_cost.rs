//! Measures what the jitter buffer costs per 10 ms block, without a codec: `cargo run --release --example pull_cost -p rtp`.

use std::time::{Duration, Instant};

use rtp::{
    BLOCK_SAMPLES, DecodeError, FrameDecoder, JitterBuffer, JitterConfig, RtpHeader, RtpPacket,
};

/// Makes a tone of the given rate out of nothing.
struct Tone {
    rate: u32,
    phase: f32,
}

impl FrameDecoder for Tone {
    fn sample_rate(&self) -> u32 {
        self.rate
    }

    fn clock_rate(&self) -> u32 {
        self.rate
    }

    fn frame_samples(&self, _: &[u8]) -> Option<usize> {
        Some(self.rate as usize / 50)
    }

    #[expect(clippy::cast_precision_loss, reason = "audio rates are small")]
    fn decode(&mut self, _: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        let length = self.rate as usize / 50;
        for sample in out.iter_mut().take(length) {
            self.phase = (self.phase + 130.0 / self.rate as f32).fract();
            *sample = self.phase - 0.5;
        }
        Ok(length)
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement")]
#[expect(clippy::print_stdout, reason = "its result")]
fn main() {
    const PACKETS: u32 = 50_000;
    for (rate, loss_every) in [(48_000, 0), (48_000, 10), (8_000, 0), (8_000, 10)] {
        let start = Instant::now();
        let mut buffer = JitterBuffer::new(JitterConfig::default());
        buffer.set_decoder(96, Tone { rate, phase: 0.0 });
        let mut block = [0.0; BLOCK_SAMPLES];
        let mut slowest = Duration::ZERO;
        let mut total = Duration::ZERO;
        for n in 0..PACKETS {
            let began = Instant::now();
            let late = Duration::from_micros(u64::from(n.wrapping_mul(2_654_435_761) >> 18));
            let now = start + Duration::from_millis(20) * n;
            let header = RtpHeader {
                payload_type: 96,
                sequence: u16::try_from(n % 65_536).unwrap_or_default(),
                timestamp: n.wrapping_mul(rate / 50),
                ..RtpHeader::default()
            };
            if loss_every == 0 || n % loss_every != 0 {
                buffer.insert(now + late, &RtpPacket { header, payload: &[0; 80] });
            }
            buffer.pull(now, &mut block);
            buffer.pull(now + Duration::from_millis(10), &mut block);
            let took = began.elapsed();
            total += took;
            slowest = slowest.max(took);
        }
        println!(
            "{rate} Hz, loss 1 in {loss_every}: {:?} per block, slowest two {slowest:?}",
            total / (2 * PACKETS)
        );
    }
}
