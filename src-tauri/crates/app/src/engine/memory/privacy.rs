//! What is kept of somebody: handed over, and erased.

use std::time::Instant;

use contacts::NumberKey;
use store::{Subject, Tables};

use super::super::Reply;
use super::super::desk::Desk;
use super::people::no_entry;
use super::{no_number, words};
use crate::code::Code;
use crate::control::{Answer, ErrorReply, SubjectChoice};
use crate::view::people::{ErasedReport, PrivacyReport};
use crate::view::{CallOutcome, PeerView};

impl Desk {
    pub(super) fn export(&mut self, of: &SubjectChoice, reply: Reply) {
        let subject = match self.subject(of) {
            Ok(Some(subject)) => subject,
            Ok(None) => {
                let message = "name a number or a contact";
                return reply(Err(ErrorReply::new(Code::BadRequest, message)));
            }
            Err(error) => return reply(Err(error)),
        };
        let of_contact = matches!(subject, Subject::Person(_));
        self.remembering(
            move |tables: &Tables<'_>| tables.everything_of(&subject),
            move |_, _, found| match found {
                Ok(found) if of_contact && found.people.is_empty() => reply(Err(no_entry())),
                Ok(found) => reply(Ok(Answer::Privacy(Box::new(PrivacyReport {
                    contacts: found.people.iter().map(words::contact).collect(),
                    calls: found.calls.into_iter().map(words::entry).collect(),
                    notes: found.notes.into_iter().map(words::note).collect(),
                    call_backs: found.call_backs.into_iter().map(words::call_back).collect(),
                })))),
                Err(error) => reply(Err(super::refused(&error))),
            },
        );
    }

    /// Erases in the database and in memory. Everything that is shown is read anew.
    pub(super) fn erase(&mut self, of: &SubjectChoice, reply: Reply) {
        let subject = match self.subject(of) {
            Ok(subject) => subject,
            Err(error) => return reply(Err(error)),
        };
        let work = move |tables: &Tables<'_>| {
            let Some(subject) = subject else { return Ok((tables.erase_everything()?, None)) };
            let keys = match &subject {
                Subject::Number(key) => vec![key.clone()],
                Subject::Person(_) => {
                    let people = tables.everything_of(&subject)?.people;
                    let numbers = people.iter().flat_map(|person| &person.numbers);
                    numbers.filter_map(|number| NumberKey::of(&number.number)).collect()
                }
            };
            Ok((tables.erase(&subject)?, Some(keys)))
        };
        self.remembering(work, move |desk, now, result| match result {
            Ok((erased, keys)) => {
                desk.forget_in_memory(now, keys.as_deref());
                let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
                reply(Ok(Answer::Erased(ErasedReport {
                    contacts: count(erased.people),
                    sources: erased.sources,
                    calls: count(erased.calls),
                    notes: count(erased.notes),
                    call_backs: count(erased.call_backs),
                })));
            }
            Err(error) => reply(Err(super::refused(&error))),
        });
    }

    /// What was erased in the database goes from what is shown; `keys`: of these numbers, none: of everybody.
    fn forget_in_memory(&mut self, now: Instant, keys: Option<&[NumberKey]>) {
        let stays = |peer: &PeerView| {
            let key = words::key_of(peer);
            keys.is_some_and(|keys| key.is_none_or(|key| !keys.contains(&key)))
        };
        self.history.retain(|past| stays(&past.peer));
        self.transfers.retain(|entry| stays(&entry.caller) && stays(&entry.to));
        let missed = self.history.iter().filter(|past| past.outcome == CallOutcome::Missed);
        self.missed = self.missed.min(u32::try_from(missed.count()).unwrap_or(u32::MAX));
        self.publisher.changed();
        if keys.is_none() {
            self.forget_sources();
            // An exchange and its colleagues are there all the same: its directory is read anew.
            self.begin_directories(now);
        }
        self.read_people();
    }

    /// Whom a choice means, a person with all entries that are the same one; none: everybody.
    fn subject(&self, of: &SubjectChoice) -> Result<Option<Subject>, ErrorReply> {
        match (&of.number, of.contact, of.everybody) {
            (Some(number), None, false) => match NumberKey::of(number) {
                Some(key) => Ok(Some(Subject::Number(key))),
                None => Err(no_number(number)),
            },
            (None, Some(contact), false) => Ok(Some(Subject::Person(self.entries_of(contact)))),
            (None, None, true) => Ok(None),
            _ => {
                let message = "name either a number, a contact or everybody";
                Err(ErrorReply::new(Code::BadRequest, message))
            }
        }
    }
}
