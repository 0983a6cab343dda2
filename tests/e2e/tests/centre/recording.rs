//! F5: calls are recorded by the exchange when the user wants it, with his own telephone and with another one.

use anyhow::{Context as _, Result, ensure};
use e2e::balie::Balie;
use e2e::centre::{LIMIT, Scene};
use e2e::embedded::Embedded;
use e2e::xsi::Visitor;
use e2e::{deadline, is_over, pause};
use serde_json::{Value, json};

use crate::control::until_calls;

/// An exchange that records, for somebody who may want it for each call.
fn recording(extension: &str) -> Result<Scene> {
    let folder = tempfile::tempdir()?;
    let recordings = folder.path().join("recordings");
    let pbx = Embedded::start_with(&["--recordings", recordings.to_str().context("a path")?])?;
    let wish = "<CallRecording xmlns=\"http://schema.broadsoft.com/xsi\">\
                <recordingMode>on-demand</recordingMode></CallRecording>";
    Visitor::new(&pbx, extension)?.own("PUT", "services/CallRecording", wish)?;
    Ok(Scene { pbx, folder })
}

/// Waits until the recording of a call stands so.
fn stands(balie: &mut Balie, call: &Value, state: &str, may: &[&str]) -> Result<()> {
    until_calls(balie, &format!("recording that is {state}"), |calls| {
        let known = calls.iter().find(|one| one["id"] == *call);
        known.is_some_and(|one| {
            one["recording"]["state"] == state && one["recording"]["may"] == json!(may)
        })
    })
}

fn record(balie: &mut Balie, call: &Value, what: &str) -> Result<()> {
    balie.request("call.record", &json!({"call": call, "do": what})).map(|_| ())
}

/// Waits until the exchange has so many whole recordings.
fn stored(scene: &Scene, wanted: usize) -> Result<()> {
    let end = deadline(LIMIT);
    loop {
        let files = std::fs::read_dir(scene.folder.path().join("recordings"))?.flatten();
        let whole = files.filter(|file| file.path().extension().is_some_and(|end| end == "wav"));
        let found = whole.count();
        if found == wanted {
            return Ok(());
        }
        ensure!(!is_over(end), "{found} recordings instead of {wanted}");
        pause(std::time::Duration::from_millis(50));
    }
}

#[test]
pub(crate) fn calls_are_recorded_by_the_exchange_on_demand() -> Result<()> {
    let scene = recording("102")?;
    let mut joris = scene.user("102")?;
    scene.customer("102", "+31302310001")?;
    let call = joris.balie.ringing()?;
    joris.balie.request("call.answer", &json!({"call": call}))?;
    stands(&mut joris.balie, &call, "off", &["start"])?;
    joris.refused("call.record", &json!({"call": call, "do": "resume"}), "wrong_state")?;
    record(&mut joris.balie, &call, "start")?;
    stands(&mut joris.balie, &call, "on", &["pause", "stop"])?;
    record(&mut joris.balie, &call, "pause")?;
    stands(&mut joris.balie, &call, "paused", &["resume", "stop"])?;
    record(&mut joris.balie, &call, "resume")?;
    stands(&mut joris.balie, &call, "on", &["pause", "stop"])?;
    record(&mut joris.balie, &call, "stop")?;
    stands(&mut joris.balie, &call, "off", &["start"])?;
    stored(&scene, 1)?;
    joris.balie.hangup(&call)?;

    // One that he made himself; its end is that of the recording.
    let call = joris.balie.dial(&scene.pbx.number("music")?)?;
    stands(&mut joris.balie, &call, "off", &["start"])?;
    record(&mut joris.balie, &call, "start")?;
    stands(&mut joris.balie, &call, "on", &["pause", "stop"])?;
    joris.balie.hangup(&call)?;
    stored(&scene, 2)
}

#[test]
pub(crate) fn calls_of_another_telephone_are_recorded_too() -> Result<()> {
    let scene = recording("101")?;
    let mut phone = scene.telephone("101")?;
    let mut desk = scene.controller("101")?;
    let call = crate::control::taken(&scene, &mut phone, &mut desk, "+31302310001")?;
    stands(&mut desk.balie, &call, "off", &["start"])?;
    record(&mut desk.balie, &call, "start")?;
    stands(&mut desk.balie, &call, "on", &["pause", "stop"])?;
    record(&mut desk.balie, &call, "stop")?;
    stands(&mut desk.balie, &call, "off", &["start"])?;
    desk.balie.hangup(&call)?;
    stored(&scene, 1)
}

#[test]
pub(crate) fn where_nothing_is_recorded_it_is_not_offered() -> Result<()> {
    let scene = Scene::start()?;
    let mut joris = scene.user("102")?;
    let call = joris.balie.dial(&scene.pbx.number("music")?)?;
    until_calls(&mut joris.balie, "call without a recording", |calls| {
        calls.iter().any(|one| one["id"] == call && one["recording"].is_null())
    })?;
    joris.refused("call.record", &json!({"call": call, "do": "start"}), "licence_missing")?;
    joris.balie.hangup(&call)
}
