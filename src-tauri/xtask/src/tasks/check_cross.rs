//! `cargo xtask check-cross`: type-checks Windows and macOS from Linux.
//!
//! Debian's rustc-web brings the standard library's sources, so that cargo can check it for systems whose compiled
//! one is not installed; zig compiles the C parts of dependencies for them.

use std::path::PathBuf;

use anyhow::Result;

use crate::console::{self, Steps, command, run, say};
use crate::setup::{self, Need};
use crate::workspace;

const TARGETS: &[&str] = &["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

/// Checks every crate and the window for each target.
pub(crate) fn check_cross() -> Result<()> {
    let mut steps = Steps::new(3 + TARGETS.len());
    steps.step("System packages", || setup::system(&[Need::Window, Need::Cross]))?;
    steps.step("Web side (the window embeds it)", || {
        setup::node_packages()?;
        super::run::build_ui()
    })?;
    let tools = steps.step("zig and cargo-zigbuild", provide_zig)?;
    for target in TARGETS {
        steps.step(target, || check(&tools, target))?;
    }
    Ok(())
}

fn check(tools: &std::path::Path, target: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [tools.join("bin"), PathBuf::from("/usr/bin")].into_iter();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path)))?;
    let mut check = command(tools.join("bin").join("cargo-zigbuild"));
    check
        .env("PATH", path)
        .env("CARGO", "/usr/bin/cargo")
        .env("RUSTC", "/usr/bin/rustc")
        .env("CARGO_TARGET_DIR", workspace::target().join("cross"))
        // -Zbuild-std is the one unstable switch that this needs.
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTUP_TOOLCHAIN")
        .args(["check", "-Zbuild-std=std,panic_abort", "--target", target])
        .args(["--locked", "--package", "balie", "--package", "app", "--bins", "--lib"]);
    run(&mut check)
}

fn provide_zig() -> Result<PathBuf> {
    let folder = workspace::tools().join("zig");
    if console::succeeds(command(folder.join("bin").join("cargo-zigbuild")).arg("--version")) {
        say("zig: already there");
        return Ok(folder);
    }
    run(command("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = folder.join("bin").join("pip");
    run(command(pip).args(["install", "--quiet", "ziglang", "cargo-zigbuild"]))?;
    Ok(folder)
}
