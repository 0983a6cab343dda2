//! Every event and answer of sections 3 and 4, in each of the styles of prefixes that servers use.

use super::{
    AgentEvent, AgentSettings, AgentStateWord, BusyLampField, CallEventKind, CallState,
    ChannelReason, Delivery, Dispositions, EventData, Greetings, MediaFile, Night, Personality,
    Profile, QueueEventKind, QueueProfile, ServiceEvent, ServiceState, UnavailableCodes,
    read_agents, read_assigned, read_calls, read_codes, read_custom, read_devices,
    read_enhanced_log, read_message_sound, read_messages, read_queue, read_queues,
    read_registrations, read_schedules, read_subscriptions,
};
use crate::{
    DocumentError, json,
    xml::{self, Element},
};

/// How a server writes the names of its elements.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// `xsi:` for BroadSoft and `xsi1:` for the schema's own, as in events.
    Events,
    /// The default namespace for BroadSoft and `xsi:` for the schema's own, as in profiles.
    Plain,
    /// Names that nobody has used yet.
    Odd,
}

const STYLES: [Style; 3] = [Style::Events, Style::Plain, Style::Odd];

impl Style {
    fn own(self) -> &'static str {
        match self {
            Self::Events => "xsi:",
            Self::Plain => "",
            Self::Odd => "bw.1-x:",
        }
    }

    fn instance(self) -> &'static str {
        match self {
            Self::Events => "xsi1:",
            Self::Plain => "xsi:",
            Self::Odd => "i:",
        }
    }

    /// A document out of one written as `<~name @type="~Kind">`.
    fn write(self, template: &str) -> Element {
        let own = self.own().trim_end_matches(':');
        let declared = if own.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{own}") };
        let instance = self.instance().trim_end_matches(':');
        let text = template.replace('~', self.own()).replace('@', self.instance());
        let root_end = text.find(['>', ' ', '/']).unwrap();
        let (head, rest) = text.split_at(root_end);
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>{head} {declared}=\"http://schema.broadsoft.com/xsi\" \
             xmlns:{instance}=\"http://www.w3.org/2001/XMLSchema-instance\"{rest}"
        );
        xml::read(text.as_bytes(), None).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// An event with this data, in every style.
fn data(kind: &str, inside: &str) -> EventData {
    let template = format!(
        "<~Event @type=\"~SubscriptionEvent\"><~eventID>e1</~eventID><~sequenceNumber>7</~sequenceNumber>\
         <~userId>jan&#64;pbx.example</~userId><~externalApplicationId>balie</~externalApplicationId>\
         <~subscriptionId>s1</~subscriptionId><~channelId>c1</~channelId><~targetId>t</~targetId>\
         <~eventData @type=\"~{kind}\">{inside}</~eventData></~Event>"
    );
    let mut all = STYLES.iter().map(|style| match Delivery::read(&style.write(&template)) {
        Ok(Delivery::Event(event)) => {
            assert_eq!((event.event_id.as_str(), event.sequence), ("e1", Some(7)));
            assert_eq!(
                (event.subscription_id.as_str(), event.target.as_deref()),
                ("s1", Some("t"))
            );
            event.data.unwrap_or_else(|error| panic!("{kind}: {error}"))
        }
        other => panic!("{kind} in {style:?}: {other:?}"),
    });
    let first = all.next().unwrap();
    assert!(all.all(|other| other == first), "{kind} is the same in every style");
    first
}

