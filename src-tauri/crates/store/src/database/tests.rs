//! Opening with every kind of file and keyring, and the order of work.

#![expect(clippy::unwrap_in_result, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contacts::NumberKey;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::directory::{NewSource, Person, PersonNumber};
use crate::history::{Direction, NewCall, Outcome};
use crate::notes::NewNote;
use crate::secrets::SecretsError;

const PATIENCE: Duration = Duration::from_secs(30);

/// A keyring of a test's own: what it holds, and whether it answers.
#[derive(Clone, Default)]
struct Keyring(Arc<Mutex<(Option<String>, Answers)>>);

#[derive(Clone, Copy, Default, PartialEq)]
enum Answers {
    #[default]
    Yes,
    No,
    Forgetful,
}

impl Keyring {
    fn that(answers: Answers) -> Keyring {
        Keyring(Arc::new(Mutex::new((None, answers))))
    }

    fn set(&self, key: Option<&str>, answers: Answers) {
        *self.0.lock().unwrap() = (key.map(str::to_owned), answers);
    }

    fn held(&self) -> Option<String> {
        self.0.lock().unwrap().0.clone()
    }
}

impl KeySource for Keyring {
    fn key(&self) -> Result<Option<SecretString>, SecretsError> {
        let (key, answers) = self.0.lock().unwrap().clone();
        match answers {
            Answers::No => Err(SecretsError::Timeout),
            Answers::Yes | Answers::Forgetful => Ok(key.map(SecretString::from)),
        }
    }

    fn keep(&self, key: &SecretString) -> bool {
        let mut held = self.0.lock().unwrap();
        if held.1 == Answers::Yes {
            held.0 = Some(key.expose_secret().to_owned());
        }
        held.1 == Answers::Yes
    }
}

fn open(path: &Path, keyring: &Keyring) -> (Database, Opened) {
    let (sender, opened) = channel();
    let place = Place::File(path.to_owned(), Box::new(keyring.clone()));
    let database = Database::start(place, move |how| sender.send(how).unwrap());
    (database, opened.recv_timeout(PATIENCE).unwrap())
}

fn ask<T: Send + 'static>(
    database: &Database,
    work: impl FnOnce(&Tables<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (sender, answer) = channel();
    database.submit(work, move |result| sender.send(result).unwrap());
    answer.recv_timeout(PATIENCE).unwrap()
}

fn call(name: &str) -> NewCall {
    NewCall {
        account: "main".into(),
        direction: Direction::In,
        uri: "sip:+31612345678@pbx.example".into(),
        name: name.into(),
        number: "06 1234 5678".into(),
        started_ms: 1,
        seconds: 0,
        outcome: Outcome::Missed,
        reason: None,
        by: String::new(),
    }
}

fn add(database: &Database, name: &str) {
    let call = call(name);
    ask(database, move |tables| tables.add_call(&call)).unwrap();
}

fn names(database: &Database) -> Vec<String> {
    let calls = ask(database, |tables| tables.calls(99, None)).unwrap();
    calls.into_iter().map(|call| call.call.name).collect()
}

#[test]
fn what_was_kept_is_there_again_and_the_file_holds_no_name_and_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new folder/balie.db");
    let keyring = Keyring::default();
    let (database, opened) = open(&path, &keyring);
    assert_eq!(opened, Opened { keep: Keep::Encrypted, trouble: None });
    add(&database, "Bakkerij de Korenaar");
    let source = NewSource { kind: "csv".into(), name: "klanten.csv".into(), synced_ms: 1 };
    let numbers = vec![PersonNumber { label: "work".into(), number: "030 2318800".into() }];
    let person = Person { name: "Annemarie Zilver".into(), numbers, ..Person::default() };
    ask(&database, move |tables| tables.add_source(&source, &[person])).unwrap();
    let note = NewNote {
        key: NumberKey::of("0612345678").unwrap(),
        call: None,
        text: "wil morgen teruggebeld worden".into(),
        at_ms: 1,
        until_ms: None,
    };
    ask(&database, move |tables| tables.add_note(&note)).unwrap();
    let log = path.with_file_name("balie.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    database.close();
    bytes.extend(fs::read(&path).unwrap());
    for word in
        ["Korenaar", "Zilver", "klanten", "1234 5678", "31612345678", "2318800", "teruggebeld"]
    {
        let there = bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!there, "{word} can be read in the file");
    }
    assert!(!bytes.starts_with(b"SQLite format 3"));
    let (database, opened) = open(&path, &keyring);
    assert_eq!(opened.keep, Keep::Encrypted);
    assert_eq!(names(&database), ["Bakkerij de Korenaar"]);
}

