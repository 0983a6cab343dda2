//! What is asked of a server, as XML.

use std::fmt::Write as _;

use url::Url;

use crate::http::{Ask, xml};

const OPEN: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
const SPACES: &str = "xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\" xmlns:S=\"http://calendarserver.org/ns/\" \
     xmlns:K=\"urn:ietf:params:xml:ns:caldav\"";

/// Who we are there, and whether it is an address book itself (RFC 5397, RFC 6352 section 7.1.1).
pub(crate) fn who(url: Url) -> Ask {
    let wanted =
        "<D:resourcetype/><D:current-user-principal/><D:principal-URL/><C:addressbook-home-set/>";
    propfind(url, '0', wanted)
}

/// The same of calendars (RFC 4791 section 6.2.1), and by what their owner is invited (RFC 6638 sections 2.1.1, 2.4.1).
pub(crate) fn who_has_calendars(url: Url) -> Ask {
    let wanted = "<D:resourcetype/><D:current-user-principal/><D:principal-URL/><K:calendar-home-set/>\
                  <K:schedule-outbox-URL/><K:calendar-user-address-set/>";
    propfind(url, '0', wanted)
}

/// The members of a home with what tells of calendars.
pub(crate) fn calendars(url: Url) -> Ask {
    let wanted =
        "<D:resourcetype/><K:supported-calendar-component-set/><K:schedule-calendar-transp/>";
    propfind(url, '1', wanted)
}

/// When whoever has a calendar is free (RFC 4791 section 7.10); times as iCalendar writes them.
pub(crate) fn free_busy(url: Url, from: &str, to: &str) -> Ask {
    let body = format!(
        "{OPEN}<K:free-busy-query {SPACES}><K:time-range start=\"{from}\" end=\"{to}\"/></K:free-busy-query>"
    );
    report(url, '1', body)
}

/// The members of a home with what tells of books, and, where that is wanted, of how they `stand`; of one book at depth 0.
pub(crate) fn books(url: Url, depth: char, stand: bool) -> Ask {
    let stand = if stand { "<D:sync-token/><S:getctag/>" } else { "" };
    let wanted = format!("<D:resourcetype/><D:displayname/>{stand}<D:supported-report-set/>");
    propfind(url, depth, &wanted)
}

/// The members of a book with their marks, for servers without RFC 6578.
pub(crate) fn marks(url: Url) -> Ask {
    propfind(url, '1', "<D:getetag/><D:resourcetype/>")
}

/// What has changed since a token; everything where it is empty (RFC 6578 section 3.2).
pub(crate) fn changes(url: Url, token: &str) -> Ask {
    let body = format!(
        "{OPEN}<D:sync-collection {SPACES}><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level>\
         <D:prop><D:getetag/></D:prop></D:sync-collection>",
        escape(token)
    );
    report(url, '0', body)
}

/// These cards of a book (RFC 6352 section 8.7).
pub(crate) fn cards<'a>(url: Url, paths: impl Iterator<Item = &'a str>) -> Ask {
    let mut body = format!(
        "{OPEN}<C:addressbook-multiget {SPACES}><D:prop><D:getetag/><C:address-data/></D:prop>"
    );
    for path in paths {
        // Writing to a string does not fail.
        let _ = write!(body, "<D:href>{}</D:href>", escape(path));
    }
    body.push_str("</C:addressbook-multiget>");
    report(url, '1', body)
}

fn propfind(url: Url, depth: char, wanted: &str) -> Ask {
    let body = format!("{OPEN}<D:propfind {SPACES}><D:prop>{wanted}</D:prop></D:propfind>");
    Ask { method: "PROPFIND", url, headers: vec![xml(), ("depth", depth.to_string())], body }
}

fn report(url: Url, depth: char, body: String) -> Ask {
    Ask { method: "REPORT", url, headers: vec![xml(), ("depth", depth.to_string())], body }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no such characters at all.
            char if char.is_control() => {}
            char => escaped.push(char),
        }
    }
    escaped
}