const CALL: &str = "<~call><~callId>callhalf-501:0</~callId><~extTrackingId>77:1</~extTrackingId>\
    <~networkCallId>BW1&#64;10.0.0.1</~networkCallId><~personality>Terminator</~personality><~state>Remote Held</~state>\
    <~remoteParty><~name>Jan Smit</~name><~address countryCode=\"31\">tel:+31201230001</~address>\
    <~userDN countryCode=\"31\">tel:+31201230001;ext=1011</~userDN><~callType>Network</~callType></~remoteParty>\
    <~redirections><~redirection><~party><~name>Hoofdnummer</~name></~party><~reason>call-center</~reason></~redirection></~redirections>\
    <~endpoint @type=\"~AccessEndpoint\"><~addressOfRecord>101&#64;pbx</~addressOfRecord></~endpoint>\
    <~appearance>2</~appearance><~startTime>1763700000000</~startTime><~answerTime>1763700004000</~answerTime>\
    <~acdCallInfo><~acdUserId>support&#64;pbx.example</~acdUserId><~acdName>Support</~acdName><~acdNumber>tel:1900</~acdNumber>\
    <~numCallsInQueue>2</~numCallsInQueue><~waitTime>35</~waitTime></~acdCallInfo><~recorded/>\
    <~allowedRecordingControls>pause-stop</~allowedRecordingControls><~surprise><~inside/></~surprise></~call>";

#[test]
fn calls_are_read_whole() {
    let EventData::Call(event) = data("CallHeldEvent", CALL) else { panic!("a call") };
    assert_eq!(event.kind, CallEventKind::Held);
    let call = &event.calls[0];
    assert_eq!(call.id, "callhalf-501:0");
    assert_eq!(
        (&call.personality, &call.state),
        (&Personality::Terminator, &CallState::RemoteHeld)
    );
    assert_eq!(call.remote.address.as_deref(), Some("tel:+31201230001"));
    assert_eq!(call.remote.country_code.as_deref(), Some("31"));
    assert_eq!(call.redirections[0].reason.as_deref(), Some("call-center"));
    assert_eq!(call.endpoint.as_deref(), Some("101@pbx"));
    assert_eq!((call.appearance, call.start_time), (Some(2), Some(1_763_700_000_000)));
    let acd = call.acd.as_ref().unwrap();
    assert_eq!((acd.queue.as_str(), acd.wait_time), ("support@pbx.example", Some(35)));
    assert!(call.recorded && !call.remote.private);
    assert_eq!(call.network_call_id.as_deref(), Some("BW1@10.0.0.1"));
}

#[test]
fn every_call_event_of_the_table_is_known() {
    for (kind, expected) in [
        ("CallOriginatingEvent", CallEventKind::Originating),
        ("CallOriginatedEvent", CallEventKind::Originated),
        ("CallCollectingEvent", CallEventKind::Other),
        ("CallReceivedEvent", CallEventKind::Received),
        ("CallAnsweredEvent", CallEventKind::Answered),
        ("CallRetrievedEvent", CallEventKind::Retrieved),
        ("CallUpdatedEvent", CallEventKind::Updated),
        ("CallTransferredEvent", CallEventKind::Transferred),
        ("CallForwardedEvent", CallEventKind::Other),
        ("CallDetachedEvent", CallEventKind::Detached),
        ("CallReleasingEvent", CallEventKind::Releasing),
        ("CallReleasedEvent", CallEventKind::Released),
        ("CallMonitoredEvent", CallEventKind::Monitored),
        ("CallBargedInEvent", CallEventKind::Monitored),
        ("CallRecordingStartingEvent", CallEventKind::Other),
        ("CallRecordingStartedEvent", CallEventKind::RecordingStarted),
        ("CallRecordingPausedEvent", CallEventKind::RecordingPaused),
        ("CallRecordingResumedEvent", CallEventKind::RecordingStarted),
        ("CallRecordingStoppedEvent", CallEventKind::RecordingStopped),
    ] {
        let EventData::Call(event) = data(kind, CALL) else { panic!("{kind}") };
        assert_eq!(event.kind, expected, "{kind}");
    }
    let EventData::Call(event) =
        data("CallRedirectedEvent", &format!("<~calls>{CALL}{CALL}</~calls>"))
    else {
        panic!("calls")
    };
    assert_eq!((event.kind, event.calls.len()), (CallEventKind::Redirected, 2));
}

