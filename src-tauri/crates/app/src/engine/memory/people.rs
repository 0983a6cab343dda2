//! The lists of contacts in memory, and the commands about them.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contacts::import::{self, Delimiter, Imported, MAX_FILE};
use contacts::{Dialled, Index, IndexBuilder, NumberClass, NumberKey, classify, dialled};
use store::{NewCallBack, NewNote, NewSource, Person, PersonNumber, StoreError, Tables};
use tracing::debug;

use super::super::Reply;
use super::super::accounts::unknown_account;
use super::super::desk::Desk;
use super::roll::{Entry, Roll};
use super::same::{Same, sorted};
use super::{no_number, recent, refused, words};
use crate::code::Code;
use crate::control::{Answer, ErrorReply, ImportFile, PeopleCommand};
use crate::view::people::{
    ImportColumn, ImportField, ImportKind, ImportPreview, NumberKind, NumberView,
};
use crate::view::{HitKind, KnownView, SearchHit};

/// How near a favourite is; who called lately is less near.
const FAVOURITE: u8 = 200;
/// Calls that make somebody near.
const RECENT: usize = 100;
/// Contacts with an extension that are taken for colleagues.
const INSIDE: usize = 2_000;
/// Longest note, characters.
const NOTE: usize = 2000;
/// Notes of one number that are given out.
const NOTES: usize = 200;
/// Call-backs that are given out.
const CALL_BACKS: usize = 1000;

/// Everybody in the lists of contacts.
#[derive(Default)]
pub(super) struct People {
    roll: Roll,
    index: Index,
    /// Those who have an extension.
    inside: Vec<Inside>,
    same: Same,
}

/// Somebody in the lists of contacts who has an extension.
pub(in crate::engine) struct Inside {
    pub(in crate::engine) name: String,
    pub(in crate::engine) department: String,
    pub(in crate::engine) number: String,
    /// Empty: none is known.
    pub(in crate::engine) mobile: String,
}

impl Inside {
    fn of(person: &Person) -> Option<Inside> {
        let dialled = |number: &PersonNumber| match dialled(&number.number).ok()? {
            Dialled::Number(dial) => Some((number.label != "fax").then_some(dial)?),
            _ => None,
        };
        let class = |dial: &String| classify(dial, false);
        let mut numbers = person.numbers.iter().filter_map(dialled);
        let number = numbers.clone().find(|dial| class(dial) == NumberClass::Extension)?;
        let mobile = numbers.find(|dial| class(dial) == NumberClass::Mobile).unwrap_or_default();
        let (name, department) = (person.name.clone(), person.department.clone());
        Some(Inside { name, department, number, mobile })
    }
}

impl People {
    pub(super) fn read(tables: &Tables<'_>) -> Result<People, StoreError> {
        let (mut roll, mut builder) = (Roll::default(), IndexBuilder::default());
        let mut inside = Vec::new();
        let mut same = Same::begin(tables)?;
        tables.each_person(|person| {
            if !roll.push(&person) {
                return;
            }
            let keys: Vec<NumberKey> =
                person.numbers.iter().filter_map(|number| NumberKey::of(&number.number)).collect();
            let other = [person.company.as_str(), &person.department, &person.job_title].join(" ");
            builder.push(&person.name, &other, &keys);
            inside.extend(Inside::of(&person).filter(|_| inside.len() < INSIDE));
            same.push(&person, &keys);
        })?;
        roll.shrink();
        let people = People { roll, index: builder.build(), inside, same: same.end() };
        let bytes = people.roll.bytes() + people.index.bytes();
        debug!(people = people.roll.len(), bytes, "the lists of contacts are read");
        Ok(people)
    }

