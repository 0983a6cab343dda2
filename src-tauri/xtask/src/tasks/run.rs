//! `cargo xtask run`: from a fresh machine to the open window.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::Result;

use crate::console::{Steps, cargo, command, run as execute, say};
use crate::setup::{self, Need};
use crate::workspace;

/// Sets up, builds and opens the window; without arguments it opens on the embedded exchange.
pub(crate) fn run(release: bool, arguments: &[String]) -> Result<()> {
    let mut steps = Steps::new(5);
    steps.step("System packages", || setup::system(&[Need::Window]))?;
    steps.step("Web packages", setup::node_packages)?;
    steps.step("Web side", build_ui)?;
    let profile = if release { "release" } else { "debug" };
    steps.step("Program (the first build takes minutes)", || build_window(release))?;
    let program = workspace::built(profile, "balie");
    let demo = ["--demo", "--first-customer", "8"].map(str::to_owned);
    let arguments = if arguments.is_empty() { &demo[..] } else { arguments };
    say("the window opens; close it to come back here");
    steps.step("Balie", || execute(command(program).args(arguments)))
}

/// Builds the web side unless the last build is newer than everything it is made of.
pub(crate) fn build_ui() -> Result<()> {
    let ui = workspace::ui();
    let built = modified(&ui.join("dist").join("index.html"));
    let newest = ["src", "index.html", "incoming.html", "package-lock.json", "vite.config.ts"]
        .iter()
        .filter_map(|part| newest(&ui.join(part)))
        .max();
    if built.is_some() && built >= newest {
        say("web side: up to date");
        return Ok(());
    }
    execute(setup::npm().args(["run", "--silent", "build"]))
}

/// Builds the window with the built web side inside it.
pub(crate) fn build_window(release: bool) -> Result<()> {
    execute(&mut window_build(release))
}

/// What builds the window.
pub(crate) fn window_build(release: bool) -> Command {
    let mut build = cargo();
    build.args(["build", "--locked", "--package", "balie", "--features", "custom-protocol"]);
    // Which no other crate depends on: the web engine loads it.
    if cfg!(target_os = "linux") {
        build.args(["--package", "no-gl"]);
    }
    if release {
        build.arg("--release");
    }
    build
}

fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return modified(path);
    }
    let entries = fs::read_dir(path).ok()?;
    entries.flatten().filter_map(|entry| newest(&entry.path())).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
