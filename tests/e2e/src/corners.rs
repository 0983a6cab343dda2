//! The corners of the protocol: SIPp behaves as few peers do and judges what Balie answers; here stands what Balie is
//! told to do meanwhile, and what it must say about it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::balie::{Account, Balie};
use crate::sipp::{self, Options, Sipp};
use crate::{PHONES, SERVER};

/// Balie's port in these scenarios.
const PORT: u16 = 5066;
/// Longest time that a scenario may take after Balie has done its part.
const REST: Duration = Duration::from_secs(45);

/// Longest time until a session is refreshed: half of the shortest interval there is, and some.
const LATER: Duration = Duration::from_secs(60);

/// One scenario and Balie's part in it.
pub struct Corner {
    /// Name of the file in `lab/sipp`, without its ending; with the word put in, where there is one.
    pub name: &'static str,
    scenario: &'static str,
    key: Option<(&'static str, &'static str)>,
    /// A line of the account's settings.
    setting: &'static str,
    play: fn(&mut Stage) -> Result<()>,
}

impl Corner {
    const fn new(name: &'static str, play: fn(&mut Stage) -> Result<()>) -> Self {
        Self { name, scenario: name, key: None, setting: "", play }
    }

    const fn with(
        name: &'static str,
        scenario: &'static str,
        key: (&'static str, &'static str),
        play: fn(&mut Stage) -> Result<()>,
    ) -> Self {
        Self { name, scenario, key: Some(key), setting: "", play }
    }

    const fn set(self, setting: &'static str) -> Self {
        Self { setting, ..self }
    }

    /// The file of its scenario, without its ending.
    #[must_use]
    pub fn scenario(&self) -> &'static str {
        self.scenario
    }

    /// What it is about: the comment at the head of its file.
    ///
    /// # Errors
    /// When the file is missing or says nothing.
    pub fn about(&self) -> Result<String> {
        let file = sipp::scenarios().join(format!("{}.xml", self.scenario));
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let about = text.split_once("<!--").and_then(|(_, rest)| rest.split_once("-->"));
        let (about, _) = about.with_context(|| format!("{} says nothing", file.display()))?;
        let (word, value) = self.key.unwrap_or_default();
        Ok(about.trim().replace(&format!("[{word}]"), value))
    }

    /// Plays it with a Balie and a SIPp of its own; files go to `folder`.
    ///
    /// # Errors
    /// When either side did not do as it must.
    pub fn run(&self, folder: &Path) -> Result<()> {
        let mut options = match self.scenario.starts_with("caller-") {
            true => Options::calling(self.scenario, "101", &format!("{PHONES}:{PORT}")),
            false => Options::waiting(self.scenario),
        };
        options = options.with_key("balie", &format!("{PHONES}:{PORT}"));
        if let Some((name, value)) = self.key {
            options = options.with_key(name, value);
        }
        options.shows_repetitions = SEES_REPETITIONS.contains(&self.scenario);
        let account = if self.scenario.starts_with("registrar-") || self.name == "caller-stranger" {
            Account { sip_port: PORT, ..Account::new("101", "a-password", &registrar()) }
        } else {
            Account::direct("101", PHONES, PORT)
        };
        let config = account
            .with("mwi = false")
            .with("reg_event = false")
            .with(self.setting)
            .write(folder, PHONES)?;
        let mut stage = Stage { balie: None, config: &config, sipp: None, options, folder };
        (self.play)(&mut stage)?;
        stage.sipp()?.finish(REST)
    }
}

/// Scenarios that look at repetitions themselves.
const SEES_REPETITIONS: &[&str] = &[
    "callee-lost-ack",
    "callee-prack-lost",
    "caller-lost-ack",
    "caller-repeats",
    "caller-comes-twice",
];

