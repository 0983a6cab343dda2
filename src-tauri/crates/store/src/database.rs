//! The database on a thread of its own: work is handed in, the answer comes back from that thread.
//!
//! One connection, one owner. Work is done in the order it was handed in, each piece in one transaction; what was
//! answered with `Ok` is on the disk. Nobody ever waits here: when the disk is so slow that [`WAITING`] pieces
//! wait, more are refused.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, TransactionBehavior};
use tracing::{error, warn};

use crate::open::{self, Keep, KeySource, Opened, Trouble};
use crate::tables::{StoreError, Tables};

/// Pieces of work that may wait.
const WAITING: usize = 4096;

/// Where the database is.
pub enum Place {
    /// Nothing outlives the run.
    Memory,
    /// A file and where its key is kept.
    File(PathBuf, Box<dyn KeySource>),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Memory => f.write_str("Memory"),
            Place::File(path, _) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// A piece of work; it answers by itself, also when there is nothing to work with.
type Work = Box<dyn FnOnce(Result<&mut Connection, StoreError>) + Send>;

/// Hands work to the database. When it is gone the work that waits is done and the file is closed; [`close`](Self::close)
/// waits for that.
#[derive(Debug)]
pub struct Database {
    work: SyncSender<Work>,
    thread: Option<JoinHandle<()>>,
}

impl Database {
    /// Opens the database on a thread of its own. `opened` is called there, before any work is done.
    pub fn start(place: Place, opened: impl FnOnce(Opened) + Send + 'static) -> Database {
        let (sender, work) = sync_channel(WAITING);
        let run = move || match start(place) {
            Ok((sql, how)) => {
                opened(how);
                serve(sql, &work);
            }
            Err(error) => {
                error!(%error, "there is no database");
                let trouble = Some(Trouble::Unusable(error.clone()));
                opened(Opened { keep: Keep::Memory, trouble });
                for work in &work {
                    work(Err(error.clone()));
                }
            }
        };
        // Without a thread every piece of work is refused as it is handed in.
        let thread = thread::Builder::new().name("database".to_owned()).spawn(run);
        if let Err(error) = &thread {
            warn!(%error, "there is no thread for the database");
        }
        Database { work: sender, thread: thread.ok() }
    }

    /// Waits until the work that waits is done, the file is closed and the thread has ended. A program must not end
    /// before: the ciphers' library is taken down with it, under the hands of a thread that still writes.
    pub fn close(self) {
        drop(self.work);
        if self.thread.is_some_and(|thread| thread.join().is_err()) {
            error!("the database's thread ended badly");
        }
    }

    /// Does `work` in one transaction. `then` is called from the database's thread with what came of it, after the
    /// commit; from here at once when it cannot even be handed in.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tables<'_>) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        // Shared, so that whoever has it last answers, and only once.
        let then = std::sync::Arc::new(std::sync::Mutex::new(Some(then)));
        let answer = move |result: Result<T, StoreError>| {
            let then = then.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            if let Some(then) = then {
                then(result);
            }
        };
        let refused = answer.clone();
        let piece: Work = Box::new(move |sql| answer(sql.and_then(|sql| transact(sql, work))));
        match self.work.try_send(piece) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => refused(Err(StoreError::Overloaded)),
            Err(TrySendError::Disconnected(_)) => refused(Err(StoreError::Closed)),
        }
    }
}

fn start(place: Place) -> Result<(Connection, Opened), StoreError> {
    match place {
        Place::Memory => Ok((open::memory()?, Opened { keep: Keep::Memory, trouble: None })),
        Place::File(path, keys) => open::open(&path, keys.as_ref()),
    }
}

fn serve(mut sql: Connection, work: &Receiver<Work>) {
    for work in work {
        work(Ok(&mut sql));
    }
    if let Err((_, error)) = sql.close() {
        warn!(error = %StoreError::from(error), "the database was not closed in good order");
    }
}

fn transact<T>(
    sql: &mut Connection,
    work: impl FnOnce(&Tables<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables = Tables::new(&transaction);
    let result = work(&tables)?;
    let erased = tables.erased.get();
    transaction.commit()?;
    if erased {
        // The log still holds the pages as they were. Another program that reads may be in the way; then it goes later.
        sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    }
    Ok(result)
}

#[cfg(test)]
mod tests;
