//! linphonec against every feature, without a server between.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Recorder;
use super::shared::{
    answer, hold_and_resume, quit, send_on_after_asking, sound, started, transferred,
};
use crate::PHONES;
use crate::balie::{Account, Balie};
use crate::linphone::{Encryption, Linphone};

/// Where linphonec listens.
const THEIRS: u16 = 5082;
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
        &["DTLS, ICE and WSS (as a browser)", "sound before the answer", "digits, INFO"],
        "its console has no way to ask for it",
    );
    cells.cell("call out, sound both ways", |folder| Talk::begin(Encryption::None, folder)?.end());
    cells.cell("call in, sound both ways", is_called);
    cells.cell("refusal and cancel", refusals);
    cells.cell("hold and resume", |folder| {
        let mut call = Talk::begin(Encryption::None, folder)?;
        hold_and_resume(&mut call.balie, &call.id)?;
        call.end()
    });
    cells.cell("held by the peer", |folder| {
        let mut call = Talk::begin(Encryption::None, folder)?;
        call.linphone.command("pause")?;
        call.balie.call_state(&call.id, "held_by_peer")?;
        call.linphone.says("is now paused")?;
        call.linphone.command("resume")?;
        call.balie.call_state(&call.id, "active")?;
        call.end()
    });
    cells.cell("digits, RFC 4733", |folder| {
        let mut call = Talk::begin(Encryption::None, folder)?;
        call.linphone.command("5")?;
        call.balie.event("call.dtmf", |event| event["digit"] == "5")?;
        call.balie.request("call.dtmf", &json!({"call": call.id, "digits": "7"}))?;
        call.linphone.says("Receiving tone 7")?;
        call.end()
    });
    cells.cell("blind transfer", blind_transfer);
    cells.cell("attended transfer", attended_transfer);
    cells.cell("transferred by the peer", transferred_by_it);
    cells.cell("SRTP, keys in SDP", |folder| encrypted(Encryption::Sdes, "sdes", folder));
    cells.cell("SRTP, keys by DTLS", |folder| encrypted(Encryption::Dtls, "dtls", folder));
    Ok(())
}

fn address(user: &str, port: u16) -> String {
    format!("sip:{user}@{PHONES}:{port}")
}

/// A call that Balie placed and linphonec took.
struct Talk {
    balie: Balie,
    linphone: Linphone,
    id: Value,
}

impl Talk {
    fn begin(encryption: Encryption, folder: &Path) -> Result<Self> {
        Self::with(&Account::direct("101", PHONES, OURS), encryption, folder)
    }

    fn with(account: &Account, encryption: Encryption, folder: &Path) -> Result<Self> {
        let mut linphone = Linphone::start(THEIRS, encryption, folder)?;
        let mut balie = started(account, folder)?;
        let id = balie.begin(&address("lin", THEIRS))?;
        balie.call_state(&id, "ringing")?;
        linphone.says("incoming call")?;
        linphone.command("answer")?;
        balie.call_state(&id, "active")?;
        sound(&mut balie, &id)?;
        Ok(Self { balie, linphone, id })
    }

    fn end(mut self) -> Result<()> {
        self.balie.hangup(&self.id)?;
        self.linphone.says("ended")?;
        quit(self.balie)
    }
}

fn is_called(folder: &Path) -> Result<()> {
    let mut linphone = Linphone::start(THEIRS, Encryption::None, folder)?;
    let mut balie = started(&Account::direct("101", PHONES, OURS), folder)?;
    linphone.command(&format!("call {}", address("101", OURS)))?;
    let call = answer(&mut balie)?;
    sound(&mut balie, &call)?;
    linphone.command("terminate")?;
    balie.call_state(&call, "ended")?;
    quit(balie)
}

fn refusals(folder: &Path) -> Result<()> {
    let mut linphone = Linphone::start(THEIRS, Encryption::None, folder)?;
    let mut balie = started(&Account::direct("101", PHONES, OURS), folder)?;
    let call = balie.begin(&address("lin", THEIRS))?;
    linphone.says("assigned id 1")?;
    linphone.command("terminate")?;
    let ended = balie.call_state(&call, "ended")?;
    ensure!(ended["status"].as_u64().is_some_and(|status| status >= 400), "{ended}");
    let call = balie.begin(&address("lin", THEIRS))?;
    balie.call_state(&call, "ringing")?;
    linphone.says("assigned id 2")?;
    balie.hangup(&call)?;
    linphone.says("ended")?;
    linphone.command(&format!("call {}", address("101", OURS)))?;
    let call = balie.ringing()?;
    linphone.command("terminate")?;
    balie.call_state(&call, "ended")?;
    quit(balie)
}

fn blind_transfer(folder: &Path) -> Result<()> {
    let mut call = Talk::begin(Encryption::None, folder)?;
    let mut third = started(&Account::direct("103", PHONES, THIRD), folder)?;
    let to = address("103", THIRD);
    call.balie.request("call.transfer.blind", &json!({"call": call.id, "to": to}))?;
    let taken = answer(&mut third)?;
    transferred(&mut call.balie, &call.id)?;
    sound(&mut third, &taken)?;
    third.hangup(&taken)?;
    quit(third)?;
    quit(call.balie)
}

fn attended_transfer(folder: &Path) -> Result<()> {
    let mut call = Talk::begin(Encryption::None, folder)?;
    let mut third = started(&Account::direct("103", PHONES, THIRD), folder)?;
    let Talk { balie, id, .. } = &mut call;
    send_on_after_asking(balie, id, &address("103", THIRD), || answer(&mut third).map(drop))?;
    let taken = third.event("call.state", |event| {
        event["state"] == "active" && event["peer"].to_string().contains("lin")
    })?;
    sound(&mut third, &taken["call"])?;
    third.hangup(&taken["call"])?;
    quit(third)?;
    quit(call.balie)
}

fn transferred_by_it(folder: &Path) -> Result<()> {
    let mut call = Talk::begin(Encryption::None, folder)?;
    let mut third = started(&Account::direct("103", PHONES, THIRD), folder)?;
    call.linphone.command(&format!("transfer {}", address("103", THIRD)))?;
    let taken = answer(&mut third)?;
    sound(&mut third, &taken)?;
    third.hangup(&taken)?;
    quit(third)?;
    quit(call.balie)
}

fn encrypted(theirs: Encryption, ours: &str, folder: &Path) -> Result<()> {
    let account = Account::direct("101", PHONES, OURS).with("srtp = \"required\"");
    let account = account.with(&format!("srtp_keying = \"{ours}\""));
    let mut call = Talk::with(&account, theirs, folder)?;
    let stats = call.balie.request("call.stats", &json!({"call": call.id}))?;
    ensure!(stats["secure"] == true, "the sound is not encrypted: {stats}");
    call.end()
}
