//! The measures of a queue, and when they are told.
//!
//! Inputs: from the core `answered`, `handled`, `touch`; from time `due`. Averages are over the last [`WINDOW`] calls.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::config::{QueueThresholds, Threshold};
use super::model::{Measure, Monitoring, Severity};

/// Calls that averages are made of.
const WINDOW: usize = 20;
/// What a call takes when nothing is known and nothing is said: seconds.
const USUAL_CALL_S: u64 = 300;
/// Measures are told no more often.
pub(crate) const THROTTLE: Duration = Duration::from_secs(5);

/// What is measured, before thresholds are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Raw {
    pub(crate) longest_wait: u64,
    pub(crate) calls: u32,
    pub(crate) assigned: u32,
    pub(crate) staffed: u32,
    pub(crate) idle: u32,
    pub(crate) unavailable: u32,
}

/// What is remembered of the last calls.
#[derive(Debug)]
pub(crate) struct Measures {
    waits: VecDeque<u64>,
    handled: VecDeque<u64>,
    told: Monitoring,
    told_at: Option<Instant>,
    touched: bool,
}

impl Measures {
    pub(crate) fn new() -> Self {
        Self {
            waits: VecDeque::new(),
            handled: VecDeque::new(),
            told: Monitoring::default(),
            told_at: None,
            touched: false,
        }
    }

    /// A call was answered after so many seconds.
    pub(crate) fn answered(&mut self, waited_s: u64) {
        push(&mut self.waits, waited_s);
    }

    /// A call took so many seconds of talk.
    pub(crate) fn handled(&mut self, talked_s: u64) {
        push(&mut self.handled, talked_s);
    }

    /// The wrap-up of the last call took so many seconds.
    pub(crate) fn wrapped_up(&mut self, seconds: u64) {
        if let Some(last) = self.handled.back_mut() {
            *last = last.saturating_add(seconds);
        }
    }

    /// Something changed that is measured.
    pub(crate) fn touch(&mut self) {
        self.touched = true;
    }

    /// How long who stands at `position` is likely to wait, seconds.
    pub(crate) fn expected_wait(&self, position: usize, staffed: u32, usual_s: Option<u64>) -> u64 {
        let each = average(&self.handled).unwrap_or(usual_s.unwrap_or(USUAL_CALL_S));
        let position = u64::try_from(position).unwrap_or(u64::MAX);
        position.saturating_mul(each) / u64::from(staffed.max(1))
    }

    /// The measures as they are.
    pub(crate) fn now(
        &self,
        raw: Raw,
        thresholds: &QueueThresholds,
        usual_s: Option<u64>,
    ) -> Monitoring {
        let told = &self.told;
        let next = usize::try_from(raw.calls).unwrap_or(usize::MAX).saturating_add(1);
        // With a free agent the next caller does not wait.
        let wait =
            if raw.idle > raw.calls { 0 } else { self.expected_wait(next, raw.staffed, usual_s) };
        let handling = average(&self.handled).unwrap_or(0);
        let answer = average(&self.waits).unwrap_or(0);
        let calls = measure(u64::from(raw.calls), thresholds.calls, told.calls.severity);
        Monitoring {
            average_handling_time: measure(
                handling,
                thresholds.average_handling_time,
                told.average_handling_time.severity,
            ),
            expected_wait: measure(wait, thresholds.expected_wait, told.expected_wait.severity),
            average_speed_of_answer: measure(
                answer,
                thresholds.average_speed_of_answer,
                told.average_speed_of_answer.severity,
            ),
            longest_wait: measure(
                raw.longest_wait,
                thresholds.longest_wait,
                told.longest_wait.severity,
            ),
            calls: Measure {
                value: raw.calls,
                severity: calls.severity,
                previous: calls.previous,
                threshold: calls.threshold,
            },
            assigned: raw.assigned,
            staffed: raw.staffed,
            idle: raw.idle,
            unavailable: raw.unavailable,
        }
    }

    /// When the measures are told next: at once when something changed after a quiet time, and regularly while calls
    /// wait.
    pub(crate) fn poll_timeout(&self, now: Instant, waiting: bool) -> Option<Instant> {
        let wanted = self.touched || waiting;
        wanted.then(|| self.told_at.map_or(now, |at| at + THROTTLE))
    }

    /// The measures are told now.
    pub(crate) fn tell(&mut self, now: Instant, monitoring: Monitoring) {
        self.touched = false;
        self.told = monitoring;
        self.told_at = Some(now);
    }
}

fn push(values: &mut VecDeque<u64>, value: u64) {
    values.push_back(value);
    if values.len() > WINDOW {
        values.pop_front();
    }
}

fn average(values: &VecDeque<u64>) -> Option<u64> {
    let count = u64::try_from(values.len()).ok()?;
    values.iter().sum::<u64>().checked_div(count)
}

fn measure(value: u64, threshold: Threshold, previous: Severity) -> Measure<u64> {
    let (severity, threshold) = severity(value, threshold);
    Measure { value, severity, previous, threshold }
}

/// How bad a value is, and which threshold says so.
pub(crate) fn severity(value: u64, threshold: Threshold) -> (Severity, Option<u32>) {
    let reached = |limit: Option<u32>| limit.filter(|&limit| value >= u64::from(limit));
    match (reached(threshold.red), reached(threshold.yellow)) {
        (Some(red), _) => (Severity::Red, Some(red)),
        (None, Some(yellow)) => (Severity::Yellow, Some(yellow)),
        (None, None) => (Severity::Normal, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_yellow_and_red_from_their_thresholds_on() {
        let threshold = Threshold { yellow: Some(30), red: Some(60) };
        assert_eq!(severity(29, threshold), (Severity::Normal, None));
        assert_eq!(severity(30, threshold), (Severity::Yellow, Some(30)));
        assert_eq!(severity(61, threshold), (Severity::Red, Some(60)));
        assert_eq!(severity(1_000, Threshold::default()), (Severity::Normal, None));
    }

    #[test]
    fn averages_forget_what_is_long_ago() {
        let mut measures = Measures::new();
        measures.answered(10_000);
        for _ in 0..WINDOW {
            measures.answered(10);
        }
        let monitoring = measures.now(Raw::default(), &QueueThresholds::default(), None);
        assert_eq!(monitoring.average_speed_of_answer.value, 10);
    }

    #[test]
    fn the_expected_wait_counts_calls_agents_and_what_a_call_takes() {
        let mut measures = Measures::new();
        assert_eq!(measures.expected_wait(2, 2, Some(120)), 120);
        measures.handled(100);
        measures.wrapped_up(20);
        assert_eq!(measures.expected_wait(3, 2, Some(999)), 180);
        assert_eq!(measures.expected_wait(1, 0, None), 120);
        let raw = Raw { calls: 1, staffed: 2, idle: 2, ..Raw::default() };
        let free = measures.now(raw, &QueueThresholds::default(), None);
        assert_eq!(free.expected_wait.value, 0);
        let busy = measures.now(Raw { idle: 0, ..raw }, &QueueThresholds::default(), None);
        assert_eq!(busy.expected_wait.value, 120);
    }

    #[test]
    fn measures_are_told_at_most_every_five_seconds() {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        let now = Instant::now();
        let mut measures = Measures::new();
        assert_eq!(measures.poll_timeout(now, false), None);
        measures.touch();
        assert_eq!(measures.poll_timeout(now, false), Some(now));
        measures.tell(now, Monitoring::default());
        assert_eq!(measures.poll_timeout(now, false), None);
        assert_eq!(measures.poll_timeout(now, true), Some(now + THROTTLE));
    }
}
