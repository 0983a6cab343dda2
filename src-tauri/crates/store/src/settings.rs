//! The settings file: read with the line of what is wrong, written atomically, keys of other versions kept.
//!
//! The form of the settings belongs to the caller; here they are a TOML table.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};
use tracing::{debug, warn};

/// A settings file and what it held when it was read or written last.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    path: PathBuf,
    table: Table,
}

/// What opening a settings file gave.
#[derive(Debug)]
pub struct Load {
    /// The file; empty when there was none or it was broken.
    pub file: SettingsFile,
    /// Its text; empty when there was none or it was broken.
    pub text: String,
    /// What was wrong with it; it was kept aside then.
    pub problem: Option<SettingsError>,
}

/// Why settings cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is no TOML.
    #[error("{path}, line {line}: {message}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// Line from 1, 0 when unknown.
        line: usize,
        /// What is wrong.
        message: String,
        /// Where the broken file was kept, when that worked.
        kept: Option<PathBuf>,
    },
    /// The file system refuses.
    #[error("{path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The settings cannot be put into TOML: a fault of the program.
    #[error("settings have no TOML form")]
    Form(#[from] toml::ser::Error),
}

impl SettingsFile {
    /// Opens a file. A missing one is empty; a broken or unreadable one is empty too, with the
    /// problem told and the broken file kept aside (`settings.toml.broken`), so the program can go on.
    pub fn open(path: &Path) -> Load {
        let empty = || SettingsFile { path: path.to_owned(), table: Table::new() };
        let failed = |problem| Load { file: empty(), text: String::new(), problem: Some(problem) };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Load { file: empty(), text: String::new(), problem: None };
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return failed(broken(path, 0, "the file is not text".to_owned()));
            }
            Err(source) => return failed(SettingsError::Io { path: path.to_owned(), source }),
        };
        match text.parse::<Table>() {
            Ok(table) => {
                let file = SettingsFile { path: path.to_owned(), table };
                Load { file, text, problem: None }
            }
            Err(error) => {
                let line = error.span().map_or(0, |span| line_of(&text, span.start));
                failed(broken(path, line, error.message().to_owned()))
            }
        }
    }

    /// Sets the present content aside, for a caller that cannot use its values, and begins anew.
    pub fn reject(&mut self, line: usize, message: String) -> SettingsError {
        self.table = Table::new();
        broken(&self.path, line, message)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a key out of the table with this `id` in a list; saving alone would keep it.
    pub fn forget(&mut self, list: &str, id: &str, key: &str) {
        let Some(Value::Array(tables)) = self.table.get_mut(list) else { return };
        let named = |table: &&mut Table| table.get("id").and_then(Value::as_str) == Some(id);
        for table in tables.iter_mut().filter_map(Value::as_table_mut).filter(named) {
            table.remove(key);
        }
    }

    /// Puts settings over what is there and writes the file. Keys that the settings do not have are
    /// kept; tables in an array are matched by their `id`, those without a match go.
    ///
    /// # Errors
    /// When there is no TOML form or the file system refuses; the old file is whole then.
    pub fn save<T: Serialize>(&mut self, settings: &T) -> Result<(), SettingsError> {
        let mut table = self.table.clone();
        merge(&mut table, Table::try_from(settings)?);
        let text = toml::to_string_pretty(&table)?;
        write_atomically(&self.path, text.as_bytes())
            .map_err(|source| SettingsError::Io { path: self.path.clone(), source })?;
        debug!(path = %self.path.display(), "settings written");
        self.table = table;
        Ok(())
    }
}

fn merge(old: &mut Table, new: Table) {
    for (key, value) in new {
        match (old.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) => merge_array(old, new),
            (_, value) => {
                old.insert(key, value);
            }
        }
    }
}

