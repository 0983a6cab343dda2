//! Targets that read what address books answer.

/// An answer of CardDAV with the cards in it.
///
/// # Panics
/// When somebody without a name comes of it, or more people than the document has room for.
pub fn multistatus(data: &[u8]) {
    let Ok(contacts) = contact_sources::read_cards(data) else { return };
    assert!(contacts.len() <= data.len() / 8, "every card takes its room");
    assert!(contacts.iter().all(|contact| !contact.name.is_empty()), "nobody without a name");
}
