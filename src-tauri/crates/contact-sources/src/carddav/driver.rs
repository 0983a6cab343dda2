//! The driver of CardDAV: puts the conversations on HTTP, and asks the name service for a domain's server.

use std::future::Future;
use std::time::Duration;

use contacts::import::Contact;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use secrecy::SecretString;
use sip_core::Random;
use tokio::sync::Mutex;
use tracing::debug;
use trust::Anchors;
use url::Url;

use super::address::{self, Start};
use super::cursor::Cursor;
use super::discovery::{Discovery, Found};
use super::reading::Reading;
use super::{CardDavSettings, Step};
use crate::http::{self, Ask, Web};
use crate::source::{Pending, Source};
use crate::{Excess, Known, Progress, SourceError, Synced, Tested, limits, vcard};

/// How long the name service may take.
const NAMES: Duration = Duration::from_secs(3);

/// An account of address books.
pub(crate) struct CardDav {
    start: Start,
    user: String,
    password: Option<SecretString>,
    anchors: Anchors,
    random: Mutex<Random>,
}

impl CardDav {
    pub(crate) fn new(
        settings: &CardDavSettings,
        password: Option<SecretString>,
        random: Random,
    ) -> Result<CardDav, SourceError> {
        let (start, named) = address::parse(&settings.address)?;
        let user = Some(settings.user.clone()).filter(|user| !user.is_empty());
        Ok(CardDav {
            start,
            user: user.or(named).unwrap_or_default(),
            password,
            anchors: settings.anchors.clone(),
            random: Mutex::new(random),
        })
    }

    async fn web(&self) -> Result<Web, SourceError> {
        let random = self.random.lock().await.fork();
        Web::new(&self.user, self.password.as_ref(), &self.anchors, random)
    }

    /// Where to begin: the server that the domain names (RFC 6764 section 6), or the domain itself.
    async fn start(&self) -> Result<Url, SourceError> {
        let domain = match &self.start {
            Start::Url(url) => return Ok(url.clone()),
            Start::Domain(domain) => domain,
        };
        let itself =
            Url::parse(&format!("https://{domain}/")).map_err(|_| SourceError::BadAddress)?;
        match tokio::time::timeout(NAMES, served_by(domain)).await {
            Ok(Some(server)) => address::follow(&itself, &server),
            _ => Ok(itself),
        }
    }

    async fn discover(&self, web: &Web) -> Result<Found, SourceError> {
        let start = self.start().await?;
        let mut discovery = Discovery::new(&start);
        let mut step = discovery.begin()?;
        loop {
            match step {
                Step::Ask(ask) => step = discovery.answered(&web.exchange(*ask).await?)?,
                Step::Done(found) => return Ok(found),
            }
        }
    }

    /// The cursor with the places of the books in it, where it does not have them yet.
    async fn placed(&self, web: &Web, cursor: Cursor) -> Result<Cursor, SourceError> {
        if cursor.is_found() {
            return Ok(cursor);
        }
        let found = self.discover(web).await?;
        Ok(Cursor {
            homes: found.homes.iter().map(Url::to_string).collect(),
            book: found.book.map(|book| book.to_string()),
            books: cursor.books,
        })
    }

