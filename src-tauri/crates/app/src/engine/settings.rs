//! What the program is set up with: the configuration, the file it is kept in, the passwords.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use store::{Secrets, SettingsError, SettingsFile};
use tracing::warn;

use super::desk::Desk;
use crate::code::Code;
use crate::config::{AccountSettings, Config, Secret};
use crate::control::ErrorReply;

/// Name of the program in the keyring.
const SERVICE: &str = "Balie";

/// The set-up and where it is kept.
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) secrets: Arc<Secrets>,
    file: Option<SettingsFile>,
}

impl Settings {
    /// True when settings outlive this run.
    pub(super) fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Reads the file if there is one. A broken one is kept aside and told; the program goes on.
    pub(super) fn open(config: Config, path: Option<PathBuf>) -> (Settings, Option<ErrorReply>) {
        let Some(path) = path else {
            let secrets = match config.accounts.iter().any(|account| account.keyring) {
                true => Secrets::keyring(SERVICE),
                false => Secrets::session(),
            };
            return (Settings { config, secrets: Arc::new(secrets), file: None }, None);
        };
        let load = SettingsFile::open(&path);
        let (mut file, mut problem) = (load.file, load.problem);
        let mut read = config;
        if !load.text.is_empty() {
            read = Config::parse(&load.text).unwrap_or_else(|error| {
                problem = Some(file.reject(error.line, error.message));
                Config::default()
            });
        }
        for key in read.unknown_keys() {
            warn!(key, "the settings file has a key that this version does not know");
        }
        let problem = problem.map(|problem| bad_config(&problem));
        let secrets = Arc::new(Secrets::keyring(SERVICE));
        (Settings { config: read, secrets, file: Some(file) }, problem)
    }
}

impl AccountSettings {
    /// From now on the password is in the keyring, and what a file or the environment says is void.
    pub(super) fn use_keyring(&mut self) {
        self.keyring = true;
        self.password_env.clear();
        self.password = Secret::default();
    }

    /// The same for the password of its exchange.
    pub(super) fn keep_exchange_password(&mut self) {
        if let Some(xsi) = &mut self.xsi {
            (xsi.keyring, xsi.password) = (true, Secret::default());
            xsi.password_env.clear();
        }
        if let Some(asterisk) = &mut self.asterisk {
            (asterisk.keyring, asterisk.password) = (true, Secret::default());
            asterisk.password_env.clear();
        }
    }
}

/// What is wrong, and where the file is kept: the settings are written anew at the next change.
fn bad_config(problem: &SettingsError) -> ErrorReply {
    let text = match problem {
        SettingsError::Broken { kept: Some(kept), .. } => {
            let name = kept.file_name().unwrap_or_default().to_string_lossy();
            format!("{problem} → {name}")
        }
        other => other.to_string(),
    };
    ErrorReply::new(Code::BadConfig, text)
}

impl Desk {
    /// Writes the settings file, if there is one. Trouble is told, not returned: the change holds.
    pub(super) fn keep_settings(&mut self, now: Instant) {
        let Some(file) = &mut self.settings.file else { return };
        // A password that was written by hand once does not stay beside the keyring's.
        for account in self.settings.config.accounts.iter().filter(|account| account.keyring) {
            file.forget("account", &account.id, "password");
        }
        for account in self.settings.config.accounts.iter().filter(|account| account.turn_keyring) {
            file.forget("account", &account.id, "turn_password");
        }
        if let Err(error) = file.save(&self.settings.config) {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let text = format!("{error}: {}", source.unwrap_or_default());
            self.notice(now, Code::ConfigUnsaved, Some(text), true);
        }
    }
}
