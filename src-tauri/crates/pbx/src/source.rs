//! One subscription: whether it stands, when it was last known to be complete, and when to ask it.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::{LineId, Policy, SourceId};

/// One subscription that feeds lines.
#[derive(Debug)]
pub(crate) struct Source {
    id: SourceId,
    /// Its lines by URI.
    pub lines: HashMap<Box<str>, LineId>,
    pub is_list: bool,
    /// Version of the list told last.
    pub version: Option<u32>,
    pub up: bool,
    expires: Duration,
    reliable: bool,
    /// When nothing was known to be missing.
    confirmed: Option<Instant>,
    /// When it is asked for its full state.
    ask_at: Option<Instant>,
    /// It has been asked and has not answered.
    asked: bool,
    /// A document of the list is missing.
    pub gap: bool,
    /// How many of its lines miss a document.
    pub gapped_lines: usize,
    /// Since when its lines are stale.
    pub stale_since: Option<Instant>,
    /// Its entry in the table of times.
    pub due: Option<Instant>,
}

impl Source {
    pub(crate) fn new(now: Instant, id: SourceId, is_list: bool) -> Self {
        Self {
            id,
            lines: HashMap::new(),
            is_list,
            version: None,
            up: false,
            expires: Duration::ZERO,
            reliable: false,
            confirmed: None,
            ask_at: None,
            asked: false,
            gap: false,
            gapped_lines: 0,
            stale_since: Some(now),
            due: None,
        }
    }

    /// The subscription stands. Its lines stay stale until their state has come.
    pub(crate) fn up(&mut self, now: Instant, policy: &Policy, expires: Duration, reliable: bool) {
        if !self.up {
            self.up = true;
            // The full state comes by itself; if not, it is asked for.
            self.ask_at = Some(now + policy.again);
        }
        (self.expires, self.reliable) = (expires, reliable);
    }

    /// The subscription does not stand. Whether its lines have become stale.
    pub(crate) fn down(&mut self, now: Instant) -> bool {
        self.up = false;
        self.version = None;
        (self.asked, self.gap) = (false, false);
        (self.confirmed, self.ask_at) = (None, None);
        self.doubt(now)
    }

    /// Its lines are stale. Whether they were not before.
    pub(crate) fn doubt(&mut self, now: Instant) -> bool {
        let fresh = self.stale_since.is_none();
        self.stale_since = self.stale_since.or(Some(now));
        fresh
    }

    /// Nothing is missing as of now, lines with gaps aside. Whether its lines were stale before.
    pub(crate) fn confirm(&mut self, now: Instant, policy: &Policy) -> bool {
        self.confirmed = Some(now);
        self.asked = false;
        let (audit, _) = self.spans(policy);
        // Sources that came up together do not stay together.
        let turn = u32::try_from(self.id.0.wrapping_mul(0x9e37_79b9) % 64).unwrap_or(0);
        self.ask_at = Some(now + audit.saturating_sub(audit / 256 * turn));
        self.stale_since.take().is_some()
    }

    /// Something is missing: the full state is asked for at once, unless the answer to an earlier
    /// request is still waited for.
    pub(crate) fn ask_soon(&mut self, now: Instant) {
        if self.up && !self.asked {
            self.ask_at = Some(now);
        }
    }

    /// Whether the full state is to be asked for now; the next time is planned.
    pub(crate) fn take_asking(&mut self, now: Instant, policy: &Policy) -> bool {
        let due = self.up && self.ask_at.is_some_and(|at| at <= now);
        if due {
            self.asked = true;
            self.ask_at = Some(now + policy.again);
        }
        due
    }

    /// Whether its lines have just become stale: nothing has confirmed them for too long.
    pub(crate) fn take_doubt(&mut self, now: Instant, policy: &Policy) -> bool {
        let (_, confirm) = self.spans(policy);
        self.confirmed.is_some_and(|at| at + confirm <= now) && self.doubt(now)
    }

    /// When something has to be done.
    pub(crate) fn next(&self, policy: &Policy) -> Option<Instant> {
        let (_, confirm) = self.spans(policy);
        let doubt = self.confirmed.filter(|_| self.stale_since.is_none()).map(|at| at + confirm);
        [self.ask_at.filter(|_| self.up), doubt].into_iter().flatten().min()
    }

    fn spans(&self, policy: &Policy) -> (Duration, Duration) {
        let (audit, confirm) = match self.reliable {
            true => policy.reliable,
            false => (policy.audit, policy.confirm),
        };
        // Nothing is believed for longer than it was granted.
        (audit.min(self.expires * 3 / 4), confirm.min(self.expires))
    }
}
