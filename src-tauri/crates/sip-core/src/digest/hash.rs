//! The hash functions and the response computation (RFC 7616 section 3.4).

use std::fmt;
use std::str::FromStr;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// A digest algorithm; ordered by strength, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5, also meant when nothing is said.
    Md5,
    /// MD5 with a session key.
    Md5Sess,
    /// SHA-256.
    Sha256,
    /// SHA-256 with a session key.
    Sha256Sess,
    /// SHA-512/256.
    Sha512_256,
    /// SHA-512/256 with a session key.
    Sha512_256Sess,
}

/// The algorithm's name is none we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAlgorithm;

/// Everything that goes into a response value.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) username: &'a str,
    pub(super) realm: &'a str,
    pub(super) password: &'a [u8],
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) nonce: &'a str,
    pub(super) protection: Option<Protection<'a>>,
}

/// The part of the computation that a `qop` adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Protection<'a> {
    /// `auth` or `auth-int`.
    pub(super) qop: &'a str,
    /// Eight hexadecimal digits.
    pub(super) nc: &'a str,
    pub(super) cnonce: &'a str,
    /// The body, which `auth-int` covers.
    pub(super) body: &'a [u8],
}

impl Algorithm {
    /// The name as written in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
            Self::Sha512_256 => "SHA-512-256",
            Self::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    /// Whether the key is bound to a nonce and cnonce.
    pub fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess | Self::Sha512_256Sess)
    }

    /// The hash of `data` in lower-case hexadecimal.
    pub(super) fn hash(self, data: &[u8]) -> String {
        match self {
            Self::Md5 | Self::Md5Sess => hex(&Md5::digest(data)),
            Self::Sha256 | Self::Sha256Sess => hex(&Sha256::digest(data)),
            Self::Sha512_256 | Self::Sha512_256Sess => hex(&Sha512_256::digest(data)),
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let known = [
            Self::Md5,
            Self::Md5Sess,
            Self::Sha256,
            Self::Sha256Sess,
            Self::Sha512_256,
            Self::Sha512_256Sess,
        ];
        let found = known.into_iter().find(|known| known.name().eq_ignore_ascii_case(name.trim()));
        found.ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Inputs<'_> {
    /// The `response` value.
    pub(super) fn response(&self) -> String {
        let algorithm = self.algorithm;
        let secret = algorithm.hash(&self.secret());
        let request = algorithm.hash(self.request().as_bytes());
        let middle = match self.protection {
            Some(Protection { qop, nc, cnonce, .. }) => {
                format!("{}:{nc}:{cnonce}:{qop}", self.nonce)
            }
            None => self.nonce.to_owned(),
        };
        algorithm.hash(format!("{secret}:{middle}:{request}").as_bytes())
    }

    /// A1.
    fn secret(&self) -> Vec<u8> {
        let mut plain = format!("{}:{}:", self.username, self.realm).into_bytes();
        plain.extend_from_slice(self.password);
        match self.protection {
            Some(Protection { cnonce, .. }) if self.algorithm.is_session() => {
                let key = self.algorithm.hash(&plain);
                format!("{key}:{}:{cnonce}", self.nonce).into_bytes()
            }
            _ => plain,
        }
    }

    /// A2.
    fn request(&self) -> String {
        let plain = format!("{}:{}", self.method, self.uri);
        match self.protection {
            Some(Protection { qop: "auth-int", body, .. }) => {
                format!("{plain}:{}", self.algorithm.hash(body))
            }
            _ => plain,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
