//! Whose challenges are answered, and what a challenge says of the password (RFC 3261 section 22).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, sdp, uri};
use secrecy::SecretString;
use sip_core::digest::Credentials;
use sip_types::{HeaderName, Method, Request, Response, StatusCode};
use sip_ua::{AccountConfig, EndedBy, Event, RegistrationState};

const PHONE: usize = 0;
const SERVER: usize = 1;
const BOB: usize = 2;

fn credentials(config: &mut AccountConfig) {
    let password = SecretString::from("secret".to_owned());
    config.credentials = Some(Credentials { username: "alice".to_owned(), password });
}

/// A telephone behind a server, and somebody else.
fn setting(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.add_agent("alice", |config| {
        credentials(config);
        config.outbound_proxy = Some(uri("sip:192.0.2.2"));
    });
    net.add_script("server");
    net.add_script("bob");
    net
}

fn one(net: &mut Net, node: usize, method: &Method) -> Request {
    net.run(100);
    let requests = net.requests(node);
    let found = requests.iter().find(|request| request.method == *method);
    found.unwrap_or_else(|| panic!("no {method} among {requests:#?}")).clone()
}

fn reply(request: &Request, code: u16) -> Response {
    let mut response = Response::to_request(request, StatusCode::new(code).unwrap());
    response.set_to_tag("bob");
    response.header(HeaderName::Contact, "<sip:bob@192.0.2.3>")
}

fn challenge(request: &Request, realm: &str, nonce: &str, more: &str) -> Response {
    let value = format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"{more}");
    reply(request, 407).header(HeaderName::ProxyAuthenticate, value)
}

#[test]
fn only_the_accounts_server_gets_its_challenges_answered() {
    let mut net = setting(1);
    let id = net.dial(PHONE, BOB, Some(sdp("offer")));
    let invite = one(&mut net, SERVER, &Method::Invite);
    net.send_response(SERVER, PHONE, challenge(&invite, "pbx", "n1", ""));
    let signed = one(&mut net, SERVER, &Method::Invite);
    assert!(signed.headers.contains(&HeaderName::ProxyAuthorization));
    net.send_response(
        SERVER,
        PHONE,
        reply(&signed, 200).with_body("application/sdp", "v=0 answer"),
    );
    // The server stays out of the dialog: what follows goes to Bob himself, who learns nothing.
    let ack = one(&mut net, BOB, &Method::Ack);
    assert!(!ack.headers.contains(&HeaderName::ProxyAuthorization));
    net.act(PHONE, |ua, now| ua.reoffer(now, id, sdp("hold"))).unwrap();
    let change = one(&mut net, BOB, &Method::Invite);
    assert!(!change.headers.contains(&HeaderName::ProxyAuthorization));
    for realm in ["pbx", "bob"] {
        net.send_response(BOB, PHONE, challenge(&change, realm, "chosen by bob", ""));
        net.run(100);
        let after = net.requests(BOB);
        assert!(after.iter().all(|request| request.method == Method::Ack), "{after:#?}");
    }
    let status = net.expect(PHONE, |event| match event {
        Event::ReofferFailed { status, .. } => *status,
        _ => None,
    });
    assert_eq!(status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
}

#[test]
fn a_callee_behind_the_server_is_not_the_server() {
    let mut net = setting(2);
    net.dial(PHONE, BOB, Some(sdp("offer")));
    let invite = one(&mut net, SERVER, &Method::Invite);
    net.send_response(SERVER, PHONE, challenge(&invite, "pbx", "n1", ""));
    let signed = one(&mut net, SERVER, &Method::Invite);
    net.send_response(
        SERVER,
        PHONE,
        reply(&signed, 200).with_body("application/sdp", "v=0 answer"),
    );
    net.run(100);
    // The next call: a challenge in another realm has come from behind the server.
    net.requests(SERVER);
    net.dial(PHONE, BOB, Some(sdp("offer")));
    let invite = one(&mut net, SERVER, &Method::Invite);
    assert!(invite.headers.contains(&HeaderName::ProxyAuthorization), "signed in advance");
    net.send_response(SERVER, PHONE, challenge(&invite, "bob", "chosen by bob", ""));
    net.run(100);
    let after = net.requests(SERVER);
    assert!(after.iter().all(|request| request.method == Method::Ack), "{after:#?}");
    let cause = net.ended(PHONE);
    assert_eq!(cause.status, Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED));
}

#[test]
fn a_server_in_disorder_is_not_told_as_a_wrong_password() {
    // Registering.
    let mut net = Net::new(3);
    net.add_script("server");
    let phone = net.add_agent("alice", |config| {
        credentials(config);
        config.registrar = uri("sip:192.0.2.1");
        config.register = true;
    });
    for _ in 0..4 {
        net.run(100);
        let Some(request) = net.requests(0).pop() else { break };
        let value = "Digest realm=\"r\", nonce=\"same\", qop=\"auth\", stale=true";
        let refusal = Response::to_request(&request, StatusCode::UNAUTHORIZED)
            .header(HeaderName::WwwAuthenticate, value);
        net.send_response(0, phone, refusal);
    }
    net.run(100);
    let state = net.nodes[phone].history.iter().rev().find_map(|event| match event {
        Event::Registration { state, .. } => Some(state.clone()),
        _ => None,
    });
    let Some(RegistrationState::Unreachable { cause }) = state else { panic!("{state:?}") };
    assert!(cause.contains("outdated"), "{cause}");
    net.run(20_000);
    assert!(!net.requests(0).is_empty(), "tried again by itself");
    // Calling.
    let mut net = setting(4);
    net.dial(PHONE, BOB, Some(sdp("offer")));
    for _ in 0..4 {
        net.run(100);
        let requests = net.requests(SERVER);
        let Some(invite) = requests.iter().find(|r| r.method == Method::Invite) else { break };
        net.send_response(SERVER, PHONE, challenge(invite, "pbx", "same", ", stale=true"));
    }
    net.run(100);
    let cause = net.ended(PHONE);
    assert_eq!((cause.by, cause.status), (EndedBy::Network, Some(StatusCode::SERVICE_UNAVAILABLE)));
}
