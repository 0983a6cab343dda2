//! When the calendars of those who are watched are asked: every few minutes, sooner when somebody comes into view, ever more
//! seldom while it fails.
//!
//! Inputs: whether a source tells of calendars, a line that is watched from now on, how a round ended; `now` comes from outside.
//!
//! | state | event | next |
//! |---|---|---|
//! | off | a source tells of calendars | waiting |
//! | waiting | [`Rounds::take`] at its time | asking |
//! | waiting | somebody comes into view, and the last round went well | waiting, a few seconds |
//! | asking | [`Rounds::ended`] | waiting; a person is needed: resting |
//! | any | the sources are other ones | waiting, or off |

use std::time::{Duration, Instant};

use contact_sources::{Schedule, SourceError};
use sip_core::Random;

/// So often.
pub(super) const EVERY: Duration = Duration::from_secs(180);
/// So long after somebody came into view: others may follow.
const SOON: Duration = Duration::from_secs(3);

/// When the next round is.
#[derive(Default)]
pub(super) struct Rounds {
    schedule: Option<Schedule>,
    soon: Option<Instant>,
    failing: bool,
    /// When something that was told becomes something else by itself.
    pub(super) border: Option<Instant>,
}

impl Rounds {
    /// The sources are other ones, or can be asked again.
    pub(super) fn begin(&mut self, now: Instant, tells: bool, random: &mut Random) {
        (self.soon, self.failing) = (None, false);
        self.schedule = tells.then(|| Schedule::new(now, EVERY, random));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let round = self.schedule.as_ref().and_then(Schedule::due);
        // Only what waits can be hurried.
        let soon = self.soon.filter(|_| round.is_some());
        [round, soon, self.border].into_iter().flatten().min()
    }

    /// Somebody is watched from now on.
    pub(super) fn hurry(&mut self, now: Instant) {
        if self.schedule.is_some() && !self.failing {
            self.soon.get_or_insert(now + SOON);
        }
    }

    /// A round begins, if it is time.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let Some(schedule) = &mut self.schedule else { return false };
        let Some(round) = schedule.due() else { return false };
        let is_due = round <= now || self.soon.is_some_and(|soon| soon <= now);
        if is_due {
            schedule.begin();
            self.soon = None;
        }
        is_due
    }

    /// A round is over.
    pub(super) fn ended(&mut self, now: Instant, error: Option<&SourceError>, random: &mut Random) {
        self.failing = error.is_some();
        let Some(schedule) = self.schedule.as_mut().filter(|schedule| schedule.is_reading()) else {
            return;
        };
        match error {
            None => schedule.succeeded(now, random),
            Some(error) => schedule.failed(now, error, random),
        }
    }

    /// Nobody is asked before a person has changed something.
    pub(super) fn rests(&self) -> bool {
        let rests = |schedule: &Schedule| schedule.due().is_none() && !schedule.is_reading();
        self.schedule.as_ref().is_some_and(rests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "virtual time begins anywhere")]
    fn start() -> Instant {
        Instant::now()
    }

    fn begun(start: Instant, random: &mut Random) -> Rounds {
        let mut rounds = Rounds::default();
        rounds.begin(start, true, random);
        rounds
    }

    #[test]
    fn nobody_is_asked_unless_a_source_tells_of_calendars() {
        let (start, mut random) = (start(), Random::from_seed([7; 32]));
        let mut rounds = Rounds::default();
        rounds.hurry(start);
        rounds.begin(start, false, &mut random);
        assert_eq!(
            (rounds.due(), rounds.take(start + EVERY), rounds.rests()),
            (None, false, false)
        );
    }

    #[test]
    fn rounds_are_calm_and_whoever_comes_into_view_is_asked_about_soon() {
        let (start, mut random) = (start(), Random::from_seed([7; 32]));
        let mut rounds = begun(start, &mut random);
        let mut at = rounds.due().unwrap();
        let mut asked = 0;
        while at < start + 20 * EVERY {
            assert!(rounds.take(at) && !rounds.take(at), "one round at a time");
            rounds.hurry(at);
            rounds.hurry(at + SOON / 2);
            rounds.ended(at, None, &mut random);
            asked += 1;
            // A crowd that comes into view is one round more.
            assert_eq!(rounds.due(), Some(at + SOON));
            assert!(rounds.take(at + SOON));
            rounds.ended(at + SOON, None, &mut random);
            at = rounds.due().unwrap();
        }
        assert!((19..=22).contains(&asked), "{asked}");
    }

    #[test]
    fn failures_are_not_hurried_and_a_wrong_password_rests() {
        let (start, mut random) = (start(), Random::from_seed([7; 32]));
        let mut rounds = begun(start, &mut random);
        let at = rounds.due().unwrap();
        assert!(rounds.take(at));
        let wait = Duration::from_secs(600);
        let busy = SourceError::Overloaded { retry_after: Some(wait) };
        rounds.ended(at, Some(&busy), &mut random);
        rounds.hurry(at);
        assert_eq!(rounds.due(), Some(at + wait));
        assert!(rounds.take(at + wait));
        rounds.ended(at + wait, Some(&SourceError::Refused), &mut random);
        assert!(rounds.rests() && rounds.due().is_none());
        rounds.border = Some(at + EVERY);
        assert_eq!(rounds.due(), Some(at + EVERY), "what is known still changes");
        rounds.begin(at, true, &mut random);
        assert!(!rounds.rests());
    }
}
