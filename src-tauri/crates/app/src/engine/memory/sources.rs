//! Address books and directories that contacts are read from: which there are, when each is read, and what is done with
//! what it brings. Readings run on threads of their own; calls never wait for one.
//!
//! Inputs: the schedule of each source, commands, and how readings ended. A source that was changed or removed while it was
//! read has another [`Feed::generation`], and what that reading brought is dropped.

mod calendar;
mod exchange;
mod form;
mod journal;
mod sign_in;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use contact_sources::{Access, Known, Progress, Schedule, SourceError, Synced};
use contacts::import::Contact;
use secrecy::SecretString;
use store::{Changed, NewReading, ReadSoFar, Reading, StoreError, Tables};
use tokio::runtime::Handle;
use tracing::{debug, info};

use self::calendar::Calendars;
use self::form::{open, reading_of, settings_of, trouble_of, trouble_word};
use self::sign_in::{Held, SignIns};
use super::super::Reply;
use super::super::desk::{Desk, rand_seed};
use super::people::{People, no_entry};
use super::{refused, words};
use crate::code::Code;
use crate::control::{
    Answer, ErrorReply, NewContact, SourceCommand, SourceForm, SourcePlace, SourceSettings,
};
use crate::event::{Event, SourceChange, SourceEvent};
use crate::view::Update;
use crate::view::sources::{SourceState, SourceTest, SourceTrouble, SourceView, UnwrittenNotes};

/// How often progress is shown.
const LOOK: Duration = Duration::from_millis(250);
/// Most sources.
const SOURCES: usize = 50;

/// All sources.
#[derive(Default)]
pub(in crate::engine) struct Feeds {
    all: Vec<Feed>,
    changed: bool,
    generations: u64,
    /// Which sources there are is known.
    opened: bool,
    /// Commands that came before.
    early: Vec<(SourceCommand, Reply)>,
    sign_ins: SignIns,
    calendars: Calendars,
}

/// One source while the program runs.
struct Feed {
    id: u64,
    name: String,
    settings: SourceSettings,
    password: Option<SecretString>,
    /// The password is known, or known to be missing.
    ready: bool,
    schedule: Schedule,
    /// Of its settings.
    generation: u64,
    state: SourceState,
    trouble: Option<SourceTrouble>,
    detail: Option<String>,
    progress: Arc<[AtomicUsize; 2]>,
    shown: (usize, usize),
    look: Option<Instant>,
    contacts: u64,
    synced_ms: Option<u64>,
    /// When notes are written in its calendar.
    journal: Option<Schedule>,
    /// How many could not be written, and why.
    unwritten: Option<(u64, SourceTrouble)>,
    /// When what is being read was asked for.
    begun: Option<Instant>,
    /// Somebody has asked for the next reading: one that has begun already may not have what he has just changed.
    wanted: bool,
}

impl Feeds {
    /// When one is to be read, or its progress shown.
    pub(in crate::engine) fn due(&self) -> Option<Instant> {
        let ready = self.all.iter().filter(|feed| feed.ready);
        let feeds = ready.filter_map(|feed| feed.schedule.due().or(feed.look));
        let notes = self.all.iter().filter_map(Feed::journal_due);
        feeds.chain(notes).chain(self.calendars.due()).min()
    }

    pub(in crate::engine) fn has_news(&self) -> bool {
        self.changed
    }

    fn get(&mut self, id: u64) -> Option<&mut Feed> {
        self.all.iter_mut().find(|feed| feed.id == id)
    }

    /// The source, if it is still the one that was meant.
    fn same(&mut self, id: u64, generation: u64) -> Option<&mut Feed> {
        self.get(id).filter(|feed| feed.generation == generation)
    }

    fn next_generation(&mut self) -> u64 {
        self.generations += 1;
        self.generations
    }
}

impl Feed {
    fn progress(&self) -> (usize, usize) {
        let [done, of] = &*self.progress;
        (done.load(Ordering::Relaxed), of.load(Ordering::Relaxed))
    }

