//! A headless PulseAudio for tests and measurements: how it is started, where it is found, how what goes through it is
//! recorded. Whoever includes this starts the processes in its own way.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Starts a server with its files in `folder` and these modules, besides the one that lets programs in.
pub(crate) fn server(folder: &Path, modules: &[&str]) -> Command {
    let native =
        format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket(folder).display());
    let mut command = Command::new("pulseaudio");
    command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit"]).args([
        "--use-pid-file=no",
        "--realtime=no",
        "--high-priority=no",
        "--disable-shm=yes",
    ]);
    for module in [native.as_str()].iter().chain(modules) {
        command.args(["-L", *module]);
    }
    command.env("HOME", folder).env("XDG_RUNTIME_DIR", folder).env("PULSE_RUNTIME_PATH", folder);
    command
}

/// Where it listens; there once it is up.
pub(crate) fn socket(folder: &Path) -> PathBuf {
    folder.join("native")
}

/// What lets a program find it.
pub(crate) fn environment(folder: &Path) -> [(&'static str, String); 2] {
    let server = format!("unix:{}", socket(folder).display());
    [("PULSE_SERVER", server), ("XDG_RUNTIME_DIR", folder.display().to_string())]
}

/// Records what a sink plays, so many channels of it, as 32-bit floating point at 48 kHz on the standard output.
pub(crate) fn recorder(sink: &str, channels: u8) -> Command {
    let mut command = Command::new("parec");
    command
        .args(["--raw", "--format=float32le", "--rate=48000", "--latency-msec=10"])
        .args([format!("--channels={channels}"), format!("--device={sink}.monitor")]);
    command
}
