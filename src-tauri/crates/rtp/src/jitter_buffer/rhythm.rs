//! The rhythm in which sound is pulled: a sound card's, told by a clock that is never quite on time.
//!
//! Input: when each pull was. The smoothed clock moves by a block with each, drawn slowly to the time told; how much before
//! it a pull came is remembered for seconds, since a packet that comes between the two is not there yet.

use super::BLOCK;
use crate::delay_estimator::TICKS;

/// How long it is remembered at least how early a pull came: 2 s; at most twice that.
const REMEMBERED: i64 = 2 * TICKS;
/// A pull further from its time than this begins the clock anew: 100 ms.
const LOST: i64 = TICKS / 10;

#[derive(Debug, Clone, Default)]
pub(super) struct Rhythm {
    /// The smoothed clock, in ticks.
    clock: Option<i64>,
    /// The earliest pull of the present stretch of time and of the one before, in ticks before the clock.
    early: [i64; 2],
    since: i64,
}

impl Rhythm {
    /// A pull comes at `told`; the smoothed time of it.
    pub(super) fn pull(&mut self, told: i64) -> i64 {
        let clock = match self.clock {
            Some(clock) if (told - clock - BLOCK).abs() < LOST => {
                let expected = clock + BLOCK;
                expected + (told - expected) / 16
            }
            _ => told,
        };
        self.clock = Some(clock);
        if clock - self.since > REMEMBERED {
            self.early = [0, self.early[0]];
            self.since = clock;
        }
        self.early[0] = self.early[0].max(clock - told);
        clock
    }

    /// The smoothed time of the last pull.
    pub(super) fn clock(&self) -> i64 {
        self.clock.unwrap_or_default()
    }

    /// How much before its smoothed time a pull comes at the earliest, as far as the last seconds tell: at most a block.
    pub(super) fn early(&self) -> i64 {
        self.early[0].max(self.early[1]).min(BLOCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_rhythm_is_never_early_and_an_early_pull_is_forgotten_after_seconds() {
        let mut rhythm = Rhythm::default();
        for n in 0..500 {
            assert_eq!(rhythm.pull(n * BLOCK), n * BLOCK);
        }
        assert_eq!(rhythm.early(), 0);
        // 2 ms early, and the clock follows it by a sixteenth.
        rhythm.pull(500 * BLOCK - 96);
        assert_eq!(rhythm.early(), 90);
        for n in 501..600 {
            rhythm.pull(n * BLOCK);
        }
        assert_eq!(rhythm.early(), 90);
        for n in 600..1_000 {
            rhythm.pull(n * BLOCK);
        }
        assert!(rhythm.early() < 6, "{}", rhythm.early());
    }

    #[test]
    fn a_pull_far_from_its_time_begins_the_clock_anew() {
        let mut rhythm = Rhythm::default();
        rhythm.pull(0);
        assert_eq!(rhythm.pull(TICKS), TICKS);
        assert_eq!((rhythm.clock(), rhythm.early()), (TICKS, 0));
    }
}
