//! Who goes before others: by the priority of his queue, or as a favourite among the contacts; in which order ringing calls
//! stand all the same; and that missed calls are told outside the window.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::config::Sound;
use app::control::Answer;
use app::view::queue::PriorityName;
use app::view::{AccountState, CallState, SearchHit};
use base64::Engine as _;
use pbx::centre::{
    CallRecording, ExchangeCall, ExchangeCallState, Input, Party, Priority, QueueEntry,
};
use serde_json::json;
use training_pbx::{CustomerCall, PbxHandle};

use crate::desk::{Desk, config, options, pbx};
use crate::exchange::{Exchange, caller, exchanges, queue};

async fn customer(pbx: &PbxHandle, name: &str, number: &str) {
    let (name, number) = (Some(name.to_owned()), Some(number.to_owned()));
    let call = CustomerCall { name, number, patience_s: Some(60), ..CustomerCall::to("101") };
    pbx.customer_call(call).await.unwrap();
}

#[tokio::test]
async fn a_favourite_is_marked_and_the_longest_waiting_still_comes_first() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let csv = "Name,Business Phone\nBouwbedrijf Zilver,030 231 88 00\nGarage Goud,030 231 88 01\n";
    let data = base64::engine::general_purpose::STANDARD.encode(csv);
    desk.ask(json!({"cmd": "contacts.import", "name": "list.csv", "data": data})).await.unwrap();
    let hits = match desk.ask(json!({"cmd": "contacts.search", "text": "zilver"})).await.unwrap() {
        Answer::Hits(hits) => hits,
        other => panic!("{other:?}"),
    };
    let [SearchHit { contact: Some(contact), .. }, ..] = hits.as_slice() else {
        panic!("{hits:?}");
    };
    desk.ask(json!({"cmd": "contacts.favourite", "contact": contact, "on": true})).await.unwrap();
    for (name, number) in [("Goud", "+31302318801"), ("Zilver", "+31302318800")] {
        customer(&pbx, name, number).await;
        desk.call(CallState::Ringing).await;
    }
    let view = desk.view(|view| view.calls.len() == 2).await;
    let marks: Vec<(&str, bool)> =
        view.calls.iter().map(|call| (call.peer.name.as_str(), call.vip)).collect();
    assert_eq!(marks, [("Garage Goud", false), ("Bouwbedrijf Zilver", true)]);
    assert!(view.calls[0].started_ms <= view.calls[1].started_ms, "the longest waiting first");
    // The pop-up is told the same, in the same order.
    let popped = desk.seen.lock().unwrap().incoming.clone();
    assert_eq!(popped.iter().map(|call| call.vip).collect::<Vec<_>>(), [false, true]);

    // Once they have given up they were missed, and that is told outside the window, once each.
    for call in &view.calls {
        desk.do_with("call.answer", call.id).await;
        desk.do_with("call.hangup", call.id).await;
        desk.call(CallState::Ended).await;
    }
    assert!(desk.seen.lock().unwrap().missed.is_empty(), "answered is not missed");
    let impatient = CustomerCall {
        name: Some("Zilver".into()),
        number: Some("+31302318800".into()),
        patience_s: Some(1),
        ..CustomerCall::to("101")
    };
    pbx.customer_call(impatient).await.unwrap();
    desk.call(CallState::Ended).await;
    desk.view(|view| view.missed == 1).await;
    let missed = desk.seen.lock().unwrap().missed.clone();
    assert_eq!(
        missed.iter().map(|call| call.peer.name.as_str()).collect::<Vec<_>>(),
        ["Bouwbedrijf Zilver"]
    );
    desk.quit().await;
}

#[tokio::test]
async fn a_call_of_a_queue_has_the_priority_that_its_caller_had_there() {
    let pbx = pbx().await;
    let (exchanges, mut ports) = exchanges();
    let mut config = config(&pbx, "101");
    config.accounts[0].xsi = Some(app::config::XsiSettings::default());
    let options = StartOptions { config, exchanges, sound: Sound::Null, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    let exchange = Exchange::of(&mut ports).await;
    exchange.begins().await;
    desk.account(AccountState::Registered).await;
    desk.queue(|view| !view.agents.is_empty()).await;
    let number = "0302318800";
    let entries = vec![
        QueueEntry { priority: Some(Priority::Low), ..caller("c1", "0201234567", 1000) },
        QueueEntry { priority: Some(Priority::Highest), ..caller("c2", number, 2000) },
    ];
    exchange.tell(Input::QueueSnapshot { queue: queue(), entries }).await;
    let view = desk.queue(|view| view.entries.len() == 2).await;
    let marks: Vec<_> = view.entries.iter().map(|entry| entry.priority).collect();
    assert!(
        marks.contains(&Some(PriorityName::Highest)) && marks.contains(&Some(PriorityName::Low))
    );
    customer(&pbx, "Zilver", "+31302318800").await;
    desk.call(CallState::Ringing).await;
    let call = ExchangeCall {
        id: "x1".into(),
        party: Party { name: String::new(), number: number.into() },
        incoming: true,
        state: ExchangeCallState::Alerting,
        queue: Some(queue()),
        waited: Some(42),
        sip_call_id: None,
        digits: None,
        monitored: false,
        recording: CallRecording::default(),
        since: None,
    };
    exchange.tell(Input::Call(call)).await;
    let view = desk.view(|view| view.calls.iter().any(|call| call.queue.is_some())).await;
    let through = view.calls[0].queue.clone().unwrap();
    assert_eq!((through.priority, through.name.as_str()), (Some(PriorityName::Highest), "Support"));
    desk.quit().await;
}
