//! The conformance table claims nothing that no test shows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

/// The RFCs that the table must speak of.
const RFCS: &[u32] = &[
    3261, 3262, 3263, 3264, 3311, 3327, 3515, 3608, 3711, 3842, 3856, 3891, 3892, 3903, 3911, 4028,
    4235, 4320, 4475, 4488, 4568, 4662, 5118, 5626, 5627, 5763, 5764, 5922, 6026, 6188, 6665, 7118,
    7616, 7675, 7714, 8122, 8445, 8599, 8643, 8760, 8839, 8842,
];

/// What a row may say of itself.
const STATES: &[&str] = &["done", "partly", "no"];

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

fn table() -> Result<String> {
    std::fs::read_to_string(root().join("src-tauri/CONFORMANCE.md"))
        .context("src-tauri/CONFORMANCE.md")
}

/// One row of a section table.
struct Row {
    /// The line, for complaints.
    line: String,
    state: String,
    /// Names in the last column.
    tests: Vec<String>,
}

/// The rows of every table whose head ends with "proved by".
fn rows(text: &str) -> Vec<Row> {
    let (mut rows, mut inside) = (Vec::new(), false);
    for line in text.lines() {
        let Some(cells) = line.strip_prefix('|').and_then(|rest| rest.trim_end().strip_suffix('|'))
        else {
            inside = false;
            continue;
        };
        let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
        if cells.last() == Some(&"proved by") {
            inside = true;
        } else if inside && !cells.iter().all(|cell| cell.starts_with("---")) {
            let last = cells.last().copied().unwrap_or_default();
            let state = cells.get(cells.len().saturating_sub(2)).copied().unwrap_or_default();
            rows.push(Row {
                line: line.to_owned(),
                state: state.to_owned(),
                tests: last.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
            });
        }
    }
    rows
}

/// Every test function of the repository, and every scenario that a peer plays.
fn tests() -> Result<BTreeSet<String>> {
    let output = Command::new("git").arg("ls-files").current_dir(root()).output()?;
    anyhow::ensure!(output.status.success(), "git ls-files: {}", output.status);
    let mut names = BTreeSet::new();
    for file in String::from_utf8(output.stdout)?.lines() {
        if let Some(scenario) = file.strip_prefix("tests/e2e/lab/sipp/") {
            names.insert(scenario.trim_end_matches(".xml").to_owned());
        }
        if file.ends_with(".rs") {
            let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
            names.extend(test_functions(&text));
        }
    }
    Ok(names)
}

/// The functions of a source text that are tests.
fn test_functions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        let name =
            ["fn ", "async fn ", "pub(crate) fn "].iter().find_map(|word| line.strip_prefix(word));
        match name {
            Some(name) if marked => {
                let end = name.find(['(', '<']).unwrap_or(name.len());
                found.push(name.get(..end).unwrap_or_default().to_owned());
                marked = false;
            }
            Some(_) => marked = false,
            None if line.starts_with("#[test]") || line.starts_with("#[tokio::test") => {
                marked = true;
            }
            None => {}
        }
    }
    found
}

#[test]
fn every_test_named_in_the_conformance_table_exists() -> Result<()> {
    let there = tests()?;
    let wrong: Vec<String> = rows(&table()?)
        .iter()
        .flat_map(|row| row.tests.clone())
        .filter(|name| !there.contains(name))
        .collect();
    assert!(wrong.is_empty(), "no such tests: {wrong:#?}");
    Ok(())
}

#[test]
fn every_claim_of_the_conformance_table_names_its_test() -> Result<()> {
    let rows = rows(&table()?);
    assert!(rows.len() > RFCS.len(), "the table has only {} rows", rows.len());
    for row in rows {
        assert!(STATES.contains(&row.state.as_str()), "'{}' is no state: {}", row.state, row.line);
        let claims = row.state != "no";
        assert!(!claims || !row.tests.is_empty(), "no test is named: {}", row.line);
    }
    Ok(())
}

#[test]
fn the_conformance_table_speaks_of_every_rfc() -> Result<()> {
    let text = table()?;
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    for rfc in RFCS {
        let number = rfc.to_string();
        assert!(headings.iter().any(|line| line.contains(&number)), "RFC {rfc} has no heading");
    }
    Ok(())
}

#[test]
fn tests_are_told_from_other_functions() {
    let text = "fn helper() {}\n#[test]\nfn one() {}\nfn two() {}\n#[tokio::test(start_paused = true)]\n\
                async fn three() {}\n#[test]\n#[cfg(unix)]\nfn four<T>() {}\n";
    assert_eq!(test_functions(text), ["one", "three", "four"]);
}
