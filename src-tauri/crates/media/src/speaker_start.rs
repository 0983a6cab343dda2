//! Whether sound may be taken out of the jitter buffers yet: while the speaker is being opened nobody would hear it, so
//! it waits, and the first words of a call are not lost.
//!
//! Inputs: the sound path is opened, the speaker plays, there is no speaker, another look at the devices is worth it,
//! the time. States: Waiting (until a moment) and Taking.

use std::time::{Duration, Instant};

/// How long sound waits for the speaker at most. What a jitter buffer then holds beyond its longest delay it skips.
const LONGEST: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct SpeakerStart {
    until: Option<Instant>,
    /// There was no speaker to open when last tried.
    absent: bool,
}

impl SpeakerStart {
    /// The sound path is being opened.
    pub(crate) fn path_opened(&mut self, now: Instant) {
        self.until = (!self.absent).then(|| now + LONGEST);
    }

    /// There is no speaker: whatever else takes the sound (a recording) waits for none.
    pub(crate) fn no_speaker(&mut self) {
        (self.until, self.absent) = (None, true);
    }

    /// There may be a speaker again at the next opening.
    pub(crate) fn devices_changed(&mut self) {
        self.absent = false;
    }

    /// Whether sound waits now. Once it does not, it does not until the path is opened anew: a device that is changed
    /// in mid-call must not make the call late.
    pub(crate) fn holds(&mut self, now: Instant, plays: bool) -> bool {
        self.until = self.until.filter(|until| !plays && now < *until);
        self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use audio::BLOCK;
    use rtp::{JitterBuffer, JitterConfig, RtpPacket, Sender, SenderConfig};
    use sdp::CodecKind;

    use super::*;
    use crate::codec::{Decoder, Encoder};

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn base() -> Instant {
        Instant::now()
    }

    /// What the peer says: that many tenths of a second of one tone after the other, so that it is known what is heard.
    const NOTES: [f32; 4] = [400.0, 700.0, 1_100.0, 1_600.0];

    fn said(block: usize) -> [f32; BLOCK] {
        let hz = NOTES[(block / 10).min(NOTES.len() - 1)];
        std::array::from_fn(|n| {
            let at = (block * BLOCK + n) as f32 / 48_000.0;
            0.4 * (at * hz * std::f32::consts::TAU).sin()
        })
    }

    fn hz(block: &[f32; BLOCK]) -> f32 {
        let ups = block.windows(2).filter(|pair| pair[0] <= 0.0 && pair[1] > 0.0).count();
        ups as f32 * 100.0
    }

    /// A call whose packets come every 20 ms from the answer on and whose speaker plays after `opening` ms, if at all:
    /// the blocks taken while it did not play, those after that before the first sound, and how many blocks of the first
    /// tone are heard.
    fn call(opening: u64, absent: bool) -> (usize, usize, usize) {
        let start = base();
        let mut encoder = Encoder::new(CodecKind::Pcma).unwrap();
        let mut buffer = JitterBuffer::new(JitterConfig::default());
        buffer.set_decoder(8, Decoder::new(CodecKind::Pcma).unwrap());
        let mut sender = Sender::new(SenderConfig {
            ssrc: 1,
            first_sequence: 0,
            first_timestamp: 0,
            payload_type: 8,
            clock_rate: 8_000,
        });
        let mut speaker = SpeakerStart::default();
        speaker.path_opened(start);
        let (mut unheard, mut before, mut first_tone, mut sounded) = (0, 0, 0, false);
        for tick in 0..150_u64 {
            let now = start + Duration::from_millis(tick * 10);
            if tick % 2 == 0 {
                let at = usize::try_from(tick).unwrap();
                let frame = [said(at), said(at + 1)].concat();
                let (mut payload, mut datagram) = (Vec::new(), Vec::new());
                encoder.encode(&frame, &mut payload).unwrap();
                sender.frame(now, &payload, 160, &mut datagram);
                buffer.insert(now, &RtpPacket::parse(&datagram).unwrap());
            }
            if absent && tick == 3 {
                speaker.no_speaker();
            }
            let plays = tick * 10 >= opening;
            if speaker.holds(now, plays) {
                continue;
            }
            let mut block = [0.0; BLOCK];
            buffer.pull(now, &mut block);
            let loud = block.iter().any(|sample| sample.abs() > 0.1);
            if !plays {
                unheard += 1;
                continue;
            }
            sounded |= loud;
            before += usize::from(!sounded);
            first_tone += usize::from(loud && (hz(&block) - NOTES[0]).abs() < 101.0);
        }
        (unheard, before, first_tone)
    }

    #[test]
    fn what_comes_while_the_speaker_opens_is_heard_from_its_beginning() {
        for opening in [0, 50, 200, 350] {
            let (unheard, before, first_tone) = call(opening, false);
            assert_eq!(unheard, 0, "{opening} ms");
            // What waits is heard at once; before that the buffer's own beginning is 60 ms. And it is heard from its
            // beginning: 100 ms, of which at most some more than half are taken out to catch up (a tone is the easiest).
            let most = if opening < 100 { 6 } else { 1 };
            assert!(before <= most, "{opening} ms: {before} blocks before the first sound");
            let least = if opening == 0 { 9 } else { 4 };
            assert!((least..=11).contains(&first_tone), "{opening} ms: {first_tone} blocks");
        }
    }

    #[test]
    fn nothing_waits_for_a_speaker_that_is_not_there_or_does_not_come() {
        // Known after 30 ms: whatever else takes the sound gets all but that.
        assert_eq!(call(2_000, true).0, 147);
        // Not known: a second.
        assert_eq!(call(2_000, false).0, 50);
    }

    #[test]
    fn a_speaker_changed_in_mid_call_makes_nothing_wait_and_one_known_to_be_absent_neither() {
        let now = base();
        let mut speaker = SpeakerStart::default();
        assert!(!speaker.holds(now, false));
        speaker.path_opened(now);
        assert!(speaker.holds(now, false));
        assert!(!speaker.holds(now, true));
        assert!(!speaker.holds(now, false));
        speaker.no_speaker();
        speaker.path_opened(now);
        assert!(!speaker.holds(now, false));
        speaker.devices_changed();
        speaker.path_opened(now);
        assert!(speaker.holds(now, false));
    }
}