    /// It stands still until somebody has changed something.
    fn stop(&mut self, trouble: SourceTrouble) {
        self.schedule.rest();
        (self.state, self.trouble, self.look) = (SourceState::Stopped, Some(trouble), None);
    }
}

/// Name of a source's password in the keyring.
fn secret_name(id: u64) -> String {
    format!("source/{id}")
}

// --- beginning ---

impl Desk {
    /// Reads which sources there are, and their passwords.
    pub(super) fn begin_sources(&mut self) {
        self.remembering(
            |tables| tables.readings(),
            |desk, now, found| {
                match found {
                    Ok(found) => {
                        found.iter().for_each(|reading| desk.begin_source(now, reading));
                    }
                    Err(error) => desk.memory_failed(now, &error),
                }
                desk.feeds.opened = true;
                desk.begin_directories(now);
                desk.recall_closed();
                for (command, reply) in std::mem::take(&mut desk.feeds.early) {
                    desk.ask_sources(now, command, reply);
                }
            },
        );
    }

    fn begin_source(&mut self, now: Instant, reading: &Reading) {
        let id = reading.id;
        let Some(settings) = settings_of(&reading.reading) else {
            debug!(id, "a source of contacts is of a kind that this version does not know");
            return;
        };
        let asks = form::has_user(&settings);
        self.enter_source(now, id, reading.reading.name.clone(), settings, None);
        let Some(feed) = self.feeds.get(id) else { return };
        feed.contacts = reading.people;
        feed.synced_ms = reading.read_ms;
        feed.trouble = reading.trouble.as_deref().and_then(trouble_word);
        feed.ready = !asks;
        if !asks {
            return;
        }
        let (generation, secrets) = (feed.generation, self.settings.secrets.clone());
        let work = tokio::task::spawn_blocking(move || secrets.get(&secret_name(id)));
        self.later(work, move |desk, now, found| {
            let Some(feed) = desk.feeds.same(id, generation) else { return };
            feed.ready = true;
            let calendars = calendar::tells(&feed.settings);
            match found {
                Ok(Ok(Some(password))) => feed.password = Some(password),
                Ok(Ok(None)) | Ok(Err(_)) | Err(_) => feed.stop(form::lack_of(&feed.settings)),
            }
            desk.feeds.changed = true;
            if calendars {
                desk.begin_calendars(now);
            }
        });
    }

    fn enter_source(
        &mut self,
        now: Instant,
        id: u64,
        name: String,
        settings: SourceSettings,
        password: Option<SecretString>,
    ) {
        let every =
            Duration::from_secs(60 * u64::from(settings.every_minutes.clamp(1, 7 * 24 * 60)));
        let schedule = Schedule::new(now, every, &mut self.random);
        let journal = journal::schedule(now, settings.call_notes, &mut self.random);
        let generation = self.feeds.next_generation();
        self.feeds.all.push(Feed {
            id,
            name,
            settings,
            password,
            ready: true,
            schedule,
            generation,
            state: SourceState::Waiting,
            trouble: None,
            detail: None,
            progress: Arc::default(),
            shown: (0, 0),
            look: None,
            contacts: 0,
            synced_ms: None,
            journal,
            unwritten: None,
            begun: None,
            wanted: false,
        });
        self.feeds.changed = true;
        self.begin_calendars(now);
    }

    /// Everything that is kept was erased: the sources went with it, and their passwords go.
    pub(super) fn forget_sources(&mut self) {
        let ids: Vec<u64> = self.feeds.all.drain(..).map(|feed| feed.id).collect();
        self.feeds.changed = true;
        self.forget_source_secrets(ids);
    }

    fn forget_source_secrets(&self, ids: Vec<u64>) {
        self.forget_secrets(ids.into_iter().map(secret_name).collect());
    }
}

// --- reading ---

