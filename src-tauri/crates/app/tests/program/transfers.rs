//! Transfers between programs that call each other directly: one transfers, one is transferred, one is
//! called, each with its own part of the work.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::code::Code;
use app::config::{Config, Sound};
use app::control::Answer;
use app::event::{CallEvent, Event, TransferState};
use app::view::{CallAction, CallState, CallView};
use app::{StartError, StartOptions};
use serde_json::json;

use crate::desk::{Desk, options};

/// A program that is called directly, and its address.
struct Phone {
    desk: Desk,
    address: String,
}

impl Phone {
    async fn start(user: &str, more: &str) -> Phone {
        loop {
            // A port that was free a moment ago; somebody else may be faster.
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let address = format!("sip:{user}@{free}");
            let config = Config::parse(&format!(
                "[[account]]\nid = \"main\"\ndisplay_name = \"{user}\"\naor = \"{address}\"\n\
                 register = false\npassword = \"unused\"\n{more}\n[network]\nbind = \"127.0.0.1\"\n\
                 sip_port = {port}\nrtp_ports = [43000, 43999]\n",
                port = free.port()
            ))
            .unwrap();
            let options = StartOptions { config, sound: Sound::Null, ..options() };
            match Desk::start(options).await {
                Ok(desk) => return Phone { desk, address },
                Err(StartError::PortTaken { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn answer(&mut self) -> CallEvent {
        let ringing = self.desk.call(CallState::Ringing).await;
        self.desk.do_with("call.answer", ringing.call).await;
        self.desk.call(CallState::Active).await
    }

    /// The next word about a transfer.
    async fn transfer(&mut self) -> (TransferState, Option<u16>, Option<Code>) {
        self.desk
            .event(|event| match event {
                Event::CallTransfer { state, status, reason, .. } => Some((state, status, reason)),
                _ => None,
            })
            .await
    }

    /// The last word about a transfer.
    async fn outcome(&mut self) -> (TransferState, Option<u16>, Option<Code>) {
        loop {
            let word = self.transfer().await;
            if matches!(word.0, TransferState::Done | TransferState::Failed) {
                return word;
            }
        }
    }

    async fn heard(&mut self, call: u64) {
        self.desk
            .event(|event| match event {
                Event::CallMedia { call: id, rx_active: true, .. } => (id == call).then_some(()),
                _ => None,
            })
            .await;
    }

    async fn consult(&mut self, call: u64, to: &str) -> u64 {
        let asked = json!({"cmd": "call.transfer.consult", "call": call, "to": to});
        match self.desk.ask(asked).await.unwrap() {
            Answer::Consult(created) => created.consult,
            other => panic!("{other:?}"),
        }
    }

    async fn blind(&self, call: u64, to: &str) {
        let asked = json!({"cmd": "call.transfer.blind", "call": call, "to": to});
        self.desk.ask(asked).await.unwrap();
    }
}

/// A customer who has called the reception, and a colleague.
struct Scene {
    customer: Phone,
    /// The customer's call, and the reception's.
    calls: (u64, u64),
    reception: Phone,
    colleague: Phone,
}

async fn scene(settings_of_reception: &str) -> Scene {
    let mut customer = Phone::start("customer", "").await;
    let mut reception = Phone::start("reception", settings_of_reception).await;
    let colleague = Phone::start("colleague", "").await;
    let out = customer.desk.dial(&reception.address).await;
    let taken = reception.answer().await.call;
    assert_eq!(customer.desk.call(CallState::Active).await.call, out);
    Scene { customer, calls: (out, taken), reception, colleague }
}

impl Scene {
    async fn end(self) {
        self.customer.desk.quit().await;
        self.reception.desk.quit().await;
        self.colleague.desk.quit().await;
    }
}

#[tokio::test]
async fn a_cold_transfer_connects_the_caller_and_frees_the_desk() {
    let mut scene = scene("").await;
    let call = scene.calls.1;
    scene.reception.blind(call, &scene.colleague.address).await;
    assert_eq!(scene.reception.transfer().await.0, TransferState::Trying);
    assert_eq!(scene.reception.desk.call(CallState::Transferring).await.call, call);
    let ringing = scene.colleague.desk.call(CallState::Ringing).await;
    assert_eq!(scene.reception.transfer().await.0, TransferState::Ringing);
    scene.colleague.desk.do_with("call.answer", ringing.call).await;
    assert_eq!(scene.reception.transfer().await.0, TransferState::Done);
    let ended = scene.reception.desk.call(CallState::Ended).await;
    assert_eq!((ended.call, ended.reason), (call, None));
    let talking = scene.customer.desk.call(CallState::Active).await;
    assert_ne!(talking.call, scene.calls.0);
    scene.customer.heard(talking.call).await;
    scene.colleague.heard(ringing.call).await;
    let first = scene.calls.0;
    let over = |call: &CallView| call.id != first || call.state == CallState::Ended;
    scene.customer.desk.view(|view| view.calls.iter().all(over)).await;
    scene.end().await;
}

#[tokio::test]
async fn a_declined_cold_transfer_brings_the_caller_back_with_the_reason() {
    let mut scene = scene("").await;
    let (out, taken) = scene.calls;
    scene.reception.blind(taken, &scene.colleague.address).await;
    let ringing = scene.colleague.desk.call(CallState::Ringing).await.call;
    scene.colleague.desk.do_with("call.reject", ringing).await;
    let outcome = scene.reception.outcome().await;
    assert_eq!(outcome, (TransferState::Failed, Some(486), Some(Code::BusyHere)));
    assert_eq!(scene.reception.desk.call(CallState::Held).await.call, taken);
    let told = |call: &CallView| call.transfer.as_ref().is_some_and(|t| t.reason.is_some());
    let view = scene.reception.desk.view(|view| view.calls.iter().any(told)).await;
    let shown = view.calls.iter().find(|call| call.id == taken).unwrap();
    assert_eq!(shown.transfer.as_ref().unwrap().reason, Some(Code::BusyHere));
    assert!(shown.actions.contains(&CallAction::CancelTransfer), "{:?}", shown.actions);
    // The customer talks on with the reception, in the call that he made.
    scene.reception.desk.do_with("call.transfer.cancel", taken).await;
    assert_eq!(scene.reception.desk.call(CallState::Active).await.call, taken);
    let back = scene.customer.desk.event(|event| match event {
        Event::CallState(event) if event.call == out && event.state == CallState::Active => {
            Some(())
        }
        _ => None,
    });
    back.await;
    scene.end().await;
}

#[tokio::test]
async fn the_caller_is_taken_back_while_it_rings() {
    let mut scene = scene("").await;
    let taken = scene.calls.1;
    scene.reception.blind(taken, &scene.colleague.address).await;
    let wrong = scene.colleague.desk.call(CallState::Ringing).await.call;
    scene.reception.desk.do_with("call.transfer.cancel", taken).await;
    let outcome = scene.reception.outcome().await;
    assert_eq!(outcome, (TransferState::Failed, None, Some(Code::TakenBack)));
    assert_eq!(scene.reception.desk.call(CallState::Active).await.call, taken);
    // It was the wrong colleague: his telephone is quiet again, and the right one answers.
    assert_eq!(scene.colleague.desk.call(CallState::Ended).await.call, wrong);
    let mut other = Phone::start("other", "").await;
    scene.reception.blind(taken, &other.address).await;
    let right = other.answer().await.call;
    assert_eq!(scene.reception.outcome().await.0, TransferState::Done);
    other.heard(right).await;
    other.desk.quit().await;
    scene.end().await;
}

#[tokio::test]
async fn a_warm_transfer_connects_both_and_the_colleagues_call_goes_on() {
    let mut scene = scene("").await;
    let taken = scene.calls.1;
    let address = scene.colleague.address.clone();
    let consult = scene.reception.consult(taken, &address).await;
    assert_eq!(scene.reception.desk.call(CallState::Held).await.call, taken);
    let asked = scene.colleague.answer().await.call;
    let talking = scene.reception.desk.call(CallState::Active).await;
    assert_eq!((talking.call, talking.consult_of), (consult, Some(taken)));
    scene.reception.desk.do_with("call.transfer.complete", consult).await;
    assert_eq!(scene.reception.outcome().await.0, TransferState::Done);
    let over = |call: &CallView| call.state == CallState::Ended;
    scene.reception.desk.view(|view| view.calls.iter().all(over)).await;
    // The colleague's call is the same one, with the customer at the other end.
    let view = scene.colleague.desk.view(|view| {
        view.calls
            .iter()
            .any(|call| call.peer.name == "customer" || call.peer.uri.contains("customer"))
    });
    let view = view.await;
    assert_eq!(view.calls.iter().map(|call| call.id).collect::<Vec<_>>(), [asked]);
    assert_eq!(view.calls[0].state, CallState::Active);
    let new = scene.customer.desk.call(CallState::Active).await;
    scene.customer.heard(new.call).await;
    scene.end().await;
}

#[tokio::test]
async fn completing_while_it_rings_lets_the_caller_hear_it_ring() {
    let mut scene = scene("").await;
    let taken = scene.calls.1;
    let address = scene.colleague.address.clone();
    let consult = scene.reception.consult(taken, &address).await;
    let first = scene.colleague.desk.call(CallState::Ringing).await.call;
    scene.reception.desk.do_with("call.transfer.complete", consult).await;
    let second = scene.colleague.desk.call(CallState::Ringing).await.call;
    assert_ne!(first, second);
    scene.colleague.desk.do_with("call.answer", second).await;
    assert_eq!(scene.reception.outcome().await.0, TransferState::Done);
    scene.end().await;
}

#[tokio::test]
async fn without_reports_the_caller_stays_at_hand() {
    let mut scene = scene("norefersub = true").await;
    let taken = scene.calls.1;
    scene.reception.blind(taken, &scene.colleague.address).await;
    let ringing = scene.colleague.desk.call(CallState::Ringing).await.call;
    scene.colleague.desk.do_with("call.answer", ringing).await;
    scene.customer.desk.call(CallState::Active).await;
    // Nobody reports: the user may look after the caller himself at any time.
    let view = scene.reception.desk.view(|view| !view.calls.is_empty()).await;
    assert_eq!(view.calls[0].state, CallState::Transferring);
    scene.reception.desk.do_with("call.hangup", taken).await;
    assert_eq!(scene.reception.desk.call(CallState::Ended).await.call, taken);
    scene.end().await;
}

#[tokio::test]
async fn what_cannot_be_transferred_is_refused() {
    let scene = scene("").await;
    let desk = &scene.reception.desk;
    let taken = scene.calls.1;
    let table = [
        (json!({"cmd": "call.transfer.blind", "call": 99, "to": "102"}), Code::UnknownCall),
        (json!({"cmd": "call.transfer.blind", "call": taken, "to": ""}), Code::BadTarget),
        (json!({"cmd": "call.transfer.consult", "call": taken, "to": "sip:"}), Code::BadTarget),
        (json!({"cmd": "call.transfer.complete", "call": taken}), Code::WrongState),
        (json!({"cmd": "call.transfer.cancel", "call": taken}), Code::WrongState),
    ];
    for (request, code) in table {
        assert_eq!(desk.refused(request.clone()).await, code, "{request}");
    }
    scene.end().await;
}

/// The network says so; only Linux passes that on.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_caller_whose_telephone_is_gone_is_told_within_seconds() {
    let peer = crate::peer::Peer::start("INVITE, ACK, BYE, REFER, NOTIFY").await;
    let mut desk = peer.caller().await;
    let call = desk.dial(&peer.address).await;
    desk.call(CallState::Active).await;
    drop(peer);
    let asked = json!({"cmd": "call.transfer.blind", "call": call, "to": "sip:carol@127.0.0.1:9"});
    desk.ask(asked).await.unwrap();
    let told = desk.event(|event| match event {
        Event::CallTransfer { state: TransferState::Failed, status, reason, .. } => {
            Some((status, reason))
        }
        _ => None,
    });
    let told = tokio::time::timeout(std::time::Duration::from_secs(15), told).await.unwrap();
    assert_eq!(told, (Some(503), Some(Code::ConnectionFailed)));
    // He is not given up: nobody has said that he is gone.
    desk.view(|view| view.calls.iter().any(|c| c.id == call && c.state == CallState::Held)).await;
    desk.quit().await;
}
