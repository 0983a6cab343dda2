//! The queue: a caller hears music until somebody of the queue answers.
//!
//! Inputs: from the dial plan `enqueue`; from time `next_agent`; from the call made for the waiting caller its failure
//! (`queue_again`), while its answer takes the caller over as after a transfer.

use std::time::{Duration, Instant};

use sip_types::StatusCode;

use super::Exchange;
use crate::call::{Call, Party, State};
use crate::endpoint::Step;
use crate::pbx::CallNumber;

/// How long a caller hears music before somebody is rung, first and again.
const TURN: Duration = Duration::from_secs(3);

impl Exchange {
    /// Lets a caller, or somebody who was transferred, wait for one of `members`. A simulated customer rings one after
    /// the other instead: nobody needs to play music to him.
    pub(super) fn enqueue(&mut self, now: Instant, number: CallNumber, members: Vec<String>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        match call.near {
            Party::Local(_) => {
                call.hunt = members.into();
                call.hunting = true;
                self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
            }
            Party::Phone(_) => {
                call.queue = members;
                self.lift(now, number, vec![Step::Music]);
            }
            Party::Transferee(_) => {
                call.queue = members;
                self.take_over(now, number);
                let Some(call) = self.calls.get_mut(&number) else { return };
                call.by = None;
                call.state = State::Alone;
                call.due = Some(now + TURN);
                self.play_music(number);
            }
        }
    }

    /// A phone that waits hears music; a simulated party needs none.
    pub(super) fn play_music(&mut self, number: CallNumber) {
        if self.calls.get(&number).is_some_and(|call| call.near_phone().is_some()) {
            let music = self.open_line(number, vec![Step::Music]);
            if let Some(call) = self.calls.get_mut(&number) {
                call.state = State::Answering(music);
            }
        }
    }

    /// Rings the members for the one who waits.
    pub(super) fn next_agent(&mut self, now: Instant, number: CallNumber) {
        let second = self.next_call();
        let queue = self.who(&self.company.numbers.queue);
        let Some(first) = self.calls.get_mut(&number).filter(|first| first.transfer.is_none())
        else {
            return;
        };
        first.transfer = Some(second);
        let mut call = Call::new(Party::Transferee(number), first.caller.clone(), None);
        call.hunt = first.queue.clone().into();
        call.hunting = true;
        call.called = queue.clone();
        call.diversions = vec![(queue, "unknown")];
        tracing::debug!(call = second.0, of = number.0, "none, next in the queue -> setting up");
        self.calls.insert(second, call);
        self.give_up(now, second, StatusCode::TEMPORARILY_UNAVAILABLE);
    }

    /// Nobody was free: once more after a while.
    pub(super) fn queue_again(&mut self, now: Instant, number: CallNumber) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.due = Some(now + TURN);
        }
    }
}
