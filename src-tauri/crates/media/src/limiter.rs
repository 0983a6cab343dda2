//! Keeps a sum of voices within full scale by turning it down, not by cutting its tops off.
//!
//! Inputs: blocks of 10 ms. State: the gain, and how long it has been lower than it need be. A block is seen as a whole, so
//! nothing is held back: towards a louder block the gain falls in the first quarter of it, and where a top comes before
//! that, with the top. It never steps. After a while with room it rises again, slowly. Sound that fits passes untouched.

use audio::BLOCK;

/// Samples over which the gain falls: 2.5 ms.
const FALL: u16 = 120;
/// Blocks with room before the gain rises: 100 ms, so that it does not follow the beat of two voices.
const PATIENCE: u8 = 10;
/// How much it rises in a block: 9 dB in a second.
const RISE: f32 = 1.01;

#[derive(Debug)]
pub(crate) struct Limiter {
    gain: f32,
    roomy: u8,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { gain: 1.0, roomy: 0 }
    }
}

impl Limiter {
    /// Brings 10 ms within -1 to 1.
    pub(crate) fn limit(&mut self, block: &mut [f32; BLOCK]) {
        let peak = block.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let wanted = if peak > 1.0 { peak.recip() } else { 1.0 };
        if wanted < self.gain {
            self.roomy = 0;
            self.fall(block, wanted);
            return;
        }
        let has_room = wanted >= (self.gain * RISE).min(1.0);
        self.roomy = if has_room { self.roomy.saturating_add(1) } else { 0 };
        if self.gain < 1.0 {
            self.rise(block, wanted);
        }
    }

    fn rise(&mut self, block: &mut [f32; BLOCK], wanted: f32) {
        let from = self.gain;
        if self.roomy > PATIENCE {
            self.gain = (self.gain * RISE).min(wanted);
        }
        for (n, sample) in (0_u16..).zip(block.iter_mut()) {
            *sample =
                (*sample * (from + (self.gain - from) * f32::from(n) / 480.0)).clamp(-1.0, 1.0);
        }
    }

    fn fall(&mut self, block: &mut [f32; BLOCK], wanted: f32) {
        let from = self.gain;
        for (n, sample) in (0_u16..).zip(block.iter_mut()) {
            let way = f32::from(n.min(FALL)) / f32::from(FALL);
            let fits = if sample.abs() > 1.0 { sample.abs().recip() } else { 1.0 };
            self.gain = self.gain.min(from + (wanted - from) * way).min(fits);
            *sample = (*sample * self.gain).clamp(-1.0, 1.0);
        }
        self.gain = self.gain.max(wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: usize = 48_000;

    /// So many seconds of those tones, each at full scale.
    fn tones(hz: &[f32], seconds: usize) -> Vec<[f32; BLOCK]> {
        let at = |n: usize, hz: f32| {
            let phase = (hz * (n % SECOND) as f32 / SECOND as f32).fract();
            (std::f32::consts::TAU * phase).sin()
        };
        let sample = |n: usize| hz.iter().map(|hz| at(n, *hz)).sum::<f32>();
        (0..seconds * 100).map(|block| std::array::from_fn(|n| sample(block * BLOCK + n))).collect()
    }

    /// The share of a second's energy that is none of the tones', in per cent of amplitude.
    fn distortion(second: &[f32], hz: &[f32]) -> f64 {
        let energy: f64 = second.iter().map(|s| f64::from(*s).powi(2)).sum();
        let of = |hz: f32| {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (n, sample) in second.iter().enumerate() {
                let turn =
                    (n as f64 * f64::from(hz) / SECOND as f64).fract() * std::f64::consts::TAU;
                real += f64::from(*sample) * turn.cos();
                imaginary += f64::from(*sample) * turn.sin();
            }
            2.0 * (real * real + imaginary * imaginary) / SECOND as f64
        };
        let kept: f64 = hz.iter().map(|hz| of(*hz)).sum();
        ((energy - kept).max(0.0) / energy).sqrt() * 100.0
    }

    #[test]
    fn ten_loud_voices_stay_within_full_scale_and_clean() {
        let hz = [440., 550., 670., 790., 910., 1030., 1170., 1310., 1450., 1610.];
        let (mut limiter, mut limited, mut cut) = (Limiter::default(), vec![], vec![]);
        for mut block in tones(&hz, 3) {
            cut.extend(block.iter().map(|sample| sample.clamp(-1.0, 1.0)));
            limiter.limit(&mut block);
            limited.extend(block);
        }
        assert!(limited.iter().all(|sample| sample.abs() <= 1.0));
        let loudest = limited[2 * SECOND..].iter().fold(0.0_f32, |a, s| s.abs().max(a));
        assert!(loudest > 0.9, "turned down too far: {loudest}");
        let (clean, harsh) =
            (distortion(&limited[2 * SECOND..], &hz), distortion(&cut[2 * SECOND..], &hz));
        println!("{clean:.2} % limited, {harsh:.1} % cut off");
        assert!(harsh > 20.0 && clean < 0.1, "{clean:.2} % limited, {harsh:.1} % cut off");
    }

    #[test]
    fn the_gain_does_not_step_when_voices_come_and_go() {
        // One, then ten of them, then one again, all in phase: nothing jumps but by the sound itself.
        let mut limiter = Limiter::default();
        let (mut before, mut steepest, mut end) = (0.0_f32, 0.0_f32, [0.0; BLOCK]);
        for (n, one) in tones(&[200.0], 6).into_iter().enumerate() {
            let voices = if (100..200).contains(&n) { 10.0 } else { 1.0 };
            let mut block = one.map(|sample| sample * voices);
            limiter.limit(&mut block);
            for sample in block {
                assert!(sample.abs() <= 1.0);
                steepest = steepest.max((sample - before).abs());
                before = sample;
            }
            end = block;
        }
        // A sine at ten times full scale moves by 0.26 in a sample where its gain is 1 yet.
        assert!(steepest < 0.27, "{steepest}");
        assert_eq!(end, tones(&[200.0], 1)[99], "it is as loud as before at the end");
    }

    #[test]
    fn what_fits_passes_untouched() {
        let mut limiter = Limiter::default();
        let mut block = [0.75; BLOCK];
        limiter.limit(&mut block);
        assert_eq!(block, [0.75; BLOCK]);
        let mut full = [1.0; BLOCK];
        full[7] = -1.0;
        let same = full;
        limiter.limit(&mut full);
        assert_eq!(full, same);
    }
}
