//! What every line of the company does, read off the calls: the lamps of those who watch.

use std::collections::BTreeMap;

use sip_ua::{DialogName, SessionId};

use super::Exchange;
use crate::call::{Call, Party, State, Who};
use crate::desk::LineState;
use crate::pbx::CallNumber;

/// Which end of a conversation a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It called.
    Caller,
    /// It was called.
    Called,
}

/// How far a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It rings.
    Early,
    /// It has been answered.
    Confirmed,
}

/// One conversation of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LineDialog {
    /// Stays the same as long as the conversation lasts.
    pub(crate) id: String,
    pub(crate) end: End,
    pub(crate) stage: Stage,
    /// The line has put the other on hold.
    pub(crate) held: bool,
    pub(crate) remote: Who,
    /// The SIP dialog, as seen from the exchange.
    pub(crate) name: Option<DialogName>,
}

/// What a line does.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Line {
    pub(crate) dialogs: Vec<LineDialog>,
    /// Nobody can reach it: no phone is registered.
    pub(crate) unreachable: bool,
}

impl Exchange {
    /// All lines that do anything or cannot be reached; the others are free.
    pub(super) fn lines(&self) -> BTreeMap<String, Line> {
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        for account in &self.company.accounts {
            if !self.can_ring(&account.extension) {
                lines.entry(account.extension.clone()).or_default().unreachable = true;
            }
        }
        for (number, call) in &self.calls {
            self.call_lines(*number, call, &mut lines);
        }
        self.talk_lines(&mut lines);
        let main = self.who(&self.company.main_number);
        for (line, state) in self.desk.all_forced() {
            lines.insert(line.to_owned(), forced_line(line, state, &main));
        }
        lines
    }

    fn call_lines(&self, number: CallNumber, call: &Call, lines: &mut BTreeMap<String, Line>) {
        let (stage, far) = match &call.state {
            State::Talking { far, .. } => (Stage::Confirmed, Some(far)),
            State::Answering(_) => (Stage::Early, None),
            State::Ringing { .. } | State::Simulated(_) => (Stage::Early, None),
            State::Alone if call.clicked => (Stage::Early, None),
            State::Opening { .. } | State::Alone => return,
        };
        let mut add = |who: &Who, end, session: Option<SessionId>, remote: &Who| {
            let Some(extension) = &who.extension else { return };
            let held = session.is_some_and(|session| call.held.contains(&session));
            let side = if end == End::Caller { 'a' } else { 'b' };
            lines.entry(extension.clone()).or_default().dialogs.push(LineDialog {
                id: format!("call{}{side}", number.0),
                end,
                stage,
                held,
                remote: remote.clone(),
                name: session.and_then(|session| self.ua.dialog_name(session)),
            });
        };
        if let Party::Phone(session) = call.near
            && call.parked.is_none()
        {
            add(&call.caller, End::Caller, Some(session), &call.called);
        }
        let phone = match (far, &call.state) {
            (Some(Party::Phone(session)), _) => Some(*session),
            (_, State::Ringing { forks, .. }) => forks.first().copied(),
            _ => None,
        };
        // A voicemail or a park slot is no line of its own.
        if phone.is_some() || call.person.is_some() {
            add(&call.called, End::Called, phone, &call.caller);
        }
    }

    fn talk_lines(&self, lines: &mut BTreeMap<String, Line>) {
        for talk in self.life.talks() {
            let stage = if talk.answered { Stage::Confirmed } else { Stage::Early };
            let sides = [
                (&talk.caller, End::Caller, &talk.called),
                (&talk.called, End::Called, &talk.caller),
            ];
            for (who, end, remote) in sides {
                let Some(extension) = &who.extension else { continue };
                lines.entry(extension.clone()).or_default().dialogs.push(LineDialog {
                    id: format!("talk{}", talk.number),
                    end,
                    stage,
                    held: false,
                    remote: remote.clone(),
                    name: None,
                });
            }
        }
    }

    /// Simulated people who could call each other.
    pub(super) fn free_people(&self, life: &crate::life::Life) -> Vec<Who> {
        let in_call =
            |line: &str| self.calls.values().any(|call| call.person.as_deref() == Some(line));
        let simulated = self.company.simulated.iter();
        let free = simulated.filter(|person| {
            let line = person.extension.as_str();
            person.behaviour == crate::company::Behaviour::Answers
                && !life.is_busy(line)
                && !in_call(line)
                && self.desk.forced(line).is_none()
                && !self.desk.do_not_disturb(line)
        });
        free.map(|person| self.who(&person.extension)).collect()
    }
}

/// A line as it was told to be, with `remote` at the other end of its call.
fn forced_line(line: &str, state: LineState, remote: &Who) -> Line {
    let dialog = |stage, held| LineDialog {
        id: "forced".to_owned(),
        end: End::Called,
        stage,
        held,
        remote: remote.clone(),
        name: None,
    };
    let dialogs = match state {
        LineState::Idle | LineState::DoNotDisturb | LineState::Unreachable => Vec::new(),
        LineState::Ringing => vec![dialog(Stage::Early, false)],
        LineState::Busy => vec![dialog(Stage::Confirmed, false)],
        LineState::Held => vec![dialog(Stage::Confirmed, true)],
    };
    tracing::trace!(%line, ?state, "forced");
    Line { dialogs, unreachable: state == LineState::Unreachable }
}
