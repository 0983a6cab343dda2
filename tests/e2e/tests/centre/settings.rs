//! F1, F3, F4: services that let other telephones ring, hunt groups, and what can only be seen: each as the exchange has
//! it, and what it does to a call.

use anyhow::{Context as _, Result, ensure};
use e2e::centre::{Scene, User};
use e2e::xsi::Visitor;
use serde_json::{Value, json};

/// Sets a service and waits until the exchange has told it back.
fn set(user: &mut User, service: &str, values: &Value) -> Result<Value> {
    user.balie.request("service.set", &json!({"service": service, "values": values}))?;
    user.service(service, |view| view["state"] == "verified")
}

/// What the exchange itself says of a service of 101.
fn at_exchange(scene: &Scene, path: &str) -> Result<String> {
    Visitor::new(&scene.pbx, "101")?.own("GET", &format!("services/{path}"), "")
}

/// Somebody answers what rings, and it is over.
fn answers(user: &mut User) -> Result<()> {
    let call = user.balie.ringing()?;
    user.balie.request("call.answer", &json!({"call": call}))?;
    user.balie.call_state(&call, "active")?;
    user.balie.hangup(&call)
}

#[test]
pub(crate) fn other_telephones_ring_together() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    let numbers = json!([{"number": "102", "confirm": false}]);
    let view = set(
        &mut maud,
        "simultaneous_ring",
        &json!({"active": true, "not_while_busy": true, "numbers": numbers}),
    )?;
    ensure!(view["actual"]["numbers"][0]["number"] == "102", "{view}");
    let told = at_exchange(&scene, "SimultaneousRingPersonal")?;
    ensure!(told.contains("<address>102<") && told.contains("Do not Ring if on a Call"), "{told}");
    scene.customer("101", "+31302310001")?;
    let here = maud.balie.ringing()?;
    answers(&mut joris)?;
    maud.balie.call_state(&here, "ended")?;
    // Not while she talks.
    let own = maud.balie.dial(&scene.pbx.number("music")?)?;
    joris.balie.forget("call.state");
    scene.customer("101", "+31302310002")?;
    let second = maud.balie.ringing()?;
    maud.balie.request("call.reject", &json!({"call": second}))?;
    maud.balie.call_state(&second, "ended")?;
    let rang = joris.balie.seen("call.state", |event| event["state"] == "ringing");
    ensure!(rang.is_none(), "{rang:?}");
    maud.balie.hangup(&own)?;
    let eleven: Vec<Value> = (0..11).map(|n| json!({"number": format!("2{n:02}")})).collect();
    let many = json!({"service": "simultaneous_ring", "values": {"numbers": eleven}});
    maud.refused("service.set", &many, "bad_value")?;
    Ok(())
}

#[test]
pub(crate) fn other_telephones_ring_one_after_the_other() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    // Her telephone is passed over; the first place lets it ring, the second answers.
    let numbers =
        json!([{"number": "210", "rings": 2}, {"number": "102", "rings": 4, "confirm": true}]);
    let values = json!({"own_first": false, "rings": 3, "past_busy": false, "numbers": numbers});
    let view = set(&mut maud, "sequential_ring", &values)?;
    let so = &view["actual"];
    ensure!(so["own_first"] == false && so["rings"] == 3 && so["past_busy"] == false, "{view}");
    ensure!(so["numbers"][1] == json!({"number": "102", "rings": 4, "confirm": true}), "{view}");
    let told = at_exchange(&scene, "SequentialRing")?;
    ensure!(told.contains("<address>210</address><numberOfRings>2<"), "{told}");
    scene.customer("101", "+31302310001")?;
    let ringing =
        joris.balie.event_within("call.state", std::time::Duration::from_secs(30), |event| {
            event["state"] == "ringing"
        })?;
    ensure!(ringing["diverted_from"] == "Maud Vermeulen", "{ringing}");
    ensure!(maud.balie.seen("call.state", |event| event["state"] == "ringing").is_none());
    joris.balie.request("call.answer", &json!({"call": ringing["call"]}))?;
    joris.balie.call_state(&ringing["call"], "active")?;
    joris.balie.hangup(&ringing["call"])?;

    // With no places left she rings herself again.
    let none = set(&mut maud, "sequential_ring", &json!({"numbers": []}))?;
    ensure!(none["actual"]["numbers"] == json!([]), "{none}");
    scene.customer("101", "+31302310002")?;
    answers(&mut maud)?;
    for wrong in [json!({"rings": 1}), json!({"numbers": [{"number": ""}]})] {
        let wrong = json!({"service": "sequential_ring", "values": wrong});
        maud.refused("service.set", &wrong, "bad_value")?;
    }
    Ok(())
}

