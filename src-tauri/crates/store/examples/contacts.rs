//! Figures of the contacts: index, memory, time of a keystroke, lookup of a caller, time from the file to the index,
//! import; beside SQLite's full-text search in the same run. `cargo xtask bench contacts`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::hint::black_box;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use contacts::{Index, IndexBuilder, NumberKey, Sameness, fold, import};
use rusqlite::Connection;
use secrecy::SecretString;
use store::{Database, KeySource, NewSource, Person, PersonNumber, Place, SecretsError, Tables};

/// Texts as people type them, letter by letter.
const TYPED: [&str; 20] = [
    "jan de vries",
    "muller",
    "noel",
    "jvdb",
    "bakkerij",
    "verkoop",
    "0612",
    "030231",
    "5267",
    "mohamed",
    "van den berg",
    "janssen bouw",
    "inkoop jan",
    "+3120",
    "88765",
    "willemsen",
    "lindeboom",
    "sofie",
    "yilmaz",
    "1234",
];
const GIVEN: [&str; 20] = [
    "Jan", "Piet", "Noël", "Anneke", "Mohamed", "Fatima", "Sofie", "Willem", "Zoë", "Bram", "Daan",
    "Emma", "Lucas", "Mila", "Sem", "Tess", "Yusuf", "Özgür", "Chloé", "Jörg",
];
const FAMILY: [&str; 24] = [
    "de Vries",
    "Jansen",
    "van den Berg",
    "Bakker",
    "Visser",
    "Smit",
    "Meijer",
    "de Boer",
    "Mulder",
    "de Groot",
    "Bos",
    "Vos",
    "Peters",
    "Hendriks",
    "van Leeuwen",
    "Dekker",
    "Müller",
    "Yılmaz",
    "El Idrissi",
    "Willemsen",
    "Janssen",
    "van der Linden",
    "Kok",
    "Øverland",
];
const COMPANY: [&str; 12] = [
    "Bakkerij de Korenaar",
    "Lindeboom Installatie",
    "Janssen Bouw BV",
    "Gemeente Utrecht",
    "Garage Smit",
    "Tandarts Zilver",
    "Notaris Bos",
    "Transport Vos",
    "Bloemen & Zo",
    "Hotel de Brug",
    "Verf Meijer",
    "Kantoor Dekker",
];
const DEPARTMENT: [&str; 6] =
    ["Verkoop", "Inkoop", "Directie", "Magazijn", "Receptie", "Administratie"];

struct Somebody {
    name: String,
    other: String,
    numbers: Vec<String>,
}

/// The same row of chances in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

fn people(count: usize) -> Vec<Somebody> {
    let mut chance = Chance(7_777_777);
    let mut one = || Somebody {
        name: format!("{} {}", chance.of(&GIVEN), chance.of(&FAMILY)),
        other: format!("{} {} {}", chance.of(&COMPANY), chance.below(900), chance.of(&DEPARTMENT)),
        numbers: vec![
            format!("+316{}", 10_000_000 + chance.below(80_000_000)),
            format!("0{}", 201_000_000 + chance.below(50_000_000)),
        ],
    };
    (0..count).map(|_| one()).collect()
}

fn main() {
    let mut counts: Vec<usize> =
        std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    if counts.is_empty() {
        counts = vec![100_000, 1_000_000];
    }
    for count in counts {
        println!("{count} contacts, two numbers each");
        let people = people(count);
        let index = measure_index(&people);
        keystrokes("own index", |text| index.search(text, 50).len());
        measure_lookup(&people, &index);
        measure_sameness(&people);
        drop(index);
        measure_start(&people);
        measure_fts(&people);
    }
    for rows in [10_000, 100_000] {
        measure_import(rows);
    }
}

fn measure_index(people: &[Somebody]) -> Index {
    let began = Instant::now();
    let keys: Vec<Vec<NumberKey>> = people
        .iter()
        .map(|one| one.numbers.iter().filter_map(|number| NumberKey::of(number)).collect())
        .collect();
    let parsed = began.elapsed();
    let before = resident();
    let began = Instant::now();
    let mut builder = IndexBuilder::default();
    for (one, keys) in people.iter().zip(&keys) {
        builder.push(&one.name, &one.other, keys);
    }
    let index = builder.build();
    let built = began.elapsed();
    let mebibytes = index.bytes() as f64 / 1024.0 / 1024.0;
    println!("  numbers read in {parsed:.0?}, index made in {built:.0?}, {mebibytes:.1} MiB");
    if let (Some(before), Some(after)) = (before, resident()) {
        println!("  the program's memory grew by {:.1} MiB", after - before);
    }
    index
}

/// Memory of this program that is in use, MiB, where the system tells.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes / 1024.0)
}

/// Who of them is the same person.
fn measure_sameness(people: &[Somebody]) {
    let keys: Vec<Vec<NumberKey>> = people
        .iter()
        .map(|one| one.numbers.iter().filter_map(|number| NumberKey::of(number)).collect())
        .collect();
    let began = Instant::now();
    let mut sameness = Sameness::new([]);
    for ((id, one), keys) in (0_u64..).zip(people).zip(&keys) {
        sameness.push(id, &one.name, "", keys);
    }
    let groups = sameness.groups().len();
    println!("  {groups} people in several entries, found in {:.0?}", began.elapsed());
}

