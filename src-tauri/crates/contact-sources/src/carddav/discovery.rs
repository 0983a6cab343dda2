//! Where an account's address books or calendars are (RFC 6764 section 6): from what a person wrote to their homes.
//!
//! Inputs: answers of the server, and how a question failed.
//!
//! | state | answer | next |
//! |---|---|---|
//! | looking at a place | it is a book | done: that book |
//! | | it names homes | done: those |
//! | | it names who we are | asking the principal |
//! | | neither, or refused as unknown | the next place: `/.well-known/carddav` or `caldav`, then `/` |
//! | asking the principal | it names homes | done |
//! | any | elsewhere (3xx) | the same question there, at most [`limits::REDIRECTS`] times |

use std::collections::VecDeque;

use tracing::debug;
use url::Url;

use super::address::follow;
use super::multistatus::{self, Multistatus};
use super::{Step, words};
use crate::http::Answer;
use crate::{Excess, SourceError, limits};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Address books (RFC 6352).
    Books,
    /// Calendars (RFC 4791), and who has them (RFC 6638).
    Calendars,
}

/// Where they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Collections whose members are books or calendars.
    pub(crate) homes: Vec<Url>,
    /// Or the one book that was named.
    pub(crate) book: Option<Url>,
    /// Whose calendars they are.
    pub(crate) principal: Option<Url>,
    /// Where the calendars of others are asked about.
    pub(crate) outbox: Option<Url>,
    /// By which addresses whoever has the calendars is invited.
    pub(crate) addresses: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Place,
    Principal,
}

/// One search.
#[derive(Debug)]
pub(crate) struct Discovery {
    kind: Kind,
    places: VecDeque<Url>,
    at: Url,
    state: State,
    redirects: usize,
    /// Why the last place would not do.
    why: SourceError,
}

impl Discovery {
    pub(crate) fn new(kind: Kind, start: &Url) -> Discovery {
        let well_known = match kind {
            Kind::Books => "/.well-known/carddav",
            Kind::Calendars => "/.well-known/caldav",
        };
        let mut places = VecDeque::new();
        if start.path() != "/" {
            places.push_back(start.clone());
        }
        places.extend([well_known, "/"].iter().filter_map(|path| start.join(path).ok()));
        Discovery {
            kind,
            places,
            at: start.clone(),
            state: State::Place,
            redirects: 0,
            why: SourceError::NotASource,
        }
    }

    /// The first question.
    pub(crate) fn begin(&mut self) -> Result<Step<Found>, SourceError> {
        self.next_place()
    }

    /// What is to be asked after this.
    pub(crate) fn answered(&mut self, answer: &Answer) -> Result<Step<Found>, SourceError> {
        if answer.is_redirect() {
            return self.redirected(answer);
        }
        match answer.fault() {
            None => {}
            Some(
                fault @ (SourceError::Forbidden
                | SourceError::NotFound
                | SourceError::NotASource
                | SourceError::Server(400..=499)),
            ) => {
                if fault == SourceError::Forbidden {
                    self.why = fault;
                }
                return self.next_place();
            }
            Some(fault) => return Err(fault),
        }
        let read = match multistatus::read(&answer.body) {
            Ok(read) => read,
            Err(SourceError::NotASource | SourceError::Malformed) => return self.next_place(),
            Err(error) => return Err(error),
        };
        match self.found(&read)? {
            Some(found) => Ok(Step::Done(found)),
            None => self.principal(&read),
        }
    }

    fn redirected(&mut self, answer: &Answer) -> Result<Step<Found>, SourceError> {
        self.redirects += 1;
        if self.redirects > limits::REDIRECTS {
            return Err(SourceError::Excess(Excess::Redirects));
        }
        let Some(location) = &answer.location else { return self.next_place() };
        let to = follow(&self.at, location)?;
        debug!(kind = ?self.kind, from = %self.at.path(), to = %to.path(), "sent on");
        self.ask(to)
    }