#[test]
fn snapshots_replace_everything() {
    let inside = format!(
        "<~calls>{CALL}</~calls><~conference><~state>Active</~state><~conferenceParticipantList><~conferenceParticipant>\
         <~callId>a:0</~callId><~deaf/></~conferenceParticipant></~conferenceParticipantList></~conference>\
         <~hookStatus>Off-Hook</~hookStatus>"
    );
    let EventData::Calls { snapshot, resync: false } = data("CallSubscriptionEvent", &inside)
    else {
        panic!()
    };
    assert_eq!((snapshot.calls.len(), snapshot.off_hook), (1, Some(true)));
    let conference = snapshot.conference.unwrap();
    assert!(conference.participants[0].deaf && !conference.participants[0].muted);
    let EventData::Calls { snapshot, resync: true } = data("CallSubscriptionResyncEvent", "")
    else {
        panic!()
    };
    assert!(snapshot.calls.is_empty());
    assert_eq!(
        data("HookStatusEvent", "<~hookStatus>On-Hook</~hookStatus>"),
        EventData::Hook(false)
    );
    let held = data("ConferenceHeldEvent", "<~conference><~state>Held</~state></~conference>");
    assert!(matches!(held, EventData::Conference(conference) if conference.state == "Held"));
}

const ENTRY: &str = "<~queueEntry><~callId>callhalf-9:0</~callId><~extTrackingId>5:1</~extTrackingId>\
    <~remoteParty><~name>Piet</~name><~address>tel:0612345678</~address><~privacy/><~callType>Network</~callType></~remoteParty>\
    <~addTime>1763700000000</~addTime><~removeTime>1763700060000</~removeTime><~mandatoryEntrance/><~bounced/>\
    <~acdName>Support</~acdName><~acdNumber countryCode=\"31\">tel:1900</~acdNumber><~acdPriority>1-High</~acdPriority>\
    <~answeringUserId>jan&#64;pbx.example</~answeringUserId></~queueEntry>";

#[test]
fn every_queue_event_of_the_table_is_known() {
    for (kind, expected) in [
        ("ACDCallAddedEvent", QueueEventKind::Added),
        ("ACDCallOfferedToAgentEvent", QueueEventKind::Offered),
        ("ACDCallBouncedEvent", QueueEventKind::Bounced),
        ("ACDWhisperStartedEvent", QueueEventKind::Whisper),
        ("ACDCallAnsweredByAgentEvent", QueueEventKind::Answered),
        ("ACDCallAbandonedEvent", QueueEventKind::Abandoned),
        ("ACDCallReleasedEvent", QueueEventKind::Released),
        ("ACDCallTransferredEvent", QueueEventKind::Transferred),
        ("ACDCallOverflowedEvent", QueueEventKind::Overflowed),
        ("ACDCallOverflowedTreatmentCompletedEvent", QueueEventKind::Overflowed),
        ("ACDCallStrandedEvent", QueueEventKind::Stranded),
        ("ACDCallStrandedUnavailableEvent", QueueEventKind::Stranded),
        ("ACDCallStrandedUnavailableTreatementCompletedEvent", QueueEventKind::Stranded),
        ("ACDCallEscapedEvent", QueueEventKind::Escaped),
        ("ACDCallReorderedEvent", QueueEventKind::Reordered),
        ("ACDCallPromotedEvent", QueueEventKind::Promoted),
        ("ACDCallUpdatedEvent", QueueEventKind::Updated),
    ] {
        let EventData::Queued(event) = data(kind, &format!("{ENTRY}<~position>2</~position>"))
        else {
            panic!("{kind}")
        };
        assert_eq!((event.kind, event.position), (expected, Some(2)), "{kind}");
        assert!(event.entry.entrance && event.entry.bounced && event.entry.remote.private);
        assert_eq!(event.entry.priority.as_deref(), Some("1-High"));
        assert_eq!(event.entry.answering_user.as_deref(), Some("jan@pbx.example"));
    }
    for kind in [
        "ACDCallForwardedEvent",
        "ACDNightPolicyAppliedEvent",
        "ACDHolidayPolicyAppliedTreatmentCompletedEvent",
    ] {
        let EventData::Queued(event) =
            data(kind, "<~callId>c:0</~callId><~acdName>Support</~acdName>")
        else {
            panic!("{kind}")
        };
        assert_eq!((event.kind, event.entry.id.as_str()), (QueueEventKind::NeverQueued, "c:0"));
    }
    let EventData::Queued(first) =
        data("ACDCallAddedEvent", &format!("{ENTRY}<~position>0</~position>"))
    else {
        panic!()
    };
    assert_eq!(first.position, Some(1));
    let inside = format!("<~queueEntries>{ENTRY}{ENTRY}</~queueEntries>");
    assert!(
        matches!(data("ACDSubscriptionEvent", &inside), EventData::Queue { entries, resync: false } if entries.len() == 2)
    );
    assert!(
        matches!(data("ACDSubscriptionResyncEvent", ""), EventData::Queue { entries, resync: true } if entries.is_empty())
    );
}