impl Desk {
    /// Begins the readings that are due, and shows how far others are.
    pub(in crate::engine) fn sources_on_time(&mut self, now: Instant) {
        if self.feeds.due().is_none_or(|due| due > now) || self.is_quitting() {
            return;
        }
        let mut begin = Vec::new();
        self.look_at_directories();
        for feed in self.feeds.all.iter_mut().filter(|feed| feed.ready) {
            if feed.schedule.due().is_some_and(|due| due <= now) {
                begin.push((feed.id, feed.generation));
            } else if feed.look.is_some_and(|look| look <= now) {
                feed.look = Some(now + LOOK);
                if feed.progress() != feed.shown {
                    feed.shown = feed.progress();
                    self.feeds.changed = true;
                }
            }
        }
        begin.into_iter().for_each(|(id, generation)| self.read_source(now, id, generation));
        self.calendars_on_time(now);
        self.journal_on_time(now);
    }

    fn read_source(&mut self, now: Instant, id: u64, generation: u64) {
        let Some(feed) = self.feeds.same(id, generation) else { return };
        if let SourcePlace::Exchange { account } = &feed.settings.place {
            let account = account.clone();
            return self.read_directory(now, id, &account);
        }
        debug!(id, "source of contacts: waiting, due -> reading");
        feed.schedule.begin();
        feed.state = SourceState::Syncing;
        feed.progress = Arc::default();
        (feed.shown, feed.look) = ((0, 0), Some(now + LOOK));
        self.source_changed(now, id, None);
        let read = move |tables: &Tables<'_>| tables.read_so_far(id);
        self.remembering(read, move |desk, now, found| match found {
            Ok(Some(so_far)) => desk.ask_source(now, id, generation, so_far),
            Ok(None) => desk.source_gone(id, generation),
            Err(error) => desk.source_not_kept(now, id, generation, &error),
        });
    }

    fn ask_source(&mut self, begun: Instant, id: u64, generation: u64, so_far: ReadSoFar) {
        let random = self.random.fork();
        let Some(feed) = self.feeds.same(id, generation) else { return };
        let (settings, password) = (feed.settings.clone(), feed.password.clone());
        let progress = feed.progress.clone();
        let held = Held::new(Some((id, self.settings.secrets.clone())));
        let access = held.access(password);
        let ReadSoFar { cursor, records } = so_far;
        let tell = move |now: Progress| {
            let [done, of] = &*progress;
            done.store(now.done, Ordering::Relaxed);
            of.store(now.of, Ordering::Relaxed);
        };
        let server = form::server_of(&settings);
        let work = apart(move |runtime| {
            let source = open(&settings, access, random)?;
            let known: Known = records;
            runtime.block_on(source.sync(&cursor, &known, &tell))
        });
        self.later(work, move |desk, now, result| {
            desk.secret_renewed(Some(id), None, &server, &held);
            match result {
                Ok(synced) => desk.keep_source(now, begun, id, generation, synced),
                Err(error) => desk.source_failed(now, id, generation, &error),
            }
        });
    }

