//! The driver of LDAP over `ldap3`. Its connection lives in a task of its own: whatever a server makes of it ends there, and
//! here as a broken connection.

use std::collections::HashSet;
use std::net::IpAddr;

use contacts::import::Contact;
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{
    LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry, SearchOptions, StdStream,
};
use secrecy::{ExposeSecret, SecretString};
use tracing::debug;

use super::guard::{self, Verdict};
use super::map::{Entry, Map, id_attributes};
use super::plan::{Plan, Root};
use super::{Encryption, LdapSettings};
use crate::carddav::bounded;
use crate::http::tls_words;
use crate::names::{Server, Service, is_inside};
use crate::source::{Pending, Source};
use crate::{Excess, Known, Progress, SourceError, Synced, Tested, limits};

/// Where the guard waits; the socket is there already.
const HERE: &str = "ldap://127.0.0.1";
/// Entries that trying out shows.
const SAMPLES: usize = 3;
/// What the root entry tells.
const ROOT: [&str; 5] = [
    "namingContexts",
    "defaultNamingContext",
    "supportedControl",
    "highestCommittedUSN",
    "dsServiceName",
];

/// A directory.
pub(crate) struct Ldap {
    settings: LdapSettings,
    password: Option<SecretString>,
    map: Map,
    address: (String, u16),
}

impl Ldap {
    pub(crate) fn new(
        settings: &LdapSettings,
        password: Option<SecretString>,
    ) -> Result<Ldap, SourceError> {
        let filter = settings.filter.trim();
        let filter = if filter.starts_with('(') || filter.is_empty() {
            filter.to_owned()
        } else {
            format!("({filter})")
        };
        if !filter.is_empty() && ldap3::parse_filter(&filter).is_err() {
            return Err(SourceError::BadSetting("filter"));
        }
        Ok(Ldap {
            map: Map::new(&settings.attributes)?,
            address: address(settings)?,
            settings: settings.clone(),
            password,
        })
    }