#[test]
fn agents_are_read() {
    let inside = "<~agentStateInfo><~state>Wrap-Up</~state><~stateTimestamp><~value>1763700000000</~value>\
        <~severity>yellow</~severity></~stateTimestamp><~wrapUpCallId>c:0</~wrapUpCallId><~signInTimestamp>1763690000000</~signInTimestamp>\
        <~wrapUpCallCenterUserId>support&#64;pbx.example</~wrapUpCallCenterUserId></~agentStateInfo>";
    let EventData::Agent(AgentEvent::State(info)) = data("AgentStateEvent", inside) else {
        panic!()
    };
    assert_eq!((&info.state, info.since), (&AgentStateWord::WrapUp, Some(1_763_700_000_000)));
    assert_eq!(info.wrap_up_queue.as_deref(), Some("support@pbx.example"));
    let inside = "<~joinData><~joinInfos><~joinInfo><~acdUserId>a&#64;b</~acdUserId><~joined/><~skillLevel>3</~skillLevel></~joinInfo>\
        <~joinInfo><~acdUserId>c&#64;d</~acdUserId></~joinInfo></~joinInfos></~joinData>\
        <~stateInfo><~state>Available</~state></~stateInfo>";
    let EventData::Agent(AgentEvent::Snapshot { joins: Some(joins), state: Some(state) }) =
        data("AgentSubscriptionEvent", inside)
    else {
        panic!()
    };
    assert_eq!((joins[0].joined, joins[0].skill, joins[1].joined), (true, Some(3), false));
    assert_eq!(state.state, AgentStateWord::Available);
    let left = "<~ccAgentJoinUpdateData><~joinInfo><~acdUserId>a&#64;b</~acdUserId></~joinInfo></~ccAgentJoinUpdateData>";
    let EventData::Agent(AgentEvent::Join(Some(join))) = data("ACDAgentJoinUpdateEvent", left)
    else {
        panic!()
    };
    assert!(!join.joined, "an absent element means left");
    let odd =
        data("AgentStateEvent", "<~agentStateInfo><~state>On-Leave</~state></~agentStateInfo>");
    assert!(
        matches!(odd, EventData::Agent(AgentEvent::State(info)) if info.state.word() == "On-Leave")
    );
}

#[test]
fn figures_and_policies_are_read() {
    let inside = "<~monitoringStatus><~averageHandlingTime><~value>110</~value></~averageHandlingTime>\
        <~longestWaitTime><~value>70</~value><~severity>red</~severity><~threshold>60</~threshold></~longestWaitTime>\
        <~numCallsInQueue><~value>3</~value></~numCallsInQueue><~numAgentsStaffed>4</~numAgentsStaffed></~monitoringStatus>";
    let EventData::Figures(figures) = data("CallCenterMonitoringEvent", inside) else { panic!() };
    assert_eq!(figures.longest_wait.unwrap().severity.as_deref(), Some("red"));
    assert_eq!((figures.waiting.unwrap().value, figures.staffed, figures.idle), (3, Some(4), None));
    let EventData::Policy(night) = data("ACDNightServiceEvent", "<~active/>") else { panic!() };
    assert_eq!((night.night, night.force_night, night.holiday), (Some(true), Some(false), None));
    let inside =
        "<~forcedForwarding><~active/></~forcedForwarding><~nightService/><~forceNightService/>";
    let EventData::Policy(all) = data("ACDConfigurationSubscriptionEvent", inside) else {
        panic!()
    };
    assert_eq!(
        (all.forced_forwarding, all.night, all.force_night, all.holiday),
        (Some(true), Some(false), Some(true), None)
    );
}

