//! The form of the database and how older forms become it.
//!
//! Migrations only add: a form is never changed after it was released, what it holds is never thrown away. The
//! number of the form is SQLite's `user_version`. Every table is STRICT, so that a value has the type that its column says.

use rusqlite::{Connection, TransactionBehavior};

use crate::tables::StoreError;

/// The form of this version of the program.
pub const VERSION: u32 = FORMS.len() as u32;

/// What each form adds to the one before it.
const FORMS: [&str; 8] = [CALLS, PEOPLE, MEMORY, READINGS, UNTIL, SAME, JOURNAL, LOGGED];

/// Calls that are over; preferences that belong to what is kept here and not in the settings file.
const CALLS: &str = "
CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    uri TEXT NOT NULL,
    name TEXT NOT NULL,
    number TEXT NOT NULL,
    number_key TEXT,
    started_ms INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    seen INTEGER NOT NULL CHECK (seen IN (0, 1)),
    called_back_ms INTEGER,
    called_back_by TEXT
) STRICT;
CREATE INDEX call_started ON call (started_ms);
CREATE INDEX call_number ON call (number_key, started_ms);
CREATE TABLE preference (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The cache of contacts. An import is a source, too, so that all of it can be taken back.
const PEOPLE: &str = "
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    synced_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    company TEXT NOT NULL,
    department TEXT NOT NULL,
    job_title TEXT NOT NULL,
    email TEXT NOT NULL,
    remark TEXT NOT NULL,
    favourite INTEGER NOT NULL DEFAULT 0 CHECK (favourite IN (0, 1)),
    UNIQUE (source, uid)
) STRICT;
CREATE TABLE person_number (
    person INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    label TEXT NOT NULL,
    number TEXT NOT NULL,
    number_key TEXT,
    PRIMARY KEY (person, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_number_key ON person_number (number_key);
";

/// Notes on calls and callers, and who is to be called back.
const MEMORY: &str = "
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    number_key TEXT NOT NULL,
    call INTEGER REFERENCES call (id) ON DELETE SET NULL,
    text TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX note_number ON note (number_key, at_ms);
CREATE INDEX note_call ON note (call);
CREATE TABLE call_back (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    number TEXT NOT NULL,
    number_key TEXT,
    since_ms INTEGER NOT NULL,
    done_ms INTEGER,
    done_by TEXT
) STRICT;
CREATE INDEX call_back_number ON call_back (number_key);
CREATE INDEX call_back_since ON call_back (since_ms);
";

/// Sources that are read again and again: how, where the next reading begins, how the last one went, and the mark of every
/// record that was read, also of those that are nobody.
const READINGS: &str = "
CREATE TABLE reading (
    source INTEGER PRIMARY KEY REFERENCES source (id) ON DELETE CASCADE,
    settings TEXT NOT NULL,
    cursor TEXT NOT NULL,
    tried_ms INTEGER,
    trouble TEXT
) STRICT;
CREATE TABLE record (
    source INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    uid TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (source, uid)
) STRICT, WITHOUT ROWID;
";

/// Until when a note holds; none: it stays.
const UNTIL: &str = "
ALTER TABLE note ADD COLUMN until_ms INTEGER;
";

/// Who was said to be the same person as somebody of another list, or another.
const SAME: &str = "
CREATE TABLE same_person (
    one INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    other INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    together INTEGER NOT NULL CHECK (together IN (0, 1)),
    PRIMARY KEY (one, other),
    CHECK (one < other)
) STRICT, WITHOUT ROWID;
CREATE INDEX same_person_other ON same_person (other);
";

/// Notes that have yet to be written in the calendar of a source, by the name that each has there.
const JOURNAL: &str = "
CREATE TABLE journal (
    note INTEGER NOT NULL REFERENCES note (id) ON DELETE CASCADE,
    source INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    uid TEXT NOT NULL UNIQUE,
    who TEXT NOT NULL,
    PRIMARY KEY (note, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_source ON journal (source, note);
";

/// What is known of the logs of exchanges: which of the calls that are kept an entry means (none: it was erased), and whether
/// it came from there.
const LOGGED: &str = "
CREATE TABLE logged (
    account TEXT NOT NULL,
    entry TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    call INTEGER REFERENCES call (id) ON DELETE SET NULL,
    made INTEGER NOT NULL CHECK (made IN (0, 1)),
    PRIMARY KEY (account, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX logged_call ON logged (call);
";

/// Brings a database to the present form; a new one begins empty.
pub(crate) fn migrate(sql: &mut Connection) -> Result<(), StoreError> {
    migrate_to(sql, VERSION)
}

fn migrate_to(sql: &mut Connection, version: u32) -> Result<(), StoreError> {
    // Taken before the form is read: two programs may start at once.
    let transaction = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.query_row("PRAGMA user_version", (), |row| row.get(0))?;
    if found > VERSION {
        return Err(StoreError::Newer(found));
    }
    for (form, number) in FORMS.into_iter().zip(1..=version) {
        if number > found {
            transaction.execute_batch(form)?;
            transaction.pragma_update(None, "user_version", number)?;
        }
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of every table that a form has, as a program of that time would have written it.
    fn fill(sql: &Connection, version: u32) {
        let rows = [
            "INSERT INTO call VALUES (7, 'main', 'in', 'sip:0612345678@pbx', 'Jan', '06 1234 5678',
                 '+31612345678', 1000, 0, 'missed', 'cancelled', 0, NULL, NULL);
             INSERT INTO preference VALUES ('a', 'b');",
            "INSERT INTO source VALUES (1, 'csv', 'klanten.csv', 1);
             INSERT INTO person VALUES (1, 1, 'u', 'Jan', 'Bakkerij', '', '', '', '', 1);
             INSERT INTO person_number VALUES (1, 0, 'mobile', '06 12345678', '+31612345678');",
            "INSERT INTO note (id, number_key, call, text, at_ms) VALUES (1, '+31612345678', 7, 'rings on Mondays', 5);
             INSERT INTO call_back VALUES (1, 'main', 'Jan', '06 12345678', '+31612345678', 1, NULL, NULL);",
            "INSERT INTO reading VALUES (1, '{}', 't', 5, NULL);
             INSERT INTO record VALUES (1, 'u', 'e');",
            "UPDATE note SET until_ms = 9;",
            "INSERT INTO person VALUES (2, 1, 'v', 'Jan', '', '', '', '', '', 0);
             INSERT INTO same_person VALUES (1, 2, 1);",
            "INSERT INTO journal VALUES (1, 1, 'u-1', 'Jan');",
            "INSERT INTO logged VALUES ('main', 'e-1', 1000, 7, 0);",
        ];
        for text in rows.into_iter().take(version as usize) {
            sql.execute_batch(text).unwrap();
        }
    }

    fn count(sql: &Connection, table: &str) -> u32 {
        sql.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap()
    }

    fn form(sql: &Connection) -> Vec<String> {
        let mut rows = sql.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
        let texts = rows.query_map((), |row| row.get::<_, Option<String>>(0)).unwrap();
        texts.map(|text| text.unwrap().unwrap_or_default()).collect()
    }

    #[test]
    fn every_older_form_becomes_the_present_one_and_keeps_its_rows() {
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh).unwrap();
        for version in 0..=VERSION {
            let mut sql = Connection::open_in_memory().unwrap();
            migrate_to(&mut sql, version).unwrap();
            fill(&sql, version);
            migrate(&mut sql).unwrap();
            assert_eq!(form(&sql), form(&fresh), "from form {version}");
            let tables = [
                ("call", 1),
                ("preference", 1),
                ("source", 2),
                ("person", 2),
                ("person_number", 2),
                ("note", 3),
                ("call_back", 3),
                ("reading", 4),
                ("record", 4),
                ("same_person", 6),
                ("journal", 7),
                ("logged", 8),
            ];
            for (table, since) in tables {
                // The newest form has two people.
                let rows =
                    u32::from(version >= since) + u32::from(table == "person" && version >= 6);
                assert_eq!(count(&sql, table), rows, "{table} from {version}");
            }
            let now: u32 = sql.query_row("PRAGMA user_version", (), |row| row.get(0)).unwrap();
            assert_eq!(now, VERSION);
        }
    }

    #[test]
    fn a_newer_form_is_left_alone() {
        let mut sql = Connection::open_in_memory().unwrap();
        migrate(&mut sql).unwrap();
        sql.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert_eq!(migrate(&mut sql), Err(StoreError::Newer(VERSION + 1)));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        let mut sql = Connection::open_in_memory().unwrap();
        migrate(&mut sql).unwrap();
        let wrong = sql.execute("INSERT INTO source VALUES (1, 'csv', 'a', 'yesterday')", ());
        assert!(wrong.is_err());
    }
}
