//! Channels, subscriptions and deliveries together: an event finds its way to those who asked for it.
//!
//! Inputs: from clients `open`, `heartbeat`, `renew`, `close`, `subscribe`, `refresh`, `unsubscribe`, `acked`; from the
//! exchange `publish`, `tell`; from the streams `stream_gone`; from the knobs; from time `handle_timeout`.

pub(crate) mod channel;
pub(crate) mod delivery;
pub(crate) mod subscription;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sip_core::Random;

use self::channel::{Channel, ChannelEnd, ChannelOutput, ChannelWish, Channels};
use self::delivery::{Ack, Consequence, Delivery, Notice, Writes};
use self::subscription::{Subscription, SubscriptionWish, Subscriptions, Targets};
use self::wire::{Piece, Wire};
use super::element::Element;
use super::web::StreamId;

/// How long a channel lives without a heart-beat, unless a knob says otherwise.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer to an event may take, likewise.
const ACK_TIMEOUT: Duration = Duration::from_secs(10);
/// Subscriptions of one user, likewise.
const SUBSCRIPTIONS: usize = 200;
/// Channel sets that are remembered for what they have not been told.
const SETS: usize = 1_000;

/// Why a client's wish is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum No {
    /// No such channel, or not at this host.
    Unknown,
    /// There are too many.
    TooMany,
}

/// Everything about events.
#[derive(Debug)]
pub(crate) struct Events {
    /// Users are `extension@domain`.
    domain: String,
    random: Random,
    channels: Channels,
    subscriptions: Subscriptions,
    deliveries: BTreeMap<String, Delivery>,
    wire: Wire,
    ack_timeout: Duration,
    /// How long the first chunk of a channel is kept back.
    first_delay: Duration,
    /// Answers that get lost.
    lost_acks: u32,
    /// Events that get lost.
    lost_events: u32,
}

impl Events {
    /// No channels and no subscriptions.
    pub(crate) fn new(domain: &str, random: Random) -> Self {
        Self {
            domain: domain.to_owned(),
            random,
            channels: Channels::new(EVENT_TIMEOUT),
            subscriptions: Subscriptions::new(SUBSCRIPTIONS),
            deliveries: BTreeMap::new(),
            wire: Wire::default(),
            ack_timeout: ACK_TIMEOUT,
            first_delay: Duration::ZERO,
            lost_acks: 0,
            lost_events: 0,
        }
    }

    /// A random UUID.
    pub(crate) fn uuid(&mut self) -> String {
        self.random.uuid()
    }

    /// Opens a channel. Another set of the same user and application ends.
    pub(crate) fn open(&mut self, now: Instant, wish: ChannelWish) -> Result<(StreamId, u32), No> {
        let (set, user, application) =
            (wish.set.clone(), wish.user.clone(), wish.application.clone());
        let others: Vec<(String, String)> = self
            .channels
            .all()
            .filter(|channel| {
                let same = channel.wish.user == user && channel.wish.application == application;
                same && channel.wish.set != set
            })
            .map(|channel| (channel.id.clone(), channel.wish.set.clone()))
            .collect();
        for (id, old_set) in others {
            self.channels.terminate(&id, ChannelEnd::DuplicateChannelSet);
            self.subscriptions.delete_set(&old_set);
            self.deliveries.remove(&old_set);
        }
        let id = self.uuid();
        let channel = self.channels.create(now, id, wish).ok_or(No::TooMany)?;
        let opened = (channel.stream, channel.expires);
        if !self.first_delay.is_zero() {
            self.wire.hold(opened.0, now + self.first_delay);
        }
        self.settle(now);
        self.send(now, &set);
        Ok(opened)
    }

    /// The client is there.
    pub(crate) fn heartbeat(
        &mut self,
        now: Instant,
        id: &str,
        user: &str,
        host: usize,
    ) -> Result<(), No> {
        let known = self.channels.heartbeat(now, id, user, host);
        self.settle(now);
        if known { Ok(()) } else { Err(No::Unknown) }
    }

