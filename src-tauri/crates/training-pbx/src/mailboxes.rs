//! Simulated voicemail: how many messages wait for whom. Values only.

use std::collections::BTreeMap;

/// The messages of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mailbox {
    /// Not yet heard.
    pub(crate) new: u32,
    /// Heard.
    pub(crate) old: u32,
}

/// Everybody's messages.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes(BTreeMap<String, Mailbox>);

impl Mailboxes {
    /// The messages of a line.
    pub(crate) fn of(&self, line: &str) -> Mailbox {
        self.0.get(line).copied().unwrap_or_default()
    }

    /// Somebody has left a message.
    pub(crate) fn deposit(&mut self, line: &str) {
        let mailbox = self.0.entry(line.to_owned()).or_default();
        mailbox.new = mailbox.new.saturating_add(1);
        tracing::debug!(%line, new = mailbox.new, "voicemail, message -> waiting");
    }

    /// The owner has heard everything. True if there was something new.
    pub(crate) fn listen(&mut self, line: &str) -> bool {
        let Some(mailbox) = self.0.get_mut(line) else { return false };
        let news = std::mem::take(&mut mailbox.new);
        mailbox.old = mailbox.old.saturating_add(news);
        news > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_new_until_they_are_heard() {
        let mut mailboxes = Mailboxes::default();
        assert!(!mailboxes.listen("101"));
        mailboxes.deposit("101");
        mailboxes.deposit("101");
        assert_eq!(mailboxes.of("101"), Mailbox { new: 2, old: 0 });
        assert!(mailboxes.listen("101"));
        assert!(!mailboxes.listen("101"));
        assert_eq!(mailboxes.of("101"), Mailbox { new: 0, old: 2 });
    }
}
