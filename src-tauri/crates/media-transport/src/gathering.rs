//! What a STUN server sees our address as (RFC 8489, 6.2.1).
//!
//! Inputs: a server, its answers, the time. One request, sent again a few times; what comes of it comes within a second,
//! because a caller waits for it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Getter as _, Message, TransactionId};
use rtc_stun::xoraddr::XorMappedAddress;

/// The request goes again after these times, and is given up after the last.
const WAITS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(300),
    Duration::from_millis(400),
];

/// One question to a server.
pub(crate) struct Gathering {
    server: SocketAddr,
    id: TransactionId,
    request: Vec<u8>,
    sent: usize,
    due: Instant,
}

impl Gathering {
    /// Asks at once.
    pub(crate) fn new(now: Instant, server: SocketAddr) -> Option<Self> {
        let id = TransactionId::new();
        let mut message = Message::new();
        message.build(&[Box::new(BINDING_REQUEST), Box::new(id)]).ok()?;
        Some(Self { server, id, request: message.raw, sent: 0, due: now })
    }

    /// What to send now, and where to.
    pub(crate) fn poll_output(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        let wait = WAITS.get(self.sent).filter(|_| now >= self.due)?;
        self.sent += 1;
        self.due = now + *wait;
        Some((self.server, self.request.clone()))
    }

    pub(crate) const fn poll_timeout(&self) -> Instant {
        self.due
    }

    /// Nothing comes any more.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.sent >= WAITS.len() && now >= self.due
    }

    /// Our address as the server sees it, if that is its answer.
    pub(crate) fn receive(&self, from: SocketAddr, datagram: &[u8]) -> Option<SocketAddr> {
        let mut message = Message { raw: datagram.to_vec(), ..Message::default() };
        let answered = from == self.server
            && message.decode().is_ok()
            && message.typ == BINDING_SUCCESS
            && message.transaction_id == self.id;
        let mut seen = XorMappedAddress::default();
        seen.get_from(&message).ok().filter(|()| answered)?;
        let seen = SocketAddr::new(seen.ip.to_canonical(), seen.port);
        (seen.port() != 0 && !seen.ip().is_unspecified()).then_some(seen)
    }
}
