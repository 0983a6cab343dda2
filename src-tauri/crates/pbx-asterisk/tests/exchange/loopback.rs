//! The client on loopback sockets, in the clear and over TLS.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;
use std::time::Duration;

use pbx::centre::{Input as Told, LinkState, Refusal, Request, RequestId};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, Lines,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::lab::{config, quiet_queues};
use pbx_asterisk::{Anchors, Client, Server};

const PATIENCE: Duration = Duration::from_secs(20);

/// The exchange's side of one connection.
struct Peer<S>(Lines<BufReader<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    async fn greet(stream: S) -> Self {
        let mut peer = Self(BufReader::new(stream).lines());
        peer.say("Asterisk Call Manager/11.0.0\n").await;
        peer
    }

    async fn say(&mut self, text: &str) {
        let bytes = text.replace('\n', "\r\n");
        self.0.get_mut().get_mut().write_all(bytes.as_bytes()).await.unwrap();
        self.0.get_mut().get_mut().flush().await.unwrap();
    }

    /// The next action: its name, its id, and all of it.
    async fn action(&mut self) -> Option<(String, String, String)> {
        let (mut name, mut id, mut whole) = (String::new(), String::new(), String::new());
        while let Some(line) = timeout(PATIENCE, self.0.next_line()).await.unwrap().unwrap() {
            if line.is_empty() {
                return Some((name, id, whole));
            }
            if let Some(value) = line.strip_prefix("Action: ") {
                name = value.to_owned();
            } else if let Some(value) = line.strip_prefix("ActionID: ") {
                id = value.to_owned();
            }
            whole.push_str(&line);
            whole.push('\n');
        }
        None
    }

    /// Answers everything until the state of the queues was told.
    async fn serve(&mut self) {
        while let Some((name, id, _)) = self.action().await {
            let head = format!("Response: Success\nActionID: {id}\n");
            match name.as_str() {
                "Challenge" => self.say(&format!("{head}Challenge: 1\n\n")).await,
                "ListCommands" => self.say(&format!("{head}QueueStatus: x\n\n")).await,
                "QueueStatus" => {
                    self.say(&format!("{head}EventList: start\n\n")).await;
                    for item in quiet_queues().trim_end().split("\n\n") {
                        self.say(&format!("{item}\nActionID: {id}\n\n")).await;
                    }
                    let end = "Event: QueueStatusComplete\nEventList: Complete\n";
                    self.say(&format!("{end}ActionID: {id}\n\n")).await;
                    return;
                }
                _ => self.say(&format!("{head}\n")).await,
            }
        }
    }
}

async fn link(told: &mut Receiver<Told>, wanted: LinkState) -> usize {
    let mut before = 0;
    loop {
        match timeout(PATIENCE, told.recv()).await.unwrap().unwrap() {
            Told::Link(link) if link == wanted => return before,
            _ => before += 1,
        }
    }
}

fn server(port: u16, host: &str, anchors: Option<Anchors>) -> Server {
    let tls = anchors.is_some();
    Server { host: host.to_owned(), port, tls, anchors: anchors.unwrap_or_default() }
}

#[tokio::test]
async fn it_comes_back_and_signs_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (client, mut told) = Client::start(config(), server(port, "127.0.0.1", None), [1; 32]);
    let (stream, _) = listener.accept().await.unwrap();
    let mut peer = Peer::greet(stream).await;
    peer.serve().await;
    assert!(link(&mut told, LinkState::Live).await > 5, "the state comes before it is live");
    drop(peer);
    link(&mut told, LinkState::Lost).await;
    client.request(RequestId(1), Request::Retrieve { at: None }).unwrap();
    let refused = Told::Done { request: RequestId(1), result: Err(Refusal::Unavailable) };
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(refused));
    client.retry().unwrap();
    let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut peer = Peer::greet(stream).await;
    peer.serve().await;
    link(&mut told, LinkState::Live).await;
    let stopping = tokio::spawn(client.stop());
    let mut last = String::new();
    while let Some((name, _, _)) = peer.action().await {
        last = name;
    }
    assert_eq!(last, "Logoff");
    timeout(PATIENCE, stopping).await.unwrap().unwrap();
    link(&mut told, LinkState::Absent).await;
    assert_eq!(told.recv().await, None);
}

#[tokio::test]
async fn over_tls_only_a_trusted_exchange_gets_the_secret() {
    let (acceptor, anchors) = authority("localhost");
    let (_, stranger) = authority("localhost");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Another authority; the right one but another name: neither gets a byte of us.
    for (host, anchors) in [("localhost", stranger), ("127.0.0.1", anchors.clone())] {
        let (client, mut told) =
            Client::start(config(), server(port, host, Some(anchors)), [2; 32]);
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        assert!(acceptor.accept(stream).await.is_err(), "{host}");
        link(&mut told, LinkState::Lost).await;
        drop(client);
    }
    let trusting = server(port, "localhost", Some(anchors));
    let (client, mut told) = Client::start(config(), trusting, [3; 32]);
    let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut peer = Peer::greet(acceptor.accept(stream).await.unwrap()).await;
    let (name, id, whole) = peer.action().await.unwrap();
    assert_eq!(name, "Login");
    assert!(whole.contains("Secret: geheim"), "over TLS nobody listens");
    peer.say(&format!("Response: Success\nActionID: {id}\n\n")).await;
    peer.serve().await;
    link(&mut told, LinkState::Live).await;
    client.stop().await;
}

/// An authority, and a server with a certificate of it for `name`.
fn authority(name: &str) -> (TlsAcceptor, Anchors) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = rcgen::CertifiedIssuer::self_signed(params, key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), Anchors::from_pem(issuer.pem().as_bytes()).unwrap())
}