#[test]
fn services_are_read_from_events_as_from_answers() {
    let inside = "<~info><~active>true</~active><~forwardToPhoneNumber>tel:+31612345678</~forwardToPhoneNumber><~ringSplash>false</~ringSplash></~info>";
    let EventData::Service(ServiceEvent::State(ServiceState::ForwardAlways(forward))) =
        data("CallForwardingAlwaysEvent", inside)
    else {
        panic!()
    };
    assert_eq!((forward.active, forward.number.as_deref()), (Some(true), Some("+31612345678")));
    let gone = data("DoNotDisturbEvent", "<~unassigned/>");
    assert_eq!(gone, EventData::Service(ServiceEvent::Unassigned("DoNotDisturb")));
    let EventData::Mail(counts) = data(
        "VoiceMailMessageSummaryEvent",
        "<~messageSummary><~newMessages>2</~newMessages></~messageSummary>",
    ) else {
        panic!()
    };
    assert_eq!((counts.new, counts.old), (2, 0), "an absent counter is 0");
    assert_eq!(data("CallParkedAgainstEvent", ""), EventData::Parked(None));
    assert_eq!(
        data("CollaborateRoomEvent", ""),
        EventData::Other("CollaborateRoomEvent".to_owned())
    );
    assert_eq!(data("SubscriptionTerminatedEvent", ""), EventData::SubscriptionTerminated);
}

#[test]
fn the_channel_itself_is_read() {
    for style in STYLES {
        let channel = style
            .write("<~Channel><~channelId>c1</~channelId><~expires>3600</~expires></~Channel>");
        assert!(
            matches!(Delivery::read(&channel), Ok(Delivery::Channel(one)) if one.id == "c1" && one.expires == Some(3600))
        );
        assert_eq!(Delivery::read(&style.write("<~ChannelHeartBeat/>")), Ok(Delivery::HeartBeat));
        let over = style.write("<~Event @type=\"~ChannelTerminatedEvent\"><~channelId>c1</~channelId><~reason>DuplicateChannelSet</~reason></~Event>");
        assert!(matches!(
            Delivery::read(&over),
            Ok(Delivery::Terminated { reason: ChannelReason::DuplicateChannelSet, .. })
        ));
        let error = style.write("<~Event @type=\"~ErrorEvent\"><~errorCode>7</~errorCode><~errorMessage>what?</~errorMessage></~Event>");
        assert!(matches!(Delivery::read(&error), Ok(Delivery::Error { code: Some(7), .. })));
    }
    let nothing = xml::read(b"<Event/>", None).unwrap();
    assert_eq!(Delivery::read(&nothing), Err(DocumentError::Missing("eventID")));
    let list = "<SubscriptionList><subscription><subscriptionId>s1</subscriptionId><targetId>a@b</targetId>\
        <eventPackageList><event>Basic Call</event><event>Call Park</event></eventPackageList><expires>2147483647</expires>\
        <channelSetId>set</channelSetId></subscription><subscription/></SubscriptionList>";
    let list = read_subscriptions(&xml::read(list.as_bytes(), None).unwrap());
    assert_eq!((list.len(), list[0].packages.len(), list[0].expires), (1, 2, None));
}

fn plain(text: &str) -> Element {
    xml::read(text.as_bytes(), None).unwrap()
}

