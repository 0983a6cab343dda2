//! Stand-ins for devices, paced in real time by one thread: silence, and WAV files.
//!
//! Inputs: whether the path is wanted, whether the microphone may begin, the clock. The thread gives one block of
//! microphone and takes one block of speaker every 10 ms, by absolute deadlines, so it keeps up
//! with real time over hours. A file has no deadline for the speaker: when the reader is late the
//! block is written when it comes, so a busy machine does not cut holes into the recording;
//! only after [`PATIENCE`] blocks is silence written in its place.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::ports::{CaptureLine, PlaybackLine};
use crate::wav::{WavSink, WavSource, read_wav};
use crate::{Audio, AudioError, BLOCK, Capture, Control, ControlInner, Playback, SAMPLE_RATE};

const TICK: Duration = Duration::from_millis(10);

/// Blocks of silence before the first one that can have been heard: what a device would hold.
const LEAD: u32 = 2;

/// Blocks that the speaker side may be late before silence is written instead: 500 ms.
const PATIENCE: u32 = 50;

enum Command {
    Active(bool),
    Microphone,
}

/// The pacing thread's handle; dropping it ends the thread and completes the file.
pub(crate) struct Pacer {
    commands: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Pacer {
    pub(crate) fn set_active(&self, on: bool) {
        self.send(Command::Active(on));
    }

    pub(crate) fn start_microphone(&self) {
        self.send(Command::Microphone);
    }

    fn send(&self, command: Command) {
        if let Some(commands) = &self.commands
            && commands.send(command).is_err()
        {
            tracing::warn!("sound stand-in has ended");
        }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("sound stand-in ended badly");
        }
    }
}

pub(crate) fn open_null() -> Result<Audio, AudioError> {
    spawn(WavSource::new(Vec::new(), false), None)
}

pub(crate) fn open_wav(input: &Path, output: &Path, looped: bool) -> Result<Audio, AudioError> {
    let source = WavSource::new(read_wav(input)?, looped);
    let sink = WavSink::create(output)?;
    spawn(source, Some(sink))
}

fn spawn(source: WavSource, sink: Option<WavSink>) -> Result<Audio, AudioError> {
    let (capture_lines, capture) = Capture::new();
    let (playback_lines, playback) = Playback::new();
    let silent = || Playback::new().1;
    let (ringers, alerts) = (std::array::from_fn(|_| silent()), silent());
    let (_, events) = channel();
    let (mic, ring) = RingBuffer::new(100 * BLOCK);
    let _ = capture_lines.send(Some(CaptureLine { ring, rate: SAMPLE_RATE, pulse: None }));
    let (ring, speaker) = RingBuffer::new(100 * BLOCK);
    let _ = playback_lines.send(Some(PlaybackLine { ring, rate: SAMPLE_RATE, pulse: None }));
    let (commands, inbox) = channel();
    let pace = Pace { source, sink, mic, speaker, owed: 0, lead: LEAD, speaking: false };
    let thread = std::thread::Builder::new()
        .name("balie-sound".to_owned())
        .spawn(move || run(pace, &inbox))
        .map_err(|e| AudioError::Thread(e.to_string()))?;
    let pacer = Pacer { commands: Some(commands), thread: Some(thread) };
    let control = Control { inner: ControlInner::Simulated(pacer) };
    Ok(Audio { capture, playback, ringers, alerts, control, events })
}

#[expect(clippy::disallowed_methods, reason = "this thread is a clock: it paces the stand-in")]
fn run(mut pace: Pace, inbox: &Receiver<Command>) {
    let mut active = false;
    let mut next = Instant::now();
    loop {
        let command = if active {
            inbox.recv_timeout(next.saturating_duration_since(Instant::now()))
        } else {
            inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match command {
            Ok(Command::Microphone) => pace.speaking = true,
            Ok(Command::Active(on)) => {
                // A file, once begun, goes on: its two sides share one time line.
                let keep = active && pace.sink.is_some();
                if on && !active {
                    next = Instant::now() + TICK;
                }
                active = on || keep;
            }
            Err(RecvTimeoutError::Timeout) => {
                pace.tick();
                next += TICK;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    pace.take_speaker();
}

struct Pace {
    source: WavSource,
    sink: Option<WavSink>,
    mic: Producer<f32>,
    speaker: Consumer<f32>,
    /// Blocks of speaker sound that are due and not yet there.
    owed: u32,
    lead: u32,
    /// The microphone file has begun.
    speaking: bool,
}

impl Pace {
    /// 10 ms have passed: the speaker takes what is due, then the microphone gives a block.
    fn tick(&mut self) {
        if self.lead > 0 {
            self.lead -= 1;
            self.write(&[0.0; BLOCK]);
        } else {
            self.owed += 1;
            self.take_speaker();
        }
        let (source, speaking) = (&mut self.source, self.speaking);
        if let Ok(chunk) = self.mic.write_chunk_uninit(BLOCK) {
            chunk.fill_from_iter(std::iter::repeat_with(|| {
                if speaking { source.next_sample() } else { 0.0 }
            }));
        }
    }

    fn take_speaker(&mut self) {
        let mut block = [0.0; BLOCK];
        while self.owed > 0 && self.speaker.pop_entire_slice(&mut block).is_ok() {
            self.owed -= 1;
            self.write(&block);
        }
        while self.owed > PATIENCE {
            self.owed -= 1;
            self.write(&[0.0; BLOCK]);
        }
    }

    fn write(&mut self, block: &[f32; BLOCK]) {
        if let Some(sink) = &mut self.sink {
            sink.write(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(samples: Vec<f32>) -> (Pace, Consumer<f32>, Producer<f32>) {
        let (mic, capture) = RingBuffer::new(100 * BLOCK);
        let (playback, speaker) = RingBuffer::new(100 * BLOCK);
        let source = WavSource::new(samples, false);
        let pace = Pace { source, sink: None, mic, speaker, owed: 0, lead: LEAD, speaking: false };
        (pace, capture, playback)
    }

    #[test]
    fn gives_a_block_a_tick_and_never_runs_ahead() {
        let (mut pace, capture, _) = pace(vec![0.5; 1000]);
        for n in 1..=5 {
            pace.tick();
            assert_eq!(capture.slots(), n * BLOCK);
        }
    }

    #[test]
    fn a_late_speaker_block_is_taken_when_it_comes() {
        let (mut pace, _capture, mut playback) = pace(Vec::new());
        for _ in 0..LEAD + 3 {
            pace.tick();
        }
        assert_eq!(pace.owed, 3);
        playback.push_entire_slice(&[0.1; 3 * BLOCK]).unwrap();
        pace.tick();
        assert_eq!(pace.owed, 1);
        assert!(playback.slots() == 100 * BLOCK);
    }

    #[test]
    fn the_microphone_file_waits_until_it_is_started() {
        let (mut pace, mut capture, _playback) = pace(vec![0.5; 1000]);
        pace.tick();
        assert_eq!(capture.pop(), Ok(0.0));
        pace.speaking = true;
        pace.tick();
        assert_eq!(capture.read_chunk(BLOCK).unwrap().into_iter().last(), Some(0.5));
    }

    #[test]
    fn gives_up_waiting_after_half_a_second() {
        let (mut pace, _capture, _playback) = pace(Vec::new());
        for _ in 0..500 {
            pace.tick();
        }
        assert_eq!(pace.owed, PATIENCE);
    }
}
