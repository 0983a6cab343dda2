//! `cargo xtask dist`: installers for the system we are on.

use anyhow::Result;

use crate::console::{Steps, run};
use crate::setup::{self, Need};
use crate::tasks::run::{build_ui, build_window};
use crate::workspace;

/// Builds the optimised program and bundles it.
pub(crate) fn dist() -> Result<()> {
    let mut steps = Steps::new(4);
    steps.step("System packages", || setup::system(&[Need::Window]))?;
    steps.step("Web packages", setup::node_packages)?;
    steps.step("Program", || {
        build_ui()?;
        build_window(true)
    })?;
    steps.step("Installers", || {
        let formats = if cfg!(target_os = "linux") {
            "deb,rpm"
        } else if cfg!(target_os = "macos") {
            "dmg"
        } else {
            "nsis"
        };
        let bundle = ["exec", "--", "tauri", "bundle", "--ci", "--features", "custom-protocol"];
        run(setup::npm().args(bundle).args(["--bundles", formats]).current_dir(workspace::ui()))
    })
}