#[test]
fn profiles_and_devices_are_read() {
    let profile = Style::Plain.write(
        "<Profile><details><userId>jan&#64;pbx.example</userId><firstName>Ren\u{e9}</firstName><lastName>Smit</lastName>\
         <groupId>Utrecht</groupId><serviceProvider isEnterprise=\"true\">ACME</serviceProvider><number>tel:+31201234567</number>\
         <extension>1011</extension></details><additionalDetails><mobile>0612345678</mobile></additionalDetails>\
         <passwordExpiresDays>2147483647</passwordExpiresDays><countryCode>31</countryCode></Profile>",
    );
    let profile = Profile::read(&profile).unwrap();
    assert_eq!(
        (profile.name().as_str(), profile.is_enterprise, profile.number.as_str()),
        ("Ren\u{e9} Smit", true, "+31201234567")
    );
    assert_eq!(
        (profile.service_provider.as_str(), profile.mobile.as_str()),
        ("ACME", "0612345678")
    );
    assert!(Profile::read(&plain("<Profile/>")).is_err());
    let codes = plain(
        "<FAC><featureAccessCode><codeName>Call Park</codeName><code>*68</code></featureAccessCode><featureAccessCode/></FAC>",
    );
    assert_eq!(read_codes(&codes).len(), 1);
    let devices = plain(
        "<AccessDevices><accessDevice><deviceName>d</deviceName><deviceLevel>Group</deviceLevel><deviceType>Soft</deviceType>\
         <deviceUserNamePassword><userName>u</userName><password>geheim</password></deviceUserNamePassword></accessDevice></AccessDevices>",
    );
    let devices = read_devices(&devices);
    assert_eq!(devices[0].credentials.as_ref().unwrap().user, "u");
    assert!(!format!("{devices:?}").contains("geheim"));
    let registrations = plain(
        "<Registrations><registration><uri>sip:a</uri><userAgent>Balie</userAgent></registration></Registrations>",
    );
    assert_eq!(read_registrations(&registrations)[0].user_agent.as_deref(), Some("Balie"));
    let services = plain(
        "<Services><service><name>Do Not Disturb</name><uri>/v2.0/x</uri></service></Services>",
    );
    assert_eq!(read_assigned(&services)[0].name, "Do Not Disturb");
}

#[test]
fn the_call_center_is_read() {
    let agent = plain(
        "<CallCenter><agentACDState>Unavailable</agentACDState><agentUnavailableCode>LUNCH</agentUnavailableCode>\
         <enableGuardTimer>false</enableGuardTimer><guardTimerSeconds>5</guardTimerSeconds><callCenterList><callCenterDetails>\
         <serviceUserId>support@pbx.example</serviceUserId><available>true</available><isLogOffAllowed>false</isLogOffAllowed>\
         <skillLevel>1</skillLevel></callCenterDetails></callCenterList></CallCenter>",
    );
    let agent = AgentSettings::read(&agent).unwrap();
    assert_eq!((agent.guard_seconds, agent.unavailable_code.as_deref()), (None, Some("LUNCH")));
    assert!(agent.queues[0].available && !agent.queues[0].may_leave);
    assert_eq!(AgentSettings::read(&plain("<Other/>")), Err(DocumentError::OtherKind));
    let queues = plain(
        "<CallCenters><callCenter><serviceUserID>a@b</serviceUserID><numberCallsInQueue>3</numberCallsInQueue></callCenter></CallCenters>",
    );
    assert_eq!(read_queues(&queues)[0].waiting, Some(3));
    let agents = plain(
        "<CallCenterAgents><callCenter><serviceUserID>a@b</serviceUserID><agentList><userDetails><userId>c@d</userId></userDetails>\
         </agentList></callCenter></CallCenterAgents>",
    );
    assert_eq!(read_agents(&agents).unwrap()[0].people[0].user_id, "c@d");
    let codes = plain(
        "<ACDCallDispostionCodes><enableCallDispositionCodes>true</enableCallDispositionCodes><forceUseOfCallDispositionCodes>true\
         </forceUseOfCallDispositionCodes><dispositionCodes><dispositionCodeDetail isDefault=\"true\"><code>SALE</code>\
         <description>Verkocht</description></dispositionCodeDetail></dispositionCodes></ACDCallDispostionCodes>",
    );
    let codes = Dispositions::read(&codes);
    assert!(codes.forced && codes.codes[0].is_default);
    let reasons = plain(
        "<ACDAgentUnavailableCodes><enableAgentUnavailableCodes>true</enableAgentUnavailableCodes><unavailableCodes>\
         <unavailableCodeDetail><active>false</active><code>OLD</code></unavailableCodeDetail><unavailableCodeDetail><active>true</active>\
         <code>LUNCH</code></unavailableCodeDetail></unavailableCodes></ACDAgentUnavailableCodes>",
    );
    assert_eq!(UnavailableCodes::read(&reasons).codes.len(), 1);
    let night = plain(
        "<ACDNightService><action>Transfer</action><forceNightService>true</forceNightService></ACDNightService>",
    );
    assert!(Night::read(&night).forced);
    let profile = plain(
        "<ACDProfile><serviceInstanceProfile><name>Support</name><phoneNumber>tel:1900</phoneNumber></serviceInstanceProfile>\
         <type>Premium</type><overrideAgentWrapUpTime>true</overrideAgentWrapUpTime><wrapUpSeconds>30</wrapUpSeconds></ACDProfile>",
    );
    let profile = QueueProfile::read(&profile);
    assert_eq!(
        (profile.name.as_str(), profile.number.as_str(), profile.wrap_up_seconds),
        ("Support", "1900", Some(30))
    );
    let entries = Style::Events
        .write(&format!("<~ACDQueue><~queueEntries>{ENTRY}</~queueEntries></~ACDQueue>"));
    assert_eq!(read_queue(&entries).unwrap()[0].acd_name, "Support");
}

