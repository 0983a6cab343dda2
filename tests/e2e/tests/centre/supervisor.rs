//! E4: a supervisor sees the agents, changes their states, and moves those who wait.

use anyhow::{Context as _, Result, ensure};
use e2e::centre::{FAULTS, LIMIT, SERVICE, Scene, User, tail};
use serde_json::{Value, json};

fn waiting(view: &Value) -> Vec<(String, String)> {
    let entries = view["entries"].as_array().into_iter().flatten();
    let entry = |entry: &Value| {
        (tail(&entry["peer"]["number"]), entry["call"].as_str().unwrap_or_default().to_owned())
    };
    entries.map(entry).collect()
}

fn numbers(view: &Value) -> Vec<String> {
    waiting(view).into_iter().map(|(number, _)| number).collect()
}

/// Lets callers with these ends of numbers wait, and gives back their names in the queue.
fn callers(scene: &Scene, user: &mut User, queue: (&str, &str), count: u32) -> Result<Vec<String>> {
    for at in 1..=count {
        scene.customer(queue.0, &format!("+3130231000{at}"))?;
        user.queue(queue.1, "the caller", |view| waiting(view).len() == at as usize)?;
    }
    let view = user.queue(queue.1, "all callers", |view| waiting(view).len() == count as usize)?;
    Ok(waiting(&view).into_iter().map(|(_, call)| call).collect())
}

fn agent(view: &Value, name: &str) -> Value {
    let mut agents = view["agents"].as_array().into_iter().flatten();
    agents.find(|agent| agent["name"] == name).cloned().unwrap_or_default()
}

#[test]
pub(crate) fn agents_are_seen_and_their_states_and_queues_changed() -> Result<()> {
    let scene = Scene::start()?;
    let mut karel = scene.watcher("106")?;
    let name = "Nynke de Jong";
    let view =
        karel.queue(SERVICE, "the agents", |view| agent(view, name)["state"] == "available")?;
    let nynke = agent(&view, name);
    ensure!(nynke["joined"] == true && nynke["number"] == "105", "{nynke}");
    ensure!(nynke["actions"].as_array().is_some_and(|all| all.contains(&json!("set_state"))));
    let lunch = json!({"agent": name, "state": "unavailable", "reason": "LUNCH"});
    karel.balie.request("agent.state", &lunch)?;
    let view = karel.queue(SERVICE, "lunch", |view| agent(view, name)["reason"] == "LUNCH")?;
    ensure!(agent(&view, name)["reason_text"] == "Lunch", "{view}");
    scene.until_agent("105", |agent| agent["code"] == "LUNCH")?;
    karel.balie.request("queue.join", &json!({"queue": FAULTS, "agent": "105"}))?;
    karel.queue(FAULTS, "her there", |view| agent(view, name)["joined"] == true)?;
    karel.balie.request("agent.state", &json!({"agent": "105", "state": "sign_out"}))?;
    karel.queue(SERVICE, "her gone", |view| agent(view, name)["state"] == "signed_out")?;
    scene.same(&mut karel, LIMIT)?;
    // He is no agent himself.
    karel.refused("agent.state", &json!({"state": "available"}), "licence_missing")?;
    Ok(())
}

