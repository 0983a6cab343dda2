//! TLS on the loopback interface: who is believed and who is not (RFC 5922).

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[path = "common/authority.rs"]
mod authority;
mod common;
#[path = "common/names.rs"]
mod names;

use std::net::SocketAddr;
use std::time::Duration;

use authority::{Authority, common_name, dns, expired, not_yet_valid, uris};
use common::{
    LOCALHOST, Peer, bind, config, expect_cause, expect_message, options, response_to, within,
};
use names::Names;
use rcgen::CertificateParams;
use sip_core::{Route, Target, Transmit};
use sip_transport::{FailureCause, Peering, ResolveError, TlsFailure, TransportConfig, Watch};
use sip_types::{Message, Transport as Protocol, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const DOMAIN: &str = "pbx.example.com";

/// A phone that knows the domains of the tests, all on this machine.
async fn phone(config: TransportConfig) -> Peer {
    let names = Names::with_ttl(60)
        .address(DOMAIN, "127.0.0.1")
        .address("other.example.com", "127.0.0.1")
        .address("sbc.example.net", "127.0.0.1");
    bind(TransportConfig { name_servers: vec![names.serve().await], ..config }).await
}

async fn locate(peer: &Peer, uri: &str) -> Result<Route, ResolveError> {
    let routes = within(peer.transport.resolve(&Uri::parse(uri).unwrap())).await?;
    Ok(routes[0])
}

/// Opens a connection to what `uri` says and sends a request.
async fn call(peer: &Peer, uri: &str) -> Target {
    let route = locate(peer, uri).await.unwrap();
    let request = options(Protocol::Tls, route.local, "x");
    peer.transport.send(Transmit::new(route.target, request));
    route.target
}

/// Accepts one connection; `None` when the other side does not like us.
async fn accept(listener: &TcpListener, server: &TlsAcceptor) -> Option<TlsStream<TcpStream>> {
    let (stream, _) = within(listener.accept()).await.unwrap();
    within(server.accept(stream)).await.ok()
}

async fn read_request(stream: &mut TlsStream<TcpStream>) -> Message {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(within(stream.read_u8()).await.unwrap());
    }
    Message::parse(&bytes).unwrap()
}

/// How a phone that trusts the test's authority gets on with a server with this certificate.
async fn outcome(params: &CertificateParams, host: &str) -> Result<(), FailureCause> {
    let authority = Authority::new();
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut phone = phone(TransportConfig { anchors: authority.anchors(), ..config() }).await;
    let server = authority.server(params);
    let target = call(&phone, &format!("sips:{host}:{port}")).await;
    // In TLS 1.3 the server is done before the phone has judged it.
    if let Some(mut stream) = accept(&listener, &server).await
        && within(stream.read(&mut [0; 1])).await.is_ok_and(|len| len == 1)
    {
        return Ok(());
    }
    Err(failure(&mut phone, target).await)
}

async fn failure(phone: &mut Peer, target: Target) -> FailureCause {
    let (failed, cause) = expect_cause(phone).await;
    assert_eq!(failed, target);
    cause
}

#[tokio::test]
async fn requests_and_answers_over_one_connection_in_each_version() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let authority = Authority::new();
        let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut phone = phone(TransportConfig { anchors: authority.anchors(), ..config() }).await;
        let server = authority.vouch(&dns(&[DOMAIN]), &[version]);
        let uri = format!("sip:{DOMAIN}:{port};transport=tls");
        let target = call(&phone, &uri).await;
        let mut stream = accept(&listener, &server).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(stream.get_ref().1.server_name(), Some(DOMAIN));
        for _ in 0..3 {
            let request = read_request(&mut stream).await;
            stream.write_all(&response_to(&request)).await.unwrap();
            let (source, _) = expect_message(&mut phone).await;
            assert_eq!(source.back(), target);
            assert_eq!(source.transport, Protocol::Tls);
            call(&phone, &uri).await;
        }
        drop(stream);
        assert_eq!(failure(&mut phone, target).await, FailureCause::Closed);
    }
}