    async fn read(
        &self,
        cursor: &str,
        known: &Known,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Synced, SourceError> {
        let web = self.web().await?;
        let before = Cursor::read(cursor);
        let was_found = before.is_found();
        let books = before.books.clone();
        let mut reading = Reading::new(self.placed(&web, before).await?, known)?;
        match run(&web, &mut reading, tell).await {
            // The account has moved on the server: it is looked for again, once.
            Err(SourceError::NotFound | SourceError::NotASource | SourceError::Forbidden)
                if was_found && reading.is_looking() =>
            {
                debug!("address books: where they were is nothing any more");
                let moved = Cursor { books, ..Cursor::default() };
                let mut reading = Reading::new(self.placed(&web, moved).await?, known)?;
                run(&web, &mut reading, tell).await
            }
            outcome => outcome,
        }
    }

    /// The books that there are.
    async fn books(&self, web: &Web, cursor: &str) -> Result<Vec<(Url, String)>, SourceError> {
        let cursor = self.placed(web, Cursor::read(cursor)).await?;
        let known = Known::new();
        let mut reading = Reading::new(cursor, &known)?;
        let mut step = reading.begin()?;
        while reading.is_looking() {
            match step {
                Step::Ask(ask) => step = reading.answered(web.exchange(*ask).await)?,
                Step::Done(_) => break,
            }
        }
        Ok(reading.books().iter().map(|book| (book.url.clone(), book.name.clone())).collect())
    }

    async fn put(&self, cursor: &str, contact: &Contact) -> Result<(), SourceError> {
        let web = self.web().await?;
        let books = self.books(&web, cursor).await?;
        let (book, _) = books.first().ok_or(SourceError::ReadOnly)?;
        for _ in 0..3 {
            let uid = self.random.lock().await.uuid();
            let url = book.join(&format!("{uid}.vcf")).map_err(|_| SourceError::Malformed)?;
            // Never over a card that is there (RFC 6352 section 6.3.2).
            let headers = vec![http::card(), ("if-none-match", "*".to_owned())];
            let body = vcard::write(contact, &format!("urn:uuid:{uid}"));
            let answer = web.exchange(Ask { method: "PUT", url, headers, body }).await?;
            match answer.status {
                412 => {}
                403 | 405 | 409 | 415 | 507 => return Err(SourceError::ReadOnly),
                _ => return answer.fault().map_or(Ok(()), Err),
            }
        }
        Err(SourceError::ReadOnly)
    }
}

impl Source for CardDav {
    fn test(&self) -> Pending<'_, Tested> {
        Box::pin(bounded(limits::TRIAL, async {
            let web = self.web().await?;
            let books = self.books(&web, "").await?;
            if books.is_empty() {
                return Err(SourceError::NotASource);
            }
            let path = |url: &Url| {
                url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
            };
            let names = books.into_iter().map(|(url, name)| match name.is_empty() {
                true => path(&url),
                false => name,
            });
            Ok(Tested { names: names.collect(), takes_contacts: true })
        }))
    }

    fn sync<'a>(
        &'a self,
        cursor: &'a str,
        known: &'a Known,
        tell: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Pending<'a, Synced> {
        Box::pin(bounded(limits::WHOLE, self.read(cursor, known, tell)))
    }

    fn add<'a>(&'a self, cursor: &'a str, contact: &'a Contact) -> Pending<'a, ()> {
        Box::pin(bounded(limits::TRIAL, self.put(cursor, contact)))
    }
}

async fn run(
    web: &Web,
    reading: &mut Reading<'_>,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Synced, SourceError> {
    let mut step = reading.begin()?;
    loop {
        match step {
            Step::Ask(ask) => step = reading.answered(web.exchange(*ask).await)?,
            Step::Done(synced) => return Ok(synced),
        }
        tell(reading.progress());
    }
}

/// Nothing goes on for ever.
pub(crate) async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) if limit < limits::WHOLE => Err(SourceError::Timeout),
        Err(_) => Err(SourceError::Excess(Excess::Time)),
    }
}

/// The server of a domain, as the name service tells it (RFC 6764 sections 3 and 4).
async fn served_by(domain: &str) -> Option<String> {
    let resolver = TokioResolver::builder_tokio().ok()?.build().ok()?;
    let name = format!("_carddavs._tcp.{}.", domain.trim_end_matches('.'));
    let servers = resolver.lookup(name.clone(), RecordType::SRV).await.ok()?;
    let server = servers.answers().iter().find_map(|record| match &record.data {
        // A single dot says that there is no such service (RFC 2782).
        RData::SRV(srv) if !srv.target.is_root() => {
            let host = srv.target.to_ascii();
            Some(format!("https://{}:{}", host.trim_end_matches('.'), srv.port))
        }
        _ => None,
    })?;
    let texts = resolver.lookup(name, RecordType::TXT).await.ok();
    let path = texts.and_then(|texts| {
        texts.answers().iter().find_map(|record| match &record.data {
            RData::TXT(text) => text.to_string().strip_prefix("path=").map(str::to_owned),
            _ => None,
        })
    });
    let path = path.filter(|path| path.starts_with('/')).unwrap_or_default();
    Some(format!("{server}{path}"))
}
