//! Owns the lexical ground of RFC 3261 section 25.1: tokens, quoted strings, lists. Nothing here panics on any input.

/// Whether `byte` may stand in a `token`.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// Whether `text` is a `token`: not empty, token characters only.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether `c` is white space inside a header's value (folding is undone before values are read).
pub(crate) fn is_lws(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// `text` without white space at its ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_lws)
}

/// Splits at `separator` wherever it stands outside quoted strings and angle brackets.
/// An unterminated quoted string or angle bracket is an error; empty elements are returned as such.
pub(crate) fn split_outside(text: &str, separator: char) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let mut start = 0;
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if quoted {
            match c {
                '\\' => escaped = true,
                '"' => quoted = false,
                _ => {}
            }
        } else if angle {
            angle = c != '>';
        } else if c == '"' {
            quoted = true;
        } else if c == '<' {
            angle = true;
        } else if c == separator {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + c.len_utf8();
        }
    }
    if quoted {
        return Err("a quoted string is not closed".into());
    }
    if angle {
        return Err("an angle bracket is not closed".into());
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}

/// The elements of a comma list, trimmed; an empty element is an error, an empty list is not.
pub(crate) fn comma_list(text: &str) -> Result<Vec<&str>, String> {
    if trim(text).is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<&str> = split_outside(text, ',')?.into_iter().map(trim).collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err("a list has an empty element between its commas".into());
    }
    Ok(parts)
}

/// Reads a quoted string at the beginning of `text`: its unescaped content and what follows it.
pub(crate) fn quoted_prefix(text: &str) -> Result<(String, &str), String> {
    let inner = text.strip_prefix('"').ok_or("a quoted string was expected")?;
    let mut content = String::new();
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => {
                content.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Ok((content, inner.get(at + 1..).unwrap_or_default())),
            _ => content.push(c),
        }
    }
    Err("a quoted string is not closed".into())
}

/// `text` as a quoted string, quotes and backslashes escaped, line breaks made spaces.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\r' | '\n' | '\0' => out.push(' '),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value that is either a quoted string (returned unquoted) or plain text (returned as it is).
pub(crate) fn unquote(text: &str) -> Result<String, String> {
    if !text.starts_with('"') {
        return if text.contains('"') {
            Err("a quote stands inside unquoted text".into())
        } else {
            Ok(text.to_owned())
        };
    }
    let (content, rest) = quoted_prefix(text)?;
    if trim(rest).is_empty() { Ok(content) } else { Err("text follows a quoted string".into()) }
}

/// A whole number of decimal digits only: `None` unless every byte is a digit and it fits.
pub(crate) fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `delta-seconds`: digits only; a value beyond 32 bits is read as the largest one (RFC 3261 section 20.19).
pub(crate) fn delta_seconds(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_quotes_and_brackets_do_not_split() {
        let text = r#""a, \", b" <sip:x,y@h>, <sip:z@h>"#;
        assert_eq!(comma_list(text).unwrap(), [r#""a, \", b" <sip:x,y@h>"#, "<sip:z@h>"]);
        assert!(comma_list("a,,b").is_err());
        assert!(comma_list("a, \"b").is_err());
        assert!(comma_list("  ").unwrap().is_empty());
    }

    #[test]
    fn quoting_is_undone_by_unquoting() {
        for text in ["", "a", r#"\"#, r#"a "b" c"#, "ü, <x>"] {
            assert_eq!(unquote(&quote(text)).unwrap(), text);
        }
    }

    #[test]
    fn numbers_are_digits_only() {
        assert_eq!(digits::<u16>("80"), Some(80));
        assert_eq!(digits::<u16>("+80"), None);
        assert_eq!(digits::<u8>("300"), None);
        assert_eq!(delta_seconds("99999999999999"), Some(u32::MAX));
    }
}
