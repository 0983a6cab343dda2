//! `cargo xtask prove`: the long proofs against real servers.

use anyhow::Result;

use crate::console::{Steps, cargo, run};
use crate::setup::{self, Need};
use crate::{lab, workspace};

/// Sound of every codec through Asterisk judged by correlation and PESQ; a hundred calls in a row without a leak.
pub(crate) fn prove() -> Result<()> {
    let mut steps = Steps::new(4);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Laboratory", || {
        lab::install_asterisk()?;
        lab::install_judges()
    })?;
    steps.step("Programs", || {
        run(cargo().args([
            "build",
            "--locked",
            "--release",
            "--package",
            "app",
            "--bin",
            "balie-cli",
        ]))?;
        run(cargo().args([
            "build",
            "--locked",
            "--release",
            "--package",
            "e2e",
            "--features",
            "lab",
        ]))
    })?;
    steps.step("Calls and sound", || {
        let program = workspace::built("release", "prove");
        let mut inside = lab::inside_namespace(&program.to_string_lossy(), &[]);
        run(inside.env("BALIE_CLI", workspace::built("release", "balie-cli")))
    })
}
