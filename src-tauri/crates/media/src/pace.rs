//! When the DSP thread looks for the next 10 ms: after the microphone's rhythm, or by itself when
//! there is no microphone.
//!
//! Inputs: blocks found (from the capture ring), looks in vain (from the clock). States:
//! Following (the ring sets the pace) and Free (a timer does).

use std::time::{Duration, Instant};

/// Length of a block.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// How soon a late block is looked for again.
const AGAIN: Duration = Duration::from_millis(1);
/// How much earlier than the last time the next look is, to stay close behind the device.
const EARLIER: Duration = Duration::from_micros(100);

#[derive(Debug)]
pub(crate) struct Pace {
    /// How late a block may be before the timer takes over.
    patience: Duration,
    /// When the next block should be there.
    expected: Instant,
    /// Time up to which blocks have been made.
    last: Instant,
    free: bool,
    /// The last look was in vain.
    missed: bool,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing before this time.
    Wait(Instant),
    /// Make a block without the microphone.
    Free,
}

impl Pace {
    pub(crate) fn new(now: Instant, patience: Duration, free: bool) -> Self {
        Self { patience, expected: now + TICK, last: now, free, missed: false }
    }

    /// A block came from the microphone. Tells whether the timer was in charge until now, so that
    /// what piled up before is to be thrown away.
    pub(crate) fn block(&mut self, now: Instant) -> bool {
        let was_free = std::mem::replace(&mut self.free, false);
        if was_free {
            tracing::debug!("Free, block -> Following");
        }
        let base = if self.missed || was_free { now } else { self.expected.min(now) };
        self.expected = (base + TICK).checked_sub(EARLIER).unwrap_or(now);
        if self.expected < now {
            self.expected = now;
        }
        self.last = now;
        self.missed = false;
        was_free
    }

    /// No block was there.
    pub(crate) fn nothing(&mut self, now: Instant) -> Due {
        if self.free {
            let next = self.last + TICK;
            if now < next {
                // A microphone may come back at any time; the timer's pace is often enough.
                return Due::Wait(next);
            }
            // After a long sleep of the whole machine nobody waits for the sound in between.
            self.last = if now > next + self.patience * 4 { now } else { next };
            return Due::Free;
        }
        if now < self.expected {
            return Due::Wait(self.expected);
        }
        self.missed = true;
        if now >= self.last + self.patience {
            tracing::debug!("Following, no block -> Free");
            self.free = true;
            return self.nothing(now);
        }
        Due::Wait(now + AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn base() -> Instant {
        Instant::now()
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Runs against a device giving blocks at `offset` + 10 ms steps; returns looks and the
    /// worst delay between a block and its being found.
    fn follow(device: impl Fn(u64) -> Duration, blocks: u64) -> (u64, Duration) {
        let start = base();
        let mut pace = Pace::new(start, ms(60), false);
        let (mut now, mut looks, mut worst, mut taken) = (start, 0, Duration::ZERO, 0);
        while taken < blocks {
            looks += 1;
            let due = start + device(taken);
            if due <= now {
                if taken > 50 {
                    worst = worst.max(now - due);
                }
                pace.block(now);
                taken += 1;
                continue;
            }
            match pace.nothing(now) {
                Due::Wait(until) => now = until,
                Due::Free => panic!("gave up on the device"),
            }
        }
        (looks, worst)
    }

    #[test]
    fn stays_close_behind_a_steady_device_with_few_looks() {
        let (looks, worst) = follow(|n| ms(17) + TICK * u32::try_from(n).unwrap(), 1_000);
        assert!(worst <= ms(1) + EARLIER, "{worst:?}");
        assert!(looks < 2_700, "{looks}");
    }

    #[test]
    fn follows_a_device_that_gives_two_blocks_at_a_time() {
        let (_, worst) = follow(|n| ms(20) * u32::try_from(n / 2).unwrap(), 1_000);
        assert!(worst <= ms(2), "{worst:?}");
    }

    #[test]
    fn a_device_that_stops_is_replaced_by_the_timer_without_losing_time() {
        let start = base();
        let mut pace = Pace::new(start, ms(60), false);
        pace.block(start + ms(10));
        let (mut now, mut made) = (start + ms(10), 0);
        while now < start + ms(1_010) {
            match pace.nothing(now) {
                Due::Wait(until) => now = until,
                Due::Free => made += 1,
            }
        }
        assert_eq!(made, 99, "blocks in the second without a device");
        assert!(pace.block(now), "must tell that the timer was in charge");
        assert!(!pace.block(now + TICK));
    }

    #[test]
    fn without_a_device_from_the_start_the_timer_runs() {
        let start = base();
        let mut pace = Pace::new(start, ms(60), true);
        assert_eq!(pace.nothing(start), Due::Wait(start + TICK));
        assert_eq!(pace.nothing(start + TICK), Due::Free);
        assert_eq!(pace.nothing(start + TICK), Due::Wait(start + TICK * 2));
    }

    #[test]
    fn after_the_machine_slept_no_backlog_is_made_up() {
        let start = base();
        let mut pace = Pace::new(start, ms(60), true);
        assert_eq!(pace.nothing(start + ms(3_600_000)), Due::Free);
        assert!(matches!(pace.nothing(start + ms(3_600_000)), Due::Wait(_)));
    }
}
