//! The real device path against a headless PulseAudio with null sinks.
//!
//! A program of its own (`harness = false`): for each case it starts a server under its own runtime
//! directory and runs itself again with the case's name and an environment that points there, since
//! where the sound server is can only be said by the environment. Without the program `pulseaudio`
//! nothing is run and that is said, unless `BALIE_LAB` is set: then it is a failure.

#![expect(clippy::disallowed_methods, reason = "measures real devices in real time")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use audio::{
    Audio, AudioEvent, AudioSpec, BLOCK, DeviceChoice, DeviceId, DeviceKind, Playback, open,
};

mod changes;
mod sound_server;

const CASES: &[(&str, fn())] = &[
    ("devices_are_listed", devices_are_listed),
    ("sound_goes_round_through_real_streams", sound_goes_round_through_real_streams),
    ("a_server_that_dies_and_returns_is_used_again", a_server_that_dies_and_returns_is_used_again),
    (
        "sound_is_back_after_each_of_fifty_changes",
        changes::sound_is_back_after_each_of_fifty_changes,
    ),
    ("a_device_that_silently_stops_is_replaced", a_device_that_silently_stops_is_replaced),
    (
        "a_speaker_that_begins_late_is_not_opened_anew",
        a_speaker_that_begins_late_is_not_opened_anew,
    ),
    (
        "a_speaker_that_runs_dry_gets_longer_buffers_once",
        a_speaker_that_runs_dry_gets_longer_buffers,
    ),
    ("the_first_sound_is_heard_from_its_beginning", the_first_sound_is_heard_from_its_beginning),
    (
        "it_rings_on_two_devices_at_once_and_alerts_on_a_third",
        it_rings_on_two_and_alerts_on_a_third,
    ),
    (
        "the_first_burst_of_ringing_and_of_an_alert_is_whole",
        the_first_burst_of_ringing_and_of_an_alert_is_whole,
    ),
    ("sound_waits_for_the_speaker_and_is_whole", sound_waits_for_the_speaker_and_is_whole),
];

fn main() {
    if let Ok(name) = std::env::var("LAB_CASE") {
        let case = CASES.iter().find(|(case, _)| *case == name).unwrap();
        return (case.1)();
    }
    let (mut passed, mut failed) = (0, 0);
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for (name, _) in CASES {
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let Some(server) = Server::start() else { return };
        if server.run(name) { passed += 1 } else { failed += 1 }
    }
    println!("{passed} passed, {failed} failed");
    assert_eq!(failed, 0, "see above");
}

struct Server {
    process: Child,
    dir: tempfile::TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let process = spawn(dir.path())?;
        Some(Self { process, dir })
    }

    /// Runs a case of this file against the server; true when it passed.
    fn run(&self, case: &str) -> bool {
        let status = Command::new(std::env::current_exe().unwrap())
            .env("LAB_CASE", case)
            .envs(sound_server::environment(self.dir.path()))
            .env("HOME", self.dir.path())
            .env("LAB_DIR", self.dir.path())
            .env("LAB_PID", self.process.id().to_string())
            .status()
            .unwrap();
        println!("{case} ... {status}");
        status.success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(dir: &std::path::Path) -> Option<Child> {
    let modules = [
        "module-null-sink sink_name=spk rate=48000 channels=1",
        "module-null-sink sink_name=mic rate=48000 channels=1",
        "module-remap-source source_name=voice master=mic.monitor",
    ];
    let mut command = sound_server::server(dir, &modules);
    match command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(child) => {
            let socket = sound_server::socket(dir);
            assert!(until(5_000, || socket.exists()), "pulseaudio does not listen");
            Some(child)
        }
        Err(error) if std::env::var_os("BALIE_LAB").is_none() => {
            println!("skipped, no pulseaudio: {error}");
            None
        }
        Err(error) => panic!("pulseaudio: {error}"),
    }
}

fn pause(ms: u64) {
    let (_keep, never) = channel::<()>();
    let _ = never.recv_timeout(Duration::from_millis(ms));
}

fn until(ms: u64, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_millis(ms);
    while Instant::now() < end {
        if done() {
            return true;
        }
        pause(1);
    }
    false
}

fn id(name: &str) -> Option<DeviceId> {
    Some(DeviceId(format!("pulseaudio:{name}")))
}

