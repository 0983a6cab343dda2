//! Owns media types: Content-Type and Accept (RFC 3261 section 20.15).

use std::fmt;
use std::str::FromStr;

use crate::scan::{is_token, trim};
use crate::{Params, ValueError};

/// `application/sdp;charset=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// `application`, in lower case; `*` in Accept.
    pub kind: String,
    /// `sdp`, in lower case; `*` in Accept.
    pub subtype: String,
    /// `boundary`, `charset`, `q`, …
    pub params: Params,
}

impl MediaType {
    /// A media type without parameters.
    pub fn new(kind: &str, subtype: &str) -> Self {
        let (kind, subtype) = (kind.to_ascii_lowercase(), subtype.to_ascii_lowercase());
        Self { kind, subtype, params: Params::new() }
    }

    /// Whether it is this type, parameters aside.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// Whether this (an Accept range, `*` included) takes in `other`.
    pub fn accepts(&self, other: &Self) -> bool {
        let kinds = self.kind == "*" || self.kind == other.kind;
        kinds && (self.subtype == "*" || self.subtype == other.subtype)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.params)
    }
}

impl FromStr for MediaType {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let at = text.find(';').unwrap_or(text.len());
        let (name, params) = text.split_at_checked(at).unwrap_or((text, ""));
        let (kind, subtype) =
            name.split_once('/').map(|(k, s)| (trim(k), trim(s))).unwrap_or_default();
        if !is_token(kind) || !is_token(subtype) {
            return Err(ValueError(format!("'{}' is not a media type", trim(name))));
        }
        Ok(Self { params: Params::parse(params)?, ..Self::new(kind, subtype) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_with_spaces_and_parameters() {
        let media: MediaType = "Application / SDP ; charset = \"utf 8\"".parse().unwrap();
        assert!(media.is("application", "sdp"));
        assert_eq!(media.to_string(), "application/sdp;charset=\"utf 8\"");
        assert!("*/*".parse::<MediaType>().unwrap().accepts(&media));
        assert!("application/*;q=0.1".parse::<MediaType>().unwrap().accepts(&media));
        assert!(!"text/*".parse::<MediaType>().unwrap().accepts(&media));
        for text in ["", "sdp", "application/", "/sdp", "a b/c"] {
            assert!(text.parse::<MediaType>().is_err(), "{text}");
        }
    }
}
