//! The directories of exchanges, kept as other sources are: read by the binding of the account, compared with what is kept, and
//! there again in the next run before the exchange has said a word.
//!
//! Inputs: the model of the exchange tells that its directory is whole or could not be read, and how its link stands; the
//! schedule of the source; accounts and exchanges that come and go. A reading begins when the link comes up, and when it is due. While there
//! is no link the schedule rests: the binding looks for the exchange already. Why there is none is told as the source's trouble.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::Ordering;
use std::time::Instant;

use contact_sources::SourceError;
use pbx::centre::{DirectoryEntry, LinkFault, Refusal, Request, UserId};
use store::{Changed, EXCHANGE, NewReading, Person, PersonNumber, Tables};
use tracing::debug;

use super::super::super::colleagues::name_of;
use super::super::super::desk::Desk;
use super::form::trouble_of;
use super::{Feed, LOOK};
use crate::config::AccountSettings;
use crate::control::{SourcePlace, SourceSettings};
use crate::event::SourceChange;
use crate::view::sources::SourceState;

/// A company of thousands is not read every quarter of an hour.
const EVERY_MINUTES: u32 = 60;
/// What the extension is kept as.
const EXTENSION: &str = "extension";

impl Feed {
    /// The account whose exchange it is.
    pub(super) fn account(&self) -> Option<&str> {
        match &self.settings.place {
            SourcePlace::Exchange { account } => Some(account),
            _ => None,
        }
    }
}

/// What the directory of an account's exchange is called.
fn directory_name(settings: &AccountSettings) -> String {
    let name = settings.display_name.trim();
    if name.is_empty() { settings.id.clone() } else { name.to_owned() }
}

// --- which there are ---

impl Desk {
    /// The sources are known: those of accounts that are no more go, those that are missing come.
    pub(in crate::engine::memory) fn begin_directories(&mut self, now: Instant) {
        let kept: Vec<String> =
            self.feeds.all.iter().filter_map(Feed::account).map(str::to_owned).collect();
        for account in kept {
            match self.has_directory(&account) {
                true => self.rest_directory(&account),
                false => self.forget_directory(&account),
            }
        }
        let accounts: Vec<String> =
            self.accounts.iter().map(|account| account.settings.id.clone()).collect();
        accounts.iter().for_each(|account| self.begin_directory(now, account));
    }

    /// Whether an account has an exchange whose directory is kept. Those of the demo come and go.
    fn has_directory(&self, account: &str) -> bool {
        let mut written = self.settings.config.accounts.iter();
        written.any(|one| one.id == account && one.xsi.is_some())
            || self.account(account).is_some_and(|one| one.settings.xsi.is_some() && !one.demo)
    }

    /// An exchange begins: what was known of its directory is recalled, and is read anew when there is a link.
    pub(in crate::engine) fn begin_directory(&mut self, now: Instant, account: &str) {
        let Some(known) = self.account(account).filter(|known| !known.demo) else { return };
        if known.settings.xsi.is_none() || !self.feeds.opened {
            return;
        }
        let name = directory_name(&known.settings);
        self.name_directory(account);
        if let Some(feed) = self.directory_of(account) {
            // Whatever was under way went with the exchange that was asked.
            if feed.state == SourceState::Syncing {
                (feed.state, feed.begun) = (SourceState::Waiting, None);
                feed.schedule.rest();
            }
            self.recall_directory(account);
            return self.directory_link_changed(now, account);
        }
        let settings = SourceSettings {
            every_minutes: EVERY_MINUTES,
            tls_ca_file: String::new(),
            own_dnd: false,
            call_notes: false,
            place: SourcePlace::Exchange { account: account.to_owned() },
        };
        let Ok(text) = serde_json::to_string(&settings) else { return };
        let new = NewReading { kind: EXCHANGE.to_owned(), name: name.clone(), settings: text };
        let account = account.to_owned();
        let add = move |tables: &Tables<'_>| tables.add_reading(&new);
        self.remembering(add, move |desk, now, added| match added {
            // Two that began it at once: one of them is enough. The exchange may be gone, too.
            Ok(id) if desk.directory_of(&account).is_some() || !desk.has_directory(&account) => {
                desk.drop_directory(id);
            }
            Ok(id) => {
                desk.enter_source(now, id, name, settings, None);
                desk.name_directory(&account);
                desk.rest_directory(&account);
                desk.directory_link_changed(now, &account);
            }
            Err(error) => desk.memory_failed(now, &error),
        });
    }

