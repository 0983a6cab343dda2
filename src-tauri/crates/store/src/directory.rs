//! The cache of contacts: people by the source they came from. Every source is one way; the cache is what is
//! searched.

use std::borrow::Borrow;

use contacts::NumberKey;
use rusqlite::{OptionalExtension, Row, Rows, params};

use crate::tables::{StoreError, Tables, stored, unstored};

/// The kind of a source that is the directory of a telephone exchange.
pub const EXCHANGE: &str = "exchange";

/// Where people come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSource {
    /// Stable word: `csv`, `vcard`, …
    pub kind: String,
    /// Name for people: the file, the server.
    pub name: String,
    /// When it was read, milliseconds since the Unix epoch.
    pub synced_ms: u64,
}

/// A source as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Number of the row.
    pub id: u64,
    /// What it is.
    pub source: NewSource,
    /// How many people it has.
    pub people: u64,
}

/// Somebody of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// Number of the row; 0 for somebody who is not kept yet.
    pub id: u64,
    /// Row of the source.
    pub source: u64,
    /// What the source calls this person; unique within it.
    pub uid: String,
    /// Name.
    pub name: String,
    /// Company.
    pub company: String,
    /// Department.
    pub department: String,
    /// Function.
    pub job_title: String,
    /// First e-mail address.
    pub email: String,
    /// What the source notes of this person.
    pub remark: String,
    /// Shown first.
    pub favourite: bool,
    /// Numbers, in the order of the source.
    pub numbers: Vec<PersonNumber>,
}

/// A number of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonNumber {
    /// Stable word: `work`, `mobile`, `home`, …
    pub label: String,
    /// As the source writes it.
    pub number: String,
}

const PERSON: &str =
    "id, source, uid, name, company, department, job_title, email, remark, favourite";

