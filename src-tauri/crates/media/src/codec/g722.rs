//! G.722 at 64 kbit/s by the recommendation: two sub-bands, each coded as the difference from an
//! adaptive prediction. Bit-exact with other implementations (see the tests). (The `audio-codec`
//! crate begins with scale factors four times the recommendation's, so that its encoder and
//! everybody else's decoder run apart from the first sample on.)
//!
//! The names of blocks in comments are those of ITU-T G.722, 6.2.

/// Samples of history of the quadrature mirror filters.
const QMF_LENGTH: usize = 24;

/// Half of the symmetric mirror filter, 5.2.1: the taps of even numbered samples.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the lower band's 60-level quantiser (table 14), Q6.
const DECISIONS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
    1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];

/// Output levels of the lower band by its six-bit code (QQ6).
const LEVELS_6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776,
    -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280,
    11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776,
    2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// Output levels of the lower band by the upper four bits of its code (QQ4): what adapts.
const LEVELS_4: [i32; 16] = [
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584,
    1200, 0,
];

/// Output levels of the upper band by its two-bit code (QQ2).
const LEVELS_2: [i32; 4] = [-7408, -1616, 7408, 1616];

/// Logarithmic scale factor changes of the lower band by the same four bits (WL).
const CHANGES_LOW: [i32; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

/// The same of the upper band (WH).
const CHANGES_HIGH: [i32; 4] = [798, -214, 798, -214];

/// Antilogarithms in steps of a thirty-second (ILB).
const ANTILOG: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// The entry of a table at a code that cannot be outside of it.
fn entry<const N: usize>(table: &[i32; N], code: i32) -> i32 {
    usize::try_from(code).ok().and_then(|n| table.get(n)).copied().unwrap_or(0)
}

/// What one sub-band remembers.
#[derive(Clone, Debug)]
struct Band {
    /// Prediction of the next sample.
    estimate: i32,
    /// Its part from the zeros.
    from_zeros: i32,
    /// The last two reconstructed samples, newest first.
    reconstructed: [i32; 2],
    /// Signs of the last two partly reconstructed samples.
    partly_negative: [bool; 2],
    poles: [i32; 2],
    zeros: [i32; 6],
    /// The last six quantised differences, newest first.
    differences: [i32; 6],
    /// Logarithmic scale factor.
    log_scale: i32,
    /// Scale factor of the quantiser.
    scale: i32,
}

impl Band {
    fn new(scale: i32) -> Self {
        Self {
            estimate: 0,
            from_zeros: 0,
            reconstructed: [0; 2],
            partly_negative: [false; 2],
            poles: [0; 2],
            zeros: [0; 6],
            differences: [0; 6],
            log_scale: 0,
            scale,
        }
    }

    /// The lower band with its initial scale factor (table 11).
    fn low() -> Self {
        Self::new(32)
    }

    fn high() -> Self {
        Self::new(8)
    }

    /// Follows one lower-band code by its upper four bits.
    fn adapt_low(&mut self, code: i32) {
        let difference = (self.scale * entry(&LEVELS_4, code >> 2)) >> 15;
        self.rescale(entry(&CHANGES_LOW, code >> 2), 18_432, 8);
        self.predict(difference);
    }

    /// Follows one upper-band code; gives the quantised difference.
    fn adapt_high(&mut self, code: i32) -> i32 {
        let difference = (self.scale * entry(&LEVELS_2, code)) >> 15;
        self.rescale(entry(&CHANGES_HIGH, code), 22_528, 10);
        self.predict(difference);
        difference
    }

    /// LOGSCL and SCALEL, LOGSCH and SCALEH.
    fn rescale(&mut self, change: i32, limit: i32, top: i32) {
        self.log_scale = (((self.log_scale * 127) >> 7) + change).clamp(0, limit);
        let shift = top - (self.log_scale >> 11);
        let antilog = entry(&ANTILOG, (self.log_scale >> 6) & 31);
        self.scale = (if shift < 0 { antilog << -shift } else { antilog >> shift }) << 2;
    }

    /// Block 4: adapts the predictor to a quantised difference and predicts the next sample.
    fn predict(&mut self, difference: i32) {
        let reconstructed = saturate(self.estimate + difference);
        let negative = saturate(self.from_zeros + difference) < 0;
        self.adapt_poles(negative);
        self.adapt_zeros(difference);
        self.partly_negative = [negative, self.partly_negative[0]];
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.differences.rotate_right(1);
        self.differences[0] = difference;
        // FILTEP, FILTEZ, PREDIC
        let double = |value: i32| saturate(value + value);
        let from_poles: i32 = self
            .poles
            .iter()
            .zip(self.reconstructed)
            .map(|(pole, sample)| (pole * double(sample)) >> 15)
            .sum();
        let from_zeros: i32 = self
            .zeros
            .iter()
            .zip(self.differences)
            .map(|(zero, difference)| (zero * double(difference)) >> 15)
            .sum();
        self.from_zeros = saturate(from_zeros);
        self.estimate = saturate(saturate(from_poles) + self.from_zeros);
    }

    /// UPPOL2 and UPPOL1.
    fn adapt_poles(&mut self, negative: bool) {
        let [first, second] = self.poles;
        let [like_last, like_before] = self.partly_negative.map(|before| before == negative);
        let four = saturate(first << 2);
        let push = if like_last { -four } else { four }.min(32_767) >> 7;
        let lean = if like_before { 128 } else { -128 };
        let second = (lean + push + ((second * 32_512) >> 15)).clamp(-12_288, 12_288);
        let lean = if like_last { 192 } else { -192 };
        let limit = saturate(15_360 - second);
        let first = saturate(lean + ((first * 32_640) >> 15)).clamp(-limit, limit);
        self.poles = [first, second];
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, before) in self.zeros.iter_mut().zip(self.differences) {
            let lean = if (before < 0) == (difference < 0) { step } else { -step };
            *zero = saturate(lean + ((*zero * 32_640) >> 15));
        }
    }
}