    /// The directory of an account is called what the account is called, also once that is another name.
    pub(in crate::engine) fn name_directory(&mut self, account: &str) {
        let Some(known) = self.account(account).filter(|known| !known.demo) else { return };
        let name = directory_name(&known.settings);
        let Some(feed) = self.directory_of(account).filter(|feed| feed.name != name) else {
            return;
        };
        let Ok(settings) = serde_json::to_string(&feed.settings) else { return };
        feed.name.clone_from(&name);
        let id = feed.id;
        self.feeds.changed = true;
        let new = NewReading { kind: EXCHANGE.to_owned(), name, settings };
        let change = move |tables: &Tables<'_>| tables.change_reading(id, &new, false);
        self.remembering(change, |desk, now, changed| {
            if let Err(error) = changed {
                desk.memory_failed(now, &error);
            }
        });
    }

    /// The account is no more, or has no exchange any more, or another one: whom the old one named goes with it.
    pub(in crate::engine) fn forget_directory(&mut self, account: &str) {
        let Some(id) = self.directory_of(account).map(|feed| feed.id) else { return };
        debug!(id, account, "directory of an exchange: any -> gone with the exchange");
        self.feeds.all.retain(|feed| feed.id != id);
        self.feeds.changed = true;
        self.colleagues.changed();
        self.drop_directory(id);
    }

    fn drop_directory(&mut self, id: u64) {
        let remove = move |tables: &Tables<'_>| tables.remove_source(id);
        self.remembering(remove, |desk, now, removed| {
            if let Err(error) = removed {
                desk.memory_failed(now, &error);
            }
        });
    }

    fn directory_of(&mut self, account: &str) -> Option<&mut Feed> {
        self.feeds.all.iter_mut().find(|feed| feed.account() == Some(account))
    }

    fn rest_directory(&mut self, account: &str) {
        if let Some(feed) = self.directory_of(account) {
            feed.schedule.rest();
        }
    }

    fn recall_directory(&mut self, account: &str) {
        let Some(id) = self.directory_of(account).map(|feed| feed.id) else { return };
        let account = account.to_owned();
        let read = move |tables: &Tables<'_>| {
            let entries = tables.people_of(id)?.into_iter().map(entry_of);
            Ok(entries.collect::<Vec<DirectoryEntry>>())
        };
        self.remembering(read, move |desk, now, found| match found {
            Ok(entries) => {
                let count = entries.len();
                let Some(running) = desk.centres.running_mut(&account) else { return };
                if running.centre.recall_directory(entries) {
                    debug!(%account, count, "the directory of an earlier run holds for now");
                    desk.colleagues.changed();
                    desk.publisher.changed();
                }
            }
            Err(error) => desk.memory_failed(now, &error),
        });
    }
}

// --- reading ---

impl Desk {
    /// The link of an exchange is another one.
    pub(in crate::engine) fn directory_link_changed(&mut self, now: Instant, account: &str) {
        let Some(running) = self.centres.get(account) else { return };
        let (is_up, link) = (running.takes_directory_requests(), running.centre.link());
        let fault = link.fault().filter(|_| !link.is_up());
        let error = fault.map(|(fault, detail)| error_of(fault, detail));
        let Some(feed) = self.directory_of(account) else { return };
        // A reading that was under way is told of by itself.
        if feed.state == SourceState::Syncing {
            return;
        }
        if is_up && feed.schedule.due().is_none() {
            feed.schedule.now(now);
        }
        if let Some(error) = error.filter(|error| feed.trouble != Some(trouble_of(error))) {
            let id = feed.id;
            self.source_failed_at_rest(now, id, &error);
        }
    }

    /// Its time has come, or somebody wants it.
    pub(super) fn read_directory(&mut self, now: Instant, id: u64, account: &str) {
        let Some(running) =
            self.centres.running_mut(account).filter(|one| one.takes_directory_requests())
        else {
            let error = self.directory_error(account);
            self.source_failed_at_rest(now, id, &error);
            return;
        };
        // The binding reads by itself when it has connected.
        let is_read = running.centre.directory_progress().is_some();
        debug!(id, is_read, "directory of an exchange: waiting, due -> reading");
        if !is_read {
            running.centre.ask(now, Request::ReadDirectory);
        }
        let Some(feed) = self.directory_of(account) else { return };
        feed.schedule.begin();
        if std::mem::take(&mut feed.wanted) && is_read {
            feed.schedule.now(now);
        }
        (feed.state, feed.begun) = (SourceState::Syncing, Some(now));
        (feed.shown, feed.look) = ((0, 0), Some(now + LOOK));
        self.source_changed(now, id, None);
    }

    fn source_failed_at_rest(&mut self, now: Instant, id: u64, error: &SourceError) {
        let Some(feed) = self.feeds.get(id) else { return };
        let generation = feed.generation;
        self.source_failed(now, id, generation, error);
        if let Some(feed) = self.feeds.get(id) {
            feed.schedule.rest();
            feed.begun = None;
        }
    }