#[tokio::test]
async fn a_certificate_must_name_the_domain() {
    let wrong = Err(FailureCause::Tls(TlsFailure::WrongName));
    for (params, host, expected) in [
        (dns(&[DOMAIN]), DOMAIN, Ok(())),
        (dns(&["a.example", "PBX.Example.Com"]), DOMAIN, Ok(())),
        (uris(&["sip:pbx.example.com"]), DOMAIN, Ok(())),
        (dns(&["127.0.0.1"]), "127.0.0.1", Ok(())),
        (dns(&["example.com"]), DOMAIN, wrong),
        (dns(&["sub.pbx.example.com"]), DOMAIN, wrong),
        (uris(&["sip:alice@pbx.example.com"]), DOMAIN, wrong),
        (uris(&["sips:pbx.example.com"]), DOMAIN, wrong),
        (uris(&["https://pbx.example.com"]), DOMAIN, wrong),
        (common_name(DOMAIN), DOMAIN, wrong),
        (dns(&[DOMAIN]), "127.0.0.1", wrong),
        (dns(&["*.example.com"]), DOMAIN, Err(FailureCause::Tls(TlsFailure::OnlyWildcard))),
    ] {
        let names = format!("{:?} for {host}", params.subject_alt_names);
        assert_eq!(outcome(&params, host).await, expected, "{names}");
    }
}

#[tokio::test]
async fn a_certificate_must_be_of_today() {
    let expired = outcome(&expired(&[DOMAIN]), DOMAIN).await;
    assert_eq!(expired, Err(FailureCause::Tls(TlsFailure::Expired)));
    let early = outcome(&not_yet_valid(&[DOMAIN]), DOMAIN).await;
    assert_eq!(early, Err(FailureCause::Tls(TlsFailure::NotYetValid)));
}

#[tokio::test]
async fn an_unknown_authority_counts_once_it_is_added_for_the_domain() {
    let authority = Authority::new();
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut phone = phone(config()).await;
    let server = authority.server(&dns(&[DOMAIN, "other.example.com"]));
    let peering = Peering { anchors: authority.anchors(), ..Peering::default() };
    let unknown = FailureCause::Tls(TlsFailure::UnknownIssuer);
    for trusted in [None, Some("other.example.com")] {
        if let Some(domain) = trusted {
            phone.transport.set_peering(domain, peering.clone());
        }
        let target = call(&phone, &format!("sips:{DOMAIN}:{port}")).await;
        drop(accept(&listener, &server).await);
        assert_eq!(failure(&mut phone, target).await, unknown, "trusted for {trusted:?}");
    }
    phone.transport.set_peering("PBX.example.com", peering);
    call(&phone, &format!("sips:{DOMAIN}:{port}")).await;
    let mut stream = accept(&listener, &server).await.unwrap();
    read_request(&mut stream).await;
}

#[tokio::test]
async fn the_name_before_srv_is_what_counts() {
    let authority = Authority::new();
    for (certified, good) in [("sbc.example.net", false), (DOMAIN, true)] {
        let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let names = Names::with_ttl(60)
            .srv("_sips._tcp.pbx.example.com", 1, port, "sbc.example.net.")
            .address("sbc.example.net", "127.0.0.1");
        let name_servers = vec![names.serve().await];
        let anchors = authority.anchors();
        let mut phone = bind(TransportConfig { name_servers, anchors, ..config() }).await;
        let server = authority.server(&dns(&[certified]));
        let target = call(&phone, &format!("sips:{DOMAIN}")).await;
        assert_eq!(target.addr.port(), port);
        let accepted = accept(&listener, &server).await;
        if good {
            read_request(&mut accepted.unwrap()).await;
        } else {
            drop(accepted);
            let cause = failure(&mut phone, target).await;
            assert_eq!(cause, FailureCause::Tls(TlsFailure::WrongName));
        }
    }
}

