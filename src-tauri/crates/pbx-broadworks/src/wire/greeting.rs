//! Greetings of the voicemail: `services/VoiceMessaging/Greetings`.
//!
//! The interface's schema has busy and no-answer greetings, each the server's own or a recording of the user's,
//! three further ones for no answer, the number of rings, and the choice to take no messages. A recording is a
//! description, a kind of file and either its name at the server or its content.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::number_of;
use crate::xml::{Element, Writer};

/// Longest description of a recording, characters.
const DESCRIPTION: usize = 256;

/// A recording at the server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MediaFile {
    /// What the user called it.
    pub description: String,
    /// `WAV`, and others.
    pub kind: String,
    /// The file, where it is told.
    pub content: Option<Vec<u8>>,
}

impl std::fmt::Debug for MediaFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaFile").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl MediaFile {
    pub(super) fn read(element: &Element) -> Self {
        let content = element.text_of("content").map(|text| {
            let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
            STANDARD.decode(text).unwrap_or_default()
        });
        Self {
            description: element.string("description"),
            kind: element.string("mediaType"),
            content: content.filter(|content| !content.is_empty()),
        }
    }

    fn write(&self, name: &'static str, writer: &mut Writer) {
        let description: String = self.description.trim().chars().take(DESCRIPTION).collect();
        writer.start(name).leaf("description", description).leaf("mediaType", &self.kind);
        writer.leaf("content", STANDARD.encode(self.content.as_deref().unwrap_or_default()));
        writer.end();
    }
}

/// The greetings. `None`: not told, and left as it is when written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greetings {
    /// While the user talks: `Default` or `Personal`.
    pub busy: Option<String>,
    /// The recording for that.
    pub busy_file: Option<MediaFile>,
    /// When nobody answers: `Default`, `Personal`, `Alternate01` to `Alternate03`.
    pub no_answer: Option<String>,
    /// The recording for that.
    pub no_answer_file: Option<MediaFile>,
    /// After how many rings: 0, or 2 to 20.
    pub rings: Option<u32>,
    /// Callers can leave no message.
    pub no_message: Option<bool>,
    /// What becomes of them then: `Disconnect` or `Forward`.
    pub then: Option<String>,
    /// Where they are sent; empty: nowhere, and cleared when written.
    pub forward: Option<String>,
}

impl Greetings {
    /// Reads `VoiceMessagingGreetings`.
    pub fn read(root: &Element) -> Self {
        let forward = root.child("greetingOnlyForwardDestination");
        Self {
            busy: root.text_of("busyAnnouncementSelection"),
            busy_file: root.child("busyPersonalAudioFile").map(MediaFile::read),
            no_answer: root.text_of("noAnswerAnnouncementSelection"),
            no_answer_file: root.child("noAnswerPersonalAudioFile").map(MediaFile::read),
            rings: root.number("noAnswerNumberOfRings"),
            no_message: root.boolean("disableMessageDeposit"),
            then: root.text_of("disableMessageDepositAction"),
            forward: forward.map(|one| number_of(&one.text).to_owned()),
        }
    }

    /// The document that sets what is not `None`, in the schema's order.
    pub fn write(&self) -> String {
        let mut writer = Writer::new("VoiceMessagingGreetings");
        writer.leaf_some("busyAnnouncementSelection", self.busy.as_ref());
        if let Some(file) = &self.busy_file {
            file.write("busyPersonalAudioFile", &mut writer);
        }
        writer.leaf_some("noAnswerAnnouncementSelection", self.no_answer.as_ref());
        if let Some(file) = &self.no_answer_file {
            file.write("noAnswerPersonalAudioFile", &mut writer);
        }
        writer.leaf_some("noAnswerNumberOfRings", self.rings);
        writer.leaf_some("disableMessageDeposit", self.no_message);
        writer.leaf_some("disableMessageDepositAction", self.then.as_ref());
        if let Some(forward) = &self.forward {
            writer.leaf_or_nil("greetingOnlyForwardDestination", forward);
        }
        writer.finish()
    }

    /// Nothing is to be set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
