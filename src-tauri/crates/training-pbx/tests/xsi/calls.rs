//! Calls moved over the web, on a real telephone, and what the events say of them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sip_types::{HeaderName, Method};
use sip_ua::{Body, Event, RegistrationState, SessionId};
use training_pbx::{CustomerCall, Knob, PbxHandle};

use crate::client::{Channel, Client, PATIENCE, Reply, account};
use crate::desk;
use crate::document::Node;
use crate::phone::{Phone, now};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 30000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

/// The elements of a call, in order.
const CALL: &[&str] = &[
    "callId",
    "extTrackingId",
    "networkCallId",
    "personality",
    "state",
    "releaseCause",
    "releasingParty",
    "remoteParty",
    "redirections",
    "redirect",
    "endpoint",
    "appearance",
    "allowAnswer",
    "allowRetrieve",
    "startTime",
    "answerTime",
    "heldTime",
    "totalHeldTime",
    "detachedTime",
    "releaseTime",
    "acdCallInfo",
    "recorded",
    "allowedRecordingControls",
    "recordingState",
    "clientSessionInfo",
];

async fn phone(pbx: &PbxHandle, extension: &str) -> Phone {
    let account = account(pbx, extension);
    let mut phone = Phone::start(account, &account.password, "udp").await;
    let registered = |event: &Event| match event {
        Event::Registration { state: RegistrationState::Registered { .. }, .. } => Some(()),
        _ => None,
    };
    phone.until("registration", registered).await;
    phone
}

/// A phone, its user at the web, and a channel with the most detailed package.
async fn at_the_desk(pbx: &PbxHandle, client: &Client) -> (Phone, Channel) {
    let phone = phone(pbx, "101").await;
    let mut channel = client.channel(0, "set", 1).await;
    client.subscribe(&client.id, "Advanced Call", "set").await;
    channel.event("CallSubscriptionEvent").await;
    (phone, channel)
}

fn incoming(event: &Event) -> Option<sip_ua::Incoming> {
    match event {
        Event::Incoming(incoming) => Some((**incoming).clone()),
        _ => None,
    }
}

fn ended(session: SessionId) -> impl FnMut(&Event) -> Option<()> {
    move |event| match event {
        Event::Ended { session: ended, .. } if *ended == session => Some(()),
        _ => None,
    }
}

/// The package of a NOTIFY inside a call.
fn asked(package: &str) -> impl FnMut(&Event) -> Option<()> {
    let package = package.to_owned();
    move |event| match event {
        Event::InDialog { request, .. } if request.method == Method::Notify => {
            let event = request.headers.get(&HeaderName::Event)?;
            (event.trim() == package && request.body.is_empty()).then_some(())
        }
        _ => None,
    }
}

/// The call of an event, whose elements are in order.
fn call(event: &Node) -> &Node {
    let data = event.child("eventData").unwrap();
    let call = data.child("call").or_else(|| data.child("calls").and_then(|c| c.child("call")));
    let call = call.unwrap_or_else(|| panic!("no call: {event:?}"));
    let mut rest = CALL.iter();
    let names = call.names();
    assert!(names.iter().all(|name| rest.any(|known| known == name)), "{names:?}");
    call
}

async fn until_ok(client: &Client, path: &str) -> Reply {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let tries = async {
        loop {
            tick.tick().await;
            let reply = client.put(path, "").await;
            if reply.status == 200 {
                return reply;
            }
        }
    };
    tokio::time::timeout(PATIENCE, tries).await.unwrap_or_else(|_| panic!("{path}"))
}

/// Lets a phone answer everything that changes its calls, until an event is wanted.
async fn follow<T>(
    phone: &mut Phone,
    what: &str,
    mut wanted: impl FnMut(&Event) -> Option<T>,
) -> T {
    enum Met<T> {
        Reoffer(SessionId),
        Wanted(T),
    }
    loop {
        let met = phone
            .until(what, |event| match event {
                Event::Reoffered { session, .. } => Some(Met::Reoffer(*session)),
                other => wanted(other).map(Met::Wanted),
            })
            .await;
        match met {
            Met::Reoffer(session) => {
                phone.ua.answer_reoffer(now(), session, Some(Body::sdp(OFFER))).unwrap();
            }
            Met::Wanted(found) => return found,
        }
    }
}

