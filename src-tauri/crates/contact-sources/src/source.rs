//! The port: what every source can be asked, whatever it speaks.

use std::pin::Pin;

use contacts::import::Contact;
use secrecy::SecretString;
use sip_core::Random;

use crate::carddav::{CardDav, CardDavSettings};
use crate::ldap::{Ldap, LdapSettings};
use crate::{Known, Progress, SourceError, Synced, Tested};

/// An answer on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// What kind of source it is, and where.
#[derive(Debug, Clone)]
pub enum Settings {
    /// An address book of CardDAV.
    CardDav(CardDavSettings),
    /// A directory.
    Ldap(LdapSettings),
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
}

/// The source with these settings; `random` makes the names of what is added.
///
/// # Errors
/// When the settings cannot be used. No server is asked.
pub fn open(
    settings: &Settings,
    password: Option<SecretString>,
    random: Random,
) -> Result<Box<dyn Source>, SourceError> {
    Ok(match settings {
        Settings::CardDav(settings) => Box::new(CardDav::new(settings, password, random)?),
        Settings::Ldap(settings) => Box::new(Ldap::new(settings, password)?),
    })
}
