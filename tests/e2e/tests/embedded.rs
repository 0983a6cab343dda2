//! The headless program against the embedded exchange, on loopback: what a person does on the first day.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::balie::{Account, Balie, program};
use e2e::embedded::Embedded;
use e2e::sound::{Signal, likeness};
use e2e::{pause, speech};
use serde_json::json;
use tempfile::{TempDir, tempdir};

const LOOPBACK: &str = "127.0.0.1";

fn start(account: &Account, folder: &TempDir, audio: &str) -> Result<Balie> {
    Balie::start(&account.write(folder.path(), LOOPBACK)?, audio)
}

#[test]
fn a_customer_rings_speaks_is_held_and_taken_back() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let out = folder.path().join("customer.wav");
    let audio = format!("wav:{},{},loop", speech().display(), out.display());
    let mut balie = start(&pbx.account("101")?, &folder, &audio)?;
    balie.registered()?;
    pbx.customer("101")?;
    let ringing = balie.event("call.state", |event| event["state"] == "ringing")?;
    let call = ringing["call"].clone();
    ensure!(ringing["peer"]["name"] == "Mevrouw De Vries", "{ringing}");
    balie.request("call.answer", &json!({"call": call}))?;
    balie.call_state(&call, "active")?;
    balie.event("call.media", |event| event["call"] == call && event["rx_active"] == true)?;
    pause(Duration::from_secs(2));
    balie.request("call.hold", &json!({"call": call}))?;
    balie.call_state(&call, "held")?;
    balie.request("call.resume", &json!({"call": call}))?;
    balie.call_state(&call, "active")?;
    balie.hangup(&call)?;
    ensure!(balie.quit()? == 0, "quit is an orderly end");
    let heard = Signal::read(&out)?;
    ensure!(heard.level() > 0.003, "the customer was not heard: {}", heard.level());
    Ok(())
}

#[test]
fn the_echo_line_brings_back_what_was_said() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let out = folder.path().join("echo.wav");
    let audio = format!("wav:{},{},loop", speech().display(), out.display());
    let mut balie = start(&pbx.account("101")?, &folder, &audio)?;
    balie.registered()?;
    let call = balie.dial(&pbx.number("echo")?)?;
    let sent = Signal::read(&speech())?;
    pause(Duration::from_secs_f64(sent.seconds() * 2.0 + 4.0));
    balie.hangup(&call)?;
    balie.quit()?;
    let likeness = likeness(&sent, &Signal::read(&out)?, 0.4)?;
    ensure!(likeness > 0.9, "the echo resembles what was said by {likeness}");
    Ok(())
}

#[test]
fn colleagues_call_each_other_over_udp_and_tcp() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let mut reception = start(&pbx.account("101")?, &folder, "null")?;
    let mut colleague = start(&pbx.account("102")?.over_tcp(), &folder, "null")?;
    reception.registered()?;
    colleague.registered()?;
    let outgoing = reception.begin("102")?;
    let incoming = colleague.ringing()?;
    colleague.request("call.answer", &json!({"call": incoming}))?;
    reception.call_state(&outgoing, "active")?;
    reception
        .event("call.media", |event| event["call"] == outgoing && event["rx_active"] == true)?;
    colleague.request("call.hold", &json!({"call": incoming}))?;
    reception.call_state(&outgoing, "held_by_peer")?;
    colleague.request("call.resume", &json!({"call": incoming}))?;
    reception.call_state(&outgoing, "active")?;
    reception.request("call.dtmf", &json!({"call": outgoing, "digits": "42#"}))?;
    for digit in ["4", "2", "#"] {
        colleague.event("call.dtmf", |event| event["digit"] == digit)?;
    }
    colleague.hangup(&incoming)?;
    reception.call_state(&outgoing, "ended")?;
    Ok(())
}

