//! Debian and Ubuntu, through apt.

use anyhow::Result;

use super::{Need, as_root, tell_missing};
use crate::console::{self, run, say};

const BUILD: &[&str] = &[
    "build-essential",
    "ca-certificates",
    "cmake",
    "pkg-config",
    "libasound2-dev",
    "libdbus-1-dev",
    "libwebkit2gtk-4.1-dev",
    "libgtk-3-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libssl-dev",
    "libxdo-dev",
    "fonts-dejavu-core",
    "nodejs",
];

const LABORATORY: &[&str] = &[
    "mmdebstrap",
    "openssl",
    "chromium",
    "kamailio",
    "kamailio-extra-modules",
    "kamailio-outbound-modules",
    "kamailio-presence-modules",
    "kamailio-tls-modules",
    "kamailio-utils-modules",
    "kamailio-websocket-modules",
    "kamailio-xml-modules",
    "ldap-utils",
    "slapd",
    "samba-ad-dc",
    "samba-ad-provision",
    "dnsmasq-base",
    "linphone-cli",
    "baresip-core",
    "coturn",
    "sip-tester",
    "pulseaudio",
    "pulseaudio-utils",
    "libasound2-plugins",
    "iproute2",
    "util-linux",
    "webkit2gtk-driver",
    "xvfb",
    "xauth",
    "x11-utils",
    "xdotool",
    "openbox",
    "imagemagick",
    "dbus",
    "dbus-x11",
    "gnome-keyring",
    "tshark",
    "libsecret-tools",
    "at-spi2-core",
    "procps",
    "python3-venv",
    "python3-dev",
];

const CROSS: &[&str] =
    &["rustc-web", "cargo-web", "rust-web-src", "python3-venv", "gcc-mingw-w64-x86-64-win32"];

/// The packages that `needs` come down to. npm comes with Node where that is not Debian's own.
pub(super) fn packages(needs: &[Need]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for need in needs {
        packages.extend_from_slice(match need {
            Need::Window => BUILD,
            Need::Laboratory => LABORATORY,
            Need::Cross => CROSS,
            Need::Rival => &["linphone-desktop"],
        });
    }
    if needs.contains(&Need::Window) && !console::has_program("npm") {
        packages.push("npm");
    }
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// Installs what dpkg does not know as installed.
pub(super) fn install(needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> =
        packages(needs).into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        say("system packages: nothing is missing");
        return Ok(());
    }
    tell_missing(&missing);
    run(as_root("apt-get").args(["update", "-q"]))?;
    if missing.contains(&"slapd") {
        // The tests start their own; the system gets no directory.
        let answer = "echo slapd slapd/no_configuration boolean true | debconf-set-selections";
        run(as_root("sh").args(["-c", answer]))?;
    }
    run(as_root("env")
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q"])
        .arg("--no-install-recommends")
        .args(&missing))
}

fn is_installed(package: &str) -> bool {
    let status = console::command("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .output();
    status.is_ok_and(|output| output.stdout.starts_with(b"installed"))
}
