//! The typed side of the database: what can be asked of it inside one transaction.

use std::cell::Cell;

use rusqlite::{Connection, ErrorCode};

/// Why something could not be kept or found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The folder or the file may not be written.
    #[error("the file cannot be written")]
    ReadOnly,
    /// Another program holds the file for too long.
    #[error("the file is in use by another program")]
    InUse,
    /// The file is damaged, or the key is not the one it was written with.
    #[error("the file is damaged or its key is another one")]
    Damaged,
    /// More is waiting to be written than the disk takes.
    #[error("too much is waiting to be written")]
    Overloaded,
    /// The database has been closed.
    #[error("the database is closed")]
    Closed,
    /// Written by a newer version of the program.
    #[error("the file was written by a newer version of the program (form {0})")]
    Newer(u32),
    /// Something else that SQLite says; never a value that was to be written.
    #[error("the database refuses: {0}")]
    Other(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let Some(failure) = error.sqlite_error() else {
            // The text of these may quote a statement or a value.
            return StoreError::Other("it holds what this program does not understand".to_owned());
        };
        match failure.code {
            ErrorCode::DiskFull => StoreError::Full,
            ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                StoreError::ReadOnly
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::InUse,
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => StoreError::Damaged,
            _ => StoreError::Other(format!("SQLite error {}", failure.extended_code)),
        }
    }
}

/// The tables, inside one transaction: everything that is done with it is kept together or not at all.
#[derive(Debug)]
pub struct Tables<'a> {
    pub(crate) sql: &'a Connection,
    /// Something was erased that must not stay in the log either.
    pub(crate) erased: Cell<bool>,
}

impl<'a> Tables<'a> {
    pub(crate) fn new(sql: &'a Connection) -> Tables<'a> {
        Tables { sql, erased: Cell::new(false) }
    }

    /// Reads every page: is the file as it should be?
    ///
    /// # Errors
    /// When it cannot even be read.
    pub fn is_sound(&self) -> Result<bool, StoreError> {
        let first: String =
            self.sql.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
        Ok(first == "ok")
    }
}

/// A time or a count as SQLite keeps it.
pub(crate) fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A time or a count as it was stored; what is negative was never ours.
pub(crate) fn unstored(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
