//! What the headless program, baresip and linphone make of the same speech after the same losses and delays, in real time:
//! each is called, gets the same packets at the same moments and plays into a loudspeaker of its own, from which it is
//! recorded. PESQ-WB, PLCMOS, and the delay from the speech to the loudspeaker (packet, codec, buffers and sound server).
//! Then, from the mouth to the ear, how long speech takes from one program's microphone to another's loudspeaker.
//! Last, whether sound keeps going for ten minutes.
//! `cargo xtask bench sound` runs it; single cells by name (`opus/5/20`, `pcma/10b/60`; b: in bursts), `mouth` for the mouth,
//! `steady` or `steady=MINUTES` for the last.
//!
//! The machine must have nothing else to do: what a program is late by is heard. Ends with 1 when the headless program is
//! worse than the best of the others in a cell by more than one measurement differs from the next, or later; or when the
//! mouth is further from the ear than 75 ms (90 ms with echo cancelling), 20 ms more for the slowest twentieth, or further
//! than with baresip.

#![expect(clippy::unwrap_used, reason = "a measurement")]
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod listeners;
mod mouth_to_ear;
mod steady;

#[path = "../../../../../src-tauri/crates/media/tests/agreement/mod.rs"]
mod agreement;
#[path = "../../../../../src-tauri/crates/media/examples/sound/judge.rs"]
mod judge;
#[path = "../../../../../src-tauri/crates/media/tests/virtual_call/network.rs"]
mod network;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use e2e::caller::{Call, Sound};
use e2e::deadline;
use e2e::loudspeaker::{Loudspeaker, RATE};
use e2e::sound::Signal;
use judge::{Judge, Scores};
use listeners::{Listener, NAMES};
use mouth_to_ear::Delays;
use network::{FRAME_US, Network, median, places};
use sdp::CodecKind;
use tempfile::tempdir;

/// How long the speech is, in seconds.
const SECONDS: usize = 24;
/// Calls at the same time for each program.
const LANES: usize = 2;
/// What one score may lie below another without meaning anything: packets meet another phase of the clock each time.
const NOISE: f64 = 0.15;
/// The same of delays, in milliseconds.
const NOISE_MS: f64 = 5.0;
const CODECS: [(&str, CodecKind); 3] =
    [("opus", CodecKind::Opus), ("g722", CodecKind::G722), ("pcma", CodecKind::Pcma)];

/// A network with its name.
#[derive(Clone)]
struct Cell {
    name: String,
    network: Network,
}

fn cells(wanted: &[String]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (codec_name, codec) in CODECS {
        for (loss, bursts) in
            [(0, false), (1, false), (5, false), (10, false), (10, true), (20, false)]
        {
            for jitter_ms in [0, 20, 60] {
                let mark = if bursts { "b" } else { "" };
                let name = format!("{codec_name}/{loss}{mark}/{jitter_ms}");
                let network = Network { codec, loss, bursts, jitter_ms, ..Network::quiet() };
                if wanted.is_empty() || wanted.contains(&name) {
                    cells.push(Cell { name, network });
                }
            }
        }
    }
    cells
}

/// What one program made of one cell.
struct Heard {
    cell: usize,
    file: PathBuf,
    delay_ms: f64,
    alike: f64,
}

/// One program's figures in one cell.
#[derive(Clone, Copy)]
struct Figures {
    scores: Scores,
    delay_ms: f64,
    alike: f64,
}

/// Calls one program again and again, one cell after the other.
fn listen(
    which: usize,
    lane: usize,
    cells: &[Cell],
    speech: &[f32],
    folder: &Path,
) -> Result<Vec<Heard>> {
    let home = folder.join(format!("{}-{lane}", NAMES[which]));
    let loudspeaker = Loudspeaker::start(&home.join("sound"))?;
    let mut listener = Listener::start(which, lane, &loudspeaker, &home)?;
    let mut all = Vec::new();
    for (index, cell) in cells.iter().enumerate().skip(lane).step_by(LANES) {
        let sounds = network::send(speech, cell.network)
            .into_iter()
            .map(|arrival| Sound {
                at: arrival.at,
                number: arrival.number,
                payload: arrival.payload,
            })
            .collect::<Vec<_>>();
        let codec = cell.network.codec;
        let sound = match called(&mut listener, codec, &loudspeaker, &sounds, speech.len()) {
            // Others do not always pick up; a second time they are started anew.
            Err(error) if which > 0 => {
                println!("{} at {}: {error}; once more", NAMES[which], cell.name);
                drop(listener);
                listener = Listener::start(which, lane, &loudspeaker, &home)?;
                called(&mut listener, codec, &loudspeaker, &sounds, speech.len())
            }
            first => first,
        }
        .with_context(|| format!("{} at {}", NAMES[which], cell.name))?;
        let places = places(speech, &sound);
        let delay_ms = median(places.iter().map(|place| place.delay_ms).collect());
        let alike =
            places.iter().map(|place| place.likeness).sum::<f64>() / places.len().max(1) as f64;
        let file = home.join(format!("{index}.wav"));
        Signal { rate: RATE, samples: sound }.at(16_000)?.write(&file)?;
        all.push(Heard { cell: index, file, delay_ms, alike });
    }
    Ok(all)
}

/// What comes out of the loudspeaker in one call.
fn called(
    listener: &mut Listener,
    codec: CodecKind,
    loudspeaker: &Loudspeaker,
    sounds: &[Sound],
    length: usize,
) -> Result<Vec<f32>> {
    let call = listener.call(codec)?;
    let sound = hear(&call, loudspeaker, sounds, length)?;
    call.end()?;
    listener.ended()?;
    Ok(sound)
}

