//! Bodies of several parts (RFC 2046 section 5.1, RFC 2387, RFC 5621).

use std::fmt::Write;

use crate::{DocumentError, limits};

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Content-Type; `text/plain` where it is missing.
    pub content_type: String,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Content-Disposition, as written.
    pub disposition: Option<String>,
    /// It is encoded (Content-Transfer-Encoding, Content-Encoding). That is not undone: SIP carries
    /// bytes as they are.
    pub encoded: bool,
    /// What it holds.
    pub body: &'a [u8],
}

impl Part<'_> {
    /// Whether it is of this media type, parameters aside.
    #[must_use]
    pub fn is(&self, media_type: &str) -> bool {
        is_type(&self.content_type, media_type)
    }

    /// A parameter of its Content-Type, without quotes.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.content_type, name)
    }

    /// Whether it has parts itself.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        is_multipart(&self.content_type)
    }

    /// What it is for, in lower case: `session`, `render`, `early-session` …; `None` if it does not say.
    #[must_use]
    pub fn purpose(&self) -> Option<String> {
        let purpose = self.disposition.as_deref()?.split(';').next()?.trim().to_ascii_lowercase();
        (!purpose.is_empty()).then_some(purpose)
    }

    /// Whether it may be passed over by whoever does not understand it; not so unless it says so
    /// (RFC 5621 section 8.3, RFC 3204).
    #[must_use]
    pub fn is_optional(&self) -> bool {
        let handling = self.disposition.as_deref().and_then(|text| parameter(text, "handling"));
        handling.is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    }
}

fn is_multipart(content_type: &str) -> bool {
    let kind = content_type.trim_start();
    kind.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"))
}

/// Whether a Content-Type names this media type, parameters aside.
pub(crate) fn is_type(content_type: &str, media_type: &str) -> bool {
    let own = content_type.split(';').next().unwrap_or_default();
    own.trim().eq_ignore_ascii_case(media_type)
}

/// Reads the parts of a `multipart/…` body. What stands before the first and after the last is
/// passed over; a body that breaks off keeps its parts.
///
/// # Errors
/// When the type is no multipart, has no boundary, or the body holds more than [`limits`] allow.
pub fn read_parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, DocumentError> {
    if !is_multipart(content_type) {
        return Err(DocumentError::OtherKind);
    }
    if body.len() > limits::BYTES {
        return Err(DocumentError::TooLarge);
    }
    let boundary = parameter(content_type, "boundary").filter(|b| !b.is_empty() && b.len() <= 200);
    let boundary = boundary.ok_or(DocumentError::Missing("boundary"))?;
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = 0;
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let (line_start, line_end) = (at, at + line.len());
        at = line_end;
        let Some(last) = delimiter(line, boundary.as_bytes()) else { continue };
        if let Some(start) = start.take() {
            push(&mut parts, cut(body, start, line_start))?;
        }
        if last {
            return Ok(parts);
        }
        start = Some(line_end);
    }
    if let Some(start) = start {
        push(&mut parts, body.get(start..).unwrap_or_default())?;
    }
    Ok(parts)
}

