//! The calls of every user, read off the calls of the exchange, for the web services; and what calls went through, where
//! that cannot be read off them afterwards.

use std::time::Instant;

use sip_types::StatusCode;
use sip_ua::SessionId;

use super::{End, Exchange, UserRecording};
use crate::call::{Call, Party, State, Who};
use crate::desk::LineState;
use crate::pbx::CallNumber;

/// News nobody has asked for; older ones are forgotten.
const NEWS: usize = 1_000;

/// Where a user's call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A call of the exchange.
    Call(CallNumber),
    /// The own phone rings before somebody is called.
    Click(u64),
    /// Simulated colleagues among themselves.
    Talk(u64),
    /// A state that is forced.
    Forced,
}

/// How far a user's call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallStage {
    /// The own phone rings before somebody is called.
    Clicked,
    /// It rings.
    Alerting,
    /// Both talk.
    Active,
    /// The user has put the other on hold.
    Held,
    /// The other has put the user on hold.
    RemoteHeld,
}

/// One call of one user.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UserCall {
    /// Extension.
    pub(crate) user: String,
    pub(crate) place: Place,
    /// The user's phones in it; none for a simulated one.
    pub(crate) legs: Vec<SessionId>,
    pub(crate) end: End,
    pub(crate) stage: CallStage,
    pub(crate) remote: Who,
    /// Who sent it here, latest first.
    pub(crate) diversions: Vec<(Who, &'static str)>,
    /// The Call-ID of the first phone.
    pub(crate) network_id: Option<String>,
    /// The conversation, the same for both ends.
    pub(crate) conversation: u64,
    /// Its recording, where the line records.
    pub(crate) recording: Option<UserRecording>,
}

