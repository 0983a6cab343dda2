//! An exchange that registers anybody and tells of lamps: for measuring how fast and at what cost they change.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use sip_types::{HeaderName, Message, Method, Request, Response, StatusCode};

/// A running exchange.
pub struct Lamps {
    socket: UdpSocket,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    /// When the last REGISTER with credentials came.
    registered: Option<Instant>,
    /// By the user of the watched address.
    watched: BTreeMap<String, Watcher>,
    /// Answers to notifications that were no 200.
    refused: u64,
    /// Notifications answered with 200.
    accepted: u64,
}

/// One subscription, as far as notifications need it.
#[derive(Clone)]
struct Watcher {
    uri: String,
    from: String,
    to: String,
    call_id: String,
    target: SocketAddr,
    contact: String,
    seq: u32,
    version: u32,
}

impl Lamps {
    /// Starts it on an address, at any port.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(host: &str) -> Result<Self> {
        let socket = UdpSocket::bind((host, 0))?;
        socket.set_read_timeout(Some(std::time::Duration::from_millis(50)))?;
        let state = Arc::new(Mutex::new(State::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (own, told, ended) = (socket.try_clone()?, Arc::clone(&state), Arc::clone(&stop));
        let reader = std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while !ended.load(Ordering::Relaxed) {
                let Ok((length, from)) = own.recv_from(&mut buffer) else { continue };
                let bytes = buffer.get(..length).unwrap_or_default();
                let mut state = told.lock().unwrap_or_else(PoisonError::into_inner);
                for answer in state.take(bytes, from, &own) {
                    // A datagram may be lost; it is asked for again.
                    let _ = own.send_to(&answer, from);
                }
            }
        });
        Ok(Self { socket, state, stop, reader: Some(reader) })
    }

    /// Host and port.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// Forgets the registration and gives back when it came, if it did.
    pub fn take_registered(&self) -> Option<Instant> {
        self.lock().registered.take()
    }

    /// How many lines are watched.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.lock().watched.len()
    }

    /// Notifications answered with 200, and answered otherwise.
    #[must_use]
    pub fn answers(&self) -> (u64, u64) {
        let state = self.lock();
        (state.accepted, state.refused)
    }

    /// Tells who watches that a line changed.
    ///
    /// # Errors
    /// When nobody watches it or nothing can be sent.
    pub fn change(&self, user: &str, busy: bool) -> Result<()> {
        let (bytes, target) = {
            let mut state = self.lock();
            let watcher =
                state.watched.get_mut(user).with_context(|| format!("{user} is not watched"))?;
            (watcher.notify(busy, self.address()?), watcher.target)
        };
        self.socket.send_to(&bytes, target)?;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lamps {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl State {
    /// What is sent back for one datagram.
    fn take(&mut self, bytes: &[u8], from: SocketAddr, socket: &UdpSocket) -> Vec<Vec<u8>> {
        match Message::parse(bytes) {
            Ok(Message::Request(request)) => self.answer(&request, from, socket),
            Ok(Message::Response(response)) => {
                match response.status.is_success() {
                    true => self.accepted += 1,
                    false if response.status.code() >= 300 => self.refused += 1,
                    false => {}
                }
                Vec::new()
            }
            // Keep-alives.
            Err(_) => Vec::new(),
        }
    }

    fn answer(&mut self, request: &Request, from: SocketAddr, socket: &UdpSocket) -> Vec<Vec<u8>> {
        let mut response = Response::to_request(request, StatusCode::OK);
        response.set_to_tag("lamps");
        match request.method {
            Method::Register if !request.headers.contains(&HeaderName::Authorization) => {
                let mut response = Response::to_request(request, StatusCode::UNAUTHORIZED);
                response.set_to_tag("lamps");
                let challenge = "Digest realm=\"lamps\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
                response.headers.push(HeaderName::WwwAuthenticate, challenge);
                return vec![response.to_bytes()];
            }
            Method::Register => {
                self.registered = Some(now());
                if let Some(contact) = request.headers.get(&HeaderName::Contact) {
                    response.headers.push(HeaderName::Contact, contact.as_ref());
                }
                response.headers.push(HeaderName::Expires, "3600");
            }
            Method::Subscribe => {
                response.headers.push(HeaderName::Expires, "3600");
                let Ok(own) = socket.local_addr() else { return Vec::new() };
                response.headers.push(HeaderName::Contact, format!("<sip:{own}>"));
                let mut answers = vec![response.to_bytes()];
                answers.extend(self.subscribed(request, from, own));
                return answers;
            }
            Method::Ack => return Vec::new(),
            _ => {}
        }
        vec![response.to_bytes()]
    }

    /// The first notification of a subscription.
    fn subscribed(
        &mut self,
        request: &Request,
        from: SocketAddr,
        own: SocketAddr,
    ) -> Option<Vec<u8>> {
        let headers = &request.headers;
        let user = headers.to().ok()?.uri.user()?;
        let contact = headers.contact().ok()??.uri.as_str().to_owned();
        let watcher = self.watched.entry(user).or_insert_with(|| Watcher {
            uri: request.uri.as_str().to_owned(),
            from: String::new(),
            to: String::new(),
            call_id: String::new(),
            target: from,
            contact: String::new(),
            seq: 0,
            version: 0,
        });
        watcher.from = headers.to().ok()?.with_tag("lamps").to_string();
        watcher.to = headers.from().ok()?.to_string();
        watcher.call_id = headers.call_id().ok()?;
        (watcher.target, watcher.contact) = (from, contact);
        Some(watcher.notify(false, own))
    }
}

impl Watcher {
    /// A whole state of one line.
    fn notify(&mut self, busy: bool, own: SocketAddr) -> Vec<u8> {
        self.seq += 1;
        let (uri, version) = (&self.uri, self.version);
        self.version += 1;
        let dialog = match busy {
            true => "<dialog id=\"a\" direction=\"recipient\"><state>confirmed</state></dialog>",
            false => "",
        };
        let body = format!(
            "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" \
             version=\"{version}\" state=\"full\" entity=\"{uri}\">{dialog}</dialog-info>"
        );
        format!(
            "NOTIFY {contact} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{call}-{seq};rport\r\n\
             Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
             CSeq: {seq} NOTIFY\r\nContact: <sip:{own}>\r\nEvent: dialog\r\n\
             Subscription-State: active;expires=3600\r\nContent-Type: application/dialog-info+xml\r\n\
             Content-Length: {length}\r\n\r\n{body}",
            contact = self.contact,
            call = self.call_id.replace('@', "-"),
            from = self.from,
            to = self.to,
            call_id = self.call_id,
            seq = self.seq,
            length = body.len(),
        )
        .into_bytes()
    }
}

/// The time, for measuring.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "figures about real programs take real time")]
pub fn now() -> Instant {
    Instant::now()
}
