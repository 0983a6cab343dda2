//! Business hours and the calendar they are read against. Values only.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use time::{Date, Month, UtcDateTime};

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

/// Turns moments of this program into moments of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// A moment of this program.
    pub at: Instant,
    /// The same moment in milliseconds since 1970-01-01 0:00 UTC.
    pub unix_ms: i64,
}

impl WallClock {
    /// Milliseconds since 1970-01-01 0:00 UTC.
    pub fn unix_ms(&self, at: Instant) -> i64 {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        match at.checked_duration_since(self.at) {
            Some(after) => self.unix_ms.saturating_add(ms(after)),
            None => self.unix_ms.saturating_sub(ms(self.at.saturating_duration_since(at))),
        }
    }

    /// The clock on a Dutch wall.
    pub fn dutch(&self) -> Calendar {
        Calendar { told_at: self.at, local_s: dutch_time(self.unix_ms.div_euclid(1_000)) }
    }
}

/// Seconds of Dutch local time for seconds UTC: an hour ahead, two from the last Sunday of March to that of October,
/// 1:00 UTC (directive 2000/84/EC).
pub(crate) fn dutch_time(utc_s: i64) -> i64 {
    let day = utc_s.div_euclid(DAY);
    let year = year_of(day);
    let hour = 3_600;
    let summer = last_sunday(year, 3) * DAY + hour..last_sunday(year, 10) * DAY + hour;
    utc_s + if summer.contains(&utc_s) { 2 * hour } else { hour }
}

/// A moment as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: usize,
    /// From 1.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    /// Monday is 0.
    pub(crate) weekday: usize,
    /// Hours ahead of UTC.
    pub(crate) ahead: i64,
}

/// The date of Dutch local time.
pub(crate) fn date_time(local_s: i64) -> DateTime {
    let at = UtcDateTime::from_unix_timestamp(local_s).unwrap_or(UtcDateTime::UNIX_EPOCH);
    let (hour, minute, second) = at.time().as_hms();
    let winter = local_s - 3_600;
    DateTime {
        year: i64::from(at.year()),
        month: usize::from(u8::from(at.month())),
        day: i64::from(at.day()),
        hour: i64::from(hour),
        minute: i64::from(minute),
        second: i64::from(second),
        weekday: usize::from(at.weekday().number_days_from_monday()),
        ahead: if dutch_time(winter) == local_s { 1 } else { 2 },
    }
}

/// Days from 1970-01-01 to the first of a month.
pub(crate) fn first_of(year: i64, month: i64) -> i64 {
    let month = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok());
    let year = i32::try_from(year).ok();
    let first =
        year.zip(month).and_then(|(year, month)| Date::from_calendar_date(year, month, 1).ok());
    first.map_or(0, |first| first.midnight().assume_utc().unix_timestamp().div_euclid(DAY))
}

fn year_of(day: i64) -> i64 {
    let at = UtcDateTime::from_unix_timestamp(day.saturating_mul(DAY));
    i64::from(at.unwrap_or(UtcDateTime::UNIX_EPOCH).year())
}

/// The last Sunday of a month of 31 days. Day 3 was a Sunday.
fn last_sunday(year: i64, month: i64) -> i64 {
    let last = first_of(year, month) + 30;
    last - (last - 3).rem_euclid(7)
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
    /// Seconds since 1970-01-01 0:00 local time.
    pub fn local(&self, now: Instant) -> i64 {
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
    fn dutch_clocks_go_forward_in_march_and_back_in_october() {
        // 2026-03-29 and 2026-10-25, 1:00 UTC.
        let (spring, autumn) = (1_774_746_000, 1_792_890_000);
        assert_eq!(dutch_time(spring - 1) - (spring - 1), 3_600);
        assert_eq!(dutch_time(spring) - spring, 7_200);
        assert_eq!(dutch_time(autumn - 1) - (autumn - 1), 7_200);
        assert_eq!(dutch_time(autumn) - autumn, 3_600);
        // New year's day of 2024, 2025 and 2027.
        for (seconds, year) in [(1_704_067_200, 2024), (1_735_689_600, 2025), (1_798_761_600, 2027)]
        {
            assert_eq!(year_of(seconds / DAY), year);
            assert_eq!(year_of(seconds / DAY - 1), year - 1);
        }
    }

    #[test]
    fn moments_are_turned_into_those_of_the_world() {
        let (_, now) = calendar(0);
        let clock = WallClock { at: now + Duration::from_secs(10), unix_ms: 50_000 };
        assert_eq!(clock.unix_ms(now + Duration::from_millis(12_500)), 52_500);
        assert_eq!(clock.unix_ms(now), 40_000);
        assert_eq!(clock.dutch().local_s, 3_650);
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
