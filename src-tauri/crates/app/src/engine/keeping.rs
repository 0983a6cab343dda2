//! Passwords on their way to where they are kept, and out of it. They are kept and removed one after another, so that the last word
//! counts, and the end of the program waits for them: what was taken back must not be there at the next start.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use store::{Kept, Secrets};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::warn;

use super::Reply;
use super::desk::Desk;
use crate::code::Code;
use crate::config::AccountSettings;
use crate::control::Answer;

/// How long the end of the program waits for a keyring.
const FAREWELL: Duration = Duration::from_secs(3);

type Work = Box<dyn FnOnce() + Send>;

/// What is yet to be kept and removed.
pub(super) struct Keeping {
    /// None: the program ends.
    queue: Option<mpsc::UnboundedSender<Work>>,
    worker: JoinHandle<()>,
}

impl Keeping {
    /// Begins with nothing to do.
    pub(super) fn start() -> Keeping {
        let (queue, mut work) = mpsc::unbounded_channel::<Work>();
        let worker = tokio::spawn(async move {
            while let Some(work) = work.recv().await {
                if let Err(error) = spawn_blocking(work).await {
                    warn!(%error, "a password was not kept or removed");
                }
            }
        });
        Keeping { queue: Some(queue), worker }
    }

    /// Does this after all that was asked for before; what came of it, unless it was not done.
    fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, done) = oneshot::channel();
        if let Some(queue) = &self.queue {
            let work: Work = Box::new(move || {
                // Whoever wanted to know may have ended.
                let _ = sender.send(work());
            });
            if queue.send(work).is_err() {
                warn!("passwords are kept no longer");
            }
        }
        done
    }

    /// Waits, not for long, until everything is done.
    async fn close(&mut self) {
        self.queue = None;
        if tokio::time::timeout(FAREWELL, &mut self.worker).await.is_err() {
            warn!("the keyring has not taken everything before the end");
        }
    }
}

impl Desk {
    /// Keeps a password where passwords are kept, and says so once where that is only this session; `then` is told whether it is.
    pub(super) fn keep_secret(
        &self,
        name: String,
        secret: SecretString,
        then: impl FnOnce(&mut Desk, bool) + Send + 'static,
    ) {
        let secrets = self.settings.secrets.clone();
        let kept = self.keeping.submit(move || secrets.set(&name, &secret));
        self.later(kept, move |desk, now, kept| {
            let session_only = !matches!(kept, Ok(Kept::Keyring));
            if session_only && desk.settings.is_kept() {
                desk.notice(now, Code::NoKeyring, None, false);
            }
            then(desk, session_only);
        });
    }

    /// Keeps another password of an account, and answers then. `mark` is for its settings, running and written: where it is from
    /// now on.
    pub(super) fn keep_given_secret(
        &mut self,
        now: Instant,
        account: &str,
        mark: impl Fn(&mut AccountSettings),
        (name, secret): (String, SecretString),
        reply: Reply,
    ) {
        self.mark_kept(now, account, mark);
        self.keep_secret(name, secret, |_, _| reply(Ok(Answer::done())));
    }

    /// Marks in the settings of an account, running and written, where a password is, if settings are kept at all.
    pub(super) fn mark_kept(
        &mut self,
        now: Instant,
        account: &str,
        mark: impl Fn(&mut AccountSettings),
    ) {
        if !self.settings.is_kept() {
            return;
        }
        let running = self.accounts.iter_mut().map(|account| &mut account.settings);
        let written = &mut self.settings.config.accounts;
        running.chain(written).filter(|settings| settings.id == account).for_each(mark);
        self.keep_settings(now);
    }

    /// Forgets passwords, here and in the keyring.
    pub(super) fn forget_secrets(&self, names: Vec<String>) {
        let secrets = self.settings.secrets.clone();
        let remove = move |secrets: &Secrets| names.iter().for_each(|name| secrets.remove(name));
        drop(self.keeping.submit(move || remove(&secrets)));
    }

    /// At the end of the program: waits, not for long, until passwords are kept and removed as was asked.
    pub(super) async fn close_keeping(&mut self) {
        self.keeping.close().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn the_last_word_counts_and_the_end_waits_for_it() {
        let mut keeping = Keeping::start();
        let (said, (hold, held)) =
            (Arc::new(Mutex::new(Vec::new())), std::sync::mpsc::channel::<()>());
        let say = |word: &'static str| {
            let said = said.clone();
            move || said.lock().unwrap().push(word)
        };
        let first = say("set");
        let slow = keeping.submit(move || {
            held.recv().unwrap_err();
            first();
        });
        let removed = keeping.submit(say("removed"));
        assert!(said.lock().unwrap().is_empty(), "the first is under way");
        drop(hold);
        keeping.close().await;
        assert_eq!(*said.lock().unwrap(), ["set", "removed"]);
        assert!(slow.await.is_ok() && removed.await.is_ok());
        assert!(keeping.submit(say("late")).await.is_err(), "the end has been");
    }

    #[tokio::test(start_paused = true)]
    async fn a_keyring_that_hangs_does_not_hold_up_the_end() {
        let mut keeping = Keeping::start();
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let stuck = keeping.submit(move || held.recv().is_err());
        // The clock stands still while a thread works.
        tokio::join!(keeping.close(), tokio::time::advance(FAREWELL));
        drop(hold);
        assert!(stuck.await.unwrap());
    }
}
