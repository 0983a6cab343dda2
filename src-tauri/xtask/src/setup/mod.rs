//! Setting up a fresh machine: system packages, Node and its packages.
//!
//! Each part looks first and does nothing when nothing is missing.

mod debian;
mod fedora;
mod macos;
mod node;
mod windows;

pub(crate) use node::{npm, packages as node_packages, program as node};

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::console::{self, cargo, run, say};
use crate::workspace;

/// What a command is going to need from the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Building and showing the window.
    Window,
    /// Real servers, a virtual screen and a sound server for the tests.
    Laboratory,
    /// Compilers and headers for other systems.
    Cross,
    /// Somebody else's desktop program, to be measured beside ours.
    Rival,
}

/// Installs the missing system packages for all of `needs`.
pub(crate) fn system(needs: &[Need]) -> Result<()> {
    if cfg!(target_os = "macos") {
        return macos::install(needs);
    }
    if cfg!(windows) {
        return windows::check();
    }
    if console::has_program("apt-get") {
        return debian::install(needs);
    }
    if console::has_program("dnf") {
        return fedora::install(needs);
    }
    bail!(
        "this system has neither apt-get nor dnf; install the equivalents of: {}",
        debian::packages(needs).join(" ")
    )
}

/// A subcommand of cargo: the machine's own, else one that is built once for all checkouts of a user.
pub(crate) fn cargo_tool(name: &str) -> Result<PathBuf> {
    if console::has_program(name) {
        return Ok(name.into());
    }
    let ending = std::env::consts::EXE_SUFFIX;
    let tool = workspace::tools().join("bin").join(format!("{name}{ending}"));
    if !tool.is_file() {
        run(cargo().args(["install", name, "--locked", "--root"]).arg(workspace::tools()))?;
    }
    Ok(tool)
}

/// A command line run as the administrator: through sudo only when we are somebody else.
fn as_root(program: &str) -> std::process::Command {
    if console::is_root() {
        return console::command(program);
    }
    let mut command = console::command("sudo");
    command.arg(program);
    command
}

fn tell_missing(missing: &[&str]) {
    say(&format!("{} packages are missing: {}", missing.len(), missing.join(" ")));
}
