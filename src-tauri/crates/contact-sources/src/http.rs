//! HTTP as the conversations need it, and its driver over reqwest: one question, one answer, within limits.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use rustls::{CertificateError, Error as TlsError};
use secrecy::{ExposeSecret, SecretString};
use sip_core::Random;
use sip_core::digest::{Credentials, HttpDigest};
use tokio::sync::Mutex;
use trust::Anchors;
use url::{Position, Url, form_urlencoded};

use crate::{Excess, SourceError, limits};

/// A question to a server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// What is sent may be a secret.
impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.url.path(), self.body.len())
    }
}

/// What a server says.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Where it sends us.
    pub(crate) location: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// The ways of signing in that it offers.
    pub(crate) offered: Vec<String>,
    pub(crate) body: Vec<u8>,
}

/// So may be what comes.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// The kind of a refusal; none where the status tells of no fault.
    pub(crate) fn fault(&self) -> Option<SourceError> {
        Some(match self.status {
            200..=299 => return None,
            401 => match self.offered.is_empty() || self.offers("basic") || self.offers("digest") {
                true => SourceError::Refused,
                false => SourceError::AuthMethod,
            },
            403 => SourceError::Forbidden,
            404 | 410 => SourceError::NotFound,
            300..=399 | 405 | 501 => SourceError::NotASource,
            429 | 503 => SourceError::Overloaded { retry_after: self.retry_after },
            status => SourceError::Server(u32::from(status)),
        })
    }

    /// A way of signing in that is offered, in small letters.
    fn offers(&self, scheme: &str) -> bool {
        let is = |offer: &String| offer.trim_start().to_ascii_lowercase().starts_with(scheme);
        self.offered.iter().any(is)
    }
}

/// The way to one account on one server.
#[derive(Debug)]
pub(crate) struct Web {
    client: Client,
    /// A password that is sent as it is (RFC 7617).
    basic: Option<HeaderValue>,
    /// The same password where the server wants no more than a proof of it (RFC 7616).
    digest: Option<Mutex<Proof>>,
    /// Bytes that have come in this reading.
    taken: Mutex<usize>,
}

/// What a password is proved with.
#[derive(Debug)]
struct Proof {
    digest: HttpDigest,
    random: Random,
    /// The server has asked for it.
    wanted: bool,
    /// The server was asked how one signs in, before anything was sent in the clear.
    asked: bool,
}

impl Web {
    /// The way to a server that asks for a password.
    pub(crate) fn new(
        user: &str,
        password: Option<&SecretString>,
        anchors: &Anchors,
        random: Random,
    ) -> Result<Web, SourceError> {
        let web = Web::open(anchors)?;
        let Some(password) = password else { return Ok(web) };
        let credentials = Credentials { username: user.to_owned(), password: password.clone() };
        let proof =
            Proof { digest: HttpDigest::new(credentials), random, wanted: false, asked: false };
        Ok(Web { basic: Some(basic(user, password)?), digest: Some(Mutex::new(proof)), ..web })
    }

