//! Opening the database: its key, its form, and what is done when either is not as it should be.
//!
//! | file | keyring | what happens |
//! |---|---|---|
//! | none | keeps a new key | a new, encrypted file |
//! | none | none | a new file in clear, told |
//! | encrypted | has the key | opened |
//! | encrypted | does not answer | the file is left alone, this run keeps everything in memory, told |
//! | encrypted | answers and has no key, or another one | the file is set aside, a new one begun, told |
//! | in clear | keeps a key | the file is encrypted |
//! | in clear | none | opened, told |
//! | damaged | | set aside, a new one begun, told |
//! | newer form | | left alone, this run keeps everything in memory, told |
//! | cannot be opened or written | | this run keeps everything in memory, told |
//!
//! A file that was set aside stays there under another name: what it holds may be rescued.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use secrecy::{ExposeSecret, SecretString};
use tracing::{info, warn};

use crate::schema;
use crate::secrets::{Kept, Secrets, SecretsError};
use crate::tables::StoreError;

/// Name of the key in the keyring. Passwords stand there by the ids of their accounts, which have no space when they are
/// made here: a user may well be called `database`.
const KEY: &str = "database key";
/// The first bytes of a file in clear.
const CLEAR: &[u8; 16] = b"SQLite format 3\0";
/// How long a statement waits for another program that writes.
const BUSY: Duration = Duration::from_secs(5);

/// Where the key is kept.
pub trait KeySource: Send {
    /// The key; none: the keyring answers and has none.
    ///
    /// # Errors
    /// When there is no keyring or it does not answer.
    fn key(&self) -> Result<Option<SecretString>, SecretsError>;

    /// Keeps a key. False: it would not outlive the program.
    fn keep(&self, key: &SecretString) -> bool;
}

impl KeySource for std::sync::Arc<Secrets> {
    fn key(&self) -> Result<Option<SecretString>, SecretsError> {
        if !self.is_lasting() {
            return Err(SecretsError::Unavailable("none is used in this run".to_owned()));
        }
        self.get(KEY)
    }

    fn keep(&self, key: &SecretString) -> bool {
        self.is_lasting() && self.set(KEY, key) == Kept::Keyring
    }
}

/// How what is kept is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// In an encrypted file.
    Encrypted,
    /// In a file in clear that only its owner can read.
    Clear,
    /// In memory: it is gone when the program ends.
    Memory,
}

/// What somebody must know of the opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// There is no keyring, or this build cannot encrypt: the file is in clear.
    NotEncrypted(String),
    /// The keyring does not hand the key out now.
    Locked(String),
    /// The key is gone for good; the file was set aside.
    KeyLost {
        /// Where it is now.
        aside: PathBuf,
    },
    /// The file is damaged; it was set aside.
    Damaged {
        /// Where it is now.
        aside: PathBuf,
    },
    /// A newer version of the program wrote the file.
    Newer,
    /// The file cannot be opened or written.
    Unusable(StoreError),
}

/// How opening went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Where everything is kept in this run.
    pub keep: Keep,
    /// What must be told.
    pub trouble: Option<Trouble>,
}

/// Opens the file, or memory when the file cannot be used.
pub(crate) fn open(path: &Path, keys: &dyn KeySource) -> Result<(Connection, Opened), StoreError> {
    match open_file(path, keys) {
        Ok((sql, keep, trouble)) => {
            info!(?keep, "the database is open");
            Ok((sql, Opened { keep, trouble }))
        }
        Err(trouble) => {
            warn!(?trouble, "what is kept is kept in memory only");
            Ok((memory()?, Opened { keep: Keep::Memory, trouble: Some(trouble) }))
        }
    }
}

/// A database in memory.
pub(crate) fn memory() -> Result<Connection, StoreError> {
    let mut sql = Connection::open_in_memory()?;
    schema::migrate(&mut sql)?;
    Ok(sql)
}

type Open = (Connection, Keep, Option<Trouble>);

