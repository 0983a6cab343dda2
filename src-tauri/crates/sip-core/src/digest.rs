//! Digest access authentication (RFC 7616, RFC 8760 for SIP, RFC 2617 and 2069 for old servers).
//!
//! [`DigestClient`] answers challenges; [`DigestServer`] makes and checks them. [`HttpDigest`] answers those of web servers.

mod client;
mod hash;
mod http;
mod server;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

pub use client::DigestClient;
pub use hash::Algorithm;
pub use http::HttpDigest;
pub use server::{DigestServer, Role, Verdict};

/// What a user signs in with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The authentication user name, which may differ from the user part of the address.
    pub username: String,
    /// The password; never printed.
    pub password: SecretString,
}

/// That a secret is known, for a nonce alone: the MD5 of nonce, colon and secret in lower-case hexadecimal, as hoteling has
/// it (`x-broadworks-hoteling`).
#[must_use]
pub fn nonce_response(nonce: &str, secret: &SecretString) -> String {
    Algorithm::Md5.hash(format!("{nonce}:{}", secret.expose_secret()).as_bytes())
}

/// Why a challenge cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthError {
    /// The 401 or 407 carries no readable Digest challenge.
    #[error("the server asks for a sign-in but sends no challenge")]
    NoChallenge,
    /// Only algorithms, schemes or qualities of protection we do not know are offered.
    #[error("the server asks for a sign-in in a way this program does not know ({0})")]
    Unsupported(String),
    /// The server has seen these credentials for `realm` and refuses them.
    #[error("user name or password is wrong for {realm}")]
    WrongCredentials {
        /// The realm that refused.
        realm: String,
    },
    /// A realm that these credentials are not for.
    #[error("{realm} asks for a sign-in that is not meant for it")]
    ForeignRealm {
        /// The realm that asked.
        realm: String,
    },
    /// The realm asks for a weaker algorithm than it has offered before.
    #[error("{realm} asks for a weaker sign-in than before")]
    Downgraded {
        /// The realm that asked.
        realm: String,
    },
    /// The server calls every new nonce stale.
    #[error("the server for {realm} keeps declaring its own challenge outdated")]
    StaleLoop {
        /// The realm in question.
        realm: String,
    },
}

#[cfg(test)]
mod tests;
