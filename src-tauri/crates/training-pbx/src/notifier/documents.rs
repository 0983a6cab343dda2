//! What a NOTIFY carries, in the words of the event packages.

use std::collections::BTreeMap;
use std::time::Instant;

use event_packages::{
    Basic, Contact, ContactEvent, Count, Dialog, DialogInfo, DialogName, DialogState, Direction,
    HotelingEvent, Instance, InstanceState, MessageSummary, ParkedIdentity, Party, Presence,
    RegistrationInfo, RegistrationPhase, RegistrationRecord, Resource, ResourceList, Tuple,
    write_call_park, write_related,
};

use super::subscription::LIST;
use super::{Hosted, Names};
use crate::company::Person;
use crate::exchange::{End, Line, LineDialog, Stage};
use crate::mailboxes::Mailbox;
use crate::registrar::Gone;

const DIALOG_INFO: &str = "application/dialog-info+xml";
const RLMI: &str = "application/rlmi+xml";
const PIDF: &str = "application/pidf+xml";
const REGINFO: &str = "application/reginfo+xml";
const SUMMARY: &str = "application/simple-message-summary";
const HOTELING: &str = "application/x-broadworks-hoteling+xml";
const CALL_PARK: &str = "application/x-broadworks-callpark-info+xml";

/// A content type and a body.
pub(super) type Document = (String, Vec<u8>);

/// All calls of one line.
pub(super) fn line(names: &Names, line: &str, version: u32, state: Option<&Line>) -> Document {
    let dialogs = state.map(|line| line.dialogs.as_slice()).unwrap_or_default();
    (DIALOG_INFO.to_owned(), dialog_info(names, line, version, dialogs))
}

/// Who is parked at a line.
pub(super) fn call_park(parked: Option<&ParkedIdentity>) -> Document {
    (CALL_PARK.to_owned(), write_call_park(parked).into_bytes())
}

/// Which guest has a line's telephone.
pub(super) fn hoteling(now: Instant, names: &Names, hosted: &Hosted) -> Document {
    let guest = hosted.guest.as_ref();
    let left = |until: Instant| until.saturating_duration_since(now).as_secs();
    let event = HotelingEvent {
        guest: guest.map(|(line, _)| names.uri(line)),
        expires: guest
            .and_then(|(_, until)| *until)
            .map(|until| u32::try_from(left(until)).unwrap_or(u32::MAX)),
        nonce: hosted.nonce.clone(),
    };
    (HOTELING.to_owned(), event.write().into_bytes())
}

/// What waits in a mailbox.
pub(super) fn messages(names: &Names, line: &str, mailbox: Mailbox) -> Document {
    let count = Count { new: mailbox.new, old: mailbox.old, ..Count::default() };
    let summary = MessageSummary {
        waiting: mailbox.new > 0,
        account: Some(names.uri(line)),
        counts: vec![("voice-message".to_owned(), count)],
    };
    (SUMMARY.to_owned(), summary.write().into_bytes())
}

/// Whether somebody can be reached, and whether he is on the phone.
pub(super) fn presence(names: &Names, line: &str, state: Option<&Line>) -> Document {
    let unreachable = state.is_some_and(|line| line.unreachable);
    let talking = state.is_some_and(|line| !line.dialogs.is_empty());
    let entity = names.uri(line);
    let basic = if unreachable { Basic::Closed } else { Basic::Open };
    let tuple = Tuple {
        id: "line".to_owned(),
        basic: Some(basic),
        contact: Some(entity.clone()),
        ..Tuple::default()
    };
    let (activities, notes) = match talking {
        true => (vec!["on-the-phone".to_owned()], vec!["On the phone".to_owned()]),
        false => (Vec::new(), Vec::new()),
    };
    let presence = Presence { entity, tuples: vec![tuple], activities, notes };
    (PIDF.to_owned(), presence.write().into_bytes())
}

