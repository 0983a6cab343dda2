//! Notes of calls written in the calendars of sources that were asked for it: queued with the note, written when the server can be
//! reached, tried again ever more seldom, and never twice: what an entry is called is decided once.

use std::time::{Duration, Instant};

use contact_sources::{CallNote, Schedule, SourceError};
use sip_core::Random;
use store::{Entry, StoreError, Tables};
use tracing::{debug, info};

use super::super::super::desk::{Desk, rand_seed};
use super::form::{self, open};
use super::sign_in::Held;
use super::{Feed, apart};

/// How often it is looked whether something is left over.
const EVERY: Duration = Duration::from_secs(3600);

/// When the notes of a source are written; none: it was not asked for that.
pub(super) fn schedule(now: Instant, wanted: bool, random: &mut Random) -> Option<Schedule> {
    wanted.then(|| Schedule::new(now, EVERY, random))
}

/// A note that goes in the queues of sources.
pub(in crate::engine::memory) struct Queued {
    who: String,
    /// Sources, and what the entry is called at each.
    at: Vec<(u64, String)>,
}

impl Queued {
    /// Puts it there, in the same go as the note itself.
    pub(in crate::engine::memory) fn keep(
        &self,
        tables: &Tables<'_>,
        note: u64,
    ) -> Result<(), StoreError> {
        self.at.iter().try_for_each(|(source, uid)| tables.add_entry(note, *source, uid, &self.who))
    }
}

impl Feed {
    /// When the next note is written; none: nothing is to be written, it is being written, or somebody must change something
    /// first.
    pub(super) fn journal_due(&self) -> Option<Instant> {
        let opens = self.ready && (self.password.is_some() || !form::has_user(&self.settings));
        self.journal.as_ref().filter(|_| opens).and_then(Schedule::due)
    }
}

impl Desk {
    /// Where a note of this number goes.
    pub(in crate::engine::memory) fn queue_note(&self, number: &str) -> Queued {
        // Names must be others than those of earlier runs and other desks.
        let mut random = Random::from_seed(rand_seed());
        let wanted = self.feeds.all.iter().filter(|feed| feed.journal.is_some());
        let at = wanted.map(|feed| (feed.id, random.uuid())).collect();
        let names = self.contact_names(number);
        let who = match names.as_slice() {
            [name] => format!("{name} ({})", contacts::show(number)),
            _ => contacts::show(number),
        };
        Queued { who, at }
    }

    /// Something was queued.
    pub(in crate::engine::memory) fn write_notes(&mut self, now: Instant) {
        for schedule in self.feeds.all.iter_mut().filter_map(|feed| feed.journal.as_mut()) {
            schedule.now(now);
        }
    }

    /// Writes the next note wherever that is due.
    pub(super) fn journal_on_time(&mut self, now: Instant) {
        let mut begin = Vec::new();
        for feed in &mut self.feeds.all {
            if feed.journal_due().is_some_and(|due| due <= now)
                && let Some(schedule) = &mut feed.journal
            {
                schedule.begin();
                begin.push((feed.id, feed.generation));
            }
        }
        for (id, generation) in begin {
            let read =
                move |tables: &Tables<'_>| Ok((tables.next_entry(id)?, tables.entries_left(id)?));
            self.remembering(read, move |desk, now, found| match found {
                Ok((Some(entry), left)) => desk.write_note(id, generation, entry, left),
                Ok((None, _)) => desk.note_done(now, id, generation, Ok(false)),
                Err(error) => {
                    debug!(%error, "what is left to write is not known");
                    desk.note_done(now, id, generation, Ok(false));
                }
            });
        }
    }

    fn write_note(&mut self, id: u64, generation: u64, entry: Entry, left: u64) {
        let random = self.random.fork();
        let Some(feed) = self.feeds.same(id, generation) else { return };
        let (settings, password) = (feed.settings.clone(), feed.password.clone());
        let held = Held::new(Some((id, self.settings.secrets.clone())));
        let access = held.access(password);
        let server = form::server_of(&settings);
        let Entry { uid, who, text, at_ms, .. } = entry;
        let note = CallNote { uid: uid.clone(), who, text, at_ms };
        let work = apart(move |runtime| {
            let source = open(&settings, access, random)?;
            runtime.block_on(source.write_note(&note))
        });
        self.later(work, move |desk, now, written| {
            desk.secret_renewed(Some(id), None, &server, &held);
            if let Err(error) = written {
                return desk.note_done(now, id, generation, Err((error, left)));
            }
            let keep = move |tables: &Tables<'_>| tables.entry_written(&uid);
            desk.remembering(keep, move |desk, now, kept| {
                if let Err(error) = &kept {
                    desk.memory_failed(now, error);
                }
                // What could not be crossed out would be written again and again.
                desk.note_done(now, id, generation, Ok(kept.is_ok()));
            });
        });
    }

    /// One is written (true: there may be another), or could not be: why, and how many wait for that.
    fn note_done(
        &mut self,
        now: Instant,
        id: u64,
        generation: u64,
        done: Result<bool, (SourceError, u64)>,
    ) {
        let Some(feed) = self.feeds.all.iter_mut().find(|feed| feed.id == id) else { return };
        let Some(schedule) = feed.journal.as_mut().filter(|_| feed.generation == generation) else {
            return;
        };
        let before = feed.unwritten;
        match done {
            Ok(more) => {
                schedule.succeeded(now, &mut self.random);
                if more {
                    schedule.now(now);
                }
                feed.unwritten = None;
            }
            Err((error, left)) => {
                info!(id, %error, "a note could not be written in the calendar");
                schedule.failed(now, &error, &mut self.random);
                feed.unwritten = Some((left, form::trouble_of(&error)));
            }
        }
        // While it goes on failing, the time of the next try is another one each time.
        self.feeds.changed |= before.is_some() || feed.unwritten.is_some();
    }
}
