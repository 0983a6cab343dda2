//! What comes over the event channel: the envelope and what it carries (reference, sections 4.1 to 4.7).

use super::{
    AgentEvent, CallEvent, CallSnapshot, Channel, ChannelReason, Conference, MailCounts,
    PolicyEvent, QueueEvent, QueueFigures, QueuedCall, RemoteParty, ServiceEvent, call::off_hook,
    read_queue,
};
use crate::{DocumentError, xml::Element};

/// One document of the channel.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// The channel exists: the first document.
    Channel(Channel),
    /// The channel lives.
    HeartBeat,
    /// An event of a subscription. It must be acknowledged, whether or not its data can be read.
    Event(Box<Event>),
    /// The channel is over; never acknowledged.
    Terminated {
        /// Which.
        channel_id: Option<String>,
        /// Why.
        reason: ChannelReason,
    },
    /// The server could not read what was sent on the channel.
    Error {
        /// Its number.
        code: Option<u32>,
        /// Its words.
        message: String,
    },
    /// Something else, which is passed over.
    Unknown(String),
}

/// An event with its envelope (reference, section 4.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What is acknowledged.
    pub event_id: String,
    /// Counts the events of the subscription from 1; `None` when not told.
    pub sequence: Option<u32>,
    /// The owner of the subscription; opaque.
    pub owner: Option<String>,
    /// The subscription.
    pub subscription_id: String,
    /// The channel it came on.
    pub channel_id: Option<String>,
    /// Whom it is about.
    pub target: Option<String>,
    /// What it says, or why that cannot be read.
    pub data: Result<EventData, DocumentError>,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum EventData {
    /// All calls of the target.
    Calls {
        /// As they are.
        snapshot: CallSnapshot,
        /// The server has restarted: everything known before is void.
        resync: bool,
    },
    /// Something happened to a call.
    Call(CallEvent),
    /// A conference changed.
    Conference(Conference),
    /// The phone is off the hook, or on it again.
    Hook(bool),
    /// All callers of a queue, the next one first.
    Queue {
        /// As they are.
        entries: Vec<QueuedCall>,
        /// The server has restarted: everything known before is void.
        resync: bool,
    },
    /// Something happened in a queue.
    Queued(Box<QueueEvent>),
    /// Something is told about an agent.
    Agent(AgentEvent),
    /// Figures of a queue.
    Figures(QueueFigures),
    /// Night, holiday and forwarding of a queue.
    Policy(PolicyEvent),
    /// A service of the user.
    Service(ServiceEvent),
    /// Counts of the mailbox.
    Mail(MailCounts),
    /// Somebody is parked at the user's phone, or no longer.
    Parked(Option<RemoteParty>),
    /// The subscription has ended.
    SubscriptionTerminated,
    /// An event that this program has no use for.
    Other(String),
}

impl Delivery {
    /// Reads a document of the channel.
    ///
    /// # Errors
    /// It lacks what an envelope must have. Unreadable data inside a readable envelope is no error here.
    pub fn read(root: &Element) -> Result<Self, DocumentError> {
        match root.name.as_str() {
            "Channel" => Channel::read(root).map(Self::Channel),
            "ChannelHeartBeat" | "ChannelHeartbeat" => Ok(Self::HeartBeat),
            "Event" => match root.kind() {
                Some("ChannelTerminatedEvent") => Ok(Self::Terminated {
                    channel_id: root.text_of("channelId"),
                    reason: ChannelReason::of(&root.string("reason")),
                }),
                Some("ErrorEvent") => Ok(Self::error(root)),
                _ => Event::read(root).map(|event| Self::Event(Box::new(event))),
            },
            "ErrorEvent" => Ok(Self::error(root)),
            name => Ok(Self::Unknown(name.to_owned())),
        }
    }

    fn error(root: &Element) -> Self {
        Self::Error { code: root.number("errorCode"), message: root.string("errorMessage") }
    }
}

impl Event {
    fn read(root: &Element) -> Result<Self, DocumentError> {
        let data = root.child("eventData").ok_or(DocumentError::Missing("eventData"));
        Ok(Self {
            event_id: root.needed("eventID")?,
            sequence: root.number("sequenceNumber"),
            owner: root.text_of("userId").or_else(|| root.text_of("clientId")),
            subscription_id: root.needed("subscriptionId")?,
            channel_id: root.text_of("channelId"),
            target: root.text_of("targetId"),
            data: data.and_then(EventData::read),
        })
    }
}

impl EventData {
    /// Reads what an event carries.
    ///
    /// # Errors
    /// Something is missing without which it says nothing.
    pub fn read(data: &Element) -> Result<Self, DocumentError> {
        let name = data.kind().ok_or(DocumentError::Missing("type of the event"))?;
        match name {
            "CallSubscriptionEvent" | "CallSubscriptionResyncEvent" => {
                let resync = name == "CallSubscriptionResyncEvent";
                return Ok(Self::Calls { snapshot: CallSnapshot::read(data)?, resync });
            }
            "ACDSubscriptionEvent" | "ACDSubscriptionResyncEvent" => {
                let resync = name == "ACDSubscriptionResyncEvent";
                return Ok(Self::Queue { entries: read_queue(data)?, resync });
            }
            "SubscriptionTerminatedEvent" => return Ok(Self::SubscriptionTerminated),
            "HookStatusEvent" => {
                let off_hook = off_hook(data).ok_or(DocumentError::Missing("hookStatus"))?;
                return Ok(Self::Hook(off_hook));
            }
            "CallParkedAgainstEvent" => {
                let party = data.child("parkedParty");
                return Ok(Self::Parked(party.map(|_| RemoteParty::of(data, "parkedParty"))));
            }
            "VoiceMailMessageSummaryEvent" => return Ok(Self::Mail(MailCounts::read(data))),
            _ => {}
        }
        if let Some(event) = CallEvent::read(name, data)? {
            return Ok(Self::Call(event));
        }
        if let Some(event) = QueueEvent::read(name, data)? {
            return Ok(Self::Queued(Box::new(event)));
        }
        if let Some(event) = AgentEvent::read(name, data)? {
            return Ok(Self::Agent(event));
        }
        Ok(Self::read_rest(name, data))
    }

    fn read_rest(name: &str, data: &Element) -> Self {
        if name == "CallCenterMonitoringEvent"
            && let Some(figures) = QueueFigures::read(data)
        {
            return Self::Figures(figures);
        }
        if let Some(policy) = PolicyEvent::read(name, data) {
            return Self::Policy(policy);
        }
        if let Some(conference) = data.child("conference") {
            return Self::Conference(Conference::read(conference));
        }
        match ServiceEvent::read(name, data) {
            Some(service) => Self::Service(service),
            None => Self::Other(name.to_owned()),
        }
    }
}
