//! The tray icon: a bell whose mark tells the state by shape, with a menu to open and to quit.

use app::view::Language;
use app::{Tray, TrayState};
use tauri::image::Image;
use tauri::include_image;
use tauri::menu::{Menu, MenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};

use crate::texts::Texts;
use crate::{commands, windows};

const ID: &str = "state";
const TOLD: &str = "told";
const OPEN: &str = "open";
const QUIT: &str = "quit";

fn image(tray: Tray) -> Image<'static> {
    match tray {
        Tray::Offline => include_image!("../icons/tray/idle-64.png"),
        Tray::Trouble => include_image!("../icons/tray/unreachable-64.png"),
        Tray::Ready => include_image!("../icons/tray/registered-64.png"),
        Tray::InCall => include_image!("../icons/tray/in_call-64.png"),
        Tray::Ringing => include_image!("../icons/tray/ringing-64.png"),
    }
}

/// A line of the menu: its id, its words, and whether it can be pressed.
type Entry = (&'static str, String, bool);

/// The menu. The first line only tells, as not every desktop shows what the icon says when pointed at.
fn entries(texts: Texts, state: TrayState) -> [Entry; 3] {
    [
        (TOLD, texts.tooltip(state.tray, state.missed), false),
        (OPEN, texts.open.to_owned(), true),
        (QUIT, texts.quit.to_owned(), true),
    ]
}

fn menu(handle: &AppHandle, texts: Texts, state: TrayState) -> tauri::Result<Menu<Wry>> {
    let menu = Menu::new(handle)?;
    for (id, words, enabled) in entries(texts, state) {
        menu.append(&MenuItem::with_id(handle, id, words, enabled, None::<&str>)?)?;
    }
    Ok(menu)
}

/// Puts the icon in the tray.
pub(crate) fn build(handle: &AppHandle) -> tauri::Result<()> {
    let texts = Texts::of(Language::System);
    TrayIconBuilder::with_id(ID)
        .icon(image(Tray::Offline))
        .tooltip(texts.tooltip(Tray::Offline, 0))
        .menu(&menu(handle, texts, TrayState::default())?)
        .show_menu_on_left_click(false)
        .on_menu_event(|handle, event| match event.id().as_ref() {
            OPEN => windows::show_main(handle),
            QUIT => commands::quit(handle),
            _ => {}
        })
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                windows::show_main(tray.app_handle());
            }
        })
        .build(handle)?;
    Ok(())
}

/// Shows a state in a language.
pub(crate) fn show(handle: &AppHandle, state: TrayState, language: Language) {
    let Some(tray) = handle.tray_by_id(ID) else { return };
    let texts = Texts::of(language);
    let done = tray
        .set_icon(Some(image(state.tray)))
        .and_then(|()| tray.set_tooltip(Some(texts.tooltip(state.tray, state.missed))))
        .and_then(|()| tray.set_menu(Some(menu(handle, texts, state)?)));
    if let Err(error) = done {
        tracing::debug!(%error, "the tray did not change");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_tells_what_was_missed_where_it_cannot_be_pressed() {
        let texts = Texts::of(Language::Nl);
        let told = |tray, missed| entries(texts, TrayState { tray, missed });
        let [first, open, quit] = told(Tray::Ready, 3);
        assert_eq!((&*first.1, first.2), ("Balie: Bereikbaar, 3 gemist", false));
        assert_eq!((open.0, open.2, quit.0, quit.2), (OPEN, true, QUIT, true));
        assert_eq!(told(Tray::Offline, 0)[0].1, texts.tooltip(Tray::Offline, 0));
    }
}
