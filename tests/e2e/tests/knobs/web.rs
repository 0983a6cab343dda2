//! What can go wrong with the web services.

#![expect(clippy::print_stdout, reason = "how long each took is part of what is proved")]

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::centre::Scene;
use e2e::pause;
use serde_json::json;

use crate::ward::{Ward, knob};

pub(crate) fn documents_in_pieces_and_in_company() -> Result<()> {
    let mut ward = Ward::start()?;
    for look in [
        json!({"documents": 3, "split": false}),
        json!({"split": true, "newlines": 3}),
        json!({"split": true, "declaration": "never", "prefix": "bw", "instance": "i"}),
        json!({"documents": 2, "declaration": "always", "vary": true}),
    ] {
        let mut turned = look.clone();
        turned["cmd"] = json!("xsi.wire");
        ward.turn(&turned)?;
        ward.stir()?;
        ward.whole(&look.to_string())?;
    }
    ensure!(ward.did("a document is passed over")? == 0, "documents were not understood");
    ward.calm(1)
}

pub(crate) fn a_server_in_a_hurry_and_a_slow_first_word() -> Result<()> {
    let mut ward = Ward::start()?;
    // The server gives channels up before the next heart-beat, and takes long to name a new one.
    ward.turn(&json!({"cmd": "xsi.times", "event_timeout_s": 4, "ack_timeout_ms": 300, "first_delay_ms": 1_000}))?;
    let before = ward.did("channel: opens")?;
    ward.did_again("channel: opens", before)?;
    ward.stir()?;
    ward.whole("a channel given up")?;
    ward.turn(&json!({"cmd": "xsi.times", "event_timeout_s": 30, "ack_timeout_ms": 10_000, "first_delay_ms": 0}))?;
    ward.stir()?;
    ward.whole("usual times")?;
    ward.calm(12)
}

pub(crate) fn a_limit_of_subscriptions() -> Result<()> {
    let scene = Scene::start()?;
    scene.pbx.turn(&json!({"cmd": "xsi.limits", "subscriptions": 6, "page": 3}))?;
    // What is refused is read at intervals, and said to be old.
    let mut karel = scene.begin_watching("106")?;
    karel.until_within("a view that is read", Duration::from_secs(40), |view| {
        view["link"]["state"] == "polling"
    })?;
    ensure!(
        karel.view()?["warnings"].as_array().is_some_and(|all| all.contains(&json!("delayed")))
    );
    scene.customer("195", "+31302310001")?;
    scene.pbx.turn(
        &json!({"cmd": "agent.state", "agent": "105", "state": "unavailable", "code": "LUNCH"}),
    )?;
    let took = scene.same_though(&mut karel, Duration::from_secs(60), "polling")?;
    println!("    read at intervals: whole after {:.1} s", took.as_secs_f64());
    // Asked to, it tries again, and is told of changes from then on.
    scene.pbx.turn(&json!({"cmd": "xsi.limits", "subscriptions": 200, "page": 100}))?;
    karel.balie.request("centre.refresh", &json!({}))?;
    karel.live()?;
    let mut ward = Ward::of(scene, karel)?;
    ward.stir()?;
    ward.whole("no limit any more")?;
    Ok(())
}

pub(crate) fn answers_and_events_get_lost() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&json!({"cmd": "xsi.times", "ack_timeout_ms": 500}))?;
    ward.turn(&json!({"cmd": "xsi.lose", "acks": 12}))?;
    ward.stir()?;
    ward.whole("twelve answers lost")?;
    // The events behind the lost ones show the gaps.
    ward.turn(&json!({"cmd": "xsi.lose", "events": 4}))?;
    ward.stir()?;
    ward.stir()?;
    ward.whole("four events lost")?;
    ensure!(ward.did("events are missing")? > 0, "no gap was noticed");
    ward.calm(1)
}

pub(crate) fn numbers_are_left_out() -> Result<()> {
    let mut ward = Ward::start()?;
    for count in [1, 5_000, 1_000_000] {
        let before = ward.did("events are missing")?;
        ward.turn(&json!({"cmd": "xsi.skip", "count": count}))?;
        ward.stir()?;
        ward.did_again("events are missing", before)?;
        ward.whole(&format!("{count} numbers left out"))?;
    }
    ward.calm(1)
}

