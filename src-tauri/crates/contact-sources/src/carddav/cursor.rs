//! Where the next reading begins: the account's places on the server, and how each book stood.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is remembered from one reading to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Collections whose members are the address books.
    #[serde(default)]
    pub(crate) homes: Vec<String>,
    /// Or the one book that was named.
    #[serde(default)]
    pub(crate) book: Option<String>,
    /// How each book stood, by its path.
    #[serde(default)]
    pub(crate) books: BTreeMap<String, Mark>,
}

/// How a book stood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The token of RFC 6578; empty where the server has none.
    #[serde(default)]
    pub(crate) token: String,
    /// The older mark of the whole collection; empty where the server has none.
    #[serde(default)]
    pub(crate) ctag: String,
}

impl Cursor {
    /// What cannot be read any more is a new beginning.
    pub(crate) fn read(text: &str) -> Cursor {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// It is known where the books are.
    pub(crate) fn is_found(&self) -> bool {
        self.book.is_some() || !self.homes.is_empty()
    }
}
