//! baresip against every feature, without a server between.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Recorder;
use super::shared::{answer, hold_and_resume, quit, sound, started};
use crate::PHONES;
use crate::balie::{Account, Balie};
use crate::baresip::{Baresip, Settings};
use crate::sound::Signal;

/// Where baresip listens.
const THEIRS: u16 = 5080;
/// Where the Balie under test listens.
const OURS: u16 = 5066;
/// Where a second Balie listens, the third party of transfers.
const THIRD: u16 = 5068;

pub(super) fn run(cells: &mut Recorder) -> Result<()> {
    let register = [
        "register over UDP",
        "register over TCP",
        "register over TLS",
        "register over WSS",
        "register over IPv6",
        "outbound and path",
        "peer restarts",
    ];
    cells.none(&register, "it is a telephone, not a registrar");
    let server = [
        "pickup",
        "park and retrieve",
        "several phones ring",
        "resource list",
        "presence",
        "lamps (dialog events)",
        "message lamp, asked for",
        "message lamp, unasked",
    ];
    cells.none(&server, "a matter of the exchange");
    cells.none(
        &["DTLS, ICE and WSS (as a browser)", "digits, INFO", "sound before the answer"],
        "this version has no such thing",
    );
    cells.cell("call out, sound both ways", calls);
    cells.cell("call in, sound both ways", is_called);
    cells.cell("refusal and cancel", refusals);
    cells.cell("hold and resume", |folder| {
        let mut call = Talk::begin("", folder)?;
        hold_and_resume(&mut call.balie, &call.id)?;
        call.end()
    });
    cells.cell("held by the peer", |folder| {
        let mut call = Talk::begin("", folder)?;
        call.baresip.command("hold", "")?;
        call.balie.call_state(&call.id, "held_by_peer")?;
        call.baresip.command("resume", "")?;
        call.balie.call_state(&call.id, "active")?;
        call.end()
    });
    cells.cell("digits, RFC 4733", digits);
    cells.cell("blind transfer", blind_transfer);
    cells.none(
        &["attended transfer"],
        "it knows no Replaces: it takes such a REFER with 202 and reports 400",
    );
    cells.cell("transferred by the peer", transferred_by_it);
    cells.cell("SRTP, keys in SDP", |folder| encrypted("srtp-mand", "sdes", folder));
    cells.cell("SRTP, keys by DTLS", |folder| encrypted("dtls_srtp", "dtls", folder));
    Ok(())
}

fn baresip(encryption: &str, folder: &Path) -> Result<Baresip> {
    let microphone = folder.join("baresip-says.wav");
    Signal::read(&crate::speech())?.raised_to(48_000)?.repeated(6).write(&microphone)?;
    let settings = Settings {
        user: "110".to_owned(),
        password: String::new(),
        server: String::new(),
        sip_port: THEIRS,
        control_port: 4444,
        microphone,
        codecs: "opus/48000/2,G722/16000/1,PCMA/8000/1,PCMU/8000/1".to_owned(),
        encryption: encryption.to_owned(),
    };
    Baresip::start(&settings, folder)
}

fn their_address() -> String {
    format!("sip:110@{PHONES}:{THEIRS}")
}

fn address(user: &str, port: u16) -> String {
    format!("sip:{user}@{PHONES}:{port}")
}

/// A call that Balie placed and baresip took.
struct Talk {
    balie: Balie,
    baresip: Baresip,
    id: Value,
}

impl Talk {
    /// `keying`: how the sound is encrypted in baresip's words, empty for not at all.
    fn begin(encryption: &str, folder: &Path) -> Result<Self> {
        Self::with(&Account::direct("101", PHONES, OURS), encryption, folder)
    }

    fn with(account: &Account, encryption: &str, folder: &Path) -> Result<Self> {
        let mut baresip = baresip(encryption, folder)?;
        let mut balie = started(account, folder)?;
        let id = balie.begin(&their_address())?;
        baresip.event("CALL_INCOMING")?;
        balie.call_state(&id, "ringing")?;
        baresip.command("accept", "")?;
        balie.call_state(&id, "active")?;
        sound(&mut balie, &id)?;
        Ok(Self { balie, baresip, id })
    }

    fn end(mut self) -> Result<()> {
        self.balie.hangup(&self.id)?;
        self.baresip.event("CALL_CLOSED")?;
        quit(self.balie)
    }
}

fn calls(folder: &Path) -> Result<()> {
    Talk::begin("", folder)?.end()
}

fn is_called(folder: &Path) -> Result<()> {
    let mut baresip = baresip("", folder)?;
    let mut balie = started(&Account::direct("101", PHONES, OURS), folder)?;
    baresip.command("dial", &address("101", OURS))?;
    let call = answer(&mut balie)?;
    sound(&mut balie, &call)?;
    baresip.event("CALL_ESTABLISHED")?;
    baresip.command("hangup", "")?;
    balie.call_state(&call, "ended")?;
    quit(balie)
}

fn refusals(folder: &Path) -> Result<()> {
    let mut baresip = baresip("", folder)?;
    let mut balie = started(&Account::direct("101", PHONES, OURS), folder)?;
    let call = balie.begin(&their_address())?;
    baresip.event("CALL_INCOMING")?;
    baresip.command("hangup", "")?;
    let ended = balie.call_state(&call, "ended")?;
    ensure!(ended["status"].as_u64().is_some_and(|status| status >= 400), "{ended}");
    let call = balie.begin(&their_address())?;
    baresip.event("CALL_INCOMING")?;
    balie.call_state(&call, "ringing")?;
    balie.hangup(&call)?;
    baresip.event("CALL_CLOSED")?;
    baresip.command("dial", &address("101", OURS))?;
    let call = balie.ringing()?;
    baresip.command("hangup", "")?;
    balie.call_state(&call, "ended")?;
    quit(balie)
}

fn digits(folder: &Path) -> Result<()> {
    let mut call = Talk::begin("", folder)?;
    call.balie.request("call.dtmf", &json!({"call": call.id, "digits": "5"}))?;
    let event = call.baresip.event("CALL_DTMF_START")?;
    ensure!(event["param"] == "5", "baresip heard something else: {event}");
    call.end()
}

fn blind_transfer(folder: &Path) -> Result<()> {
    let mut call = Talk::begin("", folder)?;
    let mut third = started(&Account::direct("103", PHONES, THIRD), folder)?;
    call.balie
        .request("call.transfer.blind", &json!({"call": call.id, "to": address("103", THIRD)}))?;
    let taken = answer(&mut third)?;
    super::shared::transferred(&mut call.balie, &call.id)?;
    sound(&mut third, &taken)?;
    third.hangup(&taken)?;
    quit(third)?;
    quit(call.balie)
}

fn transferred_by_it(folder: &Path) -> Result<()> {
    let mut call = Talk::begin("", folder)?;
    let mut third = started(&Account::direct("103", PHONES, THIRD), folder)?;
    call.baresip.command("transfer", &address("103", THIRD))?;
    let taken = answer(&mut third)?;
    sound(&mut third, &taken)?;
    third.hangup(&taken)?;
    quit(third)?;
    quit(call.balie)
}

fn encrypted(theirs: &str, ours: &str, folder: &Path) -> Result<()> {
    let account = Account::direct("101", PHONES, OURS).with("srtp = \"required\"");
    let account = account.with(&format!("srtp_keying = \"{ours}\""));
    let mut call = Talk::with(&account, theirs, folder)?;
    let view = call.balie.request("call.stats", &json!({"call": call.id}))?;
    ensure!(view["secure"] == true, "the sound is not encrypted: {view}");
    call.end()
}
