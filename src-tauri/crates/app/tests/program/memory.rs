//! What outlives the program beside a settings file, and a program that cannot keep anything.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;

use app::StartOptions;
use app::code::Code;
use app::config::Sound;
use app::control::Answer;
use app::event::Event;
use app::view::people::CallBackView;
use app::view::{AccountState, CallOutcome, CallState, HistoryEntry};
use serde_json::json;
use tempfile::tempdir;
use training_pbx::CustomerCall;

use crate::desk::{Desk, config, options, pbx, settings_path};
#[cfg(target_os = "linux")]
use crate::keyring;

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
    desk.account(AccountState::Registered).await;
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
    desk.account(AccountState::Registered).await;
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
    desk.account(AccountState::Registered).await;
    let call = desk.dial("999").await;
    desk.call(CallState::Ended).await;
    let view = desk.view(|view| !view.history.is_empty()).await;
    assert_eq!(view.history[0].id, call);
    assert_eq!(history(&desk).await.len(), 1, "for this run it is remembered");
    assert!(path.with_file_name("balie.db").exists());
    desk.quit().await;

    let desk = Desk::start(start()).await.unwrap();
    assert!(history(&desk).await.is_empty());
    desk.quit().await;
}

/// A day's calls are shown a page at a time, whether they are kept or only remembered, and none of them twice.
#[tokio::test]
async fn of_a_long_day_a_page_is_shown_and_the_rest_is_to_be_had() {
    const CALLS: usize = 104;
    for days in [90, 0] {
        let folder = tempdir().unwrap();
        let pbx = pbx().await;
        let mut config = config(&pbx, "101");
        config.paths.data_dir = folder.path().join("data");
        config.privacy.history_days = days;
        let options = StartOptions { config, sound: Sound::Null, ..options() };
        let mut desk = Desk::start(options).await.unwrap();
        desk.account(AccountState::Registered).await;
        for place in 0..CALLS {
            desk.dial("999").await;
            desk.call(CallState::Ended).await;
            let known = (place + 1).min(100);
            desk.view(|view| view.history.len() == known).await;
        }
        let view = desk.view(|view| view.history.len() == 100).await;
        let oldest = view.history[99].started_ms;
        let before = json!({"cmd": "history.list", "before_ms": oldest});
        let Answer::History(rest) = desk.ask(before).await.unwrap() else { panic!() };
        let all = desk.ask(json!({"cmd": "history.list"})).await.unwrap();
        let Answer::History(all) = all else { panic!() };
        assert_eq!(all.len(), CALLS);
        // Some are so short that two begin in one millisecond.
        let earlier = all.iter().filter(|one| one.started_ms < oldest);
        let times = |calls: &[HistoryEntry]| calls.iter().map(|one| one.started_ms).collect();
        let (rest, earlier): (Vec<u64>, Vec<u64>) =
            (times(&rest), earlier.map(|one| one.started_ms).collect());
        assert_eq!(rest, earlier, "{days} days");
        desk.quit().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_is_opened_for_a_caller_without_a_shell_and_one_that_is_missing_is_told() {
    let folder = tempdir().unwrap();
    let pbx = pbx().await;
    // A link holds any text as it was given.
    let link = folder.path().join("caller").display().to_string();
    let command = ["ln", "-s", "{number} {name}", &link];
    let missing = ["balie-no-such-program", "{number}"];
    let name = "Zoë $(touch x); `id` && -- 'q'";
    for (command, works) in [(&command[..], true), (&missing[..], false)] {
        let mut config = config(&pbx, "101");
        config.screen_pop.command = command.iter().map(|part| (*part).to_owned()).collect();
        let options = StartOptions { config, sound: Sound::Null, ..options() };
        let mut desk = Desk::start(options).await.unwrap();
        desk.account(AccountState::Registered).await;
        let customer = CustomerCall {
            patience_s: Some(1),
            name: Some(name.to_owned()),
            number: Some("+31612345678".to_owned()),
            ..CustomerCall::to("101")
        };
        pbx.customer_call(customer).await.unwrap();
        if works {
            desk.call(CallState::Ended).await;
        } else {
            let told = |event| match event {
                Event::Error { code: Code::ScreenPopFailed, message } => Some(message),
                _ => None,
            };
            let message = desk.event(told).await;
            assert!(message.starts_with("balie-no-such-program: "), "{message}");
        }
        desk.quit().await;
    }
    let made = async {
        while fs::read_link(&link).is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), made).await.unwrap();
    assert_eq!(fs::read_link(&link).unwrap().to_str().unwrap(), format!("+31612345678 {name}"));
}

#[tokio::test]
async fn a_note_about_a_colleague_is_gone_when_it_holds_no_longer() {
    let text = "[[account]]\nid = \"main\"\naor = \"sip:101@127.0.0.1\"\nregister = false\n\
                [network]\nbind = \"127.0.0.1\"\n";
    let config = app::config::Config::parse(text).unwrap();
    let desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    let note = async |text: &str, until_ms: Option<u64>| {
        let mut note = json!({"cmd": "note.add", "number": "102", "text": text});
        if let Some(until) = until_ms {
            note["until_ms"] = until.into();
        }
        match desk.ask(note).await {
            Ok(Answer::Note(note)) => Ok(note),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.code),
        }
    };
    let stays = note("works on Mondays", None).await.unwrap();
    assert_eq!(stays.until_ms, None);
    assert_eq!(note("yesterday", Some(stays.at_ms)).await.unwrap_err(), Code::BadValue);
    let day = 86_400_000;
    note("on holiday", Some(stays.at_ms + day)).await.unwrap();
    let soon = note("at lunch", Some(stays.at_ms + 2000)).await.unwrap();
    assert_eq!(soon.until_ms, Some(stays.at_ms + 2000));
    let list = async || match desk.ask(json!({"cmd": "note.list", "number": "102"})).await.unwrap()
    {
        Answer::Notes(notes) => notes.into_iter().map(|note| note.text).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let gone = async {
        while list().await.iter().any(|text| text == "at lunch") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::desk::PATIENCE, gone).await.unwrap();
    assert_eq!(list().await, ["on holiday", "works on Mondays"]);
    desk.quit().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_kept_is_sealed_with_a_key_of_the_keyring_and_a_lost_key_is_told() {
    let name = "memory::what_is_kept_is_sealed_with_a_key_of_the_keyring_and_a_lost_key_is_told";
    let Some(home) = keyring::with_keyring(name) else { return };
    let pbx = pbx().await;
    let echo = pbx.ready().numbers.echo.clone();
    let (form, _) = keyring::form(&pbx);
    let start = || StartOptions { sound: Sound::Null, ..keyring::start(&home) };
    let note = json!({"cmd": "note.add", "number": echo, "text": "rings on Mondays"});
    let notes = json!({"cmd": "note.list", "number": echo});
    let count = async |desk: &Desk| match desk.ask(notes.clone()).await.unwrap() {
        Answer::Notes(notes) => notes.len(),
        other => panic!("{other:?}"),
    };
    let mut desk = Desk::start(start()).await.unwrap();
    keyring::save(&desk, form).await;
    keyring::decided(&mut desk).await;
    desk.ask(note).await.unwrap();
    desk.quit().await;
    assert!(home.join("balie.db").exists());
    assert_eq!(keyring::holding(&home, "rings on Mondays"), Vec::<std::path::PathBuf>::new());

    let mut desk = Desk::start(start()).await.unwrap();
    keyring::decided(&mut desk).await;
    assert_eq!(count(&desk).await, 1, "read with the key of the keyring");
    desk.quit().await;

    // Somebody tidies the keyring up: the passwords stay, the key goes.
    store::Secrets::keyring("Balie").remove("database key");
    let mut desk = Desk::start(start()).await.unwrap();
    let lost = |event| match event {
        Event::Error { code: Code::StoreKeyLost, message } => Some(message),
        _ => None,
    };
    let aside = desk.event(lost).await;
    assert!(aside.contains("balie.db.aside"), "where the old file is: {aside}");
    assert!(home.join("balie.db.aside").exists());
    assert_eq!(count(&desk).await, 0);
    desk.view(|view| view.accounts.iter().any(|a| a.state == AccountState::Registered)).await;
    let call = desk.dial(&echo).await;
    desk.call(CallState::Active).await;
    desk.do_with("call.hangup", call).await;
    desk.call(CallState::Ended).await;
    assert_eq!(history(&desk).await.len(), 1, "a new beginning");
    desk.quit().await;
}

/// Two lists have him, each with another number.
#[tokio::test]
async fn a_person_of_two_lists_is_handed_over_and_erased_with_all_that_they_have() {
    let folder = tempdir().unwrap();
    let mut options = options();
    options.config.paths.data_dir = folder.path().join("data");
    let desk = Desk::start(options).await.unwrap();
    let lists = [
        "TmFhbTtFLW1haWw7VGVsZWZvb24NCkphbiBaaWx2ZXI7amFuQHppbHZlci5leGFtcGxlOzAzMDIzMTg4MDANCg==",
        "TmFhbTtFLW1haWw7TW9iaWVsDQpKYW4gWmlsdmVyO2phbkB6aWx2ZXIuZXhhbXBsZTswNjEyMzQ1Njc4DQo=",
    ];
    for data in lists {
        desk.ask(json!({"cmd": "contacts.import", "name": "list.csv", "data": data}))
            .await
            .unwrap();
    }
    desk.ask(json!({"cmd": "note.add", "number": "0612345678", "text": "mobile"})).await.unwrap();
    let lookup = json!({"cmd": "contacts.lookup", "number": "0302318800"});
    let Ok(Answer::Hits(hits)) = desk.ask(lookup).await else { panic!("no hits") };
    let contact = hits[0].contact.unwrap();
    let export = json!({"cmd": "privacy.export", "contact": contact});
    let Ok(Answer::Privacy(known)) = desk.ask(export.clone()).await else { panic!("no report") };
    assert_eq!((known.contacts.len(), known.notes.len()), (2, 1));
    let erase = json!({"cmd": "privacy.erase", "contact": contact});
    let Ok(Answer::Erased(erased)) = desk.ask(erase).await else { panic!("nothing erased") };
    assert_eq!((erased.contacts, erased.notes), (2, 1));
    assert_eq!(desk.ask(export).await.unwrap_err().code, Code::UnknownEntry);
    desk.quit().await;
}
