//! What the program keeps: a settings file in TOML, and secrets in the system's keyring.

mod secrets;
mod settings;

pub use secrets::{Kept, Secrets, SecretsError};
pub use settings::{Load, SettingsError, SettingsFile};
