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

pub(crate) struct Peer {
    pub(crate) address: String,
    changes: Mutex<mpsc::UnboundedReceiver<Request>>,
    task: tokio::task::JoinHandle<()>,
}

impl Peer {
    /// A telephone that allows these methods.
    pub(crate) async fn start(allow: &'static str) -> Peer {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let own = socket.local_addr().unwrap();
        let (sender, changes) = mpsc::unbounded_channel();
        let task = tokio::spawn(serve(socket, own, allow, sender));
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
    changes: mpsc::UnboundedSender<Request>,
) {
    let mut buffer = vec![0; 65_536];
    let mut last = None;
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Ok(Message::Request(request)) = Message::parse(&buffer[..length]) else { continue };
        if request.method == Method::Ack {
            continue;
        }
        let mut response = Response::to_request(&request, StatusCode::OK);
        let inside = request.headers.to().is_ok_and(|to| to.tag().is_some());
        response.set_to_tag("peer");
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
