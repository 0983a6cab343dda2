//! Keypad digits as telephone events (RFC 4733).
//!
//! [`EventSender`]'s inputs: digits from the user, time. [`EventReceiver`]'s: packets of the peer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::packet::RtpHeader;

/// How long a digit sounds.
const DIGIT: Duration = Duration::from_millis(100);
/// The pause between two digits.
const PAUSE: Duration = Duration::from_millis(70);
/// The time between two packets of one event (RFC 4733, 2.5.1.2).
const STEP: Duration = Duration::from_millis(50);
/// How often the last packet is sent (RFC 4733, 2.5.1.4).
const END_PACKETS: u8 = 3;
/// The power level written, in -dBm0.
const VOLUME: u8 = 10;
/// The time between two of the last packets, so that one burst of loss does not take them all.
const END_STEP: Duration = Duration::from_millis(20);
/// The most digits that wait.
const QUEUE_LIMIT: usize = 256;

/// A keypad key: 0 to 9, `*`, `#`, A to D (event codes 0 to 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digit(u8);

impl Digit {
    /// The key with that character.
    pub fn from_char(key: char) -> Option<Self> {
        const KEYS: &str = "0123456789*#ABCD";
        let position = KEYS.find(key.to_ascii_uppercase())?;
        u8::try_from(position).ok().map(Self)
    }

    /// The key of that event code.
    pub const fn from_code(code: u8) -> Option<Self> {
        if code < 16 { Some(Self(code)) } else { None }
    }

    /// The event code, 0 to 15.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The character on the key.
    pub const fn as_char(self) -> char {
        match self.0 {
            digit @ 0..=9 => (b'0' + digit) as char,
            10 => '*',
            11 => '#',
            letter => (b'A' + letter - 12) as char,
        }
    }
}

/// One packet to send, through [`crate::Sender::event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPacket {
    /// First packet of the event.
    pub marker: bool,
    /// The negotiated payload type.
    pub payload_type: u8,
    /// When the event began, in the stream's timestamps.
    pub timestamp: u32,
    /// Event, end bit and volume, duration.
    pub payload: [u8; 4],
}

/// Sends digits, one after the other.
#[derive(Debug, Clone)]
pub struct EventSender {
    payload_type: u8,
    clock_rate: u32,
    queue: VecDeque<Digit>,
    phase: Phase,
    outputs: VecDeque<EventPacket>,
}

/// Where the sender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Sounding {
        digit: Digit,
        began: Instant,
        timestamp: u32,
        /// When the next packet is due.
        next: Instant,
        /// How many have been sent, and how many of those say that the event is over.
        packets: u32,
        ends: u8,
    },
    Pausing {
        until: Instant,
    },
}

impl EventSender {
    /// For one negotiated numbering; `clock_rate` in Hz is that of the event's durations.
    pub const fn new(payload_type: u8, clock_rate: u32) -> Self {
        Self {
            payload_type,
            clock_rate,
            queue: VecDeque::new(),
            phase: Phase::Idle,
            outputs: VecDeque::new(),
        }
    }

    /// Queues one digit (dropped when 256 wait already).
    pub fn queue(&mut self, digit: Digit) {
        if self.queue.len() < QUEUE_LIMIT {
            self.queue.push_back(digit);
        }
    }

    /// Whether a digit sounds: the stream then sends no sound (and calls [`crate::Sender::skip`] instead).
    pub const fn is_sounding(&self) -> bool {
        matches!(self.phase, Phase::Sounding { .. })
    }

    /// Whether anything is left to send.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle && self.queue.is_empty() && self.outputs.is_empty()
    }

    /// Goes on. `timestamp` is the stream's RTP timestamp now ([`crate::Sender::timestamp`]); a digit that begins
    /// takes it.
    pub fn handle_timeout(&mut self, now: Instant, timestamp: u32) {
        if let Phase::Pausing { until } = self.phase
            && now >= until
        {
            self.phase = Phase::Idle;
        }
        if self.phase == Phase::Idle
            && let Some(digit) = self.queue.pop_front()
        {
            tracing::debug!("Idle, digit queued -> Sounding");
            self.phase = Phase::Sounding {
                digit,
                began: now,
                timestamp,
                next: now + STEP,
                packets: 1,
                ends: 0,
            };
            self.push(digit, timestamp, true, false, STEP);
            return;
        }
        self.continue_sounding(now);
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Idle => None,
            Phase::Sounding { next, .. } => Some(next),
            Phase::Pausing { until } => Some(until),
        }
    }

    /// The next packet to send.
    pub fn poll_output(&mut self) -> Option<EventPacket> {
        self.outputs.pop_front()
    }

    /// Updates every 50 ms with the duration so far; the last one three times.
    fn continue_sounding(&mut self, now: Instant) {
        let Phase::Sounding { digit, began, timestamp, next, packets, ends } = self.phase else {
            return;
        };
        if now < next {
            return;
        }
        let over = next >= began + DIGIT;
        if over {
            self.push(digit, timestamp, false, true, DIGIT);
        } else {
            self.push(digit, timestamp, false, false, STEP * (packets + 1));
        }
        let ends = ends + u8::from(over);
        if ends == END_PACKETS {
            tracing::debug!("Sounding, digit complete -> Pausing");
            self.phase = Phase::Pausing { until: (began + DIGIT + PAUSE).max(now) };
        } else {
            let next = next + if over { END_STEP } else { STEP };
            let packets = packets + 1;
            self.phase = Phase::Sounding { digit, began, timestamp, next, packets, ends };
        }
    }

    fn push(&mut self, digit: Digit, timestamp: u32, marker: bool, end: bool, length: Duration) {
        let units = length.as_millis() * u128::from(self.clock_rate) / 1_000;
        let [high, low] = u16::try_from(units).unwrap_or(u16::MAX).to_be_bytes();
        let flags = if end { 0x80 | VOLUME } else { VOLUME };
        self.outputs.push_back(EventPacket {
            marker,
            payload_type: self.payload_type,
            timestamp,
            payload: [digit.code(), flags, high, low],
        });
    }
}

