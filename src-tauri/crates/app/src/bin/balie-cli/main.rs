//! The headless program: one call, a line check, the embedded exchange, or the whole control interface as JSON
//! lines.

mod call;
mod check;
mod out;
mod pbx;
mod run;
mod setup;
mod sip_parse;

use std::path::PathBuf;
use std::process::ExitCode;

use app::config::Sound;
use clap::{Parser, Subcommand};

/// What was asked for failed.
const FAILED: u8 = 1;
/// Wrong usage, or a configuration that cannot be read.
const USAGE: u8 = 2;

/// Balie without a window.
#[derive(Debug, Parser)]
#[command(name = "balie-cli", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// JSON lines on standard input and output until `quit` or the end of input.
    Run(Run),
    /// Place one call, print its statistics; succeeds if it was answered.
    Call(Call),
    /// Check the line of every account; succeeds if nothing is wrong.
    Check(Check),
    /// Run the embedded exchange alone.
    Pbx(Pbx),
    /// Judge SIP messages, one file each.
    SipParse {
        /// Files; standard input when there is none.
        files: Vec<PathBuf>,
    },
    /// Print the version.
    Version {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// system, null, none or wav:IN.wav,OUT.wav[,loop].
    #[arg(long, value_name = "SPEC", default_value = "system")]
    audio: Sound,
    /// Write a log here, and what no longer fits to FILE.1 to FILE.4.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Bytes of one file of the log.
    #[arg(long, value_name = "BYTES", default_value_t = app::logs::FILE_BYTES, requires = "log")]
    log_size: u64,
    /// Where the flight recorder will keep its files.
    #[arg(long, value_name = "DIR")]
    flight_dir: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Call {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Number, name or address.
    #[arg(long, value_name = "TARGET")]
    to: String,
    /// How long to stay in the call.
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// system, null, none or wav:IN.wav,OUT.wav[,loop].
    #[arg(long, value_name = "SPEC", default_value = "system")]
    audio: Sound,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Check {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Also call this number, for example an echo, and see whether sound comes and goes.
    #[arg(long, value_name = "TARGET")]
    call: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Pbx {
    /// Address to listen on, with or without a port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    listen: String,
    /// Company file; the demo company when left out.
    #[arg(long, value_name = "FILE")]
    company: Option<PathBuf>,
    /// Which hosted service is imitated: r21 or 2020.
    #[arg(long, value_name = "PROFILE", default_value = "2020")]
    profile: String,
    /// Folder for messages on the voicemail, as mails (.eml with a WAV); none are kept when left out.
    #[arg(long, value_name = "FOLDER")]
    voicemail: Option<PathBuf>,
    /// Folder for recordings of calls (.wav, 16 kHz mono); no call can be recorded when left out.
    #[arg(long, value_name = "FOLDER")]
    recordings: Option<PathBuf>,
    /// Print the ready line as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::SipParse { files } => sip_parse::run(&files),
        Command::Version { json } => version(json),
        command => on_runtime(command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn on_runtime(command: Command) -> Result<(), out::Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Run(run) => run::run(run).await,
            Command::Call(call) => call::run(call).await,
            Command::Check(check) => check::run(check).await,
            Command::Pbx(pbx) => pbx::run(pbx).await,
            Command::SipParse { .. } | Command::Version { .. } => Ok(()),
        }
    });
    // Standard input may be waited for on a thread that cannot be stopped.
    runtime.shutdown_background();
    outcome
}

fn version(json: bool) -> Result<(), out::Failure> {
    if json {
        let protocol = app::control::PROTOCOL;
        out::json(&serde_json::json!({ "version": app::VERSION, "protocol": protocol }))
    } else {
        out::text(&format!("balie-cli {}", app::VERSION))
    }
}
