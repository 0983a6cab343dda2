//! The two directions of the binding, as values.

use std::collections::HashMap;

use pbx::centre::{
    AgentState, EntryEnd, EntryState, ExchangeCallState, Forwarding, Input, Membership,
    NightOverride, Priority, QueueChange, QueueId, RecordingState, Refusal, Service, ServiceKind,
    Severity, UserId,
};

use super::{
    carry::refusal,
    map, service,
    told::{Follow, Teller},
};
use crate::{
    ErrorInfo, HttpFailure, XsiError,
    session::{Package, Subject},
    wire::{EventData, PersonEntry},
    xml,
};

const ME: &str = "jan@pbx.example";
const QUEUE: &str = "support@pbx.example";

fn teller() -> Teller {
    let queue = QueueId(QUEUE.to_owned());
    let own = Membership { queue: queue.clone(), joined: true, may_leave: false, skill: Some(2) };
    let lines = HashMap::from([(ME.to_owned(), ("Jan".to_owned(), "101".to_owned()))]);
    Teller::new(ME, vec![(queue.clone(), 30)], vec![own], vec![queue], lines)
}

fn event(kind: &str, inside: &str) -> EventData {
    let text = format!(
        "<eventData xmlns='http://schema.broadsoft.com/xsi' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' \
         i:type='{kind}'>{inside}</eventData>"
    );
    EventData::read(&xml::read(text.as_bytes(), None).unwrap()).unwrap()
}

fn tell(teller: &mut Teller, user: &str, package: Package, kind: &str, inside: &str) -> Vec<Input> {
    teller.tell(&Subject::user(user, package), &event(kind, inside)).0
}

fn entry(inside: &str) -> String {
    format!(
        "<queueEntry><callId>c:0</callId><remoteParty><name>Piet</name><address>tel:0612345678</address></remoteParty>\
         <addTime>1000</addTime><removeTime>61000</removeTime><acdPriority>1-High</acdPriority>{inside}</queueEntry>"
    )
}

