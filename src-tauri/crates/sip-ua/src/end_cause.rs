//! Why a session ended, read from the messages that ended it.

use sip_types::{ContactValue, Headers, Response, StatusCode};

use crate::{EndCause, EndedBy, SessionId};

impl EndCause {
    fn new(by: EndedBy, status: Option<StatusCode>, reason: impl Into<String>) -> Self {
        Self {
            by,
            status,
            reason: reason.into(),
            answered_elsewhere: false,
            q850: None,
            redirect: Vec::new(),
            replaced_by: None,
        }
    }

    /// The owner wished it.
    pub(crate) fn local() -> Self {
        Self::new(EndedBy::Local, None, "hung up")
    }

    /// Another call of the peer's took this one's place.
    pub(crate) fn replaced(by: SessionId) -> Self {
        Self { replaced_by: Some(by), ..Self::new(EndedBy::Remote, None, "replaced") }
    }

    /// The owner refused the call.
    pub(crate) fn refused(status: StatusCode) -> Self {
        Self::new(EndedBy::Local, Some(status), status.reason())
    }

    /// The network did not do its part.
    pub(crate) fn network(status: Option<StatusCode>, reason: impl Into<String>) -> Self {
        Self::new(EndedBy::Network, status, reason)
    }

    /// The peer sent BYE or CANCEL.
    pub(crate) fn remote(headers: &Headers, phrase: &str) -> Self {
        let mut cause = Self::new(EndedBy::Remote, None, phrase);
        cause.read_reasons(headers);
        cause
    }

    /// A final response ended the call.
    pub(crate) fn response(response: &Response) -> Self {
        let phrase = match response.reason.trim() {
            "" => response.status.reason(),
            phrase => phrase,
        };
        let mut cause = Self::new(EndedBy::Remote, Some(response.status), phrase);
        cause.read_reasons(&response.headers);
        // 305 names a proxy and 380 a service, not where else the callee is.
        if matches!(response.status.code(), 300..=302) {
            cause.redirect = contacts(&response.headers);
        }
        cause
    }

    /// RFC 3326: `SIP;cause=200;text="Call completed elsewhere", Q.850;cause=16`.
    fn read_reasons(&mut self, headers: &Headers) {
        for reason in headers.reasons().unwrap_or_default() {
            if let Some(text) = reason.text.filter(|text| !text.is_empty()) {
                self.reason = text;
            }
            match (reason.protocol.to_ascii_lowercase().as_str(), reason.cause) {
                ("sip", Some(200)) => self.answered_elsewhere = true,
                ("sip", Some(code)) if self.status.is_none() => self.status = StatusCode::new(code),
                ("q.850", Some(code)) => self.q850 = Some(code),
                _ => {}
            }
        }
        if self.q850 == Some(26) {
            self.answered_elsewhere = true; // "non-selected user clearing"
        }
    }
}

/// The contacts in order of their `q` (section 20.10), 1 where it is not said; equals as written.
fn contacts(headers: &Headers) -> Vec<sip_types::Uri> {
    let contacts = headers.contacts().unwrap_or_default().into_iter();
    let mut ranked: Vec<(u32, sip_types::Uri)> = contacts
        .filter_map(|contact| match contact {
            ContactValue::Address(address) => {
                Some((rank(address.params.value("q")), address.uri.without_headers()))
            }
            ContactValue::Star => None,
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    ranked.into_iter().map(|(_, uri)| uri).collect()
}

/// A `q` in thousandths.
fn rank(q: Option<&str>) -> u32 {
    let Some((whole, part)) = q.map(|q| q.trim().split_once('.').unwrap_or((q.trim(), ""))) else {
        return 1000;
    };
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    let whole = whole.parse::<u32>().unwrap_or(0).min(1);
    (whole * 1000 + digits.parse().unwrap_or(0)).min(1000)
}

#[cfg(test)]
mod tests {
    use sip_types::HeaderName;

    use super::*;

    fn cause(code: u16, contacts: &[&str]) -> EndCause {
        let mut response = Response::new(StatusCode::new(code).unwrap());
        for contact in contacts {
            response.headers.push(HeaderName::Contact, *contact);
        }
        EndCause::response(&response)
    }

    #[test]
    fn contacts_come_in_the_order_wished_for() {
        let list = ["<sip:a@h>;q=0.2, <sip:b@h>;q=0.75", "<sip:c@h>", "<sip:d@h?x=y>;q=.8"];
        let redirect: Vec<_> =
            cause(302, &list).redirect.iter().map(|uri| uri.as_str().to_owned()).collect();
        assert_eq!(redirect, ["sip:c@h", "sip:d@h", "sip:b@h", "sip:a@h"]);
    }

    #[test]
    fn a_proxy_to_use_and_another_service_are_plain_failures() {
        for code in [305, 380] {
            assert!(cause(code, &["<sip:a@h>"]).redirect.is_empty(), "{code}");
        }
    }
}
