//! How a call sounds, steadily enough to be shown and said: what changes every second is no news.
//!
//! Input: once a second what the media engine measures. The level and the cause each move only when the new one has
//! lasted, sooner to bad than back.

use std::time::{Duration, Instant};

use media::{Cause, DelayParts, StreamStats, TrafficStats};

use crate::view::QualityLevel;
use crate::view::quality::{CallDelay, CallFigures, QualityCause, SoundFigures};

/// Bad sound that lasts so long is told.
const WORSE: Duration = Duration::from_secs(3);
/// Better sound must last longer.
const BETTER: Duration = Duration::from_secs(6);
/// By so much the score must be better than the limit of a level to get back to it.
const MARGIN: f64 = 0.1;
/// A delay that differs by less is the same.
const SAME_DELAY: u32 = 20;

/// What is shown of one call's sound.
#[derive(Debug, Default)]
pub(super) struct QualityWatch {
    level: Steady<QualityLevel>,
    cause: Steady<Option<QualityCause>>,
    delay: CallDelay,
    figures: CallFigures,
    /// Since when others were measured than are shown.
    figures_wrong: Option<Instant>,
}

impl QualityWatch {
    pub(super) fn level(&self) -> QualityLevel {
        self.level.shown
    }

    /// Why the sound is bad; `None` while it is not.
    pub(super) fn cause(&self) -> Option<QualityCause> {
        self.cause.shown
    }

    pub(super) fn delay(&self) -> CallDelay {
        self.delay
    }

    pub(super) fn figures(&self) -> CallFigures {
        self.figures
    }

    /// Takes what was measured; true when something else is shown now.
    pub(super) fn observe(&mut self, now: Instant, stats: &StreamStats, no_sound: bool) -> bool {
        let heard = [stats.rx.mos, stats.tx.mos].into_iter().flatten().reduce(f64::min);
        let level = level_of(heard, self.level.shown);
        let patience = match (self.level.shown, rank(level) < rank(self.level.shown)) {
            (QualityLevel::Unknown, _) => Duration::ZERO,
            (_, true) => WORSE,
            (_, false) => BETTER,
        };
        let mut changed = self.level.offer(now, level, patience);
        let seen = &stats.evidence;
        let bad = self.level.shown == QualityLevel::Poor
            || no_sound
            || seen.microphone_silent
            || seen.microphone_clips;
        let cause = bad.then(|| cause_view(seen.cause()));
        // The level has waited already.
        let patience = match (self.cause.shown, cause) {
            (None, _) if self.level.shown == QualityLevel::Poor || no_sound => Duration::ZERO,
            (None, _) => WORSE,
            (Some(_), _) => BETTER,
        };
        changed |= self.cause.offer(now, cause, patience);
        let delay = CallDelay {
            rx_ms: steady_delay(self.delay.rx_ms, &stats.rx.delay),
            tx_ms: steady_delay(self.delay.tx_ms, &stats.tx.delay),
        };
        changed |= delay != self.delay;
        self.delay = delay;
        changed | self.follow_figures(now, steady_figures(&self.figures, stats), changed)
    }
}

impl QualityWatch {
    /// Shows other figures with other news, or once those that are shown have been wrong for a while.
    fn follow_figures(&mut self, now: Instant, figures: CallFigures, news: bool) -> bool {
        if figures == self.figures {
            self.figures_wrong = None;
            return false;
        }
        let since = *self.figures_wrong.get_or_insert(now);
        let first = self.figures == CallFigures::default();
        let due = news || first || now.saturating_duration_since(since) >= BETTER;
        if due {
            (self.figures, self.figures_wrong) = (figures, None);
        }
        due
    }
}

/// A value that is shown, and another one that must last before it is.
#[derive(Debug, Default)]
struct Steady<T> {
    shown: T,
    next: Option<(T, Instant)>,
}

