//! What the answer to a SUBSCRIBE means for the subscription (RFC 6665 section 4.1.2, RFC 5057).

use std::time::Duration;

use sip_core::{ClientKey, Failure};
use sip_types::{Response, StatusCode};

use super::{
    State, Subscription, SubscriptionCause,
    attempt::{Attempt, Kind},
};
use crate::{authentication, register_message::retry_after, shared::Cx};

/// The longest interval a 423 can make us ask for.
const LONGEST: u32 = 86_400;

/// What a refusal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The subscription is gone at the server; a new one will do.
    Renew,
    /// The server is in trouble.
    Later,
    /// Only this SUBSCRIBE has failed (RFC 5057 section 5.1).
    Spared,
    /// It will never do.
    Over,
}

impl Subscription {
    /// A response to a SUBSCRIBE of ours.
    pub(crate) fn on_response(&mut self, cx: &mut Cx<'_>, key: ClientKey, response: &Response) {
        let Some(attempt) = self.attempt.as_ref().filter(|attempt| attempt.has_key(key)) else {
            return;
        };
        let (raised, others) = (attempt.raised, attempt.has_more_targets());
        let status = response.status;
        if status.is_provisional() {
            return;
        }
        let cause = SubscriptionCause::Refused { status, reason: phrase(response) };
        match status.code() {
            200..=299 => self.accepted(cx, response),
            401 | 407 if self.answer_challenge(cx, response) => {}
            423 if !raised && self.raise(response) => self.ask_for_longer(cx),
            408 | 503 if others => self.next_target(cx, cause),
            _ => self.refused(cx, status, cause, retry_after(response)),
        }
    }

    /// A SUBSCRIBE of ours got no final response.
    pub(crate) fn on_failure(&mut self, cx: &mut Cx<'_>, key: ClientKey, failure: &Failure) {
        if self.attempt.as_ref().is_some_and(|attempt| attempt.has_key(key)) {
            self.next_target(cx, SubscriptionCause::Unreachable { reason: failure.to_string() });
        }
    }

    /// No target answered the SUBSCRIBE.
    pub(super) fn unanswered(&mut self, cx: &mut Cx<'_>, cause: SubscriptionCause) {
        let Some(attempt) = self.attempt.take() else { return };
        match attempt.kind() {
            Kind::Last => self.end(cx, SubscriptionCause::Unsubscribed, "no answer"),
            Kind::First if self.dialog.is_none() => {
                self.renew(cx, cause, None, "no answer");
            }
            kind => self.spared(cx, kind, None, None, "no answer"),
        }
    }

    fn accepted(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let Some(attempt) = self.attempt.take() else { return };
        authentication::accepted(cx, attempt.request(), response);
        let kind = attempt.kind();
        if kind == Kind::Change {
            self.changed(cx, Some(response.status));
        }
        let granted = response.headers.expires().ok().flatten().unwrap_or(self.expires);
        match kind {
            Kind::Last => {}
            // The NOTIFY that founds the dialog knows better, whichever comes first.
            Kind::First => self.granted = granted.min(self.expires),
            Kind::Refresh | Kind::Change => self.grant(cx, granted.min(self.expires)),
        }
        if !self.heard {
            self.notify_by = Some(cx.now + cx.shared.patience());
        }
        self.next_waiting(cx);
    }

    /// Whether asking for longer can help.
    fn raise(&mut self, response: &Response) -> bool {
        let least = response.headers.min_expires().ok().flatten().unwrap_or(0);
        let raised = least > self.expires && least <= LONGEST;
        if raised {
            self.expires = least;
        }
        raised
    }

    fn refused(
        &mut self,
        cx: &mut Cx<'_>,
        status: StatusCode,
        cause: SubscriptionCause,
        wait: Option<Duration>,
    ) {
        let Some(kind) = self.attempt.take().as_ref().map(Attempt::kind) else { return };
        let first = kind == Kind::First && self.dialog.is_none();
        match verdict(status, first) {
            _ if kind == Kind::Last => {
                self.end(cx, SubscriptionCause::Unsubscribed, "refused");
            }
            Verdict::Spared => self.spared(cx, kind, Some(status), wait, "refused"),
            verdict => {
                if kind == Kind::Change {
                    self.changed(cx, Some(status));
                }
                match verdict {
                    Verdict::Renew => self.renew_soon(cx, cause, "unknown to the server"),
                    Verdict::Later => self.renew(cx, cause, wait, "server trouble"),
                    Verdict::Over | Verdict::Spared => self.end(cx, cause, "refused"),
                }
            }
        }
    }

    /// The subscription stands as long as it was granted; a refresh is tried again before.
    fn spared(
        &mut self,
        cx: &mut Cx<'_>,
        kind: Kind,
        status: Option<StatusCode>,
        wait: Option<Duration>,
        event: &str,
    ) {
        if kind == Kind::Change {
            self.changed(cx, status);
        }
        self.enter(self.state, event);
        if kind == Kind::Change && status.is_some() {
            // The server is there: only the change was not to its liking.
            self.plan_refresh(cx);
        } else {
            self.refresh_at = Some(self.later(cx, wait));
        }
        self.next_waiting(cx);
    }

    /// Sends what has waited for the SUBSCRIBE under way.
    fn next_waiting(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Active | State::Pending) && self.attempt.is_none() {
            if let Some(body) = self.waiting.pop_front() {
                self.again = false;
                self.send(cx, Kind::Change, Some(&body));
            } else if std::mem::take(&mut self.again) {
                self.send(cx, Kind::Refresh, None);
            }
        }
    }
}

fn verdict(status: StatusCode, first: bool) -> Verdict {
    match status.code() {
        481 => Verdict::Renew,
        480 => Verdict::Later,
        404 | 405 | 410 | 416 | 482..=485 | 489 | 501 | 604 => Verdict::Over,
        _ if !first => Verdict::Spared,
        408 | 486 | 491 | 500 | 502..=504 | 580 | 600 => Verdict::Later,
        _ => Verdict::Over,
    }
}

fn phrase(response: &Response) -> String {
    match response.reason.trim() {
        "" => response.status.reason().to_owned(),
        phrase => phrase.to_owned(),
    }
}
