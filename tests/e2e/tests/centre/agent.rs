//! E1: the agent's state, queues and wrap-up are the exchange's, and a drift is shown and settled.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::centre::{FAULTS, SERVICE, Scene};
use e2e::pause;
use e2e::xsi::Visitor;
use serde_json::{Value, json};

fn is(agent: &Value, state: &str, reason: &str) -> bool {
    agent["state"] == state && agent["reason"] == reason
}

fn joined(agent: &Value, queue: &str) -> Option<bool> {
    let mut places = agent["queues"].as_array()?.iter();
    places.find(|place| place["name"] == queue)?["joined"].as_bool()
}

#[test]
pub(crate) fn an_agent_signs_in_goes_to_lunch_and_signs_out() -> Result<()> {
    let scene = Scene::start()?;
    let mut bas = scene.user("104")?;
    let start = bas.agent("beginning", |agent| is(agent, "available", ""))?;
    ensure!(start["reasons"][1]["code"] == "LUNCH", "{start}");
    bas.balie.request("agent.state", &json!({"state": "sign_out"}))?;
    bas.agent("end of the day", |agent| is(agent, "signed_out", ""))?;
    scene.until_agent("104", |agent| agent["state"] == "sign_out")?;
    bas.balie.request("agent.state", &json!({"state": "sign_in"}))?;
    bas.balie.event("agent.changed", |event| event["state"] == "signing_in")?;
    bas.agent("signed in", |agent| is(agent, "available", ""))?;

    bas.refused("agent.state", &json!({"state": "unavailable", "reason": "VISSEN"}), "bad_value")?;
    bas.balie.request("agent.state", &json!({"state": "unavailable", "reason": "LUNCH"}))?;
    let lunch = bas.agent("lunch", |agent| is(agent, "unavailable", "LUNCH"))?;
    ensure!(lunch["reason_text"] == "Lunch" && lunch["since_ms"].is_u64(), "{lunch}");
    scene.until_agent("104", |agent| agent["code"] == "LUNCH")?;
    // Without a reason the exchange's default is sent.
    bas.balie.request("agent.state", &json!({"state": "unavailable"}))?;
    bas.agent("break", |agent| is(agent, "unavailable", "PAUZE"))?;
    bas.balie.request("agent.state", &json!({"state": "available"}))?;
    bas.agent("back", |agent| is(agent, "available", "") && agent["drift"].is_null())?;
    scene.until_agent("104", |agent| agent["state"] == "available")?;
    Ok(())
}

#[test]
pub(crate) fn queues_are_joined_and_left_one_by_one() -> Result<()> {
    let scene = Scene::start()?;
    let mut nynke = scene.user("105")?;
    let both = |service, faults| {
        move |agent: &Value| {
            joined(agent, SERVICE) == Some(service) && joined(agent, FAULTS) == Some(faults)
        }
    };
    nynke.agent("beginning", both(true, false))?;
    nynke.balie.request("queue.join", &json!({"queue": FAULTS}))?;
    nynke.agent("both", both(true, true))?;
    nynke.balie.request("queue.leave", &json!({"queue": SERVICE}))?;
    nynke.agent("one", both(false, true))?;
    let place = |agent: &Value, queue: &str| {
        let mut places = agent["queues"].as_array().into_iter().flatten();
        places.any(|place| place["queue"] == queue && place["joined"] == true)
    };
    scene.until_agent("105", |agent| !place(agent, "195") && place(agent, "196"))?;
    // Somebody else changes it, and it is shown at once.
    scene
        .pbx
        .turn(&json!({"cmd": "agent.join", "agent": "105", "queue": "195", "joined": true}))?;
    nynke.agent("both again", both(true, true))?;
    nynke.refused("queue.join", &json!({"queue": "Nergens"}), "unknown_queue")?;
    Ok(())
}

#[test]
pub(crate) fn the_last_agent_of_a_queue_must_insist_on_leaving() -> Result<()> {
    let scene = Scene::start()?;
    scene.pbx.turn(&json!({"cmd": "agent.state", "agent": "105", "state": "sign_out"}))?;
    let mut bas = scene.user("104")?;
    bas.refused("agent.state", &json!({"state": "sign_out"}), "last_staffed")?;
    let refused = bas.agent("the refusal", |agent| agent["refused"]["code"] == "last_staffed")?;
    ensure!(refused["refused"]["queues"] == json!([SERVICE]), "{refused}");
    ensure!(refused["state"] == "available", "{refused}");
    bas.balie.request("agent.state", &json!({"state": "sign_out", "force": true}))?;
    bas.agent("gone", |agent| is(agent, "signed_out", ""))?;
    scene.until_agent("104", |agent| agent["state"] == "sign_out")?;
    Ok(())
}

