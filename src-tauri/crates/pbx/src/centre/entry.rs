//! A caller in a queue: Queued, Offered or Whisper, and one end.
//!
//! Inputs: the exchange tells how he stands (snapshot or change), or that he has left. What is told in the
//! wrong order does not bring back who has left.

use tracing::debug;

use super::model::{EntryState, QueueEntry};

/// Takes over what is told of a caller who is known. True when that is news.
pub(super) fn update(known: &mut QueueEntry, told: QueueEntry) -> bool {
    // An entry that bounced or was moved stays one that did, though later news may leave it out.
    let told = QueueEntry {
        bounced: told.bounced || known.bounced,
        reordered: told.reordered || known.reordered,
        priority: told.priority.or(known.priority),
        state: agent_kept(&known.state, told.state),
        ..told
    };
    if *known == told {
        return false;
    }
    if known.state != told.state {
        debug!("entry: {:?}, told -> {:?}", known.state, told.state);
    }
    *known = told;
    true
}

/// News that does not say at whom it rings leaves who it was.
fn agent_kept(known: &EntryState, told: EntryState) -> EntryState {
    let agent = match known {
        EntryState::Offered(agent) | EntryState::Whisper(agent) => agent.clone(),
        EntryState::Queued => None,
    };
    match told {
        EntryState::Offered(None) => EntryState::Offered(agent),
        EntryState::Whisper(None) => EntryState::Whisper(agent),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{Party, Priority, QueuedCallId, UserId};
    use super::*;

    fn entry(state: EntryState) -> QueueEntry {
        QueueEntry {
            call: QueuedCallId("c".into()),
            caller: Party::default(),
            since: 1,
            priority: None,
            state,
            bounced: false,
            reordered: false,
            entrance: false,
        }
    }

    #[test]
    fn what_news_leaves_out_stays() {
        let agent = Some(UserId("jan".into()));
        let mut known = QueueEntry {
            priority: Some(Priority::High),
            bounced: true,
            ..entry(EntryState::Offered(agent.clone()))
        };
        assert!(update(&mut known, entry(EntryState::Whisper(None))));
        assert_eq!(known.state, EntryState::Whisper(agent));
        assert_eq!((known.priority, known.bounced), (Some(Priority::High), true));
        assert!(update(&mut known, entry(EntryState::Queued)));
        assert!(!update(&mut known, entry(EntryState::Queued)), "no news");
    }
}
