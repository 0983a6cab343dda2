//! A network that changes: registrations find another way, calls keep their peers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, is_request, sdp, uri};
use sip_types::{HeaderName, Method, Request, Response, StatusCode};
use sip_ua::{Event, RegistrationState, SessionId};

const ONE: usize = 0;
const TWO: usize = 1;
const PHONE: usize = 2;
const ALICE: usize = 0;
const BOB: usize = 1;
const ELSEWHERE: &str = "192.0.2.77:5060";

/// Two registrars of one name and a telephone.
fn setting(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.add_script("one");
    net.add_script("two");
    let addrs = vec![net.nodes[ONE].addr, net.nodes[TWO].addr];
    net.names.insert("pbx.example.test".to_owned(), addrs);
    net.add_agent("phone", |config| {
        config.aor = uri("sip:101@pbx.example.test");
        config.registrar = uri("sip:pbx.example.test");
        config.register = true;
        config.gruu = true;
        config.instance_id = "urn:uuid:00000000-0000-1000-8000-000A95A0E128".to_owned();
    });
    net
}

fn grant(net: &mut Net, from: usize, request: &Request, headers: &[(HeaderName, &str)]) {
    let mut response = Response::to_request(request, StatusCode::OK);
    response.set_to_tag("registrar");
    let contact = request.headers.get(&HeaderName::Contact).unwrap().into_owned();
    response.headers.push(HeaderName::Contact, format!("{contact};expires=300"));
    for (name, value) in headers {
        response.headers.set(name.clone(), *value);
    }
    net.send_response(from, PHONE, response);
    net.run(50);
}

fn refuse(net: &mut Net, from: usize, request: &Request, code: u16, header: (HeaderName, &str)) {
    let mut response = Response::to_request(request, StatusCode::new(code).unwrap());
    response.set_to_tag("registrar");
    response.headers.push(header.0, header.1);
    net.send_response(from, PHONE, response);
    net.run(50);
}

fn asked(net: &mut Net, of: usize) -> Request {
    net.run(50);
    net.requests(of).pop().expect("a request")
}

fn registered(net: &mut Net) -> Request {
    let request = asked(net, ONE);
    grant(net, ONE, &request, &[]);
    assert!(is_registered(net));
    request
}

fn state(net: &Net) -> RegistrationState {
    let found = net.nodes[PHONE].history.iter().rev().find_map(|event| match event {
        Event::Registration { state, .. } => Some(state.clone()),
        _ => None,
    });
    found.expect("some state")
}

fn is_registered(net: &Net) -> bool {
    matches!(state(net), RegistrationState::Registered { .. })
}

fn contacts(request: &Request) -> Vec<String> {
    request.headers.get_all(&HeaderName::Contact).map(|value| value.into_owned()).collect()
}

#[test]
fn a_dead_first_server_costs_two_seconds() {
    let mut net = setting(1);
    net.run(2_050);
    let request = asked(&mut net, TWO);
    grant(&mut net, TWO, &request, &[]);
    assert!(is_registered(&net));
    assert!(net.now - net.start < std::time::Duration::from_millis(2_300));
}

#[test]
fn the_preferred_server_is_returned_to_while_the_other_still_holds_the_line() {
    let mut net = setting(2);
    net.run(2_050);
    let request = asked(&mut net, TWO);
    grant(&mut net, TWO, &request, &[]);
    net.inbox_clear(ONE);
    // Its penalty over, it is asked, and is still dead.
    net.run(40_000);
    let number = |request: &Request| request.headers.cseq().unwrap().number;
    let first = net.requests(ONE).iter().map(number).max().expect("asked again after its penalty");
    assert!(is_registered(&net), "the line is not given up for that");
    let mut back = None;
    for _ in 0..900 {
        net.run(100);
        // The first question goes on being repeated; only a new one can bring the line back.
        back = net.requests(ONE).into_iter().find(|request| number(request) > first);
        if back.is_some() {
            break;
        }
    }
    let back = back.expect("asked once more, later");
    grant(&mut net, ONE, &back, &[]);
    let one = net.nodes[ONE].addr;
    assert!(
        matches!(state(&net), RegistrationState::Registered { server, .. } if server.addr == one)
    );
}

