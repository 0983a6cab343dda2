//! Judges the playout by ear, so to speak: speech through Opus, a simulated network and the jitter buffer, scored with
//! PESQ, beside a buffer fixed at 60 ms. `cargo run --release --example playout_quality -p media [loss/jitter ...]`;
//! `BALIE_LAB_PYTHON` names a Python with the package `pesq` (without it there are no scores).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "audio lengths")]

use std::path::Path;
use std::process::Command;

use media::resample::Decimator;

#[path = "../tests/virtual_call/mod.rs"]
mod virtual_call;

use virtual_call::{Heard, Network, adaptive, fixed, median, places, speech};

/// Scores the second file against the first; prints mean and least of six pieces of 7.5 s, the same for every file
/// (moved by a few milliseconds, the same sound scores up to 0.3 otherwise).
const SCORE: &str = "
import sys, wave, numpy, pesq
def read(path):
    with wave.open(path) as f:
        return numpy.frombuffer(f.readframes(f.getnframes()), dtype='<i2')
said, heard, lag = read(sys.argv[1]), read(sys.argv[2]), int(sys.argv[3])
heard = heard[lag:]
size, pieces = 7 * 16000 + 8000, 6
scores = [pesq.pesq(16000, said[i * size:(i + 1) * size], heard[i * size:(i + 1) * size], 'wb') for i in range(pieces)]
print('%.2f (%.2f)' % (sum(scores) / len(scores), min(scores)))
";

fn write(path: &Path, sound: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut thin = Vec::new();
    Decimator::new(16_000).unwrap().process(sound, &mut thin);
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in thin {
        writer.write_sample((sample * 32_767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

fn score(folder: &Path, speech: &[f32], heard: &[f32], delay_ms: f64) -> String {
    let Ok(python) = std::env::var("BALIE_LAB_PYTHON") else { return "-".to_owned() };
    let (said_file, heard_file) = (folder.join("said.wav"), folder.join("heard.wav"));
    write(&said_file, speech);
    write(&heard_file, heard);
    let output = Command::new(python)
        .args(["-c", SCORE])
        .args([&said_file, &heard_file])
        .arg(format!("{:.0}", delay_ms * 16.0))
        .output()
        .unwrap();
    if !output.status.success() {
        return String::from_utf8_lossy(&output.stderr).into_owned();
    }
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn describe(folder: &Path, speech: &[f32], heard: &Heard) -> String {
    let places = places(speech, &heard.sound);
    let delay = median(places.iter().map(|place| place.delay_ms).collect());
    let alike = places.iter().map(|place| place.likeness).sum::<f64>() / places.len() as f64;
    let score = score(folder, speech, &heard.sound, delay);
    let concealed = heard.concealed * 100.0;
    format!("PESQ {score:11} delay {delay:5.1} ms, alike {alike:.3}, made up {concealed:5.2} %")
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let folder = tempfile::tempdir().unwrap();
    let speech = speech(46);
    let mut cells = Vec::new();
    for loss in [0, 5, 10, 20] {
        for jitter_ms in [0, 20, 60] {
            cells.push((
                format!("{loss}/{jitter_ms}"),
                Network { loss, jitter_ms, busy: false, seed: 99 },
            ));
        }
    }
    cells.push(("busy".to_owned(), Network { loss: 0, jitter_ms: 3, busy: true, seed: 99 }));
    for (name, network) in cells {
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let heard = adaptive(&speech, network);
        println!(
            "{name:6} adaptive {} stretches {} (-{} +{} ms)",
            describe(folder.path(), &speech, &heard),
            heard.stretches,
            heard.removed_ms,
            heard.inserted_ms
        );
        println!(
            "{:6} fixed 60 {}",
            "",
            describe(folder.path(), &speech, &fixed(&speech, network))
        );
    }
}
