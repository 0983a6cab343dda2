//! Targets that read what notifications carry: event packages, bodies of several parts, sipfrag.

use event_packages::{
    DialogInfo, EventList, HotelingEvent, MessageSummary, Presence, RegistrationInfo, ResourceList,
    SetHoteling, Sipfrag, answer_after, appearances, line_calls, read_call_park, read_features,
    read_parts, write_call_park, write_features,
};

/// dialog-info: read, reduced to what a lamp needs, written and read back.
///
/// # Panics
/// When what is written does not read back the same.
pub fn dialog_info(data: &[u8]) {
    let Ok(document) = DialogInfo::read(data) else { return };
    assert!(line_calls(&document).count() <= data.len());
    let again = DialogInfo::read(document.write().as_bytes());
    assert_eq!(again.map(|again| again.dialogs.len()), Ok(document.dialogs.len()));
}

/// Presence and registrations.
pub fn presence(data: &[u8]) {
    if let Ok(presence) = Presence::read(data) {
        let _ = presence.basic();
    }
    let _ = RegistrationInfo::read(data);
}

/// A body of several parts after a line with its Content-Type: as a list and as features.
///
/// # Panics
/// When parts are found outside the body, or a list that is written does not read back.
pub fn multipart(data: &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let (head, body) = data.split_at(end);
    let kind = String::from_utf8_lossy(head);
    if let Ok(parts) = read_parts(&kind, body) {
        let held: usize = parts.iter().map(|part| part.body.len()).sum();
        assert!(held <= body.len(), "parts do not overlap");
    }
    if let Ok(list) = EventList::read(&kind, body) {
        list.each(&mut |resource, list| {
            for instance in &resource.instances {
                if let Some((_, body)) = list.state(instance) {
                    dialog_info(body);
                }
            }
        });
        let again = ResourceList::read(list.list.write().as_bytes());
        assert_eq!(again.map(|again| again.resources.len()), Ok(list.list.resources.len()));
    }
    if let Ok(features) = read_features(&kind, body) {
        let (kind, bytes) = write_features(&features, "a-boundary-of-our-own");
        assert_eq!(read_features(&kind, &bytes).map(|again| again.len()), Ok(features.len()));
    }
}

/// One feature document, who is parked, or which guest has a telephone.
///
/// # Panics
/// When who is parked, or the guest, does not read back the same.
pub fn feature_event(data: &[u8]) {
    if let Ok(parked) = read_call_park(data) {
        let again = read_call_park(write_call_park(parked.as_ref()).as_bytes());
        assert_eq!(again, Ok(parked));
    }
    if let Ok(event) = HotelingEvent::read(data) {
        assert_eq!(HotelingEvent::read(event.write().as_bytes()), Ok(event));
    }
    if let Ok(wish) = SetHoteling::read(data) {
        assert_eq!(SetHoteling::read(wish.write().as_bytes()), Ok(wish));
    }
    let _ = read_features("application/x-as-feature-event+xml", data);
}

/// What is no XML: sipfrag, message summaries, the Call-Info of shared lines.
///
/// # Panics
/// When a message summary that is written does not say the same.
pub fn sipfrag(data: &[u8]) {
    if let Ok(fragment) = Sipfrag::read(data) {
        let again = Sipfrag::read(fragment.to_string().as_bytes());
        assert_eq!(again.map(|again| again.code), Ok(fragment.code));
    }
    if let Ok(summary) = MessageSummary::read(data) {
        let again = MessageSummary::read(summary.write().as_bytes());
        assert_eq!(again.map(|again| again.waiting), Ok(summary.waiting));
    }
    let text = String::from_utf8_lossy(data);
    assert!(appearances(&text).len() <= 256);
    let _ = answer_after(&text);
}
