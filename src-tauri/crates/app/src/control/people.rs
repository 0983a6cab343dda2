//! Commands about contacts, notes, call-backs, numbers, and what is kept of people.

use serde::Deserialize;
use ts_rs::TS;

use crate::view::people::ImportField;

/// Names of [`PeopleCommand`].
pub(super) const NAMES: &[&str] = &[
    "contacts.get",
    "contacts.favourite",
    "contacts.sources",
    "contacts.preview",
    "contacts.import",
    "contacts.remove_source",
    "contacts.merge",
    "contacts.split",
    "contacts.source_order",
    "contacts.availability",
    "number.describe",
    "note.add",
    "note.list",
    "note.remove",
    "call_back.add",
    "call_back.list",
    "call_back.done",
    "privacy.get",
    "privacy.set",
    "privacy.export",
    "privacy.erase",
    "screen_pop.get",
    "screen_pop.set",
];

/// What can be asked of contacts and of what is kept of people.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "cmd")]
pub enum PeopleCommand {
    /// A contact with everything that is known. Answered with [`crate::view::people::ContactView`].
    #[serde(rename = "contacts.get")]
    Get {
        /// Contact id.
        contact: u64,
    },
    /// Make a contact a favourite, or no longer.
    #[serde(rename = "contacts.favourite")]
    Favourite {
        /// Contact id.
        contact: u64,
        /// True: it is one.
        on: bool,
    },
    /// Lists of contacts. Answered with a list of [`crate::view::people::ContactSourceView`].
    #[serde(rename = "contacts.sources")]
    Sources {},
    /// Look at a file of contacts (CSV or vCard) without keeping anything. Answered with
    /// [`crate::view::people::ImportPreview`].
    #[serde(rename = "contacts.preview")]
    Preview {
        /// The file.
        #[serde(flatten)]
        file: ImportFile,
    },
    /// Keep the contacts of a file as a new list. Answered with [`crate::view::people::ImportReport`].
    #[serde(rename = "contacts.import")]
    Import {
        /// The file.
        #[serde(flatten)]
        file: ImportFile,
        /// What each column holds; as the preview said when left out.
        #[serde(default)]
        #[ts(optional)]
        mapping: Option<Vec<ImportField>>,
    },
    /// Take a list of contacts back as a whole.
    #[serde(rename = "contacts.remove_source")]
    RemoveSource {
        /// Id of the list.
        source: u64,
    },
    /// These entries are the same person. Answered with [`crate::view::people::ContactView`].
    #[serde(rename = "contacts.merge")]
    Merge {
        /// Contact ids, two to 32.
        contacts: Vec<u64>,
    },
    /// This entry is another person than those that it was put together with.
    #[serde(rename = "contacts.split")]
    Split {
        /// Contact id, of one of the parts.
        contact: u64,
    },
    /// Whose word counts where several lists have the same person: the first that tells something.
    #[serde(rename = "contacts.source_order")]
    SourceOrder {
        /// Ids of lists; those that are left out come after, oldest first.
        order: Vec<u64>,
    },
    /// When people are free, by the calendars of the organisation. Answered with a list of
    /// [`crate::view::people::AvailabilityView`]; of whom nothing is known is left out.
    #[serde(rename = "contacts.availability")]
    Availability {
        /// Numbers of people, at most 100.
        numbers: Vec<String>,
    },
    /// What would be dialled for a text. Answered with [`crate::view::people::NumberView`].
    #[serde(rename = "number.describe")]
    Describe {
        /// What was typed or copied.
        text: String,
    },
    /// Note something of a caller. Answered with [`crate::view::people::NoteView`].
    #[serde(rename = "note.add")]
    NoteAdd {
        /// The number, in any notation.
        number: String,
        /// What to note, at most 2,000 characters.
        text: String,
        /// Until when it holds; left out: it stays. After that it is gone.
        #[serde(default)]
        #[ts(optional)]
        until_ms: Option<u64>,
    },
    /// Notes of a number, newest first. Answered with a list of [`crate::view::people::NoteView`].
    #[serde(rename = "note.list")]
    NoteList {
        /// The number, in any notation.
        number: String,
    },
    /// Take a note away.
    #[serde(rename = "note.remove")]
    NoteRemove {
        /// Note id.
        note: u64,
    },
    /// Somebody is to be called back. Answered with a list of [`crate::view::people::CallBackView`].
    #[serde(rename = "call_back.add")]
    CallBackAdd {
        /// What to call.
        number: String,
        /// Name; may be left out.
        #[serde(default)]
        #[ts(optional, as = "Option<String>")]
        name: String,
        /// Account to call from; the first usable one when left out.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
    /// Who is to be called back: who waits longest first, then what is settled. Answered with a list of
    /// [`crate::view::people::CallBackView`].
    #[serde(rename = "call_back.list")]
    CallBackList {},
    /// Somebody was called back, in a way that nobody could see. A conversation settles it by itself. Answered with a
    /// list of [`crate::view::people::CallBackView`].
    #[serde(rename = "call_back.done")]
    CallBackDone {
        /// Id.
        call_back: u64,
    },
    /// How long calls and notes are kept. Answered with [`crate::view::people::PrivacyView`].
    #[serde(rename = "privacy.get")]
    PrivacyGet {},
    /// Keep calls, notes and settled call-backs so long; what is older goes at once. Answered with
    /// [`crate::view::people::PrivacyView`].
    #[serde(rename = "privacy.set")]
    PrivacySet {
        /// Days, at most 3,660; 0: they do not outlive a run of the program.
        history_days: u32,
    },
    /// What is opened for a caller. Answered with [`crate::view::people::ScreenPopView`].
    #[serde(rename = "screen_pop.get")]
    ScreenPopGet {},
    /// Open another page or program for callers, or nothing. Answered with [`crate::view::people::ScreenPopView`].
    #[serde(rename = "screen_pop.set")]
    ScreenPopSet {
        /// Page; empty: none.
        url: String,
        /// Program and its arguments; empty: none.
        command: Vec<String>,
        /// Only when the call is answered here, and not when it rings.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        answered: bool,
    },
    /// Everything that is kept of a number or a contact. Answered with [`crate::view::people::PrivacyReport`].
    #[serde(rename = "privacy.export")]
    Export {
        /// Of whom.
        #[serde(flatten)]
        of: SubjectChoice,
    },
    /// Erase everything that is kept of a number or a contact. Answered with
    /// [`crate::view::people::ErasedReport`].
    #[serde(rename = "privacy.erase")]
    Erase {
        /// Of whom.
        #[serde(flatten)]
        of: SubjectChoice,
    },
}

/// A file of contacts: where it is, or what is in it.
#[derive(Debug, Clone, Default, Deserialize, TS)]
pub struct ImportFile {
    /// Name for people; of the path when left out.
    #[serde(default)]
    #[ts(optional)]
    pub name: Option<String>,
    /// Path of the file.
    #[serde(default)]
    #[ts(optional)]
    pub path: Option<String>,
    /// Its content, base64.
    #[serde(default)]
    #[ts(optional)]
    pub data: Option<String>,
}

/// Of whom: one of these.
#[derive(Debug, Clone, Default, Deserialize, TS)]
pub struct SubjectChoice {
    /// A number, in any notation.
    #[serde(default)]
    #[ts(optional)]
    pub number: Option<String>,
    /// A contact, with all its numbers.
    #[serde(default)]
    #[ts(optional)]
    pub contact: Option<u64>,
    /// Everybody: all calls, notes, call-backs and contacts.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub everybody: bool,
}