/// Every text is typed letter by letter; the time of each search counts.
fn keystrokes(name: &str, mut search: impl FnMut(&str) -> usize) {
    let mut times = Vec::new();
    let mut found = 0;
    for text in TYPED {
        for (end, letter) in text.char_indices() {
            let typed = &text[..end + letter.len_utf8()];
            let began = Instant::now();
            found += black_box(search(black_box(typed)));
            times.push(began.elapsed());
        }
    }
    tell(name, "key", times);
    println!("    {found} rows shown");
}

fn measure_lookup(people: &[Somebody], index: &Index) {
    let mut chance = Chance(99);
    let mut times = Vec::new();
    for _ in 0..10_000 {
        let one = &people[chance.below(people.len())];
        let began = Instant::now();
        let found = black_box(index.lookup(black_box(&one.numbers[0])));
        times.push(began.elapsed());
        assert!(!found.is_empty());
    }
    tell("own index", "lookup", times);
}

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

/// From an encrypted file to an index that answers, as at every start of the program.
fn measure_start(people: &[Somebody]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("balie.db");
    let number = |number: &String| PersonNumber { label: "work".into(), number: number.clone() };
    let rows: Vec<Person> = (0_u64..)
        .zip(people)
        .map(|(uid, one)| Person {
            uid: uid.to_string(),
            name: one.name.clone(),
            company: one.other.clone(),
            numbers: one.numbers.iter().map(number).collect(),
            ..Person::default()
        })
        .collect();
    let source = NewSource { kind: "csv".into(), name: "list".into(), synced_ms: 1 };
    let began = Instant::now();
    ask(&path, move |tables| tables.add_source(&source, &rows));
    println!("  kept in an encrypted file in {:.0?}", began.elapsed());
    let began = Instant::now();
    let index = ask(&path, |tables| {
        let mut builder = IndexBuilder::default();
        tables.each_person(|person| {
            let keys: Vec<NumberKey> =
                person.numbers.iter().filter_map(|number| NumberKey::of(&number.number)).collect();
            builder.push(&person.name, &person.company, &keys);
        })?;
        Ok(builder.build())
    });
    println!("  ready {:.0?} after the start, {} people", began.elapsed(), index.len());
}

/// Opens the file, does one thing in it and closes it again.
fn ask<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Tables<'_>) -> Result<T, store::StoreError> + Send + 'static,
) -> T {
    let (sender, answer) = channel();
    let place = Place::File(path.to_owned(), Box::new(OneKey));
    let database = Database::start(place, |opened| assert_eq!(opened.trouble, None));
    database.submit(work, move |result| sender.send(result).unwrap());
    answer.recv().unwrap().unwrap()
}

/// Full-text search with prefixes of one to three letters, ranked: what a database would be asked.
fn measure_fts(people: &[Somebody]) {
    let mut sql = Connection::open_in_memory().unwrap();
    let began = Instant::now();
    sql.execute_batch(
        "CREATE VIRTUAL TABLE people USING fts5 (name, other, numbers, prefix = '1 2 3')",
    )
    .unwrap();
    let transaction = sql.transaction().unwrap();
    {
        let mut insert = transaction.prepare("INSERT INTO people VALUES (?1, ?2, ?3)").unwrap();
        for one in people {
            insert.execute([fold(&one.name), fold(&one.other), one.numbers.join(" ")]).unwrap();
        }
    }
    transaction.commit().unwrap();
    let pages: i64 = sql.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
    let size: i64 = sql.query_row("PRAGMA page_size", (), |row| row.get(0)).unwrap();
    let mebibytes = (pages * size) as f64 / 1024.0 / 1024.0;
    println!("  SQLite FTS5: made in {:.0?}, {mebibytes:.1} MiB", began.elapsed());
    let mut select = sql
        .prepare("SELECT rowid FROM people WHERE people MATCH ?1 ORDER BY bm25(people) LIMIT 50")
        .unwrap();
    keystrokes("SQLite FTS5", |text| {
        let query: Vec<String> = text
            .split_whitespace()
            .map(|word| format!("\"{}\" *", word.replace('"', "")))
            .collect();
        let rows = select.query_map([query.join(" ")], |row| row.get::<_, i64>(0)).unwrap();
        rows.count()
    });
}

fn measure_import(rows: usize) {
    let mut text =
        "Voornaam;Achternaam;Bedrijf;Telefoon op werk;Mobiele telefoon;E-mailadres\r\n".to_owned();
    for one in people(rows) {
        let (given, family) = one.name.split_once(' ').unwrap();
        let line = [given, family, &one.other, &one.numbers[1], &one.numbers[0], "a@example.nl"];
        text.push_str(&line.join(";"));
        text.push_str("\r\n");
    }
    let began = Instant::now();
    let table = import::preview(text.as_bytes()).unwrap();
    let imported = import::read(text.as_bytes(), &table.mapping).unwrap();
    println!("{rows} rows of CSV: {} contacts in {:.0?}", imported.contacts.len(), began.elapsed());
}

fn tell(name: &str, what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!(
        "  {name}, {what}: p50 {:.1?}, p95 {:.1?}, max {:.1?} of {}",
        at(50),
        at(95),
        at(100),
        times.len()
    );
}
