//! Pauses of speech, for codecs that leave none by themselves (RFC 3389): which packets are worth sending.
//!
//! Input: the sound of each packet. Output: send it, send a description of the noise in its place, or send nothing. A pause
//! is told from speech by its level over that of the background, which is followed down at once and up slowly. What is
//! loud is never a pause, whatever the background: music on hold is not cut. Counts blocks of 10 ms; knows no clock.

use audio::BLOCK;

/// What is taken as background, in dB below full scale (dBov): quieter is as good as silence, louder is no background.
const BACKGROUND: std::ops::RangeInclusive<f32> = -70.0..=-48.0;
/// How far above the background speech begins, in dB.
const ABOVE: f32 = 8.0;
/// How fast the background is believed to rise, in dB a block: 5 dB a second.
const RISE: f32 = 0.05;
/// Blocks after the last sound of speech that are sent all the same: words end softly.
const TAIL: u32 = 25;
/// Blocks after which the noise is described again at the latest: routers and listeners forget who is silent longer.
const AGAIN: u32 = 40;
/// Blocks between two descriptions at the least.
const APART: u32 = 10;
/// A change that is told, in dB.
const CHANGE: u8 = 3;

/// What is to be done with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It is sent.
    Sound,
    /// Noise of this level stands for it and for what follows: 0 to 127 dB below full scale, as RFC 3389, 3.1 writes it.
    Noise(u8),
    /// Nothing: what was told last still holds.
    Nothing,
}

/// Where speech pauses.
#[derive(Debug, Clone)]
pub(crate) struct Pauses {
    /// Level of the background in dBov.
    background: f32,
    /// Blocks since the last sound of speech.
    quiet_for: u32,
    /// Power of what is heard in the pause, smoothed.
    power: f32,
    /// What was told of it, and how many blocks ago.
    told: Option<(u8, u32)>,
}

impl Pauses {
    pub(crate) const fn new() -> Self {
        Self { background: *BACKGROUND.start(), quiet_for: 0, power: 0.0, told: None }
    }

    /// What the next packet is worth; `sound` is a whole number of blocks.
    pub(crate) fn judge(&mut self, sound: &[f32]) -> Worth {
        for block in sound.chunks(BLOCK) {
            self.hear(block);
        }
        if self.quiet_for <= TAIL {
            self.told = None;
            return Worth::Sound;
        }
        let level = self.level();
        let news = self.told.is_none_or(|(told, ago)| {
            ago >= AGAIN || ago >= APART && told.abs_diff(level) >= CHANGE
        });
        if !news {
            return Worth::Nothing;
        }
        self.told = Some((level, 0));
        Worth::Noise(level)
    }

    /// Something else was sent: the noise must be described anew.
    pub(crate) const fn interrupt(&mut self) {
        self.told = None;
    }

    fn hear(&mut self, block: &[f32]) {
        let samples = f32::from(u16::try_from(block.len()).unwrap_or(u16::MAX).max(1));
        let power = block.iter().map(|sample| sample * sample).sum::<f32>() / samples;
        let level = decibels(power);
        let step = if level < self.background { level } else { level.min(self.background + RISE) };
        self.background = step.clamp(*BACKGROUND.start(), *BACKGROUND.end());
        if let Some((_, ago)) = &mut self.told {
            *ago = ago.saturating_add(1);
        }
        if level > self.background + ABOVE {
            self.quiet_for = 0;
            self.power = 0.0;
            return;
        }
        self.quiet_for = self.quiet_for.saturating_add(1);
        // What fades is forgotten before the first description, 16 blocks later than it began.
        self.power +=
            (power - self.power) / f32::from(u16::try_from(self.quiet_for.min(8)).unwrap_or(8));
    }

