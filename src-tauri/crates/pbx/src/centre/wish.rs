//! A wish and what became of it.
//!
//! Inputs: the user asks; the binding says that the exchange took it or refused it; the exchange tells what
//! is so, which is like the wish or not; time passes. A wish that differs from what is so for longer than a
//! limit is a drift.

use std::time::{Duration, Instant};

use super::port::{Refusal, RequestId};

/// How a wish stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing is asked for.
    #[default]
    Told,
    /// Asked for; not taken yet.
    Pending,
    /// Taken; not told back yet.
    Reading,
    /// Asked for, taken and told back: it is so.
    Verified,
    /// Differs from what is so for longer than the limit.
    Drift,
    /// Refused by the exchange.
    Refused,
}

/// A wish. It does not know what is so; it is told whether that is like it.
#[derive(Clone, Debug)]
pub struct Wish<T> {
    wanted: Option<T>,
    limit: Duration,
    /// Remembered after it has come true, so that a later change of the exchange is a drift.
    keeps: bool,
    request: Option<RequestId>,
    asked: Option<Instant>,
    /// The exchange has told that it is so since it was asked for.
    confirmed: bool,
    unlike_since: Option<Instant>,
    drift: bool,
    refused: Option<(Refusal, Instant)>,
}

impl<T> Wish<T> {
    /// No wish. `limit`: how long it may differ from what is so.
    pub(super) fn new(limit: Duration, keeps: bool) -> Wish<T> {
        Wish {
            wanted: None,
            limit,
            keeps,
            request: None,
            asked: None,
            confirmed: false,
            unlike_since: None,
            drift: false,
            refused: None,
        }
    }

    /// What is wanted.
    pub fn wanted(&self) -> Option<&T> {
        self.wanted.as_ref()
    }

    /// When it was asked for.
    pub fn asked(&self) -> Option<Instant> {
        self.asked
    }

    /// Since when it differs from what is so.
    pub fn unlike_since(&self) -> Option<Instant> {
        self.unlike_since
    }

    /// Differs for longer than the limit.
    pub fn is_drift(&self) -> bool {
        self.drift
    }

    /// The last refusal and when it came; goes with the next wish.
    pub fn refused(&self) -> Option<&(Refusal, Instant)> {
        self.refused.as_ref()
    }

    /// How it stands.
    pub fn phase(&self) -> Phase {
        match () {
            () if self.refused.is_some() && self.request.is_none() => Phase::Refused,
            () if self.wanted.is_none() => Phase::Told,
            () if self.drift => Phase::Drift,
            () if self.request.is_some() => Phase::Pending,
            // Adopted, never asked for.
            () if self.asked.is_none() => Phase::Told,
            () if self.confirmed => Phase::Verified,
            () => Phase::Reading,
        }
    }

    /// It was asked for and has neither been confirmed nor refused.
    pub fn is_open(&self) -> bool {
        matches!(self.phase(), Phase::Pending | Phase::Reading)
    }

    /// The user wants something. `like`: it is so already.
    pub(super) fn ask(&mut self, now: Instant, request: RequestId, wanted: T, like: bool) {
        self.wanted = Some(wanted);
        self.request = Some(request);
        self.asked = Some(now);
        self.confirmed = false;
        self.refused = None;
        self.drift = false;
        self.unlike_since = (!like).then_some(now);
    }

    /// Without a wish of the user, what is so is what he wants.
    pub(super) fn adopt(&mut self, so: T) {
        self.drop_wish();
        self.wanted = Some(so);
    }

    /// Nothing is wanted any more.
    pub(super) fn drop_wish(&mut self) {
        let refused = self.refused.take();
        *self = Wish { refused, ..Wish::new(self.limit, self.keeps) };
    }

    /// The exchange tells what is so.
    pub(super) fn told(&mut self, now: Instant, like: bool) {
        if self.wanted.is_none() {
            return;
        }
        if like {
            self.unlike_since = None;
            self.drift = false;
            self.confirmed |= self.asked.is_some();
        } else if self.confirmed && !self.keeps {
            // It came true once; what others do afterwards is their affair.
            self.drop_wish();
        } else {
            self.confirmed = false;
            self.unlike_since.get_or_insert(now);
        }
    }

    /// The exchange took it or refused it. True when this wish was meant; a refused one is wanted no more.
    pub(super) fn done(
        &mut self,
        now: Instant,
        request: RequestId,
        refusal: Option<&Refusal>,
    ) -> bool {
        if self.request != Some(request) {
            return false;
        }
        self.request = None;
        if let Some(refusal) = refusal {
            self.refused = Some((refusal.clone(), now));
            self.drop_wish();
        }
        true
    }

    /// When it becomes a drift, if nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        self.unlike_since.filter(|_| !self.drift).map(|since| since + self.limit)
    }

    /// Time passed. True when it has become a drift.
    pub(super) fn on_time(&mut self, now: Instant) -> bool {
        let late = self.due().is_some_and(|due| due <= now);
        self.drift |= late;
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs a beginning")]
        Instant::now()
    }

    #[test]
    fn a_wish_is_verified_when_it_was_taken_and_told_back() {
        let now = start();
        let mut wish = Wish::new(LIMIT, false);
        assert_eq!(wish.phase(), Phase::Told);
        wish.ask(now, RequestId(1), 7, false);
        assert_eq!(wish.phase(), Phase::Pending);
        assert!(!wish.done(now, RequestId(2), None), "another one");
        assert!(wish.done(now, RequestId(1), None));
        assert_eq!(wish.phase(), Phase::Reading);
        wish.told(now, true);
        assert_eq!(wish.phase(), Phase::Verified);
        assert_eq!(wish.due(), None);
        wish.told(now, false);
        assert_eq!((wish.phase(), wish.wanted()), (Phase::Told, None), "changed by others");
    }

    #[test]
    fn what_is_so_already_must_be_told_again() {
        let now = start();
        let mut wish = Wish::new(LIMIT, false);
        wish.ask(now, RequestId(1), 7, true);
        wish.done(now, RequestId(1), None);
        assert_eq!(wish.phase(), Phase::Reading);
        wish.told(now, true);
        assert_eq!(wish.phase(), Phase::Verified);
    }

    #[test]
    fn a_kept_wish_drifts_when_the_exchange_thinks_otherwise() {
        let now = start();
        let mut wish = Wish::new(LIMIT, true);
        wish.adopt(7);
        assert_eq!(wish.phase(), Phase::Told);
        wish.told(now, false);
        assert!(!wish.on_time(now + LIMIT - Duration::from_millis(1)));
        assert_eq!(wish.due(), Some(now + LIMIT));
        assert!(wish.on_time(now + LIMIT));
        assert_eq!(wish.phase(), Phase::Drift);
        wish.told(now, true);
        assert_eq!(wish.phase(), Phase::Told);
    }

    #[test]
    fn a_refused_wish_is_wanted_no_more() {
        let now = start();
        let mut wish = Wish::new(LIMIT, true);
        wish.ask(now, RequestId(1), 7, false);
        wish.done(now, RequestId(1), Some(&Refusal::NotAllowed));
        assert_eq!((wish.phase(), wish.wanted()), (Phase::Refused, None));
        assert_eq!(wish.due(), None);
        wish.ask(now, RequestId(2), 8, false);
        assert_eq!(wish.phase(), Phase::Pending);
    }
}
