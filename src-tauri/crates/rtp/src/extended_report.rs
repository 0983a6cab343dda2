//! Extended reports (RFC 3611): what a receiver tells beyond its reception report, and round trips for one who only listens.
//!
//! Only the blocks that mean something to a call are read: VoIP metrics, reference time of a receiver, and the answer to
//! that. The packet is walked here, block by block, so that one odd block does not cost the others.

use std::time::Duration;

use rtc_rtcp::extended_report::{
    DLRRReport, DLRRReportBlock, ExtendedReport, ReceiverReferenceTimeReportBlock,
    VoIPMetricsReportBlock,
};
use rtc_rtcp::packet::Packet;
use rtc_shared::marshal::Unmarshal;

use crate::loss_pattern::{GOOD_IN_SEQUENCE, LossSummary};

/// The packet type.
pub(crate) const PACKET_TYPE: u8 = 207;
/// The most blocks of a packet that are looked at.
const MAX_BLOCKS: usize = 32;
/// The value of a level, a rating or a score that is not known.
const UNAVAILABLE: u8 = 127;
/// Concealment better than repetition, and a buffer that adapts (4.7.6).
const RECEIVER: u8 = 0b1011_0000;
/// Longer delays than this are a mistake of the peer's.
const LONGEST_DELAY: u16 = 10_000;

/// What a receiver tells of a stream of speech (RFC 3611, 4.7). What is not known is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VoipMetrics {
    /// How packets are lost, since the beginning.
    pub loss: LossShares,
    /// Round trip as the receiver measures it.
    pub round_trip: Option<Duration>,
    /// Everything that the receiver's own side adds: collecting and coding what it sends, buffering, decoding and playing
    /// what it receives.
    pub end_system: Option<Duration>,
    /// The rating factor R, 0 to 100, with delay.
    pub rating: Option<u8>,
    /// Mean opinion score for listening, 1 to 5.
    pub listening_mos: Option<f32>,
    /// Mean opinion score for conversation, with delay, 1 to 5.
    pub conversation_mos: Option<f32>,
    /// Delay of the jitter buffer for a packet that comes on time.
    pub buffer: Option<Duration>,
    /// The most that it may become.
    pub longest_buffer: Option<Duration>,
}

/// The losses of a report, as shares of 0 to 1, and mean lengths.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LossShares {
    /// Never came.
    pub lost: f32,
    /// Came too late.
    pub discarded: f32,
    /// Lost or discarded within bursts.
    pub burst_density: f32,
    /// Lost or discarded between them.
    pub gap_density: f32,
    /// Mean length of a burst.
    pub burst: Duration,
    /// Mean length of the gaps between bursts.
    pub gap: Duration,
}

impl LossShares {
    /// From counts in packets, each of that length.
    pub fn new(summary: &LossSummary, packet: Duration) -> Self {
        let long = |packets: f32| packet.mul_f32(packets.clamp(0.0, 1e6));
        Self {
            lost: summary.lost,
            discarded: summary.discarded,
            burst_density: summary.burst_density,
            gap_density: summary.gap_density,
            burst: long(summary.burst_packets),
            gap: long(summary.gap_packets),
        }
    }
}

impl VoipMetrics {
    fn block(&self, ssrc: u32) -> VoIPMetricsReportBlock {
        VoIPMetricsReportBlock {
            ssrc,
            loss_rate: part(self.loss.lost),
            discard_rate: part(self.loss.discarded),
            burst_density: part(self.loss.burst_density),
            gap_density: part(self.loss.gap_density),
            burst_duration: milliseconds(self.loss.burst),
            gap_duration: milliseconds(self.loss.gap),
            round_trip_delay: delay(self.round_trip),
            end_system_delay: delay(self.end_system),
            signal_level: UNAVAILABLE,
            noise_level: UNAVAILABLE,
            rerl: UNAVAILABLE,
            gmin: GOOD_IN_SEQUENCE,
            rfactor: self.rating.map_or(UNAVAILABLE, |rating| rating.min(100)),
            ext_rfactor: UNAVAILABLE,
            mos_lq: tenths(self.listening_mos),
            mos_cq: tenths(self.conversation_mos),
            rx_config: RECEIVER,
            reserved: 0,
            jb_nominal: delay(self.buffer),
            jb_maximum: delay(self.longest_buffer),
            jb_abs_max: delay(self.longest_buffer),
        }
    }

