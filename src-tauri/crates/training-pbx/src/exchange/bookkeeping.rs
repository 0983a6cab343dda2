//! The calls as they stand in the books.

use sip_ua::SessionId;

use super::Exchange;
use crate::books::{CallRecord, Side, Stage};
use crate::call::{Call, Party, State, Who};
use crate::pbx::CallNumber;

impl Exchange {
    /// All calls, by their number.
    pub(crate) fn books(&self) -> Vec<CallRecord> {
        self.calls.iter().map(|(number, call)| self.entry(*number, call)).collect()
    }

    fn entry(&self, number: CallNumber, call: &Call) -> CallRecord {
        let stage = match &call.state {
            State::Opening { .. } => Stage::Opening,
            State::Simulated(_) | State::Answering(_) | State::Ringing { .. } => Stage::Ringing,
            State::Talking { .. } => Stage::Talking,
            State::Alone => Stage::Alone,
        };
        let mut caller = self.side(call, &call.caller, call.near_phone());
        caller.simulated = matches!(call.near, Party::Local(_));
        caller.of = match call.near {
            Party::Transferee(of) => Some(of),
            _ => None,
        };
        let mut called = self.side(call, &call.called, call.far_phone());
        match &call.state {
            State::Ringing { forks, .. } => called.phones = self.call_ids(forks),
            State::Talking { far: Party::Local(_), .. }
            | State::Simulated(_)
            | State::Answering(_) => called.simulated = true,
            _ => {}
        }
        CallRecord {
            number,
            stage,
            caller,
            called,
            parked: call.parked.clone(),
            voicemail: call.mailbox.clone(),
            queue: call.queue.as_ref().map(|queue| queue.0.clone()),
            transfer: call.transfer,
        }
    }

    fn side(&self, call: &Call, who: &Who, phone: Option<SessionId>) -> Side {
        let phones: Vec<SessionId> = phone.into_iter().collect();
        Side {
            number: who.uri.user().unwrap_or_default(),
            holds: phones.iter().any(|phone| call.held.contains(phone)),
            phones: self.call_ids(&phones),
            simulated: false,
            of: None,
        }
    }

    fn call_ids(&self, phones: &[SessionId]) -> Vec<String> {
        let names = phones.iter().filter_map(|phone| self.ua.dialog_name(*phone));
        names.map(|name| name.call_id).collect()
    }
}
