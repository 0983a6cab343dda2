//! The desktop around the program: what a second start hands over, starting at login, keys that work everywhere.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::desktop::hail::Said;
use ::desktop::shortcuts::{Shortcuts, Standing, Wish};
use app::code::Code;
use app::control::{Command, DeskKey, ErrorReply};
use app::view::Language;
use app::view::desktop::{DesktopState, GivenKey, Hotkeys};
use clap::Parser;
use tauri::{AppHandle, Manager, State, Wry};
use tauri_plugin_autostart::{MacosLauncher, ManagerExt as _};
use tauri_plugin_global_shortcut::{GlobalShortcutExt as _, Shortcut, ShortcutState};

use crate::arguments::Arguments;
use crate::commands::{self, Program};
use crate::notify::Telling;
use crate::texts::Texts;
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

/// How long the desktop's question to its user is waited for before the view is shown as it stands.
const ASKING: Duration = Duration::from_secs(60);

/// Names of the keys at the portal, in the same order.
const NAMES: [&str; 6] = ["answer", "hangup", "hold", "mute", "show", "dial"];

/// The portal that gives keys, where programs may not take them: on Wayland.
pub(crate) struct Portal(Option<Shortcuts>);

impl Portal {
    /// Looks for it; within the runtime.
    pub(crate) fn start(handle: &AppHandle) -> Portal {
        let handle = handle.clone();
        let does = move |name: String| {
            let known = NAMES.iter().zip(DOES).find(|(known, _)| **known == name);
            if let Some((_, does)) = known {
                perform(&handle, does);
            }
        };
        Portal(is_wayland().then(|| Shortcuts::start(does)))
    }

    /// Waits, not for ever, until the desktop has answered the last wish: it may be asking its user.
    async fn answered(&self) {
        let Some(mut keys) = self.0.clone() else { return };
        let settled =
            keys.until(|standing| !matches!(standing, Standing::Unknown | Standing::Asked));
        if tokio::time::timeout(ASKING, settled).await.is_err() {
            tracing::debug!("the desktop has not answered yet");
        }
    }

    fn standing(&self) -> Standing {
        self.0.as_ref().map_or(Standing::Absent, Shortcuts::standing)
    }

    fn wish(&self, wanted: &Hotkeys, language: Language) {
        let Some(keys) = &self.0 else { return };
        let words = Texts::of(language).keys;
        let all = wanted.all().into_iter().zip(NAMES).zip(words);
        let wishes = all.filter(|((key, _), _)| !key.is_empty()).map(|((key, name), words)| Wish {
            id: name.to_owned(),
            words: words.to_owned(),
            key: key.to_owned(),
        });
        keys.wish(wishes.collect());
    }
}

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

/// Obeys the words of a second process, and says what came of them.
pub(crate) async fn obey(handle: AppHandle, words: Vec<String>) -> Said {
    let words = std::iter::once("balie".to_owned()).chain(words);
    let wish = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments.wish(),
        Err(error) => return Said::refused(word_of(Code::BadRequest), error.to_string()),
    };
    let Some(command) = wish else {
        windows::show_main(&handle);
        return Said::done();
    };
    let Some(program) = handle.try_state::<Program>() else {
        return Said::refused(word_of(Code::WrongState), "the program has not begun");
    };
    match program.ask(command).await {
        Ok(_) => Said::done(),
        Err(error) => Said::refused(word_of(error.code), error.message),
    }
}

/// The stable word of a reason.
fn word_of(code: Code) -> String {
    let word = serde_json::to_value(code).ok();
    word.as_ref().and_then(serde_json::Value::as_str).unwrap_or("internal").to_owned()
}

/// Whether the session is one in which programs can neither take keys nor say where their windows stand.
pub(crate) fn is_wayland() -> bool {
    cfg!(target_os = "linux")
        && std::env::var("XDG_SESSION_TYPE").is_ok_and(|kind| kind == "wayland")
}

/// Whether programs may take keys themselves.
fn keys_can_be_taken() -> bool {
    !cfg!(target_os = "linux") || !is_wayland() && std::env::var_os("DISPLAY").is_some()
}

