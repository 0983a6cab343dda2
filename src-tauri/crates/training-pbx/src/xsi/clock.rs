//! The time of day, told once and counted on from there.

use std::time::{Duration, Instant};

use time::UtcDateTime;

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

/// A time as a date and a time of day, UTC.
fn date(ms: u64) -> UtcDateTime {
    let at = UtcDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    at.unwrap_or(UtcDateTime::UNIX_EPOCH)
}

/// As call logs have it: ISO 8601 with an offset.
pub(crate) fn iso(ms: u64) -> String {
    let at = date(ms);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second, ms) = at.time().as_hms_milli();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}+00:00")
}

/// As registrations have it: the text form of a Java date.
pub(crate) fn java(ms: u64) -> String {
    let at = date(ms);
    let short = |name: String| name.chars().take(3).collect::<String>();
    let (weekday, month) = (short(at.weekday().to_string()), short(at.month().to_string()));
    let (hour, minute, second) = at.time().as_hms();
    let (day, year) = (at.day(), at.year());
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
