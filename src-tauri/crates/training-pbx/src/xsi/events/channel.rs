//! Channels: the open answers that events are written to.
//!
//! Inputs: from clients `create`, `heartbeat`, `renew`, `delete`; from the streams `stream_gone`; from acks `terminate`
//! (`UnknownChannel`); from the owner `terminate`, `terminate_all`, `forget`; from time `handle_timeout`. A channel is
//! `open` until one of these ends it; its set lives in the names of subscriptions.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::xsi::element::Element;
use crate::xsi::web::StreamId;

/// Shorter terms are raised to this; also when nothing is said, seconds.
pub(crate) const LEAST_EXPIRES: u32 = 3_600;
/// Lasts for ever.
pub(crate) const NEVER: u32 = 2_147_483_647;
/// Channels of all users.
const CHANNELS: usize = 1_000;

/// Why a channel ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelEnd {
    /// The same user and application began another channel set.
    DuplicateChannelSet,
    /// The user is no more.
    UserDeleted,
    /// No heart-beat in time.
    NonResponsiveChannel,
    /// The client deleted it.
    ExplicitDelete,
    /// Its term is over.
    Expired,
    /// The client answered an event with 404.
    UnknownChannel,
}

impl ChannelEnd {
    /// As it stands in the event.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::DuplicateChannelSet => "DuplicateChannelSet",
            Self::UserDeleted => "UserDeleted",
            Self::NonResponsiveChannel => "NonResponsiveChannel",
            Self::ExplicitDelete => "ExplicitDelete",
            Self::Expired => "Expired",
            Self::UnknownChannel => "UnknownChannel",
        }
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelWish {
    /// Extension of the authenticated user.
    pub(crate) user: String,
    pub(crate) set: String,
    pub(crate) application: String,
    pub(crate) priority: u32,
    pub(crate) weight: u32,
    /// Seconds.
    pub(crate) expires: u32,
    /// Which listener it came to: heart-beats and acks must come there too.
    pub(crate) host: usize,
}

/// One channel.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) wish: ChannelWish,
    pub(crate) stream: StreamId,
    /// Seconds granted last.
    pub(crate) expires: u32,
    expires_at: Option<Instant>,
    heartbeat_due: Instant,
}

/// What becomes of channels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ChannelOutput {
    /// Write this.
    Write(StreamId, Element),
    /// The stream ends after what has been written.
    Close(StreamId),
    /// This channel is no more.
    Gone { id: String, set: String },
}

/// All channels.
#[derive(Debug)]
pub(crate) struct Channels {
    channels: BTreeMap<String, Channel>,
    /// How long a channel lives without a heart-beat.
    event_timeout: Duration,
    last_stream: u64,
    outputs: VecDeque<ChannelOutput>,
}

impl Channels {
    /// None, with this time for heart-beats.
    pub(crate) fn new(event_timeout: Duration) -> Self {
        Self { channels: BTreeMap::new(), event_timeout, last_stream: 0, outputs: VecDeque::new() }
    }

    /// Sets how long channels live without a heart-beat, from the next one on.
    pub(crate) fn set_event_timeout(&mut self, event_timeout: Duration) {
        self.event_timeout = event_timeout;
    }

    /// Opens a channel of this id, whose first document is written at once. `None` when there are too many.
    pub(crate) fn create(
        &mut self,
        now: Instant,
        id: String,
        wish: ChannelWish,
    ) -> Option<&Channel> {
        if self.channels.len() >= CHANNELS {
            return None;
        }
        self.last_stream += 1;
        let stream = StreamId(self.last_stream);
        let expires = granted(wish.expires);
        tracing::debug!(%id, user = %wish.user, set = %wish.set, host = wish.host, "none, POST -> open");
        let first = Element::new("Channel").field("channelId", &id).field("expires", expires);
        self.outputs.push_back(ChannelOutput::Write(stream, first));
        let channel = Channel {
            id: id.clone(),
            wish,
            stream,
            expires,
            expires_at: end_of(now, expires),
            heartbeat_due: now + self.event_timeout,
        };
        Some(self.channels.entry(id).or_insert(channel))
    }

