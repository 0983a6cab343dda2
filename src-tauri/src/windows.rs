//! The windows: the main one, the pop-up for an incoming call that never takes the focus, and parts of the desk in windows
//! of their own: the wallboard, the queues, the colleagues.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tauri::{
    AppHandle, LogicalSize, Manager, Monitor, PhysicalPosition, PhysicalSize, WebviewUrl,
    WebviewWindow, WebviewWindowBuilder,
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

#[cfg(target_os = "linux")]
type Popup<'a> = WebviewWindowBuilder<'a, tauri::Wry, AppHandle>;

/// Whether closing the main window leaves the program in the tray.
struct StaysInTray(bool);

/// Builds the main window. A demo ends with its window; a real account stays reachable from the tray.
/// `hidden`: it waits in the tray until it is wanted.
pub(crate) fn build_main(handle: &AppHandle, demo: bool, hidden: bool) -> tauri::Result<()> {
    handle.manage(StaysInTray(!demo));
    WebviewWindowBuilder::new(handle, MAIN, WebviewUrl::App("index.html".into()))
        .title("Balie")
        .inner_size(DESK.width, DESK.height)
        // As a small phone it is narrow.
        .min_inner_size(380.0, 480.0)
        .zoom_hotkeys_enabled(true)
        .visible(!hidden)
        .build()?;
    Ok(())
}

/// The pop-up's page in the web process of the main window's: one of its own takes seventy megabytes. Other systems share
/// theirs by themselves. Only in the main thread.
#[cfg(target_os = "linux")]
fn in_process_of_main<'a>(handle: &AppHandle, popup: Popup<'a>) -> Popup<'a> {
    use std::cell::Cell;
    use tauri::webview::PlatformWebview;

    thread_local! {
        static PAGE: Cell<Option<PlatformWebview>> = const { Cell::new(None) };
    }
    if let Some(main) = handle.get_webview_window(MAIN) {
        log(main.with_webview(|page| PAGE.set(Some(page))), "the pop-up has its own process");
    }
    match PAGE.take() {
        Some(page) => popup.with_related_view(page.inner()),
        None => popup,
    }
}

/// Builds the pop-up, hidden, so that it is there at once when somebody calls.
pub(crate) fn build_incoming(handle: &AppHandle) -> tauri::Result<()> {
    let popup =
        WebviewWindowBuilder::new(handle, INCOMING, WebviewUrl::App("incoming.html".into()));
    #[cfg(target_os = "linux")]
    let popup = in_process_of_main(handle, popup);
    popup
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
    name: &'static str,
    page: &'static str,
    size: (f64, f64),
}

/// All of them. Each closes by itself.
const PARTS: [Part; 3] = [
    Part { name: WALLBOARD, page: "wallboard.html", size: (1280.0, 720.0) },
    Part { name: QUEUES, page: "queues.html", size: (520.0, 720.0) },
    Part { name: LINES, page: "lines.html", size: (900.0, 720.0) },
];

/// The roles of the desk; each has its own windows, at their own places.
const ROLES: [&str; 3] = ["receptionist", EMPLOYEE, "agent"];
const EMPLOYEE: &str = "employee";
/// The main window at first: a desk, and the small telephone of an employee.
const DESK: LogicalSize<f64> = LogicalSize { width: 1280.0, height: 800.0 };
const PHONE: LogicalSize<f64> = LogicalSize { width: 430.0, height: 760.0 };

/// The role that the main window shows; none before its page has told.
#[derive(Default)]
pub(crate) struct InRole(Mutex<Option<&'static str>>);

/// Where the main window stood in a role, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Spot {
    x: i32,
    y: i32,
    width: u32,
    height: u32,
}

impl Spot {
    /// None while it fills the screen or is out of sight: that is no place of its own.
    fn of(window: &WebviewWindow) -> Option<Spot> {
        let fills = |is: tauri::Result<bool>| is.unwrap_or(true);
        if fills(window.is_maximized()) || fills(window.is_minimized()) {
            return None;
        }
        let (at, size) = (window.outer_position().ok()?, window.inner_size().ok()?);
        Some(Spot { x: at.x, y: at.y, width: size.width, height: size.height })
    }

