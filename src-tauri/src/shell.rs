//! What the program asks of its window, carried out: updates to the pages, the pop-up, the tray.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use app::view::desktop::{Hotkeys, NoticeSettings};
use app::view::{CallView, HistoryEntry, Language, Update};
use app::{Shell, Surface, TrayState};
use tauri::{AppHandle, Manager};

use crate::news::{News, Told};
use crate::notify::Telling;
use crate::texts::Texts;
use crate::{desktop, tray, windows};

/// The window as the program sees it.
pub(crate) struct Window {
    handle: AppHandle,
    news: Mutex<News>,
    shown: Mutex<Shown>,
}

/// What is shown outside the pages, to change only what changed.
#[derive(Default)]
struct Shown {
    language: Language,
    tray: TrayState,
    hotkeys: Hotkeys,
    notices: NoticeSettings,
    ringing: Vec<CallView>,
}

impl Window {
    pub(crate) fn new(handle: AppHandle) -> Window {
        Window { handle, news: Mutex::default(), shown: Mutex::default() }
    }

    /// The page of a window wants updates; the number that it asks with.
    pub(crate) fn subscribe(&self, page: &str) -> u64 {
        self.news().open(page)
    }

    /// The page of a window is gone.
    pub(crate) fn unsubscribe(&self, page: &str) {
        self.news().close(page);
    }

    /// Waits for news of a page. None: it is gone, or was loaded anew since.
    pub(crate) async fn next(&self, page: &str, number: u64) -> Option<Vec<Update>> {
        loop {
            let told = self.news().take(page, number);
            match told {
                Told::News(updates) => return Some(updates),
                Told::Later(wake) => wake.notified().await,
                Told::Gone => return None,
            }
        }
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The language that is chosen.
    pub(crate) fn language(&self) -> Language {
        self.shown().language
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Levels and sources of contacts are shown in the main window only, lamps with the colleagues too, queues in every
    /// part of the desk.
    fn wants(page: &str, update: &Update) -> bool {
        match windows::part_of(page).unwrap_or(page) {
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
        let (handle, wanted, language) = (self.handle.clone(), wanted.clone(), self.language());
        let asked =
            self.handle.run_on_main_thread(move || desktop::take_keys(&handle, &wanted, language));
        if let Err(error) = asked {
            tracing::debug!(%error, "the keys that work everywhere were not taken");
        }
    }

    /// What notifications tell was chosen anew.
    fn notices_are(&self, wanted: NoticeSettings) {
        let mut shown = self.shown();
        if std::mem::replace(&mut shown.notices, wanted) == wanted {
            return;
        }
        let ringing = shown.ringing.clone();
        drop(shown);
        self.tell_ringing(&ringing);
    }

    fn tell_ringing(&self, ringing: &[CallView]) {
        let Some(telling) = self.handle.try_state::<Telling>() else { return };
        let (wanted, texts) = self.how_to_tell();
        telling.ringing(ringing, wanted, texts);
    }

    fn how_to_tell(&self) -> (NoticeSettings, Texts) {
        let shown = self.shown();
        (shown.notices, Texts::of(shown.language))
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
            self.notices_are(view.settings.notices);
        }
        self.news().add(&update, |page| Window::wants(page, &update));
    }

    fn incoming(&self, ringing: &[CallView]) {
        windows::show_incoming(&self.handle, !ringing.is_empty());
        self.shown().ringing = ringing.to_vec();
        self.tell_ringing(ringing);
    }

    fn missed(&self, call: &HistoryEntry) {
        if let Some(telling) = self.handle.try_state::<Telling>() {
            let (wanted, texts) = self.how_to_tell();
            telling.missed(call, wanted, texts);
        }
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
