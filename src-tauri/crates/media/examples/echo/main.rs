//! How well the echo of the loudspeaker is taken out, in virtual time, beside WebRTC's own audio processing (the package
//! `livekit` of the Python that `BALIE_LAB_PYTHON` names) on the same microphone and the same loudspeaker: by how many
//! decibels the echo is softer (ERLE) while only the other side speaks, and what is left of one's own voice, in PESQ-WB,
//! while both do. `cargo xtask bench sound` runs it; `cargo run --release --example echo -p media` alone.
//!
//! Both are told what the devices hold, 20 ms less than the echo takes.
//!
//! The room answers for 0.3 s (RT60), the echo comes back 20 to 200 ms after the sound was given to the loudspeaker and
//! 10 dB below one's own voice; one's own voice is heard while the other side speaks every other three seconds, and while
//! it never stops. Ends with 1 when a floor is not held: 40 dB after five seconds, 20 dB in the first second of the echo,
//! PESQ with both speaking 0.1 below WebRTC's.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "audio lengths")]
#![expect(clippy::cast_sign_loss, reason = "places are not negative")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use audio::read_wav;
use media::resample::Decimator;
use media::{Processing, Processor};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

#[path = "../sound/judge.rs"]
mod judge;

use judge::{Judge, Scores};

const PEER: &str = include_str!("webrtc.py");
const RATE: usize = 48_000;
const BLOCK: usize = 480;
/// From giving sound to the loudspeaker to hearing it in the microphone.
const DELAYS_MS: [usize; 4] = [20, 60, 120, 200];
/// What of it no device tells: the way through the room and the hardware.
const BEYOND_DEVICES_MS: usize = 20;
/// While only the other side speaks, in seconds.
const ALONE: usize = 30;
/// How long the other side speaks and is silent in turn.
const TURN: usize = 3;
/// How long one speaks oneself, after [`LEARNING`].
const TALK: usize = 46;
const LEARNING: usize = 8;
/// Level of a voice, root mean square: -26 dBFS.
const VOICE: f32 = 0.05;
/// What is louder is no rounding: -60 dBFS.
const AUDIBLE: f32 = 0.001;
/// The echo, 10 dB softer.
const ECHO: f32 = VOICE * 0.316;
/// How long the room answers until 60 dB are gone, in seconds.
const ROOM: f32 = 0.3;

const CHAINS: [(&str, Processing); 2] = [
    ("echo", Processing { echo_cancelling: true, noise_suppression: false, gain_control: false }),
    (
        "echo noise",
        Processing { echo_cancelling: true, noise_suppression: true, gain_control: false },
    ),
];

fn level(sound: &[f32]) -> f32 {
    (sound.iter().map(|s| s * s).sum::<f32>() / sound.len().max(1) as f32).sqrt()
}

/// The test speech from some second on, `pitch` times as high and as fast, at the level of a voice.
fn voice(from: usize, pitch: f32, seconds: usize) -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../assets/speech/test-speech.wav");
    let once = read_wav(path.as_ref()).unwrap();
    let gain = VOICE / level(&once);
    let at = |n: usize| gain * once[(n + from * RATE) % once.len()];
    let shifted = |n: usize| {
        let place = n as f64 * f64::from(pitch);
        let (whole, part) = (place as usize, place.fract() as f32);
        at(whole) * (1.0 - part) + at(whole + 1) * part
    };
    (0..seconds * RATE).map(shifted).collect()
}

/// What the microphone hears of the loudspeaker after `delay_ms`, at the level of an echo.
fn echo(speaker: &[f32], delay_ms: usize) -> Vec<f32> {
    let mut seed = 7_u32;
    let mut dice = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as f32 / 32_768.0 - 1.0
    };
    let length = (ROOM * RATE as f32) as usize;
    // 6.9 is 60 dB in nepers.
    let tail =
        (0..length).map(|n| 0.05 * (-6.9 * n as f32 / length as f32).exp() * dice()).enumerate();
    let mut answer = vec![0.0; delay_ms * RATE / 1_000 + length];
    for (n, tap) in tail {
        answer[delay_ms * RATE / 1_000 + n] = if n == 0 { 1.0 } else { tap };
    }
    let heard = convolve(speaker, &answer);
    let gain = ECHO / level(&heard);
    heard.iter().map(|s| s * gain).collect()
}

