//! The driver of Microsoft 365: signing in, tokens, and the reading on HTTP.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_core::Random;
use tokio::sync::Mutex;
use tracing::debug;
use trust::Anchors;
use url::Url;

use super::items::Kind;
use super::loopback::{Loopback, Words};
use super::reading::{Reading, Step};
use super::schedule::{self, AT_ONCE};
use super::sign_in::{Arrival, Browser, Device, Tokens, renew, tokens};
use super::{GraphSettings, Place, Way};
use crate::carddav::bounded;
use crate::http::{Answer, Ask, Web};
use crate::source::{Access, CallNote, Pending, Source};
use crate::{Availability, Known, Period, Progress, SourceError, Synced, Tested, limits};

/// A token is renewed this long before it runs out.
const SPARE: Duration = Duration::from_secs(60);
/// Nobody waits longer for a person to sign in.
const PERSON: Duration = Duration::from_secs(10 * 60);

// --- signing in ---

/// What a person needs to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The page to open.
    pub page: String,
    /// What is to be typed there.
    pub code: Option<String>,
    /// How long it can be used.
    pub lasts: Duration,
}

/// Somebody has signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// What opens the source from now on.
    pub secret: SecretString,
    /// Who it is, for people; may be empty.
    pub account: String,
}

/// A sign-in that goes on, until the person is done. Dropped: it is called off.
pub type SigningIn = Pending<'static, SignedIn>;

/// Begins to sign somebody in: what he is to be shown, and what comes of it.
///
/// # Errors
/// When the settings cannot be used, or the server cannot be asked for a code.
pub async fn begin_sign_in(
    settings: &GraphSettings,
    way: Way,
    words: Words,
    mut random: Random,
) -> Result<(Prompt, SigningIn), SourceError> {
    let place = Place::new(settings)?;
    let web = Web::open(&settings.anchors)?;
    match way {
        Way::Browser => {
            let loopback = Loopback::open().await.map_err(|_| SourceError::Unreachable)?;
            let browser = Browser::new(loopback.port(), &mut random);
            let page = browser.page(&place)?.into();
            let work = bounded(PERSON, by_browser(place, web, loopback, browser, words));
            Ok((Prompt { page, code: None, lasts: PERSON }, Box::pin(work)))
        }
        Way::Device => {
            let answer = bounded(limits::TRIAL, web.exchange(Device::ask(&place)?)).await?;
            let device = Device::begun(now(), &answer)?;
            let prompt = Prompt {
                page: device.page.clone(),
                code: Some(device.user_code.clone()),
                lasts: device.ends.saturating_duration_since(now()),
            };
            Ok((prompt, Box::pin(by_device(place, web, device))))
        }
    }
}

async fn by_browser(
    place: Place,
    web: Web,
    loopback: Loopback,
    browser: Browser,
    words: Words,
) -> Result<SignedIn, SourceError> {
    let visit = loopback.wait(&browser).await.ok_or(SourceError::Broken)?;
    let outcome = match &visit.arrival {
        Arrival::Code(code) => match browser.exchange(&place, code) {
            Ok(ask) => bounded(limits::TRIAL, web.exchange(ask)).await,
            Err(error) => Err(error),
        },
        Arrival::Refused(error) => Err(error.clone()),
        Arrival::Stranger => Err(SourceError::Broken),
    };
    let outcome = outcome.and_then(|answer| signed_in(tokens(&answer)?));
    visit.end(if outcome.is_ok() { &words.done } else { &words.refused }).await;
    outcome
}

