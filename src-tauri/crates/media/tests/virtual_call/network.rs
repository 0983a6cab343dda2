//! A network that loses and delays, the same in every run, and where speech is found again behind it.

use media::codec::Encoder;
use sdp::CodecKind;

/// Samples of one packet: 20 ms at 48 kHz.
pub(crate) const FRAME: usize = 960;
/// One packet in microseconds.
pub(crate) const FRAME_US: u64 = 20_000;
/// Of the energy of what is looked for: a stretch with less, 40 dB down, is not it.
const INAUDIBLE: f64 = 1e-4;
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
pub(crate) struct Arrival {
    /// When, in microseconds.
    pub(crate) at: u64,
    /// Which, from 0.
    pub(crate) number: usize,
    pub(crate) payload: Vec<u8>,
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
pub(crate) struct Dice(pub(crate) u32);

impl Dice {
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % limit.max(1)
    }

    /// Microseconds by which a tick is late on a busy machine.
    pub(crate) fn late_tick(&mut self) -> u64 {
        if self.below(50) == 0 { 10_000 + u64::from(self.below(10_000)) } else { 0 }
    }
}

/// Codes the speech and sends it over the network; packets in the order of their arrival.
pub(crate) fn send(speech: &[f32], network: Network) -> Vec<Arrival> {
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

/// Where each loud tenth of a second of what is heard was said (looked for up to 400 ms back).
pub(crate) fn places(speech: &[f32], heard: &[f32]) -> Vec<Place> {
    const THIN: usize = 6;
    const WIDTH: usize = 800;
    let thin = |sound: &[f32]| -> Vec<f32> {
        sound.chunks_exact(THIN).map(|group| group.iter().sum::<f32>() / 6.0).collect()
    };
    let (said, heard) = (thin(speech), thin(heard));
    // Energy of the first so many samples.
    let mut energy = vec![0.0_f64];
    for sample in &said {
        energy.push(energy[energy.len() - 1] + f64::from(*sample).powi(2));
    }
    let loud = |start: &usize| {
        let here = &heard[*start..*start + WIDTH];
        f64::from(dot(here, here)) > 0.01 * WIDTH as f64 * 0.04
    };
    let starts = (8_000..heard.len() - WIDTH).step_by(WIDTH);
    starts
        .filter(loud)
        .filter_map(|start| {
            let here = &heard[start..start + WIDTH];
            let own = f64::from(dot(here, here));
            let likeness = |lag: usize| {
                let from = start - lag;
                let there = energy[from + WIDTH] - energy[from];
                // Near silence the rounding of the sums is larger than what is looked for.
                if there < own * INAUDIBLE {
                    return 0.0;
                }
                let product = f64::from(dot(here, &said[from..from + WIDTH]));
                product / (own * there).sqrt()
            };
            let (lag, likeness) =
                (80..3_200).map(|lag| (lag, likeness(lag))).max_by(|a, b| a.1.total_cmp(&b.1))?;
            Some(Place { delay_ms: lag as f64 / 8.0, likeness })
        })
        .collect()
}

/// Sum of products, in eight lanes so that they can be computed side by side; the lengths are multiples of eight.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().sum()
}

/// The middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
