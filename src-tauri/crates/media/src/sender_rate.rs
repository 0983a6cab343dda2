//! How long packets are, and how much they may carry, where the network has too little room.
//!
//! Inputs: what was agreed, the peer's reports, the time. Levels: `0`, packets as agreed; then longer ones, so that fewer
//! headers are sent, and less sound in them. Loss alone is no want of room (longer packets lose more at once); loss
//! together with delay that grows is. Up after two such reports; down after a calm time, which doubles each time that it
//! was too short.

use std::time::{Duration, Instant};

use sdp::{CodecKind, Negotiated};

/// Lengths of packets, in milliseconds, that are tried beyond the agreed one.
const LONGER: [u8; 2] = [40, 60];
/// What is sent at most at each level beyond the agreed one, bits per second; only Opus has a choice.
const ROOM: [u32; 2] = [32_000, 20_000];
/// Opus frames are no longer than this in one packet of ours; other codecs' stay as short as this unless the peer says
/// what it takes.
const LONGEST: u8 = 60;
/// Loss from which on a delay that grows means want of room, and loss that is none.
const LOSSY: f32 = 0.03;
const CLEAN: f32 = 0.01;
/// How much longer than usual the round trip is with a queue in the way, and without.
const QUEUED: Duration = Duration::from_millis(60);
const FREE: Duration = Duration::from_millis(30);
/// Jitter that tells the same where the round trip is unknown.
const UNEVEN: Duration = Duration::from_millis(40);
/// Reports of want that lead up a level.
const REPORTS: u8 = 2;
/// Calm before a level down is tried, at first and at most; and how soon want after that means that it was too early.
const CALM: Duration = Duration::from_secs(30);
const LONGEST_CALM: Duration = Duration::from_secs(480);
const TOO_EARLY: Duration = Duration::from_secs(40);

/// What a report says of the way to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct WayThere {
    /// Share lost lately, 0 to 1.
    pub(crate) loss: f32,
    pub(crate) jitter: Duration,
    pub(crate) round_trip: Option<Duration>,
}

/// The state machine of one sender.
#[derive(Debug)]
pub(crate) struct SenderRate {
    agreed_ms: u8,
    /// The levels that the peer allows.
    levels: usize,
    level: usize,
    /// Reports of want in sequence.
    wanting: u8,
    calm_since: Option<Instant>,
    patience: Duration,
    down_at: Option<Instant>,
    /// The round trip without a queue: the least, forgotten slowly.
    usual: Option<Duration>,
}

impl SenderRate {
    pub(crate) fn new(agreed: &Negotiated) -> Self {
        let agreed_ms = packet_ms(agreed);
        let longest = match (agreed.max_ptime_ms, agreed.codec.kind) {
            (Some(most), _) => most.min(LONGEST),
            // RFC 7587, 6.1: up to 120 ms where nothing is said.
            (None, CodecKind::Opus) => LONGEST,
            (None, _) => agreed_ms,
        };
        let fits = |ms: &&u8| **ms > agreed_ms && **ms <= longest;
        Self {
            agreed_ms,
            levels: LONGER.iter().filter(fits).count(),
            level: 0,
            wanting: 0,
            calm_since: None,
            patience: CALM,
            down_at: None,
            usual: None,
        }
    }

    /// Milliseconds of sound in the next packet.
    pub(crate) fn packet_ms(&self) -> u8 {
        let mut longer = LONGER.iter().filter(|ms| **ms > self.agreed_ms);
        match self.level {
            0 => self.agreed_ms,
            level => longer.nth(level - 1).copied().unwrap_or(self.agreed_ms),
        }
    }

    /// Bits per second that the network seems to have room for; `None`: as many as wanted.
    pub(crate) fn room(&self) -> Option<u32> {
        self.level.checked_sub(1).and_then(|level| ROOM.get(level).copied())
    }

