//! The windows: the main one, the pop-up for an incoming call that never takes the focus, and parts of the desk in windows
//! of their own: the wallboard, the queues, the colleagues.

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
/// Label of the queues in a window of their own.
pub(crate) const QUEUES: &str = "queues";
/// Label of the colleagues in a window of their own.
pub(crate) const LINES: &str = "lines";

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

/// A part of the desk that may have a window of its own.
struct Part {
    label: &'static str,
    page: &'static str,
    size: (f64, f64),
}

/// All of them. Each closes by itself and opens again at the next start if it was open.
const PARTS: [Part; 3] = [
    Part { label: WALLBOARD, page: "wallboard.html", size: (1280.0, 720.0) },
    Part { label: QUEUES, page: "queues.html", size: (520.0, 720.0) },
    Part { label: LINES, page: "lines.html", size: (900.0, 720.0) },
];

/// Whether a window is a part of the desk, and closes by itself.
pub(crate) fn is_part(label: &str) -> bool {
    PARTS.iter().any(|part| part.label == label)
}

/// Opens a part in its window, or brings it to the front. It comes up where it was left, full screen if it was. False:
/// there is no such part.
pub(crate) fn show_part(handle: &AppHandle, label: &str) -> tauri::Result<bool> {
    let Some(part) = PARTS.iter().find(|part| part.label == label) else { return Ok(false) };
    if let Some(window) = handle.get_webview_window(label) {
        window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus())?;
        return Ok(true);
    }
    WebviewWindowBuilder::new(handle, part.label, WebviewUrl::App(part.page.into()))
        .title("Balie")
        .inner_size(part.size.0, part.size.1)
        .min_inner_size(360.0, 320.0)
        .zoom_hotkeys_enabled(true)
        // The page names itself in the chosen language.
        .on_document_title_changed(|window, title| {
            log(window.set_title(&title), "a window kept its title");
        })
        .build()?;
    if let Some(mark) = mark_of(handle, label)
        && let Err(error) = std::fs::write(mark, "")
    {
        tracing::debug!(%error, label, "that a window is open is not remembered");
    }
    Ok(true)
}

/// Stands in the folder of the settings while a part is open, so that it opens again at the next start.
fn mark_of(handle: &AppHandle, label: &str) -> Option<PathBuf> {
    // A demo leaves nothing behind.
    let folder = handle.path().app_config_dir().ok().filter(|_| stays_in_tray(handle))?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join(format!("{label}-open")))
}

/// Opens the parts that were open when the program ended.
pub(crate) fn restore_parts(handle: &AppHandle) {
    for part in &PARTS {
        if mark_of(handle, part.label).is_some_and(|mark| mark.exists()) {
            log(show_part(handle, part.label).map(|_| ()), "a window did not come back");
        }
    }
}

/// Somebody has closed a part: it stays closed.
pub(crate) fn forget_part(handle: &AppHandle, label: &str) {
    if let Some(mark) = mark_of(handle, label).filter(|mark| mark.exists())
        && let Err(error) = std::fs::remove_file(mark)
    {
        tracing::debug!(%error, label, "that a window is closed is not remembered");
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
