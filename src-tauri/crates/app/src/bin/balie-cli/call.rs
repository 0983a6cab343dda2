//! `call`: one call, its statistics, and whether it was answered.

use std::sync::Arc;
use std::time::Duration;

use app::code::Code;
use app::config::{Config, Sound};
use app::control::{Answer, CallCreated, CallStats, Command, ErrorReply};
use app::event::{CallEvent, Event};
use app::view::{AccountState, CallState};
use app::{App, Handle, StartOptions};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::out::{self, Failure};
use crate::run::{Line, Lines};
use crate::{Call, setup};

/// How long a registration may take before the call is placed.
const REGISTRATION: Duration = Duration::from_secs(15);
/// How long it may ring.
const RINGING: Duration = Duration::from_secs(90);

pub(crate) async fn run(arguments: Call) -> Result<(), Failure> {
    let _log = setup::log(None, app::logs::FILE_BYTES)?;
    let config = setup::config(&arguments.config)?;
    let sound = arguments.audio.clone();
    let outcome = try_out(config, &arguments.to, sound, arguments.seconds).await;
    report(&arguments, outcome)
}

/// Places one call with a program of its own, stays for `seconds`, and tells what its sound was like.
pub(crate) async fn try_out(
    config: Config,
    to: &str,
    sound: Sound,
    seconds: u64,
) -> Result<CallStats, ErrorReply> {
    let registers = config.accounts.first().is_some_and(|account| account.register);
    let (sender, mut lines) = mpsc::unbounded_channel();
    let options = StartOptions { config, sound, ..StartOptions::default() };
    let app = App::start(options, Arc::new(Lines(sender)))
        .await
        .map_err(|error| ErrorReply::new(error.code(), error.to_string()))?;
    let outcome = place(&app.handle(), &mut lines, to, seconds, registers).await;
    let ended = app.handle().request(Command::Quit {}).await;
    tracing::debug!(?ended, "over");
    app.finished().await;
    outcome
}

async fn place(
    handle: &Handle,
    lines: &mut mpsc::UnboundedReceiver<Line>,
    to: &str,
    seconds: u64,
    registers: bool,
) -> Result<CallStats, ErrorReply> {
    if registers {
        registered(lines).await?;
    }
    let dial = Command::Dial { to: to.to_owned(), account: None, withhold: false, guarded: false };
    let Answer::Call(CallCreated { call }) = handle.request(dial).await? else {
        return Err(ErrorReply::new(Code::Internal, "no call was made"));
    };
    let late = || ErrorReply::new(Code::NoAnswer, "nobody answered");
    let answered = timeout(RINGING, until(lines, call, CallState::Active)).await;
    answered.map_err(|_| late())??;
    let stay = Instant::now() + Duration::from_secs(seconds);
    // Either the time is over or the other side hangs up first.
    let hung_up = timeout_at(stay, until(lines, call, CallState::Ended)).await;
    tracing::debug!(over = hung_up.is_ok(), "stayed");
    match handle.request(Command::Stats { call }).await {
        Ok(Answer::Stats(stats)) => Ok(*stats),
        // The figures go with the call when the other side ended it.
        _ => Ok(CallStats::default()),
    }
}

async fn registered(lines: &mut mpsc::UnboundedReceiver<Line>) -> Result<(), ErrorReply> {
    let wait = async {
        while let Some(line) = lines.recv().await {
            let Line::Event(line) = line else { continue };
            let Event::AccountState(event) = line.event else { continue };
            match event.state {
                AccountState::Registered => return Ok(()),
                AccountState::Failed | AccountState::Unreachable => {
                    let code = event.reason.unwrap_or(Code::NotRegistered);
                    return Err(ErrorReply::new(code, event.detail.unwrap_or_default()));
                }
                _ => {}
            }
        }
        Err(ErrorReply::new(Code::Internal, "the program has ended"))
    };
    let late = ErrorReply::new(Code::NotRegistered, "the account did not register in time");
    timeout(REGISTRATION, wait).await.unwrap_or(Err(late))
}

/// Waits for a state of the call; its end, when that is not what is waited for, is an error.
async fn until(
    lines: &mut mpsc::UnboundedReceiver<Line>,
    call: u64,
    state: CallState,
) -> Result<CallEvent, ErrorReply> {
    while let Some(line) = lines.recv().await {
        let Line::Event(line) = line else { continue };
        let Event::CallState(event) = line.event else { continue };
        if event.call != call {
            continue;
        }
        if event.state == state {
            return Ok(*event);
        }
        if event.state == CallState::Ended {
            let code = event.reason.unwrap_or(Code::NoAnswer);
            let status = event.status.map(|status| format!(" ({status})")).unwrap_or_default();
            return Err(ErrorReply::new(code, format!("the call was not answered{status}")));
        }
    }
    Err(ErrorReply::new(Code::Internal, "the program has ended"))
}

fn report(arguments: &Call, outcome: Result<CallStats, ErrorReply>) -> Result<(), Failure> {
    match (outcome, arguments.json) {
        (Ok(stats), true) => out::json(&serde_json::json!({ "answered": true, "stats": stats })),
        (Ok(stats), false) => {
            let rx = &stats.rx;
            out::text(&format!(
                "answered; codec {}, received {} packets, {} lost, sent {}",
                stats.codec.as_deref().unwrap_or("none"),
                rx.packets,
                rx.lost.unwrap_or(0),
                stats.tx.packets,
            ))
        }
        (Err(error), true) => {
            out::json(&serde_json::json!({ "answered": false, "error": error }))?;
            Err(Failure::told())
        }
        (Err(error), false) => Err(Failure::failed(error)),
    }
}