    /// How far the readings are.
    pub(super) fn look_at_directories(&mut self) {
        for feed in self.feeds.all.iter().filter(|feed| feed.state == SourceState::Syncing) {
            let running = feed.account().and_then(|account| self.centres.get(account));
            if let Some((done, of)) = running.and_then(|one| one.centre.directory_progress()) {
                let [at, all] = &*feed.progress;
                at.store(done, Ordering::Relaxed);
                all.store(done.max(of.unwrap_or(0) as usize), Ordering::Relaxed);
            }
        }
    }

    /// The exchange has told all of its directory.
    pub(in crate::engine) fn directory_told(&mut self, now: Instant, account: &str) {
        let Some(running) = self.centres.get(account) else { return };
        let entries = running.centre.directory().to_vec();
        let at_ms = self.clock.ms(now);
        let Some(feed) = self.directory_of(account) else { return };
        let (id, generation) = (feed.id, feed.generation);
        let begun = feed.begun.take().unwrap_or(now);
        let millis = u64::try_from(now.saturating_duration_since(begun).as_millis()).unwrap_or(0);
        self.tell_untold(now);
        let keep = move |tables: &Tables<'_>| {
            let Some(so_far) = tables.read_so_far(id)? else { return Ok(None) };
            // Of a large company that takes a while: not where calls are carried.
            let changed = changes(&so_far.records, records_of(&entries));
            if !tables.keep_reading(id, &changed, at_ms)? {
                return Ok(None);
            }
            let (put, gone) = (changed.put.len(), changed.gone.len());
            let found = tables.readings()?.into_iter().find(|reading| reading.id == id);
            let full = so_far.records.is_empty();
            let change = SourceChange { full, put, gone, millis };
            Ok(Some((found.map_or(0, |reading| reading.people), change)))
        };
        self.remembering(keep, move |desk, now, kept| match kept {
            Ok(Some((count, change))) => {
                desk.source_read(now, (id, generation), (count, at_ms), change);
            }
            Ok(None) => desk.source_gone(id, generation),
            Err(error) => desk.source_not_kept(now, id, generation, &error),
        });
    }

    /// The exchange could not be read to the end; what was known holds.
    pub(in crate::engine) fn directory_failed(&mut self, now: Instant, account: &str) {
        let error = self.directory_error(account);
        let Some(feed) = self.directory_of(account) else { return };
        let (id, generation) = (feed.id, feed.generation);
        feed.begun = None;
        self.source_failed(now, id, generation, &error);
    }

    fn directory_error(&self, account: &str) -> SourceError {
        let Some(running) = self.centres.get(account) else { return SourceError::Unreachable };
        let link = running.centre.link();
        match (running.centre.directory_trouble(), link.fault()) {
            (Some(Refusal::NotAllowed), _) => SourceError::Forbidden,
            (Some(Refusal::Gone), _) => SourceError::NotFound,
            (Some(Refusal::Exchange { code, .. }), _) => SourceError::Server(*code),
            (_, Some((fault, detail))) if !link.is_up() => error_of(fault, detail),
            (_, _) if link.is_up() => SourceError::Broken,
            (_, _) => SourceError::Unreachable,
        }
    }
}

fn error_of(fault: LinkFault, detail: &str) -> SourceError {
    match fault {
        LinkFault::Credentials => SourceError::Refused,
        LinkFault::Forbidden => SourceError::Forbidden,
        LinkFault::Name => SourceError::UnknownHost,
        LinkFault::Unreachable => SourceError::Unreachable,
        LinkFault::Untrusted => SourceError::Tls(detail.to_owned()),
        LinkFault::Timeout => SourceError::Timeout,
        LinkFault::Broken => SourceError::Broken,
        LinkFault::Overloaded => SourceError::Overloaded { retry_after: None },
        LinkFault::Answer => SourceError::Malformed,
    }
}

// --- entries and people ---

/// What an entry is called here, its mark, and who it is.
type Record = (String, String, Person);

/// Entries have no names of their own where they are no users: what they say is their name, and how many say the same.
fn records_of(entries: &[DirectoryEntry]) -> Vec<Record> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let record = |entry: &DirectoryEntry| {
        let kind = if entry.is_virtual { 'v' } else { 'p' };
        let who = match &entry.user {
            Some(user) => format!("{kind}u{}", user.0),
            None => format!("{kind}n{}\n{}", name_of(entry), entry.number),
        };
        let times = seen.entry(who.clone()).or_default();
        *times += 1;
        let uid = if *times == 1 { who } else { format!("{who}\n{times}") };
        let mut hash = DefaultHasher::new();
        format!("{entry:?}").hash(&mut hash);
        (uid, format!("{:016x}", hash.finish()), person_of(entry))
    };
    entries.iter().map(record).collect()
}

