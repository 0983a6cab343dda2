//! Why something could not be read or was not done.

use std::time::Duration;

/// A document that is not what it should be. What it holds is not in here: it comes from strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is no well-formed XML or JSON, or it declares entities or a document type.
    #[error("the document is not well-formed")]
    Malformed,
    /// It holds more than [`crate::limits`] allow.
    #[error("the document is too large")]
    TooLarge,
    /// Its bytes are not in the charset that it says they are in.
    #[error("the document is not in the charset that it declares")]
    Charset,
    /// It is a web page: a proxy, a portal or a wrong address answered.
    #[error("a web page came instead of a document")]
    WebPage,
    /// Its root is another one.
    #[error("the document is of another kind")]
    OtherKind,
    /// Something it cannot do without is missing.
    #[error("the document lacks its {0}")]
    Missing(&'static str),
}

/// What the server says of a request that it refuses: `ErrorInfo` (reference, section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorInfo {
    /// The server's number of the error; 0 when none was told.
    pub code: u32,
    /// In the user's language; empty when not told.
    pub summary: String,
    /// In English; empty when not told.
    pub summary_english: String,
}

impl ErrorInfo {
    /// The words to show: the user's language before English, without the `[Error n]` in front.
    pub fn words(&self) -> &str {
        let text = if self.summary.is_empty() { &self.summary_english } else { &self.summary };
        match text.strip_prefix("[Error ").and_then(|rest| rest.split_once(']')) {
            Some((_, words)) => words.trim(),
            None => text.trim(),
        }
    }
}

/// How an exchange of HTTP messages failed without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    /// No connection: the request has not been sent.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The server did not prove who it is: the request has not been sent.
    #[error("no safe connection to the server: {0}")]
    Tls(String),
    /// No answer in time; the request may have been carried out.
    #[error("the server did not answer in time")]
    Timeout,
    /// The connection broke; the request may have been carried out.
    #[error("the connection broke before the answer was there")]
    Broken,
    /// The answer is larger than [`crate::limits::DOCUMENT`].
    #[error("the answer is too large")]
    TooLarge,
}

impl HttpFailure {
    /// The server has certainly not seen the request.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Tls(_))
    }
}

/// Why an action gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XsiError {
    /// User name or password are wrong; nothing is sent until new ones come.
    #[error("the server refuses the user name or the password")]
    CredentialsRefused,
    /// No credentials have been given yet.
    #[error("not signed in")]
    NotSignedIn,
    /// The account may not do this (HTTP status 403).
    #[error("the exchange does not allow this: {}", .0.words())]
    Forbidden(ErrorInfo),
    /// There is no such thing, or the server does not offer it (HTTP status 404, 405, 501).
    #[error("the exchange does not know this: {}", .0.words())]
    NotFound(ErrorInfo),
    /// The server has too much to do (HTTP status 429, 503).
    #[error("the exchange is overloaded")]
    Overloaded {
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The server refuses in its own words.
    #[error("the exchange refuses (status {status}): {}", .info.words())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Number and words.
        info: ErrorInfo,
    },
    /// There was no answer.
    #[error(transparent)]
    Http(#[from] HttpFailure),
    /// The answer cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// What was asked for cannot be put into a request: a name with `/`, a number with letters.
    #[error("{0} is not acceptable here")]
    BadValue(&'static str),
    /// This release of the exchange does not have it.
    #[error("this release of the exchange does not offer this")]
    NotInRelease,
    /// More requests wait than [`crate::limits::REQUESTS`].
    #[error("too many requests are waiting")]
    Full,
    /// It waited too long for its turn.
    #[error("there was no turn for the request in time")]
    Expired,
    /// The client has been closed.
    #[error("the connection to the exchange has been closed")]
    Closed,
}

#[cfg(test)]
mod tests {
    use super::ErrorInfo;

    #[test]
    fn the_words_of_an_error_are_the_users_before_english() {
        let mut info = ErrorInfo {
            code: 12_345,
            summary: String::new(),
            summary_english: "[Error 12345] No such user".to_owned(),
        };
        assert_eq!(info.words(), "No such user");
        info.summary = "[Error 12345] Geen gebruiker".to_owned();
        assert_eq!(info.words(), "Geen gebruiker");
        info.summary = "[Error without an end".to_owned();
        assert_eq!(info.words(), "[Error without an end");
    }
}