impl Tables<'_> {
    /// A new source with its people, in one go. Of several with the same `uid` the last counts.
    ///
    /// # Errors
    /// When they cannot be written; nothing is kept then.
    pub fn add_source(
        &self,
        source: &NewSource,
        people: impl IntoIterator<Item: Borrow<Person>>,
    ) -> Result<u64, StoreError> {
        self.sql.execute(
            "INSERT INTO source (kind, name, synced_ms) VALUES (?1, ?2, ?3)",
            params![source.kind, source.name, stored(source.synced_ms)],
        )?;
        let id = unstored(self.sql.last_insert_rowid());
        for person in people {
            self.put_person(id, person.borrow())?;
        }
        Ok(id)
    }

    /// Keeps somebody of a source, in place of whom the source called the same before. Gives back the row.
    ///
    /// # Errors
    /// When it cannot be written, or there is no such source.
    pub fn put_person(&self, source: u64, person: &Person) -> Result<u64, StoreError> {
        let text = "INSERT INTO person (source, uid, name, company, department, job_title, email, remark, favourite) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (source, uid) DO UPDATE SET \
             name = excluded.name, company = excluded.company, department = excluded.department, \
             job_title = excluded.job_title, email = excluded.email, remark = excluded.remark RETURNING id";
        let id: i64 = self.sql.prepare_cached(text)?.query_row(
            params![
                stored(source),
                person.uid,
                person.name,
                person.company,
                person.department,
                person.job_title,
                person.email,
                person.remark,
                person.favourite,
            ],
            |row| row.get(0),
        )?;
        self.sql.prepare_cached("DELETE FROM person_number WHERE person = ?1")?.execute([id])?;
        let mut insert = self.sql.prepare_cached(
            "INSERT INTO person_number (person, place, label, number, number_key) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (place, number) in (0_i64..).zip(&person.numbers) {
            let key = NumberKey::of(&number.number);
            let key = key.as_ref().map(NumberKey::as_str);
            insert.execute(params![id, place, number.label, number.number, key])?;
        }
        Ok(unstored(id))
    }

    /// Takes a source away, with its people.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remove_source(&self, source: u64) -> Result<bool, StoreError> {
        Ok(self.sql.execute("DELETE FROM source WHERE id = ?1", [stored(source)])? > 0)
    }

    /// Every source, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn sources(&self) -> Result<Vec<Source>, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, kind, name, synced_ms, (SELECT count(*) FROM person WHERE source = source.id) \
             FROM source ORDER BY id",
        )?;
        let rows = statement.query_map((), |row| {
            Ok(Source {
                id: unstored(row.get(0)?),
                source: NewSource {
                    kind: row.get(1)?,
                    name: row.get(2)?,
                    synced_ms: unstored(row.get(3)?),
                },
                people: unstored(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Everybody of one source, in the order of the rows.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn people_of(&self, source: u64) -> Result<Vec<Person>, StoreError> {
        let mut statement =
            self.sql.prepare_cached("SELECT id FROM person WHERE source = ?1 ORDER BY id")?;
        let rows = statement.query_map([stored(source)], |row| row.get::<_, i64>(0))?;
        let mut people = Vec::new();
        for id in rows {
            people.extend(self.person(unstored(id?))?);
        }
        Ok(people)
    }

    /// Everybody, in the order of the rows.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn people(&self) -> Result<Vec<Person>, StoreError> {
        let mut people = Vec::new();
        self.each_person(|person| people.push(person))?;
        Ok(people)
    }

    /// Shows everybody, in the order of the rows, one after the other: many are never held at once. Who is in a source of the kind
    /// [`EXCHANGE`] is left out: an exchange shows them itself.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn each_person(&self, mut show: impl FnMut(Person)) -> Result<(), StoreError> {
        let text = format!(
            "SELECT {PERSON} FROM person \
             WHERE source NOT IN (SELECT id FROM source WHERE kind = '{EXCHANGE}') ORDER BY id"
        );
        let mut people = self.sql.prepare_cached(&text)?;
        let mut numbers = self.sql.prepare_cached(
            "SELECT label, number, person FROM person_number ORDER BY person, place",
        )?;
        let mut numbers = numbers.query(())?;
        let mut next = next_number(&mut numbers)?;
        let mut people = people.query(())?;
        while let Some(row) = people.next()? {
            let mut person = person(row)?;
            // Both are in the order of the person.
            while let Some((whose, number)) = next.take_if(|(whose, _)| *whose <= person.id) {
                if whose == person.id {
                    person.numbers.push(number);
                }
                next = next_number(&mut numbers)?;
            }
            show(person);
        }
        Ok(())
    }

    /// Somebody by the row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn person(&self, id: u64) -> Result<Option<Person>, StoreError> {
        let text = format!("SELECT {PERSON} FROM person WHERE id = ?1");
        let mut statement = self.sql.prepare_cached(&text)?;
        let Some(mut person) = statement.query_row([stored(id)], person).optional()? else {
            return Ok(None);
        };
        let mut numbers = self.sql.prepare_cached(
            "SELECT label, number FROM person_number WHERE person = ?1 ORDER BY place",
        )?;
        let rows = numbers.query_map([stored(id)], number)?;
        person.numbers = rows.collect::<Result<_, _>>()?;
        Ok(Some(person))
    }

    /// Everybody who has this number.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn people_with(&self, key: &NumberKey) -> Result<Vec<Person>, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT DISTINCT person FROM person_number WHERE number_key = ?1 ORDER BY person",
        )?;
        let rows = statement.query_map([key.as_str()], |row| row.get::<_, i64>(0))?;
        let mut people = Vec::new();
        for id in rows {
            people.extend(self.person(unstored(id?))?);
        }
        Ok(people)
    }

    /// Makes somebody a favourite, or no longer. False: there is nobody with that row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_favourite(&self, person: u64, on: bool) -> Result<bool, StoreError> {
        let text = "UPDATE person SET favourite = ?2 WHERE id = ?1";
        Ok(self.sql.execute(text, params![stored(person), on])? > 0)
    }
}

/// The next number and whose it is.
fn next_number(rows: &mut Rows<'_>) -> Result<Option<(u64, PersonNumber)>, StoreError> {
    match rows.next()? {
        Some(row) => Ok(Some((unstored(row.get(2)?), number(row)?))),
        None => Ok(None),
    }
}

