//! Owns reading: bytes to a message, tolerant where nothing can be mistaken, with a verdict where something can.

use crate::header_value::{decode, printable};
use crate::limits::{MAX_BODY, MAX_HEAD, MAX_HEADERS, MAX_LINE};
use crate::scan::{digits, is_token};
use crate::{
    HeaderName, HeaderValue, Headers, Message, Method, ParseError, ParseErrorKind, Request,
    Response, StatusCode, Uri,
};

type Fault = (ParseErrorKind, String);

impl Message {
    /// Reads one message: a datagram, or what a stream framer cut out. Line breaks before it are
    /// skipped (RFC 3261 section 7.5), bytes after Content-Length are cut off (section 18.3), without
    /// Content-Length the body is what is left; the empty line may be missing at the very end.
    /// Headers are kept as rows and not judged here; that is [`crate::validate`] and
    /// [`crate::validate_response`].
    ///
    /// # Errors
    /// A start line, header row or Content-Length that cannot be read, a body shorter than said, or a
    /// limit passed. What can be answered is answered with [`ParseError::status`] on `partial`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let Reading { start, headers, body, fault } = Reading::of(bytes);
        let message = start.map(|start| start.with(headers, body.to_vec()));
        match (fault, message) {
            (None, Some(message)) => Ok(message),
            (Some((kind, reason)), message) => {
                Err(ParseError { kind, reason, partial: answerable(message) })
            }
            (None, None) => {
                let reason = "there is no start line".to_owned();
                Err(ParseError { kind: ParseErrorKind::StartLine, reason, partial: None })
            }
        }
    }
}

/// As much of a message as could be read, and the first thing wrong with it.
pub(crate) struct Reading<'a> {
    start: Option<Start>,
    pub(crate) headers: Headers,
    pub(crate) body: &'a [u8],
    fault: Option<Fault>,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        let bytes = skip_line_breaks(bytes);
        if bytes.is_empty() {
            let fault = (ParseErrorKind::Empty, "there is nothing but line breaks".to_owned());
            return Self { start: None, headers: Headers::new(), body: &[], fault: Some(fault) };
        }
        let read = bytes.get(..MAX_HEAD + MAX_BODY).unwrap_or(bytes);
        let mut rows = Rows { rest: read };
        let first = rows.next_line().unwrap_or_default();
        let (start, start_fault) = read_start(&decode(first));
        let Headed { headers, body, fault } = read_headers(rows);
        let is_request = matches!(start, Some(Start::Request(..)));
        let large = read.len() < bytes.len() || read.len() - body.len() > MAX_HEAD;
        let size = (ParseErrorKind::TooLarge, format!("{} bytes are too many", bytes.len()));
        let (body, body_fault) = cut_body(&headers, body, is_request);
        let fault = large.then_some(size).or(start_fault).or(fault).or(body_fault);
        Self { start, headers, body, fault }
    }
}

enum Start {
    Request(Method, Uri),
    Response(StatusCode, String),
}

impl Start {
    fn with(self, headers: Headers, body: Vec<u8>) -> Message {
        match self {
            Self::Request(method, uri) => Message::Request(Request { method, uri, headers, body }),
            Self::Response(status, reason) => {
                Message::Response(Response { status, reason, headers, body })
            }
        }
    }
}

/// Only a message with the five headers a response or a match needs.
fn answerable(message: Option<Message>) -> Option<Box<Message>> {
    let message = message?;
    let headers = message.headers();
    let all = headers.contains(&HeaderName::Via)
        && headers.contains(&HeaderName::From)
        && headers.contains(&HeaderName::To)
        && headers.contains(&HeaderName::CallId)
        && headers.contains(&HeaderName::CSeq);
    all.then(|| Box::new(message))
}

fn skip_line_breaks(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// The start line, as far as it can be read, and what is wrong with it.
fn read_start(line: &str) -> (Option<Start>, Option<Fault>) {
    let is_response = line.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("SIP/"));
    if is_response { read_status_line(line) } else { read_request_line(line) }
}

fn read_request_line(line: &str) -> (Option<Start>, Option<Fault>) {
    let fault = |kind, reason: &str| Some((kind, format!("{reason}: '{}'", shown(line))));
    let Some((method, rest)) = line.split_once(' ') else {
        return (None, fault(ParseErrorKind::StartLine, "this is no start line"));
    };
    let Ok(method) = method.parse::<Method>() else {
        return (None, fault(ParseErrorKind::StartLine, "the method is no token"));
    };
    let request = |uri: &str| {
        let uri = Uri::parse(uri).unwrap_or_else(|_| Uri::opaque(uri));
        Some(Start::Request(method.clone(), uri))
    };
    if line.split(' ').any(str::is_empty) {
        let uri = rest.split_whitespace().next().unwrap_or_default();
        return (request(uri), fault(ParseErrorKind::StartLine, "spaces stand where none may"));
    }
    let Some((uri, version)) = rest.rsplit_once(' ') else {
        return (request(rest), fault(ParseErrorKind::StartLine, "the SIP version is missing"));
    };
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return (request(uri), version_fault(version));
    }
    match Uri::parse(uri) {
        Ok(_) => (request(uri), None),
        Err(error) => (request(uri), Some((ParseErrorKind::RequestUri, error.0))),
    }
}

