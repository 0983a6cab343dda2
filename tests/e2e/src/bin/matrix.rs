//! Runs every cell of the matrix and prints it as markdown: peers against features, and the corners with SIPp.
//!
//! Arguments: `--only TEXT` runs the features and corners whose names hold it; `--peer TEXT` likewise for peers (SIPp
//! is one); `--keep DIR` keeps the logs there; `--write FILE` puts the tables into a document, between its two marks.
//! Ends with 1 when a cell does not pass.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use e2e::matrix::{COLUMNS, Cells, corner_table, corners, play, table, tally};
use tempfile::tempdir;

/// Mark before the tables of a document.
const BEGIN: &str = "<!-- matrix -->";
/// Mark after them.
const END: &str = "<!-- end of matrix -->";

fn main() -> Result<ExitCode> {
    let wanted = Wanted::read()?;
    let own = tempdir()?;
    let folder = wanted.keep.clone().unwrap_or_else(|| own.path().to_path_buf());
    let mut columns: Vec<(&str, Cells)> = Vec::new();
    for column in COLUMNS.iter().filter(|column| wanted.peer(column.peer)) {
        let folder = folder.join(column.peer.replace(' ', "-"));
        std::fs::create_dir_all(&folder)?;
        let only = wanted.only.as_deref();
        let mut told = |line: &str| tell(&format!("{}, {line}", column.peer));
        columns.push((column.peer, play(column, &folder, only, &mut told)));
    }
    let mut all: Cells = columns.iter().flat_map(|(_, cells)| cells.clone()).collect();
    let mut text = String::new();
    if !columns.is_empty() {
        text.push_str(&table(&columns));
        text.push('\n');
    }
    if wanted.peer("SIPp 3.6") {
        let mut told = |line: &str| tell(&format!("SIPp, {line}"));
        let cells = corners(&folder.join("SIPp"), wanted.only.as_deref(), &mut told);
        text.push_str(&corner_table(&cells));
        text.push('\n');
        all.extend(cells);
    }
    let (pass, fail, none) = tally(&all);
    text.push_str(&format!("{pass} cells pass, {fail} fail, {none} do not apply.\n"));
    say(&text);
    if let Some(file) = &wanted.write {
        write(file, &text)?;
    }
    Ok(if fail == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was asked for.
#[derive(Default)]
struct Wanted {
    only: Option<String>,
    peer: Option<String>,
    keep: Option<PathBuf>,
    write: Option<PathBuf>,
}

impl Wanted {
    fn read() -> Result<Self> {
        let (mut wanted, mut arguments) = (Self::default(), std::env::args().skip(1));
        while let Some(name) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--only" => wanted.only = Some(value),
                "--peer" => wanted.peer = Some(value.to_lowercase()),
                "--keep" => wanted.keep = Some(value.into()),
                "--write" => wanted.write = Some(value.into()),
                _ => anyhow::bail!("unknown argument {name}"),
            }
        }
        Ok(wanted)
    }

    fn peer(&self, name: &str) -> bool {
        self.peer.as_ref().is_none_or(|part| name.to_lowercase().contains(part))
    }
}

/// Puts the tables between the marks of a document.
fn write(file: &Path, tables: &str) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let missing = || format!("{} has no {BEGIN} and {END}", file.display());
    let (before, rest) = text.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(std::fs::write(file, format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))?)
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a long run says how far it is")]
fn tell(line: &str) {
    eprintln!("{line}");
}
