//! The long proofs: every codec's sound through Asterisk judged by correlation and PESQ against the same codec
//! offline, and a hundred calls in a row without a leak. Prints a table; ends with an error when a proof fails.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie};
use e2e::measure::{Usage, usage};
use e2e::sound::{RATE, Signal, find, likeness, pesq};
use e2e::{PHONES, SERVER, pause, speech};
use sdp::CodecKind;
use tempfile::{TempDir, tempdir};

const CODECS: &[(&str, CodecKind)] = &[
    ("opus", CodecKind::Opus),
    ("g722", CodecKind::G722),
    ("pcma", CodecKind::Pcma),
    ("pcmu", CodecKind::Pcmu),
];
const CALLS: usize = 100;

fn main() -> Result<()> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start(folder.path())?;
    let mut failures = sound(&folder)?;
    failures.extend(hundred_calls(&folder, &asterisk)?);
    ensure!(failures.is_empty(), "not proved: {failures:#?}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn account() -> Account {
    Account::new("101", asterisk::PASSWORD, &format!("{SERVER}:{}", asterisk::PORT))
}

fn sound(folder: &TempDir) -> Result<Vec<String>> {
    let sent = Signal::read(&speech())?;
    let mut failures = Vec::new();
    say("codec  correlation  PESQ-wb through Asterisk  offline  difference");
    for (name, kind) in CODECS {
        let heard = call_echo(folder, name, &sent)?;
        let likeness = likeness(&sent, &heard, 0.4)?;
        let fit = find(&sent.at(RATE)?, &heard.at(RATE)?)?;
        let through = folder.path().join(format!("{name}-through.wav"));
        heard.cut(fit.at, sent.seconds()).at(sent.rate)?.write(&through)?;
        let offline = folder.path().join(format!("{name}-offline.wav"));
        sent.through(*kind)?.write(&offline)?;
        let (there, here) = (pesq(&speech(), &through)?, pesq(&speech(), &offline)?);
        say(&format!("{name:5}  {likeness:11.3}  {there:24.2}  {here:7.2}  {:10.2}", there - here));
        if likeness <= 0.9 {
            failures.push(format!("{name}: correlation {likeness:.3}"));
        }
        if there < here - 0.2 {
            failures.push(format!("{name}: PESQ {there:.2}, offline {here:.2}"));
        }
    }
    Ok(failures)
}

fn call_echo(folder: &TempDir, codec: &str, sent: &Signal) -> Result<Signal> {
    let out = folder.path().join(format!("{codec}.wav"));
    let config = account().with_codec(codec).write(folder.path(), PHONES)?;
    let audio = format!("wav:{},{},loop", speech().display(), out.display());
    let mut balie = Balie::start(&config, &audio)?;
    balie.registered()?;
    let call = balie.dial(asterisk::ECHO)?;
    // Twice through, so that one whole pass lies inside whatever the loop's phase is.
    pause(Duration::from_secs_f64(sent.seconds() * 2.0 + 2.0));
    balie.hangup(&call)?;
    balie.quit()?;
    Signal::read(&out)
}

fn hundred_calls(folder: &TempDir, asterisk: &Asterisk) -> Result<Vec<String>> {
    let config = account().write(folder.path(), PHONES)?;
    let mut balie = Balie::start(&config, "null")?;
    balie.registered()?;
    let mut marks = Vec::new();
    for number in 0..CALLS {
        let call = balie.dial(asterisk::ECHO)?;
        balie.event("call.media", |event| event["call"] == call && event["rx_active"] == true)?;
        balie.hangup(&call)?;
        if [9, CALLS / 2, CALLS - 1].contains(&number) {
            pause(Duration::from_secs(2));
            marks.push((number + 1, usage(balie.id())?));
        }
    }
    say("after calls  RSS KiB  threads  descriptors");
    for (calls, usage) in &marks {
        let Usage { rss_kib, threads, descriptors, .. } = usage;
        say(&format!("{calls:11}  {rss_kib:7}  {threads:7}  {descriptors:11}"));
    }
    say(&format!("{CALLS} of {CALLS} calls answered, {} left on Asterisk", asterisk.calls()?));
    let mut failures = Vec::new();
    // The first calls fill pools; a leak goes on growing after them.
    if let [_, (_, early), .., (_, late)] = marks.as_slice() {
        if late.threads > early.threads || late.descriptors > early.descriptors {
            failures.push(format!("threads or sockets grew: {early:?} -> {late:?}"));
        }
        if late.rss_kib > early.rss_kib + 2_048 {
            failures.push(format!("memory grew by {} KiB", late.rss_kib - early.rss_kib));
        }
    }
    balie.quit()?;
    Ok(failures)
}
