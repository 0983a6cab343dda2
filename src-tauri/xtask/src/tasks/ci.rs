//! `cargo xtask ci`: what must hold before a change lands.

use anyhow::Result;

use crate::console::{Steps, cargo, command, run};
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
    steps.step("Licences, doubles and sources of dependencies", dependencies)?;
    steps.step("Bindings", || tasks::codegen::codegen(true))?;
    tasks::test::test(&[])
}

/// What needs no network: advisories, which do, are looked up by the workflow on the server.
fn dependencies() -> Result<()> {
    let mut deny = command(setup::cargo_tool("cargo-deny")?);
    deny.args(["--config", ".deny.toml", "--locked", "--log-level", "error"]);
    run(deny.args(["check", "bans", "licenses", "sources"]))
}