#[test]
fn a_new_address_takes_the_old_one_out() {
    let mut net = setting(3);
    registered(&mut net);
    net.nodes[PHONE].addr = ELSEWHERE.parse().unwrap();
    net.act(PHONE, |ua, now| ua.network_changed(now));
    let request = asked(&mut net, ONE);
    let contacts = contacts(&request);
    assert!(contacts[0].contains("192.0.2.77") && contacts[0].contains("reg-id=1"), "{contacts:?}");
    assert_eq!(contacts[1], "<sip:101@192.0.2.3:5060>;expires=0");
    // A registrar that will not have both at once gets the new one alone.
    refuse(&mut net, ONE, &request, 400, (HeaderName::Warning, "399 pbx \"one Contact\""));
    let alone = asked(&mut net, ONE);
    assert_eq!(self::contacts(&alone).len(), 1);
    grant(&mut net, ONE, &alone, &[]);
    assert!(is_registered(&net));
}

#[test]
fn with_a_flow_the_number_replaces_the_old_address() {
    let mut net = setting(4);
    let request = asked(&mut net, ONE);
    assert!(request.headers.supported().contains(&"outbound".to_owned()));
    grant(&mut net, ONE, &request, &[(HeaderName::Require, "outbound")]);
    net.nodes[PHONE].addr = ELSEWHERE.parse().unwrap();
    net.act(PHONE, |ua, now| ua.network_changed(now));
    let request = asked(&mut net, ONE);
    assert_eq!(contacts(&request).len(), 1);
    grant(&mut net, ONE, &request, &[(HeaderName::Require, "outbound")]);
    let account = net.nodes[PHONE].account;
    let call = sip_ua::OutgoingCall::new(uri("sip:102@pbx.example.test"), None);
    net.act(PHONE, |ua, now| ua.invite(now, account, call)).unwrap();
    let invite = asked(&mut net, ONE);
    assert!(contacts(&invite)[0].contains(";ob>"), "{:?}", contacts(&invite));
}

#[test]
fn a_first_hop_without_flows_is_asked_without() {
    let mut net = setting(5);
    let request = asked(&mut net, ONE);
    refuse(&mut net, ONE, &request, 439, (HeaderName::Server, "old"));
    let plain = asked(&mut net, ONE);
    assert!(!contacts(&plain)[0].contains("reg-id"));
    assert!(!plain.headers.supported().contains(&"outbound".to_owned()));
    grant(&mut net, ONE, &plain, &[]);
    assert!(is_registered(&net));
}

#[test]
fn a_failed_flow_is_tried_with_the_next_server() {
    let mut net = setting(6);
    let request = asked(&mut net, ONE);
    refuse(&mut net, ONE, &request, 430, (HeaderName::Server, "edge"));
    let request = asked(&mut net, TWO);
    grant(&mut net, TWO, &request, &[]);
    assert!(is_registered(&net));
}

#[test]
fn a_registrar_may_send_us_elsewhere_but_not_for_ever() {
    let mut net = setting(7);
    let request = asked(&mut net, ONE);
    refuse(&mut net, ONE, &request, 302, (HeaderName::Contact, "<sip:192.0.2.2>"));
    let there = asked(&mut net, TWO);
    assert_eq!(there.uri.as_str(), "sip:192.0.2.2");
    refuse(&mut net, TWO, &there, 302, (HeaderName::Contact, "<sip:192.0.2.1>"));
    let back = asked(&mut net, ONE);
    refuse(&mut net, ONE, &back, 302, (HeaderName::Contact, "<sip:192.0.2.2>"));
    let there = asked(&mut net, TWO);
    refuse(&mut net, TWO, &there, 302, (HeaderName::Contact, "<sip:192.0.2.1>"));
    assert!(matches!(state(&net), RegistrationState::Unreachable { .. }));
}

