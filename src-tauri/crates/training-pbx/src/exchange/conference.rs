//! Conferences over the web services: several calls of one user are one, and its owner decides who is heard.
//!
//! Inputs: from the web services all of it. The sound is mixed in a room (`rooms`); the owner's phone keeps its calls, and
//! hears everybody in whichever of them is not on hold; when that one ends the phone is asked to take back another. States:
//! `Active`, `Held` (the owner neither hears nor is heard, the others go on), and none when fewer than two calls are left.

use std::collections::BTreeMap;
use std::time::Instant;

use sip_ua::SessionId;

use super::{Exchange, UserCall, VerbError};
use crate::call::{Call, State};
use crate::pbx::CallNumber;

/// Calls in a conference.
const LARGEST: usize = 15;

/// What one of the others may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ears {
    /// The others do not hear him.
    pub(crate) is_muted: bool,
    /// He does not hear the others.
    pub(crate) is_deaf: bool,
}

/// One conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conference {
    /// Extension of whose calls they are.
    pub(crate) owner: String,
    pub(crate) is_held: bool,
    /// The owner is not heard.
    pub(crate) is_muted: bool,
    ears: BTreeMap<CallNumber, Ears>,
}

impl Conference {
    /// Whether a side of a call is muted, and whether it is deaf.
    pub(super) fn ears(&self, call: CallNumber, owns: bool) -> (bool, bool) {
        if owns {
            return (self.is_muted || self.is_held, self.is_held);
        }
        let ears = self.ears.get(&call).copied().unwrap_or_default();
        (ears.is_muted, ears.is_deaf)
    }
}

/// What is done to the whole of a conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConferenceVerb {
    Hold,
    Talk,
    Mute,
    Unmute,
}

/// What is done to one of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParticipantVerb {
    Add,
    Mute,
    Unmute,
    Deaf,
    Undeaf,
}

/// A conference as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserConference {
    /// Extension.
    pub(crate) user: String,
    pub(crate) is_held: bool,
    pub(crate) is_muted: bool,
    /// What it is besides, in the words of the interface.
    pub(crate) kind: Option<&'static str>,
    pub(crate) participants: Vec<(CallNumber, Ears)>,
}

impl Exchange {
    /// Makes one conference of calls of a user.
    ///
    /// # Errors
    /// [`VerbError`]: less than two, too many, a call that cannot be in one or is in another's.
    pub(crate) fn start_conference(
        &mut self,
        now: Instant,
        user: &str,
        calls: &[UserCall],
    ) -> Result<(), VerbError> {
        let numbers = calls.iter().map(|call| self.conferrable(user, call));
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
        self.confer(now, user, numbers)?;
        self.settle(now);
        Ok(())
    }

    /// Makes one conference of these calls and of those in it already.
    fn confer(
        &mut self,
        now: Instant,
        user: &str,
        mut numbers: Vec<CallNumber>,
    ) -> Result<(), VerbError> {
        let before = self.rooms.conference_of(user).map(|(room, _)| room);
        let before = before.and_then(|room| self.rooms.all.get(&room)).map(|room| &room.calls);
        numbers.extend(before.into_iter().flatten());
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() < 2 || numbers.len() > LARGEST {
            return Err(VerbError::WrongState);
        }
        let room = self.merge(now, &numbers).ok_or(VerbError::WrongState)?;
        if let Some(room) = self.rooms.all.get_mut(&room) {
            tracing::debug!(%user, calls = numbers.len(), "talking, conference -> active");
            room.conference.get_or_insert_with(|| Conference {
                owner: user.to_owned(),
                is_held: false,
                is_muted: false,
                ears: BTreeMap::new(),
            });
        }
        self.changed = true;
        Ok(())
    }

    /// Calls that were made to be part of a conference, and have been answered.
    pub(super) fn confer_by_itself(&mut self, now: Instant) {
        let ready = |call: &Call| matches!(call.state, State::Talking { .. });
        let joins: Vec<(CallNumber, CallNumber)> = self
            .calls
            .iter_mut()
            .filter(|(_, call)| ready(call))
            .filter_map(|(number, call)| Some((*number, call.joins.take()?)))
            .collect();
        for (number, into) in joins {
            let user = self.calls.get(&number).and_then(|call| call.caller.extension.clone());
            let talks = self.calls.get(&into).is_some_and(ready);
            if let Some(user) = user.filter(|_| talks)
                && let Err(error) = self.confer(now, &user, vec![into, number])
            {
                tracing::info!(call = number.0, %error, "no conference");
            }
        }
    }

    /// The call of the exchange that can become part of a user's conference.
    ///
    /// # Errors
    /// [`VerbError`].
    pub(crate) fn conferrable(&self, user: &str, call: &UserCall) -> Result<CallNumber, VerbError> {
        let number = self.number_of(call)?;
        let talks = self.calls.get(&number).is_some_and(|call| {
            let free = call.transfer.is_none() && call.supervises.is_none() && !call.waits();
            matches!(call.state, State::Talking { .. }) && free
        });
        let conference = self.rooms.get(number).and_then(|room| room.conference.as_ref());
        let own = conference.is_none_or(|conference| conference.owner == user);
        if talks && own { Ok(number) } else { Err(VerbError::WrongState) }
    }

