//! Transfers through Asterisk 22: a customer (102) has called the reception (101), who passes him on to a
//! colleague (103).

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie};
use e2e::sound::{Signal, likeness};
use e2e::{PHONES, SERVER, pause, speech};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// Three phones on one exchange; the customer talks with the reception.
struct Scene {
    asterisk: Asterisk,
    customer: Balie,
    reception: Balie,
    colleague: Balie,
    /// The customer's call, and the reception's.
    out: Value,
    taken: Value,
    heard: PathBuf,
    _folder: TempDir,
}

fn start(user: &str, folder: &TempDir, audio: &str, lines: &[&str]) -> Result<Balie> {
    let mut account =
        Account::new(user, asterisk::PASSWORD, &format!("{SERVER}:{}", asterisk::PORT));
    for line in lines {
        account = account.with(line);
    }
    let config = account.write(folder.path(), PHONES)?;
    let mut balie = Balie::start(&config, audio)?;
    balie.registered()?;
    Ok(balie)
}

fn scene() -> Result<Scene> {
    scene_with(&[])
}

/// The same with further lines in the settings of the reception's account.
fn scene_with(lines: &[&str]) -> Result<Scene> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start(folder.path())?;
    let heard = folder.path().join("customer-heard.wav");
    let silence = folder.path().join("silence.wav");
    Signal { rate: 16_000, samples: vec![0.0; 16_000] }.write(&silence)?;
    let ear = format!("wav:{},{},loop", silence.display(), heard.display());
    let mouth = format!(
        "wav:{},{},loop",
        speech().display(),
        folder.path().join("colleague-heard.wav").display()
    );
    let mut customer = start("102", &folder, &ear, &[])?;
    let mut reception = start("101", &folder, "null", lines)?;
    let colleague = start("103", &folder, &mouth, &[])?;
    let out = customer.begin("101")?;
    let taken = answer(&mut reception)?;
    customer.call_state(&out, "active")?;
    Ok(Scene { asterisk, customer, reception, colleague, out, taken, heard, _folder: folder })
}

fn answer(phone: &mut Balie) -> Result<Value> {
    let call = phone.ringing()?;
    phone.request("call.answer", &json!({"call": call}))?;
    phone.call_state(&call, "active")?;
    Ok(call)
}

/// The last word about a call's transfer.
fn outcome(phone: &mut Balie, call: &Value) -> Result<Value> {
    phone.event_within("call.transfer", Duration::from_secs(45), |event| {
        event["call"] == *call && (event["state"] == "done" || event["state"] == "failed")
    })
}

impl Scene {
    fn blind(&mut self, to: &str) -> Result<()> {
        self.reception
            .request("call.transfer.blind", &json!({"call": self.taken, "to": to}))
            .map(drop)
    }

    fn consult(&mut self, to: &str) -> Result<Value> {
        let ok = self
            .reception
            .request("call.transfer.consult", &json!({"call": self.taken, "to": to}))?;
        self.reception.call_state(&self.taken, "held")?;
        Ok(ok["consult"].clone())
    }

    fn complete(&mut self, call: &Value) -> Result<()> {
        self.reception.request("call.transfer.complete", &json!({"call": call})).map(drop)
    }

    /// The customer hears the colleague's speech, and the reception is out of it.
    fn end_connected(mut self) -> Result<()> {
        let sent = Signal::read(&speech())?;
        pause(Duration::from_secs_f64(sent.seconds() * 2.0 + 3.0));
        ensure!(self.asterisk.calls()? == 2, "two legs are left on the exchange");
        self.customer.hangup(&self.out)?;
        self.customer.quit()?;
        let likeness = likeness(&sent, &Signal::read(&self.heard)?, 0.4)?;
        println!("customer hears colleague: correlation {likeness:.3}");
        ensure!(likeness > 0.9, "what the customer heard resembles the colleague by {likeness}");
        Ok(())
    }

    /// The transfer failed, and the caller waits here: he is taken back and talks.
    fn is_returned(&mut self, reason: &str) -> Result<()> {
        let failed = outcome(&mut self.reception, &self.taken)?;
        ensure!(failed["state"] == "failed" && failed["reason"] == reason, "{failed}");
        self.reception.call_state(&self.taken, "held")?;
        self.reception.request("call.transfer.cancel", &json!({"call": self.taken}))?;
        self.reception.call_state(&self.taken, "active")?;
        ensure!(self.asterisk.calls()? == 2, "customer and reception are connected");
        self.customer.hangup(&self.out)?;
        self.reception.call_state(&self.taken, "ended")?;
        Ok(())
    }

    /// The transfer failed, and the user is told that the exchange has not given the caller back: once it
    /// rings elsewhere, Asterisk has taken him from us, and its word for every failure is 503.
    fn is_lost_knowingly(&mut self) -> Result<()> {
        let failed = outcome(&mut self.reception, &self.taken)?;
        ensure!(failed["state"] == "failed" && failed["status"] == 503, "{failed}");
        self.reception.event("error", |event| event["code"] == "transfer_failed")?;
        self.reception.call_state(&self.taken, "ended")?;
        ensure!(self.asterisk.calls()? == 0, "nothing is left on the exchange");
        Ok(())
    }
}

