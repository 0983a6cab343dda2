//! Who may use the PBX: digest challenges and their answers, for REGISTER and for calls.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_core::Random;
use sip_core::digest::{Algorithm, DigestServer, Role, Verdict};
use sip_types::{Request, Response, StatusCode};

/// A nonce is good for this long.
const NONCE: Duration = Duration::from_secs(300);

/// The gate of one realm.
#[derive(Debug)]
pub(crate) struct Gate {
    digest: DigestServer,
    passwords: BTreeMap<String, SecretString>,
}

impl Gate {
    /// A gate that knows these users (extension and password) and offers SHA-256 and MD5.
    pub(crate) fn new(
        realm: &str,
        passwords: BTreeMap<String, SecretString>,
        random: Random,
    ) -> Self {
        let algorithms = [Algorithm::Sha256, Algorithm::Md5];
        Self { digest: DigestServer::new(realm, &algorithms, NONCE, random), passwords }
    }

    /// What a user proves himself with.
    pub(crate) fn password(&self, user: &str) -> Option<&SecretString> {
        self.passwords.get(user)
    }

    /// The authenticated extension, or the response that refuses or challenges.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        role: Role,
        request: &Request,
    ) -> Result<String, Box<Response>> {
        let passwords = &self.passwords;
        let verdict =
            self.digest.verify(now, role, request, |user: &str| passwords.get(user).cloned());
        let stale = match verdict {
            Verdict::Accepted { username } => return Ok(username),
            Verdict::Missing => false,
            Verdict::Stale => true,
            Verdict::Refused { username } => {
                tracing::info!(%username, "wrong credentials");
                return Err(Box::new(Response::to_request(request, StatusCode::FORBIDDEN)));
            }
        };
        let status = match role {
            Role::Server => StatusCode::UNAUTHORIZED,
            Role::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        };
        let mut challenge = Response::to_request(request, status);
        self.digest.challenge(now, role, stale, &mut challenge);
        Err(Box::new(challenge))
    }
}
