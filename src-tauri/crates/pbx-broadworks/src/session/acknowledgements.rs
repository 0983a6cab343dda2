//! Acknowledgements of events: each event gets one, few are under way at a time (reference, section 4.1.4).
//! No state machine: a queue.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    model::ChannelNumber,
    outbox::{Outbox, Purpose},
};
use crate::{HttpRequest, Method, Origin, Path, limits, wire};

/// Under way at a time.
const AT_ONCE: usize = 8;
/// How often one is sent before the server is left to send its event again.
const TRIES: u8 = 3;
/// Wait before it is sent again.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Acknowledgement {
    channel: ChannelNumber,
    event_id: String,
    status: u16,
    tries: u8,
}

#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    waiting: VecDeque<Acknowledgement>,
    /// None is sent before.
    not_before: Option<Instant>,
}

impl Acknowledgements {
    pub(super) fn add(&mut self, channel: ChannelNumber, event_id: String, status: u16) {
        if self.waiting.len() >= limits::ACKNOWLEDGEMENTS {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Acknowledgement { channel, event_id, status, tries: 0 });
    }

    /// How one went; it may be sent again.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        done: bool,
        channel: ChannelNumber,
        event_id: String,
        status: u16,
        tries: u8,
    ) {
        if !done && tries < TRIES {
            self.waiting.push_front(Acknowledgement { channel, event_id, status, tries });
            self.not_before = Some(now + AGAIN);
        }
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.not_before = None;
    }

    /// Sends what may be sent over the channel's way.
    pub(super) fn send(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        way: Option<&(ChannelNumber, Origin)>,
    ) {
        let Some((number, origin)) = way else { return };
        if self.not_before.is_some_and(|at| at > now) {
            return;
        }
        self.not_before = None;
        let mut free =
            AT_ONCE.saturating_sub(out.count(|one| matches!(one, Purpose::Acknowledge { .. })));
        while free > 0 {
            let Some(one) = self.waiting.pop_front() else { return };
            if one.channel != *number {
                continue;
            }
            free -= 1;
            let reason = if one.status == 200 { "OK" } else { "Subscription unknown" };
            let body = wire::event_response(&one.event_id, one.status, reason);
            let path = Path::new("channel").word("eventresponse");
            let purpose = Purpose::Acknowledge {
                channel: one.channel,
                event_id: one.event_id,
                status: one.status,
                tries: one.tries + 1,
            };
            let http = HttpRequest::event(Method::Post, path, Some(body));
            out.send(purpose, origin, Some(*number), http);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.not_before.filter(|_| !self.waiting.is_empty())
    }
}
