//! `cargo xtask dist`: installers for the system we are on.

use anyhow::Result;

use crate::console::{Steps, run};
use crate::setup::{self, Need};
use crate::tasks::run::{build_ui, window_build};
use crate::workspace;

/// What is kept is encrypted in every installer; on Linux it is in every build.
const ENCRYPTION: &str = if cfg!(windows) { "vendored-encryption" } else { "encryption" };

/// Builds the optimised program and bundles it.
pub(crate) fn dist() -> Result<()> {
    let mut steps = Steps::new(4);
    steps.step("System packages", || setup::system(&[Need::Window]))?;
    steps.step("Web packages", setup::node_packages)?;
    steps.step("Program", || {
        build_ui()?;
        let mut build = window_build(true);
        build.args(["--features", ENCRYPTION]).env("CARGO_PROFILE_RELEASE_LTO", "thin");
        run(&mut build)
    })?;
    steps.step("Installers", || {
        let formats = if cfg!(target_os = "linux") {
            "deb,rpm"
        } else if cfg!(target_os = "macos") {
            "dmg"
        } else {
            "nsis"
        };
        // The packager looks for the project below the folder it is started in.
        let packager = workspace::ui().join("node_modules/@tauri-apps/cli/tauri.js");
        run(setup::node()
            .arg(packager)
            .args([
                "bundle",
                "--ci",
                "--features",
                "custom-protocol",
                "--features",
                ENCRYPTION,
                "--bundles",
                formats,
            ])
            .current_dir(workspace::root()))
    })
}
