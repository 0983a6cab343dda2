//! What a stream sounds like: recent loss, the way of sound from mouth to ear by its parts, and the E-model.

use std::time::{Duration, Instant};

use rtp::quality::{CodecQuality, Conditions};
use rtp::{RemoteReport, VoipMetrics};
use sdp::CodecKind;

/// How often a window begins.
const STEP: Duration = Duration::from_secs(5);
/// The fewest packets of ours between two reports that say something when none of them arrived.
const ENOUGH: u64 = 50;

/// Share of packets lost or late over the last 5 to 10 seconds.
#[derive(Debug, Default)]
pub(crate) struct LossWindow {
    /// (packets received, packets lost or late) at the beginnings of the last two windows.
    marks: [(i64, i64); 2],
    now: (i64, i64),
    next: Option<Instant>,
}

impl LossWindow {
    pub(crate) fn observe(&mut self, now: Instant, packets: u64, lost: i64, late: u64) {
        let received = i64::try_from(packets).unwrap_or(i64::MAX);
        let late = i64::try_from(late).unwrap_or(0);
        self.now = (received, lost.saturating_add(late));
        if self.next.is_none_or(|next| now >= next) {
            self.next = Some(now + STEP);
            self.marks = [self.marks[1], self.now];
        }
    }

    /// 0 to 1; `None` while too little came to tell.
    pub(crate) fn share(&self) -> Option<f32> {
        let received = self.now.0 - self.marks[0].0;
        let missing = (self.now.1 - self.marks[0].1).max(0);
        let expected = received + missing;
        if expected < 25 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "some hundreds of packets")]
        Some(missing as f32 / expected as f32)
    }
}

/// Share of what we sent that did not arrive, from the peer's reports.
#[derive(Debug, Default)]
pub(crate) struct LossThere {
    /// The highest sequence number that arrived by the last report, and what we had sent then.
    before: Option<(u32, u64)>,
    /// The number of the report that was taken last.
    taken: u32,
    share: Option<(Instant, f32)>,
    expected: u8,
}

impl LossThere {
    /// How long a report holds: six mean intervals.
    const HOLDS: Duration = Duration::from_secs(30);

    /// Takes a report and how many packets were sent by now. A peer whom nothing reaches any more reports no loss.
    /// The share lost by it, when it is a new one.
    pub(crate) fn observe(
        &mut self,
        now: Instant,
        report: &RemoteReport,
        sent: u64,
    ) -> Option<f32> {
        if report.count == self.taken {
            return None;
        }
        self.taken = report.count;
        let highest = report.highest_sequence;
        let cut = self.before.is_some_and(|(arrived, then)| {
            arrived == highest && sent.saturating_sub(then) >= ENOUGH
        });
        self.before = Some((highest, sent));
        let share = if cut { 1.0 } else { f32::from(report.fraction_lost) / 256.0 };
        self.share = Some((now, share));
        let percent = u8::try_from(u16::from(report.fraction_lost) * 100 / 256).unwrap_or(100);
        self.expected = percent.max(self.expected / 2);
        Some(share)
    }

    /// How many per cent of what is sent now are to be expected to be lost. Loss comes in bursts: what was lost lately is
    /// expected again, half of it after each report.
    pub(crate) const fn expected(&self) -> u8 {
        self.expected
    }

    /// 0 to 1; `None` while nothing is reported, or no longer.
    pub(crate) fn share(&self, now: Instant) -> Option<f32> {
        self.is_fresh(now).then_some(self.share?.1)
    }

    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.share.is_some_and(|(at, _)| now.saturating_duration_since(at) < Self::HOLDS)
    }
}

/// The way of sound in one direction, from the talker's mouth to the listener's ear. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DelayParts {
    /// The talker's device, and what is done to the sound there.
    pub capture: Option<Duration>,
    /// Collecting the sound of one packet, and what the codec looks ahead.
    pub frame: Option<Duration>,
    /// The network: half of the round trip.
    pub network: Option<Duration>,
    /// The listener's jitter buffer.
    pub buffer: Option<Duration>,
    /// The listener's device.
    pub playback: Option<Duration>,
}

impl DelayParts {
    fn all(&self) -> [Option<Duration>; 5] {
        [self.capture, self.frame, self.network, self.buffer, self.playback]
    }

    /// From mouth to ear; `None` while a part is unknown.
    #[must_use]
    pub fn total(&self) -> Option<Duration> {
        self.all().into_iter().sum::<Option<Duration>>()
    }

    /// What is known of it: it takes at least as long.
    #[must_use]
    pub fn known(&self) -> Duration {
        self.all().into_iter().flatten().sum()
    }

