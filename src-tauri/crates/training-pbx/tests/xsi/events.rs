//! Channels and subscriptions over sockets.

use training_pbx::{Knob, Profile, XsiKnob};

use crate::client::{Channel, Client, EVENTS};
use crate::{PROFILES, desk, start};

const SPACE: &str = "xmlns=\"http://schema.broadsoft.com/xsi\"";

/// Packages with their initial event and what stands in it.
const PACKAGES: &[(&str, &str, &[&str], bool)] = &[
    ("Advanced Call", "CallSubscriptionEvent", &["hookStatus"], false),
    ("Standard Call", "CallSubscriptionEvent", &["hookStatus"], false),
    ("Basic Call", "CallSubscriptionEvent", &["hookStatus"], false),
    ("Do Not Disturb", "DoNotDisturbEvent", &["info"], false),
    ("Call Forwarding Always", "CallForwardingAlwaysEvent", &["info"], false),
    ("Call Forwarding Always Secondary", "CallForwardingAlwaysSecondaryEvent", &["info"], true),
    ("Call Forwarding Busy", "CallForwardingBusyEvent", &["info"], false),
    ("Call Forwarding No Answer", "CallForwardingNoAnswerEvent", &["info"], false),
    ("Call Waiting", "CallWaitingEvent", &["info"], false),
    ("Remote Office", "RemoteOfficeEvent", &["info"], false),
    ("Simultaneous Ring Personal", "SimultaneousRingPersonalEvent", &["info"], false),
    ("BroadWorks Anywhere", "BroadWorksAnywhereEvent", &["info"], false),
    ("Hoteling Guest", "HotelingGuestEvent", &["info"], false),
    ("Voice Messaging", "VoiceMessagingEvent", &["info"], false),
    ("Voice Mail Message Summary", "VoiceMailMessageSummaryEvent", &["messageSummary"], false),
    ("Call Park", "CallParkedAgainstEvent", &[], false),
];

#[tokio::test]
async fn every_package_begins_with_its_event_and_again_when_it_is_refreshed() {
    for profile in PROFILES {
        let pbx = start(profile).await;
        let client = Client::new(&pbx, "101");
        let mut channel = client.channel(0, "set", 1).await;
        for (package, kind, inside, newer) in PACKAGES {
            if *newer && profile == Profile::R21 {
                let target = format!("user/{}", client.id);
                let reply = client.try_subscribe(&target, package, "set").await;
                assert_eq!(reply.error(), (403, true), "{package}");
                continue;
            }
            let id = client.subscribe(&client.id, package, "set").await;
            let event = channel.any_event().await;
            assert_eq!(event.name, "Event");
            assert!(event.all_bound());
            let order = [
                "eventID",
                "sequenceNumber",
                "userId",
                "externalApplicationId",
                "subscriptionId",
                "channelId",
                "targetId",
                "eventData",
            ];
            assert_eq!(event.names(), order, "{package}");
            assert_eq!(event.value("subscriptionId"), Some(id.as_str()));
            assert_eq!(event.value("channelId"), Some(channel.id.as_str()));
            assert_eq!(event.value("targetId"), Some(client.id.as_str()));
            assert_eq!(event.value("sequenceNumber"), Some("1"));
            let data = event.child("eventData").unwrap();
            assert_eq!(data.kind.as_deref(), Some(*kind), "{package}");
            assert_eq!(data.names(), *inside, "{package}");
            let body = format!("<Subscription {SPACE}><expires>100</expires></Subscription>");
            let reply = client.put(&format!("{EVENTS}/subscription/{id}"), &body).await;
            assert_eq!(reply.document().value("expires"), Some("3600"), "raised to the least");
            let again = channel.any_event().await;
            assert_eq!(again.value("sequenceNumber"), Some("2"));
            assert_eq!(again.child("eventData").unwrap().kind.as_deref(), Some(*kind));
        }
        pbx.stop().await;
    }
}

#[tokio::test]
async fn a_lists_of_packages_came_with_2020() {
    for profile in PROFILES {
        let pbx = start(profile).await;
        let client = Client::new(&pbx, "101");
        let body = format!(
            "<Subscription {SPACE}><eventPackageList><event>Basic Call</event><event>Do Not \
             Disturb</event></eventPackageList><expires>3600</expires><channelSetId>set\
             </channelSetId><applicationId>test</applicationId></Subscription>"
        );
        let reply = client.post(&format!("{EVENTS}/user/{}", client.id), &body).await;
        assert_eq!(reply.status, if profile == Profile::R21 { 400 } else { 200 });
        pbx.stop().await;
    }
}

