//! Extended reports (RTCP XR, RFC 3611) with linphonec: it tells VoIP metrics of what it hears of us, and they are read.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::PHONES;
use e2e::balie::{Account, Balie};
use e2e::linphone::{Encryption, Linphone};
use e2e::speech;
use serde_json::json;
use tempfile::tempdir;

/// Where the Balie under test listens.
const OURS: u16 = 5068;
/// Where linphonec does.
const THEIRS: u16 = 5092;

/// The jitter buffer at the other end is told nowhere but in its VoIP metrics.
#[test]
fn what_linphone_tells_of_its_listening_is_read() -> Result<()> {
    let folder = tempdir()?;
    let mut phone = Linphone::start(THEIRS, Encryption::None, folder.path())?;
    let account = Account::direct("101", PHONES, OURS);
    let heard = folder.path().join("heard.wav");
    let audio = format!("wav:{},{},loop", speech().display(), heard.display());
    let mut balie = Balie::start(&account.write(folder.path(), PHONES)?, &audio)?;
    let call = balie.begin(&format!("sip:lin@{PHONES}:{THEIRS}"))?;
    phone.says("incoming call")?;
    balie.call_state(&call, "ringing")?;
    phone.command("answer")?;
    balie.call_state(&call, "active")?;
    // Its reports come every five seconds or so.
    let told = e2e::poll("VoIP metrics of linphonec", Duration::from_secs(40), || {
        let stats = balie.request("call.stats", &json!({"call": call})).ok()?;
        let buffer = stats["tx"]["delay"]["buffer_ms"].as_f64();
        buffer.map(|buffer| (buffer, stats))
    });
    let (buffer, stats) = told?;
    println!("its buffer: {buffer} ms; {stats}");
    ensure!((1.0..1_000.0).contains(&buffer), "{buffer} ms");
    ensure!(stats["tx"]["lost"] == 0, "{stats}");
    balie.hangup(&call)?;
    balie.quit()?;
    Ok(())
}
