//! Judging one incoming stream (RFC 3550, A.1, A.3, A.8) and learning where the peer really is (RFC 4961).
//!
//! Inputs: datagrams from the socket, agreements from the call. The state is a latched address and a validated
//! source, each with at most one candidate that must prove itself with two packets in sequence.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::packet::{PacketError, RtpHeader, RtpPacket};
use crate::rtcp::ReportBlock;

/// A jump forward of this many packets is still the same sequence (RFC 3550, A.1).
const MAX_DROPOUT: u16 = 3_000;
/// A packet this far behind is still only late (RFC 3550, A.1).
const MAX_MISORDER: u16 = 100;
/// After this silence another address or source may take over.
const SILENCE: Duration = Duration::from_millis(500);

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
    /// The first of a new address, source or sequence: waits for a second one to follow.
    #[error("unproven source or sequence")]
    Unproven,
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
    expected: Option<SocketAddr>,
    clock_rates: Vec<(u8, u32)>,
    latched: Option<SocketAddr>,
    source: Option<Source>,
    candidate: Option<Candidate>,
    last_received: Option<Instant>,
    packets: u64,
    bytes: u64,
    dropped: u64,
    /// Losses of the sources before the present one.
    lost_before: i64,
}

/// Something new that needs a second packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    address: SocketAddr,
    ssrc: u32,
    next_sequence: u16,
}

/// How a packet relates to the present source.
enum Fit {
    Continues,
    NewSource,
    Jumps,
}

impl Receiver {
    /// A stream expected from `expected` (the address in the description), which the first packets may correct.
    /// `clock_rates`: payload type and RTP clock rate in Hz of everything negotiated.
    pub fn new(expected: Option<SocketAddr>, clock_rates: &[(u8, u32)]) -> Self {
        Self {
            expected: expected.map(canonical),
            clock_rates: clock_rates.to_vec(),
            latched: None,
            source: None,
            candidate: None,
            last_received: None,
            packets: 0,
            bytes: 0,
            dropped: 0,
            lost_before: 0,
        }
    }

    /// Takes over a new agreement: other payload types; another expected address releases the latch.
    pub fn reconfigure(&mut self, expected: Option<SocketAddr>, clock_rates: &[(u8, u32)]) {
        self.clock_rates.clear();
        self.clock_rates.extend_from_slice(clock_rates);
        let expected = expected.map(canonical);
        if self.expected != expected {
            self.expected = expected;
            self.latched = None;
        }
    }

