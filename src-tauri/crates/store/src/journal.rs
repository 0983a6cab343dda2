//! Notes that have yet to be written in somebody's calendar. An entry is gone once it is written; its name there stays the same
//! until then, so that whoever tries twice writes it once.

use rusqlite::{OptionalExtension, params};

use crate::tables::{StoreError, Tables, stored, unstored};

/// A note that has yet to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Row of the note.
    pub note: u64,
    /// What it is called in the calendar.
    pub uid: String,
    /// Of whom it is: a name, or a number.
    pub who: String,
    /// What was noted.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
}

impl Tables<'_> {
    /// Puts a note in the queue of a source.
    ///
    /// # Errors
    /// When it cannot be written, or there is no such note or source.
    pub fn add_entry(
        &self,
        note: u64,
        source: u64,
        uid: &str,
        who: &str,
    ) -> Result<(), StoreError> {
        let text = "INSERT INTO journal (note, source, uid, who) VALUES (?1, ?2, ?3, ?4)";
        self.sql.execute(text, params![stored(note), stored(source), uid, who])?;
        Ok(())
    }

    /// The oldest that has yet to be written at a source.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn next_entry(&self, source: u64) -> Result<Option<Entry>, StoreError> {
        let text = "SELECT note, uid, who, text, at_ms FROM journal JOIN note ON note.id = journal.note \
                    WHERE source = ?1 ORDER BY note LIMIT 1";
        let found = self.sql.query_row(text, [stored(source)], |row| {
            Ok(Entry {
                note: unstored(row.get(0)?),
                uid: row.get(1)?,
                who: row.get(2)?,
                text: row.get(3)?,
                at_ms: unstored(row.get(4)?),
            })
        });
        Ok(found.optional()?)
    }

    /// How many have yet to be written at a source.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn entries_left(&self, source: u64) -> Result<u64, StoreError> {
        let text = "SELECT count(*) FROM journal WHERE source = ?1";
        Ok(unstored(self.sql.query_row(text, [stored(source)], |row| row.get(0))?))
    }

    /// It is written. False: it was, or the note is gone.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub fn entry_written(&self, uid: &str) -> Result<bool, StoreError> {
        Ok(self.sql.execute("DELETE FROM journal WHERE uid = ?1", [uid])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use contacts::NumberKey;

    use super::*;
    use crate::open::in_memory;
    use crate::{NewNote, NewReading};

    #[test]
    fn entries_wait_in_their_order_and_go_with_their_note_and_their_source() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let reading = |name: &str| NewReading {
            kind: "carddav".into(),
            name: name.into(),
            settings: "{}".into(),
        };
        let source = tables.add_reading(&reading("a")).unwrap();
        let other = tables.add_reading(&reading("b")).unwrap();
        let note = |text: &str, at_ms| {
            let key = NumberKey::of("0612345678").unwrap();
            let note = NewNote { key, call: None, text: text.into(), at_ms, until_ms: None };
            tables.add_note(&note).unwrap()
        };
        let (first, second, third) = (note("een", 1), note("twee", 2), note("drie", 3));
        for (row, uid) in [(second, "u2"), (first, "u1"), (third, "u3")] {
            tables.add_entry(row, source, uid, "Jan").unwrap();
        }
        tables.add_entry(first, other, "o1", "Jan").unwrap();
        let next = tables.next_entry(source).unwrap().unwrap();
        assert_eq!((next.uid.as_str(), next.text.as_str(), next.at_ms), ("u1", "een", 1));
        assert_eq!(tables.entries_left(source).unwrap(), 3);
        assert!(tables.entry_written("u1").unwrap() && !tables.entry_written("u1").unwrap());
        assert_eq!(
            (tables.entries_left(source).unwrap(), tables.entries_left(other).unwrap()),
            (2, 1)
        );
        assert!(tables.remove_note(second).unwrap());
        assert_eq!(tables.next_entry(source).unwrap().unwrap().uid, "u3", "its note is gone");
        assert!(tables.remove_source(source).unwrap());
        assert_eq!(tables.next_entry(source).unwrap(), None);
        assert_eq!(tables.next_entry(other).unwrap().unwrap().uid, "o1");
        assert!(tables.add_entry(first, other, "o2", "Jan").is_err(), "one note is one entry");
    }
}
