//! Numbering of what is sent: sequence, timestamp, marker, counts (RFC 3550, 5.1; RFC 3551, 4.1).

use std::time::Instant;

use crate::packet::{RtpHeader, RtpPacket};
use crate::telephone_event::EventPacket;

/// How a stream starts. The three random values come from the caller's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderConfig {
    /// Synchronisation source, random.
    pub ssrc: u32,
    /// First sequence number, random.
    pub first_sequence: u16,
    /// First timestamp, random.
    pub first_timestamp: u32,
    /// Payload type of the codec.
    pub payload_type: u8,
    /// RTP clock rate of the codec in Hz.
    pub clock_rate: u32,
}

/// What has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderStats {
    /// Packets, telephone events included.
    pub packets: u64,
    /// Payload bytes, without headers.
    pub bytes: u64,
}

/// One outgoing stream.
#[derive(Debug, Clone)]
pub struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    payload_type: u8,
    clock_rate: u32,
    /// The next frame begins a talk spurt.
    spurt_starts: bool,
    stats: SenderStats,
    /// When the frame at `timestamp` was due, for sender reports.
    reference: Option<(Instant, u32)>,
}

impl Sender {
    /// A stream that has sent nothing yet; its first frame carries the marker.
    pub const fn new(config: SenderConfig) -> Self {
        Self {
            ssrc: config.ssrc,
            sequence: config.first_sequence,
            timestamp: config.first_timestamp,
            payload_type: config.payload_type,
            clock_rate: config.clock_rate,
            spurt_starts: true,
            stats: SenderStats { packets: 0, bytes: 0 },
            reference: None,
        }
    }

    /// The stream's synchronisation source.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What has been sent so far.
    pub const fn stats(&self) -> SenderStats {
        self.stats
    }

    /// The timestamp that the next frame will carry.
    pub const fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// Changes the codec from the next frame on; the sequence goes on, the timestamp too (RFC 3550, 5.1), the next
    /// frame carries the marker.
    pub const fn set_codec(&mut self, payload_type: u8, clock_rate: u32) {
        if self.payload_type != payload_type || self.clock_rate != clock_rate {
            self.payload_type = payload_type;
            self.clock_rate = clock_rate;
            self.spurt_starts = true;
            self.reference = None;
        }
    }

    /// Writes a packet with one encoded frame to `out`; `duration` is its length in units of the clock rate.
    pub fn frame(&mut self, now: Instant, payload: &[u8], duration: u32, out: &mut Vec<u8>) {
        let header = self.next_header(self.spurt_starts, self.payload_type, self.timestamp);
        self.spurt_starts = false;
        self.reference = Some((now, self.timestamp));
        self.timestamp = self.timestamp.wrapping_add(duration);
        self.write(header, payload, out);
    }

    /// Lets `duration` (in units of the clock rate) pass without a packet: muted, on hold, silence, or while a digit
    /// is sent. The next frame carries the marker.
    pub const fn skip(&mut self, duration: u32) {
        self.timestamp = self.timestamp.wrapping_add(duration);
        self.spurt_starts = true;
    }

    /// Writes a comfort noise packet (RFC 3389) to `out` at the present timestamp and lets `duration` pass.
    pub fn comfort_noise(
        &mut self,
        payload_type: u8,
        payload: &[u8],
        duration: u32,
        out: &mut Vec<u8>,
    ) {
        let header = self.next_header(false, payload_type, self.timestamp);
        self.skip(duration);
        self.write(header, payload, out);
    }

    /// Writes a telephone-event packet (RFC 4733) to `out`; it keeps its event's timestamp.
    pub fn event(&mut self, event: &EventPacket, out: &mut Vec<u8>) {
        let header = self.next_header(event.marker, event.payload_type, event.timestamp);
        self.write(header, &event.payload, out);
    }

    /// The RTP timestamp that corresponds to `now`, for a sender report; `None` before the first frame.
    pub fn timestamp_at(&self, now: Instant) -> Option<u32> {
        let (sent_at, timestamp) = self.reference?;
        let elapsed = now.saturating_duration_since(sent_at).as_micros();
        let units = elapsed.wrapping_mul(u128::from(self.clock_rate)) / 1_000_000;
        #[expect(clippy::cast_possible_truncation, reason = "timestamps count modulo 2^32")]
        Some(timestamp.wrapping_add(units as u32))
    }

    fn next_header(&mut self, marker: bool, payload_type: u8, timestamp: u32) -> RtpHeader {
        let sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        RtpHeader { marker, payload_type, sequence, timestamp, ssrc: self.ssrc }
    }

    fn write(&mut self, header: RtpHeader, payload: &[u8], out: &mut Vec<u8>) {
        RtpPacket { header, payload }.write(out);
        self.stats.packets += 1;
        self.stats.bytes += payload.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    fn sender() -> Sender {
        Sender::new(SenderConfig {
            ssrc: 7,
            first_sequence: u16::MAX,
            first_timestamp: u32::MAX - 100,
            payload_type: 8,
            clock_rate: 8_000,
        })
    }

    fn sent(bytes: &[u8]) -> RtpHeader {
        RtpPacket::parse(bytes).unwrap().header
    }

    #[test]
    fn numbers_wrap_and_the_marker_begins_each_spurt() {
        let (mut sender, mut bytes, now) = (sender(), Vec::new(), start());
        sender.frame(now, &[1; 160], 160, &mut bytes);
        let first = sent(&bytes);
        assert_eq!(
            (first.marker, first.sequence, first.timestamp),
            (true, u16::MAX, u32::MAX - 100)
        );
        sender.frame(now, &[1; 160], 160, &mut bytes);
        let second = sent(&bytes);
        assert_eq!((second.marker, second.sequence, second.timestamp), (false, 0, 59));
        sender.skip(320);
        sender.frame(now, &[1; 160], 160, &mut bytes);
        let third = sent(&bytes);
        assert_eq!((third.marker, third.sequence, third.timestamp), (true, 1, 539));
        assert_eq!(sender.stats(), SenderStats { packets: 3, bytes: 480 });
    }

    #[test]
    fn an_event_keeps_its_timestamp_and_takes_a_number() {
        let (mut sender, mut bytes) = (sender(), Vec::new());
        let event =
            EventPacket { marker: true, payload_type: 101, timestamp: 5, payload: [1, 10, 0, 0] };
        sender.event(&event, &mut bytes);
        let header = sent(&bytes);
        assert_eq!((header.payload_type, header.timestamp, header.sequence), (101, 5, u16::MAX));
        sender.frame(start(), &[0; 10], 80, &mut bytes);
        assert_eq!(sent(&bytes).sequence, 0);
    }

    #[test]
    fn reports_run_on_with_time() {
        let (mut sender, mut bytes, now) = (sender(), Vec::new(), start());
        assert_eq!(sender.timestamp_at(now), None);
        sender.frame(now, &[1; 160], 160, &mut bytes);
        assert_eq!(sender.timestamp_at(now + Duration::from_millis(50)), Some(299));
    }
}
