//! What several commands begin with: the configuration file and the log.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Mutex;

use app::code::Code;
use app::config::Config;
use tracing_subscriber::EnvFilter;

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

/// Logs to a file when one is named, else warnings to standard error.
pub(crate) fn log(path: Option<&Path>) -> Result<(), Failure> {
    let filter = |default: &str| {
        EnvFilter::try_from_env("BALIE_LOG").unwrap_or_else(|_| EnvFilter::new(default))
    };
    let builder = tracing_subscriber::fmt();
    match path {
        Some(path) => {
            let unusable = |error: std::io::Error| {
                Failure::usage(Code::BadRequest, format!("{}: {error}", path.display()))
            };
            let file = File::create(path).map_err(unusable)?;
            builder.json().with_env_filter(filter("debug")).with_writer(Mutex::new(file)).init();
        }
        None => {
            builder.with_env_filter(filter("warn")).with_writer(std::io::stderr).init();
        }
    }
    Ok(())
}
