//! Who a person has said to be the same as somebody of another list, or another.

use rusqlite::params;

use crate::tables::{StoreError, Tables, stored, unstored};

/// What somebody has said of two people, by their rows; the smaller first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The one.
    pub one: u64,
    /// The other.
    pub other: u64,
    /// They are the same; false: they are two.
    pub together: bool,
}

impl Tables<'_> {
    /// Keeps for every two of these people whether they are the same, in place of what was said before. Goes with either.
    ///
    /// # Errors
    /// When it cannot be written, or one of them is nobody.
    pub fn say_same(&self, people: &[u64], together: bool) -> Result<(), StoreError> {
        let mut insert = self.sql.prepare_cached(
            "INSERT INTO same_person (one, other, together) VALUES (?1, ?2, ?3) \
             ON CONFLICT (one, other) DO UPDATE SET together = excluded.together",
        )?;
        for (at, one) in people.iter().enumerate() {
            for other in people.iter().skip(at + 1).filter(|other| *other != one) {
                let (one, other) = (one.min(other), one.max(other));
                insert.execute(params![stored(*one), stored(*other), together])?;
            }
        }
        Ok(())
    }

    /// Keeps that somebody is another than each of these.
    ///
    /// # Errors
    /// When it cannot be written, or one of them is nobody.
    pub fn say_apart(&self, person: u64, others: &[u64]) -> Result<(), StoreError> {
        others.iter().try_for_each(|other| self.say_same(&[person, *other], false))
    }

    /// Everything that was said.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn said_same(&self) -> Result<Vec<Said>, StoreError> {
        let text = "SELECT one, other, together FROM same_person ORDER BY one, other";
        let mut statement = self.sql.prepare_cached(text)?;
        let rows = statement.query_map((), |row| {
            let (one, other) = (unstored(row.get(0)?), unstored(row.get(1)?));
            Ok(Said { one, other, together: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{NewSource, Person};
    use crate::open::in_memory;

    #[test]
    fn the_last_word_counts_and_goes_with_the_person() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let person =
            |uid: &str| Person { uid: uid.into(), name: "Jan".into(), ..Person::default() };
        let source = NewSource { kind: "csv".into(), name: "a".into(), synced_ms: 1 };
        let first = tables.add_source(&source, [person("a"), person("b")]).unwrap();
        tables.add_source(&source, [person("a")]).unwrap();
        let ids: Vec<u64> = tables.people().unwrap().iter().map(|person| person.id).collect();
        tables.say_same(&[ids[2], ids[0], ids[1], ids[0]], true).unwrap();
        assert_eq!(tables.said_same().unwrap().len(), 3);
        tables.say_apart(ids[2], &[ids[0]]).unwrap();
        let said = tables.said_same().unwrap();
        let apart = Said { one: ids[0], other: ids[2], together: false };
        assert!(said.len() == 3 && said.contains(&apart), "{said:?}");
        assert!(tables.say_same(&[ids[0], 99], true).is_err(), "nobody");
        tables.remove_source(first).unwrap();
        assert_eq!(tables.said_same().unwrap(), []);
    }
}
