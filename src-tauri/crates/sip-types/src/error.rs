//! Owns the errors of reading: of one value, of one header, of a whole message.

use crate::{HeaderName, Message, StatusCode};

/// A value that cannot be read; the text is one sentence for a log or a support ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub String);

impl From<String> for ValueError {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

impl From<&str> for ValueError {
    fn from(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl From<UriError> for ValueError {
    fn from(error: UriError) -> Self {
        Self(error.0)
    }
}

/// A URI that cannot be read (RFC 3261 section 19.1); the text is one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UriError(pub String);

/// What is wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// It is not there and must be.
    Missing,
    /// It stands more often than it may.
    Duplicate,
    /// Its value cannot be read.
    Malformed,
}

/// A header that is missing, stands twice or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct HeaderError {
    /// The header it is about.
    pub name: HeaderName,
    /// What kind of fault it is.
    pub fault: HeaderFault,
    /// One sentence.
    pub reason: String,
}

impl HeaderError {
    pub(crate) fn missing(name: HeaderName) -> Self {
        Self { name, fault: HeaderFault::Missing, reason: "the header is missing".into() }
    }

    pub(crate) fn duplicate(name: HeaderName) -> Self {
        Self {
            name,
            fault: HeaderFault::Duplicate,
            reason: "the header stands more than once".into(),
        }
    }

    pub(crate) fn malformed(name: HeaderName, reason: impl Into<String>) -> Self {
        Self { name, fault: HeaderFault::Malformed, reason: reason.into() }
    }
}

/// Why bytes are not a SIP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParseErrorKind {
    /// Nothing but line breaks, or nothing at all (also a keep-alive).
    Empty,
    /// Longer than [`crate::limits::MAX_HEAD`] or [`crate::limits::MAX_BODY`] allow.
    TooLarge,
    /// More rows than [`crate::limits::MAX_HEADERS`] or one longer than [`crate::limits::MAX_LINE`].
    TooManyHeaders,
    /// The first line is neither a request line nor a status line.
    StartLine,
    /// The Request-URI cannot be read.
    RequestUri,
    /// A SIP version other than 2.0.
    Version,
    /// A status code outside 100 to 699.
    StatusCode,
    /// A header row without a name or a colon.
    HeaderLine,
    /// The last header row does not end.
    Truncated,
    /// Content-Length is not a number, or stands twice.
    ContentLength,
    /// The body is shorter than Content-Length says.
    BodyTooShort,
}

impl ParseErrorKind {
    /// A stable word for logs and counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::TooManyHeaders => "too_many_headers",
            Self::StartLine => "start_line",
            Self::RequestUri => "request_uri",
            Self::Version => "version",
            Self::StatusCode => "status_code",
            Self::HeaderLine => "header_line",
            Self::Truncated => "truncated",
            Self::ContentLength => "content_length",
            Self::BodyTooShort => "body_too_short",
        }
    }
}

/// Bytes that are not a SIP message, with as much of it as can be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", kind.word())]
pub struct ParseError {
    /// The kind of fault.
    pub kind: ParseErrorKind,
    /// One sentence.
    pub reason: String,
    /// What could be read, when Via, From, To, Call-ID and CSeq are there, so that it can be answered or matched.
    pub partial: Option<Box<Message>>,
}

impl ParseError {
    /// What a UAS answers: `None` when it was a response, an ACK, or too little to answer.
    pub fn status(&self) -> Option<StatusCode> {
        match self.partial.as_deref() {
            Some(Message::Request(request)) if request.method != crate::Method::Ack => {}
            _ => return None,
        }
        Some(match self.kind {
            ParseErrorKind::Version => StatusCode::VERSION_NOT_SUPPORTED,
            ParseErrorKind::TooLarge | ParseErrorKind::TooManyHeaders => {
                StatusCode::MESSAGE_TOO_LARGE
            }
            _ => StatusCode::BAD_REQUEST,
        })
    }
}
