//! What is printed: lines on standard output, a failure as one JSON line on standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use app::code::Code;
use app::control::ErrorReply;
use serde::Serialize;

use crate::{FAILED, USAGE};

/// Why the program does not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: u8,
    error: Option<ErrorReply>,
}

impl Failure {
    /// The thing asked for failed.
    pub(crate) fn failed(error: ErrorReply) -> Failure {
        Failure { exit: FAILED, error: Some(error) }
    }

    /// It failed, and everything has been said.
    pub(crate) fn told() -> Failure {
        Failure { exit: FAILED, error: None }
    }

    /// Wrong usage or configuration.
    pub(crate) fn usage(code: Code, message: impl Into<String>) -> Failure {
        Failure { exit: USAGE, error: Some(ErrorReply::new(code, message)) }
    }

    /// Says why and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        if let Some(error) = self.error {
            let line = serde_json::json!({ "error": error });
            // There is nowhere to complain when standard error is closed.
            let _ = writeln!(io::stderr(), "{line}");
        }
        ExitCode::from(self.exit)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::failed(ErrorReply::new(Code::Internal, error.to_string()))
    }
}

impl From<app::StartError> for Failure {
    fn from(error: app::StartError) -> Failure {
        let reply = ErrorReply::new(error.code(), error.to_string());
        match error {
            // The file names of --audio, or what they hold, are wrong.
            app::StartError::Sound(_) => Failure { exit: USAGE, error: Some(reply) },
            _ => Failure::failed(reply),
        }
    }
}

/// Prints a value as one JSON line.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::from)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()?;
    Ok(())
}

/// Prints a line of text.
pub(crate) fn text(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}
