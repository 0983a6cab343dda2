//! When a queue that is over its threshold is to be heard, and what must be known: once for each change to the worse.
//!
//! Inputs: how bad a queue stands, as often as it is looked at; severe notices; time. A figure that wavers around its
//! threshold is heard once a minute at most, notices once in ten seconds. [`AlarmSounds`] knows no sound.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use media::Alert;

use super::desk::Desk;
use crate::code::Code;
use crate::config::AudioSettings;
use crate::control::{Answer, ErrorReply};
use crate::view::queue::SeverityName;

/// The same queue is heard again at the same height after this long at the earliest.
const AGAIN: Duration = Duration::from_secs(60);
/// The same for notices.
const NOTICES: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct AlarmSounds {
    queues: HashMap<(String, String), Heard>,
    notice: Option<Instant>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    severity: SeverityName,
    /// When it was heard last that it is over its first and its last threshold.
    warning: Option<Instant>,
    alarm: Option<Instant>,
}

impl AlarmSounds {
    /// A queue of an account stands so. What is to be heard.
    pub(super) fn queue(
        &mut self,
        now: Instant,
        account: &str,
        queue: &str,
        severity: SeverityName,
    ) -> Option<Alert> {
        let key = (account.to_owned(), queue.to_owned());
        let heard = self.queues.entry(key).or_default();
        let worse = severity > heard.severity;
        heard.severity = severity;
        let (alert, last) = match severity {
            SeverityName::Normal => return None,
            SeverityName::Yellow => (Alert::Warning, &mut heard.warning),
            SeverityName::Red => (Alert::Alarm, &mut heard.alarm),
        };
        let rests = last.is_some_and(|last| now < last + AGAIN);
        if !worse || rests {
            return None;
        }
        *last = Some(now);
        Some(alert)
    }

    /// The queue is gone.
    pub(super) fn forget(&mut self, account: &str, queue: &str) {
        self.queues.remove(&(account.to_owned(), queue.to_owned()));
    }

    /// Something severe is to be known.
    pub(super) fn notice(&mut self, now: Instant) -> Option<Alert> {
        if self.notice.is_some_and(|last| now < last + NOTICES) {
            return None;
        }
        self.notice = Some(now);
        Some(Alert::Notice)
    }
}

/// Whether queues over their thresholds are heard.
pub(super) fn queues_are_heard(audio: &AudioSettings) -> bool {
    audio.queue_alarms.unwrap_or(true)
}

/// Whether severe notices are.
pub(super) fn notices_are_heard(audio: &AudioSettings) -> bool {
    audio.notice_sounds.unwrap_or(true)
}

impl Desk {
    /// A queue stands so; it is heard where it has become worse.
    pub(super) fn hear_queue(
        &mut self,
        now: Instant,
        account: &str,
        queue: &str,
        severity: Option<SeverityName>,
    ) {
        let Some(severity) = severity else { return self.alarm_sounds.forget(account, queue) };
        let alert = self.alarm_sounds.queue(now, account, queue, severity);
        if let Some(alert) = alert.filter(|_| queues_are_heard(&self.settings.config.audio)) {
            self.sounds.engine.alert(alert);
        }
    }

    /// Something severe is told.
    pub(super) fn hear_notice(&mut self, now: Instant, code: Code) {
        // It would not be heard.
        if code == Code::AlertsFailed || !notices_are_heard(&self.settings.config.audio) {
            return;
        }
        if let Some(alert) = self.alarm_sounds.notice(now) {
            self.sounds.engine.alert(alert);
        }
    }

    /// The command: what is heard of queues and notices; what is left out stays.
    pub(super) fn set_alert_sounds(
        &mut self,
        now: Instant,
        queues: Option<bool>,
        notices: Option<bool>,
    ) -> Result<Answer, ErrorReply> {
        let audio = &mut self.settings.config.audio;
        audio.queue_alarms = queues.or(audio.queue_alarms);
        audio.notice_sounds = notices.or(audio.notice_sounds);
        self.keep_settings(now);
        self.publisher.changed();
        Ok(Answer::done())
    }
}

#[cfg(test)]
mod tests {
    use SeverityName::{Normal, Red, Yellow};

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "one instant to count from")]
    fn base() -> Instant {
        Instant::now()
    }

    /// What is heard of one queue that stands so at these seconds.
    fn heard(course: &[(u64, SeverityName)]) -> Vec<(u64, Alert)> {
        let (start, mut sounds) = (base(), AlarmSounds::default());
        let mut heard = Vec::new();
        for (second, severity) in course {
            let now = start + Duration::from_secs(*second);
            let alert = sounds.queue(now, "main", "sales", *severity);
            heard.extend(alert.map(|alert| (*second, alert)));
        }
        heard
    }

    #[test]
    fn a_queue_is_heard_once_for_each_change_to_the_worse() {
        let course: Vec<_> = (0..300)
            .map(|second| (second, [Normal, Yellow, Red, Yellow, Normal][second as usize / 60]))
            .collect();
        assert_eq!(heard(&course), [(60, Alert::Warning), (120, Alert::Alarm)]);
        assert_eq!(heard(&[(0, Red)]), [(0, Alert::Alarm)], "as it stands at the start");
        assert_eq!(heard(&[(0, Normal), (5, Red), (9, Red)]), [(5, Alert::Alarm)]);
    }

    #[test]
    fn a_figure_that_wavers_is_heard_once_a_minute() {
        let course: Vec<_> = (0..130)
            .map(|second| (second, if second % 2 == 0 { Yellow } else { Normal }))
            .collect();
        let warning = Alert::Warning;
        assert_eq!(heard(&course), [(0, warning), (60, warning), (120, warning)]);
        // That it becomes worse still is heard at once.
        assert_eq!(heard(&[(0, Yellow), (1, Red)]), [(0, warning), (1, Alert::Alarm)]);
    }

    #[test]
    fn queues_are_heard_apart_and_notices_not_in_a_row() {
        let (now, mut sounds) = (base(), AlarmSounds::default());
        assert_eq!(sounds.queue(now, "main", "sales", Yellow), Some(Alert::Warning));
        assert_eq!(sounds.queue(now, "main", "support", Yellow), Some(Alert::Warning));
        assert_eq!(sounds.queue(now, "other", "sales", Yellow), Some(Alert::Warning));
        assert_eq!(sounds.queue(now, "main", "sales", Yellow), None);
        sounds.forget("main", "sales");
        assert_eq!(sounds.queue(now, "main", "sales", Yellow), Some(Alert::Warning));
        assert_eq!(sounds.notice(now), Some(Alert::Notice));
        assert_eq!(sounds.notice(now + Duration::from_secs(9)), None);
        assert_eq!(sounds.notice(now + Duration::from_secs(10)), Some(Alert::Notice));
    }
}
