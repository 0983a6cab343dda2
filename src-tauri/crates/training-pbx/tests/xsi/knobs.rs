//! What can be made to go wrong, seen from outside.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use training_pbx::{ChannelEnd, Cut, Declaration, Knob, PbxHandle, WireLook, XsiKnob};

use crate::client::{EVENTS, PATIENCE};
use crate::desk;

async fn turn(pbx: &PbxHandle, knob: XsiKnob) -> usize {
    pbx.turn(Knob::Xsi(knob)).await.unwrap()
}

#[tokio::test]
async fn the_control_port_turns_them_all() {
    let (pbx, _client) = desk().await;
    let mut stream = TcpStream::connect(("127.0.0.1", pbx.ready().control)).await.unwrap();
    let (read, mut write) = stream.split();
    let mut answers = BufReader::new(read).lines();
    for (line, expected) in [
        (r#"{"cmd":"help"}"#, "xsi.wire"),
        (r#"{"cmd":"xsi.wire","documents":2,"prefix":"bw"}"#, "\"touched\":1"),
        (r#"{"cmd":"xsi.times","event_timeout_s":60}"#, "\"touched\":1"),
        (r#"{"cmd":"xsi.limits","page":0}"#, "bad_arguments"),
        (r#"{"cmd":"xsi.channel.end","reason":"Expired"}"#, "\"touched\":0"),
        (r#"{"cmd":"xsi.channel.cut","how":"sideways"}"#, "bad_arguments"),
        (r#"{"cmd":"xsi.password","user":"999","expired":true}"#, "bad_target"),
        (r#"{"cmd":"xsi.fly"}"#, "unknown_command"),
    ] {
        write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(PATIENCE, answers.next_line()).await.unwrap();
        let answer = answer.unwrap().unwrap();
        assert!(answer.contains(expected), "{line}: {answer}");
    }
    pbx.stop().await;
}

#[tokio::test]
async fn documents_look_different_and_say_the_same() {
    let (pbx, client) = desk().await;
    let look = WireLook {
        documents: 2,
        split: true,
        declaration: Declaration::Never,
        newlines: 3,
        prefix: "bw".to_owned(),
        instance: "i".to_owned(),
        vary: true,
    };
    turn(&pbx, XsiKnob::Wire(look)).await;
    let mut channel = client.channel(0, "set", 1).await;
    client.subscribe(&client.id, "Voice Messaging", "set").await;
    client.subscribe(&client.id, "Do Not Disturb", "set").await;
    assert_eq!(channel.any_event().await.name, "Event");
    assert_eq!(channel.any_event().await.name, "Event");
    assert!(channel.chunks.iter().all(|chunk| !chunk.starts_with(b"<?xml")));
    assert!(channel.chunks.len() >= 4, "each chunk is broken in two");
    pbx.stop().await;
}

#[tokio::test]
async fn channels_end_for_every_reason() {
    let (pbx, client) = desk().await;
    for reason in [
        ChannelEnd::DuplicateChannelSet,
        ChannelEnd::UserDeleted,
        ChannelEnd::NonResponsiveChannel,
        ChannelEnd::ExplicitDelete,
        ChannelEnd::Expired,
        ChannelEnd::UnknownChannel,
    ] {
        let mut channel = client.channel(0, "set", 1).await;
        let user = Some("101".to_owned());
        assert_eq!(turn(&pbx, XsiKnob::EndChannels { reason, user }).await, 1);
        let last = channel.next().await;
        assert_eq!(last.value("reason"), Some(format!("{reason:?}").as_str()));
        assert!(channel.next_or_end().await.is_none());
    }
    pbx.stop().await;
}

#[tokio::test]
async fn connections_break_in_several_ways() {
    let (pbx, client) = desk().await;
    for how in [Cut::Break, Cut::End, Cut::Half] {
        let mut channel = client.channel(0, "set", 1).await;
        assert!(turn(&pbx, XsiKnob::Cut { how, user: None }).await >= 1);
        assert!(channel.next_or_end().await.is_none(), "{how:?}");
        drop(channel);
        // The set's next channel finds the place free.
        let again = client.channel(0, "set", 1).await;
        assert_eq!(again.heartbeat(0).await.status, 200);
    }
    pbx.stop().await;
}

#[tokio::test]
async fn a_silent_channel_hears_and_says_nothing() {
    let (pbx, client) = desk().await;
    let mut channel = client.channel(0, "set", 1).await;
    turn(&pbx, XsiKnob::Cut { how: Cut::Silent, user: None }).await;
    assert_eq!(channel.heartbeat(0).await.status, 200);
    // A second channel of the set shows that events go on; the first stays silent until the end of the exchange.
    let mut second = client.channel(0, "set", 2).await;
    assert_eq!(second.heartbeat(0).await.status, 200);
    assert_eq!(second.next().await.name, "ChannelHeartBeat");
    pbx.stop().await;
    assert!(channel.next_or_end().await.is_none());
}

#[tokio::test]
async fn answers_get_lost_and_events_come_again() {
    let (pbx, client) = desk().await;
    let times = XsiKnob::Times {
        event_timeout_s: None,
        ack_timeout_ms: Some(1_000),
        first_delay_ms: Some(100),
    };
    turn(&pbx, times).await;
    let mut channel = client.channel(0, "set", 1).await;
    turn(&pbx, XsiKnob::Lose { acks: 1, events: 0 }).await;
    client.subscribe(&client.id, "Do Not Disturb", "set").await;
    let first = channel.any_event().await;
    let again = channel.any_event().await;
    assert_eq!(first.value("eventID"), again.value("eventID"));
    turn(&pbx, XsiKnob::Skip { count: 4 }).await;
    pbx.turn(Knob::DoNotDisturb { line: "101".into(), on: true }).await.unwrap();
    // The first may come once more before its answer is heard.
    loop {
        let event = channel.any_event().await;
        match event.value("sequenceNumber") {
            Some("6") => break,
            number => assert_eq!(number, Some("1")),
        }
    }
    pbx.stop().await;
}

#[tokio::test]
async fn subscriptions_end_and_everything_is_told_anew() {
    let (pbx, client) = desk().await;
    let mut channel = client.channel(0, "set", 1).await;
    client.subscribe(&client.id, "Advanced Call", "set").await;
    channel.event("CallSubscriptionEvent").await;
    assert_eq!(turn(&pbx, XsiKnob::Resync { user: None }).await, 1);
    let resync = channel.event("CallSubscriptionResyncEvent").await;
    assert_eq!(resync.child("eventData").unwrap().names(), ["hookStatus"]);
    let end = XsiKnob::EndSubscriptions { user: None, package: Some("Advanced Call".into()) };
    assert_eq!(turn(&pbx, end).await, 1);
    let last = channel.event("SubscriptionTerminatedEvent").await;
    assert!(last.child("eventData").unwrap().children.is_empty());
    let list = client.get(&format!("{EVENTS}/subscription")).await.document();
    assert!(list.children.is_empty());
    pbx.stop().await;
}

#[tokio::test]
async fn a_post_is_sent_to_the_other_host() {
    let (pbx, client) = desk().await;
    turn(&pbx, XsiKnob::Redirect { count: 1 }).await;
    let path = "/com.broadsoft.async/com.broadsoft.xsi-events/v2.0/channel";
    let body = "<Channel xmlns=\"http://schema.broadsoft.com/xsi\"><channelSetId>s</channelSetId>\
        <applicationId>a</applicationId></Channel>";
    let reply = client.post(path, body).await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.header("location"), format!("http://{}{path}", client.hosts[1]));
    pbx.stop().await;
}

#[tokio::test]
async fn a_restart_drops_channels_and_keeps_subscriptions() {
    let (pbx, client) = desk().await;
    let mut channel = client.channel(0, "set", 1).await;
    client.subscribe(&client.id, "Advanced Call", "set").await;
    channel.event("CallSubscriptionEvent").await;
    pbx.restart().await.unwrap();
    while channel.next_or_end().await.is_some() {}
    let mut again = client.channel(0, "set", 1).await;
    again.event("CallSubscriptionResyncEvent").await;
    let list = client.get(&format!("{EVENTS}/subscription")).await.document();
    assert_eq!(list.children.len(), 1);
    pbx.stop().await;
}
