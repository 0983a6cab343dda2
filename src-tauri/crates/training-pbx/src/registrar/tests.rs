//! Bindings in virtual time.

use std::net::{Ipv4Addr, SocketAddr};

use sip_types::{Method, Transport};

use super::*;

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    Instant::now()
}

fn source(transport: Transport, port: u16) -> Source {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Source { transport, local: at(5060), remote: at(port) }
}

fn register(cseq: u32, headers: &[(HeaderName, &str)]) -> Request {
    let mut request = Request::new(Method::Register, Uri::parse("sip:127.0.0.1").unwrap());
    let usual = [
        (HeaderName::Via, "SIP/2.0/UDP 127.0.0.1:7000;branch=z9hG4bKx".to_owned()),
        (HeaderName::From, "<sip:101@127.0.0.1>;tag=a".to_owned()),
        (HeaderName::To, "<sip:101@127.0.0.1>".to_owned()),
        (HeaderName::CallId, "one".to_owned()),
        (HeaderName::CSeq, format!("{cseq} REGISTER")),
    ];
    for (name, value) in usual {
        request.headers.push(name, value);
    }
    for (name, value) in headers {
        request.headers.push(name.clone(), (*value).to_owned());
    }
    request
}

fn desk(now: Instant) -> Registrar {
    let mut registrar = Registrar::default();
    let request = register(1, &[(HeaderName::Contact, "<sip:101@127.0.0.1:7000>;expires=120")]);
    let response = registrar.handle_register(now, "101", &request, source(Transport::Udp, 7000));
    assert_eq!(response.status, StatusCode::OK);
    registrar
}

#[test]
fn a_binding_runs_out() {
    let now = start();
    let mut registrar = desk(now);
    assert_eq!(registrar.bindings("101").len(), 1);
    assert_eq!(registrar.poll_timeout(), Some(now + Duration::from_secs(120)));
    registrar.handle_timeout(now + Duration::from_secs(121));
    assert!(registrar.bindings("101").is_empty());
}

#[test]
fn the_answer_lists_all_contacts_with_their_time() {
    let now = start();
    let mut registrar = desk(now);
    let request = register(2, &[(HeaderName::Contact, "<sip:101@127.0.0.1:7001>;expires=600")]);
    let later = now + Duration::from_secs(20);
    let response = registrar.handle_register(later, "101", &request, source(Transport::Udp, 7001));
    let contacts: Vec<String> =
        response.headers.get_all(&HeaderName::Contact).map(|value| value.into_owned()).collect();
    assert_eq!(contacts.len(), 2);
    assert!(contacts[0].contains("7001") && contacts[0].ends_with("expires=600"), "{contacts:?}");
    assert!(contacts[1].ends_with("expires=100"), "{contacts:?}");
}

#[test]
fn too_short_is_told_the_least() {
    let mut registrar = Registrar::default();
    let request = register(1, &[(HeaderName::Contact, "<sip:101@127.0.0.1:7000>;expires=10")]);
    let response =
        registrar.handle_register(start(), "101", &request, source(Transport::Udp, 7000));
    assert_eq!(response.status.code(), 423);
    assert_eq!(response.headers.get(&HeaderName::MinExpires).as_deref(), Some("60"));
}

#[test]
fn taking_back_one_or_all() {
    let now = start();
    let mut registrar = desk(now);
    let request = register(2, &[(HeaderName::Contact, "<sip:101@127.0.0.1:7000>;expires=0")]);
    registrar.handle_register(now, "101", &request, source(Transport::Udp, 7000));
    assert!(registrar.bindings("101").is_empty());

    let mut registrar = desk(now);
    let star = register(2, &[(HeaderName::Contact, "*"), (HeaderName::Expires, "0")]);
    registrar.handle_register(now, "101", &star, source(Transport::Udp, 7000));
    assert!(registrar.bindings("101").is_empty());

    let mut registrar = desk(now);
    let star = register(2, &[(HeaderName::Contact, "*"), (HeaderName::Expires, "60")]);
    let response = registrar.handle_register(now, "101", &star, source(Transport::Udp, 7000));
    assert_eq!(response.status.code(), 400);
    assert_eq!(registrar.bindings("101").len(), 1);
}

#[test]
fn an_older_request_changes_nothing() {
    let now = start();
    let mut registrar = desk(now);
    let request = register(1, &[(HeaderName::Contact, "<sip:101@127.0.0.1:7000>;expires=0")]);
    let response = registrar.handle_register(now, "101", &request, source(Transport::Udp, 7000));
    assert_eq!(response.status.code(), 500);
    assert_eq!(registrar.bindings("101").len(), 1);
}

#[test]
fn no_user_has_more_than_ten_phones() {
    let now = start();
    let mut registrar = Registrar::default();
    for port in 0..12 {
        let contact = format!("<sip:101@127.0.0.1:{}>", 7000 + port);
        let request = register(port + 1, &[(HeaderName::Contact, &contact)]);
        registrar.handle_register(now, "101", &request, source(Transport::Udp, 7000));
    }
    assert_eq!(registrar.bindings("101").len(), 10);
}

#[test]
fn a_broken_connection_takes_its_phones_along() {
    let now = start();
    let mut registrar = desk(now);
    registrar.handle_failure(source(Transport::Udp, 7000).back());
    assert_eq!(registrar.bindings("101").len(), 1);
    let request = register(2, &[(HeaderName::Contact, "<sip:101@127.0.0.1:7001;transport=tcp>")]);
    registrar.handle_register(now, "101", &request, source(Transport::Tcp, 7001));
    registrar.handle_failure(source(Transport::Tcp, 7001).back());
    assert_eq!(registrar.bindings("101").len(), 1);
}