    /// A book, or the homes of books or calendars.
    fn found(&self, read: &Multistatus) -> Result<Option<Found>, SourceError> {
        if self.kind == Kind::Calendars {
            return self.found_calendars(read);
        }
        if self.state == State::Place
            && read.responses.iter().any(|response| response.props.is_book)
        {
            return Ok(Some(Found { book: Some(self.at.clone()), ..Found::default() }));
        }
        let homes = read.responses.iter().flat_map(|response| &response.props.homes);
        let found = Found { homes: self.homes(homes)?, ..Found::default() };
        Ok(Some(found).filter(|found| !found.homes.is_empty()))
    }

    /// Of calendars it is wanted who has them, too: only the principal tells that.
    fn found_calendars(&self, read: &Multistatus) -> Result<Option<Found>, SourceError> {
        let props = || read.responses.iter().map(|response| &response.props);
        let homes = self.homes(props().flat_map(|props| &props.calendar_homes))?;
        if homes.is_empty() {
            return Ok(None);
        }
        let outbox = props().find_map(|props| props.outbox.as_deref());
        Ok(Some(Found {
            homes,
            book: None,
            principal: Some(self.at.clone()),
            outbox: outbox.and_then(|outbox| follow(&self.at, outbox).ok()),
            addresses: props().flat_map(|props| props.addresses.clone()).collect(),
        }))
    }

