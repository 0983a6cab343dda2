//! Every cell of the matrix that Balie masters. `cargo xtask matrix` plays the others too, and says why they fail.

use anyhow::{Result, ensure};
use e2e::matrix::{COLUMNS, FEATURES, Outcome, play};
use tempfile::tempdir;

/// Cells that need what is not there yet, by the beginning of the peer's name; each goes from here with what it waits
/// for.
const WAITING: &[(&str, &str)] = &[];

fn peer(name: &str) -> Result<()> {
    let mut wrong = Vec::new();
    for column in COLUMNS.iter().filter(|column| column.peer.starts_with(name)) {
        let folder = tempdir()?;
        for (feature, outcome) in play(column, folder.path(), None, &mut |_| {}) {
            let waits = WAITING.contains(&(name, feature));
            match outcome {
                Outcome::Fail(why) if !waits => wrong.push(format!("{feature}: {why}")),
                Outcome::Pass if waits => wrong.push(format!("{feature} passes: it waits no more")),
                _ => {}
            }
        }
    }
    ensure!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
    Ok(())
}

#[test]
fn asterisk_masters_its_cells() -> Result<()> {
    peer("Asterisk")
}

#[test]
fn kamailio_masters_its_cells() -> Result<()> {
    peer("Kamailio")
}

#[test]
fn baresip_masters_its_cells() -> Result<()> {
    peer("baresip")
}

#[test]
fn linphone_masters_its_cells() -> Result<()> {
    peer("linphone")
}

#[test]
fn what_waits_is_a_cell() -> Result<()> {
    for (name, feature) in WAITING {
        ensure!(FEATURES.contains(feature), "{feature}?");
        ensure!(COLUMNS.iter().any(|column| column.peer.starts_with(name)), "{name}?");
    }
    Ok(())
}
