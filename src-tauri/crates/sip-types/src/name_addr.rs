//! Owns addresses with a display name: From, To, Contact, Route and their like (RFC 3261 section 20).

use std::fmt;
use std::str::FromStr;

use crate::scan::{comma_list, quote, quoted_prefix, trim};
use crate::{Params, Uri, ValueError};

/// `"Display" <uri>;params`. Without angle brackets the parameters belong to the header, never to
/// the URI (RFC 3261 section 20).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name, unquoted; `None` when there is none or an empty one.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// The header's parameters (`tag`, `expires`, `q`, …).
    pub params: Params,
}

impl NameAddr {
    /// An address without name or parameters.
    pub fn new(uri: Uri) -> Self {
        Self { display: None, uri, params: Params::new() }
    }

    /// Reads one address.
    ///
    /// # Errors
    /// Unclosed quotes or brackets, spaces inside the brackets, a bare URI with `?` or `,` in it.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = trim(text);
        if text.starts_with('"') {
            let (display, rest) = quoted_prefix(text)?;
            let rest = trim(rest);
            return Self::bracketed(rest, Some(display));
        }
        match text.find('<') {
            Some(at) => {
                let (display, rest) = text.split_at_checked(at).unwrap_or(("", text));
                Self::bracketed(rest, Some(token_display(display)?))
            }
            None => Self::bare(text),
        }
    }

    /// Reads a comma list of addresses; an empty text is an empty list.
    ///
    /// # Errors
    /// As [`NameAddr::parse`], or an empty element.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ValueError> {
        comma_list(text)?.into_iter().map(Self::parse).collect()
    }

    /// The `tag` parameter (RFC 3261 section 19.3).
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag")
    }

    /// The same with the `tag` parameter set.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag));
        self
    }

    /// The same with a display name.
    #[must_use]
    pub fn with_display(mut self, display: &str) -> Self {
        self.display = Some(display.to_owned()).filter(|text| !text.is_empty());
        self
    }

    fn bracketed(text: &str, display: Option<String>) -> Result<Self, ValueError> {
        let inner = text.strip_prefix('<').ok_or_else(|| {
            ValueError("an address in angle brackets must follow the name".into())
        })?;
        let (uri, rest) = inner
            .split_once('>')
            .ok_or_else(|| ValueError("an angle bracket is not closed".into()))?;
        let uri = Uri::parse(uri)?;
        let display = display.filter(|text| !text.is_empty());
        Ok(Self { display, uri, params: Params::parse(rest)? })
    }

    fn bare(text: &str) -> Result<Self, ValueError> {
        let end = text.find(|c: char| c == ';' || crate::scan::is_lws(c)).unwrap_or(text.len());
        let (uri, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        if uri.contains(['?', ',']) {
            return Err("a URI with '?' or ',' in it must stand in angle brackets".into());
        }
        Ok(Self { display: None, uri: Uri::parse(uri)?, params: Params::parse(rest)? })
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

impl FromStr for NameAddr {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> Self {
        Self::new(uri)
    }
}

/// One value of a Contact header.
#[expect(clippy::large_enum_variant, reason = "nearly every value is an address")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactValue {
    /// `*`: all bindings (RFC 3261 section 10.2.2).
    Star,
    /// An address.
    Address(NameAddr),
}

impl ContactValue {
    /// Reads a Contact header's value: `*` alone, or a list of addresses.
    ///
    /// # Errors
    /// As [`NameAddr::parse_list`], or an empty value.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ValueError> {
        if trim(text) == "*" {
            return Ok(vec![Self::Star]);
        }
        let list = NameAddr::parse_list(text)?;
        if list.is_empty() {
            return Err("the contact is empty".into());
        }
        Ok(list.into_iter().map(Self::Address).collect())
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<&NameAddr> {
        match self {
            Self::Star => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl fmt::Display for ContactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Star => f.write_str("*"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// A display name without quotes: tokens by the grammar; read wider (umlauts, brackets), but not
/// where a character could belong to the structure around it.
fn token_display(text: &str) -> Result<String, ValueError> {
    let text = trim(text);
    match text.chars().find(|c| ",;\"<>\\".contains(*c) || (c.is_ascii_control() && *c != '\t')) {
        Some(bad) => {
            Err(ValueError(format!("{bad:?} stands in the unquoted display name '{text}'")))
        }
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_never_becomes_the_address() {
        let text = r#""Jansen, Piet \"PJ\" <x>;y" <sip:a@example.com>;tag=1"#;
        let address = NameAddr::parse(text).unwrap();
        assert_eq!(address.display.as_deref(), Some(r#"Jansen, Piet "PJ" <x>;y"#));
        assert_eq!(address.uri.as_str(), "sip:a@example.com");
        assert_eq!(address.tag(), Some("1"));
        assert_eq!(address.to_string(), text);
    }

    #[test]
    fn parameters_of_a_bare_uri_are_the_headers() {
        let address = NameAddr::parse("sip:a@h ;tag=x;expires=5").unwrap();
        assert_eq!(address.uri.as_str(), "sip:a@h");
        assert_eq!(address.params.value("expires"), Some("5"));
        assert_eq!(NameAddr::parse("<sip:a@h;lr>").unwrap().params.len(), 0);
    }

    #[test]
    fn names_without_quotes() {
        let address = NameAddr::parse("Jörg  (Desk) <tel:+31201>").unwrap();
        assert_eq!(address.display.as_deref(), Some("Jörg  (Desk)"));
        assert_eq!(NameAddr::parse("\"\"<sip:a@h>").unwrap().display, None);
    }

    #[test]
    fn refuses_the_ambiguous() {
        for text in [
            "Bell, A <sip:a@h>",
            "\"x <sip:a@h>",
            "x < sip:a@h >",
            "<sip:a@h",
            "sip:a@h?x=y",
            "sip:a@h,b",
            "",
            "\"x\" sip:a@h",
            "<sip:a@h> x",
            "<sip:a@h>;;;;",
        ] {
            assert!(NameAddr::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_and_stars() {
        let list = NameAddr::parse_list("\"a, b\" <sip:x@h> , <sip:y,z@h>;q=1").unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(ContactValue::parse_list(" * ").unwrap(), [ContactValue::Star]);
        assert!(ContactValue::parse_list("").is_err());
        assert!(ContactValue::parse_list("*, <sip:a@h>").is_err());
    }
}
