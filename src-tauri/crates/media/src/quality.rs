//! What a stream sounds like: recent loss and the E-model.

use std::time::{Duration, Instant};

use rtp::quality::{CodecQuality, Conditions};
use sdp::CodecKind;

/// How often a window begins.
const STEP: Duration = Duration::from_secs(5);
/// Time between the microphone and the packet, and between the jitter buffer and the ear: capture
/// period, packet, codec, playback period.
const FIXED_DELAY: Duration = Duration::from_millis(50);

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

/// Mean opinion score; `None` while the loss is unknown.
pub(crate) fn mos(
    codec: CodecKind,
    loss: Option<f32>,
    round_trip: Option<Duration>,
    playout: Duration,
) -> Option<f64> {
    let codec = match codec {
        CodecKind::Opus => CodecQuality::OPUS,
        CodecKind::G722 => CodecQuality::G722,
        CodecKind::Pcma | CodecKind::Pcmu => CodecQuality::G711,
    };
    let delay = round_trip.map(|r| r / 2 + playout + FIXED_DELAY);
    rtp::quality::mos(&Conditions { codec, loss, delay }).map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn base() -> Instant {
        Instant::now()
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
    fn a_clean_call_scores_well_and_an_unknown_one_not_at_all() {
        let playout = Duration::from_millis(40);
        assert!(mos(CodecKind::Opus, Some(0.0), None, playout).unwrap() > 4.3);
        assert!(mos(CodecKind::Pcma, Some(0.1), None, playout).unwrap() < 3.5);
        assert_eq!(mos(CodecKind::Opus, None, None, playout), None);
    }
}
