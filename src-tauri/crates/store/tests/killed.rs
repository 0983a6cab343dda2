//! A program that is killed while it writes loses nothing that it was told is kept.
//!
//! A program of its own (`harness = false`): it runs itself again as the writer, which prints every row that the
//! database has acknowledged, kills it at some moment and looks whether they are all there. `BALIE_KILLS` says how
//! often; 10 times when it is not set. What takes the time is the disk: every row is on it before it is acknowledged, which
//! is a few milliseconds on most, so that a hundred kills take some minutes.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use contacts::NumberKey;
use secrecy::SecretString;
use store::{
    Database, Direction, KeySource, NewCall, NewNote, NewSource, Opened, Outcome, Person,
    PersonNumber, Place, SecretsError,
};

const WRITER: &str = "STORE_WRITER";
const PATIENCE: Duration = Duration::from_secs(60);
/// Pieces of work that are under way at any moment.
const UNDER_WAY: u64 = 64;

/// A keyring that holds one key.
struct OneKey;

impl KeySource for OneKey {
    fn key(&self) -> Result<Option<SecretString>, SecretsError> {
        Ok(Some(SecretString::from("5a".repeat(32))))
    }

    fn keep(&self, _: &SecretString) -> bool {
        true
    }
}

fn main() {
    if let Some(path) = std::env::var_os(WRITER) {
        return write(Path::new(&path));
    }
    let kills: u32 = std::env::var("BALIE_KILLS").map_or(10, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    let mut acknowledged = BTreeSet::new();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 1..=kills {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let before = acknowledged.len();
        acknowledged.extend(killed_after(&path, 1 + usize::try_from(chance % 400).unwrap()));
        assert!(acknowledged.len() > before, "the writer wrote nothing");
        look(&path, &acknowledged, kill);
        if kill.is_multiple_of(10) {
            println!("{kill} of {kills} times killed, {} rows so far", acknowledged.len());
        }
    }
    println!("{kills} times killed, {} acknowledged rows, all there ... ok", acknowledged.len());
}

/// Starts a writer, kills it once it has acknowledged so many rows, gives back all that it had acknowledged.
fn killed_after(path: &Path, rows: usize) -> Vec<u64> {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .env(WRITER, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap());
    let mut text = String::new();
    for _ in 0..rows {
        assert!(lines.read_line(&mut text).unwrap() > 0, "the writer ended by itself");
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    // What it had said before it died counts, too; a line that was cut off does not.
    lines.read_to_string(&mut text).unwrap();
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    text[..whole].lines().map(|line| line.parse().unwrap()).collect()
}

fn look(path: &Path, acknowledged: &BTreeSet<u64>, kill: u32) {
    let (database, _) = open(path.to_owned());
    let (sender, answer) = channel();
    database.submit(
        |tables| Ok((tables.calls(usize::MAX, None)?, tables.people()?, tables.is_sound()?)),
        move |result| sender.send(result).unwrap(),
    );
    let (calls, people, sound) = answer.recv_timeout(PATIENCE).unwrap().unwrap();
    assert!(sound, "kill {kill}: the file is damaged");
    let there: BTreeSet<u64> = calls.iter().map(|call| call.call.started_ms).collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "kill {kill}: {lost:?} were acknowledged and are lost");
    // Work is kept whole or not at all: whoever is there has both numbers.
    assert!(people.iter().all(|person| person.numbers.len() == 2), "kill {kill}: half a person");
}

fn open(path: PathBuf) -> (Database, Opened) {
    let (sender, opened) = channel();
    let place = Place::File(path, Box::new(OneKey));
    let database = Database::start(place, move |how| sender.send(how).unwrap());
    let opened = opened.recv_timeout(PATIENCE).unwrap();
    assert_eq!(opened.trouble, None);
    (database, opened)
}

/// Writes calls with notes, and now and then a source with people, until it is killed.
fn write(path: &Path) {
    let (database, _) = open(path.to_owned());
    let (sender, done) = channel();
    let first = {
        let (sender, answer) = channel();
        database.submit(|tables| tables.calls(1, None), move |result| sender.send(result).unwrap());
        let newest = answer.recv_timeout(PATIENCE).unwrap().unwrap();
        newest.first().map_or(1, |call| call.call.started_ms + 1)
    };
    for number in first..first + UNDER_WAY {
        submit(&database, number, sender.clone());
    }
    let mut out = std::io::stdout();
    for number in first + UNDER_WAY.. {
        let kept: u64 = done.recv_timeout(PATIENCE).unwrap();
        writeln!(out, "{kept}").unwrap();
        out.flush().unwrap();
        submit(&database, number, sender.clone());
    }
}

fn submit(database: &Database, number: u64, done: Sender<u64>) {
    let call = NewCall {
        account: "main".into(),
        direction: Direction::In,
        uri: format!("sip:06{:08}@pbx.example", number % 100_000_000),
        name: format!("Caller {number}"),
        number: String::new(),
        started_ms: number,
        seconds: 1,
        outcome: Outcome::Answered,
        reason: None,
        by: "Reception".into(),
    };
    let work = move |tables: &store::Tables<'_>| {
        let row = tables.add_call(&call)?;
        if let Some(key) = NumberKey::of(&call.uri) {
            let text = format!("noted of call {number}");
            tables.add_note(&NewNote {
                key,
                call: Some(row),
                text,
                at_ms: number,
                until_ms: None,
            })?;
        }
        if number.is_multiple_of(50) {
            let source = NewSource { kind: "csv".into(), name: "list".into(), synced_ms: number };
            let label = || "work".to_owned();
            let numbers = |place: u64| {
                let of = |digit| PersonNumber {
                    label: label(),
                    number: format!("0302{digit}{place:04}"),
                };
                vec![of(1), of(2)]
            };
            let person = |place: u64| Person {
                uid: place.to_string(),
                numbers: numbers(place),
                ..Person::default()
            };
            tables.add_source(&source, (0..20).map(person))?;
        }
        Ok(number)
    };
    database.submit(work, move |result| {
        // The program is about to be killed; whether somebody still listens does not matter.
        let _ = done.send(result.unwrap());
    });
}
