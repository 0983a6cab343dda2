//! The windows: the main one, the pop-up for an incoming call that never takes the focus, and the wallboard.

use std::path::PathBuf;

use tauri::{
    AppHandle, LogicalSize, Manager, Monitor, PhysicalPosition, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder,
};

/// Label of the main window.
pub(crate) const MAIN: &str = "main";
/// Label of the pop-up.
pub(crate) const INCOMING: &str = "incoming";
/// Label of the wallboard.
pub(crate) const WALLBOARD: &str = "wallboard";

/// Size of the pop-up in logical pixels.
const POPUP: LogicalSize<f64> = LogicalSize { width: 372.0, height: 196.0 };
/// Distance of the pop-up from the edges of the screen, in logical pixels.
const MARGIN: f64 = 16.0;

/// Whether closing the main window leaves the program in the tray.
struct StaysInTray(bool);

/// Builds the main window. A demo ends with its window; a real account stays reachable from the tray.
/// `hidden`: it waits in the tray until it is wanted.
pub(crate) fn build_main(handle: &AppHandle, demo: bool, hidden: bool) -> tauri::Result<()> {
    handle.manage(StaysInTray(!demo));
    WebviewWindowBuilder::new(handle, MAIN, WebviewUrl::App("index.html".into()))
        .title("Balie")
        .inner_size(1280.0, 800.0)
        // As a small phone it is narrow.
        .min_inner_size(380.0, 480.0)
        .zoom_hotkeys_enabled(true)
        .visible(!hidden)
        .build()?;
    Ok(())
}

/// Builds the pop-up, hidden, so that it is there at once when somebody calls.
pub(crate) fn build_incoming(handle: &AppHandle) -> tauri::Result<()> {
    WebviewWindowBuilder::new(handle, INCOMING, WebviewUrl::App("incoming.html".into()))
        .title("Balie")
        .inner_size(POPUP.width, POPUP.height)
        .resizable(false)
        .maximizable(false)
        .minimizable(false)
        .decorations(false)
        .always_on_top(true)
        .visible_on_all_workspaces(true)
        .skip_taskbar(true)
        .focused(false)
        .visible(false)
        .build()?;
    Ok(())
}

/// Opens the wallboard, or brings it to the front. It comes up where it was left, full screen if it was.
pub(crate) fn show_wallboard(handle: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = handle.get_webview_window(WALLBOARD) {
        return window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    }
    WebviewWindowBuilder::new(handle, WALLBOARD, WebviewUrl::App("wallboard.html".into()))
        .title("Balie")
        .inner_size(1280.0, 720.0)
        .min_inner_size(480.0, 320.0)
        .zoom_hotkeys_enabled(true)
        // The page names itself in the chosen language.
        .on_document_title_changed(|window, title| {
            log(window.set_title(&title), "the wallboard kept its title");
        })
        .build()?;
    if let Some(mark) = wallboard_mark(handle)
        && let Err(error) = std::fs::write(mark, "")
    {
        tracing::debug!(%error, "that the wallboard is open is not remembered");
    }
    Ok(())
}

/// Stands in the folder of the settings while the wallboard is open, so that it opens again at the next start.
fn wallboard_mark(handle: &AppHandle) -> Option<PathBuf> {
    // A demo leaves nothing behind.
    let folder = handle.path().app_config_dir().ok().filter(|_| stays_in_tray(handle))?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("wallboard-open"))
}

/// Opens the wallboard if it was open when the program ended.
pub(crate) fn restore_wallboard(handle: &AppHandle) {
    if wallboard_mark(handle).is_some_and(|mark| mark.exists()) {
        log(show_wallboard(handle), "the wallboard did not come back");
    }
}

/// Somebody has closed the wallboard: it stays closed.
pub(crate) fn forget_wallboard(handle: &AppHandle) {
    if let Some(mark) = wallboard_mark(handle).filter(|mark| mark.exists())
        && let Err(error) = std::fs::remove_file(mark)
    {
        tracing::debug!(%error, "that the wallboard is closed is not remembered");
    }
}

/// See [`build_main`].
pub(crate) fn stays_in_tray(handle: &AppHandle) -> bool {
    handle.try_state::<StaysInTray>().is_some_and(|stays| stays.0)
}

/// Brings the main window to the front.
pub(crate) fn show_main(handle: &AppHandle) {
    let Some(window) = handle.get_webview_window(MAIN) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    log(shown, "the main window did not come up");
}

/// Takes the main window off the screen.
pub(crate) fn hide_main(handle: &AppHandle) {
    let Some(window) = handle.get_webview_window(MAIN) else { return };
    log(window.hide(), "the main window did not hide");
}

/// Shows the pop-up at the bottom right of the screen in use, or takes it away. Never gives it the focus.
pub(crate) fn show_incoming(handle: &AppHandle, visible: bool) {
    let Some(window) = handle.get_webview_window(INCOMING) else { return };
    let done = if visible { place(&window).and_then(|()| window.show()) } else { window.hide() };
    log(done, "the pop-up did not obey");
}

fn place(window: &WebviewWindow) -> tauri::Result<()> {
    match screen_in_use(window)? {
        Some(screen) => window.set_position(corner(&screen)),
        None => Ok(()),
    }
}

/// The screen with the pointer on it, else the first one.
fn screen_in_use(window: &WebviewWindow) -> tauri::Result<Option<Monitor>> {
    let pointed = window
        .cursor_position()
        .and_then(|pointer| window.monitor_from_point(pointer.x, pointer.y))
        .unwrap_or_default();
    match pointed {
        Some(screen) => Ok(Some(screen)),
        None => window.primary_monitor(),
    }
}

fn corner(screen: &Monitor) -> PhysicalPosition<i32> {
    let area = screen.work_area();
    let scale = screen.scale_factor();
    let right = f64::from(area.position.x) + f64::from(area.size.width);
    let bottom = f64::from(area.position.y) + f64::from(area.size.height);
    let left = right - (POPUP.width + MARGIN) * scale;
    let top = bottom - (POPUP.height + MARGIN) * scale;
    PhysicalPosition::new(left.round() as i32, top.round() as i32)
}

fn log(done: tauri::Result<()>, what: &str) {
    if let Err(error) = done {
        tracing::debug!(%error, "{what}");
    }
}
