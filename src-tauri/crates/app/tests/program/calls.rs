//! Calls: out and in, held and taken back, two at once, refused in words.

use app::code::Code;
use app::control::Answer;
use app::event::Event;
use app::view::{AppView, CallAction, CallDirection, CallOutcome, CallState, QualityLevel};
use serde_json::json;
use training_pbx::CustomerCall;

use crate::desk::{Desk, pbx};

#[tokio::test]
async fn an_echo_is_called_held_and_taken_back() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let echo = pbx.ready().numbers.echo.clone();
    let call = desk.dial(&echo).await;
    let active = desk.call(CallState::Active).await;
    assert_eq!((active.call, active.direction), (call, CallDirection::Out));
    assert!(active.codec.is_some(), "{active:?}");
    desk.event(|event| match event {
        Event::CallMedia { rx_active: true, tx_active: true, .. } => Some(()),
        _ => None,
    })
    .await;
    desk.do_with("call.hold", call).await;
    desk.call(CallState::Held).await;
    assert_eq!(desk.refused(json!({"cmd": "call.hold", "call": call})).await, Code::WrongState);
    desk.do_with("call.resume", call).await;
    desk.call(CallState::Active).await;
    desk.do_with("call.reinvite", call).await;
    desk.ask(json!({"cmd": "call.dtmf", "call": call, "digits": "12#"})).await.unwrap();
    desk.ask(json!({"cmd": "call.mute", "call": call, "on": true})).await.unwrap();
    let view = desk.view(|view| view.calls.iter().any(|call| call.muted)).await;
    assert!(view.calls[0].actions.contains(&CallAction::Unmute));
    // Figures are there once the quality is known.
    desk.view(|view| view.calls.iter().any(|call| call.quality != QualityLevel::Unknown)).await;
    let stats = desk.ask(json!({"cmd": "call.stats", "call": call})).await.unwrap();
    let Answer::Stats(stats) = stats else { panic!("{stats:?}") };
    assert!(stats.tx.packets > 0 && stats.codec.is_some(), "{stats:?}");
    desk.do_with("call.hangup", call).await;
    let ended = desk.call(CallState::Ended).await;
    assert_eq!(ended.reason, None, "{ended:?}");
    let view = desk.view(|view| !view.history.is_empty()).await;
    assert_eq!(view.history[0].outcome, CallOutcome::Answered);
    desk.quit().await;
    let status = pbx.status().await.unwrap();
    assert_eq!((status.calls, status.registrations.len()), (0, 0), "{status:?}");
}

#[tokio::test]
async fn a_customer_rings_is_answered_and_hung_up_on() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let customer = CustomerCall {
        name: Some("Bakkerij de Korenaar".into()),
        number: Some("+31302318800".into()),
        ..CustomerCall::to("101")
    };
    pbx.customer_call(customer).await.unwrap();
    let ringing = desk.call(CallState::Ringing).await;
    assert_eq!(ringing.direction, CallDirection::In);
    assert_eq!(ringing.peer.name, "Bakkerij de Korenaar");
    assert_eq!(ringing.peer.number, "030 231 88 00");
    let view = desk.view(|view| !view.calls.is_empty()).await;
    assert_eq!(view.calls[0].actions, [CallAction::Answer, CallAction::Reject]);
    assert_eq!(desk.seen.lock().unwrap().incoming.len(), 1);
    desk.do_with("call.answer", ringing.call).await;
    desk.call(CallState::Active).await;
    desk.view(|view| view.calls.iter().any(|call| call.state == CallState::Active)).await;
    assert!(desk.seen.lock().unwrap().incoming.is_empty());
    desk.do_with("call.hangup", ringing.call).await;
    desk.call(CallState::Ended).await;
    assert_eq!(desk.view(|view| view.history.len() == 1).await.missed, 0);
    let found = desk.ask(json!({"cmd": "contacts.search", "text": "kore"})).await.unwrap();
    let Answer::Hits(hits) = found else { panic!("{found:?}") };
    assert_eq!(hits[0].target, "+31302318800");
    desk.quit().await;
}

#[tokio::test]
async fn a_customer_who_gives_up_is_missed() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let customer = CustomerCall { patience_s: Some(1), ..CustomerCall::to("101") };
    pbx.customer_call(customer).await.unwrap();
    let ended = desk.call(CallState::Ended).await;
    assert_eq!(ended.reason, Some(Code::Cancelled), "{ended:?}");
    let view = desk.view(|view| view.missed == 1).await;
    assert_eq!(view.history[0].outcome, CallOutcome::Missed);
    desk.ask(json!({"cmd": "history.seen"})).await.unwrap();
    desk.view(|view| view.missed == 0).await;
    desk.quit().await;
}

