//! The call centre as a front end sees it, with an exchange that does what the test says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::code::Code;
use app::config::Sound;
use app::control::Answer;
use app::event::Event;
use app::view::CallState;
use app::view::centre::{
    AgentStateName, AgentWish, CentreView, CentreWarning, DriftCause, LinkName,
};
use app::view::queue::{EntryAction, MeasureName, SeverityName};
use app::view::service::{ServiceName, WishState};
use pbx::centre::{
    AgentState, CallRecording, EntryEnd, EntryState, ExchangeCall, ExchangeCallState, Forwarding,
    Input, LinkFault, LinkState, Party, QueueChange, QueueEntry, QueuedCallId, Refusal, Request,
    Service, ServiceKind,
};
use serde_json::json;

use crate::desk::{Desk, options};
use crate::exchange::{Exchange, bert, caller, config, exchanges, me, queue};

pub(crate) async fn begin() -> (Desk, Exchange) {
    let (exchanges, mut ports) = exchanges();
    let options = StartOptions { config: config(&["main"]), exchanges, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let exchange = Exchange::of(&mut ports).await;
    exchange.begins().await;
    desk.centre(|view| view.link.state == LinkName::Live && view.agent.is_some()).await;
    (desk, exchange)
}

/// Asks while the exchange answers.
macro_rules! asked {
    ($desk:expr, $exchange:expr, $command:expr, $request:pat $(if $guard:expr)?) => {{
        let answer = $desk.ask($command);
        let carried_out = async {
            let (id, request) = $exchange.asked().await;
            assert!(matches!(&request, $request $(if $guard)?), "{request:?}");
            $exchange.takes(id).await;
        };
        let (answer, ()) = tokio::join!(answer, carried_out);
        answer.unwrap()
    }};
}

fn always(active: bool, to: &str) -> Service {
    let forwarding = Forwarding { active, to: to.into(), rings: None };
    Service::Forwarding { kind: ServiceKind::ForwardAlways, forwarding }
}

#[tokio::test]
async fn an_agent_goes_to_lunch_and_the_exchange_decides() {
    let (mut desk, mut exchange) = begin().await;
    let view = desk.centre(|view| view.agent.as_ref().is_some_and(|a| !a.queues.is_empty())).await;
    let bar = view.agent.unwrap();
    assert_eq!(bar.state, Some(AgentStateName::Available));
    assert!(bar.reason_forced && bar.queues[0].joined && bar.queues[0].name == "Support");
    assert_eq!(bar.reasons[1].text, "MEETING", "a reason without words is shown by its code");

    let unavailable = json!({"cmd": "agent.state", "state": "unavailable"});
    assert_eq!(desk.refused(unavailable).await, Code::ReasonNeeded);
    let unavailable = json!({"cmd": "agent.state", "state": "unavailable", "reason": "NAP"});
    assert_eq!(desk.refused(unavailable).await, Code::BadValue);
    let lunch = json!({"cmd": "agent.state", "state": "unavailable", "reason": "LUNCH"});
    asked!(desk, exchange, lunch,
        Request::SetAgentState { agent: None, state: AgentState::Unavailable, code: Some(code), .. }
            if code == "LUNCH");
    exchange.state(AgentState::Unavailable, Some("LUNCH")).await;
    let at_lunch = |event| match event {
        Event::AgentChanged(event) if event.agent.reason == "LUNCH" => Some(event),
        _ => None,
    };
    let event = desk.event(at_lunch).await;
    assert_eq!(event.agent.state, Some(AgentStateName::Unavailable));
    assert_eq!(event.agent.reason_text, "Lunch");
    desk.quit().await;
    assert!(exchange.is_let_go().await);
}

#[tokio::test]
async fn the_last_agent_must_say_so_again() {
    let (desk, mut exchange) = begin().await;
    let sign_out = desk.ask(json!({"cmd": "agent.state", "state": "sign_out"}));
    let refuse = async {
        let (id, request) = exchange.asked().await;
        assert!(matches!(request, Request::SetAgentState { validate: true, .. }), "{request:?}");
        exchange.refuses(id, Refusal::LastStaffed(vec![queue()])).await;
    };
    let (answer, ()) = tokio::join!(sign_out, refuse);
    assert_eq!(answer.unwrap_err().code, Code::LastStaffed);
    asked!(
        desk,
        exchange,
        json!({"cmd": "agent.state", "state": "sign_out", "force": true}),
        Request::SetAgentState { state: AgentState::SignedOut, validate: false, .. }
    );
    desk.quit().await;
}

#[tokio::test]
async fn a_drift_is_shown_with_its_cause_and_corrected() {
    let (mut desk, mut exchange) = begin().await;
    asked!(
        desk,
        exchange,
        json!({"cmd": "agent.state", "state": "available"}),
        Request::SetAgentState { state: AgentState::Available, .. }
    );
    exchange.tell(Input::Service(Service::DoNotDisturb { active: true })).await;
    exchange.state(AgentState::Unavailable, None).await;
    let drifts = |view: &CentreView| view.agent.as_ref().is_some_and(|a| a.drift.is_some());
    let view = desk.centre(drifts).await;
    assert!(view.warnings.contains(&CentreWarning::AgentDrift));
    let drift = view.agent.unwrap().drift.unwrap();
    assert_eq!(
        (drift.wanted, drift.actual),
        (AgentStateName::Available, AgentStateName::Unavailable)
    );
    assert_eq!(drift.cause, DriftCause::Dnd);
    asked!(
        desk,
        exchange,
        json!({"cmd": "agent.drift", "action": "repeat"}),
        Request::SetAgentState { state: AgentState::Available, .. }
    );
    desk.ask(json!({"cmd": "agent.drift", "action": "accept"})).await.unwrap();
    desk.centre(|view| !drifts(view)).await;
    desk.quit().await;
}

#[tokio::test]
async fn callers_of_a_queue_are_shown_moved_and_called_back() {
    let (mut desk, mut exchange) = begin().await;
    exchange
        .tell(Input::QueueSnapshot {
            queue: queue(),
            entries: vec![caller("c1", "0201234567", 1000), caller("c2", "0301234567", 2000)],
        })
        .await;
    let view = desk.queue(|view| view.entries.len() == 2).await;
    assert!(view.known && view.supervised && view.joined == Some(true));
    assert_eq!((view.entries[0].position, view.entries[1].position), (1, 2));
    assert!(view.entries[1].actions.contains(&EntryAction::Reorder));
    assert_eq!(view.agents.len(), 2);
    let waiting = view.measures.iter().find(|m| m.measure == MeasureName::Waiting).unwrap();
    assert_eq!((waiting.value, waiting.severity), (2, SeverityName::Normal));

    asked!(desk, exchange, json!({"cmd": "queue.reorder", "queue": "Support", "call": "c2", "position": 1}),
        Request::Reorder { call: QueuedCallId(call), index: 0, .. } if call == "c2");
    asked!(desk, exchange, json!({"cmd": "queue.move", "queue": "Support", "call": "c2"}),
        Request::MoveToNumber { number, .. } if number == "101");
    let unknown = json!({"cmd": "queue.release", "queue": "Support", "call": "c9"});
    assert_eq!(desk.refused(unknown).await, Code::UnknownQueue);
    let thresholds = json!([{"measure": "waiting", "yellow": 2, "red": 5}]);
    desk.ask(json!({"cmd": "queue.thresholds", "queue": "Support", "thresholds": thresholds}))
        .await
        .unwrap();
    desk.queue(|view| view.severity == SeverityName::Yellow).await;

    let change =
        QueueChange::Left { call: QueuedCallId("c1".into()), end: EntryEnd::Abandoned, at: None };
    exchange.tell(Input::QueueChange { queue: queue(), change }).await;
    let view = desk.centre(|view| !view.abandoned.is_empty()).await;
    let abandoned = &view.abandoned[0];
    assert_eq!((abandoned.queue_name.as_str(), abandoned.called_back.is_none()), ("Support", true));
    desk.ask(json!({"cmd": "abandoned.done", "abandoned": abandoned.id})).await.unwrap();
    let back = |view: &CentreView| view.abandoned[0].called_back.as_ref().is_some_and(|b| b.me);
    desk.centre(back).await;
    desk.quit().await;
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (desk, mut exchange) = begin().await;
    let barge = json!({"cmd": "supervise", "agent": "Bert", "how": "barge_in"});
    let refusal = desk.ask(barge).await.unwrap_err();
    assert_eq!(refusal.code, Code::LicenceMissing);
    assert!(refusal.message.contains("Barge-in"), "{}", refusal.message);
    let listen = json!({"cmd": "supervise", "agent": "102", "how": "listen"});
    assert_eq!(desk.refused(listen).await, Code::Forbidden);
    let nobody = json!({"cmd": "agent.state", "state": "available", "agent": "Carla"});
    assert_eq!(desk.refused(nobody).await, Code::UnknownAgent);
    asked!(desk, exchange, json!({"cmd": "queue.leave", "queue": "Support", "agent": "Bert"}),
        Request::Join { agent: Some(agent), joined: false, .. } if *agent == bert());
    desk.quit().await;
}

#[tokio::test]
async fn emergency_forwarding_and_services_are_read_back() {
    let (mut desk, mut exchange) = begin().await;
    exchange.tell(Input::Service(always(false, ""))).await;
    desk.centre(|view| view.services.iter().any(|service| service.actual.is_some())).await;
    asked!(desk, exchange, json!({"cmd": "emergency.forward", "to": "06-12345678"}),
        Request::SetService(service) if *service == always(true, "0612345678"));
    let (read, request) = exchange.asked().await;
    assert_eq!(request, Request::ReadService(ServiceKind::ForwardAlways));
    let reading = |view: &CentreView| view.emergency[0].state == WishState::Reading;
    desk.centre(reading).await;
    exchange.tell(Input::Service(always(true, "+31612345678"))).await;
    exchange.takes(read).await;
    let view = desk.centre(|view| view.emergency[0].state == WishState::Verified).await;
    assert_eq!(view.emergency[0].actual.as_deref(), Some("+31612345678"));
    assert!(view.warnings.contains(&CentreWarning::EmergencyActive));

    let values = json!({"active": true});
    let on = json!({"cmd": "service.set", "service": "do_not_disturb", "values": values});
    asked!(desk, exchange, on, Request::SetService(Service::DoNotDisturb { active: true }));
    let Answer::Services(services) =
        desk.ask(json!({"cmd": "service.get", "service": "do_not_disturb"})).await.unwrap()
    else {
        panic!("services are answered with services")
    };
    assert_eq!(services.len(), 1);
    assert_eq!(services[0].service, ServiceName::DoNotDisturb);
    assert!(services[0].editable && services[0].actual.is_none());
    let nobody = json!({"cmd": "service.set", "service": "remote_office", "values": {}});
    assert_eq!(desk.refused(nobody).await, Code::Forbidden);
    desk.quit().await;
}

#[tokio::test]
async fn a_lost_exchange_is_shown_and_asked_nothing() {
    let (mut desk, exchange) = begin().await;
    exchange.tell(Input::Link(LinkState::Lost)).await;
    let detail = "its certificate has expired".to_owned();
    exchange.tell(Input::LinkFault { fault: LinkFault::Untrusted, detail }).await;
    exchange.tell(Input::RetryAt(1_900_000_000_000)).await;
    let view = desk.centre(|view| view.link.retry_at_ms.is_some()).await;
    assert_eq!(view.link.reason, Some(Code::TlsFailure));
    assert_eq!(view.link.detail.as_deref(), Some("its certificate has expired"));
    let told = |event| match event {
        Event::ExchangeState(event) if event.retry_at_ms.is_some() => Some(event),
        _ => None,
    };
    let event = desk.event(told).await;
    assert_eq!((event.state, event.reason), (LinkName::Lost, Some(Code::TlsFailure)));
    assert!(view.link.stale_since_ms.is_some());
    assert!(view.warnings.contains(&CentreWarning::LinkLost));
    assert!(view.agent.unwrap().allowed.is_empty());
    desk.queue(|view| view.stale_since_ms.is_some()).await;
    let available = json!({"cmd": "agent.state", "state": "available"});
    assert_eq!(desk.refused(available).await, Code::Unavailable);
    desk.quit().await;
}

#[tokio::test]
async fn two_accounts_have_an_exchange_each() {
    let (exchanges, mut ports) = exchanges();
    let config = config(&["first", "second"]);
    let options = StartOptions { config, exchanges, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let _first = Exchange::of(&mut ports).await;
    let second = Exchange::of(&mut ports).await;
    second.begins().await;
    desk.centre(|view| view.account == "second" && view.link.state == LinkName::Live).await;
    let Answer::Centres(centres) = desk.ask(json!({"cmd": "centre.get"})).await.unwrap() else {
        panic!("exchanges are answered with exchanges")
    };
    let links: Vec<_> = centres.iter().map(|c| (c.account.as_str(), c.link.state)).collect();
    assert_eq!(links, [("first", LinkName::Connecting), ("second", LinkName::Live)]);
    let unknown = json!({"cmd": "queue.list", "account": "third"});
    assert_eq!(desk.refused(unknown).await, Code::UnknownAccount);
    desk.quit().await;
}

#[tokio::test]
async fn the_queue_of_a_call_is_shown_to_its_end_and_an_outcome_asked_for() {
    let pbx = crate::desk::pbx().await;
    let (exchanges, mut ports) = exchanges();
    let mut config = crate::desk::config(&pbx, "101");
    config.accounts[0].xsi = Some(app::config::XsiSettings::default());
    let options = StartOptions { config, exchanges, sound: Sound::Null, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let mut exchange = Exchange::of(&mut ports).await;
    exchange.begins().await;
    desk.account(app::view::AccountState::Registered).await;
    desk.queue(|view| !view.agents.is_empty()).await;

    pbx.customer_call(training_pbx::CustomerCall::to("101")).await.unwrap();
    let ringing = desk.call(CallState::Ringing).await;
    let number = ringing.peer.uri.trim_start_matches("sip:").split('@').next().unwrap().to_owned();
    // The exchange tells of it a little later.
    let call = ExchangeCall {
        id: "x1".into(),
        party: Party { name: String::new(), number: number.clone() },
        incoming: true,
        state: ExchangeCallState::Alerting,
        queue: Some(queue()),
        waited: Some(42),
        sip_call_id: None,
        digits: Some("3".into()),
        monitored: false,
        recording: CallRecording::default(),
        since: None,
    };
    exchange.tell(Input::Call(call.clone())).await;
    let view = desk.view(|view| view.calls.iter().any(|call| call.queue.is_some())).await;
    let shown = view.calls[0].queue.clone().unwrap();
    assert_eq!(
        (shown.name.as_str(), shown.waited, shown.digits.as_deref()),
        ("Support", Some(42), Some("3"))
    );

    desk.do_with("call.answer", ringing.call).await;
    let active = desk.call(CallState::Active).await;
    assert_eq!(active.queue.unwrap().name, "Support");
    exchange
        .tell(Input::Call(ExchangeCall { state: ExchangeCallState::Active, queue: None, ..call }))
        .await;
    desk.do_with("call.hangup", ringing.call).await;
    let ended = desk.call(CallState::Ended).await;
    assert_eq!(ended.queue.unwrap().name, "Support");
    let view = desk.centre(|view| !view.dispositions.is_empty()).await;
    let asked = &view.dispositions[0];
    assert!(asked.forced && asked.call == Some(ringing.call), "{asked:?}");
    assert!(view.warnings.contains(&CentreWarning::DispositionNeeded));
    let bar = view.agent.clone().unwrap();
    assert_eq!(bar.needs_outcome, Some(asked.id));
    assert!(!bar.allowed.contains(&AgentWish::Available), "{:?}", bar.allowed);
    let available = json!({"cmd": "agent.state", "state": "available"});
    assert_eq!(desk.refused(available).await, Code::OutcomeNeeded);
    let skip = json!({"cmd": "disposition.skip", "disposition": asked.id});
    assert_eq!(desk.refused(skip).await, Code::ReasonNeeded);
    asked!(desk, exchange, json!({"cmd": "disposition.set", "call": ringing.call, "code": "SOLD"}),
        Request::SetDisposition { call: Some(call), code, .. } if call == "x1" && code == "SOLD");
    let view = desk.centre(|view| view.dispositions.is_empty()).await;
    assert_eq!(view.agent.unwrap().needs_outcome, None);
    desk.quit().await;
    pbx.stop().await;
}

#[tokio::test]
async fn a_caller_who_rings_from_a_queue_is_found_by_his_number() {
    let pbx = crate::desk::pbx().await;
    let (exchanges, mut ports) = exchanges();
    let mut config = crate::desk::config(&pbx, "101");
    config.accounts[0].xsi = Some(app::config::XsiSettings::default());
    let options = StartOptions { config, exchanges, sound: Sound::Null, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let exchange = Exchange::of(&mut ports).await;
    exchange.begins().await;
    desk.account(app::view::AccountState::Registered).await;
    pbx.customer_call(training_pbx::CustomerCall::to("101")).await.unwrap();
    let ringing = desk.call(CallState::Ringing).await;
    let number = ringing.peer.uri.trim_start_matches("sip:").split('@').next().unwrap().to_owned();
    let entry =
        QueueEntry { state: EntryState::Offered(Some(me())), ..caller("c1", &number, 1000) };
    let change = QueueChange::Entry { entry, position: Some(1) };
    exchange.tell(Input::QueueChange { queue: queue(), change }).await;
    let view = desk.view(|view| view.calls.iter().any(|call| call.queue.is_some())).await;
    assert_eq!(view.calls[0].queue.as_ref().unwrap().name, "Support");
    desk.quit().await;
    pbx.stop().await;
}

#[tokio::test]
async fn an_account_with_two_exchanges_is_told_so_and_has_none() {
    let text = "[network]\nbind = \"127.0.0.1\"\n[[account]]\nid = \"main\"\naor = \"sip:anna@127.0.0.1\"\n\
        register = false\n[account.xsi]\nuser = \"anna@company.example\"\npassword = \"secret\"\n\
        [account.asterisk]\nhost = \"127.0.0.1\"\nuser = \"balie\"\ninterface = \"PJSIP/101\"\n";
    let config = app::config::Config::parse(text).unwrap();
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    let words = desk
        .event(|event| match event {
            Event::Error { code: Code::BadConfig, message } => Some(message),
            _ => None,
        })
        .await;
    assert!(words.contains("both xsi and asterisk"), "{words}");
    let queues = json!({"cmd": "queue.list", "account": "main"});
    assert_eq!(desk.refused(queues).await, Code::NoExchange);
    desk.quit().await;
}
