//! Sender and receiver reports (RFC 3550, 6) and extended ones (RFC 3611): building, reading, when to send, and the round
//! trip.
//!
//! Inputs: the peer's datagrams, time, the two streams' counts, and what is measured of what arrives. The packets go
//! through `rtc-rtcp`; the compound is walked here, so that one odd packet in it does not cost the others.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::packet::Packet;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use rtc_shared::marshal::Unmarshal;

use crate::extended_report::{self, Block, VoipMetrics};
use crate::receiver::Receiver;
use crate::sender::Sender;

/// The mean time between two reports (RFC 3550, 6.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// The longest CNAME that fits its item.
const MAX_CNAME: usize = 255;
/// The most packets of a compound that are looked at.
const MAX_PACKETS: usize = 64;

/// Wall-clock time in NTP's 32.32 fixed point, seconds since 1900.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From the time since 1970.
    pub const fn from_unix(since_1970: Duration) -> Self {
        let seconds = since_1970.as_secs().wrapping_add(2_208_988_800);
        let fraction = ((since_1970.subsec_nanos() as u64) << 32) / 1_000_000_000;
        Self((seconds << 32) | fraction)
    }

    const fn plus(self, elapsed: Duration) -> Self {
        let fraction = ((elapsed.subsec_nanos() as u64) << 32) / 1_000_000_000;
        Self(self.0.wrapping_add(elapsed.as_secs() << 32).wrapping_add(fraction))
    }

    /// The middle 32 bits: seconds and 1/65536 of a second.
    #[expect(clippy::cast_possible_truncation, reason = "the middle is what is asked for")]
    const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

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
    /// The highest sequence number that it received, with its cycles.
    pub highest_sequence: u32,
    /// How many such reports there were.
    pub count: u32,
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
    began: Instant,
    wall_clock: NtpTime,
    cname: Bytes,
    random: u64,
    due: Instant,
    /// Packets we had sent at the last report.
    sent_before: u64,
    /// The middle of the peer's last SR timestamp, whose it was, and when it came.
    last_sr: Option<(u32, u32, Instant)>,
    remote: Option<RemoteReport>,
    round_trip: Option<Duration>,
    /// The description asked for metrics.
    metrics_asked: bool,
    /// What the next report says of what arrives.
    metrics: Option<VoipMetrics>,
    remote_metrics: Option<VoipMetrics>,
    /// The middle of the peer's last reference time, whose it was, and when it came.
    reference: Option<(u32, u32, Instant)>,
    /// When the peer's last report came, and the packets that it had sent by then.
    told: Option<(Instant, u32)>,
    /// Since when it was known whether the peer sends, and whether it does.
    sends: Option<(Instant, bool)>,
}

impl RtcpSession {
    /// A session that begins now. `wall_clock` is the time of day at `now`; `cname` says who we are and is the same
    /// for all streams of a call (random, RFC 7022); `seed` spreads the reports.
    pub fn new(now: Instant, wall_clock: NtpTime, cname: &str, seed: u64) -> Self {
        let cname = cname.as_bytes().get(..MAX_CNAME).unwrap_or(cname.as_bytes());
        let mut session = Self {
            began: now,
            wall_clock,
            cname: Bytes::copy_from_slice(cname),
            random: seed,
            due: now,
            sent_before: 0,
            last_sr: None,
            remote: None,
            round_trip: None,
            metrics_asked: false,
            metrics: None,
            remote_metrics: None,
            reference: None,
            told: None,
            sends: None,
        };
        // The first report comes in half the time (RFC 3550, 6.3.2).
        session.due = now + session.interval() / 2;
        session
    }