#[tokio::test]
async fn answering_a_second_call_holds_the_first() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let first = desk.dial(&pbx.ready().numbers.music).await;
    desk.call(CallState::Active).await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let second = desk.call(CallState::Ringing).await.call;
    desk.do_with("call.answer", second).await;
    // Held once the other side has agreed, which may take longer than the answer.
    let (mut held, mut talking) = (false, false);
    desk.event(|event| {
        if let Event::CallState(call) = event {
            held |= call.call == first && call.state == CallState::Held;
            talking |= call.call == second && call.state == CallState::Active;
        }
        (held && talking).then_some(())
    })
    .await;
    desk.do_with("call.hangup", second).await;
    desk.do_with("call.resume", first).await;
    assert_eq!(desk.call(CallState::Active).await.call, first);
    desk.quit().await;
}

#[tokio::test]
async fn a_key_from_anywhere_asks_before_it_holds_a_conversation_and_a_word_does_not() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let key = json!({"cmd": "desk.key", "key": "answer", "guarded": true});
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let first = desk.call(CallState::Ringing).await.call;
    desk.ask(key.clone()).await.unwrap();
    assert_eq!(desk.call(CallState::Active).await.call, first);
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let second = desk.call(CallState::Ringing).await.call;
    assert_eq!(desk.refused(key).await, Code::CallWaiting);
    let told = |view: &AppView| view.notices.iter().any(|notice| notice.code == Code::CallWaiting);
    desk.view(told).await;
    desk.ask(json!({"cmd": "desk.key", "key": "answer"})).await.unwrap();
    assert_eq!(desk.call(CallState::Active).await.call, second);
    desk.view(|view| !told(view)).await;
    desk.quit().await;
}

#[tokio::test]
async fn refusals_of_the_other_side_have_their_words() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let numbers = pbx.ready().numbers.clone();
    let table = [
        (numbers.busy.as_str(), Code::BusyHere, CallOutcome::Busy),
        (numbers.declines.as_str(), Code::Declined, CallOutcome::Busy),
        ("999", Code::NotFound, CallOutcome::Failed),
    ];
    for (number, code, outcome) in table {
        let call = desk.dial(number).await;
        let ended = desk.call(CallState::Ended).await;
        assert_eq!((ended.call, ended.reason), (call, Some(code)), "{ended:?}");
        let view = desk.view(|view| view.history.first().is_some_and(|past| past.id == call)).await;
        assert_eq!(view.history[0].outcome, outcome);
    }
    let call = desk.dial(&numbers.no_answer).await;
    desk.call(CallState::Ringing).await;
    desk.do_with("call.hangup", call).await;
    assert_eq!(desk.call(CallState::Ended).await.reason, Some(Code::Cancelled));
    desk.quit().await;
}

#[tokio::test]
async fn a_caller_is_declined_or_sent_elsewhere() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let call = desk.call(CallState::Ringing).await.call;
    desk.ask(json!({"cmd": "call.reject", "call": call, "status": 603})).await.unwrap();
    let ended = desk.call(CallState::Ended).await;
    assert_eq!((ended.status, ended.reason), (Some(603), Some(Code::Declined)));
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let call = desk.call(CallState::Ringing).await.call;
    desk.do_with("call.progress", call).await;
    desk.ask(json!({"cmd": "call.redirect", "call": call, "to": "102"})).await.unwrap();
    assert_eq!(desk.call(CallState::Ended).await.status, Some(302));
    desk.quit().await;
}

#[tokio::test]
async fn a_call_whose_exchange_is_gone_says_that_no_sound_comes() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let call = desk.dial(&pbx.ready().numbers.music).await;
    let heard = desk.view(|view| view.calls.iter().any(|c| c.quality != QualityLevel::Unknown));
    assert!(!heard.await.calls[0].no_sound);
    // It forgets its calls without a word, as one does that lost its power.
    pbx.restart().await.unwrap();
    desk.view(|view| view.calls.iter().any(|call| call.no_sound)).await;
    desk.do_with("call.hangup", call).await;
    desk.quit().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words() {
    let pbx = pbx().await;
    let desk = Desk::registered(&pbx, "101").await;
    let table = [
        (json!({"cmd": "call.answer", "call": 99}), Code::UnknownCall),
        (json!({"cmd": "call.stats", "call": 99}), Code::UnknownCall),
        (json!({"cmd": "call.dial", "to": ""}), Code::BadTarget),
        (json!({"cmd": "call.dial", "to": "sip:"}), Code::BadTarget),
        (json!({"cmd": "call.dial", "to": "Niemand van Hier"}), Code::BadTarget),
        (json!({"cmd": "call.dial", "to": "600", "account": "none"}), Code::UnknownAccount),
        (json!({"cmd": "account.register", "account": "none"}), Code::UnknownAccount),
        (json!({"cmd": "account.save", "form": {"user": ""}}), Code::BadRequest),
        (json!({"cmd": "demo.customer"}), Code::WrongState),
    ];
    for (request, code) in table {
        assert_eq!(desk.refused(request.clone()).await, code, "{request}");
    }
    desk.quit().await;
}
