//! What outlives a run: calls, contacts, notes, call-backs. The database does its work on a thread of its own; here
//! is what of it is in memory, and what is done with its answers.
//!
//! Calls on the embedded exchange are not kept: nobody real was called.

mod log;
mod people;
mod privacy;
mod roll;
mod rules;
mod same;
mod sources;
mod words;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contacts::NumberKey;
use store::{Database, Keep, Opened, PastCall, Place, Secrets, StoreError, Tables, Trouble};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use self::people::People;
pub(super) use self::sources::Feeds;
use super::desk::Desk;
use super::{Ask, Reply};
use crate::code::Code;
use crate::config::Config;
use crate::control::{Answer, Command, ErrorReply};
use crate::view::{CallDirection, CallOutcome, CalledBack, HistoryEntry};

/// Calls that are kept in memory.
const HISTORY: usize = 500;
/// Calls of a page when no limit is given, and those that are shown at once: the view goes out whole with every change.
pub(super) const PAGE: usize = 100;
/// Most calls of one page.
const MAX_PAGE: usize = 1000;
/// How long the end of the program waits for what is still to be written.
const FAREWELL: Duration = Duration::from_secs(3);
/// Ids of calls of earlier runs begin here: those of this run are smaller.
const EARLIER: u64 = 1 << 50;
/// Name of the database's file.
const FILE: &str = "balie.db";

/// The database and what of it is in memory.
pub(super) struct Memory {
    database: Database,
    people: People,
    /// Whether calls outlive the run.
    keeps: bool,
    /// Trouble that matters only once something is kept.
    untold: Option<Trouble>,
    /// The last failure that was told, so that it is told once.
    told: Option<StoreError>,
}

/// The database on its way, and how its opening went.
pub(super) struct Opening {
    database: Database,
    opened: oneshot::Receiver<Opened>,
    keeps: bool,
    /// A person chose to have what is secret in a keyring.
    wants_keyring: bool,
}

impl Opening {
    /// Begins to open the database: where the configuration says, else beside the settings file, else in memory.
    pub(super) fn begin(
        config: &Config,
        settings: Option<PathBuf>,
        secrets: &Arc<Secrets>,
    ) -> Opening {
        let folder = Some(config.paths.data_dir.clone()).filter(|dir| !dir.as_os_str().is_empty());
        let beside = || Some(settings?.with_file_name(FILE));
        let place = match folder.map(|folder| folder.join(FILE)).or_else(beside) {
            Some(path) => Place::File(path, Box::new(secrets.clone())),
            None => Place::Memory,
        };
        let keeps = config.privacy.history_days > 0;
        let (sender, opened) = oneshot::channel();
        let database = Database::start(place, move |how| {
            // The program may have ended meanwhile.
            let _ = sender.send(how);
        });
        Opening { database, opened, keeps, wants_keyring: secrets.is_lasting() }
    }
}

impl Memory {
    fn new(database: Database, keeps: bool) -> Memory {
        Memory { database, people: People::default(), keeps, untold: None, told: None }
    }
}

/// What is read at the start.
struct Start {
    calls: Vec<PastCall>,
    unseen: u32,
}

