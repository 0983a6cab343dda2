//! Signing in with OAuth 2.0 as a public client, without sockets and clock: the authorization code with PKCE (RFC 6749 section
//! 4.1, RFC 7636) that the browser brings to this machine (RFC 8252), and the device code (RFC 8628).
//!
//! | way | state | event | next |
//! |---|---|---|---|
//! | browser | waiting | a request with our `state` and a code | the code is exchanged |
//! | browser | waiting | a request with our `state` and an error | refused |
//! | browser | waiting | any other request | waiting |
//! | device | waiting | [`Device::due`] | the token is asked for |
//! | device | asked | `authorization_pending`, `slow_down` | waiting, longer after the latter |
//! | device | asked | tokens, any other error, the code has run out | done |

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sip_core::Random;
use url::{Url, form_urlencoded};

use super::Place;
use crate::http::{Answer, Ask, form};
use crate::{SourceError, limits};

/// Characters of what proves that a code is ours (RFC 7636 section 4.1: 43 to 128).
const VERIFIER: usize = 64;
/// Characters of the mark that the browser brings back.
const STATE: usize = 32;
/// Bytes of a token or code; Microsoft's are under 4,000.
const TOKEN: usize = 32_768;
/// How often a device code is asked about where the server says nothing (RFC 8628 section 3.2).
const USUAL: Duration = Duration::from_secs(5);
/// No code is waited for longer.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// What a server gives who has signed in.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// Opens the service, for a short while.
    pub(crate) access: SecretString,
    /// How long.
    pub(crate) lasts: Duration,
    /// Brings the next ones; none: the one before goes on.
    pub(crate) refresh: Option<SecretString>,
    /// Who signed in, for people; empty: not told. Nothing is allowed by it.
    pub(crate) account: String,
}

/// Signing in with the browser.
#[derive(Debug)]
pub(crate) struct Browser {
    verifier: SecretString,
    state: String,
    redirect: String,
}

/// What a request to this machine is.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Not what is waited for.
    Stranger,
    /// The code.
    Code(SecretString),
    /// It was refused there.
    Refused(SourceError),
}

impl Browser {
    /// The server will send the browser to this port.
    pub(crate) fn new(port: u16, random: &mut Random) -> Browser {
        Browser {
            verifier: SecretString::from(random.token(VERIFIER)),
            state: random.token(STATE),
            // Of a public client any port is taken with this name (RFC 8252 section 7.3).
            redirect: format!("http://localhost:{port}/"),
        }
    }

    /// Where the person signs in.
    pub(crate) fn page(&self, place: &Place) -> Result<Url, SourceError> {
        let mut page = place.oauth.join("authorize").map_err(|_| SourceError::BadAddress)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose_secret()));
        page.query_pairs_mut()
            .append_pair("client_id", &place.client)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("response_mode", "query")
            .append_pair("scope", &place.scopes())
            .append_pair("state", &self.state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "select_account");
        Ok(page)
    }

    /// Looks at a request that came to this machine: its target, as in the first line.
    pub(crate) fn arrived(&self, target: &str) -> Arrival {
        let query = match target.strip_prefix("/?") {
            Some(query) if query.len() <= TOKEN => query,
            _ => return Arrival::Stranger,
        };
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        // Whoever does not know the mark was not sent by our page (RFC 6749 section 10.12).
        if value("state").as_deref() != Some(self.state.as_str()) {
            return Arrival::Stranger;
        }
        match (value("error"), value("code")) {
            (Some(error), _) => {
                let told = value("error_description").unwrap_or_default();
                Arrival::Refused(refusal(&error, &told))
            }
            (None, Some(code)) if !code.is_empty() => Arrival::Code(SecretString::from(code)),
            _ => Arrival::Stranger,
        }
    }

    /// Asks for tokens.
    pub(crate) fn exchange(&self, place: &Place, code: &SecretString) -> Result<Ask, SourceError> {
        token(
            place,
            &[
                ("grant_type", "authorization_code"),
                ("code", code.expose_secret()),
                ("redirect_uri", &self.redirect),
                ("code_verifier", self.verifier.expose_secret()),
            ],
        )
    }
}

/// Signing in with a device code.
#[derive(Debug)]
pub(crate) struct Device {
    code: SecretString,
    /// What the person types.
    pub(crate) user_code: String,
    /// Where.
    pub(crate) page: String,
    /// Until when.
    pub(crate) ends: Instant,
    every: Duration,
    due: Instant,
}

impl Device {
    /// Asks for a code.
    pub(crate) fn ask(place: &Place) -> Result<Ask, SourceError> {
        let url = place.oauth.join("devicecode").map_err(|_| SourceError::BadAddress)?;
        Ok(form(url, &[("client_id", &place.client), ("scope", &place.scopes())]))
    }

    /// The server's answer (RFC 8628 section 3.2).
    pub(crate) fn begun(now: Instant, answer: &Answer) -> Result<Device, SourceError> {
        let value = granted(answer)?;
        let seconds = |name: &str| value.get(name).and_then(Value::as_u64).map(Duration::from_secs);
        let page = string(&value, "verification_uri")
            .filter(|page| Url::parse(page).is_ok_and(|page| page.scheme() == "https"));
        let shown = |text: &String| text.len() <= 64 && !text.contains(char::is_control);
        let user_code = string(&value, "user_code").filter(shown);
        let (Some(code), Some(user_code), Some(page)) =
            (string(&value, "device_code"), user_code, page)
        else {
            return Err(SourceError::Malformed);
        };
        let every = seconds("interval").unwrap_or(USUAL).clamp(Duration::from_secs(1), LONGEST);
        let ends = now + seconds("expires_in").unwrap_or(LONGEST).min(LONGEST);
        let code = SecretString::from(code);
        Ok(Device { code, user_code, page, ends, every, due: now + every })
    }

