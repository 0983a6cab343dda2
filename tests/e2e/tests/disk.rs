//! A disk that is full, gets full, or may only be read: calls go on, the person is told, and what was kept is still there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::balie::{Balie, program};
use e2e::embedded::Embedded;
use serde_json::{Value, json};
use tempfile::tempdir;

/// The program with its folder of data made into something else by this, in a namespace of mounts of its own.
fn start(config: &Path, data: &Path, mount: &str) -> Result<Balie> {
    std::fs::create_dir_all(data)?;
    let script =
        format!("{mount} && exec \"$0\" \"$@\"").replace("@DATA@", &data.display().to_string());
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]).arg(program()?);
    let mut balie = Balie::start_by(command, config, "null")?;
    balie.registered()?;
    Ok(balie)
}

fn account(pbx: &Embedded, folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let config = pbx.account("101")?.write(folder, "127.0.0.1")?;
    Ok((config, folder.join("data-101")))
}

/// A call to its end, and what this run remembers of it.
fn calls_all_the_same(balie: &mut Balie, pbx: &Embedded) -> Result<()> {
    let call = balie.dial(&pbx.number("echo")?)?;
    balie.hangup(&call)?;
    let history = balie.request("history.list", &json!({}))?;
    ensure!(history[0]["outcome"] == "answered", "for this run it is remembered: {history}");
    Ok(())
}

fn told(balie: &mut Balie, code: &str) -> Result<Value> {
    balie.event("error", |event| event["code"] == code)
}

#[test]
fn on_a_disk_that_is_full_from_the_beginning_calls_go_on_and_that_is_told() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let (config, data) = account(&pbx, folder.path())?;
    let full = "mount -t tmpfs -o size=64k none @DATA@ && { cat /dev/zero > @DATA@/filler 2>/dev/null; true; }";
    let mut balie = start(&config, &data, full)?;
    told(&mut balie, "store_failed")?;
    calls_all_the_same(&mut balie, &pbx)
}

#[test]
fn a_disk_that_gets_full_is_told_and_what_was_kept_stays() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let (config, data) = account(&pbx, folder.path())?;
    let mut balie = start(
        &config,
        &data,
        "mount -t tmpfs -o size=2m none @DATA@ && head -c 700k /dev/zero > @DATA@/filler",
    )?;
    let note =
        |n: usize| json!({"number": "0612345678", "text": format!("{n} {}", "x".repeat(1900))});
    let first = balie.request("note.add", &note(0))?;
    let refused = (1..2_000).find_map(|n| balie.request("note.add", &note(n)).err());
    let refused = refused.context("the disk never got full")?.to_string();
    ensure!(refused.contains("store_failed"), "{refused}");
    calls_all_the_same(&mut balie, &pbx)?;
    // Notes of a number that are given out are the newest.
    let kept = balie.request("privacy.export", &json!({"number": "0612345678"}))?;
    let notes = kept["notes"].as_array().context("notes")?;
    ensure!(notes.iter().any(|note| note["id"] == first["id"]), "the first note is there");
    // Room is made, and everything is kept again.
    let mut room = Command::new("nsenter");
    room.args(["--target", &balie.id().to_string(), "--mount", "rm"]).arg(data.join("filler"));
    ensure!(room.status()?.success(), "no room could be made");
    balie.request("privacy.erase", &json!({"number": "0612345678"}))?;
    balie.request("note.add", &note(1))?;
    Ok(())
}

#[test]
fn in_a_folder_that_may_only_be_read_calls_go_on_and_that_is_told() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let (config, data) = account(&pbx, folder.path())?;
    let mut balie = start(&config, &data, "true")?;
    balie.request("note.add", &json!({"number": "0612345678", "text": "belt maandag"}))?;
    drop(balie);
    let read_only = "mount --bind @DATA@ @DATA@ && mount -o remount,ro,bind @DATA@";
    let mut balie = start(&config, &data, read_only)?;
    told(&mut balie, "store_failed")?;
    calls_all_the_same(&mut balie, &pbx)?;
    drop(balie);
    // What was kept before is there once it can be written again.
    let mut balie = start(&config, &data, "true")?;
    let notes = balie.request("note.list", &json!({"number": "0612345678"}))?;
    match notes[0]["text"].as_str() {
        Some("belt maandag") => Ok(()),
        _ => bail!("{notes}"),
    }
}
