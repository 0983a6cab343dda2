//! One direction of a call in virtual time: speech, a codec, a network that loses and delays, and what is heard of it —
//! through the jitter buffer, or through a buffer of fixed length to compare with.

use std::time::{Duration, Instant};

use audio::read_wav;
use media::codec::Decoder;
use media::resample::Interpolator;
use rtp::{
    BLOCK_SAMPLES, FrameDecoder, JitterBuffer, JitterConfig, JitterStats, Pulled, RtpHeader,
    RtpPacket,
};

mod network;

use network::{Arrival, Dice, FRAME, FRAME_US, send};
pub(crate) use network::{Network, median, places};

/// What the fixed buffer waits after its first packet, in microseconds.
const FIXED_US: u64 = 60_000;

/// What came out.
pub(crate) struct Heard {
    /// 48 kHz mono.
    pub(crate) sound: Vec<f32>,
    /// Blocks before which sound was taken out or put in.
    pub(crate) stretches: usize,
    /// Part of the sound that was made up, 0 to 1.
    pub(crate) concealed: f64,
    /// Sound taken out and put in, in milliseconds.
    pub(crate) removed_ms: u64,
    pub(crate) inserted_ms: u64,
}

/// The test speech, 48 kHz mono, again and again for `seconds`.
pub(crate) fn speech(seconds: usize) -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../assets/speech/test-speech.wav");
    let once = read_wav(path.as_ref()).unwrap();
    once.iter().copied().cycle().take(seconds * 48_000).collect()
}

/// Listens through the jitter buffer, a block every 10 ms.
#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
pub(crate) fn adaptive(speech: &[f32], network: Network) -> Heard {
    let start = Instant::now();
    let mut arrivals = send(speech, network).into_iter().peekable();
    let mut buffer = JitterBuffer::new(JitterConfig::default());
    buffer.set_decoder(111, Decoder::new(network.codec).unwrap());
    let ticks_of_frame = network.codec.clock_rate() / 50;
    let mut ticks = Dice(network.seed ^ 0x71c5);
    let (mut sound, mut stretches, mut before) = (Vec::new(), 0, JitterStats::default());
    let mut block = [0.0; BLOCK_SAMPLES];
    let mut now = 0;
    for tick in 0..speech.len() as u64 / 480 {
        now = now.max(tick * 10_000 + if network.busy { ticks.late_tick() } else { 0 });
        while let Some(arrival) = arrivals.next_if(|arrival| arrival.at <= now) {
            let header = RtpHeader {
                payload_type: 111,
                sequence: u16::try_from(arrival.number).unwrap(),
                timestamp: u32::try_from(arrival.number).unwrap() * ticks_of_frame,
                ..RtpHeader::default()
            };
            let packet = RtpPacket { header, payload: &arrival.payload };
            buffer.insert(start + Duration::from_micros(arrival.at), &packet);
        }
        let pulled = buffer.pull(start + Duration::from_micros(now), &mut block);
        assert!(tick < 100 || pulled != Pulled::Silence);
        sound.extend_from_slice(&block);
        let stats = buffer.stats();
        let changed = (stats.removed_samples, stats.inserted_samples);
        stretches += usize::from(changed != (before.removed_samples, before.inserted_samples));
        before = stats;
    }
    Heard {
        concealed: before.concealed_samples as f64 / sound.len() as f64,
        sound,
        stretches,
        removed_ms: before.removed_samples / 48,
        inserted_ms: before.inserted_samples / 48,
    }
}

/// Listens through a buffer that waits 60 ms after its first packet and never changes: redundancy and the codec's
/// concealment for what is missing, silence where it has none.
pub(crate) fn fixed(speech: &[f32], network: Network) -> Heard {
    let arrivals = send(speech, network);
    let first = arrivals.iter().find(|arrival| arrival.number == 0).map_or(FRAME_US, |a| a.at);
    // Like any playout it is asked for sound every 10 ms.
    let start = (first + FIXED_US).next_multiple_of(10_000);
    let count = speech.len() / FRAME;
    let mut packets: Vec<Option<Arrival>> = (0..=count).map(|_| None).collect();
    for arrival in arrivals {
        let number = arrival.number;
        packets[number] = Some(arrival);
    }
    let mut decoder = Decoder::new(network.codec).unwrap();
    let samples = usize::try_from(decoder.sample_rate()).unwrap() / 50;
    let mut thick = Interpolator::new(decoder.sample_rate());
    let mut sound = vec![0.0; usize::try_from(start * 48 / 1_000).unwrap()];
    let (mut frame, mut concealed) = (vec![0.0; 6 * samples], 0);
    for number in 0..count {
        let due = start + number as u64 * FRAME_US;
        let there = |n: usize| packets[n].as_ref().filter(|packet| packet.at <= due);
        if let Some(packet) = there(number) {
            decoder.decode(&packet.payload, &mut frame).unwrap();
        } else if let Some(next) = there(number + 1).filter(|_| decoder.supports_fec()) {
            decoder.decode_fec(&next.payload, &mut frame[..samples]).unwrap();
        } else {
            if !decoder.conceal(&mut frame[..samples]) {
                frame[..samples].fill(0.0);
            }
            concealed += 1;
        }
        match &mut thick {
            Some(thick) => thick.process(&frame[..samples], &mut sound),
            None => sound.extend_from_slice(&frame[..samples]),
        }
    }
    sound.truncate(speech.len());
    let concealed = f64::from(concealed) / count as f64;
    Heard { sound, stretches: 0, concealed, removed_ms: 0, inserted_ms: 0 }
}
