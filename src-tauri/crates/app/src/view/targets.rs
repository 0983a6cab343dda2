//! Where a caller can be sent: what a number is of somebody, and by which way it takes a caller.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a number is of whoever has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// A line of the exchange.
    Line,
    /// Somebody's voicemail.
    Voicemail,
    /// A mobile telephone.
    Mobile,
    /// A number at work.
    Work,
    /// A number at home.
    Home,
    /// The company's main number.
    Main,
    /// The assistant's number.
    Assistant,
    /// Another number of somebody.
    Other,
    /// A queue.
    Queue,
    /// A place where callers are parked.
    Park,
    /// A number outside that nobody is known by.
    Outside,
    /// Where a call rang that was taken from there; the exchange has not said whose it is.
    PickedUp,
    /// Where a call was parked that was taken back from there; likewise.
    Retrieved,
}

/// How a target takes a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TargetWay {
    /// He can be asked first (`call.transfer.consult`), or gets the caller at once.
    Ask,
    /// Nobody to ask is there: the caller goes at once (`call.transfer.blind`).
    Send,
    /// The caller is parked there (`call.park`).
    Park,
}

/// One way to reach somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct TargetView {
    /// What it is.
    pub kind: TargetKind,
    /// What is dialled; of [`TargetWay::Park`] the slot.
    pub to: String,
    /// The number for show.
    pub shown: String,
    /// How it takes a caller.
    pub way: TargetWay,
}