    /// Judges one datagram. The first source is believed at once when it comes from the expected address, so that
    /// the first word is whole; everything else new needs two packets in sequence.
    ///
    /// # Errors
    /// [`Dropped`]: not to be used; counted.
    pub fn handle_packet<'a>(
        &mut self,
        now: Instant,
        source: SocketAddr,
        datagram: &'a [u8],
    ) -> Result<Received<'a>, Dropped> {
        let result = self.judge(now, canonical(source), datagram);
        if result.is_err() {
            self.dropped += 1;
        }
        result
    }

    /// Where the peer's packets come from: where to send to once known (symmetric RTP, RFC 4961).
    pub const fn latched(&self) -> Option<SocketAddr> {
        self.latched
    }

    /// The source being received, once it has been validated.
    pub fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// When the last usable packet came.
    pub const fn last_received(&self) -> Option<Instant> {
        self.last_received
    }

    /// What has been received so far.
    pub fn stats(&self) -> ReceiverStats {
        ReceiverStats {
            packets: self.packets,
            bytes: self.bytes,
            lost: self.lost_before + self.source.as_ref().map_or(0, Source::lost),
            dropped: self.dropped,
            jitter_us: self.source.as_ref().map_or(0, Source::jitter_us),
        }
    }

    /// The reception report block about this source, and the start of a new reporting interval.
    pub fn report_block(&mut self) -> Option<ReportBlock> {
        self.source.as_mut().map(Source::report_block)
    }

    fn judge<'a>(
        &mut self,
        now: Instant,
        address: SocketAddr,
        datagram: &'a [u8],
    ) -> Result<Received<'a>, Dropped> {
        let packet = RtpPacket::parse(datagram)?;
        let header = packet.header;
        let rate = self
            .clock_rates
            .iter()
            .find(|(payload_type, _)| *payload_type == header.payload_type)
            .map(|(_, rate)| *rate)
            .ok_or(Dropped::PayloadType(header.payload_type))?;
        let silent =
            self.last_received.is_none_or(|last| now.saturating_duration_since(last) >= SILENCE);
        let fit = self.source.as_ref().map_or(Fit::NewSource, |source| source.fit(&header));
        let known_address = self.latched == Some(address);
        let continues = matches!(fit, Fit::Continues);
        if !(known_address && continues) {
            let first = self.source.is_none() && self.expected == Some(address);
            let foreign =
                self.latched.is_some() && !known_address && self.expected != Some(address);
            if foreign && !silent && !continues {
                return Err(Dropped::Address);
            }
            if !first && !self.proves(address, &header) {
                return Err(Dropped::Unproven);
            }
        }
        self.candidate = None;
        let source_changed = matches!(fit, Fit::NewSource) && self.source.is_some();
        if !continues {
            self.lost_before += self.source.as_ref().map_or(0, Source::lost);
            tracing::debug!(ssrc = header.ssrc, "Receiving, source proven -> Receiving");
            self.source = Some(Source::new(&header, rate, now));
        } else if let Some(source) = &mut self.source {
            source.take(&header, rate, now);
        }
        self.last_received = Some(now);
        self.packets += 1;
        self.bytes += packet.payload.len() as u64;
        let relatched = (self.latched != Some(address)).then_some(address);
        self.latched = Some(address);
        Ok(Received { packet, source_changed, relatched })
    }

    /// True for the second packet in sequence of one address and source; else remembers this one.
    fn proves(&mut self, address: SocketAddr, header: &RtpHeader) -> bool {
        let this = Candidate { address, ssrc: header.ssrc, next_sequence: header.sequence };
        if self.candidate == Some(this) {
            return true;
        }
        self.candidate = Some(Candidate { next_sequence: header.sequence.wrapping_add(1), ..this });
        false
    }
}

/// An IPv4 address that a dual-stack socket shows as IPv6, as IPv4 again.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The statistics of one validated source (RFC 3550, A.1, A.3, A.8).
#[derive(Debug, Clone)]
struct Source {
    ssrc: u32,
    base_sequence: u32,
    highest: u16,
    cycles: u32,
    received: u64,
    expected_prior: u64,
    received_prior: u64,
    began: Instant,
    clock_rate: u32,
    /// Arrival minus timestamp of the last packet, in timestamp units, and that timestamp.
    transit: Option<(i64, u32)>,
    /// In 1/16 timestamp units.
    jitter: u64,
}

impl Source {
    fn new(header: &RtpHeader, clock_rate: u32, now: Instant) -> Self {
        let mut source = Self {
            ssrc: header.ssrc,
            base_sequence: u32::from(header.sequence),
            highest: header.sequence,
            cycles: 0,
            received: 0,
            expected_prior: 0,
            received_prior: 0,
            began: now,
            clock_rate,
            transit: None,
            jitter: 0,
        };
        source.take(header, clock_rate, now);
        source
    }

    fn fit(&self, header: &RtpHeader) -> Fit {
        let ahead = header.sequence.wrapping_sub(self.highest);
        if header.ssrc != self.ssrc {
            Fit::NewSource
        } else if !(MAX_DROPOUT..=u16::MAX - MAX_MISORDER).contains(&ahead) {
            Fit::Continues
        } else {
            Fit::Jumps
        }
    }

