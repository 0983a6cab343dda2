//! URIs read, kept, changed and compared.

use super::*;

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

#[test]
fn reads_the_parts_of_sip_uris() {
    let u = uri("SIP:jan.jansen;x=1:geheim@[2001:db8::1]:5070;transport=tcp;LR?Subject=a%20b&P=");
    assert_eq!(u.scheme(), "sip");
    assert_eq!(u.user().as_deref(), Some("jan.jansen;x=1"));
    assert_eq!(u.password(), Some("geheim"));
    assert_eq!(u.host().unwrap().to_string(), "[2001:db8::1]");
    assert_eq!(u.port(), Some(5070));
    assert_eq!(u.transport(), Some(Transport::Tcp));
    assert!(u.lr() && u.is_sip() && !u.is_sips());
    assert_eq!(u.headers(), [("Subject".into(), "a b".into()), ("P".into(), String::new())]);
}

#[test]
fn keeps_the_text_as_received() {
    for text in ["sip:a%62;;c@HOST;x=%41", "sip:*8#@h", "urn:service:sos", "tel:+31-20-1;ext=5"] {
        assert_eq!(uri(text).to_string(), text);
    }
    assert_eq!(uri("sip:*8#@h").user().as_deref(), Some("*8#"));
    assert_eq!(uri("tel:+31-20-1;ext=5").user().as_deref(), Some("+31-20-1"));
    assert_eq!(uri("sip:J%F6rg@h").user().as_deref(), Some("Jörg"));
    assert_eq!(uri("sip:100%@h").user().as_deref(), Some("100%"));
}

#[test]
fn refuses_what_is_no_uri() {
    for text in [
        "",
        "sip:",
        "sip",
        "jan",
        "sip:@h",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@c",
        "<sip:a@b>",
        "sip:a@2001:db8::10",
        "sip:a@h:99999",
        "sip:a@h:",
        "1sip:a@b",
        "tel:",
        "tel:abz",
        "sip:a@[::1",
    ] {
        assert!(Uri::parse(text).is_err(), "{text}");
    }
}

#[test]
fn parameters_are_set_without_touching_the_rest() {
    let u = uri("sip:a;b@h;x=1;lr?s=1");
    assert_eq!(
        u.clone().with_param("transport", Some("tcp")).as_str(),
        "sip:a;b@h;x=1;lr;transport=tcp?s=1"
    );
    assert_eq!(u.clone().without_param("X").as_str(), "sip:a;b@h;lr?s=1");
    assert_eq!(u.clone().with_param("x", Some("a b")).param("x"), Some(Some("a%20b")));
    assert_eq!(u.without_headers().as_str(), "sip:a;b@h;x=1;lr");
    assert_eq!(uri("sip:h").with_param("lr", None).as_str(), "sip:h;lr");
}

#[test]
fn built_uris_are_escaped() {
    let u = Uri::sip(Some("a b@c"), "h.example".parse().unwrap(), Some(5080));
    assert_eq!(u.as_str(), "sip:a%20b%40c@h.example:5080");
    assert_eq!(u.user().as_deref(), Some("a b@c"));
    assert_eq!(Uri::parse(u.as_str()).unwrap().user(), u.user());
}

#[test]
fn equality_follows_the_rfc() {
    let same = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+31-20-123", "TEL:+3120123"),
    ];
    for (a, b) in same {
        assert!(uri(a).equivalent(&uri(b)), "{a} {b}");
    }
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
    ];
    for (a, b) in different {
        assert!(!uri(a).equivalent(&uri(b)), "{a} {b}");
    }
}

#[test]
fn a_header_is_escaped_and_read_back() {
    let value = "a@b;to-tag=1;from-tag=%2";
    let uri = Uri::parse("sip:x@h;lr").unwrap().with_header("Replaces", value);
    assert_eq!(uri.as_str(), "sip:x@h;lr?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D%252");
    let uri = uri.with_header("Subject", "a b");
    assert_eq!(Uri::parse(uri.as_str()).unwrap().headers(), uri.headers());
    assert_eq!(uri.headers()[0], ("Replaces".to_owned(), value.to_owned()));
    assert_eq!(uri.without_headers().as_str(), "sip:x@h;lr");
}