impl Desk {
    /// Takes the database over and reads what was kept.
    pub(super) fn open_memory(&mut self, now: Instant, opening: Opening) {
        let Opening { database, opened, keeps, wants_keyring } = opening;
        self.memory = Some(Memory::new(database, keeps));
        let told = async move { opened.await.ok() };
        self.later(told, move |desk, now, opened| {
            if let Some(opened) = opened {
                desk.memory_opened(now, opened, wants_keyring);
            }
        });
        let oldest = self.settings.config.privacy.oldest_ms(self.clock.ms(now));
        let read = move |tables: &Tables<'_>| {
            let gone = tables.forget_before(oldest)?;
            debug!(gone, "what was too old was forgotten");
            Ok(Start { calls: tables.calls(PAGE, None)?, unseen: tables.unseen_calls()? })
        };
        self.remembering(read, |desk, now, start| match start {
            Ok(start) => desk.recall(start),
            Err(error) => desk.memory_failed(now, &error),
        });
        self.read_people();
        self.begin_sources();
    }

    fn memory_opened(&mut self, now: Instant, opened: Opened, wants_keyring: bool) {
        if opened.keep == Keep::Memory && opened.trouble.is_none() {
            return;
        }
        match opened.trouble {
            None => {}
            Some(trouble @ Trouble::NotEncrypted(_)) => {
                let memory = self.memory.as_mut().filter(|_| wants_keyring);
                if let Some(memory) = memory {
                    memory.untold = Some(trouble);
                }
            }
            Some(trouble) => self.tell_trouble(now, trouble),
        }
    }

    fn tell_trouble(&mut self, now: Instant, trouble: Trouble) {
        let name = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let (code, detail) = match trouble {
            Trouble::NotEncrypted(why) => (Code::StoreNotEncrypted, Some(why)),
            Trouble::Locked(why) => (Code::StoreLocked, Some(why)),
            Trouble::KeyLost { aside } => (Code::StoreKeyLost, name(aside)),
            Trouble::Damaged { aside } => (Code::StoreDamaged, name(aside)),
            Trouble::Newer => (Code::StoreNewer, None),
            Trouble::Unusable(error) => (Code::StoreFailed, Some(error.to_string())),
        };
        self.notice(now, code, detail, false);
    }

    /// What was kept of earlier runs stands behind what happened meanwhile.
    fn recall(&mut self, start: Start) {
        let room = HISTORY.saturating_sub(self.history.len());
        self.history.extend(start.calls.into_iter().take(room).map(words::entry));
        self.missed = self.missed.saturating_add(start.unseen);
        self.people_are_near();
        self.publisher.changed();
    }

    /// Notes a call that is over, here and in the database.
    pub(super) fn remember(&mut self, now: Instant, entry: HistoryEntry) {
        if entry.outcome == CallOutcome::Answered {
            self.settle_missed(&entry);
        }
        if entry.outcome == CallOutcome::Missed {
            self.shell.missed(&entry);
        }
        let account = self.account(&entry.account);
        let demo = account.is_some_and(|account| account.demo);
        let by = self.called_by(&entry);
        let call = words::new_call(&entry, by.unwrap_or_default());
        self.history.push_front(entry);
        self.history.truncate(HISTORY);
        self.people_are_near();
        if demo || !self.memory.as_ref().is_some_and(|memory| memory.keeps) {
            return;
        }
        self.tell_untold(now);
        let oldest = self.settings.config.privacy.oldest_ms(self.clock.ms(now));
        let keep = move |tables: &Tables<'_>| {
            tables.forget_before(oldest)?;
            tables.add_call(&call)
        };
        self.remembering(keep, |desk, now, kept| {
            if let Err(error) = kept {
                desk.memory_failed(now, &error);
            }
        });
    }

    /// Tells what matters once something is kept.
    fn tell_untold(&mut self, now: Instant) {
        if let Some(trouble) = self.memory.as_mut().and_then(|memory| memory.untold.take()) {
            self.tell_trouble(now, trouble);
        }
    }

    /// Who has spoken with the other side: the name of the account, for "called back by".
    fn called_by(&self, entry: &HistoryEntry) -> Option<String> {
        let account = self.account(&entry.account)?;
        let name = Some(account.settings.display_name.clone()).filter(|name| !name.is_empty());
        name.or_else(|| sip_types::Uri::parse(&account.settings.aor).ok()?.user())
    }

    /// A conversation settles the missed calls of that number.
    fn settle_missed(&mut self, entry: &HistoryEntry) {
        let Some(key) = words::key_of(&entry.peer) else { return };
        let by = self.called_by(entry);
        let open = |past: &&mut HistoryEntry| {
            past.outcome == CallOutcome::Missed
                && past.called_back.is_none()
                && past.started_ms <= entry.started_ms
        };
        for past in self.history.iter_mut().filter(open) {
            if words::key_of(&past.peer).as_ref() == Some(&key) {
                past.called_back = Some(CalledBack { at_ms: entry.started_ms, by: by.clone() });
            }
        }
    }

    /// The missed calls were looked at.
    pub(super) fn see_missed(&mut self) {
        self.missed = 0;
        self.publisher.changed();
        self.remembering(
            |tables| tables.see_calls(),
            |desk, now, seen| {
                if let Err(error) = seen {
                    desk.memory_failed(now, &error);
                }
            },
        );
    }

    /// Answers what needs the database; gives back what does not.
    pub(super) fn ask_memory(&mut self, now: Instant, ask: Ask) -> Option<Ask> {
        let Ask { command, reply } = ask;
        match command {
            Command::HistoryList { limit, before_ms, number: Some(number) } => {
                self.list_with(limit, before_ms, &number, reply);
            }
            Command::HistoryList { limit, before_ms: Some(before), number: None } => {
                let limit = page(limit);
                self.reply_from(
                    move |tables| tables.calls(limit, Some(before)),
                    reply,
                    move |desk, calls| Answer::History(desk.page(calls, before, limit)),
                );
            }
            Command::People(command) => self.ask_people(now, command, reply),
            Command::Sources(command) => self.ask_sources(now, command, reply),
            command => return Some(Ask { command, reply }),
        }
        None
    }

    /// A page of calls that are kept, and between them those that only this run remembers; newest first.
    fn page(&self, kept: Vec<PastCall>, before_ms: u64, limit: usize) -> Vec<HistoryEntry> {
        let mut calls: Vec<HistoryEntry> = kept.into_iter().map(words::entry).collect();
        let is_kept = |one: &HistoryEntry| {
            let same = |kept: &HistoryEntry| {
                kept.started_ms == one.started_ms && kept.peer.number == one.peer.number
            };
            calls.iter().any(same)
        };
        let of_this_run = |one: &&HistoryEntry| one.id < EARLIER && one.started_ms < before_ms;
        let unkept: Vec<HistoryEntry> =
            self.history.iter().filter(of_this_run).filter(|one| !is_kept(one)).cloned().collect();
        calls.extend(unkept);
        calls.sort_by_key(|one| std::cmp::Reverse(one.started_ms));
        calls.truncate(limit);
        calls
    }

    fn list_with(
        &mut self,
        limit: Option<u32>,
        before_ms: Option<u64>,
        number: &str,
        reply: Reply,
    ) {
        let Some(key) = NumberKey::of(number) else { return reply(Err(no_number(number))) };
        let limit = page(limit);
        let read = move |tables: &Tables<'_>| {
            let mut calls = tables.calls_with(&key, MAX_PAGE)?;
            calls.retain(|call| before_ms.is_none_or(|before| call.call.started_ms < before));
            calls.truncate(limit);
            Ok(calls)
        };
        self.reply_from(read, reply, |_, calls| {
            Answer::History(calls.into_iter().map(words::entry).collect())
        });
    }

    /// Does work in the database and answers with what came of it.
    fn reply_from<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Tables<'_>) -> Result<T, StoreError> + Send + 'static,
        reply: Reply,
        answer: impl FnOnce(&mut Desk, T) -> Answer + Send + 'static,
    ) {
        self.remembering(work, move |desk, _, result| match result {
            Ok(found) => reply(Ok(answer(desk, found))),
            Err(error) => reply(Err(refused(&error))),
        });
    }

    /// Does work in the database; what came of it is handled by the loop.
    fn remembering<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Tables<'_>) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&mut Desk, Instant, Result<T, StoreError>) + Send + 'static,
    ) {
        let (sender, answer) = oneshot::channel();
        match &self.memory {
            Some(memory) => memory.database.submit(work, move |result| {
                // The program may have ended meanwhile.
                let _ = sender.send(result);
            }),
            None => drop(sender),
        }
        self.later(async move { answer.await.unwrap_or(Err(StoreError::Closed)) }, then);
    }

    /// Told once for each kind of failure: every call would tell it again.
    fn memory_failed(&mut self, now: Instant, error: &StoreError) {
        warn!(%error, "something could not be kept");
        let Some(memory) = &mut self.memory else { return };
        if memory.told.as_ref() != Some(error) {
            memory.told = Some(error.clone());
            self.notice(now, Code::StoreFailed, Some(error.to_string()), false);
        }
    }

    /// At the end of the program: waits, not for long, until everything is written and the file is closed.
    pub(super) async fn close_memory(&mut self) {
        let Some(memory) = self.memory.take() else { return };
        let closed = tokio::task::spawn_blocking(move || memory.database.close());
        if tokio::time::timeout(FAREWELL, closed).await.is_err() {
            warn!("not everything was written before the end");
        }
    }
}

