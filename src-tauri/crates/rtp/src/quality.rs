//! What a listener would say: the E-model reduced to loss, delay and codec (ITU-T G.107, G.113 appendix I).

use std::time::Duration;

/// The codec's own impairment and how it takes loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CodecQuality {
    /// Equipment impairment factor without loss, Ie.
    pub impairment: f32,
    /// Packet-loss robustness factor, Bpl: the greater, the better the concealment.
    pub robustness: f32,
}

impl CodecQuality {
    /// G.711 with pitch-repetition concealment (G.113: Ie 0, Bpl 25.1).
    pub const G711: Self = Self { impairment: 0.0, robustness: 25.1 };
    /// G.722 at 64 kbit/s on the narrow-band scale, which has no credit for the wider band.
    pub const G722: Self = Self { impairment: 0.0, robustness: 20.0 };
    /// Opus at speech rates with in-band FEC; not in G.113, set to G.711's impairment with FEC's robustness.
    pub const OPUS: Self = Self { impairment: 0.0, robustness: 30.0 };
}

/// What was measured in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// The codec.
    pub codec: CodecQuality,
    /// Share of frames lost, 0 to 1; `None` when nothing was expected yet.
    pub loss: Option<f32>,
    /// Mouth-to-ear delay one way; `None` when unknown (the estimate then leaves delay out).
    pub delay: Option<Duration>,
}

/// The rating factor R, 0 to 100; `None` when the loss is unknown: a figure would be invented.
pub fn rating(conditions: &Conditions) -> Option<f32> {
    const BASE: f32 = 93.2;
    let loss = conditions.loss.filter(|loss| loss.is_finite())?.clamp(0.0, 1.0) * 100.0;
    let codec = conditions.codec;
    let equipment =
        codec.impairment + (95.0 - codec.impairment) * loss / (loss + codec.robustness.max(1.0));
    let delay = conditions.delay.map_or(0.0, |delay| {
        let ms = delay.as_secs_f32() * 1_000.0;
        0.024 * ms + 0.11 * (ms - 177.3).max(0.0)
    });
    Some((BASE - delay - equipment).clamp(0.0, 100.0))
}

/// The mean opinion score, 1.0 to 4.5, for a rating factor (G.107, annex B).
pub fn mos_of(rating: f32) -> f32 {
    let r = rating.clamp(0.0, 100.0);
    let cubic = r.mul_add(0.035, 1.0) + r * (r - 60.0) * (100.0 - r) * 7.0e-6;
    // The cubic dips under 1 for very small R.
    cubic.clamp(1.0, 4.5)
}

/// The mean opinion score of the conditions; `None` when unknown.
pub fn mos(conditions: &Conditions) -> Option<f32> {
    rating(conditions).map(mos_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(loss: f32, ms: u64) -> f32 {
        let conditions = Conditions {
            codec: CodecQuality::G711,
            loss: Some(loss),
            delay: Some(Duration::from_millis(ms)),
        };
        mos(&conditions).unwrap()
    }

    #[test]
    fn clean_line_scores_best() {
        assert!((4.3..=4.45).contains(&score(0.0, 50)), "{}", score(0.0, 50));
    }

    #[test]
    fn loss_and_delay_each_cost() {
        assert!(score(0.05, 50) < score(0.0, 50) - 0.3);
        assert!(score(0.0, 400) < score(0.0, 100) - 0.5);
        assert!(score(1.0, 1_000) >= 1.0);
    }

    #[test]
    fn unknown_loss_is_no_score() {
        let unknown = Conditions { codec: CodecQuality::OPUS, loss: None, delay: None };
        assert_eq!(mos(&unknown), None);
        let broken = Conditions { loss: Some(f32::NAN), ..unknown };
        assert_eq!(mos(&broken), None);
    }
}