pub(crate) fn channels_end_for_every_reason() -> Result<()> {
    let mut ward = Ward::start()?;
    for reason in
        ["Expired", "NonResponsiveChannel", "UnknownChannel", "ExplicitDelete", "UserDeleted"]
    {
        let before = ward.did("channel: opens")?;
        let ended = ward.turn(&json!({"cmd": "xsi.channel.end", "reason": reason}))?;
        ensure!(ended["touched"] == 1, "{reason}: {ended}");
        ward.stir()?;
        ward.did_again("channel: opens", before)?;
        ward.whole(reason)?;
    }
    ward.calm(6)
}

pub(crate) fn another_program_takes_over() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&json!({"cmd": "xsi.channel.end", "reason": "DuplicateChannelSet"}))?;
    ward.karel.balie.event("exchange.state", |event| event["state"] == "elsewhere")?;
    ward.stir()?;
    pause(Duration::from_secs(3));
    ensure!(ward.karel.view()?["link"]["state"] == "elsewhere", "it comes back by itself");
    ward.calm(1)?;
    ward.karel.balie.request("centre.refresh", &json!({}))?;
    ward.whole("taken back")?;
    Ok(())
}

pub(crate) fn connections_break_and_end() -> Result<()> {
    let mut ward = Ward::start()?;
    for how in ["break", "end", "half", "break"] {
        let before = ward.did("channel: opens")?;
        ward.turn(&json!({"cmd": "xsi.channel.cut", "how": how}))?;
        ward.stir()?;
        ward.did_again("channel: opens", before)?;
        ward.whole(how)?;
    }
    ward.calm(5)
}

pub(crate) fn a_connection_falls_silent() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&json!({"cmd": "xsi.channel.cut", "how": "silent"}))?;
    ward.stir()?;
    let took = e2e::lamps::now();
    let lost = Duration::from_secs(50);
    ward.karel.balie.event_within("exchange.state", lost, |event| event["state"] == "lost")?;
    println!("    silence noticed after {:.0} s", took.elapsed().as_secs_f64());
    ward.whole("silent")?;
    ward.calm(2)
}

pub(crate) fn subscriptions_are_ended() -> Result<()> {
    let mut ward = Ward::start()?;
    let queue =
        ward.turn(&json!({"cmd": "xsi.subscription.end", "package": "Call Center Queue"}))?;
    ensure!(queue["touched"] == 2, "{queue}");
    ward.stir()?;
    ward.whole("two of them")?;
    ward.turn(&knob("xsi.subscription.end"))?;
    ward.stir()?;
    ward.whole("all of them")?;
    ward.calm(1)
}

pub(crate) fn everything_is_told_anew() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&knob("xsi.resync"))?;
    ward.stir()?;
    ward.turn(&knob("xsi.resync"))?;
    ward.whole("resync")?;
    ward.calm(1)
}

pub(crate) fn every_wrong_answer() -> Result<()> {
    let mut ward = Ward::start()?;
    for (how, count) in [
        ("overload", 4),
        ("failure", 3),
        ("unknown", 2),
        ("forbidden", 2),
        ("html", 2),
        ("broken", 2),
    ] {
        ward.turn(&json!({"cmd": "xsi.answer", "how": how, "count": count}))?;
        ward.karel.balie.request("centre.refresh", &json!({}))?;
        ward.stir()?;
        ward.turn(&json!({"cmd": "xsi.answer", "how": how, "count": 0}))?;
        // What was refused for good is read at intervals until somebody asks for all of it.
        ward.karel.balie.request("centre.refresh", &json!({}))?;
        ward.whole(how)?;
        ensure!(ward.karel.view()?["agent"].is_null(), "a supervisor is no agent");
    }
    // A heart-beat that is refused only means that the server has forgotten the channel.
    let before = ward.did("channel: opens")?;
    ward.turn(&json!({"cmd": "xsi.answer", "how": "unauthorized", "path": "heartbeat"}))?;
    ward.stir()?;
    ward.did_again("channel: opens", before)?;
    ward.whole("a heart-beat refused")?;
    // Any other request that is refused so means that the password is wrong: nothing is sent any more.
    ward.turn(&json!({"cmd": "xsi.answer", "how": "unauthorized", "path": "profile"}))?;
    ward.karel.balie.request("centre.refresh", &json!({}))?;
    ward.karel.balie.event("exchange.state", |event| {
        event["state"] == "refused" && event["reason"] == "auth_failed"
    })?;
    let right = ward.scene.pbx.known("106")?["xsi_password"].clone();
    let given = json!({"account": "main", "password": right, "exchange": true});
    ward.karel.balie.request("account.password", &given)?;
    ward.whole("the password given again")?;
    Ok(())
}