async fn by_device(place: Place, web: Web, mut device: Device) -> Result<SignedIn, SourceError> {
    loop {
        tokio::time::sleep_until(device.due().into()).await;
        match web.exchange(device.look(&place)?).await {
            Ok(answer) => {
                if let Some(found) = device.answered(now(), &answer)? {
                    return signed_in(found);
                }
            }
            // RFC 8628 section 3.5: a connection that fails says nothing of the person.
            Err(SourceError::Timeout | SourceError::Broken | SourceError::Unreachable) => {
                let pending = Answer { status: 400, body: SLOW.to_vec(), ..Answer::default() };
                device.answered(now(), &pending)?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// What a server says that is asked too often.
const SLOW: &[u8] = br#"{"error":"slow_down"}"#;

fn signed_in(tokens: Tokens) -> Result<SignedIn, SourceError> {
    // Without it somebody would have to sign in every hour.
    let secret = tokens.refresh.ok_or(SourceError::AuthMethod)?;
    Ok(SignedIn { secret, account: tokens.account })
}

#[expect(clippy::disallowed_methods, reason = "a driver: tokens run out by the clock")]
fn now() -> Instant {
    Instant::now()
}

// --- reading ---

/// An account of Microsoft 365.
pub(crate) struct Graph {
    place: Place,
    access: Access,
    anchors: Anchors,
}

/// The way there with a token, which is renewed when it has run out.
struct Session<'a> {
    graph: &'a Graph,
    web: Web,
    /// What brings tokens, and the present one.
    held: Mutex<(SecretString, Option<(SecretString, Instant)>)>,
}

impl Graph {
    pub(crate) fn new(settings: &GraphSettings, access: Access) -> Result<Graph, SourceError> {
        Ok(Graph { place: Place::new(settings)?, access, anchors: settings.anchors.clone() })
    }

    fn session(&self) -> Result<Session<'_>, SourceError> {
        let secret = self.access.secret.clone().ok_or(SourceError::SignIn)?;
        let web = Web::open(&self.anchors)?;
        Ok(Session { graph: self, web, held: Mutex::new((secret, None)) })
    }

    async fn try_out(&self) -> Result<Tested, SourceError> {
        let session = self.session()?;
        let me = session.first(self.place.at(&["me"]), "displayName,userPrincipalName").await?;
        let text = |name: &str| me.get(name).and_then(serde_json::Value::as_str);
        let mut names: Vec<String> = ["displayName", "userPrincipalName"]
            .into_iter()
            .filter_map(text)
            .map(str::to_owned)
            .collect();
        let mut wanted = Vec::new();
        if self.place.contacts {
            wanted.push((vec!["me", "contacts"], Kind::Contact));
        }
        if self.place.users {
            wanted.push((vec!["users"], Kind::User));
        }
        if self.place.people {
            wanted.push((vec!["me", "people"], Kind::Person));
        }
        for address in &self.place.mailboxes {
            wanted.push((vec!["users", address, "contacts"], Kind::Contact));
        }
        for (parts, kind) in wanted {
            let mut url = self.place.at(&parts);
            url.query_pairs_mut().append_pair("$top", "1");
            session.first(url, kind.members()).await?;
        }
        names.extend(self.place.mailboxes.iter().cloned());
        Ok(Tested { names, takes_contacts: false })
    }

    async fn free(
        &self,
        addresses: &[String],
        period: Period,
    ) -> Result<Vec<Availability>, SourceError> {
        if !self.place.calendars {
            return Err(SourceError::NotASource);
        }
        let session = self.session()?;
        let mut asked = addresses.to_vec();
        if asked.iter().any(String::is_empty) {
            let me = session.first(self.place.at(&["me"]), "mail,userPrincipalName").await?;
            let own = schedule::own_address(&me).ok_or(SourceError::NotFound)?;
            asked.iter_mut().filter(|one| one.is_empty()).for_each(|one| one.clone_from(&own));
        }
        let mut found = Vec::new();
        for some in asked.chunks(AT_ONCE) {
            let ask = schedule::ask(&self.place, some, period);
            found.extend(schedule::read(&session.exchange(ask).await?, some, period)?);
        }
        // Whoever was asked about without an address is told of without one.
        for (told, address) in found.iter_mut().zip(addresses) {
            told.address.clone_from(address);
        }
        Ok(found)
    }

    #[expect(clippy::disallowed_methods, reason = "a driver: the server says how long to wait")]
    async fn read(
        &self,
        cursor: &str,
        known: &Known,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Synced, SourceError> {
        let session = self.session()?;
        let mut reading = Reading::new(&self.place, cursor, known);
        let mut step = reading.begin()?;
        loop {
            step = match step {
                Step::Ask(ask) => reading.answered(&session.exchange(ask).await?)?,
                Step::Wait(time) => {
                    debug!(seconds = time.as_secs(), "Microsoft 365 wants to be asked later");
                    tokio::time::sleep(time).await;
                    reading.again()
                }
                Step::Done(synced) => return Ok(synced),
            };
            tell(reading.progress());
        }
    }
}

impl Session<'_> {
    async fn exchange(&self, ask: Ask) -> Result<Answer, SourceError> {
        let token = self.token(false).await?;
        let answer = self.web.exchange_with(ask.clone(), &token).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        // It has run out before its time, or the organisation wants something of the person (a claims challenge).
        let wants_person = answer.offered.iter().any(|offer| offer.contains("claims="));
        if wants_person {
            return Err(SourceError::SignIn);
        }
        let token = self.token(true).await?;
        let answer = self.web.exchange_with(ask, &token).await?;
        match answer.status {
            401 => Err(SourceError::SignIn),
            _ => Ok(answer),
        }
    }

    /// The present token, or a new one.
    async fn token(&self, anew: bool) -> Result<SecretString, SourceError> {
        let mut held = self.held.lock().await;
        let (secret, present) = &mut *held;
        if let Some((token, ends)) = present.as_ref().filter(|_| !anew)
            && *ends > now() + SPARE
        {
            return Ok(token.clone());
        }
        let answer = self.web.exchange(renew(&self.graph.place, secret)?).await?;
        let found = tokens(&answer)?;
        if let Some(other) = found.refresh {
            (self.graph.access.renewed)(&other);
            *secret = other;
        }
        // One that does not last is used all the same, once.
        *present = Some((found.access.clone(), now() + found.lasts));
        Ok(found.access)
    }

    /// One document.
    async fn first(&self, mut url: Url, members: &str) -> Result<serde_json::Value, SourceError> {
        url.query_pairs_mut().append_pair("$select", members);
        let headers = vec![("accept", "application/json".to_owned())];
        let answer =
            self.exchange(Ask { method: "GET", url, headers, body: String::new() }).await?;
        match answer.fault() {
            Some(fault) => Err(fault),
            None => serde_json::from_slice(&answer.body).map_err(|_| SourceError::NotASource),
        }
    }
}

impl Source for Graph {
    fn test(&self) -> Pending<'_, Tested> {
        Box::pin(bounded(limits::TRIAL, self.try_out()))
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
        Box::pin(bounded(limits::TRIAL, async move {
            if !self.place.notes {
                return Err(SourceError::ReadOnly);
            }
            let answer = self.session()?.exchange(schedule::note(&self.place, note)).await?;
            match answer.status {
                // The same name again: it is there.
                409 => Ok(()),
                _ => answer.fault().map_or(Ok(()), Err),
            }
        }))
    }

    fn add<'a>(&'a self, _: &'a str, _: &'a contacts::import::Contact) -> Pending<'a, ()> {
        // It is not asked for what it would need: to write in the person's mailbox.
        Box::pin(std::future::ready(Err(SourceError::ReadOnly)))
    }
}
