//! Microsoft 365 through Graph: a person's contacts of all folders, the people of the organisation, whom he works with, and the
//! contacts of shared mailboxes. [`sign_in`] is OAuth 2.0 (RFC 6749, 7636, 8252, 8628), [`reading`] what is asked and what
//! comes of the answers, [`items`] the records; [`driver`] puts them on HTTP, [`loopback`] waits for the browser.

mod cursor;
mod driver;
mod items;
mod loopback;
mod reading;
mod schedule;
mod sign_in;

use std::time::Duration;

use trust::Anchors;
use url::Url;

use crate::{SourceError, limits};

pub(crate) use driver::Graph;
pub use driver::{Prompt, SignedIn, SigningIn, begin_sign_in};
pub use loopback::Words;

/// Where people sign in, unless the settings name another cloud.
const LOGIN: &str = "https://login.microsoftonline.com";
/// Where the data is.
const SERVICE: &str = "https://graph.microsoft.com/v1.0";
/// Most shared mailboxes.
const MAILBOXES: usize = 20;

/// Which account of Microsoft 365 is read, and what of it.
#[derive(Debug, Clone, Default)]
pub struct GraphSettings {
    /// Directory (tenant) id or domain; `organizations` when empty.
    pub tenant: String,
    /// Application (client) id, as the organisation has registered this program.
    pub client: String,
    /// The person's contacts of all folders.
    pub contacts: bool,
    /// Everybody of the organisation.
    pub users: bool,
    /// Whom the person works with.
    pub people: bool,
    /// When colleagues are free.
    pub calendars: bool,
    /// Notes of calls are written in the person's calendar.
    pub notes: bool,
    /// Addresses of shared mailboxes whose contacts are read.
    pub mailboxes: Vec<String>,
    /// Where people sign in; Microsoft's when empty. Always `https`.
    pub login: String,
    /// Where the data is; Microsoft's when empty. Always `https`.
    pub service: String,
    /// Authorities that are trusted besides the platform's.
    pub anchors: Anchors,
}

/// By which way somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In the system's browser, which comes back to this machine.
    Browser,
    /// In a browser anywhere, with a code to be typed there.
    Device,
}

/// The settings, looked at.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    client: String,
    contacts: bool,
    users: bool,
    people: bool,
    calendars: bool,
    notes: bool,
    mailboxes: Vec<String>,
    /// `…/{tenant}/oauth2/v2.0/`
    oauth: Url,
    /// Ends with a slash.
    service: Url,
}

impl Place {
    pub(crate) fn new(settings: &GraphSettings) -> Result<Place, SourceError> {
        let tenant = match settings.tenant.trim() {
            "" => "organizations",
            tenant => tenant,
        };
        let word = |text: &str| {
            let allowed = |char: char| char.is_ascii_alphanumeric() || "-._".contains(char);
            !text.is_empty() && text.len() <= 200 && text.chars().all(allowed)
        };
        if !word(tenant) {
            return Err(SourceError::BadSetting("directory id"));
        }
        let client = settings.client.trim();
        if !word(client) {
            return Err(SourceError::BadSetting("application id"));
        }
        let mailboxes: Vec<String> =
            settings.mailboxes.iter().map(|address| address.trim().to_owned()).collect();
        let is_address = |address: &String| {
            address.len() <= 320
                && address
                    .split_once('@')
                    .is_some_and(|(user, domain)| !user.is_empty() && word(domain))
                && !address.contains(|char: char| {
                    char.is_control() || char.is_whitespace() || "/?#\\".contains(char)
                })
        };
        if mailboxes.len() > MAILBOXES || !mailboxes.iter().all(is_address) {
            return Err(SourceError::BadSetting("shared mailbox"));
        }
        if !settings.contacts && !settings.users && !settings.people && mailboxes.is_empty() {
            return Err(SourceError::BadSetting("what to read"));
        }
        let oauth = server(&settings.login, LOGIN)?
            .join(&format!("{tenant}/oauth2/v2.0/"))
            .map_err(|_| SourceError::BadAddress)?;
        Ok(Place {
            client: client.to_owned(),
            contacts: settings.contacts,
            users: settings.users,
            people: settings.people,
            calendars: settings.calendars,
            notes: settings.notes,
            mailboxes,
            oauth,
            service: server(&settings.service, SERVICE)?,
        })
    }