#[test]
pub(crate) fn those_who_wait_are_reordered_promoted_sent_on_and_released() -> Result<()> {
    let scene = Scene::start()?;
    let mut karel = scene.watcher("106")?;
    for agent in ["222", "223", "224", "226"] {
        scene.pbx.turn(&json!({"cmd": "agent.state", "agent": agent, "state": "unavailable"}))?;
    }
    let calls = callers(&scene, &mut karel, ("195", SERVICE), 4)?;
    let moved = json!({"queue": SERVICE, "call": calls[2], "position": 1});
    ensure!(karel.balie.request("queue.reorder", &moved)?["position"] == 1);
    karel.queue(SERVICE, "the new order", |view| {
        numbers(view) == ["02310003", "02310001", "02310002", "02310004"]
    })?;
    karel.balie.request("queue.release", &json!({"queue": SERVICE, "call": calls[0]}))?;
    let sent = json!({"queue": SERVICE, "call": calls[1], "to": "201"});
    karel.balie.request("queue.move", &sent)?;
    karel.queue(SERVICE, "two left", |view| numbers(view) == ["02310003", "02310004"])?;
    karel.refused(
        "queue.release",
        &json!({"queue": SERVICE, "call": calls[0]}),
        "unknown_queue",
    )?;

    let urgent = callers(&scene, &mut karel, ("196", FAULTS), 2)?;
    let promote = json!({"queue": FAULTS, "call": urgent[1], "priority": "highest"});
    ensure!(karel.balie.request("queue.promote", &promote)?["position"] == 1);
    let view = karel.queue(FAULTS, "the promotion", |view| numbers(view)[0] == "02310002")?;
    ensure!(view["entries"][0]["priority"] == "highest", "{view}");
    let down = json!({"queue": FAULTS, "call": urgent[1], "priority": "low"});
    ensure!(karel.balie.request("queue.promote", &down).is_err(), "nobody is put back");
    scene.same(&mut karel, LIMIT)?;
    Ok(())
}

#[test]
pub(crate) fn a_supervisor_takes_a_caller_at_his_own_telephone() -> Result<()> {
    let scene = Scene::start()?;
    let mut karel = scene.user("106")?;
    let calls = callers(&scene, &mut karel, ("195", SERVICE), 2)?;
    karel.balie.request("queue.move", &json!({"queue": SERVICE, "call": calls[1]}))?;
    let ringing = karel.balie.ringing()?;
    karel.balie.request("call.answer", &json!({"call": ringing}))?;
    let active = karel.balie.call_state(&ringing, "active")?;
    let uri = active["peer"]["uri"].as_str().context("who")?;
    ensure!(uri.contains("302310002"), "{active}");
    karel.queue(SERVICE, "the other one", |view| numbers(view) == ["02310001"])?;
    karel.balie.hangup(&ringing)
}

#[test]
pub(crate) fn night_and_forwarding_of_a_queue_are_set_and_read_back() -> Result<()> {
    let scene = Scene::start()?;
    let mut karel = scene.watcher("106")?;
    let night = |view: &Value| {
        let mut all = view["nights"].as_array().into_iter().flatten();
        all.find(|night| night["name"] == SERVICE).cloned().unwrap_or_default()
    };
    karel.until("day", |view| night(view)["active"] == false)?;
    karel.balie.request("night.set", &json!({"queue": SERVICE, "night": "on"}))?;
    let view = karel.until("night", |view| {
        night(view)["active"] == true
            && night(view)["choice"] == "on"
            && night(view)["state"] == "verified"
    })?;
    ensure!(night(&view)["may_change"] == true, "{view}");
    let told = scene.pbx.turn(&json!({"cmd": "queue.list", "queue": "195"}))?;
    ensure!(told["queues"][0]["night"] == true, "{told}");

    let emergency = |view: &Value| {
        let mut all = view["emergency"].as_array().into_iter().flatten();
        all.find(|one| one["name"] == FAULTS).cloned().unwrap_or_default()
    };
    karel.balie.request("emergency.forward", &json!({"queue": FAULTS, "to": "06-12345678"}))?;
    let view = karel.until("forwarding", |view| emergency(view)["state"] == "verified")?;
    ensure!(tail(&emergency(&view)["actual"]) == "12345678", "{view}");
    karel.queue(FAULTS, "where it goes", |view| tail(&view["forwarded_to"]) == "12345678")?;
    let told = scene.pbx.turn(&json!({"cmd": "queue.list", "queue": "196"}))?;
    ensure!(told["queues"][0]["forwarded"] == true, "{told}");
    karel.balie.request("emergency.forward", &json!({"queue": FAULTS}))?;
    karel.queue(FAULTS, "no forwarding", |view| view["forwarded_to"].is_null())?;
    Ok(())
}