fn convolve(sound: &[f32], answer: &[f32]) -> Vec<f32> {
    let size = (sound.len() + answer.len()).next_power_of_two();
    let mut planner = FftPlanner::new();
    let mut spectrum = |samples: &[f32]| {
        let mut spectrum: Vec<_> = samples.iter().map(|&re| Complex { re, im: 0.0 }).collect();
        spectrum.resize(size, Complex::default());
        planner.plan_fft_forward(size).process(&mut spectrum);
        spectrum
    };
    let (mut product, other) = (spectrum(sound), spectrum(answer));
    product.iter_mut().zip(&other).for_each(|(a, b)| *a *= b);
    planner.plan_fft_inverse(size).process(&mut product);
    product.iter().take(sound.len()).map(|value| value.re / size as f32).collect()
}

/// A microphone and a loudspeaker, as 16-bit samples.
struct Scene {
    microphone: Vec<f32>,
    speaker: Vec<f32>,
    /// What the devices hold of the delay, in milliseconds.
    devices_ms: usize,
}

fn quantised(sound: &[f32]) -> Vec<f32> {
    sound.iter().map(|s| (s * 32_768.0).round().clamp(-32_768.0, 32_767.0) / 32_768.0).collect()
}

impl Scene {
    fn new(speaker: &[f32], delay_ms: usize, own: &[f32]) -> Self {
        let speaker = quantised(speaker);
        let mut microphone = echo(&speaker, delay_ms);
        for (to, from) in microphone.iter_mut().skip(LEARNING * RATE).zip(own) {
            *to += from;
        }
        let devices_ms = delay_ms.saturating_sub(BEYOND_DEVICES_MS);
        Self { microphone: quantised(&microphone), speaker, devices_ms }
    }

    fn through_ours(&self, wanted: Processing) -> Vec<f32> {
        let mut chain = Processor::default();
        chain.set(wanted);
        chain.set_device_delay(Some(Duration::from_millis(self.devices_ms as u64)));
        let mut out = Vec::with_capacity(self.microphone.len());
        for (heard, played) in
            self.microphone.chunks_exact(BLOCK).zip(self.speaker.chunks_exact(BLOCK))
        {
            let mut block: [f32; BLOCK] = heard.try_into().unwrap();
            chain.clean(&mut block);
            chain.played(played.try_into().unwrap());
            out.extend_from_slice(&block);
        }
        out
    }

    /// None without WebRTC.
    fn through_theirs(&self, folder: &Path, words: &str) -> Option<Vec<f32>> {
        let python = std::env::var_os("BALIE_LAB_PYTHON")?;
        let path = |name: &str| folder.join(name);
        std::fs::write(path("webrtc.py"), PEER).unwrap();
        write(&path("microphone.wav"), 48_000, &self.microphone);
        write(&path("speaker.wav"), 48_000, &self.speaker);
        let status = Command::new(python)
            .arg(path("webrtc.py"))
            .args([path("microphone.wav"), path("speaker.wav"), path("out.wav")])
            .arg(self.devices_ms.to_string())
            .args(words.split(' '))
            .status()
            .unwrap();
        assert!(status.success(), "WebRTC: {status}");
        Some(read_wav(&path("out.wav")).unwrap())
    }

    /// By how many decibels the microphone is softer between two moments, in seconds after the echo began.
    fn softer(&self, out: &[f32], from: usize, to: usize) -> f32 {
        let begin = self.microphone.iter().position(|s| s.abs() > AUDIBLE).unwrap_or_default();
        let at = |seconds: usize| (begin + seconds * RATE).min(out.len());
        let range = at(from)..at(to);
        20.0 * (level(&self.microphone[range.clone()]) / level(&out[range]).max(1e-9)).log10()
    }
}

