//! Presence of others and the own registrations, as the embedded exchange tells of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::code::Code;
use app::event::Event;
use app::view::{AccountState, LineState, LineView, RegisteredDevice};
use serde_json::json;
use training_pbx::{Knob, PbxHandle};

use crate::desk::{Desk, pbx};

async fn turn(pbx: &PbxHandle, knob: serde_json::Value) {
    let knob: Knob = serde_json::from_value(knob).unwrap();
    pbx.turn(knob).await.unwrap();
}

impl Desk {
    async fn line(&mut self, state: LineState) -> LineView {
        self.event(|event| match event {
            Event::LineState(line) if line.state == state => Some(*line),
            _ => None,
        })
        .await
    }

    async fn devices(
        &mut self,
        fits: impl Fn(&[RegisteredDevice]) -> bool,
    ) -> Vec<RegisteredDevice> {
        self.event(|event| match event {
            Event::AccountDevices { devices, .. } if fits(&devices) => Some(devices),
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn presence_lights_the_lamps_and_tells_more() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    desk.ask(json!({"cmd": "line.watch", "uris": ["201"], "package": "presence"})).await.unwrap();
    let open = desk.line(LineState::Idle).await;
    assert_eq!(open.presence.unwrap().open, Some(true));
    turn(&pbx, json!({"cmd": "line.set", "line": "201", "state": "busy"})).await;
    let busy = desk.line(LineState::Busy).await.presence.unwrap();
    assert_eq!(busy.activities, ["on-the-phone"]);
    assert_eq!(busy.note.as_deref(), Some("On the phone"));
    turn(&pbx, json!({"cmd": "line.set", "line": "201", "state": "unreachable"})).await;
    let closed = desk.line(LineState::Unreachable).await;
    assert_eq!(closed.presence.unwrap().open, Some(false));
    desk.ask(json!({"cmd": "line.unwatch", "uris": ["201"]})).await.unwrap();
    desk.event(|event| match event {
        Event::LineState(line) if line.gone => Some(()),
        _ => None,
    })
    .await;
    desk.quit().await;
}

#[tokio::test]
async fn where_no_calls_are_told_of_presence_is_watched_by_itself() {
    let pbx = pbx().await;
    turn(&pbx, json!({"cmd": "packages.set", "packages": ["presence"]})).await;
    let mut desk = Desk::registered(&pbx, "101").await;
    desk.ask(json!({"cmd": "line.watch", "uris": ["201"]})).await.unwrap();
    let line = desk.line(LineState::Idle).await;
    assert_eq!(line.presence.unwrap().open, Some(true));
    // Who asks for calls gets an honest answer.
    desk.ask(json!({"cmd": "line.watch", "uris": ["202"], "package": "dialog"})).await.unwrap();
    let refused = desk.line(LineState::Unreachable).await;
    assert!(refused.uri.contains("202") && refused.presence.is_none(), "{refused:?}");
    desk.quit().await;
}

#[tokio::test]
async fn calls_are_watched_where_they_are_told_of() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    desk.ask(json!({"cmd": "line.watch", "uris": ["201"]})).await.unwrap();
    assert_eq!(desk.line(LineState::Idle).await.presence, None);
    desk.quit().await;
}

#[tokio::test]
async fn the_users_other_devices_are_shown() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let alone = desk.devices(|devices| devices.len() == 1).await;
    assert!(alone[0].own, "{alone:?}");
    let laptop = Desk::registered(&pbx, "101").await;
    let both = desk.devices(|devices| devices.len() == 2).await;
    assert_eq!(both.iter().map(|device| device.own).collect::<Vec<_>>(), [true, false]);
    let view = desk.view(|view| view.accounts[0].devices.len() == 2).await;
    assert_eq!(view.accounts[0].devices, both);
    laptop.quit().await;
    desk.devices(|devices| devices.len() == 1).await;
    desk.quit().await;
}

#[tokio::test]
async fn a_device_that_the_server_took_away_registers_again() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    desk.devices(|devices| devices.len() == 1).await;
    turn(&pbx, json!({"cmd": "registration.remove", "user": "101"})).await;
    desk.devices(<[_]>::is_empty).await;
    desk.account(AccountState::Registered).await;
    desk.devices(|devices| devices.len() == 1).await;
    assert_eq!(pbx.status().await.unwrap().registrations.len(), 1);
    desk.quit().await;
}

#[tokio::test]
async fn a_device_that_is_not_allowed_any_more_is_told_and_not_registered() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    desk.devices(|devices| devices.len() == 1).await;
    turn(&pbx, json!({"cmd": "registration.remove", "user": "101", "event": "rejected"})).await;
    let failed = desk.account(AccountState::Failed).await;
    assert_eq!(failed.reason, Some(Code::Forbidden));
    assert!(pbx.status().await.unwrap().registrations.is_empty());
    let view = desk.view(|view| !view.notices.is_empty()).await;
    assert!(view.notices[0].severe);
    // The user may try again.
    desk.ask(json!({"cmd": "account.register", "account": "main"})).await.unwrap();
    desk.account(AccountState::Registered).await;
    desk.quit().await;
}
