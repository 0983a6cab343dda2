//! The network changes under a call: the line is registered anew and the call goes on.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::code::Code;
use app::control::Answer;
use app::view::{AccountState, CallState, CallView};
use serde_json::json;

use crate::desk::{Desk, PATIENCE, pbx};

/// Waits until more sound goes and comes than had before. That it does is told on change only, and a short hold is none.
async fn sound_both_ways(desk: &Desk, call: u64) {
    let before = packets(desk, call).await;
    let flowing = async {
        loop {
            let now = packets(desk, call).await;
            if now.0 > before.0 && now.1 > before.1 {
                return;
            }
            desk.breath().await;
        }
    };
    tokio::time::timeout(PATIENCE, flowing).await.unwrap();
}

/// Packets that came and that went.
async fn packets(desk: &Desk, call: u64) -> (u64, u64) {
    match desk.ask(json!({"cmd": "call.stats", "call": call})).await.unwrap() {
        Answer::Stats(stats) => (stats.rx.packets, stats.tx.packets),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_change_of_network_renews_the_line_and_keeps_the_call() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let call = desk.dial(&pbx.ready().numbers.echo.clone()).await;
    desk.call(CallState::Active).await;
    desk.do_with("call.hold", call).await;
    desk.call(CallState::Held).await;
    desk.ask(json!({"cmd": "network.changed"})).await.unwrap();
    desk.account(AccountState::Registering).await;
    desk.account(AccountState::Registered).await;
    // What was on hold stays so, and can be taken back.
    let held = |shown: &CallView| shown.id == call && shown.state == CallState::Held;
    desk.view(|view| view.calls.iter().any(held)).await;
    desk.do_with("call.resume", call).await;
    desk.call(CallState::Active).await;
    sound_both_ways(&desk, call).await;
    desk.do_with("call.hangup", call).await;
    let ended = desk.call(CallState::Ended).await;
    assert_eq!(ended.reason, None::<Code>);
    desk.quit().await;
    assert_eq!(pbx.status().await.unwrap().calls, 0);
    pbx.stop().await;
}

#[tokio::test]
async fn a_call_that_still_rings_there_is_dialled_on() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let call = desk.dial(&pbx.ready().numbers.no_answer.clone()).await;
    desk.call(CallState::Ringing).await;
    desk.ask(json!({"cmd": "network.changed"})).await.unwrap();
    desk.account(AccountState::Registered).await;
    // The address is the same one, so nothing had to be dialled again.
    desk.do_with("call.hangup", call).await;
    let ended = desk.call(CallState::Ended).await;
    assert_eq!(ended.call, call);
    desk.quit().await;
    pbx.stop().await;
}
