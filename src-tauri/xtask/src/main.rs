//! The repository's one tool: `cargo xtask <command>`.
//!
//! Every command first sets up what it needs and says what it does; a second run finds nothing to do.

mod console;
mod lab;
mod setup;
mod tasks;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Set up, run, test, measure and bundle Balie.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and open the window on the embedded exchange.
    Run {
        /// Optimised build.
        #[arg(long)]
        release: bool,
        /// Passed on to the program; without any, the demo starts.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Every test there is, with the same set-up.
    Test {
        /// Only these parts.
        #[arg(value_enum)]
        parts: Vec<tasks::test::Part>,
    },
    /// Formatting, lints, licences, fresh bindings, then every test.
    Ci,
    /// Write the TypeScript bindings of the view models and commands.
    Codegen {
        /// Only tell whether they are fresh.
        #[arg(long)]
        check: bool,
    },
    /// Measure, beside a peer in the same run.
    Bench {
        /// What to measure.
        #[arg(value_enum)]
        subject: tasks::bench::Subject,
    },
    /// Take the pictures of the README and of every view anew, in both languages, light and dark.
    Screenshots,
    /// Type-check Windows and macOS from Linux.
    CheckCross,
    /// Fuzz every parser.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
        /// Only these targets.
        targets: Vec<String>,
    },
    /// Every peer against every feature, as a markdown table; fails when a cell does not pass.
    Matrix {
        /// `--only TEXT`, `--peer TEXT`, `--keep DIR`, `--write FILE`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// The long proofs against real servers.
    Prove {
        /// What to prove.
        #[arg(value_enum, default_value = "calls")]
        subject: tasks::prove::Subject,
        /// How long the soak goes on; 60 when left out.
        #[arg(long)]
        minutes: Option<u32>,
    },
    /// Installers for this system, in target/release/bundle.
    Dist,
    /// Only the set-up of `test`.
    Setup,
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Run { release, arguments } => tasks::run::run(release, &arguments),
        Task::Test { parts } => tasks::test::test(&parts),
        Task::Ci => tasks::ci::ci(),
        Task::Codegen { check } => tasks::codegen::codegen(check),
        Task::Bench { subject } => tasks::bench::bench(subject),
        Task::Screenshots => tasks::screenshots::screenshots(),
        Task::CheckCross => tasks::check_cross::check_cross(),
        Task::Fuzz { seconds, targets } => tasks::fuzz::fuzz(seconds, &targets),
        Task::Matrix { arguments } => tasks::matrix::matrix(&arguments),
        Task::Prove { subject, minutes } => tasks::prove::prove(subject, &minutes_of(minutes)),
        Task::Dist => tasks::dist::dist(),
        Task::Setup => tasks::test::set_up(),
    }
}

fn minutes_of(minutes: Option<u32>) -> Vec<String> {
    minutes.map(|minutes| vec!["--minutes".to_owned(), minutes.to_string()]).unwrap_or_default()
}