#[test]
fn each_refusal_has_its_own_word() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let mut balie = start(&pbx.account("101")?, &folder, "null")?;
    balie.registered()?;
    for (kind, reason) in [("busy", "busy_here"), ("declines", "declined")] {
        let call = balie.begin(&pbx.number(kind)?)?;
        let ended = balie.call_state(&call, "ended")?;
        ensure!(ended["reason"] == reason, "{kind}: {ended}");
    }
    let call = balie.begin("999")?;
    let ended = balie.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "not_found", "{ended}");
    let call = balie.begin(&pbx.number("no_answer")?)?;
    balie.call_state(&call, "ringing")?;
    balie.hangup(&call)
}

#[test]
fn trouble_is_told_and_the_program_goes_on() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let mut wrong = pbx.account("102")?;
    wrong.password = "fout".to_owned();
    let mut balie = start(&wrong, &folder, "null")?;
    let failed = balie.event("account.state", |event| event["state"] == "failed")?;
    ensure!(failed["reason"] == "auth_failed", "{failed}");
    balie.send_line("this is no JSON")?;
    balie
        .wait("an error", Duration::from_secs(5), |line| line["error"]["code"] == "bad_request")?;
    let unknown = balie.request("no.such.command", &json!({}));
    ensure!(unknown.is_err_and(|error| error.to_string().contains("unknown_command")), "unknown");
    let gone = balie.request("call.hangup", &json!({"call": 999_999}));
    ensure!(gone.is_err_and(|error| error.to_string().contains("unknown_call")), "no such call");
    ensure!(balie.quit()? == 0, "quit is an orderly end");

    let mut nowhere = pbx.account("103")?;
    nowhere.server = "no-such-host.invalid:5060".to_owned();
    let mut balie = start(&nowhere, &folder, "none")?;
    let failed = balie.event("account.state", |event| event["state"] == "unreachable")?;
    ensure!(failed["reason"] == "dns_failure", "{failed}");
    Ok(())
}

#[test]
fn the_exchange_restarts_in_mid_call_and_we_are_back() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let mut balie = start(&pbx.account("101")?, &folder, "null")?;
    balie.registered()?;
    let call = balie.dial(&pbx.number("music")?)?;
    pbx.control(&json!({"cmd": "restart"}))?;
    balie.request("account.register", &json!({"account": "main"}))?;
    balie.registered()?;
    let _ = balie.request("call.hangup", &json!({"call": call}));
    balie.call_state(&call, "ended")?;
    let call = balie.dial(&pbx.number("music")?)?;
    balie.hangup(&call)
}

#[test]
fn one_shot_commands_end_with_the_documented_codes() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let config = pbx.account("101")?.write(folder.path(), LOOPBACK)?;
    let run = |arguments: &[&str]| -> Result<std::process::Output> {
        Ok(std::process::Command::new(program()?)
            .args(arguments)
            .arg("--config")
            .arg(&config)
            .output()?)
    };
    let echo = pbx.number("echo")?;
    let good = run(&["call", "--to", &echo, "--seconds", "2", "--audio", "null", "--json"])?;
    ensure!(good.status.code() == Some(0), "{}", String::from_utf8_lossy(&good.stdout));
    let busy = run(&["call", "--to", &pbx.number("busy")?, "--audio", "null", "--json"])?;
    ensure!(busy.status.code() == Some(1), "a call that is not answered ends with 1");
    ensure!(String::from_utf8_lossy(&busy.stdout).contains("busy_here"), "and says why");
    std::fs::write(&config, "[[account]]\nid = 7\n")?;
    let broken = run(&["run"])?;
    ensure!(broken.status.code() == Some(2), "an unreadable config ends with 2");
    Ok(())
}