#[test]
fn a_name_of_our_own_is_our_contact() {
    let mut net = setting(8);
    let request = asked(&mut net, ONE);
    let given = format!(
        "{};expires=300;pub-gruu=\"sip:101@pbx.example.test;gr=urn:uuid:00000000-0000-1000-8000-000A95A0E128\"",
        contacts(&request)[0]
    );
    grant(&mut net, ONE, &request, &[(HeaderName::Contact, &given)]);
    let account = net.nodes[PHONE].account;
    let call = sip_ua::OutgoingCall::new(uri("sip:102@pbx.example.test"), None);
    net.act(PHONE, |ua, now| ua.invite(now, account, call)).unwrap();
    let invite = asked(&mut net, ONE);
    assert!(contacts(&invite)[0].starts_with("<sip:101@pbx.example.test;gr="));
}

#[test]
fn a_call_to_our_instance_finds_its_account() {
    let mut net = setting(22);
    registered(&mut net);
    for (gr, status) in [
        ("urn:uuid:00000000-0000-1000-8000-000A95A0E128", None),
        ("urn:uuid:00000000-0000-1000-8000-000000000000", Some(StatusCode::NOT_FOUND)),
    ] {
        let text = format!(
            "INVITE sip:whoever@192.0.2.3;gr={gr} SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}\r\nFrom: <sip:a@192.0.2.1>;tag=a\r\n\
             To: <sip:whoever@pbx.example.test>\r\nCall-ID: {gr}\r\nCSeq: 1 INVITE\r\n\
             Max-Forwards: 70\r\nContact: <sip:a@192.0.2.1>\r\nContent-Length: 0\r\n\r\n",
            status.is_some()
        );
        net.send(ONE, PHONE, text.into_bytes());
        net.run(50);
        let mut answered = net.responses(ONE).into_iter().map(|response| response.status);
        let refusal = answered.rfind(|status| status.is_final());
        assert_eq!(refusal, status);
        let calls = net.events(PHONE).into_iter().filter(|e| matches!(e, Event::Incoming(_)));
        assert_eq!(calls.count(), usize::from(status.is_none()));
    }
}

#[test]
fn whoever_withholds_the_number_has_a_contact_that_tells_nothing() {
    let mut net = setting(20);
    let request = asked(&mut net, ONE);
    let given = format!(
        "{};expires=300;pub-gruu=\"sip:101@pbx.example.test;gr=urn:uuid:00000000-0000-1000-8000-000A95A0E128\"\
         ;temp-gruu=\"sip:tgruu.7hatz6cn-098shfyq193@pbx.example.test;gr\"",
        contacts(&request)[0]
    );
    grant(&mut net, ONE, &request, &[(HeaderName::Contact, &given)]);
    let account = net.nodes[PHONE].account;
    for (withheld, user) in [(true, "<sip:tgruu.7hatz6cn-098shfyq193@"), (false, "<sip:101@")] {
        let mut call =
            sip_ua::OutgoingCall::new(uri("sip:102@pbx.example.test"), Some(sdp("offer")));
        call.withhold_identity = withheld;
        let id = net.act(PHONE, |ua, now| ua.invite(now, account, call)).unwrap();
        let invite = asked(&mut net, ONE);
        assert!(contacts(&invite)[0].starts_with(user), "{}", contacts(&invite)[0]);
        // And so has what follows inside the call.
        let mut answer = Response::to_request(&invite, StatusCode::OK)
            .header(HeaderName::Contact, "<sip:102@192.0.2.1>")
            .with_body("application/sdp", "v=0 answer");
        answer.set_to_tag("102");
        net.send_response(ONE, PHONE, answer);
        net.run(50);
        net.requests(ONE);
        net.act(PHONE, |ua, now| ua.reoffer(now, id, sdp("hold"))).unwrap();
        let change = asked(&mut net, ONE);
        assert!(contacts(&change)[0].starts_with(user), "{}", contacts(&change)[0]);
        net.inbox_clear(ONE);
    }
}