impl<T: Copy + PartialEq> Steady<T> {
    fn offer(&mut self, now: Instant, value: T, patience: Duration) -> bool {
        if value == self.shown {
            self.next = None;
            return false;
        }
        let since = match self.next {
            Some((next, since)) if next == value => since,
            _ => now,
        };
        self.next = Some((value, since));
        let due = now.saturating_duration_since(since) >= patience;
        if due {
            (self.shown, self.next) = (value, None);
        }
        due
    }
}

fn rank(level: QualityLevel) -> u8 {
    match level {
        QualityLevel::Poor => 0,
        QualityLevel::Fair => 1,
        QualityLevel::Good => 2,
        QualityLevel::Unknown => 3,
    }
}

/// The level of a score; a better one than is shown needs a margin.
fn level_of(mos: Option<f64>, shown: QualityLevel) -> QualityLevel {
    let plain = |mos: f64| match mos {
        mos if mos >= 4.0 => QualityLevel::Good,
        mos if mos >= 3.1 => QualityLevel::Fair,
        _ => QualityLevel::Poor,
    };
    let Some(mos) = mos else { return QualityLevel::Unknown };
    let level = plain(mos);
    if shown != QualityLevel::Unknown && rank(level) > rank(shown) {
        let sure = plain(mos - MARGIN);
        return if rank(sure) > rank(shown) { sure } else { shown };
    }
    level
}

fn steady_delay(shown: Option<u32>, delay: &DelayParts) -> Option<u32> {
    let ms = u32::try_from(delay.total()?.as_millis()).unwrap_or(u32::MAX);
    let same = shown.filter(|shown| shown.abs_diff(ms) < SAME_DELAY);
    same.or(Some(ms.saturating_add(5) / 10 * 10))
}

fn steady_figures(shown: &CallFigures, stats: &StreamStats) -> CallFigures {
    let seen = &stats.evidence;
    let buffer = (stats.rx.packets > 0).then_some(stats.jitter_buffer_ms);
    CallFigures {
        rx: steady_sound(&shown.rx, &stats.rx, seen.lost_in),
        tx: steady_sound(&shown.tx, &stats.tx, seen.lost_out),
        round_trip_ms: steady_ms(shown.round_trip_ms, stats.rtt_ms, 10.0),
        buffer_ms: steady_ms(shown.buffer_ms, buffer, 10.0),
    }
}

fn steady_sound(shown: &SoundFigures, stats: &TrafficStats, lost: Option<f32>) -> SoundFigures {
    let percent = lost.map(|share| f64::from(share) * 100.0);
    SoundFigures {
        mos: steady_value(shown.mos, stats.mos, 0.1),
        loss_percent: steady_value(shown.loss_percent, percent, 0.5),
        jitter_ms: steady_ms(shown.jitter_ms, stats.jitter_ms, 5.0),
    }
}

/// What is shown stands until the value is a whole step away; then the nearest step is shown.
fn steady_value(shown: Option<f64>, value: Option<f64>, step: f64) -> Option<f64> {
    let value = value.filter(|value| value.is_finite())?;
    let same = shown.filter(|shown| (shown - value).abs() < step);
    // Division by the number of steps in one, so that tenths are printed as such.
    same.or_else(|| Some((value / step).round() / (1.0 / step).round()))
}

fn steady_ms(shown: Option<u32>, value: Option<f64>, step: f64) -> Option<u32> {
    let value = value.filter(|value| value.is_finite())?;
    let same = shown.filter(|shown| (f64::from(*shown) - value).abs() < step);
    same.or_else(|| Some(((value / step).round() * step) as u32))
}

