//! Balie against Asterisk 22: registration, calls both ways, every codec's sound, and what happens when things fail.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie};
use e2e::sound::{Signal, likeness};
use e2e::{PHONES, SERVER, pause, speech};
use serde_json::json;
use tempfile::{TempDir, tempdir};

fn server() -> String {
    format!("{SERVER}:{}", asterisk::PORT)
}

fn account(user: &str) -> Account {
    Account::new(user, asterisk::PASSWORD, &server())
}

fn start(account: &Account, folder: &TempDir) -> Result<Balie> {
    let config = account.write(folder.path(), PHONES)?;
    Balie::start(&config, "null")
}

#[test]
fn it_registers_over_udp_and_tcp_and_leaves_again() -> Result<()> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start(folder.path())?;
    for account in [account("101"), account("102").over_tcp()] {
        let mut balie = start(&account, &folder)?;
        balie.registered()?;
        let contacts = asterisk.console("pjsip show contacts")?;
        ensure!(contacts.contains(&format!("{}/sip:", account.user)), "no contact: {contacts}");
        ensure!(balie.quit()? == 0, "quit is an orderly end");
        let contacts = asterisk.console("pjsip show contacts")?;
        ensure!(
            !contacts.contains(&format!("{}/sip:", account.user)),
            "the registration is still there after quit: {contacts}"
        );
    }
    Ok(())
}

#[test]
fn every_codec_brings_the_same_speech_back() -> Result<()> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start(folder.path())?;
    let sent = Signal::read(&speech())?;
    for codec in ["opus", "g722", "pcma", "pcmu"] {
        let config = account("101").with_codec(codec).write(folder.path(), PHONES)?;
        let out = folder.path().join(format!("heard-{codec}.wav"));
        let audio = format!("wav:{},{},loop", speech().display(), out.display());
        let mut balie = Balie::start(&config, &audio)?;
        balie.registered()?;
        let call = balie.dial(asterisk::ECHO)?;
        pause(Duration::from_secs_f64(sent.seconds() + 4.0));
        let stats = balie.request("call.stats", &json!({"call": call}))?;
        balie.hangup(&call)?;
        balie.quit()?;
        let heard = Signal::read(&out)?;
        let likeness = likeness(&sent, &heard, 0.4)?;
        println!("{codec}: correlation {likeness:.3}, {stats}");
        let used = stats["codec"].as_str().unwrap_or_default().to_lowercase();
        ensure!(used.starts_with(codec), "asked for {codec}, used {used}");
        ensure!(likeness > 0.9, "{codec}: what came back resembles what was sent by {likeness}");
        ensure!(asterisk.calls()? == 0, "{codec}: Asterisk still holds a call");
    }
    Ok(())
}

#[test]
fn it_is_called_answers_holds_resumes_and_is_hung_up_on() -> Result<()> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start(folder.path())?;
    let mut balie = start(&account("101"), &folder)?;
    balie.registered()?;
    asterisk.ring("101")?;
    let call = balie.ringing()?;
    balie.request("call.answer", &json!({"call": call}))?;
    balie.call_state(&call, "active")?;
    balie.request("call.hold", &json!({"call": call}))?;
    balie.call_state(&call, "held")?;
    balie.request("call.resume", &json!({"call": call}))?;
    balie.call_state(&call, "active")?;
    balie.request("call.mute", &json!({"call": call, "on": true}))?;
    asterisk.console("channel request hangup all")?;
    balie.call_state(&call, "ended")?;
    ensure!(asterisk.calls()? == 0, "nothing is left on the server");
    Ok(())
}

#[test]
fn a_rejected_caller_hears_busy_and_a_caller_may_give_up() -> Result<()> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start(folder.path())?;
    let mut balie = start(&account("101"), &folder)?;
    balie.registered()?;
    let mut caller = start(&account("102"), &folder)?;
    caller.registered()?;

    let outgoing = caller.begin("101")?;
    let incoming = balie.ringing()?;
    balie.request("call.reject", &json!({"call": incoming}))?;
    let ended = caller.call_state(&outgoing, "ended")?;
    ensure!(ended["reason"] == "busy_here" || ended["reason"] == "declined", "{ended}");

    let outgoing = caller.begin("101")?;
    let incoming = balie.ringing()?;
    caller.hangup(&outgoing)?;
    balie.call_state(&incoming, "ended")?;
    ensure!(asterisk.calls()? == 0, "nothing is left on the server");
    Ok(())
}

#[test]
fn refusals_come_with_their_own_words() -> Result<()> {
    let folder = tempdir()?;
    let _asterisk = Asterisk::start(folder.path())?;
    let mut balie = start(&account("101"), &folder)?;
    balie.registered()?;
    for (number, reason) in [(asterisk::BUSY, "busy_here"), ("999", "not_found")] {
        let call = balie.begin(number)?;
        let ended = balie.call_state(&call, "ended")?;
        ensure!(ended["reason"] == reason, "{number}: {ended}");
    }
    let mut intruder = start(&Account::new("103", "fout", &server()), &folder)?;
    let failed = intruder.event("account.state", |event| event["state"] == "failed")?;
    ensure!(failed["reason"] == "auth_failed", "{failed}");
    Ok(())
}

#[test]
fn digits_arrive_once_and_in_order() -> Result<()> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start(folder.path())?;
    let mut balie = start(&account("101"), &folder)?;
    balie.registered()?;
    let call = balie.dial(asterisk::DIGITS)?;
    balie.event("call.media", |event| event["call"] == call)?;
    balie.request("call.dtmf", &json!({"call": call, "digits": "0123456789#"}))?;
    balie.call_state(&call, "ended")?;
    let globals = asterisk.console("dialplan show globals")?;
    ensure!(globals.contains("DIGITS=0123456789"), "{globals}");
    Ok(())
}

#[test]
fn tones_before_the_answer_are_heard() -> Result<()> {
    let folder = tempdir()?;
    let _asterisk = Asterisk::start(folder.path())?;
    let out = folder.path().join("early.wav");
    let config = account("101").write(folder.path(), PHONES)?;
    let audio = format!("wav:{},{}", speech().display(), out.display());
    let mut balie = Balie::start(&config, &audio)?;
    balie.registered()?;
    let call = balie.begin(asterisk::EARLY)?;
    balie.call_state(&call, "early")?;
    balie.event("call.media", |event| event["call"] == call && event["rx_active"] == true)?;
    balie.call_state(&call, "active")?;
    balie.hangup(&call)?;
    balie.quit()?;
    let heard = Signal::read(&out)?;
    ensure!(heard.level() > 0.001, "the tone before the answer was not played: {}", heard.level());
    Ok(())
}

#[test]
fn the_server_may_die_in_mid_call_and_come_back() -> Result<()> {
    let folder = tempdir()?;
    let mut asterisk = Asterisk::start(folder.path())?;
    let mut short = account("101").over_tcp();
    short.codecs = vec!["pcma".to_owned()];
    let mut balie = start(&short, &folder)?;
    balie.registered()?;
    let call = balie.dial(asterisk::ECHO)?;
    asterisk.kill();
    balie.event_within("account.state", Duration::from_secs(40), |event| {
        event["state"] == "unreachable"
    })?;
    asterisk.restart()?;
    balie.event_within("account.state", Duration::from_secs(60), |event| {
        event["state"] == "registered"
    })?;
    balie.hangup(&call)?;
    let call = balie.dial(asterisk::ECHO)?;
    balie.hangup(&call)
}
