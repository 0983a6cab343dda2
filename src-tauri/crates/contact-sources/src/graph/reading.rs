//! One reading, without sockets and clock: folders first, then what has changed in every collection, then whom one works with.
//!
//! | state | event | next |
//! |---|---|---|
//! | folders | a page of folders | folders of the folders, then the changes |
//! | changes | a page | its next page; at the last one its mark is kept |
//! | changes | the mark is too old (410) | that collection from its beginning, once |
//! | changes | a folder is gone (404) | the next collection; its records go |
//! | any | asked too often (429, 503, 504) | waiting as the server says, then the same again |
//! | any | any other fault | the reading ends, nothing is kept |

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::cursor::Cursor;
use super::items::{self, Kind};
use super::{Place, WAIT};
use crate::http::{Answer, Ask};
use crate::{Excess, Known, Progress, Record, SourceError, Synced, limits};

/// Records of one page that are asked for.
const PAGE: &str = "odata.maxpagesize=500";
/// Folders of all mailboxes.
const FOLDERS: usize = 1_000;
/// How often in a row the same is asked where the server is too busy.
const TRIES: u32 = 6;
/// The first wait where the server does not say how long.
const FIRST: Duration = Duration::from_secs(2);

/// What a reading wants next.
#[derive(Debug)]
pub(crate) enum Step {
    /// An answer to this.
    Ask(Ask),
    /// Time to pass; then [`Reading::again`].
    Wait(Duration),
    /// Nothing more.
    Done(Synced),
}

#[derive(Debug, Clone)]
enum Task {
    /// Folders: of whom (parts of the path), and where.
    Folders { owner: Vec<String>, url: Url },
    /// What has changed in a collection.
    Changes { key: String, kind: Kind, start: Url, url: Url, anew: bool },
    /// A list without changes.
    List { key: String, kind: Kind, url: Url },
}

impl Task {
    fn url(&self) -> &Url {
        match self {
            Task::Folders { url, .. } | Task::Changes { url, .. } | Task::List { url, .. } => url,
        }
    }
}

