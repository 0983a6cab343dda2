//! Calls that come in and calls that were missed, told by the desktop's notifications with buttons.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::desktop::notices::{DEFAULT, Notice, Notices};
use app::code::Code;
use app::control::Command;
use app::view::desktop::NoticeSettings;
use app::view::{CallView, HistoryEntry};
use tauri::{AppHandle, Manager};

use crate::commands::{self, Program};
use crate::desktop as keys;
use crate::texts::Texts;
use crate::windows;

/// Keys of missed calls begin here; below are the ids of calls.
const MISSED: u64 = 1 << 60;
/// What a key is asked again with: one for all.
const AGAIN: u64 = MISSED - 1;
/// Missed calls that can still be called back from their notification.
const KEPT: u64 = 50;

const ANSWER: &str = "answer";
const REFUSE: &str = "refuse";
const CALL_BACK: &str = "call_back";

/// What is shown, and what a press on it means.
pub(crate) struct Telling {
    notices: Notices,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Calls that are told of, with their words.
    calls: HashMap<u64, (String, String)>,
    /// Whom a missed call was from: account and number.
    missed: HashMap<u64, (String, String)>,
    last: u64,
}

impl Telling {
    /// Begins; within the runtime.
    pub(crate) fn start(handle: &AppHandle) -> Telling {
        let program = handle.config().identifier.clone();
        let handle = handle.clone();
        let notices = Notices::start(&program, move |key, action| pressed(&handle, key, &action));
        Telling { notices, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls that ring now: each is told of while it rings, where that is wanted.
    pub(crate) fn ringing(&self, calls: &[CallView], wanted: NoticeSettings, texts: Texts) {
        let wanted = wanted.calls.unwrap_or_else(keys::is_wayland);
        let ringing = || calls.iter().filter(|_| wanted);
        let mut state = self.state();
        let over: Vec<u64> = state
            .calls
            .keys()
            .copied()
            .filter(|id| !ringing().any(|call| call.id == *id))
            .collect();
        for id in over {
            state.calls.remove(&id);
            self.notices.close(id);
        }
        for call in ringing() {
            let t = texts.notices;
            let queue = call.queue.as_ref().map(|queue| queue.name.as_str());
            let words = (t.calling(&call.peer), t.more(&call.peer, queue.or(call.via.as_deref())));
            if state.calls.insert(call.id, words.clone()).as_ref() == Some(&words) {
                continue;
            }
            self.notices.show(Notice {
                key: call.id,
                summary: words.0,
                body: words.1,
                category: "call.incoming",
                urgent: true,
                actions: buttons(&[(ANSWER, t.answer), (REFUSE, t.refuse)]),
            });
        }
    }

    /// A key would have put the conversation on hold: `who` is answered when it is pressed again.
    pub(crate) fn asks_again(&self, who: &str, texts: Texts) {
        let t = texts.notices;
        self.notices.show(Notice {
            key: AGAIN,
            summary: t.calls_again(who),
            body: t.again.to_owned(),
            category: "call.incoming",
            urgent: false,
            actions: buttons(&[]),
        });
    }

    /// A call was missed.
    pub(crate) fn missed(&self, call: &HistoryEntry, wanted: NoticeSettings, texts: Texts) {
        if !wanted.missed {
            return;
        }
        let t = texts.notices;
        let mut state = self.state();
        state.last += 1;
        let key = MISSED | state.last;
        let mut actions = Vec::new();
        if !call.peer.number.is_empty() {
            let oldest = MISSED | state.last.saturating_sub(KEPT);
            state.missed.insert(key, (call.account.clone(), call.peer.number.clone()));
            state.missed.remove(&oldest);
            actions.push((CALL_BACK, t.call_back));
        }
        let more = t.more(&call.peer, None);
        let body = if more.is_empty() {
            t.who(&call.peer)
        } else {
            format!("{} · {more}", t.who(&call.peer))
        };
        self.notices.show(Notice {
            key,
            summary: t.missed.to_owned(),
            body,
            category: "call.unanswered",
            urgent: false,
            actions: buttons(&actions),
        });
    }
}

fn buttons(actions: &[(&str, &str)]) -> Vec<(String, String)> {
    let all = actions.iter().copied().chain([(DEFAULT, "Balie")]);
    all.map(|(name, words)| (name.to_owned(), words.to_owned())).collect()
}

fn pressed(handle: &AppHandle, key: u64, action: &str) {
    match action {
        ANSWER => commands::wish(handle, Command::Answer { call: key }),
        REFUSE => commands::wish(handle, Command::Reject { call: key, status: None }),
        CALL_BACK => call_back(handle, key),
        _ => windows::show_main(handle),
    }
}

/// Calls back. What may cost or is not let out is laid ready instead, so that the window can ask.
fn call_back(handle: &AppHandle, key: u64) {
    let telling = handle.try_state::<Telling>();
    let Some((account, to)) = telling.and_then(|telling| telling.state().missed.remove(&key))
    else {
        return windows::show_main(handle);
    };
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        let Some(program) = handle.try_state::<Program>() else { return };
        let call = Command::Dial {
            to: to.clone(),
            account: Some(account),
            withhold: false,
            guarded: true,
        };
        let refused = program.ask(call).await.err();
        if let Some(refused) = refused {
            tracing::info!(code = ?refused.code, "a missed call was not called back at once");
            if matches!(refused.code, Code::AsksFirst | Code::NumberBlocked) {
                commands::wish(&handle, Command::DeskPrepare { text: to });
                return;
            }
        }
        windows::show_main(&handle);
    });
}
