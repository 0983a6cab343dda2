//! Click to dial: a user's own phones are rung with the wish to answer by themselves, and then somebody is called for the
//! one that answered.
//!
//! Inputs: from the web services `click`; from phones `click_answered`, `click_ended`; from time `clicks_late`. A click is
//! `ringing` until one of these ends it; after the answer it is a call like any other, whose near phone waits.

use std::time::{Duration, Instant};

use sip_types::{HeaderName, Host, StatusCode, Uri};
use sip_ua::{Body, LocalIdentity, OutgoingCall, SessionId};

use super::{CALLS, CallNews, Exchange, LONGEST_CALL, SupervisionWish, VerbError};
use crate::call::{Asking, Call, Party, State};
use crate::pbx::CallNumber;

/// How long the own phones ring.
const RING: Duration = Duration::from_secs(30);

/// What the click is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Goal {
    /// To call a number.
    Dial(String),
    /// To take the call that rings at a line.
    PickUp(String),
    /// To take back the call that is parked against a line.
    Retrieve(String),
    /// To have the call of another own phone.
    Pull,
    /// To call a line that was busy and is free now; whoever lifts wants to.
    RingBack(String),
    /// To call a number and have it in a conference with a call.
    DialInto { to: String, into: CallNumber },
    /// To be in on somebody's call.
    Supervise(SupervisionWish),
}

impl Goal {
    /// The number that is wanted.
    pub(super) fn number(&self) -> String {
        match self {
            Self::Dial(number) | Self::DialInto { to: number, .. } | Self::RingBack(number) => {
                number.clone()
            }
            Self::Pull => "*11".to_owned(),
            Self::PickUp(line) => format!("*97{line}"),
            Self::Retrieve(line) => format!("*88{line}"),
            Self::Supervise(wish) => wish.target.clone(),
        }
    }
}

/// Own phones that ring.
#[derive(Debug)]
pub(crate) struct Click {
    pub(super) user: String,
    pub(super) forks: Vec<SessionId>,
    pub(super) goal: Goal,
    due: Instant,
}

impl Exchange {
    /// Rings the phones of `user` for a goal.
    ///
    /// # Errors
    /// [`VerbError`]: no phone, too many calls, nothing to take.
    pub(crate) fn click(&mut self, now: Instant, user: &str, goal: Goal) -> Result<(), VerbError> {
        if self.calls.len() + self.clicks.len() >= CALLS {
            return Err(VerbError::TooManyCalls);
        }
        match &goal {
            Goal::PickUp(line) if self.rings_at(line).is_none() => {
                return Err(VerbError::NothingThere);
            }
            Goal::Retrieve(line) if self.parked_at(line).is_none() => {
                return Err(VerbError::NothingThere);
            }
            Goal::Pull if self.talks_with(user).is_none() => return Err(VerbError::NothingThere),
            Goal::Supervise(wish) => self.can_supervise(user, wish)?,
            _ => {}
        }
        // The phone that has the call is not asked to take it from itself.
        let has_it = self.talks_with(user).filter(|_| goal == Goal::Pull);
        let has_it = has_it.and_then(|(_, session)| self.ua.remote_target(session)).map(place);
        let legs: Vec<OutgoingCall> = self
            .telephones_at_hand(user)
            .iter()
            .filter(|binding| Some(place(&binding.contact)) != has_it)
            .map(|binding| OutgoingCall {
                target: Some(binding.contact.clone()),
                route: Some(binding.route()),
                ..self.click_leg(user, &goal)
            })
            .collect();
        let forks: Vec<SessionId> = legs
            .into_iter()
            .filter_map(|leg| self.ua.invite(now, self.account, leg).ok())
            .collect();
        if forks.is_empty() {
            return Err(VerbError::Unreachable);
        }
        let number = self.next_call().0;
        tracing::debug!(click = number, %user, ?goal, "none, click -> ringing");
        self.clicks.insert(number, Click { user: user.to_owned(), forks, goal, due: now + RING });
        self.changed = true;
        self.settle(now);
        Ok(())
    }

