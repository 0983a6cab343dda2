//! Encrypted sound with Asterisk 22, keys in the descriptions, over TLS: the speech comes back whole, hold and calls
//! the other way included, and policies that do not meet are refused.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie};
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

#[test]
fn encrypted_speech_comes_back_whole_whatever_the_policy_that_allows_it() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    let sent = Signal::read(&speech())?;
    for srtp in ["required", "optional"] {
        let out = folder.path().join(format!("heard-{srtp}.wav"));
        let audio = format!("wav:{},{},loop", speech().display(), out.display());
        let mut balie = registered(&account(asterisk::SDES_PHONE, srtp, &pbx), &audio, &folder)?;
        let call = balie.begin(asterisk::ECHO)?;
        let active = balie.call_state(&call, "active")?;
        ensure!(active["secure"] == true && active["encryption"] == "full", "{active}");
        pause(Duration::from_secs_f64(sent.seconds() + 4.0));
        balie.request("call.hold", &json!({"call": call}))?;
        balie.call_state(&call, "held")?;
        balie.request("call.resume", &json!({"call": call}))?;
        let back = balie.call_state(&call, "active")?;
        ensure!(back["encryption"] == "full", "{back}");
        let before = balie.request("call.stats", &json!({"call": call}))?;
        let before = before["rx"]["packets"].as_u64().unwrap_or(0);
        e2e::poll("sound after the hold", Duration::from_secs(10), || {
            let stats = balie.request("call.stats", &json!({"call": call})).ok()?;
            (stats["rx"]["packets"].as_u64()? > before + 50).then_some(())
        })?;
        let stats = balie.request("call.stats", &json!({"call": call}))?;
        balie.hangup(&call)?;
        balie.quit()?;
        let likeness = likeness(&sent, &Signal::read(&out)?, 0.4)?;
        println!("{srtp}: correlation {likeness:.3}, {stats}");
        ensure!(stats["secure"] == true && stats["unauthenticated"] == 0, "{srtp}: {stats}");
        ensure!(likeness > 0.9, "{srtp}: what came back resembles what was sent by {likeness}");
        ensure!(pbx.calls()? == 0, "{srtp}: Asterisk still holds a call");
    }
    Ok(())
}

#[test]
fn it_is_called_with_keys_and_answers_with_its_own() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    for srtp in ["required", "optional"] {
        let account = account(asterisk::SDES_PHONE, srtp, &pbx);
        let mut balie = registered(&account, "null", &folder)?;
        pbx.ring(asterisk::SDES_PHONE)?;
        let call = balie.ringing()?;
        balie.request("call.answer", &json!({"call": call}))?;
        let active = balie.call_state(&call, "active")?;
        ensure!(active["encryption"] == "full", "{active}");
        let flows = |event: &serde_json::Value| {
            event["call"] == call && event["rx_active"] == true && event["tx_active"] == true
        };
        balie.event("call.media", flows)?;
        let stats = balie.request("call.stats", &json!({"call": call}))?;
        ensure!(stats["unauthenticated"] == 0 && stats["suite"].is_string(), "{stats}");
        balie.hangup(&call)?;
        balie.quit()?;
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