    fn read(block: &VoIPMetricsReportBlock) -> Self {
        let share = |part: u8| f32::from(part) / 256.0;
        let long = |ms: u16| Duration::from_millis(ms.into());
        let delay = |ms: u16| (1..=LONGEST_DELAY).contains(&ms).then(|| long(ms));
        let score = |tenths: u8| (10..=50).contains(&tenths).then(|| f32::from(tenths) / 10.0);
        Self {
            loss: LossShares {
                lost: share(block.loss_rate),
                discarded: share(block.discard_rate),
                burst_density: share(block.burst_density),
                gap_density: share(block.gap_density),
                burst: long(block.burst_duration),
                gap: long(block.gap_duration),
            },
            round_trip: delay(block.round_trip_delay),
            end_system: delay(block.end_system_delay),
            rating: Some(block.rfactor).filter(|rating| *rating <= 100),
            listening_mos: score(block.mos_lq),
            conversation_mos: score(block.mos_cq),
            buffer: delay(block.jb_nominal),
            longest_buffer: delay(block.jb_abs_max),
        }
    }
}

/// A block of a peer's that means something to us.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Block {
    /// What it says of the source.
    Metrics(u32, VoipMetrics),
    /// The time at that one's, NTP, when he sent it.
    Reference(u32, u64),
    /// An answer to the source's reference time: its middle 32 bits, and how long ago it had come, 1/65536 s.
    Answer { ssrc: u32, reference: u32, delay: u32 },
}

/// Calls back for each block of a packet (with its header) that can be used.
pub(crate) fn read(packet: &[u8], mut take: impl FnMut(Block)) {
    let Some((header, mut rest)) = packet.split_first_chunk::<8>() else { return };
    let &[_, _, _, _, a, b, c, d] = header;
    let sender = u32::from_be_bytes([a, b, c, d]);
    for _ in 0..MAX_BLOCKS {
        let Some(&[kind, _, high, low]) = rest.first_chunk::<4>() else { return };
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let Some((mut block, after)) = rest.split_at_checked(length) else { return };
        rest = after;
        match kind {
            4 => {
                if let Ok(time) = ReceiverReferenceTimeReportBlock::unmarshal(&mut block) {
                    take(Block::Reference(sender, time.ntp_timestamp));
                }
            }
            5 => {
                let answers = DLRRReportBlock::unmarshal(&mut block).map(|block| block.reports);
                for one in answers.unwrap_or_default() {
                    let DLRRReport { ssrc, last_rr, dlrr } = one;
                    take(Block::Answer { ssrc, reference: last_rr, delay: dlrr });
                }
            }
            7 => {
                if let Ok(metrics) = VoIPMetricsReportBlock::unmarshal(&mut block) {
                    take(Block::Metrics(metrics.ssrc, VoipMetrics::read(&metrics)));
                }
            }
            _ => {}
        }
    }
}

/// A packet of ours with these blocks; `None` without any.
pub(crate) fn write(ssrc: u32, blocks: &[Block]) -> Option<Box<dyn Packet>> {
    if blocks.is_empty() {
        return None;
    }
    let reports = blocks.iter().map(|block| -> Box<dyn Packet> {
        match *block {
            Block::Metrics(source, metrics) => Box::new(metrics.block(source)),
            Block::Reference(_, ntp_timestamp) => {
                Box::new(ReceiverReferenceTimeReportBlock { ntp_timestamp })
            }
            Block::Answer { ssrc, reference, delay } => {
                let report = DLRRReport { ssrc, last_rr: reference, dlrr: delay };
                Box::new(DLRRReportBlock { reports: vec![report] })
            }
        }
    });
    Some(Box::new(ExtendedReport { sender_ssrc: ssrc, reports: reports.collect() }))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
fn part(share: f32) -> u8 {
    (share * 256.0).clamp(0.0, 255.0) as u8
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
fn tenths(score: Option<f32>) -> u8 {
    score.map_or(UNAVAILABLE, |score| (score * 10.0).round().clamp(10.0, 50.0) as u8)
}

/// Rounded.
fn milliseconds(duration: Duration) -> u16 {
    let rounded = duration.saturating_add(Duration::from_micros(500));
    u16::try_from(rounded.as_millis()).unwrap_or(u16::MAX)
}

/// 0 says unknown; a delay of less than a millisecond is told as one.
fn delay(delay: Option<Duration>) -> u16 {
    delay.map_or(0, |delay| milliseconds(delay).max(1))
}