#[tokio::test]
async fn a_click_rings_the_own_phone_first() {
    let (pbx, client) = desk().await;
    let (mut phone, mut channel) = at_the_desk(&pbx, &client).await;
    let reply = client.post(&client.own("calls/New?address=600"), "").await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let info = reply.document();
    assert_eq!(
        (info.name.as_str(), info.names()),
        ("CallStartInfo", vec!["callId", "externalTrackingId"])
    );
    let id = info.value("callId").unwrap().to_owned();
    assert!(reply.header("location").ends_with(&format!("/calls/{id}")));
    let event = channel.event("CallOriginatingEvent").await;
    assert_eq!(call(&event).value("personality"), Some("Click-to-Dial"));
    assert_eq!(call(&event).value("callId"), Some(id.as_str()));
    let invite = phone.until("INVITE", incoming).await;
    let wish = invite.headers.get(&HeaderName::CallInfo).unwrap().into_owned();
    assert!(wish.ends_with(";answer-after=0"), "{wish}");
    phone.ua.accept(now(), invite.session, Some(Body::sdp(OFFER))).unwrap();
    let story = async {
        let originated = channel.event("CallOriginatedEvent").await;
        assert_eq!(call(&originated).value("callId"), Some(id.as_str()));
        assert_eq!(call(&originated).value("personality"), Some("Originator"));
        let answered = channel.event("CallAnsweredEvent").await;
        assert_eq!(call(&answered).value("state"), Some("Active"));
        let document = client.get(&client.own(&format!("calls/{id}"))).await.document();
        assert_eq!((document.name.as_str(), document.value("state")), ("Call", Some("Active")));
        let hook = client.get(&client.own("calls/HookStatus")).await.document();
        assert_eq!(hook.value("hookStatus"), Some("Off-Hook"));
        assert_eq!(client.delete(&client.own(&format!("calls/{id}"))).await.status, 200);
        let released = channel.event("CallReleasedEvent").await;
        assert_eq!(call(&released).value("releasingParty"), Some("localRelease"));
    };
    tokio::join!(story, follow(&mut phone, "the end", ended(invite.session)));
    assert_eq!(client.get(&client.own(&format!("calls/{id}"))).await.error(), (404, true));
    let log = client.get(&client.own("directories/CallLogs")).await.document();
    assert!(log.child("placed").unwrap().child("callLogsEntry").is_some());
    pbx.stop().await;
}

#[tokio::test]
async fn a_phone_is_asked_to_answer_and_to_hold() {
    let (pbx, client) = desk().await;
    let (mut phone, mut channel) = at_the_desk(&pbx, &client).await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let invite = phone.until("INVITE", incoming).await;
    phone.ua.ring(now(), invite.session).unwrap();
    let received = channel.event("CallReceivedEvent").await;
    let call_of = call(&received);
    assert_eq!(call_of.value("personality"), Some("Terminator"));
    assert_eq!(call_of.at(&["remoteParty", "name"]), Some("Garage Jansen"));
    assert_eq!(call_of.at(&["remoteParty", "callType"]), Some("Network"));
    let id = call_of.value("callId").unwrap().to_owned();
    let path = |verb: &str| client.own(&format!("calls/{id}/{verb}"));
    let talk = path("Talk");
    tokio::join!(phone.until("talk", asked("talk")), until_ok(&client, &talk));
    phone.ua.accept(now(), invite.session, Some(Body::sdp(OFFER))).unwrap();
    let confirmed = |event: &Event| matches!(event, Event::Confirmed { .. }).then_some(());
    let (answered, ()) =
        tokio::join!(channel.event("CallAnsweredEvent"), phone.until("ACK", confirmed));
    assert!(call(&answered).value("networkCallId").is_some());
    assert_eq!(client.put(&path("Talk"), "").await.error(), (409, true));
    let hold = path("Hold");
    tokio::join!(phone.until("hold", asked("hold")), until_ok(&client, &hold));
    let held = OFFER.replace("t=0 0", "t=0 0\r\na=sendonly");
    phone.ua.reoffer(now(), invite.session, Body::sdp(held)).unwrap();
    let answered = |event: &Event| matches!(event, Event::ReofferAnswered { .. }).then_some(());
    let (event, ()) = tokio::join!(channel.event("CallHeldEvent"), phone.until("answer", answered));
    assert_eq!(call(&event).value("state"), Some("Held"));
    let talk = path("Talk");
    tokio::join!(phone.until("talk", asked("talk")), until_ok(&client, &talk));
    // Somebody who does not exist cannot be talked to, nor a number that is none.
    let nowhere = client.put(&path("BlindTransfer?address=jan"), "").await;
    assert_eq!(nowhere.error(), (400, true));
    let transfer = path("BlindTransfer?address=tel:201");
    let (reply, ()) = tokio::join!(
        client.put(&transfer, ""),
        follow(&mut phone, "the end", ended(invite.session))
    );
    assert_eq!(reply.status, 200);
    let redirected = channel.event("CallRedirectedEvent").await;
    assert_eq!(call(&redirected).value("state"), Some("Detached"));
    assert_eq!(call(&redirected).at(&["redirect", "reason"]), Some("transfer"));
    channel.event("CallReleasedEvent").await;
    pbx.stop().await;
}