#[test]
pub(crate) fn remote_office_and_hoteling_are_set_and_read_back() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.watcher("101")?;
    let view = set(&mut maud, "remote_office", &json!({"active": true, "to": "06-12345678"}))?;
    ensure!(e2e::centre::tail(&view["actual"]["to"]) == "12345678", "{view}");
    let told = at_exchange(&scene, "RemoteOffice")?;
    ensure!(told.contains("<active>true<") && told.contains("612345678<"), "{told}");
    let nowhere = json!({"service": "remote_office", "values": {"active": true, "to": ""}});
    maud.refused("service.set", &nowhere, "bad_value")?;
    set(&mut maud, "remote_office", &json!({"active": false}))?;

    let host = "103@lindeboom.example";
    let view = set(&mut maud, "hoteling", &json!({"active": true, "to": host}))?;
    ensure!(view["actual"] == json!({"active": true, "to": host}), "{view}");
    let told = at_exchange(&scene, "HotelingGuest")?;
    ensure!(told.contains(&format!("<hostUserId>{host}<")), "{told}");
    let view = set(&mut maud, "hoteling", &json!({"active": false, "to": ""}))?;
    ensure!(view["actual"] == json!({"active": false, "to": ""}), "{view}");
    // Somebody sets it elsewhere, and it is shown.
    let elsewhere = "<HotelingGuest xmlns=\"http://schema.broadsoft.com/xsi\"><active>true</active>\
                     <hostUserId>102@lindeboom.example</hostUserId></HotelingGuest>";
    Visitor::new(&scene.pbx, "101")?.own("PUT", "services/HotelingGuest", elsewhere)?;
    maud.service("hoteling", |view| view["actual"]["to"] == "102@lindeboom.example")?;
    Ok(())
}

#[test]
pub(crate) fn calls_ring_at_the_remote_office() -> Result<()> {
    let scene = Scene::start()?;
    let (mut maud, mut joris) = (scene.user("101")?, scene.user("102")?);
    set(&mut maud, "remote_office", &json!({"active": true, "to": "102"}))?;
    scene.customer("101", "+31302310001")?;
    answers(&mut joris)?;
    // At a mobile outside nothing of the company rings, and she answers there.
    set(&mut maud, "remote_office", &json!({"active": true, "to": "06-12345678"}))?;
    let call = joris.balie.dial("101")?;
    joris.balie.event("call.media", |event| event["call"] == call && event["rx_active"] == true)?;
    joris.balie.hangup(&call)?;
    let rang = maud.balie.seen("call.state", |event| event["state"] == "ringing");
    ensure!(rang.is_none(), "she is not at her desk: {rang:?}");
    set(&mut maud, "remote_office", &json!({"active": false}))?;
    scene.customer("101", "+31302310002")?;
    answers(&mut maud)
}

#[test]
pub(crate) fn a_guest_has_his_hosts_telephone_for_a_while() -> Result<()> {
    let scene = Scene::start()?;
    // She has no telephone of her own here.
    let (mut maud, mut samira) = (scene.watcher("101")?, scene.user("103")?);
    ensure!(scene.customer("101", "+31302310001").is_err(), "nothing rings for her");
    let host = json!({"active": true, "to": "103@lindeboom.example"});
    set(&mut maud, "hoteling", &host)?;
    scene.customer("101", "+31302310002")?;
    answers(&mut samira)?;
    // Whoever is called from there sees the guest.
    let mut joris = scene.user("102")?;
    let call = samira.balie.begin("102")?;
    let ringing = joris.balie.event("call.state", |event| event["state"] == "ringing")?;
    ensure!(ringing["peer"]["name"] == "Maud Vermeulen", "{ringing}");
    samira.balie.hangup(&call)?;
    // Nobody else can have it meanwhile.
    let refused = json!({"service": "hoteling", "values": host});
    let why = joris.refused("service.set", &refused, "server_error")?;
    ensure!(why.contains("not available for hoteling"), "{why}");
    // It ends by its limit, and she is told.
    scene.pbx.turn(&json!({"cmd": "line.guest_ends", "line": "101", "after_s": 1}))?;
    let view = maud.service("hoteling", |view| view["actual"]["to"] == "")?;
    ensure!(view["actual"]["active"] == true, "{view}");
    ensure!(scene.customer("101", "+31302310003").is_err(), "nothing rings for her any more");
    set(&mut joris, "hoteling", &host)?;
    Ok(())
}

