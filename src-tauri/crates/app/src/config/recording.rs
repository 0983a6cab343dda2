//! Recordings of calls on this machine.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Unknown;

/// How a recording is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RecordingFormatName {
    /// Opus in Ogg.
    #[default]
    Opus,
    /// WAV, 16 bit.
    Wav,
}

/// Whether and how calls may be recorded here. Off unless somebody has decided otherwise: who records must have the right to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordingSettings {
    /// Calls may be recorded, each at the user's wish.
    pub enabled: bool,
    /// Where they are kept; a folder beside what else is kept when empty.
    pub folder: PathBuf,
    /// How they are kept.
    pub format: RecordingFormatName,
    /// A WAV file that the other side hears when a recording begins; a tone is heard in any case.
    pub announcement: PathBuf,
    /// Days after which recordings are deleted.
    pub keep_days: u32,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

impl Default for RecordingSettings {
    fn default() -> RecordingSettings {
        RecordingSettings {
            enabled: false,
            folder: PathBuf::new(),
            format: RecordingFormatName::Opus,
            announcement: PathBuf::new(),
            keep_days: 30,
            unknown: Unknown::new(),
        }
    }
}

impl RecordingSettings {
    pub(super) fn is_usual(&self) -> bool {
        *self == RecordingSettings { unknown: self.unknown.clone(), ..RecordingSettings::default() }
    }

    /// Where recordings are kept, beside `data` unless another folder is named.
    pub(crate) fn folder(&self, data: &Path) -> PathBuf {
        match self.folder.as_os_str().is_empty() {
            true => data.join("recordings"),
            false => self.folder.clone(),
        }
    }
}
