//! Requests too large for a datagram go over TCP (RFC 3261 section 18.1.1).
//!
//! Inputs from the TU: what it sends. Inputs from the network: that TCP to an address failed before
//! anything was answered. Inputs from the clock: the `now` of each call.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_types::{Request, Transport};

use super::via;
use crate::{Route, Target};

/// The most bytes of a request over UDP, as the path MTU is not known.
const MOST: usize = 1300;

/// How long an address that took no TCP gets large requests over UDP.
const REFUSED_FOR: Duration = Duration::from_secs(10 * 60);

/// Most addresses remembered.
const MOST_ADDRESSES: usize = 64;

/// Which addresses took no TCP lately.
#[derive(Debug, Default)]
pub(super) struct Large {
    refused: BTreeMap<SocketAddr, Instant>,
    /// Where ACKs went over TCP because of their size: nobody else notices when that fails.
    acks: BTreeSet<SocketAddr>,
}

impl Large {
    /// Pushes the Via and makes the message; the route tells over which transport it goes, which
    /// may be another than that of `route`.
    pub(super) fn prepare(
        &mut self,
        now: Instant,
        request: &mut Request,
        route: &Route,
        branch: &str,
    ) -> (Route, Vec<u8>) {
        via::push(request, route, branch);
        let bytes = request.to_bytes();
        self.refused.retain(|_, until| now < *until);
        let datagram = route.target.transport == Transport::Udp;
        if !datagram || bytes.len() <= MOST || self.refused.contains_key(&route.target.addr) {
            return (*route, bytes);
        }
        let over_tcp = with_transport(*route, Transport::Tcp);
        tracing::debug!("{} bytes are too many for UDP: over TCP", bytes.len());
        via::replace(request, &over_tcp, branch);
        let bytes = request.to_bytes();
        (over_tcp, bytes)
    }

    /// An ACK has left for `target` though its route said UDP.
    pub(super) fn watch_ack(&mut self, target: Target) {
        if self.acks.len() < MOST_ADDRESSES {
            self.acks.insert(target.addr);
        }
    }

    /// TCP to `target` failed.
    pub(super) fn transport_failed(&mut self, now: Instant, target: Target) {
        if target.transport == Transport::Tcp && self.acks.remove(&target.addr) {
            self.refuse(now, target);
        }
    }

    /// A large request got nowhere over TCP: for a while they go over UDP.
    pub(super) fn refuse(&mut self, now: Instant, target: Target) {
        self.refused.retain(|_, until| now < *until);
        if self.refused.len() < MOST_ADDRESSES {
            self.refused.insert(target.addr, now + REFUSED_FOR);
        }
    }
}

/// The same way over another transport.
pub(super) fn with_transport(route: Route, transport: Transport) -> Route {
    Route { target: Target { transport, ..route.target }, ..route }
}