    fn keep_source(
        &mut self,
        now: Instant,
        begun: Instant,
        id: u64,
        generation: u64,
        synced: Synced,
    ) {
        if self.feeds.same(id, generation).is_none() {
            return;
        }
        self.tell_untold(now);
        let at_ms = self.clock.ms(now);
        let change = SourceChange {
            full: synced.full,
            put: synced.put.len(),
            gone: synced.gone.len(),
            millis: u64::try_from(now.saturating_duration_since(begun).as_millis()).unwrap_or(0),
        };
        let put = synced.put.into_iter().map(|record| {
            let person = record.contact.map(|contact| words::person(0, contact));
            (record.id, record.tag, person)
        });
        let changed = Changed { put: put.collect(), gone: synced.gone, cursor: synced.cursor };
        let is_news = !changed.put.is_empty() || !changed.gone.is_empty();
        let keep = move |tables: &Tables<'_>| {
            if !tables.keep_reading(id, &changed, at_ms)? {
                return Ok(None);
            }
            let count = tables.readings()?.into_iter().find(|reading| reading.id == id);
            let people = if is_news { Some(People::read(tables)?) } else { None };
            Ok(Some((count.map_or(0, |reading| reading.people), people)))
        };
        self.remembering(keep, move |desk, now, kept| match kept {
            Ok(Some((count, people))) => {
                // What is kept is shown, whatever became of the source meanwhile.
                if let Some(people) = people {
                    desk.take_people(people);
                }
                desk.source_read(now, (id, generation), (count, at_ms), change);
            }
            Ok(None) => desk.source_gone(id, generation),
            Err(error) => desk.source_not_kept(now, id, generation, &error),
        });
    }

    fn source_read(
        &mut self,
        now: Instant,
        (id, generation): (u64, u64),
        (count, at_ms): (u64, u64),
        change: SourceChange,
    ) {
        let Some(feed) = self.feeds.all.iter_mut().find(|feed| feed.id == id) else { return };
        feed.contacts = count;
        if feed.generation != generation {
            return;
        }
        info!(id, full = change.full, put = change.put, gone = change.gone, "contacts were read");
        feed.schedule.succeeded(now, &mut self.random);
        (feed.state, feed.trouble, feed.detail) = (SourceState::Waiting, None, None);
        (feed.look, feed.synced_ms) = (None, Some(at_ms));
        self.source_changed(now, id, Some(change));
    }

    fn source_failed(&mut self, now: Instant, id: u64, generation: u64, error: &SourceError) {
        let Some(feed) = self.feeds.all.iter_mut().find(|feed| feed.id == id) else { return };
        if feed.generation != generation {
            return;
        }
        info!(id, %error, "contacts could not be read");
        let trouble = trouble_of(error);
        feed.schedule.failed(now, error, &mut self.random);
        feed.state = match feed.schedule.due() {
            Some(_) => SourceState::Failed,
            None => SourceState::Stopped,
        };
        (feed.trouble, feed.detail, feed.look) = (Some(trouble), Some(error.to_string()), None);
        self.source_changed(now, id, None);
        let (word, at_ms) = (form::word_of(trouble), self.clock.ms(now));
        self.remembering(
            move |tables| tables.reading_failed(id, &word, at_ms),
            |desk, now, kept| {
                if let Err(error) = kept {
                    desk.memory_failed(now, &error);
                }
            },
        );
    }

    fn source_not_kept(&mut self, now: Instant, id: u64, generation: u64, error: &StoreError) {
        let Some(feed) = self.feeds.all.iter_mut().find(|feed| feed.id == id) else { return };
        if feed.generation != generation {
            return;
        }
        feed.schedule.failed(now, &SourceError::Broken, &mut self.random);
        (feed.state, feed.look) = (SourceState::Failed, None);
        (feed.trouble, feed.detail) = (Some(SourceTrouble::NotKept), Some(error.to_string()));
        self.source_changed(now, id, None);
        self.memory_failed(now, error);
    }

    /// Somebody else has taken it out of the database.
    fn source_gone(&mut self, id: u64, generation: u64) {
        self.feeds.all.retain(|feed| feed.id != id || feed.generation != generation);
        self.feeds.changed = true;
    }

    /// Those that fail are tried at once: the network is another one.
    pub(in crate::engine) fn hurry_sources(&mut self, now: Instant) {
        self.write_notes(now);
        for feed in self.feeds.all.iter_mut().filter(|feed| feed.state == SourceState::Failed) {
            feed.schedule.now(now);
        }
    }

    fn source_changed(&mut self, now: Instant, id: u64, change: Option<SourceChange>) {
        self.feeds.changed = true;
        let Some(feed) = self.feeds.get(id) else { return };
        let event = SourceEvent {
            source: id,
            state: feed.state,
            trouble: feed.trouble,
            contacts: feed.contacts,
            change,
        };
        self.event(now, Event::SourceState(event));
    }

    pub(in crate::engine) fn publish_sources(&mut self) {
        self.feeds.changed = false;
        self.shell.publish(Update::Sources(self.source_views()));
    }

    fn source_views(&self) -> Vec<SourceView> {
        self.feeds.all.iter().map(|feed| self.source_view(feed)).collect()
    }

    fn source_view(&self, feed: &Feed) -> SourceView {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        SourceView {
            id: feed.id,
            name: feed.name.clone(),
            settings: feed.settings.clone(),
            state: feed.state,
            trouble: feed.trouble,
            detail: feed.detail.clone(),
            done: count(feed.shown.0),
            of: count(feed.shown.1),
            contacts: feed.contacts,
            synced_ms: feed.synced_ms,
            next_ms: feed.schedule.due().map(|due| self.clock.ms(due)),
            takes_contacts: form::takes_contacts(&feed.settings),
            unwritten: feed.unwritten.map(|(notes, trouble)| UnwrittenNotes {
                notes,
                trouble,
                next_ms: feed.journal_due().map(|due| self.clock.ms(due)),
            }),
        }
    }

    fn answer_source(&self, id: u64) -> Result<Answer, ErrorReply> {
        let feed = self.feeds.all.iter().find(|feed| feed.id == id).ok_or_else(no_entry)?;
        Ok(Answer::Source(Box::new(self.source_view(feed))))
    }
}

