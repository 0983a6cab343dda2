//! Call retrieve: a user takes the call that he has at one of his phones with another one of them.
//!
//! Inputs: from the web services a click with [`super::Goal::Pull`]; from the phone that answers it `pull_for`. The call
//! stays where it is until then; afterwards the phone that had it is hung up.

use std::time::Instant;

use sip_ua::SessionId;

use super::Exchange;
use crate::call::{Asking, Call, Party, State};
use crate::pbx::CallNumber;

impl Exchange {
    /// The call that a user talks in, and the phone that he does it with.
    pub(super) fn talks_with(&self, user: &str) -> Option<(CallNumber, SessionId)> {
        let own = |call: &Call, session: &SessionId| {
            call.who(*session).extension.as_deref() == Some(user)
        };
        let talks =
            |call: &Call| matches!(call.state, State::Talking { .. }) && call.supervises.is_none();
        let calls = self.calls.iter().filter(|(_, call)| talks(call));
        let phones = calls.flat_map(|(number, call)| {
            let both = [call.near_phone(), call.far_phone()];
            both.into_iter().flatten().map(move |session| (*number, call, session))
        });
        let mut own = phones.filter(|(_, call, session)| own(call, session));
        own.next().map(|(number, _, session)| (number, session))
    }

    /// Another phone of the user has answered: it has the call from now on.
    pub(super) fn pull_for(&mut self, now: Instant, session: SessionId, user: &str) {
        let Some((number, old)) = self.talks_with(user) else {
            let _ = self.ua.hangup(now, session);
            return;
        };
        self.stop_transfer(now, number, "pulled");
        self.take_out(number);
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, %user, "talking, pulled -> joining");
        if let Asking::Relay(asking) = call.asking()
            && asking != old
        {
            let _ = self.ua.reject_reoffer(now, asking, sip_types::StatusCode::REQUEST_PENDING);
        }
        if call.near_phone() == Some(old) {
            call.near = Party::Phone(session);
        } else if let State::Talking { far, .. } = &mut call.state {
            *far = Party::Phone(session);
        }
        call.set_asking(Asking::Nothing);
        call.again = None;
        call.held.retain(|held| *held != old);
        self.forget_session(old);
        self.sessions.insert(session, number);
        let _ = self.ua.hangup(now, old);
        self.connect(now, number);
    }
}
