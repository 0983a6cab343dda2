//! Supervisors who are in on the calls of agents: they listen, they speak to the agent alone, or with everybody.
//!
//! Inputs: from the web services `click` with [`Goal::Supervise`] and `change_manner`; from the supervisor's phone its
//! answer (`supervise_for`) and its end; from the rooms `tend_guests`.
//!
//! A supervisor has a call of his own whose far side is a port of the exchange. It is `Next` (waits for the next call of a
//! queue or of an agent) or in on a call, in a [`Manner`] that he can change; when that call ends so does his.

use std::time::Instant;

use sip_ua::SessionId;

use super::conference::{Ears, UserConference};
use super::script::watched_talk;
use super::{CallNews, Exchange, Place, VerbError};
use crate::acd::{AgentId, QueueId};
use crate::call::{Call, Party, State, Who};
use crate::endpoint::Step;
use crate::life::Talk;
use crate::pbx::CallNumber;

/// How a supervisor is in on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Hears both and is not heard.
    Listen,
    /// Is heard by the agent alone.
    Coach,
    /// Is heard by both.
    BargeIn,
}

impl Manner {
    /// In the words of the interface.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Listen => "Silently Monitored",
            Self::Coach => "Supervisor Coached",
            Self::BargeIn => "Barge-In",
        }
    }

    /// The event that tells the agent.
    const fn event(self) -> &'static str {
        match self {
            Self::Listen | Self::Coach => "CallMonitoredEvent",
            Self::BargeIn => "CallBargedInEvent",
        }
    }
}

/// Whom a supervisor wants to be in on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Extension of an agent, or a queue.
    pub(crate) target: String,
    pub(crate) manner: Manner,
    /// Not what goes on now but what comes next.
    pub(crate) next: bool,
    /// A tone says so, and who is supervised is told.
    pub(crate) tone: bool,
}

/// What a supervisor is in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    /// Whatever comes next, after that moment.
    Next { since: Instant },
    /// A call.
    Call(CallNumber),
    /// Simulated parties among themselves.
    Talk(u64),
}

/// A supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guest {
    /// Extension of the supervisor.
    pub(super) user: String,
    /// Extension of who is supervised; the queue while none is.
    pub(super) agent: String,
    pub(super) manner: Manner,
    pub(super) watched: Watched,
    tone: bool,
}

impl Exchange {
    /// Whether there is anything to be in on.
    ///
    /// # Errors
    /// [`VerbError::NothingThere`].
    pub(super) fn can_supervise(&self, user: &str, wish: &Wish) -> Result<(), VerbError> {
        let own = self.guests.values().any(|guest| guest.user == user);
        if own {
            return Err(VerbError::WrongState);
        }
        let there = wish.next || self.busy_with(&wish.target).is_some();
        there.then_some(()).ok_or(VerbError::NothingThere)
    }

    /// What an agent is busy with.
    fn busy_with(&self, agent: &str) -> Option<Watched> {
        let own = |who: &Who| who.extension.as_deref() == Some(agent);
        let talks = |call: &Call| {
            matches!(call.state, State::Talking { .. })
                && call.supervises.is_none()
                && !call.waits()
                && call.mailbox.is_none()
                && (own(&call.caller) || own(&call.called))
        };
        let held = |call: &Call| call.held.iter().any(|session| own(call.who(*session)));
        let mut calls: Vec<_> = self.calls.iter().filter(|(_, call)| talks(call)).collect();
        // One that he has not put on hold comes first.
        calls.sort_by_key(|(number, call)| (held(call), **number));
        let call = calls.first().map(|(number, _)| Watched::Call(**number));
        let talk = |talk: &&Talk| talk.answered && (own(&talk.caller) || own(&talk.called));
        call.or_else(|| Some(Watched::Talk(self.life.talks().iter().find(talk)?.number)))
    }

    /// A supervisor's phone has answered.
    pub(super) fn supervise_for(
        &mut self,
        now: Instant,
        session: SessionId,
        (user, wish): (&str, &Wish),
    ) {
        let watched = match wish.next {
            true => Some(Watched::Next { since: now }),
            false => self.busy_with(&wish.target),
        };
        let Some(watched) = watched else {
            let _ = self.ua.hangup(now, session);
            return;
        };
        let number = self.next_call();
        let mut call = Call::new(Party::Phone(session), self.who(user), None);
        // The agent has no further call by this.
        call.called = Who { extension: None, ..self.who(&wish.target) };
        call.answered = true;
        call.supervises = Some(wish.target.clone());
        let mut steps = Vec::new();
        if wish.tone && !wish.next {
            steps.push(Step::Beep);
        }
        if let Watched::Talk(talk) = watched
            && let Some(talk) = self.life.talks().iter().find(|t| t.number == talk)
        {
            steps = watched_talk(&self.company, talk);
        }
        steps.push(Step::Listen);
        call.state = State::Answering(self.open_line(number, steps));
        call.due = Some(now + super::simulated::OPENING);
        tracing::debug!(call = number.0, %user, ?wish, "none, supervises -> answering");
        self.sessions.insert(session, number);
        self.calls.insert(number, call);
        let guest = Guest {
            user: user.to_owned(),
            agent: wish.target.clone(),
            manner: wish.manner,
            watched,
            tone: wish.tone,
        };
        self.guests.insert(number, guest);
        self.attend_to(now, number);
    }

