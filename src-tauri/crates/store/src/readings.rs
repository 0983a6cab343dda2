//! Sources that are read again and again: how, and where the next reading begins. What a reading brings is kept in one go
//! with where it ended, so that a reading that was cut off leaves everything as it was.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use crate::directory::{NewSource, Person};
use crate::tables::{StoreError, Tables, stored, unstored};

/// A new source that is read again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReading {
    /// Stable word: `carddav`, `ldap`, …
    pub kind: String,
    /// Name for people.
    pub name: String,
    /// How it is read, in the words of whoever does. Never a secret.
    pub settings: String,
}

/// A source that is read again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Number of the source's row.
    pub id: u64,
    /// What it is and how it is read.
    pub reading: NewReading,
    /// When it was last read to its end; none: never. Milliseconds since the Unix epoch.
    pub read_ms: Option<u64>,
    /// When that was last tried.
    pub tried_ms: Option<u64>,
    /// Why the last try failed, in a stable word; none: it did not.
    pub trouble: Option<String>,
    /// How many people it has.
    pub people: u64,
}

/// What of a source has been read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadSoFar {
    /// Where the next reading begins; empty: at the beginning.
    pub cursor: String,
    /// The mark of every record, by what the source calls it.
    pub records: HashMap<String, String>,
}

/// What a reading brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Records that are new or another: what the source calls it, its mark, and who it is, if it is anybody.
    pub put: Vec<(String, String, Option<Person>)>,
    /// Records that are no more.
    pub gone: Vec<String>,
    /// Where the next reading begins.
    pub cursor: String,
}