/// Sums of the even and the odd samples of a mirror filter's history.
fn mirror(history: &[i32; QMF_LENGTH]) -> (i32, i32) {
    let pairs = history.chunks_exact(2);
    let even = pairs.clone().zip(QMF).map(|(pair, tap)| pair.first().map_or(0, |s| s * tap)).sum();
    let odd =
        pairs.zip(QMF.iter().rev()).map(|(pair, tap)| pair.last().map_or(0, |s| s * tap)).sum();
    (even, odd)
}

fn shift_in(history: &mut [i32; QMF_LENGTH], older: i32, newer: i32) {
    history.rotate_left(2);
    let [.., second, last] = history;
    (*second, *last) = (older, newer);
}

/// From 16 kHz sound to bytes.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    history: [i32; QMF_LENGTH],
    low: Band,
    high: Band,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { history: [0; QMF_LENGTH], low: Band::low(), high: Band::high() }
    }

    /// One byte per pair of samples; an odd one at the end is not taken.
    pub(super) fn encode(&mut self, pcm: &[i16], out: &mut Vec<u8>) {
        for pair in pcm.chunks_exact(2) {
            if let [older, newer] = pair {
                shift_in(&mut self.history, i32::from(*older), i32::from(*newer));
                out.push(self.encode_pair());
            }
        }
    }

    fn encode_pair(&mut self) -> u8 {
        let (even, odd) = mirror(&self.history);
        let low = self.encode_low((odd + even) >> 14);
        let high = self.encode_high((odd - even) >> 14);
        u8::try_from(high << 6 | low).unwrap_or(0)
    }

    /// SUBTRA and QUANTL.
    fn encode_low(&mut self, sample: i32) -> i32 {
        let difference = saturate(sample - self.low.estimate);
        let negative = difference < 0;
        let magnitude = if negative { !difference } else { difference };
        let scale = self.low.scale;
        let level = DECISIONS.iter().take_while(|d| magnitude >= (*d * scale) >> 12).count();
        let level = i32::try_from(level).unwrap_or(0);
        // Codes count down from 61 for positive differences; the two smallest negative ones stand
        // above those, the others count down from 31.
        let code = match (negative, level) {
            (false, level) => 61 - level,
            (true, level @ 0..=1) => 63 - level,
            (true, level) => 33 - level,
        };
        self.low.adapt_low(code);
        code
    }

    /// SUBTRA and QUANTH.
    fn encode_high(&mut self, sample: i32) -> i32 {
        let difference = saturate(sample - self.high.estimate);
        let negative = difference < 0;
        let magnitude = if negative { !difference } else { difference };
        let large = magnitude >= (564 * self.high.scale) >> 12;
        let code = match (negative, large) {
            (false, false) => 3,
            (false, true) => 2,
            (true, false) => 1,
            (true, true) => 0,
        };
        self.high.adapt_high(code);
        code
    }
}

/// From bytes to 16 kHz sound.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    history: [i32; QMF_LENGTH],
    low: Band,
    high: Band,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { history: [0; QMF_LENGTH], low: Band::low(), high: Band::high() }
    }

    /// Two samples per byte.
    pub(super) fn decode(&mut self, byte: u8) -> [i16; 2] {
        let code = i32::from(byte & 0x3f);
        let limit = |sample: i32| sample.clamp(-16_384, 16_383);
        let low = limit(self.low.estimate + ((self.low.scale * entry(&LEVELS_6, code)) >> 15));
        self.low.adapt_low(code);
        let estimate = self.high.estimate;
        let high = limit(estimate + self.high.adapt_high(i32::from(byte >> 6)));
        shift_in(&mut self.history, low + high, low - high);
        let (even, odd) = mirror(&self.history);
        [odd, even].map(|sum| i16::try_from(saturate(sum >> 11)).unwrap_or(0))
    }
}