/// Work on a thread of its own: large documents take a while to read, and whoever carries calls must not wait.
async fn apart<T: Send + 'static>(
    work: impl FnOnce(&Handle) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let runtime = Handle::current();
    let joined = tokio::task::spawn_blocking(move || work(&runtime)).await;
    // It was cut off: as a connection would be.
    joined.unwrap_or(Err(SourceError::Broken))
}

// --- commands ---

impl Desk {
    pub(super) fn ask_sources(&mut self, now: Instant, command: SourceCommand, reply: Reply) {
        if !self.feeds.opened {
            return self.feeds.early.push((command, reply));
        }
        match command {
            SourceCommand::List {} => reply(Ok(Answer::ContactSources(self.source_views()))),
            SourceCommand::Test { form, source } => self.test_source(&form, source, reply),
            SourceCommand::Add { form } => self.add_source(form, reply),
            SourceCommand::Change { source, form } => self.change_source(now, source, form, reply),
            SourceCommand::Remove { source } => match self.has_source(source) {
                true => self.remove_contact_source(source, reply),
                false => reply(Err(no_entry())),
            },
            SourceCommand::Sync { source } => reply(self.sync_sources(now, source)),
            SourceCommand::AddContact { source, contact } => {
                self.add_at_source(source, contact, reply);
            }
            SourceCommand::SignIn { .. }
            | SourceCommand::SignedIn { .. }
            | SourceCommand::SignInCancel { .. } => self.ask_sign_in(command, reply),
        }
    }

    pub(super) fn has_source(&self, id: u64) -> bool {
        self.feeds.all.iter().any(|feed| feed.id == id)
    }

    fn sync_sources(&mut self, now: Instant, source: Option<u64>) -> Result<Answer, ErrorReply> {
        if let Some(id) = source
            && !self.has_source(id)
        {
            return Err(no_entry());
        }
        let mut without = false;
        for feed in self.feeds.all.iter_mut().filter(|feed| source.is_none_or(|id| id == feed.id)) {
            // Without a password there is nothing to be tried.
            match feed.trouble {
                Some(SourceTrouble::PasswordNeeded | SourceTrouble::SignIn)
                    if feed.password.is_none() =>
                {
                    without = true;
                }
                _ => {
                    feed.wanted = true;
                    feed.schedule.now(now);
                }
            }
        }
        match without && source.is_some() {
            true => Err(ErrorReply::new(Code::PasswordNeeded, "the source has no password yet")),
            false => Ok(Answer::done()),
        }
    }

