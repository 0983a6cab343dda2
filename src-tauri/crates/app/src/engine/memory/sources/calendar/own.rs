//! Do not disturb by one's own calendar, where a source was asked for it: on while the calendar says that one is in an
//! appointment or away, and off again. Only what was switched on here is switched off here.
//!
//! Inputs, of each account: what the calendar says now, and whether the exchange says that the service is on.
//!
//! | state | calendar | service | next |
//! |---|---|---|---|
//! | open | taken | off | asked: switch it on |
//! | open | taken | on, or not told | open: somebody else's doing |
//! | asked | taken | on | ours |
//! | ours | taken | off | left: somebody wants to be called all the same |
//! | asked, ours | not taken | any | open: switch it off |
//! | left | not taken | any | open |

use std::collections::{BTreeMap, BTreeSet};

/// Of which accounts do not disturb was switched on here.
#[derive(Debug, Default)]
pub(in crate::engine) struct OwnCalendar {
    states: BTreeMap<String, State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Ours,
    Left,
}

impl OwnCalendar {
    /// As an earlier run left it.
    pub(super) fn restored(accounts: BTreeSet<String>) -> OwnCalendar {
        OwnCalendar { states: accounts.into_iter().map(|one| (one, State::Ours)).collect() }
    }

    /// What is to be asked of the exchange; none: nothing. `on`: as the exchange says; none: it has said nothing.
    pub(super) fn step(&mut self, account: &str, taken: bool, on: Option<bool>) -> Option<bool> {
        let state = self.states.get(account).copied();
        let (next, wish) = match (state, taken, on) {
            (None, true, Some(false)) => (Some(State::Asked), Some(true)),
            (Some(State::Asked), true, Some(true)) => (Some(State::Ours), None),
            (Some(State::Ours), true, Some(false)) => (Some(State::Left), None),
            // What is not told cannot be switched off yet.
            (Some(State::Asked | State::Ours), false, None) => (state, None),
            (Some(State::Asked | State::Ours), false, Some(_)) => (None, Some(false)),
            (Some(State::Left), false, _) => (None, None),
            _ => (state, None),
        };
        if next != state {
            tracing::debug!(account, ?state, taken, ?on, ?next, "do not disturb by the calendar");
            match next {
                Some(next) => drop(self.states.insert(account.to_owned(), next)),
                None => drop(self.states.remove(account)),
            }
        }
        wish
    }

    /// The exchange did not do it: it is not asked again before the next appointment.
    pub(super) fn refused(&mut self, account: &str) {
        if self.states.get(account) == Some(&State::Asked) {
            self.states.insert(account.to_owned(), State::Left);
        }
    }

    /// Do not disturb is on because of the calendar.
    pub(in crate::engine) fn is_why(&self, account: &str) -> bool {
        self.states.get(account) == Some(&State::Ours)
    }

    /// Accounts of which it was switched on here.
    pub(super) fn ours(&self) -> BTreeSet<String> {
        let ours = self.states.iter().filter(|(_, state)| **state != State::Left);
        ours.map(|(account, _)| account.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_switched_on_for_an_appointment_and_off_after_it() {
        let mut own = OwnCalendar::default();
        assert_eq!(own.step("a", false, Some(false)), None);
        assert_eq!(own.step("a", true, None), None, "nothing is known of the service yet");
        assert_eq!(own.step("a", true, Some(false)), Some(true));
        assert_eq!(own.step("a", true, Some(false)), None, "asked once");
        assert!(!own.is_why("a"));
        assert_eq!(own.step("a", true, Some(true)), None);
        assert!(own.is_why("a") && own.ours().contains("a"));
        assert_eq!(own.step("a", false, Some(true)), Some(false));
        assert!(!own.is_why("a") && own.ours().is_empty());
        assert_eq!(own.step("a", false, Some(true)), None, "asked once");
    }

    #[test]
    fn what_somebody_else_has_switched_on_stays_on() {
        let mut own = OwnCalendar::default();
        assert_eq!(own.step("a", true, Some(true)), None);
        assert_eq!(own.step("a", false, Some(true)), None);
        assert!(!own.is_why("a"));
    }

    #[test]
    fn whoever_switches_it_off_in_an_appointment_is_left_alone_until_the_next() {
        let mut own = OwnCalendar::default();
        own.step("a", true, Some(false));
        own.step("a", true, Some(true));
        assert_eq!(own.step("a", true, Some(false)), None);
        assert_eq!(own.step("a", true, Some(false)), None);
        assert_eq!(own.step("a", false, Some(false)), None);
        assert_eq!(own.step("a", true, Some(false)), Some(true), "the next appointment");
        own.refused("a");
        assert_eq!(own.step("a", true, Some(false)), None, "it was refused");
        assert_eq!(own.step("b", true, Some(false)), Some(true), "another account");
    }

    #[test]
    fn a_service_on_its_way_is_not_left_on_and_an_earlier_run_is_remembered() {
        let mut own = OwnCalendar::default();
        own.step("a", true, Some(false));
        assert_eq!(own.step("a", false, Some(false)), Some(false), "it may come on yet");
        let mut own = OwnCalendar::restored(BTreeSet::from(["a".to_owned()]));
        assert_eq!(own.step("a", false, None), None, "nothing is told yet");
        assert_eq!(own.step("a", false, Some(true)), Some(false));
    }
}
