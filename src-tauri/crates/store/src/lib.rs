//! What the program keeps: a database of calls, contacts and notes; a settings file in TOML; secrets in the
//! system's keyring.
//!
//! The database lives on a thread of its own ([`Database`]): whoever asks never waits for the disk. What it can be
//! asked is [`Tables`], one file for each table.

mod call_backs;
mod database;
mod directory;
mod history;
mod journal;
mod log;
mod notes;
mod open;
mod preferences;
mod privacy;
mod readings;
mod same;
mod schema;
mod secrets;
mod settings;
mod tables;

pub use call_backs::{CallBack, NewCallBack};
pub use database::{Database, Place};
pub use directory::{EXCHANGE, NewSource, Person, PersonNumber, Source};
pub use history::{Direction, NewCall, Outcome, PastCall};
pub use journal::Entry;
pub use log::{LoggedCall, SAME_CALL_MS};
pub use notes::{NewNote, Note};
pub use open::{Keep, KeySource, Opened, Trouble};
pub use privacy::{Erased, Everything, Subject};
pub use readings::{Changed, NewReading, ReadSoFar, Reading};
pub use same::Said;
pub use schema::VERSION;
pub use secrets::{Kept, Secrets, SecretsError};
pub use settings::{Load, SettingsError, SettingsFile};
pub use tables::{StoreError, Tables};
