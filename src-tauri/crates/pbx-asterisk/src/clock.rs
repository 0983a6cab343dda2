//! The exchange's clock, as far as it is known.

use std::time::{Duration, Instant};

/// What the exchange's clock shows. Until it was read, the one of this machine stands in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExchangeClock(Option<(Instant, u64)>);

impl ExchangeClock {
    /// At `now` it shows this many milliseconds since the Unix epoch.
    pub(crate) fn set(&mut self, now: Instant, milliseconds: u64) {
        self.0 = Some((now, milliseconds));
    }

    /// Reads the time of an answer: seconds with a fraction, `1795657292.760197`.
    pub(crate) fn read(&mut self, now: Instant, timestamp: &str) {
        let (seconds, fraction) = timestamp.split_once('.').unwrap_or((timestamp, ""));
        let Ok(seconds) = seconds.parse::<u64>() else { return };
        let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
        let thousandths = thousandths.parse::<u64>().unwrap_or(0);
        self.set(now, seconds.saturating_mul(1_000).saturating_add(thousandths));
    }

    /// What it shows at `now`, in milliseconds since the Unix epoch.
    pub(crate) fn at(self, now: Instant) -> u64 {
        let Some((then, shown)) = self.0 else { return 0 };
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match now.checked_duration_since(then) {
            Some(later) => shown.saturating_add(milliseconds(later)),
            None => shown.saturating_sub(milliseconds(then.duration_since(now))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ExchangeClock;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test wants some instant to count from")]
    fn it_goes_on_from_what_was_read() {
        let now = std::time::Instant::now();
        let mut clock = ExchangeClock::default();
        clock.read(now, "1795657292.760197");
        assert_eq!(clock.at(now + Duration::from_millis(300)), 1_795_657_293_060);
        clock.read(now, "not a time");
        clock.read(now, "7");
        assert_eq!(clock.at(now), 7_000);
    }
}