    fn put(self, window: &WebviewWindow) -> tauri::Result<()> {
        let on_screen = window.available_monitors()?.iter().any(|screen| {
            let (at, size) = (screen.position(), screen.size());
            // Its upper edge must be there to be taken by; a second screen may be gone.
            let right = at.x.saturating_add_unsigned(size.width);
            let bottom = at.y.saturating_add_unsigned(size.height);
            self.x.saturating_add(100) < right
                && self.x >= at.x - 100
                && (at.y..bottom).contains(&self.y)
        });
        window.set_size(PhysicalSize::new(self.width, self.height))?;
        match on_screen {
            true => window.set_position(PhysicalPosition::new(self.x, self.y)),
            false => Ok(()),
        }
    }
}

/// The main window goes where it stood last in a role; where it stands now is remembered for the one before.
fn move_main(handle: &AppHandle, before: Option<&str>, role: &str) -> tauri::Result<()> {
    let Some(window) = handle.get_webview_window(MAIN) else { return Ok(()) };
    // At the start it comes up where it was left.
    let Some(before) = before else { return Ok(()) };
    let Some(remembered) = handle.try_state::<Remembered>() else { return Ok(()) };
    if let Some(spot) = Spot::of(&window) {
        remembered.stood(before, spot);
    }
    match remembered.spot(role) {
        Some(spot) => spot.put(&window),
        None if window.is_maximized().unwrap_or(true) => Ok(()),
        None => first_size(before, role).map_or(Ok(()), |size| window.set_size(size)),
    }
}

/// The size of the main window in a role in which it never stood: an employee has a small telephone. None: as it is.
fn first_size(before: &str, role: &str) -> Option<LogicalSize<f64>> {
    match (before, role) {
        (_, EMPLOYEE) => Some(PHONE),
        (EMPLOYEE, _) => Some(DESK),
        _ => None,
    }
}

/// What is remembered of windows: in the folder of the settings, and for a demo, which leaves nothing behind, in this run.
pub(crate) struct Remembered {
    folder: Option<PathBuf>,
    open: Mutex<BTreeSet<String>>,
    spots: Mutex<BTreeMap<String, Spot>>,
}

/// Ends the name of the file that stands in the folder while a part is open.
const OPEN: &str = "-open";

impl Remembered {
    pub(crate) fn read(folder: Option<PathBuf>) -> Remembered {
        let listed = folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let names = listed
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let labels = names.filter_map(|name| Some(name.strip_suffix(OPEN)?.to_owned()));
        let open = labels.filter(|label| part_of(label).is_some()).collect();
        Remembered { folder, open: Mutex::new(open), spots: Mutex::default() }
    }

    fn is_open(&self, label: &str) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).contains(label)
    }

    fn opened(&self, label: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(label.to_owned());
        self.keep(&format!("{label}{OPEN}"), |file| std::fs::write(file, ""));
    }

    fn closed(&self, label: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(label);
        self.keep(&format!("{label}{OPEN}"), std::fs::remove_file);
    }

    fn stood(&self, role: &str, spot: Spot) {
        self.spots.lock().unwrap_or_else(PoisonError::into_inner).insert(role.to_owned(), spot);
        self.keep(&format!("main-{role}.json"), |file| {
            std::fs::write(file, serde_json::to_vec(&spot).map_err(std::io::Error::from)?)
        });
    }

    fn spot(&self, role: &str) -> Option<Spot> {
        let known = self.spots.lock().unwrap_or_else(PoisonError::into_inner).get(role).copied();
        let kept = || std::fs::read(self.folder.as_ref()?.join(format!("main-{role}.json"))).ok();
        known.or_else(|| serde_json::from_slice(&kept()?).ok())
    }

    fn keep(&self, name: &str, act: impl FnOnce(PathBuf) -> std::io::Result<()>) {
        let Some(folder) = &self.folder else { return };
        let done = std::fs::create_dir_all(folder).and_then(|()| act(folder.join(name)));
        match done {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::debug!(%error, name, "what is remembered of the windows is not kept");
            }
            _ => {}
        }
    }
}

/// What a window is a part of the desk as: the name of the part of `queues-agent`. None: it is no part.
pub(crate) fn part_of(label: &str) -> Option<&'static str> {
    let (name, role) = label.split_once('-')?;
    let part = PARTS.iter().find(|part| part.name == name)?;
    ROLES.contains(&role).then_some(part.name)
}