/// All phones of a line, and those that have just gone.
pub(super) fn registrations(
    names: &Names,
    line: &str,
    version: u32,
    contacts: &[String],
    gone: &[Gone],
) -> Document {
    let contact = |uri: &String, phase, event| Contact {
        id: uri.clone(),
        uri: uri.clone(),
        phase,
        event,
        expires: None,
        retry_after: None,
        display: None,
    };
    let (active, terminated) = (RegistrationPhase::Active, RegistrationPhase::Terminated);
    let held = contacts.iter().map(|uri| contact(uri, active, ContactEvent::Registered));
    // One that is back again is not gone.
    let gone = gone.iter().filter(|gone| !contacts.contains(&gone.contact));
    let gone = gone.map(|gone| contact(&gone.contact, terminated, gone.event));
    let record = RegistrationRecord {
        aor: names.uri(line),
        id: line.to_owned(),
        phase: if contacts.is_empty() { terminated } else { active },
        contacts: held.chain(gone).collect(),
    };
    let info = RegistrationInfo { version, full: true, registrations: vec![record] };
    (REGINFO.to_owned(), info.write().into_bytes())
}

/// The lines of a list, all or those that have changed; one instance for each call of a line, as BroadWorks has it.
/// `mark` makes the boundary and the names of the parts its own.
pub(super) fn list(
    names: &Names,
    (owner, mark): (&str, &str),
    (version, full): (u32, bool),
    people: &[Person],
    lines: &BTreeMap<String, Line>,
) -> Document {
    let mut parts = Vec::new();
    let free = Line::default();
    let mut resource = |person: &Person| {
        let line = lines.get(&person.extension).unwrap_or(&free);
        let id = |index: usize| format!("{}-{version}-{index}@{mark}", person.extension);
        let mut instances = Vec::new();
        let mut instance = |name: String, dialogs: &[LineDialog]| {
            let cid = id(instances.len());
            let document = dialog_info(names, &person.extension, version, dialogs);
            parts.push((cid.clone(), document));
            let state = InstanceState::Active;
            instances.push(Instance { id: name, state, reason: None, cid: Some(cid) });
        };
        for dialog in &line.dialogs {
            instance(dialog.id.clone(), std::slice::from_ref(dialog));
        }
        if line.dialogs.is_empty() && !line.unreachable {
            instance("idle".to_owned(), &[]);
        }
        if instances.is_empty() {
            let state = InstanceState::Terminated;
            let reason = Some("noresource".to_owned());
            instances.push(Instance { id: "none".to_owned(), state, reason, cid: None });
        }
        Resource { uri: names.uri(&person.extension), name: Some(person.name.clone()), instances }
    };
    let resources: Vec<Resource> = people.iter().map(&mut resource).collect();
    let uri = names.uri(&format!("{LIST}{owner}"));
    let root = ResourceList { uri, version, full, resources }.write();
    let root_id = format!("list-{version}@{mark}");
    let mut all: Vec<(&str, &str, &[u8])> = vec![(RLMI, &root_id, root.as_bytes())];
    all.extend(parts.iter().map(|(cid, bytes)| (DIALOG_INFO, cid.as_str(), bytes.as_slice())));
    write_related(&all, &format!("part-{mark}"))
}

fn dialog_info(names: &Names, line: &str, version: u32, dialogs: &[LineDialog]) -> Vec<u8> {
    let entity = names.uri(line);
    let dialogs = dialogs.iter().map(|call| dialog(&entity, call)).collect();
    DialogInfo { version, full: true, entity, dialogs }.write().into_bytes()
}

fn dialog(entity: &str, call: &LineDialog) -> Dialog {
    // The name as the line's own phone has it: our tag is the other side's to it.
    let name = call.name.clone().map(|name| DialogName {
        call_id: name.call_id,
        local_tag: name.remote_tag,
        remote_tag: name.local_tag,
    });
    let rendering = ("+sip.rendering".to_owned(), "no".to_owned());
    let remote = if call.remote.withheld {
        Party { display: Some("Anonymous".to_owned()), ..Party::default() }
    } else {
        Party {
            identity: Some(call.remote.uri.to_string()),
            display: call.remote.display.clone(),
            ..Party::default()
        }
    };
    Dialog {
        id: call.id.clone(),
        name,
        direction: Some(match call.end {
            End::Caller => Direction::Outgoing,
            End::Called => Direction::Incoming,
        }),
        state: match call.stage {
            Stage::Early => DialogState::Early,
            Stage::Confirmed => DialogState::Confirmed,
        },
        event: None,
        code: None,
        duration: None,
        replaces: None,
        local: Some(Party {
            identity: Some(entity.to_owned()),
            target: Some(entity.to_owned()),
            params: if call.held { vec![rendering] } else { Vec::new() },
            ..Party::default()
        }),
        remote: Some(remote),
    }
}
