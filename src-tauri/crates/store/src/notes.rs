//! What was noted of a call or of a caller.

use contacts::NumberKey;
use rusqlite::params;

use crate::tables::{StoreError, Tables, stored, unstored};

/// A note that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNote {
    /// Of whom.
    pub key: NumberKey,
    /// Row of the call it was written in.
    pub call: Option<u64>,
    /// What was noted.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Until when it holds, milliseconds since the Unix epoch; none: it stays.
    pub until_ms: Option<u64>,
}

/// A note as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Number of the row.
    pub id: u64,
    /// Row of the call it was written in; none when that is gone.
    pub call: Option<u64>,
    /// What was noted.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Until when it holds, milliseconds since the Unix epoch; none: it stays.
    pub until_ms: Option<u64>,
}

impl Tables<'_> {
    /// Keeps a note and gives back its row.
    ///
    /// # Errors
    /// When it cannot be written, or there is no such call.
    pub fn add_note(&self, note: &NewNote) -> Result<u64, StoreError> {
        self.sql.execute(
            "INSERT INTO note (number_key, call, text, at_ms, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                note.key.as_str(),
                note.call.map(stored),
                note.text,
                stored(note.at_ms),
                note.until_ms.map(stored)
            ],
        )?;
        Ok(unstored(self.sql.last_insert_rowid()))
    }

    /// Notes of this number, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn notes_of(&self, key: &NumberKey, limit: usize) -> Result<Vec<Note>, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, call, text, at_ms, until_ms FROM note WHERE number_key = ?1 ORDER BY at_ms DESC, id DESC LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![key.as_str(), limit], |row| {
            Ok(Note {
                id: unstored(row.get(0)?),
                call: row.get::<_, Option<i64>>(1)?.map(unstored),
                text: row.get(2)?,
                at_ms: unstored(row.get(3)?),
                until_ms: row.get::<_, Option<i64>>(4)?.map(unstored),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes away the notes that hold no longer at this time; how many there were.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn drop_expired_notes(&self, now_ms: u64) -> Result<usize, StoreError> {
        Ok(self.sql.execute("DELETE FROM note WHERE until_ms <= ?1", [stored(now_ms)])?)
    }

    /// Takes a note away. False: there was none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remove_note(&self, id: u64) -> Result<bool, StoreError> {
        Ok(self.sql.execute("DELETE FROM note WHERE id = ?1", [stored(id)])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::in_memory;

    #[test]
    fn notes_of_a_number_come_newest_first() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let key = NumberKey::of("0612345678").unwrap();
        let note = |text: &str, at_ms| NewNote {
            key: key.clone(),
            call: None,
            text: text.into(),
            at_ms,
            until_ms: None,
        };
        tables.add_note(&note("first", 1)).unwrap();
        let second = tables.add_note(&note("second", 2)).unwrap();
        let same = NumberKey::of("+31 6 12345678").unwrap();
        let texts: Vec<String> =
            tables.notes_of(&same, 9).unwrap().into_iter().map(|note| note.text).collect();
        assert_eq!(texts, ["second", "first"]);
        assert!(tables.remove_note(second).unwrap());
        assert!(!tables.remove_note(second).unwrap());
        assert!(tables.notes_of(&NumberKey::of("101").unwrap(), 9).unwrap().is_empty());
        let of_no_call = NewNote { call: Some(77), ..note("third", 3) };
        assert!(tables.add_note(&of_no_call).is_err());
    }

    #[test]
    fn a_note_goes_when_it_holds_no_longer() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let key = NumberKey::of("102").unwrap();
        for (text, until_ms) in
            [("stays", None), ("on holiday", Some(100)), ("at a fair", Some(200))]
        {
            let note =
                NewNote { key: key.clone(), call: None, text: text.into(), at_ms: 1, until_ms };
            tables.add_note(&note).unwrap();
        }
        let texts = || -> Vec<(String, Option<u64>)> {
            let notes = tables.notes_of(&key, 9).unwrap().into_iter();
            notes.map(|note| (note.text, note.until_ms)).collect()
        };
        assert_eq!(tables.drop_expired_notes(99).unwrap(), 0);
        assert_eq!(tables.drop_expired_notes(100).unwrap(), 1, "until then, and no longer");
        assert_eq!(texts(), [("at a fair".to_owned(), Some(200)), ("stays".to_owned(), None)]);
    }
}
