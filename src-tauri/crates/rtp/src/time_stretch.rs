//! Where sound can be shortened or lengthened unheard: the lag at which it resembles itself (WSOLA).
//!
//! The search runs on the sound thinned to 8 kHz and is refined at 48 kHz around what it finds.

/// Samples at 48 kHz per sample of the thinned sound.
const THIN: usize = 6;
/// The shortest lag: 2.5 ms, a voice at 400 Hz.
pub(crate) const MIN_LAG: usize = 120;
/// The longest lag: 15 ms, a voice at 66 Hz.
pub(crate) const MAX_LAG: usize = 720;
/// The stretch that is compared, and over which is cross-faded: 8 ms.
pub(crate) const WINDOW: usize = 384;
/// Room for the longest lag and the window, thinned.
const THINNED: usize = (MAX_LAG + WINDOW) / THIN;

/// How well a sound resembles itself at a lag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likeness {
    /// In samples at 48 kHz.
    pub(crate) lag: usize,
    /// Normalised cross-correlation, -1 to 1.
    pub(crate) correlation: f32,
}

/// The lag between [`MIN_LAG`] and `most` at which the first [`WINDOW`] samples best resemble those that follow;
/// `None` when there are too few samples.
pub(crate) fn best_lag(samples: &[f32], most: usize) -> Option<Likeness> {
    let most = most.min(MAX_LAG).min(samples.len().checked_sub(WINDOW)?);
    if most < MIN_LAG {
        return None;
    }
    let mut thinned = [0.0_f32; THINNED];
    for (thin, group) in thinned.iter_mut().zip(samples.chunks_exact(THIN)) {
        *thin = group.iter().sum();
    }
    let coarse = search(&thinned, WINDOW / THIN, MIN_LAG / THIN, most / THIN)?.lag * THIN;
    search(samples, WINDOW, coarse.saturating_sub(THIN).max(MIN_LAG), (coarse + THIN).min(most))
}

/// The best of a range of lags, both ends included.
fn search(samples: &[f32], window: usize, least: usize, most: usize) -> Option<Likeness> {
    let reference = samples.get(..window)?;
    let own = energy(reference);
    (least..=most)
        .filter_map(|lag| {
            let other = samples.get(lag..lag + window)?;
            let product: f32 = dot(reference, other);
            let scale = (own * energy(other)).sqrt();
            Some(Likeness { lag, correlation: product / (scale + 1e-9) })
        })
        .max_by(|a, b| a.correlation.total_cmp(&b.correlation))
}

/// Sum of squares.
fn energy(samples: &[f32]) -> f32 {
    dot(samples, samples)
}

/// Sum of products, in eight lanes so that it can be computed side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f32 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a.zip(b) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// Root mean square.
#[expect(clippy::cast_precision_loss, reason = "frames are far below 2^24 samples")]
pub(crate) fn level(samples: &[f32]) -> f32 {
    (energy(samples) / samples.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pitch_of_a_voice_is_found() {
        for period in [150_u16, 317, 480, 700] {
            let wave = |i: u16| {
                let phase = std::f32::consts::TAU * f32::from(i % period) / f32::from(period);
                phase.sin() + 0.5 * (2.0 * phase).sin() + 0.3 * (5.0 * phase).sin()
            };
            let samples: Vec<_> = (0..1_200).map(wave).collect();
            let found = best_lag(&samples, MAX_LAG).unwrap();
            assert!(found.correlation > 0.95, "{period}: {found:?}");
            let off = found.lag % usize::from(period);
            assert!(off.min(usize::from(period) - off) <= 2, "{period}: {found:?}");
        }
    }

    #[test]
    fn too_little_sound_is_no_lag() {
        assert_eq!(best_lag(&[0.1; 400], MAX_LAG), None);
        assert_eq!(best_lag(&[], MAX_LAG), None);
        assert!(best_lag(&[0.0; 1_200], MAX_LAG).is_some());
    }
}