    fn homes<'a>(&self, told: impl Iterator<Item = &'a String>) -> Result<Vec<Url>, SourceError> {
        let mut homes = Vec::new();
        for home in told {
            let home = follow(&self.at, home)?;
            if !homes.contains(&home) {
                homes.push(home);
            }
        }
        Ok(homes)
    }

    fn principal(&mut self, read: &Multistatus) -> Result<Step<Found>, SourceError> {
        if self.state == State::Principal {
            return self.next_place();
        }
        let principal = read.responses.iter().find_map(|response| response.props.principal.clone());
        let Some(principal) = principal else { return self.next_place() };
        let principal = follow(&self.at, &principal)?;
        debug!(kind = ?self.kind, "place -> principal");
        self.state = State::Principal;
        self.redirects = 0;
        self.ask(principal)
    }

    fn next_place(&mut self) -> Result<Step<Found>, SourceError> {
        self.state = State::Place;
        self.redirects = 0;
        match self.places.pop_front() {
            Some(place) => self.ask(place),
            None => Err(self.why.clone()),
        }
    }

    fn ask(&mut self, url: Url) -> Result<Step<Found>, SourceError> {
        self.at = url.clone();
        Ok(Step::Ask(Box::new(match self.kind {
            Kind::Books => words::who(url),
            Kind::Calendars => words::who_has_calendars(url),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(step: Result<Step<Found>, SourceError>) -> String {
        match step.unwrap() {
            Step::Ask(ask) => ask.url.to_string(),
            Step::Done(found) => panic!("{found:?}"),
        }
    }

    fn status(status: u16, location: Option<&str>) -> Answer {
        Answer { status, location: location.map(str::to_owned), ..Answer::default() }
    }

    fn props(inside: &str) -> Answer {
        let body = format!(
            "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\"><response><href>/x</href><propstat>\
             <prop>{inside}</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
        );
        Answer { status: 207, body: body.into_bytes(), ..Answer::default() }
    }

    fn at(url: &str) -> Discovery {
        Discovery::new(Kind::Books, &Url::parse(url).unwrap())
    }

    #[test]
    fn from_the_well_known_place_over_the_principal_to_the_home() {
        let mut discovery = at("https://dav.example.nl/");
        assert_eq!(asked(discovery.begin()), "https://dav.example.nl/.well-known/carddav");
        let next = discovery.answered(&status(301, Some("/remote.php/dav")));
        assert_eq!(asked(next), "https://dav.example.nl/remote.php/dav");
        let who = "<current-user-principal><href>/p/jan/</href></current-user-principal>";
        assert_eq!(asked(discovery.answered(&props(who))), "https://dav.example.nl/p/jan/");
        let home = "<C:addressbook-home-set><href>/books/jan/</href></C:addressbook-home-set>";
        let Ok(Step::Done(found)) = discovery.answered(&props(home)) else { panic!() };
        assert_eq!(found.homes[0].as_str(), "https://dav.example.nl/books/jan/");
        assert_eq!(found.book, None);
    }

    #[test]
    fn calendars_are_found_with_who_has_them_and_where_others_are_asked_about() {
        let mut discovery =
            Discovery::new(Kind::Calendars, &Url::parse("https://x.nl/jan/book/").unwrap());
        assert_eq!(asked(discovery.begin()), "https://x.nl/jan/book/");
        let who = "<resourcetype><C:addressbook/></resourcetype><current-user-principal><href>/p/jan/</href>\
            </current-user-principal>";
        assert_eq!(asked(discovery.answered(&props(who))), "https://x.nl/p/jan/");
        let home = "<K:calendar-home-set xmlns:K=\"urn:ietf:params:xml:ns:caldav\"><href>/c/jan/</href></K:calendar-home-set>\
            <K:schedule-outbox-URL xmlns:K=\"urn:ietf:params:xml:ns:caldav\"><href>/c/out/</href></K:schedule-outbox-URL>";
        let Ok(Step::Done(found)) = discovery.answered(&props(home)) else { panic!() };
        assert_eq!(found.homes[0].as_str(), "https://x.nl/c/jan/");
        assert_eq!(found.principal.unwrap().as_str(), "https://x.nl/p/jan/");
        assert_eq!(found.outbox.unwrap().as_str(), "https://x.nl/c/out/");
        let mut discovery = Discovery::new(Kind::Calendars, &Url::parse("https://x.nl/").unwrap());
        assert_eq!(asked(discovery.begin()), "https://x.nl/.well-known/caldav");
    }

    #[test]
    fn a_named_book_is_taken_alone_and_a_wrong_path_is_no_end() {
        let mut discovery = at("https://x.nl/a/book/");
        assert_eq!(asked(discovery.begin()), "https://x.nl/a/book/");
        let book = "<resourcetype><collection/><C:addressbook/></resourcetype>";
        let Ok(Step::Done(found)) = discovery.answered(&props(book)) else { panic!() };
        assert_eq!(found.book.unwrap().as_str(), "https://x.nl/a/book/");

        let mut discovery = at("https://x.nl/wrong");
        discovery.begin().unwrap();
        assert_eq!(
            asked(discovery.answered(&status(404, None))),
            "https://x.nl/.well-known/carddav"
        );
        assert_eq!(asked(discovery.answered(&status(405, None))), "https://x.nl/");
        let page = Answer { status: 207, body: b"<html>".to_vec(), ..Answer::default() };
        assert_eq!(discovery.answered(&page).unwrap_err(), SourceError::NotASource);
    }

    #[test]
    fn hostile_answers_end_in_a_clear_error() {
        let mut discovery = at("https://x.nl/a");
        discovery.begin().unwrap();
        for _ in 0..limits::REDIRECTS {
            discovery.answered(&status(302, Some("/a"))).unwrap();
        }
        let error = discovery.answered(&status(302, Some("/a"))).unwrap_err();
        assert_eq!(error, SourceError::Excess(Excess::Redirects));
        let mut discovery = at("https://x.nl/a");
        discovery.begin().unwrap();
        let error = discovery.answered(&status(302, Some("https://evil.net/"))).unwrap_err();
        assert_eq!(error, SourceError::Elsewhere);
        let mut discovery = at("https://x.nl/a");
        discovery.begin().unwrap();
        assert_eq!(discovery.answered(&status(401, None)).unwrap_err(), SourceError::Refused);
        // Principals that name nobody's home lead nowhere, and not round in circles.
        let mut discovery = at("https://x.nl/");
        discovery.begin().unwrap();
        let who = props("<current-user-principal><href>/p/</href></current-user-principal>");
        let mut asks = 1;
        while discovery.answered(&who).is_ok() {
            asks += 1;
        }
        assert!(asks < 8, "{asks}");
    }
}
