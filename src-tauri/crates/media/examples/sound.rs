//! What is heard of speech after a network that loses and delays, in virtual time: every codec, loss at random and in
//! bursts, jitter, through the jitter buffer and beside it through a buffer fixed at 60 ms (with redundancy and the codec's
//! concealment), scored with PESQ-WB. `cargo xtask bench sound` runs it;
//! `cargo run --release --example sound -p media [codec/loss/jitter ...]` runs single cells, for instance `opus/5/20` or
//! `pcma/10b/60` (b: in bursts). `BALIE_LAB_PYTHON` names a Python with the package `pesq`; without it there are no scores.
//!
//! Ends with 1 when a floor is not held: those that Opus has, and no cell worse than the fixed buffer by more than what one
//! measurement differs from the next.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "audio lengths")]

use std::path::Path;
use std::process::{Command, ExitCode};

use media::resample::Decimator;
use sdp::CodecKind;

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
print(sum(scores) / len(scores), min(scores))
";
/// What one score may lie below another without meaning anything.
const NOISE: f64 = 0.1;
const CODECS: [(&str, CodecKind); 3] =
    [("opus", CodecKind::Opus), ("g722", CodecKind::G722), ("pcma", CodecKind::Pcma)];

/// How one way of listening came out.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Mean and least PESQ-WB of the pieces; not a number without a judge.
    pesq: f64,
    least: f64,
    /// From being said to being heard, the median, packet and codec included.
    delay_ms: f64,
    /// Part that was made up, 0 to 1.
    concealed: f64,
    /// How alike the tenths of a second are to what was said, the mean.
    alike: f64,
}

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

/// Mean and least score.
fn score(folder: &Path, speech: &[f32], heard: &[f32], delay_ms: f64) -> (f64, f64) {
    let Ok(python) = std::env::var("BALIE_LAB_PYTHON") else { return (f64::NAN, f64::NAN) };
    let (said_file, heard_file) = (folder.join("said.wav"), folder.join("heard.wav"));
    write(&said_file, speech);
    write(&heard_file, heard);
    let output = Command::new(python)
        .args(["-c", SCORE])
        .args([&said_file, &heard_file])
        .arg(format!("{:.0}", delay_ms * 16.0))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn judge(folder: &Path, speech: &[f32], heard: &Heard) -> Figures {
    let places = places(speech, &heard.sound);
    let delay_ms = median(places.iter().map(|place| place.delay_ms).collect());
    let alike = places.iter().map(|place| place.likeness).sum::<f64>() / places.len() as f64;
    let (pesq, least) = score(folder, speech, &heard.sound, delay_ms);
    Figures { pesq, least, delay_ms, concealed: heard.concealed, alike }
}

/// What Opus must hold: the least PESQ and the longest delay in milliseconds, for losses at random.
fn floor(network: Network) -> Option<(f64, f64)> {
    if network.codec != CodecKind::Opus || network.bursts {
        return None;
    }
    let delay_ms = match (network.loss, network.jitter_ms) {
        (0, 0) => 30.0,
        (0, 20) => 50.0,
        (0, 60) => 105.0,
        // Redundancy comes with the packet after; codec and packet are in it.
        (_, jitter_ms) => f64::from(jitter_ms) + 70.0,
    };
    let pesq = match network.loss {
        0 => 4.0,
        5 => 3.3,
        10 => 2.9,
        _ => 2.2,
    };
    Some((pesq, delay_ms))
}

/// What is not as it must be.
fn faults(network: Network, own: Figures, fixed: Figures) -> Vec<String> {
    let mut faults = Vec::new();
    if own.pesq < fixed.pesq - NOISE {
        faults.push(format!("{:.2} below the fixed buffer", fixed.pesq - own.pesq));
    }
    if own.delay_ms > fixed.delay_ms {
        faults.push(format!("{:.0} ms later than the fixed buffer", own.delay_ms - fixed.delay_ms));
    }
    if let Some((pesq, delay_ms)) = floor(network) {
        if own.pesq < pesq {
            faults.push(format!("below {pesq}"));
        }
        if own.delay_ms > delay_ms {
            faults.push(format!("later than {delay_ms} ms"));
        }
    }
    faults
}

/// Measures one cell and prints its line; true when it is as it must be.
fn cell(folder: &Path, speech: &[f32], name: &str, network: Network) -> bool {
    let heard = adaptive(speech, network);
    let stretched =
        format!("{} (-{} +{} ms)", heard.stretches, heard.removed_ms, heard.inserted_ms);
    let own = judge(folder, speech, &heard);
    let fixed = judge(folder, speech, &fixed(speech, network));
    let shown = |figures: Figures| {
        let Figures { pesq, least, delay_ms, concealed, alike } = figures;
        format!("{pesq:5.2} ({least:4.2}) {delay_ms:6.1} ms {:6.2} % {alike:.3}", concealed * 100.0)
    };
    let faults = faults(network, own, fixed);
    println!(
        "{name:12} | {} | {stretched:17} | {} | {}",
        shown(own),
        shown(fixed),
        faults.join(", ")
    );
    faults.is_empty()
}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let folder = tempfile::tempdir().unwrap();
    let speech = speech(46);
    println!(
        "{:12} | {:37} | {:17} | {:37} |",
        "", "PESQ-WB (least), delay, made up, alike", "stretched", "fixed at 60 ms"
    );
    let mut good = true;
    for (name, codec) in CODECS {
        for loss in [0, 5, 10, 20] {
            for (jitter_ms, bursts) in
                [(0, false), (20, false), (60, false), (0, true), (20, true), (60, true)]
            {
                if bursts && loss == 0 {
                    continue;
                }
                let name = format!("{name}/{loss}{}/{jitter_ms}", if bursts { "b" } else { "" });
                if wanted.is_empty() || wanted.contains(&name) {
                    let network = Network { codec, loss, bursts, jitter_ms, ..Network::quiet() };
                    good &= cell(folder.path(), &speech, &name, network);
                }
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