    /// The password that a form means.
    fn source_password(&self, form: &SourceForm, source: Option<u64>) -> Option<SecretString> {
        if let Some(given) = self.given_secret(form) {
            return Some(given);
        }
        let known = self.feeds.all.iter().find(|feed| Some(feed.id) == source)?;
        // A password goes to the server that it was given for, and no other.
        let same = form::server_of(&known.settings) == form::server_of(&form.settings);
        known.password.clone().filter(|_| same)
    }

    fn test_source(&mut self, form: &SourceForm, source: Option<u64>, reply: Reply) {
        let password = self.source_password(form, source);
        if password.is_none() && form::has_user(&form.settings) {
            let needed = form::lack_of(&form.settings);
            return reply(Ok(Answer::SourceTest(failed_test(needed, None))));
        }
        let (settings, random) = (form.settings.clone(), self.random.fork());
        let (server, sign_in) = (form::server_of(&settings), form.sign_in);
        // What is tried out for a source that is kept may renew what that is read with.
        let kept = source.filter(|_| sign_in.is_none() && form.password.is_empty());
        let held = Held::new(kept.map(|id| (id, self.settings.secrets.clone())));
        let access = held.access(password);
        let work = apart(move |runtime| {
            let source = open(&settings, access, random)?;
            runtime.block_on(source.test())
        });
        self.later(work, move |desk, _, found| {
            desk.secret_renewed(kept, sign_in, &server, &held);
            reply(Ok(Answer::SourceTest(match found {
                Ok(found) => SourceTest {
                    ok: true,
                    names: found
                        .names
                        .into_iter()
                        .take(20)
                        .map(|name| form::short(&name))
                        .collect(),
                    takes_contacts: found.takes_contacts,
                    trouble: None,
                    detail: None,
                },
                Err(error) => failed_test(trouble_of(&error), Some(error.to_string())),
            })));
        });
    }

    fn add_source(&mut self, form: SourceForm, reply: Reply) {
        if self.feeds.all.len() >= SOURCES {
            let message = format!("there are {SOURCES} sources already");
            return reply(Err(ErrorReply::new(Code::BadValue, message)));
        }
        let new = match reading_of(&form) {
            Ok(new) => new,
            Err(error) => return reply(Err(error)),
        };
        let password = self.given_secret(&form);
        let sign_in = form.sign_in;
        let keep = new.clone();
        let add = move |tables: &Tables<'_>| tables.add_reading(&keep);
        self.remembering(add, move |desk, now, added| {
            let id = match added {
                Ok(id) => id,
                Err(error) => return reply(Err(refused(&error))),
            };
            desk.tell_untold(now);
            desk.enter_source(now, id, new.name, form.settings, password.clone());
            desk.feeds.sign_ins.forget(sign_in);
            desk.password_arrived(id, password, reply);
        });
    }

    fn change_source(&mut self, now: Instant, id: u64, form: SourceForm, reply: Reply) {
        let new = match reading_of(&form) {
            Ok(new) => new,
            Err(error) => return reply(Err(error)),
        };
        let password = self.source_password(&form, Some(id));
        let typed = self.given_secret(&form);
        let generation = self.feeds.next_generation();
        let Some(feed) = self.feeds.get(id) else { return reply(Err(no_entry())) };
        let anew = feed.settings.place != form.settings.place;
        // What is being read was meant otherwise.
        feed.generation = generation;
        let sign_in = form.sign_in;
        let keep: NewReading = new.clone();
        let change = move |tables: &Tables<'_>| tables.change_reading(id, &keep, anew);
        self.remembering(change, move |desk, now, changed| {
            match changed {
                Ok(true) => {}
                Ok(false) => return reply(Err(no_entry())),
                Err(error) => return reply(Err(refused(&error))),
            }
            let Some(at) = desk.feeds.all.iter().position(|feed| feed.id == id) else {
                return reply(Err(no_entry()));
            };
            let old = desk.feeds.all.remove(at);
            desk.enter_source(now, id, new.name, form.settings, password);
            if let Some(feed) = desk.feeds.all.pop() {
                let feed = Feed { contacts: old.contacts, synced_ms: old.synced_ms, ..feed };
                desk.feeds.all.insert(at, feed);
            }
            desk.feeds.sign_ins.forget(sign_in);
            desk.password_arrived(id, typed, reply);
        });
        debug!(id, at = self.clock.ms(now), "a source of contacts is changed");
    }

