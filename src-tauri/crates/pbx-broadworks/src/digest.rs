//! Digest over HTTP (RFC 7616, RFC 2617 and 2069 for old servers), for the device-management server
//! (reference, section 6). No state machine: one challenge, one answer.

use std::fmt::Write as _;

use md5::Md5;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

/// A challenge that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// The server offers `auth`.
    protects: bool,
    algorithm: Algorithm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "MD5" => Some(Self::Md5),
            "SHA-256" => Some(Self::Sha256),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Challenge {
    /// The strongest challenge among the values of `WWW-Authenticate` that we can answer.
    pub(crate) fn strongest<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        values.into_iter().flat_map(challenges).max_by_key(|challenge| challenge.algorithm)
    }

    /// The value of `Authorization` for one request.
    pub(crate) fn answer(
        &self,
        user: &str,
        password: &SecretString,
        method: &str,
        uri: &str,
        cnonce: &str,
    ) -> String {
        let Self { realm, nonce, algorithm, .. } = self;
        let secret = algorithm.hash(&format!("{user}:{realm}:{}", password.expose_secret()));
        let asked = algorithm.hash(&format!("{method}:{uri}"));
        let response = match self.protects {
            true => algorithm.hash(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{asked}")),
            false => algorithm.hash(&format!("{secret}:{nonce}:{asked}")),
        };
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\", algorithm={}",
            quote(user),
            quote(realm),
            quote(nonce),
            quote(uri),
            algorithm.name()
        );
        if self.protects {
            let _ = write!(header, ", qop=auth, nc=00000001, cnonce={}", quote(cnonce));
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(header, ", opaque={}", quote(opaque));
        }
        header
    }

    fn of(parameters: &[(String, String)]) -> Option<Self> {
        let get = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let qop = get("qop");
        let protects = qop.as_deref().is_some_and(|offers| {
            offers.split(',').any(|offer| offer.trim().eq_ignore_ascii_case("auth"))
        });
        // Protection of the body alone is nothing we do.
        if qop.is_some() && !protects {
            return None;
        }
        Some(Self {
            realm: get("realm")?,
            nonce: get("nonce")?,
            opaque: get("opaque"),
            protects,
            algorithm: get("algorithm")
                .map_or(Some(Algorithm::Md5), |name| Algorithm::of(&name))?,
        })
    }
}

fn quote(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The Digest challenges of one header value, which may hold several of different schemes.
fn challenges(value: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut scheme = String::new();
    let mut parameters: Vec<(String, String)> = Vec::new();
    for piece in pieces(value) {
        let (head, rest) = piece.split_once('=').unwrap_or((&piece, ""));
        let mut words = head.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        // Two words before `=`, or a word without one, begin a scheme.
        let name = match (second, piece.contains('=')) {
            (None, true) => first,
            (name, _) => {
                finish(&scheme, &mut parameters, &mut found);
                first.clone_into(&mut scheme);
                name.unwrap_or_default()
            }
        };
        parameters.push((name.to_owned(), unquote(rest)));
    }
    finish(&scheme, &mut parameters, &mut found);
    found
}

fn finish(scheme: &str, parameters: &mut Vec<(String, String)>, found: &mut Vec<Challenge>) {
    let taken = std::mem::take(parameters);
    if scheme.eq_ignore_ascii_case("Digest") {
        found.extend(Challenge::of(&taken));
    }
}

/// The parts between commas that stand in no quotes.
fn pieces(value: &str) -> Vec<String> {
    let (mut all, mut piece) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for character in value.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                all.push(std::mem::take(&mut piece));
                continue;
            }
            _ => {}
        }
        piece.push(character);
    }
    all.push(piece);
    all.into_iter().filter(|piece| !piece.trim().is_empty()).collect()
}

fn unquote(value: &str) -> String {
    let value = value.trim();
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::Challenge;

    /// The example of RFC 2617 section 3.5.
    #[test]
    fn the_example_of_the_rfc_is_answered() {
        let value = "Basic realm=\"x\", Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                     nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let challenge = Challenge::strongest([value]).unwrap();
        let password = SecretString::from("Circle Of Life".to_owned());
        let header = challenge.answer("Mufasa", &password, "GET", "/dir/index.html", "0a4f113b");
        assert!(header.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{header}");
        assert!(header.contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""));
    }

    /// The SHA-256 example of RFC 7616 section 3.9.1.
    #[test]
    fn the_stronger_challenge_is_taken() {
        let common = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                      nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe\"";
        let md5 = format!("Digest {common}, algorithm=MD5");
        let sha = format!("Digest {common}, algorithm=SHA-256");
        let challenge = Challenge::strongest([md5.as_str(), sha.as_str()]).unwrap();
        let password = SecretString::from("Circle of Life".to_owned());
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let header = challenge.answer("Mufasa", &password, "GET", "/dir/index.html", cnonce);
        let expected = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        assert!(header.contains(expected), "{header}");
    }

    #[test]
    fn what_cannot_be_answered_is_none() {
        for value in [
            "Basic realm=\"x\"",
            "Digest realm=\"x\"",
            "Digest realm=\"x\", nonce=\"y\", algorithm=MD4",
            "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
            "",
            "Digest",
            "\"\\",
        ] {
            assert_eq!(Challenge::strongest([value]), None, "{value}");
        }
        let plain = Challenge::strongest(["digest realm=\"a, \\\"b\\\"\", nonce=y"]).unwrap();
        assert_eq!((plain.realm.as_str(), plain.protects), ("a, \"b\"", false));
    }
}