    fn take(&mut self, header: &RtpHeader, clock_rate: u32, now: Instant) {
        if header.sequence.wrapping_sub(self.highest) < MAX_DROPOUT {
            if header.sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.highest = header.sequence;
        }
        self.received += 1;
        if clock_rate != self.clock_rate {
            // Jitter keeps its duration in the new unit.
            self.jitter = self.jitter * u64::from(clock_rate) / u64::from(self.clock_rate.max(1));
            self.clock_rate = clock_rate;
            self.transit = None;
        }
        self.measure_jitter(header.timestamp, now);
    }

    /// Packets that share a timestamp (telephone events) say nothing about the network and are left out.
    fn measure_jitter(&mut self, timestamp: u32, now: Instant) {
        let micros = now.saturating_duration_since(self.began).as_micros();
        let units = micros * u128::from(self.clock_rate) / 1_000_000;
        let arrival = i64::try_from(units).unwrap_or(i64::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "timestamps count modulo 2^32")]
        let transit = (arrival as u32).wrapping_sub(timestamp);
        if let Some((previous, last)) = self.transit {
            if last == timestamp {
                return;
            }
            #[expect(
                clippy::cast_possible_wrap,
                clippy::cast_possible_truncation,
                reason = "a difference modulo 2^32"
            )]
            let difference = transit.wrapping_sub(previous as u32) as i32;
            // A timestamp jump of over a second is a new talk, not jitter.
            if difference.unsigned_abs() < self.clock_rate {
                let (change, decay) =
                    (u64::from(difference.unsigned_abs()), (self.jitter + 8) >> 4);
                self.jitter = (self.jitter + change).saturating_sub(decay);
            }
        }
        self.transit = Some((i64::from(transit), timestamp));
    }

    fn expected(&self) -> u64 {
        let highest = self.cycles.wrapping_add(u32::from(self.highest));
        u64::from(highest.wrapping_sub(self.base_sequence)) + 1
    }

    fn lost(&self) -> i64 {
        i64::try_from(self.expected()).unwrap_or(i64::MAX)
            - i64::try_from(self.received).unwrap_or(i64::MAX)
    }

    fn jitter_us(&self) -> u32 {
        let micros = (self.jitter >> 4) * 1_000_000 / u64::from(self.clock_rate.max(1));
        u32::try_from(micros).unwrap_or(u32::MAX)
    }

    fn report_block(&mut self) -> ReportBlock {
        let expected = self.expected();
        let expected_interval = expected.saturating_sub(self.expected_prior);
        let received_interval = self.received - self.received_prior;
        self.expected_prior = expected;
        self.received_prior = self.received;
        let lost = expected_interval.saturating_sub(received_interval);
        let fraction = (lost * 256).checked_div(expected_interval).unwrap_or(0);
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            total_lost: i32::try_from(self.lost().clamp(-0x80_0000, 0x7f_ffff)).unwrap_or(0),
            highest_sequence: self.cycles.wrapping_add(u32::from(self.highest)),
            jitter: u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PEER: &str = "192.0.2.1:5000";

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
        let timestamp = u32::from(sequence).wrapping_mul(160);
        let header = RtpHeader { marker: false, payload_type: 8, sequence, timestamp, ssrc };
        let mut bytes = Vec::new();
        RtpPacket { header, payload: &[0x55; 160] }.write(&mut bytes);
        bytes
    }

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    struct Line {
        receiver: Receiver,
        now: Instant,
    }

    impl Line {
        fn new() -> Self {
            let rates = [(8, 8_000), (101, 8_000)];
            Self { receiver: Receiver::new(Some(address(PEER)), &rates), now: start() }
        }

        fn send(&mut self, from: &str, ssrc: u32, sequence: u16) -> Result<(bool, bool), Dropped> {
            self.now += Duration::from_millis(20);
            let bytes = packet(ssrc, sequence);
            let received = self.receiver.handle_packet(self.now, address(from), &bytes)?;
            Ok((received.source_changed, received.relatched.is_some()))
        }
    }

    #[test]
    fn expected_source_is_believed_at_once() {
        let mut line = Line::new();
        assert_eq!(line.send(PEER, 1, 100), Ok((false, true)));
        assert_eq!(line.send(PEER, 1, 101), Ok((false, false)));
        assert_eq!(line.receiver.latched(), Some(address(PEER)));
    }

    #[test]
    fn unexpected_address_needs_two_packets_and_is_followed() {
        let mut line = Line::new();
        assert_eq!(line.send("198.51.100.9:7000", 1, 100), Err(Dropped::Unproven));
        assert_eq!(line.send("198.51.100.9:7000", 1, 101), Ok((false, true)));
        assert_eq!(line.receiver.latched(), Some(address("198.51.100.9:7000")));
    }

    #[test]
    fn stranger_is_kept_out_while_the_peer_talks() {
        let mut line = Line::new();
        line.send(PEER, 1, 1).unwrap();
        for sequence in 500..510 {
            assert_eq!(line.send("203.0.113.66:1", 9, sequence), Err(Dropped::Address));
            line.send(PEER, 1, sequence - 498).unwrap();
        }
    }

    #[test]
    fn same_source_from_a_new_address_is_followed_at_once() {
        let mut line = Line::new();
        line.send(PEER, 1, 1).unwrap();
        assert_eq!(line.send("192.0.2.1:6001", 1, 2), Err(Dropped::Unproven));
        assert_eq!(line.send("192.0.2.1:6001", 1, 3), Ok((false, true)));
    }

    #[test]
    fn source_change_is_told_once() {
        let mut line = Line::new();
        line.send(PEER, 1, 1).unwrap();
        assert_eq!(line.send(PEER, 2, 9_000), Err(Dropped::Unproven));
        assert_eq!(line.send(PEER, 2, 9_001), Ok((true, false)));
        assert_eq!(line.send(PEER, 2, 9_002), Ok((false, false)));
    }

    #[test]
    fn restart_of_the_sequence_is_accepted_on_the_second_packet() {
        let mut line = Line::new();
        line.send(PEER, 1, 40_000).unwrap();
        assert_eq!(line.send(PEER, 1, 10), Err(Dropped::Unproven));
        assert_eq!(line.send(PEER, 1, 11), Ok((false, false)));
        assert_eq!(line.receiver.stats().lost, 0);
    }

    #[test]
    fn loss_is_counted_across_the_wrap() {
        let mut line = Line::new();
        for sequence in [65_533, 65_534, 1, 0, 3] {
            line.send(PEER, 1, sequence).unwrap();
        }
        // 65535 and 2 are missing; 0 came late.
        assert_eq!(line.receiver.stats().lost, 2);
        let block = line.receiver.report_block().unwrap();
        assert_eq!((block.total_lost, block.highest_sequence), (2, 65_539));
        assert_eq!(block.fraction_lost, 73);
        assert_eq!(line.receiver.report_block().unwrap().fraction_lost, 0);
    }

    #[test]
    fn jitter_settles_at_the_mean_deviation() {
        let mut line = Line::new();
        for sequence in 0..400_u16 {
            // Every other packet 5 ms late.
            let late = Duration::from_millis(if sequence % 2 == 0 { 0 } else { 5 });
            let bytes = packet(1, sequence);
            let at = line.now + Duration::from_millis(20) * u32::from(sequence) + late;
            line.receiver.handle_packet(at, address(PEER), &bytes).unwrap();
        }
        let jitter = line.receiver.stats().jitter_us;
        assert!((4_500..=5_500).contains(&jitter), "{jitter}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn arbitrary_datagrams_never_panic(
            datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..40),
            sequences in proptest::collection::vec((0_u32..3, any::<u16>()), 0..60),
        ) {
            let mut line = Line::new();
            for datagram in &datagrams {
                let _ = line.receiver.handle_packet(line.now, address(PEER), datagram);
            }
            for (ssrc, sequence) in sequences {
                let _ = line.send(PEER, ssrc, sequence);
            }
            let _ = line.receiver.report_block();
        }
    }
}
