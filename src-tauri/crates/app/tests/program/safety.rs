//! Calls for help are made at once by the account that reaches help; what costs is asked about once; what the exchange
//! forbids is named. Everything here rings on this computer.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::code::Code;
use app::config::Config;
use app::control::Answer;
use app::view::safety::HelpWarning;
use app::view::{AccountState, CallState};
use serde_json::json;
use training_pbx::PbxHandle;

use crate::desk::{Desk, options, pbx};

/// Two accounts of one exchange; `first` and `second` are said of them.
fn two(pbx: &PbxHandle, first: &str, second: &str) -> Config {
    let account = |id: &str, extension: &str, more: &str| {
        let known = pbx.ready().accounts.iter().find(|one| one.extension == extension).unwrap();
        format!(
            "[[account]]\nid = \"{id}\"\naor = \"sip:{extension}@127.0.0.1\"\n\
             registrar = \"sip:127.0.0.1:{};transport=udp\"\nauth_user = \"{}\"\npassword = \"{}\"\n{more}\n",
            pbx.ready().sip_udp,
            known.auth_user,
            known.password
        )
    };
    let accounts = account("first", "101", first) + &account("second", "102", second);
    Config::parse(&format!(
        "{accounts}[network]\nbind = \"127.0.0.1\"\nrtp_ports = [42000, 42999]\n"
    ))
    .unwrap()
}

async fn start(config: Config) -> Desk {
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    let up = |state: AccountState| state == AccountState::Registered;
    desk.view(|view| view.accounts.len() == 2 && view.accounts.iter().all(|one| up(one.state)))
        .await;
    desk
}

/// A program that is called directly.
fn direct(user: &str) -> Config {
    Config::parse(&format!(
        "[[account]]\nid = \"main\"\naor = \"sip:{user}@127.0.0.1\"\nregister = false\npassword = \"x\"\n\
         [network]\nbind = \"127.0.0.1\"\nrtp_ports = [43000, 43999]\n"
    ))
    .unwrap()
}

/// One that runs, and its port.
async fn listening(user: &str) -> (Desk, u16) {
    loop {
        // A port that was free a moment ago; somebody else may be faster.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut config = direct(user);
        config.network.sip_port = free.port();
        if let Ok(desk) = Desk::start(StartOptions { config, ..options() }).await {
            return (desk, free.port());
        }
    }
}

async fn dial(desk: &Desk, more: serde_json::Value) -> Result<u64, Code> {
    let mut command = json!({"cmd": "call.dial"});
    command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    match desk.ask(command).await {
        Ok(Answer::Call(created)) => Ok(created.call),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal.code),
    }
}

#[tokio::test]
async fn help_is_called_at_once_by_the_account_that_reaches_it() {
    let pbx = pbx().await;
    let mut desk = start(two(&pbx, "emergency = false", "")).await;
    let view = desk.view(|view| view.help.account.is_some()).await;
    assert_eq!(view.help.numbers, ["112"]);
    assert_eq!((view.help.account.as_deref(), view.help.warning), (Some("second"), None));
    assert!(!view.accounts[0].emergency && view.accounts[1].emergency);
    // As a link writes it, with an account that does not reach help, withheld and guarded: none of it stands in the way.
    let asked = json!({"to": "tel:1-1-2", "account": "first", "withhold": true, "guarded": true});
    let call = dial(&desk, asked).await.unwrap();
    let ended = desk.call(CallState::Ended).await;
    assert_eq!((ended.call, ended.account.as_str()), (call, "second"));
    assert!(ended.peer.uri.starts_with("sip:112@"), "as typed: {}", ended.peer.uri);
    desk.quit().await;
}

/// Only a call for help goes out in clear where sound must be encrypted.
#[tokio::test]
async fn help_is_reached_where_the_other_side_cannot_encrypt() {
    for (user, reached) in [("112", true), ("0301234567", false)] {
        let (mut other, port) = listening(user).await;
        let mut config = direct("101");
        config.accounts[0].srtp = app::config::Srtp::Required;
        let way = format!("sip:127.0.0.1:{port};lr");
        config.accounts[0].outbound_proxy = app::config::Proxies::default().with_first(way);
        let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
        dial(&desk, json!({"to": user})).await.unwrap();
        if reached {
            let ringing = other.call(CallState::Ringing).await.call;
            other.ask(json!({"cmd": "call.answer", "call": ringing})).await.unwrap();
            let active = desk.call(CallState::Active).await;
            assert!(!active.secure);
            desk.do_with("call.hangup", active.call).await;
        }
        let ended = desk.call(CallState::Ended).await;
        assert_eq!(ended.reason == Some(Code::NoCommonEncryption), !reached, "{user} {ended:?}");
        desk.quit().await;
        other.quit().await;
    }
}

#[tokio::test]
async fn an_account_that_reaches_no_help_is_warned_of_and_used_all_the_same() {
    let pbx = pbx().await;
    let mut desk = start(two(&pbx, "emergency = false", "emergency = false")).await;
    let view = desk.view(|view| view.help.warning.is_some()).await;
    assert_eq!(view.help.warning, Some(HelpWarning::CannotCall));
    dial(&desk, json!({"to": "112"})).await.unwrap();
    desk.quit().await;
}

