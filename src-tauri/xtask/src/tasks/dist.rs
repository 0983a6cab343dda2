//! `cargo xtask dist`: installers for the system we are on.

use std::path::Path;

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
                "--config",
                &libraries(&workspace::built_library("release", "balie_no_gl")),
            ])
            .current_dir(workspace::root()))
    })
}

/// Where packages for Linux lay the library that the window finds there (`web_engine` in the shell).
const NO_GL: &str = "/usr/lib/balie/libbalie_no_gl.so";

/// What packages hold beside what `tauri.conf.json` says, as a piece of it.
fn libraries(no_gl: &Path) -> String {
    // Rust quotes a path's text as JSON does.
    let files = format!(r#"{{"files":{{{NO_GL:?}:{:?}}}}}"#, no_gl.display().to_string());
    format!(r#"{{"bundle":{{"linux":{{"deb":{files},"rpm":{files}}}}}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_hold_the_library() {
        let file = r#"{"files":{"/usr/lib/balie/libbalie_no_gl.so":"/built/a \"b\"/here.so"}}"#;
        let wanted = format!(r#"{{"bundle":{{"linux":{{"deb":{file},"rpm":{file}}}}}}}"#);
        assert_eq!(libraries(Path::new("/built/a \"b\"/here.so")), wanted);
    }

    #[test]
    fn packages_lay_the_library_where_the_window_looks() {
        let window = workspace::root().join("src-tauri/src/web_engine.rs");
        let window = std::fs::read_to_string(window).unwrap();
        // From /usr/bin, where they lay the program.
        let from_program = NO_GL.replacen("/usr/", "../", 1);
        assert!(window.contains(&format!("\"{from_program}\"")), "{from_program}");
    }
}