    /// The channel of this id, if this user may use it at this host.
    pub(crate) fn of(&self, id: &str, user: &str, host: usize) -> Option<&Channel> {
        let fits = |channel: &&Channel| channel.wish.user == user && channel.wish.host == host;
        self.channels.get(id).filter(fits)
    }

    /// The channel of this id, wherever it is.
    pub(crate) fn get(&self, id: &str) -> Option<&Channel> {
        self.channels.get(id)
    }

    /// All channels.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// The channels of a set, the preferred first: the lowest priority number, then the highest weight.
    pub(crate) fn of_set(&self, set: &str) -> Vec<&Channel> {
        let mut channels: Vec<&Channel> =
            self.channels.values().filter(|channel| channel.wish.set == set).collect();
        channels.sort_by_key(|channel| {
            (channel.wish.priority, std::cmp::Reverse(channel.wish.weight), channel.stream)
        });
        channels
    }

    /// The client is there. False if it asks at a wrong place.
    pub(crate) fn heartbeat(&mut self, now: Instant, id: &str, user: &str, host: usize) -> bool {
        if self.of(id, user, host).is_none() {
            return false;
        }
        let Some(channel) = self.channels.get_mut(id) else { return false };
        channel.heartbeat_due = now + self.event_timeout;
        let beat = Element::new("ChannelHeartBeat");
        self.outputs.push_back(ChannelOutput::Write(channel.stream, beat));
        true
    }

    /// Grants a new term; what was granted.
    pub(crate) fn renew(&mut self, now: Instant, id: &str, expires: u32) -> Option<u32> {
        let channel = self.channels.get_mut(id)?;
        channel.expires = granted(expires);
        channel.expires_at = end_of(now, channel.expires);
        tracing::debug!(%id, expires = channel.expires, "open, PUT -> open");
        Some(channel.expires)
    }

    /// Ends a channel with a last event. False if there is none.
    pub(crate) fn terminate(&mut self, id: &str, end: ChannelEnd) -> bool {
        let Some(channel) = self.channels.remove(id) else { return false };
        tracing::debug!(%id, reason = end.word(), "open, terminate -> gone");
        let event = Element::new("Event")
            .typed("ChannelTerminatedEvent")
            .field("channelId", id)
            .field("reason", end.word());
        self.outputs.push_back(ChannelOutput::Write(channel.stream, event));
        self.outputs.push_back(ChannelOutput::Close(channel.stream));
        self.gone(channel);
        true
    }

    /// The connection of a stream is gone.
    pub(crate) fn stream_gone(&mut self, stream: StreamId) {
        let found = self.channels.values().find(|channel| channel.stream == stream);
        let Some(id) = found.map(|channel| channel.id.clone()) else { return };
        tracing::debug!(%id, "open, connection lost -> gone");
        if let Some(channel) = self.channels.remove(&id) {
            self.gone(channel);
        }
    }

    /// Forgets all channels without a word, as by a crash.
    pub(crate) fn forget(&mut self) {
        for (_, channel) in std::mem::take(&mut self.channels) {
            self.outputs.push_back(ChannelOutput::Close(channel.stream));
            self.gone(channel);
        }
    }

    /// Ends those whose time is up.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let ended = |channel: &Channel| match channel {
            channel if channel.expires_at.is_some_and(|at| at <= now) => Some(ChannelEnd::Expired),
            channel if channel.heartbeat_due <= now => Some(ChannelEnd::NonResponsiveChannel),
            _ => None,
        };
        let late: Vec<(String, ChannelEnd)> = self
            .channels
            .values()
            .filter_map(|channel| Some((channel.id.clone(), ended(channel)?)))
            .collect();
        for (id, end) in late {
            self.terminate(&id, end);
        }
    }

    /// When the next one is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let times = |channel: &Channel| [channel.expires_at, Some(channel.heartbeat_due)];
        self.channels.values().flat_map(times).flatten().min()
    }

    /// What happened next.
    pub(crate) fn poll_output(&mut self) -> Option<ChannelOutput> {
        self.outputs.pop_front()
    }

    fn gone(&mut self, channel: Channel) {
        self.outputs.push_back(ChannelOutput::Gone { id: channel.id, set: channel.wish.set });
    }
}

