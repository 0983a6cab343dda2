//! Which part of a message's body is the session description (RFC 3261 section 20.11, RFC 5621).
//!
//! No state machine. Only that part is ever seen by the state machines: [`unwrap`] puts it in the place of the body.

use event_packages::{Part, read_parts};
use sip_types::{HeaderName, Headers};

use crate::{Body, message};

/// Bodies of several parts inside each other; deeper ones are not understood.
const DEPTH: usize = 4;

/// What stands in Accept for them. Of the other subtypes `alternative` and `related` are known, the rest is read as
/// `mixed` (RFC 2046 section 5.1.3).
pub(crate) const MULTIPART: &str = "multipart/mixed";

/// Why a body cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// What must be understood is not (415).
    Unknown,
    /// It is no body of several parts though it says so (400).
    Broken,
}

/// The description in a body. `None`: it holds none, and nothing that must be understood.
pub(crate) fn find(
    headers: &Headers,
    body: &[u8],
    accept: &[String],
) -> Result<Option<Body>, Unread> {
    if body.is_empty() {
        return Ok(None);
    }
    let text = |name| headers.get(&name).map(std::borrow::Cow::into_owned);
    let whole = Part {
        content_type: text(HeaderName::ContentType).unwrap_or_default(),
        content_id: None,
        disposition: text(HeaderName::ContentDisposition),
        encoded: false,
        body,
    };
    read(&whole, accept, DEPTH)
}

/// Puts the description in the place of the body it is a part of. A body that cannot be taken stays as it is, to be
/// refused.
pub(crate) fn unwrap(headers: &mut Headers, body: &mut Vec<u8>, accept: &[String]) {
    if let Ok(found) = find(headers, body, accept) {
        put(headers, body, found.as_ref());
    }
}

/// The same for an answer, which nobody can refuse: what is not understood is passed over.
pub(crate) fn unwrap_answer(headers: &mut Headers, body: &mut Vec<u8>, accept: &[String]) {
    let found = find(headers, body, accept).ok().flatten();
    let found = found.or_else(|| first(headers, body, accept));
    put(headers, body, found.as_ref());
}

/// The first description among parts of which some are not understood.
fn first(headers: &Headers, body: &[u8], accept: &[String]) -> Option<Body> {
    let content_type = headers.get(&HeaderName::ContentType)?;
    let parts = read_parts(&content_type, body).ok()?;
    parts.iter().find_map(|part| read(part, accept, DEPTH).ok().flatten())
}

fn put(headers: &mut Headers, body: &mut Vec<u8>, found: Option<&Body>) {
    if found.is_some_and(|found| found.bytes == *body) {
        return;
    }
    headers.remove(&HeaderName::ContentDisposition);
    message::put_body(headers, body, found);
}

fn read(part: &Part<'_>, accept: &[String], depth: usize) -> Result<Option<Body>, Unread> {
    let found = if part.is_multipart() {
        read_several(part, accept, depth)
    } else {
        read_one(part, accept)
    };
    found.or_else(|unread| if part.is_optional() { Ok(None) } else { Err(unread) })
}

fn read_one(part: &Part<'_>, accept: &[String]) -> Result<Option<Body>, Unread> {
    let purpose = part.purpose();
    match purpose.as_deref() {
        // What nothing refers to means nothing (RFC 5621 section 8).
        Some("by-reference") => return Ok(None),
        // The description of another session (RFC 3959).
        Some("early-session") => return Err(Unread::Unknown),
        _ => {}
    }
    if part.encoded || !accept.iter().any(|kind| part.is(kind)) {
        return Err(Unread::Unknown);
    }
    Ok(Some(Body { content_type: part.content_type.clone(), bytes: part.body.to_vec() }))
}