fn open_file(path: &Path, keys: &dyn KeySource) -> Result<Open, Trouble> {
    prepare_folder(path).map_err(|error| unusable(&error))?;
    let found = look(path).map_err(|error| unusable(&error))?;
    match found {
        Found::Nothing => begin(path, keys, None),
        Found::Clear => match connect(path, None) {
            Ok(sql) => encrypt_if_possible(path, keys, sql),
            Err(StoreError::Damaged) => {
                set_aside_and_begin(path, keys, |aside| Trouble::Damaged { aside })
            }
            Err(error) => Err(trouble_of(error)),
        },
        Found::Sealed => match keys.key() {
            Err(error) => Err(Trouble::Locked(error.to_string())),
            Ok(Some(key)) => match connect(path, Some(&key)) {
                Ok(sql) => Ok((sql, Keep::Encrypted, None)),
                Err(StoreError::Damaged) => {
                    set_aside_and_begin(path, keys, |aside| Trouble::KeyLost { aside })
                }
                Err(error) => Err(trouble_of(error)),
            },
            Ok(None) => set_aside_and_begin(path, keys, |aside| Trouble::KeyLost { aside }),
        },
    }
}

/// Begins a new file; `trouble` is what became of the one before.
fn begin(path: &Path, keys: &dyn KeySource, trouble: Option<Trouble>) -> Result<Open, Trouble> {
    match usable_key(keys) {
        Ok(key) => {
            let sql = connect(path, Some(&key)).map_err(trouble_of)?;
            Ok((sql, Keep::Encrypted, trouble))
        }
        Err(why) => {
            let sql = connect(path, None).map_err(trouble_of)?;
            Ok((sql, Keep::Clear, trouble.or(Some(Trouble::NotEncrypted(why)))))
        }
    }
}

/// The key of the keyring, a new one where it has none; the reason when there can be none.
fn usable_key(keys: &dyn KeySource) -> Result<SecretString, String> {
    if !can_encrypt() {
        return Err("this build cannot encrypt".to_owned());
    }
    if let Some(key) = keys.key().map_err(|error| error.to_string())? {
        return Ok(key);
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = SecretString::from(hex);
    match keys.keep(&key) {
        true => Ok(key),
        false => Err("the keyring did not keep the key".to_owned()),
    }
}

fn can_encrypt() -> bool {
    let Ok(sql) = Connection::open_in_memory() else { return false };
    // Without SQLCipher this names nothing and has no row.
    sql.query_row("PRAGMA cipher_version", (), |row| row.get::<_, String>(0)).is_ok()
}

fn set_aside_and_begin(
    path: &Path,
    keys: &dyn KeySource,
    trouble: impl FnOnce(PathBuf) -> Trouble,
) -> Result<Open, Trouble> {
    let aside = set_aside(path).map_err(|error| unusable(&error))?;
    begin(path, keys, Some(trouble(aside)))
}

/// Moves the file and its log out of the way, to the first name that is free.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1_u32;
    let mut aside = with_suffix(path, ".aside");
    while aside.exists() {
        number += 1;
        aside = with_suffix(path, &format!(".aside-{number}"));
    }
    for suffix in ["-wal", "-shm"] {
        let (from, to) = (with_suffix(path, suffix), with_suffix(&aside, suffix));
        if from.exists() {
            fs::rename(from, to)?;
        }
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// Opens a connection with everything set. Touches the pages, so that a wrong key is noticed.
fn connect(path: &Path, key: Option<&SecretString>) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut sql = Connection::open_with_flags(path, flags)?;
    sql.busy_timeout(BUSY)?;
    if let Some(key) = key {
        set_key(&sql, key)?;
    }
    // Read first: changing the mode of a file that cannot be read would say less.
    sql.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get::<_, i64>(0))?;
    only_for_the_owner(path);
    sql.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit is on the disk before it is answered: calls and notes are few and dear.
    sql.pragma_update(None, "synchronous", "FULL")?;
    sql.pragma_update(None, "foreign_keys", true)?;
    sql.pragma_update(None, "secure_delete", true)?;
    schema::migrate(&mut sql)?;
    Ok(sql)
}

