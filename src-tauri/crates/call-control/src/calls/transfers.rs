//! What a transfer has to do with two calls: the caller's, and the consultation's.

use std::time::Instant;

use super::{CallControl, Ended, Output};
use crate::call::{Call, CallId, Command, Direction, Refusal, check_arguments};
use crate::transfer::{Plan, Progress};

impl CallControl {
    /// The user asks somebody before transferring a call to him: the call is put on hold, and a new
    /// one is made ([`Action::Invite`](crate::Action::Invite)), which knows whom it is for.
    ///
    /// # Errors
    /// When the call is not answered, is itself a consultation, or is being transferred. Nothing has
    /// changed then.
    pub fn consult(&mut self, now: Instant, id: CallId, to: String) -> Result<CallId, Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::UnknownCall)?;
        let state = call.state();
        let command = Command::TransferConsult(to.clone());
        if !call.allows(&command) {
            return Err(Refusal::WrongState(state));
        }
        check_arguments(&command)?;
        self.give_way_to(now, None);
        let with = self.new_id();
        let mut consult = Call::new(with, Direction::Out, now);
        consult.is_consult(id, to);
        self.add(consult);
        self.change(id, |call, _| call.waits_for(with));
        self.outputs.push_back(Output::Action(with, crate::call::Action::Invite));
        self.settle(now);
        Ok(with)
    }

    /// Sends a caller on by ringing the new party ourselves, with the caller on hold: once it answers, the
    /// peer is asked to take our place there; if it does not, the caller is still here. The new call
    /// ([`Action::Invite`](crate::Action::Invite)) is muted and knows whom it is for.
    ///
    /// # Errors
    /// As a blind transfer. Nothing has changed then.
    pub fn send_supervised(
        &mut self,
        now: Instant,
        id: CallId,
        to: String,
    ) -> Result<CallId, Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::UnknownCall)?;
        let command = Command::TransferBlind(to.clone());
        if !call.allows(&command) {
            return Err(Refusal::WrongState(call.state()));
        }
        check_arguments(&command)?;
        let with = self.new_id();
        let mut target = Call::new(with, Direction::Out, now);
        target.is_called_for(id, to.clone());
        self.add(target);
        self.change(id, |call, actions| call.send_supervised(now, to, with, actions));
        self.outputs.push_back(Output::Action(with, crate::call::Action::Invite));
        self.settle(now);
        Ok(with)
    }

    /// A call that is rung for another may have news for it.
    pub(super) fn follow(&mut self, now: Instant, id: CallId) {
        let Some(target) = self.calls.get(&id) else { return };
        let Some(caller) = target.called_for() else { return };
        let answered = target.is_up();
        if answered || target.is_ringing() {
            self.change(caller, |call, actions| call.target_news(now, answered, actions));
        }
    }

    /// Connects the caller with the consulted party as [`Command::TransferComplete`] does; where that one has not
    /// answered yet it goes on ringing for the caller, who waits here until it does.
    ///
    /// # Errors
    /// When there is no consultation. Nothing has changed then.
    pub fn complete_supervised(&mut self, now: Instant, id: CallId) -> Result<(), Refusal> {
        let (id, with) = self.consulting(id)?;
        if self.calls.get(&with).is_some_and(Call::is_up) {
            return self.complete(now, id);
        }
        let consult = self.calls.get(&with);
        let to = consult.and_then(Call::consulted).unwrap_or_default().to_owned();
        self.change(with, |call, actions| call.is_rung_from_here(actions));
        self.change(id, |call, actions| call.send_supervised(now, to, with, actions));
        self.follow(now, with);
        self.settle(now);
        Ok(())
    }

    /// Connects the caller with the consulted party. Where that one has not answered yet, the
    /// consultation ends and the caller is sent there: he hears it ring himself.
    pub(super) fn complete(&mut self, now: Instant, id: CallId) -> Result<(), Refusal> {
        let (id, with) = self.consulting(id)?;
        let consult = self.calls.get(&with).ok_or(Refusal::UnknownCall)?;
        let answered = consult.is_up();
        let to = consult.consulted().unwrap_or_default().to_owned();
        if answered {
            let plan = Plan { to, with: Some(with) };
            self.change(id, |call, actions| call.send_to(now, plan, actions));
        } else {
            if let Some(call) = self.calls.get_mut(&id) {
                call.leaves_consult();
            }
            self.hang_up(now, with);
            let plan = Plan { to, with: None };
            self.change(id, |call, actions| call.send_to(now, plan, actions));
        }
        self.settle(now);
        Ok(())
    }

    /// The caller and the consultation that are to be put together.
    fn consulting(&self, id: CallId) -> Result<(CallId, CallId), Refusal> {
        let id = self.caller(id, &Command::TransferComplete)?;
        let with = self.calls.get(&id).and_then(|call| call.transfer().consult());
        with.map(|with| (id, with)).ok_or(Refusal::UnknownCall)
    }

    /// Gives the caller back; the consultation ends.
    pub(super) fn cancel(&mut self, now: Instant, id: CallId) -> Result<(), Refusal> {
        let id = self.caller(id, &Command::TransferCancel)?;
        let consult = self.calls.get(&id).and_then(|call| call.transfer().consult());
        self.change(id, |call, _| call.take_back(now));
        if let Some(consult) = consult {
            self.hang_up(now, consult);
        }
        self.give_way_to(now, Some(id));
        self.change(id, |call, actions| call.take_ear(now, actions));
        self.settle(now);
        Ok(())
    }

    /// The call that a command about a transfer is for: a consultation stands for its caller.
    fn caller(&self, id: CallId, command: &Command) -> Result<CallId, Refusal> {
        let named = self.calls.get(&id).ok_or(Refusal::UnknownCall)?;
        let caller = named.consult_of().unwrap_or(id);
        let call = self.calls.get(&caller).ok_or(Refusal::UnknownCall)?;
        if call.allows(command) { Ok(caller) } else { Err(Refusal::WrongState(named.state())) }
    }

    pub(super) fn allows_transfer(&self, id: CallId, command: &Command) -> bool {
        self.caller(id, command).is_ok()
    }

    /// Draws the consequences of calls that are over for those that belonged to them.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(Ended { id, status, partner, on_the_way }) = self.ended.pop() {
            if let Some(partner) = partner {
                // The caller has taken our place in the consultation.
                self.change(partner, |call, actions| call.hand_over(now, actions));
            }
            let related = self.calls.values().filter_map(|call| {
                let waited = call.transfer().consult() == Some(id);
                (waited || call.consult_of() == Some(id)).then_some((call.id(), waited))
            });
            for (other, waited) in related.collect::<Vec<_>>() {
                let rung = self.calls.get(&other).filter(|call| call.called_for().is_some());
                // A new party that has answered waits for the caller, if he is on the way.
                let useless = rung.is_some_and(|call| !(on_the_way && call.is_up()));
                match (waited, useless) {
                    (true, _) => {
                        self.change(other, |call, _| call.consult_over(status));
                    }
                    // Nobody is left who wants it.
                    (false, true) => self.hang_up(now, other),
                    (false, false) => {
                        self.change(other, |call, actions| {
                            call.becomes_consult(actions);
                            call.stands_alone();
                        });
                    }
                }
            }
        }
        self.settle_rung();
        self.settle_conference();
    }

    /// A new party that has answered, and whose caller could not be passed on after all, is the user's to
    /// talk to.
    fn settle_rung(&mut self) {
        let left = |call: &&Call| {
            let caller = call.called_for().and_then(|of| self.calls.get(&of));
            call.is_up() && caller.is_some_and(|caller| !caller.transfer().is_under_way())
        };
        for id in self.calls.values().filter(left).map(Call::id).collect::<Vec<_>>() {
            self.change(id, |call, actions| call.becomes_consult(actions));
        }
    }

    pub(super) fn hang_up(&mut self, now: Instant, id: CallId) {
        self.change(id, |call, actions| call.command(now, Command::Hangup, actions));
    }
}

/// What of a call that is over matters to others.
pub(super) fn ended(call: &Call) -> Ended {
    // What is only inferred ends no conversation.
    let done = matches!(call.transfer().progress(), Some(Progress::Done { confirmed: true }));
    let partner = call.transfer().plan().filter(|_| done).and_then(|plan| plan.with);
    let unanswered = call.answered().is_none();
    let status = call.end().and_then(|end| end.status).filter(|_| unanswered);
    let on_the_way = call.transfer().progress() == Some(Progress::Done { confirmed: false });
    Ended { id: call.id(), status, partner, on_the_way }
}
