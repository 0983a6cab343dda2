//! The documents of event packages in the terms of the lamps.

use event_packages::{
    Basic, Dialog, DialogInfo, EventList, InstanceState as InstanceTold, LineCallState, Presence,
    Resource, line_calls,
};
use pbx::{Call, CallState, Instance, InstanceState, LineDocument, ListDocument};
use sip_types::Replaces;

/// Activities of RFC 4480 that keep somebody from answering.
const BUSY: [&str; 2] = ["on-the-phone", "busy"];
/// Activities of one person that are kept.
const ACTIVITIES: usize = 8;
/// Longest note or activity, characters.
const NOTE: usize = 256;

/// A call that rings at a watched line, with what is needed to take it (RFC 3891).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ringing {
    /// Its name within the line.
    pub(super) id: String,
    /// The dialog as whoever called has it, whom the exchange stands for.
    pub(super) replaces: Replaces,
}

/// What a document says of one call: that it rings and can be taken, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) ringing: Option<Ringing>,
}

/// Which calls of a line ring and can be taken.
pub(super) fn told_ringing(info: &DialogInfo) -> Vec<Told> {
    let rings = |dialog: &Dialog| {
        line_calls(info).any(|call| call.id == dialog.id && call.state == LineCallState::Ringing)
    };
    let ringing = |dialog: &Dialog| {
        let name = dialog.name.as_ref().filter(|name| {
            ![&name.call_id, &name.local_tag, &name.remote_tag].iter().any(|part| part.is_empty())
        })?;
        let replaces = Replaces {
            call_id: name.call_id.clone(),
            to_tag: name.remote_tag.clone(),
            from_tag: name.local_tag.clone(),
            early_only: true,
        };
        Some(Ringing { id: dialog.id.clone(), replaces })
    };
    let told = info.dialogs.iter().take(64);
    told.map(|dialog| Told {
        id: dialog.id.clone(),
        ringing: Some(dialog).filter(|dialog| rings(dialog)).and_then(ringing),
    })
    .collect()
}

pub(super) fn line_document(info: &DialogInfo) -> LineDocument {
    let calls = line_calls(info).map(|call| Call {
        id: call.id,
        state: match call.state {
            LineCallState::Ringing => CallState::Ringing,
            LineCallState::Busy => CallState::Busy,
            LineCallState::Held => CallState::Held,
            LineCallState::Over => CallState::Over,
        },
        incoming: call.incoming,
        peer: call.peer.map(|uri| pbx::Peer { uri, name: call.peer_name }),
    });
    LineDocument { version: info.version, full: info.full, calls: calls.collect() }
}

pub(super) fn list_document(list: &EventList<'_>) -> ListDocument {
    let mut resources = Vec::new();
    list.each(&mut |resource, list| resources.push(resource_of(resource, list)));
    ListDocument { version: list.list.version, full: list.list.full, resources }
}

fn resource_of(resource: &Resource, list: &EventList<'_>) -> pbx::Resource {
    let instances = resource.instances.iter().map(|instance| {
        let told = instance.cid.as_ref().map(|_| {
            let (kind, body) = list.state(instance)?;
            told_of(kind, body)
        });
        let state = match (&instance.state, &told) {
            (_, Some(None)) => InstanceState::Broken,
            (InstanceTold::Terminated, _) => InstanceState::Terminated,
            (InstanceTold::Pending, _) => InstanceState::Pending,
            (InstanceTold::Active | InstanceTold::Other(_), _) => InstanceState::Active,
        };
        let (document, presence) = told.flatten().unwrap_or_default();
        Instance { id: instance.id.clone(), state, document, presence }
    });
    let instances = instances.collect();
    pbx::Resource { uri: resource.uri.clone(), name: resource.name.clone(), instances }
}

/// The state of one line in a list: its calls, or its presence.
fn told_of(kind: &str, body: &[u8]) -> Option<(Option<LineDocument>, Option<pbx::Presence>)> {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/pidf+xml") {
        return Some((None, Some(presence_of(&Presence::read(body).ok()?))));
    }
    Some((Some(line_document(&DialogInfo::read(body).ok()?)), None))
}

