//! Properties of reading and writing: what is written reads back, and no bytes make the reader panic.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::collection::vec;
use proptest::prelude::*;
use sip_types::{
    Challenge, ContactValue, HeaderName, Headers, Host, Message, Method, NameAddr, Params, Request,
    Response, StatusCode, Uri, Via, inspect,
};

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.!%*_+`'~-]{1,12}"
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}(\\.[a-z][a-z0-9]{0,5}){0,2}".prop_map(Host::Name),
        any::<[u8; 4]>().prop_map(|ip| Host::V4(ip.into())),
        any::<[u16; 8]>().prop_map(|ip| Host::V6(ip.into())),
    ]
}

fn uri() -> impl Strategy<Value = Uri> {
    let user = proptest::option::of("[ -~äß]{1,12}");
    (user, host(), proptest::option::of(any::<u16>()), proptest::option::of("[ -~]{0,8}")).prop_map(
        |(user, host, port, value)| {
            Uri::sip(user.as_deref(), host, port).with_param("x", value.as_deref())
        },
    )
}

fn params() -> impl Strategy<Value = Params> {
    vec((token(), proptest::option::of("[ -~ü]{0,8}")), 0..4).prop_map(|list| {
        let mut params = Params::new();
        for (name, value) in list {
            params.set(&name, value.as_deref());
        }
        params
    })
}

fn name_addr() -> impl Strategy<Value = NameAddr> {
    (proptest::option::of("[ -~öé]{1,16}"), uri(), params())
        .prop_map(|(display, uri, params)| NameAddr { display, uri, params })
}

fn via() -> impl Strategy<Value = Via> {
    let transport = prop_oneof![Just("UDP".to_owned()), Just("TLS".to_owned()), token()];
    (transport, host(), proptest::option::of(any::<u16>()), params()).prop_map(
        |(transport, host, port, params)| {
            let mut via = Via::parse(&format!("SIP/2.0/{transport} h")).unwrap();
            (via.host, via.port, via.params) = (host, port, params);
            via
        },
    )
}

/// Rows of the headers every message has, and some it need not have.
fn headers() -> impl Strategy<Value = Headers> {
    let rows = vec(("[A-Za-z][A-Za-z-]{0,10}", vec(any::<u8>(), 0..20)), 0..4);
    (vec(via(), 1..3), name_addr(), name_addr(), token(), rows).prop_map(
        |(vias, from, to, call_id, rows)| {
            let mut headers = Headers::new();
            for via in vias {
                headers.push(HeaderName::Via, via.to_string());
            }
            headers.push(HeaderName::From, from.to_string());
            headers.push(HeaderName::To, to.to_string());
            headers.push(HeaderName::CallId, call_id);
            for (name, value) in rows {
                let name = HeaderName::new(&name);
                if name != HeaderName::ContentLength {
                    headers.push(name, sip_types::HeaderValue::new(value));
                }
            }
            headers
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let body = vec(any::<u8>(), 0..64);
    let response = (100_u16..700, "[ -~ü]{0,12}", headers(), body.clone());
    let response = response.prop_map(|(code, reason, headers, body)| {
        let status = StatusCode::new(code).unwrap();
        Message::Response(Response { status, reason, headers, body })
    });
    let request = (token(), uri(), headers(), body).prop_map(|(method, uri, headers, body)| {
        let method: Method = method.parse().unwrap();
        Message::Request(Request { method, uri, headers, body })
    });
    prop_oneof![request, response]
}

/// Every typed view of every header, for the sake of not panicking.
fn read_everything(message: &Message) {
    let headers = message.headers();
    let _ = (headers.vias(), headers.from(), headers.to(), headers.call_id(), headers.cseq());
    let _ = (headers.contacts(), headers.routes(), headers.record_routes(), headers.allow());
    let _ = (headers.content_type(), headers.accept(), headers.expires(), headers.reasons());
    let _ = (headers.history_info(), headers.warnings(), headers.retry_after(), headers.event());
    let _ = (headers.subscription_state(), headers.session_expires(), headers.replaces());
    let _ = (headers.refer_to(), headers.rack(), headers.min_se(), headers.alert_info());
    let _ = headers.challenges(&HeaderName::WwwAuthenticate);
    let _ = headers.credentials(&HeaderName::Authorization);
    let mut copy = headers.clone();
    if let Ok(via) = copy.via_top() {
        copy.set_via_top(&via);
    }
    copy.remove_via_top();
}

const SEED: &[u8] = b"INVITE sip:b@[2001:db8::1]:5060;transport=tcp?x=y SIP/2.0\r\nv: SIP / 2.0 / UDP a;branch=z9hG4bK1, SIP/2.0/TCP [::1]\r\n\
f: \"J \\\"x\\\" <y>\" <sip:a@h>;tag=1\r\nTo: sip:b@h;tag=2\r\ni: c@d\r\nCSeq: 1 INVITE\r\nm: *, <tel:+1>;q=0.1\r\n\
WWW-Authenticate: Digest realm=\"a,b\", nonce=\"1\", Digest realm=c\r\nHistory-Info: <sip:a@h?Reason=SIP%3Bcause%3D302>;index=1.1\r\n\
Subject: a\r\n  folded\r\nRetry-After: 5 (x);duration=3\r\nWarning: 399 h \"t\"\r\nc: application/sdp\r\nl: 3\r\n\r\nabc";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_reads_back(message in message()) {
        let mut again = Message::parse(&message.to_bytes()).unwrap();
        prop_assert_eq!(again.to_bytes(), message.to_bytes());
        prop_assert_eq!(again.headers_mut().remove(&HeaderName::ContentLength), 1);
        prop_assert_eq!(again, message);
    }

    #[test]
    fn values_read_back(address in name_addr(), via in via(), uri in uri()) {
        prop_assert_eq!(&NameAddr::parse(&address.to_string()).unwrap(), &address);
        prop_assert_eq!(Via::parse(&via.to_string()).unwrap(), via);
        let list = format!("{address} , {address}");
        prop_assert_eq!(ContactValue::parse_list(&list).unwrap().len(), 2);
        let read = Uri::parse(uri.as_str()).unwrap();
        prop_assert_eq!((read.user(), read.host(), read.port()), (uri.user(), uri.host(), uri.port()));
        prop_assert!(read.equivalent(&uri));
        prop_assert!(read.without_param("x").param("x").is_none());
    }

    #[test]
    fn mutations_never_panic(changes in vec((any::<proptest::sample::Index>(), any::<u8>(), 0_u8..3), 0..12)) {
        let mut bytes = SEED.to_vec();
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        let seen = inspect(&bytes);
        let message = match Message::parse(&bytes) {
            Ok(message) => Some(message),
            Err(error) => {
                let _ = error.status();
                error.partial.map(|partial| *partial)
            }
        };
        if let Some(message) = message {
            read_everything(&message);
            let again = Message::parse(&message.to_bytes());
            prop_assert!(again.is_ok() || !seen.ok);
        }
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..300), text in "\\PC{0,60}") {
        let _ = inspect(&bytes);
        let _ = (Uri::parse(&text), NameAddr::parse_list(&text), Via::parse_list(&text));
        let _ = (Challenge::parse_list(&text), Params::parse(&text));
    }
}
