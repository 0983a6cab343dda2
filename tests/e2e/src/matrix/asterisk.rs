//! Asterisk 22 against every feature.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::Recorder;
use super::shared::{
    answer, hold_and_resume, lamp, quit, registered, send_on_after_asking, sound, started,
};
use crate::asterisk::{self as lab, Asterisk, PASSWORD};
use crate::balie::{Account, Balie, PATIENCE};
use crate::{PHONES6, SERVER, SERVER6};

pub(super) fn run(cells: &mut Recorder) -> Result<()> {
    let mut pbx = Asterisk::start(cells.folder)?;
    cell(cells, &mut pbx, "register over UDP", |pbx, folder| {
        registers(pbx, &account("101"), folder)
    });
    cell(cells, &mut pbx, "register over TCP", |pbx, folder| {
        registers(pbx, &account("101").over_tcp(), folder)
    });
    cell(cells, &mut pbx, "register over TLS", |pbx, folder| {
        registers(pbx, &over_tls("101", pbx), folder)
    });
    cell(cells, &mut pbx, "register over WSS", |pbx, folder| {
        registers(pbx, &over_wss("101", pbx), folder)
    });
    cell(cells, &mut pbx, "register over IPv6", |pbx, folder| registers_over_ipv6(pbx, folder));
    cell(cells, &mut pbx, "call out, sound both ways", |pbx, folder| {
        calls(pbx, &account("101"), folder)
    });
    cell(cells, &mut pbx, "call in, sound both ways", |pbx, folder| is_called(pbx, folder));
    cell(cells, &mut pbx, "refusal and cancel", |_, folder| refusals(folder));
    cell(cells, &mut pbx, "sound before the answer", |_, folder| early_sound(folder));
    cell(cells, &mut pbx, "hold and resume", |pbx, folder| holds(pbx, folder));
    cell(cells, &mut pbx, "held by the peer", |_, folder| held_by_another(folder));
    cell(cells, &mut pbx, "digits, RFC 4733", |pbx, folder| digits(pbx, &account("101"), folder));
    cell(cells, &mut pbx, "digits, INFO", |pbx, folder| {
        digits(pbx, &account(lab::INFO_PHONE).with("dtmf = \"info\""), folder)
    });
    cell(cells, &mut pbx, "blind transfer", |pbx, folder| blind_transfer(pbx, folder));
    cell(cells, &mut pbx, "attended transfer", |pbx, folder| attended_transfer(pbx, folder));
    cells.none(
        &["transferred by the peer"],
        "it is a back-to-back agent and moves calls on its own side; REFER in is seen with SIPp, baresip and linphone",
    );
    cell(cells, &mut pbx, "pickup", |pbx, folder| pickup(pbx, folder));
    cell(cells, &mut pbx, "park and retrieve", |pbx, folder| park(pbx, folder));
    cell(cells, &mut pbx, "several phones ring", |pbx, folder| two_phones(pbx, folder));
    cell(cells, &mut pbx, "lamps (dialog events)", |pbx, folder| lamps(pbx, folder));
    cell(cells, &mut pbx, "resource list", |pbx, folder| list(pbx, folder));
    cells.none(&["presence"], "lamps come as dialog events here; presence is seen with Kamailio");
    cell(cells, &mut pbx, "message lamp, asked for", |pbx, folder| messages(pbx, "101", folder));
    cell(cells, &mut pbx, "message lamp, unasked", |pbx, folder| messages(pbx, "102", folder));
    cell(cells, &mut pbx, "SRTP, keys in SDP", |pbx, folder| {
        let account = over_tls(lab::SDES_PHONE, pbx).with("srtp = \"required\"");
        encrypted(&account.with("srtp_keying = \"sdes\""), folder)
    });
    cell(cells, &mut pbx, "SRTP, keys by DTLS", |_, folder| {
        let account = account(lab::DTLS_PHONE).with("srtp = \"required\"");
        encrypted(&account.with("srtp_keying = \"dtls\""), folder)
    });
    cell(cells, &mut pbx, "DTLS, ICE and WSS (as a browser)", |pbx, folder| {
        let account = over_wss(lab::WEB_PHONE, pbx).with("srtp = \"required\"").with("ice = true");
        encrypted(&account.with("srtp_keying = \"dtls\""), folder)
    });
    cells.none(&["outbound and path"], "it knows neither; seen with Kamailio");
    cell(cells, &mut pbx, "peer restarts", restart);
    Ok(())
}

