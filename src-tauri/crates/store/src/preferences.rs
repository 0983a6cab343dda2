//! Settings that belong to what is kept here and not in the settings file: how a list of contacts was mapped the last
//! time, and the like. Names and values are the caller's.

use rusqlite::{OptionalExtension, params};

use crate::tables::{StoreError, Tables};

impl Tables<'_> {
    /// A value that was kept.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn preference(&self, name: &str) -> Result<Option<String>, StoreError> {
        let text = "SELECT value FROM preference WHERE name = ?1";
        Ok(self.sql.query_row(text, [name], |row| row.get(0)).optional()?)
    }

    /// Keeps a value, in place of the one before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_preference(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let text = "INSERT INTO preference VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
        self.sql.execute(text, params![name, value])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::in_memory;

    #[test]
    fn the_last_value_counts() {
        let sql = in_memory();
        let tables = Tables::new(&sql);
        assert_eq!(tables.preference("a").unwrap(), None);
        tables.set_preference("a", "1").unwrap();
        tables.set_preference("a", "2").unwrap();
        assert_eq!(tables.preference("a").unwrap().as_deref(), Some("2"));
    }
}
