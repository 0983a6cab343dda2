//! View models of the address books and directories that contacts are read from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::control::SourceSettings;

/// What an attribute of a directory is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SourceField {
    /// Name.
    Name,
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
    /// Numbers at work.
    Work,
    /// Mobile numbers.
    Mobile,
    /// Numbers at home.
    Home,
    /// The company's main number.
    Main,
    /// The assistant's number.
    Assistant,
    /// Faxes.
    Fax,
    /// Pagers.
    Pager,
    /// Any other numbers.
    Other,
}

/// What a source is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// All is well; it is read again in time.
    Waiting,
    /// It is being read.
    Syncing,
    /// The last try came to nothing; it is tried again.
    Failed,
    /// It is not tried again until somebody has changed something.
    Stopped,
}

/// Why a source could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SourceTrouble {
    /// The address that was filled in is none.
    BadAddress,
    /// The filter, the attributes or the certificate file cannot be used.
    BadSetting,
    /// The name of the server is not known.
    UnknownHost,
    /// Nothing listens there.
    Unreachable,
    /// The server did not prove who it is.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Broken,
    /// User name or password are wrong.
    Refused,
    /// The password is not known here.
    PasswordNeeded,
    /// Somebody must sign in (again).
    SignIn,
    /// An administrator of the organisation must allow it first.
    Consent,
    /// The person has said no.
    Declined,
    /// The server wants another way of signing in.
    AuthMethod,
    /// Signed in, and not allowed.
    Forbidden,
    /// There is nothing at this address.
    NotFound,
    /// What is there holds no contacts.
    NotASource,
    /// The server sends us to a stranger, who must not get the password.
    Elsewhere,
    /// The server has too much to do.
    Overloaded,
    /// The server reports a fault of its own.
    Server,
    /// What the server says cannot be understood.
    Malformed,
    /// The server sends more than is taken.
    TooMuch,
    /// Contacts cannot be added there.
    ReadOnly,
    /// What was read cannot be kept here.
    NotKept,
}

/// A source of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceView {
    /// Id; the contacts that came from it have it, too.
    pub id: u64,
    /// Name for people.
    pub name: String,
    /// What it is, where, and how it is read.
    pub settings: SourceSettings,
    /// What it is doing.
    pub state: SourceState,
    /// Why the last try failed; null: it did not.
    pub trouble: Option<SourceTrouble>,
    /// The same for support.
    pub detail: Option<String>,
    /// Records that were read, while it is read.
    pub done: u64,
    /// Of so many, as far as is known.
    pub of: u64,
    /// Contacts that are here.
    pub contacts: u64,
    /// When it was last read to its end.
    pub synced_ms: Option<u64>,
    /// When it will be read again; null: it is being read, or is not by itself.
    pub next_ms: Option<u64>,
    /// Contacts can be added there.
    pub takes_contacts: bool,
    /// Notes of calls that are not in its calendar yet, and why; null: none waits, or nothing has failed.
    pub unwritten: Option<UnwrittenNotes>,
}

/// Notes that could not be written in a calendar. They are kept here, and written when it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct UnwrittenNotes {
    /// How many.
    pub notes: u64,
    /// Why the last try failed.
    pub trouble: SourceTrouble,
    /// When it is tried again; null: not until somebody has changed something.
    pub next_ms: Option<u64>,
}

/// What trying a source out found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceTest {
    /// It can be read.
    pub ok: bool,
    /// Names of its address books, or of some of its entries.
    pub names: Vec<String>,
    /// Contacts can be added there.
    pub takes_contacts: bool,
    /// Why it cannot be read.
    pub trouble: Option<SourceTrouble>,
    /// The same for support.
    pub detail: Option<String>,
}

/// What a person needs to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceSignIn {
    /// Id of the sign-in.
    pub sign_in: u64,
    /// The page to open; always `https`.
    pub page: String,
    /// What is to be typed there; null: nothing.
    pub code: Option<String>,
    /// How many seconds it can be used.
    pub seconds: u64,
}

/// How a sign-in ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceSignedIn {
    /// Somebody has signed in.
    pub ok: bool,
    /// Who, where that was told.
    pub account: Option<String>,
    /// Why nobody has.
    pub trouble: Option<SourceTrouble>,
    /// The same for support.
    pub detail: Option<String>,
}
