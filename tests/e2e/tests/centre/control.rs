//! A1, B3, B4: an account without a telephone of its own. Another telephone rings and talks; Balie dials, answers, asks
//! somebody, parks and joins calls there, and shows what the exchange says of them. And the call of one own telephone is
//! taken with another, and who was busy is called back.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::balie::Balie;
use e2e::centre::{LIMIT, Scene, User};
use e2e::{deadline, is_over, pause};
use serde_json::{Value, json};

/// The number of the program's calls that are there.
fn calls(balie: &mut Balie) -> Result<Vec<Value>> {
    let view = balie.request("view.get", &json!({}))?;
    let calls = view["calls"].as_array().context("no calls")?.iter();
    Ok(calls.filter(|call| call["state"] != "ended").cloned().collect())
}

pub(crate) fn until_calls(
    balie: &mut Balie,
    what: &str,
    fits: impl Fn(&[Value]) -> bool,
) -> Result<()> {
    let end = deadline(LIMIT);
    loop {
        let calls = calls(balie)?;
        if fits(&calls) {
            return Ok(());
        }
        ensure!(!is_over(end), "no {what}: {calls:#?}");
        pause(Duration::from_millis(50));
    }
}

fn states(calls: &[Value]) -> Vec<&str> {
    let mut states: Vec<&str> = calls.iter().filter_map(|call| call["state"].as_str()).collect();
    states.sort_unstable();
    states
}

/// A customer rings at the telephone and is answered from here.
pub(crate) fn taken(
    scene: &Scene,
    phone: &mut Balie,
    desk: &mut User,
    number: &str,
) -> Result<Value> {
    scene.customer("101", number)?;
    phone.ringing()?;
    let ringing = desk.balie.ringing()?;
    // The exchange can have only a telephone answer that has said so, which it does in the response that tells of its
    // ringing: that is still on its way when the telephone itself knows.
    let end = deadline(LIMIT);
    while let Err(error) = desk.balie.request("call.answer", &json!({"call": ringing})) {
        ensure!(!is_over(end), "{error:#}");
        pause(Duration::from_millis(50));
    }
    desk.balie.call_state(&ringing, "active")?;
    Ok(ringing)
}

#[test]
pub(crate) fn another_telephone_dials_and_answers_for_us() -> Result<()> {
    let scene = Scene::start()?;
    let mut phone = scene.telephone("101")?;
    let mut desk = scene.controller("101")?;
    let call = desk.balie.begin("201")?;
    let told = desk.balie.call_state(&call, "active")?;
    ensure!(told["direction"] == "out" && told["peer"].to_string().contains("201"), "{told}");
    // The telephone was rung first and answered by itself.
    until_calls(&mut phone, "call there", |calls| states(calls) == ["active"])?;
    desk.balie.hangup(&call)?;
    until_calls(&mut phone, "end there", <[Value]>::is_empty)?;

    let call = taken(&scene, &mut phone, &mut desk, "+31302310001")?;
    until_calls(&mut phone, "answered call", |calls| states(calls) == ["active"])?;
    desk.balie.request("call.hold", &json!({"call": call}))?;
    desk.balie.call_state(&call, "held")?;
    until_calls(&mut phone, "held call", |calls| states(calls) == ["held"])?;
    desk.balie.request("call.resume", &json!({"call": call}))?;
    desk.balie.call_state(&call, "active")?;
    desk.balie.hangup(&call)
}

#[test]
pub(crate) fn another_telephone_asks_first_and_passes_on() -> Result<()> {
    let scene = Scene::start()?;
    let mut phone = scene.telephone("101")?;
    let mut desk = scene.controller("101")?;
    let call = taken(&scene, &mut phone, &mut desk, "+31302310001")?;
    let consult = |desk: &mut User| -> Result<Value> {
        let asked = json!({"call": call, "to": "201"});
        let consult = desk.balie.request("call.transfer.consult", &asked)?["consult"].clone();
        desk.balie.call_state(&consult, "active")?;
        Ok(consult)
    };
    // He does not want to: the caller is back.
    consult(&mut desk)?;
    until_calls(&mut phone, "caller who waits", |calls| states(calls) == ["active", "held"])?;
    desk.balie.request("call.transfer.cancel", &json!({"call": call}))?;
    desk.balie.call_state(&call, "active")?;
    until_calls(&mut phone, "caller again", |calls| states(calls) == ["active"])?;

    let asked = consult(&mut desk)?;
    desk.balie.request("call.transfer.complete", &json!({"call": call}))?;
    desk.balie.call_state(&call, "ended")?;
    desk.balie.call_state(&asked, "ended")?;
    until_calls(&mut phone, "end there", <[Value]>::is_empty)?;
    // The two are together: the one who was asked has no time for another call.
    let another = phone.begin("201")?;
    let ended = phone.call_state(&another, "ended")?;
    ensure!(ended["reason"] == "busy_here", "{ended}");
    Ok(())
}

#[test]
pub(crate) fn another_telephone_parks_and_fetches() -> Result<()> {
    let scene = Scene::start()?;
    let mut phone = scene.telephone("101")?;
    let mut desk = scene.controller("101")?;
    let call = taken(&scene, &mut phone, &mut desk, "+31302310001")?;
    let slot = desk.balie.request("call.park", &json!({"call": call}))?["slot"].clone();
    desk.balie.call_state(&call, "ended")?;
    until_calls(&mut phone, "end there", <[Value]>::is_empty)?;
    let view = desk.until("the parked call", |view| {
        view["parked"].as_array().is_some_and(|all| all.len() == 1)
    })?;
    let parked = &view["parked"][0];
    ensure!(parked["own"] == true && parked["since_ms"].is_u64(), "{parked} {slot}");
    let fetched =
        desk.balie.request("call.retrieve", &json!({"slot": parked["slot"]}))?["call"].clone();
    desk.balie.call_state(&fetched, "active")?;
    desk.until("nothing parked", |view| view["parked"] == json!([]))?;
    until_calls(&mut phone, "call there", |calls| states(calls) == ["active"])?;
    desk.balie.hangup(&fetched)
}

