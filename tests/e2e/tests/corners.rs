//! Every corner that Balie masters, played with SIPp. `cargo xtask matrix` plays the others too, and says why they fail.

use anyhow::{Context as _, Result, ensure};
use e2e::corners::CORNERS;
use tempfile::tempdir;

/// Corners that need what is not there yet; each goes from here with what it waits for.
const WAITING: &[&str] = &[];

/// Plays the corners whose names begin so.
fn play(beginning: &str) -> Result<()> {
    let mut wrong = Vec::new();
    for corner in CORNERS.iter().filter(|corner| corner.name.starts_with(beginning)) {
        let folder = tempdir()?;
        let outcome = corner.run(folder.path());
        match (outcome, WAITING.contains(&corner.name)) {
            (Err(error), false) => wrong.push(format!("{}: {error:#}", corner.name)),
            (Ok(()), true) => wrong.push(format!("{} passes: it waits no more", corner.name)),
            (Ok(()), false) | (Err(_), true) => {}
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

#[test]
fn balie_calls_a_peer_that_does_as_few_do() -> Result<()> {
    play("callee-")
}

#[test]
fn a_peer_that_does_as_few_do_calls_balie() -> Result<()> {
    play("caller-")
}

#[test]
fn registrars_do_as_few_do() -> Result<()> {
    play("registrar-")
}

#[test]
fn what_waits_is_a_corner() -> Result<()> {
    for name in WAITING {
        CORNERS.iter().find(|corner| corner.name == *name).with_context(|| format!("{name}?"))?;
    }
    Ok(())
}
