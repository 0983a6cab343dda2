//! What the program asks of its window, carried out: updates to the pages, the pop-up, the tray.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use app::view::desktop::Hotkeys;
use app::view::{CallView, Language, Update};
use app::{Shell, Surface, TrayState};
use tauri::AppHandle;
use tauri::ipc::Channel;

use crate::{desktop, tray, windows};

/// The window as the program sees it.
pub(crate) struct Window {
    handle: AppHandle,
    shown: Mutex<Shown>,
}

/// What is shown outside the pages, to change only what changed.
#[derive(Default)]
struct Shown {
    pages: HashMap<String, Channel<Update>>,
    language: Language,
    tray: TrayState,
    hotkeys: Hotkeys,
}

impl Window {
    pub(crate) fn new(handle: AppHandle) -> Window {
        Window { handle, shown: Mutex::default() }
    }

    /// The page of a window wants updates.
    pub(crate) fn subscribe(&self, page: &str, updates: Channel<Update>) {
        self.shown().pages.insert(page.to_owned(), updates);
    }

    /// The page of a window is gone.
    pub(crate) fn unsubscribe(&self, page: &str) {
        self.shown().pages.remove(page);
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Levels and sources of contacts are shown in the main window only, lamps with the colleagues too, queues in every
    /// part of the desk.
    fn wants(page: &str, update: &Update) -> bool {
        match page {
            windows::MAIN => true,
            windows::LINES => !matches!(update, Update::Levels(_) | Update::Sources(_)),
            windows::WALLBOARD | windows::QUEUES => {
                !matches!(update, Update::Levels(_) | Update::Lines(_) | Update::Sources(_))
            }
            _ => matches!(update, Update::View(_)),
        }
    }

    /// The keys that work everywhere are those of the settings.
    fn take_keys(&self, wanted: &Hotkeys) {
        let mut shown = self.shown();
        if shown.hotkeys == *wanted {
            return;
        }
        shown.hotkeys = wanted.clone();
        drop(shown);
        let (handle, wanted) = (self.handle.clone(), wanted.clone());
        let asked = self.handle.run_on_main_thread(move || desktop::take_keys(&handle, &wanted));
        if let Err(error) = asked {
            tracing::debug!(%error, "the keys that work everywhere were not taken");
        }
    }

    fn speak(&self, language: Language) {
        let mut shown = self.shown();
        if shown.language != language {
            shown.language = language;
            let state = shown.tray;
            drop(shown);
            tray::show(&self.handle, state, language);
        }
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").finish_non_exhaustive()
    }
}

impl Shell for Window {
    fn publish(&self, update: Update) {
        if let Update::View(view) = &update {
            self.speak(view.settings.language);
            self.take_keys(&view.settings.hotkeys);
        }
        let pages: Vec<_> = self
            .shown()
            .pages
            .iter()
            .filter(|(page, _)| Window::wants(page, &update))
            .map(|(_, updates)| updates.clone())
            .collect();
        for page in pages {
            if let Err(error) = page.send(update.clone()) {
                tracing::debug!(%error, "a page did not take an update");
            }
        }
    }

    fn incoming(&self, ringing: &[CallView]) {
        windows::show_incoming(&self.handle, !ringing.is_empty());
    }

    fn tray(&self, state: TrayState) {
        let mut shown = self.shown();
        shown.tray = state;
        let language = shown.language;
        drop(shown);
        tray::show(&self.handle, state, language);
    }

    fn open(&self, _: Surface) {
        windows::show_main(&self.handle);
    }
}
