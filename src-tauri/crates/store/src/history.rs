//! Calls that are over.

use contacts::NumberKey;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, params};

use crate::tables::{StoreError, Tables, stored, unstored};

/// Who started a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Somebody called us.
    In,
    /// We called somebody.
    Out,
}

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was a conversation.
    Answered,
    /// Incoming, nobody answered.
    Missed,
    /// Incoming, we declined.
    Declined,
    /// Outgoing, not answered or given up.
    NoAnswer,
    /// Outgoing, busy.
    Busy,
    /// Outgoing, failed.
    Failed,
    /// Outgoing, on another telephone; whether anybody answered is not known.
    Placed,
}

const DIRECTIONS: [(Direction, &str); 2] = [(Direction::In, "in"), (Direction::Out, "out")];
const OUTCOMES: [(Outcome, &str); 7] = [
    (Outcome::Answered, "answered"),
    (Outcome::Missed, "missed"),
    (Outcome::Declined, "declined"),
    (Outcome::NoAnswer, "no_answer"),
    (Outcome::Busy, "busy"),
    (Outcome::Failed, "failed"),
    (Outcome::Placed, "placed"),
];

fn word<T: PartialEq>(table: &[(T, &'static str)], value: &T) -> &'static str {
    table.iter().find(|(known, _)| known == value).map_or("", |(_, word)| word)
}

fn read<T: Copy>(table: &[(T, &str)], value: ValueRef<'_>) -> FromSqlResult<T> {
    let text = value.as_str()?;
    let known = table.iter().find(|(_, word)| *word == text);
    known.map(|(value, _)| *value).ok_or(FromSqlError::InvalidType)
}

impl ToSql for Direction {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(word(&DIRECTIONS, self).into())
    }
}

impl FromSql for Direction {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Direction> {
        read(&DIRECTIONS, value)
    }
}

impl ToSql for Outcome {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(word(&OUTCOMES, self).into())
    }
}

impl FromSql for Outcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Outcome> {
        read(&OUTCOMES, value)
    }
}

/// A call that has just ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// Account it ran on.
    pub account: String,
    /// Who began.
    pub direction: Direction,
    /// Address of the other side as signalled.
    pub uri: String,
    /// Name of the other side, or empty.
    pub name: String,
    /// Number of the other side for show, or empty.
    pub number: String,
    /// When it began, milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// How long the conversation was, seconds.
    pub seconds: u32,
    /// How it went.
    pub outcome: Outcome,
    /// Why, in a stable word of the caller's.
    pub reason: Option<String>,
    /// Who calls from this account, for "called back by".
    pub by: String,
}

/// A call as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    /// Number of the row; grows.
    pub id: u64,
    /// The call.
    pub call: NewCall,
    /// A missed call that was looked at; every other call.
    pub seen: bool,
    /// When somebody spoke with the missed caller after all.
    pub called_back_ms: Option<u64>,
    /// Who did, when that is known.
    pub called_back_by: Option<String>,
    /// It is from the log of the exchange: it ran on another telephone, or while the program did not run.
    pub elsewhere: bool,
}

impl NewCall {
    /// What the other side is matched by; none: it withheld its number or has none.
    pub fn key(&self) -> Option<NumberKey> {
        NumberKey::of(&self.uri).or_else(|| NumberKey::of(&self.number))
    }
}

const COLUMNS: &str = "id, account, direction, uri, name, number, started_ms, seconds, outcome, reason, \
                       seen, called_back_ms, called_back_by, \
                       EXISTS (SELECT 1 FROM logged WHERE logged.call = call.id AND made = 1) AS elsewhere";

impl Tables<'_> {
    /// Keeps a call and gives back its row. A conversation settles the missed calls and the call-backs of that
    /// number that came before it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_call(&self, call: &NewCall) -> Result<u64, StoreError> {
        let key = call.key();
        let seen = call.outcome != Outcome::Missed;
        self.sql
            .prepare_cached(
                "INSERT INTO call (account, direction, uri, name, number, number_key, started_ms, seconds, \
                 outcome, reason, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                call.account,
                call.direction,
                call.uri,
                call.name,
                call.number,
                key.as_ref().map(NumberKey::as_str),
                stored(call.started_ms),
                call.seconds,
                call.outcome,
                call.reason,
                seen,
            ])?;
        let id = unstored(self.sql.last_insert_rowid());
        if let Some(key) = key.filter(|_| call.outcome == Outcome::Answered) {
            self.settle(&key, call)?;
        }
        Ok(id)
    }

    fn settle(&self, key: &NumberKey, call: &NewCall) -> Result<(), StoreError> {
        let at = stored(call.started_ms);
        self.sql
            .prepare_cached(
                "UPDATE call SET called_back_ms = ?2, called_back_by = ?3 WHERE number_key = ?1 \
                 AND outcome = 'missed' AND called_back_ms IS NULL AND started_ms <= ?2",
            )?
            .execute(params![key.as_str(), at, call.by])?;
        self.sql
            .prepare_cached(
                "UPDATE call_back SET done_ms = ?2, done_by = ?3 WHERE number_key = ?1 \
                 AND done_ms IS NULL AND since_ms <= ?2",
            )?
            .execute(params![key.as_str(), at, call.by])?;
        Ok(())
    }

    /// The newest calls, newest first, at most `limit`; with `before_ms` only those that began before it.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn calls(&self, limit: usize, before_ms: Option<u64>) -> Result<Vec<PastCall>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM call WHERE started_ms < ?1 ORDER BY started_ms DESC, id DESC LIMIT ?2"
        );
        let before = before_ms.map_or(i64::MAX, stored);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.sql.prepare_cached(&text)?;
        let rows = statement.query_map(params![before, limit], past_call)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The last calls with this number, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn calls_with(&self, key: &NumberKey, limit: usize) -> Result<Vec<PastCall>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM call WHERE number_key = ?1 ORDER BY started_ms DESC, id DESC LIMIT ?2"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.sql.prepare_cached(&text)?;
        let rows = statement.query_map(params![key.as_str(), limit], past_call)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many missed calls were not looked at.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn unseen_calls(&self) -> Result<u32, StoreError> {
        let text = "SELECT count(*) FROM call WHERE seen = 0";
        Ok(self.sql.query_row(text, (), |row| row.get(0))?)
    }

    /// The missed calls were looked at.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn see_calls(&self) -> Result<(), StoreError> {
        self.sql.execute("UPDATE call SET seen = 1 WHERE seen = 0", ())?;
        Ok(())
    }

    /// Forgets calls that began, notes that were written and call-backs that were settled before this time.
    /// Gives back how many rows went.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget_before(&self, ms: u64) -> Result<usize, StoreError> {
        let mut gone = 0;
        for text in [
            "DELETE FROM note WHERE at_ms < ?1",
            "DELETE FROM call WHERE started_ms < ?1",
            "DELETE FROM logged WHERE at_ms < ?1",
            "DELETE FROM call_back WHERE done_ms < ?1",
        ] {
            gone += self.sql.execute(text, [stored(ms)])?;
        }
        Ok(gone)
    }

    /// One call by its row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn call(&self, id: u64) -> Result<Option<PastCall>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM call WHERE id = ?1");
        Ok(self.sql.query_row(&text, [stored(id)], past_call).optional()?)
    }
}

