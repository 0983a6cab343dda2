//! The recording of a call, at the exchange or on this machine, and how it is set here, as a front end shows them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::config::RecordingFormatName;

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
    /// It could not be recorded, or no longer can.
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
    /// It is made on this machine; false: at the exchange.
    pub here: bool,
    /// What may be done now.
    pub may: Vec<RecordDo>,
}

/// How calls are recorded on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
pub struct RecordingSettingsView {
    /// Calls may be recorded, each at the user's wish.
    pub enabled: bool,
    /// How recordings are kept.
    pub format: RecordingFormatName,
    /// The folder where they are kept, as it was set; empty: the usual one.
    pub folder: String,
    /// The folder where they are kept.
    pub folder_used: String,
    /// The WAV file that the other side hears first; empty: a tone alone.
    pub announcement: String,
    /// Days after which recordings are deleted.
    pub keep_days: u32,
}
