//! `cargo xtask bench`: figures, beside a peer in the same run.

use anyhow::Result;
use clap::ValueEnum;

use crate::console::{Steps, cargo, run};
use crate::setup::{self, Need};
use crate::{lab, tasks, workspace};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Set-up time, processor time and memory of a call, beside baresip on the same Asterisk.
    Call,
    /// Messages a second, time to a registration beside baresip, a thousand watched lines.
    Sip,
    /// A large call centre: a thousand agents and fifty queues at two hundred events a second, the time to be
    /// whole again after the events' channel was cut, a directory of two thousand.
    Pbx,
    /// Search, lookup and import of a hundred thousand contacts and of a million, beside SQLite's full-text search.
    Contacts,
    /// What is heard of speech after loss and jitter: PESQ, PLCMOS and delay of every codec, beside a buffer fixed at 60 ms,
    /// baresip and linphone; how well an echo is taken out, beside WebRTC; what a call and a conference cost; whether sound
    /// keeps going.
    Sound,
    /// Time to the first window and memory of the idle window.
    Window,
    /// The desk as it is worked at: start and memory beside linphone, what 500 calls leave behind, a thousand lines with
    /// two hundred changes a second, a key in the search with a hundred thousand contacts.
    Desk,
}

/// Measures one subject with optimised builds.
pub(crate) fn bench(subject: Subject) -> Result<()> {
    match subject {
        Subject::Contacts => return contacts(),
        Subject::Sound => return sound(),
        Subject::Desk => return desk(),
        Subject::Call | Subject::Sip | Subject::Pbx | Subject::Window => {}
    }
    let mut steps = Steps::new(3);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Laboratory", lab::install_asterisk)?;
    match subject {
        Subject::Call => steps.step("Calls", || measure("bench-call")),
        Subject::Sip => steps.step("Signalling", || measure("bench-sip")),
        Subject::Pbx => steps.step("Call centre", || measure("bench-pbx")),
        Subject::Contacts | Subject::Sound | Subject::Desk => Ok(()),
        Subject::Window => steps.step("Window", window),
    }
}

/// Needs no laboratory.
fn contacts() -> Result<()> {
    let mut steps = Steps::new(2);
    steps.step("System packages", || setup::system(&[Need::Window]))?;
    let example = ["run", "--locked", "--release", "--package", "store", "--example", "contacts"];
    steps.step("Contacts", || run(cargo().args(example)))
}

/// In virtual time first, where only the judges are needed; then in real time beside baresip and linphone. Every part is
/// measured, also when one before it is not as it must be.
fn sound() -> Result<()> {
    let mut steps = Steps::new(6);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Judges and rivals of sound", lab::install_rivals_of_sound)?;
    let example = |profile, name| {
        let example =
            ["run", "--locked", "--profile", profile, "--package", "media", "--example", name];
        run(cargo().args(example).env("BALIE_LAB_PYTHON", lab::python()))
    };
    let speech = steps.step("Speech after losses and delays", || example("release", "sound"));
    let echo = steps.step("Echo", || example("release", "echo"));
    let time = steps.step("Processor time", || example("installed", "processor_time"));
    let peers = steps.step("Beside baresip and linphone", || measure("bench-sound"));
    speech.and(echo).and(time).and(peers)
}

fn measure(program: &str) -> Result<()> {
    lab::build("release", program)?;
    lab::run("release", program, &[])
}

fn window() -> Result<()> {
    setup::node_packages()?;
    tasks::run::build_ui()?;
    tasks::run::build_window(true)?;
    let script = workspace::root().join("tests/window/bench.mjs");
    run(setup::node().arg(script).arg(workspace::built("release", "balie")))
}

/// In a namespace without a way out, as the tests of the window are.
fn desk() -> Result<()> {
    let mut steps = Steps::new(4);
    steps.step("System packages", || {
        setup::system(&[Need::Window, Need::Laboratory, Need::Rival])
    })?;
    steps.step("Web packages", setup::node_packages)?;
    steps.step("Programs", || {
        tasks::run::build_ui()?;
        tasks::run::build_window(true)?;
        run(cargo().args([
            "build",
            "--locked",
            "--release",
            "--package",
            "app",
            "--bin",
            "balie-cli",
        ]))
    })?;
    steps.step("Desk", || tasks::test::drive_window_of("release", "bench-desk.mjs", &[]))
}
