//! Owns what a user agent can do, and the refusal of what it cannot (RFC 3261 sections 8.2.1 to 8.2.3 and 8.2.5).

use crate::{HeaderName, MediaType, Method, Rejection, Request, StatusCode};

/// What a user agent understands. Requests that [`crate::validate`] lets pass are held against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The methods it answers; they are the Allow header.
    pub methods: Vec<Method>,
    /// Option tags in lower case; they are the Supported header.
    pub extensions: Vec<String>,
    /// Schemes a Request-URI may have, in lower case.
    pub schemes: Vec<String>,
    /// Bodies it reads; they are the Accept header.
    pub bodies: Vec<MediaType>,
}

impl Capabilities {
    /// Judges a request in the order the RFC gives: method, Request-URI, extensions, body, wishes for the answer.
    ///
    /// # Errors
    /// 501 or 405 with Allow, 416, 420 with Unsupported, 415 with Accept or Accept-Encoding, 406.
    pub fn check(&self, request: &Request) -> Result<(), Rejection> {
        self.check_method(request)?;
        if !self.schemes.iter().any(|scheme| scheme == request.uri.scheme()) {
            let reason = format!("the scheme '{}' means nothing here", request.uri.scheme());
            return Err(Rejection::new(StatusCode::UNSUPPORTED_URI_SCHEME, reason));
        }
        // Neither may be refused for an extension (RFC 3261 section 8.2.2.3).
        if request.method != Method::Ack && request.method != Method::Cancel {
            self.check_extensions(request)?;
        }
        self.check_body(request)?;
        self.check_accept(request)
    }

    fn check_method(&self, request: &Request) -> Result<(), Rejection> {
        if self.methods.contains(&request.method) {
            return Ok(());
        }
        let status = match request.method {
            Method::Extension(_) => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        let mut refusal =
            Rejection::new(status, format!("{} is not answered here", request.method));
        refusal.headers.push((HeaderName::Allow, joined(&self.methods)));
        Err(refusal)
    }

    fn check_extensions(&self, request: &Request) -> Result<(), Rejection> {
        let mut unknown = request.headers.require();
        unknown.retain(|tag| !self.extensions.contains(tag));
        if unknown.is_empty() {
            return Ok(());
        }
        let tags = unknown.join(", ");
        let mut refusal =
            Rejection::new(StatusCode::BAD_EXTENSION, format!("no support for {tags}"));
        refusal.headers.push((HeaderName::Unsupported, tags));
        Err(refusal)
    }

    fn check_body(&self, request: &Request) -> Result<(), Rejection> {
        if request.body.is_empty() || is_optional(request) {
            return Ok(());
        }
        if let Some(kind) = request.headers.content_type()?
            && !self.bodies.iter().any(|known| known.is(&kind.kind, &kind.subtype))
        {
            let reason = format!("{}/{} is not read here", kind.kind, kind.subtype);
            let mut refusal = Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason);
            refusal.headers.push((HeaderName::Accept, joined(&self.bodies)));
            return Err(refusal);
        }
        match request.headers.get(&HeaderName::ContentEncoding) {
            Some(encoding) if !encoding.eq_ignore_ascii_case("identity") => {
                let reason = format!("the encoding {encoding} is not read here");
                let mut refusal = Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason);
                refusal.headers.push((HeaderName::AcceptEncoding, "identity".into()));
                Err(refusal)
            }
            _ => Ok(()),
        }
    }

    /// An INVITE whose Accept leaves out session descriptions cannot be answered.
    fn check_accept(&self, request: &Request) -> Result<(), Rejection> {
        let ranges = request.headers.accept()?;
        let sdp = MediaType::new("application", "sdp");
        if request.method != Method::Invite
            || ranges.is_empty()
            || ranges.iter().any(|range| range.accepts(&sdp))
        {
            return Ok(());
        }
        Err(Rejection::new(
            StatusCode::NOT_ACCEPTABLE,
            "the answer may not be a session description",
        ))
    }
}

/// A body the sender can do without (RFC 3261 section 20.11).
fn is_optional(request: &Request) -> bool {
    let disposition = request.headers.get(&HeaderName::ContentDisposition).unwrap_or_default();
    disposition.to_ascii_lowercase().replace([' ', '\t'], "").contains("handling=optional")
}

fn joined<T: ToString>(list: &[T]) -> String {
    list.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