fn past_call(row: &Row<'_>) -> rusqlite::Result<PastCall> {
    let called_back_by: Option<String> = row.get("called_back_by")?;
    Ok(PastCall {
        id: unstored(row.get("id")?),
        call: NewCall {
            account: row.get("account")?,
            direction: row.get("direction")?,
            uri: row.get("uri")?,
            name: row.get("name")?,
            number: row.get("number")?,
            started_ms: unstored(row.get("started_ms")?),
            seconds: row.get("seconds")?,
            outcome: row.get("outcome")?,
            reason: row.get("reason")?,
            by: String::new(),
        },
        seen: row.get("seen")?,
        called_back_ms: row.get::<_, Option<i64>>("called_back_ms")?.map(unstored),
        called_back_by: called_back_by.filter(|by| !by.is_empty()),
        elsewhere: row.get("elsewhere")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::in_memory;

    fn call(number: &str, at: u64, direction: Direction, outcome: Outcome) -> NewCall {
        NewCall {
            account: "main".into(),
            direction,
            uri: format!("sip:{number}@pbx.example"),
            name: String::new(),
            number: number.into(),
            started_ms: at,
            seconds: 3,
            outcome,
            reason: None,
            by: "Reception".into(),
        }
    }

    #[test]
    fn the_newest_calls_come_first() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        for at in [10, 30, 20] {
            tables.add_call(&call("101", at, Direction::In, Outcome::Answered)).unwrap();
        }
        let times =
            |calls: Vec<PastCall>| calls.iter().map(|c| c.call.started_ms).collect::<Vec<_>>();
        assert_eq!(times(tables.calls(2, None).unwrap()), [30, 20]);
        assert_eq!(times(tables.calls(9, Some(20)).unwrap()), [10]);
        let first = tables.calls(1, None).unwrap().remove(0);
        assert_eq!(tables.call(first.id).unwrap(), Some(first.clone()));
        let by = String::new();
        assert_eq!(first.call, NewCall { by, ..call("101", 30, Direction::In, Outcome::Answered) });
    }

    #[test]
    fn a_conversation_settles_what_was_missed_before_it() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        tables.add_call(&call("+31612345678", 10, Direction::In, Outcome::Missed)).unwrap();
        tables.add_call(&call("0302318800", 11, Direction::In, Outcome::Missed)).unwrap();
        tables.add_call(&call("0612345678", 20, Direction::Out, Outcome::NoAnswer)).unwrap();
        let open = |tables: &Tables<'_>| {
            let calls = tables.calls(9, None).unwrap();
            let missed = calls.iter().filter(|c| c.call.outcome == Outcome::Missed);
            missed.filter(|c| c.called_back_ms.is_none()).count()
        };
        assert_eq!(open(&tables), 2, "nobody was reached");
        tables.add_call(&call("0612345678", 30, Direction::Out, Outcome::Answered)).unwrap();
        tables.add_call(&call("0612345678", 40, Direction::In, Outcome::Missed)).unwrap();
        assert_eq!(open(&tables), 2, "another number, and one that came later");
        let first = tables.calls_with(&NumberKey::of("0612345678").unwrap(), 9).unwrap().remove(3);
        assert_eq!(first.called_back_ms, Some(30));
        assert_eq!(first.called_back_by.as_deref(), Some("Reception"));
    }

    #[test]
    fn missed_calls_are_unseen_until_looked_at() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        tables.add_call(&call("101", 10, Direction::In, Outcome::Missed)).unwrap();
        tables.add_call(&call("101", 11, Direction::Out, Outcome::Busy)).unwrap();
        assert_eq!(tables.unseen_calls().unwrap(), 1);
        tables.see_calls().unwrap();
        assert_eq!(tables.unseen_calls().unwrap(), 0);
    }

    #[test]
    fn old_calls_are_forgotten() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        for at in [10, 20, 30] {
            tables.add_call(&call("101", at, Direction::In, Outcome::Answered)).unwrap();
        }
        assert_eq!(tables.forget_before(25).unwrap(), 2);
        assert_eq!(tables.calls(9, None).unwrap().len(), 1);
    }
}