fn number(row: &Row<'_>) -> rusqlite::Result<PersonNumber> {
    Ok(PersonNumber { label: row.get(0)?, number: row.get(1)? })
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        id: unstored(row.get(0)?),
        source: unstored(row.get(1)?),
        uid: row.get(2)?,
        name: row.get(3)?,
        company: row.get(4)?,
        department: row.get(5)?,
        job_title: row.get(6)?,
        email: row.get(7)?,
        remark: row.get(8)?,
        favourite: row.get(9)?,
        numbers: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::in_memory;

    fn person(uid: &str, name: &str, numbers: &[&str]) -> Person {
        let number =
            |number: &&str| PersonNumber { label: "work".into(), number: (*number).into() };
        Person {
            uid: uid.into(),
            name: name.into(),
            numbers: numbers.iter().map(number).collect(),
            ..Person::default()
        }
    }

    fn source(name: &str) -> NewSource {
        NewSource { kind: "csv".into(), name: name.into(), synced_ms: 1 }
    }

    #[test]
    fn people_come_back_with_their_numbers_in_order() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let people = [
            person("a", "Jan", &["0612345678", "101"]),
            person("b", "Piet", &[]),
            person("c", "Els", &["102"]),
        ];
        tables.add_source(&source("klanten.csv"), &people).unwrap();
        let found = tables.people().unwrap();
        let numbers: Vec<usize> = found.iter().map(|person| person.numbers.len()).collect();
        assert_eq!(numbers, [2, 0, 1]);
        assert_eq!(found[0].numbers[1].number, "101");
        assert_eq!(tables.person(found[0].id).unwrap().as_ref(), Some(&found[0]));
        assert_eq!(tables.person(99).unwrap(), None);
        let key = NumberKey::of("+31 6 1234 5678").unwrap();
        assert_eq!(tables.people_with(&key).unwrap(), found[..1]);
        assert_eq!(tables.sources().unwrap()[0].people, 3);
    }

    #[test]
    fn people_of_an_exchange_are_there_by_themselves() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        tables.add_source(&source("a"), &[person("a", "Jan", &["101"])]).unwrap();
        let exchange = NewSource { kind: EXCHANGE.into(), ..source("b") };
        let both = [person("b", "Piet", &["102"]), person("c", "Kees", &["103", "104"])];
        let id = tables.add_source(&exchange, &both).unwrap();
        tables.add_source(&source("c"), &[person("d", "Els", &["105"])]).unwrap();
        let names = |people: Vec<Person>| -> Vec<(String, usize)> {
            people.into_iter().map(|person| (person.name, person.numbers.len())).collect()
        };
        let one = |name: &str, numbers| (name.to_owned(), numbers);
        assert_eq!(names(tables.people().unwrap()), [one("Jan", 1), one("Els", 1)]);
        assert_eq!(names(tables.people_of(id).unwrap()), [one("Piet", 1), one("Kees", 2)]);
    }

    #[test]
    fn the_same_person_of_a_source_is_replaced_and_stays_a_favourite() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let id = tables.add_source(&source("a"), &[person("a", "Jan", &["101", "102"])]).unwrap();
        let row = tables.people().unwrap()[0].id;
        assert!(tables.set_favourite(row, true).unwrap());
        assert_eq!(tables.put_person(id, &person("a", "Jan de Wit", &["103"])).unwrap(), row);
        let found = tables.people().unwrap();
        assert_eq!(
            (found.len(), found[0].name.as_str(), found[0].favourite),
            (1, "Jan de Wit", true)
        );
        assert_eq!(found[0].numbers.len(), 1);
        assert!(!tables.set_favourite(row + 1, true).unwrap());
        assert!(tables.put_person(id + 1, &person("a", "Jan", &[])).is_err(), "no such source");
    }

    #[test]
    fn an_import_is_taken_back_whole() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let first = tables.add_source(&source("a"), &[person("a", "Jan", &["101"])]).unwrap();
        tables.add_source(&source("b"), &[person("a", "Piet", &["102"])]).unwrap();
        assert!(tables.remove_source(first).unwrap());
        assert!(!tables.remove_source(first).unwrap());
        let left = tables.people().unwrap();
        assert_eq!((left.len(), left[0].name.as_str()), (1, "Piet"));
        let numbers: u32 =
            sql.query_row("SELECT count(*) FROM person_number", (), |row| row.get(0)).unwrap();
        assert_eq!(numbers, 1);
    }
}
