//! Requests and answers as values, and what goes wrong with them.

use std::time::Duration;

use super::element::Element;
use super::query::Address;
use super::read::BadBody;
use super::write::{self, Charset, Style};

/// One open stream of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(pub(crate) u64);

/// A request, complete.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebRequest {
    /// Which of the listeners it came to.
    pub(crate) host: usize,
    /// In upper case.
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl WebRequest {
    /// The first header of that name (lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the answer is to be JSON.
    pub(crate) fn wants_json(&self, address: &Address) -> bool {
        let format = address.value("format").is_some_and(|f| f.eq_ignore_ascii_case("json"));
        let accept = self.header("accept").unwrap_or_default();
        format || (accept.contains("application/json") && !accept.contains("xml"))
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WebReply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The body goes on for ever, with what is written to this stream.
    pub(crate) stream: Option<StreamId>,
    /// How long it is kept back.
    pub(crate) delay: Duration,
}

impl WebReply {
    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What a resource answers with, before it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) document: Option<Element>,
    pub(crate) charset: Charset,
    /// Declares the schema instance as the profile does.
    pub(crate) always_instance: bool,
    /// False for fragments, which are shown without a namespace.
    pub(crate) namespace: bool,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) stream: Option<StreamId>,
    /// A body that is no document of this interface.
    pub(crate) raw: Option<Vec<u8>>,
}

impl Answer {
    /// Done, with nothing to say.
    pub(crate) fn done() -> Self {
        Self {
            status: 200,
            document: None,
            charset: Charset::Utf8,
            always_instance: false,
            namespace: true,
            headers: Vec::new(),
            stream: None,
            raw: None,
        }
    }

    /// A document about calls, channels or subscriptions: UTF-8.
    pub(crate) fn call(document: Element) -> Self {
        Self { document: Some(document), ..Self::done() }
    }

    /// A document of profile, services or directories: the users' charset.
    pub(crate) fn local(document: Element) -> Self {
        Self { charset: Charset::Latin1, ..Self::call(document) }
    }

    /// Part of a document.
    pub(crate) fn fragment(document: Element) -> Self {
        Self { namespace: false, ..Self::local(document) }
    }

    /// With another status.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As it goes out.
    pub(crate) fn write(self, json: bool) -> WebReply {
        let mut reply =
            WebReply { status: self.status, headers: self.headers, ..WebReply::default() };
        reply.stream = self.stream;
        reply.body = self.raw.unwrap_or_default();
        let Some(document) = self.document else { return reply };
        if json && self.stream.is_none() {
            reply.body = write::json(&document);
            return reply.header("content-type", "application/json;charset=UTF-8");
        }
        let style = Style {
            always_instance: self.always_instance,
            namespace: self.namespace,
            ..Style::actions(self.charset)
        };
        reply.body = write::xml(&document, &style);
        reply.header("content-type", format!("application/xml;charset={}", self.charset.name()))
    }
}

/// Why something is refused: the status and what stands in `ErrorInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) summary: String,
}

impl Refusal {
    /// The numbers are this server's own: no list of the vendor's is known.
    fn new(status: u16, code: u32, summary: impl Into<String>) -> Self {
        Self { status, code, summary: summary.into() }
    }

    pub(crate) fn bad(summary: impl Into<String>) -> Self {
        Self::new(400, 100_400, summary)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(401, 100_401, "Invalid user name or password")
    }

    pub(crate) fn expired() -> Self {
        Self::new(401, 100_402, "The password has expired")
    }

    pub(crate) fn forbidden(summary: impl Into<String>) -> Self {
        Self::new(403, 100_403, summary)
    }

    pub(crate) fn not_found(summary: impl Into<String>) -> Self {
        Self::new(404, 100_404, summary)
    }

    pub(crate) fn not_allowed() -> Self {
        Self::new(405, 100_405, "The method is not supported")
    }

    pub(crate) fn conflict(summary: impl Into<String>) -> Self {
        Self::new(409, 100_409, summary)
    }

    pub(crate) fn overload() -> Self {
        Self::new(503, 100_503, "The server is overloaded")
    }

    /// The document.
    pub(crate) fn document(&self) -> Element {
        let summary = format!("[Error {}] {}", self.code, self.summary);
        Element::new("ErrorInfo")
            .field("summary", &summary)
            .field("summaryEnglish", summary)
            .field("errorCode", self.code)
    }

    /// As it goes out.
    pub(crate) fn write(&self, json: bool) -> WebReply {
        let answer = Answer::call(self.document()).status(self.status);
        let reply = answer.write(json);
        match self.status {
            401 => reply.header("www-authenticate", "Basic realm=\"BroadWorks\""),
            503 => reply.header("retry-after", "5"),
            _ => reply,
        }
    }
}

impl From<BadBody> for Refusal {
    fn from(error: BadBody) -> Self {
        Self::bad(error.0)
    }
}

/// What a resource says to a request.
pub(crate) type Outcome = Result<Answer, Refusal>;