#[test]
fn lamps_logs_messages_and_lists_are_read() {
    let lamps = plain(
        "<BusyLampField><listURI>sip:blf@pbx</listURI><monitoredUserList><userDetails><userId>a@b</userId></userDetails></monitoredUserList></BusyLampField>",
    );
    let lamps = BusyLampField::read(&lamps);
    assert_eq!((lamps.list_uri.as_deref(), lamps.users.len()), (Some("sip:blf@pbx"), 1));
    assert_eq!(
        BusyLampField::read(&plain("<listURI>sip:x@y</listURI>")).list_uri.as_deref(),
        Some("sip:x@y")
    );
    let log = plain(
        "<EnhancedCallLogs><received><callLogsEntry><callLogId>1</callLogId><callingPresentationNumber>tel:020</callingPresentationNumber>\
         <startTime>1763700000000</startTime></callLogsEntry></received></EnhancedCallLogs>",
    );
    assert_eq!(read_enhanced_log(&log)[0].at, Some(1_763_700_000_000));
    let mail = plain(
        "<VoiceMessagingMessages><messageInfoList><messageInfo><duration>14580</duration><callingPartyInfo><name>Jan</name></callingPartyInfo>\
         <read/><messageId>/v2.0/user/a@b/VoiceMessagingMessages/m1</messageId></messageInfo></messageInfoList></VoiceMessagingMessages>",
    );
    let mail = read_messages(&mail);
    assert!(mail[0].read && mail[0].id == "m1" && mail[0].name == "Jan");
    assert_eq!(mail[0].duration, Some(14_580));
    let said = plain(
        "<VoiceMessage><messageMediaContent><description>voicemail.wav</description>\
         <mediaType>WAV</mediaType><content>UklG\nRg==</content></messageMediaContent></VoiceMessage>",
    );
    let said = read_message_sound(&said).unwrap();
    assert_eq!((said.kind.as_str(), said.content.as_deref()), ("WAV", Some(&b"RIFF"[..])));
    assert_eq!(read_message_sound(&plain("<VoiceMessage/>")), None);
    let calls = plain(
        "<Calls><call inConference=\"true\"><callId>a:0</callId><uri>/x</uri></call><call/></Calls>",
    );
    let calls = read_calls(&calls);
    assert!(calls.len() == 1 && calls[0].in_conference);
    let custom = plain(
        "<Directory><contacts><contact><name>Taxi</name><number>020</number></contact></contacts></Directory>",
    );
    assert_eq!(read_custom(&custom).entries[0].name, "Taxi");
}

