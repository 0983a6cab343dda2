//! Sources of contacts as the program shows them, and how their readings end.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::balie::Balie;

/// The next end of a reading, good or bad: its event.
pub fn read(balie: &mut Balie, limit: Duration) -> Result<Value> {
    balie.event_within("source.state", limit, |event| {
        event["state"] != "syncing" && (event["change"].is_object() || event["trouble"].is_string())
    })
}

/// The next good end of a reading: its event.
pub fn read_well(balie: &mut Balie, limit: Duration) -> Result<Value> {
    balie.event_within("source.state", limit, |event| event["change"].is_object())
}

/// Asks for a reading; what was told of earlier ones is forgotten.
pub fn ask(balie: &mut Balie, source: &Value) -> Result<()> {
    balie.forget("source.state");
    balie.request("sources.sync", &json!({"source": source}))?;
    Ok(())
}

/// Asks for a reading and waits for its end.
pub fn sync(balie: &mut Balie, source: &Value, limit: Duration) -> Result<Value> {
    ask(balie, source)?;
    read(balie, limit)
}

/// The only source there is.
pub fn view(balie: &mut Balie) -> Result<Value> {
    let list = balie.request("sources.list", &json!({}))?;
    ensure!(list.as_array().is_some_and(|all| all.len() == 1), "one source: {list}");
    list.get(0).cloned().context("a source")
}

/// What a reading changed: whether it was the whole, how many came or became another, how many went.
pub fn changes(event: &Value) -> (Value, Value, Value) {
    let change = &event["change"];
    (change["full"].clone(), change["put"].clone(), change["gone"].clone())
}
