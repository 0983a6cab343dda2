//! Who asks: Basic with the web password, the SIP password in its own scheme, tokens; and the cookie that comes with it.
//!
//! Inputs: from requests `check`, `token`, `log_out`, `change`; from the knobs `expire`; from time the age of tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sip_core::Random;

use super::names::Names;
use super::web::{Refusal, WebRequest};
use crate::pbx::Profile;

/// How long a token is good.
const TOKEN: Duration = Duration::from_secs(60);
/// Tokens and cookies at once.
const TOKENS: usize = 1_000;

/// Whose passwords they are, and what has been handed out.
#[derive(Debug)]
pub(crate) struct Doors {
    names: Names,
    profile: Profile,
    random: Random,
    /// Web passwords by extension.
    web: BTreeMap<String, SecretString>,
    /// SIP passwords by extension, which is the SIP user name.
    sip: BTreeMap<String, SecretString>,
    /// Users whose web password has expired.
    expired: BTreeSet<String>,
    tokens: Vec<(SecretString, String, Instant)>,
    cookies: Vec<(SecretString, String)>,
}

/// Who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// Extension.
    pub(crate) user: String,
    /// The password must be changed first.
    pub(crate) expired: bool,
    /// A cookie to be set.
    pub(crate) cookie: Option<String>,
}

impl Doors {
    /// Nothing has been handed out.
    pub(crate) fn new(
        names: Names,
        profile: Profile,
        (web, sip): (BTreeMap<String, SecretString>, BTreeMap<String, SecretString>),
        random: Random,
    ) -> Self {
        Self {
            names,
            profile,
            random,
            web,
            sip,
            expired: BTreeSet::new(),
            tokens: Vec::new(),
            cookies: Vec::new(),
        }
    }

    /// Who sends this request.
    ///
    /// # Errors
    /// 401 for credentials that are missing or wrong; nothing says which.
    pub(crate) fn check(&mut self, now: Instant, request: &WebRequest) -> Result<Visitor, Refusal> {
        let header = request.header("authorization").ok_or_else(Refusal::unauthenticated)?;
        let (scheme, rest) = header.trim().split_once(' ').ok_or_else(Refusal::unauthenticated)?;
        let user = match scheme.to_ascii_lowercase().as_str() {
            "basic" => self.basic(rest),
            "broadworkssip" if self.profile == Profile::R2020 => self.sip(rest),
            "broadworkssso" => self.redeemed(now, rest.trim()),
            _ => None,
        };
        let user = user.ok_or_else(Refusal::unauthenticated)?;
        let expired = self.expired.contains(&user);
        let cookie = self.cookie(&user, request);
        Ok(Visitor { user, expired, cookie })
    }

    fn basic(&self, rest: &str) -> Option<String> {
        let (id, password) = credentials(rest)?;
        let user = self.names.user(&id)?;
        is_right(self.web.get(&user), &password).then_some(user)
    }

    /// `basic="…",sipUser="…"`.
    fn sip(&self, rest: &str) -> Option<String> {
        let value = |name: &str| {
            let mut pairs = rest.split(',').filter_map(|pair| pair.trim().split_once('='));
            let found = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
            Some(found.1.trim().trim_matches('"').to_owned())
        };
        let (id, password) = credentials(&value("basic")?)?;
        let sip_user = decode(&value("sipUser")?)?;
        let user = self.names.user(&id).filter(|user| *user == sip_user)?;
        is_right(self.sip.get(&user), &password).then_some(user)
    }

    fn redeemed(&mut self, now: Instant, token: &str) -> Option<String> {
        self.tokens.retain(|(_, _, until)| *until > now);
        let fits = |known: &&(SecretString, String, Instant)| {
            is_equal(known.0.expose_secret().as_bytes(), token.as_bytes())
        };
        self.tokens.iter().find(fits).map(|(_, user, _)| user.clone())
    }

    /// A token for a user, good for a minute.
    pub(crate) fn token(&mut self, now: Instant, user: &str) -> String {
        self.tokens.retain(|(_, _, until)| *until > now);
        if self.tokens.len() >= TOKENS {
            self.tokens.remove(0);
        }
        let token = self.random.token(32);
        self.tokens.push((SecretString::from(token.clone()), user.to_owned(), now + TOKEN));
        token
    }

    /// A cookie to be set, unless the request carries a good one.
    fn cookie(&mut self, user: &str, request: &WebRequest) -> Option<String> {
        let sent = session_of(request).unwrap_or_default();
        let known = self.cookies.iter().any(|(cookie, owner)| {
            owner == user && is_equal(cookie.expose_secret().as_bytes(), sent.as_bytes())
        });
        if known {
            return None;
        }
        if self.cookies.len() >= TOKENS {
            self.cookies.remove(0);
        }
        let cookie = self.random.token(32).to_ascii_uppercase();
        self.cookies.push((SecretString::from(cookie.clone()), user.to_owned()));
        Some(cookie)
    }

    /// The session of a request is over.
    pub(crate) fn log_out(&mut self, request: &WebRequest) {
        let sent = session_of(request).unwrap_or_default();
        self.cookies.retain(|(cookie, _)| cookie.expose_secret() != sent);
    }

