//! Targets that read what address books and calendars answer.

use contact_sources::Period;

/// An answer of CardDAV with the cards in it.
///
/// # Panics
/// When somebody without a name comes of it, or more people than the document has room for.
pub fn multistatus(data: &[u8]) {
    let Ok(contacts) = contact_sources::read_cards(data) else { return };
    assert!(contacts.len() <= data.len() / 8, "every card takes its room");
    assert!(contacts.iter().all(|contact| !contact.name.is_empty()), "nobody without a name");
}

/// What a calendar's server tells of when somebody is free.
///
/// # Panics
/// When the times that come of it do not fill the period once, in their order.
pub fn free_busy(data: &[u8]) {
    // A day of November 2026.
    let period = Period { from_ms: 1_795_651_200_000, to_ms: 1_795_737_600_000 };
    let Ok(told) = contact_sources::read_free_busy(data, "jan@example.nl", period) else { return };
    let mut at = period.from_ms;
    let mut before = None;
    for (standing, span) in told.spans {
        assert!(span.from_ms == at && span.to_ms > at, "no gap, and nothing twice");
        assert!(before != Some(standing), "what goes on is one span");
        (at, before) = (span.to_ms, Some(standing));
    }
    assert_eq!(at, period.to_ms, "to its end");
}
