//! What can go wrong with telephones, watched lines and calls.

use anyhow::{Context as _, Result, ensure};
use e2e::centre::{Scene, User};
use serde_json::{Value, json};

use crate::ward::settle;

/// The receptionist, who watches a line.
fn watching(scene: &Scene, line: &str) -> Result<User> {
    let mut maud = scene.user("101")?;
    maud.balie.request("line.watch", &json!({"uris": [line]}))?;
    shows(&mut maud, line, "idle")?;
    Ok(maud)
}

/// Waits until a line is shown so; its last event.
fn shows(user: &mut User, line: &str, state: &str) -> Result<Value> {
    user.balie.event_within("line.state", crate::ward::WHOLE, |event| {
        let this = event["uri"].as_str().is_some_and(|uri| uri.contains(line));
        // What was shown before a lamp became stale tells nothing of what it shows now.
        this && event["state"] == state && event["stale_since"].is_null()
    })
}

fn set(scene: &Scene, line: &str, state: &str) -> Result<()> {
    scene.pbx.turn(&json!({"cmd": "line.set", "line": line, "state": state})).map(|_| ())
}

pub(crate) fn subscriptions_are_dropped() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = watching(&scene, "201")?;
    for reason in [json!("deactivated"), json!("probation"), json!("timeout")] {
        let dropped = scene
            .pbx
            .turn(&json!({"cmd": "subscriptions.drop", "user": "101", "reason": reason}))?;
        ensure!(dropped["touched"].as_u64() >= Some(1), "{reason}: {dropped}");
        set(&scene, "201", "busy")?;
        shows(&mut maud, "201", "busy")?;
        set(&scene, "201", "idle")?;
        shows(&mut maud, "201", "idle")?;
    }
    Ok(())
}

pub(crate) fn a_package_is_taken_away() -> Result<()> {
    let scene = Scene::start()?;
    scene.pbx.turn(&json!({"cmd": "packages.set", "packages": ["presence"]}))?;
    // Where calls are not told, presence is watched.
    let mut maud = watching(&scene, "201")?;
    set(&scene, "201", "busy")?;
    shows(&mut maud, "201", "busy")?;
    Ok(())
}

pub(crate) fn a_registration_is_taken_away() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    maud.balie.forget("account.state");
    scene.pbx.turn(&json!({"cmd": "registration.remove", "user": "101"}))?;
    maud.balie.registered()?;
    scene.customer("101", "+31302310001")?;
    let call = maud.balie.ringing()?;
    maud.balie.request("call.reject", &json!({"call": call}))?;
    Ok(())
}

pub(crate) fn notifications_get_lost() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = watching(&scene, "201")?;
    scene.pbx.turn(&json!({"cmd": "notify.loss", "lost": 40, "reordered": 40}))?;
    for round in 0..12 {
        set(&scene, "201", if round % 2 == 0 { "busy" } else { "ringing" })?;
    }
    scene.pbx.turn(&json!({"cmd": "notify.loss"}))?;
    // The next one shows that some are missing.
    maud.balie.forget("line.state");
    set(&scene, "201", "held")?;
    shows(&mut maud, "201", "held")?;
    set(&scene, "201", "idle")?;
    shows(&mut maud, "201", "idle")?;
    Ok(())
}

pub(crate) fn notifications_come_late() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = watching(&scene, "201")?;
    scene.pbx.turn(&json!({"cmd": "notify.delay", "ms": 1_500}))?;
    set(&scene, "201", "busy")?;
    shows(&mut maud, "201", "busy")?;
    scene.pbx.turn(&json!({"cmd": "notify.delay", "ms": 0}))?;
    set(&scene, "201", "idle")?;
    shows(&mut maud, "201", "idle")?;
    Ok(())
}

pub(crate) fn a_line_shows_every_state() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = watching(&scene, "201")?;
    for state in ["ringing", "busy", "held", "idle"] {
        set(&scene, "201", state)?;
        shows(&mut maud, "201", state)?;
    }
    Ok(())
}

/// How a call that somebody makes ends: the reason, or `active` when it is answered.
fn outcome(caller: &mut User, to: &str) -> Result<String> {
    let call = caller.balie.begin(to)?;
    let event = caller.balie.event("call.state", |event| {
        event["call"] == call && (event["state"] == "active" || event["state"] == "ended")
    })?;
    if event["state"] == "active" {
        caller.balie.hangup(&call)?;
        return Ok("active".to_owned());
    }
    Ok(event["reason"].as_str().unwrap_or_default().to_owned())
}

pub(crate) fn a_line_is_not_to_be_disturbed() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    scene.pbx.turn(&json!({"cmd": "line.dnd", "line": "101", "on": true}))?;
    maud.service("do_not_disturb", |view| view["actual"]["active"] == true)?;
    ensure!(outcome(&mut joris, "101")? == "busy_here");
    Ok(())
}

pub(crate) fn a_line_is_forwarded() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    scene.pbx.turn(&json!({"cmd": "line.forward", "line": "101", "to": "201"}))?;
    maud.service("forward_always", |view| {
        view["actual"]["active"] == true && view["actual"]["to"].to_string().contains("201")
    })?;
    ensure!(outcome(&mut joris, "101")? == "active");
    scene.pbx.turn(&json!({"cmd": "line.forward", "line": "101"}))?;
    maud.service("forward_always", |view| view["actual"]["active"] == false)?;
    Ok(())
}