    /// When the next report is due.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        Some(self.due)
    }

    /// Whether the peer's description asks for VoIP metrics (`a=rtcp-xr:voip-metrics`, RFC 3611, 5.1).
    pub const fn ask_for_metrics(&mut self, asked: bool) {
        self.metrics_asked = asked;
    }

    /// Whether the peer takes VoIP metrics: it asked for them, or sends its own.
    pub const fn wants_metrics(&self) -> bool {
        self.metrics_asked || self.remote_metrics.is_some()
    }

    /// What the next report says of what arrives, where the peer wants that; the round trip is filled in here.
    pub const fn set_metrics(&mut self, metrics: Option<VoipMetrics>) {
        self.metrics = metrics;
    }

    /// What the peer last told of what we send, beyond its reception report.
    pub const fn remote_metrics(&self) -> Option<VoipMetrics> {
        self.remote_metrics
    }

    /// Whether the peer has been sending since that time, by its own reports; `None` while it has not told of all that
    /// time.
    pub fn peer_sends_since(&self, since: Instant) -> Option<bool> {
        self.sends.filter(|(from, _)| *from >= since).map(|(_, sends)| sends)
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
        if now < self.due {
            return false;
        }
        self.due = now + self.interval();
        let packets = self.report(now, sender, receiver);
        write(&packets, out);
        true
    }

    /// Builds the farewell: report, SDES and BYE.
    pub fn goodbye(
        &mut self,
        now: Instant,
        sender: &Sender,
        receiver: &mut Receiver,
        out: &mut Vec<u8>,
    ) {
        let mut packets = self.report(now, sender, receiver);
        packets.push(Box::new(Goodbye { sources: vec![sender.ssrc()], reason: Bytes::new() }));
        write(&packets, out);
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
        let mut rest = datagram;
        let mut farewell = false;
        for index in 0..MAX_PACKETS {
            let Some((mut packet, after)) = split(rest)? else { break };
            let kind = packet.get(1).copied().unwrap_or_default();
            if index == 0 && !matches!(kind, 200 | 201) {
                return Err(RtcpError::Malformed);
            }
            match kind {
                200 => self.sender_report(now, our_ssrc, &mut packet)?,
                201 => {
                    let report =
                        ReceiverReport::unmarshal(&mut packet).map_err(|_| RtcpError::Malformed)?;
                    self.learn_of_sending(now, None);
                    self.blocks(now, our_ssrc, &report.reports);
                }
                203 => farewell = true,
                extended_report::PACKET_TYPE => {
                    extended_report::read(packet, |block| self.take_block(now, our_ssrc, block));
                }
                _ => {}
            }
            rest = after;
        }
        Ok(farewell)
    }

    /// What the peer last said of what we send.
    pub const fn remote_report(&self) -> Option<RemoteReport> {
        self.remote
    }

    /// The last round trip measured; `None` until the peer has answered one of our reports.
    pub const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The report and the description of the source.
    fn report(
        &mut self,
        now: Instant,
        sender: &Sender,
        receiver: &mut Receiver,
    ) -> Vec<Box<dyn Packet>> {
        let reports: Vec<_> =
            receiver.report_block().map(|block| self.block(now, block)).into_iter().collect();
        let stats = sender.stats();
        let sent = stats.packets != self.sent_before;
        self.sent_before = stats.packets;
        let ssrc = sender.ssrc();
        let report: Box<dyn Packet> = match sender.timestamp_at(now).filter(|_| sent) {
            Some(rtp_time) => Box::new(SenderReport {
                ssrc,
                ntp_time: self.clock(now).0,
                rtp_time,
                packet_count: wrap(stats.packets),
                octet_count: wrap(stats.bytes),
                reports,
                ..SenderReport::default()
            }),
            None => Box::new(ReceiverReport { ssrc, reports, ..ReceiverReport::default() }),
        };
        let name =
            SourceDescriptionItem { sdes_type: SdesType::SdesCname, text: self.cname.clone() };
        let chunk = SourceDescriptionChunk { source: ssrc, items: vec![name] };
        let listens = sender.timestamp_at(now).filter(|_| sent).is_none();
        let blocks = self.extended_blocks(now, listens, receiver.ssrc());
        let mut packets = vec![report, Box::new(SourceDescription { chunks: vec![chunk] })];
        packets.extend(extended_report::write(ssrc, &blocks));
        packets
    }

    /// What an extended report says now. One who only listens asks for the round trip by his own reference time.
    fn extended_blocks(&self, now: Instant, listens: bool, source: Option<u32>) -> Vec<Block> {
        let mut blocks = Vec::new();
        if let (Some(metrics), Some(ssrc), true) = (self.metrics, source, self.wants_metrics()) {
            blocks
                .push(Block::Metrics(ssrc, VoipMetrics { round_trip: self.round_trip, ..metrics }));
        }
        if let Some((ssrc, reference, at)) = self.reference {
            blocks.push(Block::Answer { ssrc, reference, delay: since(at, now) });
        }
        if listens && self.wants_metrics() {
            blocks.push(Block::Reference(0, self.clock(now).0));
        }
        blocks
    }

    fn take_block(&mut self, now: Instant, our_ssrc: u32, block: Block) {
        match block {
            Block::Metrics(ssrc, metrics) if ssrc == our_ssrc => {
                self.remote_metrics = Some(metrics);
            }
            Block::Reference(ssrc, time) => {
                self.reference = Some((ssrc, NtpTime(time).middle(), now));
            }
            Block::Answer { ssrc, reference, delay } if ssrc == our_ssrc => {
                self.measure(now, reference, delay);
            }
            Block::Metrics(..) | Block::Answer { .. } => {}
        }
    }

    /// A block with the peer's last SR and how long ago it came, if it was that source's.
    fn block(&self, now: Instant, block: ReportBlock) -> ReceptionReport {
        let last = self.last_sr.filter(|(_, ssrc, _)| *ssrc == block.ssrc);
        let (last_sender_report, delay) =
            last.map_or((0, 0), |(middle, _, at)| (middle, since(at, now)));
        ReceptionReport {
            ssrc: block.ssrc,
            fraction_lost: block.fraction_lost,
            total_lost: block.total_lost.cast_unsigned() & 0x00ff_ffff,
            last_sequence_number: block.highest_sequence,
            jitter: block.jitter,
            last_sender_report,
            delay,
        }
    }

    fn sender_report(
        &mut self,
        now: Instant,
        our_ssrc: u32,
        packet: &mut &[u8],
    ) -> Result<(), RtcpError> {
        let report = SenderReport::unmarshal(packet).map_err(|_| RtcpError::Malformed)?;
        self.last_sr = Some((NtpTime(report.ntp_time).middle(), report.ssrc, now));
        self.learn_of_sending(now, Some(report.packet_count));
        self.blocks(now, our_ssrc, &report.reports);
        Ok(())
    }

    /// A report tells what was sent since the one before: with a count of packets, or without one, nothing.
    fn learn_of_sending(&mut self, now: Instant, count: Option<u32>) {
        if let Some((before, sent)) = self.told {
            self.sends = Some((before, count.is_some_and(|count| count != sent)));
        }
        self.told = Some((now, count.or(self.told.map(|(_, sent)| sent)).unwrap_or_default()));
    }

    fn blocks(&mut self, now: Instant, our_ssrc: u32, reports: &[ReceptionReport]) {
        let Some(report) = reports.iter().find(|report| report.ssrc == our_ssrc) else { return };
        self.remote = Some(RemoteReport {
            fraction_lost: report.fraction_lost,
            // 24 bits with a sign.
            total_lost: (report.total_lost << 8).cast_signed() >> 8,
            jitter: report.jitter,
            highest_sequence: report.last_sequence_number,
            count: self.remote.map_or(0, |before| before.count).wrapping_add(1),
        });
        self.measure(now, report.last_sender_report, report.delay);
    }

    /// The round trip from a time of ours that came back after that delay; 0 is no time.
    fn measure(&mut self, now: Instant, sent: u32, delay: u32) {
        if sent == 0 {
            return;
        }
        let there_and_back = self.clock(now).middle().wrapping_sub(sent).wrapping_sub(delay);
        // More than half the range is a negative figure: the peer's delay is wrong.
        if there_and_back < 1 << 31 {
            let micros = u64::from(there_and_back) * 1_000_000 / 65_536;
            self.round_trip = Some(Duration::from_micros(micros));
        }
    }

    fn clock(&self, now: Instant) -> NtpTime {
        self.wall_clock.plus(now.saturating_duration_since(self.began))
    }

    /// Half to one and a half times the mean (RFC 3550, 6.3.1).
    fn interval(&mut self) -> Duration {
        // One step of SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let thousandth = u32::try_from((z ^ (z >> 31)) % 1_001).unwrap_or_default();
        INTERVAL / 2 + INTERVAL * thousandth / 1_000
    }
}

