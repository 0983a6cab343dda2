//! Sequential ring: a line is looked for at several places, one after the other; then its calls go where they would have
//! gone at once.
//!
//! Inputs: from `setup` a line that is to be rung (`begin_sequence`), one that refuses (`sequence_refused`), and the next
//! place being taken (`next_place`). The places stand in the call as members of a hunt group do, with one more at the end
//! for what the line has set for calls that nobody answers.

use std::time::{Duration, Instant};

use sip_types::StatusCode;

use super::Exchange;
use crate::call::Call;
use crate::desk::ForwardWhen;
use crate::pbx::CallNumber;

/// A ring with its pause.
const RING: Duration = Duration::from_secs(5);
/// The last stop rings as long as anything.
const LAST: Duration = Duration::from_secs(30);

impl Exchange {
    /// A line is about to ring. True if it is passed over, and the first place rings instead.
    pub(super) fn begin_sequence(&mut self, now: Instant, number: CallNumber, line: &str) -> bool {
        let Some(own_rings) = self.look_for(number, line) else { return false };
        let Some(call) = self.calls.get_mut(&number) else { return false };
        call.own_rings = own_rings > 0;
        call.hunt_ring = Some(RING * own_rings);
        if own_rings == 0 {
            self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        own_rings == 0
    }

    /// Notes the places at which a line is looked for; how often the line itself rings before. `None`: it is not.
    fn look_for(&mut self, number: CallNumber, line: &str) -> Option<u32> {
        let sequence = self.desk.rules(line).sequence.clone();
        let last = self.after_sequence(line);
        let call = self.calls.get_mut(&number).filter(|call| is_own(call, line))?;
        if sequence.places.is_empty() {
            return None;
        }
        tracing::debug!(call = number.0, %line, "{}, is looked for", call.state.name());
        call.hunting = true;
        call.looked_for = Some(line.to_owned());
        let places = sequence.places.into_iter().map(|(to, rings)| (to, RING * rings.max(1)));
        call.places = places.chain(last.map(|to| (to, LAST))).collect();
        Some(sequence.own_rings.unwrap_or(0))
    }

    /// Where calls to a line go that nobody answers.
    fn after_sequence(&self, line: &str) -> Option<String> {
        let forwarded = self.desk.forward(line, ForwardWhen::NoAnswer).map(|(to, _)| to);
        let voicemail = self.desk.rules(line).voicemail_no_answer;
        forwarded.or_else(|| voicemail.then(|| format!("*55{line}")))
    }

    /// A line refuses a call. True if its places ring instead.
    pub(super) fn sequence_refused(
        &mut self,
        now: Instant,
        number: CallNumber,
        status: StatusCode,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&number) else { return false };
        let line = call.looked_for.clone().or_else(|| call.called.extension.clone());
        let Some(line) = line else { return false };
        let stops = status == StatusCode::BUSY_HERE && !self.desk.rules(&line).sequence.past_busy;
        if std::mem::take(&mut call.own_rings) {
            if stops {
                // The line's own settings decide, as if nobody had been looked for.
                call.places.clear();
                (call.hunting, call.looked_for, call.hunt_ring) = (false, None, None);
            }
            return false;
        }
        if stops || call.looked_for.is_some() || self.look_for(number, &line).is_none() {
            return false;
        }
        self.give_up(now, number, status);
        true
    }

    /// The next place at which somebody is looked for, if there is one. True if it rings now.
    pub(super) fn next_place(&mut self, now: Instant, number: CallNumber) -> bool {
        let Some(call) = self.calls.get_mut(&number) else { return false };
        let Some((to, ring)) = call.places.pop_front() else { return false };
        call.own_rings = false;
        call.hunt_ring = Some(ring);
        let line = call.looked_for.clone().unwrap_or_default();
        let by = self.who(&line);
        if let Some(call) = self.calls.get_mut(&number)
            && !call.diversions.iter().any(|(who, _)| who.extension == by.extension)
        {
            call.diversions.insert(0, (by, "follow-me"));
        }
        self.go_to(now, number, &to);
        true
    }
}

/// The line whose own settings decide: not a member of a group, nor an agent.
fn is_own(call: &Call, line: &str) -> bool {
    !call.hunting && call.offered.is_none() && call.called.extension.as_deref() == Some(line)
}
