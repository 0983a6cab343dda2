//! One reading of an account: which books there are, what has changed in each, and the cards that are new.
//!
//! Inputs: answers of the server, and how a question failed.
//!
//! | state | answer | next |
//! |---|---|---|
//! | looking for books | the members of a home | the next home, then the first book that has changed |
//! | changes since a token | a list | more of it where the server cuts it (507), else the cards |
//! | | the token is refused | changes since ever, then [`State::Marks`] |
//! | marks of all members | a list | the cards of those whose mark is another one |
//! | cards | some of them | more cards, the missing one by one, then the next book |
//!
//! What is known is compared with what the server lists, also when everything is listed: only what differs is fetched.

use std::collections::{BTreeMap, HashSet, VecDeque};

use tracing::debug;
use url::Url;

use super::address::{as_folder, follow, id, member};
use super::cursor::{Cursor, Mark};
use super::multistatus::{self, Multistatus, Response};
use super::{Step, words};
use crate::http::{Answer, Ask};
use crate::{Excess, Known, Progress, Record, SourceError, Synced, limits, vcard};

#[cfg(test)]
mod tests;

/// So many books are asked about one by one.
const FEW: usize = 3;

/// An address book as its server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Book {
    pub(crate) url: Url,
    pub(crate) name: String,
    path: String,
    token: String,
    ctag: String,
    reports_changes: bool,
}

/// A card that is to be fetched.
#[derive(Debug, Clone)]
struct Wanted {
    id: String,
    /// The path as the server spells it.
    path: String,
    tag: String,
}

#[derive(Debug)]
enum State {
    Homes,
    Changes { token: String },
    Marks,
    Cards { asked: Vec<Wanted> },
    Card { asked: Wanted },
}

/// What is done with one book.
#[derive(Debug)]
struct Work {
    book: Book,
    /// How it stood when this began.
    mark: Mark,
    /// Everything that there is in it is listed.
    complete: bool,
    seen: HashSet<String>,
    wanted: VecDeque<Wanted>,
    /// Fetched one by one: the server does not give several at once.
    single: VecDeque<Wanted>,
    at_once: usize,
    pages: usize,
}

/// One reading.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    known: &'a Known,
    before: Cursor,
    after: Cursor,
    state: State,
    looking: bool,
    homes: VecDeque<Url>,
    at: Option<Url>,
    redirects: usize,
    books: Vec<Book>,
    left: VecDeque<Book>,
    work: Option<Work>,
    put: BTreeMap<String, Record>,
    gone: HashSet<String>,
    progress: Progress,
}

