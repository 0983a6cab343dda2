//! The exchanges of the accounts: their commands.

use std::time::Instant;

use super::commands::Outcome;
use super::desk::Desk;
use crate::code::Code;
use crate::control::{Answer, CentreCommand, ErrorReply};

impl Desk {
    /// Obeys a command for an exchange.
    pub(super) fn obey_centre(&mut self, _now: Instant, command: &CentreCommand) -> Outcome {
        match command {
            CentreCommand::Get {} => Ok(Answer::Centres(Vec::new())),
            CentreCommand::QueueList { .. } => Ok(Answer::Queues(Vec::new())),
            _ => Err(ErrorReply::new(Code::NoExchange, "no account has an exchange")),
        }
    }
}
