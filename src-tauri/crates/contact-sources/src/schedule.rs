//! When a source is read: at the start, then every so often, and ever more seldom while it fails.
//!
//! Inputs: the outcome of a reading, a wish of the user, new settings; `now` always comes from outside.
//!
//! | state | event | next |
//! |---|---|---|
//! | waiting | [`Schedule::begin`] | reading |
//! | reading | [`Schedule::now`] | reading, wanted again: what is being read may not have what was changed since it began |
//! | reading | [`Schedule::succeeded`] | waiting, the usual time; wanted again: due at once |
//! | reading | [`Schedule::failed`] | waiting, from seconds to five minutes; a person is needed: resting |
//! | resting, waiting | [`Schedule::now`] | waiting, due at once |

use std::time::{Duration, Instant};

use sip_core::Random;

use crate::SourceError;

/// The first wait after a failure.
const FIRST: Duration = Duration::from_secs(2);
/// No wait after a failure is longer, unless the server asks for it or readings are rarer anyway.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// The longest that a server may ask for.
const ASKED: Duration = Duration::from_secs(24 * 3600);
/// Several sources do not begin in the same moment.
const SPREAD: Duration = Duration::from_secs(2);

/// When a source is read.
#[derive(Debug, Clone)]
pub struct Schedule {
    every: Duration,
    failures: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting(Instant),
    /// `again`: another reading is wanted.
    Reading {
        again: bool,
    },
    Resting,
}

impl Schedule {
    /// Due right after the start, then every `every`.
    pub fn new(now: Instant, every: Duration, random: &mut Random) -> Schedule {
        let due = now + between(random, Duration::ZERO, SPREAD);
        Schedule { every: every.max(FIRST), failures: 0, state: State::Waiting(due) }
    }

    /// When it is to be read; none while it is read or a person is needed.
    pub fn due(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(due) => Some(due),
            State::Reading { .. } | State::Resting => None,
        }
    }

    /// It is read.
    pub fn is_reading(&self) -> bool {
        matches!(self.state, State::Reading { .. })
    }

    /// A reading begins.
    pub fn begin(&mut self) {
        self.state = State::Reading { again: false };
    }

    /// A reading has ended well.
    pub fn succeeded(&mut self, now: Instant, random: &mut Random) {
        self.failures = 0;
        if self.state == (State::Reading { again: true }) {
            self.state = State::Waiting(now);
            return;
        }
        // A little earlier or later each time, so that many desks do not ask in the same second.
        let wait = between(random, self.every - self.every / 20, self.every + self.every / 20);
        self.state = State::Waiting(now + wait);
    }

    /// A reading has failed.
    pub fn failed(&mut self, now: Instant, error: &SourceError, random: &mut Random) {
        if error.needs_a_person() {
            self.state = State::Resting;
            return;
        }
        let grown = FIRST * 2_u32.saturating_pow(self.failures.min(10));
        let grown = grown.min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let usual = between(random, grown / 2, grown);
        let wait = match error.retry_after() {
            Some(asked) => usual.max(asked.min(ASKED)),
            None => usual,
        };
        self.state = State::Waiting(now + wait);
    }

    /// Somebody wants it read now, or has changed something. While it is read: once more after that.
    pub fn now(&mut self, now: Instant) {
        if self.is_reading() {
            self.state = State::Reading { again: true };
        } else {
            self.failures = 0;
            self.state = State::Waiting(now);
        }
    }

    /// It is not read until somebody asks for it.
    pub fn rest(&mut self) {
        self.state = State::Resting;
    }
}

fn between(random: &mut Random, from: Duration, to: Duration) -> Duration {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random.between(millis(from), millis(to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(900);

    #[expect(clippy::disallowed_methods, reason = "virtual time begins anywhere")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn failures_wait_ever_longer_and_success_forgets_them() {
        let (start, mut random) = (start(), Random::from_seed([7; 32]));
        let mut schedule = Schedule::new(start, EVERY, &mut random);
        assert!(schedule.due().is_some_and(|due| due <= start + SPREAD));
        let mut at = start;
        for seconds in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            schedule.begin();
            assert!(schedule.is_reading() && schedule.due().is_none());
            schedule.failed(at, &SourceError::Unreachable, &mut random);
            let wait = schedule.due().unwrap() - at;
            let longest = Duration::from_secs(seconds);
            assert!(wait >= longest / 2 && wait <= longest, "{wait:?} of {longest:?}");
            at += wait;
        }
        schedule.begin();
        schedule.succeeded(at, &mut random);
        let wait = schedule.due().unwrap() - at;
        assert!(wait >= EVERY * 9 / 10 && wait <= EVERY * 11 / 10, "{wait:?}");
        schedule.begin();
        schedule.failed(at, &SourceError::Timeout, &mut random);
        assert!(schedule.due().unwrap() - at <= FIRST);
    }

    #[test]
    fn what_a_server_asks_for_is_waited_within_reason() {
        let (start, mut random) = (start(), Random::from_seed([7; 32]));
        let mut schedule = Schedule::new(start, EVERY, &mut random);
        for (asked, least) in [(600, 600), (1 << 40, 24 * 3600)] {
            schedule.begin();
            let retry_after = Some(Duration::from_secs(asked));
            schedule.failed(start, &SourceError::Overloaded { retry_after }, &mut random);
            assert_eq!(schedule.due(), Some(start + Duration::from_secs(least)));
        }
    }

    #[test]
    fn a_wrong_password_is_not_tried_again_by_itself() {
        let (start, mut random) = (start(), Random::from_seed([7; 32]));
        let mut schedule = Schedule::new(start, EVERY, &mut random);
        schedule.begin();
        schedule.failed(start, &SourceError::Refused, &mut random);
        assert_eq!((schedule.due(), schedule.is_reading()), (None, false));
        let later = start + Duration::from_secs(5);
        schedule.now(later);
        assert_eq!(schedule.due(), Some(later));
        schedule.begin();
        schedule.now(later);
        assert!(schedule.is_reading(), "what is being read is not begun a second time");
    }

    #[test]
    fn what_is_wanted_while_it_is_read_is_read_once_more() {
        let (start, mut random) = (start(), Random::from_seed([7; 32]));
        let mut schedule = Schedule::new(start, EVERY, &mut random);
        schedule.begin();
        schedule.now(start);
        schedule.now(start);
        let ended = start + Duration::from_secs(5);
        schedule.succeeded(ended, &mut random);
        assert_eq!(schedule.due(), Some(ended), "the wish came after that reading began");
        schedule.begin();
        schedule.succeeded(ended, &mut random);
        assert!(schedule.due().is_some_and(|due| due > ended + EVERY / 2), "once, not for ever");
        // A failure is tried again anyway, and no sooner for that.
        schedule.begin();
        schedule.now(ended);
        schedule.failed(ended, &SourceError::Unreachable, &mut random);
        assert!(schedule.due().is_some_and(|due| due >= ended + FIRST / 2));
    }
}
