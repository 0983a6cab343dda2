//! The device's file, `config.xml`, behind digest authentication (RFC 2617, MD5) with the device's credentials.
//!
//! Inputs: from requests `check`. A nonce is good for some minutes, as often as the client counts on.

use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret, SecretString};
use sip_core::Random;
use sip_types::Authorization;

use super::Xsi;
use super::element::Element;
use super::names::Names;
use super::web::{Answer, Outcome, Refusal, WebRequest};
use super::write::{Charset, Style, xml};
use crate::exchange::Exchange;

/// How long a nonce is good.
const NONCE: Duration = Duration::from_secs(300);
/// Nonces at once.
const NONCES: usize = 1_000;
const REALM: &str = "DeviceManagement";

/// Who may fetch a file.
#[derive(Debug)]
pub(crate) struct FileDoor {
    /// Device credentials: user name, password, extension.
    devices: Vec<(String, SecretString, String)>,
    nonces: Vec<(String, Instant, u32)>,
    random: Random,
}

impl FileDoor {
    /// A device for each account, with credentials of its own.
    pub(crate) fn new(names: &Names, mut random: Random) -> Self {
        let mut device = |extension: &str| {
            let name = format!("device-{extension}");
            (name, SecretString::from(random.token(16)), extension.to_owned())
        };
        let devices =
            names.company.accounts.iter().map(|account| device(&account.extension)).collect();
        Self { devices, nonces: Vec::new(), random }
    }

    /// The credentials of a user's device.
    pub(crate) fn credentials(&self, extension: &str) -> Option<(&str, &SecretString)> {
        let mut devices = self.devices.iter();
        let found = devices.find(|(_, _, owner)| owner == extension)?;
        Some((found.0.as_str(), &found.1))
    }

    /// Whose device asks for this path; a challenge if it does not say so properly.
    fn check(&mut self, now: Instant, request: &WebRequest) -> Result<String, String> {
        self.nonces.retain(|(_, until, _)| *until > now);
        let extension = self.proven(request);
        match extension {
            Some(extension) => Ok(extension),
            None => Err(self.challenge(now)),
        }
    }

    fn challenge(&mut self, now: Instant) -> String {
        if self.nonces.len() >= NONCES {
            self.nonces.remove(0);
        }
        let nonce = self.random.token(26);
        self.nonces.push((nonce.clone(), now + NONCE, 0));
        format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"")
    }

    fn proven(&mut self, request: &WebRequest) -> Option<String> {
        let given: Authorization = request.header("authorization")?.parse().ok()?;
        let value = |name: &str| given.params.get(name).unwrap_or_default().to_owned();
        let (name, password, extension) =
            self.devices.iter().find(|(name, _, _)| *name == value("username"))?;
        if value("uri") != request.target || value("realm") != REALM {
            return None;
        }
        let first = hash(&format!("{name}:{REALM}:{}", password.expose_secret()));
        let second = hash(&format!("{}:{}", request.method, request.target));
        let (nonce, qop) = (value("nonce"), value("qop"));
        let expected = match qop.as_str() {
            "" => hash(&format!("{first}:{nonce}:{second}")),
            _ => {
                let (nc, cnonce) = (value("nc"), value("cnonce"));
                hash(&format!("{first}:{nonce}:{nc}:{cnonce}:{qop}:{second}"))
            }
        };
        let count = u32::from_str_radix(&value("nc"), 16).unwrap_or(1);
        let known =
            self.nonces.iter_mut().find(|(known, _, used)| *known == nonce && *used < count)?;
        let given = value("response").to_ascii_lowercase();
        let differing = expected.bytes().zip(given.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        if differing != 0 || expected.len() != given.len() {
            return None;
        }
        known.2 = count;
        Some(extension.clone())
    }
}

fn hash(text: &str) -> String {
    let digest = Md5::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Xsi {
    /// `GET /dms/bc/pc/config.xml`. The names of the elements are this exchange's own: the vendor's are templates of each
    /// operator.
    pub(super) fn file(
        &mut self,
        now: Instant,
        exchange: &Exchange,
        request: &WebRequest,
        words: &[String],
    ) -> Outcome {
        if words != ["dms", "bc", "pc", "config.xml"] {
            return Err(Refusal::not_found("There is no such file"));
        }
        if request.method != "GET" {
            return Err(Refusal::not_allowed());
        }
        let user = match self.files.check(now, request) {
            Ok(user) => user,
            Err(challenge) => {
                return Ok(Answer::done().status(401).header("www-authenticate", challenge));
            }
        };
        let password = self.doors.sip_password(&user).map(|password| password.expose_secret());
        let account = exchange.company().account(&user);
        let sip = Element::new("sip")
            .field("server", &self.sip_host)
            .field("domain", &self.names.company.domain)
            .field("line-port", format!("{user}@{}", self.sip_host))
            .field("auth-user", &user)
            .maybe("auth-password", password)
            .maybe("display-name", account.map(|account| account.name.as_str()))
            .field("blf-list", format!("sip:blf-{user}@{}", self.sip_host))
            .field("voicemail", &self.names.company.numbers.voicemail);
        let config = Element::new("config")
            .field("name", "Embedded exchange PC configuration")
            .with(sip)
            .with(
                Element::new("xsi").field("host", self.hosts.first().cloned().unwrap_or_default()),
            );
        let style = Style { namespace: false, ..Style::actions(Charset::Utf8) };
        let mut answer = Answer::done().header("content-type", "application/xml;charset=UTF-8");
        answer.raw = Some(xml(&config, &style));
        Ok(answer)
    }
}