/// The main window shows a role: the windows of another one go, those that were open in this one come back. False: there is
/// no such role.
pub(crate) fn set_role(handle: &AppHandle, role: &str) -> tauri::Result<bool> {
    let Some(role) = ROLES.into_iter().find(|known| *known == role) else { return Ok(false) };
    let Some(shown) = handle.try_state::<InRole>() else { return Ok(false) };
    let before = shown.0.lock().unwrap_or_else(PoisonError::into_inner).replace(role);
    if before == Some(role) {
        return Ok(true);
    }
    for (label, window) in handle.webview_windows() {
        if part_of(&label).is_some() && !label.ends_with(role) {
            // Not closed by anybody: it comes back with its role.
            window.destroy()?;
        }
    }
    log(move_main(handle, before, role), "the main window stayed where it was");
    for part in &PARTS {
        let label = label_of(part, role);
        if handle.try_state::<Remembered>().is_some_and(|kept| kept.is_open(&label)) {
            log(show_part(handle, part.name).map(|_| ()), "a window did not come back");
        }
    }
    Ok(true)
}

fn label_of(part: &Part, role: &str) -> String {
    format!("{}-{role}", part.name)
}

/// Opens a part in its window, or brings it to the front. It comes up where it was left in this role, full screen if it
/// was. False: there is no such part.
pub(crate) fn show_part(handle: &AppHandle, name: &str) -> tauri::Result<bool> {
    let Some(part) = PARTS.iter().find(|part| part.name == name) else { return Ok(false) };
    let shown = handle.try_state::<InRole>();
    let role = shown.and_then(|shown| *shown.0.lock().unwrap_or_else(PoisonError::into_inner));
    let label = label_of(part, role.unwrap_or(ROLES[0]));
    if let Some(window) = handle.get_webview_window(&label) {
        window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus())?;
        return Ok(true);
    }
    WebviewWindowBuilder::new(handle, &label, WebviewUrl::App(part.page.into()))
        .title("Balie")
        .inner_size(part.size.0, part.size.1)
        .min_inner_size(360.0, 320.0)
        .zoom_hotkeys_enabled(true)
        // The page names itself in the chosen language.
        .on_document_title_changed(|window, title| {
            log(window.set_title(&title), "a window kept its title");
        })
        .build()?;
    if let Some(remembered) = handle.try_state::<Remembered>() {
        remembered.opened(&label);
    }
    Ok(true)
}

/// Somebody has closed a part: it stays closed.
pub(crate) fn forget_part(handle: &AppHandle, label: &str) {
    if let Some(remembered) = handle.try_state::<Remembered>() {
        remembered.closed(label);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_part_in_a_role_and_nothing_else_is() {
        assert_eq!(part_of("queues-agent"), Some(QUEUES));
        assert_eq!(part_of("wallboard-receptionist"), Some(WALLBOARD));
        for other in ["queues", "main", "incoming", "queues-nobody", "cellar-agent", "-agent"] {
            assert_eq!(part_of(other), None, "{other}");
        }
    }

    #[test]
    fn open_windows_and_places_are_found_again_for_each_role() {
        let folder = std::env::temp_dir().join(format!("balie-windows-{}", std::process::id()));
        let spot = Spot { x: 10, y: 20, width: 430, height: 760 };
        let first = Remembered::read(Some(folder.clone()));
        first.opened("queues-agent");
        first.opened("lines-receptionist");
        first.closed("lines-receptionist");
        first.stood("employee", spot);
        let again = Remembered::read(Some(folder.clone()));
        assert!(again.is_open("queues-agent") && !again.is_open("lines-receptionist"));
        assert_eq!((again.spot("employee"), again.spot("agent")), (Some(spot), None));
        std::fs::remove_dir_all(&folder).unwrap();
        // A demo remembers too, and leaves nothing behind.
        let demo = Remembered::read(None);
        demo.opened("queues-agent");
        demo.stood("agent", spot);
        assert!(demo.is_open("queues-agent"));
        assert_eq!(demo.spot("agent"), Some(spot));
    }

    #[test]
    fn an_employee_has_a_small_window_and_the_others_a_desk() {
        assert_eq!(first_size("receptionist", "employee"), Some(PHONE));
        assert_eq!(first_size("employee", "agent"), Some(DESK));
        assert_eq!(first_size("receptionist", "agent"), None);
    }
}