/// The term that is granted for what was asked, seconds.
pub(crate) fn granted(expires: u32) -> u32 {
    expires.clamp(LEAST_EXPIRES, NEVER)
}

/// When a term is over; never for the longest.
pub(crate) fn end_of(now: Instant, expires: u32) -> Option<Instant> {
    (expires < NEVER).then(|| now + Duration::from_secs(expires.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(user: &str, set: &str, priority: u32) -> ChannelWish {
        ChannelWish {
            user: user.to_owned(),
            set: set.to_owned(),
            application: "app".to_owned(),
            priority,
            weight: 50,
            expires: 60,
            host: 0,
        }
    }

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        Instant::now()
    }

    fn drain(channels: &mut Channels) -> Vec<ChannelOutput> {
        std::iter::from_fn(|| channels.poll_output()).collect()
    }

    fn reason(outputs: &[ChannelOutput]) -> Option<String> {
        outputs.iter().find_map(|output| match output {
            ChannelOutput::Write(_, event) => event.find("reason").and_then(|r| r.text.clone()),
            _ => None,
        })
    }

    #[test]
    fn a_channel_without_heart_beats_is_torn_down() {
        let (now, second) = (start(), Duration::from_secs(1));
        let mut channels = Channels::new(30 * second);
        let expires = channels.create(now, "a".into(), wish("101", "s", 1)).map(|c| c.expires);
        assert_eq!(expires, Some(LEAST_EXPIRES));
        assert!(channels.heartbeat(now + 20 * second, "a", "101", 0));
        assert!(!channels.heartbeat(now + 20 * second, "a", "101", 1), "the wrong host");
        assert!(!channels.heartbeat(now + 20 * second, "a", "102", 0), "another user");
        channels.handle_timeout(now + 49 * second);
        assert!(channels.get("a").is_some());
        drain(&mut channels);
        assert_eq!(channels.poll_timeout(), Some(now + 50 * second));
        channels.handle_timeout(now + 50 * second);
        let outputs = drain(&mut channels);
        assert_eq!(reason(&outputs).as_deref(), Some("NonResponsiveChannel"));
        assert!(outputs.contains(&ChannelOutput::Gone { id: "a".into(), set: "s".into() }));
        assert!(channels.get("a").is_none());
    }

    #[test]
    fn a_term_ends_unless_it_is_renewed_or_for_ever() {
        let (now, hour) = (start(), Duration::from_secs(3_600));
        let mut channels = Channels::new(100 * hour);
        channels.create(now, "a".into(), wish("101", "s", 1));
        channels.create(now, "b".into(), ChannelWish { expires: NEVER, ..wish("101", "s", 1) });
        assert_eq!(channels.renew(now, "a", 7_200), Some(7_200));
        channels.handle_timeout(now + hour);
        assert!(channels.get("a").is_some());
        drain(&mut channels);
        channels.handle_timeout(now + 2 * hour);
        assert_eq!(reason(&drain(&mut channels)).as_deref(), Some("Expired"));
        assert!(channels.get("a").is_none() && channels.get("b").is_some());
        assert_eq!(channels.renew(now, "a", 1), None);
    }

    #[test]
    fn the_lowest_priority_number_is_preferred() {
        let mut channels = Channels::new(Duration::from_secs(30));
        channels.create(start(), "a".into(), wish("101", "s", 2));
        channels.create(start(), "b".into(), wish("101", "s", 1));
        channels.create(start(), "c".into(), wish("101", "t", 1));
        let ids: Vec<&str> = channels.of_set("s").iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids, ["b", "a"]);
    }

    #[test]
    fn a_lost_connection_ends_the_channel_without_a_word() {
        let mut channels = Channels::new(Duration::from_secs(30));
        let stream = channels.create(start(), "a".into(), wish("101", "s", 2)).map(|c| c.stream);
        drain(&mut channels);
        channels.stream_gone(stream.unwrap());
        assert_eq!(drain(&mut channels), [ChannelOutput::Gone { id: "a".into(), set: "s".into() }]);
        assert!(!channels.terminate("a", ChannelEnd::ExplicitDelete));
    }
}