impl<'a> Reading<'a> {
    /// Of what the cursor has found.
    pub(crate) fn new(before: Cursor, known: &'a Known) -> Result<Reading<'a>, SourceError> {
        let places = before.book.iter().chain(&before.homes);
        let homes: Result<VecDeque<Url>, _> = places.map(|place| Url::parse(place)).collect();
        let homes = homes.map_err(|_| SourceError::NotFound)?;
        let after = Cursor { books: BTreeMap::new(), ..before.clone() };
        Ok(Reading {
            known,
            before,
            after,
            state: State::Homes,
            looking: true,
            homes,
            at: None,
            redirects: 0,
            books: Vec::new(),
            left: VecDeque::new(),
            work: None,
            put: BTreeMap::new(),
            gone: HashSet::new(),
            progress: Progress::default(),
        })
    }

    /// It is still looking for the books: where they were has not been found to hold.
    pub(crate) fn is_looking(&self) -> bool {
        self.looking
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// The books that there are, once they are known.
    pub(crate) fn books(&self) -> &[Book] {
        &self.books
    }

    /// The first question.
    pub(crate) fn begin(&mut self) -> Result<Step<Synced>, SourceError> {
        self.next_home()
    }

    /// What is to be asked after this.
    pub(crate) fn answered(
        &mut self,
        answer: Result<Answer, SourceError>,
    ) -> Result<Step<Synced>, SourceError> {
        match std::mem::replace(&mut self.state, State::Homes) {
            State::Homes => self.home_answered(&answer?),
            State::Changes { token } => self.changes_answered(&token, &answer?),
            State::Marks => self.marks_answered(&answer?),
            State::Cards { asked } => self.cards_answered(asked, answer),
            State::Card { asked } => self.card_answered(asked, answer),
        }
    }

    // --- books ---

    fn next_home(&mut self) -> Result<Step<Synced>, SourceError> {
        self.redirects = 0;
        match self.homes.pop_front() {
            Some(home) => Ok(self.ask_home(home)),
            None => self.books_known(),
        }
    }

    fn ask_home(&mut self, home: Url) -> Step<Synced> {
        let depth = if self.before.book.is_some() { '0' } else { '1' };
        let ask = words::books(home.clone(), depth, self.asks_how_books_stand());
        self.at = Some(home);
        self.state = State::Homes;
        Step::Ask(Box::new(ask))
    }

    /// To tell how a book stands costs some servers (Radicale) a look at every card in it. Where few books are known by their
    /// tokens, what has changed since is asked at once, which tells the same.
    fn asks_how_books_stand(&self) -> bool {
        let known = &self.before.books;
        !(1..=FEW).contains(&known.len()) || known.values().any(|mark| mark.token.is_empty())
    }

    fn home_answered(&mut self, answer: &Answer) -> Result<Step<Synced>, SourceError> {
        let Some(at) = self.at.clone() else { return Err(SourceError::Malformed) };
        if let (true, Some(location)) = (answer.is_redirect(), &answer.location) {
            self.redirects += 1;
            if self.redirects > limits::REDIRECTS {
                return Err(SourceError::Excess(Excess::Redirects));
            }
            let to = follow(&at, location)?;
            return Ok(self.ask_home(to));
        }
        let read = good(answer)?;
        for response in read.responses.into_iter().filter(|response| response.props.is_book) {
            let Ok(url) = member(&at, &response.href) else { continue };
            let url = as_folder(url);
            let path = id(&url);
            if self.books.iter().any(|book| book.path == path) {
                continue;
            }
            if self.books.len() >= limits::BOOKS {
                return Err(SourceError::Excess(Excess::Books));
            }
            let props = response.props;
            self.books.push(Book {
                url,
                path,
                name: props.name,
                token: props.token,
                ctag: props.ctag,
                reports_changes: props.reports_changes,
            });
        }
        self.next_home()
    }

    /// What lies in no book that there is has gone with its book.
    fn books_known(&mut self) -> Result<Step<Synced>, SourceError> {
        self.looking = false;
        let lost = self.known.keys().filter(|id| self.book_of(id).is_none()).cloned();
        self.gone = lost.collect();
        self.left = self.books.iter().cloned().collect();
        self.next_book()
    }

    /// The innermost book that a record lies in.
    fn book_of(&self, id: &str) -> Option<&Book> {
        let around = self.books.iter().filter(|book| id.starts_with(&book.path));
        around.max_by_key(|book| book.path.len())
    }

    fn next_book(&mut self) -> Result<Step<Synced>, SourceError> {
        self.finish_book();
        while let Some(book) = self.left.pop_front() {
            let mark = self.before.books.get(&book.path).cloned().unwrap_or_default();
            if is_unchanged(&book, &mark) {
                self.after.books.insert(book.path, mark);
                continue;
            }
            let lists_changes =
                book.reports_changes || !book.token.is_empty() || !mark.token.is_empty();
            debug!(complete = mark.token.is_empty(), lists_changes, "address book: reading");
            let token = if book.token.is_empty() { &mark.token } else { &book.token };
            self.work = Some(Work {
                mark: Mark { token: token.clone(), ctag: book.ctag.clone() },
                complete: mark.token.is_empty(),
                book,
                seen: HashSet::new(),
                wanted: VecDeque::new(),
                single: VecDeque::new(),
                at_once: limits::CARDS_AT_ONCE,
                pages: 0,
            });
            return match lists_changes {
                true => self.ask_changes(mark.token),
                false => self.ask_marks(),
            };
        }
        Ok(Step::Done(self.outcome()))
    }

    /// What a complete list of a book did not name is no more.
    fn finish_book(&mut self) {
        let Some(work) = self.work.take() else { return };
        if work.complete {
            let missing = self.known.keys().filter(|id| {
                !work.seen.contains(*id)
                    && self.book_of(id).is_some_and(|book| book.path == work.book.path)
            });
            let missing: Vec<String> = missing.cloned().collect();
            self.gone.extend(missing);
        }
        self.after.books.insert(work.book.path, work.mark);
    }

    fn outcome(&mut self) -> Synced {
        self.gone.retain(|id| !self.put.contains_key(id) && self.known.contains_key(id));
        let mut gone: Vec<String> = self.gone.drain().collect();
        gone.sort_unstable();
        Synced {
            full: self.before.books.is_empty(),
            put: std::mem::take(&mut self.put).into_values().collect(),
            gone,
            cursor: self.after.write(),
        }
    }

    // --- what has changed ---

    fn ask_changes(&mut self, token: String) -> Result<Step<Synced>, SourceError> {
        let work = self.work.as_ref().ok_or(SourceError::Malformed)?;
        let ask = words::changes(work.book.url.clone(), &token);
        self.state = State::Changes { token };
        Ok(Step::Ask(Box::new(ask)))
    }

    fn ask_marks(&mut self) -> Result<Step<Synced>, SourceError> {
        let work = self.work.as_mut().ok_or(SourceError::Malformed)?;
        work.complete = true;
        work.mark.token.clone_from(&work.book.token);
        work.seen.clear();
        work.wanted.clear();
        self.state = State::Marks;
        Ok(Step::Ask(Box::new(words::marks(work.book.url.clone()))))
    }

    fn changes_answered(
        &mut self,
        token: &str,
        answer: &Answer,
    ) -> Result<Step<Synced>, SourceError> {
        match answer.status {
            // Told before anything was listed: too many, or the token is one no longer.
            507 | 501 | 400 | 402..=428 | 430..=499 => return self.changes_refused(),
            _ => {}
        }
        let read = good(answer)?;
        let next = read.token.clone().unwrap_or_default();
        let more = self.take_list(read)?;
        let work = self.work.as_mut().ok_or(SourceError::Malformed)?;
        if !next.is_empty() {
            work.mark.token.clone_from(&next);
        }
        if more {
            work.pages += 1;
            if work.pages > limits::PAGES || next.is_empty() || next == token {
                return Err(SourceError::Excess(Excess::Pages));
            }
            return self.ask_changes(next);
        }
        self.ask_cards()
    }

    fn changes_refused(&mut self) -> Result<Step<Synced>, SourceError> {
        let work = self.work.as_mut().ok_or(SourceError::Malformed)?;
        if work.complete {
            debug!("address book: changes -> marks");
            return self.ask_marks();
        }
        debug!("address book: changes, token refused -> all");
        work.complete = true;
        work.seen.clear();
        work.wanted.clear();
        self.ask_changes(String::new())
    }

    fn marks_answered(&mut self, answer: &Answer) -> Result<Step<Synced>, SourceError> {
        self.take_list(good(answer)?)?;
        self.ask_cards()
    }

    /// Takes a list of members in. True: the server has more of it.
    fn take_list(&mut self, read: Multistatus) -> Result<bool, SourceError> {
        let known = self.known;
        let work = self.work.as_mut().ok_or(SourceError::Malformed)?;
        let mut more = false;
        for response in read.responses {
            let Ok(url) = member(&work.book.url, &response.href) else { continue };
            let id = id(&url);
            if as_path(&id) == as_path(&work.book.path) {
                more |= response.status == Some(507);
                continue;
            }
            // What lies elsewhere, and folders in the book, are no cards of it.
            if !id.starts_with(&work.book.path) || id.ends_with('/') || response.props.is_collection
            {
                continue;
            }
            if is_gone(&response) {
                work.seen.remove(&id);
                work.wanted.retain(|wanted| wanted.id != id);
                self.gone.insert(id);
                continue;
            }
            self.gone.remove(&id);
            let tag = response.props.etag;
            let is_new = tag.is_empty() || known.get(&id) != Some(&tag);
            let first = work.seen.insert(id.clone());
            if work.seen.len() > limits::RECORDS {
                return Err(SourceError::Excess(Excess::Records));
            }
            if first && is_new {
                self.progress.of += 1;
                work.wanted.push_back(Wanted { id, path: url.path().to_owned(), tag });
            }
        }
        Ok(more)
    }

    // --- cards ---

    fn ask_cards(&mut self) -> Result<Step<Synced>, SourceError> {
        let Some(work) = &mut self.work else { return Err(SourceError::Malformed) };
        if !work.wanted.is_empty() {
            let count = work.at_once.min(work.wanted.len());
            let asked: Vec<Wanted> = work.wanted.drain(..count).collect();
            let paths = asked.iter().map(|wanted| wanted.path.as_str());
            let ask = words::cards(work.book.url.clone(), paths);
            self.state = State::Cards { asked };
            return Ok(Step::Ask(Box::new(ask)));
        }
        let Some(asked) = work.single.pop_front() else { return self.next_book() };
        let url = member(&work.book.url, &asked.path)?;
        self.state = State::Card { asked };
        let headers = vec![("accept", "text/vcard".to_owned())];
        Ok(Step::Ask(Box::new(Ask { method: "GET", url, headers, body: String::new() })))
    }

    fn cards_answered(
        &mut self,
        asked: Vec<Wanted>,
        answer: Result<Answer, SourceError>,
    ) -> Result<Step<Synced>, SourceError> {
        let work = self.work.as_mut().ok_or(SourceError::Malformed)?;
        let answer = match answer {
            // Large pictures: fewer at once.
            Err(SourceError::Excess(Excess::Bytes)) => {
                work.at_once = (asked.len() / 2).max(1);
                match asked.len() {
                    0 | 1 => work.single.extend(asked),
                    _ => asked.into_iter().rev().for_each(|wanted| work.wanted.push_front(wanted)),
                }
                return self.ask_cards();
            }
            answer => answer?,
        };
        if matches!(answer.status, 400 | 403..=428 | 430..=499 | 501 | 507) {
            work.single.extend(asked);
            work.single.extend(work.wanted.drain(..));
            return self.ask_cards();
        }
        let read = good(&answer)?;
        let mut asked: BTreeMap<String, Wanted> =
            asked.into_iter().map(|wanted| (wanted.id.clone(), wanted)).collect();
        for response in read.responses {
            let Ok(url) = member(&work.book.url, &response.href) else { continue };
            let Some(wanted) = asked.remove(&id(&url)) else { continue };
            if is_gone(&response) {
                work.seen.remove(&wanted.id);
                self.gone.insert(wanted.id);
                self.progress.done += 1;
                continue;
            }
            let tag = Some(response.props.etag).filter(|tag| !tag.is_empty()).unwrap_or(wanted.tag);
            match response.props.card {
                Some(card) => {
                    let contact = vcard::read(&card);
                    let record = Record { id: wanted.id, tag, contact };
                    self.put.insert(record.id.clone(), record);
                    self.progress.done += 1;
                }
                None => work.single.push_back(Wanted { id: wanted.id, path: wanted.path, tag }),
            }
        }
        // What was asked for and not spoken of is asked for by itself.
        work.single.extend(asked.into_values());
        self.ask_cards()
    }

    fn card_answered(
        &mut self,
        asked: Wanted,
        answer: Result<Answer, SourceError>,
    ) -> Result<Step<Synced>, SourceError> {
        let work = self.work.as_mut().ok_or(SourceError::Malformed)?;
        self.progress.done += 1;
        let (contact, etag) = match answer {
            Err(SourceError::Excess(Excess::Bytes)) => (None, None),
            answer => {
                let answer = answer?;
                match answer.fault() {
                    None => (vcard::read(&String::from_utf8_lossy(&answer.body)), answer.etag),
                    Some(SourceError::NotFound) => {
                        work.seen.remove(&asked.id);
                        self.gone.insert(asked.id);
                        return self.ask_cards();
                    }
                    // One card that nobody may read is no reason to do without the others.
                    Some(SourceError::Forbidden) => (None, None),
                    Some(fault) => return Err(fault),
                }
            }
        };
        let tag = etag.filter(|tag| !tag.is_empty()).unwrap_or(asked.tag);
        self.put.insert(asked.id.clone(), Record { id: asked.id, tag, contact });
        self.ask_cards()
    }
}

/// The document of a good answer.
fn good(answer: &Answer) -> Result<Multistatus, SourceError> {
    match answer.fault() {
        None => multistatus::read(&answer.body),
        Some(fault) => Err(fault),
    }
}

fn is_gone(response: &Response) -> bool {
    matches!(response.status, Some(404 | 410))
}

/// Nothing has changed in it since it stood so.
fn is_unchanged(book: &Book, mark: &Mark) -> bool {
    match (book.token.is_empty(), mark.token.is_empty()) {
        (false, false) => book.token == mark.token,
        (true, true) => !book.ctag.is_empty() && book.ctag == mark.ctag,
        _ => false,
    }
}

fn as_path(path: &str) -> &str {
    path.trim_end_matches('/')
}