fn page(limit: Option<u32>) -> usize {
    limit.map_or(PAGE, |limit| limit as usize).min(MAX_PAGE)
}

fn no_number(text: &str) -> ErrorReply {
    ErrorReply::new(Code::BadTarget, format!("{text:?} is no number"))
}

fn refused(error: &StoreError) -> ErrorReply {
    ErrorReply::new(Code::StoreFailed, error.to_string())
}

/// For calls of this run only: what the demo's tests and people see first.
impl Desk {
    /// True when nothing was called in this run.
    pub(super) fn is_untouched(&self) -> bool {
        self.lines.is_empty() && self.history.iter().all(|past| past.id >= EARLIER)
    }
}

/// The last calls of everybody, newest first, as the numbers they are matched by.
fn recent(history: &VecDeque<HistoryEntry>, limit: usize) -> impl Iterator<Item = NumberKey> {
    history.iter().take(limit).filter_map(|past| words::key_of(&past.peer))
}

/// Directions and outcomes are the same words on both sides; a table keeps them so.
const DIRECTIONS: [(CallDirection, store::Direction); 2] =
    [(CallDirection::In, store::Direction::In), (CallDirection::Out, store::Direction::Out)];
const OUTCOMES: [(CallOutcome, store::Outcome); 7] = [
    (CallOutcome::Answered, store::Outcome::Answered),
    (CallOutcome::Missed, store::Outcome::Missed),
    (CallOutcome::Declined, store::Outcome::Declined),
    (CallOutcome::NoAnswer, store::Outcome::NoAnswer),
    (CallOutcome::Busy, store::Outcome::Busy),
    (CallOutcome::Failed, store::Outcome::Failed),
    (CallOutcome::Placed, store::Outcome::Placed),
];
