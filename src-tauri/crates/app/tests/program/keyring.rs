//! Passwords across starts, with a real keyring and with none.
//!
//! Each test runs itself again in a session that was made for it, since where the keyring is can only be
//! said by the environment; a person's own keyring is never touched. Without the programs the tests with a
//! keyring say so and pass, unless `BALIE_LAB` is set: then it is a failure.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail as tests do")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use app::StartOptions;
use app::code::Code;
use app::control::Answer;
use app::event::{AccountEvent, Event};
use app::view::AccountState;
use serde_json::{Value, json};
use training_pbx::PbxHandle;

use crate::desk::{Desk, options, pbx};

/// Where the session's files are; set inside of one only.
const HOME: &str = "LAB_HOME";

/// Inside a session with an unlocked keyring: its folder. Outside: runs the test in one.
pub(crate) fn with_keyring(test: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/tests/with-keyring.sh");
    let installed = |program: &&str| {
        let version = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    let missing = ["dbus-run-session", "gnome-keyring-daemon"].iter().find(|name| !installed(name));
    if let Some(missing) = missing {
        assert!(std::env::var_os("BALIE_LAB").is_none(), "{missing} is not installed");
        println!("skipped, {missing} is not installed");
        return None;
    }
    in_session(test, |home| {
        let mut command = Command::new(script);
        command.arg(home).arg(std::env::current_exe().unwrap());
        command
    })
}

/// Inside a session without a keyring: its folder. Outside: runs the test in one.
pub(crate) fn without_keyring(test: &str) -> Option<PathBuf> {
    in_session(test, |home| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env_remove("DBUS_SESSION_BUS_ADDRESS").env("XDG_RUNTIME_DIR", home);
        command
    })
}

fn in_session(test: &str, command: impl FnOnce(&Path) -> Command) -> Option<PathBuf> {
    if let Some(home) = std::env::var_os(HOME) {
        return Some(home.into());
    }
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path());
    let status = command.args(["--exact", test]).env(HOME, home.path()).status().unwrap();
    assert!(status.success(), "{test} in its session: {status}");
    None
}

pub(crate) fn start(home: &Path) -> StartOptions {
    StartOptions { settings: Some(home.join("settings.toml")), ..options() }
}

/// A filled-in form for extension 103, and its password.
pub(crate) fn form(pbx: &PbxHandle) -> (Value, String) {
    let account = pbx.ready().accounts.iter().find(|a| a.extension == "103").unwrap();
    let server = format!("127.0.0.1:{}", pbx.ready().sip_udp);
    let form = json!({
        "id": null, "user": "103", "server": server, "auth_user": account.auth_user,
        "password": account.password,
    });
    (form, account.password.clone())
}

pub(crate) async fn save(desk: &Desk, form: Value) -> bool {
    match desk.ask(json!({"cmd": "account.save", "form": form})).await.unwrap() {
        Answer::Account(saved) => saved.session_only,
        other => panic!("{other:?}"),
    }
}

/// Waits until it is known how the registration went.
pub(crate) async fn decided(desk: &mut Desk) -> AccountEvent {
    desk.event(|event| match event {
        Event::AccountState(event)
            if matches!(event.state, AccountState::Registered | AccountState::Failed) =>
        {
            Some(event)
        }
        _ => None,
    })
    .await
}