/// Every corner.
pub const CORNERS: &[Corner] = &[
    // Balie calls.
    Corner::new("callee-lost-ack", until_hung_up_on),
    Corner::new("callee-late-answer", give_up),
    Corner::new("callee-cancelled", give_up),
    Corner::new("callee-forked-answers", until_hung_up_on),
    Corner::new("callee-early-forks", talk_and_hang_up),
    Corner::new("callee-early-then-ringing", until_hung_up_on),
    Corner::new("callee-provisionals", until_hung_up_on),
    Corner::new("callee-late-provisional", until_hung_up_on),
    Corner::new("callee-min-se", talk_and_hang_up),
    Corner::new("callee-session-timer", until_hung_up_on_later),
    Corner::new("callee-prack", until_hung_up_on),
    Corner::new("callee-prack-lost", until_hung_up_on),
    Corner::new("callee-moved", |stage| refused(stage, 302)),
    Corner::new("callee-use-proxy", |stage| refused(stage, 305)),
    Corner::new("callee-alternative", |stage| refused(stage, 380)),
    Corner::with("callee-refuses-404", "callee-refuses", ("code", "404"), |s| refused(s, 404)),
    Corner::with("callee-refuses-480", "callee-refuses", ("code", "480"), |s| refused(s, 480)),
    Corner::with("callee-refuses-486", "callee-refuses", ("code", "486"), |s| refused(s, 486)),
    Corner::with("callee-refuses-488", "callee-refuses", ("code", "488"), |s| refused(s, 488)),
    Corner::with("callee-refuses-503", "callee-refuses", ("code", "503"), |s| refused(s, 503)),
    Corner::with("callee-refuses-600", "callee-refuses", ("code", "600"), |s| refused(s, 600)),
    Corner::with("callee-refuses-603", "callee-refuses", ("code", "603"), |s| refused(s, 603)),
    Corner::new("callee-no-contact", talk_and_hang_up),
    Corner::new("callee-no-tag", talk_and_hang_up),
    Corner::new("callee-glare", hold),
    Corner::new("callee-glare-both", hold),
    Corner::new("callee-change-without-offer", until_hung_up_on),
    Corner::with("callee-holds-sendonly", "callee-holds", ("direction", "sendonly"), held_by_them),
    Corner::with("callee-holds-inactive", "callee-holds", ("direction", "inactive"), held_by_them),
    Corner::new("callee-holds-zero", held_by_them),
    Corner::new("callee-refused-change", hold),
    Corner::new("callee-forgets", forgotten),
    Corner::new("callee-updates", held_by_them),
    Corner::new("callee-refers", sent_elsewhere_in_vain),
    Corner::new("callee-transfers", |stage| transfer(stage, true)),
    Corner::new("callee-refuses-transfer", |stage| transfer(stage, false)),
    Corner::new("callee-transfer-busy", |stage| transfer(stage, false)),
    Corner::new("callee-transfer-no-subscription", |stage| transfer(stage, true))
        .set("norefersub = true"),
    Corner::new("callee-unknown-method", until_hung_up_on),
    Corner::new("callee-unknown-extension", until_hung_up_on),
    Corner::new("callee-old-number", until_hung_up_on),
    Corner::new("callee-stranger", until_hung_up_on),
    Corner::new("callee-digits", until_hung_up_on),
    Corner::new("callee-takes-digits", sends_a_digit).set("dtmf = \"info\""),
    Corner::new("callee-redirects-target", held_then_hang_up),
    Corner::new("callee-hangs-up", until_hung_up_on),
    Corner::new("callee-multipart", until_hung_up_on),
    // Only the account's own server gets its challenges answered.
    Corner::new("callee-challenges-twice", |stage| refused(stage, 407)).set(BEHIND_SIPP),
    Corner::new("callee-stale-nonce", hold).set(BEHIND_SIPP),
    // Balie is called.
    Corner::new("caller-basic", answer),
    Corner::new("caller-lost-ack", answer),
    Corner::new("caller-never-acknowledges", answer),
    Corner::new("caller-without-offer", answer),
    Corner::new("caller-old-branch", answer),
    Corner::new("caller-no-branch", answer),
    Corner::new("caller-no-tag", answer),
    Corner::new("caller-unknown-dialog", no_ringing),
    Corner::new("caller-requires-magic", no_ringing),
    Corner::new("caller-plain-text", no_ringing),
    Corner::new("caller-encoded", no_ringing),
    Corner::new("caller-multipart", answer),
    Corner::new("caller-unknown-part", no_ringing),
    Corner::new("caller-unknown-user", no_ringing),
    Corner::new("caller-video-only", no_ringing),
    Corner::new("caller-short-interval", no_ringing),
    Corner::new("caller-unknown-replaces", no_ringing),
    Corner::new("caller-session-timer", answer),
    Corner::new("caller-prack", answer_when_told),
    Corner::new("caller-bad-prack", answer_when_told),
    Corner::new("caller-offer-first", answer_when_told),
    Corner::new("caller-updates", answer),
    Corner::new("caller-change-without-offer", answer),
    Corner::with("caller-holds-sendonly", "caller-holds", ("direction", "sendonly"), answer_held),
    Corner::with("caller-holds-inactive", "caller-holds", ("direction", "inactive"), answer_held),
    Corner::new("caller-cancels", missed),
    Corner::new("caller-cancels-late", answer),
    Corner::new("caller-cancels-nothing", no_ringing),
    Corner::new("caller-repeats", answer_when_told),
    Corner::new("caller-comes-twice", answer_when_told),
    Corner::new("caller-hangs-up-early", missed),
    Corner::new("caller-unknown-method", no_ringing),
    Corner::new("caller-asks", no_ringing),
    Corner::new("caller-subscribes", no_ringing),
    Corner::new("caller-notifies", no_ringing),
    Corner::new("caller-registers", no_ringing),
    Corner::new("caller-bye", no_ringing),
    Corner::new("caller-messages", no_ringing),
    Corner::new("caller-refers", no_ringing),
    Corner::new("caller-stranger", stranger),
    Corner::new("caller-replaces", replaced),
    // SIPp is the registrar.
    Corner::new("registrar-plain", registered),
    Corner::new("registrar-stale-nonce", registered),
    Corner::new("registrar-sha-256", registered),
    Corner::new("registrar-wrong-password", |stage| refused_account(stage, "auth_failed")),
    Corner::new("registrar-longer", registered),
    Corner::new("registrar-retry-after", registered),
    Corner::new("registrar-trouble", registered),
    Corner::new("registrar-forbidden", |stage| refused_account(stage, "auth_failed")),
    Corner::new("registrar-outbound", registered),
    Corner::new("registrar-other-contacts", registered),
];

