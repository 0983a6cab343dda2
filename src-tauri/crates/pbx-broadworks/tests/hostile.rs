//! Bad servers over real sockets: each ends in a clear error, within limits, and nothing else breaks.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::time::Duration;

use pbx_broadworks::{
    Actions, Anchors, Client, ClientConfig, Credentials, DocumentError, Gate, HttpFailure, Lane,
    Notice, Release, Service, XsiError, limits,
    session::{SessionConfig, SessionState},
};
use secrecy::SecretString;
use sip_core::Random;
use support::{Reply, Request, Server, chunk};
use tokio::{sync::mpsc, time::timeout};

/// What a test waits for at most; far more than is needed.
const PATIENCE: Duration = Duration::from_secs(30);

fn actions() -> Actions {
    Actions::new("jan@pbx.example", Release::R21).unwrap()
}

fn client(url: &str, anchors: Anchors) -> (Client, mpsc::Receiver<Notice>) {
    let service = Service::from_addresses(url, "").unwrap();
    let session = SessionConfig::new("jan@pbx.example", "set-1", "balie");
    let config = ClientConfig { session, service, anchors, proxies: false };
    Client::start(config, Random::from_seed([8; 32])).unwrap()
}

fn password() -> Credentials {
    let password = SecretString::from("geheim".to_owned());
    Credentials::Basic { user: "jan@pbx.example".to_owned(), password }
}

async fn signed_in(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Client, Server) {
    let server = Server::start(answer).await;
    let (client, _notices) = client(&server.url(), Anchors::default());
    client.sign_in(password()).await;
    (client, server)
}

async fn ask(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> XsiError {
    let (client, _server) = signed_in(answer).await;
    let asked = client.run(actions().profile().unwrap(), Lane::Interactive);
    timeout(PATIENCE, asked).await.expect("an end").expect_err("an error")
}

#[tokio::test]
async fn answers_that_are_no_answers_end_in_clear_errors() {
    let page = "<!DOCTYPE html><html><body>Welcome to the hotel</body></html>";
    let error = ask(move |_| Reply::new(200, "text/html", page)).await;
    assert_eq!(error, XsiError::Document(DocumentError::WebPage));

    let error =
        ask(|_| Reply::new(200, "application/xml; charset=klingon", b"<Profile>\xe9</Profile>"))
            .await;
    assert_eq!(error, XsiError::Document(DocumentError::Charset));

    let deep = "<a>".repeat(limits::DEPTH + 10);
    let error = ask(move |_| Reply::xml(&deep)).await;
    assert_eq!(error, XsiError::Document(DocumentError::TooLarge));

    let bomb = "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;'>]><Profile>&c;</Profile>";
    let error = ask(move |_| Reply::xml(bomb)).await;
    assert_eq!(error, XsiError::Document(DocumentError::Malformed));

    let error = ask(|_| Reply::new(200, "application/json", "{\"Profile\":")).await;
    assert_eq!(error, XsiError::Document(DocumentError::Malformed));

    let error = ask(|_| Reply::new(200, "application/xml", "")).await;
    assert!(matches!(error, XsiError::Document(DocumentError::Missing(_))));

    let error =
        ask(|_| Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<Prof".to_vec())).await;
    assert_eq!(error, XsiError::Http(HttpFailure::Broken));

    let error = ask(|_| Reply::Last(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())).await;
    assert_eq!(error, XsiError::Http(HttpFailure::Broken));

    // Half of a chunked answer, and then half of the connection.
    let half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n<Profile><det";
    let error = ask(|_| Reply::Half(half.to_vec())).await;
    assert_eq!(error, XsiError::Http(HttpFailure::Broken));

    let error = ask(|_| Reply::Half(Vec::new())).await;
    assert_eq!(error, XsiError::Http(HttpFailure::Broken));
}

#[tokio::test]
async fn answers_without_end_are_cut_off() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n";
    let announced = [&head[..], b"Content-Length: 104857600\r\n\r\n"].concat();
    let error = ask(move |_| Reply::Endless(announced.clone(), vec![b' '; 65_536])).await;
    assert_eq!(error, XsiError::Http(HttpFailure::TooLarge));

    let chunked = [&head[..], b"Transfer-Encoding: chunked\r\n\r\n"].concat();
    let error = ask(move |_| Reply::Endless(chunked.clone(), chunk(vec![b'<'; 65_536]))).await;
    assert_eq!(error, XsiError::Http(HttpFailure::TooLarge));

    let error = ask(|_| {
        Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X-More: and more\r\n".repeat(500))
    })
    .await;
    assert_eq!(error, XsiError::Http(HttpFailure::Broken));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (client, _notices) = client(&format!("http://{address}"), Anchors::default());
    client.sign_in(password()).await;
    let result = client.run(actions().profile().unwrap(), Lane::Interactive).await;
    assert_eq!(result.err(), Some(XsiError::Http(HttpFailure::Unreachable)));
}

#[tokio::test]
async fn a_wrong_password_reaches_the_server_once() {
    let server = Server::start(|_| Reply::new(401, "text/html", "<html>no</html>")).await;
    let (client, mut notices) = client(&server.url(), Anchors::default());
    client.events(true).await;
    client.sign_in(password()).await;
    let ask = || client.run(actions().profile().unwrap(), Lane::Interactive);
    let results = timeout(PATIENCE, async { tokio::join!(ask(), ask(), ask(), ask(), ask()) });
    let (a, b, c, d, e) = results.await.unwrap();
    for result in [a, b, c, d, e] {
        assert_eq!(result.err(), Some(XsiError::CredentialsRefused));
    }
    loop {
        let notice = timeout(PATIENCE, notices.recv()).await.unwrap().unwrap();
        if notice == Notice::Gate(Gate::Refused) {
            break;
        }
    }
    assert_eq!(ask().await.err(), Some(XsiError::CredentialsRefused));
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].header("authorization"), Some("Basic amFuQHBieC5leGFtcGxlOmdlaGVpbQ=="));
}

