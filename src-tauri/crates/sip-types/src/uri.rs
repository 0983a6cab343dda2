//! Owns URIs: SIP and SIPS (RFC 3261 section 19.1), tel (RFC 3966), and any other scheme as opaque text.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::host::host_port;
use crate::{Host, Transport, UriError};

mod compare;
mod escape;

use escape::{escape_header, escape_param, escape_user, unescape};

/// A URI. Its text is kept and printed exactly as it was received; the parts are views of it.
/// `==` compares the text, [`Uri::equivalent`] the meaning (RFC 3261 section 19.1.4).
#[derive(Debug, Clone)]
pub struct Uri {
    raw: String,
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    host: Option<Host>,
    port: Option<u16>,
    params: Vec<(String, Option<String>)>,
    headers: Vec<(String, String)>,
}

impl Uri {
    /// Reads a URI of any scheme. `sip:` and `sips:` are read whole; of `tel:` the number (as
    /// [`Uri::user`]) and the parameters; others stay opaque.
    ///
    /// # Errors
    /// No scheme, white space, angle brackets or quotes inside, a bad host or port, two `@`.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if let Some(bad) = text.chars().find(|c| c.is_ascii_control() || " <>\"".contains(*c)) {
            return Err(UriError(format!("{bad:?} stands in the URI '{text}'")));
        }
        let (scheme, rest) =
            text.split_once(':').ok_or_else(|| UriError(format!("'{text}' has no scheme")))?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !is_scheme {
            return Err(UriError(format!("'{scheme}' is not a URI scheme")));
        }
        if rest.is_empty() {
            return Err(UriError(format!("'{text}' is a scheme only")));
        }
        let mut uri = Self::opaque(text);
        uri.scheme = scheme.to_ascii_lowercase();
        match uri.scheme.as_str() {
            "sip" | "sips" => uri.read_sip(rest)?,
            "tel" => uri.read_tel(rest)?,
            _ => {}
        }
        Ok(uri)
    }

    /// A SIP URI from parts; the user is escaped.
    pub fn sip(user: Option<&str>, host: Host, port: Option<u16>) -> Self {
        let user = user.map(escape_user);
        let mut raw = String::from("sip:");
        if let Some(user) = &user {
            raw.push_str(user);
            raw.push('@');
        }
        raw.push_str(&host.to_string());
        if let Some(port) = port {
            raw.push_str(&format!(":{port}"));
        }
        let mut uri = Self::opaque(&raw);
        uri.scheme = "sip".into();
        uri.user = user;
        uri.host = Some(host);
        uri.port = port;
        uri
    }

    /// Text kept as it is, with no parts: what stands in for a Request-URI that cannot be read.
    pub(crate) fn opaque(raw: &str) -> Self {
        Self {
            raw: raw.to_owned(),
            scheme: String::new(),
            user: None,
            password: None,
            host: None,
            port: None,
            params: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// The text as received.
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// The scheme in lower case: `sip`, `sips`, `tel`, `urn`, …
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The user part with its escapes undone; of a tel URI the number. Bytes that are no UTF-8 are read as Latin-1.
    pub fn user(&self) -> Option<String> {
        self.user.as_deref().map(unescape)
    }

    /// The user part as written.
    pub fn raw_user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password as written (its use is deprecated, RFC 3261 section 19.1.1).
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The host of a SIP or SIPS URI.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The port, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// A URI parameter: `None` not there, `Some(None)` there without a value. Values as written.
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_deref())
    }

    /// All URI parameters in order, as written.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// The headers after `?`: names as written, values with their escapes undone.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.headers.iter().map(|(name, value)| (unescape(name), unescape(value))).collect()
    }

    /// Whether the scheme is `sip` or `sips`.
    pub fn is_sip(&self) -> bool {
        self.scheme == "sip" || self.scheme == "sips"
    }

    /// Whether the scheme is `sips`.
    pub fn is_sips(&self) -> bool {
        self.scheme == "sips"
    }

    /// The `transport` parameter, if it is one we speak.
    pub fn transport(&self) -> Option<Transport> {
        self.param("transport").flatten().and_then(|name| name.parse().ok())
    }

    /// Whether `lr` is there: a loose router (RFC 3261 section 19.1.1).
    pub fn lr(&self) -> bool {
        self.param("lr").is_some()
    }

    /// The URI with a parameter set (replaced if it was there). The value is escaped. Opaque URIs stay as they are.
    #[must_use]
    pub fn with_param(self, name: &str, value: Option<&str>) -> Self {
        let mut uri = self.without_param(name);
        if !uri.is_sip() && uri.scheme != "tel" {
            return uri;
        }
        let value = value.map(escape_param);
        let text = match &value {
            Some(value) => format!(";{name}={value}"),
            None => format!(";{name}"),
        };
        let at = uri.headers_at();
        uri.raw.insert_str(at, &text);
        uri.params.push((name.to_owned(), value));
        uri
    }

    /// The URI without a parameter; everything else keeps its text.
    #[must_use]
    pub fn without_param(mut self, name: &str) -> Self {
        if self.param(name).is_none() {
            return self;
        }
        let (before, headers) =
            self.raw.split_at_checked(self.headers_at()).unwrap_or((&self.raw, ""));
        let start = self.params_at().min(before.len());
        let (base, params) = before.split_at_checked(start).unwrap_or((before, ""));
        let kept: String = params
            .split(';')
            .skip(1)
            .filter(|p| !p.split('=').next().unwrap_or_default().eq_ignore_ascii_case(name))
            .map(|p| format!(";{p}"))
            .collect();
        self.raw = format!("{base}{kept}{headers}");
        self.params.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    /// The URI with a header added (`?name=value`), both escaped: a Replaces in a Refer-To. Other
    /// schemes than sip and sips stay as they are.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if self.is_sip() {
            let mark = if self.headers_at() == self.raw.len() { '?' } else { '&' };
            let (name, value) = (escape_header(name), escape_header(value));
            self.raw.push_str(&format!("{mark}{name}={value}"));
            self.headers.push((name, value));
        }
        self
    }

    /// The URI without its headers (`?…`), as it may stand in a Request-URI.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        if !self.headers.is_empty() {
            self.raw.truncate(self.headers_at());
            self.headers.clear();
        }
        self
    }

    /// Whether both mean the same (RFC 3261 section 19.1.4; numbers of tel URIs without their
    /// visual separators, RFC 3966 section 5; others by text, scheme without regard to case).
    pub fn equivalent(&self, other: &Self) -> bool {
        compare::equivalent(self, other)
    }

    /// Where `?headers` begins in the text, or its end.
    fn headers_at(&self) -> usize {
        let after_user = self.host_at();
        let tail = self.raw.get(after_user..).unwrap_or_default();
        match tail.find('?') {
            Some(at) if self.is_sip() => after_user + at,
            _ => self.raw.len(),
        }
    }

    /// Where `;params` begins in the text, or where they would.
    fn params_at(&self) -> usize {
        let after_user = self.host_at();
        let tail = self.raw.get(after_user..).unwrap_or_default();
        tail.find([';', '?']).map_or(self.raw.len(), |at| after_user + at)
    }

    /// Where the host begins: after the scheme and the user part.
    fn host_at(&self) -> usize {
        let scheme = self.scheme.len() + 1;
        if !self.is_sip() || self.user.is_none() {
            return scheme;
        }
        let tail = self.raw.get(scheme..).unwrap_or_default();
        tail.find('@').map_or(scheme, |at| scheme + at + 1)
    }

    fn read_sip(&mut self, rest: &str) -> Result<(), UriError> {
        let tail = match rest.split_once('@') {
            Some((user, tail)) => {
                self.read_user(user)?;
                tail
            }
            None => rest,
        };
        let (tail, headers) = match tail.split_once('?') {
            Some((tail, headers)) => (tail, Some(headers)),
            None => (tail, None),
        };
        if tail.contains('@') {
            return Err(UriError(format!("'{}' has two '@'", self.raw)));
        }
        let (hostport, params) = match tail.split_once(';') {
            Some((hostport, params)) => (hostport, params),
            None => (tail, ""),
        };
        let (host, port) = host_port(hostport).map_err(|e| UriError(e.0))?;
        self.host = Some(host);
        self.port = port;
        self.read_params(params);
        for pair in headers.unwrap_or_default().split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    fn read_user(&mut self, text: &str) -> Result<(), UriError> {
        let (user, password) = match text.split_once(':') {
            Some((user, password)) => (user, Some(password.to_owned())),
            None => (text, None),
        };
        if user.is_empty() {
            return Err(UriError(format!("the user part of '{}' is empty", self.raw)));
        }
        self.user = Some(user.to_owned());
        self.password = password;
        Ok(())
    }

    fn read_tel(&mut self, rest: &str) -> Result<(), UriError> {
        let (number, params) = rest.split_once(';').unwrap_or((rest, ""));
        let dialled = |b: u8| b.is_ascii_hexdigit() || b"+*#-.()%".contains(&b);
        if number.is_empty() || !number.bytes().all(dialled) {
            return Err(UriError(format!("'{number}' is not a telephone number")));
        }
        self.user = Some(number.to_owned());
        self.read_params(params);
        Ok(())
    }

    fn read_params(&mut self, text: &str) {
        for param in text.split(';').filter(|p| !p.is_empty()) {
            let (name, value) = match param.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (param, None),
            };
            self.params.push((name.to_owned(), value));
        }
    }
}

impl PartialEq for Uri {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for Uri {}

impl Hash for Uri {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