    /// When it is to be asked about.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Asks whether the person is done.
    pub(crate) fn look(&self, place: &Place) -> Result<Ask, SourceError> {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        token(place, &[("grant_type", grant), ("device_code", self.code.expose_secret())])
    }

    /// What came of it; none: not yet.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        answer: &Answer,
    ) -> Result<Option<Tokens>, SourceError> {
        match word(answer).as_deref() {
            Some("authorization_pending") => {}
            // RFC 8628 section 3.5.
            Some("slow_down") => self.every = (self.every + USUAL).min(LONGEST),
            _ => return tokens(answer).map(Some),
        }
        self.due = now + self.every;
        match self.due >= self.ends {
            true => Err(SourceError::Timeout),
            false => Ok(None),
        }
    }
}

/// Asks for new tokens with the one that was kept (RFC 6749 section 6).
pub(crate) fn renew(place: &Place, refresh: &SecretString) -> Result<Ask, SourceError> {
    token(
        place,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
            ("scope", &place.scopes()),
        ],
    )
}

fn token(place: &Place, pairs: &[(&str, &str)]) -> Result<Ask, SourceError> {
    let url = place.oauth.join("token").map_err(|_| SourceError::BadAddress)?;
    let mut all = vec![("client_id", place.client.as_str())];
    all.extend_from_slice(pairs);
    Ok(form(url, &all))
}

/// The tokens of an answer (RFC 6749 section 5).
pub(crate) fn tokens(answer: &Answer) -> Result<Tokens, SourceError> {
    let value = granted(answer)?;
    let access = string(&value, "access_token").ok_or(SourceError::Malformed)?;
    let bearer =
        string(&value, "token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    // It becomes part of a header.
    if !bearer || !access.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SourceError::Malformed);
    }
    let lasts = value.get("expires_in").and_then(|value| match value {
        // Some servers write it as text.
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    });
    Ok(Tokens {
        access: SecretString::from(access),
        lasts: Duration::from_secs(lasts.unwrap_or(300).min(86_400)),
        refresh: string(&value, "refresh_token").map(SecretString::from),
        account: string(&value, "id_token").map(|token| account(&token)).unwrap_or_default(),
    })
}

/// Who an ID token says it is. It came from the server itself over TLS (OpenID Connect Core section 3.1.3.7, 6), and is only shown.
fn account(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap_or_default().trim_end_matches('=');
    let claims: Value = URL_SAFE_NO_PAD
        .decode(payload)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let names = ["preferred_username", "email", "name", "sub"];
    let name = names.iter().find_map(|name| string(&claims, name)).unwrap_or_default();
    name.chars().filter(|char| !char.is_control()).take(200).collect()
}

fn string(value: &Value, name: &str) -> Option<String> {
    let text = value.get(name).and_then(Value::as_str)?;
    Some(text.to_owned()).filter(|text| !text.is_empty() && text.len() <= TOKEN)
}

/// The document of an answer that grants something.
fn granted(answer: &Answer) -> Result<Value, SourceError> {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let error = value.as_ref().and_then(|value| string(value, "error"));
    match (error, value) {
        (Some(error), Some(value)) if answer.status >= 400 => {
            Err(refusal(&error, &string(&value, "error_description").unwrap_or_default()))
        }
        _ if (400..500).contains(&answer.status) && answer.status != 429 => {
            Err(SourceError::NotASource)
        }
        (_, value) => match answer.fault() {
            Some(fault) => Err(fault),
            None => value.filter(Value::is_object).ok_or(SourceError::Malformed),
        },
    }
}

/// The server's word for a refusal.
fn word(answer: &Answer) -> Option<String> {
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    string(&value, "error").filter(|_| answer.status >= 400)
}

/// What a refusal means for a person: the words of RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, OpenID Connect Core
/// section 3.1.2.6, and the numbers that Microsoft writes into its description.
fn refusal(error: &str, told: &str) -> SourceError {
    let has = |numbers: &[&str]| numbers.iter().any(|number| told.contains(number));
    if has(&["AADSTS90094", "AADSTS65001", "AADSTS90093"]) || error == "consent_required" {
        return SourceError::Consent;
    }
    match error {
        "access_denied" | "authorization_declined" => SourceError::Declined,
        "expired_token" | "code_expired" => SourceError::Timeout,
        "invalid_grant" | "interaction_required" | "login_required" => SourceError::SignIn,
        "invalid_client" | "unauthorized_client" => SourceError::BadSetting("application id"),
        "invalid_scope" => SourceError::Consent,
        "temporarily_unavailable" => SourceError::Overloaded { retry_after: None },
        "server_error" => SourceError::Server(500),
        _ if has(&["AADSTS700016"]) => SourceError::BadSetting("application id"),
        _ if has(&["AADSTS90002"]) => SourceError::BadSetting("directory id"),
        _ => SourceError::Malformed,
    }
}

const _: () = assert!(TOKEN <= limits::MESSAGE, "a token fits into a message");

#[cfg(test)]
mod tests;
