//! Registration against a scripted registrar.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, uri};
use secrecy::SecretString;
use sip_core::digest::Credentials;
use sip_types::{HeaderName, Request, Response, StatusCode};
use sip_ua::{AcceptFrom, Event, RegistrationState};

const PHONE: usize = 1;
const REGISTRAR: usize = 0;

/// A registrar at 192.0.2.1 and a telephone that registers with it.
fn setting(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.add_script("pbx");
    net.add_agent("phone", |config| {
        config.aor = uri("sip:101@example.test");
        config.registrar = uri("sip:192.0.2.1");
        config.register = true;
        config.accept_from = AcceptFrom::Registrar;
        config.instance_id = "urn:uuid:00000000-0000-1000-8000-000A95A0E128".to_owned();
        config.credentials = Some(Credentials {
            username: "101".to_owned(),
            password: SecretString::from("secret".to_owned()),
        });
    });
    net
}

fn next_request(net: &mut Net) -> Request {
    net.run(100);
    net.requests(REGISTRAR).pop().expect("a request")
}

fn reply(net: &mut Net, request: &Request, status: StatusCode, headers: &[(HeaderName, &str)]) {
    let mut response = Response::to_request(request, status);
    response.set_to_tag("registrar");
    for (name, value) in headers {
        response.headers.push(name.clone(), *value);
    }
    net.send_response(REGISTRAR, PHONE, response);
    net.run(100);
}

fn grant(net: &mut Net, request: &Request, seconds: u32) {
    let contact = request.headers.get(&HeaderName::Contact).unwrap().into_owned();
    let others = format!("<sip:101@198.51.100.7>;expires=30, {contact};expires={seconds}");
    reply(net, request, StatusCode::OK, &[(HeaderName::Contact, &others)]);
}

fn states(net: &mut Net) -> Vec<RegistrationState> {
    let events = net.events(PHONE).into_iter().filter_map(|event| match event {
        Event::Registration { state, .. } => Some(state),
        _ => None,
    });
    events.collect()
}

const CHALLENGE: (HeaderName, &str) = (
    HeaderName::WwwAuthenticate,
    "Digest realm=\"example.test\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"",
);

#[test]
fn an_account_is_registered_refreshed_and_taken_back() {
    let mut net = setting(1);
    let first = next_request(&mut net);
    reply(&mut net, &first, StatusCode::UNAUTHORIZED, &[CHALLENGE]);
    let signed = next_request(&mut net);
    grant(&mut net, &signed, 120);
    let states_seen = states(&mut net);
    assert_eq!(states_seen[0], RegistrationState::Registering);
    assert!(matches!(&states_seen[1], RegistrationState::Registered { expires: 120, .. }));
    assert_eq!(states_seen.len(), 2);
    net.run(60_000);
    assert!(net.requests(REGISTRAR).is_empty(), "refreshed too early");
    net.run(20_000);
    let refresh = net.requests(REGISTRAR).pop().expect("a refresh");
    grant(&mut net, &refresh, 120);
    assert!(states(&mut net).is_empty(), "a refresh is no news");
    let account = net.nodes[PHONE].account;
    net.act(PHONE, |ua, now| ua.unregister(now, account)).unwrap();
    let leaving = next_request(&mut net);
    assert_eq!(leaving.headers.expires().unwrap(), Some(0));
    reply(&mut net, &leaving, StatusCode::OK, &[]);
    assert_eq!(states(&mut net), [RegistrationState::Unregistered]);
    insta::assert_snapshot!("registered_whole", net.transcript());
    net.run(600_000);
    net.assert_quiet();
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut net = setting(2);
    let first = next_request(&mut net);
    reply(&mut net, &first, StatusCode::UNAUTHORIZED, &[CHALLENGE]);
    let signed = next_request(&mut net);
    reply(&mut net, &signed, StatusCode::UNAUTHORIZED, &[CHALLENGE]);
    assert!(matches!(states(&mut net).pop(), Some(RegistrationState::Failed { .. })));
    net.run(3_600_000);
    assert!(net.requests(REGISTRAR).is_empty());
    let account = net.nodes[PHONE].account;
    net.act(PHONE, |ua, now| ua.register(now, account)).unwrap();
    next_request(&mut net);
}

#[test]
fn a_stale_nonce_is_renewed() {
    let mut net = setting(3);
    let first = next_request(&mut net);
    reply(&mut net, &first, StatusCode::UNAUTHORIZED, &[CHALLENGE]);
    let signed = next_request(&mut net);
    let stale =
        "Digest realm=\"example.test\", nonce=\"n2\", algorithm=MD5, qop=\"auth\", stale=true";
    let stale = [(HeaderName::WwwAuthenticate, stale)];
    reply(&mut net, &signed, StatusCode::UNAUTHORIZED, &stale);
    let again = next_request(&mut net);
    assert!(again.headers.get(&HeaderName::Authorization).unwrap().contains("n2"));
    grant(&mut net, &again, 60);
    assert!(matches!(states(&mut net).pop(), Some(RegistrationState::Registered { .. })));
}

