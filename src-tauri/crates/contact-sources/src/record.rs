//! What comes out of a source.

use std::collections::HashMap;

use contacts::import::Contact;

/// What is known of a source from before: the id of each record and the mark of its version.
pub type Known = HashMap<String, String>;

/// One record of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the source calls it, for as long as it exists.
    pub id: String,
    /// The mark of its version; empty where the source has none.
    pub tag: String,
    /// The contact; none: it is a group, has no name, or cannot be read.
    pub contact: Option<Contact>,
}

/// What has changed at a source since the last reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synced {
    /// The whole source was gone through, and not only what had changed.
    pub full: bool,
    /// New and changed records, each id once.
    pub put: Vec<Record>,
    /// Ids of records that are no more.
    pub gone: Vec<String>,
    /// Where the next reading begins. Opaque.
    pub cursor: String,
}

/// How far a reading is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records that were read.
    pub done: usize,
    /// Records that are to be read, as far as is known by now.
    pub of: usize,
}

/// What trying a source out found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tested {
    /// Names of address books, or of some entries of a directory.
    pub names: Vec<String>,
    /// Contacts can be added.
    pub takes_contacts: bool,
}