fn merge_array(old: &mut Vec<Value>, new: Vec<Value>) {
    let id = |value: &Value| value.get("id").and_then(Value::as_str).map(str::to_owned);
    let before = std::mem::take(old);
    for value in new {
        let same = before.iter().find(|known| id(known).is_some() && id(known) == id(&value));
        match (same, value) {
            (Some(Value::Table(known)), Value::Table(value)) => {
                let mut merged = known.clone();
                merge(&mut merged, value);
                old.push(Value::Table(merged));
            }
            (_, value) => old.push(value),
        }
    }
}

fn broken(path: &Path, line: usize, message: String) -> SettingsError {
    let aside = with_suffix(path, "broken");
    let kept = match fs::copy(path, &aside) {
        Ok(_) => Some(aside),
        Err(error) => {
            warn!(%error, "the broken settings file could not be kept aside");
            None
        }
    };
    SettingsError::Broken { path: path.to_owned(), line, message, kept }
}

/// A new file beside it, made durable, then renamed over it: a reader sees the old or the new.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = with_suffix(path, "new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Settings {
        theme: &'static str,
        account: Vec<Account>,
    }

    #[derive(Serialize)]
    struct Account {
        id: &'static str,
        aor: &'static str,
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn what_is_to_be_forgotten_does_not_stay() {
        let folder = folder();
        let path = folder.path().join("settings.toml");
        let account = |id: &str| format!("[[account]]\nid = \"{id}\"\npassword = \"of {id}\"\n");
        fs::write(&path, account("a") + &account("b")).unwrap();
        let mut file = SettingsFile::open(&path).file;
        file.forget("account", "a", "password");
        file.forget("account", "nobody", "password");
        file.forget("nothing", "a", "password");
        let account = vec![Account { id: "a", aor: "x" }, Account { id: "b", aor: "y" }];
        file.save(&Settings { theme: "dark", account }).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("of a") && text.contains("of b"), "{text}");
    }

    #[test]
    fn what_is_saved_is_read_again_and_foreign_keys_stay() {
        let folder = folder();
        let path = folder.path().join("deep/settings.toml");
        let first = "future = 1\ntheme = \"dark\"\n[[account]]\nid = \"a\"\naor = \"x\"\ncolour = \"red\"\n[[account]]\nid = \"b\"\naor = \"y\"\n";
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, first).unwrap();
        let mut load = SettingsFile::open(&path);
        assert!(load.problem.is_none());
        assert_eq!(load.text, first);
        let account = vec![Account { id: "c", aor: "z" }, Account { id: "a", aor: "w" }];
        load.file.save(&Settings { theme: "light", account }).unwrap();
        let again: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        assert_eq!(again["future"].as_integer(), Some(1));
        assert_eq!(again["theme"].as_str(), Some("light"));
        let accounts = again["account"].as_array().unwrap();
        let ids: Vec<_> = accounts.iter().map(|a| a["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["c", "a"]);
        assert_eq!(accounts[1]["colour"].as_str(), Some("red"));
        assert_eq!(accounts[1]["aor"].as_str(), Some("w"));
    }

    #[test]
    fn a_missing_file_is_empty_and_is_made() {
        let folder = folder();
        let path = folder.path().join("new/settings.toml");
        let mut load = SettingsFile::open(&path);
        assert!(load.problem.is_none());
        load.file.save(&Settings { theme: "dark", account: Vec::new() }).unwrap();
        assert!(path.exists());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_file_is_told_with_its_line_and_kept_aside() {
        let folder = folder();
        let path = folder.path().join("settings.toml");
        fs::write(&path, "theme = \"dark\"\naccount = [\n").unwrap();
        let mut load = SettingsFile::open(&path);
        match load.problem {
            Some(SettingsError::Broken { line, kept: Some(kept), .. }) => {
                assert!((2..=3).contains(&line), "{line}");
                assert!(fs::read_to_string(kept).unwrap().contains("account = ["));
            }
            other => panic!("{other:?}"),
        }
        load.file.save(&Settings { theme: "light", account: Vec::new() }).unwrap();
        assert!(SettingsFile::open(&path).problem.is_none());
        fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
        assert!(matches!(SettingsFile::open(&path).problem, Some(SettingsError::Broken { .. })));
    }
}
