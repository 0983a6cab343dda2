//! One direction of a call in virtual time: speech, a codec, a network that loses and delays, and what is heard of it —
//! through the jitter buffer, or through a buffer of fixed length to compare with.

use std::time::{Duration, Instant};

use audio::read_wav;
use media::codec::{Decoder, Encoder};
use media::resample::Interpolator;
use rtp::{
    BLOCK_SAMPLES, FrameDecoder, JitterBuffer, JitterConfig, JitterStats, Pulled, RtpHeader,
    RtpPacket,
};
use sdp::CodecKind;

/// Samples of one packet: 20 ms at 48 kHz.
const FRAME: usize = 960;
/// One packet in microseconds.
const FRAME_US: u64 = 20_000;
/// What the fixed buffer waits after its first packet, in microseconds.
const FIXED_US: u64 = 60_000;

/// Packets that are lost in a row on the average, where losses come in bursts.
const BURST: u32 = 3;

/// What lies between the two ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    /// What is spoken in.
    pub(crate) codec: CodecKind,
    /// Packets lost, per cent; the encoder is told.
    pub(crate) loss: u32,
    /// They are lost several in a row (Gilbert's model), not each by itself.
    pub(crate) bursts: bool,
    /// Packets are delayed evenly between 0 and this.
    pub(crate) jitter_ms: u32,
    /// Both ends run on a busy machine: one tick in fifty is 10 to 20 ms late, for sender and listener.
    pub(crate) busy: bool,
    /// Where the dice begin.
    pub(crate) seed: u32,
}

impl Network {
    /// Opus over a network that loses nothing and delays nothing.
    pub(crate) const fn quiet() -> Self {
        Self { codec: CodecKind::Opus, loss: 0, bursts: false, jitter_ms: 0, busy: false, seed: 99 }
    }

    /// Whether the next packet is lost; `before`: whether the one before was.
    fn loses(self, dice: &mut Dice, before: bool) -> bool {
        let share = match (self.bursts, before) {
            (false, _) => self.loss * 100,
            // Out of a burst with one chance in BURST; into one so often that the share of all lost comes out.
            (true, true) => 10_000 - 10_000 / BURST,
            (true, false) => self.loss * 10_000 / (BURST * (100 - self.loss)),
        };
        dice.below(10_000) < share
    }
}

/// A packet that arrives.
struct Arrival {
    at: u64,
    number: usize,
    payload: Vec<u8>,
}

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

/// A tenth of a second of speech and the place where it is heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// From being said to being heard, in milliseconds.
    pub(crate) delay_ms: f64,
    /// Normalised correlation there.
    pub(crate) likeness: f64,
}

/// Numbers that are the same in every run.
struct Dice(u32);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % limit.max(1)
    }

    /// Microseconds by which a tick is late on a busy machine.
    fn late_tick(&mut self) -> u64 {
        if self.below(50) == 0 { 10_000 + u64::from(self.below(10_000)) } else { 0 }
    }
}

/// The test speech, 48 kHz mono, again and again for `seconds`.
pub(crate) fn speech(seconds: usize) -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../assets/speech/test-speech.wav");
    let once = read_wav(path.as_ref()).unwrap();
    once.iter().copied().cycle().take(seconds * 48_000).collect()
}

/// Codes the speech and sends it over the network; packets in the order of their arrival.
fn send(speech: &[f32], network: Network) -> Vec<Arrival> {
    let mut encoder = Encoder::new(network.codec).unwrap();
    encoder.set_expected_loss(u8::try_from(network.loss).unwrap());
    let (mut losses, mut delays) = (Dice(network.seed), Dice(network.seed ^ 0x5eed));
    let (mut sent, mut lost) = (0, false);
    let mut arrivals = Vec::new();
    for (number, frame) in speech.chunks_exact(FRAME).enumerate() {
        let mut payload = Vec::new();
        encoder.encode(frame, &mut payload).unwrap();
        lost = network.loses(&mut losses, lost);
        let mut late = u64::from(delays.below(network.jitter_ms * 1_000 + 1));
        if network.busy {
            late += delays.late_tick();
        }
        let due = (number as u64 + 1) * FRAME_US;
        let at = if network.busy { sent.max(due + late) } else { due + late };
        sent = at;
        if !lost {
            arrivals.push(Arrival { at, number, payload });
        }
    }
    arrivals.sort_by_key(|arrival| (arrival.at, arrival.number));
    arrivals
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

/// Where each loud tenth of a second of what is heard was said (looked for up to 400 ms back).
pub(crate) fn places(speech: &[f32], heard: &[f32]) -> Vec<Place> {
    const THIN: usize = 6;
    const WIDTH: usize = 800;
    let thin = |sound: &[f32]| -> Vec<f32> {
        sound.chunks_exact(THIN).map(|group| group.iter().sum::<f32>() / 6.0).collect()
    };
    let (said, heard) = (thin(speech), thin(heard));
    let energy = |sound: &[f32]| sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let loud = |start: &usize| energy(&heard[*start..*start + WIDTH]) > 0.01 * WIDTH as f64 * 0.04;
    let starts = (8_000..heard.len() - WIDTH).step_by(WIDTH);
    starts
        .filter(loud)
        .filter_map(|start| {
            let here = &heard[start..start + WIDTH];
            let likeness = |lag: usize| {
                let there = &said[start - lag..start - lag + WIDTH];
                let product: f64 =
                    here.iter().zip(there).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                product / (energy(here) * energy(there)).sqrt().max(1e-9)
            };
            let (lag, likeness) =
                (80..3_200).map(|lag| (lag, likeness(lag))).max_by(|a, b| a.1.total_cmp(&b.1))?;
            Some(Place { delay_ms: lag as f64 / 8.0, likeness })
        })
        .collect()
}

/// The middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
