//! Kamailio 5.6 against every feature.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::Recorder;
use super::shared::{answer, hold_and_resume, lamp, quit, registered, sound};
use crate::SERVER;
use crate::balie::{Account, Balie};
use crate::kamailio::{self as lab, Kamailio, PASSWORD, Publisher};

pub(super) fn run(cells: &mut Recorder) -> Result<()> {
    cell(cells, "register over UDP", |_, folder| registers(&account("201"), folder));
    cell(cells, "register over TCP", |_, folder| registers(&account("201").over_tcp(), folder));
    cell(cells, "register over TLS", |proxy, folder| {
        registers(&secure("201", lab::TLS_PORT, "tls", proxy), folder)
    });
    cell(cells, "register over WSS", |proxy, folder| {
        registers(&secure("201", lab::WSS_PORT, "wss", proxy), folder)
    });
    cells.none(
        &["register over IPv6"],
        "the laboratory's has one address family; seen with Asterisk",
    );
    cell(cells, "call out, sound both ways", |_, folder| {
        calls(&account("201"), &account("202").over_tcp(), folder)
    });
    cell(cells, "call in, sound both ways", |_, folder| {
        calls(&account("202").over_tcp(), &account("201"), folder)
    });
    cell(cells, "refusal and cancel", |_, folder| refusals(folder));
    cells.none(
        &[
            "sound before the answer",
            "digits, RFC 4733",
            "digits, INFO",
            "park and retrieve",
            "pickup",
        ],
        "it passes them on between telephones; seen with Asterisk",
    );
    cell(cells, "hold and resume", |_, folder| holds(folder));
    cell(cells, "held by the peer", |_, folder| held(folder));
    cell(cells, "blind transfer", |_, folder| blind_transfer(folder));
    cell(cells, "attended transfer", |_, folder| attended_transfer(folder));
    cells.none(&["transferred by the peer"], "a proxy transfers nobody");
    cell(cells, "several phones ring", |_, folder| several(folder));
    cell(cells, "lamps (dialog events)", |_, folder| lamps(false, folder));
    cell(cells, "resource list", |_, folder| lamps(true, folder));
    cell(cells, "presence", |_, folder| presence(folder));
    cells.none(
        &["message lamp, asked for", "message lamp, unasked"],
        "it has no mailboxes; seen with Asterisk",
    );
    cells.none(
        &["SRTP, keys in SDP", "SRTP, keys by DTLS", "DTLS, ICE and WSS (as a browser)"],
        "a proxy touches no sound; seen with Asterisk and the telephones",
    );
    cell(cells, "outbound and path", outbound);
    cell(cells, "peer restarts", restart);
    Ok(())
}

/// A cell with a server of its own: telephones of an earlier cell that failed would still be registered.
fn cell(
    cells: &mut Recorder,
    feature: &'static str,
    play: impl FnOnce(&mut Kamailio, &Path) -> Result<()>,
) {
    cells.cell(feature, |folder| play(&mut Kamailio::start(folder)?, folder));
}

fn account(user: &str) -> Account {
    Account::new(user, PASSWORD, &format!("{SERVER}:{}", lab::PORT))
}

fn secure(user: &str, port: u16, transport: &str, proxy: &Kamailio) -> Account {
    let account = Account::new(user, PASSWORD, &format!("{SERVER}:{port}")).over(transport);
    account.with(&format!("tls_ca_file = {:?}", proxy.authority()))
}

fn registers(account: &Account, folder: &Path) -> Result<()> {
    quit(registered(account, folder)?)
}

/// A call through the proxy, answered there.
fn talk(caller: &Account, callee: &Account, folder: &Path) -> Result<(Balie, Value, Balie, Value)> {
    let mut ours = registered(caller, folder)?;
    let mut theirs = registered(callee, folder)?;
    let outgoing = ours.begin(&callee.user)?;
    let incoming = answer(&mut theirs)?;
    ours.call_state(&outgoing, "active")?;
    sound(&mut ours, &outgoing)?;
    sound(&mut theirs, &incoming)?;
    Ok((ours, outgoing, theirs, incoming))
}

fn calls(caller: &Account, callee: &Account, folder: &Path) -> Result<()> {
    let (mut ours, outgoing, mut theirs, incoming) = talk(caller, callee, folder)?;
    theirs.hangup(&incoming)?;
    ours.call_state(&outgoing, "ended")?;
    quit(ours)?;
    quit(theirs)
}

fn refusals(folder: &Path) -> Result<()> {
    let mut ours = registered(&account("201"), folder)?;
    let mut theirs = registered(&account("202"), folder)?;
    let call = ours.begin("299")?;
    let ended = ours.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "not_found", "{ended}");
    let call = ours.begin("202")?;
    let ringing = theirs.ringing()?;
    theirs.request("call.reject", &json!({"call": ringing}))?;
    let ended = ours.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "busy_here", "{ended}");
    let call = ours.begin("202")?;
    let ringing = theirs.ringing()?;
    ours.hangup(&call)?;
    theirs.call_state(&ringing, "ended")?;
    quit(ours)?;
    quit(theirs)
}

