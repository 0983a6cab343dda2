//! Lists of contacts from files: tables (CSV, as Outlook writes them in English and Dutch) and vCards.
//!
//! Nothing of a file is trusted: what is broken is told with its line and left out, the rest is read. Limits hold for
//! everything.

mod csv;
mod headers;
mod text;
mod vcard;

pub use self::csv::{Delimiter, Table, preview, read};
pub use self::headers::Field;
pub use self::text::{Encoding, decode};
pub use self::vcard::read as read_vcards;

/// Largest file, bytes.
pub const MAX_FILE: usize = 64 * 1024 * 1024;
/// Most contacts of one file.
pub const MAX_CONTACTS: usize = 200_000;
/// Longest value, characters; what is longer is cut.
pub(crate) const MAX_VALUE: usize = 1000;
/// Most numbers of one contact.
pub(crate) const MAX_NUMBERS: usize = 20;
/// Most problems that are told one by one.
const MAX_PROBLEMS: usize = 200;

/// Somebody in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// What the file calls this contact, or empty.
    pub uid: String,
    /// Name as it is shown.
    pub name: String,
    /// Company.
    pub company: String,
    /// Department.
    pub department: String,
    /// Function.
    pub job_title: String,
    /// First e-mail address.
    pub email: String,
    /// Remark.
    pub remark: String,
    /// Numbers, in the order of the file.
    pub numbers: Vec<Numbered>,
}

/// A number of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Whose it is.
    pub label: Label,
    /// As the file writes it.
    pub number: String,
}

/// What a number is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// At work.
    Work,
    /// Mobile.
    Mobile,
    /// At home.
    Home,
    /// The company's main number.
    Main,
    /// Assistant.
    Assistant,
    /// Fax.
    Fax,
    /// Pager.
    Pager,
    /// Any other.
    Other,
}

impl Label {
    /// A stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Label::Work => "work",
            Label::Mobile => "mobile",
            Label::Home => "home",
            Label::Main => "main",
            Label::Assistant => "assistant",
            Label::Fax => "fax",
            Label::Pager => "pager",
            Label::Other => "other",
        }
    }
}

/// What a file gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Contacts, in the order of the file.
    pub contacts: Vec<Contact>,
    /// What was left out, the first two hundred.
    pub problems: Vec<Problem>,
    /// How many were left out in all.
    pub left_out: usize,
}

/// Something that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file where it begins, from 1.
    pub line: u64,
    /// Why.
    pub why: Why,
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// More values than the table has columns.
    TooManyValues,
    /// Neither a name nor a company.
    NoName,
    /// A value that stands for a number is none; the contact is kept without it.
    NoNumber,
    /// A card that does not end, or holds what no card can.
    BrokenCard,
    /// The file has more contacts than are read.
    TooMany,
}

/// Why a file cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is larger than [`MAX_FILE`].
    #[error("the file is too large")]
    TooLarge,
    /// It holds nothing.
    #[error("the file is empty")]
    Empty,
    /// A text file has no zero bytes; this is a picture, a spreadsheet, an archive.
    #[error("the file is no text")]
    NotText,
    /// No column stands for a name or a company.
    #[error("no column holds names")]
    NoNames,
}

impl Imported {
    fn problem(&mut self, line: u64, why: Why) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { line, why });
        }
    }

    /// Keeps a contact, or tells why not.
    fn take(&mut self, line: u64, mut contact: Contact) {
        contact.numbers.retain(|numbered| {
            let good = crate::NumberKey::of(&numbered.number).is_some();
            if !good {
                self.problem(line, Why::NoNumber);
            }
            good
        });
        contact.numbers.truncate(MAX_NUMBERS);
        if contact.name.is_empty() {
            contact.name.clone_from(&contact.company);
        }
        if contact.name.is_empty() {
            self.leave_out(line, Why::NoName);
        } else {
            self.contacts.push(contact);
        }
    }

    fn leave_out(&mut self, line: u64, why: Why) {
        self.left_out += 1;
        self.problem(line, why);
    }

    fn is_full(&mut self, line: u64) -> bool {
        let full = self.contacts.len() >= MAX_CONTACTS;
        if full {
            self.leave_out(line, Why::TooMany);
        }
        full
    }
}

/// A value as it is kept.
pub(crate) fn tidy(value: &str) -> String {
    crate::plain::tidy(value, MAX_VALUE)
}
