//! Voicemail: which messages wait for whom. Values only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::call::Who;

/// Messages of one line; the oldest goes when there are more.
const MESSAGES: usize = 200;
/// Samples of all recordings that are kept, 16 kHz: about 16 minutes, 32 MB. The oldest go when there are more.
const SAMPLES: usize = 16_000_000;

/// How many messages a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mailbox {
    /// Not yet heard.
    pub(crate) new: u32,
    /// Heard.
    pub(crate) old: u32,
}

/// What is heard of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sound {
    /// The stored words of a simulated caller.
    Story(usize),
    /// What a phone said, 16 kHz.
    Recorded(Arc<[i16]>),
    /// Nothing: it was too long ago, or comes yet.
    Gone,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// Number within this run.
    pub(crate) id: u64,
    pub(crate) heard: bool,
    pub(crate) at: Instant,
    /// Who left it, if that is known.
    pub(crate) caller: Option<Who>,
    pub(crate) sound: Sound,
}

/// Everybody's messages.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes {
    lines: BTreeMap<String, Vec<Message>>,
    /// Recordings, oldest first, with their lengths.
    recorded: VecDeque<(String, u64, usize)>,
    last: u64,
}

impl Mailboxes {
    /// How many messages a line has.
    pub(crate) fn of(&self, line: &str) -> Mailbox {
        let mut mailbox = Mailbox::default();
        for message in self.messages(line) {
            if message.heard {
                mailbox.old += 1;
            } else {
                mailbox.new += 1;
            }
        }
        mailbox
    }

    /// The messages of a line, oldest first.
    pub(crate) fn messages(&self, line: &str) -> &[Message] {
        self.lines.get(line).map(Vec::as_slice).unwrap_or_default()
    }

    /// Somebody has left a message; its number.
    pub(crate) fn deposit(&mut self, now: Instant, line: &str, caller: Option<Who>) -> u64 {
        self.last += 1;
        let id = self.last;
        let sound = Sound::Story(usize::try_from(id).unwrap_or_default());
        let messages = self.lines.entry(line.to_owned()).or_default();
        messages.push(Message { id, heard: false, at: now, caller, sound });
        if messages.len() > MESSAGES {
            messages.remove(0);
        }
        tracing::debug!(%line, messages = messages.len(), "voicemail, message -> waiting");
        id
    }

    /// What was said is there, or is on its way if it is empty.
    pub(crate) fn attach(&mut self, line: &str, id: u64, samples: &Arc<[i16]>) {
        let Some(message) = self.find(line, id) else { return };
        message.sound = match samples.is_empty() {
            true => Sound::Gone,
            false => Sound::Recorded(Arc::clone(samples)),
        };
        self.recorded.push_back((line.to_owned(), id, samples.len()));
        let mut held: usize = self.recorded.iter().map(|(_, _, length)| length).sum();
        while held > SAMPLES
            && let Some((line, id, length)) = self.recorded.pop_front()
        {
            held -= length;
            if let Some(message) = self.find(&line, id) {
                message.sound = Sound::Gone;
            }
        }
    }

    fn find(&mut self, line: &str, id: u64) -> Option<&mut Message> {
        self.lines.get_mut(line)?.iter_mut().find(|message| message.id == id)
    }

    /// The owner has heard everything. True if there was something new.
    pub(crate) fn listen(&mut self, line: &str) -> bool {
        let Some(messages) = self.lines.get_mut(line) else { return false };
        let mut new = messages.iter_mut().filter(|message| !message.heard).peekable();
        let any = new.peek().is_some();
        new.for_each(|message| message.heard = true);
        any
    }

    /// One message has been heard, or counts as new again. False if there is none.
    pub(crate) fn mark(&mut self, line: &str, id: u64, heard: bool) -> bool {
        self.find(line, id).map(|message| message.heard = heard).is_some()
    }

    /// Deletes a message. False if there is none.
    pub(crate) fn delete(&mut self, line: &str, id: u64) -> bool {
        let Some(messages) = self.lines.get_mut(line) else { return false };
        let before = messages.len();
        messages.retain(|message| message.id != id);
        before != messages.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        Instant::now()
    }

    #[test]
    fn messages_are_new_until_they_are_heard() {
        let mut mailboxes = Mailboxes::default();
        assert!(!mailboxes.listen("101"));
        let first = mailboxes.deposit(now(), "101", None);
        mailboxes.deposit(now(), "101", None);
        assert_eq!(mailboxes.of("101"), Mailbox { new: 2, old: 0 });
        assert!(mailboxes.mark("101", first, true) && !mailboxes.mark("102", first, true));
        assert_eq!(mailboxes.of("101"), Mailbox { new: 1, old: 1 });
        assert!(mailboxes.listen("101"));
        assert!(!mailboxes.listen("101"));
        assert_eq!(mailboxes.of("101"), Mailbox { new: 0, old: 2 });
        assert!(mailboxes.delete("101", first) && !mailboxes.delete("101", first));
        assert_eq!(mailboxes.of("101"), Mailbox { new: 0, old: 1 });
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let mut mailboxes = Mailboxes::default();
        let long: Arc<[i16]> = vec![1; SAMPLES / 2].into();
        let ids: Vec<u64> = (0..3).map(|_| mailboxes.deposit(now(), "101", None)).collect();
        ids.iter().for_each(|id| mailboxes.attach("101", *id, &long));
        let sounds: Vec<bool> =
            mailboxes.messages("101").iter().map(|m| m.sound == Sound::Gone).collect();
        assert_eq!(sounds, [true, false, false]);
        for _ in 0..MESSAGES {
            mailboxes.deposit(now(), "101", None);
        }
        assert_eq!(mailboxes.messages("101").len(), MESSAGES);
    }
}
