//! Calendars by CalDAV (RFC 4791): when people are free, and notes of calls. [`asking`] says what is asked, by the scheduling
//! outbox where the server has one (RFC 6638) and else calendar by calendar; [`documents`] reads and writes iCalendar
//! (RFC 5545). What an appointment is about is never asked for.

mod asking;
mod documents;

pub(crate) use asking::{Account, Asking};
pub(crate) use documents::note;
pub use documents::read_free_busy;