/// Turns event packets into digits: one per event, however many of its packets arrive.
#[derive(Debug, Clone, Default)]
pub struct EventReceiver {
    /// Timestamps of the last events, newest last.
    seen: VecDeque<(u32, u32)>,
}

impl EventReceiver {
    /// Takes one telephone-event packet; returns its digit when the event was not known yet. An event is told by its
    /// source and timestamp (RFC 4733, 2.3.1), so any one of its packets is enough.
    pub fn handle_packet(&mut self, header: &RtpHeader, payload: &[u8]) -> Option<Digit> {
        const REMEMBERED: usize = 16;
        let (&[code, _flags, _, _], _) = payload.split_first_chunk::<4>()?;
        let digit = Digit::from_code(code)?;
        let event = (header.ssrc, header.timestamp);
        if self.seen.contains(&event) {
            return None;
        }
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(event);
        Some(digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Everything sent for `keys`, with its time in milliseconds.
    fn sent(keys: &str) -> Vec<(u128, EventPacket)> {
        let base = start();
        let mut sender = EventSender::new(101, 8_000);
        keys.chars().filter_map(Digit::from_char).for_each(|digit| sender.queue(digit));
        let (mut now, mut packets) = (base, Vec::new());
        while !sender.is_idle() {
            let elapsed = now.duration_since(base).as_millis();
            sender.handle_timeout(now, u32::try_from(elapsed * 8).unwrap());
            while let Some(packet) = sender.poll_output() {
                packets.push((elapsed, packet));
            }
            now = sender.poll_timeout().map_or(now, |next| next.max(now));
        }
        packets
    }

    #[test]
    fn one_digit_on_the_wire() {
        let packets = sent("5");
        let shape: Vec<_> = packets
            .iter()
            .map(|(at, p)| {
                (*at, p.marker, p.payload[1] >> 7, u16::from_be_bytes([p.payload[2], p.payload[3]]))
            })
            .collect();
        let expected = [
            (0, true, 0, 400),
            (50, false, 0, 800),
            (100, false, 1, 800),
            (120, false, 1, 800),
            (140, false, 1, 800),
        ];
        assert_eq!(shape, expected);
        assert!(packets.iter().all(|(_, p)| p.timestamp == 0 && p.payload[0] == 5));
    }

    #[test]
    fn digits_are_told_apart_by_a_pause() {
        let packets = sent("11");
        let starts: Vec<_> = packets.iter().filter(|(_, p)| p.marker).map(|(at, _)| *at).collect();
        assert_eq!(starts, [0, 170]);
    }

    #[test]
    fn keys_and_codes_match() {
        for key in "0123456789*#ABCD".chars() {
            assert_eq!(Digit::from_char(key).unwrap().as_char(), key);
        }
        assert_eq!(Digit::from_char('d'), Digit::from_code(15));
        assert_eq!(Digit::from_char('x'), None);
        assert_eq!(Digit::from_code(16), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Whatever is lost or doubled, each event gives one digit as long as one packet of it arrives.
        #[test]
        fn one_digit_per_event(fates in proptest::collection::vec(0_usize..3, 25)) {
            let packets = sent("12#45");
            let mut receiver = EventReceiver::default();
            let (mut heard, mut reached) = (String::new(), Vec::new());
            for ((_, packet), fate) in packets.iter().zip(fates) {
                let header = RtpHeader { timestamp: packet.timestamp, ssrc: 1, ..RtpHeader::default() };
                for _ in 0..fate {
                    reached.push(packet.timestamp);
                    heard.extend(receiver.handle_packet(&header, &packet.payload).map(Digit::as_char));
                }
            }
            reached.dedup();
            prop_assert_eq!(heard.len(), reached.len());
        }

        #[test]
        fn arbitrary_payloads_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..8)) {
            let _ = EventReceiver::default().handle_packet(&RtpHeader::default(), &payload);
        }
    }
}
