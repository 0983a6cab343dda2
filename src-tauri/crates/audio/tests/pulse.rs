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

use audio::{Audio, AudioEvent, AudioSpec, BLOCK, DeviceChoice, DeviceId, DeviceKind, open};

const CASES: &[(&str, fn())] = &[
    ("devices_are_listed", devices_are_listed),
    ("sound_goes_round_through_real_streams", sound_goes_round_through_real_streams),
    ("a_server_that_dies_and_returns_is_used_again", a_server_that_dies_and_returns_is_used_again),
];

fn main() {
    if let Ok(name) = std::env::var("LAB_CASE") {
        let case = CASES.iter().find(|(case, _)| *case == name).unwrap();
        return (case.1)();
    }
    let (mut passed, mut failed) = (0, 0);
    for (name, _) in CASES {
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

    fn socket(&self) -> String {
        format!("unix:{}/native", self.dir.path().display())
    }

    /// Runs a case of this file against the server; true when it passed.
    fn run(&self, case: &str) -> bool {
        let status = Command::new(std::env::current_exe().unwrap())
            .env("LAB_CASE", case)
            .env("PULSE_SERVER", self.socket())
            .env("XDG_RUNTIME_DIR", self.dir.path())
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
    let native =
        format!("module-native-protocol-unix auth-anonymous=1 socket={}/native", dir.display());
    let modules = [
        native.as_str(),
        "module-null-sink sink_name=spk rate=48000 channels=1",
        "module-null-sink sink_name=mic rate=48000 channels=1",
        "module-remap-source source_name=voice master=mic.monitor",
    ];
    let mut command = Command::new("pulseaudio");
    command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit"]).args([
        "--use-pid-file=no",
        "--realtime=no",
        "--high-priority=no",
        "--disable-shm=yes",
    ]);
    for module in modules {
        command.args(["-L", module]);
    }
    command
        .env("HOME", dir)
        .env("XDG_RUNTIME_DIR", dir)
        .env("PULSE_RUNTIME_PATH", dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => {
            let native = dir.join("native");
            assert!(until(5_000, || native.exists()), "pulseaudio does not listen");
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
    let choice = DeviceChoice { input: id(input), output: id(output), ringer: None };
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
    let _ = std::fs::remove_file(dir.join("native"));
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