    fn hit(&self, position: usize, wanted: Option<&NumberKey>) -> Option<SearchHit> {
        let group = self.same.group(position);
        let person = self.roll.entry(group.first().copied().unwrap_or(position))?;
        let same = |(_, number): &&(&str, &str)| NumberKey::of(number).as_ref() == wanted;
        // Nobody wants to call a fax.
        let called = |(label, _): &&(&str, &str)| *label != "fax";
        let others = group.iter().skip(1).filter_map(|position| self.roll.entry(*position));
        let others = others.flat_map(|entry| entry.numbers);
        let numbers: Vec<_> = person.numbers.iter().copied().chain(others).collect();
        let number = wanted.and_then(|_| numbers.iter().find(same));
        let number = number.or_else(|| numbers.iter().find(called)).or(numbers.first());
        let target = number.map(|(_, number)| (*number).to_owned()).unwrap_or_default();
        let shown = contacts::show(&target);
        let parts = [person.company, person.department, &shown];
        let parts: Vec<&str> =
            parts.into_iter().filter(|part| !part.is_empty() && *part != person.name).collect();
        Some(SearchHit {
            kind: HitKind::Contact,
            name: person.name.to_owned(),
            detail: parts.join(" · "),
            contact: Some(person.id),
            target: dial_string(&target).unwrap_or(target),
            account: None,
        })
    }
}

/// A kept number as it is dialled.
fn dial_string(number: &str) -> Option<String> {
    match dialled(number).ok()? {
        Dialled::Number(dial) | Dialled::Address(dial) => Some(dial),
        Dialled::Name(_) => None,
    }
}

// --- finding ---

impl Desk {
    /// Contacts that fit, with the cost of the match.
    pub(in crate::engine) fn search_contacts(
        &self,
        text: &str,
        limit: usize,
    ) -> Vec<(u32, SearchHit)> {
        let Some(memory) = &self.memory else { return Vec::new() };
        let found = memory.people.index.matches(text, limit).into_iter();
        let mut shown = HashSet::new();
        // Who is there in several lists is shown once.
        let found = found.filter(|found| shown.insert(memory.people.same.leader(found.position)));
        // Without a number somebody can be found and not called: such a hit would be of no use here.
        let hit =
            |found: contacts::Match| Some((found.cost, memory.people.hit(found.position, None)?));
        found.filter_map(hit).filter(|(_, hit)| !hit.target.is_empty()).collect()
    }

    /// Everybody in the lists with this number.
    pub(in crate::engine) fn lookup_contacts(&self, number: &str) -> Vec<SearchHit> {
        let (Some(memory), Some(key)) = (&self.memory, NumberKey::of(number)) else {
            return Vec::new();
        };
        let found = memory.people.index.lookup_key(&key).into_iter();
        let mut shown = HashSet::new();
        let found = found.filter(|position| shown.insert(memory.people.same.leader(*position)));
        found.filter_map(|position| memory.people.hit(position, Some(&key))).collect()
    }

    /// Everybody in the lists with this number, with his company or else his department.
    pub(in crate::engine) fn known_contacts(&self, number: &str) -> Vec<KnownView> {
        let (Some(memory), Some(key)) = (&self.memory, NumberKey::of(number)) else {
            return Vec::new();
        };
        let found = memory.people.index.lookup_key(&key).into_iter();
        let leaders: BTreeSet<usize> =
            found.map(|position| memory.people.same.leader(position)).collect();
        let entries = leaders.into_iter().filter_map(|at| memory.people.roll.entry(at));
        let known = entries.map(|Entry { name, company, department, .. }| {
            // A company that is kept as a person is its own name.
            let of = [company, department].into_iter().find(|of| !of.is_empty() && *of != name);
            KnownView { name: name.to_owned(), of: of.unwrap_or_default().to_owned() }
        });
        known.collect()
    }

    /// Every number of everybody in the lists with this number, each with what it is for.
    pub(in crate::engine) fn numbers_beside(&self, number: &str) -> Vec<(String, String)> {
        let (Some(memory), Some(key)) = (&self.memory, NumberKey::of(number)) else {
            return Vec::new();
        };
        let positions = memory.people.index.lookup_key(&key).into_iter();
        let entries = positions.filter_map(|position| memory.people.roll.entry(position));
        let numbers = entries.flat_map(|entry| entry.numbers);
        let dialled =
            |(label, number): (&str, &str)| Some((label.to_owned(), dial_string(number)?));
        numbers.filter_map(dialled).collect()
    }

    /// Everybody in the lists who has an extension.
    pub(in crate::engine) fn inside_contacts(&self) -> impl Iterator<Item = &Inside> {
        self.memory.iter().flat_map(|memory| &memory.people.inside)
    }