#[tokio::test]
async fn an_open_connection_serves_only_names_it_has_proved() {
    let authority = Authority::new();
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let phone = phone(TransportConfig { anchors: authority.anchors(), ..config() }).await;
    let server = authority.server(&dns(&[DOMAIN, "other.example.com"]));
    call(&phone, &format!("sips:{DOMAIN}:{port}")).await;
    let mut stream = accept(&listener, &server).await.unwrap();
    read_request(&mut stream).await;
    let stranger = locate(&phone, &format!("sips:sbc.example.net:{port}")).await;
    assert_eq!(stranger, Err(ResolveError::OtherIdentity("sbc.example.net".to_owned())));
    // A name it does prove goes over the same connection.
    call(&phone, &format!("sips:other.example.com:{port}")).await;
    read_request(&mut stream).await;
}

#[tokio::test]
async fn a_strange_name_shuts_nobody_out_for_long() {
    let authority = Authority::new();
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut phone = phone(TransportConfig { anchors: authority.anchors(), ..config() }).await;
    let server = authority.server(&dns(&[DOMAIN]));
    // Both names are known before the server has shown anything.
    locate(&phone, &format!("sips:{DOMAIN}:{port}")).await.unwrap();
    let target = call(&phone, &format!("sips:sbc.example.net:{port}")).await;
    drop(accept(&listener, &server).await);
    let cause = failure(&mut phone, target).await;
    assert_eq!(cause, FailureCause::Tls(TlsFailure::WrongName));
    call(&phone, &format!("sips:{DOMAIN}:{port}")).await;
    read_request(&mut accept(&listener, &server).await.unwrap()).await;
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_apart() {
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut phone = phone(config()).await;
    let target = call(&phone, &format!("sips:{DOMAIN}:{port}")).await;
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    stream.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n").await.unwrap();
    assert_eq!(failure(&mut phone, target).await, FailureCause::Tls(TlsFailure::NotTls));
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_ends() {
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let soon = Duration::from_millis(50);
    let mut phone = phone(TransportConfig { handshake_timeout: soon, ..config() }).await;
    let target = call(&phone, &format!("sips:{DOMAIN}:{port}")).await;
    let (stream, _) = within(listener.accept()).await.unwrap();
    assert_eq!(failure(&mut phone, target).await, FailureCause::Timeout);
    drop(stream);
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_noticed() {
    let authority = Authority::new();
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let soon = Duration::from_millis(40);
    let times = TransportConfig {
        anchors: authority.anchors(),
        ping_interval: soon,
        pong_timeout: soon,
        ..config()
    };
    let mut phone = phone(times).await;
    let server = authority.server(&dns(&[DOMAIN]));
    let route = locate(&phone, &format!("sips:{DOMAIN}:{port}")).await.unwrap();
    phone.transport.keep_alive(route.target, Watch::Watched);
    let target = call(&phone, &format!("sips:{DOMAIN}:{port}")).await;
    let mut stream = accept(&listener, &server).await.unwrap();
    read_request(&mut stream).await;
    // The other side is there and says nothing, as after the loss of its power.
    assert_eq!(failure(&mut phone, target).await, FailureCause::Timeout);
}

#[tokio::test]
async fn without_a_name_the_address_must_be_proved() {
    let authority = Authority::new();
    let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let addr: SocketAddr = listener.local_addr().unwrap();
    let mut phone = phone(TransportConfig { anchors: authority.anchors(), ..config() }).await;
    let target = Target { transport: Protocol::Tls, addr };
    phone.transport.send(Transmit::new(target, options(Protocol::Tls, addr, "x")));
    drop(accept(&listener, &authority.server(&dns(&[DOMAIN]))).await);
    let cause = failure(&mut phone, target).await;
    assert_eq!(cause, FailureCause::Tls(TlsFailure::WrongName));
}