/// SIPp is the account's server.
const BEHIND_SIPP: &str = "outbound_proxy = \"sip:10.99.0.1:5090\"";

fn registrar() -> String {
    format!("{SERVER}:{}", sipp::PORT)
}

/// Where the two meet. Whoever waits is started first.
struct Stage<'a> {
    balie: Option<Balie>,
    config: &'a Path,
    sipp: Option<Sipp>,
    options: Options,
    folder: &'a Path,
}

impl Stage<'_> {
    fn balie(&mut self) -> Result<&mut Balie> {
        if self.balie.is_none() {
            self.balie = Some(Balie::start(self.config, "null")?);
        }
        self.balie.as_mut().context("Balie runs")
    }

    fn sipp(&mut self) -> Result<&mut Sipp> {
        if self.sipp.is_none() {
            self.sipp = Some(Sipp::start(&self.options, self.folder)?);
        }
        self.sipp.as_mut().context("SIPp runs")
    }

    /// SIPp waits, Balie dials.
    fn dial(&mut self) -> Result<Value> {
        self.sipp()?;
        self.balie()?.begin(&format!("sip:sipp@{}", registrar()))
    }

    /// The same, answered.
    fn talk(&mut self) -> Result<Value> {
        let call = self.dial()?;
        self.balie()?.call_state(&call, "active")?;
        Ok(call)
    }

    /// Balie waits, SIPp calls, it rings.
    fn rung(&mut self) -> Result<Value> {
        self.balie()?;
        self.sipp()?;
        self.balie()?.ringing()
    }

    fn state(&mut self, call: &Value, state: &str) -> Result<Value> {
        self.balie()?.call_state(call, state)
    }

    fn command(&mut self, name: &str, call: &Value) -> Result<Value> {
        self.balie()?.request(name, &json!({"call": call}))
    }
}

fn until_hung_up_on(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.state(&call, "ended")?;
    Ok(())
}

/// The same where the peer waits for what takes its time.
fn until_hung_up_on_later(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.balie()?.event_within("call.state", LATER, |event| {
        event["call"] == call && event["state"] == "ended"
    })?;
    Ok(())
}

fn talk_and_hang_up(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.balie()?.hangup(&call)
}

fn give_up(stage: &mut Stage) -> Result<()> {
    let call = stage.dial()?;
    stage.state(&call, "ringing")?;
    stage.balie()?.hangup(&call)
}

fn refused(stage: &mut Stage, status: u16) -> Result<()> {
    let call = stage.dial()?;
    let ended = stage.state(&call, "ended")?;
    ensure!(ended["status"] == status, "the call ended with another status: {ended}");
    ensure!(ended["reason"].is_string(), "the end has no reason: {ended}");
    Ok(())
}

fn hold(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.command("call.hold", &call)?;
    stage.state(&call, "ended")?;
    Ok(())
}

fn forgotten(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.command("call.hold", &call)?;
    let ended = stage.state(&call, "ended")?;
    ensure!(ended["reason"].is_string(), "a forgotten call has a reason: {ended}");
    Ok(())
}

fn held_by_them(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.state(&call, "held_by_peer")?;
    stage.state(&call, "active")?;
    stage.state(&call, "ended")?;
    Ok(())
}

fn held_then_hang_up(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.state(&call, "held_by_peer")?;
    stage.balie()?.hangup(&call)
}

fn sends_a_digit(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.balie()?.request("call.dtmf", &json!({"call": call, "digits": "5"}))?;
    stage.state(&call, "ended")?;
    Ok(())
}

