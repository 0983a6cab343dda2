//! What is kept of one number or one person: to be handed over, and to be erased.

use contacts::NumberKey;
use rusqlite::{OptionalExtension, params};

use crate::call_backs::CallBack;
use crate::directory::Person;
use crate::history::PastCall;
use crate::notes::Note;
use crate::tables::{StoreError, Tables, stored};

/// Of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Whoever has this number.
    Number(NumberKey),
    /// Somebody in the cache of contacts, with all numbers: the entries that are the same person.
    Person(Vec<u64>),
}

/// Everything that is kept of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Everything {
    /// In the cache of contacts.
    pub people: Vec<Person>,
    /// Calls, newest first.
    pub calls: Vec<PastCall>,
    /// Notes, newest first.
    pub notes: Vec<Note>,
    /// Call-backs.
    pub call_backs: Vec<CallBack>,
}

/// How much was erased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// In the cache of contacts.
    pub people: usize,
    /// Names of the sources that are read again and again and had somebody of them: what they still have comes back.
    pub sources: Vec<String>,
    /// Calls.
    pub calls: usize,
    /// Notes.
    pub notes: usize,
    /// Call-backs.
    pub call_backs: usize,
}

impl Tables<'_> {
    /// Everything that is kept of somebody.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn everything_of(&self, subject: &Subject) -> Result<Everything, StoreError> {
        let (people, keys) = self.concerned(subject)?;
        let mut found = Everything { people, ..Everything::default() };
        for key in &keys {
            found.calls.extend(self.calls_with(key, usize::MAX)?);
            found.notes.extend(self.notes_of(key, usize::MAX)?);
        }
        found.calls.sort_by_key(|call| std::cmp::Reverse((call.call.started_ms, call.id)));
        found.notes.sort_by_key(|note| std::cmp::Reverse((note.at_ms, note.id)));
        let list = self.call_backs(usize::MAX)?.into_iter();
        found.call_backs = list
            .filter(|one| NumberKey::of(&one.who.number).is_some_and(|key| keys.contains(&key)))
            .collect();
        Ok(found)
    }

    /// Erases everything that is kept of somebody. What was there is overwritten in the file.
    ///
    /// # Errors
    /// When it cannot be written; everything is still there then.
    pub fn erase(&self, subject: &Subject) -> Result<Erased, StoreError> {
        let (people, keys) = self.concerned(subject)?;
        self.erased.set(true);
        let mut erased = Erased::default();
        for person in people {
            if let Some(name) = self.forget_record(person.id)?
                && !erased.sources.contains(&name)
            {
                erased.sources.push(name);
            }
            erased.people +=
                self.sql.execute("DELETE FROM person WHERE id = ?1", [stored(person.id)])?;
        }
        for key in &keys {
            let of = |text: &str| self.sql.execute(text, params![key.as_str()]);
            erased.notes += of("DELETE FROM note WHERE number_key = ?1")?;
            erased.calls += of("DELETE FROM call WHERE number_key = ?1")?;
            erased.call_backs += of("DELETE FROM call_back WHERE number_key = ?1")?;
        }
        Ok(erased)
    }

    /// Erases all calls, notes and call-backs, and every contact.
    ///
    /// # Errors
    /// When it cannot be written; everything is still there then.
    pub fn erase_everything(&self) -> Result<Erased, StoreError> {
        self.erased.set(true);
        let all = |text: &str| self.sql.execute(text, ());
        Ok(Erased {
            notes: all("DELETE FROM note")?,
            calls: all("DELETE FROM call")?,
            call_backs: all("DELETE FROM call_back")?,
            people: all("DELETE FROM person").and_then(|people| {
                all("DELETE FROM source")?;
                Ok(people)
            })?,
            sources: Vec::new(),
        })
    }

    /// Forgets that somebody was read: what a source calls him may be his name. The name of the source, if it is read again.
    fn forget_record(&self, person: u64) -> Result<Option<String>, StoreError> {
        let source = "SELECT source.name FROM person JOIN reading ON reading.source = person.source \
            JOIN source ON source.id = person.source WHERE person.id = ?1";
        let name = self.sql.query_row(source, [stored(person)], |row| row.get(0)).optional()?;
        let record = "DELETE FROM record WHERE (source, uid) IN \
            (SELECT source, uid FROM person WHERE id = ?1)";
        self.sql.execute(record, [stored(person)])?;
        Ok(name)
    }

    /// The people that are meant, and the numbers.
    fn concerned(&self, subject: &Subject) -> Result<(Vec<Person>, Vec<NumberKey>), StoreError> {
        let keys_of = |person: &Person| -> Vec<NumberKey> {
            person.numbers.iter().filter_map(|number| NumberKey::of(&number.number)).collect()
        };
        Ok(match subject {
            Subject::Number(key) => (self.people_with(key)?, vec![key.clone()]),
            Subject::Person(ids) => {
                let people = ids.iter().filter_map(|id| self.person(*id).transpose());
                let people: Vec<Person> = people.collect::<Result<_, _>>()?;
                let mut keys: Vec<NumberKey> = people.iter().flat_map(keys_of).collect();
                keys.sort_unstable();
                keys.dedup();
                (people, keys)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call_backs::NewCallBack;
    use crate::directory::{NewSource, PersonNumber};
    use crate::history::{Direction, NewCall, Outcome};
    use crate::notes::NewNote;
    use crate::open::in_memory;
    use crate::readings::{Changed, NewReading};

    fn fill(tables: &Tables<'_>) -> u64 {
        let number = |number: &str| PersonNumber { label: "work".into(), number: number.into() };
        let person = |uid: &str, numbers| Person { uid: uid.into(), numbers, ..Person::default() };
        let source = NewSource { kind: "csv".into(), name: "a".into(), synced_ms: 1 };
        let people = [
            person("a", vec![number("06 1234 5678"), number("030 2318800")]),
            person("b", vec![number("101")]),
        ];
        tables.add_source(&source, &people).unwrap();
        for uri in ["sip:+31612345678@pbx", "sip:0302318800@pbx", "sip:101@pbx"] {
            let call = NewCall {
                account: "main".into(),
                direction: Direction::In,
                uri: uri.into(),
                name: String::new(),
                number: String::new(),
                started_ms: 1,
                seconds: 0,
                outcome: Outcome::Missed,
                reason: None,
                by: String::new(),
            };
            tables.add_call(&call).unwrap();
            let key = NumberKey::of(uri).unwrap();
            tables
                .add_note(&NewNote {
                    key,
                    call: None,
                    text: "note".into(),
                    at_ms: 1,
                    until_ms: None,
                })
                .unwrap();
            let number = uri.into();
            let who =
                NewCallBack { account: "main".into(), name: String::new(), number, since_ms: 1 };
            tables.add_call_back(&who).unwrap();
        }
        tables.people().unwrap()[0].id
    }

    #[test]
    fn a_number_is_handed_over_and_erased_with_all_that_is_kept_of_it() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        fill(&tables);
        let subject = Subject::Number(NumberKey::of("0612345678").unwrap());
        let found = tables.everything_of(&subject).unwrap();
        let counts =
            (found.people.len(), found.calls.len(), found.notes.len(), found.call_backs.len());
        assert_eq!(counts, (1, 1, 1, 1));
        let erased = tables.erase(&subject).unwrap();
        assert_eq!(
            erased,
            Erased { people: 1, calls: 1, notes: 1, call_backs: 1, ..Erased::default() }
        );
        assert_eq!(tables.everything_of(&subject).unwrap(), Everything::default());
        assert_eq!(tables.calls(9, None).unwrap().len(), 2, "the others stay");
    }

    #[test]
    fn a_person_is_erased_with_all_numbers() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let person = fill(&tables);
        let erased = tables.erase(&Subject::Person(vec![person])).unwrap();
        assert_eq!(
            erased,
            Erased { people: 1, calls: 2, notes: 2, call_backs: 2, ..Erased::default() }
        );
        let erased = tables.erase_everything().unwrap();
        assert_eq!(
            erased,
            Erased { people: 1, calls: 1, notes: 1, call_backs: 1, ..Erased::default() }
        );
    }

    #[test]
    fn a_person_of_several_lists_is_erased_with_all_entries() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        fill(&tables);
        let ids: Vec<u64> = tables.people().unwrap().iter().map(|person| person.id).collect();
        let subject = Subject::Person(ids);
        let found = tables.everything_of(&subject).unwrap();
        assert_eq!((found.people.len(), found.calls.len()), (2, 3));
        let erased = tables.erase(&subject).unwrap();
        assert_eq!(
            erased,
            Erased { people: 2, calls: 3, notes: 3, call_backs: 3, ..Erased::default() }
        );
    }

    /// What a source calls somebody may be his name: that goes, too, so the source brings him back when it is read from the
    /// beginning, and the report says which.
    #[test]
    fn who_was_read_somewhere_is_told_and_what_he_is_called_there_is_gone() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        fill(&tables);
        let new =
            NewReading { kind: "carddav".into(), name: "Zaak".into(), settings: String::new() };
        let source = tables.add_reading(&new).unwrap();
        let number = PersonNumber { label: "work".into(), number: "+31612345678".into() };
        let smit = Person { name: "Smit".into(), numbers: vec![number], ..Person::default() };
        let put =
            ["/smit.vcf", "/smit-2.vcf"].map(|uid| (uid.into(), "1".into(), Some(smit.clone())));
        let group = ("/group.vcf".into(), "1".into(), None);
        let changed = Changed { put: [put.to_vec(), vec![group]].concat(), ..Changed::default() };
        assert!(tables.keep_reading(source, &changed, 5).unwrap());
        let erased = tables.erase(&Subject::Number(NumberKey::of("0612345678").unwrap())).unwrap();
        assert_eq!((erased.people, erased.sources), (3, vec!["Zaak".to_owned()]));
        let left = tables.read_so_far(source).unwrap().unwrap().records;
        assert_eq!(left.into_keys().collect::<Vec<_>>(), ["/group.vcf"]);
    }
}
