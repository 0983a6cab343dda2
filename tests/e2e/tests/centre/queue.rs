//! E2, E3, E5: who waits, how long and how bad that is; the queue of a call to its end; those who gave up.

use anyhow::{Context as _, Result, ensure};
use e2e::centre::{FAULTS, LIMIT, SERVICE, Scene, tail};
use e2e::xsi::Visitor;
use serde_json::{Value, json};

fn measure(view: &Value, name: &str) -> Option<(u64, String)> {
    let mut all = view["measures"].as_array()?.iter();
    let found = all.find(|measure| measure["measure"] == name)?;
    Some((found["value"].as_u64()?, found["severity"].as_str()?.to_owned()))
}

fn numbers(view: &Value) -> Vec<String> {
    let entries = view["entries"].as_array().into_iter().flatten();
    entries.map(|entry| tail(&entry["peer"]["number"])).collect()
}

#[test]
pub(crate) fn those_who_wait_are_shown_with_place_wait_priority_and_name() -> Result<()> {
    let scene = Scene::start()?;
    let mut karel = scene.watcher("106")?;
    for number in ["+31302310001", "+31302310002", "+31302310003"] {
        scene.customer("195", number)?;
    }
    let view = karel.queue(SERVICE, "three callers", |view| numbers(view).len() == 3)?;
    ensure!(numbers(&view) == ["02310001", "02310002", "02310003"], "{view}");
    for (at, entry) in view["entries"].as_array().into_iter().flatten().enumerate() {
        ensure!(entry["position"] == at + 1 && entry["priority"] == "highest", "{entry}");
        ensure!(entry["peer"]["name"] == format!("Klant +3130231000{}", at + 1), "{entry}");
        ensure!(entry["state"] == "queued" && entry["bounced"] == false, "{entry}");
    }
    let since = view["entries"][0]["since_ms"].as_u64().context("since when")?;
    ensure!(view["longest_since_ms"] == since, "{view}");
    // Three is yellow by the exchange's thresholds.
    let view = karel.queue(SERVICE, "a yellow figure", |view| {
        measure(view, "waiting") == Some((3, "yellow".to_owned())) && view["severity"] == "yellow"
    })?;
    ensure!(measure(&view, "agents_assigned").is_some_and(|(count, _)| count == 2), "{view}");
    ensure!(measure(&view, "expected_wait").is_some(), "{view}");
    scene.same(&mut karel, LIMIT)?;
    // The user's own thresholds go before, and time alone crosses them.
    let thresholds = json!([{"measure": "longest_wait", "yellow": 1, "red": 2}]);
    karel
        .balie
        .request("queue.thresholds", &json!({"queue": SERVICE, "thresholds": thresholds}))?;
    karel.queue(SERVICE, "a red wait", |view| {
        measure(view, "longest_wait").is_some_and(|(_, severity)| severity == "red")
    })?;
    karel.balie.event("queue.changed", |event| event["severity"] == "red")?;
    Ok(())
}