    /// A new term for a channel; what was granted.
    pub(crate) fn renew(
        &mut self,
        now: Instant,
        (id, user, host): (&str, &str, usize),
        expires: u32,
    ) -> Result<u32, No> {
        self.channels.of(id, user, host).ok_or(No::Unknown)?;
        self.channels.renew(now, id, expires).ok_or(No::Unknown)
    }

    /// The client ends a channel.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        id: &str,
        user: &str,
        host: usize,
    ) -> Result<(), No> {
        self.channels.of(id, user, host).ok_or(No::Unknown)?;
        self.channels.terminate(id, ChannelEnd::ExplicitDelete);
        self.settle(now);
        Ok(())
    }

    /// The channels of a set, whoever's they are.
    pub(crate) fn channels_of(&self, set: &str) -> Vec<&Channel> {
        self.channels.of_set(set)
    }

    /// The channels of a set that belong to a user.
    pub(crate) fn set_of(&self, set: &str, user: &str) -> Vec<&Channel> {
        let own = |channel: &&Channel| channel.wish.user == user;
        self.channels.of_set(set).into_iter().filter(own).collect()
    }

    /// Begins a subscription; its id and term.
    pub(crate) fn subscribe(
        &mut self,
        now: Instant,
        wish: SubscriptionWish,
    ) -> Result<(String, u32), No> {
        let id = self.uuid();
        let made = self.subscriptions.create(now, id, wish).ok_or(No::TooMany)?;
        Ok((made.id.clone(), made.expires))
    }

    /// A new term for a subscription of `user`; what was granted.
    pub(crate) fn refresh(
        &mut self,
        now: Instant,
        id: &str,
        user: &str,
        expires: u32,
    ) -> Result<u32, No> {
        self.own(id, user).ok_or(No::Unknown)?;
        let refreshed = self.subscriptions.refresh(now, id, expires);
        refreshed.map(|subscription| subscription.expires).ok_or(No::Unknown)
    }

    /// The subscription of this id, if it is this user's.
    pub(crate) fn own(&self, id: &str, user: &str) -> Option<&Subscription> {
        self.subscriptions.get(id).filter(|subscription| subscription.owner == user)
    }

    /// All subscriptions.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.all()
    }

    /// The client ends a subscription.
    pub(crate) fn unsubscribe(&mut self, id: &str, user: &str) -> Result<(), No> {
        self.own(id, user).ok_or(No::Unknown)?;
        self.drop_subscription(id, "DELETE");
        Ok(())
    }

    fn drop_subscription(&mut self, id: &str, why: &str) {
        if let Some(old) = self.subscriptions.delete(id, why)
            && let Some(delivery) = self.deliveries.get_mut(&old.set)
        {
            delivery.drop_subscription(id);
        }
    }

    /// The client's answer to an event.
    pub(crate) fn acked(
        &mut self,
        now: Instant,
        user: &str,
        host: usize,
        event: &str,
        answer: Ack,
    ) -> Result<(), No> {
        if self.lost_acks > 0 {
            self.lost_acks -= 1;
            return Ok(());
        }
        if self.deliveries.values().any(|delivery| delivery.was_answered(event)) {
            return Ok(());
        }
        let found = self.deliveries.iter().find_map(|(set, delivery)| {
            Some((set.clone(), delivery.channel_of(event)?.to_owned()))
        });
        let (set, channel) = found.ok_or(No::Unknown)?;
        self.channels.of(&channel, user, host).ok_or(No::Unknown)?;
        let channels = self.names(&set);
        let ack = self.ack_timeout;
        let Some(delivery) = self.deliveries.get_mut(&set) else { return Err(No::Unknown) };
        let outcome = delivery.acked(now, event, answer, &channels, ack);
        let (consequence, writes) = outcome.ok_or(No::Unknown)?;
        self.write(now, writes);
        match consequence {
            Consequence::Nothing => {}
            Consequence::DeleteChannel(id) => {
                self.channels.terminate(&id, ChannelEnd::UnknownChannel);
            }
            Consequence::DeleteSubscription(id) => self.drop_subscription(&id, "answer 481"),
        }
        self.settle(now);
        Ok(())
    }

    /// Tells all who watch `user` with one of these packages.
    pub(crate) fn publish(&mut self, now: Instant, user: &str, packages: &[&str], data: &Element) {
        for id in self.subscriptions.matching(user, packages) {
            self.tell(now, &id, user, data.clone());
        }
    }

    /// Tells one subscription something about `user`.
    pub(crate) fn tell(&mut self, now: Instant, id: &str, user: &str, data: Element) {
        let event = self.uuid();
        let Some(sequence) = self.subscriptions.next_sequence(id) else { return };
        if self.lost_events > 0 {
            self.lost_events -= 1;
            return;
        }
        let Some(subscription) = self.subscriptions.get(id) else { return };
        let notice = Notice {
            event,
            subscription: id.to_owned(),
            sequence,
            user: format!("{}@{}", subscription.owner, self.domain),
            application: subscription.application.clone(),
            target: format!("{user}@{}", self.domain),
            data,
        };
        let set = subscription.set.clone();
        self.deliveries.entry(set.clone()).or_default().add(notice);
        self.send(now, &set);
    }

    /// Ends subscriptions with a last event: all, or those of one owner, or of one package. How many.
    pub(crate) fn terminate_subscriptions(
        &mut self,
        now: Instant,
        owner: Option<&str>,
        package: Option<&str>,
    ) -> usize {
        let fits = |subscription: &&Subscription| {
            let owned = owner.is_none_or(|owner| subscription.owner == owner);
            owned && package.is_none_or(|package| subscription.packages.contains(&package))
        };
        let hit: Vec<String> =
            self.subscriptions.all().filter(fits).map(|s| s.id.clone()).collect();
        for id in &hit {
            self.end_subscription(now, id, "terminated");
        }
        hit.len()
    }

    fn end_subscription(&mut self, now: Instant, id: &str, why: &str) {
        let Some(subscription) = self.subscriptions.get(id) else { return };
        let target = subscription.target_id.split('@').next().unwrap_or_default().to_owned();
        let data = Element::new("eventData").typed("SubscriptionTerminatedEvent");
        self.tell(now, id, &target, data);
        // What has been sent is still to be answered, so only the subscription goes.
        self.subscriptions.delete(id, why);
    }

    /// Ends channels: all, or those of one user. How many.
    pub(crate) fn terminate_channels(
        &mut self,
        now: Instant,
        user: Option<&str>,
        end: ChannelEnd,
    ) -> usize {
        let ids = self.channel_ids(user);
        for id in &ids {
            self.channels.terminate(id, end);
        }
        self.settle(now);
        ids.len()
    }

    fn channel_ids(&self, user: Option<&str>) -> Vec<String> {
        let fits = |channel: &&Channel| user.is_none_or(|user| channel.wish.user == user);
        self.channels.all().filter(fits).map(|channel| channel.id.clone()).collect()
    }

    /// The streams of all channels, or of one user's.
    pub(crate) fn streams(&self, user: Option<&str>) -> Vec<StreamId> {
        let fits = |channel: &&Channel| user.is_none_or(|user| channel.wish.user == user);
        self.channels.all().filter(fits).map(|channel| channel.stream).collect()
    }

    /// All channels are gone without a word; subscriptions stay.
    pub(crate) fn crash(&mut self, now: Instant) {
        self.channels.forget();
        self.settle(now);
    }

    /// The connection of a stream is gone.
    pub(crate) fn stream_gone(&mut self, now: Instant, stream: StreamId) {
        self.wire.gone(stream);
        self.channels.stream_gone(stream);
        self.settle(now);
    }

    /// The documents' look and the stream's bad habits.
    pub(crate) fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }

    /// Whom those watch who watch one of these packages.
    pub(crate) fn targets(&self, fits: impl Fn(&&'static str) -> bool) -> Targets {
        self.subscriptions.targets(fits)
    }

    /// The limits of subscriptions, and gaps.
    pub(crate) fn subscription_knobs(&mut self) -> &mut Subscriptions {
        &mut self.subscriptions
    }

    /// Times: of heart-beats, of answers, of the first chunk.
    pub(crate) fn set_times(
        &mut self,
        event_timeout: Option<Duration>,
        ack_timeout: Option<Duration>,
        first_delay: Option<Duration>,
    ) {
        if let Some(event_timeout) = event_timeout {
            self.channels.set_event_timeout(event_timeout);
        }
        self.ack_timeout = ack_timeout.unwrap_or(self.ack_timeout);
        self.first_delay = first_delay.unwrap_or(self.first_delay);
    }

    /// So many answers, or events, get lost.
    pub(crate) fn lose(&mut self, acks: u32, events: u32) {
        self.lost_acks = acks;
        self.lost_events = events;
    }

    /// Lets everything happen that is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.channels.handle_timeout(now);
        for id in self.subscriptions.handle_timeout(now) {
            self.end_subscription(now, &id, "expired");
        }
        self.settle(now);
        let ack = self.ack_timeout;
        for set in self.deliveries.keys().cloned().collect::<Vec<_>>() {
            let channels = self.names(&set);
            let Some(delivery) = self.deliveries.get_mut(&set) else { continue };
            let writes = delivery.handle_timeout(now, &channels, ack);
            self.write(now, writes);
        }
        self.wire.handle_timeout(now);
        self.forget_idle();
    }

    /// Sets without events, channels and subscriptions leave nothing behind; nor do last words that nobody fetches.
    fn forget_idle(&mut self) {
        let (channels, subscriptions) = (&self.channels, &self.subscriptions);
        let crowded = self.deliveries.len() > SETS;
        self.deliveries.retain(|set, delivery| {
            let used = subscriptions.all().any(|s| s.set == *set);
            used || !channels.of_set(set).is_empty() || (delivery.len() > 0 && !crowded)
        });
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let deliveries = self.deliveries.values().filter_map(Delivery::poll_timeout).min();
        let others = [
            self.channels.poll_timeout(),
            self.subscriptions.poll_timeout(),
            self.wire.poll_timeout(),
        ];
        others.into_iter().flatten().chain(deliveries).min()
    }

    /// What is to be done with streams next.
    pub(crate) fn poll_output(&mut self) -> Option<Piece> {
        self.wire.poll_output()
    }

    fn names(&self, set: &str) -> Vec<String> {
        self.channels.of_set(set).iter().map(|channel| channel.id.clone()).collect()
    }

    /// Sends what waits in a set.
    fn send(&mut self, now: Instant, set: &str) {
        let channels = self.names(set);
        let ack = self.ack_timeout;
        if let Some(delivery) = self.deliveries.get_mut(set) {
            let writes = delivery.send(now, &channels, ack);
            self.write(now, writes);
        }
    }

    fn write(&mut self, now: Instant, writes: Writes) {
        for (channel, document) in writes {
            if let Some(channel) = self.channels.get(&channel) {
                self.wire.write(now, channel.stream, &document);
            }
        }
    }

    fn settle(&mut self, now: Instant) {
        while let Some(output) = self.channels.poll_output() {
            match output {
                ChannelOutput::Write(stream, document) => {
                    self.wire.write(now, stream, &document);
                }
                ChannelOutput::Close(stream) => self.wire.close(now, stream),
                ChannelOutput::Gone { id, set } => {
                    if let Some(delivery) = self.deliveries.get_mut(&set) {
                        delivery.channel_gone(&id);
                    }
                    self.send(now, &set);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