    /// The way to a server that asks for none.
    pub(crate) fn open(anchors: &Anchors) -> Result<Web, SourceError> {
        let tls = trust::host_name(anchors).map_err(|error| SourceError::Tls(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("Balie/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits::CONNECT)
            .timeout(limits::PATIENCE)
            .build()
            .map_err(|error| SourceError::Tls(error.to_string()))?;
        Ok(Web { client, basic: None, digest: None, taken: Mutex::new(0) })
    }

    /// Sends a question and reads its whole answer. A password is proved where the server offers that; where it does not,
    /// it is sent as it is, over TLS at the least where the address says so.
    pub(crate) async fn exchange(&self, ask: Ask) -> Result<Answer, SourceError> {
        self.ask_how(&ask).await?;
        let mut rounds = 0;
        loop {
            let proof = self.proof(&ask).await?;
            let signed = proof.is_some();
            let answer = self.send(ask.clone(), proof.or_else(|| self.basic.clone())).await?;
            rounds += 1;
            if answer.status != 401 || rounds > ROUNDS || !self.challenged(&answer, signed).await {
                return Ok(answer);
            }
        }
    }

    /// The same with a token in place of a password (RFC 6750).
    pub(crate) async fn exchange_with(
        &self,
        ask: Ask,
        token: &SecretString,
    ) -> Result<Answer, SourceError> {
        let text = SecretString::from(format!("Bearer {}", token.expose_secret()));
        self.send(ask, Some(secret(&text)?)).await
    }

    /// Where nobody keeps others from reading along, a password is not sent before it is known that no proof will do.
    async fn ask_how(&self, ask: &Ask) -> Result<(), SourceError> {
        let Some(digest) = self.digest.as_ref().filter(|_| ask.url.scheme() != "https") else {
            return Ok(());
        };
        if std::mem::replace(&mut digest.lock().await.asked, true) {
            return Ok(());
        }
        let answer = self.send(ask.clone(), None).await?;
        if answer.status == 401 {
            self.challenged(&answer, false).await;
        }
        Ok(())
    }

    /// The proof of the password for a question; none: the server wants none.
    async fn proof(&self, ask: &Ask) -> Result<Option<HeaderValue>, SourceError> {
        let Some(digest) = &self.digest else { return Ok(None) };
        let mut proof = digest.lock().await;
        if !proof.wanted {
            return Ok(None);
        }
        let target = &ask.url[Position::BeforePath..Position::AfterQuery];
        let signed = proof.digest.sign(ask.method, target, ask.body.as_bytes());
        signed.map(|text| secret(&SecretString::from(text))).transpose()
    }

    /// A refusal was looked at; whether the same question can be asked again with a proof.
    async fn challenged(&self, answer: &Answer, signed: bool) -> bool {
        let Some(digest) = &self.digest else { return false };
        let mut proof = digest.lock().await;
        let Proof { digest, random, wanted, .. } = &mut *proof;
        // A password that was refused in the one way is not given away in the other.
        let learned =
            answer.offers("digest") && digest.challenged(&answer.offered, signed, random).is_ok();
        *wanted |= learned;
        learned
    }

    async fn send(
        &self,
        ask: Ask,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, SourceError> {
        let method =
            Method::from_bytes(ask.method.as_bytes()).map_err(|_| SourceError::Malformed)?;
        let mut builder = self.client.request(method, ask.url);
        for (name, value) in ask.headers {
            builder = builder.header(HeaderName::from_static(name), value);
        }
        if let Some(authorization) = authorization {
            builder = builder.header(AUTHORIZATION, authorization);
        }
        let response = builder.body(ask.body).send().await.map_err(|error| failure(&error))?;
        self.read(response).await
    }

    async fn read(&self, mut response: Response) -> Result<Answer, SourceError> {
        let mut answer = head(&response);
        let excess = SourceError::Excess(Excess::Bytes);
        let told = response
            .content_length()
            .map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if told > limits::ANSWER {
            return Err(excess);
        }
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            let mut taken = self.taken.lock().await;
            *taken = taken.saturating_add(chunk.len());
            if answer.body.len() + chunk.len() > limits::ANSWER || *taken > limits::READING {
                return Err(excess);
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

/// RFC 7617. The value is marked, so that nothing prints it.
fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, SourceError> {
    let plain = SecretString::from(format!("{user}:{}", password.expose_secret()));
    let text = SecretString::from(format!("Basic {}", STANDARD.encode(plain.expose_secret())));
    secret(&text)
}

fn secret(text: &SecretString) -> Result<HeaderValue, SourceError> {
    let mut value =
        HeaderValue::from_str(text.expose_secret()).map_err(|_| SourceError::Refused)?;
    value.set_sensitive(true);
    Ok(value)
}

fn head(response: &Response) -> Answer {
    let text = |name: &HeaderName| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
            .filter(|text| text.len() <= limits::TEXT)
    };
    let offered = response.headers().get_all(WWW_AUTHENTICATE).iter().take(8);
    Answer {
        status: response.status().as_u16(),
        location: text(&LOCATION),
        etag: text(&ETAG),
        retry_after: text(&RETRY_AFTER)
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs),
        offered: offered
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect(),
        body: Vec::new(),
    }
}

/// The header of a body of XML.
pub(crate) fn xml() -> (&'static str, String) {
    (CONTENT_TYPE_NAME, "application/xml; charset=utf-8".to_owned())
}

/// The same of a card.
pub(crate) fn card() -> (&'static str, String) {
    (CONTENT_TYPE_NAME, "text/vcard; charset=utf-8".to_owned())
}

/// The same of a calendar.
pub(crate) fn calendar() -> (&'static str, String) {
    (CONTENT_TYPE_NAME, "text/calendar; charset=utf-8".to_owned())
}

/// The same of a document of JSON.
pub(crate) fn json() -> (&'static str, String) {
    (CONTENT_TYPE_NAME, "application/json".to_owned())
}

/// A question with a form as its body.
pub(crate) fn form(url: Url, pairs: &[(&str, &str)]) -> Ask {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let headers = vec![
        (CONTENT_TYPE_NAME, "application/x-www-form-urlencoded".to_owned()),
        ("accept", "application/json".to_owned()),
    ];
    Ask { method: "POST", url, headers, body }
}

const CONTENT_TYPE_NAME: &str = "content-type";
/// Times that one question is asked because of how one signs in.
const ROUNDS: u32 = 4;

/// What went wrong, without any of what was sent.
fn failure(error: &reqwest::Error) -> SourceError {
    debug_assert_eq!(CONTENT_TYPE.as_str(), CONTENT_TYPE_NAME);
    let mut next: Option<&(dyn StdError + 'static)> = error.source();
    let mut unknown_host = false;
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return SourceError::Tls(tls_words(tls));
        }
        // Only its words tell that it was the name service.
        unknown_host |= error.to_string().starts_with("dns error");
        // An error of input and output hides what it was made of from `source`.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    if unknown_host {
        SourceError::UnknownHost
    } else if error.is_connect() || error.is_builder() {
        SourceError::Unreachable
    } else if error.is_timeout() {
        SourceError::Timeout
    } else {
        SourceError::Broken
    }
}

/// What TLS did not like, in words.
pub(crate) fn tls_words(error: &TlsError) -> String {
    let words = match error {
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => "its certificate is signed by nobody we trust",
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            _ => "its certificate cannot be used",
        },
        TlsError::InvalidMessage(_) => "it does not speak TLS",
        TlsError::AlertReceived(_) => "it refuses us",
        _ => "TLS failed",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_its_kind() {
        let of = |status| Answer { status, ..Answer::default() }.fault();
        assert_eq!(of(207), None);
        assert_eq!(of(401), Some(SourceError::Refused));
        assert_eq!(of(403), Some(SourceError::Forbidden));
        assert_eq!(of(502), Some(SourceError::Server(502)));
        let other = Answer { status: 401, offered: vec!["Negotiate".into()], ..Answer::default() };
        assert_eq!(other.fault(), Some(SourceError::AuthMethod));
        for known in ["Digest realm=x", "basic realm=x"] {
            let offered = vec!["Negotiate".into(), known.into()];
            assert_eq!(Answer { offered, ..other.clone() }.fault(), Some(SourceError::Refused));
        }
    }

    #[test]
    fn a_password_is_shown_by_nothing() {
        let web = Web::new(
            "jan",
            Some(&SecretString::from("hunter2")),
            &Anchors::default(),
            Random::from_seed([1; 32]),
        )
        .unwrap();
        let shown = format!("{web:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains(&STANDARD.encode("jan:hunter2")),
            "{shown}"
        );
        let broken = basic("jan", &SecretString::from("a\nb"));
        assert!(broken.is_ok(), "any password can be written");
    }
}
