//! SIP over WebSocket on the loopback interface (RFC 7118).

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[path = "common/authority.rs"]
mod authority;
mod common;
#[path = "common/names.rs"]
mod names;

use std::time::Duration;

use authority::{Authority, dns};
use common::{
    LOCALHOST, Peer, bind, config, expect_cause, expect_message, options, response_to, within,
};
use futures_util::{SinkExt, StreamExt};
use names::Names;
use sip_core::{Target, Transmit};
use sip_transport::{FailureCause, Peering, TlsFailure, TransportConfig, Watch};
use sip_types::{Message, Uri};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

const DOMAIN: &str = "edge.example.com";

async fn phone(config: TransportConfig) -> Peer {
    let names = Names::with_ttl(60).address(DOMAIN, "127.0.0.1");
    bind(TransportConfig { name_servers: vec![names.serve().await], ..config }).await
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn call(peer: &Peer, protocol: &str, port: u16) -> Target {
    let uri = Uri::parse(&format!("sip:{DOMAIN}:{port};transport={protocol}")).unwrap();
    let route = within(peer.transport.resolve(&uri)).await.unwrap()[0];
    let request = options(route.target.transport, route.local, "x");
    peer.transport.send(Transmit::new(route.target, request));
    route.target
}

/// A server that offers SIP at `path` and nothing elsewhere.
async fn accept<S>(stream: S, path: &str, host: &str) -> Option<WebSocketStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    #[expect(clippy::result_large_err, reason = "the callback's form is the library's")]
    let check = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        if request.uri().path() != path || request.headers()["host"] != host {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = 404.try_into().unwrap();
            return Err(refusal);
        }
        assert_eq!(request.headers()["sec-websocket-protocol"], "sip");
        let sip = HeaderValue::from_static("sip");
        response.headers_mut().insert("sec-websocket-protocol", sip);
        Ok(response)
    };
    within(tokio_tungstenite::accept_hdr_async(stream, check)).await.ok()
}

async fn next_frame<S>(server: &mut WebSocketStream<S>) -> Frame
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    within(server.next()).await.unwrap().unwrap()
}

async fn exchange<S>(phone: &mut Peer, mut server: WebSocketStream<S>, target: Target)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Frame::Text(text) = next_frame(&mut server).await else { panic!() };
    let request = Message::parse(text.as_bytes()).unwrap();
    let via = format!("SIP/2.0/{} ", target.transport);
    assert!(text.contains(&via), "{text}");
    let answer = response_to(&request);
    // One message in each frame, text or not.
    for frame in [Frame::text(String::from_utf8(answer.clone()).unwrap()), Frame::binary(answer)] {
        server.send(frame).await.unwrap();
        let (source, message) = expect_message(phone).await;
        assert_eq!(source.back(), target);
        assert!(matches!(message, Message::Response(_)));
    }
    server.send(Frame::text("\r\n\r\n")).await.unwrap();
    assert_eq!(next_frame(&mut server).await, Frame::text("\r\n"));
    server.send(Frame::Ping(b"you?".to_vec().into())).await.unwrap();
    assert_eq!(next_frame(&mut server).await, Frame::Pong(b"you?".to_vec().into()));
    // The connection is used again.
    phone.transport.send(Transmit::new(target, options(target.transport, target.addr, "y")));
    assert!(matches!(next_frame(&mut server).await, Frame::Text(_)));
    server.close(None).await.unwrap();
    assert_eq!(expect_cause(phone).await, (target, FailureCause::Closed));
}

#[tokio::test]
async fn messages_go_both_ways_in_the_open() {
    let (listener, port) = listen().await;
    let mut phone = phone(config()).await;
    let target = call(&phone, "ws", port).await;
    let (stream, _) = within(listener.accept()).await.unwrap();
    let server = accept(stream, "/ws", &format!("{DOMAIN}:{port}")).await.unwrap();
    exchange(&mut phone, server, target).await;
}

