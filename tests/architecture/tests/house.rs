//! The top level is the customer's; files stay small; generated files are fresh.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "README.md", "src-tauri", "ui", "assets", "tests", "icons"];

/// Files longer than this hide more than one thing.
const LONGEST_FILE: usize = 1_000;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

fn tracked_files() -> Result<Vec<String>> {
    let output = Command::new("git").arg("ls-files").current_dir(root()).output()?;
    anyhow::ensure!(output.status.success(), "git ls-files: {}", output.status);
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

#[test]
fn the_top_level_is_the_customers() -> Result<()> {
    for file in tracked_files()? {
        let top = file.split('/').next().unwrap_or_default();
        assert!(
            top.starts_with('.') || TOP_LEVEL.contains(&top),
            "{top} does not belong at the top level"
        );
    }
    Ok(())
}

#[test]
fn files_stay_small() -> Result<()> {
    let endings = [".rs", ".ts", ".svelte", ".mjs", ".css"];
    let generated = ["ui/src/bindings/index.ts"];
    for file in tracked_files()? {
        if !endings.iter().any(|ending| file.ends_with(ending))
            || generated.contains(&file.as_str())
        {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{file} has {lines} lines");
    }
    Ok(())
}

#[test]
fn every_rust_file_says_what_it_owns() -> Result<()> {
    for file in tracked_files()?.into_iter().filter(|file| file.ends_with(".rs")) {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        let first = text
            .lines()
            .find(|line| !line.is_empty() && !line.starts_with("#!"))
            .unwrap_or_default();
        assert!(first.starts_with("//!"), "{file} does not start with //!");
    }
    Ok(())
}

#[test]
fn no_test_is_switched_off() -> Result<()> {
    // Assembled, so that this file does not find itself.
    let words =
        [["#[", "ignore"].concat(), ["todo", "!("].concat(), ["unimplemented", "!("].concat()];
    for file in tracked_files()?.into_iter().filter(|file| file.ends_with(".rs")) {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        for word in &words {
            assert!(!text.contains(word.as_str()), "{file} holds {word}");
        }
    }
    Ok(())
}

#[test]
fn the_typescript_bindings_are_fresh() -> Result<()> {
    let path = root().join("ui/src/bindings/index.ts");
    let committed = std::fs::read_to_string(&path).context("ui/src/bindings/index.ts")?;
    assert!(
        committed == app::bindings(),
        "the bindings are out of date: run `cargo xtask codegen` and commit them"
    );
    Ok(())
}
