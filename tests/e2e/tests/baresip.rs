//! Balie and baresip call each other through Asterisk, and both hear what the other says.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie};
use e2e::baresip::{Baresip, Settings};
use e2e::sound::{Signal, likeness};
use e2e::{PHONES, SERVER, pause, speech};
use serde_json::json;
use tempfile::{TempDir, tempdir};

fn baresip(folder: &TempDir) -> Result<Baresip> {
    let microphone = folder.path().join("baresip-says.wav");
    // baresip's file source wants the rate that it works at.
    Signal::read(&speech())?.raised_to(48_000)?.repeated(6).write(&microphone)?;
    let settings = Settings {
        user: "110".to_owned(),
        password: asterisk::PASSWORD.to_owned(),
        server: format!("{SERVER}:{}", asterisk::PORT),
        sip_port: 5080,
        control_port: 4444,
        microphone,
        codecs: "opus/48000/2,G722/16000/1,PCMA/8000/1,PCMU/8000/1".to_owned(),
        encryption: String::new(),
    };
    Baresip::start(&settings, folder.path())
}

fn balie(folder: &TempDir) -> Result<(Balie, std::path::PathBuf)> {
    let server = format!("{SERVER}:{}", asterisk::PORT);
    let config = Account::new("101", asterisk::PASSWORD, &server).write(folder.path(), PHONES)?;
    let heard = folder.path().join("balie-heard.wav");
    let audio = format!("wav:{},{},loop", speech().display(), heard.display());
    let mut balie = Balie::start(&config, &audio)?;
    balie.registered()?;
    Ok((balie, heard))
}

fn both_heard(folder: &TempDir, baresip: &Baresip, heard: &std::path::Path) -> Result<()> {
    let sent = Signal::read(&speech())?;
    let here = likeness(&sent, &Signal::read(heard)?, 0.4)?;
    ensure!(here > 0.9, "we heard something else: {here}");
    let recording = baresip.heard().context("baresip recorded nothing")?;
    let there = likeness(&sent, &Signal::read(&recording)?, 0.4)?;
    ensure!(there > 0.9, "baresip heard something else: {there} ({})", folder.path().display());
    Ok(())
}

#[test]
fn balie_calls_baresip() -> Result<()> {
    let folder = tempdir()?;
    let _asterisk = Asterisk::start(folder.path())?;
    let mut baresip = baresip(&folder)?;
    let (mut balie, heard) = balie(&folder)?;
    let call = balie.begin("110")?;
    baresip.event("CALL_INCOMING")?;
    balie.call_state(&call, "ringing")?;
    baresip.command("accept", "")?;
    balie.call_state(&call, "active")?;
    pause(Duration::from_secs_f64(Signal::read(&speech())?.seconds() + 4.0));
    balie.hangup(&call)?;
    baresip.event("CALL_CLOSED")?;
    balie.quit()?;
    both_heard(&folder, &baresip, &heard)
}

#[test]
fn baresip_calls_balie() -> Result<()> {
    let folder = tempdir()?;
    let _asterisk = Asterisk::start(folder.path())?;
    let mut baresip = baresip(&folder)?;
    let (mut balie, heard) = balie(&folder)?;
    baresip.command("dial", "101")?;
    let call = balie.ringing()?;
    balie.request("call.answer", &json!({"call": call}))?;
    balie.call_state(&call, "active")?;
    baresip.event("CALL_ESTABLISHED")?;
    pause(Duration::from_secs_f64(Signal::read(&speech())?.seconds() + 4.0));
    baresip.command("hangup", "")?;
    balie.call_state(&call, "ended")?;
    balie.quit()?;
    both_heard(&folder, &baresip, &heard)
}
