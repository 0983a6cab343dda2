//! What is asked for from outside the window: which call is meant, and what is laid ready to be dialled.

use std::time::{Duration, Instant};

use call_control::{Call, State};
use contacts::{Dialled as Typed, dialled};
use tracing::debug;

use super::commands::Outcome;
use super::desk::Desk;
use super::{Ask, Reply};
use crate::code::Code;
use crate::control::{Answer, Command, DeskKey, ErrorReply};
use crate::shell::Surface;
use crate::view::desktop::Hotkeys;
use crate::view::{CallAction, CallState, CallView, PeerView};

/// The longest text that is laid ready, in characters: an address may be long, a page of a book is a mistake.
const LONGEST: usize = 256;

/// How long a press that would put a conversation on hold waits for the second.
const AGREE: Duration = Duration::from_secs(5);
/// A press sooner than this after another one is a key that is held or bounces. Longer than keyboards wait before they
/// repeat a key.
const SAME_PRESS: Duration = Duration::from_millis(700);

/// The key that answers while somebody talks: the first press asks, another one answers. Inputs: presses, time.
#[derive(Debug, Default)]
pub(super) struct WaitingKey {
    asked: Option<Asked>,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    call: u64,
    first: Instant,
    last: Instant,
}

impl WaitingKey {
    /// The key is pressed for a call; true when that answers it.
    fn press(&mut self, now: Instant, call: u64) -> bool {
        let asked = self.asked.filter(|asked| asked.call == call && now < asked.first + AGREE);
        let again = asked.is_some_and(|asked| now >= asked.last + SAME_PRESS);
        debug!(call, again, "waits, pressed -> {}", if again { "answered" } else { "asked" });
        let first = asked.map_or(now, |asked| asked.first);
        // Kept when it answers, too: what was told goes once the call rings no more.
        self.asked = Some(Asked { call, first, last: now });
        again
    }

    fn asks_about(&self, call: u64) -> bool {
        self.asked.is_some_and(|asked| asked.call == call)
    }
}

impl Desk {
    /// Does to the call that is meant what a key asks for.
    pub(super) fn desk_key(&mut self, now: Instant, key: DeskKey, guarded: bool, reply: Reply) {
        let calls = self.view().calls;
        match meant(&calls, key) {
            Some(Command::Answer { call })
                if guarded && somebody_talks(&calls) && !self.waiting_key.press(now, call) =>
            {
                let called = calls.iter().find(|one| one.id == call);
                let who = called.map(|call| who(&call.peer)).unwrap_or_default();
                self.notice(now, Code::CallWaiting, Some(who.clone()), false);
                reply(Err(ErrorReply::new(Code::CallWaiting, who)));
            }
            Some(command) => self.ask(now, Ask { command, reply }),
            None => {
                let why = format!("there is no call to {}", verb(key));
                reply(Err(ErrorReply::new(Code::WrongState, why)));
            }
        }
    }

    /// A call that was asked about rings no more: there is nothing to press again for.
    pub(super) fn watch_asked(&mut self, call: &Call) {
        if self.waiting_key.asks_about(call.id().0) && call.state() != State::Ringing {
            self.waiting_key = WaitingKey::default();
            self.withdraw(Code::CallWaiting);
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

/// Somebody would be put on hold by answering another call.
fn somebody_talks(calls: &[CallView]) -> bool {
    let talks = |state| matches!(state, CallState::Active | CallState::HeldByPeer);
    calls.iter().any(|call| call.answered_ms.is_some() && talks(call.state))
}

/// Whom a notice is about.
fn who(peer: &PeerView) -> String {
    [&peer.name, &peer.number]
        .into_iter()
        .find(|text| !text.is_empty())
        .cloned()
        .unwrap_or_default()
}

/// The call on hold, if there is exactly one: of two, a key outside the window cannot say which.
fn only_held(calls: &[CallView]) -> Option<&CallView> {
    let mut held = calls.iter().filter(|call| call.actions.contains(&CallAction::Resume));
    held.next().filter(|_| held.next().is_none())
}

#[cfg(test)]
mod tests;