    /// Connects and signs in.
    async fn open(&self) -> Result<(ldap3::Ldap, Verdict), SourceError> {
        let tls = trust::host_name(&self.settings.anchors)
            .map_err(|error| SourceError::Tls(tls_words(&error)))?;
        let (stream, verdict) = self.reach(tls).await?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Tcp(stream));
        let opened = LdapConnAsync::with_settings(settings, HERE).await;
        let (connection, ldap) = opened.map_err(|error| failure(&error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                debug!(error = %failure(&error), "the connection to the directory has ended");
            }
        });
        match self.bind(ldap).await {
            Ok(ldap) => Ok((ldap, verdict)),
            Err(error) => Err(verdict.over(error)),
        }
    }

    /// Connects with the first server of the domain that can be reached, or the one that was named.
    async fn reach(
        &self,
        tls: rustls::ClientConfig,
    ) -> Result<(std::net::TcpStream, Verdict), SourceError> {
        let mut failed = None;
        for Server { host, port } in self.servers().await {
            match guard::connect((&host, port), self.settings.encryption, tls.clone()).await {
                Err(
                    error @ (SourceError::Unreachable
                    | SourceError::Timeout
                    | SourceError::UnknownHost),
                ) => {
                    debug!(host, %error, "a server of the domain");
                    failed.get_or_insert(error);
                }
                reached => return reached,
            }
        }
        Err(failed.unwrap_or(SourceError::Unreachable))
    }

    /// Where to connect, in this order. What was named with its port, or by its address, is no domain.
    async fn servers(&self) -> Vec<Server> {
        let (host, port) = &self.address;
        let itself = Server { host: host.clone(), port: *port };
        if self.settings.port != 0 || host.parse::<IpAddr>().is_ok() || !host.contains('.') {
            return vec![itself];
        }
        let told = Service::new("_ldap", host).servers().await.into_iter();
        let mut servers: Vec<Server> = told
            .filter(|server| is_inside(&server.host, host))
            .map(|server| match self.settings.encryption {
                // The name service tells the port in the clear; TLS from the first byte has another.
                Encryption::Tls => Server { port: *port, ..server },
                Encryption::StartTls | Encryption::None => server,
            })
            .collect();
        if servers.is_empty() {
            servers.push(itself);
        }
        servers
    }

    async fn bind(&self, mut ldap: ldap3::Ldap) -> Result<ldap3::Ldap, SourceError> {
        let password = self.password.as_ref().map_or("", |password| password.expose_secret());
        let user = self.settings.user.trim();
        if user.is_empty() {
            // RFC 4513 section 5.1.1: who says nothing is nobody.
            return Ok(ldap);
        }
        if password.is_empty() {
            // RFC 4513 section 5.1.2: a name without a password would be let in as nobody.
            return Err(SourceError::Refused);
        }
        ldap.with_timeout(limits::PATIENCE);
        let bound = ldap.simple_bind(user, password).await.and_then(ldap3::LdapResult::success);
        bound.map(|_| ldap).map_err(|error| failure(&error))
    }

    async fn root(&self, ldap: &mut ldap3::Ldap) -> Result<Root, SourceError> {
        ldap.with_timeout(limits::PATIENCE);
        let found = ldap.search("", Scope::Base, "(objectClass=*)", ROOT).await;
        let (entries, _) =
            found.and_then(ldap3::SearchResult::success).map_err(|error| failure(&error))?;
        let root = entries
            .into_iter()
            .next()
            .map(|entry| Root::read(&Entry::new(SearchEntry::construct(entry))));
        Ok(root.unwrap_or_default())
    }

    /// Entries, one after the other, in pages where the server has them.
    async fn each(
        &self,
        ldap: &mut ldap3::Ldap,
        root: &Root,
        (base, filter): (&str, &str),
        attributes: Vec<String>,
        mut take: impl FnMut(Entry) -> bool,
    ) -> Result<(), SourceError> {
        let mut adapters: Vec<Box<dyn Adapter<'_, String, Vec<String>>>> =
            vec![Box::new(EntriesOnly::new())];
        if root.pages {
            adapters.push(Box::new(PagedResults::new(limits::ENTRIES_AT_ONCE)));
        }
        ldap.with_timeout(limits::PATIENCE);
        // References to other servers are not followed: the password is for this one.
        ldap.with_search_options(SearchOptions::new());
        let stream =
            ldap.streaming_search_with(adapters, base, Scope::Subtree, filter, attributes).await;
        let mut stream = stream.map_err(|error| failure(&error))?;
        let mut count = 0;
        while let Some(entry) = stream.next().await.map_err(|error| failure(&error))? {
            count += 1;
            if count > limits::RECORDS {
                return Err(SourceError::Excess(Excess::Records));
            }
            if !take(Entry::new(SearchEntry::construct(entry))) {
                return Ok(());
            }
        }
        let finished = stream.finish().await.success().map(|_| ());
        finished.map_err(|error| failure(&error))
    }

    async fn look(&self) -> Result<Tested, SourceError> {
        let (ldap, verdict) = self.open().await?;
        self.sample(ldap).await.map_err(|error| self.meant(verdict.over(error)))
    }

    async fn sample(&self, mut ldap: ldap3::Ldap) -> Result<Tested, SourceError> {
        let root = self.root(&mut ldap).await?;
        let plan = Plan::new(&self.settings.base, &self.settings.filter, &self.map, &root, "")?;
        let mut names = Vec::new();
        let question = (plan.base.as_str(), plan.everybody.as_str());
        self.each(&mut ldap, &root, question, self.map.attributes(), |entry| {
            names.extend(self.map.contact(&entry).map(|contact| contact.name));
            names.len() < SAMPLES
        })
        .await?;
        close(ldap).await;
        match names.is_empty() {
            true => Err(SourceError::NotASource),
            false => Ok(Tested { names, takes_contacts: false }),
        }
    }

    async fn read(
        &self,
        cursor: &str,
        known: &Known,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Synced, SourceError> {
        let (ldap, verdict) = self.open().await?;
        let synced = self.read_all(ldap, cursor, known, tell).await;
        synced.map_err(|error| self.meant(verdict.over(error)))
    }

    /// To somebody who has said nothing of who he is Active Directory tells an operations error, and OpenLDAP that it is
    /// unwilling: that he must sign in first.
    fn meant(&self, error: SourceError) -> SourceError {
        match error {
            SourceError::Server(1 | 53) if self.settings.user.trim().is_empty() => {
                SourceError::Forbidden
            }
            other => other,
        }
    }

    async fn read_all(
        &self,
        mut ldap: ldap3::Ldap,
        cursor: &str,
        known: &Known,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Synced, SourceError> {
        let root = self.root(&mut ldap).await?;
        let plan = Plan::new(&self.settings.base, &self.settings.filter, &self.map, &root, cursor)?;
        let synced = match self.follow(&mut ldap, &root, plan.clone(), known, tell).await {
            Ok(Some(synced)) => Ok(synced),
            Ok(None) => self.everybody(&mut ldap, &root, plan.full(), known, tell).await,
            // The server does not compare by these marks.
            Err(SourceError::Server(_) | SourceError::Forbidden) if plan.changed.is_some() => {
                self.everybody(&mut ldap, &root, plan.full(), known, tell).await
            }
            Err(error) => Err(error),
        };
        close(ldap).await;
        synced
    }

    /// What has changed; none: everybody must be read.
    async fn follow(
        &self,
        ldap: &mut ldap3::Ldap,
        root: &Root,
        plan: Plan,
        known: &Known,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Option<Synced>, SourceError> {
        let Some(changed) = plan.changed.clone() else {
            return self.everybody(ldap, root, plan, known, tell).await.map(Some);
        };
        let mut entries = Vec::new();
        let question = (plan.base.as_str(), changed.as_str());
        self.each(ldap, root, question, self.map.attributes(), |entry| {
            entries.push(entry);
            tell(Progress { done: entries.len(), of: entries.len() });
            true
        })
        .await?;
        let mut ids = HashSet::new();
        let question = (plan.base.as_str(), plan.everybody.as_str());
        self.each(ldap, root, question, id_attributes(), |entry| {
            ids.insert(entry.id());
            true
        })
        .await?;
        plan.outcome(&self.map, &entries, Some(ids), known)
    }

    async fn everybody(
        &self,
        ldap: &mut ldap3::Ldap,
        root: &Root,
        plan: Plan,
        known: &Known,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Synced, SourceError> {
        let mut entries = Vec::new();
        let question = (plan.base.as_str(), plan.everybody.as_str());
        self.each(ldap, root, question, self.map.attributes(), |entry| {
            entries.push(entry);
            tell(Progress { done: entries.len(), of: known.len().max(entries.len()) });
            true
        })
        .await?;
        plan.outcome(&self.map, &entries, None, known)?.ok_or(SourceError::Malformed)
    }
}

impl Source for Ldap {
    fn test(&self) -> Pending<'_, Tested> {
        Box::pin(bounded(limits::TRIAL, self.look()))
    }

    fn sync<'a>(
        &'a self,
        cursor: &'a str,
        known: &'a Known,
        tell: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Pending<'a, Synced> {
        Box::pin(bounded(limits::WHOLE, self.read(cursor, known, tell)))
    }

    fn add<'a>(&'a self, _cursor: &'a str, _contact: &'a Contact) -> Pending<'a, ()> {
        Box::pin(async { Err(SourceError::ReadOnly) })
    }
}

