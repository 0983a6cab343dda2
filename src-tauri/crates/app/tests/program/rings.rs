//! The user's own ring tones and what is heard besides calls: chosen, tried, refused, kept.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::code::Code;
use app::view::ring::RingSource;
use app::view::{AppView, CallState};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::desk::{Desk, options, pbx, settings_path};

/// A WAV file of so many seconds.
fn sound(seconds: u16) -> String {
    let samples: Vec<f32> =
        (0..seconds).flat_map(|_| (0..48_000_u16).map(|n| (f32::from(n) * 0.05).sin())).collect();
    STANDARD.encode(audio::encode_wav(&samples).unwrap())
}

fn set(source: &str, name: &str, wav: &str) -> Value {
    json!({"cmd": "ring.set", "source": source, "sound": {"name": name, "wav": wav}})
}

fn own(view: &AppView, source: RingSource) -> Option<String> {
    let of_source: Vec<_> = view.audio.rings.iter().filter(|ring| ring.source == source).collect();
    assert_eq!(of_source.len(), 1, "{source:?}");
    of_source.into_iter().find_map(|ring| ring.own.clone())
}

#[tokio::test]
async fn a_ring_tone_of_the_users_is_kept_and_one_that_is_none_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    let start = || {
        let mut options = StartOptions { settings: Some(settings.clone()), ..options() };
        options.config.paths.data_dir = folder.path().join("data");
        options
    };
    let text = format!("[paths]\ndata_dir = {:?}\n", folder.path().join("data"));
    std::fs::write(&settings, text).unwrap();
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert!(RingSource::ALL.iter().all(|source| own(&view, *source).is_none()));
    desk.ask(set("queue", "De gong", &sound(1))).await.unwrap();
    desk.view(|view| own(view, RingSource::Queue).as_deref() == Some("De gong")).await;
    let kept = folder.path().join("data/rings/queue.wav");
    let before = std::fs::read(&kept).unwrap();
    // What is no ring tone is refused with its reason, and the one before stays.
    assert_eq!(desk.refused(set("queue", "Lang", &sound(31))).await, Code::RingLength);
    assert_eq!(desk.refused(set("queue", "Brief", "aGVsbG8=")).await, Code::RingUnreadable);
    let large = "A".repeat(11_000_000);
    assert_eq!(desk.refused(set("queue", "Groot", &large)).await, Code::RingSize);
    assert_eq!(std::fs::read(&kept).unwrap(), before);
    desk.quit().await;
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!(own(&view, RingSource::Queue).as_deref(), Some("De gong"), "kept");
    desk.ask(json!({"cmd": "ring.set", "source": "queue"})).await.unwrap();
    desk.view(|view| own(view, RingSource::Queue).is_none()).await;
    desk.quit().await;
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!(own(&view, RingSource::Queue), None, "that is kept, too");
    desk.quit().await;
}

#[tokio::test]
async fn a_ring_tone_is_tried_until_it_is_ended_or_somebody_is_called() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let tries = |source: &str| json!({"cmd": "ring.try", "source": source});
    desk.ask(tries("door")).await.unwrap();
    desk.view(|view| view.audio.ring_tried == Some(RingSource::Door)).await;
    desk.ask(tries("internal")).await.unwrap();
    desk.view(|view| view.audio.ring_tried == Some(RingSource::Internal)).await;
    desk.ask(json!({"cmd": "ring.try"})).await.unwrap();
    desk.view(|view| view.audio.ring_tried.is_none()).await;
    desk.ask(tries("door")).await.unwrap();
    desk.view(|view| view.audio.ring_tried.is_some()).await;
    let call = desk.dial(&pbx.ready().numbers.echo).await;
    desk.view(|view| view.audio.ring_tried.is_none()).await;
    desk.call(CallState::Active).await;
    assert_eq!(desk.refused(tries("door")).await, Code::WrongState);
    desk.do_with("call.hangup", call).await;
    desk.call(CallState::Ended).await;
    desk.quit().await;
}

#[tokio::test]
async fn what_is_heard_of_queues_and_notices_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_path(&folder);
    let start = || StartOptions { settings: Some(settings.clone()), ..options() };
    let heard = |view: &AppView| (view.audio.queue_alarms, view.audio.notice_sounds);
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!(heard(&view), (true, true));
    desk.ask(json!({"cmd": "alerts.set", "queues": false})).await.unwrap();
    desk.view(|view| heard(view) == (false, true)).await;
    desk.quit().await;
    let mut desk = Desk::start(start()).await.unwrap();
    let view = desk.view(|view| !view.version.is_empty()).await;
    assert_eq!(heard(&view), (false, true), "kept");
    desk.quit().await;
}
