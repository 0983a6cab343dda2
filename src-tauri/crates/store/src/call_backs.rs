//! Who is to be called back. A conversation with the number settles it (see [`Tables::add_call`]).

use contacts::NumberKey;
use rusqlite::params;

use crate::tables::{StoreError, Tables, stored, unstored};

/// Somebody who is to be called back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCallBack {
    /// Account to call from.
    pub account: String,
    /// Name, or empty.
    pub name: String,
    /// What to call.
    pub number: String,
    /// Since when, milliseconds since the Unix epoch.
    pub since_ms: u64,
}

/// The same as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallBack {
    /// Number of the row.
    pub id: u64,
    /// Who.
    pub who: NewCallBack,
    /// When it was settled.
    pub done_ms: Option<u64>,
    /// By whom.
    pub done_by: Option<String>,
}

impl Tables<'_> {
    /// Keeps it and gives back its row; where the number waits already, that row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_call_back(&self, who: &NewCallBack) -> Result<u64, StoreError> {
        let key = NumberKey::of(&who.number);
        let key = key.as_ref().map(NumberKey::as_str);
        let waiting = self.call_backs(usize::MAX)?.into_iter().find(|known| {
            known.done_ms.is_none()
                && (known.who.number == who.number
                    || contacts::same_number(&known.who.number, &who.number))
        });
        if let Some(waiting) = waiting {
            return Ok(waiting.id);
        }
        self.sql.execute(
            "INSERT INTO call_back (account, name, number, number_key, since_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![who.account, who.name, who.number, key, stored(who.since_ms)],
        )?;
        Ok(unstored(self.sql.last_insert_rowid()))
    }

    /// The list: who waits longest first, then what is settled, newest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn call_backs(&self, limit: usize) -> Result<Vec<CallBack>, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, account, name, number, since_ms, done_ms, done_by FROM call_back \
             ORDER BY done_ms IS NOT NULL, done_ms DESC, since_ms, id LIMIT ?1",
        )?;
        let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok(CallBack {
                id: unstored(row.get(0)?),
                who: NewCallBack {
                    account: row.get(1)?,
                    name: row.get(2)?,
                    number: row.get(3)?,
                    since_ms: unstored(row.get(4)?),
                },
                done_ms: row.get::<_, Option<i64>>(5)?.map(unstored),
                done_by: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Settles it. False: there is no such row, or it is settled already.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn settle_call_back(&self, id: u64, by: &str, at_ms: u64) -> Result<bool, StoreError> {
        let text =
            "UPDATE call_back SET done_ms = ?2, done_by = ?3 WHERE id = ?1 AND done_ms IS NULL";
        Ok(self.sql.execute(text, params![stored(id), stored(at_ms), by])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Direction, NewCall, Outcome};
    use crate::open::in_memory;

    fn who(number: &str, since_ms: u64) -> NewCallBack {
        NewCallBack { account: "main".into(), name: String::new(), number: number.into(), since_ms }
    }

    #[test]
    fn a_number_waits_once_and_is_settled_by_hand_or_by_a_conversation() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let first = tables.add_call_back(&who("06 12345678", 10)).unwrap();
        assert_eq!(tables.add_call_back(&who("+31612345678", 20)).unwrap(), first);
        let second = tables.add_call_back(&who("030 2318800", 5)).unwrap();
        let ids = |tables: &Tables<'_>| -> Vec<u64> {
            tables.call_backs(9).unwrap().iter().map(|one| one.id).collect()
        };
        assert_eq!(ids(&tables), [second, first]);
        assert!(tables.settle_call_back(second, "Els", 30).unwrap());
        assert!(!tables.settle_call_back(second, "Jan", 31).unwrap());
        assert_eq!(ids(&tables), [first, second]);
        let call = NewCall {
            account: "main".into(),
            direction: Direction::Out,
            uri: "sip:0612345678@pbx.example".into(),
            name: String::new(),
            number: String::new(),
            started_ms: 40,
            seconds: 5,
            outcome: Outcome::Answered,
            reason: None,
            by: "Reception".into(),
        };
        tables.add_call(&call).unwrap();
        let list = tables.call_backs(9).unwrap();
        assert!(list.iter().all(|one| one.done_ms.is_some()), "{list:?}");
        assert_eq!(list[0].done_by.as_deref(), Some("Reception"));
        assert_ne!(tables.add_call_back(&who("06 12345678", 50)).unwrap(), first);
    }
}