#[test]
fn json_says_the_same_as_xml() {
    let text = r#"{"CallCenter":{"@xmlns":{"$":"http://schema.broadsoft.com/xsi"},"agentACDState":{"$":"Available"},
        "callCenterList":{"callCenterDetails":{"serviceUserId":{"$":"a@b"},"available":{"$":"true"}}}}}"#;
    let agent =
        AgentSettings::read(&json::read(text.as_bytes(), Some("application/json")).unwrap())
            .unwrap();
    assert_eq!((agent.state, agent.queues[0].available), (Some(AgentStateWord::Available), true));
}

#[test]
fn greetings_are_read_and_written_in_the_schemas_order() {
    for style in STYLES {
        let root = style.write(
            "<~VoiceMessagingGreetings><~busyAnnouncementSelection>Personal</~busyAnnouncementSelection>\
             <~busyPersonalAudioFile><~description>Bezet</~description><~mediaType>WAV</~mediaType>\
             <~content>UklG\n Rg==</~content></~busyPersonalAudioFile>\
             <~noAnswerAnnouncementSelection>Alternate02</~noAnswerAnnouncementSelection>\
             <~noAnswerPersonalAudioFile><~description>Weg</~description><~mediaType>WAV</~mediaType>\
             <~sourceFileName>weg.wav</~sourceFileName></~noAnswerPersonalAudioFile>\
             <~noAnswerNumberOfRings>4</~noAnswerNumberOfRings><~disableMessageDeposit>true</~disableMessageDeposit>\
             <~disableMessageDepositAction>Forward</~disableMessageDepositAction>\
             <~greetingOnlyForwardDestination>tel:+31201234567</~greetingOnlyForwardDestination></~VoiceMessagingGreetings>",
        );
        let read = Greetings::read(&root);
        let busy = read.busy_file.clone().unwrap();
        assert_eq!(
            (busy.description.as_str(), busy.content.as_deref()),
            ("Bezet", Some(&b"RIFF"[..]))
        );
        assert!(!format!("{busy:?}").contains("82"), "a recording is not for logs");
        assert_eq!(read.no_answer_file.as_ref().unwrap().content, None);
        assert_eq!((read.rings, read.no_message), (Some(4), Some(true)));
        assert_eq!(read.forward.as_deref(), Some("+31201234567"));
    }
    let file = MediaFile {
        description: "Bezet & weg".to_owned(),
        kind: "WAV".to_owned(),
        content: Some(b"RIFF".to_vec()),
    };
    let own = Some("Personal".to_owned());
    let wanted =
        Greetings { busy: own, busy_file: Some(file), rings: Some(3), ..Greetings::default() };
    let text = wanted.write();
    assert!(text.contains(
        "<busyAnnouncementSelection>Personal</busyAnnouncementSelection><busyPersonalAudioFile>\
         <description>Bezet &amp; weg</description><mediaType>WAV</mediaType><content>UklGRg==</content>\
         </busyPersonalAudioFile><noAnswerNumberOfRings>3</noAnswerNumberOfRings>"
    ), "{text}");
    let again = Greetings::read(&xml::read(text.as_bytes(), None).unwrap());
    assert_eq!(again, wanted);
    assert!(Greetings::default().is_empty() && !wanted.is_empty());
}

#[test]
fn schedules_are_listed_whatever_stands_around_them() {
    for style in STYLES {
        let root = style.write(
            "<~ScheduleList><~timeSchedule><~level>Group</~level><~name>Kantoor uren</~name>\
             <~uri>/v2.0/user/a@b/profile/Schedule/Time/Group/Kantoor%20uren</~uri></~timeSchedule>\
             <~schedules><~holidaySchedule><~level>Enterprise</~level><~name>Feestdagen</~name></~holidaySchedule></~schedules>\
             </~ScheduleList>",
        );
        let found = read_schedules(&root);
        let [hours, holidays] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((hours.name.as_str(), hours.holidays), ("Kantoor uren", false));
        assert_eq!(hours.path, ["Time", "Group", "Kantoor uren"]);
        assert!(holidays.holidays && holidays.path.is_empty());
    }
}
