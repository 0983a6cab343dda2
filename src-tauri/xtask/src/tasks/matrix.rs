//! `cargo xtask matrix`: every peer against every feature, as a markdown table.

use anyhow::Result;

use crate::console::Steps;
use crate::lab;
use crate::setup::{self, Need};

/// Plays the cells that `arguments` choose (`--only TEXT`, `--peer TEXT`, `--keep DIR`, `--write FILE`), all without any, and prints
/// the tables on standard output. An error when a cell does not pass.
pub(crate) fn matrix(arguments: &[String]) -> Result<()> {
    let mut steps = Steps::new(4);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Laboratory", lab::install_asterisk)?;
    steps.step("Programs", || lab::build("debug", "matrix"))?;
    steps.step("Cells", || lab::run("debug", "matrix", arguments))
}
