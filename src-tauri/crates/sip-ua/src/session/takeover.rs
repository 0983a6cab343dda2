//! A call that takes the place of another, or joins it (RFC 3891, RFC 3911).
//!
//! No state machine: the new session remembers whom it replaces, and ends it when answered.

use sip_types::StatusCode;

use super::{Phase, Session};
use crate::{EndCause, SessionId, shared::Cx};

/// The sessions that an INVITE's Replaces and Join name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TakenOver {
    pub replaces: Option<SessionId>,
    pub joins: Option<SessionId>,
}

impl Session {
    /// Whether a new call may take this one's place (RFC 3891 section 3).
    pub(crate) fn may_be_replaced(&self, early_only: bool) -> Result<(), StatusCode> {
        match &self.phase {
            _ if self.ended => Err(StatusCode::DECLINE),
            Phase::Established(_) if early_only => Err(StatusCode::BUSY_HERE),
            // Ours that still rings: the callee asks us to talk to somebody else instead.
            Phase::Established(_) | Phase::Outgoing(_) => Ok(()),
            // An early dialog that was not begun by us.
            Phase::Incoming(_) => Err(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST),
            Phase::Closing(_) | Phase::Gone => Err(StatusCode::DECLINE),
        }
    }

    /// Whether a new call may be added to this one (RFC 3911 section 4).
    pub(crate) fn may_be_joined(&self) -> Result<(), StatusCode> {
        match &self.phase {
            _ if self.ended => Err(StatusCode::DECLINE),
            Phase::Established(_) => Ok(()),
            Phase::Outgoing(_) | Phase::Incoming(_) => {
                Err(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST)
            }
            Phase::Closing(_) | Phase::Gone => Err(StatusCode::DECLINE),
        }
    }

    /// Another call has taken this one's place.
    pub(crate) fn replaced_by(&mut self, cx: &mut Cx<'_>, by: SessionId) {
        if !self.ended {
            self.end(cx, EndCause::replaced(by));
            self.hangup(cx, None);
        }
    }
}
