//! What is asked of the call centre at the exchange itself, behind the program's back, and is shown.

#![expect(clippy::print_stdout, reason = "how long each took is part of what is proved")]

use anyhow::{Result, ensure};
use e2e::centre::{FAULTS, LIMIT, SERVICE, Scene, tail};
use serde_json::{Value, json};

use crate::ward::{Ward, settle};

fn night(view: &Value, queue: &str) -> Value {
    let mut all = view["nights"].as_array().into_iter().flatten();
    all.find(|night| night["name"] == queue).cloned().unwrap_or_default()
}

pub(crate) fn the_night_falls() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&json!({"cmd": "queue.night", "queue": "195", "mode": "automatic"}))?;
    // 2026-11-30 was a Monday: noon, and midnight.
    let monday = 20_787_u64 * 86_400;
    ward.turn(&json!({"cmd": "clock.set", "local_s": monday + 12 * 3_600}))?;
    ward.karel.until("day", |view| night(view, SERVICE)["active"] == false)?;
    ward.turn(&json!({"cmd": "clock.set", "local_s": monday + 23 * 3_600}))?;
    ward.karel.until("night", |view| night(view, SERVICE)["active"] == true)?;
    ward.whole("night")?;
    Ok(())
}

pub(crate) fn customers_come() -> Result<()> {
    let mut ward = Ward::start()?;
    for _ in 0..4 {
        ward.caller("195")?;
    }
    ward.whole("four callers")?;
    let view = ward.karel.queue(SERVICE, "five callers", |view| view["entries"][4].is_object())?;
    ensure!(view["entries"][4]["position"] == 5, "{view}");
    Ok(())
}

pub(crate) fn many_customers_come() -> Result<()> {
    let mut ward = Ward::start()?;
    let rush = |rate: f64| {
        json!({
            "cmd": "callers.set", "rate": rate, "to": ["195", "196"], "patience_s": [1, 3], "talk_s": [1, 2],
        })
    };
    ward.turn(&rush(100.0))?;
    let some = |view: &Value| view["abandoned"].as_array().is_some_and(|all| all.len() >= 3);
    ward.karel.until("callers who give up", some)?;
    ward.turn(&rush(0.0))?;
    ward.whole("a rush")?;
    let counted = ward.turn(&json!({"cmd": "queue.list"}))?;
    let gave_up: u64 = counted["queues"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|queue| queue["counts"]["abandoned"].as_u64())
        .sum();
    // Who tried twice is in the list once.
    let view = ward.karel.until("those who gave up", |view| {
        let all = view["abandoned"].as_array().into_iter().flatten();
        all.filter_map(|one| one["times"].as_u64()).sum::<u64>() >= gave_up
    })?;
    println!(
        "    {gave_up} gave up, {} are shown",
        view["abandoned"].as_array().map_or(0, Vec::len)
    );
    Ok(())
}

pub(crate) fn agents_change_their_states() -> Result<()> {
    let mut ward = Ward::start()?;
    for (state, code) in [
        ("unavailable", Some("LUNCH")),
        ("available", None),
        ("sign_out", None),
        ("available", None),
    ] {
        ward.agent("105", state, code)?;
        ward.whole(state)?;
    }
    Ok(())
}

pub(crate) fn agents_join_and_leave() -> Result<()> {
    let mut ward = Ward::start()?;
    for joined in [true, false, true] {
        ward.turn(&json!({"cmd": "agent.join", "agent": "105", "queue": "196", "joined": joined}))?;
        ward.whole(if joined { "joined" } else { "left" })?;
    }
    Ok(())
}

/// An agent who has just talked and finishes the call.
fn finishing(scene: &Scene) -> Result<e2e::centre::User> {
    scene.pbx.turn(&json!({"cmd": "agent.state", "agent": "105", "state": "sign_out"}))?;
    let mut bas = scene.user("104")?;
    scene.customer("195", "+31302310001")?;
    let call = bas.balie.ringing()?;
    bas.balie.request("call.answer", &json!({"call": call}))?;
    bas.balie.call_state(&call, "active")?;
    bas.balie.hangup(&call)?;
    bas.agent("wrap-up", |agent| agent["state"] == "wrap_up")?;
    Ok(bas)
}

pub(crate) fn a_wrap_up_is_extended() -> Result<()> {
    let scene = Scene::start()?;
    let mut bas = finishing(&scene)?;
    scene.pbx.turn(&json!({"cmd": "agent.extend", "agent": "104", "by_s": 60}))?;
    let agent = scene.agent("104")?;
    ensure!(agent["wrap_up_left_s"].as_u64() > Some(60), "{agent}");
    bas.balie.request("agent.state", &json!({"state": "available"}))?;
    bas.agent("the end of it", |agent| agent["state"] == "available")?;
    scene.until_agent("104", |agent| agent["state"] == "available")?;
    Ok(())
}

