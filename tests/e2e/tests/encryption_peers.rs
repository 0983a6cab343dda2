//! Encrypted sound with Asterisk 22: keys in the descriptions over TLS, keys by DTLS over UDP and TLS, and DTLS with ICE
//! over WSS as web browsers have it. The speech comes back whole, hold and calls the other way included, and policies that
//! do not meet are refused.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie};
use e2e::baresip::{Baresip, Settings};
use e2e::linphone::{Encryption, Linphone};
use e2e::sound::{Signal, likeness};
use e2e::{PHONES, SERVER, pause, speech};
use serde_json::json;
use tempfile::{TempDir, tempdir};

fn account(user: &str, srtp: &str, pbx: &Asterisk) -> Account {
    let server = format!("{SERVER}:{}", asterisk::TLS_PORT);
    Account::new(user, asterisk::PASSWORD, &server)
        .over("tls")
        .with(&format!("tls_ca_file = {:?}", pbx.authority()))
        .with(&format!("srtp = \"{srtp}\""))
}

fn registered(account: &Account, audio: &str, folder: &TempDir) -> Result<Balie> {
    let mut balie = Balie::start(&account.write(folder.path(), PHONES)?, audio)?;
    balie.registered()?;
    Ok(balie)
}

/// The phone whose keys come by DTLS.
fn by_handshake(transport: &str, pbx: &Asterisk) -> Account {
    let port = if transport == "udp" { asterisk::PORT } else { asterisk::TLS_PORT };
    let server = format!("{SERVER}:{port}");
    Account::new(asterisk::DTLS_PHONE, asterisk::PASSWORD, &server)
        .over(transport)
        .with(&format!("tls_ca_file = {:?}", pbx.authority()))
        .with("srtp_keying = \"dtls\"")
}

/// The phone that is set up as for a browser.
fn as_a_browser(pbx: &Asterisk) -> Account {
    let server = format!("{SERVER}:{}", asterisk::WSS_PORT);
    Account::new(asterisk::WEB_PHONE, asterisk::PASSWORD, &server)
        .over("wss")
        .with(&format!("tls_ca_file = {:?}", pbx.authority()))
        .with("srtp_keying = \"dtls\"")
        .with("ice = true")
}

#[test]
fn encrypted_speech_comes_back_whole_whatever_the_policy_that_allows_it() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    for srtp in ["required", "optional"] {
        comes_back_whole(
            srtp,
            &account(asterisk::SDES_PHONE, srtp, &pbx),
            "exchange",
            &pbx,
            &folder,
        )?;
    }
    Ok(())
}

#[test]
fn speech_with_keys_by_handshake_comes_back_whole() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    for (transport, srtp, encryption) in [
        ("udp", "required", "keys_exposed"),
        ("tls", "required", "ends"),
        ("tls", "optional", "ends"),
    ] {
        let account = by_handshake(transport, &pbx).with(&format!("srtp = \"{srtp}\""));
        let name = format!("{transport}-{srtp}");
        comes_back_whole(&name, &account, encryption, &pbx, &folder)?;
    }
    Ok(())
}

#[test]
fn speech_comes_back_whole_as_to_a_browser() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    let account = as_a_browser(&pbx).with("srtp = \"required\"");
    comes_back_whole("web", &account, "ends", &pbx, &folder)
}

#[test]
fn a_browsers_phone_and_one_with_keys_by_handshake_are_called() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    for account in [as_a_browser(&pbx), by_handshake("tls", &pbx)] {
        let account = account.with("srtp = \"required\"");
        is_called(&account, "ends", &pbx, &folder)?;
    }
    Ok(())
}

/// The speech comes back through a hold, under that lock.
fn comes_back_whole(
    name: &str,
    account: &Account,
    encryption: &str,
    pbx: &Asterisk,
    folder: &TempDir,
) -> Result<()> {
    let sent = Signal::read(&speech())?;
    let out = folder.path().join(format!("heard-{name}.wav"));
    let audio = format!("wav:{},{},loop", speech().display(), out.display());
    let mut balie = registered(account, &audio, folder)?;
    let call = balie.begin(asterisk::ECHO)?;
    let active = balie.call_state(&call, "active")?;
    ensure!(active["secure"] == true && active["encryption"] == encryption, "{active}");
    pause(Duration::from_secs_f64(sent.seconds() + 4.0));
    balie.request("call.hold", &json!({"call": call}))?;
    balie.call_state(&call, "held")?;
    balie.request("call.resume", &json!({"call": call}))?;
    let back = balie.call_state(&call, "active")?;
    ensure!(back["encryption"] == encryption, "{back}");
    sounds_on(&mut balie, &call)?;
    let stats = balie.request("call.stats", &json!({"call": call}))?;
    balie.hangup(&call)?;
    balie.quit()?;
    let likeness = likeness(&sent, &Signal::read(&out)?, 0.4)?;
    println!("{name}: correlation {likeness:.3}, {stats}");
    ensure!(stats["secure"] == true && stats["unauthenticated"] == 0, "{name}: {stats}");
    ensure!(likeness > 0.9, "{name}: what came back resembles what was sent by {likeness}");
    ensure!(pbx.calls()? == 0, "{name}: Asterisk still holds a call");
    Ok(())
}

