//! The exchange's own books: every call as it stands, for those who check from outside who talks with whom.

use serde::{Deserialize, Serialize};

use crate::pbx::CallNumber;

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A simulated party's line is being opened.
    Opening,
    /// Somebody is rung.
    Ringing,
    /// Both sides are there.
    Talking,
    /// One side waits without another: parked, or for what becomes of his transfer.
    Alone,
}

/// One side of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Side {
    /// The number; of one who withholds it, too.
    pub number: String,
    /// The Call-IDs of its telephones: of all that ring, or of the one that talks.
    pub phones: Vec<String>,
    /// It is played by the exchange, or will be when it answers.
    pub simulated: bool,
    /// It has put the other side on hold.
    pub holds: bool,
    /// It still is a side of that call, until somebody answers this one, which is made for it.
    pub of: Option<CallNumber>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallRecord {
    /// Its number within this run.
    pub number: CallNumber,
    /// How far it is.
    pub stage: Stage,
    /// Who called.
    pub caller: Side,
    /// Who is called, or has answered.
    pub called: Side,
    /// The line against which the caller is parked.
    pub parked: Option<String>,
    /// The line whose voicemail answers.
    pub voicemail: Option<String>,
    /// The queue in which the caller waits.
    pub queue: Option<String>,
    /// The call that is made for one of its sides: a transfer, or a recall.
    pub transfer: Option<CallNumber>,
}
