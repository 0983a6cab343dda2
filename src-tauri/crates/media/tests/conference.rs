//! A conference mixed here with ten others, each with a tone of its own: every one hears all but himself, as wide as his
//! own codec goes; and the user hears all and is heard by all.

#![expect(clippy::unwrap_used, reason = "a test program")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use audio::read_wav;
use media::{
    AudioSpec, Engine, EngineConfig, Events, Recording, RecordingFormat, RecordingMark, StreamId,
};
use sdp::{CodecKind, Negotiated};

mod agreement;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The others' tones, in hertz, none of them a harmonic of another.
const TONES: [f64; 10] = [440., 550., 670., 790., 910., 1030., 1170., 1310., 1450., 1610.];
/// The user's own.
const OWN: f64 = 1790.0;
/// What tells that a call is recorded.
const MARK: f64 = 1_400.0;
/// A second tone of the first, above what the telephone network carries.
const HIGH: f64 = 6_000.0;
const CODECS: [CodecKind; 10] = [
    CodecKind::Opus,
    CodecKind::Opus,
    CodecKind::G722,
    CodecKind::G722,
    CodecKind::Pcma,
    CodecKind::Pcma,
    CodecKind::Pcma,
    CodecKind::Pcma,
    CodecKind::Pcmu,
    CodecKind::Pcmu,
];

fn pause(ms: u64) {
    let (_keep, never) = channel::<()>();
    let _ = never.recv_timeout(Duration::from_millis(ms));
}

fn write_tones(path: &Path, tones: &[f64]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..48_000 {
        let at = |hz: &f64| (f64::from(n) / 48_000.0 * hz * std::f64::consts::TAU).sin();
        let sum: f64 = tones.iter().map(at).sum();
        writer.write_sample((sum * 0.05 * 32_767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// How loud a tone is in each tenth of a second of a sound, as an amplitude, softest first.
fn amplitudes(sound: &[f32], hz: f64) -> Vec<f64> {
    let of = |piece: &[f32]| {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (n, sample) in piece.iter().enumerate() {
            let turn = n as f64 / 48_000.0 * hz * std::f64::consts::TAU;
            // A window without edges, so that a neighbour is not taken for it.
            let window = 1.0 - (n as f64 / piece.len() as f64 * std::f64::consts::TAU).cos();
            real += f64::from(*sample) * window * turn.cos();
            imaginary += f64::from(*sample) * window * turn.sin();
        }
        2.0 * real.hypot(imaginary) / piece.len() as f64
    };
    let mut all: Vec<f64> = sound.chunks_exact(4_800).map(of).collect();
    all.sort_by(f64::total_cmp);
    all
}

/// How loud it is on the whole: a stretch in between turns the phase.
fn amplitude(sound: &[f32], hz: f64) -> f64 {
    let all = amplitudes(sound, hz);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn engine(input: &Path, output: PathBuf, first: u16) -> (Engine, Events) {
    let audio = AudioSpec::Wav { input: input.to_owned(), output, looped: true };
    let config = EngineConfig { audio, bind: HERE, rtp_ports: first..=first + 25 };
    Engine::start(config).unwrap()
}

fn agreed(kind: CodecKind, port: u16) -> Negotiated {
    agreement::plain(kind, SocketAddr::new(HERE, port))
}

/// Of the recording, with the tone.
fn all_are_told(dir: &Path) {
    for n in 0..CODECS.len() {
        let whole = read_wav(&dir.join(format!("heard-{n}.wav"))).unwrap();
        let mark = amplitudes(&whole, MARK).last().copied().unwrap_or_default();
        assert!(mark > 0.04, "{n} is not told of the recording: {mark}");
    }
}

#[test]
fn ten_others_hear_each_other_and_not_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: String| dir.path().join(name);
    write_tones(&file("own.wav".into()), &[OWN]);
    let (host, _host_events) =
        engine(&file("own.wav".into()), file("heard-own.wav".into()), 46_000);
    let mut others = Vec::new();
    let mut members: Vec<StreamId> = Vec::new();
    for (n, (tone, kind)) in TONES.into_iter().zip(CODECS).enumerate() {
        let tones = if n == 0 { vec![tone, HIGH] } else { vec![tone] };
        write_tones(&file(format!("{n}.wav")), &tones);
        let first = 46_100 + 26 * u16::try_from(n).unwrap();
        let (other, events) =
            engine(&file(format!("{n}.wav")), file(format!("heard-{n}.wav")), first);
        let (stream, port, _) = host.open(HERE).unwrap();
        let (their_stream, their_port, _) = other.open(HERE).unwrap();
        other.configure(their_stream, agreed(kind, port)).unwrap();
        host.configure(stream, agreed(kind, their_port)).unwrap();
        members.push(stream);
        others.push((other, events));
    }
    // The first is recorded, and so is everybody whom he hears; the last comes when that has begun.
    host.set_conference(&members[..9]);
    pause(1_500);
    let (path, format) = (file("recording.wav".into()), RecordingFormat::Wav);
    let recording = Recording { path, format, mark: RecordingMark::Tone };
    host.record(members[0], Some(&recording)).unwrap();
    pause(1_500);
    host.set_conference(&members);
    pause(6_000);
    drop(others);
    drop(host);
    // The last seconds: all are there, and the buffers have settled.
    let heard = |name: String| {
        let sound = read_wav(&file(name)).unwrap();
        sound[sound.len() - 3 * 48_000..sound.len() - 24_000].to_vec()
    };
    all_are_told(dir.path());
    let host_hears = heard("heard-own.wav".into());
    for (n, tone) in TONES.into_iter().enumerate() {
        let level = amplitude(&host_hears, tone);
        assert!(level > 0.02, "the user hears {n} by {level}");
    }
    let itself = amplitude(&host_hears, OWN);
    assert!(itself < 0.004, "the user hears himself by {itself}");
    for (n, kind) in CODECS.into_iter().enumerate() {
        let sound = heard(format!("heard-{n}.wav"));
        let levels: Vec<f64> = TONES.iter().map(|tone| amplitude(&sound, *tone)).collect();
        println!("{n} ({kind:?}): {levels:.4?}, the user {:.4}", amplitude(&sound, OWN));
        for (m, level) in levels.iter().enumerate() {
            match m == n {
                true => assert!(*level < 0.004, "{n} hears himself by {level}"),
                false => assert!(*level > 0.02, "{n} hears {m} by {level}"),
            }
        }
        let user = amplitude(&sound, OWN);
        assert!(user > 0.02, "{n} hears the user by {user}");
    }
    // As wide as each codec goes: the first has a tone that only wide ones carry.
    for (n, kind) in CODECS.into_iter().enumerate().skip(1) {
        let level = amplitude(&heard(format!("heard-{n}.wav")), HIGH);
        let wide = matches!(kind, CodecKind::Opus | CodecKind::G722);
        assert_eq!(level > 0.01, wide, "{n} ({kind:?}) hears the high tone by {level}");
    }
}
