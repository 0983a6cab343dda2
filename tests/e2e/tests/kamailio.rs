//! Two Balies behind Kamailio: a proxy with Record-Route, digest on REGISTER and on INVITE.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::balie::{Account, Balie};
use e2e::kamailio::{self, Kamailio};
use e2e::sound::{Signal, likeness};
use e2e::{PHONES, SERVER, pause, speech};
use serde_json::json;
use tempfile::tempdir;

fn account(user: &str) -> Account {
    Account::new(user, kamailio::PASSWORD, &format!("{SERVER}:{}", kamailio::PORT))
}

#[test]
fn two_phones_talk_through_the_proxy_over_udp_and_tcp() -> Result<()> {
    let folder = tempdir()?;
    let _kamailio = Kamailio::start(folder.path())?;
    let heard = folder.path().join("heard.wav");
    let config = account("201").write(folder.path(), PHONES)?;
    let speaking =
        format!("wav:{},{},loop", speech().display(), folder.path().join("own.wav").display());
    let mut caller = Balie::start(&config, &speaking)?;
    caller.registered()?;
    let config = account("202").over_tcp().write(folder.path(), PHONES)?;
    let listening = format!("wav:{},{}", speech().display(), heard.display());
    let mut callee = Balie::start(&config, &listening)?;
    callee.registered()?;

    let outgoing = caller.begin("202")?;
    let incoming = callee.ringing()?;
    callee.request("call.answer", &json!({"call": incoming}))?;
    caller.call_state(&outgoing, "active")?;
    let sent = Signal::read(&speech())?;
    pause(Duration::from_secs_f64(sent.seconds() + 2.0));
    callee.request("call.hold", &json!({"call": incoming}))?;
    caller.call_state(&outgoing, "held_by_peer")?;
    callee.request("call.resume", &json!({"call": incoming}))?;
    caller.call_state(&outgoing, "active")?;
    callee.hangup(&incoming)?;
    caller.call_state(&outgoing, "ended")?;
    callee.quit()?;
    let likeness = likeness(&sent, &Signal::read(&heard)?, 0.4)?;
    ensure!(likeness > 0.9, "the callee heard something else: {likeness}");
    Ok(())
}

#[test]
fn an_unknown_user_is_not_found() -> Result<()> {
    let folder = tempdir()?;
    let _kamailio = Kamailio::start(folder.path())?;
    let config = account("201").write(folder.path(), PHONES)?;
    let mut balie = Balie::start(&config, "null")?;
    balie.registered()?;
    let call = balie.begin("299")?;
    let ended = balie.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "not_found", "{ended}");
    Ok(())
}
