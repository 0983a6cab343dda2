//! Accounts: registered, refused, unknown, kept.

use app::code::Code;
use app::config::Config;
use app::control::Answer;
use app::view::{AccountState, Theme};
use app::{StartError, StartOptions, Tray};
use serde_json::json;

use crate::desk::{Desk, config, options, pbx, settings_path, text_config};

#[tokio::test]
async fn it_registers_and_leaves_nothing_behind() {
    let pbx = pbx().await;
    let mut desk =
        Desk::start(StartOptions { config: config(&pbx, "101"), ..options() }).await.unwrap();
    let event = desk.account(AccountState::Registered).await;
    assert_eq!(event.account, "main");
    assert!(event.expires.is_some() && event.contact.is_some());
    assert_eq!(pbx.status().await.unwrap().registrations.len(), 1);
    let view = desk.view(|view| view.accounts[0].state == AccountState::Registered).await;
    assert_eq!(view.accounts[0].number, "101");
    assert!(!view.needs_setup);
    assert_eq!(desk.seen.lock().unwrap().tray.tray, Tray::Ready);
    desk.ask(json!({"cmd": "account.unregister", "account": "main"})).await.unwrap();
    desk.account(AccountState::Unregistered).await;
    desk.ask(json!({"cmd": "account.register", "account": "main"})).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk.quit().await;
    assert!(pbx.status().await.unwrap().registrations.is_empty());
    pbx.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_told_as_such() {
    let pbx = pbx().await;
    let config = text_config("101", "101", "wrong", pbx.ready().sip_udp);
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    let event = desk.account(AccountState::Failed).await;
    assert_eq!(event.reason, Some(Code::AuthFailed));
    desk.quit().await;
}

#[tokio::test]
async fn an_unknown_server_is_told_as_such() {
    let text = "[[account]]\naor = \"sip:101@no-such-host.invalid\"\npassword = \"x\"";
    let config = Config::parse(text).unwrap();
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    let event = desk.account(AccountState::Unreachable).await;
    assert_eq!(event.reason, Some(Code::DnsFailure), "{event:?}");
    let since = desk.view(|view| view.accounts[0].reason.is_some()).await.accounts[0].since_ms;
    let retry = desk.account(AccountState::Registering).await;
    assert_eq!(retry.reason, Some(Code::DnsFailure), "a retry is trouble still: {retry:?}");
    let again = desk.account(AccountState::Unreachable).await;
    assert_eq!(again.reason, Some(Code::DnsFailure), "{again:?}");
    let view = desk.view(|view| view.accounts[0].state == AccountState::Unreachable).await;
    assert_eq!(view.accounts[0].since_ms, since, "since when nobody can call");
    let call = desk.dial("600").await;
    let ended = desk.call(app::view::CallState::Ended).await;
    assert_eq!((ended.call, ended.reason), (call, Some(Code::DnsFailure)));
    desk.quit().await;
}

#[tokio::test]
async fn a_taken_port_is_told_as_such() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut config = Config::default();
    config.network.bind = "127.0.0.1".parse().unwrap();
    config.network.sip_port = port;
    match Desk::start(StartOptions { config, ..options() }).await {
        Err(StartError::PortTaken { port: told }) => assert_eq!(told, port),
        other => panic!("{:?}", other.err()),
    }
}

#[tokio::test]
async fn with_kept_settings_a_taken_port_is_told_and_another_one_used() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    let text = format!("[network]\nbind = \"127.0.0.1\"\nsip_port = {port}\n");
    std::fs::write(&settings, &text).unwrap();
    let options = StartOptions { settings: Some(settings.clone()), ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let view = desk.view(|view| !view.notices.is_empty()).await;
    let notice = &view.notices[0];
    assert_eq!((notice.code, notice.severe), (Code::PortMoved, false));
    assert!(notice.detail.as_ref().unwrap().starts_with(&format!("{port} → ")), "{notice:?}");
    desk.ask(json!({"cmd": "settings.set", "theme": "dark"})).await.unwrap();
    desk.quit().await;
    let written = std::fs::read_to_string(&settings).unwrap();
    assert!(written.contains(&format!("sip_port = {port}")), "the wish stays: {written}");
}

