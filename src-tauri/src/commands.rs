//! The commands the pages may give: to ask the program, to hear of its news, and to open parts of the desk.

use std::sync::Arc;

use app::Handle;
use app::code::Code;
use app::control::{Answer, Command, ErrorReply, Reply, ReplyResult, Request};
use app::view::{Language, Update};
use tauri::{AppHandle, Manager, State, WebviewWindow};

use crate::shell::Window;
use crate::windows;

/// The running program as the pages reach it, or why there is none.
pub(crate) struct Program {
    handle: Result<Handle, ErrorReply>,
    window: Arc<Window>,
}

impl Program {
    /// A program that runs.
    pub(crate) fn running(handle: Handle, window: Arc<Window>) -> Program {
        Program { handle: Ok(handle), window }
    }

    /// Asks the program from the window itself.
    pub(crate) async fn ask(&self, command: Command) -> Result<Answer, ErrorReply> {
        self.handle.clone()?.request(command).await
    }

    /// The language that is chosen.
    pub(crate) fn language(&self) -> Language {
        self.window.language()
    }

    /// A page that is gone wants nothing any more.
    pub(crate) fn left(&self, page: &str) {
        self.window.unsubscribe(page);
    }

    /// A program that could not start: every command is refused with the reason.
    pub(crate) fn failed(
        code: Code,
        error: &dyn std::error::Error,
        window: Arc<Window>,
    ) -> Program {
        Program { handle: Err(ErrorReply::new(code, error.to_string())), window }
    }
}

/// Asks the program. The request has the form of the control interface, without its id.
#[tauri::command]
pub(crate) async fn control(
    request: serde_json::Value,
    program: State<'_, Program>,
) -> Result<Answer, ErrorReply> {
    let handle = program.handle.clone()?;
    let request = Request::from_value(request).map_err(refusal)?;
    handle.request(request.command).await
}

fn refusal(reply: Reply) -> ErrorReply {
    match reply.result {
        ReplyResult::Error(error) => error,
        ReplyResult::Ok(_) => ErrorReply::new(Code::Internal, "a refusal without a reason"),
    }
}

/// Keeps the program's news for the asking page from now on; the number that it asks for them with. A page that is loaded
/// anew replaces its former self.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "the runtime hands arguments over by value")]
pub(crate) fn subscribe(page: WebviewWindow, program: State<'_, Program>) -> u64 {
    program.window.subscribe(page.label())
}

/// What is new for the asking page, once there is something. Nothing: the page was loaded anew since it got that number.
#[tauri::command]
pub(crate) async fn news(
    page: WebviewWindow,
    number: u64,
    program: State<'_, Program>,
) -> Result<Option<Vec<Update>>, ErrorReply> {
    Ok(program.window.next(page.label(), number).await)
}

/// Opens the wallboard in its own window, or brings it to the front. Not on the thread of the windows, which may wait
/// for the new one.
#[tauri::command(async)]
#[expect(clippy::needless_pass_by_value, reason = "the runtime hands arguments over by value")]
pub(crate) fn open_wallboard(handle: AppHandle) -> Result<(), ErrorReply> {
    open_part(&handle, windows::WALLBOARD)
}

/// Opens a part of the desk in its own window, or brings it to the front.
#[tauri::command(async)]
#[expect(clippy::needless_pass_by_value, reason = "the runtime hands arguments over by value")]
pub(crate) fn open_pane(handle: AppHandle, pane: String) -> Result<(), ErrorReply> {
    open_part(&handle, &pane)
}

/// The main window shows a role of the desk, with its own windows at their own places.
#[tauri::command(async)]
#[expect(clippy::needless_pass_by_value, reason = "the runtime hands arguments over by value")]
pub(crate) fn show_role(handle: AppHandle, role: String) -> Result<(), ErrorReply> {
    match windows::set_role(&handle, &role) {
        Ok(true) => Ok(()),
        Ok(false) => Err(ErrorReply::new(Code::BadRequest, format!("no role is called {role:?}"))),
        Err(error) => Err(ErrorReply::new(Code::Internal, error.to_string())),
    }
}

fn open_part(handle: &AppHandle, label: &str) -> Result<(), ErrorReply> {
    match windows::show_part(handle, label) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(ErrorReply::new(Code::BadRequest, format!("no window is called {label:?}")))
        }
        Err(error) => Err(ErrorReply::new(Code::Internal, error.to_string())),
    }
}

/// Asks the program for somebody who sees no answer: a key, a word of the command line, a link.
pub(crate) fn wish(handle: &AppHandle, command: Command) {
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        let Some(program) = handle.try_state::<Program>() else { return };
        if let Err(error) = program.ask(command).await {
            tracing::info!(%error, "what a key or a word asked for was not done");
        }
    });
}

/// Ends the program in good order; it says itself when it is done.
pub(crate) fn quit(handle: &AppHandle) {
    let running = handle.try_state::<Program>().and_then(|program| program.handle.clone().ok());
    let Some(running) = running else {
        handle.exit(0);
        return;
    };
    let handle = handle.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = running.request(Command::Quit {}).await {
            tracing::warn!(%error, "no orderly end");
            handle.exit(0);
        }
    });
}