    /// The leg to the own phone: it is to answer by itself, and shows whom it is for.
    fn click_leg(&self, user: &str, goal: &Goal) -> OutgoingCall {
        let peer = self.talks_with(user).filter(|_| *goal == Goal::Pull);
        let peer = peer.and_then(|(number, session)| Some(self.calls.get(&number)?.peer(session)));
        let remote = peer.cloned().unwrap_or_else(|| self.who(&goal.number()));
        let own = self.uri(user);
        let mut leg = OutgoingCall::new(own.clone(), None);
        leg.to_display = self.identity(user).display;
        leg.identity = Some(LocalIdentity {
            display: remote.display.clone(),
            uri: remote.uri.clone(),
            asserted: Some(remote.address()),
        });
        if !matches!(goal, Goal::RingBack(_)) {
            leg.headers = vec![(HeaderName::CallInfo, format!("<{own}>;answer-after=0"))];
        }
        leg
    }

    /// One of the own phones answered. False if it belongs to no click.
    pub(super) fn click_answered(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<&Body>,
    ) -> bool {
        let Some(number) = self.click_of(session) else { return false };
        let Some(click) = self.clicks.remove(&number) else { return false };
        tracing::debug!(click = number, "ringing, answered -> calling");
        let others: Vec<SessionId> =
            click.forks.iter().copied().filter(|fork| *fork != session).collect();
        self.cancel_elsewhere(now, &others);
        if let Some(answer) = body.and_then(|offer| self.quiet_answer(offer)) {
            let _ = self.ua.provide_answer(now, session, answer);
        }
        match click.goal {
            Goal::Dial(to) | Goal::RingBack(to) => {
                self.call_for(now, session, &click.user, (&to, None));
            }
            Goal::Pull => self.pull_for(now, session, &click.user),
            Goal::DialInto { to, into } => {
                self.call_for(now, session, &click.user, (&to, Some(into)));
            }
            Goal::PickUp(line) => self.pick_up_for(now, session, &click.user, &line),
            Goal::Retrieve(line) => self.retrieve_for(now, session, &click.user, &line),
            Goal::Supervise(wish) => self.supervise_for(now, session, (&click.user, &wish)),
        }
        true
    }

    /// One of the own phones refused or was cancelled. False if it belongs to no click.
    pub(super) fn click_ended(&mut self, session: SessionId) -> bool {
        let Some(number) = self.click_of(session) else { return false };
        if let Some(click) = self.clicks.get_mut(&number) {
            click.forks.retain(|fork| *fork != session);
            if click.forks.is_empty() {
                tracing::debug!(click = number, "ringing, refused -> gone");
                self.clicks.remove(&number);
            }
        }
        true
    }

    fn click_of(&self, session: SessionId) -> Option<u64> {
        let mut clicks = self.clicks.iter();
        clicks.find(|(_, click)| click.forks.contains(&session)).map(|(number, _)| *number)
    }

    /// Ends a click.
    pub(super) fn stop_click(&mut self, now: Instant, number: u64) {
        let Some(click) = self.clicks.remove(&number) else { return };
        tracing::debug!(click = number, "ringing, stop -> gone");
        self.changed = true;
        self.cancel(now, &click.forks, None);
    }

    /// Own phones that have rung for too long.
    pub(super) fn clicks_late(&mut self, now: Instant) {
        let late: Vec<u64> =
            self.clicks.iter().filter(|(_, c)| c.due <= now).map(|(number, _)| *number).collect();
        for number in late {
            self.stop_click(now, number);
        }
    }

    /// When the next have.
    pub(super) fn clicks_due(&self) -> Option<Instant> {
        self.clicks.values().map(|click| click.due).min()
    }