/// What a call went through.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "few of them live at a time, and for one step")]
pub(crate) enum CallNews {
    /// A phone hung up, or its user let it.
    HungUp { session: SessionId },
    /// A call came to nothing.
    Refused { number: CallNumber, status: StatusCode },
    /// Likewise, of a caller who had been told of nothing but ringing: who called whom.
    Unanswered { number: CallNumber, caller: Who, called: Who },
    /// A line sent a call on before it was answered there.
    Diverted { number: CallNumber, by: Who, caller: Who, to: Who, reason: &'static str },
    /// A phone's user sent the other on.
    Transferred { session: SessionId, to: Who },
    /// Somebody else answered a call that rang.
    PickedUp { number: CallNumber, by: Who },
    /// A parked call was taken back.
    Retrieved { number: CallNumber, by: Who },
    /// Somebody is in on a call of a user; the event that tells so.
    Supervised { place: Place, user: String, kind: &'static str },
}

impl Exchange {
    /// Whether anything happened since this was asked last.
    pub(crate) fn take_watched(&mut self) -> bool {
        std::mem::take(&mut self.watched)
    }

    /// What calls went through since this was asked last.
    pub(crate) fn take_news(&mut self) -> Vec<CallNews> {
        self.news.drain(..).collect()
    }

    pub(super) fn note(&mut self, news: CallNews) {
        if self.news.len() >= NEWS {
            self.news.pop_front();
        }
        self.news.push_back(news);
    }

    /// Somebody is there for a transferee: his transferor's part is over.
    pub(super) fn note_transfer(&mut self, number: CallNumber) {
        let Some(call) = self.calls.get(&number) else { return };
        if let Some((session, _)) = call.by {
            let to = call.called.clone();
            self.note(CallNews::Transferred { session, to });
        }
    }

    /// All calls of all users.
    pub(crate) fn user_calls(&self) -> Vec<UserCall> {
        let mut found = Vec::new();
        for (number, call) in &self.calls {
            if self.near_call(*number, call, &mut found).is_none() {
                tracing::trace!(call = number.0, "the caller is no user");
            }
            self.far_call(*number, call, &mut found);
        }
        self.clicked_calls(&mut found);
        self.talk_calls(&mut found);
        self.forced_calls(&mut found);
        found
    }

    fn near_call(&self, number: CallNumber, call: &Call, found: &mut Vec<UserCall>) -> Option<()> {
        let user = call.caller.extension.clone()?;
        let legs = match &call.near {
            Party::Phone(session) => vec![*session],
            Party::Local(_) => Vec::new(),
            Party::Transferee(_) => return None,
        };
        let wanted = call.transfer.filter(|_| call.clicked).and_then(|n| self.calls.get(&n));
        let remote = wanted.map_or_else(|| call.called.clone(), |wanted| wanted.called.clone());
        let remote = self.supervised(call).unwrap_or(remote);
        let stage =
            match &call.state {
                State::Opening { .. } => return None,
                State::Alone if call.clicked => CallStage::Alerting,
                State::Alone => CallStage::Active,
                State::Ringing { .. } | State::Simulated(_) | State::Answering(_) => {
                    if call.answered { CallStage::Active } else { CallStage::Alerting }
                }
                State::Talking { .. } => self.stage_in_room(
                    number,
                    &call.caller,
                    hold_stage(call, legs.first().copied()),
                ),
            };
        found.push(UserCall {
            recording: self.user_recording(number, &user),
            user,
            place: Place::Call(number),
            network_id: self.network_id(&legs),
            legs,
            end: End::Caller,
            stage,
            remote,
            diversions: Vec::new(),
            conversation: number.0,
        });
        Some(())
    }

    fn far_call(&self, number: CallNumber, call: &Call, found: &mut Vec<UserCall>) {
        let Some(user) = call.called.extension.clone() else { return };
        if call.waits() || call.mailbox.is_some() || call.supervises.is_some() {
            return;
        }
        let (legs, stage) = match &call.state {
            State::Ringing { forks, .. } => (forks.clone(), CallStage::Alerting),
            State::Simulated(_) | State::Answering(_) if call.person.is_some() => {
                (Vec::new(), CallStage::Alerting)
            }
            State::Talking { far: Party::Phone(session), .. } => {
                let stage = hold_stage(call, Some(*session));
                (vec![*session], self.stage_in_room(number, &call.called, stage))
            }
            State::Talking { far: Party::Local(_), .. } => (Vec::new(), hold_stage(call, None)),
            _ => return,
        };
        found.push(UserCall {
            recording: self.user_recording(number, &user),
            user,
            place: Place::Call(number),
            network_id: self.network_id(&legs),
            legs,
            end: End::Called,
            stage,
            remote: call.caller.clone(),
            diversions: call.diversions.clone(),
            conversation: waited_as(call).unwrap_or(number).0,
        });
    }

    /// The stage of a call in a conference, which is on hold as a whole and for its owner only.
    fn stage_in_room(&self, number: CallNumber, who: &Who, stage: CallStage) -> CallStage {
        match (self.is_held_conference(number, who), stage) {
            (Some(true), _) => CallStage::Held,
            (Some(false), _) => CallStage::Active,
            // The owner's phone holds it, and hears it in another of the conference's calls.
            (None, CallStage::RemoteHeld) if self.is_in_conference(number) => CallStage::Active,
            (None, stage) => stage,
        }
    }

    fn network_id(&self, legs: &[SessionId]) -> Option<String> {
        let leg = legs.first()?;
        self.ua.dialog_name(*leg).map(|name| name.call_id)
    }

    fn clicked_calls(&self, found: &mut Vec<UserCall>) {
        for (number, click) in &self.clicks {
            found.push(UserCall {
                user: click.user.clone(),
                place: Place::Click(*number),
                legs: click.forks.clone(),
                end: End::Caller,
                stage: CallStage::Clicked,
                remote: self.who(&click.goal.number()),
                diversions: Vec::new(),
                network_id: None,
                conversation: *number,
                recording: None,
            });
        }
    }

    fn talk_calls(&self, found: &mut Vec<UserCall>) {
        for talk in self.life.talks() {
            let stage = if talk.answered { CallStage::Active } else { CallStage::Alerting };
            let sides = [
                (&talk.caller, End::Caller, &talk.called),
                (&talk.called, End::Called, &talk.caller),
            ];
            for (who, end, remote) in sides {
                let Some(user) = who.extension.clone() else { continue };
                found.push(UserCall {
                    user,
                    place: Place::Talk(talk.number),
                    legs: Vec::new(),
                    end,
                    stage,
                    remote: remote.clone(),
                    diversions: Vec::new(),
                    network_id: None,
                    conversation: 1_000_000_000 + talk.number,
                    recording: None,
                });
            }
        }
    }

    fn forced_calls(&self, found: &mut Vec<UserCall>) {
        found.retain(|call| self.desk.forced(&call.user).is_none());
        let main = self.who(&self.company.main_number);
        for (line, state) in self.desk.all_forced() {
            let stage = match state {
                LineState::Ringing => CallStage::Alerting,
                LineState::Busy => CallStage::Active,
                LineState::Held => CallStage::Held,
                LineState::Idle | LineState::DoNotDisturb | LineState::Unreachable => continue,
            };
            found.push(UserCall {
                user: line.to_owned(),
                place: Place::Forced,
                legs: Vec::new(),
                end: End::Called,
                stage,
                remote: main.clone(),
                diversions: Vec::new(),
                network_id: None,
                conversation: 0,
                recording: None,
            });
        }
    }

    /// The line's settings that the web services show and change.
    pub(crate) fn desk(&self) -> &crate::desk::Desk {
        &self.desk
    }

    /// Changes the line's settings; those who watch are told.
    pub(crate) fn change_desk(
        &mut self,
        now: Instant,
        change: impl FnOnce(&mut crate::desk::Desk),
    ) {
        change(&mut self.desk);
        let accounts = self.company.accounts.iter().map(|account| account.extension.clone());
        for line in accounts.collect::<Vec<_>>() {
            let monitored = self.desk.rules(&line).monitored.clone();
            self.notifier.set_monitored(now, &line, monitored, &self.mailboxes);
        }
        self.changed = true;
        self.settle(now);
    }

    /// A line's mailbox.
    pub(crate) fn mailbox(&self, line: &str) -> crate::mailboxes::Mailbox {
        self.mailboxes.of(line)
    }

    /// The messages in a line's mailbox, oldest first.
    pub(crate) fn messages(&self, line: &str) -> &[crate::mailboxes::Message] {
        self.mailboxes.messages(line)
    }

    /// One message has been heard, or counts as new again. False if there is none.
    pub(crate) fn mark_message(&mut self, now: Instant, line: &str, id: u64, heard: bool) -> bool {
        let found = self.mailboxes.mark(line, id, heard);
        self.changed |= found;
        self.settle(now);
        found
    }

    /// Deletes a message. False if there is none.
    pub(crate) fn delete_message(&mut self, now: Instant, line: &str, id: u64) -> bool {
        let found = self.mailboxes.delete(line, id);
        self.changed |= found;
        self.settle(now);
        found
    }

    /// Everything in a mailbox has been heard.
    pub(crate) fn clear_messages(&mut self, now: Instant, line: &str) {
        self.mailboxes.listen(line);
        self.changed = true;
        self.settle(now);
    }

    /// The phones of a line.
    pub(crate) fn bindings(&self, line: &str) -> &[crate::registrar::Binding] {
        self.registrar.bindings(line)
    }

    /// The company.
    pub(crate) fn company(&self) -> &crate::company::Company {
        &self.company
    }

    /// Who is parked against a line.
    pub(crate) fn parked(&self, line: &str) -> Option<Who> {
        let number = self.parked_at(line)?;
        self.calls.get(&number).map(|call| call.caller.clone())
    }
}

/// Under which number the caller waited, or waits, for the agent who is rung or talks.
fn waited_as(call: &Call) -> Option<CallNumber> {
    call.conversation.or_else(|| call.offered.as_ref().map(|(first, _)| *first))
}

/// Talking, or on hold by one side.
fn hold_stage(call: &Call, own: Option<SessionId>) -> CallStage {
    let holds = |session: &SessionId| Some(*session) == own;
    if call.held.iter().any(holds) {
        CallStage::Held
    } else if call.held.is_empty() {
        CallStage::Active
    } else {
        CallStage::RemoteHeld
    }
}