    /// A supervisor has found what he is to be in on.
    fn attend_to(&mut self, now: Instant, number: CallNumber) {
        let Some(guest) = self.guests.get(&number).cloned() else { return };
        match guest.watched {
            Watched::Call(call) => {
                self.room_of(now, call);
            }
            Watched::Talk(_) => {
                let room = self.rooms.make();
                self.rooms.of.insert(number, room);
            }
            Watched::Next { .. } => return,
        }
        self.tell_supervised(&guest);
        self.changed = true;
    }

    /// Who is supervised is told, where the service says so; one who is spoken to learns it anyway.
    fn tell_supervised(&mut self, guest: &Guest) {
        let place = match guest.watched {
            Watched::Call(call) => Place::Call(call),
            Watched::Talk(talk) => Place::Talk(talk),
            Watched::Next { .. } => return,
        };
        if guest.tone || guest.manner != Manner::Listen {
            let (user, kind) = (guest.agent.clone(), guest.manner.event());
            self.note(CallNews::Supervised { place, user, kind });
        }
    }

    /// A supervisor is in on his call in another manner from now on.
    ///
    /// # Errors
    /// [`VerbError::NoSuchCall`] if he is in on none.
    pub(crate) fn change_manner(
        &mut self,
        now: Instant,
        user: &str,
        manner: Manner,
    ) -> Result<(), VerbError> {
        let own = |guest: &&mut Guest| {
            guest.user == user && !matches!(guest.watched, Watched::Next { .. })
        };
        let guest = self.guests.values_mut().find(own).ok_or(VerbError::NoSuchCall)?;
        if guest.manner == manner {
            return Ok(());
        }
        if matches!(guest.watched, Watched::Talk(_)) {
            // Simulated parties hear nobody.
            return Err(VerbError::WrongState);
        }
        tracing::debug!(%user, ?manner, "supervises, changed -> supervises");
        guest.manner = manner;
        let guest = guest.clone();
        self.tell_supervised(&guest);
        self.changed = true;
        self.settle(now);
        Ok(())
    }

    /// Lets supervisors who wait into the next call, and ends those whose call is over. True if one has ended.
    pub(super) fn tend_guests(&mut self, now: Instant) -> bool {
        self.guests.retain(|number, _| self.calls.contains_key(number));
        let waiting = |guest: &Guest| match guest.watched {
            Watched::Next { since } => Some(since),
            _ => None,
        };
        let waiting: Vec<(CallNumber, String, Instant)> = self
            .guests
            .iter()
            .filter_map(|(number, guest)| Some((*number, guest.agent.clone(), waiting(guest)?)))
            .collect();
        for (number, target, since) in waiting {
            if let Some((watched, agent)) = self.next_of(now, &target, since) {
                if let Some(guest) = self.guests.get_mut(&number) {
                    (guest.watched, guest.agent) = (watched, agent.clone());
                }
                if let Some(call) = self.calls.get_mut(&number) {
                    call.supervises = Some(agent);
                }
                self.attend_to(now, number);
            }
        }
        let over = |guest: &Guest| match guest.watched {
            Watched::Call(call) => !self.rooms.of.contains_key(&call),
            Watched::Talk(talk) => !self.life.talks().iter().any(|t| t.number == talk),
            Watched::Next { .. } => false,
        };
        let over = self.guests.iter().find(|(_, guest)| over(guest)).map(|(number, _)| *number);
        if let Some(number) = over {
            self.guests.remove(&number);
            self.end(now, number, "what was supervised is over");
        }
        over.is_some()
    }

    /// The call of a queue, or of an agent, that was answered after a moment; and the agent.
    fn next_of(&self, now: Instant, target: &str, since: Instant) -> Option<(Watched, String)> {
        let view = self.acd.view(now);
        let (queue, agent) = (QueueId(target.to_owned()), AgentId(target.to_owned()));
        let fits = |entry: &&crate::acd::QueueEntry| {
            let new = entry.removed_at.is_some_and(|at| at >= since);
            new && (entry.queue == queue || entry.answered_by.as_ref() == Some(&agent))
        };
        let entry = view.conversations.iter().find(fits)?;
        let agent = entry.answered_by.as_ref()?.0.clone();
        let is = |call: &Call| {
            call.conversation == Some(entry.call) && matches!(call.state, State::Talking { .. })
        };
        let call = self.calls.iter().find(|(_, call)| is(call));
        let call = call.map(|(number, _)| Watched::Call(*number));
        let talk = || {
            let mut talks = self.life.talks().iter();
            talks
                .find(|talk| talk.conversation == Some(entry.call))
                .map(|t| Watched::Talk(t.number))
        };
        Some((call.or_else(talk)?, agent))
    }

    /// What supervisors are in on, as they see it.
    pub(super) fn supervised_conferences(&self) -> Vec<UserConference> {
        let one = |(number, guest): (&CallNumber, &Guest)| UserConference {
            user: guest.user.clone(),
            is_held: false,
            is_muted: guest.manner == Manner::Listen,
            kind: Some(guest.manner.word()),
            participants: vec![(*number, Ears::default())],
        };
        let inside = self.guests.iter();
        inside
            .filter(|(_, guest)| !matches!(guest.watched, Watched::Next { .. }))
            .map(one)
            .collect()
    }

    /// Whom a supervisor's call is shown to be with.
    pub(super) fn supervised(&self, call: &Call) -> Option<Who> {
        call.supervises.as_deref().map(|agent| self.who(agent))
    }
}
