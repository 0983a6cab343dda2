//! What several columns do alike.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::PHONES;
use crate::balie::{Account, Balie};

/// Starts Balie on an account and waits until it is registered.
pub(super) fn registered(account: &Account, folder: &Path) -> Result<Balie> {
    let mut balie = started(account, folder)?;
    balie.registered()?;
    Ok(balie)
}

/// Starts Balie on an account.
pub(super) fn started(account: &Account, folder: &Path) -> Result<Balie> {
    let config = account.write(folder, PHONES)?;
    Balie::start(&config, "null")
}

/// Waits until sound comes in and goes out.
pub(super) fn sound(balie: &mut Balie, call: &Value) -> Result<()> {
    let both = |event: &Value| {
        event["call"] == *call && event["rx_active"] == true && event["tx_active"] == true
    };
    balie.event("call.media", both)?;
    Ok(())
}

/// Answers the call that rings and gives back its id.
pub(super) fn answer(balie: &mut Balie) -> Result<Value> {
    let call = balie.ringing()?;
    balie.request("call.answer", &json!({"call": call}))?;
    balie.call_state(&call, "active")?;
    Ok(call)
}

/// Holds and resumes.
pub(super) fn hold_and_resume(balie: &mut Balie, call: &Value) -> Result<()> {
    balie.request("call.hold", &json!({"call": call}))?;
    balie.call_state(call, "held")?;
    balie.request("call.resume", &json!({"call": call}))?;
    balie.call_state(call, "active")?;
    Ok(())
}

/// Waits until a transfer is done and the call with it.
pub(super) fn transferred(balie: &mut Balie, call: &Value) -> Result<()> {
    let event = balie.event("call.transfer", |event| {
        event["call"] == *call && (event["state"] == "done" || event["state"] == "failed")
    })?;
    ensure!(event["state"] == "done", "the transfer failed: {event}");
    balie.call_state(call, "ended")?;
    Ok(())
}

/// Asks a third party and connects the two; gives back once that is done.
pub(super) fn send_on_after_asking(
    balie: &mut Balie,
    call: &Value,
    to: &str,
    third_answers: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let reply = balie.request("call.transfer.consult", &json!({"call": call, "to": to}))?;
    let consult = reply.get("consult").or_else(|| reply.get("call")).unwrap_or(&reply).clone();
    third_answers()?;
    balie.call_state(&consult, "active")?;
    balie.request("call.transfer.complete", &json!({"call": call}))?;
    transferred(balie, call)
}

/// Waits for a state of a watched line; what the address ends with is enough to know it by.
pub(super) fn lamp(balie: &mut Balie, line: &str, state: &str) -> Result<Value> {
    let is_it = |event: &Value| {
        event["uri"].as_str().is_some_and(|uri| uri.contains(line)) && event["state"] == state
    };
    balie.event("line.state", is_it)
}

/// Ends a Balie in good order.
pub(super) fn quit(balie: Balie) -> Result<()> {
    let code = balie.quit()?;
    ensure!(code == 0, "the program ended with {code}");
    Ok(())
}
