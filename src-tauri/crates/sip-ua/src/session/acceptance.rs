//! Our own 2xx to an INVITE, sent again and again until its ACK comes (RFC 3261 section 13.3.1.4).
//!
//! Inputs: the ACK (from the session), the clock.

use std::time::{Duration, Instant};

use sip_core::ServerKey;
use sip_types::Response;

use crate::shared::Cx;

/// A 2xx that waits for its ACK.
#[derive(Debug)]
pub(crate) struct Acceptance {
    key: ServerKey,
    response: Response,
    /// CSeq of the INVITE, which the ACK repeats.
    pub seq: u32,
    /// It answers the INVITE that began the session.
    pub initial: bool,
    /// It carries our offer, so the answer will come in the ACK.
    pub offers: bool,
    /// Offer and answer were exchanged before it, so the peer may change the session without having seen it.
    pub settled_early: bool,
    interval: Duration,
    next: Instant,
    deadline: Instant,
}

impl Acceptance {
    /// Sends the 2xx for the first time.
    pub(crate) fn send(
        cx: &mut Cx<'_>,
        key: ServerKey,
        response: Response,
        seq: u32,
        (initial, offers): (bool, bool),
    ) -> Self {
        cx.shared.layer.respond(cx.now, &key, response.clone());
        let interval = cx.shared.config.timers.t1;
        let deadline = cx.now + cx.shared.patience();
        let next = cx.now + interval;
        let settled_early = false;
        Self { key, response, seq, initial, offers, settled_early, interval, next, deadline }
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.next.min(self.deadline)
    }

    /// Sends it again when due. `true`: no ACK came in 64*T1, the peer is lost.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.deadline <= cx.now {
            return true;
        }
        if self.next <= cx.now {
            cx.shared.layer.respond(cx.now, &self.key, self.response.clone());
            self.interval = (self.interval * 2).min(cx.shared.config.timers.t2);
            self.next = cx.now + self.interval;
        }
        false
    }
}
