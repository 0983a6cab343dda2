//! The log that an exchange keeps of the user's calls, merged into what is kept here: what rang while the program did not run,
//! and what was dialled or answered on another telephone.

use contacts::NumberKey;
use rusqlite::{OptionalExtension, params};

use crate::history::{NewCall, PastCall};
use crate::tables::{StoreError, Tables, stored, unstored};

/// So far apart may the clocks of the exchange and of this machine be, in milliseconds, that two calls with the same number are
/// one.
pub const SAME_CALL_MS: u64 = 120_000;
/// So near must the beginnings of two calls be that they are one although the exchange names a colleague by another number.
const SAME_MOMENT_MS: u64 = 5_000;
/// Digits of an extension.
const EXTENSION: usize = 6;

/// A call in the log of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCall {
    /// What the exchange calls it; one account's entries have different names.
    pub entry: String,
    /// The call.
    pub call: NewCall,
}

impl Tables<'_> {
    /// Keeps the calls of a log that are not known here: neither kept as our own, nor taken from the log before, also where they
    /// were erased since. Those that began before `oldest_ms` are left out. Gives back what is new, oldest first.
    ///
    /// # Errors
    /// When it cannot be written; everything is as before then.
    pub fn merge_log(
        &self,
        log: &[LoggedCall],
        oldest_ms: u64,
    ) -> Result<Vec<PastCall>, StoreError> {
        let mut log: Vec<&LoggedCall> =
            log.iter().filter(|one| one.call.started_ms >= oldest_ms).collect();
        log.sort_by_key(|one| one.call.started_ms);
        let mut new = Vec::new();
        for one in log {
            if self.is_logged(one)? {
                continue;
            }
            let own = self.own_call(&one.call)?;
            let row = match own {
                Some(row) => row,
                None => self.add_call(&one.call)?,
            };
            let text = "INSERT INTO logged (account, entry, at_ms, call, made) VALUES (?1, ?2, ?3, ?4, ?5)";
            let (account, at) = (&one.call.account, stored(one.call.started_ms));
            let values = params![account, one.entry, at, stored(row), own.is_none()];
            self.sql.prepare_cached(text)?.execute(values)?;
            if own.is_none() {
                self.settle_by_later(row)?;
                new.extend(self.call(row)?);
            }
        }
        Ok(new)
    }

    /// Who was missed may have been spoken to already.
    fn settle_by_later(&self, row: u64) -> Result<(), StoreError> {
        let later = "FROM call AS later WHERE later.number_key = call.number_key \
             AND later.outcome = 'answered' AND later.started_ms >= call.started_ms";
        let text = format!(
            "UPDATE call SET called_back_ms = (SELECT min(later.started_ms) {later}) \
             WHERE id = ?1 AND outcome = 'missed' AND called_back_ms IS NULL"
        );
        self.sql.prepare_cached(&text)?.execute([stored(row)])?;
        Ok(())
    }

    fn is_logged(&self, one: &LoggedCall) -> Result<bool, StoreError> {
        let text = "SELECT 1 FROM logged WHERE account = ?1 AND entry = ?2";
        let mut statement = self.sql.prepare_cached(text)?;
        Ok(statement.exists(params![one.call.account, one.entry])?)
    }

    /// Our own call that the exchange means and has not told of yet: the nearest with that number; or one in the same moment
    /// where one of the two numbers is an extension or unknown.
    fn own_call(&self, logged: &NewCall) -> Result<Option<u64>, StoreError> {
        let key = logged.key();
        let key = key.as_ref().map(NumberKey::as_str);
        let short = key.is_none_or(|key| key.len() <= EXTENSION);
        let text = format!(
            "SELECT id FROM call WHERE account = ?1 AND direction = ?2 \
             AND started_ms BETWEEN ?3 - {SAME_CALL_MS} AND ?3 + {SAME_CALL_MS} \
             AND id NOT IN (SELECT call FROM logged WHERE call IS NOT NULL) \
             AND (number_key IS ?4 OR (abs(started_ms - ?3) <= {SAME_MOMENT_MS} \
                 AND (?5 OR number_key IS NULL OR length(number_key) <= {EXTENSION}))) \
             ORDER BY number_key IS NOT ?4, abs(started_ms - ?3), id LIMIT 1"
        );
        let at = stored(logged.started_ms);
        let values = params![logged.account, logged.direction, at, key, short];
        let mut statement = self.sql.prepare_cached(&text)?;
        let found = statement.query_row(values, |row| row.get::<_, i64>(0)).optional()?;
        Ok(found.map(unstored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Direction, Outcome};
    use crate::open::in_memory;
    use crate::privacy::Subject;

    const AT: u64 = 1_000_000_000;

    fn call(number: &str, at: u64, direction: Direction, outcome: Outcome) -> NewCall {
        NewCall {
            account: "main".into(),
            direction,
            uri: String::new(),
            name: String::new(),
            number: number.into(),
            started_ms: at,
            seconds: 0,
            outcome,
            reason: None,
            by: "Anna".into(),
        }
    }

    fn logged(entry: &str, call: NewCall) -> LoggedCall {
        LoggedCall { entry: entry.into(), call }
    }

    fn merged(tables: &Tables<'_>, log: &[LoggedCall]) -> Vec<String> {
        let new = tables.merge_log(log, AT - 1).unwrap();
        assert!(new.iter().all(|past| past.elsewhere));
        new.into_iter().map(|past| past.call.number).collect()
    }

    #[test]
    fn what_happened_elsewhere_comes_and_our_own_calls_are_nobody_twice() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        for (number, at) in [("0612345678", AT), ("0612345678", AT + 60_000), ("102", AT)] {
            tables.add_call(&call(number, at, Direction::In, Outcome::Declined)).unwrap();
        }
        let missed = |number: &str, at| call(number, at, Direction::In, Outcome::Missed);
        let log = [
            // The clock of the exchange is behind, and it writes numbers in full.
            logged("1", missed("+31612345678", AT + 59_000)),
            logged("2", missed("+31612345678", AT + 1_000)),
            logged("3", missed("+31612345678", AT + 30_000)),
            // A colleague by his number at the company.
            logged("4", missed("0302318802", AT + 2_000)),
            logged("5", missed("0302318802", AT + 20_000)),
            logged("6", missed("0201234567", AT - 5)),
            logged("7", call("102", AT, Direction::Out, Outcome::Placed)),
        ];
        assert_eq!(merged(&tables, &log), ["102", "0302318802", "+31612345678"]);
        assert_eq!(merged(&tables, &log), Vec::<String>::new(), "once");
        let all = tables.calls(99, None).unwrap();
        assert_eq!((all.len(), all.iter().filter(|past| past.elsewhere).count()), (6, 3));
        assert_eq!(tables.unseen_calls().unwrap(), 2, "missed while nobody was here");
    }

    #[test]
    fn a_conversation_elsewhere_settles_what_was_missed_before_it() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        tables.add_call(&call("0612345678", AT, Direction::In, Outcome::Missed)).unwrap();
        let later = call("+31612345678", AT + 500_000, Direction::In, Outcome::Answered);
        assert_eq!(merged(&tables, &[logged("1", later)]).len(), 1);
        let all = tables.calls(9, None).unwrap();
        assert_eq!(all[1].called_back_ms, Some(AT + 500_000));
        assert_eq!(all[1].called_back_by.as_deref(), Some("Anna"));
        // The log tells late of another that was missed before that.
        let missed = call("06 12345678", AT + 300_000, Direction::In, Outcome::Missed);
        let new = tables.merge_log(&[logged("2", missed)], AT).unwrap();
        assert_eq!(new[0].called_back_ms, Some(AT + 500_000));
    }

    #[test]
    fn what_was_erased_or_is_too_old_does_not_come_back() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        let log = [logged("1", call("0612345678", AT, Direction::In, Outcome::Missed))];
        assert_eq!(merged(&tables, &log).len(), 1);
        let key = NumberKey::of("06 12345678").unwrap();
        assert_eq!(tables.erase(&Subject::Number(key)).unwrap().calls, 1);
        assert_eq!(merged(&tables, &log).len(), 0);
        tables.erase_everything().unwrap();
        assert_eq!(merged(&tables, &log).len(), 0);
        assert!(tables.merge_log(&log, AT + 1).unwrap().is_empty());
        tables.forget_before(AT + 1).unwrap();
        let left: u32 = sql.query_row("SELECT count(*) FROM logged", (), |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "their names are kept as long as calls are");
    }
}