#[tokio::test]
async fn messages_go_both_ways_inside_tls_at_the_domains_path() {
    let (listener, port) = listen().await;
    let authority = Authority::new();
    let mut phone = phone(config()).await;
    let websocket_path = Some("/sip/edge".to_owned());
    phone.transport.set_peering(DOMAIN, Peering { anchors: authority.anchors(), websocket_path });
    let target = call(&phone, "wss", port).await;
    let (stream, _) = within(listener.accept()).await.unwrap();
    let stream = within(authority.server(&dns(&[DOMAIN])).accept(stream)).await.unwrap();
    let server = accept(stream, "/sip/edge", &format!("{DOMAIN}:{port}")).await.unwrap();
    exchange(&mut phone, server, target).await;
}

#[tokio::test]
async fn tls_is_checked_as_strictly_as_ever() {
    let (listener, port) = listen().await;
    let authority = Authority::new();
    let mut phone = phone(TransportConfig { anchors: authority.anchors(), ..config() }).await;
    let target = call(&phone, "wss", port).await;
    let (stream, _) = within(listener.accept()).await.unwrap();
    drop(within(authority.server(&dns(&["a.example"])).accept(stream)).await);
    let wrong = FailureCause::Tls(TlsFailure::WrongName);
    assert_eq!(expect_cause(&mut phone).await, (target, wrong));
}

#[tokio::test]
async fn a_server_that_offers_no_sip_is_told_apart() {
    for answer in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "SIP/2.0 400 Bad Request\r\n\r\n",
    ] {
        let (listener, port) = listen().await;
        let mut phone = phone(config()).await;
        let target = call(&phone, "ws", port).await;
        let (mut stream, _) = within(listener.accept()).await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(within(stream.read_u8()).await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        let outcome = expect_cause(&mut phone).await;
        assert_eq!(outcome, (target, FailureCause::WebSocket), "{answer}");
    }
    // One that opens a WebSocket, and not for SIP.
    let (listener, port) = listen().await;
    let mut phone = phone(config()).await;
    let target = call(&phone, "ws", port).await;
    let (stream, _) = within(listener.accept()).await.unwrap();
    let server = within(tokio_tungstenite::accept_async(stream)).await;
    assert_eq!(expect_cause(&mut phone).await, (target, FailureCause::WebSocket));
    drop(server);
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_ends() {
    let (listener, port) = listen().await;
    let soon = Duration::from_millis(50);
    let mut phone = phone(TransportConfig { handshake_timeout: soon, ..config() }).await;
    let target = call(&phone, "ws", port).await;
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    stream.write_all(b"HTTP/1.1 101 Sw").await.unwrap();
    assert_eq!(expect_cause(&mut phone).await, (target, FailureCause::Timeout));
}

#[tokio::test]
async fn a_silent_server_is_noticed_by_pings() {
    let (listener, port) = listen().await;
    let soon = Duration::from_millis(40);
    let times = TransportConfig { ping_interval: soon, pong_timeout: soon * 10, ..config() };
    let mut phone = phone(times).await;
    let target = call(&phone, "ws", port).await;
    phone.transport.keep_alive(target, Watch::Watched);
    let (stream, _) = within(listener.accept()).await.unwrap();
    let mut server = accept(stream, "/ws", &format!("{DOMAIN}:{port}")).await.unwrap();
    assert!(matches!(next_frame(&mut server).await, Frame::Text(_)));
    // Reading answers pings; then nobody reads any more.
    assert!(matches!(next_frame(&mut server).await, Frame::Ping(_)));
    assert!(matches!(next_frame(&mut server).await, Frame::Ping(_)));
    assert_eq!(expect_cause(&mut phone).await, (target, FailureCause::Timeout));
}

#[tokio::test]
async fn a_message_beyond_the_limits_ends_the_connection() {
    let (listener, port) = listen().await;
    let mut limits = config();
    limits.framing.head = 500;
    limits.framing.body = 500;
    let mut phone = phone(limits).await;
    let target = call(&phone, "ws", port).await;
    let (stream, _) = within(listener.accept()).await.unwrap();
    let mut server = accept(stream, "/ws", &format!("{DOMAIN}:{port}")).await.unwrap();
    server.send(Frame::text("x".repeat(1001))).await.unwrap();
    assert_eq!(expect_cause(&mut phone).await, (target, FailureCause::Nonsense));
}
