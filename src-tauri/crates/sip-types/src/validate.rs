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
