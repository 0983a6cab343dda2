//! Parking, retrieving and picking up at the embedded exchange; a refresh by UPDATE.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::code::Code;
use app::control::{Answer, Parked};
use app::event::{Event, TransferState};
use app::view::targets::TargetKind;
use app::view::{CallState, CallView, LineState, ParkState, PeerView};
use serde_json::json;
use training_pbx::{CustomerCall, Knob};

use crate::desk::{Desk, pbx};
use crate::peer::Peer;

async fn customer(desk: &mut Desk, pbx: &training_pbx::PbxHandle) -> u64 {
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let call = desk.call(CallState::Ringing).await.call;
    desk.do_with("call.answer", call).await;
    desk.call(CallState::Active).await.call
}

async fn made(desk: &Desk, command: serde_json::Value) -> u64 {
    match desk.ask(command).await.unwrap() {
        Answer::Call(created) => created.call,
        other => panic!("{other:?}"),
    }
}

impl Desk {
    async fn parked(&mut self) -> (u64, Option<String>) {
        self.event(|event| match event {
            Event::CallParked { call, slot } => Some((call, slot)),
            _ => None,
        })
        .await
    }

    /// Whether a call that rings there was taken.
    async fn picked_up(&mut self, target: &str) -> bool {
        let taken = made(self, json!({"cmd": "call.pickup", "target": target})).await;
        self.event(|event| match event {
            Event::CallState(event) if event.call == taken => match event.state {
                CallState::Active => Some(true),
                CallState::Ended => Some(false),
                _ => None,
            },
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn a_customer_is_parked_and_retrieved_by_a_colleague() {
    let pbx = pbx().await;
    let mut reception = Desk::registered(&pbx, "101").await;
    let mut colleague = Desk::registered(&pbx, "102").await;
    for (slot, told) in [(None, "101"), (Some("102"), "102")] {
        let call = customer(&mut reception, &pbx).await;
        let answer = match slot {
            None => reception.ask(json!({"cmd": "call.park", "call": call})).await,
            Some(slot) => {
                reception.ask(json!({"cmd": "call.park", "call": call, "slot": slot})).await
            }
        };
        assert_eq!(answer.unwrap(), Answer::Parked(Parked { slot: Some(told.into()) }));
        assert_eq!(reception.parked().await, (call, Some(told.into())));
        reception.call(CallState::Ended).await;
        let back = made(&colleague, json!({"cmd": "call.retrieve", "slot": told})).await;
        let talking = colleague.call(CallState::Active).await;
        assert_eq!(talking.call, back);
        // The caller it is, not the place he was fetched from.
        let parked = reception.view(|view| view.history.iter().any(|past| past.id == call)).await;
        let parked = parked.history.into_iter().find(|past| past.id == call).unwrap().peer;
        assert_eq!((&talking.peer.name, &talking.peer.number), (&parked.name, &parked.number));
        assert_eq!(talking.peer.target, None);
        assert_eq!(pbx.status().await.unwrap().calls, 1);
        colleague.do_with("call.hangup", back).await;
        colleague.call(CallState::Ended).await;
        let kept = colleague.view(|view| view.history.iter().any(|past| past.id == back)).await;
        assert_eq!(kept.history[0].peer, talking.peer);
    }
    reception.quit().await;
    colleague.quit().await;
}

impl Desk {
    /// Parks a customer and waits until the list of transfers has him so.
    async fn parks(&mut self, pbx: &training_pbx::PbxHandle, slot: &str) {
        let call = customer(self, pbx).await;
        self.ask(json!({"cmd": "call.park", "call": call, "slot": slot})).await.unwrap();
        self.newest_is(ParkState::Waiting).await;
    }

    async fn newest_is(&mut self, state: ParkState) {
        let newest = |view: &app::view::AppView| view.transfers.first().cloned();
        self.view(|view| newest(view).is_some_and(|entry| entry.parked == Some(state))).await;
    }
}

#[tokio::test]
async fn who_was_parked_is_known_to_be_fetched_or_gone() {
    let pbx = pbx().await;
    let mut reception = Desk::registered(&pbx, "101").await;
    let mut colleague = Desk::registered(&pbx, "102").await;
    reception.centre(|view| view.link.state == app::view::centre::LinkName::Live).await;
    // Fetched from here, from the own line and from another one.
    for slot in ["101", "102"] {
        reception.parks(&pbx, slot).await;
        let back = made(&reception, json!({"cmd": "call.retrieve", "slot": slot})).await;
        reception.newest_is(ParkState::Retrieved).await;
        reception.do_with("call.hangup", back).await;
        reception.call(CallState::Ended).await;
    }
    // Fetched by somebody else, from where nobody tells of it: known once it is tried.
    reception.parks(&pbx, "102").await;
    made(&colleague, json!({"cmd": "call.retrieve", "slot": "102"})).await;
    colleague.call(CallState::Active).await;
    made(&reception, json!({"cmd": "call.retrieve", "slot": "102"})).await;
    reception.newest_is(ParkState::Gone).await;
    // And from the own line, of which the exchange tells.
    reception.parks(&pbx, "101").await;
    reception.centre(|view| !view.parked.is_empty()).await;
    made(&colleague, json!({"cmd": "call.retrieve", "slot": "101"})).await;
    reception.newest_is(ParkState::Gone).await;
    let view = reception.view(|view| view.transfers.len() == 4).await;
    assert!(view.transfers.iter().all(|entry| entry.parked != Some(ParkState::Waiting)));
    reception.quit().await;
    colleague.quit().await;
}

#[tokio::test]
async fn one_slot_takes_one_caller_and_the_second_stays_with_the_desk() {
    let pbx = pbx().await;
    let mut reception = Desk::registered(&pbx, "101").await;
    let first = customer(&mut reception, &pbx).await;
    reception.ask(json!({"cmd": "call.park", "call": first})).await.unwrap();
    reception.parked().await;
    let second = customer(&mut reception, &pbx).await;
    reception.ask(json!({"cmd": "call.park", "call": second})).await.unwrap();
    let failed = reception
        .event(|event| match event {
            Event::CallTransfer { call, state: TransferState::Failed, reason, .. } => {
                Some((call, reason))
            }
            _ => None,
        })
        .await;
    assert_eq!(failed, (second, Some(Code::BusyHere)));
    reception
        .view(|view| view.calls.iter().any(|c| c.id == second && c.state == CallState::Held))
        .await;
    reception.quit().await;
}

#[tokio::test]
async fn what_cannot_be_parked_or_taken_is_refused() {
    let pbx = pbx().await;
    let mut reception = Desk::registered(&pbx, "101").await;
    let call = customer(&mut reception, &pbx).await;
    let table = [
        (json!({"cmd": "call.park", "call": 99}), Code::UnknownCall),
        (json!({"cmd": "call.park", "call": call, "slot": "1;x=y"}), Code::BadTarget),
        (json!({"cmd": "call.retrieve", "slot": "*72+31900"}), Code::BadTarget),
        (json!({"cmd": "call.retrieve", "account": "none"}), Code::UnknownAccount),
        (json!({"cmd": "call.pickup", "target": ""}), Code::BadTarget),
        (json!({"cmd": "call.update", "call": 99}), Code::UnknownCall),
    ];
    for (request, code) in table {
        assert_eq!(reception.refused(request.clone()).await, code, "{request}");
    }
    // Nothing is parked there.
    let nothing = made(&reception, json!({"cmd": "call.retrieve", "slot": "102"})).await;
    let ended = reception.call(CallState::Ended).await;
    assert_eq!((ended.call, ended.reason), (nothing, Some(Code::NotFound)));
    reception.quit().await;
}

#[tokio::test]
async fn a_call_that_rings_at_a_colleague_is_picked_up() {
    // Watched, so by the very call's name; and by the code.
    for watched in [true, false] {
        let pbx = pbx().await;
        let mut reception = Desk::registered(&pbx, "101").await;
        let mut colleague = Desk::registered(&pbx, "102").await;
        let mut caller = Desk::registered(&pbx, "103").await;
        if watched {
            reception.ask(json!({"cmd": "line.watch", "uris": ["102"]})).await.unwrap();
            let closed =
                json!({"cmd": "answer.status", "to": "*97102", "status": 403, "count": 1000});
            let closed: Knob = serde_json::from_value(closed).unwrap();
            pbx.turn(closed).await.unwrap();
        }
        let out = caller.dial("102").await;
        let ringing = colleague.call(CallState::Ringing).await.call;
        if watched {
            reception
                .event(|event| match event {
                    Event::LineState(line) if line.state == LineState::Ringing => Some(()),
                    _ => None,
                })
                .await;
        }
        // The lamp may be faster than the name of the call: then the code is tried, which is closed.
        while !reception.picked_up("102").await {
            assert!(watched);
        }
        assert_eq!(caller.call(CallState::Active).await.call, out);
        // It is the caller, not the colleague whose telephone rang; and the caller is told who took it.
        let of_103 = |call: &CallView| call.state == CallState::Active && call.peer.number == "103";
        reception.view(|view| view.calls.iter().any(of_103)).await;
        let ended = colleague.call(CallState::Ended).await;
        assert_eq!((ended.call, ended.reason), (ringing, Some(Code::AnsweredElsewhere)));
        reception.quit().await;
        colleague.quit().await;
        caller.quit().await;
    }
}

/// A telephone answers and vouches for nobody, as exchanges do that say nothing of a call that is fetched.
#[tokio::test]
async fn a_fetched_call_that_nobody_is_named_for_is_shown_by_where_it_was() {
    let peer = Peer::start("INVITE, ACK, BYE, CANCEL").await;
    let (_, own) = peer.address.split_once('@').unwrap();
    let text = format!(
        "[[account]]\nid = \"main\"\naor = \"sip:101@{own}\"\nregister = false\n[network]\n\
         bind = \"127.0.0.1\"\nrtp_ports = [43000, 43999]\n"
    );
    let config = app::config::Config::parse(&text).unwrap();
    let mut desk =
        Desk::start(app::StartOptions { config, ..crate::desk::options() }).await.unwrap();
    let table = [
        (json!({"cmd": "call.pickup", "target": "102"}), "102", TargetKind::PickedUp),
        (json!({"cmd": "call.dial", "to": "*97102"}), "102", TargetKind::PickedUp),
        (json!({"cmd": "call.retrieve", "slot": "103"}), "103", TargetKind::Retrieved),
        (json!({"cmd": "call.retrieve"}), "", TargetKind::Retrieved),
    ];
    for (command, name, kind) in table {
        let call = made(&desk, command).await;
        let talking = desk.call(CallState::Active).await;
        assert_eq!(talking.call, call);
        let PeerView { name: shown, number, target, .. } = talking.peer;
        assert_eq!((shown.as_str(), number.as_str(), target), (name, "", Some(kind)));
        desk.do_with("call.hangup", call).await;
        desk.call(CallState::Ended).await;
    }
    desk.quit().await;
}

#[tokio::test]
async fn a_call_is_refreshed_by_update_or_else_by_an_invite() {
    for (allow, method) in
        [("INVITE, ACK, BYE, CANCEL, UPDATE", "UPDATE"), ("INVITE, ACK, BYE, CANCEL", "INVITE")]
    {
        let peer = Peer::start(allow).await;
        let mut desk = peer.caller().await;
        let call = desk.dial(&peer.address).await;
        desk.call(CallState::Active).await;
        desk.do_with("call.update", call).await;
        let request = peer.changed().await;
        assert_eq!(request.method.as_str(), method);
        assert!(String::from_utf8_lossy(&request.body).contains("a=sendrecv"), "{request:?}");
        // It goes on, and can be changed again.
        desk.do_with("call.hold", call).await;
        let request = peer.changed().await;
        assert_eq!(request.method.as_str(), "INVITE");
        assert!(String::from_utf8_lossy(&request.body).contains("a=sendonly"));
        desk.call(CallState::Held).await;
        desk.quit().await;
    }
}

/// Both change the call at once, and the telephone is the faster: its offer, in which nobody is held, is answered, and
/// then the hold is asked for anew instead of being lost or sent as it was.
#[tokio::test]
async fn a_hold_that_met_an_offer_of_the_telephone_is_asked_for_anew() {
    let peer = Peer::faster().await;
    let mut desk = peer.caller().await;
    let call = desk.dial(&peer.address).await;
    desk.call(CallState::Active).await;
    desk.do_with("call.hold", call).await;
    let request = peer.changed().await;
    assert_eq!(request.method.as_str(), "INVITE");
    assert!(String::from_utf8_lossy(&request.body).contains("a=sendonly"), "{request:?}");
    desk.call(CallState::Held).await;
    // And taken off hold as any other.
    desk.do_with("call.resume", call).await;
    let request = peer.changed().await;
    assert!(String::from_utf8_lossy(&request.body).contains("a=sendrecv"), "{request:?}");
    desk.call(CallState::Active).await;
    desk.quit().await;
}

#[tokio::test]
async fn what_a_colleague_has_set_for_his_line_is_told_by_lamps_beside_it() {
    let pbx = pbx().await;
    let mut settings = crate::desk::config(&pbx, "101");
    // The line 102 of the exchange stands for a lamp of the colleague at 2.
    settings.accounts[0].codes.colleague_dnd_lamp = "10{target}".into();
    let options = app::StartOptions { config: settings, ..crate::desk::options() };
    let mut desk = Desk::start(options).await.unwrap();
    desk.account(app::view::AccountState::Registered).await;
    let lamp = Desk::registered(&pbx, "102").await;
    desk.ask(json!({"cmd": "line.watch", "uris": ["2"]})).await.unwrap();
    desk.line_of("sip:102@").await;
    let call = lamp.dial("600").await;
    assert!(desk.told_of("sip:2@", |line| line.do_not_disturb).await);
    lamp.do_with("call.hangup", call).await;
    assert!(desk.told_of("sip:2@", |line| !line.do_not_disturb).await);
    desk.quit().await;
    lamp.quit().await;
}

impl Desk {
    async fn line_of(&mut self, uri: &str) {
        self.told_of(uri, |line| line.state == LineState::Idle).await;
    }

    /// Waits until a line is told so.
    async fn told_of(&mut self, uri: &str, fits: impl Fn(&app::view::LineView) -> bool) -> bool {
        self.event(|event| match event {
            Event::LineState(line) if line.uri.starts_with(uri) && fits(&line) => Some(true),
            _ => None,
        })
        .await
    }
}