#[test]
pub(crate) fn another_telephone_is_in_a_conference_of_the_exchange() -> Result<()> {
    let scene = Scene::start()?;
    let mut phone = scene.telephone("101")?;
    let mut desk = scene.controller("101")?;
    let first = taken(&scene, &mut phone, &mut desk, "+31302310001")?;
    desk.balie.request("call.hold", &json!({"call": first}))?;
    desk.balie.call_state(&first, "held")?;
    let second = desk.balie.begin("201")?;
    desk.balie.call_state(&second, "active")?;
    desk.balie.request("call.conference", &json!({"calls": [first, second]}))?;
    // Nobody waits any more.
    until_calls(&mut desk.balie, "two who talk", |calls| states(calls) == ["active", "active"])?;
    desk.balie.hangup(&second)?;
    until_calls(&mut desk.balie, "the other one", |calls| states(calls) == ["active"])?;
    desk.balie.hangup(&first)?;
    until_calls(&mut phone, "end there", <[Value]>::is_empty)
}

#[test]
pub(crate) fn the_call_of_another_own_telephone_is_taken_here() -> Result<()> {
    let scene = Scene::start()?;
    let mut phone = scene.telephone("102")?;
    let mut joris = scene.user("102")?;
    joris.refused("call.pull", &json!({}), "server_error")?;
    let there = phone.dial(&scene.pbx.number("music")?)?;
    joris.balie.request("call.pull", &json!({}))?;
    let here = joris.balie.event("call.state", |event| event["state"] == "active")?;
    phone.call_state(&there, "ended")?;
    let call = here["call"].clone();
    joris.balie.event("call.media", |event| event["call"] == call && event["rx_active"] == true)?;
    joris.balie.hangup(&call)
}

#[test]
pub(crate) fn who_was_busy_is_called_when_he_is_free() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    scene.pbx.turn(&json!({"cmd": "line.call_waiting", "line": "102", "on": false}))?;
    let own = joris.balie.dial(&scene.pbx.number("music")?)?;
    let call = maud.balie.begin("102")?;
    let ended = maud.balie.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "busy_here", "{ended}");
    maud.balie.forget("call.state");
    maud.balie.request("call.ring_back", &json!({}))?;
    joris.balie.hangup(&own)?;
    let back = maud.balie.ringing()?;
    maud.balie.request("call.answer", &json!({"call": back}))?;
    let there = joris.balie.ringing()?;
    joris.balie.request("call.answer", &json!({"call": there}))?;
    joris.balie.call_state(&there, "active")?;
    maud.balie.event("call.media", |event| event["call"] == back && event["rx_active"] == true)?;
    maud.balie.hangup(&back)
}

/// Somebody calls and gives up before he is answered.
fn gives_up(caller: &mut User, called: &mut User, number: &str) -> Result<()> {
    let call = caller.balie.begin(number)?;
    let there = called.balie.ringing()?;
    caller.balie.hangup(&call)?;
    called.balie.call_state(&there, "ended")?;
    called.balie.forget("call.state");
    Ok(())
}

/// Who was rung for somebody who wanted to be called through by the exchange answers, and both hear each other.
fn both_talk(from: &mut User, to: &mut User) -> Result<()> {
    let here = from.balie.event("call.state", |event| event["state"] == "active")?;
    let call = here["call"].clone();
    let there = to.balie.ringing()?;
    to.balie.request("call.answer", &json!({"call": there}))?;
    from.balie.event("call.media", |event| event["call"] == call && event["rx_active"] == true)?;
    from.balie.hangup(&call)?;
    to.balie.call_state(&there, "ended")?;
    from.balie.forget("call.state");
    to.balie.forget("call.state");
    Ok(())
}

#[test]
pub(crate) fn the_last_caller_and_the_last_number_are_called_by_the_exchange() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    maud.refused("call.return", &json!({}), "server_error")?;
    maud.refused("call.redial", &json!({}), "server_error")?;
    gives_up(&mut joris, &mut maud, "101")?;
    maud.balie.request("call.return", &json!({}))?;
    both_talk(&mut maud, &mut joris)?;
    joris.balie.request("call.redial", &json!({}))?;
    both_talk(&mut joris, &mut maud)?;
    Ok(())
}

#[test]
pub(crate) fn the_last_call_is_traced_even_when_its_number_is_withheld() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    let withheld = json!({"service": "withhold_number", "values": {"active": true}});
    joris.balie.request("service.set", &withheld)?;
    joris.service("withhold_number", |view| view["state"] == "verified")?;
    gives_up(&mut joris, &mut maud, "101")?;
    maud.balie.request("call.trace", &json!({}))?;
    maud.balie.event("call.state", |event| event["state"] == "active")?;
    let end = deadline(LIMIT);
    loop {
        let traced = scene.pbx.turn(&json!({"cmd": "status"}))?["traced"].clone();
        if traced == json!([["101", "102"]]) {
            break;
        }
        ensure!(!is_over(end), "traced: {traced}");
        pause(Duration::from_millis(50));
    }
    // The exchange hangs up when it has confirmed it.
    maud.balie.event("call.state", |event| event["state"] == "ended")?;
    Ok(())
}
