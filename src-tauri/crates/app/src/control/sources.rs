//! Commands about address books and directories that contacts are read from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Password;
use crate::view::sources::SourceField;

/// Names of [`SourceCommand`].
pub(super) const NAMES: &[&str] = &[
    "sources.list",
    "sources.test",
    "sources.add",
    "sources.change",
    "sources.remove",
    "sources.sync",
    "sources.add_contact",
    "sources.sign_in",
    "sources.signed_in",
    "sources.sign_in_cancel",
];

/// What can be asked of sources of contacts.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "cmd")]
pub enum SourceCommand {
    /// All of them as they stand. Answered with a list of [`crate::view::sources::SourceView`].
    #[serde(rename = "sources.list")]
    List {},
    /// Try one out without keeping it. Answered with [`crate::view::sources::SourceTest`].
    #[serde(rename = "sources.test")]
    Test {
        /// What was filled in.
        form: SourceForm,
        /// The source being changed, whose password counts where none was typed.
        #[serde(default)]
        #[ts(optional)]
        source: Option<u64>,
    },
    /// Keep a new one and begin to read it. Answered with [`crate::view::sources::SourceView`].
    #[serde(rename = "sources.add")]
    Add {
        /// What was filled in.
        form: SourceForm,
    },
    /// Change one, or give its password. Answered with [`crate::view::sources::SourceView`].
    #[serde(rename = "sources.change")]
    Change {
        /// Source id.
        source: u64,
        /// What was filled in.
        form: SourceForm,
    },
    /// Forget one, its password and its contacts.
    #[serde(rename = "sources.remove")]
    Remove {
        /// Source id.
        source: u64,
    },
    /// Read one now, or all when left out. How it goes is told by `source.state`.
    #[serde(rename = "sources.sync")]
    Sync {
        /// Source id.
        #[serde(default)]
        #[ts(optional)]
        source: Option<u64>,
    },
    /// Add a contact at the source itself; it comes back with the next reading, which begins at once.
    #[serde(rename = "sources.add_contact")]
    AddContact {
        /// Source id.
        source: u64,
        /// Whom to add.
        contact: NewContact,
    },
    /// Begin to sign in where a source is read with an account of the organisation. Answered with
    /// [`crate::view::sources::SourceSignIn`].
    #[serde(rename = "sources.sign_in")]
    SignIn {
        /// What was filled in.
        form: SourceForm,
        /// By which way.
        way: SignInWay,
        /// Open the page in the browser of this machine.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        open: bool,
        /// What the browser shows when it is done, in the user's language; may be left out.
        #[serde(default)]
        #[ts(optional, as = "Option<String>")]
        done: String,
        /// The same when it came to nothing.
        #[serde(default)]
        #[ts(optional, as = "Option<String>")]
        refused: String,
    },
    /// Wait until the person is done. Answered with [`crate::view::sources::SourceSignedIn`].
    #[serde(rename = "sources.signed_in")]
    SignedIn {
        /// Id of the sign-in.
        sign_in: u64,
    },
    /// Call a sign-in off, or forget what it has given.
    #[serde(rename = "sources.sign_in_cancel")]
    SignInCancel {
        /// Id of the sign-in.
        sign_in: u64,
    },
}

/// By which way somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignInWay {
    /// In the browser of this machine.
    Browser,
    /// In any browser, with a code that is typed there.
    Code,
}

/// A source as the user fills it in.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct SourceForm {
    /// Name for people; made from the server's when empty.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub name: String,
    /// Password; empty keeps the one that is known.
    #[serde(default)]
    #[ts(optional, as = "Option<Password>")]
    pub password: Password,
    /// A sign-in that ended well, in place of a password.
    #[serde(default)]
    #[ts(optional)]
    pub sign_in: Option<u64>,
    /// What it is, where, and how it is read.
    pub settings: SourceSettings,
}

/// What a source is, where, and how it is read. Holds nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SourceSettings {
    /// Minutes from one reading to the next.
    #[serde(default = "usual_minutes")]
    #[ts(optional, as = "Option<u32>")]
    pub every_minutes: u32,
    /// File with authorities (PEM) that are trusted besides the platform's; may be empty.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub tls_ca_file: String,
    /// Do not disturb is switched on while one's own calendar there says that one is in an appointment or away, and off again.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub own_dnd: bool,
    /// Notes of calls are written in one's own calendar there, too: as journal entries, or as events that take no time.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub call_notes: bool,
    /// What it is and where.
    pub place: SourcePlace,
}

fn usual_minutes() -> u32 {
    15
}

/// What a source is and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SourcePlace {
    /// Address books of CardDAV.
    Carddav {
        /// E-mail address, server, or web address of the server or of one book.
        address: String,
        /// User name; of the address when empty.
        #[serde(default)]
        user: String,
        /// When colleagues are free, by the calendars of the same account (CalDAV): times only.
        #[serde(default)]
        calendars: bool,
    },
    /// A directory, Active Directory too.
    Ldap {
        /// Host name or address.
        host: String,
        /// Port; 0: the usual one.
        #[serde(default)]
        port: u16,
        /// How the way there is kept from others.
        #[serde(default)]
        encryption: SourceEncryption,
        /// Who signs in; nobody when empty.
        #[serde(default)]
        user: String,
        /// Where the search begins; where the server says when empty.
        #[serde(default)]
        base: String,
        /// Whom to take; people and contacts when empty.
        #[serde(default)]
        filter: String,
        /// Attributes that are read as something, with commas between them; the usual for what is left out.
        #[serde(default)]
        attributes: BTreeMap<SourceField, String>,
    },
    /// Classic Outlook on this computer (Windows): the contacts of whoever is signed in there.
    Outlook {},
    /// The directories of an account's exchange: colleagues, common numbers and the user's own. It comes and goes with the
    /// account; nobody adds, changes or removes it.
    Exchange {
        /// Id of the account.
        account: String,
    },
    /// Microsoft 365. Somebody signs in; there is no password.
    Microsoft {
        /// Directory (tenant) id or domain; any organisation's when empty.
        #[serde(default)]
        tenant: String,
        /// Application (client) id, as the organisation has registered this program.
        client: String,
        /// The person's own contacts, of all folders.
        #[serde(default)]
        contacts: bool,
        /// Everybody of the organisation.
        #[serde(default)]
        users: bool,
        /// Whom the person works with.
        #[serde(default)]
        people: bool,
        /// When colleagues are free, by their calendars: times only.
        #[serde(default)]
        calendars: bool,
        /// Shared mailboxes whose contacts are read, with commas between them.
        #[serde(default)]
        mailboxes: String,
        /// Where people sign in; Microsoft's when empty.
        #[serde(default)]
        login: String,
        /// Where the data is; Microsoft's when empty.
        #[serde(default)]
        service: String,
    },
}

/// How the way to a directory is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SourceEncryption {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS by StartTLS.
    StartTls,
    /// In the clear.
    None,
}

/// A contact to be added at a source.
#[derive(Debug, Clone, Default, Deserialize, TS)]
pub struct NewContact {
    /// Name.
    pub name: String,
    /// Company; may be left out.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub company: String,
    /// E-mail address; may be left out.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub email: String,
    /// Remark; may be left out.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub remark: String,
    /// Numbers.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<NewNumber>>")]
    pub numbers: Vec<NewNumber>,
}

/// A number of a contact to be added.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct NewNumber {
    /// work, mobile, home, main, assistant, fax, pager, other; work when left out.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub label: String,
    /// The number, in any notation.
    pub number: String,
}