#[test]
fn a_cold_transfer_connects_customer_and_colleague() -> Result<()> {
    let mut scene = scene()?;
    scene.blind("103")?;
    answer(&mut scene.colleague)?;
    let done = outcome(&mut scene.reception, &scene.taken)?;
    ensure!(done["state"] == "done", "{done}");
    scene.reception.call_state(&scene.taken, "ended")?;
    scene.end_connected()
}

#[test]
fn a_warm_transfer_connects_customer_and_colleague() -> Result<()> {
    let mut scene = scene()?;
    let consult = scene.consult("103")?;
    answer(&mut scene.colleague)?;
    scene.reception.call_state(&consult, "active")?;
    scene.complete(&consult)?;
    let done = outcome(&mut scene.reception, &scene.taken)?;
    ensure!(done["state"] == "done", "{done}");
    scene.reception.call_state(&scene.taken, "ended")?;
    scene.reception.call_state(&consult, "ended")?;
    scene.end_connected()
}

#[test]
fn completing_while_it_rings_connects_them_too() -> Result<()> {
    let mut scene = scene()?;
    let consult = scene.consult("103")?;
    let ringing = scene.colleague.ringing()?;
    scene.complete(&consult)?;
    scene.colleague.request("call.answer", &json!({"call": ringing}))?;
    scene.colleague.call_state(&ringing, "active")?;
    let done = outcome(&mut scene.reception, &scene.taken)?;
    ensure!(done["state"] == "done", "{done}");
    scene.end_connected()
}

#[test]
fn a_colleague_who_declines_leaves_the_caller_here_with_the_reason() -> Result<()> {
    let mut scene = scene()?;
    scene.blind("103")?;
    let ringing = scene.colleague.ringing()?;
    let decline = json!({"call": ringing, "status": 486});
    scene.colleague.request("call.reject", &decline)?;
    scene.is_returned("busy_here")
}

#[test]
fn a_colleague_who_does_not_answer_leaves_the_caller_here_too() -> Result<()> {
    let mut scene = scene()?;
    scene.blind("103")?;
    scene.colleague.ringing()?;
    // The exchange rings for half a minute.
    let failed = outcome(&mut scene.reception, &scene.taken)?;
    ensure!(failed["state"] == "failed", "{failed}");
    scene.reception.call_state(&scene.taken, "held")?;
    scene.customer.hangup(&scene.out)?;
    scene.reception.call_state(&scene.taken, "ended")?;
    Ok(())
}

#[test]
fn by_refer_the_loss_of_a_caller_whose_colleague_declines_is_told() -> Result<()> {
    let mut scene = scene_with(&["blind_transfer = \"refer\""])?;
    scene.blind("103")?;
    let ringing = scene.colleague.ringing()?;
    scene.colleague.request("call.reject", &json!({"call": ringing}))?;
    scene.is_lost_knowingly()
}

#[test]
fn by_refer_the_loss_of_a_caller_whose_colleague_does_not_answer_is_told() -> Result<()> {
    let mut scene = scene_with(&["blind_transfer = \"refer\""])?;
    scene.blind("103")?;
    scene.colleague.ringing()?;
    scene.is_lost_knowingly()
}

#[test]
fn by_refer_the_caller_is_passed_on_too() -> Result<()> {
    let mut scene = scene_with(&["blind_transfer = \"refer\""])?;
    scene.blind("103")?;
    answer(&mut scene.colleague)?;
    let done = outcome(&mut scene.reception, &scene.taken)?;
    ensure!(done["state"] == "done", "{done}");
    scene.reception.call_state(&scene.taken, "ended")?;
    scene.end_connected()
}

#[test]
fn an_unknown_target_leaves_the_caller_on_hold_here() -> Result<()> {
    let mut scene = scene()?;
    scene.blind("999")?;
    let failed = outcome(&mut scene.reception, &scene.taken)?;
    ensure!(failed["state"] == "failed", "{failed}");
    scene.reception.call_state(&scene.taken, "held")?;
    scene.reception.request("call.transfer.cancel", &json!({"call": scene.taken}))?;
    scene.reception.call_state(&scene.taken, "active")?;
    scene.customer.hangup(&scene.out)?;
    scene.reception.call_state(&scene.taken, "ended")?;
    Ok(())
}

#[test]
fn a_target_that_does_not_answer_ends_in_a_known_state() -> Result<()> {
    let mut scene = scene()?;
    let consult = scene.consult(asterisk::NO_ANSWER)?;
    scene.reception.call_state(&consult, "ringing")?;
    scene.reception.request("call.transfer.cancel", &json!({"call": consult}))?;
    scene.reception.call_state(&consult, "ended")?;
    scene.reception.call_state(&scene.taken, "active")?;
    scene.customer.hangup(&scene.out)
}

#[test]
fn a_customer_who_leaves_in_mid_transfer_leaves_nothing_behind() -> Result<()> {
    let mut scene = scene()?;
    scene.blind("103")?;
    let ringing = scene.colleague.ringing()?;
    scene.customer.hangup(&scene.out)?;
    scene.colleague.call_state(&ringing, "ended")?;
    scene.reception.call_state(&scene.taken, "ended")?;
    ensure!(scene.asterisk.calls()? == 0, "nothing is left on the exchange");
    Ok(())
}
