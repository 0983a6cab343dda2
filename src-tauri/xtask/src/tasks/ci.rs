//! `cargo xtask ci`: what must hold before a change lands.

use anyhow::Result;

use crate::console::{Steps, cargo, has_program, run, say};
use crate::setup::{self, Need};
use crate::tasks;

/// Formatting, lints with warnings denied, licences, fresh bindings, then every test.
pub(crate) fn ci() -> Result<()> {
    let mut steps = Steps::new(6);
    steps.step("System packages", || setup::system(&[Need::Window]))?;
    steps.step("Web side (the window embeds it)", || {
        setup::node_packages()?;
        tasks::run::build_ui()
    })?;
    steps.step("Formatting", || run(cargo().args(["fmt", "--all", "--check"])))?;
    steps.step("Lints", || {
        run(cargo()
            .args(["clippy", "--locked", "--workspace", "--all-targets", "--"])
            .args(["-D", "warnings"]))
    })?;
    steps.step("Licences and advisories", licences)?;
    steps.step("Bindings", || tasks::codegen::codegen(true))?;
    tasks::test::test(&[])
}

fn licences() -> Result<()> {
    if !has_program("cargo-deny") {
        say("cargo-deny is not installed; the workflow on the server runs it");
        return Ok(());
    }
    run(cargo().args(["deny", "--config", ".deny.toml", "check", "bans", "licenses", "sources"]))
}