#[test]
pub(crate) fn a_call_names_its_queue_to_the_end_and_gets_an_outcome() -> Result<()> {
    let scene = Scene::start()?;
    scene.pbx.turn(&json!({"cmd": "agent.state", "agent": "105", "state": "sign_out"}))?;
    // He waits before anybody is there to take him.
    scene.customer("195", "+31302310007")?;
    let mut bas = scene.user("104")?;
    let ringing = bas.balie.ringing()?;
    let named = |event: &Value| event["call"] == ringing && event["queue"]["name"] == SERVICE;
    // How long he waited is told a little later than that he came from there.
    let waited = |event: &Value| named(event) && event["queue"]["waited"].is_u64();
    let told = bas.balie.event("call.state", waited)?;
    ensure!(told["state"] == "ringing", "{told}");
    bas.balie.request("call.answer", &json!({"call": ringing}))?;
    let active =
        bas.balie.event("call.state", |event| named(event) && event["state"] == "active")?;
    let uri = active["peer"]["uri"].as_str().unwrap_or_default();
    ensure!(uri.contains("302310007"), "{active}");
    bas.balie.request("call.hangup", &json!({"call": ringing}))?;
    bas.balie.event("call.state", |event| named(event) && event["state"] == "ended")?;

    let open = |view: &Value| view["dispositions"].as_array().is_some_and(|all| !all.is_empty());
    let view = bas.until("an outcome to be asked for", open)?;
    let asked = &view["dispositions"][0];
    ensure!(asked["queue_name"] == SERVICE && asked["forced"] == false, "{asked}");
    let codes: Vec<&str> = asked["codes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|code| code["code"].as_str())
        .collect();
    // Those of the queue, and those of the organisation.
    ensure!(codes == ["FACTUUR", "AFSPRAAK", "OPGELOST", "TERUGBEL"], "{codes:?}");
    bas.refused("disposition.set", &json!({"call": ringing, "code": "NIETS"}), "bad_value")?;
    bas.balie.request("disposition.set", &json!({"call": ringing, "code": "FACTUUR"}))?;
    bas.until("no open outcome", |view| !open(view))?;
    Ok(())
}

#[test]
pub(crate) fn an_outcome_that_is_forced_cannot_be_left_out() -> Result<()> {
    let scene = Scene::start()?;
    for agent in ["222", "223", "224", "226"] {
        scene.pbx.turn(&json!({"cmd": "agent.state", "agent": agent, "state": "sign_out"}))?;
    }
    let mut bas = scene.user("104")?;
    scene.customer("196", "+31302310008")?;
    let ringing = bas.balie.ringing()?;
    bas.balie.request("call.answer", &json!({"call": ringing}))?;
    bas.balie.call_state(&ringing, "active")?;
    bas.balie.hangup(&ringing)?;
    let view = bas.until("an outcome to be asked for", |view| {
        view["dispositions"].as_array().is_some_and(|all| !all.is_empty())
    })?;
    let asked = view["dispositions"][0].clone();
    ensure!(asked["queue_name"] == FAULTS && asked["forced"] == true, "{asked}");
    ensure!(
        view["warnings"].as_array().is_some_and(|all| all.contains(&json!("disposition_needed")))
    );
    bas.refused("disposition.skip", &json!({"disposition": asked["id"]}), "reason_needed")?;
    bas.balie.request("disposition.set", &json!({"call": ringing, "code": "LEKKAGE"}))?;
    bas.until("no open outcome", |view| view["dispositions"] == json!([]))?;
    Ok(())
}

#[test]
pub(crate) fn who_owes_an_outcome_is_kept_in_wrap_up() -> Result<()> {
    let scene = Scene::start()?;
    for agent in ["222", "223", "224", "226"] {
        scene.pbx.turn(&json!({"cmd": "agent.state", "agent": agent, "state": "sign_out"}))?;
    }
    let told = scene.pbx.turn(&json!({"cmd": "queue.list", "queue": "196"}))?;
    let mut config = told["queues"][0]["config"].clone();
    config["post_call"]["wrap_up_s"] = json!(3);
    scene.pbx.turn(&json!({"cmd": "queue.configure", "config": config}))?;
    let mut bas = scene.user("104")?;
    scene.customer("196", "+31302310008")?;
    let ringing = bas.balie.ringing()?;
    bas.balie.request("call.answer", &json!({"call": ringing}))?;
    bas.balie.call_state(&ringing, "active")?;
    bas.balie.hangup(&ringing)?;
    scene.until_agent("104", |agent| agent["state"] == "wrap_up" && agent["owes"].is_u64())?;
    bas.until("an outcome to be asked for", |view| view["dispositions"][0]["forced"] == true)?;
    // Neither here nor with another program is there a way around it.
    bas.refused("agent.state", &json!({"state": "available"}), "outcome_needed")?;
    let other = Visitor::new(&scene.pbx, "104")?.agent_state("Available", None);
    let why = other.err().context("it was taken")?.to_string();
    ensure!(why.contains("409") && why.contains("outcome"), "{why}");
    // The exchange's wrap-up would have been over at three seconds.
    scene.until_agent("104", |agent| agent["for_s"].as_u64() >= Some(5))?;
    let kept = scene.agent("104")?;
    ensure!(kept["state"] == "wrap_up" && kept["owes"].is_u64(), "{kept}");
    bas.balie.request("disposition.set", &json!({"call": ringing, "code": "LEKKAGE"}))?;
    scene.until_agent("104", |agent| agent["state"] == "available" && agent["owes"].is_null())?;
    bas.agent("available", |agent| agent["state"] == "available" && agent["drift"].is_null())?;
    bas.until("no open outcome", |view| view["dispositions"] == json!([]))?;
    Ok(())
}

#[test]
pub(crate) fn who_gave_up_is_called_back() -> Result<()> {
    let scene = Scene::start()?;
    let mut bas = scene.user("104")?;
    bas.balie.request("agent.state", &json!({"state": "unavailable", "reason": "PAUZE"}))?;
    bas.agent("a break", |agent| agent["state"] == "unavailable")?;
    for number in ["+31302310011", "+31302310012"] {
        scene.pbx.turn(&json!({
            "cmd": "customer.call", "to": "195", "name": "Ongeduldig", "number": number, "patience_s": 1,
        }))?;
    }
    let gave_up = |view: &Value, count: usize| {
        view["abandoned"].as_array().is_some_and(|all| all.len() == count)
    };
    let view = bas.until("two who gave up", |view| gave_up(view, 2))?;
    for caller in view["abandoned"].as_array().into_iter().flatten() {
        ensure!(caller["queue_name"] == SERVICE && caller["called_back"].is_null(), "{caller}");
        ensure!(caller["at_ms"].as_u64() > caller["since_ms"].as_u64(), "{caller}");
    }
    // Calling him back settles it; the other one is settled by hand.
    let number = view["abandoned"][0]["peer"]["number"].as_str().context("a number")?.to_owned();
    let call = bas.balie.dial(&number)?;
    bas.balie.hangup(&call)?;
    let back = |view: &Value, number: &str| {
        let mut all = view["abandoned"].as_array().into_iter().flatten();
        all.find(|one| one["peer"]["number"] == number).cloned()
    };
    let view = bas.until("called back", |view| {
        back(view, &number).is_some_and(|one| one["called_back"]["me"] == true)
    })?;
    ensure!(
        back(&view, &number).is_some_and(|one| one["called_back"]["reached"] == true),
        "{view}"
    );
    ensure!(view["abandoned"][1]["peer"]["number"] == number, "those who were called back go last");
    let open = view["abandoned"][0]["id"].clone();
    bas.balie.request("abandoned.done", &json!({"abandoned": open}))?;
    bas.until("all settled", |view| {
        let mut all = view["abandoned"].as_array().into_iter().flatten();
        all.all(|one| !one["called_back"].is_null())
    })?;
    Ok(())
}
