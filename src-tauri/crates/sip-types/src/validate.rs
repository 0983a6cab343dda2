//! Owns the verdict on a message that could be read: the headers every message must have, each as often as it may.

use crate::{HeaderError, HeaderName, Headers, Request, Response, StatusCode};

/// A request that is refused, and with what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {reason}")]
pub struct Rejection {
    /// The answer.
    pub status: StatusCode,
    /// One sentence.
    pub reason: String,
    /// Headers the answer must carry (Unsupported, Allow, Accept).
    pub headers: Vec<(HeaderName, String)>,
}

impl Rejection {
    /// A refusal without headers of its own.
    pub fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), headers: Vec::new() }
    }
}

impl From<HeaderError> for Rejection {
    fn from(error: HeaderError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }
}

/// Judges a request (RFC 3261 sections 8.1.1 and 8.2): Via, From, To, Call-ID and CSeq there and
/// readable, all but Via once, the CSeq's method the request's, and whatever else is read on the way
/// (Max-Forwards, Contact, Route, Record-Route, Content-Type, Date) readable if it is there.
/// Max-Forwards and tags may be missing: RFC 2543 had neither.
///
/// # Errors
/// 400 with the first fault found.
pub fn validate(request: &Request) -> Result<(), Rejection> {
    validate_headers(&request.headers)?;
    let cseq = request.headers.cseq()?;
    if cseq.method != request.method {
        let reason = format!("CSeq says {}, the request line {}", cseq.method, request.method);
        return Err(Rejection::new(StatusCode::BAD_REQUEST, reason));
    }
    if !request.uri.headers().is_empty() {
        let reason = "the Request-URI has headers in it";
        return Err(Rejection::new(StatusCode::BAD_REQUEST, reason));
    }
    request.headers.max_forwards()?;
    request.headers.routes()?;
    check_date(&request.headers)?;
    Ok(())
}

/// Judges a response: Via, From, To, Call-ID and CSeq there and readable, all but Via once, and so on
/// as [`validate`]. A response that fails is dropped (RFC 3261 section 8.1.3, RFC 4475 section 3.1.2.5).
///
/// # Errors
/// The first fault found.
pub fn validate_response(response: &Response) -> Result<(), HeaderError> {
    validate_headers(&response.headers)
}

fn validate_headers(headers: &Headers) -> Result<(), HeaderError> {
    headers.vias()?;
    headers.from()?;
    headers.to()?;
    headers.call_id()?;
    headers.cseq()?;
    headers.contacts()?;
    headers.record_routes()?;
    headers.content_type()?;
    Ok(())
}

/// A date's form is RFC 1123's, its zone GMT and nothing else (RFC 3261 section 20.17).
fn check_date(headers: &Headers) -> Result<(), HeaderError> {
    let Some(text) = headers.get(&HeaderName::Date) else { return Ok(()) };
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [_, _, _, _, _, "GMT"] => Ok(()),
        _ => {
            Err(HeaderError::malformed(HeaderName::Date, format!("'{text}' is not a date in GMT")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, ParseErrorKind};

    const GOOD: &str = "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@h>\r\nTo: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";

    fn judge(text: &str) -> Result<(), Rejection> {
        match Message::parse(text.as_bytes()) {
            Ok(Message::Request(request)) => validate(&request),
            Ok(Message::Response(response)) => Ok(validate_response(&response)?),
            Err(error) => Err(Rejection::new(StatusCode::SERVER_INTERNAL_ERROR, error.reason)),
        }
    }

    #[test]
    fn each_mandatory_header_once() {
        judge(GOOD).unwrap();
        for row in [
            "Via: SIP/2.0/UDP a",
            "From: <sip:a@h>",
            "To: <sip:b@h>",
            "Call-ID: x",
            "CSeq: 1 OPTIONS",
        ] {
            let row = format!("{row}\r\n");
            assert_eq!(judge(&GOOD.replace(&row, "")).unwrap_err().status, StatusCode::BAD_REQUEST);
            let twice = judge(&GOOD.replace(&row, &row.repeat(2)));
            assert_eq!(twice.is_ok(), row.starts_with("Via"), "{row}");
        }
        let response = GOOD.replace("OPTIONS sip:b@h SIP/2.0", "SIP/2.0 200 OK");
        judge(&response).unwrap();
        assert!(judge(&response.replace("Call-ID: x\r\n", "")).is_err());
    }

    #[test]
    fn a_short_body_of_whole_sdp_lines_is_a_miscount_within_an_eighth() {
        let with = |extra: usize, tail: &str| {
            let body = format!("v=0\r\n{}{tail}", "a=x\r\n".repeat(20));
            let head = format!(
                "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
                body.len() + extra
            );
            Message::parse(GOOD.replace("\r\n\r\n", &format!("\r\n{head}")).as_bytes())
        };
        assert!(with(0, "").is_ok() && with(10, "").is_ok());
        for short in [with(100, ""), with(2, "a=cut")] {
            let error = short.unwrap_err();
            assert_eq!(error.kind, ParseErrorKind::BodyTooShort);
            assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
        }
    }
}