fn cause_view(cause: Cause) -> QualityCause {
    match cause {
        Cause::Unknown => QualityCause::Unknown,
        Cause::OurSide => QualityCause::OurSide,
        Cause::TheirSide => QualityCause::TheirSide,
        Cause::NetworkIn => QualityCause::NetworkIn,
        Cause::NetworkOut => QualityCause::NetworkOut,
        Cause::Network => QualityCause::Network,
        Cause::MicrophoneSilent => QualityCause::MicrophoneSilent,
        Cause::MicrophoneClips => QualityCause::MicrophoneClips,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::Evidence;

    struct Call {
        now: Instant,
        watch: QualityWatch,
    }

    impl Call {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        fn new() -> Call {
            Call { now: Instant::now(), watch: QualityWatch::default() }
        }

        /// So many seconds of such sound; how often something else was shown.
        fn run(&mut self, seconds: u32, stats: &StreamStats) -> u32 {
            let mut changes = 0;
            for _ in 0..seconds {
                self.now += Duration::from_secs(1);
                changes += u32::from(self.watch.observe(self.now, stats, false));
            }
            changes
        }

        fn shown(&self) -> (QualityLevel, Option<QualityCause>) {
            (self.watch.level(), self.watch.cause())
        }
    }

    fn sound(rx: Option<f64>, tx: Option<f64>, evidence: Evidence) -> StreamStats {
        let mut stats = StreamStats { evidence, ..StreamStats::default() };
        (stats.rx.mos, stats.tx.mos) = (rx, tx);
        stats
    }

    #[test]
    fn the_worse_direction_counts_and_its_cause_is_named_once_it_lasts() {
        let mut call = Call::new();
        let nothing = Evidence::default();
        assert_eq!(call.run(5, &sound(None, None, nothing)), 0);
        assert_eq!(call.run(1, &sound(Some(4.4), None, nothing)), 1);
        assert_eq!(call.shown(), (QualityLevel::Good, None));
        let lossy = Evidence { lost_out: Some(0.2), ..nothing };
        let bad = sound(Some(4.4), Some(2.4), lossy);
        assert_eq!(call.run(3, &bad), 0, "three seconds have not gone by");
        assert_eq!(call.run(1, &bad), 1);
        assert_eq!(call.shown(), (QualityLevel::Poor, Some(QualityCause::NetworkOut)));
        assert_eq!(call.run(600, &bad), 0);
        let good = sound(Some(4.4), Some(4.3), nothing);
        assert_eq!(call.run(6, &good), 0);
        call.run(8, &good);
        assert_eq!(call.shown(), (QualityLevel::Good, None));
    }

    #[test]
    fn sound_that_comes_and_goes_makes_no_chatter() {
        let mut call = Call::new();
        let nothing = Evidence::default();
        call.run(1, &sound(Some(4.4), None, nothing));
        let mut changes = 0;
        for _ in 0..60 {
            changes += call.run(2, &sound(Some(2.0), None, nothing));
            changes += call.run(2, &sound(Some(4.4), None, nothing));
        }
        assert_eq!(changes, 0);
        // Around a limit it stays where it came from.
        call.run(5, &sound(Some(3.95), None, nothing));
        assert_eq!(call.watch.level(), QualityLevel::Fair);
        assert_eq!(call.run(60, &sound(Some(4.05), None, nothing)), 0);
        call.run(10, &sound(Some(4.15), None, nothing));
        assert_eq!(call.watch.level(), QualityLevel::Good);
    }

    #[test]
    fn a_cause_that_changes_must_last_and_an_open_one_is_unknown() {
        let mut call = Call::new();
        let (nothing, late) =
            (Evidence::default(), Evidence { machine_late: true, ..Default::default() });
        call.run(5, &sound(Some(2.0), None, nothing));
        assert_eq!(call.shown(), (QualityLevel::Poor, Some(QualityCause::Unknown)));
        call.run(3, &sound(Some(2.0), None, late));
        assert_eq!(call.watch.cause(), Some(QualityCause::Unknown));
        call.run(5, &sound(Some(2.0), None, late));
        assert_eq!(call.watch.cause(), Some(QualityCause::OurSide));
    }

    #[test]
    fn a_microphone_is_named_however_good_the_line_is() {
        let mut call = Call::new();
        let clips = Evidence { microphone_clips: true, ..Evidence::default() };
        call.run(3, &sound(Some(4.4), None, clips));
        assert_eq!(call.shown(), (QualityLevel::Good, None));
        call.run(2, &sound(Some(4.4), None, clips));
        assert_eq!(call.shown(), (QualityLevel::Good, Some(QualityCause::MicrophoneClips)));
    }

    #[test]
    fn figures_are_rounded_unknown_where_nothing_is_told_and_no_news_while_they_waver() {
        let mut call = Call::new();
        let of = |mos, lost, jitter| {
            let evidence = Evidence { lost_in: Some(lost), ..Evidence::default() };
            let mut stats = sound(Some(mos), None, evidence);
            stats.rx.jitter_ms = Some(jitter);
            stats
        };
        assert_eq!(call.run(1, &StreamStats::default()), 0);
        assert_eq!(call.watch.figures(), CallFigures::default(), "nothing is known");
        assert_eq!(call.run(1, &of(4.37, 0.0, 3.0)), 1);
        let heard = |mos, loss, jitter| CallFigures {
            rx: SoundFigures { mos: Some(mos), loss_percent: Some(loss), jitter_ms: Some(jitter) },
            ..CallFigures::default()
        };
        assert_eq!(call.watch.figures(), heard(4.4, 0.0, 5));
        // An hour of small changes is no news.
        for second in 0..3_600_u16 {
            let sway = f64::from(second % 7) - 3.0;
            let lost = f32::from(second % 3) * 0.001;
            assert_eq!(call.run(1, &of(4.4 + sway * 0.02, lost, 5.0 + sway)), 0, "{second}");
        }
        assert_eq!(call.run(6, &of(4.4, 0.026, 31.0)), 0, "they must last");
        assert_eq!(call.run(1, &of(4.4, 0.026, 31.0)), 1);
        assert_eq!(call.watch.figures(), heard(4.4, 2.5, 30));
        assert_eq!(call.run(7, &of(4.23, 0.026, 31.0)), 1);
        assert_eq!(call.watch.figures().rx.mos, Some(4.2));
        let text = serde_json::to_string(&call.watch.figures()).unwrap();
        assert!(text.contains("\"mos\":4.2,\"loss_percent\":2.5"), "{text}");
        // What is told no longer is unknown again.
        call.run(7, &StreamStats::default());
        assert_eq!(call.watch.figures(), CallFigures::default());
    }

    #[test]
    fn the_round_trip_the_buffer_and_the_other_side_are_told_where_they_are_known() {
        let mut call = Call::new();
        let mut stats =
            sound(None, Some(3.9), Evidence { lost_out: Some(0.1), ..Evidence::default() });
        (stats.rtt_ms, stats.jitter_buffer_ms) = (Some(83.0), 41.0);
        (stats.tx.jitter_ms, stats.rx.packets) = (Some(12.0), 50);
        call.run(1, &stats);
        let figures = call.watch.figures();
        assert_eq!((figures.round_trip_ms, figures.buffer_ms), (Some(80), Some(40)));
        let said = SoundFigures { mos: Some(3.9), loss_percent: Some(10.0), jitter_ms: Some(10) };
        assert_eq!((figures.rx, figures.tx), (SoundFigures::default(), said));
        stats.rtt_ms = Some(f64::NAN);
        call.run(7, &stats);
        assert_eq!(call.watch.figures().round_trip_ms, None);
    }

    #[test]
    fn delay_is_told_in_tens_and_only_when_it_is_another() {
        let mut call = Call::new();
        let of = |ms| {
            let ms = Some(Duration::from_millis(ms));
            let parts =
                DelayParts { capture: ms, frame: ms, network: ms, buffer: ms, playback: ms };
            let mut stats = StreamStats::default();
            stats.rx.delay = parts;
            stats.tx.delay = DelayParts { playback: None, ..parts };
            stats
        };
        assert_eq!(call.run(1, &of(17)), 1);
        assert_eq!(call.watch.delay(), CallDelay { rx_ms: Some(90), tx_ms: None });
        assert_eq!(call.run(1, &of(15)), 0);
        assert_eq!(call.run(1, &of(22)), 1);
        assert_eq!(call.watch.delay().rx_ms, Some(110));
    }
}