pub(crate) fn an_outcome_is_given_at_the_exchange() -> Result<()> {
    let scene = Scene::start()?;
    let mut bas = finishing(&scene)?;
    bas.until("the question", |view| view["dispositions"][0].is_object())?;
    scene.pbx.turn(&json!({"cmd": "agent.disposition", "agent": "104", "code": "FACTUUR"}))?;
    let wrong =
        scene.pbx.control(&json!({"cmd": "agent.disposition", "agent": "104", "code": "NEE"}))?;
    ensure!(wrong["error"]["code"] == "refused", "{wrong}");
    // One that is not forced may be left open here.
    settle("no question", || {
        let open = bas.view()?["dispositions"][0].clone();
        if open.is_object() {
            let skipped = json!({"disposition": open["id"]});
            // It may have been settled by what the exchange told meanwhile.
            let _ = bas.balie.request("disposition.skip", &skipped);
        }
        Ok(open.is_null())
    })
}

pub(crate) fn callers_are_reordered() -> Result<()> {
    let mut ward = Ward::start()?;
    let last = [ward.caller("195")?, ward.caller("195")?][1];
    ward.whole("three callers")?;
    ward.turn(&json!({"cmd": "queue.reorder", "call": last, "index": 0}))?;
    ward.whole("the last one first")?;
    let view =
        ward.karel.queue(SERVICE, "the order", |view| view["entries"][0]["reordered"] == true)?;
    ensure!(view["entries"][0]["position"] == 1, "{view}");
    Ok(())
}

pub(crate) fn callers_are_promoted() -> Result<()> {
    let mut ward = Ward::start()?;
    let last = ward.caller("196")?;
    ward.turn(&json!({"cmd": "queue.promote", "call": last, "priority": "highest"}))?;
    ward.whole("promoted")?;
    ward.karel.queue(FAULTS, "the order", |view| view["entries"][0]["priority"] == "highest")?;
    Ok(())
}

pub(crate) fn callers_are_sent_on() -> Result<()> {
    let mut ward = Ward::start()?;
    let call = ward.caller("195")?;
    ward.whole("waiting")?;
    ward.turn(&json!({"cmd": "queue.transfer", "call": call, "to": "201"}))?;
    ward.whole("sent on")?;
    ward.karel.queue(SERVICE, "one less", |view| view["entries"][1].is_null())?;
    let view = ward.karel.view()?;
    ensure!(view["abandoned"] == json!([]), "who was sent on did not give up: {view}");
    Ok(())
}

pub(crate) fn callers_are_released() -> Result<()> {
    let mut ward = Ward::start()?;
    let call = ward.caller("195")?;
    ward.whole("waiting")?;
    ward.turn(&json!({"cmd": "queue.release", "call": call}))?;
    ward.whole("released")?;
    let view = ward.karel.view()?;
    ensure!(view["abandoned"] == json!([]), "who was released did not give up: {view}");
    Ok(())
}

pub(crate) fn a_queue_goes_to_bed() -> Result<()> {
    let mut ward = Ward::start()?;
    for (mode, active) in [("on", true), ("off", false)] {
        ward.turn(&json!({"cmd": "queue.night", "queue": "195", "mode": mode}))?;
        ward.karel.until(mode, |view| night(view, SERVICE)["active"] == active)?;
        ward.karel.queue(SERVICE, mode, |view| view["night"] == active)?;
    }
    Ok(())
}

pub(crate) fn a_queue_is_forwarded() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&json!({"cmd": "queue.forward", "queue": "196", "active": true, "to": "101"}))?;
    ward.karel.queue(FAULTS, "where to", |view| tail(&view["forwarded_to"]) == "101")?;
    ward.turn(&json!({"cmd": "queue.forward", "queue": "196", "active": false}))?;
    ward.karel.queue(FAULTS, "nowhere", |view| view["forwarded_to"].is_null())?;
    Ok(())
}

pub(crate) fn a_queue_is_set_up_anew() -> Result<()> {
    let mut ward = Ward::start()?;
    let told = ward.turn(&json!({"cmd": "queue.list", "queue": "195"}))?;
    let mut config = told["queues"][0]["config"].clone();
    config["thresholds"]["calls"]["yellow"] = json!(1);
    ward.turn(&json!({"cmd": "queue.configure", "config": config}))?;
    ward.caller("195")?;
    ward.karel.queue(SERVICE, "the new figures", |view| {
        let mut all = view["measures"].as_array().into_iter().flatten();
        let waiting = all.find(|one| one["measure"] == "waiting");
        waiting.is_some_and(|one| one["severity"] == "yellow")
    })?;
    ward.karel.balie.request("centre.refresh", &json!({}))?;
    ward.scene.same(&mut ward.karel, LIMIT)?;
    Ok(())
}