/// What somebody's presence says in the terms of a lamp.
pub(super) fn presence_of(told: &Presence) -> pbx::Presence {
    let busy = |activity: &String| BUSY.contains(&activity.as_str());
    let own = told.tuples.iter().find_map(|tuple| tuple.note.clone());
    pbx::Presence {
        open: told.basic().map(|basic| basic == Basic::Open),
        busy: told.activities.iter().any(busy),
        note: told.notes.first().cloned().or(own).map(|note| shortened(&note)),
        activities: told.activities.iter().take(ACTIVITIES).map(|word| shortened(word)).collect(),
        contact: told
            .tuples
            .iter()
            .filter(|tuple| tuple.basic == Some(Basic::Open))
            .find_map(|tuple| tuple.contact.as_deref().map(shortened)),
    }
}

/// What others write about themselves is shown, but not at any length.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NOTE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_a_line_becomes_a_lamp() {
        let text = r#"<?xml version="1.0"?>
            <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="3" state="full"
                entity="sip:102@example.nl">
              <dialog id="a" direction="recipient"><state>early</state>
                <remote><identity display="Jan">sip:101@example.nl</identity></remote></dialog>
            </dialog-info>"#;
        let document = line_document(&DialogInfo::read(text.as_bytes()).unwrap());
        assert_eq!((document.version, document.full), (3, true));
        let [call] = document.calls.as_slice() else { panic!("one call: {document:?}") };
        assert_eq!((call.state, call.incoming), (CallState::Ringing, Some(true)));
        let peer = call.peer.as_ref().unwrap();
        assert_eq!((peer.uri.as_str(), peer.name.as_deref()), ("sip:101@example.nl", Some("Jan")));
    }

    #[test]
    fn presence_becomes_a_lamp() {
        let text = r#"<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:203@example.nl">
            <note>On the&#9;phone</note>
            <tuple id="t"><status><basic>open</basic></status></tuple>
            <person xmlns="urn:ietf:params:xml:ns:pidf:data-model" id="p">
              <activities xmlns="urn:ietf:params:xml:ns:pidf:rpid"><on-the-phone/></activities>
            </person></presence>"#;
        let presence = presence_of(&Presence::read(text.as_bytes()).unwrap());
        assert_eq!((presence.open, presence.busy), (Some(true), true));
        assert_eq!(presence.note.as_deref(), Some("On thephone"));
        assert_eq!(presence.activities, ["on-the-phone"]);
    }

    #[test]
    fn a_list_may_hold_presence() {
        let list = "<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"sip:team@x\" version=\"0\" \
            fullState=\"true\"><resource uri=\"sip:203@x\"><instance id=\"i\" state=\"active\" \
            cid=\"p@x\"/></resource></list>";
        let pidf = "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:203@x\">\
            <tuple id=\"t\"><status><basic>closed</basic></status></tuple></presence>";
        let body = format!(
            "--b\r\nContent-Type: application/rlmi+xml\r\nContent-ID: <l@x>\r\n\r\n{list}\r\n\
             --b\r\nContent-Type: application/pidf+xml\r\nContent-ID: <p@x>\r\n\r\n{pidf}\r\n--b--\r\n"
        );
        let kind = "multipart/related;type=\"application/rlmi+xml\";start=\"<l@x>\";boundary=b";
        let document = list_document(&EventList::read(kind, body.as_bytes()).unwrap());
        let [resource] = document.resources.as_slice() else { panic!("{document:?}") };
        let [instance] = resource.instances.as_slice() else { panic!("{resource:?}") };
        assert_eq!(instance.presence.as_ref().and_then(|told| told.open), Some(false));
    }

    #[test]
    fn a_call_that_rings_can_be_taken_when_its_name_is_told() {
        let document = |state: &str, name: &str| {
            let text = format!(
                "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" state=\"full\" \
                 entity=\"sip:102@x\"><dialog id=\"a\" direction=\"recipient\" {name}>\
                 <state>{state}</state></dialog></dialog-info>"
            );
            told_ringing(&DialogInfo::read(text.as_bytes()).unwrap()).remove(0).ringing
        };
        let name = "call-id=\"c\" local-tag=\"l\" remote-tag=\"r\"";
        let replaces = document("early", name).unwrap().replaces;
        // As whoever called has it: his own tag is the remote one of the line.
        assert_eq!(replaces.to_string(), "c;to-tag=r;from-tag=l;early-only");
        assert_eq!(document("confirmed", name), None);
        assert_eq!(document("early", "call-id=\"c\""), None);
    }
}
