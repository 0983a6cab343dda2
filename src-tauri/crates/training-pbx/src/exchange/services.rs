//! Feature codes: park and retrieve, directed pickup, voicemail, do not disturb, forwarding; and Replaces in an INVITE
//! (RFC 3891), which takes over a call likewise.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use event_packages::ParkedIdentity;
use sip_types::{Host, NameAddr, Replaces, StatusCode, Uri};
use sip_ua::{Body, SessionId};

use super::script::service_steps;
use super::{Exchange, LONGEST_CALL};
use crate::call::{Asking, Call, Party, State, Who};
use crate::dial_plan::{Destination, Service};
use crate::endpoint::Step;
use crate::letters::Letter;
use crate::media_task::MediaCommand;
use crate::pbx::CallNumber;

/// How long a call is parked before it rings at who parked it.
const PARK: Duration = Duration::from_secs(45);
/// Who leaves sooner after the voicemail's answer has left no message.
const MESSAGE: Duration = Duration::from_secs(4);

impl Exchange {
    /// What a feature code does.
    pub(super) fn feature(&mut self, now: Instant, number: CallNumber, feature: Destination) {
        let Some(call) = self.calls.get(&number) else { return };
        if let Destination::Voicemail(Some(line)) = &feature
            && matches!(call.near, Party::Local(_))
        {
            // Nobody would hear what a simulated caller says.
            self.mailboxes.deposit(now, line, Some(call.caller.clone()));
            return self.end(now, number, "left a message");
        }
        // Whose code it is: who dialled it, or who sends somebody there.
        let user = match &call.by {
            Some((_, by)) => by.extension.clone(),
            None => call.caller.extension.clone(),
        };
        let Some(user) = user else {
            return self.give_up(now, number, StatusCode::FORBIDDEN);
        };
        match (feature, call.near_phone().filter(|_| !call.answered)) {
            (Destination::Voicemail(line), _) => {
                if let Some(call) = self.calls.get_mut(&number) {
                    call.mailbox = Some(line.unwrap_or(user));
                }
                self.lift(now, number, service_steps(Service::Voicemail));
            }
            (Destination::Park(slot), None) => {
                self.park(now, number, slot.unwrap_or(user));
            }
            (Destination::Park(slot), Some(session)) => {
                self.park_held(now, number, session, &user, slot);
            }
            (Destination::Retrieve(slot), Some(session)) => {
                self.retrieve(now, number, session, &slot.unwrap_or(user));
            }
            (Destination::PickUp(line), Some(session)) => {
                self.pick_up(now, number, session, &line);
            }
            (Destination::Pull, Some(session)) => match self.talks_with(&user) {
                Some((target, old)) => self.take_place(now, number, session, target, old),
                None => self.give_up(now, number, StatusCode::NOT_FOUND),
            },
            (Destination::DoNotDisturb(on), Some(_)) => {
                self.desk.set_do_not_disturb(&user, on);
                self.confirm(now, number);
            }
            (Destination::Trace, _) => match self.traces.report(&user) {
                true => self.confirm(now, number),
                false => self.give_up(now, number, StatusCode::NOT_FOUND),
            },
            (Destination::Forward(to), Some(_)) => {
                self.desk.set_forward(&user, to);
                self.confirm(now, number);
            }
            _ => self.give_up(now, number, StatusCode::FORBIDDEN),
        }
    }

    /// A beep says that it is done.
    fn confirm(&mut self, now: Instant, number: CallNumber) {
        self.lift(now, number, vec![Step::Pause(300), Step::Beep, Step::Pause(300)]);
    }

    pub(super) fn parked_at(&self, slot: &str) -> Option<CallNumber> {
        let mut calls = self.calls.iter();
        calls.find(|(_, call)| call.parked.as_deref() == Some(slot)).map(|(number, _)| *number)
    }

    /// Who is parked, by line.
    pub(super) fn all_parked(&self) -> BTreeMap<String, ParkedIdentity> {
        let parked = self.calls.values().filter_map(|call| {
            let identity = match call.caller.withheld {
                true => {
                    let uri = "sip:anonymous@anonymous.invalid".to_owned();
                    ParkedIdentity { display: None, uri }
                }
                false => {
                    let (display, uri) = (call.caller.display.clone(), call.caller.uri.to_string());
                    ParkedIdentity { display, uri }
                }
            };
            Some((call.parked.clone()?, identity))
        });
        parked.collect()
    }

