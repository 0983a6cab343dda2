//! F1, F2, E1 without web services: the exchange keeps do not disturb, forwarding and the agent's state the same as the
//! telephone over SIP (as-feature-event), whoever changes them.

use anyhow::{Result, ensure};
use e2e::centre::Scene;
use e2e::xsi::Visitor;
use serde_json::json;

#[test]
pub(crate) fn a_line_is_forwarded_and_left_alone_over_sip() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.plain("101")?, scene.plain("102")?);
    let set = |service: &str, values| json!({"service": service, "values": values});
    maud.balie.request("service.set", &set("do_not_disturb", json!({"active": true})))?;
    maud.service("do_not_disturb", |view| {
        view["state"] == "verified" && view["actual"]["active"] == true
    })?;
    let web = Visitor::new(&scene.pbx, "101")?;
    let told = web.own("GET", "services/DoNotDisturb", "")?;
    ensure!(told.contains("<active>true</active>"), "{told}");
    let call = joris.balie.begin("101")?;
    let end = joris.balie.event("call.state", |event| {
        event["call"] == call && (event["state"] == "active" || event["state"] == "ended")
    })?;
    ensure!(end["reason"] == "busy_here", "{end}");

    // She is reached again by the web page of the exchange.
    let off = "<DoNotDisturb xmlns=\"http://schema.broadsoft.com/xsi\"><active>false</active></DoNotDisturb>";
    web.own("PUT", "services/DoNotDisturb", off)?;
    maud.service("do_not_disturb", |view| view["actual"]["active"] == false)?;

    let always = json!({"active": true, "to": "201"});
    maud.balie.request("service.set", &set("forward_always", always))?;
    maud.service("forward_always", |view| {
        view["state"] == "verified" && view["actual"]["to"] == "201"
    })?;
    let call = joris.balie.dial("101")?;
    joris.balie.hangup(&call)?;
    // A code is dialled at another telephone.
    scene.pbx.turn(&json!({"cmd": "line.forward", "line": "101"}))?;
    maud.service("forward_always", |view| view["actual"]["active"] == false)?;
    let call = joris.balie.begin("101")?;
    maud.balie.ringing()?;
    joris.balie.hangup(&call)?;
    Ok(())
}

#[test]
pub(crate) fn an_agent_goes_to_lunch_over_sip() -> Result<()> {
    let scene = Scene::start()?;
    let mut bas = scene.plain("104")?;
    bas.agent("beginning", |agent| agent["state"] == "available")?;
    bas.balie.request("agent.state", &json!({"state": "unavailable", "reason": "LUNCH"}))?;
    bas.agent("lunch", |agent| agent["state"] == "unavailable" && agent["reason"] == "LUNCH")?;
    scene.until_agent("104", |agent| agent["code"] == "LUNCH")?;
    // A supervisor has him back.
    scene.pbx.turn(&json!({"cmd": "agent.state", "agent": "104", "state": "available"}))?;
    bas.agent("back", |agent| agent["state"] == "available")?;
    bas.balie.request("agent.state", &json!({"state": "sign_out"}))?;
    bas.agent("end of the day", |agent| agent["state"] == "signed_out")?;
    scene.until_agent("104", |agent| agent["state"] == "sign_out")?;
    Ok(())
}

#[test]
pub(crate) fn who_is_parked_is_seen_and_fetched_over_sip() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.plain("101")?, scene.plain("102")?);
    scene.customer("101", "+31302310001")?;
    let call = maud.balie.ringing()?;
    maud.balie.request("call.answer", &json!({"call": call}))?;
    maud.balie.call_state(&call, "active")?;
    maud.balie.request("call.park", &json!({"call": call}))?;
    let view = maud.until("the parked call", |view| view["parked"][0]["own"] == true)?;
    let parked = &view["parked"][0];
    ensure!(e2e::centre::tail(&parked["peer"]["number"]) == "02310001", "{parked}");
    // A colleague fetches him, and she sees that.
    let fetched = joris.balie.request("call.retrieve", &json!({"slot": parked["slot"]}))?;
    joris.balie.call_state(&fetched["call"], "active")?;
    maud.until("nobody parked", |view| view["parked"] == json!([]))?;
    joris.balie.hangup(&fetched["call"])
}

#[test]
pub(crate) fn a_guest_has_the_telephone_until_he_leaves_over_sip() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.plain("101")?, scene.plain("102")?);
    maud.until("a telephone for guests", |view| view["seat"]["busy"] == false)?;
    maud.refused("guest.sign_in", &json!({"guest": "103", "secret": "guessed"}), "auth_failed")?;
    let secret = scene.pbx.account("103")?.password;
    maud.balie.request("guest.sign_in", &json!({"guest": "103", "secret": secret}))?;
    maud.until("the guest", |view| view["seat"]["guest"]["number"] == "103")?;
    let call = maud.balie.begin("102")?;
    let ringing = joris.balie.event("call.state", |event| event["state"] == "ringing")?;
    ensure!(ringing["peer"]["number"] == "103", "{ringing}");
    maud.balie.hangup(&call)?;
    // He forgets to sign out, and the exchange ends it.
    scene.pbx.turn(&json!({"cmd": "line.guest_ends", "line": "103", "after_s": 0}))?;
    maud.until("her own telephone", |view| view["seat"]["guest"].is_null())?;
    Ok(())
}
