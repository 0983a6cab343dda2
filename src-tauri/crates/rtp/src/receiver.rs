//! Judging one incoming stream (RFC 3550, A.1, A.3, A.8) and learning where the peer really is.

use std::net::SocketAddr;
use std::time::Instant;

use crate::packet::{PacketError, RtpPacket};
use crate::rtcp::ReportBlock;

/// A packet that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received<'a> {
    /// The packet.
    pub packet: RtpPacket<'a>,
    /// The stream comes from another source than before: new speaker, new device, transferred call.
    pub source_changed: bool,
    /// The peer's address changed (or is known for the first time): send there from now on.
    pub relatched: Option<SocketAddr>,
}

/// Why a datagram is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// Not an RTP packet.
    #[error(transparent)]
    Malformed(#[from] PacketError),
    /// A payload type that was not negotiated.
    #[error("unexpected payload type {0}")]
    PayloadType(u8),
    /// From an address other than the latched one while that one is alive.
    #[error("foreign address")]
    Address,
    /// A sequence number far away: waits for a second one to follow.
    #[error("sequence out of range")]
    Sequence,
}

/// What has been received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceiverStats {
    /// Packets accepted.
    pub packets: u64,
    /// Payload bytes accepted.
    pub bytes: u64,
    /// Packets expected and not received (duplicates can make it less than zero).
    pub lost: i64,
    /// Datagrams dropped as [`Dropped`] says.
    pub dropped: u64,
    /// Interarrival jitter in microseconds (RFC 3550, 6.4.1).
    pub jitter_us: u32,
}

/// One incoming stream.
#[derive(Debug, Clone)]
pub struct Receiver {
    stats: ReceiverStats,
}

impl Receiver {
    /// A stream expected from `expected` (the address in the description), which the first packets may correct.
    /// `clock_rates`: payload type and RTP clock rate in Hz of everything negotiated.
    pub fn new(expected: Option<SocketAddr>, clock_rates: &[(u8, u32)]) -> Self {
        let _ = (expected, clock_rates);
        Self { stats: ReceiverStats::default() }
    }

    /// Takes over a new agreement: other payload types, another expected address (the latch is released).
    pub fn reconfigure(&mut self, expected: Option<SocketAddr>, clock_rates: &[(u8, u32)]) {
        let _ = (expected, clock_rates);
    }

    /// Judges one datagram.
    ///
    /// # Errors
    /// [`Dropped`]: not to be used; counted.
    pub fn handle_packet<'a>(
        &mut self,
        now: Instant,
        source: SocketAddr,
        datagram: &'a [u8],
    ) -> Result<Received<'a>, Dropped> {
        let _ = (now, source);
        let packet = RtpPacket::parse(datagram)?;
        Ok(Received { packet, source_changed: false, relatched: None })
    }

    /// Where the peer's packets come from: where to send to once known (symmetric RTP, RFC 4961).
    pub const fn latched(&self) -> Option<SocketAddr> {
        None
    }

    /// The source being received, once it has been validated.
    pub const fn ssrc(&self) -> Option<u32> {
        None
    }

    /// When the last usable packet came.
    pub const fn last_received(&self) -> Option<Instant> {
        None
    }

    /// What has been received so far.
    pub const fn stats(&self) -> ReceiverStats {
        self.stats
    }

    /// The reception report block about this source, and the start of a new reporting interval.
    pub fn report_block(&mut self) -> Option<ReportBlock> {
        None
    }
}
