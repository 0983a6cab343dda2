//! The conference that is mixed here: several calls that the user talks with at once, and that hear each other.
//!
//! A member that is put on hold, by the user or because another call takes his ear, stays a member and comes back
//! when it is resumed. Who is transferred or consulted about leaves. With one member left there is none.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{CallControl, Output};
use crate::call::{Call, CallId, Refusal};

impl CallControl {
    /// Puts answered calls together, and nobody else: members of an earlier conference that are not named leave
    /// it and are put on hold, as is a call the user talks in. A consultation and its caller who are put
    /// together are no longer that.
    ///
    /// # Errors
    /// When fewer than two calls are named, or one that does not exist, is not answered, or is being
    /// transferred. Nothing has changed then.
    pub fn conference(&mut self, now: Instant, ids: &[CallId]) -> Result<(), Refusal> {
        let members: BTreeSet<CallId> = ids.iter().copied().collect();
        if members.len() < 2 {
            return Err(Refusal::TooFew);
        }
        for id in &members {
            let call = self.calls.get(id).ok_or(Refusal::UnknownCall)?;
            if !call.may_confer() {
                return Err(Refusal::WrongState(call.state()));
            }
        }
        let stays = |call: &&Call| call.is_live() || call.in_conference();
        let others = self.calls.values().filter(stays).map(Call::id);
        for id in others.filter(|id| !members.contains(id)).collect::<Vec<_>>() {
            self.change(id, |call, actions| {
                call.leave_conference();
                call.make_way(now, actions);
            });
        }
        for id in &members {
            self.separate(*id);
        }
        for id in &members {
            self.change(*id, |call, actions| call.confer(now, actions));
        }
        self.settle(now);
        Ok(())
    }

    /// Whether there is another call that this one can be put together with.
    pub fn may_confer(&self, id: CallId) -> bool {
        let able = self.calls.values().filter(|call| call.may_confer()).map(Call::id);
        let able: Vec<CallId> = able.collect();
        able.len() > 1 && able.contains(&id)
    }

    /// Ends what binds a call to its consultation or to the one it is a consultation for.
    fn separate(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let pairs = [
            call.consult_of().map(|of| (of, id)),
            call.transfer().consult().map(|with| (id, with)),
        ];
        for (caller, consult) in pairs.into_iter().flatten() {
            self.change(caller, |call, _| call.leaves_consult());
            self.change(consult, |call, _| call.stands_alone());
        }
    }

    /// One is no conference.
    pub(super) fn settle_conference(&mut self) {
        let members = self.calls.values().filter(|call| call.in_conference()).map(Call::id);
        if let [last] = members.collect::<Vec<_>>().as_slice() {
            self.change(*last, |call, _| call.leave_conference());
        }
    }

    /// Tells who hears whom, when that has changed.
    pub(super) fn update_conference(&mut self) {
        let heard = |call: &&Call| call.in_conference() && call.is_live();
        let mut together: Vec<CallId> = self.calls.values().filter(heard).map(Call::id).collect();
        if together.len() < 2 {
            together.clear();
        }
        if together != self.together {
            self.together.clone_from(&together);
            self.outputs.push_back(Output::Conference(together));
        }
    }
}