#[test]
fn without_a_keyring_the_file_is_in_clear_for_its_owner_only_and_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    for answers in [Answers::No, Answers::Forgetful] {
        let (database, opened) = open(&path, &Keyring::that(answers));
        assert_eq!(opened.keep, Keep::Clear);
        assert!(matches!(opened.trouble, Some(Trouble::NotEncrypted(_))), "{opened:?}");
        add(&database, "Jan");
        database.close();
    }
    assert!(fs::read(&path).unwrap().starts_with(b"SQLite format 3"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Once there is a keyring the file is encrypted, with what it holds.
    let keyring = Keyring::default();
    let (database, opened) = open(&path, &keyring);
    assert_eq!(opened, Opened { keep: Keep::Encrypted, trouble: None });
    assert_eq!(names(&database), ["Jan", "Jan"]);
    database.close();
    assert!(!fs::read(&path).unwrap().starts_with(b"SQLite format 3"));
    assert!(!path.with_file_name("balie.db.new").exists());
    let (database, _) = open(&path, &keyring);
    assert_eq!(names(&database).len(), 2);
}

#[test]
fn a_locked_keyring_leaves_the_file_alone_and_this_run_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    let keyring = Keyring::default();
    let (database, _) = open(&path, &keyring);
    add(&database, "before");
    database.close();
    let key = keyring.held();
    keyring.set(key.as_deref(), Answers::No);
    let (database, opened) = open(&path, &keyring);
    assert_eq!(opened.keep, Keep::Memory);
    assert!(matches!(opened.trouble, Some(Trouble::Locked(_))), "{opened:?}");
    add(&database, "meanwhile");
    assert_eq!(names(&database), ["meanwhile"]);
    database.close();
    keyring.set(key.as_deref(), Answers::Yes);
    let (database, _) = open(&path, &keyring);
    assert_eq!(names(&database), ["before"]);
}

#[test]
fn a_lost_or_wrong_key_sets_the_file_aside_and_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    let keyring = Keyring::default();
    let (database, _) = open(&path, &keyring);
    add(&database, "before");
    database.close();
    let first = keyring.held().unwrap();
    for key in [None, Some("00".repeat(32))] {
        keyring.set(key.as_deref(), Answers::Yes);
        let (database, opened) = open(&path, &keyring);
        assert_eq!(opened.keep, Keep::Encrypted);
        let Some(Trouble::KeyLost { aside }) = opened.trouble else { panic!("{opened:?}") };
        assert!(aside.exists());
        assert!(names(&database).is_empty());
        database.close();
    }
    // What was set aside is whole.
    keyring.set(Some(&first), Answers::Yes);
    let (database, opened) = open(&folder.path().join("balie.db.aside"), &keyring);
    assert_eq!(opened.trouble, None);
    assert_eq!(names(&database), ["before"]);
}