    /// Whether a favourite among the contacts has this number.
    pub(in crate::engine) fn is_favourite_number(&self, number: &str) -> bool {
        let (Some(memory), Some(key)) = (&self.memory, NumberKey::of(number)) else {
            return false;
        };
        let mut positions = memory.people.index.lookup_key(&key).into_iter();
        positions.any(|position| memory.people.roll.is_favourite(position))
    }

    /// Names of everybody in the lists with this number; the same name once.
    pub(in crate::engine) fn contact_names(&self, number: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.lookup_contacts(number).into_iter().map(|hit| hit.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Reads the lists of contacts into memory. The index is made on the database's thread: it takes a while.
    pub(super) fn read_people(&mut self) {
        self.remembering(People::read, |desk, now, people| match people {
            Ok(people) => desk.take_people(people),
            Err(error) => desk.memory_failed(now, &error),
        });
    }

    pub(super) fn take_people(&mut self, people: People) {
        if let Some(memory) = &mut self.memory {
            memory.people = people;
        }
        self.colleagues.changed();
        self.people_are_near();
        self.publisher.changed();
    }

    /// Favourites and whom one spoke to lately come first among equals.
    pub(super) fn people_are_near(&mut self) {
        let Some(memory) = self.memory.as_mut().filter(|memory| !memory.people.roll.is_empty())
        else {
            return;
        };
        let People { roll, index, .. } = &mut memory.people;
        for position in 0..roll.len() {
            index.set_nearness(position, if roll.is_favourite(position) { FAVOURITE } else { 0 });
        }
        let keys: Vec<NumberKey> = recent(&self.history, RECENT).collect();
        // The oldest first, so that the newest has the last word.
        for (nearness, key) in (1_u8..).zip(keys.iter().rev()) {
            for position in index.lookup_key(key) {
                let favourite = if roll.is_favourite(position) { FAVOURITE } else { 0 };
                index.set_nearness(position, favourite.max(nearness));
            }
        }
    }
}

// --- commands ---

impl Desk {
    pub(super) fn ask_people(&mut self, now: Instant, command: PeopleCommand, reply: Reply) {
        match command {
            PeopleCommand::Get { contact } => self.contact(contact, reply),
            PeopleCommand::Favourite { contact, on } => self.set_favourite(contact, on, reply),
            PeopleCommand::Sources {} => self.reply_from(sorted, reply, |_, sources| {
                Answer::Sources(sources.into_iter().map(words::source).collect())
            }),
            PeopleCommand::Preview { file } => self.preview(file, reply),
            PeopleCommand::Import { file, mapping } => self.import(now, file, mapping, reply),
            PeopleCommand::RemoveSource { source } if self.has_source(source) => {
                self.remove_contact_source(source, reply);
            }
            PeopleCommand::RemoveSource { source } => self.remove_source(source, reply),
            PeopleCommand::Merge { contacts } => self.merge(&contacts, reply),
            PeopleCommand::Split { contact } => self.split(contact, reply),
            PeopleCommand::Availability { numbers } => self.ask_availability(now, numbers, reply),
            PeopleCommand::SourceOrder { order } => self.order_sources(order, reply),
            PeopleCommand::Describe { text } => reply(self.describe(&text)),
            PeopleCommand::NoteAdd { number, text, until_ms } => {
                self.add_note(now, &number, &text, until_ms, reply);
            }
            PeopleCommand::NoteList { number } => match NumberKey::of(&number) {
                Some(key) => {
                    let now_ms = self.clock.ms(now);
                    let read = move |tables: &Tables<'_>| {
                        tables.drop_expired_notes(now_ms)?;
                        tables.notes_of(&key, NOTES)
                    };
                    self.reply_from(read, reply, |_, notes| {
                        Answer::Notes(notes.into_iter().map(words::note).collect())
                    });
                }
                None => reply(Err(no_number(&number))),
            },
            PeopleCommand::NoteRemove { note } => {
                self.change(move |tables| tables.remove_note(note), reply, |_| Answer::done());
            }
            PeopleCommand::CallBackAdd { number, name, account } => {
                self.add_call_back(now, number, name, account.as_deref(), reply);
            }
            PeopleCommand::CallBackList {} => self.list_call_backs(|_| Ok(true), reply),
            PeopleCommand::CallBackDone { call_back } => {
                let at_ms = self.clock.ms(now);
                let done = move |tables: &Tables<'_>| tables.settle_call_back(call_back, "", at_ms);
                self.list_call_backs(done, reply);
            }
            PeopleCommand::PrivacyGet {} => reply(Ok(self.kept_for())),
            PeopleCommand::PrivacySet { history_days } => self.keep_for(now, history_days, reply),
            PeopleCommand::ScreenPopGet {} => reply(Ok(self.opened_for_callers())),
            PeopleCommand::ScreenPopSet { url, command, answered } => {
                reply(self.open_for_callers(now, &url, command, answered));
            }
            PeopleCommand::Export { of } => self.export(&of, reply),
            PeopleCommand::Erase { of } => self.erase(&of, reply),
        }
    }

    /// Everybody that is the same person as this entry, whoever counts first.
    pub(super) fn entries_of(&self, id: u64) -> Vec<u64> {
        let Some(People { roll, same, .. }) = self.memory.as_ref().map(|memory| &memory.people)
        else {
            return vec![id];
        };
        let group = roll.position(id).map(|position| same.group(position)).unwrap_or_default();
        let ids = group.iter().filter_map(|position| Some(roll.entry(*position)?.id));
        let ids: Vec<u64> = ids.collect();
        if ids.is_empty() { vec![id] } else { ids }
    }

    /// Does work that says whether there was something to change.
    fn change(
        &mut self,
        work: impl FnOnce(&Tables<'_>) -> Result<bool, StoreError> + Send + 'static,
        reply: Reply,
        then: impl FnOnce(&mut Desk) -> Answer + Send + 'static,
    ) {
        self.remembering(work, move |desk, _, changed| match changed {
            Ok(true) => {
                let answer = then(desk);
                reply(Ok(answer));
            }
            Ok(false) => reply(Err(no_entry())),
            Err(error) => reply(Err(refused(&error))),
        });
    }

    fn set_favourite(&mut self, contact: u64, on: bool, reply: Reply) {
        self.change(
            move |tables| tables.set_favourite(contact, on),
            reply,
            move |desk| {
                if let Some(memory) = &mut desk.memory {
                    memory.people.roll.favour(contact, on);
                }
                desk.people_are_near();
                Answer::done()
            },
        );
    }

    fn remove_source(&mut self, source: u64, reply: Reply) {
        let remove = move |tables: &Tables<'_>| {
            let removed = tables.remove_source(source)?;
            Ok((removed, People::read(tables)?))
        };
        self.remembering(remove, move |desk, _, result| match result {
            Ok((true, people)) => {
                desk.take_people(people);
                reply(Ok(Answer::done()));
            }
            Ok((false, _)) => reply(Err(no_entry())),
            Err(error) => reply(Err(refused(&error))),
        });
    }

    fn preview(&mut self, file: ImportFile, reply: Reply) {
        let work = async move { blocking(move || preview(&load(&file)?.bytes)).await };
        self.later(work, |_, _, found| {
            reply(found.map(|found| Answer::ImportPreview(Box::new(found))));
        });
    }

    fn import(
        &mut self,
        now: Instant,
        file: ImportFile,
        mapping: Option<Vec<ImportField>>,
        reply: Reply,
    ) {
        let read_ms = self.clock.ms(now);
        let work = async move { blocking(move || read(&load(&file)?, mapping, read_ms)).await };
        self.later(work, |desk, now, found| match found {
            Ok(list) => {
                desk.tell_untold(now);
                desk.keep_list(list, reply);
            }
            Err(error) => reply(Err(error)),
        });
    }

    fn keep_list(&mut self, list: List, reply: Reply) {
        let keep = move |tables: &Tables<'_>| {
            let mut report = words::report(&list.imported);
            let people = list.imported.contacts.into_iter().enumerate();
            let people = people.map(|(at, one)| words::person(at, one));
            report.source = tables.add_source(&list.source, people)?;
            Ok((report, People::read(tables)?))
        };
        self.reply_from(keep, reply, |desk, (report, people)| {
            desk.take_people(people);
            Answer::Imported(report)
        });
    }

