//! What the web services let calls do: the same moves that phones ask for with SIP.
//!
//! Inputs: from the web services all of it. A phone that is to answer or to hold is asked with a NOTIFY of the package
//! `talk` or `hold`, as hosted exchanges do; everything else the exchange does by itself.

use std::time::Instant;

use sip_types::{HeaderName, Method, StatusCode};
use sip_ua::SessionId;

use super::{CallNews, CallStage, End, Exchange, Place, UserCall};
use crate::call::{Call, State};
use crate::pbx::CallNumber;

/// Why a call cannot be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VerbError {
    /// It is over.
    #[error("there is no such call")]
    NoSuchCall,
    /// Not as far as it is.
    #[error("the call's state does not allow this")]
    WrongState,
    /// No phone is registered.
    #[error("no phone is registered")]
    Unreachable,
    /// Nothing rings or is parked there.
    #[error("there is no call to take")]
    NothingThere,
    /// All lines are taken.
    #[error("all lines are taken")]
    TooManyCalls,
    /// The phone does not do it.
    #[error("the phone cannot be controlled")]
    NoControl,
    /// The user does not have the service.
    #[error("the service is not assigned")]
    NotAssigned,
}

impl Exchange {
    /// Answers a call that rings, or takes it back from hold.
    pub(crate) fn talk(&mut self, now: Instant, call: &UserCall) -> Result<(), VerbError> {
        match (call.end, call.stage) {
            (End::Called, CallStage::Alerting) | (_, CallStage::Held) => {
                self.ask_phones(now, call, "talk")
            }
            _ => Err(VerbError::WrongState),
        }
    }

    /// Puts the other on hold.
    pub(crate) fn hold(&mut self, now: Instant, call: &UserCall) -> Result<(), VerbError> {
        match call.stage {
            CallStage::Active | CallStage::RemoteHeld => self.ask_phones(now, call, "hold"),
            _ => Err(VerbError::WrongState),
        }
    }

    fn ask_phones(&mut self, now: Instant, call: &UserCall, what: &str) -> Result<(), VerbError> {
        let mut asked = false;
        for leg in &call.legs {
            asked |= self.ask_phone(now, *leg, what);
        }
        self.settle(now);
        if asked { Ok(()) } else { Err(VerbError::NoControl) }
    }

    /// Asks one phone to `talk` or to `hold`. False if it could not be asked.
    pub(super) fn ask_phone(&mut self, now: Instant, leg: SessionId, what: &str) -> bool {
        let headers = vec![
            (HeaderName::Event, what.to_owned()),
            (HeaderName::SubscriptionState, "active".to_owned()),
            (HeaderName::Contact, format!("<{}>", self.own_uri())),
        ];
        self.ua.send_in_session(now, leg, Method::Notify, headers, None).is_ok()
    }

    /// Ends a call; one that rings is refused with this.
    pub(crate) fn release_call(
        &mut self,
        now: Instant,
        call: &UserCall,
        refusal: StatusCode,
    ) -> Result<(), VerbError> {
        if let Place::Click(number) = call.place {
            self.stop_click(now, number);
            self.settle(now);
            return Ok(());
        }
        let number = self.number_of(call)?;
        for session in call.legs.iter().copied() {
            self.note(CallNews::HungUp { session });
        }
        if call.end == End::Called && call.stage == CallStage::Alerting {
            self.stop_ringing_phones(now, number);
            self.give_up(now, number, refusal);
        } else {
            self.end(now, number, "released by its user");
        }
        self.settle(now);
        Ok(())
    }

    fn stop_ringing_phones(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.due = None;
        if let State::Ringing { forks, .. } = &mut call.state {
            let forks = std::mem::take(forks);
            self.cancel(now, &forks, None);
        }
    }

    /// Sends the other to a number; one that rings is sent there unanswered. `to_front`: before all others, if that is a queue.
    pub(crate) fn transfer(
        &mut self,
        now: Instant,
        call: &UserCall,
        (to, to_front): (&str, bool),
    ) -> Result<(), VerbError> {
        let number = self.number_of(call)?;
        match (call.end, call.stage, call.legs.first()) {
            (End::Called, CallStage::Alerting, _) => {
                self.stop_ringing_phones(now, number);
                if let Some(call) = self.calls.get_mut(&number) {
                    call.to_front = to_front;
                    let by = call.called.clone();
                    self.divert_to(now, number, (by, "deflection"), to);
                }
            }
            (_, CallStage::Active | CallStage::Held | CallStage::RemoteHeld, Some(leg)) => {
                let talks = matches!(
                    self.calls.get(&number),
                    Some(Call { state: State::Talking { .. }, transfer: None, .. })
                );
                if !talks {
                    return Err(VerbError::WrongState);
                }
                self.transfer_to_number(now, number, *leg, (to, to_front));
            }
            _ => return Err(VerbError::WrongState),
        }
        self.changed = true;
        self.settle(now);
        Ok(())
    }

    /// Puts those together whom two calls of a user are with: who is in `first` is sent to who is in `second`.
    pub(crate) fn consult_transfer(
        &mut self,
        now: Instant,
        first: &UserCall,
        second: &UserCall,
    ) -> Result<(), VerbError> {
        let (number, other) = (self.number_of(first)?, self.number_of(second)?);
        let (Some(&leg), Some(&consulted)) = (first.legs.first(), second.legs.first()) else {
            return Err(VerbError::NoControl);
        };
        if number == other || first.user != second.user {
            return Err(VerbError::WrongState);
        }
        let free = |number: CallNumber| {
            let call = self.calls.get(&number)?;
            let talks = matches!(call.state, State::Talking { .. });
            Some((talks, call.near_phone())).filter(|_| call.transfer.is_none())
        };
        match (free(number), free(other)) {
            (Some((true, _)), Some((true, _))) => {
                self.put_together(now, number, leg, other, consulted);
            }
            (Some((true, _)), Some((false, near))) if near == Some(consulted) => {
                self.hand_over_ringing(now, number, leg, other, consulted);
            }
            _ => return Err(VerbError::WrongState),
        }
        self.changed = true;
        self.settle(now);
        Ok(())
    }

    /// Plays digits to the other side, as INFO (the sound of a phone's keys is the phone's).
    pub(crate) fn play_digits(
        &mut self,
        now: Instant,
        call: &UserCall,
        digits: &str,
    ) -> Result<(), VerbError> {
        let number = self.number_of(call)?;
        let Some(found) = self.calls.get(&number) else { return Err(VerbError::NoSuchCall) };
        if !matches!(found.state, State::Talking { .. }) {
            return Err(VerbError::WrongState);
        }
        let leg = call.legs.first().copied().ok_or(VerbError::NoControl)?;
        let Some(other) = found.other_phone(leg) else {
            // A simulated party takes note.
            tracing::debug!(call = number.0, digits = digits.len(), "digits");
            return Ok(());
        };
        for digit in digits.chars().filter(|digit| *digit != ',') {
            let _ = self.ua.info(now, other, super::rooms::dtmf(digit));
        }
        self.settle(now);
        Ok(())
    }

    /// The call of the exchange that a user's call is.
    pub(super) fn number_of(&self, call: &UserCall) -> Result<CallNumber, VerbError> {
        let by_leg = call.legs.iter().find_map(|leg: &SessionId| self.sessions.get(leg).copied());
        let by_place = match call.place {
            Place::Call(number) => Some(number),
            _ => None,
        };
        let number = by_leg.or(by_place).ok_or(VerbError::WrongState)?;
        self.calls.contains_key(&number).then_some(number).ok_or(VerbError::NoSuchCall)
    }
}
