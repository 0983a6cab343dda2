//! The desktop around the program: what a second start hands over, starting at login, keys that work everywhere.

use std::sync::{Mutex, PoisonError};

use app::code::Code;
use app::control::{Command, DeskKey, ErrorReply};
use app::view::desktop::{DesktopState, Hotkeys};
use clap::Parser;
use tauri::{AppHandle, Manager, State, Wry};
use tauri_plugin_autostart::{MacosLauncher, ManagerExt as _};
use tauri_plugin_global_shortcut::{GlobalShortcutExt as _, Shortcut, ShortcutState};

use crate::arguments::Arguments;
use crate::commands::{self, Program};
use crate::windows;

mod selection;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Key(DeskKey),
    Show,
    Dial,
}

const DOES: [Does; 6] = [
    Does::Key(DeskKey::Answer),
    Does::Key(DeskKey::Hangup),
    Does::Key(DeskKey::Hold),
    Does::Key(DeskKey::Mute),
    Does::Show,
    Does::Dial,
];

/// The keys as they were asked for last, and those that another program has.
#[derive(Default)]
pub(crate) struct Keys(Mutex<(Hotkeys, Vec<String>)>);

/// Starting at login: in the tray, so that nobody finds a window in the way.
pub(crate) fn login_plugin() -> tauri::plugin::TauriPlugin<Wry> {
    tauri_plugin_autostart::init(MacosLauncher::LaunchAgent, Some(vec!["--hidden"]))
}

/// Somebody started the program again: it is told what they wanted, or comes up.
pub(crate) fn second_start(handle: &AppHandle, words: &[String]) {
    // Words that are none were refused by the second start itself, in its own terminal.
    let wish = Arguments::try_parse_from(words).ok().and_then(Arguments::wish);
    match wish {
        Some(command) => commands::wish(handle, command),
        None => windows::show_main(handle),
    }
}

/// Whether the desktop lets programs have keys everywhere.
fn keys_can_be_had() -> bool {
    !cfg!(target_os = "linux")
        || std::env::var("XDG_SESSION_TYPE").map_or(true, |kind| kind != "wayland")
            && std::env::var_os("DISPLAY").is_some()
}

/// Asks the desktop for the keys of the settings, if they are others than before. What another program has is
/// remembered for [`desktop`]. To be called on the thread of the windows.
pub(crate) fn take_keys(handle: &AppHandle, wanted: &Hotkeys) {
    let Some(keys) = handle.try_state::<Keys>().filter(|_| keys_can_be_had()) else { return };
    let mut state = keys.0.lock().unwrap_or_else(PoisonError::into_inner);
    if state.0 == *wanted {
        return;
    }
    let all = handle.global_shortcut();
    if let Err(error) = all.unregister_all() {
        tracing::warn!(%error, "the desktop kept keys that are wanted no more");
    }
    let mut taken = Vec::new();
    for (key, does) in wanted.all().into_iter().zip(DOES) {
        if key.is_empty() {
            continue;
        }
        let registered =
            key.parse::<Shortcut>().map_err(|error| error.to_string()).and_then(|shortcut| {
                all.on_shortcut(shortcut, move |handle, _, event| {
                    if event.state() == ShortcutState::Pressed {
                        perform(handle, does);
                    }
                })
                .map_err(|error| error.to_string())
            });
        if let Err(error) = registered {
            tracing::warn!(key, error, "a key that should work everywhere cannot be had");
            taken.push(key.to_owned());
        }
    }
    *state = (wanted.clone(), taken);
}

fn perform(handle: &AppHandle, does: Does) {
    match does {
        Does::Key(key) => commands::wish(handle, Command::DeskKey { key }),
        Does::Show => windows::show_main(handle),
        Does::Dial => {
            let handle = handle.clone();
            tauri::async_runtime::spawn_blocking(move || match selection::text() {
                Some(text) => commands::wish(&handle, Command::DeskPrepare { text }),
                None => windows::show_main(&handle),
            });
        }
    }
}

/// How the program stands in the desktop.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "the runtime hands arguments over by value")]
pub(crate) fn desktop(handle: AppHandle, keys: State<'_, Keys>) -> DesktopState {
    let start_at_login = handle.autolaunch().is_enabled();
    if let Err(error) = &start_at_login {
        tracing::debug!(%error, "whether the program starts at login is not known");
    }
    DesktopState {
        start_at_login: start_at_login.ok(),
        hotkeys: keys_can_be_had(),
        taken: keys.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone(),
    }
}

/// Has the program start at login, or no longer.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "the runtime hands arguments over by value")]
pub(crate) fn start_at_login(handle: AppHandle, on: bool) -> Result<(), ErrorReply> {
    let launch = handle.autolaunch();
    let done = if on { launch.enable() } else { launch.disable() };
    done.map_err(|error| ErrorReply::new(Code::NotSupported, error.to_string()))
}

/// Takes the keys of a choice, and keeps it. What another program has is told afterwards by [`desktop`].
#[tauri::command]
pub(crate) async fn set_hotkeys(
    hotkeys: Hotkeys,
    handle: AppHandle,
    program: State<'_, Program>,
) -> Result<(), ErrorReply> {
    if let Some(odd) =
        hotkeys.all().iter().find(|key| !key.is_empty() && key.parse::<Shortcut>().is_err())
    {
        return Err(ErrorReply::new(Code::BadValue, format!("{odd} is no key")));
    }
    let (language, theme, keys) = (None, None, Some(hotkeys.clone()));
    program.ask(Command::SettingsSet { language, theme, hotkeys: keys, guard: None }).await?;
    let (tell, done) = std::sync::mpsc::sync_channel(1);
    let windows = handle.clone();
    handle
        .run_on_main_thread(move || {
            take_keys(&windows, &hotkeys);
            // Nobody waits any more when the program ends.
            let _ = tell.send(());
        })
        .map_err(|error| ErrorReply::new(Code::Internal, error.to_string()))?;
    let waited = tauri::async_runtime::spawn_blocking(move || done.recv()).await;
    waited
        .map_err(|error| error.to_string())
        .and_then(|told| told.map_err(|error| error.to_string()))
        .map_err(|error| ErrorReply::new(Code::Internal, error))
}
