//! Automatic set-up against the web services of the embedded exchange, and accounts that control another telephone.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::code::Code;
use app::config::{Config, Sound};
use app::control::{Answer, DiscoveredAccount};
use app::view::centre::LinkName;
use app::view::{AccountState, AppView, CallAction, CallDirection, CallOutcome, CallState};
use serde_json::json;
use training_pbx::{CustomerCall, PbxHandle, ReadyAccount};

use crate::desk::{Desk, config, options, pbx, settings_path};

fn account(pbx: &PbxHandle, extension: &str) -> ReadyAccount {
    let accounts = &pbx.ready().accounts;
    accounts.iter().find(|account| account.extension == extension).unwrap().clone()
}

async fn discovered(desk: &Desk, pbx: &PbxHandle, extension: &str) -> DiscoveredAccount {
    let ReadyAccount { xsi_user, xsi_password, .. } = account(pbx, extension);
    let command = json!({"cmd": "account.discover", "user": xsi_user, "password": xsi_password,
        "server": pbx.ready().xsi});
    match desk.ask(command).await.unwrap() {
        Answer::Discovered(found) => *found,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_user_name_and_a_password_are_enough() {
    let pbx = pbx().await;
    let mut desk = Desk::start(options()).await.unwrap();
    let found = discovered(&desk, &pbx, "101").await;
    assert_eq!(found.display_name, "Maud Vermeulen");
    assert_eq!(found.extension, "101");
    assert_eq!(found.user.split('@').next(), Some("101"));
    assert!(found.has_password && found.missing.is_none(), "{found:?}");
    let text = serde_json::to_string(&found).unwrap();
    assert!(!text.contains(&account(&pbx, "101").password), "no password leaves the program");
    // The form is tried out and kept without its passwords having been seen.
    let form = json!({"user": found.user, "server": found.server, "auth_user": found.auth_user,
        "display_name": found.display_name, "transport": "udp", "discovered": found.token});
    let tested = desk.ask(json!({"cmd": "account.test", "form": form})).await.unwrap();
    let Answer::Test(report) = tested else { panic!("{tested:?}") };
    assert!(report.ok, "{report:?}");
    desk.ask(json!({"cmd": "account.save", "form": form})).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk.centre(|view| view.link.state == LinkName::Live && view.me == "Maud Vermeulen").await;
    let view = desk.view(|view| view.accounts.len() == 1).await;
    assert_eq!(view.accounts[0].display_name, "Maud Vermeulen");
    // A token is good once.
    let again = json!({"cmd": "account.save", "form": form});
    assert_eq!(desk.refused(again).await, Code::NotFound);
    desk.quit().await;
    pbx.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let pbx = pbx().await;
    let desk = Desk::start(options()).await.unwrap();
    let user = account(&pbx, "101").xsi_user;
    let command = json!({"cmd": "account.discover", "user": user, "password": "wrong",
        "server": pbx.ready().xsi});
    assert_eq!(desk.refused(command.clone()).await, Code::AuthFailed);
    // Each further try is somebody's own wish.
    assert_eq!(desk.refused(command).await, Code::AuthFailed);
    let nowhere = json!({"cmd": "account.discover", "user": user, "password": "x", "server": "http://xsp.example"});
    assert_eq!(desk.refused(nowhere).await, Code::TlsFailure, "never in clear over a network");
    let nobody = json!({"cmd": "account.discover", "user": "101", "password": "x"});
    assert_eq!(desk.refused(nobody).await, Code::BadTarget);
    let empty = json!({"cmd": "account.discover", "user": " ", "password": "x"});
    assert_eq!(desk.refused(empty).await, Code::BadRequest);
    desk.quit().await;
    pbx.stop().await;
}

#[tokio::test]
async fn passwords_that_were_found_are_written_nowhere() {
    let pbx = pbx().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    let config = Config::parse("[network]\nbind = \"127.0.0.1\"\n").unwrap();
    let options = StartOptions { config, settings: Some(settings.clone()), ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let found = discovered(&desk, &pbx, "102").await;
    let form = json!({"user": found.user, "server": found.server, "auth_user": found.auth_user,
        "transport": "udp", "discovered": found.token});
    desk.ask(json!({"cmd": "account.save", "form": form})).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk.centre(|view| view.link.state == LinkName::Live).await;
    let text = std::fs::read_to_string(&settings).unwrap();
    let ReadyAccount { password, xsi_password, xsi_user, .. } = account(&pbx, "102");
    assert!(text.contains(&xsi_user), "{text}");
    assert!(!text.contains(&password) && !text.contains(&xsi_password), "{text}");
    desk.quit().await;
    pbx.stop().await;
}

/// A telephone that the exchange may control.
async fn telephone(pbx: &PbxHandle, extension: &str) -> Desk {
    let mut config = config(pbx, extension);
    config.accounts[0].remote_control = true;
    let options = StartOptions { config, sound: Sound::Null, ..options() };
    let mut phone = Desk::start(options).await.unwrap();
    phone.account(AccountState::Registered).await;
    phone
}

/// A program that controls the telephone of an account without having one.
async fn control_only(pbx: &PbxHandle, extension: &str) -> Desk {
    let mut desk = Desk::start(options()).await.unwrap();
    let found = discovered(&desk, pbx, extension).await;
    let form = json!({"user": "", "control_only": true, "discovered": found.token});
    desk.ask(json!({"cmd": "account.save", "form": form})).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk
}

#[tokio::test]
async fn calls_of_another_telephone_are_shown_and_controlled() {
    let pbx = pbx().await;
    let mut phone = telephone(&pbx, "101").await;
    let mut desk = control_only(&pbx, "101").await;
    let ready = |view: &AppView| {
        view.accounts.iter().any(|a| a.control_only && a.state == AccountState::Registered)
    };
    desk.view(ready).await;
    let registered = pbx.status().await.unwrap().registrations;
    assert_eq!(registered.len(), 1, "the telephone's alone: {registered:?}");

    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let ringing = desk.call(CallState::Ringing).await;
    assert_eq!(ringing.direction, CallDirection::In);
    let view = desk.view(|view| view.calls.iter().any(|call| call.id == ringing.call)).await;
    assert!(view.calls[0].actions.contains(&CallAction::Answer), "{:?}", view.calls[0].actions);
    let there = phone.call(CallState::Ringing).await;
    // Answered here: the exchange asks the telephone to answer.
    desk.do_with("call.answer", ringing.call).await;
    phone.call(CallState::Active).await;
    let active = desk.call(CallState::Active).await;
    assert_eq!(active.call, ringing.call);
    desk.do_with("call.hold", active.call).await;
    desk.call(CallState::Held).await;
    desk.do_with("call.resume", active.call).await;
    desk.call(CallState::Active).await;
    desk.do_with("call.hangup", active.call).await;
    desk.call(CallState::Ended).await;
    phone.call(CallState::Ended).await;
    let view = desk.view(|view| !view.history.is_empty()).await;
    assert_eq!(view.history[0].outcome, CallOutcome::Answered);
    assert!(there.call != ringing.call, "numbers of their own");
    let gone = json!({"cmd": "call.hold", "call": active.call});
    assert_eq!(desk.refused(gone).await, Code::UnknownCall);
    desk.quit().await;
    phone.quit().await;
    pbx.stop().await;
}

#[tokio::test]
async fn a_call_of_another_telephone_is_passed_on() {
    let pbx = pbx().await;
    let mut phone = telephone(&pbx, "101").await;
    let mut desk = control_only(&pbx, "101").await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let ringing = phone.call(CallState::Ringing).await;
    phone.do_with("call.answer", ringing.call).await;
    let active = desk.call(CallState::Active).await;
    let blind = json!({"cmd": "call.transfer.blind", "call": active.call, "to": "201"});
    desk.ask(blind).await.unwrap();
    desk.call(CallState::Ended).await;
    phone.call(CallState::Ended).await;
    desk.quit().await;
    phone.quit().await;
    pbx.stop().await;
}

#[tokio::test]
async fn a_lost_exchange_is_a_lost_account() {
    let pbx = pbx().await;
    let mut desk = control_only(&pbx, "101").await;
    pbx.stop().await;
    desk.account(AccountState::Unreachable).await;
    desk.quit().await;
}
