//! Several flows of one account over several proxies (RFC 5626): calls go on when one of them dies.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, sdp, uri};
use sip_core::Target;
use sip_types::{HeaderName, Method, Request, Response, StatusCode, Transport};
use sip_ua::{Event, Input, OutgoingCall, RegistrationState, SessionId};

const ONE: usize = 0;
const TWO: usize = 1;
const PHONE: usize = 2;

/// Two proxies in front of one registrar, and a telephone.
fn setting(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.add_script("one");
    net.add_script("two");
    net.add_agent("phone", |config| {
        config.aor = uri("sip:101@pbx.example.test");
        config.registrar = uri("sip:pbx.example.test");
        config.outbound_proxy = Some(uri("sip:192.0.2.1;lr"));
        config.further_proxies = vec![uri("sip:192.0.2.2;lr")];
        config.register = true;
        config.instance_id = "urn:uuid:00000000-0000-1000-8000-000A95A0E128".to_owned();
    });
    net
}

fn one(net: &mut Net, node: usize, method: &Method) -> Request {
    net.run(50);
    let requests = net.requests(node);
    let found = requests.iter().find(|request| request.method == *method);
    found.unwrap_or_else(|| panic!("no {method} among {requests:#?}")).clone()
}

fn grant(net: &mut Net, from: usize, request: &Request) {
    let contact = request.headers.get(&HeaderName::Contact).unwrap().into_owned();
    let response = Response::to_request(request, StatusCode::OK)
        .header(HeaderName::Contact, format!("{contact};expires=600"))
        .header(HeaderName::Require, "outbound");
    net.send_response(from, PHONE, response);
    net.run(50);
}

fn registered(seed: u8) -> Net {
    let mut net = setting(seed);
    for (node, number) in [(ONE, "1"), (TWO, "2")] {
        let request = one(&mut net, node, &Method::Register);
        let contact = request.headers.contact().unwrap().unwrap();
        assert_eq!(contact.params.value("reg-id"), Some(number));
        assert!(contact.params.value("+sip.instance").is_some());
        let route = request.headers.get(&HeaderName::Route).unwrap().into_owned();
        assert_eq!(route, format!("<sip:192.0.2.{number};lr>"));
        grant(&mut net, node, &request);
    }
    net
}

fn target(node: usize) -> Target {
    let addr = format!("192.0.2.{}:5060", node + 1).parse().unwrap();
    Target { transport: Transport::Udp, addr }
}

fn state(net: &Net) -> RegistrationState {
    let states = net.nodes[PHONE].history.iter().rev();
    let mut states = states.filter_map(|event| match event {
        Event::Registration { state, .. } => Some(state.clone()),
        _ => None,
    });
    states.next().unwrap()
}

/// The server shown, and those of the other flows.
fn servers(net: &Net) -> (Target, Vec<Target>) {
    match state(net) {
        RegistrationState::Registered { server, others, .. } => (server, others),
        other => panic!("{other:?}"),
    }
}

/// The first proxy is gone, and that is noticed.
fn lose_one(net: &mut Net) {
    let reason = "keep-alives are not answered".to_owned();
    let lost = Input::TransportFailed { target: target(ONE), reason };
    net.act(PHONE, |ua, now| ua.handle_input(now, lost));
    net.run(4000);
    net.inbox_clear(ONE);
}

fn dial(net: &mut Net) -> SessionId {
    let account = net.nodes[PHONE].account;
    let call = OutgoingCall::new(uri("sip:102@pbx.example.test"), Some(sdp("offer")));
    net.act(PHONE, |ua, now| ua.invite(now, account, call)).unwrap()
}

/// A call that was answered over the first proxy, which stays in its way.
fn talking(net: &mut Net) -> (SessionId, Response) {
    let id = dial(net);
    let invite = one(net, ONE, &Method::Invite);
    assert_eq!(invite.headers.get(&HeaderName::Route).unwrap(), "<sip:192.0.2.1;lr>");
    let mut answer = Response::to_request(&invite, StatusCode::OK)
        .header(HeaderName::RecordRoute, "<sip:192.0.2.1;lr>")
        .header(HeaderName::Contact, "<sip:102@198.51.100.7>")
        .with_body("application/sdp", "v=0 answer");
    answer.set_to_tag("far");
    net.send_response(ONE, PHONE, answer.clone());
    one(net, ONE, &Method::Ack);
    (id, answer)
}

