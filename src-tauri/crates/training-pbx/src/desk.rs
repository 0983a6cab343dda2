//! What is set on the lines of the company: do not disturb, forwarding, and states that are forced for practice.
//!
//! Values only; changed by feature codes and the control port.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sip_types::StatusCode;

/// A state that a line is made to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Free, whatever the line does.
    Idle,
    /// Rings.
    Ringing,
    /// Talks.
    Busy,
    /// Talks, and is on hold.
    Held,
    /// Is not to be disturbed: calls are refused with 486.
    DoNotDisturb,
    /// Has no phone: calls are refused with 480.
    Unreachable,
}

/// The settings of all lines.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    do_not_disturb: BTreeSet<String>,
    forwards: BTreeMap<String, String>,
    forced: BTreeMap<String, LineState>,
}

impl Desk {
    /// Where the line's calls go instead.
    pub(crate) fn forward(&self, line: &str) -> Option<String> {
        self.forwards.get(line).cloned()
    }

    /// What calls to the line are refused with.
    pub(crate) fn refusal(&self, line: &str) -> Option<StatusCode> {
        match self.forced.get(line) {
            Some(LineState::Unreachable) => Some(StatusCode::TEMPORARILY_UNAVAILABLE),
            Some(LineState::Idle) => None,
            Some(_) => Some(StatusCode::BUSY_HERE),
            None => self.do_not_disturb.contains(line).then_some(StatusCode::BUSY_HERE),
        }
    }

    /// The state the line is made to show.
    pub(crate) fn forced(&self, line: &str) -> Option<LineState> {
        self.forced.get(line).copied()
    }

    /// All lines whose state is forced.
    pub(crate) fn all_forced(&self) -> impl Iterator<Item = (&str, LineState)> {
        self.forced.iter().map(|(line, state)| (line.as_str(), *state))
    }

    /// Forces a state, or no longer.
    pub(crate) fn force(&mut self, line: &str, state: Option<LineState>) {
        match state {
            Some(state) => self.forced.insert(line.to_owned(), state),
            None => self.forced.remove(line),
        };
    }

    /// Sets or clears do-not-disturb.
    pub(crate) fn set_do_not_disturb(&mut self, line: &str, on: bool) {
        if on {
            self.do_not_disturb.insert(line.to_owned());
        } else {
            self.do_not_disturb.remove(line);
        }
    }

    /// Whether the line is not to be disturbed.
    pub(crate) fn do_not_disturb(&self, line: &str) -> bool {
        self.do_not_disturb.contains(line) || self.forced(line) == Some(LineState::DoNotDisturb)
    }

    /// Sets where all calls go, or that they do not.
    pub(crate) fn set_forward(&mut self, line: &str, to: Option<String>) {
        match to {
            Some(to) => self.forwards.insert(line.to_owned(), to),
            None => self.forwards.remove(line),
        };
    }
}
