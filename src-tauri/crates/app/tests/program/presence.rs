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

/// A line that is subscribed to and tells where its owner is reached: open, at `contact`.
async fn tells(socket: tokio::net::UdpSocket, contact: &'static str) {
    let own = socket.local_addr().unwrap();
    let mut buffer = vec![0; 65_536];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if !text.starts_with("SUBSCRIBE ") {
            continue;
        }
        let header = |name: &str| {
            let line = text.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
                .unwrap()
        };
        let vias: Vec<&str> = text.lines().filter(|line| line.starts_with("Via:")).collect();
        let (caller, line, id) = (header("from:"), header("to:"), header("call-id:"));
        let line = if line.contains("tag=") { line } else { format!("{line};tag=line") };
        let answer = format!(
            "SIP/2.0 200 OK\r\n{}\r\nFrom: {caller}\r\nTo: {line}\r\nCall-ID: {id}\r\nCSeq: {}\r\n\
             Expires: 600\r\nContact: <sip:102@{own}>\r\nContent-Length: 0\r\n\r\n",
            vias.join("\r\n"),
            header("cseq:"),
        );
        socket.send_to(answer.as_bytes(), from).await.unwrap();
        let pidf = format!(
            "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:102@x\"><tuple id=\"a\">\
             <status><basic>open</basic></status><contact>{contact}</contact></tuple></presence>"
        );
        let target = header("contact:");
        let target = target.trim_start_matches('<').split('>').next().unwrap();
        let notify = format!(
            "NOTIFY {target} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             From: {line}\r\nTo: {caller}\r\nCall-ID: {id}\r\nCSeq: 1 NOTIFY\r\nEvent: presence\r\n\
             Subscription-State: active;expires=600\r\nContact: <sip:102@{own}>\r\n\
             Content-Type: application/pidf+xml\r\nContent-Length: {}\r\n\r\n{pidf}",
            pidf.len(),
        );
        socket.send_to(notify.as_bytes(), from).await.unwrap();
    }
}

#[tokio::test]
async fn who_is_reached_at_another_number_is_shown_with_it() {
    for (contact, shown) in [
        ("tel:+31612345678", Some("06 1234 5678")),
        ("sip:105@pbx.example", Some("105")),
        // The line itself, a device of it, and nothing that is a number.
        ("sip:102@192.0.2.7:5062", None),
        ("sip:a8f3kd@device.invalid", None),
    ] {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let line = format!("sip:102@{}", socket.local_addr().unwrap());
        let telling = tokio::spawn(tells(socket, contact));
        let config = app::config::Config::parse(
            "[[account]]\nid = \"main\"\naor = \"sip:101@127.0.0.1\"\nregister = false\n\
             [network]\nbind = \"127.0.0.1\"\n",
        )
        .unwrap();
        let options = app::StartOptions { config, ..crate::desk::options() };
        let mut desk = Desk::start(options).await.unwrap();
        desk.ask(json!({"cmd": "line.watch", "uris": [line], "package": "presence"}))
            .await
            .unwrap();
        let told = desk.line(LineState::Idle).await;
        assert_eq!(told.forwarded.as_deref(), shown, "{contact}");
        desk.quit().await;
        telling.abort();
    }
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
