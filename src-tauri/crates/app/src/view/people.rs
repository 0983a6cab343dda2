//! View models of contacts, notes, call-backs and numbers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::HistoryEntry;

/// What a column of a table of contacts holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImportField {
    /// Nothing that is kept.
    Ignore,
    /// The whole name.
    Name,
    /// First name.
    GivenName,
    /// Middle names, or what stands between (`van der`).
    MiddleName,
    /// Last name.
    FamilyName,
    /// What follows the name.
    Suffix,
    /// Company.
    Company,
    /// Department.
    Department,
    /// Function.
    JobTitle,
    /// E-mail address.
    Email,
    /// Remark.
    Remark,
    /// What the file calls the row.
    Uid,
    /// A number at work.
    Work,
    /// A mobile number.
    Mobile,
    /// A number at home.
    Home,
    /// The company's main number.
    Main,
    /// The assistant's number.
    Assistant,
    /// A fax.
    Fax,
    /// A pager.
    Pager,
    /// Any other number.
    Other,
}

/// Form of a file of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// A table.
    Csv,
    /// Address cards.
    Vcard,
}

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImportEncoding {
    /// UTF-8.
    Utf8,
    /// UTF-16.
    Utf16,
    /// Windows-1252.
    Windows1252,
}

/// What a file of contacts looks like; nothing of it is kept yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ImportPreview {
    /// Form.
    pub kind: ImportKind,
    /// What it is written in.
    pub encoding: ImportEncoding,
    /// What stands between the values of a table.
    pub delimiter: Option<String>,
    /// The columns of a table.
    pub columns: Vec<ImportColumn>,
    /// Rows or cards.
    pub rows: u32,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ImportColumn {
    /// Its header.
    pub header: String,
    /// What it seems to hold.
    pub field: ImportField,
    /// Its first values.
    pub samples: Vec<String>,
}

/// Why something of a file was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImportProblemKind {
    /// More values than the table has columns.
    TooManyValues,
    /// Neither a name nor a company.
    NoName,
    /// A number is none; the contact is kept without it.
    NoNumber,
    /// A broken card.
    BrokenCard,
    /// More contacts than are read.
    TooMany,
}

/// Something of a file that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct ImportProblem {
    /// Line of the file, from 1.
    pub line: u64,
    /// Why.
    pub kind: ImportProblemKind,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ImportReport {
    /// Id of the list, to take it back as a whole.
    pub source: u64,
    /// Contacts that were kept.
    pub added: u32,
    /// Rows or cards that were left out.
    pub left_out: u32,
    /// The first of what was wrong, at most 200.
    pub problems: Vec<ImportProblem>,
}

/// A list of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ContactSourceView {
    /// Id.
    pub id: u64,
    /// Stable word: csv, vcard.
    pub kind: String,
    /// Name of the file or the server.
    pub name: String,
    /// When it was read.
    pub synced_ms: u64,
    /// How many contacts it has.
    pub contacts: u64,
}

/// A contact with everything that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ContactView {
    /// Id.
    pub id: u64,
    /// Id of its list.
    pub source: u64,
    /// Name.
    pub name: String,
    /// Company.
    pub company: String,
    /// Department.
    pub department: String,
    /// Function.
    pub job_title: String,
    /// E-mail address.
    pub email: String,
    /// Remark.
    pub remark: String,
    /// Shown first.
    pub favourite: bool,
    /// Numbers.
    pub numbers: Vec<ContactNumberView>,
    /// The entries of several lists that this is put together from, the one that counts first; empty: there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<ContactPart>>")]
    pub parts: Vec<ContactPart>,
}

/// An entry of one list that a contact is put together from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ContactPart {
    /// Id of the entry; commands take it as the contact's.
    pub contact: u64,
    /// Id of its list.
    pub source: u64,
    /// Name of the list.
    pub source_name: String,
    /// Name in that list.
    pub name: String,
    /// What of the whole is from here.
    pub gives: Vec<ImportField>,
}

/// A number of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ContactNumberView {
    /// Stable word: work, mobile, home, main, assistant, fax, pager, other.
    pub label: String,
    /// What is dialled.
    pub number: String,
    /// For show.
    pub shown: String,
}

