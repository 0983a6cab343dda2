//! Cold transfers for which we ring the new party ourselves, through the embedded exchange: a customer has called
//! the reception (101), who sends him to a colleague (102) or elsewhere.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::code::Code;
use app::config::{BlindTransfer, Sound};
use app::control::Answer;
use app::event::{Event, TransferState};
use app::view::{AccountState, CallState, CallView, TransferKind};
use serde_json::json;
use training_pbx::{CustomerCall, PbxHandle};

use crate::desk::{Desk, config, options, pbx};

struct Scene {
    pbx: PbxHandle,
    reception: Desk,
    colleague: Desk,
    /// The customer's call at the reception.
    taken: u64,
}

async fn scene() -> Scene {
    let pbx = pbx().await;
    let mut settings = config(&pbx, "101");
    settings.accounts[0].blind_transfer = BlindTransfer::Supervised;
    let options = StartOptions { config: settings, sound: Sound::Null, ..options() };
    let mut reception = Desk::start(options).await.unwrap();
    reception.account(AccountState::Registered).await;
    let colleague = Desk::registered(&pbx, "102").await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let call = reception.call(CallState::Ringing).await.call;
    reception.do_with("call.answer", call).await;
    let taken = reception.call(CallState::Active).await.call;
    Scene { pbx, reception, colleague, taken }
}

impl Scene {
    async fn blind(&self, to: &str) {
        let asked = json!({"cmd": "call.transfer.blind", "call": self.taken, "to": to});
        self.reception.ask(asked).await.unwrap();
    }

    async fn told(&mut self) -> (TransferState, Option<u16>, Option<Code>) {
        let taken = self.taken;
        self.reception
            .event(|event| match event {
                Event::CallTransfer { call, state, status, reason } => {
                    assert_eq!(call, taken, "told of the caller's call");
                    Some((state, status, reason))
                }
                _ => None,
            })
            .await
    }

    /// The customer waits on hold and can be talked to; nobody else is in a call.
    async fn has_the_customer(mut self) {
        let taken = self.taken;
        let one = |state: CallState| {
            move |view: &app::view::AppView| {
                let open = |call: &&CallView| call.state != CallState::Ended;
                let calls: Vec<_> = view.calls.iter().filter(open).collect();
                calls.len() == 1 && calls[0].id == taken && calls[0].state == state
            }
        };
        self.reception.view(one(CallState::Held)).await;
        self.reception.do_with("call.transfer.cancel", taken).await;
        self.reception.view(one(CallState::Active)).await;
        assert_eq!(self.pbx.status().await.unwrap().calls, 1);
        self.reception.quit().await;
        self.colleague.quit().await;
    }
}

#[tokio::test]
async fn the_customer_is_handed_over_when_the_colleague_answers() {
    let mut scene = scene().await;
    scene.blind("102").await;
    assert_eq!(scene.told().await.0, TransferState::Trying);
    assert_eq!(scene.told().await.0, TransferState::Ringing);
    let view = scene.reception.view(|view| view.calls.len() == 2).await;
    let rung = view.calls.iter().find(|call| call.consult_of == Some(scene.taken)).unwrap();
    assert!(rung.muted, "nobody here is heard by the colleague");
    let call = scene.colleague.call(CallState::Ringing).await.call;
    scene.colleague.do_with("call.answer", call).await;
    assert_eq!(scene.told().await, (TransferState::Done, None, None));
    let over = |call: &CallView| call.state == CallState::Ended;
    scene.reception.view(|view| view.calls.iter().all(over)).await;
    scene
        .colleague
        .view(|view| view.calls.iter().any(|c| c.id == call && c.state == CallState::Active))
        .await;
    assert_eq!(scene.pbx.status().await.unwrap().calls, 1);
    scene.reception.quit().await;
    scene.colleague.quit().await;
}

#[tokio::test]
async fn a_colleague_who_declines_leaves_the_customer_here_with_the_reason() {
    let mut scene = scene().await;
    scene.blind("102").await;
    let call = scene.colleague.call(CallState::Ringing).await.call;
    let decline = json!({"cmd": "call.reject", "call": call, "status": 603});
    scene.colleague.ask(decline).await.unwrap();
    loop {
        match scene.told().await {
            (TransferState::Failed, Some(603), Some(Code::Declined)) => break,
            (TransferState::Trying | TransferState::Ringing, ..) => {}
            other => panic!("{other:?}"),
        }
    }
    scene.has_the_customer().await;
}

#[tokio::test]
async fn an_unknown_number_and_a_busy_one_leave_him_here_too() {
    let busy = (Some(486), Some(Code::BusyHere));
    for (to, (status, reason)) in [("999", (Some(404), Some(Code::NotFound))), ("221", busy)] {
        let mut scene = scene().await;
        scene.blind(to).await;
        assert_eq!(scene.told().await.0, TransferState::Trying);
        assert_eq!(scene.told().await, (TransferState::Failed, status, reason), "{to}");
        scene.has_the_customer().await;
    }
}

