//! How the view of the exchange stands, and since when what is shown may be wrong.
//!
//! Inputs: the binding tells the state of the link and when it tries again.

use std::time::Instant;

use tracing::debug;

use super::port::LinkState;

/// The link to the exchange.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    state: LinkState,
    since: Instant,
    stale_since: Option<Instant>,
    retry_at: Option<u64>,
}

impl Link {
    pub(super) fn new(now: Instant) -> Link {
        Link { state: LinkState::Absent, since: now, stale_since: None, retry_at: None }
    }

    /// State.
    pub fn state(&self) -> LinkState {
        self.state
    }

    /// Since when.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Since when what is shown may be wrong.
    pub fn stale_since(&self) -> Option<Instant> {
        self.stale_since
    }

    /// When the next try is made, milliseconds since the Unix epoch.
    pub fn retry_at(&self) -> Option<u64> {
        self.retry_at
    }

    /// Requests can be carried out.
    pub fn is_up(&self) -> bool {
        matches!(self.state, LinkState::Live | LinkState::Polling)
    }

    /// True when what is shown became stale or fresh.
    pub(super) fn told(&mut self, now: Instant, state: LinkState) -> bool {
        if state != self.state {
            debug!("link: {:?}, told -> {state:?}", self.state);
            self.since = now;
            self.state = state;
            self.retry_at = None;
        }
        let before = self.stale_since.is_some();
        self.stale_since = match state {
            LinkState::Live | LinkState::Polling | LinkState::Absent => None,
            _ => self.stale_since.or(Some(now)),
        };
        before != self.stale_since.is_some()
    }

    pub(super) fn retries(&mut self, at: u64) {
        self.retry_at = Some(at);
    }
}
