//! A telephone of the simplest kind, which answers everything and remembers what was asked of it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use app::StartOptions;
use app::config::{Config, Sound};
use sip_types::{HeaderName, Message, Method, Request, Response, StatusCode};
use tokio::net::UdpSocket;
use tokio::sync::{Mutex, mpsc};

use crate::desk::{Desk, options};

/// Longest wait for a request that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it does when the call is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Agrees.
    Agrees,
    /// Wants to change it itself just then: refuses the first change with 491 and comes with its own offer, in which
    /// nobody is held (RFC 3261 section 14.1).
    IsFaster,
}

pub(crate) struct Peer {
    pub(crate) address: String,
    changes: Mutex<mpsc::UnboundedReceiver<Request>>,
    task: tokio::task::JoinHandle<()>,
}

impl Peer {
    /// A telephone that allows these methods.
    pub(crate) async fn start(allow: &'static str) -> Peer {
        Self::with(allow, Change::Agrees).await
    }

    /// A telephone that changes the call itself at the very moment when it is to be changed for the first time.
    pub(crate) async fn faster() -> Peer {
        Self::with("INVITE, ACK, BYE, CANCEL", Change::IsFaster).await
    }

    async fn with(allow: &'static str, change: Change) -> Peer {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let own = socket.local_addr().unwrap();
        let (sender, changes) = mpsc::unbounded_channel();
        let task = tokio::spawn(serve(socket, own, allow, change, sender));
        Peer { address: format!("sip:peer@{own}"), changes: Mutex::new(changes), task }
    }

    /// A program that calls directly.
    pub(crate) async fn caller(&self) -> Desk {
        let config = Config::parse(
            "[[account]]\nid = \"main\"\naor = \"sip:caller@127.0.0.1\"\nregister = false\n\
             [network]\nbind = \"127.0.0.1\"\nrtp_ports = [43000, 43999]\n",
        )
        .unwrap();
        Desk::start(StartOptions { config, sound: Sound::Null, ..options() }).await.unwrap()
    }

    /// The next change of a call that it was asked for.
    pub(crate) async fn changed(&self) -> Request {
        let mut changes = self.changes.lock().await;
        tokio::time::timeout(PATIENCE, changes.recv()).await.expect("no change").expect("the end")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    socket: Arc<UdpSocket>,
    own: SocketAddr,
    allow: &str,
    mut change: Change,
    changes: mpsc::UnboundedSender<Request>,
) {
    let mut buffer = vec![0; 65_536];
    let mut last = None;
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let request = match Message::parse(&buffer[..length]) {
            Ok(Message::Request(request)) if request.method != Method::Ack => request,
            Ok(Message::Response(response)) if response.status.code() >= 200 => {
                let _ = socket.send_to(ack(own, &response).as_bytes(), from).await;
                continue;
            }
            _ => continue,
        };
        let mut response = Response::to_request(&request, StatusCode::OK);
        let inside = request.headers.to().is_ok_and(|to| to.tag().is_some());
        response.set_to_tag("peer");
        if inside && change == Change::IsFaster {
            change = Change::Agrees;
            let refusal = Response::to_request(&request, StatusCode::REQUEST_PENDING);
            let _ = socket.send_to(&refusal.to_bytes(), from).await;
            let _ = socket.send_to(own_offer(own, &request).as_bytes(), from).await;
            last = request.headers.cseq().map(|cseq| cseq.number).ok();
            continue;
        }
        response.headers.push(HeaderName::Contact, format!("<sip:peer@{own}>"));
        response.headers.push(HeaderName::Allow, allow);
        if matches!(request.method, Method::Invite | Method::Update) {
            let offer = String::from_utf8_lossy(&request.body).into_owned();
            response.set_body("application/sdp", answer(own, &offer).into_bytes());
            let seq = request.headers.cseq().map(|cseq| cseq.number).ok();
            // A datagram may come twice.
            if inside && last != seq {
                let _ = changes.send(request.clone());
            }
            last = seq;
        }
        let _ = socket.send_to(&response.to_bytes(), from).await;
    }
}

/// Takes the offer's A-law; sound that comes is lost.
fn answer(own: SocketAddr, offer: &str) -> String {
    let direction = if offer.contains("a=sendonly") { "recvonly" } else { "sendrecv" };
    format!(
        "v=0\r\no=peer 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na={direction}\r\n",
        ip = own.ip(),
        port = own.port(),
    )
}

/// A change of the call by the telephone: everybody talks.
fn own_offer(own: SocketAddr, asked: &Request) -> String {
    let headers = &asked.headers;
    let (to, from) = (headers.from().unwrap(), headers.to().unwrap());
    let body = answer(own, "");
    format!(
        "INVITE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKfaster;rport\r\n\
         Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:peer@{own}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {length}\r\n\r\n{body}",
        target = headers.contact().unwrap().unwrap().uri,
        id = headers.call_id().unwrap(),
        length = body.len(),
    )
}

/// The ACK to the answer to its offer.
fn ack(own: SocketAddr, answered: &Response) -> String {
    let headers = &answered.headers;
    format!(
        "ACK {target} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKfasterack\r\n\
         Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 1 ACK\r\n\
         Content-Length: 0\r\n\r\n",
        target = headers.contact().unwrap().unwrap().uri,
        from = headers.from().unwrap(),
        to = headers.to().unwrap(),
        id = headers.call_id().unwrap(),
    )
}
