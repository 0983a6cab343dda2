//! What goes into the events session and what comes out of it.

use std::time::{Duration, Instant};

use crate::{HttpAnswer, HttpFailure, HttpRequest, Origin, Path, XsiError, wire::EventData};

crate::wire::words! {
    /// An event package by its exact name (reference, section 4.6).
    Package {
        AdvancedCall = "Advanced Call", BasicCall = "Basic Call", StandardCall = "Standard Call",
        CallCenterAgent = "Call Center Agent",
        CallCenterAgentMonitoring = "Call Center Agent Monitoring",
        CallCenterConfiguration = "Call Center Configuration",
        CallCenterMonitoring = "Call Center Monitoring", CallCenterQueue = "Call Center Queue",
        ForwardAlways = "Call Forwarding Always", ForwardBusy = "Call Forwarding Busy",
        ForwardNoAnswer = "Call Forwarding No Answer", CallPark = "Call Park",
        CallWaiting = "Call Waiting", DoNotDisturb = "Do Not Disturb",
        FlexibleSeating = "Flexible Seating Guest", HotelingGuest = "Hoteling Guest",
        RemoteOffice = "Remote Office", SequentialRing = "Sequential Ring",
        SimultaneousRing = "Simultaneous Ring Personal",
        MailSummary = "Voice Mail Message Summary", VoiceMessaging = "Voice Messaging",
    }
}

/// Whom a subscription is about (reference, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// One user, or one call center, which is a user as well.
    User(String),
    /// Everybody of an enterprise or service provider. Tells nothing to begin with.
    Enterprise(String),
    /// Everybody of a group. Tells nothing to begin with.
    Group {
        /// The enterprise or service provider.
        provider: String,
        /// The group.
        group: String,
    },
}

impl Target {
    /// Where a subscription to it is created.
    pub(crate) fn path(&self) -> Result<Path, XsiError> {
        match self {
            Self::User(user) => Path::new("user").part(user),
            Self::Enterprise(provider) => Path::new("serviceprovider").part(provider),
            Self::Group { provider, group } => {
                Path::new("serviceprovider").part(provider)?.word("group").part(group)
            }
        }
    }

    /// As subscriptions and events name it.
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Enterprise(id) | Self::Group { group: id, .. } => id,
        }
    }
}

/// One subscription: whom it is about, and what of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Whom.
    pub target: Target,
    /// What.
    pub package: Package,
}

impl Subject {
    /// Something about one user or call center.
    pub fn user(user: &str, package: Package) -> Self {
        Self { target: Target::User(user.to_owned()), package }
    }
}

/// How the session works.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The user who subscribes.
    pub user: String,
    /// Name of the set of channels: a UUID that stays the same for this installation, so that its
    /// subscriptions are found again after a restart.
    pub channel_set: String,
    /// Name of the program, the same for all installations.
    pub application: String,
    /// How long a channel lives without a renewal.
    pub channel_expires: Duration,
    /// How long a subscription lives without a renewal.
    pub subscription_expires: Duration,
    /// Time between two heart-beats: half of what the server waits.
    pub heartbeat: Duration,
    /// Without a heart-beat for so long the server gives the channel up.
    pub event_timeout: Duration,
    /// A channel must exist so soon after it was asked for.
    pub open: Duration,
    /// Time between two readings of what gives no events.
    pub poll: Duration,
    /// After so long, what was not allowed is tried again.
    pub forbidden: Duration,
}

impl SessionConfig {
    /// The usual times (reference, section 4).
    pub fn new(user: &str, channel_set: &str, application: &str) -> Self {
        let seconds = Duration::from_secs;
        Self {
            user: user.to_owned(),
            channel_set: channel_set.to_owned(),
            application: application.to_owned(),
            channel_expires: seconds(7200),
            subscription_expires: seconds(86_400),
            heartbeat: seconds(14),
            event_timeout: seconds(30),
            open: seconds(20),
            poll: seconds(20),
            forbidden: seconds(600),
        }
    }
}

/// Names a channel towards the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(pub u64);

/// Names a request towards the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestNumber(pub u64);

/// What the outside tells the session.
#[derive(Clone, Debug)]
pub enum Input {
    /// The owner: begin, or begin anew with other servers. Clears refusals.
    Start(Vec<Origin>),
    /// The owner: end the channel properly.
    Stop,
    /// The owner: drop everything without a word to the server, and show this.
    Halt(SessionState),
    /// The owner wants to be told about this.
    Watch(Subject),
    /// The owner has enough of this.
    Unwatch(Subject),
    /// The owner doubts what it knows of this.
    Resync(Subject),
    /// The network is another one: the channel is certainly dead.
    NetworkChanged,
    /// The driver: the head of the endless answer.
    ChannelAnswered {
        /// Which.
        channel: ChannelNumber,
        /// Status and header; the body only where the status is no success.
        answer: HttpAnswer,
    },
    /// The driver: more of the endless answer.
    ChannelBytes {
        /// Which.
        channel: ChannelNumber,
        /// As they came.
        bytes: Vec<u8>,
    },
    /// The driver: the answer has ended, or there was none.
    ChannelEnded {
        /// Which.
        channel: ChannelNumber,
        /// Why; `None`: the server ended it.
        failure: Option<HttpFailure>,
    },
    /// The driver: how a request went.
    Answered {
        /// Which.
        request: RequestNumber,
        /// How.
        result: Result<HttpAnswer, HttpFailure>,
    },
}

/// What the session wants done and tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open a connection of its own, send this, and bring the answer piece by piece.
    Open {
        /// Which.
        channel: ChannelNumber,
        /// The server.
        origin: Origin,
        /// What is sent.
        request: HttpRequest,
        /// Asked instead of the request's own path: a redirection told so.
        target: Option<String>,
    },
    /// Drop that connection.
    Close(ChannelNumber),
    /// Send this.
    Send {
        /// Which.
        request: RequestNumber,
        /// The server.
        origin: Origin,
        /// To the same address as this channel, with its cookies.
        pinned: Option<ChannelNumber>,
        /// What is sent.
        http: HttpRequest,
        /// Asked instead of the request's own path: a redirection told so.
        target: Option<String>,
    },
    /// How the session stands has changed.
    State(SessionState),
    /// There is no channel.
    Trouble {
        /// Why.
        why: XsiError,
        /// When another one is opened.
        again: Instant,
    },
    /// How a subscription stands has changed.
    Standing {
        /// Which.
        subject: Subject,
        /// How.
        standing: Standing,
    },
    /// The server tells something.
    Told {
        /// About what.
        subject: Subject,
        /// What.
        data: EventData,
    },
    /// Read this by an action: there are no events for it.
    PollDue(Subject),
}

/// How the session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionState {
    /// Not begun, or ended by the owner.
    #[default]
    Stopped,
    /// Opens its first channel.
    Connecting,
    /// Has a channel.
    Live,
    /// Has lost its channel and opens another one.
    Lost,
    /// The server gives this account no events: everything is read at intervals.
    Unavailable,
    /// User name or password were refused.
    Refused,
    /// The same user has begun with the same program elsewhere.
    Elsewhere,
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Not yet, or not at the moment.
    #[default]
    Pending,
    /// The server tells of changes.
    Subscribed,
    /// The server refuses; it is read at intervals.
    Polled,
}
