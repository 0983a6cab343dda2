//! A headset that is not there answers, mutes, holds and hangs up at the embedded exchange, and its lamps follow.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;

use app::code::Code;
use app::config::Sound;
use app::event::Event;
use app::view::{AppView, CallState};
use app::{Headsets, StartOptions};
use headset::simulated::families::JABRA;
use headset::simulated::{Echo, Machine};
use headset::{Key, OpenError};
use serde_json::json;
use training_pbx::{CustomerCall, PbxHandle};

use crate::desk::{Desk, config, options, pbx};

const ID: &str = "0b0e:0422:";
const NAME: &str = "Jabra Evolve2";

/// Off-hook, mute, ring, hold, on-line and ringer in its one report.
fn lamps(bits: u8) -> [u8; 3] {
    [2, bits, 0]
}

const OFF_HOOK: u8 = 1 | 1 << 5;
const MUTE: u8 = 1 << 1;
const RING: u8 = 1 << 2 | 1 << 6;
const HOLD: u8 = 1 << 3 | 1 << 5;

fn plugged() -> Machine {
    let machine = Machine::default();
    let echo = Echo { lamp: (1, 0), on: JABRA.report(&[Key::Hook]), off: JABRA.report(&[]) };
    machine.plug(ID, NAME, JABRA.descriptor, Some(echo));
    machine
}

