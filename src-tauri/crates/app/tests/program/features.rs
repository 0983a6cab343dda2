//! Services and the agent's state over SIP (as-feature-event): at the embedded exchange without its web services, beside a
//! binding that lacks some, and where the exchange has none of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::code::Code;
use app::config::{Config, FeatureEvents, XsiSettings};
use app::control::Answer;
use app::view::centre::{AgentStateName, CapabilityName, CentreView, LinkName};
use app::view::service::{ServiceName, ServiceView, WishState};
use app::view::{AccountState, CallState};
use pbx::centre::{Capability, Input, LinkState, ServiceKind};
use serde_json::json;
use training_pbx::{CustomerCall, Knob, PbxHandle};

use crate::desk::{Desk, config, options, pbx};
use crate::exchange::{Exchange, exchanges, me};

fn service(view: &CentreView, name: ServiceName) -> Option<&ServiceView> {
    view.services.iter().find(|service| service.service == name)
}

/// Whether a service is told to be on or off, and nothing is wanted of it any more.
fn is(view: &CentreView, name: ServiceName, active: bool) -> bool {
    service(view, name).is_some_and(|service| {
        let actual = service.actual.as_ref().and_then(|values| values.active);
        let settled = matches!(service.state, WishState::Told | WishState::Verified);
        actual == Some(active) && settled && service.editable
    })
}

fn wanting(pbx: &PbxHandle, extension: &str, wanted: FeatureEvents) -> Config {
    let mut config = config(pbx, extension);
    config.accounts[0].feature_events = wanted;
    config
}

async fn start(config: Config) -> Desk {
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk
}

async fn set(desk: &Desk, service: &str, values: serde_json::Value) {
    let command = json!({"cmd": "service.set", "service": service, "values": values});
    assert_eq!(desk.ask(command).await.unwrap(), Answer::done());
}

#[tokio::test]
async fn services_are_the_same_at_desk_and_exchange() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let view = desk.centre(|view| view.link.state == LinkName::Live).await;
    assert!(is(&view, ServiceName::DoNotDisturb, false), "{:?}", view.services);
    assert_eq!(view.services.len(), 4, "{:?}", view.services);
    assert!(view.agent.is_none() && view.missing.is_empty());

    set(&desk, "do_not_disturb", json!({"active": true})).await;
    desk.centre(|view| is(view, ServiceName::DoNotDisturb, true)).await;
    // Somebody changes it at the exchange.
    pbx.turn(Knob::DoNotDisturb { line: "101".into(), on: false }).await.unwrap();
    desk.centre(|view| is(view, ServiceName::DoNotDisturb, false)).await;

    set(&desk, "forward_no_answer", json!({"active": true, "to": "201", "rings": 3})).await;
    let view = desk.centre(|view| is(view, ServiceName::ForwardNoAnswer, true)).await;
    let values = service(&view, ServiceName::ForwardNoAnswer).unwrap().actual.clone().unwrap();
    assert_eq!((values.to.as_deref(), values.rings), (Some("201"), Some(3)));
    pbx.turn(Knob::Forward { line: "101".into(), to: Some("202".into()) }).await.unwrap();
    let view = desk.centre(|view| is(view, ServiceName::ForwardAlways, true)).await;
    let values = service(&view, ServiceName::ForwardAlways).unwrap().actual.clone().unwrap();
    assert_eq!(values.to.as_deref(), Some("202"));
    // What cannot be asked for in this way is said to be so.
    let mail = json!({"cmd": "service.set", "service": "voice_mail", "values": {"active": true}});
    assert_eq!(desk.refused(mail).await, Code::Forbidden);
    desk.quit().await;
}

#[tokio::test]
async fn an_agent_works_without_web_services() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "104").await;
    let at = |state, reason: &'static str| {
        move |view: &CentreView| {
            let bar = view.agent.as_ref();
            bar.is_some_and(|bar| bar.state == Some(state) && bar.reason == reason)
        }
    };
    desk.centre(at(AgentStateName::Available, "")).await;
    let lunch = json!({"cmd": "agent.state", "state": "unavailable", "reason": "LUNCH"});
    desk.ask(lunch).await.unwrap();
    desk.centre(at(AgentStateName::Unavailable, "LUNCH")).await;
    desk.ask(json!({"cmd": "agent.state", "state": "sign_out"})).await.unwrap();
    desk.centre(at(AgentStateName::SignedOut, "")).await;
    desk.ask(json!({"cmd": "agent.state", "state": "available"})).await.unwrap();
    let back = desk.centre(at(AgentStateName::Available, "")).await;
    assert!(back.agent.unwrap().queues.is_empty(), "queues are not told over SIP");
    desk.quit().await;
}

#[tokio::test]
async fn an_exchange_that_refuses_is_named_and_one_that_offers_nothing_is_not_asked() {
    let pbx = pbx().await;
    let packages = vec!["dialog".to_owned(), "message-summary".to_owned(), "reg".to_owned()];
    pbx.turn(Knob::Packages { packages }).await.unwrap();
    let mut asks = start(wanting(&pbx, "101", FeatureEvents::On)).await;
    let view = asks.centre(|view| !view.missing.is_empty()).await;
    assert!(view.services.is_empty() && view.capabilities.is_empty());
    let named = view.missing.iter().filter(|missing| {
        missing.capability == CapabilityName::Service
            && missing.licence == "as-feature-event (489 Bad Event)"
    });
    assert_eq!(named.count(), 4, "{:?}", view.missing);
    let wish =
        json!({"cmd": "service.set", "service": "do_not_disturb", "values": {"active": true}});
    assert_eq!(asks.refused(wish.clone()).await, Code::LicenceMissing);
    asks.quit().await;
    let quiet = start(wanting(&pbx, "102", FeatureEvents::Auto)).await;
    assert_eq!(quiet.refused(wish.clone()).await, Code::NoExchange);
    quiet.quit().await;
    let packages = vec!["dialog".to_owned(), "as-feature-event".to_owned()];
    pbx.turn(Knob::Packages { packages }).await.unwrap();
    let off = start(wanting(&pbx, "103", FeatureEvents::Off)).await;
    assert_eq!(off.refused(wish).await, Code::NoExchange);
    off.quit().await;
}

