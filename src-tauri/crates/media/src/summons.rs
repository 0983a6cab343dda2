//! What calls the user to the telephone on devices of their own: ringing, and alerts.
//!
//! Inputs: what is to play, whether a device of its plays yet, the time. Each waits for its first device, a second at most,
//! so that its first burst is heard whole.

use std::time::Instant;

use audio::BLOCK;

use crate::attention::{Alert, Attention};
use crate::speaker_start::SpeakerStart;
use crate::tone::{Ringing, TonePlayer};
use crate::{Tone, TonePlan};

/// What goes to the devices that ring.
#[derive(Default)]
pub(crate) struct Rings {
    ringing: Option<Box<Ringing>>,
    start: SpeakerStart,
}

impl Rings {
    /// Rings so from now on; `None` ends it.
    pub(crate) fn set(&mut self, now: Instant, ringing: Option<Box<Ringing>>) {
        if self.ringing.is_none() {
            self.start.path_opened(now);
        }
        self.ringing = ringing;
    }

    pub(crate) const fn are_silent(&self) -> bool {
        self.ringing.is_none()
    }

    /// The next 10 ms for every device; `None` while there is nothing to play, or no device plays yet (`plays`: one does).
    pub(crate) fn next(&mut self, now: Instant, plays: bool) -> Option<[f32; BLOCK]> {
        let ringing = self.ringing.as_mut()?;
        if self.start.holds(now, plays) {
            return None;
        }
        let mut block = [0.0; BLOCK];
        ringing.fill(&mut block);
        Some(block)
    }
}

/// What goes to the device for alerts.
#[derive(Default)]
pub(crate) struct Alerts {
    player: TonePlayer,
    attention: Attention,
    start: SpeakerStart,
    /// Its device is wanted.
    wanted: bool,
}

impl Alerts {
    /// Sounds so from now on. Whether its device is needed, where that is news.
    pub(crate) fn set(&mut self, now: Instant, tone: Tone) -> Option<bool> {
        self.player.set(tone);
        self.news(now)
    }

    /// Asks for attention once; `talks`: somebody talks meanwhile. As [`Self::set`].
    pub(crate) fn begin(&mut self, now: Instant, alert: Alert, talks: bool) -> Option<bool> {
        self.attention.begin(alert, talks);
        self.news(now)
    }

    /// What asks for attention ends.
    pub(crate) fn end(&mut self, now: Instant) -> Option<bool> {
        self.attention.end();
        self.news(now)
    }

    /// A conversation has begun.
    pub(crate) fn soften(&mut self) {
        self.attention.soften();
    }

    /// Whether its device is needed, where that is news since it was asked last: a sound may have ended.
    pub(crate) fn news(&mut self, now: Instant) -> Option<bool> {
        let wanted = !self.is_silent();
        if wanted == self.wanted {
            return None;
        }
        if wanted {
            self.start.path_opened(now);
        }
        self.wanted = wanted;
        Some(wanted)
    }

    /// The tone that sounds until it is ended.
    pub(crate) const fn tone(&self) -> Tone {
        self.player.tone()
    }

    pub(crate) fn set_plan(&mut self, plan: TonePlan) {
        self.player.set_plan(plan);
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.player.is_silent() && self.attention.is_silent()
    }

    /// As [`Rings::next`].
    pub(crate) fn next(&mut self, now: Instant, plays: bool) -> Option<[f32; BLOCK]> {
        if self.is_silent() || self.start.holds(now, plays) {
            return None;
        }
        let mut block = [0.0; BLOCK];
        self.player.mix(&mut block);
        self.attention.mix(&mut block);
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::RingTone;

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn base() -> Instant {
        Instant::now()
    }

    fn ring() -> Option<Box<Ringing>> {
        Some(Box::new(Ringing::new(&RingTone::Bell).unwrap()))
    }

    /// What a device gets that plays after so many ms, and the tick of the first.
    fn heard(
        opening: u64,
        mut next: impl FnMut(Instant, bool) -> Option<[f32; BLOCK]>,
    ) -> (u64, Vec<f32>) {
        let start = base();
        let (mut first, mut sound) = (None, Vec::new());
        for tick in 0..200 {
            let now = start + Duration::from_millis(tick * 10);
            if let Some(block) = next(now, tick * 10 >= opening) {
                first.get_or_insert(tick);
                sound.extend(block);
            }
        }
        (first.unwrap(), sound)
    }

    #[test]
    fn the_first_burst_of_ringing_waits_for_its_device_and_is_whole() {
        let mut whole = vec![0.0; 100 * BLOCK];
        let mut ringing = ring().unwrap();
        for block in whole.as_chunks_mut::<BLOCK>().0 {
            ringing.fill(block);
        }
        for (opening, first) in [(0, 0), (350, 35), (5_000, 100)] {
            let mut rings = Rings::default();
            rings.set(base(), ring());
            let (tick, sound) = heard(opening, |now, plays| rings.next(now, plays));
            assert!(tick.abs_diff(first) <= 1, "{opening} ms: {tick}");
            assert_eq!(sound[..48 * BLOCK], whole[..48 * BLOCK], "{opening} ms");
        }
        // Another ring while one rings waits for nothing.
        let (now, mut rings) = (base(), Rings::default());
        rings.set(now, ring());
        assert!(rings.next(now, true).is_some());
        rings.set(now, ring());
        assert!(rings.next(now, false).is_some());
        rings.set(now, None);
        assert!(rings.are_silent() && rings.next(now, true).is_none());
    }

    #[test]
    fn the_first_burst_of_an_alert_waits_for_its_device_and_is_whole() {
        for (opening, first) in [(0, 0), (350, 35), (5_000, 100)] {
            let mut alerts = Alerts::default();
            assert_eq!(alerts.set(base(), Tone::CallWaiting), Some(true));
            let (tick, sound) = heard(opening, |now, plays| alerts.next(now, plays));
            assert!(tick.abs_diff(first) <= 1, "{opening} ms: {tick}");
            let loud = |block: &[f32]| block.iter().any(|sample| sample.abs() > 0.01);
            let burst = sound.chunks(BLOCK).take_while(|block| loud(block)).count();
            assert_eq!(burst, 50, "{opening} ms");
        }
        let mut alerts = Alerts::default();
        assert_eq!(alerts.begin(base(), Alert::Warning, false), Some(true));
        let (tick, sound) = heard(350, |now, plays| alerts.next(now, plays));
        assert_eq!((tick, sound.len()), (35, 36 * BLOCK), "two notes and no more");
        assert_eq!((alerts.news(base()), alerts.news(base())), (Some(false), None));
        let mut alerts = Alerts::default();
        assert_eq!(alerts.set(base(), Tone::None), None);
        alerts.set(base(), Tone::CallWaiting);
        assert_eq!(alerts.set(base(), Tone::None), Some(false));
        assert!(alerts.next(base(), true).is_none());
    }
}