#[tokio::test]
async fn a_missing_password_is_asked_for_and_used() {
    let pbx = pbx().await;
    let mut config = config(&pbx, "102");
    let password =
        pbx.ready().accounts.iter().find(|a| a.extension == "102").unwrap().password.clone();
    config.accounts[0].password = Default::default();
    config.accounts[0].password_env = "BALIE_TEST_NO_SUCH_VARIABLE".to_owned();
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    let view = desk.view(|view| view.accounts.iter().any(|a| a.password_needed)).await;
    assert_eq!(view.accounts[0].reason, Some(Code::PasswordNeeded));
    desk.ask(json!({"cmd": "account.password", "account": "main", "password": password}))
        .await
        .unwrap();
    desk.account(AccountState::Registered).await;
    desk.quit().await;
}

#[tokio::test]
async fn a_form_is_tried_out_and_saved() {
    // Saving must not reach the keyring of whoever runs the tests.
    #[cfg(target_os = "linux")]
    let Some(_) = crate::keyring::without_keyring("accounts::a_form_is_tried_out_and_saved") else {
        return;
    };
    let pbx = pbx().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    let start = || StartOptions { settings: Some(settings.clone()), ..options() };
    let mut desk = Desk::start(start()).await.unwrap();
    assert!(desk.view(|view| !view.version.is_empty()).await.needs_setup);
    let account = pbx.ready().accounts.iter().find(|a| a.extension == "103").unwrap().clone();
    let server = format!("127.0.0.1:{}", pbx.ready().sip_udp);
    let form = |password: &str| json!({"user": "103", "server": server, "auth_user": account.auth_user, "password": password});
    let test = desk.ask(json!({"cmd": "account.test", "form": form("wrong")})).await.unwrap();
    let Answer::Test(report) = test else { panic!("{test:?}") };
    assert!(!report.ok);
    assert_eq!(report.steps.last().unwrap().code, Some(Code::AuthFailed), "{report:?}");
    let test = desk.ask(json!({"cmd": "account.test", "form": form(&account.password)})).await;
    let Ok(Answer::Test(report)) = test else { panic!("{test:?}") };
    assert!(report.ok, "{report:?}");
    let saved = desk.ask(json!({"cmd": "account.save", "form": form(&account.password)})).await;
    let Ok(Answer::Account(saved)) = saved else { panic!("{saved:?}") };
    assert_eq!(saved.account, "103");
    desk.account(AccountState::Registered).await;
    desk.ask(json!({"cmd": "settings.set", "theme": "dark"})).await.unwrap();
    desk.quit().await;
    let text = std::fs::read_to_string(&settings).unwrap();
    assert!(!text.contains(&account.password), "the password is in the file");
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.accounts.is_empty()).await;
    assert_eq!((view.accounts[0].id.as_str(), view.settings.theme), ("103", Theme::Dark));
    desk.ask(json!({"cmd": "account.remove", "account": "103"})).await.unwrap();
    desk.view(|view| view.needs_setup).await;
    desk.quit().await;
}

/// Encryption and the ways of sound are set in the form, shown again, kept, and forgotten; the relay's password is in no file.
#[tokio::test]
async fn how_sound_travels_is_set_in_the_form_and_kept() {
    // Saving must not reach the keyring of whoever runs the tests.
    #[cfg(target_os = "linux")]
    let Some(_) =
        crate::keyring::without_keyring("accounts::how_sound_travels_is_set_in_the_form_and_kept")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    std::fs::write(
        &settings,
        "[[account]]\nid = \"a\"\naor = \"sip:103@127.0.0.1\"\nregister = false\nturn_password = \"by hand\"\n",
    )
    .unwrap();
    let start = || StartOptions { settings: Some(settings.clone()), ..options() };
    let mut desk = Desk::start(start()).await.unwrap();
    let form = |media: serde_json::Value| json!({"cmd": "account.save", "form": {"id": "a", "user": "103@127.0.0.1", "media": media}});
    let mut media = json!({
        "encryption": "always", "keying": "both", "ice": true, "stun": "127.0.0.1:9",
        "turn": "turn:127.0.0.1:9", "turn_user": "jan", "turn_password": "relay secret",
        "silence_suppression": true,
    });
    let mut wrong = media.clone();
    wrong["stun"] = json!("no server");
    let refused = desk.ask(form(wrong)).await.unwrap_err();
    assert_eq!(refused.code, Code::BadRequest);
    desk.ask(form(media.clone())).await.unwrap();
    let shown = |view: &app::view::AppView| {
        let account = view.accounts.iter().find(|account| account.id == "a");
        account.map(|account| serde_json::to_value(&account.media).unwrap())
    };
    let set = |view: &app::view::AppView| shown(view).is_some_and(|media| media["ice"] == true);
    let view = desk.view(set).await;
    let known = json!({
        "encryption": "always", "keying": "both", "ice": true, "stun": "127.0.0.1:9",
        "turn": "turn:127.0.0.1:9", "turn_user": "jan", "turn_password_known": true,
        "silence_suppression": true,
    });
    assert_eq!(shown(&view), Some(known.clone()));
    desk.quit().await;
    let text = std::fs::read_to_string(&settings).unwrap();
    assert!(!text.contains("relay secret") && !text.contains("by hand"), "{text}");

    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.accounts.is_empty()).await;
    assert_eq!(shown(&view), Some(known));
    // No relay: nothing is known of its password any more.
    media["turn"] = json!("");
    media["turn_password"] = json!("");
    desk.ask(form(media)).await.unwrap();
    let without = |view: &app::view::AppView| {
        shown(view).is_some_and(|media| media["turn_password_known"] == false)
    };
    let view = desk.view(without).await;
    assert_eq!(shown(&view).unwrap()["turn_user"], "");
    desk.quit().await;
}

