//! Delivery of a channel set's events: each is sent until the client has answered it.
//!
//! Inputs: from the owner `add`; from channels `channel_gone`, and those that are there; from clients `acked`; from time
//! `handle_timeout`. An event is `waiting` (no channel) or `sent`; an answer, or too many tries, ends it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::xsi::element::Element;

/// Events that wait for a channel or an answer; the oldest are lost beyond that.
const PENDING: usize = 500;
/// How often an event is sent.
const TRIES: u32 = 3;
/// Answered events that are remembered, so that an answer may come twice.
const ANSWERED: usize = 500;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    pub(crate) event: String,
    pub(crate) subscription: String,
    pub(crate) sequence: u32,
    /// The owner's user id.
    pub(crate) user: String,
    pub(crate) application: String,
    pub(crate) target: String,
    /// `eventData`.
    pub(crate) data: Element,
}

impl Notice {
    /// The document for a channel.
    fn document(&self, channel: &str) -> Element {
        Element::new("Event")
            .typed("SubscriptionEvent")
            .field("eventID", &self.event)
            .field("sequenceNumber", self.sequence)
            .field("userId", &self.user)
            .field("externalApplicationId", &self.application)
            .field("subscriptionId", &self.subscription)
            .field("channelId", channel)
            .field("targetId", &self.target)
            .with(self.data.clone())
    }
}

/// An answer of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ack {
    /// 200.
    Done,
    /// 400: the client drops it.
    Dropped,
    /// 404: the client does not know the channel.
    NoChannel,
    /// 481: the client does not know the subscription.
    NoSubscription,
    /// 500: the client wants it on another channel.
    Elsewhere,
}

impl Ack {
    /// What a status code says.
    pub(crate) const fn read(status: u32) -> Option<Self> {
        match status {
            200..=299 => Some(Self::Done),
            400 => Some(Self::Dropped),
            404 => Some(Self::NoChannel),
            481 => Some(Self::NoSubscription),
            500 => Some(Self::Elsewhere),
            _ => None,
        }
    }
}

/// What an answer leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// Nothing more.
    Nothing,
    /// This channel is to be deleted.
    DeleteChannel(String),
    /// This subscription is to be deleted.
    DeleteSubscription(String),
}

#[derive(Debug)]
struct Pending {
    notice: Notice,
    /// The channel it was sent on, and when that is too long ago.
    sent: Option<(String, Instant)>,
    tries: u32,
}

/// The events of one set.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pending: VecDeque<Pending>,
    answered: VecDeque<String>,
}

/// What is to be written on which channel.
pub(crate) type Writes = Vec<(String, Element)>;