    /// A source has come in or was changed: without the password that it needs it stands still; one that was typed is kept
    /// where passwords are kept.
    fn password_arrived(&mut self, id: u64, typed: Option<SecretString>, reply: Reply) {
        if let Some(feed) = self.feeds.get(id)
            && feed.password.is_none()
            && form::has_user(&feed.settings)
        {
            feed.stop(form::lack_of(&feed.settings));
        }
        let Some(password) = typed else { return reply(self.answer_source(id)) };
        self.keep_secret(secret_name(id), password, move |desk, _| reply(desk.answer_source(id)));
    }

    /// Takes a source away with its contacts and its password.
    pub(super) fn remove_contact_source(&mut self, id: u64, reply: Reply) {
        if self.feeds.get(id).is_some_and(|feed| feed.account().is_some()) {
            let message = "it goes with its account";
            return reply(Err(ErrorReply::new(Code::NotSupported, message)));
        }
        let remove = move |tables: &Tables<'_>| {
            let removed = tables.remove_source(id)?;
            Ok((removed, People::read(tables)?))
        };
        self.remembering(remove, move |desk, now, result| match result {
            Ok((removed, people)) => {
                desk.take_people(people);
                desk.feeds.all.retain(|feed| feed.id != id);
                desk.feeds.changed = true;
                desk.begin_calendars(now);
                desk.forget_source_secrets(vec![id]);
                reply(if removed { Ok(Answer::done()) } else { Err(no_entry()) });
            }
            Err(error) => reply(Err(refused(&error))),
        });
    }

    fn add_at_source(&mut self, id: u64, contact: NewContact, reply: Reply) {
        let contact = match form::contact_of(contact) {
            Ok(contact) => contact,
            Err(error) => return reply(Err(error)),
        };
        if !self.has_source(id) {
            return reply(Err(no_entry()));
        }
        let read = move |tables: &Tables<'_>| tables.read_so_far(id);
        self.remembering(read, move |desk, _, found| match found {
            Ok(Some(so_far)) => desk.send_contact(id, so_far.cursor, contact, reply),
            Ok(None) => reply(Err(no_entry())),
            Err(error) => reply(Err(refused(&error))),
        });
    }

    fn send_contact(&mut self, id: u64, cursor: String, contact: Contact, reply: Reply) {
        // Names of what is added must be others than those of earlier runs and other desks.
        let random = sip_core::Random::from_seed(rand_seed());
        let Some(feed) = self.feeds.get(id) else { return reply(Err(no_entry())) };
        let (settings, password) = (feed.settings.clone(), feed.password.clone());
        let work = apart(move |runtime| {
            let source = open(&settings, Access::with(password), random)?;
            runtime.block_on(source.add(&cursor, &contact))
        });
        self.later(work, move |desk, now, added| match added {
            Ok(()) => {
                if let Some(feed) = desk.feeds.get(id) {
                    feed.schedule.now(now);
                }
                reply(Ok(Answer::done()));
            }
            Err(error) => reply(Err(ErrorReply::new(form::code_of(&error), error.to_string()))),
        });
    }
}

fn failed_test(trouble: SourceTrouble, detail: Option<String>) -> SourceTest {
    let trouble = Some(trouble);
    SourceTest { ok: false, names: Vec::new(), takes_contacts: false, trouble, detail }
}