fn person_of(entry: &DirectoryEntry) -> Person {
    let number = |label: &str, number: &String| PersonNumber {
        label: label.to_owned(),
        number: number.clone(),
    };
    let numbers = [
        number(EXTENSION, &entry.extension),
        number("work", &entry.number),
        number("mobile", &entry.mobile),
    ];
    Person {
        name: format!("{} {}", entry.first_name.trim(), entry.last_name.trim()).trim().to_owned(),
        department: entry.department.clone(),
        job_title: entry.title.clone(),
        email: entry.email.clone(),
        numbers: numbers.into_iter().filter(|number| !number.number.is_empty()).collect(),
        ..Person::default()
    }
}

fn entry_of(person: Person) -> DirectoryEntry {
    let number = |label: &str| {
        let mut found = person.numbers.iter().filter(|number| number.label == label);
        found.next().map(|number| number.number.clone()).unwrap_or_default()
    };
    let user = person.uid.get(1..).and_then(|rest| rest.strip_prefix('u'));
    DirectoryEntry {
        user: user.and_then(|user| user.lines().next()).map(|user| UserId(user.to_owned())),
        first_name: String::new(),
        number: number("work"),
        extension: number(EXTENSION),
        mobile: number("mobile"),
        is_virtual: person.uid.starts_with('v'),
        last_name: person.name,
        email: person.email,
        department: person.department,
        title: person.job_title,
    }
}

fn changes(known: &HashMap<String, String>, records: Vec<Record>) -> Changed {
    let here: HashSet<&String> = records.iter().map(|(uid, _, _)| uid).collect();
    let gone: Vec<String> = known.keys().filter(|uid| !here.contains(uid)).cloned().collect();
    let new = |(uid, tag, _): &Record| known.get(uid) != Some(tag);
    let put = records.into_iter().filter(new).map(|(uid, tag, who)| (uid, tag, Some(who)));
    Changed { put: put.collect(), gone, cursor: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user: &str, name: (&str, &str), extension: &str, number: &str) -> DirectoryEntry {
        DirectoryEntry {
            user: Some(UserId(user.to_owned())).filter(|user| !user.0.is_empty()),
            first_name: name.0.to_owned(),
            last_name: name.1.to_owned(),
            extension: extension.to_owned(),
            number: number.to_owned(),
            ..DirectoryEntry::default()
        }
    }

    fn company() -> Vec<DirectoryEntry> {
        let jan = DirectoryEntry {
            mobile: "0612345678".into(),
            email: "jan@x.example".into(),
            department: "Verkoop".into(),
            title: "Chef".into(),
            ..entry("jan@x", ("Jan", "de Wit"), "101", "0302318801")
        };
        let queue =
            DirectoryEntry { is_virtual: true, ..entry("q@x", ("", "Helpdesk"), "400", "") };
        let taxi = entry("", ("", "Taxi"), "", "0302310000");
        vec![jan, queue, taxi.clone(), taxi]
    }

    #[test]
    fn who_is_kept_comes_back_as_he_was_shown() {
        let company = company();
        let records = records_of(&company);
        let uids: HashSet<&String> = records.iter().map(|(uid, _, _)| uid).collect();
        assert_eq!(uids.len(), 4, "the same twice is two records: {uids:?}");
        let back = |(uid, _, person): Record| entry_of(Person { uid, ..person });
        for (before, after) in company.iter().zip(records.into_iter().map(back)) {
            assert_eq!(name_of(before), name_of(&after));
            let shown = |entry: &DirectoryEntry| DirectoryEntry {
                first_name: String::new(),
                last_name: String::new(),
                ..entry.clone()
            };
            assert_eq!(shown(before), shown(&after));
        }
    }

    #[test]
    fn only_what_differs_is_written() {
        let mut company = company();
        let known: HashMap<String, String> =
            records_of(&company).into_iter().map(|(uid, tag, _)| (uid, tag)).collect();
        let nothing = changes(&known, records_of(&company));
        assert!(nothing.put.is_empty() && nothing.gone.is_empty());
        company[0].department = "Inkoop".into();
        company.pop();
        company.push(entry("els@x", ("Els", "Smit"), "103", ""));
        let changed = changes(&known, records_of(&company));
        let put: Vec<&str> = changed.put.iter().map(|(uid, _, _)| uid.as_str()).collect();
        assert_eq!(put, ["pujan@x", "puels@x"]);
        assert_eq!(changed.gone, ["pnTaxi\n0302310000\n2"]);
        assert_eq!(changes(&known, Vec::new()).gone.len(), 4);
    }

    #[test]
    fn every_fault_of_a_link_is_told_by_its_kind() {
        assert_eq!(error_of(LinkFault::Credentials, ""), SourceError::Refused);
        assert_eq!(error_of(LinkFault::Untrusted, "x"), SourceError::Tls("x".into()));
        assert_eq!(error_of(LinkFault::Name, ""), SourceError::UnknownHost);
    }
}
