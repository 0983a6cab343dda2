//! One HTTP request to the web services and its answer, without HTTP.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    DocumentError, ErrorInfo, XsiError, json, limits,
    wire::read_error,
    xml::{self, Element},
};

/// What need not be encoded in a part of a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@')
    .remove(b':')
    .remove(b'+')
    .remove(b'!');

/// What need not be encoded in the value of a query. `+` would be read as a space.
const VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'*').remove(b',');

/// Longest part of a path or value of a query, in bytes.
const LONGEST: usize = 512;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Read.
    Get,
    /// Begin or create.
    Post,
    /// Change.
    Put,
    /// End or remove.
    Delete,
}

/// Which of the web applications is meant (reference, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Application {
    /// Xsi-Actions.
    Actions,
    /// Xsi-Events.
    Events,
    /// The front of Xsi-Events that holds the endless answer: for the creation of channels only.
    Channel,
}

/// A path below `/v2.0/` whose parts are encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(String);

impl Path {
    /// A path that begins with these fixed words.
    pub fn new(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// Adds fixed words.
    #[must_use]
    pub fn word(mut self, words: &'static str) -> Self {
        self.0.push('/');
        self.0.push_str(words);
        self
    }

    /// Adds a value.
    ///
    /// # Errors
    /// [`XsiError::BadValue`]: it is empty, too long, has a `/` (not allowed in ids, reference, section 2), or
    /// would be read as a step within the path.
    pub fn part(mut self, value: &str) -> Result<Self, XsiError> {
        let bad = value.is_empty()
            || value.len() > LONGEST
            || value.contains(['/', '\\'])
            || value.chars().any(char::is_control)
            || matches!(value, "." | "..");
        if bad {
            return Err(XsiError::BadValue("a name with these signs"));
        }
        self.0.push('/');
        self.0.extend(utf8_percent_encode(value, PART));
        Ok(self)
    }

    /// As it stands in the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request, but for the server it goes to and for who sends it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpRequest {
    /// What is done.
    pub method: Method,
    /// Which application.
    pub application: Application,
    /// Where.
    pub path: Path,
    /// Names and values, not encoded.
    pub query: Vec<(&'static str, String)>,
    /// A document of XML in UTF-8.
    pub body: Option<String>,
}

impl HttpRequest {
    /// A request to Xsi-Actions.
    pub fn action(method: Method, path: Path) -> Self {
        Self { method, application: Application::Actions, path, query: Vec::new(), body: None }
    }

    /// A request to Xsi-Events.
    pub fn event(method: Method, path: Path, body: Option<String>) -> Self {
        Self { method, application: Application::Events, path, query: Vec::new(), body }
    }

    /// Whether it changes nothing, so that it may be sent again.
    pub fn is_safe(&self) -> bool {
        self.method == Method::Get
    }

    /// Adds a name and a value of the query.
    ///
    /// # Errors
    /// [`XsiError::BadValue`]: the value is too long, or has signs that cannot be sent.
    pub fn with(mut self, name: &'static str, value: &str) -> Result<Self, XsiError> {
        if value.len() > LONGEST || value.chars().any(char::is_control) {
            return Err(XsiError::BadValue("a value with these signs"));
        }
        self.query.push((name, value.to_owned()));
        Ok(self)
    }

    /// Path and query below the application's own path: `/v2.0/user/…?…`.
    pub fn target(&self) -> String {
        let mut target = format!("/v2.0/{}", self.path.0);
        for (n, (name, value)) in self.query.iter().enumerate() {
            target.push(if n == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, VALUE));
        }
        target
    }
}

/// An answer as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content-Type.
    pub content_type: Option<String>,
    /// Location.
    pub location: Option<String>,
    /// Content-Location.
    pub content_location: Option<String>,
    /// Retry-After, where it is a number of seconds.
    pub retry_after: Option<Duration>,
    /// Body, at most [`limits::DOCUMENT`] bytes.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// Whether the request was carried out: any status from 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The server has too much to do.
    pub fn is_overload(&self) -> bool {
        matches!(self.status, 429 | 503)
    }

    /// The document in the body; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn document(&self) -> Result<Option<Element>, DocumentError> {
        let kind = self.content_type.as_deref();
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => Ok(None),
            Some(b'{' | b'[') => json::read(&self.body, kind).map(Some),
            Some(_) => xml::read(&self.body, kind).map(Some),
        }
    }

    /// What the action gave, or why not.
    ///
    /// # Errors
    /// The server's refusal, typed, or a body that cannot be read.
    pub fn reply(&self) -> Result<Reply, XsiError> {
        if self.is_success() {
            return Ok(Reply {
                document: self.document()?,
                location: self.location.clone(),
                content_location: self.content_location.clone(),
            });
        }
        Err(self.refusal(self.error_info()))
    }

    /// What the server says of its refusal; empty when it says nothing.
    pub fn error_info(&self) -> ErrorInfo {
        self.document().ok().flatten().as_ref().and_then(read_error).unwrap_or_default()
    }

    fn refusal(&self, info: ErrorInfo) -> XsiError {
        match self.status {
            401 => XsiError::CredentialsRefused,
            403 => XsiError::Forbidden(info),
            404 | 405 | 410 | 501 => XsiError::NotFound(info),
            429 | 503 => XsiError::Overloaded { retry_after: self.retry_after },
            status => XsiError::Refused { status, info },
        }
    }
}