/// Asterisk rings it, and sound flows both ways under that lock.
fn is_called(account: &Account, encryption: &str, pbx: &Asterisk, folder: &TempDir) -> Result<()> {
    let mut balie = registered(account, "null", folder)?;
    pbx.ring(&account.user)?;
    let call = balie.ringing()?;
    balie.request("call.answer", &json!({"call": call}))?;
    let active = balie.call_state(&call, "active")?;
    ensure!(active["encryption"] == encryption, "{active}");
    let flows = |event: &serde_json::Value| {
        event["call"] == call && event["rx_active"] == true && event["tx_active"] == true
    };
    balie.event("call.media", flows)?;
    balie.request("call.hold", &json!({"call": call}))?;
    balie.call_state(&call, "held")?;
    balie.request("call.resume", &json!({"call": call}))?;
    balie.call_state(&call, "active")?;
    sounds_on(&mut balie, &call)?;
    let stats = balie.request("call.stats", &json!({"call": call}))?;
    ensure!(stats["unauthenticated"] == 0 && stats["suite"].is_string(), "{stats}");
    balie.hangup(&call)?;
    balie.quit()?;
    Ok(())
}

/// Sound goes on arriving, after a hold too.
fn sounds_on(balie: &mut Balie, call: &serde_json::Value) -> Result<()> {
    let packets = |balie: &mut Balie| {
        let stats = balie.request("call.stats", &json!({"call": call})).ok()?;
        stats["rx"]["packets"].as_u64()
    };
    let before = packets(balie).unwrap_or(0);
    e2e::poll("sound after the hold", Duration::from_secs(10), || {
        (packets(balie)? > before + 50).then_some(())
    })
}

#[test]
fn it_is_called_with_keys_and_answers_with_its_own() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    for srtp in ["required", "optional"] {
        is_called(&account(asterisk::SDES_PHONE, srtp, &pbx), "exchange", &pbx, &folder)?;
    }
    Ok(())
}

#[test]
fn policies_that_do_not_meet_are_refused_and_a_wish_is_not_insisted_on() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    for (user, srtp, reason) in [
        (asterisk::SDES_PHONE, "off", "no_common_codec"),
        ("101", "required", "no_common_encryption"),
    ] {
        let mut balie = registered(&account(user, srtp, &pbx), "null", &folder)?;
        let call = balie.begin(asterisk::ECHO)?;
        let ended = balie.call_state(&call, "ended")?;
        ensure!(ended["status"] == 488 && ended["reason"] == reason, "{user} {srtp}: {ended}");
        balie.quit()?;
    }
    let mut balie = registered(&account("101", "optional", &pbx), "null", &folder)?;
    let call = balie.begin(asterisk::ECHO)?;
    let active = balie.call_state(&call, "active")?;
    ensure!(active["secure"] == false && active["encryption"] == "none", "{active}");
    balie.hangup(&call)?;
    balie.quit()?;
    Ok(())
}

/// Where the Balie under test listens for telephones that call it without a server between.
const OURS: u16 = 5066;

/// A Balie that speaks, without a server between.
fn direct(srtp: &str, keying: &str, folder: &TempDir) -> Result<(Balie, std::path::PathBuf)> {
    let account = Account::direct("101", PHONES, OURS)
        .with(&format!("srtp = \"{srtp}\""))
        .with(&format!("srtp_keying = \"{keying}\""));
    let heard = folder.path().join("balie-heard.wav");
    let audio = format!("wav:{},{},loop", speech().display(), heard.display());
    Ok((Balie::start(&account.write(folder.path(), PHONES)?, &audio)?, heard))
}

