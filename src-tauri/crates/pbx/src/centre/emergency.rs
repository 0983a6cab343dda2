//! Emergency forwarding: every call of the user's line, or of a queue, goes to a number.
//!
//! It is built on the wishes of a service and of a queue; what is here reads them. Verified means: asked for,
//! taken, and told back afterwards.

use super::model::QueueId;
use super::port::Refusal;
use super::wish::Phase;

/// What is forwarded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Main {
    /// The user's own line.
    Line,
    /// A queue.
    Queue(QueueId),
}

/// How emergency forwarding stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emergency {
    /// Where calls are to go; empty: nowhere else. `None`: nothing was asked for.
    pub wanted: Option<String>,
    /// Where they go, as told last; empty: nowhere else. `None`: not told.
    pub actual: Option<String>,
    /// How both stand to each other.
    pub phase: Phase,
    /// Why it was refused.
    pub refused: Option<Refusal>,
}

impl Emergency {
    /// It was asked for, and is not in force.
    pub fn has_failed(&self) -> bool {
        let wanted = self.wanted.as_ref().is_some_and(|wanted| !wanted.is_empty());
        self.phase == Phase::Refused || self.phase == Phase::Drift && wanted
    }

    /// Calls go elsewhere, as told.
    pub fn is_active(&self) -> bool {
        self.actual.as_ref().is_some_and(|actual| !actual.is_empty())
    }
}
