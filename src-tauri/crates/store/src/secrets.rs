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

/// Bytes of one entry. Windows takes 2,560 bytes of UTF-16, and what signing in gives is longer than that.
const ENTRY: usize = 1_200;
/// Most entries of one secret.
const PARTS: usize = 32;
/// What an entry begins with that only tells in how many others the secret is. No password begins so.
const HEAD: &str = "\u{1}balie-parts=";

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
        match self.write(name, secret) {
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
        let found = self.read(name)?;
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
        let count = self.entry(name).map(|head| head.as_ref().and_then(parts_told));
        let parts = (0..count.ok().flatten().unwrap_or(0)).map(|part| part_name(name, part));
        for name in parts.chain([name.to_owned()]) {
            let removed = self.ask(&name, |entry| match entry.delete_credential() {
                Err(Error::NoEntry) => Ok(()),
                other => other,
            });
            if let Err(error) = removed {
                warn!(%error, "a password could not be removed from the keyring");
                return;
            }
        }
    }

    /// Writes a secret; a long one in parts, and what tells of them last.
    fn write(&self, name: &str, secret: &SecretString) -> Result<(), SecretsError> {
        let keep = |name: &str, text: SecretString| {
            self.ask(name, move |entry| entry.set_password(text.expose_secret()))
        };
        let parts = split(secret);
        if parts.len() == 1 {
            return keep(name, secret.clone());
        }
        if parts.len() > PARTS {
            return Err(SecretsError::Unavailable("the secret is too long".to_owned()));
        }
        let head = SecretString::from(format!("{HEAD}{}", parts.len()));
        for (part, text) in parts.into_iter().enumerate() {
            keep(&part_name(name, part), text)?;
        }
        keep(name, head)
    }

    /// Reads it back; none also where a part is missing.
    fn read(&self, name: &str) -> Result<Option<SecretString>, SecretsError> {
        let found = self.entry(name)?;
        let Some(count) = found.as_ref().and_then(parts_told) else { return Ok(found) };
        let mut whole = String::new();
        for part in 0..count {
            match self.entry(&part_name(name, part))? {
                Some(text) => whole.push_str(text.expose_secret()),
                None => return Ok(None),
            }
        }
        Ok(Some(SecretString::from(whole)))
    }

    fn entry(&self, name: &str) -> Result<Option<SecretString>, SecretsError> {
        self.ask(name, |entry| match entry.get_password() {
            Ok(password) => Ok(Some(SecretString::from(password))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
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

fn part_name(name: &str, part: usize) -> String {
    format!("{name}#{part}")
}

/// In how many entries a secret is, where this one tells it.
fn parts_told(head: &SecretString) -> Option<usize> {
    let count = head.expose_secret().strip_prefix(HEAD)?.parse().ok()?;
    (count <= PARTS).then_some(count)
}

/// A secret in parts that fit into an entry; characters stay whole.
fn split(secret: &SecretString) -> Vec<SecretString> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for char in secret.expose_secret().chars() {
        if part.len() + char.len_utf8() > ENTRY {
            parts.push(SecretString::from(std::mem::take(&mut part)));
        }
        part.push(char);
    }
    parts.push(SecretString::from(part));
    parts
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
    fn a_long_secret_is_cut_between_characters_and_only_its_head_tells_so() {
        let long = SecretString::from("é".repeat(ENTRY));
        let parts = split(&long);
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.expose_secret().len() <= ENTRY));
        let whole: String = parts.iter().map(|part| part.expose_secret()).collect();
        assert_eq!(whole, long.expose_secret());
        assert_eq!(split(&SecretString::from("")).len(), 1);
        let told = |text: &str| parts_told(&SecretString::from(text));
        assert_eq!(told(&format!("{HEAD}2")), Some(2));
        for other in ["hunter2", "balie-parts=2", &format!("{HEAD}x"), &format!("{HEAD}33")] {
            assert_eq!(told(other), None, "{other:?}");
        }
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