#[test]
fn a_web_socket_is_ws_in_our_contact_also_inside_tls() {
    for transport in ["ws", "wss"] {
        let mut net = Net::new(21);
        net.add_script("one");
        net.add_script("two");
        net.add_agent("phone", |config| {
            config.registrar = uri(&format!("sip:192.0.2.1:5060;transport={transport}"));
            config.register = true;
        });
        let request = asked(&mut net, ONE);
        assert!(contacts(&request)[0].contains(";transport=ws>"), "{}", contacts(&request)[0]);
        assert_eq!(
            request.headers.via_top().unwrap().transport.to_string(),
            transport.to_ascii_uppercase()
        );
    }
}

#[test]
fn a_datagram_that_cannot_be_sent_is_followed_by_a_question() {
    let mut net = setting(9);
    registered(&mut net);
    let target =
        sip_core::Target { transport: sip_types::Transport::Udp, addr: net.nodes[ONE].addr };
    let reason = "connection refused".to_owned();
    net.act(PHONE, |ua, now| {
        ua.handle_input(now, sip_ua::Input::TransportFailed { target, reason });
    });
    let request = asked(&mut net, ONE);
    grant(&mut net, ONE, &request, &[]);
    assert!(is_registered(&net));
}

#[test]
fn a_server_that_comes_back_is_found_within_three_seconds() {
    for seed in 0..20 {
        let mut net = setting(seed);
        registered(&mut net);
        net.filter = Some(Box::new(|from, _| from == PHONE));
        net.act(PHONE, |ua, now| ua.network_changed(now));
        net.run(20_000);
        assert!(!is_registered(&net));
        net.inbox_clear(ONE);
        net.inbox_clear(TWO);
        net.filter = None;
        net.run(3_000);
        let asked = !net.requests(ONE).is_empty() || !net.requests(TWO).is_empty();
        assert!(asked, "seed {seed}");
    }
}

#[test]
fn no_network_is_said_at_once_and_its_return_is_used_at_once() {
    let mut net = setting(10);
    registered(&mut net);
    net.act(PHONE, |ua, now| ua.network_gone(now));
    assert!(matches!(state(&net), RegistrationState::Unreachable { .. }));
    net.run(5_000);
    assert!(net.requests(ONE).is_empty(), "nothing is sent into the void");
    net.act(PHONE, |ua, now| ua.network_changed(now));
    let request = asked(&mut net, ONE);
    grant(&mut net, ONE, &request, &[]);
    assert!(is_registered(&net));
}

#[test]
fn whoever_has_unregistered_stays_so() {
    let mut net = setting(11);
    registered(&mut net);
    let account = net.nodes[PHONE].account;
    net.act(PHONE, |ua, now| ua.unregister(now, account)).unwrap();
    let leaving = asked(&mut net, ONE);
    grant(&mut net, ONE, &leaving, &[]);
    net.act(PHONE, |ua, now| ua.network_changed(now));
    net.run(5_000);
    assert!(net.requests(ONE).is_empty());
    assert_eq!(state(&net), RegistrationState::Unregistered);
}

// --- calls ---