fn read_status_line(line: &str) -> (Option<Start>, Option<Fault>) {
    let fault = |kind, reason: &str| Some((kind, format!("{reason}: '{}'", shown(line))));
    let (version, rest) = line.split_once(' ').unwrap_or((line, ""));
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return (None, version_fault(version));
    }
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = (code.len() == 3).then(|| digits(code)).flatten().and_then(StatusCode::new);
    match status {
        Some(status) => (Some(Start::Response(status, printable(reason))), None),
        None => (None, fault(ParseErrorKind::StatusCode, "the status code is none")),
    }
}

fn version_fault(version: &str) -> Option<Fault> {
    let number = version.get(..4).filter(|head| head.eq_ignore_ascii_case("SIP/"));
    let shown = shown(version);
    Some(match number {
        Some(_) => (ParseErrorKind::Version, format!("'{shown}' is not SIP/2.0")),
        None => (ParseErrorKind::StartLine, format!("'{shown}' stands where the SIP version must")),
    })
}

/// Untrusted text as an error may show it: short, without control characters.
fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect()
}

struct Headed<'a> {
    headers: Headers,
    body: &'a [u8],
    fault: Option<Fault>,
}

fn read_headers(mut rows: Rows<'_>) -> Headed<'_> {
    let mut headers = Headers::new();
    let mut fault = None;
    loop {
        if rows.rest.is_empty() {
            return Headed { headers, body: &[], fault };
        }
        let Some(row) = rows.next_row() else {
            let reason = "the last header does not end".to_owned();
            fault = fault.or(Some((ParseErrorKind::Truncated, reason)));
            return Headed { headers, body: &[], fault };
        };
        if row.is_empty() {
            return Headed { headers, body: rows.rest, fault };
        }
        if headers.len() >= MAX_HEADERS || row.len() > MAX_LINE {
            let reason =
                format!("more than {MAX_HEADERS} headers, or one of more than {MAX_LINE} bytes");
            fault = fault.or(Some((ParseErrorKind::TooManyHeaders, reason)));
            continue;
        }
        match read_row(row) {
            Ok((name, value)) => headers.push(name, value),
            Err(error) => fault = fault.or(Some(error)),
        }
    }
}

fn read_row(row: &[u8]) -> Result<(HeaderName, HeaderValue), Fault> {
    let fault =
        |what: &str| (ParseErrorKind::HeaderLine, format!("{what}: '{}'", shown(&decode(row))));
    let colon =
        row.iter().position(|b| *b == b':').ok_or_else(|| fault("a header has no colon"))?;
    let (name, value) = row.split_at_checked(colon).unwrap_or((row, b""));
    let name = decode(name);
    let name = name.trim_end_matches([' ', '\t']);
    if !is_token(name) {
        return Err(fault("a header's name is no token"));
    }
    Ok((HeaderName::new(name), unfold(value.get(1..).unwrap_or_default())))
}

/// A folded row as one line: every line break with the white space around it becomes one space.
fn unfold(value: &[u8]) -> HeaderValue {
    if !value.contains(&b'\n') {
        return HeaderValue::new(value);
    }
    let mut out = Vec::with_capacity(value.len());
    for line in value.split(|b| *b == b'\n') {
        out.extend_from_slice(line.trim_ascii());
        out.push(b' ');
    }
    HeaderValue::new(out)
}

/// Applies Content-Length (RFC 3261 section 18.3).
fn cut_body<'a>(headers: &Headers, body: &'a [u8], is_request: bool) -> (&'a [u8], Option<Fault>) {
    let length = match headers.content_length() {
        Ok(None) => return (body, None),
        Ok(Some(length)) => length,
        Err(error) => return (body, Some((ParseErrorKind::ContentLength, error.to_string()))),
    };
    if let Some(body) = body.get(..length) {
        return (body, None);
    }
    if is_request && miscounted(headers, body, length) {
        return (body, None);
    }
    let reason = format!("Content-Length says {length} bytes, there are {}", body.len());
    (body, Some((ParseErrorKind::BodyTooShort, reason)))
}

