//! Paths, queries and documents of the actions, against the tables of section 3.

use secrecy::SecretString;

use super::{
    Actions, ConferenceVerb, ParticipantVerb, RecordingVerb, Search, SupervisionVerb, full_user,
};
use crate::{
    Built, HttpAnswer, Release, XsiError,
    wire::{
        AgentStateWord, Common, DirectoryKind, Greetings, LogList, Profile, QueueDetails,
        ScheduleRef, ServiceState,
    },
};

fn old() -> Actions {
    Actions::new("jan@pbx.example", Release::R21).unwrap()
}

fn new() -> Actions {
    Actions::new("jan@pbx.example", Release::R2020).unwrap()
}

/// Method and target without the common beginning.
fn line<T>(action: Built<T>) -> String {
    let request = action.unwrap().request;
    let method = format!("{:?}", request.method).to_uppercase();
    let target = request.target();
    let short =
        target.strip_prefix("/v2.0/user/jan@pbx.example/").map_or(target.clone(), str::to_owned);
    format!("{method} {short}")
}

fn body<T>(action: Built<T>) -> String {
    let body = action.unwrap().request.body.unwrap();
    let (_, root) = body.split_once("XMLSchema-instance\">").unwrap();
    root.to_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row for each row of the table")]
fn calls_have_the_paths_of_the_table() {
    let a = new();
    let call = "callhalf-722:0";
    for (line, expected) in [
        (line(a.calls()), "GET calls"),
        (line(a.one_call(call)), "GET calls/callhalf-722:0"),
        (line(a.dial("+31201234567")), "POST calls/New?address=%2B31201234567"),
        (line(a.release_call(call)), "DELETE calls/callhalf-722:0"),
        (
            line(a.decline(call, true)),
            "DELETE calls/callhalf-722:0?decline=true&declineReason=Busy",
        ),
        (line(a.talk(call)), "PUT calls/callhalf-722:0/Talk"),
        (line(a.hold(call)), "PUT calls/callhalf-722:0/Hold"),
        (line(a.reconnect(call)), "PUT calls/callhalf-722:0/Reconnect"),
        (
            line(a.blind_transfer(call, "102", false)),
            "PUT calls/callhalf-722:0/BlindTransfer?address=102",
        ),
        (
            line(a.blind_transfer(call, "102", true)),
            "PUT calls/callhalf-722:0/BlindTransfer?address=102&toFront=true",
        ),
        (
            line(a.consult_transfer(call, "callhalf-9:0")),
            "PUT calls/callhalf-722:0/ConsultTransfer/callhalf-9:0",
        ),
        (line(a.mute_transfer(call, "102")), "PUT calls/callhalf-722:0/MuteTransfer?address=102"),
        (line(a.voice_mail_transfer(call, None)), "PUT calls/callhalf-722:0/VmTransfer"),
        (line(a.park(call, Some("103"))), "PUT calls/callhalf-722:0/Park?address=103"),
        (line(a.group_park(call)), "PUT calls/callhalf-722:0/GroupCallPark"),
        (line(a.park_retrieve(None)), "POST calls/ParkRetrieve"),
        (line(a.group_pickup()), "POST calls/CallPickup"),
        (line(a.directed_pickup("104")), "POST calls/DirectedCallPickup?address=104"),
        (
            line(a.supervise("104", SupervisionVerb::BargeIn)),
            "POST calls/DirectedCallPickupBargeIn?address=104",
        ),
        (line(a.supervise("104", SupervisionVerb::Listen)), "POST calls/SilentMonitor?address=104"),
        (
            line(a.supervise("104", SupervisionVerb::ListenNext)),
            "POST calls/SilentMonitorNext?address=104",
        ),
        (line(a.supervise("104", SupervisionVerb::Coach)), "POST calls/CoachAgent?address=104"),
        (
            line(a.change_supervision(SupervisionVerb::Coach)),
            "PUT calls/conference/SupervisorCoach?userId=jan%40pbx.example",
        ),
        (line(a.retrieve_from_other_phone()), "POST calls/CallRetrieve"),
        (line(a.automatic_callback()), "POST calls/AutomaticCallback"),
        (line(a.call_return()), "POST calls/CallReturn"),
        (line(a.last_number_redial()), "POST calls/LastNumberRedial"),
        (line(a.conference()), "GET calls/Conference"),
        (line(a.end_conference()), "DELETE calls/Conference"),
        (line(a.control_conference(ConferenceVerb::Hold)), "PUT calls/Conference/Hold"),
        (
            line(a.control_participant(call, ParticipantVerb::Undeaf)),
            "PUT calls/Conference/callhalf-722:0/UnDeaf",
        ),
        (
            line(a.control_participant(call, ParticipantVerb::Add)),
            "PUT calls/Conference/callhalf-722:0",
        ),
        (line(a.record(call, RecordingVerb::Pause)), "PUT calls/callhalf-722:0/PauseRecording"),
        (line(a.press(call, "12#,4")), "PUT calls/callhalf-722:0/TransmitDTMF?playdtmf=12%23,4"),
        (line(a.client_info(call, "x y")), "PUT calls/callhalf-722:0/ClientSessionInfo?info=x%20y"),
        (line(a.escalate(Some(call), None)), "POST calls/callhalf-722:0/EmergencyEscalate"),
        (line(a.escalate(None, Some("105"))), "POST calls/Escalate?address=105"),
        (line(a.disposition(None, "SALE")), "PUT calls/DispositionCode/SALE"),
        (line(a.disposition(Some(call), "SALE")), "PUT calls/callhalf-722:0/DispositionCode/SALE"),
        (line(a.hook()), "GET calls/HookStatus"),
        (line(a.mail_counts()), "GET calls/MessageSummary"),
    ] {
        assert_eq!(line, expected);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row for each row of the table")]
fn the_rest_has_the_paths_of_the_tables() {
    let a = new();
    let queue = "support@pbx.example";
    let search = Search { last_name: "jan*s/x".to_owned(), any: true, ..Search::default() };
    let profile = Profile {
        group_id: "Utrecht 1".to_owned(),
        service_provider: "ACME".to_owned(),
        is_enterprise: true,
        ..Profile::default()
    };
    for (line, expected) in [
        (line(a.profile()), "GET profile"),
        (line(Ok(Actions::versions())), "GET /v2.0/versions"),
        (line(a.feature_codes()), "GET profile/Fac"),
        (line(a.registrations()), "GET profile/Registrations"),
        (
            line(a.devices(Some("Soft Phone"), true)),
            "GET profile/Device?deviceType=Soft%20Phone&onlySoftClient=true",
        ),
        (
            line(a.device_token("d1", "Group")),
            "POST profile/DeviceToken?deviceName=d1&deviceLevel=Group",
        ),
        (line(a.login_token()), "POST profile/LoginToken"),
        (line(a.allow_termination("101@pbx", false)), "PUT profile/Device/101@pbx"),
        (
            line(a.people(DirectoryKind::Enterprise, &Search::default(), 501)),
            "GET directories/Enterprise?start=501&results=500",
        ),
        (
            line(a.people(DirectoryKind::Group, &search, 1)),
            "GET directories/Group?start=1&results=500&lastName=jans%5C%2Fx*%2Fi&searchCriteriaModeOr=true",
        ),
        (
            line(a.common_numbers(DirectoryKind::Group, 1)),
            "GET directories/GroupCommon?start=1&results=500",
        ),
        (line(a.message_sound("7 a")), "GET VoiceMessagingMessages/7%20a"),
        (line(a.personal_numbers(1)), "GET directories/Personal?start=1&results=500"),
        (line(a.remove_personal_number("Jan S")), "DELETE directories/Personal/Jan%20S"),
        (line(a.custom_directories()), "GET directories/CustomContact"),
        (
            line(a.custom_directory("Lijst", 1)),
            "GET directories/CustomContact/Lijst?start=1&results=500",
        ),
        (line(a.call_log()), "GET directories/CallLogs"),
        (line(a.forget_call(LogList::Missed, "7:1")), "DELETE directories/CallLogs/Missed/7:1"),
        (line(a.enhanced_call_log(1)), "GET directories/EnhancedCallLogs?start=1&results=500"),
        (line(a.queues(true)), "GET directories/CallCenters?user=Supervisor"),
        (
            line(a.last_staffed_queues()),
            "GET directories/CallCenters?user=Agent&onlyLastStaffing=true",
        ),
        (line(a.agents()), "GET directories/Agents"),
        (
            line(a.supervisors(queue)),
            "GET directories/Supervisors?type=CallCenter&callCenterId=support%40pbx.example",
        ),
        (line(a.assigned_services()), "GET services"),
        (line(a.service("DoNotDisturb")), "GET services/DoNotDisturb"),
        (line(a.busy_lamps()), "GET services/BusyLampField"),
        (line(a.available_lamps()), "GET services/BusyLampField/AvailableUsers"),
        (
            line(a.receptionist_contacts("enterprise")),
            "GET services/BwReceptionist?receptionistType=enterprise",
        ),
        (line(a.monitoring()), "GET services/CallCenterMonitoring"),
        (line(a.messages()), "GET VoiceMessagingMessages"),
        (line(a.mark_message("m1", true)), "PUT VoiceMessagingMessages/m1/MarkAsRead"),
        (line(a.delete_message("m1")), "DELETE VoiceMessagingMessages/m1"),
        (line(a.agent()), "GET services/CallCenter"),
        (line(a.queue_calls(queue)), "GET /v2.0/callcenter/support@pbx.example/calls"),
        (
            line(a.release_queued(queue, "c:0")),
            "DELETE /v2.0/callcenter/support@pbx.example/calls/c:0",
        ),
        (
            line(a.transfer_queued(queue, "c:0", "101")),
            "PUT /v2.0/callcenter/support@pbx.example/calls/c:0/BlindTransfer?phoneno=101",
        ),
        (
            line(a.reorder(queue, "c:0", 0)),
            "PUT /v2.0/callcenter/support@pbx.example/calls/c:0/Reorder?index=0",
        ),
        (
            line(a.promote(queue, "c:0", "1-High")),
            "PUT /v2.0/callcenter/support@pbx.example/calls/c:0/Promote",
        ),
        (line(a.queue_profile(queue)), "GET /v2.0/callcenter/support@pbx.example/profile"),
        (
            line(a.dispositions(queue)),
            "GET /v2.0/callcenter/support@pbx.example/profile/DispositionCodes",
        ),
        (
            line(a.night(queue)),
            "GET /v2.0/callcenter/support@pbx.example/profile/policies/NightService",
        ),
        (
            line(a.set_forced_forwarding(queue, None)),
            "PUT /v2.0/callcenter/support@pbx.example/profile/policies/ForcedForwarding",
        ),
        (
            line(Actions::unavailable_codes(&profile)),
            "GET /v2.0/group/Utrecht%201/services/CallCenter/UnavailableCodes?enterpriseId=ACME",
        ),
    ] {
        assert_eq!(line, expected);
    }
}

#[test]
fn documents_have_their_elements_in_order() {
    let a = new();
    let state = a.set_agent_state(&AgentStateWord::Unavailable, Some("LUNCH"), false);
    assert_eq!(
        body(state),
        "<agentACDState>Unavailable</agentACDState><agentUnavailableCode>LUNCH</agentUnavailableCode></CallCenter>"
    );
    let out = a.set_agent_state(&AgentStateWord::SignOut, Some("LUNCH"), true);
    assert_eq!(
        line(a.set_agent_state(&AgentStateWord::SignOut, None, true)),
        "PUT services/CallCenter?validateSignOut=true"
    );
    assert_eq!(body(out), "<agentACDState>Sign-Out</agentACDState></CallCenter>");
    let queue = |id: &str, available| QueueDetails {
        id: id.to_owned(),
        available,
        ..QueueDetails::default()
    };
    assert_eq!(
        body(a.set_agent_queues(&[queue("a@b", true), queue("c@d", false)])),
        "<callCenterList><callCenterDetails><serviceUserId>a@b</serviceUserId><available>true</available></callCenterDetails>\
         <callCenterDetails><serviceUserId>c@d</serviceUserId><available>false</available></callCenterDetails></callCenterList></CallCenter>"
    );
    let common = Common {
        active: Some(true),
        number: Some("0612345678".to_owned()),
        rings: Some(4),
        splash: None,
    };
    assert_eq!(
        body(a.set_service(&ServiceState::ForwardNoAnswer(common))),
        "<active>true</active><forwardToPhoneNumber>0612345678</forwardToPhoneNumber><numberOfRings>4</numberOfRings></CallForwardingNoAnswer>"
    );
    let clear = Common { active: Some(false), number: Some(String::new()), ..Common::default() };
    assert_eq!(
        body(a.set_service(&ServiceState::ForwardBusy(clear))),
        "<active>false</active><forwardToPhoneNumber xsi:nil=\"true\"/></CallForwardingBusy>"
    );
    assert_eq!(
        body(a.start_conference(&["a:0".to_owned(), "b:0".to_owned()])),
        "<conferenceParticipantList><conferenceParticipant><callId>a:0</callId></conferenceParticipant>\
         <conferenceParticipant><callId>b:0</callId></conferenceParticipant></conferenceParticipantList></Conference>"
    );
    assert_eq!(body(a.promote("q@b", "c:0", "1-High")), "<priority>1-High</priority></ACDPromote>");
    assert_eq!(
        body(a.set_forced_forwarding("q@b", Some("0612345678"))),
        "<active>true</active><forwardToPhoneNumber>0612345678</forwardToPhoneNumber></ACDForcedForwarding>"
    );
    assert_eq!(
        body(a.set_busy_lamps(&["a@b".to_owned()])),
        "<monitoredUserList><userDetails><userId>a@b</userId></userDetails></monitoredUserList></BusyLampField>"
    );
    assert_eq!(
        body(a.add_personal_number("Jan & Co", "020")),
        "<entry><name>Jan &amp; Co</name><number>020</number></entry></Personal>"
    );
    let secret = |text: &str| SecretString::from(text.to_owned());
    assert_eq!(
        body(a.change_password(&secret("oud"), &secret("nieuw"))),
        "<oldPassword>oud</oldPassword><newPassword>nieuw</newPassword></Portal>"
    );
}

#[test]
fn older_releases_are_not_asked_for_what_they_do_not_have() {
    let a = old();
    assert_eq!(line(a.decline("c:0", true)), "DELETE calls/c:0?decline=true");
    let refused = [
        a.supervise("104", SupervisionVerb::Coach).err(),
        a.change_supervision(SupervisionVerb::Listen).err(),
        a.control_conference(ConferenceVerb::Mute).err(),
        a.allow_termination("101@pbx", true).err(),
        a.set_service(&ServiceState::ForwardAlwaysSecondary(Common::default())).err(),
        a.people(
            DirectoryKind::Group,
            &Search { any_name: vec!["jan".to_owned()], ..Search::default() },
            1,
        )
        .err(),
    ];
    assert!(refused.iter().all(|error| *error == Some(XsiError::NotInRelease)), "{refused:?}");
}

#[test]
fn values_that_cannot_be_sent_are_refused_in_words() {
    let a = new();
    let bad = [
        a.talk("a/b").err(),
        a.talk("").err(),
        a.press("c:0", "12x").err(),
        a.press("c:0", "").err(),
        a.disposition(None, "ELEVENCHARS").err(),
        a.set_agent_state(&AgentStateWord::Unavailable, Some(""), false).err(),
        a.start_conference(&["a:0".to_owned()]).err(),
        a.dial("1\r\n2").err(),
        Actions::new("a/b@c", Release::R21).err(),
    ];
    assert!(bad.iter().all(|error| matches!(error, Some(XsiError::BadValue(_)))), "{bad:?}");
    assert_eq!(
        (full_user("jan", "pbx.example").as_str(), full_user("a@b", "c").as_str()),
        ("jan@pbx.example", "a@b")
    );
}

fn answer(body: &str) -> HttpAnswer {
    HttpAnswer { status: 200, body: body.into(), ..HttpAnswer::default() }
}

#[test]
fn answers_are_read() {
    let a = new();
    let mut created = answer("");
    created.status = 201;
    created.location = Some("https://x/v2.0/user/jan@pbx.example/calls/callhalf-5%3A0".to_owned());
    assert_eq!(a.dial("1").unwrap().read(&created).unwrap().call_id, "callhalf-5:0");
    let body = answer(
        "<CallStartInfo><callId>callhalf-6:0</callId><externalTrackingId>9:1</externalTrackingId></CallStartInfo>",
    );
    let started = a.dial("1").unwrap().read(&body).unwrap();
    assert_eq!(
        (started.call_id.as_str(), started.tracking_id.as_deref()),
        ("callhalf-6:0", Some("9:1"))
    );
    let mut parked = answer("");
    parked.content_location = Some("/v2.0/user/jan@pbx.example/calls/park/6001".to_owned());
    assert_eq!(a.group_park("c:0").unwrap().read(&parked).unwrap().as_deref(), Some("6001"));
    let moved = a
        .reorder("q@b", "c:0", 0)
        .unwrap()
        .read(&answer("<QueueCallOrder><position>0</position></QueueCallOrder>"));
    assert_eq!(moved, Ok(Some(1)), "0 and 1 both mean the first place");
    let page = "<Group><startIndex>1</startIndex><numberOfRecords>1</numberOfRecords><totalAvailableRecords>3</totalAvailableRecords>\
                <groupDirectory><directoryDetails><userId>a@b</userId><firstName>Hunt Group</firstName><lastName>Verkoop</lastName>\
                <extension>tel:200</extension><additionalDetails><department>Sales</department></additionalDetails></directoryDetails></groupDirectory></Group>";
    let page =
        a.people(DirectoryKind::Group, &Search::default(), 1).unwrap().read(&answer(page)).unwrap();
    assert_eq!((page.total, page.next_start(1), page.next_start(3)), (Some(3), Some(2), None));
    let entry = &page.entries[0];
    assert!(entry.is_virtual());
    assert_eq!((entry.extension.as_str(), entry.department.as_str()), ("200", "Sales"));
    // A fragment in Latin-1, without a namespace.
    let mut log = answer("");
    log.body = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Missed><callLogsEntry><phoneNumber>tel:+31201234567</phoneNumber>\
                 <name>Ren\xe9</name><time>2026-03-01T09:05:07+01:00</time><callLogId>1:2</callLogId></callLogsEntry></Missed>".to_vec();
    let log = a.call_log().unwrap().read(&log).unwrap();
    assert_eq!(
        (log[0].name.as_str(), log[0].number.as_str(), log[0].list),
        ("Ren\u{e9}", "+31201234567", LogList::Missed)
    );
    assert_eq!(log[0].at, Some(1_772_352_307_000));
}

#[test]
fn greetings_parking_and_schedules_have_their_paths() {
    let a = old();
    assert_eq!(line(a.greetings()), "GET services/VoiceMessaging/Greetings");
    let rings = Greetings { rings: Some(3), ..Greetings::default() };
    assert_eq!(line(a.set_greetings(&rings)), "PUT services/VoiceMessaging/Greetings");
    assert_eq!(
        body(a.set_greetings(&rings)),
        "<noAnswerNumberOfRings>3</noAnswerNumberOfRings></VoiceMessagingGreetings>"
    );
    assert_eq!(line(a.park_group()), "GET services/CallPark");
    assert_eq!(line(a.schedules()), "GET profile/Schedule");
    let mut hours = ScheduleRef {
        name: "Kantoor uren".to_owned(),
        level: "Group".to_owned(),
        holidays: false,
        path: Vec::new(),
    };
    assert_eq!(line(a.schedule(&hours)), "GET profile/Schedule/Time/Kantoor%20uren");
    hours.path = vec!["Time".to_owned(), "Group".to_owned(), "Kantoor uren".to_owned()];
    assert_eq!(line(a.schedule(&hours)), "GET profile/Schedule/Time/Group/Kantoor%20uren");
    hours.path.push("..".to_owned());
    assert!(a.schedule(&hours).is_err(), "an address of the server's is not followed anywhere");
}
