//! The time of day, told once and counted on from there.

use std::time::{Duration, Instant};

/// Instants as times of day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base: Instant,
    /// Milliseconds since 1970 at `base`.
    epoch_ms: u64,
}

impl Clock {
    /// At `base` it was `epoch_ms` milliseconds since 1970.
    pub(crate) const fn new(base: Instant, epoch_ms: u64) -> Self {
        Self { base, epoch_ms }
    }

    /// Milliseconds since 1970.
    pub(crate) fn ms(&self, at: Instant) -> u64 {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match at.checked_duration_since(self.base) {
            Some(later) => self.epoch_ms.saturating_add(ms(later)),
            None => self.epoch_ms.saturating_sub(ms(self.base.saturating_duration_since(at))),
        }
    }
}

/// Year, month, day, hour, minute, second, millisecond of a time, UTC.
fn parts(ms: u64) -> (i64, i64, i64, u64, u64, u64, u64) {
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    let days = i64::try_from(seconds / 86_400).unwrap_or(0);
    // Days since 0000-03-01, in eras of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60, ms)
}

/// As call logs have it: ISO 8601 with an offset.
pub(crate) fn iso(ms: u64) -> String {
    let (year, month, day, hour, minute, second, ms) = parts(ms);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}+00:00")
}

/// As registrations have it: the text form of a Java date.
pub(crate) fn java(ms: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // 1970-01-01 was a Thursday.
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let (year, month, day, hour, minute, second, _) = parts(ms);
    let weekday = usize::try_from(ms / 86_400_000 % 7).ok().and_then(|day| DAYS.get(day));
    let month = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month));
    let (weekday, month) = (weekday.unwrap_or(&"Thu"), month.unwrap_or(&"Jan"));
    format!("{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_interface_has_them() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000+00:00");
        assert_eq!(iso(1_709_210_096_007), "2024-02-29T12:34:56.007+00:00");
        assert_eq!(java(1_709_210_096_007), "Thu Feb 29 12:34:56 UTC 2024");
        assert_eq!(java(951_782_400_000), "Tue Feb 29 00:00:00 UTC 2000");
    }
}