    /// Takes a report.
    pub(crate) fn observe(&mut self, now: Instant, way: WayThere) {
        let queued = self.queue(way);
        let wants =
            way.loss >= LOSSY && queued.map_or(way.jitter >= UNEVEN, |queue| queue >= QUEUED);
        let calm = way.loss < CLEAN && queued.map_or(way.jitter < UNEVEN / 2, |queue| queue < FREE);
        self.wanting = if wants { self.wanting + 1 } else { 0 };
        if !calm {
            self.calm_since = None;
        }
        if self.wanting >= REPORTS && self.level < self.levels {
            self.up(now);
        } else if calm && self.level > 0 {
            let since = *self.calm_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= self.patience {
                self.down(now);
            }
        }
    }

    fn up(&mut self, now: Instant) {
        let early = |at: Instant| now.saturating_duration_since(at) < TOO_EARLY;
        if self.down_at.take().is_some_and(early) {
            self.patience = (self.patience * 2).min(LONGEST_CALM);
        }
        self.level += 1;
        (self.wanting, self.calm_since) = (0, None);
        tracing::debug!(
            packet_ms = self.packet_ms(),
            "too little room in the network: longer packets"
        );
    }

    fn down(&mut self, now: Instant) {
        self.level -= 1;
        (self.calm_since, self.down_at) = (None, Some(now));
        tracing::debug!(packet_ms = self.packet_ms(), "room in the network: shorter packets");
    }

    /// How much longer than usual the round trip is.
    fn queue(&mut self, way: WayThere) -> Option<Duration> {
        let round_trip = way.round_trip?;
        let usual = match self.usual {
            Some(usual) if usual < round_trip => usual + (round_trip - usual) / 32,
            _ => round_trip,
        };
        self.usual = Some(usual);
        Some(round_trip.saturating_sub(usual))
    }
}

