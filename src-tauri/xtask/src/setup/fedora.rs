//! Fedora, through dnf. The laboratory of real servers is made for Debian; here only the program is set up.

use anyhow::Result;

use super::{Need, as_root, tell_missing};
use crate::console::{self, run, say};

const BUILD: &[&str] = &[
    "gcc-c++",
    "make",
    "cmake",
    "pkgconf-pkg-config",
    "alsa-lib-devel",
    "dbus-devel",
    "webkit2gtk4.1-devel",
    "gtk3-devel",
    "libayatana-appindicator-gtk3-devel",
    "librsvg2-devel",
    "openssl-devel",
    "libxdo-devel",
    "nodejs",
    "npm",
];

const TESTS: &[&str] = &["webkit2gtk4.1", "xorg-x11-server-Xvfb", "dbus-x11", "pulseaudio-utils"];

/// Installs what rpm does not know as installed.
pub(super) fn install(needs: &[Need]) -> Result<()> {
    let mut wanted = BUILD.to_vec();
    if needs.contains(&Need::Laboratory) {
        wanted.extend_from_slice(TESTS);
    }
    let missing: Vec<&str> = wanted
        .into_iter()
        .filter(|package| !console::succeeds(console::command("rpm").args(["-q", package])))
        .collect();
    if missing.is_empty() {
        say("system packages: nothing is missing");
        return Ok(());
    }
    tell_missing(&missing);
    run(as_root("dnf").args(["install", "-y"]).args(&missing))
}