fn system(input: &str, output: &str) -> Audio {
    let choice = DeviceChoice { input: id(input), output: id(output), ..DeviceChoice::default() };
    let audio = open(&AudioSpec::System(choice)).unwrap();
    audio.control.set_active(true);
    audio
}

/// Both sides of `audio` have started.
fn started(events: &Receiver<AudioEvent>) -> Vec<String> {
    let mut names = Vec::new();
    while names.len() < 2 {
        match events.recv_timeout(Duration::from_secs(5)).unwrap() {
            AudioEvent::Started { name, .. } => names.push(name),
            other => println!("{other:?}"),
        }
    }
    names
}

fn devices_are_listed() {
    let devices = audio::devices().unwrap();
    println!("{devices:#?}");
    let speakers: Vec<_> = devices.iter().filter(|d| d.kind == DeviceKind::Output).collect();
    let microphones: Vec<_> = devices.iter().filter(|d| d.kind == DeviceKind::Input).collect();
    assert_eq!(speakers.len(), 2);
    assert_eq!(speakers.iter().filter(|d| d.is_default).count(), 1);
    assert!(speakers.iter().any(|d| Some(&d.id) == id("spk").as_ref()));
    assert!(microphones.iter().any(|d| Some(&d.id) == id("voice").as_ref()));
    assert!(
        !microphones.iter().any(|d| d.id.0.ends_with(".monitor")),
        "a monitor is no microphone"
    );
}

/// Plays clicks through `out` of `lab` and returns the delays until they come back, in ms, while
/// `between` (if any) carries sound from its microphone to its speaker.
fn clicks(lab: &mut Audio, mut between: Option<&mut Audio>) -> Vec<f64> {
    let (mut delays, mut written, mut read) = (Vec::new(), 0_u64, 0_u64);
    let mut sent: Option<(Instant, u64)> = None;
    let mut block = [0.0; BLOCK];
    let end = Instant::now() + Duration::from_secs(6);
    while Instant::now() < end {
        if let Some(between) = &mut between {
            while between.capture.read(&mut block) {
                between.playback.write(Instant::now(), &block);
            }
        }
        while lab.capture.read(&mut block) {
            read += 1;
            let heard = block.iter().position(|s| s.abs() > 0.2);
            if let (Some(at), Some((when, _))) = (heard, sent) {
                let early = Duration::from_secs_f64((BLOCK - at) as f64 / 48_000.0);
                delays.push((when.elapsed().saturating_sub(early)).as_secs_f64() * 1000.0);
                sent = None;
            }
            let mut out = [0.0; BLOCK];
            if written > 100
                && written.is_multiple_of(50)
                && sent.is_none_or(|s| written > s.1 + 90)
            {
                out[0] = 0.9;
                out[1] = -0.9;
                sent = Some((Instant::now(), written));
            }
            lab.playback.write(Instant::now(), &out);
            written += 1;
        }
        pause(1);
    }
    println!("{written} blocks written, {read} read");
    delays.sort_by(f64::total_cmp);
    delays
}

fn sound_goes_round_through_real_streams() {
    let mut direct = system("spk.monitor", "spk");
    started(&direct.events);
    let base = clicks(&mut direct, None);
    println!("direct: {base:.1?} ms, {:?}", direct.playback.stats());
    drop(direct);

    let mut phone = system("voice", "spk");
    println!("{:?}", started(&phone.events));
    let mut lab = system("spk.monitor", "mic");
    println!("{:?}", started(&lab.events));
    let through = clicks(&mut lab, Some(&mut phone));
    println!("through: {through:.1?} ms, {:?}", phone.playback.stats());
    assert!(base.len() >= 5 && through.len() >= 5, "clicks got lost");
    let (base, through) = (base[base.len() / 2], through[through.len() / 2]);
    println!("mouth to ear through the device rings: {:.1} ms", through - base);
    assert!(through - base < 150.0);
}

fn a_server_that_dies_and_returns_is_used_again() {
    let dir = std::path::PathBuf::from(std::env::var_os("LAB_DIR").unwrap());
    let audio = open(&AudioSpec::default()).unwrap();
    audio.control.set_active(true);
    started(&audio.events);
    Command::new("kill").args(["-9", &std::env::var("LAB_PID").unwrap()]).status().unwrap();
    let died = Instant::now();
    let lost = audio.events.recv_timeout(Duration::from_secs(3)).unwrap();
    println!("{lost:?} after {:?}", died.elapsed());
    assert!(matches!(lost, AudioEvent::Lost { .. }), "{lost:?}");
    let _ = std::fs::remove_file(sound_server::socket(&dir));
    let mut server = spawn(&dir).unwrap();
    let back = Instant::now();
    let mut again = 0;
    while again < 2 {
        let event = audio.events.recv_timeout(Duration::from_secs(8)).unwrap();
        println!("{event:?} after {:?}", back.elapsed());
        again += u32::from(matches!(event, AudioEvent::Started { .. }));
    }
    drop(audio);
    let _ = server.kill();
    let _ = server.wait();
}

