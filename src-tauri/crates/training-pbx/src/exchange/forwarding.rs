//! What is set on a line decides where a call to it goes, and what the line may call.

use std::time::{Duration, Instant};

use sip_types::{HeaderName, StatusCode};

use super::Exchange;
use crate::call::{Call, State, Who};
use crate::desk::{Barred, ForwardWhen};
use crate::pbx::CallNumber;

/// A ring with its pause.
const RING: Duration = Duration::from_secs(5);
const BARRED: &str = "Q.850;cause=21;text=\"Outgoing calls of this line are barred\"";

impl Exchange {
    /// A call to a line that is not to ring there. True if it has gone elsewhere, or nowhere.
    pub(super) fn goes_elsewhere(&mut self, now: Instant, number: CallNumber, line: &str) -> bool {
        if let Some((to, _)) = self.desk.forward(line, ForwardWhen::Always) {
            self.divert(now, number, ForwardWhen::Always, &to);
            return true;
        }
        let refusal = self.desk.refusal(line).or_else(|| {
            let busy = !self.desk.call_waiting(line) && self.line_talks(line, number);
            busy.then_some(StatusCode::BUSY_HERE)
        });
        match refusal {
            Some(status) => {
                self.refused_by_line(now, number, status);
                true
            }
            None => false,
        }
    }

    /// The line does not take the call: busy calls may be forwarded.
    pub(super) fn refused_by_line(&mut self, now: Instant, number: CallNumber, status: StatusCode) {
        if self.sequence_refused(now, number, status) {
            return;
        }
        let busy = status == StatusCode::BUSY_HERE;
        let to = self.calls.get(&number).filter(|_| busy).and_then(own_line);
        match to.and_then(|line| self.desk.forward(line, ForwardWhen::Busy)) {
            Some((to, _)) => self.divert(now, number, ForwardWhen::Busy, &to),
            None => self.give_up(now, number, status),
        }
    }

    /// Where a call goes that nobody answers, and after how long.
    pub(super) fn unanswered_goes(&self, number: CallNumber) -> Option<(String, Duration)> {
        let line = self.calls.get(&number).and_then(own_line)?;
        let (to, rings) = self.desk.forward(line, ForwardWhen::NoAnswer)?;
        Some((to, rings.map_or(self.ring_time, |rings| RING * rings)))
    }

    /// Whether the line has a call besides this one.
    pub(super) fn line_talks(&self, line: &str, but: CallNumber) -> bool {
        let own = |who: &Who| who.extension.as_deref() == Some(line);
        let mut others = self.calls.iter().filter(|(number, _)| **number != but);
        // Who waits alone for somebody does not talk with him.
        let called = |call: &Call| !matches!(call.state, State::Alone) && own(&call.called);
        others.any(|(_, call)| own(&call.caller) || called(call))
    }

    /// A call to somebody outside that its line may not make. True if it was refused.
    pub(super) fn is_barred(&mut self, now: Instant, number: CallNumber, to: &str) -> bool {
        let Some(call) = self.calls.get(&number) else { return false };
        let who = call.by.as_ref().map_or(&call.caller, |(_, by)| by);
        let barred = who.extension.as_deref().map(|line| self.desk.barred(line));
        let refused = match barred.unwrap_or_default() {
            Barred::Nothing => false,
            Barred::International => is_international(to),
            Barred::Outside => true,
        };
        if !refused {
            return false;
        }
        tracing::debug!(call = number.0, %to, "{}, barred -> ended", call.state.name());
        if let Some(near) = call.near_phone().filter(|_| !call.answered) {
            self.forget_session(near);
            let headers = vec![(HeaderName::Reason, BARRED.to_owned())];
            let _ = self.ua.reject_with(now, near, StatusCode::FORBIDDEN, headers);
            self.end(now, number, "barred");
        } else {
            self.give_up(now, number, StatusCode::FORBIDDEN);
        }
        true
    }
}

/// The line whose own settings decide on a call: not that of a group's member or of an agent.
fn own_line(call: &Call) -> Option<&str> {
    let own = !call.hunting && call.offered.is_none();
    call.called.extension.as_deref().filter(|_| own)
}

fn is_international(to: &str) -> bool {
    let number = to.strip_prefix('+').or_else(|| to.strip_prefix("00"));
    number.is_some_and(|number| !number.starts_with("31"))
}

#[cfg(test)]
mod tests {
    use super::is_international;

    #[test]
    fn other_countries_are_told_from_the_own() {
        for (number, other) in [
            ("+31205550199", false),
            ("0031205550199", false),
            ("0205550199", false),
            ("+49301234567", true),
            ("0049301234567", true),
        ] {
            assert_eq!(is_international(number), other, "{number}");
        }
    }
}