#[tokio::test]
async fn a_call_that_rings_is_declined_or_sent_on() {
    let (pbx, client) = desk().await;
    let (mut phone, mut channel) = at_the_desk(&pbx, &client).await;
    for verb in ["?decline=true&declineReason=Busy", "BlindTransfer"] {
        pbx.customer_call(CustomerCall::to("101")).await.unwrap();
        let invite = phone.until("INVITE", incoming).await;
        phone.ua.ring(now(), invite.session).unwrap();
        let received = channel.event("CallReceivedEvent").await;
        let id = call(&received).value("callId").unwrap().to_owned();
        let request = async {
            match verb {
                "BlindTransfer" => {
                    let path = format!("calls/{id}/BlindTransfer?address=102");
                    client.put(&client.own(&path), "").await.status
                }
                query => client.delete(&client.own(&format!("calls/{id}{query}"))).await.status,
            }
        };
        let (status, ()) = tokio::join!(request, phone.until("the end", ended(invite.session)));
        assert_eq!(status, 200, "{verb}");
        if verb == "BlindTransfer" {
            let redirected = channel.event("CallRedirectedEvent").await;
            assert_eq!(call(&redirected).at(&["redirect", "reason"]), Some("deflection"));
            assert_eq!(call(&redirected).at(&["redirect", "address"]), Some("tel:102"));
        }
        channel.event("CallReleasedEvent").await;
    }
    let log = client.get(&client.own("directories/CallLogs/Missed")).await.document();
    assert_eq!(log.all("callLogsEntry").count(), 2);
    assert_eq!(client.delete(&client.own("directories/CallLogs/Missed")).await.status, 200);
    let log = client.get(&client.own("directories/CallLogs/Missed")).await.document();
    assert_eq!(log.all("callLogsEntry").count(), 0);
    pbx.stop().await;
}

#[tokio::test]
async fn a_colleagues_call_is_picked_up_with_a_click() {
    let (pbx, client) = desk().await;
    let (mut desk, mut channel) = at_the_desk(&pbx, &client).await;
    let mut colleague = phone(&pbx, "102").await;
    let nothing = client.post(&client.own("calls/DirectedCallPickup?address=102"), "").await;
    assert_eq!(nothing.error(), (409, true));
    pbx.customer_call(CustomerCall::to("102")).await.unwrap();
    let rings = colleague.until("INVITE", incoming).await;
    colleague.ua.ring(now(), rings.session).unwrap();
    let reply = client.post(&client.own("calls/DirectedCallPickup?address=102"), "").await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let invite = desk.until("INVITE", incoming).await;
    desk.ua.accept(now(), invite.session, Some(Body::sdp(OFFER))).unwrap();
    let reoffered = |event: &Event| matches!(event, Event::Reoffered { .. }).then_some(());
    let (event, (), ()) = tokio::join!(
        channel.event("CallAnsweredEvent"),
        colleague.until("the end", ended(rings.session)),
        desk.until("the customer", reoffered)
    );
    assert_eq!(call(&event).at(&["remoteParty", "name"]), Some("Garage Jansen"));
    pbx.stop().await;
}

