//! E3, E4: a supervisor listens to an agent's call, speaks to the agent alone, or with both; the agent sees it, and who
//! hears whom is judged by the sound. An agent asks a supervisor in.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::centre::{LIMIT, Scene, User};
use e2e::lamps::now;
use e2e::pause;
use e2e::sound::{Signal, likeness};
use serde_json::{Value, json};

/// How long each manner of supervision is listened to.
const LISTENED: Duration = Duration::from_millis(5_000);
/// So much of its beginning and of its end is left out: tones, and what was under way.
const EDGE_S: f64 = 1.2;

/// Two pieces of speech that are said again and again, and a file of silence.
struct Voices {
    agent: (PathBuf, Signal),
    supervisor: (PathBuf, Signal),
    silence: PathBuf,
}

impl Voices {
    fn new(scene: &Scene) -> Result<Self> {
        let speech = Signal::read(&e2e::speech())?;
        let piece = |name: &str, from: f64| -> Result<(PathBuf, Signal)> {
            let (path, piece) = (scene.folder.path().join(name), speech.cut(from, 1.6));
            piece.write(&path)?;
            Ok((path, piece))
        };
        let silence = scene.folder.path().join("silence.wav");
        Signal { rate: 16_000, samples: vec![0.0; 16_000] }.write(&silence)?;
        Ok(Self {
            agent: piece("agent.wav", 0.5)?,
            supervisor: piece("supervisor.wav", 4.5)?,
            silence,
        })
    }
}

/// The supervisor is in on the agent's call for a while; from when on everybody's sound tells.
fn supervise(scene: &Scene, (karel, bas): (&mut User, &mut User), how: &str) -> Result<Instant> {
    // What the call before this one was told more than once.
    karel.balie.forget("call.state");
    karel.balie.request("supervise", &json!({"agent": "104", "how": how}))?;
    // His telephone is rung by the exchange, and answers by itself.
    let call =
        karel.balie.event("call.state", |event| {
            event["direction"] == "in" && event["state"] == "active"
        })?["call"]
            .clone();
    bas.agent("that somebody listens", |agent| agent["monitored"] == true)?;
    let from = now();
    pause(LISTENED);
    karel.balie.hangup(&call)?;
    // The exchange lets nobody be in twice, and learns of the end a little later.
    e2e::poll("the end of the supervision", LIMIT, || {
        let status = scene.pbx.turn(&json!({"cmd": "status"})).ok()?;
        (status["calls"] == 1).then_some(())
    })?;
    Ok(from)
}

#[test]
pub(crate) fn who_hears_the_supervisor_is_as_he_wants_it() -> Result<()> {
    let scene = Scene::start()?;
    let voices = Voices::new(&scene)?;
    let heard = |name: &str| scene.folder.path().join(format!("heard-{name}.wav"));
    let mut bas = scene.speaker("104", (&voices.agent.0, &heard("bas")))?;
    let mut joris = scene.speaker("102", (&voices.silence, &heard("joris")))?;
    let mut karel = scene.speaker("106", (&voices.supervisor.0, &heard("karel")))?;
    karel.refused("supervise", &json!({"agent": "Niemand", "how": "listen"}), "unknown_agent")?;
    ensure!(karel.balie.request("supervise", &json!({"agent": "104", "how": "listen"})).is_err());
    // What somebody hears is written from the beginning of the first call on.
    let call = bas.balie.begin("102")?;
    let began_of_bas = now();
    let there = joris.balie.ringing()?;
    joris.balie.request("call.answer", &json!({"call": there}))?;
    let began_of_joris = now();
    bas.balie.call_state(&call, "active")?;
    let mut phases = Vec::new();
    for how in ["listen", "coach", "barge_in"] {
        phases.push((how, supervise(&scene, (&mut karel, &mut bas), how)?));
    }
    bas.balie.hangup(&call)?;
    for user in [bas, joris, karel] {
        user.balie.quit()?;
    }
    let (of_bas, of_joris) = (Signal::read(&heard("bas"))?, Signal::read(&heard("joris"))?);
    let length = LISTENED.as_secs_f64() - 2.0 * EDGE_S;
    let like = |of: &Signal, began: Instant, from: Instant| {
        let start = from.saturating_duration_since(began).as_secs_f64() + EDGE_S;
        likeness(&voices.supervisor.1, &of.cut(start, length), 0.4)
    };
    for (how, from) in phases {
        let bas = like(&of_bas, began_of_bas, from)?;
        let joris = like(&of_joris, began_of_joris, from)?;
        println!("{how}: the agent hears the supervisor {bas:.3}, the other {joris:.3}");
        ensure!((bas > 0.8) == (how != "listen"), "{how}: the agent hears him {bas}");
        // He hears the agent at the same time: of two voices as loud each resembles the sum by 0.7.
        ensure!((joris > 0.5) == (how == "barge_in"), "{how}: the other hears him {joris}");
    }
    let of_karel = likeness(&voices.agent.1, &Signal::read(&heard("karel"))?, 0.4)?;
    ensure!(of_karel > 0.8, "the supervisor hears the agent: {of_karel}");
    Ok(())
}

