//! What goes into the lamps and what comes out of them.

use std::time::{Duration, Instant};

/// One watched line. Never used twice by one [`crate::Lamps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(pub u32);

/// One subscription. The owner chooses the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u64);

/// What a lamp shows, the least urgent first: of several calls the most urgent one shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineState {
    /// Nothing has been told yet.
    #[default]
    Unknown,
    /// The exchange does not know the line, or tells nothing of it (any more).
    Unreachable,
    /// No call.
    Idle,
    /// All its calls are on hold.
    Held,
    /// It calls or talks.
    Busy,
    /// It is being called.
    Ringing,
}

/// The other side of a line's call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its URI.
    pub uri: String,
    /// Its name.
    pub name: Option<String>,
}

/// What somebody's presence tells of him (RFC 3856). Each one tells all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Whether he can be reached, where that is told.
    pub open: Option<bool>,
    /// He is on the phone, or busy otherwise.
    pub busy: bool,
    /// What is said of him.
    pub note: Option<String>,
    /// What he does, in the words of RFC 4480: `away`, `meeting` …
    pub activities: Vec<String>,
    /// Where he is reached (RFC 3863 section 4.1.4), where that is told: an address.
    pub contact: Option<String>,
}

impl Presence {
    /// What a lamp shows of it.
    pub(crate) fn state(&self) -> LineState {
        match (self.open, self.busy) {
            (Some(false), _) => LineState::Unreachable,
            (_, true) => LineState::Busy,
            (Some(true), false) => LineState::Idle,
            (None, false) => LineState::Unknown,
        }
    }
}

/// A lamp.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lamp {
    /// What it shows.
    pub state: LineState,
    /// The other side of the call that shows, where it is told.
    pub peer: Option<Peer>,
    /// Whether the other side called, where it is told.
    pub incoming: Option<bool>,
    /// How many calls the line has.
    pub calls: u16,
    /// What presence tells, where the line is watched by it.
    pub presence: Option<Presence>,
    /// Since when this may be wrong; `None`: it is right as far as can be known.
    pub stale_since: Option<Instant>,
}

/// How a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// The line is being called.
    Ringing,
    /// The line calls or talks.
    Busy,
    /// The line has put it on hold.
    Held,
    /// It is over.
    Over,
}

/// A call of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name within the line.
    pub id: String,
    /// How it stands.
    pub state: CallState,
    /// Whether the other side called.
    pub incoming: Option<bool>,
    /// The other side.
    pub peer: Option<Peer>,
}

/// The calls of a line, all or those that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineDocument {
    /// Counts the documents of the line from 0.
    pub version: u32,
    /// All calls are in here.
    pub full: bool,
    /// The calls.
    pub calls: Vec<Call>,
}

/// The lines of a list, all or those that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListDocument {
    /// Counts the documents of the list from 0.
    pub version: u32,
    /// All lines are in here: what is missing has left the list.
    pub full: bool,
    /// The lines, in the list's order. One may come several times.
    pub resources: Vec<Resource>,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its URI.
    pub uri: String,
    /// What people call it.
    pub name: Option<String>,
    /// What tells of it.
    pub instances: Vec<Instance>,
}

/// One of the exchange's own subscriptions to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name within the line.
    pub id: String,
    /// How it stands.
    pub state: InstanceState,
    /// What it tells. `None`: nothing new.
    pub document: Option<LineDocument>,
    /// What it tells where presence is watched. `None`: nothing new.
    pub presence: Option<Presence>,
}

/// How an [`Instance`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It tells.
    Active,
    /// Not yet.
    Pending,
    /// Not any more.
    Terminated,
    /// It should tell, but what it told was missing or could not be read.
    Broken,
}

/// What a source feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// One line, of this URI.
    Line(String),
    /// The lines of a list, which the list itself names.
    List,
}

/// What the outside tells the lamps. An unknown source is passed over.
#[derive(Clone, Debug)]
pub enum Input {
    /// The owner subscribes.
    Watch {
        /// The subscription.
        source: SourceId,
        /// To what.
        watch: Watch,
    },
    /// The owner has unsubscribed; the source's lines vanish.
    Unwatch {
        /// The subscription.
        source: SourceId,
    },
    /// The subscription stands.
    Up {
        /// The subscription.
        source: SourceId,
        /// How long it stands without a refresh.
        expires: Duration,
        /// Notifications come over a connection that loses none without breaking (TCP, TLS).
        reliable: bool,
    },
    /// The subscription does not stand and is tried again. Versions start anew afterwards.
    Down {
        /// The subscription.
        source: SourceId,
    },
    /// The exchange has refused the subscription for good.
    Refused {
        /// The subscription.
        source: SourceId,
    },
    /// What a source of one line tells.
    Line {
        /// The subscription.
        source: SourceId,
        /// What.
        document: LineDocument,
    },
    /// What a source of one line tells where presence is watched.
    Presence {
        /// The subscription.
        source: SourceId,
        /// What.
        presence: Presence,
    },
    /// What a source of a list tells.
    List {
        /// The subscription.
        source: SourceId,
        /// What.
        document: ListDocument,
    },
    /// A notification came that could not be read.
    Unreadable {
        /// The subscription.
        source: SourceId,
    },
}

/// What the lamps want done and tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A line has come: watched, or named by a list.
    Appeared {
        /// The line.
        line: LineId,
        /// The subscription it comes from.
        source: SourceId,
        /// Its URI.
        uri: String,
        /// What people call it.
        name: Option<String>,
    },
    /// A lamp has changed.
    Changed {
        /// The line.
        line: LineId,
        /// Its lamp now.
        lamp: Lamp,
    },
    /// A line has gone.
    Vanished {
        /// The line.
        line: LineId,
    },
    /// Refresh this subscription, so that its full state comes again.
    Refresh {
        /// The subscription.
        source: SourceId,
    },
}

/// How much a source is trusted, and how often it is asked. The last notification before a silence can
/// be lost without a trace; so the full state is asked for again and again, and what has not been confirmed
/// for too long is shown as stale.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Without a word for so long, a source is asked for its full state.
    pub audit: Duration,
    /// Without an answer for so long, it is asked again.
    pub again: Duration,
    /// Unconfirmed for so long, its lines are stale. No lamp is wrong for longer without saying so.
    pub confirm: Duration,
    /// [`Self::audit`] and [`Self::confirm`] of a source that loses nothing.
    pub reliable: (Duration, Duration),
}

impl Default for Policy {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            audit: seconds(36),
            again: seconds(6),
            confirm: seconds(50),
            reliable: (seconds(540), seconds(600)),
        }
    }
}
