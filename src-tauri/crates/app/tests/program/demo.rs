//! The embedded exchange with one command.

use app::StartOptions;
use app::control::Answer;
use app::view::centre::{AgentStateName, CapabilityName, LinkName};
use app::view::service::ServiceName;
use app::view::{AccountState, CallDirection, CallState};
use serde_json::json;

use crate::desk::{Desk, options};

#[tokio::test]
async fn the_demo_brings_an_account_people_and_customers() {
    let mut desk = Desk::start(options()).await.unwrap();
    let Ok(Answer::Demo(demo)) = desk.ask(json!({"cmd": "demo.start"})).await else {
        panic!("no demo")
    };
    assert!(demo.numbers.iter().any(|number| number.kind == "echo"));
    desk.account(AccountState::Registered).await;
    let view = desk.view(|view| view.accounts.iter().any(|account| account.demo)).await;
    assert!(!view.colleagues.is_empty());
    let colleague = view.colleagues[0].clone();
    let found = desk.ask(json!({"cmd": "contacts.search", "text": colleague.name})).await;
    let Ok(Answer::Hits(hits)) = found else { panic!("{found:?}") };
    assert_eq!(hits[0].target, colleague.number);
    desk.ask(json!({"cmd": "demo.customer"})).await.unwrap();
    let ringing = desk.call(CallState::Ringing).await;
    assert_eq!(ringing.direction, CallDirection::In);
    desk.do_with("call.answer", ringing.call).await;
    desk.call(CallState::Active).await;
    desk.do_with("call.hangup", ringing.call).await;
    desk.call(CallState::Ended).await;
    desk.ask(json!({"cmd": "demo.stop"})).await.unwrap();
    desk.view(|view| view.demo.is_none() && view.accounts.is_empty()).await;
    desk.quit().await;
}

#[tokio::test]
async fn the_demo_shows_the_whole_product() {
    let mut desk = Desk::start(StartOptions { demo: true, ..options() }).await.unwrap();
    desk.account(AccountState::Registered).await;
    let centre = desk
        .centre(|view| {
            let bar = view.agent.as_ref();
            view.link.state == LinkName::Live
                && view.services.iter().all(|service| service.actual.is_some())
                && bar.is_some_and(|bar| {
                    bar.state == Some(AgentStateName::Available) && bar.queues.len() == 2
                })
        })
        .await;
    let can = |capability| centre.capabilities.contains(&capability);
    for wanted in [
        CapabilityName::Agent,
        CapabilityName::JoinQueues,
        CapabilityName::Supervise,
        CapabilityName::SilentMonitor,
        CapabilityName::BargeIn,
        CapabilityName::QueuePolicy,
    ] {
        assert!(can(wanted), "{wanted:?}");
    }
    let bar = centre.agent.clone().unwrap();
    assert_eq!(bar.queues.iter().filter(|queue| queue.joined).count(), 1, "one to be joined");
    assert!(!bar.reasons.is_empty());
    assert!(centre.services.iter().any(|view| view.service == ServiceName::ForwardAlways));
    assert!(!centre.nights.is_empty(), "a lamp of the night");
    // Others work in a queue that the account only watches.
    desk.queue(|queue| {
        let others = queue.agents.iter().filter(|agent| !agent.me);
        queue.supervised
            && queue.joined == Some(false)
            && others.filter(|agent| agent.state == Some(AgentStateName::Available)).count() >= 3
    })
    .await;
    // A caller of the own queue rings here, and is shown to come through it.
    desk.ask(json!({"cmd": "demo.customer", "queue": true})).await.unwrap();
    let ringing = desk.call(CallState::Ringing).await;
    let view = desk.view(|view| view.calls.iter().any(|call| call.queue.is_some())).await;
    let call = view.calls.iter().find(|call| call.id == ringing.call).unwrap();
    assert_eq!(call.queue.as_ref().unwrap().name, "Klantenservice");
    desk.quit().await;
}

#[tokio::test]
async fn a_program_may_start_with_the_demo() {
    let mut desk = Desk::start(StartOptions { demo: true, ..options() }).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk.quit().await;
}

#[tokio::test]
async fn a_first_customer_rings_by_himself() {
    let first_customer = Some(std::time::Duration::from_secs(2));
    let options = StartOptions { demo: true, first_customer, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk.call(CallState::Ringing).await;
    desk.quit().await;
}