/// The agent talks with a customer of a queue.
fn taken(scene: &Scene, bas: &mut User) -> Result<Value> {
    scene.customer("195", "+31302310021")?;
    let ringing = bas.balie.ringing()?;
    bas.balie.request("call.answer", &json!({"call": ringing}))?;
    bas.balie.event("call.state", |event| {
        event["call"] == ringing && event["state"] == "active" && !event["queue"].is_null()
    })?;
    bas.until("the exchange's own view of the call", |view| view["agent"]["on_call"] == true)?;
    Ok(ringing)
}

#[test]
pub(crate) fn an_agent_asks_a_supervisor_while_the_caller_waits() -> Result<()> {
    let scene = Scene::start()?;
    let (mut bas, mut karel) = (scene.user("104")?, scene.user("106")?);
    let call = taken(&scene, &mut bas)?;
    bas.balie.request("escalate", &json!({"call": call}))?;
    // The own telephone is rung for it, answers by itself, and the caller is held.
    let own = bas.balie.event("call.state", |event| {
        event["direction"] == "in" && event["state"] == "active" && event["call"] != call
    })?["call"]
        .clone();
    bas.balie.call_state(&call, "held")?;
    let asked = karel.balie.ringing()?;
    karel.balie.request("call.answer", &json!({"call": asked}))?;
    karel.balie.call_state(&asked, "active")?;
    karel
        .balie
        .event("call.media", |event| event["call"] == asked && event["rx_active"] == true)?;
    // A supervisor has nobody to ask.
    karel.refused("escalate", &json!({"call": asked}), "licence_missing")?;
    bas.balie.hangup(&own)?;
    karel.balie.call_state(&asked, "ended")?;
    bas.balie.request("call.resume", &json!({"call": call}))?;
    bas.balie.call_state(&call, "active")?;
    bas.balie.hangup(&call)
}

#[test]
pub(crate) fn in_an_emergency_the_supervisor_is_in_on_the_call() -> Result<()> {
    let scene = Scene::start()?;
    let (mut bas, mut karel) = (scene.user("104")?, scene.user("106")?);
    let call = taken(&scene, &mut bas)?;
    bas.balie.request("escalate", &json!({"call": call, "emergency": true, "to": "106"}))?;
    let asked = karel.balie.ringing()?;
    karel.balie.request("call.answer", &json!({"call": asked}))?;
    karel.balie.call_state(&asked, "active")?;
    // He hears the customer.
    karel
        .balie
        .event("call.media", |event| event["call"] == asked && event["rx_active"] == true)?;
    let told = scene.agent("104")?;
    ensure!(told["calls"].as_array().is_some_and(|calls| calls.len() == 1), "{told}");
    karel.balie.hangup(&asked)?;
    bas.balie.request("call.hangup", &json!({"call": call}))?;
    scene.until_agent("104", |agent| agent["calls"] == json!([]))?;
    Ok(())
}
