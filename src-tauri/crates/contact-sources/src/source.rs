//! The port: what every source can be asked, whatever it speaks.

use std::pin::Pin;
use std::sync::Arc;

use contacts::import::Contact;
use secrecy::SecretString;
use sip_core::Random;

use crate::carddav::{CardDav, CardDavSettings};
use crate::graph::{Graph, GraphSettings};
use crate::ldap::{Ldap, LdapSettings};
use crate::outlook::{Outlook, OutlookSettings};
use crate::{Availability, Known, Period, Progress, SourceError, Synced, Tested};

/// An answer on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// What kind of source it is, and where.
#[derive(Debug, Clone)]
pub enum Settings {
    /// An address book of CardDAV.
    CardDav(CardDavSettings),
    /// A directory.
    Ldap(LdapSettings),
    /// Microsoft 365.
    Graph(GraphSettings),
    /// Classic Outlook on this computer.
    Outlook(OutlookSettings),
}

/// Is told when a server has given another secret in place of the one that was used: it is the one from now on, whatever
/// becomes of the reading.
pub type Renewed = Arc<dyn Fn(&SecretString) + Send + Sync>;

/// What opens a source.
#[derive(Clone)]
pub struct Access {
    /// The password; of Microsoft 365 what signing in has given. None: nobody signs in.
    pub secret: Option<SecretString>,
    /// Is told of another one.
    pub renewed: Renewed,
}

impl Access {
    /// With a secret that stays the same.
    pub fn with(secret: Option<SecretString>) -> Access {
        Access { secret, renewed: Arc::new(|_| {}) }
    }
}

/// A note of a call, as it goes in a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallNote {
    /// What it is called there: letters, digits and dashes.
    pub uid: String,
    /// Of whom it is.
    pub who: String,
    /// What was noted.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// Where contacts come from. Nothing is kept in here between two questions: what is to be remembered is in the cursor.
pub trait Source: Send + Sync {
    /// Tries it out: signs in and looks around, changes nothing.
    fn test(&self) -> Pending<'_, Tested>;

    /// Reads what has changed since `cursor`, or all of it where that is empty or leads nowhere any more. `known` is what
    /// came of it so far. `tell` is called as it goes on.
    fn sync<'a>(
        &'a self,
        cursor: &'a str,
        known: &'a Known,
        tell: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Pending<'a, Synced>;

    /// Adds a contact there; the next reading brings it. `cursor` as for [`Source::sync`].
    fn add<'a>(&'a self, cursor: &'a str, contact: &'a Contact) -> Pending<'a, ()>;

    /// When these are free, by their e-mail addresses, in that order; an empty address is whoever signs in. Of whom nothing
    /// is told has no spans. Most sources tell nothing of it.
    fn free_busy<'a>(
        &'a self,
        addresses: &'a [String],
        period: Period,
    ) -> Pending<'a, Vec<Availability>> {
        let _ = (addresses, period);
        Box::pin(std::future::ready(Err(SourceError::NotASource)))
    }

    /// Writes a note of a call in the calendar of whoever signs in. One that is there already by its name is not written
    /// twice. Most sources have no calendar.
    fn write_note<'a>(&'a self, note: &'a CallNote) -> Pending<'a, ()> {
        let _ = note;
        Box::pin(std::future::ready(Err(SourceError::ReadOnly)))
    }
}

/// The source with these settings; `random` makes the names of what is added.
///
/// # Errors
/// When the settings cannot be used. No server is asked.
pub fn open(
    settings: &Settings,
    access: Access,
    random: Random,
) -> Result<Box<dyn Source>, SourceError> {
    Ok(match settings {
        Settings::CardDav(settings) => Box::new(CardDav::new(settings, access.secret, random)?),
        Settings::Ldap(settings) => Box::new(Ldap::new(settings, access.secret)?),
        Settings::Graph(settings) => Box::new(Graph::new(settings, access)?),
        Settings::Outlook(OutlookSettings {}) => Box::new(Outlook::default()),
    })
}
