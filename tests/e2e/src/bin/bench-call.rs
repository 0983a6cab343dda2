//! One call's cost, beside baresip, interleaved in one run against the same Asterisk: set-up time by packet capture,
//! processor time and memory by the kernel. Both read their microphone from the same file.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie};
use e2e::baresip::{Baresip, Settings};
use e2e::measure::{Usage, median, usage};
use e2e::process::Process;
use e2e::sound::Signal;
use e2e::{PHONES, SERVER, pause, speech};
use tempfile::tempdir;

const ROUNDS: usize = 3;
const IDLE: Duration = Duration::from_secs(4);
const TALK: Duration = Duration::from_secs(10);

/// What one round of one program gave.
struct Round {
    to_answer_ms: f64,
    to_own_rtp_ms: f64,
    to_their_rtp_ms: f64,
    idle: Usage,
    talking: Usage,
    idle_cpu: f64,
    talk_cpu: f64,
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> Result<()> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start(folder.path())?;
    let microphone = folder.path().join("microphone.wav");
    Signal::read(&speech())?.raised_to(48_000)?.repeated(6).write(&microphone)?;
    say(
        "medians of 3 interleaved rounds; processor in % of one core, over 4 s idle and 10 s of call",
    );
    say(
        "codec program  INVITE-200 ms  own RTP ms  their RTP ms  idle RSS/PSS MB  call RSS/PSS MB  idle %  call %",
    );
    for codec in ["opus", "pcma"] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(round_of_balie(folder.path(), &microphone, codec)?);
            theirs.push(round_of_baresip(folder.path(), &microphone, codec)?);
        }
        say(&row(codec, "balie", &ours));
        say(&row(codec, "baresip", &theirs));
    }
    drop(asterisk);
    Ok(())
}

fn row(codec: &str, program: &str, rounds: &[Round]) -> String {
    let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
    let mb = |kib: f64| kib / 1024.0;
    format!(
        "{codec:5} {program:7}  {:13.1}  {:10.1}  {:12.1}  {:8.1}/{:<6.1}  {:8.1}/{:<6.1}  {:6.2}  {:6.2}",
        of(|round| round.to_answer_ms),
        of(|round| round.to_own_rtp_ms),
        of(|round| round.to_their_rtp_ms),
        mb(of(|round| round.idle.rss_kib as f64)),
        mb(of(|round| round.idle.pss_kib as f64)),
        mb(of(|round| round.talking.rss_kib as f64)),
        mb(of(|round| round.talking.pss_kib as f64)),
        of(|round| round.idle_cpu),
        of(|round| round.talk_cpu),
    )
}

fn round_of_balie(folder: &Path, microphone: &Path, codec: &str) -> Result<Round> {
    let account = Account::new("101", asterisk::PASSWORD, &format!("{SERVER}:{}", asterisk::PORT));
    let config = account.with_codec(codec).write(folder, PHONES)?;
    let out = folder.join("balie-heard.wav");
    let audio = format!("wav:{},{},loop", microphone.display(), out.display());
    let mut balie = Balie::start(&config, &audio)?;
    balie.registered()?;
    let id = balie.id();
    measure(folder, id, |talk| {
        let call = balie.dial(asterisk::ECHO)?;
        let result = talk()?;
        balie.hangup(&call)?;
        Ok(result)
    })
}

fn round_of_baresip(folder: &Path, microphone: &Path, codec: &str) -> Result<Round> {
    let settings = Settings {
        user: "110".to_owned(),
        password: asterisk::PASSWORD.to_owned(),
        server: format!("{SERVER}:{}", asterisk::PORT),
        sip_port: 5080,
        control_port: 4444,
        microphone: microphone.to_path_buf(),
        codecs: if codec == "opus" { "opus/48000/2" } else { "PCMA/8000/1" }.to_owned(),
        encryption: String::new(),
    };
    let mut baresip = Baresip::start(&settings, folder)?;
    let id = baresip.id();
    measure(folder, id, |talk| {
        baresip.command("dial", asterisk::ECHO)?;
        baresip.event("CALL_ESTABLISHED")?;
        let result = talk()?;
        baresip.command("hangup", "")?;
        Ok(result)
    })
}

type Talk<'a> = &'a dyn Fn() -> Result<(Usage, f64)>;

fn measure(
    folder: &Path,
    id: u32,
    call: impl FnOnce(Talk<'_>) -> Result<(Usage, f64)>,
) -> Result<Round> {
    let (idle, idle_cpu) = over(id, IDLE)?;
    let capture = folder.join("call.pcap");
    let mut command = Command::new("tshark");
    command.args(["-i", "lo", "-f", "udp", "-w"]).arg(&capture).arg("-q");
    let mut sniffer = Process::start("tshark", &mut command, folder)?;
    sniffer.wait_for("Capturing on", Duration::from_secs(15))?;
    pause(Duration::from_millis(700));
    let (talking, talk_cpu) = call(&|| over(id, TALK))?;
    pause(Duration::from_millis(500));
    sniffer.kill();
    let times = Times::read(&capture)?;
    Ok(Round {
        to_answer_ms: times.answer - times.invite,
        to_own_rtp_ms: times.own_rtp - times.invite,
        to_their_rtp_ms: times.their_rtp - times.invite,
        idle,
        talking,
        idle_cpu,
        talk_cpu,
    })
}

/// Memory at the end of a stretch and the processor's share during it, in per cent of one core.
fn over(id: u32, time: Duration) -> Result<(Usage, f64)> {
    let before = usage(id)?;
    pause(time);
    let after = usage(id)?;
    Ok((after, (after.cpu_seconds - before.cpu_seconds) / time.as_secs_f64() * 100.0))
}

/// Moments of the first call in a capture, milliseconds.
struct Times {
    invite: f64,
    answer: f64,
    own_rtp: f64,
    their_rtp: f64,
}

impl Times {
    fn read(capture: &Path) -> Result<Self> {
        let output = Command::new("tshark")
            .arg("-r")
            .arg(capture)
            .args(["-T", "fields", "-E", "separator=;"])
            .args(["-e", "frame.time_epoch", "-e", "sip.Method", "-e", "sip.Status-Code"])
            .args(["-e", "sip.CSeq.method", "-e", "udp.srcport", "-e", "udp.dstport"])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(';').collect()).collect();
        let first = |what: &str, fits: &dyn Fn(&[&str]) -> bool| -> Result<f64> {
            let row = rows.iter().find(|row| row.len() == 6 && fits(row));
            let time = row.and_then(|row| row.first()?.parse::<f64>().ok());
            time.map(|seconds| seconds * 1000.0)
                .with_context(|| format!("no {what} in the capture"))
        };
        // Asterisk's RTP ports are 30000 to 30999 (laboratory's rtp.conf).
        let is_theirs =
            |port: &str| port.parse::<u16>().is_ok_and(|port| (30_000..31_000).contains(&port));
        let even = |port: &str| port.parse::<u16>().is_ok_and(|port| port % 2 == 0);
        Ok(Self {
            invite: first("INVITE", &|row| row[1] == "INVITE")?,
            answer: first("200", &|row| row[2] == "200" && row[3] == "INVITE")?,
            own_rtp: first("RTP of ours", &|row| is_theirs(row[5]) && even(row[5]))?,
            their_rtp: first("RTP of theirs", &|row| is_theirs(row[4]) && even(row[4]))?,
        })
    }
}
