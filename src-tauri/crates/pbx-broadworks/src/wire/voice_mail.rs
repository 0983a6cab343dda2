//! Counts and messages of the mailbox (reference, sections 3.2, 3.4 and 4.7).

use super::MediaFile;
use crate::xml::Element;

/// How many messages there are. An absent counter is 0: the schema's counters begin at 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailCounts {
    /// New.
    pub new: u32,
    /// Heard.
    pub old: u32,
    /// New and urgent.
    pub new_urgent: u32,
    /// Heard and urgent.
    pub old_urgent: u32,
}

impl MailCounts {
    /// Reads the counts of `calls/MessageSummary` and of events.
    pub fn read(root: &Element) -> Self {
        let summary =
            root.child("messageSummary").or_else(|| root.child("summary")).unwrap_or(root);
        let count = |name: &str| summary.number(name).unwrap_or_default();
        Self {
            new: count("newMessages"),
            old: count("oldMessages"),
            new_urgent: count("newUrgentMessages"),
            old_urgent: count("oldUrgentMessages"),
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceMessage {
    /// Its name, which is the end of its address.
    pub id: String,
    /// Who called; empty when withheld.
    pub name: String,
    /// Address of the caller.
    pub address: String,
    /// Length, in milliseconds: an exchange in use says 14580 of a message of 15 seconds.
    pub duration: Option<u64>,
    /// Left, in milliseconds since the Unix epoch.
    pub at: Option<u64>,
    /// Heard.
    pub read: bool,
    /// Urgent.
    pub urgent: bool,
}

/// Reads what was said in a message: `messageMediaContent` of a `VoiceMessage`.
pub fn read_message_sound(root: &Element) -> Option<MediaFile> {
    root.child("messageMediaContent").map(MediaFile::read)
}

/// Reads `VoiceMessagingMessages`.
pub fn read_messages(root: &Element) -> Vec<VoiceMessage> {
    let read = |one: &Element| {
        let uri = one.text_of("messageId")?;
        let nothing = Element::default();
        let caller = one.child("callingPartyInfo").unwrap_or(&nothing);
        Some(VoiceMessage {
            id: uri.trim_end_matches('/').rsplit('/').next()?.to_owned(),
            name: caller.string("name"),
            address: caller.string("address"),
            duration: one.number("duration"),
            at: one.number("time"),
            read: one.flag("read"),
            urgent: one.flag("urgent"),
        })
    };
    root.listed("messageInfoList", "messageInfo")
        .chain(root.all("messageInfo"))
        .filter_map(read)
        .collect()
}