impl Delivery {
    /// Takes an event in; [`Self::send`] sends it.
    pub(crate) fn add(&mut self, notice: Notice) {
        if self.pending.len() >= PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending { notice, sent: None, tries: 0 });
    }

    /// Sends what waits, on the first of these channels (the preferred first).
    pub(crate) fn send(&mut self, now: Instant, channels: &[String], ack: Duration) -> Writes {
        let Some(channel) = channels.first() else { return Vec::new() };
        let mut writes = Vec::new();
        for pending in self.pending.iter_mut().filter(|pending| pending.sent.is_none()) {
            pending.sent = Some((channel.clone(), now + ack));
            pending.tries += 1;
            writes.push((channel.clone(), pending.notice.document(channel)));
        }
        writes
    }

    /// The channel an event went to; `None` for an unknown one.
    pub(crate) fn channel_of(&self, event: &str) -> Option<&str> {
        let found = self.pending.iter().find(|pending| pending.notice.event == event)?;
        found.sent.as_ref().map(|(channel, _)| channel.as_str())
    }

    /// Whether an event has been answered before.
    pub(crate) fn was_answered(&self, event: &str) -> bool {
        self.answered.iter().any(|answered| answered == event)
    }

    /// The client's answer to an event; `channels` are the others that could take it. `None` for an unknown event.
    pub(crate) fn acked(
        &mut self,
        now: Instant,
        event: &str,
        answer: Ack,
        channels: &[String],
        ack: Duration,
    ) -> Option<(Consequence, Writes)> {
        let at = self.pending.iter().position(|pending| pending.notice.event == event)?;
        let pending = self.pending.get(at)?;
        let channel = pending.sent.as_ref().map(|(channel, _)| channel.clone())?;
        let subscription = pending.notice.subscription.clone();
        tracing::trace!(%event, ?answer, "sent, answered -> done");
        match answer {
            Ack::Done | Ack::Dropped => {
                self.finish(at);
                Some((Consequence::Nothing, Vec::new()))
            }
            Ack::NoSubscription => {
                self.drop_subscription(&subscription);
                Some((Consequence::DeleteSubscription(subscription), Vec::new()))
            }
            // The death of the channel brings its events to the next.
            Ack::NoChannel => Some((Consequence::DeleteChannel(channel), Vec::new())),
            Ack::Elsewhere => {
                Some((Consequence::Nothing, self.resend(now, at, &channel, channels, ack)))
            }
        }
    }

    fn finish(&mut self, at: usize) {
        if let Some(pending) = self.pending.remove(at) {
            self.answered.push_back(pending.notice.event);
            if self.answered.len() > ANSWERED {
                self.answered.pop_front();
            }
        }
    }

    /// Sends an event once more, on another channel than `before` if there is one.
    fn resend(
        &mut self,
        now: Instant,
        at: usize,
        before: &str,
        channels: &[String],
        ack: Duration,
    ) -> Writes {
        let other = channels.iter().find(|channel| *channel != before).or(channels.first());
        let Some(pending) = self.pending.get_mut(at) else { return Vec::new() };
        if pending.tries >= TRIES {
            tracing::debug!(event = %pending.notice.event, "sent, too many tries -> lost");
            self.finish(at);
            return Vec::new();
        }
        let Some(channel) = other else {
            pending.sent = None;
            return Vec::new();
        };
        pending.sent = Some((channel.clone(), now + ack));
        pending.tries += 1;
        vec![(channel.clone(), pending.notice.document(channel))]
    }

    /// What was sent on a channel that is no more waits again.
    pub(crate) fn channel_gone(&mut self, channel: &str) {
        for pending in &mut self.pending {
            if pending.sent.as_ref().is_some_and(|(sent, _)| sent == channel) {
                pending.sent = None;
            }
        }
    }

    /// A subscription is no more: nor are its events.
    pub(crate) fn drop_subscription(&mut self, subscription: &str) {
        self.pending.retain(|pending| pending.notice.subscription != subscription);
    }

    /// Sends again what has not been answered in time.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        channels: &[String],
        ack: Duration,
    ) -> Writes {
        let mut writes = Vec::new();
        let mut at = 0;
        while let Some(pending) = self.pending.get(at) {
            let length = self.pending.len();
            match pending.sent.clone().filter(|(_, due)| *due <= now) {
                Some((before, _)) => {
                    writes.extend(self.resend(now, at, &before, channels, ack));
                    // One that is lost has made room for the next.
                    at += usize::from(self.pending.len() == length);
                }
                None => at += 1,
            }
        }
        writes
    }

    /// When the next answer is overdue.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pending.iter().filter_map(|pending| pending.sent.as_ref().map(|(_, due)| *due)).min()
    }

    /// Events under way.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACK: Duration = Duration::from_secs(10);

    fn notice(event: &str) -> Notice {
        Notice {
            event: event.to_owned(),
            subscription: "s".to_owned(),
            sequence: 1,
            user: "101@x".to_owned(),
            application: "app".to_owned(),
            target: "101@x".to_owned(),
            data: Element::new("eventData"),
        }
    }

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        Instant::now()
    }

    fn places(writes: &Writes) -> Vec<(String, String)> {
        let event = |element: &Element| element.find("eventID").and_then(|e| e.text.clone());
        writes.iter().map(|(channel, e)| (channel.clone(), event(e).unwrap_or_default())).collect()
    }

    fn pair(channel: &str, event: &str) -> (String, String) {
        (channel.to_owned(), event.to_owned())
    }

    #[test]
    fn an_event_without_an_answer_goes_to_another_channel() {
        let (now, mut delivery) = (start(), Delivery::default());
        let both = ["a".to_owned(), "b".to_owned()];
        delivery.add(notice("1"));
        delivery.add(notice("2"));
        let sent = delivery.send(now, &both, ACK);
        assert_eq!(places(&sent), [pair("a", "1"), pair("a", "2")]);
        let order: Vec<&str> = sent[0].1.children.iter().map(|child| child.name).collect();
        let expected = [
            "eventID",
            "sequenceNumber",
            "userId",
            "externalApplicationId",
            "subscriptionId",
            "channelId",
            "targetId",
            "eventData",
        ];
        assert_eq!(order, expected);
        assert!(delivery.acked(now, "1", Ack::Done, &both, ACK).is_some());
        assert!(delivery.was_answered("1"));
        assert!(delivery.handle_timeout(now + ACK / 2, &both, ACK).is_empty());
        assert_eq!(places(&delivery.handle_timeout(now + ACK, &both, ACK)), [pair("b", "2")]);
        assert_eq!(places(&delivery.handle_timeout(now + 2 * ACK, &both, ACK)), [pair("a", "2")]);
        assert!(delivery.handle_timeout(now + 3 * ACK, &both, ACK).is_empty());
        assert_eq!((delivery.len(), delivery.poll_timeout()), (0, None));
    }

    #[test]
    fn answers_have_the_consequences_of_their_status() {
        let (now, both) = (start(), ["a".to_owned(), "b".to_owned()]);
        let answer = |status: u32| {
            let mut delivery = Delivery::default();
            delivery.add(notice("1"));
            delivery.send(now, &both, ACK);
            let (what, writes) =
                delivery.acked(now, "1", Ack::read(status).unwrap(), &both, ACK).unwrap();
            (what, places(&writes), delivery.len())
        };
        assert_eq!(answer(200), (Consequence::Nothing, vec![], 0));
        assert_eq!(answer(400), (Consequence::Nothing, vec![], 0));
        assert_eq!(answer(404), (Consequence::DeleteChannel("a".into()), vec![], 1));
        assert_eq!(answer(481), (Consequence::DeleteSubscription("s".into()), vec![], 0));
        assert_eq!(answer(500), (Consequence::Nothing, vec![pair("b", "1")], 1));
        assert_eq!(Ack::read(302), None);
    }

    #[test]
    fn events_wait_for_a_channel() {
        let (now, mut delivery) = (start(), Delivery::default());
        delivery.add(notice("1"));
        assert!(delivery.send(now, &[], ACK).is_empty());
        assert_eq!(places(&delivery.send(now, &["a".to_owned()], ACK)), [pair("a", "1")]);
        delivery.channel_gone("a");
        assert_eq!(delivery.poll_timeout(), None);
        assert_eq!(places(&delivery.send(now, &["b".to_owned()], ACK)), [pair("b", "1")]);
        for number in 0..PENDING {
            delivery.add(notice(&format!("x{number}")));
        }
        assert_eq!(delivery.len(), PENDING);
        assert_eq!(delivery.channel_of("1"), None, "the oldest is lost");
    }
}
