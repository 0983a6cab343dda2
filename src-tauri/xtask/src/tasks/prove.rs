//! `cargo xtask prove`: the long proofs against real servers.

use anyhow::Result;
use clap::ValueEnum;

use crate::console::{Steps, cargo, run};
use crate::lab;
use crate::setup::{self, Need};
use crate::tasks::test;

/// What can be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Sound of every codec through Asterisk judged by correlation and PESQ; a hundred calls in a row without a leak.
    Calls,
    /// Calls in both directions with holds and transfers, watched lines and server restarts, for an hour.
    Soak,
    /// Two hundred calls through changes of address, link, uplink and route; a server that restarts or is dead.
    Network,
    /// Two hundred thousand numbers in every notation against the PyPI package `phonenumbers`.
    Numbers,
    /// Fifty changes of the default device and unplugged devices in mid-call, and how long sound was away.
    Devices,
    /// An hour of playing on clocks that drift apart by 200 parts in a million, in virtual time.
    Drift,
    /// A program that is killed a hundred times while it writes to the database.
    Store,
    /// Every view of the window read by axe-core in every look: two languages, light and dark, usual and high contrast.
    Access,
    /// Ten thousand random sequences of the desk's keys on a wire that loses, repeats, reorders and goes away: no caller
    /// lost, none in limbo. Another number of them may be given.
    Desk,
}

impl Subject {
    /// The laboratory's own program; none: it is a test of a crate, with more of everything.
    fn program(self) -> Option<&'static str> {
        match self {
            Self::Calls => Some("prove"),
            Self::Soak => Some("soak"),
            Self::Network => Some("prove-network"),
            Self::Numbers
            | Self::Store
            | Self::Access
            | Self::Desk
            | Self::Devices
            | Self::Drift => None,
        }
    }
}

/// Reads every view in the looks that the tests leave out, too.
fn prove_access() -> Result<()> {
    let mut steps = Steps::new(3);
    steps.step("System packages", || setup::system(&[Need::Window]))?;
    steps.step("Window", || {
        setup::node_packages()?;
        test::build_for_driving()
    })?;
    steps.step("Proof", || test::drive_window("run.mjs", &["axe".as_ref(), "--all-looks".as_ref()]))
}

/// Sequences of the desk's keys.
const SEQUENCES: &str = "10000";

/// Presses the desk's keys at random, in an optimised build.
fn prove_desk() -> Result<()> {
    let mut steps = Steps::new(2);
    steps.step("System packages", || setup::system(&[Need::Window]))?;
    let mut test = cargo();
    test.args(["test", "--locked", "--release", "--package", "app", "--test", "random"])
        .args(["--", "--nocapture"])
        .env("BALIE_SEQUENCES", SEQUENCES);
    steps.step("Proof", || run(&mut test))
}

/// Plays for an hour in virtual time, in an optimised build.
fn prove_drift() -> Result<()> {
    let mut steps = Steps::new(2);
    steps.step("System packages", || setup::system(&[Need::Window]))?;
    let mut test = cargo();
    test.args(["test", "--locked", "--release", "--package", "audio", "--lib", "ports::drift"])
        .args(["--", "--nocapture"])
        .env("BALIE_DRIFT_SECONDS", "3600");
    steps.step("Proof", || run(&mut test))
}

/// Runs a test of a crate with more of everything.
fn prove_by_test(subject: Subject) -> Result<()> {
    let (needs, count): (&[Need], _) = match subject {
        // Killing a program needs nobody else's.
        Subject::Store => (&[Need::Window], 2),
        _ => (&[Need::Window, Need::Laboratory], 3),
    };
    let mut steps = Steps::new(count);
    steps.step("System packages", || setup::system(needs))?;
    if subject != Subject::Store {
        steps.step("Laboratory", lab::install_numbers)?;
    }
    let (package, name) = match subject {
        Subject::Numbers => ("contacts", "oracle"),
        Subject::Devices => ("audio", "pulse"),
        _ => ("store", "killed"),
    };
    let mut test = cargo();
    test.args(["test", "--locked", "--package", package, "--test", name, "--", "--nocapture"])
        .env("BALIE_LAB", "1")
        .env("BALIE_LAB_PYTHON", lab::python())
        .env("BALIE_NUMBERS", "200000")
        .env("BALIE_KILLS", "100");
    steps.step("Proof", || run(&mut test))
}

/// Runs one proof with an optimised build; `arguments` go to its program.
pub(crate) fn prove(subject: Subject, arguments: &[String]) -> Result<()> {
    if subject == Subject::Access {
        return prove_access();
    }
    if subject == Subject::Desk {
        return prove_desk();
    }
    if subject == Subject::Drift {
        return prove_drift();
    }
    let Some(program) = subject.program() else { return prove_by_test(subject) };
    let mut steps = Steps::new(4);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Laboratory", || {
        lab::install_asterisk()?;
        lab::install_judges()
    })?;
    steps.step("Programs", || lab::build("release", program))?;
    steps.step("Proof", || lab::run("release", program, arguments))
}
