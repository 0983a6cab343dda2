//! CardDAV (RFC 6352): an account's address books over HTTP. Found by [`discovery`] (RFC 6764), read by [`reading`]
//! (RFC 6578, or by comparing marks where a server has no such thing), one driver for both.

mod address;
mod cursor;
mod discovery;
mod driver;
pub(crate) mod multistatus;
mod reading;
pub(crate) mod words;

use trust::Anchors;

pub(crate) use address::member;
pub(crate) use discovery::Found;
pub(crate) use driver::{CardDav, bounded};

/// The contacts of one answer to a request for cards (RFC 6352 section 8.7), with the limits of a reading. Cards that are
/// nobody's, or cannot be read, are left out.
///
/// # Errors
/// When it is no such answer, or more than is taken.
pub fn read_cards(document: &[u8]) -> Result<Vec<contacts::import::Contact>, crate::SourceError> {
    let read = multistatus::read(document)?;
    let cards = read.responses.iter().filter_map(|response| response.props.card.as_deref());
    Ok(cards.filter_map(crate::vcard::read).collect())
}

/// Where an address book is and who reads it.
#[derive(Debug, Clone, Default)]
pub struct CardDavSettings {
    /// What a person knows of it: an e-mail address (`jan@example.nl`), a server (`dav.example.nl`), or the address of
    /// the server, of an account on it or of one address book (`https://dav.example.nl/jan/`). Without encryption only where `http://`
    /// is written out.
    pub address: String,
    /// User name; of the address when empty.
    pub user: String,
    /// Calendars of the same account are asked when people are free (CalDAV).
    pub calendars: bool,
    /// Notes of calls are written in a calendar of the account.
    pub notes: bool,
    /// Authorities that are trusted besides the platform's.
    pub anchors: Anchors,
}

/// What a conversation wants next.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// An answer to this.
    Ask(Box<crate::http::Ask>),
    /// Nothing more.
    Done(T),
}