/// The peer sends us elsewhere, where nobody is; the call with it goes on until we hang up.
fn sent_elsewhere_in_vain(stage: &mut Stage) -> Result<()> {
    let call = stage.talk()?;
    stage.sipp()?.logged(REST)?;
    stage.balie()?.hangup(&call)
}

/// A blind transfer that is taken, or that gives the caller back.
fn transfer(stage: &mut Stage, taken: bool) -> Result<()> {
    let call = stage.talk()?;
    let to = format!("sip:third@{}", registrar());
    stage.balie()?.request("call.transfer.blind", &json!({"call": call, "to": to}))?;
    let last = if taken { "done" } else { "failed" };
    let fits = |event: &Value| event["call"] == call && event["state"] == last;
    let event = stage.balie()?.event("call.transfer", fits)?;
    if taken {
        stage.state(&call, "ended")?;
        return Ok(());
    }
    ensure!(event["status"].is_number(), "a failed transfer says why: {event}");
    stage.balie()?.hangup(&call)
}

fn answer(stage: &mut Stage) -> Result<()> {
    let call = stage.rung()?;
    stage.command("call.answer", &call)?;
    stage.balie()?.event_within("call.state", REST, |event| {
        event["call"] == call && event["state"] == "ended"
    })?;
    Ok(())
}

/// Answers once the scenario has seen all that must come before.
fn answer_when_told(stage: &mut Stage) -> Result<()> {
    let call = stage.rung()?;
    stage.sipp()?.logged(Duration::from_secs(10))?;
    stage.command("call.answer", &call)?;
    stage.state(&call, "ended")?;
    Ok(())
}

fn answer_held(stage: &mut Stage) -> Result<()> {
    let call = stage.rung()?;
    stage.command("call.answer", &call)?;
    for state in ["active", "held_by_peer", "active", "ended"] {
        stage.state(&call, state)?;
    }
    Ok(())
}

fn missed(stage: &mut Stage) -> Result<()> {
    let call = stage.rung()?;
    stage.state(&call, "ended")?;
    Ok(())
}

/// SIPp is refused, and nothing of it reaches the user.
fn no_ringing(stage: &mut Stage) -> Result<()> {
    stage.balie()?;
    stage.sipp()?.finish(REST)?;
    nothing_rang(stage)
}

fn nothing_rang(stage: &mut Stage) -> Result<()> {
    // Answered after everything that came before it.
    stage.balie()?.request("history.list", &json!({}))?;
    ensure!(!stage.balie()?.has_come("call.state"), "the telephone rang");
    Ok(())
}

fn registered(stage: &mut Stage) -> Result<()> {
    stage.sipp()?;
    let within = Duration::from_secs(20);
    stage.balie()?.event_within("account.state", within, |event| event["state"] == "registered")?;
    let balie = stage.balie.take().context("Balie runs")?;
    let code = balie.quit()?;
    ensure!(code == 0, "the program ended with {code}");
    Ok(())
}

fn refused_account(stage: &mut Stage, reason: &str) -> Result<()> {
    stage.sipp()?;
    let failed = stage.balie()?.event("account.state", |event| event["state"] == "failed")?;
    ensure!(failed["reason"] == reason, "{failed}");
    Ok(())
}

/// Registered at one SIPp, called by another from elsewhere.
fn stranger(stage: &mut Stage) -> Result<()> {
    let mut registrar = Sipp::start(&Options::waiting("registrar-plain"), stage.folder)?;
    stage.balie()?.registered()?;
    stage.options.host = PHONES.to_owned();
    stage.options.port = sipp::PORT + 1;
    stage.sipp()?.finish(REST)?;
    nothing_rang(stage)?;
    stage.balie.take().context("Balie runs")?.quit()?;
    registrar.finish(REST)
}

/// A second SIPp takes the place of the first one's call.
fn replaced(stage: &mut Stage) -> Result<()> {
    stage.balie()?;
    let remote = format!("{PHONES}:{PORT}");
    let mut first = Options::calling("caller-kept", "101", &remote);
    first.call_id = Some("kept-call".to_owned());
    let mut first = Sipp::start(&first, stage.folder)?;
    let call = stage.balie()?.ringing()?;
    stage.command("call.answer", &call)?;
    let tag = first.logged(Duration::from_secs(10))?;
    let options = Options::calling("caller-replaces", "101", &remote);
    stage.options = Options { port: sipp::PORT + 1, ..options }
        .with_key("replaced", "kept-call")
        .with_key("theirs", &tag)
        .with_key("ours", &format!("{}SIPp1", first.id()));
    stage.sipp()?;
    stage.state(&call, "ended")?;
    first.finish(REST)
}
