//! Conferences in the exchange (reference, sections 3.2 and 4.4).

use crate::xml::{Element, Writer};

/// A conference of the user's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conference {
    /// `Active`, `Held` or `Released`.
    pub state: String,
    /// Number of the call on the phone.
    pub appearance: Option<u32>,
    /// The user himself is muted.
    pub muted: bool,
    /// What it is besides: `Barge-In`, `Silently Monitored`, `Supervisor Coached`.
    pub kind: Option<String>,
    /// The calls in it.
    pub participants: Vec<ConferenceParticipant>,
}

/// A call in a conference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConferenceParticipant {
    /// The call.
    pub call_id: String,
    /// The others do not hear it.
    pub muted: bool,
    /// It does not hear the others.
    pub deaf: bool,
}

impl Conference {
    /// Reads a conference.
    pub fn read(element: &Element) -> Self {
        let participant = |one: &Element| ConferenceParticipant {
            call_id: one.string("callId"),
            muted: one.flag("muted"),
            deaf: one.flag("deaf"),
        };
        Self {
            state: element.string("state"),
            appearance: element.number("appearance"),
            muted: element.flag("muted"),
            kind: element.text_of("conferenceType"),
            participants: element
                .listed("conferenceParticipantList", "conferenceParticipant")
                .map(participant)
                .collect(),
        }
    }
}

/// The document that makes one conference of calls.
pub fn conference_request(calls: &[String]) -> String {
    let mut writer = Writer::new("Conference");
    writer.start("conferenceParticipantList");
    for call in calls {
        writer.start("conferenceParticipant").leaf("callId", call).end();
    }
    writer.end();
    writer.finish()
}
