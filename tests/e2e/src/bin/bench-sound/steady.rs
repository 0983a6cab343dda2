//! Whether sound keeps going: an Opus call of many minutes with everything on, from and to real streams of a sound server,
//! and how often in it a device found nothing to play, sound was thrown away because it came too late, or was left out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::loudspeaker::Loudspeaker;
use e2e::pause;
use media::{AudioSpec, Engine, EngineConfig, Events, Processing};
use sdp::{CodecKind, Negotiated};

use crate::agreement;

/// How long it is measured where nothing else is said.
const MINUTES: u64 = 10;
/// Buffers and clocks settle before.
const SETTLING: Duration = Duration::from_secs(5);
/// The name by which this program measures within the environment of a sound server, before minutes and a folder.
const HERE: &str = "steady-here";

/// How many minutes are wanted: all parts are where none is named, this one by `steady` or `steady=MINUTES`.
pub(crate) fn minutes(wanted: &[String]) -> Option<u64> {
    let named = |name: &String| match name.strip_prefix("steady")? {
        "" => Some(MINUTES),
        rest => rest.strip_prefix('=')?.parse().ok(),
    };
    if wanted.is_empty() { Some(MINUTES) } else { wanted.iter().find_map(named) }
}

/// Measures when this is the program that was started for it.
pub(crate) fn is_here(arguments: &[String]) -> Option<Result<()>> {
    match arguments {
        [name, minutes, folder] if name == HERE => Some(measure(minutes, Path::new(folder))),
        _ => None,
    }
}

/// Runs it over null sinks; true when nothing was missing. Tells for each second in which something was how long the
/// machine stood still in it.
pub(crate) fn run(minutes: u64, folder: &Path) -> Result<bool> {
    let folder = folder.join("steady");
    let loudspeaker = Loudspeaker::start(&folder.join("sound"))?;
    // Where the sound server is is said by the environment alone, which is another program's.
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(HERE).arg(minutes.to_string()).arg(&folder).envs(loudspeaker.environment());
    let output = command.output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{told}{failed}");
    let counts: Vec<u64> =
        told.split_whitespace().map(str::parse).collect::<Result<_, _>>().context("no figures")?;
    let &[underruns, dropped, skipped, packets, ref gaps @ ..] = counts.as_slice() else {
        anyhow::bail!("{told}");
    };
    // 50 packets a second; the published figures lag behind by some.
    let enough = packets + 10 >= minutes * 60 * 50;
    let good = underruns + dropped + skipped == 0 && enough;
    println!(
        "{minutes} minutes of sound: {underruns} underruns, {dropped} blocks of the microphone dropped, {skipped} for the \
         loudspeaker left out, {packets} packets sent | {}",
        if good { "" } else { "not steady" }
    );
    for gap in gaps.chunks_exact(2) {
        println!("  in second {}, in which the machine stood still for {} ms", gap[0], gap[1]);
    }
    Ok(good)
}

/// How long this machine lets nobody do anything, as far as a thread sees that only sleeps.
struct Witness {
    /// The longest since it was asked last, ms.
    longest: Arc<AtomicU64>,
}

impl Witness {
    const SLEEP: Duration = Duration::from_millis(1);

    #[expect(clippy::disallowed_methods, reason = "a measurement")]
    fn start() -> Self {
        let longest = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&longest);
        // Ends with the program.
        std::thread::spawn(move || {
            loop {
                let before = Instant::now();
                pause(Self::SLEEP);
                let late = before.elapsed().saturating_sub(Self::SLEEP);
                told.fetch_max(u64::try_from(late.as_millis()).unwrap_or(u64::MAX), Relaxed);
            }
        });
        Self { longest }
    }

    fn asked(&self) -> u64 {
        self.longest.swap(0, Relaxed)
    }
}

fn engine(audio: AudioSpec, first: u16) -> Result<(Engine, Events)> {
    let bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Ok(Engine::start(EngineConfig { audio, bind, rtp_ports: first..=first + 3 })?)
}

fn measure(minutes: &str, folder: &Path) -> Result<()> {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let agreed = |port: u16| -> Negotiated {
        agreement::plain(CodecKind::Opus, SocketAddr::new(here, port))
    };
    let input = e2e::speech();
    let speech = AudioSpec::Wav { input, output: folder.join("heard.wav"), looped: true };
    let (desk, _desk_events) = engine(AudioSpec::default(), 47_500)?;
    let (peer, _peer_events) = engine(speech, 47_600)?;
    desk.set_processing(Processing::ALL);
    let (desk_stream, desk_port, _) = desk.open(here)?;
    let (peer_stream, peer_port, _) = peer.open(here)?;
    desk.configure(desk_stream, agreed(peer_port))?;
    peer.configure(peer_stream, agreed(desk_port))?;
    pause(SETTLING);
    let figures = || {
        let (gaps, stats) = (desk.gaps(), desk.stats(desk_stream).unwrap_or_default());
        [gaps.underruns, gaps.dropped, gaps.skipped, stats.tx.packets]
    };
    let witness = Witness::start();
    let before = figures();
    let (mut last, mut gaps) = (before, Vec::new());
    for second in 1..=60 * minutes.parse::<u64>()? {
        pause(Duration::from_secs(1));
        let (now, still) = (figures(), witness.asked());
        if now[..3] != last[..3] {
            gaps.extend([second, still]);
        }
        last = now;
    }
    let counts = last.iter().zip(before).map(|(after, before)| after - before).chain(gaps);
    println!("{}", counts.map(|count| count.to_string()).collect::<Vec<_>>().join(" "));
    Ok(())
}