    /// Ends a user's conference with all its calls.
    ///
    /// # Errors
    /// [`VerbError::NoSuchCall`] if there is none.
    pub(crate) fn end_conference(&mut self, now: Instant, user: &str) -> Result<(), VerbError> {
        let (room, _) = self.rooms.conference_of(user).ok_or(VerbError::NoSuchCall)?;
        let Some(room) = self.rooms.all.get_mut(&room) else { return Err(VerbError::NoSuchCall) };
        room.conference = None;
        for number in room.calls.clone() {
            self.end(now, number, "the conference is over");
        }
        self.settle(now);
        Ok(())
    }

    /// The phone of a conference's owner that still holds one of its calls, if this is the only one that it does not:
    /// nobody is to wait when that has ended.
    pub(super) fn heard_next(&self, number: CallNumber) -> Option<SessionId> {
        let room = self.rooms.get(number)?;
        let owner = room.conference.as_ref().filter(|conference| !conference.is_held)?;
        let owner = Some(owner.owner.as_str());
        let phone = |number: &CallNumber| {
            let call = self.calls.get(number)?;
            let mut phones = [call.near_phone(), call.far_phone()].into_iter().flatten();
            let own = phones.find(|phone| call.who(*phone).extension.as_deref() == owner)?;
            Some((own, call.held.contains(&own)))
        };
        let (_, is_held) = phone(&number)?;
        let others = room.calls.iter().filter(|other| **other != number);
        let others: Vec<(SessionId, bool)> = others.filter_map(phone).collect();
        let all_held = !is_held && others.iter().all(|(_, is_held)| *is_held);
        others.first().filter(|_| all_held).map(|(phone, _)| *phone)
    }

    /// Does something to the whole of a user's conference.
    ///
    /// # Errors
    /// [`VerbError::NoSuchCall`] if there is none.
    pub(crate) fn control_conference(
        &mut self,
        now: Instant,
        user: &str,
        verb: ConferenceVerb,
    ) -> Result<(), VerbError> {
        let (room, _) = self.rooms.conference_of(user).ok_or(VerbError::NoSuchCall)?;
        let conference = self.rooms.all.get_mut(&room).and_then(|room| room.conference.as_mut());
        let conference = conference.ok_or(VerbError::NoSuchCall)?;
        tracing::debug!(%user, ?verb, held = conference.is_held, "conference");
        match verb {
            ConferenceVerb::Hold => conference.is_held = true,
            ConferenceVerb::Talk => conference.is_held = false,
            ConferenceVerb::Mute => conference.is_muted = true,
            ConferenceVerb::Unmute => conference.is_muted = false,
        }
        self.changed = true;
        self.settle(now);
        Ok(())
    }

    /// Does something to one of the others of a user's conference.
    ///
    /// # Errors
    /// [`VerbError`]: no conference, a call that is not in it or, to be added, cannot be.
    pub(crate) fn control_participant(
        &mut self,
        now: Instant,
        user: &str,
        (call, verb): (&UserCall, ParticipantVerb),
    ) -> Result<(), VerbError> {
        let (id, _) = self.rooms.conference_of(user).ok_or(VerbError::NoSuchCall)?;
        if verb == ParticipantVerb::Add {
            return self.start_conference(now, user, std::slice::from_ref(call));
        }
        let number = self.number_of(call)?;
        let room = self.rooms.all.get_mut(&id).filter(|room| room.calls.contains(&number));
        let conference = room.and_then(|room| room.conference.as_mut());
        let ears = conference.ok_or(VerbError::NoSuchCall)?.ears.entry(number).or_default();
        match verb {
            ParticipantVerb::Mute => ears.is_muted = true,
            ParticipantVerb::Unmute => ears.is_muted = false,
            ParticipantVerb::Deaf => ears.is_deaf = true,
            ParticipantVerb::Undeaf => ears.is_deaf = false,
            ParticipantVerb::Add => {}
        }
        tracing::debug!(call = number.0, ?verb, "conference");
        self.changed = true;
        self.settle(now);
        Ok(())
    }

    /// The conferences of all users, and what supervisors are in on.
    pub(crate) fn user_conferences(&self) -> Vec<UserConference> {
        let one = |room: &super::rooms::Room| {
            let conference = room.conference.as_ref()?;
            let ears =
                |call: &CallNumber| (*call, conference.ears.get(call).copied().unwrap_or_default());
            Some(UserConference {
                user: conference.owner.clone(),
                is_held: conference.is_held,
                is_muted: conference.is_muted,
                kind: None,
                participants: room.calls.iter().map(ears).collect(),
            })
        };
        let mut all: Vec<UserConference> = self.rooms.all.values().filter_map(one).collect();
        all.extend(self.supervised_conferences());
        all
    }
}