/// Hands the key over in its raw form, so that no time goes into deriving one from a passphrase.
fn set_key(sql: &Connection, key: &SecretString) -> Result<(), StoreError> {
    let raw = format!("x'{}'", key.expose_secret());
    sql.pragma_update(None, "key", raw)
        .map_err(|_| StoreError::Other("the key was not taken".to_owned()))
}

/// A file in clear becomes an encrypted one as soon as there is a key to keep.
fn encrypt_if_possible(
    path: &Path,
    keys: &dyn KeySource,
    sql: Connection,
) -> Result<Open, Trouble> {
    let key = match usable_key(keys) {
        Ok(key) => key,
        Err(why) => return Ok((sql, Keep::Clear, Some(Trouble::NotEncrypted(why)))),
    };
    match encrypt(path, &sql, &key) {
        Ok(new) => {
            drop(sql);
            fs::rename(&new, path).map_err(|error| unusable(&error))?;
            info!("the database was encrypted");
            let sql = connect(path, Some(&key)).map_err(trouble_of)?;
            Ok((sql, Keep::Encrypted, None))
        }
        Err(error) => {
            warn!(%error, "the database could not be encrypted");
            Ok((sql, Keep::Clear, Some(Trouble::NotEncrypted(error.to_string()))))
        }
    }
}

/// An encrypted copy beside the file, which is whole and alone (no log) afterwards.
fn encrypt(path: &Path, sql: &Connection, key: &SecretString) -> Result<PathBuf, StoreError> {
    let new = with_suffix(path, ".new");
    if new.exists() {
        fs::remove_file(&new).map_err(|_| StoreError::ReadOnly)?;
    }
    // Leaving the log behind needs the file alone: another program that has it open is in the way.
    let mode: String = sql.query_row("PRAGMA journal_mode = DELETE", (), |row| row.get(0))?;
    if mode != "delete" {
        return Err(StoreError::InUse);
    }
    let raw = format!("x'{}'", key.expose_secret());
    let name = new.to_string_lossy().into_owned();
    sql.execute("ATTACH DATABASE ?1 AS sealed KEY ?2", [&name, &raw])
        .map_err(|_| StoreError::Other("the key was not taken".to_owned()))?;
    let copied = sql
        .query_row("SELECT sqlcipher_export('sealed')", (), |_| Ok(()))
        .and_then(|()| sql.pragma_update(Some("sealed"), "user_version", schema::VERSION));
    sql.execute("DETACH DATABASE sealed", ())?;
    copied?;
    only_for_the_owner(&new);
    fs::File::open(&new).and_then(|file| file.sync_all()).map_err(|_| StoreError::ReadOnly)?;
    Ok(new)
}

/// What lies at the path.
enum Found {
    Nothing,
    Clear,
    /// Not in clear: encrypted, or no database at all.
    Sealed,
}

fn look(path: &Path) -> io::Result<Found> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let mut head = Vec::with_capacity(CLEAR.len());
    file.by_ref().take(CLEAR.len() as u64).read_to_end(&mut head)?;
    Ok(match head.as_slice() {
        [] => Found::Nothing,
        head if head == CLEAR => Found::Clear,
        _ => Found::Sealed,
    })
}

fn prepare_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn only_for_the_owner(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
        warn!(%error, "the database may be read by others");
    }
}

/// The user's own folder is closed to others there.
#[cfg(not(unix))]
fn only_for_the_owner(_: &Path) {}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

fn unusable(error: &io::Error) -> Trouble {
    Trouble::Unusable(match error.kind() {
        io::ErrorKind::StorageFull => StoreError::Full,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
        _ => StoreError::Other(error.to_string()),
    })
}

fn trouble_of(error: StoreError) -> Trouble {
    match error {
        StoreError::Newer(_) => Trouble::Newer,
        other => Trouble::Unusable(other),
    }
}

/// A database in memory, for the tests of the tables.
#[cfg(test)]
pub(crate) fn in_memory() -> Connection {
    memory().unwrap()
}
