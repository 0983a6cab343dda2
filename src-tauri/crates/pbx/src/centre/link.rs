//! How the view of the exchange stands, and since when what is shown may be wrong.
//!
//! Inputs: the binding tells the state of the link, why it is not there and when it tries again.

use std::time::Instant;

use tracing::debug;

use super::port::{LinkFault, LinkState};

/// Longest words of a reason.
const WORDS: usize = 300;

/// The link to the exchange.
#[derive(Clone, Debug)]
pub struct Link {
    state: LinkState,
    since: Instant,
    stale_since: Option<Instant>,
    retry_at: Option<u64>,
    fault: Option<(LinkFault, String)>,
}

impl Link {
    pub(super) fn new(now: Instant) -> Link {
        Link {
            state: LinkState::Absent,
            since: now,
            stale_since: None,
            retry_at: None,
            fault: None,
        }
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

    /// Why the view is not there, and what was said of it.
    pub fn fault(&self) -> Option<(LinkFault, &str)> {
        self.fault.as_ref().map(|(fault, detail)| (*fault, detail.as_str()))
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
            if matches!(state, LinkState::Live | LinkState::Polling | LinkState::Absent) {
                self.fault = None;
            }
        }
        let before = self.stale_since.is_some();
        self.stale_since = match state {
            LinkState::Live | LinkState::Polling | LinkState::Absent => None,
            _ => self.stale_since.or(Some(now)),
        };
        before != self.stale_since.is_some()
    }

    pub(super) fn fails(&mut self, fault: LinkFault, mut detail: String) {
        if let Some((at, _)) = detail.char_indices().nth(WORDS) {
            detail.truncate(at);
        }
        self.fault = Some((fault, detail));
    }

    pub(super) fn retries(&mut self, at: u64) {
        self.retry_at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_holds_until_the_view_is_there_again() {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs a beginning")]
        let now = Instant::now();
        let mut link = Link::new(now);
        link.told(now, LinkState::Lost);
        link.fails(LinkFault::Untrusted, "é".repeat(1_000));
        link.retries(7);
        let (fault, words) = link.fault().unwrap();
        assert_eq!((fault, words.chars().count()), (LinkFault::Untrusted, WORDS));
        link.told(now, LinkState::Lost);
        assert_eq!((link.retry_at(), link.fault().is_some()), (Some(7), true));
        link.told(now, LinkState::Connecting);
        assert_eq!((link.retry_at(), link.fault().is_some()), (None, true));
        link.told(now, LinkState::Live);
        assert_eq!(link.fault(), None);
    }
}
