//! What the parts of the session share: what goes out, which requests are under way, and the source of
//! random values. No state machine.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use sip_core::Random;

use super::model::{ChannelNumber, Output, RequestNumber, SessionConfig, Subject};
use crate::{HttpAnswer, HttpRequest, Origin, backoff, limits};

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Keep the channel alive.
    Heartbeat(ChannelNumber),
    /// Let the channel live longer.
    RenewChannel(ChannelNumber),
    /// End the channel.
    DeleteChannel,
    /// Acknowledge an event; how often it has been tried.
    Acknowledge { channel: ChannelNumber, event_id: String, status: u16, tries: u8 },
    /// Learn which subscriptions there are already.
    List,
    /// Create a subscription.
    Create(Subject),
    /// Let a subscription live longer, and have all of its state told again.
    Renew(Subject),
    /// End a subscription.
    Delete,
}

/// A request under way.
#[derive(Clone, Debug)]
struct Pending {
    purpose: Purpose,
    origin: Origin,
    pinned: Option<ChannelNumber>,
    http: HttpRequest,
    redirections: u8,
}

#[derive(Debug)]
pub(super) struct Outbox {
    pub config: SessionConfig,
    pub random: Random,
    outputs: VecDeque<Output>,
    pending: HashMap<RequestNumber, Pending>,
    last: u64,
}

impl Outbox {
    pub(super) fn new(config: SessionConfig, random: Random) -> Self {
        Self { config, random, outputs: VecDeque::new(), pending: HashMap::new(), last: 0 }
    }

    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn next_channel(&mut self) -> ChannelNumber {
        self.last += 1;
        ChannelNumber(self.last)
    }

    /// Sends a request over the way of a channel, or as any other.
    pub(super) fn send(
        &mut self,
        purpose: Purpose,
        origin: &Origin,
        pinned: Option<ChannelNumber>,
        http: HttpRequest,
    ) {
        let pending = Pending { purpose, origin: origin.clone(), pinned, http, redirections: 0 };
        self.launch(pending, None);
    }

    fn launch(&mut self, pending: Pending, target: Option<String>) {
        self.last += 1;
        let request = RequestNumber(self.last);
        self.outputs.push_back(Output::Send {
            request,
            origin: pending.origin.clone(),
            pinned: pending.pinned,
            http: pending.http.clone(),
            target,
        });
        self.pending.insert(request, pending);
    }

    /// What the request was for whose answer has come; `None` when nobody waits for it any more.
    pub(super) fn take(&mut self, request: RequestNumber) -> Option<Purpose> {
        self.pending.remove(&request).map(|pending| pending.purpose)
    }

    /// Sends a request again where its answer says it belongs. Whether that was so.
    pub(super) fn follow(&mut self, request: RequestNumber, answer: &HttpAnswer) -> bool {
        let Some(pending) = self.pending.get(&request) else { return false };
        let Some((origin, target)) = redirection(&pending.origin, answer, pending.redirections)
        else {
            return false;
        };
        let Some(mut pending) = self.pending.remove(&request) else { return false };
        pending.redirections += 1;
        if pending.origin != origin {
            // The address of another server is not that of the channel.
            pending.pinned = None;
        }
        pending.origin = origin;
        self.launch(pending, Some(target));
        true
    }

    /// Whether something of this kind is under way.
    pub(super) fn waits_for(&self, purpose: &Purpose) -> bool {
        self.pending.values().any(|pending| pending.purpose == *purpose)
    }

    /// How many of this kind are under way.
    pub(super) fn count(&self, fits: impl Fn(&Purpose) -> bool) -> usize {
        self.pending.values().filter(|pending| fits(&pending.purpose)).count()
    }

    /// Answers that are still to come are nobody's any more.
    pub(super) fn forget(&mut self, fits: impl Fn(&Purpose) -> bool) {
        self.pending.retain(|_, pending| !fits(&pending.purpose));
    }

    pub(super) fn jitter(&mut self, from: Duration, to: Duration) -> Duration {
        backoff::jitter(&mut self.random, from, to)
    }
}

/// Where an answer of status 302 or 307 sends the request (reference, section 2, "redirect").
pub(super) fn redirection(
    origin: &Origin,
    answer: &HttpAnswer,
    followed: u8,
) -> Option<(Origin, String)> {
    let moved = matches!(answer.status, 301 | 302 | 307 | 308) && followed < limits::REDIRECTIONS;
    moved.then(|| origin.redirected(answer.location.as_deref()?)).flatten()
}