impl Tables<'_> {
    /// A new source that is read again and again. Nothing of it is there yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_reading(&self, new: &NewReading) -> Result<u64, StoreError> {
        let source = NewSource { kind: new.kind.clone(), name: new.name.clone(), synced_ms: 0 };
        let id = self.add_source(&source, std::iter::empty::<Person>())?;
        self.sql.execute(
            "INSERT INTO reading (source, settings, cursor) VALUES (?1, ?2, '')",
            params![stored(id), new.settings],
        )?;
        Ok(id)
    }

    /// Another name, and another way to read it. With `anew` the next reading begins at the beginning; who was read is there
    /// until that is done. False: there is no such source.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn change_reading(
        &self,
        id: u64,
        new: &NewReading,
        anew: bool,
    ) -> Result<bool, StoreError> {
        let text = "UPDATE reading SET settings = ?2, cursor = CASE WHEN ?3 THEN '' ELSE cursor END WHERE source = ?1";
        let changed = self.sql.execute(text, params![stored(id), new.settings, anew])? > 0;
        if changed {
            let text = "UPDATE source SET name = ?2 WHERE id = ?1";
            self.sql.execute(text, params![stored(id), new.name])?;
        }
        if changed && anew {
            // The marks of another server mean nothing, even where they happen to be the same.
            self.sql.execute("UPDATE record SET tag = '' WHERE source = ?1", [stored(id)])?;
        }
        Ok(changed)
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn readings(&self) -> Result<Vec<Reading>, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, kind, name, settings, synced_ms, tried_ms, trouble, \
             (SELECT count(*) FROM person WHERE person.source = reading.source) \
             FROM reading JOIN source ON source.id = reading.source ORDER BY id",
        )?;
        let rows = statement.query_map((), |row| {
            let tried: Option<i64> = row.get(5)?;
            Ok(Reading {
                id: unstored(row.get(0)?),
                reading: NewReading { kind: row.get(1)?, name: row.get(2)?, settings: row.get(3)? },
                read_ms: Some(unstored(row.get(4)?)).filter(|at| *at > 0),
                tried_ms: tried.map(unstored),
                trouble: row.get(6)?,
                people: unstored(row.get(7)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What has been read so far; none: there is no such source.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_so_far(&self, id: u64) -> Result<Option<ReadSoFar>, StoreError> {
        let text = "SELECT cursor FROM reading WHERE source = ?1";
        let cursor = self.sql.query_row(text, [stored(id)], |row| row.get(0)).optional()?;
        let Some(cursor) = cursor else { return Ok(None) };
        let mut statement =
            self.sql.prepare_cached("SELECT uid, tag FROM record WHERE source = ?1")?;
        let rows = statement.query_map([stored(id)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(ReadSoFar { cursor, records: rows.collect::<Result<_, _>>()? }))
    }

    /// Keeps what a reading brings, and where it ended. Somebody who was there before stays the same row, and a favourite.
    /// False: there is no such source any more, and nothing is kept.
    ///
    /// # Errors
    /// When it cannot be written; everything is as before then.
    pub fn keep_reading(&self, id: u64, changed: &Changed, at_ms: u64) -> Result<bool, StoreError> {
        let text =
            "UPDATE reading SET cursor = ?2, tried_ms = ?3, trouble = NULL WHERE source = ?1";
        if self.sql.execute(text, params![stored(id), changed.cursor, stored(at_ms)])? == 0 {
            return Ok(false);
        }
        let text = "UPDATE source SET synced_ms = ?2 WHERE id = ?1";
        self.sql.execute(text, params![stored(id), stored(at_ms)])?;
        let mut record = self.sql.prepare_cached(
            "INSERT INTO record (source, uid, tag) VALUES (?1, ?2, ?3) \
             ON CONFLICT (source, uid) DO UPDATE SET tag = excluded.tag",
        )?;
        let mut nobody =
            self.sql.prepare_cached("DELETE FROM person WHERE source = ?1 AND uid = ?2")?;
        for (uid, tag, person) in &changed.put {
            record.execute(params![stored(id), uid, tag])?;
            match person {
                Some(person) => {
                    self.put_person(id, &Person { uid: uid.clone(), ..person.clone() })?;
                }
                None => {
                    nobody.execute(params![stored(id), uid])?;
                }
            }
        }
        let mut gone =
            self.sql.prepare_cached("DELETE FROM record WHERE source = ?1 AND uid = ?2")?;
        for uid in &changed.gone {
            gone.execute(params![stored(id), uid])?;
            nobody.execute(params![stored(id), uid])?;
        }
        Ok(true)
    }

    /// A try came to nothing, for this reason (a stable word).
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn reading_failed(&self, id: u64, trouble: &str, at_ms: u64) -> Result<(), StoreError> {
        let text = "UPDATE reading SET tried_ms = ?2, trouble = ?3 WHERE source = ?1";
        self.sql.execute(text, params![stored(id), stored(at_ms), trouble])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::PersonNumber;
    use crate::open::in_memory;

    fn new(settings: &str) -> NewReading {
        let text = str::to_owned;
        NewReading { kind: text("carddav"), name: text("Zaak"), settings: text(settings) }
    }

    fn put(uid: &str, tag: &str, name: &str) -> (String, String, Option<Person>) {
        let number = PersonNumber { label: "work".into(), number: "101".into() };
        let person = Person { name: name.into(), numbers: vec![number], ..Person::default() };
        (uid.into(), tag.into(), Some(person).filter(|person| !person.name.is_empty()))
    }

    fn names(tables: &Tables<'_>) -> Vec<String> {
        tables.people().unwrap().into_iter().map(|person| person.name).collect()
    }

    #[test]
    fn a_reading_is_kept_whole_and_nothing_is_there_twice() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let id = tables.add_reading(&new("{}")).unwrap();
        assert_eq!(tables.read_so_far(id).unwrap(), Some(ReadSoFar::default()));
        let before = tables.readings().unwrap();
        assert_eq!((before[0].read_ms, before[0].people), (None, 0));
        let first = Changed {
            put: vec![put("a", "1", "Jan"), put("b", "1", "Piet"), put("group", "1", "")],
            cursor: "t1".into(),
            ..Changed::default()
        };
        for _ in 0..2 {
            assert!(tables.keep_reading(id, &first, 5).unwrap());
            assert_eq!(names(&tables), ["Jan", "Piet"]);
        }
        let jan = tables.people().unwrap()[0].id;
        tables.set_favourite(jan, true).unwrap();
        let second = Changed {
            put: vec![put("a", "2", "Jan de Wit"), put("group", "2", "Els")],
            gone: vec!["b".into()],
            cursor: "t2".into(),
        };
        tables.keep_reading(id, &second, 9).unwrap();
        assert_eq!(names(&tables), ["Jan de Wit", "Els"]);
        let jan = tables.person(jan).unwrap().unwrap();
        assert!(jan.favourite && jan.name == "Jan de Wit" && jan.uid == "a");
        let so_far = tables.read_so_far(id).unwrap().unwrap();
        assert_eq!((so_far.cursor.as_str(), so_far.records.len()), ("t2", 2));
        assert_eq!(so_far.records["a"], "2");
        let nameless = Changed { put: vec![put("a", "3", "")], ..second };
        tables.keep_reading(id, &nameless, 9).unwrap();
        assert_eq!(names(&tables), ["Els"]);
    }

    #[test]
    fn a_failure_is_told_until_a_reading_succeeds() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let id = tables.add_reading(&new("{}")).unwrap();
        tables.reading_failed(id, "unreachable", 3).unwrap();
        let failed = &tables.readings().unwrap()[0];
        assert_eq!((failed.tried_ms, failed.trouble.as_deref()), (Some(3), Some("unreachable")));
        tables.keep_reading(id, &Changed::default(), 4).unwrap();
        let good = &tables.readings().unwrap()[0];
        assert_eq!((good.read_ms, good.tried_ms, &good.trouble), (Some(4), Some(4), &None));
    }

    #[test]
    fn a_source_that_was_removed_meanwhile_takes_nothing() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let id = tables.add_reading(&new("{}")).unwrap();
        let other = tables.add_reading(&new("{}")).unwrap();
        let first = Changed { put: vec![put("a", "1", "Jan")], ..Changed::default() };
        tables.keep_reading(id, &first, 1).unwrap();
        tables.keep_reading(other, &first, 1).unwrap();
        assert_eq!(names(&tables).len(), 2, "the same name at two sources is two people");
        assert!(tables.remove_source(id).unwrap());
        assert!(!tables.keep_reading(id, &first, 2).unwrap());
        assert_eq!(names(&tables).len(), 1);
        assert_eq!(tables.read_so_far(id).unwrap(), None);
        let left: u32 = sql.query_row("SELECT count(*) FROM record", (), |row| row.get(0)).unwrap();
        assert_eq!(left, 1);
    }

    #[test]
    fn another_server_is_read_from_the_beginning() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let id = tables.add_reading(&new("a")).unwrap();
        let put = vec![put("a", "1", "Jan")];
        let first = Changed { put, cursor: "t".into(), ..Changed::default() };
        tables.keep_reading(id, &first, 1).unwrap();
        assert!(tables.change_reading(id, &new("b"), false).unwrap());
        assert_eq!(tables.read_so_far(id).unwrap().unwrap().cursor, "t");
        assert!(tables.change_reading(id, &new("c"), true).unwrap());
        let so_far = tables.read_so_far(id).unwrap().unwrap();
        assert_eq!((so_far.cursor.as_str(), so_far.records["a"].as_str()), ("", ""));
        assert_eq!(names(&tables), ["Jan"], "until the new one is read");
        assert_eq!(tables.readings().unwrap()[0].reading.settings, "c");
        assert!(!tables.change_reading(id + 1, &new("c"), true).unwrap());
    }
}
