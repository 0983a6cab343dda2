//! Events that were told lately. The server sends one again whose acknowledgement it did not get, on the next
//! channel as well (reference, section 4.1.4); told late, an old list of callers would replace a newer one.
//! No state machine: a memory of limited length.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

use crate::{limits, wire::Event};

#[derive(Debug, Default)]
pub(super) struct Heard {
    hasher: RandomState,
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

impl Heard {
    /// Remembers an event. False: it was remembered already.
    pub(super) fn note(&mut self, event: &Event) -> bool {
        // A server that starts anew may give the names of its events again, but with other numbers.
        let print = self.hasher.hash_one((&event.event_id, &event.subscription_id, event.sequence));
        if !self.known.insert(print) {
            return false;
        }
        self.order.push_back(print);
        if self.order.len() > limits::HEARD_EVENTS {
            self.order.pop_front().map(|oldest| self.known.remove(&oldest));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::EventData;

    fn event(id: usize) -> Event {
        Event {
            event_id: id.to_string(),
            sequence: Some(1),
            subscription_id: "s".to_owned(),
            owner: None,
            channel_id: None,
            target: None,
            data: Ok(EventData::SubscriptionTerminated),
        }
    }

    #[test]
    fn an_event_is_new_once_and_forgotten_when_many_others_have_come() {
        let mut heard = Heard::default();
        assert!(heard.note(&event(0)));
        assert!(!heard.note(&event(0)));
        assert!(heard.note(&Event { sequence: Some(2), ..event(0) }), "another number");
        for id in 1..limits::HEARD_EVENTS {
            assert!(heard.note(&event(id)));
        }
        assert!(heard.note(&event(0)), "forgotten");
        assert_eq!(heard.order.len(), heard.known.len());
    }
}
