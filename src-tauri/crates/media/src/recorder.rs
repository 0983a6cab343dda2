//! The recording of one call in a file: what we say on the left, what is heard on the right.
//!
//! The DSP thread puts both into a ring; a thread of the recording's own encodes and writes them, and completes the file when
//! the stream lets go. What stands in the file is complete to the second, should the program end without a word.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audio::{BLOCK, SAMPLE_RATE, read_wav};
use ogg::{PacketWriteEndInfo, PacketWriter};
use opus::{Application, Channels};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::EngineError;

/// Sound that may wait to be written: two seconds of both sides.
const RING: usize = 2 * 2 * SAMPLE_RATE as usize;
/// How often the ring is emptied.
const LOOK: Duration = Duration::from_millis(100);
/// Samples of both sides in one Opus packet: 20 ms.
const FRAME: usize = 2 * 2 * BLOCK;
/// Packets on one page, written at once: a second.
const PAGE: u64 = 50;
/// The longest Opus packet.
const LONGEST: usize = 4_000;
/// The sign that a call is recorded: 1400 Hz for 0.4 s every 15 s.
const MARK_HZ: f32 = 1_400.0;
const MARK_LENGTH: u32 = SAMPLE_RATE * 2 / 5;
const MARK_EVERY: u32 = SAMPLE_RATE * 15;
const MARK_PEAK: f32 = 0.08;

/// How a recording is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingFormat {
    /// Opus in Ogg (RFC 7845).
    Opus,
    /// 16 bit.
    Wav,
}

/// How the other side is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingMark {
    /// By a short tone at the beginning and every 15 seconds.
    Tone,
    /// By a WAV file that is played to it at the beginning, and the tone every 15 seconds after that.
    Announcement(PathBuf),
}

/// A recording that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The file; it must not be there yet.
    pub path: PathBuf,
    /// How it is kept.
    pub format: RecordingFormat,
    /// How the other side is told; there is no recording without.
    pub mark: RecordingMark,
}

/// 10 ms of what tells that a call is recorded.
#[derive(Clone, Copy)]
pub(crate) struct Sign {
    sound: [f32; BLOCK],
    /// What is left of everything else meanwhile.
    rest: [f32; BLOCK],
}

impl Sign {
    /// Puts it into what somebody hears; the sum may be beyond full scale.
    pub(crate) fn mix(&self, block: &mut [f32; BLOCK]) {
        for (sample, (sound, rest)) in block.iter_mut().zip(self.sound.iter().zip(&self.rest)) {
            *sample = *sample * rest + sound;
        }
    }
}

/// The DSP thread's end of a recording.
pub(crate) struct Tap {
    ring: Producer<f32>,
    announcement: Option<Vec<f32>>,
    /// Samples of the announcement that were played.
    announced: usize,
    /// Samples until the next tone, or within one.
    at: u32,
    sign: Sign,
    /// That sounds in this turn.
    sounds: bool,
    /// Nothing is taken down, and nobody is told that it were.
    pub(crate) paused: bool,
    failed: Arc<AtomicBool>,
    told: bool,
}

