//! Calls that are parked at the user's own line or at one of his group.
//!
//! Inputs: the exchange tells who is parked at a line, or that nobody is any more.

use std::time::Instant;

use super::exchange::{Centre, Change};
use super::model::{Party, UserId};

/// Most lines at which somebody is parked.
const LINES: usize = 200;

/// Somebody who is parked at a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedCall {
    /// The line, by the exchange's own name of its owner.
    pub line: UserId,
    /// Name of its owner; empty when not known.
    pub name: String,
    /// Its extension: there the call is fetched.
    pub number: String,
    /// Who is parked.
    pub party: Party,
    /// Since when that is known, milliseconds since the Unix epoch.
    pub since: u64,
}

impl Centre {
    /// Calls that are parked, longest first.
    pub fn parked(&self) -> Vec<&ParkedCall> {
        let mut parked: Vec<&ParkedCall> = self.parked.values().collect();
        parked.sort_by_key(|call| call.since);
        parked
    }

    pub(super) fn parked_told(
        &mut self,
        now: Instant,
        line: UserId,
        name: String,
        number: String,
        party: Option<Party>,
    ) {
        let known = self.parked.get(&line);
        let changed = match (known, party) {
            (None, None) => false,
            (Some(_), None) => self.parked.remove(&line).is_some(),
            (Some(known), Some(party)) if known.party == party => false,
            (known, Some(party)) => {
                if known.is_none() && self.parked.len() >= LINES {
                    return;
                }
                let since = self.clock.ms(now);
                let call = ParkedCall { line: line.clone(), name, number, party, since };
                self.parked.insert(line, call);
                true
            }
        };
        if changed {
            self.changed(Change::General);
        }
    }
}
