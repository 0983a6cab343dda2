//! Music on hold: a calm loop of twenty seconds, made at run time from a few chords.

use std::f32::consts::TAU;
use std::sync::OnceLock;

use crate::speech::Clip;

const RATE: usize = 16_000;
/// Samples between two notes.
const BEAT: usize = RATE * 5 / 8;
/// Samples that a note sounds.
const RING: usize = RATE * 5 / 2;

/// Four bars of broken chords (MIDI note numbers), played twice with another upper voice: 32 notes.
const NOTES: [u8; 32] = [
    48, 64, 67, 72, 45, 60, 64, 69, 53, 60, 65, 69, 55, 59, 62, 67, 48, 67, 72, 76, 45, 64, 69, 72,
    53, 65, 69, 72, 55, 62, 65, 71,
];

/// The loop; made once.
pub(crate) fn on_hold() -> Clip {
    static LOOP: OnceLock<Clip> = OnceLock::new();
    LOOP.get_or_init(|| Clip::new(compose())).clone()
}

/// The ringing tone of Dutch exchanges: 425 Hz for a second, four seconds of silence, of which a repetition makes one.
pub(crate) fn ringing() -> Clip {
    static TONE: OnceLock<Clip> = OnceLock::new();
    TONE.get_or_init(|| Clip::new(ring())).clone()
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn ring() -> Vec<f32> {
    let tone = (0..RATE).map(|at| 0.2 * (TAU * 425.0 * at as f32 / RATE as f32).sin());
    tone.chain(std::iter::repeat_n(0.0, 3 * RATE)).collect()
}

fn compose() -> Vec<f32> {
    let mut samples = vec![0.0; NOTES.len() * BEAT];
    for (beat, &note) in NOTES.iter().enumerate() {
        pluck(&mut samples, beat * BEAT, f32::from(note));
    }
    samples
}

/// Adds one soft note; what sounds on after the end goes on at the beginning, so that the loop has no seam.
#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn pluck(samples: &mut [f32], start: usize, note: f32) {
    let frequency = 440.0 * ((note - 69.0) / 12.0).exp2();
    let length = samples.len();
    for at in 0..RING {
        let seconds = at as f32 / RATE as f32;
        let rise = (seconds / 0.015).min(1.0);
        let fall = (-2.2 * seconds).exp() * (1.0 - at as f32 / RING as f32);
        let phase = TAU * frequency * seconds;
        let tone = phase.sin() + 0.3 * (2.0 * phase).sin() + 0.1 * (3.0 * phase).sin();
        if let Some(slot) = samples.get_mut((start + at) % length) {
            *slot += 0.12 * rise * fall * tone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_lasts_twenty_seconds_and_never_clips() {
        let samples = compose();
        assert_eq!(samples.len(), 20 * RATE);
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.1..0.7).contains(&peak), "peak {peak}");
        let seam = (samples[0] - samples[samples.len() - 1]).abs();
        assert!(seam < 0.05, "seam {seam}");
    }
}
