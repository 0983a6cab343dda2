//! What a server needs of its user agent: legs to registered contacts, identities of others,
//! requests passed through, and the peer's address followed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, sdp, uri};
use sip_core::{Route, Target};
use sip_types::{HeaderName, Method, NameAddr, Response, StatusCode, Transport};
use sip_ua::{AccountId, Config, Event, LocalIdentity, OutgoingCall};

const SERVER: usize = 0;
const PHONE: usize = 1;

fn setting(seed: u8) -> Net {
    let mut net = Net::new(seed);
    let settings = Config {
        pass_through: [Method::Register, Method::Subscribe, Method::Refer].into(),
        symmetric: true,
        ..Config::default()
    };
    net.add_agent_with("pbx", settings, |config| config.catch_all = true);
    net.add_script("phone");
    net
}

/// A call to a contact that nobody could find by its name, over the address it registered from.
fn call_phone(net: &mut Net) -> sip_ua::SessionId {
    let target = Target { transport: Transport::Udp, addr: net.nodes[PHONE].addr };
    let route = Route { target, local: net.nodes[SERVER].addr };
    let mut call = OutgoingCall::new(uri("sip:101@example.test"), Some(sdp("offer")));
    call.target = Some(uri("sip:101@10.0.0.5:4711;ob"));
    call.route = Some(route);
    call.identity = Some(LocalIdentity {
        display: Some("Piet".to_owned()),
        uri: uri("sip:102@example.test"),
        asserted: Some(NameAddr::new(uri("sip:102@example.test"))),
    });
    let account: AccountId = net.nodes[SERVER].account;
    net.act(SERVER, |ua, now| ua.invite(now, account, call)).unwrap()
}

#[test]
fn a_leg_travels_to_where_the_phone_registered() {
    let mut net = setting(50);
    let id = call_phone(&mut net);
    net.run(100);
    let invite = net.requests(PHONE).pop().unwrap();
    assert_eq!(invite.uri.as_str(), "sip:101@10.0.0.5:4711;ob");
    assert_eq!(invite.headers.to().unwrap().uri.as_str(), "sip:101@example.test");
    assert_eq!(invite.headers.from().unwrap().display.as_deref(), Some("Piet"));
    assert!(invite.headers.contains(&HeaderName::PAssertedIdentity));
    let mut answer = Response::to_request(&invite, StatusCode::OK);
    answer.set_to_tag("phone");
    answer.headers.push(HeaderName::Contact, "<sip:101@10.0.0.5:4711>");
    net.send_response(PHONE, SERVER, answer);
    net.run(100);
    net.act(SERVER, |ua, now| ua.hangup_with(now, id, "Q.850;cause=16")).unwrap();
    net.run(100);
    let requests = net.requests(PHONE);
    let methods: Vec<_> = requests.iter().map(|r| r.method.clone()).collect();
    assert_eq!(methods, [Method::Ack, Method::Bye], "both reach the phone's real address");
    assert_eq!(requests[1].headers.get(&HeaderName::Reason).unwrap(), "Q.850;cause=16");
    net.send_response(PHONE, SERVER, Response::to_request(&requests[1], StatusCode::OK));
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_cancelled_leg_says_why() {
    let mut net = setting(51);
    let id = call_phone(&mut net);
    net.run(100);
    let invite = net.requests(PHONE).pop().unwrap();
    let mut ringing = Response::to_request(&invite, StatusCode::RINGING);
    ringing.set_to_tag("phone");
    net.send_response(PHONE, SERVER, ringing);
    net.run(100);
    let reason = "SIP;cause=200;text=\"Call completed elsewhere\"";
    net.act(SERVER, |ua, now| ua.hangup_with(now, id, reason)).unwrap();
    net.run(100);
    let cancel = net.requests(PHONE).pop().unwrap();
    assert_eq!(cancel.method, Method::Cancel);
    assert_eq!(cancel.headers.get(&HeaderName::Reason).unwrap(), reason);
}

#[test]
fn registrations_are_passed_through_and_answered() {
    let mut net = setting(52);
    let text = "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKr\r\n\
        From: <sip:101@example.test>;tag=1\r\nTo: <sip:101@example.test>\r\nCall-ID: r\r\n\
        CSeq: 1 REGISTER\r\nContact: <sip:101@192.0.2.2>\r\nContent-Length: 0\r\n\r\n";
    net.send(PHONE, SERVER, text.as_bytes().to_vec());
    net.run(100);
    let (key, request) = net.expect(SERVER, |event| match event {
        Event::OutOfDialog { key, request, .. } => Some((*key, request.clone())),
        _ => None,
    });
    let response = Response::to_request(&request, StatusCode::OK);
    net.act(SERVER, |ua, now| ua.respond(now, &key, response));
    net.run(100);
    assert_eq!(net.responses(PHONE).pop().unwrap().status, StatusCode::OK);
}

#[test]
fn requests_of_its_own_reach_the_owner_again() {
    let mut net = setting(53);
    let target = Target { transport: Transport::Udp, addr: net.nodes[PHONE].addr };
    let route = Route { target, local: net.nodes[SERVER].addr };
    let request = sip_types::Request::new(Method::Options, uri("sip:101@192.0.2.2"))
        .header(HeaderName::From, "<sip:pbx@example.test>;tag=1")
        .header(HeaderName::To, "<sip:101@example.test>")
        .header(HeaderName::CallId, "q")
        .header(HeaderName::CSeq, "1 OPTIONS");
    let key = net.act(SERVER, |ua, now| ua.send_request(now, request, &route));
    net.run(100);
    let request = net.requests(PHONE).pop().unwrap();
    net.send_response(PHONE, SERVER, Response::to_request(&request, StatusCode::OK));
    net.run(100);
    let answered = net.expect(SERVER, |event| match event {
        Event::OutOfDialogResponse { key, response } => Some((*key, response.status)),
        _ => None,
    });
    assert_eq!(answered, (key, StatusCode::OK));
}
