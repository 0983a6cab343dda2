//! Where callers can be sent: the ways to reach somebody, and that a transfer says which one it takes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::code::Code;
use app::control::Answer;
use app::event::{Event, TransferState};
use app::view::targets::{TargetKind, TargetView, TargetWay};
use app::view::{AccountState, CallState, TransferEntry};
use base64::Engine as _;
use serde_json::json;

use crate::desk::{Desk, options};

async fn demo() -> Desk {
    let mut desk = Desk::start(StartOptions { demo: true, ..options() }).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk
}

/// A customer who is in conversation.
async fn customer(desk: &mut Desk) -> u64 {
    desk.ask(json!({"cmd": "demo.customer"})).await.unwrap();
    let call = desk.call(CallState::Ringing).await.call;
    desk.do_with("call.answer", call).await;
    desk.call(CallState::Active).await;
    call
}

impl Desk {
    async fn targets(&self, target: &str) -> Vec<TargetView> {
        match self.ask(json!({"cmd": "target.list", "target": target})).await.unwrap() {
            Answer::Targets(targets) => targets,
            other => panic!("{other:?}"),
        }
    }

    async fn transferred(&mut self, state: TransferState) -> TransferEntry {
        self.event(|event| match event {
            Event::TransferChanged(entry) if entry.state == state => Some(*entry),
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn a_colleague_is_reached_at_his_line_his_mobile_and_his_voicemail() {
    let mut desk = demo().await;
    let view = desk.view(|view| !view.colleagues.is_empty()).await;
    let who = view.colleagues[0].clone();
    // A list of contacts that knows his mobile telephone, and a fax that nobody is sent to.
    let csv = format!(
        "Name,Business Phone,Mobile Phone,Business Fax\n{},{},06 12345678,033 4551299\n",
        who.name, who.number
    );
    let data = base64::engine::general_purpose::STANDARD.encode(csv);
    desk.ask(json!({"cmd": "contacts.import", "name": "list.csv", "data": data})).await.unwrap();
    let found = desk.targets(&who.number).await;
    let kinds: Vec<(TargetKind, &str, TargetWay)> =
        found.iter().map(|one| (one.kind, one.to.as_str(), one.way)).collect();
    let (line, mailbox) = (who.number.as_str(), format!("*55{}", who.number));
    assert!(kinds.contains(&(TargetKind::Mobile, "0612345678", TargetWay::Ask)), "{kinds:?}");
    assert_eq!(kinds.first(), Some(&(TargetKind::Line, line, TargetWay::Ask)));
    assert!(kinds.contains(&(TargetKind::Voicemail, &mailbox, TargetWay::Send)), "{kinds:?}");
    assert!(kinds.contains(&(TargetKind::Park, line, TargetWay::Park)), "{kinds:?}");
    assert!(!kinds.iter().any(|(_, to, _)| to.ends_with("1299")), "a fax: {kinds:?}");
    // Outside, nobody knows more than the number.
    let outside = desk.targets("033 455 12 00").await;
    assert_eq!(outside.len(), 1);
    assert_eq!(outside[0].kind, TargetKind::Outside);
    let refused = desk.refused(json!({"cmd": "target.list", "target": "?"})).await;
    assert_eq!(refused, Code::BadTarget);
    desk.quit().await;
}

#[tokio::test]
async fn a_caller_on_his_way_to_a_voicemail_is_told_as_such() {
    let mut desk = demo().await;
    let view = desk.view(|view| !view.colleagues.is_empty()).await;
    let who = view.colleagues[0].clone();
    let call = customer(&mut desk).await;
    let to = format!("*55{}", who.number);
    desk.ask(json!({"cmd": "call.transfer.blind", "call": call, "to": to})).await.unwrap();
    let done = desk.transferred(TransferState::Done).await;
    assert_eq!((done.to.name, done.to.target), (who.name.clone(), Some(TargetKind::Voicemail)));
    // Parked at his line: the place is told, so that the caller can be fetched from there.
    let call = customer(&mut desk).await;
    desk.ask(json!({"cmd": "call.park", "call": call, "slot": who.number})).await.unwrap();
    let done = desk.transferred(TransferState::Done).await;
    assert_eq!(done.to.target, Some(TargetKind::Park));
    assert_eq!((done.to.name, done.to.number.clone()), (who.name, who.number));
    desk.ask(json!({"cmd": "call.retrieve", "slot": done.to.number})).await.unwrap();
    desk.call(CallState::Active).await;
    desk.quit().await;
}