/// What kind of number something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// 112.
    Emergency,
    /// 113, 144, 116xxx.
    PublicService,
    /// 18xy.
    Information,
    /// 14 and an area code.
    Municipality,
    /// An extension.
    Extension,
    /// For the exchange itself.
    FeatureCode,
    /// A place.
    Geographic,
    /// Mobile.
    Mobile,
    /// 066.
    Pager,
    /// 067.
    Data,
    /// 082.
    PrivateNetwork,
    /// 084, 087.
    PersonalAssistant,
    /// 085, 091.
    LocationIndependent,
    /// 088.
    Company,
    /// 097.
    MachineToMachine,
    /// 0800.
    Free,
    /// 0900.
    Premium,
    /// 0906.
    Adult,
    /// 0909.
    Amusement,
    /// A satellite.
    Satellite,
    /// +800.
    InternationalFree,
    /// Premium-rate in another country.
    InternationalPremium,
    /// Another country.
    International,
    /// A SIP address.
    Address,
    /// No number: somebody's name.
    Name,
    /// None of these.
    Unknown,
}

/// What would be dialled for a text, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct NumberView {
    /// Kind.
    pub kind: NumberKind,
    /// What is dialled; null for a name.
    pub dial: Option<String>,
    /// The same for show.
    pub shown: String,
    /// What it is matched by; null when it is no number.
    pub key: Option<String>,
    /// Country (ISO 3166) of a full number.
    pub country: Option<String>,
    /// An extension behind the number, which is not dialled with it.
    pub extension: Option<String>,
    /// Costs more than people expect: ask once before dialling.
    pub asks_first: bool,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct NoteView {
    /// Id.
    pub id: u64,
    /// What was noted.
    pub text: String,
    /// When.
    pub at_ms: u64,
    /// Until when it holds; null: it stays.
    pub until_ms: Option<u64>,
}

/// Somebody who is to be called back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CallBackView {
    /// Id.
    pub id: u64,
    /// Account to call from.
    pub account: String,
    /// Name, or empty.
    pub name: String,
    /// What to call.
    pub number: String,
    /// Since when.
    pub since_ms: u64,
    /// When it was settled.
    pub done_ms: Option<u64>,
    /// By whom, when that is known.
    pub done_by: Option<String>,
}

/// Everything that is kept of somebody.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct PrivacyReport {
    /// Contacts.
    pub contacts: Vec<ContactView>,
    /// Calls, newest first.
    pub calls: Vec<HistoryEntry>,
    /// Notes, newest first.
    pub notes: Vec<NoteView>,
    /// Call-backs.
    pub call_backs: Vec<CallBackView>,
}

/// How much was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ErasedReport {
    /// Contacts.
    pub contacts: u64,
    /// Sources that had one of these contacts: they can come back as long as they are there. Empty after everybody was erased,
    /// since the sources went, too; the directory of an exchange is read again all the same.
    pub sources: Vec<String>,
    /// Calls.
    pub calls: u64,
    /// Notes.
    pub notes: u64,
    /// Call-backs.
    pub call_backs: u64,
}

/// How long calls and notes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct PrivacyView {
    /// Days; 0: they do not outlive a run of the program.
    pub history_days: u32,
}

/// What is opened for a caller, with `{number}`, `{name}` and `{dialled}` where his are filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ScreenPopView {
    /// Page; empty: none.
    pub url: String,
    /// Program and its arguments; empty: none.
    pub command: Vec<String>,
    /// Only when the call is answered here, and not when it rings.
    pub answered: bool,
    /// The page as it would be opened for a caller with a hostile name, to look at; empty: none.
    pub example: String,
}

/// What somebody is by his calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AvailabilityKind {
    /// Free.
    Free,
    /// Perhaps not.
    Tentative,
    /// In an appointment.
    Busy,
    /// Out of office.
    Away,
    /// At work, somewhere else.
    Elsewhere,
}

/// When somebody is free, by his calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct AvailabilityView {
    /// The number that was asked about.
    pub number: String,
    /// What he is now.
    pub kind: AvailabilityKind,
    /// Until when; null: as far as was looked.
    pub until_ms: Option<u64>,
    /// When he is free again, where he is not now; null: not as far as was looked.
    pub free_ms: Option<u64>,
}