    /// Sets a new web password. False if the old one is wrong.
    pub(crate) fn change(&mut self, user: &str, old: &str, new: &str) -> bool {
        if !is_right(self.web.get(user), old) {
            return false;
        }
        self.web.insert(user.to_owned(), SecretString::from(new.to_owned()));
        self.expired.remove(user);
        true
    }

    /// A user's web password has expired, or not.
    pub(crate) fn expire(&mut self, user: &str, expired: bool) {
        if expired {
            self.expired.insert(user.to_owned());
        } else {
            self.expired.remove(user);
        }
    }

    /// A line's SIP password, for the device's file.
    pub(crate) fn sip_password(&self, user: &str) -> Option<&SecretString> {
        self.sip.get(user)
    }
}

/// `user:password`, in base64.
fn credentials(text: &str) -> Option<(String, String)> {
    let text = decode(text.trim())?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// UTF-8; else ISO-8859-1, as older clients write.
fn decode(text: &str) -> Option<String> {
    let bytes = STANDARD.decode(text).ok()?;
    let latin = |error: std::string::FromUtf8Error| {
        error.into_bytes().iter().map(|&byte| char::from(byte)).collect()
    };
    Some(String::from_utf8(bytes).unwrap_or_else(latin))
}

fn session_of(request: &WebRequest) -> Option<&str> {
    let cookies = request.header("cookie")?;
    cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("JSESSIONID="))
}

fn is_right(known: Option<&SecretString>, given: &str) -> bool {
    known.is_some_and(|known| is_equal(known.expose_secret().as_bytes(), given.as_bytes()))
}

/// Compares without telling by its duration how much was right.
fn is_equal(expected: &[u8], given: &[u8]) -> bool {
    let differing = expected.iter().zip(given).fold(0, |differing, (a, b)| differing | (a ^ b));
    expected.len() == given.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::company::Company;

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        Instant::now()
    }

    fn doors(profile: Profile) -> Doors {
        let one = |password: &str| [("101".to_owned(), SecretString::from(password))].into();
        let names = Names { company: Company::demo() };
        Doors::new(names, profile, (one("wéb:x"), one("sip")), Random::from_seed([1; 32]))
    }

    fn request(authorization: &str) -> WebRequest {
        let headers = vec![("authorization".to_owned(), authorization.to_owned())];
        WebRequest { headers, ..WebRequest::default() }
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn only_the_right_password_opens() {
        let mut doors = doors(Profile::R21);
        let user = |doors: &mut Doors, header: &str| {
            doors.check(start(), &request(header)).ok().map(|visitor| visitor.user)
        };
        let id = "101@lindeboom.example";
        assert_eq!(user(&mut doors, &basic(&format!("{id}:wéb:x"))).as_deref(), Some("101"));
        for wrong in [
            basic(&format!("{id}:web")),
            basic("999@lindeboom.example:wéb:x"),
            basic(id),
            "Basic !".to_owned(),
            "Basic".to_owned(),
            "Bearer x".to_owned(),
        ] {
            assert_eq!(user(&mut doors, &wrong), None, "{wrong}");
        }
        assert!(doors.check(start(), &WebRequest::default()).is_err());
    }

    #[test]
    fn the_sip_password_opens_since_2020() {
        let id = STANDARD.encode("101@lindeboom.example:sip");
        let name = STANDARD.encode("101");
        let header = format!("BroadWorksSIP basic=\"{id}\",sipUser=\"{name}\"");
        assert!(doors(Profile::R2020).check(start(), &request(&header)).is_ok());
        assert!(doors(Profile::R21).check(start(), &request(&header)).is_err());
    }

    #[test]
    fn a_token_is_good_for_a_minute() {
        let (now, mut doors) = (start(), doors(Profile::R21));
        let header = format!("BroadWorksSSO {}", doors.token(now, "101"));
        assert!(doors.check(now + TOKEN / 2, &request(&header)).is_ok());
        assert!(doors.check(now + TOKEN, &request(&header)).is_err());
    }

    #[test]
    fn a_cookie_is_set_once() {
        let mut doors = doors(Profile::R21);
        let mut request = request(&basic("101@lindeboom.example:wéb:x"));
        let cookie = doors.check(start(), &request).unwrap().cookie.unwrap();
        request.headers.push(("cookie".into(), format!("a=b; JSESSIONID={cookie}")));
        assert_eq!(doors.check(start(), &request).unwrap().cookie, None);
        doors.log_out(&request);
        assert!(doors.check(start(), &request).unwrap().cookie.is_some());
    }

    #[test]
    fn a_changed_password_is_not_expired() {
        let mut doors = doors(Profile::R21);
        doors.expire("101", true);
        assert!(doors.check(start(), &request(&basic("101:wéb:x"))).unwrap().expired);
        assert!(!doors.change("101", "nope", "new"));
        assert!(doors.change("101", "wéb:x", "new"));
        assert!(!doors.check(start(), &request(&basic("101:new"))).unwrap().expired);
        assert!(doors.check(start(), &request(&basic("101:wéb:x"))).is_err());
    }
}
