//! The window of Balie: starts the program and shows what it decides. No decisions are made here.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod arguments;
mod commands;
mod desktop;
mod news;
mod notify;
mod shell;
mod texts;
mod tray;
mod web_engine;
mod windows;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ::desktop::hail;
use app::config::Config;
use app::logs::{self, Log, LogOptions};
use app::view::Language;
use app::{App, Headsets, StartOptions};
use clap::Parser;
use tauri::{AppHandle, CloseRequestApi, Manager, RunEvent, WindowEvent};
use tauri_plugin_window_state::StateFlags;

use crate::arguments::{Arguments, Word};
use crate::commands::Program;
use crate::desktop::{Keys, Portal};
use crate::notify::Telling;
use crate::shell::Window;
use crate::texts::Texts;

/// What a window finds again when it is opened anew. Of the main window nothing is ever full screen.
const STATE_KEPT: StateFlags = StateFlags::POSITION
    .union(StateFlags::SIZE)
    .union(StateFlags::MAXIMIZED)
    .union(StateFlags::FULLSCREEN);

fn main() -> ExitCode {
    web_engine::configure();
    let arguments = Arguments::parse();
    if let Some(ended) = arguments.word.as_ref().and_then(give) {
        return ended;
    }
    let built = tauri::Builder::default()
        // First of all plugins: a second start must do nothing else than call the first.
        .plugin(tauri_plugin_single_instance::init(|app, words, _| {
            desktop::second_start(app, &words);
        }))
        .plugin(desktop::login_plugin())
        .plugin(tauri_plugin_global_shortcut::Builder::new().build())
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_denylist(&[windows::INCOMING])
                .with_state_flags(STATE_KEPT)
                .build(),
        )
        .invoke_handler(tauri::generate_handler![
            commands::control,
            commands::subscribe,
            commands::news,
            commands::open_wallboard,
            commands::open_pane,
            commands::show_role,
            desktop::desktop,
            desktop::start_at_login,
            desktop::set_hotkeys
        ])
        .setup(move |app| Ok(open(app.handle(), arguments)?))
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            app.run(on_event);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the window system refused");
            ExitCode::FAILURE
        }
    }
}

/// Logs beside the settings; where that cannot be, to standard error alone. None when a log was there before.
fn start_log(settings: &Path) -> Option<Log> {
    let file = settings.with_file_name("logs").join("balie.log");
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    let options = |file| LogOptions {
        file,
        file_bytes: logs::FILE_BYTES,
        level: "info,app=debug,call_control=debug,sip_ua=debug,sip_transport=debug,pbx=debug",
        stderr: true,
    };
    let started = folder.and_then(|()| logs::start(options(Some(&file))));
    match started {
        Ok(log) => Some(log),
        Err(error) => {
            let log = logs::start(options(None)).ok();
            tracing::warn!(%error, file = %file.display(), "no log is kept");
            log
        }
    }
}

/// A word for a program that does not run starts none: who gave it would wait for a call to be answered.
#[expect(clippy::print_stderr, reason = "the one who gave the word reads it there")]
fn say_not_running() {
    eprintln!("{}", Texts::of(Language::System).words.not_running);
}

/// Gives a word to the running program and says what came of it. None: none runs that hears words.
#[expect(clippy::print_stderr, reason = "the one who gave the word reads it there")]
fn give(word: &Word) -> Option<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let said = hail::ask(&arguments::place()?, &words).ok()?;
    if said.done {
        return Some(ExitCode::SUCCESS);
    }
    eprintln!("{}", Texts::of(Language::System).words.refusal(word, &said.code));
    Some(ExitCode::FAILURE)
}

/// Hears the words of second processes.
fn hear(handle: &AppHandle) {
    let Some(place) = arguments::place() else { return };
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        let obey = move |words| desktop::obey(handle.clone(), words);
        if let Err(error) = hail::serve(place, obey).await {
            tracing::warn!(%error, "what words of the command line came to is not told");
        }
    });
}

/// Starts the program, then the windows that show it.
fn open(handle: &AppHandle, arguments: Arguments) -> tauri::Result<()> {
    if arguments.needs_a_running_program() {
        say_not_running();
        handle.exit(1);
        return Ok(());
    }
    handle.manage(Keys::default());
    handle.manage(windows::InRole::default());
    let settings = arguments.settings_file(handle)?;
    let folder = settings.parent().map(Path::to_path_buf);
    handle.manage(windows::Remembered::read(folder.filter(|_| !arguments.demo)));
    handle.manage(start_log(&settings));
    // Both live on the runtime.
    let begin = async { (Telling::start(handle), Portal::start(handle)) };
    let (telling, portal) = tauri::async_runtime::block_on(begin);
    handle.manage(telling);
    handle.manage(portal);
    let window = Arc::new(Window::new(handle.clone()));
    let options = StartOptions {
        config: Config::default(),
        settings: Some(settings),
        sound: arguments.audio.clone(),
        demo: arguments.demo,
        first_customer: arguments.first_customer.map(|seconds| Duration::from_secs(seconds.into())),
        headsets: Headsets::System,
        ..StartOptions::default()
    };
    tray::build(handle)?;
    let started = tauri::async_runtime::block_on(App::start(options, window.clone()));
    let program = match started {
        Ok(app) => {
            let program = Program::running(app.handle(), window);
            let handle = handle.clone();
            tauri::async_runtime::spawn(async move {
                app.finished().await;
                handle.exit(0);
            });
            program
        }
        Err(error) => {
            tracing::error!(%error, "the program could not start");
            Program::failed(error.code(), &error, window)
        }
    };
    handle.manage(program);
    hear(handle);
    windows::build_main(handle, arguments.demo, arguments.hidden)?;
    windows::build_incoming(handle)?;
    if let Some(command) = arguments.wish() {
        commands::wish(handle, command);
    }
    Ok(())
}

fn on_event(handle: &AppHandle, event: RunEvent) {
    // The process ends here without a drop.
    if let RunEvent::Exit = event
        && let Some(log) = handle.try_state::<Option<Log>>()
        && let Some(log) = log.as_ref()
    {
        log.close();
    }
    #[cfg(target_os = "macos")]
    if let RunEvent::Opened { urls } = &event {
        for link in urls {
            desktop::second_start(handle, &["balie".to_owned(), link.to_string()]);
        }
    }
    if let RunEvent::WindowEvent { label, event, .. } = event {
        match event {
            WindowEvent::CloseRequested { api, .. } => on_close(handle, &label, &api),
            WindowEvent::Destroyed => {
                if let Some(program) = handle.try_state::<Program>() {
                    program.left(&label);
                }
            }
            _ => {}
        }
    }
}

/// Only parts of the desk in windows of their own really close; the main window hides or ends the program, the pop-up is taken away by the program.
fn on_close(handle: &AppHandle, label: &str, api: &CloseRequestApi) {
    match label {
        part if windows::part_of(part).is_some() => return windows::forget_part(handle, part),
        windows::MAIN if windows::stays_in_tray(handle) => windows::hide_main(handle),
        windows::MAIN => commands::quit(handle),
        _ => {}
    }
    api.prevent_close();
}