fn holds(folder: &Path) -> Result<()> {
    let (mut ours, outgoing, theirs, _) = talk(&account("201"), &account("202"), folder)?;
    hold_and_resume(&mut ours, &outgoing)?;
    ours.hangup(&outgoing)?;
    quit(ours)?;
    quit(theirs)
}

fn held(folder: &Path) -> Result<()> {
    let (mut ours, outgoing, mut theirs, incoming) =
        talk(&account("201"), &account("202"), folder)?;
    theirs.request("call.hold", &json!({"call": incoming}))?;
    ours.call_state(&outgoing, "held_by_peer")?;
    theirs.request("call.resume", &json!({"call": incoming}))?;
    ours.call_state(&outgoing, "active")?;
    ours.hangup(&outgoing)?;
    quit(ours)?;
    quit(theirs)
}

fn blind_transfer(folder: &Path) -> Result<()> {
    let (mut ours, outgoing, theirs, _) = talk(&account("201"), &account("202"), folder)?;
    let mut third = registered(&account("203"), folder)?;
    ours.request("call.transfer.blind", &json!({"call": outgoing, "to": "203"}))?;
    let taken = answer(&mut third)?;
    super::shared::transferred(&mut ours, &outgoing)?;
    sound(&mut third, &taken)?;
    third.hangup(&taken)?;
    quit(theirs)?;
    quit(ours)
}

fn attended_transfer(folder: &Path) -> Result<()> {
    let (mut ours, outgoing, theirs, _) = talk(&account("201"), &account("202"), folder)?;
    let mut third = registered(&account("203"), folder)?;
    super::shared::send_on_after_asking(&mut ours, &outgoing, "203", || {
        answer(&mut third).map(drop)
    })?;
    let taken = third.event("call.state", |event| {
        event["state"] == "active" && event["peer"].to_string().contains("202")
    })?;
    sound(&mut third, &taken["call"])?;
    third.hangup(&taken["call"])?;
    quit(theirs)?;
    quit(ours)
}

/// One user on two telephones: both ring, the one that is not taken is told why.
fn several(folder: &Path) -> Result<()> {
    let mut caller = registered(&account("201"), folder)?;
    let mut desk = registered(&account("202"), folder)?;
    let second = folder.join("second");
    std::fs::create_dir_all(&second)?;
    let mut laptop = registered(&account("202").over_tcp(), &second)?;
    let outgoing = caller.begin("202")?;
    let ringing = desk.ringing()?;
    let taken = answer(&mut laptop)?;
    caller.call_state(&outgoing, "active")?;
    desk.call_state(&ringing, "ended")?;
    laptop.hangup(&taken)?;
    caller.call_state(&outgoing, "ended")?;
    quit(desk)?;
    quit(laptop)
}

fn lamps(as_list: bool, folder: &Path) -> Result<()> {
    let mut balie = registered(&account("201").over_tcp(), folder)?;
    let mut line = Publisher::new("202")?;
    line.dialog("confirmed")?;
    let watch = match as_list {
        true => json!({"list": format!("sip:{}@{SERVER}", lab::LIST)}),
        false => json!({"uris": [format!("sip:202@{SERVER}")]}),
    };
    balie.request("line.watch", &watch)?;
    lamp(&mut balie, "202@", "busy")?;
    for (state, shown) in [("terminated", "idle"), ("early", "ringing"), ("confirmed", "busy")] {
        line.dialog(state)?;
        lamp(&mut balie, "202@", shown)?;
    }
    quit(balie)
}

fn presence(folder: &Path) -> Result<()> {
    let mut balie = registered(&account("201"), folder)?;
    let mut colleague = Publisher::new("203")?;
    colleague.presence("open")?;
    let watch = json!({"uris": [format!("sip:203@{SERVER}")], "package": "presence"});
    balie.request("line.watch", &watch)?;
    let open = lamp(&mut balie, "203@", "idle")?;
    ensure!(open["presence"]["open"] == true, "{open}");
    colleague.presence("closed")?;
    let closed = lamp(&mut balie, "203@", "unreachable")?;
    ensure!(closed["presence"]["open"] == false, "{closed}");
    quit(balie)
}

/// The registration is a flow (RFC 5626), and a call comes in over it.
fn outbound(kamailio: &mut Kamailio, folder: &Path) -> Result<()> {
    let mut caller = registered(&account("201"), folder)?;
    let mut balie = registered(&account("202").over_tcp(), folder)?;
    let known = kamailio.registrations()?;
    let contact = known.split("AoR: 202").nth(1).context("202 is registered")?;
    ensure!(contact.contains("Reg-Id: 1"), "the registration is no flow: {contact}");
    let outgoing = caller.begin("202")?;
    let incoming = answer(&mut balie)?;
    caller.call_state(&outgoing, "active")?;
    balie.hangup(&incoming)?;
    quit(caller)?;
    quit(balie)
}

fn restart(kamailio: &mut Kamailio, folder: &Path) -> Result<()> {
    let mut balie = registered(&account("201").over_tcp(), folder)?;
    kamailio.kill();
    let is = |state: &'static str| move |event: &Value| event["state"] == state;
    balie.event_within("account.state", Duration::from_secs(40), is("unreachable"))?;
    kamailio.restart()?;
    balie.event_within("account.state", Duration::from_secs(60), is("registered"))?;
    quit(balie)
}
