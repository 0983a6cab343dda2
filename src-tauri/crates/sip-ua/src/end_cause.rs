//! Why a session ended, read from the messages that ended it.

use sip_types::{ContactValue, Headers, Response, StatusCode};

use crate::{EndCause, EndedBy};

impl EndCause {
    fn new(by: EndedBy, status: Option<StatusCode>, reason: impl Into<String>) -> Self {
        Self {
            by,
            status,
            reason: reason.into(),
            answered_elsewhere: false,
            q850: None,
            redirect: Vec::new(),
        }
    }

    /// The owner wished it.
    pub(crate) fn local() -> Self {
        Self::new(EndedBy::Local, None, "hung up")
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
        if response.status.is_redirection() {
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

fn contacts(headers: &Headers) -> Vec<sip_types::Uri> {
    let contacts = headers.contacts().unwrap_or_default().into_iter();
    let uris = contacts.filter_map(|contact| match contact {
        ContactValue::Address(address) => Some(address.uri),
        ContactValue::Star => None,
    });
    uris.collect()
}
