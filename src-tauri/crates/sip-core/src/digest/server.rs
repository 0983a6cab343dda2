//! The server side: makes challenges, checks answers, watches nonce age and replay.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use sip_types::{AuthParams, Authorization, Challenge, HeaderName, Request, Response, Uri};

use super::Algorithm;
use super::hash::{Inputs, Protection};
use crate::Random;

/// Nonces remembered at a time; a flood of challenges makes the oldest ones stale.
const MAX_NONCES: usize = 8192;

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
    /// They are right, but the nonce is unknown, too old, or its count was seen before: challenge
    /// with `stale`.
    Stale,
    /// Unknown user or wrong password: challenge again, or refuse with 403.
    Refused {
        /// The user name as claimed.
        username: String,
    },
}

/// Challenges for one realm.
#[derive(Debug)]
pub struct DigestServer {
    realm: String,
    algorithms: Vec<Algorithm>,
    lifetime: Duration,
    random: Random,
    nonces: HashMap<String, Nonce>,
    /// Oldest first.
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Nonce {
    issued: Instant,
    highest_count: u32,
}

impl DigestServer {
    /// A server for `realm` that offers `algorithms` in this order (strongest first), each nonce
    /// good for `lifetime`.
    pub fn new(realm: &str, algorithms: &[Algorithm], lifetime: Duration, random: Random) -> Self {
        Self {
            realm: realm.to_owned(),
            algorithms: algorithms.to_vec(),
            lifetime,
            random,
            nonces: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Puts a fresh challenge, one per algorithm, on a 401 or 407 response.
    pub fn challenge(&mut self, now: Instant, role: Role, stale: bool, response: &mut Response) {
        self.forget_old(now);
        let nonce = self.random.token(26);
        self.nonces.insert(nonce.clone(), Nonce { issued: now, highest_count: 0 });
        self.order.push_back(nonce.clone());
        for algorithm in &self.algorithms {
            let mut params = AuthParams::new();
            params.push_quoted("realm", &self.realm);
            params.push_quoted("nonce", &nonce);
            params.push_token("algorithm", algorithm.name());
            params.push_quoted("qop", "auth");
            if stale {
                params.push_token("stale", "true");
            }
            let challenge = Challenge { scheme: "Digest".to_owned(), params };
            response.headers.push(role.challenge_header(), challenge.to_string());
        }
    }

    /// Judges the credentials of a request. `password` looks a user name up.
    pub fn verify(
        &mut self,
        now: Instant,
        role: Role,
        request: &Request,
        password: impl Fn(&str) -> Option<SecretString>,
    ) -> Verdict {
        let ours = |text: &str| {
            let credentials = text.parse::<Authorization>().ok()?;
            let realm_is_ours = credentials.params.get("realm") == Some(self.realm.as_str());
            (credentials.is_digest() && realm_is_ours).then_some(credentials.params)
        };
        let header = role.credentials_header();
        let Some(params) = request.headers.get_all(&header).find_map(|text| ours(&text)) else {
            return Verdict::Missing;
        };
        let username = params.get("username").unwrap_or_default().to_owned();
        let password = password(&username);
        if !password.is_some_and(|password| self.is_right(&params, request, &password)) {
            return Verdict::Refused { username };
        }
        if self.use_nonce(now, &params) { Verdict::Accepted { username } } else { Verdict::Stale }
    }

    fn is_right(&self, params: &AuthParams, request: &Request, password: &SecretString) -> bool {
        let Ok(algorithm) = params.get("algorithm").unwrap_or("MD5").parse::<Algorithm>() else {
            return false;
        };
        let uri = params.get("uri").unwrap_or_default();
        if !self.algorithms.contains(&algorithm) || !is_same_uri(uri, &request.uri) {
            return false;
        }
        let protection = params.get("qop").map(|qop| Protection {
            qop: if qop.eq_ignore_ascii_case("auth-int") { "auth-int" } else { "auth" },
            nc: params.get("nc").unwrap_or_default(),
            cnonce: params.get("cnonce").unwrap_or_default(),
            body: &request.body,
        });
        let inputs = Inputs {
            algorithm,
            username: params.get("username").unwrap_or_default(),
            realm: &self.realm,
            password: password.expose_secret().as_bytes(),
            method: &request.method.to_string(),
            uri,
            nonce: params.get("nonce").unwrap_or_default(),
            protection,
        };
        is_equal(&inputs.response(), params.get("response").unwrap_or_default())
    }

    /// Whether the nonce is one of ours, young enough, and used in order.
    fn use_nonce(&mut self, now: Instant, params: &AuthParams) -> bool {
        let nonce = params.get("nonce").unwrap_or_default();
        let Some(known) = self.nonces.get_mut(nonce) else { return false };
        if now.saturating_duration_since(known.issued) > self.lifetime {
            return false;
        }
        if params.get("qop").is_none() {
            // A client of RFC 2069 does not count; its nonce is good once.
            return std::mem::replace(&mut known.highest_count, u32::MAX) == 0;
        }
        let count = params.get("nc").and_then(|nc| u32::from_str_radix(nc, 16).ok());
        let Some(count) = count.filter(|count| *count > known.highest_count) else { return false };
        known.highest_count = count;
        true
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(oldest) = self.order.front() {
            let issued = self.nonces.get(oldest).map(|nonce| nonce.issued);
            let old =
                issued.is_none_or(|issued| now.saturating_duration_since(issued) > self.lifetime);
            if !old && self.order.len() < MAX_NONCES {
                return;
            }
            self.nonces.remove(oldest);
            self.order.pop_front();
        }
    }
}

impl Role {
    /// The header a challenge stands in.
    pub(super) fn challenge_header(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::WwwAuthenticate,
            Self::Proxy => HeaderName::ProxyAuthenticate,
        }
    }

    /// The header credentials stand in.
    pub(super) fn credentials_header(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::Authorization,
            Self::Proxy => HeaderName::ProxyAuthorization,
        }
    }
}

fn is_same_uri(text: &str, uri: &Uri) -> bool {
    text == uri.as_str() || Uri::parse(text).is_ok_and(|parsed| parsed.equivalent(uri))
}

/// Compares without telling by its duration how much was right.
fn is_equal(expected: &str, given: &str) -> bool {
    let given = given.to_ascii_lowercase();
    let differing =
        expected.bytes().zip(given.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    expected.len() == given.len() && differing == 0
}
