//! What is asked for from outside the window: keys that work everywhere, words of the command line, links.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a key or a word asks for. It says nothing of calls: which one is meant follows from what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeskKey {
    /// Answer the call that has waited longest.
    Answer,
    /// End the conversation, or stop dialling. Never a call that waits or is on hold.
    Hangup,
    /// Put the conversation on hold; without one, take back the only call that is on hold.
    Hold,
    /// Stop sending the microphone, or send it again.
    Mute,
}
