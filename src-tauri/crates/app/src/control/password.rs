//! A password on its way from a front end into the program.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use ts_rs::TS;

/// A password on its way in. Never printed, never written out again.
#[derive(Clone, Default, TS)]
#[ts(type = "string")]
pub struct Password(SecretString);

impl Password {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Password {
        Password(SecretString::from(text.into()))
    }

    /// The secret itself.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// True when nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Password, D::Error> {
        // Whatever is wrong with it, the message must not quote it.
        String::deserialize(deserializer)
            .map(Password::new)
            .map_err(|_| D::Error::custom("a password is a string"))
    }
}