/// Asks the desktop for the keys of the settings, if they are others than before. What another program has is
/// remembered for [`desktop`]. To be called on the thread of the windows.
pub(crate) fn take_keys(handle: &AppHandle, wanted: &Hotkeys, language: Language) {
    let Some(keys) = handle.try_state::<Keys>() else { return };
    let mut state = keys.0.lock().unwrap_or_else(PoisonError::into_inner);
    if state.0 == *wanted {
        return;
    }
    if !keys_can_be_taken() {
        if let Some(portal) = handle.try_state::<Portal>() {
            portal.wish(wanted, language);
        }
        *state = (wanted.clone(), Vec::new());
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
        let registered = shortcut_of(key).and_then(|shortcut| {
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

/// A key as the system knows it. What people press as Command on a Mac is written Ctrl everywhere.
fn shortcut_of(key: &str) -> Result<Shortcut, String> {
    let key = match key.strip_prefix("Ctrl+") {
        Some(rest) => format!("CmdOrCtrl+{rest}"),
        None => key.to_owned(),
    };
    key.parse::<Shortcut>().map_err(|error| error.to_string())
}

fn perform(handle: &AppHandle, does: Does) {
    match does {
        Does::Key(key) => press(handle, key),
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

/// A key that was pressed in some program. Where it is to be pressed twice, that is told where it is seen.
fn press(handle: &AppHandle, key: DeskKey) {
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        let Some(program) = handle.try_state::<Program>() else { return };
        let Err(error) = program.ask(Command::DeskKey { key, guarded: true }).await else { return };
        tracing::info!(%error, "what a key asked for was not done");
        if error.code == Code::CallWaiting
            && let Some(telling) = handle.try_state::<Telling>()
        {
            telling.asks_again(&error.message, Texts::of(program.language()));
        }
    });
}

/// How the program stands in the desktop.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "the runtime hands arguments over by value")]
pub(crate) fn desktop(
    handle: AppHandle,
    keys: State<'_, Keys>,
    portal: State<'_, Portal>,
) -> DesktopState {
    let start_at_login = handle.autolaunch().is_enabled();
    if let Err(error) = &start_at_login {
        tracing::debug!(%error, "whether the program starts at login is not known");
    }
    let (wanted, taken) = keys.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let standing = portal.standing();
    let asks = !matches!(standing, Standing::Absent | Standing::Unknown);
    let (given, taken) = match standing {
        Standing::Given(given) => {
            let refused = wanted.all().into_iter().zip(NAMES).filter(|(key, name)| {
                !key.is_empty() && !given.iter().any(|(does, _)| does == name)
            });
            let refused = refused.map(|(key, _)| key.to_owned()).collect();
            (given.into_iter().map(|(does, key)| GivenKey { does, key }).collect(), refused)
        }
        Standing::Refused => {
            let all = wanted.all().into_iter().filter(|key| !key.is_empty());
            (Vec::new(), all.map(str::to_owned).collect())
        }
        _ => (Vec::new(), taken),
    };
    DesktopState {
        start_at_login: start_at_login.ok(),
        hotkeys: keys_can_be_taken() || asks,
        taken,
        asks,
        given,
        notices: cfg!(any(target_os = "linux", target_os = "macos", windows)),
        notices_of_calls: is_wayland(),
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
    portal: State<'_, Portal>,
) -> Result<(), ErrorReply> {
    if let Some(odd) = hotkeys.all().iter().find(|key| !key.is_empty() && shortcut_of(key).is_err())
    {
        return Err(ErrorReply::new(Code::BadValue, format!("{odd} is no key")));
    }
    let change = Command::SettingsSet {
        language: None,
        theme: None,
        hotkeys: Some(hotkeys.clone()),
        guard: None,
        notices: None,
    };
    program.ask(change).await?;
    let language = program.language();
    let (tell, done) = std::sync::mpsc::sync_channel(1);
    let windows = handle.clone();
    handle
        .run_on_main_thread(move || {
            take_keys(&windows, &hotkeys, language);
            // Nobody waits any more when the program ends.
            let _ = tell.send(());
        })
        .map_err(|error| ErrorReply::new(Code::Internal, error.to_string()))?;
    let waited = tauri::async_runtime::spawn_blocking(move || done.recv()).await;
    waited
        .map_err(|error| error.to_string())
        .and_then(|told| told.map_err(|error| error.to_string()))
        .map_err(|error| ErrorReply::new(Code::Internal, error))?;
    portal.answered().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_can_be_chosen_is_one_of_the_system() {
        for key in
            ["Ctrl+Alt+K", "Ctrl+Shift+F9", "Alt+Shift+1", "F12", "Pause", "Ctrl+Alt+ArrowUp"]
        {
            assert!(shortcut_of(key).is_ok(), "{key}");
        }
        assert!(shortcut_of("Ctrl+Nonsense").is_err());
        let command = cfg!(target_os = "macos");
        let chosen = shortcut_of("Ctrl+Alt+K").unwrap();
        assert_eq!(chosen == "Cmd+Alt+K".parse::<Shortcut>().unwrap(), command);
        assert_eq!(chosen == "Ctrl+Alt+K".parse::<Shortcut>().unwrap(), !command);
    }

    #[test]
    fn reasons_are_told_in_their_stable_words() {
        assert_eq!(word_of(Code::WrongState), "wrong_state");
        assert_eq!(word_of(Code::BadTarget), "bad_target");
    }
}