async fn desk_with(pbx: &PbxHandle, machine: &Machine) -> Desk {
    let headsets = Headsets::Given(Arc::new(machine.clone()));
    let options =
        StartOptions { config: config(pbx, "101"), sound: Sound::Null, headsets, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    desk.account(app::view::AccountState::Registered).await;
    desk
}

/// The lamps as the test thread waits for them; the program runs on.
async fn shows(machine: &Machine, bits: u8) {
    let machine = machine.clone();
    tokio::task::spawn_blocking(move || machine.wait_for(ID, &lamps(bits))).await.unwrap();
}

fn press(machine: &Machine, on: &[Key]) {
    machine.send(ID, &JABRA.report(on));
}

fn used(view: &AppView) -> bool {
    view.audio.headset.used.as_deref() == Some(NAME)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_headset_answers_mutes_holds_and_hangs_up_and_its_lamps_follow() {
    let (pbx, machine) = (pbx().await, plugged());
    let mut desk = desk_with(&pbx, &machine).await;
    let view = desk.view(used).await;
    assert!(view.audio.headset.available && view.audio.headset.on);
    assert_eq!(machine.written(ID), Vec::<Vec<u8>>::new(), "nothing without a call");
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let call = desk.call(CallState::Ringing).await.call;
    shows(&machine, RING).await;
    press(&machine, &[Key::Hook]);
    desk.call(CallState::Active).await;
    shows(&machine, OFF_HOOK).await;
    press(&machine, &[Key::Hook, Key::Mute]);
    desk.view(|view| view.calls.iter().any(|call| call.muted)).await;
    shows(&machine, OFF_HOOK | MUTE).await;
    // Back in the window.
    desk.ask(json!({"cmd": "call.mute", "call": call, "on": false})).await.unwrap();
    shows(&machine, OFF_HOOK).await;
    press(&machine, &[Key::Hook, Key::Flash]);
    desk.call(CallState::Held).await;
    shows(&machine, HOLD).await;
    // Lifted again: taken back. The echo of our own lamp has put it down before.
    press(&machine, &[Key::Hook]);
    desk.call(CallState::Active).await;
    shows(&machine, OFF_HOOK).await;
    press(&machine, &[]);
    desk.call(CallState::Ended).await;
    shows(&machine, 0).await;
    // And once more to the one who was called last: nobody was.
    press(&machine, &[Key::Redial]);
    desk.quit().await;
    assert_eq!(machine.written(ID).last().unwrap(), &lamps(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_key_answers_holds_resumes_and_swaps() {
    let (pbx, machine) = (pbx().await, plugged());
    let mut desk = desk_with(&pbx, &machine).await;
    desk.view(used).await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let first = desk.call(CallState::Ringing).await.call;
    shows(&machine, RING).await;
    press(&machine, &[Key::Line]);
    assert_eq!(desk.call(CallState::Active).await.call, first);
    shows(&machine, OFF_HOOK).await;
    press(&machine, &[Key::Hook, Key::Line]);
    assert_eq!(desk.call(CallState::Held).await.call, first);
    shows(&machine, HOLD).await;
    press(&machine, &[Key::Line]);
    assert_eq!(desk.call(CallState::Active).await.call, first);
    shows(&machine, OFF_HOOK).await;
    // A second one calls: the first waits while it is talked to, and they change places.
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let second = desk.call(CallState::Ringing).await.call;
    // What a key means is what the lamps say when it is pressed: before this one is lit, it would put on hold.
    shows(&machine, OFF_HOOK | RING).await;
    press(&machine, &[Key::Hook, Key::Line]);
    places(&mut desk, second, first).await;
    shows(&machine, OFF_HOOK).await;
    press(&machine, &[Key::Hook]);
    press(&machine, &[Key::Hook, Key::Line]);
    places(&mut desk, first, second).await;
    desk.quit().await;
}

/// Waits until one talks and the other is on hold.
async fn places(desk: &mut Desk, talks: u64, waits: u64) {
    let is = |view: &AppView, id: u64, state: CallState| {
        view.calls.iter().any(|call| call.id == id && call.state == state)
    };
    desk.view(|view| is(view, talks, CallState::Active) && is(view, waits, CallState::Held)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_in_the_window_is_no_gesture_and_the_last_number_is_called_again() {
    let (pbx, machine) = (pbx().await, plugged());
    let mut desk = desk_with(&pbx, &machine).await;
    desk.view(used).await;
    let number = pbx.ready().numbers.music.clone();
    let call = desk.dial(&number).await;
    desk.call(CallState::Active).await;
    shows(&machine, OFF_HOOK).await;
    desk.do_with("call.hangup", call).await;
    desk.call(CallState::Ended).await;
    shows(&machine, 0).await;
    desk.view(|view| !view.history.is_empty()).await;
    press(&machine, &[Key::Redial]);
    let again = desk.call(CallState::Active).await;
    assert_ne!(again.call, call);
    shows(&machine, OFF_HOOK).await;
    // The program ends in the middle of the call: all lamps go out.
    desk.quit().await;
    assert_eq!(machine.written(ID).last().unwrap(), &lamps(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_headset_that_another_program_has_is_named_and_may_be_left_alone() {
    let (pbx, machine) = (pbx().await, plugged());
    machine.refuse(ID, Some(OpenError::InUse));
    let mut desk = desk_with(&pbx, &machine).await;
    let view = desk.view(|view| view.audio.headset.trouble.is_some()).await;
    assert_eq!(view.audio.headset.trouble, Some(Code::HeadsetInUse));
    let notice = &view.notices[0];
    assert_eq!(notice.code, Code::HeadsetInUse);
    assert!(notice.detail.as_ref().unwrap().contains(NAME), "{notice:?}");
    machine.refuse(ID, None);
    desk.event(|event| match event {
        Event::HeadsetState { used: Some(name), trouble: None, .. } if name == NAME => Some(()),
        _ => None,
    })
    .await;
    let view = desk.view(used).await;
    assert!(view.notices.iter().all(|notice| notice.code != Code::HeadsetInUse));
    desk.ask(json!({"cmd": "headset.set", "on": false})).await.unwrap();
    let view = desk.view(|view| !used(view)).await;
    assert!(!view.audio.headset.on && !view.audio.headset.light_on);
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    desk.call(CallState::Ringing).await;
    desk.ask(json!({"cmd": "headset.set", "on": true, "device": ID})).await.unwrap();
    shows(&machine, RING).await;
    let view = desk.view(used).await;
    assert_eq!(view.audio.headset.device.as_deref(), Some(ID));
    desk.quit().await;
}