/// Two colleagues speak, each something else; the reception puts them together.
#[test]
fn in_a_conference_each_hears_the_others_and_not_himself() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let forward = Signal::read(&speech())?;
    let mut samples = forward.samples.clone();
    samples.reverse();
    let backward = Signal { rate: forward.rate, samples };
    let path = |name: &str| folder.path().join(name);
    backward.write(&path("backward.wav"))?;
    let mut reception = start(&pbx.account("101")?, &folder, "null")?;
    reception.registered()?;
    let mut phones = Vec::new();
    for (extension, says, hears) in
        [("102", speech(), path("102.wav")), ("103", path("backward.wav"), path("103.wav"))]
    {
        let audio = format!("wav:{},{},loop", says.display(), hears.display());
        let mut phone = start(&pbx.account(extension)?, &folder, &audio)?;
        phone.registered()?;
        let call = reception.begin(extension)?;
        let ringing = phone.ringing()?;
        phone.request("call.answer", &json!({"call": ringing}))?;
        reception.call_state(&call, "active")?;
        phones.push((phone, call, hears));
    }
    let calls: Vec<_> = phones.iter().map(|(_, call, _)| call.clone()).collect();
    reception.request("call.conference", &json!({"calls": calls}))?;
    // The first was held while the second was called.
    reception.call_state(&calls[0], "active")?;
    pause(Duration::from_secs_f64(forward.seconds() * 2.0 + 3.0));
    // One leaves; the other talks on with the reception.
    reception.hangup(&calls[0])?;
    let stats = |reception: &mut Balie| reception.request("call.stats", &json!({"call": calls[1]}));
    let before = stats(&mut reception)?["rx"]["packets"].as_u64().unwrap_or(0);
    pause(Duration::from_secs(1));
    let after = stats(&mut reception)?["rx"]["packets"].as_u64().unwrap_or(0);
    ensure!(after > before + 25, "the rest talks on: {before} packets, then {after}");
    reception.hangup(&calls[1])?;
    reception.quit()?;
    let mut heard = Vec::new();
    for (phone, _, hears) in phones {
        phone.quit()?;
        heard.push(Signal::read(&hears)?);
    }
    let table = [(&backward, &forward, &heard[0]), (&forward, &backward, &heard[1])];
    for (other, own, heard) in table {
        let (of_other, of_own) = (likeness(other, heard, 0.4)?, likeness(own, heard, 0.4)?);
        println!("conference: the other {of_other:.3}, himself {of_own:.3}");
        ensure!(of_other > 0.9, "what he heard resembles the other by {of_other}");
        ensure!(of_own < 0.7, "what he heard resembles himself by {of_own}");
    }
    Ok(())
}

/// Waits until the only call is with that number.
fn is_with(phone: &mut Balie, number: &str) -> Result<()> {
    let mut seen = json!(null);
    for _ in 0..100 {
        seen = phone.request("view.get", &json!({}))?["calls"].clone();
        let only = seen.as_array().filter(|calls| calls.len() == 1).map(|calls| &calls[0]);
        if only.is_some_and(|call| call["peer"]["number"] == number) {
            return Ok(());
        }
        pause(Duration::from_millis(100));
    }
    anyhow::bail!("a call with {number} is expected, there is {seen}")
}

/// The reception asks a colleague and puts the caller through.
#[test]
fn who_is_put_through_sees_with_whom_he_is_now() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let phone = |extension: &str| -> Result<Balie> {
        let mut phone = start(&pbx.account(extension)?, &folder, "null")?;
        phone.registered()?;
        Ok(phone)
    };
    let (mut reception, mut caller, mut colleague) = (phone("101")?, phone("102")?, phone("103")?);
    let placed = caller.begin("101")?;
    let taken = reception.ringing()?;
    reception.request("call.answer", &json!({"call": taken}))?;
    caller.call_state(&placed, "active")?;
    is_with(&mut caller, "101")?;
    let asked = reception.request("call.transfer.consult", &json!({"call": taken, "to": "103"}))?;
    let rings = colleague.ringing()?;
    is_with(&mut colleague, "101")?;
    colleague.request("call.answer", &json!({"call": rings}))?;
    reception.call_state(&asked["consult"], "active")?;
    reception.request("call.transfer.complete", &json!({"call": taken}))?;
    is_with(&mut caller, "103")?;
    is_with(&mut colleague, "102")?;
    for phone in [reception, caller, colleague] {
        phone.quit()?;
    }
    Ok(())
}
