//! Transactions over real sockets: what one layer sends, the other understands.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod common;

use std::net::SocketAddr;

use common::{LOCALHOST, Peer, bound, within};
use sip_core::{Event, Input, Output, Random, ServerKey, TimerConfig, TransactionLayer};
use sip_transport::Incoming;
use sip_types::{HeaderName, Method, Request, Response, StatusCode, Transport as Protocol, Uri};
use tokio::time::Instant;

/// A transaction layer on its sockets.
struct Endpoint {
    peer: Peer,
    layer: TransactionLayer,
}

impl Endpoint {
    async fn new(seed: u8) -> Self {
        let random = Random::from_seed([seed; 32]);
        let layer = TransactionLayer::new(TimerConfig::default(), random);
        Self { peer: bound(LOCALHOST).await, layer }
    }

    /// Runs sockets and timers until the layer has something to tell.
    async fn event(&mut self) -> Event {
        loop {
            while let Some(output) = self.layer.poll_output() {
                match output {
                    Output::Transmit(transmit) => self.peer.transport.send(transmit),
                    Output::Event(event) => return event,
                }
            }
            let due = self.layer.poll_timeout().map(Instant::from_std);
            let timer = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                incoming = self.peer.incoming.recv() => {
                    let now = Instant::now().into_std();
                    self.layer.handle_input(now, input(incoming.unwrap()));
                }
                () = timer => self.layer.handle_timeout(Instant::now().into_std()),
            }
        }
    }

    fn respond(&mut self, key: ServerKey, request: &Request, status: StatusCode) {
        let mut response = Response::to_request(request, status);
        response.set_to_tag("callee");
        self.layer.respond(Instant::now().into_std(), &key, response);
    }
}

fn input(incoming: Incoming) -> Input {
    match incoming {
        Incoming::Message { source, message } => Input::Received { source, message },
        Incoming::Malformed { source, error } => Input::Malformed { source, error },
        Incoming::Failed { target, reason, .. } => Input::TransportFailed { target, reason },
        Incoming::Mapped { .. } => panic!("no flow is supervised"),
    }
}

fn invite(to: SocketAddr, protocol: Protocol) -> Request {
    let uri = format!("sip:bob@{to};transport={}", protocol.to_string().to_lowercase());
    Request::new(Method::Invite, Uri::parse(&uri).unwrap())
        .header(HeaderName::MaxForwards, "70")
        .header(HeaderName::From, "<sip:alice@example.com>;tag=caller")
        .header(HeaderName::To, "<sip:bob@example.com>")
        .header(HeaderName::CallId, "call-1")
        .header(HeaderName::CSeq, "1 INVITE")
        .header(HeaderName::Contact, "<sip:alice@example.com>")
}

/// Rings, cancels, ends in 487 and its ACK.
async fn a_cancelled_call(protocol: Protocol) {
    let (mut caller, mut callee) = (Endpoint::new(1).await, Endpoint::new(2).await);
    let request = invite(SocketAddr::new(LOCALHOST, callee.peer.port()), protocol);
    let route = *caller.peer.transport.resolve(&request.uri).await.unwrap().first().unwrap();
    let key = caller.layer.request(Instant::now().into_std(), request, &route);

    let calling = async {
        let ringing = caller.event().await;
        assert!(matches!(&ringing, Event::Response { response, .. }
            if response.status == StatusCode::RINGING));
        let cancel = caller.layer.cancel(Instant::now().into_std(), &key);
        let mut finals = Vec::new();
        while finals.len() < 2 {
            if let Event::Response { key, response, .. } = caller.event().await {
                finals.push((key, response.status));
            }
        }
        finals.sort();
        let expected = [(key, StatusCode::REQUEST_TERMINATED), (cancel.unwrap(), StatusCode::OK)];
        assert_eq!(finals, expected);
    };
    let answering = async {
        let Event::Request { key, request, .. } = callee.event().await else { panic!() };
        callee.respond(key, &request, StatusCode::RINGING);
        assert!(
            matches!(callee.event().await, Event::Cancel { key: cancelled, .. } if cancelled == key)
        );
        callee.respond(key, &request, StatusCode::REQUEST_TERMINATED);
        if protocol.reliable() {
            // The ACK ends the transaction at once on a stream.
            assert!(
                matches!(callee.event().await, Event::ServerTerminated { key: ended } if ended == key)
            );
        } else {
            // Let the answer leave.
            while let Some(Output::Transmit(transmit)) = callee.layer.poll_output() {
                callee.peer.transport.send(transmit);
            }
        }
    };
    within(async { tokio::join!(calling, answering) }).await;
}

#[tokio::test]
async fn a_call_is_cancelled_over_udp() {
    a_cancelled_call(Protocol::Udp).await;
}

#[tokio::test]
async fn a_call_is_cancelled_over_tcp() {
    a_cancelled_call(Protocol::Tcp).await;
}
