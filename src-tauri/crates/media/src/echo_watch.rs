//! Whether the microphone hears the loudspeaker at all. With a headset it does not, and a canceller then only costs.
//!
//! Inputs: what the microphone heard and what was played, in blocks of 10 ms. Four times a second both are compared by their
//! phases alone (a generalized cross-correlation), so that neither loudness nor the colour of a voice counts: an echo stands
//! out at its delay, whatever else is heard. States: Echo and None. To None: for some seconds, in which there was something
//! to hear, there was none. To Echo: there is one.

use std::sync::Arc;

use audio::BLOCK;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::resample::Decimator;

/// The rate at which both are compared, Hz.
const RATE: u32 = 8_000;
/// Samples of what was played: 1 s. The younger half of what was heard is looked for in it, so that an echo may be half a
/// second late.
const LENGTH: usize = 8_192;
const HALF: usize = LENGTH / 2;
/// Blocks between two looks.
const EVERY: u32 = 25;
/// Looks without an echo until there is none: 8 s.
const PATIENCE: u32 = 32;
/// The voice's frequencies, as bins of the transform: 300 to 3400 Hz.
const LOWEST: usize = 307;
const HIGHEST: usize = 3_481;
/// What is left of the looks before in the next one.
const MEMORY: f32 = 0.5;
/// How far an echo stands out, in deviations of everything else. Chance reaches 5.
const STANDS_OUT: f32 = 7.0;
/// Mean square below which there is nothing to hear: -60 dB of full scale played, the last bit of what is heard.
const PLAYED: f32 = 1e-6;
const HEARD: f32 = 1e-9;

/// See the module; begins as if there were an echo.
pub(crate) struct EchoWatch {
    decimators: Option<[Decimator; 2]>,
    /// The last second of both, oldest first.
    heard: Vec<f32>,
    played: Vec<f32>,
    forward: Arc<dyn Fft<f32>>,
    back: Arc<dyn Fft<f32>>,
    spectrum: Vec<Complex<f32>>,
    /// What bins agree on, over the last looks.
    agreed: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    blocks: u32,
    without: u32,
}

impl EchoWatch {
    /// Makes room.
    pub(crate) fn new() -> Self {
        let mut planner = FftPlanner::new();
        let (forward, back) = (planner.plan_fft_forward(LENGTH), planner.plan_fft_inverse(LENGTH));
        let scratch = forward.get_inplace_scratch_len().max(back.get_inplace_scratch_len());
        let zeros = |length| vec![Complex::new(0.0, 0.0); length];
        Self {
            decimators: Decimator::new(RATE).zip(Decimator::new(RATE)).map(<[_; 2]>::from),
            heard: room(),
            played: room(),
            forward,
            back,
            spectrum: zeros(LENGTH),
            agreed: zeros(HALF),
            scratch: zeros(scratch),
            blocks: 0,
            without: 0,
        }
    }

    /// Takes 10 ms of the microphone, as it gives them.
    pub(crate) fn heard(&mut self, block: &[f32; BLOCK]) {
        if let Some([heard, _]) = &mut self.decimators {
            push(heard, block, &mut self.heard);
        }
    }

    /// Takes what was played in the same turn, after that.
    pub(crate) fn played(&mut self, block: &[f32; BLOCK]) {
        if let Some([_, played]) = &mut self.decimators {
            push(played, block, &mut self.played);
        }
        self.blocks += 1;
        if self.blocks >= EVERY {
            self.blocks = 0;
            self.look();
        }
    }

    /// There may be an echo again.
    pub(crate) const fn begin_anew(&mut self) {
        self.without = 0;
    }

    /// The microphone hears the loudspeaker, or may.
    pub(crate) const fn may_echo(&self) -> bool {
        self.without < PATIENCE
    }

    fn look(&mut self) {
        let loud = |sound: Option<&[f32]>, least| power(sound.unwrap_or_default()) > least;
        if !loud(self.played.get(HALF / 2..HALF * 3 / 2), PLAYED)
            || !loud(self.heard.get(HALF..), HEARD)
        {
            return;
        }
        if self.standing() > STANDS_OUT {
            self.without = 0;
        } else {
            self.without = self.without.saturating_add(1).min(PATIENCE);
        }
    }

    /// By how many deviations the likeliest delay stands out.
    fn standing(&mut self) -> f32 {
        // One transform of two real signals: that of the first is what is even, that of the second what is odd.
        let pairs = self.played.iter().zip(&self.heard).enumerate();
        for (to, (n, (played, heard))) in self.spectrum.iter_mut().zip(pairs) {
            *to = Complex::new(*played, if n < HALF { 0.0 } else { *heard });
        }
        self.forward.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        for bin in LOWEST..HIGHEST {
            let (Some(up), Some(down)) = (self.spectrum.get(bin), self.spectrum.get(LENGTH - bin))
            else {
                continue;
            };
            let played = up + down.conj();
            let heard = (up - down.conj()) * Complex::new(0.0, -1.0);
            let cross = heard * played.conj();
            if let Some(agreed) = self.agreed.get_mut(bin) {
                *agreed = *agreed * MEMORY + cross / cross.norm().max(f32::MIN_POSITIVE);
            }
        }
        self.spectrum.fill(Complex::new(0.0, 0.0));
        for (to, agreed) in self.spectrum.iter_mut().zip(&self.agreed) {
            *to = *agreed;
        }
        self.back.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        let delays = self.spectrum.get(..HALF).unwrap_or_default();
        let best = delays.iter().map(Complex::norm_sqr).fold(0.0, f32::max);
        let mean = delays.iter().map(Complex::norm_sqr).sum::<f32>() / 4_096.0;
        (best / mean.max(f32::MIN_POSITIVE)).sqrt()
    }
}

/// A second of silence, and room for what comes before it is shortened again.
fn room() -> Vec<f32> {
    let mut room = Vec::with_capacity(LENGTH + BLOCK);
    room.resize(LENGTH, 0.0);
    room
}

fn push(decimator: &mut Decimator, block: &[f32; BLOCK], to: &mut Vec<f32>) {
    decimator.process(block, to);
    to.drain(..to.len().saturating_sub(LENGTH));
}

/// Mean square.
fn power(sound: &[f32]) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let length = sound.len().max(1) as f32;
    sound.iter().map(|sample| sample * sample).sum::<f32>() / length
}