fn connected(net: &mut Net) -> (SessionId, SessionId) {
    let out = net.dial(ALICE, BOB, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(BOB);
    net.act(BOB, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(1_000);
    net.events(ALICE);
    net.events(BOB);
    (out, inc)
}

/// Alice's address changes.
fn move_alice(net: &mut Net) {
    net.nodes[ALICE].addr = ELSEWHERE.parse().unwrap();
    net.act(ALICE, |ua, now| ua.network_changed(now));
}

fn take_offer(net: &mut Net, session: SessionId, answer: &str) -> sip_ua::Body {
    let offer = net.expect(BOB, |event| match event {
        Event::Reoffered { body, .. } => body.clone(),
        _ => None,
    });
    net.act(BOB, |ua, now| ua.answer_reoffer(now, session, Some(sdp(answer)))).unwrap();
    net.run(200);
    offer
}

#[test]
fn a_call_goes_on_at_the_new_address() {
    let mut net = Net::pair(20);
    let (out, inc) = connected(&mut net);
    move_alice(&mut net);
    let told = net.expect(ALICE, |event| match event {
        Event::AddressChanged { session } => Some(*session),
        _ => None,
    });
    assert_eq!(told, out);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("from elsewhere"))).unwrap();
    net.run(200);
    assert_eq!(take_offer(&mut net, inc, "welcome"), sdp("from elsewhere"));
    // Bob now speaks to the new address.
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(200);
    net.ended(ALICE);
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn an_offer_under_way_is_made_anew() {
    let mut net = Net::pair(21);
    let (out, inc) = connected(&mut net);
    net.filter = Some(Box::new(|from, _| from == ALICE));
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("from the old address"))).unwrap();
    net.run(300);
    net.filter = None;
    move_alice(&mut net);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("from the new one"))).unwrap();
    net.run(200);
    take_offer(&mut net, inc, "welcome");
    net.expect(ALICE, |event| matches!(event, Event::ReofferAnswered { .. }).then_some(()));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_goodbye_is_said_again_over_the_new_way() {
    let mut net = Net::pair(22);
    let (out, _) = connected(&mut net);
    net.filter = Some(Box::new(|from, message| from == ALICE && is_request(message, &Method::Bye)));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(100);
    net.filter = None;
    move_alice(&mut net);
    net.run(100);
    net.ended(BOB);
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_goodbye_without_any_way_waits_for_one() {
    let mut net = Net::pair(23);
    let (out, _) = connected(&mut net);
    net.names.insert("192.0.2.2".to_owned(), Vec::new());
    move_alice(&mut net);
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(10_000);
    net.names.clear();
    net.run(2_100);
    net.ended(BOB);
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_goodbye_that_never_finds_a_way_is_forgotten() {
    let mut net = Net::pair(24);
    let (out, inc) = connected(&mut net);
    net.names.insert("192.0.2.2".to_owned(), Vec::new());
    move_alice(&mut net);
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(40_000);
    assert_eq!(net.nodes[ALICE].agent.as_ref().unwrap().session_count(), 0);
    let _ = inc;
}

#[test]
fn a_moved_call_is_not_given_up_for_one_unanswered_offer() {
    let mut net = Net::pair(25);
    let (out, inc) = connected(&mut net);
    net.filter = Some(Box::new(|from, _| from == ALICE));
    move_alice(&mut net);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("anybody?"))).unwrap();
    net.run(40_000);
    net.expect(ALICE, |event| matches!(event, Event::ReofferFailed { .. }).then_some(()));
    net.filter = None;
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("now?"))).unwrap();
    net.run(200);
    assert_eq!(take_offer(&mut net, inc, "here"), sdp("now?"));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn a_peer_that_knows_no_such_call_ends_it_all_the_same() {
    let mut net = Net::pair(26);
    let (out, inc) = connected(&mut net);
    net.filter = Some(Box::new(|from, _| from == BOB));
    net.act(BOB, |ua, now| ua.hangup(now, inc)).unwrap();
    net.run(40_000);
    net.filter = None;
    move_alice(&mut net);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("still there?"))).unwrap();
    net.run(500);
    net.ended(ALICE);
    net.run(70_000);
    net.assert_quiet();
}

#[test]
fn an_offer_nobody_heard_is_made_at_once_when_the_network_works() {
    let mut net = Net::pair(27);
    let (out, inc) = connected(&mut net);
    net.filter = Some(Box::new(|from, _| from == ALICE));
    move_alice(&mut net);
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("anybody?"))).unwrap();
    // Its next repetition is due at 7.5 s.
    net.run(4_000);
    net.filter = None;
    net.events(ALICE);
    net.act(ALICE, |ua, now| ua.hurry_offer(now, out)).unwrap();
    net.expect(ALICE, |event| matches!(event, Event::AddressChanged { .. }).then_some(()));
    net.act(ALICE, |ua, now| ua.reoffer(now, out, sdp("now?"))).unwrap();
    net.run(100);
    assert_eq!(take_offer(&mut net, inc, "here"), sdp("now?"));
    // One that was heard is left alone.
    net.act(ALICE, |ua, now| ua.hurry_offer(now, out)).unwrap();
    assert!(net.events(ALICE).iter().all(|event| !matches!(event, Event::AddressChanged { .. })));
    net.act(ALICE, |ua, now| ua.hangup(now, out)).unwrap();
    net.run(70_000);
    net.assert_quiet();
}
