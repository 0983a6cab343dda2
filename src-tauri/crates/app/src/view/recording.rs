//! The exchange's recording of a call, as a front end shows it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How far the recording of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RecordingName {
    /// Nothing is recorded.
    Off,
    /// Is recorded.
    On,
    /// The recording waits: what is said now is not in it.
    Paused,
    /// The exchange could not record it, or no longer can.
    Failed,
}

/// What can be done with a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RecordDo {
    /// Begin one.
    Start,
    /// End it.
    Stop,
    /// Leave out what is said now.
    Pause,
    /// Go on.
    Resume,
}

/// The recording of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RecordingView {
    /// How far it is.
    pub state: RecordingName,
    /// What may be done now.
    pub may: Vec<RecordDo>,
}
