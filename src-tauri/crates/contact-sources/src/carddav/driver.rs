//! The driver of CardDAV: puts the conversations on HTTP, and asks the name service for a domain's server.

use std::future::Future;
use std::time::Duration;

use contacts::import::Contact;
use secrecy::SecretString;
use sip_core::Random;
use tokio::sync::Mutex;
use tracing::debug;
use trust::Anchors;
use url::Url;

use super::address::{self, Start};
use super::cursor::Cursor;
use super::discovery::{Discovery, Found, Kind};
use super::reading::Reading;
use super::{CardDavSettings, Step, multistatus, words};
use crate::caldav::{self, Account, Asking};
use crate::http::{self, Ask, Web};
use crate::names::Service;
use crate::source::{CallNote, Pending, Source};
use crate::{
    Availability, Excess, Known, Period, Progress, SourceError, Synced, Tested, limits, vcard,
};

/// An account of address books.
pub(crate) struct CardDav {
    start: Start,
    user: String,
    password: Option<SecretString>,
    calendars: bool,
    notes: bool,
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
            calendars: settings.calendars,
            notes: settings.notes,
            anchors: settings.anchors.clone(),
            random: Mutex::new(random),
        })
    }

    async fn web(&self) -> Result<Web, SourceError> {
        let random = self.random.lock().await.fork();
        Web::new(&self.user, self.password.as_ref(), &self.anchors, random)
    }

    /// Where to begin: the server that the domain names (RFC 6764 section 6), or the domain itself.
    async fn start(&self, kind: Kind) -> Result<Url, SourceError> {
        let domain = match &self.start {
            Start::Url(url) => return Ok(url.clone()),
            Start::Domain(domain) => domain,
        };
        let itself =
            Url::parse(&format!("https://{domain}/")).map_err(|_| SourceError::BadAddress)?;
        match served_by(kind, domain).await {
            Some(server) => address::follow(&itself, &server),
            None => Ok(itself),
        }
    }

    async fn discover(&self, kind: Kind, web: &Web) -> Result<Found, SourceError> {
        let start = self.start(kind).await?;
        let mut discovery = Discovery::new(kind, &start);
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
        let found = self.discover(Kind::Books, web).await?;
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

// --- calendars ---

impl CardDav {
    async fn free(
        &self,
        addresses: &[String],
        period: Period,
    ) -> Result<Vec<Availability>, SourceError> {
        if !self.calendars {
            return Err(SourceError::NotASource);
        }
        let web = self.web().await?;
        let found = self.discover(Kind::Calendars, &web).await?;
        let account = Account { found, user: self.user.clone() };
        let mut all = Vec::new();
        for some in addresses.chunks(limits::PEOPLE_AT_ONCE) {
            let uid = self.random.lock().await.uuid();
            let mut asking = Asking::new(account.clone(), some, period, uid);
            let mut step = asking.begin()?;
            loop {
                match step {
                    Step::Ask(ask) => step = asking.answered(&web.exchange(*ask).await?)?,
                    Step::Done(told) => break all.extend(told),
                }
            }
        }
        Ok(all)
    }
}

impl CardDav {
    /// Puts a note in the first calendar that takes journal entries, else in the first that takes events.
    async fn note(&self, note: &CallNote) -> Result<(), SourceError> {
        if !self.notes {
            return Err(SourceError::ReadOnly);
        }
        let web = self.web().await?;
        let found = self.discover(Kind::Calendars, &web).await?;
        let mut calendars: Vec<(Url, bool)> = Vec::new();
        for home in found.homes {
            let answer = web.exchange(words::calendars(home.clone())).await?;
            if let Some(fault) = answer.fault() {
                return Err(fault);
            }
            let told = multistatus::read(&answer.body)?.responses.into_iter();
            calendars.extend(told.filter(|one| one.props.is_calendar).filter_map(|one| {
                let takes = |what: &str| one.props.components.iter().any(|name| name == what);
                let events = one.props.components.is_empty() || takes("VEVENT");
                let url = address::member(&home, &one.href).ok()?;
                (takes("VJOURNAL") || events).then(|| (address::as_folder(url), takes("VJOURNAL")))
            }));
        }
        let journal = calendars.iter().position(|(_, journal)| *journal).unwrap_or(0);
        let (calendar, as_journal) = calendars.get(journal).ok_or(SourceError::ReadOnly)?;
        let url =
            calendar.join(&format!("{}.ics", note.uid)).map_err(|_| SourceError::Malformed)?;
        let headers = vec![http::calendar(), ("if-none-match", "*".to_owned())];
        let body = caldav::note(note, *as_journal).to_string();
        let answer = web.exchange(Ask { method: "PUT", url, headers, body }).await?;
        match answer.status {
            // It is there: an earlier try was heard, and its answer was not.
            412 => Ok(()),
            403 | 405 | 409 | 415 | 507 => Err(SourceError::ReadOnly),
            _ => answer.fault().map_or(Ok(()), Err),
        }
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

    fn free_busy<'a>(
        &'a self,
        addresses: &'a [String],
        period: Period,
    ) -> Pending<'a, Vec<Availability>> {
        Box::pin(bounded(limits::TRIAL, self.free(addresses, period)))
    }

    fn write_note<'a>(&'a self, note: &'a CallNote) -> Pending<'a, ()> {
        Box::pin(bounded(limits::TRIAL, self.note(note)))
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
async fn served_by(kind: Kind, domain: &str) -> Option<String> {
    let service = match kind {
        Kind::Books => Service::new("_carddavs", domain),
        Kind::Calendars => Service::new("_caldavs", domain),
    };
    let server = service.servers().await.into_iter().next()?;
    let path = service.path().await.unwrap_or_default();
    Some(format!("https://{}:{}{path}", server.host, server.port))
}
