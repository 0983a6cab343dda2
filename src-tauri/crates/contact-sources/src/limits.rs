//! What a server may make grow. Beyond it a reading ends with [`crate::SourceError::Excess`]: half an address book that looks
//! whole would be a lie.

use std::time::Duration;

/// Contacts of one source.
pub const RECORDS: usize = contacts::import::MAX_CONTACTS;
/// Address books of one account.
pub const BOOKS: usize = 100;
/// Answers that one list may be cut into.
pub const PAGES: usize = 2_000;
/// Bytes of one answer.
pub const ANSWER: usize = 64 << 20;
/// Bytes of one message of a directory. Pictures are not asked for.
pub const MESSAGE: usize = 4 << 20;
/// Bytes of all answers of one reading.
pub const READING: usize = 1 << 30;
/// Bytes of one card, its picture included. Pictures are not kept; larger cards are left out.
pub const CARD: usize = 8 << 20;
/// Elements of XML inside each other.
pub const DEPTH: usize = 32;
/// Bytes of an address, a mark or a name in an answer.
pub const TEXT: usize = 4_096;
/// Times that a server may send us elsewhere in one go.
pub const REDIRECTS: usize = 5;
/// Cards that are asked for at once.
pub const CARDS_AT_ONCE: usize = 100;
/// Entries of one page of a directory.
pub const ENTRIES_AT_ONCE: i32 = 500;
/// Bytes of what is told of when somebody is free.
pub const FREE_BUSY: usize = 1 << 20;
/// Times that one such answer may name.
pub const PERIODS: usize = 10_000;
/// Calendars of one person.
pub const CALENDARS: usize = 20;
/// People of one question about that.
pub const PEOPLE_AT_ONCE: usize = 20;
/// Values of one attribute that are looked at.
pub const VALUES: usize = 16;

/// A connection stands within this time or not at all.
pub const CONNECT: Duration = Duration::from_secs(5);
/// An answer is whole within this time; servers take long to make the first list of a large book.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Trying a source out takes no longer.
pub const TRIAL: Duration = Duration::from_secs(30);
/// A whole reading takes no longer.
pub const WHOLE: Duration = Duration::from_secs(30 * 60);
