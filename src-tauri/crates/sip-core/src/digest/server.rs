//! The server side: makes challenges, checks answers, watches nonce age and replay.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_types::{Request, Response};

use super::Algorithm;
use crate::Random;

/// Whether we ask as the addressed server (401) or as a proxy (407).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// 401, WWW-Authenticate, Authorization.
    Server,
    /// 407, Proxy-Authenticate, Proxy-Authorization.
    Proxy,
}

/// What a request's credentials are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// They are right.
    Accepted {
        /// The authenticated user name.
        username: String,
    },
    /// There are none for our realm: challenge.
    Missing,
    /// They are right or cannot be judged, but the nonce is unknown, too old or its count was seen
    /// before: challenge with `stale`.
    Stale,
    /// Unknown user or wrong password: challenge again, or refuse with 403.
    Refused {
        /// The user name as claimed, if readable.
        username: String,
    },
}

/// Challenges for one realm.
#[derive(Debug)]
pub struct DigestServer {
    realm: String,
}

impl DigestServer {
    /// A server for `realm` that offers `algorithms` in this order (strongest first), each nonce
    /// good for `lifetime`.
    pub fn new(
        realm: &str,
        algorithms: &[Algorithm],
        lifetime: Duration,
        random: Random,
    ) -> Self {
        let _ = (algorithms, lifetime, random);
        Self { realm: realm.to_owned() }
    }

    /// Puts a fresh challenge, one per algorithm, on a 401 or 407 response.
    pub fn challenge(&mut self, now: Instant, role: Role, stale: bool, response: &mut Response) {
        let _ = (now, role, stale, response, &self.realm);
    }

    /// Judges the credentials of a request. `password` looks a user name up.
    pub fn verify(
        &mut self,
        now: Instant,
        role: Role,
        request: &Request,
        password: impl Fn(&str) -> Option<SecretString>,
    ) -> Verdict {
        let _ = (now, role, request, password);
        Verdict::Missing
    }
}
