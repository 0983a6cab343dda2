//! How the exchange's SIP messages look: as a hosted exchange writes them, longer than a datagram should be, in several
//! parts. Bytes in, bytes out; what they mean stays the same.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Between the parts of a body.
const BOUNDARY: &str = "UniqueBroadWorksBoundary";
/// An INVITE is made no longer than this.
const LONGEST_PAD: usize = 32_000;

/// How messages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SipLook {
    /// As a BroadWorks application server writes: no space after the colon of a header, an empty `Supported`, a
    /// `Call-Info` with the appearance and a correlation id in INVITEs and their answers.
    pub broadworks: bool,
    /// So many bytes more in every INVITE, at most 32,000.
    pub pad: usize,
    /// The description of an INVITE is one of two parts of a `multipart/mixed` body.
    pub multipart: bool,
    /// Phones are told of messages on their voicemail without having subscribed.
    pub unsolicited: bool,
}

impl SipLook {
    /// A message as it is to look.
    pub(crate) fn dress(self, payload: Vec<u8>) -> Vec<u8> {
        let changes = self.broadworks || self.pad > 0 || self.multipart;
        let end = payload.windows(4).position(|window| window == b"\r\n\r\n");
        match end.filter(|_| changes) {
            Some(end) => {
                let (head, body) = payload.split_at(end);
                let head = String::from_utf8_lossy(head);
                self.rewrite(&head, body.get(4..).unwrap_or_default())
            }
            None => payload,
        }
    }

    fn rewrite(self, head: &str, body: &[u8]) -> Vec<u8> {
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
        let value = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.trim())
        };
        let is_request = !first.starts_with("SIP/2.0 ");
        let of_invite = value("CSeq").is_some_and(|cseq| cseq.ends_with(" INVITE"));
        let is_invite = is_request && of_invite;
        let is_sdp = value("Content-Type") == Some("application/sdp");
        let body = match self.multipart && is_invite && is_sdp && !body.is_empty() {
            true => Cow::Owned(parts(body)),
            false => Cow::Borrowed(body),
        };
        let colon = if self.broadworks { ":" } else { ": " };
        let mut out = format!("{first}\r\n");
        let mut add = |name: &str, value: &str| {
            out.push_str(name);
            out.push_str(if value.is_empty() { ":" } else { colon });
            out.push_str(value);
            out.push_str("\r\n");
        };
        for (name, value) in &headers {
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            if self.broadworks && is("Supported") {
                continue;
            } else if is("Content-Length") {
                add(name, &body.len().to_string());
            } else if matches!(body, Cow::Owned(_)) && is("Content-Type") {
                add(name, &format!("multipart/mixed;boundary={BOUNDARY}"));
            } else {
                add(name, value.trim());
            }
        }
        if self.broadworks {
            add("Supported", "");
        }
        if self.broadworks && of_invite {
            let call = value("Call-ID").unwrap_or_default();
            add("X-BroadWorks-Correlation-Info", call.split('@').next().unwrap_or_default());
            if value("Call-Info").is_none() {
                add("Call-Info", "<sip:127.0.0.1>;appearance-index=1");
            }
        }
        if self.pad > 0 && is_invite {
            add("X-Pad", &"x".repeat(self.pad.min(LONGEST_PAD)));
        }
        out.push_str("\r\n");
        let mut bytes = out.into_bytes();
        bytes.extend_from_slice(&body);
        bytes
    }
}

/// A description as the second of two parts.
fn parts(description: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Type: text/plain\r\nContent-Disposition: \
         render;handling=optional\r\n\r\nnot for telephones\r\n--{BOUNDARY}\r\n\
         Content-Type: application/sdp\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(description);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

#[cfg(test)]
mod tests {
    use sip_types::{HeaderName, Message, Request};

    use super::*;

    const INVITE: &str = "INVITE sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP \
        127.0.0.1:5060;branch=z9hG4bK1\r\nFrom: \"Zoë\" <sip:1@a>;tag=1\r\nTo: <sip:101@a>\r\n\
        Call-ID: abc@host\r\nCSeq: 1 INVITE\r\nSupported: replaces\r\nContent-Type: \
        application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";

    fn read(look: SipLook) -> (String, Request) {
        let bytes = look.dress(INVITE.as_bytes().to_vec());
        let text = String::from_utf8(bytes.clone()).unwrap();
        match Message::parse(&bytes).unwrap() {
            Message::Request(request) => (text, request),
            Message::Response(_) => panic!("a response"),
        }
    }

    #[test]
    fn nothing_is_changed_unless_it_is_wanted() {
        assert_eq!(SipLook::default().dress(INVITE.as_bytes().to_vec()), INVITE.as_bytes());
        let junk = b"\r\n\r\n".to_vec();
        let all = SipLook { broadworks: true, pad: 9, multipart: true, unsolicited: true };
        assert!(all.dress(junk).ends_with(b"\r\n\r\n"));
    }

    #[test]
    fn messages_are_written_as_hosted_exchanges_do_and_mean_the_same() {
        let (text, request) = read(SipLook { broadworks: true, ..SipLook::default() });
        assert!(text.contains("\r\nSupported:\r\n") && text.contains("\r\nCSeq:1 INVITE\r\n"));
        assert!(text.contains("\r\nX-BroadWorks-Correlation-Info:abc\r\n"), "{text}");
        assert_eq!(request.headers.from().unwrap().display.as_deref(), Some("Zoë"));
        assert_eq!(request.body, b"v=0\r\n");
    }

    #[test]
    fn invites_grow_and_get_parts() {
        let (text, request) = read(SipLook { pad: 2_000, multipart: true, ..SipLook::default() });
        assert!(text.len() > 2_000 + INVITE.len());
        let kind = request.headers.get(&HeaderName::ContentType).unwrap().into_owned();
        assert!(kind.starts_with("multipart/mixed;boundary="), "{kind}");
        let body = String::from_utf8(request.body).unwrap();
        assert!(body.contains("application/sdp\r\n\r\nv=0\r\n\r\n--"), "{body}");
        let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        assert_eq!(length, Some(body.len().to_string().as_str()));
    }
}