    /// What would be dialled for a text. Nothing is dialled.
    fn describe(&self, text: &str) -> Result<Answer, ErrorReply> {
        let bad =
            |error: contacts::NotDiallable| ErrorReply::new(Code::BadTarget, error.to_string());
        let (kind, dial) = match dialled(text).map_err(bad)? {
            Dialled::Name(_) => (NumberKind::Name, None),
            Dialled::Address(address) => (NumberKind::Address, Some(address)),
            Dialled::Number(dial) if self.is_emergency(&dial) => {
                (NumberKind::Emergency, Some(dial))
            }
            Dialled::Number(dial) => {
                let extension = self.is_extension(&dial);
                (words::number_kind(classify(&dial, extension)), Some(dial))
            }
        };
        let key = dial.as_deref().and_then(NumberKey::of);
        let asks_first = dial.as_deref().is_some_and(|dial| {
            !matches!(kind, NumberKind::Address | NumberKind::Extension | NumberKind::Emergency)
                && classify(dial, false).asks_first()
        });
        Ok(Answer::Number(Box::new(NumberView {
            kind,
            shown: dial.as_deref().map_or_else(|| text.trim().to_owned(), contacts::show),
            dial,
            country: key.as_ref().and_then(NumberKey::country),
            key: key.map(|key| key.as_str().to_owned()),
            extension: contacts::extension(text).map(str::to_owned),
            asks_first,
        })))
    }

