//! What outlives the program beside a settings file, and a program that cannot keep anything.

use std::fs;

use app::StartOptions;
use app::code::Code;
use app::config::Sound;
use app::control::Answer;
use app::event::Event;
use app::view::people::CallBackView;
use app::view::{CallOutcome, CallState, HistoryEntry};
use serde_json::json;
use tempfile::tempdir;
use training_pbx::CustomerCall;

use crate::desk::{Desk, config, options, pbx, settings_path};

async fn history(desk: &Desk) -> Vec<HistoryEntry> {
    match desk.ask(json!({"cmd": "history.list", "before_ms": 1_u64 << 52})).await.unwrap() {
        Answer::History(calls) => calls,
        other => panic!("{other:?}"),
    }
}

async fn call_backs(desk: &Desk, command: serde_json::Value) -> Vec<CallBackView> {
    match desk.ask(command).await.unwrap() {
        Answer::CallBacks(list) => list,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn calls_and_call_backs_are_there_again_and_old_ones_are_not() {
    let folder = tempdir().unwrap();
    let pbx = pbx().await;
    let echo = pbx.ready().numbers.echo.clone();
    let with = |days: u32| {
        let mut config = config(&pbx, "101");
        config.paths.data_dir = folder.path().join("data");
        config.privacy.history_days = days;
        StartOptions { config, sound: Sound::Null, ..options() }
    };
    let mut desk = Desk::start(with(90)).await.unwrap();
    desk.account(app::view::AccountState::Registered).await;
    let customer =
        CustomerCall { patience_s: Some(1), number: Some(echo.clone()), ..CustomerCall::to("101") };
    pbx.customer_call(customer).await.unwrap();
    desk.call(CallState::Ended).await;
    assert_eq!(history(&desk).await[0].outcome, CallOutcome::Missed);
    let list =
        call_backs(&desk, json!({"cmd": "call_back.add", "number": echo, "name": "Smit"})).await;
    assert_eq!((list.len(), list[0].done_ms), (1, None));
    desk.quit().await;

    let mut desk = Desk::start(with(90)).await.unwrap();
    desk.account(app::view::AccountState::Registered).await;
    let view = desk.view(|view| view.history.len() == 1).await;
    assert_eq!(view.missed, 1);
    let call = desk.dial(&echo).await;
    desk.call(CallState::Active).await;
    desk.do_with("call.hangup", call).await;
    desk.call(CallState::Ended).await;
    let view = desk.view(|view| view.history.len() == 2).await;
    assert_eq!(view.history[0].id, call);
    assert!(view.history[1].called_back.is_some(), "{view:?}");
    let list = call_backs(&desk, json!({"cmd": "call_back.list"})).await;
    assert!(list[0].done_ms.is_some(), "a conversation settles it: {list:?}");
    let done = json!({"cmd": "call_back.done", "call_back": list[0].id});
    assert_eq!(desk.refused(done).await, Code::UnknownEntry);
    desk.quit().await;

    // Whoever keeps nothing has what was kept forgotten.
    let desk = Desk::start(with(0)).await.unwrap();
    assert!(history(&desk).await.is_empty());
    desk.quit().await;
}

#[tokio::test]
async fn a_program_that_cannot_keep_anything_calls_all_the_same_and_says_so() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data"), "a file where the folder should be").unwrap();
    let pbx = pbx().await;
    let mut config = config(&pbx, "101");
    config.paths.data_dir = folder.path().join("data");
    let mut desk =
        Desk::start(StartOptions { config, sound: Sound::Null, ..options() }).await.unwrap();
    let told = |event| match event {
        Event::Error { code: Code::StoreFailed, message } => Some(message),
        _ => None,
    };
    desk.event(told).await;
    let call = desk.dial(&pbx.ready().numbers.echo.clone()).await;
    desk.call(CallState::Active).await;
    desk.do_with("call.hangup", call).await;
    desk.call(CallState::Ended).await;
    assert_eq!(history(&desk).await.len(), 1, "for this run it is remembered");
    desk.quit().await;
}

#[tokio::test]
async fn calls_on_the_embedded_exchange_are_not_kept() {
    let folder = tempdir().unwrap();
    let path = settings_path(&folder);
    let start = || StartOptions { settings: Some(path.clone()), ..options() };
    let mut desk = Desk::start(start()).await.unwrap();
    desk.ask(json!({"cmd": "demo.start"})).await.unwrap();
    desk.account(app::view::AccountState::Registered).await;
    let call = desk.dial("999").await;
    desk.call(CallState::Ended).await;
    let view = desk.view(|view| !view.history.is_empty()).await;
    assert_eq!(view.history[0].id, call);
    assert!(history(&desk).await.is_empty());
    assert!(path.with_file_name("balie.db").exists());
    desk.quit().await;
}
