//! Node.js and the web side's packages.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::console::{self, run, say};
use crate::workspace;

/// The oldest Node.js that the web side's tools accept.
const OLDEST: (u32, u32) = (20, 19);
/// What is fetched from npm's own registry where the system's Node.js is older.
const FETCHED: &str = "node@22";

/// Installs the packages of the lock file, unless they are there already.
pub(crate) fn packages() -> Result<()> {
    provide_node()?;
    let lock = workspace::ui().join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let stamp = workspace::ui().join("node_modules").join(".xtask-lock");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        say("web packages: nothing is missing");
        return Ok(());
    }
    run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, wanted).context("cannot note the installed lock file")
}

/// npm in the web side's folder, on a Node.js that is new enough.
pub(crate) fn npm() -> Command {
    let mut command = console::command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(workspace::ui());
    prefer_fetched(&mut command);
    command
}

/// Node.js itself, new enough.
pub(crate) fn program() -> Command {
    let mut command = console::command("node");
    prefer_fetched(&mut command);
    command
}

fn fetched_folder() -> PathBuf {
    workspace::tools().join("node").join("node_modules").join("node").join("bin")
}

fn prefer_fetched(command: &mut Command) {
    let folder = fetched_folder();
    if !folder.is_dir() {
        return;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
}

fn provide_node() -> Result<()> {
    let version = console::output(program().arg("--version")).unwrap_or_default();
    if is_new_enough(&version) {
        return Ok(());
    }
    say(&format!(
        "Node.js {} is too old; fetching {FETCHED} for this repository",
        version.trim().trim_start_matches('v')
    ));
    let folder = workspace::tools().join("node");
    fs::create_dir_all(&folder)?;
    run(console::command("npm")
        .current_dir(&folder)
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(&folder)
        .arg(FETCHED))
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn the_oldest_node_is_compared_by_number() {
        assert!(is_new_enough("v20.19.0\n"));
        assert!(is_new_enough("v22.1.0"));
        assert!(!is_new_enough("v18.20.4"), "Debian 12's own");
        assert!(!is_new_enough("v20.9.0"), "9 is before 19");
        assert!(!is_new_enough(""), "no node at all");
    }
}
