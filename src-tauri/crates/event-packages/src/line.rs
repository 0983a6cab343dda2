//! What a dialog-info document says in the terms of somebody who watches a line.

use crate::{Dialog, DialogInfo, DialogState, Direction};

/// How a call of a watched line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineCallState {
    /// The line is being called.
    Ringing,
    /// The line calls, talks, or does something we have no word for.
    Busy,
    /// The line has put the call on hold.
    Held,
    /// The call is over.
    Over,
}

/// One call of a watched line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineCall {
    /// Its name within the line.
    pub id: String,
    /// How it stands.
    pub state: LineCallState,
    /// `Some(true)`: the other side called.
    pub incoming: Option<bool>,
    /// The other side's URI, if told.
    pub peer: Option<String>,
    /// The other side's name, if told.
    pub peer_name: Option<String>,
}

/// The calls of a document, in its order.
pub fn line_calls(document: &DialogInfo) -> impl Iterator<Item = LineCall> + '_ {
    document.dialogs.iter().map(|dialog| line_call(dialog, &document.entity))
}

fn line_call(dialog: &Dialog, entity: &str) -> LineCall {
    let remote = dialog.remote.as_ref();
    let target = remote.and_then(|remote| remote.target.clone());
    let peer = remote.and_then(|remote| remote.identity.clone()).or(target);
    // Asterisk names the line itself where it does not know the other side.
    let peer = peer.filter(|peer| peer != entity && !peer.is_empty());
    LineCall {
        id: dialog.id.clone(),
        state: state(dialog),
        incoming: dialog.direction.map(|direction| direction == Direction::Incoming),
        peer_name: peer.as_ref().and_then(|_| remote?.display.clone()),
        peer,
    }
}

fn state(dialog: &Dialog) -> LineCallState {
    let held = dialog.local.as_ref().and_then(crate::Party::rendering) == Some(false);
    match dialog.state {
        DialogState::Terminated => LineCallState::Over,
        DialogState::Confirmed if held => LineCallState::Held,
        // Some servers tell no direction: what rings there, rings the line.
        DialogState::Early | DialogState::Proceeding | DialogState::Trying
            if dialog.direction != Some(Direction::Outgoing) =>
        {
            match (&dialog.state, dialog.direction) {
                (DialogState::Trying, None) => LineCallState::Busy,
                _ => LineCallState::Ringing,
            }
        }
        _ => LineCallState::Busy,
    }
}