/// A request whose session description is there in whole lines, though Content-Length says up to an
/// eighth more: a sender that miscounts (RFC 5118 section 4.6 itself does), not a part that got lost,
/// for a datagram comes whole or not at all. Refusing it is a SHOULD; a short response must be dropped.
fn miscounted(headers: &Headers, body: &[u8], length: usize) -> bool {
    let is_sdp = matches!(headers.content_type(), Ok(Some(kind)) if kind.is("application", "sdp"));
    is_sdp && body.ends_with(b"\r\n") && length - body.len() <= length / 8
}

/// Lines and folded rows; a line ends with CR LF, or with LF alone as some senders have it.
struct Rows<'a> {
    rest: &'a [u8],
}

impl<'a> Rows<'a> {
    /// The next line without its end; `None` if no line end follows.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|b| *b == b'\n')?;
        let line = self.rest.get(..end)?;
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The next row with the lines folded into it; empty at the end of the headers.
    fn next_row(&mut self) -> Option<&'a [u8]> {
        let whole = self.rest;
        let first = self.next_line()?;
        if first.is_empty() {
            return Some(first);
        }
        while matches!(self.rest.first(), Some(b' ' | b'\t')) {
            self.next_line()?;
        }
        let used = whole.len() - self.rest.len();
        whole
            .get(..used)
            .map(|row| row.strip_suffix(b"\n").unwrap_or(row))
            .map(|row| row.strip_suffix(b"\r").unwrap_or(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@h>\r\nTo: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n";

    fn fault(text: &str) -> (ParseErrorKind, Option<u16>) {
        let error = Message::parse(text.as_bytes()).unwrap_err();
        (error.kind, error.status().map(StatusCode::code))
    }

    #[test]
    fn a_latin_1_byte_costs_nothing_but_its_own_text() {
        let mut bytes = HEAD.replace("\r\nCall", "\r\nSubject: \u{1}\r\nCall").into_bytes();
        bytes.iter_mut().filter(|b| **b == 1).for_each(|b| *b = 0xe9);
        bytes.extend_from_slice(b"\r\nbody");
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.headers().get(&HeaderName::Subject).unwrap(), "é");
        assert_eq!(message.headers().len(), 6);
        assert_eq!(message.body(), b"body");
    }

    #[test]
    fn rows_fold_and_lines_may_end_with_lf_alone() {
        let text = format!("{HEAD}Subject : a\r\n\t b\r\n  c\r\n\r\n");
        for text in [text.clone(), text.replace("\r\n", "\n")] {
            let message = Message::parse(text.as_bytes()).unwrap();
            assert_eq!(message.headers().get(&HeaderName::Subject).unwrap(), "a b c");
        }
    }

    #[test]
    fn limits_hold() {
        let many = format!("{HEAD}{}\r\n", "X: y\r\n".repeat(MAX_HEADERS));
        assert_eq!(fault(&many), (ParseErrorKind::TooManyHeaders, Some(513)));
        let long = format!("{HEAD}X: {}\r\n\r\n", "y".repeat(MAX_LINE));
        assert_eq!(fault(&long), (ParseErrorKind::TooManyHeaders, Some(513)));
        let row = format!("X: {}\r\n", "y".repeat(MAX_LINE - 10));
        assert_eq!(
            fault(&format!("{HEAD}{}\r\n", row.repeat(5))),
            (ParseErrorKind::TooLarge, Some(513))
        );
        let body = "z".repeat(MAX_BODY);
        assert!(Message::parse(format!("{HEAD}\r\n{body}").as_bytes()).is_ok());
        let huge = format!("{HEAD}\r\n{body}{}", "z".repeat(MAX_HEAD));
        assert_eq!(fault(&huge), (ParseErrorKind::TooLarge, Some(513)));
    }

    #[test]
    fn faults_name_their_kind_and_answer() {
        use ParseErrorKind::*;
        let table = [
            (format!("{HEAD}no colon\r\n\r\n"), HeaderLine, Some(400)),
            (format!("{HEAD}b@d: x\r\n\r\n"), HeaderLine, Some(400)),
            (format!("{HEAD}X: cut"), Truncated, Some(400)),
            (format!("{HEAD}l: 5\r\n\r\nabc"), BodyTooShort, Some(400)),
            (format!("{HEAD}l: five\r\n\r\n"), ContentLength, Some(400)),
            (HEAD.replace("SIP/2.0\r\nVia", "HTTP/1.1\r\nVia"), StartLine, Some(400)),
            (HEAD.replace("OPTIONS sip:b@h ", "ACK sip: "), RequestUri, None),
            (HEAD.replace("OPTIONS sip:b@h SIP/2.0", "SIP/2.0 99 Odd"), StatusCode, None),
            ("GET".to_owned(), StartLine, None),
            (String::new(), Empty, None),
        ];
        for (text, kind, status) in table {
            assert_eq!(fault(&text), (kind, status), "{text}");
        }
    }
}