    /// What the person is asked to allow: no more than what is read.
    pub(crate) fn scopes(&self) -> String {
        let mut scopes = vec!["openid", "profile", "offline_access", "User.Read"];
        if self.contacts || !self.mailboxes.is_empty() {
            scopes.push("Contacts.Read");
        }
        if !self.mailboxes.is_empty() {
            scopes.push("Contacts.Read.Shared");
        }
        if self.users {
            scopes.push("User.Read.All");
        }
        if self.people {
            scopes.push("People.Read");
        }
        if self.calendars {
            scopes.push("Calendars.ReadBasic");
        }
        if self.notes {
            scopes.push("Calendars.ReadWrite");
        }
        scopes.join(" ")
    }

    /// An address below the service. Each part stays one part, whatever is in it.
    pub(crate) fn at(&self, parts: &[&str]) -> Url {
        let mut url = self.service.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// Where the service sends us on: to itself, or nowhere.
    pub(crate) fn follow(&self, link: &str) -> Result<Url, SourceError> {
        if link.len() > LINK {
            return Err(SourceError::Malformed);
        }
        let url = Url::parse(link).map_err(|_| SourceError::Malformed)?;
        let plain = url.username().is_empty() && url.password().is_none();
        match plain && url.origin() == self.service.origin() {
            true => Ok(url),
            false => Err(SourceError::Elsewhere),
        }
    }
}

/// Bytes of an address that the service sends us on to; its marks of what was read are in it.
const LINK: usize = 4 * limits::TEXT;

/// How long a wait that the service asks for is waited for within a reading.
const WAIT: Duration = Duration::from_secs(5 * 60);

fn server(text: &str, usual: &str) -> Result<Url, SourceError> {
    let text = match text.trim().trim_end_matches('/') {
        "" => usual,
        text => text,
    };
    let url = Url::parse(&format!("{text}/")).map_err(|_| SourceError::BadAddress)?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    // A token in the clear is a token for everybody.
    match plain && url.scheme() == "https" && url.fragment().is_none() && text.len() <= limits::TEXT
    {
        true => Ok(url),
        false => Err(SourceError::BadAddress),
    }
}

#[cfg(test)]
pub(crate) fn place() -> Place {
    Place::new(&GraphSettings {
        client: "app-1".into(),
        contacts: true,
        users: true,
        people: true,
        mailboxes: vec!["verkoop@zilver.example".into()],
        ..GraphSettings::default()
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_looked_at_before_anybody_is_asked() {
        let good = GraphSettings { client: "app".into(), users: true, ..GraphSettings::default() };
        let place = Place::new(&good).unwrap();
        assert_eq!(
            place.oauth.as_str(),
            "https://login.microsoftonline.com/organizations/oauth2/v2.0/"
        );
        assert_eq!(place.scopes(), "openid profile offline_access User.Read User.Read.All");
        for bad in [
            GraphSettings { client: String::new(), ..good.clone() },
            GraphSettings { users: false, ..good.clone() },
            GraphSettings { tenant: "../x".into(), ..good.clone() },
            GraphSettings { mailboxes: vec!["a/b@c.nl".into()], ..good.clone() },
            GraphSettings { mailboxes: vec!["nobody".into()], ..good.clone() },
            GraphSettings { service: "http://graph.example".into(), ..good.clone() },
            GraphSettings { login: "https://jan:pw@login.example".into(), ..good },
        ] {
            assert!(Place::new(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_follows_no_link_to_a_stranger() {
        let place = place();
        let own = "https://graph.microsoft.com/v1.0/users/delta?$skiptoken=a";
        assert!(place.follow(own).is_ok());
        for bad in [
            "http://graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com.evil.example/v1.0/x",
            "https://graph.microsoft.com:8443/v1.0/x",
            "https://a:b@graph.microsoft.com/v1.0/x",
            "/v1.0/x",
            "javascript:alert(1)",
            "",
        ] {
            assert!(place.follow(bad).is_err(), "{bad}");
        }
        assert!(place.follow(&format!("{own}{}", "x".repeat(LINK))).is_err());
        let at = place.at(&["users", "a@b.nl/../../me", "contacts"]);
        assert_eq!(at.path(), "/v1.0/users/a@b.nl%2F..%2F..%2Fme/contacts");
    }
}
