//! Actions and what comes of them: answers, items of lists, and events that belong to none.

use std::time::Instant;

use super::{ANSWER_WITHIN, Phase, Session};
use crate::view::StatusList;
use crate::{Action, Message};
use pbx::centre::RequestId;

/// Most events that wait for the end of a list.
const MOST_HELD: usize = 20_000;

/// Most channels of one list.
const MOST_CHANNELS: usize = 10_000;

/// Why an action was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Challenge,
    Login,
    Ping,
    Commands,
    /// State of one queue, or of all.
    Status {
        all: bool,
        fresh: bool,
    },
    Channels,
    Parked,
    /// Settings of a queue.
    Settings(String),
    /// SIP Call-ID of a call.
    CallId(String),
    /// A step of a request.
    Step(RequestId),
}

/// An action that is not answered yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) purpose: Purpose,
    pub(super) until: Instant,
    /// Items of a list that has begun.
    list: Option<List>,
}

#[derive(Debug)]
enum List {
    Status(StatusList),
    Channels(Vec<Message>),
    Parked(Vec<Message>),
}

impl Session {
    /// Sends an action; its answer will find its purpose.
    pub(super) fn send(&mut self, now: Instant, action: &Action, purpose: Purpose) {
        self.next_action += 1;
        let id = format!("{}-{}", self.mark, self.next_action);
        tracing::trace!("{action:?} as {id}");
        let pending = Pending { purpose, until: now + ANSWER_WITHIN, list: None };
        self.pending.insert(self.next_action, pending);
        self.out.push_back(super::Output::Send(action.to_bytes(&id)));
    }

    pub(super) fn is_asking(&self, purpose: &Purpose) -> bool {
        self.pending.values().any(|pending| pending.purpose == *purpose)
    }

    /// The number of the action that a message belongs to.
    fn number_of(&self, message: &Message) -> Option<u64> {
        let id = message.get("ActionID")?;
        id.strip_prefix(&self.mark)?.strip_prefix('-')?.parse().ok()
    }

    pub(super) fn message(&mut self, now: Instant, message: Message) {
        let number = self.number_of(&message);
        if message.event().is_none() {
            if let Some(number) = number {
                self.answered(now, number, &message);
            }
            return;
        }
        match number {
            Some(number) if self.pending.contains_key(&number) => self.item(now, number, message),
            Some(number) if message.event() == Some("OriginateResponse") => {
                self.originated(number, &message);
            }
            _ => self.event(now, message),
        }
    }

    /// A response. One that begins a list leaves its action open.
    fn answered(&mut self, now: Instant, number: u64, message: &Message) {
        let Some(pending) = self.pending.get_mut(&number) else { return };
        if message.get("EventList").is_some_and(|word| word.eq_ignore_ascii_case("start")) {
            pending.list = match pending.purpose {
                Purpose::Status { .. } => Some(List::Status(StatusList::default())),
                Purpose::Channels => Some(List::Channels(Vec::new())),
                Purpose::Parked => Some(List::Parked(Vec::new())),
                _ => None,
            };
            if pending.list.is_some() {
                return;
            }
        }
        let Some(pending) = self.pending.remove(&number) else { return };
        let taken = message.get("Response") == Some("Success");
        match pending.purpose {
            Purpose::Challenge if taken => self.answer_challenge(now, message),
            Purpose::Challenge => self.refused("it gives no challenge"),
            Purpose::Login => self.signed_in(now, message),
            Purpose::Ping => self.view.clock.read(now, message.text("Timestamp")),
            Purpose::Commands => self.commands_told(now, message),
            Purpose::Status { .. } => self.status_refused(now, message),
            Purpose::Channels | Purpose::Parked => {}
            Purpose::Settings(queue) => self.settings_told(&queue, message),
            Purpose::CallId(id) if taken => {
                if let Some(sip_call_id) = message.get("Value") {
                    self.view.call_named(&id, sip_call_id);
                }
            }
            Purpose::CallId(_) => {}
            Purpose::Step(id) => self.step_answered(now, id, number, message),
        }
        self.after_reading(now);
    }

    /// An item of a list, or its end.
    fn item(&mut self, now: Instant, number: u64, message: Message) {
        let complete = message.get("EventList").is_some_and(|w| w.eq_ignore_ascii_case("complete"));
        if complete {
            if let Some(pending) = self.pending.remove(&number) {
                self.list_complete(now, pending);
            }
            return;
        }
        let Some(pending) = self.pending.get_mut(&number) else { return };
        // A long list may take longer than one answer.
        pending.until = now + ANSWER_WITHIN;
        match &mut pending.list {
            Some(List::Status(list)) => list.add(&self.view, now, &message, &self.config),
            Some(List::Channels(channels) | List::Parked(channels))
                if channels.len() < MOST_CHANNELS =>
            {
                channels.push(message);
            }
            Some(List::Channels(_) | List::Parked(_)) => {}
            // Not a list: the event of a step that came before its answer.
            None if message.event() == Some("OriginateResponse") => {
                self.originated(number, &message);
            }
            None => {}
        }
    }

    fn list_complete(&mut self, now: Instant, pending: Pending) {
        match (pending.list, pending.purpose) {
            (Some(List::Status(list)), Purpose::Status { all, fresh }) => {
                self.status_told(now, list, (all, fresh));
            }
            (Some(List::Channels(channels)), _) => {
                let at = self.view.clock.at(now);
                self.view.apply_channels(&channels, at, &self.config);
            }
            (Some(List::Parked(parked)), _) => {
                self.view.parked.clear();
                for message in &parked {
                    self.view.call_parked(message);
                }
            }
            _ => {}
        }
        self.replay(now);
        self.after_reading(now);
    }

    /// An event of its own. In the middle of a list it waits: the list is the older of the two.
    fn event(&mut self, now: Instant, message: Message) {
        if !matches!(self.phase, Phase::Reading | Phase::Live) {
            return;
        }
        if !self.in_list() {
            self.live_event(now, &message);
        } else if self.held.len() < MOST_HELD {
            self.held.push_back(message);
        } else {
            tracing::warn!("too much happens during one reading; everything is read again");
            self.held.clear();
            self.read_at = Some(now);
        }
    }

    fn in_list(&self) -> bool {
        self.pending.values().any(|pending| pending.list.is_some())
    }

    fn replay(&mut self, now: Instant) {
        while !self.in_list() {
            let Some(message) = self.held.pop_front() else { return };
            self.live_event(now, &message);
        }
    }

    fn live_event(&mut self, now: Instant, message: &Message) {
        match message.event() {
            // What was read of an exchange that was still starting is not all.
            Some("FullyBooted") if !self.is_asking(&Purpose::Commands) => {
                self.send(now, &Action::new("ListCommands"), Purpose::Commands);
            }
            Some("ParkedCall") => self.parked(message),
            _ => {}
        }
        self.view.handle_event(now, message, &self.config);
        self.ask_call_ids(now);
    }
}