/// Lets the speech come, and holds what was heard and how it was encrypted against what is wanted.
fn is_heard(
    mut balie: Balie,
    call: &serde_json::Value,
    secure: bool,
    heard: &std::path::Path,
) -> Result<()> {
    sounds_on(&mut balie, call)?;
    let sent = Signal::read(&speech())?;
    pause(Duration::from_secs_f64(sent.seconds() + 3.0));
    let stats = balie.request("call.stats", &json!({"call": call}))?;
    balie.hangup(call)?;
    balie.quit()?;
    let likeness = likeness(&sent, &Signal::read(heard)?, 0.4)?;
    println!("correlation {likeness:.3}, {stats}");
    ensure!(stats["secure"] == secure, "{stats}");
    ensure!(likeness > 0.8, "what was heard resembles what was said by {likeness}");
    Ok(())
}

fn linphone(theirs: Encryption, keying: &str) -> Result<()> {
    let folder = tempdir()?;
    let mut phone = Linphone::start(5082, theirs, folder.path())?;
    let (mut balie, heard) = direct("required", keying, &folder)?;
    let call = balie.begin(&format!("sip:lin@{PHONES}:5082"))?;
    phone.says("incoming call")?;
    balie.call_state(&call, "ringing")?;
    phone.command("answer")?;
    balie.call_state(&call, "active")?;
    is_heard(balie, &call, true, &heard)
}

#[test]
fn linphone_is_heard_with_keys_in_the_description() -> Result<()> {
    linphone(Encryption::Sdes, "sdes")
}

#[test]
fn linphone_is_heard_with_keys_by_handshake() -> Result<()> {
    linphone(Encryption::Dtls, "dtls")
}

#[test]
fn linphone_that_wants_zrtp_is_heard_in_clear_where_that_is_allowed() -> Result<()> {
    let folder = tempdir()?;
    let mut phone = Linphone::start(5082, Encryption::Zrtp, folder.path())?;
    let (mut balie, heard) = direct("optional", "both", &folder)?;
    phone.command(&format!("call sip:101@{PHONES}:{OURS}"))?;
    let call = balie.ringing()?;
    balie.request("call.answer", &json!({"call": call}))?;
    let active = balie.call_state(&call, "active")?;
    ensure!(active["encryption"] == "none", "{active}");
    is_heard(balie, &call, false, &heard)
}

#[test]
fn linphone_that_wants_zrtp_is_refused_politely_where_encryption_is_a_must() -> Result<()> {
    let folder = tempdir()?;
    let mut phone = Linphone::start(5082, Encryption::Zrtp, folder.path())?;
    let (mut balie, _) = direct("required", "both", &folder)?;
    // Twice: it goes on working.
    for _ in 0..2 {
        phone.command(&format!("call sip:101@{PHONES}:{OURS}"))?;
        phone.says(&format!("with sip:101@{PHONES}:{OURS} error"))?;
    }
    balie.request("view.get", &json!({}))?;
    ensure!(balie.quit()? == 0);
    Ok(())
}

fn baresip(encryption: &str, keying: &str) -> Result<()> {
    let folder = tempdir()?;
    let microphone = folder.path().join("baresip-says.wav");
    Signal::read(&speech())?.raised_to(48_000)?.repeated(6).write(&microphone)?;
    let settings = Settings {
        user: "110".to_owned(),
        password: String::new(),
        server: String::new(),
        sip_port: 5080,
        control_port: 4444,
        microphone,
        codecs: "opus/48000/2,PCMA/8000/1".to_owned(),
        encryption: encryption.to_owned(),
    };
    let mut phone = Baresip::start(&settings, folder.path())?;
    let (mut balie, heard) = direct("required", keying, &folder)?;
    let call = balie.begin(&format!("sip:110@{PHONES}:5080"))?;
    phone.event("CALL_INCOMING")?;
    balie.call_state(&call, "ringing")?;
    phone.command("accept", "")?;
    balie.call_state(&call, "active")?;
    is_heard(balie, &call, true, &heard)?;
    let there = phone.heard().context("baresip recorded nothing")?;
    let there = likeness(&Signal::read(&speech())?, &Signal::read(&there)?, 0.4)?;
    ensure!(there > 0.8, "baresip heard something else: {there}");
    Ok(())
}

#[test]
fn baresip_and_balie_hear_each_other_with_keys_in_the_description() -> Result<()> {
    baresip("srtp-mand", "sdes")
}

#[test]
fn baresip_and_balie_hear_each_other_with_keys_by_handshake() -> Result<()> {
    baresip("dtls_srtp", "dtls")
}