pub(crate) fn a_forwarding_is_set_at_the_exchange() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    let forwarding = |when: &str, active: bool| json!({"cmd": "line.forwarding", "line": "101", "when": when, "active": active, "to": "201", "rings": 4});
    for (when, service) in
        [("always", "forward_always"), ("busy", "forward_busy"), ("no_answer", "forward_no_answer")]
    {
        scene.pbx.turn(&forwarding(when, true))?;
        maud.service(service, |view| {
            let rings = when != "no_answer" || view["actual"]["rings"] == 4;
            let to = view["actual"]["to"] == "201";
            view["actual"]["active"] == true && to && rings
        })?;
        scene.pbx.turn(&forwarding(when, false))?;
        maud.service(service, |view| view["actual"]["active"] == false)?;
    }
    Ok(())
}

pub(crate) fn a_second_call_is_refused() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    scene.pbx.turn(&json!({"cmd": "line.call_waiting", "line": "101", "on": false}))?;
    maud.service("call_waiting", |view| view["actual"]["active"] == false)?;
    let own = maud.balie.dial(&scene.pbx.number("music")?)?;
    ensure!(outcome(&mut joris, "101")? == "busy_here");
    maud.balie.hangup(&own)
}

pub(crate) fn a_number_is_barred() -> Result<()> {
    let scene = Scene::start()?;
    let mut joris = scene.user("102")?;
    scene.pbx.turn(&json!({"cmd": "line.bar", "line": "102", "barred": "outside"}))?;
    let reason = outcome(&mut joris, "0302318800")?;
    ensure!(reason == "forbidden", "{reason}");
    ensure!(outcome(&mut joris, "201")? == "active");
    Ok(())
}

pub(crate) fn a_guests_time_is_up() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.watcher("101")?;
    let values = json!({"active": true, "to": "103@lindeboom.example"});
    let wish = json!({"service": "hoteling", "values": values});
    maud.balie.request("service.set", &wish)?;
    maud.service("hoteling", |view| view["state"] == "verified")?;
    scene.pbx.turn(&json!({"cmd": "line.guest_ends", "line": "101", "after_s": 0}))?;
    maud.service("hoteling", |view| view["actual"]["to"] == "")?;
    Ok(())
}

pub(crate) fn the_company_goes_to_bed() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    scene.pbx.turn(&json!({"cmd": "company.night", "mode": "on", "to": "202"}))?;
    maud.balie.forget("call.state");
    ensure!(outcome(&mut joris, &scene.pbx.number("main")?)? == "active");
    let rang = maud.balie.seen("call.state", |event| event["state"] == "ringing");
    ensure!(rang.is_none(), "the reception rings at night: {rang:?}");
    scene.pbx.turn(&json!({"cmd": "company.night", "mode": "off"}))?;
    let call = joris.balie.begin(&scene.pbx.number("main")?)?;
    maud.balie.ringing()?;
    joris.balie.hangup(&call)
}

pub(crate) fn a_transfer_fails() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    scene.customer("101", "+31302310001")?;
    let call = maud.balie.ringing()?;
    maud.balie.request("call.answer", &json!({"call": call}))?;
    maud.balie.call_state(&call, "active")?;
    scene.pbx.turn(&json!({"cmd": "transfer.fail", "status": 486}))?;
    maud.balie.request("call.transfer.blind", &json!({"call": call, "to": "201"}))?;
    maud.balie
        .event("call.transfer", |event| event["call"] == call && event["state"] == "failed")?;
    // The caller is still there.
    settle("the caller back", || {
        let stats = maud.balie.request("call.stats", &json!({"call": call}));
        Ok(stats.is_ok())
    })?;
    maud.balie.hangup(&call)
}

pub(crate) fn a_call_is_refused() -> Result<()> {
    let scene = Scene::start()?;
    let mut joris = scene.user("102")?;
    for (status, reason) in [(486, "busy_here"), (603, "declined"), (480, "unavailable")] {
        scene.pbx.turn(&json!({"cmd": "answer.status", "status": status, "to": "201"}))?;
        let told = outcome(&mut joris, "201")?;
        ensure!(told == reason, "{status} is {told}");
    }
    ensure!(outcome(&mut joris, "201")? == "active", "it holds for one call");
    Ok(())
}

pub(crate) fn colleagues_call_each_other() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    let list = scene.pbx.known("101")?["blf"].as_str().context("no list")?.to_owned();
    maud.balie.request("line.watch", &json!({"list": list}))?;
    scene.pbx.turn(&json!({"cmd": "life.set", "per_minute": 240.0, "talk_s": 3}))?;
    let busy = |event: &Value| event["state"] == "busy";
    maud.balie.event_within("line.state", crate::ward::WHOLE, busy)?;
    scene.pbx.turn(&json!({"cmd": "life.set", "per_minute": 0.0}))?;
    Ok(())
}

pub(crate) fn a_message_is_left() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    scene.pbx.turn(&json!({"cmd": "voicemail.deposit", "line": "101"}))?;
    maud.balie.event("mwi", |event| event["waiting"] == true && event["new"] == 1)?;
    maud.until("the counter", |view| view["messages"]["new"] == 1)?;
    Ok(())
}

pub(crate) fn messages_look_otherwise() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    for look in [
        json!({"cmd": "sip.look", "broadworks": true}),
        json!({"cmd": "sip.look", "pad": 2_000}),
        json!({"cmd": "sip.look", "multipart": true}),
        json!({"cmd": "sip.look", "broadworks": true, "multipart": true, "unsolicited": true}),
    ] {
        scene.pbx.turn(&look)?;
        scene.customer("101", "+31302310001")?;
        let call = maud.balie.ringing().with_context(|| look.to_string())?;
        maud.balie.request("call.answer", &json!({"call": call}))?;
        maud.balie.call_state(&call, "active")?;
        maud.balie
            .event("call.media", |event| event["call"] == call && event["rx_active"] == true)?;
        maud.balie.hangup(&call)?;
    }
    Ok(())
}
