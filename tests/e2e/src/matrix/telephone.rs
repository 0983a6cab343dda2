//! A telephone of another maker against every feature, without a server between. What one is told and how it tells is
//! its driver's.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Recorder;
use super::shared::{
    answer, hold_and_resume, quit, send_on_after_asking, sound, started, transferred,
};
use crate::PHONES;
use crate::balie::{Account, Balie};
use crate::linphone::Encryption;

/// Where the Balie under test listens.
const OURS: u16 = 5066;
/// Where a second Balie listens, the third party of transfers.
const THIRD: u16 = 5068;

/// A telephone that can be worked. What waits fails when nothing comes in time.
pub(super) trait Telephone: Sized {
    /// User of its address.
    const USER: &'static str;
    /// Where it listens.
    const PORT: u16;
    /// Features it has not, and why.
    const LACKS: &'static [(&'static [&'static str], &'static str)];

    /// Starts it. It speaks in every call.
    fn start(encryption: Encryption, folder: &Path) -> Result<Self>;
    /// Waits until a call rings at it.
    fn is_called(&mut self) -> Result<()>;
    /// Takes the call that rings.
    fn accept(&mut self) -> Result<()>;
    /// Waits until its own call is answered.
    fn is_answered(&mut self) -> Result<()>;
    /// Hangs up, refuses or gives up.
    fn hang_up(&mut self) -> Result<()>;
    /// Waits until a call is over.
    fn is_over(&mut self) -> Result<()>;
    /// Calls an address.
    fn dial(&mut self, to: &str) -> Result<()>;
    /// Puts its call on hold.
    fn hold(&mut self) -> Result<()>;
    /// Takes its call back.
    fn resume(&mut self) -> Result<()>;
    /// Has its peer call an address.
    fn transfer(&mut self, to: &str) -> Result<()>;
    /// Sends a digit; false: it cannot.
    fn press(&mut self, digit: &str) -> Result<bool>;
    /// Waits until it has heard a digit.
    fn hears(&mut self, digit: &str) -> Result<()>;
}

/// Plays all cells with one.
pub(super) fn run<T: Telephone>(cells: &mut Recorder) {
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
    for (features, why) in T::LACKS {
        cells.none(features, why);
    }
    cells.cell("call out, sound both ways", |folder| plain::<T>(folder)?.end());
    cells.cell("call in, sound both ways", is_called::<T>);
    cells.cell("refusal and cancel", refusals::<T>);
    cells.cell("hold and resume", |folder| {
        let mut call = plain::<T>(folder)?;
        hold_and_resume(&mut call.balie, &call.id)?;
        call.end()
    });
    cells.cell("held by the peer", |folder| {
        let mut call = plain::<T>(folder)?;
        call.phone.hold()?;
        call.balie.call_state(&call.id, "held_by_peer")?;
        call.phone.resume()?;
        call.balie.call_state(&call.id, "active")?;
        call.end()
    });
    cells.cell("digits, RFC 4733", digits::<T>);
    cells.cell("blind transfer", blind_transfer::<T>);
    if !T::LACKS.iter().any(|(features, _)| features.contains(&"attended transfer")) {
        cells.cell("attended transfer", attended_transfer::<T>);
    }
    cells.cell("transferred by the peer", transferred_by_it::<T>);
    cells.cell("SRTP, keys in SDP", |folder| encrypted::<T>(Encryption::Sdes, "sdes", folder));
    cells.cell("SRTP, keys by DTLS", |folder| encrypted::<T>(Encryption::Dtls, "dtls", folder));
}

fn address(user: &str, port: u16) -> String {
    format!("sip:{user}@{PHONES}:{port}")
}

fn own_account() -> Account {
    Account::direct("101", PHONES, OURS)
}

/// A call that Balie placed and the telephone took.
struct Talk<T> {
    balie: Balie,
    phone: T,
    id: Value,
}

/// One without encryption.
fn plain<T: Telephone>(folder: &Path) -> Result<Talk<T>> {
    Talk::begin(&own_account(), Encryption::None, folder)
}