#[tokio::test]
async fn an_expired_password_is_tried_once_and_named_in_the_servers_words() {
    let said = "<ErrorInfo xmlns='http://schema.broadsoft.com/xsi'><summary>[Error 9] Verlopen</summary>\
                <summaryEnglish>Expired</summaryEnglish><errorCode>9</errorCode></ErrorInfo>";
    let server = Server::start(move |_| Reply::new(401, "application/xml", said)).await;
    let (client, mut notices) = client(&server.url(), Anchors::default());
    client.events(true).await;
    client.sign_in(password()).await;
    let result = client.run(actions().profile().unwrap(), Lane::Interactive).await;
    assert_eq!(result.err(), Some(XsiError::CredentialsRefused));
    let words = loop {
        match timeout(PATIENCE, notices.recv()).await.unwrap().unwrap() {
            Notice::Refusal(info) => break info.words().to_owned(),
            Notice::Gate(Gate::Refused) => panic!("the words come first"),
            _ => {}
        }
    };
    assert_eq!(words, "Verlopen");
    client.network_changed().await;
    client.events(true).await;
    let result = client.run(actions().profile().unwrap(), Lane::Interactive).await;
    assert_eq!(result.err(), Some(XsiError::CredentialsRefused));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirection_to_a_stranger() {
    let thief = Server::start(|_| Reply::xml("<Profile/>")).await;
    let away = format!("Location: http://localhost:{}/steal\r\n", thief.address.port());
    let error = ask(move |_| Reply::with(302, "text/plain", &away, "")).await;
    assert!(matches!(error, XsiError::Refused { status: 302, .. }), "{error:?}");
    assert!(thief.requests().is_empty());
}

#[tokio::test]
async fn an_untrusted_server_gets_nothing() {
    let trusted = Tls::start("localhost", None).await;
    let (client_, _notices) = client(&trusted.url("localhost"), Anchors::default());
    client_.sign_in(password()).await;
    let result = client_.run(actions().profile().unwrap(), Lane::Interactive).await;
    let Err(XsiError::Http(HttpFailure::Tls(words))) = result else { panic!("{result:?}") };
    assert!(words.contains("nobody we trust"), "{words}");

    let anchors = Anchors::from_pem(trusted.pem.as_bytes()).unwrap();
    let (client_, _notices) = client(&trusted.url("localhost"), anchors.clone());
    client_.sign_in(password()).await;
    let profile = client_.run(actions().profile().unwrap(), Lane::Interactive).await.unwrap();
    assert_eq!(profile.user_id, "jan@pbx.example");

    // The right authority, but another name.
    let (client_, _notices) = client(&trusted.url("127.0.0.1"), anchors);
    client_.sign_in(password()).await;
    let result = client_.run(actions().profile().unwrap(), Lane::Interactive).await;
    let Err(XsiError::Http(HttpFailure::Tls(words))) = result else { panic!("{result:?}") };
    assert!(words.contains("another name"), "{words}");
}

#[tokio::test]
async fn a_certificate_that_has_run_out_or_is_not_yet_good_is_named() {
    for (from, to, expected) in [(2019, 2020, "has expired"), (4000, 4001, "not valid yet")] {
        let server = Tls::start("localhost", Some((from, to))).await;
        let anchors = Anchors::from_pem(server.pem.as_bytes()).unwrap();
        let (client, _notices) = client(&server.url("localhost"), anchors);
        client.sign_in(password()).await;
        let result = client.run(actions().profile().unwrap(), Lane::Interactive).await;
        let Err(XsiError::Http(HttpFailure::Tls(words))) = result else { panic!("{result:?}") };
        assert!(words.contains(expected), "{words}");
    }
}

/// From the beginning of which year to that of which other a certificate holds; as usual if not said.
type Period = Option<(i32, i32)>;

/// A server behind TLS with a certificate of its own.
struct Tls {
    port: u16,
    pem: String,
}

impl Tls {
    async fn start(name: &str, period: Period) -> Self {
        use std::sync::{Arc, Mutex};
        use tokio_rustls::{TlsAcceptor, rustls};
        let mut wish = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        if let Some((from, to)) = period {
            wish.not_before = rcgen::date_time_ymd(from, 1, 1);
            wish.not_after = rcgen::date_time_ymd(to, 1, 1);
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let made = wish.self_signed(&key).unwrap();
        let (pem, der) = (made.pem(), made.der().clone());
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        let answer = |_: &Request| {
                            Reply::xml(
                                "<Profile><details><userId>jan@pbx.example</userId></details></Profile>",
                            )
                        };
                        support::serve(stream, 1, &answer, &Mutex::default()).await;
                    }
                });
            }
        });
        Self { port, pem }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }
}

#[tokio::test]
async fn a_channel_that_brings_rubbish_is_opened_again() {
    for rubbish in ["<html><body>Sign in</body></html>", "<!DOCTYPE html>", "</a>"] {
        let server = Server::start(move |request| {
            if !request.target.ends_with("/v2.0/channel") {
                return Reply::new(404, "text/plain", "");
            }
            let (sender, pieces) = mpsc::channel(4);
            sender.try_send(chunk(rubbish)).unwrap();
            // The sender is kept: the server does not end the stream by itself.
            std::mem::forget(sender);
            Reply::channel(pieces)
        })
        .await;
        let (client, mut notices) = client(&server.url(), Anchors::default());
        client.events(true).await;
        client.sign_in(password()).await;
        loop {
            let notice = timeout(PATIENCE, notices.recv()).await.unwrap().unwrap();
            if notice == Notice::Session(SessionState::Lost) {
                break;
            }
        }
        let again = async {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            while server.requests().len() < 2 {
                tick.tick().await;
            }
        };
        timeout(PATIENCE, again).await.expect("it is opened again after a wait");
        client.close().await;
    }
}
