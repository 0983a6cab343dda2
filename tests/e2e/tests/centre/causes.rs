//! E6: do not disturb, forwarding, a personal call and calls let ring act on the agent as the exchange is set up, and
//! the console says which of them it is.

use anyhow::{Context as _, Result, ensure};
use e2e::centre::{Scene, User};
use e2e::embedded::Embedded;
use serde_json::{Value, json};

/// An exchange that takes agents out of the queues for everything that it can.
fn strict() -> Result<Scene> {
    let folder = tempfile::tempdir()?;
    let demo = std::fs::read_to_string(e2e::root().join("assets/company/demo.toml"))?;
    let plain = "id = \"104\"\nstarts = \"available\"\n";
    ensure!(demo.contains(plain), "the demo company has another form");
    let strict = format!("{plain}unavailable_on_personal_call = true\nbounce_limit = 1\n");
    // Rings are short, so that a call comes back soon.
    let short = "name = \"Klantenservice\"\nring_ms = 1000\nbounce_rings = 2\n";
    let demo = demo.replace(plain, &strict).replace("name = \"Klantenservice\"\n", short);
    let company = folder.path().join("company.toml");
    std::fs::write(&company, demo)?;
    let pbx = Embedded::start_with(&["--company", company.to_str().context("a path")?])?;
    Ok(Scene { pbx, folder })
}

fn available(user: &mut User) -> Result<()> {
    user.balie.request("agent.state", &json!({"state": "available"}))?;
    user.agent("available", |agent| agent["state"] == "available" && agent["pending"].is_null())?;
    Ok(())
}

fn drifted(user: &mut User, cause: &str, reason: &str) -> Result<()> {
    let agent = user.agent(cause, |agent| agent["drift"]["cause"] == cause)?;
    ensure!(agent["state"] == "unavailable" && agent["reason"] == reason, "{agent}");
    Ok(())
}

fn warns(view: &Value, of: &str) -> bool {
    view["warnings"].as_array().is_some_and(|all| all.contains(&json!(of)))
}

#[test]
pub(crate) fn do_not_disturb_takes_an_agent_out_and_is_named() -> Result<()> {
    let scene = strict()?;
    let mut bas = scene.user("104")?;
    available(&mut bas)?;
    let on = json!({"service": "do_not_disturb", "values": {"active": true}});
    bas.balie.request("service.set", &on)?;
    drifted(&mut bas, "dnd", "NIETST")?;
    // Who is available all the same is passed by, and told so.
    bas.balie.request("agent.drift", &json!({"action": "repeat"}))?;
    bas.until("the warning", |view| warns(view, "do_not_disturb_available"))?;
    let off = json!({"service": "do_not_disturb", "values": {"active": false}});
    bas.balie.request("service.set", &off)?;
    bas.until("no warning", |view| !warns(view, "do_not_disturb_available"))?;
    Ok(())
}

#[test]
pub(crate) fn forwarding_while_available_is_warned_of() -> Result<()> {
    let scene = strict()?;
    let mut bas = scene.user("104")?;
    available(&mut bas)?;
    scene.pbx.turn(&json!({"cmd": "line.forward", "line": "104", "to": "201"}))?;
    let view = bas.until("the warning", |view| warns(view, "forwarded_available"))?;
    ensure!(view["agent"]["state"] == "available", "{view}");
    scene.pbx.turn(&json!({"cmd": "line.forward", "line": "104"}))?;
    bas.until("no warning", |view| !warns(view, "forwarded_available"))?;
    Ok(())
}

#[test]
pub(crate) fn a_personal_call_takes_an_agent_out_for_its_length() -> Result<()> {
    let scene = strict()?;
    let mut bas = scene.user("104")?;
    available(&mut bas)?;
    let call = bas.balie.dial(&scene.pbx.number("music")?)?;
    drifted(&mut bas, "personal_call", "GESPREK")?;
    bas.balie.hangup(&call)?;
    bas.agent("back", |agent| agent["state"] == "available" && agent["drift"].is_null())?;
    Ok(())
}

#[test]
pub(crate) fn who_lets_calls_ring_is_taken_out_and_told_so() -> Result<()> {
    let scene = strict()?;
    let mut bas = scene.user("104")?;
    available(&mut bas)?;
    scene.customer("195", "+31302310009")?;
    bas.balie.ringing()?;
    drifted(&mut bas, "bounces", "GEMIST")?;
    Ok(())
}
