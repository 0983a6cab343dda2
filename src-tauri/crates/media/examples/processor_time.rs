//! Measures what a call costs in processor time, each codec in turn: two engines speak to each other over the loopback
//! interface for 10 s, with the microphone's sound passed on as it is and with everything done to it that can be; then a
//! conference of ten legs. `cargo run --profile installed --example processor_time -p media` (Linux only).
//!
//! With a codec's name it measures that one with everything done to the sound, and nothing else: for a profiler.
//!
//! Ends with 1 when an Opus call with everything on costs more than 4 % of a core, or a leg of the conference falls behind.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use media::{AudioSpec, Engine, EngineConfig, Events, Processing};
use sdp::{CodecKind, Negotiated};

#[path = "../tests/agreement/mod.rs"]
mod agreement;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECONDS: u16 = 10;

/// Legs of the conference.
const LEGS: u16 = 10;
/// What one Opus call may cost, per cent of a core.
const MOST: f64 = 4.0;

/// An engine that hears the test speech again and again.
fn engine(first_port: u16, folder: &Path) -> (Engine, Events) {
    let speech = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../assets/speech/test-speech.wav");
    let output = folder.join(format!("{first_port}.wav"));
    let audio = AudioSpec::Wav { input: speech.into(), output, looped: true };
    let rtp_ports = first_port..=first_port + 2 * LEGS - 1;
    Engine::start(EngineConfig { audio, bind: HERE, rtp_ports }).unwrap()
}

fn agreed(kind: CodecKind, port: u16) -> Negotiated {
    agreement::plain(kind, SocketAddr::new(HERE, port))
}

/// Processor time of this process so far, in seconds.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let mut fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11);
    let mut next = || fields.next().unwrap().parse::<f64>().unwrap() / 100.0;
    next() + next()
}

/// Per cent of one core used during the next seconds.
fn share() -> f64 {
    let before = processor_time();
    let (_keep, never) = channel::<()>();
    let _ = never.recv_timeout(Duration::from_secs(SECONDS.into()));
    (processor_time() - before) / f64::from(SECONDS) * 100.0
}

/// Connects two engines by so many streams and tells those of the first.
fn connect(a: &Engine, b: &Engine, kind: CodecKind, count: u16) -> Vec<media::StreamId> {
    let connected = (0..count).map(|_| {
        let (a_stream, a_port, _) = a.open(HERE).unwrap();
        let (b_stream, b_port, _) = b.open(HERE).unwrap();
        b.configure(b_stream, agreed(kind, a_port)).unwrap();
        a.configure(a_stream, agreed(kind, b_port)).unwrap();
        a_stream
    });
    connected.collect()
}

/// Ten legs in one conference: what they cost, with their other ends, and the fewest packets a second that a leg sent.
fn conference(folder: &Path) -> (f64, f64) {
    let ((a, _a_events), (b, _b_events)) = (engine(47_200, folder), engine(47_300, folder));
    let legs = connect(&a, &b, CodecKind::Opus, LEGS);
    a.set_conference(&legs);
    a.set_processing(Processing::ALL);
    let sent =
        || -> Vec<u64> { legs.iter().map(|leg| a.stats(*leg).unwrap().tx.packets).collect() };
    let before = sent();
    let cost = share();
    let counts = sent().into_iter().zip(before).map(|(after, before)| after - before);
    let least = counts.min().unwrap_or_default();
    (cost, f64::from(u32::try_from(least).unwrap()) / f64::from(SECONDS))
}

/// What one end of a call costs, per cent of a core.
fn call(kind: CodecKind, wanted: Processing, folder: &Path) -> f64 {
    let ((a, _a_events), (b, _b_events)) = (engine(47_000, folder), engine(47_100, folder));
    connect(&a, &b, kind, 1);
    a.set_processing(wanted);
    b.set_processing(wanted);
    share() / 2.0
}

fn main() -> ExitCode {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    if let Some(name) = std::env::args().nth(1) {
        let kind = CodecKind::ALL.into_iter().find(|kind| kind.to_string() == name).unwrap();
        println!("{kind}, everything: {:.2} %", call(kind, Processing::ALL, folder));
        return ExitCode::SUCCESS;
    }
    let mut good = true;
    for kind in CodecKind::ALL {
        for (words, wanted) in [("plain", Processing::default()), ("everything", Processing::ALL)] {
            let cost = call(kind, wanted, folder);
            println!("{kind}, {words}: {cost:.2} % of a core per call end");
            good &= kind != CodecKind::Opus || cost <= MOST;
        }
    }
    let (cost, rate) = conference(folder);
    println!("{LEGS} legs and their other ends: {cost:.2} % of a core, {rate:.1} packets/s a leg");
    // 50 packets a second, less what the published figures lag behind.
    good &= rate >= 49.0;
    let (_idle, _events) = engine(47_400, folder);
    println!("idle: {:.2} %", share());
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
