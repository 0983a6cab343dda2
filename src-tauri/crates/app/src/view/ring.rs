//! How calls ring, as it is shown and chosen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Where a call comes from, as far as ringing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RingSource {
    /// Anybody.
    Ordinary,
    /// A colleague.
    Internal,
    /// A queue.
    Queue,
    /// A door or an intercom.
    Door,
}

impl RingSource {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Ordinary, Self::Internal, Self::Queue, Self::Door];

    /// Its word in commands and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Internal => "internal",
            Self::Queue => "queue",
            Self::Door => "door",
        }
    }
}

/// How calls from one of them ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RingView {
    /// Where they come from.
    pub source: RingSource,
    /// Name of the user's own sound; `None`: the built-in one.
    pub own: Option<String>,
}