/// A cell that begins without calls of an earlier one that failed.
fn cell(
    cells: &mut Recorder,
    pbx: &mut Asterisk,
    feature: &'static str,
    play: impl FnOnce(&mut Asterisk, &Path) -> Result<()>,
) {
    cells.cell(feature, |folder| {
        pbx.console("channel request hangup all")?;
        nothing_left(pbx)?;
        play(pbx, folder)
    });
}

fn account(user: &str) -> Account {
    Account::new(user, PASSWORD, &format!("{SERVER}:{}", lab::PORT))
}

fn trusting(account: Account, pbx: &Asterisk) -> Account {
    account.with(&format!("tls_ca_file = {:?}", pbx.authority()))
}

fn over_tls(user: &str, pbx: &Asterisk) -> Account {
    let server = format!("{SERVER}:{}", lab::TLS_PORT);
    trusting(Account::new(user, PASSWORD, &server).over("tls"), pbx)
}

fn over_wss(user: &str, pbx: &Asterisk) -> Account {
    let server = format!("{SERVER}:{}", lab::WSS_PORT);
    trusting(Account::new(user, PASSWORD, &server).over("wss"), pbx)
}

fn registers(pbx: &Asterisk, account: &Account, folder: &Path) -> Result<()> {
    let balie = registered(account, folder)?;
    comes_and_goes(pbx, account, balie)
}

fn registers_over_ipv6(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let account = Account::new("101", PASSWORD, &format!("[{SERVER6}]:{}", lab::PORT));
    let config = account.write(folder, PHONES6)?;
    let mut balie = Balie::start(&config, "null")?;
    balie.registered()?;
    let call = balie.dial(lab::ECHO)?;
    sound(&mut balie, &call)?;
    balie.hangup(&call)?;
    comes_and_goes(pbx, &account, balie)
}

/// The contact is there, and gone once Balie has left.
fn comes_and_goes(pbx: &Asterisk, account: &Account, balie: Balie) -> Result<()> {
    let contact = format!("{}/sip:", account.user);
    let contacts = pbx.console("pjsip show contacts")?;
    ensure!(contacts.contains(&contact), "no contact: {contacts}");
    quit(balie)?;
    let contacts = pbx.console("pjsip show contacts")?;
    ensure!(!contacts.contains(&contact), "the contact stays: {contacts}");
    Ok(())
}

fn nothing_left(pbx: &Asterisk) -> Result<()> {
    crate::poll("the last call to be over there", PATIENCE, || {
        (pbx.calls().ok()? == 0).then_some(())
    })
}

fn calls(pbx: &Asterisk, account: &Account, folder: &Path) -> Result<()> {
    let mut balie = registered(account, folder)?;
    let call = balie.dial(lab::ECHO)?;
    sound(&mut balie, &call)?;
    balie.hangup(&call)?;
    quit(balie)?;
    nothing_left(pbx)
}

fn is_called(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let mut balie = registered(&account("101"), folder)?;
    pbx.ring("101")?;
    let call = answer(&mut balie)?;
    sound(&mut balie, &call)?;
    pbx.console("channel request hangup all")?;
    balie.call_state(&call, "ended")?;
    quit(balie)
}

fn refusals(folder: &Path) -> Result<()> {
    let mut balie = registered(&account("101"), folder)?;
    let call = balie.begin(lab::BUSY)?;
    let ended = balie.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "busy_here", "{ended}");
    let call = balie.begin(lab::NO_ANSWER)?;
    balie.call_state(&call, "ringing")?;
    balie.hangup(&call)?;
    quit(balie)
}

fn early_sound(folder: &Path) -> Result<()> {
    let mut balie = registered(&account("101"), folder)?;
    let call = balie.begin(lab::EARLY)?;
    balie.call_state(&call, "early")?;
    balie.event("call.media", |event| event["call"] == call && event["rx_active"] == true)?;
    balie.call_state(&call, "active")?;
    balie.hangup(&call)?;
    quit(balie)
}