    /// Calls somebody for a phone that has answered.
    fn call_for(
        &mut self,
        now: Instant,
        session: SessionId,
        user: &str,
        (to, joins): (&str, Option<CallNumber>),
    ) {
        let (number, second) = (self.next_call(), self.next_call());
        let caller = self.who(user);
        let mut first = Call::new(Party::Phone(session), caller.clone(), None);
        first.called = self.who(to);
        first.answered = true;
        first.clicked = true;
        first.state = State::Alone;
        first.due = Some(now + LONGEST_CALL);
        first.transfer = Some(second);
        self.sessions.insert(session, number);
        self.calls.insert(number, first);
        let mut call = Call::new(Party::Transferee(number), caller, None);
        call.clicked = true;
        call.joins = joins;
        self.calls.insert(second, call);
        self.go_to(now, second, to);
    }

    /// The call that rings at a line.
    fn rings_at(&self, line: &str) -> Option<CallNumber> {
        let rings = |call: &Call| {
            let ringing = matches!(call.state, State::Ringing { .. } | State::Simulated(_));
            ringing && call.called.extension.as_deref() == Some(line)
        };
        self.calls.iter().find(|(_, call)| rings(call)).map(|(number, _)| *number)
    }

    /// A phone that has answered takes the call that rings at a line.
    fn pick_up_for(&mut self, now: Instant, session: SessionId, user: &str, line: &str) {
        let by = self.who(user);
        let Some(number) = self.rings_at(line) else {
            let _ = self.ua.hangup(now, session);
            return;
        };
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, %user, "{}, picked up -> joining", call.state.name());
        let state = State::Talking { far: Party::Phone(session), asking: Asking::Nothing };
        let forks = match std::mem::replace(&mut call.state, state) {
            State::Ringing { forks, .. } => forks,
            _ => Vec::new(),
        };
        call.person = None;
        call.hunt.clear();
        call.called = by.clone();
        call.due = Some(now + LONGEST_CALL);
        call.patience = None;
        call.answered_at = Some(now);
        self.note(CallNews::PickedUp { number, by });
        self.cancel_elsewhere(now, &forks);
        self.take_over(now, number);
        self.sessions.insert(session, number);
        self.enter_answered(now, number, session);
    }

    /// A phone that has answered takes the call back that is parked against a line.
    fn retrieve_for(&mut self, now: Instant, session: SessionId, user: &str, line: &str) {
        let by = self.who(user);
        let Some(number) = self.parked_at(line) else {
            let _ = self.ua.hangup(now, session);
            return;
        };
        self.stop_transfer(now, number, "retrieved");
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, %user, "parked, retrieve -> joining");
        call.parked = None;
        call.due = Some(now + LONGEST_CALL);
        call.called = by.clone();
        let state = State::Talking { far: Party::Phone(session), asking: Asking::Nothing };
        if let State::Talking { far: Party::Local(music), .. } | State::Answering(music) =
            std::mem::replace(&mut call.state, state)
        {
            self.close(music.endpoint);
        }
        self.note(CallNews::Retrieved { number, by });
        self.sessions.insert(session, number);
        self.connect(now, number);
    }

    /// The far phone has answered before: the near side, which may still wait for its answer, is joined with it.
    fn enter_answered(&mut self, now: Instant, number: CallNumber, session: SessionId) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let calling = call.near_phone().filter(|_| !call.answered);
        match (calling, call.offer.take()) {
            (Some(calling), offer @ Some(_)) => {
                self.join(now, number, Asking::Entering { calling, asked: session }, offer);
            }
            (Some(calling), None) => {
                let _ = self.ua.reject(now, calling, StatusCode::NOT_ACCEPTABLE_HERE);
                self.end(now, number, "no offer");
            }
            (None, _) => self.connect(now, number),
        }
    }
}

/// Where a Contact says that a phone is. Long requests go over another transport than the registration did (RFC 3261
/// section 18.1.1), which the Contact shows.
fn place(contact: &Uri) -> (Option<&Host>, Option<u16>) {
    (contact.host(), contact.port())
}
