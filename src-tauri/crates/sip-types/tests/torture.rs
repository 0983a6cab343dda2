//! The torture messages of RFC 4475 (bit-exact, from the RFC's archive) and RFC 5118 (cut from its
//! text with CR LF; its archive has LF only), each with the verdict a user agent must come to and why.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sip_types::{
    Capabilities, HeaderName, MediaType, Message, Method, Request, Response, StatusCode,
    ViaTransport, inspect, validate, validate_response,
};

/// What becomes of a message.
#[derive(Clone, Copy)]
enum Verdict {
    /// Read, valid, and answered as any other.
    Taken,
    /// Bytes that are no message: the reason word and the answer, if it can be answered.
    Unreadable(&'static str, Option<u16>),
    /// Read, but refused with 400 (a response: dropped), naming this.
    Invalid(&'static str),
    /// Read and valid, yet answered with this status by an agent that cannot do what it asks.
    Answered(u16),
    /// A response for somebody else: read and dropped.
    Dropped,
}

use Verdict::{Answered, Dropped, Invalid, Taken, Unreadable};

const RFC_4475: &[(&str, Verdict)] = &[
    // 3.1.1: valid.
    ("wsinv", Taken),
    ("intmeth", Answered(501)),
    ("esc01", Taken),
    ("escnull", Answered(405)),
    ("esc02", Answered(501)),
    ("lwsdisp", Taken),
    ("longreq", Taken),
    ("dblreq", Answered(405)),
    ("semiuri", Taken),
    ("transports", Taken),
    ("mpart01", Answered(405)),
    ("unreason", Taken),
    ("noreason", Taken),
    // 3.1.2: invalid.
    ("badinv01", Invalid("Via: a list has an empty element")),
    ("clerr", Unreadable("body_too_short", Some(400))),
    ("ncl", Unreadable("content_length", Some(400))),
    ("scalar02", Invalid("CSeq: '36893488147419103232' is not a number below 2^31")),
    ("scalarlg", Invalid("CSeq: '9292394834772304023312' is not a number below 2^31")),
    ("quotbal", Invalid("To: a quoted string is not closed")),
    ("ltgtruri", Unreadable("request_uri", Some(400))),
    ("lwsruri", Unreadable("request_uri", Some(400))),
    ("lwsstart", Unreadable("start_line", Some(400))),
    ("trws", Unreadable("start_line", Some(400))),
    ("escruri", Invalid("the Request-URI has headers in it")),
    ("baddate", Invalid("Date: ")),
    ("regbadct", Invalid("Contact: a URI with '?' or ',' in it must stand in angle brackets")),
    ("badaspec", Invalid("To: ' ' stands in the URI")),
    ("baddn", Invalid("From: ',' stands in the unquoted display name")),
    ("badvers", Unreadable("version", Some(505))),
    ("mismatch01", Invalid("CSeq says INVITE, the request line OPTIONS")),
    ("mismatch02", Invalid("CSeq says INVITE, the request line NEWMETHOD")),
    ("bigcode", Unreadable("status_code", None)),
    // 3.2: read; without an id its branch is matched as RFC 2543 had it.
    ("badbranch", Taken),
    // 3.3: what they mean.
    ("insuf", Invalid("From: the header is missing")),
    ("unkscm", Answered(416)),
    ("novelsc", Answered(416)),
    ("unksm2", Answered(405)),
    ("bext01", Answered(420)),
    ("invut", Answered(415)),
    ("regaut01", Answered(405)),
    ("multi01", Invalid("From: the header stands more than once")),
    ("mcl01", Unreadable("content_length", Some(400))),
    ("bcast", Dropped),
    ("zeromf", Taken),
    ("cparam01", Answered(405)),
    ("cparam02", Answered(405)),
    ("regescrt", Answered(405)),
    ("sdp01", Answered(406)),
    // 3.4: RFC 2543.
    ("inv2543", Taken),
    // In the archive, not in the text.
    ("test", Unreadable("start_line", None)),
];

const RFC_5118: &[(&str, Verdict)] = &[
    ("ipv6-good", Answered(405)),
    ("ipv6-bad", Unreadable("request_uri", Some(400))),
    ("port-ambiguous", Answered(405)),
    ("port-unambiguous", Answered(405)),
    ("via-received-param-with-delim", Taken),
    ("via-received-param-no-delim", Taken),
    // Its Content-Length says 268, its body has 251 bytes: read as a miscount.
    ("ipv6-in-sdp", Taken),
    ("mult-ip-in-header", Taken),
    ("mult-ip-in-sdp", Taken),
    ("ipv4-mapped-ipv6", Taken),
    ("ipv6-bug-abnf-3-colons", Unreadable("request_uri", Some(400))),
    ("ipv6-correct-abnf-2-colons", Taken),
];

fn folder(rfc: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture").join(rfc)
}

fn bytes(rfc: &str, name: &str) -> Vec<u8> {
    std::fs::read(folder(rfc).join(format!("{name}.dat"))).unwrap()
}

fn request(name: &str) -> Request {
    match Message::parse(&bytes("rfc4475", name)).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("{name} is a response"),
    }
}

fn response(name: &str) -> Response {
    match Message::parse(&bytes("rfc4475", name)).unwrap() {
        Message::Response(response) => response,
        Message::Request(_) => panic!("{name} is a request"),
    }
}

/// A telephone: no registrar, session descriptions only.
fn phone() -> Capabilities {
    let methods = [Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options];
    Capabilities {
        methods: methods.to_vec(),
        extensions: vec!["replaces".into()],
        schemes: ["sip", "sips", "tel"].map(str::to_owned).to_vec(),
        bodies: vec![MediaType::new("application", "sdp")],
    }
}

fn check(rfc: &str, name: &str, verdict: Verdict) {
    let bytes = bytes(rfc, name);
    let ok = inspect(&bytes).ok;
    let message = match (Message::parse(&bytes), verdict) {
        (Ok(message), _) => message,
        (Err(error), Unreadable(word, status)) => {
            assert_eq!(error.kind.word(), word, "{name}: {error}");
            assert_eq!(error.status().map(StatusCode::code), status, "{name}: {error}");
            assert!(!ok, "{name}");
            return;
        }
        (Err(error), _) => panic!("{name}: {error}"),
    };
    let valid = match &message {
        Message::Request(request) => validate(request).map_err(|e| {
            assert_eq!(e.status, StatusCode::BAD_REQUEST, "{name}");
            e.reason
        }),
        Message::Response(response) => validate_response(response).map_err(|e| e.to_string()),
    };
    assert_eq!(ok, valid.is_ok(), "{name}");
    match (verdict, valid, &message) {
        (Invalid(reason), Err(found), _) => assert!(found.starts_with(reason), "{name}: {found}"),
        (Invalid(_) | Unreadable(..), ..) => panic!("{name} is not refused"),
        (_, Err(found), _) => panic!("{name}: {found}"),
        (Taken, Ok(()), Message::Request(request)) => phone().check(request).unwrap(),
        (Taken, Ok(()), Message::Response(response)) => assert!(!response.is_misrouted(), "{name}"),
        (Answered(status), Ok(()), Message::Request(request)) => {
            assert_eq!(phone().check(request).unwrap_err().status.code(), status, "{name}");
        }
        (Dropped, Ok(()), Message::Response(response)) => {
            assert!(response.is_misrouted(), "{name}");
        }
        (Answered(_) | Dropped, ..) => panic!("{name} is of the wrong kind"),
    }
}

fn check_all(rfc: &str, table: &[(&str, Verdict)]) {
    let named: BTreeSet<String> = table.iter().map(|(name, _)| format!("{name}.dat")).collect();
    let files = std::fs::read_dir(folder(rfc)).unwrap();
    let there: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(named, there, "every message has its verdict");
    for (name, verdict) in table {
        check(rfc, name, *verdict);
    }
}

#[test]
fn every_message_of_rfc_4475_gets_its_verdict() {
    check_all("rfc4475", RFC_4475);
    let valid = RFC_4475.iter().take(13);
    assert!(valid.clone().all(|(name, _)| inspect(&bytes("rfc4475", name)).ok));
}

#[test]
fn every_message_of_rfc_5118_gets_its_verdict() {
    check_all("rfc5118", RFC_5118);
    let read = RFC_5118.iter().filter(|(name, _)| inspect(&bytes("rfc5118", name)).ok);
    assert_eq!(read.count(), 10);
}

#[test]
fn every_readable_message_survives_writing() {
    for (rfc, table) in [("rfc4475", RFC_4475), ("rfc5118", RFC_5118)] {
        for (name, _) in table {
            let Ok(mut message) = Message::parse(&bytes(rfc, name)) else { continue };
            message.headers_mut().remove(&HeaderName::ContentLength);
            let mut again = Message::parse(&message.to_bytes()).unwrap();
            assert_eq!(again.headers_mut().remove(&HeaderName::ContentLength), 1, "{name}");
            assert_eq!(again, message, "{name}");
        }
    }
}

#[test]
fn a_short_tortuous_invite() {
    let invite = request("wsinv");
    let headers = &invite.headers;
    assert_eq!(invite.uri.as_str(), "sip:vivekg@chair-dnrc.example.com;unknownparam");
    assert_eq!(headers.to().unwrap().tag(), Some("1918181833n"));
    let from = headers.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(from.tag(), Some("98asjd8"));
    assert_eq!(headers.max_forwards().unwrap(), Some(68));
    assert_eq!(headers.cseq().unwrap().number, 9);
    let vias = headers.vias().unwrap();
    assert_eq!(vias.len(), 3);
    assert_eq!(vias[2].branch(), Some("z9hG4bK30239"));
    assert_eq!(headers.routes().unwrap().len(), 1);
    assert_eq!(headers.count(&HeaderName::new("newfangledheader")), 1);
    assert!(headers.contact().unwrap().unwrap().params.contains("newparam"));
}

#[test]
fn escapes_are_undone_and_text_kept() {
    let uri = request("esc01").uri;
    assert_eq!(uri.user().as_deref(), Some("sips:user@example.com"));
    assert_eq!(uri.as_str(), "sip:sips%3Auser%40example.com@example.net");
    assert_eq!(
        request("escnull").headers.to().unwrap().uri.user().as_deref(),
        Some("null-\0-null")
    );
    assert_eq!(request("semiuri").uri.user().as_deref(), Some("user;par=u@example.net"));
    assert_eq!(request("esc02").method.as_str(), "RE%47IST%45R");
    let display = request("lwsdisp").headers.from().unwrap().display;
    assert_eq!(display.as_deref(), Some("caller"));
}

#[test]
fn a_body_ends_where_it_says() {
    let register = request("dblreq");
    assert!(register.body.is_empty());
    assert_eq!(request("mpart01").body.len(), 553);
    assert_eq!(response("noreason").reason, "");
    assert!(response("unreason").reason.starts_with("= 2**3 * 5**2 "));
}

#[test]
fn unknown_transports_are_kept() {
    let vias = request("transports").headers.vias().unwrap();
    let names: Vec<String> = vias.iter().map(|via| via.transport.to_string()).collect();
    assert_eq!(names, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    assert_eq!(vias[3].transport, ViaTransport::Other("UNKNOWN".into()));
}

#[test]
fn parameters_of_a_contact_belong_where_they_stand() {
    let outside = request("cparam01").headers.contact().unwrap().unwrap();
    assert!(outside.params.contains("unknownparam") && outside.uri.param("unknownparam").is_none());
    let inside = request("cparam02").headers.contact().unwrap().unwrap();
    assert!(inside.params.is_empty() && inside.uri.param("unknownparam") == Some(None));
    let headers = request("regescrt").headers.contact().unwrap().unwrap().uri.headers();
    assert_eq!(headers, [("Route".to_owned(), "<sip:sip.example.com>".to_owned())]);
}

#[test]
fn refusals_carry_what_the_rfc_asks() {
    let refusal = phone().check(&request("bext01")).unwrap_err();
    let unsupported = "nothingsupportsthis, nothingsupportsthiseither".to_owned();
    assert_eq!(refusal.headers, [(HeaderName::Unsupported, unsupported)]);
    let refusal = phone().check(&request("invut")).unwrap_err();
    assert_eq!(refusal.headers, [(HeaderName::Accept, "application/sdp".to_owned())]);
    assert!(!request("badbranch").headers.via_top().unwrap().has_rfc3261_branch());
    assert_eq!(request("zeromf").headers.max_forwards().unwrap(), Some(0));
}
