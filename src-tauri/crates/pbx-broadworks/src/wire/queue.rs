//! Callers in a queue and what happens to them (reference, section 4.5, package "Call Center Queue").

use super::{Redirect, Redirection, RemoteParty, call::read_redirections};
use crate::{DocumentError, xml::Element};

/// A caller in a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueuedCall {
    /// The server's name for the call.
    pub id: String,
    /// The server's name for the whole call.
    pub tracking_id: Option<String>,
    /// Who waits.
    pub remote: RemoteParty,
    /// Since when, in milliseconds since the Unix epoch, as are all times.
    pub add_time: Option<u64>,
    /// When it left.
    pub remove_time: Option<u64>,
    /// Hears the entrance message, which is played to its end.
    pub entrance: bool,
    /// An agent let it ring.
    pub bounced: bool,
    /// Somebody moved it.
    pub reordered: bool,
    /// How long it waited elsewhere before, in milliseconds.
    pub preserved_wait: Option<u64>,
    /// The queue's name.
    pub acd_name: String,
    /// The queue's number.
    pub acd_number: String,
    /// `0-Highest` to `3-Low`, with priorities.
    pub priority: Option<String>,
    /// The agent who answers.
    pub answering_user: Option<String>,
    /// The call at that agent.
    pub answering_call: Option<String>,
}

impl QueuedCall {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        Ok(Self {
            id: element.needed("callId")?,
            tracking_id: element.text_of("extTrackingId"),
            remote: RemoteParty::of(element, "remoteParty"),
            add_time: element.number("addTime"),
            remove_time: element.number("removeTime"),
            entrance: element.flag("mandatoryEntrance"),
            bounced: element.flag("bounced"),
            reordered: element.flag("reordered"),
            preserved_wait: element.number("preservedWaitTime"),
            acd_name: element.string("acdName"),
            acd_number: element.string("acdNumber"),
            priority: element.text_of("acdPriority"),
            answering_user: element.text_of("answeringUserId"),
            answering_call: element.text_of("answeringCallId"),
        })
    }
}

/// Reads the callers in `queueEntries`, the next one first: of an event, or of `GET callcenter/…/calls`.
///
/// # Errors
/// A caller has no `callId`: the queue is not known then.
pub fn read_queue(element: &Element) -> Result<Vec<QueuedCall>, DocumentError> {
    element.listed("queueEntries", "queueEntry").map(QueuedCall::read).collect()
}

/// What happened in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueEventKind {
    /// Came in.
    Added,
    /// Rings at an agent.
    Offered,
    /// The agent let it ring; it is back in the queue.
    Bounced,
    /// The agent hears which queue it is.
    Whisper,
    /// An agent answered: gone.
    Answered,
    /// Gave up: gone.
    Abandoned,
    /// The exchange ended it: gone.
    Released,
    /// Somebody took it out: gone.
    Transferred,
    /// Sent on because the queue was too long or too slow: gone.
    Overflowed,
    /// Sent on because no agent is there: gone.
    Stranded,
    /// Pressed the key that leaves the queue: gone.
    Escaped,
    /// Was moved within the queue.
    Reordered,
    /// Got a higher priority.
    Promoted,
    /// Something about the caller changed.
    Updated,
    /// Never was in the queue: forwarding, night or holiday sent it on.
    NeverQueued,
}

impl QueueEventKind {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ACDCallAddedEvent" => Self::Added,
            "ACDCallOfferedToAgentEvent" => Self::Offered,
            "ACDCallBouncedEvent" => Self::Bounced,
            "ACDWhisperStartedEvent" => Self::Whisper,
            "ACDCallAnsweredByAgentEvent" => Self::Answered,
            "ACDCallAbandonedEvent" => Self::Abandoned,
            "ACDCallReleasedEvent" => Self::Released,
            "ACDCallTransferredEvent" => Self::Transferred,
            "ACDCallEscapedEvent" => Self::Escaped,
            "ACDCallReorderedEvent" => Self::Reordered,
            "ACDCallPromotedEvent" => Self::Promoted,
            "ACDCallUpdatedEvent" => Self::Updated,
            name if name.starts_with("ACDCallOverflowed") => Self::Overflowed,
            // With the schema's own spelling of what follows.
            name if name.starts_with("ACDCallStranded") => Self::Stranded,
            name if name.starts_with("ACDCallForwarded")
                || name.starts_with("ACDNightPolicyApplied")
                || name.starts_with("ACDHolidayPolicyApplied") =>
            {
                Self::NeverQueued
            }
            _ => return None,
        })
    }
}

/// Something happened in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEvent {
    /// What.
    pub kind: QueueEventKind,
    /// The server's name of the event.
    pub name: String,
    /// The caller as he stands now.
    pub entry: QueuedCall,
    /// His place from 1, where told. Servers have been documented with 0 for the first place: that is 1.
    pub position: Option<u32>,
    /// Who sent him to the queue, the last one first.
    pub redirections: Vec<Redirection>,
    /// Where he was sent on to.
    pub redirect: Option<Redirect>,
}

impl QueueEvent {
    pub(super) fn read(name: &str, data: &Element) -> Result<Option<Self>, DocumentError> {
        let Some(kind) = QueueEventKind::of(name) else { return Ok(None) };
        // Who never was in the queue is told without an entry.
        let entry = data.child("queueEntry").unwrap_or(data);
        Ok(Some(Self {
            kind,
            name: name.to_owned(),
            entry: QueuedCall::read(entry)?,
            position: data.number::<u32>("position").map(|position| position.max(1)),
            redirections: read_redirections(data),
            redirect: Redirect::of(data),
        }))
    }
}