    /// Parks the transferee of a call against `slot`.
    fn park(&mut self, now: Instant, number: CallNumber, slot: String) {
        if self.parked_at(&slot).is_some() {
            return self.give_up(now, number, StatusCode::BUSY_HERE);
        }
        self.take_over(now, number);
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, %slot, "{}, park -> parked", call.state.name());
        call.called = call.by.take().map_or_else(|| call.called.clone(), |(_, by)| by);
        call.parked = Some(slot);
        call.state = State::Alone;
        call.due = Some(now + PARK);
        self.play_music(number);
    }

    /// Parks the call that `user` has on hold, and tells him so.
    fn park_held(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        user: &str,
        slot: Option<String>,
    ) {
        let held_by = |call: &Call| {
            let own = |held: &&SessionId| call.who(**held).extension.as_deref() == Some(user);
            call.held.iter().find(own).copied().filter(|_| call.transfer.is_none())
        };
        let found = self.calls.iter().find_map(|(n, call)| Some((*n, held_by(call)?)));
        let slot = slot.unwrap_or_else(|| user.to_owned());
        let Some((first, held)) = found.filter(|_| self.parked_at(&slot).is_none()) else {
            self.forget_session(session);
            let _ = self.ua.reject(now, session, StatusCode::NOT_FOUND);
            return self.end(now, number, "nothing to park");
        };
        let second = self.next_call();
        let Some(old) = self.calls.get_mut(&first) else { return };
        old.transfer = Some(second);
        let mut call = Call::new(Party::Transferee(first), old.peer(held).clone(), None);
        call.by = Some((held, old.who(held).clone()));
        self.calls.insert(second, call);
        self.park(now, second, slot);
        self.confirm(now, number);
    }

    /// Nobody retrieved the call: it rings at who parked it.
    pub(super) fn recall_parked(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get(&number) else { return };
        match call.called.extension.clone() {
            Some(line) => self.recall(now, number, &line),
            None => self.end(now, number, "nobody takes the call back"),
        }
    }

    /// Who parked the call does not answer either.
    pub(super) fn park_again(&mut self, now: Instant, number: CallNumber) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.due = Some(now + PARK);
        }
    }

    fn retrieve(&mut self, now: Instant, number: CallNumber, session: SessionId, slot: &str) {
        let Some(parked) = self.parked_at(slot) else {
            return self.give_up(now, number, StatusCode::NOT_FOUND);
        };
        let Some(own) = self.calls.remove(&number) else { return };
        self.stop_transfer(now, parked, "retrieved");
        let Some(call) = self.calls.get_mut(&parked) else { return };
        tracing::debug!(call = parked.0, %slot, "parked, retrieve -> joining");
        call.parked = None;
        call.due = Some(now + LONGEST_CALL);
        call.called = own.caller;
        let state = State::Talking { far: Party::Phone(session), asking: Asking::Nothing };
        if let State::Talking { far: Party::Local(music), .. } | State::Answering(music) =
            std::mem::replace(&mut call.state, state)
        {
            self.close(music.endpoint);
        }
        self.enter(now, parked, session, own.offer);
    }

    /// A ringing call is answered by somebody else.
    fn pick_up(&mut self, now: Instant, number: CallNumber, session: SessionId, line: &str) {
        let rings = |call: &Call| {
            let ringing = matches!(call.state, State::Ringing { .. } | State::Simulated(_));
            ringing && call.called.extension.as_deref() == Some(line)
        };
        let found = self.calls.iter().find(|(n, call)| **n != number && rings(call));
        let Some(ringing) = found.map(|(number, _)| *number) else {
            return self.give_up(now, number, StatusCode::NOT_FOUND);
        };
        self.take_ringing(now, number, session, ringing);
    }

    /// The phone of call `number` answers call `ringing`.
    fn take_ringing(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        ringing: CallNumber,
    ) {
        let Some(own) = self.calls.remove(&number) else { return };
        let Some(call) = self.calls.get_mut(&ringing) else { return };
        tracing::debug!(call = ringing.0, "{}, picked up -> joining", call.state.name());
        let by = own.caller.clone();
        self.news.push_back(super::CallNews::PickedUp { number: ringing, by });
        let state = State::Talking { far: Party::Phone(session), asking: Asking::Nothing };
        let forks = match std::mem::replace(&mut call.state, state) {
            State::Ringing { forks, .. } => forks,
            _ => Vec::new(),
        };
        call.person = None;
        call.hunt.clear();
        call.called = own.caller;
        call.due = Some(now + LONGEST_CALL);
        call.patience = None;
        call.answered_at = Some(now);
        self.cancel_elsewhere(now, &forks);
        self.take_over(now, ringing);
        self.enter(now, ringing, session, own.offer);
    }

    /// A phone with an unanswered INVITE is the new far (or near) side of a call: both get a description.
    fn enter(&mut self, now: Instant, number: CallNumber, session: SessionId, offer: Option<Body>) {
        self.sessions.insert(session, number);
        self.introduce(number, session);
        let Some(call) = self.calls.get_mut(&number) else { return };
        let other = call.other_phone(session);
        let waiting = call.offer.take().filter(|_| !call.answered);
        let Some(offer) = offer else {
            let _ = self.ua.reject(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
            return self.end(now, number, "no offer");
        };
        match (other, waiting) {
            (Some(asked), None) => {
                let asking = Asking::Entering { calling: session, asked };
                self.join(now, number, asking, Some(offer));
            }
            // Both have made an offer: who picks up is answered first, and asked again.
            (Some(calling), Some(waiting)) => {
                let answer = self.quiet_answer(&offer);
                if answer.is_none() || self.ua.accept(now, session, answer).is_err() {
                    let _ = self.ua.reject(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
                    return self.end(now, number, "no usable offer");
                }
                let asking = Asking::Entering { calling, asked: session };
                self.join(now, number, asking, Some(waiting));
            }
            (None, _) => match self.answer_anew(number, &offer) {
                Some(answer) => {
                    let _ = self.ua.accept(now, session, Some(answer));
                }
                None => {
                    let _ = self.ua.reject(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
                    self.end(now, number, "no usable offer");
                }
            },
        }
    }

    /// Whoever fetches a call is told in the answer whom he has got (RFC 3325): what he dialled does not say it. A caller
    /// who has not been answered yet is told who does.
    fn introduce(&mut self, number: CallNumber, session: SessionId) {
        let Some(call) = self.calls.get(&number) else { return };
        let waits = call.near_phone().filter(|near| *near != session && !call.answered);
        let others = [Some(session), waits].into_iter().flatten();
        let told: Vec<_> = others.map(|phone| (phone, shown(call.peer(phone)))).collect();
        for (phone, whom) in told {
            let _ = self.ua.set_identity(phone, Some(whom));
        }
    }

    /// An INVITE that takes the place of a dialog of ours.
    pub(super) fn replace(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        replaces: &Replaces,
    ) {
        let replaced = self.ua.replaced_session(replaces);
        let found = replaced.and_then(|replaced| Some((replaced, *self.sessions.get(&replaced)?)));
        let Some((replaced, target)) = found.filter(|(_, target)| *target != number) else {
            return self.give_up(now, number, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
        };
        match self.calls.get(&target).map(|call| &call.state) {
            Some(State::Ringing { forks, .. }) if forks.contains(&replaced) => {
                self.take_ringing(now, number, session, target);
            }
            Some(State::Talking { .. }) if replaces.early_only => {
                self.give_up(now, number, StatusCode::BUSY_HERE);
            }
            Some(State::Talking { asking: Asking::Nothing, .. }) => {
                self.take_place(now, number, session, target, replaced);
            }
            Some(State::Talking { .. }) => {
                self.give_up(now, number, StatusCode::REQUEST_PENDING);
            }
            _ => self.give_up(now, number, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST),
        }
    }

    fn take_place(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        target: CallNumber,
        replaced: SessionId,
    ) {
        self.stop_transfer(now, target, "replaced");
        self.take_out(target);
        let line = self.calls.get(&target).and_then(|call| call.who(replaced).extension.clone());
        if self.calls.get(&number).is_some_and(|own| own.caller.extension != line) {
            self.conversation_left(now, target);
        }
        let Some(own) = self.calls.remove(&number) else { return };
        let Some(call) = self.calls.get_mut(&target) else { return };
        tracing::debug!(call = target.0, "talking, INVITE with Replaces -> joining");
        if call.near_phone() == Some(replaced) {
            call.near = Party::Phone(session);
            call.caller = own.caller;
        } else if let State::Talking { far, .. } = &mut call.state {
            *far = Party::Phone(session);
            call.called = own.caller;
        }
        call.held.clear();
        self.forget_session(replaced);
        let _ = self.ua.hangup(now, replaced);
        self.enter(now, target, session, own.offer);
    }

    /// Stops what a transfer or a recall has set off for one side of this call.
    pub(super) fn stop_transfer(&mut self, now: Instant, number: CallNumber, why: &str) {
        let second = self.calls.get_mut(&number).and_then(|call| call.transfer.take());
        let Some(second) = second else { return };
        if let Some((session, _)) = self.calls.get(&second).and_then(|call| call.by.clone()) {
            self.report(now, session, StatusCode::REQUEST_TERMINATED);
        }
        self.end(now, second, why);
    }

    /// The voicemail has answered; a user who hears his own has heard his messages.
    pub(super) fn voicemail_answered(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.answered_at = Some(now);
        if let Some(own) = &call.mailbox
            && call.caller.extension.as_ref() == Some(own)
            && self.mailboxes.listen(own)
        {
            self.changed = true;
        }
    }

    /// A call has ended: whoever spoke to a voicemail long enough has left a message.
    pub(super) fn voicemail_left(&mut self, now: Instant, call: &Call) {
        let (Some(mailbox), Some(since)) = (&call.mailbox, call.answered_at) else { return };
        let own = call.caller.extension.as_ref() == Some(mailbox);
        if !own && now.saturating_duration_since(since) >= MESSAGE {
            let id = self.mailboxes.deposit(now, mailbox, Some(call.caller.clone()));
            self.keep_recording(now, call, (mailbox, id));
            self.changed = true;
        }
    }

    /// What was recorded goes to the owner of the voicemail as a mail.
    fn keep_recording(&mut self, now: Instant, call: &Call, (line, id): (&str, u64)) {
        let State::Talking { far: Party::Local(local), .. } = &call.state else { return };
        let people = self.company.people();
        let owner = people.iter().find(|person| person.extension == line);
        let domain = self.company.domain.clone();
        let caller = &call.caller;
        let letter = Letter {
            line: line.to_owned(),
            to: owner
                .and_then(|owner| owner.email.clone())
                .unwrap_or_else(|| format!("{line}@{domain}")),
            owner: owner.map_or_else(|| line.to_owned(), |owner| owner.name.clone()),
            caller: caller.display.clone().filter(|_| !caller.withheld),
            number: caller.uri.user().filter(|_| !caller.withheld).unwrap_or_default(),
            domain,
            local_s: self.calendar.local(now),
            token: self.random.token(12),
            message: id,
        };
        // Until the sound is there.
        self.mailboxes.attach(line, id, &Vec::new().into());
        let endpoint = local.endpoint;
        self.media(MediaCommand::Keep(endpoint, Box::new(letter)));
    }

    /// Who is at a number of this exchange.
    pub(super) fn who(&self, number: &str) -> Who {
        let address = self.identity(number);
        let known = self.company.account(number).is_some() || self.company.person(number).is_some();
        let extension = known.then(|| number.to_owned());
        Who { display: address.display, uri: address.uri, withheld: false, extension }
    }
}

/// As somebody is shown to others: who withholds his number is nobody (RFC 3323 section 4.1.1.3).
pub(super) fn shown(who: &Who) -> NameAddr {
    if !who.withheld {
        return who.address();
    }
    let host = Host::Name("anonymous.invalid".to_owned());
    NameAddr::new(Uri::sip(Some("anonymous"), host, None)).with_display("Anonymous")
}
