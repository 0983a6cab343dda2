//! Address books and directories that contacts are read from, one way, into the program's own cache: CardDAV
//! (RFC 6352), LDAP (RFC 4511), Active Directory among them, and Microsoft 365. Calendars of the same accounts tell when
//! people are free: by CalDAV (RFC 4791, RFC 6638) and by Graph.
//!
//! A [`Source`] is the port: it is tried out, it is read from where the last reading ended, and some take a new contact.
//! What a server says is brought into order by cores that know no socket and no clock ([`Schedule`], and the conversations
//! of `carddav` and `caldav`, plans of `ldap`, readings of `graph`); thin drivers put them on HTTP and LDAP. Everything a server can make grow has its
//! limit in [`limits`].

mod availability;
mod caldav;
mod carddav;
mod error;
mod graph;
mod http;
mod ldap;
pub mod limits;
mod names;
mod outlook;
mod record;
mod schedule;
mod source;
mod vcard;

pub use availability::{Availability, Now, Period, Standing};
pub use caldav::read_free_busy;
pub use carddav::{CardDavSettings, read_cards};
pub use error::{Excess, SourceError};
pub use graph::{GraphSettings, Prompt, SignedIn, SigningIn, Way, Words, begin_sign_in};
pub use ldap::{DirectoryField, Encryption, LdapSettings};
pub use outlook::OutlookSettings;
pub use record::{Known, Progress, Record, Synced, Tested};
pub use schedule::Schedule;
pub use source::{Access, CallNote, Pending, Renewed, Settings, Source, open};
pub use trust::{AnchorError, Anchors};
