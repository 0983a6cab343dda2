//! macOS, through Homebrew. The web view is part of the system.

use anyhow::{Result, bail};

use super::{Need, tell_missing};
use crate::console::{self, run, say};

const BUILD: &[(&str, &str)] = &[("cmake", "cmake"), ("pkg-config", "pkgconf"), ("npm", "node")];

/// Installs what cannot be found as a program.
pub(super) fn install(_needs: &[Need]) -> Result<()> {
    if !console::succeeds(console::command("xcode-select").arg("-p")) {
        bail!("Apple's command line tools are missing: run `xcode-select --install` and try again");
    }
    let missing: Vec<&str> = BUILD
        .iter()
        .filter(|(program, _)| !console::has_program(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        say("system packages: nothing is missing");
        return Ok(());
    }
    if !console::has_program("brew") {
        bail!(
            "Homebrew is missing (https://brew.sh); with it, run: brew install {}",
            missing.join(" ")
        );
    }
    tell_missing(&missing);
    run(console::command("brew").arg("install").args(&missing))
}
