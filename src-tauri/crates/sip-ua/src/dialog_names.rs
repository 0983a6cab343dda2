//! Dialogs by name, for servers that are asked about them (RFC 3891 Replaces, RFC 4235 dialog-info).

use sip_types::{Replaces, Uri};

use crate::{SessionId, UserAgent, dialog::DialogId, session::Session};

/// The name of a session's dialog as seen from our side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogName {
    /// The Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The peer's tag.
    pub remote_tag: String,
}

impl UserAgent {
    /// The name of a session's dialog; of the first early one while several telephones ring.
    /// `None` before there is any.
    #[must_use]
    pub fn dialog_name(&self, session: SessionId) -> Option<DialogName> {
        let DialogId { call_id, local_tag, remote_tag } =
            self.sessions.get(&session).and_then(Session::dialog_name)?;
        Some(DialogName { call_id, local_tag: local_tag?, remote_tag: remote_tag? })
    }

    /// The Contact of a session's peer. `None` before a call of ours is answered, and after the end.
    #[must_use]
    pub fn remote_target(&self, session: SessionId) -> Option<&Uri> {
        self.sessions.get(&session).and_then(Session::remote_target)
    }

    /// The session whose dialog (or early dialog) a Replaces header names (RFC 3891 section 3).
    #[must_use]
    pub fn replaced_session(&self, replaces: &Replaces) -> Option<SessionId> {
        let id = DialogId {
            call_id: replaces.call_id.clone(),
            local_tag: Some(replaces.to_tag.clone()),
            remote_tag: Some(replaces.from_tag.clone()),
        };
        let mut found = self.sessions.values().filter(|session| !session.has_ended());
        found.find(|session| session.is_named(&id)).map(|session| session.id)
    }
}
