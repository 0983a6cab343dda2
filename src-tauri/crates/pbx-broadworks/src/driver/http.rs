//! HTTP through reqwest: one client for each server, one more for each channel and its pinned address.

use std::{
    collections::HashMap, error::Error as StdError, net::SocketAddr, sync::Arc, time::Duration,
};

use reqwest::{
    Client, RequestBuilder, Response,
    cookie::Jar,
    header::{
        ACCEPT, AUTHORIZATION, CONTENT_LOCATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
        LOCATION, RETRY_AFTER,
    },
    redirect::Policy,
};
use rustls::{CertificateError, Error as TlsError};
use secrecy::ExposeSecret;
use trust::Anchors;

use crate::{
    Credentials, HttpAnswer, HttpFailure, HttpRequest, Method, Origin, limits, request::is_too_long,
};

/// A connection stands within this time or not at all.
const CONNECT: Duration = Duration::from_secs(5);
/// An answer is whole within this time.
const ANSWER: Duration = Duration::from_secs(15);
/// Connections that nobody uses are kept so long.
const IDLE: Duration = Duration::from_secs(30);
/// An idle channel is probed so often.
const PROBE: Duration = Duration::from_secs(20);

/// The way to the web.
#[derive(Debug)]
pub(crate) struct Web {
    tls: rustls::ClientConfig,
    proxies: bool,
    jars: HashMap<String, Arc<Jar>>,
    clients: HashMap<Origin, Client>,
}

impl Web {
    /// `proxies`: those that the environment names are used.
    pub(crate) fn new(anchors: &Anchors, proxies: bool) -> Result<Self, HttpFailure> {
        let tls = trust::host_name(anchors).map_err(|error| HttpFailure::Tls(error.to_string()))?;
        Ok(Self { tls, proxies, jars: HashMap::new(), clients: HashMap::new() })
    }

    /// Forgets cookies and connections: somebody else signs in, or the network is another one.
    pub(crate) fn forget(&mut self) {
        self.jars.clear();
        self.clients.clear();
    }

    /// The client for a server.
    pub(crate) fn client(&mut self, origin: &Origin) -> Result<Client, HttpFailure> {
        if let Some(client) = self.clients.get(origin) {
            return Ok(client.clone());
        }
        let client = self.build(origin, None)?;
        self.clients.insert(origin.clone(), client.clone());
        Ok(client)
    }

    /// A client with connections of its own, to this address only if one is given, with the server's cookies.
    pub(crate) fn build(
        &mut self,
        origin: &Origin,
        pin: Option<SocketAddr>,
    ) -> Result<Client, HttpFailure> {
        let jar = self.jars.entry(origin.host.clone()).or_default();
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .cookie_provider(Arc::clone(jar))
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("Balie/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(PROBE);
        if !self.proxies {
            builder = builder.no_proxy();
        }
        if let Some(address) = pin {
            builder = builder.resolve(&origin.host, address);
        }
        builder.build().map_err(|error| HttpFailure::Tls(error.to_string()))
    }
}

/// Makes the request for a server; `target` is its path and query.
pub(crate) fn prepare(
    client: &Client,
    origin: &Origin,
    target: &str,
    http: &HttpRequest,
    credentials: &Credentials,
) -> RequestBuilder {
    let url = format!("{origin}{target}");
    let mut builder = match http.method {
        Method::Get => client.get(url),
        Method::Post => client.post(url),
        Method::Put => client.put(url),
        Method::Delete => client.delete(url),
    };
    builder = builder.header(ACCEPT, "application/xml");
    if let Ok(mut value) = HeaderValue::from_str(credentials.authorization().expose_secret()) {
        value.set_sensitive(true);
        builder = builder.header(AUTHORIZATION, value);
    }
    if let Some(protocol) = credentials.protocol() {
        builder =
            builder.header(HeaderName::from_static("x-broadworks-protocol-version"), protocol);
    }
    match &http.body {
        Some(body) => {
            builder.header(CONTENT_TYPE, "application/xml; charset=UTF-8").body(body.clone())
        }
        // Some servers want to be told that nothing comes.
        None if http.method != Method::Get => builder.body(""),
        None => builder,
    }
}

/// Sends a request and reads its whole answer.
pub(crate) async fn exchange(builder: RequestBuilder) -> Result<HttpAnswer, HttpFailure> {
    let response = builder.timeout(ANSWER).send().await.map_err(|error| failure(&error))?;
    read(response).await
}

/// Reads the rest of an answer, within limits.
pub(crate) async fn read(mut response: Response) -> Result<HttpAnswer, HttpFailure> {
    let mut answer = head(&response);
    if is_too_long(response.content_length()) {
        return Err(HttpFailure::TooLarge);
    }
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if answer.body.len() + chunk.len() > limits::DOCUMENT {
            return Err(HttpFailure::TooLarge);
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// Status and header.
pub(crate) fn head(response: &Response) -> HttpAnswer {
    let headers = response.headers();
    HttpAnswer {
        status: response.status().as_u16(),
        content_type: text(headers, &CONTENT_TYPE),
        location: text(headers, &LOCATION),
        content_location: text(headers, &CONTENT_LOCATION),
        retry_after: text(headers, &RETRY_AFTER)
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs),
        body: Vec::new(),
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What went wrong, without any of what was sent.
pub(crate) fn failure(error: &reqwest::Error) -> HttpFailure {
    if let Some(tls) = tls_error(error) {
        return HttpFailure::Tls(tls_words(tls));
    }
    if error.is_connect() {
        HttpFailure::Unreachable
    } else if error.is_timeout() {
        HttpFailure::Timeout
    } else if error.is_builder() {
        HttpFailure::Unreachable
    } else {
        HttpFailure::Broken
    }
}

fn tls_error(error: &reqwest::Error) -> Option<&TlsError> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return Some(tls);
        }
        // An error of input and output hides what it was made of from `source`.
        if let Some(inner) =
            error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
        {
            if let Some(tls) = inner.downcast_ref::<TlsError>() {
                return Some(tls);
            }
            next = Some(inner);
            continue;
        }
        next = error.source();
    }
    None
}

fn tls_words(error: &TlsError) -> String {
    let words = match error {
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => "its certificate is signed by nobody we trust",
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            CertificateError::Revoked => "its certificate has been revoked",
            _ => "its certificate cannot be used",
        },
        TlsError::PeerIncompatible(_) => "it speaks no TLS version or cipher that we do",
        TlsError::InvalidMessage(_) => "it does not speak TLS",
        TlsError::AlertReceived(_) => "it refuses us",
        _ => "TLS failed",
    };
    words.to_owned()
}
