//! From the mouth to the ear: somebody speaks into the microphone of one program, and what comes out of the loudspeaker of
//! another, which it has called, is found again in what was said, tenth of a second by tenth of a second.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::PHONES;
use e2e::balie::{Account, Balie, program};
use e2e::baresip::Baresip;
use e2e::loudspeaker::{Loudspeaker, RATE};
use e2e::sound::Signal;
use e2e::{deadline, pause};
use serde_json::json;

use crate::listeners;
use crate::network::{median, places};

/// How long somebody speaks, in seconds.
const SECONDS: usize = 30;
/// Marks that must be found again.
const MARKS: usize = 100;

/// The delays of one pair of programs, in milliseconds.
pub(crate) struct Delays {
    pub(crate) name: &'static str,
    pub(crate) median: f64,
    /// 95 of 100 are shorter.
    pub(crate) late: f64,
    pub(crate) marks: usize,
    /// The most that median and 95th may be.
    pub(crate) bound: Option<(f64, f64)>,
}

/// Two of each, one after the other.
pub(crate) fn measure(folder: &Path) -> Result<Vec<Delays>> {
    let speech = Signal::read(&e2e::speech())?.raised_to(RATE)?.repeated(3);
    let said = folder.join("mouth.wav");
    speech.write(&said)?;
    let pair = |name: &str| -> Result<_> {
        // A sound server takes no comma in the path of its socket.
        let home = folder.join(name.replace(", ", "-").replace(' ', "-"));
        let here = Loudspeaker::with_mouth(&home.join("here"))?;
        Ok((here, Loudspeaker::with_mouth(&home.join("there"))?, home))
    };
    let mut all = Vec::new();
    for (name, echo, bound) in
        [("balie, plain", false, (75.0, 95.0)), ("balie, echo cancelling", true, (90.0, 110.0))]
    {
        let (here, there, home) = pair(name)?;
        let mut caller = balie("101", 5_161, &here, &home)?;
        let mut called = balie("102", 5_162, &there, &home)?;
        let wanted = json!({
            "echo_cancelling": echo, "noise_suppression": false, "gain_control": false,
        });
        caller.request("processing.set", &wanted)?;
        let call = caller.begin(&format!("sip:102@{PHONES}:5162"))?;
        let taken = called.ringing()?;
        called.request("call.answer", &json!({"call": taken}))?;
        caller.call_state(&call, "active")?;
        all.push(delays(name, Some(bound), &here, &there, &said)?);
        caller.hangup(&call)?;
    }
    let (here, there, home) = pair("baresip")?;
    let mut caller = listeners::baresip(5_164, 8, &here, &home.join("caller"))?;
    let mut called = listeners::baresip(5_166, 9, &there, &home.join("called"))?;
    called_by(&mut caller, &mut called)?;
    all.push(delays("baresip", None, &here, &there, &said)?);
    Ok(all)
}

fn called_by(caller: &mut Baresip, called: &mut Baresip) -> Result<()> {
    caller.command("dial", &format!("sip:110@{PHONES}:5166"))?;
    called.event("CALL_INCOMING")?;
    called.command("accept", "")?;
    caller.event("CALL_ESTABLISHED").map(drop)
}

fn balie(user: &str, port: u16, loudspeaker: &Loudspeaker, folder: &Path) -> Result<Balie> {
    let account = Account::direct(user, PHONES, port).with_codec("opus");
    let mut command = Command::new(program()?);
    command.envs(loudspeaker.environment());
    Balie::start_by(command, &account.write(folder, PHONES)?, "system")
}

fn delays(
    name: &'static str,
    bound: Option<(f64, f64)>,
    here: &Loudspeaker,
    there: &Loudspeaker,
    said: &Path,
) -> Result<Delays> {
    // Buffers and clocks settle before they are measured.
    pause(Duration::from_secs(3));
    let (mouth, ear) = (here.overhear()?, there.listen()?);
    let start = deadline(Duration::from_millis(500));
    let _speaking = here.speak(said)?;
    pause(Duration::from_secs(SECONDS as u64 + 1));
    let length = SECONDS * RATE as usize;
    let (mouth, ear) = (mouth.stop(start, length)?, ear.stop(start, length)?);
    let mut delays: Vec<f64> = places(&mouth, &ear)
        .iter()
        .filter(|place| place.likeness > 0.5)
        .map(|place| place.delay_ms)
        .collect();
    ensure!(delays.len() >= MARKS, "{name}: only {} tenths of a second came through", delays.len());
    delays.sort_by(f64::total_cmp);
    let late = delays[delays.len() * 95 / 100];
    Ok(Delays { name, marks: delays.len(), median: median(delays), late, bound })
}