#[test]
fn a_short_interval_is_raised() {
    let mut net = setting(4);
    let first = next_request(&mut net);
    let least = [(HeaderName::MinExpires, "1800")];
    reply(&mut net, &first, StatusCode::INTERVAL_TOO_BRIEF, &least);
    let again = next_request(&mut net);
    assert_eq!(again.headers.expires().unwrap(), Some(1800));
    // A registrar that asks for the same again is not obeyed for ever.
    reply(&mut net, &again, StatusCode::INTERVAL_TOO_BRIEF, &least);
    assert!(matches!(states(&mut net).pop(), Some(RegistrationState::Unreachable { .. })));
}

#[test]
fn a_refusal_is_final_and_trouble_is_not() {
    for (code, last) in [(403, true), (404, true), (500, false), (503, false), (600, true)] {
        let mut net = setting(5);
        let first = next_request(&mut net);
        reply(&mut net, &first, StatusCode::new(code).unwrap(), &[]);
        let state = states(&mut net).pop().unwrap();
        assert_eq!(matches!(state, RegistrationState::Failed { .. }), last, "{code}: {state:?}");
        net.run(10_000);
        assert_eq!(net.requests(REGISTRAR).is_empty(), last, "{code}");
    }
}

#[test]
fn retry_after_is_honoured() {
    let mut net = setting(6);
    let first = next_request(&mut net);
    let wait = [(HeaderName::RetryAfter, "60 (maintenance)")];
    reply(&mut net, &first, StatusCode::SERVICE_UNAVAILABLE, &wait);
    net.run(59_000);
    assert!(net.requests(REGISTRAR).is_empty());
    net.run(2000);
    assert!(!net.requests(REGISTRAR).is_empty());
}

