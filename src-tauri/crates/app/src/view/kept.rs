//! View models of what the user keeps at the exchange: messages and personal numbers.

use serde::Serialize;
use ts_rs::TS;

use super::PeerView;

/// A message in the voicemail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct MessageView {
    /// Its name, for commands about it.
    pub message: String,
    /// Who left it; empty when withheld.
    pub peer: PeerView,
    /// When, in milliseconds since the Unix epoch; null: not told.
    pub at_ms: Option<u64>,
    /// How long it is, in milliseconds; null: not told.
    pub length_ms: Option<u64>,
    /// It was heard.
    pub heard: bool,
    /// Whoever left it said that it is urgent.
    pub urgent: bool,
}

/// A number that the user keeps at the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PersonalNumberView {
    /// Its name, which no other has.
    pub name: String,
    /// The number.
    pub number: String,
}