#[tokio::test]
async fn services_do_what_they_say() {
    let (pbx, client) = desk().await;
    let mut colleague = phone(&pbx, "102").await;
    let other = Client::new(&pbx, "102");
    let (_desk, _channel) = at_the_desk(&pbx, &client).await;
    let body = "<CallForwardingAlways xmlns=\"http://schema.broadsoft.com/xsi\"><active>true\
        </active><forwardToPhoneNumber>102</forwardToPhoneNumber></CallForwardingAlways>";
    let path = client.own("services/CallForwardingAlways");
    assert_eq!(client.put(&path, body).await.status, 200);
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let invite = colleague.until("INVITE", incoming).await;
    assert!(invite.headers.get(&HeaderName::Diversion).is_some());
    // Who has the INVITE finds the call in the list.
    let listed = other.get(&other.own("calls")).await.document();
    assert_eq!(listed.all("call").count(), 1, "{listed:?}");
    assert_eq!(client.put(&path, &body.replace("true", "false")).await.status, 200);
    let busy = "<DoNotDisturb xmlns=\"http://schema.broadsoft.com/xsi\"><active>true</active>\
        </DoNotDisturb>";
    assert_eq!(client.put(&client.own("services/DoNotDisturb"), busy).await.status, 200);
    let forward = "<CallForwardingBusy xmlns=\"http://schema.broadsoft.com/xsi\"><active>true\
        </active><forwardToPhoneNumber>201</forwardToPhoneNumber></CallForwardingBusy>";
    assert_eq!(client.put(&client.own("services/CallForwardingBusy"), forward).await.status, 200);
    // A colleague who calls the busy desk reaches whom it forwards to.
    let own = account(&pbx, "102").aor.clone();
    let session = colleague.call(&own, "101", OFFER);
    let answered = |event: &Event| match event {
        Event::Answered { session: answered, .. } if *answered == session => Some(()),
        _ => None,
    };
    colleague.until("answer", answered).await;
    let calls = client.get(&client.own("calls")).await.document();
    assert_eq!(calls.all("call").count(), 0, "the desk was not to be disturbed");
    pbx.stop().await;
}

#[tokio::test]
async fn messages_are_listened_to_marked_and_deleted() {
    let (pbx, client) = desk().await;
    for line in ["101", "101", "102"] {
        pbx.turn(Knob::Deposit { line: line.into() }).await.unwrap();
    }
    let path = client.own("VoiceMessagingMessages");
    let list = client.get(&path).await.document();
    let list = list.child("messageInfoList").unwrap();
    let all: Vec<&Node> = list.all("messageInfo").collect();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].names(), ["duration", "callingPartyInfo", "time", "messageId"]);
    let name = all[0].at(&["callingPartyInfo", "name"]);
    assert_eq!(name, Some("Garage Jansen"));
    let id = all[0].value("messageId").unwrap();
    assert!(id.starts_with("/v2.0/user/101@"), "{id}");
    let one = format!("{path}/{}", id.rsplit('/').next().unwrap());
    let message = client.get(&one).await.document();
    assert_eq!((message.name.as_str(), message.names().len()), ("VoiceMessage", 2));
    let content = message.child("messageMediaContent").unwrap();
    assert_eq!(content.names(), ["description", "mediaType", "content"]);
    let sound = STANDARD.decode(content.value("content").unwrap()).unwrap();
    let mut sound = hound::WavReader::new(sound.as_slice()).unwrap();
    let length_ms: u64 = all[0].value("duration").unwrap().parse().unwrap();
    assert_eq!(
        u64::from(sound.duration()) * 1_000 / u64::from(sound.spec().sample_rate),
        length_ms
    );
    assert!(sound.samples::<i16>().any(|sample| sample.unwrap() > 3_000), "it is silent");
    assert_eq!(client.put(&format!("{one}/MarkAsRead"), "").await.status, 200);
    let read = client.get(&path).await.document();
    let read = read.child("messageInfoList").unwrap().child("messageInfo").unwrap().clone();
    assert!(read.child("read").is_some(), "{read:?}");
    let summary = client.get(&client.own("calls/MessageSummary")).await.document();
    assert_eq!(summary.at(&["summary", "newMessages"]), Some("1"));
    assert_eq!(client.put(&format!("{one}/MarkAsUnread"), "").await.status, 200);
    assert_eq!(client.delete(&one).await.status, 200);
    assert_eq!(client.delete(&one).await.error(), (404, true));
    assert_eq!(client.get(&format!("{path}/none")).await.error(), (404, true));
    let summary = client.get(&client.own("calls/MessageSummary")).await.document();
    assert_eq!(summary.at(&["summary", "newMessages"]), Some("1"));
    pbx.stop().await;
}

