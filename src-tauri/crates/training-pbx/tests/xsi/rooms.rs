//! Conferences, supervisors and recordings, on telephones that say tones: who hears whom is measured.

use std::path::Path;
use std::time::Duration;

use training_pbx::{CustomerCall, Pbx, PbxConfig, PbxHandle, Profile};

use crate::client::{Channel, Client, PATIENCE, Reply};
use crate::document::Node;
use crate::telephone::Telephone;
use crate::{PROFILES, start};

const SPACE: &str = "xmlns=\"http://schema.broadsoft.com/xsi\"";
/// What the telephones say.
const MAUD: f32 = 500.0;
const JORIS: f32 = 800.0;
const SAMIRA: f32 = 1_100.0;
const BAS: f32 = 1_400.0;
const BOSS: f32 = 1_700.0;

/// The ids of a user's calls, in order.
async fn calls(client: &Client) -> Vec<String> {
    let list = client.get(&client.own("calls")).await.document();
    list.all("call").map(|call| call.value("callId").unwrap().to_owned()).collect()
}

fn participants(ids: &[String]) -> String {
    let one = |id: &String| {
        format!("<conferenceParticipant><callId>{id}</callId></conferenceParticipant>")
    };
    let all: String = ids.iter().map(one).collect();
    format!(
        "<Conference {SPACE}><conferenceParticipantList>{all}</conferenceParticipantList></Conference>"
    )
}

/// The conference of an event, whose elements are in order.
fn conference(event: &Node) -> &Node {
    let conference = event.child("eventData").unwrap().child("conference").unwrap();
    let order =
        ["state", "endpoint", "appearance", "muted", "conferenceType", "conferenceParticipantList"];
    let mut rest = order.iter();
    assert!(conference.names().iter().all(|name| rest.any(|known| known == name)), "{event:?}");
    conference
}

async fn watch(client: &Client, target: &str, package: &str) -> Channel {
    let mut channel = client.channel(0, "rooms", 1).await;
    client.subscribe(target, package, "rooms").await;
    channel.any_event().await;
    channel
}

async fn put(client: &Client, path: &str) {
    let reply = client.put(&client.own(path), "").await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
}

async fn post(client: &Client, path: &str) -> Reply {
    client.post(&client.own(path), "").await
}