/// Host and port.
fn address(settings: &LdapSettings) -> Result<(String, u16), SourceError> {
    let host = settings.host.trim().trim_start_matches('[').trim_end_matches(']');
    let is_name = !host.is_empty()
        && host.len() <= 253
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    if host.parse::<IpAddr>().is_err() && !is_name {
        return Err(SourceError::BadAddress);
    }
    let usual = match settings.encryption {
        Encryption::Tls => 636,
        Encryption::StartTls | Encryption::None => 389,
    };
    Ok((host.to_owned(), if settings.port == 0 { usual } else { settings.port }))
}

/// Says goodbye; whether that arrives does not matter.
async fn close(mut ldap: ldap3::Ldap) {
    if let Err(error) = ldap.unbind().await {
        debug!(error = %failure(&error), "the directory did not hear us go");
    }
}

/// The kind of a failure. Result codes are those of RFC 4511 appendix A.
fn failure(error: &LdapError) -> SourceError {
    match error {
        LdapError::Timeout { .. } => SourceError::Timeout,
        LdapError::FilterParsing => SourceError::BadSetting("filter"),
        LdapError::LdapResult { result } => match result.rc {
            3 | 85 => SourceError::Timeout,
            // Authentication method not supported, stronger authentication required, confidentiality required.
            7 | 8 | 13 | 48 => SourceError::AuthMethod,
            11 | 51 => SourceError::Overloaded { retry_after: None },
            4 => SourceError::Excess(Excess::Records),
            32 | 34 => SourceError::NotFound,
            49 => SourceError::Refused,
            50 => SourceError::Forbidden,
            52 => SourceError::Unreachable,
            code => SourceError::Server(code),
        },
        _ => SourceError::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_of_names_and_numbers_only() {
        let of = |host: &str, port, encryption| {
            address(&LdapSettings {
                host: host.into(),
                port,
                encryption,
                ..LdapSettings::default()
            })
        };
        assert_eq!(of(" ad.x.nl ", 0, Encryption::Tls), Ok(("ad.x.nl".into(), 636)));
        assert_eq!(of("10.0.0.1", 3890, Encryption::None), Ok(("10.0.0.1".into(), 3890)));
        assert_eq!(of("[fd99::1]", 0, Encryption::StartTls), Ok(("fd99::1".into(), 389)));
        for bad in ["", "a/b", "a@b", "a b", "x?y"] {
            assert_eq!(of(bad, 0, Encryption::Tls), Err(SourceError::BadAddress), "{bad}");
        }
    }

    #[test]
    fn a_filter_that_is_none_is_told_before_anything_is_asked() {
        let of = |filter: &str| {
            let settings =
                LdapSettings { host: "x".into(), filter: filter.into(), ..LdapSettings::default() };
            Ldap::new(&settings, None).map(|_| ())
        };
        assert_eq!(of(""), Ok(()));
        assert_eq!(of("objectClass=person"), Ok(()));
        assert_eq!(of("(&(a=b)(c=*))"), Ok(()));
        assert_eq!(of("(a=b"), Err(SourceError::BadSetting("filter")));
    }
}