fn holds(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let mut balie = registered(&account("101"), folder)?;
    let call = balie.dial(lab::ECHO)?;
    hold_and_resume(&mut balie, &call)?;
    balie.hangup(&call)?;
    quit(balie)?;
    nothing_left(pbx)
}

/// Asterisk answers holds itself, so the other phone hears music and stays active: what is seen is that the call
/// lives and sounds on through the hold.
fn held_by_another(folder: &Path) -> Result<()> {
    let (mut balie, mut other) = pair(folder)?;
    let outgoing = balie.begin("102")?;
    let incoming = answer(&mut other)?;
    balie.call_state(&outgoing, "active")?;
    sound(&mut balie, &outgoing)?;
    other.request("call.hold", &json!({"call": incoming}))?;
    other.call_state(&incoming, "held")?;
    let stats = |balie: &mut Balie| -> Result<u64> {
        let stats = balie.request("call.stats", &json!({"call": outgoing}))?;
        stats["rx"]["packets"].as_u64().with_context(|| format!("no packets in {stats}"))
    };
    let before = stats(&mut balie)?;
    crate::poll("the music", PATIENCE, || (stats(&mut balie).ok()? > before + 25).then_some(()))?;
    other.request("call.resume", &json!({"call": incoming}))?;
    other.call_state(&incoming, "active")?;
    other.hangup(&incoming)?;
    balie.call_state(&outgoing, "ended")?;
    quit(balie)?;
    quit(other)
}

fn digits(pbx: &Asterisk, account: &Account, folder: &Path) -> Result<()> {
    pbx.console("dialplan set global DIGITS none")?;
    let mut balie = registered(account, folder)?;
    let call = balie.dial(lab::DIGITS)?;
    balie.event("call.media", |event| event["call"] == call)?;
    balie.request("call.dtmf", &json!({"call": call, "digits": "0123456789#"}))?;
    balie.call_state(&call, "ended")?;
    let globals = pbx.console("dialplan show globals")?;
    ensure!(globals.contains("DIGITS=0123456789"), "{globals}");
    quit(balie)
}

fn pair(folder: &Path) -> Result<(Balie, Balie)> {
    Ok((registered(&account("101"), folder)?, registered(&account("102"), folder)?))
}

fn blind_transfer(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let (mut balie, mut customer) = pair(folder)?;
    let mut third = registered(&account("103"), folder)?;
    let theirs = customer.begin("101")?;
    let call = answer(&mut balie)?;
    customer.call_state(&theirs, "active")?;
    balie.request("call.transfer.blind", &json!({"call": call, "to": "103"}))?;
    let taken = answer(&mut third)?;
    super::shared::transferred(&mut balie, &call)?;
    sound(&mut third, &taken)?;
    third.hangup(&taken)?;
    customer.call_state(&theirs, "ended")?;
    nothing_left(pbx)
}

fn attended_transfer(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let (mut balie, mut customer) = pair(folder)?;
    let mut third = registered(&account("103"), folder)?;
    let theirs = customer.begin("101")?;
    let call = answer(&mut balie)?;
    customer.call_state(&theirs, "active")?;
    let mut taken = Value::Null;
    send_on_after_asking(&mut balie, &call, "103", || {
        taken = answer(&mut third)?;
        Ok(())
    })?;
    let before = packets(&mut third, &taken)?;
    crate::poll("sound after the transfer", PATIENCE, || {
        (packets(&mut third, &taken).ok()? > before + 25).then_some(())
    })?;
    third.hangup(&taken)?;
    customer.call_state(&theirs, "ended")?;
    nothing_left(pbx)
}

fn packets(balie: &mut Balie, call: &Value) -> Result<u64> {
    let stats = balie.request("call.stats", &json!({"call": call}))?;
    stats["rx"]["packets"].as_u64().with_context(|| format!("no packets in {stats}"))
}

fn pickup(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let (mut balie, mut colleague) = pair(folder)?;
    let mut customer = registered(&account("103"), folder)?;
    let theirs = customer.begin("102")?;
    let ringing = colleague.ringing()?;
    let reply = balie.request("call.pickup", &json!({"target": "102"}))?;
    let taken = reply["call"].clone();
    balie.call_state(&taken, "active")?;
    customer.call_state(&theirs, "active")?;
    colleague.call_state(&ringing, "ended")?;
    sound(&mut balie, &taken)?;
    balie.hangup(&taken)?;
    customer.call_state(&theirs, "ended")?;
    nothing_left(pbx)
}

