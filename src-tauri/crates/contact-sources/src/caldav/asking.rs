//! Asks a server when people are free: all at once by the scheduling outbox (RFC 6638 section 5), and whoever is not told there
//! by his own calendars (RFC 4791 section 7.10).
//!
//! Inputs: answers of the server.
//!
//! | state | answer | next |
//! |---|---|---|
//! | outbox | an answer for each, or a refusal | the first of whom nothing is told |
//! | a neighbour's principal | his homes | his homes |
//! | a home | its calendars | each of them |
//! | a calendar | times | the next calendar, then the next person |
//! | any of these | refused, or nothing there | the same, as if nothing were there |
//!
//! Of whom nothing could be asked nothing is told: he is not called free.

use std::collections::{BTreeMap, VecDeque};

use percent_encoding::percent_decode_str;
use tracing::debug;
use url::Url;

use super::documents::{self, Part};
use crate::availability::{Availability, Period, laid_out};
use crate::carddav::{Found, Step, member, multistatus, words};
use crate::http::{self, Answer, Ask};
use crate::{SourceError, limits};

/// Whose account it is.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Where his calendars are.
    pub(crate) found: Found,
    /// Who signs in.
    pub(crate) user: String,
}

impl Account {
    /// By which address he asks others; none: he is known by no e-mail address.
    fn organizer(&self) -> Option<String> {
        let told = self.found.addresses.iter().find(|address| mail_of(address).is_some());
        let user = || Some(format!("mailto:{}", self.user)).filter(|_| self.user.contains('@'));
        told.cloned().or_else(user)
    }

    /// It is his own address. Empty: whoever signs in.
    fn is_own(&self, address: &str) -> bool {
        let told = self.found.addresses.iter().filter_map(|address| mail_of(address));
        address.is_empty()
            || address.eq_ignore_ascii_case(&self.user)
            || told.into_iter().any(|own| own.eq_ignore_ascii_case(address))
    }

    /// Where somebody else of the same server would be: his name in place of one's own. Where people are named without a
    /// domain, only people of the server's own domain are looked for.
    fn neighbour(&self, address: &str) -> Option<Url> {
        let principal = self.found.principal.as_ref()?;
        let (local, domain) = address.split_once('@')?;
        let name = match self.user.contains('@') {
            true => address,
            false => {
                let host = principal.domain()?.to_ascii_lowercase();
                let domain = domain.to_ascii_lowercase();
                let inside = host == domain || host.ends_with(&format!(".{domain}"));
                Some(local).filter(|_| inside && domain.contains('.'))?
            }
        };
        if name.chars().all(|char| char == '.') {
            return None;
        }
        let parts: Vec<String> = principal
            .path_segments()?
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let own = parts.iter().rposition(|part| part.eq_ignore_ascii_case(&self.user))?;
        let mut url = principal.clone();
        url.path_segments_mut().ok()?.clear().extend(
            (0..).zip(&parts).map(|(at, part)| if at == own { name } else { part.as_str() }),
        );
        Some(url)
    }
}

/// The e-mail address in one that somebody is invited by.
fn mail_of(address: &str) -> Option<&str> {
    let scheme = address.get(..7)?;
    address.get(7..).filter(|_| scheme.eq_ignore_ascii_case("mailto:"))
}

#[derive(Debug, Clone)]
enum Todo {
    Principal(Url),
    Home(Url),
    Calendar(Url),
}

#[derive(Debug)]
enum State {
    Outbox(Vec<String>),
    Person(Todo),
}

/// One question about several people.
#[derive(Debug)]
pub(crate) struct Asking {
    account: Account,
    period: Period,
    uid: String,
    asked: Vec<String>,
    /// Of whom something is known already.
    told: BTreeMap<String, Vec<Part>>,
    left: VecDeque<String>,
    state: State,
    /// Whose calendars are looked at.
    person: String,
    todo: VecDeque<Todo>,
    parts: Vec<Part>,
    /// Calendars of his that were found; those that answered; one could not be read.
    calendars: usize,
    answered: usize,
    broken: bool,
}

impl Asking {
    /// About these, most [`limits::PEOPLE_AT_ONCE`] of them. An empty address: whoever signs in. `uid` names the question.
    pub(crate) fn new(account: Account, asked: &[String], period: Period, uid: String) -> Asking {
        let asked: Vec<String> = asked.iter().take(limits::PEOPLE_AT_ONCE).cloned().collect();
        Asking {
            account,
            period,
            uid,
            told: BTreeMap::new(),
            left: asked.iter().cloned().collect(),
            asked,
            state: State::Outbox(Vec::new()),
            person: String::new(),
            todo: VecDeque::new(),
            parts: Vec::new(),
            calendars: 0,
            answered: 0,
            broken: false,
        }
    }

    /// The first question.
    pub(crate) fn begin(&mut self) -> Result<Step<Vec<Availability>>, SourceError> {
        let others: Vec<String> =
            self.asked.iter().filter(|one| is_address(one)).cloned().collect();
        let (Some(outbox), Some(organizer)) =
            (self.account.found.outbox.clone(), self.account.organizer())
        else {
            return Ok(self.next_person());
        };
        if others.is_empty() {
            return Ok(self.next_person());
        }
        let body = documents::question(&self.uid, &organizer, &others, self.period).to_string();
        self.state = State::Outbox(others);
        let headers = vec![http::calendar()];
        Ok(Step::Ask(Box::new(Ask { method: "POST", url: outbox, headers, body })))
    }