#[tokio::test]
async fn heart_beats_and_answers_go_to_the_host_of_the_channel() {
    let (pbx, client) = desk().await;
    let mut channel = client.channel(1, "set", 1).await;
    assert_eq!(channel.heartbeat(0).await.error(), (404, true));
    assert_eq!(channel.heartbeat(1).await.status, 200);
    let beat = channel.next().await;
    assert_eq!((beat.name.as_str(), beat.is_bound), ("ChannelHeartBeat", true));
    client.subscribe(&client.id, "Do Not Disturb", "set").await;
    let event = channel.next().await;
    let id = event.value("eventID").unwrap();
    let body = format!(
        "<EventResponse {SPACE}><eventID>{id}</eventID><statusCode>200</statusCode><reason>OK\
         </reason></EventResponse>"
    );
    let path = format!("{EVENTS}/channel/eventresponse");
    assert_eq!(client.post(&path, &body).await.error(), (404, true), "the wrong host");
    assert_eq!(channel.ack(id, 200).await.status, 200);
    assert_eq!(channel.ack("unknown", 200).await.error(), (404, true));
    assert_eq!(channel.ack(id, 302).await.error(), (400, true));
    pbx.stop().await;
}

#[tokio::test]
async fn a_channel_is_renewed_listed_and_deleted() {
    let (pbx, client) = desk().await;
    let mut channel = client.channel(0, "set", 1).await;
    let path = format!("{EVENTS}/channel/{}", channel.id);
    let body = format!("<Channel {SPACE}><expires>7200</expires></Channel>");
    let reply = client.put(&path, &body).await;
    assert_eq!(reply.document().value("expires"), Some("7200"));
    let set = client.get(&format!("{EVENTS}/channelset/set")).await.document();
    let row = set.child("channel").unwrap();
    let order = ["channelId", "channelSetId", "priority", "weight", "expires"];
    assert_eq!((set.name.as_str(), row.names()), ("ChannelSet", order.to_vec()));
    let other = Client::new(&pbx, "102");
    assert_eq!(other.put(&path, &body).await.error(), (404, true));
    assert_eq!(other.get(&format!("{EVENTS}/channelset/set")).await.error(), (404, true));
    assert_eq!(client.delete(&path).await.status, 200);
    let last = channel.next().await;
    assert_eq!(last.kind.as_deref(), Some("ChannelTerminatedEvent"));
    assert_eq!(last.names(), ["channelId", "reason"]);
    assert_eq!(last.value("reason"), Some("ExplicitDelete"));
    assert!(channel.next_or_end().await.is_none());
    assert_eq!(channel.heartbeat(0).await.error(), (404, true));
    pbx.stop().await;
}

#[tokio::test]
async fn another_set_of_the_same_application_ends_the_first() {
    let (pbx, client) = desk().await;
    let mut first = client.channel(0, "one", 1).await;
    let mut second = client.channel(0, "two", 1).await;
    assert_eq!(first.next().await.value("reason"), Some("DuplicateChannelSet"));
    assert_eq!(second.heartbeat(0).await.status, 200);
    assert_eq!(second.next().await.name, "ChannelHeartBeat");
    pbx.stop().await;
}

#[tokio::test]
async fn subscriptions_outlive_their_channel() {
    let (pbx, client) = desk().await;
    let mut first = client.channel(0, "set", 1).await;
    let id = client.subscribe(&client.id, "Do Not Disturb", "set").await;
    first.any_event().await;
    drop(first);
    let list = client.get(&format!("{EVENTS}/subscription")).await.document();
    assert_eq!(list.at(&["subscription", "subscriptionId"]), Some(id.as_str()));
    assert_eq!(list.at(&["subscription", "targetIdType"]), Some("User"));
    pbx.turn(Knob::DoNotDisturb { line: "101".into(), on: true }).await.unwrap();
    let mut second = client.channel(0, "set", 1).await;
    let event = second.event("DoNotDisturbEvent").await;
    let active = event.child("eventData").unwrap().at(&["info", "active"]);
    assert_eq!(active, Some("true"));
    assert_eq!(client.delete(&format!("{EVENTS}/subscription/{id}")).await.status, 200);
    assert_eq!(client.delete(&format!("{EVENTS}/subscription/{id}")).await.error(), (404, true));
    pbx.stop().await;
}