#[tokio::test]
async fn what_costs_is_asked_about_where_that_is_wanted_and_goes_once_it_was() {
    let pbx = pbx().await;
    let mut desk = start(two(&pbx, "", "")).await;
    for to in ["0900-8844", "+32 471 23 45 67", "sip:1888@127.0.0.1"] {
        let asked = dial(&desk, json!({"to": to, "guarded": true})).await;
        assert_eq!(asked, Err(Code::AsksFirst), "{to}");
    }
    // Nobody asked to be stopped, or he has said yes.
    dial(&desk, json!({"to": "0900-8844"})).await.unwrap();
    desk.call(CallState::Ended).await;
    let rules = json!({"premium": true, "foreign": false, "never": ["0900-8844"], "country": "DE"});
    desk.ask(json!({"cmd": "settings.set", "guard": rules})).await.unwrap();
    let view = desk.view(|view| view.settings.guard.country == "DE").await;
    assert_eq!(view.help.numbers, ["112", "110"]);
    for to in ["0900-8844", "+32 471 23 45 67", "110"] {
        let call = dial(&desk, json!({"to": to, "guarded": true})).await.unwrap();
        // Those that nobody has end by themselves.
        drop(desk.ask(json!({"cmd": "call.hangup", "call": call})).await);
        desk.call(CallState::Ended).await;
    }
    assert_eq!(
        dial(&desk, json!({"to": "0906-1234", "guarded": true})).await,
        Err(Code::AsksFirst)
    );
    let broken = json!({"never": ["abc"]});
    assert_eq!(desk.refused(json!({"cmd": "settings.set", "guard": broken})).await, Code::BadValue);
    desk.quit().await;
}

#[tokio::test]
async fn a_caller_is_not_sent_to_what_costs_without_a_question() {
    let pbx = pbx().await;
    let mut desk = start(two(&pbx, "", "")).await;
    let call = dial(&desk, json!({"to": "600"})).await.unwrap();
    desk.call(CallState::Active).await;
    for cmd in ["call.transfer.blind", "call.transfer.consult"] {
        let ask = |to: &str| json!({"cmd": cmd, "call": call, "to": to, "guarded": true});
        assert_eq!(desk.refused(ask("0900-8844")).await, Code::AsksFirst, "{cmd}");
    }
    desk.do_with("call.hangup", call).await;
    desk.call(CallState::Ended).await;
    desk.quit().await;
}

#[tokio::test]
async fn a_number_that_the_other_side_forbids_is_named_as_the_reason() {
    let mut desk = Desk::start(StartOptions { config: direct("101"), ..options() }).await.unwrap();
    for (user, reason) in [("09008844", Code::NumberBlocked), ("0302318800", Code::Forbidden)] {
        let (mut company, port) = listening(user).await;
        dial(&desk, json!({"to": format!("sip:{user}@127.0.0.1:{port}")})).await.unwrap();
        let ringing = company.call(CallState::Ringing).await.call;
        company.ask(json!({"cmd": "call.reject", "call": ringing, "status": 403})).await.unwrap();
        let ended = desk.call(CallState::Ended).await;
        assert_eq!((ended.reason, ended.status), (Some(reason), Some(403)), "{user}");
        company.quit().await;
    }
    desk.quit().await;
}

#[tokio::test]
async fn what_the_company_does_not_let_out_is_explained_before_it_is_dialled() {
    let pbx = pbx().await;
    let block = "[[account.block]]\nname = \"Mobiel\"\nnumbers = [\"06\", \"+44\"]";
    let mut desk = start(two(&pbx, block, "")).await;
    for to in ["06 1234 5678", "0044 20 7946 0000", "tel:+442079460000"] {
        let asked = dial(&desk, json!({"to": to, "account": "first", "guarded": true})).await;
        assert_eq!(asked, Err(Code::NumberBlocked), "{to}");
    }
    // The other company lets it out, help is never in question, and whoever insists may try.
    for more in [
        json!({"to": "0612345678", "account": "second", "guarded": true}),
        json!({"to": "112", "account": "first", "guarded": true}),
        json!({"to": "0612345678", "account": "first"}),
    ] {
        let call = dial(&desk, more).await.unwrap();
        drop(desk.ask(json!({"cmd": "call.hangup", "call": call})).await);
        desk.call(CallState::Ended).await;
    }
    let call = dial(&desk, json!({"to": "600", "account": "first"})).await.unwrap();
    desk.call(CallState::Active).await;
    let send =
        json!({"cmd": "call.transfer.blind", "call": call, "to": "0612345678", "guarded": true});
    assert_eq!(desk.refused(send).await, Code::NumberBlocked);
    desk.quit().await;
}

#[tokio::test]
async fn a_kind_of_number_that_was_refused_once_is_explained_the_next_time() {
    let mut desk = Desk::start(StartOptions { config: direct("101"), ..options() }).await.unwrap();
    let (mut company, port) = listening("09008844").await;
    dial(&desk, json!({"to": format!("sip:09008844@127.0.0.1:{port}")})).await.unwrap();
    let ringing = company.call(CallState::Ringing).await.call;
    company.ask(json!({"cmd": "call.reject", "call": ringing, "status": 403})).await.unwrap();
    assert_eq!(desk.call(CallState::Ended).await.reason, Some(Code::NumberBlocked));
    let again = dial(&desk, json!({"to": "0900-1234", "guarded": true})).await;
    assert_eq!(again, Err(Code::NumberBlocked), "of the same kind");
    let other = dial(&desk, json!({"to": "+32 471 23 45 67", "guarded": true})).await;
    assert_eq!(other, Err(Code::AsksFirst), "of another kind");
    company.quit().await;
    desk.quit().await;
}