/// The agreed length. Opus has no packets of 30 and 50 ms in one frame; the next shorter one is always accepted.
fn packet_ms(agreed: &Negotiated) -> u8 {
    let tens = (agreed.ptime_ms / 10 * 10).clamp(10, LONGEST);
    match (agreed.codec.kind, tens) {
        (CodecKind::Opus, 30) => 20,
        (CodecKind::Opus, 50) => 40,
        (_, tens) => tens,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn agreed(kind: CodecKind, ptime_ms: u8, max_ptime_ms: Option<u8>) -> Negotiated {
        let nowhere = SocketAddr::from(([192, 0, 2, 1], 9));
        Negotiated { ptime_ms, max_ptime_ms, ..crate::agreement::plain(kind, nowhere) }
    }

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn base() -> Instant {
        Instant::now()
    }

    /// A line of that many bits per second with a queue of 250 ms, beyond which packets are lost.
    struct Line {
        room: f64,
        queue_bits: f64,
    }

    impl Line {
        /// Five seconds of that sender; what the peer reports then.
        fn carry(&mut self, rate: &SenderRate) -> WayThere {
            let ms = f64::from(rate.packet_ms());
            let sound = f64::from(rate.room().unwrap_or(64_000));
            let packet = sound * ms / 1_000.0 + 320.0;
            let (mut lost, mut sent) = (0.0, 0.0);
            let mut at = 0.0;
            while at < 5_000.0 {
                sent += 1.0;
                if self.queue_bits + packet > self.room * 0.25 {
                    lost += 1.0;
                } else {
                    self.queue_bits += packet;
                }
                self.queue_bits = (self.queue_bits - self.room * ms / 1_000.0).max(0.0);
                at += ms;
            }
            let wait = Duration::from_secs_f64(self.queue_bits / self.room);
            WayThere {
                loss: (lost / sent) as f32,
                jitter: Duration::from_millis(5),
                round_trip: Some(Duration::from_millis(30) + wait),
            }
        }
    }

    /// Runs a sender over a line whose room changes with the seconds; packet lengths at each report, and the last loss.
    fn run(seconds: u64, room: impl Fn(u64) -> f64) -> (Vec<u8>, f32) {
        let start = base();
        let mut rate = SenderRate::new(&agreed(CodecKind::Opus, 20, None));
        let mut line = Line { room: room(0), queue_bits: 0.0 };
        let (mut lengths, mut loss) = (Vec::new(), 0.0);
        for second in (5..=seconds).step_by(5) {
            line.room = room(second);
            let way = line.carry(&rate);
            rate.observe(start + Duration::from_secs(second), way);
            lengths.push(rate.packet_ms());
            loss = way.loss;
        }
        (lengths, loss)
    }

    fn changes(lengths: &[u8]) -> usize {
        lengths.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    #[test]
    fn a_narrow_line_gets_longer_packets_until_it_loses_nothing() {
        // 64 kbit/s of sound and 16 of headers do not fit 44.
        let (lengths, loss) = run(50, |second| if second < 20 { 200_000.0 } else { 44_000.0 });
        assert_eq!(&lengths[..4], [20; 4]);
        assert_eq!((lengths.last(), loss), (Some(&40), 0.0), "{lengths:?}");
        let (lengths, loss) = run(65, |second| if second < 20 { 200_000.0 } else { 28_000.0 });
        assert_eq!((lengths.last(), loss), (Some(&60), 0.0), "{lengths:?}");
    }

    #[test]
    fn packets_are_as_agreed_again_once_there_is_room() {
        let (lengths, loss) =
            run(300, |second| if second > 20 && second < 90 { 28_000.0 } else { 200_000.0 });
        assert!(lengths.contains(&60));
        assert_eq!((lengths.last(), loss), (Some(&20), 0.0), "{lengths:?}");
        // Up twice, one trial that was too early, down twice.
        assert_eq!(changes(&lengths), 6, "{lengths:?}");
    }

    #[test]
    fn a_line_that_stays_narrow_is_tried_less_and_less() {
        let (lengths, _) = run(3_600, |second| if second < 20 { 200_000.0 } else { 44_000.0 });
        let late = &lengths[lengths.len() / 2..];
        assert!(changes(late) <= 10, "{} changes in half an hour", changes(late));
        let short = late.iter().filter(|ms| **ms == 20).count();
        assert!(short * 20 < late.len(), "{short} of {}", late.len());
    }

    #[test]
    fn loss_without_a_queue_is_no_want_of_room() {
        let start = base();
        let mut rate = SenderRate::new(&agreed(CodecKind::Opus, 20, None));
        for n in 0..100 {
            let round_trip = Some(Duration::from_millis(40 + n % 7));
            let way = WayThere { loss: 0.2, jitter: Duration::from_millis(8), round_trip };
            rate.observe(start + Duration::from_secs(5 * n), way);
        }
        assert_eq!((rate.packet_ms(), rate.room()), (20, None));
        // Nor is a queue that loses nothing.
        for n in 100..104 {
            let round_trip = Some(Duration::from_millis(300));
            let way = WayThere { loss: 0.0, jitter: Duration::from_millis(8), round_trip };
            rate.observe(start + Duration::from_secs(5 * n), way);
        }
        assert_eq!(rate.packet_ms(), 20);
    }

    #[test]
    fn packets_grow_only_as_far_as_the_peer_allows() {
        for (kind, ptime, most, longest) in [
            (CodecKind::Opus, 20, None, 60),
            (CodecKind::Opus, 20, Some(40), 40),
            (CodecKind::Opus, 20, Some(20), 20),
            (CodecKind::Opus, 40, None, 60),
            (CodecKind::Pcma, 20, None, 20),
            (CodecKind::Pcma, 20, Some(150), 60),
            (CodecKind::G722, 30, Some(40), 40),
            (CodecKind::Pcmu, 60, Some(60), 60),
        ] {
            let start = base();
            let mut rate = SenderRate::new(&agreed(kind, ptime, most));
            for n in 0..20 {
                let way = WayThere { loss: 0.3, jitter: UNEVEN, round_trip: None };
                rate.observe(start + Duration::from_secs(5 * n), way);
            }
            assert_eq!(rate.packet_ms(), longest, "{kind} {ptime} {most:?}");
        }
    }
}
