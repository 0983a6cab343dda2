//! What becomes of every user's conference, told in events of the call packages.
//!
//! Inputs: from the exchange `confer` (all conferences as they are now). A conference is `Active` or `Held`, and `Released`
//! in the last event of it; what the exchange shows is compared with what was told, and every difference is an event.

use std::collections::BTreeMap;

use super::{Shown, Watch};
use crate::exchange::{Ears, Place, UserConference};
use crate::pbx::CallNumber;
use crate::xsi::element::Element;
use crate::xsi::payload::call::{SA, shown};

/// One who is in a conference, by the id of the call.
type Participants = BTreeMap<String, Ears>;

/// A conference as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conferred {
    is_held: bool,
    is_muted: bool,
    kind: Option<&'static str>,
    appearance: Option<u32>,
    participants: Participants,
}

impl Conferred {
    fn element(&self, name: &'static str, state: &'static str, user_id: &str) -> Element {
        let one = |(id, ears): (&String, &Ears)| {
            Element::new("conferenceParticipant")
                .field("callId", id)
                .flag("muted", ears.is_muted)
                .flag("deaf", ears.is_deaf)
        };
        let endpoint = Element::new("endpoint")
            .typed("AccessEndpoint")
            .field("addressOfRecord", format!("sip:{user_id}"));
        Element::new(name)
            .field("state", state)
            .with(endpoint)
            .maybe("appearance", self.appearance)
            .flag("muted", self.is_muted)
            .maybe("conferenceType", self.kind)
            .with(Element::new("conferenceParticipantList").all(self.participants.iter().map(one)))
    }

    const fn state(&self) -> &'static str {
        if self.is_held { "Held" } else { "Active" }
    }

    /// The events that lead from one state to another.
    fn steps(&self, new: &Self) -> Vec<&'static str> {
        let mut steps = Vec::new();
        let ids = |conferred: &Self| conferred.participants.keys().cloned().collect::<Vec<_>>();
        if ids(self) != ids(new) || self.kind != new.kind {
            steps.push("ConferenceUpdatedEvent");
        }
        match (self.is_held, new.is_held) {
            (false, true) => steps.push("ConferenceHeldEvent"),
            (true, false) => steps.push("ConferenceRetrievedEvent"),
            _ => {}
        }
        match (self.is_muted, new.is_muted) {
            (false, true) => steps.push("ConferenceMutedEvent"),
            (true, false) => steps.push("ConferenceUnmutedEvent"),
            _ => {}
        }
        for (id, ears) in &new.participants {
            let before = self.participants.get(id).copied().unwrap_or_default();
            match (before.is_muted, ears.is_muted) {
                (false, true) => steps.push("ConferenceCallMutedEvent"),
                (true, false) => steps.push("ConferenceCallUnMutedEvent"),
                _ => {}
            }
            match (before.is_deaf, ears.is_deaf) {
                (false, true) => steps.push("ConferenceCallMadeDeafEvent"),
                (true, false) => steps.push("ConferenceCallMadeUnDeafEvent"),
                _ => {}
            }
        }
        steps
    }
}

impl Watch {
    /// The conferences as they are now; the events that follow.
    pub(crate) fn confer(&mut self, conferences: Vec<UserConference>) -> Vec<Shown> {
        let mut gone = std::mem::take(&mut self.conferences);
        let mut events = Vec::new();
        for conference in conferences {
            let user = conference.user.clone();
            let new = self.conferred(&conference);
            let steps = match gone.remove(&user) {
                Some(old) => old.steps(&new),
                None => vec!["ConferenceStartedEvent"],
            };
            for kind in steps {
                events.push(self.told(&user, &new, kind, new.state()));
            }
            self.conferences.insert(user, new);
        }
        for (user, old) in gone {
            events.push(self.told(&user, &old, "ConferenceReleasedEvent", "Released"));
        }
        events
    }

    fn conferred(&self, conference: &UserConference) -> Conferred {
        let own = self.of(&conference.user);
        let record = |call: CallNumber| {
            own.iter().find(|record| record.call.place == Place::Call(call)).copied()
        };
        let first = conference.participants.first().and_then(|(call, _)| record(*call));
        let participant =
            |(call, ears): &(CallNumber, Ears)| Some((record(*call)?.id.clone(), *ears));
        Conferred {
            is_held: conference.is_held,
            is_muted: conference.is_muted,
            kind: conference.kind,
            appearance: first.map(|record| record.appearance),
            participants: conference.participants.iter().filter_map(participant).collect(),
        }
    }

    fn told(
        &self,
        user: &str,
        conferred: &Conferred,
        kind: &'static str,
        state: &'static str,
    ) -> Shown {
        let element = conferred.element("conference", state, &self.names.user_id(user));
        shown(user, SA, Element::new("eventData").typed(kind).with(element))
    }

    /// A user's conference, as an element of that name.
    pub(crate) fn conference(&self, user: &str, name: &'static str) -> Option<Element> {
        let conferred = self.conferences.get(user)?;
        Some(conferred.element(name, conferred.state(), &self.names.user_id(user)))
    }

    /// Whether a call is part of its user's conference.
    pub(crate) fn is_in_conference(&self, user: &str, id: &str) -> bool {
        self.conferences.get(user).is_some_and(|conferred| conferred.participants.contains_key(id))
    }
}
