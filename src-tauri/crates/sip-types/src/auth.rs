//! Owns the form of challenges and credentials (RFC 3261 section 20.7, 20.27, RFC 7616).
//! Digests are computed elsewhere.

use std::fmt;
use std::str::FromStr;

use crate::ValueError;
use crate::scan::{comma_list, is_token, quote, trim, unquote};

/// The `name=value` list of a challenge or of credentials, in order, values unquoted.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AuthParams(Vec<AuthParam>);

#[derive(Clone, PartialEq, Eq)]
struct AuthParam {
    name: String,
    value: String,
    quoted: bool,
}

impl AuthParams {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// A parameter's value, names without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|p| p.name.eq_ignore_ascii_case(name)).map(|p| p.value.as_str())
    }

    /// Adds `name="value"`.
    pub fn push_quoted(&mut self, name: &str, value: &str) {
        self.0.push(AuthParam { name: name.to_owned(), value: value.to_owned(), quoted: true });
    }

    /// Adds `name=value`; quoted after all if the value is no token.
    pub fn push_token(&mut self, name: &str, value: &str) {
        let quoted = !is_token(value);
        self.0.push(AuthParam { name: name.to_owned(), value: value.to_owned(), quoted });
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|p| (p.name.as_str(), p.value.as_str()))
    }

    fn read(&mut self, text: &str) -> Result<(), ValueError> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let (name, value) = (trim(name), trim(value));
        if name.is_empty() {
            return Err("an authentication parameter has no name".into());
        }
        let quoted = value.starts_with('"');
        self.0.push(AuthParam { name: name.to_owned(), value: unquote(value)?, quoted });
        Ok(())
    }
}

/// Names only: values hold nonces and responses, which no log may have.
impl fmt::Debug for AuthParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|p| &p.name)).finish()
    }
}

impl fmt::Display for AuthParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, param) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let value = if param.quoted { quote(&param.value) } else { param.value.clone() };
            write!(f, "{comma}{}={value}", param.name)?;
        }
        Ok(())
    }
}

/// One challenge of a WWW-Authenticate or Proxy-Authenticate header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme as written: `Digest`.
    pub scheme: String,
    /// `realm`, `nonce`, `opaque`, `algorithm`, `qop`, `stale`, `domain` and others.
    pub params: AuthParams,
}

impl Challenge {
    /// Reads one header's value: one challenge, or several after one another (RFC 7235 section 4.1).
    ///
    /// # Errors
    /// No scheme, unclosed quotes, parameters without a name.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ValueError> {
        let mut list: Vec<Self> = Vec::new();
        for part in comma_list(text)? {
            let head = part.split('=').next().unwrap_or_default();
            match trim(head).split_once(crate::scan::is_lws) {
                Some((scheme, _)) => list.push(begin(scheme, part)?),
                None if !part.contains('=') => list.push(begin(part, part)?),
                None => list
                    .last_mut()
                    .ok_or("a challenge begins with its scheme")?
                    .params
                    .read(part)?,
            }
        }
        if list.is_empty() { Err("the challenge is empty".into()) } else { Ok(list) }
    }

    /// Whether the scheme is `Digest`.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.scheme, self.params)
    }
}

/// The credentials of an Authorization or Proxy-Authorization header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The scheme as written: `Digest`.
    pub scheme: String,
    /// `username`, `realm`, `nonce`, `uri`, `response` and others.
    pub params: AuthParams,
}

impl Authorization {
    /// Whether the scheme is `Digest`.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }
}

impl FromStr for Authorization {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = trim(text);
        let (scheme, rest) = text.split_once(crate::scan::is_lws).unwrap_or((text, ""));
        if !is_token(scheme) {
            return Err(ValueError(format!("'{scheme}' is not an authentication scheme")));
        }
        let mut params = AuthParams::new();
        for part in comma_list(rest)? {
            params.read(part)?;
        }
        Ok(Self { scheme: scheme.to_owned(), params })
    }
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.scheme, self.params)
    }
}

fn begin(scheme: &str, part: &str) -> Result<Challenge, ValueError> {
    if !is_token(scheme) {
        return Err(ValueError(format!("'{scheme}' is not an authentication scheme")));
    }
    let mut params = AuthParams::new();
    let rest = trim(part.get(scheme.len()..).unwrap_or_default());
    if !rest.is_empty() {
        params.read(rest)?;
    }
    Ok(Challenge { scheme: scheme.to_owned(), params })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_in_one_header() {
        let text = r#"Digest realm="a, b", nonce="n\"1", algorithm=SHA-256, qop="auth,auth-int", Digest realm="c" , nonce = "2",algorithm=MD5, Negotiate"#;
        let list = Challenge::parse_list(text).unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list[0].params.get("REALM"), Some("a, b"));
        assert_eq!(list[0].params.get("nonce"), Some("n\"1"));
        assert_eq!(list[0].params.get("qop"), Some("auth,auth-int"));
        assert_eq!(list[1].params.get("nonce"), Some("2"));
        assert_eq!(list[2].scheme, "Negotiate");
        assert_eq!(Challenge::parse_list(&list[0].to_string()).unwrap(), list[..1]);
    }

    #[test]
    fn credentials_print_as_read() {
        let text = r#"Digest username="bob", response="0f", nc=00000001, algorithm=MD5"#;
        let credentials: Authorization = text.parse().unwrap();
        assert_eq!(credentials.to_string(), text);
        assert!(!format!("{credentials:?}").contains("0f"));
        assert!("NoOneKnowsThisScheme opaque-data=here".parse::<Authorization>().is_ok());
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["", "realm=\"a\"", "Digest realm=\"a", "Digest realm=\"a\",,x=y", "Digest =x"]
        {
            assert!(Challenge::parse_list(text).is_err(), "{text}");
        }
    }
}
