//! The recording of calls at the exchange: as it tells of it, and as the user wants it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::code::Code;
use app::config::{Sound, XsiSettings};
use app::view::recording::{RecordDo, RecordingName, RecordingView};
use app::view::{AccountState, CallState};
use pbx::centre::{
    CallRecording, CallVerb, Capability, ExchangeCall, ExchangeCallState, Input, Party, Recording,
    RecordingState, Request,
};
use serde_json::{Value, json};
use training_pbx::PbxHandle;

use crate::desk::{Desk, options};
use crate::exchange::{Exchange, exchanges};

/// Somebody with a telephone, whose exchange tells what the test says.
async fn scene() -> (PbxHandle, Desk, Exchange) {
    let pbx = crate::desk::pbx().await;
    let (exchanges, mut ports) = exchanges();
    let mut config = crate::desk::config(&pbx, "101");
    config.accounts[0].xsi = Some(XsiSettings::default());
    let options = StartOptions { config, exchanges, sound: Sound::Null, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let exchange = Exchange::of(&mut ports).await;
    exchange.begins().await;
    desk.account(AccountState::Registered).await;
    (pbx, desk, exchange)
}

/// A call that the user made, as the exchange has it.
fn made(number: &str, state: ExchangeCallState) -> ExchangeCall {
    ExchangeCall {
        id: "x1".into(),
        party: Party { name: String::new(), number: number.into() },
        incoming: false,
        state,
        queue: None,
        waited: None,
        sip_call_id: None,
        digits: None,
        monitored: false,
        recording: CallRecording::default(),
        since: None,
    }
}

async fn offers(exchange: &Exchange) {
    let present = vec![Capability::CallControl, Capability::Recording];
    exchange.tell(Input::Capabilities { present, missing: Vec::new() }).await;
}

/// Waits until the recording of a call is shown so.
async fn shown(desk: &mut Desk, call: u64, state: RecordingName, may: &[RecordDo]) {
    let wanted = RecordingView { state, here: false, may: may.to_vec() };
    desk.view(|view| {
        view.calls.iter().any(|one| one.id == call && one.recording.as_ref() == Some(&wanted))
    })
    .await;
}

/// The user wants something, and the exchange takes it.
async fn wants(desk: &Desk, exchange: &mut Exchange, command: Value, wanted: Recording) {
    let taken = async {
        let (id, request) = exchange.asked().await;
        let Request::Control { call, verb: CallVerb::Record(verb) } = request else {
            panic!("{request:?}")
        };
        assert_eq!((call.as_str(), verb), ("x1", wanted));
        exchange.takes(id).await;
    };
    let (answer, ()) = tokio::join!(desk.ask(command), taken);
    answer.unwrap();
}

#[tokio::test]
async fn a_recording_is_as_the_exchange_tells_whatever_was_asked() {
    let (pbx, mut desk, mut exchange) = scene().await;
    let number = pbx.ready().numbers.music.clone();
    let call = desk.dial(&number).await;
    desk.call(CallState::Active).await;
    let told = made(&number, ExchangeCallState::Active);
    let record = |what: &str| json!({"cmd": "call.record", "call": call, "do": what});
    // The exchange records nothing for this user.
    assert_eq!(desk.refused(record("start")).await, Code::Forbidden);
    offers(&exchange).await;
    exchange.tell(Input::Call(told.clone())).await;
    shown(&mut desk, call, RecordingName::Off, &[RecordDo::Start]).await;
    assert_eq!(desk.refused(record("stop")).await, Code::WrongState);
    assert_eq!(
        desk.refused(json!({"cmd": "call.record", "call": 4711, "do": "start"})).await,
        Code::UnknownCall
    );
    wants(&desk, &mut exchange, record("start"), Recording::Start).await;
    // That it was taken is no recording yet.
    shown(&mut desk, call, RecordingName::Off, &[RecordDo::Start]).await;
    let so = |state, may: &[Recording]| {
        let recording = CallRecording { state: Some(state), may: Some(may.to_vec()) };
        Input::Call(ExchangeCall { recording, ..told.clone() })
    };
    exchange.tell(so(RecordingState::On, &[Recording::Pause, Recording::Stop])).await;
    shown(&mut desk, call, RecordingName::On, &[RecordDo::Pause, RecordDo::Stop]).await;
    wants(&desk, &mut exchange, record("pause"), Recording::Pause).await;
    exchange.tell(so(RecordingState::Paused, &[Recording::Resume])).await;
    shown(&mut desk, call, RecordingName::Paused, &[RecordDo::Resume]).await;
    assert_eq!(desk.refused(record("stop")).await, Code::WrongState, "the law wants it whole");
    wants(&desk, &mut exchange, record("resume"), Recording::Resume).await;
    exchange.tell(so(RecordingState::Failed, &[])).await;
    shown(&mut desk, call, RecordingName::Failed, &[]).await;
    desk.quit().await;
}

#[tokio::test]
async fn two_calls_are_told_apart() {
    let (pbx, mut desk, exchange) = scene().await;
    offers(&exchange).await;
    let (first, second) = (pbx.ready().numbers.music.clone(), pbx.ready().numbers.echo.clone());
    let one = desk.dial(&first).await;
    desk.call(CallState::Active).await;
    let two = desk.dial(&second).await;
    desk.call(CallState::Active).await;
    let recorded = CallRecording { state: Some(RecordingState::On), may: None };
    let call = made(&second, ExchangeCallState::Active);
    exchange.tell(Input::Call(ExchangeCall { id: "x2".into(), recording: recorded, ..call })).await;
    exchange.tell(Input::Call(made(&first, ExchangeCallState::Held))).await;
    shown(&mut desk, two, RecordingName::On, &[RecordDo::Pause, RecordDo::Stop]).await;
    shown(&mut desk, one, RecordingName::Off, &[RecordDo::Start]).await;
    desk.quit().await;
}

/// Whether and how calls are recorded on this machine is chosen while the program runs, and kept; switched off, nothing goes on
/// being recorded.
#[tokio::test]
async fn recording_here_is_switched_on_and_off_by_the_user_and_kept() {
    let pbx = crate::desk::pbx().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let known = pbx.ready().accounts.iter().find(|one| one.extension == "101").unwrap().clone();
    std::fs::write(
        &file,
        format!(
            "[[account]]\nid = \"a\"\naor = \"sip:101@127.0.0.1\"\nregistrar = \"sip:127.0.0.1:{};transport=udp\"\n\
             auth_user = \"{}\"\npassword = \"{}\"\n[network]\nbind = \"127.0.0.1\"\n",
            pbx.ready().sip_udp,
            known.auth_user,
            known.password
        ),
    )
    .unwrap();
    let start = || StartOptions { settings: Some(file.clone()), sound: Sound::Null, ..options() };
    let mut desk = Desk::start(start()).await.unwrap();
    desk.account(AccountState::Registered).await;
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert!(!view.recording.enabled && view.recording.keep_days == 30, "off by default");
    let wrong = json!({"cmd": "recording.set", "folder": "recordings"});
    assert_eq!(desk.refused(wrong).await, Code::BadValue);
    let call = desk.ask(json!({"cmd": "call.dial", "to": "600"})).await.unwrap();
    let app::control::Answer::Call(created) = call else { panic!("{call:?}") };
    let call = created.call;
    desk.call(CallState::Active).await;
    let record = json!({"cmd": "call.record", "call": call, "do": "start"});
    desk.ask(record.clone()).await.unwrap_err();
    let kept = folder.path().join("kept");
    let on = json!({"cmd": "recording.set", "enabled": true, "format": "wav", "folder": kept, "keep_days": 7});
    desk.ask(on).await.unwrap();
    let here = |view: &app::view::AppView, state: RecordingName| {
        view.calls.iter().any(|one| {
            one.recording.as_ref().is_some_and(|shown| shown.here && shown.state == state)
        })
    };
    desk.view(|view| here(view, RecordingName::Off)).await;
    desk.ask(record).await.unwrap();
    desk.view(|view| here(view, RecordingName::On)).await;
    desk.ask(json!({"cmd": "recording.set", "enabled": false})).await.unwrap();
    desk.view(|view| view.calls.iter().all(|one| one.recording.is_none())).await;
    // What is allowed again does not go on by itself.
    desk.ask(json!({"cmd": "recording.set", "enabled": true})).await.unwrap();
    desk.view(|view| here(view, RecordingName::Off)).await;
    let names: Vec<_> =
        std::fs::read_dir(&kept).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(names.len() == 1 && names[0].to_string_lossy().ends_with(".wav"), "{names:?}");
    desk.quit().await;
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!((view.recording.enabled, view.recording.keep_days), (true, 7));
    assert_eq!(view.recording.folder, kept.to_string_lossy());
    desk.quit().await;
}