#[test]
fn the_wait_grows_to_two_minutes() {
    let mut net = setting(7);
    let mut times = Vec::new();
    for _ in 0..10 {
        while net.nodes[REGISTRAR].inbox.is_empty() {
            net.run(100);
        }
        times.push(net.now);
        let request = net.requests(REGISTRAR).pop().unwrap();
        reply(&mut net, &request, StatusCode::SERVER_INTERNAL_ERROR, &[]);
    }
    let waits: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    assert!((1.4..3.3).contains(&waits[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 121.0), "{waits:?}");
    assert!((59.0..121.0).contains(&waits[8]), "{waits:?}");
}

#[test]
fn a_silent_server_is_followed_by_the_next_and_returned_to() {
    let mut net = Net::new(8);
    net.add_script("one");
    net.add_script("two");
    let addrs = vec![net.nodes[0].addr, net.nodes[1].addr];
    net.names.insert("pbx.example.test".to_owned(), addrs);
    let phone = net.add_agent("phone", |config| {
        config.registrar = uri("sip:pbx.example.test");
        config.register = true;
    });
    net.run(33_000);
    assert!(net.requests(0).len() > 1);
    let request = net.requests(1).pop().expect("the second target");
    let contact = format!("{};expires=120", request.headers.get(&HeaderName::Contact).unwrap());
    let response = Response::to_request(&request, StatusCode::OK)
        .header(HeaderName::Contact, contact.as_str());
    net.send_response(1, phone, response);
    net.run(100);
    assert!(net.history_has(phone, |e| {
        matches!(e, Event::Registration { state: RegistrationState::Registered { .. }, .. })
    }));
    net.run(80_000);
    assert!(!net.requests(0).is_empty(), "the preferred server is asked again");
}

#[test]
fn an_unknown_name_is_trouble() {
    let mut net = Net::new(9);
    let phone = net.add_agent("phone", |config| {
        config.registrar = uri("sip:nowhere.example.test");
        config.register = true;
    });
    assert!(net.history_has(phone, |e| {
        matches!(
            e,
            Event::Registration {
                state: RegistrationState::Unreachable { .. },
                retry_at: Some(_),
                ..
            }
        )
    }));
}

#[test]
fn the_public_address_and_service_route_are_learned() {
    let mut net = setting(10);
    let request = next_request(&mut net);
    let mut response = Response::to_request(&request, StatusCode::OK);
    let mut via = response.headers.via_top().unwrap();
    via.params.set("received", Some("203.0.113.9"));
    via.params.set("rport", Some("40000"));
    response.headers.set_via_top(&via);
    response.headers.push(HeaderName::ServiceRoute, "<sip:192.0.2.1;lr>");
    net.send_response(REGISTRAR, PHONE, response);
    net.run(100);
    let Some(RegistrationState::Registered { expires, public_addr, .. }) = states(&mut net).pop()
    else {
        panic!("not registered");
    };
    assert_eq!(public_addr, Some("203.0.113.9:40000".parse().unwrap()));
    assert_eq!(expires, 300);
    let account = net.nodes[PHONE].account;
    let call = sip_ua::OutgoingCall::new(uri("sip:102@example.test"), None);
    net.act(PHONE, |ua, now| ua.invite(now, account, call)).unwrap();
    let invite = next_request(&mut net);
    assert_eq!(invite.headers.get(&HeaderName::Route).unwrap(), "<sip:192.0.2.1;lr>");
    assert_eq!(invite.uri.as_str(), "sip:102@example.test");
}

#[test]
fn strangers_are_refused() {
    let mut net = setting(11);
    let stranger = net.add_script("stranger");
    let request = next_request(&mut net);
    grant(&mut net, &request, 300);
    let text = "INVITE sip:101@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKx\r\n\
        From: <sip:100@192.0.2.3>;tag=1\r\nTo: <sip:101@192.0.2.2>\r\nCall-ID: scan\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:100@192.0.2.3>\r\nContent-Length: 0\r\n\r\n";
    net.send(stranger, PHONE, text.as_bytes().to_vec());
    net.run(100);
    assert_eq!(net.responses(stranger).pop().unwrap().status, StatusCode::FORBIDDEN);
    assert_eq!(net.nodes[PHONE].agent.as_ref().unwrap().counters().strangers, 1);
    // The registrar itself is welcome, also from another port.
    net.send(
        REGISTRAR,
        PHONE,
        text.replace("192.0.2.3", "192.0.2.1").replace("scan", "call").into_bytes(),
    );
    net.run(100);
    net.incoming(PHONE);
}

#[test]
fn a_broken_connection_is_renewed_at_once() {
    let mut net = Net::new(12);
    net.add_script("pbx");
    let phone = net.add_agent("phone", |config| {
        config.registrar = uri("sip:192.0.2.1;transport=tcp");
        config.register = true;
    });
    let request = next_request(&mut net);
    grant(&mut net, &request, 300);
    states(&mut net);
    let addr = net.nodes[REGISTRAR].addr;
    let target = sip_core::Target { transport: sip_types::Transport::Tcp, addr };
    let reason = "reset by peer".to_owned();
    net.act(phone, |ua, now| {
        ua.handle_input(now, sip_ua::Input::TransportFailed { target, reason });
    });
    assert!(matches!(states(&mut net).pop(), Some(RegistrationState::Unreachable { .. })));
    net.run(600);
    let again = net.requests(REGISTRAR).pop().expect("a new REGISTER within 600 ms");
    grant(&mut net, &again, 300);
    assert!(matches!(states(&mut net).pop(), Some(RegistrationState::Registered { .. })));
}

#[test]
fn a_new_address_is_registered_and_calls_go_on() {
    let mut net = setting(13);
    let request = next_request(&mut net);
    grant(&mut net, &request, 300);
    net.nodes[PHONE].addr = "192.0.2.77:5060".parse().unwrap();
    net.act(PHONE, |ua, now| ua.network_changed(now));
    let request = next_request(&mut net);
    assert!(request.headers.get(&HeaderName::Contact).unwrap().contains("192.0.2.77"));
    assert_eq!(request.headers.cseq().unwrap().number, 2);
}

#[test]
fn a_removed_account_leaves_nothing_behind() {
    let mut net = setting(14);
    let request = next_request(&mut net);
    grant(&mut net, &request, 300);
    let account = net.nodes[PHONE].account;
    let call = sip_ua::OutgoingCall::new(uri("sip:102@example.test"), None);
    net.act(PHONE, |ua, now| ua.invite(now, account, call)).unwrap();
    net.act(PHONE, |ua, now| ua.remove_account(now, account)).unwrap();
    net.run(100_000);
    net.assert_quiet();
    assert!(net.act(PHONE, |ua, now| ua.register(now, account)).is_err());
    assert_eq!(net.nodes[PHONE].agent.as_ref().unwrap().poll_timeout(), None);
}

#[test]
fn the_registrar_vouches_for_callers() {
    let mut net = setting(15);
    let request = next_request(&mut net);
    grant(&mut net, &request, 300);
    let text = "INVITE sip:101@192.0.2.2:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n\
        From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1\r\nTo: <sip:101@example.test>\r\n\
        Call-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:pbx@192.0.2.1>\r\nPrivacy: id\r\n\
        P-Asserted-Identity: \"Piet\" <sip:+31201234567@example.test>, <tel:+31201234567>\r\n\
        Content-Length: 0\r\n\r\n";
    net.send(REGISTRAR, PHONE, text.as_bytes().to_vec());
    net.run(100);
    let caller = net.expect(PHONE, |event| match event {
        Event::Incoming(incoming) => Some(incoming.caller.clone()),
        _ => None,
    });
    assert!(caller.asserted && caller.withheld);
    assert_eq!(caller.uri.as_str(), "sip:+31201234567@example.test");
    assert_eq!(caller.display.as_deref(), Some("Piet"));
}
