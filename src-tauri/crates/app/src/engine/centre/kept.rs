//! What the user keeps at the exchange: messages of the voicemail and personal numbers.

use std::time::Instant;

use pbx::centre::{Capability, PersonalNumber, Request, VoiceMessage};

use super::Running;
use super::commands::{Asked, Step};
use crate::code::Code;
use crate::control::{CentreCommand, ErrorReply};
use crate::view::PeerView;
use crate::view::kept::{MessageView, PersonalNumberView};

/// Longest name and number that an exchange keeps, characters.
const LONGEST: usize = 30;
/// Longest name of a message, bytes.
const MESSAGE: usize = 200;

impl Running {
    pub(super) fn obey_kept(&mut self, now: Instant, command: CentreCommand) -> Asked {
        let request = match command {
            CentreCommand::MessageList { .. } => Request::ReadMessages,
            CentreCommand::MessageGet { message, .. } => Request::ReadMessage(named(message)?),
            CentreCommand::MessageMark { message, heard, .. } => {
                Request::MarkMessage { message: named(message)?, heard }
            }
            CentreCommand::MessageDelete { message, .. } => Request::DeleteMessage(named(message)?),
            CentreCommand::PersonalNumberList { .. } => Request::ReadPersonalNumbers,
            CentreCommand::PersonalNumberAdd { name, number, .. } => {
                Request::AddPersonalNumber(entry(&name, &number)?)
            }
            CentreCommand::PersonalNumberChange { was, name, number, .. } => {
                Request::ChangePersonalNumber { was, number: entry(&name, &number)? }
            }
            CentreCommand::PersonalNumberRemove { name, .. } => Request::RemovePersonalNumber(name),
            _ => return Err(ErrorReply::new(Code::UnknownCommand, "no such command")),
        };
        self.need(match request {
            Request::ReadMessages
            | Request::ReadMessage(_)
            | Request::MarkMessage { .. }
            | Request::DeleteMessage(_) => Capability::VoiceMessages,
            _ => Capability::PersonalNumbers,
        })?;
        Ok(Step::Asked(self.centre.ask(now, request)))
    }
}

fn named(message: String) -> Result<String, ErrorReply> {
    match message.is_empty() || message.len() > MESSAGE {
        true => Err(ErrorReply::new(Code::BadValue, "there is no such message")),
        false => Ok(message),
    }
}

/// A name and a number as an exchange keeps them.
fn entry(name: &str, number: &str) -> Result<PersonalNumber, ErrorReply> {
    let (name, number) = (name.trim(), number.trim());
    let long = |text: &str| text.is_empty() || text.chars().count() > LONGEST;
    if long(name) || name.chars().any(char::is_control) || name.contains('/') {
        let text = "a name has 1 to 30 characters and no slash";
        return Err(ErrorReply::new(Code::BadValue, text));
    }
    if long(number) || contacts::NumberKey::of(number).is_none() {
        return Err(ErrorReply::new(Code::BadTarget, "this is no number"));
    }
    Ok(PersonalNumber { name: name.to_owned(), number: number.to_owned() })
}

pub(super) fn message(told: &VoiceMessage) -> MessageView {
    let number = contacts::show(&told.caller.number);
    MessageView {
        message: told.id.clone(),
        peer: PeerView { name: contacts::plain(&told.caller.name), number, ..PeerView::default() },
        at_ms: told.at,
        length_ms: told.length_ms,
        heard: told.heard,
        urgent: told.urgent,
    }
}

pub(super) fn number(told: &PersonalNumber) -> PersonalNumberView {
    PersonalNumberView { name: told.name.clone(), number: told.number.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_exchange_keeps_is_sent_to_it() {
        let kept = entry(" Mama ", " 0612345678 ").unwrap();
        assert_eq!((kept.name.as_str(), kept.number.as_str()), ("Mama", "0612345678"));
        let long = "a".repeat(31);
        for (name, code) in [("", Code::BadValue), (&long, Code::BadValue), ("a/b", Code::BadValue)]
        {
            assert_eq!(entry(name, "0612345678").unwrap_err().code, code, "{name}");
        }
        for number in ["", "thuis", &"1".repeat(31)] {
            assert_eq!(entry("Mama", number).unwrap_err().code, Code::BadTarget, "{number}");
        }
        assert!(named(String::new()).is_err() && named("7".to_owned()).is_ok());
    }
}