fn read_several(part: &Part<'_>, accept: &[String], depth: usize) -> Result<Option<Body>, Unread> {
    let Some(depth) = depth.checked_sub(1).filter(|_| !part.encoded) else {
        return Err(Unread::Unknown);
    };
    let parts = read_parts(&part.content_type, part.body).map_err(|_| Unread::Broken)?;
    let Some(root) = parts.first() else { return Err(Unread::Broken) };
    if part.is("multipart/alternative") {
        // The last that is understood says most.
        let mut understood = parts.iter().rev().map(|part| read(part, accept, depth));
        return understood.find(|read| matches!(read, Ok(Some(_)))).unwrap_or(Err(Unread::Unknown));
    }
    if part.is("multipart/related") {
        // Of the others the root says what they are for.
        let start = part.parameter("start");
        let start = start.as_deref().map(|id| id.trim_matches(['<', '>']));
        let named =
            parts.iter().find(|part| start.is_some() && part.content_id.as_deref() == start);
        return read(named.unwrap_or(root), accept, depth);
    }
    let mut description = None;
    for part in &parts {
        let read = read(part, accept, depth)?;
        description = description.or(read);
    }
    Ok(description)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "Content-Type: application/sdp\r\n";
    const ISUP: &str = "Content-Type: application/isup\r\n";
    const OPTIONAL: &str = "Content-Disposition: signal;handling=optional\r\n";

    /// Parts of a body with the given boundary: their headers and what they hold.
    fn parts(boundary: &str, parts: &[(&[&str], &str)]) -> String {
        let part = |(headers, body): &(&[&str], &str)| {
            format!("--{boundary}\r\n{}\r\n{body}\r\n", headers.concat())
        };
        let text: String = parts.iter().map(part).collect();
        format!("{text}--{boundary}--\r\n")
    }

    fn found(kind: &str, disposition: &str, body: &str) -> Result<Option<String>, Unread> {
        let mut headers = Headers::default();
        headers.push(HeaderName::ContentType, kind);
        if !disposition.is_empty() {
            headers.push(HeaderName::ContentDisposition, disposition);
        }
        let found = find(&headers, body.as_bytes(), &["application/sdp".to_owned()])?;
        Ok(found.map(|body| String::from_utf8(body.bytes).unwrap()))
    }

    fn mixed(all: &[(&[&str], &str)]) -> Result<Option<String>, Unread> {
        found("multipart/mixed;boundary=b", "", &parts("b", all))
    }

    fn is(text: &str) -> Result<Option<String>, Unread> {
        Ok(Some(text.to_owned()))
    }

    #[test]
    fn one_body_is_taken_refused_or_passed_over() {
        assert_eq!(found("application/sdp", "", "v=0"), is("v=0"));
        assert_eq!(
            found("Application/SDP; charset=x", "session;handling=required", "v=0"),
            is("v=0")
        );
        assert_eq!(found("text/plain", "", "hello"), Err(Unread::Unknown));
        assert_eq!(found("text/plain", "render; handling=optional", "hello"), Ok(None));
        assert_eq!(found("", "", "v=0"), Err(Unread::Unknown));
        assert_eq!(found("text/plain", "", ""), Ok(None));
    }

    #[test]
    fn the_description_is_found_among_parts() {
        assert_eq!(mixed(&[(&[ISUP, OPTIONAL], "x"), (&[SDP], "v=0\r\n")]), is("v=0\r\n"));
        assert_eq!(mixed(&[(&[SDP], "v=0"), (&[SDP], "v=1")]), is("v=0"));
        assert_eq!(mixed(&[(&[ISUP, OPTIONAL], "x")]), Ok(None), "an INVITE without an offer");
        // Whoever does not say so requires it.
        assert_eq!(mixed(&[(&[SDP], "v=0"), (&[ISUP], "x")]), Err(Unread::Unknown));
        assert_eq!(mixed(&[(&[SDP], "v=0"), (&[], "hello")]), Err(Unread::Unknown));
        let unknown = found("multipart/x;boundary=b", "", &parts("b", &[(&[SDP], "v=0")]));
        assert_eq!(unknown, is("v=0"), "an unknown subtype is read as mixed");
    }

    #[test]
    fn descriptions_of_something_else_are_none() {
        let early = "Content-Disposition: early-session\r\n";
        let early_optional = "Content-Disposition: early-session;handling=optional\r\n";
        assert_eq!(mixed(&[(&[SDP, early], "e"), (&[SDP], "v=0")]), Err(Unread::Unknown));
        assert_eq!(mixed(&[(&[SDP, early_optional], "e"), (&[SDP], "v=0")]), is("v=0"));
        let aside = "Content-Disposition: by-reference\r\n";
        assert_eq!(mixed(&[(&[SDP, aside], "a"), (&[SDP], "v=0")]), is("v=0"));
        let encoded = "Content-Transfer-Encoding: base64\r\n";
        assert_eq!(mixed(&[(&[SDP, encoded], "dj0w")]), Err(Unread::Unknown));
    }

    #[test]
    fn parts_may_have_parts() {
        let alternatives = parts("a", &[(&[SDP], "v=0"), (&[SDP], "v=1"), (&[ISUP], "x")]);
        let kind = "Content-Type: multipart/alternative;boundary=a\r\n";
        assert_eq!(mixed(&[(&[kind], &alternatives)]), is("v=1"));
        let hopeless = parts("a", &[(&[ISUP], "x")]);
        assert_eq!(mixed(&[(&[kind], &hopeless)]), Err(Unread::Unknown));
        assert_eq!(mixed(&[(&[kind, OPTIONAL], &hopeless), (&[SDP], "v=0")]), is("v=0"));
        let related = parts("r", &[(&[ISUP], "x"), (&[SDP, "Content-ID: <s@h>\r\n"], "v=0")]);
        let related = found("multipart/related;start=\"<s@h>\";boundary=r", "", &related);
        assert_eq!(related, is("v=0"));
        for (levels, expected) in [(DEPTH, is("v=0")), (DEPTH + 1, Err(Unread::Unknown))] {
            let mut deep = parts("b1", &[(&[SDP], "v=0")]);
            for level in 2..=levels {
                let kind = format!("Content-Type: multipart/mixed;boundary=b{}\r\n", level - 1);
                deep = parts(&format!("b{level}"), &[(&[&kind], &deep)]);
            }
            let kind = format!("multipart/mixed;boundary=b{levels}");
            assert_eq!(found(&kind, "", &deep), expected, "{levels} levels");
        }
    }

    #[test]
    fn what_is_no_body_of_parts_is_broken() {
        assert_eq!(found("multipart/mixed", "", "v=0"), Err(Unread::Broken));
        assert_eq!(found("multipart/mixed;boundary=b", "", "v=0"), Err(Unread::Broken));
        assert_eq!(found("multipart/mixed", "x;handling=optional", "v=0"), Ok(None));
    }

    #[test]
    fn an_answer_is_taken_whatever_else_comes_with_it() {
        let accept = ["application/sdp".to_owned()];
        let unwrapped = |kind: &str, text: &str| {
            let mut headers = Headers::default();
            headers.push(HeaderName::ContentType, kind);
            headers.push(HeaderName::ContentDisposition, "session;handling=required");
            let mut body = text.as_bytes().to_vec();
            unwrap_answer(&mut headers, &mut body, &accept);
            let kind = headers.get(&HeaderName::ContentType).map(std::borrow::Cow::into_owned);
            (kind.unwrap_or_default(), String::from_utf8(body).unwrap())
        };
        let both = parts("b", &[(&[ISUP], "x"), (&[SDP], "v=0")]);
        let pair = |kind: &str, body: &str| (kind.to_owned(), body.to_owned());
        assert_eq!(unwrapped("multipart/mixed;boundary=b", &both), pair("application/sdp", "v=0"));
        assert_eq!(unwrapped("application/sdp;x=y", "v=0"), pair("application/sdp;x=y", "v=0"));
        assert_eq!(unwrapped("application/isup", "x"), pair("", ""));
        assert_eq!(unwrapped("multipart/mixed", "x"), pair("", ""));
    }
}
