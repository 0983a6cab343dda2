//! `cargo xtask prove`: the long proofs against real servers.

use anyhow::Result;
use clap::ValueEnum;

use crate::console::Steps;
use crate::lab;
use crate::setup::{self, Need};

/// What can be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Sound of every codec through Asterisk judged by correlation and PESQ; a hundred calls in a row without a leak.
    Calls,
    /// Calls in both directions with holds and transfers, watched lines and server restarts, for an hour.
    Soak,
    /// Two hundred calls through changes of address, link, uplink and route; a server that restarts or is dead.
    Network,
}

impl Subject {
    fn program(self) -> &'static str {
        match self {
            Self::Calls => "prove",
            Self::Soak => "soak",
            Self::Network => "prove-network",
        }
    }
}

/// Runs one proof with an optimised build; `arguments` go to its program.
pub(crate) fn prove(subject: Subject, arguments: &[String]) -> Result<()> {
    let mut steps = Steps::new(4);
    steps.step("System packages", || setup::system(&[Need::Window, Need::Laboratory]))?;
    steps.step("Laboratory", || {
        lab::install_asterisk()?;
        lab::install_judges()
    })?;
    steps.step("Programs", || lab::build("release", subject.program()))?;
    steps.step("Proof", || lab::run("release", subject.program(), arguments))
}