#[test]
fn a_flow_stands_over_each_proxy() {
    let mut net = registered(1);
    assert_eq!(servers(&net), (target(ONE), vec![target(TWO)]));
    // Each is refreshed by itself, and taken back.
    net.run(600_000);
    for node in [ONE, TWO] {
        let refreshes = net.requests(node);
        assert!(refreshes.iter().any(|request| request.method == Method::Register));
    }
}

#[test]
fn calls_go_over_the_second_flow_when_the_first_dies() {
    let mut net = registered(2);
    lose_one(&mut net);
    assert_eq!(servers(&net), (target(TWO), vec![]));
    let gone = |event: &Event| {
        matches!(event, Event::Registration { state: RegistrationState::Unreachable { .. }, .. })
    };
    assert!(!net.history_has(PHONE, gone), "the line was never down");
    dial(&mut net);
    let invite = one(&mut net, TWO, &Method::Invite);
    assert_eq!(invite.headers.get(&HeaderName::Route).unwrap(), "<sip:192.0.2.2;lr>");
    // It comes back and is the first again.
    let again = loop {
        net.run(100);
        if let Some(request) = net.requests(ONE).pop() {
            break request;
        }
    };
    grant(&mut net, ONE, &again);
    assert_eq!(servers(&net), (target(ONE), vec![target(TWO)]));
    dial(&mut net);
    one(&mut net, ONE, &Method::Invite);
}

#[test]
fn a_call_survives_the_flow_it_was_made_over() {
    let mut net = registered(3);
    let (id, answer) = talking(&mut net);
    lose_one(&mut net);
    // What the exchange sends comes over the other one.
    let (from, to) = (answer.headers.to().unwrap(), answer.headers.from().unwrap());
    let change = Request::new(Method::Invite, uri("sip:101@192.0.2.3"))
        .header(HeaderName::Via, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKchange")
        .header(HeaderName::From, from.to_string())
        .header(HeaderName::To, to.to_string())
        .header(HeaderName::CallId, answer.headers.call_id().unwrap())
        .header(HeaderName::CSeq, "1 INVITE")
        .header(HeaderName::Contact, "<sip:102@198.51.100.7>")
        .with_body("application/sdp", "v=0 hold");
    net.send_request(TWO, PHONE, change);
    net.run(50);
    net.expect(PHONE, |event| matches!(event, Event::Reoffered { .. }).then_some(()));
    net.act(PHONE, |ua, now| ua.answer_reoffer(now, id, Some(sdp("held")))).unwrap();
    net.run(50);
    let answers = net.responses(TWO);
    assert!(answers.iter().any(|response| response.status == StatusCode::OK));
    let ack = Request::new(Method::Ack, uri("sip:101@192.0.2.3"))
        .header(HeaderName::Via, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKack")
        .header(HeaderName::From, from.to_string())
        .header(HeaderName::To, to.to_string())
        .header(HeaderName::CallId, answer.headers.call_id().unwrap())
        .header(HeaderName::CSeq, "1 ACK");
    net.send_request(TWO, PHONE, ack);
    net.run(50);
    // And what we send does as well, as soon as the first is seen to be dead.
    net.act(PHONE, |ua, now| ua.hangup(now, id)).unwrap();
    net.run(33_000);
    let bye = one(&mut net, TWO, &Method::Bye);
    assert_eq!(bye.headers.get(&HeaderName::Route).unwrap(), "<sip:192.0.2.2;lr>");
    assert_eq!(bye.uri.as_str(), "sip:102@198.51.100.7");
    net.send_response(TWO, PHONE, Response::to_request(&bye, StatusCode::OK));
    net.run(50);
    assert_eq!(net.nodes[PHONE].agent.as_ref().unwrap().session_count(), 0);
}

#[test]
fn without_an_instance_there_is_one_flow() {
    let mut net = Net::new(4);
    net.add_script("one");
    net.add_script("two");
    net.add_agent("phone", |config| {
        config.outbound_proxy = Some(uri("sip:192.0.2.1;lr"));
        config.further_proxies = vec![uri("sip:192.0.2.2;lr")];
        config.register = true;
    });
    net.run(50);
    assert_eq!(net.requests(ONE).len(), 1);
    assert_eq!(net.requests(TWO).len(), 0);
}
