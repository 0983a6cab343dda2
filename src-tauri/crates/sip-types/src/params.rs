//! Owns parameter lists: `;name=value`, ordered, names without regard to case.

use std::fmt;

use crate::ValueError;
use crate::scan::{is_token, quote, split_outside, trim, unquote};

/// The `;name=value` parameters of a header's value, in order. Values are unquoted when read and
/// quoted when written if they are not tokens or addresses. Names compare without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `;a=b;c`, or nothing. White space around `;` and `=` is allowed, an empty parameter
    /// only at the very end.
    ///
    /// # Errors
    /// Text that is no parameter list.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = trim(text);
        if text.is_empty() {
            return Ok(Self::default());
        }
        let list = text
            .strip_prefix(';')
            .ok_or_else(|| ValueError(format!("'{text}' stands where a ';' must")))?;
        let mut parts = split_outside(list, ';')?;
        if parts.len() > 1 && parts.last().is_some_and(|last| trim(last).is_empty()) {
            parts.pop();
        }
        parts.into_iter().map(read_param).collect::<Result<_, _>>().map(Self)
    }

    /// `None`: not there. `Some(None)`: there without a value.
    pub fn get(&self, name: &str) -> Option<Option<&str>> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_deref())
    }

    /// The value of a parameter that is there and has one.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).flatten()
    }

    /// Whether the parameter is there, with a value or without.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a parameter, in its place if it was there, at the end if not.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        match self.0.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(slot) => slot.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Takes a parameter out; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.0.len() != before
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, ";{name}")?;
            match value {
                Some(value) if is_plain(value) => write!(f, "={value}")?,
                Some(value) => write!(f, "={}", quote(value))?,
                None => {}
            }
        }
        Ok(())
    }
}

fn read_param(text: &str) -> Result<(String, Option<String>), ValueError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (trim(name), Some(trim(value))),
        None => (trim(text), None),
    };
    if name.is_empty() {
        return Err("a parameter has no name".into());
    }
    if !name.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>,;".contains(&b)) {
        return Err(ValueError(format!("'{name}' is not a parameter's name")));
    }
    match value {
        Some(value) if !value.starts_with('"') && value.contains(crate::scan::is_lws) => {
            Err(ValueError(format!("the value of '{name}' has a space in it")))
        }
        Some(value) => Ok((name.to_owned(), Some(unquote(value)?))),
        None => Ok((name.to_owned(), None)),
    }
}

/// Tokens and addresses (RFC 5118 section 4.5: with or without brackets) need no quotes.
fn is_plain(value: &str) -> bool {
    is_token(value)
        || value.trim_start_matches('[').trim_end_matches(']').parse::<std::net::Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_spaces_quotes_and_flags() {
        let params = Params::parse(" ; a = b ;c; D=\"x;\\\"y\" ; ").unwrap();
        assert_eq!(params.value("A"), Some("b"));
        assert_eq!(params.get("c"), Some(None));
        assert_eq!(params.value("d"), Some("x;\"y"));
        assert_eq!(params.to_string(), ";a=b;c;D=\"x;\\\"y\"");
    }

    #[test]
    fn refuses_gaps_and_stray_text() {
        for text in [";;", ";a;;b", "a=b", ";a=\"b", ";=b", ";a=b c", ";a=\"b\"c"] {
            assert!(Params::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sets_in_place_and_removes() {
        let mut params = Params::parse(";a=1;b").unwrap();
        params.set("A", Some("2"));
        params.set("c", None);
        assert!(params.remove("B"));
        assert_eq!(params.to_string(), ";a=2;c");
        params.set("i", Some("[2001:db8::1]"));
        params.set("j", Some("<urn:x>"));
        assert_eq!(params.to_string(), ";a=2;c;i=[2001:db8::1];j=\"<urn:x>\"");
    }
}