#[test]
fn what_is_erased_is_gone_from_file_and_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    let (database, _) = open(&path, &Keyring::that(Answers::No));
    add(&database, "Bakkerij de Korenaar");
    let bytes = || {
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend(fs::read(path.with_file_name("balie.db-wal")).unwrap());
        bytes
    };
    let holds = |word: &str| bytes().windows(word.len()).any(|window| window == word.as_bytes());
    assert!(holds("Korenaar"));
    let subject = crate::Subject::Number(NumberKey::of("0612345678").unwrap());
    let erased = ask(&database, move |tables| tables.erase(&subject)).unwrap();
    assert_eq!(erased.calls, 1);
    assert!(!holds("Korenaar") && !holds("612345678"));
}

#[test]
fn a_damaged_file_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    let mut bytes = b"SQLite format 3\0".to_vec();
    bytes.extend([0xab; 5000]);
    fs::write(&path, bytes).unwrap();
    let (database, opened) = open(&path, &Keyring::default());
    assert!(matches!(opened.trouble, Some(Trouble::Damaged { .. })), "{opened:?}");
    add(&database, "Jan");
    assert_eq!(names(&database), ["Jan"]);
}

#[test]
fn a_newer_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    let newer = Connection::open(&path).unwrap();
    newer.execute_batch("CREATE TABLE later (a); PRAGMA user_version = 4711").unwrap();
    drop(newer);
    let (database, opened) = open(&path, &Keyring::that(Answers::No));
    assert_eq!(opened, Opened { keep: Keep::Memory, trouble: Some(Trouble::Newer) });
    add(&database, "Jan");
    database.close();
    let newer = Connection::open(&path).unwrap();
    let form: u32 = newer.query_row("PRAGMA user_version", (), |row| row.get(0)).unwrap();
    assert_eq!(form, 4711);
}

#[test]
fn a_folder_that_cannot_be_made_is_told_and_everything_goes_on_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "no folder").unwrap();
    let (database, opened) = open(&folder.path().join("file/balie.db"), &Keyring::default());
    assert_eq!(opened.keep, Keep::Memory);
    assert!(matches!(opened.trouble, Some(Trouble::Unusable(_))), "{opened:?}");
    add(&database, "Jan");
    assert_eq!(names(&database), ["Jan"]);
}

#[test]
fn work_that_fails_leaves_nothing_behind() {
    let database = Database::start(Place::Memory, |_| {});
    let failed: Result<(), _> = ask(&database, |tables| {
        tables.add_call(&call("Jan"))?;
        Err(StoreError::Full)
    });
    assert_eq!(failed, Err(StoreError::Full));
    assert!(names(&database).is_empty());
}

#[test]
fn a_full_disk_is_told_and_what_was_kept_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    let (database, _) = open(&path, &Keyring::that(Answers::No));
    add(&database, "before");
    // The same answer of SQLite as from a full disk.
    ask(&database, |tables| {
        let pages: u32 = tables.sql.query_row("PRAGMA page_count", (), |row| row.get(0))?;
        Ok(tables.sql.pragma_update(None, "max_page_count", pages)?)
    })
    .unwrap();
    let big = NewCall { name: "x".repeat(100_000), ..call("") };
    assert_eq!(ask(&database, move |tables| tables.add_call(&big)), Err(StoreError::Full));
    assert_eq!(names(&database), ["before"]);
    add(&database, "after");
}

#[test]
fn more_work_than_can_wait_is_refused_and_answered() {
    let database = Database::start(Place::Memory, |_| {});
    let (go, wait) = channel::<()>();
    let (sender, answers) = channel();
    database.submit(
        move |_| {
            let _ = wait.recv();
            Ok(())
        },
        |_| {},
    );
    for _ in 0..WAITING + 10 {
        let sender = sender.clone();
        database.submit(|_| Ok(()), move |result| sender.send(result).unwrap());
    }
    drop((go, sender));
    let results: Vec<_> = answers.iter().collect();
    assert_eq!(results.len(), WAITING + 10, "every piece is answered");
    assert!(results.contains(&Err(StoreError::Overloaded)));
    assert!(results.contains(&Ok(())));
}
