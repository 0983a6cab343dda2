//! Changes of the devices in the middle of a call, and how long sound is away, counted in what is heard.
//!
//! Two speakers stand in one room, which is recorded: what it plays is silent for so many samples. Two microphones stand in
//! one street, in which the same count goes on for ever: from one sample that arrived to the next so much of it is missing.
//! Neither figure knows how late the machine is at reading them.

use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audio::{Audio, AudioSpec, BLOCK, Control, DeviceChoice, open};

use crate::{id, pactl, pause, sound_server, started, tone, until};

/// Sound is never away for longer.
const AWAY: Duration = Duration::from_millis(500);
/// Nor is the new device used later than this, by the clock on the wall of a machine that does other things.
const FOLLOWED: Duration = Duration::from_secs(2);
/// After the new device is heard it is listened to for so long: nothing may fall out any more.
const AFTER: Duration = Duration::from_millis(400);

/// Samples that are loud or not together: 5 ms.
const PIECE: usize = 240;
/// The count in the street begins anew after so many samples: 4 s.
const COUNT: usize = 192_000;
/// What stands for 0, and how much more for the highest number.
const LEAST: f32 = 0.15;
const MORE: f32 = 0.8;

const SPEAKERS: [&str; 2] = ["left", "right"];
const MICROPHONES: [&str; 2] = ["near", "far"];
const CHANNELS: [&str; 2] = ["front-left", "front-right"];

fn speaker(which: usize) -> String {
    let (name, channel) = (SPEAKERS[which], CHANNELS[which]);
    pactl(&format!(
        "load-module module-remap-sink sink_name={name} master=room channels=1 channel_map=mono \
         master_channel_map={channel} remix=no"
    ))
}

fn microphone(which: usize) -> String {
    let (name, channel) = (MICROPHONES[which], CHANNELS[which]);
    pactl(&format!(
        "load-module module-remap-source source_name={name} master=street.monitor channels=1 \
         channel_map=mono master_channel_map={channel} remix=no"
    ))
}

fn place(name: &str) -> String {
    let map = CHANNELS.join(",");
    pactl(&format!(
        "load-module module-null-sink sink_name={name} rate=48000 channels=2 channel_map={map}"
    ))
}

/// What the two speakers play, from the moment it is begun to be recorded.
struct Room {
    recorder: Child,
    /// Of each piece, whether the left and whether the right speaker was loud in it.
    pieces: Arc<Mutex<Vec<[bool; 2]>>>,
}

impl Room {
    fn record() -> Self {
        let mut recorder =
            sound_server::recorder("room", 2).stdout(Stdio::piped()).spawn().unwrap();
        let mut from = recorder.stdout.take().unwrap();
        let pieces = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&pieces);
        std::thread::spawn(move || {
            let mut piece = [0_u8; 8 * PIECE];
            while std::io::Read::read_exact(&mut from, &mut piece).is_ok() {
                let mut loud = [false; 2];
                for (n, sample) in piece.as_chunks::<4>().0.iter().enumerate() {
                    loud[n % 2] |= f32::from_le_bytes(*sample).abs() > 0.1;
                }
                written.lock().unwrap().push(loud);
            }
        });
        Self { recorder, pieces }
    }

    fn now(&self) -> usize {
        self.pieces.lock().unwrap().len()
    }

    fn hears(&self, speaker: usize, from: usize) -> bool {
        self.pieces.lock().unwrap()[from..].iter().any(|loud| loud[speaker])
    }

    /// The longest time since then in which neither was heard.
    fn silence(&self, from: usize) -> Duration {
        let pieces = self.pieces.lock().unwrap();
        let runs = pieces[from..].split(|loud| *loud != [false; 2]);
        let longest = runs.map(<[_]>::len).max().unwrap_or(0);
        Duration::from_secs_f64((longest * PIECE) as f64 / 48_000.0)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.recorder.kill();
        let _ = self.recorder.wait();
    }
}

/// Counts into both microphones, upwards in one and the same below zero in the other.
struct Street {
    player: Child,
}