pub(crate) fn answers_come_late() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&json!({"cmd": "xsi.slow", "ms": 1_500}))?;
    ward.stir()?;
    ward.whole("answers 1.5 s late")?;
    // Later than a person waits: the command is answered with a refusal, and the view stays right.
    ward.turn(&json!({"cmd": "xsi.slow", "ms": 30_000, "path": "services/callcenter"}))?;
    let start = e2e::lamps::now();
    let lunch = json!({"agent": "105", "state": "unavailable", "reason": "PAUZE"});
    let refused = ward.karel.balie.request_within("agent.state", &lunch, Duration::from_secs(40));
    ensure!(refused.is_err(), "{refused:?}");
    println!("    a command gave up after {:.0} s", start.elapsed().as_secs_f64());
    ward.turn(&json!({"cmd": "xsi.slow", "ms": 0}))?;
    ward.stir()?;
    ward.whole("in time again")?;
    ward.calm(1)
}

pub(crate) fn nobody_else_may_be_watched() -> Result<()> {
    let scene = Scene::start()?;
    scene.pbx.turn(&json!({"cmd": "xsi.scope", "own": true}))?;
    let mut karel = scene.begin_watching("106")?;
    karel.until("a view that is read", |view| view["link"]["state"] == "polling")?;
    scene.customer("195", "+31302310001")?;
    let took = scene.same_though(&mut karel, Duration::from_secs(60), "polling")?;
    println!("    read at intervals: whole after {:.1} s", took.as_secs_f64());
    scene.pbx.turn(&json!({"cmd": "xsi.scope", "own": false}))?;
    karel.balie.request("centre.refresh", &json!({}))?;
    karel.live()?;
    let mut ward = Ward::of(scene, karel)?;
    ward.stir()?;
    ward.whole("allowed")?;
    Ok(())
}

pub(crate) fn requests_are_sent_to_the_other_host() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&json!({"cmd": "xsi.redirect", "count": 1}))?;
    ward.turn(&json!({"cmd": "xsi.channel.cut", "how": "break"}))?;
    ward.stir()?;
    // Heart-beats and answers must go to the host that holds the stream, or it is lost.
    ward.whole("a channel at the other host")?;
    ward.stir()?;
    ward.whole("events from there")?;
    pause(Duration::from_secs(16));
    ensure!(ward.karel.view()?["link"]["state"] == "live", "heart-beats reach the wrong host");
    ward.turn(&json!({"cmd": "xsi.redirect", "count": 2}))?;
    ward.turn(&knob("xsi.subscription.end"))?;
    ward.stir()?;
    ward.whole("subscriptions at the other host")?;
    ward.calm(4)
}

pub(crate) fn the_password_expires() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.turn(&json!({"cmd": "xsi.password", "user": "106", "expired": true}))?;
    ward.turn(&json!({"cmd": "xsi.channel.cut", "how": "break"}))?;
    let event = ward.karel.balie.event("exchange.state", |event| {
        event["state"] == "refused" && event["reason"] == "auth_failed"
    })?;
    ensure!(event["detail"].as_str().is_some_and(|words| words.contains("expired")), "{event}");
    ward.stir()?;
    ward.turn(&json!({"cmd": "xsi.password", "user": "106", "expired": false}))?;
    let right = ward.scene.pbx.known("106")?["xsi_password"].clone();
    let given = json!({"account": "main", "password": right, "exchange": true});
    ward.karel.balie.request("account.password", &given)?;
    ward.whole("a password that holds")?;
    Ok(())
}

pub(crate) fn the_exchange_starts_anew() -> Result<()> {
    let mut ward = Ward::start()?;
    ward.restart(0)?;
    ward.whole("a restart")?;
    ward.stir()?;
    ward.restart(4)?;
    ward.stir()?;
    ward.whole("four seconds away")?;
    ward.calm(8)
}
