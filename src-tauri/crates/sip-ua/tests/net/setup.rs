//! What many tests begin and end with: node 0 is the user agent under test, node 1 its peer.

use sip_types::{HeaderName, Method, Request, Response, StatusCode};
use sip_ua::{Body, EarlyDialogId, Event, SessionId};

use super::{Net, is_request, sdp, uri};

pub const ALICE: usize = 0;
pub const BOB: usize = 1;

/// A call from Alice that has been answered; what happened so far is forgotten.
pub fn connected(net: &mut Net, to: usize) -> (SessionId, SessionId) {
    let out = net.dial(ALICE, to, Some(sdp("offer")));
    net.run(100);
    let inc = net.incoming(to);
    net.act(to, |ua, now| ua.accept(now, inc, Some(sdp("answer")))).unwrap();
    net.run(1000);
    net.events(ALICE);
    net.events(to);
    net.log.clear();
    (out, inc)
}

/// Alice hangs up, and nothing is left over.
pub fn part(net: &mut Net, session: SessionId) {
    net.act(ALICE, |ua, now| ua.hangup(now, session)).unwrap();
    net.run(250_000);
    net.assert_quiet();
}

/// How many requests of a method were sent.
pub fn count(net: &Net, method: &Method) -> usize {
    net.log.iter().filter(|entry| is_request(&entry.message, method)).count()
}

/// A response of the scripted Bob.
pub fn reply(request: &Request, code: u16) -> Response {
    reply_as(request, code, "bob")
}

/// A response of one of the telephones that the scripted Bob plays, with a tag and a Contact of its own.
pub fn reply_as(request: &Request, code: u16, tag: &str) -> Response {
    let mut response = Response::to_request(request, StatusCode::new(code).unwrap());
    response.set_to_tag(tag);
    response.headers.push(HeaderName::Contact, format!("<sip:{tag}@192.0.2.2>"));
    response
}

/// The first request of a method that the scripted Bob has received.
pub fn one(net: &mut Net, method: &Method) -> Request {
    net.run(100);
    let requests = net.requests(BOB);
    let found = requests.iter().find(|request| request.method == *method);
    found.unwrap_or_else(|| panic!("no {method} among {requests:#?}")).clone()
}

/// Alice talks to a scripted Bob, who answers with these headers besides.
pub fn talking(net: &mut Net, extra: &[(HeaderName, &str)]) -> (SessionId, Request) {
    let id = net.dial(ALICE, BOB, Some(sdp("offer")));
    let invite = one(net, &Method::Invite);
    let mut answer = reply(&invite, 200).with_body("application/sdp", "v=0 answer");
    for (name, value) in extra {
        answer.headers.push(name.clone(), *value);
    }
    net.send_response(BOB, ALICE, answer);
    one(net, &Method::Ack);
    net.events(ALICE);
    (id, invite)
}

/// A request of the scripted Bob in the dialog that Alice's INVITE has founded with him.
pub fn inside(invite: &Request, method: &Method, seq: u32) -> Request {
    Request::new(method.clone(), uri("sip:alice@192.0.2.1"))
        .header(HeaderName::Via, format!("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{method}{seq}"))
        .header(HeaderName::From, format!("{};tag=bob", invite.headers.to().unwrap()))
        .header(HeaderName::To, invite.headers.from().unwrap().to_string())
        .header(HeaderName::CallId, invite.headers.call_id().unwrap())
        .header(HeaderName::CSeq, format!("{seq} {method}"))
        .header(HeaderName::Contact, "<sip:moved@192.0.2.2>")
        .header(HeaderName::Allow, "INVITE, UPDATE")
}

/// The scripted Bob calls Alice, with these headers besides.
pub fn invited(net: &mut Net, headers: &str, body: &str) -> SessionId {
    invite(net, headers, body);
    net.incoming(ALICE)
}

/// The same without a word on what becomes of it.
pub fn invite(net: &mut Net, headers: &str, body: &str) {
    let text = format!(
        "INVITE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKi\r\n\
         From: <sip:bob@192.0.2.2>;tag=b\r\nTo: <sip:alice@192.0.2.1>\r\nCall-ID: c\r\n\
         CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:bob@192.0.2.2>\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    net.send(BOB, ALICE, text.into_bytes());
    net.run(100);
}

/// A request of the scripted Bob in the dialog of that response to his INVITE. A PRACK acknowledges the response.
pub fn within(of: &Response, method: &Method, seq: u32) -> Request {
    let request = Request::new(method.clone(), uri("sip:alice@192.0.2.1"))
        .header(HeaderName::Via, format!("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{method}{seq}"))
        .header(HeaderName::From, of.headers.from().unwrap().to_string())
        .header(HeaderName::To, of.headers.to().unwrap().to_string())
        .header(HeaderName::CallId, of.headers.call_id().unwrap())
        .header(HeaderName::CSeq, format!("{seq} {method}"))
        .header(HeaderName::Contact, "<sip:bob@192.0.2.2>");
    match of.headers.rseq().unwrap().filter(|_| *method == Method::Prack) {
        Some(rseq) => request.header(HeaderName::RAck, format!("{rseq} 1 INVITE")),
        None => request,
    }
}

/// The change that a peer wants: which telephone, how, and its offer.
pub fn reoffered(net: &mut Net, node: usize) -> (Option<EarlyDialogId>, Method, Option<Body>) {
    net.expect(node, |event| match event {
        Event::Reoffered { early_dialog, by, body, .. } => {
            Some((*early_dialog, by.clone(), body.clone()))
        }
        _ => None,
    })
}

/// The answer to a change of our own.
pub fn reoffer_answered(net: &mut Net, node: usize) -> Option<Body> {
    net.expect(node, |event| match event {
        Event::ReofferAnswered { body, .. } => Some(body.clone()),
        _ => None,
    })
}
