//! Owns a header's value: raw bytes without line breaks, read as UTF-8 or else as Latin-1.

use std::borrow::Cow;
use std::fmt;

/// The value of one header row: the bytes as received, folding undone, never with a line break in it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HeaderValue(Vec<u8>);

impl HeaderValue {
    /// The value from raw bytes: line breaks and NULs become spaces, white space at the ends goes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        for byte in &mut bytes {
            if matches!(byte, b'\r' | b'\n' | 0) {
                *byte = b' ';
            }
        }
        let is_space = |b: &u8| matches!(b, b' ' | b'\t');
        let end = bytes.iter().rposition(|b| !is_space(b)).map_or(0, |at| at + 1);
        bytes.truncate(end);
        let start = bytes.iter().position(|b| !is_space(b)).unwrap_or(0);
        bytes.drain(..start);
        Self(bytes)
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text: UTF-8 if it is, else every byte as Latin-1 (old exchanges' display names).
    pub fn text(&self) -> Cow<'_, str> {
        decode(&self.0)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl From<&str> for HeaderValue {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for HeaderValue {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// UTF-8, or else Latin-1.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

/// Text for a start line: control characters become spaces.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_no_line_break() {
        let value = HeaderValue::from(" a\r\nEvil: b ");
        assert_eq!(value.text(), "a  Evil: b");
        assert!(HeaderValue::from(" \t").is_empty());
    }

    #[test]
    fn latin_1_is_read() {
        assert_eq!(HeaderValue::new(b"J\xf6rg".as_slice()).text(), "Jörg");
        assert_eq!(HeaderValue::from("Jörg").text(), "Jörg");
    }
}
