//! Passwords: in the system's keyring, or for this session in memory when there is none.
//!
//! The keyring may ask its user to unlock it and may hang when its service does. Every call therefore
//! runs on a thread of its own and is waited for a bounded time; still, call from a blocking task.

use std::collections::HashMap;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};
use tracing::{debug, warn};

/// How long the keyring may take. A person may have to type a password to unlock it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a password was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In the keyring.
    Keyring,
    /// In memory: it is gone when the program ends.
    Session,
}

/// Why the keyring did not serve.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// There is none, or it is locked.
    #[error("no keyring: {0}")]
    Unavailable(String),
    /// It does not answer.
    #[error("the keyring does not answer")]
    Timeout,
}

/// The passwords of one program.
#[derive(Debug)]
pub struct Secrets {
    service: String,
    keyring: bool,
    patience: Duration,
    session: Mutex<HashMap<String, SecretString>>,
}

impl Secrets {
    /// Secrets in the keyring under this service name, with memory as the fallback.
    pub fn keyring(service: &str) -> Secrets {
        Secrets {
            service: service.to_owned(),
            keyring: true,
            patience: PATIENCE,
            session: Mutex::default(),
        }
    }

    /// The same, waiting no longer than this for the keyring instead of 10 s.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Secrets {
        Secrets { patience, ..self }
    }

    /// Secrets in memory only: for the headless program and tests.
    pub fn session() -> Secrets {
        Secrets { keyring: false, ..Secrets::keyring("") }
    }

    /// True when what is kept may outlive the program.
    pub fn is_lasting(&self) -> bool {
        self.keyring
    }

    /// Keeps a password; in memory too, so that this session never asks again. Blocks, up to 10 s.
    pub fn set(&self, name: &str, secret: &SecretString) -> Kept {
        self.lock().insert(name.to_owned(), secret.clone());
        if !self.keyring {
            return Kept::Session;
        }
        let password = secret.clone();
        match self.ask(name, move |entry| entry.set_password(password.expose_secret())) {
            Ok(()) => Kept::Keyring,
            Err(error) => {
                warn!(%error, "a password is kept for this session only");
                Kept::Session
            }
        }
    }

    /// A password, or none when it is not known. Blocks, up to 10 s.
    ///
    /// # Errors
    /// When it is not in memory and the keyring does not serve.
    pub fn get(&self, name: &str) -> Result<Option<SecretString>, SecretsError> {
        if let Some(secret) = self.lock().get(name) {
            return Ok(Some(secret.clone()));
        }
        if !self.keyring {
            return Ok(None);
        }
        let found = self.ask(name, |entry| match entry.get_password() {
            Ok(password) => Ok(Some(SecretString::from(password))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })?;
        if let Some(secret) = &found {
            self.lock().insert(name.to_owned(), secret.clone());
        }
        Ok(found)
    }

    /// Forgets a password, here and in the keyring. Blocks, up to 10 s.
    pub fn remove(&self, name: &str) {
        self.lock().remove(name);
        if !self.keyring {
            return;
        }
        let removed = self.ask(name, |entry| match entry.delete_credential() {
            Err(Error::NoEntry) => Ok(()),
            other => other,
        });
        if let Err(error) = removed {
            warn!(%error, "a password could not be removed from the keyring");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, SecretString>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask<T: Send + 'static>(
        &self,
        name: &str,
        ask: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, SecretsError> {
        let (service, name) = (self.service.clone(), name.to_owned());
        bounded(self.patience, move || {
            let entry = Entry::new(&service, &name).map_err(unavailable)?;
            ask(&entry).map_err(unavailable)
        })
    }
}

/// The error's kind only: some kinds carry the secret's bytes.
fn unavailable(error: Error) -> SecretsError {
    SecretsError::Unavailable(match error {
        Error::NoDefaultStore => "there is no keyring service".to_owned(),
        Error::PlatformFailure(source) | Error::NoStorageAccess(source) => source.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the entry is damaged".to_owned(),
        _ => "the keyring refused".to_owned(),
    })
}

/// Runs work on a thread of its own and waits for it so long.
fn bounded<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> Result<T, SecretsError> + Send + 'static,
) -> Result<T, SecretsError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let spawned = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
        if sender.send(work()).is_err() {
            debug!("the keyring answered too late");
        }
    });
    spawned.map_err(|error| SecretsError::Unavailable(error.to_string()))?;
    match receiver.recv_timeout(patience) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(SecretsError::Timeout),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(SecretsError::Unavailable("the keyring failed".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_keeps_a_password_for_the_session() {
        let secrets = Secrets::session();
        assert!(secrets.get("main").unwrap().is_none());
        assert_eq!(secrets.set("main", &SecretString::from("pw")), Kept::Session);
        assert_eq!(secrets.get("main").unwrap().unwrap().expose_secret(), "pw");
        secrets.remove("main");
        assert!(secrets.get("main").unwrap().is_none());
    }

    #[test]
    fn nothing_shows_a_password() {
        let secrets = Secrets::session();
        secrets.set("main", &SecretString::from("hunter2"));
        assert!(!format!("{secrets:?}").contains("hunter2"));
        let error = unavailable(Error::BadEncoding(b"hunter2".to_vec()));
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }

    #[test]
    fn a_silent_keyring_is_given_up() {
        let (never, silent) = mpsc::channel::<()>();
        let result: Result<(), _> = bounded(Duration::from_millis(20), move || {
            let _ = silent.recv();
            Ok(())
        });
        assert!(matches!(result, Err(SecretsError::Timeout)));
        drop(never);
    }

    #[test]
    fn a_failing_keyring_is_told() {
        let result: Result<(), _> =
            bounded(Duration::from_secs(5), || Err(unavailable(Error::NoDefaultStore)));
        assert!(matches!(result, Err(SecretsError::Unavailable(_))));
    }
}
