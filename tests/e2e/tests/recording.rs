//! Calls recorded on this machine: off unless somebody has decided otherwise, told to the other side, both sides in one file;
//! and a microphone that gives no sound, which is told while it is so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::balie::{Account, Balie};
use e2e::embedded::Embedded;
use e2e::sound::{Signal, likeness};
use e2e::{pause, speech};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

const LOOPBACK: &str = "127.0.0.1";
/// The sign that a call is recorded.
const MARK_HZ: f64 = 1_400.0;

fn start(account: &Account, folder: &TempDir, audio: &str) -> Result<Balie> {
    let mut balie = Balie::start(&account.write(folder.path(), LOOPBACK)?, audio)?;
    balie.registered()?;
    Ok(balie)
}

/// The loudest fifth of a second of the sign in a sound: no voice holds a pitch that long.
fn mark(sound: &Signal) -> f64 {
    let rate = f64::from(sound.rate);
    let piece = (rate / 5.0) as usize;
    let level = |samples: &[f32]| {
        let turn = |n: usize| n as f64 / rate * MARK_HZ * std::f64::consts::TAU;
        let real: f64 =
            samples.iter().enumerate().map(|(n, s)| f64::from(*s) * turn(n).cos()).sum();
        let other: f64 =
            samples.iter().enumerate().map(|(n, s)| f64::from(*s) * turn(n).sin()).sum();
        2.0 * real.hypot(other) / samples.len() as f64
    };
    sound.samples.chunks_exact(piece).map(level).fold(0.0, f64::max)
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// One side of a recording.
fn side(path: &Path, which: usize) -> Result<Signal> {
    let reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    ensure!(spec.channels == 2, "{spec:?}");
    let samples = reader.into_samples::<i16>().skip(which).step_by(2);
    let samples = samples.map(|s| s.map(|s| f32::from(s) / 32_768.0)).collect::<Result<_, _>>()?;
    Ok(Signal { rate: spec.sample_rate, samples })
}

/// The reception calls a colleague, who says something else.
struct Call {
    reception: Balie,
    colleague: Balie,
    id: Value,
    heard: PathBuf,
    other: Signal,
}

fn call(pbx: &Embedded, folder: &TempDir, more: &str) -> Result<Call> {
    let forward = Signal::read(&speech())?;
    let mut samples = forward.samples.clone();
    samples.reverse();
    let other = Signal { rate: forward.rate, samples };
    let path = |name: &str| folder.path().join(name);
    other.write(&path("other.wav"))?;
    let audio =
        |says: &Path, hears: &str| format!("wav:{},{},loop", says.display(), path(hears).display());
    let account = pbx.account("101")?.with(more);
    let mut reception = start(&account, folder, &audio(&speech(), "reception.wav"))?;
    let mut colleague =
        start(&pbx.account("102")?, folder, &audio(&path("other.wav"), "colleague.wav"))?;
    let id = reception.begin("102")?;
    let ringing = colleague.ringing()?;
    colleague.request("call.answer", &json!({"call": ringing}))?;
    reception.call_state(&id, "active")?;
    Ok(Call { reception, colleague, id, heard: path("colleague.wav"), other })
}

#[test]
fn both_sides_stand_in_the_recording_and_the_other_side_is_told() -> Result<()> {
    let (pbx, folder) = (Embedded::start()?, tempdir()?);
    let kept = folder.path().join("kept");
    let more = format!("[recording]\nenabled = true\nformat = \"wav\"\nfolder = {kept:?}");
    let Call { mut reception, colleague, id, heard, other } = call(&pbx, &folder, &more)?;
    let record = |balie: &mut Balie, what: &str| {
        balie.request("call.record", &json!({"call": id, "do": what}))
    };
    ensure!(recordings(&kept).is_empty(), "nothing is recorded unasked");
    record(&mut reception, "start")?;
    ensure!(record(&mut reception, "start").is_err(), "it is recorded already");
    let sent = Signal::read(&speech())?;
    pause(Duration::from_secs_f64(sent.seconds() + 3.0));
    record(&mut reception, "stop")?;
    pause(Duration::from_secs(1));
    reception.hangup(&id)?;
    reception.quit()?;
    colleague.quit()?;
    let files = recordings(&kept);
    ensure!(files.len() == 1, "{files:?}");
    let file = files.first().context("a file")?;
    let (ours, theirs) = (side(file, 0)?, side(file, 1)?);
    let (of_us, of_them) = (likeness(&sent, &ours, 0.4)?, likeness(&other, &theirs, 0.4)?);
    println!("recorded: ours {of_us:.3}, theirs {of_them:.3}, {:.1} s", ours.seconds());
    ensure!(of_us > 0.9 && of_them > 0.9, "ours {of_us}, theirs {of_them}");
    let told = mark(&Signal::read(&heard)?);
    ensure!(told > 0.05, "the other side is told by a tone of {told}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(file)?.permissions().mode() & 0o777;
        ensure!(mode == 0o600, "others may read it: {mode:o}");
    }
    Ok(())
}

#[test]
fn a_recording_in_opus_ends_with_its_call() -> Result<()> {
    let (pbx, folder) = (Embedded::start()?, tempdir()?);
    let kept = folder.path().join("kept");
    let more = format!("[recording]\nenabled = true\nfolder = {kept:?}");
    let Call { mut reception, colleague, id, .. } = call(&pbx, &folder, &more)?;
    reception.request("call.record", &json!({"call": id, "do": "start"}))?;
    pause(Duration::from_secs(3));
    reception.hangup(&id)?;
    e2e::poll("the end of the file", Duration::from_secs(5), || {
        let file = recordings(&kept).into_iter().next()?;
        let bytes = std::fs::read(file).ok()?;
        let last = bytes.windows(4).rposition(|four| four == b"OggS")?;
        // The last page says so, and how many samples there are.
        let header = bytes.get(last..last + 14)?;
        let samples = u64::from_le_bytes(header.get(6..14)?.try_into().ok()?);
        (header.get(5)? & 4 != 0 && samples > 2 * 48_000).then_some(())
    })?;
    reception.quit()?;
    colleague.quit()?;
    Ok(())
}

#[test]
fn calls_are_not_recorded_unless_somebody_has_decided_otherwise() -> Result<()> {
    let (pbx, folder) = (Embedded::start()?, tempdir()?);
    let Call { mut reception, colleague, id, heard, .. } = call(&pbx, &folder, "")?;
    ensure!(reception.request("call.record", &json!({"call": id, "do": "start"})).is_err());
    pause(Duration::from_secs(2));
    reception.hangup(&id)?;
    reception.quit()?;
    colleague.quit()?;
    let told = mark(&Signal::read(&heard)?);
    ensure!(told < 0.03, "the other side hears a tone of {told}");
    Ok(())
}

#[test]
fn a_microphone_without_sound_is_told_of_while_it_is_so() -> Result<()> {
    let (pbx, folder) = (Embedded::start()?, tempdir()?);
    let speech = Signal::read(&speech())?;
    // Three seconds of speech, six of nothing at all, speech again.
    let mut says = speech.cut(1.0, 3.0);
    says.samples.extend(vec![0.0; 6 * says.rate as usize]);
    says.samples.extend(speech.cut(1.0, 6.0).samples);
    says.write(&folder.path().join("says.wav"))?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let audio = format!("wav:{},{}", path("says.wav"), path("hears.wav"));
    let mut balie = start(&pbx.account("101")?, &folder, &audio)?;
    let call = balie.dial(&pbx.number("echo")?)?;
    balie.event("error", |event| event["code"] == "microphone_silent")?;
    let problem = |balie: &mut Balie| {
        let view = balie.request("view.get", &json!({})).ok()?;
        Some(view["audio"]["problem"].clone())
    };
    ensure!(problem(&mut balie) == Some(json!("microphone_silent")), "the view does not tell");
    e2e::poll("its end", Duration::from_secs(10), || {
        (problem(&mut balie)? != json!("microphone_silent")).then_some(())
    })?;
    balie.hangup(&call)?;
    balie.quit()?;
    Ok(())
}