    fn add_note(
        &mut self,
        now: Instant,
        number: &str,
        text: &str,
        until_ms: Option<u64>,
        reply: Reply,
    ) {
        let Some(key) = NumberKey::of(number) else { return reply(Err(no_number(number))) };
        let text = text.trim().to_owned();
        if text.is_empty() || text.chars().count() > NOTE {
            let message = format!("a note has one to {NOTE} characters");
            return reply(Err(ErrorReply::new(Code::BadValue, message)));
        }
        let at_ms = self.clock.ms(now);
        if until_ms.is_some_and(|until| until <= at_ms) {
            let message = "a note cannot have run out before it is written".to_owned();
            return reply(Err(ErrorReply::new(Code::BadValue, message)));
        }
        self.tell_untold(now);
        let note = NewNote { key, call: None, text, at_ms, until_ms };
        let queued = self.queue_note(number);
        let keep = move |tables: &Tables<'_>| {
            let id = tables.add_note(&note)?;
            queued.keep(tables, id)?;
            let NewNote { call, text, at_ms, until_ms, .. } = note;
            Ok(store::Note { id, call, text, at_ms, until_ms })
        };
        self.reply_from(keep, reply, move |desk, note| {
            desk.write_notes(now);
            Answer::Note(words::note(note))
        });
    }

    fn add_call_back(
        &mut self,
        now: Instant,
        number: String,
        name: String,
        account: Option<&str>,
        reply: Reply,
    ) {
        if NumberKey::of(&number).is_none() {
            return reply(Err(no_number(&number)));
        }
        let account = match account {
            Some(id) => self.account(id).ok_or_else(|| unknown_account(id)),
            None => self.calling_account(),
        };
        let account = match account {
            Ok(account) => account.settings.id.clone(),
            Err(error) => return reply(Err(error)),
        };
        self.tell_untold(now);
        let who = NewCallBack { account, name, number, since_ms: self.clock.ms(now) };
        self.list_call_backs(move |tables| tables.add_call_back(&who).map(|_| true), reply);
    }

    /// Does something with the list of call-backs and answers with it.
    fn list_call_backs(
        &mut self,
        first: impl FnOnce(&Tables<'_>) -> Result<bool, StoreError> + Send + 'static,
        reply: Reply,
    ) {
        let work = move |tables: &Tables<'_>| match first(tables)? {
            true => Ok(Some(tables.call_backs(CALL_BACKS)?)),
            false => Ok(None),
        };
        self.remembering(work, move |_, _, list| match list {
            Ok(Some(list)) => {
                reply(Ok(Answer::CallBacks(list.into_iter().map(words::call_back).collect())));
            }
            Ok(None) => reply(Err(no_entry())),
            Err(error) => reply(Err(refused(&error))),
        });
    }
}

