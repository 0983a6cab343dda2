//! `cargo xtask screenshots`: the pictures of the README and of every view, taken of the real window on the embedded exchange.

use anyhow::Result;

use crate::console::{Steps, cargo, run};
use crate::setup::{self, Need};
use crate::tasks::run::{build_ui, build_window};
use crate::tasks::test::drive_window;
use crate::workspace;

/// Sets up, builds, and writes assets/screenshots anew.
pub(crate) fn screenshots() -> Result<()> {
    let mut steps = Steps::new(4);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Web packages", setup::node_packages)?;
    steps.step("Program", || {
        build_ui()?;
        build_window(false)?;
        // Some views need an exchange beside the window. As the tests build it.
        run(cargo().args(["build", "--locked", "--bin", "balie-cli", "--test", "house"]))
    })?;
    let folder = workspace::root().join("assets").join("screenshots");
    steps.step("Pictures", || drive_window("screenshots.mjs", &[folder.as_os_str()]))
}
