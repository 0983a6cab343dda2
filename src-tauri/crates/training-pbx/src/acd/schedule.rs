//! Business hours and the calendar they are read against. Values only.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

const MINUTE: u64 = 60;
const DAY: i64 = 86_400;
const WEEK: u64 = 7 * 86_400;

/// A time of each week during which somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Minutes since Monday 0:00, the first that belongs to it.
    pub from: u32,
    /// The first that does not.
    pub to: u32,
}

/// Business hours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schedule {
    /// In any order; they may overlap.
    pub openings: Vec<Opening>,
}

/// What the clock on the wall shows, told once and counted on from there; local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// When it was told.
    pub told_at: Instant,
    /// Seconds since 1970-01-01 0:00 local time.
    pub local_s: i64,
}

impl Schedule {
    /// Monday to Friday, from `from` to `to` o'clock.
    pub fn working_days(from: u32, to: u32) -> Self {
        let day = |day: u32| Opening { from: (day * 24 + from) * 60, to: (day * 24 + to) * 60 };
        Self { openings: (0..5).map(day).collect() }
    }

    /// Whether it is open.
    pub fn is_open(&self, second_of_week: u64) -> bool {
        let minute = u32::try_from(second_of_week / MINUTE).unwrap_or(u32::MAX);
        self.openings.iter().any(|opening| (opening.from..opening.to).contains(&minute))
    }

    /// How long until the next opening begins or ends; never without openings.
    pub fn next_change(&self, second_of_week: u64) -> Option<Duration> {
        let edges = self.openings.iter().flat_map(|opening| [opening.from, opening.to]);
        let until = |edge: u32| {
            let edge = u64::from(edge) * MINUTE % WEEK;
            let left = (edge + WEEK - second_of_week % WEEK) % WEEK;
            Duration::from_secs(if left == 0 { WEEK } else { left })
        };
        edges.map(until).min()
    }
}

impl Calendar {
    fn local(&self, now: Instant) -> i64 {
        let passed = now.saturating_duration_since(self.told_at).as_secs();
        self.local_s.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// Days since 1970-01-01.
    pub fn day(&self, now: Instant) -> i64 {
        self.local(now).div_euclid(DAY)
    }

    /// Seconds since Monday 0:00. 1970-01-01 was a Thursday.
    pub fn second_of_week(&self, now: Instant) -> u64 {
        let since_monday = self.local(now).saturating_add(3 * DAY);
        u64::try_from(since_monday.rem_euclid(7 * DAY)).unwrap_or(0)
    }

    /// Second of the day.
    pub fn second_of_day(&self, now: Instant) -> u64 {
        u64::try_from(self.local(now).rem_euclid(DAY)).unwrap_or(0)
    }

    /// How long until midnight.
    pub fn until_midnight(&self, now: Instant) -> Duration {
        Duration::from_secs(DAY.unsigned_abs() - self.second_of_day(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(local_s: i64) -> (Calendar, Instant) {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        let now = Instant::now();
        (Calendar { told_at: now, local_s }, now)
    }

    #[test]
    fn the_first_day_was_a_thursday() {
        let (calendar, now) = calendar(0);
        assert_eq!(calendar.second_of_week(now), 3 * 86_400);
        assert_eq!(calendar.day(now + Duration::from_secs(86_400)), 1);
        assert_eq!(calendar.second_of_week(now + Duration::from_secs(4 * 86_400)), 0);
    }

    #[test]
    fn working_hours_open_and_close() {
        let hours = Schedule::working_days(8, 17);
        let at = |day: u64, hour: u64| (day * 24 + hour) * 3600;
        assert!(!hours.is_open(at(0, 7)));
        assert!(hours.is_open(at(0, 8)));
        assert!(!hours.is_open(at(0, 17)));
        assert!(!hours.is_open(at(5, 12)));
        assert_eq!(hours.next_change(at(0, 7)), Some(Duration::from_secs(3600)));
        assert_eq!(hours.next_change(at(0, 8)), Some(Duration::from_secs(9 * 3600)));
        // From Friday evening to Monday morning.
        assert_eq!(hours.next_change(at(4, 17)), Some(Duration::from_secs(63 * 3600)));
        assert_eq!(Schedule::default().next_change(0), None);
    }
}
