//! Owns percent escapes of URIs (RFC 3261 section 25.1, `escaped`).

use crate::header_value::decode;

/// Undoes `%XX`; a `%` that begins no escape stays as it is. Bytes that are no UTF-8 are read as Latin-1.
pub(super) fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((&first, rest)) = bytes.split_first() {
        let escaped = match (first, rest) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                out.push(high * 16 + low);
                bytes = rest.get(2..).unwrap_or_default();
            }
            None => {
                out.push(first);
                bytes = rest;
            }
        }
    }
    decode(&out).into_owned()
}

/// Escapes everything that may not stand in a user part.
pub(super) fn escape_user(text: &str) -> String {
    escape(text, b"-_.!~*'()&=+$,;?/")
}

/// Escapes everything that may not stand in a URI parameter's value.
pub(super) fn escape_param(text: &str) -> String {
    escape(text, b"-_.!~*'()[]/:&+$")
}

/// Escapes everything that may not stand in a URI header's name or value.
pub(super) fn escape_header(text: &str) -> String {
    escape(text, b"-_.!~*'()[]/?:+$")
}

fn escape(text: &str, allowed: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || allowed.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
