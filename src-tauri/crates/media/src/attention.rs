//! Short sounds that ask for attention: a queue is over its threshold, something must be known. Made here; played once.
//!
//! Inputs: what is to be told, and whether somebody talks meanwhile; he hears a soft beep and no more.

use std::f32::consts::TAU;

use audio::{BLOCK, SAMPLE_RATE};

/// What a sound tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alert {
    /// There is something that must be known.
    Notice,
    /// Something is over its first threshold.
    Warning,
    /// Something is over its last threshold.
    Alarm,
}

/// Loudest sample where nobody talks: about as loud as ringing.
const PEAK: f32 = 0.25;
/// And where somebody does: that of the tone that another caller waits.
const SOFT: f32 = 0.05;
/// Samples over which a note swells and dies: 5 ms.
const EDGE: usize = SAMPLE_RATE as usize / 200;
/// Samples of a note, and of the pause after it: 120 and 60 ms.
const NOTE: usize = SAMPLE_RATE as usize * 12 / 100;
const REST: usize = SAMPLE_RATE as usize * 6 / 100;

impl Alert {
    /// Its notes, in hertz; 0 is a rest.
    const fn notes(self) -> &'static [f32] {
        match self {
            Self::Notice => &[880.0],
            Self::Warning => &[660.0, 880.0],
            Self::Alarm => &[988.0, 988.0, 988.0, 0.0, 988.0, 988.0, 988.0],
        }
    }
}

/// Plays them, one at a time.
#[derive(Debug, Default)]
pub(crate) struct Attention {
    playing: Option<Playing>,
}

#[derive(Clone, Copy, Debug)]
struct Playing {
    alert: Alert,
    peak: f32,
    at: usize,
}

impl Attention {
    /// Plays that from its beginning; `talks`: somebody talks meanwhile. What weighs less than what plays is left out.
    pub(crate) fn begin(&mut self, alert: Alert, talks: bool) {
        if self.playing.is_some_and(|playing| playing.alert >= alert) {
            return;
        }
        self.playing = Some(Playing { alert, peak: if talks { SOFT } else { PEAK }, at: 0 });
    }

    /// Ends it.
    pub(crate) const fn end(&mut self) {
        self.playing = None;
    }

    pub(crate) const fn is_silent(&self) -> bool {
        self.playing.is_none()
    }

    /// From now on softly: a conversation has begun.
    pub(crate) fn soften(&mut self) {
        if let Some(playing) = &mut self.playing {
            playing.peak = SOFT;
        }
    }

    /// Adds 10 ms of it to what is played.
    pub(crate) fn mix(&mut self, block: &mut [f32; BLOCK]) {
        let Some(playing) = &mut self.playing else { return };
        for sample in block {
            *sample += playing.peak * sample_at(playing.alert.notes(), playing.at);
            playing.at += 1;
        }
        if playing.at >= playing.alert.notes().len() * (NOTE + REST) {
            self.playing = None;
        }
    }
}

fn sample_at(notes: &[f32], at: usize) -> f32 {
    let (note, within) = (at / (NOTE + REST), at % (NOTE + REST));
    let hz = notes.get(note).copied().unwrap_or_default();
    if within >= NOTE || hz <= 0.0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 5,760")]
    let (edge, time) =
        (within.min(NOTE - within).min(EDGE) as f32, within as f32 / SAMPLE_RATE as f32);
    #[expect(clippy::cast_precision_loss, reason = "240")]
    let gain = edge / EDGE as f32;
    gain * (TAU * hz * time).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays to the end.
    fn heard(attention: &mut Attention) -> Vec<f32> {
        let mut sound = Vec::new();
        while !attention.is_silent() {
            let mut block = [0.0; BLOCK];
            attention.mix(&mut block);
            sound.extend(block);
        }
        sound
    }

    fn peak(sound: &[f32]) -> f32 {
        sound.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
    }

    #[test]
    fn each_is_heard_once_without_a_click_and_softly_in_a_conversation() {
        for (alert, notes) in [(Alert::Notice, 1), (Alert::Warning, 2), (Alert::Alarm, 7)] {
            for (talks, loud) in [(false, PEAK), (true, SOFT)] {
                let mut attention = Attention::default();
                attention.begin(alert, talks);
                let sound = heard(&mut attention);
                assert_eq!(sound.len(), notes * 180 * 48, "{alert:?}");
                assert!((peak(&sound) - loud).abs() < 0.01 * loud + 0.001, "{alert:?}");
                let step = sound.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
                assert!(step < 0.14 * loud, "{alert:?}: {step}");
            }
        }
    }

    #[test]
    fn what_weighs_more_interrupts_and_what_weighs_less_does_not() {
        let mut attention = Attention::default();
        attention.begin(Alert::Warning, false);
        attention.mix(&mut [0.0; BLOCK]);
        attention.begin(Alert::Notice, false);
        attention.begin(Alert::Warning, false);
        assert_eq!(heard(&mut attention).len(), 2 * 180 * 48 - BLOCK);
        attention.begin(Alert::Notice, false);
        attention.begin(Alert::Alarm, false);
        assert_eq!(heard(&mut attention).len(), 7 * 180 * 48);
        // A conversation that begins meanwhile is not talked over.
        attention.begin(Alert::Alarm, false);
        attention.soften();
        assert!(peak(&heard(&mut attention)) <= SOFT + 1e-6);
        attention.begin(Alert::Alarm, false);
        attention.end();
        assert!(attention.is_silent());
    }
}
