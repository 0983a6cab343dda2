//! The same over HTTP (RFC 7616): one server, one realm.

use sip_types::Challenge;

use super::client::{Offer, Space};
use super::{AuthError, Credentials, Role};
use crate::Random;

/// How often in a row a server may call a nonce outdated.
const STALE: u32 = 2;

/// Answers the challenges of one web server, and signs later requests in advance.
#[derive(Debug)]
pub struct HttpDigest {
    credentials: Credentials,
    space: Option<Space>,
    stale: u32,
}

impl HttpDigest {
    /// One that has seen no challenge yet.
    pub fn new(credentials: Credentials) -> HttpDigest {
        HttpDigest { credentials, space: None, stale: 0 }
    }

    /// Learns from the WWW-Authenticate headers of a 401; `signed` is whether the refused request carried what
    /// [`HttpDigest::sign`] gave. Of several challenges the strongest algorithm is taken.
    ///
    /// # Errors
    /// When asking again would be pointless.
    pub fn challenged(
        &mut self,
        headers: &[String],
        signed: bool,
        random: &mut Random,
    ) -> Result<(), AuthError> {
        let lists = headers.iter().filter_map(|text| Challenge::parse_list(text).ok());
        let mut best: Option<Offer> = None;
        let mut unknown = None;
        for challenge in lists.flatten() {
            match Offer::read(Role::Server, challenge) {
                Ok(offer) if best.as_ref().is_none_or(|best| offer.algorithm > best.algorithm) => {
                    best = Some(offer);
                }
                Ok(_) => {}
                Err(what) => unknown = Some(what),
            }
        }
        let offer = match (best, unknown) {
            (Some(offer), _) => offer,
            (None, Some(what)) => return Err(AuthError::Unsupported(what)),
            (None, None) => return Err(AuthError::NoChallenge),
        };
        let stale =
            offer.params.get("stale").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let fresh = Space::new(offer, 0, random);
        if signed && !stale {
            return Err(AuthError::WrongCredentials { realm: fresh.realm });
        }
        self.stale = if signed { self.stale + 1 } else { 0 };
        if self.stale > STALE {
            return Err(AuthError::StaleLoop { realm: fresh.realm });
        }
        self.space = Some(fresh);
        Ok(())
    }

    /// A signed request was taken.
    pub fn accepted(&mut self) {
        self.stale = 0;
    }

    /// The Authorization header of a request; none: nothing was learned yet. `target` is the request target as it is sent.
    pub fn sign(&mut self, method: &str, target: &str, body: &[u8]) -> Option<String> {
        let space = self.space.as_mut()?;
        Some(space.sign(&self.credentials, method, target, body).to_string())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn digest() -> HttpDigest {
        let password = SecretString::from("Circle of Life");
        HttpDigest::new(Credentials { username: "Mufasa".into(), password })
    }

    fn random() -> Random {
        Random::from_seed([7; 32])
    }

    fn value<'a>(header: &'a str, name: &str) -> &'a str {
        let at = header.find(&format!("{name}=")).unwrap() + name.len() + 1;
        let rest = &header[at..];
        match rest.strip_prefix('"') {
            Some(rest) => rest.split('"').next().unwrap(),
            None => rest.split([',', ' ']).next().unwrap(),
        }
    }

    /// RFC 2069 has no nonce of the client, so that its answer can be told in advance: the one of RFC 2617 without `qop`,
    /// computed with md5sum.
    #[test]
    fn an_old_challenge_gets_its_answer() {
        let mut digest = digest();
        assert_eq!(digest.sign("GET", "/", b""), None);
        let old = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"o\"";
        digest.challenged(&[old.to_owned()], false, &mut random()).unwrap();
        let header = digest.sign("GET", "/dir/index.html", b"").unwrap();
        assert!(header.starts_with("Digest ") && !header.contains("qop"), "{header}");
        assert_eq!(value(&header, "response"), "2951cdbad33b2271fcb6b8e7b8feac23");
        assert_eq!(value(&header, "opaque"), "o");
    }

    #[test]
    fn the_strongest_is_taken_and_uses_are_counted() {
        let both = "Digest realm=\"r\", nonce=\"n\", qop=\"auth, auth-int\", algorithm=MD5, \
                    Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
        let mut digest = digest();
        let offers = ["Basic realm=\"x\"".to_owned(), both.to_owned()];
        digest.challenged(&offers, false, &mut random()).unwrap();
        let first = digest.sign("PROPFIND", "/a?b=c", b"").unwrap();
        let second = digest.sign("PROPFIND", "/a?b=c", b"").unwrap();
        assert_eq!((value(&first, "algorithm"), value(&first, "uri")), ("SHA-256", "/a?b=c"));
        assert_eq!((value(&first, "nc"), value(&second, "nc")), ("00000001", "00000002"));
        assert_ne!(value(&first, "response"), value(&second, "response"));
        assert!(!format!("{digest:?}").contains("Circle"));
    }

    #[test]
    fn a_refusal_ends_it_and_an_outdated_nonce_does_not() {
        let challenge = |nonce: &str, stale: bool| {
            [format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\", stale={stale}")]
        };
        let mut digest = digest();
        digest.challenged(&challenge("a", false), false, &mut random()).unwrap();
        let wrong = digest.challenged(&challenge("b", false), true, &mut random());
        assert_eq!(wrong, Err(AuthError::WrongCredentials { realm: "r".into() }));
        for nonce in ["c", "d"] {
            digest.challenged(&challenge(nonce, true), true, &mut random()).unwrap();
            assert_eq!(value(&digest.sign("GET", "/", b"").unwrap(), "nonce"), nonce);
        }
        let endless = digest.challenged(&challenge("e", true), true, &mut random());
        assert_eq!(endless, Err(AuthError::StaleLoop { realm: "r".into() }));
        for bad in [
            "",
            "Negotiate",
            "Digest realm=\"r\"",
            "Digest realm=\"r\", nonce=\"n\", algorithm=ROT13",
        ] {
            assert!(digest.challenged(&[bad.to_owned()], false, &mut random()).is_err(), "{bad}");
        }
    }
}
