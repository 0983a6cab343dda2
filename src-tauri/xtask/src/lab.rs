//! The laboratory: real servers and judges for the tests, installed once per user.
//!
//! Asterisk 22 comes from Debian forky into a folder of its own, since Debian 12 has none. Everything that tests
//! start runs in a network namespace without a way out.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::console::{self, cargo, say};
use crate::{setup, workspace};

/// The folder that Asterisk is chrooted into.
pub(crate) fn asterisk() -> PathBuf {
    workspace::lab().join("asterisk")
}

/// Python with the judges of sound and of numbers, and what ours is held against.
pub(crate) fn python() -> PathBuf {
    workspace::lab().join("python").join("bin").join("python3")
}

/// Installs Asterisk 22 unless it is there.
pub(crate) fn install_asterisk() -> Result<()> {
    let folder = asterisk();
    if folder.join("usr/sbin/asterisk").is_file() && folder.join(".complete").is_file() {
        say("Asterisk: already there");
        return Ok(());
    }
    fs::create_dir_all(workspace::lab())?;
    let _ = fs::remove_dir_all(&folder);
    // The mirror may be a frozen copy whose Release file has expired; its signature is still checked.
    console::run(
        console::command("mmdebstrap")
            .args(["--variant=apt", "--mode=root", "--include=asterisk"])
            .arg("--aptopt=Acquire::Check-Valid-Until \"false\"")
            .arg("--aptopt=APT::Install-Recommends \"false\"")
            .arg("forky")
            .arg(&folder)
            .arg("http://deb.debian.org/debian"),
    )?;
    isolate_names(&folder)?;
    fs::write(folder.join(".complete"), "")?;
    Ok(())
}

/// Asterisk asks for its own host name; a resolver that never answers would cost seconds each time.
fn isolate_names(folder: &std::path::Path) -> Result<()> {
    let host = fs::read_to_string("/etc/hostname").unwrap_or_default();
    let hosts = format!("127.0.0.1 localhost {}\n::1 localhost\n", host.trim());
    fs::write(folder.join("etc/hosts"), hosts).context("cannot write the hosts file")?;
    fs::write(folder.join("etc/resolv.conf"), "nameserver 127.0.0.1\n")
        .context("cannot write resolv.conf")
}

/// Installs the judges of sound unless they are there.
pub(crate) fn install_judges() -> Result<()> {
    let python = python();
    let judges = "import pesq, numpy, scipy";
    if python.is_file() && console::succeeds(console::command(&python).args(["-c", judges])) {
        say("sound judges: already there");
        return Ok(());
    }
    let folder = workspace::lab().join("python");
    console::run(console::command("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = folder.join("bin").join("pip");
    console::run(console::command(&pip).args([
        "install",
        "--quiet",
        "wheel",
        "setuptools",
        "numpy<2",
        "scipy",
        "cython",
    ]))?;
    console::run(console::command(&pip).args([
        "install",
        "--quiet",
        "--no-build-isolation",
        "pesq==0.0.4",
    ]))
}

/// Installs what the bench of sound holds ours against, unless it is there: PLCMOS, which brings its model along, and
/// livekit, which is WebRTC's own audio processing. Large, so the tests do without.
pub(crate) fn install_rivals_of_sound() -> Result<()> {
    install_judges()?;
    let python = python();
    let rivals = "import speechmos.plcmos, livekit.rtc.apm";
    if console::succeeds(console::command(&python).args(["-c", rivals])) {
        say("rivals of sound: already there");
        return Ok(());
    }
    let pip = workspace::lab().join("python").join("bin").join("pip");
    let packages = ["numpy<2", "onnxruntime", "speechmos==0.0.1.1", "livekit"];
    console::run(console::command(&pip).args(["install", "--quiet"]).args(packages))
}

/// Installs the judge of telephone numbers unless it is there.
pub(crate) fn install_numbers() -> Result<()> {
    let python = python();
    if !python.is_file() {
        install_judges()?;
    }
    if console::succeeds(console::command(&python).args(["-c", "import phonenumbers"])) {
        say("judge of numbers: already there");
        return Ok(());
    }
    let pip = workspace::lab().join("python").join("bin").join("pip");
    console::run(console::command(&pip).args(["install", "--quiet", "phonenumbers"]))
}

/// Installs the servers of address books unless they are there.
pub(crate) fn install_address_books() -> Result<()> {
    let python = python();
    if !python.is_file() {
        install_judges()?;
    }
    if console::succeeds(console::command(&python).args(["-c", "import radicale, xandikos"])) {
        say("servers of address books: already there");
        return Ok(());
    }
    let pip = workspace::lab().join("python").join("bin").join("pip");
    console::run(console::command(&pip).args(["install", "--quiet", "radicale", "xandikos"]))
}

/// The folder with the packages of Node.js that the laboratory uses.
pub(crate) fn node() -> PathBuf {
    workspace::lab().join("node")
}

/// Installs the OpenID provider that people sign in to, unless it is there.
pub(crate) fn install_sign_in() -> Result<()> {
    let folder = node();
    if folder.join("node_modules/oidc-provider/package.json").is_file() {
        say("OpenID provider: already there");
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    let mut npm = setup::npm();
    npm.current_dir(&folder);
    console::run(npm.args(["install", "--no-audit", "--no-fund", "oidc-provider@9"]))
}

/// A command line that runs in a namespace with loopback and one wire, 10.99.0.1 to 10.99.0.2 and fd99::1 to fd99::2, and no way out.
pub(crate) fn inside_namespace(program: &str, arguments: &[&str]) -> Command {
    const WIRE: &str = "ip link set lo up \
        && ip link add wire0 type veth peer name wire1 \
        && ip addr add 10.99.0.1/24 dev wire0 && ip addr add 10.99.0.2/24 dev wire1 \
        && ip addr add fd99::1/64 dev wire0 nodad && ip addr add fd99::2/64 dev wire1 nodad \
        && ip link set wire0 up && ip link set wire1 up \
        && exec \"$0\" \"$@\"";
    let mut command = if console::is_root() {
        console::command("unshare")
    } else {
        let mut command = console::command("sudo");
        command.args(["--preserve-env", "unshare"]);
        command
    };
    command.args(["--net", "sh", "-c", WIRE, program]).args(arguments);
    command
        .env("BALIE_LAB", "1")
        .env("BALIE_LAB_ASTERISK", asterisk())
        .env("BALIE_LAB_NODE", node())
        .env("BALIE_LAB_PYTHON", python());
    command
}

/// Builds the headless program and one of the laboratory's own programs, chosen from the same packages as the tests
/// are, so that nothing is built a second time with other features.
pub(crate) fn build(profile: &str, program: &str) -> Result<()> {
    let optimised = (profile == "release").then_some("--release");
    let chosen = ["--features", "e2e/lab", "--bin", "balie-cli", "--bin", program];
    console::run(cargo().args(["build", "--locked"]).args(optimised).args(chosen))
}

/// Runs one of the laboratory's own programs inside the namespace.
pub(crate) fn run(profile: &str, program: &str, arguments: &[String]) -> Result<()> {
    let path = workspace::built(profile, program);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut inside = inside_namespace(&path.to_string_lossy(), &arguments);
    console::run(inside.env("BALIE_CLI", workspace::built(profile, "balie-cli")))
}