/// What comes out of the loudspeaker while the speech is sent.
fn hear(
    call: &Call,
    loudspeaker: &Loudspeaker,
    sounds: &[Sound],
    length: usize,
) -> Result<Vec<f32>> {
    let listening = loudspeaker.listen()?;
    let start = deadline(Duration::from_millis(700));
    call.speak(start, sounds)?;
    // What the buffers hold comes out yet.
    e2e::pause(Duration::from_millis(600) + Duration::from_micros(FRAME_US));
    listening.stop(start, length)
}

type Course = JoinHandle<Result<Vec<Heard>>>;

/// Every program in every cell, all programs and lanes at the same time.
fn run(cells: &Arc<Vec<Cell>>, speech: &Arc<Vec<f32>>, folder: &Path) -> Vec<Vec<Course>> {
    let start = |which, lane| {
        let (cells, speech) = (Arc::clone(cells), Arc::clone(speech));
        let folder = folder.to_path_buf();
        std::thread::spawn(move || listen(which, lane, &cells, &speech, &folder))
    };
    let lanes = LANES.min(cells.len());
    (0..NAMES.len()).map(|which| (0..lanes).map(|lane| start(which, lane)).collect()).collect()
}

/// What is not as it must be.
fn faults(ours: Figures, others: &[Figures]) -> Vec<String> {
    let mut faults = Vec::new();
    let best = others.iter().map(|f| f.scores.pesq).fold(f64::NAN, f64::max);
    if best - ours.scores.pesq > NOISE {
        faults.push(format!("{:.2} below the best", best - ours.scores.pesq));
    }
    let least = others.iter().map(|f| f.delay_ms).fold(f64::NAN, f64::min);
    if ours.delay_ms - least > NOISE_MS {
        faults.push(format!("{:.0} ms later", ours.delay_ms - least));
    }
    faults
}

fn main() -> Result<ExitCode> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(measured) = steady::is_here(&wanted) {
        return measured.map(|()| ExitCode::SUCCESS);
    }
    let folder = tempdir()?;
    let cells = Arc::new(cells(&wanted));
    let once = Signal::read(&e2e::speech())?.raised_to(RATE)?;
    let speech: Vec<f32> =
        once.samples.iter().copied().cycle().take(SECONDS * RATE as usize).collect();
    let speech = Arc::new(speech);
    let said = folder.path().join("said.wav");
    Signal { rate: RATE, samples: speech.to_vec() }.at(16_000)?.write(&said)?;
    let mut heard = Vec::new();
    for (which, courses) in run(&cells, &speech, folder.path()).into_iter().enumerate() {
        for course in courses {
            let result = course.join().ok().context("a listener failed")?;
            heard.extend(result?.into_iter().map(|heard| (which, heard)));
        }
    }
    let near = match wanted.is_empty() || wanted.iter().any(|name| name == "mouth") {
        true => mouth_to_ear::measure(folder.path())?,
        false => Vec::new(),
    };
    let steady = steady::minutes(&wanted).map(|minutes| steady::run(minutes, folder.path()));
    // The judges work when nothing is heard any more.
    let mut judge = Judge::start(folder.path());
    let mut figures = vec![[None; NAMES.len()]; cells.len()];
    for (which, Heard { cell, file, delay_ms, alike }) in heard {
        let scores = judge.as_mut().map_or(Scores::UNKNOWN, |judge| {
            judge.ask(&said, &file, (delay_ms * 16.0).round() as usize);
            judge.answer()
        });
        figures[cell][which] = Some(Figures { scores, delay_ms, alike });
    }
    let good = table(&cells, &figures) & near_table(&near) & steady.transpose()?.unwrap_or(true);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// From the mouth to the ear; true when it is as it must be.
fn near_table(all: &[Delays]) -> bool {
    let mut good = true;
    let peer = all.iter().find(|delays| delays.bound.is_none()).map_or(f64::NAN, |d| d.median);
    for Delays { name, median, late, marks, bound } in all {
        let mut faults = Vec::new();
        if let Some((most, most_late)) = bound {
            if median > most {
                faults.push(format!("above {most} ms"));
            }
            if late > most_late {
                faults.push(format!("95th above {most_late} ms"));
            }
            if *median > peer {
                faults.push("later than baresip".to_owned());
            }
        }
        good &= faults.is_empty();
        println!(
            "mouth to ear, {name:22} | {median:6.1} ms, 95th {late:6.1} ms ({marks} marks) | {}",
            faults.join(", ")
        );
    }
    good
}

/// Every cell; true when all is as it must be.
fn table(cells: &[Cell], figures: &[[Option<Figures>; NAMES.len()]]) -> bool {
    let names: Vec<String> = NAMES.iter().map(|name| format!("{name:39}")).collect();
    println!("{:12} | {} |", "", names.join(" | "));
    let mut good = true;
    for (cell, row) in cells.iter().zip(figures) {
        let shown = row.iter().flatten().map(|figures| {
            let Figures { scores: Scores { pesq, least, plcmos }, delay_ms, alike } = figures;
            format!("{pesq:5.2} ({least:4.2}) {plcmos:5.2} {delay_ms:7.1} ms {alike:5.3}  ")
        });
        let shown: Vec<String> = shown.collect();
        let all: Vec<Figures> = row.iter().flatten().copied().collect();
        let faults = all.split_first().map_or_else(Vec::new, |(ours, rest)| faults(*ours, rest));
        println!("{:12} | {} | {}", cell.name, shown.join(" | "), faults.join(", "));
        good &= faults.is_empty();
    }
    good
}
