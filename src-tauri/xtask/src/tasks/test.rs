//! `cargo xtask test`: everything that proves the product, with the set-up it needs.

use anyhow::Result;
use clap::ValueEnum;

use crate::console::{Steps, cargo, has_program, run};
use crate::setup::{self, Need};
use crate::tasks::peers::peers;
use crate::tasks::run::{build_ui, build_window};
use crate::{lab, workspace};

/// A part of the tests that can be run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The web side: types, lints, component tests, build.
    Ui,
    /// Every crate, in virtual time and on loopback.
    Crates,
    /// The headless program against real servers.
    Peers,
    /// The real window on a virtual screen.
    Window,
}

const ALL: &[Part] = &[Part::Ui, Part::Crates, Part::Peers, Part::Window];

/// Installs what the tests need.
pub(crate) fn set_up() -> Result<()> {
    let mut steps = Steps::new(3);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Web packages", setup::node_packages)?;
    steps.step("Laboratory", install_laboratory)
}

/// Runs the named parts, or all of them. Where the laboratory cannot be installed (it is made of Debian's packages),
/// what needs it is left out, and that is said.
pub(crate) fn test(parts: &[Part]) -> Result<()> {
    let parts = if parts.is_empty() { ALL } else { parts };
    let wants = |part| parts.contains(&part);
    let needs_lab = wants(Part::Peers) || wants(Part::Window) || wants(Part::Crates);
    let needs: &[Need] =
        if needs_lab { &[Need::Window, Need::Laboratory] } else { &[Need::Window] };
    let mut steps = Steps::new(3 + parts.len());
    steps.step("System packages", || setup::system(needs))?;
    steps.step("Web packages", setup::node_packages)?;
    steps.step("Laboratory", || if needs_lab { install_laboratory() } else { Ok(()) })?;
    for part in parts {
        match part {
            Part::Ui => steps.step("Web side", ui)?,
            Part::Crates => steps.step("Crates", crates)?,
            Part::Peers => steps.step("Real servers and peers", peers)?,
            Part::Window => steps.step("Real window", window)?,
        }
    }
    Ok(())
}

fn install_laboratory() -> Result<()> {
    if has_laboratory() {
        lab::install_asterisk()?;
        lab::install_judges()?;
        lab::install_numbers()?;
        lab::install_address_books()?;
        lab::install_sign_in()?;
    }
    Ok(())
}

/// The laboratory is made of Debian's packages.
pub(crate) fn has_laboratory() -> bool {
    cfg!(target_os = "linux") && has_program("mmdebstrap")
}

fn ui() -> Result<()> {
    for script in ["check", "lint", "test"] {
        run(setup::npm().args(["run", "--silent", script]))?;
    }
    build_ui()
}

fn crates() -> Result<()> {
    let mut test = cargo();
    test.args(["test", "--locked", "--quiet", "--no-fail-fast"]);
    if has_laboratory() {
        // What needs a sound server or a keyring then fails where it would be left out.
        test.env("BALIE_LAB", "1").env("BALIE_LAB_PYTHON", lab::python());
    }
    run(&mut test)
}

fn window() -> Result<()> {
    build_for_driving()?;
    drive_window("run.mjs", &[])
}

/// Builds the window and what stands beside it when it is driven.
pub(crate) fn build_for_driving() -> Result<()> {
    build_ui()?;
    build_window(false)?;
    // Beside a test, so that it is the program that the other tests have built.
    let beside = ["--bin", "balie-cli", "--example", "notifications", "--test", "house"];
    run(cargo().args(["build", "--locked"]).args(beside))
}

/// Runs a script of tests/window on the built window, on Linux inside a namespace without a way out.
pub(crate) fn drive_window(script: &str, arguments: &[&std::ffi::OsStr]) -> Result<()> {
    drive_window_of("debug", script, arguments)
}

/// Likewise, with the window of a profile.
pub(crate) fn drive_window_of(
    profile: &str,
    script: &str,
    arguments: &[&std::ffi::OsStr],
) -> Result<()> {
    let script = workspace::root().join("tests/window").join(script);
    let program = workspace::built(profile, "balie");
    if !cfg!(target_os = "linux") {
        return run(setup::node().arg(script).arg(program).args(arguments));
    }
    let node = setup::node();
    let mut inside = lab::inside_namespace(&node.get_program().to_string_lossy(), &[]);
    // A Node.js of our own stands in the path that the command brings.
    inside.envs(node.get_envs().filter_map(|(name, value)| Some((name, value?))));
    run(inside.arg(script).arg(program).args(arguments))
}