fn queued(teller: &mut Teller, kind: &str, inside: &str) -> Option<QueueChange> {
    let told = tell(teller, QUEUE, Package::CallCenterQueue, kind, inside);
    match told.into_iter().next() {
        Some(Input::QueueChange { queue, change }) => {
            assert_eq!(queue.0, QUEUE);
            Some(change)
        }
        None => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_caller_comes_rings_bounces_and_is_answered() {
    let teller = &mut teller();
    let who = "<answeringUserId>jan@pbx.example</answeringUserId>";
    let jan = Some(UserId(ME.to_owned()));
    let added =
        queued(teller, "ACDCallAddedEvent", &format!("{}<position>1</position>", entry("")));
    let Some(QueueChange::Entry { entry: one, position: Some(1) }) = added else {
        panic!("{added:?}")
    };
    assert_eq!(
        (one.call.0.as_str(), one.caller.number.as_str(), one.since),
        ("c:0", "0612345678", 1000)
    );
    assert_eq!((one.priority, one.state), (Some(Priority::High), EntryState::Queued));
    for (kind, inside, state) in [
        ("ACDCallOfferedToAgentEvent", who, EntryState::Offered(jan.clone())),
        ("ACDCallOfferedToAgentEvent", "", EntryState::Offered(None)),
        ("ACDWhisperStartedEvent", who, EntryState::Whisper(jan.clone())),
        ("ACDCallBouncedEvent", who, EntryState::Queued),
    ] {
        let Some(QueueChange::Entry { entry: one, .. }) = queued(teller, kind, &entry(inside))
        else {
            panic!()
        };
        assert_eq!((one.state, one.bounced), (state, kind == "ACDCallBouncedEvent"), "{kind}");
    }
    for (kind, end) in [
        ("ACDCallAnsweredByAgentEvent", EntryEnd::Answered(jan)),
        ("ACDCallAbandonedEvent", EntryEnd::Abandoned),
        ("ACDCallReleasedEvent", EntryEnd::Released),
        ("ACDCallTransferredEvent", EntryEnd::Transferred),
        ("ACDCallOverflowedEvent", EntryEnd::Overflowed),
        ("ACDCallStrandedEvent", EntryEnd::Stranded),
        ("ACDCallEscapedEvent", EntryEnd::Escaped),
    ] {
        let left = queued(teller, kind, &entry(who)).unwrap();
        assert!(
            matches!(left, QueueChange::Left { end: one, at: Some(61_000), .. } if one == end),
            "{kind}"
        );
    }
    assert_eq!(queued(teller, "ACDNightPolicyAppliedEvent", "<callId>c:1</callId>"), None);
    let all = tell(
        teller,
        QUEUE,
        Package::CallCenterQueue,
        "ACDSubscriptionEvent",
        &format!("<queueEntries>{}</queueEntries>", entry("")),
    );
    assert!(matches!(all.as_slice(), [Input::QueueSnapshot { entries, .. }] if entries.len() == 1));
}

#[test]
fn a_private_caller_stays_private() {
    let inside = "<queueEntry><callId>c:0</callId><remoteParty><name>Piet</name><address>tel:06</address><privacy/></remoteParty></queueEntry>";
    let Some(QueueChange::Entry { entry, .. }) = queued(&mut teller(), "ACDCallAddedEvent", inside)
    else {
        panic!()
    };
    assert_eq!(entry.caller.label(), "");
}

#[test]
fn an_agents_wrap_up_has_its_end() {
    let teller = &mut teller();
    let inside = "<agentStateInfo><state>Wrap-Up</state><stateTimestamp><value>5000</value></stateTimestamp><wrapUpCallId>c:0</wrapUpCallId>\
                  <wrapUpCallCenterUserId>support@pbx.example</wrapUpCallCenterUserId></agentStateInfo>";
    let told = tell(teller, ME, Package::CallCenterAgent, "AgentStateEvent", inside);
    let [Input::AgentStatus { agent, status }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (agent.0.as_str(), status.state, status.since),
        (ME, AgentState::WrapUp, Some(5000))
    );
    assert_eq!(status.wrap_up.as_ref().unwrap().until, Some(35_000));
    let inside = "<agentStateInfo><state>Unavailable</state><unavailableCode>LUNCH</unavailableCode></agentStateInfo>";
    let told = tell(teller, ME, Package::CallCenterAgent, "AgentStateEvent", inside);
    assert!(
        matches!(&told[0], Input::AgentStatus { status, .. } if status.code.as_deref() == Some("LUNCH") && status.wrap_up.is_none())
    );
    let odd = "<agentStateInfo><state>On-Leave</state></agentStateInfo>";
    assert!(tell(teller, ME, Package::CallCenterAgent, "AgentStateEvent", odd).is_empty());
}

#[test]
fn leaving_a_queue_keeps_what_events_leave_out() {
    let teller = &mut teller();
    let inside = "<ccAgentJoinUpdateData><joinInfo><acdUserId>Support@pbx.example</acdUserId></joinInfo></ccAgentJoinUpdateData>";
    let told = tell(teller, ME, Package::CallCenterAgent, "ACDAgentJoinUpdateEvent", inside);
    let [Input::Memberships { full: false, memberships, .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    let expected = Membership {
        queue: QueueId(QUEUE.to_owned()),
        joined: false,
        may_leave: false,
        skill: Some(2),
    };
    assert_eq!(memberships, &[expected]);
    let inside = "<joinData/><stateInfo><state>Sign-Out</state></stateInfo>";
    let told = tell(teller, ME, Package::CallCenterAgent, "AgentSubscriptionEvent", inside);
    assert!(
        matches!(&told[1], Input::Memberships { full: true, memberships, .. } if memberships.is_empty())
    );
}

#[test]
fn the_recording_of_a_call_is_told_by_words_controls_or_the_event_alone() {
    use pbx::centre::Recording::{Pause, Resume, Start, Stop};
    let teller = &mut teller();
    let mut told = |kind: &str, more: &str| {
        let call = format!(
            "<call><callId>a:0</callId><personality>Originator</personality><state>Active</state>{more}</call>"
        );
        let reason = match kind {
            "CallRecordingStoppedEvent" => "<reason>Failure</reason>",
            _ => "",
        };
        let told = tell(teller, ME, Package::StandardCall, kind, &format!("{call}{reason}"));
        let [Input::Call(one)] = told.as_slice() else { panic!("{told:?}") };
        (one.recording.state, one.recording.may.clone())
    };
    let so = |state: &str, controls: &str| {
        format!(
            "<recorded/><allowedRecordingControls>{controls}</allowedRecordingControls>\
             <recordingState>{state}</recordingState>"
        )
    };
    let only =
        |controls: &str| format!("<allowedRecordingControls>{controls}</allowedRecordingControls>");
    let (off, on) = (Some(RecordingState::Off), Some(RecordingState::On));
    let (paused, failed) = (Some(RecordingState::Paused), Some(RecordingState::Failed));
    let event = "CallUpdatedEvent";
    assert_eq!(told(event, ""), (None, None), "no word about it");
    assert_eq!(told(event, &so("Pending", "none")), (off, Some(vec![])));
    assert_eq!(told(event, &so("Started", "pause-stop")), (on, Some(vec![Pause, Stop])));
    assert_eq!(told(event, &so("Paused", "resume-stop")), (paused, Some(vec![Resume, Stop])));
    assert_eq!(told(event, &so("Failed", "record")), (failed, Some(vec![Start])));
    assert_eq!(told(event, &only("record")), (off, Some(vec![Start])));
    assert_eq!(told(event, &only("pause")), (on, Some(vec![Pause])));
    assert_eq!(told(event, &only("resume")), (paused, Some(vec![Resume])));
    assert_eq!(told(event, &only("stop")), (on, Some(vec![Stop])));
    assert_eq!(told(event, &only("none")), (None, Some(vec![])));
    assert_eq!(told(event, &only("dance-stop")), (on, Some(vec![Stop])), "words of later releases");
    assert_eq!(told("CallRecordingStartedEvent", ""), (on, None));
    assert_eq!(told("CallRecordingPausedEvent", ""), (paused, None));
    assert_eq!(told("CallRecordingResumedEvent", ""), (on, None));
    assert_eq!(told("CallRecordingStoppedEvent", ""), (failed, None), "not by the user");
}

#[test]
fn own_calls_are_told_and_others_only_make_them_busy() {
    let teller = &mut teller();
    let call = |state: &str| {
        format!(
            "<call><callId>a:0</callId><personality>Terminator</personality><state>{state}</state>\
             <acdCallInfo><acdUserId>support@pbx.example</acdUserId><waitTime>9</waitTime></acdCallInfo></call>"
        )
    };
    let told = tell(teller, ME, Package::StandardCall, "CallReceivedEvent", &call("Alerting"));
    let [Input::Call(one)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((one.state, one.incoming, one.waited), (ExchangeCallState::Alerting, true, Some(9)));
    let subject = Subject::user(ME, Package::StandardCall);
    let (told, follow) = teller.tell(&subject, &event("CallReleasedEvent", &call("Active")));
    assert!(matches!(&told[0], Input::Call(one) if one.state == ExchangeCallState::Released));
    assert_eq!(follow, Some(Follow::CallLog));
    let piet = "piet@pbx.example";
    let busy = |told: &[Input]| match told {
        [Input::AgentOnCall { on_call, .. }] => Some(*on_call),
        [] => None,
        other => panic!("{other:?}"),
    };
    let told = tell(teller, piet, Package::BasicCall, "CallReceivedEvent", &call("Alerting"));
    assert_eq!(busy(&told), Some(true));
    let told = tell(teller, piet, Package::BasicCall, "CallAnsweredEvent", &call("Active"));
    assert_eq!(busy(&told), None);
    let told = tell(teller, piet, Package::BasicCall, "CallReleasedEvent", &call("Released"));
    assert_eq!(busy(&told), Some(false));
    let told = tell(teller, piet, Package::BasicCall, "CallSubscriptionEvent", "");
    assert_eq!(busy(&told), Some(false));
}

#[test]
fn figures_and_policies_are_told() {
    let teller = &mut teller();
    let inside = "<monitoringStatus><longestWaitTime><value>70</value><severity>Yellow</severity></longestWaitTime></monitoringStatus>";
    let told =
        tell(teller, QUEUE, Package::CallCenterMonitoring, "CallCenterMonitoringEvent", inside);
    let [Input::Measures { measures, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(measures.longest_wait.unwrap().severity, Some(Severity::Yellow));
    assert_eq!(measures.waiting, None);
    let subject = Subject::user(QUEUE, Package::CallCenterConfiguration);
    let (told, follow) = teller.tell(&subject, &event("ACDForcedForwardingEvent", "<active/>"));
    let [Input::Policy { policy, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((policy.forced_forwarding.as_deref(), policy.may_change), (None, true));
    assert_eq!(
        follow,
        Some(Follow::Policy(QueueId(QUEUE.to_owned()))),
        "the number is read besides"
    );
    let (told, _) =
        teller.tell(&subject, &event("ACDNightServiceEvent", "<active/><forceNightService/>"));
    let [Input::Policy { policy, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((policy.night, policy.night_override), (Some(true), Some(NightOverride::ForcedOn)));
}

#[test]
fn services_go_both_ways() {
    let forwarding = Forwarding { active: true, to: "0612345678".to_owned(), rings: Some(4) };
    let services = [
        Service::DoNotDisturb { active: true },
        Service::Forwarding { kind: ServiceKind::ForwardNoAnswer, forwarding },
        Service::Forwarding { kind: ServiceKind::ForwardAlways, forwarding: Forwarding::default() },
        Service::Switch { kind: ServiceKind::WithholdNumber, active: true },
        Service::SimultaneousRing {
            active: true,
            not_while_busy: true,
            numbers: vec![("06".to_owned(), true)],
        },
        Service::SequentialRing(pbx::centre::SequentialRing {
            own_first: true,
            own_rings: 3,
            past_busy: true,
            places: vec![pbx::centre::RingPlace {
                number: "06".to_owned(),
                rings: Some(4),
                confirm: true,
            }],
        }),
        Service::RemoteOffice { active: false, number: "020".to_owned() },
        Service::Hoteling { active: true, host: "h@pbx".to_owned() },
    ];
    for wanted in services {
        let state = service::wanted(&wanted).unwrap();
        let document = xml::read(state.write().unwrap().as_bytes(), None).unwrap();
        let read = crate::wire::ServiceState::read(state.path(), &document).unwrap();
        assert_eq!(service::told(&read), Some(wanted.clone()), "{wanted:?}");
        assert_eq!(service::kind(service::path(wanted.kind())), Some(wanted.kind()));
    }
    assert_eq!(service::wanted(&Service::Night(pbx::centre::NightService::default())), None);
    let teller = &mut teller();
    let told = tell(
        teller,
        ME,
        Package::DoNotDisturb,
        "DoNotDisturbEvent",
        "<info><active>true</active></info>",
    );
    assert_eq!(told, [Input::Service(Service::DoNotDisturb { active: true })]);
    let told = tell(teller, ME, Package::DoNotDisturb, "DoNotDisturbEvent", "<unassigned/>");
    assert_eq!(told, [Input::ServiceAbsent(ServiceKind::DoNotDisturb)]);
}

#[test]
fn refusals_keep_the_servers_words() {
    let info =
        ErrorInfo { code: 5, summary: "[Error 5] Nee".to_owned(), summary_english: String::new() };
    let words = Refusal::Exchange { code: 5, words: "Nee".to_owned() };
    assert_eq!(refusal(XsiError::Refused { status: 400, info: info.clone() }), words);
    assert_eq!(refusal(XsiError::Forbidden(info)), words);
    assert_eq!(refusal(XsiError::Forbidden(ErrorInfo::default())), Refusal::NotAllowed);
    assert_eq!(refusal(XsiError::NotFound(ErrorInfo::default())), Refusal::Gone);
    assert_eq!(refusal(XsiError::Http(HttpFailure::Timeout)), Refusal::Unavailable);
    assert!(matches!(refusal(XsiError::BadValue("x")), Refusal::BadValue(_)));
}

#[test]
fn what_is_no_person_is_told_apart() {
    let entry = |first: &str| PersonEntry {
        first_name: first.to_owned(),
        last_name: "Verkoop".to_owned(),
        ..PersonEntry::default()
    };
    let group = map::person(&entry("Hunt Group"));
    assert!(group.is_virtual && group.first_name.is_empty() && group.last_name == "Verkoop");
    let person = map::person(&entry("Hunter"));
    assert!(!person.is_virtual && person.first_name == "Hunter");
}

#[test]
fn the_night_of_a_user_has_the_schemas_words() {
    for (word, mode) in [
        ("Automatic On", None),
        ("Always On", Some(true)),
        ("Off", Some(false)),
        ("Use Group", None),
    ] {
        let text = format!(
            "<GroupNightForwarding><userNightForwardingMode>{word}</userNightForwardingMode>\
             <businessHours><level>Group</level><name>Kantoor</name></businessHours></GroupNightForwarding>"
        );
        let root = xml::read(text.as_bytes(), None).unwrap();
        let state = crate::wire::ServiceState::read("GroupNightForwarding", &root).unwrap();
        let Some(Service::Night(night)) = service::told(&state) else { panic!("{word}") };
        assert_eq!((night.mode, night.schedule.as_str()), (mode, "Kantoor"), "{word}");
    }
}

#[test]
fn only_what_changes_of_greetings_is_set() {
    let so = crate::wire::Greetings {
        busy: Some("Default".to_owned()),
        no_answer: Some("Personal".to_owned()),
        rings: Some(3),
        no_message: Some(false),
        ..crate::wire::Greetings::default()
    };
    let mut mail = service::with_greetings(pbx::centre::VoiceMail::default(), &so);
    assert_eq!(mail.rings, Some(3));
    assert!(service::greetings_to_set(&mail, &so).is_empty());
    mail.rings = Some(5);
    let greetings = mail.greetings.as_mut().unwrap();
    greetings.no_answer.choice = pbx::centre::GreetingChoice::Standard;
    greetings.no_message = true;
    greetings.then = "0201234567".to_owned();
    let change = service::greetings_to_set(&mail, &so);
    let expected = crate::wire::Greetings {
        no_answer: Some("Default".to_owned()),
        rings: Some(5),
        no_message: Some(true),
        then: Some("Forward".to_owned()),
        forward: Some("0201234567".to_owned()),
        ..crate::wire::Greetings::default()
    };
    assert_eq!(change, expected);
}

#[test]
fn parked_calls_and_calls_of_others_are_told() {
    let teller = &mut teller();
    let inside =
        "<parkedParty><name>Jan Smit</name><address>tel:+31201234567</address></parkedParty>";
    let told = tell(teller, ME, Package::CallPark, "CallParkedAgainstEvent", inside);
    let [Input::Parked { number, party: Some(party), .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((number.as_str(), party.number.as_str()), ("101", "+31201234567"));
    let told = tell(teller, ME, Package::CallPark, "CallParkedAgainstEvent", "");
    assert!(matches!(told.as_slice(), [Input::Parked { party: None, .. }]), "{told:?}");
    let call = "<call><callId>b:0</callId><personality>Originator</personality><state>Active</state>\
        <remoteParty><address>tel:+31201234567</address></remoteParty></call>";
    let told = tell(teller, "piet@pbx.example", Package::BasicCall, "CallAnsweredEvent", call);
    let [Input::AgentOnCall { on_call: true, .. }, Input::AgentCall { call, .. }] = told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!(call.party.number, "+31201234567");
    let inside = "<dispositionCode>SOLD</dispositionCode><callId>a:0</callId>";
    let told = tell(teller, ME, Package::CallCenterAgent, "AgentDispositionCodeAddedEvent", inside);
    assert_eq!(told, [Input::Outcome { call: "a:0".to_owned(), code: "SOLD".to_owned() }]);
}
