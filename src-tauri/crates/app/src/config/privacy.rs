//! What is kept of people and for how long.

use serde::{Deserialize, Serialize};

use super::Unknown;

/// How long calls and notes are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PrivacySettings {
    /// Days after which calls, notes and settled call-backs are forgotten; 0: they do not outlive a run of the program.
    pub history_days: u32,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

impl Default for PrivacySettings {
    fn default() -> PrivacySettings {
        PrivacySettings { history_days: 90, unknown: Unknown::new() }
    }
}

impl PrivacySettings {
    pub(super) fn is_usual(&self) -> bool {
        self.history_days == PrivacySettings::default().history_days
    }

    /// The oldest time that is kept, milliseconds since the Unix epoch.
    pub fn oldest_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(u64::from(self.history_days).saturating_mul(24 * 3600 * 1000))
    }
}