#[test]
pub(crate) fn a_state_changed_behind_his_back_is_shown_and_corrected() -> Result<()> {
    let scene = Scene::start()?;
    let mut bas = scene.user("104")?;
    bas.balie.request("agent.state", &json!({"state": "available"}))?;
    bas.agent("available", |agent| is(agent, "available", "") && agent["pending"].is_null())?;
    let other = Visitor::new(&scene.pbx, "104")?;
    other.agent_state("Unavailable", Some("OVERLEG"))?;
    // What is so is shown at once, that it was not wanted after a while.
    bas.agent("the truth", |agent| is(agent, "unavailable", "OVERLEG"))?;
    let view = bas.until("drift", |view| !view["agent"]["drift"].is_null())?;
    let drift = &view["agent"]["drift"];
    ensure!(drift["wanted"] == "available" && drift["actual"] == "unavailable", "{drift}");
    ensure!(drift["actual_reason"] == "OVERLEG" && drift["cause"] == "unknown", "{drift}");
    ensure!(view["warnings"].as_array().is_some_and(|all| all.contains(&json!("agent_drift"))));
    bas.balie.request("agent.drift", &json!({"action": "repeat"}))?;
    bas.agent("corrected", |agent| is(agent, "available", "") && agent["drift"].is_null())?;
    scene.until_agent("104", |agent| agent["state"] == "available")?;

    let away =
        json!({"cmd": "agent.state", "agent": "104", "state": "unavailable", "code": "ADMIN"});
    scene.pbx.turn(&away)?;
    bas.agent("drift again", |agent| agent["drift"]["actual_reason"] == "ADMIN")?;
    bas.balie.request("agent.drift", &json!({"action": "accept"}))?;
    bas.agent("accepted", |agent| is(agent, "unavailable", "ADMIN") && agent["drift"].is_null())?;
    Ok(())
}

/// Gives a queue a wrap-up of so many seconds.
fn wrap_up(scene: &Scene, queue: &str, seconds: u64) -> Result<()> {
    let told = scene.pbx.turn(&json!({"cmd": "queue.list", "queue": queue}))?;
    let mut config = told["queues"][0]["config"].clone();
    config["post_call"]["wrap_up_s"] = json!(seconds);
    scene.pbx.turn(&json!({"cmd": "queue.configure", "config": config}))?;
    Ok(())
}

#[test]
pub(crate) fn a_wrap_up_counts_down_and_lasts_longer_when_asked() -> Result<()> {
    let scene = Scene::start()?;
    wrap_up(&scene, "195", 4)?;
    let mut bas = scene.user("104")?;
    scene.customer("195", "+31302310001")?;
    let ringing = bas.balie.ringing()?;
    bas.balie.request("call.answer", &json!({"call": ringing}))?;
    bas.balie.call_state(&ringing, "active")?;
    bas.balie.hangup(&ringing)?;
    let wrapping = bas.agent("wrap-up", |agent| agent["state"] == "wrap_up")?;
    let until = wrapping["wrap_up"]["until_ms"].as_u64().context("no countdown")?;
    let since = wrapping["since_ms"].as_u64().context("no beginning")?;
    ensure!(until == since + 4_000, "it lasts from {since} to {until}");
    ensure!(wrapping["wrap_up"]["queue"] == SERVICE, "{wrapping}");
    bas.balie.request("agent.wrap_up.extend", &json!({"seconds": 5}))?;
    let longer = bas.agent("longer", |agent| agent["wrap_up"]["extended"] == true)?;
    let until = longer["wrap_up"]["until_ms"].as_u64().context("no countdown")?;
    ensure!(until >= since + 9_000, "extended to {until}, from {since}");
    // The exchange would have ended it at four seconds.
    let lasted = scene.agent("104")?["for_s"].as_u64().context("no duration")?;
    while scene.agent("104")?["for_s"].as_u64() < Some(6) {
        let agent = scene.agent("104")?;
        ensure!(agent["state"] == "wrap_up", "after {lasted} s: {agent}");
        pause(Duration::from_millis(200));
    }
    bas.agent("its end", |agent| is(agent, "available", "") && agent["drift"].is_null())?;
    let ended = scene.until_agent("104", |agent| agent["state"] == "available")?;
    ensure!(ended["counts"]["wrap_up_s"].as_u64() >= Some(8), "{ended}");
    Ok(())
}