#[tokio::test]
async fn a_broken_settings_file_is_told_and_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    std::fs::write(&settings, "[[account]]\naor = 5\n").unwrap();
    let options = StartOptions { settings: Some(settings.clone()), ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let view = desk.view(|view| !view.notices.is_empty()).await;
    let notice = &view.notices[0];
    assert_eq!(notice.code, Code::BadConfig);
    assert!(notice.detail.as_ref().unwrap().contains("line 2"), "{notice:?}");
    desk.ask(json!({"cmd": "notice.dismiss", "id": notice.id})).await.unwrap();
    desk.view(|view| view.notices.is_empty()).await;
    desk.quit().await;
    assert!(folder.path().join("settings.toml.broken").exists());
}

#[tokio::test]
async fn what_is_done_to_the_microphone_is_chosen_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    let start = || StartOptions { settings: Some(settings.clone()), ..options() };
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    let done = |audio: &app::view::AudioView| {
        (audio.echo_cancelling, audio.noise_suppression, audio.gain_control)
    };
    assert_eq!(done(&view.audio), (false, false, false), "no devices: nothing to clean");
    desk.ask(json!({"cmd": "processing.set", "echo_cancelling": true})).await.unwrap();
    desk.ask(json!({"cmd": "processing.set", "gain_control": true})).await.unwrap();
    let view = desk.view(|view| view.audio.gain_control).await;
    assert_eq!(done(&view.audio), (true, false, true), "the rest stays");
    desk.quit().await;
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!(done(&view.audio), (true, false, true));
    desk.quit().await;
}

/// Where it rings may be one device, as ever, or several; what an older file says stays.
#[tokio::test]
async fn it_rings_on_the_devices_chosen_and_alerts_on_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    std::fs::write(&settings, "[audio]\nringer = \"pulseaudio:desk\"\n").unwrap();
    let start = || StartOptions { settings: Some(settings.clone()), ..options() };
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!(
        (view.audio.ringers.clone(), view.audio.alerts),
        (vec!["pulseaudio:desk".into()], None)
    );
    let two = json!({"cmd": "devices.set", "ringer": ["desk", "room"], "alerts": "desk"});
    desk.ask(two).await.unwrap();
    let view = desk.view(|view| view.audio.ringers.len() == 2).await;
    assert_eq!(
        (view.audio.ringers, view.audio.alerts.as_deref()),
        (vec!["desk".into(), "room".into()], Some("desk"))
    );
    let many: Vec<String> = (0..9).map(|n| n.to_string()).collect();
    let error = desk.ask(json!({"cmd": "devices.set", "ringer": many})).await.unwrap_err();
    assert_eq!(error.code, Code::BadRequest);
    desk.quit().await;
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!(view.audio.ringers, ["desk", "room"], "kept");
    desk.ask(json!({"cmd": "devices.set", "ringer": "room"})).await.unwrap();
    let view = desk.view(|view| view.audio.ringers.len() == 1).await;
    assert_eq!((view.audio.ringers, view.audio.alerts), (vec!["room".into()], None));
    desk.quit().await;
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!((view.audio.ringers, view.audio.alerts), (vec!["room".into()], None), "kept");
    desk.quit().await;
}
