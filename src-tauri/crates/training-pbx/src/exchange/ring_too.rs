//! Simultaneous ring: other numbers ring together with a line, and whoever lifts first has the call.
//!
//! Inputs: from `setup` a line that is rung (`ring_others`) and its time being up (`other_answers`). Phones of the company
//! ring for real; a simulated colleague or somebody outside answers after some seconds.

use std::time::{Duration, Instant};

use sip_ua::SessionId;

use super::Exchange;
use super::script::{greeting, hello};
use crate::call::{Call, Party, State};
use crate::company::Voice;
use crate::pbx::CallNumber;

impl Exchange {
    /// Rings the phones that ring together with a line; their legs.
    pub(super) fn ring_others(
        &mut self,
        now: Instant,
        number: CallNumber,
        line: &str,
    ) -> Vec<SessionId> {
        let mut forks = Vec::new();
        for other in self.rings_too(number, line) {
            if self.company.account(&other).is_none() || self.desk.refusal(&other).is_some() {
                continue;
            }
            let legs = self.invite_phones(now, number, &other);
            if let Some(call) = self.calls.get_mut(&number) {
                call.fork_lines.extend(legs.iter().map(|leg| (*leg, other.clone())));
            }
            forks.extend(legs);
        }
        forks
    }

    /// Who answers elsewhere if nobody is faster, and when.
    pub(super) fn answers_elsewhere(
        &mut self,
        number: CallNumber,
        line: &str,
    ) -> Option<(String, Duration)> {
        let others = self.rings_too(number, line);
        let to = others.into_iter().find(|other| self.company.account(other).is_none())?;
        Some((to, Duration::from_millis(self.random.between(5_000, 9_000))))
    }

    /// The numbers that ring together with a line now.
    fn rings_too(&self, number: CallNumber, line: &str) -> Vec<String> {
        let rules = self.desk.rules(line);
        let own = self.calls.get(&number).is_some_and(|call| !call.hunting);
        if !own || (rules.ring_too_if_free && self.line_talks(line, number)) {
            return Vec::new();
        }
        rules.ring_too.clone()
    }

    /// Somebody simulated was faster than the phones.
    pub(super) fn other_answers(&mut self, now: Instant, number: CallNumber, to: &str) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if let State::Ringing { forks, .. } = &mut call.state {
            let forks = std::mem::take(forks);
            self.cancel_elsewhere(now, &forks);
        }
        let called = self.who(to);
        let person = self.company.person(to).cloned();
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, %to, "ringing, answered elsewhere -> answering");
        call.called = called;
        call.person = person.as_ref().map(|person| person.extension.clone());
        if matches!(call, Call { near: Party::Local(_), .. }) {
            return self.leave_to_life(now, number);
        }
        let steps = person.map_or_else(|| hello(Voice::Woman), |person| greeting(&person));
        self.lift(now, number, steps);
    }
}
