//! Whether the microphone gives any sound at all: one that is switched off by its own key, or kept from us by the system,
//! gives silence to the last bit, and whoever talks is not told.

use audio::BLOCK;

/// That many blocks without a sound are no pause of a talker's: 1.7 s.
const SILENT: u32 = 170;
/// What the last bit of a device with 16 of them may do by itself; every open microphone does more.
const LAST_BIT: f32 = 1.5 / 32_768.0;

/// Watches one microphone while somebody listens.
#[derive(Debug, Default)]
pub(crate) struct SilenceWatch {
    blocks: u32,
    silent: bool,
}

impl SilenceWatch {
    /// Takes 10 ms of the microphone, as it gives them. `used`: somebody should hear it. Gives news: it is silent, or no
    /// longer (or nobody listens any more).
    pub(crate) fn observe(&mut self, block: &[f32; BLOCK], used: bool) -> Option<bool> {
        let sounds = block.iter().any(|sample| sample.abs() > LAST_BIT);
        self.blocks = if used && !sounds { self.blocks + 1 } else { 0 };
        let silent = self.blocks >= SILENT;
        (silent != self.silent).then(|| {
            self.silent = silent;
            silent
        })
    }
}

impl SilenceWatch {
    /// It gives nothing though somebody should hear it.
    pub(crate) const fn is_silent(&self) -> bool {
        self.silent
    }
}

/// The largest value that a microphone gives; what is louder is cut off there.
const LIMIT: f32 = 0.999;
/// Samples at the limit in a block that are no accident: 0.1 ms.
const CUT: usize = 5;
/// Blocks of a window: 5 s.
const WINDOW: u16 = 500;
/// Blocks of it that are cut off before that is heard as a harsh voice: 0.3 s.
const HARSH: u16 = 30;

/// Whether what is said is too loud for the microphone's device.
#[derive(Debug, Default)]
pub(crate) struct ClippingWatch {
    blocks: u16,
    cut: u16,
    clips: bool,
}

impl ClippingWatch {
    /// Takes 10 ms of the microphone, as it gives them. It clips from the block on that makes it too many in a window, and
    /// no longer after a window with hardly any.
    pub(crate) fn observe(&mut self, block: &[f32; BLOCK]) {
        let at_limit = block.iter().filter(|sample| sample.abs() >= LIMIT).count();
        self.cut += u16::from(at_limit >= CUT);
        self.blocks += 1;
        self.clips |= self.cut >= HARSH;
        if self.blocks >= WINDOW {
            self.clips = self.cut >= HARSH / 2 && self.clips;
            (self.blocks, self.cut) = (0, 0);
        }
    }

    pub(crate) const fn clips(&self) -> bool {
        self.clips
    }
}

/// How far a test of the microphone is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestStage {
    /// There is none.
    #[default]
    Off,
    /// What the user says is taken down.
    Listening,
    /// It is played to him.
    Playing,
}

/// A test takes down that much: 4 s.
const TRIAL: usize = 400 * BLOCK;

/// A test of the microphone: what is said for some seconds is played back, as others would hear it.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    stage: TestStage,
    sound: Vec<f32>,
    at: usize,
    told: TestStage,
}

impl Trial {
    /// Begins one anew, with room that was made off the DSP thread; none ends it.
    pub(crate) fn set(&mut self, room: Option<Vec<f32>>) {
        self.stage = if room.is_some() { TestStage::Listening } else { TestStage::Off };
        (self.sound, self.at) = (room.unwrap_or_default(), 0);
    }

    /// Room for one.
    pub(crate) fn room() -> Vec<f32> {
        Vec::with_capacity(TRIAL)
    }

    pub(crate) fn is_on(&self) -> bool {
        self.stage != TestStage::Off
    }

    /// Takes 10 ms of the microphone, or gives 10 ms for the speaker.
    pub(crate) fn turn(&mut self, microphone: &[f32; BLOCK], speaker: &mut [f32; BLOCK]) {
        match self.stage {
            TestStage::Off => {}
            TestStage::Listening => {
                self.sound.extend_from_slice(microphone);
                if self.sound.len() >= TRIAL {
                    self.stage = TestStage::Playing;
                }
            }
            TestStage::Playing => {
                let rest = self.sound.get(self.at..self.at + BLOCK).unwrap_or_default();
                for (to, from) in speaker.iter_mut().zip(rest) {
                    *to += from;
                }
                self.at += BLOCK;
                if self.at >= self.sound.len() {
                    self.stage = TestStage::Off;
                }
            }
        }
    }

    /// How far it is, when that is news.
    pub(crate) fn news(&mut self) -> Option<TestStage> {
        (self.told != self.stage).then(|| {
            self.told = self.stage;
            self.stage
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_in_a_test_is_played_back_once() {
        let mut trial = Trial::default();
        let mut speaker = [0.0; BLOCK];
        trial.turn(&[0.5; BLOCK], &mut speaker);
        assert!(!trial.is_on() && speaker == [0.0; BLOCK]);
        trial.set(Some(Trial::room()));
        assert_eq!(trial.news(), Some(TestStage::Listening));
        for block in 0_u16..400 {
            trial.turn(&[f32::from(block) / 400.0; BLOCK], &mut speaker);
            assert_eq!(speaker, [0.0; BLOCK], "nobody hears himself while he speaks");
        }
        assert_eq!(trial.news(), Some(TestStage::Playing));
        for block in 0_u16..400 {
            let mut speaker = [0.0; BLOCK];
            trial.turn(&[1.0; BLOCK], &mut speaker);
            assert_eq!(speaker, [f32::from(block) / 400.0; BLOCK]);
        }
        assert_eq!((trial.news(), trial.news()), (Some(TestStage::Off), None));
    }

    #[test]
    fn a_voice_that_is_cut_off_for_long_clips_and_a_loud_one_does_not() {
        let mut watch = ClippingWatch::default();
        let (loud, mut cut) = ([0.9; BLOCK], [0.5; BLOCK]);
        cut[100..110].fill(-1.0);
        for _ in 0..1_000 {
            watch.observe(&loud);
        }
        // One shout.
        (0..20).for_each(|_| watch.observe(&cut));
        assert!(!watch.clips());
        (0..30).for_each(|_| watch.observe(&cut));
        assert!(watch.clips());
        // It lasts until a whole window is better.
        (0..WINDOW - 50).for_each(|_| watch.observe(&loud));
        assert!(watch.clips());
        (0..WINDOW).for_each(|_| watch.observe(&loud));
        assert!(!watch.clips());
    }

    #[test]
    fn silence_is_told_within_two_seconds_and_its_end_at_once() {
        let mut watch = SilenceWatch::default();
        let (nothing, noise) = ([0.0; BLOCK], [0.000_1; BLOCK]);
        let mut news = |block: &[f32; BLOCK], used, blocks: u32| {
            (0..blocks).find_map(|n| watch.observe(block, used).map(|silent| (n, silent)))
        };
        assert_eq!(news(&noise, true, 1_000), None, "a quiet room is no silence");
        let (at, silent) = news(&nothing, true, 200).unwrap();
        assert!(silent && at < 200, "{at} blocks");
        assert_eq!(news(&nothing, true, 1_000), None, "it is told once");
        assert_eq!(news(&noise, true, 1), Some((0, false)));
        // While nobody listens silence is nobody's business, and it ends with the call.
        assert_eq!(news(&nothing, false, 1_000), None);
        assert!(news(&nothing, true, 200).unwrap().1);
        assert_eq!(news(&nothing, false, 1), Some((0, false)));
    }
}