impl Tap {
    /// Makes the file and its thread; not for the DSP thread.
    ///
    /// # Errors
    /// [`EngineError::Recording`] when the file is there already or cannot be made, or the announcement cannot be read.
    pub(crate) fn new(recording: &Recording) -> Result<Box<Self>, EngineError> {
        let refused = |error: &dyn std::fmt::Display| EngineError::Recording(error.to_string());
        let announcement = match &recording.mark {
            RecordingMark::Tone => None,
            RecordingMark::Announcement(path) => Some(read_wav(path).map_err(|e| refused(&e))?),
        };
        let mut writer = Writer::create(recording).map_err(|e| refused(&e))?;
        let (ring, taken) = RingBuffer::new(RING);
        let failed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&failed);
        std::thread::Builder::new()
            .name("balie-record".to_owned())
            .spawn(move || {
                if let Err(error) = writer.run(taken) {
                    tracing::warn!(%error, "a recording ends early");
                    flag.store(true, Ordering::Relaxed);
                }
            })
            .map_err(|e| refused(&e))?;
        Ok(Box::new(Self {
            ring,
            announcement,
            announced: 0,
            at: 0,
            sign: Sign { sound: [0.0; BLOCK], rest: [1.0; BLOCK] },
            sounds: false,
            paused: false,
            failed,
            told: false,
        }))
    }

    /// Tells it anew from its beginning: there is somebody who has not heard it.
    pub(crate) fn tell_again(&mut self) {
        (self.announced, self.at) = (0, 0);
    }

    /// Goes on by 10 ms: the sign is that of this turn after it.
    pub(crate) fn turn(&mut self) {
        self.sounds = false;
        if self.paused {
            return;
        }
        let announcement = self.announcement.as_deref().unwrap_or_default();
        for (sound, rest) in self.sign.sound.iter_mut().zip(&mut self.sign.rest) {
            (*sound, *rest) = (0.0, 1.0);
            if let Some(sample) = announcement.get(self.announced) {
                (*sound, *rest) = (*sample, 0.2);
                self.announced += 1;
                self.sounds = true;
                continue;
            }
            if self.at < MARK_LENGTH {
                #[expect(clippy::cast_precision_loss, reason = "below 20,000")]
                let phase = (MARK_HZ * self.at as f32 / SAMPLE_RATE as f32).fract();
                *sound = MARK_PEAK * (std::f32::consts::TAU * phase).sin();
                self.sounds = true;
            }
            self.at = (self.at + 1) % MARK_EVERY;
        }
    }

    /// The sign that the call is recorded, where it sounds in this turn.
    pub(crate) fn sign(&self) -> Option<&Sign> {
        self.sounds.then_some(&self.sign)
    }

    /// Takes down 10 ms of both sides.
    pub(crate) fn take(&mut self, sent: &[f32; BLOCK], heard: &[f32; BLOCK]) {
        if self.paused {
            return;
        }
        // A disk that does not keep up costs sound of the recording, never of the call.
        if let Ok(chunk) = self.ring.write_chunk_uninit(2 * BLOCK) {
            chunk
                .fill_from_iter(sent.iter().zip(heard).flat_map(|(ours, theirs)| [*ours, *theirs]));
        }
    }

    /// True once, when the file can no longer be written.
    pub(crate) fn has_failed(&mut self) -> bool {
        let news = !self.told && self.failed.load(Ordering::Relaxed);
        self.told |= news;
        news
    }
}

