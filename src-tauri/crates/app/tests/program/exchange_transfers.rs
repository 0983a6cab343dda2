//! Transfers through the embedded exchange: a customer has called the reception (101), who passes him on
//! to a colleague (102) or elsewhere.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::code::Code;
use app::control::Answer;
use app::event::{Event, TransferState};
use app::view::{CallState, CallView};
use serde_json::json;
use training_pbx::{CustomerCall, Knob, PbxHandle};

use crate::desk::{Desk, pbx};

struct Scene {
    pbx: PbxHandle,
    reception: Desk,
    colleague: Desk,
    /// The customer's call at the reception.
    taken: u64,
}

async fn scene() -> Scene {
    let pbx = pbx().await;
    let mut reception = Desk::registered(&pbx, "101").await;
    let colleague = Desk::registered(&pbx, "102").await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let taken = answer(&mut reception).await;
    Scene { pbx, reception, colleague, taken }
}

async fn answer(desk: &mut Desk) -> u64 {
    let call = desk.call(CallState::Ringing).await.call;
    desk.do_with("call.answer", call).await;
    desk.call(CallState::Active).await.call
}

impl Scene {
    async fn blind(&self, to: &str) {
        let asked = json!({"cmd": "call.transfer.blind", "call": self.taken, "to": to});
        self.reception.ask(asked).await.unwrap();
    }

    async fn consult(&self, to: &str) -> u64 {
        let asked = json!({"cmd": "call.transfer.consult", "call": self.taken, "to": to});
        match self.reception.ask(asked).await.unwrap() {
            Answer::Consult(created) => created.consult,
            other => panic!("{other:?}"),
        }
    }

    /// The last word about the transfer.
    async fn outcome(&mut self) -> (TransferState, Option<u16>, Option<Code>) {
        let last = |event| match event {
            Event::CallTransfer { state, status, reason, .. } => {
                matches!(state, TransferState::Done | TransferState::Failed)
                    .then_some((state, status, reason))
            }
            _ => None,
        };
        self.reception.event(last).await
    }

    /// The customer is with the colleague, and the reception is free.
    async fn passed_on(mut self, call: u64) {
        assert_eq!(self.outcome().await, (TransferState::Done, None, None));
        let over = |call: &CallView| call.state == CallState::Ended;
        self.reception.view(|view| view.calls.iter().all(over)).await;
        self.colleague
            .view(|view| view.calls.iter().any(|c| c.id == call && c.state == CallState::Active))
            .await;
        assert_eq!(self.pbx.status().await.unwrap().calls, 1);
        self.end().await;
    }

    /// The customer waits at the reception, and can be talked to.
    async fn takes_back(mut self) {
        self.reception.do_with("call.transfer.cancel", self.taken).await;
        let taken = self.taken;
        let active = |call: &CallView| call.id == taken && call.state == CallState::Active;
        self.reception.view(|view| view.calls.iter().any(active)).await;
        self.end().await;
    }

    async fn end(self) {
        self.reception.quit().await;
        self.colleague.quit().await;
    }
}

#[tokio::test]
async fn a_customer_passed_on_cold() {
    let mut scene = scene().await;
    scene.blind("102").await;
    let call = answer(&mut scene.colleague).await;
    scene.passed_on(call).await;
}

#[tokio::test]
async fn a_customer_passed_on_warm() {
    let mut scene = scene().await;
    let consult = scene.consult("102").await;
    let call = answer(&mut scene.colleague).await;
    let talking = |c: &CallView| c.id == consult && c.state == CallState::Active;
    scene.reception.view(|view| view.calls.iter().any(talking)).await;
    scene.reception.do_with("call.transfer.complete", scene.taken).await;
    scene.passed_on(call).await;
}

#[tokio::test]
async fn a_customer_passed_on_while_it_rings() {
    let mut scene = scene().await;
    let consult = scene.consult("102").await;
    let first = scene.colleague.call(CallState::Ringing).await.call;
    scene.reception.do_with("call.transfer.complete", consult).await;
    let call = scene.colleague.call(CallState::Ringing).await.call;
    assert_ne!(first, call);
    scene.colleague.do_with("call.answer", call).await;
    scene.passed_on(call).await;
}

#[tokio::test]
async fn a_customer_comes_back_with_the_reason() {
    let table = [
        ("busy", TransferState::Failed, Some(486), Some(Code::BusyHere)),
        ("999", TransferState::Failed, Some(404), Some(Code::NotFound)),
    ];
    for (to, state, status, reason) in table {
        let mut scene = scene().await;
        let busy = scene.pbx.ready().numbers.busy.clone();
        scene.blind(if to == "busy" { &busy } else { to }).await;
        assert_eq!(scene.outcome().await, (state, status, reason), "{to}");
        let view =
            scene.reception.view(|view| view.calls.iter().any(|c| c.state == CallState::Held));
        let view = view.await;
        assert_eq!(view.calls[0].transfer.as_ref().and_then(|shown| shown.reason), reason);
        scene.takes_back().await;
    }
}

#[tokio::test]
async fn an_exchange_that_does_not_transfer_leaves_both_calls_as_they_were() {
    let mut scene = scene().await;
    let refuse = json!({"cmd": "transfer.fail", "status": 501, "refuse": true});
    let refuse: Knob = serde_json::from_value(refuse).unwrap();
    scene.pbx.turn(refuse).await.unwrap();
    let consult = scene.consult("102").await;
    let call = answer(&mut scene.colleague).await;
    let talking = |c: &CallView| c.id == consult && c.state == CallState::Active;
    scene.reception.view(|view| view.calls.iter().any(talking)).await;
    scene.reception.do_with("call.transfer.complete", consult).await;
    let refused = (TransferState::Failed, Some(501), Some(Code::TransferRefused));
    assert_eq!(scene.outcome().await, refused);
    let view =
        scene.reception.view(|view| view.calls.iter().any(|c| c.state == CallState::Held)).await;
    assert!(view.calls.iter().any(talking), "{:?}", view.calls);
    // The second try is obeyed.
    scene.reception.do_with("call.transfer.complete", consult).await;
    scene.passed_on(call).await;
}