    /// For the E-model: what is known, once the network is.
    pub(crate) fn rated(&self) -> Option<Duration> {
        self.network.map(|_| self.known())
    }
}

/// What both ways are made of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ways {
    /// Our microphone with what is done to its sound, and our loudspeaker.
    pub(crate) capture: Option<Duration>,
    pub(crate) playback: Option<Duration>,
    /// Our packets, the codec's share included, and the peer's.
    pub(crate) sent: Option<Duration>,
    pub(crate) received: Option<Duration>,
    /// Our jitter buffer.
    pub(crate) buffer: Option<Duration>,
    pub(crate) round_trip: Option<Duration>,
    /// What the peer tells of itself.
    pub(crate) peer: Option<VoipMetrics>,
}

impl Ways {
    /// Everything that our own side adds in both directions (RFC 3611, 4.7.4).
    pub(crate) fn end_system(&self) -> Option<Duration> {
        [self.capture, self.sent, self.buffer, self.playback].into_iter().sum()
    }

    /// One of the peer's two devices: of what it adds, what is neither its packets nor its buffer is split in half, as
    /// the round trip is. Figures that contradict each other by more than their roundness are none.
    fn peer_device(&self) -> Option<Duration> {
        const ROUND: Duration = Duration::from_millis(5);
        let peer = self.peer?;
        let (all, others) = (peer.end_system?, peer.buffer? + self.received?);
        (all + ROUND >= others).then(|| all.saturating_sub(others) / 2)
    }

    /// What arrives.
    pub(crate) fn rx(&self) -> DelayParts {
        DelayParts {
            capture: self.peer_device(),
            frame: self.received,
            network: self.round_trip.map(|round_trip| round_trip / 2),
            buffer: self.buffer,
            playback: self.playback,
        }
    }

    /// What is sent.
    pub(crate) fn tx(&self) -> DelayParts {
        DelayParts {
            capture: self.capture,
            frame: self.sent,
            network: self.round_trip.map(|round_trip| round_trip / 2),
            buffer: self.peer.and_then(|peer| peer.buffer),
            playback: self.peer_device(),
        }
    }
}

/// What the codec adds to the length of a packet: how far it looks ahead.
pub(crate) const fn look_ahead(kind: CodecKind) -> Duration {
    match kind {
        CodecKind::Opus => Duration::from_micros(6_500),
        // The two filters of 24 taps at 16 kHz.
        CodecKind::G722 => Duration::from_micros(1_375),
        CodecKind::Pcma | CodecKind::Pcmu => Duration::ZERO,
    }
}

const fn codec_quality(codec: CodecKind) -> CodecQuality {
    match codec {
        CodecKind::Opus => CodecQuality::OPUS,
        CodecKind::G722 => CodecQuality::G722,
        CodecKind::Pcma | CodecKind::Pcmu => CodecQuality::G711,
    }
}

/// The rating factor R; `None` while the loss is unknown.
pub(crate) fn rating(codec: CodecKind, loss: Option<f32>, delay: Option<Duration>) -> Option<f32> {
    rtp::quality::rating(&Conditions { codec: codec_quality(codec), loss, delay })
}

