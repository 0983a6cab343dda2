//! F1, F2, F5: each service is written, read back, and does to a call what it says; what the account lacks is named
//! and not offered.

use anyhow::{Result, ensure};
use e2e::centre::{Scene, User};
use e2e::xsi::Visitor;
use serde_json::{Value, json};

/// Sets a service and waits until the exchange has told it back so.
fn set(user: &mut User, service: &str, values: &Value) -> Result<Value> {
    user.balie.request("service.set", &json!({"service": service, "values": values}))?;
    user.service(service, |view| view["state"] == "verified" && holds(&view["actual"], values))
}

/// Whether all of the values are so. Numbers may be told back in another notation.
fn holds(actual: &Value, values: &Value) -> bool {
    let mut all = values.as_object().into_iter().flatten();
    all.all(|(name, value)| actual[name] == *value || name == "to" || name == "numbers")
}

/// What the exchange itself says of a service of 101.
fn at_exchange(scene: &Scene, path: &str) -> Result<String> {
    Visitor::new(&scene.pbx, "101")?.own("GET", &format!("services/{path}"), "")
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

/// Nobody has rung here since this was asked last.
fn is_quiet(user: &mut User) -> bool {
    let rang = user.balie.seen("call.state", |event| event["state"] == "ringing").is_some();
    user.balie.forget("call.state");
    !rang
}

#[test]
pub(crate) fn do_not_disturb_and_refused_callers() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    set(&mut maud, "do_not_disturb", &json!({"active": true}))?;
    ensure!(at_exchange(&scene, "DoNotDisturb")?.contains("<active>true</active>"));
    ensure!(outcome(&mut joris, "101")? != "active" && is_quiet(&mut maud));
    // Somebody switches it off elsewhere.
    scene.pbx.turn(&json!({"cmd": "line.dnd", "line": "101", "on": false}))?;
    maud.service("do_not_disturb", |view| view["actual"]["active"] == false)?;

    set(&mut maud, "reject_anonymous", &json!({"active": true}))?;
    set(&mut joris, "withhold_number", &json!({"active": true}))?;
    ensure!(outcome(&mut joris, "101")? != "active" && is_quiet(&mut maud));
    set(&mut maud, "reject_anonymous", &json!({"active": false}))?;
    let call = joris.balie.begin("101")?;
    let ringing = maud.balie.event("call.state", |event| event["state"] == "ringing")?;
    ensure!(!ringing["peer"].to_string().contains("102"), "the number is withheld: {ringing}");
    joris.balie.hangup(&call)?;
    Ok(())
}

#[test]
pub(crate) fn every_forwarding_leads_where_it_says() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    set(&mut maud, "forward_always", &json!({"active": true, "to": "201"}))?;
    let told = at_exchange(&scene, "CallForwardingAlways")?;
    ensure!(told.contains("<active>true</active>") && told.contains("201"), "{told}");
    ensure!(outcome(&mut joris, "101")? == "active" && is_quiet(&mut maud));
    set(&mut maud, "forward_always", &json!({"active": false}))?;

    // While she talks and wants no second call, it goes on to somebody else.
    set(&mut maud, "forward_busy", &json!({"active": true, "to": "201"}))?;
    set(&mut maud, "call_waiting", &json!({"active": false}))?;
    let own = maud.balie.dial(&scene.pbx.number("music")?)?;
    maud.balie.forget("call.state");
    ensure!(outcome(&mut joris, "101")? == "active" && is_quiet(&mut maud));
    set(&mut maud, "forward_busy", &json!({"active": false}))?;
    ensure!(outcome(&mut joris, "101")? == "busy_here" && is_quiet(&mut maud));
    set(&mut maud, "call_waiting", &json!({"active": true}))?;
    let call = joris.balie.begin("101")?;
    maud.balie.ringing()?;
    joris.balie.hangup(&call)?;
    maud.balie.hangup(&own)?;

    set(&mut maud, "forward_no_answer", &json!({"active": true, "to": "201", "rings": 2}))?;
    ensure!(at_exchange(&scene, "CallForwardingNoAnswer")?.contains("<numberOfRings>2<"));
    let call = joris.balie.begin("101")?;
    maud.balie.ringing()?;
    joris.balie.event_within("call.state", std::time::Duration::from_secs(40), |event| {
        event["call"] == call && event["state"] == "active"
    })?;
    joris.balie.hangup(&call)?;
    set(&mut maud, "forward_no_answer", &json!({"active": false}))?;

    set(&mut maud, "forward_not_reachable", &json!({"active": true, "to": "201"}))?;
    maud.balie.request("account.unregister", &json!({"account": "main"}))?;
    maud.balie.event("account.state", |event| event["state"] == "unregistered")?;
    ensure!(outcome(&mut joris, "101")? == "active");
    maud.refused(
        "service.set",
        &json!({"service": "forward_busy", "values": {"active": true, "to": ""}}),
        "bad_value",
    )?;
    Ok(())
}

#[test]
pub(crate) fn voicemail_answers_and_its_lamp_lights() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    let mail = json!({"active": true, "always": true, "busy": false, "no_answer": true, "email": "maud@lindeboom.example"});
    let view = set(&mut maud, "voice_mail", &mail)?;
    ensure!(view["actual"]["has_mailbox"] == true, "{view}");
    let told = at_exchange(&scene, "VoiceMessaging")?;
    ensure!(told.contains("<alwaysRedirectToVoiceMail>true<"), "{told}");
    ensure!(told.contains("maud@lindeboom.example"), "{told}");
    ensure!(outcome(&mut joris, "101")? == "active" && is_quiet(&mut maud));
    scene.pbx.turn(&json!({"cmd": "voicemail.deposit", "line": "101"}))?;
    let lamp = maud.balie.event("mwi", |event| event["waiting"] == true)?;
    ensure!(lamp["new"].as_u64() >= Some(1), "{lamp}");
    maud.until("the counter of the exchange", |view| view["messages"]["new"].as_u64() >= Some(1))?;
    Ok(())
}

#[test]
pub(crate) fn what_is_not_there_is_not_offered_and_its_licence_named() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.watcher("101")?;
    let view = maud.live()?;
    let missing = |name: &str| {
        let mut all = view["missing"].as_array().into_iter().flatten();
        all.find(|one| one["capability"] == name).cloned()
    };
    let can =
        |name: &str| view["capabilities"].as_array().is_some_and(|all| all.contains(&json!(name)));
    for name in ["agent", "supervise", "silent_monitor", "disposition"] {
        ensure!(!can(name), "a receptionist has {name}");
        let licence = missing(name).unwrap_or_default()["licence"].clone();
        ensure!(licence.as_str().is_some_and(|licence| !licence.is_empty()), "{name}: {licence}");
    }
    ensure!(view["agent"].is_null(), "{view}");
    let text = maud.refused("agent.state", &json!({"state": "available"}), "licence_missing")?;
    ensure!(text.contains("Call Center"), "{text}");
    // The company's night can be read and not be changed by its user.
    let night = json!({"night": "on"});
    maud.service("night", |view| view["editable"] == false)?;
    maud.refused("night.set", &night, "forbidden")?;
    Ok(())
}
