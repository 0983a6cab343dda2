//! What the user keeps at the exchange: messages of the voicemail and personal numbers.

use pbx::centre::{Answer, Party, PersonalNumber, Recorded, Refusal, Request, VoiceMessage};

use super::carry::{Aftermath, Carrier, Outcome};
use crate::{
    limits,
    session::{Package, Subject},
    wire::{self, number_of},
};

impl Carrier {
    pub(super) async fn kept(&self, request: Request, after: &mut Aftermath) -> Outcome {
        let actions = self.actions();
        let mailbox = || Subject::user(actions.user(), Package::VoiceMessaging);
        match request {
            Request::ReadMessages => {
                let mut messages: Vec<VoiceMessage> =
                    self.run(actions.messages()).await?.into_iter().map(message).collect();
                messages.sort_by_key(|message| std::cmp::Reverse(message.at));
                Ok(Answer::Messages(messages))
            }
            Request::ReadMessage(id) => {
                let file = self.run(actions.message_sound(&id)).await?.ok_or(Refusal::Gone)?;
                // Pictures and films are messages, too.
                if !file.kind.is_empty() && !file.kind.eq_ignore_ascii_case("WAV") {
                    return Err(Refusal::BadValue(format!("the message is {}", file.kind)));
                }
                let wav = file.content.ok_or(Refusal::NotAllowed)?;
                Ok(Answer::Recorded(Recorded { name: file.description, wav }))
            }
            Request::MarkMessage { message, heard } => {
                after.subjects.push(mailbox());
                self.accept(actions.mark_message(&message, heard)).await
            }
            Request::DeleteMessage(id) => {
                after.subjects.push(mailbox());
                self.accept(actions.delete_message(&id)).await
            }
            Request::ReadPersonalNumbers => {
                Ok(Answer::PersonalNumbers(self.personal_numbers().await?))
            }
            other => {
                let outcome = self.change_numbers(other).await;
                after.directory = outcome.is_ok();
                outcome
            }
        }
    }

    async fn change_numbers(&self, request: Request) -> Outcome {
        let actions = self.actions();
        match request {
            Request::AddPersonalNumber(new) => {
                self.accept(actions.add_personal_number(&new.name, &new.number)).await
            }
            Request::RemovePersonalNumber(name) => {
                self.accept(actions.remove_personal_number(&name)).await
            }
            Request::ChangePersonalNumber { was, number } => self.replace(&was, &number).await,
            _ => Err(Refusal::NotAllowed),
        }
    }

    /// The interface has no way to change one: it is taken away and put back. What fails halfway is undone, so that no
    /// number is lost.
    async fn replace(&self, was: &str, new: &PersonalNumber) -> Outcome {
        let actions = self.actions();
        let known = self.personal_numbers().await?.into_iter().find(|known| known.name == was);
        let known = known.ok_or(Refusal::Gone)?;
        if known == *new {
            return Ok(Answer::Accepted);
        }
        let add = |entry: &PersonalNumber| actions.add_personal_number(&entry.name, &entry.number);
        let (failed, undo) = if known.name == new.name {
            self.accept(actions.remove_personal_number(was)).await?;
            match self.accept(add(new)).await {
                Ok(done) => return Ok(done),
                Err(failed) => (failed, add(&known)),
            }
        } else {
            self.accept(add(new)).await?;
            match self.accept(actions.remove_personal_number(was)).await {
                Ok(done) => return Ok(done),
                Err(failed) => (failed, actions.remove_personal_number(&new.name)),
            }
        };
        if let Err(refusal) = self.accept(undo).await {
            tracing::warn!(?refusal, "a personal number is not as it was");
        }
        Err(failed)
    }

    async fn personal_numbers(&self) -> Result<Vec<PersonalNumber>, Refusal> {
        let (mut all, mut start) = (Vec::new(), Some(1));
        while let Some(from) = start {
            let page = self.run(self.actions().personal_numbers(from)).await?;
            start = page.next_start(from).filter(|_| all.len() < limits::PERSONAL);
            let entry = |one: wire::CommonEntry| PersonalNumber {
                name: one.name,
                number: number_of(&one.number).to_owned(),
            };
            all.extend(page.entries.into_iter().map(entry));
        }
        all.truncate(limits::PERSONAL);
        all.sort_by_key(|entry| entry.name.to_lowercase());
        Ok(all)
    }
}

fn message(told: wire::VoiceMessage) -> VoiceMessage {
    VoiceMessage {
        id: told.id,
        caller: Party { name: told.name, number: number_of(&told.address).to_owned() },
        at: told.at,
        length_ms: told.duration,
        heard: told.read,
        urgent: told.urgent,
    }
}
