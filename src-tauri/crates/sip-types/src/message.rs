//! Owns requests and responses as values, and writing them.

use crate::{HeaderName, HeaderValue, Headers, MediaType, Method, NameAddr, StatusCode, Uri};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The Request-URI, as received.
    pub uri: Uri,
    /// The headers, in order.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request with no headers yet.
    pub fn new(method: Method, uri: Uri) -> Self {
        Self { method, uri, headers: Headers::new(), body: Vec::new() }
    }

    /// The same with one more header row.
    #[must_use]
    pub fn header(mut self, name: impl Into<HeaderName>, value: impl Into<HeaderValue>) -> Self {
        self.headers.push(name.into(), value);
        self
    }

    /// The same with a body and its Content-Type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.set_body(content_type, body);
        self
    }

    /// Sets body and Content-Type.
    pub fn set_body(&mut self, content_type: &str, body: impl Into<Vec<u8>>) {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body.into();
    }

    /// The request's bytes; see [`Message::to_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let line = format!("{} {} SIP/2.0", self.method, self.uri);
        write(&line, &self.headers, &self.body)
    }
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase, possibly empty.
    pub reason: String,
    /// The headers, in order.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response with the default phrase and no headers yet.
    pub fn new(status: StatusCode) -> Self {
        let reason = status.reason().to_owned();
        Self { status, reason, headers: Headers::new(), body: Vec::new() }
    }

    /// The response to a request: every Via, From, To, Call-ID and CSeq byte for byte, Timestamp with
    /// a 100 (RFC 3261 section 8.2.6). The tag of To is the caller's: [`Response::set_to_tag`].
    pub fn to_request(request: &Request, status: StatusCode) -> Self {
        let mut response = Self::new(status);
        let copied = [
            HeaderName::Via,
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
            HeaderName::CSeq,
        ];
        for name in &copied {
            response.headers.copy_from(&request.headers, name);
        }
        if status == StatusCode::TRYING {
            response.headers.copy_from(&request.headers, &HeaderName::Timestamp);
        }
        response
    }

    /// Puts a tag on To unless it has one; the rest of To stays byte for byte.
    pub fn set_to_tag(&mut self, tag: &str) {
        let Some(value) = self.headers.value(&HeaderName::To) else { return };
        if NameAddr::parse(&value.text()).is_ok_and(|to| to.tag().is_some()) {
            return;
        }
        let mut bytes = value.as_bytes().to_vec();
        bytes.extend_from_slice(format!(";tag={tag}").as_bytes());
        self.headers.set(HeaderName::To, HeaderValue::new(bytes));
    }

    /// Whether it has come to the wrong place: an endpoint puts on one Via, so a response with more
    /// was meant for somebody else and is dropped (RFC 3261 section 8.1.3.3, RFC 4475 section 3.3.10).
    pub fn is_misrouted(&self) -> bool {
        self.headers.vias().is_ok_and(|vias| vias.len() > 1)
    }

    /// The same with one more header row.
    #[must_use]
    pub fn header(mut self, name: impl Into<HeaderName>, value: impl Into<HeaderValue>) -> Self {
        self.headers.push(name.into(), value);
        self
    }

    /// The same with a body and its Content-Type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.set_body(content_type, body);
        self
    }

    /// Sets body and Content-Type.
    pub fn set_body(&mut self, content_type: &str, body: impl Into<Vec<u8>>) {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body.into();
    }

    /// The response's bytes; see [`Message::to_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let reason = crate::header_value::printable(&self.reason);
        let line = format!("SIP/2.0 {} {reason}", self.status);
        write(&line, &self.headers, &self.body)
    }
}

/// A request or a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// The headers of either.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The headers of either, to change.
    pub fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Self::Request(request) => &mut request.headers,
            Self::Response(response) => &mut response.headers,
        }
    }

    /// The body of either.
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Request(request) => &request.body,
            Self::Response(response) => &response.body,
        }
    }

    /// Content-Type, if it is there and can be read.
    pub fn content_type(&self) -> Option<MediaType> {
        self.headers().content_type().ok().flatten()
    }

    /// The message's bytes: canonical names, one row per header row, no folding, and one
    /// Content-Length, last and always right whatever the headers held.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Request(request) => request.to_bytes(),
            Self::Response(response) => response.to_bytes(),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

fn write(line: &str, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + body.len());
    out.extend_from_slice(line.as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| **name != HeaderName::ContentLength) {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request::new(Method::Options, Uri::parse("sip:b@h").unwrap())
            .header("v", "SIP/2.0/UDP a;branch=z9hG4bK1")
            .header(HeaderName::Via, "SIP/2.0/UDP c")
            .header(HeaderName::From, HeaderValue::new(b"\"J\xf6rg\" <sip:a@h>;tag=1".as_slice()))
            .header(HeaderName::To, "<sip:b@h>")
            .header(HeaderName::CallId, "x")
            .header(HeaderName::CSeq, "1 OPTIONS")
            .header(HeaderName::Timestamp, "5")
    }

    #[test]
    fn a_response_copies_what_it_must() {
        let mut response = Response::to_request(&request(), StatusCode::OK);
        response.set_to_tag("t");
        response.set_to_tag("u");
        assert_eq!(response.headers.count(&HeaderName::Via), 2);
        assert_eq!(
            response.headers.value(&HeaderName::From),
            request().headers.value(&HeaderName::From)
        );
        assert_eq!(response.headers.get(&HeaderName::To).unwrap(), "<sip:b@h>;tag=t");
        assert!(!response.headers.contains(&HeaderName::Timestamp));
        let trying = Response::to_request(&request(), StatusCode::TRYING);
        assert!(trying.headers.contains(&HeaderName::Timestamp));
    }

    #[test]
    fn content_length_is_always_right() {
        let bytes = request().header("l", "99").with_body("text/plain", "abc").to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.ends_with("\r\nContent-Length: 3\r\n\r\nabc"), "{text}");
        assert_eq!(text.matches("Content-Length").count(), 1);
    }

    #[test]
    fn nothing_can_be_smuggled_into_a_row() {
        let mut response =
            Response::new(StatusCode::OK).header(HeaderName::Subject, "a\r\nEvil: 1");
        response.reason = "OK\r\nEvil: 2".into();
        let bytes = response.to_bytes();
        assert_eq!(String::from_utf8_lossy(&bytes).matches("\r\nEvil").count(), 0);
    }
}