/// Three who are in a conference of the first, whose calls have these ids.
async fn conferring(pbx: &PbxHandle) -> (Client, Channel, [Telephone; 3], Vec<String>) {
    let client = Client::new(pbx, "101");
    let maud = Telephone::start(pbx, "101", MAUD).await;
    let joris = Telephone::start(pbx, "102", JORIS).await;
    let samira = Telephone::start(pbx, "103", SAMIRA).await;
    let mut channel = watch(&client, &client.id, "Standard Call").await;
    let first = maud.call("102").await;
    joris.hears(0, &[MAUD], &[JORIS]).await;
    maud.hold(first, true).await;
    maud.call("103").await;
    samira.hears(0, &[MAUD], &[JORIS, SAMIRA]).await;
    let ids = calls(&client).await;
    let reply = client.post(&client.own("calls/Conference"), &participants(&ids)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let started = channel.event("ConferenceStartedEvent").await;
    assert_eq!(conference(&started).value("state"), Some("Active"));
    (client, channel, [maud, joris, samira], ids)
}

#[tokio::test]
async fn three_in_a_conference_hear_each_other_and_not_themselves() {
    for profile in PROFILES {
        let pbx = start(profile).await;
        let (client, mut channel, [maud, joris, samira], ids) = conferring(&pbx).await;
        maud.hears(1, &[JORIS, SAMIRA], &[MAUD]).await;
        joris.hears(0, &[MAUD, SAMIRA], &[JORIS]).await;
        samira.hears(0, &[MAUD, JORIS], &[SAMIRA]).await;
        // One is not heard, and hears; another does not hear.
        put(&client, &format!("calls/Conference/{}/Mute", ids[0])).await;
        let muted = channel.event("ConferenceCallMutedEvent").await;
        let list = conference(&muted).child("conferenceParticipantList").unwrap();
        let is_muted = |node: &&Node| node.child("muted").is_some();
        let muted = list.all("conferenceParticipant").find(is_muted).unwrap();
        assert_eq!(muted.value("callId"), Some(ids[0].as_str()));
        samira.hears(0, &[MAUD], &[JORIS]).await;
        joris.hears(0, &[MAUD, SAMIRA], &[]).await;
        put(&client, &format!("calls/Conference/{}/UnMute", ids[0])).await;
        put(&client, &format!("calls/Conference/{}/Deaf", ids[1])).await;
        channel.event("ConferenceCallMadeDeafEvent").await;
        samira.hears(0, &[], &[MAUD, JORIS, SAMIRA]).await;
        joris.hears(0, &[MAUD, SAMIRA], &[]).await;
        put(&client, &format!("calls/Conference/{}/UnDeaf", ids[1])).await;
        // On hold, the others go on without their host.
        put(&client, "calls/Conference/Hold").await;
        let held = channel.event("ConferenceHeldEvent").await;
        assert_eq!(conference(&held).value("state"), Some("Held"));
        samira.hears(0, &[JORIS], &[MAUD]).await;
        maud.hears(1, &[], &[JORIS, SAMIRA]).await;
        put(&client, "calls/Conference/Talk").await;
        channel.event("ConferenceRetrievedEvent").await;
        samira.hears(0, &[JORIS, MAUD], &[]).await;
        // The own leg can be muted since the release after the first.
        let mute = client.put(&client.own("calls/Conference/Mute"), "").await;
        assert_eq!(mute.status, if profile == Profile::R21 { 404 } else { 200 });
        let silent: &[f32] = if profile == Profile::R21 { &[] } else { &[MAUD] };
        samira.hears(0, &[JORIS], silent).await;
        pbx.stop().await;
    }
}

#[tokio::test]
async fn participants_leave_a_conference_and_the_rest_goes_on() {
    let pbx = start(Profile::R2020).await;
    let (client, mut channel, [maud, joris, samira], ids) = conferring(&pbx).await;
    let document = client.get(&client.own("calls/Conference")).await.document();
    assert_eq!((document.name.as_str(), document.value("state")), ("Conference", Some("Active")));
    let list = document.child("conferenceParticipantList").unwrap();
    assert_eq!(list.all("conferenceParticipant").count(), 2);
    let listed = client.get(&client.own("calls")).await.document();
    assert!(listed.all("call").all(|call| call.attribute("inConference") == Some("true")));
    let alone = client.post(&client.own("calls/Conference"), &participants(&ids[..1])).await;
    assert_eq!(alone.error(), (400, true));
    // A third call is added, and dropped again.
    maud.hold(1, true).await;
    let bas = Telephone::start(&pbx, "104", BAS).await;
    maud.call("104").await;
    bas.hears(0, &[MAUD], &[JORIS, SAMIRA]).await;
    let third = calls(&client).await.into_iter().find(|id| !ids.contains(id)).unwrap();
    put(&client, &format!("calls/Conference/{third}")).await;
    channel.event("ConferenceUpdatedEvent").await;
    bas.hears(0, &[MAUD, JORIS, SAMIRA], &[BAS]).await;
    joris.hears(0, &[MAUD, BAS, SAMIRA], &[JORIS]).await;
    assert_eq!(client.delete(&client.own(&format!("calls/{third}"))).await.status, 200);
    bas.until_over(0).await;
    joris.hears(0, &[SAMIRA], &[BAS]).await;
    // One is sent on out of it: the two who are left have a call.
    maud.hold(0, false).await;
    put(&client, &format!("calls/{}/BlindTransfer?address=600", ids[1])).await;
    let released = channel.event("ConferenceReleasedEvent").await;
    assert_eq!(conference(&released).value("state"), Some("Released"));
    maud.until_over(1).await;
    samira.hears_speech(0).await;
    joris.hears(0, &[MAUD], &[SAMIRA]).await;
    maud.hears(0, &[JORIS], &[SAMIRA]).await;
    assert!(!samira.is_over(0));
    let none = client.get(&client.own("calls/Conference")).await;
    assert_eq!((none.status, none.body.len()), (200, 0));
    pbx.stop().await;
}

#[tokio::test]
async fn a_conference_ends_with_all_its_calls() {
    let pbx = start(Profile::R21).await;
    let (client, mut channel, [maud, joris, samira], _) = conferring(&pbx).await;
    assert_eq!(client.delete(&client.own("calls/Conference")).await.status, 200);
    channel.event("ConferenceReleasedEvent").await;
    for (phone, line) in [(&maud, 0), (&maud, 1), (&joris, 0), (&samira, 0)] {
        phone.until_over(line).await;
    }
    assert_eq!(client.delete(&client.own("calls/Conference")).await.error(), (404, true));
    let status = pbx.status().await.unwrap();
    assert_eq!((status.calls, status.endpoints), (0, 0));
    pbx.stop().await;
}

/// An agent who talks with a colleague, and a supervisor.
async fn supervised(pbx: &PbxHandle) -> (Client, [Telephone; 3]) {
    let boss = Telephone::start(pbx, "106", BOSS).await;
    let bas = Telephone::start(pbx, "104", BAS).await;
    let joris = Telephone::start(pbx, "102", JORIS).await;
    joris.call("104").await;
    bas.hears(0, &[JORIS], &[BAS]).await;
    (Client::new(pbx, "106"), [boss, bas, joris])
}

#[tokio::test]
async fn a_supervisor_hears_both_and_is_not_heard_and_the_agent_knows() {
    for profile in PROFILES {
        let pbx = start(profile).await;
        let (client, [boss, bas, joris]) = supervised(&pbx).await;
        let agent = Client::new(&pbx, "104");
        let mut channel = watch(&agent, &agent.id, "Standard Call").await;
        assert_eq!(post(&client, "calls/SilentMonitor?address=102").await.error(), (403, true));
        assert_eq!(post(&client, "calls/SilentMonitor?address=105").await.error(), (409, true));
        let reply = post(&client, "calls/SilentMonitor?address=tel:104").await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        boss.until(0, "call", |line| !line.over).await;
        boss.hears(0, &[BAS, JORIS], &[BOSS]).await;
        bas.hears(0, &[JORIS], &[BAS, BOSS]).await;
        joris.hears(0, &[BAS], &[JORIS, BOSS]).await;
        let monitored = channel.event("CallMonitoredEvent").await;
        let call = monitored.child("eventData").unwrap().child("call").unwrap();
        assert_eq!(call.at(&["remoteParty", "userId"]), Some("102@lindeboom.example"));
        let document = client.get(&client.own("calls/Conference")).await.document();
        assert_eq!(document.value("conferenceType"), Some("Silently Monitored"));
        // The agent's own calls are what they were.
        assert_eq!(calls(&agent).await.len(), 1);
        let coach = post(&client, "calls/CoachAgent?address=104").await;
        assert_eq!(coach.status, if profile == Profile::R21 { 404 } else { 409 });
        let change = client.put(&client.own("calls/conference/SupervisorCoach"), "").await;
        assert_eq!(change.status, if profile == Profile::R21 { 404 } else { 200 });
        if profile == Profile::R2020 {
            bas.hears(0, &[JORIS, BOSS], &[BAS]).await;
            joris.hears(0, &[BAS], &[BOSS]).await;
            put(&client, "calls/conference/BargeIn?userId=106@lindeboom.example").await;
            joris.hears(0, &[BAS, BOSS], &[JORIS]).await;
            channel.event("CallBargedInEvent").await;
            put(&client, "calls/conference/SilentMonitor").await;
            joris.hears(0, &[BAS], &[BOSS]).await;
        }
        joris.hang_up(0).await;
        boss.until_over(0).await;
        bas.until_over(0).await;
        pbx.stop().await;
    }
}

#[tokio::test]
async fn without_the_tone_the_agent_is_not_told() {
    let pbx = start(Profile::R2020).await;
    let (client, [boss, bas, _joris]) = supervised(&pbx).await;
    let quiet = format!(
        "<CallCenterMonitoring {SPACE}><playToneToAgentForSilentMonitoring>false\
         </playToneToAgentForSilentMonitoring></CallCenterMonitoring>"
    );
    let path = client.own("services/CallCenterMonitoring");
    assert_eq!(client.put(&path, &quiet).await.status, 200);
    let agent = Client::new(&pbx, "104");
    let mut channel = watch(&agent, &agent.id, "Standard Call").await;
    assert_eq!(post(&client, "calls/SilentMonitor?address=104").await.status, 201);
    boss.until(0, "call", |line| !line.over).await;
    boss.hears(0, &[BAS, JORIS], &[BOSS]).await;
    bas.hang_up(0).await;
    // The first thing the agent hears of his call is its end.
    let next = channel.any_event().await;
    assert_eq!(next.child("eventData").unwrap().kind.as_deref(), Some("CallReleasedEvent"));
    pbx.stop().await;
}

#[tokio::test]
async fn a_supervisor_barges_in_and_coaches() {
    let pbx = start(Profile::R2020).await;
    let (client, [boss, bas, joris]) = supervised(&pbx).await;
    assert_eq!(post(&client, "calls/CoachAgent?address=104").await.status, 201);
    boss.until(0, "call", |line| !line.over).await;
    bas.hears(0, &[JORIS, BOSS], &[BAS]).await;
    joris.hears(0, &[BAS], &[BOSS]).await;
    boss.hang_up(0).await;
    bas.hears(0, &[JORIS], &[BOSS]).await;
    assert_eq!(post(&client, "calls/DirectedCallPickupBargeIn?address=104").await.status, 201);
    boss.until(1, "call", |line| !line.over).await;
    joris.hears(0, &[BAS, BOSS], &[JORIS]).await;
    boss.hears(1, &[BAS, JORIS], &[BOSS]).await;
    let document = client.get(&client.own("calls/Conference")).await.document();
    assert_eq!(document.value("conferenceType"), Some("Barge-In"));
    // The agent leaves: there is nothing to be in on any more.
    bas.hang_up(0).await;
    boss.until_over(1).await;
    pbx.stop().await;
}

#[tokio::test]
async fn the_next_call_of_a_queue_is_monitored() {
    for target in ["195", "104"] {
        let pbx = start(Profile::R2020).await;
        let boss = Telephone::start(&pbx, "106", BOSS).await;
        let bas = Telephone::start(&pbx, "104", BAS).await;
        let client = Client::new(&pbx, "106");
        let path = format!("calls/SilentMonitorNext?address={target}");
        assert_eq!(post(&client, &path).await.status, 201);
        boss.until(0, "call", |line| !line.over).await;
        pbx.customer_call(CustomerCall::to("195")).await.unwrap();
        bas.until(0, "call", |line| !line.over).await;
        boss.hears(0, &[BAS], &[BOSS]).await;
        bas.hears(0, &[], &[BAS, BOSS]).await;
        bas.hears_speech(0).await;
        boss.hears_speech(0).await;
        bas.hang_up(0).await;
        boss.until_over(0).await;
        pbx.stop().await;
    }
}

#[tokio::test]
async fn an_emergency_brings_the_supervisor_into_the_call() {
    let pbx = start(Profile::R2020).await;
    let (_, [boss, _bas, joris]) = supervised(&pbx).await;
    let agent = Client::new(&pbx, "104");
    let id = calls(&agent).await.remove(0);
    let reply = post(&agent, &format!("calls/{id}/EmergencyEscalate")).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    boss.until(0, "call", |line| !line.over).await;
    joris.hears(0, &[BAS, BOSS], &[JORIS]).await;
    boss.hears(0, &[BAS, JORIS], &[BOSS]).await;
    pbx.stop().await;
}

async fn recording(folder: &Path) -> PbxHandle {
    let config = PbxConfig { recordings_folder: Some(folder.to_owned()), ..PbxConfig::default() };
    Pbx::start(config).await.unwrap()
}

async fn set_mode(client: &Client, mode: &str) {
    let body =
        format!("<CallRecording {SPACE}><recordingMode>{mode}</recordingMode></CallRecording>");
    let reply = client.put(&client.own("services/CallRecording"), &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Waits until a second and a half of a recording is on the disk.
async fn grown(folder: &Path) {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let long = async {
        loop {
            tick.tick().await;
            let mut files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            if files.any(|file| file.metadata().is_ok_and(|file| file.len() > 48_000)) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, long).await.expect("a recording that grows");
}

/// The one whole recording in a folder, 16 kHz.
async fn stored(folder: &Path) -> Vec<f32> {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let found = async {
        loop {
            tick.tick().await;
            let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut whole = files.map(|file| file.path());
            if let Some(file) = whole.find(|file| file.extension().is_some_and(|e| e == "wav")) {
                return file;
            }
        }
    };
    let file = tokio::time::timeout(PATIENCE, found).await.expect("a recording");
    let mut read = hound::WavReader::open(file).unwrap();
    assert_eq!((read.spec().sample_rate, read.spec().channels), (16_000, 1));
    read.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect()
}

/// How loud a tone is in a piece of a recording.
fn level(sound: &[f32], tone: f32) -> f32 {
    let angle = |at: usize| std::f32::consts::TAU * tone * at as f32 / 16_000.0;
    let part = |wave: fn(f32) -> f32| {
        let sum: f32 = sound.iter().enumerate().map(|(at, s)| s * wave(angle(at))).sum();
        sum / sound.len() as f32 * 2.0
    };
    part(f32::sin).hypot(part(f32::cos))
}

#[tokio::test]
async fn a_call_is_recorded_when_its_user_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let pbx = recording(folder.path()).await;
    let client = Client::new(&pbx, "101");
    let maud = Telephone::start(&pbx, "101", MAUD).await;
    let joris = Telephone::start(&pbx, "102", JORIS).await;
    let mut channel = watch(&client, &client.id, "Standard Call").await;
    maud.call("102").await;
    joris.hears(0, &[MAUD], &[]).await;
    let id = calls(&client).await.remove(0);
    let path = |verb: &str| client.own(&format!("calls/{id}/{verb}"));
    assert_eq!(client.put(&path("Record"), "").await.error(), (403, true), "not assigned");
    set_mode(&client, "on-demand").await;
    let call = client.get(&client.own(&format!("calls/{id}"))).await.document();
    assert_eq!(call.value("allowedRecordingControls"), Some("record"));
    assert_eq!(client.put(&path("StopRecording"), "").await.error(), (409, true));
    assert_eq!(client.put(&path("Record"), "").await.status, 200);
    channel.event("CallRecordingStartingEvent").await;
    let started = channel.event("CallRecordingStartedEvent").await;
    let call = started.child("eventData").unwrap().child("call").unwrap();
    assert_eq!(call.value("recordingState"), Some("Started"));
    assert_eq!(call.value("allowedRecordingControls"), Some("pause-stop"));
    assert!(call.child("recorded").is_some());
    joris.hears(0, &[MAUD], &[JORIS]).await;
    maud.hears(0, &[JORIS], &[MAUD]).await;
    grown(folder.path()).await;
    assert_eq!(client.put(&path("PauseRecording"), "").await.status, 200);
    channel.event("CallRecordingPausedEvent").await;
    // What is said now is not in it.
    maud.hold(0, true).await;
    channel.event("CallHeldEvent").await;
    joris.hears(0, &[], &[MAUD]).await;
    assert_eq!(client.put(&path("ResumeRecording"), "").await.status, 200);
    channel.event("CallRecordingResumedEvent").await;
    maud.hold(0, false).await;
    channel.event("CallRetrievedEvent").await;
    maud.hears(0, &[JORIS], &[]).await;
    assert_eq!(client.put(&path("StopRecording"), "").await.status, 200);
    let stopped = channel.event("CallRecordingStoppedEvent").await;
    assert_eq!(stopped.child("eventData").unwrap().value("reason"), Some("User Requested"));
    let sound = stored(folder.path()).await;
    let loud = |tone| sound.chunks(3_200).map(|piece| level(piece, tone)).fold(0.0, f32::max);
    assert!(loud(MAUD) > 0.15 && loud(JORIS) > 0.15, "{} {}", loud(MAUD), loud(JORIS));
    assert!(loud(BOSS) < 0.05, "{}", loud(BOSS));
    // The two still talk.
    joris.hears(0, &[MAUD], &[JORIS]).await;
    pbx.stop().await;
}

#[tokio::test]
async fn a_line_that_records_everything_records_customers_too() {
    let folder = tempfile::tempdir().unwrap();
    let pbx = recording(folder.path()).await;
    let client = Client::new(&pbx, "101");
    set_mode(&client, "always").await;
    let maud = Telephone::start(&pbx, "101", MAUD).await;
    let mut channel = watch(&client, &client.id, "Standard Call").await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let started = channel.event("CallRecordingStartedEvent").await;
    let call = started.child("eventData").unwrap().child("call").unwrap();
    assert_eq!(call.value("allowedRecordingControls"), Some("none"));
    maud.hears_speech(0).await;
    grown(folder.path()).await;
    maud.hang_up(0).await;
    let sound = stored(folder.path()).await;
    let pieces = || sound.chunks(3_200);
    assert!(pieces().any(|piece| level(piece, MAUD) > 0.15), "the receptionist is in it");
    let loudness = |piece: &[f32]| {
        let rest = level(piece, MAUD);
        let power = piece.iter().map(|s| s * s).sum::<f32>() / piece.len() as f32;
        (power - rest * rest / 2.0).max(0.0).sqrt()
    };
    assert!(pieces().any(|piece| loudness(piece) > 0.03), "and so is the customer");
    pbx.stop().await;
}

#[tokio::test]
async fn nothing_is_recorded_without_a_folder() {
    let pbx = Pbx::start(PbxConfig::default()).await.unwrap();
    let client = Client::new(&pbx, "101");
    assert_eq!(client.get(&client.own("services/CallRecording")).await.error(), (404, true));
    let services = client.get(&client.own("services")).await.document();
    let names: Vec<_> = services.all("service").filter_map(|s| s.value("name")).collect();
    assert!(names.contains(&"N-Way Call") && !names.contains(&"Call Recording"), "{names:?}");
    pbx.stop().await;
}