impl<T: Telephone> Talk<T> {
    fn begin(account: &Account, encryption: Encryption, folder: &Path) -> Result<Self> {
        let mut phone = T::start(encryption, folder)?;
        let mut balie = started(account, folder)?;
        let id = balie.begin(&address(T::USER, T::PORT))?;
        phone.is_called()?;
        balie.call_state(&id, "ringing")?;
        phone.accept()?;
        balie.call_state(&id, "active")?;
        sound(&mut balie, &id)?;
        Ok(Self { balie, phone, id })
    }

    fn end(mut self) -> Result<()> {
        self.balie.hangup(&self.id)?;
        self.phone.is_over()?;
        quit(self.balie)
    }
}

fn is_called<T: Telephone>(folder: &Path) -> Result<()> {
    let mut phone = T::start(Encryption::None, folder)?;
    let mut balie = started(&own_account(), folder)?;
    phone.dial(&address("101", OURS))?;
    let call = answer(&mut balie)?;
    sound(&mut balie, &call)?;
    phone.is_answered()?;
    phone.hang_up()?;
    balie.call_state(&call, "ended")?;
    quit(balie)
}

fn refusals<T: Telephone>(folder: &Path) -> Result<()> {
    let mut phone = T::start(Encryption::None, folder)?;
    let mut balie = started(&own_account(), folder)?;
    let call = balie.begin(&address(T::USER, T::PORT))?;
    phone.is_called()?;
    phone.hang_up()?;
    let ended = balie.call_state(&call, "ended")?;
    ensure!(ended["status"].as_u64().is_some_and(|status| status >= 400), "{ended}");
    let call = balie.begin(&address(T::USER, T::PORT))?;
    phone.is_called()?;
    balie.call_state(&call, "ringing")?;
    balie.hangup(&call)?;
    phone.is_over()?;
    phone.dial(&address("101", OURS))?;
    let call = balie.ringing()?;
    phone.hang_up()?;
    balie.call_state(&call, "ended")?;
    quit(balie)
}

fn digits<T: Telephone>(folder: &Path) -> Result<()> {
    let mut call = plain::<T>(folder)?;
    if call.phone.press("5")? {
        call.balie.event("call.dtmf", |event| event["digit"] == "5")?;
    }
    call.balie.request("call.dtmf", &json!({"call": call.id, "digits": "7"}))?;
    call.phone.hears("7")?;
    call.end()
}

fn blind_transfer<T: Telephone>(folder: &Path) -> Result<()> {
    let mut call = plain::<T>(folder)?;
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

fn attended_transfer<T: Telephone>(folder: &Path) -> Result<()> {
    let mut call = plain::<T>(folder)?;
    let mut third = started(&Account::direct("103", PHONES, THIRD), folder)?;
    let Talk { balie, id, .. } = &mut call;
    send_on_after_asking(balie, id, &address("103", THIRD), || answer(&mut third).map(drop))?;
    let taken = third.event("call.state", |event| {
        event["state"] == "active" && event["peer"].to_string().contains(T::USER)
    })?;
    sound(&mut third, &taken["call"])?;
    third.hangup(&taken["call"])?;
    quit(third)?;
    quit(call.balie)
}

fn transferred_by_it<T: Telephone>(folder: &Path) -> Result<()> {
    let mut call = plain::<T>(folder)?;
    let mut third = started(&Account::direct("103", PHONES, THIRD), folder)?;
    call.phone.transfer(&address("103", THIRD))?;
    let taken = answer(&mut third)?;
    sound(&mut third, &taken)?;
    third.hangup(&taken)?;
    quit(third)?;
    quit(call.balie)
}

fn encrypted<T: Telephone>(theirs: Encryption, ours: &str, folder: &Path) -> Result<()> {
    let account = own_account().with("srtp = \"required\"");
    let account = account.with(&format!("srtp_keying = \"{ours}\""));
    let mut call = Talk::<T>::begin(&account, theirs, folder)?;
    // Keys by DTLS come a moment after the answer.
    crate::poll("the keys", crate::balie::PATIENCE, || {
        let stats = call.balie.request("call.stats", &json!({"call": call.id})).ok()?;
        (stats["secure"] == true).then_some(())
    })?;
    call.end()
}