fn park(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let (mut balie, mut customer) = pair(folder)?;
    let theirs = customer.begin("101")?;
    let call = answer(&mut balie)?;
    customer.call_state(&theirs, "active")?;
    balie.request("call.park", &json!({"call": call}))?;
    balie.event("call.parked", |event| event["call"] == call)?;
    balie.call_state(&call, "ended")?;
    let parked = pbx.console("parking show default")?;
    ensure!(parked.contains("PJSIP/102"), "nobody is parked: {parked}");
    let reply = balie.request("call.retrieve", &json!({"slot": "701"}))?;
    let back = reply["call"].clone();
    balie.call_state(&back, "active")?;
    sound(&mut balie, &back)?;
    balie.hangup(&back)?;
    customer.call_state(&theirs, "ended")?;
    nothing_left(pbx)
}

fn two_phones(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let (mut balie, mut colleague) = pair(folder)?;
    let mut customer = registered(&account("103"), folder)?;
    let theirs = customer.begin(lab::BOTH)?;
    let ringing = balie.ringing()?;
    let taken = answer(&mut colleague)?;
    customer.call_state(&theirs, "active")?;
    let ended = balie.call_state(&ringing, "ended")?;
    ensure!(ended["reason"] == "answered_elsewhere", "{ended}");
    colleague.hangup(&taken)?;
    customer.call_state(&theirs, "ended")?;
    nothing_left(pbx)
}

fn lamps(pbx: &Asterisk, folder: &Path) -> Result<()> {
    let (mut balie, mut colleague) = pair(folder)?;
    let line = format!("sip:102@{SERVER}");
    balie.request("line.watch", &json!({"uris": [line]}))?;
    lamp(&mut balie, "102@", "idle")?;
    pbx.ring("102")?;
    lamp(&mut balie, "102@", "ringing")?;
    let call = answer(&mut colleague)?;
    lamp(&mut balie, "102@", "busy")?;
    colleague.hangup(&call)?;
    lamp(&mut balie, "102@", "idle")?;
    quit(colleague)?;
    quit(balie)
}

fn list(pbx: &Asterisk, folder: &Path) -> Result<()> {
    pbx.lamp("2001", "NOT_INUSE")?;
    pbx.lamp("2002", "INUSE")?;
    let mut balie = registered(&account("101").over_tcp(), folder)?;
    let list = format!("sip:{}@{SERVER}", lab::TEAM);
    balie.request("line.watch", &json!({"list": list}))?;
    lamp(&mut balie, "2001", "idle")?;
    lamp(&mut balie, "2002", "busy")?;
    for (state, shown) in [("RINGING", "ringing"), ("INUSE", "busy"), ("NOT_INUSE", "idle")] {
        pbx.lamp("2001", state)?;
        lamp(&mut balie, "2001", shown)?;
    }
    quit(balie)
}

fn messages(pbx: &Asterisk, user: &str, folder: &Path) -> Result<()> {
    let mut balie = registered(&account(user), folder)?;
    pbx.leave_message(user)?;
    let event = balie.event("mwi", |event| event["waiting"] == true)?;
    ensure!(event["new"] == 1, "{event}");
    quit(balie)
}

fn encrypted(account: &Account, folder: &Path) -> Result<()> {
    let mut balie = registered(account, folder)?;
    let call = balie.begin(lab::ECHO)?;
    let active = balie.call_state(&call, "active")?;
    ensure!(active["secure"] == true, "the sound is not encrypted: {active}");
    sound(&mut balie, &call)?;
    balie.hangup(&call)?;
    quit(balie)
}

fn restart(pbx: &mut Asterisk, folder: &Path) -> Result<()> {
    let mut balie = started(&account("101").over_tcp(), folder)?;
    balie.registered()?;
    pbx.kill();
    let is = |state: &'static str| move |event: &Value| event["state"] == state;
    balie.event_within("account.state", Duration::from_secs(40), is("unreachable"))?;
    pbx.restart()?;
    balie.event_within("account.state", Duration::from_secs(60), is("registered"))?;
    let call = balie.dial(lab::ECHO)?;
    balie.hangup(&call)?;
    quit(balie)
}
