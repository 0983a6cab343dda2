//! `cargo xtask fuzz`: looking for inputs that break a parser.

use std::fs;

use anyhow::{Context as _, Result};

use crate::console::{Steps, command, run};
use crate::{setup, workspace};

/// Fuzzes the named targets, or all, for `seconds` each. Findings end the run and stay in tests/fuzz/artifacts.
pub(crate) fn fuzz(seconds: u32, targets: &[String]) -> Result<()> {
    let targets = if targets.is_empty() { all()? } else { targets.to_vec() };
    let mut steps = Steps::new(targets.len() + 1);
    let tool = steps.step("cargo-fuzz", || setup::cargo_tool("cargo-fuzz"))?;
    for target in &targets {
        steps.step(&format!("{target}, {seconds} s"), || {
            // libFuzzer's instrumentation is a compiler flag that stable builds hide.
            let mut fuzz = command(&tool);
            fuzz.current_dir(workspace::root().join("tests/fuzz")).env("RUSTC_BOOTSTRAP", "1");
            fuzz.args(["fuzz", "run", "--fuzz-dir", ".", target, "--"]);
            fuzz.arg(format!("-max_total_time={seconds}"))
                .args(["-timeout=10", "-print_final_stats=1"]);
            run(&mut fuzz)
        })?;
    }
    Ok(())
}

fn all() -> Result<Vec<String>> {
    let folder = workspace::root().join("tests/fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut targets: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_string_lossy().into_owned()))
        .collect();
    targets.sort();
    Ok(targets)
}