/// The file.
enum Writer {
    Opus { file: PacketWriter<'static, BufWriter<File>>, encoder: opus::Encoder, serial: u32 },
    Wav(hound::WavWriter<BufWriter<File>>),
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Writer {
    fn create(recording: &Recording) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // What was said is its owner's business only.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = BufWriter::new(options.open(&recording.path)?);
        match recording.format {
            RecordingFormat::Wav => {
                let spec = hound::WavSpec {
                    channels: 2,
                    sample_rate: SAMPLE_RATE,
                    bits_per_sample: 16,
                    sample_format: hound::SampleFormat::Int,
                };
                Ok(Self::Wav(hound::WavWriter::new(file, spec)?))
            }
            RecordingFormat::Opus => {
                let mut encoder =
                    opus::Encoder::new(SAMPLE_RATE, Channels::Stereo, Application::Voip)?;
                encoder.set_bitrate(opus::Bitrate::Bits(48_000))?;
                let skip = u16::try_from(encoder.get_lookahead()?)?;
                let (serial, mut file) = (rand::random(), PacketWriter::new(file));
                let head = [
                    b"OpusHead\x01\x02".as_slice(),
                    &skip.to_le_bytes(),
                    &SAMPLE_RATE.to_le_bytes(),
                    &[0, 0, 0],
                ];
                file.write_packet(head.concat(), serial, PacketWriteEndInfo::EndPage, 0)?;
                let tags = b"OpusTags\x05\0\0\0Balie\0\0\0\0".to_vec();
                file.write_packet(tags, serial, PacketWriteEndInfo::EndPage, 0)?;
                file.inner_mut().flush()?;
                Ok(Self::Opus { file, encoder, serial })
            }
        }
    }

    fn run(&mut self, mut taken: Consumer<f32>) -> Result<(), Failure> {
        let (mut frame, mut frames) = (Vec::with_capacity(FRAME), 0_u64);
        loop {
            let ends = taken.is_abandoned();
            let waiting = taken.slots();
            let chunk = taken.read_chunk(waiting)?;
            for sample in chunk {
                frame.push(sample);
                if frame.len() == FRAME {
                    frames += 1;
                    self.write(&frame, frames, false)?;
                    frame.clear();
                }
            }
            if ends {
                frame.resize(FRAME, 0.0);
                return self.write(&frame, frames + 1, true);
            }
            std::thread::park_timeout(LOOK);
        }
    }

    /// Writes the `number`th 20 ms.
    fn write(&mut self, frame: &[f32], number: u64, last: bool) -> Result<(), Failure> {
        let page = last || number.is_multiple_of(PAGE);
        match self {
            Self::Wav(file) => {
                for sample in frame {
                    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
                    file.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)?;
                }
                if page {
                    file.flush()?;
                }
            }
            Self::Opus { file, encoder, serial } => {
                let mut packet = vec![0; LONGEST];
                let length = encoder.encode_float(frame, &mut packet)?;
                packet.truncate(length);
                let end = match (last, page) {
                    (true, _) => PacketWriteEndInfo::EndStream,
                    (_, true) => PacketWriteEndInfo::EndPage,
                    _ => PacketWriteEndInfo::NormalPacket,
                };
                file.write_packet(packet, *serial, end, number * 2 * BLOCK as u64)?;
                if page {
                    file.inner_mut().flush()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_recorded_hears_a_tone_at_once_and_every_fifteen_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        let recording = Recording { path, format: RecordingFormat::Wav, mark: RecordingMark::Tone };
        let mut tap = Tap::new(&recording).unwrap();
        let mut loud = Vec::new();
        for block in 0..3_200_u32 {
            let mut sent = [0.0; BLOCK];
            tap.turn();
            if let Some(sign) = tap.sign() {
                sign.mix(&mut sent);
            }
            if sent.iter().any(|s| s.abs() > 0.05) {
                loud.push(block);
            }
        }
        let begins: Vec<u32> =
            loud.iter().copied().filter(|n| *n == 0 || !loud.contains(&(n - 1))).collect();
        assert_eq!(begins, [0, 1_500, 3_000]);
        assert_eq!(loud.len(), 3 * 40);
        tap.paused = true;
        for _ in 0..1_500 {
            tap.turn();
            assert!(tap.sign().is_none(), "nobody is told what is not so");
        }
        tap.paused = false;
        tap.tell_again();
        tap.turn();
        assert!(tap.sign().is_some(), "whoever comes later is told at once");
    }

    /// How loud a tone is in a sound.
    fn level(sound: &[f32], hz: f32) -> f32 {
        let turn = |n: usize| n as f32 / 48_000.0 * hz * std::f32::consts::TAU;
        let real: f32 = sound.iter().enumerate().map(|(n, s)| s * turn(n).cos()).sum();
        let imaginary: f32 = sound.iter().enumerate().map(|(n, s)| s * turn(n).sin()).sum();
        2.0 * real.hypot(imaginary) / sound.len() as f32
    }

    #[test]
    fn an_opus_file_holds_both_sides_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.opus");
        let format = RecordingFormat::Opus;
        let recording = Recording { path: path.clone(), format, mark: RecordingMark::Tone };
        let mut tap = Tap::new(&recording).unwrap();
        // A hundred blocks are a second and a page; half a page more.
        for block in 0..150_usize {
            let tone = |hz: f32| {
                std::array::from_fn(|n| {
                    let at = (block * BLOCK + n) as f32 / 48_000.0;
                    0.3 * (at * hz * std::f32::consts::TAU).sin()
                })
            };
            tap.take(&tone(500.0), &tone(900.0));
        }
        drop(tap);
        let end = |path: &std::path::Path| {
            let mut packets = ogg::PacketReader::new(File::open(path).ok()?);
            let mut all = Vec::new();
            while let Ok(Some(packet)) = packets.read_packet() {
                all.push((packet.data.clone(), packet.absgp_page(), packet.last_in_stream()));
            }
            all.last().is_some_and(|(_, _, last)| *last).then_some(all)
        };
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let packets = (0..100).find_map(|_| {
            let _ = never.recv_timeout(Duration::from_millis(50));
            end(&path)
        });
        let packets = packets.expect("the file is completed");
        assert!(
            packets[0].0.starts_with(b"OpusHead\x01\x02") && packets[1].0.starts_with(b"OpusTags")
        );
        let mut decoder = opus::Decoder::new(SAMPLE_RATE, Channels::Stereo).unwrap();
        let mut sound = Vec::new();
        for (data, ..) in &packets[2..] {
            let mut frame = [0.0; FRAME];
            let samples = decoder.decode_float(data, &mut frame, false).unwrap();
            sound.extend_from_slice(&frame[..2 * samples]);
        }
        assert!(packets.last().unwrap().1 >= 150 * BLOCK as u64);
        let side = |at: usize| sound.iter().skip(at).step_by(2).copied().collect::<Vec<_>>();
        let (ours, theirs) = (side(0)[24_000..67_200].to_vec(), side(1)[24_000..67_200].to_vec());
        assert!(level(&ours, 500.0) > 0.2 && level(&ours, 900.0) < 0.03);
        assert!(level(&theirs, 900.0) > 0.2 && level(&theirs, 500.0) < 0.03);
    }

    #[test]
    fn a_file_that_is_there_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.opus");
        std::fs::write(&path, "something else").unwrap();
        let format = RecordingFormat::Opus;
        let recording = Recording { path: path.clone(), format, mark: RecordingMark::Tone };
        assert!(Tap::new(&recording).is_err());
        assert_eq!(std::fs::read_to_string(path).unwrap(), "something else");
    }
}
