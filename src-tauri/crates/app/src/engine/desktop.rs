//! What is asked for from outside the window: which call is meant, and what is laid ready to be dialled.

use std::time::Instant;

use contacts::{Dialled as Typed, dialled};

use super::commands::Outcome;
use super::desk::Desk;
use super::{Ask, Reply};
use crate::code::Code;
use crate::control::{Answer, Command, DeskKey, ErrorReply};
use crate::shell::Surface;
use crate::view::desktop::Hotkeys;
use crate::view::{CallAction, CallState, CallView};

/// The longest text that is laid ready, in characters: an address may be long, a page of a book is a mistake.
const LONGEST: usize = 256;

impl Desk {
    /// Does to the call that is meant what a key asks for.
    pub(super) fn desk_key(&mut self, now: Instant, key: DeskKey, reply: Reply) {
        match meant(&self.view().calls, key) {
            Some(command) => self.ask(now, Ask { command, reply }),
            None => {
                let why = format!("there is no call to {}", verb(key));
                reply(Err(ErrorReply::new(Code::WrongState, why)));
            }
        }
    }

    /// Lays a number, an address or a name ready in the window. Nothing is dialled: what comes from a link or a
    /// clipboard was written by somebody else.
    pub(super) fn prepare(&mut self, text: &str) -> Outcome {
        let bad = |why: String| ErrorReply::new(Code::BadTarget, why);
        if text.chars().count() > LONGEST {
            return Err(bad("that is too long to be dialled".to_owned()));
        }
        let prepared = match dialled(text).map_err(|error| bad(error.to_string()))? {
            Typed::Number(text) | Typed::Address(text) | Typed::Name(text) => text,
        };
        if prepared.chars().any(char::is_control) {
            return Err(bad("that is no number and no address".to_owned()));
        }
        self.prepared = Some(prepared);
        self.publisher.changed();
        self.shell.open(Surface::Main);
        Ok(Answer::done())
    }

    /// The window shows what was laid ready.
    pub(super) fn prepared_taken(&mut self) -> Outcome {
        self.prepared = None;
        self.publisher.changed();
        Ok(Answer::done())
    }

    /// Keeps the keys that work everywhere; the window is the one that asks the desktop for them.
    pub(super) fn set_hotkeys(&mut self, hotkeys: Hotkeys) -> Result<(), ErrorReply> {
        if !hotkeys.are_possible() {
            return Err(ErrorReply::new(
                Code::BadValue,
                "a key is none, or stands twice".to_owned(),
            ));
        }
        self.settings.config.ui.hotkeys = hotkeys;
        Ok(())
    }
}

const fn verb(key: DeskKey) -> &'static str {
    match key {
        DeskKey::Answer => "answer",
        DeskKey::Hangup => "hang up",
        DeskKey::Hold => "hold or take back",
        DeskKey::Mute => "mute",
    }
}

/// The command that a key stands for; none when there is no call it could mean. `calls` in the order of
/// [`crate::view::AppView::calls`].
fn meant(calls: &[CallView], key: DeskKey) -> Option<Command> {
    let waits = |call: &CallView| call.actions.contains(&CallAction::Answer);
    let in_hand = |action| {
        let mut fitting = calls.iter().filter(move |call| call.actions.contains(&action));
        fitting.find(|call| !waits(call) && call.state != CallState::Held)
    };
    match key {
        DeskKey::Answer => {
            calls.iter().find(|call| waits(call)).map(|call| Command::Answer { call: call.id })
        }
        DeskKey::Hangup => {
            in_hand(CallAction::Hangup).map(|call| Command::Hangup { call: call.id })
        }
        DeskKey::Hold => in_hand(CallAction::Hold)
            .map(|call| Command::Hold { call: call.id })
            .or_else(|| only_held(calls).map(|call| Command::Resume { call: call.id })),
        DeskKey::Mute => in_hand(CallAction::Mute)
            .map(|call| Command::Mute { call: call.id, on: true })
            .or_else(|| {
                in_hand(CallAction::Unmute).map(|call| Command::Mute { call: call.id, on: false })
            }),
    }
}

/// The call on hold, if there is exactly one: of two, a key outside the window cannot say which.
fn only_held(calls: &[CallView]) -> Option<&CallView> {
    let mut held = calls.iter().filter(|call| call.actions.contains(&CallAction::Resume));
    held.next().filter(|_| held.next().is_none())
}

#[cfg(test)]
mod tests;