impl Street {
    fn count() -> Self {
        let mut player = std::process::Command::new("pacat")
            .args(["--raw", "--format=float32le", "--rate=48000", "--channels=2"])
            .args(["--latency-msec=10", "--device=street"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut into = player.stdin.take().unwrap();
        std::thread::spawn(move || {
            let mut next = 0;
            loop {
                let counts = (next..next + BLOCK).map(|n| LEAST + MORE * n as f32 / COUNT as f32);
                let block: Vec<u8> =
                    counts.flat_map(|v| [v, -v]).flat_map(f32::to_le_bytes).collect();
                if std::io::Write::write_all(&mut into, &block).is_err() {
                    return;
                }
                next = (next + BLOCK) % COUNT;
            }
        });
        Self { player }
    }
}

impl Drop for Street {
    fn drop(&mut self) {
        let _ = self.player.kill();
        let _ = self.player.wait();
    }
}

/// What a sample of a microphone says: which one, and how far the street has counted.
fn counted(sample: f32) -> Option<(usize, usize)> {
    let far = sample.abs();
    let count = ((far - LEAST) / MORE * COUNT as f32).round().max(0.0) as usize;
    (far > 0.1).then_some((usize::from(sample < 0.0), count))
}

/// What a block of the microphone brought.
#[derive(Debug, Clone, Copy)]
struct Heard {
    at: Instant,
    /// Which microphone its last sample came from.
    which: usize,
    /// The most samples that are missing before one of its own.
    missing: usize,
}

/// Reads blocks and looks what is missing between their samples.
#[derive(Default)]
struct Reader {
    last: Option<usize>,
}

impl Reader {
    fn read(&mut self, block: &[f32; BLOCK]) -> Option<Heard> {
        let mut heard = None;
        for (which, count) in block.iter().filter_map(|sample| counted(*sample)) {
            let missing = match self.last {
                // One that overlaps the other microphone steps back, which is nothing missing.
                Some(last) => (count + COUNT - last).saturating_sub(1) % COUNT,
                None => 0,
            };
            let missing = if missing > COUNT / 2 { 0 } else { missing };
            self.last = Some(count);
            let so_far = heard.map_or(0, |heard: Heard| heard.missing);
            heard = Some(Heard { at: Instant::now(), which, missing: missing.max(so_far) });
        }
        heard
    }
}

/// A call on the system's own devices: talks all the time, and notes what it hears.
struct Call {
    stop: Sender<()>,
    heard: Receiver<Heard>,
    control: Control,
}

impl Call {
    fn begin(audio: Audio) -> Self {
        let (stop, stopped) = channel();
        let (told, heard) = channel();
        let Audio { mut capture, mut playback, control, .. } = audio;
        std::thread::spawn(move || {
            let (mut block, out, mut reader) = ([0.0; BLOCK], tone(), Reader::default());
            let mut due = Instant::now();
            while stopped.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {
                while capture.read(&mut block) {
                    if let Some(heard) = reader.read(&block) {
                        let _ = told.send(heard);
                    }
                }
                while due <= Instant::now() {
                    playback.write(Instant::now(), &out);
                    due += Duration::from_millis(10);
                }
            }
        });
        Self { stop, heard, control }
    }

    /// Uses that microphone and speaker while they are there.
    fn uses(&self, input: Option<&str>, output: Option<&str>) {
        let (input, output) = (input.and_then(id), output.and_then(id));
        self.control.set_devices(DeviceChoice { input, output, ..DeviceChoice::default() });
    }

    /// When that microphone is first heard after `since`, and the most that is missing until then and shortly after.
    fn hears(&self, which: usize, since: Instant) -> Option<Away> {
        let (mut missing, mut back) = (0, None);
        loop {
            let heard = self.heard.recv_timeout(Duration::from_secs(5)).ok()?;
            if heard.at < since {
                continue;
            }
            missing = missing.max(heard.missing);
            if back.is_none() && heard.which == which {
                back = Some(heard.at);
            }
            if let Some(back) = back.filter(|back| heard.at >= *back + AFTER) {
                let silent = Duration::from_secs_f64(missing as f64 / 48_000.0);
                return Some(Away { silent, followed: back - since });
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let _ = self.stop.send(());
    }
}

/// How long sound was away at a change.
#[derive(Debug, Clone, Copy)]
struct Away {
    /// In what is heard.
    silent: Duration,
    /// From the wish to the new device's first sound, by the clock.
    followed: Duration,
}

/// Median, 95th of a hundred and longest, for people.
fn told(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1];
    let longest = at(100);
    println!(
        "{what}: n={} median {:.0} ms p95 {:.0} ms longest {:.0} ms",
        times.len(),
        at(50).as_secs_f64() * 1_000.0,
        at(95).as_secs_f64() * 1_000.0,
        longest.as_secs_f64() * 1_000.0
    );
    longest
}

/// Two speakers in a room and two microphones in the street, and a call on those that are the default.
struct Desk {
    call: Call,
    room: Room,
    _street: Street,
    speakers: [String; 2],
    microphones: [String; 2],
}

impl Desk {
    fn new() -> Self {
        place("room");
        place("street");
        let speakers = [speaker(0), speaker(1)];
        let microphones = [microphone(0), microphone(1)];
        pactl("set-default-sink left");
        pactl("set-default-source near");
        let street = Street::count();
        let audio = open(&AudioSpec::default()).unwrap();
        audio.control.set_active(true);
        println!("{:?}", started(&audio.events));
        let (call, room) = (Call::begin(audio), Room::record());
        call.hears(0, Instant::now()).unwrap();
        assert!(until(5_000, || room.hears(0, 0)), "nothing is played");
        Self { call, room, _street: street, speakers, microphones }
    }

    /// Another speaker is to be used.
    fn changes_speaker(&mut self, from: usize, to: usize, unplugged: bool) -> Option<Away> {
        if unplugged {
            // The one in use was chosen; the other is what is left.
            self.call.uses(None, Some(SPEAKERS[from]));
            pactl(&format!("set-default-sink {}", SPEAKERS[to]));
            pause(400);
        }
        let (begin, since) = (self.room.now(), Instant::now());
        if unplugged {
            pactl(&format!("unload-module {}", self.speakers[from]));
        } else {
            pactl(&format!("set-default-sink {}", SPEAKERS[to]));
        }
        let back = until(5_000, || self.room.hears(to, begin));
        let followed = since.elapsed();
        pause(AFTER.as_millis() as u64);
        if unplugged {
            self.speakers[from] = speaker(from);
        }
        back.then(|| Away { silent: self.room.silence(begin), followed })
    }

    /// Another microphone is to be used.
    fn changes_microphone(&mut self, from: usize, to: usize, unplugged: bool) -> Option<Away> {
        if unplugged {
            self.call.uses(Some(MICROPHONES[from]), None);
            pactl(&format!("set-default-source {}", MICROPHONES[to]));
            pause(400);
        }
        let since = Instant::now();
        if unplugged {
            pactl(&format!("unload-module {}", self.microphones[from]));
        } else {
            pactl(&format!("set-default-source {}", MICROPHONES[to]));
        }
        let away = self.call.hears(to, since)?;
        if unplugged {
            self.microphones[from] = microphone(from);
        }
        Some(away)
    }
}

/// Another default speaker, another default microphone, an unplugged speaker, an unplugged microphone: in turn, fifty in
/// all.
pub(crate) fn sound_is_back_after_each_of_fifty_changes() {
    the_street_is_read_to_the_sample();
    let mut desk = Desk::new();
    let mut all: [Vec<Away>; 4] = Default::default();
    let mut at = [0_usize, 0];
    for round in 0..50 {
        let (side, unplugged) = (round % 2, round % 4 >= 2);
        let (from, to) = (at[side], 1 - at[side]);
        at[side] = to;
        let away = match side {
            0 => desk.changes_speaker(from, to, unplugged),
            _ => desk.changes_microphone(from, to, unplugged),
        };
        let away = away.unwrap_or_else(|| panic!("round {round}: silence"));
        println!("{round}: {away:.0?}");
        all[round % 4].push(away);
        if unplugged {
            desk.call.uses(None, None);
        }
        pause(150);
    }
    let names = ["other speaker", "other microphone", "speaker unplugged", "microphone unplugged"];
    for (name, times) in names.into_iter().zip(&all) {
        let silent = told(&format!("{name}, silent"), times.iter().map(|t| t.silent).collect());
        let followed =
            told(&format!("{name}, followed"), times.iter().map(|t| t.followed).collect());
        assert!(silent < AWAY, "{name}: silent for {silent:?}");
        assert!(followed < FOLLOWED, "{name}: followed after {followed:?}");
    }
}

/// The ruler itself.
fn the_street_is_read_to_the_sample() {
    let sample = |n: usize| LEAST + MORE * (n % COUNT) as f32 / COUNT as f32;
    let block = |from: usize| std::array::from_fn::<f32, BLOCK, _>(|n| sample(from + n));
    let mut reader = Reader::default();
    let mut missing = |block: &[f32; BLOCK]| reader.read(block).map(|heard| heard.missing);
    assert_eq!(missing(&block(1_000)), Some(0));
    assert_eq!(missing(&[0.0; BLOCK]), None);
    assert_eq!(missing(&block(1_000 + 2 * BLOCK)), Some(BLOCK));
    assert_eq!(missing(&block(COUNT - BLOCK).map(|v| -v)), Some(0), "further than can be told");
    assert_eq!(missing(&block(24_000)), Some(24_000));
}
