//! When a subscription is refreshed, given up and tried again.

use std::time::{Duration, Instant};

use super::{State, Subscription, SubscriptionCause, SubscriptionState, attempt::Kind};
use crate::shared::Cx;

/// The first wait after a failure, and the longest that is not the server's wish.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The longest wait a server can impose.
const LONGEST_WISH: Duration = Duration::from_secs(3600);
/// A subscription that stood this long is renewed without delay when it breaks.
const STOOD_WELL: Duration = Duration::from_secs(60);
/// Longer than this no subscription is believed to last.
const LONGEST_GRANT: u32 = 7 * 86_400;

impl Subscription {
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let retry = match self.state {
            State::Retrying { at } => Some(at),
            _ => None,
        };
        let refresh = self.refresh_at.filter(|_| self.attempt.is_none());
        [retry, refresh, self.notify_by, self.until].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= cx.now);
        if let State::Retrying { at } = self.state {
            if at <= cx.now {
                self.retry(cx, "retry due");
            }
        } else if due(self.notify_by) {
            self.notify_by = None;
            self.unheard(cx);
        } else if due(self.until) {
            match self.state {
                State::Leaving => self.end(cx, SubscriptionCause::Unsubscribed, "expired"),
                _ => self.renew(cx, SubscriptionCause::Expired, None, "expired"),
            }
        } else if due(self.refresh_at) && self.attempt.is_none() {
            self.send(cx, Kind::Refresh, None);
        }
    }

    /// Timer N: the SUBSCRIBE was accepted and no NOTIFY came.
    fn unheard(&mut self, cx: &mut Cx<'_>) {
        match self.leaving {
            true => self.end(cx, SubscriptionCause::Unsubscribed, "no last NOTIFY"),
            false => self.renew(cx, SubscriptionCause::NoNotify, None, "no NOTIFY"),
        }
    }

    /// Subscribes anew.
    pub(super) fn retry(&mut self, cx: &mut Cx<'_>, event: &str) {
        self.enter(State::Trying, event);
        self.send(cx, Kind::First, None);
    }

    /// The notifier holds us for so many seconds from now.
    pub(super) fn grant(&mut self, cx: &mut Cx<'_>, seconds: u32) {
        self.granted = seconds.min(LONGEST_GRANT);
        self.until = Some(cx.now + Duration::from_secs(u64::from(self.granted)));
        if self.state != State::Leaving {
            self.plan_refresh(cx);
        }
    }

    /// Plans the next refresh: early enough for a silent server to be given up before the end.
    pub(super) fn plan_refresh(&mut self, cx: &mut Cx<'_>) {
        let Some(until) = self.until else { return };
        let left = until.saturating_duration_since(cx.now);
        let patience = cx.shared.patience() + Duration::from_secs(8);
        let margin = (left / 6).max(patience.min(left / 2));
        let jitter = cx.shared.delay(Duration::ZERO, margin / 4);
        self.refresh_at = Some(cx.now + left.saturating_sub(margin + jitter));
    }

    /// The subscription has broken: another is asked for after `wait`, or after a wait that grows
    /// with every failure.
    pub(super) fn renew(
        &mut self,
        cx: &mut Cx<'_>,
        cause: SubscriptionCause,
        wait: Option<Duration>,
        event: &str,
    ) {
        if self.parent.is_some() || self.leaving {
            return self.end(cx, SubscriptionCause::Unsubscribed, event);
        }
        self.forgive(cx);
        let at = self.later(cx, wait);
        self.wait_until(cx, at, cause, event);
    }

    /// [`Self::renew`], at once if the subscription stood well until now.
    pub(super) fn renew_soon(&mut self, cx: &mut Cx<'_>, cause: SubscriptionCause, event: &str) {
        self.forgive(cx);
        if self.failures > 0 || self.parent.is_some() || self.leaving {
            return self.renew(cx, cause, None, event);
        }
        self.failures = 1;
        let at = cx.now + cx.shared.delay(Duration::ZERO, Duration::from_millis(500));
        self.wait_until(cx, at, cause, event);
    }

    fn wait_until(&mut self, cx: &mut Cx<'_>, at: Instant, cause: SubscriptionCause, event: &str) {
        self.forget_dialog(cx);
        self.enter(State::Retrying { at }, event);
        self.report(cx, SubscriptionState::Retrying { at, cause });
    }

    /// Earlier failures do not count once a subscription has stood well.
    fn forgive(&mut self, cx: &Cx<'_>) {
        if self.held_since.is_some_and(|since| cx.now >= since + STOOD_WELL) {
            self.failures = 0;
            self.held_since = None;
        }
    }

    /// When to try again: not before the server's wish, and later with every failure.
    pub(super) fn later(&mut self, cx: &mut Cx<'_>, wait: Option<Duration>) -> Instant {
        let base = (FIRST_WAIT * 2u32.pow(self.failures.min(6))).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        let backoff = cx.shared.delay(base * 3 / 4, (base * 5 / 4).min(LONGEST_WAIT));
        let wish = wait.unwrap_or_default().min(LONGEST_WISH);
        // Everybody was told to wait as long: they do not come back in one instant.
        let spread = cx.shared.delay(Duration::ZERO, wish.min(Duration::from_secs(4)) / 4);
        cx.now + backoff.max(wish + spread)
    }
}