#[test]
pub(crate) fn a_hunt_group_is_shown_and_rings_its_members_in_turn() -> Result<()> {
    let scene = Scene::start()?;
    let mut joris = scene.user("102")?;
    let named = |view: &Value, name: &str| {
        let mut all = view["hunt_groups"].as_array().into_iter().flatten();
        all.find(|group| group["name"] == name).cloned()
    };
    let view = joris.until("the group", |view| named(view, "Verkoop").is_some())?;
    let group = named(&view, "Verkoop").context("no group")?;
    ensure!(group["number"] == "191", "{group}");
    // This exchange tells neither members nor policy: that is said, and nothing is offered.
    ensure!(group["told"] == false && group["may_leave"] == false, "{group}");
    ensure!(group["policy"].is_null() && group["members"] == json!([]), "{group}");
    for command in ["hunt_group.join", "hunt_group.leave"] {
        joris.refused(command, &json!({"group": "191"}), "forbidden")?;
    }
    joris.refused("hunt_group.join", &json!({"group": "Nergens"}), "unknown_queue")?;
    // In a circle: he is the first, and for the next call the others are.
    scene.customer("191", "+31302310001")?;
    let call = joris.balie.ringing()?;
    joris.balie.request("call.answer", &json!({"call": call}))?;
    joris.balie.call_state(&call, "active")?;
    joris.balie.hangup(&call)?;
    joris.balie.forget("call.state");
    let mut maud = scene.user("101")?;
    let second = maud.balie.dial("191")?;
    let rang = joris.balie.seen("call.state", |event| event["state"] == "ringing");
    ensure!(rang.is_none(), "he was rung twice in a row: {rang:?}");
    maud.balie.hangup(&second)
}

#[test]
pub(crate) fn what_can_only_be_seen_says_what_it_means_now() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    let facts = |view: &Value, kind: &str| -> Vec<Value> {
        let all = view["facts"].as_array().into_iter().flatten();
        all.filter(|fact| fact["fact"] == kind).cloned().collect()
    };
    let view = maud.until("the schedules", |view| facts(view, "schedule").len() == 2)?;
    let named = |name: &str| {
        let mut all = facts(&view, "schedule").into_iter();
        all.find(|fact| fact["name"] == name).with_context(|| format!("no {name} in {view:#}"))
    };
    let hours = named("Openingstijden")?;
    ensure!(hours["holidays"] == false && hours["in_force"].is_boolean(), "{hours}");
    ensure!(hours["until_ms"].is_u64(), "when it changes: {hours}");
    let opening = &hours["openings"][0];
    ensure!(opening["from"] == 480 && opening["lasts"] == 540, "{hours}");
    ensure!(opening["recurs"] == "weekly" && opening["weekdays"] == json!([1, 2, 3, 4, 5]));
    let holidays = named("Feestdagen")?;
    ensure!(holidays["holidays"] == true, "{holidays}");
    ensure!(holidays["openings"].as_array().is_some_and(|all| all.len() == 3), "{holidays}");
    // Night follows from both: it is night outside the hours and on holidays.
    let night = maud.service("night", |view| view["actual"]["active"].is_boolean())?;
    let open = hours["in_force"] == true && holidays["in_force"] == false;
    ensure!(night["actual"]["active"] == json!(!open), "{night} {hours} {holidays}");
    ensure!(night["actual"]["schedule"] == "Openingstijden" && night["editable"] == false);

    let menus = facts(&view, "menu");
    ensure!(menus.iter().any(|menu| menu["value"] == "180"), "{menus:?}");
    let number = facts(&view, "number_presentation");
    ensure!(number[0]["value"] == "101" && number[0]["in_force"] == true, "{number:?}");
    set(&mut maud, "withhold_number", &json!({"active": true}))?;
    maud.until("that it is withheld", |view| {
        facts(view, "number_presentation")[0]["in_force"] == false
    })?;
    // A call that the company does not let out is refused with its reason.
    scene.pbx.turn(&json!({"cmd": "line.bar", "line": "101", "barred": "international"}))?;
    let call = maud.balie.begin("+4930123456")?;
    let ended = maud.balie.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "number_blocked", "{ended}");
    Ok(())
}