/// A reading that goes on.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    place: &'a Place,
    known: &'a Known,
    cursor: Cursor,
    tasks: VecDeque<Task>,
    current: Option<Task>,
    /// Collections that there are.
    keys: HashSet<String>,
    folders: usize,
    pages: usize,
    /// Tries of the present question.
    tries: u32,
    waited: Duration,
    /// Every collection was read from its beginning.
    full: bool,
    /// Records of the present collection, where it is read from its beginning.
    seen: HashSet<String>,
    /// What comes of it: a record, or none for one that is no more.
    outcome: BTreeMap<String, Option<Record>>,
    done: usize,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(place: &'a Place, cursor: &str, known: &'a Known) -> Reading<'a> {
        let mut reading = Reading {
            place,
            known,
            cursor: Cursor::read(cursor),
            tasks: VecDeque::new(),
            current: None,
            keys: HashSet::new(),
            folders: 0,
            pages: 0,
            tries: 0,
            waited: Duration::ZERO,
            full: true,
            seen: HashSet::new(),
            outcome: BTreeMap::new(),
            done: 0,
        };
        if place.contacts {
            reading.mailbox(&["me"]);
        }
        for address in &place.mailboxes {
            reading.mailbox(&["users", address]);
        }
        if place.users {
            reading.changes("users".to_owned(), Kind::User, place.at(&["users", "delta"]));
        }
        if place.people {
            let mut url = place.at(&["me", "people"]);
            url.query_pairs_mut()
                .append_pair("$top", "500")
                .append_pair("$select", Kind::Person.members());
            let key = "people".to_owned();
            reading.keys.insert(key.clone());
            reading.tasks.push_back(Task::List { key, kind: Kind::Person, url });
        }
        reading
    }

    /// The usual folder of a mailbox, and the list of its others. The folders come first: only when all are known it is
    /// known which are no more.
    fn mailbox(&mut self, owner: &[&str]) {
        let parts = |more: &[&'static str]| [owner, more].concat();
        let url = self.place.at(&parts(&["contacts", "delta"]));
        self.changes(owner.join("/"), Kind::Contact, url);
        let url = self.place.at(&parts(&["contactFolders"]));
        let owner = owner.iter().map(|part| (*part).to_owned()).collect();
        self.folders(owner, url);
    }

    fn folders(&mut self, owner: Vec<String>, mut url: Url) {
        url.query_pairs_mut().append_pair("$top", "100").append_pair("$select", "id,displayName");
        self.tasks.push_front(Task::Folders { owner, url });
    }

    fn changes(&mut self, key: String, kind: Kind, mut start: Url) {
        if !self.keys.insert(key.clone()) {
            return;
        }
        start.query_pairs_mut().append_pair("$select", kind.members());
        let link = self.cursor.stand(&key).link.clone();
        // A mark of another server is none.
        let marked = self.place.follow(&link).ok();
        self.full &= marked.is_none();
        let anew = marked.is_none();
        let url = marked.unwrap_or_else(|| start.clone());
        self.tasks.push_back(Task::Changes { key, kind, start, url, anew });
    }

    pub(crate) fn begin(&mut self) -> Result<Step, SourceError> {
        self.next()
    }

    /// How far it is. The service does not say how much there is: as much as before, as far as is known.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            done: self.done,
            of: self.done.max(if self.full { self.known.len() } else { 0 }),
        }
    }

    fn next(&mut self) -> Result<Step, SourceError> {
        self.current = self.tasks.pop_front();
        match self.current {
            Some(_) => {
                self.seen.clear();
                self.ask()
            }
            None => Ok(Step::Done(self.end())),
        }
    }

    fn ask(&mut self) -> Result<Step, SourceError> {
        self.pages += 1;
        if self.pages > limits::PAGES {
            return Err(SourceError::Excess(Excess::Pages));
        }
        Ok(self.again())
    }

    /// The present question.
    pub(crate) fn again(&self) -> Step {
        match &self.current {
            Some(task) => {
                let headers =
                    vec![("accept", "application/json".to_owned()), ("prefer", PAGE.to_owned())];
                Step::Ask(Ask {
                    method: "GET",
                    url: task.url().clone(),
                    headers,
                    body: String::new(),
                })
            }
            None => Step::Wait(Duration::ZERO),
        }
    }

    /// The answer to the present question.
    pub(crate) fn answered(&mut self, answer: &Answer) -> Result<Step, SourceError> {
        if matches!(answer.status, 429 | 503 | 504) {
            return self.wait(answer.retry_after);
        }
        self.tries = 0;
        let Some(task) = self.current.clone() else { return Err(SourceError::Malformed) };
        if let Task::Changes { key, kind, start, anew: false, .. } = &task
            && is_outdated(answer)
        {
            let (key, kind, start) = (key.clone(), *kind, start.clone());
            self.current = Some(Task::Changes { key, kind, url: start.clone(), start, anew: true });
            return self.ask();
        }
        if let Task::Changes { key, .. } = &task
            && answer.status == 404
            && key.contains("/f:")
        {
            // It was there a moment ago.
            self.keys.remove(key);
            return self.next();
        }
        if let Some(fault) = answer.fault() {
            return Err(fault);
        }
        let page: Value =
            serde_json::from_slice(&answer.body).map_err(|_| SourceError::Malformed)?;
        let values = page.get("value").and_then(Value::as_array).ok_or(SourceError::Malformed)?;
        self.page(task, &page, values)
    }

    fn page(&mut self, task: Task, page: &Value, values: &[Value]) -> Result<Step, SourceError> {
        let link = |name: &str| page.get(name).and_then(Value::as_str);
        let next = link("@odata.nextLink").map(|link| self.place.follow(link)).transpose()?;
        // A page that follows itself never ends.
        if next.as_ref() == Some(task.url()) {
            return Err(SourceError::Excess(Excess::Pages));
        }
        match task {
            Task::Folders { owner, .. } => {
                self.met_folders(&owner, values)?;
                match next {
                    Some(url) => self.go_on(Task::Folders { owner, url }),
                    None => self.next(),
                }
            }
            Task::Changes { key, kind, start, anew, .. } => {
                self.met(&key, kind, values, anew)?;
                if let Some(url) = next {
                    return self.go_on(Task::Changes { key, kind, start, url, anew });
                }
                let mark =
                    self.place.follow(link("@odata.deltaLink").ok_or(SourceError::Malformed)?)?;
                self.cursor.stand(&key).link = mark.into();
                if anew {
                    self.sweep(&key);
                }
                self.next()
            }
            Task::List { key, kind, .. } => {
                self.met(&key, kind, values, true)?;
                match next {
                    Some(url) => self.go_on(Task::List { key, kind, url }),
                    None => {
                        self.sweep(&key);
                        self.next()
                    }
                }
            }
        }
    }

    fn go_on(&mut self, task: Task) -> Result<Step, SourceError> {
        self.current = Some(task);
        self.ask()
    }

    /// The server is too busy: what it asks for is waited for, within reason.
    fn wait(&mut self, asked: Option<Duration>) -> Result<Step, SourceError> {
        let wait =
            asked.unwrap_or(FIRST * 2_u32.saturating_pow(self.tries)).max(Duration::from_secs(1));
        self.tries += 1;
        self.waited = self.waited.saturating_add(wait);
        match self.tries > TRIES || wait > WAIT || self.waited > WAIT * 3 {
            true => Err(SourceError::Overloaded { retry_after: asked }),
            false => Ok(Step::Wait(wait)),
        }
    }

    fn met_folders(&mut self, owner: &[String], values: &[Value]) -> Result<(), SourceError> {
        for id in values.iter().filter_map(id_of) {
            self.folders += 1;
            if self.folders > FOLDERS {
                return Err(SourceError::Excess(Excess::Books));
            }
            let owner_path: Vec<&str> = owner.iter().map(String::as_str).collect();
            let parts = |more: &[&'static str]| -> Url {
                self.place.at(&[owner_path.as_slice(), &["contactFolders", id], more].concat())
            };
            let (changes, children) = (parts(&["contacts", "delta"]), parts(&["childFolders"]));
            let key = format!("{}/f:{id}", owner.join("/"));
            // A folder that is in itself is met once.
            if self.keys.contains(&key) {
                continue;
            }
            self.changes(key, Kind::Contact, changes);
            self.folders(owner.to_vec(), children);
        }
        Ok(())
    }

    fn met(
        &mut self,
        key: &str,
        kind: Kind,
        values: &[Value],
        anew: bool,
    ) -> Result<(), SourceError> {
        let number = self.cursor.stand(key).number;
        let usual = key.split_once("/f:").map(|(owner, _)| self.cursor.stand(owner).number);
        for value in values {
            let Some(bare) = id_of(value) else { continue };
            let id = format!("{number}/{bare}");
            self.done += 1;
            let doubled = usual.is_some_and(|usual| self.has(&format!("{usual}/{bare}")));
            if doubled || value.get("@removed").is_some() {
                self.seen.remove(&id);
                self.outcome.insert(id, None);
                continue;
            }
            let contact = items::contact(kind, value);
            let tag = items::mark(contact.as_ref());
            if anew {
                self.seen.insert(id.clone());
            }
            match self.known.get(&id) == Some(&tag) {
                true => self.outcome.remove(&id),
                false => self.outcome.insert(id.clone(), Some(Record { id, tag, contact })),
            };
            if self.outcome.len() > limits::RECORDS || self.seen.len() > limits::RECORDS {
                return Err(SourceError::Excess(Excess::Records));
            }
        }
        Ok(())
    }

    /// Somebody is there as far as was read. What is in the usual folder of a mailbox, which is read first, is not in another
    /// one: some services list the usual folder among the others.
    fn has(&self, id: &str) -> bool {
        match self.outcome.get(id) {
            Some(record) => record.is_some(),
            None => self.known.contains_key(id),
        }
    }

    /// A collection was read from its beginning: what was not met is no more.
    fn sweep(&mut self, key: &str) {
        let prefix = format!("{}/", self.cursor.stand(key).number);
        for id in self.known.keys().filter(|id| id.starts_with(&prefix)) {
            if !self.seen.contains(id) {
                self.outcome.insert(id.clone(), None);
            }
        }
    }

    fn end(&mut self) -> Synced {
        let keys = &self.keys;
        let lost = self.cursor.retain(|key| keys.contains(key));
        let lost: Vec<String> = lost.into_iter().map(|number| format!("{number}/")).collect();
        let mut synced =
            Synced { full: self.full, cursor: self.cursor.write(), ..Synced::default() };
        for (id, record) in std::mem::take(&mut self.outcome) {
            match record {
                Some(record) if !lost.iter().any(|prefix| id.starts_with(prefix)) => {
                    synced.put.push(record);
                }
                Some(_) => {}
                None if self.known.contains_key(&id) => synced.gone.push(id),
                None => {}
            }
        }
        let number = |id: &str| id.split_once('/').and_then(|(number, _)| number.parse().ok());
        // Also what a cursor that was lost had read: its numbers are given anew.
        let here: HashSet<u32> = self.cursor.numbers().collect();
        let strays =
            self.known.keys().filter(|id| number(id).is_none_or(|number| !here.contains(&number)));
        let told: HashSet<String> = synced.gone.iter().cloned().collect();
        synced.gone.extend(strays.filter(|id| !told.contains(*id)).cloned());
        synced
    }
}

fn id_of(value: &Value) -> Option<&str> {
    let id = value.get("id").and_then(Value::as_str)?;
    Some(id).filter(|id| !id.is_empty() && id.len() <= limits::TEXT)
}

/// The mark that was sent leads nowhere any more: 410, or a 400 that says so.
fn is_outdated(answer: &Answer) -> bool {
    match answer.status {
        410 => true,
        400 => {
            let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let code = value.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
            ["syncstatenotfound", "syncstateinvalid", "resyncrequired"]
                .iter()
                .any(|known| code.eq_ignore_ascii_case(known))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
