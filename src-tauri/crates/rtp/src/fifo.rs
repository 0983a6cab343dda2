//! Decoded samples on their way out: a queue in one piece of memory, so that its front can be stretched in place.

/// The room: three of the longest frames at 48 kHz.
const CAPACITY: usize = 3 * 5_760;

/// A queue of samples at 48 kHz.
#[derive(Debug, Clone)]
pub(crate) struct Fifo {
    samples: Vec<f32>,
}

impl Fifo {
    pub(crate) fn new() -> Self {
        Self { samples: Vec::with_capacity(CAPACITY) }
    }

    pub(crate) const fn len(&self) -> usize {
        self.samples.len()
    }

    /// Puts samples at the back; what has no room is left out (a caller that keeps pulling never gets there).
    pub(crate) fn push(&mut self, samples: &[f32]) {
        let room = CAPACITY - self.samples.len().min(CAPACITY);
        let fitting = samples.get(..room).unwrap_or(samples);
        self.samples.extend_from_slice(fitting);
    }

    /// The first `count` samples, or all there are.
    pub(crate) fn front(&self, count: usize) -> &[f32] {
        self.samples.get(..count).unwrap_or(&self.samples)
    }

    /// Moves samples to `out` and fills the rest of it with silence.
    pub(crate) fn pop(&mut self, out: &mut [f32]) {
        let count = out.len().min(self.samples.len());
        for (to, from) in out.iter_mut().zip(&self.samples) {
            *to = *from;
        }
        if let Some(rest) = out.get_mut(count..) {
            rest.fill(0.0);
        }
        self.remove(0, count);
    }

    /// Takes `lag` samples out at the front, cross-fading over `fade`: what was heard at 0 runs into what was at
    /// `lag`.
    pub(crate) fn shorten(&mut self, lag: usize, fade: usize) {
        if lag + fade > self.samples.len() {
            return;
        }
        for index in 0..fade {
            let later = self.at(index + lag);
            if let Some(sample) = self.samples.get_mut(index) {
                *sample += (later - *sample) * weight(index, fade);
            }
        }
        self.remove(fade, lag);
    }

    /// Puts `lag` samples in at the front, cross-fading over `fade`: the sound from `lag` on runs into the sound from
    /// 0 on, which is thus heard twice.
    pub(crate) fn lengthen(&mut self, lag: usize, fade: usize) {
        let length = self.samples.len();
        if lag + fade > length || length + lag > CAPACITY {
            return;
        }
        self.samples.resize(length + lag, 0.0);
        // All but the first `lag` samples are heard again, `lag` later; backwards, so that sources stay unharmed.
        for index in (0..length).rev() {
            let repeated = self.at(index);
            let value = if index < fade {
                let original = self.at(index + lag);
                original + (repeated - original) * weight(index, fade)
            } else {
                repeated
            };
            if let Some(sample) = self.samples.get_mut(index + lag) {
                *sample = value;
            }
        }
    }

    fn at(&self, index: usize) -> f32 {
        self.samples.get(index).copied().unwrap_or_default()
    }

    /// Closes a hole of `count` samples at `start`.
    fn remove(&mut self, start: usize, count: usize) {
        let length = self.samples.len();
        let end = (start + count).min(length);
        self.samples.copy_within(end..length, start.min(end));
        self.samples.truncate(length - (end - start.min(end)));
    }
}

/// A linear ramp from just over 0 to just under 1.
#[expect(clippy::cast_precision_loss, reason = "fades are far below 2^24 samples")]
pub(crate) fn weight(index: usize, length: usize) -> f32 {
    (index as f32 + 0.5) / length.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone with a period of 100 samples.
    fn tone(length: usize) -> Vec<f32> {
        let step = std::f32::consts::TAU / 100.0;
        (0..length).map(|i| (f32::from(u16::try_from(i).unwrap()) * step).sin()).collect()
    }

    fn largest_step(samples: &[f32]) -> f32 {
        samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_period_less_or_more_is_not_heard() {
        let mut fifo = Fifo::new();
        fifo.push(&tone(1_000));
        fifo.shorten(200, 300);
        assert_eq!(fifo.len(), 800);
        assert!(largest_step(fifo.front(800)) < 0.07);
        fifo.lengthen(300, 200);
        assert_eq!(fifo.len(), 1_100);
        assert!(largest_step(fifo.front(1_100)) < 0.07);
        let expected = tone(1_100);
        for (got, want) in fifo.front(1_100).iter().zip(&expected) {
            assert!((got - want).abs() < 1e-3);
        }
    }

    #[test]
    fn what_is_missing_is_silence() {
        let mut fifo = Fifo::new();
        fifo.push(&[1.0; 3]);
        let mut out = [9.0; 5];
        fifo.pop(&mut out);
        assert_eq!(out, [1.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(fifo.len(), 0);
    }

    #[test]
    fn impossible_stretches_change_nothing() {
        let mut fifo = Fifo::new();
        fifo.push(&[0.5; 10]);
        fifo.shorten(8, 4);
        fifo.lengthen(8, 4);
        assert_eq!(fifo.len(), 10);
        fifo.push(&[0.0; 40_000]);
        assert_eq!(fifo.len(), CAPACITY);
    }
}