    /// The level of the pause as it is told.
    fn level(&self) -> u8 {
        let below = (-decibels(self.power)).round().clamp(0.0, 127.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 127")]
        let told = below as u8;
        told
    }
}

/// Of a mean square, against that of the loudest square wave.
fn decibels(power: f32) -> f32 {
    10.0 * power.max(1e-13).log10()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rtp::{JitterBuffer, JitterConfig, Pulled, RtpPacket, Sender, SenderConfig};
    use sdp::CodecKind;

    use super::*;
    use crate::codec::{Decoder, Encoder};

    /// White noise of that level in dBov, the same in every run.
    fn noise(samples: usize, level: f32, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let peak = 10_f32.powf(level / 20.0) * 3_f32.sqrt();
        let white = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [.., a, b] = state.to_le_bytes();
            f32::from(i16::from_le_bytes([a, b])) / 32_768.0 * peak
        };
        (0..samples).map(white).collect()
    }

    fn with(mut sound: Vec<f32>, more: &[f32]) -> Vec<f32> {
        sound.iter_mut().zip(more).for_each(|(sample, more)| *sample += more);
        sound
    }

    /// Two seconds of the test speech, as loud as a call is.
    fn speech() -> Vec<f32> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../assets/speech/test-speech.wav");
        audio::read_wav(path.as_ref()).unwrap().into_iter().take(96_000).collect()
    }

    fn judge(pauses: &mut Pauses, sound: &[f32]) -> Vec<Worth> {
        sound.chunks_exact(2 * BLOCK).map(|packet| pauses.judge(packet)).collect()
    }

    fn level(sound: &[f32]) -> f32 {
        decibels(sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32)
    }

    #[test]
    fn the_noise_of_a_pause_is_told_at_its_level_and_again_when_that_changes() {
        let mut pauses = Pauses::new();
        // A second of speech first; the background is learned in the first pause.
        judge(&mut pauses, &with(speech(), &noise(96_000, -60.0, 1)));
        let first = judge(&mut pauses, &noise(96_000, -60.0, 2));
        let told: Vec<u8> = first
            .iter()
            .filter_map(|w| if let Worth::Noise(n) = w { Some(*n) } else { None })
            .collect();
        assert!(told.iter().all(|n| (58..=62).contains(n)), "{told:?}");
        let (sent, untold) = (
            first.iter().filter(|w| **w == Worth::Sound).count(),
            first.iter().filter(|w| **w == Worth::Nothing).count(),
        );
        assert!(
            sent <= 14 && untold >= 75 && (4..=6).contains(&told.len()),
            "{sent} {untold} {told:?}"
        );
        // Softer: that it changes is told within a tenth of a second or two, and how soft it is within half a second.
        let second = judge(&mut pauses, &noise(28_800, -66.0, 3));
        let changes = |worth: &Worth| matches!(worth, Worth::Noise(63..));
        assert!(second[..10].iter().any(changes), "{second:?}");
        assert!(second.iter().any(|w| matches!(w, Worth::Noise(65..=67))), "{second:?}");
    }

    #[test]
    fn no_loud_sound_is_cut_and_no_word_begins_late() {
        for background in [-90.0, -65.0, -52.0] {
            let mut pauses = Pauses::new();
            judge(&mut pauses, &noise(480_000, background, 4));
            let said = speech();
            let worth = judge(&mut pauses, &with(said.clone(), &noise(96_000, background, 5)));
            for (packet, worth) in said.chunks_exact(2 * BLOCK).zip(&worth) {
                let loud = level(packet) > -40.0;
                assert!(!loud || *worth == Worth::Sound, "{} dB was cut", level(packet));
            }
        }
    }

    #[test]
    fn music_on_hold_is_no_background() {
        let tone: Vec<f32> = (0_u16..48_000).map(|n| (f32::from(n) * 0.05).sin() * 0.03).collect();
        let mut pauses = Pauses::new();
        for _ in 0..30 {
            assert!(judge(&mut pauses, &tone).iter().all(|worth| *worth == Worth::Sound));
        }
    }

    #[test]
    fn a_muted_microphone_is_told_as_silence_and_speech_after_it_comes_whole() {
        let mut pauses = Pauses::new();
        let muted = judge(&mut pauses, &[0.0; 96_000]);
        assert_eq!(muted.iter().filter(|w| matches!(w, Worth::Noise(127))).count(), 4 + 1);
        pauses.interrupt();
        assert_eq!(pauses.judge(&[0.0; 960]), Worth::Noise(127));
        assert_eq!(pauses.judge(&noise(960, -30.0, 6)), Worth::Sound);
    }

    /// What is heard at the other side of a line of this codec, and how many packets it took, in virtual time.
    fn heard(kind: CodecKind, sound: &[f32]) -> (Vec<f32>, Vec<Pulled>, usize) {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        let start = Instant::now();
        let payload_type = kind.static_payload_type().unwrap();
        let mut sender = Sender::new(SenderConfig {
            ssrc: 1,
            first_sequence: 65_500,
            first_timestamp: u32::MAX - 8_000,
            payload_type,
            clock_rate: 8_000,
        });
        let (mut encoder, mut pauses) = (Encoder::new(kind).unwrap(), Pauses::new());
        let mut buffer = JitterBuffer::new(JitterConfig {
            comfort_noise_pt: Some(13),
            ..JitterConfig::default()
        });
        buffer.set_decoder(payload_type, Decoder::new(kind).unwrap());
        let (mut out, mut kinds, mut packets) = (Vec::new(), Vec::new(), 0);
        let mut now = start;
        for packet in sound.chunks_exact(2 * BLOCK) {
            let (mut payload, mut datagram) = (Vec::new(), Vec::new());
            match pauses.judge(packet) {
                Worth::Sound => {
                    encoder.encode(packet, &mut payload).unwrap();
                    sender.frame(now, &payload, 160, &mut datagram);
                }
                Worth::Noise(level) => sender.comfort_noise(13, &[level], 160, &mut datagram),
                Worth::Nothing => sender.skip(160),
            }
            if !datagram.is_empty() {
                packets += 1;
                buffer.insert(now, &RtpPacket::parse(&datagram).unwrap());
            }
            for _ in 0..2 {
                let mut block = [0.0; BLOCK];
                kinds.push(buffer.pull(now, &mut block));
                out.extend_from_slice(&block);
                now += Duration::from_millis(10);
            }
        }
        (out, kinds, packets)
    }

    #[test]
    fn the_other_side_hears_speech_and_noise_of_the_same_level_for_few_packets() {
        for kind in [CodecKind::Pcma, CodecKind::Pcmu, CodecKind::G722] {
            let mut sound = with(speech(), &noise(96_000, -55.0, 7));
            sound.extend(noise(480_000, -55.0, 8));
            sound.extend(with(speech(), &noise(96_000, -55.0, 9)));
            let (out, kinds, packets) = heard(kind, &sound);
            println!("{kind}: {packets} packets of {}", sound.len() / 960);
            // Ten seconds of pause in three or four packets a second; the background is learned within three.
            assert!(packets < 100 + 100 + 170 + 30, "{kind}: {packets}");
            // Seconds 7 to 11 are pause.
            let pause = &out[7 * 48_000..11 * 48_000];
            assert!((level(pause) + 55.0).abs() < 3.0, "{kind}: {} dB", level(pause));
            assert!(kinds[700..1_100].iter().all(|kind| *kind == Pulled::ComfortNoise));
            // The speech after it is heard as loud as it was said, and nothing of it is made up.
            let (said, there) = (level(&sound[12 * 48_000..]), level(&out[12 * 48_000..]));
            assert!((said - there).abs() < 1.0, "{kind}: {said} {there}");
            assert!(
                kinds[20..].iter().all(|kind| !matches!(kind, Pulled::Concealed | Pulled::Silence))
            );
        }
    }
}
