//! Whether the microphone gives any sound at all: one that is switched off by its own key, or kept from us by the system,
//! gives silence to the last bit, and whoever talks is not told.

use audio::BLOCK;

/// That many blocks without a sound are no pause of a talker's: 1.7 s.
const SILENT: u32 = 170;
/// What the last bit of a device with 16 of them may do by itself; every open microphone does more.
const LAST_BIT: f32 = 1.5 / 32_768.0;

/// Who should hear the microphone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Listener {
    #[default]
    Nobody,
    /// The other side of a call.
    Call,
    /// Its user, in a test.
    Test,
}

/// Watches one microphone while somebody listens.
#[derive(Debug, Default)]
pub(crate) struct SilenceWatch {
    blocks: u32,
    silent: bool,
    last: Listener,
}

impl SilenceWatch {
    /// Takes 10 ms of the microphone, as it gives them. Gives news: it is silent, or no longer (or the call is over). What
    /// a test has shown stands after it: the test is short, and made to be read.
    pub(crate) fn observe(&mut self, block: &[f32; BLOCK], listener: Listener) -> Option<bool> {
        let sounds = block.iter().any(|sample| sample.abs() > LAST_BIT);
        let stands = self.silent && self.last == Listener::Test;
        self.blocks = match listener {
            _ if sounds => 0,
            Listener::Nobody if stands => self.blocks,
            Listener::Nobody => 0,
            Listener::Call | Listener::Test => self.blocks.saturating_add(1),
        };
        if listener != Listener::Nobody {
            self.last = listener;
        }
        self.news()
    }

    /// Another microphone is used from now on. News as above.
    pub(crate) fn begin_anew(&mut self) -> Option<bool> {
        self.blocks = 0;
        self.news()
    }

    fn news(&mut self) -> Option<bool> {
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
    use Listener::{Call, Nobody, Test};

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
        let mut news = |block: &[f32; BLOCK], listener, blocks: u32| {
            (0..blocks).find_map(|n| watch.observe(block, listener).map(|silent| (n, silent)))
        };
        assert_eq!(news(&noise, Call, 1_000), None, "a quiet room is no silence");
        let (at, silent) = news(&nothing, Call, 200).unwrap();
        assert!(silent && at < 200, "{at} blocks");
        assert_eq!(news(&nothing, Call, 1_000), None, "it is told once");
        assert_eq!(news(&noise, Call, 1), Some((0, false)));
        // While nobody listens silence is nobody's business, and it ends with the call.
        assert_eq!(news(&nothing, Nobody, 1_000), None);
        assert!(news(&nothing, Call, 200).unwrap().1);
        assert_eq!(news(&nothing, Nobody, 1), Some((0, false)));
    }

    #[test]
    fn a_dead_microphone_is_told_in_a_test_and_after_it_until_it_lives_or_another_is_used() {
        let (nothing, noise) = ([0.0; BLOCK], [0.000_1; BLOCK]);
        let dead = || {
            // As long as a test listens: 4 s.
            let mut watch = SilenceWatch::default();
            let news = (0..400).find_map(|_| watch.observe(&nothing, Test));
            assert_eq!(news, Some(true));
            watch
        };
        let mut watch = dead();
        assert!((0..1_000).all(|_| watch.observe(&nothing, Nobody).is_none()), "it stands");
        assert!((0..1_000).all(|_| watch.observe(&nothing, Call).is_none()), "and in a call");
        assert_eq!(watch.observe(&nothing, Nobody), Some(false), "that is over");
        let mut watch = dead();
        assert_eq!(watch.observe(&noise, Nobody), Some(false));
        assert_eq!(dead().begin_anew(), Some(false));
        assert_eq!(SilenceWatch::default().begin_anew(), None);
    }
}
