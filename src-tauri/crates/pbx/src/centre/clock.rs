//! The exchange speaks of times of day, the cores are told a monotonic time: one is turned into the other.

use std::time::{Duration, Instant};

/// What a monotonic time means on the wall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
    start_ms: u64,
}

impl Clock {
    pub(super) fn new(now: Instant, now_ms: u64) -> Clock {
        Clock { start: now, start_ms: now_ms }
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn ms(&self, at: Instant) -> u64 {
        let after = at.saturating_duration_since(self.start).as_millis();
        self.start_ms.saturating_add(u64::try_from(after).unwrap_or(u64::MAX))
    }

    /// The monotonic time; the start for what was before it.
    pub(super) fn at(&self, ms: u64) -> Instant {
        // A year is more than any program runs, and an instant may not overflow.
        let after = ms.saturating_sub(self.start_ms).min(365 * 86_400_000);
        self.start + Duration::from_millis(after)
    }
}
