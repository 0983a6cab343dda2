//! The events session: a channel, the subscriptions on it, and acknowledgements, without I/O (reference,
//! section 4).
//!
//! The driver opens connections and sends requests as [`Output`] says, brings what comes of them as
//! [`Input`], and calls [`Session::handle_timeout`] when [`Session::poll_timeout`] says.

mod acknowledgements;
mod channel;
mod heard;
mod model;
mod outbox;
mod subscriptions;

use std::time::Instant;

use sip_core::Random;

pub use model::{
    ChannelNumber, Input, Output, Package, RequestNumber, SessionConfig, SessionState, Standing,
    Subject, Target,
};

use self::{
    acknowledgements::Acknowledgements,
    channel::{Change, Channel},
    outbox::{Outbox, Purpose},
    subscriptions::Subscriptions,
};
use crate::{HttpAnswer, HttpFailure};

/// See the module.
#[derive(Debug)]
pub struct Session {
    out: Outbox,
    channel: Channel,
    subscriptions: Subscriptions,
    acknowledgements: Acknowledgements,
    state: SessionState,
}

impl Session {
    /// A session that does nothing yet.
    pub fn new(config: SessionConfig, random: Random) -> Self {
        Self {
            out: Outbox::new(config, random),
            channel: Channel::new(),
            subscriptions: Subscriptions::default(),
            acknowledgements: Acknowledgements::default(),
            state: SessionState::Stopped,
        }
    }

    /// How the session stands.
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// What the session wants done and tells, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop()
    }

    /// When [`Self::handle_timeout`] must be called; `None`: not because of the time.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let parts = [
            self.channel.next_timeout(&self.out),
            self.subscriptions.next_timeout(),
            self.acknowledgements.next_timeout(),
        ];
        parts.into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let change = self.channel.timeout(now, &mut self.out);
        self.react(now, change);
        self.subscriptions.timeout(now, &mut self.out);
        self.flush(now);
    }

    /// Something happened.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Start(servers) => self.start(now, servers),
            Input::Stop => self.stop(),
            Input::Halt(state) => {
                self.channel.halt(&mut self.out);
                self.lose();
                self.show(state);
            }
            Input::Watch(subject) => self.subscriptions.watch(now, &mut self.out, subject),
            Input::Unwatch(subject) => self.subscriptions.unwatch(&mut self.out, &subject),
            Input::Resync(subject) => self.subscriptions.resync(now, &mut self.out, &subject),
            Input::NetworkChanged => {
                let change = self.channel.network_changed(now, &mut self.out);
                self.react(now, change);
            }
            Input::ChannelAnswered { channel, answer } => {
                let change = self.channel.answered(now, &mut self.out, channel, &answer);
                self.react(now, change);
            }
            Input::ChannelBytes { channel, bytes } => {
                for change in self.channel.bytes(now, &mut self.out, channel, &bytes) {
                    self.react(now, Some(change));
                }
            }
            Input::ChannelEnded { channel, failure } => {
                let change = self.channel.ended(now, &mut self.out, channel, failure.as_ref());
                self.react(now, change);
            }
            Input::Answered { request, result } => self.answered(now, request, &result),
        }
        self.flush(now);
    }

    fn start(&mut self, now: Instant, servers: Vec<crate::Origin>) {
        self.subscriptions.channel_down(&mut self.out);
        self.acknowledgements.clear();
        self.channel.start(now, &mut self.out, servers);
        self.show(SessionState::Connecting);
    }

    fn stop(&mut self) {
        self.channel.stop(&mut self.out);
        self.subscriptions.channel_down(&mut self.out);
        self.acknowledgements.clear();
        self.show(SessionState::Stopped);
    }

    fn answered(
        &mut self,
        now: Instant,
        request: RequestNumber,
        result: &Result<HttpAnswer, HttpFailure>,
    ) {
        if let Ok(answer) = result
            && self.out.follow(request, answer)
        {
            return;
        }
        let Some(purpose) = self.out.take(request) else { return };
        let change = match purpose {
            Purpose::Heartbeat(number) => self.channel.beaten(now, &mut self.out, number, result),
            Purpose::RenewChannel(number) => {
                self.channel.renewed(now, &mut self.out, number, result)
            }
            Purpose::Acknowledge { channel, event_id, status, tries } => {
                let lost = matches!(result, Ok(answer) if matches!(answer.status, 401 | 404 | 410));
                match lost {
                    true => self.channel.unknown(now, &mut self.out),
                    false => {
                        let done = matches!(result, Ok(answer) if answer.status < 500);
                        self.acknowledgements.answered(now, done, channel, event_id, status, tries);
                        None
                    }
                }
            }
            Purpose::List => {
                self.subscriptions.listed(now, &mut self.out, result);
                None
            }
            Purpose::Create(subject) => {
                self.subscriptions.created(now, &mut self.out, &subject, result);
                None
            }
            Purpose::Renew(subject) => {
                self.subscriptions.renewed(now, &mut self.out, &subject, result);
                None
            }
            Purpose::Delete | Purpose::DeleteChannel => None,
        };
        self.react(now, change);
        self.settle_early(now);
    }

    fn settle_early(&mut self, now: Instant) {
        let Some((number, _, _)) = self.channel.live() else { return };
        for (event_id, status) in self.subscriptions.take_early(now, &mut self.out) {
            self.acknowledgements.add(number, event_id, status);
        }
    }

    /// What a change of the channel means for the rest.
    fn react(&mut self, now: Instant, change: Option<Change>) {
        let Some(change) = change else { return };
        match change {
            Change::Up => {
                if let Some((number, origin, _)) = self.channel.live() {
                    self.subscriptions.channel_up(&mut self.out, number, origin);
                }
                self.show(SessionState::Live);
            }
            Change::Down => {
                self.lose();
                self.show(SessionState::Lost);
            }
            Change::Failed => {
                if self.state == SessionState::Connecting {
                    // Not there yet, and it will not be at once.
                    self.show(SessionState::Lost);
                }
            }
            Change::Forbidden => {
                if self.state != SessionState::Unavailable {
                    self.lose();
                    self.subscriptions.bar(now, &mut self.out);
                    self.show(SessionState::Unavailable);
                }
            }
            Change::Refused => {
                self.lose();
                self.show(SessionState::Refused);
            }
            Change::Elsewhere => {
                self.lose();
                self.channel.halt(&mut self.out);
                self.show(SessionState::Elsewhere);
            }
            Change::Delivered(event) => self.deliver(now, *event),
        }
    }

    fn lose(&mut self) {
        self.subscriptions.channel_down(&mut self.out);
        self.acknowledgements.clear();
    }

    fn deliver(&mut self, now: Instant, event: crate::wire::Event) {
        let Some((number, _, _)) = self.channel.live() else { return };
        let event_id = event.event_id.clone();
        if let Some(status) = self.subscriptions.event(now, &mut self.out, event) {
            self.acknowledgements.add(number, event_id, status);
        }
    }

    fn flush(&mut self, now: Instant) {
        let way = self.channel.live().map(|(number, origin, _)| (number, origin.clone()));
        self.acknowledgements.send(now, &mut self.out, way.as_ref());
    }

    fn show(&mut self, state: SessionState) {
        if self.state != state {
            tracing::debug!("session: {:?} -> {state:?}", self.state);
            self.state = state;
            self.out.push(Output::State(state));
        }
    }
}

#[cfg(test)]
mod tests;