/// Writes a `multipart/related` body whose first part is its root: the Content-Type and the body.
/// The boundary must not occur in the parts; take a random one.
#[must_use]
pub fn write_related(parts: &[(&str, &str, &[u8])], boundary: &str) -> (String, Vec<u8>) {
    let mut content_type = format!("multipart/related;boundary=\"{boundary}\"");
    let mut body = Vec::new();
    for (index, (kind, id, bytes)) in parts.iter().enumerate() {
        if index == 0 {
            let _ = write!(content_type, ";type=\"{kind}\";start=\"<{id}>\"");
        }
        let head = format!(
            "--{boundary}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{id}>\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (content_type, body)
}

/// `Some(true)`: the last delimiter.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let (last, rest) = match rest.strip_prefix(b"--") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    (last || rest.iter().all(u8::is_ascii_whitespace)).then_some(last)
}

/// Without the line end that belongs to the delimiter.
fn cut(body: &[u8], start: usize, end: usize) -> &[u8] {
    let part = body.get(start..end).unwrap_or_default();
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

fn push<'a>(parts: &mut Vec<Part<'a>>, bytes: &'a [u8]) -> Result<(), DocumentError> {
    if parts.len() >= limits::PARTS {
        return Err(DocumentError::TooLarge);
    }
    let mut part = Part {
        content_type: "text/plain".to_owned(),
        content_id: None,
        disposition: None,
        encoded: false,
        body: Default::default(),
    };
    let mut rest = bytes;
    let mut header = String::new();
    for _ in 0..limits::PART_HEADERS {
        let end = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let text = String::from_utf8_lossy(line);
        if !text.starts_with([' ', '\t']) || text.trim().is_empty() {
            take_header(&mut part, &header);
            header.clear();
        }
        if text.trim().is_empty() {
            part.body = rest;
            parts.push(part);
            return Ok(());
        }
        header.push_str(text.trim_end());
    }
    Err(DocumentError::TooLarge)
}

fn take_header(part: &mut Part<'_>, header: &str) {
    let Some((name, value)) = header.split_once(':') else { return };
    let value = value.trim();
    match name.trim().to_ascii_lowercase().as_str() {
        "content-type" | "c" => value.clone_into(&mut part.content_type),
        "content-id" => part.content_id = Some(value.trim_matches(['<', '>']).to_owned()),
        "content-disposition" => part.disposition = Some(value.to_owned()),
        "content-transfer-encoding" | "content-encoding" | "e" => {
            let plain = ["", "7bit", "8bit", "binary", "identity"];
            part.encoded |= !plain.iter().any(|plain| value.eq_ignore_ascii_case(plain));
        }
        _ => {}
    }
}

/// A parameter of a media type or of a disposition, without quotes.
pub(crate) fn parameter(content_type: &str, name: &str) -> Option<String> {
    let mut rest = content_type.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        let key = key.rsplit(';').next().unwrap_or_default();
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().to_owned());
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let body = b"preamble\r\n--b\r\nContent-Type: a/b;\r\n x=1\r\nContent-ID: <one@x>\r\n\r\nfirst\r\n\r\n--b \r\n\r\nsecond\r\n--b--\r\nepilogue";
        let parts = read_parts("Multipart/Related; type=\"x;y\"; boundary=b", body).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].content_id.as_deref(), Some("one@x"));
        assert!(parts[0].is("A/B"));
        assert_eq!(parts[0].body, b"first\r\n");
        assert_eq!((parts[1].content_type.as_str(), parts[1].body), ("text/plain", &b"second"[..]));
    }

    #[test]
    fn parts_say_what_they_are_for() {
        let body = b"--b\r\nContent-Disposition: Session\r\n\r\n\r\n--b\r\nContent-Type: \
            multipart/mixed;boundary=c\r\ncontent-disposition: render; x ; Handling = \"optional\"\r\n\
            Content-Transfer-Encoding: Binary\r\n\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: ;handling=required\r\n\r\nYWJj\r\n--b--\r\n";
        let parts = read_parts("multipart/mixed;boundary=b", body).unwrap();
        let told: Vec<_> = parts
            .iter()
            .map(|part| (part.purpose(), part.is_optional(), part.encoded, part.is_multipart()))
            .collect();
        let word = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                (word("session"), false, false, false),
                (word("render"), true, false, true),
                (None, false, true, false)
            ]
        );
    }

    #[test]
    fn what_is_broken_costs_nothing() {
        assert_eq!(read_parts("text/plain", b""), Err(DocumentError::OtherKind));
        let missing = Err(DocumentError::Missing("boundary"));
        assert_eq!(read_parts("multipart/mixed", b""), missing);
        assert_eq!(read_parts("multipart/mixed;boundary=\"", b""), missing);
        let parts = read_parts("multipart/mixed;boundary=b", b"--b\n\nbroken o").unwrap();
        assert_eq!(parts[0].body, b"broken o");
        let many = "--b\n\n".repeat(limits::PARTS + 2);
        let result = read_parts("multipart/mixed;boundary=b", many.as_bytes());
        assert_eq!(result, Err(DocumentError::TooLarge));
    }
}
