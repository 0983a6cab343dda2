//! What several commands begin with: the configuration file and the log.

use std::fs;
use std::path::Path;

use app::code::Code;
use app::config::Config;
use app::logs::{self, Log, LogOptions};

use crate::out::Failure;

/// Reads the configuration; keys that mean nothing are warned of.
pub(crate) fn config(path: &Path) -> Result<Config, Failure> {
    let bad =
        |message: String| Failure::usage(Code::BadConfig, format!("{}: {message}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let config = Config::parse(&text).map_err(|error| bad(error.to_string()))?;
    for key in config.unknown_keys() {
        tracing::warn!(key, "the configuration has a key that means nothing");
    }
    Ok(config)
}

/// Logs to a file when one is named, else warnings to standard error; until the log is dropped.
pub(crate) fn log(path: Option<&Path>, file_bytes: u64) -> Result<Log, Failure> {
    let options = LogOptions { file: path, file_bytes, level: "debug", stderr: path.is_none() };
    logs::start(options).map_err(|error| {
        let place = path.map(|path| path.display().to_string()).unwrap_or_default();
        Failure::usage(Code::BadRequest, format!("{place}: {error}"))
    })
}