#[tokio::test]
async fn the_last_transfers_are_told_and_the_caller_can_be_called_back() {
    let mut scene = scene().await;
    scene.blind("221").await;
    let taken = scene.taken;
    let failed = |view: &app::view::AppView| {
        view.transfers.first().is_some_and(|entry| entry.state == TransferState::Failed)
    };
    let view = scene.reception.view(failed).await;
    let entry = view.transfers[0].clone();
    assert_eq!((entry.call, entry.kind, entry.lost), (taken, TransferKind::Cold, false));
    assert_eq!((entry.reason, entry.status), (Some(Code::BusyHere), Some(486)));
    assert_eq!(entry.to.number, "221");
    assert!(!entry.caller.number.is_empty() && entry.call_back.is_some(), "{entry:?}");
    let list = scene.reception.ask(json!({"cmd": "transfer.list"})).await.unwrap();
    assert_eq!(list, Answer::Transfers(vec![entry.clone()]));
    // He gives up waiting: he is to be called back.
    scene.reception.do_with("call.hangup", taken).await;
    let back = json!({"cmd": "transfer.call_back", "transfer": entry.id});
    let Answer::Call(created) = scene.reception.ask(back).await.unwrap() else { panic!("no call") };
    let view = scene.reception.view(|view| view.calls.iter().any(|c| c.id == created.call)).await;
    let call = view.calls.iter().find(|call| call.id == created.call).unwrap();
    assert_eq!(call.peer.number, entry.caller.number);
    let unknown = json!({"cmd": "transfer.call_back", "transfer": 99});
    assert_eq!(scene.reception.refused(unknown).await, Code::UnknownCall);
    scene.reception.quit().await;
    scene.colleague.quit().await;
}

#[tokio::test]
async fn no_more_than_twenty_transfers_are_kept() {
    let mut scene = scene().await;
    for count in 1..=22 {
        scene.blind("999").await;
        let over = move |view: &app::view::AppView| {
            let first = view.transfers.first();
            first.is_some_and(|e| e.id == count && e.state == TransferState::Failed)
        };
        scene.reception.view(over).await;
        scene.reception.do_with("call.transfer.cancel", scene.taken).await;
        let taken = scene.taken;
        let active = |call: &CallView| call.id == taken && call.state == CallState::Active;
        scene.reception.view(|view| view.calls.iter().any(active)).await;
    }
    let view = scene.reception.view(|view| view.transfers.len() == 20).await;
    assert_eq!((view.transfers[0].id, view.transfers[19].id), (22, 3));
    scene.reception.quit().await;
    scene.colleague.quit().await;
}

#[tokio::test]
async fn the_user_takes_him_back_while_it_rings() {
    let mut scene = scene().await;
    scene.blind("102").await;
    let ringing = scene.colleague.call(CallState::Ringing).await.call;
    scene.reception.do_with("call.transfer.cancel", scene.taken).await;
    assert_eq!(scene.colleague.call(CallState::Ended).await.call, ringing);
    let taken = scene.taken;
    let active = |call: &CallView| call.id == taken && call.state == CallState::Active;
    scene.reception.view(|view| view.calls.iter().any(active)).await;
    scene.reception.quit().await;
    scene.colleague.quit().await;
}

#[tokio::test]
async fn a_consultation_completed_while_it_rings_goes_on_ringing() {
    let mut scene = scene().await;
    let consult = json!({"cmd": "call.transfer.consult", "call": scene.taken, "to": "102"});
    scene.reception.ask(consult).await.unwrap();
    let call = scene.colleague.call(CallState::Ringing).await.call;
    scene.reception.do_with("call.transfer.complete", scene.taken).await;
    assert_eq!(scene.told().await.0, TransferState::Trying);
    scene.colleague.do_with("call.answer", call).await;
    loop {
        if scene.told().await.0 == TransferState::Done {
            break;
        }
    }
    scene
        .colleague
        .view(|view| view.calls.iter().any(|c| c.id == call && c.state == CallState::Active))
        .await;
    scene.reception.quit().await;
    scene.colleague.quit().await;
}

#[tokio::test]
async fn parking_is_always_asked_of_the_exchange() {
    let mut scene = scene().await;
    scene.blind("*68").await;
    loop {
        if scene.told().await.0 == TransferState::Done {
            break;
        }
    }
    let over = |call: &CallView| call.state == CallState::Ended;
    scene.reception.view(|view| view.calls.iter().all(over)).await;
    scene.reception.quit().await;
    scene.colleague.quit().await;
}