pub(super) fn no_entry() -> ErrorReply {
    ErrorReply::new(Code::UnknownEntry, "there is no such entry")
}

// --- files ---

/// A file that was read.
struct File {
    name: String,
    bytes: Vec<u8>,
}

/// A list that is ready to be kept.
struct List {
    source: NewSource,
    imported: Imported,
}

/// Reading and taking apart a large file takes a while.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorReply> + Send + 'static,
) -> Result<T, ErrorReply> {
    let failed = |error: tokio::task::JoinError| ErrorReply::new(Code::Internal, error.to_string());
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

fn bad_file(message: &impl ToString) -> ErrorReply {
    ErrorReply::new(Code::BadFile, message.to_string())
}

fn load(file: &ImportFile) -> Result<File, ErrorReply> {
    let named = file.name.clone().filter(|name| !name.is_empty());
    let (name, bytes) = match (&file.path, &file.data) {
        (Some(path), None) => {
            let path = Path::new(path);
            let size = std::fs::metadata(path).map_err(|error| bad_file(&error))?;
            if !size.is_file() {
                return Err(bad_file(&"that is no file"));
            }
            if size.len() > MAX_FILE as u64 {
                return Err(bad_file(&import::ImportError::TooLarge));
            }
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            (name, std::fs::read(path).map_err(|error| bad_file(&error))?)
        }
        (None, Some(data)) => {
            (None, STANDARD.decode(data.trim()).map_err(|error| bad_file(&error))?)
        }
        _ => return Err(ErrorReply::new(Code::BadRequest, "give either path or data")),
    };
    Ok(File { name: named.or(name).unwrap_or_default(), bytes })
}

/// Cards say what they are in their first line.
fn is_cards(bytes: &[u8]) -> Result<bool, ErrorReply> {
    let (text, _) = import::decode(bytes).map_err(|error| bad_file(&error))?;
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Ok(first.trim().eq_ignore_ascii_case("BEGIN:VCARD"))
}

fn preview(bytes: &[u8]) -> Result<ImportPreview, ErrorReply> {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    if is_cards(bytes)? {
        let (imported, encoding) = import::read_vcards(bytes).map_err(|error| bad_file(&error))?;
        return Ok(ImportPreview {
            kind: ImportKind::Vcard,
            encoding: words::encoding(encoding),
            delimiter: None,
            columns: Vec::new(),
            rows: count(imported.contacts.len() + imported.left_out),
        });
    }
    let table = import::preview(bytes).map_err(|error| bad_file(&error))?;
    let delimiter = match table.delimiter {
        Delimiter::Comma => ",",
        Delimiter::Semicolon => ";",
        Delimiter::Tab => "\t",
    };
    let column = |(at, (header, field)): (usize, (&String, &import::Field))| ImportColumn {
        header: header.clone(),
        field: words::field_view(*field),
        samples: table.samples.iter().map(|row| row.get(at).cloned().unwrap_or_default()).collect(),
    };
    Ok(ImportPreview {
        kind: ImportKind::Csv,
        encoding: words::encoding(table.encoding),
        delimiter: Some(delimiter.to_owned()),
        columns: table.headers.iter().zip(&table.mapping).enumerate().map(column).collect(),
        rows: count(table.rows),
    })
}

fn read(file: &File, mapping: Option<Vec<ImportField>>, read_ms: u64) -> Result<List, ErrorReply> {
    let source = |kind: &str| NewSource {
        kind: kind.to_owned(),
        name: file.name.clone(),
        synced_ms: read_ms,
    };
    if is_cards(&file.bytes)? {
        let (imported, _) = import::read_vcards(&file.bytes).map_err(|error| bad_file(&error))?;
        return Ok(List { source: source("vcard"), imported });
    }
    let mapping = match mapping {
        Some(mapping) => mapping.into_iter().map(words::field).collect(),
        None => import::preview(&file.bytes).map_err(|error| bad_file(&error))?.mapping,
    };
    let imported = import::read(&file.bytes, &mapping).map_err(|error| bad_file(&error))?;
    Ok(List { source: source("csv"), imported })
}