/// Files under a folder that hold a text.
pub(crate) fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(holding(&entry.path(), text));
        } else if kind.is_file() {
            // The database's side files come and go.
            let Ok(bytes) = std::fs::read(entry.path()) else { continue };
            if String::from_utf8_lossy(&bytes).contains(text) {
                found.push(entry.path());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_kept_password_is_used_at_the_next_start() {
    let name = "keyring::a_kept_password_is_used_at_the_next_start";
    let Some(home) = with_keyring(name) else { return };
    let pbx = pbx().await;
    let (form, password) = form(&pbx);
    let mut desk = Desk::start(start(&home)).await.unwrap();
    assert!(!save(&desk, form).await, "kept in the keyring");
    assert_eq!(decided(&mut desk).await.state, AccountState::Registered);
    desk.quit().await;
    assert!(home.join("data/keyrings").is_dir(), "the keyring is the session's own");
    let settings = std::fs::read_to_string(home.join("settings.toml")).unwrap();

    let mut desk = Desk::start(start(&home)).await.unwrap();
    let event = decided(&mut desk).await;
    assert_eq!((event.account.as_str(), event.state), ("103", AccountState::Registered));
    desk.ask(json!({"cmd": "account.remove", "account": "103"})).await.unwrap();
    desk.view(|view| view.accounts.is_empty()).await;
    desk.quit().await;

    // Removed from the keyring too: with the old settings it is asked for.
    std::fs::write(home.join("settings.toml"), settings).unwrap();
    let mut desk = Desk::start(start(&home)).await.unwrap();
    assert_eq!(decided(&mut desk).await.reason, Some(Code::PasswordNeeded));
    desk.quit().await;
    assert_eq!(holding(&home, &password), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_password_written_by_hand_moves_to_the_keyring() {
    let name = "keyring::a_password_written_by_hand_moves_to_the_keyring";
    let Some(home) = with_keyring(name) else { return };
    let pbx = pbx().await;
    let (mut form, password) = form(&pbx);
    let by_hand = format!(
        "[[account]]\nid = \"desk\"\naor = \"sip:103@127.0.0.1\"\npassword = \"by hand\"\n\
         registrar = \"sip:127.0.0.1:{};transport=udp\"\n",
        pbx.ready().sip_udp
    );
    form["id"] = json!("desk");
    let typed = json!({"cmd": "account.password", "account": "desk", "password": password});
    let saved = json!({"cmd": "account.save", "form": form});
    for command in [typed, saved] {
        std::fs::write(home.join("settings.toml"), &by_hand).unwrap();
        let mut desk = Desk::start(start(&home)).await.unwrap();
        assert_eq!(decided(&mut desk).await.reason, Some(Code::AuthFailed));
        desk.ask(command).await.unwrap();
        assert_eq!(decided(&mut desk).await.state, AccountState::Registered);
        desk.quit().await;
        assert_eq!(holding(&home, "by hand"), Vec::<PathBuf>::new());
        let mut desk = Desk::start(start(&home)).await.unwrap();
        assert_eq!(decided(&mut desk).await.state, AccountState::Registered);
        desk.quit().await;
    }
    assert_eq!(holding(&home, &password), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn without_a_keyring_it_is_told_and_the_session_goes_on() {
    let name = "keyring::without_a_keyring_it_is_told_and_the_session_goes_on";
    let Some(home) = without_keyring(name) else { return };
    let pbx = pbx().await;
    let (form, password) = form(&pbx);
    let mut desk = Desk::start(start(&home)).await.unwrap();
    assert!(save(&desk, form).await, "there is no keyring");
    // Told in either order.
    desk.view(|view| view.accounts.iter().any(|a| a.state == AccountState::Registered)).await;
    desk.view(|view| view.notices.iter().any(|notice| notice.code == Code::NoKeyring)).await;
    desk.quit().await;
    assert_eq!(holding(&home, &password), Vec::<PathBuf>::new());

    let mut desk = Desk::start(start(&home)).await.unwrap();
    assert_eq!(decided(&mut desk).await.reason, Some(Code::PasswordNeeded));
    let view = desk.view(|view| view.accounts.iter().any(|a| a.password_needed)).await;
    assert!(view.notices.iter().any(|notice| notice.code == Code::NoKeyring), "{view:?}");
    desk.ask(json!({"cmd": "account.password", "account": "103", "password": password}))
        .await
        .unwrap();
    assert_eq!(decided(&mut desk).await.state, AccountState::Registered);
    desk.quit().await;
}
