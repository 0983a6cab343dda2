//! `cargo xtask bench`: figures, beside a peer in the same run.

use anyhow::Result;
use clap::ValueEnum;

use crate::console::{Steps, cargo, run};
use crate::setup::{self, Need};
use crate::{lab, tasks, workspace};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Set-up time, processor time and memory of a call, beside baresip on the same Asterisk.
    Call,
    /// Time to the first window and memory of the idle window.
    Window,
}

/// Measures one subject with optimised builds.
pub(crate) fn bench(subject: Subject) -> Result<()> {
    let mut steps = Steps::new(3);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Laboratory", lab::install_asterisk)?;
    match subject {
        Subject::Call => steps.step("Calls", calls),
        Subject::Window => steps.step("Window", window),
    }
}

fn calls() -> Result<()> {
    run(cargo().args([
        "build",
        "--locked",
        "--release",
        "--package",
        "app",
        "--bin",
        "balie-cli",
    ]))?;
    let bench = ["--locked", "--release", "--package", "e2e", "--features", "lab"];
    run(cargo().arg("build").args(bench).args(["--bin", "bench-call"]))?;
    let program = workspace::built("release", "bench-call");
    let mut inside = lab::inside_namespace(&program.to_string_lossy(), &[]);
    run(inside.env("BALIE_CLI", workspace::built("release", "balie-cli")))
}

fn window() -> Result<()> {
    setup::node_packages()?;
    tasks::run::build_ui()?;
    tasks::run::build_window(true)?;
    let script = workspace::root().join("tests/window/bench.mjs");
    run(setup::node().arg(script).arg(workspace::built("release", "balie")))
}