#[tokio::test]
async fn answers_of_the_client_have_consequences() {
    let (pbx, client) = desk().await;
    let mut first = client.channel(0, "set", 1).await;
    let mut second = client.channel(0, "set", 2).await;
    client.subscribe(&client.id, "Do Not Disturb", "set").await;
    let event = first.next().await;
    let id = event.value("eventID").unwrap().to_owned();
    // Wanted elsewhere: the other channel has it next.
    assert_eq!(first.ack(&id, 500).await.status, 200);
    let again = second.next().await;
    assert_eq!(again.value("eventID"), Some(id.as_str()));
    assert_eq!(again.value("channelId"), Some(second.id.as_str()));
    assert_eq!(second.ack(&id, 404).await.status, 200);
    assert_eq!(second.next().await.value("reason"), Some("UnknownChannel"));
    let third = first.next().await;
    assert_eq!(third.value("eventID"), Some(id.as_str()));
    assert_eq!(first.ack(&id, 481).await.status, 200);
    let list = client.get(&format!("{EVENTS}/subscription")).await.document();
    assert!(list.children.is_empty(), "{list:?}");
    pbx.stop().await;
}

#[tokio::test]
async fn a_whole_group_can_be_watched_and_begins_without_an_event() {
    let (pbx, client) = desk().await;
    let mut channel = client.channel(0, "set", 1).await;
    let enterprise = "Lindeboom%20Installatietechniek";
    for target in [
        format!("enterprise/{enterprise}"),
        format!("serviceprovider/{enterprise}"),
        format!("serviceprovider/{enterprise}/group/lindeboom"),
        "system".to_owned(),
    ] {
        let reply = client.try_subscribe(&target, "Basic Call", "set").await;
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
    }
    let wrong = client.try_subscribe("enterprise/Other", "Basic Call", "set").await;
    assert_eq!(wrong.error(), (404, true));
    // The first that comes is what happens to somebody, once for each subscription.
    let state = Some(training_pbx::LineState::Busy);
    pbx.turn(Knob::Line { line: "201".into(), state }).await.unwrap();
    for _ in 0..4 {
        let event = channel.event("CallReceivedEvent").await;
        assert_eq!(event.value("targetId"), Some("201@lindeboom.example"));
    }
    pbx.stop().await;
}

#[tokio::test]
async fn a_silent_client_loses_its_channel() {
    let (pbx, client) = desk().await;
    let times =
        XsiKnob::Times { event_timeout_s: Some(1), ack_timeout_ms: None, first_delay_ms: None };
    pbx.turn(Knob::Xsi(times)).await.unwrap();
    let mut channel = client.channel(0, "set", 1).await;
    assert_eq!(channel.next().await.value("reason"), Some("NonResponsiveChannel"));
    assert!(channel.next_or_end().await.is_none());
    pbx.stop().await;
}

#[tokio::test]
async fn what_is_no_channel_is_refused() {
    let (pbx, client) = desk().await;
    let path = "/com.broadsoft.async/com.broadsoft.xsi-events/v2.0/channel";
    for body in [
        String::new(),
        format!("<Channel {SPACE}><channelSetId>s</channelSetId></Channel>"),
        format!(
            "<Channel {SPACE}><applicationId>a</applicationId><channelSetId>s</channelSetId></Channel>"
        ),
        "<Channel><channelSetId>s</channelSetId><applicationId>a</applicationId></Channel>".into(),
    ] {
        assert_eq!(client.post(path, &body).await.error(), (400, true), "{body}");
    }
    let good = format!(
        "<Channel {SPACE}><channelSetId>s</channelSetId><applicationId>a</applicationId></Channel>"
    );
    let plain = format!("{EVENTS}/channel");
    assert_eq!(client.post(&plain, &good).await.error(), (405, true));
    let mut channel = Channel::open(&client, 0, &good).await;
    assert_eq!(channel.next().await.value("expires"), Some("3600"));
    pbx.stop().await;
}
