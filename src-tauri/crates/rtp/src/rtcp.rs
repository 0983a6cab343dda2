//! Sender and receiver reports (RFC 3550, 6): building, reading, when to send, and the round trip.

use std::time::{Duration, Instant};

use crate::receiver::Receiver;
use crate::sender::Sender;

/// Wall-clock time in NTP's 32.32 fixed point, seconds since 1900.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NtpTime(pub u64);

/// A reception report block (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The source reported on.
    pub ssrc: u32,
    /// Share lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the start.
    pub total_lost: i32,
    /// Highest sequence number with its cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
}

/// What the peer says of what we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RemoteReport {
    /// Share lost since its last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the start.
    pub total_lost: i32,
    /// Jitter at the peer in timestamp units of what we send.
    pub jitter: u32,
}

/// Why an RTCP datagram is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// Not a compound packet that begins with a report (RFC 3550, A.2).
    #[error("malformed RTCP")]
    Malformed,
}

/// RTCP of one stream pair.
#[derive(Debug, Clone)]
pub struct RtcpSession {
    remote: Option<RemoteReport>,
    round_trip: Option<Duration>,
    due: Instant,
}

impl RtcpSession {
    /// A session that begins now. `wall_clock` is the time of day at `now`; `cname` says who we are and is the same
    /// for all streams of a call (random, RFC 7022); `seed` spreads the reports.
    pub fn new(now: Instant, wall_clock: NtpTime, cname: &str, seed: u64) -> Self {
        let _ = (wall_clock, cname, seed);
        Self { remote: None, round_trip: None, due: now }
    }

    /// When the next report is due.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        Some(self.due)
    }

    /// Builds the report if it is due: SR when we sent since the last one, else RR, with SDES CNAME. True when `out`
    /// holds a packet.
    pub fn handle_timeout(
        &mut self,
        now: Instant,
        sender: &Sender,
        receiver: &mut Receiver,
        out: &mut Vec<u8>,
    ) -> bool {
        let _ = (now, sender, receiver, out);
        false
    }

    /// Builds the farewell: report, SDES and BYE.
    pub fn goodbye(
        &mut self,
        now: Instant,
        sender: &Sender,
        receiver: &mut Receiver,
        out: &mut Vec<u8>,
    ) {
        let _ = (now, sender, receiver, out);
    }

    /// Takes the peer's datagram; `our_ssrc` picks the blocks about us. True when the peer said BYE.
    ///
    /// # Errors
    /// [`RtcpError::Malformed`]: drop and count.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        our_ssrc: u32,
        datagram: &[u8],
    ) -> Result<bool, RtcpError> {
        let _ = (now, our_ssrc, datagram);
        Err(RtcpError::Malformed)
    }

    /// What the peer last said of what we send.
    pub const fn remote_report(&self) -> Option<RemoteReport> {
        self.remote
    }

    /// The last round trip measured; `None` until the peer has answered one of our reports.
    pub const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}
