//! Owns the values that tell why and how: Reason (RFC 3326), Warning, Retry-After, Alert-Info and Call-Info.

use std::fmt;
use std::str::FromStr;

use crate::scan::{delta_seconds, digits, is_lws, is_token, quote, trim, unquote};
use crate::session::value_and_params;
use crate::{NameAddr, Params, Uri, ValueError};

/// `Reason: SIP;cause=200;text="Call completed elsewhere"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850`, …, as written.
    pub protocol: String,
    /// The protocol's code.
    pub cause: Option<u16>,
    /// The text.
    pub text: Option<String>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        match &self.text {
            Some(text) => write!(f, ";text={}", quote(text)),
            None => Ok(()),
        }
    }
}

impl FromStr for Reason {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (protocol, params) = value_and_params(text)?;
        if !is_token(protocol) {
            return Err(ValueError(format!("'{protocol}' is not a protocol a Reason can name")));
        }
        Ok(Self {
            protocol: protocol.to_owned(),
            cause: params.value("cause").and_then(digits),
            text: params.value("text").map(str::to_owned),
        })
    }
}

/// `Warning: 370 host "Insufficient bandwidth"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Three digits (RFC 3261 section 20.43).
    pub code: u16,
    /// Who warns: a host or a pseudonym.
    pub agent: String,
    /// The text.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {} {}", self.code, self.agent, quote(&self.text))
    }
}

impl FromStr for Warning {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (code, rest) = trim(text).split_once(is_lws).ok_or("a Warning has no agent")?;
        let (agent, text) = trim(rest).split_once(is_lws).ok_or("a Warning has no text")?;
        let code = digits(code).filter(|code| *code < 1000).ok_or("a Warning's code is none")?;
        Ok(Self { code, agent: agent.to_owned(), text: unquote(trim(text))? })
    }
}

/// `Retry-After: 18000 (in a meeting);duration=3600`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub seconds: u32,
    /// Seconds the other side will then be there.
    pub duration: Option<u32>,
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seconds.fmt(f)?;
        match self.duration {
            Some(duration) => write!(f, ";duration={duration}"),
            None => Ok(()),
        }
    }
}

impl FromStr for RetryAfter {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = trim(text);
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (seconds, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let seconds = delta_seconds(seconds).ok_or("Retry-After is not a number of seconds")?;
        let rest = trim(rest);
        let rest = match rest.strip_prefix('(') {
            Some(_) => {
                rest.rsplit_once(')').map(|(_, rest)| rest).ok_or("a comment is not closed")?
            }
            None => rest,
        };
        let duration = Params::parse(rest)?.value("duration").and_then(delta_seconds);
        Ok(Self { seconds, duration })
    }
}

/// One value of Alert-Info or Call-Info: a reference and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertInfo {
    /// The reference: a sound, a picture, `urn:alert:…`, or `http://127.0.0.1` as exchanges have it for auto-answer.
    pub uri: Uri,
    /// `info`, `answer-after`, `purpose`, …
    pub params: Params,
}

impl fmt::Display for AlertInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

impl FromStr for AlertInfo {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let NameAddr { uri, params, .. } = NameAddr::parse(text)?;
        Ok(Self { uri, params })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons() {
        let reason: Reason = "SIP ;cause=200 ;text=\"Call completed elsewhere\"".parse().unwrap();
        assert_eq!(reason.cause, Some(200));
        assert_eq!(reason.to_string(), "SIP;cause=200;text=\"Call completed elsewhere\"");
        assert!("".parse::<Reason>().is_err());
    }

    #[test]
    fn warnings() {
        let warning: Warning = "370 isi.edu \"a \\\"b\\\"\"".parse().unwrap();
        assert_eq!((warning.code, warning.text.as_str()), (370, "a \"b\""));
        assert_eq!(warning.to_string(), "370 isi.edu \"a \\\"b\\\"\"");
        assert!("1812 overture \"In Progress\"".parse::<Warning>().is_err());
    }

    #[test]
    fn retry_after() {
        let retry: RetryAfter = "18000 (in a (long) meeting) ;duration=3600".parse().unwrap();
        assert_eq!(retry, RetryAfter { seconds: 18000, duration: Some(3600) });
        assert_eq!(retry.to_string(), "18000;duration=3600");
        assert!("later".parse::<RetryAfter>().is_err());
        assert!("5 (x".parse::<RetryAfter>().is_err());
    }

    #[test]
    fn alert_info() {
        let alert: AlertInfo = "<http://127.0.0.1>;info=alert-autoanswer;delay=0".parse().unwrap();
        assert_eq!(alert.params.value("info"), Some("alert-autoanswer"));
        assert_eq!(alert.uri.scheme(), "http");
    }
}
