//! Automatic callback: who found a line busy is rung when it is free, and then it is called for him.
//!
//! Inputs: from the web services `ring_back`; from everything that happens `tend_ring_backs`. A callback is `waiting`
//! until both lines are free, it is an hour old, or its user wants another one; after that it is a click like any other.

use std::time::{Duration, Instant};

use super::{Exchange, Goal, VerbError};
use crate::pbx::CallNumber;

/// How long somebody waits to be called back.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Callbacks that wait at once.
const WAITING: usize = 100;

/// A callback that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RingBack {
    user: String,
    line: String,
    since: Instant,
}

impl Exchange {
    /// Calls a line for a user as soon as both are free. Another wish of the same user is forgotten.
    ///
    /// # Errors
    /// [`VerbError::NothingThere`] for what is no line of the company, [`VerbError::WrongState`] for one that is free.
    pub(crate) fn ring_back(
        &mut self,
        now: Instant,
        user: &str,
        line: &str,
    ) -> Result<(), VerbError> {
        let known = self.company.account(line).is_some() || self.company.person(line).is_some();
        if !known || line == user {
            return Err(VerbError::NothingThere);
        }
        if self.is_free(line) {
            return Err(VerbError::WrongState);
        }
        self.ring_backs.retain(|known| known.user != user);
        if self.ring_backs.len() >= WAITING {
            return Err(VerbError::TooManyCalls);
        }
        tracing::debug!(%user, %line, "none, ring back -> waiting");
        let (user, line) = (user.to_owned(), line.to_owned());
        self.ring_backs.push(RingBack { user, line, since: now });
        Ok(())
    }

    /// Rings those whose line is free now.
    pub(super) fn tend_ring_backs(&mut self, now: Instant) {
        self.ring_backs.retain(|waiting| now.saturating_duration_since(waiting.since) < PATIENCE);
        let ready = |waiting: &RingBack| self.is_free(&waiting.line) && self.is_free(&waiting.user);
        let Some(at) = self.ring_backs.iter().position(ready) else { return };
        let RingBack { user, line, .. } = self.ring_backs.remove(at);
        tracing::debug!(%user, %line, "waiting, free -> ringing");
        if let Err(error) = self.click(now, &user, Goal::RingBack(line)) {
            tracing::debug!(%user, %error, "ringing -> gone");
        }
    }

    /// Whether a line has no call at all and would take one.
    fn is_free(&self, line: &str) -> bool {
        // No call has the number nought.
        let talks = self.line_talks(line, CallNumber(0)) || self.life.is_busy(line);
        let clicked = self.clicks.values().any(|click| click.user == line);
        !talks && !clicked && self.desk.refusal(line).is_none()
    }
}
