//! What a line's settings do to its calls besides `forwarding`: voicemail, unreachable phones, refused callers.
//!
//! Inputs: from `setup` a call that comes to a line (`barred`), that fails there (`served_otherwise`).

use std::time::Instant;

use sip_types::StatusCode;

use super::Exchange;
use crate::call::Party;
use crate::pbx::CallNumber;

impl Exchange {
    /// Whether a call has been dealt with before it rings at `line`.
    pub(super) fn barred(&mut self, now: Instant, number: CallNumber, line: &str) -> bool {
        let rules = self.desk.rules(line);
        let (anonymous, voicemail) = (rules.refuse_anonymous, rules.voicemail_always);
        let Some(call) = self.calls.get(&number) else { return true };
        if anonymous && call.caller.withheld {
            self.give_up(now, number, StatusCode::FORBIDDEN);
            return true;
        }
        if voicemail && self.takes_messages(number) {
            self.lift_voicemail(now, number);
            return true;
        }
        false
    }

    /// Voicemail answers single callers only; who goes through a hunt group or a queue is not to get stuck there.
    fn takes_messages(&self, number: CallNumber) -> bool {
        let Some(call) = self.calls.get(&number) else { return false };
        !call.hunting && (call.near_phone().is_some() || call.clicked)
    }

    /// A call failed at its line: whether the line has set where it goes then.
    pub(super) fn served_otherwise(
        &mut self,
        now: Instant,
        number: CallNumber,
        status: StatusCode,
    ) -> bool {
        let Some(call) = self.calls.get(&number).filter(|call| !call.hunting) else { return false };
        let Some(line) = call.called.extension.clone() else { return false };
        // Somebody else's failure, after the line has already sent the call on or while it is a customer's.
        if matches!(call.near, Party::Local(_)) && call.person.is_some() {
            return false;
        }
        let rules = self.desk.rules(&line);
        let (voicemail, elsewhere) = (rules.voicemail_busy, rules.unreachable.clone());
        let unreachable = self.company.account(&line).is_some() && !self.can_ring(&line);
        let by = call.called.clone();
        match status.code() {
            486 | 600 if voicemail && self.takes_messages(number) => {
                self.lift_voicemail(now, number);
                true
            }
            480 if unreachable => match elsewhere {
                Some(to) => {
                    self.divert_to(now, number, (by, "unavailable"), &to);
                    true
                }
                None => false,
            },
            _ => false,
        }
    }
}