/// The time between two moments in 1/65536 s.
fn since(at: Instant, now: Instant) -> u32 {
    let micros = now.saturating_duration_since(at).as_micros();
    u32::try_from(micros * 65_536 / 1_000_000).unwrap_or(u32::MAX)
}

/// One packet of a compound and what follows it.
type Parts<'a> = (&'a [u8], &'a [u8]);

/// The first packet of a compound; `None` at the end.
fn split(bytes: &[u8]) -> Result<Option<Parts<'_>>, RtcpError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (&[first, _, high, low], _) = bytes.split_first_chunk::<4>().ok_or(RtcpError::Malformed)?;
    let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
    if first >> 6 != 2 {
        return Err(RtcpError::Malformed);
    }
    bytes.split_at_checked(length).map(Some).ok_or(RtcpError::Malformed)
}

fn write(packets: &[Box<dyn Packet>], out: &mut Vec<u8>) {
    out.clear();
    if let Ok(bytes) = rtc_rtcp::packet::marshal(packets) {
        out.extend_from_slice(&bytes);
    }
}

/// Counts are sent modulo 2^32.
#[expect(clippy::cast_possible_truncation, reason = "counts modulo 2^32")]
const fn wrap(count: u64) -> u32 {
    count as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extended_report::LossShares;
    use crate::packet::{RtpHeader, RtpPacket};
    use crate::sender::SenderConfig;
    use proptest::prelude::*;
    use std::net::SocketAddr;

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    struct End {
        rtcp: RtcpSession,
        sender: Sender,
        receiver: Receiver,
    }

    fn end(now: Instant, ssrc: u32) -> End {
        let config = SenderConfig {
            ssrc,
            first_sequence: 65_530,
            first_timestamp: u32::MAX - 300,
            payload_type: 8,
            clock_rate: 8_000,
        };
        let wall_clock = NtpTime::from_unix(Duration::from_secs(1_800_000_000 + u64::from(ssrc)));
        End {
            rtcp: RtcpSession::new(now, wall_clock, "name", u64::from(ssrc)),
            sender: Sender::new(config),
            receiver: Receiver::new(Some(peer()), &[(8, 8_000)]),
        }
    }

    fn peer() -> SocketAddr {
        "192.0.2.1:5000".parse().unwrap()
    }

    /// Ten seconds of a call with 30 ms each way and every tenth packet of `left` lost.
    fn call() -> (End, End) {
        let base = start();
        let (mut left, mut right) = (end(base, 1), end(base, 2));
        let mut bytes = Vec::new();
        for tick in 0..500_u32 {
            let now = base + Duration::from_millis(20) * tick;
            let there = now + Duration::from_millis(30);
            left.sender.frame(now, &[0x55; 160], 160, &mut bytes);
            if tick % 10 != 5 {
                right.receiver.handle_packet(there, peer(), &bytes).unwrap();
            }
            right.sender.frame(now, &[0x55; 160], 160, &mut bytes);
            left.receiver.handle_packet(there, peer(), &bytes).unwrap();
            if left.rtcp.handle_timeout(now, &left.sender, &mut left.receiver, &mut bytes) {
                assert!(crate::packet::is_rtcp(&bytes));
                assert_eq!(right.rtcp.handle_packet(there, 2, &bytes), Ok(false));
            }
            if right.rtcp.handle_timeout(now, &right.sender, &mut right.receiver, &mut bytes) {
                assert_eq!(left.rtcp.handle_packet(there, 1, &bytes), Ok(false));
            }
        }
        (left, right)
    }

    #[test]
    fn round_trip_and_loss_come_back_to_the_sender() {
        let (left, _) = call();
        let round_trip = left.rtcp.round_trip().unwrap();
        assert!(
            round_trip.abs_diff(Duration::from_millis(60)) < Duration::from_millis(1),
            "{round_trip:?}"
        );
        let report = left.rtcp.remote_report().unwrap();
        assert!((20..=30).contains(&report.fraction_lost), "{report:?}");
        assert!(report.total_lost > 10);
    }

    #[test]
    fn farewell_is_understood() {
        let (mut left, mut right) = call();
        let mut bytes = Vec::new();
        let now = left.rtcp.due;
        left.rtcp.goodbye(now, &left.sender, &mut left.receiver, &mut bytes);
        assert_eq!(right.rtcp.handle_packet(now, 2, &bytes), Ok(true));
    }

    #[test]
    fn listener_sends_receiver_reports() {
        let base = start();
        let mut end = end(base, 7);
        let mut bytes = Vec::new();
        assert!(!end.rtcp.handle_timeout(base, &end.sender, &mut end.receiver, &mut bytes));
        let due = end.rtcp.poll_timeout().unwrap();
        assert!((base + INTERVAL / 4..=base + INTERVAL * 3 / 4).contains(&due));
        assert!(end.rtcp.handle_timeout(due, &end.sender, &mut end.receiver, &mut bytes));
        assert_eq!(bytes.get(1), Some(&201));
        assert!(end.rtcp.poll_timeout().unwrap() >= due + INTERVAL / 2);
    }

    #[test]
    fn negative_loss_keeps_its_sign() {
        let mut end = end(start(), 7);
        let report = ReceptionReport { ssrc: 7, total_lost: 0x00ff_fffe, ..Default::default() };
        end.rtcp.blocks(start(), 7, &[report]);
        assert_eq!(end.rtcp.remote_report().unwrap().total_lost, -2);
    }

    #[test]
    fn an_rtp_packet_is_no_rtcp() {
        let mut bytes = Vec::new();
        RtpPacket { header: RtpHeader::default(), payload: &[0; 20] }.write(&mut bytes);
        let mut end = end(start(), 7);
        assert_eq!(end.rtcp.handle_packet(start(), 7, &bytes), Err(RtcpError::Malformed));
    }

    fn metrics() -> VoipMetrics {
        VoipMetrics {
            loss: LossShares {
                lost: 0.0625,
                discarded: 0.125,
                burst_density: 0.5,
                gap_density: 0.015_625,
                burst: Duration::from_millis(120),
                gap: Duration::from_millis(4_000),
            },
            round_trip: None,
            end_system: Some(Duration::from_millis(83)),
            rating: Some(71),
            listening_mos: Some(3.9),
            conversation_mos: Some(3.6),
            buffer: Some(Duration::from_millis(40)),
            longest_buffer: Some(Duration::from_millis(400)),
        }
    }

    /// A report of one end to the other, delivered; what was sent.
    fn report(now: Instant, from: &mut End, to: &mut End) -> Vec<u8> {
        let (mut bytes, due) = (Vec::new(), from.rtcp.due.max(now));
        assert!(from.rtcp.handle_timeout(due, &from.sender, &mut from.receiver, &mut bytes));
        assert_eq!(to.rtcp.handle_packet(due, to.sender.ssrc(), &bytes), Ok(false));
        bytes
    }

    fn has_extended_report(mut bytes: &[u8]) -> bool {
        while let Some((packet, after)) = split(bytes).unwrap() {
            if packet.get(1) == Some(&207) {
                return true;
            }
            bytes = after;
        }
        false
    }

    #[test]
    fn metrics_reach_the_sender_only_when_it_asked_or_tells_its_own() {
        let (mut left, mut right) = call();
        let now = left.rtcp.due.max(right.rtcp.due);
        right.rtcp.set_metrics(Some(metrics()));
        assert!(!has_extended_report(&report(now, &mut right, &mut left)));
        assert_eq!(left.rtcp.remote_metrics(), None);
        right.rtcp.ask_for_metrics(true);
        assert!(has_extended_report(&report(now, &mut right, &mut left)));
        let told = left.rtcp.remote_metrics().unwrap();
        let round_trip = told.round_trip.unwrap();
        assert!(round_trip.abs_diff(Duration::from_millis(60)) <= Duration::from_millis(1));
        assert_eq!(VoipMetrics { round_trip: None, ..told }, metrics());
        // Who is told so tells his own, though nobody asked him.
        left.rtcp.set_metrics(Some(VoipMetrics::default()));
        assert!(left.rtcp.wants_metrics());
        report(now, &mut left, &mut right);
        let nothing = right.rtcp.remote_metrics().unwrap();
        assert_eq!((nothing.end_system, nothing.buffer, nothing.rating), (None, None, None));
        assert_eq!((nothing.listening_mos, nothing.conversation_mos), (None, None));
    }

    #[test]
    fn metrics_of_another_stream_are_not_ours() {
        let (mut left, mut right) = call();
        right.rtcp.ask_for_metrics(true);
        right.rtcp.set_metrics(Some(metrics()));
        let now = right.rtcp.due;
        let mut bytes = Vec::new();
        right.rtcp.handle_timeout(now, &right.sender, &mut right.receiver, &mut bytes);
        assert_eq!(left.rtcp.handle_packet(now, 99, &bytes), Ok(false));
        assert_eq!(left.rtcp.remote_metrics(), None);
    }

    #[test]
    fn one_who_only_listens_learns_the_round_trip() {
        let base = start();
        let (mut left, mut right) = (end(base, 1), end(base, 2));
        let mut bytes = Vec::new();
        // Left only listens; right talks, and the way is 40 ms long.
        let way = Duration::from_millis(40);
        left.rtcp.ask_for_metrics(true);
        for tick in 0..1_000_u32 {
            let now = base + Duration::from_millis(20) * tick;
            right.sender.frame(now, &[0x55; 160], 160, &mut bytes);
            left.receiver.handle_packet(now + way, peer(), &bytes).unwrap();
            if left.rtcp.handle_timeout(now, &left.sender, &mut left.receiver, &mut bytes) {
                assert_eq!(bytes.get(1), Some(&201), "nothing was sent");
                right.rtcp.handle_packet(now + way, 2, &bytes).unwrap();
            }
            if right.rtcp.handle_timeout(now, &right.sender, &mut right.receiver, &mut bytes) {
                left.rtcp.handle_packet(now + way, 1, &bytes).unwrap();
            }
        }
        let round_trip = left.rtcp.round_trip().unwrap();
        assert!(round_trip.abs_diff(way * 2) < Duration::from_millis(1), "{round_trip:?}");
    }

    #[test]
    fn whether_the_peer_sends_is_known_from_two_reports_of_that_time() {
        let (mut left, mut right) = call();
        let now = left.rtcp.due.max(right.rtcp.due);
        let mut bytes = Vec::new();
        assert_eq!(right.rtcp.peer_sends_since(now), None);
        report(now, &mut left, &mut right);
        let first = right.rtcp.told.unwrap().0;
        assert_eq!(right.rtcp.peer_sends_since(now), None, "it tells of the time before");
        left.sender.frame(first, &[0x55; 160], 160, &mut bytes);
        report(first, &mut left, &mut right);
        assert_eq!(right.rtcp.peer_sends_since(now), Some(true));
        report(right.rtcp.told.unwrap().0, &mut left, &mut right);
        assert_eq!(right.rtcp.peer_sends_since(now), Some(false));
    }

    #[test]
    fn an_odd_block_costs_neither_the_other_blocks_nor_the_report() {
        let mut end = end(start(), 7);
        let metrics = extended_report::write(5, &[Block::Metrics(7, metrics())]).unwrap();
        let good = rtc_rtcp::packet::marshal(&[metrics]).unwrap();
        let block = good.get(8..).unwrap();
        // Unknown, then of the wrong length for its kind, then ours, then one that runs over the end.
        let mut blocks = vec![99, 0, 0, 1, 1, 2, 3, 4, 7, 0, 0, 1, 0, 0, 0, 7];
        blocks.extend_from_slice(block);
        blocks.extend([5, 0, 0xff, 0xff]);
        let words = u8::try_from(1 + blocks.len() / 4).unwrap();
        let mut datagram = vec![0x80, 201, 0, 1, 0, 0, 0, 5, 0x80, 207, 0, words, 0, 0, 0, 5];
        datagram.extend(blocks);
        assert_eq!(end.rtcp.handle_packet(start(), 7, &datagram), Ok(false));
        assert_eq!(end.rtcp.remote_metrics().unwrap().rating, Some(71));
    }

    #[test]
    fn values_that_say_unknown_are_unknown() {
        let mut end = end(start(), 7);
        let mut block = vec![0x80, 201, 0, 1, 0, 0, 0, 5, 0x80, 207, 0, 10, 0, 0, 0, 5, 7, 0, 0, 8];
        block.extend([0, 0, 0, 7]);
        block.extend([0; 8]);
        // No round trip, a delay beyond reason; levels, ratings and scores unavailable; no buffer.
        block.extend([
            0, 0, 0xff, 0xff, 127, 127, 127, 16, 127, 127, 127, 127, 0, 0, 0, 0, 0, 0, 0, 0,
        ]);
        assert_eq!(end.rtcp.handle_packet(start(), 7, &block), Ok(false));
        assert_eq!(end.rtcp.remote_metrics(), Some(VoipMetrics::default()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn arbitrary_datagrams_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), kind in 199_u8..208, words in 0_u8..30) {
            let mut end = end(start(), 7);
            let _ = end.rtcp.handle_packet(start(), 7, &bytes);
            let mut shaped = vec![0x81, kind, 0, words];
            shaped.extend(bytes);
            let _ = end.rtcp.handle_packet(start(), 7, &shaped);
            let mut compound = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
            compound.extend(shaped);
            let _ = end.rtcp.handle_packet(start(), 7, &compound);
        }
    }
}