#[tokio::test]
async fn a_note_on_a_call_is_seen_at_both_ends() {
    let (pbx, client) = desk().await;
    let (mut phone, mut channel) = at_the_desk(&pbx, &client).await;
    let mut colleague = self::phone(&pbx, "102").await;
    let aor = account(&pbx, "102").aor.clone();
    colleague.call(&aor, "101", OFFER);
    tokio::select! {
        _ = phone.until("INVITE", incoming) => {}
        () = colleague.until("nothing", |_| None) => {}
    }
    let received = channel.event("CallReceivedEvent").await;
    let id = call(&received).value("callId").unwrap().to_owned();
    let path = client.own(&format!("calls/{id}/ClientSessionInfo?info=dossier%2042"));
    assert_eq!(client.put(&path, "").await.status, 200);
    let noted = channel.event("CallClientSessionInfoUpdatedEvent").await;
    assert_eq!(call(&noted).value("clientSessionInfo"), Some("dossier 42"));
    let other = Client::new(&pbx, "102");
    let list = other.get(&other.own("calls")).await.document();
    let theirs = list.child("call").unwrap().value("callId").unwrap().to_owned();
    let theirs = other.get(&other.own(&format!("calls/{theirs}"))).await.document();
    assert_eq!(theirs.value("clientSessionInfo"), Some("dossier 42"));
    pbx.stop().await;
}

#[tokio::test]
async fn numbers_that_ring_too_ring_and_take_the_call() {
    let (pbx, client) = desk().await;
    let (mut desk, _channel) = at_the_desk(&pbx, &client).await;
    let mut colleague = phone(&pbx, "102").await;
    let other = Client::new(&pbx, "102");
    let body = "<SimultaneousRingPersonal xmlns=\"http://schema.broadsoft.com/xsi\"><active>true\
        </active><simRingLocations><simRingLocation><address>102</address>\
        <answerConfirmationRequired>false</answerConfirmationRequired></simRingLocation>\
        </simRingLocations></SimultaneousRingPersonal>";
    let path = client.own("services/SimultaneousRingPersonal");
    assert_eq!(client.put(&path, body).await.status, 200);
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let (rings, too) =
        tokio::join!(desk.until("INVITE", incoming), colleague.until("INVITE", incoming));
    desk.ua.ring(now(), rings.session).unwrap();
    colleague.ua.accept(now(), too.session, Some(Body::sdp(OFFER))).unwrap();
    let confirmed = |event: &Event| matches!(event, Event::Confirmed { .. }).then_some(());
    let ((), ()) = tokio::join!(
        desk.until("the end", ended(rings.session)),
        colleague.until("ACK", confirmed)
    );
    let list = other.get(&other.own("calls")).await.document();
    assert_eq!(list.all("call").count(), 1);
    assert_eq!(client.get(&client.own("calls")).await.document().all("call").count(), 0);
    pbx.stop().await;
}

#[tokio::test]
async fn messages_are_counted_and_heard() {
    let (pbx, client) = desk().await;
    let mut channel = client.channel(0, "set", 1).await;
    client.subscribe(&client.id, "Voice Mail Message Summary", "set").await;
    let summary = |event: &Node| {
        let data = event.child("eventData").unwrap();
        data.at(&["messageSummary", "newMessages"]).map(str::to_owned)
    };
    let first = channel.any_event().await;
    assert_eq!(summary(&first), None, "none is told by leaving it out");
    pbx.turn(Knob::Deposit { line: "101".into() }).await.unwrap();
    assert_eq!(summary(&channel.any_event().await).as_deref(), Some("1"));
    let document = client.get(&client.own("calls/MessageSummary")).await.document();
    assert_eq!(document.at(&["summary", "newMessages"]), Some("1"));
    assert_eq!(client.delete(&client.own("calls/MessageSummary")).await.status, 200);
    let last = channel.any_event().await;
    assert_eq!(summary(&last), None);
    pbx.stop().await;
}