#[tokio::test]
async fn what_a_binding_lacks_is_asked_over_sip_and_nothing_else() {
    let pbx = pbx().await;
    let (exchanges, mut ports) = exchanges();
    let mut config = config(&pbx, "101");
    config.accounts[0].xsi = Some(XsiSettings::default());
    let options = StartOptions { config, exchanges, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let mut exchange = Exchange::of(&mut ports).await;
    desk.account(AccountState::Registered).await;
    exchange.tell(Input::Me { user: me(), name: "Anna".into() }).await;
    let present = vec![Capability::Service(ServiceKind::ForwardAlways)];
    let missing = ServiceKind::DoNotDisturb;
    let missing = vec![(Capability::Service(missing), "Do Not Disturb".to_owned())];
    exchange.tell(Input::Capabilities { present, missing }).await;
    exchange.tell(Input::Link(LinkState::Live)).await;
    let view = desk.centre(|view| is(view, ServiceName::DoNotDisturb, false)).await;
    assert!(view.missing.is_empty(), "{:?}", view.missing);
    set(&desk, "do_not_disturb", json!({"active": true})).await;
    desk.centre(|view| is(view, ServiceName::DoNotDisturb, true)).await;
    // What the binding offers is its own affair.
    pbx.turn(Knob::Forward { line: "101".into(), to: Some("202".into()) }).await.unwrap();
    pbx.turn(Knob::DoNotDisturb { line: "101".into(), on: false }).await.unwrap();
    let view = desk.centre(|view| is(view, ServiceName::DoNotDisturb, false)).await;
    assert_eq!(service(&view, ServiceName::ForwardAlways).and_then(|s| s.actual.clone()), None);
    let wish = json!({"cmd": "service.set", "service": "forward_always",
        "values": {"active": true, "to": "201"}});
    let asked = async {
        let (id, request) = exchange.asked().await;
        assert!(matches!(request, pbx::centre::Request::SetService(_)), "{request:?}");
        exchange.takes(id).await;
    };
    let (answer, ()) = tokio::join!(desk.ask(wish), asked);
    answer.unwrap();
    desk.quit().await;
}

#[tokio::test]
async fn who_is_parked_at_the_own_line_is_shown_without_web_services() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    desk.centre(|view| view.link.state == LinkName::Live && view.parked.is_empty()).await;
    let customer = CustomerCall { number: Some("0302310001".into()), ..CustomerCall::to("101") };
    pbx.customer_call(customer).await.unwrap();
    let call = desk.call(CallState::Ringing).await.call;
    desk.do_with("call.answer", call).await;
    desk.call(CallState::Active).await;
    desk.ask(json!({"cmd": "call.park", "call": call})).await.unwrap();
    let view = desk.centre(|view| !view.parked.is_empty()).await;
    let parked = &view.parked[0];
    assert!(parked.own && parked.slot == "101", "{parked:?}");
    let digits: String = parked.peer.number.chars().filter(char::is_ascii_digit).collect();
    assert!(digits.ends_with("302310001"), "{parked:?}");
    desk.ask(json!({"cmd": "call.retrieve", "slot": parked.slot})).await.unwrap();
    desk.centre(|view| view.parked.is_empty()).await;
    desk.quit().await;
}

#[tokio::test]
async fn a_guest_signs_in_at_this_telephone_and_calls_as_himself() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let mut other = Desk::registered(&pbx, "103").await;
    let there = |view: &CentreView| view.seat.as_ref().is_some_and(|seat| !seat.busy);
    let view = desk.centre(|view| there(view) && view.link.state == LinkName::Live).await;
    assert_eq!(view.seat.unwrap().guest, None);
    let sign = |secret: &str| json!({"cmd": "guest.sign_in", "guest": "102", "secret": secret});
    assert_eq!(desk.refused(sign("wrong")).await, Code::AuthFailed);
    assert_eq!(desk.refused(sign("")).await, Code::PasswordNeeded);
    let nobody = json!({"cmd": "guest.sign_in", "guest": "999", "secret": "x"});
    assert_eq!(desk.refused(nobody).await, Code::Forbidden);
    let account = pbx.ready().accounts.iter().find(|account| account.extension == "102").unwrap();
    desk.ask(sign(&account.password)).await.unwrap();
    let view = desk.centre(|view| view.seat.as_ref().is_some_and(|s| s.guest.is_some())).await;
    let seat = view.seat.unwrap();
    assert_eq!(seat.guest.unwrap().number, "102");
    assert!(seat.until_ms.is_some());
    // Whoever is called from here sees the guest, and the guest's calls ring here.
    let call = desk.dial("103").await;
    let ringing = other.call(CallState::Ringing).await;
    assert_eq!(ringing.peer.number, "102", "{:?}", ringing.peer);
    desk.do_with("call.hangup", call).await;
    other.call(CallState::Ended).await;
    other.ask(json!({"cmd": "call.dial", "to": "102"})).await.unwrap();
    desk.call(CallState::Ringing).await;
    desk.ask(json!({"cmd": "guest.sign_out"})).await.unwrap();
    let view = desk.centre(|view| view.seat.as_ref().is_some_and(|s| s.guest.is_none())).await;
    assert!(!view.seat.unwrap().busy);
    desk.quit().await;
    other.quit().await;
}