/// Asks the sound server for something; what it says.
fn pactl(arguments: &str) -> String {
    let output = Command::new("pactl").args(arguments.split_whitespace()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Somebody who listens to what a speaker plays, or talks into a microphone: a program of the sound server's own.
struct Outsider {
    process: Child,
    /// When each loud piece was heard.
    heard: Receiver<Instant>,
}

impl Outsider {
    /// Listens to a speaker; returns when it hears (silence at first).
    fn listens(sink: &str) -> Self {
        let mut process = sound_server::recorder(sink, 1).stdout(Stdio::piped()).spawn().unwrap();
        let mut from = process.stdout.take().unwrap();
        let (loud, heard) = channel();
        let (begun, begins) = channel();
        std::thread::spawn(move || {
            let mut piece = [0_u8; 1_920];
            while std::io::Read::read_exact(&mut from, &mut piece).is_ok() {
                let _ = begun.send(());
                let samples = piece.chunks_exact(4);
                let peak = samples.map(|s| f32::from_le_bytes([s[0], s[1], s[2], s[3]]).abs());
                if peak.fold(0.0, f32::max) > 0.1 && loud.send(Instant::now()).is_err() {
                    return;
                }
            }
        });
        begins.recv_timeout(Duration::from_secs(5)).unwrap();
        Self { process, heard }
    }

    /// Talks into a microphone: a tone without an end.
    fn talks(sink: &str) -> Self {
        let mut process = Command::new("pacat")
            .args(["--raw", "--format=float32le", "--rate=48000", "--channels=1"])
            .args(["--latency-msec=10", &format!("--device={sink}")])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut into = process.stdin.take().unwrap();
        std::thread::spawn(move || {
            let block: Vec<u8> = tone().iter().flat_map(|s| s.to_le_bytes()).collect();
            while std::io::Write::write_all(&mut into, &block).is_ok() {}
        });
        let (_, heard) = channel();
        Self { process, heard }
    }

    /// The first moment after `since` at which something was heard.
    fn hears(&self, since: Instant, limit: Duration) -> Option<Instant> {
        let end = since + limit;
        loop {
            let left = end.checked_duration_since(Instant::now())?;
            let at = self.heard.recv_timeout(left).ok()?;
            if at >= since {
                return Some(at);
            }
        }
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// 10 ms of 400 Hz.
fn tone() -> [f32; BLOCK] {
    std::array::from_fn(|n| 0.5 * (n as f32 * 400.0 * std::f32::consts::TAU / 48_000.0).sin())
}

/// A speaker of that name; the module that makes it.
fn speaker(name: &str) -> String {
    pactl(&format!("load-module module-null-sink sink_name={name} rate=48000 channels=1"))
}

/// The server holds a device without a word: no callback comes any more, and no error.
fn a_device_that_silently_stops_is_replaced() {
    let mut audio = open(&AudioSpec::default()).unwrap();
    audio.control.set_active(true);
    started(&audio.events);
    assert!(until(4_000, || audio.playback.plays()), "the speaker does not begin");
    let default = pactl("get-default-sink");
    let since = Instant::now();
    pactl(&format!("suspend-sink {default} 1"));
    let lost = loop {
        match audio.events.recv_timeout(Duration::from_secs(3)).unwrap() {
            AudioEvent::Lost { kind, name, reason } => break (kind, name, reason),
            other => println!("{other:?}"),
        }
    };
    println!("{lost:?} after {:?}", since.elapsed());
    assert_eq!(lost.0, DeviceKind::Output);
    pactl(&format!("suspend-sink {default} 0"));
    let again = loop {
        let event = audio.events.recv_timeout(Duration::from_secs(5)).unwrap();
        println!("{event:?} after {:?}", since.elapsed());
        if let AudioEvent::Started { kind: DeviceKind::Output, .. } = event {
            break true;
        }
    };
    assert!(again);
}

/// A server may take what fills the buffer of a new stream and then nothing for a while: this sink has prepared two seconds.
/// Opened anew, a stream would wait from the beginning again.
fn a_speaker_that_begins_late_is_not_opened_anew() {
    speaker("late");
    let mut audio = system("voice", "late");
    let since = Instant::now();
    assert!(until(4_000, || audio.playback.plays()), "it does not begin");
    println!("plays after {:?}", since.elapsed());
    let lost: Vec<AudioEvent> = audio
        .events
        .try_iter()
        .filter(|event| matches!(event, AudioEvent::Lost { kind: DeviceKind::Output, .. }))
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// What a speaker does when its server takes nothing for a twentieth of a second, time and again: opened anew, given up.
fn dried(audio: &Audio, times: u32) -> (usize, usize) {
    let default = pactl("get-default-sink");
    for _ in 0..times {
        pactl(&format!("suspend-sink {default} 1"));
        pause(50);
        pactl(&format!("suspend-sink {default} 0"));
        pause(1_100);
    }
    let (mut opened, mut lost) = (0, 0);
    for event in audio.events.try_iter() {
        match event {
            AudioEvent::Started { kind: DeviceKind::Output, .. } => opened += 1,
            AudioEvent::Lost { kind: DeviceKind::Output, .. } => lost += 1,
            _ => {}
        }
    }
    (opened, lost)
}

fn a_speaker_that_runs_dry_gets_longer_buffers() {
    // A busy machine may take so long over one pause that the speaker counts as stopped: then once more from the beginning.
    for _ in 0..3 {
        let mut audio = open(&AudioSpec::default()).unwrap();
        audio.control.set_active(true);
        started(&audio.events);
        assert!(until(4_000, || audio.playback.plays()), "the speaker does not begin");
        let (first, second) = (dried(&audio, 5), dried(&audio, 5));
        println!("opened anew and given up: {first:?}, {second:?}");
        if first.1 + second.1 == 0 {
            assert_eq!((first.0, second.0), (1, 0));
            return;
        }
    }
    panic!("the server never takes sound again in time");
}

/// Nothing of the first sound after the start is lost while the device opens: what is written from then on is played from
/// its first tenth of a second.
fn the_first_sound_is_heard_from_its_beginning() {
    let mut ear = Outsider::listens("spk");
    pactl("set-default-sink spk");
    let mut audio = open(&AudioSpec::default()).unwrap();
    audio.control.set_active(true);
    let begun = Instant::now();
    started(&audio.events);
    println!("devices open after {:?}", begun.elapsed());
    let mut block = [0.0; BLOCK];
    while !audio.capture.read(&mut block) {
        pause(1);
    }
    // A tenth of a second of sound, then nothing.
    let since = Instant::now();
    for n in 0..60 {
        let out = if n < 10 { tone() } else { [0.0; BLOCK] };
        audio.playback.write(Instant::now(), &out);
        let due = since + Duration::from_millis(10 * (n + 1));
        while Instant::now() < due {
            pause(1);
        }
    }
    let first = ear.hears(since, Duration::from_secs(1)).unwrap();
    let mut pieces = 1;
    while ear.heard.recv_timeout(Duration::from_millis(100)).is_ok() {
        pieces += 1;
    }
    println!("first heard after {:?}, {pieces} of 10 pieces", first - since);
    assert!(pieces >= 9, "{pieces} of 10 pieces");
    ear.process.kill().unwrap();
}

/// From the moment the path is asked for: the microphone gives its sound from its first blocks, and what waited until the
/// speaker plays is heard, all ten pieces of it. Counted in blocks, whatever the time the devices take.
fn sound_waits_for_the_speaker_and_is_whole() {
    let talker = Outsider::talks("mic");
    let mut ear = Outsider::listens("spk");
    let mut audio = system("voice", "spk");
    let (mut waited, mut written, mut read, mut silent) = (0, 0, 0, None);
    let mut block = [0.0; BLOCK];
    let since = Instant::now();
    for n in 0..500 {
        while audio.capture.read(&mut block) {
            read += 1;
            if silent.is_none() && block.iter().any(|s| s.abs() > 0.1) {
                silent = Some(read - 1);
            }
        }
        if audio.playback.plays() {
            let out = if written < 10 { tone() } else { [0.0; BLOCK] };
            audio.playback.write(Instant::now(), &out);
            written += 1;
        } else {
            waited += 1;
        }
        let due = since + Duration::from_millis(10 * (n + 1));
        while Instant::now() < due {
            pause(1);
        }
    }
    let pieces = ear.heard.try_iter().count();
    println!("waited {waited} blocks, {pieces} of 10 pieces, {silent:?} of {read} blocks silent");
    assert!(written > 100, "{waited} waited, {written} written");
    assert!(pieces >= 10, "{pieces} of 10 pieces");
    assert!(silent.is_some_and(|silent| silent < 10), "{silent:?} blocks of silence at first");
    ear.process.kill().unwrap();
    drop(talker);
}

/// What rings waits for the first of its devices, and is heard whole there; an alert waits for its own. As the media engine
/// does it: nothing is played before one plays.
fn the_first_burst_of_ringing_and_of_an_alert_is_whole() {
    let bell = speaker("bell");
    let mut ear = Outsider::listens("bell");
    let ringers = ["bell"].into_iter().filter_map(id).collect();
    let choice = DeviceChoice { ringers, alerts: id("bell"), ..DeviceChoice::default() };
    let mut audio = open(&AudioSpec::System(choice)).unwrap();
    for rings in [true, false] {
        while ear.heard.try_recv().is_ok() {}
        audio.control.set_ringing(rings);
        audio.control.set_alerting(!rings);
        let (mut waited, mut written, since) = (0, 0, Instant::now());
        while written < 100 && waited < 500 {
            let plays = match rings {
                true => audio.ringers.iter_mut().any(Playback::plays),
                false => audio.alerts.plays(),
            };
            if plays {
                let out = if written < 10 { tone() } else { [0.0; BLOCK] };
                for playback in audio.ringers.iter_mut().chain([&mut audio.alerts]) {
                    playback.write(Instant::now(), &out);
                }
                written += 1;
            } else {
                waited += 1;
            }
            let due = since + Duration::from_millis(10 * (waited + written));
            while Instant::now() < due {
                pause(1);
            }
        }
        audio.control.set_ringing(false);
        audio.control.set_alerting(false);
        pause(500);
        let pieces = ear.heard.try_iter().count();
        println!("rings {rings}: waited {waited} blocks, {pieces} of 10 pieces");
        assert!(written >= 100 && pieces >= 10, "{written} written, {pieces} of 10 pieces");
    }
    ear.process.kill().unwrap();
    pactl(&format!("unload-module {bell}"));
}

/// What rings is heard on both devices chosen and not where alerts go, and alerts only there. One that is unplugged leaves
/// the other ringing.
fn it_rings_on_two_and_alerts_on_a_third() {
    let [left, right, bell] = ["left", "right", "bell"].map(speaker);
    let ears = ["left", "right", "bell"].map(Outsider::listens);
    let ringers = ["left", "right"].into_iter().filter_map(id).collect();
    let choice = DeviceChoice { ringers, alerts: id("bell"), ..DeviceChoice::default() };
    let mut audio = open(&AudioSpec::System(choice)).unwrap();
    let mut play = |ring: bool, which: &[usize]| {
        for ear in &ears {
            while ear.heard.try_recv().is_ok() {}
        }
        audio.control.set_ringing(ring);
        audio.control.set_alerting(!ring);
        // Ten seconds at most, until whoever should hear it has.
        let mut counts = [0; 3];
        for _ in 0..1_000 {
            for playback in &mut audio.ringers {
                playback.write(Instant::now(), &if ring { tone() } else { [0.0; BLOCK] });
            }
            audio.alerts.write(Instant::now(), &if ring { [0.0; BLOCK] } else { tone() });
            for (count, ear) in counts.iter_mut().zip(&ears) {
                *count += ear.heard.try_iter().count();
            }
            if which.iter().all(|n| counts[*n] >= 20) {
                break;
            }
            pause(10);
        }
        audio.control.set_ringing(false);
        audio.control.set_alerting(false);
        pause(300);
        println!("ring {ring}: {counts:?}");
        for (n, count) in counts.into_iter().enumerate() {
            assert_eq!(count >= 20, which.contains(&n), "{n}: {counts:?}");
            assert!(count == 0 || which.contains(&n), "{n}: {counts:?}");
        }
    };
    play(true, &[0, 1]);
    play(false, &[2]);
    pactl(&format!("unload-module {left}"));
    pause(2_000);
    play(true, &[1]);
    pactl(&format!("unload-module {right}"));
    pactl(&format!("unload-module {bell}"));
}