/// What came with a success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The document.
    pub document: Option<Element>,
    /// Where the new thing is.
    pub location: Option<String>,
    /// Where the thing is now.
    pub content_location: Option<String>,
}

impl Reply {
    /// The document, which must be there.
    ///
    /// # Errors
    /// [`DocumentError::Missing`].
    pub fn root(&self) -> Result<&Element, DocumentError> {
        self.document.as_ref().ok_or(DocumentError::Missing("document"))
    }
}

/// How the document of an answer is read.
type Reading<T> = Box<dyn FnOnce(&Reply) -> Result<T, XsiError> + Send>;

/// A request, and how its answer is read.
pub struct Action<T> {
    /// The request.
    pub request: HttpRequest,
    reading: Reading<T>,
}

impl<T> std::fmt::Debug for Action<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Action").field("request", &self.request).finish_non_exhaustive()
    }
}

impl<T> Action<T> {
    /// An action.
    pub fn new(
        request: HttpRequest,
        reading: impl FnOnce(&Reply) -> Result<T, XsiError> + Send + 'static,
    ) -> Self {
        Self { request, reading: Box::new(reading) }
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// The server refuses, or the answer cannot be read.
    pub fn read(self, answer: &HttpAnswer) -> Result<T, XsiError> {
        (self.reading)(&answer.reply()?)
    }

    /// Takes the request and the reading apart, for whoever sends it.
    pub fn split(self) -> (HttpRequest, impl FnOnce(&HttpAnswer) -> Result<T, XsiError> + Send) {
        let reading = self.reading;
        (self.request, move |answer: &HttpAnswer| reading(&answer.reply()?))
    }
}

/// Whether a body of this announced length is refused before it is read.
pub(crate) fn is_too_long(length: Option<u64>) -> bool {
    length.is_some_and(|length| length > limits::DOCUMENT as u64)
}

#[cfg(test)]
mod tests {
    use super::{HttpAnswer, HttpRequest, Method, Path};
    use crate::{DocumentError, XsiError};

    #[test]
    fn parts_and_values_are_encoded() {
        let path = Path::new("serviceprovider").part("PBXL Inc.").unwrap().word("group");
        let path = path.part("caf\u{e9}&?#%").unwrap();
        let request = HttpRequest::action(Method::Get, path).with("lastName", "jans*/i").unwrap();
        let request = request.with("number", "+31 20").unwrap();
        assert_eq!(
            request.target(),
            "/v2.0/serviceprovider/PBXL%20Inc./group/caf%C3%A9%26%3F%23%25?lastName=jans*%2Fi&number=%2B31%2020"
        );
        let user = Path::new("user").part("jan@pbx.example").unwrap().word("calls");
        let path = user.part("callhalf-722:0").unwrap();
        assert_eq!(path.as_str(), "user/jan@pbx.example/calls/callhalf-722:0");
    }

    #[test]
    fn values_never_become_steps_of_a_path() {
        for value in ["", ".", "..", "a/b", "a\\b", "a\nb", &"a".repeat(600)] {
            let refused = Path::new("user").part(value);
            assert!(matches!(refused, Err(XsiError::BadValue(_))), "{value:?}");
        }
        let request = HttpRequest::action(Method::Get, Path::new("user"));
        assert!(request.with("address", "1\r\n2").is_err());
    }

    fn answer(status: u16, content_type: &str, body: &str) -> HttpAnswer {
        let content_type = Some(content_type.to_owned());
        HttpAnswer { status, content_type, body: body.into(), ..HttpAnswer::default() }
    }

    #[test]
    fn refusals_are_typed_with_the_servers_words() {
        let body = "<ErrorInfo xmlns='http://schema.broadsoft.com/xsi'><summary>[Error 5210] Nee</summary>\
                    <summaryEnglish>No</summaryEnglish><errorCode>5210</errorCode></ErrorInfo>";
        let Err(XsiError::Forbidden(info)) = answer(403, "text/xml", body).reply() else {
            panic!("403 is forbidden");
        };
        assert_eq!((info.code, info.words()), (5210, "Nee"));
        let json = "{\"ErrorInfo\":{\"summaryEnglish\":{\"$\":\"No\"},\"errorCode\":{\"$\":7}}}";
        let Err(XsiError::Refused { status: 400, info }) =
            answer(400, "application/json", json).reply()
        else {
            panic!("400 is refused");
        };
        assert_eq!((info.code, info.words()), (7, "No"));
        assert_eq!(answer(401, "text/html", "<html>").reply(), Err(XsiError::CredentialsRefused));
        let page = answer(404, "text/html", "<html>not here</html>").reply();
        assert!(matches!(page, Err(XsiError::NotFound(info)) if info.code == 0));
        assert!(matches!(answer(503, "", "").reply(), Err(XsiError::Overloaded { .. })));
    }

    #[test]
    fn answers_that_are_no_documents_end_in_an_error() {
        assert_eq!(
            answer(200, "text/html", "<html><body>Sign in</body></html>").reply(),
            Err(XsiError::Document(DocumentError::WebPage))
        );
        assert_eq!(answer(200, "application/xml", "").reply().unwrap().document, None);
        assert!(answer(200, "application/xml", "<a>").reply().is_err());
        assert!(answer(201, "application/json", "{\"a\":1}").reply().unwrap().document.is_some());
    }
}
