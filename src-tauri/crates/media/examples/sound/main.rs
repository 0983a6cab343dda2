//! What is heard of speech after a network that loses and delays, in virtual time: every codec, loss at random and in
//! bursts, jitter, through the jitter buffer and beside it through a buffer fixed at 60 ms (with redundancy and the codec's
//! concealment), scored with PESQ-WB and PLCMOS. `cargo xtask bench sound` runs it;
//! `cargo run --release --example sound -p media [codec/loss/jitter ...]` runs single cells, for instance `opus/5/20` or
//! `pcma/10b/60` (b: in bursts). `BALIE_LAB_PYTHON` names a Python with the packages `pesq` and `speechmos`; without it
//! there are no scores.
//!
//! Ends with 1 when a floor is not held: those that Opus has, and no cell worse than the fixed buffer by more than what one
//! measurement differs from the next, or later.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "audio lengths")]
#![expect(clippy::cast_sign_loss, reason = "delays are not negative")]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use media::resample::Decimator;
use sdp::CodecKind;

mod judge;
#[path = "../../tests/virtual_call/mod.rs"]
mod virtual_call;

use judge::{Judge, Scores};
use virtual_call::{Heard, Network, adaptive, fixed, median, places, speech};

/// What one score may lie below another without meaning anything.
const NOISE: f64 = 0.1;
/// Cells that the judges may have before them.
const AHEAD: usize = 2;
const CODECS: [(&str, CodecKind); 3] =
    [("opus", CodecKind::Opus), ("g722", CodecKind::G722), ("pcma", CodecKind::Pcma)];

/// How one way of listening came out.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Not numbers without a judge.
    scores: Scores,
    /// From being said to being heard, the median, packet and codec included.
    delay_ms: f64,
    /// Part that was made up, 0 to 1.
    concealed: f64,
    /// How alike the tenths of a second are to what was said, the mean.
    alike: f64,
}

impl Figures {
    fn shown(self) -> String {
        let Self { scores: Scores { pesq, least, plcmos }, delay_ms, concealed, alike } = self;
        let concealed = concealed * 100.0;
        format!(
            "{pesq:5.2} ({least:4.2}) {plcmos:5.2} {delay_ms:6.1} ms {concealed:6.2} % {alike:.3}"
        )
    }
}

/// Writes it as the judge wants it: 16 bit at 16 kHz.
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

/// One way of listening and who judges it.
struct Side {
    name: &'static str,
    judge: Option<Judge>,
}

impl Side {
    /// The figures but for the scores, which the judge works on meanwhile.
    fn measure(&mut self, course: &Course, heard: &Heard, cell: &str) -> Figures {
        let places = places(&course.speech, &heard.sound);
        let delay_ms = median(places.iter().map(|place| place.delay_ms).collect());
        let alike = places.iter().map(|place| place.likeness).sum::<f64>() / places.len() as f64;
        if let Some(judge) = &mut self.judge {
            let path = course.folder.join(format!("{}-{}.wav", self.name, cell.replace('/', "-")));
            write(&path, &heard.sound);
            judge.ask(&course.said, &path, (delay_ms * 16.0).round() as usize);
        }
        Figures { scores: Scores::UNKNOWN, delay_ms, concealed: heard.concealed, alike }
    }

    fn scored(&mut self, figures: Figures) -> Figures {
        let scores = self.judge.as_mut().map_or(Scores::UNKNOWN, Judge::answer);
        Figures { scores, ..figures }
    }
}

/// What every cell is measured with.
struct Course {
    speech: Vec<f32>,
    folder: PathBuf,
    said: PathBuf,
}

/// A cell that the judges work on.
struct Pending {
    name: String,
    network: Network,
    stretched: String,
    own: Figures,
    fixed: Figures,
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
        (_, jitter_ms) => f64::from(jitter_ms) + 60.0,
    };
    let pesq = match network.loss {
        0 => 4.0,
        1 => return None,
        5 => 3.3,
        10 => 2.9,
        _ => 2.2,
    };
    Some((pesq, delay_ms))
}

/// What is not as it must be.
fn faults(network: Network, own: Figures, fixed: Figures) -> Vec<String> {
    let mut faults = Vec::new();
    let behind = fixed.scores.pesq - own.scores.pesq;
    if behind > NOISE {
        faults.push(format!("{behind:.2} below the fixed buffer"));
    }
    if own.delay_ms > fixed.delay_ms {
        faults.push(format!("{:.0} ms later than the fixed buffer", own.delay_ms - fixed.delay_ms));
    }
    if let Some((pesq, delay_ms)) = floor(network) {
        if own.scores.pesq < pesq {
            faults.push(format!("below {pesq}"));
        }
        if own.delay_ms > delay_ms {
            faults.push(format!("later than {delay_ms} ms"));
        }
    }
    faults
}

/// The cells wanted (all, when none is named) and their networks.
fn cells(wanted: &[String]) -> Vec<(String, Network)> {
    const WAYS: [(u32, bool); 6] =
        [(0, false), (20, false), (60, false), (0, true), (20, true), (60, true)];
    let mut cells = Vec::new();
    for (codec_name, codec) in CODECS {
        for loss in [0, 1, 5, 10, 20] {
            for (jitter_ms, bursts) in WAYS.into_iter().filter(|(_, bursts)| loss > 0 || !bursts) {
                let mark = if bursts { "b" } else { "" };
                let name = format!("{codec_name}/{loss}{mark}/{jitter_ms}");
                let network = Network { codec, loss, bursts, jitter_ms, ..Network::quiet() };
                if wanted.is_empty() || wanted.contains(&name) {
                    cells.push((name, network));
                }
            }
        }
    }
    cells
}

/// Prints a cell's line; true when it is as it must be.
fn finish(pending: &Pending, own: &mut Side, fixed: &mut Side) -> bool {
    let (ours, theirs) = (own.scored(pending.own), fixed.scored(pending.fixed));
    let faults = faults(pending.network, ours, theirs);
    println!(
        "{:12} | {} | {:17} | {} | {}",
        pending.name,
        ours.shown(),
        pending.stretched,
        theirs.shown(),
        faults.join(", ")
    );
    faults.is_empty()
}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().to_path_buf();
    let course = Course { speech: speech(46), said: folder.join("said.wav"), folder };
    write(&course.said, &course.speech);
    let side = |name| Side { name, judge: Judge::start(&course.folder) };
    let (mut own, mut beside) = (side("own"), side("fixed"));
    println!(
        "{:12} | {:44} | {:17} | {:44} |",
        "", "PESQ-WB (least), PLCMOS, delay, made up, alike", "stretched", "fixed at 60 ms"
    );
    let (mut queue, mut good) = (VecDeque::new(), true);
    for (name, network) in cells(&wanted) {
        let heard = adaptive(&course.speech, network);
        let Heard { stretches, removed_ms, inserted_ms, .. } = heard;
        queue.push_back(Pending {
            stretched: format!("{stretches} (-{removed_ms} +{inserted_ms} ms)"),
            own: own.measure(&course, &heard, &name),
            fixed: beside.measure(&course, &fixed(&course.speech, network), &name),
            name,
            network,
        });
        if queue.len() > AHEAD
            && let Some(pending) = queue.pop_front()
        {
            good &= finish(&pending, &mut own, &mut beside);
        }
    }
    for pending in queue {
        good &= finish(&pending, &mut own, &mut beside);
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
