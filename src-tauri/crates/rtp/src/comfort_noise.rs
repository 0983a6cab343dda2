//! Noise for pauses: at the level the sender tells (RFC 3389), else at the level of its quietest sound.

/// The loudest noise made without being told a level: -50 dBFS.
const CEILING: f32 = 0.003;

/// A generator of soft noise and the estimate of its level.
#[derive(Debug, Clone)]
pub(crate) struct ComfortNoise {
    state: u32,
    smooth: f32,
    /// Root mean square told by the sender.
    told: Option<f32>,
    /// Root mean square of the quietest recent sound.
    floor: f32,
}

impl ComfortNoise {
    pub(crate) const fn new() -> Self {
        Self { state: 0x1234_5678, smooth: 0.0, told: None, floor: 0.0 }
    }

    /// Follows the level of decoded sound: down quickly, up slowly.
    pub(crate) fn observe(&mut self, level: f32) {
        let rate = if level < self.floor { 0.5 } else { 0.01 };
        self.floor += (level - self.floor) * rate;
    }

    /// The level of an RFC 3389 payload: its first byte is -dBov, 0 to 127.
    pub(crate) fn tell(&mut self, payload: &[u8]) {
        self.told =
            payload.first().map(|level| 10_f32.powf(-f32::from((*level & 0x7f).max(30)) / 20.0));
    }

    /// Forgets what the sender told: another stream.
    pub(crate) const fn reset(&mut self) {
        self.told = None;
    }

    /// Fills `out`.
    pub(crate) fn fill(&mut self, out: &mut [f32]) {
        // The low-pass below leaves about 0.2 of the level of white noise in -1..1.
        let gain = self.told.unwrap_or_else(|| self.floor.min(CEILING)) / 0.2;
        for sample in out {
            // Xorshift.
            self.state ^= self.state << 13;
            self.state ^= self.state >> 17;
            self.state ^= self.state << 5;
            let [a, b, ..] = self.state.to_le_bytes();
            let white = f32::from(i16::from_le_bytes([a, b])) / 32_768.0;
            self.smooth += (white - self.smooth) * 0.22;
            *sample = self.smooth * gain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_told_level_is_made() {
        let mut noise = ComfortNoise::new();
        noise.tell(&[40]);
        let mut out = vec![0.0; 48_000];
        noise.fill(&mut out);
        let level = crate::time_stretch::level(&out);
        assert!((0.007..0.014).contains(&level), "{level}");
    }

    #[test]
    fn silence_stays_silent() {
        let mut noise = ComfortNoise::new();
        let mut out = [1.0; 480];
        noise.fill(&mut out);
        assert!(out.iter().all(|sample| sample.abs() < 1e-6));
        noise.tell(&[]);
        assert_eq!(noise.told, None);
    }
}