    /// What is to be asked after this.
    pub(crate) fn answered(
        &mut self,
        answer: &Answer,
    ) -> Result<Step<Vec<Availability>>, SourceError> {
        // Refusing this is no reason to ask for anything else.
        if let Some(fault @ (SourceError::Refused | SourceError::Overloaded { .. })) =
            answer.fault()
        {
            return Err(fault);
        }
        let state = std::mem::replace(&mut self.state, State::Outbox(Vec::new()));
        match state {
            State::Outbox(others) => self.outbox_answered(&others, answer),
            State::Person(todo) => self.person_answered(&todo, answer),
        }
        Ok(match self.todo.pop_front() {
            Some(todo) => self.ask(todo),
            None => self.next_person(),
        })
    }

    fn outbox_answered(&mut self, others: &[String], answer: &Answer) {
        if answer.fault().is_some() {
            return debug!(status = answer.status, "the outbox tells nothing");
        }
        let Ok(read) = multistatus::read_schedule(&answer.body) else { return };
        for response in read.responses.into_iter().filter(|one| one.status.is_none()) {
            let Some(address) = mail_of(&response.href) else { continue };
            let asked = others.iter().find(|asked| asked.eq_ignore_ascii_case(address));
            let parts = response.props.calendar.map(|text| documents::parts(text.as_bytes()));
            if let (Some(asked), Some(Ok(parts))) = (asked, parts) {
                self.told.insert(asked.clone(), parts);
            }
        }
        debug!(people = self.told.len(), of = others.len(), "the outbox has told");
    }

    fn person_answered(&mut self, todo: &Todo, answer: &Answer) {
        match todo {
            Todo::Principal(url) => self.homes_told(url, answer),
            Todo::Home(url) => self.calendars_told(url, answer),
            Todo::Calendar(_) => match answer.fault() {
                None => match documents::parts(&answer.body) {
                    Ok(parts) => {
                        self.parts.extend(parts);
                        self.answered += 1;
                    }
                    Err(_) => self.broken = true,
                },
                // One that he does not share tells nothing; the others do.
                Some(SourceError::Forbidden | SourceError::NotFound) => {}
                Some(_) => self.broken = true,
            },
        }
    }

    fn homes_told(&mut self, url: &Url, answer: &Answer) {
        if answer.fault().is_some() {
            return;
        }
        let Ok(read) = multistatus::read(&answer.body) else { return };
        let props = || read.responses.iter().map(|response| &response.props);
        let mut mails = props().flat_map(|props| &props.addresses).filter_map(|one| mail_of(one));
        let first = mails.next();
        let is_him = |mail: &str| mail.eq_ignore_ascii_case(&self.person);
        // Who says that he is somebody else is.
        if first.is_some_and(|first| !is_him(first)) && !mails.any(is_him) {
            return;
        }
        let homes = props().flat_map(|props| &props.calendar_homes);
        let homes = homes.filter_map(|home| member(url, home).ok()).take(limits::VALUES);
        self.todo.extend(homes.map(Todo::Home));
    }

    fn calendars_told(&mut self, url: &Url, answer: &Answer) {
        if answer.fault().is_some() {
            return;
        }
        let Ok(read) = multistatus::read(&answer.body) else { return };
        for response in read.responses {
            let props = &response.props;
            let events = props.components.is_empty()
                || props.components.iter().any(|component| component == "VEVENT");
            if !props.is_calendar || props.is_transparent || !events {
                continue;
            }
            let Ok(calendar) = member(url, &response.href) else { continue };
            if self.calendars < limits::CALENDARS {
                self.calendars += 1;
                self.todo.push_back(Todo::Calendar(calendar));
            }
        }
    }

    /// Keeps what is known of the one who was looked at, and goes on with the next.
    fn next_person(&mut self) -> Step<Vec<Availability>> {
        if self.answered > 0 && !self.broken {
            self.told.insert(self.person.clone(), std::mem::take(&mut self.parts));
        }
        while let Some(address) = self.left.pop_front() {
            if self.told.contains_key(&address) {
                continue;
            }
            (self.calendars, self.answered, self.broken) = (0, 0, false);
            self.parts.clear();
            self.todo = match self.account.is_own(&address) {
                true => self.account.found.homes.iter().cloned().map(Todo::Home).collect(),
                false => {
                    let neighbour = Some(&address).filter(|address| is_address(address));
                    let url = neighbour.and_then(|address| self.account.neighbour(address));
                    url.into_iter().map(Todo::Principal).collect()
                }
            };
            self.person = address;
            if let Some(todo) = self.todo.pop_front() {
                return self.ask(todo);
            }
        }
        self.answered = 0;
        Step::Done(self.outcome())
    }

    fn ask(&mut self, todo: Todo) -> Step<Vec<Availability>> {
        let ask = match &todo {
            Todo::Principal(url) => words::who_has_calendars(url.clone()),
            Todo::Home(url) => words::calendars(url.clone()),
            Todo::Calendar(url) => {
                let [from, to] = [self.period.from_ms, self.period.to_ms].map(documents::written);
                words::free_busy(url.clone(), &from, &to)
            }
        };
        self.state = State::Person(todo);
        Step::Ask(Box::new(ask))
    }

    fn outcome(&self) -> Vec<Availability> {
        let one = |address: &String| {
            let parts = self.told.get(address);
            let spans = parts.map(|parts| laid_out(parts, self.period)).unwrap_or_default();
            Availability { address: address.clone(), spans }
        };
        self.asked.iter().map(one).collect()
    }
}

/// An address that can stand in a document and a path.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= 320
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !text.contains(|char: char| {
            char.is_control() || char.is_whitespace() || "/?#\\,;:\"<>".contains(char)
        })
}

#[cfg(test)]
mod tests;