/// Mean opinion score; `None` while the loss is unknown. Delay that is unknown costs nothing.
pub(crate) fn mos(codec: CodecKind, loss: Option<f32>, delay: Option<Duration>) -> Option<f64> {
    rating(codec, loss, delay).map(rtp::quality::mos_of).map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn base() -> Instant {
        Instant::now()
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn loss_is_that_of_the_last_seconds() {
        let start = base();
        let mut window = LossWindow::default();
        assert_eq!(window.share(), None);
        // Ten seconds with 10 % loss, then twenty without.
        for n in 0..1500_u64 {
            let lost = i64::try_from(n.min(500) / 10).unwrap();
            window.observe(start + Duration::from_millis(20 * n), n - lost as u64, lost, 0);
            if n == 500 {
                let share = window.share().unwrap();
                assert!((share - 0.1).abs() < 0.02, "{share}");
            }
        }
        assert_eq!(window.share(), Some(0.0));
    }

    #[test]
    fn loss_at_the_peer_is_what_it_reports_and_all_when_nothing_arrives_any_more() {
        let (start, mut there) = (base(), LossThere::default());
        assert_eq!(there.share(start), None);
        let mut count = 0;
        let mut report = |fraction_lost, highest_sequence| {
            count += 1;
            RemoteReport { fraction_lost, highest_sequence, count, ..RemoteReport::default() }
        };
        there.observe(start, &report(64, 1_000), 1_000);
        assert_eq!(there.share(start), Some(0.25));
        there.observe(start + ms(5_000), &report(0, 1_000), 1_010);
        assert_eq!(there.share(start + ms(5_000)), Some(0.0), "hardly anything was sent");
        there.observe(start + ms(10_000), &report(0, 1_000), 1_260);
        assert_eq!(there.share(start + ms(10_000)), Some(1.0));
        let last = report(0, 1_500);
        there.observe(start + ms(15_000), &last, 1_510);
        // Word of the peer that says nothing of us is no news.
        there.observe(start + ms(20_000), &last, 1_760);
        assert_eq!(there.share(start + ms(44_000)), Some(0.0));
        assert_eq!(there.share(start + ms(45_000)), None, "nobody reports any more");
    }

    #[test]
    fn lost_packets_are_expected_again_until_reports_say_otherwise() {
        let (start, mut there) = (base(), LossThere::default());
        let report = |fraction_lost, count| RemoteReport {
            fraction_lost,
            count,
            highest_sequence: 1_000 * count,
            ..RemoteReport::default()
        };
        let lossy = report(64, 1);
        // What comes besides reports (a word of goodbye, descriptions) says nothing of it.
        for _ in 0..10 {
            there.observe(start, &lossy, 1_000);
            assert_eq!(there.expected(), 25);
        }
        let after = [(0, 12), (0, 6), (26, 10), (0, 5), (0, 2), (0, 1), (0, 0)];
        for (count, (lost, expected)) in (2..).zip(after) {
            let next = report(lost, count);
            for _ in 0..3 {
                there.observe(start, &next, 1_000 * u64::from(count));
                assert_eq!(there.expected(), expected, "report {count}");
            }
        }
    }

    #[test]
    fn a_clean_call_scores_well_and_an_unknown_one_not_at_all() {
        assert!(mos(CodecKind::Opus, Some(0.0), None).unwrap() > 4.3);
        assert!(mos(CodecKind::Pcma, Some(0.1), None).unwrap() < 3.5);
        assert_eq!(mos(CodecKind::Opus, None, None), None);
        assert!(
            mos(CodecKind::Pcma, Some(0.0), Some(ms(400))) < mos(CodecKind::Pcma, Some(0.0), None)
        );
    }

    fn ours() -> Ways {
        Ways {
            capture: Some(ms(12)),
            playback: Some(ms(18)),
            sent: Some(ms(26)),
            received: Some(ms(20)),
            buffer: Some(ms(35)),
            round_trip: Some(ms(60)),
            peer: None,
        }
    }

    #[test]
    fn without_word_of_the_peer_only_what_is_ours_is_known() {
        let ways = ours();
        let (rx, tx) = (ways.rx(), ways.tx());
        assert_eq!((rx.capture, rx.total()), (None, None));
        assert_eq!(rx.known(), ms(20 + 30 + 35 + 18));
        // Our own buffer and loudspeaker are nothing that he hears us through.
        assert_eq!((tx.buffer, tx.playback, tx.total()), (None, None, None));
        assert_eq!(tx.known(), ms(12 + 26 + 30));
        let unknown = Ways { round_trip: None, ..ways };
        assert_eq!((unknown.rx().rated(), unknown.tx().rated()), (None, None));
        assert_eq!(Ways::default().tx().known(), Duration::ZERO);
    }

    #[test]
    fn what_the_peer_tells_of_itself_completes_both_ways() {
        let peer = VoipMetrics {
            end_system: Some(ms(120)),
            buffer: Some(ms(60)),
            ..VoipMetrics::default()
        };
        let ways = Ways { peer: Some(peer), ..ours() };
        // 120 less 60 in its buffer and 20 in its packets: 40 in two devices.
        assert_eq!(ways.rx().total(), Some(ms(20 + 20 + 30 + 35 + 18)));
        assert_eq!(ways.tx().total(), Some(ms(12 + 26 + 30 + 60 + 20)));
        assert_eq!(ways.end_system(), Some(ms(12 + 26 + 35 + 18)));
        assert_eq!(Ways { playback: None, ..ways }.end_system(), None);
        // Figures in whole milliseconds, from devices that hold next to nothing.
        let round = VoipMetrics { end_system: Some(ms(79)), ..peer };
        assert_eq!(Ways { peer: Some(round), ..ours() }.rx().capture, Some(Duration::ZERO));
        // Figures that contradict each other are none.
        let odd = VoipMetrics { end_system: Some(ms(50)), ..peer };
        assert_eq!(Ways { peer: Some(odd), ..ours() }.rx().capture, None);
        let silent = VoipMetrics { buffer: None, ..peer };
        assert_eq!(Ways { peer: Some(silent), ..ours() }.tx().total(), None);
    }
}
