//! Targets that read what BroadWorks' web services send: the endless answer of the event channel, and JSON.

use pbx_broadworks::{
    HttpAnswer, Release, json,
    wire::{self, AgentSettings, Call, Delivery, DirectoryKind, Event, Profile, ServiceState},
    xml::{self, Element, Splitter},
};

/// The event channel: cut into documents in two ways of chunks, each read as whatever it may be.
///
/// # Panics
/// When the borders of chunks make a difference, or a document is cut that cannot be one.
pub fn xsi_stream(data: &[u8]) {
    let mut whole = Splitter::default();
    whole.handle_input(data);
    let mut pieces = Splitter::default();
    data.chunks(7).for_each(|chunk| pieces.handle_input(chunk));
    loop {
        let document = whole.poll_output();
        assert_eq!(document, pieces.poll_output(), "the borders of chunks make a difference");
        match document {
            Some(Ok(document)) => {
                assert!(document.first() == Some(&b'<') && document.last() == Some(&b'>'));
                read(&document);
            }
            Some(Err(_)) => {}
            None => return,
        }
    }
}

fn read(document: &[u8]) {
    let Ok(root) = xml::read(document, None) else { return };
    if let Ok(Delivery::Event(event)) = Delivery::read(&root) {
        let Event { event_id, subscription_id, .. } = *event;
        assert!(!event_id.is_empty() && !subscription_id.is_empty());
    }
    answers(&root);
}

/// An answer, by its first sign JSON or XML, read as everything that an action may ask for.
pub fn badgerfish(data: &[u8]) {
    if let Ok(root) = json::read(data, None) {
        answers(&root);
    }
    let answer = HttpAnswer { status: 400, body: data.to_vec(), ..HttpAnswer::default() };
    let _ = answer.reply().map_err(|error| error.to_string());
}

fn answers(root: &Element) {
    let _ = (Profile::read(root), AgentSettings::read(root), Call::read(root), Release::read(root));
    let _ = (wire::read_queue(root), wire::read_agents(root), wire::read_subscriptions(root));
    let _ = (wire::read_log(root), wire::read_enhanced_log(root), wire::read_messages(root));
    for path in ServiceState::paths() {
        let Some(state) = ServiceState::read(path, root) else { continue };
        if let Some(text) = state.write() {
            assert!(
                xml::read(text.as_bytes(), None).is_ok(),
                "what is written does not read: {text}"
            );
        }
    }
    for kind in [DirectoryKind::Enterprise, DirectoryKind::Group] {
        let page = wire::read_people(kind, root);
        // A directory that is read to its end has an end.
        assert!(page.next_start(u32::MAX).is_none());
    }
}