fn write(path: &Path, rate: u32, sound: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut thin = Vec::new();
    Decimator::new(rate).unwrap().process(sound, &mut thin);
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in thin {
        writer.write_sample((sample * 32_767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// What one chain did in the three scenes.
struct Figures {
    /// In the first second, until the fifth, and after.
    erle: [f32; 3],
    /// One's own voice while the other side speaks in turns, and all the time.
    turns: Scores,
    both: Scores,
}

/// What the microphone hears in the three scenes.
struct Scenes {
    alone: Scene,
    turns: Scene,
    both: Scene,
}

struct Bench {
    folder: PathBuf,
    said: PathBuf,
    judge: Option<Judge>,
}

impl Bench {
    /// What comes of the scenes through one chain; `None` when there is no such chain.
    fn figures(
        &mut self,
        scenes: &Scenes,
        through: impl Fn(&Scene, &Path) -> Option<Vec<f32>>,
    ) -> Option<Figures> {
        let alone = through(&scenes.alone, &self.folder)?;
        let turns = through(&scenes.turns, &self.folder)?;
        let both = through(&scenes.both, &self.folder)?;
        let softer = |from, to| scenes.alone.softer(&alone, from, to);
        let erle = [softer(0, 1), softer(1, 5), softer(5, ALONE)];
        Some(Figures { erle, turns: self.score(&turns), both: self.score(&both) })
    }

    fn score(&mut self, out: &[f32]) -> Scores {
        let path = self.folder.join("judged.wav");
        write(&path, 16_000, &out[LEARNING * RATE..]);
        self.judge.as_mut().map_or(Scores::UNKNOWN, |judge| {
            judge.ask(&self.said, &path, 0);
            judge.answer()
        })
    }
}

fn row(name: &str, figures: &Figures, faults: &[String]) {
    let [first, early, steady] = figures.erle;
    let shown = |Scores { pesq, least, plcmos }| format!("{pesq:4.2} ({least:4.2}) {plcmos:4.2}");
    println!(
        "{name:26} | {first:5.1} {early:5.1} {steady:5.1} dB | {} | {} | {}",
        shown(figures.turns),
        shown(figures.both),
        faults.join(", ")
    );
}

/// What is not as it must be.
fn faults(ours: &Figures, theirs: Option<&Figures>) -> Vec<String> {
    let [first, _, steady] = ours.erle;
    let mut faults = Vec::new();
    if first < 20.0 {
        faults.push("below 20 dB in the first second".to_owned());
    }
    if steady < 40.0 {
        faults.push("below 40 dB".to_owned());
    }
    for voice in [|figures: &Figures| figures.turns.pesq, |figures: &Figures| figures.both.pesq] {
        let behind = theirs.map_or(0.0, |theirs| voice(theirs) - voice(ours));
        if behind > 0.1 {
            faults.push(format!("{behind:.2} below WebRTC with both speaking"));
        }
    }
    faults
}

fn main() -> ExitCode {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().to_path_buf();
    // Another voice than one's own.
    let far = voice(7, 1.2, LEARNING + TALK);
    let near = voice(0, 1.0, TALK);
    let said = folder.join("said.wav");
    write(&said, 16_000, &near);
    let judge = Judge::start(&folder);
    let mut bench = Bench { folder, said, judge };
    println!(
        "{:26} | {:20} | {:16} | {:16} |",
        "", "ERLE 0-1, 1-5, 5- s", "in turns: PESQ", "both: PESQ-WB"
    );
    let mut good = true;
    for delay_ms in DELAYS_MS {
        let silences = (0..far.len()).map(|n| n / (TURN * RATE) % 2 == 1);
        let in_turns: Vec<f32> =
            far.iter().zip(silences).map(|(s, silent)| if silent { 0.0 } else { *s }).collect();
        let scenes = Scenes {
            alone: Scene::new(far.get(..ALONE * RATE).unwrap(), delay_ms, &[]),
            turns: Scene::new(&in_turns, delay_ms, &near),
            both: Scene::new(&far, delay_ms, &near),
        };
        for (words, wanted) in CHAINS {
            let theirs =
                bench.figures(&scenes, |scene, folder| scene.through_theirs(folder, words));
            let ours = bench.figures(&scenes, |scene, _| Some(scene.through_ours(wanted))).unwrap();
            let faults = faults(&ours, theirs.as_ref());
            row(&format!("{delay_ms} ms, {words}, ours"), &ours, &faults);
            if let Some(theirs) = theirs {
                row(&format!("{delay_ms} ms, {words}, WebRTC"), &theirs, &[]);
            }
            good &= faults.is_empty();
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
